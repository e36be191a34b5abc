# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Members are found among all hosts of the inventory, once for all hosts of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import Opaque
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import InventoryReader, NameCache, evidence_of
from ansible_collections.hafirewall.cluster.tests.simulators.hostvars import HostVars


def cluster(name: Any) -> dict[str, Any]:
    return {"hafirewall_cluster": {"name": name}}


def test_members_are_all_hosts_with_the_name_in_inventory_order() -> None:
    hostvars = HostVars({"b": cluster("edge"), "x": {}, "a": cluster("edge"), "c": cluster("core"), "n": cluster(5), "t": {"hafirewall_cluster": "text"}})
    findings = Findings()
    assert InventoryReader(hostvars, list(hostvars)).members("edge", findings) == ["b", "a"]
    assert findings.errors == []


def test_a_name_may_be_a_template() -> None:
    templates = {"{'name': '{{ n }}'}": {"name": "edge"}, "{{ whole }}": {"name": "edge"}}
    hostvars = HostVars({"a": cluster("{{ n }}"), "b": {"hafirewall_cluster": "{{ whole }}"}, "c": cluster("edge")}, templates)
    assert InventoryReader(hostvars, list(hostvars)).members("edge", Findings()) == ["a", "b", "c"]


def test_a_name_that_cannot_be_told_is_refused() -> None:
    hostvars = HostVars({"a": cluster("edge"), "b": cluster("{{ n }}")}, {"{'name': '{{ n }}'}": AnsibleError("'n' is undefined")})
    findings = Findings()
    assert InventoryReader(hostvars, list(hostvars)).members("edge", findings) == ["a"]
    [problem] = findings.errors
    assert (problem.host, problem.path) == ("b",
                                            "hafirewall_cluster.name") and "'n' is undefined" in problem.problem and "define every variable" in problem.remedy


def test_what_cannot_be_evaluated_is_a_value_that_says_so() -> None:
    hostvars = HostVars({"a": {"hafirewall_node": "{{ n }}"}}, {"{{ n }}": AnsibleError("'n'\nis undefined")})
    reader = InventoryReader(hostvars, ["a"])
    assert reader.value("a", "hafirewall_node") == Opaque("a value that cannot be evaluated ('n' is undefined)")
    assert isinstance(reader.value("a", "hafirewall_cluster"), Opaque)


def test_names_are_read_once_for_all_hosts_of_a_task(tmp_path: Path) -> None:
    hosts = [f"n{number}" for number in range(20)]
    hostvars = HostVars({host: cluster(f"c{number // 2}") for number, host in enumerate(hosts)})
    assert InventoryReader(hostvars, hosts, NameCache(str(tmp_path), "task")).members("c1", Findings()) == ["n2", "n3"]
    assert len(hostvars.reads) == 20
    assert InventoryReader(hostvars, hosts, NameCache(str(tmp_path), "task")).members("c2", Findings()) == ["n4", "n5"]
    assert len(hostvars.reads) == 20
    # Another task, or other hosts (add_host), read again.
    assert InventoryReader(hostvars, hosts, NameCache(str(tmp_path), "next")).members("c2", Findings()) == ["n4", "n5"]
    assert InventoryReader(hostvars, hosts[:5], NameCache(str(tmp_path), "task")).members("c2", Findings()) == ["n4"]
    assert len(hostvars.reads) == 45


def test_without_a_folder_for_names_every_host_reads_them(tmp_path: Path) -> None:
    hostvars = HostVars({"a": cluster("edge")})
    cache = NameCache(str(tmp_path / "none"), "task")
    assert [InventoryReader(hostvars, ["a"], cache).members("edge", Findings()) for _twice in range(2)] == [["a"], ["a"]]
    assert hostvars.reads == ["a", "a"]


def test_evidence_comes_from_the_facts_first_and_is_none_for_a_host_nobody_knows() -> None:
    hostvars = HostVars({"a": {"ansible_facts": {"hafirewall_evidence": {"n": 1}}, "hafirewall_evidence": {"n": 2}},
                         "b": {"ansible_facts": {}, "hafirewall_evidence": (1, 2)}, "c": {}})
    assert [evidence_of(hostvars, host) for host in (*hostvars, "d")] == [{"n": 1}, [1, 2], None, None]
