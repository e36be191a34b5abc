# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of rc.conf(5), by FreeBSD's own sysrc(8). They say what is started at boot; nothing here starts anything."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError, Secret

FILE = "/etc/rc.conf"
FOLDER = "/etc/rc.conf.d/"
LOCAL_FOLDER = "/usr/local/etc/rc.conf.d/"
# sysrc -e: name="value", each on a line of its own; a value may have line breaks.
PF_FILE = ("pf_rules", "pf_flags")  # which file pf starts with, and how
_PASSWORD = re.compile(r"\b(pass\s+)(?:'[^']*'|\S+)")
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
    """Set what differs, each by one sysrc that is undone when the surrounding transaction fails. Passwords are not told.

    Args:
        known: from :func:`read`.
        wanted: value by name; None for a variable that shall not be there.
    Raises:
        NodeError: sysrc fails.
    """
    if any(value is not None and known.get(name) is None for name, value in wanted.items()):
        _end_last_line(node)
    for name, value in wanted.items():
        before = known.get(name)
        if before == value:
            continue
        node.diffs.append({"before_header": "%s: %s" % (FILE, name), "after_header": "%s: %s" % (FILE, name),
                           "before": _line(name, before), "after": _line(name, value)})
        node.act(_words(name, value), undo=lambda name=name, before=before: _restore(node, name, before))  # type: ignore[misc]


def refuse_overridden(node: Node, services: Sequence[str], names: Sequence[str]) -> None:
    """A file of a service is read after rc.conf (load_rc_config of rc.subr), so what it sets of these variables would undo ours at the next start.

    Raises:
        NodeError: one sets one of them, with file and line.
    """
    found = re.compile(r"^[ \t]*(?:export[ \t]+)?(%s)=" % "|".join(names), re.MULTILINE)
    for path in service_files(node, services) + service_files(node, services, LOCAL_FOLDER):
        text = node.read_text(path) or ""
        stated = found.search(text)
        if stated is not None:
            raise NodeError("%s:%d sets %s, which is read after %s and wins over it; move that line into %s, and run again" % (
                path, text.count("\n", 0, stated.start(1)) + 1, stated[1], FILE, FILE))


def service_files(node: Node, services: Sequence[str], folder: str = FOLDER) -> List[str]:
    """The files that load_rc_config of rc.subr reads for these scripts of rc.d, beside rc.conf: FOLDER/NAME, or all in the folder of that name; and so it
    does in ``LOCAL_FOLDER``.

    Raises:
        NodeError: a folder cannot be read.
    """
    found: List[str] = []
    for service in services:
        path = folder + service
        if node.query(["test", "-d", path], ok=(0, 1)).status == 0:
            found += sorted(node.query(["find", path, "-type", "f"]).stdout.splitlines())
        else:
            found.append(path)
    return found


def is_on(known: Mapping[str, str], name: str) -> bool:
    """Whether rc takes a variable for on (checkyesno of rc.subr)."""
    return known.get(name, "").lower() in ("yes", "true", "on", "1")


def redacted(value: Optional[str]) -> Optional[str]:
    """A value as it may be told: without the passwords of CARP."""
    return None if value is None else _PASSWORD.sub(r"\1********", value)


def _end_last_line(node: Node) -> None:
    """sysrc appends to the file as it is: to a last line without an end, it would be one word with that (sysrc.subr, f_sysrc_set).

    In no diff, for the file may hold passwords.
    """
    text = node.read_text(FILE)
    if text and not text.endswith("\n"):
        node.write_text(FILE, text + "\n", mode=None, shown=False)


def _restore(node: Node, name: str, before: Optional[str]) -> None:
    if read(node).get(name) != before:  # else the step that failed had not come to set it
        node.query(_words(name, before))


def _words(name: str, value: Optional[str]) -> List[str]:
    if value is None:
        return ["sysrc", "-x", name]
    words = "%s=%s" % (name, value)
    return ["sysrc", words if redacted(value) == value else Secret(words)]


def _line(name: str, value: Optional[str]) -> str:
    return "" if value is None else '%s="%s"\n' % (name, redacted(value))
