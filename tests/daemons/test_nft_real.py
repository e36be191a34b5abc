# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rules in real nftables: written, loaded, reloaded, broken and healed, and judged as the kernel judges."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import sync_rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from nft_sandbox import Neighbour, configure, fill_disk, free_disk, run, sandboxed, unit_state

CONF, INCLUDE = Path("/etc/nftables.conf"), Path("/etc/nftables.d/hafirewall.nft")
SYNC = {"interface": "sync0", "network": "198.51.100.128/28", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "address": "198.51.100.129",
        "peer": None}
STRICT = """
table inet filter {
  set trusted { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iif lo accept
    ip saddr @trusted tcp dport 22 accept
    meta l4proto { icmp, ipv6-icmp } jump pings
    udp dport 3000-4000 goto refused
  }
  chain pings { icmp type echo-request accept; }
  chain refused { counter drop; }
  chain forward { type filter hook forward priority filter; policy drop; }
  chain output { type filter hook output priority filter; policy drop; ct state established accept; oifname "lan0" udp dport 53 accept; }
}
"""


def options(**changes: Any) -> Dict[str, Any]:
    vrrp = [{"interface": "lan0", "family": "ipv4", "sources": ["192.0.2.3"], "transport": "multicast"},
            {"interface": "lan0", "family": "ipv6", "sources": [], "transport": "multicast"}]
    engine = {key: value for key, value in SYNC.items() if key not in ("address", "peer")}
    return dict(engine, **dict({"enabled": True, "vrrp": vrrp, "chains": []}, **changes))


def applied(check_mode: bool = False, **changes: Any) -> Dict[str, Any]:
    node = Node(check_mode)
    result = sync_rule.apply(node, options(**changes))
    return dict(result, changed=node.changed, commands=node.commands, diffs=node.diffs)


def observed(**changes: Any) -> Dict[str, Any]:
    found, errors = sync_rule.observe_pass_rule(Node(), dict(SYNC, **changes))
    assert errors == []
    return found


def state() -> List[str]:
    return [run("nft", "-s", "list", "ruleset"), CONF.read_text() if CONF.exists() else "", INCLUDE.read_text() if INCLUDE.exists() else "", unit_state()]


def rules_in(chain: str) -> List[str]:
    """Names of our rules at the head of a chain, in order, up to the first that is not ours."""
    lines = run("nft", "-s", "list", "chain", *chain.split()).splitlines()
    body = [line.strip() for line in lines if line.startswith("\t\t") and "type filter hook" not in line]
    names = [line.split('comment "hafirewall.cluster: ')[1].rstrip('"') if "hafirewall.cluster: " in line else "" for line in body]
    assert not any(names[len([name for name in names if name]):]), "ours are not all at the head: %s" % names
    return [name for name in names if name]


IN = ["engine in", "membership in", "vrrp in lan0 ipv4", "vrrp in lan0 ipv6"]
OUT = ["engine out", "membership out", "vrrp out lan0 ipv4", "vrrp out lan0 ipv6"]


@sandboxed
def test_traffic_really_passes_a_ruleset_that_drops_by_default() -> None:
    neighbour = Neighbour({"sync0": "198.51.100.129/28", "lan0": "192.0.2.2/24"})
    configure(STRICT)
    counters = "; ".join("ip protocol %d counter" % protocol for protocol in (17, 2, 112))
    run("nft", "-f", "-", stdin="table ip probe { chain seen { type filter hook prerouting priority -500; %s; }; "
        "chain arrived { type filter hook input priority 300; %s; }; }" % (counters, counters))
    wanted = sync_rule.nft_rules.wanted_rules(options())
    incoming = [packet for rule in wanted for packet in rule.packets if packet.direction == "in" and packet.version == 4]

    def counted(chain: str) -> List[int]:
        return [part["counter"]["packets"] for entry in json.loads(run("nft", "-j", "list", "chain", "ip", "probe", chain))["nftables"] if "rule" in entry
                for part in entry["rule"]["expr"] if "counter" in part]

    for packet in incoming:
        neighbour.send(packet)
    assert Node().wait_for(lambda: counted("seen") == [1, 1, 1], 60)
    assert counted("arrived") == [0, 0, 0]
    applied()
    for packet in incoming:
        neighbour.send(packet)
    assert Node().wait_for(lambda: counted("seen") == [2, 2, 2], 60)
    assert counted("arrived") == [1, 1, 1]
    assert {rule["name"]: rule["packets"] for rule in observed()["rules"] if rule["name"] in IN[:3]} == dict.fromkeys(IN[:3], 1)
    neighbour.close()


