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
    """Makes a node that has started with these files of /etc beside the usual ones, on which scripts run; None takes one away."""
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import node as nodes
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.shell_node import Host, ShellNode
    from openbsd_lagg_cases import CAME_IN, FILES
    hosts: list[Host] = []

    def booted(more: dict[str, str | None] | None = None, came_in: str = "198.51.100.130") -> ShellNode:
        machine = nodes.node(tmp_path / ("fw%d" % len(hosts))).machine
        for name, text in {**FILES, **(more or {})}.items():
            if text is not None:
                machine.put("/etc/" + name, text, 0o640)
            elif machine.path("/etc/" + name).exists():
                machine.path("/etc/" + name).unlink()
        machine.ssh = CAME_IN % came_in
        hosts.append(Host(machine))
        node = ShellNode(hosts[-1])
        node.boot()
        return node

    yield booted
    for host in hosts:
        host.close()
