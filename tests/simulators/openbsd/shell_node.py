# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated OpenBSD node on which scripts run."""

from __future__ import annotations

from pathlib import Path
from typing import List

from ansible_collections.hafirewall.cluster.tests.simulators.bsd import shell_node
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode

NETSTART = "/etc/netstart"


class Host(shell_node.Host):
    """See :mod:`..bsd.shell_node`. A script finds netstart as a file, which asks the stand-in of that name."""

    programs = ("ifconfig", "sysctl", "pfctl", "netstart")

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        machine.put(NETSTART, '#!/bin/sh\nexec netstart "$@"\n')

    def spelled(self, words: List[str]) -> List[str]:
        return ["sh", NETSTART, *words[1:]] if words[0] == "netstart" else words


class ShellNode(shell_node.ShellNode, OpenbsdNode):
    """A node whose scripts run."""

    def boot(self) -> None:
        self.machine.by_shell = True
        super().boot()

    def scripts(self) -> None:
        """rc.local; then rc lets CARP go."""
        path = Path(self.root) / "etc/rc.local"
        if path.exists():
            self.host.start(["sh", str(path)]).wait(600)
        with self.host.lock:
            self.machine.carp.set_group("carp", -128)
