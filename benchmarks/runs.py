# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run costs on two real nodes: module executions and CPU seconds of a first run, a run with nothing to do, a verify, and of separate roles.

Run with ``make bench``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from bench import parser
from bench_lab import Cost, lab, play

SEPARATE = str(Path(__file__).with_name("separate_roles.yml"))


def measured() -> dict[str, Cost]:
    """Costs by what was run, in the order of running."""
    with lab():
        costs = {"site, first run": play("hafirewall.cluster.site"), "site, nothing to do": play("hafirewall.cluster.site"),
                 "verify": play("hafirewall.cluster.verify")}
        play(SEPARATE)
        costs["separate roles, nothing to do"] = play(SEPARATE)
        return costs


def main() -> None:
    """Print a table, or with --json the figures alone."""
    options = parser(__doc__).parse_args()
    costs = measured()
    if options.json:
        print(json.dumps({name: asdict(cost) for name, cost in costs.items()}))
        return
    print(f"{'for each node':30}  {'modules':>7}  {'CPU s, node':>11}  {'CPU s, controller':>17}  {'CPU s, both':>11}  {'run took s':>10}")
    for name, cost in costs.items():
        print(f"{name:30}  {cost.modules:>7.1f}  {cost.node_cpu:>11.2f}  {cost.controller_cpu:>17.2f}  {_cpu(cost):>11.2f}  {cost.seconds:>10.1f}")
    ours, theirs = costs["site, nothing to do"], costs["separate roles, nothing to do"]
    print(f"With nothing to do, site costs {_cpu(ours) / _cpu(theirs):.2f} of what separate roles cost in CPU time, and {ours.modules / theirs.modules:.2f} "
          "in module executions.")


def _cpu(cost: Cost) -> float:
    return cost.node_cpu + cost.controller_cpu


if __name__ == "__main__":
    main()
