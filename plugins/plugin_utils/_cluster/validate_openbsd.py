# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that OpenBSD makes, beside those of pfsync and CARP."""

from __future__ import annotations

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
