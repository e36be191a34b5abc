# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""conntrackd.conf: every way to write it reads back as what was asked for. The tests of the real daemons try the same on its own parser."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_config

PARAMS = {"interface": "lo", "address": "198.51.100.129", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "peer": None,
          "mode": "ftfw", "external_cache": False, "ignore_addresses": ["192.0.2.1", "2001:db8:1::1"]}
V6 = {"address": "2001:db8:5::1", "group": "ff02::50"}
UNICAST = {"transport": "unicast", "group": None, "peer": "198.51.100.130"}
UNICAST_V6 = {"transport": "unicast", "group": None, "address": "2001:db8:5::1", "peer": "2001:db8:5::2"}
MODES = (("ftfw", False), ("ftfw", True), ("notrack", False), ("notrack", True), ("alarm", True))
VARIANTS = [dict(PARAMS, **channel, mode=mode, external_cache=external) for channel in ({}, V6, UNICAST, UNICAST_V6) for mode, external in MODES]


@pytest.mark.parametrize(
    "params", VARIANTS, ids=lambda p: "-".join((p["mode"], "cache" if p["external_cache"] else "inject", p["transport"], p["address"])))
def test_every_variant_says_what_was_asked(params: dict) -> None:
    text = conntrackd_config.render(params)
    said = conntrackd_config.parse(text)
    assert {key: said[key] for key in ("mode", "transport", "port", "interface", "group", "peer", "external_cache")} == {
        key: params[key] for key in ("mode", "transport", "port", "interface", "group", "peer", "external_cache")}
    assert said["startup_resync"] == (params["mode"] != "alarm")
    assert said["checksum"] is True
    # Over IPv6 the daemon sends multicast from the interface; there is no setting for the address.
    assert said["address"] == (None if params["group"] == "ff02::50" else params["address"])


def test_own_and_sync_addresses_stay_on_their_node() -> None:
    assert conntrackd_config.ignored(PARAMS) == ["127.0.0.1", "192.0.2.1", "198.51.100.129", "225.0.0.50", "2001:db8:1::1", "::1"]
    text = conntrackd_config.render(dict(PARAMS, **UNICAST))
    assert "IPv4_address 198.51.100.130" in text[text.index("Address Ignore"):]
    assert "IPv6_address ::1" in text
    assert "Filter From Userspace" in text


def test_sizes_follow_the_kernel() -> None:
    text = conntrackd_config.render(PARAMS, conntrackd_config.Sizes(8192, 65536))
    assert "HashSize 8192\n" in text
    assert "HashLimit 131072\n" in text


def test_ipv6_multicast_names_the_group_before_the_interface() -> None:
    text = conntrackd_config.render(dict(PARAMS, **V6))
    assert 0 < text.index("IPv6_address ff02::50") < text.index("Interface lo")
    assert "IPv4_interface" not in text


def test_a_standby_that_lost_events_does_not_send_the_active_nodes_states_back() -> None:
    injecting, caching = conntrackd_config.render(PARAMS), conntrackd_config.render(dict(PARAMS, external_cache=True))
    assert "NetlinkOverrunResync off" in injecting and "NetlinkEventsReliable on" in injecting
    assert "NetlinkOverrunResync on" in caching and "NetlinkEventsReliable off" in caching


@pytest.mark.parametrize("device", ["sync0", "eth1", "enp3s0f1", "bond0.100", "br-sync", "dead0", "beefe", "f00d5", "onboard1", "Ethernet_3"])
def test_device_names_that_the_daemon_reads(device: str) -> None:
    assert conntrackd_config.device_problem(device) is None


@pytest.mark.parametrize("device", ["e0", "fe1", "a", "dead", "1eth", "wan:1", "lan+", "on", "Off", "alarm", "Group", "UDP", "for", "CLOSED", "Path"])
def test_device_names_that_the_daemon_cannot_read(device: str) -> None:
    assert "conntrackd" in (conntrackd_config.device_problem(device) or "")


def test_a_hand_written_file_is_read_too() -> None:
    said = conntrackd_config.parse("""
        # Multicast { Interface commented0 }
        General { Nice -20  # a remark
          UNIX { Path /var/run/conntrackd.ctl Backlog 20 } }
        Sync { CommitTimeout 1800
          Mode notrack { CommitTimeout 1800 DisableExternalCache Yes PurgeTimeout 5 }
          UDP { IPv4_address 198.51.100.1 IPv4_Destination_Address 198.51.100.2 Port 3781 Interface eth3 Checksum No }
          UDP Default { IPv6_address 2001:db8::1
             IPv6_Destination_Address 2001:db8::2 Port 3782 Interface eth4 }
          Options { ExpectationSync { ftp sip } } }""")
    assert said == {"mode": "notrack", "transport": "unicast", "group": None, "port": 3782, "interface": "eth4", "address": "2001:db8::1",
                    "peer": "2001:db8::2", "external_cache": False, "checksum": True, "startup_resync": False, "socket": "/var/run/conntrackd.ctl"}


def test_debians_default_file_only_gathers_statistics() -> None:
    said = conntrackd_config.parse("General { LockFile /var/lock/conntrackd.lock }\nStats { LogFile on }\n")
    assert said["mode"] == "stats" and said["transport"] is None


@pytest.mark.parametrize("text", ["", "}", "{{{", "Sync", "Sync { Mode", "Sync { Mode { } Multicast { Group x } }", "}}} Sync { Mode FTFW { } } {"])
def test_broken_files_are_read_without_an_exception(text: str) -> None:
    assert set(conntrackd_config.parse(text)) == set(conntrackd_config.parse(conntrackd_config.render(PARAMS)))
