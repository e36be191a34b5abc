# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The format of pfsync's messages kept across reboots.

The product has no setting for it. What it does have is a list of commands that it runs when a boot has set up interfaces and pfsync, and one of them is ours:
known by the remark at its end. Where the package Shellcmd is, that list is written from the package's own rows, so the command has a row there too.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, cast

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import ITSELF, Operation, insert, put, take

COMMANDS = ("system", "shellcmd")
# What else the product runs at boot or later: a format that is set there is set against ours.
_ELSEWHERE = (("system", "earlyshellcmd"), ("system", "afterbootupshellcmd"), ("system", "afterfilterchangeshellcmd"))
_PACKAGES, _SETTINGS = ("installedpackages", "package", "*", "name"), ("installedpackages", "shellcmdsettings")
_ROWS = (*_SETTINGS, "config")
PATHS: Sequence[bridge.Path] = (COMMANDS, *_ELSEWHERE, _PACKAGES, _SETTINGS)

_OURS = re.compile(r"/sbin/ifconfig pfsync0 version (\d+) # hafirewall\.cluster")
_ANYBODYS = re.compile(r"\bpfsync0\b.*\bversion\b", re.DOTALL)

Element = Mapping[str, Any]


def command(version: int) -> str:
    """What sets the format at boot."""
    return "/sbin/ifconfig pfsync0 version %d # hafirewall.cluster" % version


def pinned(reading: bridge.Reading) -> Optional[int]:
    """The format that this collection has set at boot; None for none, and where the commands were not read."""
    found = [_OURS.fullmatch(text) for text in _texts(reading.values.get(COMMANDS))]
    return next((int(one[1]) for one in reversed(found) if one), None)


def changes(reading: bridge.Reading, version: Optional[int]) -> List[Operation]:
    """What makes the node set this format at boot, and no other; None takes our command away and leaves everybody else's.

    Raises:
        NodeError: a command of somebody else sets the format too.
    """
    settings = reading.values[_SETTINGS]
    packaged = settings is not None or "Shellcmd" in (reading.values[_PACKAGES] or {}).values()
    commands: List[Element] = [{ITSELF: text} for text in _texts(reading.values[COMMANDS])]
    rows = [row for row in _several(settings.get("config") if isinstance(settings, dict) else None) if isinstance(row, dict)]
    if version is None:
        return _replaced(COMMANDS, commands, None) + _replaced(_ROWS, rows, None)
    texts = [text for path in (COMMANDS, *_ELSEWHERE) for text in _texts(reading.values[path])]
    for text in texts:
        if _ANYBODYS.search(text) and not _OURS.fullmatch(text):
            raise NodeError("version: the node runs a command at boot that sets the format too, and that this collection did not make: %s; remove it there, "
                            "or leave the option out" % text)
    row = {"cmd": command(version), "cmdtype": "shellcmd", "description": "hafirewall.cluster: the format of pfsync's messages"}
    return _replaced(COMMANDS, commands, {ITSELF: command(version)}) + _replaced(_ROWS, rows, row if packaged else None)


def _replaced(path: bridge.Path, elements: Sequence[Element], wanted: Optional[Element]) -> List[Operation]:
    """Our elements of a list out and the wanted one to its end, unless it is the only one already."""
    ours = [element for element in elements if _is_ours(element)]
    if [_command(element) for element in ours] == ([] if wanted is None else [_command(wanted)]):
        return []
    known = [_known_by(element) for element in ours]
    if len(known) > len({tuple(sorted(one.items())) for one in known}):
        # Some that are alike, which cannot be named one by one: the list as a whole.
        left = [_value(element) for element in elements if not _is_ours(element)] + ([] if wanted is None else [_value(wanted)])
        return [put(path, left, [_value(element) for element in elements])]
    operations = [take((*path, _known_by(element)), _value(element), _follower(elements, element)) for element in ours]
    return operations + ([] if wanted is None else [insert(path, _value(wanted), _known_by(wanted))])


def _is_ours(element: Element) -> bool:
    # A row that somebody has disabled is theirs: the package leaves it out.
    return _OURS.fullmatch(_command(element)) is not None and element.get("cmdtype", "shellcmd") == "shellcmd"


def _command(element: Element) -> str:
    found = element.get(ITSELF, element.get("cmd"))
    return found if isinstance(found, str) else ""


def _value(element: Element) -> Any:
    return element.get(ITSELF, element)


def _known_by(element: Element) -> Dict[str, str]:
    return {key: element[key] for key in (ITSELF, "cmd", "cmdtype") if isinstance(element.get(key), str)}


def _follower(elements: Sequence[Element], element: Element) -> Optional[Dict[str, str]]:
    """By what the element behind this one is known; None for the end, and where it cannot be told from others."""
    behind = [_known_by(other) for other in elements[list(elements).index(element) + 1:]]
    return behind[0] if behind and [_known_by(other) for other in elements].count(behind[0]) == 1 else None


def _texts(value: Any) -> List[str]:
    return [text for text in _several(value) if isinstance(text, str) and text]


def _several(value: Any) -> List[Any]:
    return cast(List[Any], value) if isinstance(value, list) else [] if value is None else [value]
