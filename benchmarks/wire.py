# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reading pfsync costs: states per CPU second of one capture, by this collection, by scapy and in the way of dpkt, in one run.

Neither scapy nor dpkt knows pfsync. Each gets the same fields in the same places, declared the way it wants them, and the same packets, from pfsync's
header on. Before anything is measured, all of them must have read the same values. Run with ``make bench``, or with the programs of
benchmarks/requirements.txt: ``python benchmarks/wire.py [--json] [CAPTURE]``.
"""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any, Callable

from bench import ROOT, collection_path, parser

CAPTURE = ROOT / "tests" / "fixtures" / "pfsync-freebsd-14.2" / "c2-v1400-bulk-large-multi-packet.pcap"
# CPU seconds of measuring each reader, at least, and how often; the fastest of these counts, for the machine may be busy.
AT_LEAST, TIMES = 0.4, 5
WANTED = 20

Reader = Callable[[bytes], list]


def packets(path: Path) -> list[bytes]:
    """The payloads of the capture's pfsync packets."""
    from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import PROTOCOL_PFSYNC, payload_of
    from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap

    with path.open("rb") as stream:
        datagrams = [payload_of(frame) for frame in read_pcap(stream)]
    return [datagram.payload for datagram in datagrams if datagram is not None and datagram.protocol == PROTOCOL_PFSYNC]


def fields_in_order(size: int, places: dict[str, tuple[int, str]]) -> list[tuple[str, str]]:
    """Name and struct code of each field from the first byte to the last, padding included as fields of its own."""
    found, at = [], 0
    for name, (start, code) in sorted(places.items(), key=lambda item: item[1][0]):
        if start > at:
            found.append((f"pad_{at}", f"{start - at}s"))
        found.append((name, code))
        at = start + struct.calcsize(code)
    return found + ([(f"pad_{at}", f"{size - at}s")] if size > at else [])


def ours() -> dict[str, Reader]:
    """This collection: what a watch needs, every field as it is, and every field by its name with addresses as text."""
    from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pfsync import decode_pfsync

    def counts(payload: bytes) -> list:
        return [(message.name, message.count) for message in decode_pfsync(payload).messages]

    def values(payload: bytes) -> list:
        return [row for message in decode_pfsync(payload).messages if message.format for row in message.rows()]

    def named(payload: bytes) -> list:
        return [entry.fields() for message in decode_pfsync(payload).messages if message.format for entry in message.entries]

    return {"counts of messages": counts, "every field": values, "every field by name, as text": named}


def by_dpkt(known: dict[int, Any]) -> Reader:
    """Each message a dpkt.Packet, as dpkt's own protocols are written."""
    import dpkt

    class Header(dpkt.Packet):
        __hdr__ = (("version", "B", 5), ("pad", "B", 0), ("len", "H", 0), ("checksum", "16s", b""))

    class Subheader(dpkt.Packet):
        __hdr__ = (("action", "B", 0), ("pad", "B", 0), ("count", "H", 0))

    def declared(size: int, places: dict[str, tuple[int, str]]) -> tuple:
        return tuple((name, code, b"" if code.endswith("s") else 0) for name, code in fields_in_order(size, places))

    kinds = {number: type(name, (dpkt.Packet,), {"__hdr__": declared(size, places)}) for number, (name, size, places) in known.items() if size}

    def read(payload: bytes) -> list:
        rest, found = Header(payload).data, []
        while len(rest) >= 4:
            subheader = Subheader(rest)
            rest = subheader.data
            name, size, _places = known[subheader.action]
            for _message in range(subheader.count if size else 0):
                message = kinds[subheader.action](rest[:size])
                rest = rest[size:]
                if name[:4] in ("INS_", "UPD_") and name[4:].isdigit():
                    found.append(message)
        return found

    return read


