# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From LAGGs as wanted, rc.conf and the devices to what differs and what is to be done, forth and back. Pure.

What is on the devices is taken off by ifconfig; all is brought up by rc.d/netif from rc.conf, so that what runs is what the next start of the machine
gives. Nothing of the addresses need be repeated here, CARP's passwords least of all. rc.d/netif never fails, so it is looked at afterwards.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set

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
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_programs import QUIET, Drift, below, quoted
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_names import renamed
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import lagg_rc, rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

Routes = Sequence[Mapping[str, str]]

_FILES = """# restore COPY FILE: as it was; fails where somebody has changed it since.
restore() {
    if [ ! -e "$1.before" ] || cmp -s "$1.before" "$2"; then return 0; fi
    cmp -s "$1.after" "$2" && cp -p "$2" "$2.hafirewall" && cat "$1.before" > "$2.hafirewall" && mv "$2.hafirewall" "$2"
}
# rename FILE EDITS ...: where somebody has changed it since, only the names go back.
rename() {
    file=$1
    shift
    cp -p "$file" "$file.hafirewall" && sed "$@" "$file" > "$file.hafirewall" && mv "$file.hafirewall" "$file" || failed=1
}
"""


class Work(NamedTuple):
    """What is to be done.

    Attributes:
        laggs: names of those that are not as wanted.
        variables: of rc.conf, all as they shall be; the same as now where nothing differs.
        pf: the text of pf.conf as it shall be, None where nothing differs.
        more: the same of files with variables that sysrc does not write, by path.
        change, back: the scripts; ``steps`` is what the first one runs, as it is told.
        touched: by LAGG, every device that is interrupted.
        moved: by the names of now, those of afterwards, of what is on the LAGGs.
        kept: what must be there afterwards.
    """

    laggs: List[str]
    drift: Drift
    variables: Dict[str, str]
    pf: Optional[str]
    more: Dict[str, str]
    change: str
    back: str
    steps: List[str]
    touched: Dict[str, Set[str]]
    moved: Dict[str, str]
    kept: Kept

    @property
    def devices(self) -> Set[str]:
        """All that are interrupted."""
        return {device for devices in self.touched.values() for device in devices}


class Now(NamedTuple):
    """The node as it is: rc.conf, the devices, the routes (``destination``, ``gateway``, ``flags``, ``device`` each), where pfsync sends, and pf.conf.

    ``pf`` is None where there is none, ``rules`` is its path; ``filtering``: pf is on, so that what it says counts.
    ``more``: files with variables that sysrc does not write, by path.
    """

    known: Mapping[str, str]
    links: Links
    routes: Routes
    sync: Optional[str]
    rules: str
    pf: Optional[str]
    filtering: bool
    more: Mapping[str, str] = {}


def compare(laggs: Sequence[Lagg], now: Now) -> Work:
    """What is to be done, for all LAGGs together.

    Args:
        laggs: as in the options of the module lagg, judged already.
    Raises:
        NodeError: a VLAN that is to be there is not in rc.conf, or what is there cannot be made one.
    """
    variables, drift, due = dict(now.known), [], []  # type: Dict[str, str], Drift, List[_One]
    for lagg in laggs:
        one = _One(lagg, now, variables)
        variables, differs = one.variables, one.drift()
        if differs:
            due.append(one)
            drift += differs
    if not due:
        variables = dict(now.known)
    moved = {source: target for one in due for source, target in one.targets.items()}
    names = {source: target for source, target in moved.items() if source != target}
    pf = None if now.pf is None else renamed(now.pf, names)
    more = {path: lagg_rc.renamed(text, names) for path, text in now.more.items() if lagg_rc.renamed(text, names) != text}
    drift += [{"setting": path, "is": "for %s" % ", ".join(names), "wanted": "for %s" % ", ".join(names.values())} for path in more]
    sync = moved.get(now.sync or "")
    found = kept([one.targets for one in due], now.links)
    restored = {name: value for name, value in variables.items() if now.known.get(name) != value}
    gone = [name for name in now.known if name not in variables]
    steps = [step for one in due for step in one.down(True)] + [step for one in due for step in one.up(True)] + _ends(due, now, moved, True)
    back = [step for one in reversed(due) for step in one.down(False)] + _restored(now, restored, gone) + _restored_files(more, names)
    back += [step for one in due for step in one.up(False)] + _ends(due, now, moved, False)
    back += lagg_programs.has(_stated(moved, now.links))
    return Work([one.lagg["name"] for one in due], drift, variables, None if pf == now.pf else pf, more, lagg_programs.change(steps),
                lagg_programs.back(_FILES, back), lagg_programs.told(steps, now.links), {one.lagg["name"]: one.touched() for one in due}, moved,
                found._replace(sync=sync, routes=_kept_routes(now, moved)))