@sandboxed
def test_check_mode_predicts_and_second_run_is_silent() -> None:
    configure(STRICT)
    before = state()
    predicted = applied(check_mode=True)
    assert state() == before
    assert predicted["pass_rule"]["effective"] is False
    done = applied()
    assert [predicted[key] for key in ("drift", "commands", "diffs", "validation")] == [done[key] for key in ("drift", "commands", "diffs", "validation")]
    assert done["validation"] == "passed" and len(done["drift"]) == 4
    assert rules_in("inet filter input") == IN and rules_in("inet filter output") == OUT
    evidence = done["pass_rule"]
    assert [evidence[key] for key in ("filtered", "present", "effective", "persistent")] == [True] * 4
    assert [evidence[key] for key in ("broader", "unclear", "blockers", "reasons")] == [[]] * 4
    after = state()
    again = applied()
    assert (again["changed"], again["drift"], again["validation"], state()) == (False, [], "not needed", after)
    assert observed()["effective"] is True


@sandboxed
def test_reload_keeps_the_rules_first_and_leaves_everything_else() -> None:
    configure(STRICT)
    theirs = run("nft", "-s", "list", "ruleset")
    applied()
    mode = CONF.stat().st_mode
    run("systemctl", "reload", "nftables")
    assert rules_in("inet filter input") == IN and rules_in("inet filter output") == OUT
    assert applied()["changed"] is False
    assert CONF.stat().st_mode == mode
    left = [line for line in run("nft", "-s", "list", "ruleset").splitlines() if "hafirewall.cluster" not in line]
    assert left == theirs.splitlines()


@sandboxed
def test_every_table_that_can_drop_gets_the_rules_of_its_family() -> None:
    configure(STRICT + """
table ip older { chain in { type filter hook input priority -10; policy accept; udp dport 3780 reject; }
 chain other { type filter hook input priority -5; policy accept; tcp dport 25 drop; }
}
table ip6 newer { chain in { type filter hook input priority 10; policy drop; }
}
""")
    evidence = applied()["pass_rule"]
    assert rules_in("ip older in") == IN[:3]
    assert rules_in("ip older other") == []
    assert rules_in("ip6 newer in") == ["vrrp in lan0 ipv6"]
    assert rules_in("inet filter input") == IN
    assert evidence["effective"] is True and evidence["persistent"] is True
    assert applied()["changed"] is False


@sandboxed
def test_ruleset_replaced_by_one_that_drops_is_seen_and_healed() -> None:
    configure(STRICT)
    applied()
    configure("table inet mine { chain entry { type filter hook input priority 0; policy accept; jump deny; }\n chain deny { udp dport 3780 drop; }\n }\n")
    evidence = observed()
    assert evidence["effective"] is False and evidence["present"] is False and evidence["persistent"] is False
    assert evidence["blockers"] == ["inet mine deny: udp dport 3780 drop (engine in)"]
    healed = applied()
    assert healed["pass_rule"]["effective"] is True and healed["pass_rule"]["persistent"] is True
    assert rules_in("inet mine entry") == IN
    run("systemctl", "reload", "nftables")
    assert observed()["effective"] is True


@sandboxed
def test_an_earlier_drop_is_named_as_the_blocker() -> None:
    configure(STRICT + "table inet raw { chain first { type filter hook prerouting priority raw; iifname \"sync0\" udp dport 3780 drop; }\n }\n")
    evidence = applied()["pass_rule"]
    assert evidence["effective"] is False
    assert evidence["blockers"] == ['inet raw first: iifname "sync0" udp dport 3780 drop (engine in)']
    assert evidence["persistent"] is False
    assert applied()["changed"] is False, "what cannot be mended must not be tried again and again"


