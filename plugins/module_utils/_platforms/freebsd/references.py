# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What on the node names a device beside what moves with it: rc.conf's other variables, pf.conf, and services' files. It tells; it changes nothing."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import naming
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_conf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

# Files and folders where a firewall's devices are named, and what is written there; the file of pf's rules comes to them.
PLACES = {
    "/etc/sysctl.conf": naming.SETTING, "/etc/sysctl.conf.local": naming.SETTING, "/etc/dhclient.conf": "service", "/etc/rtadvd.conf": "service",
    "/etc/hostapd.conf": "service", "/etc/ppp/ppp.conf": "service", "/usr/local/etc/dhcpd.conf": "service", "/usr/local/etc/dhcpd6.conf": "service",
    "/usr/local/etc/kea": "service", "/usr/local/etc/dnsmasq.conf": "service", "/usr/local/etc/unbound": "service", "/usr/local/etc/mpd5": "service",
    "/usr/local/etc/suricata/suricata.yaml": "service", "/usr/local/etc/rtadvd.conf": "service", "/usr/local/etc/frr": "route",
    "/usr/local/etc/bird.conf": "route",
}
# Variables that follow a LAGG, or are set by this collection: the device's own, those that make devices, and pfsync's.
_MOVES = re.compile(r"(ifconfig_(?!bridge)|ipv6_|cloned_interfaces$|create_args_|vlans_|pfsync_)")
_KINDS = ((re.compile(r"ifconfig_bridge"), "bridge"), (re.compile(r"(static_|ipv6_static_|route_|gateway_if)"), "route"))


def observe(node: Node, variables: Mapping[str, str], conf: PfConf, devices: Sequence[str]) -> List[Dict[str, Any]]:
    """The evidence ``references``: ``{"device", "kind", "where", "text"}`` each. Of rc.conf the names of variables only, for values may hold passwords."""
    return of_variables(variables, devices) + _of_files(node, conf, devices)


def of_variables(variables: Mapping[str, str], devices: Sequence[str]) -> List[Dict[str, Any]]:
    """Variables of rc.conf with a device among the words of their value."""
    return [{"device": device, "kind": next((kind for names, kind in _KINDS if names.match(name)), "service"), "where": "%s: %s" % (rc.FILE, name),
             "text": "%s names %s" % (name, device)} for name, value in variables.items() if not _MOVES.match(name)
            for device in devices if re.search(r"(?<![\w.-])%s(?![\w.-])" % re.escape(device), value)]


def _of_files(node: Node, conf: PfConf, devices: Sequence[str]) -> List[Dict[str, Any]]:
    if not devices:
        return []
    places = dict(PLACES, **{conf.path: "rule"})
    wanted = [word for device in devices for word in ("-e", device)]
    # Status 1: nothing found; 2: some of the places are not there, which is what most of them are on any node.
    found = node.query(["grep", "-rnHIswF", "--null"] + wanted + ["--"] + list(places), ok=(0, 1, 2)).stdout
    own = {line for name in (pf_conf.OPTIONS, pf_conf.FILTER) for line in _lines(conf, name)}
    return naming.rows(found, places, devices, lambda path, number: path == conf.path and number in own)


def _lines(conf: PfConf, name: str) -> List[int]:
    """The numbers of the lines of a block of this collection."""
    text = conf.text or ""
    block = pf_conf.find(text, name, conf.path)
    return [] if block is None else list(range(block.line, block.line + text.count("\n", block.start, block.end)))
