# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rc.conf: what its files set. They are shell, of which only assignments are read; what would need a shell is not modelled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Dict, List, Sequence

from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

FILES = ("/etc/rc.conf", "/etc/rc.conf.local")
# What /etc/defaults/rc.conf has of what matters here.
DEFAULTS = {
    "rc_conf_files": "/etc/rc.conf /etc/rc.conf.local", "hostname": "", "kld_list": "", "network_interfaces": "auto", "cloned_interfaces": "",
    "gateway_enable": "NO", "ipv6_gateway_enable": "NO", "defaultrouter": "NO", "sshd_enable": "NO", "syslogd_enable": "YES",
    "pf_enable": "NO", "pf_rules": "/etc/pf.conf", "pf_program": "/sbin/pfctl", "pf_flags": "", "pf_fallback_rules_enable": "NO",
    "pf_fallback_rules": "block drop log all", "pf_fallback_rules_file": "/etc/pf-fallback.conf",
    "pflog_enable": "NO", "pflog_logfile": "/var/log/pflog", "pfsync_enable": "NO", "pfsync_syncdev": "", "pfsync_syncpeer": "", "pfsync_ifconfig": "",
}
_ASSIGNMENT = re.compile(r"^\s*([A-Za-z_]\w*)=(.*)$")


def parse(text: str, known: Dict[str, str]) -> Dict[str, str]:
    """The variables of a file.

    Args:
        known: from files before it, for what refers to them.
    """
    found: Dict[str, str] = {}
    rows = text.splitlines()
    while rows:
        row = rows.pop(0)
        match = _ASSIGNMENT.match(row)
        if match is None:
            continue
        raw = match[2]
        while raw[:1] in ("\"", "'") and raw.count(raw[0]) % 2 and rows:
            raw += "\n" + rows.pop(0)
        value = raw
        if raw[:1] in ("\"", "'"):
            end = raw.find(raw[0], 1)
            value = raw[1:end if end > 0 else len(raw)].replace("\\\n", "")
        else:
            value = raw.split("#")[0].split(";")[0].strip()
        if raw[:1] != "'":
            if "`" in value or "$(" in value:
                raise NotModelled("rc.conf: %s" % row)
            value = re.sub(r"\$\{?(\w+)\}?", lambda name: dict(known, **found).get(name[1], ""), value)
        found[match[1]] = value
    return found


def stated(machine: "Machine", files: Sequence[str] = FILES) -> Dict[str, str]:
    """What these files set together, the last one wins."""
    found: Dict[str, str] = {}
    for name in files:
        found.update(parse(machine.text(name) or "", dict(DEFAULTS, **found)))
    return found


def service_files(machine: "Machine", service: str) -> List[str]:
    """The files of one service: /etc/rc.conf.d/NAME, or all in the folder of that name."""
    folder = machine.path("/etc/rc.conf.d/%s" % service)
    if folder.is_dir():
        return ["/etc/rc.conf.d/%s/%s" % (service, path.name) for path in sorted(folder.iterdir())]
    return ["/etc/rc.conf.d/%s" % service]


def effective(machine: "Machine", service: str = "") -> Dict[str, str]:
    """What a script of rc sees."""
    return dict(DEFAULTS, **stated(machine, [*FILES, *(service_files(machine, service) if service else [])]))


def yes(value: str) -> bool:
    """As checkyesno reads it."""
    return value.lower() in ("yes", "true", "on", "1")
