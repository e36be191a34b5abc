# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small declarative schema: kinds of values that know how to read themselves and to say what is wrong where."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Pattern, Protocol, Sequence

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import Opaque, show, type_name

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")


class Kind(Protocol):
    """A kind of value."""

    def read(self, value: Any, path: str, scope: Scope) -> Any:
        """The value as planning wants it; None after refusing it in ``scope``."""


def joined(path: str, key: Any) -> str:
    """The path of a key of the mapping at ``path``."""
    return f"{path}.{key}" if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else f"{path}[{show(key)}]"


def _wrong_type(value: Any, wanted: str, path: str, scope: Scope, remedy: str = "") -> None:
    shown = type_name(value) if value is None or isinstance(value, (dict, list, Opaque)) else f"{type_name(value)} ({show(value)})"
    scope.refuse(path, f"is {shown}, not {wanted}", (value.remedy if isinstance(value, Opaque) else "") or remedy or f"write {wanted}")


@dataclass(frozen=True)
class Flag:
    """True or false, and nothing that merely looks like it."""

    def read(self, value: Any, path: str, scope: Scope) -> bool | None:
        if isinstance(value, bool):
            return value
        _wrong_type(value, "a boolean", path, scope, "write true or false without quotes (in a template, end with | bool)")
        return None


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high``, both included; without ``fraction`` a whole one.

    Attributes:
        meaning: what the limits are, for the message.
    """

    low: float
    high: float
    meaning: str
    fraction: bool = False

    def read(self, value: Any, path: str, scope: Scope) -> int | float | None:
        wanted = "a number" if self.fraction else "a whole number"
        if isinstance(value, bool) or not isinstance(value, (int, float) if self.fraction else int):
            _wrong_type(value, wanted, path, scope, f"write {wanted} without quotes (in a template, end with | {'float' if self.fraction else 'int'})")
            return None
        if (isinstance(value, float) and math.isnan(value)) or not self.low <= value <= self.high:
            scope.refuse(path, f"is {show(value)}, outside {self.low} to {self.high}", f"choose {wanted} from {self.low} to {self.high} ({self.meaning})")
            return None
        return float(value) if self.fraction else value


@dataclass(frozen=True)
class Choice:
    """One of a few words, or of a few numbers."""

    words: tuple[str, ...] | tuple[int, ...]

    def read(self, value: Any, path: str, scope: Scope) -> str | int | None:
        if type(value) in (str, int) and value in self.words:
            return value
        known = [str(word) for word in self.words]
        near = difflib.get_close_matches(value, known, 1) if isinstance(value, str) and len(value) < 100 else []
        scope.refuse(path, f"is {show(value)}, which is not known", f"write {near[0]}" if near else f"write one of: {', '.join(known)}")
        return None


@dataclass(frozen=True)
class Text:
    """Text that a pattern matches as a whole; ``meaning`` says in words what it matches."""

    pattern: Pattern[str]
    meaning: str

    def read(self, value: Any, path: str, scope: Scope) -> str | None:
        if not isinstance(value, str):
            _wrong_type(value, "text", path, scope, "write it as text, in quotes if need be")
            return None
        if not self.pattern.fullmatch(value):
            scope.refuse(path, f"is {show(value)}, which is not {self.meaning}", f"write {self.meaning}")
            return None
        return value


@dataclass(frozen=True)
class Parsed:
    """Text that a function reads, which raises ValueError when it cannot. ``meaning`` says what is wanted."""

    parse: Callable[[str], Any]
    meaning: str

    def read(self, value: Any, path: str, scope: Scope) -> Any:
        if not isinstance(value, str):
            _wrong_type(value, "text", path, scope, f"write {self.meaning}")
            return None
        try:
            return self.parse(value)
        except ValueError as error:
            words = str(error)
            reason = words if words.startswith(("has ", "is ", "names ")) else "is not valid"
            scope.refuse(path, f"{show(value)} {reason}", f"write {self.meaning}")
            return None


@dataclass(frozen=True)
class Items:
    """A list. Reads as a list of (path, value); items that are refused are left out."""

    kind: Kind

    def read(self, value: Any, path: str, scope: Scope) -> list[tuple[str, Any]] | None:
        if not isinstance(value, list):
            _wrong_type(value, "a list", path, scope)
            return None
        read = [(f"{path}[{index}]", self.kind.read(item, f"{path}[{index}]", scope)) for index, item in enumerate(value)]
        return [(where, item) for where, item in read if item is not None]


@dataclass(frozen=True)
class Named:
    """A mapping from names of the user's choice to values of one kind; what is refused is left out."""

    name: Text
    kind: Kind

    def read(self, value: Any, path: str, scope: Scope) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            _wrong_type(value, "a mapping", path, scope)
            return None
        names = {key: self.name.read(key, joined(path, key), scope) for key in value}
        read = {name: self.kind.read(value[key], joined(path, key), scope) for key, name in names.items() if name is not None}
        return {name: item for name, item in read.items() if item is not None}


@dataclass(frozen=True)
class Key:
    """A key of a mapping: the kind of its value, whether it must be there, and its value when it is not (or is null)."""

    kind: Kind
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Record:
    """A mapping with known keys. Reads as a dict with all of them; None stands for not stated and for refused."""

    keys: Mapping[str, Key]

    def defaults(self) -> dict[str, Any]:
        """What an empty mapping reads as."""
        return {name: key.default for name, key in self.keys.items()}

    def read(self, value: Any, path: str, scope: Scope) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            _wrong_type(value, "a mapping", path, scope)
            return None
        for key in value:
            if key not in self.keys:
                scope.refuse(joined(path, key), "is an unknown key", _nearest(key, tuple(self.keys)))
        return {name: self._one(name, key, value, path, scope) for name, key in self.keys.items()}

    @staticmethod
    def _one(name: str, key: Key, value: Mapping[Any, Any], path: str, scope: Scope) -> Any:
        if value.get(name) is not None:
            return key.kind.read(value[name], joined(path, name), scope)
        if key.required:
            scope.refuse(joined(path, name), "is missing", "state it")
        return key.default


@dataclass(frozen=True)
class ShortOr:
    """Text as the short form of a mapping: it becomes the mapping's one key ``key``."""

    key: str
    record: Record

    def read(self, value: Any, path: str, scope: Scope) -> dict[str, Any] | None:
        if isinstance(value, str):
            return {**dict.fromkeys(self.record.keys), self.key: value}
        if not isinstance(value, dict):
            _wrong_type(value, "text or a mapping", path, scope)
            return None
        return self.record.read(value, path, scope)


def _nearest(key: Any, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, 1) if isinstance(key, str) and len(key) < 100 else []
    return f"did you mean {near[0]}?" if near else f"remove it; known keys are: {', '.join(sorted(known))}"
