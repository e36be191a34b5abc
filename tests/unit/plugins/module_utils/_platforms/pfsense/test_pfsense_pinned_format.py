# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The format of pfsync's messages on pfSense: set now, kept across a boot, and taken off again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import info, state_sync
from ansible_collections.hafirewall.cluster.plugins.modules.state_sync import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
ON = dict(DEFAULTS, interface="em2", address="198.51.100.129", network="198.51.100.128/28")
OFF = dict(DEFAULTS, enabled=False)
COMMAND = "/sbin/ifconfig pfsync0 version 1301 # hafirewall.cluster"
WRITTEN = 'write_config("hafirewall.cluster: state sync on opt1")'
# What a boot would do without harm, with what is special to XML.
THEIRS = ["/usr/bin/true &amp;&amp; /usr/bin/true", "/usr/bin/false"]
# The package Shellcmd, with a command that it runs and one that it does not.
ROWS = "".join(f"<config><cmd>{text}</cmd><cmdtype>{kind}</cmdtype><description><![CDATA[caf&eacute;]]></description></config>"
               for text, kind in ((THEIRS[0], "shellcmd"), (COMMAND, "disabled"), (THEIRS[1], "shellcmd")))


def apply(node: PfsenseNode, version: int | None = 1301, **changes: Any) -> dict[str, Any]:
    return state_sync.apply(node, dict(ON, version=version, **changes))


def drift(result: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(item["setting"], item["is"], item["wanted"]) for item in result["drift"]]


def running(node: PfsenseNode) -> int | None:
    version = node.kernel("pfsync")["version"]
    assert version is None or f"version: {version}\n" in node.query(["ifconfig", "pfsync0"]).stdout
    return version


def commands(node: PfsenseNode) -> list[str]:
    return re.findall(r"<shellcmd>(.*)</shellcmd>", node.config)


def rows(node: PfsenseNode) -> list[tuple[str, str]]:
    return re.findall(r"<cmd>(.*)</cmd>\s*<cmdtype>(.*)</cmdtype>", node.config)


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


@pytest.fixture(params=["2.7.2-RELEASE", "2.9.0-RELEASE"])
def synced(request: pytest.FixtureRequest, make) -> PfsenseNode:
    """A node that shares states in its kernel's own format, and runs two commands of somebody else's at boot."""
    node = make(request.param)
    node.edit("</system>", "".join(f"<shellcmd>{text}</shellcmd>" for text in THEIRS) + "</system>")
    apply(node, None)
    assert running(node) == 1400
    return node.again()


@pytest.fixture
def packaged(synced: PfsenseNode) -> PfsenseNode:
    """The same with the package Shellcmd, whose own list the two are in."""
    package = f"<package><name>Shellcmd</name></package><shellcmdsettings>{ROWS}</shellcmdsettings>"
    synced.edit("<filter>", f"<installedpackages>{package}</installedpackages><filter>")
    assert synced.php('write_config("as the product writes it");').status == 0
    return synced.again()


def test_a_format_is_set_and_kept_across_a_boot_and_a_second_run_does_nothing(synced: PfsenseNode) -> None:
    result = apply(synced)
    assert drift(result) == [("format at boot", None, 1301), ("format as running", 1400, 1301)]
    assert synced.commands == [WRITTEN, "ifconfig pfsync0 version 1301"]
    assert (running(synced), commands(synced)) == (1301, [*THEIRS, COMMAND])
    synced.boot()
    assert (running(synced), synced.kernel("pfsync")["syncdev"]) == (1301, "em2")
    again, run = synced.again(), synced.journal("command")
    assert apply(again)["drift"] == [] and not again.changed
    assert synced.journal("command") == run


def test_without_a_pin_a_boot_brings_the_kernels_own_format_back(synced: PfsenseNode) -> None:
    synced.query(["ifconfig", "pfsync0", "version", "1301"])
    assert apply(synced, None)["drift"] == [] and not synced.changed
    synced.boot()
    assert running(synced) == 1400


@pytest.mark.parametrize("version", [1301, 1400, None])
@pytest.mark.parametrize("before", [1301, None])
def test_check_mode_predicts_and_touches_nothing(synced: PfsenseNode, before: int | None, version: int | None) -> None:
    apply(synced, before)
    check, real = synced.again(check_mode=True), synced.again()
    config, run = synced.config, synced.journal("command")
    predicted = apply(check, version)
    assert (synced.config, synced.journal("command")) == (config, run)
    assert apply(real, version) == predicted
    assert (check.commands, check.diffs) == (real.commands, real.diffs)
    assert (apply(synced.again(), version)["drift"], running(synced)) == ([], version or 1400)


