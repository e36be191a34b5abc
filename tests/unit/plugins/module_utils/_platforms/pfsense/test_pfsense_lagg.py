# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on pfSense, on each generation of the product's functions: what is predicted happens, a second run is silent, and whatever goes wrong leads back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, devices, lagg_flow, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import AT_BOOT, FOLDER, RUNNING
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import lagg, move, plain
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG, CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import HaltedAtAssignment, PfsenseNode
from pfsense_lagg_cases import call, whole

VLANS = """\t<vlans>
\t\t<vlan>
\t\t\t<if>em0</if>
\t\t\t<tag>10</tag>
\t\t\t<pcp></pcp>
\t\t\t<descr><![CDATA[Größe &amp; Co]]></descr>
\t\t\t<vlanif>em0.10</vlanif>
\t\t</vlan>
\t</vlans>
"""
OPT2 = """\t\t<opt2>
\t\t\t<enable></enable>
\t\t\t<if>em0.10</if>
\t\t\t<descr><![CDATA[DMZ]]></descr>
\t\t\t<ipaddr>198.51.100.2</ipaddr>
\t\t\t<subnet>27</subnet>
\t\t</opt2>
\t</interfaces>
"""
PORTS = {"em0": [], "em1": [], "em2": [], "em3": [], "lo0": ["127.0.0.1/8"]}  # type: dict[str, list[str]]
HASYNC = "\t<hasync>\n\t\t<pfsyncenabled>on</pfsyncenabled>\n\t\t<pfsyncinterface>opt1</pfsyncinterface>\n\t\t<pfsyncpeerip></pfsyncpeerip>\n\t</hasync>\n"
CAME_IN = "203.0.113.9 50000 %s 22"


def configured(text: str = CONFIG) -> str:
    return text.replace("\t</interfaces>\n", OPT2 + VLANS)


@pytest.fixture
def booted(make: Callable[..., PfsenseNode], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., PfsenseNode]]:
    """Makes a node that has started with its configuration: em0 is the WAN with VLAN 10, em1 the LAN, em2 Sync, em3 is free. One comes in by em1."""
    nodes: list[PfsenseNode] = []

    def booted(release: str = "2.7.2-RELEASE", config: str = "", came_in: str = "192.0.2.2") -> PfsenseNode:
        node = make(release, config=config or configured(), interfaces=PORTS)
        nodes.append(node)
        assert node.boot() == []
        node.php("write_config('as the product writes it');")
        monkeypatch.setenv("SSH_CONNECTION", CAME_IN % came_in)
        node.kernel(told=dict(node.kernel()["told"], **{"route -n get 203.0.113.9": "  interface: em1\n"}))
        return node

    yield booted
    for node in nodes:
        node.lose_power()  # a way back that is armed would wait on


def rows(node: PfsenseNode) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in devices.rows(devices.links(node), {}, {})}


def without_revision(node: PfsenseNode) -> str:
    return re.sub(r"<revision>.*</revision>", "", node.config, flags=re.DOTALL)


def as_it_runs(node: PfsenseNode) -> tuple[Any, ...]:
    """All but whether the port that was free is up, for it stays so, and the VLAN on nothing that the product leaves when it makes one twice: from 2.8 on it
    makes those of a LAGG as it makes the LAGG, and does not see in its list of devices what it has made since it asked for that."""
    running = pfsync.running(node)
    found = {name: {key: value for key, value in row.items() if name != "em3" or key not in ("up", "speed")} for name, row in rows(node).items()
             if row["kind"] != "other"}
    return found, carp.running(node), (running.device, running.peer, running.up), node.kernel()["sysctl"]["net.inet.carp.demotion"]


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.wait(60)


