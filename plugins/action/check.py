# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge the evidence of all nodes of a cluster. Runs on the controller alone; reads the facts that node_info has set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import checks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import evidence_of


class ActionModule(ActionBase):
    """Gathers what the nodes' facts say and hands it to the checks."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate the options, judge, and return ``checks``, ``counts`` and ``failed_checks``; a failed check does not fail the task."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({
            "plans": {"type": "dict", "required": True},
            "observed": {"type": "dict", "default": {}},
            "probe_count": {"type": "int", "default": 1},
        })
        plans = options["plans"]
        _require_plans(plans)
        if options["probe_count"] < 1:
            raise AnsibleActionFail("probe_count: at least one state must have been made to tell whether states travel")
        hostvars = (task_vars or {}).get("hostvars", {})
        try:
            found = checks.judge(plans, {host: evidence_of(hostvars, host) for host in plans}, options["observed"], options["probe_count"])
        except ValueError as error:
            raise AnsibleActionFail(f"plans: {error}") from error
        return dict(result, changed=False, checks=found, counts=checks.counts(found), failed_checks=checks.failed(found))


def _require_plans(plans: Mapping[str, Any]) -> None:
    if not plans:
        raise AnsibleActionFail("plans: there is no plan to judge against; give the plans that hafirewall.cluster.plan returned")
    for host, plan in plans.items():
        lacking = sorted({"cluster", "members", "platform", "state_sync", "virtual_ip"} - set(plan)) if isinstance(plan, Mapping) else ["everything"]
        if lacking:
            raise AnsibleActionFail(f"plans.{host}: this is no plan of hafirewall.cluster.plan, it lacks {', '.join(lacking)}")
