# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of a change of LAGGs, by the product's own functions."""

from __future__ import annotations

from typing import Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_guard, lagg_script
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Kept, Lagg
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge

BOUNDARY = "hafirewall-lagg"
_PHP = "php -q -d display_errors=stderr -d zend.exception_ignore_args=1 "


class Guard(lagg_guard.Guard):
    """See :mod:`..bsd.lagg_guard`."""

    run = lagg_script.run(_PHP + "change.php", _PHP + "back.php")
    boot = lagg_script.BOOT
    programs = ("change.php", "back.php")

    def arm(self, laggs: Sequence[Lagg], kept: Kept, change: bridge.Change, back: bridge.Change, timeout: int) -> None:
        """Lay everything out.

        Args:
            change: the functions that apply what will have been written.
            back: what takes all of it back.
            timeout: seconds that the change waits for its confirmation, from when it has ended.
        Raises:
            NodeError: another run is changing LAGGs on this node.
        """
        programs = {"change.php": bridge.stored(change, BOUNDARY), "back.php": bridge.stored(back, BOUNDARY, lenient=True)}
        self.lay_out(laggs, kept, {name: text + "\n" for name, text in programs.items()}, timeout)

    def answer(self, program: str) -> Optional[str]:
        return bridge.answered(self.node.read_text("%s/%s.out" % (lagg_script.FOLDER, program)) or "", BOUNDARY)
