# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes, neighbours and open ports as the programs of FreeBSD and OpenBSD print them (usr.bin/netstat/route.c, usr.bin/sockstat/sockstat.c)."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import snapshot
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import compared
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from hypothesis import given
from hypothesis import strategies as st

FREEBSD = """Routing tables

Internet:
Destination        Gateway            Flags     Netif Expire
default            203.0.113.254      UGS         em0
127.0.0.1          link#4             UH          lo0
192.0.2.0/24       link#2             U           em1
192.0.2.2          link#2             UHS         lo0
198.51.100.0/24    192.0.2.9          UGS         em1

Internet6:
Destination                       Gateway                       Flags     Netif Expire
::1                               link#4                        UHS         lo0
2001:db8:1::/64                   link#2                        U           em1
fe80::%em0/64                     link#1                        U           em0
ff02::%em1/32                     link#2                        U           em1
"""
OPENBSD = """Routing tables

Internet:
Destination        Gateway            Flags   Refs      Use   Mtu  Prio Iface
default            203.0.113.254      UGS        5     1234     -     8 em0
192.0.2/24         192.0.2.2          UCn        1        0     -     4 em1
192.0.2.2          02:00:00:00:00:02  UHLl       0       10     -     1 em1
192.0.2.9          02:00:00:00:00:09  UHLc       1        3     -     3 em1
192.0.2.255        192.0.2.2          UHb        0        0     -     1 em1
127/8              127.0.0.1          UGRS       0        0 32768     8 lo0
"""


def test_freebsds_routes_are_told_without_what_the_system_has_by_itself():
    found = compared.routes(FREEBSD)
    assert found["inet"] == {"count": 3, "rows": [
        {"destination": "default", "gateway": "203.0.113.254", "device": "em0"}, {"destination": "192.0.2.0/24", "gateway": None, "device": "em1"},
        {"destination": "198.51.100.0/24", "gateway": "192.0.2.9", "device": "em1"}]}
    assert found["inet6"] == {"count": 1, "rows": [{"destination": "2001:db8:1::/64", "gateway": None, "device": "em1"}]}


def test_openbsds_routes_are_told_without_neighbours_and_own_addresses():
    found = compared.routes(OPENBSD)
    assert [(row["destination"], row["gateway"], row["device"]) for row in found["inet"]["rows"]] == [
        ("default", "203.0.113.254", "em0"), ("192.0.2/24", "192.0.2.2", "em1")]
    assert found["inet6"] == {"count": 0, "rows": []}


def test_many_routes_are_counted_only():
    rows = "".join("198.51.%d.%d 192.0.2.9 UGS em1\n" % divmod(number, 256) for number in range(snapshot.MOST_ROUTES))
    head = "Internet:\nDestination Gateway Flags Netif Expire\n"
    assert len(compared.routes(head + rows)["inet"]["rows"]) == snapshot.MOST_ROUTES
    assert compared.routes(head + rows + "default 192.0.2.9 UGS em1\n")["inet"] == {"count": snapshot.MOST_ROUTES + 1, "rows": None}


@pytest.mark.parametrize("text", ["", "netstat: sysctl: Cannot allocate memory\n"])
def test_what_is_no_answer_is_an_error_and_not_no_routes(text):
    with pytest.raises(NodeError, match="shows no table of routes"):
        compared.routes(text)
    with pytest.raises(NodeError, match="shows no sockets"):
        compared.listening(text)


def test_open_ports_are_told_by_program_without_those_lent_for_a_while():
    text = ("USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
            "root     sshd       800   4   tcp4   *:22                  *:*\nroot     sshd       800   3   tcp6   *:22                  *:*\n"
            "unbound  unbound    900   5   udp4   127.0.0.1:53          *:*\nunbound  unbound    900   9   udp4   *:53124               *:*\n"
            "root     syslogd    700   9   udp4   *:*                   *:*\n?        ?          ?     ?   tcp4   198.51.100.2:179      *:*\n"
            "root     short\n")
    assert compared.listening(text) == ["sshd tcp4 *:22", "sshd tcp6 *:22", "unbound udp4 127.0.0.1:53", "? tcp4 198.51.100.2:179"]


def test_neighbours_are_told_with_their_device():
    tables = (lambda name: [{"address": "192.0.2.9", "mac": "m", "how": "arp"}] if name == "em1" else [], lambda name: [])
    assert compared.neighbours(["em0", "em1"], tables) == [{"address": "192.0.2.9", "mac": "m", "device": "em1"}]


def test_more_neighbours_than_are_told_are_an_error(monkeypatch):
    monkeypatch.setattr(snapshot, "MOST_NEIGHBOURS", 1)
    rows = [{"address": "b", "mac": "m", "device": "em1"}, {"address": "a", "mac": "m", "device": None}]
    with pytest.raises(NodeError, match="there are 2 neighbours"):
        snapshot.few(rows)
    monkeypatch.setattr(snapshot, "MOST_NEIGHBOURS", 2)
    assert [row["address"] for row in snapshot.few(rows)] == ["a", "b"]


@given(text=st.text() | st.lists(st.sampled_from(FREEBSD.split() + OPENBSD.split() + ["\n", " "])).map(" ".join))
def test_no_text_raises_anything_but_a_clear_error(text):
    for read in (compared.routes, compared.listening):
        try:
            assert read(text) is not None
        except NodeError as error:
            assert "it said" in str(error)
