# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages a node lacks for what, from its evidence."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import facts
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES

# What each role of this collection installs, by the logical names of packages in evidence.
PACKAGES_OF_ROLES = {"sync_engine": ("conntrackd", "conntrack"), "sync_rule": ("nftables",), "virtual_ip": ("keepalived",)}


def missing_packages(evidence: Evidence) -> dict[str, list[str]]:
    """Role -> packages that it must install, named as the node's package manager does; nothing is missing where nothing is known, or where the engine is
    part of the system."""
    names = facts.FAMILIES[facts._FAMILY_OF_ID.get(evidence.os_id or "", "debian")].packages
    absent = frozenset() if ENGINES.get(evidence.platform or "") == "pfsync" else evidence.absent_packages
    return {role: sorted({names[logical] for logical in logicals if logical in absent}) for role, logicals in PACKAGES_OF_ROLES.items()}
