# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of a Linux node under systemd: files in memory, units, packages, command handlers, and failures on demand.

It keeps the real :class:`Node`'s bookkeeping (commands, diffs, check mode, transactions) and replaces what reaches the machine.
Each rule that it simulates was seen with systemd 252: a drop-in takes effect with ``daemon-reload`` only, a masked unit cannot be started or
enabled, a unit restarted with a broken configuration ends as failed.
"""

from __future__ import annotations

import errno
import os
import re
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, Content, Node, NodeError

UNIT_FOLDER = "/etc/systemd/system/"
Handler = Callable[[List[str], Optional[str]], Completed]


class SimulatedFile(NamedTuple):
    """Text and permission bits of a file."""

    text: str
    mode: int = 0o644


class SimulatedUnit:
    """One systemd unit.

    Attributes:
        active, enabled, masked, failed: as systemd would say.
        starts, stops, reloads: how often each happened.
        loaded_lines: the lines of its own file and drop-ins as of the last ``daemon-reload``.
        on_start, on_reload, on_stop: called with the node when it happens; a NodeError raised by on_start makes the unit fail.
    """

    def __init__(self, active: bool = False, enabled: bool = False, masked: bool = False) -> None:
        self.active = active
        self.enabled = enabled
        self.masked = masked
        self.failed = False
        self.starts = 0
        self.stops = 0
        self.reloads = 0
        self.pid = 100 if active else 0
        self.loaded_lines: List[str] = []
        self.on_start: Callable[["SystemdNode"], None] = lambda node: None
        self.on_reload: Callable[["SystemdNode"], None] = lambda node: None
        self.on_stop: Callable[["SystemdNode"], None] = lambda node: None


class SystemdNode(Node):
    """A simulated node.

    Attributes:
        files: path -> :class:`SimulatedFile`.
        units: unit name -> :class:`SimulatedUnit`; a missing name is a unit that systemd does not know.
        packages: installed package -> version, as dpkg-query lists them.
        full_disks: folders (with their children) where writing fails with ENOSPC.
        failing: (verb, unit) of systemctl calls that fail, the unit ending as failed where the verb would have started it.
        queries: every command that was run, reading or changing, in order.
        seconds: simulated time that :meth:`wait_for` has spent.
        kernel: path -> text of what the kernel makes up when it is read (/proc, /sys), or None for an ordinary file.
    """

    def __init__(self, check_mode: bool = False, files: Optional[Dict[str, str]] = None, packages: Optional[Dict[str, str]] = None) -> None:
        super().__init__(check_mode=check_mode)
        self.files: Dict[str, SimulatedFile] = {path: SimulatedFile(text) for path, text in (files or {}).items()}
        self.files.setdefault("/etc/os-release", SimulatedFile('ID=debian\nVERSION_ID="12"\n'))
        self.units: Dict[str, SimulatedUnit] = {}
        self.packages: Dict[str, str] = dict(packages or {})
        self.full_disks: List[str] = []
        self.failing: List[Tuple[str, str]] = []
        self.queries: List[List[str]] = []
        self.seconds = 0.0
        self.kernel: Callable[[str], Optional[str]] = lambda path: None
        self._handlers: List[Tuple[Tuple[str, ...], Handler]] = []
        self.on(["systemctl"], self._systemctl)
        self.on(["journalctl"], lambda argv, stdin: Completed(0, "simulated journal of the unit\n", ""))
        self.on(["dpkg-query"], self._dpkg_query)

    # What tests use

    def on(self, prefix: Sequence[str], handler: Handler) -> None:
        """Answer commands whose first words are ``prefix``; the handler that was added last wins."""
        self._handlers.insert(0, (tuple(prefix), handler))

    def says(self, prefix: Sequence[str], stdout: str = "", status: int = 0, stderr: str = "") -> None:
        """Answer commands that begin with ``prefix`` always the same way."""
        self.on(prefix, lambda argv, stdin: Completed(status, stdout, stderr))

    def unit(self, name: str, active: bool = False, enabled: bool = False, masked: bool = False) -> SimulatedUnit:
        """Add a unit that systemd knows; its drop-ins among the files count as read."""
        self.units[name] = SimulatedUnit(active=active, enabled=enabled, masked=masked)
        self.units[name].loaded_lines = self._lines_of(name)
        return self.units[name]

    def text(self, path: str) -> str:
        """The text of a file that must exist."""
        return self.files[path].text

    def again(self, check_mode: bool = False) -> "SystemdNode":
        """The same machine seen by the next run: same files, units and handlers, new account of commands and diffs."""
        following = SystemdNode(check_mode=check_mode)
        for name in ("files", "units", "packages", "full_disks", "failing", "kernel"):
            setattr(following, name, getattr(self, name))
        own = ("systemctl", "journalctl", "dpkg-query")
        following._handlers = [entry for entry in self._handlers if entry[0] not in [(name,) for name in own]] + following._handlers
        return following

    def snapshot(self) -> Tuple[Dict[str, SimulatedFile], Dict[str, Tuple[bool, bool, bool]]]:
        """Files and unit states, to compare before and after; /run is left out because services write there by themselves."""
        files = {path: entry for path, entry in self.files.items() if not path.startswith("/run/")}
        return files, {name: (unit.active, unit.enabled, unit.masked) for name, unit in self.units.items()}

    # Node

    def query(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 30.0) -> Completed:
        words = list(argv)
        self.queries.append(words)
        for prefix, handler in self._handlers:
            if tuple(words[:len(prefix)]) == prefix:
                done = handler(words, stdin)
                if ok is not None and done.status not in ok:
                    raise NodeError("%s exited with status %d and said: %s" % (" ".join(words), done.status, done.stderr or done.stdout or "nothing"))
                return done
        raise NodeError("%s is not installed on this node" % words[0])

    def has(self, program: str) -> bool:
        return any(prefix[0] in (program, "/usr/sbin/" + program, "/usr/bin/" + program) for prefix, _handler in self._handlers)

    def read_text(self, path: str) -> Optional[str]:
        entry = self.files.get(path)
        return self.kernel(path) if entry is None else entry.text

    def read_file(self, path: str, most: int) -> Optional[Content]:
        entry = self.files.get(path)
        if entry is not None and len(entry.text) > most:
            raise NodeError("%s is too large: it has more than the %d bytes that there is room for" % (path, most))
        return None if entry is None else Content(entry.text.encode("utf-8", "surrogateescape"), entry.mode, 0)

    def find_files(self, pattern: str) -> List[str]:
        words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        expression = re.compile("".join(words.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern)))
        return sorted(path for path in self.files if expression.fullmatch(path))

    def wait_for(self, condition: Callable[[], bool], timeout: float, interval: float = 0.1) -> bool:
        if self.check_mode:
            return True
        end = self.seconds + timeout
        while not condition():
            if self.seconds >= end:
                return False
            self.seconds += max(interval, timeout / 10)
        return True

    def write_text(self, path: str, text: str, mode: Optional[int] = 0o644) -> bool:
        old = self.files.get(path)
        if old == SimulatedFile(text, mode):
            return False
        before, after = (old.text if old else "", text)
        if old is not None and old.text == text:
            before, after = "mode: %04o\n" % old.mode, "mode: %04o\n" % mode
        self.diffs.append({"before_header": path, "after_header": path, "before": before, "after": after})
        if not self.check_mode:
            self._remember(path, None if old is None else old.text, None if old is None else old.mode)
            self._store(path, SimulatedFile(text, mode))
        return True

    def remove(self, path: str) -> bool:
        old = self.files.get(path)
        if old is None:
            return False
        self.diffs.append({"before_header": path, "after_header": path, "before": old.text, "after": ""})
        if not self.check_mode:
            self._remember(path, old.text, old.mode)
            del self.files[path]
        return True

    def _remember(self, path: str, old: Optional[str], old_mode: Optional[int]) -> None:
        def back() -> None:
            if old is None:
                self.files.pop(path, None)
            else:
                self.files[path] = SimulatedFile(old, old_mode if old_mode is not None else 0o644)

        if self._undo is not None:
            self._undo.append(back)

    def _store(self, path: str, entry: SimulatedFile) -> None:
        if any(path.startswith(folder) for folder in self.full_disks):
            raise NodeError("cannot write %s: %s; the old file is untouched, free some space there and run again" % (path, os.strerror(errno.ENOSPC)))
        self.files[path] = entry

    # systemd

    def _lines_of(self, name: str) -> List[str]:
        own = [UNIT_FOLDER + name, "/usr/lib/systemd/system/" + name, "/lib/systemd/system/" + name]
        drop_ins = sorted(path for path in self.files if path.startswith(UNIT_FOLDER + name + ".d/") and path.endswith(".conf"))
        paths = [path for path in own if path in self.files][:1] + drop_ins
        return [line for path in paths for line in self.files[path].text.splitlines()]

    def _systemctl(self, argv: List[str], stdin: Optional[str]) -> Completed:
        words = [word for word in argv[1:] if not word.startswith("-")]
        if words[:1] == ["daemon-reload"]:
            for path in list(self.files):
                name = path[len(UNIT_FOLDER):] if path.startswith(UNIT_FOLDER) else ""
                if name and "/" not in name and name not in self.units:
                    self.units[name] = SimulatedUnit()
            for name, unit in self.units.items():
                unit.loaded_lines = self._lines_of(name)
            return Completed(0, "", "")
        if words[:1] == ["show"]:
            return Completed(0, self._show(words[1]), "")
        verb, name = words[0], words[1]
        if verb in ("enable", "disable") and "--now" in argv:
            raise NodeError("the simulator does not know --now")
        if name not in self.units:
            return Completed(5, "", "Unit %s could not be found." % name)
        known: Dict[str, Callable[[str, SimulatedUnit], Optional[str]]] = {
            "start": self._start, "stop": self._stop, "restart": self._restart, "reload": self._reload, "enable": self._enable,
            "disable": self._disable, "mask": self._mask, "unmask": self._unmask, "reset-failed": self._reset_failed,
        }
        trouble = known[verb](name, self.units[name])
        return Completed(1, "", trouble) if trouble else Completed(0, "", "")

    def _show(self, name: str) -> str:
        unit = self.units.get(name)
        if unit is None:
            return "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nNeedDaemonReload=no\nMainPID=0\n"
        active = "active" if unit.active else "failed" if unit.failed else "inactive"
        sub = "running" if unit.active else "failed" if unit.failed else "dead"
        stale = unit.loaded_lines != self._lines_of(name)
        return "LoadState=%s\nActiveState=%s\nSubState=%s\nUnitFileState=%s\nNeedDaemonReload=%s\nMainPID=%d\n" % (
            "masked" if unit.masked else "loaded", active, sub, "masked" if unit.masked else "enabled" if unit.enabled else "disabled",
            "yes" if stale else "no", unit.pid)

    def _start(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        if unit.masked:
            return "Failed to start %s: Unit %s is masked." % (name, name)
        if unit.active:
            return None
        unit.starts += 1
        try:
            if ("start", name) in self.failing:
                raise NodeError("made to fail")
            self._copies(unit, "ExecStartPre=")
            unit.on_start(self)
        except NodeError:
            unit.failed = True
            return "Job for %s failed because the control process exited with error code." % name
        unit.active, unit.failed, unit.pid = True, False, unit.pid + 1 if unit.pid else 100 + unit.starts
        return None

    def _stop(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        if unit.active:
            unit.active, unit.pid = False, 0
            unit.stops += 1
            unit.on_stop(self)
        return None

    def _restart(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        if ("restart", name) in self.failing:
            unit.active, unit.failed, unit.pid = False, True, 0
            return "Job for %s failed because the control process exited with error code." % name
        return self._stop(name, unit) or self._start(name, unit)

    def _reload(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        if not unit.active:
            return "Failed to reload %s: Job type reload is not applicable for unit %s." % (name, name)
        if ("reload", name) in self.failing:
            return "Job for %s failed." % name
        unit.reloads += 1
        self._copies(unit, "ExecReload=")
        unit.on_reload(self)
        return None

    def _enable(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        if unit.masked:
            return "Failed to enable unit: Unit file %s is masked." % (UNIT_FOLDER + name)
        if ("enable", name) in self.failing:
            return "Failed to enable unit: made to fail"
        unit.enabled = True
        return None

    def _disable(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        unit.enabled = False
        return None

    def _mask(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        unit.masked = True
        return None

    def _unmask(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        unit.masked = False
        return None

    def _reset_failed(self, name: str, unit: SimulatedUnit) -> Optional[str]:
        unit.failed = False
        return None

    def _copies(self, unit: SimulatedUnit, key: str) -> None:
        """Do what a loaded ``ExecStartPre=`` or ``ExecReload=`` line does when it copies a file with install(1) or cp(1)."""
        for line in unit.loaded_lines:
            words = line[len(key):].lstrip("-+").split() if line.startswith(key) else []
            if words and os.path.basename(words[0]) in ("install", "cp"):
                source, target = [word for word in words[1:] if word.startswith("/")][-2:]
                if source not in self.files:
                    raise NodeError("%s: no such file" % source)
                self.files[target] = SimulatedFile(self.files[source].text, 0o600)

    def _dpkg_query(self, argv: List[str], stdin: Optional[str]) -> Completed:
        asked = argv[argv.index("-f") + 2:]
        rows = "".join("%s\tinstalled\t%s\n" % (name, self.packages[name]) for name in asked if name in self.packages)
        return Completed(0 if all(name in self.packages for name in asked) else 1, rows, "")
