# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that an OpenBSD firewall is configured by."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_files import INCLUDES
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import Sources
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname


def _redact(path: str, text: str) -> str:
    """Without the passwords of CARP; a rule of pf begins with the same word."""
    return hostname.without_password(text) if path.startswith(hostname.path("")) else text


SOURCES = Sources(
    patterns=(
        "/etc/hostname.*", "/etc/pf.*", "/etc/sysctl.conf", "/etc/rc.conf.local", "/etc/rc.local", "/etc/mygate", "/etc/myname", "/etc/hosts",
        "/etc/resolv.conf", "/etc/fstab", "/etc/dhcpleased.conf", "/etc/dhcpd.conf", "/etc/rad.conf", "/etc/ifstated.conf", "/etc/relayd.conf",
        "/etc/bgpd.conf", "/etc/ospfd.conf", "/etc/ospf6d.conf", "/etc/ipsec.conf", "/etc/iked.conf", "/etc/hafirewall/**", "/usr/local/lib/hafirewall/**",
    ),
    needed=("/etc/hostname.*",),
    includes=INCLUDES,
    redact=_redact,
)
