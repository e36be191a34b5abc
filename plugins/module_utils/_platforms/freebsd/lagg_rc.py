# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of rc.conf(5) that name a device, and what becomes of them when it goes onto a LAGG. Pure.

Which variables there are, and in which order devices are made and configured at boot, is read in FreeBSD's libexec/rc/network.subr (clone_up, ifconfig_up,
ifalias, childif_create) and rc.d/netif, rc.d/routing.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Pattern, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

Known = Mapping[str, str]

# Variables of one device: %s is its name with _ for each of . - / + (get_if_var).
_FORMS = ("ifconfig_%s", "ifconfig_%s_ipv6", "ifconfig_%s_descr", "ifconfig_%s_aliases", "ipv4_addrs_%s", "ipv6_prefix_%s", "ipv6_ifconfig_%s", "vlans_%s",
          "create_args_%s", "dhclient_flags_%s", "background_dhclient_%s")
_NUMBERED = ("ifconfig_%s_alias", "ipv6_ifconfig_%s_alias")
MAIN = "ifconfig_%s"
# Lists of devices, and variables whose whole value is one.
_LISTS = ("cloned_interfaces", "network_interfaces", "ipv6_network_interfaces")
_SINGLE = ("pfsync_syncdev", "ipv6_default_interface", "ipv6_cpe_wanif")
_ROUTES = re.compile(r"(?:ipv6_)?(?:static_routes|route_\w+|defaultrouter(?:_fib\d+)?)")
# Words of ifconfig(8) that are about a port itself: with and without a value.
_PORT_VALUES = ("media", "mediaopt", "-mediaopt", "mode", "instance", "mtu")
_PORT_WORD = re.compile(r"up|-?(?:rxcsum|txcsum|rxcsum6|txcsum6|tso|tso4|tso6|lro|wol|wol_ucast|wol_mcast|wol_magic|polling|toe|netcons|linkstate|"
                        r"vlanmtu|vlanhwtag|vlanhwfilter|vlanhwcsum|vlanhwtso|vxlanhwcsum|vxlanhwtso|txrtlmt|txtls|rxtls|hwrxtstmp|mextpg)")
_FAST, _SLOW = "lacp_fast_timeout", "-lacp_fast_timeout"
_PROGRAMS = {"WPA": "wpa_supplicant", "HOSTAP": "hostapd"}
_DEFAULT_PROTOCOL = "failover"  # of lagg(4) itself


class Main(NamedTuple):
    """The words of ``ifconfig_DEVICE``: what is about the port, what makes a LAGG of it, and all the rest, each in its order."""

    port: List[str]
    protocol: Optional[str]
    members: List[str]
    hash: Optional[str]
    fast: Optional[bool]
    rest: List[str]


def norm(device: str) -> str:
    """A device's name as part of a variable's."""
    return re.sub(r"[.\-/+]", "_", device)


def main(known: Known, device: str) -> str:
    """What a device is configured with; what is for all that have no variable of their own counts."""
    return known.get(MAIN % norm(device), known.get("ifconfig_DEFAULT", ""))


def split(value: str) -> Main:
    """The words of ``ifconfig_DEVICE`` by what they are about."""
    found = Main([], None, [], None, None, [])
    words = iter(value.split())
    for word in words:
        if word in _PORT_VALUES:
            found.port.extend([word, next(words, "")])
        elif word == "laggport":
            found.members.append(next(words, ""))
        elif word == "laggproto":
            found = found._replace(protocol=next(words, ""))
        elif word == "lagghash":
            found = found._replace(hash=next(words, ""))
        elif word in (_FAST, _SLOW):
            found = found._replace(fast=word == _FAST)
        elif _PORT_WORD.fullmatch(word):
            found.port.append(word)
        else:
            found.rest.append(word)
    return found


