# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of a change of LAGGs: rc.conf and pf.conf as they were, and rc.d/netif."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_guard, lagg_script
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Kept, Lagg
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_steps import copy_of

NAMES = ("rc.conf", "rc.conf.local", "pf.conf")
MOST = 16  # further files, with variables that sysrc does not write

Files = Mapping[str, Optional[str]]  # the text by name; None for a file that is not there


class Guard(lagg_guard.ProgramGuard):
    """See :mod:`..bsd.lagg_guard`."""

    run = lagg_script.run("sh ./change.sh", "sh ./back.sh")
    boot = lagg_script.BOOT_BY_RC
    programs = ("change.sh", "back.sh", *("%s.%s" % (name, when) for name in (*NAMES, *map(copy_of, range(MOST))) for when in ("before", "after")))

    def arm(self, laggs: Sequence[Lagg], kept: Kept, change: str, back: str, files: Files, timeout: int) -> None:
        """Lay everything out.

        Args:
            change, back: the programs.
            files: those that are changed, as they are now.
            timeout: seconds that the change waits for its confirmation, from when it has ended.
        Raises:
            NodeError: another run is changing LAGGs on this node.
        """
        self.lay_out(laggs, kept, dict({"change.sh": change, "back.sh": back}, **_copies(files, "before")), timeout)

    def written(self, files: Files) -> None:
        """The files are as they shall be; where one is otherwise on the way back, somebody else has written it, and what was written stays."""
        for name, text in _copies(files, "after").items():
            self.write(name, text)


def _copies(files: Files, when: str) -> Dict[str, str]:
    return {"%s.%s" % (name, when): text for name, text in files.items() if text is not None}
