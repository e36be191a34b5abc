# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""netstat: what each device has received and sent; the figures only tell the devices apart."""

from __future__ import annotations

from .base import TYPE_CHECKING, not_modelled

if TYPE_CHECKING:
    from typing import List

    from .base import Kernel


def netstat(kernel: Kernel, words: List[str]) -> str:
    """The table of all devices there are."""
    if words != ["-ibnW"]:
        raise not_modelled("netstat " + " ".join(words))
    rows = ["Name    Mtu Network       Address              Ipkts Ierrs Idrop     Ibytes    Opkts Oerrs     Obytes  Coll"]
    for number, (name, interface) in enumerate(kernel["interfaces"].items()):
        rows.append("%-7s %d <Link#%d>      02:00:00:00:00:%02x       %d     0     0     %d       %d     0     %d     0" % (
            name, interface.get("mtu", 1500), number + 1, number, 10 + number, 1000 + number, 20 + number, 2000 + number))
    return "\n".join(rows) + "\n"
