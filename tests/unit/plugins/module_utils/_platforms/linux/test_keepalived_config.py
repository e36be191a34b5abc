# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import keepalived_config as config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_parse import is_managed, parse
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_scripts import AFTER_STOP_TEXT, ON_TRANSITION_TEXT
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import instance, instances, options
from hypothesis import given
from hypothesis import strategies as st


def blocks(text: str, head: str) -> list[str]:
    """The bodies of the top-level blocks that begin with ``head``."""
    return re.findall(r"^%s[^\n]*\{\n(.*?)^\}" % head, text, re.MULTILINE | re.DOTALL)


def test_all_instances_are_in_one_group_that_has_the_hooks_and_the_maintenance_file() -> None:
    text = config.render(options())
    (group,) = blocks(text, "vrrp_sync_group edge ")
    assert [line.strip() for line in group.split("group {")[1].split("}")[0].split()] == ["lan0_10_ipv4", "wan0_20_ipv4", "lan0_11_ipv6"]
    for event, state in (("master", "active"), ("backup", "standby"), ("fault", "fault"), ("stop", "stopped")):
        assert 'notify_%s "/usr/local/lib/hafirewall/on-transition %s"' % (event, state) in group
    assert "track_file {\n        maintenance\n" in group
    assert blocks(text, "track_file maintenance ") == ["    file /etc/hafirewall/maintenance\n    weight 0\n"]
    assert not any("notify" in body or "track_file" in body for body in blocks(text, "vrrp_instance "))


def test_a_single_instance_has_no_group_because_keepalived_refuses_a_group_of_one() -> None:
    text = config.render(options(instances=[instance()]))
    assert "vrrp_sync_group" not in text
    (body,) = blocks(text, "vrrp_instance ")
    assert body.count("on-transition") == 4 and "maintenance" in body


def test_every_instance_is_version_3_starts_as_backup_and_has_its_own_priority_and_no_password() -> None:
    text = config.render(options(advert_interval=0.01))
    assert "vrrp_version 3" in blocks(text, "global_defs")[0]
    bodies = blocks(text, "vrrp_instance ")
    assert len(bodies) == 3
    for body in bodies:
        assert "state BACKUP\n" in body and "priority 200\n" in body and "advert_int 0.01\n" in body and "    nopreempt\n" in body
    assert "authentication" not in text


def test_preemption_states_its_delay_and_not_nopreempt() -> None:
    text = config.render(options(preempt=True, preempt_delay=2.5))
    assert text.count("preempt_delay 2.5") == 3 and "nopreempt" not in text


def test_interfaces_are_not_tracked_when_not_asked_for() -> None:
    assert "dont_track_primary" not in config.render(options())
    assert config.render(options(track_interfaces=False)).count("dont_track_primary") == 3


def test_multicast_pins_the_source_for_ipv4_only() -> None:
    text = config.render(options())
    assert text.count("mcast_src_ip") == 2 and "unicast" not in text
    assert "mcast_src_ip" not in blocks(text, "vrrp_instance lan0_11_ipv6 ")[0]


def test_unicast_names_source_and_peers_and_checks_them() -> None:
    text = config.render(options(transport="unicast"))
    assert "vrrp_check_unicast_src" in blocks(text, "global_defs")[0]
    body = blocks(text, "vrrp_instance lan0_11_ipv6 ")[0]
    assert "unicast_src_ip 2001:db8:1::2\n" in body and "unicast_peer {\n        2001:db8:1::3\n    }" in body
    assert "mcast_src_ip" not in text


@pytest.mark.parametrize(("key", "value"), [("source", None), ("peers", [])])
def test_unicast_without_source_or_peers_is_an_error_that_names_the_place(key: str, value: Any) -> None:
    broken = instances()
    broken[1][key] = value
    with pytest.raises(NodeError, match=r"instances\[1\]\.%s" % key):
        config.render(options(transport="unicast", instances=broken))


@pytest.mark.parametrize("address", ["192.0.2.1", "nonsense", "2001:db8:1::1/64"])
def test_an_address_without_prefix_or_of_the_other_family_is_an_error(address: str) -> None:
    with pytest.raises(NodeError, match=r"instances\[0\]\.addresses"):
        config.render(options(instances=[instance(addresses=[address])]))


