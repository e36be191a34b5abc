# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known about each release: the facts as they were read, row by row; and what is not known stays unknown."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.kernel_release import parse as parse_kernel
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import TABLES, edition, formats_of, knowledge
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import (
    CONFIDENCE,
    DERIVED,
    DOCUMENTED,
    READ,
    UNVERIFIED,
    Note,
    parse,
    weakest,
)

_ALL = [(platform, span) for platform, table in TABLES.items() for span in table]


@pytest.mark.parametrize(("release", "byte", "understands", "emits", "pinnable", "confidence"), [
    ("5.3-RELEASE", 2, (2,), 2, False, DERIVED), ("6.4-RELEASE", 2, (2,), 2, False, DERIVED), ("7.0-RELEASE", 3, (3,), 3, False, DERIVED),
    ("8.4-RELEASE", 3, (3,), 3, False, DERIVED), ("9.0-RELEASE", 5, (1301,), 1301, False, READ), ("9.3-RELEASE-p5", 5, (1301,), 1301, False, READ),
    ("10.0-RELEASE", 5, (1301,), 1301, False, READ), ("12.4-RELEASE", 5, (1301,), 1301, False, READ), ("13.2-RELEASE", 5, (1301,), 1301, False, READ),
    ("13.3-RELEASE", 5, (1301,), 1301, False, DERIVED), ("13.5-RELEASE", 5, (1301,), 1301, False, DERIVED), ("13", 5, (1301,), 1301, False, READ),
    ("14.0-RELEASE", 5, (1301, 1400), 1400, True, READ), ("14.2-BETA1", 5, (1301, 1400), 1400, True, READ), ("14.3-STABLE", 5, (1301, 1400), 1400, True, READ),
    ("15.0-RELEASE", 5, (1301, 1400, 1500), 1500, True, READ), ("15.1-RELEASE-p3", 5, (1301, 1400, 1500), 1500, True, READ),
])
def test_freebsd(release: str, byte: int, understands: tuple[int, ...], emits: int, pinnable: bool, confidence: str) -> None:
    row = knowledge("freebsd", release)
    assert (row.version_byte, row.understands, row.emits, row.pinnable, row.confidence) == (byte, understands, emits, pinnable, confidence)
    assert (row.release, row.base, row.state_policy_default) == (release, f"FreeBSD {release}", "floating")


@pytest.mark.parametrize(("release", "byte", "confidence"), [
    ("3.3", 1, READ), ("3.4", 2, UNVERIFIED), ("3.9", 2, UNVERIFIED), ("4.0", 3, UNVERIFIED), ("4.1", 3, READ), ("4.3", 3, READ), ("4.4", 4, UNVERIFIED),
    ("4.5", 5, DOCUMENTED), ("4.6", 5, UNVERIFIED), ("4.7", 5, UNVERIFIED), ("4.8", 6, READ), ("5.9", 6, READ), ("7.6", 6, READ), ("7.9", 6, READ),
])
def test_openbsd(release: str, byte: int, confidence: str) -> None:
    row = knowledge("openbsd", release)
    assert (row.version_byte, row.understands, row.emits, row.pinnable, row.confidence) == (byte, (byte,), byte, False, confidence)
    assert row.how == ""


