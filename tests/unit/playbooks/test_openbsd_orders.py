# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any order of intents, cut-off runs, boots and maintenance on two simulated OpenBSD machines: the pair ends as the last intent says."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import maintenance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import pair
from bsd_cluster import CLUSTER
from bsd_orders import HOSTS, Pair, System, end_as, steps
from hypothesis import given, settings
from hypothesis import strategies as st

LAN, WAN = CLUSTER["virtual_ips"]
PEERS = {"fw1": "198.51.100.131", "fw2": "198.51.100.130"}
MORE = {**WAN, "addresses": ["203.0.113.9/24"]}
INTENTS = st.fixed_dictionaries(
    {"sync": st.fixed_dictionaries({}, optional={"transport": st.sampled_from(["multicast", "unicast"])}), "state_sync": st.sampled_from([True, True, False]),
     "virtual_ips": st.sampled_from([[LAN], [LAN, WAN], [LAN, MORE]])},
    optional={"state_policy": st.sampled_from(["if-bound", "floating"])})


def _demoted(machine: Any) -> int:
    found = re.search(r"carp demote count (\d+)", str(machine.run(["ifconfig", "-g", "carp"]).stdout))
    return int(found[1]) if found else 0


# By the file, for a command would be watched too.
OPENBSD = System(OpenbsdProvider, lambda machine: machine.text(maintenance.MARKER) is not None)


@settings(max_examples=max(1, settings.default.max_examples // 8))
@given(steps(INTENTS), INTENTS)
def test_whatever_happens_to_openbsd_it_ends_as_the_last_intent_says_and_no_setting_is_made_in_vain(happened: list[Any], last: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair_ = Pair(pair(Path(folder)), OPENBSD)
        end_as(pair_, happened, last)
        _ended(pair_, last)


def _ended(pair_: Pair, last: dict[str, Any]) -> None:
    for host in HOSTS:
        machine = pair_.nodes[host].machine
        shown = str(machine.run(["ifconfig", "-A"]).stdout)
        assert _demoted(machine) == 0 and machine.text("/etc/rc.local") is None
        unicast = last["state_sync"] and last["sync"].get("transport") == "unicast"
        assert ("pfsync: syncdev: em1 " in shown) is last["state_sync"]
        assert ("syncpeer: %s " % PEERS[host] in shown) is unicast
        state = "MASTER" if host == "fw1" else "BACKUP"
        assert re.findall(r"carp: (\w+) carpdev (\w+) vhid", shown) == [
            (state, {"lan": "em0", "wan": "em2"}[vip["interface"]]) for vip in last["virtual_ips"]]
        addresses = {vip["address"].partition("/")[0] for vip in last["virtual_ips"]} | ({"203.0.113.9"} if MORE in last["virtual_ips"] else set())
        assert {one for one in ("192.0.2.1", "203.0.113.1", "203.0.113.9") if "inet %s " % one in shown} == addresses
