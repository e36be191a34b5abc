#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lagg
short_description: Put interfaces onto LAGGs, with a way back
version_added: 0.2.0
description:
  - Makes the LAGGs that give a logical interface the same name on all nodes, and moves onto them what was on the ports - addresses, routes, VLANs.
  - On Linux it changes the files of the network stack that keeps the devices (systemd-networkd, NetworkManager or ifupdown) and lets that stack change the
    kernel, one LAGG after the other. On pfSense it changes the product's configuration, all LAGGs together, and applies it by the product's functions.
    On FreeBSD it changes C(rc.conf) and what else names the devices, all LAGGs together, and applies it by C(service netif start).
    On OpenBSD it changes the files of hostname.if(5) and C(pf.conf), all LAGGs together, and applies them by C(sh /etc/netstart).
    Afterwards the running kernel is compared with what was wanted.
  - Before each change a way back is armed on the node. The change runs on the node by itself, because the connection may drop.
    When the node is reached again and is as wanted, the way back is disarmed. Otherwise the node brings back what was before by
    itself after O(rollback_timeout), also when it loses its power in between.
  - On Linux keepalived is stopped, and disabled at boot, while devices that it uses are changed, which hands its addresses over.
    M(hafirewall.cluster.virtual_ip) gives it the new names and starts it again.
  - On FreeBSD, OpenBSD and pfSense a node that is active on a device that is changed is demoted until the change is confirmed and its states have
    come back, which hands its addresses over.
  - The path that Ansible came in by is changed with O(laggs[].consent) only. Without it nothing at all is touched.
  - Any difference is put right by making the LAGG anew, so a node should be standby meanwhile.
extends_documentation_fragment:
  - hafirewall.cluster.attributes
  - hafirewall.cluster.attributes.node
attributes:
  action:
    support: full
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
  platform:
    support: full
    platforms: freebsd, linux, openbsd, pfsense
    description: Platforms that the module drives.
options:
  laggs:
    description:
      - The LAGGs that the node shall have, in the order in which to make them.
      - LAGGs that are not named here are left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the LAGG.
        type: str
        required: true
      protocol:
        description:
          - How it uses its members. V(broadcast) is there on FreeBSD, Linux and OpenBSD, V(none), which passes no traffic, on FreeBSD, OpenBSD and pfSense.
        type: str
        choices: [lacp, failover, loadbalance, roundrobin, broadcast, none]
        required: true
      members:
        description: Its ports, the preferred one first.
        type: list
        elements: str
        required: true
      primary:
        description: The member that is used as long as it has a link, with O(laggs[].protocol=failover). The first member when it is left out.
        type: str
      hash:
        description:
          - What traffic is shared out by, with V(lacp) and V(loadbalance). When it is left out, it stays as it is.
          - Linux has V(l2), V(l2+l3) and V(l3+l4); pfSense has all of them from CE 2.7 and Plus 23.01 on.
        type: str
        choices: [l2, l3, l4, l2+l3, l3+l4, l2+l4, l2+l3+l4]
      lacp_rate:
        description: How often LACP speaks, every 30 seconds or every second. When it is left out, it stays as it is.
        type: str
        choices: [slow, fast]
      mtu:
        description: MTU of the members and of the LAGG. When it is left out, it stays as it is.
        type: int
      min_links:
        description: Members that must have a link for the LAGG to have one, with V(lacp), on Linux. When it is left out, it stays as it is.
        type: int
      consent:
        description: Whether the path that Ansible came in by may be changed.
        type: bool
        default: false
      vlans:
        description: All VLANs that are on the LAGG when all is done.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Its device.
            type: str
            required: true
          id:
            description: Its tag.
            type: int
            required: true
      moves:
        description: Devices whose configuration is not yet on the LAGG - the untagged one first, then its VLANs.
        type: list
        elements: dict
        default: []
        suboptions:
          from_device:
            description: Where it is. When this is itself a LAGG, that is taken apart.
            type: str
            required: true
          to_device:
            description: Where it shall be. The same device for a VLAN with a name of its own, which then only lies on the LAGG.
            type: str
            required: true
          vlan:
            description: The tag of a VLAN.
            type: int
          addresses:
            description: Addresses that were seen on it. For information; the module reads the node itself and keeps what is there.
            type: list
            elements: str
            default: []
          virtual:
            description: The cluster's virtual addresses that were seen on it. They are not moved, for keepalived gives them back itself.
            type: list
            elements: str
            default: []
          management:
            description: Whether the path that Ansible came in by was seen on it. For information; the module finds out itself.
            type: bool
  stack:
    description:
      - The network stack whose files are changed, on Linux.
      - V(auto) takes the one that keeps the devices now.
      - With V(networkmanager) a profile that says more than can be carried over is refused before anything is touched.
    type: str
    choices: [auto, networkd, networkmanager, ifupdown]
    default: auto
  rollback_timeout:
    description: Seconds after which the node goes back by itself unless it was reached again.
    type: int
    default: 120
  peer_ready:
    description:
      - Whether another node can take over the virtual addresses. Without it, a node that holds some is not changed.
    type: bool
    default: false
  stage:
    description:
      - What this call is for. The action plugin makes the calls that follow the first.
      - V(begin) begins a change, V(wait) waits until it has led to what is wanted, and V(confirm), over a connection made after that, lets it stay.
    type: str
    choices: [begin, wait, confirm]
    default: begin