@pytest.mark.parametrize(("platform", "release", "base", "understands", "emits", "policy"), [
    ("pfsense-ce", "1.2.3", "FreeBSD 7.2", (3,), 3, "if-bound"), ("pfsense-ce", "2.0.3p1-RELEASE", "FreeBSD 8.1", (3,), 3, "if-bound"),
    ("pfsense-ce", "2.1.5", "FreeBSD 8.3", (3,), 3, "if-bound"), ("pfsense-ce", "2.2.6", "FreeBSD 10.1", (1301,), 1301, "if-bound"),
    ("pfsense-ce", "2.3.5-p2", "FreeBSD 10.3", (1301,), 1301, "if-bound"), ("pfsense-ce", "2.4.3-p1", "FreeBSD 11.1", (1301,), 1301, "if-bound"),
    ("pfsense-ce", "2.4.4-p3", "FreeBSD 11.2", (1301,), 1301, "if-bound"), ("pfsense-ce", "2.4.5-p1", "FreeBSD 11.3-STABLE", (1301,), 1301, "if-bound"),
    ("pfsense-ce", "2.5.2-RELEASE", "FreeBSD 12.2-STABLE", (1301,), 1301, "if-bound"),
    ("pfsense-ce", "2.6.0-RELEASE", "FreeBSD 12.3-STABLE", (1301,), 1301, "floating"),
    # From here on the kernels are from between two releases; the policy changes at 2.8 and 24.03.
    ("pfsense-ce", "2.7.2-RELEASE", "FreeBSD 14.0-CURRENT", None, None, "floating"), ("pfsense-ce", "2.8.1", "FreeBSD 15.0-CURRENT", None, None, "if-bound"),
    ("pfsense-ce", "2.9.0", None, None, None, "if-bound"),
    ("pfsense-plus", "21.05.2-RELEASE", "FreeBSD 12.2-STABLE", (1301,), 1301, "if-bound"),
    ("pfsense-plus", "22.05-RELEASE", "FreeBSD 12.3-STABLE", (1301,), 1301, "floating"),
    ("pfsense-plus", "23.09.1-RELEASE", "FreeBSD 14.0-CURRENT", None, None, "floating"),
    ("pfsense-plus", "24.03-RELEASE", "FreeBSD 15.0-CURRENT", None, None, "if-bound"),
    ("pfsense-plus", "25.11", "FreeBSD 16.0-CURRENT", None, None, "if-bound"), ("pfsense-plus", "26.03", None, None, None, "if-bound"),
    ("opnsense", "20.7.8_4", "HardenedBSD 12.1", (1301,), 1301, None), ("opnsense", "21.10", "HardenedBSD 12.1", (1301,), 1301, None),
    ("opnsense", "22.1.10", "FreeBSD 13-STABLE", (1301,), 1301, None), ("opnsense", "23.4.2", "FreeBSD 13.1", (1301,), 1301, None),
    ("opnsense", "24.1.10_8", "FreeBSD 13.2", (1301,), 1301, None), ("opnsense", "24.7", "FreeBSD 14.1", (1301, 1400), 1400, None),
    ("opnsense", "24.10.2", "FreeBSD 14.1", (1301, 1400), 1400, None), ("opnsense", "25.1.12", "FreeBSD 14.2", (1301, 1400), 1400, None),
    ("opnsense", "25.7", "FreeBSD 14.3", (1301, 1400), 1400, None), ("opnsense", "26.1.11", "FreeBSD 14.3", (1301, 1400), 1400, None),
    # The kernel would send 1500 by itself; the product's setting says 1400. Since 26.7.4 that depends on how the node was installed.
    ("opnsense", "26.7", "FreeBSD 15.1", (1301, 1400, 1500), 1400, None), ("opnsense", "26.7.3", "FreeBSD 15.1", (1301, 1400, 1500), 1400, None),
    ("opnsense", "26.7.4_1", "FreeBSD 15.1", (1301, 1400, 1500), None, None),
])
def test_products(platform: str, release: str, base: str | None, understands: tuple[int, ...] | None, emits: int | None, policy: str | None) -> None:
    row = knowledge(platform, release)
    assert (row.base, row.understands, row.emits, row.state_policy_default) == (base, understands, emits, policy)


@pytest.mark.parametrize(("platform", "release", "pinnable"), [
    ("pfsense-ce", "2.6.0", False), ("pfsense-ce", "2.7.2", None), ("opnsense", "24.1", False), ("opnsense", "24.7", True), ("opnsense", "26.7.5", True),
    ("freebsd", "13.2-RELEASE", False), ("freebsd", "14.0-RELEASE", True), ("linux", "1.4.8", False)])
def test_where_a_format_can_be_chosen_it_is_said_how(platform: str, release: str, pinnable: bool | None) -> None:
    row = knowledge(platform, release)
    assert row.pinnable is pinnable
    assert ("{format}" in row.how) is (pinnable is not False)


@pytest.mark.parametrize(("release", "version"), [("0.9.9", 0), ("1.0.1", 0), ("1.2.0", 1), ("1.4.4", 1), ("1:1.4.7-1+b2", 1), ("1.4.8", 1), ("1.4.9", 1)])
def test_conntrackd(release: str, version: int) -> None:
    row = knowledge("linux", release)
    assert (row.version_byte, row.understands, row.emits, row.confidence, row.base) == (version, (version,), version, READ, None)


