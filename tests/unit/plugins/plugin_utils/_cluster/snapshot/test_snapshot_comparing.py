# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparing two snapshots: what changed is found, what is not known never passes, and what was not touched passes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import STATUSES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot import AREAS, as_checks, as_markdown, choose, compare
from ansible_collections.hafirewall.cluster.tests.unit.plugins.plugin_utils._cluster.snapshot.snapshot_cases import at, changed, linux, pfsense
from hypothesis import given
from hypothesis import strategies as st

# Where one value of the evidence is, the area that tells of it, and what the value is like afterwards.
CHANGES = [
    ("nics", "interfaces.0.up", False), ("nics", "interfaces.0.speed", 100), ("nics", "interfaces.0.mac", "02:00:00:00:00:77"),
    ("mtu", "interfaces.0.mtu", 9000),
    ("addresses", "interfaces.0.addresses", ["192.0.2.1/24", "192.0.2.3/24"]), ("laggs", "interfaces.2.lagg.protocol", "lacp"),
    ("laggs", "interfaces.2.lagg.ports.0.up", False), ("laggs", "interfaces.2.lagg.members", ["em4"]),
    ("routes", "snapshot.routes.inet.rows.0.gateway", "203.0.113.253"),
    ("routes", "snapshot.routes.inet6.rows", [{"destination": "default", "device": "wan0"}]),
    ("roles", "vrrp.instances.0.state", "standby"), ("vrrp", "vrrp.running", False), ("maintenance", "maintenance", True), ("engine", "engine.running", False),
    ("engine", "engine.config.peer", "198.51.100.130"), ("pass_rule", "pass_rule.effective", False), ("pass_rule", "pass_rule.blockers", [{"rule": "block"}]),
    ("services", "snapshot.services", ["ssh.service"]), ("states", "engine.tables.kernel", 499), ("states", "engine.tables.kernel_max", 65536),
    ("sync_counters", "engine.counters.lost", 4), ("neighbours", "snapshot.neighbours.0.mac", "02:00:00:00:00:66"),
    ("config", "snapshot.files./etc/hosts", "11"), ("wireguard", "snapshot.wireguard.0.state", "quiet"),
    ("ipsec", "snapshot.ipsec.0.state", "down"), ("bgp", "snapshot.bgp", []), ("ospf", "snapshot.ospf.0.state", "down"),
    ("ospf6", "snapshot.ospf6.0.state", "down"),
    ("packages", "packages.keepalived", "1:2.3.1-1"), ("release", "os.version", "13"), ("release", "kernel", "6.12"),
]
ON_PFSENSE = [
    ("gateways", "snapshot.gateways.0.state", "down"),
    ("assignments", "interfaces.0.key", "opt1"), ("state_policy", "state_policy", "if-bound"), ("ruleset", "engine.checksum", "d" * 32),
    ("ruleset", "state_rules.bound", 4), ("roles", "vrrp.demotion", 240), ("engine", "engine.pinned", 1301), ("config", "config.revision.time", 1795000001),
    ("config", "config_sync.target", "198.51.100.130"), ("packages", "readiness.packages.pfSense-base", "2.8.0"),
]


def judged(before: Any, after: Any, areas: Any = None, **settings: Any) -> dict[str, dict[str, Any]]:
    """The results of one node, by area."""
    results = compare({"fw1": before}, {"fw1": after}, choose(areas, settings))
    assert all(set(result) == {"area", "node", "status", "reason", "changes"} and result["status"] in STATUSES and result["reason"] for result in results)
    return {result["area"]: result for result in results}


@pytest.mark.parametrize("evidence", [linux(), pfsense()], ids=["linux", "pfsense"])
def test_a_node_that_did_not_change_passes_in_every_area_that_it_has(evidence):
    found = judged(evidence, evidence)
    assert {name for name, result in found.items() if result["status"] != "pass"} == (
        {"assignments", "state_policy", "ruleset", "gateways"} if evidence["platform"] == "linux" else set())
    assert all(result["changes"] == [] for result in found.values())
    assert set(found) == {"snapshot", *AREAS}


