# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule for conntrackd's device names, against the verdicts of conntrackd 1.4.7 itself.

Recorded with ``conntrackd -C FILE -s`` in an empty network namespace, FILE being a good configuration but for ``Interface NAME``:
refused is what ends with "syntax error", accepted what goes on to look for a running daemon.
"""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.devices import CONNTRACKD_RULES, LINUX_RULES, SPELLINGS, refusal

ACCEPTED = [
    "eth0", "eth0.100", "On1", "onx", "eth_0", "g", "facet", "a-b", "a.b", "Udp", "persistent", "persistentt", "persistenTT", "ftfwx", "alarm0",
    "abcdefghijklmno", "sync", "icmp", "all", "bond0", "b0.5", "e0.100", "e0-1", "state", "ens3f0np0", "enp0s31f6", "fade1", "em0", "a00ff", "aaaaa",
    "e0x", "yes1", "No1", "e_0", "a_", "lo", "unspec", "daemon", "local0", "STARTUP", "stateless", "inactive", "StripNAT", "ListenTo", "Family",
    "Replicate",
]
REFUSED = [
    "e0", "on", "off", "ON", "yes", "no", "YES", "Yes", "nO", "_x", "0", "12", "1eth", "abc", "e0a", "a0", "a", "b", "f", "ff", "fe80", "face",
    "cafe", "dead", "beef", "babe", "UDP", "TCP", "Port", "Group", "Interface", "Filter", "alarm", "Alarm", "aLARM", "notrack", "nack", "Nack",
    "persistenT", "ftfw", "FTFW", "be0", "d1", "c0", "b0", "ef", "eff0", "for", "CLOSE", "State", "Sync", "ad", "add0", "dc0", "ed1", "fe0", "0eth",
    "10.1", "IPv4_address", "StartupResync", "SYN_SENT", "HashSize", "TIME_WAIT", "Systemd", "Userspace", "ACKWindowSize",
]


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted_as_by_conntrackd(name: str) -> None:
    assert refusal(name, LINUX_RULES + CONNTRACKD_RULES) is None


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_by_conntrackd(name: str) -> None:
    assert refusal(name, CONNTRACKD_RULES) is not None
    assert refusal(name, LINUX_RULES) is None


@pytest.mark.parametrize("name", [
    "", ".", "..", "abcdefghijklmnop", "a b", "a/b", "a:b", "a\tb", "eth0\n", "-a", "éth", 'a"b', "a*", "a#b", "a!b", "a{", "br@0", "o|n", "x+y",
])
def test_what_linux_or_a_configuration_cannot_hold(name: str) -> None:
    assert refusal(name, LINUX_RULES) is not None


@pytest.mark.parametrize(("platform", "fine", "refused"), [
    ("freebsd", ["em0", "lagg0", "em0.100", "vlan99", "wan", "lan0", "ix_1", "abcdefghijklmno"],
     ["", "0em", "em0,em1", "a-b", "a b", "em0\n", "abcdefghijklmnop"]),
    ("openbsd", ["em0", "trunk0", "aggr12", "vlan4094", "abcdefghijklm10"], ["", "em", "0", "em0.10", "em-0", "Em0", "em0 ", "em0\n", "abcdefghijklmn10"]),
])
def test_names_that_a_system_of_berkeley_can_have(platform: str, fine: list[str], refused: list[str]) -> None:
    assert [name for name in fine if refusal(name, SPELLINGS[platform].rules)] == []
    assert [name for name in refused if not refusal(name, SPELLINGS[platform].rules)] == []
