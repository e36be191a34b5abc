# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair of nodes to judge, and the words in which a test says what a check must say of it."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import CHECKS, STATUSES, judge
from hypothesis import strategies as st

NODES = ("fw1", "fw2")


class Case:
    """A healthy pair; a test changes what it is about and judges."""

    def __init__(self, plan_of, evidence_of, probe):
        self.plans = {node: plan_of(node) for node in NODES}
        self.evidence = {node: evidence_of(node) for node in NODES}
        self.probe = probe

    def put(self, path, value, node="fw2", into=None):
        """Set the value at a dotted path; a number in it is an index."""
        place = (self.evidence if into is None else into)[node]
        *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in way:
            place = place[key]
        place[last] = value
        return self

    def results(self):
        return judge(self.plans, self.evidence, self.probe, 60)

    def of(self, check, node="any"):
        """What a check says: the results of one node, of the cluster (None), or all."""
        return [result for result in self.results() if result["id"] == check and node in ("any", result["node"])]

    def says(self, check, status, *words, node="any"):
        """One of the results has this status and its reason these words."""
        found = [result for result in self.of(check, node) if result["status"] == status and all(word in result["reason"] for word in words)]
        assert found, self.of(check, node)
        return found[0]


def _paths(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(item, (*path, key))


def odd_changes(evidence, names):
    """A strategy: up to four places in the evidence of nodes, each with something of any shape in its place; ``names`` are keys that it may have."""
    odd = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
                       lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(names), inner, max_size=2), max_leaves=4)
    return st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from([path for path in _paths(evidence) if path]), odd), max_size=4)


def is_judged_whole(case, changes):
    """Every check comes to a result with a reason, whatever the changes of :func:`odd_changes` have made of the evidence."""
    for node, path, value in changes:
        place = case.evidence[node]
        for key in path[:-1]:
            place = place[key] if isinstance(place, dict) and key in place else place[key] if isinstance(place, list) and key in range(len(place)) else {}
        if isinstance(place, dict):
            place[path[-1]] = value
    results = case.results()
    assert {result["id"] for result in results} == set(CHECKS)
    assert all(result["status"] in STATUSES and isinstance(result["reason"], str) and result["reason"] for result in results)
