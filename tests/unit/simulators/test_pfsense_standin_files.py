# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in of pfSense treats its files as the product does: config.xml, its cache, and its backups."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

RELEASES = ("2.6.0-RELEASE", "2.7.2-RELEASE", "2.8.1-RELEASE", "2.9.0-RELEASE")
OLDER = "<revision>\n\t\t<time>1795000000"
Maker = Callable[..., PfsenseNode]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return lambda release="2.7.2-RELEASE", **layout: PfsenseNode(tmp_path / "node", release=release, **layout)


def says(node: PfsenseNode, code: str) -> str:
    done = node.php(code)
    assert done.status == 0, done
    return done.stdout


def shown(node: PfsenseNode, xml: str) -> str:
    """What PHP has of these elements."""
    node.edit("<hostname>fw1</hostname>", xml)
    return says(node, 'echo json_encode($config["system"], JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);')


@pytest.mark.parametrize("release", RELEASES)
def test_writing_changes_the_revision_and_nothing_else(make: Maker, release: str) -> None:
    node = make(release)
    says(node, 'write_config("tested");')
    kept = [line for line in node.config.splitlines() if line not in CONFIG.splitlines()]
    assert len(kept) == 2 and kept[1].strip() == "<description><![CDATA[(system): tested]]></description>"


def test_only_the_form_of_empty_elements_and_empty_lists_do_not_survive(make: Maker) -> None:
    node = make()
    node.edit("<hostname>fw1</hostname>", "<hostname>fw1</hostname>\n\t\t<dnsserver></dnsserver>\n\t\t<odd>\n\t\t</odd>\n\t\t<Upper>x</Upper>")
    says(node, 'write_config("t");')
    assert "<odd></odd>" in node.config and "dnsserver" not in node.config and "<upper>x</upper>" in node.config


@pytest.mark.parametrize(("xml", "value"), [
    ("<descr><![CDATA[A &amp; B]]></descr>", '"descr":"A & B"'),
    ("<descr>A &amp; B</descr>", '"descr":"A & B"'),
    ("<descr><![CDATA[caf&eacute; <b>]]></descr>", '"descr":"café <b>"'),
    ("<hostname>Gr\u00fc\u00dfe</hostname>", '"hostname":"Grüße"'),
    ("<hostname/>", '"hostname":""'),
    ("<rule><type>pass</type></rule>", '"rule":[{"type":"pass"}]'),
    ("<member>a</member><member>b</member>", '"member":["a","b"]'),
])
def test_values_and_lists(make: Maker, xml: str, value: str) -> None:
    assert value in shown(make(), xml)


@pytest.mark.parametrize(("value", "line"), [
    ('["descr" => "A & B"]', "<descr><![CDATA[A &amp; B]]></descr>"), ('["statetype" => "keep state"]', "<statetype><![CDATA[keep state]]></statetype>"),
    ('["on" => true]', "<on></on>"), ('["off" => false, "on" => ""]', "<on></on>"), ('["member" => ["a", "b"]]', "<member>a</member>\n\t\t<member>b</member>"),
])
def test_how_values_are_written(make: Maker, value: str, line: str) -> None:
    node = make()
    says(node, f'$config["test"] = {value}; write_config("t");')
    assert f"\t<test>\n\t\t{line}\n\t</test>" in node.config


@pytest.mark.parametrize("release", RELEASES)
def test_a_tag_that_is_there_twice_is_fatal_or_brings_the_newest_backup_back(make: Maker, release: str) -> None:
    node = make(release)
    says(node, 'write_config("first"); sleep(1); write_config("second");')
    node.edit("<hostname>fw1</hostname>", "<hostname>fw1</hostname><hostname>fw2</hostname>")
    done = node.php('echo $config["revision"]["description"];')
    if release < "2.8":
        assert done.status == 255 and "twice" in done.stderr and "fw2" in node.config
    else:
        assert done.stdout == "(system): first" and "fw2" not in node.config
        assert "fw2" in (node.root / "cf/conf/config.xml.bad").read_text()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("broken", ["", "<pfsense><system>"])
