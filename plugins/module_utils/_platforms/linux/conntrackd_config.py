# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of conntrackd.conf: written from the options of state_sync, and read back, also when somebody else wrote it.

Source of fact: conntrackd.conf(5), read_config_lex.l and read_config_yy.y of conntrack-tools 1.4.x, and what the daemon 1.4.7 accepts.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

MANAGED = "Managed by hafirewall.cluster"
SOCKET = "/run/conntrackd.ctl"
LOCK = "/run/lock/conntrackd.lock"

# What the caches hold when the kernel does not tell: its own defaults on a machine with more than 4 GB of memory (nf_conntrack_core.c).
DEFAULT_BUCKETS = 262144
DEFAULT_MAX = 262144

# How long a node keeps a state in its external cache that its peer sends again every 15 s (ALARM only), in seconds.
_ALARM_REFRESH = 15
_ALARM_KEEP = 180
_NETLINK_BUFFER = 2 * 1024 * 1024
_NETLINK_BUFFER_MAX = 8 * 1024 * 1024
# The daemon sets its socket buffers with SO_SNDBUFFORCE and SO_RCVBUFFORCE, so net.core.[rw]mem_max does not limit them.
_SOCKET_BUFFER = 4 * 1024 * 1024
_PROTOCOLS = ("TCP", "SCTP", "DCCP", "UDP", "ICMP", "IPv6-ICMP")


class Sizes(NamedTuple):
    """The kernel's conntrack table: buckets of its hash, and the most states that it holds."""

    buckets: int = DEFAULT_BUCKETS
    maximum: int = DEFAULT_MAX


def device_problem(device: str) -> Optional[str]:
    """Why conntrackd cannot be told this device's name, or None when it can.

    Its lexer takes a name for the longest token that fits, and for the first rule when two are as long: a name of up to four hexadecimal digits
    is an IPv6 address to it, and some names are words of its language.
    """
    if not re.match(r"[a-zA-Z][a-zA-Z0-9._-]*\Z", device):
        return "conntrackd reads only names of letters, digits, '.', '_' and '-' that begin with a letter"
    if re.match(r"[0-9a-fA-F]{1,4}\Z", device):
        return "conntrackd takes a name of one to four hexadecimal digits for an IPv6 address"
    if device in _KEYWORDS or device.lower() in ("on", "off", "yes", "no", "alarm", "persistent", "ftfw", "nack", "notrack"):
        return "this name is a word of conntrackd's own configuration language"
    return None


KERNEL_DEFAULT = Sizes()


def render(params: Mapping[str, Any], sizes: Sizes = KERNEL_DEFAULT, socket: str = SOCKET, lock: str = LOCK, systemd: bool = True) -> str:
    """conntrackd.conf for these options of state_sync.

    Args:
        params: interface, address, transport, group, port, peer, mode, external_cache, ignore_addresses; already valid.
        sizes: the node's conntrack table.
        socket, lock, systemd: other values serve a daemon beside the node's own, as in validation.
    """
    return "\n".join(["# " + MANAGED, "Sync {"] + _indent(_mode(params) + _channel(params)) + ["}", "General {"]
                     + _indent(_general(params, sizes, socket, lock, systemd)) + ["}", ""])


