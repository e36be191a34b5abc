# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Further addresses of an id on pfSense: IP aliases on its CARP address, on each generation of the product's functions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, maintenance, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.vips import VIPS
from ansible_collections.hafirewall.cluster.plugins.modules.virtual_ip import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
STACKED = ("192.0.2.1/24", "192.0.2.8/24", "192.0.2.9/32")


def instance(*addresses: str, **changes: Any) -> dict[str, Any]:
    return dict({"name": "lan", "interface": "em1", "id": 10, "family": "ipv4", "priority": 200, "advskew": 0, "advbase": 1, "addresses": list(addresses)},
                **changes)


def apply(node: PfsenseNode, *instances: dict[str, Any]) -> dict[str, Any]:
    return virtual_ip.apply(node, dict(DEFAULTS, name="edge", instances=list(instances), password="secret"))


def vips(node: PfsenseNode) -> list[dict[str, str]]:
    return bridge.read(node.again(), [VIPS]).values[VIPS] or []


def addresses(node: PfsenseNode) -> dict[tuple[str, int], set[str]]:
    return {(item.device, item.id): set(item.addresses) for item in carp.running(node)}


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


def alias(uniqid: str, interface: str, subnet: str, more: str = "") -> str:
    return (f"<vip><mode>ipalias</mode><interface>{interface}</interface><uniqid>{uniqid}</uniqid><descr>theirs</descr><type>single</type>"
            f"<subnet_bits>24</subnet_bits><subnet>{subnet}</subnet>{more}</vip>")


def test_the_others_are_aliases_on_the_first_and_a_second_run_does_nothing(node: PfsenseNode) -> None:
    result = apply(node, instance(*STACKED))
    assert [entry["setting"] for entry in result["drift"]] == ["lan", "lan alias 192.0.2.8", "lan alias 192.0.2.9"]
    assert addresses(node) == {("em1", 10): {"192.0.2.1", "192.0.2.8", "192.0.2.9"}}
    first, second, third = vips(node)
    assert second == {"mode": "ipalias", "interface": "_vip" + first["uniqid"], "type": "single", "subnet_bits": "24", "subnet": "192.0.2.8",
                      "uniqid": second["uniqid"], "descr": "hafirewall.cluster edge: lan alias 192.0.2.8"}
    assert (third["subnet_bits"], len({first["uniqid"], second["uniqid"], third["uniqid"]})) == ("32", 3)
    again, run = node.again(), node.journal("command")
    assert apply(again, instance(*STACKED)) == {"drift": [], "validation": "not needed"}
    assert (again.changed, again.php_calls, node.journal("command")) == (False, 1, run)


@pytest.mark.parametrize("wanted", [
    [instance("192.0.2.1/24", "192.0.2.8/24")],  # one goes
    [instance("192.0.2.1/24", "192.0.2.8/32", "192.0.2.9/32")],  # another prefix length
    [instance("192.0.2.7/24", *STACKED[1:])],  # the CARP address is another one
    [instance(*reversed(STACKED))],  # an alias becomes the CARP address, and the other way round
    [instance("192.0.2.1/24"), instance("192.0.2.8/24", "192.0.2.9/32", id=11, name="more")],  # aliases move to an id of their own
    [instance(*STACKED, id=12)],  # all of them move
    [instance("2001:db8::1/64", "2001:db8::2/64", family="ipv6")],
    [],
])
def test_from_any_to_any_predicted_done_and_taken_back(node: PfsenseNode, wanted: list[dict[str, Any]]) -> None:
    apply(node, instance(*STACKED))
    before, ran = without_revision(node.config), addresses(node)
    check = node.again(check_mode=True)
    predicted = apply(check, *wanted)
    assert (without_revision(node.config), addresses(node)) == (before, ran)

    node.switch(fatal_in="filter_configure_sync")
    broken = node.again()
    broken.before_php = lambda number: node.switch(fatal_in=None) if number == 3 else None
    with pytest.raises(NodeError, match="everything was put back as it was"):
        apply(broken, *wanted)
    assert (without_revision(node.config), addresses(node), broken.changed) == (before, ran, False)

    real = node.again()
    assert apply(real, *wanted) == predicted and predicted["drift"]
    assert (real.commands, real.diffs) == (check.commands, check.diffs)
    assert addresses(node) == {("em1", item["id"]): {text.split("/")[0] for text in item["addresses"]} for item in wanted}
    assert apply(node.again(), *wanted)["drift"] == []


def test_an_alias_is_down_before_its_address_and_up_after_it(node: PfsenseNode) -> None:
    apply(node, instance(*STACKED))
    moved, off = node.again(), node.again()
    apply(moved, instance("192.0.2.7/24", "192.0.2.8/24"))
    words = [re.sub(r"\(.*\"subnet\": \"([0-9.]+)\".*", r" \1", command) for command in moved.commands]
    assert words[1:-2] == ["interface_vip_bring_down 192.0.2.8", "interface_vip_bring_down 192.0.2.9", "interface_vip_bring_down 192.0.2.1",
                           "interface_carp_configure 192.0.2.7", "interface_ipalias_configure 192.0.2.8"]
    apply(off)
    assert [re.sub(r".*\"subnet\": \"([0-9.]+)\".*", r"\1", command) for command in off.commands[1:-1]] == ["192.0.2.8", "192.0.2.7"]


