# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import netstat
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.transcripts import transcript

# usr.bin/netstat/if.c: a device without a hardware address has one word less, one that is down a star on older releases.
TABLE = """Name    Mtu Network       Address              Ipkts Ierrs Idrop     Ibytes    Opkts Oerrs     Obytes  Coll
em0    1500 <Link#1>      52:54:00:00:0a:00       10     0     0       1000       20     0       2000     0
em0       - 10.1.0.0/24   10.1.0.2                 5     -     -        500        6     -        600     -
em9*   1500 <Link#2>      52:54:00:00:0a:09        0     0     0          0        0     0          0     0
pflog0 33152 <Link#3>                              1     0     0         68        2     0        136     0
lagg0.10  1500 <Link#4>   52:54:00:00:0a:00        3     0     0        300        4     0        400     0
"""


def test_devices_are_counted_and_their_addresses_are_not():
    assert netstat.interfaces(TABLE) == {
        "em0": {"rx_bytes": 1000, "tx_bytes": 2000, "rx_packets": 10, "tx_packets": 20},
        "em9": {"rx_bytes": 0, "tx_bytes": 0, "rx_packets": 0, "tx_packets": 0},
        "pflog0": {"rx_bytes": 68, "tx_bytes": 136, "rx_packets": 1, "tx_packets": 2},
        "lagg0.10": {"rx_bytes": 300, "tx_bytes": 400, "rx_packets": 3, "tx_packets": 4},
    }


@pytest.mark.parametrize("text", ["", "Name\n", "em0 1500 <Link#1>\n", TABLE.splitlines()[0] + "\nem0 1500 <Link#1> a b c d e f g h i j k\n"])
def test_a_table_of_another_form_counts_nothing(text):
    assert netstat.interfaces(text) == {}


def test_pfsync_counts_what_freebsd_wrote():
    found = netstat.pfsync(transcript("35-netstat-pfsync-json.A"))
    assert {key: found[key] for key in ("received", "sent", "failed_lookup", "send_errors", "malformed")} == {
        "received": 5, "sent": 26, "failed_lookup": 4, "send_errors": 0, "malformed": 0}
    assert found["sent_messages"]["state-insert"] == 8
    assert netstat.pfsync(transcript("015b-netstat-pfsync-json-fresh.A"))["received_messages"] == {}


def test_malformed_is_all_that_was_dropped_for_its_form():
    text = transcript("35-netstat-pfsync-json.A")
    for name in ("bad-version", "bad-action", "short-header", "short", "bad-values", "stale-state"):
        text = text.replace('"dropped-%s":0' % name, '"dropped-%s":2' % name)
    found = netstat.pfsync(text)
    assert (found["bad_action"], found["stale_state"], found["malformed"]) == (2, 2, 10)


def test_in_words_netstat_tells_the_same():
    told, written = netstat.pfsync_told(transcript("35-netstat-pfsync.A")), netstat.pfsync(transcript("35-netstat-pfsync-json.A"))
    assert (told.pop("received_messages"), told.pop("sent_messages")) == (None, None)
    assert told == {name: written[name] for name in told} and (told["received"], told["sent"], told["failed_lookup"], told["malformed"]) == (5, 26, 4, 0)


def test_in_words_one_is_singular_and_both_families_count():
    one = transcript("35-netstat-pfsync.A").replace("0 packets received (IPv6)", "1 packet received (IPv6)").replace(
        "0 packets discarded for bad version", "1 packet discarded for bad version").replace("0 states discarded", "1 state discarded").replace(
        "0 send errors", "1 send error")
    told = netstat.pfsync_told(one)
    assert (told["received"], told["bad_version"], told["bad_values"], told["send_errors"], told["malformed"]) == (6, 1, 1, 1, 2)


def test_other_words_are_no_number():
    assert netstat.pfsync_told("pfsync:\n\t1 packet received (IPv4)\n\t2 packets sent (IPv6)\n\t\t3 things\n")["malformed"] is None


@pytest.mark.parametrize("text", ["", "pfsync:\n", "netstat: pfsync: unknown or uninstrumented protocol\n", "pfsync:\n\t1 packet received (IPv4)\n"])
def test_in_words_too_there_are_no_counters_without_pfsync(text):
    assert netstat.pfsync_told(text) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"statistics": {}}', "pfsync:\n"])
def test_without_pfsync_there_are_no_counters(text):
    assert netstat.pfsync(text) is None
