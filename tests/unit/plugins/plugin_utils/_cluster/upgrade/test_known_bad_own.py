# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of releases that a person has stated: whom each concerns, that the reason names the row, and that what is wrong is refused with its place."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.check import check_upgrade
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness import judge_readiness
from upgrade_cases import Pair

ROW = {"platform": "linux", "what": "the helper is lost", "remedy": "stay on 1.4.7"}


def judged(pair, rows, **targets):
    """By node, status and reason of the check."""
    found = judge_readiness(pair.plans, pair.evidence, [], {"known_bad": rows}, targets)
    return {result["node"]: (result["status"], result["reason"]) for result in found if result["id"] == "known_bad"}


def linux(runs="1:1.4.7-1+b2", candidate=None):
    pair = Pair("linux", runs)
    for evidence in pair.evidence.values():
        evidence["readiness"] = {"candidate": {"release": "12.15", "packages": {"conntrackd": candidate} if candidate else {}}}
    return pair


def other(platform, change, **row):
    """The status on a node of another platform, of which nothing else is known to go wrong."""
    runs, comes = change
    pair = Pair(platform, runs, engine={"mtu": 1500})
    return judged(pair, [{**ROW, "platform": platform, **row}], fw1=comes, fw2=comes)["fw1"][0]


def test_a_row_fails_the_check_and_is_named_as_the_persons_own():
    rows = [{**ROW, "platform": "openbsd"}, {**ROW, "runs": "1.4.7", "comes": {"from": "1:1.4.8", "before": "1:1.4.9"}, "source": "ticket 4711"}]
    found = judged(linux(), rows, fw1="1.4.8")
    assert found["fw1"] == ("fail", "the helper is lost (stated in upgrade_check_known_bad[1]: ticket 4711); stay on 1.4.7")
    # That node stays on its release.
    assert found["fw2"] == ("pass", "nothing is known against 12 to 12.15, and no row of upgrade_check_known_bad fits")


def test_without_a_source_the_row_itself_is_it():
    assert judged(linux(), [ROW], fw1="1.4.8")["fw1"][1] == "the helper is lost (stated in upgrade_check_known_bad[0]); stay on 1.4.7"


def test_a_row_can_warn():
    assert judged(linux(), [{**ROW, "status": "warn"}], fw1="1.4.8")["fw1"][0] == "warn"


@pytest.mark.parametrize("platform", ["freebsd", "openbsd", "opnsense", "pfsense"])
def test_rows_of_other_platforms_are_no_matter(platform):
    assert judged(linux(), [{**ROW, "platform": platform}], fw1="1.4.8")["fw1"] == ("pass", "nothing is known against 12 to 12.15")


def test_on_linux_what_the_node_would_install_of_the_engine_counts():
    rows = [{**ROW, "comes": "1.4.8"}]
    assert judged(linux(candidate="1:1.4.8-2"), rows)["fw2"][0] == "fail"
    assert judged(linux(candidate="1:1.4.7-1+deb12u1"), rows)["fw2"][0] == "pass"


def test_what_is_not_known_of_the_engine_is_no_pass():
    pair = linux()
    pair.evidence["fw1"]["readiness"]["candidate"]["packages"] = None
    del pair.evidence["fw2"]["packages"]
    found = judged(pair, [{**ROW, "comes": "1.4.8"}])
    assert {status for status, _reason in found.values()} == {"error"}
    assert all("whether this concerns fw" in reason and "upgrade_check_known_bad[0]" in reason for _status, reason in found.values())
    # Where the release that is known rules the row out, nothing else needs to be known.
    assert judged(pair, [{**ROW, "runs": "1.4.6"}])["fw1"][0] == "pass"


def test_an_own_row_is_told_where_the_system_is_not_known():
    pair = linux()
    pair.evidence["fw1"]["readiness"]["candidate"]["release"] = None
    status, reason = judged(pair, [ROW], fw1="1.4.8")["fw1"]
    assert status == "fail" and "the helper is lost" in reason and "which release it would get is not known" in reason


@pytest.mark.parametrize(("comes", "expected"), [
    ("14.2", "fail"), ("14", "fail"), ("14.2-RELEASE", "fail"), ("14.3", "pass"), ("1", "pass"), ({"from": "14.2"}, "fail"), ({"from": "14.3"}, "pass"),
    ({"before": "14.2"}, "pass"), ({"before": "14.3"}, "fail"), ({"from": "14.1", "before": "14.2"}, "pass"), ({"from": "14.1", "before": "14.2.1"}, "fail"),
    ({"from": "14.2", "before": None}, "fail"), (None, "fail")])
