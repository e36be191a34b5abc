# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated node on which scripts run: this machine's own sh, whose programs are stand-ins that ask the simulated machine, and its own time,
fifty seconds of which are one here."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, Callable, List, Optional, Sequence, Tuple, TypeVar

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import FOLDER
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.machine import Crashed, Machine
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.node import MachineNode

Self = TypeVar("Self", bound="ShellNode")
T = TypeVar("T")

_TICK = 0.005  # seconds here
_FASTER = 50.0
_PATIENCE = 5.0
_ASLEEP = 60.0  # seconds here
_UP = "../../../../../"
_STAND_IN = """#!%s -SIE
import json, os, signal, socket, sys
wire = socket.socket(socket.AF_UNIX)
try:
    wire.connect(%r)
except OSError:  # whoever tested was ended, and what it has left runs no further
    os.killpg(0, signal.SIGKILL)
wire.sendall(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]).encode() + b"\\n")
answer = json.loads(wire.makefile().read() or '[137, "", ""]')
sys.stdout.write(answer[1])
sys.stderr.write(answer[2])
sys.exit(answer[0])
"""
# Fifty times as fast, without the cost of asking.
_SLEEP = """#!/bin/sh
while [ -e "${0%/bin/*}/held" ]; do : > "${0%/bin/*}/asleep"; /bin/sleep 0.01; done
left=$(($1 * 20))
exec /bin/sleep "$((left / 1000)).$(printf %03d $((left % 1000)))"
"""


def some_of(total: int) -> List[int]:
    """Places at which something is to go wrong, one after the other: every third, or all of them where tests look for what nobody has seen yet."""
    return list(range(0, total, 1 if os.environ.get("HAFW_HYPOTHESIS") == "long" else 3))


