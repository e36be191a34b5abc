# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP's numbers. Its advskew counts the other way than a priority: the lowest wins."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import PRIMARY_PRIORITY

# carp(4): one byte, and 255 is not for use. In its maintenance mode pfSense sets the highest.
MOST_SKEW = 254
# rc.filter_synchronize of pfSense, backup_vip_config_section(): what the primary's configuration sync adds for the node that receives it.
SYNC_SKEW = 100


def advskew(priority: int) -> int:
    """The skew of a node: 0 for a primary by default, and 100 for the first secondary, as pfSense's configuration sync makes it."""
    return (PRIMARY_PRIORITY - priority) * 2


def received_skew(primary: int) -> int:
    """What the primary's skew becomes on the node that its configuration sync goes to."""
    return min(primary + SYNC_SKEW, MOST_SKEW)
