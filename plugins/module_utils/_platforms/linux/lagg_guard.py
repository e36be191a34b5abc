# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: armed before a LAGG is changed, it restores files, devices and services by itself unless the next contact disarms it.

It is a unit of the node, so it works when nobody reaches the node any more. It is enabled while it is armed, so a node that loses its power
in between comes back too: the time then counts from its start. A way back that fails is tried again every ten seconds.
"""

from __future__ import annotations

import json
import shlex
from typing import Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_state import Kept
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack import MANAGED, Commands
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit, daemon_reload
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

LIBRARY = "/var/lib/hafirewall/lagg"
NAME = "hafirewall-lagg-guard@"
JOB = "hafirewall-lagg-change"
_UNITS = "/etc/systemd/system/" + NAME

_SERVICE = """# %s; changes made here are overwritten.
[Unit]
Description=Bring back the network as it was before %%i was changed

[Service]
Type=oneshot
ExecStart=/bin/sh %s/%%i/way-back
Restart=on-failure
RestartSec=10
""" % (MANAGED, LIBRARY)

_TIMER = """# %s; changes made here are overwritten.
[Unit]
Description=Bring back the network unless the change of %%%%i is confirmed in time

[Timer]
OnActiveSec=%%d
AccuracySec=1s

[Install]
WantedBy=timers.target
""" % MANAGED

_WAY_BACK = """#!/bin/sh
# %(managed)s: what was before %(name)s was changed last.
# By hand: systemctl start %(unit)s.service
failed=0
step() {
    echo "+ $*"
    "$@" || failed=1
}
gone() {
    [ ! -e "/sys/class/net/$1" ] || step ip link delete dev "$1"
}
put() {
    step cp -p "$1" "$2.hafirewall-new" && step mv "$2.hafirewall-new" "$2"
}
systemctl stop %(job)s.timer %(job)s.service 2>/dev/null
%(steps)s
if [ "$failed" = 0 ]; then
    date > %(mark)s
    systemctl disable --now %(unit)s.timer
fi
exit "$failed"
"""


class Old:
    """A file as it was: None for absent."""

    def __init__(self, text: Optional[str], mode: int) -> None:
        self.text, self.mode = text, mode


class Guard:
    """The way back of one LAGG on a node."""

    def __init__(self, node: Node, lagg: str) -> None:
        self.node, self.lagg = node, lagg
        self.folder = "%s/%s" % (LIBRARY, lagg)
        self._mark = self.folder + "/put-back"
        self._expected = self.folder + "/expected.json"
        self._timer, self._service = Unit(node, "%s%s.timer" % (NAME, lagg)), Unit(node, "%s%s.service" % (NAME, lagg))

    def armed(self) -> bool:
        """Waiting, or at work."""
        return self._timer.state().active or self._service.state().detail.startswith("activating")

    def has_put_back(self) -> bool:
        """It has brought back what was before, since it was armed last."""
        return self.node.read_text(self._mark) is not None

    def expected(self) -> Kept:
        """What the change that it was armed for was to carry over."""
        found = json.loads(self.node.read_text(self._expected) or "{}")
        return Kept(found.get("addresses", {}), found.get("routes", []))

    def arm(self, expected: Kept, files: Mapping[str, Old], undo: Commands, back: Commands) -> None:
        """Keep what is there now, and start the clock.

        Args:
            expected: what the change must carry over.
            files: the files that will be changed, as they are now.
            undo: commands before the old files are back.
            back: commands afterwards.
        """
        node = self.node
        node.remove(self._mark)
        for path, old in files.items():
            if old.text is not None:
                node.write_text(self._saved(path), old.text, old.mode)
        node.write_text(self._expected, json.dumps(expected._asdict(), sort_keys=True) + "\n")
        node.write_text(self.folder + "/way-back", self._script(files, undo, back), 0o755)
        self._timer.enable()
        self._timer.start()

    def disarm(self) -> None:
        """The change is to stay."""
        self.node.act(["systemctl", "disable", "--now", self._timer.name])

    def fire(self) -> None:
        """Go back now instead of when the time is up."""
        self._service.start()

    def _saved(self, path: str) -> str:
        return "%s/saved%s" % (self.folder, path)

    def _script(self, files: Mapping[str, Old], undo: Commands, back: Commands) -> str:
        steps = [_step(argv) for argv in undo]
        for path, old in files.items():
            steps.append(_step(["rm", "-f", path] if old.text is None else ["put", self._saved(path), path]))
        steps += [_step(argv) for argv in [["sync"]] + back]
        return _WAY_BACK % {"managed": MANAGED, "name": self.lagg, "unit": NAME + self.lagg, "job": JOB, "mark": self._mark, "steps": "\n".join(steps)}


def gone(device: str) -> List[str]:
    """A step of :attr:`Change.undo`: the device is deleted where it exists."""
    return ["gone", device]


def _step(argv: List[str]) -> str:
    words = " ".join(shlex.quote(word) for word in argv)
    return words if argv[0] in ("gone", "put") else "step " + words


def install(node: Node, timeout: int) -> None:
    """The units, with the seconds that the clock runs for."""
    texts: Tuple[Tuple[str, str], ...] = ((_UNITS + ".service", _SERVICE), (_UNITS + ".timer", _TIMER % timeout))
    if [path for path, text in texts if node.write_text(path, text)]:
        daemon_reload(node)


def old_files(node: Node, paths: List[str]) -> Dict[str, Old]:
    """Files as they are now."""
    rows = [line.split(" ", 1) for line in node.query(["stat", "--format", "%a %n"] + paths, ok=None).stdout.splitlines()] if paths else []
    modes = {row[1]: int(row[0], 8) for row in rows}
    return {path: Old(node.read_text(path), modes.get(path, 0o644)) for path in paths}


def at_work(node: Node) -> List[str]:
    """What of a change is not over yet, in words."""
    return ["%s is still %s" % (name, state.detail) for name in (JOB + ".timer", JOB + ".service")
            for state in [Unit(node, name).state()] if state.active or state.detail.startswith("activating")]


def run_detached(node: Node, lagg: str, commands: Commands) -> None:
    """Carry a change out without the connection that ordered it, two seconds from now: the answer gets out before the path may drop.

    When a command fails the way back begins at once.
    """
    steps = "\n".join(" ".join(shlex.quote(word) for word in argv) for argv in commands)
    script = "(set -e\n%s\n) || systemctl start --no-block %s" % (steps, shlex.quote("%s%s.service" % (NAME, lagg)))
    node.act(["systemd-run", "--collect", "--unit=" + JOB, "--on-active=2s", "--timer-property=AccuracySec=100ms", "/bin/sh", "-xc", script])
