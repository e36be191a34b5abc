# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pure operations on the product's configuration: what to change, how to show it, and how to take it back.

A path is a sequence of steps: a key, or a mapping of the fields by which one element of a list is known; an element that is a text is known by that.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

Step = Union[str, Mapping[str, str]]
# In place of a field: the element is a text.
ITSELF = "0"
HIDDEN = "********"
# Descriptions of what this collection made begin so.
MARK = "hafirewall.cluster "


class Operation(NamedTuple):
    """One change; made by :func:`put`, :func:`take` and :func:`insert`.

    Attributes:
        op: ``set``, ``delete`` or ``insert``.
        path: where; for ``insert`` the list.
        value: the new value: a text, or mappings and lists of texts. The product writes an empty text as an empty element, which counts as set.
        was: the value before, None where there was nothing.
        before: for ``insert``, the element that the new one comes in front of; None for the end. For ``delete`` of an element, the one that it was in front of.
        identity: for ``insert``, the fields by which the new element is known.
        secret: the value is never shown.
    """

    op: str
    path: Tuple[Step, ...]
    value: Any = None
    was: Any = None
    before: Optional[Mapping[str, str]] = None
    identity: Optional[Mapping[str, str]] = None
    secret: bool = False

    def request(self) -> Dict[str, Any]:
        """What the node is told."""
        return {"op": self.op, "path": list(self.path), "value": self.value, "before": self.before, "identity": self.identity}

    def inverse(self) -> "Operation":
        """The operation that takes this one back."""
        if self.op == "insert":
            return Operation("delete", (*self.path, self.identity or {}), was=self.value, secret=self.secret)
        if self.op == "delete" and not isinstance(self.path[-1], str):
            return Operation("insert", self.path[:-1], self.was, before=self.before, identity=self.path[-1], secret=self.secret)
        if self.was is None:
            return Operation("delete", self.path, was=self.value, secret=self.secret)
        return Operation("set", self.path, self.was, self.value, secret=self.secret)

    def lines(self) -> Tuple[List[str], List[str]]:
        """The lines of a diff, before and after."""
        name = "/".join(step if isinstance(step, str) else "[%s]" % " ".join("%s=%s" % item for item in sorted(step.items())) for step in self.path
                        if isinstance(step, str) or ITSELF not in step)
        before = None if self.op == "insert" else self.was
        return _lines(name, before, self.secret), _lines(name, self.value, self.secret)


def put(path: Sequence[Step], value: Any, was: Any, secret: bool = False) -> Operation:
    """Set a value."""
    return Operation("set", tuple(path), value, was, secret=secret)


def take(path: Sequence[Step], was: Any, before: Optional[Mapping[str, str]] = None) -> Operation:
    """Take a value away, or an element of a list that is in front of another or (``before`` None) the last."""
    return Operation("delete", tuple(path), None, was, before)


def insert(path: Sequence[Step], value: Union[str, Mapping[str, Any]], identity: Mapping[str, str],
           before: Optional[Mapping[str, str]] = None) -> Operation:
    """Put a new element into a list, in front of another or at the end."""
    return Operation("insert", tuple(path), value if isinstance(value, str) else dict(value), None, before, identity)


def undone(operations: Sequence[Operation]) -> List[Operation]:
    """What takes these operations back."""
    return [operation.inverse() for operation in reversed(operations)]


def diff(path: str, operations: Sequence[Operation]) -> Dict[str, str]:
    """Ansible's diff of a configuration file, of what the operations touch only."""
    sides = [operation.lines() for operation in operations]
    before, after = ("".join(line for side in sides for line in side[number]) for number in (0, 1))
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _lines(name: str, value: Any, secret: bool) -> List[str]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [line for key, inner in value.items() for line in _lines("%s/%s" % (name, key), inner, secret or key == "password")]
    if isinstance(value, (list, tuple)):
        return [line for inner in value for line in _lines(name, inner, secret)]
    return ["%s: %s\n" % (name, HIDDEN if secret else value)]
