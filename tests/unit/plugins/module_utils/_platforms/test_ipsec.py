# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnels of IPsec, as swanctl 5.9.8 prints them (seen, of a made-up daemon at its socket), and in the form of ipsecctl (from its source, not seen)."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import ipsec
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ipsec as openbsd
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode
from hypothesis import given
from hypothesis import strategies as st

SAS = ("list-sa event {office {uniqueid=1 version=2 state=ESTABLISHED local-host=192.0.2.1 local-port=4500 local-id=C=CH, O=Secret remote-host=198.51.100.7 "
       "encr-alg=AES_CBC established=30 tasks-active=[IKE_DPD] child-sas {net-1 {name=net uniqueid=1 reqid=1 state=INSTALLED mode=TUNNEL spi-in=c0ffee01 "
       "local-ts=[192.0.2.0/24] remote-ts=[203.0.113.0/24 2001:db8::/32]} dmz-2 {name=dmz uniqueid=2 state=DELETING}}}}\n"
       "list-sa event {users {uniqueid=3 version=2 state=CONNECTING child-sas {}}}\nlist-sa event {users {uniqueid=4 version=2 state=ESTABLISHED}}\n"
       "list-sas reply {}\n")
SAD = ("esp tunnel from 192.0.2.1 to 198.51.100.7 spi 0x00c0ffee auth hmac-sha2-256 enc aes-256\n\tlifetime_cur: alloc 0\n"
       "esp tunnel from 192.0.2.1 to 198.51.100.7 spi 0x00c0ffef auth hmac-sha2-256 enc aes-256\n")
# What swanctl 5.9.8 says where no charon runs (seen).
NOBODY = "connecting to 'unix:///var/run/charon.vici' failed: No such file or directory\nError: connecting to 'default' URI failed: No such file or directory\n"


def test_names_and_states_are_told_and_nothing_else():
    rows = ipsec.parse(SAS)
    assert [(row["name"], row["state"], row["told"]) for row in rows] == [
        ("office", "up", "ESTABLISHED"), ("office net", "up", "INSTALLED"), ("office dmz", "down", "DELETING"), ("users", "up", "ESTABLISHED")]
    assert not any(word in str(rows) for word in ("Secret", "198.51", "c0ffee"))
    assert openbsd.parse(SAD) == [{"name": "esp tunnel from 192.0.2.1 to 198.51.100.7", "state": "up", "told": "INSTALLED"}]
    assert openbsd.parse("") == [] == ipsec.parse("list-sas reply {}\n")


@pytest.mark.parametrize("text", ["odd\n", "list-sa event {office {state=ESTABLISHED}\n", "list-sa event {office {version=2}}\n", "list-sa event }\n"])
def test_what_is_no_answer_is_an_error(text):
    with pytest.raises(NodeError, match="cannot be read at its line 1"):
        ipsec.parse(text)
    with pytest.raises(NodeError, match="cannot be read at its line 1"):
        openbsd.parse(text)


def test_nothing_installed_and_nothing_running_are_no_tunnels_and_a_failure_is_an_error():
    node = SystemdNode()
    assert ipsec.tunnels(node) == [] == openbsd.tunnels(node)
    node.says(["ipsec"], "")
    with pytest.raises(NodeError, match="there is ipsec and no swanctl"):
        ipsec.tunnels(node)
    node.says(["swanctl", "--list-sas"], "", status=2, stderr=NOBODY)
    assert ipsec.tunnels(node) == []
    node.says(["swanctl", "--list-sas"], "", status=1, stderr="Error: no such file: No such file or directory")
    with pytest.raises(NodeError, match="exited with status 1 and said: Error: no such file"):
        ipsec.tunnels(node)
    node.says(["swanctl", "--list-sas"], SAS)
    assert len(ipsec.tunnels(node)) == 4
    node.says(["ipsecctl", "-s", "sa"], SAD)
    assert len(openbsd.tunnels(node)) == 1


@given(st.lists(st.sampled_from(["list-sa event ", "{", "}", "a {", "state=UP", " ", "child-sas {", "name=x", "\n", "[", "]"])).map("".join))
def test_no_text_raises_anything_but_a_clear_error(text):
    for parse in (ipsec.parse, openbsd.parse):
        try:
            assert isinstance(parse(text), list)
        except NodeError as error:
            assert "cannot be read" in str(error)
