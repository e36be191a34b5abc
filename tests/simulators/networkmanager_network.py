# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of NetworkManager upon :class:`LinuxNetwork`, with the manners that were seen with NetworkManager 1.42.

It reads files only when it is told to, and those that others may read never; it says so and exits with 0. A profile whose file is gone takes its device with
it. What comes up by itself never takes a port from another profile, and a port without one gets one that is in memory only. Whoever names a profile that
is not there is told so with status 10. The name of a profile, of its file and of its device are three different things.
"""

from __future__ import annotations

import configparser
import io
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.linux_network import LinuxNetwork
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode

FOLDER = "/etc/NetworkManager/system-connections/"
MEMORY = "/run/NetworkManager/system-connections/"
_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad")
_ONLY_WITH = {"lacp_rate": ("802.3ad",), "primary": ("active-backup",), "xmit_hash_policy": ("balance-xor", "802.3ad")}


class Loaded(NamedTuple):
    """A profile as it was when it was read."""

    path: str
    file: configparser.RawConfigParser

    def says(self, section: str, key: str) -> str:
        return self.file.get(section, key, fallback="")

    @property
    def device(self) -> str:
        return self.says("connection", "interface-name")

    @property
    def kind(self) -> str:
        return self.says("connection", "type")


class NetworkManagerNetwork(LinuxNetwork):
    """See the module.

    Attributes:
        loaded: UUID -> the profile as NetworkManager knows it.
        active: device -> UUID of the profile that is on it.
        unmanaged: devices that it leaves alone.
        offline: nmcli knows --offline.
        not_understood: options of a LAGG that it leaves out without a word.
    """

    def __init__(self, node: SystemdNode, ports: List[str]) -> None:
        super().__init__(node, ports)
        self.loaded: Dict[str, Loaded] = {}
        self.active: Dict[str, str] = {}
        self.unmanaged: List[str] = []
        self.offline = True
        self.not_understood: List[str] = []
        node.on(["nmcli"], lambda argv, stdin: Completed(2, "", "Error: the simulator does not know %s" % " ".join(argv)))
        node.on(["nmcli", "--terse", "--escape", "no", "--fields", "UUID,DEVICE,FILENAME", "connection", "show"], self._show_connections)
        node.on(["nmcli", "--terse", "--escape", "no", "--fields", "DEVICE,STATE,CON-UUID", "device", "status"], self._show_devices)
        node.on(["nmcli", "--offline", "connection", "modify"], self._judge)
        node.on(["nmcli", "connection", "load"], self._load)
        node.on(["nmcli", "--wait", "30", "connection", "up", "uuid"], self._told_up)

    def configure(self, name: str, addresses: Sequence[str] = (), gateway: Optional[str] = None, vlan: Optional[Tuple[str, int]] = None) -> None:
        number = len([path for path in self.node.files if path.startswith(FOLDER)])
        lines = ["[connection]", "id=The %s" % name, "uuid=11111111-1111-4111-8111-%012d" % number, "type=%s" % ("vlan" if vlan else "ethernet"),
                 "interface-name=" + name, "timestamp=1795629684", ""]
        lines += ["[vlan]", "id=%d" % vlan[1], "parent=" + vlan[0], ""] if vlan else ["[ethernet]", ""]
        for version, family in (("ipv4", "."), ("ipv6", ":")):
            own = [address for address in addresses if family in address]
            hops = [gateway] if gateway and family in gateway else []
            lines += ["[%s]" % version, "method=" + ("manual" if own else "disabled"),
                      *("address%d=%s" % (at + 1, ",".join([address, *hops[at:]])) for at, address in enumerate(own)), ""]
        self.write("profile %d.nmconnection" % number, "\n".join(lines))

    def boot(self) -> None:
        for path in [path for path in self.node.files if path.startswith(MEMORY)]:
            del self.node.files[path]
        self.loaded, self.active = {}, {}
        self._read([path for path in self.node.files if path.startswith(FOLDER)])
        self._by_themselves()

    def own_files(self) -> List[str]:
        return [path for path in self.node.files if path.startswith(FOLDER + "hafirewall-")]

    def write(self, name: str, text: str, mode: int = 0o600) -> None:
        self.node.files[FOLDER + name] = SimulatedFile(text, mode)

    def path_of(self, device: str) -> str:
        """The file of a device's profile."""
        return next(path for path in self.node.files if path.startswith(FOLDER) and "\ninterface-name=%s\n" % device in self.node.text(path))

    # Files

    def _read(self, paths: Sequence[str]) -> List[str]:
        """Files that cannot be read."""
        bad = []
        for path in paths:
            known = [uuid for uuid, profile in self.loaded.items() if profile.path == path]
            if path not in self.node.files and known:
                self._forget(known[0])
            elif path not in self.node.files or self.node.files[path].mode & 0o077:
                bad.append(path)
            else:
                profile = Loaded(path, _parsed(self.node.text(path)))
                self.loaded[profile.says("connection", "uuid")] = profile
        return bad

    def _forget(self, uuid: str) -> None:
        del self.loaded[uuid]
        for device in [device for device, on in self.active.items() if on == uuid]:
            self._take_down(device)

    def _load(self, argv: List[str], stdin: Optional[str]) -> Completed:
        bad = self._read(argv[3:])
        self._by_themselves()
        return Completed(0, "", "".join("Could not load file '%s'\n" % path for path in bad))

    # Devices

    def _by_themselves(self) -> None:
        """What comes up when nobody says so, upon what is idle; first what most depends on nothing."""
        ranked = sorted(self.loaded.items(), key=lambda item: (item[1].kind == "vlan", item[1].kind != "bond", -self._priority(item[1])))
        for uuid, profile in ranked:
            if profile.says("connection", "autoconnect") != "false" and uuid not in self.active.values():
                for device in [profile.device] if profile.device else [port for port in self.links if self._idle(port)][:1]:
                    if device not in self.active and (profile.kind != "ethernet" or self._idle(device)):
                        self._bring_up(uuid, device)
        for number, port in enumerate(port for port in list(self.links) if self._idle(port)):
            name, uuid = "Wired connection %d" % (number + 1), "22222222-2222-4222-8222-%012d" % number
            path = MEMORY + name + ".nmconnection"
            self.node.files[path] = SimulatedFile("[connection]\nid=%s\nuuid=%s\ntype=ethernet\n\n[ipv4]\nmethod=auto\n" % (name, uuid), 0o600)
            self._read([path])
            self._bring_up(uuid, port)

    def _idle(self, device: str) -> bool:
        return device not in self.active and device in self.links and not self.links[device]["linkinfo"] and device not in self.unmanaged

    def _priority(self, profile: Loaded) -> int:
        return int(profile.says("connection", "autoconnect-priority") or "0")

    def _take_down(self, device: str) -> None:
        del self.active[device]
        if device not in self.links:
            return
        if self.links[device]["linkinfo"]:
            self._delete(device)
        else:
            self._networks(device, [], [])
            if "master" in self.links[device]:
                self._release(device)

    def _delete(self, name: str) -> None:
        super()._delete(name)
        for device in [device for device in self.active if device not in self.links]:
            del self.active[device]

    def _told_up(self, argv: List[str], stdin: Optional[str]) -> Completed:
        if argv[-1] not in self.loaded:
            return Completed(10, "", "Error: unknown connection '%s'." % argv[-1])
        trouble = self._bring_up(argv[-1], self.loaded[argv[-1]].device)
        return Completed(4, "", "Error: Connection activation failed: " + trouble) if trouble else Completed(0, "Connection successfully activated\n", "")

    def _bring_up(self, uuid: str, device: str) -> Optional[str]:
        """Why it cannot be."""
        profile = self.loaded[uuid]
        master, parent = (self._device(profile.says(*words)) for words in (("connection", "master"), ("vlan", "parent")))
        if (profile.kind == "ethernet" and device not in self.links) or device in self.unmanaged:
            return "No suitable device found for this connection"
        if profile.kind == "vlan" and parent not in self.links:
            return "Failed to determine connection's virtual interface name"
        if master and master not in self.links:
            return "Master connection not found or invalid"
        if profile.kind == "bond":
            self._bring_up_bond(profile, device)
        elif profile.kind == "vlan" and self.links.get(device, {}).get("link") != parent:
            self._make(device, self.links[parent]["address"], "vlan", link=parent, data={"id": int(profile.says("vlan", "id"))})
        self.active[device] = uuid
        addresses = [value for version in ("ipv4", "ipv6") if profile.says(version, "method") == "manual"
                     for key, value in profile.file.items(version) if key.startswith("address")]
        self._networks(device, [value.split(",")[0] for value in addresses], [value.split(",")[1] for value in addresses if "," in value])
        if "master" in self.links[device]:
            self._release(device)
        if master:
            self._join(device, master)
        elif profile.kind == "bond" and profile.says("connection", "autoconnect-slaves") == "1":
            for port, one in list(self.loaded.items()):
                if self._device(one.says("connection", "master")) == device:
                    self._bring_up(port, one.device)
        return None

    def _bring_up_bond(self, profile: Loaded, device: str) -> None:
        if device in self.links:
            for member in self.members(device):
                self._take_down(member)
        self._bond(device, profile.says("ethernet", "cloned-mac-address"), profile.says("ethernet", "mtu"), dict(profile.file.items("bond")))

    def _device(self, name: str) -> str:
        """The device that is meant by its name or by the UUID of its profile."""
        return self.loaded[name].device if name in self.loaded else name

    # What it says

    def _show_connections(self, argv: List[str], stdin: Optional[str]) -> Completed:
        on = {uuid: device for device, uuid in self.active.items()}
        return Completed(0, "".join("%s:%s:%s\n" % (uuid, on.get(uuid, ""), profile.path) for uuid, profile in self.loaded.items()), "")

    def _show_devices(self, argv: List[str], stdin: Optional[str]) -> Completed:
        states = {name: "connected" if name in self.active else "unmanaged" if name in self.unmanaged else "disconnected" for name in self.links}
        rows = ["%s:%s:%s" % (name, state, self.active.get(name, "")) for name, state in states.items()]
        return Completed(0, "\n".join([*rows, "lo:connected (externally):44444444-4444-4444-8444-444444444444"]) + "\n", "")

    def _judge(self, argv: List[str], stdin: Optional[str]) -> Completed:
        if not self.offline:
            return Completed(2, "", "Error: Option '--offline' is unknown, try 'nmcli -help'.")
        profile = Loaded("", _parsed(stdin or ""))
        bond = dict(profile.file.items("bond")) if profile.file.has_section("bond") else {}
        trouble = [name for name, modes in _ONLY_WITH.items() if name in bond and bond["mode"] not in modes]
        trouble += ["mode"] if profile.kind == "bond" and bond.get("mode") not in _MODES else []
        trouble += ["connection." + key for key in ("id", "uuid", "type") if not profile.says("connection", key)]
        trouble += ["%s.addresses" % version for version in ("ipv4", "ipv6") if profile.says(version, "method") == "manual"
                    and not profile.says(version, "address1")]
        trouble += ["%s.method" % version for version in ("ipv4", "ipv6") if profile.file.has_section(version) and not profile.says(version, "method")]
        if trouble:
            return Completed(1, "", "Error: Error writing connection: %s: this property is invalid\n" % trouble[0])
        for name in self.not_understood:
            profile.file.remove_option("bond", name)
        return Completed(0, _rendered(profile.file), "")


def _parsed(text: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(text)
    return found


def _rendered(file: configparser.RawConfigParser) -> str:
    """As NetworkManager writes it: in its own order, without comments."""
    ordered: Any = configparser.RawConfigParser()
    ordered.optionxform = str
    ordered.read_dict({section: dict(sorted(file.items(section))) for section in sorted(file.sections())})
    text = io.StringIO()
    ordered.write(text, space_around_delimiters=False)
    return text.getvalue()
