#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_ip
short_description: Virtual addresses that move between the nodes of a cluster
version_added: 0.1.0
description:
  - Makes this node take part in VRRP version 3, or CARP on FreeBSD, OpenBSD and pfSense, so that the virtual addresses are on one node of the cluster at a
    time.
  - On Linux it drives C(keepalived), as the following tells.
  - All addresses move together. With two instances or more they form one group, and each instance has addresses of one family.
  - The configuration is judged by C(keepalived --config-test) before it replaces anything. Any warning is an error.
  - The service is restarted after a crash, and addresses that a killed C(keepalived) leaves behind are removed.
  - A change to a running service is a reload where that is enough, so that an active node stays active.
    Adding an instance makes an active node hand over.
  - A change of O(transport) needs all nodes, one soon after the other, because in between they do not hear each other. With CARP the same is true of
    O(password), and of the addresses of an id.
  - A foreign C(keepalived.conf) is kept once beside the new one as C(keepalived.conf.before-hafirewall).
  - On pfSense it changes the addresses in C(Firewall > Virtual IPs) and lets the product apply them. One that has the same id on the same interface is
    taken over as it is, and so is an IP alias on top of it. Those that this module made have a description that begins with C(hafirewall.cluster); only
    they are removed. What the kernel runs is compared too, and judged after a change; when it is not as configured, everything is put back.
    Where a primary sends its virtual addresses by XMLRPC, they are made on the primary only; see O(received).
  - On FreeBSD it makes the kernel run the addresses, with commands for what differs only, and sets them up at boot by a marked block in
    C(/etc/rc.conf.d/netif), which has the password and is for root alone (in C(/etc/rc.conf.d/netif/hafirewall_cluster) where that is a folder). Marked
    blocks in C(/boot/loader.conf) and C(/etc/sysctl.conf) bring the module C(carp) and C(net.inet.carp.preempt). An address that other lines set up in the
    same way is left to them; one that they set up otherwise is an error, with file and line. Only what is in the block is removed. Each id is active or
    standby in the end, or everything is put back.
  - On OpenBSD each id is a device of its own with a file, as C(/etc/hostname.carp10), which has the password and is not for others to read. C(netstart) makes a
    device that is not there; one that is there is changed by commands for what differs only, so that an active node stays active. A file of somebody else that
    says the same stays; another one is kept beside the new one, with the ending C(.before-hafirewall). A marked block in C(/etc/sysctl.conf) brings
    C(net.inet.carp.preempt). Only what this collection made for this cluster is removed.
extends_documentation_fragment:
  - hafirewall.cluster.attributes
  - hafirewall.cluster.attributes.node
attributes:
  platform:
    support: full
    platforms: freebsd, linux, openbsd, pfsense
    description: Platforms that the module drives.
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  instances:
    description:
      - What this node can be active for, one entry for each virtual router ID, interface and address family.
      - When empty, the service is stopped and disabled and the files of this collection are removed. A foreign configuration is left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the instance, unique on the node.
        type: str
        required: true
      interface:
        description: Device that carries the addresses.
        type: str
        required: true
      id:
        description: Virtual router ID, 1 to 255, equal on all nodes.
        type: int
        required: true
      family:
        description: Address family of O(instances[].addresses).
        type: str
        choices: [ipv4, ipv6]
        required: true
      priority:
        description:
          - 1 to 254. The highest becomes active when nodes start together. It must differ between nodes, and be the same in all instances of a node.
          - CARP has O(instances[].advskew) in its place, and does not look at it.
        type: int
        required: true
      advskew:
        description: 0 to 254. The lowest becomes active. CARP only, and required there.
        type: int
      advbase:
        description: Seconds between advertisements, 1 to 254, equal on all nodes. CARP only, and required there.
        type: int
      addresses:
        description:
          - Virtual addresses with prefix length; on pfSense the first is the CARP address, and the others are IP aliases on top of it.
          - On FreeBSD those of IPv6 need a device that C(rc.conf) has C(ifconfig_DEVICE_ipv6) for, because nothing else sets them up at boot.
        type: list
        elements: str
        required: true
      source:
        description:
          - Address of this node that advertisements come from.
          - Required with O(transport=unicast). With V(multicast) it counts for IPv4 only, because IPv6 advertisements come from the link-local address.
          - CARP chooses it by itself, and does not look at it.
        type: str
      peers:
        description: Addresses of the other nodes on this interface. Required with O(transport=unicast). CARP has one peer at most.
        type: list
        elements: str
        default: []
  advert_interval:
    description:
      - Seconds between advertisements, 0.01 to 40.95 in steps of 0.01, equal on all nodes. CARP has O(instances[].advbase) in its place, and does not look
        at it.
      - A standby takes over when it has heard nothing for three intervals and its own skew time.
    type: float
    default: 1.0
  preempt:
    description:
      - Whether a node with a higher priority takes over from an active node with a lower one. On pfSense it always does, at once.
      - With CARP it also decides whether a node that is demoted loses its addresses to a standby, as when one of its interfaces is down.
    type: bool
    default: false
  preempt_delay:
    description:
      - Seconds that it waits before it does so, for example until state sync has caught up. Only with O(preempt=true).
      - It does not delay taking over from a node that is lost.
      - CARP has no such delay, and does not look at it.
    type: float
    default: 10
  transport:
    description: How advertisements are sent. pfSense has multicast only, and so have FreeBSD before 14, and OpenBSD for IPv6.
    type: str
    choices: [multicast, unicast]
    default: multicast
  track_interfaces:
    description:
      - Whether the node gives up all addresses when one of the interfaces in O(instances) is down.
      - On pfSense it always does, and on FreeBSD and OpenBSD with O(preempt=true).
    type: bool
    default: true
  password:
    description:
      - Password of CARP, the same on all nodes. Required for an address that is not there yet; when not stated, those there keep theirs.
      - FreeBSD takes the first 19 characters, and its start scripts hand on letters, digits and C(_.,:+=@%/^) only, and a dash that is not behind a digit or a
        letter from a to f.
      - OpenBSD takes the first 19 characters, and its start script hands on letters, digits and C(_.,:+=@%/^-) only; others are refused.
      - Must not be stated on Linux, because VRRP version 3 has none.
      - It comes from the intent (C(hafirewall_cluster.vrrp.password)); a plan does not hold it.
    type: str
  received:
    description:
      - Whether the addresses come with the configuration that another node sends to this one. Nothing is then made, changed or removed here, so the result
        is never changed, in check mode as in a real run.
      - What is there is compared all the same. RV(drift) tells what differs, and what has not come yet; neither is an error, and both are there again in the
        next run, until the other node has sent something else.
      - pfSense only.
    type: bool
    default: false
  coming:
    description:
      - Devices that M(hafirewall.cluster.lagg) makes earlier in the same run, each with the one whose place it takes.
      - In check mode a device that is to come need not be there yet.
    type: dict
    default: {}