@pytest.mark.parametrize(("evidence", "area", "path", "value"), [(linux(), *case) for case in CHANGES] + [(pfsense(), *case) for case in ON_PFSENSE])
def test_a_change_is_found_in_its_area_alone_and_named(evidence, area, path, value):
    path = path.replace("/etc/hosts", "hosts")
    before = changed(evidence, "snapshot.files", {"hosts": "00ff"})
    after = changed(before, path, value)
    found = judged(before, after)
    severity = {"note": "pass"}.get(AREAS[area].severity, AREAS[area].severity)
    assert found[area]["status"] == severity and found[area]["changes"]
    assert "change" in found[area]["reason"]
    assert [name for name, result in found.items() if result["changes"]] == [area]


def test_every_area_is_among_the_changes_that_are_tried():
    assert {case[0] for case in CHANGES + ON_PFSENSE} == set(AREAS)


@given(case=st.sampled_from(CHANGES), value=st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
       severity=st.sampled_from(["fail", "warn"]))
def test_whatever_a_value_becomes_it_never_passes_as_unchanged(case, value, severity):
    area, path, _other = case
    before = linux()
    holder, key = at(before, path) if "/etc" not in path else (before["snapshot"]["files"], "/etc/hosts")
    old = holder[key]
    after = linux()
    holder, key = at(after, path) if "/etc" not in path else (after["snapshot"]["files"], "/etc/hosts")
    holder[key] = value
    result = judged(before, after, **{area: {"severity": severity, "thresholds": {"*": 0}}})[area]
    shrunk_counter = area == "sync_counters" and isinstance(value, int) and not isinstance(value, bool) and value <= 0
    same_to_it = shrunk_counter or (path.endswith(".gateway") and not value and not old) or (path.endswith("inet6.rows") and value == []) or (
        path.endswith("blockers") and value == [])
    if (isinstance(value, type(old)) and value == old) or same_to_it:
        assert result["status"] in ("pass", "error")
    else:
        assert result["status"] in (severity, "error")


_VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)
_KEYS = st.sampled_from(["interfaces", "vrrp", "engine", "snapshot", "packages", "os", "pass_rule", "boot_id", "collected_at", "errors", "readiness", "config",
                         "state_rules", "state_policy", "maintenance"])


@given(odd=st.dictionaries(_KEYS, _VALUES), make=st.sampled_from([linux, pfsense]))
def test_a_snapshot_compared_with_itself_never_fails_and_evidence_of_any_shape_raises_nothing(odd, make):
    evidence = make(**odd)
    statuses = {area: result["status"] for area, result in judged(evidence, evidence).items()}
    assert "fail" not in statuses.values()
    untouched = judged(make(), make())
    if not odd:
        assert statuses == {area: result["status"] for area, result in untouched.items()}


@given(odd=_VALUES, key=_KEYS)
def test_what_became_odd_or_unknown_is_never_a_pass_of_what_was_known(odd, key):
    before, after = linux(), linux(**{key: odd})
    areas = {"maintenance": "maintenance", "pass_rule": "pass_rule", "interfaces": "nics", "vrrp": "roles"}
    if key in areas and odd != before[key]:
        assert judged(before, after)[areas[key]]["status"] in ("fail", "error")


@pytest.mark.parametrize(("area", "path"), [
    ("nics", "interfaces.0.up"), ("mtu", "interfaces.0.mtu"), ("roles", "vrrp.instances.0.state"), ("vrrp", "vrrp.running"), ("engine", "engine.running"),
    ("pass_rule", "pass_rule.effective"), ("states", "engine.tables.kernel"), ("release", "kernel")])
