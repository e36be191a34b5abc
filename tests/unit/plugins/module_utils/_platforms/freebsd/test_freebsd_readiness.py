# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of a FreeBSD node: nothing changed, nothing fetched, each key failing alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import readiness
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.readiness import KEYS
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import node as nodes
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode

UPDATES = "/var/db/freebsd-update/"


@pytest.fixture
def node(tmp_path: Path) -> FreebsdNode:
    return nodes.node(tmp_path)


def evidence(node: FreebsdNode) -> Dict[str, Any]:
    run = node.again()
    found = FreebsdProvider(run).node_info({"sync_interface": None, "sync_network": None, "sample": False, "readiness": True})["evidence"]
    assert run.changed is False
    return dict(found)


def errors(found: Dict[str, Any]) -> List[str]:
    return [row["area"] for row in found["errors"] if row["area"].startswith("readiness")]


def test_one_reading_has_all_keys_and_changes_nothing(node: FreebsdNode) -> None:
    node.machine.put("/etc/crontab", "*/5\t*\t*\t*\t*\troot\t/usr/libexec/atrun\n")
    node.machine.put("/var/cron/tabs/operator", "0 3 * * * pkg upgrade -y\n")
    node.machine.upkeep.newer = {"sudo": "1.9.16"}
    done = len(node.machine.commands)
    whole = evidence(node)
    found = whole["readiness"]
    assert node.machine.changes(done) == []
    assert set(found) == set(KEYS)
    assert found["disk"] == [{"mount": "/", "free": 12000000 * 1024, "total": 20000000 * 1024}]
    assert (found["clock"]["synchronised"], found["clock"]["offset"], found["clock"]["source"]) == (True, 0.00125, "ntpd")
    assert (found["busy"], found["unapplied"], found["certificates"]) == ([], [], [])
    assert found["pending"] == {"reboot": False, "stage": None}
    assert found["packages"] == {"python311": "3.11.9", "sudo": "1.9.15p5_4"}
    assert [(job["name"], job["what"]) for job in found["jobs"]] == [("/etc/crontab:1", "/usr/libexec/atrun"), ("/var/cron/tabs/operator:1", "pkg upgrade")]
    assert found["candidate"] == {"release": None, "packages": {"sudo": "1.9.16"}}
    assert [row for row in whole["errors"] if row["area"].startswith("readiness")] == [{"area": "readiness.candidate", "reason": readiness.NO_RELEASE}]


# By periodic.sh and at.c of FreeBSD; not seen.
def test_jobs_of_at_and_the_scripts_of_periodic_are_among_the_jobs(node: FreebsdNode) -> None:
    node.machine.put("/etc/crontab", "1\t3\t*\t*\t*\troot\tperiodic daily\n")
    node.machine.put("/etc/periodic/daily/480.leapfile-ntpd", "", 0o755)
    node.machine.put("/usr/local/etc/periodic/daily/500.pkg-upgrade", "", 0o755)
    node.machine.put("/usr/local/etc/periodic/daily/README", "")
    node.machine.put("/var/at/jobs/c0000101c8c534",
                     "#!/bin/sh\ncd /root || {\n\t echo 'Execution directory inaccessible' >&2\n\t exit 1\n}\npkg upgrade\n", 0o700)
    node.machine.put("/var/at/jobs/.SEQ", "00001\n")
    node.machine.put("/etc/daily.local", "pkg upgrade -y\n")
    assert [(job["name"], job["what"]) for job in evidence(node)["readiness"]["jobs"]] == [
        ("/etc/crontab:1", "periodic daily; /etc/periodic/daily/480.leapfile-ntpd; /usr/local/etc/periodic/daily/500.pkg-upgrade; pkg upgrade"),
        ("/var/at/jobs/c0000101c8c534", "pkg upgrade")]


def test_boot_environments_beside_the_one_that_runs_are_the_way_back(node: FreebsdNode) -> None:
    found = evidence(node)["readiness"]["way_back"]
    assert (found["kind"], found["available"], found["names"]) == ("boot environment", True, ["before"])
    assert time.strftime("%Y-%m-%d %H:%M", time.localtime(found["newest"])) == "2026-11-29 18:30"
    node.machine.upkeep.environments = node.machine.upkeep.environments[:1]
    assert evidence(node)["readiness"]["way_back"] == {"kind": "boot environment", "available": False, "names": [], "newest": None}
    node.machine.upkeep.environments = None
    assert evidence(node)["readiness"]["way_back"] == {"kind": None, "available": False, "names": [], "newest": None}


