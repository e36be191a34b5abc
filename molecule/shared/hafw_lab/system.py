# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's way to the machine: run programs, wait for conditions, take locks, name what is missing."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class LabError(Exception):
    """Something a person can act on; the text says what is wrong and what to do."""


def run(argv: Sequence[str], *, stdin: str | None = None, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. LabError with its own words when it fails (check) or takes longer than timeout seconds."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, errors="replace")
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed (see molecule/shared/packages.txt)") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"no end after {timeout:.0f} s: {' '.join(argv)}") from error
    if check and done.returncode != 0:
        raise LabError(f"status {done.returncode}: {' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
    return done


def wait_for(condition: Callable[[], bool], seconds: float, interval: float = 0.05) -> bool:
    """Whether the condition became true within seconds; asked every interval seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True


@contextmanager
def lock(path: Path, seconds: float) -> Iterator[int]:
    """Hold the lock file until its holder (and whoever was given the yielded descriptor) lets go or dies. LabError after seconds."""
    held: list[int] = []

    def take() -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # whoever held it has just removed the folder too
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have removed the file meanwhile: then this lock guards nothing.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                held.append(descriptor)
                return True
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        return False

    if not wait_for(take, seconds, 0.1):
        raise LabError(f"another command still works on {path.parent.name} (lock {path}, waited {seconds:.0f} s)")
    try:
        yield held[0]
    finally:
        os.close(held[0])


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def key_pair(path: Path, comment: str) -> list[Path]:
    """Make an ssh key pair unless it is there, complete; returns [private, public]."""
    public = path.with_name(path.name + ".pub")
    if not (path.exists() and public.exists()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    return [path, public]
