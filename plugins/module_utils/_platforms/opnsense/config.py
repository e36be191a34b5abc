# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of OPNsense's config.xml the evidence needs, by the product's own rules of what is on and what is off.

Its newer parts (MVC) write 0 and 1; its older ones leave an element out for off, and its mere presence is on. Sources: opnsense/core 23.7 to 26.7,
interfaces.inc (interfaces_pfsync_configure and before 24.7 its place there), Hasync.xml and its migrations, Vip.xml, filter.inc, carp_set_status.php.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import urlsplit
from xml.etree import ElementTree

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import config_xml
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.release import Release

PATH = "/conf/config.xml"
ROOT = "opnsense"
# From this release on the settings have no switch beside the interface (24.7.4, commit 54ccb747cd), from that one on an empty switch is off (24.7).
_NO_SWITCH, _SWITCH_HAS_VALUE = (24, 7, 4), (24, 7, 0)
# What an older release sends, by the element that says so.
_SENDS = "synchronize"
_NO_SECTION = ("synchronizetoip",)
_BRACKETS = re.compile(r"(?:[^@\[\]]*@)?\[(?P<address>[^\[\]%]+)(?:%[^\[\]%]+)?\](?::\d*)?")
_PATIENCE = 3.0  # seconds that writing the file may take


class Sync(NamedTuple):
    """State sync as it is configured.

    Attributes:
        enabled: it starts at boot.
        empty: an empty element switches it on.
        interface: the product's key of the interface; None for none.
        device: what that is assigned to.
        peer: the one other node; None for multicast.
        version: the format; None where none is set.
        defer: the first packet of a connection waits for the peer; None where there is no such setting.
    """

    enabled: bool
    empty: bool
    interface: Optional[str]
    device: Optional[str]
    peer: Optional[str]
    version: Optional[int]
    defer: bool


class Config:
    """The configuration of a node."""

    def __init__(self, root: ElementTree.Element, release: Release) -> None:
        self.root = root
        self._release = release

    def text(self, path: str) -> Optional[str]:
        """The text at a path; None where there is no such element, and the empty text where it is empty."""
        found = self.root.find(path)
        return None if found is None else (found.text or "").strip()

    def rows(self, path: str) -> List[Dict[str, str]]:
        """The elements at a path, each with the texts of its own."""
        return [{inner.tag: (inner.text or "").strip() for inner in row} for row in self.root.findall(path)]

    @property
    def interfaces(self) -> Dict[str, Dict[str, str]]:
        """The interfaces by key, without groups."""
        return {row.tag: {inner.tag: (inner.text or "").strip() for inner in row} for row in self.root.findall("interfaces/*")
                if row.findtext("if") and row.findtext("type") != "group"}

    def names(self, key: str) -> List[str]:
        """The names that a rule may have for an interface: its key, and the groups that it is in."""
        return [key] + [row["ifname"] for row in self.rows("ifgroups/ifgroupentry")
                        if row.get("ifname") and key in re.split("[ |,]+", row.get("members", ""))]

    @property
    def sync(self) -> Sync:
        """State sync."""
        interface, peer, switch = (self.text("hasync/" + name) for name in ("pfsyncinterface", "pfsyncpeerip", "pfsyncenabled"))
        device = self.interfaces.get(interface or "", {}).get("if")
        version, since = self.text("hasync/pfsyncversion") or "", self._release.numbers
        on = since >= _NO_SWITCH or (_is_on(switch) if since >= _SWITCH_HAS_VALUE else switch is not None)
        return Sync(on and device is not None, since < _SWITCH_HAS_VALUE and switch == "", interface or None, device,
                    peer if peer and _is_ipv4(peer) else None, int(version) if re.fullmatch("[0-9]+", version) else None,
                    _is_on(self.text("hasync/pfsyncdefer")))

    @property
    def maintenance(self) -> bool:
        """Whether the node is kept out of its cluster."""
        return _is_on(self.text("virtualip_carp_maintenancemode"))

    @property
    def state_policy(self) -> Tuple[str, str]:
        """The state policy, and whether it is ``configured`` or the ``default``: only if-bound is ever written into the rules."""
        return ("if-bound", "configured") if _is_on(self.text("system/state-policy")) else ("floating", "default")

    @property
    def sends_to(self) -> Optional[str]:
        """The address that it sends its configuration to; None for nowhere. It may be stated as an address of the web.

        Raises:
            NodeError: it is stated, and is neither.
        """
        stated = self.text("hasync/synchronizetoip")
        try:
            place = urlsplit(stated) if stated and "//" in stated else None
            host = place.hostname if place else stated
            if place and re.search(r"[][]", place.netloc):
                # Versions of Python differ in what they let pass.
                within = _BRACKETS.fullmatch(place.netloc)
                ipaddress.IPv6Address(within["address"] if within else "")
        except ValueError:
            host = ""
        if stated and not host:
            raise NodeError("hasync/synchronizetoip is no address")
        return host or None

    @property
    def sections(self) -> List[str]:
        """The parts of the configuration that it sends."""
        listed = self.text("hasync/syncitems")
        if listed is not None:
            return sorted(one for one in listed.split(",") if one)
        return sorted(row.tag[len(_SENDS):] for row in self.root.findall("hasync/*")
                      if row.tag.startswith(_SENDS) and row.tag not in _NO_SECTION and (row.text or "").strip())

    @property
    def virtual_addresses(self) -> List[Dict[str, Any]]:
        """The addresses of CARP, with the ``device`` of each: that of a virtual host, and those that are stacked on it."""
        rows = self.interfaces
        return [dict(vip, device=rows[vip["interface"]]["if"]) for vip in self.rows("virtualip/vip")
                if vip.get("vhid") and vip.get("mode") in ("carp", "ipalias") and "enable" in rows.get(vip.get("interface", ""), {})]

    @property
    def pass_rules(self) -> List[Mapping[str, str]]:
        """The rules that pass pfsync, of the older and of the newer kind."""
        older = [row for row in self.rows("filter/rule") if row.get("type", "pass") == "pass" and "disabled" not in row]
        newer = [row for row in self.rows("OPNsense/Firewall/Filter/rules/rule") if row.get("action") == "pass" and _is_on(row.get("enabled"))]
        return [row for row in [*older, *newer] if row.get("protocol", "").lower() == "pfsync"]

    def revision(self) -> Dict[str, Any]:
        """The last change."""
        found: Dict[str, Any] = {name: self.text("revision/" + name) for name in ("time", "description", "username")}
        try:
            found["time"] = int(float(found["time"] or ""))
        except (ValueError, OverflowError):
            found["time"] = None
        return found

    def digests(self) -> Dict[str, str]:
        """SHA-256 of each section without its secrets."""
        return config_xml.digests(self.root, parts=("OPNsense",))


