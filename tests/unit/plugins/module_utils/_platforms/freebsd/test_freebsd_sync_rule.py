# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rules on FreeBSD: in front of everything, now and after a reboot, or nothing at all has changed."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import kept_rule, pf_options, pf_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import sync_rule as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import rc, state_sync, sync_rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.plugins.modules import state_sync as sync_module
from ansible_collections.hafirewall.cluster.plugins.modules import sync_rule as module
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode, pair

PFSYNC = "pass quick on em1 inet proto pfsync from 198.51.100.128/28 to any keep state (no-sync)"
CARP = ["pass in quick on em0 inet proto carp from 192.0.2.2 to any keep state (no-sync)",
        "pass in quick on em0 inet proto carp from 192.0.2.3 to any keep state (no-sync)",
        "pass out quick on em0 inet proto carp all keep state (no-sync)"]
VRRP = {"interface": "em0", "family": "ipv4", "sources": ["192.0.2.2", "192.0.2.3"], "transport": "multicast"}
OPTIONS = {**{name: argument.get("default") for name, argument in module.ARGUMENTS.items()},
           "interface": "em1", "network": "198.51.100.128/28", "vrrp": [VRRP]}
SYNC = {name: argument.get("default") for name, argument in sync_module.ARGUMENTS.items()}
THEIRS = ("ext = \"em2\"\nset skip on lo0\nscrub in all\nnat on $ext inet from 192.0.2.0/24 to any -> ($ext)\n\n"
          "# nobody else\nblock log all\npass out keep state\n")


@pytest.fixture
def machine(tmp_path):
    return pair(tmp_path)[0].machine


@pytest.fixture
def firewall(tmp_path):
    """A node whose own rules run."""
    node = pair(tmp_path)[0]
    node.machine.put("/etc/pf.conf", THEIRS)
    for words in (["sysrc", "pf_enable=YES"], ["service", "pf", "start"]):
        node.query(words)
    node.machine.commands.clear()
    return node.machine


def apply(machine, check_mode=False, **options):
    node = FreebsdNode(machine, check_mode)
    return sync_rule.apply(node, {**OPTIONS, **options}), node


def kernel(machine):
    """Whether pf runs, and by which rules."""
    return (machine.pf.enabled, machine.pf.rules.printed() if machine.pf.enabled else None)


def everything(machine):
    return (kernel(machine), machine.text("/etc/pf.conf"), machine.text("/etc/rc.conf"))


def block(*lines):
    return "".join(line + "\n" for line in ["# BEGIN hafirewall.cluster filter", *lines, "# END hafirewall.cluster filter"])


def passes(machine):
    """pfsync's packets by the machine's own pf: those of the other node in, and its own out."""
    ours, theirs = "198.51.100.%d" % (130 + machine.number), "198.51.100.%d" % (131 - machine.number)
    return (machine.pf.passes("in", "em1", Packet("pfsync", theirs, "224.0.0.240", 40, None)),
            machine.pf.passes("out", "em1", Packet("pfsync", ours, "224.0.0.240", 40, None)))


@pytest.mark.parametrize("release", ["13.3-RELEASE", "14.2-RELEASE", "15.0-RELEASE"])
def test_on_a_bare_system_pf_comes_up_with_these_rules_alone_now_and_at_boot(tmp_path, release):
    machine = pair(tmp_path, release)[0].machine
    result, node = apply(machine)
    assert machine.text("/etc/pf.conf") == block(PFSYNC, *CARP)
    assert node.commands == ["kldload -n pf", "sysrc pf_enable=YES", "pfctl -f /etc/pf.conf", "pfctl -e"]
    found = result["pass_rule"]
    assert (found["filtered"], found["present"], found["effective"], found["persistent"], found["reasons"]) == (True, True, True, True, [])
    assert result["notes"] == ["/etc/pf.conf has no rules but those of this collection, so pf passes everything else too"]
    machine.boot()
    assert kernel(machine) == (True, [PFSYNC, *CARP]) and passes(machine) == (True, True)


def test_they_stand_in_front_of_the_rules_that_are_there_and_all_else_stays(firewall):
    assert passes(firewall) == (False, True)
    result, _node = apply(firewall)
    head, tail = THEIRS.split("# nobody")
    assert firewall.text("/etc/pf.conf") == head + block(PFSYNC, *CARP) + "# nobody" + tail
    assert passes(firewall) == (True, True)
    assert firewall.pf.rules.printed()[:4] == [PFSYNC, *CARP]
    assert (result["validation"], result["notes"], result["pass_rule"]["broader"]) == ("passed", [], [])


