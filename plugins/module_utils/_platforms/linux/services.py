# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemd units of a node: their state in one call, changes that are recorded, and a transaction that brings files and units back together."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Dict, Iterator, List, NamedTuple, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload", "MainPID")


class UnitState(NamedTuple):
    """What systemd says about a unit.

    Attributes:
        loaded: systemd knows the unit (a masked one too).
        active: it runs now (a timer: it is waiting).
        enabled: it starts at boot.
        masked: it cannot be started.
        needs_reload: its files on disk are newer than what systemd has read.
        detail: systemd's own words, ``ActiveState/SubState``, for messages.
        pid: main process, 0 when there is none.
    """

    loaded: bool
    active: bool
    enabled: bool
    masked: bool
    needs_reload: bool
    detail: str
    pid: int


class Unit:
    """One systemd unit, ``name`` with its suffix."""

    def __init__(self, node: Node, name: str) -> None:
        self.node = node
        self.name = name
        self.touched = False  # started, stopped or restarted through this object

    def state(self) -> UnitState:
        """Ask systemd, in one call.

        Raises:
            NodeError: systemd does not answer.
        """
        answer = self.node.query(["systemctl", "show", "--property=" + ",".join(_PROPERTIES), "--", self.name]).stdout
        values: Dict[str, str] = {}
        for line in answer.splitlines():
            name, _equals, value = line.partition("=")
            values[name] = value
        load = values.get("LoadState", "")
        file_state = values.get("UnitFileState", "")
        pid = values.get("MainPID", "0")
        return UnitState(
            loaded=load in ("loaded", "masked"), active=values.get("ActiveState") in ("active", "reloading"),
            enabled=file_state in ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated"),
            masked=load == "masked" or file_state in ("masked", "masked-runtime"), needs_reload=values.get("NeedDaemonReload") == "yes",
            detail="%s/%s" % (values.get("ActiveState", "?"), values.get("SubState", "?")), pid=int(pid) if pid.isdigit() else 0)

    def start(self) -> None:
        self._run("start")

    def stop(self) -> None:
        self._run("stop")

    def restart(self) -> None:
        """Stop and start; starts a unit that is not running."""
        self._run("restart")

    def reload(self) -> None:
        self._run("reload")

    def enable(self) -> None:
        """Start at boot from now on."""
        self._link("enable")

    def disable(self) -> None:
        self._link("disable")

    def mask(self) -> None:
        self._link("mask")

    def unmask(self) -> None:
        self._link("unmask")

    def last_words(self, lines: int = 10) -> str:
        """The unit's newest journal lines, for an error message; empty when there is no journal."""
        try:
            return self.node.query(["journalctl", "--no-pager", "--output=cat", "--lines=%d" % lines, "--unit=" + self.name], ok=None).stdout.strip()
        except NodeError:
            return ""

    def restore(self, before: UnitState) -> None:
        """Bring back what the unit was: masked, enabled, running. Files must be back already."""
        now = self.state()
        if now.masked and not before.masked:
            self.unmask()
        if before.loaded and not before.masked and now.enabled != before.enabled:
            self._link("enable" if before.enabled else "disable")
        if self.touched and before.active:
            # A unit that failed several times in a row is refused a start until its count is reset.
            self.node.act(["systemctl", "reset-failed", self.name], ok=None)
            self.restart()
        elif self.touched and not before.active:
            self.node.act(["systemctl", "stop", self.name], ok=None)
            self.node.act(["systemctl", "reset-failed", self.name], ok=None)
        if before.masked and not now.masked:
            self.mask()

    def _run(self, verb: str) -> None:
        self.touched = True
        try:
            self.node.act(["systemctl", verb, self.name])
        except NodeError as error:
            words = self.last_words()
            raise NodeError("%s%s" % (error, "; its journal ends with: " + words if words else "")) from error

    def _link(self, verb: str) -> None:
        self.node.act(["systemctl", verb, self.name])


def daemon_reload(node: Node) -> None:
    """Let systemd read unit files and drop-ins again."""
    node.act(["systemctl", "daemon-reload"])


@contextmanager
def transaction(node: Node, *units: Unit) -> Iterator[None]:
    """:meth:`Node.transaction` that also brings units back, after the files.

    Undo steps run newest first, so a restart undone by itself would start the unit with the new file still there. Here the files come back
    first, then systemd reads them, then each unit that was touched gets its old state with its old files.
    """
    before: List[Tuple[Unit, UnitState]] = [(unit, unit.state()) for unit in units]
    done = (len(node.commands), len(node.diffs))
    try:
        with node.transaction():
            yield
    except BaseException as error:
        if node.check_mode or done == (len(node.commands), len(node.diffs)):
            raise
        failures = _restore_all(node, before)
        if failures and isinstance(error, NodeError):
            raise NodeError("%s; but bringing services back failed: %s" % (error, "; ".join(failures))) from error
        raise


def _restore_all(node: Node, before: List[Tuple[Unit, UnitState]]) -> List[str]:
    failures = []
    try:
        daemon_reload(node)
    except NodeError as error:
        failures.append(str(error))
    for unit, state in before:
        try:
            unit.restore(state)
        except NodeError as error:
            failures.append(str(error))
    return failures
