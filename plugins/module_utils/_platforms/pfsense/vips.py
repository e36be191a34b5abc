# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual addresses of the configuration: what it has, what it shall have, and the steps from the one to the other. Pure.

An id has one CARP address, and IP aliases that are stacked on it: their interface is ``_vip`` and the CARP address's uniqid, and they have its vhid.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import MARK, Operation, insert, put, take

VIPS = ("virtualip", "vip")
FUNCTIONS = {"carp": "interface_carp_configure", "ipalias": "interface_ipalias_configure"}
COMPARED = ("advskew", "advbase", "subnet_bits", "subnet", "password")

Vip = Dict[str, Any]


class Wanted(NamedTuple):
    """One id: its name, its device, the fields of its CARP address as the configuration has them, without a password that was not stated, and its aliases."""

    name: str
    device: str
    carp: Dict[str, str]
    aliases: List[Dict[str, str]]

    @property
    def vhid(self) -> int:
        """The virtual host id."""
        return int(self.carp["vhid"])

    @property
    def addresses(self) -> List[str]:
        """All of its addresses."""
        return [fields["subnet"] for fields in (self.carp, *self.aliases)]


class Row(NamedTuple):
    """One address that shall be there: its name, its fields with its uniqid, the key of the interface that it comes to be on, and what is there of it."""

    name: str
    fields: Dict[str, str]
    root: str
    found: Optional[Vip]

    @property
    def vip(self) -> Vip:
        """The element as it will be."""
        differing = {key: self.fields[key] for key in self.differing()}
        return dict(self.fields) if self.found is None else dict(self.found, **differing)

    def differing(self) -> List[str]:
        """The fields that differ from what is there."""
        found = self.found or {}
        return [key for key in COMPARED if key in self.fields and found.get(key) != self.fields[key]
                and not (key == "subnet" and address_of(found) == self.fields[key])]

    def moves(self) -> bool:
        """Whether the address that is there is another one."""
        return self.found is not None and bool({"subnet", "subnet_bits"} & set(self.differing()))


class Steps:
    """What to do, and how to take it back, collected address by address; what runs is taken down first, so that an address may move to another id.

    Attributes:
        drift: what differs.
        problems: why it cannot be changed.
        touched: names of the ids that are configured anew.
        gone: addresses that are taken down, with the key of their interface.
    """

    def __init__(self) -> None:
        self.drift: List[Dict[str, Any]] = []
        self.problems: List[str] = []
        self.touched: List[str] = []
        self.gone: List[Dict[str, str]] = []
        self.operations: List[Operation] = []
        self._down: List[bridge.Call] = []
        self._up: List[bridge.Call] = []
        self._back_down: List[bridge.Call] = []
        self._back_up: List[bridge.Call] = []

    def differs(self, setting: str, is_: Any, wanted: Any) -> None:
        """Note a difference."""
        self.drift.append({"setting": setting, "is": is_, "wanted": wanted})

    def up(self, new: Vip, old: Optional[Vip] = None) -> None:
        """Configure an address; what takes that back configures the old one."""
        self._up.append(_configure(new))
        if old is not None:
            self._back_up.append(_configure(old))

    def down(self, root: str, old: Vip) -> None:
        """Take an address down."""
        self._down.append(_bring_down(root, old))
        self.gone.append({"interface": root, "subnet": old["subnet"]})

    def back_down(self, root: str, new: Vip) -> None:
        """What takes the change back takes this address down."""
        self._back_down.append(_bring_down(root, new))

    def back_up(self, old: Vip) -> None:
        """What takes the change back configures this address."""
        self._back_up.append(_configure(old))

    def apply(self) -> List[bridge.Call]:
        """The product's functions, in order: an alias is down before the address that it is stacked on, and up after it."""
        return _ordered(self._down, self._up)

    def back(self) -> List[bridge.Call]:
        """Those that take it back."""
        return _ordered(self._back_down, self._back_up)


def compare(vips: List[Vip], wanted: List[Wanted], cluster: str) -> Steps:
    """The steps from the configuration's elements to those that are wanted of this cluster."""
    steps = Steps()
    groups = [rows_of(vips, item, cluster) for item in wanted]
    kept = [row.found for rows in groups for row in rows if row.found is not None]
    leaving = [vip for vip in vips if str(vip.get("descr", "")).startswith("%s%s: " % (MARK, cluster)) and not any(vip is one for one in kept)]
    foreign = [vip for vip in vips if not any(vip is one for one in [*kept, *leaving])]
    for item, rows in zip(wanted, groups):
        moves = rows[0].moves()
        for row in rows:
            _conflict(steps, row, foreign)
            if row.found is None:
                _add(steps, row, cluster)
            else:
                _alter(steps, row, row.moves() or moves)
        if moves or any(row.found is None or row.differing() for row in rows):
            steps.touched.append(item.name)
    for vip, following in zip(vips, [*vips[1:], None]):
        if any(vip is one for one in leaving):
            _leave(steps, vip, following, vips, foreign)
    return steps