def test_states_outlive_the_change(firewall):
    firewall.traffic(6)
    before = len(firewall.pf.states)
    assert before
    _result, node = apply(firewall)
    assert len(firewall.pf.states) == before
    assert node.commands == ["pfctl -f /etc/pf.conf"]


@pytest.mark.parametrize("options", [{}, {"enabled": False}, {"vrrp": []}])
def test_a_second_run_changes_nothing_and_runs_nothing_that_could(firewall, options):
    apply(firewall, **options)
    firewall.commands.clear()
    result, node = apply(firewall, **options)
    assert (result["drift"], result["validation"], node.changed, firewall.changes()) == ([], "not needed", False, [])


@pytest.mark.parametrize("running", [True, False])
def test_check_mode_says_what_a_real_run_does_and_touches_nothing(machine, running):
    if running:
        apply(machine, vrrp=[])
    before = everything(machine)
    machine.commands.clear()
    predicted, would = apply(machine, check_mode=True)
    assert (everything(machine), machine.changes()) == (before, [])
    result, node = apply(machine)
    assert (predicted["drift"], would.commands, would.diffs) == (result["drift"], node.commands, node.diffs)
    assert predicted["validation"] == ("passed" if running else "not possible yet: pf is not loaded")


def test_without_state_sync_only_its_own_rule_goes(firewall):
    apply(firewall)
    result, _node = apply(firewall, enabled=False, interface=None, network=None)
    assert firewall.text("/etc/pf.conf").count(block(*CARP)) == 1
    assert firewall.pf.rules.printed()[:3] == CARP and firewall.pf.enabled
    apply(firewall, enabled=False, vrrp=[])
    assert firewall.text("/etc/pf.conf") == THEIRS
    assert result["drift"] == [{"setting": "block filter in /etc/pf.conf", "is": [PFSYNC, *CARP], "wanted": CARP}]


def test_without_state_sync_and_without_pf_there_is_nothing_to_do(machine):
    before = everything(machine)
    result, node = apply(machine, enabled=False)
    assert (result["drift"], node.changed, everything(machine)) == ([], False, before)


def test_a_pf_that_is_off_stays_off_without_state_sync(machine):
    machine.put("/etc/pf.conf", THEIRS)
    _result, node = apply(machine, enabled=False)
    assert (node.commands, machine.has_pf) == ([], False)
    assert block(*CARP) in machine.text("/etc/pf.conf")


def test_rules_that_somebody_has_flushed_are_loaded_again(firewall):
    apply(firewall)
    firewall.pf.flush_rules()
    result, node = apply(firewall)
    assert [item["setting"] for item in result["drift"]] == ["rule in force: %s" % rule for rule in [PFSYNC, *CARP]]
    assert node.commands == ["pfctl -f /etc/pf.conf"] and firewall.pf.rules.printed()[0] == PFSYNC


def test_a_rule_that_is_in_force_and_no_longer_wanted_goes_though_the_file_has_it_not(firewall):
    apply(firewall)
    firewall.put("/etc/pf.conf", THEIRS)
    result, _node = apply(firewall, enabled=False, vrrp=[])
    assert [(item["setting"], item["is"]) for item in result["drift"]] == [("rule in force: %s" % PFSYNC, "present")]
    assert PFSYNC not in firewall.pf.rules.printed()


def test_a_pf_that_was_switched_off_is_switched_on_again(machine):
    apply(machine)
    machine.pf.enable(False)
    result, node = apply(machine)
    assert ([item["setting"] for item in result["drift"]], node.commands[-1], machine.pf.enabled) == (["pf"], "pfctl -e", True)


def test_a_policy_that_is_set_for_all_states_is_no_difference(firewall):
    firewall.put("/etc/pf.conf", "set state-policy if-bound\n" + THEIRS.replace("set skip on lo0\n", ""))
    apply(firewall)
    assert "(no-sync, if-bound)" in firewall.pf.rules.printed()[0]
    result, _node = apply(firewall)
    assert (result["drift"], result["pass_rule"]["present"], result["pass_rule"]["persistent"]) == ([], True, True)