def parse(text: str) -> Dict[str, Any]:
    """What a conntrackd.conf says, also a hand-written one, in the shape of the evidence ``engine.config``.

    Keys: mode (``ftfw``, ``notrack``, ``alarm``, ``stats`` or None), transport (``multicast``, ``unicast``, ``tcp`` or None), group, port (int),
    interface, address, peer (each None when not said), external_cache, checksum, startup_resync (bool), socket (path). Of several
    channels it is the one marked Default, else the first. What it does not understand it passes over.
    """
    sections = _sections(text)
    sync = _first(sections, "Sync")
    mode = _first(sync.children, "Mode") if sync else None
    channel, transport = _pick_channel(sync)
    general = _first(sections, "General")
    unix = _first(general.children, "UNIX") if general else None
    mode_name = mode.header[1].lower() if mode and len(mode.header) > 1 else ("stats" if _first(sections, "Stats") else None)
    mode_values = mode.values if mode else {}
    values = channel.values if channel else {}
    address = values.get("IPv4_address") or values.get("IPv6_address")
    port = values.get("Group") or values.get("Port")
    return {
        "mode": {"persistent": "alarm", "nack": "ftfw"}.get(mode_name or "", mode_name),
        "transport": transport,
        "group": address if transport == "multicast" else None,
        "port": int(port) if port and port.isdigit() else None,
        "interface": values.get("Interface"),
        "address": values.get("IPv4_interface") if transport == "multicast" else address,
        "peer": values.get("IPv4_Destination_Address") or values.get("IPv6_Destination_Address"),
        "external_cache": not _is_on(mode_values.get("DisableExternalCache"), False),
        "checksum": _is_on(values.get("Checksum"), True),
        "startup_resync": _is_on(mode_values.get("StartupResync"), False),
        "socket": unix.values.get("Path") if unix else None,
    }


def _mode(params: Mapping[str, Any]) -> List[str]:
    mode = params["mode"]
    if mode == "alarm":
        # This mode has neither of the other two settings; the parser refuses them.
        return ["Mode ALARM {", "\tRefreshTime %d" % _ALARM_REFRESH, "\tCacheTimeout %d" % _ALARM_KEEP, "}"]
    return ["Mode %s {" % mode.upper(), "\tDisableExternalCache %s" % _on(not params["external_cache"]), "\tStartupResync on", "}"]


def _channel(params: Mapping[str, Any]) -> List[str]:
    family = "IPv6" if ":" in params["address"] else "IPv4"
    if params["transport"] == "multicast":
        lines = ["Multicast {", "\t%s_address %s" % (family, params["group"]), "\tGroup %d" % params["port"]]
        if family == "IPv4":
            lines.append("\tIPv4_interface %s" % params["address"])
    else:
        lines = ["UDP {", "\t%s_address %s" % (family, params["address"]), "\t%s_Destination_Address %s" % (family, params["peer"]),
                 "\tPort %d" % params["port"]]
    # The parser needs to know the address family before the interface: keep this order.
    return lines + ["\tInterface %s" % params["interface"], "\tSndSocketBuffer %d" % _SOCKET_BUFFER, "\tRcvSocketBuffer %d" % _SOCKET_BUFFER,
                    "\tChecksum on", "}"]


def _general(params: Mapping[str, Any], sizes: Sizes, socket: str, lock: str, systemd: bool) -> List[str]:
    return ["Systemd %s" % _on(systemd), "HashSize %d" % sizes.buckets, "HashLimit %d" % (2 * sizes.maximum), "LogFile off", "Syslog on",
            "LockFile %s" % lock, "UNIX {", "\tPath %s" % socket, "}",
            "NetlinkBufferSize %d" % _NETLINK_BUFFER, "NetlinkBufferSizeMaxGrowth %d" % _NETLINK_BUFFER_MAX] + _overrun(params) + [
        # From the kernel's side the filter would compare a forwarded connection's address before DNAT, and lose those that come for a virtual address.
        "Filter From Userspace {", "\tProtocol Accept {"] + ["\t\t" + name for name in _PROTOCOLS] + ["\t}", "\tAddress Ignore {"] + [
        "\t\t%s_address %s" % ("IPv6" if ":" in address else "IPv4", address) for address in ignored(params)] + ["\t}", "}"]


def _overrun(params: Mapping[str, Any]) -> List[str]:
    # After lost kernel events the daemon can send its whole kernel table again. With injected states that is wrong on the standby: it would send
    # the active node's own states back, with old timers. There the kernel is asked to keep events until they are delivered.
    injects = not params["external_cache"]
    return ["NetlinkEventsReliable %s" % _on(injects), "NetlinkOverrunResync %s" % _on(not injects)]


