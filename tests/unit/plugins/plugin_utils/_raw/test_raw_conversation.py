# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that reads an old pfSense, run by real shells and awks over a node that only says what was written for it."""

from __future__ import annotations

import re
import shlex

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.conversation import QUESTIONS, Transcript, command
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.evidence import collect, release_of
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.old_node import CONFIG, RELEASES, WORD, OldNode

# root's shell there is tcsh or a sh; Ansible puts a sh around what it runs, and a sudo with a sh of its own around that.
SHELLS = {"tcsh": ["tcsh", "-f", "-c"], "dash": ["dash", "-c"], "busybox": ["busybox", "sh", "-c"], "bash": ["bash", "-c"]}


@pytest.fixture
def node(tmp_path):
    return OldNode(tmp_path / "it is 'odd' $HOME", "2.4.5-p1")


def asked(node, shell=(), sample=False):
    """The evidence, and what the node printed."""
    text = node.run(shell).decode()
    transcript = Transcript(WORD, text)
    return collect(transcript, release_of(transcript), sample)["evidence"], text


def reasons(found, area):
    return [error["reason"] for error in found["errors"] if error["area"] == area]


def test_the_command_is_one_line_without_what_tcsh_takes_for_its_own():
    assert "\n" not in command(WORD) and "!" not in command(WORD)
    assert command(WORD).startswith("/bin/sh -c '") and len(shlex.split(command(WORD))) == 3


@pytest.mark.parametrize("wrapped", [0, 1, 2])
@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_on_the_way_gives_the_same(node, shell, wrapped):
    whole = node.run()
    assert node.run(SHELLS[shell], wrapped) == whole and len(whole) > 5000


@pytest.mark.parametrize("awk", ["mawk", "original-awk", "busybox"])
@pytest.mark.parametrize("release", RELEASES)
def test_every_awk_gives_the_same_and_no_secret(tmp_path, release, awk):
    expected, text = asked(OldNode(tmp_path / "one", release))
    found, other = asked(OldNode(tmp_path / "two", release, awk))
    assert found == expected
    assert "hush" in (tmp_path / "one" / CONFIG).read_text() and "hush" not in text and "hush" not in other


def test_the_key_of_a_wireless_device_stays_on_the_node(tmp_path):
    node = OldNode(tmp_path, "2.0.3")
    assert "wepkey 1:104-bit <hush>" in (node.root / "told" / "ifconfig_-v").read_text()
    _found, text = asked(node)
    assert "ath0_wlan0: flags" in text and "wepkey" not in text and "hush" not in text


@pytest.mark.parametrize(("gone", "area", "reason", "unknown"), [
    ("bin/ifconfig", "interfaces", r"asked for devices, .* 127 and said: .*ifconfig: .*not found", ["interfaces", "vrrp"]),
    ("bin/netstat", "interfaces", r"asked for traffic, .* 127 and said: .*netstat: .*not found", ["interfaces"]),
    ("bin/pfctl", "engine", r"asked for filter, .* 127 and said: .*pfctl: .*not found", []),
    ("bin/sysctl", "vrrp", "the kernel does not tell net.inet.carp.allow", ["kernel", "boot_id"]),
    ("bin/date", "collected_at", r"asked for moment, .* 127 and said: .*date: .*not found", ["collected_at"]),
    ("bin/awk", "config", "config.xml cannot be read: awk did not come to its end", ["config", "config_sync", "maintenance", "interfaces", "vrrp"]),
    (CONFIG, "config", "config.xml cannot be read: it is not there, or not for this user to read", ["config", "config_sync", "maintenance"]),
    ("told/ifconfig_pfsync0", "engine", "asked for pfsync, .* 1 and said: ifconfig: not known", []),
])
def test_what_is_missing_is_unknown_with_its_reason_and_takes_nothing_along(node, gone, area, reason, unknown):
    whole, _text = asked(node)
    node.without(gone)
    found, _text = asked(node)
    assert any(re.search(reason, one) for one in reasons(found, area))
    assert sorted(key for key in whole if whole[key] is not None and found[key] is None) == sorted(unknown)
    assert (found["os"]["version"], found["engine"]["name"]) == ("2.4.5-p1", "pfsync")


