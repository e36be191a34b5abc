# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pfctl prints of pf. Sources: sbin/pfctl/pfctl_parser.c, pf_print_state.c, and transcripts of FreeBSD 14.2."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, List

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.states import State
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, lines
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_rules import Rules

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

_COUNTERS = ("match", "bad-offset", "fragment", "short", "normalize", "memory", "bad-timestamp", "congestion", "ip-option", "proto-cksum", "state-mismatch",
             "state-insert", "state-limit", "src-limit", "synproxy", "map-failed")
_LIMIT_COUNTERS = ("max states per rule", "max-src-states", "max-src-nodes", "max-src-conn", "max-src-conn-rate", "overload table insertion",
                   "overload flush states", "synfloods detected", "syncookies sent", "syncookies validated")


def shown(machine: "Machine", what: str, verbose: int, anchor: str) -> str:
    """What ``-s`` prints.

    Args:
        what: the whole word.
        verbose: how many ``-v`` there are.
        anchor: of ``-a``, or empty.
    """
    if what == "info":
        return _info(machine, verbose)
    if what == "rules":
        return _rules(machine, verbose, anchor)
    if what == "nat":
        return lines(machine.pf.ruleset.rules["nat"].printed(tables=machine.pf.tables))
    if what == "states":
        return "".join(_state(machine, state, verbose) for state in machine.pf.states)
    if what == "memory":
        return lines(["%-13s hard limit %8d" % (name, value) for name, value in machine.pf.limits.items()])
    if what == "creatorids":
        return lines(["Creator IDs:", *("%08x" % creator for creator in machine.pf.states.creators())])
    if what == "Interfaces":
        if verbose > 1:
            raise NotModelled("pfctl -s Interfaces -vv")
        # print_iface of sbin/pfctl/pfctl_table.c
        return lines(["%s (skip)" % name if verbose and name in machine.pf.ruleset.skip else name for name in sorted(machine.pf.kifs())])
    if what == "Running":
        return "Enabled\n" if machine.pf.enabled else "Disabled\n"
    if what == "Tables":
        return lines(sorted(machine.pf.tables))
    if what == "Anchors":
        return lines(["  %s" % rule.anchor for rule in machine.pf.rules if rule.anchor is not None and "*" not in rule.anchor])
    raise NotModelled("pfctl -s %s" % what)


def _info(machine: "Machine", verbose: int) -> str:
    pf = machine.pf
    running = max(0.0, machine.clock.now - pf.since) if pf.enabled else 0.0
    minutes, seconds = divmod(int(running), 60)
    hours, minutes = divmod(minutes, 60)
    status = "Status: Disabled" if not pf.enabled else "Status: Enabled for %d days %02d:%02d:%02d" % (hours // 24, hours % 24, minutes, seconds)
    rows = ["%-44s%15s" % (status, "Debug: %s" % pf.debug.capitalize()), ""]
    if verbose:
        rows += ["Hostid:   0x%08x" % pf.host_id, "Checksum: 0x%s" % pf.checksum, ""]
    table = [("searches", pf.states.searches), ("inserts", pf.states.inserts), ("removals", pf.states.removals)]
    rows += ["%-27s %14s %16s" % ("State Table", "Total", "Rate"), "  %-25s %14d %14s" % ("current entries", len(pf.states), "")]
    rows += [_rated(name, value, running) for name, value in table]
    if verbose:
        rows += ["Source Tracking Table", "  %-25s %14d %14s" % ("current entries", 0, "")] + [_rated(name, 0, running) for name, _value in table]
    rows += ["Counters"] + [_rated(name, pf.match if name == "match" else 0, running) for name in _COUNTERS]
    if verbose:
        rows += ["Limit Counters"] + [_rated(name, 0, running) for name in _LIMIT_COUNTERS]
        rows += ["Syncookies", "  %-25s %s" % ("mode", "never" if pf.loads else "adaptive"), "  %-25s %s" % ("active", "inactive"),
                 "%-33s%s " % ("Reassemble", "yes" if pf.ruleset.options.get("reassemble", "no").startswith("yes") else "no")]
    return lines(rows)


def _rated(name: str, value: int, running: float) -> str:
    return "  %-25s %14d %14.1f/s" % (name, value, value / int(running) if int(running) else 0.0)


def _rules(machine: "Machine", verbose: int, anchor: str) -> str:
    pf = machine.pf
    rules = pf.rules
    if anchor:
        rules = next((rule.body for rule in pf.rules if rule.anchor == anchor and rule.body is not None), Rules())
    rows: List[str] = []
    for number, rule in enumerate([*(pf.ruleset.rules["scrub"] if not anchor else []), *rules]):
        mark = "@%d " % number if verbose > 1 else ""
        rows.append(mark + rule.text(pf.tables) + (" {" if rule.body is not None else ""))
        if rule.body is not None:
            rows += rule.body.printed(1, pf.tables) + ["}"]
        if verbose:
            states = sum((state.rule, state.ruleset) == (number, pf.loads) for state in pf.states)
            rows.append("  [ Evaluations: %-8d  Packets: %-8d  Bytes: %-10d  States: %-6d]" % (rule.evaluations, rule.packets, rule.octets, states))
            rows.append("  [ Inserted: uid 0 pid %d State Creations: %-6d]" % (pf.loaded_by, rule.creations))
            if verbose > 1 and machine.major >= 14:
                rows.append("  [ Last Active Time: %s ]" % (time.asctime(time.gmtime(rule.last_used)) if rule.last_used is not None else "N/A"))
    return lines(rows)


def _state(machine: "Machine", state: State, verbose: int) -> str:
    if state.direction == "out":
        ends, sides = "%s -> %s" % (state.source, state.target), state.sides
    else:
        ends, sides = "%s <- %s" % (state.target, state.source), state.sides
    rows = ["%s %s %s       %s:%s" % (state.interface, state.protocol, ends, *sides)]
    if verbose:
        now = machine.clock.now
        if state.protocol == "tcp" and state.window:
            rows.append("   [%d + %d] wscale 6  [%d + %d] wscale 6" % (*state.window[0], *state.window[1]))
        rule = ", rule %d" % state.rule if state.rule is not None else ""
        more: List[str] = [*state.options, *(["no-sync"] if state.nosync else [])]
        rows.append("   age %s, expires in %s, %d:%d pkts, %d:%d bytes%s%s" % (
            _span(now - state.created), _span(max(0.0, state.expires() - now)), *state.packets, *state.octets, rule,
            "".join(", " + word for word in more)))
    if verbose > 1:
        identity = state.id.to_bytes(8, "little").hex()
        rows.append("   id: %s creatorid: %08x%s" % (identity, state.creator, " route-to: %s@%s" % state.route if state.route else ""))
        if state.origin is not None and state.origin != state.interface:
            rows.append("   origif: %s" % state.origin)
    return lines(rows)


def _span(seconds: float) -> str:
    minutes, left = divmod(int(seconds), 60)
    return "%02d:%02d:%02d" % (minutes // 60, minutes % 60, left)
