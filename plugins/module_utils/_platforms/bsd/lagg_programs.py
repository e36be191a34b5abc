# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs that make a change of LAGGs and take it back where the system has no functions for it: lines for sh, each a step. Pure text.

Both run in the folder of the script that starts them, and say each step before they take it. The way there stops at the first step that fails; the way back
goes on, and is tried again as a whole.
"""

from __future__ import annotations

import shlex
from typing import Any, Collection, Dict, List, Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Links
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import MANAGED

QUIET = " > /dev/null"
Drift = List[Dict[str, Any]]

_FUNCTIONS = """#!/bin/sh
%s
# The way from the folder of the script to /.
root=../../../../..
there() {
    ifconfig "$1" > /dev/null 2>&1
}
gone() {
    if there "$1"; then step ifconfig "$1" destroy; fi
}
# Takes all addresses off a device; what lies on them, as CARP does on FreeBSD, goes with them.
flush() {
    there "$1" || return 0
    for address in $(ifconfig "$1" | sed -n 's/^[[:space:]]*inet \\([0-9.]*\\).*/\\1/p'); do
        step ifconfig "$1" inet "$address" -alias
    done
    for address in $(ifconfig "$1" | sed -n 's/^[[:space:]]*inet6 \\([0-9a-fA-F:.]*\\).*/\\1/p' | grep -v '^fe80:'); do
        step ifconfig "$1" inet6 "$address" -alias
    done
}
try() {
    echo "+ $*"
    "$@" || :
}
""" % MANAGED

_CHANGE = """step() {
    echo "+ $*"
    "$@" || exit 1
}
exec 2>&1
sync
"""

_BACK = """failed=0
step() {
    echo "+ $*"
    "$@" || failed=1
}
has() {
    ifconfig "$1" 2> /dev/null | grep -q "inet6* $2[ /%]" || { echo "$1 lacks $2"; failed=1; }
}
"""


def change(steps: Sequence[str]) -> str:
    """The program that makes the change."""
    return _FUNCTIONS + _CHANGE + "\n".join([*steps, "exit 0\n"])


def back(functions: str, steps: Sequence[str]) -> str:
    """The one that takes it back.

    Args:
        functions: that bring files back; a failure sets ``failed``.
    """
    return _FUNCTIONS + _BACK + functions + "exec 2>&1\n" + "\n".join([*steps, 'exit "$failed"\n'])


def has(addresses: Mapping[str, Sequence[str]]) -> List[str]:
    """Steps of the way back that see to it that all addresses, by device, are there."""
    return [quoted("has", device, address.partition("/")[0]) for device, own in addresses.items() for address in own]


def loaded(rules: str) -> str:
    """The step that loads pf's rules from a file."""
    return quoted("step", "pfctl", "-f") + below(rules)


def told(steps: Sequence[str], links: Links, always: Collection[str] = ()) -> List[str]:
    """What the steps run, without words that only the program knows.

    Args:
        always: devices that are there although ``links`` has them not.
    """
    found: List[str] = []
    for step in steps:
        word, _space, rest = step.partition(" ")
        if word == "gone":
            found += ["ifconfig %s destroy" % rest] if rest in links or rest in always else []
        elif word == "flush":
            held = links[rest]["addresses"] if rest in links else []
            addresses = [address.partition("/")[0] for address in held if not address.lower().startswith("fe80:")]
            found += ["ifconfig %s %s %s -alias" % (rest, "inet6" if ":" in address else "inet", address) for address in addresses]
        else:
            found.append(rest.replace('"$root"', "").replace(QUIET, ""))
    return found


def below(path: str) -> str:
    """A file of the node as a word of a step, with the space before it."""
    return ' "$root"' + shlex.quote(path)


def quoted(*words: str) -> str:
    """Words of a step."""
    return " ".join(shlex.quote(word) for word in words)
