# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a FreeBSD firewall is configured by."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_files import INCLUDES
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import Sources

_OF_RC = ("/rc.conf", "/rc.local", "/start_if.")


def _redact(path: str, text: str) -> str:
    """Without the passwords of CARP; a rule of pf begins with the same word."""
    return rc.redacted(text) or "" if any(part in path for part in _OF_RC) else text


SOURCES = Sources(
    patterns=(
        "/etc/rc.conf", "/etc/rc.conf.local", "/etc/rc.conf.d/**", "/usr/local/etc/rc.conf.d/**", "/etc/start_if.*", "/etc/rc.local", "/etc/pf.*",
        "/boot/loader.conf", "/boot/loader.conf.local", "/boot/loader.conf.d/*", "/etc/sysctl.conf", "/etc/sysctl.conf.local", "/etc/sysctl.kld.d/*",
        "/etc/hosts", "/etc/resolv.conf", "/etc/fstab", "/etc/devd.conf", "/etc/devd/*", "/usr/local/etc/devd/*", "/usr/local/etc/rc.d/hafirewall*",
        "/usr/local/lib/hafirewall/**",
    ),
    needed=("/etc/rc.conf",),
    includes=INCLUDES,
    redact=_redact,
)
