# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tcpdump, as far as it is asked to write packets: those that the kernel's ``overheard`` has of the device, as hexadecimal digits of frames. Then it
listens on until it is told to end, as the real one does; nobody else waits for it meanwhile.
"""

from __future__ import annotations

import json
import signal
import struct
import sys
import time

from .base import FOLDER, TYPE_CHECKING

if TYPE_CHECKING:
    from typing import List

_WORDS = ["-p", "-n", "-U", "-s", "16384", "-i", "DEVICE", "-c", "COUNT", "-w", "-", "ip", "proto", "240", "or", "ip6", "proto", "240"]
_ARGUMENTS = ("DEVICE", "COUNT")


def tcpdump(words: List[str]) -> int:
    """Write, and wait for SIGTERM."""
    if len(words) != len(_WORDS) or any(wanted not in (word, *_ARGUMENTS) for word, wanted in zip(words, _WORDS)):
        print("stand-in: tcpdump %s is not modelled" % " ".join(words), file=sys.stderr)
        return 70
    device, count = words[6], int(words[8])
    with open(FOLDER + "kernel.json", encoding="utf-8") as handle:
        kernel = json.load(handle)
    if device not in kernel["interfaces"]:
        print("tcpdump: %s: No such device exists" % device, file=sys.stderr)
        return 1
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    print("tcpdump: listening on %s, link-type EN10MB (Ethernet), snapshot length 16384 bytes" % device, file=sys.stderr)
    frames = [bytes.fromhex(text) for text in kernel["overheard"].get(device, [])][:count]
    sys.stdout.buffer.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 16384, 1))
    for frame in frames:
        sys.stdout.buffer.write(struct.pack("<IIII", int(time.time()), 0, len(frame), len(frame)) + frame)
    sys.stdout.buffer.flush()
    if len(frames) < count:
        signal.sigwait([signal.SIGTERM])
    print("\n%d packets captured\n%d packets received by filter\n0 packets dropped by kernel" % (len(frames), len(frames)), file=sys.stderr)
    return 0
