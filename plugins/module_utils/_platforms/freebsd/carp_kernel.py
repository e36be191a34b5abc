# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CARP needs of the kernel around it: the module and two variables, now and at boot.

At boot the module comes by /boot/loader.conf. kld_list of rc.conf would be too late: libexec/rc/rc.d/kld of FreeBSD is to run behind kldxref, and nothing
puts it before rc.d/netif, which sets up the addresses. With the module there from the start, /etc/sysctl.conf counts at its first reading (rc.d/sysctl,
before netif); what is not known then is passed over, and set by rc.d/sysctl_lastload after logins are possible.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks, sysctl
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

PREEMPT = "net.inet.carp.preempt"
LOADER = ("/boot/loader.conf", "/boot/loader.conf.local")
SYSCTL = ("/etc/sysctl.conf", "/etc/sysctl.conf.local")
# As the module has them when it comes.
_DEFAULTS = {sysctl.CARP_ALLOW: "1", PREEMPT: "0"}
_PEERS_SINCE = 1400000  # kern.osreldate

Drift = List[Dict[str, Any]]


class Boot(NamedTuple):
    """A file with the block that it shall have, and the one that is read after it."""

    path: str
    old: Optional[str]
    new: str


class Surroundings(NamedTuple):
    """What must be done.

    Attributes:
        drift: what differs.
        load: the module is to be loaded.
        now: variables to be set, each with its old value.
        files: to be written.
    """

    drift: Drift
    load: bool
    now: Mapping[str, Tuple[str, str]]
    files: Sequence[Boot]


def compare(node: Node, block: str, preempt: Optional[bool]) -> Surroundings:
    """Read the kernel and its files, and see what differs.

    Args:
        block: name of the block.
        preempt: as wanted; None where nothing is wanted any more, which leaves the kernel as it is and takes the blocks away.
    Raises:
        NodeError: another line of a file says otherwise; with its place.
    """
    if preempt is None:
        files = [_file(node, paths, block, []) for paths in (LOADER, SYSCTL)]
        return Surroundings(_file_drift(files, "absent"), False, {}, [one for one in files if one.old is not None and one.old != one.new])
    loaded, built_in = _module(node)
    values = _DEFAULTS if not loaded else sysctl.parse(node.query(["sysctl", *_DEFAULTS], ok=None).stdout)
    wanted = {sysctl.CARP_ALLOW: "1", PREEMPT: str(int(preempt))}
    now = {name: (values.get(name, "unknown"), value) for name, value in wanted.items() if values.get(name) != value}
    files = [_file(node, LOADER, block, [] if built_in else ['carp_load="YES"']), _file(node, SYSCTL, block, ["%s=%s" % (PREEMPT, wanted[PREEMPT])])]
    if not built_in:
        _insist(node, LOADER, files[0], "carp_load", ("YES", "yes"))
    _insist(node, SYSCTL, files[1], PREEMPT, (wanted[PREEMPT],))
    _insist(node, SYSCTL, files[1], sysctl.CARP_ALLOW, ("1",))
    drift: Drift = [] if loaded else [{"setting": "module carp", "is": "absent", "wanted": "loaded"}]
    if sysctl.CARP_ALLOW in now:
        drift.append({"setting": "CARP switched on", "is": False, "wanted": True})
    if PREEMPT in now:
        drift.append({"setting": PREEMPT, "is": now[PREEMPT][0], "wanted": wanted[PREEMPT]})
    return Surroundings(drift + _file_drift(files, "as rendered"), not loaded, now, [one for one in files if (one.old or "") != one.new])


def apply(node: Node, todo: Surroundings) -> None:
    """Do what must be done, within a transaction.

    Raises:
        NodeError: a command or a file fails.
    """
    if todo.load:
        node.act(["kldload", "-n", "carp"], undo=lambda: _unload(node))
    for name, (old, value) in todo.now.items():
        node.act(["sysctl", "%s=%s" % (name, value)], undo=lambda name=name, old=old: _set_back(node, name, old))  # type: ignore[misc]
    for one in todo.files:
        node.write_text(one.path, one.new, 0o644 if one.old is None else None)


def has_peers(node: Node) -> bool:
    """Whether kernel and programs know unicast peers of CARP, which came with FreeBSD 14."""
    return all(int(node.query(["uname", option]).stdout.strip() or 0) >= _PEERS_SINCE for option in ("-K", "-U"))


def _unload(node: Node) -> None:
    if _module(node)[0]:
        node.query(["kldunload", "carp"])


def _set_back(node: Node, name: str, value: str) -> None:
    node.query(["sysctl", "%s=%s" % (name, value)])


def _module(node: Node) -> Tuple[bool, bool]:
    """Whether the kernel has CARP, and whether it is in the kernel's own file."""
    loaded = node.query(["kldstat", "-q", "-m", "carp"], ok=(0, 1)).status == 0
    return loaded, loaded and node.query(["kldstat", "-q", "-n", "carp.ko"], ok=(0, 1)).status != 0


def _file(node: Node, paths: Sequence[str], block: str, lines: List[str]) -> Boot:
    old = node.read_text(paths[0])
    return Boot(paths[0], old, blocks.put(old or "", block, lines, paths[0]))


def _file_drift(files: Sequence[Boot], wanted: str) -> Drift:
    return [{"setting": "block in %s" % one.path, "is": "other or absent" if wanted != "absent" else "present", "wanted": wanted}
            for one in files if (one.old or "") != one.new]


def _insist(node: Node, paths: Sequence[str], first: Boot, name: str, fine: Sequence[str]) -> None:
    """See whether the last line about a variable says what is wanted; where none says anything, that is fine too."""
    last: Optional[Tuple[str, str]] = None
    for path in paths:
        text = first.new if path == first.path else node.read_text(path) or ""
        for found in re.finditer(r"^[ \t]*%s[ \t]*=[ \t]*\"?([^\s\"#]*)" % re.escape(name), text, re.MULTILINE):
            last = found[1], "%s:%d" % (path, blocks.line_of(text, found.start()))
    if last is not None and last[0] not in fine:
        raise NodeError("%s: %s is set to %s at boot, and wanted is %s; remove that line, and run again" % (last[1], name, last[0] or "nothing", fine[0]))
