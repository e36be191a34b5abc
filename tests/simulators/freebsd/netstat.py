# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""netstat: what pfsync, CARP and the interfaces have counted. Sources: usr.bin/netstat/if.c and inet.c, and transcripts of FreeBSD 14.2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Interface
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, lines, plural, said
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pfsync import ACTIONS

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

# Of each kind of message: its name in words, and as a key.
_WORDS = {"CLR": "clear all request", "IACK": "state inserted ack", "UPD_C": "compressed state update", "UREQ": "uncompressed state request",
          "DEL": "state delete", "DEL_C": "compressed state delete", "INS_F": "fragment insert", "DEL_F": "fragment delete", "BUS": "bulk update mark",
          "TDB": "TDB replay counter update", "EOF": "end of frame mark"}
_DROPPED = (("bad-interface", "packet%s discarded for bad interface"), ("bad-ttl", "packet%s discarded for bad ttl"),
            ("short-header", "packet%s shorter than header"), ("bad-version", "packet%s discarded for bad version"),
            ("bad-auth", "packet%s discarded for bad HMAC"), ("bad-action", "packet%s discarded for bad action"),
            ("short", "packet%s discarded for short packet"), ("bad-values", "state%s discarded for bad values"), ("stale-state", "stale state%s"),
            ("failed-lookup", "failed state lookup/insert%s"))
_CARP = (("dropped-wrong-ttl", "discarded for wrong TTL", "packets"), ("dropped-short-header", "shorter than header", "packets"),
         ("dropped-bad-checksum", "discarded for bad checksums", ""), ("dropped-bad-version", "discarded packets with a bad version", ""),
         ("dropped-short-packet", "discarded because packet too short", ""), ("dropped-bad-authentication", "discarded for bad authentication", ""),
         ("dropped-bad-vhid", "discarded for bad vhid", ""), ("dropped-bad-address-list", "discarded because of a bad address list", ""))


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """The statistics that the options name."""
    line = " ".join(words)
    if line == "-rn":
        return said(machine.routes.listing())
    if line in ("-ibnW", "-ibn"):
        return said(_interfaces(machine, line.endswith("W")))
    as_json = line.endswith(" --libxo json")
    line = line[:-len(" --libxo json")] if as_json else line
    zero = line.startswith("-z ")
    line = line[3:] if zero else line
    if line == "-s -p pfsync":
        text = (_pfsync_json if as_json else _pfsync)(machine) if machine.has_pfsync else _nothing(as_json)
        if zero:
            machine.pfsync.counters = type(machine.pfsync.counters)()
        return said(text)
    if line == "-s -p carp":
        text = (_carp_json if as_json else _carp)(machine) if "carp" in machine.modules else _nothing(as_json)
        if zero:
            machine.carp.counters.clear()
        return said(text)
    raise NotModelled("netstat " + " ".join(words))


def _nothing(as_json: bool) -> str:
    return '{"statistics": {}}\n' if as_json else ""


def _kinds(machine: "Machine") -> List[str]:
    return list(machine.pfsync.known)


def _named(machine: "Machine", kind: str) -> "tuple[str, str]":
    """In words, and as a key."""
    if kind in _WORDS:
        return _WORDS[kind], _WORDS[kind].replace(" ", "-")
    what, number = kind.split("_")
    word = "state insert" if what == "INS" else "state update"
    newest = "%d00" % machine.major if machine.major >= 14 else "1301"
    if number == newest:
        return word, word.replace(" ", "-")
    return ("13.1 " if number == "1301" else "14.0 ") + word, "%s-%s" % (word.replace(" ", "-"), number)


def _pfsync(machine: "Machine") -> str:
    counted = machine.pfsync.counters
    rows = ["pfsync:", "\t%s received (IPv4)" % plural(counted.packets_in, "packet", "packets"), "\t0 packets received (IPv6)"]
    rows += ["\t\t%s received" % plural(counted.received.get(kind, 0), name, name + "s") for kind, name in _all(machine)]
    rows += ["\t\t%d %s" % (counted.dropped.get(key, 0), text % ("" if counted.dropped.get(key, 0) == 1 else "s")) for key, text in _DROPPED]
    rows += ["\t%s sent (IPv4)" % plural(counted.packets_out, "packet", "packets"), "\t0 packets sent (IPv6)"]
    rows += ["\t\t%s sent" % plural(counted.sent.get(kind, 0), name, name + "s") for kind, name in _all(machine)]
    rows += ["\t\t%s due to mbuf memory error" % plural(counted.no_memory, "failure", "failures"),
             "\t\t%s" % plural(counted.send_errors, "send error", "send errors")]
    return lines(rows)