def of(known: Known, device: str) -> Dict[str, str]:
    """The variables of one device: value by form, as ``ifconfig_%s_alias0``."""
    name = norm(device)
    found = {form: known[form % name] for form in _FORMS if form % name in known}
    for form in _NUMBERED:
        pattern = re.compile(re.escape(form % name) + r"(\d+)")
        for variable, value in known.items():
            match = pattern.fullmatch(variable)
            if match:
                found[form + match[1]] = value
    return found


def addresses(known: Known, device: str) -> str:
    """All that is said of the addresses of a device, as one text."""
    values = dict(of(known, device))
    values.setdefault(MAIN, main(known, device))
    return " ".join(value for form, value in values.items() if form not in ("vlans_%s", "ifconfig_%s_descr"))


def leases(known: Known, device: str) -> bool:
    """Whether it asks a server for its address (dhcpif)."""
    return any(word.upper() in ("DHCP", "SYNCDHCP", "NOSYNCDHCP") for word in main(known, device).split())


def learns(known: Known, device: str) -> bool:
    """Whether it makes itself IPv6 addresses from what routers say, or from a prefix."""
    found = of(known, device)
    return "ipv6_prefix_%s" in found or any("accept_rtadv" in found.get(form, "").split() for form in ("ifconfig_%s_ipv6", "ipv6_ifconfig_%s"))


def kept_by_programs(known: Known, device: str) -> List[str]:
    """What configures a device and cannot be carried over: programs, a jail, a change of its name."""
    words = main(known, device).split()
    found = ["%s is kept by %s" % (device, program) for word, program in _PROGRAMS.items() if word in [one.upper() for one in words]]
    found += ["%s belongs to a jail (vnet)" % device] if "vnet" in words else []
    found += ["%s carries wireless devices (wlans_%s)" % (device, norm(device))] if "wlans_" + norm(device) in known else []
    name = known.get("ifconfig_%s_name" % norm(device))
    return found + (["%s is called %s from the next start on (ifconfig_%s_name)" % (device, name, norm(device))] if name else [])


def assigned(known: Known, names: Sequence[str]) -> Dict[str, Dict[str, str]]:
    """The devices as :func:`..bsd.devices.rows` wants them: each with what is in the place of an address where another one lends it."""
    return {name: {"if": name, "descr": known.get("ifconfig_%s_descr" % norm(name), ""), "ipaddr": "dhcp" if leases(known, name) else "",
                   "ipaddrv6": "slaac" if learns(known, name) else ""} for name in names}


def vlans(known: Known, parent: str) -> Dict[str, int]:
    """The VLANs that are made on a device at boot: tag by name."""
    found: Dict[str, int] = {}
    for child in known.get("vlans_" + norm(parent), "").split():
        name = "%s.%s" % (parent, child) if child.isdigit() else child
        found.update(_tag(known, name, {"vlandev": parent}))
    for name in cloned(known):
        found.update(_tag(known, name, {}, parent))
    return found


def _tag(known: Known, name: str, stated: Mapping[str, str], parent: Optional[str] = None) -> Dict[str, int]:
    words = "%s %s" % (known.get("create_args_" + norm(name), ""), known.get(MAIN % norm(name), ""))
    told = dict(re.findall(r"\b(vlan|vlandev) (\S+)", words), **stated)
    dotted = re.fullmatch(r"(.+)\.(\d+)", name)
    tag = told.get("vlan") or (dotted[2] if dotted else "")
    below = told.get("vlandev") or (dotted[1] if dotted else None)
    return {name: int(tag)} if str(tag).isdigit() and (parent is None or below == parent) else {}


def cloned(known: Known) -> List[str]:
    """The devices that are made at boot, in their order."""
    return [word.partition(":")[0] for word in known.get("cloned_interfaces", "").split()]


# What becomes of it


class Change(NamedTuple):
    """A LAGG as wanted.

    Attributes:
        base: what goes onto it; its own name when nothing does.
        apart: the base is itself a LAGG, which is taken apart.
        targets: by the devices of now, the names of afterwards; the base and its VLANs.
        words: ``laggproto``, ``lagghash``, ... as wanted, None for what is not stated.
    """

    name: str
    base: str
    apart: bool
    targets: Mapping[str, str]
    members: Sequence[str]
    protocol: str
    hash: Optional[str]
    fast: Optional[bool]
    mtu: Optional[int]


