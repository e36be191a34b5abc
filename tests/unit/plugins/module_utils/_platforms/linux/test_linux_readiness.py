# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of a Linux node: packages, timers, snapshots, what waits, and that nothing is changed by reading it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import List, Optional

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import all_packages, info, readiness, snapshots, timers
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.readiness import KEYS
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode

REAL = Path(__file__).resolve().parents[5] / "fixtures" / "debian-12"
TIMERS = (REAL / "systemctl-timers.txt").read_text(encoding="utf-8")
UPGRADE = (REAL / "apt-get-upgrade.txt").read_text(encoding="utf-8")
POLICY = (REAL / "apt-cache-policy.txt").read_text(encoding="utf-8")
NOW, UPTIME = 1795999397.0, 1527.48  # when the timers were recorded, and for how long the machine was up
DPKG = "bash\tinstalled\t5.2.15-2+b8\nold\tconfig-files\t1.0\nman-db\ttriggers-pending\t2.11.2-2\n"


def _executables(node: SystemdNode, folder: str) -> Completed:
    found = [path for path, entry in node.files.items() if path.rpartition("/")[0] == folder and entry.mode & 0o111]
    return Completed(0, "".join(path + "\n" for path in found), "") if found else Completed(1, "", "find: '%s': No such file or directory\n" % folder)


@pytest.fixture
def node() -> SystemdNode:
    """A node that is fit."""
    made = SystemdNode(files={"/etc/os-release": 'ID=debian\nVERSION_ID="12"\n', "/etc/crontab": "17 * * * * root run-parts --report /etc/cron.hourly\n",
                              "/etc/cron.d/mine": "0 3 * * * root /usr/bin/apt-get -y upgrade\n", "/proc/uptime": "%s 573.99\n" % UPTIME})
    for unit in ("conntrackd.service", "keepalived.service", "nftables.service"):
        made.unit(unit, active=True)
    made.says(["df"], "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 264212084 26472000 79918912 25% /\n")
    made.says(["timedatectl"], "NTPSynchronized=yes\n")
    made.says(["ps"], "1 /sbin/init\n22 /usr/sbin/keepalived --dont-fork\n")
    made.says(["ls", "/boot"], "vmlinuz-%s\ninitrd.img-%s\n" % (os.uname().release, os.uname().release))
    made.says(["env", "TZ=UTC", "systemctl", "show"], TIMERS)
    made.says(["find"], "/etc/cron.d/mine\n")
    made.on(["find", "-L"], lambda argv, stdin: _executables(made, argv[2]))
    made.says(["dpkg-query"], DPKG)
    made.says(["apt-get", "-s"], UPGRADE)
    made.says(["apt-cache", "policy"], POLICY)
    made.says(["findmnt"], "ext4 /dev/vda\n")
    return made


def test_one_reading_has_all_keys_and_changes_nothing(node: SystemdNode) -> None:
    areas = Areas()
    found = readiness.collect(node, areas)
    assert (set(found), areas.errors, node.changed) == (set(KEYS), [], False)
    assert found["disk"] == [{"mount": "/", "free": 79918912 * 1024, "total": 264212084 * 1024}]
    assert (found["clock"]["synchronised"], found["clock"]["source"]) == (True, "systemd")
    assert (found["busy"], found["unapplied"], found["certificates"]) == ([], [], [])
    assert found["pending"] == {"reboot": False, "stage": None}
    assert found["packages"] == {"bash": "5.2.15-2+b8", "man-db": "2.11.2-2"}
    assert found["candidate"]["release"] == "12.15"
    assert found["way_back"] == {"kind": None, "available": False, "names": [], "newest": None}
    names = [job["name"] for job in found["jobs"]]
    assert names[-2:] == ["/etc/crontab:1", "/etc/cron.d/mine:1"] and "apt-daily-upgrade.timer" in names


def test_nothing_but_these_commands_is_run_and_none_fetches_anything(node: SystemdNode) -> None:
    readiness.collect(node, Areas())
    assert {tuple(words[:2]) for words in node.queries if words[0] != "systemctl"} == {
        ("dpkg-query", "-W"), ("df", "-kP"), ("timedatectl", "show"), ("ps", "-e"), ("ls", "/boot"), ("env", "TZ=UTC"),
        ("find", "/etc/cron.d"), ("find", "-L"), ("apt-get", "-s"), ("apt-cache", "policy"), ("findmnt", "-n")}
    assert all(words[1] == "show" for words in node.queries if words[0] == "systemctl")


def test_it_is_read_when_asked_for_only(node: SystemdNode) -> None:
    quiet = {"sync_interface": None, "sync_network": None, "sample": False}
    assert info.collect(node, quiet)["evidence"]["readiness"] is None
    assert set(info.collect(node, dict(quiet, readiness=True))["evidence"]["readiness"]) == set(KEYS)


@pytest.mark.parametrize(("command", "key"), [("df", "disk"), ("ps", "busy"), ("find", "jobs"), ("env", "jobs"), ("dpkg-query", "packages"),
                                              ("apt-get", "candidate"), ("apt-cache", "candidate"), ("findmnt", "way_back")])
