# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a Linux firewall is configured by."""

from __future__ import annotations

import re

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import Sources

SOURCES = Sources(
    patterns=(
        "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/fstab", "/etc/modules", "/etc/modules-load.d/**", "/etc/sysctl.conf", "/etc/sysctl.d/**",
        "/etc/conntrackd/**", "/etc/keepalived/**", "/etc/nftables.conf", "/etc/nftables.d/**", "/etc/nftables/**", "/etc/sysconfig/nftables.conf",
        "/etc/network/**", "/etc/systemd/network/**", "/etc/netplan/**", "/etc/NetworkManager/conf.d/**", "/etc/NetworkManager/system-connections/**",
        "/etc/sysconfig/network-scripts/ifcfg-*", "/etc/systemd/system/*hafirewall*", "/etc/systemd/system/conntrackd.service.d/**",
        "/etc/systemd/system/keepalived.service.d/**", "/etc/systemd/system/nftables.service.d/**", "/etc/hafirewall/**", "/usr/local/lib/hafirewall/**",
    ),
    # Each distribution has its own.
    needed=(),
    # include of nft(8) and keepalived.conf(5), source of interfaces(5).
    includes=re.compile(r'^\s*(?:include|source)\s+"?([^"\s;#]+)', re.MULTILINE),
    # All secrets of these files are in lines that name them so.
    redact=lambda path, text: text,
)
