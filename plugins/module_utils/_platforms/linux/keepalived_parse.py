# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads keepalived.conf back into the options of module virtual_ip. Pure; never fails on a text, because people edit files."""

from __future__ import annotations

import ipaddress
import shlex
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import MANAGED


class Statement(NamedTuple):
    """A keyword with its arguments, and the statements of its block."""

    words: List[str]
    body: List["Statement"]  # type: ignore[misc]

    def all(self, keyword: str) -> "Iterator[Statement]":
        return (item for item in self.body if item.words[0] == keyword)

    def value(self, keyword: str) -> Optional[str]:
        """First argument of the first statement of that keyword."""
        return next((item.words[1] for item in self.all(keyword) if len(item.words) > 1), None)

    def lines(self, keyword: str) -> List[List[str]]:
        """The words of each line in the blocks of that keyword."""
        return [line.words for item in self.all(keyword) for line in item.body]


def is_managed(text: Optional[str]) -> bool:
    """True when this collection wrote the file."""
    return text is not None and MANAGED in text.split("\n", 1)[0]


def parse(text: str) -> Dict[str, Any]:
    """The options that the text stands for, as module virtual_ip takes them; what the text does not say, or says wrongly, is None or empty."""
    top = Statement(["top"], _statements(text))
    blocks = list(top.all("vrrp_instance"))
    group = next(iter(top.all("vrrp_sync_group")), None)
    first = blocks[0] if blocks else Statement(["vrrp_instance"], [])
    delay = first.value("preempt_delay")
    return {
        "name": _argument(group) if group else None,
        "instances": [_instance(block) for block in blocks],
        "advert_interval": _number(first.value("advert_int")),
        "preempt": not any(True for _item in first.all("nopreempt")),
        "preempt_delay": _number(delay),
        "transport": "unicast" if any(True for _item in first.all("unicast_peer")) else "multicast",
        "track_interfaces": not any(True for _item in first.all("dont_track_primary")),
    }


def _instance(block: Statement) -> Dict[str, Any]:
    addresses = [words[0] for words in block.lines("virtual_ipaddress")]
    return {
        "name": _argument(block), "interface": block.value("interface"), "id": _whole(block.value("virtual_router_id")), "family": _family(addresses),
        "priority": _whole(block.value("priority")), "addresses": addresses, "source": block.value("unicast_src_ip") or block.value("mcast_src_ip"),
        "peers": [words[0] for words in block.lines("unicast_peer")],
    }


def _family(addresses: List[str]) -> Optional[str]:
    try:
        return "ipv%d" % ipaddress.ip_interface(addresses[0]).version if addresses else None
    except ValueError:
        return None


def _argument(statement: Statement) -> Optional[str]:
    return statement.words[1] if len(statement.words) > 1 else None


def _number(text: Optional[str]) -> Optional[float]:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _whole(text: Optional[str]) -> Optional[int]:
    return int(text) if text is not None and text.isdigit() else None


def _statements(text: str) -> List[Statement]:
    open_blocks: List[List[Statement]] = [[]]
    for line in text.splitlines():
        words = _words(line)
        if not words:
            continue
        if words[0] == "}":
            if len(open_blocks) > 1:
                open_blocks.pop()
            continue
        opens = words[-1] == "{"
        statement = Statement(words[:-1] if opens and len(words) > 1 else words, [])
        open_blocks[-1].append(statement)
        if opens:
            open_blocks.append(statement.body)
    return open_blocks[0]


def _words(line: str) -> List[str]:
    reader = shlex.shlex(line, posix=True, punctuation_chars=False)
    reader.whitespace_split = True
    reader.commenters = "#!"
    reader.escape = ""
    reader.quotes = '"'
    try:
        return list(reader)
    except ValueError:  # an open quote
        return line.split()
