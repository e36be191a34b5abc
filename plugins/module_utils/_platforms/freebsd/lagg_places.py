# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files other than rc.conf and pf.conf that name a device which goes onto a LAGG. They are not changed."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import naming
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

# Variables of rc.conf that sysrc does not write; what is said there counts for rc.d/netif and rc.d/routing all the same.
VARIABLES = ("/etc/rc.conf.d", "/usr/local/etc/rc.conf.d")
PLACES = {
    "/etc/pf.conf.d": "rule", "/etc/pf.anchors": "rule", "/usr/local/etc/pf.conf": "rule", "/etc/ipfw.rules": "rule",
    "/etc/ipf.rules": "rule", **{place: "variable" for place in VARIABLES}, "/etc/rc.local": "script", "/etc/devd": "script", "/usr/local/etc/devd": "script",
    "/etc/jail.conf": "jail", "/etc/jail.conf.d": "jail", "/etc/hostapd.conf": "wireless", "/etc/ppp/ppp.conf": "ppp", "/usr/local/etc/mpd5/mpd.conf": "ppp",
    "/etc/sysctl.conf": "setting", "/etc/sysctl.conf.local": "setting", "/etc/dhclient.conf": "service", "/etc/rtadvd.conf": "service",
    "/usr/local/etc/frr": "route", "/usr/local/etc/bird.conf": "route", "/usr/local/etc/openbgpd": "route", "/usr/local/etc/dhcpd.conf": "service",
    "/usr/local/etc/kea": "service", "/usr/local/etc/dnsmasq.conf": "service", "/usr/local/etc/unbound": "service", "/usr/local/etc/suricata": "service",
    "/usr/local/etc/wireguard": "service", "/usr/local/etc/ifstated.conf": "service",
}


def observe(node: Node, devices: Sequence[str]) -> List[Dict[str, Any]]:
    """Lines outside comments that name one of the devices, as :func:`..naming.rows` gives them."""
    if not devices:
        return []
    wanted = [word for device in devices for word in ("-e", device)]
    # In FreeBSD's grep -Z reads compressed files, so the null character is asked for by its long name. Status 1: nothing found; 2: a place is not there.
    found = node.query(["grep", "-rnHIswF", "--null"] + wanted + ["--"] + list(PLACES), ok=(0, 1, 2)).stdout
    return naming.rows(found, PLACES, devices, lambda _path, _number: False)


def scripts(node: Node, devices: Sequence[str]) -> List[str]:
    """Files that rc runs when it configures or stops one of the devices (ifscript_up and ifscript_down of network.subr)."""
    paths = ["/etc/%s_if.%s" % (when, device) for device in devices for when in ("start", "stop")]
    return [path for path in paths if node.read_text(path) is not None]
