# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that FreeBSD's releases make, beside those of pfsync and CARP. A release that is not known is asked on the node, before it is changed."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node, Sync
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import lacks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import OLDEST_FORMAT
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import formats_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_pf import SYNC, VRRP, judge_choices, judge_pf


def judge_freebsd(model: Model) -> None:
    """Put what cannot be on FreeBSD into the model's findings."""
    judge_pf(model)
    judge_choices(model)
    for node in model.nodes:
        if model.cluster.sync is not None:
            _sync(node, model.cluster.sync)
        if model.cluster.vrrp.transport == "unicast" and lacks("freebsd", "carp_unicast", node.evidence.version):
            node.scope.refuse(f"{VRRP}.transport", f"is unicast, and CARP of FreeBSD {node.evidence.version} has multicast only",
                              "choose multicast, or upgrade to FreeBSD 14")


def _sync(node: Node, sync: Sync) -> None:
    version = node.evidence.version
    if sync.network is not None and sync.network.version == 6 and lacks("freebsd", "sync_ipv6", version):
        node.scope.refuse(f"{SYNC}.network", f"{sync.network} is IPv6, and pfsync of FreeBSD {version} is IPv4 only",
                          "choose an IPv4 network, or upgrade to FreeBSD 14")
    formats = formats_of("freebsd", version)
    if sync.format in (None, OLDEST_FORMAT) or formats is None or sync.format in formats:
        return
    if len(formats) == 1:
        node.scope.refuse(f"{SYNC}.format", f"is {sync.format}, and FreeBSD {version} understands {OLDEST_FORMAT} alone",
                          f"choose {OLDEST_FORMAT}, or upgrade to FreeBSD 14")
    else:
        node.scope.refuse(f"{SYNC}.format", f"is {sync.format}, which FreeBSD {version} does not have", "choose 1400 or 1301, or upgrade to FreeBSD 15")
