# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of files that name a device, from what grep found. Pure; which files there are differs between platforms."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Sequence

# What grep prints: the file, a null character, the number of the line, and the line.
_LINE = re.compile(r"(?P<path>[^\0]+)\0(?P<number>[0-9]+):(?P<text>.*)")
_LONGEST = 200
SETTING = "setting"


def rows(found: str, places: Mapping[str, str], devices: Sequence[str], ours: Callable[[str, int], bool]) -> List[Dict[str, Any]]:
    """The evidence ``references``: ``{"device", "kind", "where" (file:line), "text"}`` each, without what is in comments.

    Args:
        found: what ``grep -rnHIswF`` printed, with a null character behind the names of files.
        places: files and folders, and the kind of what is written there.
        devices: the names that were looked for.
        ours: whether this collection wrote that line of that file.
    """
    told: List[Dict[str, Any]] = []
    for line in found.splitlines():
        match = _LINE.fullmatch(line)
        if match and not ours(match["path"], int(match["number"])):
            told += _named(devices, places, match["path"], match["number"], match["text"].strip())
    return told


def _named(devices: Sequence[str], places: Mapping[str, str], path: str, number: str, text: str) -> List[Dict[str, Any]]:
    kind = next(kind for place, kind in places.items() if path == place or path.startswith(place + "/"))
    # In the name of a kernel setting a dot parts the words; elsewhere it is part of a device's name.
    around = r"[\w-]" if kind == SETTING else r"[\w.-]"
    statement = text.split("#")[0] if kind != SETTING else "" if text[:1] in "#;" else text
    return [{"device": device, "kind": kind, "where": "%s:%s" % (path, number), "text": text[:_LONGEST]} for device in devices
            if re.search("(?<!%s)%s(?!%s)" % (around, re.escape(device), around), statement)]
