# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of a pfSense node in one module call: one PHP process, nothing changed, no secret, each area failing alone."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import segment
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf import Status, status
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import info
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.provider import PfsenseProvider
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG, CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.transcripts import transcript

QUIET = {"sync_interface": None, "sync_network": None, "sample": False}
HASYNC = """\t<hasync>
\t\t<pfsyncenabled>on</pfsyncenabled>
\t\t<pfsyncinterface>opt1</pfsyncinterface>
\t\t<pfsyncpeerip></pfsyncpeerip>
\t\t<synchronizetoip>198.51.100.130</synchronizetoip>
\t\t<synchronizerules>on</synchronizerules>
\t\t<synchronizevirtualip>on</synchronizevirtualip>
\t\t<synchronizenat></synchronizenat>
\t\t<username><![CDATA[not to be seen]]></username>
\t\t<password><![CDATA[not to be seen]]></password>
\t</hasync>
"""
RULE = """\t\t<rule>
\t\t\t<tracker>1700000001</tracker>
\t\t\t<type>pass</type>
\t\t\t<interface>opt1</interface>
\t\t\t<ipprotocol>inet</ipprotocol>
\t\t\t<protocol>pfsync</protocol>
\t\t\t<source><network>opt1</network></source>
\t\t\t<destination><any></any></destination>
\t\t\t<descr><![CDATA[pfsync]]></descr>
\t\t</rule>
\t</filter>
"""
WHOLE = CARP_CONFIG.replace("\t<revision>\n", HASYNC + "\t<revision>\n").replace("\t</filter>\n", RULE)


def evidence(node, **params):
    return info.collect(node, dict(QUIET, **params))["evidence"]


@pytest.fixture
def node(request, make):
    """A node whose product has applied its configuration."""
    made = make(getattr(request, "param", "2.7.2-RELEASE"), config=WHOLE)
    made.php('interfaces_sync_setup(); filter_configure_sync(); foreach ($config["virtualip"]["vip"] as $vip) { interface_carp_configure($vip); }')
    return made


@pytest.mark.parametrize("node", ["2.6.0-RELEASE", "2.7.0-RELEASE", "2.7.2-RELEASE", "23.09.1-RELEASE", "2.9.0-RELEASE"], indirect=True)
def test_one_reading_has_all_areas_by_one_php_process_and_changes_nothing(node):
    before, calls = (node.config, node.kernel(), node.journal("command", "event", "notice")), node.php_calls
    found = info.collect(node, QUIET)
    assert found["ansible_facts"] == {"hafirewall_evidence": found["evidence"]}
    assert node.php_calls == calls + 1
    assert (node.config, node.kernel(), node.journal("command", "event", "notice")) == before
    assert node.changed is False
    found = found["evidence"]
    assert found["errors"] == []
    assert set(found) == {"schema", "collected_at", "platform", "kernel", "os", "boot_id", "config", "config_sync", "engine", "vrrp", "maintenance",
                          "state_policy", "state_policy_from", "state_rules", "pass_rule", "interfaces", "management", "references", "segment",
                          "traffic", "watch", "readiness", "errors"}
    assert (found["platform"], found["maintenance"], found["boot_id"]) == ("pfsense", False, "1795000000")
    engine, vrrp = found["engine"], found["vrrp"]
    assert (engine["enabled"], engine["empty"], engine["running"], engine["config_current"], engine["creators"]) == (True, False, True, True, ["bdbad98"])
    assert engine["tables"] == {"kernel": 1, "kernel_max": 400000}
    assert (engine["config"]["interface"], engine["config"]["transport"], engine["config"]["address"], engine["config"]["network"]) == (
        "em2", "multicast", "198.51.100.129", None)
    assert (vrrp["running"], vrrp["demotion"], vrrp["config_current"], vrrp["enabled"]) == (True, 0, True, True)
    assert found["pass_rule"]["present"] is found["pass_rule"]["persistent"] is found["pass_rule"]["effective"] is True
    assert "not to be seen" not in json.dumps(found)


@pytest.mark.parametrize(("node", "expected", "base"), [
    ("2.6.0-RELEASE", {"version": "2.6.0", "edition": "CE"}, "12.3-STABLE"), ("2.7.2-RELEASE", {"version": "2.7.2", "edition": "CE"}, "14.0-CURRENT"),
    ("23.09.1-RELEASE", {"version": "23.09.1", "edition": "Plus"}, "14.0-CURRENT"), ("24.03-RELEASE", {"version": "24.03", "edition": "Plus"}, "14.0-CURRENT"),
], indirect=["node"])
def test_release_edition_and_base_are_told(node, expected, base):
    found = evidence(node)
    assert (found["os"], found["kernel"]) == (dict(expected, id="pfsense", base=base), base)
    assert (found["engine"]["config"]["version"] is None) == (base == "12.3-STABLE")