def test_an_alias_that_does_not_run_is_configured_again(node: PfsenseNode) -> None:
    apply(node, instance(*STACKED))
    node.query(["ifconfig", "em1", "inet", "192.0.2.9", "delete"])
    again, config = node.again(), node.config
    assert apply(again, instance(*STACKED))["drift"] == [{"setting": "lan as running", "is": "other settings", "wanted": "as configured"}]
    assert (node.config, addresses(node)[("em1", 10)]) == (config, {"192.0.2.1", "192.0.2.8", "192.0.2.9"})


def test_an_alias_that_does_not_come_to_run_is_taken_back(node: PfsenseNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_ip, "TIMEOUT", 0.0)
    apply(node, instance("192.0.2.1/24"))
    before = without_revision(node.config)
    node.kernel(refuses_address="192.0.2.8/24")
    with pytest.raises(NodeError, match=r"after 0 s: 192\.0\.2\.8 is not on em1 \(everything was put back as it was\)"):
        apply(node.again(), instance(*STACKED))
    assert (without_revision(node.config), addresses(node)) == (before, {("em1", 10): {"192.0.2.1"}})


def test_an_address_that_stays_where_it_should_be_gone_is_an_error(node: PfsenseNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_ip, "TIMEOUT", 0.0)
    apply(node, instance(*STACKED))
    node.kernel(keeps_address="192.0.2.9")
    with pytest.raises(NodeError, match=r"after 0 s: 192\.0\.2\.9 is still on em1 \(everything was put back as it was\)"):
        apply(node.again(), instance(*STACKED[:2]))


def test_maintenance_leaves_the_aliases_in_their_place(node: PfsenseNode) -> None:
    apply(node, instance(*STACKED))
    ran = addresses(node)
    node.kernel(carp_peer_advskew=100)
    maintenance.apply(node.again(), {"state": "enabled"})
    assert [item.advskew for item in carp.running(node)] == [254] and addresses(node) == ran
    assert apply(node.again(), instance(*STACKED))["drift"] == []
    maintenance.apply(node.again(), {"state": "disabled"})
    assert [item.advskew for item in carp.running(node)] == [0] and addresses(node) == ran


def test_what_somebody_stacked_is_taken_over_and_never_removed(make) -> None:
    node = make(config=CARP_CONFIG.replace("\t</virtualip>", alias("64b7a1c0d1e39", "_vip64b7a1c0d1e30", "192.0.2.8") + "\t</virtualip>"))
    node.boot_carp()
    assert [entry["setting"] for entry in apply(node, instance("192.0.2.1/24", "192.0.2.8/32"))["drift"]] == [
        "lan.password", "lan alias 192.0.2.8.subnet_bits"]
    kept = next(vip for vip in vips(node) if vip["subnet"] == "192.0.2.8")
    assert (kept["descr"], kept["uniqid"], kept["subnet_bits"]) == ("theirs", "64b7a1c0d1e39", "32")
    assert apply(node.again())["drift"] == [] and "192.0.2.8" in addresses(node)[("em1", 10)]


def test_an_address_that_somebody_stacked_an_alias_on_is_not_removed(node: PfsenseNode) -> None:
    apply(node, instance("192.0.2.1/24"))
    node.edit("</virtualip>", alias("64b7a1c0d1e39", "_vip" + vips(node)[0]["uniqid"], "192.0.2.8") + "</virtualip>")
    before = node.config
    with pytest.raises(NodeError, match=r"edge: lan: 192\.0\.2\.8, which this collection did not make, is stacked on it; remove that one first"):
        apply(node.again())
    assert node.config == before


def test_a_vhid_that_is_left_over_in_an_alias_does_not_make_it_carp(node: PfsenseNode) -> None:
    apply(node, instance(*STACKED))
    node.edit("<virtualip>", "<virtualip>" + alias("64b7a1c0d1e39", "lan", "192.0.2.77", "<vhid>10</vhid>"))
    apply(node.again(), instance(*STACKED, advskew=7))
    assert [vip.get("advskew") for vip in vips(node)] == [None, "7", None, None]
    assert [item.advskew for item in carp.running(node)] == [7]


def test_an_alias_that_is_already_another_address_of_the_node_is_an_error(make) -> None:
    node = make(config=CARP_CONFIG)
    before = node.config
    with pytest.raises(NodeError, match=r"lan alias 192\.0\.2\.77: 192\.0\.2\.77 is already a virtual address of this node \(ipalias on lan\)"):
        apply(node, instance("192.0.2.1/24", "192.0.2.77/24"))
    assert node.config == before
