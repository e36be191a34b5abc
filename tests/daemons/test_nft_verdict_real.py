# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the evaluator says of a packet, beside what the kernel does with it."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Dict

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import nft_live
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_rules import SyncTraffic
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_verdict import decide
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from nft_sandbox import Neighbour, run, sandboxed

SYNC = SyncTraffic("sync0", ipaddress.ip_network("198.51.100.128/28"), "225.0.0.50", 3780, "198.51.100.129")
RULESETS = [
    "", "udp dport 3780 accept", 'iifname "sync0" accept', 'iifname != "lan0" udp dport 3000-4000 accept', "ip saddr 198.51.100.128/28 accept",
    "ip saddr != 198.51.100.128/28 drop\nip daddr 225.0.0.50 accept", 'iifname vmap { "lan0" : drop, "sync0" : accept }', "ct state new accept",
    "ct state established,related accept", "meta l4proto { udp, igmp } accept", "ip protocol vrrp accept\nudp dport != 3780 accept", "th dport 3780 accept",
    'iifname . ip saddr . udp dport { "sync0" . 198.51.100.130 . 3780 } accept', "ip daddr & 240.0.0.0 == 224.0.0.0 accept", "ip ttl 255 accept",
    "fib daddr type multicast accept", "fib saddr . iif oif missing drop\naccept", "meta pkttype multicast udp dport > 3779 accept", "ip6 nexthdr udp accept",
    "ip frag-off & 0x1fff != 0 drop\nudp dport { 53, 3780 } accept", "jump a", "goto a", "meta nfproto ipv6 reject\naccept",
    "igmp type membership-query accept",
    "ip saddr @friends accept", 'iifname "sync*" accept', "tcp flags syn drop\nudp sport 1-65535 return\naccept",
    "udp dport vmap @ports", "meta mark set 5\naccept",
    "ct state vmap { invalid : drop, new : goto a }", "reject with icmpv6 admin-prohibited\naccept", "reject with icmp admin-prohibited\naccept",
]
CHAINS = """table inet t {
 set friends { type ipv4_addr; flags interval; elements = { 198.51.100.128-198.51.100.135, 192.0.2.3 }; }
 map ports { type inet_service : verdict; elements = { 3780 : jump a, 53 : accept }; }
 chain a { ip protocol igmp return; iifname lan0 counter drop; accept; }
 chain first { type filter hook prerouting priority raw; %s }
 chain input { type filter hook input priority 0; policy %s;
%s
 }
}
table ip probe {
 chain seen { type filter hook prerouting priority -500; }
 chain arrived { type filter hook input priority 300; }
}
"""


def counted(chain: str) -> bool:
    """Whether the packet of this number went through the chain."""
    return "packets 1 bytes" in run("nft", "list", "chain", "ip", "probe", chain)


@pytest.mark.parametrize(("policy", "first"), [("accept", "iifname lan0 notrack;"), ("drop", "")])
@sandboxed
def test_the_verdict_is_the_kernels(policy: str, first: str) -> None:
    """Every verdict that is not ``unknown`` is what the kernel does, and few are unknown."""
    neighbour = Neighbour({"sync0": "198.51.100.129/28", "lan0": "192.0.2.2/24"})
    engine = SYNC.packet("in")
    packets = [engine, engine._replace(source="203.0.113.9", on_link=None), engine._replace(device="lan0", on_link=None),
               engine._replace(target="198.51.100.129"), engine._replace(protocol=2, port=None, kind="membership-query", hops=1, target="224.0.0.1"),
               engine._replace(protocol=112, port=None, device="lan0", source="192.0.2.3", target="224.0.0.18", hops=255), engine._replace(port=53)]
    seen: Dict[str, int] = {"accept": 0, "drop": 0, "unknown": 0}
    numbers = itertools.count(1)
    for body in RULESETS:
        run("nft", "-f", "-", stdin="flush ruleset\n" + CHAINS % (first, policy, body))
        ruleset = nft_live.current(Node())
        for packet in packets:
            number = next(numbers)
            count = "".join("add rule ip probe %s ip id %d counter\n" % (chain, number) for chain in ("seen", "arrived"))
            run("nft", "-f", "-", stdin="flush table ip probe\n" + count)
            neighbour.send(packet, number)
            assert Node().wait_for(lambda: counted("seen"), 60, 0.01), (body, packet)
            passed = counted("arrived")
            verdict = decide(ruleset, packet).verdict
            seen[verdict] += 1
            assert verdict in ("unknown", "accept" if passed else "drop"), (body, packet, passed)
    assert seen["unknown"] <= 15 and min(seen["accept"], seen["drop"]) >= 15, seen
    neighbour.close()
