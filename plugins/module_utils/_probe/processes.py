# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts, finds, asks and stops the processes of a probe.

Each process has three files in the probe's folder: ``NAME.sock`` (it answers there), ``NAME.json`` (its process and the probe's options)
and, when it crashed, ``NAME.error``. A process that ends in an orderly way takes its files along, and the last one the folder.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import tempfile
import time
import traceback
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.worker import Worker

Build = Callable[[socket.socket], Worker]

_ANSWER_WITHIN = 60.0
_END_WITHIN = 5.0
_BACKLOG = 16


class ProbeError(Exception):
    """A clear error for the person at the terminal: what is wrong, and what to do."""


class Spec(NamedTuple):
    """A process to start: its name, what builds its worker, and the sockets that it takes over from the module."""

    name: str
    build: Build
    sockets: Tuple[socket.socket, ...] = ()


class Process(NamedTuple):
    """A process of a probe. ``started`` is its start time in the kernel's clock ticks, which makes ``pid`` unmistakable."""

    name: str
    pid: int
    started: str
    options: Dict[str, Any]

    @property
    def alive(self) -> bool:
        """True while it runs."""
        return start_time(self.pid) == self.started


def folder_of(name: str) -> str:
    """The probe's folder: under /run for root, else under the temporary folder, one per user."""
    uid = os.geteuid()
    root = "/run/hafirewall-probe" if uid == 0 else os.path.join(tempfile.gettempdir(), "hafirewall-probe-%d" % uid)
    return os.path.join(root, name)


def start_time(pid: int) -> Optional[str]:
    """When the process started (clock ticks since boot), or None when there is none of that number or it is only waiting to be reaped."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as handle:
            fields = handle.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def find(folder: str) -> List[Process]:
    """The processes that the probe has or had, by name; those that ended in an orderly way are gone."""
    found = []
    for entry in _listing(folder):
        if entry.endswith(".json"):
            try:
                with open(os.path.join(folder, entry), encoding="utf-8") as handle:
                    found.append(Process(name=entry[:-5], **json.load(handle)))
            except FileNotFoundError:
                continue  # its process ended just now
    return found


def last_words(folder: str, name: str) -> str:
    """Why a process of the probe is no longer there."""
    try:
        with open(os.path.join(folder, name + ".error"), encoding="utf-8") as handle:
            return handle.read().strip()
    except FileNotFoundError:
        return "it was killed"


def start(folder: str, specs: Iterable[Spec], options: Dict[str, Any]) -> List[Process]:
    """Start the processes, detached from the module, each answering as soon as this returns."""
    _make_folder(folder)
    started = []
    for spec in specs:
        path = os.path.join(folder, spec.name + ".sock")
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        control.bind(path)
        control.listen(_BACKLOG)
        pid = os.fork()
        if pid == 0:
            _become(folder, spec, control)
        control.close()
        for one in spec.sockets:
            one.close()
        process = Process(spec.name, pid, start_time(pid) or "", options)
        _write(os.path.join(folder, spec.name + ".json"), json.dumps({"pid": pid, "started": process.started, "options": options}))
        started.append(process)
    return started


def ask(folder: str, processes: Iterable[Process], question: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """Put one question to several processes at once; returns their answers by name.

    Raises:
        ProbeError: one of them has ended, or does not answer.
    """
    connections = {}
    try:
        for process in processes:
            connection = connections[process.name] = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(_ANSWER_WITHIN)
            try:
                connection.connect(os.path.join(folder, process.name + ".sock"))
                connection.sendall(json.dumps(question).encode())
            except OSError as error:
                raise _no_answer(folder, process.name, error) from error
        return {name: _receive(folder, name, connection) for name, connection in connections.items()}
    finally:
        for connection in connections.values():
            connection.close()


def stop(folder: str) -> bool:
    """End all processes of the probe and remove its folder; true when there was anything to do."""
    if not os.path.isdir(folder):
        return False
    processes = find(folder)
    _signal(processes, signal.SIGTERM)
    end = time.monotonic() + _END_WITHIN
    while any(process.alive for process in processes) and time.monotonic() < end:
        time.sleep(0.02)
    _signal(processes, signal.SIGKILL)
    for entry in _listing(folder):
        _unlink(os.path.join(folder, entry))
    _remove_if_empty(folder)
    return True


def _listing(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


def _signal(processes: Iterable[Process], number: int) -> None:
    for process in processes:
        if process.alive:
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue  # it ended just now


def _make_folder(folder: str) -> None:
    """Only its owner may look into the folder; one that somebody else has put there is refused."""
    for one in (os.path.dirname(folder), folder):
        try:
            os.mkdir(one, 0o700)
        except FileExistsError:
            state = os.lstat(one)
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
                raise ProbeError("%s is not a folder of this user; remove it and run again" % one) from None


def _write(path: str, text: str) -> None:
    """Whoever reads the file finds all of it or nothing."""
    with open(path + ".new", "w", encoding="utf-8") as handle:
        handle.write(text)
    os.replace(path + ".new", path)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _remove_if_empty(folder: str) -> None:
    for one in (folder, os.path.dirname(folder)):
        try:
            os.rmdir(one)
        except OSError:
            return  # another process, or another probe, still uses it


def _receive(folder: str, name: str, connection: socket.socket) -> Dict[str, Any]:
    parts = []
    try:
        while True:
            part = connection.recv(1 << 20)
            if not part:
                break
            parts.append(part)
        answer: Dict[str, Any] = json.loads(b"".join(parts).decode())
    except (OSError, ValueError) as error:
        raise _no_answer(folder, name, error) from error
    return answer


def _no_answer(folder: str, name: str, error: Exception) -> ProbeError:
    return ProbeError("process %s of the probe in %s does not answer (%s); %s. Its measurements are lost: stop the probe and start again"
                      % (name, folder, error, last_words(folder, name)))


def _become(folder: str, spec: Spec, control: socket.socket) -> None:
    """In the new process: cut every tie to the module, measure, tidy up. Never returns."""
    try:
        _detach(keep={control.fileno()}.union(one.fileno() for one in spec.sockets))
        spec.build(control).run()
        for ending in (".sock", ".json"):
            _unlink(os.path.join(folder, spec.name + ending))
        _remove_if_empty(folder)
    except BaseException:
        _write(os.path.join(folder, spec.name + ".error"), traceback.format_exc(limit=-3))
    finally:
        os._exit(0)


def _detach(keep: Iterable[int]) -> None:
    """Become the leader of a session of its own, and let go of all descriptors but those to keep: Ansible waits for its pipes to close."""
    os.setsid()
    os.chdir("/")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    kept = set(keep).union((0, 1, 2))
    for descriptor in sorted(int(entry) for entry in os.listdir("/proc/self/fd")):
        if descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the one that the listing itself used