class _One:
    """One LAGG: what differs, and its part of the work."""

    def __init__(self, lagg: Lagg, now: Now, known: Mapping[str, str]) -> None:
        self.lagg, self.now, self.known = lagg, now, known
        self.name = lagg["name"]
        # One that is there no more was moved already.
        present = {*now.links, *lagg_rc.cloned(known)}
        self.base = next((move["from_device"] for move in lagg["moves"] if move["vlan"] is None and move["from_device"] in present), self.name)
        self.apart = self.base != self.name and is_lagg(now.links, self.base)
        found = {name for device in dict.fromkeys([self.base, self.name]) for name in [*lagg_rc.vlans(known, device), *upon(now.links, device)]}
        self.vlans = carried(lagg, found)
        self.targets = dict({self.base: self.name, self.name: self.name}, **self.vlans)
        self.members = in_order(lagg)
        self.variables = lagg_rc.changed(known, lagg_rc.Change(
            self.name, self.base, self.apart, {device: self.targets[device] for device in self.targets}, self.members, lagg["protocol"],
            None if lagg["hash"] is None else lagg["hash"].replace("+", ","), fast(lagg), lagg["mtu"]))
        there = lagg_rc.vlans(self.variables, self.name)
        for vlan in lagg["vlans"]:
            if there.get(vlan["name"]) != vlan["id"]:
                raise NodeError("%s: VLAN %s (%s) is not in rc.conf of this node; add it there (vlans_%s) first; nothing was touched" % (
                    self.name, vlan["id"], vlan["name"], lagg_rc.norm(self.base)))

    def drift(self) -> Drift:
        """What differs in rc.conf, or, where nothing does, in the kernel."""
        names = [name for name in dict.fromkeys([*self.known, *self.variables]) if self.known.get(name) != self.variables.get(name)]
        found = [{"setting": "rc.conf: " + name, "is": rc.redacted(self.known.get(name)), "wanted": rc.redacted(self.variables.get(name))} for name in names]
        return found or [{"setting": setting + " as running", "is": is_, "wanted": wanted} for setting, is_, wanted in as_running(self.lagg, self.now.links)]

    def touched(self) -> Set[str]:
        """Every device that is interrupted."""
        return {*self.lagg["members"], *self.targets, *self.targets.values()}

    def down(self, forth: bool) -> List[str]:
        """What is there is taken apart: that of before, and on the way back both, for nobody knows how far the change came."""
        devices = [self.base] if forth and self.base != self.name else [self.name, self.base]
        devices += [self.name] if forth else []
        vlans = list(self.vlans) if forth else [*self.vlans.values(), *self.vlans]
        known = self.known
        found = [quoted("gone", device) for device in reversed(list(dict.fromkeys(vlans)))]
        for device in dict.fromkeys(devices):
            # The client would take the address back; it is asked by force, because rc.conf may say no more that there is one.
            found += [quoted("try", "service", "dhclient", "forcestop", device)] if lagg_rc.leases(known, self.base) else []
            found.append(quoted("flush" if self._is_port(device) else "gone", device))
            described = forth and self._is_port(device) and "ifconfig_%s_descr" in lagg_rc.of(known, device)
            found += [quoted("step", "ifconfig", device, "-description")] if described else []
        return found

    def up(self, forth: bool) -> List[str]:
        """All is configured by rc.conf; the ports first, then the LAGG with the VLANs that it lists, then those that are listed by themselves."""
        known = self.variables if forth else self.now.known
        before = [name for name in dict.fromkeys([self.base, self.name]) if is_lagg(self.now.links, name)]
        laggs = [self.name] if forth else before
        members = self.members if forth else [port for name in before for port in self.now.links[name]["lagg"]["members"]]
        ports = [*([] if forth or not self._is_port(self.base) else [self.base]), *members]
        found = [_netif(dict.fromkeys([*ports, *laggs]))] if ports or laggs else []
        own = [device for device in (self.vlans.values() if forth else self.vlans) if device in lagg_rc.cloned(known)]
        found += [_netif(own)] if own else []
        asking = [device for device in [*(self.vlans.values() if forth else self.vlans), *(laggs or [self.base])] if lagg_rc.leases(known, device)]
        return found + [quoted("try", "service", "dhclient", "quietstart", device) for device in asking]

    def _is_port(self, device: str) -> bool:
        row = self.now.links.get(device)
        return row is not None and row["lagg"] is None


