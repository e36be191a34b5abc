# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of virtual_ip that tests share."""

from __future__ import annotations

from typing import Any, Dict, List


def instance(interface: str = "lan0", number: int = 10, family: str = "ipv4", priority: int = 200, addresses: Any = ("192.0.2.1/24",)) -> Dict[str, Any]:
    source, peer = ("192.0.2.2", "192.0.2.3") if family == "ipv4" else ("2001:db8:1::2", "2001:db8:1::3")
    return {"name": "%s_%d_%s" % (interface, number, family), "interface": interface, "id": number, "family": family, "priority": priority,
            "addresses": list(addresses), "source": source, "peers": [peer]}


def instances(priority: int = 200) -> List[Dict[str, Any]]:
    return [instance(priority=priority), instance("wan0", 20, priority=priority, addresses=["203.0.113.1/24"]),
            instance("lan0", 11, "ipv6", priority, ["2001:db8:1::1/64"])]


def options(**changes: Any) -> Dict[str, Any]:
    values: Dict[str, Any] = {"name": "edge", "instances": instances(), "advert_interval": 1.0, "preempt": False, "preempt_delay": 10.0,
                              "transport": "multicast", "track_interfaces": True, "coming": {}}
    values.update(changes)
    return values
