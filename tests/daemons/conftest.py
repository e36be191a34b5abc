# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests against the real daemons and tools; they find the collection as the unit tests do."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def pytest_configure() -> None:
    path = Path(__file__).resolve().parents[1] / "unit" / "conftest.py"
    spec = importlib.util.spec_from_file_location("unit_conftest", path)
    assert spec is not None and spec.loader is not None
    unit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unit)
    unit.pytest_configure()