def test_the_diff_shows_the_command_and_no_other(synced: PfsenseNode) -> None:
    off = synced.again()
    apply(synced)
    apply(off, None)
    header, line = {"before_header": "/cf/conf/config.xml", "after_header": "/cf/conf/config.xml"}, f"system/shellcmd: {COMMAND}\n"
    assert synced.diffs == [{**header, "before": "", "after": line}]
    assert off.diffs == [{**header, "before": line, "after": ""}]


def test_a_fresh_node_gets_it_after_pfsync_was_set_up(make) -> None:
    node = make()
    apply(node)
    assert node.commands == [WRITTEN, "interfaces_sync_setup()", "ifconfig pfsync0 version 1301"]
    assert (running(node), commands(node)) == (1301, [COMMAND])


def test_a_format_that_is_in_force_is_not_set_again(synced: PfsenseNode) -> None:
    apply(synced, 1400)
    assert synced.commands == [WRITTEN]
    assert not any("version" in command for command in synced.journal("command"))


@pytest.mark.parametrize("after", [dict(ON), dict(ON, version=1400), OFF, dict(OFF, version=1301)])
def test_the_command_goes_with_the_option_or_with_state_sync_and_nothing_else_does(synced: PfsenseNode, after: dict[str, Any]) -> None:
    before = without_revision(synced.config)
    apply(synced)
    synced.edit(f"<shellcmd>{COMMAND}</shellcmd>", f"<shellcmd>{COMMAND}</shellcmd><shellcmd>/usr/bin/true later</shellcmd>")
    state_sync.apply(synced.again(), after)
    assert commands(synced) == [*THEIRS, "/usr/bin/true later", *([COMMAND.replace("1301", "1400")] if after.get("version") == 1400 else [])]
    assert running(synced) == 1400
    if after == ON:
        assert without_revision(synced.config).replace("\t\t<shellcmd>/usr/bin/true later</shellcmd>\n", "") == before
    last = synced.again()
    assert state_sync.apply(last, after)["drift"] == [] and not last.changed


def test_a_format_that_runs_otherwise_than_kept_is_set_again_without_a_change_of_the_configuration(synced: PfsenseNode) -> None:
    apply(synced)
    synced.query(["ifconfig", "pfsync0", "version", "0"])
    again, config = synced.again(), synced.config
    assert drift(apply(again)) == [("format as running", 1400, 1301)]
    assert (again.commands, again.diffs, synced.config, running(synced)) == (["ifconfig pfsync0 version 1301"], [], config, 1301)


# The package Shellcmd writes system/shellcmd from rows of its own


def test_where_the_package_is_the_command_has_a_row_in_it(packaged: PfsenseNode) -> None:
    before = without_revision(packaged.config)
    apply(packaged)
    assert rows(packaged) == [(THEIRS[0], "shellcmd"), (COMMAND, "disabled"), (THEIRS[1], "shellcmd"), (COMMAND, "shellcmd")]
    # What the package would write is what is there: it has nothing to do, and does not take the command away.
    assert [text for text, kind in rows(packaged) if kind == "shellcmd"] == commands(packaged)
    again = packaged.again()
    assert apply(again)["drift"] == [] and not again.changed
    apply(packaged.again(), None)
    assert without_revision(packaged.config) == before


@pytest.mark.parametrize("lost", [f"\t\t<shellcmd>{COMMAND}</shellcmd>\n", f"<cmd>{COMMAND}</cmd>\n\t\t\t\t<cmdtype>shellcmd</cmdtype>"])
def test_what_the_package_or_a_person_took_away_comes_again(packaged: PfsenseNode, lost: str) -> None:
    apply(packaged)
    packaged.edit(lost, "" if lost.endswith("\n") else "<cmd>x</cmd><cmdtype>disabled</cmdtype>")
    assert drift(apply(packaged.again())) == [("format at boot", None if lost.endswith("\n") else 1301, 1301)]
    assert [text for text, kind in rows(packaged) if kind == "shellcmd"] == commands(packaged) == [*THEIRS, COMMAND]


@pytest.mark.parametrize("there", ["<package><name>one</name></package><package><name>Shellcmd</name></package>",
                                   "<shellcmdsettings><config></config></shellcmdsettings>", "<shellcmdsettings></shellcmdsettings>"])
def test_the_package_is_known_by_its_name_or_its_settings(make, there: str) -> None:
    node = make()
    node.edit("<filter>", f"<installedpackages>{there}</installedpackages><filter>")
    apply(node)
    assert rows(node) == [(COMMAND, "shellcmd")]


# What cannot be