def _all(machine: "Machine") -> "List[tuple[str, str]]":
    return [(kind, _named(machine, kind)[0]) for kind in ACTIONS if kind in machine.pfsync.known]


def _pfsync_json(machine: "Machine") -> str:
    counted = machine.pfsync.counters

    def histogram(held: Dict[str, int]) -> str:
        return "[%s]" % ", ".join('{"name":"%s","count":%d}' % (_named(machine, kind)[1], held.get(kind, 0)) for kind in _kinds(machine))

    dropped = ",".join('"dropped-%s":%d' % (key, counted.dropped.get(key, 0)) for key, _text in _DROPPED)
    return ('{"statistics": {"pfsync": {"received-inet-packets":%d,"received-inet6-packets":0, "input-histogram": %s,%s,"sent-inet-packets":%d,'
            '"send-inet6-packets":0, "output-histogram": %s,"discarded-no-memory":%d,"send-errors":%d}}}\n' % (
                counted.packets_in, histogram(counted.received), dropped, counted.packets_out, histogram(counted.sent), counted.no_memory,
                counted.send_errors))


def _carp(machine: "Machine") -> str:
    counted = machine.carp.counters
    rows = ["carp:", "\t%s received (IPv4)" % plural(counted.get("received-inet-packets", 0), "packet", "packets"),
            "\t%s received (IPv6)" % plural(counted.get("received-inet6-packets", 0), "packet", "packets")]
    for key, text, subject in _CARP:
        count = counted.get(key, 0)
        rows.append("\t\t%d %s%s" % (count, (subject[:-1] if count == 1 and subject else subject) + " " if subject else "", text))
    rows += ["\t%s sent (IPv4)" % plural(counted.get("sent-inet-packets", 0), "packet", "packets"),
             "\t%s sent (IPv6)" % plural(counted.get("sent-inet6-packets", 0), "packet", "packets"), "\t\t0 send failed due to mbuf memory error"]
    return lines(rows)


def _carp_json(machine: "Machine") -> str:
    keys = ["received-inet-packets", "received-inet6-packets", *(key for key, _text, _subject in _CARP), "sent-inet-packets", "sent-inet6-packets",
            "send-failed-memory-error"]
    values: Dict[str, Any] = {key: machine.carp.counters.get(key, 0) for key in keys}
    return '{"statistics": {"carp": %s}}\n' % json.dumps(values, separators=(",", ":"))


def _interfaces(machine: "Machine", wide: bool) -> str:
    rows = list(machine.interfaces.values())
    width = max(5, *(len(one.name) + (not one.up) for one in rows))
    six = any(":" in address.text for one in rows for address in one.addresses)
    network, address = (24, 39) if wide and six else (18, 17) if wide else (13, 17)

    def row(name: str, mtu: str, net: str, host: str, counts: Sequence[object]) -> str:
        net, host = (net, host) if wide else (net[:network], host[:address])
        return "%-*s %5s %-*s %-*s " % (width, name, mtu, network, net, address, host) + "%8s %5s %5s %10s %8s %5s %10s %5s" % tuple(counts)

    told = [row("Name", "Mtu", "Network", "Address", ("Ipkts", "Ierrs", "Idrop", "Ibytes", "Opkts", "Oerrs", "Obytes", "Coll"))]
    for number, one in enumerate(rows, 1):
        shown = one.name + ("" if _up(machine, one) else "*")
        mtu = machine.pfsync.mtu if one.driver == "pfsync" else one.mtu
        counts = (one.received[0], 0, 0, one.received[1], one.sent[0], 0, one.sent[1], 0)
        told.append(row(shown, str(mtu), "<Link#%d>" % number, machine.interfaces.mac(one.name) or one.name, counts))
        for held in one.addresses:
            told.append(row(shown, "-", str(held.interface.network), held.host, (0, "-", "-", 0, 0, "-", 0, "-")))
    return lines(told)


def _up(machine: "Machine", one: Interface) -> bool:
    return machine.pfsync.up if one.driver == "pfsync" else one.up
