# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of the time: no scheduled job touches packages, the filter or the network, or reboots, while nodes are upgraded."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ERROR, NodeView, Verdict, number, weigh
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import AREA, ReadinessView, now, unknown

# What a job that is in the way runs, and why it is. Names of programs and units of the systems themselves.
IN_THE_WAY = (
    (re.compile(r"apt-daily|/cron\.\w+/(apt(-compat)?|0?yum-\w+\.cron)$|unattended-upgrade|\bapt(-get|itude)?\b.*\b(upgrade|install)|"
                r"dnf-automatic|\b(dnf|yum)\b.*\b(update|upgrade|install)|yum-cron|packagekit|zypper"), "changes packages"),
    (re.compile(r"freebsd-update|\bpkg(-static)?\b.*\b(upgrade|install|update|autoremove)|syspatch|sysupgrade|pkg_add|pfSense-upgrade|opnsense-update|"
                r"rc\.firmware|\bfirmware (update|upgrade|install|auto|auto-update|poll)\b"), "changes packages or the system"),
    (re.compile(r"\b(reboot|shutdown|poweroff|halt|rc\.reboot)\b|systemctl (reboot|poweroff|kexec)"), "restarts the node"),
    (re.compile(r"\bpfctl\b.*-[a-zA-Z]*f|rc\.filter_configure|rc\.filter_synchronize|rc\.reload|configctl filter (reload|sync)\b|"
                r"configctl interface (reconfigure|routes)\b|\bnft\b.*-f|iptables-restore|"
                r"(service|rcctl|systemctl|rc\.d/)\S* .*(pf|pfsync|nftables|netif|networking|network|keepalived|conntrackd)\b|"
                r"ha_sync|ha_reconfigure_backup|HA update"),
     "changes the packet filter, the network or the virtual addresses"),
    (re.compile(r"\b(zpool|zfs) (scrub|trim)\b|\bfsck\b|fstrim|e2scrub"), "loads the disks"),
)


def jobs_in_window(view: ReadinessView) -> Iterator[Verdict]:
    """Nothing that is in the way of an upgrade is due within its window, which begins when the evidence was read."""
    for node in view.nodes:
        rows, moment = node.rows(AREA, "jobs"), now(node)
        if rows is None or moment is None:
            yield Verdict(ERROR, unknown(node, "which jobs are scheduled", "jobs"), node.name)
        else:
            yield _due(node, rows, moment, float(view.thresholds["window_hours"]))


def _due(node: NodeView, rows: list[Any], moment: float, hours: float) -> Verdict:
    failures: list[str] = []
    unknowns: list[str] = []
    warnings: list[str] = []
    for row in rows:
        what = row.get("what")
        why = _why(str(row.get("name")), what)
        due = number(row.get("next"))
        inside = due is None or due <= moment + hours * 3600
        if why is None:
            if what is None and inside:
                unknowns.append(f"what {row.get('name')} runs is not told; look at it")
            continue
        said = f"{row.get('name')} {why}"
        if due is None:
            unknowns.append(f"{said}, and when it runs next is not known")
        elif inside:
            at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(due))
            (warnings if why.startswith("loads") else failures).append(f"{said} at {at}, within the window of {hours:g} hours")
    return Verdict(*weigh(failures, unknowns, warnings, f"none of {len(rows)} scheduled jobs is in the way within {hours:g} hours"), node.name)


def _why(name: str, what: Any) -> str | None:
    """By its name, and by each command that it runs, for words of two of them together say nothing."""
    texts = [name, *str(what or "").split("; ")]
    return next((why for pattern, why in IN_THE_WAY if any(pattern.search(text) for text in texts)), None)
