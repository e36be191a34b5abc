# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's pictures: well-formed, told in words too, with what matters where it belongs and no text over another."""

from __future__ import annotations

import re

import pytest
import report_samples as samples
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.cluster_view import node_state, strangers
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_cluster import cluster_picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_compare import compare_pictures
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_timeline import timeline_picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import fit, text_width, wrap
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.timeline_view import Bucket, columns, ticks
from picture_reading import beyond, overlaps, own_text, read, texts


def many(count, name="fw{}"):
    states = ["active"] + ["standby"] * (count - 1)
    members = [name.format(place + 1) for place in range(count)]
    return {"name": "edge", "plans": {node: samples.plan(node, members) for node in members},
            "evidence": {node: samples.evidence(place, state) for place, (node, state) in enumerate(zip(members, states, strict=True))}}


LONG = "the-firewall-of-the-northern-building-number-{}"


@pytest.mark.parametrize("cluster", [many(1), many(2), many(3), many(4), many(5), many(5, LONG), many(2, LONG + ".example.org"),
                                     samples.cluster(("active", None)), samples.broken()["clusters"][0]])
def test_no_text_of_the_clusters_picture_covers_another_or_leaves_it(cluster):
    checks = [samples.check(check_id, host, status, "a reason of a good many words that must not run into the next one " * 3)
              for host in [*cluster["plans"], None] for check_id, status in (("roles_disjoint", "fail"), ("pass_rule", "warn"), ("states_travel", "error"))]
    root = read(cluster_picture("c", cluster, checks))
    assert overlaps(root) == []
    assert beyond(root) == []


def test_the_names_of_five_nodes_stay_apart():
    root = read(cluster_picture("c", many(5, LONG + ".example.org"), []))
    ends = {element.get("x"): own_text(element) for element in root.iter("text") if element.get("font-size") == "16"}
    assert [words[-1] for words in ends.values()] == ["1", "2", "3", "4", "5"]


def test_names_that_end_like_addresses_are_not_cut_like_domains():
    assert {"1.2.3", "2.2.3"} <= set(texts(read(cluster_picture("c", many(2, "{}.2.3"), []))))
    assert {"fw1", "fw2"} <= set(texts(read(cluster_picture("c", many(2, "fw{}.example.org"), []))))


def test_the_clusters_picture_tells_state_role_addresses_and_the_sync_network_in_words():
    root = read(cluster_picture("c", samples.cluster(), []))
    said = texts(root)
    assert [words for words in said if words in ("ACTIVE", "STANDBY")] == ["ACTIVE", "STANDBY"]
    assert {"fw1", "fw2", "primary, Debian 12", "secondary, Debian 12", "192.0.2.2/24", "198.51.100.131/28", "Sync network 198.51.100.128/28",
            "multicast 225.0.0.50, port 3780", "41,873 states, 16% full"} <= set(said)
    held = [element.get("class") for element in root.iter("rect") if "vip" in element.get("class").split()]
    assert held == ["vip held", "vip"]
    assert root.find("title").text == "Cluster edge"
    assert root.find("desc").text == "fw1 (primary) is active; fw2 (secondary) is standby."


def test_split_brain_marks_every_active_node_and_a_stranger_hangs_on_the_network():
    broken = samples.broken()
    root = read(cluster_picture("c", broken["clusters"][0], broken["checks"]))
    said = texts(root)
    assert said.count("ACTIVE") == said.count("roles_disjoint") == 2
    assert said.count("sync_isolated") == 1
    assert said.count("engine_running") == 0
    assert {"Stranger 198.51.100.140", "02:de:ad:be:ef:01", "sync_speed not judged"} <= set(said)


def test_a_stranger_with_a_members_address_is_still_a_stranger():
    pair = samples.cluster()
    pair["evidence"]["fw1"]["segment"]["neighbours"].append({"address": "198.51.100.131", "mac": "02:DE:AD:00:00:01"})
    assert strangers(pair["plans"], pair["evidence"]) == [("198.51.100.131", "02:de:ad:00:00:01")]
    unread = samples.cluster(("active", None))
    assert strangers(unread["plans"], unread["evidence"]) == []


