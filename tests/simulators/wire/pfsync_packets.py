# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets as pfsync kernels build them, put together byte by byte at the offsets that the structs of the systems' headers have.

It shares nothing with the decoder, which reads fields one after the other: where the two disagree about a place, the tests fail. FreeBSD 9.0 to 13 send
1301, 14 sends 1400, 15 sends 1500 (``sys/net/pfvar.h``, structs pfsync_state_1301, _1400 and _1500); OpenBSD's is struct pfsync_state of ``sys/net/pfvar.h``.
"""

from __future__ import annotations

import struct
from typing import Dict, Iterable, Mapping, Tuple, Union

Place = Tuple[int, str]
Places = Dict[str, Place]
Given = Mapping[str, Union[int, bytes]]


def _peer(name: str, at: int) -> Places:
    return {name + "_scrub_flags": (at, "H"), name + "_scrub_ttl": (at + 2, "B"), name + "_scrub_valid": (at + 3, "B"), name + "_scrub_ts_mod": (at + 4, "I"),
            name + "_seqlo": (at + 8, "I"), name + "_seqhi": (at + 12, "I"), name + "_seqdiff": (at + 16, "I"), name + "_max_win": (at + 20, "H"),
            name + "_mss": (at + 22, "H"), name + "_state": (at + 24, "B"), name + "_wscale": (at + 25, "B")}


def _key(name: str, at: int) -> Places:
    return {name + "_address_0": (at, "16s"), name + "_address_1": (at + 16, "16s"), name + "_port_0": (at + 32, "H"), name + "_port_1": (at + 34, "H")}


def _counts(at: int) -> Places:
    return {"rule": (at, "i"), "anchor": (at + 4, "i"), "nat_rule": (at + 8, "i"), "creation": (at + 12, "I"), "expire": (at + 16, "I"),
            "packets_0": (at + 20, "Q"), "packets_1": (at + 28, "Q"), "bytes_0": (at + 36, "Q"), "bytes_1": (at + 44, "Q"), "creatorid": (at + 52, "I")}


_HEAD: Places = dict({"id": (0, "Q"), "ifname": (8, "16s"), "rt_address": (160, "16s")}, **_key("wire", 24), **_key("stack", 60), **_peer("src", 96),
                     **_peer("dst", 128), **_counts(176))

# Size in bytes, and where each field is.
STATES: Dict[str, Tuple[int, Places]] = {
    "1301": (242, dict(_HEAD, af=(232, "B"), protocol=(233, "B"), direction=(234, "B"), log=(237, "B"), state_flags=(238, "B"), timeout=(239, "B"),
                       sync_flags=(240, "B"), updates=(241, "B"))),
    "1400": (277, dict(_HEAD, af=(232, "B"), protocol=(233, "B"), direction=(234, "B"), state_flags=(235, "H"), log=(237, "B"), timeout=(239, "B"),
                       sync_flags=(240, "B"), updates=(241, "B"), qid=(242, "H"), pqid=(244, "H"), dnpipe=(246, "H"), dnrpipe=(248, "H"),
                       rtableid=(250, "i"), min_ttl=(254, "B"), set_tos=(255, "B"), max_mss=(256, "H"), set_prio_0=(258, "B"), set_prio_1=(259, "B"),
                       rt=(260, "B"), rt_ifname=(261, "16s"))),
    "1500": (360, dict(_HEAD, tagname=(232, "64s"), rt_ifname=(296, "16s"), orig_ifname=(312, "16s"), rtableid=(328, "i"), state_flags=(332, "H"),
                       qid=(334, "H"), pqid=(336, "H"), dnpipe=(338, "H"), dnrpipe=(340, "H"), max_mss=(342, "H"), wire_af=(344, "B"),
                       stack_af=(345, "B"), rt_af=(346, "B"), wire_protocol=(347, "B"), stack_protocol=(348, "B"), log=(349, "B"), timeout=(350, "B"),
                       direction=(351, "B"), rt=(352, "B"), min_ttl=(353, "B"), set_tos=(354, "B"), set_prio_0=(355, "B"), set_prio_1=(356, "B"))),
    "openbsd": (264, dict({"id": (0, "Q"), "ifname": (8, "16s"), "rt_address": (168, "16s")}, **_key("wire", 24), wire_rdomain=(60, "H"), wire_af=(62, "B"),
                          **_key("stack", 64), stack_rdomain=(100, "H"), stack_af=(102, "B"), **_peer("src", 104), **_peer("dst", 136), **_counts(184),
                          rtableid_0=(240, "i"), rtableid_1=(244, "i"), max_mss=(248, "H"), af=(250, "B"), protocol=(251, "B"), direction=(252, "B"),
                          log=(253, "B"), rt=(254, "B"), timeout=(255, "B"), sync_flags=(256, "B"), updates=(257, "B"), min_ttl=(258, "B"),
                          set_tos=(259, "B"), state_flags=(260, "H"), set_prio_0=(262, "B"), set_prio_1=(263, "B"))),
}

_UPDATE: Places = dict({"id": (0, "Q"), "creatorid": (72, "I"), "expire": (76, "I"), "timeout": (80, "B")}, **_peer("src", 8), **_peer("dst", 40))
_ID: Tuple[int, Places] = (12, {"id": (0, "Q"), "creatorid": (8, "I")})

# Action by family and number: its name, size in bytes and fields.
_SAME: Dict[int, Tuple[str, int, Places]] = {
    0: ("CLR", 20, {"ifname": (0, "16s"), "creatorid": (16, "I")}),
    2: ("INS_ACK",) + _ID,
    5: ("UPD_REQ",) + _ID,
    7: ("DEL_C",) + _ID,
    10: ("BUS", 12, {"creatorid": (0, "I"), "endtime": (4, "I"), "status": (8, "B")}),
}
FREEBSD: Dict[int, Tuple[str, int, Places]] = dict(_SAME)
FREEBSD.update({
    1: ("INS_1301",) + STATES["1301"], 3: ("UPD_1301",) + STATES["1301"], 4: ("UPD_C", 84, _UPDATE), 6: ("DEL",) + STATES["1301"],
    11: ("TDB", 48, {"spi": (0, "I"), "dst": (4, "28s"), "rpl": (32, "I"), "cur_bytes": (36, "Q"), "sproto": (44, "B"), "updates": (45, "B")}),
    12: ("EOF", 0, {}), 13: ("INS_1400",) + STATES["1400"], 14: ("UPD_1400",) + STATES["1400"], 15: ("INS_1500",) + STATES["1500"],
    16: ("UPD_1500",) + STATES["1500"],
})
OPENBSD: Dict[int, Tuple[str, int, Places]] = dict(_SAME)
OPENBSD.update({
    4: ("UPD_C", 84, dict(_UPDATE, state_flags=(81, "B"))), 6: ("DEL",) + STATES["openbsd"], 13: ("INS",) + STATES["openbsd"],
    14: ("UPD",) + STATES["openbsd"],
    15: ("TDB", 52, {"spi": (0, "I"), "dst": (4, "28s"), "rpl": (32, "Q"), "cur_bytes": (40, "Q"), "sproto": (48, "B"), "updates": (49, "B"),
                     "rdomain": (50, "H")}),
})
EOF = bytes([12, 0, 0, 1])
CHECKSUM = bytes(range(16))


def message(size: int, places: Places, given: Given, filler: int = 0) -> bytes:
    """One message; what is not given, and padding, has the filler in every byte."""
    content = bytearray([filler]) * size
    for name, value in given.items():
        at, code = places[name]
        struct.pack_into(">" + code, content, at, value)
    return bytes(content)


def section(number: int, messages: Iterable[bytes], words: int = 0) -> bytes:
    """A subheader and its messages; ``words`` is OpenBSD's length of one in units of 4 bytes."""
    bodies = list(messages)
    return struct.pack(">BBH", number, words, len(bodies)) + b"".join(bodies)


def packet(version: int, *sections: bytes, checksum: bytes = CHECKSUM) -> bytes:
    """A whole packet. FreeBSD's needs ``EOF`` as its last section."""
    body = b"".join(sections)
    return struct.pack(">BBH", version, 0, 20 + len(body)) + checksum + body
