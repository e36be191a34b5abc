# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints the drills of a report.json in a few lines: python summary.py build/demo/report.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def line(drill: dict[str, Any]) -> str:
    """One drill in one line; a number that was not measured shows as a question mark."""
    kept = drill["flows"] - drill["lost"] if drill["lost"] is not None else None
    figures = {"state sync": "on " if drill["state_sync"] else "off", "kept": f"{_shown(kept)} of {drill['flows']}",
               "median gap": f"{_shown(drill['gap_ms']['median'])} ms", "detection limit": f"{_shown(drill['detection_limit_ms'])} ms",
               "takeover": f"{_shown(drill['takeover_ms'])} ms", "new connections after": f"{_shown(drill['reconnect_ms'])} ms"}
    return f"{drill['failure']}: " + ", ".join(f"{name} {value}" for name, value in figures.items())


def _shown(number: float | None) -> str:
    return "?" if number is None else f"{number:,.0f}"


def main(path: Path) -> None:
    """Print the summary of one report and where its page is."""
    for drill in json.loads(path.read_text(encoding="utf-8"))["drills"]:
        print(line(drill))
    print(f"Report with pictures: {path.with_suffix('.html')}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
