#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the engine that carries firewall states to the other nodes of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: state_sync
short_description: Run the engine that carries connection states to the other nodes of a cluster
version_added: 0.1.0
author:
  - hafirewall.cluster contributors (@hafirewall)
description:
  - Makes the platform's own state-sync engine run as described, now and after a reboot, or be off. It is C(conntrackd) on Linux, and pfsync on
    FreeBSD, OpenBSD and pfSense.
  - Nothing is run when nothing differs. A change is validated on the node first. When a step fails, everything is put back as it was.
  - With conntrackd, a change restarts the engine, waits until it answers and has its peers' states, and compares the kernel's table before and after.
    A configuration that is not managed by this collection is kept beside the new one, as C(/etc/conntrackd/conntrackd.conf.before-hafirewall).
  - On pfSense, the settings of C(System > High Availability) are changed and applied by the product itself, with an entry in its history.
    When somebody saves the configuration meanwhile, it is read and compared again. Applying takes the product up to half a minute.
  - On FreeBSD, C(pfsync_enable), C(pfsync_syncdev), C(pfsync_syncpeer) and C(pfsync_ifconfig) of C(rc.conf) are set by C(sysrc), and the host id and the
    state policy in a marked block of C(pf.conf), which C(pfctl) judges before it is loaded; states stay. Other words of C(pfsync_ifconfig), as C(defer) and
    C(maxupd), are somebody else's and stay, and pfsync0 runs by them. C(/etc/rc.d/pfsync) loads the kernel modules at boot.
  - On FreeBSD, pfsync0 is told only what differs, since each word makes the kernel ask for all states again and demotes CARP meanwhile. On an active node
    C(net.pfsync.carp_demotion_factor) is held at 0 until that has ended, so that the virtual addresses stay, and is then put back. When there are states of
    another node that has been heard, the module waits for the end, and fails when that node sends nothing, although the kernel calls that an end too
    (C(syncok)). Otherwise, as on the first node of a new cluster, it waits 7 seconds and returns a note. When such a transfer had failed, it is asked for again
    as soon as another node has been heard.
  - On FreeBSD, pfsync0 is never taken down while it runs, for states that are made then would travel later although their rules say C(no-sync). When it was
    down, those of pfsync and CARP that have been made meanwhile are killed before the node joins; no other state is touched.
  - On FreeBSD, the MTU of pfsync0 is kept within that of the Sync device, and within 4080 up to release 14, whose kernels send nothing with more.
  - On OpenBSD, C(/etc/hostname.pfsync0) is written, with C(maxupd) and C(defer) as pfsync0 runs with them, and the host id and the state policy are in a
    marked block of C(pf.conf), as on FreeBSD. A file of somebody else that says the same stays; another one is kept beside the new one, as
    C(/etc/hostname.pfsync0.before-hafirewall). A pfsync0 that is not there is made by C(netstart); one that runs is taken down where its device or its peer
    changes, for its kernel refuses that otherwise, and then asks for all states again.
  - On OpenBSD, a pfsync0 that comes up demotes CARP by 32 until the states of the others are here, or for 24 seconds where nobody answers, and nothing can
    hold that back, so an active node hands its addresses over meanwhile. A note says so. The module waits for the end.
  - Usually called by the role P(hafirewall.cluster.sync_engine#role) with options that come from the plan of the cluster.
extends_documentation_fragment:
  - hafirewall.cluster.attributes
  - hafirewall.cluster.attributes.node
attributes:
  platform:
    support: full
    platforms: freebsd, linux, openbsd, pfsense
    description: Platforms that the module drives.
options:
  enabled:
    description:
      - Whether states are carried at all.
      - V(false) stops the engine and removes what this collection manages. On pfSense the other settings stay, on FreeBSD all but
        C(pfsync_enable), and on OpenBSD those in C(pf.conf); there C(hostname.pfsync0) is removed.
    type: bool
    default: true
  interface:
    description:
      - Device on which state updates travel. On pfSense an interface must be assigned to it and enabled.
      - Required when O(enabled=true).
    type: str
  address:
    description:
      - This node's address on the Sync interface, IPv4 or IPv6; on pfSense, OpenBSD and before FreeBSD 14.0 IPv4.
      - Required when O(enabled=true).
    type: str
  network:
    description: The Sync network. Not part of the engine's configuration; M(hafirewall.cluster.sync_rule) uses it.
    type: str
  transport:
    description: How state updates travel. V(unicast) is for exactly two nodes.
    type: str
    choices:
      - multicast
      - unicast
    default: multicast
  group:
    description: Multicast group. Required with conntrackd when O(transport=multicast); pfsync has its own.
    type: str
  port:
    description: UDP port of conntrackd.
    type: int
    default: 3780
  peer:
    description: Address of the other node. Required when O(transport=unicast).
    type: str
  mode:
    description:
      - Protocol of conntrackd.
      - V(ftfw) repeats what was lost. It serves two nodes, since with more it silently loses states.
      - V(notrack) repeats nothing and serves any number of nodes.
      - V(alarm) sends every state again all the time, and always keeps the peers' states in an external cache.
    type: str
    choices:
      - ftfw
      - notrack
      - alarm
    default: ftfw
  external_cache:
    description:
      - V(false) puts the peers' states into the kernel at once. V(true) keeps them in a cache until the node becomes active.
      - By default V(true) with O(mode=alarm), else V(false). Only with conntrackd.
    type: bool
  ignore_addresses:
    description:
      - Addresses whose states stay on their node, usually all addresses of the nodes and the virtual addresses. Loopback is always among them.
      - Only with conntrackd.
    type: list
    elements: str
    default: []
  refresh_interval:
    description:
      - Seconds between two rounds that renew, on the standby nodes, the states that traffic keeps alive on the active node.
      - V(0) turns the rounds off. By default it is a third of the node's shortest UDP timeout, at least 2 seconds.
      - Not used with an external cache, where states do not run out. Only with conntrackd.
    type: int
  host_id:
    description:
      - What pfsync marks this node's states with, one to eight hexadecimal digits. Each node of a cluster needs another one.
      - When not stated, it is left as it is. By default pfSense derives it from the machine.
      - On FreeBSD, one that is not stated and not set in C(pf.conf) is derived from the machine too, being the first 32 bits of the SHA-256 of
        C(kern.hostuuid). Without any, the kernel takes a new one at each load of C(pf.conf).
      - On OpenBSD, the kernel takes a new one at each boot where C(pf.conf) sets none.
      - On FreeBSD and OpenBSD, a C(set hostid) of somebody else is kept, and one that contradicts is an error.
      - Needs pfSense 2.7.0 or later. A change loads the packet filter's rules again; states that there are keep the old mark.
      - Must not be stated with conntrackd, which has none.
    type: str
  state_policy:
    description:
      - Whether a state is good for one interface only, which then must have the same name on all nodes, or for all.
      - When not stated, it is left as it is. States that there are keep what they are bound to.
      - On FreeBSD and OpenBSD it is C(set state-policy) in C(pf.conf), where V(floating) is the default, and one of somebody else that contradicts is an error.
      - Needs pfSense CE 2.8 or Plus 24.03 or later. Must not be stated with conntrackd.
    type: str
    choices:
      - if-bound
      - floating
  version:
    description:
      - Format of the messages that pfsync sends, for a cluster whose nodes' kernels differ. A kernel understands its own default format and all older ones.
      - On FreeBSD it is the word C(version) of C(pfsync_ifconfig), with C(hafirewall_pfsync_version) in C(rc.conf) as the mark that this collection has set
        it. When not stated, a format with that mark is removed, and the kernel goes back to its default. One without the mark stays.
      - On pfSense it is set at once, and again at the end of each boot by a command of this collection among those that pfSense runs then (C(system/shellcmd)).
      - On pfSense, when not stated, that command is removed, and the kernel goes back to its default. A format that somebody else has set is left as it is.
      - Kernels of FreeBSD before 14.0, and of pfSense before 2.7 and Plus 23.01, have one format, V(1301), and so have some later ones. FreeBSD 14 knows
        V(1400) too, and FreeBSD 15 V(1500).
      - Must not be stated on OpenBSD and with conntrackd, which have one format.
    type: int
    choices:
      - 1301
      - 1400
      - 1500
  coming:
    description:
      - Devices that M(hafirewall.cluster.lagg) makes earlier in the same run, each with the one whose place it takes.
      - In check mode a device that is to come need not be there yet.
    type: dict
    default: {}
seealso:
  - module: hafirewall.cluster.sync_rule
  - module: hafirewall.cluster.node_info
"""

EXAMPLES = r"""
- name: Carry states between two nodes by multicast
  hafirewall.cluster.state_sync:
    interface: sync0
    address: 198.51.100.129
    group: 225.0.0.50
    ignore_addresses:
      - 192.0.2.1
      - 192.0.2.2
      - 192.0.2.3

- name: Carry states to the one other node, over IPv6
  hafirewall.cluster.state_sync:
    interface: sync0
    address: 2001:db8:5::1
    transport: unicast
    peer: 2001:db8:5::2

- name: Carry states between two pfSense nodes
  hafirewall.cluster.state_sync:
    interface: em2
    address: 198.51.100.129
    transport: unicast
    peer: 198.51.100.130
    host_id: a1
    state_policy: floating

- name: Carry states between FreeBSD 15 and FreeBSD 14 nodes, by multicast
  hafirewall.cluster.state_sync:
    interface: em1
    address: 198.51.100.129
    version: 1400

- name: Carry no states
  hafirewall.cluster.state_sync:
    enabled: false
"""

RETURN = r"""
drift:
  description: Settings that were other than wanted; the same in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    setting:
      description: What differs.
      type: str
    is:
      description: What was found.
      type: raw
    wanted:
      description: What the options ask for.
      type: raw
  sample:
    - setting: port
      is: 3781
      wanted: 3780
validation:
  description: V(passed), V(not needed) when nothing differs, or V(not possible yet) with the reason, which happens in check mode only.
  returned: success
  type: str
  sample: passed
notes:
  description: What had to be assumed, or was noticed on the way.
  returned: success
  type: list
  elements: str
  sample: []
kernel_before:
  description: States in the kernel's table before conntrackd was restarted; none when it was not.
  returned: success
  type: int
  sample: 2014
kernel_after:
  description: States in the kernel's table once conntrackd had settled; none when it was not restarted.
  returned: success
  type: int
  sample: 2020
commands:
  description: Commands, and functions of pfSense, that changed something, or would have in check mode, in order.
  returned: always
  type: list
  elements: str
  sample:
    - systemctl daemon-reload
    - systemctl restart conntrackd.service
"""

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

ARGUMENTS = {
    "enabled": {"type": "bool", "default": True},
    "interface": {"type": "str"},
    "address": {"type": "str"},
    "network": {"type": "str"},
    "transport": {"type": "str", "choices": ["multicast", "unicast"], "default": "multicast"},
    "group": {"type": "str"},
    "port": {"type": "int", "default": 3780},
    "peer": {"type": "str"},
    "mode": {"type": "str", "choices": ["ftfw", "notrack", "alarm"], "default": "ftfw"},
    "external_cache": {"type": "bool"},
    "ignore_addresses": {"type": "list", "elements": "str", "default": []},
    "refresh_interval": {"type": "int"},
    "host_id": {"type": "str"},
    "state_policy": {"type": "str", "choices": ["if-bound", "floating"]},
    "version": {"type": "int", "choices": [1301, 1400, 1500]},
    "coming": {"type": "dict", "default": {}},
}


def main() -> None:
    """Entry point."""
    run_capability("state_sync", ARGUMENTS, required_if=[("enabled", True, ["interface", "address"])])


if __name__ == "__main__":
    main()
