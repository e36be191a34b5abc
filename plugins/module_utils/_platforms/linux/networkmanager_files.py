# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The language of NetworkManager's profiles (nm-settings-keyfile(5)), and the profiles of a LAGG, its members and its VLANs. Pure.

NetworkManager writes a file anew when somebody changes its profile: in its own order, without comments and without what is the default anyway.
So profiles are compared by what they say.
"""

from __future__ import annotations

import uuid
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

Sections = Dict[str, Dict[str, str]]

_SECTIONS = {"802-3-ethernet": "ethernet"}
_KEYS = {"controller": "master", "port-type": "slave-type", "autoconnect-ports": "autoconnect-slaves"}

# What is about the device itself and not about its networks; the rest of this section is carried over.
_OWN = ("id", "uuid", "type", "interface-name", "timestamp", "autoconnect", "autoconnect-priority", "autoconnect-slaves", "master", "slave-type")
_NETWORKS = ("ipv4", "ipv6", "proxy", "user")
# What is about a port as hardware stays with it; the other keys of the section [ethernet] are the LAGG's business, or tell which port is meant.
_HARDWARE = ("ethernet", "ethtool")
_NOT_A_PORTS = ("mtu", "cloned-mac-address")
KNOWN = ("connection", "bond", "bond-port", "vlan", *_HARDWARE, *_NETWORKS)

# The preference that NetworkManager gives to the routes of a port by itself. A LAGG's would come after those of every other port.
_PORT_METRIC = "100"
_NOTHING: Sections = {"ipv4": {"method": "disabled"}, "ipv6": {"method": "link-local"}}


class Profile(NamedTuple):
    """One connection of NetworkManager.

    Attributes:
        uuid: its name for nmcli.
        active: the device that it is active on, empty for none.
        path: its file.
        sections: what the file says.
    """

    uuid: str
    active: str
    path: str
    sections: Sections

    def says(self, section: str, key: str, default: str = "") -> str:
        """A value of it."""
        return self.sections.get(section, {}).get(key, default)

    @property
    def device(self) -> str:
        """The device that it is for; empty when it does not say so by name."""
        return self.says("connection", "interface-name")

    @property
    def kind(self) -> str:
        """``ethernet``, ``bond``, ``vlan`` ..."""
        found = self.says("connection", "type")
        return _SECTIONS.get(found, found)

    @property
    def automatic(self) -> bool:
        """It comes up at boot."""
        return self.says("connection", "autoconnect", "true") in ("true", "1", "yes", "on")


def parsed(text: str) -> Sections:
    """What a file says; of sections and keys with several names, the older one."""
    found: Sections = {}
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = _SECTIONS.get(line[1:-1], line[1:-1])
            found.setdefault(section, {})
        elif "=" in line and section and not line.startswith("#"):
            key, _equals, value = line.partition("=")
            found[section][_KEYS.get(key.strip(), key.strip()) if section == "connection" else key.strip()] = value.strip()
    return found


def rendered(head: str, sections: Sections) -> str:
    """The text of a file."""
    blocks = ["[%s]\n%s" % (name, "".join("%s=%s\n" % item for item in keys.items())) for name, keys in sections.items() if keys]
    return "# %s\n" % head + "\n".join(blocks)


def uuid_of(device: str) -> str:
    """The name for nmcli of the profile that this collection writes for a device."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "hafirewall.cluster/" + device))


def bond(lagg: Mapping[str, Any], options: Dict[str, str], mac: Optional[str], source: Optional[Profile]) -> Sections:
    """The LAGG, with the networks of what is moved onto it."""
    said = source.sections if source is not None else _NOTHING
    from_port = source is not None and source.kind == "ethernet"
    mtu = str(lagg["mtu"]) if lagg["mtu"] is not None else said.get("ethernet", {}).get("mtu")
    link = {"cloned-mac-address": mac, "mtu": mtu}
    made = {"connection": _connection(said, lagg["name"], "bond", {"autoconnect-slaves": "1"}), "bond": options,
            "ethernet": {key: value for key, value in link.items() if value}}
    if not from_port and "ethtool" in said:
        made["ethtool"] = dict(said["ethtool"])
    made.update({name: dict(said[name]) for name in _NETWORKS if name in said})
    for family in ("ipv4", "ipv6") if from_port else ():
        made[family] = dict({"method": "auto", "route-metric": _PORT_METRIC}, **made.get(family, {}))
    return made


def port(member: str, lagg: str, source: Optional[Profile]) -> Sections:
    """A member; it keeps what is set of it as hardware."""
    said = source.sections if source is not None else {}
    # Whatever else would fit the port comes after this one.
    more = {"autoconnect-priority": "999", "master": lagg, "slave-type": "bond"}
    made = {"connection": _connection({}, member, "ethernet", more)}
    made.update({name: {key: value for key, value in said[name].items() if key not in _NOT_A_PORTS} for name in _HARDWARE if name in said})
    return made


def vlan(name: str, number: int, parent: str, source: Profile) -> Sections:
    """A VLAN under its new name, upon its new parent."""
    said = source.sections
    made = {"connection": _connection(said, name, "vlan", {})}
    made["vlan"] = dict({key: value for key, value in said.get("vlan", {}).items() if key != "interface-name"}, id=str(number), parent=parent)
    # In a VLAN's profile the hardware address tells which port it lies on.
    made["ethernet"] = {key: value for key, value in said.get("ethernet", {}).items() if key != "mac-address"}
    made.update({section: dict(said[section]) for section in ("ethtool", *_NETWORKS) if section in said})
    return made


def _connection(said: Sections, device: str, kind: str, more: Dict[str, str]) -> Dict[str, str]:
    kept = {key: value for key, value in said.get("connection", {}).items() if key not in _OWN}
    return dict({"id": device, "uuid": uuid_of(device), "type": kind, "interface-name": device}, **more, **kept)


def missing(wanted: Sections, now: Sections, structure: Mapping[str, List[str]]) -> bool:
    """True when a profile lacks something of the structure that is wanted: section -> keys, or no keys for the whole section."""
    for section, keys in structure.items():
        found, there = wanted.get(section, {}), now.get(section, {})
        if any(found.get(key, "").lower() != there.get(key, "").lower() for key in keys or sorted({*found, *there})):
            return True
    return False
