# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of a Linux kernel's devices, of what systemd does with a change and its way back, and what a network stack upon them has to tell the tests.

It stands on :class:`SystemdNode`, with the manners that were seen with kernel 6.1 and systemd 252. VLANs vanish with the device below them; what systemd-run
was told happens later than the call that told it; a connection that is made before a change outlives it.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_guard import JOB, LIBRARY, NAME
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode

FOREVER = 0xFFFFFFFF


class LinuxNetwork(ABC):
    """The devices of one simulated node. A subclass is the network stack that keeps them.

    Attributes:
        links: name -> the device, as ``ip -details -json`` shows it.
        routes: as ``ip -json route`` shows them.
        connection: what sshd says of the connection (SSH_CONNECTION), None for none.
        back: the device that answers to it leave by.
        bonding: the kernel has the driver.
        dead: ports without carrier.
        refuses: first words of commands that fail when the change is carried out.
        job: the commands that systemd-run was told and has not carried out yet.
    """

    def __init__(self, node: SystemdNode, ports: List[str], laggs: Tuple[str, ...] = ("bond1", "bond2")) -> None:
        self.node = node
        self.links: Dict[str, Dict[str, Any]] = {}
        self.routes: List[Dict[str, Any]] = []
        self.connection: Optional[str] = None
        self.back = "eth0"
        self.bonding = True
        self.dead: List[str] = []
        self.refuses: List[List[str]] = []
        self.job: Optional[List[List[str]]] = None
        self._job_of = ""
        self._versions: Dict[str, int] = {}
        for number, name in enumerate(ports):
            self._make(name, "02:00:00:00:01:%02x" % number)
        for lagg in laggs:
            node.unit(NAME + lagg + ".timer")
            node.unit(NAME + lagg + ".service").on_start = lambda _node, name=lagg: self.way_back(name)
        node.unit(JOB + ".timer")
        node.unit(JOB + ".service")
        node.kernel = self._kernel
        node.on(["ip"], self._ip)
        node.on(["modprobe"], lambda argv, stdin: Completed(0 if self.bonding else 1, "", ""))
        node.on(["systemd-run"], self._detached)
        node.on(["stat"], lambda argv, stdin: Completed(1, "".join("%o %s\n" % (node.files[path].mode, path) for path in argv[3:] if path in node.files), ""))
        node.on(["systemctl", "disable", "--now"], self._disable_now)
        node.on(["systemctl", "show"], self._show)

    # What a network stack is for the tests

    @abstractmethod
    def configure(self, name: str, addresses: Sequence[str] = (), gateway: Optional[str] = None, vlan: Optional[Tuple[str, int]] = None) -> None:
        """Write the files of a device as a person would: a port, or a VLAN of a parent with a tag."""

    @abstractmethod
    def boot(self) -> None:
        """The kernel follows the files, as when the machine starts."""

    @abstractmethod
    def own_files(self) -> List[str]:
        """The files of the stack that the product has made."""

    # What tests use

    def state(self) -> Dict[str, Tuple[Any, ...]]:
        """All that matters of the devices, to compare before and after."""
        return {name: (link.get("master"), link.get("link"), sorted(item["local"] for item in link["addr_info"])) for name, link in self.links.items()}

    def addresses(self, name: str) -> List[str]:
        return ["%s/%d" % (item["local"], item["prefixlen"]) for item in self.links[name]["addr_info"]]

    def members(self, name: str) -> List[str]:
        return [other for other, link in self.links.items() if link.get("master") == name]

    def kernel(self) -> Dict[str, Tuple[Any, ...]]:
        """The state with the LAGGs' settings and the routes, whatever their order."""
        found = {name: (link["linkinfo"].get("info_data"), link["mtu"], *self.state()[name]) for name, link in self.links.items()}
        return dict(found, routes=tuple(sorted(json.dumps(route, sort_keys=True) for route in self.routes)))

    def restart(self) -> None:
        """The machine starts again: only its ports and its files are left."""
        for name in list(self.links):
            if self.links.get(name, {}).get("linkinfo"):
                self._delete(name)
        for link in self.links.values():
            link["addr_info"] = []
        self.routes = []
        self.boot()

    def expire(self, lagg: str) -> None:
        """The time of the way back is up."""
        assert self.node.units[NAME + lagg + ".timer"].active
        self.way_back(lagg)

    def carry_out(self) -> None:
        """What systemd-run was told happens now."""
        commands, self.job = self.job or [], None
        self.node.units[JOB + ".timer"].active = False
        for words in commands:
            if any(words[:len(one)] == one for one in self.refuses) or self.run(words).status != 0:
                self.way_back(self._job_of)
                return

    def way_back(self, lagg: str) -> None:
        """What the script of that name does."""
        self.job = None
        for line in self.node.text("%s/%s/way-back" % (LIBRARY, lagg)).splitlines():
            words = shlex.split(line) if re.match(r"(step|gone|put) [^(]", line) else []
            if words[:1] == ["gone"] and words[1] in self.links:
                self._delete(words[1])
            elif words[:1] == ["put"]:
                self.node.files[words[2]] = self.node.files[words[1]]
                self._touch(words[2])
            elif words[:2] == ["step", "rm"]:
                self.node.files.pop(words[3], None)
            elif words[:1] == ["step"] and words[1] != "sync":
                assert self.run(words[1:]).status == 0
        self.node.files["%s/%s/put-back" % (LIBRARY, lagg)] = SimulatedFile("now\n")
        timer = self.node.units[NAME + lagg + ".timer"]
        timer.active = timer.enabled = False

    def run(self, words: List[str]) -> Completed:
        """A command of a script."""
        if words[:1] == ["touch"]:
            for path in words[1:]:
                assert path in self.node.files, path
                self._touch(path)
            return Completed(0, "", "")
        try:
            return self.node.query(words, ok=None)
        except NodeError as error:
            return Completed(127, "", str(error))

    # The kernel

    def _make(self, name: str, mac: str, kind: Optional[str] = None, **more: Any) -> Dict[str, Any]:
        link: Dict[str, Any] = {"ifname": name, "flags": ["BROADCAST", "MULTICAST", "UP"], "mtu": 1500, "link_type": "ether", "address": mac, "addr_info": []}
        link["linkinfo"] = {"info_kind": kind, "info_data": more.pop("data", {})} if kind else {}
        link.update(more)
        self.links[name] = link
        return link

    def _delete(self, name: str) -> None:
        for other in [other for other, link in self.links.items() if link.get("link") == name]:
            self._delete(other)
        for other in self.members(name):
            self._release(other)
        del self.links[name]
        self.routes = [route for route in self.routes if route["dev"] != name]

    def _bond(self, name: str, mac: Optional[str], mtu: Optional[str], options: Dict[str, str]) -> Dict[str, Any]:
        """A LAGG by the words of the kernel's driver, made or changed."""
        link = self.links.get(name) or self._make(name, mac or "02:00:00:00:99:99", "bond")
        link["linkinfo"]["info_data"] = {
            "mode": options["mode"], "xmit_hash_policy": options.get("xmit_hash_policy", "layer2"), "ad_lacp_rate": options.get("lacp_rate", "slow"),
            "min_links": int(options.get("min_links", "0")), **({"primary": options["primary"]} if "primary" in options else {})}
        link["mtu"] = int(mtu or "1500")
        return link

    def _join(self, member: str, lagg: str) -> None:
        self.links[member].update(master=lagg, mtu=self.links[lagg]["mtu"])

    def _release(self, member: str) -> None:
        del self.links[member]["master"]
        self.links[member]["mtu"] = 1500

    def _networks(self, name: str, addresses: Sequence[str], gateways: Sequence[str]) -> None:
        """The addresses and routes of a device, and no others."""
        self.links[name]["addr_info"] = [self._item(address) for address in addresses]
        self.routes = [route for route in self.routes if route["dev"] != name]
        self.routes += [{"dst": "default", "gateway": gateway, "dev": name, "protocol": "static"} for gateway in gateways]

    def _item(self, address: str) -> Dict[str, Any]:
        value = ipaddress.ip_interface(address)
        return {"local": str(value.ip), "prefixlen": value.network.prefixlen, "valid_life_time": FOREVER}

    def _touch(self, path: str) -> None:
        self._versions[path] = self._versions.get(path, 0) + 1

    def _up(self, name: str) -> bool:
        link = self.links[name]
        if link["linkinfo"].get("info_kind") == "bond":
            return any(self._up(member) for member in self.members(name))
        return self._up(link["link"]) if "link" in link else name not in self.dead

    def _ip(self, argv: List[str], stdin: Optional[str]) -> Completed:
        if argv[1:] == ["-d", "-j", "-s", "addr"]:
            return Completed(0, json.dumps([self._shown(name) for name in self.links]), "")
        if argv[1:4] == ["-j", "route", "get"]:
            return Completed(0, json.dumps([{"dev": self.back}]), "")
        if argv[2:] == ["-j", "route", "show", "table", "all"]:
            return Completed(0, json.dumps(self.routes if argv[1] == "-4" else []), "")
        if argv[1:2] == ["link"]:
            trouble = self._ip_link(argv[2], argv[4], argv[5:])
            return Completed(2 if trouble else 0, "", trouble or "")
        raise NodeError("the simulator does not know %s" % " ".join(argv))

    def _ip_link(self, verb: str, name: str, words: List[str]) -> Optional[str]:
        """Why it cannot be. The words come in pairs, but for ``down``."""
        given = dict(zip(words[::2], words[1::2]))
        if verb == "add":
            options = {key: value for key, value in given.items() if key not in ("address", "type", "link", "id")}
            if given.get("lacp_rate") and given["mode"] != "802.3ad":
                return "RTNETLINK answers: Operation not permitted"
            self._bond(name, given.get("address"), None, options)
        elif name not in self.links:
            return "Cannot find device"
        elif verb == "delete":
            self._delete(name)
        elif "master" in given:
            if "UP" in self.links[name]["flags"]:
                return "Error: Device can not be enslaved while up."
            self._join(name, given["master"])
            self.links[name]["flags"].append("UP")
        elif "down" in words:
            self.links[name]["flags"].remove("UP")
        elif "mtu" in given:
            for device in [name, *self.members(name)]:
                self.links[device]["mtu"] = int(given["mtu"])
        elif "primary" in given:
            self.links[name]["linkinfo"]["info_data"]["primary"] = given["primary"]
        return None

    def _shown(self, name: str) -> Dict[str, Any]:
        link = dict(self.links[name], flags=self.links[name]["flags"] + (["LOWER_UP"] if self._up(name) else []))
        if "master" in link:
            link["linkinfo"] = dict(link["linkinfo"], info_slave_data={"state": "ACTIVE", "mii_status": "UP" if self._up(name) else "DOWN"})
        return link

    def _kernel(self, path: str) -> Optional[str]:
        if path == "/proc/self/environ":
            return "HOME=/root\0" + ("SSH_CONNECTION=%s\0" % self.connection if self.connection else "")
        return "Name:\tpython3\nPPid:\t0\n" if path == "/proc/self/status" else None

    # systemd

    def _detached(self, argv: List[str], stdin: Optional[str]) -> Completed:
        body, _end, after = argv[-1][len("(set -e\n"):].partition("\n) || ")
        self.job = [shlex.split(line) for line in body.splitlines()]
        self._job_of = after.rsplit("@", 1)[1].rsplit(".service", 1)[0]
        self.node.units[JOB + ".timer"].active = True
        return Completed(0, "", "")

    def _show(self, argv: List[str], stdin: Optional[str]) -> Completed:
        answer = self.node._systemctl(argv, stdin)
        if argv[-1] == JOB + ".timer" and self.job is not None:
            self.carry_out()  # whoever looks a second time sees it done
        return answer

    def _disable_now(self, argv: List[str], stdin: Optional[str]) -> Completed:
        unit = self.node.units[argv[-1]]
        unit.active = unit.enabled = False
        return Completed(0, "", "")
