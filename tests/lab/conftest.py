# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real lab of one firewall, a client and a server for the tests of the lab itself. Needs root."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from lab_command import LabCommand


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say at once what is missing."""
    if items and os.geteuid() != 0:
        raise pytest.UsageError("tests/lab starts real nodes: run it as root")


@pytest.fixture(scope="module")
def lab() -> Iterator[LabCommand]:
    """A running lab of one firewall, removed afterwards."""
    command = LabCommand(f"selftest-{os.getpid()}")
    command.run("up", "--nodes", "1")
    yield command
    command.run("down")
    assert command.traces() == []


@pytest.fixture
def short_lab() -> Iterator[LabCommand]:
    """The command line of a second lab that the test starts itself, removed afterwards in any case."""
    command = LabCommand(f"selftest-{os.getpid()}-b")
    yield command
    command.run("down")
