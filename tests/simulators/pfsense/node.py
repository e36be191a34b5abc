# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated pfSense node: the real :class:`Node` on the stand-in's files, its PHP run by the machine's own php."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, List, Optional, Sequence, Tuple, TypeVar

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.files import RootedNode
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import PROGRAMS, lay_out

HALTED = 3  # of rc.bootup
T = TypeVar("T")


class HaltedAtAssignment(Exception):
    """The node does not boot: at its console it asks for other devices in the place of these, which it does not have."""


class PfsenseNode(RootedNode):
    """A node under a directory.

    Attributes:
        root: the directory that stands for /.
        before_php: called with the number of the call before each start of PHP, counted from 1.
        php_calls: how often PHP was started.
    """

    def __init__(self, root: Path, check_mode: bool = False, **layout: Any) -> None:
        super().__init__(root, check_mode)
        self.php_calls = 0
        self.before_php: Callable[[int], None] = lambda number: None
        if not (root / "etc").exists():
            lay_out(root, **layout)

    def again(self, check_mode: bool = False) -> "PfsenseNode":
        """The same machine seen by the next run."""
        return PfsenseNode(self.root, check_mode)

    # What tests look at and change

    @property
    def config_path(self) -> Path:
        """config.xml."""
        return self.root / "cf" / "conf" / "config.xml"

    @property
    def config(self) -> str:
        """The text of config.xml."""
        return self.config_path.read_text(encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Change the configuration by hand, and let the cache go as one must."""
        assert old in self.config
        self.config_path.write_text(self.config.replace(old, new), encoding="utf-8")
        (self.root / "tmp" / "config.cache").unlink() if (self.root / "tmp" / "config.cache").exists() else None

    def switch(self, **switches: Any) -> None:
        """Set switches of the stand-in; the others stay as they are."""
        self._merge("switches.json", switches)

    def kernel(self, area: Optional[str] = None, **values: Any) -> Dict[str, Any]:
        """The kernel, or an area of it (``pfsync``, ``sysctl``, ``interfaces``), after it was given these values."""
        return self._merge("kernel.json", values, area)

    def journal(self, *kinds: str) -> List[str]:
        """What was run so far, of these kinds."""
        lines = [line.split("\t", 1) for line in (self.root / "var" / "standin" / "journal").read_text(encoding="utf-8").splitlines()]
        return [text for kind, text in lines if kind in kinds]

    def boot_carp(self, peer_advskew: Optional[int] = 100) -> None:
        """Bring up what the configuration has of CARP, with another node of that skew on the segments."""
        self.kernel(carp_peer_advskew=peer_advskew)
        self.php('foreach ($config["virtualip"]["vip"] as $vip) { interface_carp_configure($vip); interface_ipalias_configure($vip); }')

    def boot(self) -> List["subprocess.Popen[bytes]"]:
        """Lose what only the kernel knew, and start as the product does.

        Returns:
            What runs in the background from then on: the scripts in /usr/local/etc/rc.d. Who looks at what they do waits for them.
        Raises:
            HaltedAtAssignment: the configuration names devices that are not there; nothing was started.
        """
        self.lose_power()
        for name in ("tmp/config.cache", "tmp/rules.debug", "var/standin/loaded_rules"):
            (self.root / name).unlink(missing_ok=True)
        for path in (self.root / "var/run").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._start_kernel()
        (self.root / "var/run/booting").touch()
        done = super().query(self._words(["php", "-q", str(self.root / "etc/rc.bootup")]), ok=(0, HALTED), timeout=120.0)
        if done.status == HALTED:
            raise HaltedAtAssignment(done.stderr)
        scripts = sorted(path for path in (self.root / "usr/local/etc/rc.d").glob("*.sh") if os.access(path, os.X_OK))
        with open(self.root / "tmp/bootup_messages", "ab") as messages:
            return [subprocess.Popen(self._words([str(path), "start"]), stdin=subprocess.DEVNULL, stdout=messages, stderr=messages) for path in scripts]

    def lose_power(self) -> None:
        """Everything that runs on the node ends: the processes of this machine whose root is the node's."""
        mark = b"PFSENSE_STANDIN_ROOT=%s\0" % str(self.root).encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
            except (OSError, ValueError):
                continue  # it has ended, or is none of ours to look at

    def _start_kernel(self) -> None:
        kernel = self.kernel()
        for name, interface in kernel["interfaces"].items():
            if name != "lo0":
                interface.update(up=False, mtu=1500, addresses=[], carp={}, description=None)
        kernel["interfaces"] = {name: interface for name, interface in kernel["interfaces"].items() if "lagg" not in interface and "vlan" not in interface}
        kernel["pfsync"].update(syncdev=None, syncpeer=None, defer=False, up=False, version=next(reversed(kernel["pfsync"]["formats"]), None))
        kernel["pf"].update(states=[], anchors={}, tables={})
        booted = int(re.findall(r"sec = (\d+)", kernel["sysctl"]["kern.boottime"])[0]) + 3600
        kernel["sysctl"].update({"net.inet.carp.allow": "1", "net.inet.carp.preempt": "0", "net.inet.carp.demotion": "0",
                                 "kern.boottime": "{ sec = %d, usec = 123456 } %s" % (booted, time.asctime(time.gmtime(booted)))})
        self.kernel(**kernel)

    def php(self, code: str) -> Completed:
        """Run PHP with the product's functions at hand."""
        return super().query(self._words(["php"]), stdin='<?php require_once("config.inc"); require_once("functions.inc"); require_once("filter.inc");' + code,
                             ok=None)

    # Node

    def query(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 30.0) -> Completed:
        if argv[0] == "php":
            self.php_calls += 1
            self.before_php(self.php_calls)
        return super().query(self._words(argv), stdin=stdin, ok=ok, timeout=timeout)

    def stream(self, argv: Sequence[str], seconds: float, take: Callable[[BinaryIO, Callable[[], None]], T]) -> Tuple[T, Completed]:
        return super().stream(self._words(argv), seconds, take)

    def has(self, program: str) -> bool:
        return program in PROGRAMS

    def _words(self, argv: Sequence[str]) -> List[str]:
        words = [self._below(word) if word.startswith(("/usr/local/etc/", "/var/run")) else word for word in argv]
        if words[0] in PROGRAMS:
            words[0] = "%s/sbin/%s" % (self.root, words[0])
        # A shell finds the stand-in's programs first, and PHP the stand-in's settings behind the machine's own.
        return ["env", "PFSENSE_STANDIN_ROOT=%s" % self.root, "PATH=%s/sbin:/usr/bin:/bin" % self.root,
                "PHP_INI_SCAN_DIR=:%s/usr/local/etc/php" % self.root] + words

    def _merge(self, name: str, values: Dict[str, Any], area: Optional[str] = None) -> Dict[str, Any]:
        path = self.root / "var" / "standin" / name
        whole = json.loads(path.read_text(encoding="utf-8"))
        part = whole if area is None else whole[area]
        part.update(values)
        path.write_text(json.dumps(whole), encoding="utf-8")
        return part
