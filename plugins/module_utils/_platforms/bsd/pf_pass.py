# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of this collection in pf.conf, for pfsync and for CARP, and whether a ruleset has them and lets their packets pass. Pure.

All have ``no-sync``: states of pfsync's own packets that were shared would be updated by each packet that shares them. All have ``quick``, so that no later
rule decides otherwise. All nodes of a cluster have the same rules apart from names of devices, for pfsync links states to rules by the ruleset's checksum.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pass_rule, pf_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import LINK_LOCAL, Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_verdict import PROTOCOLS, Network, Packet, Scene, verdict, ways

_STATE = "keep state (no-sync)"
_FAMILIES = {4: "inet", 6: "inet6"}
_CARP = ("carp", "112", "vrrp")
_CARP_GROUPS: Mapping[int, Network] = {4: ipaddress.ip_network("224.0.0.18"), 6: ipaddress.ip_network("ff02::12")}
# Without these, IPv6 finds no neighbour.
_NEIGHBOURS = ("neighbrsol", "neighbradv")


def lines(sync: Optional[Sync], vrrp: Sequence[Mapping[str, Any]]) -> List[str]:
    """The rules, each as pfctl prints it.

    Args:
        sync: where pfsync's packets go; None when its rule is not wanted.
        vrrp: as the option of the module sync_rule.
    Raises:
        ValueError: a source that is no address and no network, or one of another family.
    """
    found = [] if sync is None else _pfsync(sync)
    return found + [line for line in dict.fromkeys(line for one in vrrp for line in _carp(one)) if line not in found]


def _pfsync(sync: Sync) -> List[str]:
    family = _FAMILIES[sync.members[0].version]
    neighbours = ["pass quick on %s inet6 proto ipv6-icmp all icmp6-type %s no state" % (sync.device, kind) for kind in _NEIGHBOURS]
    return ["pass quick on %s %s proto pfsync from %s to any %s" % (sync.device, family, source, _STATE) for source in sync.members] \
        + (neighbours if family == "inet6" else [])


def _carp(vrrp: Mapping[str, Any]) -> List[str]:
    """Advertisements on an interface: of the others from their addresses, and this node's own from whatever address it has there."""
    head = "quick on %s %s proto carp" % (vrrp["interface"], _FAMILIES[_version(vrrp)])
    sources = _sources(vrrp)
    if not sources:
        return ["pass %s all %s" % (head, _STATE)]
    return ["pass in %s from %s to any %s" % (head, _shown(source), _STATE) for source in sources] + ["pass out %s all %s" % (head, _STATE)]


def _version(vrrp: Mapping[str, Any]) -> int:
    return 4 if vrrp["family"] == "ipv4" else 6


def _sources(vrrp: Mapping[str, Any]) -> List[Network]:
    """In the order of their addresses; none for any. To IPv6's group they come from an address of the link."""
    found = {_network(text) for text in vrrp.get("sources") or []}
    if any(one.version != _version(vrrp) for one in found):
        raise ValueError("sources of %s: not all are of the family %s" % (vrrp["interface"], vrrp["family"]))
    if found and _version(vrrp) == 6 and vrrp.get("transport") != "unicast":
        found.add(LINK_LOCAL)
    return sorted(found, key=lambda one: (int(one.network_address), one.prefixlen))


def _network(text: str) -> Network:
    """Of an address, also one with its prefix length, the address alone; a network is as it is."""
    one = ipaddress.ip_interface(text)
    return one.network if one.ip == one.network.network_address else ipaddress.ip_network(one.ip)


def _shown(network: Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


# Looking


def same(one: Rule, other: Rule) -> bool:
    """Whether two rules say the same; the second may have more options of states, as the policy that is set for all."""
    return _compared(one) == _compared(other) and (one.state is None) is (other.state is None) and set(one.state or ()) <= set(other.state or ())


def _compared(rule: Rule) -> Rule:
    """Without what only counts, as how many members a table has, which pfctl tells only of rules in force."""
    source, destination = (_COUNT.sub(r"\1\2", end) for end in (rule.source, rule.destination))
    return rule._replace(text="", number=None, tracker=None, packets=None, octets=None, state=None, source=source, destination=destination,
                         inner=tuple(_compared(one) for one in rule.inner))


_COUNT = re.compile(r"([(<][^()<>]*?)(?::(?:\d+|\*))+([)>])")


def parsed(found: Sequence[str]) -> List[Rule]:
    """Rules as :func:`lines` gives them."""
    return pf_ruleset.parse("".join(line + "\n" for line in found))


def missing(wanted: Sequence[Rule], rules: Sequence[Rule]) -> List[Rule]:
    """Which of the rules a ruleset does not have."""
    return [one for one in wanted if not any(same(one, rule) for rule in rules)]


def alike(rules: Sequence[Rule]) -> List[Rule]:
    """The rules of a ruleset that pass nothing but pfsync, without conditions, as this collection's do."""
    return [rule for rule in rules if rule.action == "pass" and rule.quick and rule.protocol in PROTOCOLS and not rule.conditions]


def dropped(rules: Sequence[Rule], around: Scene, sync: Optional[Sync], vrrp: Sequence[Mapping[str, Any]]) -> List[str]:
    """For people: the rules that drop packets of the cluster for sure."""
    found = [] if sync is None else [one for one in pass_rule.blockers(pass_rule.decide(rules, around, sync)) if not one.startswith(pass_rule.MAYBE)]
    for packet in (packet for one in vrrp for packet in _packets(one, around)):
        decided = ways(rules, packet, around)
        if verdict(decided) == "block":
            found += ["%s (CARP on %s, %s)" % (way.describe(), packet.device, packet.direction) for way in decided]
    return found


def _packets(vrrp: Mapping[str, Any], around: Scene) -> List[Packet]:
    """One for each way that advertisements take for sure."""
    device, group = vrrp["interface"], _CARP_GROUPS[_version(vrrp)]
    unicast = vrrp.get("transport") == "unicast"
    link = around.links.get(device)
    held = [ipaddress.ip_network(ipaddress.ip_interface(address.text).ip) for address in (link.addresses if link else ()) if address.vhid is None]
    own = [one for one in held if one.version == group.version]
    sources = _sources(vrrp)
    others = [one for one in sources if one not in own]
    targets = [one for one in others if one.num_addresses == 1] if unicast else [group]
    return [Packet("in", device, [source], own[0] if unicast else group, _CARP) for source in others if own or not unicast] \
        + [Packet("out", device, own[:1], target, _CARP) for target in targets if own]
