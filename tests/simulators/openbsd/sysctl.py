# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sysctl (sbin/sysctl/sysctl.c): ``name=value``, and ``name: old -> new`` where one is set. Only what providers ask for is here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled, Refused

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

BUILD = "338: Mon Sep 30 08:55:35 MDT 2024"  # which release was built when is not modelled
_WRITABLE = {"net.inet.carp.allow", "net.inet.carp.preempt", "net.inet.carp.log", "net.inet.ip.forwarding", "net.inet6.ip6.forwarding",
             "net.inet.ip.multipath", "net.inet6.ip6.multipath", "kern.hostname"}


def defaults(machine: "Machine") -> Dict[str, str]:
    """What a kernel has when it starts (carpctl_log is LOG_CRIT, so that demotions, which are LOG_ERR, are not told)."""
    return {
        "kern.ostype": "OpenBSD", "kern.osrelease": machine.release, "kern.osrevision": "202410", "kern.osversion": "GENERIC.MP#338",
        "kern.version": "OpenBSD %s (GENERIC.MP) #%s\n    deraadt@amd64.openbsd.org:/usr/src/sys/arch/amd64/compile/GENERIC.MP\n" % (machine.release, BUILD),
        "kern.hostname": "%s.example.net" % machine.name, "kern.boottime": "", "kern.securelevel": "1",
        "hw.machine": "amd64", "hw.model": "QEMU Virtual CPU version 2.5+", "hw.ncpu": "2", "hw.ncpuonline": "2", "hw.physmem": "1056813056",
        "hw.uuid": machine.host_uuid, "hw.vendor": "QEMU", "hw.product": "Standard PC (i440FX + PIIX, 1996)",
        "net.inet.carp.allow": "1", "net.inet.carp.preempt": "0", "net.inet.carp.log": "2",
        "net.inet.ip.forwarding": "0", "net.inet6.ip6.forwarding": "0", "net.inet.ip.multipath": "0", "net.inet6.ip6.multipath": "0",
        "net.inet6.ip6.dad_pending": "0",
    }


def run(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """Show or set variables; one that fails does not keep the others from being done, and only warns."""
    bare = quiet = False
    told, warned = "", ""
    for word in words:
        if word.startswith("-"):
            if set(word[1:]) - set("nq"):
                raise NotModelled("sysctl %s" % word)
            bare, quiet = bare or "n" in word, quiet or "q" in word
            continue
        name, equals, value = word.partition("=")
        try:
            told += _set(machine, name, value, bare, quiet) if equals else _shown(machine, name, bare)
        except Refused as refused:
            warned += "%s\n" % refused
    # parse() warns and returns, and main() ends well all the same.
    return Completed(0, told, warned)


def changes(words: List[str]) -> bool:
    """Whether it sets something."""
    return any("=" in word for word in words if not word.startswith("-"))


def _known(machine: "Machine", name: str) -> str:
    if name in machine.sysctl:
        return machine.sysctl[name]
    parts = name.split(".")
    levels = ("top", "second", "third", "fourth", "fifth")
    for place in range(len(parts)):
        before = ".".join(parts[:place + 1])
        if not any(one == before or one.startswith(before + ".") for one in machine.sysctl):
            if (place + 1 < len(parts) or place < 2) and parts[:2] != ["net", "pfsync"]:
                raise NotModelled("sysctl %s" % name)
            raise Refused("sysctl: %s level name %s in %s is invalid" % (levels[place], parts[place], name))
    raise NotModelled("sysctl %s, which names more than one variable" % name)


def _shown(machine: "Machine", name: str, bare: bool) -> str:
    value = _known(machine, name)
    if name == "kern.boottime":
        value = "%d" % machine.booted if bare else time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(machine.booted))
    return "%s\n" % value if bare else "%s=%s\n" % (name, value)


def _set(machine: "Machine", name: str, value: str, bare: bool, quiet: bool) -> str:
    before = _known(machine, name)
    if name not in _WRITABLE:
        raise NotModelled("sysctl %s=%s" % (name, value))
    if name != "kern.hostname" and not value.lstrip("-").isdigit():
        raise Refused("sysctl: %s: value is invalid: %s" % (name, value))
    machine.sysctl[name] = value
    if quiet:
        return ""
    return "%s\n" % value if bare else "%s: %s -> %s\n" % (name, before, value)
