# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's command line as the tests use it, and what a lab can leave on a machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "molecule" / "shared" / "lab.py"


class LabCommand:
    """The lab's command line for one lab name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = ROOT / "build" / name

    def argv(self, command: str, *words: str) -> list[str]:
        """The words that run one command on this lab."""
        return [sys.executable, str(SCRIPT), command, "--name", self.name, *words]

    def run(self, command: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        done = subprocess.run(self.argv(command, *words), capture_output=True, text=True, timeout=600, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    def told(self, command: str, *words: str) -> Any:
        """Run one command and return what it tells."""
        return json.loads(self.run(command, *words).stdout)

    def on(self, node: str, line: str) -> str:
        """Run a shell line on a node without ssh and return its output; AssertionError when it fails."""
        return self.run("shell", node, "--", line).stdout

    def traces(self) -> list[str]:
        """Whatever of the lab exists on the machine."""
        space = f"hafw-{self.name}-"
        found = [f"namespace {line.split()[0]}" for line in _output("ip", "netns", "list").splitlines()]
        for pattern in (f"sys/fs/cgroup/{space}*", f"sys/fs/cgroup/*/{space}*", f"run/systemd/nspawn/*/{space}*"):
            found += [str(path) for path in Path("/").glob(pattern)]
        found += [f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        # A dead process that init has not yet collected is in a "(deleted)" group.
        found += [f"process {line}" for path in Path("/proc").glob("[0-9]*/cgroup") for line in _text(path).splitlines() if "(deleted)" not in line]
        found += [str(path) for path in self.folder.glob("*")]
        own = re.compile(rf"{space}(fw\d|client|server|net|stranger)\b|/{self.name}/")
        return [each for each in found if own.search(each)]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # the process has ended


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
