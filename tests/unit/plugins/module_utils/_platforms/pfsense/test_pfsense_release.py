# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import is_pfsense, parse, release_of
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode


@pytest.mark.parametrize(("version", "patch", "edition", "shown"), [
    ("2.7.2-RELEASE\n", "", "CE", "pfSense 2.7.2"),
    ("2.6.0-RELEASE\n", "0\n", "CE", "pfSense 2.6.0"),
    ("2.4.5-RELEASE\n", "1\n", "CE", "pfSense 2.4.5-p1"),
    ("2.0.3p1-RELEASE\n", "", "CE", "pfSense 2.0.3-p1"),
    ("2.9.0-DEVELOPMENT\n", "", "CE", "pfSense 2.9.0-DEVELOPMENT"),
    ("23.09.1-RELEASE\n", "", "Plus", "pfSense Plus 23.09.1"),
    ("22.01-RELEASE\n", "", "Plus", "pfSense Plus 22.01"),
    ("25.07-BETA\n", "", "Plus", "pfSense Plus 25.07-BETA"),
])
def test_releases_are_read_with_their_edition(version: str, patch: str, edition: str, shown: str) -> None:
    release = parse(version, patch)
    assert release is not None
    assert (release.edition, str(release)) == (edition, shown)


@pytest.mark.parametrize("version", ["", "pfSense", "2", "v2.7.2", "2.7.2 RELEASE"])
def test_anything_else_is_no_release(version: str) -> None:
    assert parse(version) is None


@pytest.mark.parametrize(("version", "is_so"), [("2.6.0-RELEASE", False), ("2.7.0-RELEASE", True), ("22.05-RELEASE", False), ("23.01-RELEASE", True)])
def test_each_edition_has_its_own_count(version: str, is_so: bool) -> None:
    release = parse(version)
    assert release is not None and release.since((2, 7, 0), (23, 1, 0)) is is_so


@pytest.mark.parametrize(("version", "problem"), [
    ("2.5.2-RELEASE", "runs pfSense 2.5.2; this collection drives 2.6.0 and later"), ("21.05-RELEASE", "runs pfSense Plus 21.05; .*Plus 22.01 and later"),
    ("nonsense", "says 'nonsense', which is no release"),
])
def test_what_is_too_old_or_unknown_is_named(tmp_path: Path, version: str, problem: str) -> None:
    node = PfsenseNode(tmp_path / "node")
    (node.root / "etc/version").write_text(version + "\n")
    with pytest.raises(NodeError, match=problem):
        release_of(node)


def test_a_node_says_by_its_files_what_it_is(tmp_path: Path) -> None:
    node = PfsenseNode(tmp_path / "node")
    assert is_pfsense(node)
    (node.root / "etc/version").unlink()
    assert not is_pfsense(node)
    with pytest.raises(NodeError, match="/etc/version is missing"):
        release_of(node)


def test_another_freebsd_is_none(tmp_path: Path) -> None:
    node = PfsenseNode(tmp_path / "node")
    (node.root / "etc/platform").write_text("other\n")
    assert not is_pfsense(node)
