# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a node's clock goes: what each time service says, and what it means that none answers."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import clocks
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, Node

# Written from chronyc(1), ntpq(8), ntpctl.c and timedatectl(1); none was seen on a node.
CHRONY = "C6336482,198.51.100.130,3,1795996000.120,-0.000012345,0.000010,0.000030,-12.345,0.001,0.050,0.010,0.001,64.2,%s\n"
NTPQ = """\
     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
+198.51.100.129  192.0.2.10       2 u   33   64  377    0.210   -1.250   0.040
%s198.51.100.130  192.0.2.11       2 u   12   64  377    0.310    2.500   0.020
"""


@pytest.mark.parametrize(("parse", "text", "expected"), [
    (clocks.chrony, CHRONY % "Normal", (True, -0.000012345)), (clocks.chrony, CHRONY % "Not synchronised", (False, -0.000012345)),
    (clocks.chrony, "506 Cannot talk to daemon\n", (None, None)),
    (clocks.ntpq, NTPQ % "*", (True, 0.0025)), (clocks.ntpq, NTPQ % "o", (True, 0.0025)), (clocks.ntpq, NTPQ % " ", (False, None)),
    (clocks.ntpq, "", (None, None)), (clocks.ntpq, NTPQ.replace("2.500", "odd") % "*", (True, None)),
    (clocks.openntpd, "4/4 peers valid, clock synced, stratum 3\n", (True, None)),
    (clocks.openntpd, "0/4 peers valid, clock unsynced, clock offset is -5250.000ms\n", (False, -5.25)),
    (clocks.openntpd, "0/4 peers valid, clock unsynced\n", (False, None)), (clocks.openntpd, "", (None, None)),
    (clocks.systemd, "NTPSynchronized=yes\n", (True, None)), (clocks.systemd, "NTPSynchronized=no\n", (False, None)), (clocks.systemd, "", (None, None)),
])
def test_each_service_is_understood_and_what_is_not_told_is_unknown(parse, text: str, expected: Tuple[Optional[bool], Optional[float]]) -> None:
    assert parse(text) == expected


class Clocks(Node):
    """A node with some time services, each with its answer."""

    def __init__(self, **answers: Completed) -> None:
        super().__init__()
        self.answers = answers
        self.asked: List[str] = []

    def has(self, program: str) -> bool:
        return program in self.answers

    def query(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 30.0) -> Completed:
        self.asked.append(argv[0])
        return self.answers[argv[0]]


def test_the_first_service_that_answers_is_told() -> None:
    node = Clocks(chronyc=Completed(1, "506 Cannot talk to daemon\n", ""), ntpq=Completed(0, NTPQ % "*", ""), timedatectl=Completed(0, "", ""))
    found = clocks.read(node, ("chrony", "ntpd", "openntpd", "systemd"))
    assert (found["synchronised"], found["offset"], found["source"]) == (True, 0.0025, "ntpd")
    assert node.asked == ["chronyc", "ntpq"]


def test_nothing_keeps_the_clock_where_services_are_installed_and_none_answers() -> None:
    found = clocks.read(Clocks(ntpq=Completed(0, "ntpq: read: Connection refused\n", "")), ("chrony", "ntpd"))
    assert (found["synchronised"], found["source"]) == (False, None)


def test_without_any_service_it_is_not_known_for_the_machine_may_be_kept_from_outside() -> None:
    found = clocks.read(Clocks(), ("chrony", "ntpd"))
    assert (found["synchronised"], found["offset"], found["source"]) == (None, None, None)
