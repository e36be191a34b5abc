# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door from a play to the LAGG plan by itself: for any platform, from evidence of this run or saved before. Touches no node."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.entry import lagg_plan, saved_evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.picture import picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.show import as_text
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import plain
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._files import write_whole
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import InventoryReader, NameCache


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Plan the LAGGs of the cluster that this host belongs to, under any --limit, and write them where that is asked for."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({"evidence": {"type": "path"}, "directory": {"type": "path"}})
        variables, findings = task_vars or {}, Findings()
        reader = InventoryReader(variables["hostvars"], variables["groups"]["all"], NameCache(C.DEFAULT_LOCAL_TMP, self._task._uuid))
        name, cluster, nodes, evidence = reader.gather(variables["inventory_hostname"], findings)
        plan = lagg_plan(cluster, nodes, self._saved(options["evidence"]) if options["evidence"] else evidence, findings)
        shown = name or "unnamed"
        texts = {"json": json.dumps(plan.as_dict(), indent=2, ensure_ascii=False) + "\n", "txt": as_text(shown, plan), "svg": str(picture(shown, plan))}
        if options["directory"] and not self._task.check_mode:
            directory = Path(options["directory"]).absolute()
            file = re.sub(r"[^A-Za-z0-9_.-]", "_", shown)
            try:
                write_whole(directory, {directory / f"{file}.{kind}": text for kind, text in texts.items()})
            except OSError as error:
                raise AnsibleActionFail(f"directory: the plan cannot be written to {directory}: {error.strerror or error}") from error
        return dict(result, changed=False, plan=plan.as_dict(), members=list(nodes), text=texts["txt"], picture=texts["svg"],
                    warnings=[str(warning) for warning in plan.warnings])

    def _saved(self, path: str) -> dict[str, Any]:
        """Evidence from a file on the controller."""
        try:
            return saved_evidence(plain(self._loader.load_from_file(str(Path(path).absolute()))))
        except ValueError as error:
            raise AnsibleActionFail(f"evidence: {path} {error}") from error
        except AnsibleError as error:
            raise AnsibleActionFail(f"evidence: {path} cannot be read: {' '.join(str(error).split())}") from error
