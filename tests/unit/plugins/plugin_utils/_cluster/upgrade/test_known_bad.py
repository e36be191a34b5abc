# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of releases that are known to go wrong: whom each concerns, and whom not."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import NodeView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.known_bad import TRANSITIONS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.transition import Change


def told(platform, runs, comes, **evidence):
    """What concerns such a node (True), or may (None)."""
    node = NodeView("fw1", {"platform": platform, "state_sync": {"enabled": True}}, {"os": {"id": "debian"}, **evidence}, None, 1)
    change = Change(release(runs), release(comes))
    return {one.what: found for one in TRANSITIONS for found in [one.concerns(node, change)] if found is not False}


def concerns(word, *arguments, **evidence):
    return [holds for what, holds in told(*arguments, **evidence).items() if word in what]


def test_each_has_its_source_its_remedy_and_a_status_that_counts():
    assert TRANSITIONS
    assert all(one.what and one.remedy and one.source and one.platforms and one.status in ("fail", "warn") for one in TRANSITIONS)


@pytest.mark.parametrize(("runs", "comes", "packages", "expected"), [
    ("26.1.6", "26.7", {"os-cpu-microcode-intel": "1.1"}, [True]), ("26.1.6", "26.7", {"os-wol": "1"}, []), ("26.1.6", "26.7", None, [None]),
    ("25.7", "26.1", {"os-cpu-microcode-intel": "1.1"}, []), ("26.7", "26.7.1", {"os-cpu-microcode-intel": "1.1"}, [])])
def test_the_microcode_package_is_in_the_way_of_26_7(runs, comes, packages, expected):
    assert concerns("os-cpu-microcode-intel", "opnsense", runs, comes, readiness={"packages": packages}) == expected


@pytest.mark.parametrize(("platform", "runs", "comes", "expected"), [
    ("opnsense", "23.7.12", "24.1", [True]), ("opnsense", "23.7.12", "24.7", []), ("opnsense", "24.1", "24.1.6", []),
    ("freebsd", "13.1-RELEASE", "13.2-RELEASE", [True]), ("freebsd", "13.1-RELEASE", "14.0-RELEASE", []), ("freebsd", "13.2-RELEASE", "13.2-RELEASE-p4", [])])
def test_the_panic_is_of_one_kernel(platform, runs, comes, expected):
    assert concerns("panic", platform, runs, comes) == expected


@pytest.mark.parametrize(("platform", "runs", "comes", "mtu", "expected"), [
    ("freebsd", "13.4-RELEASE", "14.2-RELEASE", 9000, [True]), ("freebsd", "13.4-RELEASE", "14.2-RELEASE", 4080, []),
    ("freebsd", "14.2-RELEASE", "15.0-RELEASE", 9000, []), ("freebsd", "14.2-RELEASE", "14.3-RELEASE", None, [None]),
    ("opnsense", "25.7", "26.1", 9000, [True]), ("opnsense", "26.1", "26.7", 9000, []), ("pfsense", "2.7.2", "2.8.1", 9000, [True]),
    ("pfsense", "24.11", "25.07", 1500, [])])
def test_a_large_mtu_is_known_for_kernels_that_cannot_send_it(platform, runs, comes, mtu, expected):
    assert concerns("sends nothing", platform, runs, comes, engine={"mtu": mtu}) == expected


def test_defer_is_known_for_26_7():
    assert concerns("defer", "opnsense", "26.1", "26.7.1", engine={"config": {"defer": True}}) == [True]
    assert concerns("defer", "opnsense", "26.1", "26.7.1", engine={"config": {"defer": False}}) == []


@pytest.mark.parametrize(("runs", "target", "expected"), [("2.2.4", "198.51.100.130", [True]), ("2.2.4", None, []), ("2.2.5", "198.51.100.130", [])])
def test_an_old_primary_sends_nothing_to_a_newer_node(runs, target, expected):
    assert concerns("before 2.2.5", "pfsense", runs, "2.3.0", config_sync={"target": target}) == expected


@pytest.mark.parametrize(("runs", "comes", "expected"), [
    ("2.8.1", "2.7.2", True), ("2.7.2", "2.8.1", False), ("24.11", "24.03", True), ("2.8.1", "25.07", False), ("25.07", "2.8.1", False)])
def test_a_configuration_does_not_go_back(runs, comes, expected):
    assert concerns("nothing turns the configuration", "pfsense", runs, comes) == [True] * expected


@pytest.mark.parametrize(("platform", "runs", "comes", "expected"), [
    ("openbsd", "7.6", "7.7", False), ("openbsd", "7.6", "7.8", True), ("openbsd", "7.9", "8.0", False), ("openbsd", "7.8", "8.0", True),
    ("linux", "12", "13", False), ("linux", "12", "13.1", False), ("linux", "11", "13", True), ("linux", "12", "12.15", False)])
def test_no_release_is_skipped(platform, runs, comes, expected):
    assert concerns("without skipping any", platform, runs, comes) == [True] * expected


def test_other_distributions_have_rules_of_their_own():
    assert concerns("without skipping any", "linux", "22.04", "26.04", os={"id": "ubuntu"}) == []


@pytest.mark.parametrize("platform", ["linux", "freebsd", "openbsd", "pfsense", "opnsense"])
def test_to_stay_is_no_change(platform):
    assert told(platform, "14.2", "14.2", engine={"mtu": 9000}) == {}
