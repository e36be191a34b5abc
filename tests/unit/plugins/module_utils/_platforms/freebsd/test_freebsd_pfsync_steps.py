# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words that are said to pfsync0: only what differs, in an order that leaves nothing half done, and the way back."""

from __future__ import annotations

from typing import List, Optional, Tuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import MULTICAST, Pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.pfsync_steps import Target, asks, back, drift, fresh, steps
from hypothesis import given
from hypothesis import strategies as st

RUNS = Pfsync(True, "em1", None, 1400, True, False, 128, 1500)
UNICAST = RUNS._replace(peer="198.51.100.131")


@pytest.mark.parametrize(("now", "wanted", "said"), [
    (RUNS, Target("em1"), []),
    (RUNS, Target("em1", None, 1400, False, 128, 1500), []),
    (fresh(1400), Target("em1"), ["up", "syncdev em1"]),
    (fresh(1400), Target("em1", "198.51.100.131", 1301, True, 64, 1400),
     ["up", "version 1301", "maxupd 64", "defer", "syncpeer 198.51.100.131", "syncdev em1", "mtu 1400"]),
    (RUNS, Target("em1", "198.51.100.131"), ["syncpeer 198.51.100.131"]),
    (UNICAST, Target("em1"), ["-syncpeer"]),
    (UNICAST, Target("em2"), ["-syncpeer", "-syncdev", "syncdev em2"]),
    (UNICAST, Target(None), ["-syncpeer", "-syncdev"]),
    (RUNS, Target(None), ["-syncdev"]),
    (RUNS._replace(device=None), Target(None), []),
    # The kernel keeps a peer that it was told without a device, and -syncpeer does not clear it then.
    (UNICAST._replace(device=None), Target("em1"), ["syncpeer 224.0.0.240", "syncdev em1"]),
    (RUNS._replace(defer=True), Target("em1", defer=False), ["-defer"]),
    (RUNS._replace(up=False), Target("em1"), ["up"]),
])
def test_only_what_differs_is_said_in_order(now: Pfsync, wanted: Target, said: List[str]) -> None:
    assert [" ".join(step) for step in steps(now, wanted)] == said
    assert bool(drift(now, wanted)) is bool(said)


def test_only_words_with_a_device_make_the_kernel_ask() -> None:
    assert not asks(fresh(1400), [("up",), ("version", "1301"), ("syncpeer", "198.51.100.131")])
    assert asks(fresh(1400), [("syncdev", "em1")])
    assert asks(RUNS, [("version", "1301")])
    assert not asks(RUNS, [("-syncdev",), ("version", "1301")])
    assert not asks(RUNS, [("up",), ("mtu", "1400")])


def kernel(now: Pfsync, said: List[Tuple[str, ...]]) -> Pfsync:
    """What FreeBSD 14.2 makes of it (fixtures a3, a4)."""
    for step in said:
        word, value = step[0], step[1] if len(step) > 1 else ""
        if word == "up":
            now = now._replace(up=True)
        elif word == "syncdev":
            now = now._replace(device=value)
        elif word == "-syncdev":
            now = now._replace(device=None)
        elif word == "syncpeer":
            now = now._replace(peer=None if value == MULTICAST else value)
        elif word == "-syncpeer":
            now = now._replace(peer=None) if now.device is not None else now
        elif word in ("defer", "-defer"):
            now = now._replace(defer=word == "defer")
        else:
            assert word != "mtu" or now.device is not None
            now = now._replace(**{word: int(value)})  # type: ignore[arg-type]
    return now


def states() -> st.SearchStrategy[Pfsync]:
    peer = st.sampled_from([None, "198.51.100.131", "2001:db8::2"])
    device: st.SearchStrategy[Optional[str]] = st.sampled_from([None, "em1", "em2"])
    return st.builds(Pfsync, st.booleans(), device, peer, st.sampled_from([1301, 1400]), st.just(True), st.booleans(), st.sampled_from([64, 128]),
                     st.sampled_from([1400, 1500]))


@given(states(), states())
def test_any_state_is_reached_and_the_old_one_comes_back_from_anywhere_on_the_way(now: Pfsync, other: Pfsync) -> None:
    wanted = Target(other.device, other.peer, other.version, other.defer, other.maxupd, other.mtu)
    said = steps(now, wanted)
    reached = kernel(now, said)
    assert steps(reached, wanted) == []
    assert reached.device == other.device
    for length in range(len(said) + 1):
        there = kernel(now, said[:length])
        again = kernel(there, back(there, now))
        # It stays up; and what cannot be set without a device has no meaning without one.
        alike = now._replace(up=again.up, mtu=again.mtu if now.device is None else now.mtu)
        assert again == alike