def _ends(due: Sequence[_One], now: Now, moved: Mapping[str, str], forth: bool) -> List[str]:
    """Routes, pfsync and pf, when all devices are there."""
    if not due:
        return []
    found = [quoted("try", "service", "routing", "static", "any")] if lagg_rc.routes(now.known) else []
    if now.sync is not None and now.sync in moved:
        found.append(quoted("step", "ifconfig", "pfsync0", "syncdev", moved[now.sync] if forth else now.sync))
    if now.filtering and now.pf is not None:
        # It holds the addresses that devices had when it was loaded.
        found.append(lagg_programs.loaded(now.rules))
    return found


def _restored(now: Now, restored: Mapping[str, str], gone: Iterable[str]) -> List[str]:
    """rc.conf as it was: the file where it is still as this collection left it, else the variables, and what somebody else has written since stays."""
    sets = [quoted("step", "sysrc", "%s=%s" % (name, now.known[name])) for name in [*(one for one in restored if one in now.known), *gone]]
    drops = [quoted("try", "sysrc", "-ix", name) for name in restored if name not in now.known]
    files = ["restore %s \"$root/etc/%s\"" % (name, name) for name in ("rc.conf", "rc.conf.local")]
    quiet = [line + QUIET for line in [*sets, *drops]]
    found = ["if ! { %s; }; then" % " && ".join(files), *("    " + line for line in quiet), "fi"] if quiet else []
    return [*found, "restore pf.conf%s || echo 'the rules of pf were changed by somebody else since, and stay as they are'" % below(now.rules)]


def copy_of(number: int) -> str:
    """The name of the copy of one of the files with variables that sysrc does not write, in their order."""
    return "more%d" % number


def _restored_files(more: Iterable[str], names: Mapping[str, str]) -> List[str]:
    found = []
    for number, path in enumerate(more):
        edits = "".join(" -e 's/_%s_/_%s_/g' -e 's/_%s=/_%s=/g'" % (new, old, new, old)
                        for old, new in ((lagg_rc.norm(old), lagg_rc.norm(new)) for old, new in names.items()))
        found.append("restore %s%s || rename%s%s" % (copy_of(number), below(path), below(path), edits))
    return found


def _stated(moved: Iterable[str], links: Links) -> Dict[str, List[str]]:
    """The addresses of before, without those that were lent."""
    return kept([{device: device for device in moved}], links).addresses


def _kept_routes(now: Now, moved: Mapping[str, str]) -> List[List[str]]:
    """The routes of rc.conf that lead out by what is moved, under the new names."""
    said = lagg_rc.routes(now.known)
    return [[route["destination"], route["gateway"], moved[route["device"]]] for route in now.routes
            if route["device"] in moved and static(route) and told_of(route, said)]


def static(route: Mapping[str, str]) -> bool:
    """Whether somebody has set it by hand or at boot: not the kernel, nor a program that speaks to routers, which marks its own (1, 2, 3)."""
    return "S" in route["flags"] and "G" in route["flags"] and not set("123") & set(route["flags"])


def told_of(route: Mapping[str, str], said: str) -> bool:
    """Whether rc.conf has it."""
    destination = route["destination"].partition("/")[0].partition("%")[0]
    return re.search(r"(?<![\w.:])%s(?![\w.:])" % re.escape(destination), said) is not None


def _netif(devices: Iterable[str]) -> str:
    """It shows all devices when it is done; what went wrong comes out otherwise."""
    return quoted("step", "service", "netif", "start", *devices) + QUIET