# What is refused


def test_pf_is_not_started_with_rules_that_could_cut_ansible_off(machine):
    machine.put("/etc/pf.conf", THEIRS)
    before = everything(machine)
    with pytest.raises(NodeError, match=r"block drop log all; to start it from here may cut .*everything was put back"):
        apply(machine)
    assert everything(machine) == before


@pytest.mark.parametrize("rules, does", [
    ("nat on em0 inet from any to any -> (em0)\npass all\n", "translate addresses: nat on em0"),
    ("rdr on em0 inet proto tcp from any to any port 22 -> 192.0.2.77\npass all\n", "translate addresses: rdr on em0"),
    ("anchor \"guard\"\npass all\n", "are in anchors: anchor \"guard\""),
])
def test_pf_is_not_started_with_rules_that_take_hold_of_a_connection_without_a_state(machine, rules, does):
    FreebsdNode(machine).query(["kldload", "pf"])
    machine.put("/etc/pf.conf", rules)
    before = everything(machine)
    for check_mode in (True, False):
        with pytest.raises(NodeError, match="rules that %s.*may cut the connection of Ansible" % does):
            apply(machine, check_mode)
    assert everything(machine) == before


@pytest.mark.parametrize("text, filled, does", [
    ("pass all", True, None), ("match in on em0 inet from any to any rdr-to 192.0.2.77", False, "translate addresses"), ("no nat on em0 all", True, None),
    ("nat on em2 inet from 192.0.2.0/24 to any -> (em2) round-robin", True, None),
    ("nat on em2 inet from ! (em2) to any -> (em2)", True, "translate addresses"),
    ("rdr on em2 inet proto tcp from any to (em2) port = 443 -> 192.0.2.80", True, None),
    ("rdr on em2 inet proto tcp from any to (em2) port 20:30 -> 192.0.2.80", True, "translate addresses"),
    ("binat on em2 inet from 192.0.2.80 to any -> 198.51.100.80", True, "translate addresses"),
    ("nat-anchor \"ftp-proxy/*\" all", True, "are in anchors"), ("anchor \"ftp-proxy/*\" all", False, None),
    ("anchor \"ftp-proxy/*\" all", True, "are in anchors"), ("anchor \"own\" all {\n  pass all\n}", True, None),
    ("scrub in all fragment reassemble", True, None),
])
def test_what_may_cut_a_connection_without_a_state(text, filled, does):
    assert common.cuts(pf_ruleset.parse(text)[0], filled) == does


def test_pf_is_not_started_where_it_drops_what_no_rule_is_about(machine, monkeypatch):
    query = FreebsdNode.query
    monkeypatch.setattr(FreebsdNode, "query", lambda node, argv, *rest, **more: Completed(0, "1\n", "") if argv[-1] == "net.pf.default_to_drop"
                        else query(node, argv, *rest, **more))
    before = everything(machine)
    with pytest.raises(NodeError, match="net.pf.default_to_drop.*may cut the connection of Ansible"):
        apply(machine)
    assert everything(machine) == before


def test_anchors_that_nothing_has_filled_are_no_reason_to_refuse(machine):
    machine.put("/etc/pf.conf", "anchor \"ftp-proxy/*\"\npass all\n")
    apply(machine)
    assert machine.pf.enabled


@pytest.mark.parametrize("text", [None, "# nothing\n", "pass out quick on em3\n"])
def test_rules_that_run_and_are_not_in_the_file_are_not_lost_by_loading_it(firewall, text):
    if text is None:
        firewall.path("/etc/pf.conf").unlink()
    else:
        firewall.put("/etc/pf.conf", text)
    before = everything(firewall)
    for check_mode in (True, False):
        with pytest.raises(NodeError, match="rules that /etc/pf.conf has none of, the first is: block drop log all; .* have pf_rules in rc.conf"):
            apply(firewall, check_mode)
        assert everything(firewall) == before


def test_a_file_that_has_changed_since_it_was_loaded_is_loaded(firewall):
    firewall.put("/etc/pf.conf", THEIRS + "pass in quick on em3 proto tcp to port 22\n")
    apply(firewall)
    assert any("em3" in rule for rule in firewall.pf.rules.printed())


