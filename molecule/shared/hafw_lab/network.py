# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces, bridges and cables.

One namespace is the switch: a bridge per segment and the controller's address on the management segment. Every container has a namespace of its own.
A cable is a veth pair, that of a virtual machine a tap device; all cables of a node are one link group in the switch, so that one kernel request
takes them away together.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from . import topology
from .system import LabError, run, wait_for

NETNS = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
T = TypeVar("T")


def exists(namespace: str) -> bool:
    """Whether a namespace of this name is there."""
    return (NETNS / namespace).exists()


def existing() -> list[str]:
    """Names of all namespaces on the machine."""
    return sorted(path.name for path in NETNS.iterdir()) if NETNS.is_dir() else []


def batch(namespace: str, *commands: str) -> None:
    """Several ip commands in one run inside the namespace; the first that fails ends it with LabError."""
    run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(commands) + "\n")


def inside(namespace: str, work: Callable[[], T]) -> T:
    """Call work with this namespace's network: for sockets and /proc/sys/net. Only a thread of its own ever changes namespace."""
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            descriptor = os.open(NETNS / namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if libc.setns(descriptor, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"cannot enter namespace {namespace}")
            finally:
                os.close(descriptor)
            results.append(work())
        except BaseException as error:
            errors.append(error)  # raised in the caller's thread

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _set(settings: dict[str, str]) -> None:
    """Write those sysctls that this kernel has, in the namespace of the calling thread."""
    for key, value in settings.items():
        target = Path("/proc/sys") / key
        if target.exists():
            target.write_text(value)


def create_switch(lab: str) -> None:
    """Make the switch unless it is there, complete."""
    name = topology.namespace(lab, topology.SWITCH)
    if exists(name):
        if topology.CONTROLLER in run(["ip", "-n", name, "-brief", "address", "show", "dev", "br-mgmt"], check=False).stdout:
            return  # the address is what is made last
        delete(name)
    run(["ip", "netns", "add", name])
    # A switch has no address on the segments that it connects, forwards no packet itself, and lets no packet filter see frames.
    quiet = {f"net/ipv6/conf/{each}/disable_ipv6": "1" for each in ("all", "default")}
    quiet |= {"net/ipv4/ip_forward": "0"} | {f"net/bridge/bridge-nf-call-{each}tables": "0" for each in ("ip", "ip6", "arp")}
    inside(name, lambda: _set(quiet))
    commands = ["link set lo up"]
    for segment in topology.SEGMENTS:
        # With snooping the multicast of VRRP and conntrackd may be dropped: nobody here asks who listens.
        commands += [f"link add br-{segment} type bridge mcast_snooping 0 stp_state 0 forward_delay 0", f"link set br-{segment} up"]
    batch(name, *commands, f"addr add {topology.CONTROLLER} dev br-mgmt")


def create_node(lab: str, node: topology.Node, *, addressed: bool = False) -> None:
    """Make the node's new, empty namespace and plug in its cables; with addressed also give it its addresses (a node does that itself)."""
    name, switch = topology.namespace(lab, node.name), topology.namespace(lab, topology.SWITCH)
    run(["ip", "netns", "add", name])
    # Before any device exists: an address is usable at once instead of after duplicate address detection.
    inside(name, lambda: _set({f"net/ipv6/conf/{each}/{key}": "0" for each in ("all", "default") for key in ("accept_dad", "dad_transmits", "accept_ra")}))
    commands = []
    for port in node.ports:
        end = topology.cable(node.name, port.device)
        commands.append(f"link add {end} group {node.number} type veth peer name {port.device} address {node.mac(port.device)} netns {name}")
        commands.append(f"link set {end} master br-{port.segment} up")
    batch(switch, *commands)
    if addressed:
        own = ["link set lo up", *(f"link set {port.device} up" for port in node.ports)]
        batch(name, *own, *(f"addr add {address} dev {port.device}" for port in node.ports for address in port.addresses))


def plug_taps(lab: str, node: topology.Node) -> None:
    """Plug in the cables of a virtual machine: it opens the other ends itself."""
    commands = []
    for port in switched(node):
        end = topology.cable(node.name, port.device)
        commands += [f"tuntap add dev {end} mode tap", f"link set {end} group {node.number} master br-{port.segment} up"]
    batch(topology.namespace(lab, topology.SWITCH), *commands)


def switched(node: topology.Node) -> list[topology.Port]:
    """The ports that are plugged into the switch; the others' cables lead to another node."""
    return [port for port in node.ports if port.segment in topology.SEGMENTS]


def unplug(lab: str, node: topology.Node) -> float:
    """Take away all cables of the node in one request: from then on it neither sends nor answers. Returns when the request was made, epoch seconds."""
    switch = topology.namespace(lab, topology.SWITCH)
    at = time.time()
    if exists(switch):
        run(["ip", "-n", switch, "link", "delete", "group", str(node.number)], check=False)  # fails when there is none, which is checked next
        left = ports(lab, node.name)
        if left:
            raise LabError(f"the cables of {node.name} cannot be taken away: {', '.join(left)}")
    return at


def ports(lab: str, node: str) -> dict[str, bool]:
    """The node's plugged cables by device name, and whether each is connected."""
    switch = topology.namespace(lab, topology.SWITCH)
    if not exists(switch):
        return {}
    links = json.loads(run(["ip", "-n", switch, "-json", "link", "show"]).stdout or "[]")
    prefix = f"{node}-"
    return {link["ifname"].removeprefix(prefix): "UP" in link["flags"] for link in links if link.get("ifname", "").startswith(prefix)}


def set_cables(lab: str, node: topology.Node, devices: list[str], up: bool) -> float:
    """Connect or pull cables at the switch: a container sees its carrier come or go, as with a real one. Returns when it was asked for, epoch seconds."""
    state = "up" if up else "down"
    plugged = [port for port in map(node.port, devices) if port in switched(node)]
    at = time.time()
    batch(topology.namespace(lab, topology.SWITCH), *(f"link set {topology.cable(node.name, port.device)} {state}" for port in plugged))
    return at


def greets(lab: str, address: str, seconds: float) -> bool:
    """Whether an ssh server answers on the management address within seconds."""

    def ask() -> bool:
        try:
            with socket.create_connection((address, 22), timeout=seconds) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    return inside(topology.namespace(lab, topology.SWITCH), ask)


def pids(namespace: str) -> list[int]:
    """Processes that live in the namespace."""
    return [int(word) for word in run(["ip", "netns", "pids", namespace], check=False).stdout.split()]


def end_relays(lab: str, address: str) -> None:
    """End the relays of ssh connections to a node that is gone: they would keep ssh waiting for an answer that never comes."""
    for pid in pids(topology.namespace(lab, topology.SWITCH)):
        try:
            argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if argv[0].endswith(b"nc") and address.encode() in argv:
                os.kill(pid, signal.SIGTERM)
        except (FileNotFoundError, ProcessLookupError):
            continue


def delete(namespace: str) -> None:
    """Remove a namespace for good: with the processes that would keep it alive."""
    if not exists(namespace):
        return

    def empty() -> bool:
        left = [pid for pid in pids(namespace) if pid != os.getpid()]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not left

    if not wait_for(empty, 5, 0.02):
        raise LabError(f"processes in namespace {namespace} do not die: {pids(namespace)}")
    run(["ip", "netns", "delete", namespace])
