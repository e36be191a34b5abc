# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of lagg that tests share."""

from __future__ import annotations

from typing import Any


def lagg(**changes: Any) -> dict[str, Any]:
    """em0 with its VLAN 10 goes onto lagg0, with em3 as the second member."""
    found = {"name": "lagg0", "protocol": "failover", "members": ["em0", "em3"], "primary": "em0", "hash": None, "lacp_rate": None, "mtu": None,
             "min_links": None, "consent": False, "vlans": [{"name": "lagg0.10", "id": 10}],
             "moves": [move("em0", "lagg0"), move("em0.10", "lagg0.10", 10)]}
    return dict(found, **changes)


def plain(**changes: Any) -> dict[str, Any]:
    """The same without a VLAN."""
    return lagg(**dict({"vlans": [], "moves": [move("em0", "lagg0")]}, **changes))


def move(source: str, target: str, vlan: int | None = None) -> dict[str, Any]:
    """A device that goes onto a LAGG."""
    return {"from_device": source, "to_device": target, "vlan": vlan, "addresses": [], "virtual": [], "management": False}
