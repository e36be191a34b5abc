# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the rolling upgrade of the cluster that a host belongs to, from evidence of this run or saved before. Runs on the controller, touches no node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import checks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.saved import Saved, SavedError, as_file, file_name
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.check import check_upgrade
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.outcome import REQUIRABLE, not_judged
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._evidence_files import read_file
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._files import write_whole
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import InventoryReader, NameCache


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Plan the cluster, judge it, and keep the evidence of this host; an outcome that is not good enough does not fail the task."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({
            "targets": {"type": "dict", "default": {}},
            "require": {"type": "str", "choices": list(REQUIRABLE), "default": "seamless_with_steps"},
            "leave_out": {"type": "list", "elements": "str", "default": []},
            "thresholds": {"type": "dict", "default": {}},
            # Not dict: Ansible's own error would not tell which row it is.
            "known_bad": {"type": "list", "elements": "raw", "default": []},
            "checks": {"type": "list", "elements": "dict"},
            "observed": {"type": "dict", "default": {}},
            "probe_count": {"type": "int", "default": 1},
            "evidence_dir": {"type": "path"},
            "save_evidence": {"type": "path"},
        })
        variables, findings = task_vars or {}, Findings()
        host, everyone = variables["inventory_hostname"], variables["groups"]["all"]
        _require_targets(options["targets"], everyone)
        found = InventoryReader(variables["hostvars"], everyone, NameCache(C.DEFAULT_LOCAL_TMP, self._task._uuid)).gather(host, findings)
        try:
            saved = {} if options["evidence_dir"] is None else self._saved(options["evidence_dir"], list(found.nodes))
        except SavedError as error:
            what, _part, how = str(error).rpartition("; ")
            return self._not_judged(result, found.name, options["require"], [{"what": f"evidence_dir: {what}", "how": how}])
        evidence = found.evidence if options["evidence_dir"] is None else {name: one.evidence for name, one in saved.items()}
        observed = options["observed"] if options["evidence_dir"] is None else {name: one.observed for name, one in saved.items() if one.observed is not None}
        count = options["probe_count"] if not saved else min((one.probe_count for one in saved.values()), default=1)
        try:
            plans = plan_cluster(found.name, found.cluster, found.nodes, evidence, findings).plans
        except IntentError as error:
            if options["evidence_dir"] is not None:
                # Many clusters are judged at once, and one that lacks evidence must not be missing among them.
                return self._not_judged(result, found.name, options["require"], [
                    {"what": f"{problem.path}{f' ({problem.host})' if problem.host else ''}: {problem.problem}", "how": problem.remedy}
                    for problem in error.problems])
            return dict(result, failed=True, msg=str(error), errors=[problem.as_dict() for problem in error.problems])
        try:
            upgrades, results = check_upgrade(
                plans, evidence, targets=options["targets"], required=options["require"], leave_out=options["leave_out"], thresholds=options["thresholds"],
                known_bad=options["known_bad"], observed=observed, probe_count=count,
                judged=None if options["checks"] is None else [one for one in options["checks"] if one.get("cluster") == found.name])
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        if options["save_evidence"] and not self._task.check_mode and evidence.get(host) is not None:
            self._save(options["save_evidence"], host, Saved(evidence[host], observed.get(host), count))
        (upgrade,) = upgrades
        cluster = {"name": found.name, "plans": plans, **({} if options["evidence_dir"] is None else {"evidence": evidence})}
        return dict(result, changed=False, upgrade=upgrade, outcome=upgrade["outcome"], good_enough=upgrade["good_enough"], steps=upgrade["steps"],
                    checks=results, counts=checks.counts(results), failed_checks=checks.failed(results), cluster=cluster)

    def _saved(self, directory: str, hosts: list[str]) -> dict[str, Saved]:
        """What was saved of each host; nothing of one that has no file.

        Raises:
            SavedError: a file is no evidence.
        """
        folder = Path(directory).absolute()
        if not folder.is_dir():
            raise AnsibleActionFail(f"evidence_dir: {folder} is no folder; give the one that holds a NODE.json for each node")
        saved = {}
        for host in hosts:
            path = folder / file_name(host)
            saved[host] = read_file(path) if path.exists() else Saved(None)
        return saved

    @staticmethod
    def _not_judged(result: dict[str, Any], name: str, required: str, unknowns: list[dict[str, str]]) -> dict[str, Any]:
        upgrade = {**not_judged(name, unknowns), "required": required, "good_enough": False}
        return dict(result, changed=False, upgrade=upgrade, outcome=upgrade["outcome"], good_enough=False, steps=[], checks=[], counts=checks.counts([]),
                    failed_checks=[], cluster={"name": name, "plans": {}, "evidence": {}})

    def _save(self, directory: str, host: str, saved: Saved) -> None:
        folder = Path(directory).absolute()
        try:
            write_whole(folder, {folder / file_name(host): as_file(saved)})
        except OSError as error:
            raise AnsibleActionFail(f"save_evidence: the evidence cannot be written to {folder}: {error.strerror or error}") from error


def _require_targets(targets: Mapping[Any, Any], everyone: list[str]) -> None:
    for name, release in targets.items():
        if name not in everyone:
            raise AnsibleActionFail(f"targets.{name}: there is no such host in the inventory; give the inventory name of a node")
        if not isinstance(release, str):
            raise AnsibleActionFail(f"targets.{name}: is no text; give a release as its system writes it, in quotes, or candidate")
