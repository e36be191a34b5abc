# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated OPNsense node: a FreeBSD machine that is set up, at each boot, by the product's config.xml.

What it sets is what opnsense/core sets (interfaces.inc, filter.inc, rc.syshook.d): the addresses, CARP, pfsync0 with the stored format and the MTU of its
device, and the rules of the configuration behind those that the product makes by itself. Everything else is the double of FreeBSD.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple
from xml.etree import ElementTree

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Network
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.node import MachineNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine, prepared

CONFIG = "/conf/config.xml"
CORE = "/usr/local/opnsense/version/core"
DEVICES = ("em0", "em1", "em2", "em3")  # LAN, Sync, WAN, management
SEGMENTS = ("lan", "sync", "wan", "mgmt")
# Release notes of each.
BASES = {"23.7": "13.2", "24.1": "13.2", "24.7": "14.1", "25.1": "14.2", "25.7": "14.3", "26.1": "14.3", "26.7": "15.1"}
GATEWAYS = {"WAN_GW": {"name": "WAN_GW", "address": "203.0.113.254", "status": "none", "loss": "0.0 %", "delay": "0.4 ms", "status_translated": "Online"}}
_SOURCE = Path(__file__).resolve().parent
_CERTIFICATE = _SOURCE.parents[1] / "fixtures" / "certificates" / "web.pem"
# Ahead of the rules of the configuration; the product makes those of CARP where there is a virtual host.
_OWN_RULES = ("set skip on lo0", "set skip on pfsync0", 'block drop in log all label "02f4bab031b57d1e30553ce08e0ec131"',
              'pass quick proto carp from any to 224.0.0.18 keep state (no-sync) label "0b0ed66ec5aa13a5ee7e9e0a8b7ee4a1"',
              'pass out all keep state label "fae559338f65e11c53669fc3642c93c2"')


class OpnsenseMachine(Machine):
    """A machine that boots as the product does."""

    def boot(self) -> List[str]:
        told = super().boot()
        configure(self)
        return told


class OpnsenseNode(MachineNode):
    """A node on such a machine."""

    machine: OpnsenseMachine

    def edit(self, old: str, new: str) -> None:
        """Change the configuration by hand, as somebody who saves and does not apply."""
        text = self.machine.text(CONFIG) or ""
        assert old in text
        self.machine.put(CONFIG, text.replace(old, new), 0o600)


def configure(machine: Machine) -> None:
    """What the product sets from its configuration."""
    root = ElementTree.fromstring((machine.text(CONFIG) or "").encode())
    devices = {row.tag: row.findtext("if", "") for row in root.findall("interfaces/*") if row.findtext("if")}
    for module in ("pf", "pfsync", "carp"):
        _run(machine, "kldload -n %s" % module)
    if root.find("virtualip_carp_maintenancemode") is not None and _value(machine, "net.inet.carp.demotion") == "0":
        _run(machine, "sysctl net.inet.carp.demotion=240")
    if root.findtext("hasync/disablepreempt", "0") in ("", "0"):
        _run(machine, "sysctl net.inet.carp.preempt=1")
    machine.put("/tmp/rules.debug", "\n".join(_rules(machine, root, devices)) + "\n", 0o600)
    _run(machine, "pfctl -f /tmp/rules.debug")
    machine.run(["pfctl", "-e"])
    for vip in root.findall("virtualip/vip"):
        device, vhid = devices[vip.findtext("interface", "")], vip.findtext("vhid", "")
        if vip.findtext("mode") == "carp":
            _run(machine, "ifconfig %s vhid %s advskew %s advbase %s pass secret" % (device, vhid, vip.findtext("advskew"), vip.findtext("advbase")))
        if vhid:
            _run(machine, "ifconfig %s %s/%s alias vhid %s" % (device, vip.findtext("subnet"), vip.findtext("subnet_bits"), vhid))
    pfsync(machine, root, devices)


def pfsync(machine: Machine, root: ElementTree.Element, devices: Dict[str, str]) -> None:
    """pfsync0, as interfaces_pfsync_configure() sets it up."""
    device = devices.get(root.findtext("hasync/pfsyncinterface", ""))
    if device is None:
        _run(machine, "ifconfig pfsync0 -syncdev -syncpeer down")
        return
    peer, version = root.findtext("hasync/pfsyncpeerip") or "", root.findtext("hasync/pfsyncversion") or ""
    words = ["syncdev", device] + (["syncpeer", peer] if peer else ["-syncpeer"]) + (["version", version] if version else []) + ["-defer", "up"]
    _run(machine, "ifconfig pfsync0 " + " ".join(words))
    _run(machine, "ifconfig pfsync0 mtu %d" % machine.interfaces[device].mtu)


