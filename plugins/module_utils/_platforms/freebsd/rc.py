# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of rc.conf(5), by FreeBSD's own sysrc(8). They say what is started at boot; nothing here starts anything."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

FILE = "/etc/rc.conf"
# sysrc -e: name="value", each on a line of its own; a value may have line breaks.
_VARIABLE = re.compile(r'^([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"$', re.MULTILINE | re.DOTALL)


def read(node: Node) -> Dict[str, str]:
    """All variables that differ from /etc/defaults/rc.conf, by name.

    Raises:
        NodeError: there is no sysrc, or a file of it cannot be read.
    """
    return parse(node.query(["sysrc", "-ae"]).stdout)


def parse(text: str) -> Dict[str, str]:
    """What ``sysrc -ae`` prints; lines that are no variable are passed over."""
    return {name: re.sub(r"\\(.)", r"\1", value) for name, value in _VARIABLE.findall(text)}


def apply(node: Node, known: Mapping[str, str], wanted: Mapping[str, Optional[str]]) -> None:
    """Set what differs, each by one sysrc that is undone when the surrounding transaction fails.

    Args:
        known: from :func:`read`.
        wanted: value by name; None for a variable that shall not be there.
    Raises:
        NodeError: sysrc fails.
    """
    for name, value in wanted.items():
        before = known.get(name)
        if before == value:
            continue
        node.diffs.append({"before_header": "%s: %s" % (FILE, name), "after_header": "%s: %s" % (FILE, name),
                           "before": _line(name, before), "after": _line(name, value)})
        node.act(_words(name, value), undo=lambda name=name, before=before: _restore(node, name, before))  # type: ignore[misc]


def is_on(known: Mapping[str, str], name: str) -> bool:
    """Whether rc takes a variable for on (checkyesno of rc.subr)."""
    return known.get(name, "").lower() in ("yes", "true", "on", "1")


def _restore(node: Node, name: str, before: Optional[str]) -> None:
    node.query(_words(name, before))


def _words(name: str, value: Optional[str]) -> List[str]:
    return ["sysrc", "-x", name] if value is None else ["sysrc", "%s=%s" % (name, value)]


def _line(name: str, value: Optional[str]) -> str:
    return "" if value is None else '%s="%s"\n' % (name, value)