class Host:
    """What makes scripts run on a machine: the stand-ins, the time, and who listens to them. To be closed.

    Attributes:
        failing: asked before each command that changes something, with its words and whether a script runs it; true lets it fail.
        scripts: groups of processes that were started.
        programs: names of the stand-ins.
    """

    programs: Sequence[str] = ()

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.lock = threading.RLock()
        self.failing: Callable[[List[str], bool], bool] = lambda words, by_script: False
        self.scripts: List[subprocess.Popen[bytes]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="hafw"))  # the name of a socket must be short
        self._open = True
        wire = str(self.folder / "wire")
        (self.folder / "bin").mkdir()
        for name, text in dict({name: _STAND_IN % (sys.executable, wire) for name in self.programs}, sleep=_SLEEP, sync="#!/bin/sh\n").items():
            path = self.folder / "bin" / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        host = self

        class Handler(socketserver.StreamRequestHandler):
            """One command."""

            def handle(self) -> None:
                answer = host.told(json.loads(self.rfile.readline()))
                with contextlib.suppress(OSError):
                    self.wfile.write(json.dumps(answer).encode())

        self._server = _Server(wire, Handler)
        for work in (self._server.serve_forever, self._pass_time):
            threading.Thread(target=work, daemon=True).start()

    def told(self, words: List[str]) -> List[Any]:
        """Run a command of a script; no answer is given by a machine without power."""
        try:
            # The script calls / by the way from its folder to there.
            return list(self.run(self.spelled([word.replace(_UP, "/", 1) if word.startswith(_UP) else word for word in words]), None, by_script=True))
        except (NodeError, Crashed, AssertionError) as error:
            return [1, "", "%s\n" % error]

    def spelled(self, words: List[str]) -> List[str]:
        """A command of a stand-in in the machine's words."""
        return words

    def run(self, words: Sequence[str], stdin: Optional[str], by_script: bool = False) -> Completed:
        """Run a command on the machine."""
        with self.lock:
            if self.machine.changing(list(words)) and self.failing(list(words), by_script):
                return Completed(1, "", "stand-in: this one fails\n")
            return self.machine.run(words, stdin)

    @staticmethod
    def runs(process: str) -> bool:
        """Whether the process of that number has not ended. This machine's init may be slow to ask one that has for its status; a node's is not."""
        return os.path.exists("/proc/%s/cwd" % process)

    def hold(self) -> None:
        """Whatever script sleeps from now on does so until :meth:`release`; returns when one does."""
        (self.folder / "held").touch()
        end = time.monotonic() + _ASLEEP
        while not (self.folder / "asleep").exists():
            assert time.monotonic() < end, "no script sleeps"
            time.sleep(_TICK)

    def release(self) -> None:
        """See :meth:`hold`."""
        for name in ("held", "asleep"):
            (self.folder / name).unlink(missing_ok=True)

    def start(self, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start a script of the machine."""
        path = "%s/bin:/usr/bin:/bin" % self.folder
        process = subprocess.Popen(list(argv), env={"PATH": path, "LC_ALL": "C"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        self.scripts.append(process)
        return process

    def kill(self) -> None:
        """Everything that runs ends."""
        for process in self.scripts:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.scripts.clear()

    def close(self) -> None:
        self._open = False
        self.kill()
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self.folder)

    def _pass_time(self) -> None:
        while self._open:
            time.sleep(_TICK)
            with self.lock:
                if self.machine.alive:
                    self.machine.clock.advance(_TICK * _FASTER)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked was killed meanwhile."""


class ShellNode(MachineNode):
    """A node whose scripts run."""

    def __init__(self, host: Host, check_mode: bool = False) -> None:
        super().__init__(host.machine, check_mode)
        self.host = host

    def again(self: Self, check_mode: bool = False) -> Self:
        return type(self)(self.host, check_mode)

    def query(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 30.0) -> Completed:
        words = list(argv)
        if words[0] == "sh" and words[1].startswith(FOLDER):
            self.host.machine.commands.append(shlex.join(words))
            if self.host.failing(words, False):
                done = Completed(1, "", "stand-in: this one fails\n")
            else:
                done = Completed(self.host.start(["sh", self._below(words[1]), *words[2:]]).wait(600), "", "")
        elif words[:3] == ["sh", "-c", 'kill -0 "$0"']:
            done = Completed(0 if self.host.runs(words[3]) else 1, "", "")
        else:
            try:
                done = self.host.run(words, stdin)
            except FileNotFoundError:
                raise NodeError("%s is not installed on this node" % words[0]) from None
        if ok is not None and done.status not in ok:
            raise NodeError("%s exited with status %d and said: %s" % (" ".join(words), done.status, done.stderr.strip()))
        return done

    def stream(self, argv: Sequence[str], seconds: float, take: Callable[[BinaryIO, Callable[[], None]], T]) -> Tuple[T, Completed]:
        with self.host.lock:
            return super().stream(argv, seconds, take)

    def wait_for(self, condition: Callable[[], bool], timeout: float, interval: float = 0.1) -> bool:
        if self.check_mode:
            return True
        # Time goes on though nothing is done here that would, on a machine whose scripts wait for this one's processors; there is no hurry to give up.
        end = self.machine.clock.now + _PATIENCE * timeout
        while not condition():
            if not self.machine.alive:
                raise Crashed("waiting")
            if self.machine.clock.now >= end:
                return False
            time.sleep(_TICK)
        return True

    # Power

    def lose_power(self) -> None:
        """The machine is off."""
        with self.host.lock:
            self.machine.lose_power()
        self.host.kill()

    def boot(self) -> None:
        """Start the machine: what rc gives, then scripts."""
        self.lose_power()
        for path in (self.root / "var/run").rglob("*"):
            if not path.is_dir():  # rc.d/cleanvar leaves folders
                path.unlink()
        with self.host.lock:
            self.machine.boot()
        self.scripts()

    def scripts(self) -> None:
        """Run what the system runs at the end of its start."""
        raise NotImplementedError
