# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a LAGG cannot be on this node, found before anything is touched. Pure.

netstart goes on when a command fails, so whatever the kernel would refuse must be known before.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_refuse as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Lagg, upon
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import INTERFACE
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname, lagg_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg_steps import Now, Work, of_mygate


def judge(laggs: Sequence[Lagg], now: Now) -> None:
    """Refuse what cannot be, all of it at once.

    Raises:
        NodeError: with a line for each.
    """
    owned: Dict[str, str] = {}
    common.refuse([problem for lagg in laggs for problem in (
        *_settings(lagg), *common.primary(lagg), *common.ports(lagg, now.links, owned, partial(_used, lagg=lagg, now=now)),
        *common.moves(lagg, now.links, now.files))])


def kept(work: Work, now: Now, learning: Sequence[str], wireless: Sequence[str]) -> None:
    """Refuse what would not be there any more after the change, or the next start.

    Args:
        learning: devices that are lent an address as they run.
        wireless: those that are.
    Raises:
        NodeError: with all of it.
    """
    found: List[str] = []
    for device in dict.fromkeys([*sorted(work.devices), *work.again]):
        found += lagg_files.problems(device, now.files.get(device, ""))
        found += ["%s is lent an address, which may be another one afterwards; give it a fixed one" % device] if device in learning else []
        found += ["%s is wireless, and cannot be carried over" % device] if device in wireless else []
    for device in [one for one in work.moved if one in now.links]:
        found += _of(device, work, now)
    for device in work.again:
        found += [] if device in now.files else ["%s lies on a device that is made anew, and there is no %s to make it again; write it" % (
            device, hostname.path(device))]
    found += ["/etc/mygate has %s, on a device that is another one afterwards; state a gateway that names no device" % gateway for gateway in now.gateways
              if gateway.partition("%")[2] in [source for source, target in work.moved.items() if source != target]]
    found += ["the route to %s by %s on %s is there now, but no file of netstart says so, so it would be lost; write it into /etc/mygate, or delete it" % (
        route["destination"], route["gateway"], route["device"]) for route in now.routes
        if route["device"] in work.moved and route["static"] and not of_mygate(route, now)]
    common.refuse(found)


def _of(device: str, work: Work, now: Now) -> List[str]:
    """What would be lost of one device."""
    row, text = now.links[device], now.files.get(device, "")
    found = lagg_files.unknown(device, text) if row["lagg"] is None and row["vlan"] is None else []
    if row["lagg"] is not None and device not in now.files:
        found.append("%s is there now, but has no file, so there would be no way back; write %s, or destroy it" % (device, hostname.path(device)))
    missing = [address for address in row["addresses"] if not address.lower().startswith("fe80:") and not re.search(
        r"(?<![\w.:])%s(?![\w.:])" % re.escape(address.partition("/")[0]), text, re.IGNORECASE)]
    if missing:
        found.append("%s has %s now, but %s does not say so, so it would be lost; add it there, or take it off" % (
            device, ", ".join(missing), hostname.path(device)))
    above, said = upon(now.links, device), lagg_files.vlans(now.files, device)
    if row["vlan"] is not None and above:
        found.append("%s is a VLAN that carries VLANs itself (%s), and cannot be carried over; take them off first" % (device, ", ".join(above)))
    found += ["%s is VLAN %s of %s now, but %s does not say so, so it would be lost; add it there, or destroy it" % (
        name, now.links[name]["vlan"]["id"], device, hostname.path(name)) for name in above if name not in said]
    # A LAGG's own ports are named by its own file.
    others = [place for place in lagg_files.naming(now.files, device)
              if not place.startswith(tuple(hostname.path(name) + ":" for name in work.moved))]
    found += ["%s names %s, and cannot be moved along with it; take it off first, and make it anew on the LAGG" % (place, device) for place in others]
    master = row["master"]
    if master is not None and master not in work.moved and not others:
        found.append("%s is a member of %s, which would go on using the port; take it off there first" % (device, master))
    return found


def _settings(lagg: Lagg) -> List[str]:
    name, found = lagg["name"], []
    if not re.fullmatch(r"(?:aggr|trunk)(?:0|[1-9]\d*)", name):
        found.append("%s: a LAGG is called aggr or trunk, and a number, on OpenBSD" % name)
    elif name.startswith("aggr") and lagg["protocol"] != "lacp":
        found.append("%s: aggr(4) has LACP only; call it trunk and a number" % name)
    for option in ("min_links", "hash"):
        if lagg[option] is not None:
            found.append("%s: %s cannot be set on OpenBSD; leave it out" % (name, option))
    return found


def _used(member: str, lagg: Lagg, now: Now) -> Optional[str]:
    own = common.own_names(lagg)
    above = list(dict.fromkeys([*upon(now.links, member), *lagg_files.vlans(now.files, member)]))
    if above:
        return "carries VLANs (%s); move them first" % ", ".join(above)
    if now.sync == member or lagg_files.lying(now.files, "pfsync", [member]):
        return "is where %s sends; move it first" % INTERFACE
    text = now.files.get(member, "")
    places = [place for place in lagg_files.naming(now.files, member) if not place.startswith(tuple(hostname.path(name) + ":" for name in own))]
    if places:
        return "is named in %s; free it first" % ", ".join(places)
    said = lagg_files.parts(text)
    busy = [line for line in said.above if not line.lstrip().startswith("#")]
    if busy or said.unknown or said.lladdr or lagg_files.problems(member, text):
        return "is configured in %s; free it first" % hostname.path(member)
    return None
