# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of FreeBSD and OpenBSD, and what their pfsync sends and understands.

The version byte of FreeBSD's packets is 5 since 9.0. What changes is the number of the message: 1 and 3 carry states in format 1301, 13 and 14 in format
1400, 15 and 16 in format 1500. A kernel drops a packet from the first message on whose number it does not know, and counts it as a bad action.
"""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import DERIVED, DOCUMENTED, READ, UNVERIFIED, Range

# The formats that share FreeBSD's version byte 5, oldest first. A kernel that knows one knows all that came before it (review D39392).
FORMATS = (1301, 1400, 1500)
OLDEST_FORMAT = FORMATS[0]

FREEBSD = (
    Range((5, 3), (7,), "OpenBSD, if_pfsync.h of 2004 and 2005, which it was taken from", DERIVED, 2, (2,), 2, pinnable=False),
    Range((7,), (9,), "OpenBSD, if_pfsync.h 1.30 and 1.32, which it was taken from", DERIVED, 3, (3,), 3, pinnable=False),
    Range((9,), (10,), "FreeBSD 9.3, sys/contrib/pf/net/if_pfsync.h and pfvar.h; pfsync(4), HISTORY", READ, 5, (1301,), 1301, pinnable=False),
    Range((10,), (13, 3), "FreeBSD 10.1, 12 and 13, if_pfsync.h and if_pfsync.c; pfsync(4) of 14", READ, 5, (1301,), 1301, pinnable=False),
    Range((13, 3), (14,), "FreeBSD, stable/13, if_pfsync.h; pfsync(4) does not name these releases", DERIVED, 5, (1301,), 1301, pinnable=False),
    Range((14,), (15,), "FreeBSD 14, if_pfsync.h; review D39392 (commit 4bf98559d9d6); pfsync(4); packets of 14.2 kernels", READ, 5, (1301, 1400), 1400,
          pinnable=True),
    Range((15,), (16,), "FreeBSD 15, if_pfsync.h and if_pfsync.c; review D52176 (commit 99475087d63b); pfsync(4)", READ, 5, (1301, 1400, 1500), 1500,
          pinnable=True),
)

_LAYOUT = "OpenBSD, if_pfsync.h 1.43 (2010) to 1.66 (2026)"
OPENBSD = (
    Range((3, 3), (3, 4), "OpenBSD, if_pfsync.h 1.2", READ, 1, (1,), 1, pinnable=False),
    Range((3, 4), (4,), "OpenBSD, if_pfsync.h 1.2.4.1, 1.19 and 1.21; which release has which is not verified", UNVERIFIED, 2, (2,), 2, pinnable=False),
    Range((4,), (4, 1), "not read: the next release has this version", UNVERIFIED, 3, (3,), 3, pinnable=False),
    Range((4, 1), (4, 4), "OpenBSD, if_pfsync.h 1.32", READ, 3, (3,), 3, pinnable=False),
    Range((4, 4), (4, 5), "not read: pfsync(4) says that 4.5 is another protocol", UNVERIFIED, 4, (4,), 4, pinnable=False),
    Range((4, 5), (4, 6), "pfsync(4) of OpenBSD: 4.4 and 4.5 do not interoperate", DOCUMENTED, 5, (5,), 5, pinnable=False),
    Range((4, 6), (4, 8), "not read: the release before has this version", UNVERIFIED, 5, (5,), 5, pinnable=False),
    Range((4, 8), (8,), _LAYOUT, READ, 6, (6,), 6, pinnable=False),
)
# From here on the layout of a state was the same 264 bytes wherever it was read (pfvar.h of about 2015, of 2020 and 2024). A receiver skips states that are
# shorter than its own, and counts nothing.
SAME_LAYOUT_SINCE = (6,)
