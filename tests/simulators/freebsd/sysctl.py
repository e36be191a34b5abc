# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sysctl: shows and sets variables. Sources: sbin/sysctl/sysctl.c, sys/netinet/ip_carp.c, and transcripts of FreeBSD 14.2."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

# In the kernel's own order.
KERNEL = {"net.inet.ip.forwarding": "0", "net.inet6.ip6.forwarding": "0", "net.link.lagg.failover_rx_all": "0", "kern.securelevel": "-1",
          "security.jail.jailed": "0"}
MODULES = {
    "carp": {"net.inet.carp.ifdown_demotion_factor": "240", "net.inet.carp.senderr_demotion_factor": "240", "net.inet.carp.demotion": "0",
             "net.inet.carp.log": "1", "net.inet.carp.preempt": "0", "net.inet.carp.dscp": "56", "net.inet.carp.allow": "1"},
    "pfsync": {"net.pfsync.defer_delay": "20", "net.pfsync.pfsync_buckets": "2", "net.pfsync.carp_demotion_factor": "240"},
    "if_lagg": {"net.link.lagg.lacp.default_strict_mode": "1"},
}
_READ_ONLY: Dict[str, Callable[["Machine"], str]] = {
    "kern.ostype": lambda machine: "FreeBSD", "kern.osrelease": lambda machine: machine.release,
    "kern.osreldate": lambda machine: str(machine.os_version), "kern.hostname": lambda machine: "%s.example.net" % machine.name,
    "kern.hostuuid": lambda machine: machine.host_uuid,
    "kern.boottime": lambda machine: "{ sec = %d, usec = 123456 } %s" % (machine.booted, time.asctime(time.gmtime(machine.booted))),
    "kern.version": lambda machine: "FreeBSD %s n263993-7ec7a3c2f2b1 GENERIC\n" % machine.release,
    "kern.bootfile": lambda machine: machine.bootfile,
}
_TUNABLE = ("net.pfsync.pfsync_buckets",)


def value(machine: "Machine", name: str) -> Optional[str]:
    """Of one variable; None when there is none of that name."""
    return _READ_ONLY[name](machine) if name in _READ_ONLY else machine.sysctl.get(name)


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Show or set them one after the other; what is unknown makes it fail in the end, the others are done."""
    flags = "".join(word[1:] for word in words if word.startswith("-"))
    names = [word for word in words if not word.startswith("-")]
    if set(flags) - set("anqiNe"):
        raise NotModelled("sysctl -%s" % flags)
    if "a" in flags and not names:
        names = sorted({name.split(".")[0] for name in [*_READ_ONLY, *machine.sysctl]})
    out, trouble, status = "", "", 0
    for word in names:
        name, equals, new = word.partition("=")
        found = [name] if value(machine, name) is not None else [one for one in [*_READ_ONLY, *machine.sysctl] if one.startswith(name + ".")]
        if not found:
            if "i" not in flags:
                trouble += "sysctl: unknown oid '%s'\n" % name if "q" not in flags else ""
                status = 1
            continue
        if equals:
            text, refused = _set(machine, name, new)
            trouble += refused
            status = 1 if refused else status
            out += "" if refused or "q" in flags else text + "\n" if "n" in flags else "%s: %s\n" % (name, text)
            continue
        for one in found:
            shown = value(machine, one) or ""
            out += one + "\n" if "N" in flags else shown + "\n" if "n" in flags else "%s%s%s\n" % (one, "=" if "e" in flags else ": ", shown)
    return Completed(status, out, trouble)


def _set(machine: "Machine", name: str, new: str) -> "tuple[str, str]":
    if name in _READ_ONLY:
        return "", "sysctl: oid '%s' is read only\n" % name
    if name in _TUNABLE:
        return "", "sysctl: oid '%s' is a read only tunable\nsysctl: Tunable values are set in /boot/loader.conf\n" % name
    old = machine.sysctl.get(name)
    if old is None:
        return "", "sysctl: oid '%s' isn't a leaf node\n" % name
    try:
        number = int(new, 0)
    except ValueError:
        return "", "sysctl: invalid integer '%s'\n" % new
    if name == "net.inet.carp.demotion":
        machine.carp.demote(number, "sysctl")  # it is added, not set
    else:
        machine.sysctl[name] = str(number)
    if name == "net.inet.carp.allow":
        for device in {vhid.device for vhid in machine.carp.vhids.values()}:
            machine.carp.link_changed(device)
    return "%s -> %s" % (old, machine.sysctl[name]), ""
