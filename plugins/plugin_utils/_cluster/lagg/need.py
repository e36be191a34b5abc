# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which logical interfaces differ in device between nodes, does it matter, and which are to get a LAGG?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.binding import Binding, binding
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.layout import Seat, Seats
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model


@dataclass(frozen=True)
class Need:
    """What is needed, and why.

    Attributes:
        differing: interfaces whose device is not the same on all nodes that have them, or would not be without LAGGs.
        wanted: interfaces that are to be on a LAGG, in the intent's order.
        missed: interfaces that would need a LAGG and shall not get one (``never``), while their names differ now.
        matters: why differing names matter, or do not; a sentence.
        why: why each wanted interface is wanted, ``always`` or ``auto``.
    """

    differing: tuple[str, ...]
    wanted: tuple[str, ...]
    missed: tuple[str, ...]
    matters: str
    why: dict[str, str]


def need(model: Model, seats: Seats) -> Need:
    """Judge the names of all logical interfaces."""
    matters, sentence = _matters(model)
    differing = tuple(name for name, own in seats.items() if _differs(own))
    why: dict[str, str] = {}
    missed = []
    for name, own in seats.items():
        settings = model.cluster.laggs.get(name)
        required = (settings.required if settings is not None else None) or model.cluster.lagg_required or "auto"
        if required == "always" or (required == "auto" and matters and name in differing):
            why[name] = required
        elif required == "never" and matters and len({seat.carrier for seat in own}) > 1:
            missed.append(name)
    return Need(differing, tuple(why), tuple(missed), sentence, why)


def devices(own: Sequence[Seat]) -> str:
    """em0 on fw1, igb0 on fw2."""
    return ", ".join(f"{seat.carrier} on {seat.node.host}" for seat in own)


def _differs(own: Sequence[Seat]) -> bool:
    """Whether the names are not the same, or only by LAGGs that must therefore stay."""
    return len({name for seat in own for name in (seat.carrier, seat.device)}) > 1


def _matters(model: Model) -> tuple[bool, str]:
    """Whether names matter anywhere in the cluster: what one node binds, another must be able to name."""
    if model.cluster.state_sync is False:
        return False, "states are not shared (state_sync: false), so names do not matter"
    told: dict[Binding, list[str]] = {}
    for node in model.nodes:
        told.setdefault(binding(model.platform(node), node.evidence, model.cluster.state_policy), []).append(node.host)
    matters = any(answer.matters for answer in told)
    # What does not matter need not be said of a cluster in which it matters elsewhere.
    return matters, "; ".join(_sentence(answer, hosts) for answer, hosts in told.items() if answer.matters or not matters)


def _sentence(answer: Binding, hosts: list[str]) -> str:
    verdict = {True: "states are bound to interface names", False: "states are not bound to interface names",
               None: "it is not known whether states are bound to interface names, which is treated as bound"}[answer.bound]
    return f"{verdict} on {', '.join(hosts)} ({answer.what}: {answer.why}; {answer.standing})"
