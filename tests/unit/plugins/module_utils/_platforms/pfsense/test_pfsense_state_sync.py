# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on pfSense, on each generation of the product's functions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import state_sync
from ansible_collections.hafirewall.cluster.plugins.modules.state_sync import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
MULTICAST = dict(DEFAULTS, interface="em2", address="198.51.100.129", network="198.51.100.128/28", group="225.0.0.50")
PEER = "198.51.100.130"
UNICAST = dict(MULTICAST, transport="unicast", group=None, peer=PEER)
OFF = dict(DEFAULTS, enabled=False)
ON = ["write_config(\"hafirewall.cluster: state sync on opt1\")", "interfaces_sync_setup()"]


def apply(node: PfsenseNode, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return state_sync.apply(node, dict(options, **changes))


def settings(result: dict[str, Any]) -> list[str]:
    return [entry["setting"] for entry in result["drift"]]


def hasync(node: PfsenseNode) -> dict[str, str]:
    section = re.search(r"<hasync>(.*)</hasync>", node.config, re.DOTALL)
    return dict(re.findall(r"<(\w+)>(.*)</\1>", section.group(1))) if section else {}


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(("options", "peer"), [(MULTICAST, None), (UNICAST, PEER)])
def test_a_fresh_node_gets_everything_and_a_second_run_does_nothing(node: PfsenseNode, options: dict[str, Any], peer: str | None) -> None:
    result = apply(node, options)
    assert (result["validation"], node.commands) == ("passed", ON)
    assert hasync(node) == {"pfsyncenabled": "on", "pfsyncinterface": "opt1", **({"pfsyncpeerip": peer} if peer else {})}
    assert (node.kernel("pfsync")["syncdev"], node.kernel("pfsync")["syncpeer"], node.kernel("pfsync")["up"]) == ("em2", peer, True)
    again, run = node.again(), node.journal("command")
    assert apply(again, options) == {"drift": [], "validation": "not needed", "notes": [], "kernel_before": None, "kernel_after": None}
    assert (again.changed, again.php_calls, node.journal("command")) == (False, 1, run)


@pytest.mark.parametrize("before", [None, UNICAST])
@pytest.mark.parametrize("options", [MULTICAST, UNICAST, OFF])
def test_check_mode_predicts_and_touches_nothing(node: PfsenseNode, before: dict[str, Any] | None, options: dict[str, Any]) -> None:
    if before:
        apply(node, before)
    check, real = node.again(check_mode=True), node.again()
    config, run = node.config, node.journal("command", "event", "notice")
    predicted = apply(check, options)
    assert (node.config, node.journal("command", "event", "notice")) == (config, run)
    assert apply(real, options) == predicted
    assert (check.commands, check.diffs) == (real.commands, real.diffs)
    assert apply(node.again(), options)["drift"] == []


def test_the_diff_shows_the_settings_and_no_other(node: PfsenseNode) -> None:
    node.edit("<system>", "<hasync><pfsyncinterface>lan</pfsyncinterface><username>admin</username><password><![CDATA[secret]]></password></hasync><system>")
    result = apply(node, UNICAST)
    assert node.diffs[0]["before"] == "hasync/pfsyncinterface: lan\n"
    assert node.diffs[0]["after"] == f"hasync/pfsyncenabled: on\nhasync/pfsyncinterface: opt1\nhasync/pfsyncpeerip: {PEER}\n"
    assert "secret" not in repr((result, node.commands, node.diffs))
    assert "<password><![CDATA[secret]]></password>" in node.config


def test_off_means_that_the_element_is_gone_and_the_others_stay(node: PfsenseNode) -> None:
    apply(node, UNICAST)
    off = node.again()
    result = apply(off, OFF)
    assert off.commands == ['write_config("hafirewall.cluster: state sync off")', "interfaces_sync_setup()"]
    assert settings(result) == ["enabled", "device as running", "running"]
    assert hasync(node) == {"pfsyncinterface": "opt1", "pfsyncpeerip": PEER}
    assert (node.kernel("pfsync")["syncdev"], node.kernel("pfsync")["up"]) == (None, False)
    last = node.again()
    assert apply(last, OFF)["drift"] == [] and not last.changed


def test_a_node_that_never_synced_is_off_already(node: PfsenseNode) -> None:
    assert apply(node, OFF)["drift"] == [] and not node.changed


@pytest.mark.parametrize(("options", "enabled"), [(MULTICAST, "on"), (OFF, None)])
def test_an_empty_element_is_seen_and_put_right(node: PfsenseNode, options: dict[str, Any], enabled: str | None) -> None:
    node.edit("<system>", "<hasync><pfsyncenabled></pfsyncenabled><pfsyncinterface>opt1</pfsyncinterface></hasync><system>")
    node.php("interfaces_sync_setup();")
    assert node.kernel("pfsync")["up"]
    assert {"setting": "enabled", "is": "on for the kernel, off on the page", "wanted": options["enabled"]} in apply(node, options)["drift"]
    assert (hasync(node).get("pfsyncenabled"), node.kernel("pfsync")["up"]) == (enabled, options["enabled"])


def test_a_peer_is_replaced_and_an_empty_one_is_none(node: PfsenseNode) -> None:
    apply(node, UNICAST)
    multicast = node.again()
    assert settings(apply(multicast, MULTICAST)) == ["peer", "peer as running"]
    assert hasync(node)["pfsyncpeerip"] == "" and node.kernel("pfsync")["syncpeer"] is None
    assert apply(node.again(), MULTICAST)["drift"] == []


def test_a_device_that_changed_underneath_is_set_up_again_without_a_change_of_the_configuration(node: PfsenseNode) -> None:
    apply(node, MULTICAST)
    node.edit("<if>em2</if>", "<if>em3</if>")
    node.kernel("interfaces", em3={"up": True, "addresses": [{"address": "198.51.100.129/28"}], "carp": {}})
    moved, config = node.again(), node.config
    result = apply(moved, MULTICAST, interface="em3")
    assert result["drift"] == [{"setting": "device as running", "is": "em2", "wanted": "em3"}]
    assert (moved.commands, moved.diffs, node.config) == (["interfaces_sync_setup()"], [], config)
    assert node.kernel("pfsync")["syncdev"] == "em3"


@pytest.mark.parametrize(("kernel", "drift"), [
    ({"up": False}, "running"), ({"syncdev": None}, "device as running"), ({"syncpeer": "198.51.100.140"}, "peer as running"),
])
def test_what_runs_otherwise_than_configured_is_set_up_again(node: PfsenseNode, kernel: dict[str, Any], drift: str) -> None:
    apply(node, UNICAST)
    node.kernel("pfsync", **kernel)
    again = node.again()
    assert settings(apply(again, UNICAST)) == [drift]
    assert again.commands == ["interfaces_sync_setup()"]
    assert apply(node.again(), UNICAST)["drift"] == []


def test_a_peer_left_over_in_the_kernel_of_a_node_that_is_off_is_no_drift(node: PfsenseNode) -> None:
    apply(node, UNICAST)
    apply(node.again(), OFF)
    assert node.kernel("pfsync")["syncpeer"] == PEER
    assert apply(node.again(), OFF)["drift"] == []


# Host ids


def test_a_host_id_is_set_with_a_reload_of_the_filter_only(make) -> None:
    node = make("2.7.2-RELEASE")
    apply(node, MULTICAST)
    again = node.again()
    assert apply(again, MULTICAST, host_id="0A1")["drift"] == [{"setting": "host_id", "is": None, "wanted": "0a1"}]
    assert again.commands == [ON[0], "filter_configure_sync()"]
    assert "set hostid 0x0a1" in (node.root / "var/standin/loaded_rules").read_text()
    last = node.again()
    assert apply(last, MULTICAST, host_id="0a1")["drift"] == [] and not last.changed
    assert apply(node.again(), MULTICAST)["drift"] == []


def test_both_functions_are_run_when_both_differ(make) -> None:
    node = make("2.9.0-RELEASE")
    apply(node, MULTICAST, host_id="a1")
    assert node.commands == [*ON, "filter_configure_sync()"]


def test_releases_without_host_ids_refuse_one(make) -> None:
    node = make("2.6.0-RELEASE")
    with pytest.raises(NodeError, match=r"host_id: pfSense 2\.6\.0 has no such setting; it came with 2\.7\.0"):
        apply(node, MULTICAST, host_id="a1")
    assert not hasync(node)


@pytest.mark.parametrize("host_id", ["", "0", "00000000", "123456789", "xyz", "a1\n"])
def test_what_is_no_host_id_is_refused(make, host_id: str) -> None:
    with pytest.raises(NodeError, match="host_id: .* is none; state one to eight hexadecimal digits"):
        apply(make(), MULTICAST, host_id=host_id)


# The state policy


@pytest.mark.parametrize("release", ["2.8.0-RELEASE", "24.03-RELEASE", "2.9.0-RELEASE"])
def test_a_state_policy_is_written_and_loaded_and_the_default_counts_as_one(make, release: str) -> None:
    node = make(release)
    apply(node, MULTICAST, state_policy="if-bound")
    assert (node.commands, "statepolicy" in node.config) == (ON, False)
    again = node.again()
    assert apply(again, MULTICAST, state_policy="floating")["drift"] == [{"setting": "state_policy", "is": "if-bound", "wanted": "floating"}]
    assert again.commands == [ON[0], "filter_configure_sync()"]
    assert "set state-policy floating" in (node.root / "var/standin/loaded_rules").read_text()
    last = node.again()
    assert apply(last, MULTICAST, state_policy="floating")["drift"] == [] and not last.changed
    assert apply(node.again(), MULTICAST)["drift"] == []


def test_a_node_without_state_sync_has_a_state_policy_too(make) -> None:
    node = make("2.8.0-RELEASE")
    assert settings(apply(node, OFF, state_policy="floating")) == ["state_policy"]
    assert apply(node.again(), OFF, state_policy="floating")["drift"] == []


@pytest.mark.parametrize(("release", "name"), [("2.7.2-RELEASE", r"2\.7\.2"), ("23.09.1-RELEASE", r"Plus 23\.09\.1")])
def test_releases_without_a_state_policy_refuse_one(make, release: str, name: str) -> None:
    node = make(release)
    with pytest.raises(NodeError, match=rf"state_policy: pfSense {name} has no such setting; it came with 2\.8\.0 and Plus 24\.03"):
        apply(node, MULTICAST, state_policy="floating")
    assert not hasync(node)


# What is refused


@pytest.mark.parametrize(("changes", "problem"), [
    ({"interface": "em7"}, "interface: em7 is assigned to none of this node's interfaces; .*lan is em1, opt1 is em2, wan is em0"),
    ({"interface": "opt1"}, "interface: opt1 is assigned to none"),
    ({"address": "198.51.100.131"}, r"address: em2 has not 198\.51\.100\.131 but 198\.51\.100\.129"),
    ({"address": "2001:db8::1"}, "address: 2001:db8::1 is no IPv4 address"),
    ({"transport": "unicast", "peer": "2001:db8::2"}, "peer: 2001:db8::2 is no IPv4 address, and pfSense shares states over IPv4 only"),
    ({"transport": "unicast", "peer": "fw2"}, "peer: fw2 is no IPv4 address"),
    ({"transport": "unicast"}, "peer: transport unicast needs it"),
])
@pytest.mark.parametrize("check_mode", [True, False])
def test_what_cannot_be_is_an_error_and_nothing_is_changed(make, changes: dict[str, Any], problem: str, check_mode: bool) -> None:
    node = make().again(check_mode=check_mode)
    before = node.config
    with pytest.raises(NodeError, match=problem):
        apply(node, MULTICAST, **changes)
    assert (node.config, node.changed, node.journal("command")) == (before, False, [])


def test_an_interface_that_is_switched_off_is_refused(node: PfsenseNode) -> None:
    node.edit("<enable></enable>\n\t\t\t<if>em2", "<if>em2")
    with pytest.raises(NodeError, match=r"interface: em2 \(opt1, SYNC\) is switched off on this node; enable the interface first"):
        apply(node, MULTICAST)
    assert not hasync(node)


def test_an_unknown_interface_in_the_configuration_is_put_right(node: PfsenseNode) -> None:
    node.edit("<system>", "<hasync><pfsyncenabled>on</pfsyncenabled><pfsyncinterface>opt9</pfsyncinterface></hasync><system>")
    assert {"setting": "interface", "is": "opt9", "wanted": "opt1"} in apply(node, MULTICAST)["drift"]
    assert node.kernel("pfsync")["syncdev"] == "em2"


def test_a_release_that_is_too_old_is_named(make) -> None:
    with pytest.raises(NodeError, match=r"runs pfSense 2\.5\.2; this collection drives 2\.6\.0 and later"):
        apply(make("2.5.2-RELEASE"), MULTICAST)


def test_a_device_that_the_same_run_makes_may_be_absent_in_check_mode(make) -> None:
    node = make()
    check, real = node.again(check_mode=True), node.again()
    predicted = apply(check, MULTICAST, interface="lagg0", coming={"lagg0": "em2"})
    with pytest.raises(NodeError, match="interface: lagg0 is assigned to none"):
        apply(node, MULTICAST, interface="lagg0", coming={"lagg0": "em2"})
    done = apply(real, MULTICAST)
    assert (predicted["drift"], predicted["validation"], check.commands) == (done["drift"], done["validation"], real.commands) != ([], "passed", [])
    assert apply(node.again(check_mode=True), MULTICAST, interface="lagg0", coming={"lagg0": "em2"})["drift"] == []


# Bad moments


def test_somebody_who_saves_meanwhile_keeps_what_was_saved(node: PfsenseNode) -> None:
    node.before_php = lambda number: node.edit("fw1", "theirs") if number == 2 else None
    apply(node, MULTICAST)
    assert "theirs" in node.config and hasync(node)["pfsyncenabled"] == "on"
    assert node.commands == ON


def test_drift_is_that_of_the_last_reading(node: PfsenseNode) -> None:
    def theirs(number: int) -> None:
        if number == 2:
            node.edit("<system>", "<hasync><pfsyncenabled>on</pfsyncenabled><pfsyncinterface>opt1</pfsyncinterface></hasync><system>")

    node.before_php = theirs
    assert settings(apply(node, MULTICAST)) == ["device as running", "running"]
    assert node.commands == ON[1:]


def test_a_full_disk_leaves_everything_as_it_was(node: PfsenseNode) -> None:
    node.switch(disk_full=True)
    before = node.config
    with pytest.raises(NodeError, match=r"could not write it; free on that disk.*\(the configuration is as it was\)"):
        apply(node, MULTICAST)
    assert (node.config, node.kernel("pfsync")["up"], node.changed) == (before, False, False)


def test_a_fatal_error_of_the_product_is_taken_back(node: PfsenseNode) -> None:
    node.switch(fatal_in="interfaces_sync_setup")
    node.before_php = lambda number: node.switch(fatal_in=None) if number == 3 else None
    before = without_revision(node.config)
    with pytest.raises(NodeError, match="applying by interfaces_sync_setup: .*everything was put back as it was"):
        apply(node, MULTICAST)
    assert without_revision(node.config) == before
    assert not node.kernel("pfsync")["up"]


def test_a_command_that_fails_unnoticed_by_the_product_is_noticed_and_taken_back(node: PfsenseNode) -> None:
    apply(node, MULTICAST)
    node.kernel(pfsync_refuses="syncpeer")
    with pytest.raises(NodeError, match="pfsync0 does not run as configured: peer as running is None.*everything was put back as it was"):
        apply(node.again(), UNICAST)
    assert hasync(node).get("pfsyncpeerip", "") == "" and node.kernel("pfsync")["syncdev"] == "em2"


def test_the_products_noise_does_not_matter(node: PfsenseNode) -> None:
    node.switch(chatter=True)
    (node.root / "var/run/booting").touch()
    apply(node, MULTICAST)
    assert hasync(node)["pfsyncenabled"] == "on"


def test_every_byte_of_the_rest_survives(node: PfsenseNode) -> None:
    before = without_revision(node.config)
    apply(node, UNICAST)
    assert re.sub(r"\t<hasync>.*</hasync>\n", "", without_revision(node.config), flags=re.DOTALL) == before
