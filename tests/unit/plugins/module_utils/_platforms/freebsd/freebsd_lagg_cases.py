# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node for LAGGs on FreeBSD, the calls of a run as the action plugin makes them, and what there is to compare."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, devices, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import AT_BOOT, FOLDER
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import lagg as capability
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import node as nodes
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.shell_node import ShellNode
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import lagg

# em0 is the LAN with VLAN 10, em1 Sync, em2 the WAN; em3 is free. One comes in by em1.
RC_CONF = """# what somebody wrote
hostname="fw1.example.net"
ifconfig_em0="inet 192.0.2.2/24" # the LAN
ifconfig_em0_descr="LAN"
ifconfig_em0_alias0="inet 192.0.2.9/32"
vlans_em0="10"
ifconfig_em0_10="inet 198.51.100.34/27"
ifconfig_em1="inet 198.51.100.130/28"
ifconfig_em2="inet 203.0.113.2/24"
defaultrouter="203.0.113.254"
static_routes="far"
route_far="-net 10.9.0.0/16 192.0.2.254"
sshd_enable="YES"
"""
PF_CONF = """lan = "em0"
set skip on lo0
block log all
pass in on $lan proto tcp to (em0) port 22
pass on em1 proto pfsync
pass out on em2 from em0:network
"""
CAME_IN = "198.51.100.131 50000 %s 22"
LONG = 10000  # seconds of the machine, fifty of which are one here
NOTHING: dict[str, Any] = {"drift": [], "validation": "not needed", "next": None, "within": None, "confirmed": [], "put_back": [], "warnings": []}


def call(node: ShellNode, *laggs: dict[str, Any], stage: str = "begin", **changes: Any) -> dict[str, Any]:
    """One call of the module, with time enough for a machine that has much to do."""
    return capability.apply(node, dict({"laggs": list(laggs), "stack": "auto", "rollback_timeout": 3000, "peer_ready": False, "stage": stage}, **changes))


def whole(node: ShellNode, *laggs: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """All calls of a run; commands and diffs of all of them are in the node's own account."""
    results = [call(node, *laggs, **changes)]
    while results[-1]["next"]:
        results.append(call(node, *laggs, stage=results[-1]["next"], **changes))
    node.host.rest()
    return results


def rows(node: ShellNode) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in devices.rows(devices.links(node), {}, {})}


def as_it_runs(node: ShellNode) -> tuple[Any, ...]:
    """All but whether the port that was free is up, for it stays so."""
    found = {name: {key: value for key, value in row.items() if name != "em3" or key not in ("up", "speed")} for name, row in rows(node).items()
             if row["kind"] != "other"}
    machine = node.machine
    sync = node.query(["ifconfig", "pfsync0"], ok=None)
    rules = node.query(["pfctl", "-sr"], ok=None).stdout
    return (found, carp.running(node), pfsync.parse(sync.stdout).device, machine.sysctl.get("net.inet.carp.demotion"), sorted(machine.routes.entries), rules,
            {name: one.description for name, one in machine.interfaces.items()}, sorted(machine.leases.clients))


def files(node: ShellNode) -> tuple[Any, ...]:
    return tuple(node.read_text("/etc/" + name) for name in ("rc.conf", "rc.conf.local", "pf.conf"))


def everything(node: ShellNode) -> tuple[Any, ...]:
    return files(node), as_it_runs(node)


def clean(node: ShellNode) -> bool:
    folder = node.root / FOLDER[1:]
    return not Guard(node).armed() and node.read_text(AT_BOOT) is None and not (folder.exists() and list(folder.iterdir()))


def second(node: ShellNode, **changes: Any) -> None:
    """A run that finds nothing to do, with and without the moves that there were."""
    for wanted in (lagg(**changes), lagg(moves=[], **changes)):
        again, before, ran = node.again(), everything(node), len(node.machine.commands)
        assert call(again, wanted) == NOTHING
        assert (again.commands, again.diffs, node.machine.changes(ran), everything(node)) == ([], [], [], before)


CARP = 'ifconfig_em0_alias1="inet vhid 10 advskew %d pass geheim alias 192.0.2.1/32"\n'
PREEMPT = "net.inet.carp.preempt=1\n"


def carp_pair(booted: Callable[..., ShellNode], peer: bool, advskew: int) -> ShellNode:
    """A node with a virtual address on em0, and perhaps another one with advskew 100."""
    node = booted(CARP % advskew + 'kld_list="carp"\n', sysctl_conf=PREEMPT)
    if peer:
        with node.host.lock:
            other = nodes.node(node.root.parent / "peer", node.machine.network.shared, 1, "fw2").machine
            other.put("/etc/rc.conf", str(other.text("/etc/rc.conf")) + CARP % 100 + 'kld_list="carp"\n')
            other.put("/etc/sysctl.conf", PREEMPT)
            other.boot()
    assert node.wait_for(lambda: {item.state for item in carp.running(node)} == {"standby" if peer and advskew > 100 else "active"}, LONG)
    return node


NETIF = "/etc/rc.conf.d/netif"
BLOCK = """# BEGIN hafirewall.cluster virtual_ip edge
# lan_10
ifconfig_em0_aliases="${ifconfig_em0_aliases} inet 192.0.2.1/24 vhid 10 advskew 200 pass geheim"
# END hafirewall.cluster virtual_ip edge
"""


def with_block(booted: Callable[..., ShellNode]) -> ShellNode:
    """The same where the virtual address is in a file that root alone can read."""
    node = carp_pair(booted, True, 200)
    node.machine.put("/etc/rc.conf", str(node.read_text("/etc/rc.conf")).replace(CARP % 200, ""))
    node.machine.put(NETIF, BLOCK)
    node.machine.path(NETIF).chmod(0o600)
    node.boot()
    assert node.wait_for(lambda: [(item.device, item.state) for item in carp.running(node)] == [("em0", "standby")], LONG)
    return node
