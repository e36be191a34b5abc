# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which device names can be written into the configurations of a node, kept as data with its source."""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple, Pattern


class NameRule(NamedTuple):
    """A name is refused when ``refused`` matches all of it.

    Attributes:
        refused: the names.
        problem: why; completes ``the name ...``.
    """

    refused: Pattern[str]
    problem: str


# Linux: dev_valid_name() of net/core/dev.c, IFNAMSIZ 16 with the ending zero byte. The writers: keepalived.conf has words, comments from # and !,
# and quotes; nftables reads a trailing * as a wildcard; ip reads a leading - as an option. What is left is safe in all of them.
LINUX_RULES = (
    NameRule(re.compile(r"\.\.?|"), "is no device name in Linux"),
    NameRule(re.compile(r".{16,}", re.DOTALL), "is longer than the 15 characters that Linux allows"),
    NameRule(re.compile(r"(?s:.*)[^A-Za-z0-9_.-](?s:.*)|-(?s:.*)"), "has a character other than letters, digits, '_', '.', '-', or begins with '-'"),
)

# FreeBSD: IFNAMSIZ 16 with the ending zero byte; a driver's name and a number, or the name that ifconfig(8) has given it, a VLAN as em0.10 or, before
# pfSense 2.4.2, em0_vlan10. pfSense joins the members of a LAGG by commas, rc.conf(5) has the names within those of its variables.
FREEBSD_RULES = (
    NameRule(re.compile(r".{16,}", re.DOTALL), "is longer than the 15 characters that FreeBSD allows"),
    NameRule(re.compile(r"(?s:.*)[^A-Za-z0-9_.](?s:.*)|[^A-Za-z](?s:.*)|"),
             "has a character other than letters, digits, '_' and '.', or does not begin with a letter"),
)

# OpenBSD: IFNAMSIZ 16 with the ending zero byte; a driver's name and a number, a VLAN as vlan10 (netintro(4), hostname.if(5)).
OPENBSD_RULES = (
    NameRule(re.compile(r".{16,}", re.DOTALL), "is longer than the 15 characters that OpenBSD allows"),
    NameRule(re.compile(r"(?![a-z]+[0-9]+\Z)(?s:.*)"), "is no driver's name with a number, which every device of OpenBSD has"),
)


class Spelling(NamedTuple):
    """Names of devices on a platform, and what to do about one that is refused."""

    rules: tuple[NameRule, ...]
    remedy: str


SPELLINGS: Mapping[str, Spelling] = {
    "linux": Spelling(LINUX_RULES, "rename the device (a systemd .link file, say)"),
    "pfsense": Spelling(FREEBSD_RULES, "write the name that ifconfig -l shows"),
    "opnsense": Spelling(FREEBSD_RULES, "write the name that ifconfig -l shows"),
    "freebsd": Spelling(FREEBSD_RULES, "write the name that ifconfig -l shows"),
    "openbsd": Spelling(OPENBSD_RULES, "write the name that ifconfig shows"),
}

# conntrackd: tokens of src/read_config_lex.l, every name below tried on conntrackd 1.4.7 as `Interface NAME` (a syntax error each).
# A token that has a meaning of its own, or that looks like (the beginning of) an address, is not taken as a name; the longest match counts,
# so `e0` is refused and `e0.100`, `eth0` and `beef0` are not. Keywords count in their spelling, modes and switches in any.
_KEYWORDS = (
    "ACKWindowSize|Accept|Address|Backlog|CLOSE|CLOSED|CLOSE_WAIT|CacheTimeout|Checksum|CommitTimeout|Default|DisableExternalCache|"
    "DisableInternalCache|ESTABLISHED|ErrorQueueLength|EventIterationLimit|ExpectMax|ExpectTimeout|ExpectationSync|FIN_WAIT|Filter|From|"
    "General|Group|HashLimit|HashSize|Helper|IPv4_Destination_Address|IPv4_address|IPv4_interface|IPv6_Destination_Address|IPv6_address|"
    "IPv6_interface|Ignore|Interface|Kernelspace|LAST_ACK|LISTEN|LockFile|LogFile|Mode|Multicast|NetlinkBufferSize|"
    "NetlinkBufferSizeMaxGrowth|NetlinkEventsReliable|NetlinkOverrunResync|Nice|Options|Path|Policy|PollSecs|Port|Priority|Protocol|"
    "PurgeTimeout|QueueLen|QueueNum|RcvSocketBuffer|RefreshTime|ResendQueueSize|SYN_RECV|SYN_SENT|Scheduler|SndSocketBuffer|"
    "SocketBufferSize|SocketBufferSizeMaxGrown|SocketBufferSizeMaxGrowth|StartupResync|State|Stats|Sync|Syslog|Systemd|TCP|"
    "TCPWindowTracking|TIME_WAIT|Type|UDP|UNIX|Userspace|for"
)
CONNTRACKD_RULES = (
    NameRule(re.compile(r"[^A-Za-z](?s:.*)"), "does not begin with a letter, which conntrackd's configuration cannot express"),
    NameRule(re.compile(r"[0-9A-Fa-f]{1,4}"), "reads as a hexadecimal number in conntrackd's configuration, a syntax error there"),
    NameRule(re.compile(r"(?i:on|off|yes|no|alarm|ftfw|nack|notrack)|[Pp][Ee][Rr][Ss][Ii][Ss][Tt][Ee][Nn]T"),
             "is a word with a meaning in conntrackd's configuration"),
    NameRule(re.compile(_KEYWORDS), "is a keyword of conntrackd's configuration"),
)


def refusal(name: str, rules: tuple[NameRule, ...]) -> str | None:
    """Why the name is refused (the first rule that does), or None when every rule lets it pass."""
    return next((rule.problem for rule in rules if rule.refused.fullmatch(name)), None)
