# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of a change of LAGGs: the files as they were, and netstart.

At boot rc knows no folder of scripts. It runs /etc/rc.local by sh, behind netstart, pf.conf and the emptying of /var/run, and before it lifts the demotion of
CARP that it began with (etc/rc); so a block there starts the script again, while a change is not confirmed.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks, carp, lagg_guard, lagg_script
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Kept, Lagg
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import FOLDER, MANAGED, MARK
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ifconfig, pfsync0, rc_local
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg_steps import Texts, copy_of

MOST = 400  # files that one change may write
DEMOTION = 128  # the most that ifconfig takes at once (sbin/ifconfig/ifconfig.c, setifcarpdemote)
BLOCK = "lagg"
LINES = ['[ -e "${0%%/*}/..%s/boot" ] && sh "${0%%/*}/..%s/boot"' % (FOLDER, FOLDER)]

_UNHOOK = """rc_local=../../../../..%s
unhook() {
    [ -e "$rc_local" ] && grep -q '^# BEGIN hafirewall.cluster %s$' "$rc_local" || return 0
    cp -p "$rc_local" "$rc_local.hafirewall" &&
        sed '/^# BEGIN hafirewall.cluster %s$/,/^# END hafirewall.cluster %s$/d' "$rc_local" > "$rc_local.hafirewall" &&
        mv "$rc_local.hafirewall" "$rc_local"
    [ -s "$rc_local" ] || rm -f "$rc_local"
}""" % (rc_local.FILE, BLOCK, BLOCK, BLOCK)

_BOOT = """#!/bin/sh
%s
cd "$(dirname "$0")" || exit 0
(set -C && : > ../../../../..%s) 2> /dev/null || exit 0
[ -e change.done ] || echo boot > change.done
nohup sh ./run boot > /dev/null 2>&1 < /dev/null &
""" % (MANAGED, MARK)


class Guard(lagg_guard.ProgramGuard):
    """See :mod:`..bsd.lagg_guard`."""

    run = lagg_script.run("sh ./change.sh", "sh ./back.sh", _UNHOOK, "ifconfig -g %s -carpdemote %d" % (pfsync0.GROUP, DEMOTION))
    programs: Sequence[str] = ("change.sh", "back.sh", "boot")

    def arm(self, laggs: Sequence[Lagg], kept: Kept, change: str, back: str, before: Texts, after: Texts, timeout: int) -> None:
        """Lay everything out.

        Args:
            change, back: the programs.
            before, after: the files that are changed, as they are now and as they shall be.
            timeout: seconds that the change waits for its confirmation, from when it has ended.
        Raises:
            NodeError: another run is changing LAGGs on this node.
        """
        copies = dict(_copies(before, "before"), **_copies(after, "after"))
        self.lay_out(laggs, kept, dict({"change.sh": change, "back.sh": back, "boot": _BOOT}, **copies), timeout)

    def copies(self) -> List[str]:
        count = next(number for number in range(MOST + 1) if all(self.text("%s.%s" % (copy_of(number), when)) is None for when in ("before", "after")))
        # From the last one, so that none is left behind where the next one counts to.
        return ["%s.%s" % (copy_of(number), when) for number in reversed(range(count)) for when in ("before", "after")]

    def hook(self) -> None:
        text = self.node.read_text(rc_local.FILE)
        self.node.write_text(rc_local.FILE, rc_local.with_block(text or "", BLOCK, LINES), 0o644 if text is None else None, shown=False)

    def unhook(self) -> None:
        text = self.node.read_text(rc_local.FILE)
        if text is None or blocks.find(text, BLOCK, rc_local.FILE) is None:
            return
        left = blocks.put(text, BLOCK, [], rc_local.FILE)
        if left:
            self.node.write_text(rc_local.FILE, left, None, shown=False)
        else:
            self.node.remove(rc_local.FILE, shown=False)

    def demotion(self, back: bool) -> List[str]:
        return ["ifconfig", "-g", pfsync0.GROUP, "-carpdemote" if back else "carpdemote", "%d" % DEMOTION]

    def virtual(self) -> List[carp.Instance]:
        return ifconfig.running(self.node)

    def states_are_back(self) -> bool:
        # Nothing tells of a transfer but what it adds to the demotion.
        level = pfsync0.demotion(self.node)
        return level is None or level - DEMOTION < pfsync0.BULK_DEMOTION


def _copies(files: Mapping[str, Optional[str]], when: str) -> Dict[str, str]:
    return {"%s.%s" % (copy_of(number), when): text for number, text in enumerate(files.values()) if text is not None}
