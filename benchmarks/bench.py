# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks share: their options, how they find the collection, and the table of what a cluster costs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def parser(description: str | None, figures: str = "figures") -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--json", action="store_true", help=f"print the {figures} as JSON")
    return arguments


def collection_path() -> None:
    """Find the collection: the folder in ANSIBLE_COLLECTIONS_PATH, or the one that the Makefile makes."""
    sys.path[:0] = [path for path in os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / "build" / "collections")).split(":") if path]


def install_collection() -> None:
    """The same for what needs Ansible, whose own finder then imports it."""
    collection_path()
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    _AnsibleCollectionFinder(paths=sys.path[:1])._install()


def print_clusters(figures: Sequence[dict[str, Any]], base: dict[str, Any], work: str) -> None:
    """A row for each number of clusters, and whether a cluster among the most costs what one does in ``base``."""
    print(f"{'clusters':>8}  {'CPU seconds':>11}  {'ms a cluster':>12}")
    for figure in figures:
        print(f"{figure['clusters']:>8}  {figure['cpu_seconds']:>11.4f}  {figure['cpu_ms_per_cluster']:>12.3f}")
    spread = figures[-1]["cpu_ms_per_cluster"] / base["cpu_ms_per_cluster"]
    single = "a single one" if base["clusters"] == 1 else f"one among {base['clusters']}"
    print(f"A cluster among {figures[-1]['clusters']} costs {spread:.2f} times what {single} does: {work} is {'linear' if spread < 1.5 else 'NOT linear'}.")
    if spread >= 1.5:
        raise SystemExit(f"{work} of many clusters costs more a cluster than that of few")
