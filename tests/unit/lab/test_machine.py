# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab reads of the machine, and what it says when something is missing."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hafw_lab import cgroup, machine, overlay, qemu, system
from hafw_lab.progress import Progress

HYBRID = """\
30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


def test_processes_are_tracked_where_systemd_tracks_them() -> None:
    assert cgroup.roots(HYBRID)[0] == Path("/sys/fs/cgroup/unified")
    assert set(cgroup.roots(HYBRID)) == {Path("/sys/fs/cgroup") / name for name in ("cpu", "systemd", "unified")}
    legacy = "\n".join(HYBRID.splitlines()[:3])
    assert cgroup.roots(legacy)[0] == Path("/sys/fs/cgroup/systemd")
    assert cgroup.roots("33 30 0:29 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw") == [Path("/sys/fs/cgroup")]


def test_a_machine_without_a_usable_hierarchy_is_refused() -> None:
    with pytest.raises(system.LabError, match="mount cgroup2"):
        cgroup.roots("31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu")


def test_mounts_are_found_innermost_first_and_only_the_labs() -> None:
    lines = ["/b/lab/nodes/fw1/root", "/b/lab/nodes/fw1/root/proc", "/b/lab/nodes2/fw1/root", "/b/lab-b/nodes/fw1/root", "/b/lab/nodes/a\\040b", "/"]
    text = "\n".join(f"{number} 1 0:1 / {point} rw - overlay x rw" for number, point in enumerate(lines))
    found = overlay.mounts_below(Path("/b/lab/nodes"), text)
    assert found == [Path("/b/lab/nodes/a b"), Path("/b/lab/nodes/fw1/root/proc"), Path("/b/lab/nodes/fw1/root")]


def test_missing_tools_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda tool: None if tool in ("systemd-nspawn", "nc") else f"/bin/{tool}")
    with pytest.raises(system.LabError, match="apt-get install netcat-openbsd systemd-container"):
        machine.check_machine()
    monkeypatch.setattr("shutil.which", lambda tool: f"/bin/{tool}")
    machine.check_machine()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(system.LabError, match="run it as root"):
        machine.check_machine()


def test_every_tool_is_in_the_list_that_make_installs() -> None:
    for tools, name in ((machine.TOOLS, "packages.txt"), (qemu.TOOLS, "qemu-packages.txt")):
        listed = (Path(machine.__file__).parents[1] / name).read_text(encoding="utf-8").split()
        assert set(tools.values()) <= set(listed)


def test_a_machine_without_room_is_refused_before_a_node_fails(tmp_path: Path) -> None:
    system.write(tmp_path / "sys/fs/inotify/max_user_instances", "30\n")
    folder = tmp_path / "12" / "fd"
    folder.mkdir(parents=True)
    os.chown(tmp_path / "12", 0, 0) if os.geteuid() == 0 else None
    for number in range(3):
        (folder / str(number)).symlink_to("anon_inode:inotify")
    used = 3 if (tmp_path / "12").stat().st_uid == 0 else 0
    machine.check_room((30 - used) // 7, tmp_path)
    with pytest.raises(system.LabError, match=r"sysctl fs.inotify.max_user_instances=1024"):
        machine.check_room(5, tmp_path)


def test_a_lock_is_exclusive_and_free_after_its_file_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "fw1" / "lock"
    with system.lock(path, 1):
        with pytest.raises(system.LabError, match="another command still works on fw1"), system.lock(path, 0.2):
            raise AssertionError("two commands hold the lock")
        path.unlink()
        with system.lock(path, 1):  # a new file is a new lock
            assert path.exists()


def test_who_waited_for_a_lock_does_not_get_a_removed_one(tmp_path: Path) -> None:
    path, got = tmp_path / "lock", []

    def wait() -> None:
        with system.lock(path, 10):
            got.append(path.exists())

    with system.lock(path, 1):
        thread = threading.Thread(target=wait)
        thread.start()
        path.unlink()
    thread.join()
    assert got == [True]


def test_a_folder_that_went_with_its_lock_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened = tmp_path / "lab" / "lock", os.open

    def gone(*arguments: Any, **more: Any) -> int:
        monkeypatch.setattr(os, "open", opened)
        path.parent.rmdir()
        return opened(*arguments, **more)
    monkeypatch.setattr(os, "open", gone)
    with system.lock(path, 5):
        assert path.exists()


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(system.LabError, match="status 3: sh -c echo broken >&2; exit 3: broken"):
        system.run(["sh", "-c", "echo broken >&2; exit 3"])
    with pytest.raises(system.LabError, match="no end after 0 s"):
        system.run(["sleep", "5"], timeout=0.1)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_live_line_on_a_terminal_and_lines_elsewhere() -> None:
    for stream, expected in ((_Terminal(), "\r\033[Ka\r\033[Kb\nc\n"), (io.StringIO(), "a\nb\nc\n")):
        progress = Progress(stream)
        progress.show("a")
        progress.show("b")
        progress.say("c")
        assert stream.getvalue() == expected
