# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs with NetworkManager.

The profile of a device becomes that of the LAGG: it keeps its networks, under a new name and in a new file, and the old file goes. What is set of a port as
hardware stays in the port's new profile. Files are written here and NetworkManager is told to read just these, because it does not do so by itself.

Seen with NetworkManager 1.42: ``nmcli connection load`` forgets a profile whose file is gone and deletes the device that it had made, even when others
cannot be read, and then still exits with 0. Bringing up a LAGG that is there changes its settings, protocol and members, and brings up its members; its
VLANs follow by themselves, but nobody is told when. Files that others may read do not count.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_guard import old_files
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
    networkmanager_devices,
    replaced,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.networkmanager_files import (
    KNOWN,
    Profile,
    Sections,
    bond,
    missing,
    parsed,
    port,
    rendered,
    vlan,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

FOLDER = "/etc/NetworkManager/system-connections"
_MODE = 0o600
_MODES = {word: mode for mode, word in PROTOCOLS.items()}
_POLICIES = {word: policy for policy, word in HASHES.items()}
_KEYS = {"hash": "xmit_hash_policy", "lacp_rate": "lacp_rate", "min_links": "min_links", "primary": "primary"}
_LOAD = ["nmcli", "connection", "load"]
_JUDGE = ["nmcli", "--offline", "connection", "modify", "connection.id"]
NO_CHECKER = "not possible: this nmcli has no --offline; the running kernel is compared with the plan instead, while the way back is armed"
# What of a profile makes the LAGG; the rest is its networks, which are the user's to change.
_BOND = {"connection": ["type", "interface-name", "autoconnect"], "bond": [], "ethernet": ["cloned-mac-address"]}
_PORT = {"connection": ["type", "interface-name", "autoconnect", "master", "slave-type"]}
# What NetworkManager must have understood of a profile: it leaves out what it does not, without a word.
_STRUCTURE = {"connection": ["type", "interface-name", "master", "slave-type"], "bond": [], "vlan": ["id", "parent"], "ethernet": ["cloned-mac-address", "mtu"]}

Lagg = Mapping[str, Any]


class _Wanted(NamedTuple):
    """A profile that shall be there."""

    device: str
    sections: Sections

    @property
    def uuid(self) -> str:
        return self.sections["connection"]["uuid"]

    @property
    def path(self) -> str:
        return "%s/hafirewall-%s.nmconnection" % (FOLDER, self.device)

    def file(self) -> File:
        return File(rendered(MANAGED + ": what is about the LAGG itself is overwritten, its networks are yours to change.", self.sections), _MODE)


class NetworkManager(Stack):
    """See the module."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._read: Optional[List[Profile]] = None

    def drift(self, lagg: Lagg, links: Links) -> Drift:
        own = [profile.path for profile in self._profiles() if profile.device == lagg["name"] and _lasts(profile)]
        if not own:
            return [{"setting": lagg["name"] + " at boot", "is": "absent", "wanted": "present"}]
        made = self._bond(lagg, links, None)
        if made.path not in own:
            return []  # somebody else's, and as wanted
        wanted = [(made, dict(_BOND, ethernet=_BOND["ethernet"] + (["mtu"] if lagg["mtu"] is not None else [])))]
        wanted += [(one, _PORT) for one in self._ports(lagg)]
        now = old_files(self.node, [one.path for one, _structure in wanted])
        return [{"setting": one.path, "is": "absent" if now[one.path].text is None else "different", "wanted": "as rendered"} for one, structure in wanted
                if now[one.path].mode & ~_MODE or missing(one.sections, parsed(now[one.path].text or ""), structure)]

    def plan(self, lagg: Lagg, links: Links) -> Change:
        self._refuse_unmanaged(lagg)
        wanted = [self._bond(lagg, links, self._carried(_source(lagg, lagg["name"]), ("ethernet", "bond")))]
        up, kept = [wanted[0].uuid], []
        for one in lagg["vlans"]:
            profile = self._vlan(_source(lagg, one["name"]))
            if profile.device == one["name"] and profile.says("vlan", "parent") == lagg["name"]:
                kept.append(profile)
            else:
                wanted.append(_Wanted(one["name"], vlan(one["name"], one["id"], lagg["name"], profile)))
            up.append(profile.uuid if profile in kept else wanted[-1].uuid)
        wanted += self._ports(lagg)
        laggs = {lagg["name"], *replaced(lagg, links)}
        devices = {*laggs, *_ports_and_sources(lagg)}
        old = self._old({*devices, *(one.device for one in wanted)}, laggs)
        self._refuse_left_over((devices - {lagg["name"]}) | ({profile.uuid for profile in old} - {one.uuid for one in wanted}), [*old, *kept])
        files: Dict[str, Optional[File]] = {profile.path: None for profile in old}
        files.update({one.path: one.file() for one in wanted})
        load = [*_LOAD, *files]
        before = sorted((profile for profile in old + kept if profile.active), key=lambda profile: (profile.kind == "vlan", profile.kind != "bond"))
        # What is gone with its file takes the devices away that it made, so there is nothing to undo beside.
        return Change(files, [load, *map(_up, up)], [], [load, *(_up(profile.uuid) for profile in before)], self._judge(wanted))

    def states(self, device: str) -> str:
        return "\n".join(self.node.read_text(profile.path) or "" for profile in self._of(device))

    # What is rendered

    def _bond(self, lagg: Lagg, links: Links, source: Optional[Profile]) -> _Wanted:
        values = settings(lagg, links)
        options = {"mode": _MODES[lagg["protocol"]], "miimon": "100"}
        options.update({_KEYS[key]: str(_POLICIES.get(value, value)) if key == "hash" else str(value) for key, value in values.items()})
        return _Wanted(lagg["name"], bond(lagg, options, hardware_address(lagg, links), source))

    def _ports(self, lagg: Lagg) -> List[_Wanted]:
        return [_Wanted(member, port(member, lagg["name"], self._hardware(member))) for member in lagg["members"]]

    def _hardware(self, member: str) -> Optional[Profile]:
        """The profile that says how a port is set as hardware."""
        found = [profile for profile in self._profiles() if profile.device == member and profile.kind == "ethernet"]
        for profile in found:
            _refuse_sections(profile, member)
        return next((profile for profile in found if profile.active == member), found[0] if len(found) == 1 else None)

    def _judge(self, wanted: Sequence[_Wanted]) -> str:
        for one in wanted:
            done = self.node.query([*_JUDGE, one.device], stdin=one.file().text, ok=None)
            if done.status != 0 and "--offline" in done.stderr:
                return NO_CHECKER
            if done.status != 0:
                raise NodeError("NetworkManager refuses the profile for %s (status %d): %s; nothing was changed" % (
                    one.device, done.status, (done.stderr or done.stdout).strip()))
            if missing(one.sections, parsed(done.stdout), _STRUCTURE):
                raise NodeError("NetworkManager does not take all of the profile for %s, but leaves of it: %s; nothing was changed" % (
                    one.device, " ".join(done.stdout.split())))
        return "passed"

    # What is there

    def _profiles(self) -> List[Profile]:
        if self._read is None:
            rows = [line.split(":", 2) for line in self.node.query(
                ["nmcli", "--terse", "--escape", "no", "--fields", "UUID,DEVICE,FILENAME", "connection", "show"]).stdout.splitlines()]
            self._read = [Profile(row[0], row[1], row[2], parsed(self.node.read_text(row[2]) or "")) for row in rows if len(row) == 3]
        return self._read

    def _of(self, device: str) -> List[Profile]:
        """The profiles that the device has now, or gets at boot."""
        return [profile for profile in self._profiles() if profile.active == device or (profile.device == device and profile.automatic)]

    def _carried(self, device: str, kinds: Sequence[str]) -> Optional[Profile]:
        """The one profile of a device, which can be carried over; None when there is none.

        Raises:
            NodeError: there are several, or it says something that would be lost.
        """
        found = self._of(device)
        for profile in found:
            _refuse(profile, device, kinds)
        if len(found) > 1:
            raise NodeError("%s has several profiles that come up by themselves: %s; which one counts cannot be told. Leave it one "
                            "(nmcli connection modify uuid UUID connection.autoconnect no)" % (device, ", ".join(profile.path for profile in found)))
        return found[0] if found else None

    def _vlan(self, device: str) -> Profile:
        profile = self._carried(device, ("vlan",))
        if profile is None:
            raise NodeError("%s is in no profile of NetworkManager, so it would not come back after a reboot; make one for it, or remove the VLAN" % device)
        return profile

    def _old(self, devices: Set[str], laggs: Set[str]) -> List[Profile]:
        """The profiles of the devices and of the LAGGs' members, which count no more."""
        masters = {*laggs, *(profile.uuid for profile in self._profiles() if profile.device in laggs)}
        return [profile for profile in self._profiles() if _lasts(profile) and (profile.active or profile.automatic)
                and (profile.device in devices or profile.says("connection", "master") in masters)]

    def _refuse_left_over(self, gone: Set[str], done: Sequence[Profile]) -> None:
        """Nothing may come up at boot upon a device that is a member then, or not there. ``gone`` are names of devices, and UUIDs."""
        for profile in self._profiles():
            on = next((keys["parent"] for keys in profile.sections.values() if keys.get("parent") in gone), None)
            if on is not None and profile not in done and profile.automatic:
                raise NodeError("%s makes %s upon %s, which is not to be moved; bring it up, or remove it (nmcli connection delete uuid %s)"
                                % (profile.path, profile.device or "a device", on, profile.uuid))

    def _refuse_unmanaged(self, lagg: Lagg) -> None:
        for device, state, _connection in networkmanager_devices(self.node):
            if device in _ports_and_sources(lagg) and state == "unmanaged":
                raise NodeError("NetworkManager leaves %s alone; let it have the device (unmanaged-devices in NetworkManager.conf(5), udev), or state the "
                                "network stack that keeps it" % device)


def _source(lagg: Lagg, device: str) -> str:
    """The device that has now what this one shall have."""
    return next((str(move["from_device"]) for move in lagg["moves"] if move["to_device"] == device), device)


def _ports_and_sources(lagg: Lagg) -> Set[str]:
    return {*lagg["members"], *(move["from_device"] for move in lagg["moves"])}


def _up(uuid: str) -> List[str]:
    return ["nmcli", "--wait", "30", "connection", "up", "uuid", uuid]


def _lasts(profile: Profile) -> bool:
    return profile.path.startswith(FOLDER + "/")


def _refuse(profile: Profile, device: str, kinds: Sequence[str]) -> None:
    """A profile that cannot be carried over, with what to do about it."""
    change = "nmcli connection modify uuid %s " % profile.uuid
    if profile.path.startswith("/run/") or not profile.path:
        raise NodeError("the profile of %s is in memory only (%s); keep it: %sconnection.interface-name %s"
                        % (device, profile.path or profile.uuid, change, device))
    if not _lasts(profile):
        raise NodeError("the profile of %s is %s, which cannot be carried over; move it to %s (nmcli connection migrate)" % (device, profile.path, FOLDER))
    if profile.device != device:
        raise NodeError("%s is on %s and does not name it, so it could come up on another device; name it: %sconnection.interface-name %s"
                        % (profile.path, device, change, device))
    if not profile.automatic:
        raise NodeError("%s is on %s and does not come up by itself, so it would be lost at the next boot; let it: %sconnection.autoconnect yes"
                        % (profile.path, device, change))
    if profile.kind not in kinds:
        raise NodeError("%s is of type %s, which cannot be carried over; move what it does by hand" % (profile.path, profile.kind))
    if profile.says("connection", "master"):
        raise NodeError("%s makes %s a port of %s, which cannot be carried over; take it out first: %sconnection.master ''"
                        % (profile.path, device, profile.says("connection", "master"), change))
    _refuse_sections(profile, device)


def _refuse_sections(profile: Profile, device: str) -> None:
    unknown = [section for section in profile.sections if section not in KNOWN]
    if unknown:
        raise NodeError("%s has [%s], which cannot be carried over to a LAGG; take it out, or leave %s as it is" % (profile.path, "], [".join(unknown), device))
