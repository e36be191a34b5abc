# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until a node has settled, by reading its evidence again and again for a bounded time."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.settled import unsettled
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import evidence_of

POLL_SECONDS = 1.0


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = True
    _VALID_ARGS = frozenset(("plan", "timeout", "required"))

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, judge, wait a moment, again; ends at the first reading that shows a node at rest, or with the reasons of the last."""
        super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(argument_spec={
            "plan": {"type": "dict", "required": True},
            "timeout": {"type": "int", "default": 120},
            "required": {"type": "bool", "default": True},
        })
        plan, variables = arguments["plan"], task_vars or {}
        peers = {host: evidence_of(variables["hostvars"], host) for host in plan["peers"]}
        end = time.monotonic() + arguments["timeout"]
        sync = plan["state_sync"]
        options = {"platform": plan["platform"], "sync_interface": sync.get("interface"), "sync_network": sync.get("network")}
        while True:
            result = self._execute_module(module_name="hafirewall.cluster.node_info", module_args=options, task_vars=variables)
            if result.get("failed") or self._task.check_mode:
                return dict(result, reasons=[])
            reasons = unsettled(plan, result["evidence"], peers)
            if not reasons or (time.monotonic() >= end and not arguments["required"]):
                return dict(result, reasons=reasons)
            if time.monotonic() >= end:
                waited = f"{plan['node']} has not settled within {arguments['timeout']} s, so no further node is touched"
                return dict(result, reasons=reasons, failed=True, msg=f"{waited}: {'; '.join(reasons)}")
            time.sleep(POLL_SECONDS)
