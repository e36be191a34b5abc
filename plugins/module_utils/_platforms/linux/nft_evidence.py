# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence about the pass rules, judged from the live ruleset and the one that boot would load. Pure."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_files import foreign, restricts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_match import Packet
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_rules import SyncTraffic
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_ruleset import Chain, ChainKey, Ruleset, counted
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_verdict import (
    ACCEPT,
    DROP,
    UNKNOWN_VERDICT,
    ChainVerdict,
    can_drop,
    concerns,
    decide,
    reachable,
)

_MOST_SOURCES, _MOST_DEVICES = 16, 8  # samples taken from the ruleset: enough for any rule written by hand, bounded for generated ones
_OUTSIDERS = {4: ("203.0.113.250", "198.51.100.250"), 6: ("2001:db8:ffff::250", "2001:db8:fffe::250")}
_ELSEWHERE = "another interface"


class Boot(NamedTuple):
    """What happens at boot and at ``systemctl reload nftables``.

    Attributes:
        ruleset: what the file loads; None when it is absent or does not load.
        enabled: the service loads it at boot; None unknown.
        reason: why the ruleset is None or the service is not known; empty otherwise.
    """

    ruleset: Optional[Ruleset]
    enabled: Optional[bool]
    reason: str


def unknown_evidence() -> Dict[str, Any]:
    """The evidence when nothing could be read: nothing is claimed."""
    return {"filtered": None, "present": None, "persistent": None, "effective": None, "broader": [], "unclear": [], "blockers": [], "rules": [], "reasons": []}


def evidence(live: Ruleset, boot: Boot, packets: Sequence[Packet], sync: Optional[SyncTraffic]) -> Dict[str, Any]:
    """The ``pass_rule`` evidence.

    Args:
        live: the ruleset in the kernel.
        boot: what boot would load.
        packets: the traffic that must pass; without any only what our rules and chains say by themselves is judged.
        sync: the engine's traffic, for the search for rules that are broader than needed; None leaves it out.
    Returns:
        ``filtered``: some base chain could drop the traffic. ``present``: each of them has our rules. ``effective``: all of the traffic is accepted by
        all base chains (None: not known). ``persistent``: that is so after a reload or a reboot too (None: not known), with ``reasons`` when it is not.
        ``blockers``: what drops it, ``broader``: accepts that pass the engine's traffic from elsewhere too, ``unclear``: accepts that may.
        ``rules``: our rules with their place and counters.
    """
    chains = _filters(live, packets)
    reasons = _impersistence(live, boot, packets, chains)
    return dict(
        unknown_evidence(), filtered=bool(chains), present=bool(live.our_rules()) and all(_has_ours(live, chain) for chain in chains),
        effective=_effective(live, packets) if packets else None, persistent=_persistent(boot, reasons), reasons=reasons,
        blockers=blockers(live, packets), rules=_rules(live), **(_breadth(live, sync) if sync else {}))


def blockers(ruleset: Ruleset, packets: Sequence[Packet]) -> List[str]:
    """What drops the traffic, or may: ``inet raw prerouting: udp dport 3780 drop (engine in)``, each rule or policy once."""
    found: Dict[str, List[str]] = {}
    for packet in packets:
        for verdict in decide(ruleset, packet).chains:
            if verdict.verdict == DROP:
                found.setdefault(verdict.describe(DROP), []).append(packet.name)
            elif verdict.verdict == UNKNOWN_VERDICT:
                found.setdefault("may be dropped, not understood: " + _doubt(verdict), []).append(packet.name)
    return ["%s (%s)" % (text, ", ".join(dict.fromkeys(names))) for text, names in found.items()]


def _doubt(verdict: ChainVerdict) -> str:
    return verdict.describe(DROP if any(way.verdict == DROP for way in verdict.outcomes) else UNKNOWN_VERDICT)


def _filters(ruleset: Ruleset, packets: Sequence[Packet]) -> List[Chain]:
    if not packets:
        return [chain for chain in ruleset.base_chains(("input",)) if can_drop(ruleset, chain)]
    directions = {"input": "in", "output": "out"}
    return [chain for chain in ruleset.base_chains(("input", "output"))
            if any(packet.direction == directions[str(chain.hook)] and restricts(ruleset, chain, packet) for packet in packets)]


def _has_ours(ruleset: Ruleset, chain: Chain) -> bool:
    return any(ruleset.chains[key].ours for key in reachable(ruleset, chain.key))


def _effective(ruleset: Ruleset, packets: Sequence[Packet]) -> Optional[bool]:
    verdicts = {decide(ruleset, packet).verdict for packet in packets}
    return False if DROP in verdicts else None if UNKNOWN_VERDICT in verdicts else True


def _impersistence(live: Ruleset, boot: Boot, packets: Sequence[Packet], chains: Sequence[Chain]) -> List[str]:
    """Why the traffic would not pass, or is not known to pass, after a reload or a reboot."""
    reasons = [boot.reason] if boot.reason and (chains or boot.enabled) else []
    if boot.enabled is False and chains:
        reasons.append("nftables.service is not enabled, so the live rules are gone after a reboot")
    for chain in chains:
        keeper = foreign(live, chain.key, boot.ruleset)
        if keeper:
            reasons.append("chain %s is kept by %s: let the traffic pass there" % (" ".join(chain.key), keeper))
        elif boot.ruleset is not None and chain.key not in boot.ruleset.chains:
            reasons.append("chain %s is not in the file that nftables.service loads" % " ".join(chain.key))
    if boot.ruleset is not None and boot.enabled is not False:
        reasons += ["after a reload or a reboot: " + text for text in blockers(boot.ruleset, packets)]
        reasons += ["after a reload or a reboot chain %s has no rule of the cluster" % " ".join(chain.key) for chain in _filters(boot.ruleset, packets)
                    if not _has_ours(boot.ruleset, chain)]
    return reasons


