# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever intent is accepted, what is rendered from its plans is what nft, keepalived and conntrackd themselves take without a word.

Intents are made at random (``tests/unit/strategies.py``). Each plan of one is judged in a network namespace that has the plan's devices and vanishes with the
daemon. ``HAFW_HYPOTHESIS=long`` tries thirty times as many.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import (
    conntrackd_config,
    keepalived_config,
    nft_files,
    nft_live,
    nft_rules,
    nft_verdict,
    state_sync,
    sync_rule,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.conntrackd_stats import parse_statistics
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_match import Packet
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from ansible_collections.hafirewall.cluster.tests.daemons.conntrackd_nodes import Machine, run
from ansible_collections.hafirewall.cluster.tests.unit.strategies import Intent, intents
from hypothesis import Phase, assume, given, settings
from nft_sandbox import configure, sandboxed

STRICT = """table inet filter {
 chain input { type filter hook input priority 0; policy drop; }
 chain output { type filter hook output priority 0; policy drop; }
}
"""
CHAINS = {("inet", "filter", "input"): "in", ("inet", "filter", "output"): "out"}
# Arguments: how many devices, the devices, then a daemon with its arguments.
IN_A_NAMESPACE = """count=$1; shift
while [ "$count" -gt 0 ]; do
  ip link add name "$1" type veth peer name "hafw$count" || exit 90
  count=$((count - 1)); shift
done
exec "$@"
"""
# Starting a daemon takes too long to look for the smallest intent that fails.
UNSHRUNK = (Phase.explicit, Phase.generate)


def share(part: int) -> int:
    """How many examples a test takes whose every example starts several programs: one in ``part`` of the profile's."""
    return max(5, settings.default.max_examples // part)


def plans(intent: Intent) -> list[dict[str, Any]]:
    return list(plan_cluster(intent.name, intent.cluster, intent.nodes, intent.evidence).plans.values())


def judged(plan: dict[str, Any], *argv: str, stdin: str) -> tuple[int, str]:
    """What a program says of a text, with the plan's devices around it."""
    devices = sorted({plan["state_sync"]["interface"], *(item["interface"] for item in plan["virtual_ip"]["instances"])} - {None})
    done = subprocess.run(["unshare", "--net", "sh", "-c", IN_A_NAMESPACE, "sh", str(len(devices)), *devices, *argv], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@settings(max_examples=share(4))
@given(intent=intents(platforms=("linux",)))
def test_keepalived_has_nothing_to_say_about_any_plan(tmp_path_factory: pytest.TempPathFactory, intent: Intent) -> None:
    assume(intent.cluster["virtual_ips"])
    path = tmp_path_factory.getbasetemp() / "keepalived.conf"
    for plan in plans(intent):
        path.write_text(keepalived_config.render(plan["virtual_ip"]))
        assert judged(plan, "keepalived", "--config-test", "--use-file=%s" % path, stdin="") == (0, "")


@settings(max_examples=share(4))
@given(intent=intents(platforms=("linux",)))
def test_nft_takes_the_pass_rules_of_any_plan(intent: Intent) -> None:
    for plan in plans(intent):
        rules = nft_rules.wanted_rules(plan["sync_rule"])
        include = nft_files.include_text({key: nft_rules.fitting(rules, key, [direction]) for key, direction in CHAINS.items()})
        assert judged(plan, "nft", "-c", "-f", "-", stdin=STRICT + str(include)) == (0, "")


@sandboxed
def test_the_pass_rules_of_any_plan_open_a_strict_ruleset_and_a_second_run_finds_nothing_to_do() -> None:

    @settings(max_examples=share(10), phases=UNSHRUNK)
    @given(intent=intents(platforms=("linux",)))
    def holds(intent: Intent) -> None:
        others = plans(intent)[1:]
        plan = limited(intent)
        options = dict(plan["sync_rule"], chains=[])
        assume(nft_rules.wanted_rules(options))
        configure(STRICT)
        done, again = sync_rule.apply(Node(), options), sync_rule.apply(Node(), options)
        assert done["drift"] and done["pass_rule"]["effective"] is True and again["drift"] == []
        live = nft_live.current(Node())
        for advert in adverts(plan, others):
            assert nft_verdict.judge_chain(live, live.chains[("inet", "filter", "input")], advert).verdict == nft_verdict.ACCEPT

    holds()


def limited(intent: Intent) -> dict[str, Any]:
    """The first node's plan, when the run is limited to it: evidence of the others is missing, unless the intent needs it."""
    host, evidence = next(iter(intent.nodes)), intent.evidence
    try:
        return plan_cluster(intent.name, intent.cluster, intent.nodes, {host: evidence[host]} if evidence else {}).plans[host]
    except IntentError:
        return plans(intent)[0]


def adverts(plan: dict[str, Any], others: list[dict[str, Any]]) -> Iterator[Packet]:
    """What the other nodes' keepalived sends to this node, where the plans say from which address."""
    for other in others:
        for mine, theirs in zip(plan["virtual_ip"]["instances"], other["virtual_ip"]["instances"], strict=True):
            version = 4 if mine["family"] == "ipv4" else 6
            source = theirs["source"] or ("fe80::1" if version == 6 else None)
            target = mine["source"] if plan["virtual_ip"]["transport"] == "unicast" else {4: "224.0.0.18", 6: "ff02::12"}[version]
            if source:
                yield Packet("advert", "in", version, mine["interface"], source, target, 112, hops=255, on_link=True)


@settings(max_examples=share(4))
@given(intent=intents(platforms=("linux",)))
def test_conntrackd_has_nothing_to_say_about_any_plan(intent: Intent) -> None:
    for plan in plans(intent):
        assume(plan["state_sync"]["enabled"])
        # It reads the file, then looks for a daemon that cannot be there: nothing is started.
        text = conntrackd_config.render(plan["state_sync"], socket="/nonexistent/hafirewall/ctl")
        _status, said = judged(plan, "conntrackd", "-C", "/dev/stdin", "-s", stdin=text)
        assert "can't connect" in said and state_sync.complaints(said) == []


@contextmanager
def namespace(plan: dict[str, Any]) -> Iterator[str]:
    """A network namespace with the plan's Sync device and address."""
    sync, name = plan["state_sync"], "hafw-plan%d" % os.getpid()
    address = "%s/%s" % (sync["address"], sync["network"].split("/")[1])
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "add", "name", sync["interface"], "type", "veth", "peer", "name", "hafw1")
        run("ip", "-n", name, "address", "add", address, "dev", sync["interface"], *(["nodad"] if ":" in address else []))
        for device in ("lo", "hafw1", sync["interface"]):
            run("ip", "-n", name, "link", "set", device, "up")
        yield name
    finally:
        run("ip", "netns", "delete", name)


@settings(max_examples=share(20), phases=UNSHRUNK)
@given(intent=intents(platforms=("linux",)))
def test_conntrackd_runs_with_any_plan(tmp_path_factory: pytest.TempPathFactory, intent: Intent) -> None:
    for plan in plans(intent):
        assume(plan["state_sync"]["enabled"])
        with namespace(plan) as name:
            machine = Machine(tmp_path_factory.mktemp("conntrackd"), name, 1, plan["state_sync"])
            machine.start()
            said = parse_statistics(machine.engine("-s"))
            machine.stop()
        # The first messages may leave before the link is up, so errors of sending say nothing here.
        assert said["counters"] is not None and said["tables"]["internal"] == 0
