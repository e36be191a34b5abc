# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every byte of a large and odd configuration that is not ours survives each change, on each generation of the product's functions."""

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import maintenance, rules, state_sync, sync_rule, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.modules import state_sync as state_sync_module
from ansible_collections.hafirewall.cluster.plugins.modules import sync_rule as sync_rule_module
from ansible_collections.hafirewall.cluster.plugins.modules import virtual_ip as virtual_ip_module
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.large import BLOCKING, large
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode


class Case(NamedTuple):
    """A capability: how to ask for it and to take it off again, and what of the configuration is ours, as a pattern of whole lines."""

    apply: Callable[[PfsenseNode, dict[str, Any]], dict[str, Any]]
    on: dict[str, Any]
    off: dict[str, Any]
    ours: str


def options(module: Any, **stated: Any) -> dict[str, Any]:
    return {**{name: argument.get("default") for name, argument in module.ARGUMENTS.items()}, **stated}


SYNC = {"interface": "em2", "network": "198.51.100.128/28"}
TRACKER = rules.free_tracker([], "opt1")
VIP = {"name": "more", "interface": "em1", "id": 30, "family": "ipv4", "addresses": ["192.0.2.30/24", "192.0.2.31/24"], "advskew": 0, "advbase": 1}
CASES = {
    "state_sync": Case(state_sync.apply, options(state_sync_module, address="198.51.100.129", version=1301, **SYNC),
                       options(state_sync_module, enabled=False), r"\t<hasync>\n(?:\t\t.*\n)*\t</hasync>\n|\t\t<shellcmd>.*# hafirewall\.cluster</shellcmd>\n"),
    "sync_rule": Case(sync_rule.apply, options(sync_rule_module, **SYNC), options(sync_rule_module, enabled=False),
                      r"\t\t<rule>\n\t\t\t<id></id>\n\t\t\t<tracker>%s</tracker>\n(?:\t\t\t.*\n)*\t\t</rule>\n" % TRACKER),
    "virtual_ip": Case(virtual_ip.apply, options(virtual_ip_module, name="edge", instances=[VIP], password="a & b"),
                       options(virtual_ip_module, name="edge", instances=[]),
                       r"\t\t<vip>\n(?:\t\t\t.*\n)*\t\t\t<descr><!\[CDATA\[hafirewall\.cluster edge: .*\n(?:\t\t\t.*\n)*\t\t</vip>\n"),
    "maintenance": Case(maintenance.apply, {"state": "enabled"}, {"state": "disabled"},
                        r"\t<virtualip_carp_maintenancemode></virtualip_carp_maintenancemode>\n"),
}


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


@pytest.fixture
def grown(node: PfsenseNode) -> PfsenseNode:
    """A node that has been in use for years, as its product has written it."""
    node.config_path.write_text(large(), encoding="utf-8")
    assert node.php('write_config("as the product writes it");').status == 0
    node.boot_carp()
    return node.again()


@pytest.mark.parametrize("capability", CASES)
def test_every_byte_of_the_rest_survives_on_and_off(grown: PfsenseNode, capability: str) -> None:
    apply, on, off, ours = CASES[capability]
    before = without_revision(grown.config)
    assert len(before) > 1_000_000 and "&amp;amp;" in before and "<tracker>0000001101</tracker>" in before
    assert apply(grown, on)["drift"]
    after = without_revision(grown.config)
    assert after != before and re.sub(ours, "", after) == before
    again = grown.again()
    assert apply(again, on)["drift"] == [] and not again.changed
    assert apply(grown.again(), off)["drift"]
    assert re.sub(ours, "", without_revision(grown.config)) == before


def test_among_thousands_the_rule_is_in_front_of_the_one_that_drops(make) -> None:
    node = make(config=large())
    assert sync_rule.apply(node, CASES["sync_rule"].on)["pass_rule"]["effective"] is True
    block = re.search(CASES["sync_rule"].ours, node.config)
    assert block and f"<tracker>{BLOCKING}</tracker>" in node.config[block.end():block.end() + 60]