def _persistent(boot: Boot, reasons: Sequence[str]) -> Optional[bool]:
    if boot.enabled is None:
        return None
    return not reasons


def _rules(ruleset: Ruleset) -> List[Dict[str, Any]]:
    found = []
    for rule in ruleset.our_rules():
        packets, octets = counted(rule)
        found.append({"table": "%s %s" % rule.key[:2], "chain": rule.key[2], "position": rule.place, "name": rule.name, "packets": packets, "bytes": octets})
    return found


def _breadth(ruleset: Ruleset, sync: SyncTraffic) -> Dict[str, Any]:
    broader: Dict[str, str] = {}
    unclear: Dict[str, str] = {}
    for packet in strangers(ruleset, sync):
        decision = decide(ruleset, packet)
        if decision.verdict == DROP:
            continue
        found, word = (broader, "accepts") if decision.verdict == ACCEPT else (unclear, "may accept")
        for text in _accepting(ruleset, decision.chains, packet):
            found.setdefault(text, "%s %s the engine's traffic from %s on %s" % (text, word, packet.source, packet.device))
    return {"broader": list(broader.values()), "unclear": [text for key, text in unclear.items() if key not in broader]}


def _accepting(ruleset: Ruleset, chains: Sequence[ChainVerdict], packet: Packet) -> List[str]:
    """The rules that let it through, or, where none does, the fact that no chain holds it back."""
    named = [way.rule.describe() for verdict in chains if verdict.chain.hook == "input" for way in verdict.outcomes[:1] if way.rule is not None]
    filters = [verdict for verdict in chains if verdict.chain.hook == "input" and concerns(verdict.chain, packet) and can_drop(ruleset, verdict.chain)]
    return named or [verdict.describe(ACCEPT) for verdict in filters] or ["no input chain drops anything: everything"]


def strangers(ruleset: Ruleset, sync: SyncTraffic) -> List[Packet]:
    """The engine's packets as they should not pass: from other sources on the Sync interface, and on other interfaces.

    Samples are the sources and interfaces that the ruleset names, because a rule that is too broad names (or leaves out) one of them, and one of each
    that it does not name.
    """
    sources, devices = _named(ruleset, sync)
    inside = sync.packet("in").source
    pairs = [(sync.interface, source) for source in sources] + [(device, source) for device in devices for source in (inside, sources[0])]
    return [sync.packet("in", device=device, source=source, on_link=None) for device, source in pairs]


def _named(ruleset: Ruleset, sync: SyncTraffic) -> Tuple[List[str], List[str]]:
    """Sources outside the Sync network and interfaces other than the Sync interface: first one of each that is not named, then those that are."""
    words: Set[str] = set()
    for chain in ruleset.chains.values():
        for rule in chain.rules:
            if not rule.ours:
                _compared(list(rule.expr), words)
    for elements in (elements for named in ruleset.sets.values() for elements in named.values()):
        _literals(_keys(elements), words)
    allowed = [ipaddress.ip_network(text) for text in sync.sources]
    sources = [text for text in _OUTSIDERS[sync.version] if not any(ipaddress.ip_address(text) in network for network in allowed)][:1]
    devices = [_ELSEWHERE]
    for word in sorted(words):
        try:
            network = ipaddress.ip_network(word, strict=False)
        except ValueError:
            devices += [word.rstrip("*")] if word not in ("lo", sync.interface) and len(devices) < _MOST_DEVICES else []
            continue
        if network.version != sync.version or network.is_multicast or network.is_loopback or network.network_address.is_unspecified:
            continue
        ends = [network[0]] if network.num_addresses < 4 else [network[1], network[-2]]
        outside = [str(end) for end in ends if not any(end in allow for allow in allowed)]
        sources += outside[:1] if len(sources) < _MOST_SOURCES else []
    return sources, devices


def _compared(part: Any, found: Set[str]) -> None:
    """Collect the interface names and addresses that matches and verdict maps compare a packet with."""
    if isinstance(part, list):
        for item in part:
            _compared(item, found)
    elif isinstance(part, dict):
        for form, body in part.items():
            if form == "match" and _about(body["left"]):
                _literals(body["right"], found)
            elif form == "vmap" and _about(body["key"]) and isinstance(body["data"], dict):
                _literals(_keys(body["data"]["set"]), found)


def _about(left: Any) -> bool:
    return any(("'%s'" % word) in str(left) for word in ("iifname", "iif", "saddr"))


def _keys(elements: Sequence[Any]) -> List[Any]:
    """Set elements as they are, map elements (pairs) by their key."""
    return [element[0] if isinstance(element, list) else element for element in elements]


def _literals(part: Any, found: Set[str]) -> None:
    if isinstance(part, list):
        for item in part:
            _literals(item, found)
    elif isinstance(part, dict):
        if set(part) == {"addr", "len"}:
            found.add("%s/%d" % (part["addr"], part["len"]))
        else:
            for body in part.values():
                _literals(body, found)
    elif isinstance(part, str) and part and not part.startswith("@"):
        found.add(part)


def chains_named(texts: Sequence[str]) -> List[ChainKey]:
    """``FAMILY TABLE CHAIN`` words as keys.

    Raises:
        ValueError: a text of another form; its message names it.
    """
    keys = []
    for text in texts:
        words = text.split()
        if len(words) != 3 or words[0] not in ("inet", "ip", "ip6"):
            raise ValueError(text)
        keys.append((words[0], words[1], words[2]))
    return keys
