# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's processes are those of its control group: this is how they are found and killed, never by name.

Every node has a group of its own in every mounted hierarchy. Without it the systemd of all nodes would share one group, and each would
see the others' processes in its own services.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from .system import LabError, wait_for


def _hierarchies(mountinfo: str) -> list[tuple[str, str, str]]:
    """(mount point, type, super options) of every control group hierarchy."""
    found = []
    for line in mountinfo.splitlines():
        left, _dash, right = line.partition(" - ")
        kind = right.split()[0]
        if kind in ("cgroup", "cgroup2"):
            found.append((left.split()[4], kind, right.split()[2]))
    return found


def roots(mountinfo: str | None = None) -> list[Path]:
    """Mount points of all hierarchies, the one that processes are tracked by first."""
    text = mountinfo if mountinfo is not None else Path("/proc/self/mountinfo").read_text(encoding="utf-8")

    def rank(entry: tuple[str, str, str]) -> int:
        _point, kind, options = entry
        return 0 if kind == "cgroup2" else 1 if "name=systemd" in options else 2

    found = sorted(_hierarchies(text), key=rank)
    if not found or rank(found[0]) == 2:
        raise LabError("no control group hierarchy is mounted that systemd can use: mount cgroup2 at /sys/fs/cgroup")
    return list(dict.fromkeys(Path(point) for point, _kind, _options in found))


def create(name: str, child: str = "") -> list[Path]:
    """Make the node's group (or a child of it) and return its folder in every hierarchy that can hold it."""
    made = []
    for position, root in enumerate(roots()):
        group = root / name / child if child else root / name
        try:
            group.mkdir(parents=True, exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):  # version 1: empty means that no process may enter
                for folder in (root / name, group):
                    if (folder / setting).exists() and (folder / setting).read_text() == "\n" and not (folder / "cgroup.type").exists():
                        (folder / setting).write_text((folder.parent / setting).read_text())
        except OSError as error:
            if position == 0:
                raise LabError(f"cannot make the control group {group}: {error}") from error
            continue
        made.append(group)
    return made


def enter(groups: list[Path]) -> None:
    """Move this process into the groups."""
    for group in groups:
        (group / "cgroup.procs").write_text("0")


def leave() -> None:
    """Move this process out of any node's group."""
    enter(roots())


def pids(name: str) -> list[int]:
    """All processes of the node, as this machine counts them. Those of the node's helpers (nspawn, entered shells) are included."""
    found: list[int] = []
    for folder, _folders, _files in os.walk(roots()[0] / name):
        try:
            found += [int(word) for word in Path(folder, "cgroup.procs").read_text().split()]
        except OSError:
            continue
    return [pid for pid in found if pid > 0]


def kill(name: str, seconds: float = 10) -> None:
    """Kill every process of the node at once and wait until none is left."""
    switch = roots()[0] / name / "cgroup.kill"

    def gone() -> bool:
        alive = pids(name)
        for pid in alive if not switch.exists() else []:
            _kill(pid)
        return not alive

    if switch.exists():
        switch.write_text("1")
    if not wait_for(gone, seconds, 0.02):
        raise LabError(f"processes of {name} do not die: {pids(name)}")


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def remove(name: str) -> None:
    """Remove the empty group in every hierarchy."""
    for root in roots():
        for folder, _folders, _files in os.walk(root / name, topdown=False):
            # The kernel may need a moment after the last process's end.
            wait_for(lambda folder=folder: _rmdir(folder), 2, 0.02)  # type: ignore[misc]


def _rmdir(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def existing() -> list[str]:
    """Names of all top-level groups in any hierarchy."""
    return sorted({child.name for root in roots() for child in root.iterdir() if child.is_dir()})
