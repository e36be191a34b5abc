# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the states of flow_probe do: listen, talk, read, stop."""

from __future__ import annotations

import resource
import socket
import time
from functools import partial
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe import processes
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.ports import shares
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.processes import ProbeError, Process, Spec
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.reconnect import Reconnect
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.tcp import TcpClient, TcpServer
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.udp import UdpClient, UdpServer
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.via import Via, open_listener

FLOWS_PER_PROCESS = 5000

_POLL_SECONDS = 0.25
_BACKLOG = 4096


def listen(options: Dict[str, Any], check_mode: bool = False) -> Dict[str, Any]:
    """Start the server's side, unless it already runs with these options.

    ``options``: name, address, port, flows, udp_flows, tcp_interval, udp_interval, lifetime (s).
    """
    return _start("server", options, ("address", "port", "flows", "udp_flows", "tcp_interval", "udp_interval", "lifetime"), check_mode)


def talk(options: Dict[str, Any], check_mode: bool = False) -> Dict[str, Any]:
    """Start the client's side, unless it already runs with these options; returns when every flow has been answered.

    ``options``: name, peer, port, flows, udp_flows, tcp_interval, udp_interval, lifetime (s), timeout (s).

    Raises:
        ProbeError: not all flows were answered in time; nothing is left running then.
    """
    result = _start("client", options, ("peer", "port", "flows", "udp_flows", "tcp_interval", "udp_interval", "lifetime"), check_mode)
    if not check_mode:
        result.update(_wait_until_answered(options))
    return result


def stop(name: str, check_mode: bool = False) -> Dict[str, Any]:
    """End the probe; nothing to do when there is none."""
    folder = processes.folder_of(name)
    if check_mode:
        return {"changed": bool(processes.find(folder))}
    return {"changed": processes.stop(folder)}


def running(name: str) -> List[Process]:
    """The processes of the probe.

    Raises:
        ProbeError: there is none of this name, or one of its processes has ended before its time.
    """
    folder = processes.folder_of(name)
    found = processes.find(folder)
    if not found:
        raise ProbeError("no probe named %s runs on this host: it was never started, was stopped, or its lifetime is over" % name)
    for process in found:
        if not process.alive:
            raise ProbeError("process %s of probe %s has ended (%s); stop the probe and start again"
                             % (process.name, name, processes.last_words(folder, process.name)))
    return found


def resolve(host: str, port: int) -> Tuple[int, Tuple[Any, ...]]:
    """Address family and socket address of a name or address."""
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ProbeError("cannot resolve %s: %s" % (host, error.strerror or error)) from error
    return family, address


