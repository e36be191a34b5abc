# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose messages those are that were seen on the Sync network. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence


def addresses_of(sync: Mapping[str, Any], evidence: Any) -> frozenset[str]:
    """The addresses that a member sends from: the planned one, and those that its Sync device is known to have, link-local ones among them.

    Args:
        sync: ``state_sync`` of the member's plan.
        evidence: what was read from it, or None.
    """
    known = Evidence(evidence).addresses(str(sync.get("interface"))) or ()
    planned = [sync["address"].partition("/")[0]] if isinstance(sync.get("address"), str) else []
    return frozenset([*planned, *(str(address.ip).partition("%")[0] for address in known)])


def named(found: Mapping[str, Any], members: Mapping[str, Collection[str]] | None) -> dict[str, Any]:
    """A count of :class:`Tally` with the member that each sender is.

    Args:
        found: it, ``senders`` among others.
        members: addresses by inventory name; None when they are not known.
    Returns:
        The same, each sender with ``member`` (None for a stranger, or when nobody knows), and ``strangers``, addresses of those that are no member (None
        when nobody knows).
    """
    owners = {address: name for name, addresses in (members or {}).items() for address in addresses}
    senders = [{"address": row["address"], "member": owners.get(row["address"]), **row} for row in found["senders"]]
    strange = [row["address"] for row in senders if row["member"] is None and row["address"] is not None]
    return {**found, "senders": senders, "strangers": None if members is None else list(dict.fromkeys(strange))}
