# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node was like before, compared with what it is like after. Pure: evidence of both moments in, one result per area and node out.

A snapshot is a node's evidence as node_info returned it, so whatever was saved for a report or an upgrade check can be compared too.
:func:`choose` reads the settings, :func:`compare` does the work.
"""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.areas import AREAS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.comparing import as_checks, compare
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.markdown import as_markdown
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.settings import Choice, choose

__all__ = ["AREAS", "Choice", "as_checks", "as_markdown", "choose", "compare"]