def flows_per_process() -> int:
    """How many flows one process may carry under this host's limit on open files, which is raised as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 4 * FLOWS_PER_PROCESS)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # The server's share of the flows is a matter of chance, and those that are about to open need files too: hence a quarter to spare.
    return max(1, min(FLOWS_PER_PROCESS, hard * 3 // 4))


def _start(role: str, options: Dict[str, Any], keys: Tuple[str, ...], check_mode: bool) -> Dict[str, Any]:
    folder = processes.folder_of(options["name"])
    wanted = dict({key: options[key] for key in keys}, role=role)
    found = processes.find(folder)
    if found and all(process.alive and process.options == wanted for process in found):
        return {"changed": False, "processes": len(found)}
    if check_mode:
        return {"changed": True, "processes": 0}
    processes.stop(folder)
    specs = _server(options) if role == "server" else _client(options)
    return {"changed": True, "processes": len(processes.start(folder, specs, wanted))}


def _server(options: Dict[str, Any]) -> List[Spec]:
    family, address = resolve(options["address"], options["port"])
    lifetime, flows, udp_flows = options["lifetime"], options["flows"], options["udp_flows"]
    specs = []
    if flows:
        _refuse_taken_port(family, address)
    for index in range(-(-flows // flows_per_process())):
        listener = _bound(family, socket.SOCK_STREAM, address, shared=True)
        listener.listen(_BACKLOG)
        build = partial(TcpServer, lifetime=lifetime, interval=options["tcp_interval"], listener=listener)
        specs.append(Spec("tcp-%d" % index, build, (listener,)))
    if udp_flows:
        receiver = _bound(family, socket.SOCK_DGRAM, address)
        specs.append(Spec("udp", partial(UdpServer, lifetime=lifetime, interval=options["udp_interval"], flows=udp_flows, receiver=receiver), (receiver,)))
        specs.extend(_via(family, options["port"], True, lifetime))
    return specs


def _client(options: Dict[str, Any]) -> List[Spec]:
    family, peer = resolve(options["peer"], options["port"])
    lifetime, flows, udp_flows = options["lifetime"], options["flows"], options["udp_flows"]
    specs = []
    if udp_flows:
        specs.append(Spec("udp", partial(UdpClient, lifetime=lifetime, interval=options["udp_interval"], flows=udp_flows, family=family, peer=peer)))
        specs.extend(_via(family, options["port"], False, lifetime))
    if flows:
        share = flows_per_process()
        firsts = range(0, flows, share)
        ports = shares(len(firsts) + 1)
        for index, first in enumerate(firsts):
            specs.append(Spec("tcp-%d" % index, partial(TcpClient, lifetime=lifetime, interval=options["tcp_interval"], family=family, peer=peer,
                                                        ports=ports[index], first=first, count=min(share, flows - first))))
        specs.append(Spec("reconnect", partial(Reconnect, lifetime=lifetime, family=family, peer=peer, ports=ports[-1])))
    return specs


def _via(family: int, port: int, destination: bool, lifetime: float) -> List[Spec]:
    listener = open_listener(family, port, destination)
    return [] if listener is None else [Spec("via", partial(Via, lifetime=lifetime, listener=listener), (listener,))]


def _refuse_taken_port(family: int, address: Tuple[Any, ...]) -> None:
    """The shared listeners would join one that a former probe of this user has left open, and lose flows to it: look first."""
    _bound(family, socket.SOCK_STREAM, address).close()


def _bound(family: int, kind: int, address: Tuple[Any, ...], shared: bool = False) -> socket.socket:
    one = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(address)
    except OSError as error:
        one.close()
        protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        raise ProbeError("cannot listen on %s port %d (%s): %s" % (address[0], address[1], protocol, error.strerror)) from error
    return one


def _wait_until_answered(options: Dict[str, Any]) -> Dict[str, Any]:
    end = time.monotonic() + options["timeout"]
    while True:
        opened, failed, errors, heard = _openings(options["name"])
        if opened == options["flows"] and heard == options["udp_flows"]:
            return {"opened": opened, "udp_heard": heard}
        if failed or time.monotonic() >= end:
            processes.stop(processes.folder_of(options["name"]))
            detail = "; ".join("%s: %d" % item for item in sorted(errors.items())) or "no refusal, just no answer"
            raise ProbeError(
                "opened %d of %d TCP flows to %s port %d within %d s (%s), and %d of %d UDP flows were answered; the probe was stopped. Is the "
                "server's side listening with the same port and udp_flows, and does the firewall let both protocols through?"
                % (opened, options["flows"], options["peer"], options["port"], options["timeout"], detail, heard, options["udp_flows"]))
        time.sleep(_POLL_SECONDS)


def _openings(name: str) -> Tuple[int, int, Dict[str, int], int]:
    answers = processes.ask(processes.folder_of(name), running(name), {"ask": "status", "after": 0})
    errors: Dict[str, int] = {}
    tcp = [answer for process, answer in answers.items() if process.startswith("tcp-")]
    for answer in tcp:
        for reason, count in answer["errors"].items():
            errors[reason] = errors.get(reason, 0) + count
    udp: Optional[Dict[str, Any]] = answers.get("udp")
    return sum(answer["opened"] for answer in tcp), sum(answer["failed"] for answer in tcp), errors, udp["heard"] if udp else 0
