# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peers of WireGuard, as wg 1.0.20210914 prints them (seen, of a device with made-up keys), and as OpenBSD's ifconfig does (from its source, not seen)."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import wireguard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import wireguard as openbsd
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode
from hypothesis import given
from hypothesis import strategies as st

PRIVATE, OWN, SHARED, ONE, OTHER = (letter * 42 + "A=" for letter in "POSXY")
DUMP = ("wg0\t%s\t%s\t51820\toff\n"
        "wg0\t%s\t%s\t198.51.100.7:51820\t192.0.2.2/32,2001:db8:9::/64\t1796003887\t200\t100\t25\n"
        "wg0\t%s\t(none)\t(none)\t192.0.2.3/32\t0\t0\t0\toff\n") % (PRIVATE, OWN, ONE, SHARED, OTHER)
IFCONFIG = ("wg0: flags=80c3<UP,BROADCAST,RUNNING,NOARP,MULTICAST> mtu 1420\n\tindex 6 priority 0 llprio 3\n\twgport 51820\n\twgpubkey %s\n\twgpeer %s\n"
            "\t\twgpsk (present)\n\t\twgpka 25 (sec)\n\t\twgendpoint 198.51.100.7 51820\n\t\ttx: 100, rx: 200\n\t\tlast handshake: 30 seconds ago\n"
            "\t\twgaip 192.0.2.2/32\n\twgpeer %s\n\t\ttx: 0, rx: 0\n\tgroups: wg\n") % (OWN, ONE, OTHER)
UP = {"name": "wg0 " + ONE, "state": "up", "told": "endpoint 198.51.100.7:51820"}
QUIET = {"name": "wg0 " + OTHER, "state": "quiet", "told": "endpoint (none)"}


def test_a_peer_is_up_by_its_last_handshake_and_without_keepalives_nothing_tells():
    assert wireguard.parse(DUMP, 1796003887 + 180) == [UP, QUIET]
    assert [row["state"] for row in wireguard.parse(DUMP, 1796003887 + 181)] == ["down", "quiet"]
    assert [row["state"] for row in wireguard.parse(DUMP.replace("\t25\n", "\toff\n"), 1796003887 + 181)] == ["quiet", "quiet"]


@pytest.mark.parametrize("text", ["garbage " + PRIVATE, DUMP.replace("1796003887", "soon"), DUMP + SHARED + "\n", DUMP.replace("\t25\n", "\t\n")])
def test_no_private_and_no_preshared_key_comes_along_not_even_in_an_error(text):
    assert not {PRIVATE, SHARED} & set(str(wireguard.parse(DUMP, 0)).replace("'", " ").split())
    with pytest.raises(NodeError, match="cannot be read at its line") as raised:
        wireguard.parse(text, 0)
    assert PRIVATE not in str(raised.value) and SHARED not in str(raised.value)
    node = SystemdNode()
    node.says(["wg", "show"], DUMP, status=1)
    with pytest.raises(NodeError, match="exited with status 1 and said: nothing") as raised:
        wireguard.peers(node, [])
    assert PRIVATE not in str(raised.value) and SHARED not in str(raised.value)


def test_no_wg_is_no_tunnel_unless_the_kernel_has_one():
    assert wireguard.peers(SystemdNode(), []) == []
    with pytest.raises(NodeError, match="there is WireGuard on wg0, and no wg"):
        wireguard.peers(SystemdNode(), ["wg0"])
    assert wireguard.named(["em0", "wg0", "tun_wg1", "wgx"]) == ["wg0", "tun_wg1"]


def test_openbsds_ifconfig_tells_the_same():
    assert openbsd.parse("wg0", IFCONFIG) == [dict(UP, told="endpoint 198.51.100.7 51820"), QUIET]
    assert openbsd.parse("wg0", IFCONFIG.replace(": 30 s", ": 181 s"))[0]["state"] == "down"
    node = SystemdNode()
    node.says(["ifconfig", "wg0"], IFCONFIG)
    assert [row["name"] for row in openbsd.peers(node, ["wg0"])] == [UP["name"], QUIET["name"]]


@given(st.text(alphabet="wg0\t\n 1off", max_size=80))
def test_no_text_raises_anything_but_a_clear_error(text):
    assert isinstance(openbsd.parse("wg0", text), list)
    try:
        assert isinstance(wireguard.parse(text, 0), list)
    except NodeError as error:
        assert "cannot be read" in str(error)
