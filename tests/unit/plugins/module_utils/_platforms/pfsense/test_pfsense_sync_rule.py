# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rule on pfSense, on each generation of the product's functions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, rules, sync_rule
from ansible_collections.hafirewall.cluster.plugins.modules.sync_rule import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
ON = dict(DEFAULTS, interface="em2", network="198.51.100.128/28", port=None)
OFF = dict(DEFAULTS, enabled=False)
TRACKER = rules.free_tracker([], "opt1")
RUN = ['write_config("hafirewall.cluster: pass rule on opt1")', "filter_configure_sync()"]
RELOADED = ["pfctl -o basic -f /tmp/rules.debug"]


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_rule.time, "time", lambda: 1795000100.5)


def apply(node: PfsenseNode, options: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return sync_rule.apply(node, dict(options or ON, **changes))


def element(tracker: str = "1700000001", interface: str = "opt1", kind: str = "block", more: str = "", source: str = "<any></any>",
            descr: str = "theirs") -> str:
    """A rule as the product writes it."""
    return (f"<rule><tracker>{tracker}</tracker><type>{kind}</type><interface>{interface}</interface><ipprotocol>inet</ipprotocol>{more}"
            f"<source>{source}</source><destination><any></any></destination><descr><![CDATA[{descr}]]></descr></rule>")


def give(node: PfsenseNode, *elements: str, more: str = "") -> None:
    """Put rules behind those that the node has, load them, and have the product write it all once."""
    node.edit("</filter>", "".join(elements) + more + "</filter>")
    assert node.php('write_config("theirs"); filter_configure_sync();').status == 0


def trackers(node: PfsenseNode) -> list[str]:
    return [rule["tracker"] for rule in bridge.read(node, [rules.RULES]).values[rules.RULES]]


def rule_of(node: PfsenseNode, tracker: str = TRACKER) -> dict[str, Any]:
    return next(rule for rule in bridge.read(node, [rules.RULES]).values[rules.RULES] if rule["tracker"] == tracker)


def running(node: PfsenseNode) -> list[str]:
    return [line for line in node.query(["pfctl", "-vvsr"]).stdout.splitlines() if " quick " in line]


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


def drift(result: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(item["setting"], item["is"], item["wanted"]) for item in result["drift"]]


PFSYNC = "<protocol>pfsync</protocol>"
NETWORK = "<network>opt1</network>"


# Making it


def test_a_fresh_node_gets_the_rule_and_a_second_run_does_nothing(node: PfsenseNode) -> None:
    result = apply(node)
    assert (drift(result), result["validation"], node.commands) == ([("pass rule on opt1", "absent", "present")], "passed", RUN)
    assert rule_of(node) == {
        "id": "", "tracker": TRACKER, "type": "pass", "interface": "opt1", "ipprotocol": "inet", "tag": "", "tagged": "", "max": "", "max-src-nodes": "",
        "max-src-conn": "", "max-src-states": "", "statetimeout": "", "statetype": "keep state", "os": "", "protocol": "pfsync",
        "source": {"network": "opt1"}, "destination": {"any": ""}, "descr": "hafirewall.cluster state sync",
        "updated": {"time": "1795000100", "username": "hafirewall.cluster"}, "created": {"time": "1795000100", "username": "hafirewall.cluster"}}
    # Releases have the interface's network as a table from 2.7.1 on.
    assert any(re.search(rf"on em2 inet proto pfsync from (198\.51\.100\.128/28|<OPT1__NETWORK:1>) to any .*ridentifier {TRACKER}$", line)
               for line in running(node))
    evidence = result["pass_rule"]
    assert (evidence["present"], evidence["effective"], evidence["persistent"], evidence["broader"], evidence["blockers"]) == (True, True, True, [], [])
    again, run = node.again(), node.journal("command")
    assert apply(again) == dict(result, drift=[], validation="not needed")
    assert (again.changed, again.php_calls, node.journal("command")) == (False, 1, run)


def test_its_tracker_is_the_same_on_all_nodes_and_no_others(make) -> None:
    assert re.fullmatch(r"2[01]\d{8}", TRACKER) and int(TRACKER) < 2 ** 31
    assert rules.free_tracker([], "opt2") != TRACKER
    node = make()
    give(node, element(tracker="0" + TRACKER, kind="pass"), element(tracker=str(int(TRACKER) + 1), kind="pass"))
    apply(node)
    assert trackers(node)[-1] == str(int(TRACKER) + 2)


@pytest.mark.parametrize("before", ["nothing", "ours", "shadowed", "other"])
@pytest.mark.parametrize("options", [ON, OFF])
def test_check_mode_predicts_and_touches_nothing(node: PfsenseNode, before: str, options: dict[str, Any]) -> None:
    if before != "nothing":
        apply(node)
    if before == "shadowed":
        node.edit("<filter>", "<filter>" + element())
    if before == "other":
        node.edit(f"<tracker>{TRACKER}</tracker>", f"<tracker>{TRACKER}</tracker><disabled></disabled>")
    check, real = node.again(check_mode=True), node.again()
    config, run = node.config, node.journal("command", "event", "notice")
    predicted = apply(check, options)
    assert (node.config, node.journal("command", "event", "notice")) == (config, run)
    done = apply(real, options)
    assert {**done, "pass_rule": None} == {**predicted, "pass_rule": None}
    assert (check.commands, check.diffs) == (real.commands, real.diffs)
    assert apply(node.again(), options)["drift"] == []


def test_the_diff_shows_the_rule_and_no_other(node: PfsenseNode) -> None:
    give(node, element(descr="unrelated"))
    apply(node)
    assert node.diffs[0]["before"] == ""
    assert "filter/rule/descr: hafirewall.cluster state sync\n" in node.diffs[0]["after"] and "unrelated" not in node.diffs[0]["after"]


# Where it goes


@pytest.mark.parametrize(("theirs", "place"), [({}, 1), ({"more": "<protocol>tcp</protocol>"}, 2)])
def test_it_goes_in_front_of_what_may_drop_the_traffic_and_else_to_the_end(node: PfsenseNode, theirs: dict[str, str], place: int) -> None:
    give(node, element(**theirs))
    assert apply(node)["pass_rule"]["effective"] is True
    assert trackers(node).index(TRACKER) == place
    assert apply(node.again())["drift"] == []


def test_it_is_moved_in_front_of_what_came_later_and_keeps_its_number(node: PfsenseNode) -> None:
    apply(node)
    node.edit("<filter>", "<filter>" + element())
    moved, result = node.again(), apply(node.again(check_mode=True))
    assert drift(result) == [("pass rule on opt1", "behind a rule that may drop the traffic", "first")]
    before = rule_of(node)
    assert apply(moved)["pass_rule"]["effective"]
    assert (trackers(node), rule_of(node)) == ([TRACKER, "1700000001", "0100000101"], before)
    assert moved.commands == RUN


SEPARATORS = ("<separator><opt1>" + "".join(f"<sep{row}><row>fr{row}</row><text><![CDATA[s{row}]]></text><color>bg-info</color><if>opt1</if></sep{row}>"
                                            for row in range(4)) + "</opt1><lan><sep0><row>fr1</row><text>x</text></sep0></lan><wan></wan></separator>")


def separators(node: PfsenseNode, key: str = "opt1") -> list[str]:
    found = bridge.read(node, [rules.SEPARATORS]).values[rules.SEPARATORS]
    return [separator["row"][0] for separator in found[key].values()]


@pytest.mark.parametrize(("kinds", "rows"), [
    (["block", "pass", "pass"], ["fr0", "fr2", "fr3", "fr4"]), (["pass", "block", "pass"], ["fr0", "fr1", "fr3", "fr4"]),
    (["pass", "pass", "pass"], ["fr0", "fr1", "fr2", "fr3"])])
def test_separators_stay_in_front_of_their_rules(make, kinds: list[str], rows: list[str]) -> None:
    node = make("2.6.0-RELEASE")
    give(node, *[element(tracker=f"170000000{number}", kind=kind, more="<protocol>udp</protocol>" if kind == "pass" else "")
                 for number, kind in enumerate(kinds)], more=SEPARATORS)
    before = without_revision(node.config)
    apply(node)
    assert (separators(node), separators(node, "lan")) == (rows, ["fr1"])
    apply(node.again(), OFF)
    assert without_revision(node.config) == before


def test_floating_rules_and_those_of_groups_are_reported(node: PfsenseNode) -> None:
    node.edit("<system>", "<ifgroups><ifgroupentry><members>lan opt1</members><ifname>Inner</ifname></ifgroupentry>"
              "<ifgroupentry><members>lan</members><ifname>Other</ifname></ifgroupentry></ifgroups><system>")
    quick = "<floating>yes</floating><quick>yes</quick>"
    give(node, element("1", "", more=quick + "<direction>any</direction>", descr="F1"), element("2", "lan,opt1", more=quick, descr="F2"),
         element("3", "wan", more=quick, descr="F3"), element("4", "opt1", more=quick + "<direction>out</direction>", descr="F4"),
         element("5", "opt1", more="<floating>yes</floating>", descr="F5"), element("6", "Inner", descr="G1"), element("7", "Other", descr="G2"),
         element("8", "opt1", kind="pass", more=quick, descr="F6"))
    result = apply(node)
    words = "is asked before the pass rule and may drop the traffic of the cluster: see that it lets it pass"
    assert result["notes"] == [f"the floating rule F1 {words}", f"the floating rule F2 {words}", f"the rule of the group Inner G1 {words}"]
    assert result["pass_rule"]["effective"] is False and any("ridentifier 1" in text for text in result["pass_rule"]["blockers"])
    again = node.again()
    assert (apply(again)["notes"], again.changed) == (result["notes"], False)


def test_an_interface_that_blocks_private_networks_is_reported(make) -> None:
    node = make(interfaces={"em0": [], "em1": [], "em2": ["172.16.1.1/29"], "lo0": []})
    node.edit("<ipaddr>198.51.100.129</ipaddr>\n\t\t\t<subnet>28</subnet>", "<ipaddr>172.16.1.1</ipaddr><subnet>29</subnet><blockpriv></blockpriv>")
    result = apply(node, network="172.16.1.0/29")
    assert result["notes"] == ["opt1 blocks private networks, and 172.16.1.0/29 is one: switch that off in Interfaces > opt1"]
    assert result["pass_rule"]["effective"] is False


# What persons made


@pytest.mark.parametrize(("source", "more"), [(NETWORK, ""), ("<address>198.51.100.128/28</address>", "<log></log><nosync></nosync>")])
def test_an_equal_rule_of_a_person_is_taken_as_it_is(node: PfsenseNode, source: str, more: str) -> None:
    give(node, element(kind="pass", source=source, more=PFSYNC + more))
    before = node.config
    result = apply(node)
    assert (result["drift"], node.changed, node.config) == ([], False, before)
    assert result["pass_rule"]["present"] and result["pass_rule"]["persistent"]
    off = node.again()
    assert apply(off, OFF)["drift"] == [] and not off.changed


def test_one_that_says_something_else_stays_and_ours_is_made(node: PfsenseNode) -> None:
    give(node, element(kind="pass", source=NETWORK, more=PFSYNC + "<disabled></disabled>"))
    theirs = rule_of(node, "1700000001")
    apply(node)
    assert trackers(node)[-1] == TRACKER and rule_of(node, "1700000001") == theirs


@pytest.mark.parametrize(("more", "source", "excess"), [
    ("", NETWORK, "any protocol"), (PFSYNC, "<any></any>", "from any"), ("", "<any></any>", "any protocol, from any")])
def test_a_broader_one_is_reported_and_left_alone(make, more: str, source: str, excess: str) -> None:
    node = make()
    give(node, element(kind="pass", source=source, more=more))
    assert [text.endswith(f"({excess})") for text in apply(node)["pass_rule"]["broader"]] == [True]


def test_an_equal_one_behind_what_drops_does_not_count(node: PfsenseNode) -> None:
    give(node, element("1700000002"), element(kind="pass", source=NETWORK, more=PFSYNC))
    apply(node)
    assert trackers(node)[1:] == [TRACKER, "1700000002", "1700000001"]


@pytest.mark.parametrize(("old", "new"), [
    ("<network>opt1</network>", "<any></any>"), ("<protocol>pfsync</protocol>", ""),
    ("<type>pass</type>\n\t\t\t<interface>opt1", "<type>block</type>\n\t\t\t<interface>opt1"), ("<tagged></tagged>", "<tagged>x</tagged>"),
    ("<tag></tag>", "<nosync></nosync>"), ("<tag></tag>", "<disabled></disabled>"), ("<tag></tag>", "<floating>yes</floating>"),
])
def test_ours_is_put_right_where_it_stands(make, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    node = make()
    apply(node)
    give(node, element("1700000002", kind="pass"))
    node.edit(old, new)
    mended = node.again()
    monkeypatch.setattr(sync_rule.time, "time", lambda: 1795000200)
    assert drift(apply(mended)) == [("pass rule on opt1", "another rule", "as wanted")]
    assert (trackers(node), mended.commands) == (["0100000101", TRACKER, "1700000002"], RUN)
    assert rule_of(node) == {**rules.made("opt1", TRACKER, {"time": "1795000200", "username": "hafirewall.cluster"}),
                             "created": {"time": "1795000100", "username": "hafirewall.cluster"}}
    assert apply(node.again())["drift"] == []


def test_one_of_ours_on_another_interface_goes_and_one_without_a_number_of_its_own_gets_one(node: PfsenseNode) -> None:
    apply(node)
    give(node, element("5", "lan", "pass", PFSYNC, descr="hafirewall.cluster state sync"), element(TRACKER, "opt1", "pass", descr="a copy"))
    result = apply(node.again())
    assert drift(result) == [("rule hafirewall.cluster state sync on lan", "present", "absent"), ("pass rule on opt1", "another rule", "as wanted")]
    assert trackers(node) == ["0100000101", str(int(TRACKER) + 1), TRACKER]
    assert apply(node.again())["drift"] == []


def test_off_removes_ours_and_nothing_else(node: PfsenseNode) -> None:
    give(node, element(kind="pass", more=PFSYNC), element("1700000002", descr="not hafirewall.cluster"))
    before = without_revision(node.config)
    apply(node)
    off = node.again()
    assert drift(apply(off, OFF)) == [("rule hafirewall.cluster state sync on opt1", "present", "absent")]
    assert off.commands == ['write_config("hafirewall.cluster: pass rule off")', "filter_configure_sync()"]
    assert without_revision(node.config) == before and not any(TRACKER in line for line in running(node))
    last = node.again()
    assert apply(last, OFF)["drift"] == [] and not last.changed


# The ruleset in force


def test_what_is_configured_and_not_in_force_is_loaded_without_a_change_of_the_configuration(node: PfsenseNode) -> None:
    apply(node)
    (node.root / "var/standin/loaded_rules").write_text("pass in quick on em1 inet all\n")
    again, config = node.again(), node.config
    assert drift(apply(again)) == [(f"pass rule {TRACKER} as running", "absent", "present")]
    assert (again.commands, again.diffs, node.config) == (RUN[1:], [], config)


@pytest.mark.parametrize("options", [ON, OFF])
def test_rules_that_pf_refuses_are_taken_back(node: PfsenseNode, options: dict[str, Any]) -> None:
    apply(node) if options is OFF else None
    before, loaded = without_revision(node.config), running(node)
    node.kernel(pfctl_refuses="syntax error")
    with pytest.raises(NodeError, match=r"does not run as configured: .*pfctl says: /tmp/rules\.debug:1: syntax error \(everything was put back as it was\)"):
        apply(node.again(), options)
    assert (without_revision(node.config), running(node)) == (before, loaded)


def test_a_move_that_pf_refuses_is_noticed_although_the_rule_is_in_force(node: PfsenseNode) -> None:
    apply(node)
    give(node, element("1700000002", more="<protocol>udp</protocol>"))
    node.edit("<filter>", "<filter>" + element())
    assert node.php('write_config("theirs"); filter_configure_sync();').status == 0
    before = without_revision(node.config)
    node.kernel(pfctl_refuses="syntax error")
    with pytest.raises(NodeError, match="pass rule .* as running is behind a rule that may drop the traffic, wanted is first"):
        apply(node.again())
    assert without_revision(node.config) == before


# What is refused


@pytest.mark.parametrize(("changes", "problem"), [
    ({"interface": "em7"}, "interface: em7 is assigned to none of this node's interfaces; .*opt1 is em2"),
    ({"interface": "opt1"}, "interface: opt1 is assigned to none"),
    ({"network": "198.51.100.0/24"}, r"network: em2 \(opt1\) is in 198\.51\.100\.128/28 and not in 198\.51\.100\.0/24; correct the intent or the node"),
    ({"network": "2001:db8::/64"}, "network: 2001:db8::/64 is no IPv4 network, and pfSense shares states over IPv4 only"),
    ({"network": "sync"}, "network: sync is no IPv4 network"),
])
@pytest.mark.parametrize("check_mode", [True, False])
def test_what_cannot_be_is_an_error_and_nothing_is_changed(make, changes: dict[str, Any], problem: str, check_mode: bool) -> None:
    node = make().again(check_mode=check_mode)
    before = node.config
    with pytest.raises(NodeError, match=problem):
        apply(node, **changes)
    assert (node.config, node.changed, node.journal("command")) == (before, False, [])


def test_an_interface_that_is_switched_off_is_refused(node: PfsenseNode) -> None:
    node.edit("<enable></enable>\n\t\t\t<if>em2", "<if>em2")
    with pytest.raises(NodeError, match=r"interface: em2 \(opt1, SYNC\) is switched off on this node; enable the interface first"):
        apply(node)
    assert TRACKER not in node.config


def test_a_packet_filter_that_is_switched_off_is_refused(node: PfsenseNode) -> None:
    node.edit("<system>", "<system><disablefilter></disablefilter>")
    with pytest.raises(NodeError, match="the packet filter is switched off on this node"):
        apply(node)
    assert not node.changed


def test_rules_that_cannot_be_told_apart_are_an_error_before_anything_is_written(node: PfsenseNode) -> None:
    give(node, element(), element())
    before = node.config
    with pytest.raises(NodeError, match="rule 2 of the configuration cannot be told from the others"):
        apply(node)
    assert node.config == before


def test_rules_without_trackers_are_known_by_all_they_say(node: PfsenseNode) -> None:
    give(node, element("", descr="old"))
    apply(node)
    assert trackers(node) == ["0100000101", TRACKER, ""]


@pytest.mark.parametrize(("theirs", "changed"), [({"kind": "block"}, True), ({"kind": "pass", "more": PFSYNC, "source": NETWORK}, False)])
def test_a_number_of_zeros_is_none_to_the_kernel(node: PfsenseNode, theirs: dict[str, str], changed: bool) -> None:
    give(node, element("00", **theirs))
    first = node.again()
    assert bool(apply(first)["drift"]) is changed and first.changed is changed
    assert apply(node.again())["drift"] == []


def test_a_device_that_the_same_run_makes_may_be_absent_in_check_mode(make) -> None:
    node = make()
    check, real = node.again(check_mode=True), node.again()
    predicted = apply(check, interface="lagg0", coming={"lagg0": "em2"})
    with pytest.raises(NodeError, match="interface: lagg0 is assigned to none"):
        apply(node, interface="lagg0", coming={"lagg0": "em2"})
    done = apply(real)
    assert (predicted["drift"], predicted["validation"], check.commands) == (done["drift"], done["validation"], real.commands) != ([], "passed", [])
    assert apply(node.again(check_mode=True), interface="lagg0", coming={"lagg0": "em2"})["drift"] == []


# The product's own configuration sync


@pytest.mark.parametrize(("said", "notes"), [("Merged in config (filter, nat sections) from XMLRPC client.", 1),
                                             ("Merged in config (nat sections) from XMLRPC client.", 0), ("admin: saved the filter", 0)])
def test_a_sender_that_lacks_the_rule_is_told(make, said: str, notes: int) -> None:
    node = make()
    node.edit("(system): assigned", said)
    result = apply(node)
    assert len(result["notes"]) == notes
    assert all("make it on that node too, or its next save deletes it here" in text for text in result["notes"])
    assert apply(node.again())["notes"] == []


# Bad moments


def test_somebody_who_saves_meanwhile_keeps_what_was_saved(node: PfsenseNode) -> None:
    node.before_php = lambda number: node.edit("</filter>", element() + "</filter>") if number == 2 else None
    apply(node)
    assert trackers(node) == ["0100000101", TRACKER, "1700000001"]
    assert node.commands == RUN


def test_a_full_disk_leaves_everything_as_it_was(node: PfsenseNode) -> None:
    node.switch(disk_full=True)
    before = node.config
    with pytest.raises(NodeError, match=r"could not write it; free on that disk.*\(the configuration is as it was\)"):
        apply(node)
    assert (node.config, node.journal("command"), node.changed) == (before, [], False)


def test_a_fatal_error_of_the_product_is_taken_back(node: PfsenseNode) -> None:
    give(node, element(), more=SEPARATORS)
    node.switch(fatal_in="filter_configure_sync")
    node.before_php = lambda number: node.switch(fatal_in=None) if number == 3 else None
    before = without_revision(node.config)
    with pytest.raises(NodeError, match="applying by filter_configure_sync: .*everything was put back as it was"):
        apply(node)
    assert without_revision(node.config) == before


def test_the_products_noise_does_not_matter(node: PfsenseNode) -> None:
    node.switch(chatter=True)
    apply(node)
    assert TRACKER in trackers(node)
