# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node that a module runs on: the only place where a provider reads or changes anything.

A provider asks with :meth:`Node.query` and :meth:`Node.read_text`, and changes with :meth:`Node.act`,
:meth:`Node.write_text` and :meth:`Node.remove`. In check mode the last three record what they would do
and touch nothing, so that a prediction and a real run go through the same lines of the provider.
"""

from __future__ import annotations

import errno
import glob
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, TypeVar, cast

T = TypeVar("T")
_START, _PATIENCE = 30.0, 5.0  # seconds that a command has to begin its work, and to end after it was told to
_HIDDEN = "********"


class NodeError(Exception):
    """A clear error for the person at the terminal: what is wrong, where, and what to do."""


class Secret(str):
    """A word of a command that is run as it is, and never shown: not in ``commands``, nor in an error."""


class Completed(NamedTuple):
    """What a command left behind: exit status and decoded output."""

    status: int
    stdout: str
    stderr: str


class Content(NamedTuple):
    """A whole file: its bytes, its permission bits, and when it was last changed, in seconds since 1970."""

    data: bytes
    mode: int
    modified: int


class Node:
    """Reads and changes one machine, and keeps account of both.

    Attributes:
        check_mode: nothing is changed while true.
        commands: the shell-quoted commands that changed something (or would have, in check mode), in order.
        diffs: Ansible diffs (``before``, ``after`` and their headers) of the files that changed, in order.
    """

    def __init__(self, check_mode: bool = False) -> None:
        self.check_mode = check_mode
        self.commands: List[str] = []
        self.diffs: List[Dict[str, str]] = []
        self._undo: Optional[List[Callable[[], None]]] = None

    @property
    def changed(self) -> bool:
        """True when something was changed, or would have been in check mode."""
        return bool(self.commands or self.diffs)

    # Reading

    def query(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 30.0) -> Completed:
        """Run a command that only reads; it runs in check mode too.

        Args:
            argv: the program and its arguments; no shell is involved.
            stdin: text for its standard input.
            ok: exit statuses that are fine; None accepts every one.
            timeout: seconds after which the command is ended.
        Raises:
            NodeError: the program is absent, takes too long, or exits with another status.
        """
        try:
            done = subprocess.run(list(argv), input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False,
                                  encoding="utf-8", errors="replace", env=_environment())
        except FileNotFoundError:
            raise NodeError("%s is not installed on this node" % argv[0]) from None
        except subprocess.TimeoutExpired:
            raise NodeError("%s did not end within %.0f s" % (_quoted(argv), timeout)) from None
        if ok is not None and done.returncode not in ok:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing")[-2000:]
            raise NodeError("%s exited with status %d and said: %s" % (_quoted(argv), done.returncode, _without_secrets(said, argv)))
        return Completed(done.returncode, done.stdout, done.stderr)

    def stream(self, argv: Sequence[str], seconds: float, take: Callable[[BinaryIO, Callable[[], None]], T]) -> Tuple[T, Completed]:
        """Hand the output of a command that only reads over as it comes, and end the command in time. It outlives nobody: should this process be killed,
        an alarm clock that the command was given ends it later.

        Args:
            argv: the program and its arguments; no shell is involved.
            seconds: how long it may run from when ``take`` says so.
            take: given the output, and what to call when the command has begun its work. When it returns, the command is ended.
        Returns:
            What ``take`` returned; and the exit status (negative for a signal) and standard error of the command.
        Raises:
            NodeError: the program is absent.
        """
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=_environment(),
                                           preexec_fn=lambda: signal.alarm(int(_START + seconds + 2 * _PATIENCE)))
            except FileNotFoundError:
                raise NodeError("%s is not installed on this node" % argv[0]) from None
            clocks = [threading.Timer(_START + seconds, process.kill)]

            def begin() -> None:
                clocks.append(threading.Timer(seconds, process.terminate))
                clocks[-1].start()
            clocks[0].start()
            try:
                with process, cast(BinaryIO, process.stdout) as output:
                    try:
                        found = take(output, begin)
                    finally:
                        _end(process)
            finally:
                for clock in clocks:
                    clock.cancel()
            said.seek(0)
            return found, Completed(process.returncode, "", said.read().decode("utf-8", "replace"))

    def has(self, program: str) -> bool:
        """True when the program is found where a root shell would find it."""
        return any(os.access(os.path.join(folder, program), os.X_OK) for folder in _path().split(os.pathsep))

    def read_text(self, path: str) -> Optional[str]:
        """The text of a file with its line breaks as they are, or None when there is no such file."""
        return _text(path)

    def read_file(self, path: str, most: int) -> Optional[Content]:
        """A file as it is, or None when there is no such file.

        Raises:
            NodeError: it cannot be read, or has more than ``most`` bytes.
        """
        try:
            with open(path, "rb") as handle:
                status, data = os.fstat(handle.fileno()), handle.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise NodeError("cannot read %s: %s; see to it that root runs this, and that the file can be read" % (path, error.strerror)) from error
        if len(data) > most:
            raise NodeError("%s is too large: it has more than the %d bytes that there is room for" % (path, most))
        return Content(data, status.st_mode & 0o7777, int(status.st_mtime))

    def find_files(self, pattern: str) -> List[str]:
        """The paths of ordinary files, and of links to such, that a pattern names (``*``, ``?``, and ``**`` for folders at any depth), sorted."""
        return sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))

    def wait_for(self, condition: Callable[[], bool], timeout: float, interval: float = 0.1) -> bool:
        """Poll until the condition holds; false when it still does not after ``timeout`` seconds. In check mode: true at once."""
        if self.check_mode:
            return True
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() >= end:
                return False
            time.sleep(interval)
        return True

    # Changing

    def act(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 120.0,
            undo: Optional[Callable[[], None]] = None) -> Completed:
        """Run a command that changes the node, and record it. In check mode it is recorded only (status 0, no output).

        ``undo`` is called, last in first out, when the surrounding :meth:`transaction` fails later.
        """
        self.commands.append(_quoted(argv))
        if self.check_mode:
            return Completed(0, "", "")
        if undo is not None and self._undo is not None:
            self._undo.append(undo)
        return self.query(argv, stdin=stdin, ok=ok, timeout=timeout)

    def write_text(self, path: str, text: str, mode: Optional[int] = 0o644, shown: bool = True, redact: Callable[[str], str] = str) -> bool:
        """Make a file have this text and mode; true when it differed. What is not shown, as a file for the time of a change, is in no diff.

        A ``mode`` of None keeps the file's own; a new file is root's alone then.
        ``redact`` is given the old and the new text and returns what the diff may have of them, without secrets.

        The new text goes to a temporary file beside it, is synced to disk and renamed over the old one, so that a full disk
        or a power loss leaves the old file. Within a :meth:`transaction` the old file comes back when a later step fails.
        """
        old = self.read_text(path)
        old_mode = _mode(path)
        if mode is None:
            mode = 0o600 if old_mode is None else old_mode
        if old == text and old_mode == mode:
            return False
        if shown:
            self.diffs.append({"before_header": path, "after_header": path, "before": redact(old or ""), "after": redact(text)})
            if old == text:
                self.diffs[-1].update(before="mode: %04o\n" % (old_mode or 0), after="mode: %04o\n" % mode)
        if not self.check_mode:
            self._remember(path, old, old_mode)
            _replace(path, text, mode)
        return True

    def remove(self, path: str, shown: bool = True, redact: Callable[[str], str] = str) -> bool:
        """Make a file be absent; true when it was there. ``shown`` and ``redact`` as in :meth:`write_text`."""
        old = self.read_text(path)
        if old is None:
            return False
        if shown:
            self.diffs.append({"before_header": path, "after_header": path, "before": redact(old), "after": ""})
        if not self.check_mode:
            self._remember(path, old, _mode(path))
            try:
                os.unlink(path)
            except OSError as error:
                raise NodeError("cannot remove %s: %s; see to it that root can write there, and run again" % (path, error.strerror)) from error
        return True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: when the body raises, the files written in it come back and the undo steps of its commands run, newest first."""
        if self._undo is not None:
            raise RuntimeError("transactions do not nest")
        self._undo = []
        try:
            yield
        except BaseException as error:
            failures = self._roll_back()
            if isinstance(error, NodeError):
                what = "everything was put back as it was" if not failures else "putting things back failed too: " + "; ".join(failures)
                raise NodeError("%s (%s)" % (error, what)) from error
            raise
        finally:
            self._undo = None

    def _remember(self, path: str, old: Optional[str], old_mode: Optional[int]) -> None:
        if self._undo is not None:
            self._undo.append(lambda: _restore(path, old, old_mode))

    def _roll_back(self) -> List[str]:
        failures = []
        for step in reversed(self._undo or []):
            try:
                step()
            except (NodeError, OSError) as error:
                failures.append(str(error))
        return failures


