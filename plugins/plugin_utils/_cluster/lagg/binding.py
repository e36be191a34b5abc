# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Are a node's states bound to the names of its interfaces? By platform and release, as data with its source; evidence of the node beats the table.

docs/lagg.md shows this table, and a test keeps the two alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS, PLUS, release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES

# How far a row can be trusted.
MEASURED, DOCUMENTED, READ, CLAIMED, INFERRED, UNKNOWN = (
    "measured", "documented", "read in the source, not measured", "the manual's claim, not verified", "inferred, not verified", "unknown")


@dataclass(frozen=True)
class Row:
    """One platform in a range of releases.

    Attributes:
        platform, edition: of pfSense there are two editions, ``CE`` and ``Plus``; None elsewhere.
        since, before: the first release that it holds for and the first that it no longer holds for; None is open.
        bound: whether states are bound when the node's own policy is not known; None is unknown, and treated as bound.
        why: the reason, a sentence without its full stop.
        source: where that stands.
        standing: how far it can be trusted.
    """

    platform: str
    edition: str | None
    since: tuple[int, ...] | None
    before: tuple[int, ...] | None
    bound: bool | None
    why: str
    source: str
    standing: str

    @property
    def releases(self) -> str:
        """The range of releases, in words."""
        written = [_written(number, self.edition) for number in (self.since, self.before)]
        name = f"{PLATFORMS[self.platform].title} {self.edition or ''}".strip()
        if not any(written):
            return f"{name}, all releases"
        return f"{name} " + (f"before {written[1]}" if not written[0] else f"{written[0]} and later" if not written[1] else
                             f"from {written[0]}, before {written[1]}")

    def holds(self, edition: str | None, number: tuple[int, ...] | None) -> bool:
        """Whether the row is about this release; one that is not known fits a row for all releases only."""
        if self.since is None and self.before is None:
            return True
        if number is None or edition != self.edition:
            return False
        return (self.since is None or number >= self.since) and (self.before is None or number < self.before)


_MANUAL = "Netgate documentation, High Availability: states are bound to interfaces before Plus 22.01 and CE 2.6.0"
_MANUAL_2020 = "Netgate documentation of 2020, redundant firewalls upgrade guide"
_POLICY = "pfSense, filter.inc since commit 7fedaae577 (issue 15173)"
_CONFIGURED = "the configured state policy decides, and it is interface bound when nothing is configured"
_NOT_SET = "no state policy is set there, so that of the operating system holds"

TABLE = (
    Row("linux", None, None, None, False, "conntrack finds a state by addresses, protocol, ports and zone; no interface is part of it",
        "Linux, include/net/netfilter/nf_conntrack_tuple.h", READ),
    Row("freebsd", None, None, (10,), False, "states float unless pf.conf says otherwise; a bound state of an unknown name is taken, and matches nothing",
        "pf.conf(5); FreeBSD 9.3, if_pfsync.c", READ),
    Row("freebsd", None, (10,), (14,), False, "states float unless pf.conf says otherwise; a bound state of an unknown name is dropped, and not counted",
        "pf.conf(5); FreeBSD 10 to 13, if_pfsync.c, pfsync_state_import", READ),
    Row("freebsd", None, (14,), (15,), False, "states float unless pf.conf says otherwise; a bound state of an unknown name is dropped, and not counted",
        "pf.conf(5); FreeBSD 14.2 kernels with em and vtnet cards", MEASURED),
    Row("freebsd", None, (15,), None, False, "states float unless pf.conf says otherwise; format 1500 names the original interface too, which may be "
        "unknown when the state floats", "pf.conf(5); FreeBSD 15, if_pfsync.c", READ),
    Row("openbsd", None, None, None, False, "states float unless pf.conf says otherwise; a bound state of an unknown name is taken, and matches nothing",
        "pf.conf(5); OpenBSD, if_pfsync.c", READ),
    Row("pfsense", "CE", None, (2, 2), True, "the manual's boundary includes them; its older edition says it of 2.2 and later only", _MANUAL, CLAIMED),
    Row("pfsense", "CE", (2, 2), (2, 6), True, "states contain the interface that they are bound to", f"{_MANUAL}; {_MANUAL_2020}", DOCUMENTED),
    Row("pfsense", "CE", (2, 6), (2, 8), False, f"{_NOT_SET}; issue 15173 puts the change at the FreeBSD 14 base, so 2.6 is the least certain",
        _MANUAL, CLAIMED),
    Row("pfsense", "CE", (2, 8), None, True, _CONFIGURED, f"{_POLICY}; that 2.8.0 has it follows from the dates of commits", INFERRED),
    Row("pfsense", "Plus", None, (22, 1), True, "states contain the interface that they are bound to", _MANUAL, DOCUMENTED),
    Row("pfsense", "Plus", (22, 1), (24, 3), False, f"{_NOT_SET}; issue 15173 puts the change at the FreeBSD 14 base, so 22.01 and 22.05 are the "
        "least certain", _MANUAL, CLAIMED),
    Row("pfsense", "Plus", (24, 3), None, True, _CONFIGURED, f"Netgate, State Policy Default Change; {_POLICY}", DOCUMENTED),
    Row("opnsense", None, None, None, None, "its source lets states float unless told otherwise, and its manual says that differing names cannot be synced",
        "OPNsense, filter.inc (setting since 19.1); OPNsense documentation, how-tos/carp", UNKNOWN),
)