notes:
  - On Linux it needs the kernel's bonding driver and systemd. Everywhere it must run as root.
  - In the bonding driver's words, V(lacp) is 802.3ad, V(failover) active-backup, V(loadbalance) balance-xor, V(roundrobin) balance-rr, V(broadcast) broadcast.
    Links are looked at every 100 ms.
seealso:
  - module: hafirewall.cluster.virtual_ip
  - module: hafirewall.cluster.plan
author:
  - hafirewall.cluster contributors (@hafirewall)
"""

EXAMPLES = r"""
- name: Give the WAN the name bond1, with the port that it is on today and a second one
  hafirewall.cluster.lagg:
    laggs:
      - name: bond1
        protocol: failover
        members: [eth0, eth3]
        vlans:
          - {name: bond1.10, id: 10}
        moves:
          - {from_device: eth0, to_device: bond1}
          - {from_device: eth0.10, to_device: bond1.10, vlan: 10}
    rollback_timeout: 180
    peer_ready: true
"""

RETURN = r"""
drift:
  description: What differed from the wanted settings, equal in check mode and in a real run.
  returned: success
  type: list
  elements: dict
  contains:
    setting:
      description: What differed.
      type: str
      sample: bond1.members
    is:
      description: What was found.
      type: raw
      sample: [eth0]
    wanted:
      description: What is wanted.
      type: raw
      sample: [eth0, eth3]
commands:
  description: Commands that changed the node, or would have in check mode.
  returned: always
  type: list
  elements: str
  sample: [systemctl start hafirewall-lagg-guard@bond1.timer]
validation:
  description: V(passed), V(not needed), or why it was not possible.
  returned: success
  type: str
  sample: passed
next:
  description: The O(stage) of the call that must follow; V(none) when nothing is left to do, as always after the action plugin.
  returned: success
  type: str
within:
  description: Seconds that it may take until the node has gone back, when the call that must follow cannot reach it; on Linux O(rollback_timeout).
  returned: on FreeBSD and pfSense
  type: int
confirmed:
  description: LAGGs whose change is as wanted and whose way back was disarmed.
  returned: success
  type: list
  elements: str
  sample: [bond1]
put_back:
  description: LAGGs of which an earlier change was put back by the node itself, because the node was not reached again in time.
  returned: success
  type: list
  elements: str
  sample: []
"""

from typing import Any, Dict

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

VLAN: Dict[str, Any] = {"name": {"type": "str", "required": True}, "id": {"type": "int", "required": True}}
MOVE: Dict[str, Any] = {
    "from_device": {"type": "str", "required": True},
    "to_device": {"type": "str", "required": True},
    "vlan": {"type": "int"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "virtual": {"type": "list", "elements": "str", "default": []},
    "management": {"type": "bool"},
}
LAGG: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "protocol": {"type": "str", "required": True, "choices": ["lacp", "failover", "loadbalance", "roundrobin", "broadcast", "none"]},
    "members": {"type": "list", "elements": "str", "required": True},
    "primary": {"type": "str"},
    "hash": {"type": "str", "choices": ["l2", "l3", "l4", "l2+l3", "l3+l4", "l2+l4", "l2+l3+l4"]},
    "lacp_rate": {"type": "str", "choices": ["slow", "fast"]},
    "mtu": {"type": "int"},
    "min_links": {"type": "int"},
    "consent": {"type": "bool", "default": False},
    "vlans": {"type": "list", "elements": "dict", "default": [], "options": VLAN},
    "moves": {"type": "list", "elements": "dict", "default": [], "options": MOVE},
}
ARGUMENTS: Dict[str, Any] = {
    "laggs": {"type": "list", "elements": "dict", "required": True, "options": LAGG},
    "stack": {"type": "str", "choices": ["auto", "networkd", "networkmanager", "ifupdown"], "default": "auto"},
    "rollback_timeout": {"type": "int", "default": 120},
    "peer_ready": {"type": "bool", "default": False},
    "stage": {"type": "str", "choices": ["begin", "wait", "confirm"], "default": "begin"},
}


def main() -> None:
    run_capability("lagg", ARGUMENTS)


if __name__ == "__main__":
    main()