def by_scapy(known: dict[int, Any]) -> Reader:
    """Each message a scapy Packet in a list field of its subheader, as scapy's own protocols are written."""
    from scapy import fields as kinds
    from scapy.packet import Packet

    numbers = {"B": kinds.ByteField, "H": kinds.ShortField, "I": kinds.IntField, "i": kinds.SignedIntField, "Q": kinds.LongField}

    def declared(size: int, places: dict[str, tuple[int, str]]) -> list:
        return [kinds.StrFixedLenField(name, b"", int(code[:-1])) if code.endswith("s") else numbers[code](name, 0)
                for name, code in fields_in_order(size, places)]

    def extract_padding(_packet: Any, rest: bytes) -> tuple[bytes, bytes]:
        return b"", rest

    classes = {number: type("Pfsync" + name, (Packet,), {"name": name, "fields_desc": declared(size, places), "extract_padding": extract_padding})
               for number, (name, size, places) in known.items() if size}
    states = {number for number, (name, _size, _places) in known.items() if name[:4] in ("INS_", "UPD_") and name[4:].isdigit()}

    class Subheader(Packet):
        name = "subheader"
        fields_desc = [kinds.ByteField("action", 0), kinds.ByteField("pad", 0), kinds.ShortField("count", 0)] + [
            kinds.ConditionalField(kinds.PacketListField(f"messages_{number}", [], kind, count_from=lambda packet: packet.count),
                                   lambda packet, number=number: packet.action == number) for number, kind in classes.items()]

    Subheader.extract_padding = extract_padding

    class Header(Packet):
        name = "pfsync"
        fields_desc = [kinds.ByteField("version", 5), kinds.ByteField("pad", 0), kinds.ShortField("len", 0), kinds.StrFixedLenField("checksum", b"", 16),
                       kinds.PacketListField("sections", [], Subheader)]

    def read(payload: bytes) -> list:
        return [message for section in Header(payload).sections if section.action in states for message in section.getfieldval(f"messages_{section.action}")]

    return read


def measure(read: Reader, payloads: list[bytes]) -> float:
    """CPU seconds to read the capture once."""
    best = float("inf")
    for _time in range(TIMES):
        rounds, start = 0, time.process_time()
        while time.process_time() - start < AT_LEAST or not rounds:
            for payload in payloads:
                read(payload)
            rounds += 1
        best = min(best, (time.process_time() - start) / rounds)
    return best


def same_values(readers: dict[str, Reader], payloads: list[bytes]) -> int:
    """How many states there are; raises when the readers do not agree about one of their numbers."""
    from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pfsync import decode_pfsync

    total = 0
    for payload in payloads:
        entries = [entry for message in decode_pfsync(payload).messages if message.format for entry in message.entries]
        for name, value in (("dpkt", "__getattribute__"), ("scapy", "getfieldval")):
            others = readers[name](payload)
            assert len(others) == len(entries), (name, len(others), len(entries))
            for entry, other in zip(entries, others):
                assert tuple(getattr(other, value)(field) for field in entry.layout.names) == entry.row, name
        total += len(entries)
    return total


def main() -> None:
    """Print a table, or with --json the figures alone."""
    arguments = parser(__doc__)
    arguments.add_argument("capture", nargs="?", type=Path, default=CAPTURE, help="a capture with states")
    options = arguments.parse_args()
    collection_path()
    from ansible_collections.hafirewall.cluster.tests.simulators.wire.pfsync_packets import FREEBSD

    payloads = packets(options.capture)
    readers = {"scapy": by_scapy(FREEBSD), "dpkt": by_dpkt(FREEBSD), **ours()}
    states = same_values(readers, payloads)
    figures = [{"reader": name, "states_per_cpu_second": states / measure(read, payloads)} for name, read in readers.items()]
    for figure in figures:
        figure["times_scapy"] = figure["states_per_cpu_second"] / figures[0]["states_per_cpu_second"]
    if options.json:
        print(json.dumps({"packets": len(payloads), "states": states, "readers": figures}))
        return
    print(f"{len(payloads)} packets with {states} states, {options.capture.name}")
    print(f"{'reader':<32}{'states a CPU second':>20}{'times scapy':>14}")
    for figure in figures:
        print(f"{figure['reader']:<32}{figure['states_per_cpu_second']:>20,.0f}{figure['times_scapy']:>14.1f}")
    reached = next(figure for figure in figures if figure["reader"] == "every field")["times_scapy"]
    verdict = "reached" if reached >= WANTED else "NOT reached"
    print(f"Every field of a state is read {reached:.0f} times as fast as by scapy: the aim of {WANTED} is {verdict}.")
    if reached < WANTED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
