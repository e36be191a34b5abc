# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf.conf(5) as rc.conf names it, and the options of it that state sync depends on. Pure, but for :func:`read`."""

from __future__ import annotations

import re
from typing import List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_conf, pf_text
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_text import Included, Setting
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

HOST_ID, POLICY = "hostid", "state-policy"
DEFAULT_POLICY = "floating"  # pf.conf(5)
_WORDS = {"floating": "floating", "if-bound": "if-bound"}


class PfConf(NamedTuple):
    """The file: where it is, its text (None when there is no such file), what pfctl is to be called with, and how to read what it includes."""

    path: str
    text: Optional[str]
    flags: Sequence[str]
    included: Included


def read(node: Node, variables: Mapping[str, str]) -> PfConf:
    """Read the file that pf is started with."""
    path = variables.get("pf_rules") or pf_conf.PATH
    return PfConf(path, node.read_text(path), variables.get("pf_flags", "").split(), node.read_text)


def state_policy(conf: PfConf) -> str:
    """The policy that pf gets from the file: the last one that is set."""
    stated = [setting.value for setting in _all(conf) if setting.name == POLICY]
    return _WORDS.get(stated[-1], DEFAULT_POLICY) if stated else DEFAULT_POLICY


def stated_policy(conf: PfConf) -> bool:
    """Whether the file sets one at all."""
    return any(setting.name == POLICY for setting in _all(conf))


def host_id(conf: PfConf) -> Optional[str]:
    """The host id that pf gets from the file, in its shortest form; None for a new one at each load, or one that cannot be told."""
    stated = [setting.value for setting in _all(conf) if setting.name == HOST_ID]
    return number(stated[-1]) if stated else None


def foreign(conf: PfConf, name: str) -> List[Setting]:
    """Where somebody else sets an option."""
    return [setting for setting in pf_conf.outside(conf.text or "", conf.included, conf.path) if setting.name == name]


def number(text: str) -> Optional[str]:
    """A host id of pf.conf (decimal, octal or hexadecimal, as C writes them) in its shortest hexadecimal form; None for anything else, as a macro."""
    if not re.fullmatch(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*", text):
        return None
    value = int(text, 16) if text[:2].lower() == "0x" else int(text, 8) if text[:1] == "0" else int(text)
    return "%x" % value


def wanted(conf: PfConf, host: Optional[str], policy: Optional[str]) -> str:
    """The text with these options in this collection's block, as far as nobody else sets them so already; None leaves an option to the file.

    Args:
        host: in hexadecimal digits.
    Raises:
        NodeError: somebody else sets an option otherwise, with file and line.
    """
    lines = []
    for name, value, option in ((HOST_ID, host, "host_id"), (POLICY, policy, "state_policy")):
        if value is None:
            continue
        theirs = foreign(conf, name)
        if not theirs:
            lines.append("set %s %s" % (name, "0x%08x" % int(value, 16) if name == HOST_ID else value))
            continue
        last = theirs[-1]
        if value != (number(last.value) if name == HOST_ID else last.value):
            raise NodeError("%s: %s:%d has 'set %s %s', which this collection did not write, and the option says %s; remove that line, or make the option agree"
                            % (option, last.path, last.line, name, last.value, value))
    return pf_conf.put(conf.text or "", pf_conf.OPTIONS, lines, conf.included, conf.path)


def own_host_id(conf: PfConf) -> Optional[str]:
    """The host id that this collection's block sets."""
    block = pf_conf.find(conf.text or "", pf_conf.OPTIONS, conf.path)
    found = [number(line.split()[-1]) for line in block.lines if line.startswith("set %s " % HOST_ID)] if block else []
    return found[-1] if found else None


def own_policy(conf: PfConf) -> Optional[str]:
    """The policy that this collection's block sets."""
    block = pf_conf.find(conf.text or "", pf_conf.OPTIONS, conf.path)
    found = [line.split()[-1] for line in block.lines if line.startswith("set %s " % POLICY)] if block else []
    return found[-1] if found else None


def _all(conf: PfConf) -> List[Setting]:
    return pf_text.settings(conf.text or "", conf.path, conf.included)
