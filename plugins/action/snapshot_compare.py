# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares two snapshots of nodes. Runs on the controller alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import checks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import plain
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_json, as_junit
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.saved import SavedError, node_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot import as_checks, as_markdown, choose, compare
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._evidence_files import read_file
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._files import write_whole


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read both, compare, write the report; the task fails when an area does, unless it is told not to."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({
            "before": {"type": "raw", "required": True}, "after": {"type": "raw", "required": True},
            "areas": {"type": "list", "elements": "str", "default": []},
            "settings": {"type": "dict", "default": {}}, "nodes": {"type": "list", "elements": "str", "default": []},
            "fail": {"type": "bool", "default": True}, "directory": {"type": "path"}, "title": {"type": "str", "default": "Snapshots compared"}})
        try:
            choices = choose(plain(options["areas"]), plain(options["settings"]))
        except IntentError as error:
            raise AnsibleActionFail(str(error)) from error
        before, after = (_snapshots(name, options[name], options["nodes"]) for name in ("before", "after"))
        results = compare(before, after, choices)
        failed = [found for found in results if found["status"] in ("fail", "error")]
        counts = checks.counts(results)
        told = "; ".join(f"{found['node']} {found['area']}: {found['reason']}" for found in failed)
        result.update(changed=False, results=results, counts=counts, failed_results=failed, failed=bool(failed) and options["fail"],
                      msg=told or f"{len(before)} nodes compared: {counts}")
        if options["directory"] is not None:
            result["paths"] = self._report(Path(options["directory"]).absolute(), options["title"], results)
        return result

    def _report(self, directory: Path, title: str, results: list[dict[str, Any]]) -> dict[str, str]:
        report = {"title": title, "generated_at": time.time(), "collection": None, "clusters": [], "checks": as_checks(results)}
        texts = {"json": as_json(report), "xml": as_junit(report), "md": as_markdown(title, results)}
        paths = {kind: directory / f"report.{kind}" for kind in texts}
        if not self._task.check_mode:
            try:
                write_whole(directory, {paths[kind]: text for kind, text in texts.items()})
            except OSError as error:
                raise AnsibleActionFail(f"directory: the report cannot be written to {directory}: {error.strerror or error}") from error
        return {kind: str(path) for kind, path in paths.items()}


def _snapshots(name: str, given: Any, nodes: list[str]) -> dict[str, Any]:
    """The evidence by node: of a folder, or as it was given. The nodes that are named are all there, those without a snapshot as None."""
    found = _folder(name, Path(given)) if isinstance(given, str) else plain(given)
    if not isinstance(found, dict) or not found:
        raise AnsibleActionFail(f"{name}: there is no snapshot; give a folder on the controller that hafirewall.cluster.snapshot has written to, or a mapping "
                                "of nodes to their evidence")
    return {node: found.get(node) for node in nodes} if nodes else found


def _folder(name: str, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        for path in sorted(folder.absolute().iterdir()):
            node = node_of(path.name)
            if node is not None:
                found[node] = read_file(path).evidence
    except OSError as error:
        raise AnsibleActionFail(f"{name}: {folder} cannot be read: {error.strerror or error}") from error
    except SavedError as error:
        raise AnsibleActionFail(f"{name}: {error}") from error
    return found
