# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From LAGGs as wanted, hostname.if(5) files and the devices to what differs and what is to be done, forth and back. Pure.

What is on the devices is taken off by ifconfig; all is brought up by netstart from the files, so that what runs is what the next start of the machine gives.
netstart never fails, so it is looked at afterwards.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_programs
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import (
    Kept,
    Lagg,
    Links,
    as_running,
    carried,
    fast,
    in_order,
    is_lagg,
    kept,
    upon,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_programs import Drift, below, quoted
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_names import renamed
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import INTERFACE
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname, lagg_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.ifconfig import Carp

Texts = Dict[str, Optional[str]]  # by path; None for a file that is not there

RULES = "/etc/pf.conf"
_FILES = """# restore COPY FILE: as it was. What somebody has written there since is kept beside it; netstart takes no such name.
restore() {
    if [ -e "$1.before" ]; then
        if cmp -s "$1.before" "$2"; then return 0; fi
    elif [ ! -e "$2" ]; then
        return 0
    fi
    if [ -e "$2" ] && ! cmp -s "$1.after" "$2"; then step cp -p "$2" "$2.not-kept"; fi
    if [ ! -e "$1.before" ]; then
        step rm "$2"
        return
    fi
    if [ -e "$2" ]; then cp -p "$2" "$2.hafirewall"; else (umask 027 && : > "$2.hafirewall"); fi
    cat "$1.before" > "$2.hafirewall" && mv "$2.hafirewall" "$2" || failed=1
}
"""


class Now(NamedTuple):
    """The node as it is.

    Attributes:
        files: of hostname.if(5), by device.
        carps: devices of CARP that have a virtual host, by name.
        routes: ``destination``, ``gateway``, ``device`` and ``static`` each.
        sync: where pfsync sends.
        pf: pf.conf, None where there is none; ``filtering``: pf is on, so that what it says counts.
        gateways: the default routes' of /etc/mygate.
    """

    files: Mapping[str, str]
    links: Links
    carps: Mapping[str, Carp]
    routes: Sequence[Mapping[str, Any]]
    sync: Optional[str]
    pf: Optional[str]
    filtering: bool
    gateways: Sequence[str]


class Work(NamedTuple):
    """What is to be done.

    Attributes:
        laggs: names of those that are not as wanted.
        files: that shall be another or none, by path, as they are and as they shall be; in the order of writing.
        change, back: the scripts; ``steps`` is what the first one runs, as it is told.
        touched: by LAGG, every device that is interrupted.
        moved: by the names of now, those of afterwards, of what is on the LAGGs.
        again: devices of CARP and pfsync that are made anew.
        kept: what must be there afterwards.
    """

    laggs: List[str]
    drift: Drift
    before: Texts
    after: Texts
    change: str
    back: str
    steps: List[str]
    touched: Dict[str, Set[str]]
    moved: Dict[str, str]
    again: List[str]
    kept: Kept

    @property
    def devices(self) -> Set[str]:
        """All that are interrupted."""
        return {device for devices in self.touched.values() for device in devices}


def compare(laggs: Sequence[Lagg], now: Now) -> Work:
    """What is to be done, for all LAGGs together.

    Args:
        laggs: as in the options of the module lagg, judged already.
    Raises:
        NodeError: a VLAN that is to be there has no file.
    """
    files, drift, due = dict(now.files), [], []  # type: Dict[str, str], Drift, List[_One]
    for lagg in laggs:
        one = _One(lagg, now, files)
        differs = one.drift()
        if differs:
            due.append(one)
            drift += differs
            files = one.files
    moved = {source: target for one in due for source, target in one.targets.items()}
    again = _again(now, moved)
    after: Texts = {hostname.path(name): files.get(name) for name in [*files, *now.files] if files.get(name) != now.files.get(name)}
    names = {source: target for source, target in moved.items() if source != target}
    rules = None if now.pf is None else renamed(now.pf, names)
    if rules != now.pf:
        after[RULES] = rules
        drift.append({"setting": RULES, "is": "for %s" % ", ".join(names), "wanted": "for %s" % ", ".join(names.values())})
    before = {path: now.pf if path == RULES else now.files.get(path[len(hostname.path("")):]) for path in after}
    change = [step for one in due for step in one.down(True)]
    back = [step for one in reversed(due) for step in one.down(False)]
    own = [quoted("gone", name) for name in again]
    start = [name for one in due for name in one.up(True)] + again
    start_again = [name for one in due for name in one.up(False)] + again
    load = [lagg_programs.loaded(RULES)] if now.filtering and now.pf is not None else []
    steps = [*own, *change, *_netstart(start, files), *load] if due else []
    stated = {**{device: device for device in moved}, **{name: name for name in again}}
    returned = [*own, *back, *(_restored(number, path) for number, path in enumerate(after)), *_netstart(start_again, now.files), *load]
    returned += lagg_programs.has(kept([stated], now.links).addresses)
    found = kept([dict(one.targets) for one in due] + [{name: name for name in again}], now.links)
    return Work([one.name for one in due], drift, before, after, lagg_programs.change(steps),
                lagg_programs.back(_FILES, returned), lagg_programs.told(steps, now.links, [INTERFACE]), {one.name: one.touched() for one in due}, moved,
                again, found._replace(leased=[], up=[name for name in found.up if name not in again], sync=moved.get(now.sync or ""),
                                      routes=_kept_routes(now, moved)))


class _One:
    """One LAGG: what differs, and its part of the work."""

    def __init__(self, lagg: Lagg, now: Now, files: Mapping[str, str]) -> None:
        self.lagg, self.before = lagg, files
        self.name, self.links = lagg["name"], now.links
        present = {*now.links, *files}
        # One that is there no more, or is a port of the LAGG, was moved already.
        self.base = next((move["from_device"] for move in lagg["moves"] if move["vlan"] is None and move["from_device"] in present
                          and not self._is_moved(move["from_device"], files)), self.name)
        self.apart = self.base != self.name and is_lagg(now.links, self.base)
        found = {name for device in dict.fromkeys([self.base, self.name]) for name in [*lagg_files.vlans(files, device), *upon(now.links, device)]}
        self.vlans = carried(lagg, found)
        self.targets = dict({self.base: self.name, self.name: self.name}, **self.vlans)
        self.members = in_order(lagg)
        self.files = lagg_files.changed(files, lagg_files.Change(
            self.name, self.base, self.apart, self.vlans, self.members, lagg["protocol"], fast(lagg), lagg["mtu"],
            self._lladdr()))
        there = lagg_files.vlans(self.files, self.name)
        for vlan in lagg["vlans"]:
            if there.get(vlan["name"]) != vlan["id"]:
                raise NodeError("%s: VLAN %s (%s) has no file on this node; write %s with vnetid %s parent %s first; nothing was touched" % (
                    self.name, vlan["id"], vlan["name"], hostname.path(vlan["name"]), vlan["id"], self.base))

    def _is_moved(self, device: str, files: Mapping[str, str]) -> bool:
        """A port whose file says no more than that it is up, on a LAGG that has it."""
        return device in lagg_files.parts(files.get(self.name, "")).members and not lagg_files.parts(files.get(device, "")).above

    def _lladdr(self) -> Optional[str]:
        """What the LAGG has now, else what the network knows the port by, for an aggr(4) that its file gives none."""
        now = [self.name] if is_lagg(self.links, self.name) else [self.base, *self.members]
        return next((self.links[device]["mac"] for device in now if device in self.links and self.links[device]["mac"]), None)

    def drift(self) -> Drift:
        """What differs in the files, or, where nothing does, in the kernel."""
        names = [name for name in dict.fromkeys([*self.before, *self.files]) if self.before.get(name) != self.files.get(name)]
        found = [{"setting": hostname.path(name), "is": _shown(self.before.get(name)), "wanted": _shown(self.files.get(name))} for name in names]
        return found or [{"setting": setting + " as running", "is": is_, "wanted": wanted} for setting, is_, wanted in as_running(self.lagg, self.links)]

    def touched(self) -> Set[str]:
        """Every device that is interrupted."""
        return {*self.lagg["members"], *self.targets, *self.targets.values()}

    def down(self, forth: bool) -> List[str]:
        """What is there is taken apart: that of before, and on the way back both, for nobody knows how far the change came."""
        vlans = list(self.vlans) if forth else [*self.vlans.values(), *self.vlans]
        found = [quoted("gone", device) for device in reversed(list(dict.fromkeys(vlans)))]
        for device in dict.fromkeys([self.name, self.base]):
            port = lagg_files.driver(device) not in ("aggr", "trunk")
            found.append(quoted("flush" if port else "gone", device))
            found += [quoted("step", "ifconfig", device, *words) for words in lagg_files.marks(self.before.get(device, "")) if port and forth]
        return found

    def up(self, forth: bool) -> List[str]:
        """The devices in the order of their start; the ports first."""
        members = self.members if forth else [port for name in dict.fromkeys([self.base, self.name]) for port in lagg_files.parts(
            self.before.get(name, "")).members]
        vlans = self.vlans.values() if forth else self.vlans
        # The port that it was has its place there either way.
        return list(dict.fromkeys([*([] if self.apart else [self.base]), *members, *([self.name] if forth else [self.base, self.name]), *vlans]))


def _again(now: Now, moved: Mapping[str, str]) -> List[str]:
    """CARP's devices that lie on what is made anew, and pfsync0: they would lose it, or not take another one while they run."""
    found = [*lagg_files.lying(now.files, "carp", list(moved)), *(name for name, carp in now.carps.items() if carp.instance.device in moved)]
    return [*dict.fromkeys(found), *([INTERFACE] if now.sync is not None and now.sync in moved else [])]


def _netstart(devices: Iterable[str], files: Mapping[str, str]) -> List[str]:
    wanted = [name for name in sorted(dict.fromkeys(devices), key=_order) if name in files]
    return ['step sh "$root"/etc/netstart %s' % quoted(*wanted)] if wanted else []


def _order(device: str) -> int:
    kind = lagg_files.driver(device)
    order = ("aggr", "trunk", "vlan", "carp", "pfsync")
    return order.index(kind) + 1 if kind in order else 0


def _restored(number: int, path: str) -> str:
    return "restore %s%s" % (copy_of(number), below(path))


def copy_of(number: int) -> str:
    """The name of the copy of one of the files, in their order."""
    return "file%d" % number


def _kept_routes(now: Now, moved: Mapping[str, str]) -> List[List[str]]:
    """The default routes that lead out by what is moved, under the new names."""
    return [[route["destination"], route["gateway"], moved[route["device"]]] for route in now.routes
            if route["device"] in moved and route["static"] and of_mygate(route, now)]


def of_mygate(route: Mapping[str, Any], now: Now) -> bool:
    """Whether netstart brings it back."""
    return route["destination"] == "default" and route["gateway"] in now.gateways


def _shown(text: Optional[str]) -> Optional[str]:
    return None if text is None else hostname.without_password(text)
