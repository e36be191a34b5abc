# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of hostname.if(5): what netstart(8) gives to ifconfig when a device comes up.

A file of this collection has its mark on the first line, and is its own as a whole. What somebody else had there is kept beside it: netstart takes no name with
more behind the device's (etc/netstart, vifscreate and ifmstart).
"""

from __future__ import annotations

import re
import shlex
from typing import List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

FOLDER = "/etc"
MODE = 0o640  # netstart takes away what others may do with it, and CARP's has a password
MARK = "# Managed by hafirewall.cluster, which overwrites changes: "
_KEPT = ".before-hafirewall"
_NETSTART = "/etc/netstart"
_LONGEST = 60.0  # seconds
_PASSWORD = re.compile(r"""(\bpass\s+)("[^"]*"|'[^']*'|\S+)""")


def path(device: str) -> str:
    """The file of a device."""
    return "%s/hostname.%s" % (FOLDER, device)


def text(owner: str, lines: List[str]) -> str:
    """A file of this collection; ``owner`` says what it is for."""
    return "".join(line + "\n" for line in [MARK + owner, *lines])


def owner_of(content: Optional[str]) -> Optional[str]:
    """What a file of this collection is for; None for a file that is not of it."""
    return content.split("\n", 1)[0][len(MARK):] if content is not None and content.startswith(MARK) else None


def statements(content: str) -> List[List[str]]:
    """The words of each line that goes to ifconfig, without quotes; comments and shell commands are passed over (etc/netstart, parse_hn_line)."""
    found = []
    for line in content.split("\n"):
        if not line.strip() or line.lstrip().startswith(("#", "!")):
            continue
        try:
            found.append(shlex.split(line))
        except ValueError:
            found.append(line.split())
    return found


def without_password(content: str) -> str:
    """A file for other eyes."""
    return _PASSWORD.sub(r"\1********", content)


def write(node: Node, device: str, content: str) -> bool:
    """Make the file of a device be this one, and keep a foreign one beside it once; true when it differed."""
    _keep(node, device)
    return node.write_text(path(device), content, MODE, redact=without_password)


def remove(node: Node, device: str) -> bool:
    """Make the device have no file, and keep a foreign one beside its place once; true when there was one."""
    _keep(node, device)
    return node.remove(path(device), redact=without_password)


def start(node: Node, device: str) -> None:
    """Make a device, and give it what its file says; it goes again when the surrounding transaction fails. netstart's status says nothing of ifconfig's."""
    node.act(["sh", _NETSTART, device], ok=None, timeout=_LONGEST, undo=lambda: _destroy(node, device))


def destroy(node: Node, device: str) -> None:
    """Make a device be gone; it comes back by its file when the surrounding transaction fails."""
    node.act(["ifconfig", device, "destroy"], undo=lambda: _again(node, device))


def _keep(node: Node, device: str) -> None:
    old, place = node.read_text(path(device)), path(device) + _KEPT
    if old is not None and owner_of(old) is None and node.read_text(place) is None:
        node.write_text(place, old, MODE, redact=without_password)


def _destroy(node: Node, device: str) -> None:
    # It may never have come to be there.
    if node.query(["ifconfig", device], ok=None).status == 0:
        node.query(["ifconfig", device, "destroy"])


def _again(node: Node, device: str) -> None:
    node.query(["sh", _NETSTART, device], ok=None, timeout=_LONGEST)
