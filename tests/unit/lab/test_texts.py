# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts that the lab writes: inventory, ssh configuration, the files of a node's disk, apt sources."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import yaml
from hafw_lab import disk, image, inventory, topology
from hypothesis import given
from hypothesis import strategies as st

NODES = topology.nodes(2)
COMMAND = ["/opt/my python/bin/python", "/src/my tree/lab.py"]
PLAIN: Any = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=40), inner, max_size=4), max_leaves=12))
def test_what_is_written_as_yaml_is_read_back(value: Any) -> None:
    assert yaml.safe_load(inventory.to_yaml(value)) == value


def _tree(nodes: int = 2) -> Any:
    return yaml.safe_load(inventory.inventory("lab-a", topology.nodes(nodes), "/src/my tree/ssh_config", COMMAND))["all"]


def test_inventory_states_the_cluster_as_a_user_would() -> None:
    edge = _tree()["children"]["edge"]
    cluster = edge["vars"]["hafirewall_cluster"]
    assert cluster["name"] == "edge"
    assert (cluster["sync"]["interface"], cluster["sync"]["network"]) == ("sync", "{{ lab_sync_network | default('198.51.100.128/28') }}")
    assert [(vip["interface"], vip["address"], vip["id"]) for vip in cluster["virtual_ips"]] == [
        ("lan", "192.0.2.1/24", 10),
        ("lan", "2001:db8:1::1/64", 11),
        ("wan", "203.0.113.1/24", 20),
        ("wan", "2001:db8:2::1/64", 21),
    ]
    assert cluster["vrrp"]["advert_interval"] == 0.1
    # Of three nodes the second must be ahead of the third by more than a busy machine is late.
    trio = _tree(nodes=3)["children"]["edge"]["vars"]["hafirewall_cluster"]
    assert trio["vrrp"]["advert_interval"] == 2
    assert list(edge["hosts"]) == ["fw1", "fw2"]
    assert edge["hosts"]["fw2"]["hafirewall_node"] == {
        "role": "secondary",
        "priority": "{{ (lab_priorities | default({})).fw2 | default(none) }}",
        "interfaces": {"lan": "lan0", "wan": "wan0", "sync": {"device": "sync0", "address": "198.51.100.131/28"}},
    }
    assert edge["hosts"]["fw1"]["hafirewall_node"]["role"] == "primary"
    assert list(_tree()["children"]["probes"]["hosts"]) == ["client", "server"]


def test_commands_survive_blanks_in_paths() -> None:
    host = _tree()["children"]["edge"]["hosts"]["fw1"]
    assert shlex.split(host["failover_drill_power_off"]) == [*COMMAND, "power-off", "fw1", "--name", "lab-a"]
    assert shlex.split(host["failover_drill_power_on"]) == [*COMMAND, "power-on", "fw1", "--name", "lab-a"]
    assert shlex.split(host["failover_drill_link_command"] + " lan0,wan0 down")[2:] == ["link", "--name", "lab-a", "fw1", "lan0,wan0", "down"]
    assert shlex.split(_tree()["vars"]["ansible_ssh_common_args"]) == ["-F", "/src/my tree/ssh_config"]


def test_two_labs_share_no_ssh_connection() -> None:
    # Ansible names its control sockets after ansible_host: equal names would send one lab's commands to the other.
    assert _tree()["children"]["edge"]["hosts"]["fw1"]["ansible_host"] == "fw1.lab-a.hafw"
    text = inventory.ssh_config("lab-a", NODES, "/k e/y")
    assert "Host fw1 fw1.lab-a.hafw\n  HostName 198.51.100.2\n" in text
    assert "ProxyCommand ip netns exec hafw-lab-a-net nc %h %p\n" in text
    assert 'IdentityFile "/k e/y"\n' in text


def test_a_probe_routes_through_the_virtual_ips_only() -> None:
    client = disk.network_files(topology.CLIENT)
    assert "[Route]\nDestination=0.0.0.0/0\nGateway=192.0.2.1\n" in client["etc/systemd/network/10-lan0.network"]
    assert "[Route]\nDestination=::/0\nGateway=2001:db8:1::1\n" in client["etc/systemd/network/10-lan0.network"]
    server = disk.network_files(topology.SERVER)["etc/systemd/network/10-wan0.network"]
    assert server.count("[Route]") == 1
    assert "Destination=2001:db8:1::/64\nGateway=2001:db8:2::1\n" in server
    assert "[Route]" not in client["etc/systemd/network/10-mgmt0.network"]


def test_a_firewall_is_strict_and_knows_no_cluster() -> None:
    ruleset = disk.files("lab", NODES[0], NODES)["etc/nftables.conf"]
    assert [line for line in ruleset.splitlines() if line and not line.startswith("#")][0] == "flush ruleset"
    assert ruleset.count("policy drop;") == 3
    assert "snat ip to 203.0.113.1" in ruleset
    assert not any(word in ruleset for word in ("3780", "vrrp", "112", "225.0.0.50", "include"))
    assert 'iifname "lan0" oifname "wan0" tcp' in ruleset
    assert "etc/nftables.conf" not in disk.files("lab", topology.CLIENT, NODES)


def test_nodes_of_all_labs_differ() -> None:
    identities = [disk.files(lab, node, NODES)["etc/machine-id"] for lab in ("a", "b") for node in NODES]
    assert len(set(identities)) == len(identities)


TARGETS = "\n".join(
    [
        "http://mirror.example/debian/|bookworm|main",
        "http://mirror.example/debian/|bookworm|contrib",
        "http://mirror.example/debian/|bookworm-updates|main",
        "http://mirror.example/security/|bookworm-security|main",
        "http://mirror.example/security/|bookworm-security|main",
        "http://other.example/apt/|stable|main",
    ]
)


def test_the_image_comes_from_the_machines_own_mirror() -> None:
    assert image.sources(TARGETS, "bookworm", "bookworm") == [
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/debian/ bookworm-updates main",
        "deb http://mirror.example/security/ bookworm-security main",
    ]
    assert image.sources(TARGETS, "bookworm", "trixie", "/k.gpg")[2] == "deb [signed-by=/k.gpg] http://mirror.example/security/ trixie-security main"
    assert image.sources("", "bookworm", "bookworm") == []


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("deb http://user:secret@mirror.example/debian x main", "deb http://mirror.example/debian x main"),
        ("deb [signed-by=/a] https://token@mirror.example/ x main", "deb [signed-by=/a] https://mirror.example/ x main"),
        ("deb http://mirror.example/a@b/ x main", "deb http://mirror.example/a@b/ x main"),
    ],
)
def test_no_password_gets_into_the_image(line: str, clean: str) -> None:
    assert image.without_credentials(line) == clean


def test_a_change_of_the_recipe_makes_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.recipe("bookworm", image.INSTALLED)
    assert image.recipe("trixie", image.INSTALLED) != before
    assert image.recipe("bookworm", [*image.INSTALLED, *image.VIRTUAL]) != before
    monkeypatch.setattr(image, "OFFERED", ("conntrackd",))
    assert image.recipe("bookworm", image.INSTALLED) != before