def test_text_is_a_release_and_what_begins_with_it_and_a_mapping_a_range(comes, expected):
    assert other("freebsd", ("14.1-RELEASE-p3", "14.2-RELEASE-p1"), comes=comes) == expected
    assert other("freebsd", ("14.2-RELEASE-p1", "15.0-RELEASE"), runs=comes) == expected


@pytest.mark.parametrize(("platform", "runs", "comes"), [
    ("freebsd", "14.1-RELEASE", "14.2-RELEASE"), ("openbsd", "7.6", "7.7"), ("pfsense", "2.7.2", "2.8.0")])
def test_every_platform_can_have_rows(platform, runs, comes):
    assert other(platform, (runs, comes), comes=comes) == "fail"


def test_to_stay_on_a_release_is_no_change():
    assert other("freebsd", ("14.2-RELEASE", "14.2-RELEASE-p3")) == "pass"


@pytest.mark.parametrize(("limits", "ce", "plus"), [
    ({"from": "2.7.0"}, "fail", "pass"), ({"from": "23.01"}, "pass", "fail"), ({"before": "2.9"}, "fail", "pass"), ({"before": "24.11"}, "pass", "fail"),
    (None, "fail", "fail")])
def test_a_range_of_pfsense_is_of_one_edition(limits, ce, plus):
    assert other("pfsense", ("2.7.2", "2.8.0"), runs=limits) == ce
    assert other("pfsense", ("24.03", "24.11"), runs=limits) == plus


@pytest.mark.parametrize(("row", "error"), [
    ("linux", "[0]: is text ('linux'), not a mapping; write a mapping"),
    ({**ROW, "platfrm": "linux"}, "[0].platfrm: is an unknown key; did you mean platform?"),
    ({**ROW, "platform": "pfsense-ce"}, "[0].platform: is 'pfsense-ce', which is not known; write pfsense"),
    ({**ROW, "platform": "vyos"}, "[0].platform: is 'vyos', which is not known; write one of: "),
    ({**ROW, "platform": None}, "[0].platform: is missing; state it"),
    ({**ROW, "what": None}, "[0].what: is missing; state it"),
    ({"platform": "linux", "what": "x"}, "[0].remedy: is missing; state it"),
    ({**ROW, "remedy": " "}, "[0].remedy: ' ' is empty; write a sentence"),
    ({**ROW, "source": 4711}, "[0].source: is a whole number (4711), not text"),
    ({**ROW, "status": "error"}, "[0].status: is 'error', which is not known; write one of: fail, warn"),
    ({**ROW, "runs": 1.4}, "[0].runs: is neither text nor a mapping; write the numbers of a release in quotes"),
    ({**ROW, "runs": "newest"}, "[0].runs: 'newest' names no release; write the numbers of a release in quotes"),
    ({**ROW, "runs": "1:1.4.7-1+b2"}, "[0].runs: '1:1.4.7-1+b2' has more than numbers, and no more than these are compared; write the numbers"),
    ({**ROW, "comes": {"from": "14.2-RELEASE-p1"}}, "[0].comes.from: '14.2-RELEASE-p1' has more than numbers"),
    ({**ROW, "comes": {"from": 26.1}}, "[0].comes.from: is a number (26.1), not text; write the numbers of a release in quotes"),
    ({**ROW, "comes": {"form": "1"}}, "[0].comes.form: is an unknown key; did you mean from?"),
    ({**ROW, "comes": {}}, "[0].comes: has neither from nor before; write"),
    ({**ROW, "comes": {"from": None}}, "[0].comes: has neither from nor before; write"),
    ({**ROW, "comes": {"from": "1.4.8", "before": "1.4.8"}}, "[0].comes: holds no release, for before is not later than from; write"),
    ({**ROW, "platform": "pfsense", "runs": {"from": "2.7.2", "before": "24.03"}}, "[0].runs: begins with a release of pfSense CE and ends with one of Plus"),
])
def test_what_is_wrong_is_refused_with_its_place_and_the_remedy(row, error):
    pair = linux()
    with pytest.raises(ValueError) as refused:
        check_upgrade(pair.plans, pair.evidence, known_bad=[row])
    assert f"upgrade_check_known_bad{error}" in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(ValueError) as refused:
        check_upgrade({}, {}, known_bad=[ROW, {"platform": "x"}, 7], leave_out=["no_check"])
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "upgrade_check_leave_out[0]", *(f"upgrade_check_known_bad{place}" for place in ("[1].platform", "[1].what", "[1].remedy", "[2]"))]