def test_tables_and_addresses_that_pf_counts_are_the_same_rules(firewall):
    firewall.put("/etc/pf.conf", "table <bad> persist { 203.0.113.9 }\nblock in from <bad>\npass out on em2 from (em2)\n")
    firewall.run(["pfctl", "-f", "/etc/pf.conf"])
    apply(firewall)
    assert firewall.pf.rules.printed()[0] == PFSYNC


@pytest.mark.parametrize("rule, named", [
    ("block drop quick on em1 all", r"block drop quick on em1 all \(in\).*\(out\)"),
    ("block in quick proto carp", r"block drop in quick proto carp all \(CARP on em0, in\)"),
    ("pass out\nblock quick from 198.51.100.128/28", "block drop quick inet from 198.51.100.128/28"),
])
def test_a_rule_of_an_included_file_that_drops_the_traffic_first_is_named_and_nothing_has_changed(firewall, rule, named):
    firewall.put("/etc/pf.before", "nat on em2 inet from 192.0.2.0/24 to any -> (em2)\n%s\n" % rule)
    firewall.put("/etc/pf.conf", 'include "/etc/pf.before"\n' + "block log all\n")
    firewall.run(["pfctl", "-f", "/etc/pf.conf"])
    before = everything(firewall)
    for check_mode in (True, False):
        with pytest.raises(NodeError, match=named):
            apply(firewall, check_mode)
        assert everything(firewall) == before


def test_what_only_the_rules_in_force_tell_is_put_back(firewall):
    firewall.put("/etc/pf.before", "table <bad> { 198.51.100.128/28 }\nnat on em2 inet from 192.0.2.0/24 to any -> (em2)\nblock quick from <bad>\n")
    firewall.put("/etc/pf.conf", 'include "/etc/pf.before"\nblock log all\n')
    before = everything(firewall)
    with pytest.raises(NodeError, match=r"@0 block drop quick from <bad:1> to any \(in\).*everything was put back as it was"):
        apply(firewall)
    assert everything(firewall)[1:] == before[1:]
    assert firewall.pf.rules.printed() == ["block drop quick from <bad> to any", "block drop log all"]


def test_a_rule_that_has_come_in_front_meanwhile_is_named_though_nothing_else_differs(firewall):
    firewall.put("/etc/pf.before", "nat on em2 inet from 192.0.2.0/24 to any -> (em2)\npass out\n")
    firewall.put("/etc/pf.conf", 'include "/etc/pf.before"\nblock log all\n')
    apply(firewall)
    firewall.put("/etc/pf.before", "nat on em2 inet from 192.0.2.0/24 to any -> (em2)\nblock quick on em1\npass out\n")
    firewall.run(["pfctl", "-f", "/etc/pf.conf"])
    with pytest.raises(NodeError, match="@0 block drop quick on em1 all"):
        apply(firewall)


@pytest.mark.parametrize("text, said", [
    ("pass out\npass onn em0\n", r"does not take /etc/pf.conf as it is; .*/etc/pf\.conf:2: syntax error \(line 2 is: pass onn em0\)"),
    ("block all\nscrub in\n", r"as it is; .*/etc/pf\.conf:2: Rules must be in order"),
])
def test_a_file_that_pf_does_not_take_is_told_with_its_line(firewall, text, said):
    firewall.put("/etc/pf.conf", text)
    before = everything(firewall)
    for check_mode in (True, False):
        with pytest.raises(NodeError, match=said):
            apply(firewall, check_mode)
    assert everything(firewall) == before


@pytest.mark.parametrize("options, said", [
    ({"interface": "em9"}, "interface: there is no em9 on this node; those there are: em0, em1"),
    ({"network": "sync"}, "network: sync is no network"),
    ({"network": "203.0.113.0/24"}, "network: em1 has no address in 203.0.113.0/24, but 198.51.100.130/28"),
    ({"vrrp": [{**VRRP, "sources": ["2001:db8::1"]}]}, "vrrp: sources of em0"),
    ({"vrrp": [{**VRRP, "sources": ["fw2"]}]}, "vrrp: 'fw2'"),
])
def test_options_that_cannot_be_right_are_told(machine, options, said):
    with pytest.raises(NodeError, match=said):
        apply(machine, **options)
    assert machine.changes() == []


# What fails on the way