@pytest.mark.parametrize(("platform", "release"), [
    ("freebsd", "14.0-CURRENT"), ("freebsd", "15.0-CURRENT"), ("freebsd", "16.0-CURRENT"), ("freebsd", "15.0-ALPHA2"), ("freebsd", "14.0-BETA3"),
    ("freebsd", "15.0-RC1"), ("freebsd", "15.0-PRERELEASE"), ("pfsense-ce", "2.6.0-DEVELOPMENT"), ("pfsense-plus", "22.05-BETA"), ("opnsense", "26.7.r1"),
    ("opnsense", "25.1.b"), ("opnsense", "26.7.a_57"), ("opnsense", "26.7.r1_3"),
    ("opnsense", "26.7.b_3"), ("openbsd", "7.6-current"), ("openbsd", "7.6-beta")])
def test_from_between_two_releases_nothing_is_concluded(platform: str, release: str) -> None:
    row = knowledge(platform, release)
    assert (row.understands, row.emits, row.pinnable, row.possible, row.confidence) == (None, None, None, None, UNVERIFIED)


def test_a_byte_that_the_releases_before_and_after_share_is_sure() -> None:
    assert knowledge("freebsd", "14.0-CURRENT").version_byte == 5
    assert knowledge("freebsd", "9.0-CURRENT").version_byte is None


@pytest.mark.parametrize(("platform", "release"), [
    ("freebsd", "16.0-RELEASE"), ("freebsd", "5.2"), ("openbsd", "8.0"), ("openbsd", "3.2"), ("pfsense-ce", "2.10"), ("pfsense-ce", "24.03"),
    ("pfsense-plus", "2.7.2"), ("pfsense-plus", "26.01"), ("opnsense", "27.1"), ("opnsense", "24.9"), ("linux", "1.5.0"), ("linux", "0.9.8"),
    ("linux", "1.1.0")])
def test_a_release_that_is_not_in_the_table_is_unknown(platform: str, release: str) -> None:
    row = knowledge(platform, release)
    assert (row.version_byte, row.understands, row.emits, row.pinnable, row.possible, row.confidence) == (None, None, None, None, None, UNVERIFIED)
    assert row.source == "this release is not in the table"


@pytest.mark.parametrize(("platform", "release", "said"), [
    ("pfsense", "2.7.2", r"platform: 'pfsense' is none that is known; give one of pfsense-ce, pfsense-plus"), (None, "14.2", "platform: None is none"),
    (["freebsd"], "14.2", "platform: .* is none"), ("freebsd", 14.2, r"release: 14.2 is no text; write it between quotes"), ("freebsd", None, "release: None"),
    ("opnsense", "latest", r"release: 'latest' names no release; .* as 26.1.4"), ("freebsd", "", "names no release"), ("freebsd", "14.2 RELEASE", "names no"),
    ("freebsd", "123456", "names no release"), ("freebsd", "14..3", "names no release"), ("freebsd", "15.x-RELEASE", "names no release"),
    ("linux", "1.4.x", "names no release"), ("opnsense", "26.7.z", "names no release"),
    ("freebsd", "14.2-" + 100 * "x", "names no release"), ("linux", "٣.٤", "names no release")])
