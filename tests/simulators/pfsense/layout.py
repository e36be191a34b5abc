# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lays the stand-in of pfSense out under a directory: the product's files and programs, a configuration, and a kernel."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.upkeep import ANSWERS, Upkeep
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.transcripts import transcript

SOURCE = Path(__file__).resolve().parent
PROGRAMS = ("ifconfig", "sysctl", "pfctl", "netstat", "arp", "ndp", "ps", "procstat", "route", "tcpdump", "df", "bectl", "pkg-static", "ntpq",
            "freebsd-version", "sockstat", "stat", "what")
FOLDERS = ("etc", "tmp", "var/run", "var/standin", "cf/conf/backup", "sbin", "usr/local/libexec", "usr/local/etc/php", "usr/local/etc/rc.d")
# What is started under each program's name; Python keeps the modules beside it compiled.
STARTER = "#!%s -SE\nimport sys\nfrom standin_kernel.main import main\nsys.exit(main())\n" % sys.executable

# Three interfaces as a person assigns them.
CONFIG = (SOURCE / "config.xml").read_text(encoding="utf-8")
# The same with an alias and two CARP addresses.
CARP_CONFIG = CONFIG.replace("\t<filter>\n", (SOURCE / "carp.xml").read_text(encoding="utf-8") + "\t<filter>\n")


# What programs answer that the kernel knows nothing of.
TOLD = {
    "netstat -s -p pfsync --libxo json": transcript("35-netstat-pfsync-json.A"),
    "ndp -an": "Neighbor                             Linklayer Address  Netif Expire    S Flags\n", "ps -axo pid=,ppid=": "",
    # As usr.bin/netstat/route.c and usr.bin/sockstat/sockstat.c print them.
    "netstat -rn": "Routing tables\n\nInternet:\nDestination        Gateway            Flags     Netif Expire\n"
                   "default            203.0.113.254      UGS         em0\n192.0.2.0/24       link#2             U           em1\n",
    "sockstat -46l": "USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
                     "root     nginx      900   5   tcp4   *:443                 *:*\n",
}


def told_of(upkeep: Upkeep) -> Dict[str, str]:
    """What programs answer of the node's upkeep, by their command lines."""
    lines = [["df", "-kP", "/", "/usr", "/usr/local", "/var", "/cf", "/boot"], ["ps", "-axo", "pid=,command="], ["bectl", "list", "-H"],
             ["pkg-static", "query", "%n\t%v"], ["pkg-static", "query", "-g", "%n", "pfSense-kernel-*"], ["pkg-static", "version", "-U", "-R", "-v", "-l", "<"],
             ["pkg-static", "annotate", "-q", "-S", "pfSense-kernel-pfSense", "next_stage"], ["pkg-static", "rquery", "-U", "%v", "pfSense"], ["ntpq", "-pn"]]
    answers = [(" ".join(line), ANSWERS[line[0]](upkeep, line[1:])) for line in lines]
    return {line: answer.stdout for line, answer in answers if answer is not None}


def upkeep_of(release: str) -> Upkeep:
    """A node on which nothing is amiss."""
    number, upkeep = release.split("-")[0], Upkeep()
    upkeep.packages.update({"pfSense": number, "pfSense-base": number, "pfSense-kernel-pfSense": number})
    upkeep.offered["pfSense"] = number
    return upkeep


