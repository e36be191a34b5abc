# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that OpenBSD makes, beside those of pfsync and CARP, and what is not done there."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Problem
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_pf import SYNC, VRRP, judge_choices, judge_pf


def judge_openbsd(model: Model) -> None:
    """Put what cannot be on OpenBSD into the model's findings."""
    judge_pf(model)
    judge_choices(model)
    sync = model.cluster.sync
    if sync is not None and sync.format is not None:
        model.scope.refuse(f"{SYNC}.format", f"is {sync.format}, and OpenBSD has no format to pin: its messages have one", "remove it")
    # struct pfsyncreq and struct carpreq hold the peer as an in_addr.
    if sync is not None and sync.network is not None and sync.network.version == 6:
        model.scope.refuse(f"{SYNC}.network", f"{sync.network} is IPv6, and pfsync of OpenBSD is IPv4 only", "choose an IPv4 network")
    vip = next((vip for vip in model.cluster.virtual_ips if vip.version == 6), None)
    if model.cluster.vrrp.transport == "unicast" and vip is not None:
        model.scope.refuse(f"{VRRP}.transport", f"is unicast, which CARP of OpenBSD has for IPv4 only, and {vip.path} is IPv6", "choose multicast")


def refused_laggs(laggs: LaggPlan) -> tuple[Problem, ...]:
    """What is to be done for LAGGs, which is a person's work on OpenBSD; the plan of them alone (lagg_plan) still tells what."""
    remedy = ("make it by hand on each node, as aggr(4) or trunk(4) in /etc/hostname.NAME, and name it in the intent; or let states float (state_policy), "
              "which need no equal names, with required: never or without it")
    return tuple(Problem(f"{lagg.path}.required", None, f"wants a LAGG {lagg.name}, and this collection makes none on OpenBSD yet", remedy)
                 for lagg in laggs.open)