def rows_of(vips: List[Vip], item: Wanted, cluster: str) -> List[Row]:
    """The elements of an id, that of CARP first."""
    root, vhid = item.carp["interface"], item.carp["vhid"]
    carp = next((vip for vip in vips if vip.get("mode") == "carp" and (vip.get("interface"), vip.get("vhid")) == (root, vhid)), None)
    # Known before, so that a prediction is the same as the real run.
    uniqid = _uniqid(cluster, root, vhid) if carp is None else carp["uniqid"]
    rows = [Row(item.name, dict(item.carp, uniqid=uniqid), root, carp)]
    for fields in item.aliases:
        stacked = dict(fields, interface="_vip" + uniqid)
        known = ("ipalias", stacked["interface"], fields["subnet"])
        found = next((vip for vip in vips if (vip.get("mode"), vip.get("interface"), address_of(vip)) == known), None)
        stacked["uniqid"] = _uniqid(cluster, root, vhid, fields["subnet"]) if found is None else found["uniqid"]
        rows.append(Row("%s alias %s" % (item.name, fields["subnet"]), stacked, root, found))
    return rows


def address_of(vip: Mapping[str, Any]) -> Optional[str]:
    """The address of an element, None where it has none."""
    try:
        return str(ipaddress.ip_address(vip.get("subnet", "")))
    except ValueError:
        return None


def _uniqid(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode("utf-8")).hexdigest()[:13]


def _identity(vip: Mapping[str, Any]) -> Dict[str, str]:
    # What is not CARP and no alias may have no uniqid.
    return {key: vip[key] for key in (("uniqid",) if "uniqid" in vip else ("mode", "interface", "subnet")) if key in vip}


def _configure(vip: Vip) -> bridge.Call:
    return FUNCTIONS[vip["mode"]], {"uniqid": vip["uniqid"], "subnet": vip["subnet"]}


def _bring_down(root: str, vip: Vip) -> bridge.Call:
    """What the product needs to take an address down, and not the password; an alias by its device, for the address that it is stacked on may be gone."""
    return "interface_vip_bring_down", {"mode": vip["mode"], "interface": root, "subnet": vip["subnet"], "subnet_bits": vip["subnet_bits"]}


def _ordered(down: List[bridge.Call], up: List[bridge.Call]) -> List[bridge.Call]:
    return [*sorted(down, key=lambda call: bool(call[1]["mode"] == "carp")), *sorted(up, key=lambda call: call[0] == FUNCTIONS["ipalias"])]


def _conflict(steps: Steps, row: Row, foreign: List[Vip]) -> None:
    other = next((vip for vip in foreign if address_of(vip) == row.fields["subnet"]), None)
    if other is not None:
        steps.problems.append("%s: %s is already a virtual address of this node (%s on %s%s); remove that one first" % (
            row.name, row.fields["subnet"], other.get("mode"), other.get("interface"), ", vhid " + other["vhid"] if "vhid" in other else ""))


def _add(steps: Steps, row: Row, cluster: str) -> None:
    if row.fields["mode"] == "carp" and "password" not in row.fields:
        steps.problems.append("password: CARP on pfSense needs one, the same on all nodes, and %s has none yet; state it" % row.name)
    vip = dict(row.fields, descr="%s%s: %s" % (MARK, cluster, row.name))
    steps.differs(row.name, "absent", "present")
    steps.operations.append(insert(VIPS, vip, _identity(vip)))
    steps.up(vip)
    steps.back_down(row.root, vip)


def _alter(steps: Steps, row: Row, again: bool) -> None:
    vip: Vip = row.found or {}
    differing = row.differing()
    for key in differing:
        shown = ("other", "as stated") if key == "password" else (vip.get(key), row.fields[key])
        steps.differs("%s.%s" % (row.name, key), *shown)
        steps.operations.append(put((*VIPS, _identity(vip), key), row.fields[key], vip.get(key), secret=key == "password"))
    if differing or again:
        steps.up(row.vip, vip)
    if again:
        steps.down(row.root, vip)
        steps.back_down(row.root, row.vip)


def _leave(steps: Steps, vip: Vip, following: Optional[Vip], vips: List[Vip], foreign: List[Vip]) -> None:
    name = str(vip.get("descr"))[len(MARK):]
    stacked = next((other for other in foreign if other.get("interface") == "_vip%s" % vip["uniqid"]), None)
    if stacked is not None:
        steps.problems.append("%s: %s, which this collection did not make, is stacked on it; remove that one first" % (name, stacked.get("subnet")))
    root = next((other["interface"] for other in vips if vip["interface"] == "_vip%s" % other.get("uniqid")), vip["interface"])
    steps.differs(name, "present", "absent")
    steps.operations.append(take((*VIPS, _identity(vip)), vip, None if following is None else _identity(following)))
    steps.down(root, vip)
    steps.back_up(vip)
