# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of OpenBSD share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Callable, Iterator

import pytest

if TYPE_CHECKING:  # this file may be read before the collection can be found
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.shell_node import ShellNode


@pytest.fixture
def booted(tmp_path: Path) -> Iterator[Callable[..., ShellNode]]:
    """Makes a node on which scripts run."""
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.lagg_cases import booting
    with booting(tmp_path) as booted:
        yield booted
