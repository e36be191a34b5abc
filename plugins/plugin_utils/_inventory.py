# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads intent and facts of all hosts of the inventory, also of hosts that a --limit leaves out."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from typing import Any, Mapping, NamedTuple, Sequence

from ansible.errors import AnsibleError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.members import compare, name_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import Opaque, plain

_CLUSTER = "hafirewall_cluster"
_EVIDENCE, _BACKUP = "hafirewall_evidence", "hafirewall_config_backup"
_REMEDY = "define every variable that it uses, for this host too"


class NameCache:
    """Which host states which cluster's name, shared by the worker processes of one task.

    Reading the variables of all hosts for each host would be quadratic: seconds a host with a thousand clusters. Only names are kept;
    values are always read afresh.

    Args:
        folder: a private folder that lives as long as the run.
        task: what identifies the task.
    """

    def __init__(self, folder: str, task: str) -> None:
        self._folder, self._task = folder, task

    def load(self, hosts: Sequence[str]) -> dict[str, Any] | None:
        """What was stored for these hosts, or None."""
        try:
            with open(self._path(hosts), encoding="ascii") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def store(self, hosts: Sequence[str], names: Mapping[str, Any]) -> None:
        """Keep the names for the task's other hosts. Where that is not possible they find them by themselves."""
        try:
            handle, path = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                json.dump(names, file)
            os.replace(path, self._path(hosts))
        except OSError:
            return

    def _path(self, hosts: Sequence[str]) -> str:
        digest = hashlib.sha256(json.dumps([self._task, *hosts]).encode()).hexdigest()
        return os.path.join(self._folder, f"hafirewall-names-{digest}.json")


def evidence_of(hostvars: Any, host: str) -> Any:
    """What node_info has found on a host in this run; None when nobody has read it. Facts are data: templates within are not evaluated.

    What config_backup has told of the host's backup is in it as ``backup``.
    """
    if host not in hostvars:
        return None
    variables = hostvars.raw_get(host)
    facts = variables.get("ansible_facts")
    found, backup = (plain(facts[name] if isinstance(facts, Mapping) and name in facts else variables.get(name)) for name in (_EVIDENCE, _BACKUP))
    return {"backup": backup, **found} if isinstance(found, dict) and backup is not None else found


class Gathered(NamedTuple):
    """One cluster as planning takes it: by host, in inventory order. The name is empty when it cannot be told."""

    name: str
    cluster: Any
    nodes: dict[str, Any]
    evidence: dict[str, Any]


class InventoryReader:
    """Values of hosts as plain Python, templates evaluated as the host itself would.

    Args:
        hostvars: Ansible's variable of this name.
        hosts: all hosts, in inventory order.
        cache: where names are kept; None to keep none.
    """

    def __init__(self, hostvars: Any, hosts: Sequence[str], cache: NameCache | None = None) -> None:
        self._hostvars, self._hosts, self._cache = hostvars, [str.__str__(host) for host in hosts], cache

    def value(self, host: str, name: str) -> Any:
        """A variable of a host; an Opaque value says why it could not be evaluated, None that it is not defined."""
        variables = self._hostvars[host]
        if name not in variables:
            return Opaque("no variable of this host in the inventory", "state it for the nodes of the cluster, in the inventory") if name == _CLUSTER else None
        try:
            return plain(variables[name])
        except AnsibleError as error:
            return Opaque(f"a value that cannot be evaluated ({' '.join(str(error).split())})", _REMEDY)

    def gather(self, host: str, findings: Findings) -> Gathered:
        """The whole cluster that a host belongs to; what the members do not agree on is refused in ``findings``."""
        cluster = self.value(host, _CLUSTER)
        name = name_of(cluster)
        # Without a name there are no members, but this host's own mistakes can be told; without a cluster nothing can.
        alone = [host] if isinstance(cluster, dict) else []
        members = alone if name is None else self.members(name, findings)
        compare({member: self.value(member, _CLUSTER) for member in members}, findings)
        return Gathered(name or "", cluster, {member: self.value(member, "hafirewall_node") for member in members},
                        {member: evidence_of(self._hostvars, member) for member in members})

    def members(self, name: str, findings: Findings) -> list[str]:
        """Hosts whose cluster has this name, in inventory order. A host whose cluster's name cannot be told is refused in ``findings``."""
        known = self._cache.load(self._hosts) if self._cache else None
        if known is None:
            known = self._names()
            if self._cache:
                self._cache.store(self._hosts, known)
        for host, reason in known["unknown"].items():
            findings.at(host).refuse(f"{_CLUSTER}.name", f"is {reason}, so it cannot be told which cluster the host belongs to", _REMEDY)
        return [host for host in self._hosts if known["names"].get(host) == name]

    def _names(self) -> dict[str, dict[str, str]]:
        names: dict[str, str] = {}
        unknown: dict[str, str] = {}
        for host in self._hosts:
            stated = self._raw(host).get(_CLUSTER)
            if stated is None:
                continue
            name = name_of(stated)
            if name is None or "{" in name:
                value = self.value(host, _CLUSTER)
                name = name_of(value)
                if isinstance(value, Opaque):
                    unknown[host] = value.name
            if name is not None:
                names[host] = name
        return {"names": names, "unknown": unknown}

    def _raw(self, host: str) -> Mapping[str, Any]:
        """The variables without evaluation, which is the slow part of reading them."""
        return self._hostvars.raw_get(host)