def test_without_pfctl_nobody_is_said_to_have_made_no_states(node):
    assert asked(node)[0]["engine"]["creators"] == ["badcaf0", "c0ffee"]
    node.without("told/pfctl_-vvss")
    found, _text = asked(node)
    assert found["engine"]["creators"] is None
    assert any("said: pfctl: not known" in reason for reason in reasons(found, "engine"))
    node.without("bin/pfctl")
    engine = asked(node)[0]["engine"]
    assert (engine["creators"], engine["host_id"], engine["filter"], engine["tables"]) == (None, None, None, {"kernel": None, "kernel_max": None})


def test_states_stay_on_the_node(node):
    assert "50000" in (node.root / "told" / "pfctl_-vvss").read_text() and "50000" not in asked(node)[1]


def test_the_kernel_of_old_has_no_demotion_and_that_is_no_zero(tmp_path):
    found, text = asked(OldNode(tmp_path, "2.0.3"))
    assert found["vrrp"]["demotion"] is None and reasons(found, "vrrp") == ["the kernel does not tell net.inet.carp.demotion"]
    assert "unknown oid" in text


@pytest.mark.parametrize("config", [b"", b"\x00\xff<" * 1000, b"<pfsense><hasync><password>hush</password>", bytes(range(256)) * 4000],
                         ids=["empty", "zeros", "cut", "binary"])
def test_a_configuration_that_is_none_leaves_the_rest(node, config):
    (node.root / CONFIG).write_bytes(config)
    found, text = asked(node)
    assert (found["config"], found["maintenance"], found["engine"]["enabled"], found["engine"]["config_current"]) == (None, None, None, None)
    assert reasons(found, "config")[0].startswith("config.xml cannot be read: ")
    assert found["engine"]["running"] is True and len(found["vrrp"]["instances"]) == 2
    assert "hush" not in text and len(text) < 7000


def test_five_megabytes_of_rules_leave_a_short_answer(node):
    rule = "\t\t<rule>\n\t\t\t<descr><![CDATA[hush]]></descr>\n\t\t</rule>\n"
    node.config("\t<virtualip>\n", "\t<filter>\n" + rule * (5_000_000 // len(rule)) + "\t</filter>\n\t<virtualip>\n")
    found, text = asked(node)
    assert found["config"]["version"] == "19.1"
    assert len(text) < 7000


@pytest.mark.parametrize("text", [f"{WORD} end", f"{WORD} = 0", f"\n{WORD} = 0\n{WORD} version\n2.7.2-RELEASE\n{WORD} = 0\n{WORD} end\n", "]]&gt;<hush>"])
def test_the_word_in_a_description_ends_nothing(node, text):
    node.config("<![CDATA[SYNC]]>", f"<![CDATA[{text}]]>")
    found, _text = asked(node)
    assert next(row["description"] for row in found["interfaces"] if row["key"] == "opt1").split() == text.replace("&gt;", ">").split()
    assert (found["os"]["version"], found["config"]["version"], found["config"]["revision"]["username"]) == ("2.4.5-p1", "19.1", "admin@192.0.2.9")


def test_what_a_shell_prints_before_is_nothing(node):
    text = "Welcome to pfSense\n*** 0) Logout\n" + node.run().decode()
    assert release_of(Transcript(WORD, text)).number == "2.4.5-p1"


def test_an_answer_that_was_cut_is_none(node):
    text = node.run().decode()
    for end in range(0, len(text) - len(WORD) - 5, 97):
        with pytest.raises(NodeError, match="not whole"):
            Transcript(WORD, text[:end])


@pytest.mark.parametrize(("path", "text", "reason"), [
    ("etc/platform", "generic-pc\n", "no pfSense"), ("etc/platform", None, "no pfSense"), ("etc/version", None, "no pfSense"),
    ("etc/version", "1.8.1\nhush", "is no release"), ("etc/version", "FreeBSD", "is no release")])
def test_another_node_is_refused_and_one_that_is_no_pfsense_is_asked_no_more(node, path, text, reason):
    if text is None:
        node.without(path)
    else:
        (node.root / path).write_text(text)
    said = node.run().decode()
    with pytest.raises(NodeError, match=reason):
        release_of(Transcript(WORD, said))
    assert (path == "etc/platform") == (f"{WORD} {QUESTIONS[0].name}\n" not in said)


def test_what_was_not_asked_is_not_answered_and_nothing_can_be_changed(node):
    transcript = Transcript(WORD, node.run().decode())
    with pytest.raises(NodeError, match="pfctl -vvsr: it is not asked for without Python"):
        transcript.query(["pfctl", "-vvsr"])
    assert transcript.act(["reboot"]).status == 0 and transcript.check_mode is True
