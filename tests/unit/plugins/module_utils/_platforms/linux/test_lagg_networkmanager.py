# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs with NetworkManager: what becomes of a profile, and which ones are refused with what to do about them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack import keepers
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.networkmanager_files import Sections, parsed
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.networkmanager_network import FOLDER, MEMORY
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode
from stack_cases import call, lagg, machine, move, whole

PATH = FOLDER + "hafirewall-%s.nmconnection"
PORT = """[connection]
id=The WAN
uuid=33333333-3333-4333-8333-333333333333
type=802-3-ethernet
interface-name=eth1
autoconnect-priority=5
zone=external
timestamp=1795629684

[802-3-ethernet]
mac-address=02:00:00:00:01:01
mtu=1450
speed=1000

[ethtool]
ring-rx=512

[ipv4]
# the office's
dns=192.0.2.53;
method=manual
address1=192.0.2.2/25,192.0.2.1
route1=203.0.113.128/25,192.0.2.9,50
route1_options=table=100

[ipv6]
method=disabled

[proxy]
"""


def with_wan(text: str) -> tuple[SystemdNode, Any]:
    """A node whose WAN has this profile, and no VLAN."""
    node, network = machine("networkmanager")
    for device in ("eth1.10", "eth1"):
        del node.files[network.path_of(device)]
    network.write("wan.nmconnection", text)
    network.restart()
    return node.again(), network


def plain(**changes: Any) -> dict[str, Any]:
    return lagg(vlans=[], moves=[move("eth1", "bond1")], **changes)


def made(node: SystemdNode, device: str) -> Sections:
    return parsed(node.text(PATH % device))


def test_the_networks_of_a_port_go_to_the_lagg_and_its_hardware_settings_stay_with_it() -> None:
    node, _network = with_wan(PORT)
    whole(node, plain())
    bond, port = made(node, "bond1"), made(node, "eth1")
    assert bond.pop("connection").items() >= {"type": "bond", "interface-name": "bond1", "zone": "external", "autoconnect-slaves": "1"}.items()
    assert bond == {
        "bond": {"mode": "active-backup", "miimon": "100", "primary": "eth1"}, "ethernet": {"cloned-mac-address": "02:00:00:00:01:01", "mtu": "1450"},
        "ipv4": {"dns": "192.0.2.53;", "method": "manual", "address1": "192.0.2.2/25,192.0.2.1", "route1": "203.0.113.128/25,192.0.2.9,50",
                 "route1_options": "table=100", "route-metric": "100"},
        "ipv6": {"method": "disabled", "route-metric": "100"}}
    assert port["connection"].items() >= {"type": "ethernet", "interface-name": "eth1", "master": "bond1", "slave-type": "bond"}.items()
    assert {key: port[key] for key in port if key != "connection"} == {
        "ethernet": {"mac-address": "02:00:00:00:01:01", "speed": "1000"}, "ethtool": {"ring-rx": "512"}}
    assert FOLDER + "wan.nmconnection" not in node.files and "zone" not in port["connection"]


def test_a_metric_of_ones_own_is_kept() -> None:
    node, _network = with_wan(PORT.replace("[ipv4]\n", "[ipv4]\nroute-metric=77\n"))
    whole(node, plain())
    assert [made(node, "bond1")[family]["route-metric"] for family in ("ipv4", "ipv6")] == ["77", "100"]


def test_what_is_written_can_be_read_by_root_only_and_is_judged_first() -> None:
    node, network = machine("networkmanager")
    call(node, lagg())
    assert {node.files[path].mode for path in network.own_files()} == {0o600} and len(network.own_files()) == 4
    judged = [words for words in node.queries if words[:2] == ["nmcli", "--offline"]]
    assert sorted(words[-1] for words in judged) == ["bond1", "bond1.10", "eth1", "eth2"]


def test_what_networkmanager_itself_refuses_is_not_written() -> None:
    node, network = with_wan(PORT.replace("address1=", "address9="))
    before = (node.snapshot(), network.kernel())
    with pytest.raises(NodeError, match=r"NetworkManager refuses the profile for bond1 \(status 1\): .*ipv4.addresses.*; nothing was changed"):
        call(node, plain())
    assert (node.snapshot(), network.kernel(), node.commands, node.diffs) == (*before, [], [])


