# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever the configuration is and whatever was asked before: it can be loaded, says what was asked last, and asking again changes nothing."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import maintenance, state_sync, sync_rule, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.modules import state_sync as state_sync_module
from ansible_collections.hafirewall.cluster.plugins.modules import sync_rule as sync_rule_module
from ansible_collections.hafirewall.cluster.plugins.modules import virtual_ip as virtual_ip_module
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import move, plain
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense import layout
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode
from hypothesis import given, settings
from hypothesis import strategies as st
from pfsense_lagg_cases import whole

SYNC = {name: argument.get("default") for name, argument in state_sync_module.ARGUMENTS.items()}
RULE = {name: argument.get("default") for name, argument in sync_rule_module.ARGUMENTS.items()}
VIPS = {name: argument.get("default") for name, argument in virtual_ip_module.ARGUMENTS.items()}
INSTANCE = {"interface": "em1", "family": "ipv4", "advskew": 0, "advbase": 1}

# Texts with what is special to XML, in tags that the product knows as lists, as CDATA, or not at all; of other alphabets those that all releases
# can read again.
TEXTS = st.text(st.sampled_from("<>&\"' ;#x1_/]\u0436\u4e2d"), max_size=12)
LEAVES = st.tuples(st.sampled_from(["item", "descr", "alias", "unknown-thing", "password", "x"]), TEXTS)
HASYNC = st.fixed_dictionaries({}, optional={"pfsyncenabled": st.sampled_from(["", "on"]), "pfsyncinterface": st.sampled_from(["", "lan", "opt1", "opt9"]),
                                             "pfsyncpeerip": st.sampled_from(["", "198.51.100.140"]), "synchronizetoip": st.just("198.51.100.130")})
# A rule that may drop the traffic, one that does not, one that floats, one that is the pass rule already; and separators around them.
THEIRS = st.lists(st.sampled_from(["<type>block</type>", "<type>pass</type><protocol>udp</protocol>", "<type>block</type><floating>yes</floating>",
                                   "<type>pass</type><protocol>pfsync</protocol>"]), max_size=4)
PORTS = {"em0": ["203.0.113.2/24"], "em1": ["192.0.2.2/24"], "em2": ["198.51.100.129/28"], "em3": [], "lo0": ["127.0.0.1/8"]}
# An address that is asked for twice is refused before it comes here; 192.0.2.1 is one of id 10 from the beginning.
ADDRESSES = st.lists(st.sampled_from(["192.0.2.1/24", "192.0.2.5/24", "192.0.2.6/24"]), min_size=1, unique=True)
OTHERS = st.lists(st.sampled_from(["192.0.2.5/24", "192.0.2.6/24"]), min_size=1, unique=True)
ASKED = st.lists(st.one_of(
    st.tuples(st.just("state_sync"), st.sampled_from([{"enabled": False}, {"transport": "unicast", "peer": "198.51.100.130"}, {}])),
    st.tuples(st.just("sync_rule"), st.sampled_from([{"enabled": False}, {}])),
    st.tuples(st.just("virtual_ip"), st.fixed_dictionaries({}, optional={10: ADDRESSES, 11: OTHERS})),
    st.tuples(st.just("maintenance"), st.sampled_from(["enabled", "disabled"])),
    st.tuples(st.just("lagg"), st.sampled_from([{}, {"protocol": "lacp", "primary": None, "lacp_rate": "fast"}, {"members": ["em2", "em3"]}])),
), min_size=1, max_size=3)


def ask(node: PfsenseNode, what: str, how: Any) -> dict[str, Any]:
    sync = "lagg0" if "<if>lagg0</if>" in node.config else "em2"
    if what == "lagg":
        wanted = plain(**{"members": ["em2"], "primary": "em2", "moves": [move("em2", "lagg0")], **how})
        return {"drift": [item for result in whole(node, wanted) for item in result["drift"]]}
    if what == "state_sync":
        return state_sync.apply(node, {**SYNC, "interface": sync, "address": "198.51.100.129", **how})
    if what == "sync_rule":
        return sync_rule.apply(node, {**RULE, "interface": sync, "network": "198.51.100.128/28", **how})
    if what == "virtual_ip":
        taken = [address for number in how if number == 10 for address in how[number]]
        own = {number: [address for address in addresses if number == 10 or address not in taken] for number, addresses in how.items()}
        instances = [dict(INSTANCE, name=f"lan_{number}", id=number, addresses=addresses) for number, addresses in own.items() if addresses]
        return virtual_ip.apply(node, {**VIPS, "name": "edge", "instances": instances, "password": "p&w"})
    return maintenance.apply(node, {"state": how})


def section(name: str, leaves: list[tuple[str, str]]) -> str:
    """Elements, in which what is no list occurs once."""
    rows = [f"<{tag}>{html.escape(text)}</{tag}>" for tag, text in dict(leaves).items()]
    return f"<{name}>{''.join(rows)}</{name}>"


def rules(theirs: list[str]) -> str:
    """Rules on the Sync interface, and a separator in front of each."""
    places = range(len(theirs))
    return "".join(f"<rule><tracker>0{number}</tracker>{more}<interface>opt1</interface><source><network>opt1</network></source>"
                   "<destination><any></any></destination><descr>theirs</descr></rule>" for number, more in enumerate(theirs)) + (
        f"<separator><opt1>{''.join(f'<sep{number}><row>fr{number}</row></sep{number}>' for number in places)}</opt1></separator>" if theirs else "")


@settings(max_examples=8)
@given(st.sampled_from(["2.6.0-RELEASE", "2.7.2-RELEASE", "2.9.0-RELEASE"]), st.lists(LEAVES, max_size=6), HASYNC, THEIRS, ASKED)
def test_any_sequence_on_any_configuration(release: str, leaves: list[tuple[str, str]], hasync: dict[str, str], theirs: list[str],
                                           asked: list[tuple[str, Any]]) -> None:
    config = layout.CARP_CONFIG.replace("<system>", section("installedpackages", leaves) + section("hasync", list(hasync.items())) + "\n\t<system>", 1)
    config = config.replace("</filter>", rules(theirs) + "</filter>")
    with tempfile.TemporaryDirectory() as folder:
        node = PfsenseNode(Path(folder) / "node", release=release, config=config, interfaces=PORTS)
        node.kernel("pfsync", syncok=0)
        node.boot_carp()
        node.php('write_config("as the product writes it");')
        before = node.config
        for what, how in asked:
            ask(node.again(), what, how)
        what, how = asked[-1]
        again, after = node.again(check_mode=True), node.config
        assert ask(again, what, how)["drift"] == [] and not again.changed
        assert node.php('write_config("as the product writes it");').status == 0
        foreign = before[before.index("<installedpackages"):before.index("<hasync")] if hasync else ""
        assert foreign in after
