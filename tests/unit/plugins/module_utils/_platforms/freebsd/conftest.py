# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of FreeBSD share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Callable, Iterator

import pytest

if TYPE_CHECKING:  # this file may be read before the collection can be found
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.shell_node import ShellNode


@pytest.fixture
def booted(tmp_path: Path) -> Iterator[Callable[..., ShellNode]]:
    """Makes a node that has started with this rc.conf, and more of it."""
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import node as nodes
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.shell_node import Host, ShellNode
    from freebsd_lagg_cases import CAME_IN, RC_CONF
    hosts: list[Host] = []

    def booted(more: str = "", came_in: str = "198.51.100.130", rc_conf: str = RC_CONF, **files: str) -> ShellNode:
        machine = nodes.node(tmp_path / ("fw%d" % len(hosts))).machine
        machine.put("/etc/rc.conf", rc_conf + more)
        for name, text in files.items():
            machine.put("/etc/" + name.replace("_", ".", 1), text)
        machine.ssh = CAME_IN % came_in
        hosts.append(Host(machine))
        node = ShellNode(hosts[-1])
        node.boot()
        return node

    yield booted
    for host in hosts:
        host.close()