def changed(known: Known, change: Change) -> Dict[str, str]:
    """All variables as they are afterwards.

    Raises:
        NodeError: something is said of a device both under its old and its new name.
    """
    new = dict(known)
    old, present = split(main(known, change.base)), split(known.get(MAIN % norm(change.name), ""))
    if change.base != change.name and old.rest and present.rest:
        raise NodeError("rc.conf configures %s as well as %s, which is to become it; make them one first; nothing was touched" % (change.name, change.base))
    for source, target in change.targets.items():
        for form, value in of(known, source).items() if source != target else []:
            if form == MAIN and source == change.base:
                continue
            if form % norm(target) in known and known[form % norm(target)] != value:
                raise NodeError("rc.conf has both %s and %s; make them one first; nothing was touched" % (form % norm(source), form % norm(target)))
            new.pop(form % norm(source), None)
            new[form % norm(target)] = value
    if change.apart:
        new.pop(MAIN % norm(change.base), None)
    for member in change.members:
        new[MAIN % norm(member)] = _port(new, member, change)
    new[MAIN % norm(change.name)] = _lagg(known, change, present, old)
    names = dict(change.targets, **{change.base: change.name})
    _lists(new, change, names)
    for variable, value in list(new.items()):
        new[variable] = _named(variable, value, names)
    return new


def renamed(text: str, targets: Mapping[str, str]) -> str:
    """A file with variables, as of /etc/rc.conf.d, with the names that they have afterwards; what they say stays."""
    for source, target in targets.items():
        if source != target:
            text = _variables_of(source).sub(lambda match, target=target: match[1] + norm(target) + (match[2] or ""), text)  # type: ignore[misc]
    return text


def said(text: str, device: str) -> str:
    """The lines of such a file that are about a device."""
    return "\n".join(line for line in text.splitlines() if _variables_of(device).search(line.split("#")[0]))


def unmovable(text: str, device: str) -> List[str]:
    """Variables of such a file that cannot go along by another name: a port's own settings are told from addresses in rc.conf only."""
    return sorted({match[0] for match in _variables_of(device).finditer(text) if match[0] in (MAIN % norm(device), "vlans_" + norm(device))})


def _variables_of(device: str) -> Pattern[str]:
    names = "|".join(dict.fromkeys(form[:form.index("_%s")] for form in _FORMS))
    return re.compile(r"\b((?:%s)_)%s(_ipv6|_descr|_aliases|_alias\d+)?\b" % (names, re.escape(norm(device))))


def _port(known: Known, member: str, change: Change) -> str:
    value = main(known, member)
    words = split(value).port
    mtu = change.mtu is not None and words[words.index("mtu") + 1:][:1] != [str(change.mtu)] if "mtu" in words else change.mtu is not None
    if mtu:
        place = words.index("mtu") if "mtu" in words else len(words)
        words[place:place + 2] = ["mtu", str(change.mtu)]
    words = words if "up" in words else ["up", *words]
    return value if words == value.split() else " ".join(words)


def _lagg(known: Known, change: Change, present: Main, old: Main) -> str:
    """The value of the LAGG's own variable; as it is where that says the same."""
    value = known.get(MAIN % norm(change.name), "")
    same = (present.protocol or _DEFAULT_PROTOCOL) == change.protocol
    hash_ = change.hash if change.hash is not None else present.hash if same else None
    fast = change.fast if change.fast is not None else present.fast if same else None
    hash_ = hash_ if change.protocol in ("lacp", "loadbalance") else None
    fast = fast if change.protocol == "lacp" else None
    # With failover the first port is the one that is preferred; with the others the order says nothing.
    ports = list(change.members)
    ordered = present.members == ports if change.protocol == "failover" else sorted(present.members) == sorted(ports)
    rest = old.rest if change.base != change.name else present.rest
    rest = rest or present.rest
    alike = set((hash_ or "").split(",")) == set((present.hash or "").split(",")) and bool(fast) == bool(present.fast)
    own = list(old.port if change.apart else present.port)
    # A size of the LAGG's own would stand against that of its ports.
    mtu = change.mtu is not None and "mtu" in own
    if mtu:
        place = own.index("mtu")
        del own[place:place + 2]
    if value and same and ordered and alike and rest == present.rest and not mtu:
        return value
    words = ["laggproto", change.protocol, *(word for port in ports for word in ("laggport", port))]
    words += ["lagghash", hash_] if hash_ else []
    words += [_FAST if fast else _SLOW] if fast is not None else []
    return " ".join([*words, *(word for word in own if word != "up"), *rest])


