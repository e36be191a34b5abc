# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planned absence of a node from its cluster: a file that keepalived watches, so that it also holds after a reboot.

Seen with keepalived 2.2.7: while the file holds 1, all instances are in FAULT, the addresses go within 0.01 s, and the peer is active after its
skew time alone, with nopreempt too. A restart or a reboot does not end it. When the file holds 0 again, the node is standby and, where
preemption is on, takes over again after its delay.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.facts import family_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import MAINTENANCE
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_parse import is_managed
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_state import observe_vrrp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

TIMEOUT = 15.0  # seconds


def observe_maintenance(node: Node) -> Optional[bool]:
    """True in maintenance, False when not (also where nothing ever asked for it), None when the file holds something else."""
    text = node.read_text(MAINTENANCE)
    return False if text is None else {"1": True, "0": False}.get(text.strip())


def apply(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    """Enter maintenance (``state`` enabled) or leave it (disabled), and wait until that has happened.

    Returns:
        ``drift``, ``validation``, ``maintenance`` (the state after the run) and ``handed_over`` (this run took addresses away from this node).
    Raises:
        NodeError: no virtual addresses are managed here, or the hand-over does not end in time; the node is then as it was.
    """
    wanted = params["state"] == "enabled"
    if wanted and not params.get("persistent", True):
        raise NodeError("persistent: the file that keepalived watches outlasts a reboot; leave the option out")
    is_now = observe_maintenance(node)
    drift = [] if is_now is wanted else [{"setting": "maintenance", "is": is_now, "wanted": wanted}]
    if not drift and not wanted:
        return _result(drift, wanted, handed_over=False)
    conf = family_of(node).keepalived_conf
    if not is_managed(node.read_text(conf)):
        raise NodeError("this node has no virtual addresses of this collection (%s), so there is nothing to hand over; run hafirewall.cluster.virtual_ip first"
                        % conf)
    held = _held(observe_vrrp(node)[0])
    with node.transaction():
        if drift:
            node.write_text(MAINTENANCE, "1\n" if wanted else "0\n")
        if wanted:
            _wait_until_gone(node)
        else:
            _wait_until_back(node)
    return _result(drift, wanted, handed_over=wanted and bool(held))


def _wait_until_gone(node: Node) -> None:
    still: List[str] = []

    def gone() -> bool:
        vrrp, errors = observe_vrrp(node)
        still[:] = _held(vrrp) + [error["reason"] for error in errors]
        return not still

    if not node.wait_for(gone, TIMEOUT):
        raise NodeError("this node still holds virtual addresses %.0f s after it entered maintenance: %s" % (TIMEOUT, "; ".join(still)))


def _wait_until_back(node: Node) -> None:
    trouble: List[str] = []

    def back() -> bool:
        vrrp, errors = observe_vrrp(node)
        trouble[:] = [error["reason"] for error in errors] + ([] if vrrp["running"] else ["keepalived does not run"])
        trouble.extend("%s on %s is %s" % (item["name"], item["interface"], item["state"] or "in no state") for item in vrrp["instances"]
                       if item["state"] not in ("active", "standby"))
        return not trouble

    if not node.wait_for(back, TIMEOUT):
        raise NodeError("this node cannot take part again: %s; see to its interfaces and to keepalived, then leave maintenance again" % "; ".join(trouble))


def _held(vrrp: Dict[str, Any]) -> List[str]:
    return ["%s on %s" % (address, item["interface"]) for item in vrrp["instances"] for address in item["addresses_present"] or []]


def _result(drift: List[Dict[str, Any]], wanted: bool, handed_over: bool) -> Dict[str, Any]:
    return {"drift": drift, "validation": "not needed", "maintenance": wanted, "handed_over": handed_over}
