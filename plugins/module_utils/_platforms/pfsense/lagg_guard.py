# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change of LAGGs runs on the node without the connection that ordered it, and goes back by itself unless it is confirmed.

Everything that is needed lies in a folder of the node before the configuration is written: the program that applies the change, the one that takes it
back, and the script that runs them. While the change is not confirmed the script is also started at boot, because pfSense runs what is in
/usr/local/etc/rc.d then (rc.start_packages, called at the end of pfSense-rc), so a node that loses its power in between comes back too.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_kept import Kept

FOLDER = "/usr/local/etc/hafirewall/lagg"
AT_BOOT = "/usr/local/etc/rc.d/hafirewall_lagg.sh"
BOUNDARY = "hafirewall-lagg"
# Added to the demotion while the node hands its addresses over (carp(4): 240 is what a failed interface adds).
DEMOTION = 240
# The product waits up to 31 s each time that it sets up pfsync, which it does for every interface with a virtual address.
LONGEST = 600
_MANAGED = "# Managed by hafirewall.cluster; changes made here are overwritten."

# Its memory are files beside it: armed (may still be confirmed), fire (go back now), going-back, put-back, change.done, demoted, and started (by the
# start of the machine at this time).
_SCRIPT = """#!/bin/sh
%s
# By hand: touch fire goes back at once, rm armed lets the change stay; both in this folder.
cd "$(dirname "$0")" || exit 1
PATH=$PATH:/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
export PATH
case "$1" in
begin)
    nohup sh ./run change > /dev/null 2>&1 < /dev/null &
    exit 0
    ;;
change)
    (php -q -d display_errors=stderr change.php > change.out 2>&1; echo "$?" > change.done) &
    left=%d
    while [ ! -e change.done ] && [ ! -e fire ] && [ "$left" -gt 0 ]; do
        sleep 1
        left=$((left - 1))
    done
    ;;
esac
left=$(cat timeout)
while [ -e armed ] && [ ! -e fire ] && [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
done
# Going back may have been under way when the machine lost its power.
mv armed going-back 2> /dev/null || [ "$1-$(ls going-back)" = boot-going-back ] || exit 0
for try in 1 2 3 4 5 6; do
    if php -q -d display_errors=stderr back.php > back.out 2>&1; then
        if [ "$1" = change ] && [ -e demoted ]; then
            sysctl net.inet.carp.demotion=-%d
        fi
        rm -f demoted ../../rc.d/%s
        mv going-back put-back
        exit 0
    fi
    sleep 10
done
""" % (_MANAGED, LONGEST, DEMOTION, AT_BOOT.rsplit("/", 1)[1])
# rc.start_packages also runs when an address changes: only the start of the machine counts, and that once.
_BOOT = """#!/bin/sh
%s
[ "$1" = start ] || exit 0
cd "$(dirname "$0")/../hafirewall/lagg" || exit 0
now=$(sysctl -n kern.boottime)
[ "$now" != "$(cat boottime)" ] && [ "$now" != "$(cat started)" ] || exit 0
echo "$now" > started
exec sh ./run boot
""" % _MANAGED


class Guard:
    """The folder and its script."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def armed(self) -> bool:
        """A change is under way, or made and not confirmed, or going back."""
        return self._has("armed") or self._has("going-back")

    def has_put_back(self) -> bool:
        """It has brought back what was before, since it was armed last."""
        return self._has("put-back")

    def names(self) -> List[str]:
        """The LAGGs of the change that it was armed for."""
        return list(self._state().get("laggs", []))

    def kept(self) -> Kept:
        """What that change was to carry over."""
        return Kept(**self._state()["kept"])

    def said(self) -> Optional[str]:
        """Why going back failed, as long as it does."""
        return self._answer("back.out") if self._has("back.out") else None

    def at_work(self) -> bool:
        """Whether the change has not ended yet. After a start of the machine there is nothing left to wait for: it booted with the new configuration."""
        return not self._has("change.done") and self._text("boottime") == self._boottime()

    def trouble(self) -> Optional[str]:
        """What the change failed by; None when it did not."""
        return self._answer("change.out") if self._has("change.done") else None

    def arm(self, names: Sequence[str], kept: Kept, change: bridge.Change, back: bridge.Change, revision: str, timeout: int) -> None:
        """Lay everything out; from here on a start of the machine goes back.

        Args:
            change: the functions that apply what will have been written.
            back: what takes all of it back.
            revision: of the configuration as it is now; as long as it has not changed there is nothing to take back.
            timeout: seconds that the change waits for its confirmation, from when it has ended.
        """
        self._forget("put-back", "fire", "going-back", "change.done", "change.out", "back.out", "started")
        for name, text in {
            "state.json": json.dumps({"laggs": list(names), "kept": kept._asdict()}), "timeout": str(timeout), "boottime": self._boottime(),
            "change.php": bridge.stored(change, BOUNDARY), "back.php": bridge.stored(back, BOUNDARY, revision),
            "run": _SCRIPT,
        }.items():
            self._write("%s/%s" % (FOLDER, name), text + "\n")
        self._write(AT_BOOT, _BOOT, 0o755)
        self._write("%s/armed" % FOLDER, "\n")

    def start(self) -> None:
        """Let the change run by itself, in a moment: the answer gets out before the path may drop."""
        self.node.act(["sh", FOLDER + "/run", "begin"])

    def disarm(self) -> bool:
        """The change is to stay. False when it is too late for that: it is going back."""
        in_time = self.node.remove("%s/armed" % FOLDER, shown=False)
        if in_time:
            self.node.remove(AT_BOOT, shown=False)
        return in_time

    def seen(self) -> None:
        """That an earlier change was put back was told, and need not be told again."""
        self._forget("put-back")

    def fire(self) -> None:
        """Go back now instead of when the time is up."""
        self._write("%s/fire" % FOLDER, "\n")

    # Handing over

    def demoted(self) -> bool:
        """Whether the node was demoted for the change, and has not been started since."""
        return self._has("demoted") and self._text("boottime") == self._boottime()

    def demote(self) -> None:
        """Let the other node take the virtual addresses. The mark comes first: a demotion that nobody lifts would last until the next start."""
        self._write("%s/demoted" % FOLDER, "\n")
        self._write("%s/boottime" % FOLDER, self._boottime() + "\n")
        self.node.act(["sysctl", "net.inet.carp.demotion=%d" % DEMOTION])

    def promote(self) -> None:
        """Lift the demotion."""
        if self.demoted():
            self.node.act(["sysctl", "net.inet.carp.demotion=-%d" % DEMOTION])
        self._forget("demoted")

    # Files

    def _has(self, name: str) -> bool:
        return self._text(name) is not None

    def _text(self, name: str) -> Optional[str]:
        text = self.node.read_text("%s/%s" % (FOLDER, name))
        return None if text is None else text.strip()

    def _answer(self, name: str) -> Optional[str]:
        return bridge.answered(self.node.read_text("%s/%s" % (FOLDER, name)) or "", BOUNDARY)

    def _state(self) -> Dict[str, Any]:
        found = json.loads(self._text("state.json") or "{}")
        return found if isinstance(found, dict) else {}

    def _boottime(self) -> str:
        return self.node.query(["sysctl", "-n", "kern.boottime"]).stdout.strip()

    def _write(self, path: str, text: str, mode: int = 0o600) -> None:
        self.node.write_text(path, text, mode, shown=False)

    def _forget(self, *names: str) -> None:
        for name in names:
            self.node.remove("%s/%s" % (FOLDER, name), shown=False)
