# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each message of each format comes back as it was built, and what a kernel would refuse is refused by the same name. Formats 1500 and OpenBSD's are built
from the layouts alone: no packet of theirs was at hand."""

from __future__ import annotations

import ipaddress
import random
import struct

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire import pfsync_layouts
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pfsync import BAD_ACTION, BAD_LENGTH, BAD_VERSION, SHORT, decode_pfsync
from ansible_collections.hafirewall.cluster.tests.simulators.wire import pfsync_packets as build
from hypothesis import given
from hypothesis import strategies as st


def known(version: int) -> dict:
    return build.FREEBSD if version == 5 else build.OPENBSD


FAMILIES = {5: (2, 28), 6: (2, 24)}
KINDS = [(5, number) for number in sorted(build.FREEBSD)] + [(6, number) for number in sorted(build.OPENBSD)]
# One action of each layout: the others are told apart by the tests of their names and places.
LAYOUTS = list({(version, id(known(version)[number][2])): (version, number) for version, number in reversed(KINDS)}.values())
# Which family an address has, where its name does not say so.
FAMILY_OF = {"wire": "wire_af", "stack": "stack_af", "rt": "rt_af"}
RANGES = {"B": (0, 255), "H": (0, 65535), "I": (0, 2 ** 32 - 1), "i": (-2 ** 31, 2 ** 31 - 1), "Q": (0, 2 ** 64 - 1)}


def words(version: int, size: int) -> int:
    return size // 4 if version == 6 else 0


def whole(version: int, *sections: bytes) -> bytes:
    return build.packet(version, *sections, *([build.EOF] if version == 5 else []))


def family_of(name: str, places: dict) -> str:
    own = FAMILY_OF[name.split("_", 1)[0]]
    return own if own in places else "af"


def number_of(code: str, choose: random.Random) -> int:
    least, most = RANGES[code]
    return choose.choice([least, most, choose.randint(least, most)])


def contents(version: int, places: dict, choose: random.Random) -> tuple:
    """What to write, and what must be read: numbers, texts, and addresses, of which text has more than one form."""
    written, read = {}, {}
    families = {name: choose.choice(FAMILIES[version]) for name in places if name == "af" or name.endswith("_af")}
    for name, (_place, code) in places.items():
        if name in families:
            written[name] = read[name] = families[name]
        elif name == "dst":
            family = choose.choice(FAMILIES[version])
            read[name] = address_of(family, choose)
            written[name] = bytes([16, family]) + bytes(2 if family == 2 else 6) + read[name].packed
        elif code == "16s" and "address" in name:
            read[name] = address_of(families[family_of(name, places)], choose)
            written[name] = read[name].packed
        elif code.endswith("s"):
            read[name] = "".join(choose.choice("abcdefghijklmnopqrstuvwxyz.:-0123456789") for _letter in range(choose.randint(0, int(code[:-1]) - 1)))
            written[name] = read[name].encode("ascii")
        else:
            written[name] = read[name] = number_of(code, choose)
    return written, read


def address_of(family: int, choose: random.Random) -> "ipaddress.IPv4Address | ipaddress.IPv6Address":
    return ipaddress.IPv4Address(choose.getrandbits(32)) if family == 2 else ipaddress.IPv6Address(choose.getrandbits(128))


def as_built(fields: dict, read: dict) -> dict:
    addresses = (ipaddress.IPv4Address, ipaddress.IPv6Address)
    return {name: ipaddress.ip_address(value) if isinstance(read[name], addresses) else value for name, value in fields.items()}


@pytest.mark.parametrize(("version", "number"), LAYOUTS, ids=["%d-%s" % (version, known(version)[number][0]) for version, number in LAYOUTS])
@given(st.integers(0, 2 ** 64), st.integers(0, 3))
def test_what_was_built_is_read(version: int, number: int, seed: int, count: int) -> None:
    choose = random.Random(seed)
    name, size, places = known(version)[number]
    entries = [contents(version, places, choose) for _entry in range(count if size else 0)]
    section = build.section(number, [build.message(size, places, written) for written, _read in entries], words(version, size))
    packet = decode_pfsync(whole(version, *([section] if size else [])))
    assert (packet.version, packet.error, packet.checksum) == (version, None, build.CHECKSUM.hex())
    message = packet.messages[0]
    assert (message.name, message.skipped) == (name, False)
    assert (message.count, len(message.entries)) == (len(entries) if size else 1, len(entries))
    assert [as_built(entry.fields(), read) for entry, (_written, read) in zip(message.entries, entries)] == [read for _written, read in entries]


@pytest.mark.parametrize("kind", [(version, number) for version, number in KINDS if known(version)[number][1]])
def test_every_field_has_bytes_of_its_own_and_padding_has_no_field(kind: tuple) -> None:
    """A bit changed anywhere in a message changes the one field whose place it is, or none where there is padding."""
    version, number = kind
    _name, size, places = known(version)[number]
    owners = {at + offset: name for name, (at, code) in places.items() for offset in range(struct.calcsize(code))}
    base = bytes(size)
    for at in range(size):
        changed = base[:at] + b"\x01" + base[at + 1:]
        packet = decode_pfsync(whole(version, build.section(number, [base, changed], words(version, size))))
        before, after = packet.messages[0].rows()
        layout = packet.messages[0].entries[0].layout
        assert [name for name in layout.names if before[layout.index[name]] != after[layout.index[name]]] == ([owners[at]] if at in owners else [])


def test_the_sizes_are_those_of_the_structs() -> None:
    layouts = {name: getattr(pfsync_layouts, name).size for name in ("STATE_1301", "STATE_1400", "STATE_1500", "STATE_OPENBSD", "UPD_C", "TDB", "TDB_OPENBSD")}
    assert layouts == {"STATE_1301": 242, "STATE_1400": 277, "STATE_1500": 360, "STATE_OPENBSD": 264, "UPD_C": 84, "TDB": 48, "TDB_OPENBSD": 52}


def body(version: int, number: int, **given: "int | bytes") -> bytes:
    _name, size, places = known(version)[number]
    return build.message(size, places, given)


def counts(payload: bytes) -> list:
    return [(message.name, message.count) for message in decode_pfsync(payload).messages]


def test_several_subheaders_make_one_packet_and_formats_may_be_mixed() -> None:
    payload = whole(5, build.section(1, [body(5, 1, creatorid=1)] * 2), build.section(13, [body(5, 13)]), build.section(16, [body(5, 16)] * 3),
                    build.section(4, [body(5, 4)] * 9))
    packet = decode_pfsync(payload)
    assert counts(payload) == [("INS_1301", 2), ("INS_1400", 1), ("UPD_1500", 3), ("UPD_C", 9), ("EOF", 1)]
    assert packet.formats == (1301, 1400, 1500)
    assert decode_pfsync(whole(5, build.section(5, [bytes(12)]))).formats == ()
    assert decode_pfsync(whole(6, build.section(13, [body(6, 13)], 66))).formats == ()


@pytest.mark.parametrize("number", sorted(build.FREEBSD))
def test_a_format_is_told_by_the_numbers_that_it_alone_has(number: int) -> None:
    name, size, _places = build.FREEBSD[number]
    packet = decode_pfsync(whole(5, *([build.section(number, [bytes(size)])] if size else [])))
    assert packet.formats == ((int(name[4:]),) if name[4:].isdigit() else ())


def test_the_same_numbers_mean_other_messages_in_the_other_family() -> None:
    assert counts(whole(5, build.section(13, [bytes(277)]))) == [("INS_1400", 1), ("EOF", 1)]
    assert counts(whole(6, build.section(13, [bytes(264)], 66))) == [("INS", 1)]


@pytest.mark.parametrize("number", [8, 9, 17, 18, 255])
def test_an_action_that_freebsd_does_not_know_ends_the_packet(number: int) -> None:
    packet = decode_pfsync(whole(5, build.section(7, [bytes(12)]), build.section(number, [bytes(12)]), build.section(10, [bytes(12)])))
    assert [message.name for message in packet.messages] == ["DEL_C"]
    assert packet.error == BAD_ACTION
    assert packet.detail == "action %d at byte 36, and 32 bytes behind it are not read" % number


@pytest.mark.parametrize("number", [8, 16, 200])
def test_openbsd_passes_over_messages_that_it_does_not_know_by_their_length(number: int) -> None:
    packet = decode_pfsync(whole(6, build.section(number, [bytes(20)] * 2, 5), build.section(7, [bytes(12)], 3)))
    assert packet.error is None
    assert [(message.count, message.skipped, message.entries == []) for message in packet.messages] == [(2, True, True), (1, False, False)]


@pytest.mark.parametrize(("count", "length"), [(0, 5), (1, 0), (0, 0)])
def test_openbsd_ends_the_packet_where_nothing_tells_how_much_to_pass_over(count: int, length: int) -> None:
    packet = decode_pfsync(whole(6, build.section(7, [bytes(12)], 3), struct.pack(">BBH", 16, length, count) + bytes(40)))
    assert ([message.name for message in packet.messages], packet.error) == (["DEL_C"], BAD_ACTION)


def test_openbsd_has_no_reader_for_numbers_it_gave_up_and_goes_on_behind_them() -> None:
    given_up = [struct.pack(">BBH", 12, 0, 1), struct.pack(">BBH", 1, 0, 0), build.section(3, [bytes(240)], 60)]
    packet = decode_pfsync(whole(6, *given_up, build.section(7, [bytes(12)], 3)))
    assert packet.error is None
    assert [(message.name, message.skipped) for message in packet.messages] == [("EOF", True), ("OINS", True), ("OUPD", True), ("DEL_C", False)]


def test_openbsd_reads_the_known_part_of_longer_messages_and_passes_over_shorter_ones() -> None:
    longer = [body(6, 13, creatorid=7) + b"\xff" * 8, body(6, 13, creatorid=8) + b"\xff" * 8]
    packet = decode_pfsync(whole(6, build.section(13, longer, 68), build.section(14, [bytes(260)], 65), build.section(7, [bytes(12)], 3)))
    assert packet.error is None
    assert [entry["creatorid"] for entry in packet.messages[0].entries] == [7, 8]
    assert [(message.name, message.skipped) for message in packet.messages] == [("INS", False), ("UPD", True), ("DEL_C", False)]


FULL5 = whole(5, build.section(7, [bytes(12)] * 2))
FULL6 = whole(6, build.section(7, [bytes(12)] * 2, 3))


@pytest.mark.parametrize(("payload", "version", "error"), [
    (b"", 0, SHORT),
    (FULL5[:1], 5, SHORT),
    (FULL5[:19], 5, SHORT),
    (b"\x02" + FULL5[1:], 2, BAD_VERSION),
    (b"\x07" + FULL6[1:], 7, BAD_VERSION),
    (FULL5[:-1], 5, BAD_LENGTH),
    (FULL6[:-1], 6, BAD_LENGTH),
])
def test_what_is_no_packet_is_refused_by_the_kernels_name_for_it(payload: bytes, version: int, error: str) -> None:
    packet = decode_pfsync(payload)
    assert (packet.version, packet.error) == (version, error)
    assert packet.detail


def test_a_count_beyond_the_packet_is_a_bad_length() -> None:
    for version, length in ((5, 0), (6, 3)):
        packet = decode_pfsync(build.packet(version, struct.pack(">BBH", 7, length, 65535) + bytes(12)))
        assert (packet.error, packet.messages) == (BAD_LENGTH, [])
        assert packet.detail == "65535 of DEL_C need 786420 bytes, there are 12"


def test_the_end_of_frame_must_be_the_end() -> None:
    packet = decode_pfsync(build.packet(5, build.section(7, [bytes(12)]), build.EOF, build.section(7, [bytes(12)])))
    assert ([message.name for message in packet.messages], packet.error) == (["DEL_C", "EOF"], BAD_LENGTH)
    assert counts(build.packet(5, build.section(7, [bytes(12)]))) == [("DEL_C", 1)]


def test_freebsd_reads_a_body_up_to_the_end_of_the_packet_and_openbsd_up_to_the_headers_length() -> None:
    """The header's length says where the last subheader may begin."""
    for version, error, names in ((5, None, ["DEL_C"]), (6, BAD_LENGTH, [])):
        payload = bytearray(build.packet(version, build.section(7, [bytes(12)] * 2, words(version, 12))))
        payload[2:4] = struct.pack(">H", 24)
        packet = decode_pfsync(bytes(payload))
        assert (packet.error, [message.name for message in packet.messages]) == (error, names)


@pytest.mark.parametrize("length", [0, 19, 20, 23])
@pytest.mark.parametrize("version", [5, 6])
def test_a_length_without_room_for_a_message_says_nothing_and_is_no_error(version: int, length: int) -> None:
    payload = struct.pack(">BBH", version, 0, length) + bytes(40)
    assert (decode_pfsync(payload).messages, decode_pfsync(payload).error) == ([], None)


def test_an_address_of_a_family_that_is_not_known_is_shown_as_it_is() -> None:
    raw = ipaddress.ip_address("192.0.2.7").packed + bytes(12)
    entry = decode_pfsync(whole(5, build.section(15, [body(5, 15, wire_address_0=raw, wire_af=24, ifname=b"em\xff0")]))).messages[0].entries[0]
    assert entry["wire_address_0"] == raw.hex()
    assert entry["rt_address"] == ""
    assert entry["ifname"] == "em\\xff0"
