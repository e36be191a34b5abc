# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door from a play to planning: collects a cluster's members from the inventory, and returns their plans. Touches no node."""

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import InventoryReader, NameCache


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    _VALID_ARGS: frozenset[str] = frozenset()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Plan the whole cluster that this host belongs to, under any --limit."""
        result = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        variables = task_vars or {}
        # All hosts that run this task look for the same names, so the first one leaves them to the others, in the folder that lives as long as this run.
        cache = NameCache(C.DEFAULT_LOCAL_TMP, self._task._uuid)
        reader = InventoryReader(variables["hostvars"], variables["groups"]["all"], cache)
        host, findings = variables["inventory_hostname"], Findings()
        found = reader.gather(host, findings)
        try:
            planned = plan_cluster(*found, findings)
        except IntentError as error:
            result.update(failed=True, msg=str(error), errors=[problem.as_dict() for problem in error.problems])
            return result
        primaries = [member for member, plan in planned.plans.items() if plan["role"] == "primary"]
        result.update(changed=False, plan=planned.plans[host], plans=planned.plans, laggs=planned.laggs, primaries=primaries,
                      warnings=planned.plans[host]["warnings"])
        return result
