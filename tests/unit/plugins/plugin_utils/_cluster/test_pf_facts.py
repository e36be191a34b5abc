# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host ids and kinds of messages, as nodes write them and as they must be read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.pf_facts import creator, inserts, states_sent


@pytest.mark.parametrize(("value", "read"), [("000000A1", "a1"), ("0x0000000a", "a"), ("b2", "b2"), ("zz", None), ("", None), (None, None), (161, None),
                                             (["a1"], None), (True, None)])
def test_a_host_id_has_one_form(value: Any, read: str | None) -> None:
    assert creator(value) == read


@pytest.mark.parametrize(("messages", "number"), [
    ({"state-insert": 8, "state-insert-1301": 2, "state-insert-1400": 1}, 11), ({"state-inserted-ack": 5, "state-update": 3}, 0), ({}, 0),
    ({"state-insert": True, "state-insert-1301": -1, "state-insert-1400": "2", 5: 5}, 0), (None, None), ([], None), ("text", None)])
def test_inserts_are_counted_in_whatever_format(messages: Any, number: int | None) -> None:
    assert inserts(messages) == number


@pytest.mark.parametrize(("counters", "number"), [
    ({"sent_messages": {"state-insert": 1, "state-update-1301": 2, "compressed-state-update": 3, "compressed-state-delete": 9, "bulk-update-mark": 9}}, 6),
    ({"sent_messages": {"uncompressed-state-request": 13, "end-of-frame-mark": 13}}, 0), ({"sent_messages": None}, None), ({}, None), (None, None)])
def test_only_messages_with_states_are_states_that_were_sent(counters: Any, number: int | None) -> None:
    assert states_sent(counters) == number