@pytest.mark.parametrize("failing", [["pfctl", "-f", "/etc/pf.conf"], ["pfctl", "-e"], ["sysrc", "pf_enable=YES"], ["pfctl", "-vvsr"]])
def test_whatever_fails_everything_is_as_it_was(machine, failing):
    machine.put("/etc/pf.conf", "pass out\n")
    before = everything(machine)
    machine.refuse(failing, "pfctl: out of luck")
    with pytest.raises(NodeError, match=r"out of luck.*everything was put back as it was"):
        apply(machine)
    assert everything(machine) == before


def test_rules_that_ran_run_again_when_the_new_ones_cannot_be_loaded(firewall):
    before = everything(firewall)
    firewall.refuse(["pfctl", "-f", "/etc/pf.conf"], "pfctl: DIOCXCOMMIT: Device busy")
    firewall.pf.flush_rules()
    with pytest.raises(NodeError, match=r"DIOCXCOMMIT.*everything was put back as it was"):
        apply(firewall)
    assert everything(firewall) == before


def test_every_command_may_be_the_last(tmp_path):
    """Power is lost before any one of the commands: the next run makes everything right."""
    def dies(words):
        raise Crashed(" ".join(words))

    total = len(_commands(pair(tmp_path / "whole")[0].machine))
    for last in range(total):
        machine = pair(tmp_path / str(last))[0].machine
        machine.before_command = _after(last, dies)
        with pytest.raises(Crashed):
            apply(machine)
        machine.before_command = lambda argv: None
        machine.boot()
        result, _node = apply(machine)
        assert (result["pass_rule"]["effective"], result["pass_rule"]["persistent"]) == (True, True)
        assert apply(machine)[1].changed is False


def _commands(machine):
    machine.commands.clear()
    apply(machine)
    return list(machine.commands)


def _after(count, then):
    seen = []

    def before(words):
        seen.append(words)
        if len(seen) > count:
            then(words)
    return before


def test_with_state_sync_the_states_of_both_nodes_travel_and_a_second_run_changes_nothing(tmp_path):
    nodes = dict(zip((2, 1), reversed(pair(tmp_path))))
    for node in nodes.values():
        node.machine.put("/etc/pf.conf", THEIRS.replace("block log all\n", ""))
    changes = []
    for _run in range(2):
        for number, node in nodes.items():
            before = len(node.machine.commands)
            sync_rule.apply(node.again(), OPTIONS)
            state_sync.apply(node.again(), {**SYNC, "interface": "em1", "address": "198.51.100.%d" % (129 + number), "host_id": "%d" % number})
            changes.append(len(node.machine.changes(before)))
    assert changes[2:] == [0, 0] and 0 not in changes[:2]
    first, second = nodes[1].machine, nodes[2].machine
    first.traffic(4)
    first.clock.advance(3)
    assert {state.creator for state in second.pf.states} == {1, 2}
    assert first.text("/etc/pf.conf").startswith("ext = \"em2\"\n# BEGIN hafirewall.cluster options\nset hostid 0x00000001\n")


# What is told


def test_set_skip_on_the_sync_interface_is_told_as_broader_and_is_no_reason_to_refuse(firewall):
    firewall.put("/etc/pf.before", "nat on em2 inet from 192.0.2.0/24 to any -> (em2)\nblock quick on em1\n")
    firewall.put("/etc/pf.conf", 'set skip on { lo0, em1 }\ninclude "/etc/pf.before"\n')
    firewall.run(["pfctl", "-f", "/etc/pf.conf"])
    result, _node = apply(firewall)
    found = result["pass_rule"]
    assert (found["effective"], found["present"], found["broader"]) == (True, True, ["set skip on em1: pf passes everything there"])


def test_a_broader_rule_of_somebody_is_told(firewall):
    firewall.put("/etc/pf.conf", "block all\npass quick on em1\n")
    result, _node = apply(firewall)
    assert result["pass_rule"]["broader"] == ["@5 pass quick on em1 all flags S/SA keep state (any protocol, from any)"]


def test_what_cannot_be_told_is_said_and_not_claimed(firewall):
    firewall.put("/etc/pf.before", "nat on em2 inet from 192.0.2.0/24 to any -> (em2)\nblock in quick on em1 tos 0x10\n")
    firewall.put("/etc/pf.conf", 'include "/etc/pf.before"\npass\n')
    firewall.run(["pfctl", "-f", "/etc/pf.conf"])
    result, _node = apply(firewall)
    assert result["pass_rule"]["effective"] is None
    assert [note.split(":")[0] for note in result["notes"]] == ["it cannot be told whether pfsync's packets pass"]


