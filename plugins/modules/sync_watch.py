#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sync_watch
short_description: Tell who sends states on the Sync network, and what
version_added: 0.1.0
description:
  - Listens on the Sync interface of a node for a bounded time and to a bounded number of packets, and tells who sends messages of a sync engine - from which
    address, in which version and formats, which messages, and how much of it.
  - Names the senders that are no member of the cluster. pfsync and conntrackd take states from whoever reaches the Sync network.
  - With O(pcap) it reads a capture file on the controller instead, and touches no node.
  - Changes nothing and sends nothing. Of a packet only headers and numbers of messages are returned, nothing of the states in it.
  - The node's own packets are seen too. On Linux it listens itself, on the other platforms it runs the system's C(tcpdump) and ends it. Neither makes
    the interface promiscuous, and root is needed.
  - M(hafirewall.cluster.node_info) listens in the same way for a second with O(hafirewall.cluster.node_info#module:sample=true), and its evidence is what
    M(hafirewall.cluster.check) judges.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
  - hafirewall.cluster.attributes.node
attributes:
  platform:
    support: full
    platforms: freebsd, linux, openbsd, opnsense, pfsense
    description: Platforms that the module drives.
options:
  sync_interface:
    description:
      - Device on the Sync network.
      - Without it, the device by which the running engine sends is used.
    type: str
  seconds:
    description: For how long to listen, more than 0 and at most 600. Ignored with O(pcap).
    type: float
    default: 10
  packets:
    description: At how many packets of sync engines to stop, at least 1.
    type: int
    default: 100000
  port:
    description:
      - UDP port of conntrackd's messages.
      - Without it, the port of the running engine is used, and 3780 where none runs, and with O(pcap).
    type: int
  pcap:
    description:
      - A capture file on the controller, as C(tcpdump -w) writes it, in place of listening on a node. A path that is not absolute begins at the playbook's
        folder.
      - Take it with C(-s 0), so that packets are whole.
    type: path
  members:
    description:
      - The addresses of each member on the Sync network, by its name, each a list.
      - Without it, they are those of the host's cluster by its C(hafirewall_cluster) and C(hafirewall_node), and those that the evidence of this run has.
    type: dict
seealso:
  - module: hafirewall.cluster.node_info
  - module: hafirewall.cluster.check
"""

EXAMPLES = r"""
- name: Look at the Sync network for half a minute
  hafirewall.cluster.sync_watch:
    seconds: 30
  register: watched

- name: Nobody but members may send states
  ansible.builtin.assert:
    that: watched.strangers == []

- name: Read a capture that somebody has sent
  hafirewall.cluster.sync_watch:
    pcap: /srv/support/sync0.pcap
    members:
      fw1: [198.51.100.129]
      fw2: [198.51.100.130]
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
senders:
  description:
    - Who sent, each address once for each engine, in the order of the addresses. At most 256.
    - RV(senders[].states) counts new, changed and deleted states alike.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: Where the packets came from by their IP header. V(none) in a capture of a pfsync interface, which has none.
      type: str
      sample: 198.51.100.130
    member:
      description: The inventory name of the member with this address; V(none) for a stranger, and where the members are not known.
      type: str
      sample: fw2
    macs:
      description: Hardware addresses that they came from. Several, or another than the member's own, mean that somebody forges the address.
      type: list
      elements: str
      sample: ["02:00:00:00:00:02"]
    engine:
      description: V(pfsync) or V(conntrackd).
      type: str
    version:
      description: Version of the protocol, 5 for FreeBSD and 6 for OpenBSD. V(none) when no packet told it.
      type: int
      sample: 5
    formats:
      description: Formats of pfsync's messages that carried states - 1301, 1400, 1500. Empty when none did, for OpenBSD, and for conntrackd.
      type: list
      elements: int
      sample: [1400]
    messages:
      description: How many messages of each kind, as V(INS_1400), V(UPD_C), V(UPD_REQ), V(BUS).
      type: dict
      sample: {"BUS": 2, "EOF": 34, "INS_1400": 2, "UPD_C": 60}
    packets:
      description: Number of packets.
      type: int
    bytes:
      description: Their size on the wire.
      type: int
    states:
      description: How many states they told of.
      type: int
    states_per_second:
      description: The same by the second; V(none) where no time has passed.
      type: float
    bytes_per_second:
      description: Bytes by the second; V(none) where no time has passed.
      type: float
    errors:
      description: How many packets a receiver would not take or not take whole, by the reason, as V(bad action).
      type: dict
      sample: {"bad action": 3}
strangers:
  description: Addresses of the senders that are no member. V(none) where the members are not known.
  returned: success
  type: list
  elements: str
  sample: []
interface:
  description: Where it was listened. V(none) for a file.
  returned: success
  type: str
  sample: sync0
seconds:
  description: For how long; for a file, and where O(packets) were reached, the time between the first and the last of them.
  returned: success
  type: float
  sample: 10.0
packets:
  description: How many packets of sync engines were looked at.
  returned: success
  type: int
truncated:
  description:
    - There may have been more than this tells - O(packets) were reached, the node had no room for all packets, there were too many senders, or a file ends
      early.
  returned: success
  type: bool
commands:
  description: Commands that changed something; always empty.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

ARGUMENTS = {
    "sync_interface": {"type": "str"},
    "seconds": {"type": "float", "default": 10},
    "packets": {"type": "int", "default": 100000},
    "port": {"type": "int"},
    # Read by the action plugin, which runs this module or does without.
    "pcap": {"type": "path"},
    "members": {"type": "dict"},
}


def main() -> None:
    """Listen on this node."""
    run_capability("sync_watch", ARGUMENTS)


if __name__ == "__main__":
    main()