def test_an_interface_goes_onto_a_lagg_with_its_vlan_as_predicted_and_stays_there(booted: Callable[..., PfsenseNode], generation: str) -> None:
    node = booted(generation)
    before, ran = without_revision(node), as_it_runs(node)
    predicted = node.again(check_mode=True)
    [told] = whole(predicted, lagg())
    assert (without_revision(node), as_it_runs(node), Guard(node).armed()) == (before, ran, False)
    done = whole(node, lagg())
    assert [result["next"] for result in done] == ["wait", "confirm", None] and done[2]["confirmed"] == ["lagg0"]
    assert (told["drift"], predicted.commands, predicted.diffs) == (done[0]["drift"], node.commands, node.diffs) != ([], [], [])
    found = rows(node)
    assert (found["lagg0"]["lagg"]["members"], found["lagg0"]["lagg"]["primary"], found["lagg0"]["addresses"]) == (["em0", "em3"], "em0", ["203.0.113.2/24"])
    assert (found["lagg0.10"]["vlan"], found["lagg0.10"]["addresses"]) == ({"id": 10, "parent": "lagg0"}, ["198.51.100.2/27"])
    assert "em0.10" not in found and (found["em0"]["addresses"], found["em0"]["master"]) == ([], "lagg0")
    # Every byte that is not ours is as it was.
    element = re.search(r"\t<laggs>.*</laggs>\n", node.config, re.DOTALL)
    assert element is not None and "<members>em0,em3</members>" in element[0] and "<failovermaster>em0</failovermaster>" in element[0]
    assert without_revision(node).replace(element[0], "").replace("lagg0", "em0") == before
    assert not Guard(node).armed() and node.read_text(AT_BOOT) is None and not list((node.root / FOLDER[1:]).iterdir())
    # The machine starts again as it was left, and a second run does nothing.
    ran = as_it_runs(node)
    assert node.boot() == [] and as_it_runs(node) == ran
    second(node)


def second(node: PfsenseNode, **changes: Any) -> None:
    """A run that finds nothing to do, with and without the moves that there were."""
    for wanted in (lagg(**changes), lagg(moves=[], **changes)):
        again, before = node.again(), node.config
        assert call(again, wanted) == {"drift": [], "validation": "not needed", "next": None, "within": None, "confirmed": [], "put_back": [], "warnings": []}
        assert (again.commands, again.diffs, again.config) == ([], [], before)