def judged(machine, starts=True):
    node = FreebsdNode(machine)
    conf = pf_options.read(node, rc.read(node))
    sync = Sync("em1", None, "198.51.100.128/28", None)
    return kept_rule.kept(node, conf, starts)([rule for rule in sync_rule.read(node).rules if rule.protocol == "pfsync"], sync)


def test_a_rule_is_kept_when_the_file_has_it_and_pf_starts_at_boot(firewall):
    assert judged(firewall) == (False, ["/etc/pf.conf has no such rule"])
    apply(firewall)
    assert judged(firewall) == (True, [])
    assert judged(firewall, starts=False) == (False, ["pf_enable is not on in rc.conf, so pf does not start at boot"])
    firewall.put("/etc/pf.conf", THEIRS)
    assert judged(firewall) == (False, ["the rule is in force, and not in /etc/pf.conf: the next reload removes it"])
    firewall.put("/etc/pf.conf", "pas\n")
    assert judged(firewall) == (False, ["pfctl does not take /etc/pf.conf: /etc/pf.conf:1: syntax error"])
    firewall.path("/etc/pf.conf").unlink()
    assert judged(firewall) == (False, ["there is no /etc/pf.conf"])
    firewall.pf.flush_rules()
    firewall.put("/etc/pf.conf", "%s\n" % PFSYNC)
    assert judged(firewall) == (False, ["/etc/pf.conf has the rule, and it is not in force"])


# Other ways to have it


def test_the_file_and_the_words_of_rc_conf_are_used(machine):
    machine.run(["sysrc", "pf_rules=/usr/local/etc/fw.conf"])
    machine.put("/usr/local/etc/fw.conf", "pass out\n")
    _result, node = apply(machine)
    assert machine.text("/usr/local/etc/fw.conf").startswith(block(PFSYNC, *CARP)) and machine.text("/etc/pf.conf") is None
    assert "pfctl -f /usr/local/etc/fw.conf" in node.commands


def test_a_lagg_that_is_still_to_come_is_judged_by_what_it_replaces_in_check_mode(firewall):
    result, _node = apply(firewall, check_mode=True, interface="lagg0", coming={"lagg0": "em1"})
    assert result["drift"][0]["wanted"][0] == PFSYNC.replace("em1", "lagg0")
    with pytest.raises(NodeError, match="there is no lagg0"):
        apply(firewall, interface="lagg0", coming={"lagg0": "em1"})


def test_one_peer_is_let_through_too(firewall):
    result, _node = apply(firewall, transport="unicast")
    assert (result["pass_rule"]["present"], result["pass_rule"]["effective"], result["pass_rule"]["broader"]) == (True, True, [])
    assert firewall.pf.passes("in", "em1", Packet("pfsync", "198.51.100.131", "198.51.100.130", 40, None))


def test_ipv6_passes_from_the_network_and_from_addresses_of_the_link(firewall):
    firewall.run(["ifconfig", "em1", "inet6", "2001:db8::2/64"])
    result, _node = apply(firewall, network="2001:db8::/64", vrrp=[{**VRRP, "family": "ipv6", "sources": ["2001:db8:1::3"]}])
    assert firewall.pf.rules.printed()[:7] == [
        "pass quick on em1 inet6 proto pfsync from 2001:db8::/64 to any keep state (no-sync)",
        "pass quick on em1 inet6 proto pfsync from fe80::/10 to any keep state (no-sync)",
        "pass quick on em1 inet6 proto ipv6-icmp all icmp6-type neighbrsol no state",
        "pass quick on em1 inet6 proto ipv6-icmp all icmp6-type neighbradv no state",
        "pass in quick on em0 inet6 proto carp from 2001:db8:1::3 to any keep state (no-sync)",
        "pass in quick on em0 inet6 proto carp from fe80::/10 to any keep state (no-sync)",
        "pass out quick on em0 inet6 proto carp all keep state (no-sync)"]
    found = result["pass_rule"]
    assert (found["present"], found["effective"], found["broader"], found["persistent"]) == (True, True, [], True)
