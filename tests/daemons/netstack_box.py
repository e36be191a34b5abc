# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A throwaway machine that has every network stack: a tree, a network and a /run of its own. Nothing of it is installed or started on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, Node

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "molecule" / "shared"))
from hafw_lab import image, overlay  # noqa: E402

PACKAGES = ("ifupdown", "network-manager", "vlan")
PORTS = ("eth0", "eth1", "eth2", "eth3")
# /sys that cannot be written is the sign of a container: there nobody waits for udev.
_START = """mount --make-rprivate / && mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys" && mount -t tmpfs tmpfs "$1/run" &&
mount --bind /dev "$1/dev" && exec chroot "$1" sh -c 'echo ready; exec sleep infinity'"""


def tree() -> Path:
    """What the box is made of, built when it is not there yet."""
    return image.ensure(ROOT / "build" / "image", "bookworm", lambda text: print(text, file=sys.stderr), more=PACKAGES)


def until(condition: Callable[[], bool], told: Callable[[], object] = lambda: "") -> None:
    """Wait for a condition; ``told`` says more when it does not come true."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.1)


class Box:
    """The machine. Use as a context manager: it leaves nothing behind."""

    def __init__(self, lower: Path, folder: Path) -> None:
        self.lower = lower
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Box:
        self.root = overlay.mount(self.lower, self.folder)
        argv = ["unshare", "--mount", "--net", "--uts", "--ipc", "sh", "-c", _START, "sh", str(self.root)]
        self.holder = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        self.processes.append(self.holder)
        assert self.holder.stdout is not None and self.holder.stdout.readline() == "ready\n"
        for number, port in enumerate(PORTS):
            self.run("ip", "link", "add", "name", port, "address", "02:00:00:00:01:%02x" % number, "type", "veth", "peer", "name", "far" + port)
        return self

    def __exit__(self, *_error: object) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(10)
        overlay.unmount(self.folder)

    def entering(self, *argv: str) -> list[str]:
        """The words that run a command in the box."""
        return ["nsenter", "--target", str(self.holder.pid), "--mount", "--net", "--uts", "--ipc", "--root", "--wd", "env", "-i", "LC_ALL=C",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *argv]

    def ask(self, *argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(self.entering(*argv), input=stdin, capture_output=True, text=True, timeout=60, check=False)

    def run(self, *argv: str) -> str:
        """Run a command that must do."""
        done = self.ask(*argv)
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout

    def spawn(self, log: Path, *argv: str) -> subprocess.Popen[str]:
        """Start a daemon; it ends with the box."""
        with log.open("w", encoding="utf-8") as output:
            self.processes.append(subprocess.Popen(self.entering(*argv), stdout=output, stderr=output, text=True))
        return self.processes[-1]

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file in the box."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)

    @property
    def node(self) -> Node:
        """The box as a provider sees it; it only reads."""
        return _BoxNode(self)


class _BoxNode(Node):
    def __init__(self, box: Box) -> None:
        super().__init__(check_mode=True)
        self.box = box

    def query(self, argv: Sequence[str], stdin: str | None = None, ok: Sequence[int] | None = (0,), timeout: float = 30.0) -> Completed:
        return super().query(self.box.entering(*argv), stdin, ok, timeout)

    def has(self, program: str) -> bool:
        return any((self.box.root / folder / program).exists() for folder in ("usr/sbin", "usr/bin"))

    def read_text(self, path: str) -> str | None:
        return super().read_text(str(self.box.root) + path)