def test_the_configuration_and_whom_it_is_sent_to(node):
    found = evidence(node)
    assert found["config"] == {"version": "23.3", "revision": {"time": 1795000000, "description": "(system): assigned", "username": "(system)"}}
    # An empty element sends nothing.
    assert found["config_sync"] == {"target": "198.51.100.130", "sections": ["rules", "virtualip"]}
    node.edit("<synchronizetoip>198.51.100.130</synchronizetoip>", "<synchronizetoip></synchronizetoip>")
    assert evidence(node)["config_sync"]["target"] is None


def test_virtual_addresses_are_told_as_the_kernel_runs_them(node):
    found = evidence(node)
    assert found["vrrp"]["instances"][1] == {
        "name": "lan_10_ipv4", "interface": "em1", "id": 10, "family": "ipv4", "priority": None, "state": "active", "advskew": 0, "advbase": 1,
        "addresses": ["192.0.2.1/24"], "addresses_present": ["192.0.2.1"]}
    node.kernel(carp_peer_advskew=0)
    assert {row["state"] for row in evidence(node)["vrrp"]["instances"]} == {"standby"}
    node.kernel("sysctl", **{"net.inet.carp.allow": "0", "net.inet.carp.demotion": "240"})
    vrrp = evidence(node)["vrrp"]
    assert ({row["state"] for row in vrrp["instances"]}, vrrp["running"], vrrp["demotion"]) == ({"fault"}, False, 240)


@pytest.mark.parametrize("change", [
    ("<vhid>10</vhid>", "<vhid>11</vhid>"), ("<advskew>0</advskew>", "<advskew>9</advskew>"), ("192.0.2.1</subnet>", "192.0.2.3</subnet>"),
    ("\t</virtualip>\n", "\t</virtualip>\n\t<virtualip_carp_maintenancemode></virtualip_carp_maintenancemode>\n")])
def test_carp_that_runs_otherwise_than_configured_is_told(node, change):
    node.edit(*change)
    found = evidence(node)
    assert (found["vrrp"]["config_current"], found["maintenance"]) == (False, "maintenancemode" in change[1])


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("<pfsyncenabled>on</pfsyncenabled>", "<pfsyncenabled></pfsyncenabled>", (True, True, True)),
    ("\t\t<pfsyncenabled>on</pfsyncenabled>\n", "", (False, False, False)),
    ("<pfsyncinterface>opt1</pfsyncinterface>", "<pfsyncinterface>lan</pfsyncinterface>", (True, False, False)),
    ("<pfsyncpeerip></pfsyncpeerip>", "<pfsyncpeerip>198.51.100.130</pfsyncpeerip>", (True, False, False)),
    ("<pfsyncpeerip></pfsyncpeerip>", "<pfsyncpeerip></pfsyncpeerip><pfhostid>5</pfhostid>", (True, False, False)),
])
def test_pfsync_that_runs_otherwise_than_configured_is_told(node, old, new, expected):
    node.edit(old, new)
    engine = evidence(node)["engine"]
    assert (engine["enabled"], engine["empty"], engine["config_current"]) == expected
    assert engine["running"] is True


@pytest.mark.parametrize(("node", "policy", "expected"), [
    ("2.6.0-RELEASE", None, (None, None)), ("2.7.2-RELEASE", None, (None, None)), ("23.09.1-RELEASE", None, (None, None)),
    ("2.9.0-RELEASE", None, ("if-bound", "default")), ("24.03-RELEASE", "", ("if-bound", "default")), ("24.03-RELEASE", "floating", ("floating", "configured")),
], indirect=["node"])
def test_the_state_policy_is_by_release_and_configuration(node, policy, expected):
    if policy is not None:
        node.edit("\t<system>\n", "\t<system>\n\t\t<statepolicy>%s</statepolicy>\n" % policy)
    found = evidence(node)
    assert (found["state_policy"], found["state_policy_from"]) == expected


@pytest.mark.parametrize("node", ["2.9.0-RELEASE"], indirect=True)
def test_rules_that_bind_their_states_are_counted_in_the_ruleset_in_force(node):
    assert evidence(node)["state_rules"] == {"bound": 3, "routed": 0}
    node.edit("\t<system>\n", "\t<system>\n\t\t<statepolicy>floating</statepolicy>\n")
    node.edit("\t\t\t<tracker>1700000001</tracker>\n", "\t\t\t<tracker>1700000001</tracker>\n\t\t\t<statepolicy>if-bound</statepolicy>\n")
    node.php("filter_configure_sync();")
    assert evidence(node)["state_rules"] == {"bound": 1, "routed": 0}