def test_ipv6_addresses_are_no_source_for_what_the_node_sends() -> None:
    text = config.render(options())
    assert "2001:db8:1::1/64 preferred_lft 0\n" in text and "192.0.2.1/24\n" in text


def test_a_device_name_is_quoted_when_needed_and_refused_when_it_cannot_be_said() -> None:
    assert 'interface "odd#name"' in config.render(options(instances=[instance("odd#name")]))
    for name in ('quo"te', "dollar$", "back\\slash", "new\nline", ""):
        with pytest.raises(NodeError, match="rename it"):
            config.render(options(instances=[dict(instance(), interface=name)]))


def test_the_unit_comes_back_after_state_sync_and_keeps_what_it_read() -> None:
    text = config.drop_in("/etc/keepalived/keepalived.conf")
    for line in ("After=conntrackd.service", "Restart=on-failure", "StartLimitIntervalSec=0", "Environment=TMPDIR=/run/hafirewall",
                 "ExecReload=/usr/bin/install -D -m 0600 /etc/keepalived/keepalived.conf /run/hafirewall/keepalived.conf",
                 "ExecStopPost=-/usr/local/lib/hafirewall/after-stop"):
        assert line in text.splitlines()
    assert is_managed(text) and is_managed(config.render(options()))


def test_every_managed_program_says_so_after_its_first_line() -> None:
    for text in (ON_TRANSITION_TEXT, AFTER_STOP_TEXT):
        assert text.splitlines()[:2] == ["#!/bin/sh", "# Managed by hafirewall.cluster"]


names = st.from_regex(r"[a-z][a-z0-9_.-]{0,14}", fullmatch=True)
numbers = st.integers(min_value=1, max_value=254)


@st.composite
def many_options(draw: Any) -> Any:
    devices = draw(st.lists(st.tuples(names, numbers, st.sampled_from(["ipv4", "ipv6"])), min_size=1, max_size=6, unique=True))
    rows = []
    for device, number, family in devices:
        addresses = ["192.0.2.%d/24" % number] if family == "ipv4" else ["2001:db8::%x/64" % number, "2001:db8::ff%02x/64" % number]
        rows.append(instance(device, number, family, draw(numbers), addresses))
    return options(instances=rows, preempt=draw(st.booleans()), track_interfaces=draw(st.booleans()), transport=draw(st.sampled_from(["multicast", "unicast"])),
                   advert_interval=draw(st.integers(1, 4095)) / 100, preempt_delay=draw(st.integers(0, 1000)) * 1.0)


@given(many_options())
def test_what_is_rendered_is_read_back(wanted: Any) -> None:
    found = parse(config.render(wanted))
    assert [(item["name"], item["interface"], item["id"], item["family"], item["priority"], item["addresses"]) for item in found["instances"]] == [
        (item["name"], item["interface"], item["id"], item["family"], item["priority"], item["addresses"]) for item in wanted["instances"]]
    assert (found["transport"], found["preempt"], found["track_interfaces"]) == (wanted["transport"], wanted["preempt"], wanted["track_interfaces"])
    assert found["advert_interval"] == pytest.approx(wanted["advert_interval"])
    if wanted["preempt"]:
        assert found["preempt_delay"] == wanted["preempt_delay"]
    if wanted["transport"] == "unicast":
        assert [item["peers"] for item in found["instances"]] == [item["peers"] for item in wanted["instances"]]


@given(st.text(alphabet='{}"# \n!abc/0.$\\', max_size=80))
def test_reading_back_never_fails_on_an_edited_file(noise: str) -> None:
    text = config.render(options())
    for broken in (noise, text + noise, text[: len(text) // 2] + noise, "vrrp_instance {\n" + noise):
        assert isinstance(parse(broken)["instances"], list)


def test_a_file_of_somebody_else_is_not_ours() -> None:
    assert not is_managed(None)
    assert not is_managed("")
    assert not is_managed("global_defs {\n# Managed by hafirewall.cluster\n}\n")