def test_the_settings_of_a_lagg_change_and_what_is_on_it_stays(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    first: dict[str, Any] = {"protocol": "lacp", "primary": None, "hash": "l3+l4", "lacp_rate": "fast", "mtu": 1400}
    whole(node, lagg(**first))
    second(node, **first)
    before = rows(node)
    assert before["lagg0"]["lagg"]["lacp_rate"] == "fast"
    whole(node.again(), lagg(moves=[], members=["em0"]))
    after = rows(node)
    assert (after["lagg0"]["lagg"]["protocol"], after["lagg0"]["lagg"]["members"]) == ("failover", ["em0"])
    assert [after[name]["addresses"] for name in ("lagg0", "lagg0.10")] == [before[name]["addresses"] for name in ("lagg0", "lagg0.10")]
    assert "lacptimeout" not in node.config and "lagghash" not in node.config


def test_several_laggs_are_one_change_and_pfsync_follows(booted: Callable[..., PfsenseNode]) -> None:
    node = booted(config=configured(CONFIG.replace("\t<filter>\n", HASYNC + "\t<filter>\n")))
    wanted = [lagg(members=["em0"]), plain(name="lagg1", members=["em2"], primary="em2", moves=[move("em2", "lagg1")])]
    predicted = node.again(check_mode=True)
    [told] = whole(predicted, *wanted)
    done = whole(node, *wanted)
    assert (told["drift"], predicted.commands) == (done[0]["drift"], node.commands)
    assert [item["confirmed"] for item in done] == [[], [], ["lagg0", "lagg1"]]
    assert pfsync.running(node).device == "lagg1"
    assert len([command for command in node.commands if command.startswith("write_config")]) == 1


# Handing over


def with_carp(booted: Callable[..., PfsenseNode], peer_advskew: int | None, release: str = "2.7.2-RELEASE") -> PfsenseNode:
    node = booted(release, CARP_CONFIG.replace("\t<filter>\n", HASYNC + "\t<filter>\n"))
    node.boot_carp(peer_advskew)
    return node


WAN = plain(members=["em0"])


def test_a_standby_moves_with_its_virtual_addresses(booted: Callable[..., PfsenseNode], generation: str) -> None:
    node = with_carp(booted, 0, generation)
    before = {(item.id, item.addresses) for item in carp.running(node)}
    whole(node, WAN)
    assert {(item.id, item.addresses) for item in carp.running(node)} == before
    assert {item.device for item in carp.running(node) if item.id == 20} == {"lagg0"}
    assert not [command for command in node.commands if "demotion" in command]


def test_an_active_node_is_not_touched_where_nobody_can_take_over(booted: Callable[..., PfsenseNode], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lagg_flow, "HAND_OVER", 1.0)
    node = with_carp(booted, None)
    before = (node.config, as_it_runs(node))
    for peer_ready, words in ((False, "no other node is known to be able to take over"), (True, "the other node did not take over 203.0.113.1 within 4 s")):
        with pytest.raises(NodeError, match=words):
            call(node, WAN, peer_ready=peer_ready, rollback_timeout=2)
        assert (node.config, as_it_runs(node)) == before and not Guard(node).armed() and node.read_text(AT_BOOT) is None


def test_an_active_node_hands_over_first_and_takes_its_addresses_back_when_all_is_done(booted: Callable[..., PfsenseNode]) -> None:
    node = with_carp(booted, 100)
    assert {item.state for item in carp.running(node)} == {"active"}
    node.kernel("pfsync", syncok=1)
    call(node, WAN, peer_ready=True)
    call(node, WAN, peer_ready=True, stage="wait")
    assert {item.state for item in carp.running(node)} == {"standby"}
    assert call(node, WAN, peer_ready=True, stage="confirm")["confirmed"] == ["lagg0"]
    assert {item.state for item in carp.running(node)} == {"active"}
    assert node.kernel()["sysctl"]["net.inet.carp.demotion"] == "0"


# What must not be


def test_the_path_of_the_connection_moves_with_consent_only(booted: Callable[..., PfsenseNode]) -> None:
    node = booted(came_in="203.0.113.2")
    before = (node.config, as_it_runs(node))
    with pytest.raises(NodeError, match="the connection of this run comes in by em0 and em1, which the change of lagg0 would interrupt"):
        call(node, lagg())
    assert (node.config, as_it_runs(node)) == before and not Guard(node).armed()
    assert [result["next"] for result in whole(node, lagg(consent=True))] == ["wait", "confirm", None]


def test_consent_is_given_for_each_lagg_and_a_tunnel_may_lie_on_any(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    lan = plain(name="lagg1", members=["em1"], primary="em1", moves=[move("em1", "lagg1")])
    with pytest.raises(NodeError, match="comes in by em1, which the change of lagg1 would interrupt"):
        call(node, lagg(consent=True), lan)
    node.kernel(told=dict(node.kernel()["told"], **{"route -n get 203.0.113.9": "  interface: ovpns1\n"}))
    with pytest.raises(NodeError, match="comes in by em1 and ovpns1, which may lie on any other device, which the change of lagg0 would interrupt"):
        call(node, lagg())
    assert not Guard(node).armed()


@pytest.mark.parametrize(("section", "told"), [
    ("<qinqs><qinqentry><if>em3</if><tag>7</tag></qinqentry></qinqs>", "qinq: config.xml: qinqs/qinqentry/0/if"),
    ("<ppps><ppp><ports>em0.10</ports><type>pppoe</type></ppp></ppps>", "ppp: config.xml: ppps/ppp/0/ports"),
])
def test_what_would_be_taken_down_is_refused_and_what_names_it_is_told(booted: Callable[..., PfsenseNode], section: str, told: str) -> None:
    package = "\t<installedpackages><softflowd><config><interface>em0</interface></config></softflowd></installedpackages>\n"
    node = booted(config=configured().replace("\t<filter>\n", package + "\t<filter>\n"))
    assert "installedpackages/softflowd/config/0/interface goes on naming em0" in whole(node.again(check_mode=True), lagg())[0]["warnings"][0]
    node.edit("\t<filter>\n", "\t%s\n\t<filter>\n" % section)
    before = (node.config, as_it_runs(node))
    with pytest.raises(NodeError, match=told):
        call(node, lagg())
    assert (node.config, as_it_runs(node), Guard(node).armed()) == (*before, False)


def test_a_network_stack_is_none_of_pfsense(booted: Callable[..., PfsenseNode]) -> None:
    with pytest.raises(NodeError, match="stack: is networkd, and pfSense keeps its devices itself"):
        call(booted(), lagg(), stack="networkd")


def test_a_disk_that_is_full_leaves_everything_as_it_was(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    before = (node.config, as_it_runs(node))
    node.switch(disk_full=True)
    with pytest.raises(NodeError, match="the product could not write it"):
        call(node, lagg())
    assert (node.config, as_it_runs(node)) == before and not Guard(node).armed() and node.read_text(AT_BOOT) is None


def test_what_somebody_saves_meanwhile_is_planned_again_and_kept(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()

    def save(number: int) -> None:
        if number == 3:  # between what was read and what is written
            node.edit("<hostname>fw1<", "<hostname>edge1<")
    node.before_php = save
    whole(node, lagg())
    assert "<hostname>edge1<" in node.config and rows(node)["lagg0"]["addresses"] == ["203.0.113.2/24"]


# The way back


@pytest.mark.parametrize("fails_in", ["interface_lagg_configure", "filter_configure_sync"])
def test_what_fails_in_the_product_is_put_back_when_it_works_again(booted: Callable[..., PfsenseNode], fails_in: str) -> None:
    node = booted()
    before = (without_revision(node), as_it_runs(node))
    node.switch(fatal_in=fails_in)
    call(node, lagg())

    # The product fails at once, and the way back needs it.
    def works(_number: int) -> None:
        node.switch(fatal_in=None)
    assert node.wait_for(lambda: not Guard(node).at_work(), 30)
    node.before_php = works
    with pytest.raises(NodeError, match=rf"the change of lagg0 was put back \(applying by {fails_in}: Error: stand-in: fatal error in {fails_in}"):
        call(node, lagg(), stage="wait")
    assert (without_revision(node), as_it_runs(node)) == before and node.read_text(AT_BOOT) is None


def test_a_node_that_nobody_reaches_goes_back_by_itself(booted: Callable[..., PfsenseNode]) -> None:
    node = with_carp(booted, 100)
    before = (without_revision(node), as_it_runs(node))
    call(node, WAN, peer_ready=True, rollback_timeout=1)
    assert node.wait_for(Guard(node).has_put_back, 60)
    assert (without_revision(node), as_it_runs(node)) == before
    with pytest.raises(NodeError, match=r"the change of lagg0 was put back \(the node was not reached again within 1 s\)"):
        call(node.again(), WAN, stage="confirm", rollback_timeout=1)
    again = call(node.again(), WAN, peer_ready=True)
    assert (again["put_back"], again["next"]) == (["lagg0"], "wait")
    assert call(node, WAN, stage="wait")["next"] == "confirm"


def test_what_somebody_saved_after_the_change_stays_when_it_goes_back(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    before = without_revision(node)
    call(node, lagg(), rollback_timeout=3)
    assert node.wait_for(lambda: not Guard(node).at_work(), 30)
    node.edit("<hostname>fw1<", "<hostname>edge1<")
    assert node.wait_for(Guard(node).has_put_back, 60)
    assert without_revision(node) == before.replace("<hostname>fw1<", "<hostname>edge1<")
    assert rows(node)["em0"]["addresses"] == ["203.0.113.2/24"]


def test_a_node_that_loses_its_power_goes_back_unless_a_run_reaches_it(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    before = (without_revision(node), as_it_runs(node))
    call(node, lagg(), rollback_timeout=30)
    assert node.wait_for(lambda: not Guard(node).at_work(), 30)
    processes = node.boot()
    assert rows(node)["lagg0"]["addresses"] == ["203.0.113.2/24"]
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.write_text(FOLDER + "/fire", "\n", shown=False)
    end(processes)
    assert Guard(node).has_put_back() and (without_revision(node), as_it_runs(node)) == before
    # and the script is not there at the next start
    assert node.boot() == []
    assert (without_revision(node), as_it_runs(node)) == before


@pytest.mark.parametrize(("call_of_php", "written"), [(3, False), (4, True)])
def test_a_module_that_dies_before_it_says_go_leaves_somebody_who_goes_back(
        booted: Callable[..., PfsenseNode], monkeypatch: pytest.MonkeyPatch, call_of_php: int, written: bool) -> None:
    node = booted()
    before = (without_revision(node), as_it_runs(node))

    def gone(guard: Guard) -> None:
        raise KeyboardInterrupt
    if written:
        monkeypatch.setattr(Guard, "go", gone)

    def die(number: int) -> None:
        if number == call_of_php and not written:
            raise KeyboardInterrupt
    node.before_php = die
    with pytest.raises(KeyboardInterrupt):
        call(node, lagg(), rollback_timeout=0)
    assert Guard(node).armed() and ("<laggs>" in node.config) is written
    monkeypatch.undo()
    Guard(node).fire()  # as it does by itself when the time for writing is up
    assert node.wait_for(Guard(node).has_put_back, 60)
    assert (without_revision(node), as_it_runs(node)) == before


def test_power_that_is_lost_on_the_way_back_leads_back_all_the_same(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    before = (without_revision(node), as_it_runs(node))
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.switch(fatal_in="interface_bring_down")  # the configuration is written, and nothing applied
    Guard(node).fire()
    assert node.wait_for(lambda: Guard(node).said() is not None and without_revision(node) == before[0], 60)
    node.switch(fatal_in=None)
    end(node.boot())
    assert Guard(node).has_put_back() and (without_revision(node), as_it_runs(node)) == before


def test_a_configuration_that_somebody_restores_is_applied_by_the_way_back(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    old, before = node.config, (without_revision(node), as_it_runs(node))
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.edit(node.config, old)
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, 60)
    assert (without_revision(node), as_it_runs(node)) == before


def test_a_change_that_is_to_go_back_is_ended_first(booted: Callable[..., PfsenseNode]) -> None:
    node = booted(config=configured(CONFIG.replace("\t<filter>\n", HASYNC + "\t<filter>\n")))
    before = (without_revision(node), as_it_runs(node))
    # It waits where the product waits, and something is still to come.
    node.switch(sleep_factor=1)
    node.kernel("pfsync", syncok=1)
    call(node, plain(name="lagg1", members=["em2"], primary="em2", moves=[move("em2", "lagg1")]))
    assert node.wait_for(lambda: "lagg1" in rows(node) and pfsync.running(node).device == "lagg1", 60)
    node.switch(sleep_factor=0)
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, 60)
    assert (without_revision(node), as_it_runs(node)) == before


def test_a_change_whose_outcome_is_not_known_is_put_back(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    before = (without_revision(node), as_it_runs(node))
    query, lost = node.query, []

    def silent(argv, *given, **more):
        done = query(argv, *given, **more)
        if argv[0] == "php" and "<laggs>" in node.config and not lost:
            lost.append(True)
            return done._replace(stdout="", status=-9)
        return done
    node.query = silent  # type: ignore[method-assign]
    with pytest.raises(NodeError, match=r"the change of lagg0 was put back \(.*whether the configuration was written is not known"):
        call(node, lagg())
    assert lost and (without_revision(node), as_it_runs(node)) == before


def test_a_change_that_is_let_stay_by_hand_leaves_nobody_demoted(booted: Callable[..., PfsenseNode]) -> None:
    node = with_carp(booted, 100)
    call(node, WAN, peer_ready=True)
    assert call(node, WAN, stage="wait")["next"] == "confirm" and Guard(node).demoted()
    (node.root / FOLDER[1:] / "armed").unlink()
    assert node.wait_for(lambda: not Guard(node).demoted() and node.read_text(AT_BOOT) is None, 30)
    assert node.kernel()["sysctl"]["net.inet.carp.demotion"] == "0" and rows(node)["lagg0"]["addresses"]


def test_a_second_run_at_the_same_moment_does_not_touch_the_first_ones_way_back(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    second = node.again()

    def first(number: int) -> None:
        if number == 2:  # the second has found nothing armed
            call(node, lagg())
    second.before_php = first
    with pytest.raises(NodeError, match="another run is changing LAGGs of this node"):
        call(second, lagg())
    assert [call(node, lagg(), stage=stage)["next"] for stage in ("wait", "confirm")] == ["confirm", None]


def test_a_change_stays_when_its_script_has_ended_so_that_it_meets_no_file_of_the_next_one(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    assert [call(node, lagg(), stage=stage)["next"] for stage in ("begin", "wait")] == ["wait", "confirm"]
    guard, script = Guard(node), str(node.read_text(RUNNING)).strip()
    assert guard.watched() and Path("/proc/%s/cwd" % script).exists()
    assert call(node, lagg(), stage="confirm")["confirmed"] == ["lagg0"]
    assert not Path("/proc/%s/cwd" % script).exists() and node.read_text(RUNNING) is None
    # The one that a start of the machine begins, too.
    assert [call(node, lagg(moves=[], members=["em0"]), stage=stage)["next"] for stage in ("begin", "wait")] == ["wait", "confirm"]
    [process] = node.boot()
    assert node.wait_for(guard.watched, 30) and str(node.read_text(RUNNING)).strip() == str(process.pid)
    assert call(node, lagg(moves=[], members=["em0"]), stage="confirm")["confirmed"] == ["lagg0"]
    assert node.read_text(RUNNING) is None and process.wait(60) == 0


def test_a_confirmation_that_comes_too_late_is_none(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    guard = Guard(node)
    guard.fire()
    assert node.wait_for(guard.has_put_back, 60)
    assert not guard.disarm()
    with pytest.raises(NodeError, match="the change of lagg0 was put back"):
        call(node, lagg(), stage="confirm")


def test_a_lagg_that_the_kernel_does_not_run_is_applied_again_and_the_configuration_left_alone(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    whole(node, lagg())
    before = (node.config, as_it_runs(node))
    node.act(["ifconfig", "lagg0", "-laggport", "em3"])
    again = node.again()
    whole(again, lagg(moves=[]))
    assert (node.config, as_it_runs(node)) == before and not [command for command in again.commands if command.startswith("write_config")]


def test_a_mistyped_port_that_is_assigned_stops_the_boot_which_is_why_members_are_looked_for_first(booted: Callable[..., PfsenseNode]) -> None:
    node = booted()
    with pytest.raises(NodeError, match="lagg0: the member emO is no device of this node, which has: em0, em1, em2, em3"):
        call(node, lagg(members=["em0", "emO"]))
    node.edit("<if>em1</if>", "<if>emO</if>")
    with pytest.raises(HaltedAtAssignment, match="emO"):
        node.boot()
