# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else in the configuration names a device, beside what moves with it: interfaces, VLANs and LAGGs. Bridges, tunnels and rules name the product's
interfaces, and follow them by themselves; what is found here does not.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

# Section -> what is there. The name of a package's own section is told with it.
SECTIONS = {"qinqs": "qinq", "ppps": "ppp", "bridges": "bridge", "gifs": "gif", "gres": "gre", "wireless": "wireless", "hasync": "state sync",
            "installedpackages": "package", "system": "setting", "sysctl": "setting"}


def rows(named: Sequence[Tuple[Sequence[str], Sequence[str]]]) -> List[Dict[str, Any]]:
    """The evidence ``references``: ``{"device", "kind", "where" (a path in config.xml), "text"}`` each.

    Args:
        named: path and devices, as the bridge found them in the :data:`SECTIONS`.
    """
    return [{"device": device, "kind": SECTIONS[path[0]], "where": "config.xml: " + "/".join(path), "text": "%s names %s" % (path[-1], device)}
            for path, devices in named for device in devices]
