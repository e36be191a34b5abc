# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads rulesets: the one in the kernel, and the one that a file would load, tried out in a network namespace of its own."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from typing import List, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_files import INCLUDE_PATH
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_ruleset import Ruleset, parse, parse_listing
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

_INCLUDE = re.compile(r'^(\s*)include\s+["\']?([^"\'\s;]+)["\']?\s*;?\s*(?:#.*)?$')
_DEFAULT_FOLDER = "/etc"  # where nft looks for relative includes
_DEEPEST = 16  # nft's own limit on nested includes
# `iif lan0` and flowtables only load where the device is: stand-ins get the names of the node's devices. Names arrive as arguments.
_LOAD = "nft -f - && nft -j list ruleset && echo && nft -a list ruleset"
_WITH_STAND_INS = 'n=0; for name in "$@"; do n=$((n+1)); ip link add name "$name" type veth peer name "hafw$n" || exit; done; ' + _LOAD


class Expanded(NamedTuple):
    """A ruleset file with its includes put in place: the text, and whether one of them (not counting ours) names the managed file."""

    text: str
    names_ours: bool


def current(node: Node) -> Ruleset:
    """The ruleset in the kernel.

    Raises:
        NodeError: nft is absent, not permitted, or prints what is not understood.
    """
    return _parsed(node.query(["nft", "-j", "list", "ruleset"]).stdout, node.query(["nft", "-a", "list", "ruleset"]).stdout)


def tried(node: Node, text: str) -> Ruleset:
    """The ruleset that a text loads from nothing, as at boot: loaded and listed in a new network namespace that vanishes with the command.

    Raises:
        NodeError: nft refuses the text, or the node allows no new network namespace.
    """
    done = node.query(["unshare", "--net", "sh", "-c", _LOAD], stdin=text, ok=None)
    if done.status != 0:
        devices = [name for name in node.query(["ls", "/sys/class/net"]).stdout.split() if name != "lo"]
        done = node.query(["unshare", "--net", "sh", "-c", _WITH_STAND_INS, "sh"] + devices, stdin=text, ok=None)
    if done.status != 0:
        raise NodeError("the ruleset does not load in a network namespace of its own: %s" % (done.stderr.strip() or "no reason given")[-1500:])
    listed, _separator, plain = done.stdout.partition("\n")
    return _parsed(listed, plain)


def checked(node: Node, text: str, what: str) -> None:
    """Let nft check a text against the node's own kernel, devices and rules; nothing is loaded.

    Raises:
        NodeError: nft refuses it; ``what`` names the text in the message.
    """
    done = node.query(["nft", "-c", "-f", "-"], stdin=text, ok=None)
    if done.status != 0:
        raise NodeError("nft refuses %s: %s" % (what, done.stderr.strip()[-1500:]))


def expanded(node: Node, text: str, ours: Optional[str], depth: int = 0) -> Expanded:
    """Put included files in the place of their include lines, and ``ours`` in the place of the managed file (None: nothing).

    Lines that name no file that is there are kept, so that nft itself says what is wrong with them.
    """
    lines: List[str] = []
    found = False
    for line in text.splitlines():
        include = _INCLUDE.match(line)
        if include is None or depth >= _DEEPEST:
            lines.append(line)
            continue
        pattern = include.group(2) if include.group(2).startswith(("/", "./")) else os.path.join(_DEFAULT_FOLDER, include.group(2))
        reaches = fnmatch.fnmatchcase(INCLUDE_PATH, pattern) and os.path.dirname(pattern) == os.path.dirname(INCLUDE_PATH)
        found = found or reaches and "Managed by hafirewall.cluster" not in line
        paths = sorted(set(glob.glob(pattern)) - {INCLUDE_PATH} | ({INCLUDE_PATH} if reaches else set()))
        if not paths and not glob.has_magic(pattern):
            lines.append(line)
        for path in paths:
            if path == INCLUDE_PATH:
                lines += (ours or "").splitlines()
            elif os.path.isfile(path):
                inner = expanded(node, node.read_text(path) or "", ours, depth + 1)
                found = found or inner.names_ours
                lines += inner.text.splitlines()
    return Expanded("\n".join(lines) + "\n", found)


def _parsed(listed: str, plain: str) -> Ruleset:
    try:
        return parse(listed, parse_listing(plain))
    except (ValueError, KeyError, TypeError) as error:
        raise NodeError("the output of nft is not understood: %s" % error) from error