def test_a_wrong_question_is_a_clear_error(platform: Any, release: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        knowledge(platform, release)


@pytest.mark.parametrize(("platform", "span"), _ALL)
def test_every_row_is_sourced_and_hangs_together(platform: str, span: Any) -> None:
    row = knowledge(platform, ".".join(map(str, span.since)))
    assert row.source and row.confidence in CONFIDENCE[1:]
    assert row.emits is None or row.emits in (row.understands or ())
    assert row.understands is None or row.understands == tuple(sorted(row.understands))
    assert span.since < span.before
    assert row.notes and all(isinstance(note, Note) and note.text and note.link.startswith("https://") for note in row.notes)


@pytest.mark.parametrize("platform", TABLES)
def test_no_two_rows_are_about_one_release(platform: str) -> None:
    table = sorted(TABLES[platform], key=lambda span: span.since)
    assert all(one.before <= other.since for one, other in zip(table, table[1:]))


@pytest.mark.parametrize(("platform", "release", "part", "link"), [
    ("pfsense-plus", "24.03", "interface names", "issues/15173"), ("pfsense-ce", "2.8.0", "interface names", "issues/15173"),
    ("pfsense-ce", "2.7.0", "host id", "issues/12702"), ("pfsense-plus", "22.05", "host id", "issues/12702"),
    ("pfsense-ce", "2.7.0", "order: the secondary first", "upgrade-guide-ha.html"), ("opnsense", "26.1.4", "order: ", "releases/CE_26.1.html"),
    ("opnsense", "24.7", "keeps format 1301", "issues/7485"), ("freebsd", "15.0-RELEASE", "pin 1400 before", "D52176"),
    ("freebsd", "14.3-RELEASE", "order: the standby", "14.3R/relnotes"), ("openbsd", "7.6", "order: the standby", "upgrade76.html"),
    ("linux", "1.4.8", "must be equal on all nodes", "conntrack-tools.netfilter.org")])
def test_what_people_with_clusters_should_know(platform: str, release: str, part: str, link: str) -> None:
    assert any(part in note.text and link in note.link for note in knowledge(platform, release).notes)


@pytest.mark.parametrize(("platform", "release", "part"), [("pfsense-ce", "2.7.2", "interface names"), ("pfsense-ce", "2.6.0", "host id"),
                                                           ("opnsense", "24.1", "keeps format 1301"), ("freebsd", "15.0-RELEASE", "4080")])
def test_a_note_is_told_where_it_holds(platform: str, release: str, part: str) -> None:
    assert not any(part in note.text for note in knowledge(platform, release).notes)


@pytest.mark.parametrize("release", ["9.3-RELEASE", "12.4-RELEASE", "13.2-RELEASE-p1", "14.2-RELEASE", "15.0-RELEASE"])
def test_nodes_and_controller_know_the_same_formats(release: str) -> None:
    kernel = parse_kernel(release)
    assert kernel is not None
    assert kernel.formats == knowledge("freebsd", release).understands


@pytest.mark.parametrize(("platform", "version", "formats"), [
    ("pfsense", "2.6.0-RELEASE", (1301,)), ("pfsense", "22.05-RELEASE", (1301,)), ("pfsense", "2.7.2-RELEASE", None), ("pfsense", "23.09", None),
    ("freebsd", "14.2-RELEASE", (1301, 1400)), ("freebsd", "what", None), ("pfsense", None, None)])
def test_formats_by_the_words_of_the_evidence(platform: str, version: str | None, formats: tuple[int, ...] | None) -> None:
    assert formats_of(platform, version) == formats


@pytest.mark.parametrize(("platform", "release", "name"), [("pfsense", "2.7.2", "pfsense-ce"), ("pfsense", "24.03-RELEASE", "pfsense-plus"),
                                                           ("pfsense", None, "pfsense-ce"), ("freebsd", "24.03", "freebsd")])
def test_pfsense_is_two_platforms(platform: str, release: str | None, name: str) -> None:
    assert edition(platform, release) == name


@pytest.mark.parametrize(("text", "numbers", "snapshot", "candidate"), [
    ("14.2-RELEASE-p1", (14, 2), False, False), ("2.0.3p1-RELEASE", (2, 0, 3), False, False), ("1:1.4.7-1+b2", (1, 4, 7), False, False),
    ("26.7.4_1", (26, 7, 4), False, False), ("26.7.r1", (26, 7), False, True), ("14.0-CURRENT", (14, 0), True, False), (" 7.6 ", (7, 6), False, False),
    ("1.4.7-1ubuntu1", (1, 4, 7), False, False), ("1.4.8-2.arch1", (1, 4, 8), False, False), ("15.0-RC2", (15, 0), False, True)])
def test_releases_are_read(text: str, numbers: tuple[int, ...], snapshot: bool, candidate: bool) -> None:
    release = parse(text)
    assert release is not None
    assert (release.text, release.numbers, release.snapshot, release.candidate) == (text.strip(), numbers, snapshot, candidate)


def test_a_chain_is_as_strong_as_its_weakest_link() -> None:
    assert weakest(READ, UNVERIFIED, DERIVED) == UNVERIFIED
    assert weakest(READ) == READ
