# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what CARP is on a node to what it shall be: which device has which virtual host id, and the steps. Pure.

Facts of OpenBSD's sys/netinet/ip_carp.c, sbin/ifconfig/ifconfig.c and etc/netstart:

- Each virtual host id is a device of its own, which any number can have. A device that carries it takes each id once.
- A word for its settings changes that alone, and leaves an active node active. ``inet`` without ``alias`` takes the first address away before it gives the new
  one, and that is what a file does that is run again: so netstart is for devices that are not there yet.
- All addresses of an id are in the hash of its announcements: nodes that differ in them do not hear each other, and each is active.
- ifconfig does not tell the password. The file does.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import carp_file, hostname
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.carp_file import Place, Vhid, ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.ifconfig import Carp

DRIVER = "carp"
_FREE_FROM = 256  # numbers that no virtual host id has

Drift = List[Dict[str, Any]]


class Found(NamedTuple):
    """What CARP is on a node.

    Attributes:
        links: all devices.
        carps: those of CARP that have a virtual host id, by name.
        files: the text of each hostname.carpN, by the name of the device.
    """

    links: Mapping[str, Link]
    carps: Mapping[str, Carp]
    files: Mapping[str, str]

    def configured(self, name: str) -> Optional[Vhid]:
        """What the file of a device sets up."""
        return carp_file.parse(name, self.files[name]) if name in self.files else None

    def holder(self, place: Place) -> Optional[str]:
        """The device that has a virtual host id, or would have it after a boot."""
        running = [name for name, carp in self.carps.items() if (carp.instance.device, carp.instance.id) == place]
        stated = [name for name in self.files for vhid in [self.configured(name)] if vhid is not None and vhid.place == place]
        return next(iter([*running, *stated]), None)


class Step(NamedTuple):
    """A command, and the one that takes it back."""

    argv: List[str]
    undo: List[str]


class Device(NamedTuple):
    """A device as it shall be: ``text`` is its file, None where a foreign one is good as it is; ``start`` says that netstart makes it."""

    name: str
    wanted: Vhid
    text: Optional[str]
    start: bool


class Plan(NamedTuple):
    """What to do: ``leaving`` are devices that go, ``first`` steps take away what moves, ``then`` all others."""

    drift: Drift
    devices: List[Device]
    leaving: List[str]
    first: List[Step]
    then: List[Step]


def plan(found: Found, wanted: Sequence[Vhid], cluster: str) -> Plan:
    """Compare.

    Raises:
        NodeError: an address or an id that something else has.
    """
    devices: List[Device] = []
    for vhid in wanted:
        name = found.holder(vhid.place) or _free(found, vhid.id, [device.name for device in devices])
        devices.append(_device(found, name, vhid, cluster))
    kept = {device.name for device in devices}
    leaving = [name for name, text in found.files.items() if hostname.owner_of(text) == carp_file.owner(cluster) and name not in kept]
    _refuse(found, devices, leaving)
    drift = [one for device in devices for one in _drift(found, device)]
    drift += [{"setting": _shown(found, name), "is": "present", "wanted": "absent"} for name in leaving]
    first: List[Step] = []
    then: List[Step] = []
    coming = {ip(address) for vhid in wanted for address in vhid.addresses}
    for device in devices:
        settings, added, taken = _steps(found, device)
        first += [step for address, step in taken if ip(address) in coming]
        then += settings + added + [step for address, step in taken if ip(address) not in coming]
    return Plan(drift, devices, leaving, first, then)


def with_password(found: Found, vhid: Vhid) -> Vhid:
    """The id with the password of its file, where none is stated.

    Raises:
        NodeError: there is none.
    """
    if vhid.password is not None:
        return vhid
    configured = found.configured(found.holder(vhid.place) or "")
    if configured is None or configured.password is None:
        raise NodeError("password: CARP needs one, the same on all nodes, and %s has none yet; state it" % vhid.name)
    carp_file.judge_password(configured.password)
    return vhid._replace(password=configured.password)


def _free(found: Found, number: int, taken: Sequence[str]) -> str:
    """A device that nobody has: by the virtual host id where that is free."""
    numbers = [number, *range(_FREE_FROM, _FREE_FROM + len(found.links) + len(found.files) + len(taken) + 1)]
    return next(name for name in ("%s%d" % (DRIVER, one) for one in numbers) if name not in found.links and name not in found.files and name not in taken)


def _device(found: Found, name: str, wanted: Vhid, cluster: str) -> Device:
    old, configured = found.files.get(name), found.configured(name)
    theirs = old is not None and hostname.owner_of(old) != carp_file.owner(cluster)
    if theirs and configured is not None and carp_file.same(wanted, configured):
        return Device(name, wanted, None, name not in found.carps)
    return Device(name, wanted, carp_file.text(cluster, wanted), name not in found.carps)


# Comparing


