# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one command that asks an old pfSense everything, and its answer taken apart. Pure.

The command is one line without an exclamation mark, for root's shell there may be tcsh. It only reads, and writes no file. The answer has a section for each
question: a line of a random word and the section's name, what was said, and a line of the word, "=" and the status. Nothing that a node has can be that word.
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import info
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.bridge import CONFIG
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw import excerpt

PATH = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
# What /etc/platform says; up to 2.3 there were images for small disks and for CDs.
PLATFORMS = ("pfSense", "nanobsd", "cdrom")
NOT_ASKED = "it is not asked for without Python"

# Of ifconfig's lines, those that are read here: other devices than the wired ones may tell keys.
_DEVICES = (r"/^[^[:space:]]/ || /^[[:space:]]+(inet6? |ether |hwaddr |media: |status: |groups: |vlan: |member: |carp: "
            r"|laggproto |laggport: |lagg options:|flags=|lag id: |[[(]+[0-9A-F]+,)/")
# Which nodes made the states, each once; the states stay on the node.
_CREATORS = '$0 == "failed" { bad = 1 } /creatorid:/ { %s; seen[$0] = 1 } END { for (id in seen) print id; exit bad }' % pf.CREATOR_ONLY


class Question(NamedTuple):
    """One section: its name, what the shell runs for it, and the providers' own ways to ask for the same, or for part of it."""

    name: str
    shell: str
    asks: Sequence[Sequence[str]] = ()


FILES = {"version": "/etc/version", "patch": "/etc/version.patch", "platform": "/etc/platform"}
QUESTIONS = (
    Question("moment", "date +%s", (("date", "+%s"),)),
    Question("kernel", "kernel", (("sysctl", *info.KERNEL),)),
    Question("devices", "devices", (("ifconfig",), ("ifconfig", "-v"))),
    Question("pfsync", "ifconfig pfsync0", (("ifconfig", "pfsync0"),)),
    Question("traffic", "netstat -ibnW", (("netstat", "-ibnW"),)),
    Question("counters", "netstat -s -p pfsync", (("netstat", "-s", "-p", "pfsync"),)),
    Question("filter", "pfctl -si -v", (("pfctl", "-si", "-v"),)),
    Question("limits", "pfctl -sm", (("pfctl", "-sm"),)),
    Question("creators", "creators", (pf.OF_STATES, ("pfctl", "-sc"))),
    Question("config", "config", (("config",),)),
)
_ASKED = {tuple(argv): question.name for question in QUESTIONS for argv in question.asks}


def command(word: str, root: str = "", path: str = PATH) -> str:
    """The command, for any shell.

    Args:
        word: what frames the sections, random and of letters and digits.
        root: in front of the files' names (tests put a directory here).
        path: where programs are looked for.
    """
    return "/bin/sh -c " + shlex.quote(script(word, root, path))


def script(word: str, root: str = "", path: str = PATH) -> str:
    """The same for sh alone."""
    config = shlex.quote(root + CONFIG)
    steps = [
        f"LC_ALL=C; PATH={shlex.quote(path)}; export LC_ALL PATH",
        f'ask() {{ echo "{word} $1"; shift; "$@" 2>&1 </dev/null; status=$?; echo; echo "{word} = $status"; }}',
        "kernel() { for name in %s; do sysctl $name; done; }" % " ".join(info.KERNEL),
        f'devices() {{ said=$(ifconfig -v 2>&1); status=$?; printf "%s\\n" "$said" | awk {shlex.quote(_DEVICES)} || status=1; return $status; }}',
        f"creators() {{ {{ pfctl -vvss || echo failed; }} | awk {shlex.quote(_CREATORS)}; }}",
        f"config() {{ [ -r {config} ] || {{ echo error it is not there, or not for this user to read; return 1; }}; "
        f"{shlex.join(excerpt.filtering())} {config} 2>/dev/null; }}",
        *(f"ask {name} cat {shlex.quote(root + file)}" for name, file in FILES.items()),
        f"case $(cat {shlex.quote(root + FILES['platform'])} 2>/dev/null) in {'|'.join(PLATFORMS)})",
    ]
    return "; ".join(steps) + " " + "; ".join(f"ask {question.name} {question.shell}" for question in QUESTIONS) + f";; esac; echo {word} end"


class Transcript(Node):
    """A node as its answer tells it: what was asked can be asked again, and nothing else; nothing can be changed.

    Args:
        word: what frames the sections.
        text: the answer.
    Raises:
        NodeError: the answer is not whole.
    """

    def __init__(self, word: str, text: str) -> None:
        super().__init__(check_mode=True)
        frame = re.compile(rf"^{re.escape(word)} (\w+)\n(.*?)\n{re.escape(word)} = (\d+)$", re.MULTILINE | re.DOTALL)
        self._sections = {name: (said, int(status)) for name, said, status in frame.findall(text)}
        if f"{word} end" not in text.split("\n"):
            raise NodeError("the node's answer is not whole: the connection ended, or what answers there is no shell")

    @property
    def is_pfsense(self) -> bool:
        """Whether the node says that it is one."""
        return (self.read_text(FILES["platform"]) or "").strip() in PLATFORMS

    def read_text(self, path: str) -> Optional[str]:
        """The text of one of :data:`FILES`, or None when there is no such file."""
        said, status = self._sections.get(next(name for name, file in FILES.items() if file == path), ("", 1))
        return said if status == 0 else None

    def query(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 0.0) -> Completed:
        """What the node said to one of :data:`QUESTIONS`.

        Raises:
            NodeError: it was not asked, or its answer has another status.
        """
        # With -v the providers ask for one device, and here all were.
        name = _ASKED.get(tuple(argv[:2]) if tuple(argv[:2]) == ("ifconfig", "-v") else tuple(argv))
        if name is None or name not in self._sections:
            raise NodeError(f"{' '.join(argv)}: {NOT_ASKED}")
        said, status = self._sections[name]
        if ok is not None and status not in ok:
            raise NodeError(f"asked for {name}, the node's shell ended with status {status} and said: {said.strip()[-2000:] or 'nothing'}")
        return Completed(status, said, "")