@pytest.mark.parametrize(("rule", "found"), [
    ("udp dport 3780 accept", 'inet filter input: udp dport 3780 accept'),
    ('iifname "sync0" accept', 'inet filter input: iifname "sync0" accept'),
    ('iifname { "lan0", "mgmt0" } accept', 'inet filter input: iifname { "lan0", "mgmt0" } accept'),
    ('ip saddr 198.51.100.0/24 accept', 'inet filter input: ip saddr 198.51.100.0/24 accept'),
    ('iifname "lan0" tcp dport 3780 accept', None),
    ('iifname "sync0" ip saddr 198.51.100.128/28 udp dport 3780 accept', None),
])
@sandboxed
def test_a_rule_broader_than_needed_is_named(rule: str, found: str) -> None:
    configure(STRICT.replace("    iif lo accept\n", "    iif lo accept\n    %s\n" % rule))
    evidence = applied()["pass_rule"]
    assert evidence["effective"] is True
    assert [text.split(" accepts the engine's traffic")[0] for text in evidence["broader"]] == ([found] if found else [])


@sandboxed
def test_interrupted_between_files_and_kernel_the_next_run_completes() -> None:
    configure(STRICT)

    class Dying(Node):
        def act(self, argv: Any, **other: Any) -> Any:  # type: ignore[override]
            os._exit(9)

    child = os.fork()
    if child == 0:
        sync_rule.apply(Dying(), options())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert INCLUDE.exists() and rules_in("inet filter input") == []
    run("nft", "-c", "-f", str(CONF))
    evidence = applied()["pass_rule"]
    assert evidence["effective"] is True and rules_in("inet filter input") == IN


@sandboxed
def test_full_disk_changes_nothing_and_says_so() -> None:
    configure(STRICT)
    before = state()
    fill_disk()
    with pytest.raises(NodeError, match="No space left.*free some space"):
        applied()
    free_disk()
    assert state() == before
    assert applied()["pass_rule"]["effective"] is True


@sandboxed
def test_a_refused_step_takes_the_others_back() -> None:
    configure(STRICT)
    unit_state("disabled")
    before = state()
    (Path("/tmp/.hafw-nft-room") / "refuse-enable").touch()
    with pytest.raises(NodeError, match="enable nftables.service exited with status 1.*put back"):
        applied()
    assert state() == before


@sandboxed
def test_disabled_service_is_enabled_and_a_masked_one_is_told() -> None:
    configure(STRICT)
    unit_state("disabled")
    assert "nftables.service is not enabled, so the live rules are gone after a reboot" in observed()["reasons"]
    done = applied()
    assert {"setting": "nftables.service enabled", "is": False, "wanted": True} in done["drift"]
    assert unit_state() == "enabled" and done["pass_rule"]["persistent"] is True
    unit_state("masked")
    again = applied()
    assert again["changed"] is False and again["pass_rule"]["persistent"] is False


@sandboxed
def test_disabled_service_of_another_ruleset_is_left_alone() -> None:
    configure("table inet unused { chain input { type filter hook input priority 0; }\n }\n", load=False)
    run("nft", "-f", "-", stdin=STRICT)
    unit_state("disabled")
    evidence = applied()["pass_rule"]
    assert unit_state() == "disabled" and not INCLUDE.exists()
    assert evidence["effective"] is True and evidence["persistent"] is False
    assert "chain inet filter input is not in the file that nftables.service loads" in evidence["reasons"]


@sandboxed
def test_missing_ruleset_file_means_live_only() -> None:
    configure(STRICT)
    CONF.unlink()
    done = applied()
    assert not CONF.exists() and not INCLUDE.exists()
    assert done["pass_rule"]["effective"] is True and done["pass_rule"]["persistent"] is False
    assert "there is no /etc/nftables.conf" in done["pass_rule"]["reasons"]


@pytest.mark.parametrize("nested", [False, True])
@sandboxed
def test_an_include_of_the_folder_is_used_instead_of_a_second_one(nested: bool) -> None:
    Path("/etc/nftables.d").mkdir()
    Path("/etc/nftables.d/mine.nft").write_text("add rule inet filter input tcp dport 99 accept\n")
    Path("/etc/last.nft").write_text('include "nftables.d/*.nft"\n')
    configure(STRICT + ('include "/etc/last.nft"\n' if nested else 'include "/etc/nftables.d/*.nft"\n'))
    text = CONF.read_text()
    assert applied()["pass_rule"]["persistent"] is True
    assert CONF.read_text() == text and INCLUDE.exists()
    run("systemctl", "reload", "nftables")
    assert rules_in("inet filter input") == IN
    assert applied()["changed"] is False