@pytest.mark.parametrize("gone", ["before", "after", "before and after"])
def test_a_value_that_is_not_known_is_an_error_and_never_no_change(area, path, gone):
    lacking = changed(linux(), path, None)
    before, after = (lacking if "before" in gone else linux()), (lacking if "after" in gone else linux())
    found = judged(before, after)[area]
    assert (found["status"], found["changes"][0]["kind"]) == ("error", "unknown")
    assert f"is not known from {gone}" in found["reason"]
    row = found["changes"][0]["item"]
    assert judged(before, after, **{area: {"flaps": [row]}})[area]["status"] == "pass"


def test_what_is_known_to_be_absent_is_no_gap():
    still = linux(engine={"name": "conntrackd", "installed": True, "enabled": False, "masked": False, "running": False, "joined": None, "config": None,
                          "config_current": None, "counters": None, "tables": {"kernel": 0, "kernel_max": 9, "internal": None, "external": None}},
                  pass_rule={"filtered": False, "present": False, "persistent": None, "effective": None, "broader": [], "blockers": []},
                  vrrp={"installed": True, "enabled": False, "running": False, "config_current": None, "instances": []})
    statuses = {area: found["status"] for area, found in judged(still, still).items()}
    assert "error" not in statuses.values() and statuses["engine"] == statuses["sync_counters"] == statuses["pass_rule"] == "pass"


def test_a_pfsense_without_the_setting_has_a_state_policy_all_the_same():
    old = pfsense(state_policy=None, state_policy_from=None)
    assert judged(old, old)["state_policy"]["status"] == "pass"
    # An upgrade brings the setting, and with it a default that may be another one.
    assert judged(old, pfsense(state_policy="if-bound"))["state_policy"]["status"] == "fail"
    unread = pfsense(state_policy=None, state_policy_from=None, config=None)
    assert judged(unread, unread)["state_policy"]["status"] == "error"


@pytest.mark.parametrize(("key", "areas"), [
    ("interfaces", {"nics", "mtu", "addresses", "laggs"}), ("vrrp", {"vrrp", "roles"}), ("engine", {"engine", "states", "sync_counters"}),
    ("maintenance", {"maintenance"}), ("pass_rule", {"pass_rule"}), ("packages", {"packages"}), ("os", {"release"})])
@pytest.mark.parametrize("gone", ["before", "after", "both"])
def test_an_area_that_was_not_read_is_an_error_with_the_reason_that_the_reading_gave(key, areas, gone):
    lacking = linux(**{key: None, "errors": [{"area": key, "reason": "ip is not\ninstalled on this node"}, {"area": "other", "reason": "no"}]})
    before, after = (lacking if gone != "after" else linux()), (lacking if gone != "before" else linux())
    found = judged(before, after)
    for area in areas:
        assert found[area]["status"] == "error", area
        when = "before and after" if gone == "both" else gone
        assert found[area]["reason"] == f"not known from {when}: ip is not installed on this node"


def test_a_node_without_a_snapshot_of_both_moments_is_an_error():
    results = compare({"fw1": linux(), "fw2": linux()}, {"fw2": linux(), "fw3": linux(), "fw1": None}, choose())
    told = {result["node"]: (result["status"], result["reason"]) for result in results if result["area"] == "snapshot"}
    assert told["fw1"] == ("error", "there is no snapshot of it from after")
    assert told["fw3"] == ("error", "there is no snapshot of it from before")
    assert told["fw2"][0] == "pass"
    assert {result["node"] for result in results if result["area"] != "snapshot"} == {"fw2"}


def test_snapshots_of_two_platforms_are_not_compared_and_those_the_wrong_way_round_are_told():
    assert judged(linux(), pfsense())["snapshot"]["status"] == "error"
    found = judged(linux(collected_at=2000.0), linux())
    assert found["snapshot"]["status"] == "warn" and "wrong way round" in found["snapshot"]["reason"]
    assert judged(linux(collected_at=None), linux())["snapshot"]["status"] == "warn"


