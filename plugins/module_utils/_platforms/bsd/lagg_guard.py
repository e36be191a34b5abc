# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change of LAGGs runs on the node without the connection that ordered it, and goes back by itself unless it is confirmed.

Everything that is needed lies in a folder of the node, and the script runs, before the configuration is written: so nothing that ends the module leaves a
change that nobody watches. While it is not confirmed the script is also started at boot, because what is in /usr/local/etc/rc.d is run then (by
rc.start_packages on pfSense, by rc on FreeBSD; OpenBSD has another way), so a node that loses its power in between comes back too.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Kept, Lagg
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import AT_BOOT, DEMOTED, DEMOTION, FOLDER, MARK, RUNNING
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

_FILES = ("armed", "under-way", "go", "fire", "confirmed", "going-back", "put-back", "change.status", "change.done", "change.out", "back.out", "state.json",
          "timeout", "run")
_SAID = 600  # characters of what a program said at last
_ENDS = 60.0  # seconds; it looks once a second whether it is over


class Guard:
    """The folder and its script.

    Attributes:
        begun: this very call has armed it.
        run: the script.
        boot: the one that starts it again at boot.
        programs: names of the files that a platform adds to the folder.
    """

    run = ""
    boot = ""
    programs: Sequence[str] = ()

    def __init__(self, node: Node) -> None:
        self.node = node
        self.begun = False

    # How it stands

    def armed(self) -> bool:
        """A change is under way, or made and not confirmed, or going back. One whose run was gone before it changed anything is none."""
        # In the order in which the script renames one to the other.
        return (self._has("armed") and (self._has("under-way") or self.watched())) or self._has("going-back")

    def watched(self) -> bool:
        """Whether the script runs, or another run is about to let it."""
        process = (self.node.read_text(RUNNING) or "").strip()
        return process not in ("", str(os.getpid())) and self.node.query(["sh", "-c", 'kill -0 "$0"', process], ok=None).status == 0

    def confirmed(self) -> bool:
        """A change stays, and what it needed can go. Nothing else may: another run may be laying out its own."""
        return self._has("confirmed")

    def has_put_back(self) -> bool:
        """It has brought back what was before, since it was armed last."""
        return self._has("put-back")

    def laggs(self) -> List[Lagg]:
        """The LAGGs of the change that it was armed for, as they were wanted."""
        return list(self._state().get("laggs", []))

    def names(self) -> List[str]:
        """Their names."""
        return [lagg["name"] for lagg in self.laggs()]

    def kept(self) -> Kept:
        """What that change was to carry over."""
        return Kept(**self._state()["kept"])

    def at_work(self) -> bool:
        """Whether the change has not ended yet. After a start of the machine there is nothing left to wait for: it booted with the new configuration."""
        return not self._has("change.done") and self.watched()

    def trouble(self) -> Optional[str]:
        """What the change failed by; None when it did not."""
        return self.answer("change") if self.text("change.done") not in (None, "boot") else None

    def said(self) -> Optional[str]:
        """Why going back failed, as long as it does."""
        return self.answer("back") if self._has("back.out") else None

    def answer(self, program: str) -> Optional[str]:
        """What went wrong in ``change`` or ``back``, by what it left in the folder; None when nothing did. A platform says how to tell."""
        raise NotImplementedError

    # The change

    def lay_out(self, laggs: Sequence[Lagg], kept: Kept, programs: Mapping[str, str], timeout: int) -> None:
        """Write everything and let the script run; from here on whatever happens leads back, until it is confirmed. Again when it was planned again.

        Args:
            programs: text by name, of files that are among :attr:`programs`.
            timeout: seconds that the change waits for its confirmation, from when it has ended.
        Raises:
            NodeError: another run is changing LAGGs on this node, or the script of the last change does not end.
        """
        first = not self.begun
        if first:
            self._refuse_another()
            self.clear()
        state = json.dumps({"laggs": [dict(lagg) for lagg in laggs], "kept": kept._asdict()})
        for name, text in dict(programs, **{"state.json": state + "\n", "timeout": "%d\n" % timeout, "run": self.run}).items():
            self.write(name, text)
        if first:
            self.begun = True
            self.node.write_text(RUNNING, "%d\n" % os.getpid(), 0o600, shown=False)
            self.node.write_text(MARK, "\n", 0o600, shown=False)
            # What starts it at boot before what it acts on, so that a loss of power in between leaves nothing that nobody sees to.
            self.hook()
            self.write("armed", "\n")
            self.watch("change")
            self.write("under-way", "\n")

    def watch(self, what: str) -> None:
        """Let the script run: ``change``, or ``boot`` to watch what was made."""
        self.node.act(["sh", FOLDER + "/run", "begin", what])

    def rest(self) -> None:
        """Wait until the script of the last change has ended: it would take the next one's files for its own.

        Raises:
            NodeError: it does not end, or another run has begun a change meanwhile.
        """
        ended = self.node.wait_for(lambda: not self.watched() or self.armed(), _ENDS, 0.2)
        self._refuse_another()
        if not ended:
            raise NodeError("the script of the last change of LAGGs still runs (process %s): run again when it has ended. If that process is something "
                            "else, remove %s" % ((self.node.read_text(RUNNING) or "").strip(), RUNNING))

    def go(self) -> None:
        """The configuration is written: apply it."""
        self.write("go", "\n")

    def disarm(self) -> bool:
        """The change is to stay. False when it is too late for that: it is going back. Whoever asks lifts the demotion and clears the folder then."""
        paths = ["%s/%s" % (FOLDER, name) for name in ("armed", "confirmed")]
        return self.node.check_mode or self.node.query(["mv", *paths], ok=None).status == 0

    def fire(self) -> None:
        """Go back now instead of when the time is up."""
        self.write("fire", "\n")

    def clear(self) -> None:
        """Leave nothing behind, when the script has ended."""
        self.rest()
        self.unhook()
        for name in (*self.copies(), *_FILES, *self.programs):
            self.node.remove("%s/%s" % (FOLDER, name), shown=False)
        for mark in (MARK, RUNNING):
            self.node.remove(mark, shown=False)

    def copies(self) -> Sequence[str]:
        """Names of further files of the folder, of which there are as many as a change needs; in the order in which they may go."""
        return ()

    def hook(self) -> None:
        """Let the script be started at boot."""
        self.node.write_text(AT_BOOT, self.boot, 0o755, shown=False)

    def unhook(self) -> None:
        """Let it be started no more."""
        self.node.remove(AT_BOOT, shown=False)

    def seen(self) -> None:
        """That an earlier change was put back was told, and need not be told again."""
        self.node.remove(FOLDER + "/put-back", shown=False)

    # Handing over

    def demotion(self, back: bool) -> List[str]:
        """The command that demotes the node, or takes that back."""
        return ["sysctl", "net.inet.carp.demotion=%s%d" % ("-" if back else "", DEMOTION)]

    def virtual(self) -> List[carp.Instance]:
        """The virtual addresses as they run."""
        return carp.running(self.node)

    def states_are_back(self) -> bool:
        """Whether all states of the others are here, as far as the kernel tells. A node without pfsync gets none."""
        done = self.node.query(["ifconfig", pfsync.INTERFACE], ok=None)
        return done.status != 0 or pfsync.parse(done.stdout).bulk_done is not False

    def demoted(self) -> bool:
        """Whether the node is demoted for a change."""
        return self.node.read_text(DEMOTED) is not None

    def demote(self) -> None:
        """Let the other node take the virtual addresses. The mark comes first: a demotion that nobody lifts would last until the next start."""
        self.node.write_text(DEMOTED, "\n", 0o600, shown=False)
        self.node.act(self.demotion(False))

    def promote(self) -> None:
        """Lift the demotion."""
        if self.demoted():
            self.node.act(self.demotion(True))
            self.node.remove(DEMOTED, shown=False)

    def _refuse_another(self) -> None:
        if self.armed() and not self.node.check_mode:
            raise NodeError("another run is changing LAGGs of this node; wait until it has ended, and run again")

    # Files

    def _has(self, name: str) -> bool:
        return self.text(name) is not None

    def text(self, name: str) -> Optional[str]:
        """A file of the folder, without space around it; None when it is not there."""
        text = self.node.read_text("%s/%s" % (FOLDER, name))
        return None if text is None else text.strip()

    def _state(self) -> Dict[str, Any]:
        found = json.loads(self.text("state.json") or "{}")
        return found if isinstance(found, dict) else {}

    def write(self, name: str, text: str) -> None:
        """Make a file of the folder."""
        self.node.write_text("%s/%s" % (FOLDER, name), text, 0o600, shown=False)


class ProgramGuard(Guard):
    """One whose ``change`` and ``back`` are programs for sh, which say each step, see :mod:`.lagg_programs`."""

    def answer(self, program: str) -> Optional[str]:
        said = (self.text(program + ".out") or "").splitlines()
        if program == "change" and self.text("change.done") == "0":
            return None
        return " / ".join(line for line in said if line)[-_SAID:] or "nothing was said"
