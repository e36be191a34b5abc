# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose messages were seen: by the planned addresses, and by those that a Sync device has."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.senders import addresses_of, named

SYNC = {"interface": "sync0", "address": "198.51.100.129"}
EVIDENCE = {"interfaces": [{"name": "sync0", "addresses": ["198.51.100.129/28", "fe80::1/64", "2001:db8::1/64"]},
                           {"name": "lan0", "addresses": ["192.0.2.2/24"]}]}


@pytest.mark.parametrize(("sync", "evidence", "addresses"), [
    (SYNC, None, {"198.51.100.129"}), (SYNC, EVIDENCE, {"198.51.100.129", "fe80::1", "2001:db8::1"}),
    ({"interface": "sync0", "address": None}, EVIDENCE, {"198.51.100.129", "fe80::1", "2001:db8::1"}), ({"enabled": False}, EVIDENCE, set()),
    (dict(SYNC, address="198.51.100.129/28"), {"interfaces": 7}, {"198.51.100.129"}), (SYNC, "text", {"198.51.100.129"})])
def test_a_member_sends_from_its_sync_device_alone(sync, evidence, addresses):
    assert addresses_of(sync, evidence) == addresses


def test_senders_get_the_names_of_members_and_the_rest_are_strangers():
    found = {"seconds": 1.0, "senders": [{"address": address, "packets": 1} for address in ("198.51.100.129", "fe80::1", "198.51.100.140", None)]}
    result = named(found, {"fw1": ["198.51.100.129", "fe80::1"], "fw2": ["198.51.100.130"]})
    assert [row["member"] for row in result["senders"]] == ["fw1", "fw1", None, None]
    # Where there is no address, nobody knows.
    assert result["strangers"] == ["198.51.100.140"] and result["seconds"] == 1.0
    assert found["senders"][0] == {"address": "198.51.100.129", "packets": 1}


def test_where_the_members_are_not_known_nobody_is_a_stranger_or_a_member():
    result = named({"senders": [{"address": "198.51.100.140"}]}, None)
    assert (result["strangers"], result["senders"]) == (None, [{"address": "198.51.100.140", "member": None}])
    assert named({"senders": [{"address": "198.51.100.140"}]}, {})["strangers"] == ["198.51.100.140"]
