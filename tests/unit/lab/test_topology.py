# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress

import pytest
from hafw_lab import topology

NETWORKS = {
    "mgmt": [topology.MGMT4],
    "lan": [topology.LAN4, topology.LAN6],
    "wan": [topology.WAN4, topology.WAN6],
    "sync": [topology.SYNC4, topology.SYNC6],
    "dmz": [topology.DMZ4, topology.DMZ6],
    "peer": [topology.PEER4],
}
EVERYONE = (*topology.nodes(topology.MAX_FIREWALLS), topology.STRANGER_NODE)
VIRTUAL = (*topology.nodes(2, virtual=True), topology.STRANGER_NODE)


@pytest.mark.parametrize("everyone", [EVERYONE, VIRTUAL])
def test_every_address_is_unique_and_inside_its_segment(everyone: tuple[topology.Node, ...]) -> None:
    seen = [topology.CONTROLLER.split("/")[0], topology.LAN_VIP4, topology.LAN_VIP6, topology.WAN_VIP4, topology.WAN_VIP6, topology.DMZ_VIP4]
    for node in everyone:
        for port in (*node.ports, *(port.vlan for port in node.ports if port.vlan)):
            for address in port.addresses:
                interface = ipaddress.ip_interface(address)
                assert str(interface.network) in NETWORKS[port.segment]
                assert interface.ip not in (interface.network.network_address, interface.network.broadcast_address)
                seen.append(str(interface.ip))
    assert len(seen) == len(set(seen))


def test_networks_do_not_overlap() -> None:
    networks = [ipaddress.ip_network(each) for group in NETWORKS.values() for each in group]
    pairs = [(a, b) for a in networks for b in networks if a is not b and a.version == b.version]
    assert not any(a.overlaps(b) for a, b in pairs)  # type: ignore[arg-type]


@pytest.mark.parametrize("everyone", [EVERYONE, VIRTUAL])
def test_names_in_the_kernel_fit_and_are_unique(everyone: tuple[topology.Node, ...]) -> None:
    cables = [topology.cable(node.name, port.device) for node in everyone for port in node.ports]
    macs = [node.mac(port.device) for node in everyone for port in node.ports]
    assert max(map(len, cables)) <= 15
    assert len(set(cables)) == len(cables)
    assert len(set(macs)) == len(macs)
    assert len({node.number for node in everyone}) == len(everyone)
    assert all(0 < node.number < 256 for node in everyone)  # a byte of the MAC address; group 0 is every other device's


def test_a_lab_takes_hold_of_its_own_only() -> None:
    own = [topology.namespace("lab", name) for name in ("fw1", "fw9", "client", "server", "net", "stranger")]
    assert all(topology.belongs("lab", name) for name in own)
    foreign = ["hafw-lab-b-fw1", "hafw-lab-net-net", "hafw-la-fw1", "hafw-lab-fw10", "hafw-lab-x", "xhafw-lab-fw1", "hafw-lab-fw1x", "hafw-l.b-fw1", ""]
    assert not any(topology.belongs("lab", name) for name in foreign)
    assert not topology.belongs("l.b", "hafw-lab-fw1")


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a b", "x" * 41, "image", "collections"])
def test_a_name_that_cannot_be_a_folder_and_a_namespace_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lab's name"):
        topology.check_lab_name(name)


@pytest.mark.parametrize("name", ["lab", "a", "molecule-pair", "x" * 40])
def test_a_plain_name_is_taken(name: str) -> None:
    assert topology.check_lab_name(name) == name


@pytest.mark.parametrize("firewalls", [0, -1, 10])
def test_a_lab_has_one_to_nine_firewalls(firewalls: int) -> None:
    with pytest.raises(ValueError, match="1 to 9"):
        topology.nodes(firewalls)


def test_an_unknown_device_is_named_with_those_that_exist() -> None:
    with pytest.raises(KeyError, match="fw1 has no device lan9; it has mgmt0, lan0, wan0, sync0"):
        topology.firewall(1).port("lan9")


def test_virtual_firewalls_agree_in_no_device_and_in_all_segments() -> None:
    one, two = topology.nodes(2, virtual=True)[:2]
    assert not {port.device for port in one.ports} & {port.device for port in two.ports}
    assert {segment: len(names) for segment, names in one.devices().items()} == {segment: len(names) for segment, names in two.devices().items()}
    assert (one.devices()["lan"], one.devices()["dmz"], one.devices()["wan"]) == (["em1"], ["em1.10"], ["em2", "em3"])
    # The same addresses as in a lab of containers: the client and the server are those of it.
    plain = {port.segment: port.addresses for port in topology.firewall(1).ports}
    assert {segment: one.port(names[0]).addresses for segment, names in one.devices().items() if segment in plain} == plain


def test_cables_join_two_virtual_firewalls() -> None:
    with pytest.raises(ValueError, match="2 firewalls that are virtual machines"):
        topology.nodes(3, virtual=True)
