# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a LAGG cannot be on this node, found before anything is touched. Pure.

rc.d/netif goes on when a command fails, so whatever the kernel would refuse must be known before.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_refuse as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Lagg, upon
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import lagg_rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_steps import Now, Work, static, told_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

# What would be left behind on the port, or taken down with it. Rules move along, and the rest goes on naming the port without harm.
LEFT_BEHIND = ("bridge", "tunnel", "variable", "jail", "wireless", "ppp")
# Variables of rc.conf by what they make; anything else is the setting of a program.
_MAKES = {"bridge": r"ifconfig_bridge\d+|autobridge_interfaces|autobridge_bridge\d+", "tunnel": r"(?:ifconfig|create_args)_vxlan\d+|gifconfig_\w+",
          "wireless": r"wlans_\w+", "jail": r"jail_\w+", "ppp": r"ppp_\w+|mpd_\w+"}


def judge(laggs: Sequence[Lagg], now: Now) -> None:
    """Refuse what cannot be, all of it at once.

    Raises:
        NodeError: with a line for each.
    """
    owned: Dict[str, str] = {}
    common.refuse([problem for lagg in laggs for problem in (
        *_settings(lagg), *common.primary(lagg), *common.ports(lagg, now.links, owned, lambda member: _used(member, now)),
        *common.moves(lagg, now.links, lagg_rc.cloned(now.known)))])


def kept(work: Work, now: Now, scripts: Sequence[str]) -> None:
    """Refuse what would not be there any more after the change, or the next start.

    Args:
        scripts: files that are run when one of the devices is configured.
    Raises:
        NodeError: with all of it.
    """
    found = ["%s is run for a device that is moved, and would be run no more; put what it does into rc.conf, or rename it by hand" % path for path in scripts]
    for device in work.moved:
        if device not in now.links:
            continue
        found += ["%s, and cannot be carried over" % told for told in lagg_rc.kept_by_programs(now.known, device)]
        for path, text in now.more.items():
            found += ["%s has %s, which cannot be carried over from there; write it into rc.conf" % (path, name) for name in lagg_rc.unmovable(text, device)]
        missing = _missing(now, device)
        if missing:
            found.append("%s has %s now, but rc.conf does not say so, so it would be lost; add it there (ifconfig_%s_aliasN), or take it off" % (
                device, ", ".join(missing), lagg_rc.norm(device)))
        if now.links[device]["lagg"] is not None and device not in lagg_rc.cloned(now.known):
            found.append("%s is there now, but rc.conf does not make it, so there would be no way back; add it there (cloned_interfaces), or destroy it"
                         % device)
        above = upon(now.links, device)
        if now.links[device]["vlan"] is not None and above:
            found.append("%s is a VLAN that carries VLANs itself (%s), and cannot be carried over; take them off first" % (device, ", ".join(above)))
        master = now.links[device]["master"]
        if master is not None and now.links.get(master, {"kind": None})["kind"] == "bridge":
            found.append("%s is a member of %s, which would go on using the port; take it off the bridge first" % (device, master))
        configured = lagg_rc.vlans(now.known, device)
        found += ["%s is VLAN %s of %s now, but rc.conf does not say so, so it would be lost; add it there (vlans_%s), or destroy it" % (
            name, now.links[name]["vlan"]["id"], device, lagg_rc.norm(device)) for name in above if name not in configured]
    common.refuse(found + _routes(work, now))


def referring(work: Work, now: Now, named: Sequence[Mapping[str, Any]]) -> List[str]:
    """What goes on naming a device that is moved or becomes a port, in words; for the user to see to.

    Args:
        named: rows of the evidence ``references``.
    Raises:
        NodeError: something that would stop working.
    """
    devices = [source for source, target in work.moved.items() if source != target]
    rows = [dict(row) for row in named]
    for variable, device in lagg_rc.left(work.variables, devices):
        rows.append({"kind": _kind(variable), "device": device, "where": "rc.conf: %s" % variable})
    words: Dict[str, List[str]] = {}
    for row in rows:
        words.setdefault(row["kind"], []).append("%s (%s)" % (row["where"], row["device"]))
    left = ["%s: %s" % (kind, ", ".join(words[kind])) for kind in LEFT_BEHIND if kind in words]
    if left:
        raise NodeError("this cannot be moved along with what it is on, and would be left behind or taken down: %s; take it off first, and make it anew on "
                        "the LAGG; nothing was touched" % "; ".join(left))
    return ["%s goes on naming %s, which becomes a member of a LAGG or another device: see what it should name" % (row["where"], row["device"])
            for row in rows]


def _kind(variable: str) -> str:
    return next((kind for kind, pattern in _MAKES.items() if re.fullmatch(pattern, variable)), "setting")


def _settings(lagg: Lagg) -> List[str]:
    name, found = lagg["name"], []
    if not re.fullmatch(r"lagg(?:0|[1-9]\d*)", name):
        found.append("%s: a LAGG is called lagg and a number on FreeBSD" % name)
    if lagg["min_links"] is not None:
        found.append("%s: min_links cannot be set on FreeBSD; leave it out" % name)
    if lagg["hash"] is not None and lagg["protocol"] not in ("lacp", "loadbalance"):
        found.append("%s: hash has no meaning with %s; leave it out" % (name, lagg["protocol"]))
    return found


def _used(member: str, now: Now) -> Optional[str]:
    above = upon(now.links, member) or lagg_rc.vlans(now.known, member)
    if above:
        return "carries VLANs (%s); move them first" % ", ".join(above)
    said = lagg_rc.kept_by_programs(now.known, member)
    if said:
        return "is in use: %s" % said[0]
    variables = lagg_rc.of(now.known, member)
    busy = [form for form, value in variables.items() if form != "ifconfig_%s_descr" and (form != lagg_rc.MAIN or lagg_rc.split(value).rest)]
    rest = [form % lagg_rc.norm(member) for form in busy]
    return "is configured in rc.conf (%s); free it first" % ", ".join(rest) if rest else None


def _missing(now: Now, device: str) -> List[str]:
    """Addresses that run on a device and are not in rc.conf. A range there stands for any."""
    row = now.links[device]
    said = "\n".join([lagg_rc.addresses(now.known, device), *(lagg_rc.said(text, device) for text in now.more.values())])
    ranges = re.search(r"[0-9a-fA-F]-[0-9a-fA-F]", said) is not None
    return [address for address in row["addresses"] if address not in row["leased"] and not address.lower().startswith("fe80:") and not ranges
            and not re.search(r"(?<![\w.:])%s(?![\w.:])" % re.escape(address.partition("/")[0]), said, re.IGNORECASE)]


def _routes(work: Work, now: Now) -> List[str]:
    said = lagg_rc.routes(now.known)
    lent = {device for device in work.moved if lagg_rc.leases(now.known, device) or lagg_rc.learns(now.known, device)}
    lost = [route for route in now.routes if route["device"] in work.moved and static(route) and not told_of(route, said) and route["device"] not in lent]
    return ["the route to %s by %s on %s is there now, but rc.conf does not say so, so it would be lost; add it there (static_routes), or delete it" % (
        route["destination"], route["gateway"], route["device"]) for route in lost]