@sandboxed
def test_an_include_of_the_folder_before_the_chains_is_refused() -> None:
    configure('include "/etc/nftables.d/*.nft"\n' + STRICT)
    before = state()
    with pytest.raises(NodeError, match="nft refuses /etc/nftables.conf with the pass rules"):
        applied()
    assert state() == before


@sandboxed
def test_a_folder_that_is_included_twice_would_double_the_rules_and_is_refused() -> None:
    configure(STRICT + 'include "/etc/nftables.d/*.nft"\n' * 2)
    before = state()
    with pytest.raises(NodeError, match=r"\[engine in, .*engine in, .*\] instead of .* include /etc/nftables.d once, after the chains"):
        applied()
    assert state() == before


@sandboxed
def test_the_ruleset_file_loads_whatever_becomes_of_its_chains_and_our_file() -> None:
    configure(STRICT)
    applied()
    CONF.write_text(CONF.read_text().replace("chain input {", "chain entrance {").replace("table inet filter", "table inet wall"))
    run("nft", "-f", str(CONF))
    assert observed()["effective"] is False
    assert applied()["pass_rule"]["persistent"] is True and rules_in("inet wall entrance") == IN
    INCLUDE.unlink()
    run("nft", "-f", str(CONF))
    assert observed()["effective"] is False
    assert applied()["pass_rule"]["persistent"] is True


@sandboxed
def test_a_line_added_behind_ours_moves_ours_to_the_end() -> None:
    configure(STRICT)
    applied()
    CONF.write_text(CONF.read_text() + "insert rule inet filter input iifname sync0 drop")
    run("nft", "-f", str(CONF))
    assert observed()["blockers"] == ['inet filter input: iifname "sync0" drop (engine in)']
    assert applied()["pass_rule"]["effective"] is True
    assert CONF.read_text().splitlines()[-1].endswith("keep this line last")
    run("nft", "-f", str(CONF))
    assert observed()["effective"] is True


@pytest.mark.parametrize("damage", [
    "insert rule inet filter input udp dport 3780 drop",
    "insert rule inet filter input udp dport 3780 limit rate 5/second drop",
    'insert rule inet filter input counter accept comment "hafirewall.cluster: engine in"',
    "flush chain inet filter output",
    'add rule inet filter pings counter accept comment "hafirewall.cluster: left over"',
])
@sandboxed
def test_live_damage_is_drift_and_healed(damage: str) -> None:
    configure(STRICT)
    applied()
    run("nft", damage)
    done = applied()
    assert [entry["setting"].startswith("live rules in inet filter ") for entry in done["drift"]] == [True]
    assert done["pass_rule"]["effective"] is True
    assert rules_in("inet filter input") == IN and rules_in("inet filter output") == OUT and rules_in("inet filter pings") == []
    assert applied()["changed"] is False


@sandboxed
def test_a_harmless_rule_before_ours_is_no_drift() -> None:
    configure(STRICT)
    applied()
    run("nft", "insert rule inet filter input ct state established accept")
    run("nft", "insert rule inet filter input tcp dport 22 drop")
    assert applied()["changed"] is False and observed()["effective"] is True


@sandboxed
def test_off_removes_the_engine_and_then_everything() -> None:
    configure(STRICT)
    before = state()
    applied()
    applied(enabled=False)
    assert rules_in("inet filter input") == IN[2:]
    off = applied(enabled=False, vrrp=[])
    assert state() == before and off["changed"] is True
    assert applied(enabled=False, vrrp=[])["changed"] is False


@sandboxed
def test_without_a_filter_nothing_is_written_until_one_appears() -> None:
    configure("table inet open { chain input { type filter hook input priority 0; }\n }\n")
    before = state()
    evidence = applied()["pass_rule"]
    assert state() == before
    assert [evidence[key] for key in ("filtered", "present", "effective", "persistent")] == [False, False, True, True]
    assert evidence["broader"] == ["no input chain drops anything: everything accepts the engine's traffic from 203.0.113.250 on sync0"]
    configure(STRICT)
    assert applied()["pass_rule"]["persistent"] is True and rules_in("inet filter input") == IN


