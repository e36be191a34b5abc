# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses on simulated OpenBSD nodes."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import carp_file, ifconfig, virtual_ip
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.openbsd.openbsd_cases import (
    LAN,
    PASSWORD,
    WAN,
    address_options,
    cluster,
    instance,
    run,
    states,
)

MANAGED = "# Managed by hafirewall.cluster, which overwrites changes: virtual addresses of edge\n"
BLOCK = "# BEGIN hafirewall.cluster virtual addresses of edge\nnet.inet.carp.preempt=1\n# END hafirewall.cluster virtual addresses of edge\n"


@pytest.fixture(name="node")
def _node(tmp_path) -> OpenbsdNode:
    return pair(tmp_path)[0]


def carps(node: OpenbsdNode):
    """The devices of CARP, by name: device that carries it, id, skew, base, addresses."""
    shown = node.machine.run(["ifconfig", "-A"]).stdout
    return {one.name: (one.instance.device, one.instance.id, one.instance.advskew, one.instance.advbase, one.addresses) for one in ifconfig.carps(shown)}


def files(node: OpenbsdNode):
    return sorted(path.name for path in node.machine.path("/etc").glob("hostname.carp*"))


def test_each_id_is_a_device_with_a_file_of_its_own(node):
    result, done = run(node, "virtual_ip", address_options(1, instance("lan_10_ipv4", LAN, 10, 100, "192.0.2.1/24", "192.0.2.9/24")))
    assert done == ["sysctl net.inet.carp.preempt=1", "sh /etc/netstart carp10"]
    assert node.read_text("/etc/hostname.carp10") == MANAGED + (
        "inet 192.0.2.1 255.255.255.0 192.0.2.255 vhid 10 carpdev em0 advbase 1 advskew 100 pass %s\n"
        "inet alias 192.0.2.9 255.255.255.0 192.0.2.255\n" % PASSWORD)
    assert node.machine.path("/etc/hostname.carp10").stat().st_mode & 0o777 == 0o640
    assert node.read_text("/etc/sysctl.conf") == BLOCK
    assert carps(node) == {"carp10": ("em0", 10, 100, 1, ("192.0.2.1/24", "192.0.2.9/24"))}
    assert result["validation"] == "passed"


def test_it_is_the_same_after_a_boot(node):
    run(node, "virtual_ip", address_options(0))
    before = carps(node)
    assert [message for message in node.machine.boot() if "ifconfig" in message] == []
    node.machine.clock.advance(30)
    assert carps(node) == before
    assert virtual_ip.apply(node.again(), address_options(0))["drift"] == []


def test_a_setting_is_changed_alone_and_an_active_node_stays_active(tmp_path):
    first, second = pair(tmp_path)
    cluster(first, second)
    seen = []
    first.machine.before_command = lambda argv: seen.append([vhost.state for vhost in first.machine.carp.vhosts.values()])
    wanted = [instance("lan_10_ipv4", LAN, 10, 20, "192.0.2.1/24"), instance("wan_20_ipv4", WAN, 20, 0, "203.0.113.1/24")]
    assert run(first, "virtual_ip", address_options(0, *wanted))[1] == ["ifconfig carp10 advskew 20"]
    assert {tuple(one) for one in seen} == {("MASTER", "MASTER")}


def test_another_password_goes_to_kernel_and_file_and_nobody_sees_it(node):
    run(node, "virtual_ip", address_options(0))
    result, done = run(node, "virtual_ip", address_options(0, password="another-" + PASSWORD))
    assert done == ["ifconfig carp10 pass another-%s" % PASSWORD, "ifconfig carp20 pass another-%s" % PASSWORD]
    assert result["drift"][0] == {"setting": "lan_10_ipv4.password", "is": "other", "wanted": "as stated"}
    assert virtual_ip.apply(node.again(), address_options(0, password=None))["drift"] == []


