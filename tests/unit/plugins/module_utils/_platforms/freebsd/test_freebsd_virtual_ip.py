# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses on FreeBSD: CARP on a simulated machine, now and at the next boot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import maintenance, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.modules.virtual_ip import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.interrupted import failing, killed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode, pair
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import node as new_node

SECRET = "s3cret+more"
NETIF, LOADER, SYSCTL, RC_CONF = "/etc/rc.conf.d/netif", "/boot/loader.conf", "/etc/sysctl.conf", "/etc/rc.conf"
DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}


def instance(**changes: Any) -> dict[str, Any]:
    return dict({"name": "lan_10_ipv4", "interface": "em0", "id": 10, "family": "ipv4", "priority": 175, "advskew": 50, "advbase": 1,
                 "addresses": ["192.0.2.1/24"], "source": None, "peers": []}, **changes)


WAN = instance(name="wan_20_ipv4", interface="em2", id=20, addresses=["203.0.113.1/24"])
BOTH = [instance(), WAN]
SIX = instance(name="lan_10_ipv6", family="ipv6", addresses=["2001:db8::1/64"])


def apply(node: FreebsdNode, instances: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return virtual_ip.apply(node, dict(DEFAULTS, name="edge", instances=instances, preempt=True, **dict({"password": SECRET}, **changes)))


def settings(result: dict[str, Any]) -> list[str]:
    return [entry["setting"] for entry in result["drift"]]


def running(node: FreebsdNode) -> list[tuple[str, int, str | None, int, tuple[str, ...]]]:
    return [(item.device, item.id, item.state, item.advskew, item.addresses) for item in carp.running(node)]


def snapshot(node: FreebsdNode) -> tuple[object, ...]:
    files = {str(path.relative_to(node.root)): (path.read_text(), path.stat().st_mode) for path in node.root.rglob("*") if path.is_file()}
    vhids = [(vhid.device, vhid.number, vhid.advbase, vhid.advskew, vhid.password, vhid.peer, vhid.peer6) for vhid in node.machine.carp.vhids.values()]
    addresses = {name: sorted(str(address) for address in one.addresses) for name, one in node.machine.interfaces.items()}
    return files, sorted(vhids), addresses, sorted(node.machine.modules), dict(node.machine.sysctl, **{"net.inet.carp.demotion": ""})


@pytest.fixture(params=["13.3-RELEASE", "14.2-RELEASE", "15.0-RELEASE"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> FreebsdNode:
    return new_node(tmp_path / "fw1", release=request.param)


@pytest.fixture
def one(tmp_path: Path) -> FreebsdNode:
    return new_node(tmp_path / "fw1")


def reboot(node: FreebsdNode, seconds: float = 10.0) -> FreebsdNode:
    node.machine.boot()
    node.machine.clock.advance(seconds)
    return node.again()


# Making them


def test_a_bare_node_gets_everything_and_a_second_run_only_reads(node: FreebsdNode) -> None:
    result = apply(node, BOTH)
    assert (settings(result), result["validation"]) == ([
        "module carp", "net.inet.carp.preempt", "block in /boot/loader.conf", "block in /etc/sysctl.conf", "lan_10_ipv4", "wan_20_ipv4"], "passed")
    node.machine.clock.advance(10)
    assert running(node) == [("em0", 10, "active", 50, ("192.0.2.1",)), ("em2", 20, "active", 50, ("203.0.113.1",))]
    assert node.machine.text(NETIF) == (
        "# BEGIN hafirewall.cluster virtual_ip edge\n"
        "# lan_10_ipv4\n"
        'ifconfig_em0_aliases="${ifconfig_em0_aliases} inet 192.0.2.1/24 vhid 10 advbase 1 advskew 50 pass s3cret+more"\n'
        "# wan_20_ipv4\n"
        'ifconfig_em2_aliases="${ifconfig_em2_aliases} inet 203.0.113.1/24 vhid 20 advbase 1 advskew 50 pass s3cret+more"\n'
        "# END hafirewall.cluster virtual_ip edge\n")
    assert node.machine.path(NETIF).stat().st_mode & 0o777 == 0o600
    again, before = node.again(), len(node.machine.commands)
    assert apply(again, BOTH) == {"drift": [], "validation": "not needed"}
    assert (again.changed, node.machine.changes(before)) == (False, [])


def test_the_next_boot_brings_the_same(node: FreebsdNode) -> None:
    apply(node, BOTH)
    node.machine.clock.advance(10)
    before = snapshot(node)
    again = reboot(node)
    assert snapshot(again) == before and running(again) == running(node) and [item[2] for item in running(again)] == ["active", "active"]
    assert (apply(again, BOTH)["drift"], again.changed) == ([], False)


def test_with_a_module_in_the_kernel_the_loader_has_nothing_to_load(tmp_path: Path) -> None:
    node = new_node(tmp_path / "fw1", builtin=("carp",))
    assert settings(apply(node, BOTH))[:2] == ["net.inet.carp.preempt", "block in /etc/sysctl.conf"]
    assert node.machine.text(LOADER) == "" and not [line for line in node.commands if "kldload" in line]


def test_a_pair_has_one_active_node_for_each_address(tmp_path: Path) -> None:
    first, second = pair(tmp_path)
    apply(second, [dict(item, advskew=100) for item in BOTH])
    apply(first, [dict(item, advskew=0) for item in BOTH])
    first.machine.clock.advance(10)
    assert [item[2] for item in running(first)] == ["active"] * 2 and [item[2] for item in running(second)] == ["standby"] * 2


INTENTS = [BOTH, [instance(advskew=100)], [instance(addresses=["192.0.2.9/24"]), WAN], [instance(id=30), WAN], []]


@pytest.mark.parametrize("instances", INTENTS)
def test_check_mode_predicts_and_touches_nothing(node: FreebsdNode, instances: list[dict[str, Any]]) -> None:
    if instances != BOTH:
        apply(node, BOTH)
    check, real, before = node.again(check_mode=True), node.again(), snapshot(node)
    predicted = apply(check, instances)
    assert snapshot(node) == before
    assert apply(real, instances) == predicted and predicted["drift"]
    assert (check.commands, check.diffs) == (real.commands, real.diffs)
    assert (apply(node.again(), instances)["drift"]) == []


def test_the_password_is_nowhere_to_be_seen(one: FreebsdNode) -> None:
    shown = [apply(one, BOTH), one.commands, one.diffs]
    other = one.again()
    shown += [apply(other, BOTH, password="another"), other.commands, other.diffs]
    off = one.again()
    shown += [apply(off, []), off.commands, off.diffs]
    assert "s3cret" not in repr(shown) and "another" not in repr(shown)
    assert "pass ********" in repr(shown)


def test_no_file_that_others_can_read_has_the_password(one: FreebsdNode) -> None:
    apply(one, BOTH)
    having = [path for path in one.root.rglob("*") if path.is_file() and SECRET in path.read_text()]
    assert [(str(path.relative_to(one.root)), path.stat().st_mode & 0o777) for path in having] == [(NETIF[1:], 0o600)]
    one.machine.path(NETIF).chmod(0o644)
    again = one.again()
    assert apply(again, BOTH)["drift"] == [{"setting": "permissions of /etc/rc.conf.d/netif", "is": "other", "wanted": "0600"}]
    assert one.machine.path(NETIF).stat().st_mode & 0o777 == 0o600 and again.commands == []


def test_a_password_is_changed_where_it_differs_and_kept_where_none_is_stated(one: FreebsdNode) -> None:
    apply(one, BOTH)
    assert apply(one.again(), BOTH, password=None)["drift"] == []
    again = one.again()
    assert apply(again, BOTH, password="another")["drift"] == [
        {"setting": "%s.password" % name, "is": "other", "wanted": "as stated"} for name in ("lan_10_ipv4", "wan_20_ipv4")]
    assert again.commands == ["ifconfig em0 vhid 10 pass ********", "ifconfig em2 vhid 20 pass ********"]
    assert {vhid.password for vhid in one.machine.carp.vhids.values()} == {"another"}


def test_a_password_that_the_kernel_has_otherwise_is_set_again(one: FreebsdNode) -> None:
    apply(one, BOTH)
    one.machine.run(["ifconfig", "em0", "vhid", "10", "pass", "else"])
    assert apply(one.again(), BOTH)["drift"] == [{"setting": "lan_10_ipv4 as running", "is": "other settings", "wanted": "as configured"}]
    assert {vhid.password for vhid in one.machine.carp.vhids.values()} == {SECRET}


# Changing them


def test_an_active_id_whose_skew_changes_stays_active(one: FreebsdNode) -> None:
    apply(one, BOTH)
    one.machine.clock.advance(10)
    again, said = one.again(), len(one.machine.dmesg)
    assert settings(apply(again, [instance(advskew=0), WAN])) == ["lan_10_ipv4.advskew"]
    assert again.commands == ["ifconfig em0 vhid 10 advskew 0"] and one.machine.dmesg[said:] == []


def test_an_address_that_changes_comes_before_the_old_one_goes_and_the_id_stays_active(one: FreebsdNode) -> None:
    apply(one, BOTH)
    one.machine.clock.advance(10)
    again = one.again()
    assert settings(apply(again, [instance(addresses=["192.0.2.9/25"]), WAN])) == ["lan_10_ipv4.addresses"]
    assert again.commands == ["ifconfig em0 inet 192.0.2.9/25 vhid 10 advbase 1 advskew 50 pass ******** alias", "ifconfig em0 inet 192.0.2.1 -alias"]
    assert running(one)[0] == ("em0", 10, "active", 50, ("192.0.2.9",))


def test_an_id_may_have_several_addresses_of_both_families(one: FreebsdNode) -> None:
    one.machine.put(RC_CONF, one.machine.text(RC_CONF) + 'ifconfig_em0_ipv6="inet6 2001:db8::2/64"\n')
    node = reboot(one)
    both = [instance(addresses=["192.0.2.1/24", "192.0.2.9/24"]), SIX]
    assert "lan_10_ipv4 and lan_10_ipv6" in settings(apply(node, both))
    found = reboot(node)
    assert running(found) == [("em0", 10, "active", 50, ("192.0.2.1", "192.0.2.9", "2001:db8::1"))]
    assert (apply(found, both)["drift"], found.changed) == ([], False)


def test_only_what_is_ours_is_removed(one: FreebsdNode) -> None:
    one.machine.put(RC_CONF, one.machine.text(RC_CONF) + 'ifconfig_em0_alias0="inet 192.0.2.77/24"\nifconfig_em0_alias1="inet 192.0.2.78/24 vhid 7 pass x"\n')
    node = reboot(one)
    node.machine.run(["kldload", "carp"])
    node = reboot(node)
    apply(node, BOTH)
    virtual_ip.apply(node.again(), dict(DEFAULTS, name="other", instances=[instance(id=12, name="theirs", addresses=["192.0.2.6/24"])], password=SECRET,
                                        preempt=True))
    off = node.again()
    assert settings(apply(off, [])) == ["block in /boot/loader.conf", "block in /etc/sysctl.conf", "edge: lan_10_ipv4", "edge: wan_20_ipv4"]
    text = str(running(node)) + str(node.machine.text(NETIF))
    assert "192.0.2.6" in text and "192.0.2.1/" not in text and "203.0.113.1" not in text
    assert 'alias1="inet 192.0.2.78/24 vhid 7 pass x"' in str(node.machine.text(RC_CONF))
    assert (apply(node.again(), [])["drift"]) == []


def test_where_all_is_gone_the_files_are_as_they_were(one: FreebsdNode) -> None:
    before = snapshot(one)[0]
    apply(one, BOTH)
    apply(one.again(), [])
    assert snapshot(one)[0] == before and running(one) == []


def test_a_folder_for_netif_gets_a_file_of_ours(one: FreebsdNode) -> None:
    one.machine.put(NETIF + "/mine", 'ifconfig_em0_alias0="inet 192.0.2.77/24"\n')
    apply(one, BOTH)
    assert "vhid 10" in str(one.machine.text(NETIF + "/hafirewall_cluster"))
    assert [item[1] for item in running(reboot(one))] == [10, 20]


# What others have set up


def other(one: FreebsdNode, lines: str, path: str = RC_CONF) -> FreebsdNode:
    one.machine.put(LOADER, 'carp_load="YES"\n')
    one.machine.put(path, (one.machine.text(path) or "") + lines)
    return reboot(one)


def test_what_somebody_has_set_up_just_so_is_left_to_them(one: FreebsdNode) -> None:
    node = other(one, 'ifconfig_em0_alias0="inet vhid 10 advskew 50 pass %s alias 192.0.2.1/24"\n' % SECRET)
    assert "lan_10_ipv4" not in settings(apply(node, BOTH))
    assert "192.0.2.1" not in str(node.machine.text(NETIF)) and "203.0.113.1" in str(node.machine.text(NETIF))
    assert apply(node.again(), [])["drift"] and [item[1] for item in running(node)] == [10]


def test_a_password_of_theirs_may_have_what_ours_may_not(one: FreebsdNode) -> None:
    node = other(one, 'ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 10 advskew 50 pass a-b"\n')
    apply(node, [instance()], password=None)
    assert (apply(node.again(), [instance()], password=None)["drift"], node.machine.text(NETIF)) == ([], None)


@pytest.mark.parametrize(("line", "problem"), [
    ('ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 10 advskew 100 pass s3cret+more"', "advskew 100, and wanted is 50"),
    ('ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 10 pass s3cret+more"', "advskew 0, and wanted is 50"),
    ('ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 10 advskew 50 advbase 2 pass s3cret+more"', "advbase 2, and wanted is 1"),
    ('ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 10 advskew 50 pass other"', "with another password"),
    ('ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 10 advskew 50 peer 192.0.2.3"', "peer 192.0.2.3, and wanted is none"),
    ('ifconfig_em0_alias0="inet 192.0.2.1/25 vhid 10 advskew 50"', "the address 192.0.2.1/25"),
    ('ifconfig_em0_aliases="inet 192.0.2.5/24 vhid 10 advskew 50"', "the address 192.0.2.5/24"),
    ('ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 11"', "sets up 192.0.2.1 on em0 with vhid 11 at boot; remove that"),
    ('ifconfig_em3_alias0="inet 192.0.2.1/32"', "sets up 192.0.2.1 on em3 at boot; remove that"),
])
def test_what_somebody_has_set_up_otherwise_is_an_error_with_file_and_line(one: FreebsdNode, line: str, problem: str) -> None:
    node = other(one, line + "\n", RC_CONF + ".local")
    before = snapshot(node)
    with pytest.raises(NodeError, match="lan_10_ipv4: /etc/rc.conf.local:1 sets up .*") as error:
        apply(node, BOTH)
    assert problem in str(error.value) and "s3cret" not in str(error.value)
    assert (snapshot(node), node.changed) == (before, False)


@pytest.mark.parametrize(("words", "problem"), [
    ("inet 192.0.2.1/24 alias", "192.0.2.1/24 is already an address of em0, and no file"),
    ("inet 192.0.2.1/24 vhid 11 alias", "192.0.2.1/24 is already an address of em0 with vhid 11"),
    ("inet 192.0.2.5/24 vhid 10 alias", "run: ifconfig em0 inet 192.0.2.5 -alias"),
])
def test_what_somebody_made_by_hand_is_an_error(one: FreebsdNode, words: str, problem: str) -> None:
    one.machine.run(["kldload", "carp"])
    one.machine.run(["ifconfig", "em0", *words.split()])
    with pytest.raises(NodeError, match=problem):
        apply(one, BOTH)
    assert not one.changed


@pytest.mark.parametrize(("path", "line", "problem"), [
    (SYSCTL + ".local", "net.inet.carp.preempt=0", r"/etc/sysctl\.conf\.local:1: net\.inet\.carp\.preempt is set to 0 at boot, and wanted is 1"),
    (SYSCTL, "net.inet.carp.allow=0", r"/etc/sysctl\.conf:1: net\.inet\.carp\.allow is set to 0"),
    (LOADER + ".local", 'carp_load="NO"', r"/boot/loader\.conf\.local:1: carp_load is set to NO"),
])
def test_lines_that_would_undo_it_at_boot_are_an_error(one: FreebsdNode, path: str, line: str, problem: str) -> None:
    one.machine.put(path, line + "\n")
    with pytest.raises(NodeError, match=problem):
        apply(one, BOTH)
    assert not one.changed


@pytest.mark.parametrize("path", [NETIF + "/zz", "/usr/local/etc/rc.conf.d/netif"])
def test_a_list_of_addresses_that_is_assigned_anew_behind_ours_is_an_error(one: FreebsdNode, path: str) -> None:
    one.machine.put(path, "# mine\nifconfig_em0_aliases='inet 192.0.2.200/32'\n")
    with pytest.raises(NodeError, match="lan_10_ipv4: %s:2 assigns ifconfig_em0_aliases without what it has so far" % path):
        apply(one, BOTH)
    assert not one.changed


def test_so_is_one_behind_ours_in_the_same_file(one: FreebsdNode) -> None:
    apply(one, BOTH)
    one.machine.put(NETIF, (one.machine.text(NETIF) or "") + "ifconfig_em2_aliases='inet 203.0.113.200/32'\n")
    with pytest.raises(NodeError, match="wan_20_ipv4: /etc/rc.conf.d/netif:[0-9]+ assigns ifconfig_em2_aliases"):
        apply(one.again(), BOTH)


@pytest.mark.parametrize(("path", "line"), [
    (NETIF + "/aa", 'ifconfig_em0_aliases="inet 192.0.2.200/32"'), (NETIF + "/zz", 'ifconfig_em0_aliases="$ifconfig_em0_aliases inet 192.0.2.200/32"'),
    (NETIF + "/zz", 'ifconfig_em3_aliases="inet 192.0.2.200/32"'), ("/etc/rc.conf.d/network", 'ifconfig_em0_aliases="inet 192.0.2.200/32"'),
])
def test_what_takes_none_of_ours_away_is_fine(one: FreebsdNode, path: str, line: str) -> None:
    one.machine.put(path, line + "\n")
    apply(one, BOTH)
    assert [item[1] for item in running(reboot(one))] == [10, 20]


def test_the_files_of_what_is_installed_are_read_too(one: FreebsdNode) -> None:
    one.machine.put("/usr/local/etc/rc.conf.d/netif", 'ifconfig_em0_alias0="inet 192.0.2.1/24"\n')
    with pytest.raises(NodeError, match="/usr/local/etc/rc.conf.d/netif:1 sets up 192.0.2.1"):
        apply(one, BOTH)


def test_the_permissions_of_files_of_others_stay(one: FreebsdNode) -> None:
    one.machine.path(LOADER).chmod(0o600)
    apply(one, BOTH)
    assert one.machine.path(LOADER).stat().st_mode & 0o777 == 0o600


# As it runs


def test_what_is_configured_but_does_not_run_is_set_up_again(one: FreebsdNode) -> None:
    apply(one, BOTH)
    one.machine.run(["ifconfig", "em0", "inet", "192.0.2.1", "-alias"])
    again, before = one.again(), snapshot(one)[0]
    assert apply(again, BOTH)["drift"] == [{"setting": "lan_10_ipv4 as running", "is": "absent", "wanted": "as configured"}]
    assert (snapshot(one)[0], again.diffs, running(one)[0][:2]) == (before, [], ("em0", 10))


def test_carp_that_is_switched_off_is_switched_on(one: FreebsdNode) -> None:
    apply(one, BOTH)
    one.machine.run(["sysctl", "net.inet.carp.allow=0"])
    assert apply(one.again(), BOTH)["drift"] == [{"setting": "CARP switched on", "is": False, "wanted": True}]
    assert [item[2] for item in running(one)] == ["standby", "standby"]


def test_in_maintenance_nothing_is_to_be_done(tmp_path: Path) -> None:
    first, second = pair(tmp_path)
    apply(second, [dict(item, advskew=100) for item in BOTH])
    apply(first, BOTH)
    first.machine.clock.advance(10)
    maintenance.apply(first.again(), {"state": "enabled", "persistent": True})
    again = first.again()
    assert (apply(again, BOTH)["drift"], again.changed) == ([], False)
    assert maintenance.observe(first) is True


# Unicast


def test_every_command_names_the_peer(one: FreebsdNode) -> None:
    lan = instance(peers=["192.0.2.3"], addresses=["192.0.2.1/24", "192.0.2.9/24"])
    apply(one, [lan], transport="unicast")
    assert "pass s3cret+more peer 192.0.2.3" in str(one.machine.text(NETIF))
    assert [vhid.peer for vhid in one.machine.carp.vhids.values()] == ["192.0.2.3"]
    apply(one.again(), [dict(lan, advskew=7)], transport="unicast")
    assert [(vhid.peer, vhid.advskew) for vhid in one.machine.carp.vhids.values()] == [("192.0.2.3", 7)]
    assert settings(apply(one.again(), [dict(lan, advskew=7)])) == ["lan_10_ipv4.peer"]
    assert [vhid.peer for vhid in one.machine.carp.vhids.values()] == ["224.0.0.18"]


def test_before_freebsd_14_there_is_no_unicast(tmp_path: Path) -> None:
    node = new_node(tmp_path / "fw1", release="13.3-RELEASE")
    with pytest.raises(NodeError, match="transport: CARP announces by multicast only before FreeBSD 14"):
        apply(node, [instance(peers=["192.0.2.3"])], transport="unicast")
    assert not node.changed


# What is refused, and bad moments


@pytest.mark.parametrize(("instances", "changes", "problem"), [
    ([instance(interface="em7")], {}, "lan_10_ipv4: there is no device em7 on this node; those there are: em0, em1"),
    ([WAN, instance(addresses=[])], {}, r"instances\[1\]\.addresses: an id has one address or more"),
    ([instance(advskew=None)], {}, r"instances\[0\]\.advskew: CARP needs it, from 0 to 254, and it is None"),
    ([WAN, instance(advbase=0)], {}, r"instances\[1\]\.advbase: CARP needs it, from 1 to 254, and it is 0"),
    ([instance(addresses=["2001:db8::1/64"])], {}, r"instances\[0\]\.addresses: 2001:db8::1/64 is no address of the family ipv4"),
    ([instance(addresses=["nonsense"])], {}, r"instances\[0\]\.addresses: nonsense is no address"),
    ([instance(), dict(SIX, advskew=7)], {}, r"instances\[1\]: id 10 on em0 is one id for CARP, and its entries differ in advskew"),
    ([instance(), dict(WAN, addresses=["203.0.113.1/24", "192.0.2.1/25"])], {}, r"instances\[1\]\.addresses: 192\.0\.2\.1 is stated twice"),
    ([instance(addresses=["192.0.2.1/24", "192.0.2.1/25"])], {}, r"instances\[0\]\.addresses: 192\.0\.2\.1 is stated twice"),
    ([SIX], {}, "lan_10_ipv6: .* only on a device that has ifconfig_em0_ipv6 in rc.conf"),
    ([instance(peers=["192.0.2.3", "192.0.2.4"])], {"transport": "unicast"}, r"instances\[0\]\.peers: CARP announces to one address"),
    ([instance(peers=["2001:db8::3"])], {"transport": "unicast"}, r"instances\[0\]\.peers: CARP announces to one address of the family ipv4"),
    (BOTH, {"received": True}, "received: no other node sends"),
    (BOTH, {"password": None}, "password: CARP needs one, the same on all nodes, and lan_10_ipv4 has none yet"),
    *((BOTH, {"password": word}, "password: FreeBSD's start scripts would change it")
      for word in ("a b", "$x", "it's", "inet", "a-b", "9-9", "back`", "", "line\n")),
])
def test_what_cannot_be_is_an_error_and_nothing_is_changed(one: FreebsdNode, instances: list[dict[str, Any]], changes: dict[str, Any], problem: str) -> None:
    before = snapshot(one)
    with pytest.raises(NodeError, match=problem):
        apply(one, instances, **changes)
    assert (snapshot(one), one.changed, one.machine.changes()) == (before, False, [])


def test_a_device_on_which_ipv6_is_switched_off_is_an_error(one: FreebsdNode) -> None:
    one.machine.put(RC_CONF, one.machine.text(RC_CONF) + 'ifconfig_em0_ipv6="inet6 auto_linklocal"\n')
    with pytest.raises(NodeError, match="lan_10_ipv6: IPv6 is switched off on em0 now; run: ifconfig em0 inet6 -ifdisabled"):
        apply(one, [SIX])
    assert not one.changed


def test_what_ifconfig_says_besides_passwords_is_told_when_it_fails(one: FreebsdNode) -> None:
    one.machine.answer(["ifconfig", "-ak"], 1, 'carp: MASTER vhid 1 key "s3cret"', "ifconfig: no\n")
    with pytest.raises(NodeError, match="^ifconfig -ak exited with status 1 and said: ifconfig: no$"):
        apply(one, BOTH)


def test_a_device_that_the_same_run_makes_may_be_absent_in_check_mode(one: FreebsdNode) -> None:
    check = one.again(check_mode=True)
    assert "lan_10_ipv4" in settings(apply(check, [instance(interface="lagg0"), WAN], coming={"lagg0": "em0"}))
    with pytest.raises(NodeError, match="no device lagg0"):
        apply(one, [instance(interface="lagg0"), WAN], coming={"lagg0": "em0"})


@pytest.mark.parametrize("instances", INTENTS)
def test_what_fails_on_the_way_is_taken_back_as_a_whole(node: FreebsdNode, instances: list[dict[str, Any]]) -> None:
    if instances != BOTH:
        apply(node, [WAN, instance()])
        node.machine.clock.advance(10)
    before, count = snapshot(node), commands(node, instances)
    assert count
    for number in range(count):
        with failing(node, number), pytest.raises(NodeError, match=r"everything was put back as it was"):
            apply(node.again(), instances)
        assert snapshot(node) == before


def commands(node: FreebsdNode, instances: list[dict[str, Any]]) -> int:
    """How many commands a run will change things with."""
    check = node.again(check_mode=True)
    apply(check, instances)
    return len(check.commands)


@pytest.mark.parametrize("instances", INTENTS)
def test_a_run_that_is_cut_off_anywhere_is_completed_by_the_next_one(node: FreebsdNode, instances: list[dict[str, Any]]) -> None:
    if instances != BOTH:
        apply(node, [WAN, instance()])
    for number in range(commands(node, instances)):
        cut = node.again()
        with killed(cut, number):
            apply(cut, instances)
        for one in node.machine.interfaces.values():
            assert all(address.vhid is not None for address in one.addresses if address.host in ("192.0.2.1", "192.0.2.9", "203.0.113.1"))
        apply(node.again(), instances)
        assert [(item[0], item[1], item[4]) for item in running(node)] == sorted(
            (item["interface"], item["id"], tuple(address.split("/")[0] for address in item["addresses"])) for item in instances)
        assert (apply(node.again(), instances)["drift"]) == []
        apply(node.again(), [WAN, instance()] if instances != BOTH else [])


def test_what_a_cut_off_run_began_is_gone_when_it_is_not_wanted_any_more(one: FreebsdNode) -> None:
    apply(one, [])
    for number in range(commands(one, BOTH)):
        cut = one.again()
        with killed(cut, number):
            apply(cut, BOTH)
        apply(one.again(), [WAN])
        assert [item[4] for item in running(one)] == [("203.0.113.1",)] and "192.0.2.1" not in str(one.machine.text(NETIF))
        apply(one.again(), [])


def test_addresses_in_no_state_are_an_error(one: FreebsdNode) -> None:
    one.machine.network.cut("em0")
    before = snapshot(one)
    with pytest.raises(NodeError, match="CARP does not run as configured after 15 s: lan_10_ipv4 on em0 is init.*everything was put back"):
        apply(one, BOTH)
    assert snapshot(one) == before


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell here")
def test_a_real_shell_reads_the_file_as_it_is_meant_and_keeps_what_was_in_the_list(one: FreebsdNode) -> None:
    password = "aZ09_.,:+=@%/^x-"
    apply(one, [instance(addresses=["192.0.2.1/24", "192.0.2.9/24"])], password=password)
    script = 'set -e; ifconfig_em0_aliases="inet 192.0.2.77/24"; . "$1"; echo $ifconfig_em0_aliases; eval "echo $ifconfig_em0_aliases"'
    done = subprocess.run(["sh", "-c", script, "sh", str(one.machine.path(NETIF))], capture_output=True, text=True, check=True)
    line = "inet 192.0.2.77/24" + "".join(" inet 192.0.2.%d/24 vhid 10 advbase 1 advskew 50 pass %s" % (host, password) for host in (1, 9))
    assert done.stdout.splitlines() == [line, line]