@pytest.mark.parametrize("version", [1400, 1500])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_kernel_without_the_choice_refuses_another_before_anything_is_touched(make, version: int, check_mode: bool) -> None:
    node = make("2.6.0-RELEASE").again(check_mode=check_mode)
    before = node.config
    with pytest.raises(NodeError, match="version: this kernel has no choice of formats, and sends 1301; leave the option out, or choose that one"):
        apply(node, version)
    assert (node.config, node.changed, node.journal("command")) == (before, False, [])


def test_a_kernel_without_the_choice_has_the_oldest_format_anyway(make) -> None:
    node = make("2.6.0-RELEASE")
    apply(node)
    assert (node.commands, commands(node)) == ([WRITTEN, "interfaces_sync_setup()"], [])
    assert apply(node.again())["drift"] == []


def test_a_format_that_the_kernel_does_not_know_is_taken_back(packaged: PfsenseNode) -> None:
    synced = packaged
    apply(synced)
    # What comes behind ours stays behind it.
    synced.edit(f"<shellcmd>{COMMAND}</shellcmd>", f"<shellcmd>{COMMAND}</shellcmd><shellcmd>/usr/bin/true last</shellcmd>")
    synced.edit("</shellcmdsettings>", "<config><cmd>/usr/bin/true last</cmd><cmdtype>shellcmd</cmdtype></config></shellcmdsettings>")
    assert synced.php('write_config("as the product writes it");').status == 0
    before, asked = without_revision(synced.config), len(synced.journal("command"))
    again = synced.again()
    with pytest.raises(NodeError, match=r"pfsync0 does not run as configured: the format, which this kernel may not know, is 1301, wanted is 1500 "
                                        r"\(everything was put back as it was\)"):
        apply(again, 1500)
    assert (without_revision(synced.config), running(synced), again.changed) == (before, 1301, False)
    # It was asked once, and what it had all the time was not set again.
    assert synced.journal("command")[asked:] == ["ifconfig pfsync0 version 1500"]


def test_a_failure_after_the_format_was_set_puts_the_old_one_back(make) -> None:
    node = make()
    apply(node, None)
    node.kernel("pfsync", syncpeer="198.51.100.140")
    node.kernel(pfsync_refuses="-syncpeer")
    before = without_revision(node.config)
    with pytest.raises(NodeError, match=r"peer as running is 198\.51\.100\.140, wanted is None \(everything was put back as it was\)"):
        apply(node.again())
    assert (without_revision(node.config), running(node)) == (before, 1400)


@pytest.mark.parametrize(("tag", "text"), [
    ("shellcmd", "/sbin/ifconfig pfsync0 version 1301"), ("shellcmd", "ifconfig pfsync0 syncdev em2 version 1400"),
    ("earlyshellcmd", "/sbin/ifconfig pfsync0 version 1400"), ("afterbootupshellcmd", "/sbin/ifconfig pfsync0 version 1400"),
    ("afterfilterchangeshellcmd", "/sbin/ifconfig pfsync0 version 1400"),
])
def test_a_command_of_somebody_that_sets_it_too_is_an_error_and_else_left_alone(make, tag: str, text: str) -> None:
    node = make()
    node.edit("</system>", f"<{tag}>{text}</{tag}></system>")
    with pytest.raises(NodeError, match=f"version: the node runs a command at boot that sets the format too.*: {text}; remove it there"):
        apply(node)
    assert not node.changed
    apply(node.again(), None)
    assert text in node.config


# Evidence


def test_evidence_tells_what_is_kept_and_whether_it_runs(synced: PfsenseNode) -> None:
    def engine() -> tuple[Any, Any, Any]:
        found = info.collect(synced.again(), {})["evidence"]["engine"]
        return found["pinned"], found["config"]["version"], found["config_current"]

    assert engine() == (None, 1400, True)
    apply(synced)
    assert engine() == (1301, 1301, True)
    synced.query(["ifconfig", "pfsync0", "version", "1400"])
    assert engine() == (1301, 1400, False)


@pytest.mark.parametrize("version", [1301, None])
def test_a_line_that_is_there_twice_becomes_one_or_none(packaged: PfsenseNode, version: int | None) -> None:
    twice = f"<shellcmd>{COMMAND}</shellcmd>" * 2
    ours = f"<config><cmd>{COMMAND}</cmd><cmdtype>shellcmd</cmdtype></config>" * 2
    packaged.edit("</system>", twice + "</system>")
    packaged.edit("</shellcmdsettings>", ours + "</shellcmdsettings>")
    node = packaged.again()
    apply(node, version)
    assert commands(node) == THEIRS + ([] if version is None else [COMMAND])
    assert [row for row in rows(node) if row == (COMMAND, "shellcmd")] == ([] if version is None else [(COMMAND, "shellcmd")])
    assert (COMMAND, "disabled") in rows(node) and apply(node.again(), version)["drift"] == []
