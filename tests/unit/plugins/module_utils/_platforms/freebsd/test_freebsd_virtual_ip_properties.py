# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses on FreeBSD: whatever intents come one after the other, and wherever runs are cut off, the last one is what runs, and boots, in the end."""

from __future__ import annotations

import ipaddress
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import virtual_ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.modules.virtual_ip import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.interrupted import failing, killed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import node as new_node
from hypothesis import given, settings
from hypothesis import strategies as st

DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
LAN, WAN = "192.0.2.%d/24", "203.0.113.%d/24"
HOSTS = range(10, 14)  # the node's own addresses end with 2
RC_CONF = "/etc/rc.conf"
Intent = Dict[str, Any]
Event = Callable[[FreebsdNode], None]


@st.composite
def intents(draw: Any) -> Intent:
    """Options of the module: ids on two devices, with addresses that move between them from one intent to the other."""
    unicast = draw(st.booleans())
    instances = []
    for device, network, peer in (("em0", LAN, "192.0.2.3"), ("em2", WAN, "203.0.113.3")):
        hosts = draw(st.lists(st.sampled_from(HOSTS), unique=True, max_size=3))
        numbers = draw(st.lists(st.sampled_from((7, 8)), unique=True, min_size=1))
        for place, number in enumerate(numbers):
            own = hosts[place::len(numbers)]
            if own:
                instances.append({"name": "%s_%d" % (device, number), "interface": device, "id": number, "family": "ipv4", "priority": 1,
                                  "advskew": draw(st.sampled_from((0, 100))), "advbase": draw(st.sampled_from((1, 2))), "source": None,
                                  "addresses": [network % host for host in own], "peers": [peer] if unicast else []})
    return dict(DEFAULTS, name="edge", instances=instances, password=draw(st.sampled_from(("one", "two"))), preempt=draw(st.booleans()),
                transport="unicast" if unicast else "multicast")


def run(node: FreebsdNode, intent: Intent) -> None:
    virtual_ip.apply(node.again(), intent)


def cut_off(node: FreebsdNode, intent: Intent, number: int) -> None:
    again = node.again()
    with killed(again, number):
        virtual_ip.apply(again, intent)


def fails(node: FreebsdNode, intent: Intent, number: int) -> None:
    before = vhids(node)
    try:
        with failing(node, number):
            virtual_ip.apply(node.again(), intent)
    except NodeError as error:
        assert "everything was put back" in str(error)
        assert vhids(node) == before


def vhids(node: FreebsdNode) -> dict[tuple[str, int], tuple[Any, ...]]:
    """What the simulated kernel runs."""
    machine = node.machine
    return {place: (vhid.advbase, vhid.advskew, vhid.password, vhid.peer, sorted(
        address.text for address in machine.interfaces[place[0]].addresses if address.vhid == place[1])) for place, vhid in machine.carp.vhids.items()}


def meant(intent: Intent) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {(item["interface"], item["id"]): (
        item["advbase"], item["advskew"], intent["password"], (*item["peers"], "224.0.0.18")[0], sorted(item["addresses"])) for item in intent["instances"]}


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(lambda intent: lambda node: run(node, intent), intents()),
    st.builds(lambda intent, number: lambda node: cut_off(node, intent, number), intents(), st.integers(0, 8)),
    st.builds(lambda intent, number: lambda node: fails(node, intent, number), intents(), st.integers(0, 8)),
    st.just(lambda node: node.machine.boot()),
)


@settings(max_examples=25)
@given(st.lists(EVENTS, max_size=5), intents())
def test_whatever_happens_the_last_intent_runs_and_boots(events: list[Event], last: Intent) -> None:
    with tempfile.TemporaryDirectory() as folder:
        node = new_node(Path(folder))
        before = node.machine.text(RC_CONF)
        for event in events:
            event(node)
            for one in node.machine.interfaces.values():
                plain = [address.host for address in one.addresses if address.vhid is None and address.interface.version == 4]
                assert all(int(ipaddress.ip_address(host)) & 0xff not in HOSTS for host in plain), "an address without CARP"
        run(node, last)
        assert vhids(node) == meant(last)
        again, count = node.again(), len(node.machine.commands)
        assert virtual_ip.apply(again, last) == {"drift": [], "validation": "not needed"}
        assert (again.changed, node.machine.changes(count)) == (False, [])
        node.machine.boot()
        assert vhids(node) == meant(last) and node.machine.text(RC_CONF) == before
        if last["instances"]:
            assert node.machine.sysctl["net.inet.carp.preempt"] == str(int(last["preempt"]))
