# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the report of checks and drills on the controller, whole or not at all. Touches no node."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html, as_json, as_junit, as_markdown
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._files import write_whole
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import evidence_of

FORMATS = {"json": as_json, "xml": as_junit, "html": as_html}
# For a change ticket, where upgrades were judged.
_TICKET = {"md": as_markdown}
COLLECTION = Path(__file__).resolve().parents[2]


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate the options, render all formats, then write them; ``changed`` stays false, for no node is changed."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({
            "directory": {"type": "path", "required": True},
            "title": {"type": "str", "default": "Firewall cluster"},
            "checks": {"type": "list", "elements": "dict", "default": []},
            "drills": {"type": "list", "elements": "dict", "default": []},
            "clusters": {"type": "list", "elements": "dict", "default": []},
            "upgrades": {"type": "list", "elements": "dict", "default": []},
        })
        hostvars = (task_vars or {}).get("hostvars", {})
        report = {
            "title": options["title"],
            "generated_at": time.time(),
            "collection": _version(),
            "clusters": [found for place, cluster in enumerate(options["clusters"]) for found in _clusters(place, cluster, hostvars)],
            "checks": options["checks"],
            "drills": options["drills"],
            "upgrades": options["upgrades"],
        }
        formats = {**FORMATS, **(_TICKET if options["upgrades"] else {})}
        directory = Path(options["directory"]).absolute()
        paths = {name: directory / f"report.{name}" for name in formats}
        texts = {paths[name]: render(report) for name, render in formats.items()}
        if not self._task.check_mode:
            try:
                write_whole(directory, texts)
            except OSError as error:
                raise AnsibleActionFail(f"directory: the report cannot be written to {directory}: {error.strerror or error}") from error
        doing = "would write" if self._task.check_mode else "wrote"
        summary = json.loads(texts[paths["json"]])["summary"]
        return dict(result, changed=False, written=not self._task.check_mode, summary=summary, msg=f"{doing} {paths['html']}",
                    **{f"{name}_path": str(path) for name, path in paths.items()})


def _clusters(place: int, cluster: Mapping[str, Any], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The clusters that an entry names: the one with its name, else each that its plans are of.

    Evidence that is not given is the fact of each node of the plans; None where nobody has read it.
    """
    plans = cluster.get("plans")
    if not isinstance(plans, Mapping) or not plans or not all(isinstance(plan, Mapping) for plan in plans.values()):
        raise AnsibleActionFail(f"clusters[{place}].plans: give the plans of its nodes, as hafirewall.cluster.plan returns them under plans")
    evidence = cluster.get("evidence")
    if evidence is None:
        evidence = {host: evidence_of(hostvars, host) for host in plans}
    elif not isinstance(evidence, Mapping):
        raise AnsibleActionFail(f"clusters[{place}].evidence: give the evidence of each node by its name, or leave it out to use the facts of node_info")
    if cluster.get("name"):
        return [{"name": cluster["name"], "plans": plans, "evidence": evidence}]
    members: dict[Any, dict[str, Any]] = {}
    for host, plan in plans.items():
        members.setdefault(plan.get("cluster"), {})[host] = plan
    return [{"name": name, "plans": own, "evidence": {host: evidence.get(host) for host in own}} for name, own in members.items()]


def _version() -> str | None:
    """The version of this collection: of the manifest where it is installed, of galaxy.yml in a source tree; None when neither tells."""
    try:
        if (COLLECTION / "MANIFEST.json").exists():
            return json.loads((COLLECTION / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"]
        return str(yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None