def _rules(machine: Machine, root: ElementTree.Element, devices: Dict[str, str]) -> List[str]:
    policy = ["set state-policy if-bound"] if root.findtext("system/state-policy") else []
    stated = []
    for number, rule in enumerate(root.findall("filter/rule") + root.findall("OPNsense/Firewall/Filter/rules/rule")):
        device = devices[rule.findtext("interface", "")]
        protocol = (rule.findtext("protocol") or "").lower()
        source = "(%s:network)" % device if rule.findtext("source_net") == rule.findtext("interface") else "any"
        options = " (no-sync)" if rule.findtext("nopfsync") else ""
        stated.append('pass in quick on %s inet %sfrom %s to any keep state%s label "%032x"' % (
            device, "proto %s " % protocol if protocol else "", source, options, number))
    own = ["antispoof log for %s" % device for device in devices.values()]
    return [*policy, "set hostid %d" % machine.hostid, *_OWN_RULES[:2], *own, *_OWN_RULES[2:], *stated]


def _run(machine: Machine, line: str) -> None:
    done = machine.run(line.split())
    assert done.status == 0, (line, done)


def _value(machine: Machine, name: str) -> str:
    return machine.run(["sysctl", "-n", name]).stdout.strip()


def config_of(number: int, devices: Tuple[str, ...], changes: Optional[Dict[str, str]] = None) -> str:
    """The configuration of the first node (0) or the second (1), with ``changes`` of its text."""
    text = (_SOURCE / "config.xml").read_text(encoding="utf-8").replace("<crt>WEB<", "<crt>%s<" % base64.b64encode(_CERTIFICATE.read_bytes()).decode("ascii"))
    for old, new in zip(DEVICES, devices):
        text = text.replace("<if>%s</if>" % old, "<if>%s</if>" % new)
    if number:
        text = re.sub(r"<ipaddr>(\d+\.\d+\.\d+)\.(\d+)<", lambda found: "<ipaddr>%s.%d<" % (found[1], int(found[2]) + number), text)
        text = text.replace("<hostname>fw1<", "<hostname>fw%d<" % (1 + number)).replace("<advskew>0<", "<advskew>100<")
        text = re.sub("<(synchronizetoip|syncitems)>[^<]*</", r"<\1></", text)
    for old, new in (changes or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def node(root: Path, network: Network, number: int, release: str, devices: Tuple[str, ...] = DEVICES, changes: Optional[Dict[str, str]] = None,
         product: str = "opnsense") -> OpnsenseNode:
    """A machine with the product, booted."""
    base = BASES[".".join(release.split(".")[:2])]
    machine = OpnsenseMachine(root, network, number, "fw%d" % (1 + number), base + "-RELEASE")
    lines = ""
    for device, segment in zip(devices, SEGMENTS):
        machine.add_port(device, segment)
    config = config_of(number, devices, changes)
    for row in ElementTree.fromstring(config.encode()).findall("interfaces/*"):
        if row.findtext("if"):
            lines += 'ifconfig_%s="inet %s/%s"\n' % (row.findtext("if"), row.findtext("ipaddr"), row.findtext("subnet"))
    # The product sets the addresses by itself; that rc does it here makes no difference to what is read.
    prepared(root, machine, 'hostname="fw%d.example.net"\n%s' % (1 + number, lines))
    machine.put(CONFIG, config, 0o600)
    machine.put(CORE, json.dumps({"product_id": product, "product_name": "OPNsense", "product_series": release[:4], "product_version": release}, indent=4))
    gateways = GATEWAYS if release >= "26.7" else list(GATEWAYS.values())
    machine.answer(["configctl", "interface", "gateways", "status"], stdout=json.dumps(gateways) + "\n")
    machine.answer(["openssl", "x509", "-noout", "-enddate"], stdout="notAfter=Jan  2 00:46:34 2028 GMT\n")  # of the certificate above
    machine.upkeep.packages.update({product: release, "opnsense-update": release})
    machine.upkeep.offered[product] = release
    machine.boot()
    machine.commands.clear()
    return OpnsenseNode(machine)


def pair(tmp_path: Path, release: str = "26.1.4", devices: Tuple[str, ...] = DEVICES, devices_b: Optional[Tuple[str, ...]] = None, seconds: float = 10.0,
         changes: Optional[Dict[str, str]] = None, **kwargs: Any) -> Tuple[OpnsenseNode, OpnsenseNode]:
    """Two nodes that are a cluster: vhid 10 on LAN and 20 on WAN, states over Sync; fw1 is active.

    Args:
        devices, devices_b: names of the cards for LAN, Sync, WAN and management; those of B are A's unless stated.
        seconds: that pass after both have booted, so that all has settled.
        changes: of the text of both configurations.
    """
    network = Network(VirtualClock())
    first = node(tmp_path / "fw1", network, 0, release, devices, changes, **kwargs)
    second = node(tmp_path / "fw2", network, 1, release, devices_b or devices, changes, **kwargs)
    network.clock.advance(seconds)
    return first, second
