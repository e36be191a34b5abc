# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the machine that runs it look like pfSense: a firewall of the lab, whose disk is thrown away afterwards. Argument: its place in the pair, 0 or 1.

The two have network cards of different makers, and a release that binds states to their names.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CONFIG, PROGRAMS, lay_out

PHP_SETTINGS = Path("/etc/php/8.2/cli/conf.d/99-standin.ini")
KERNEL = Path("/var/standin/kernel.json")
MAC = "02:00:00:00:%02x:%02x"  # place in the pair, counted from 1, and number of the device
MAKERS = ("em", "igb")
RELEASE = "2.8.1-RELEASE"


def main() -> None:
    """Lay out at /."""
    place = int(sys.argv[1])
    host, sync, maker = 2 + place, 130 + place, MAKERS[place]
    for name in PROGRAMS:
        Path("/sbin", name).unlink(missing_ok=True)  # Debian's own sysctl
    config = CONFIG.replace("203.0.113.2<", "203.0.113.%d<" % host).replace("192.0.2.2<", "192.0.2.%d<" % host)
    config = config.replace("198.51.100.129<", "198.51.100.%d<" % sync).replace("<hostname>fw1<", "<hostname>fw%d<" % (1 + place))
    config = config.replace("<if>em", "<if>" + maker)
    interfaces = {maker + "0": ["203.0.113.%d/24" % host], maker + "1": ["192.0.2.%d/24" % host], maker + "2": ["198.51.100.%d/28" % sync],
                  "mgmt0": ["198.51.100.%d/25" % host], "lo0": ["127.0.0.1/8"]}
    lay_out(Path("/"), RELEASE, config, interfaces)
    kernel = json.loads(KERNEL.read_text())
    for number, interface in enumerate(kernel["interfaces"].values()):
        interface["mac"] = MAC % (1 + place, number)
    # What a kernel learns of the other node, which this one cannot hear: its rank, its states, and its address.
    kernel["carp_peer_advskew"] = (100, 0)[place]
    kernel["pf"]["states"] = ["a1", "b2"]
    kernel["neighbours"]["198.51.100.%d" % (131 - place)] = MAC % (2 - place, 2)
    KERNEL.write_text(json.dumps(kernel))
    PHP_SETTINGS.write_text("include_path=/etc/inc\n")


if __name__ == "__main__":
    main()