def test_a_program_that_fails_costs_its_own_key_alone(node: SystemdNode, command: str, key: str) -> None:
    node.says([command], status=3, stderr="made to fail")
    areas = Areas()
    found = readiness.collect(node, areas)
    assert [name for name in KEYS if found[name] is None] == [key]
    assert [error["area"] for error in areas.errors] == ["readiness.%s" % key]


def test_a_node_without_cron_has_the_timers_alone(node: SystemdNode) -> None:
    node.says(["find"], status=1, stderr="find: '/etc/cron.d': No such file or directory\nfind: '/var/spool/cron': No such file or directory\n")
    del node.files["/etc/crontab"]
    assert {job["name"].rpartition(".")[2] for job in readiness.collect(node, Areas())["jobs"]} == {"timer"}


def test_the_real_timers_are_due_when_systemd_said() -> None:
    found = {job["name"]: job for job in timers.jobs(TIMERS, NOW, UPTIME)}
    due = {name: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(job["next"])) for name, job in found.items()}
    assert due["apt-daily-upgrade.timer"] == "2026-11-30 06:22:59"
    assert due["e2scrub_all.timer"] == "2026-12-06 03:10:30"
    # systemctl list-timers said 00:58:04; when it was asked, is known to a second.
    assert due["systemd-tmpfiles-clean.timer"][:16] == "2026-11-30 00:58"
    assert found["apt-daily-upgrade.timer"]["what"] == "apt-daily-upgrade.service"
    assert "fstrim.timer" not in found  # it is not active


def test_a_timer_that_counts_from_the_boot_is_unknown_without_the_uptime() -> None:
    found = {job["name"]: job["next"] for job in timers.jobs(TIMERS, NOW, timers.uptime(None))}
    assert found["systemd-tmpfiles-clean.timer"] is None


def test_the_real_simulation_tells_the_new_versions_and_the_release() -> None:
    node = SystemdNode()
    node.says(["apt-get"], UPGRADE)
    node.says(["apt-cache"], POLICY)
    found = all_packages.candidate(node)
    assert found["packages"]["base-files"] == "12.4+deb12u15" and found["packages"]["unzip"] == "6.0-28+deb12u1"
    assert found["release"] == "12.15"


@pytest.mark.parametrize(("policy", "distribution", "expected"), [
    (POLICY, "debian", "12.15"),
    (POLICY + " 500 http://192.0.2.1/debian trixie/main amd64 Packages\n     release v=13.2,o=Debian,n=trixie\n", "debian", "13.2"),
    (POLICY, "ubuntu", None), ("", "debian", None)])
def test_the_release_is_the_newest_of_the_lists_of_this_distribution(policy: str, distribution: str, expected: Optional[str]) -> None:
    if expected is None:
        with pytest.raises(NodeError, match="run apt-get update on it$"):
            all_packages.offered(policy, distribution)
    else:
        assert all_packages.offered(policy, distribution) == expected


# By dnf(8) and rpm(8); not seen on a node.
def test_a_node_of_the_other_family_is_read_by_its_own_programs() -> None:
    node = SystemdNode(files={"/etc/os-release": 'ID=rocky\nVERSION_ID="9.5"\n'})
    node.says(["rpm"], "bash\t5.1.8-9.el9\ngpg-pubkey\t350d275d-6279464b\n")
    node.says(["dnf"], "\nbash.x86_64                 5.1.8-10.el9            baseos\nkernel.x86_64   5.14.0-600.el9   baseos\n", status=100)
    assert all_packages.installed(node) == all_packages.Installed({"bash": "5.1.8-9.el9"}, [])
    assert all_packages.candidate(node) == {"release": "9.5", "packages": {"bash": "5.1.8-10.el9", "kernel": "5.14.0-600.el9"}}
    assert ["dnf", "-C", "-q", "check-update"] in node.queries


@pytest.mark.parametrize(("names", "runs", "expected"), [
    (["vmlinuz-6.1.0-28-amd64", "vmlinuz-6.1.0-9-amd64"], "6.1.0-9-amd64", "6.1.0-28-amd64"),
    (["vmlinuz-6.1.0-28-amd64", "vmlinuz-6.1.0-9-amd64"], "6.1.0-28-amd64", None),
    (["vmlinuz-6.1.0-28-cloud-amd64"], "6.1.0-9-amd64", None), ([], "6.1.0-9-amd64", None),
    (["vmlinuz-5.14.0-503.el9.x86_64", "vmlinuz-0-rescue-1f0c"], "5.14.0-427.el9.x86_64", "5.14.0-503.el9.x86_64"),
])
def test_a_newer_kernel_of_the_same_flavour_waits_for_a_reboot(names: List[str], runs: str, expected: Optional[str]) -> None:
    assert all_packages.newer_kernel(names, runs) == expected


