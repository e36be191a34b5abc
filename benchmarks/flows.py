# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failover costs the flows, by their number: drills on a lab of real nodes, one for each number given.

Run with ``make bench BENCH_FLOWS='100 500 2000 20000'``.
"""

from __future__ import annotations

import json
from typing import Any

from bench import ROOT, parser
from bench_lab import NAME, lab, play


def drilled(flows: int, failure: str) -> dict[str, Any]:
    """The drill of a report.json."""
    folder = ROOT / "build" / NAME / f"drill-{flows}"
    play("hafirewall.cluster.failover_drill", "-e", f"failover_drill_flows={flows}", "-e", f"failover_drill_failure={failure}",
         "-e", f"failover_drill_directory={folder}")
    (drill,) = json.loads((folder / "report.json").read_text(encoding="utf-8"))["drills"]
    return drill


def main() -> None:
    """Print a table, or with --json the drills alone."""
    arguments = parser(__doc__, "drills")
    arguments.add_argument("flows", nargs="+", type=int, help="numbers of TCP flows")
    arguments.add_argument("--failure", default="power_loss", help="how the active node dies (default: power_loss)")
    options = arguments.parse_args()
    with lab():
        play("hafirewall.cluster.site")
        drills = [drilled(flows, options.failure) for flows in options.flows]
    if options.json:
        print(json.dumps(drills))
        return
    columns = {"flows": 8, "kept": 8, "gap ms: median": 14, "p99": 8, "max": 8, "detection limit": 15, "takeover ms": 11, "reconnect ms": 12}
    print("  ".join(f"{name:>{width}}" for name, width in columns.items()))
    for drill in drills:
        gap = drill["gap_ms"]
        row = (drill["flows"], drill["flows"] - drill["lost"], gap["median"], gap["p99"], gap["max"], drill["detection_limit_ms"], drill["takeover_ms"],
               drill["reconnect_ms"])
        print("  ".join(f"{value if value is None else round(value):>{width}}" for value, width in zip(row, columns.values(), strict=True)))


if __name__ == "__main__":
    main()
