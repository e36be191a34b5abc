# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read is the configuration on the disk, whatever else PHP says or does."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

HOST = ("system", "hostname")


def test_absent_and_empty_are_told_apart_and_a_star_stands_for_every_key(node: PfsenseNode) -> None:
    node.edit("<hostname>fw1</hostname>", "<hostname>fw1</hostname><empty></empty><descr><![CDATA[A &amp; B &lt;\u00fc&gt;]]></descr>")
    paths = (HOST, ("system", "empty"), ("system", "none"), ("none", "at", "all"), ("system", "hostname", "deeper"), ("system", "descr"),
             ("interfaces", "*", "if"), ("interfaces", "*", "none"), ("none", "*", "if"), ("filter", "rule"))
    values = bridge.read(node, paths).values
    assert [values[path] for path in paths[:9]] == ["fw1", "", None, None, None, "A & B <ü>", {"wan": "em0", "lan": "em1", "opt1": "em2"}, {}, None]
    assert [rule["tracker"] for rule in values[("filter", "rule")]] == ["0100000101"]


def test_reading_changes_nothing_and_is_one_process(node: PfsenseNode) -> None:
    before = node.config
    bridge.read(node, [HOST])
    assert (node.config, node.journal("event", "command"), node.php_calls, node.changed) == (before, [], 1, False)


def test_the_same_configuration_is_the_same_revision(node: PfsenseNode) -> None:
    first = bridge.read(node, [HOST]).revision
    assert bridge.read(node, [HOST]).revision == first
    node.edit("fw1", "fw9")
    assert bridge.read(node, [HOST]).revision != first


def test_a_stale_cache_is_not_believed(node: PfsenseNode) -> None:
    node.php('write_config("cached");')
    node.config_path.write_text(node.config.replace("fw1", "edited"))
    (node.root / "tmp/config.lock").unlink()
    os.utime(node.config_path, (1_795_000_000, 1_795_000_000))
    assert bridge.read(node, [HOST]).values[HOST] == "edited"


def test_dots_notices_and_warnings_are_not_taken_for_the_answer(node: PfsenseNode) -> None:
    node.switch(chatter=True)
    (node.root / "var/run/booting").touch()
    assert bridge.read(node, [HOST]).values[HOST] == "fw1"


def test_a_file_that_is_written_while_it_is_read_is_read_again(node: PfsenseNode) -> None:
    node.switch(at_fresh="sed -i s/fw1/meanwhile/ %s" % node.config_path)
    assert bridge.read(node, [HOST]).values[HOST] == "meanwhile"


@pytest.mark.parametrize(("release", "there"), [("2.6.0-RELEASE", False), ("2.7.2-RELEASE", True)])
def test_functions_tell_what_a_release_has(make, release: str, there: bool) -> None:
    asked = ["filter_get_host_id", "write_config"]
    assert bridge.read(make(release), [], asked).functions == frozenset(asked if there else asked[1:])


def test_an_error_of_php_is_an_error_with_its_text_and_the_phase(node: PfsenseNode) -> None:
    (node.root / "etc/inc/functions.inc").write_text("<?php this is no php")
    with pytest.raises(NodeError, match="reading the configuration failed while loading: .*functions.inc"):
        bridge.read(node, [HOST])


def test_a_product_that_ends_the_process_is_an_error(node: PfsenseNode) -> None:
    node.config_path.write_text("")
    for backup in (node.root / "cf/conf/backup").glob("*"):
        backup.unlink()
    with pytest.raises(NodeError, match="failed while loading: the product ended the process"):
        bridge.read(node, [HOST])


def test_a_php_that_is_killed_is_an_error_with_what_it_said(node: PfsenseNode) -> None:
    (node.root / "etc/inc/shaper.inc").write_text("<?php file_put_contents('php://stderr', 'last words'); posix_kill(getmypid(), 9);")
    with pytest.raises(NodeError, match=r"PHP gave no answer \(status -?\d+\); it said: last words"):
        bridge.read(node, [HOST])


def test_an_answer_that_is_cut_short_is_none(node: PfsenseNode) -> None:
    assert bridge._answer('noise\nword\n{"a": 1}\nword\n', "word") == {"a": 1}
    for text in ('\nword\n{"a": 1}\n', '\nword\n{"a"\nword\n', '\nword\n[1]\nword\n', "", '\nword\n{}\nword\n\nword\n'):
        assert bridge._answer(text, "word") is None


def test_a_php_that_does_not_end_is_ended(node: PfsenseNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "READ_TIMEOUT", 0.5)
    node.switch(at_load="sleep 60 > /dev/null 2>&1")
    with pytest.raises(NodeError, match="did not end within"):
        bridge.read(node, [HOST])


def test_without_php_that_is_said(node: PfsenseNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_words", lambda argv: ["php-that-is-not-there"])
    with pytest.raises(NodeError, match="is not installed on this node"):
        bridge.read(node, [HOST])


def test_a_broken_configuration_is_an_error(make) -> None:
    node = make("2.7.2-RELEASE")
    node.edit("<hostname>fw1</hostname>", "<hostname>fw1</hostname><hostname>fw2</hostname>")
    with pytest.raises(NodeError, match="failed while loading: .*twice"):
        bridge.read(node, [HOST])