def _lists(new: Dict[str, str], change: Change, names: Mapping[str, str]) -> None:
    old = new.get("cloned_interfaces", "").split()
    made = [word for word in old if not (change.apart and word.partition(":")[0] == change.base)]
    made = [_replaced(word, names) if word.partition(":")[0] != change.base else word for word in made]
    if change.name not in [word.partition(":")[0] for word in made]:
        # In front of the VLANs on it: they are made in this order.
        made.insert(0, change.name)
    new["cloned_interfaces"] = " ".join(made) if made != old else new["cloned_interfaces"]
    for variable in ("network_interfaces", "ipv6_network_interfaces"):
        words = new.get(variable, "").split()
        if not words or words[0].lower() in ("auto", "none"):
            continue
        # All that shall be configured is listed: the ports too, to be up.
        more = [*change.members, change.name] if variable == "network_interfaces" else []
        kept = [names.get(word, word) for word in words if not (change.apart and word == change.base)]
        new[variable] = " ".join(dict.fromkeys([*kept, *more]))


def _replaced(word: str, names: Mapping[str, str]) -> str:
    name, colon, more = word.partition(":")
    return names.get(name, name) + colon + more


def _named(variable: str, value: str, names: Mapping[str, str]) -> str:
    """The value with the devices' new names, where it is known what the word means; all else is left to whoever wrote it."""
    if variable in _LISTS:
        return value
    if variable in _SINGLE:
        return names.get(value.strip(), value)
    if variable == "ifconfig_pfsync0":
        return _words(value, names, ("syncdev",))
    if re.match(r"vlans_", variable):
        return " ".join(names.get(word, word) for word in value.split()) if set(value.split()) & set(names) else value
    if re.match(r"(?:ifconfig|create_args)_", variable):
        return _words(value, names, ("vlandev",))
    if _ROUTES.fullmatch(variable):
        value = re.sub(r"(?<=[:%])([\w.]+)(?=\s|$)", lambda match: names.get(match[1], match[1]), value)
        return _words(value, names, ("-interface", "-iface", "-ifp"))
    return value


def _words(value: str, names: Mapping[str, str], before: Sequence[str]) -> str:
    words = value.split(" ")
    found = [names.get(word, word) if place and words[place - 1] in before else word for place, word in enumerate(words)]
    return " ".join(found)


def left(new: Known, devices: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """Variables that go on naming a device after all, each with the device: of programs, bridges, tunnels."""
    for variable, value in new.items():
        if re.fullmatch(r"ifconfig_\w+_(?:name|descr)", variable):
            continue
        words = re.findall(r"[^\s,;:=%\"']+", value)
        for index, word in enumerate(words):
            # The ports of a LAGG are named there, and are to be.
            if word in devices and not (index and words[index - 1] == "laggport") and variable not in ("network_interfaces",):
                yield variable, word


def routes(known: Known) -> str:
    """All that is said of routes, as one text; the default ones are ``default``."""
    found = [value for variable, value in known.items() if re.fullmatch(r"(?:ipv6_)?route_\w+", variable)]
    found += ["default" for variable, value in known.items() if re.fullmatch(r"(?:ipv6_)?defaultrouter", variable) and value.strip().upper() not in ("", "NO")]
    return " ".join(found)
