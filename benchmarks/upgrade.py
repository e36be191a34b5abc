# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What judging an upgrade from saved evidence costs: CPU seconds for 1, 100 and 1,000 clusters in one process, and per cluster, which must stay the same.

The evidence of tests/fixtures/upgrade-evidence is copied for each cluster, read, planned and judged, with all checks. Run with ``make bench``, or with the
folder that holds ``ansible_collections`` in ANSIBLE_COLLECTIONS_PATH: ``python benchmarks/upgrade.py [--json]``.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from bench import ROOT, install_collection, parser, print_clusters

SIZES = (1, 100, 1000)
SAVED = ROOT / "tests" / "fixtures" / "upgrade-evidence"
COMES = {"linux": "1:1.4.8-2", "freebsd": "15.0-RELEASE", "openbsd": "7.7", "pfsense": "2.8.0", "opnsense": "26.7.2"}
AT_MOST = 10.0  # milliseconds a cluster


class Cluster(NamedTuple):
    """What is known of a cluster before its evidence is read."""

    name: str
    intent: dict[str, Any]
    nodes: dict[str, Any]
    targets: dict[str, str]


def lay_out(folder: Path, size: int) -> list[Cluster]:
    """Write the evidence of so many clusters, of each platform in turn, and return what an inventory would say of them."""
    groups = yaml.safe_load((SAVED / "inventory.yml").read_text(encoding="utf-8"))["all"]["children"]
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (SAVED / "evidence").iterdir()}
    clusters = []
    for number in range(size):
        platform = list(groups)[number % len(groups)]
        hosts = {f"{host}-{number}": (host, own["hafirewall_node"]) for host, own in groups[platform]["hosts"].items()}
        for name, (host, _own) in hosts.items():
            (folder / f"{name}.json").write_text(texts[host], encoding="utf-8")
        intent = {**groups[platform]["vars"]["hafirewall_cluster"], "name": f"{platform}-{number}"}
        clusters.append(Cluster(intent["name"], intent, {name: own for name, (_host, own) in hosts.items()}, dict.fromkeys(hosts, COMES[platform])))
    return clusters


def measure(judge: Any, size: int) -> dict[str, Any]:
    """Judge so many clusters once, from their files on."""
    with tempfile.TemporaryDirectory() as name:
        clusters, outcomes = lay_out(Path(name), size), dict.fromkeys(("seamless", "seamless_with_steps", "not_seamless", "unknown"), 0)
        start = time.process_time()
        for cluster in clusters:
            outcomes[judge(Path(name), cluster)] += 1
        seconds = time.process_time() - start
    return {"clusters": size, "cpu_seconds": seconds, "cpu_ms_per_cluster": seconds * 1000 / size, "outcomes": outcomes}


def main() -> None:
    """Print a table, or with --json the figures alone; fails when a cluster costs too much."""
    options = parser(__doc__).parse_args()
    install_collection()
    from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
    from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.check import check_upgrade
    from ansible_collections.hafirewall.cluster.plugins.plugin_utils._evidence_files import read_file

    def judge(folder: Path, cluster: Cluster) -> str:
        saved = {host: read_file(folder / f"{host}.json") for host in cluster.nodes}
        evidence = {host: one.evidence for host, one in saved.items()}
        plans = plan_cluster(cluster.name, cluster.intent, cluster.nodes, evidence).plans
        found = check_upgrade(plans, evidence, targets=cluster.targets, observed={host: one.observed for host, one in saved.items() if one.observed})
        return str(found.upgrades[0]["outcome"])

    measure(judge, 8)
    figures = [measure(judge, size) for size in SIZES]
    if options.json:
        print(json.dumps(figures))
        return
    print_clusters(figures, figures[1], "judging")
    if figures[-1]["cpu_ms_per_cluster"] >= AT_MOST:
        raise SystemExit(f"a cluster costs {figures[-1]['cpu_ms_per_cluster']:.1f} ms of CPU, and may cost {AT_MOST:g}")


if __name__ == "__main__":
    main()