notes:
  - On Linux, needs C(keepalived) 2.2 or later with JSON, as Debian builds it, under systemd, and to run as root.
  - VRRP version 3 has no authentication. Whoever is on the same segment can take the addresses over.
seealso:
  - module: hafirewall.cluster.maintenance
  - module: hafirewall.cluster.state_sync
  - module: hafirewall.cluster.sync_rule
author:
  - hafirewall.cluster contributors (@hafirewall)
"""

EXAMPLES = r"""
- name: Share an address of the LAN and one of the WAN
  hafirewall.cluster.virtual_ip:
    name: edge
    instances:
      - name: lan_10_ipv4
        interface: lan0
        id: 10
        family: ipv4
        priority: 200
        addresses: [192.0.2.1/24]
      - name: wan_20_ipv4
        interface: wan0
        id: 20
        family: ipv4
        priority: 200
        addresses: [203.0.113.1/24]
    advert_interval: 0.1

- name: Share an address of the LAN between two nodes with CARP
  hafirewall.cluster.virtual_ip:
    name: edge
    instances:
      - name: lan_10_ipv4
        interface: em1
        id: 10
        family: ipv4
        priority: 200
        advskew: 0
        advbase: 1
        addresses: [192.0.2.1/24, 192.0.2.9/24]
    password: "{{ carp_password }}"

- name: Take no part any more
  hafirewall.cluster.virtual_ip:
    name: edge
    instances: []
"""

RETURN = r"""
drift:
  description:
    - What differed from the wanted settings, equal in check mode and in a real run.
    - With O(received=true) it stays as it is.
  returned: success
  type: list
  elements: dict
  contains:
    setting:
      description: What differed.
      type: str
      sample: lan_10_ipv4.priority
    is:
      description: What was found.
      type: raw
      sample: 150
    wanted:
      description: What is wanted.
      type: raw
      sample: 200
commands:
  description: Commands, and functions of pfSense, that changed the node, or would have in check mode.
  returned: always
  type: list
  elements: str
  sample: [systemctl reload keepalived.service]
validation:
  description: V(passed), V(not needed), or why it was not possible yet.
  returned: success
  type: str
  sample: passed
"""

from typing import Any, Dict

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

INSTANCE: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "interface": {"type": "str", "required": True},
    "id": {"type": "int", "required": True},
    "family": {"type": "str", "required": True, "choices": ["ipv4", "ipv6"]},
    "priority": {"type": "int", "required": True},
    "advskew": {"type": "int"},
    "advbase": {"type": "int"},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "source": {"type": "str"},
    "peers": {"type": "list", "elements": "str", "default": []},
}
ARGUMENTS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "instances": {"type": "list", "elements": "dict", "required": True, "options": INSTANCE},
    "advert_interval": {"type": "float", "default": 1.0},
    "preempt": {"type": "bool", "default": False},
    "preempt_delay": {"type": "float", "default": 10},
    "transport": {"type": "str", "choices": ["multicast", "unicast"], "default": "multicast"},
    "track_interfaces": {"type": "bool", "default": True},
    "password": {"type": "str", "no_log": True},
    "received": {"type": "bool", "default": False},
    "coming": {"type": "dict", "default": {}},
}


def main() -> None:
    run_capability("virtual_ip", ARGUMENTS)


if __name__ == "__main__":
    main()