def test_what_was_not_asked_for_is_skipped_and_an_error_where_one_has_it_or_where_it_is_asked_for_by_name():
    without = linux(snapshot=None)
    assert judged(without, without)["routes"]["status"] == "skipped"
    assert "snapshot: true" in judged(without, without)["routes"]["reason"]
    assert judged(linux(), without)["routes"]["status"] == judged(without, linux())["routes"]["status"] == "error"
    assert judged(without, without, ["routes"])["routes"]["status"] == "error"


@pytest.mark.parametrize(("value", "status"), [(1499, "pass"), (500, "pass"), (1501, "warn"), (499, "warn"), (0, "warn")])
def test_the_state_table_may_move_by_half(value, status):
    assert judged(linux(), changed(linux(), "engine.tables.kernel", value))["states"]["status"] == status


@pytest.mark.parametrize(("limit", "status"), [(10, "fail"), (60, "pass"), ({"amount": 599}, "fail"), ({"amount": 600}, "pass"),
                                               ({"percent": 1, "amount": 600}, "pass")])
def test_thresholds_are_percent_or_an_amount_whichever_is_more(limit, status):
    after = changed(linux(), "engine.tables.kernel", 400)
    found = judged(linux(), after, states={"severity": "fail", "thresholds": {"ker*l": limit}})["states"]
    assert found["status"] == status
    assert [change["ignored"] for change in found["changes"]] == ["within its threshold" if status == "pass" else None]


def test_counters_of_trouble_begin_again_with_the_node_or_its_engine():
    rebooted = linux(boot_id="two")
    assert judged(linux(), changed(rebooted, "engine.counters.lost", 0))["sync_counters"]["status"] == "pass"
    assert judged(linux(), changed(linux(), "engine.counters.lost", 0))["sync_counters"]["status"] == "pass"
    # Three lost since the boot are three new ones, though there were three before it too.
    assert judged(linux(), rebooted)["sync_counters"]["changes"] == [
        {"item": "trouble", "field": "lost", "kind": "changed", "before": 0, "after": 3, "ignored": None}]
    assert judged(linux(), changed(linux(), "engine.counters.malformed", None))["sync_counters"]["status"] == "error"


def test_properties_choose_rows_and_fields_and_leave_them_out():
    after = changed(changed(linux(), "interfaces.0.speed", 100), "interfaces.1.up", False)

    def changes(**nics: Any) -> set[tuple[str, str]]:
        return {(change["item"], change["field"]) for change in judged(linux(), after, nics=nics)["nics"]["changes"]}

    assert changes() == {("lan0", "speed"), ("wan0", "up"), ("wan0", "speed")}
    assert changes(properties=["!speed"]) == {("wan0", "up")}
    assert changes(properties=["!wan*"]) == {("lan0", "speed")}
    assert changes(properties=["speed", "!wan0.*"]) == {("lan0", "speed")}
    assert changes(properties=["wan0.up"]) == {("wan0", "up")}
    nothing = judged(linux(), linux(), nics={"properties": ["eth9"]})["nics"]
    assert nothing["status"] == "error" and "leave nothing" in nothing["reason"]


def test_known_flaps_are_told_and_do_not_count():
    found = judged(linux(), changed(linux(), "interfaces.1.up", False), nics={"flaps": ["wan0"]})["nics"]
    assert found["status"] == "pass" and "known flap" in found["reason"] and "wan0 up was True and is False" in found["reason"]
    assert {change["ignored"] for change in found["changes"]} == {"known flap"}
    assert judged(linux(), changed(linux(), "snapshot.services", ["ssh.service"]), services={"flaps": ["keepalived*"]})["services"]["status"] == "pass"


@pytest.mark.parametrize(("names", "threshold", "status"), [
    (["a", "b", "c", "d"], 0, "pass"), (["a", "b", "c"], 24, "fail"), (["a", "b", "c"], 25, "pass"),
    (["a", "b", "x", "y"], 0, "pass"), (["a", "b", "x", "y"], None, "fail"),
    ([], 99, "fail"), ([], 100, "pass")])
