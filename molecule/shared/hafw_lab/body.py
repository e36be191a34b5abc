# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node is made of: one small interface, behind which is a container or a virtual machine."""

from __future__ import annotations

import os
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path

from . import cgroup, topology

# Joins the node's control groups, runs the node, and when it ends from within (poweroff, reboot) has the lab take away what it was plugged into:
# a stopped container whose namespace lives on would still forward and answer.
_STARTER = """
count=$1; shift
while [ "$count" -gt 0 ]; do echo 0 > "$1/cgroup.procs" || exit 1; shift; count=$((count - 1)); done
ended=$1; shift
"$@"
eval "exec $ended $?"
"""
# A root login's environment.
LOGIN = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]


class Body(ABC):
    """The body of one node. home: the node's folder, which with the disk in it outlives the node's power.

    boot_seconds: how long a start may take at most; answer_seconds: how long one answer may, while it starts.
    """

    boot_seconds: float
    answer_seconds: float

    def __init__(self, lab: str, node: topology.Node, home: Path) -> None:
        self.lab = lab
        self.node = node
        self.home = home
        self.space = topology.namespace(lab, node.name)
        self.console = home / "console.log"

    @property
    @abstractmethod
    def disk(self) -> Path:
        """Where its disk is, once it has one."""

    @abstractmethod
    def make_disk(self, image: Path, layer: Path) -> None:
        """Make its disk of the image and of a layer of files upon it, which is used up."""

    @abstractmethod
    def boot(self, image: Path, ended: str) -> None:
        """Plug it in, start it and return at once. ended: shell words that are run with the exit status when it ends by itself."""

    @abstractmethod
    def pid(self) -> int | None:
        """This machine's number of the process that is the node, None when the node is off."""

    @abstractmethod
    def run(self, argv: list[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command in the node as root, without ssh; its status is the caller's to judge. LabError when the node is off."""

    @abstractmethod
    def shell(self, argv: list[str]) -> int:
        """Run a command, or a shell when there is none, for a person; returns its status."""

    @abstractmethod
    def shut_down(self) -> None:
        """Ask it to shut down from within; LabError when it does not listen."""

    @abstractmethod
    def set_carrier(self, devices: list[str], up: bool) -> None:
        """Let it see the carrier of these devices come or go, where pulling the cable at the switch does not do that."""

    def _start(self, argv: list[str], ended: str, environment: dict[str, str] | None = None) -> None:
        """Start the node's own process in the node's control groups, apart from this command."""
        groups = cgroup.create(self.space)
        path = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")}
        with self.console.open("ab") as console:
            subprocess.Popen(
                ["/bin/sh", "-c", _STARTER, "sh", str(len(groups)), *map(str, groups), ended, *argv],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=path | (environment or {}),
                start_new_session=True,
                cwd=self.home,
            )
