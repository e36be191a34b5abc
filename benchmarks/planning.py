# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What planning costs: CPU seconds for 1, 100 and 1,000 clusters, and per cluster, which must stay the same.

Run with ``make bench``, or with the folder that holds ``ansible_collections`` in ANSIBLE_COLLECTIONS_PATH: ``python benchmarks/planning.py [--json]``.
"""

from __future__ import annotations

import json
import time
from typing import Any

from bench import install_collection, parser, print_clusters

SIZES = (1, 100, 1000)
# Seconds of measuring each size, at least; a single cluster takes too little time to be measured once.
AT_LEAST = 0.5


def cluster(number: int) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A cluster of two nodes with four virtual addresses and evidence, as the lab's."""
    name = f"edge{number}"
    intent = {
        "name": name, "sync": {"interface": "sync", "network": "198.51.100.128/28"},
        "virtual_ips": [
            {"interface": "lan", "address": "192.0.2.1/24", "id": 10}, {"interface": "wan", "address": "203.0.113.1/24", "id": 20},
            {"interface": "lan", "address": "2001:db8:1::1/64", "id": 11}, {"interface": "wan", "address": "2001:db8:2::1/64", "id": 21},
        ],
    }
    nodes, evidence = {}, {}
    for index in (2, 3):
        host = f"{name}-fw{index - 1}"
        sync = f"198.51.100.{128 + index}/28"
        nodes[host] = {"role": "primary" if index == 2 else "secondary",
                       "interfaces": {"lan": "lan0", "wan": "wan0", "sync": {"device": "sync0", "address": sync}}}
        evidence[host] = {"schema": 1, "platform": "linux", "interfaces": [
            {"name": "lan0", "addresses": [f"192.0.2.{index}/24", f"2001:db8:1::{index}/64"]}, {"name": "sync0", "addresses": [sync]},
            {"name": "wan0", "addresses": [f"203.0.113.{index}/24", f"2001:db8:2::{index}/64"]}]}
    return name, intent, nodes, evidence


def measure(plan_cluster: Any, size: int) -> float:
    """CPU seconds to plan so many clusters, the mean of several rounds."""
    clusters = [cluster(number) for number in range(size)]
    rounds, start = 0, time.process_time()
    while not rounds or time.process_time() - start < AT_LEAST:
        for arguments in clusters:
            plan_cluster(*arguments)
        rounds += 1
    return (time.process_time() - start) / rounds


def main() -> None:
    """Print a table, or with --json the figures alone."""
    options = parser(__doc__).parse_args()
    install_collection()
    from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster

    measure(plan_cluster, 1)
    figures = [{"clusters": size, "cpu_seconds": measure(plan_cluster, size)} for size in SIZES]
    for figure in figures:
        figure["cpu_ms_per_cluster"] = figure["cpu_seconds"] * 1000 / figure["clusters"]
    if options.json:
        print(json.dumps(figures))
        return
    print_clusters(figures, figures[0], "planning")


if __name__ == "__main__":
    main()
