# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any order of intents, cut-off runs, boots and maintenance on two simulated FreeBSD machines: the pair ends as the last intent says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import demotion
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair
from bsd_orders import HOSTS, Pair, System, end_as, steps
from hypothesis import given, settings
from hypothesis import strategies as st

FREEBSD = System(FreebsdProvider, lambda machine: int(machine.sysctl.get("net.inet.carp.demotion", 0)) >= demotion.AMOUNT)
SYNC = st.fixed_dictionaries({}, optional={"transport": st.sampled_from(["multicast", "unicast"]), "format": st.sampled_from([1301, 1400])})
INTENTS = st.fixed_dictionaries({"sync": SYNC, "state_sync": st.sampled_from([True, True, False])},
                                optional={"state_policy": st.sampled_from(["if-bound", "floating"])})


@settings(max_examples=max(1, settings.default.max_examples // 8))
@given(steps(INTENTS), INTENTS)
def test_whatever_happened_the_pair_ends_as_the_last_intent_says_and_no_setting_is_made_in_vain(happened: list[Any], last: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair_ = Pair(pair(Path(folder)), FREEBSD)
        end_as(pair_, happened, last)
        _ended(pair_, last)


def _ended(pair_: Pair, last: dict[str, Any]) -> None:
    a, b = (pair_.nodes[host].machine for host in HOSTS)
    wanted = last["sync"].get("format", 1400), {"fw1": "198.51.100.131", "fw2": "198.51.100.130"} if last["sync"].get("transport") == "unicast" else {}
    for host, machine in zip(HOSTS, (a, b)):
        assert machine.sysctl["net.inet.carp.demotion"] == "0" and machine.sysctl.get("net.pfsync.carp_demotion_factor", "240") == "240"
        shown = machine.run(["ifconfig", "pfsync0"]).stdout if machine.has_pfsync else ""
        assert ("syncdev: em1" in shown) is last["state_sync"]
        if last["state_sync"]:
            assert "version: %d" % wanted[0] in shown and ("syncpeer: %s" % wanted[1].get(host) in shown) is bool(wanted[1])
    assert a.carp.master("em0") and not b.carp.master("em0")