def read(node: Node, release: Release) -> Config:
    """The configuration. The product writes the file anew in its place (Config.php), so what is no XML now may be in a moment.

    Raises:
        NodeError: it cannot be read, or is none of this product.
    """
    found = []  # type: List[ElementTree.Element]

    def whole() -> bool:
        try:
            found.append(config_xml.tree(node, PATH))
        except NodeError:
            return False
        return True

    root = found[-1] if node.wait_for(whole, _PATIENCE) and found else config_xml.tree(node, PATH)
    if root.tag != ROOT:
        raise NodeError("%s is no configuration of OPNsense: its root is %s" % (PATH, root.tag[:40]))
    return Config(root, release)


def named(config: Config, devices: Sequence[str]) -> List[Tuple[str, str]]:
    """Where else the configuration names a device, beside interfaces, VLANs and LAGGs, which move with it: device and path."""
    found = []
    for section in ("bridges", "gifs", "gres", "ppps", "wireless", "qinqs", "hasync", "system", "sysctl"):
        for path, text in _texts(config.root.findall(section), ""):
            found += [(device, path) for device in devices if device in text.replace(",", " ").split()]
    return list(dict.fromkeys(found))


def covers(rule: Mapping[str, str], names: Sequence[str]) -> bool:
    """Whether a rule of the configuration is one for an interface of these names: it has one of them, or none at all, or with ``interfacenot`` another.
    The product writes a rule for each name of a list, so of those with ``interfacenot`` one is enough."""
    stated = [name for name in rule.get("interface", "").split(",") if name]
    return not stated or any((name in names) != _is_on(rule.get("interfacenot")) for name in stated)


def _texts(elements: Sequence[ElementTree.Element], place: str) -> List[Tuple[str, str]]:
    found = []
    for element in elements:
        own = "%s/%s" % (place, element.tag) if place else element.tag
        found += [(own, element.text or "")] + _texts(list(element), own)
    return found


def _is_ipv4(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False


def _is_on(text: Optional[str]) -> bool:
    """Empty in PHP's sense is off."""
    return text not in (None, "", "0")