def test_without_state_sync_the_picture_says_so():
    pair = samples.cluster()
    for plan in pair["plans"].values():
        plan["state_sync"] = {"enabled": False}
    said = texts(read(cluster_picture("c", pair, [])))
    assert "No state sync" in said
    assert not any(words.startswith("Sync network") for words in said)


@pytest.mark.parametrize(("evidence", "state"), [
    (None, "unknown"),
    ({}, "unknown"),
    ({"vrrp": None}, "unknown"),
    ({"maintenance": True, "vrrp": {"running": True, "instances": [{"state": "fault"}]}}, "maintenance"),
    ({"vrrp": {"running": False, "instances": [{"state": None}]}}, "stopped"),
    ({"vrrp": {"running": True, "instances": [{"state": "active"}, {"state": None}]}}, "unknown"),
    ({"vrrp": {"running": True, "instances": [{"state": "active"}, {"state": "brilliant"}]}}, "unknown"),
    ({"vrrp": {"running": True, "instances": [{"state": "active"}, {"state": "standby"}]}}, "mixed"),
    ({"vrrp": {"running": True, "instances": [{"state": "standby"}, {"state": "fault"}]}}, "fault"),
    ({"vrrp": {"running": True, "instances": [{"state": "active"}]}}, "active"),
])
def test_a_nodes_state_is_what_its_evidence_says_and_else_unknown(evidence, state):
    assert node_state(samples.plan("fw1"), evidence) == state


def flows(root, who):
    """From where to where a node forwarded, in the drawing's units, for each direction and span of time."""
    paths = [element.get("d") for element in root.iter("path") if element.get("class") == f"flow {who}"]
    return [(float(path[1:].split()[0]), float(path[1:].split()[0]) + sum(map(float, re.findall(r"h([\d.]+)", path)))) for path in paths]


def test_the_gap_is_a_hole_between_the_old_and_the_new_node():
    root = read(timeline_picture("t", samples.drill(timeline=dict(samples.drill()["timeline"], events=[]))))
    old, new = flows(root, "old"), flows(root, "new")
    assert len(old) == len(new) == 2  # one for each direction
    failure = next(float(element.get("d")[1:].split("V")[0].split()[0]) for element in root.iter("path") if element.get("class") == "moment failure")
    takeover = next(float(element.get("d")[1:].split()[0]) for element in root.iter("path") if element.get("class") == "moment takeover")
    for (_begin, end), (begin, _end) in zip(old, new, strict=True):
        assert end == pytest.approx(failure, abs=3)
        assert begin == pytest.approx(takeover, abs=3)


def test_every_moment_has_its_line_and_its_words():
    root = read(timeline_picture("t", samples.drill()))
    said = texts(root)
    assert {"failure", "takeover 3.00 s", "detection limit 3.21 s", "new connection 3.25 s", "node back (fw1) 20.0 s", "The failure", "The recovery",
            "median 3.09 s, p99 3.16 s, max 3.20 s", "fw1, active before", "fw2, active after"} <= set(said)
    assert said.count("failure") == 1  # the event of that name is the drill's own figure
    kinds = sorted(element.get("class").split()[1] for element in root.iter("path") if element.get("class").startswith("moment "))
    assert kinds == ["event", "failure", "limit", "reconnect", "takeover"]
    assert "takeover at 3,000 ms" in root.find("desc").text


def test_a_packet_through_a_third_node_shows():
    drill = samples.drill()
    drill["timeline"]["deliveries"][0]["buckets"].append([1500, 20, "fw3"])
    root = read(timeline_picture("t", drill))
    assert flows(root, "other")
    assert "another node" in texts(root)
    assert not flows(read(timeline_picture("t", samples.drill())), "other")


