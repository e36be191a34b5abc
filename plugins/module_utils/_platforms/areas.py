# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence, area by area: one that cannot be read is None, says why in ``errors``, and takes no other along."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

# Version of the structure of the evidence, on all platforms.
SCHEMA = 1

Error = Dict[str, str]


class Areas:
    """Reads one area after the other, so that a failure stays within its own."""

    def __init__(self) -> None:
        self.errors: List[Error] = []

    def read(self, area: str, reader: Callable[[], Any]) -> Any:
        """What the reader returns, or None when it fails, whatever the failure is."""
        try:
            return reader()
        except Exception as error:  # whatever goes wrong in one area must not take the others along
            self.errors.append({"area": area, "reason": str(error) if isinstance(error, NodeError) else "%s: %s" % (type(error).__name__, error)})
            return None

    def observe(self, area: str, reader: Callable[[], Tuple[Dict[str, Any], List[Error]]]) -> Optional[Dict[str, Any]]:
        """For readers that isolate parts of their area themselves and return what failed beside what they found."""
        answer = self.read(area, reader)
        if answer is None:
            return None
        found, errors = answer
        self.errors.extend(errors)
        return found


def result(evidence: Dict[str, Any]) -> Dict[str, Any]:
    """The result of node_info: the evidence, also as the fact that the checks look for."""
    return {"evidence": evidence, "ansible_facts": {"hafirewall_evidence": evidence}}