def ignored(params: Mapping[str, Any]) -> List[str]:
    """Addresses whose states stay on their node: loopback, the cluster's own, and those of the Sync traffic itself. IPv4 first, no duplicates."""
    own = [params["address"], params.get("group") if params["transport"] == "multicast" else params["peer"]]
    wanted = ["127.0.0.1", "::1"] + [address for address in own if address] + list(params.get("ignore_addresses") or [])
    unique = sorted(set(wanted))
    return [address for address in unique if ":" not in address] + [address for address in unique if ":" in address]


def _on(value: bool) -> str:
    return "on" if value else "off"


def _is_on(word: Optional[str], default: bool) -> bool:
    return default if word is None else word.lower() in ("on", "yes")


def _indent(lines: Sequence[str]) -> List[str]:
    return ["\t" + line for line in lines]


# Reading

_SECTIONS = ("Sync", "Mode", "Multicast", "UDP", "TCP", "Options", "General", "UNIX", "Filter", "Protocol", "Address", "State", "Scheduler", "Stats",
             "Helper", "Type", "Policy", "ExpectationSync")
_KEYS = ("IPv4_address", "IPv6_address", "IPv4_interface", "IPv6_interface", "IPv4_Destination_Address", "IPv6_Destination_Address", "Interface",
         "Group", "Port", "Checksum", "DisableExternalCache", "StartupResync", "Path")
_KEYWORDS = frozenset(_SECTIONS + _KEYS + (
    "for", "From", "Default", "Accept", "Ignore", "Userspace", "Kernelspace", "HashSize", "HashLimit", "Backlog", "LogFile", "Syslog", "LockFile", "Nice",
    "Priority", "Systemd", "ResendQueueSize", "ACKWindowSize", "SndSocketBuffer", "RcvSocketBuffer", "QueueNum", "QueueLen", "ExpectMax",
    "ExpectTimeout", "CLOSE", "CLOSED", "LISTEN", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
    "SYN_SENT", "SYN_RECV", "RefreshTime", "CacheTimeout", "CommitTimeout", "PurgeTimeout", "PollSecs"))


class _Section(NamedTuple):
    header: List[str]
    values: Dict[str, str]
    children: List[Any]


def _sections(text: str) -> List[_Section]:
    words = re.findall(r"[{}]|[^\s{}]+", re.sub(r"#.*", "", text))
    sections, _values, _end = _read(words, 0)
    return sections


def _read(words: List[str], start: int) -> Tuple[List[_Section], Dict[str, str], int]:
    sections: List[_Section] = []
    values: Dict[str, str] = {}
    pending: List[str] = []
    at = start
    while at < len(words) and words[at] != "}":
        if words[at] == "{":
            # The words before a brace end with the header of the section; what precedes it are settings of the surrounding one.
            cut = max((index for index, word in enumerate(pending) if word in _SECTIONS), default=0)
            _settle(pending[:cut], values)
            children, inner, at = _read(words, at + 1)
            sections.append(_Section(pending[cut:], inner, children))
            pending = []
        else:
            pending.append(words[at])
        at += 1
    _settle(pending, values)
    return sections, values, at


def _settle(pending: List[str], values: Dict[str, str]) -> None:
    for at, word in enumerate(pending[:-1]):
        if word in _KEYS:
            values.setdefault(word, pending[at + 1])


def _first(sections: Sequence[_Section], name: str) -> Optional[_Section]:
    return next((section for section in sections if section.header[:1] == [name]), None)


def _pick_channel(sync: Optional[_Section]) -> Tuple[Optional[_Section], Optional[str]]:
    transports = {"Multicast": "multicast", "UDP": "unicast", "TCP": "tcp"}
    channels = [section for section in (sync.children if sync else []) if section.header[:1] and section.header[0] in transports]
    if not channels:
        return None, None
    chosen = next((channel for channel in channels if "Default" in channel.header), channels[0])
    return chosen, transports[chosen.header[0]]
