# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capture files of each byte order and resolution are read; what is no capture file is refused, with what to do about it."""

from __future__ import annotations

import io
import struct

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from hypothesis import given
from hypothesis import strategies as st

FRAMES = ((1764460800, 250000, b"first", 5), (1764460801, 0, b"cut", 60))


def capture(order: str = "<", magic: int = 0xA1B2C3D4, linktype: int = 1, frames: tuple = FRAMES) -> bytes:
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, linktype)]
    for seconds, fraction, data, length in frames:
        parts.append(struct.pack(order + "IIII", seconds, fraction, len(data), length) + data)
    return b"".join(parts)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "second"), [(0xA1B2C3D4, 10 ** 6), (0xA1B23C4D, 10 ** 9)])
def test_frames_are_read_in_either_byte_order_and_resolution(order: str, magic: int, second: int) -> None:
    frames = list(read_pcap(io.BytesIO(capture(order, magic, 1, ((1764460800, second // 4, b"first", 5), FRAMES[1])))))
    assert [(frame.linktype, frame.data, frame.length) for frame in frames] == [(1, b"first", 5), (1, b"cut", 60)]
    assert [frame.time for frame in frames] == pytest.approx([1764460800.25, 1764460801.0], rel=0, abs=1e-5)


def test_what_stands_above_the_link_type_is_not_part_of_it() -> None:
    assert next(read_pcap(io.BytesIO(capture(linktype=0xF4000000 | 276)))).linktype == 276


@pytest.mark.parametrize(("content", "said"), [
    (b"", "it is empty"),
    (b"\x7fELF", "begins with 7f454c46"),
    (b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00", r"pcapng form.*editcap -F pcap FILE NEW"),
    (b"\x1f\x8b\x08\x00", "gunzip"),
    (capture()[:20], "ends within its header"),
    (struct.pack("<IHHiIII", 0xA1B2C3D4, 3, 0, 0, 0, 65535, 1), "version 3 of the pcap format"),
    (capture(linktype=105), r"kind of link \(type 105\).*tcpdump -w FILE -s 0 -i DEVICE"),
])
def test_no_capture_file_is_refused_at_once_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_pcap(io.BytesIO(content))


@pytest.mark.parametrize(("content", "before", "said"), [
    (capture()[:-1], 1, "ends within frame 2"),
    (capture()[:-10], 1, "ends within the header of frame 2"),
    (capture(frames=FRAMES[:1]) + struct.pack("<IIII", 0, 0, 262145, 262145), 1, "damaged: frame 2 would have 262145 bytes"),
])
def test_a_damaged_file_gives_the_frames_before_the_damage(content: bytes, before: int, said: str) -> None:
    frames = read_pcap(io.BytesIO(content))
    assert [next(frames).data for _frame in range(before)] == [b"first"]
    with pytest.raises(ValueError, match=said):
        next(frames)


@given(st.binary(max_size=200), st.sampled_from(["", "<", ">"]))
def test_any_bytes_are_frames_or_an_error_that_says_so(content: bytes, order: str) -> None:
    head = capture(order, frames=()) if order else b""
    try:
        frames = list(read_pcap(io.BytesIO(head + content)))
    except ValueError as error:
        assert "capture" in str(error) or "compressed" in str(error)
    else:
        assert sum(16 + len(frame.data) for frame in frames) == len(content)