@pytest.mark.parametrize("release", ["2.6.0-RELEASE", "2.7.0-RELEASE", "2.7.1-RELEASE", "23.05-RELEASE", "23.09-RELEASE"])
def test_who_made_the_states_is_told_on_all_releases(make, release):
    node = make(release)
    node.kernel("pf", states=["a", "b", "bdbad98", "a"])
    asked = []
    query = node.query
    node.query = lambda argv, **more: asked.append(argv[0]) or query(argv, **more)
    assert evidence(node)["engine"]["creators"] == ["a", "b", "bdbad98"]
    assert ("sh" in asked) is (release not in ("2.7.1-RELEASE", "23.09-RELEASE"))


def test_pf_tells_its_state_and_its_id():
    assert status(transcript("35-pfctl-si-v.A")) == Status(True, "a", 8, "7d9315b8053e360fbe2da11683a6b08e")
    assert status(transcript("014b-pfctl-si-v-fresh.A")) == Status(False, "bdbad98", 0, "0" * 32)
    assert status("") == Status(None, None, None)


def test_a_filter_that_is_off_is_told(node):
    node.kernel("pf", running=False)
    found = evidence(node)
    assert (found["engine"]["filter"], found["pass_rule"]["filtered"], found["pass_rule"]["effective"]) == (False, False, False)


def test_what_names_a_device_is_told_but_for_what_moves_with_it(make):
    node = make(config=CONFIG.replace("\t<revision>\n", """\t<vlans><vlan><if>em1</if><tag>10</tag><vlanif>em1.10</vlanif></vlan></vlans>
\t<qinqs><qinqentry><if>em1</if><tag>7</tag><members>1</members></qinqentry></qinqs>
\t<ppps><ppp><ports>em0,em2</ports><password>em0</password></ppp></ppps>
\t<bridges><bridged><members>lan,opt1</members></bridged></bridges>
\t<installedpackages><thing><config>
\t\t<iface_array>lan</iface_array><devices>-i em1 -x em11 em1.10</devices><descr>em1 goes</descr>
\t</config></thing></installedpackages>
\t<revision>
"""))
    rows = evidence(node)["references"]
    assert [(row["device"], row["kind"], row["where"]) for row in rows] == [
        ("em1", "qinq", "config.xml: qinqs/qinqentry/0/if"), ("em0", "ppp", "config.xml: ppps/ppp/0/ports"), ("em2", "ppp", "config.xml: ppps/ppp/0/ports"),
        ("em1", "package", "config.xml: installedpackages/thing/config/0/devices")]
    assert rows[1]["text"] == "ports names em0"


@pytest.mark.parametrize(("breaks", "areas"), [
    (lambda node: node.edit("</pfsense>", "</pfsens>"), ["config", "config_sync", "maintenance", "references", "pass_rule"]),
    (lambda node: (node.root / "sbin" / "netstat").unlink(), ["interfaces"]),
])
def test_an_area_that_fails_is_none_and_says_why(node, breaks, areas):
    whole = evidence(node)
    breaks(node)
    found = evidence(node)
    assert [area for area in whole if found[area] is None and whole[area] is not None] == [area for area in whole if area in areas]
    assert found["errors"]
    assert (found["vrrp"] is None, found["engine"] is None) == (False, False)


@pytest.mark.parametrize("release", ["2.5.2-RELEASE", "21.05-RELEASE"])
def test_a_release_without_a_python_for_modules_is_refused_in_words(make, release):
    with pytest.raises(NodeError, match="upgrade the node first.*node_info reads there without a module"):
        evidence(make(release))


def test_marked_states_cannot_be_made_and_the_error_says_what_is_there_instead(node):
    with pytest.raises(NodeError, match=r"no way to insert a state.*engine\.creators"):
        PfsenseProvider(node).sync_probe({"state": "present"})


def test_the_provider_gives_the_evidence(node):
    assert PfsenseProvider(node).node_info(QUIET)["evidence"]["platform"] == "pfsense"


# Management

SSH = "198.51.100.140 50022 192.0.2.2 22"


