# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import Pfsync, parse

UP = "pfsync0: flags=1000041<UP,RUNNING,LOWER_UP> metric 0 mtu 1500\n"


@pytest.mark.parametrize(("text", "found"), [
    ("pfsync0: flags=0 metric 0 mtu 1500\n\tmaxupd: 128 defer: off version: 1400\n\tsyncok: 1\n\tgroups: pfsync\n",
     Pfsync(False, None, None, 1400, True, False, 128, 1500)),
    (UP + "\tsyncdev: em2 maxupd: 128 defer: off version: 1400\n\tsyncok: 0\n", Pfsync(True, "em2", None, 1400, False, False, 128, 1500)),
    (UP + "\tsyncdev: lagg1.20 syncpeer: 198.51.100.130 maxupd: 128 defer: on version: 1301\n\tsyncok: 1\n",
     Pfsync(True, "lagg1.20", "198.51.100.130", 1301, True, True, 128, 1500)),
    (UP + "\tpfsync: syncdev: em2 syncpeer: 224.0.0.240 maxupd: 128\n", Pfsync(True, "em2", None, None, None, None, 128, 1500)),
    ("pfsync0: flags=8<LOOPBACK> metric 0\n\tsyncdev: em2 maxupd: 128 defer: off\n\tsyncok: 1\n", Pfsync(False, "em2", None, None, True, False, 128)),
])
def test_ifconfig_is_read(text: str, found: Pfsync) -> None:
    assert parse(text) == found