def _runs(found: Found, device: Device) -> Optional[Vhid]:
    """What the kernel runs, with the password of the file, for it tells none."""
    carp = found.carps.get(device.name)
    if carp is None:
        return None
    configured, one = found.configured(device.name), carp.instance
    return Vhid(device.wanted.name, one.device, one.id, one.advbase, one.advskew, carp.addresses, configured.password if configured else None, one.peer)


def _drift(found: Found, device: Device) -> Drift:
    name, wanted, old = device.wanted.name, device.wanted, found.configured(device.name)
    if device.name not in found.files and device.name not in found.carps:
        return [{"setting": name, "is": "absent", "wanted": "present"}]
    drift: Drift = []
    if device.text is not None and found.files.get(device.name) != device.text:
        if old is not None:
            drift = [_setting(name, one, wanted, old) for one in carp_file.differing(wanted, old)]
            if set(old.addresses) != set(wanted.addresses):
                drift.append({"setting": "%s.addresses" % name, "is": sorted(old.addresses), "wanted": sorted(wanted.addresses)})
        if not drift:
            drift = [{"setting": hostname.path(device.name), "is": "absent" if device.name not in found.files else "different", "wanted": "present"}]
    if not drift and not _is_right(found, device):
        drift.append({"setting": "%s as running" % name, "is": "absent" if device.start else "other settings", "wanted": "as configured"})
    return drift


def _setting(name: str, key: str, wanted: Vhid, old: Vhid) -> Dict[str, Any]:
    shown = ("other", "as stated") if key == "password" else (getattr(old, key), getattr(wanted, key))
    return {"setting": "%s.%s" % (name, key), "is": shown[0], "wanted": shown[1]}


def _is_right(found: Found, device: Device) -> bool:
    runs = _runs(found, device)
    return runs is not None and carp_file.same(device.wanted, runs) and found.carps[device.name].up


def _shown(found: Found, name: str) -> str:
    vhid = found.configured(name)
    return name if vhid is None else "%s (vhid %d on %s)" % (name, vhid.id, vhid.device)


# Refusing


def _refuse(found: Found, devices: Sequence[Device], leaving: Sequence[str]) -> None:
    for device in devices:
        carp, wanted = found.carps.get(device.name), device.wanted
        if carp is not None and carp.shared:
            raise NodeError("%s: %s shares the load of vhid %d on %s with other ids, which this collection does not; remove it first" % (
                wanted.name, device.name, wanted.id, wanted.device))
        _refuse_others(found, device, [one.name for one in devices], leaving)
        extra = sorted(set(carp.addresses) - set(wanted.addresses)) if carp is not None else []
        if extra and hostname.owner_of(found.files.get(device.name)) is None:
            raise NodeError("%s: %s, which this collection did not make, has %s too, and nodes that differ in the addresses of an id do not hear each other; "
                            "add it to the intent, or remove it there" % (wanted.name, device.name, ", ".join(extra)))


def _refuse_others(found: Found, device: Device, own: Sequence[str], leaving: Sequence[str]) -> None:
    mine = {ip(address) for address in device.wanted.addresses}
    for link in found.links.values():
        if link.name == device.name or link.name in leaving:
            continue
        taken = [address.text for address in link.addresses if ip(address.text) in mine]
        if taken and not (link.name in own and hostname.owner_of(found.files.get(link.name)) is not None):
            raise NodeError("%s: %s is already an address of %s, which this collection did not give it; remove it there, and run again" % (
                device.wanted.name, taken[0], link.name))


# Steps


def _steps(found: Found, device: Device) -> Tuple[List[Step], List[Step], List[Tuple[str, Step]]]:
    """Settings, addresses that come, and addresses that go, of a device that is there."""
    runs = _runs(found, device)
    if runs is None:
        return [], [], []
    wanted, argv = device.wanted, ["ifconfig", device.name]
    names = carp_file.differing(wanted, runs)
    settings = [Step([*argv, *_words(wanted, names)], [*argv, *_words(runs, names)])] if names else []
    added = [Step([*argv, *carp_file.argv(address)], [*argv, *carp_file.gone(address)]) for address in wanted.addresses if address not in runs.addresses]
    taken = [(address, Step([*argv, *carp_file.gone(address)], [*argv, *carp_file.argv(address)])) for address in runs.addresses
             if address not in wanted.addresses]
    up = [] if found.carps[device.name].up else [Step([*argv, "up"], [*argv, "down"])]
    return settings, added + up, taken


def _words(vhid: Vhid, names: Sequence[str]) -> List[str]:
    words: List[str] = []
    for name in names:
        if name == "peer":
            words += ["carppeer", vhid.peer] if vhid.peer is not None else ["-carppeer"]
        elif name == "password":
            words += ["pass", vhid.password] if vhid.password is not None else []
        else:
            words += [name, str(getattr(vhid, name))]
    return words