def test_the_connection_is_told_by_the_environment(node, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", SSH)
    node.kernel("told", **{"route -n get 198.51.100.140": "   route to: 198.51.100.140\n  interface: em2\n      flags: <UP,DONE>\n"})
    assert evidence(node)["management"] == {"device": "em1", "address": "192.0.2.2", "via": "em2"}


def test_the_connection_is_told_by_the_process_that_called_sudo(node, monkeypatch):
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.setattr(info.management.os, "getpid", lambda: 30)
    node.kernel("told", **{"ps -axo pid=,ppid=": "    1     0\n   10     1\n   20    10\n   30    20\n",
                           "procstat -e 20": "  PID COMM ENVIRONMENT\n   20 sudo A=B\n",
                           "procstat -e 10": "  PID COMM ENVIRONMENT\n   10 sh A=B SSH_CONNECTION=%s C=D\n" % SSH, "route -n get 198.51.100.140": ""})
    assert evidence(node)["management"] == {"device": "em1", "address": "192.0.2.2", "via": None}


def test_no_connection_over_the_network_has_no_device(node, monkeypatch):
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert evidence(node)["management"] == {"device": None, "address": None, "via": None}


# The Sync segment

ARP = """? (198.51.100.130) at 02:00:00:00:0b:02 on em2 expires in 1187 seconds [ethernet]
? (198.51.100.129) at 02:00:00:00:00:02 on em2 permanent [ethernet]
? (198.51.100.131) at (incomplete) on em2 expired [ethernet]
? (192.0.2.9) at 02:00:00:00:0c:01 on em1 expires in 900 seconds [ethernet]
"""
NDP = """Neighbor                             Linklayer Address  Netif Expire    S Flags
fe80::b%em2                          2:0:0:0:b:2          em2 23h59m59s S R
fe80::a%em2                          02:00:00:00:00:02    em2 permanent R
fe80::c%em1                          02:00:00:00:0c:01    em1 20s       R
"""


def test_everybody_on_the_sync_network_is_asked_for_and_neighbours_are_told(node, monkeypatch):
    asked, waited = [], []
    node.kernel("told", **{"arp -an": ARP, "ndp -an": NDP})

    def voice(*given):
        asked.append(given)
        node.kernel("told", **{"netstat -ibnW": node.query(["netstat", "-ibnW"]).stdout.replace(" 1002 ", " 1502 ")})
    monkeypatch.setattr(info.segment, "observe", lambda *given, observe=segment.observe: observe(*given, voice=voice, wait=waited.append))
    found = evidence(node, sample=True, sync_network="198.51.100.128/28")
    assert asked == [("em2", ["198.51.100.%d" % host for host in range(130, 143)], False)]
    # Meanwhile tcpdump has listened, for longer than a second.
    assert waited == [0.0] and found["watch"] == {"interface": "em2", "seconds": 1.0, "packets": 0, "truncated": False, "senders": []}
    assert found["segment"]["neighbours"] == [{"address": "198.51.100.130", "mac": "02:00:00:00:0b:02", "how": "arp"},
                                              {"address": "fe80::b", "mac": "02:00:00:00:0b:02", "how": "ndp"}]
    assert (found["segment"]["interface"], found["segment"]["asked"], found["segment"]["echo"]) == ("em2", 13, False)
    assert found["traffic"]["interfaces"]["em2"] == {"rx_bytes": 500, "tx_bytes": 0}
    assert found["traffic"]["interfaces"]["em1"] == {"rx_bytes": 0, "tx_bytes": 0}


@pytest.mark.parametrize(("params", "reason"), [({"sync_interface": "em9"}, "no interface em9"), ({"sync_network": "not one"}, "sync_network")])
def test_a_sample_that_cannot_be_taken_says_why(node, params, reason):
    found = evidence(node, sample=True, **params)
    assert (found["segment"], found["traffic"], found["watch"]) == (None, None, None)
    assert any(reason in error["reason"] for error in found["errors"] if error["area"] == "segment")


def test_asking_goes_to_each_host_and_stops_at_none_that_refuses(monkeypatch):
    sent = []

    class Wire:
        def __init__(self, family, _kind, _protocol=0):
            self.family = family

        def __enter__(self):
            return self

        def __exit__(self, *_error):
            return None

        def sendto(self, data, target):
            sent.append((self.family, data[:1], target))
            raise OSError("Host is down")
    monkeypatch.setattr(segment.socket, "socket", Wire)
    monkeypatch.setattr(segment.socket, "if_nametoindex", lambda name: {"em2": 3}[name])
    segment.ask("em2", ["198.51.100.130", "198.51.100.131"], True)
    assert sent == [(segment.socket.AF_INET, b"", ("198.51.100.130", 9)), (segment.socket.AF_INET, b"", ("198.51.100.131", 9)),
                    (segment.socket.AF_INET6, b"\x80", ("ff02::1", 0, 0, 3))]
