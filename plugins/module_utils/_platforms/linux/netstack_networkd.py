# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs with systemd-networkd.

Nothing of yours is changed: the files written here sort before yours, and the first file that matches a device is the one that counts. What was
configured for a device is copied to a file for the LAGG, and the device itself gets a file that makes it a member. Taking these files away is the way back.

Seen with systemd 252: ``networkctl reload`` makes new devices, makes deleted ones anew, and configures the devices whose file is new or newer than it
was. It never changes the settings of a LAGG that is there. A member whose file stayed the same is not joined to a LAGG that was made anew, so files of
members are touched. Members that are configured twice in a row take the LAGG's carrier away, and its routes with it, so nothing is reconfigured beside.
"""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_guard import gone
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_links import HASHES, PROTOCOLS
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_state import settings
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack import (
    MANAGED,
    Change,
    Drift,
    File,
    Links,
    Stack,
    hardware_address,
    networkd_links,
    replaced,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

FOLDER = "/etc/systemd/network"
PREFIX = "05-hafirewall-"
_FOLDERS = (FOLDER, "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network", "/lib/systemd/network")
_HEAD = "# %s; changes made here are overwritten.\n" % MANAGED
_YOURS = "# Copied by hafirewall.cluster from %s when %s became %s. It is yours to change.\n"
_MODES = {word: mode for mode, word in PROTOCOLS.items()}
_POLICIES = {word: policy for policy, word in HASHES.items()}
_KEYS = {"hash": "TransmitHashPolicy", "lacp_rate": "LACPTransmitRate", "min_links": "MinLinks"}
_RELOAD = ["networkctl", "reload"]
NO_CHECKER = "not possible: systemd-networkd has no checker; the running kernel is compared with the plan instead, while the way back is armed"

Lagg = Mapping[str, Any]


class Networkd(Stack):
    """See the module."""

    def drift(self, lagg: Lagg, links: Links) -> Drift:
        files = self._structure(lagg, links)
        if self.node.read_text(_netdev(lagg["name"])) is None:
            origin = self._definition(lagg["name"])
            if origin is not None:
                return []  # somebody else's, and as wanted
            return [{"setting": lagg["name"] + " at boot", "is": "absent", "wanted": "present"}]
        return [{"setting": path, "is": "absent" if self.node.read_text(path) is None else "different", "wanted": "as rendered" if file else "absent"}
                for path, file in files.items() if self.node.read_text(path) != (file.text if file else None)]

    def plan(self, lagg: Lagg, links: Links) -> Change:
        name = lagg["name"]
        files: Dict[str, Optional[File]] = {}
        old = [device for device in replaced(lagg, links) if device != name]
        for move in _all_moves(lagg, links):
            files.update(self._moved(lagg, move))
        for device in old:
            files.update(self._without(device, hide=True))
        files.update(self._structure(lagg, links))
        made = [name] + [vlan["name"] for vlan in lagg["vlans"]]
        there = [device for device in _deleted(lagg, links) if device in links]
        run = [["ip", "link", "delete", "dev", device] for device in there] + [["touch"] + [_network(member) for member in lagg["members"]], _RELOAD]
        # A change that failed half-way may have taken a VLAN away without networkd having seen another file for the device below it.
        own = [path for path in (self._file(move["from_device"]) for move in lagg["moves"]) if path is not None]
        back = ([["touch"] + own] if own else []) + [_RELOAD]
        return Change(files, run, [gone(device) for device in reversed(made)], back, NO_CHECKER)

    def states(self, device: str) -> str:
        path = self._file(device)
        return "" if path is None else self._text(path)

    # What is rendered

    def _structure(self, lagg: Lagg, links: Links) -> Dict[str, Optional[File]]:
        """The LAGG itself and its members; what is configured upon it is not in these files."""
        name = lagg["name"]
        gone_ports = [port for port in ((links.get(name) or {}).get("lagg") or {}).get("members", []) if port not in lagg["members"]]
        files: Dict[str, Optional[File]] = {_network(port): None for port in gone_ports if self.node.read_text(_network(port)) is not None}
        values, mac = settings(lagg, links), hardware_address(lagg, links)
        lines = ["Mode=" + _MODES[lagg["protocol"]], "MIIMonitorSec=100ms"]
        for key in ("hash", "lacp_rate", "min_links"):
            if key in values:
                lines.append("%s=%s" % (_KEYS[key], _POLICIES.get(values[key], values[key]) if key == "hash" else values[key]))
        device = ["Name=" + name, "Kind=bond"] + (["MACAddress=" + mac] if mac else []) + (["MTUBytes=%d" % lagg["mtu"]] if lagg["mtu"] is not None else [])
        files[_netdev(name)] = File(_HEAD + _section("NetDev", device) + _section("Bond", lines))
        for member in lagg["members"]:
            link = _section("Link", ["MTUBytes=%d" % lagg["mtu"]]) if lagg["mtu"] is not None else ""
            network = ["Bond=" + name] + (["PrimarySlave=true"] if values.get("primary") == member else [])
            files[_network(member)] = File(_HEAD + _section("Match", ["Name=" + member]) + link + _section("Network", network))
        return files

    def _moved(self, lagg: Lagg, move: Mapping[str, Any]) -> Dict[str, Optional[File]]:
        """What was configured for a device, for the one that it becomes."""
        source, target = move["from_device"], move["to_device"]
        if source == target:
            return {}
        renamed = {one["from_device"]: one["to_device"] for one in lagg["moves"]}
        path = self._file(source)
        text = "" if path is None else self._text(path)
        wanted = [vlan["name"] for vlan in lagg["vlans"]] if move["vlan"] is None else []
        content = _retarget(text, renamed, wanted, drop_mtu=move["vlan"] is None and lagg["mtu"] is not None)
        head = _YOURS % (path or "nothing", source, target)
        files: Dict[str, Optional[File]] = {_network(target): File(head + _section("Match", ["Name=" + target]) + content)}
        if move["vlan"] is not None:
            files[_netdev(target)] = File(self._vlan(source, target, move["vlan"]))
            files.update(self._without(source, hide=False))
        return files

    def _vlan(self, source: str, target: str, number: int) -> str:
        path = self._definition(source)
        if path is None:
            raise NodeError("%s is in no .netdev file of systemd-networkd, so it would not come back after a reboot; write one for it, or remove the VLAN"
                            % source)
        text = re.sub(r"(?m)^\s*Name\s*=.*$", "Name=" + target, self._text(path), count=1)
        return _YOURS % (path, source, target) + text

    def _without(self, device: str, hide: bool) -> Dict[str, Optional[File]]:
        """A device that is not there any more: own files go. A LAGG would be made all the same, so somebody else's file is hidden by one without content.

        A VLAN is made only where the file of the device below it says so.
        """
        found: Dict[str, Optional[File]] = {path: None for path in (_netdev(device), _network(device)) if self.node.read_text(path) is not None}
        if hide:
            empty = File("# %s: %s is not made any more.\n" % (MANAGED, device))
            names = [os.path.basename(path) for path in self._definitions(device)]
            found.update({os.path.join(FOLDER, name): empty for name in names if not name.startswith(PREFIX)})
        return found

    # What is there

    def _file(self, device: str) -> Optional[str]:
        """The .network file that counts for a device now."""
        path = next((row.get("NetworkFile") for row in networkd_links(self.node) if row["Name"] == device), None)
        if path is not None and os.path.basename(path) < PREFIX:
            raise NodeError("%s sorts before %s*, so it would count before what is written for %s; give it a name that sorts later" % (path, PREFIX, device))
        return path

    def _text(self, path: str) -> str:
        """A file with its drop-ins, as systemd reads them."""
        return self.node.query(["systemd-analyze", "cat-config", "systemd/network/" + os.path.basename(path)]).stdout

    def _definition(self, device: str) -> Optional[str]:
        return next(iter(self._definitions(device)), None)

    def _definitions(self, device: str) -> List[str]:
        """The .netdev files that make a device, the one that counts first."""
        pattern = r"^[[:space:]]*Name[[:space:]]*=[[:space:]]*%s[[:space:]]*$" % re.escape(device)
        found = self.node.query(["grep", "-rlsE", "--include=*.netdev", pattern] + list(_FOLDERS), ok=(0, 1, 2)).stdout.split("\n")
        return sorted((path for path in found if path), key=lambda path: (os.path.basename(path), _FOLDERS.index(os.path.dirname(path))))


def _netdev(device: str) -> str:
    return "%s/%s%s.netdev" % (FOLDER, PREFIX, device)


def _network(device: str) -> str:
    return "%s/%s%s.network" % (FOLDER, PREFIX, device)


def _section(name: str, lines: List[str]) -> str:
    return "\n[%s]\n%s\n" % (name, "\n".join(lines))


def _all_moves(lagg: Lagg, links: Links) -> List[Mapping[str, Any]]:
    """The moves, and one of nothing where a new LAGG gets nothing: it needs a file to be brought up."""
    if lagg["moves"] or lagg["name"] in links:
        return list(lagg["moves"])
    return [{"from_device": lagg["members"][0], "to_device": lagg["name"], "vlan": None}]


def _deleted(lagg: Lagg, links: Links) -> List[str]:
    """Devices that the kernel must lose before they can be made as wanted, the upper ones first."""
    vlans = [move["from_device"] for move in lagg["moves"] if move["vlan"] is not None] + [vlan["name"] for vlan in lagg["vlans"]]
    return list(dict.fromkeys(list(reversed(vlans)) + replaced(lagg, links)))


def _retarget(text: str, renamed: Mapping[str, str], vlans: List[str], drop_mtu: bool) -> str:
    """The body of a .network file without what is about its own device, and with the new names of the VLANs upon it."""
    kept: List[str] = []
    listed: List[str] = []
    for section, line in _lines(text):
        key, _equals, value = (part.strip() for part in line.partition("="))
        if section == "Match" or line.startswith("# /") or (drop_mtu and section == "Link" and key == "MTUBytes"):
            continue
        if section == "Network" and key == "VLAN":
            names = [renamed.get(word, word) for word in value.split()]
            listed += names
            line = "VLAN=" + " ".join(names)
        kept.append(line)
    missing = [name for name in vlans if name not in listed]
    if missing or not any(line.strip() == "[Network]" for line in kept):
        kept += ["", "[Network]"] + ["VLAN=" + name for name in missing]
    return "\n".join(kept).strip("\n") + "\n"


def _lines(text: str) -> Iterator[Tuple[Optional[str], str]]:
    section = None
    for line in re.sub(r"\\\n", " ", text).splitlines():
        found = re.match(r"\s*\[([^\]]+)\]", line)
        section = found.group(1) if found else section
        yield section, line
