# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two channels to a running virtual machine: the monitor, where QEMU itself answers, and the agent, where a program inside it does.

Both are abstract sockets in the switch's namespace: nobody outside the lab reaches them, and nothing of them is left on any disk.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import network
from .system import LabError

_FIRST_SECONDS, _LATER_SECONDS = 0.1, 1.0  # between two questions whether a command has ended: each costs the machine something
_MONITOR_SECONDS = 30.0


class Channels:
    """The channels of one virtual machine. switch: the namespace that it runs in; name: the machine's, in messages and in the sockets' names."""

    def __init__(self, switch: str, name: str) -> None:
        self._switch = switch
        self._name = name

    def address(self, channel: str) -> str:
        """Name of the abstract socket of a channel, agent or monitor."""
        return f"{self._name}-{channel}"

    def monitor(self, command: str, **arguments: Any) -> Any:
        """Answer of QEMU to a command of its QMP; LabError when it refuses."""
        with self._connected("monitor", _MONITOR_SECONDS) as connection:
            connection.ask("qmp_capabilities", {})
            return connection.ask(command, arguments)

    def agent(self, command: str, timeout: float, **arguments: Any) -> Any:
        """Answer of the QEMU guest agent to one of its commands; LabError when it refuses, or says nothing."""
        with self._connected("agent", timeout) as connection:
            # The answers to callers who did not wait for them come first.
            number = time.monotonic_ns() & 0x7FFFFFFF
            connection.send("guest-sync-delimited", {"id": number}, b"\xff")
            while connection.receive().get("return") != number:
                pass
            return connection.ask(command, arguments)

    def run(self, argv: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root, with nothing on its standard input. LabError when it has not ended after timeout seconds."""
        deadline, pause = time.monotonic() + timeout, _FIRST_SECONDS
        pid = self.agent("guest-exec", timeout, **{"path": argv[0], "arg": argv[1:], "capture-output": True})["pid"]
        while True:
            told = self.agent("guest-exec-status", max(5.0, deadline - time.monotonic()), pid=pid)
            if told["exited"]:
                status = told["exitcode"] if "exitcode" in told else -told["signal"]
                return subprocess.CompletedProcess(argv, status, _text(told, "out-data"), _text(told, "err-data"))
            if time.monotonic() > deadline:
                raise LabError(f"no end after {timeout:.0f} s on {self._name}: {' '.join(argv)}")
            time.sleep(pause)
            pause = min(pause * 2, _LATER_SECONDS)

    @contextmanager
    def _connected(self, channel: str, timeout: float) -> Iterator[_Connection]:
        try:
            # A socket belongs to the namespace that it was made in, whoever uses it later.
            made = network.inside(self._switch, lambda: socket.socket(socket.AF_UNIX))
            with made:
                made.settimeout(timeout)
                made.connect("\0" + self.address(channel))
                # A channel takes one caller at a time, so the conversation ends here, whoever still holds on to an error of it.
                with made.makefile("rwb") as stream:
                    yield _Connection(stream, self._name)
        except OSError as error:
            raise LabError(f"the {channel} of {self._name} says nothing ({error}; waited up to {timeout:.0f} s)") from error


class _Connection:
    """One conversation, in lines of JSON."""

    def __init__(self, stream: io.BufferedIOBase, name: str) -> None:
        self._stream = stream
        self._name = name

    def send(self, command: str, arguments: dict[str, Any], before: bytes = b"") -> None:
        self._stream.write(before + json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._stream.flush()

    def receive(self) -> dict[str, Any]:
        """The next line that is whole."""
        while True:
            line = self._stream.readline()
            if not line:
                raise OSError("it closed the connection")
            try:
                told: dict[str, Any] = json.loads(line.rpartition(b"\xff")[2])
                return told
            except ValueError:
                continue

    def ask(self, command: str, arguments: dict[str, Any]) -> Any:
        """The answer to a command; what else is told meanwhile is passed over."""
        self.send(command, arguments)
        while True:
            told = self.receive()
            if "error" in told:
                raise LabError(f"{self._name} refuses {command}: {told['error'].get('desc')}")
            if "return" in told:
                return told["return"]


def _text(told: dict[str, Any], key: str) -> str:
    return base64.b64decode(told.get(key, "")).decode("utf-8", "replace")
