# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's layer mounted over the image."""

from __future__ import annotations

from pathlib import Path

from .system import run, wait_for


def mount(image: Path, folder: Path) -> Path:
    """Mount the node's disk: what it ever wrote (folder/upper) over the image. Returns the mount point."""
    root = folder / "root"
    for each in (root, folder / "upper", folder / "work"):
        each.mkdir(parents=True, exist_ok=True)
    (folder / "upper").chmod(0o755)
    if not root.is_mount():
        options = f"lowerdir={image},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        run(["mount", "-t", "overlay", f"hafw:{folder.name}", "-o", options, str(root)])
    return root


def mounts_below(folder: Path, mountinfo: str | None = None) -> list[Path]:
    """Mount points at or below the folder, innermost first."""
    text = mountinfo if mountinfo is not None else Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    points = [Path(line.split()[4].encode().decode("unicode_escape").removesuffix("//deleted")) for line in text.splitlines()]
    return [point for point in reversed(points) if point == folder or folder in point.parents]


def unmount(folder: Path) -> None:
    """Take away every mount below the folder."""
    for point in mounts_below(folder):
        if not wait_for(lambda point=point: run(["umount", str(point)], check=False).returncode == 0, 3):  # type: ignore[misc]
            # Somebody looks at it from outside: it vanishes when they leave.
            run(["umount", "--lazy", str(point)])
