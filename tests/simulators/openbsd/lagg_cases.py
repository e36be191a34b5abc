# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node for LAGGs on OpenBSD, the calls of a run as the action plugin makes them, and what there is to compare."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import FOLDER
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ifconfig
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import lagg as capability
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.tests.simulators import lagg_options
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.lagg_calls import LONG, NOTHING, Calls, fresh, hosting
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import move
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import node as nodes
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.shell_node import Host, ShellNode

# em0 is the LAN with VLAN 10, em1 Sync, em2 the WAN; em3 is free. One comes in by em1.
EM0 = """# the LAN
inet 192.0.2.2 255.255.255.0 NONE description "LAN"
inet alias 192.0.2.9 255.255.255.255
mtu 1500
up
"""
FILES: dict[str, str | None] = {
    "hostname.em0": EM0, "hostname.vlan10": "vnetid 10 parent em0\ninet 198.51.100.34 255.255.255.224\n", "hostname.em3": None,
    "mygate": "192.0.2.254\n", "pf.conf": """lan = "em0"
set skip on lo0
block log all
pass in on $lan proto tcp to (em0) port 22
pass on em1 proto pfsync
pass out on em2 from em0:network
"""}
HOOK = "/etc/rc.local"
DEMOTION = 128
PROGRAMS = ("ifconfig", "sh", "pfctl")  # of the way back
GEHEIM = "geheim"

calls = Calls(capability)
call, whole, count = calls.call, calls.whole, calls.count


@contextmanager
def booting(folder: Path) -> Iterator[Callable[..., ShellNode]]:
    """Makes nodes that have started with these files of /etc beside the usual ones, on which scripts run; None takes one away."""
    with hosting(Host, ShellNode) as start:
        def booted(more: dict[str, str | None] | None = None, came_in: str = "198.51.100.130") -> ShellNode:
            machine = nodes.node(fresh(folder)).machine
            for name, text in {**FILES, **(more or {})}.items():
                if text is not None:
                    machine.put("/etc/" + name, text, 0o640)
                elif machine.path("/etc/" + name).exists():
                    machine.path("/etc/" + name).unlink()
            return start(machine, came_in)
        yield booted


def filtering(booted: Callable[..., ShellNode]) -> ShellNode:
    """A node on which pf runs, as it does unless somebody has turned it off."""
    return booted()


def hooked(node: ShellNode) -> bool:
    """Whether the script is started at boot."""
    return node.read_text(HOOK) is not None


def lose_member(node: ShellNode) -> None:
    """The LAGG is not as wanted any more."""
    node.query(["ifconfig", "trunk0", "-trunkport", "em3"])


def lagg(**changes: Any) -> dict[str, Any]:
    """em0 with what is on it goes onto trunk0, with em3 as the second member; its VLAN keeps its name."""
    name = changes.get("name", "trunk0")
    usual = {"name": name, "vlans": [{"name": "vlan10", "id": 10}], "moves": [move("em0", name), move("vlan10", "vlan10", 10)]}
    return lagg_options.lagg(**dict(usual, **changes))


def lacp(**changes: Any) -> dict[str, Any]:
    """The same onto aggr0."""
    return lagg(**dict({"name": "aggr0", "protocol": "lacp", "primary": None}, **changes))


def rows(node: ShellNode) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in devices.rows(ifconfig.links(node), {}, {})}


def as_it_runs(node: ShellNode) -> tuple[Any, ...]:
    """All but what is made up at each start, and whether the port that was free is up, for it stays so."""
    found = {name: row for name, row in rows(node).items() if not name.startswith("carp")}
    for name, row in found.items():
        row["addresses"] = [one for one in row["addresses"] if not one.startswith("fe80:")]
        for one in ("up", "speed") if name == "em3" else ():
            del row[one]
        if row["lagg"] is not None:
            del row["lagg"]["aggregator"]  # it has the kernel's number of the device
    machine = node.machine
    virtual = [(carp.name, carp.instance._replace(state=None)) for carp in ifconfig.carps(node.query(ifconfig.ALL).stdout)]
    return (found, virtual, machine.pfsync.syncdev, node.query(["pfctl", "-sr"]).stdout, machine.gateway_by,
            {name: one.description for name, one in machine.interfaces.items() if one.description})


def files(node: ShellNode) -> dict[str, str]:
    """Everything in /etc."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((node.root / "etc").iterdir()) if path.is_file()}


def everything(node: ShellNode) -> tuple[Any, ...]:
    return files(node), as_it_runs(node), demotion(node)


as_set_up = everything


def go_the_long_way_back(_node: ShellNode) -> None:
    """There is one only."""


def demotion(node: ShellNode) -> int:
    """How much CARP is demoted."""
    return int(node.machine.interfaces.demoted["carp"])


def clean(node: ShellNode) -> bool:
    folder = node.root / FOLDER[1:]
    return not Guard(node).armed() and node.read_text(HOOK) is None and not (folder.exists() and list(folder.iterdir()))


def second(node: ShellNode, *laggs: dict[str, Any]) -> None:
    """A run that finds nothing to do, with and without the moves that there were."""
    for wanted in (list(laggs) or [lagg()], [dict(one, moves=[]) for one in laggs or [lagg()]]):
        again, before, ran = node.again(), everything(node), len(node.machine.commands)
        assert call(again, *wanted) == NOTHING
        assert (again.commands, again.diffs, node.machine.changes(ran), everything(node)) == ([], [], [], before)


def carp_pair(booted: Callable[..., ShellNode], peer: bool, advskew: int) -> ShellNode:
    """A node with a virtual address on em0, and perhaps another one with advskew 100."""
    text = "inet 192.0.2.1 255.255.255.0 192.0.2.255 vhid 10 carpdev em0 advbase 1 advskew %d pass " + GEHEIM + "\n"
    node = booted({"hostname.carp10": text % advskew, "pf.conf": "pass\n", "sysctl.conf": "net.inet.carp.preempt=1\n"})
    if peer:
        with node.host.lock:
            other = nodes.node(node.root.parent / "peer", node.machine.network.shared, 1, "fw2").machine
            other.put("/etc/hostname.carp10", text % 100, 0o640)
            other.put("/etc/sysctl.conf", "net.inet.carp.preempt=1\n")
            other.boot()
    assert node.wait_for(lambda: {item.state for item in ifconfig.running(node)} == {"standby" if peer and advskew > 100 else "active"}, LONG)
    return node
