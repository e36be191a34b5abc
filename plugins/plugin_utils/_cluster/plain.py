# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain Python values from whatever an inventory holds, and a safe way to show them in a message."""

from __future__ import annotations

from typing import Any, Mapping

# An intent is six levels deep and holds some dozens of values. Beyond these limits it is no intent, and possibly has no end.
MAX_DEPTH = 12
MAX_VALUES = 100_000
SHOWN_LENGTH = 60


class Opaque:
    """Stands for a value that no intent may hold, so that the schema refuses it by its name, with its remedy if it has one."""

    def __init__(self, name: str, remedy: str = "") -> None:
        self.name, self.remedy = name, remedy

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def plain(value: Any) -> Any:
    """A copy made of None, bool, int, float, str, list and dict only; anything else becomes an :class:`Opaque`.

    Ansible's own values (tagged text, lazy containers) are subclasses of these, and may carry behaviour that planning must not meet.
    A value that contains itself ends at a depth of 12.
    """
    return _plain(value, MAX_DEPTH, [MAX_VALUES])


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if depth < 0 or budget[0] < 0:
        return Opaque("a value that is nested too deeply or too large")
    if value is None or isinstance(value, (bool, Opaque)):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, depth - 1, budget) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth - 1, budget) for item in value]
    return Opaque(f"a value of type {type(value).__name__}")


def _key(key: Any) -> Any:
    simple = _plain(key, 0, [2])
    return Opaque("a key that is no text") if isinstance(simple, (list, dict)) else simple


def show(value: Any) -> str:
    """The value for a message: one line, printable, at most 60 characters; never raises."""
    if isinstance(value, (dict, list)):
        return type_name(value)
    try:
        text = repr(value)
    except ValueError:
        # Python does not print integers of more than 4300 digits.
        return "a huge number"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 3] + "..."


def type_name(value: Any) -> str:
    """What kind of value this is, in plain words."""
    if isinstance(value, Opaque):
        return value.name
    names = {bool: "a boolean", int: "a whole number", float: "a number", str: "text", list: "a list", dict: "a mapping", type(None): "null"}
    return names.get(type(value), "something else")
