# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start scripts of /usr/local/etc/rc.d, as far as they are lists of commands; what else a shell knows is not modelled.

Source: libexec/rc/rc of FreeBSD: the folder is looked into when the disks are mounted, and what it has is ordered among the system's own scripts.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import programs
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

FOLDER = "/usr/local/etc/rc.d"
_FUNCTION = r"^%s_start\(\)\n\{\n(.*?)^\}$"


def before_netif(machine: "Machine") -> None:
    """Start those that say that they come before netif."""
    folder = machine.path(FOLDER)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        text = path.read_text(encoding="utf-8")
        if path.stat().st_mode & 0o111 and re.search(r"^# BEFORE:.*\bnetif\b", text, re.MULTILINE):
            start(machine, text)


def start(machine: "Machine", text: str) -> int:
    """Do what the script's function for ``start`` does; its status."""
    name = re.search(r'^name="(\w+)"$', text, re.MULTILINE)
    body = re.search(_FUNCTION % (name[1] if name else ""), text, re.MULTILINE | re.DOTALL)
    if name is None or body is None:
        raise NotModelled("a start script without its function: %s" % text)
    status = 0
    for line in re.sub(r"(&&|\|\|)\s*\n\s*", r"\1 ", body[1]).splitlines():
        for operator, command in re.findall(r"(&&|\|\||^)\s*(.*?)\s*(?=&&|\|\||$)", line):
            if (operator == "&&" and status) or (operator == "||" and not status):
                continue
            if command.startswith("return "):
                return int(command.split()[1])
            status = _command(machine, command).status
    return status


def _command(machine: "Machine", text: str) -> Completed:
    text = re.sub(r"\$\(([^()]*)\)", lambda inner: _command(machine, inner[1]).stdout.strip(), text)
    words: List[str] = shlex.split(re.sub(r"\s*>\s*/dev/null$", "", text))
    stdin: Optional[str] = None
    return programs.run(machine, words, stdin) if words else Completed(0, "", "")
