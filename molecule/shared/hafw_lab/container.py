# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node as a container: its disk is an overlay on the image, its kernel is this machine's, its network a namespace of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from . import cgroup, network, overlay
from .body import LOGIN, Body
from .system import LabError, run


class Container(Body):
    """See Body."""

    boot_seconds = 120.0
    answer_seconds = 1.0

    @property
    def disk(self) -> Path:
        return self.home / "upper"

    def make_disk(self, image: Path, layer: Path) -> None:
        layer.rename(self.disk)

    def boot(self, image: Path, ended: str) -> None:
        network.create_node(self.lab, self.node)
        root = overlay.mount(image, self.home)
        argv = ["systemd-nspawn", "-q", "--boot", "-D", str(root), f"--network-namespace-path=/run/netns/{self.space}", f"--machine={self.space}"]
        argv += [f"--hostname={self.node.name}", "--register=no", "--keep-unit", "--link-journal=no", "--resolv-conf=off", "--timezone=off"]
        argv += ["--capability=all", "--system-call-filter=@module @keyring bpf", "--console=pipe"]
        self._start(argv, ended, {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"})

    def pid(self) -> int | None:
        """This machine's number of the node's process 1."""
        for pid in cgroup.pids(self.space):
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            except OSError:
                continue
            numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
            zombie = "\nState:\tZ" in status
            if len(numbers) > 1 and numbers[-1] == "1" and not zombie:
                return pid
        return None

    def run(self, argv: list[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return run([*self._entering(), *argv], check=False, timeout=timeout)

    def shell(self, argv: list[str]) -> int:
        entering = self._entering()
        # It dies with the node, and keeps nothing of the node alive.
        cgroup.enter(cgroup.create(self.space, "shell"))
        os.execvp(entering[0], [*entering, *(argv or ["bash", "--login"])])

    def shut_down(self) -> None:
        done = self.run(["systemctl", "poweroff"])
        if done.returncode != 0:
            raise LabError(f"{self.node.name} does not shut down ({done.stderr.strip()}): use power-off {self.node.name}")

    def set_carrier(self, devices: list[str], up: bool) -> None:
        """Both ends of its cables have one carrier: the switch has seen to it."""

    def _entering(self) -> list[str]:
        """The words before a command that make it run inside the node."""
        pid = self.pid()
        if pid is None:
            raise LabError(f"{self.node.name} is off")
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
        return ["nsenter", "--target", str(pid), *namespaces, *LOGIN, f"TERM={os.environ.get('TERM', 'dumb')}"]


def forget(name: str, folder: Path) -> None:
    """Remove what systemd-nspawn leaves behind of a machine that was killed. Called before its disk is unmounted: a lock is named after it."""
    root = folder / "root"
    if root.is_mount():
        status = root.stat()
        Path(f"/run/systemd/nspawn/locks/inode-{status.st_dev}:{status.st_ino}").unlink(missing_ok=True)
    for place in ("propagate", "unix-export"):
        try:
            Path("/run/systemd/nspawn", place, name).rmdir()
        except OSError:
            continue
