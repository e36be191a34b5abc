# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of an OpenBSD node: nothing changed, nothing fetched, each key failing alone."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import readiness
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.readiness import KEYS
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair


@pytest.fixture
def node(tmp_path) -> OpenbsdNode:
    made = pair(tmp_path)[0]
    made.machine.upkeep.packages = {"bash": "5.2.32", "vim": "9.1.707-no_x11", "py3-cryptography": "43.0.1v0"}
    return made


def evidence(node: OpenbsdNode):
    run = node.again()
    found = OpenbsdProvider(run).node_info({"readiness": True})["evidence"]
    assert run.changed is False
    return found


def test_one_reading_has_all_keys_and_changes_nothing(node):
    node.machine.patches = ["001_xserver"]
    node.machine.put("/var/cron/tabs/root", "~\t*\t*\t*\t*\t/usr/bin/newsyslog\n0 3 * * * -ns /usr/sbin/syspatch\n")
    done = len(node.machine.commands)
    whole = evidence(node)
    found = whole["readiness"]
    assert node.machine.changes(done) == []
    assert set(found) == set(KEYS)
    assert found["disk"] == [{"mount": "/", "free": 12000000 * 1024, "total": 20000000 * 1024}]
    assert (found["clock"]["synchronised"], found["clock"]["source"]) == (True, "openntpd")
    assert (found["busy"], found["unapplied"], found["certificates"]) == ([], [], [])
    assert found["pending"] == {"reboot": False, "stage": None}
    assert found["packages"] == {"bash": "5.2.32", "vim": "9.1.707-no_x11", "py3-cryptography": "43.0.1v0", "syspatch 001_xserver": "installed"}
    assert [job["what"] for job in found["jobs"]] == ["/usr/bin/newsyslog", "/usr/sbin/syspatch"]
    assert found["way_back"] == {"kind": None, "available": False, "names": [], "newest": None}
    assert found["candidate"] == {"release": None, "packages": {}}
    assert [row for row in whole["errors"] if row["area"].startswith("readiness")] == [{"area": "readiness.candidate", "reason": readiness.NO_RELEASE}]


# By at.c and atrun.c of OpenBSD; not seen.
def test_the_script_of_ones_own_that_daily_starts_is_among_what_it_runs(node):
    node.machine.put("/var/cron/tabs/root", "30\t1\t*\t*\t*\t/bin/sh /etc/daily\n30\t3\t*\t*\t6\t-n sh /etc/weekly; true\n")
    assert [job["what"] for job in evidence(node)["readiness"]["jobs"]] == ["/bin/sh", "sh; true"]
    node.machine.put("/etc/daily.local", "# mine\nTOKEN=hunter2\nnext_part \"Patches:\"\n/usr/sbin/syspatch && rcctl restart hunter2\n")
    assert [job["what"] for job in evidence(node)["readiness"]["jobs"]] == ["/bin/sh; next_part; /usr/sbin/syspatch; rcctl restart", "sh; true"]
    node.machine.put("/etc/weekly.local", "cat << EOF\nhunter2\nEOF\n")
    assert [job["what"] for job in evidence(node)["readiness"]["jobs"]][1] is None


def test_jobs_of_at_are_among_the_jobs(node):
    node.machine.put("/var/cron/atjobs/1796094000.c", "cd /root || {\n\t echo 'Execution directory inaccessible' >&2\n\t exit 1\n}\n"
                     "/bin/ksh << '_END_OF_AT_JOB'\nsyspatch\n\n_END_OF_AT_JOB\n", 0o700)
    assert evidence(node)["readiness"]["jobs"] == [{"name": "/var/cron/atjobs/1796094000.c", "next": 1796094000.0, "what": "syspatch"}]


@pytest.mark.parametrize(("path", "stage"), [("/bsd.upgrade", "sysupgrade waits for a boot (/bsd.upgrade)"),
                                             ("/home/_sysupgrade/base76.tgz", "sysupgrade has left sets in /home/_sysupgrade")])
def test_an_upgrade_that_was_begun_is_a_stage(node, path, stage):
    node.machine.put(path, "")
    assert evidence(node)["readiness"]["pending"]["stage"] == stage


def test_what_is_amiss_is_told(node):
    node.machine.stored_kernel = "OpenBSD 7.6 (GENERIC.MP) #339: Tue Oct  1 08:55:35 MDT 2024"
    node.machine.put("/var/tmp/sysmerge.1f0c/etc/pf.conf", "")
    node.machine.upkeep.processes[812] = "/bin/ksh /usr/sbin/syspatch"
    node.machine.upkeep.offset = None
    found = evidence(node)["readiness"]
    assert found["pending"]["reboot"] is True
    assert found["unapplied"] == ["merge in /var/tmp/sysmerge.1f0c"]
    assert found["busy"] == [{"what": "syspatch", "pid": 812}]
    assert found["clock"]["synchronised"] is False


def test_whether_a_reboot_waits_is_unknown_where_the_kernels_file_tells_nothing(node):
    node.machine.answer(["what"], stdout="/bsd:\n")
    assert evidence(node)["readiness"]["pending"]["reboot"] is None


@pytest.mark.parametrize(("command", "key"), [(["df"], "disk"), (["pkg_info"], "packages"), (["ps", "-axo", "pid=,command="], "busy")])
def test_a_program_that_fails_costs_its_own_key_alone(node, command, key):
    node.machine.refuse(command, "made to fail")
    found = evidence(node)
    assert [name for name in KEYS if found["readiness"][name] is None] == [key]


def test_it_is_read_when_asked_for_only(node):
    assert OpenbsdProvider(node.again()).node_info({})["evidence"]["readiness"] is None
