# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a node is configured by: which there are, all of them in one archive, and what they are like without their secrets. Changes nothing."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import tarfile
from typing import Any, Callable, Dict, List, NamedTuple, Pattern, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Content, Node, NodeError

# The archive comes with the answer of a module, which Ansible holds in memory several times.
MOST_BYTES = 32 * 1024 * 1024
MOST_FILES = 2000
# Lines of files that may hold a secret, whatever the program is. Only used to leave them out.
_SECRET = re.compile("auth_pass|passw|passphrase|secret|psk|private|key|token|community|shared", re.IGNORECASE)


class Sources(NamedTuple):
    """What a platform is configured by.

    Attributes:
        patterns: of the files' paths, see :meth:`Node.find_files`.
        needed: patterns of which each must name a file, without which the node could not be built again.
        includes: finds, in a file, the path or pattern of another one that it takes in, as its only group.
        redact: from a file's path and text, the text without the secrets that only the platform knows of.
    """

    patterns: Tuple[str, ...]
    needed: Tuple[str, ...]
    includes: Pattern[str]
    redact: Callable[[str, str], str]


def find(node: Node, sources: Sources) -> Dict[str, Content]:
    """All files, with those that they include, by path in order.

    Raises:
        NodeError: what is needed is not there, there is too much, or a file cannot be read.
    """
    for pattern in sources.needed:
        if not node.find_files(pattern):
            raise NodeError("%s is not on this node, without which it could not be built again; where the platform was stated, see if it is that" % pattern)
    waiting: List[str] = list(sources.patterns)
    tried, left = set(waiting), MOST_BYTES
    found: Dict[str, Content] = {}
    while waiting:
        for path in node.find_files(waiting.pop(0)):
            content = None if path in found else node.read_file(path, left)
            if content is None:
                continue
            if len(found) == MOST_FILES:
                raise NodeError("the configuration has more than %d files, as %s; move away what is none" % (MOST_FILES, path))
            found[path], left = content, left - len(content.data)
            included = _included(path, content, sources.includes)
            waiting += [pattern for pattern in included if pattern not in tried]
            tried.update(included)
    if not found:
        raise NodeError("none of the files that this platform is configured by is on this node; where the platform was stated, see whether it is that")
    return {path: found[path] for path in sorted(found)}


def archive(node: Node, sources: Sources) -> Dict[str, Any]:
    """All files as a compressed tar archive.

    Returns:
        ``archive`` (base64), its ``sha256``, and ``files``: ``path`` and size in ``bytes`` of each.
    """
    found = find(node, sources)
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for path, content in found.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode, member.mtime = len(content.data), content.mode, content.modified
            tar.addfile(member, io.BytesIO(content.data))
    return {"archive": base64.b64encode(whole.getvalue()).decode("ascii"), "sha256": hashlib.sha256(whole.getvalue()).hexdigest(),
            "files": [{"path": path, "bytes": len(content.data)} for path, content in found.items()]}


def digests(node: Node, sources: Sources) -> Dict[str, str]:
    """SHA-256 of each file without its secrets, in hexadecimal: short ones could be guessed from a digest."""
    return {path: digest(sources.redact(path, content.data.decode("utf-8", "surrogateescape"))) for path, content in find(node, sources).items()}


def digest(text: str) -> str:
    """SHA-256 of a text without the lines that may hold a secret."""
    kept = [line for line in text.split("\n") if not _SECRET.search(line)]
    return hashlib.sha256("\n".join(kept).encode("utf-8", "surrogateescape")).hexdigest()


def _included(path: str, content: Content, includes: Pattern[str]) -> List[str]:
    """The patterns of the files that a file takes in. A relative one is below its own folder, or where the program was started."""
    found = includes.findall(content.data.decode("utf-8", "surrogateescape"))
    return [os.path.normpath(os.path.join(folder, name)) for name in found for folder in (os.path.dirname(path), "/etc", "/")]