@pytest.mark.parametrize(("files", "stage"), [
    ([], None), (["install.1f0c/INDEX-NEW"], None), (["install.1f0c/INDEX-NEW", "0f5d-install/INDEX-NEW"], "fetched an update that is not installed"),
    (["0f5d-install/INDEX-NEW", "0f5d-install/kerneldone"], "installed the kernel, and not yet the rest"),
])
def test_an_update_that_was_begun_is_a_stage(node: FreebsdNode, files: List[str], stage: str) -> None:
    for name in files:
        node.machine.put(UPDATES + name, "")
    told = evidence(node)["readiness"]["pending"]["stage"]
    assert told is None if stage is None else stage in told


def test_what_is_amiss_is_told(node: FreebsdNode) -> None:
    node.machine.put("/var/db/etcupdate/conflicts/etc/rc.conf", "<<<<\n")
    node.machine.upkeep.processes[812] = "/bin/sh /usr/sbin/freebsd-update install"
    node.machine.upkeep.offset = None
    node.machine.installed = "14.3-RELEASE"
    found = evidence(node)["readiness"]
    assert found["unapplied"] == ["merge of /etc/rc.conf"]
    assert found["busy"] == [{"what": "freebsd-update", "pid": 812}]
    assert (found["clock"]["synchronised"], found["clock"]["source"]) == (False, None)
    assert found["pending"]["reboot"] is True


KERNEL, OTHER, OWN = "/boot/kernel/kernel", "/boot/kernel.old/kernel", "/boot/OWN/kernel"
ANOTHER = "FreeBSD 14.2-RELEASE n264001-0123456789ab GENERIC"


@pytest.mark.parametrize(("kernels", "bootfile", "another", "expected"), [
    ({KERNEL: -60}, KERNEL, KERNEL, False), ({KERNEL: 60}, KERNEL, KERNEL, True),
    # A backup by hard links, as freebsd-update makes it, and chflags change the file's state too.
    ({KERNEL: 60}, KERNEL, None, False),
    # installkernel calls the kernel that runs the old one; so does a boot into it.
    ({KERNEL: 60, OTHER: -60}, OTHER, KERNEL, True), ({KERNEL: -60, OTHER: -90}, OTHER, KERNEL, True), ({KERNEL: -60, OTHER: -90}, OTHER, None, False),
    ({KERNEL: 60, OWN: -60}, OWN, KERNEL, False), ({OTHER: -60}, OTHER, None, None), ({}, KERNEL, None, None),
])
def test_another_kernel_of_the_same_name_waits_for_a_reboot(
        node: FreebsdNode, kernels: Dict[str, int], bootfile: str, another: Optional[str], expected: Optional[bool]) -> None:
    node.machine.bootfile, node.machine.kernels = bootfile, {path: int(node.machine.booted) + seconds for path, seconds in kernels.items()}
    node.machine.sccs = {} if another is None else {another: ANOTHER}
    assert evidence(node)["readiness"]["pending"]["reboot"] is expected


@pytest.mark.parametrize(("rows", "stage"), [
    ([("default", "NR"), ("before", "-")], None), ([("default", "N"), ("before", "R")], "the next boot starts boot environment before"),
    ([("default", "NR"), ("before", "T")], "the next boot starts boot environment before"), ([("default", "NRT"), ("before", "-")], None),
])
def test_a_boot_environment_that_is_next_is_told(node: FreebsdNode, rows: Any, stage: Optional[str]) -> None:
    node.machine.upkeep.environments = [(name, flags, "2026-10-01 12:00") for name, flags in rows]
    assert evidence(node)["readiness"]["pending"]["stage"] == stage


@pytest.mark.parametrize("program", ["freebsd-version", "stat", "sysctl kern.boottime kern.bootfile", "sysctl -n kern.version", "what"])
def test_whether_a_kernel_waits_is_not_known_without_each_answer(node: FreebsdNode, program: str) -> None:
    node.machine.kernels[KERNEL] = int(node.machine.booted) + 60
    node.machine.refuse(program.split(), "made to fail")
    assert evidence(node)["readiness"]["pending"]["reboot"] is None


@pytest.mark.parametrize(("command", "keys"), [(["df"], ["disk"]), (["pkg-static", "query"], ["packages"]), (["pkg-static", "version"], ["candidate"]),
                                               (["ps", "-axo", "pid=,command="], ["busy"])])
def test_a_program_that_fails_costs_its_own_key_alone(node: FreebsdNode, command: List[str], keys: List[str]) -> None:
    node.machine.refuse(command, "made to fail")
    found = evidence(node)
    assert [key for key in KEYS if found["readiness"][key] is None] == keys
    assert set(errors(found)) == {"readiness.%s" % key for key in [*keys, "candidate"]}


def test_it_is_read_when_asked_for_only(node: FreebsdNode) -> None:
    found = FreebsdProvider(node.again()).node_info({"sync_interface": None, "sync_network": None, "sample": False})["evidence"]
    assert found["readiness"] is None
    assert errors(found) == []