@pytest.mark.parametrize("changes", [
    {"network": "2001:db8:5::/64", "group": "ff05::50"}, {"network": "2001:db8:5::/64", "group": "ff02::50"},
    {"network": "2001:db8:5::/64", "transport": "unicast", "group": None}, {"transport": "unicast", "group": None},
    {"vrrp": [{"interface": "lan0", "family": family, "sources": sources, "transport": transport}
              for family, sources in (("ipv4", ["192.0.2.4/24", "192.0.2.3"]), ("ipv6", ["2001:db8:1::3"])) for transport in ("unicast", "multicast")]},
    {"vrrp": [{"interface": "lan0", "family": "ipv4", "sources": [], "transport": transport} for transport in ("unicast", "multicast")]},
])
@sandboxed
def test_every_form_of_the_rules_loads_passes_and_is_stable(changes: Dict[str, Any]) -> None:
    configure(STRICT)
    evidence = applied(**changes)["pass_rule"]
    assert [evidence[key] for key in ("effective", "persistent", "broader", "unclear")] == [True, True, [], []]
    run("systemctl", "reload", "nftables")
    assert applied(**changes)["changed"] is False


@sandboxed
def test_named_chains_take_the_rules_instead() -> None:
    configure(STRICT.replace("iif lo accept", "iif lo accept\n    jump ours").replace("chain pings {", "chain ours { }\n  chain pings {"))
    evidence = applied(chains=["inet filter ours", "inet filter output"])["pass_rule"]
    assert rules_in("inet filter ours") == IN and rules_in("inet filter input") == [] and rules_in("inet filter output") == OUT
    assert evidence["effective"] is True and evidence["persistent"] is True and evidence["present"] is True
    assert applied(chains=["inet filter ours", "inet filter output"])["changed"] is False
    with pytest.raises(NodeError, match="inet filter nowhere"):
        applied(chains=["inet filter nowhere"])


@sandboxed
def test_chains_of_iptables_are_left_alone_and_named() -> None:
    configure("")
    run("nft", "-f", "-", stdin="table ip filter { chain INPUT { type filter hook input priority 0; policy drop; }\n }\n")
    before = state()
    done = applied()
    assert state() == before
    assert done["left_alone"] == [
        "chain ip filter INPUT is kept by iptables (or ufw, which uses it) and was left alone: let the traffic of the cluster pass there"]
    assert done["pass_rule"]["effective"] is False and done["pass_rule"]["persistent"] is False
    assert any("kept by iptables" in reason for reason in done["pass_rule"]["reasons"])


@sandboxed
def test_a_ruleset_file_that_names_devices_is_tried_out_with_stand_ins() -> None:
    neighbour = Neighbour({"sync0": "198.51.100.129/28"})
    configure(STRICT.replace("iif lo accept", "iif lo accept\n    iif sync0 tcp dport 22 accept"))
    assert applied()["pass_rule"]["persistent"] is True
    neighbour.close()


@sandboxed
def test_a_broken_ruleset_file_is_an_error_and_stays() -> None:
    configure(STRICT)
    CONF.write_text(CONF.read_text() + "nonsense\n")
    before = state()
    with pytest.raises(NodeError, match="(?s)/etc/nftables.conf does not load, so .* without its packet filter.*/etc/nftables.conf:.*nonsense"):
        applied()
    assert state() == before


@sandboxed
def test_a_linked_ruleset_file_stays_a_link() -> None:
    configure(STRICT)
    CONF.rename("/etc/real.nft")
    CONF.symlink_to("/etc/real.nft")
    assert applied()["pass_rule"]["persistent"] is True
    assert CONF.is_symlink() and "keep this line last" in Path("/etc/real.nft").read_text()


@sandboxed
def test_evidence_without_the_engine_and_with_its_network_from_the_device() -> None:
    neighbour = Neighbour({"sync0": "198.51.100.129/28"})
    configure(STRICT)
    applied()
    found, errors = sync_rule.observe_pass_rule(Node(), None)
    assert errors == [] and [found[key] for key in ("filtered", "present", "effective", "persistent")] == [True, True, None, True]
    known = dict(SYNC)
    del known["network"]
    assert sync_rule.observe_pass_rule(Node(), known)[0]["effective"] is True
    _found, errors = sync_rule.observe_pass_rule(Node(), dict(known, address="198.51.100.140"))
    assert errors == [{"area": "pass_rule", "reason": "sync0 has no address 198.51.100.140, so the Sync network is not known"}]
    neighbour.close()