def test_a_broken_file_is_replaced_by_the_newest_backup_that_can_be_read(make: Maker, release: str, broken: str) -> None:
    node = make(release)
    says(node, 'write_config("first"); sleep(1); write_config("second");')
    (node.root / "cf/conf/backup/config-9999999999.xml").write_text("")
    node.config_path.write_text(broken)
    for name in ("cache", "lock"):
        (node.root / f"tmp/config.{name}").unlink(missing_ok=True)
    node.php("")
    assert "(system): first" in node.config
    assert node.journal("notice")


@pytest.mark.parametrize("release", RELEASES)
def test_a_stale_cache_reverts_an_edit_up_to_2_8(make: Maker, release: str) -> None:
    node = make(release)
    says(node, 'write_config("first");')
    (node.root / "tmp/config.lock").unlink()
    cache = node.root / "tmp/config.cache"
    node.config_path.write_text(node.config.replace("fw1", "edited"))
    os.utime(cache, (1_795_000_000, 1_795_000_000))
    says(node, 'write_config("second");')
    assert ("edited" in node.config) is release.startswith("2.9")


def test_the_newest_release_trusts_the_cache_only_until_somebody_took_the_lock(make: Maker) -> None:
    node = make("2.9.0-RELEASE")
    says(node, "")
    node.config_path.write_text(node.config.replace("fw1", "edited"))
    os.utime(node.config_path, (1_795_000_000, 1_795_000_000))
    assert says(node, 'echo $config["system"]["hostname"];') == "fw1"
    (node.root / "tmp/config.lock").touch()
    assert says(node, 'echo $config["system"]["hostname"];') == "edited"


@pytest.mark.parametrize("release", RELEASES)
def test_a_backup_is_named_by_the_revision_that_it_holds_and_entered_in_the_list(make: Maker, release: str) -> None:
    node = make(release)
    answer = says(node, 'write_config("t"); echo json_encode(get_backups());')
    assert (node.root / "cf/conf/backup/config-1795000000.xml").read_text() == CONFIG
    assert '"1795000000":{"description":"(system): assigned","version":"23.3","filesize":%d}' % len(CONFIG) in answer
    assert node.journal("event") == ["filter sync"]


def test_of_backups_the_newest_are_kept_unknown_ones_entered_and_empty_ones_removed(make: Maker) -> None:
    node = make()
    folder = node.root / "cf/conf/backup"
    for time in range(1_700_000_000, 1_700_000_003):
        (folder / f"config-{time}.xml").write_text(CONFIG)
    (folder / "config-1600000000.xml").write_text("")
    (folder / "config-1600000001.xml").write_text("<pfsense>")
    answer = says(node, '$config["system"]["backupcount"] = 3; write_config("t"); echo implode(",", array_keys(get_backups()));')
    assert answer == "1795000000,1700000002,1700000001"
    assert sorted(path.name[7:-4] for path in folder.glob("*.xml")) == ["1700000001", "1700000002", "1795000000"]


@pytest.mark.parametrize("release", RELEASES)
def test_a_full_disk_is_a_return_value_and_the_old_file_stays(make: Maker, release: str) -> None:
    node = make(release)
    node.switch(disk_full=True)
    assert says(node, '$config["system"]["hostname"] = "new"; var_dump(write_config("t"));') == "int(-1)\n"
    assert node.config == CONFIG
    assert node.journal("notice") and not node.journal("event")


def test_a_change_that_is_not_allowed_is_false(make: Maker) -> None:
    assert says(make(), '$config["reset_factory_defaults"] = ""; var_dump(write_config("t"));') == "bool(false)\n"


def test_only_the_configuration_is_written_when_so_asked(make: Maker) -> None:
    node = make()
    says(node, 'write_config("t", true, true);')
    assert node.journal("event") == []
