# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated FreeBSD node on which scripts run."""

from __future__ import annotations

import os
import re

from ansible_collections.hafirewall.cluster.tests.simulators.bsd import shell_node
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode


class Host(shell_node.Host):
    """See :mod:`..bsd.shell_node`."""

    programs = ("ifconfig", "sysctl", "service", "sysrc", "pfctl", "route", "kldload")


class ShellNode(shell_node.ShellNode, FreebsdNode):
    """A node whose scripts run."""

    def scripts(self) -> None:
        """Those of packages, which rc reads into a shell of its own."""
        for path in sorted((self.root / "usr/local/etc/rc.d").glob("*")):
            if os.access(path, os.X_OK) and re.search(r"^# REQUIRE:.*\bNETWORKING\b", path.read_text(encoding="utf-8"), re.MULTILINE):
                self.host.start(["sh", "-c", '_file=$1; set faststart; . "$_file"', "/etc/rc", str(path)]).wait(600)
