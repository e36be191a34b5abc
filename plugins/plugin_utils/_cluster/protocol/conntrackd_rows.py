# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of conntrack-tools, and what their conntrackd sends and understands. A release is that of the package, not of the distribution.

The upper half of a message's first byte is the protocol's version (``CONNTRACKD_PROTOCOL_VERSION`` in network.h). A receiver drops another version and counts
it (``msg_rcv_bad_version``). A state is a list of numbered attributes after it, and a receiver refuses the **whole** message when it meets a number that is
not below its own ``NTA_MAX`` (``msg2ct`` in parse.c), and counts it as malformed. The sender puts an attribute in where a state has it (``ct2msg`` in build.c).
"""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import READ, Range

_HEADER = "conntrack-tools, include/network.h of each release"
CONNTRACKD = (
    Range((0, 9, 9), (1, 1), _HEADER, READ, 0, (0,), 0, pinnable=False),
    Range((1, 2), (1, 4, 10), _HEADER, READ, 1, (1,), 1, pinnable=False),
)
# The release that brought attributes, and the states that have them: an older receiver refuses these.
ATTRIBUTES = (
    ((0, 9, 13), "states of SCTP and DCCP"),
    ((0, 9, 14), "states of ICMP"),
    ((0, 9, 15), "states of TCP, where the sender tracks windows (TCPWindowTracking)"),
    ((1, 2), "states with a helper"),
    ((1, 4, 2), "states with labels (connlabel)"),
    ((1, 4, 4), "states of IPv6 with NAT"),
    ((1, 4, 5), "states of a SYN proxy"),
    ((1, 4, 7), "states in a conntrack zone"),
)
