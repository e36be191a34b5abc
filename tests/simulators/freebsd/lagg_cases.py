# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node for LAGGs on FreeBSD, the calls of a run as the action plugin makes them, and what there is to compare."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, devices, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import AT_BOOT, FOLDER
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import lagg as capability
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.lagg_calls import LONG, NOTHING, Calls, fresh, hosting
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import node as nodes
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.shell_node import Host, ShellNode
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
HOOK = AT_BOOT
DEMOTION = 240
PROGRAMS = ("sysrc", "ifconfig", "service", "pfctl")  # of the long way back

calls = Calls(capability)
call, whole, count = calls.call, calls.whole, calls.count


@contextmanager
def booting(folder: Path) -> Iterator[Callable[..., ShellNode]]:
    """Makes nodes that have started with this rc.conf, and more of it."""
    with hosting(Host, ShellNode) as start:
        def booted(more: str = "", came_in: str = "198.51.100.130", rc_conf: str = RC_CONF, **files: str) -> ShellNode:
            machine = nodes.node(fresh(folder)).machine
            machine.put("/etc/rc.conf", rc_conf + more)
            for name, text in files.items():
                machine.put("/etc/" + name.replace("_", ".", 1), text)
            return start(machine, came_in)
        yield booted


def filtering(booted: Callable[..., ShellNode]) -> ShellNode:
    """A node on which pf runs."""
    return booted('pf_enable="YES"\n', pf_conf=PF_CONF)


def hooked(node: ShellNode) -> bool:
    """Whether the script is started at boot."""
    return node.read_text(HOOK) is not None


def demotion(node: ShellNode) -> int:
    """How much CARP is demoted."""
    return int(node.machine.sysctl["net.inet.carp.demotion"])


def lose_member(node: ShellNode) -> None:
    """The LAGG is not as wanted any more."""
    node.query(["ifconfig", "lagg0", "-laggport", "em3"])


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


def as_set_up(node: ShellNode) -> tuple[Any, ...]:
    """All of it but the order of variables, which may change places when they are set and taken back."""
    return as_it_runs(node), capability.rc.read(node), node.read_text("/etc/pf.conf")


def go_the_long_way_back(node: ShellNode) -> None:
    """Somebody has changed rc.conf, so that variables are taken back one by one."""
    node.machine.put("/etc/rc.conf", str(node.read_text("/etc/rc.conf")) + "\n")


def everything(node: ShellNode) -> tuple[Any, ...]:
    return files(node), as_it_runs(node)


def clean(node: ShellNode) -> bool:
    folder = node.root / FOLDER[1:]
    return not Guard(node).armed() and node.read_text(HOOK) is None and not (folder.exists() and list(folder.iterdir()))


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
