# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of systemd-networkd upon :class:`LinuxNetwork`, with the manners that were seen with systemd 252.

A LAGG that is there never changes its mode; a device whose file stayed the same is not configured again.
"""

from __future__ import annotations

import json
import re
from typing import Dict, List, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.linux_network import LinuxNetwork
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode

FOLDER = "/etc/systemd/network/"
_OPTIONS = {"Mode": "mode", "TransmitHashPolicy": "xmit_hash_policy", "LACPTransmitRate": "lacp_rate", "MinLinks": "min_links"}


class NetworkdNetwork(LinuxNetwork):
    """See the module."""

    def __init__(self, node: SystemdNode, ports: List[str]) -> None:
        super().__init__(node, ports)
        self._applied: Dict[str, Tuple[str, str, int]] = {}
        node.on(["networkctl"], self._networkctl)
        node.on(["systemd-analyze", "cat-config"], self._cat)
        node.on(["grep"], self._grep)

    def configure(self, name: str, addresses: Sequence[str] = (), gateway: Optional[str] = None, vlan: Optional[Tuple[str, int]] = None) -> None:
        lines = ["[Match]", "Name=" + name, "[Network]", *("Address=" + address for address in addresses), *(["Gateway=" + gateway] if gateway else [])]
        self.write("20-%s.network" % name, "\n".join(lines) + "\n")
        if vlan is not None:
            self.write("20-%s.netdev" % name, "[NetDev]\nName=%s\nKind=vlan\n[VLAN]\nId=%d\n" % (name, vlan[1]))
            below = "20-%s.network" % vlan[0]
            self.write(below, self.node.text(FOLDER + below) + "VLAN=%s\n" % name)

    def boot(self) -> None:
        self._applied = {}
        self.reload()

    def own_files(self) -> List[str]:
        return [path for path in self.node.files if path.startswith(FOLDER + "05-hafirewall-")]

    def write(self, path: str, text: str) -> None:
        self.node.files[FOLDER + path] = SimulatedFile(text)

    def _delete(self, name: str) -> None:
        super()._delete(name)
        self._applied.pop(name, None)

    def reload(self) -> None:
        """Makes what is missing, and configures the devices whose file is another one, or newer, than before."""
        for path in self._sorted(".netdev"):
            values = self._values(path)
            if values.get("Kind") == ["bond"] and values["Name"][0] not in self.links:
                options = {_OPTIONS[key]: values[key][0] for key in _OPTIONS if key in values}
                self._bond(values["Name"][0], values.get("MACAddress", [None])[0], values.get("MTUBytes", [None])[0], options)
        for name in sorted(self.links, key=lambda name: self.links[name]["linkinfo"].get("info_kind") == "bond"):
            self._configure(name)

    def _configure(self, name: str) -> None:
        path = self.file(name)
        now = (path or "", self.node.text(path) if path else "", self._versions.get(path or "", 0))
        if self._applied.get(name, ("", "", 0)) == now or name not in self.links:
            return
        self._applied[name] = now
        link, values = self.links[name], self._values(path) if path else {}
        self._networks(name, values.get("Address", []), values.get("Gateway", []))
        if "master" in link:
            self._release(name)
        for lagg in values.get("Bond", []):
            if lagg in self.links:
                self._join(name, lagg)
                if values.get("PrimarySlave"):
                    self.links[lagg]["linkinfo"]["info_data"]["primary"] = name
        for vlan in [word for line in values.get("VLAN", []) for word in line.split()]:
            if vlan not in self.links:
                origin = next(one for one in self._sorted(".netdev") if self._values(one).get("Name") == [vlan])
                self._make(vlan, link["address"], "vlan", link=name, data={"id": int(self._values(origin)["Id"][0])})
                self._configure(vlan)

    def file(self, name: str) -> Optional[str]:
        return next((path for path in self._sorted(".network") if self._values(path).get("Name") == [name]), None)

    def _sorted(self, ending: str) -> List[str]:
        return sorted((path for path in self.node.files if path.startswith(FOLDER) and path.endswith(ending)), key=lambda path: path.rsplit("/", 1)[1])

    def _values(self, path: str) -> Dict[str, List[str]]:
        found: Dict[str, List[str]] = {}
        for line in self.node.text(path).splitlines():
            key, equals, value = line.partition("=")
            if equals and not key.startswith("#"):
                found.setdefault(key.strip(), []).append(value.strip())
        return found

    def _networkctl(self, argv: List[str], stdin: Optional[str]) -> Completed:
        if argv[1] == "reload":
            self.reload()
            return Completed(0, "", "")
        rows = [{"Name": name, "AdministrativeState": "configured" if self.file(name) else "unmanaged", "NetworkFile": self.file(name)} for name in self.links]
        return Completed(0, json.dumps({"Interfaces": rows}), "")

    def _cat(self, argv: List[str], stdin: Optional[str]) -> Completed:
        path = FOLDER + argv[2].rsplit("/", 1)[1]
        return Completed(0, "# %s\n%s" % (path, self.node.text(path)), "")

    def _grep(self, argv: List[str], stdin: Optional[str]) -> Completed:
        pattern = argv[3].replace("[[:space:]]", r"\s")
        found = [path for path in self._sorted(".netdev") if re.search(pattern, self.node.text(path), re.MULTILINE)]
        return Completed(0 if found else 1, "".join(path + "\n" for path in found), "")
