# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection drives: the engine of each platform, and the releases that brought a setting."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import Since, older

# With conntrackd come VRRP and nftables, with pfsync come CARP and pf.
ENGINES = {"linux": "conntrackd", "pfsense": "pfsync"}

# Of pfSense: the first release of CE and of Plus. Host id: commit 062972b368, issue 12702. State policy: commit 7fedaae577, issue 15173.
# Format: the first releases on FreeBSD 14, some of whose kernels have the choice; those before have none.
SINCE: dict[str, Since] = {"host_id": ((2, 7), (22, 5)), "state_policy": ((2, 8), (24, 3)), "format": ((2, 7), (23, 1))}


# Of pfsync's messages: what a kernel without a choice sends, and all understand.
OLDEST_FORMAT = 1301


def lacks(setting: str, version: str | None) -> bool | None:
    """Whether a release of pfSense is too old for a setting; None when the release is not known."""
    return older(version, SINCE[setting])
