# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks take from the rest of the project is there, and what they measure decides how they end."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield importlib.import_module
    for name in [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(f"{BENCHMARKS}/")]:
        del sys.modules[name]


def test_every_saved_pair_is_laid_out_with_a_release_to_come(benchmark: Any, tmp_path: Path) -> None:
    upgrade = benchmark("upgrade")
    clusters = upgrade.lay_out(tmp_path, 7)
    assert {cluster.name.rpartition("-")[0] for cluster in clusters} == set(upgrade.COMES)
    assert all((tmp_path / f"{host}.json").is_file() and release for cluster in clusters for host, release in cluster.targets.items())


@pytest.mark.parametrize(("many", "fails"), [(4.9, False), (8.0, True)])
def test_what_is_not_linear_ends_badly(benchmark: Any, capsys: pytest.CaptureFixture[str], many: float, fails: bool) -> None:
    figures = [{"clusters": size, "cpu_seconds": cost * size / 1000, "cpu_ms_per_cluster": cost} for size, cost in ((100, 4.0), (1000, many))]
    try:
        benchmark("bench").print_clusters(figures, figures[0], "judging")
    except SystemExit:
        assert fails
    else:
        assert not fails
    assert ("NOT linear" in capsys.readouterr().out) is fails