def test_addresses_come_and_go_without_the_id(node):
    run(node, "virtual_ip", address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24", "192.0.2.9/24")))
    done = run(node, "virtual_ip", address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24", "192.0.2.8/32")))[1]
    assert done == ["ifconfig carp10 inet alias 192.0.2.8 netmask 255.255.255.255", "ifconfig carp10 inet 192.0.2.9 delete"]
    assert carps(node)["carp10"][4] == ("192.0.2.1/24", "192.0.2.8/32")


def test_an_address_that_moves_leaves_its_old_id_first(node):
    def ids(first, second):
        return address_options(0, instance("one", LAN, 10, 0, "192.0.2.1/24", *first), instance("two", LAN, 11, 0, "192.0.2.5/24", *second))

    moving, words = ["192.0.2.9/24"], "inet alias 192.0.2.9 netmask 255.255.255.0 broadcast 192.0.2.255"
    run(node, "virtual_ip", ids(moving, []))
    assert run(node, "virtual_ip", ids([], moving))[1] == ["ifconfig carp10 inet 192.0.2.9 delete", "ifconfig carp11 " + words]
    assert run(node, "virtual_ip", ids(moving, []))[1] == ["ifconfig carp11 inet 192.0.2.9 delete", "ifconfig carp10 " + words]


def test_both_families_of_an_id_are_one_device(node):
    wanted = [instance("lan_10_ipv4", LAN, 10, 0, "192.0.2.1/24"), instance("lan_10_ipv6", LAN, 10, 0, "2001:db8::1/64")]
    run(node, "virtual_ip", address_options(0, *wanted))
    assert files(node) == ["hostname.carp10"]
    assert node.read_text("/etc/hostname.carp10").endswith("inet6 alias 2001:db8::1 64\n")
    assert set(carps(node)["carp10"][4]) == {"192.0.2.1/24", "2001:db8::1/64"}
    with pytest.raises(NodeError, match="id 10 on em0 is one id for CARP"):
        virtual_ip.apply(node.again(), address_options(0, wanted[0], dict(wanted[1], advskew=5)))


def test_an_id_of_ipv6_alone_has_its_words_on_its_first_address(node):
    run(node, "virtual_ip", address_options(0, instance("lan", LAN, 10, 0, "2001:db8::1/64", "2001:db8::9/64")))
    assert node.read_text("/etc/hostname.carp10").split("\n")[1].startswith("inet6 2001:db8::1 64 vhid 10 carpdev em0 ")


def test_the_same_id_on_two_devices_is_two_devices(node):
    run(node, "virtual_ip", address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24"), instance("wan", WAN, 10, 0, "203.0.113.1/24")))
    assert {name: one[:2] for name, one in carps(node).items()} == {"carp10": ("em0", 10), "carp256": ("em2", 10)}


def test_the_number_of_somebody_else_is_not_taken(node):
    theirs = "inet 203.0.113.7 255.255.255.0 NONE vhid 7 carpdev em2 pass other\n"
    node.machine.put("/etc/hostname.carp10", theirs, 0o640)
    node.machine.run(["sh", "/etc/netstart", "carp10"])
    node.machine.run(["ifconfig", "carp20", "create"])
    run(node, "virtual_ip", address_options(0))
    assert {name: one[:2] for name, one in carps(node).items()} == {"carp10": ("em2", 7), "carp256": ("em0", 10), "carp257": ("em2", 20)}
    run(node, "virtual_ip", dict(address_options(0), instances=[]))
    assert (files(node), node.read_text("/etc/hostname.carp10")) == (["hostname.carp10"], theirs)


def test_a_foreign_device_that_says_the_same_is_taken_for_ours_and_stays(node):
    theirs = "# mine\nvhid 10 carpdev em0 pass %s\ninet 192.0.2.1/24\ndescription LAN\n" % PASSWORD
    node.machine.put("/etc/hostname.carp0", theirs, 0o640)
    node.machine.run(["sh", "/etc/netstart", "carp0"])
    options = address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24"))
    assert run(node, "virtual_ip", options)[1] == ["sysctl net.inet.carp.preempt=1"]
    assert (files(node), node.read_text("/etc/hostname.carp0")) == (["hostname.carp0"], theirs)
    assert run(node, "virtual_ip", dict(options, instances=[]))[1] == []


def test_a_foreign_device_with_the_id_is_altered_and_its_file_kept(node):
    theirs = "inet 192.0.2.1 255.255.255.0 192.0.2.255 vhid 10 carpdev em0 advskew 7 pass old-%s\n" % PASSWORD
    node.machine.put("/etc/hostname.carp0", theirs, 0o640)
    node.machine.run(["sh", "/etc/netstart", "carp0"])
    _result, done = run(node, "virtual_ip", address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24")))
    assert done == ["sysctl net.inet.carp.preempt=1", "ifconfig carp0 advskew 0 pass %s" % PASSWORD]
    assert node.read_text("/etc/hostname.carp0.before-hafirewall") == theirs
    assert node.machine.path("/etc/hostname.carp0.before-hafirewall").stat().st_mode & 0o777 == 0o640


def test_a_device_that_somebody_has_destroyed_or_taken_down_comes_back(node):
    run(node, "virtual_ip", address_options(0))
    node.machine.run(["ifconfig", "carp10", "destroy"])
    node.machine.run(["ifconfig", "carp20", "down"])
    assert run(node, "virtual_ip", address_options(0))[1] == ["ifconfig carp20 up", "sh /etc/netstart carp10"]


def test_ids_that_are_not_wanted_go_with_their_files(node):
    node.machine.put("/etc/sysctl.conf", "net.inet.ip.forwarding=1\n")
    run(node, "virtual_ip", address_options(0))
    done = run(node, "virtual_ip", address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24")))[1]
    assert (done, files(node)) == (["ifconfig carp20 destroy"], ["hostname.carp10"])
    run(node, "virtual_ip", dict(address_options(0), instances=[]))
    assert (files(node), carps(node), node.read_text("/etc/sysctl.conf")) == ([], {}, "net.inet.ip.forwarding=1\n")


def test_another_cluster_on_the_node_is_left_alone(node):
    run(node, "virtual_ip", address_options(0))
    run(node, "virtual_ip", dict(address_options(0, instance("dmz", "em3", 30, 0, "198.51.100.1/25")), name="dmz"))
    assert files(node) == ["hostname.carp10", "hostname.carp20", "hostname.carp30"]


def test_one_peer_is_announced_to(tmp_path):
    first, second = pair(tmp_path)
    for number, node in enumerate((first, second)):
        wanted = instance("lan", LAN, 10, number * 100, "192.0.2.1/24", peers=["192.0.2.%d" % (3 - number)])
        run(node, "virtual_ip", address_options(number, wanted, transport="unicast"))
    assert " carppeer 192.0.2.3\n" in first.read_text("/etc/hostname.carp10")
    first.machine.clock.advance(10)
    assert (states(first), states(second)) == (["active"], ["standby"])
    assert run(first, "virtual_ip", address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24")))[1] == ["ifconfig carp10 -carppeer"]


def test_without_preemption_the_kernel_is_told_so(node):
    run(node, "virtual_ip", address_options(0))
    done = run(node, "virtual_ip", address_options(0, preempt=False))[1]
    assert done == ["sysctl net.inet.carp.preempt=0"]
    assert node.read_text("/etc/sysctl.conf") == BLOCK.replace("=1", "=0")


def test_carp_that_is_switched_off_is_switched_on(node):
    node.machine.run(["sysctl", "net.inet.carp.allow=0"])
    assert run(node, "virtual_ip", address_options(0))[1][0] == "sysctl net.inet.carp.allow=1"


@pytest.mark.parametrize(("changes", "message"), [
    ({"instances": [instance("lan", "em9", 10, 0, "192.0.2.1/24")]}, "lan: there is no device em9"),
    ({"instances": [instance("lan", LAN, 10, 255, "192.0.2.1/24")]}, r"instances\[0\].advskew: CARP needs it"),
    ({"instances": [dict(instance("lan", LAN, 10, 0, "192.0.2.1/24"), addresses=[])]}, r"instances\[0\].addresses"),
    ({"instances": [instance("lan", LAN, 10, 0, "192.0.2.1/24", family="ipv6")]}, "192.0.2.1/24 is not of the family ipv6"),
    ({"instances": [instance("lan", LAN, 10, 0, "nowhere")]}, "nowhere is no address"),
    ({"password": None}, "password: CARP needs one"),
    ({"password": "two words"}, "password: netstart would change it"),
    ({"password": "a$HOME"}, "password: netstart would change it"),
    ({"received": True}, "received: no other node"),
    ({"transport": "unicast"}, "CARP announces to one peer"),
    ({"transport": "unicast", "instances": [instance("lan", LAN, 10, 0, "2001:db8::1/64", peers=["2001:db8::3"])]}, "IPv6 addresses by multicast only"),
    ({"instances": [instance("lan", LAN, 10, 0, "203.0.113.2/24")]}, "203.0.113.2/24 is already an address of em2"),
])
def test_what_carp_cannot_have_is_refused_with_nothing_changed(node, changes, message):
    with pytest.raises(NodeError, match=message) as caught:
        virtual_ip.apply(node, address_options(0, **changes) if "instances" not in changes else dict(address_options(0), **changes))
    assert not node.changed and not node.machine.changes() and "HOME" not in str(caught.value)


def test_what_others_have_with_the_id_is_not_taken_away(node):
    node.machine.put("/etc/hostname.carp0", "inet 192.0.2.1 255.255.255.0 NONE vhid 10 carpdev em0 pass x\ninet alias 192.0.2.50 255.255.255.0\n", 0o640)
    node.machine.run(["sh", "/etc/netstart", "carp0"])
    with pytest.raises(NodeError, match="carp0, which this collection did not make, has 192.0.2.50/24 too"):
        virtual_ip.apply(node, address_options(0, instance("lan", LAN, 10, 0, "192.0.2.1/24")))


def test_a_line_of_sysctl_conf_that_says_otherwise_is_an_error_with_its_place(node):
    run(node, "virtual_ip", address_options(0))
    node.machine.put("/etc/sysctl.conf", node.read_text("/etc/sysctl.conf") + "net.inet.carp.preempt=0\n")
    with pytest.raises(NodeError, match="/etc/sysctl.conf:4: net.inet.carp.preempt is set to 0 at boot"):
        virtual_ip.apply(node.again(), address_options(0))


def test_a_device_that_is_to_come_is_good_for_a_prediction(node):
    predicting = node.again(check_mode=True)
    options = address_options(0, instance("lan", "aggr0", 10, 0, "192.0.2.1/24"), coming={"aggr0": LAN})
    assert virtual_ip.apply(predicting, options)["validation"] == "not possible yet: aggr0 is not there"


@pytest.mark.parametrize("words", [["sh", "/etc/netstart", "carp30"], ["ifconfig", "carp10"], ["ifconfig", "carp20", "destroy"]])
def test_a_change_that_fails_leaves_all_as_it_was(node, words):
    run(node, "virtual_ip", address_options(0))
    before = (carps(node), {name: node.read_text("/etc/" + name) for name in files(node)})
    failed = []

    def fail_once(argv):
        if argv[:len(words)] == words and len(argv) > 2 and not failed:
            failed.append(argv)
            raise NodeError("%s failed" % " ".join(words))

    node.machine.before_command = fail_once
    wanted = [instance("lan_10_ipv4", LAN, 10, 50, "192.0.2.1/24", "192.0.2.9/24"), instance("dmz", "em3", 30, 0, "198.51.100.1/25")]
    with pytest.raises(NodeError, match="everything was put back as it was"):
        virtual_ip.apply(node.again(), address_options(0, *wanted))
    assert (carps(node), {name: node.read_text("/etc/" + name) for name in files(node)}) == before
    assert virtual_ip.apply(node.again(), address_options(0))["drift"] == []


def test_a_netstart_that_does_not_do_it_is_an_error_although_it_says_nothing(node):
    node.machine.answer(["sh", "/etc/netstart", "carp20"])
    with pytest.raises(NodeError, match="CARP does not run as configured after 15 s: 203.0.113.1 is not on em2"):
        virtual_ip.apply(node, address_options(0))
    assert (files(node), carps(node), node.read_text("/etc/sysctl.conf")) == ([], {}, None)


@pytest.mark.parametrize(("text", "place", "addresses"), [
    ("inet 192.0.2.1 255.255.255.0 192.0.2.255 vhid 10 carpdev em0 pass x advskew 3", ("em0", 10), ("192.0.2.1/24",)),
    ("vhid 10 carpdev em0\ninet alias 192.0.2.1 0xffffff00\ninet6 2001:db8::1 64\ninet6 alias 2001:db8::2/64\n", ("em0", 10),
     ("192.0.2.1/24", "2001:db8::1/64", "2001:db8::2/64")),
    ("!echo inet 192.0.2.7\n# inet 192.0.2.8\nvhid 1 carpdev em0 description \"vhid 9\"\n", ("em0", 1), ()),
])
def test_a_file_is_read_as_netstart_reads_it(text, place, addresses):
    found = carp_file.parse("carp0", text)
    assert (found.place, found.addresses) == (place, addresses)


@pytest.mark.parametrize("text", ["", "up\n", "vhid 1\n", "carpdev em0 carpnodes 1:0,2:100 balancing ip\n", "inet 192.0.2.1 vhid x carpdev em0\n"])
def test_a_file_that_is_no_single_id_is_none(text):
    assert carp_file.parse("carp0", text) is None
