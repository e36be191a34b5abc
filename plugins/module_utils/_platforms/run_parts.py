# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a command of a scheduled job runs, with the scripts that it starts from folders: run-parts(8) of Linux, periodic(8) of FreeBSD, daily(8) of OpenBSD.

Sources: run-parts(8) of Debian's debianutils and the script of that name in Fedora's crontabs (which names they run), periodic.sh and 999.local of FreeBSD,
etc/daily of OpenBSD. What periodic.conf(5) says is not read: the folders, and the scripts of one's own, are those that it has by default. A script may look
into a configuration and do nothing; that is not known here.
"""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Pattern, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import crontab
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

ALL = re.compile(r"[^.].*")
DEBIAN = re.compile(r"[A-Za-z0-9_-]+")
FEDORA = re.compile(r"(?!.*(?:[~,]|,v|\.(?:rpmsave|rpmorig|rpmnew|swp|cfsaved))\Z)[^.].*")
PERIODIC = ("/etc/periodic", "/usr/local/etc/periodic")
SYSTEMD = "/run/systemd/system"

# By access(2) root may run what anybody may; all find(1) know this way to say so.
_EXECUTABLE = ("-maxdepth", "1", "-type", "f", "(", "-perm", "-100", "-o", "-perm", "-010", "-o", "-perm", "-001", ")")
# ``test -x PROGRAM || REST``, where the rest is a single command or one group, so that nothing of it is run while the program is there.
_UNLESS = re.compile(r"\s*(?:test|\[)\s+-(?:x\s+(?P<program>/\S+)|[de]\s+(?P<folder>%s))(?:\s+\])?\s*\|\|\s*(?:\{[^{}]*\}|[^;&|{}]*)\s*" % SYSTEMD)
# Scripts of Debian's packages that have a timer of systemd too begin so.
_TIMER_INSTEAD = re.compile(r"(?:[ \t]*(?:#.*|set -e)?\n)*if \[ -d %s \]; then\s+(?:#.*\s+)*exit 0\s+fi\n" % SYSTEMD)


class Telling:
    """Tells what commands run, as :func:`crontab.told` does, and one after the other the scripts of the folders that they name.

    Args:
        names: which names run-parts accepts on this node, unless it is told another rule.
    """

    def __init__(self, node: Node, names: Pattern[str] = ALL) -> None:
        self._node = node
        self._names = names
        self._scripts: Dict[str, List[str]] = {}

    def __call__(self, command: str) -> Optional[str]:
        """What it runs, parted by ``;``. None where it names a folder in a way that is not understood.

        Raises:
            NodeError: a folder cannot be read.
        """
        if self._idle(command):
            return "test"
        found = [crontab.told(command)]
        for part in crontab.parts(command):
            words = part.split()
            starters = [number for number, word in enumerate(words) if word.rpartition("/")[2] in ("run-parts", "periodic")]
            if not starters or words[0] in crontab.ASKING:
                continue
            scripts = self._started(words[starters[0]].rpartition("/")[2], words[starters[0] + 1:])
            if scripts is None:
                return None
            found += scripts
        return "; ".join(one for one in found if one)

    def _idle(self, command: str) -> bool:
        """Whether a command does nothing but to see that something is there. Only for what does not come and go by itself."""
        unless = _UNLESS.fullmatch(command)
        if unless is None:
            return False
        question = ["test", "-d", SYSTEMD] if unless["program"] is None else ["test", "-x", unless["program"]]
        return self._node.query(question, ok=(0, 1)).status == 0

    def _started(self, program: str, arguments: Sequence[str]) -> Optional[List[str]]:
        """The scripts by their paths. None where no folder is named."""
        words = [word for word in arguments if not word.startswith("-") and not re.match(r"\d*[<>]", word)]
        if program == "periodic":
            folders = [word for word in words if word.startswith("/")]
            names = [word for word in words if re.fullmatch(r"\w+", word)]
            folders += ["%s/%s" % (top, name) for name in names for top in PERIODIC]
            own = [local(self._node, name) for name in names]
            return None if None in own or not folders else self._listed(folders, ALL) + [one for one in own if one]
        folders = [word for word in words if word.startswith("/")][:1]
        # By --regex and --lsbsysinit other names are run: all that there are, for one too many is told rather than one too few.
        ruled = any(re.match("--(regex|lsbsysinit)", word) for word in arguments)
        return self._listed(folders, ALL if ruled else self._names) if folders else None

    def _listed(self, folders: Sequence[str], names: Pattern[str]) -> List[str]:
        found = []
        for folder in folders:
            if folder not in self._scripts:
                self._scripts[folder] = [path for path in executables(self._node, folder) if not self._by_timer(path)]
            found += [path for path in self._scripts[folder] if names.fullmatch(path.rpartition("/")[2])]
        return found

    def _by_timer(self, path: str) -> bool:
        """Whether a script ends at once, for systemd runs and has a timer for the same."""
        if _TIMER_INSTEAD.match(self._node.read_text(path) or "") is None:
            return False
        return self._node.query(["test", "-d", SYSTEMD], ok=(0, 1)).status == 0


def local(node: Node, period: str) -> Optional[str]:
    """What the script of one's own runs that the system's daily, weekly or monthly ones start. None where that cannot be told."""
    return crontab.script(node.read_text("/etc/%s.local" % period) or "")


def executables(node: Node, folder: str) -> List[str]:
    """The paths of executable files in a folder, sorted; none where there is no such folder.

    Raises:
        NodeError: the folder cannot be read.
    """
    answer = node.query(["find", "-L", folder.rstrip("/"), *_EXECUTABLE], ok=None)
    amiss = [line for line in answer.stderr.splitlines() if "No such file or directory" not in line]
    if amiss or (answer.status != 0 and not answer.stderr):
        raise NodeError("find does not tell what is in %s: %s" % (folder, "; ".join(amiss) or "it says nothing"))
    return sorted(answer.stdout.splitlines())