@pytest.mark.parametrize("figures", [
    {"takeover_ms": 3200, "detection_limit_ms": 3210, "reconnect_ms": 3215},
    {"takeover_ms": 40, "detection_limit_ms": 94, "reconnect_ms": 80, "gap_ms": {"median": 61, "p99": 131, "max": 171}},
    {"takeover_ms": None, "detection_limit_ms": 3210, "reconnect_ms": None, "gap_ms": {"median": None, "p99": None, "max": None}},
    {"takeover_ms": 3000, "detection_limit_ms": 3210, "reconnect_ms": 58000},
])
def test_no_label_of_the_timeline_covers_another_or_leaves_it(figures):
    drill = samples.drill(**figures)
    drill["timeline"]["events"] += [{"t_ms": 60000 + step, "label": f"a step of the recovery {step}", "node": "fw1"} for step in (0, 10, 500, 7000, 7100)]
    root = read(timeline_picture("t", drill))
    assert overlaps(root) == []
    assert beyond(root) == []


def test_a_drill_without_a_timeline_has_no_picture():
    assert timeline_picture("t", samples.drill(timeline=None)) is None
    assert timeline_picture("t", samples.drill(timeline={"deliveries": [], "events": []})) is None


def test_delivery_without_any_packet_is_said_and_not_drawn():
    root = read(timeline_picture("t", samples.drill(timeline={"deliveries": [], "events": [{"t_ms": 1, "label": "x", "node": None}]})))
    assert texts(root).count("no delivery recorded") == 2
    assert flows(root, "old") == flows(root, "new") == []


def test_columns_keep_every_packet_and_the_node_that_forwarded_most():
    buckets = [Bucket(0, 10, "fw1"), Bucket(10, 4, "fw1"), Bucket(10, 6, "fw2"), Bucket(40, 10, None)]
    found = columns(buckets, 10, 0, 50, 5)
    assert [round(rate * 10, 6) for rate, _via, _delivered in found] == [10, 10, 0, 0, 10]
    assert [via for _rate, via, _delivered in found] == ["fw1", "fw2", None, None, None]
    assert [delivered for _rate, _via, delivered in found] == [True, True, False, False, True]


def test_a_bucket_over_several_columns_counts_once():
    found = columns([Bucket(5, 10, "fw1")], 20, 0, 30, 3)
    assert [round(rate * 10, 6) for rate, _via, _delivered in found] == [2.5, 5, 2.5]


@pytest.mark.parametrize(("begin", "end"), [(-100, 900), (-0.5, 3), (17000, 48000), (0, 1e12)])
def test_ticks_are_round_few_and_within(begin, end):
    found = ticks(begin, end, 9)
    assert 2 <= len(found) <= 10
    assert all(begin <= tick <= end for tick in found)
    assert begin > 0 or 0 in found


def test_drills_are_compared_only_with_each_other():
    assert compare_pictures("x", [samples.drill()]) == []
    kept, gap, reconnect = map(read, compare_pictures("x", [samples.drill(), samples.drill(False, reconnect_ms=None)]))
    assert {"2,000 kept", "0 kept", "Power loss, with state sync", "Power loss, without state sync"} <= set(texts(kept))
    assert [element.get("class") for element in kept.iter("rect")] == ["bar kept", "bar lost"]
    assert texts(gap).count("3.09 s") == 2
    assert "unknown" in texts(reconnect)
    assert [overlaps(root) + beyond(root) for root in (kept, gap, reconnect)] == [[], [], []]


def test_text_is_cut_to_its_room_and_keeps_both_ends():
    assert fit("short", 100, 12) == "short"
    cut = fit("2001:db8:1234:5678:9abc:def0:1234:5678/64", 150, 12, "mono")
    assert text_width(cut, 12, "mono") <= 150
    assert cut.startswith("2001:db8") and cut.endswith("/64")
    lines = wrap("a-name-that-goes-on and-on " * 10, 120, 12, 3)
    assert len(lines) == 3 and lines[-1].endswith("…")
    assert all(text_width(line, 12) <= 120 for line in lines)