def _path() -> str:
    return os.pathsep.join(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])


def _environment() -> Dict[str, str]:
    return dict(os.environ, LC_ALL="C", PATH=_path())


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Tell a process to end, and end it if it does not."""
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _quoted(argv: Sequence[str]) -> str:
    return " ".join(_HIDDEN if isinstance(word, Secret) else shlex.quote(word) for word in argv)


def _without_secrets(text: str, argv: Sequence[str]) -> str:
    for word in argv:
        if isinstance(word, Secret) and word:
            text = text.replace(word, _HIDDEN)
    return text


def _text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as handle:
            return handle.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _mode(path: str) -> Optional[int]:
    try:
        return os.stat(path).st_mode & 0o7777
    except (FileNotFoundError, NotADirectoryError):
        return None


def _restore(path: str, old: Optional[str], old_mode: Optional[int]) -> None:
    if _text(path) == old and _mode(path) == old_mode:
        return  # the step that failed had not come to replace it, and a full disk would refuse to have it written again
    if old is None:
        if os.path.exists(path):
            os.unlink(path)
    else:
        _replace(path, old, old_mode if old_mode is not None else 0o644)


def _replace(path: str, text: str, mode: int) -> None:
    path = os.path.realpath(path)  # what a link names is replaced, not the link: others write to that
    folder = os.path.dirname(path)
    temporary = None
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".hafirewall-", dir=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
            handle.write(text)
            handle.flush()
            os.fchmod(handle.fileno(), mode)
            os.fsync(handle.fileno())
        os.replace(temporary, path)
        temporary = None
        _sync_folder(folder)
    except OSError as error:
        remedy = "free some space there" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "see to it that root can write there"
        raise NodeError("cannot write %s: %s; the old file is untouched, %s and run again" % (path, error.strerror, remedy)) from error
    finally:
        if temporary is not None:
            os.unlink(temporary)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def with_diff(node: Node, result: Dict[str, Any]) -> Dict[str, Any]:
    """The result of a module: what the provider reports plus ``changed``, ``commands`` and ``diff``."""
    return dict(result, changed=node.changed, commands=list(node.commands), diff=list(node.diffs))
