# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules for the simulated pair, and runs that are held to what every run promises."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode

PASSWORD = "s3cret-of-carp"
LAN, SYNC, WAN = "em0", "em1", "em2"


def sync_options(number: int, **changes: Any) -> Dict[str, Any]:
    """Of state_sync, for the node of that number."""
    options = {"enabled": True, "interface": SYNC, "address": "198.51.100.%d" % (130 + number), "network": "198.51.100.128/28", "transport": "multicast",
               "group": None, "port": 3780, "peer": None, "mode": "ftfw", "external_cache": None, "ignore_addresses": [], "refresh_interval": None,
               "host_id": "a%d" % number, "state_policy": None, "version": None, "coming": {}}
    return dict(options, **changes)


def rule_options(number: int, **changes: Any) -> Dict[str, Any]:
    """Of sync_rule."""
    vrrp = [{"interface": LAN, "family": "ipv4", "sources": ["192.0.2.%d" % (3 - number)], "transport": "multicast"},
            {"interface": WAN, "family": "ipv4", "sources": ["203.0.113.%d" % (3 - number)], "transport": "multicast"}]
    return dict({"enabled": True, "interface": SYNC, "network": "198.51.100.128/28", "transport": "multicast", "group": None, "port": 3780, "vrrp": vrrp,
                 "chains": [], "coming": {}}, **changes)


def instance(name: str, interface: str, number: int, advskew: int, *addresses: str, **changes: Any) -> Dict[str, Any]:
    """One entry of virtual_ip's instances."""
    return dict({"name": name, "interface": interface, "id": number, "family": "ipv6" if ":" in addresses[0] else "ipv4", "priority": 100, "advskew": advskew,
                 "advbase": 1, "addresses": list(addresses), "source": None, "peers": []}, **changes)


def address_options(number: int, *instances: Dict[str, Any], **changes: Any) -> Dict[str, Any]:
    """Of virtual_ip; without instances those of LAN and WAN."""
    usual = [instance("lan_10_ipv4", LAN, 10, number * 100, "192.0.2.1/24"), instance("wan_20_ipv4", WAN, 20, number * 100, "203.0.113.1/24")]
    return dict({"name": "edge", "instances": list(instances) or usual, "advert_interval": 1.0, "preempt": True, "preempt_delay": 0, "transport": "multicast",
                 "track_interfaces": True, "password": PASSWORD, "received": False, "coming": {}}, **changes)


def run(node: OpenbsdNode, capability: str, options: Dict[str, Any]) -> Tuple[Dict[str, Any], List[str]]:
    """A real run behind its prediction and in front of a second one: the prediction tells the same, and the second run finds nothing to do.

    Returns:
        The result, and the commands that changed the node.
    """
    predicting = node.again(check_mode=True)
    predicted = getattr(OpenbsdProvider(predicting), capability)(options)
    real = node.again()
    begin = len(node.machine.commands)
    result = getattr(OpenbsdProvider(real), capability)(options)
    done = node.machine.changes(begin)
    assert predicted["drift"] == result["drift"]
    assert (predicting.commands, predicting.diffs) == (real.commands, real.diffs)
    assert PASSWORD not in repr((result, real.commands, real.diffs))
    second, begin = node.again(), len(node.machine.commands)
    assert getattr(OpenbsdProvider(second), capability)(options)["drift"] == []
    assert not second.changed and not node.machine.changes(begin)
    assert real.changed is bool(result["drift"])
    return result, done


def cluster(first: OpenbsdNode, second: OpenbsdNode) -> None:
    """Make a cluster of a pair, the standby first; the first node is active then."""
    for number, node in ((1, second), (0, first)):
        OpenbsdProvider(node.again()).sync_rule(rule_options(number))
        OpenbsdProvider(node.again()).state_sync(sync_options(number))
        OpenbsdProvider(node.again()).virtual_ip(address_options(number))
    first.machine.clock.advance(5)


def states(node: OpenbsdNode) -> List[str]:
    """What the node is for its virtual addresses."""
    evidence = OpenbsdProvider(node.again()).node_info({})["evidence"]
    return [row["state"] for row in evidence["vrrp"]["instances"]]