def test_what_networkmanager_would_leave_out_without_a_word_is_not_written() -> None:
    node, network = machine("networkmanager")
    network.not_understood = ["primary"]
    with pytest.raises(NodeError, match=r"does not take all of the profile for bond1, but leaves of it: \[bond\] miimon=100 mode=active-backup .*nothing was"):
        call(node, lagg())
    assert not network.own_files() and (node.commands, node.diffs) == ([], [])


def test_an_nmcli_that_cannot_judge_is_told() -> None:
    node, network = machine("networkmanager")
    network.offline = False
    assert call(node, lagg())["validation"].startswith("not possible: this nmcli has no --offline")


def test_a_profile_that_a_person_has_changed_with_nmcli_is_no_drift() -> None:
    node, network = machine("networkmanager")
    network.links["eth1"]["address"] = "02:00:00:00:0a:0b"
    whole(node, lagg())
    for path in network.own_files():
        text = network._judge(["nmcli"], node.text(path)).stdout.replace("[ipv4]\n", "[ipv4]\ndns=192.0.2.53;\n")
        node.files[path] = SimulatedFile(text.replace("02:00:00:00:0a:0b", "02:00:00:00:0A:0B"), 0o600)
    assert call(node.again(), lagg(moves=[]))["drift"] == []


@pytest.mark.parametrize(("device", "old", "new", "mode"), [
    ("bond1", "mode=active-backup", "mode=broadcast", 0o600), ("bond1", "primary=eth1\n", "", 0o600), ("eth1", "master=bond1\n", "", 0o600),
    ("eth2", "type=ethernet\n", "type=ethernet\nautoconnect=false\n", 0o600), ("eth2", "", "", 0o644),
])
def test_a_file_that_makes_another_lagg_or_none_is_drift_although_the_kernel_is_as_wanted(device: str, old: str, new: str, mode: int) -> None:
    node, network = machine("networkmanager")
    whole(node, lagg())
    before, wanted = network.kernel(), node.files[PATH % device]
    node.files[PATH % device] = SimulatedFile(wanted.text.replace(old, new), mode)
    node = node.again()
    assert whole(node, lagg(moves=[]))[0]["drift"] == [{"setting": PATH % device, "is": "different", "wanted": "as rendered"}]
    network.restart()
    assert node.files[PATH % device].mode == 0o600 and network.kernel() == before


def test_a_port_without_its_file_is_drift() -> None:
    node, network = machine("networkmanager")
    whole(node, lagg())
    del node.files[PATH % "eth2"]
    assert call(node.again(check_mode=True), lagg(moves=[]))["drift"] == [{"setting": PATH % "eth2", "is": "absent", "wanted": "as rendered"}]


def test_a_lagg_of_somebody_elses_is_left_alone_until_it_must_change_and_one_without_a_file_is_told() -> None:
    node, network = machine("networkmanager")
    uuid, static = "99999999-9999-4999-8999-%012d", "\n[ipv4]\nmethod=manual\naddress1=%s\n"
    theirs = {"bond1": "type=bond\n\n[bond]\nmode=active-backup\nprimary=eth2\n" + static % "198.51.100.130/25",
              "eth2": "type=ethernet\nmaster=bond1\nslave-type=bond\n", "eth3": "type=ethernet\nmaster=%s\nslave-type=bond\n" % (uuid % 0),
              "bond1.20": "type=vlan\n\n[vlan]\nid=20\nparent=%s\n" % (uuid % 0) + static % "198.51.100.3/25"}
    for number, (device, more) in enumerate(theirs.items()):
        network.write("office %s.nmconnection" % device, "[connection]\nid=of the office\nuuid=%s\ninterface-name=%s\n%s" % (uuid % number, device, more))
    network.restart()
    as_is = lagg(members=["eth2", "eth3"], primary="eth2", vlans=[{"name": "bond1.20", "id": 20}], moves=[])
    other = dict(as_is, members=["eth2"], mtu=1400)
    node, before = node.again(), network.kernel()
    assert call(node, as_is)["drift"] == [] and node.diffs == []
    call(node.again(), other)
    network.carry_out()
    assert network.kernel() != before
    network.expire("bond1")
    assert network.kernel() == before and not network.own_files()
    whole(node.again(), other)
    assert network.members("bond1") == ["eth2"] and network.addresses("bond1") == ["198.51.100.130/25"] and network.addresses("bond1.20") == ["198.51.100.3/25"]
    assert network.links["bond1"]["mtu"] == 1400 and made(node, "bond1.20")["vlan"] == {"id": "20", "parent": "bond1"}
    assert not [path for path in node.files if "/office" in path and path.startswith(FOLDER)]
    del node.files[PATH % "bond1"]
    network.links["bond1"]["addr_info"] = []
    network.loaded = {uuid: profile for uuid, profile in network.loaded.items() if profile.device != "bond1"}
    assert call(node.again(check_mode=True), other)["drift"] == [{"setting": "bond1 at boot", "is": "absent", "wanted": "present"}]