def kernel_of(interfaces: Dict[str, List[str]], version: Optional[int], base: str, lists_creators: bool, upkeep: Dict[str, str]) -> Dict[str, Any]:
    """A kernel that has booted: devices with their addresses, and whether pfsync has message formats to choose from, and pf a list of who made its states."""
    return {
        "interfaces": {name: {"up": True, "mac": "02:00:00:00:00:%02x" % number, "mtu": 1500, "addresses": [{"address": address} for address in addresses],
                              "carp": {}}
                       for number, (name, addresses) in enumerate(interfaces.items())},
        "pfsync": {"syncdev": None, "syncpeer": None, "defer": False, "up": False, "syncok": 1, "version": version,
                   "formats": [] if version is None else [1301, version]},
        "sysctl": {"net.inet.carp.allow": "1", "net.inet.carp.preempt": "0", "net.inet.carp.log": "1", "net.inet.carp.demotion": "0",
                   "net.pfsync.carp_demotion_factor": "0", "net.inet.carp.senderr_demotion_factor": "0",
                   "kern.osrelease": base, "kern.bootfile": "/boot/kernel/kernel", "kern.version": "FreeBSD %s #0 standin" % base,
                   "kern.boottime": "{ sec = 1795000000, usec = 123456 } Wed Nov 18 11:06:40 2026"},
        "pf": {"running": True, "hostid": 0x0BDBAD98, "states": ["bdbad98"], "limit": 400000, "lists_creators": lists_creators, "anchors": {}, "tables": {}},
        "told": dict(TOLD, **upkeep, **{"freebsd-version -kr": "%s\n%s\n" % (base, base), "stat -f %c /boot/kernel/kernel": "1794000000\n",
                                        "what -q /boot/kernel/kernel": "\tFreeBSD %s #0 standin\n" % base}),
        "carp_peer_advskew": None,
        "pfctl_refuses": None,
        "pfsync_refuses": None,
        "refuses_address": None,
        "keeps_address": None,
        "carrier": {},
        "lacp_partner": True,
        "dhcp": {},
        "neighbours": {},
        "overheard": {},
    }


def lay_out(root: Path, release: str = "2.7.2-RELEASE", config: str = CONFIG, interfaces: Optional[Dict[str, List[str]]] = None) -> None:
    """Make a node.

    Args:
        root: the directory that stands for /.
        release: content of /etc/version.
        config: content of config.xml.
        interfaces: device -> addresses with prefix lengths.
    """
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(str(SOURCE / "inc"), str(root / "etc" / "inc"))
    shutil.copy(str(SOURCE / "rc.bootup"), str(root / "etc" / "rc.bootup"))
    (root / "usr" / "local" / "etc" / "php" / "standin.ini").write_text("include_path=%s\n" % (root / "etc" / "inc"))
    (root / "conf").symlink_to(root / "cf" / "conf")
    (root / "etc" / "version").write_text(release + "\n")
    (root / "etc" / "platform").write_text("pfSense\n")
    (root / "cf" / "conf" / "config.xml").write_text(config, encoding="utf-8")
    program = root / "usr" / "local" / "libexec" / "standin-kernel"
    program.write_text(STARTER, encoding="utf-8")
    shutil.copytree(str(SOURCE / "kernel"), str(program.parent / "standin_kernel"), ignore=shutil.ignore_patterns("__pycache__"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for name in PROGRAMS:
        (root / "sbin" / name).symlink_to(program)
    major, minor = _numbers(release)
    versions = None if (major, minor) < (2, 7) or 20 <= major < 23 else 1400
    links = interfaces or {"em0": ["203.0.113.2/24"], "em1": ["192.0.2.2/24"], "em2": ["198.51.100.129/28"], "lo0": ["127.0.0.1/8"]}
    (root / "var" / "standin" / "kernel.json").write_text(json.dumps(kernel_of(
        links, versions, "12.3-STABLE" if versions is None else "14.0-CURRENT", _lists_creators(release), told_of(upkeep_of(release)))))
    (root / "var" / "standin" / "journal").write_text("")
    (root / "var" / "standin" / "switches.json").write_text(json.dumps({"sleep_factor": 0}))


def _lists_creators(release: str) -> bool:
    numbers = [int(part) for part in release.split("-")[0].split(".")]
    return numbers >= ([23, 9] if numbers[0] >= 20 else [2, 7, 1])


def _numbers(release: str) -> Tuple[int, int]:
    major, minor = release.split("-")[0].split(".")[:2]
    return int(major), int(minor)