_NAMING = "rules make states that name an interface"
# Where the rules in force say the policy, on every release.
_TOLD_BY_RULES = ("freebsd", "openbsd")


@dataclass(frozen=True)
class Binding:
    """The answer for one node. ``bound`` is None when unknown."""

    bound: bool | None
    what: str
    why: str
    standing: str

    @property
    def matters(self) -> bool:
        """Whether names must be alike on all nodes: unknown is treated as bound."""
        return self.bound is not False


def binding(platform: str, evidence: Evidence, stated: str | None = None) -> Binding:
    """Whether the states of a node are bound to interface names.

    Args:
        platform: one of the known platforms.
        evidence: what was read from the node, or nothing.
        stated: the state policy that this collection sets on it; None is left alone.
    """
    number = release(evidence.version)
    edition = None if platform != "pfsense" or number is None else "Plus" if number[0] >= PLUS else "CE"
    what = " ".join(filter(None, (PLATFORMS[platform].title, edition, evidence.version if platform != "linux" else None)))
    if ENGINES.get(platform) == "pfsync" and stated is not None:
        return _by_policy(what, stated, evidence.naming_rules, "is set to", "stated in the intent")
    if platform != "linux" and evidence.state_policy is not None:
        return _by_policy(what, evidence.state_policy, evidence.naming_rules, "is", "read from the node")
    if platform in _TOLD_BY_RULES and evidence.policy_unread:
        return Binding(None, what, "its state policy could not be read", UNKNOWN)
    row = next((row for row in TABLE if row.platform == platform and row.holds(edition, number)), None)
    if row is not None and row.bound is False and evidence.rules_in_messages and platform != "linux":
        return Binding(True, what, f"{row.why}; but {_NAMING} ({evidence.rules_in_messages})", row.standing)
    if row is not None:
        return Binding(row.bound, what, row.why, row.standing)
    if platform == "pfsense":
        return Binding(None, what, "its release is not known, and releases differ", UNKNOWN)
    # Of FreeBSD, whatever release it is, the rows agree.
    return Binding(False, what, "states float unless pf.conf says otherwise", READ)


def _by_policy(what: str, policy: str, naming_rules: int | None, verb: str, standing: str) -> Binding:
    if policy == "if-bound":
        return Binding(True, what, f"its state policy {verb} if-bound", standing)
    if naming_rules:
        return Binding(True, what, f"its state policy {verb} floating, but {_NAMING} ({naming_rules})", standing)
    return Binding(False, what, f"its state policy {verb} floating", standing)


def _written(number: tuple[int, ...] | None, edition: str | None) -> str:
    if number is None:
        return ""
    return f"{number[0]}.{number[1]:02}" if edition == "Plus" else f"{'.'.join(map(str, number))}{'.0' if edition == 'CE' else ''}"