def test_a_vlan_on_the_lagg_that_is_as_wanted_keeps_its_file() -> None:
    node, network = machine("networkmanager")
    whole(node, lagg())
    path = FOLDER + "mine.nmconnection"
    node.files[path] = node.files.pop(PATH % "bond1.10")
    network.restart()
    node = node.again()
    whole(node, lagg(moves=[], mtu=1400))
    assert path in node.files and PATH % "bond1.10" not in node.files and network.addresses("bond1.10") == ["198.51.100.2/25"]


def test_a_vlans_settings_go_with_it_but_not_what_named_its_old_parent() -> None:
    node, network = machine("networkmanager")
    broken(network, "eth1.10", "[vlan]\n", "[vlan]\nflags=1\ningress-priority-map=1:2\ninterface-name=eth1.10\n")
    broken(network, "eth1.10", "[ipv4]", "[ethernet]\nmtu=1400\nmac-address=02:00:00:00:01:01\n\n[ipv4]")
    network.restart()
    whole(node.again(), lagg())
    found = made(node, "bond1.10")
    assert found["vlan"] == {"id": "10", "parent": "bond1", "flags": "1", "ingress-priority-map": "1:2"} and found["ethernet"] == {"mtu": "1400"}


def test_no_other_profile_gets_hold_of_a_member_that_has_its_cable_back() -> None:
    node, network = machine("networkmanager")
    whole(node, lagg())
    network.write("any.nmconnection", "[connection]\nid=any\nuuid=66666666-6666-4666-8666-666666666666\ntype=ethernet\nautoconnect-priority=500\n")
    network._read([FOLDER + "any.nmconnection"])
    network._take_down("eth2")
    network._by_themselves()
    assert network.members("bond1") == ["eth1", "eth2"]


def test_on_the_way_back_what_is_below_comes_up_before_what_is_upon_it() -> None:
    node, _network = machine("networkmanager")
    whole(node, lagg())
    call(node.again(), lagg(moves=[], mtu=1400))
    up = [line.split()[-1] for line in node.text("/var/lib/hafirewall/lagg/bond1/way-back").splitlines() if " connection up " in line]
    assert up == [made(node, device)["connection"]["uuid"] for device in ("bond1", "eth1", "eth2", "bond1.10")]


def broken(network: Any, device: str, old: str, new: str) -> None:
    path = network.path_of(device)
    network.node.files[path] = SimulatedFile(network.node.text(path).replace(old, new), 0o600)


def unmanaged(network: Any) -> None:
    network.unmanaged.append("eth2")
    del network.active["eth2"]


def in_memory(network: Any) -> None:
    path = network.path_of("eth1")
    network.node.files[MEMORY + "x.nmconnection"] = network.node.files.pop(path)
    network._read([MEMORY + "x.nmconnection"])


def vendors(network: Any) -> None:
    path = network.path_of("eth1")
    network.node.files["/usr/lib/NetworkManager/system-connections/x.nmconnection"] = network.node.files.pop(path)
    network._read(["/usr/lib/NetworkManager/system-connections/x.nmconnection"])


def second(network: Any) -> None:
    network.write("other.nmconnection", "[connection]\nid=other\nuuid=77777777-7777-4777-8777-777777777777\ntype=ethernet\ninterface-name=eth1\n")
    network._read([FOLDER + "other.nmconnection"])