def test_what_waits_is_told(node: SystemdNode) -> None:
    node.files["/run/reboot-required"] = node.files["/etc/crontab"]
    node.says(["dpkg-query"], DPKG + "conntrackd\thalf-configured\t1:1.4.7-1+b2\n")
    node.says(["ps"], "812 /usr/bin/dpkg --configure -a\n")
    node.write_text("/etc/systemd/system/keepalived.service.d/x.conf", "[Service]\nRestart=always\n")
    found = readiness.collect(node, Areas())
    assert found["pending"] == {"reboot": True, "stage": "packages are half installed: conntrackd"}
    assert found["busy"] == [{"what": "dpkg", "pid": 812}]
    assert found["unapplied"] == ["keepalived.service"]
    assert "conntrackd" not in found["packages"]


def test_a_crontab_that_cannot_be_read_leaves_the_jobs_unknown(node: SystemdNode) -> None:
    node.says(["find"], "/var/spool/cron/crontabs/root\n")
    areas = Areas()
    assert readiness.collect(node, areas)["jobs"] is None
    assert areas.errors == [{"area": "readiness.jobs", "reason": "/var/spool/cron/crontabs/root is there and cannot be read"}]


def test_jobs_of_at_and_anacron_and_the_scripts_of_folders_are_among_the_jobs(node: SystemdNode) -> None:
    text = (REAL / "jobs" / "a0000101c8c534.txt").read_text(encoding="utf-8")
    node.files["/var/spool/cron/atjobs/a0000101c8c534"] = SimulatedFile(text, 0o700)
    node.files["/var/spool/cron/atjobs/.SEQ"] = SimulatedFile("00001\n", 0o600)
    node.files["/etc/cron.hourly/freebsd-update"] = SimulatedFile("", 0o755)
    node.files["/etc/cron.hourly/not.run"] = SimulatedFile("", 0o755)
    node.files["/etc/anacrontab"] = SimulatedFile("1 5 mine /usr/bin/apt-get upgrade\n")
    node.says(["anacron"])
    # Those of at lie beside the crontabs, and are none.
    node.says(["find", "/etc/cron.d"], "/etc/cron.d/mine\n/var/spool/cron/atjobs/a0000101c8c534\n/var/spool/cron/atjobs/.SEQ\n/var/spool/cron/atspool/x\n")
    found = {job["name"]: job["what"] for job in readiness.collect(node, Areas())["jobs"] if not job["name"].endswith(".timer")}
    assert found == {"/etc/crontab:1": "run-parts; /etc/cron.hourly/freebsd-update", "/etc/cron.d/mine:1": "/usr/bin/apt-get upgrade",
                     "/etc/anacrontab:1": "/usr/bin/apt-get upgrade", "/var/spool/cron/atjobs/a0000101c8c534": "apt-get upgrade"}


# By the spec file of Fedora's at and the script run-parts of its crontabs; not seen on a node.
def test_a_node_of_the_other_family_has_its_own_folder_and_names(node: SystemdNode) -> None:
    node.files["/etc/os-release"] = SimulatedFile('ID=rocky\nVERSION_ID="9.5"\n')
    node.files["/etc/cron.hourly/a.sh"] = node.files["/etc/cron.hourly/b.rpmsave"] = SimulatedFile("", 0o755)
    node.files["/var/spool/at/a0000101c8c534"] = SimulatedFile("", 0o700)
    found = {job["name"]: job["what"] for job in readiness.collect(node, Areas())["jobs"]}
    assert (found["/etc/crontab:1"], found["/var/spool/at/a0000101c8c534"]) == ("run-parts; /etc/cron.hourly/a.sh", None)


# By lvs(8), btrfs-subvolume(8) and zfs-list(8); not seen on a node.
@pytest.mark.parametrize(("mount", "command", "listing", "names", "newest"), [
    ("xfs /dev/mapper/vg-root\n", "lvs", "  /dev/mapper/vg-root|root||2026-01-02 03:04:05 +0000\n"
     "  /dev/mapper/vg-before|before|root|2026-11-30 01:43:17 +0100\n  /dev/mapper/vg-other|other|data|2026-11-30 02:43:17 +0100\n", ["before"], 1795999397.0),
    ("zfs rpool/ROOT/debian\n", "zfs", "rpool/ROOT/debian@before\t1795999397\n", ["rpool/ROOT/debian@before"], 1795999397.0),
    ("zfs rpool/ROOT/debian\n", "zfs", "", [], None),
])
def test_snapshots_of_the_system_are_the_way_back(mount: str, command: str, listing: str, names: List[str], newest: Optional[float]) -> None:
    node = SystemdNode()
    node.says(["findmnt"], mount)
    node.says([command], listing)
    assert snapshots.way_back(node) == {"kind": "snapshot", "available": bool(names), "names": names, "newest": newest}


def test_snapshots_of_btrfs_are_dated_by_the_nodes_zone() -> None:
    found = snapshots.btrfs("ID 300 gen 42 cgen 42 top level 5 otime 2026-11-30 00:43:17 path .snapshots/1/snapshot\n")
    assert [(name, time.strftime("%H:%M:%S", time.localtime(moment))) for name, moment in found] == [(".snapshots/1/snapshot", "00:43:17")]


def test_a_volume_that_is_none_of_lvm_has_no_snapshots() -> None:
    assert snapshots.lvm("  /dev/mapper/vg-root|root||2026-01-02 03:04:05 +0000\n", "/dev/mapper/luks-root") is None
