# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that pfSense is configured by, and what its sections are like without their secrets."""

from __future__ import annotations

import re
from typing import Dict

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import config_xml
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import Sources
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

CONFIG = "/cf/conf/config.xml"
# The product makes all of its other files from it.
SOURCES = Sources(patterns=(CONFIG,), needed=(CONFIG,), includes=re.compile("(?!)()"), redact=lambda path, text: text)


def digests(node: Node) -> Dict[str, str]:
    """SHA-256 of each section of the configuration without its secrets, by ``config.xml SECTION``.

    Raises:
        NodeError: it cannot be read, or is no XML.
    """
    return config_xml.digests(config_xml.tree(node, CONFIG))