def upon(network: Any, parent: str) -> None:
    network.write("pppoe.nmconnection", "[connection]\nid=p\nuuid=77777777-7777-4777-8777-777777777777\ntype=pppoe\n[pppoe]\nparent=%s\n" % parent)
    network._read([FOLDER + "pppoe.nmconnection"])


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda network: broken(network, "eth1", "interface-name=eth1\n", ""),
     r"profile 1.nmconnection is on eth1 and does not name it.*nmcli connection modify uuid \S+ connection.interface-name eth1"),
    (in_memory, r"the profile of eth1 is in memory only \(/run/.*x.nmconnection\); keep it: nmcli connection modify uuid \S+ connection.interface-name eth1"),
    (vendors, "the profile of eth1 is /usr/lib/NetworkManager/system-connections/x.nmconnection, which cannot be carried over; move it to /etc/Net"),
    (second, "eth1 has several profiles that come up by themselves: .*profile 1.nmconnection, .*other.nmconnection; .*connection.autoconnect no"),
    (lambda network: broken(network, "eth1", "timestamp=", "autoconnect=false\ntimestamp="), "does not come up by itself.*connection.autoconnect yes"),
    (lambda network: broken(network, "eth1", "timestamp=", "master=br0\nslave-type=bridge\ntimestamp="), "makes eth1 a port of br0.*connection.master ''"),
    (lambda network: broken(network, "eth1", "type=ethernet", "type=pppoe"), "profile 1.nmconnection is of type pppoe"),
    (lambda network: broken(network, "eth1", "[ipv4]", "[802-1x]\neap=tls;\n\n[ipv4]"), r"profile 1.nmconnection has \[802-1x\], which cannot be carried over"),
    (lambda network: broken(network, "eth1", "[ipv4]", "[match]\ndriver=x\n\n[ipv4]"), r"profile 1.nmconnection has \[match\]"),
    (lambda network: broken(network, "eth1.10", "type=vlan", "type=macvlan"), "profile 2.nmconnection is of type macvlan"),
    (lambda network: broken(network, "eth1.10", "interface-name=eth1.10\n", ""), "profile 2.nmconnection is on eth1.10 and does not name it"),
    (unmanaged, "NetworkManager leaves eth2 alone; let it have the device"),
    (lambda network: upon(network, "eth1"), "pppoe.nmconnection makes a device upon eth1, which is not to be moved.*nmcli connection delete uuid 7777"),
    (lambda network: upon(network, "11111111-1111-4111-8111-000000000001"), "pppoe.nmconnection makes a device upon 1111.*0001"),
])
def test_a_profile_that_could_not_be_kept_is_refused_before_anything_is_touched(spoil: Any, message: str) -> None:
    node, network = machine("networkmanager")
    spoil(network)
    network._read([path for path in node.files if path.startswith(FOLDER)])
    before = (node.snapshot(), network.state())
    with pytest.raises(NodeError, match=message):
        call(node, lagg())
    assert (node.snapshot(), network.state(), node.commands, node.diffs) == (*before, [], [])


def test_a_vlan_without_a_profile_is_refused() -> None:
    node, network = machine("networkmanager")
    path = network.path_of("eth1.10")
    uuid = next(uuid for uuid, profile in network.loaded.items() if profile.path == path)
    del network.loaded[uuid], node.files[path], network.active["eth1.10"]
    network.links["eth1.10"]["addr_info"] = []
    with pytest.raises(NodeError, match="eth1.10 is in no profile of NetworkManager"):
        call(node, lagg())


def test_members_lose_their_own_profiles_but_not_what_says_more_than_can_be_kept() -> None:
    node, network = machine("networkmanager")
    text = "[connection]\nid=free\nuuid=55555555-5555-4555-8555-555555555555\ntype=ethernet\ninterface-name=eth2\n\n[ipv4]\nmethod=auto\n"
    network.write("free.nmconnection", text)
    network.restart()
    node = node.again()
    whole(node, lagg())
    assert FOLDER + "free.nmconnection" not in node.files and network.members("bond1") == ["eth1", "eth2"]
    node, network = machine("networkmanager")
    network.write("free.nmconnection", text + "\n[802-1x]\neap=md5;\n")
    network.restart()
    with pytest.raises(NodeError, match=r"free.nmconnection has \[802-1x\].*leave eth2 as it is"):
        call(node.again(), lagg())


def test_only_what_networkmanager_keeps_itself_counts_as_its_own() -> None:
    node, network = machine("networkmanager")
    assert keepers(node) == {device: ["networkmanager"] for device in network.links}
    network.unmanaged.append("eth2")
    del network.active["eth2"], network.active["eth3"]
    assert sorted(keepers(node)) == ["eth0", "eth1", "eth1.10"]


def test_newer_names_of_sections_and_keys_are_the_older_ones() -> None:
    assert parsed("[connection]\ncontroller = bond1\nport-type=bond\n[802-3-ethernet]\n#y=1\nmtu=1\n") == {
        "connection": {"master": "bond1", "slave-type": "bond"}, "ethernet": {"mtu": "1"}}
