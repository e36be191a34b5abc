# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all platforms share of the evidence ``readiness``: file systems, and who is at work."""

from __future__ import annotations

from types import SimpleNamespace
from typing import List

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import readiness
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

# df of coreutils 9.1 (seen), and of FreeBSD and OpenBSD (by their sources).
LINUX = """\
Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda         264212084 26472000  79918912      25% /
/dev/vda         264212084 26472000  79918912      25% /
/dev/vda1           486148   120000    340000      27% /boot
"""
BSD = """\
Filesystem          1024-blocks    Used     Avail Capacity  Mounted on
zroot/ROOT/default     19345432 1345432  18000000     7%    /
/dev/sd0d               1000000  990000    -40000   104%    /usr with spaces
"""


def test_each_file_system_is_told_once_in_bytes() -> None:
    node = SystemdNode()
    node.says(["df"], LINUX, status=1, stderr="df: /nonexist: No such file or directory\n")
    assert readiness.disks(node, ["/", "/usr", "/boot", "/nonexist"]) == [
        {"mount": "/", "free": 79918912 * 1024, "total": 264212084 * 1024}, {"mount": "/boot", "free": 340000 * 1024, "total": 486148 * 1024}]
    assert node.queries == [["df", "-kP", "/", "/usr", "/boot", "/nonexist"]]


def test_what_root_alone_could_still_use_is_no_room() -> None:
    node = SystemdNode()
    node.says(["df"], BSD)
    assert [(row["mount"], row["free"]) for row in readiness.disks(node, ["/"])] == [("/", 18000000 * 1024), ("/usr with spaces", 0)]


def test_a_df_that_tells_nothing_is_an_error() -> None:
    node = SystemdNode()
    node.says(["df"], "", status=1, stderr="df: cannot read table of mounted file systems\n")
    with pytest.raises(NodeError, match="df tells nothing of /: df: cannot read table"):
        readiness.disks(node, ["/"])


@pytest.mark.parametrize(("line", "found"), [
    ("  812 /usr/bin/apt-get -y dist-upgrade", ["apt-get"]), ("1 dpkg --configure -a", ["dpkg"]),
    ("77 /usr/bin/python3 /usr/bin/unattended-upgrade --download-only", ["unattended-upgrade"]),
    ("77 /usr/bin/python3 /usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal", []),
    ("5 /bin/sh /usr/lib/apt/apt.systemd.daily install", ["apt.systemd.daily"]), ("9 -bash", []), ("10 [kthreadd]", []), ("11 vi apt-get", []), ("", []),
    ("odd /usr/bin/dpkg", []), ("12 dpkg-query -W", []), ("13 apt-get: installing", ["apt-get"]),
])
def test_who_works_on_packages_is_told_by_name_only(line: str, found: List[str]) -> None:
    programs = ("apt-get", "dpkg", "unattended-upgrade", "apt.systemd.daily")
    assert [row["what"] for row in readiness.busy(line + "\n", programs, ("unattended-upgrade-shutdown",))] == found


def test_the_time_is_that_of_the_end_and_how_long_it_took_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [0.0]

    def slowly() -> List[str]:
        passed[0] += 0.5
        return []
    monkeypatch.setattr(readiness, "time", SimpleNamespace(time=lambda: 1795000000.0 + passed[0], monotonic=lambda: passed[0]))
    found = readiness.collect(Areas(), dict({key: slowly for key in readiness.KEYS}, clock=lambda: {"source": "chrony"}))
    assert found["clock"] == {"source": "chrony", "at": 1795000004.5, "took": 4.5}


def test_a_key_that_fails_is_none_with_its_reason_and_takes_no_other_along() -> None:
    def fail() -> None:
        raise NodeError("no df")
    areas = Areas()
    found = readiness.collect(areas, dict({key: list for key in readiness.KEYS}, clock=dict, disk=fail))
    assert set(found) == set(readiness.KEYS)
    assert found["disk"] is None and found["jobs"] == []
    assert areas.errors == [{"area": "readiness.disk", "reason": "no df"}]
