# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what a node is like now to a file on the controller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import action_loader
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import plain
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.saved import SavedError, file_name, read
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._files import write_whole

PASSED_ON = ("platform", "sync_interface", "sync_network", "raw")


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the node, unless its evidence is given, and write the evidence; ``changed`` stays false, for no node is changed."""
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({
            "directory": {"type": "path", "required": True}, "evidence": {"type": "dict"}, **{name: {"type": "str"} for name in PASSED_ON}})
        variables = task_vars or {}
        path = Path(options["directory"]).absolute() / file_name(str(self._task.delegate_to or variables["inventory_hostname"]))
        evidence = options["evidence"]
        if evidence is None:
            result = self._read({name: options[name] for name in PASSED_ON if options[name] is not None}, variables)
            if result.get("failed"):
                return result
            evidence = result["evidence"]
        text = _text(evidence)
        if not self._task.check_mode:
            try:
                write_whole(path.parent, {path: text})
            except OSError as error:
                raise AnsibleActionFail(f"directory: the snapshot cannot be written to {path.parent}: {error.strerror or error}") from error
        unknown = sorted({str(row.get("area")) for row in evidence.get("errors") or [] if isinstance(row, Mapping)})
        return {"changed": False, "path": str(path), "written": not self._task.check_mode, "taken_at": evidence.get("collected_at"), "unknown": unknown,
                "msg": f"{'would write' if self._task.check_mode else 'wrote'} {path}" + (f"; not known: {', '.join(unknown)}" if unknown else "")}

    def _read(self, options: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """What node_info returns, which on an old pfSense takes another way than a module."""
        task = self._task.copy()
        task.args = dict(options, snapshot=True, readiness=True)
        action = action_loader.get(
            "hafirewall.cluster.node_info", task=task, connection=self._connection, play_context=self._play_context, loader=self._loader,
            templar=self._templar, shared_loader_obj=self._shared_loader_obj)
        found: dict[str, Any] = action.run(task_vars=variables)
        return found


def _text(evidence: Any) -> str:
    """The evidence as a file; it must be one that a comparison can read."""
    try:
        text = json.dumps(plain(evidence), sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        read(text)
    except SavedError as error:
        raise AnsibleActionFail(f"evidence: {error}") from error
    except (ValueError, TypeError) as error:
        raise AnsibleActionFail(f"evidence: {error}; give what hafirewall.cluster.node_info returned as evidence") from error
    return text
