# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the programs of the simulated kernel share."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # without the import, which would be most of a program's time
if TYPE_CHECKING:
    from typing import Any, Dict

    Kernel = Dict[str, Any]

ROOT = os.environ.get("PFSENSE_STANDIN_ROOT", "")
FOLDER = ROOT + "/var/standin/"


class Refused(Exception):
    """A command's failure: text and exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def not_modelled(line: str) -> Refused:
    """What was not seen on FreeBSD, nor read in its source, has no answer here."""
    return Refused("stand-in: %s was not modelled" % line, 70)