def test_rows_may_come_and_go_within_the_threshold_of_their_number(names, threshold, status):
    before = changed(linux(), "snapshot.services", ["a", "b", "c", "d"])
    assert judged(before, changed(linux(), "snapshot.services", names), services={"count_change_threshold": threshold})["services"]["status"] == status


def test_the_threshold_of_their_number_lets_no_other_change_pass():
    after = changed(linux(), "interfaces.0.mtu", 9000)
    assert judged(linux(), after, mtu={"count_change_threshold": 100})["mtu"]["status"] == "fail"


def test_many_routes_are_compared_by_their_number():
    before = changed(linux(), "snapshot.routes.inet", {"count": 10000, "rows": None})
    for count, status in ((11999, "pass"), (12001, "fail"), (None, "error")):
        assert judged(before, changed(linux(), "snapshot.routes.inet", {"count": count, "rows": None}))["routes"]["status"] == status
    assert judged(before, linux())["routes"]["status"] == "fail"


def test_the_virtual_address_may_move():
    after = changed(linux(), "interfaces.0.addresses", ["192.0.2.2/24"])
    after = changed(after, "vrrp.instances.0.addresses_present", [])
    assert judged(linux(), after)["addresses"]["status"] == "pass"


def test_the_reason_tells_five_changes_and_how_many_more():
    after = changed(linux(), "snapshot.services", [f"new{number}" for number in range(6)] + linux()["snapshot"]["services"])
    reason = judged(linux(), after)["services"]["reason"]
    assert reason.startswith("6 changes: new0 is new;") and reason.endswith("; and 1 more")


def test_results_become_checks_of_a_report_and_markdown_in_which_no_name_is_markup():
    results = compare({"fw1": linux()}, {"fw1": changed(linux(), "snapshot.services", ["<b>|x", "ssh.service"])}, choose(["services", "mtu"]))
    checks = as_checks(results, {"fw1": "edge"})
    assert [(check["id"], check["cluster"], check["node"], check["status"]) for check in checks] == [
        ("snapshot", "edge", "fw1", "pass"), ("snapshot.mtu", "edge", "fw1", "pass"), ("snapshot.services", "edge", "fw1", "fail")]
    text = as_markdown("After [the] upgrade", results)
    assert text.splitlines()[0] == r"# After \[the\] upgrade"
    assert text.splitlines()[2] == "1 fail, 0 error, 0 warn, 0 skipped, 2 pass"
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[1].startswith("| fail | fw1 | services |") and r"\<b\>\|x" in rows[1]
    assert all(line.replace(r"\|", "").count("|") == 5 for line in rows)


@pytest.mark.parametrize("area", ["wireguard", "ipsec", "bgp", "ospf", "ospf6", "gateways"])
def test_a_way_that_was_up_and_is_not_fails_and_one_that_came_up_does_not(area):
    whole = pfsense if area == "gateways" else linux

    def having(*states):
        rows = [{"name": f"way{number}", "state": state, "told": f"{state} since {number}"} for number, state in enumerate(states)]
        return changed(whole(), f"snapshot.{area}", rows)
    assert judged(having("up"), having("down"))[area]["status"] == "fail"
    assert judged(having("up"), having())[area]["status"] == "fail"
    assert judged(having("down"), having("down", "down"))[area]["status"] == "fail"
    came = judged(having("down"), having("up", "up"))[area]
    assert came["status"] == "pass" and came["reason"].count("(came up)") == 2
    assert judged(having("up"), having(None))[area]["status"] == "error"
    assert judged(having(), having())[area]["reason"] == "nothing there, before and after"
    assert judged(whole(), changed(whole(), f"snapshot.{area}", None))[area]["status"] == "error"
    older = whole()
    del older["snapshot"][area]
    assert judged(older, older)[area]["status"] == "skipped" and judged(older, having("up"))[area]["status"] == "error"
