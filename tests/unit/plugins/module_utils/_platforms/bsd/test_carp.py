# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.carp import Instance

IFCONFIG = """em0: flags=8863<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
    options=4e524bb<RXCSUM,TXCSUM>
    ether 02:00:00:00:00:01
    inet 203.0.113.2 netmask 0xffffff00 broadcast 203.0.113.255
    inet 203.0.113.1 netmask 0xffffff00 broadcast 203.0.113.255 vhid 20
    inet6 fe80::1%em0 prefixlen 64 scopeid 0x1
    inet6 2001:db8::1 prefixlen 64 vhid 21
    carp: MASTER vhid 20 advbase 1 advskew 0
        peer 224.0.0.18 peer6 ff02::12
    carp: INIT vhid 21 advbase 1 advskew 100
    status: active
em1: flags=8863<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
    inet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255 vhid 2
    carp: BACKUP vhid 2 advbase 1 advskew 254
    carp: STRANGE vhid 20 advbase 2 advskew 0
pfsync0: flags=0 metric 0 mtu 1500
"""


def test_ifconfig_is_read() -> None:
    assert carp.parse(IFCONFIG) == [
        Instance("em0", 20, "active", 1, 0, ("203.0.113.1",), peer="224.0.0.18", peer6="ff02::12"),
        Instance("em0", 21, "init", 1, 100, ("2001:db8::1",)),
        Instance("em1", 2, "standby", 1, 254, ("192.0.2.1",)), Instance("em1", 20, None, 2, 0, ()),
    ]


def test_the_password_is_read_when_ifconfig_was_asked_for_it() -> None:
    text = IFCONFIG.replace("vhid 20 advbase 1 advskew 0\n", 'vhid 20 advbase 1 advskew 0 key "s3cret "quoted""\n')
    assert [(item.key, item.peer) for item in carp.parse(text)] == [('s3cret "quoted"', "224.0.0.18"), (None, None), (None, None), (None, None)]
