# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of an OPNsense node in one module call: nothing changed, no secret, each area failing alone."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from typing import Any, Dict

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.provider import OpnsenseProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.readiness import KEYS
from ansible_collections.hafirewall.cluster.tests.simulators.opnsense.node import CONFIG, GATEWAYS, configure, pair

WHOLE = {"sync_interface": None, "sync_network": None, "sample": False, "readiness": True, "snapshot": True}
SECRET = "not-to-be-seen"
OLD = {"<pfsyncversion>1400</pfsyncversion>": "<pfsyncenabled>on</pfsyncenabled>"}


@pytest.fixture
def make(tmp_path):
    """Makes a pair that is a cluster, with states of both."""
    def make(release: str = "26.1.4", **more: Any):
        nodes = pair(tmp_path, release, **more)
        nodes[0].machine.traffic(20)
        nodes[0].machine.clock.advance(5)
        return nodes
    return make


def evidence(node, **params: Any) -> Dict[str, Any]:
    run, done = node.again(), len(node.machine.commands)
    found = OpnsenseProvider(run).node_info(dict(WHOLE, **params))
    assert found["ansible_facts"] == {"hafirewall_evidence": found["evidence"]}
    assert run.changed is False and node.machine.changes(done) == []
    return dict(found["evidence"])


def areas(found: Dict[str, Any]) -> list:
    return [row["area"] for row in found["errors"]]


def test_one_reading_has_all_areas_no_secret_and_changes_nothing(make):
    first, second = make()
    before = second.machine.text(CONFIG)
    found = evidence(second)
    assert (found["errors"], second.machine.text(CONFIG), SECRET in json.dumps(found)) == ([], before, False)
    assert found["os"] == {"id": "opnsense", "version": "26.1.4", "edition": "community", "base": "14.3-RELEASE"}
    assert (found["platform"], found["kernel"], found["state_policy"], found["state_policy_from"]) == ("opnsense", "14.3-RELEASE", "floating", "default")
    assert found["config"]["revision"]["username"] == "root@192.0.2.9" and found["config_sync"] == {"target": None, "sections": []}
    assert evidence(first)["config_sync"] == {"target": "198.51.100.131", "sections": ["certs", "rules", "virtualip"]}
    engine = found["engine"]
    assert (engine["enabled"], engine["running"], engine["config_current"], engine["synced"], engine["bulk"]) == (True, True, True, True, "done")
    assert (engine["pinned"], engine["config"]["version"], engine["mtu"], engine["most_mtu"], engine["empty"]) == (1400, 1400, 1500, 4080, False)
    assert engine["states_by_creator"][engine["creators"][0]] > 1 and len(engine["creators"]) == 2
    vrrp = found["vrrp"]
    assert (vrrp["running"], vrrp["demotion"], vrrp["config_current"]) == (True, 0, True)
    assert [(row["name"], row["state"], row["advskew"]) for row in vrrp["instances"]] == [("lan_10_ipv4", "standby", 100), ("wan_20_ipv4", "standby", 100)]
    assert [(row["name"], row["key"], row["description"]) for row in found["interfaces"]][1] == ("em1", "opt1", "SYNC")
    assert [found["pass_rule"][key] for key in ("present", "effective", "persistent", "broader")] == [True, True, True, []]
    assert set(found["readiness"]) == set(KEYS)


@pytest.mark.parametrize(("release", "formats", "most"), [("23.7", None, 4080), ("24.1.10", None, 4080), ("24.7.10", 1400, 4080), ("26.7.2", 1400, None)])
def test_each_base_has_its_formats(make, release, formats, most):
    found = evidence(make(release, changes=OLD if formats is None else {})[1])
    assert found["errors"] == []
    assert (found["engine"]["config"]["version"], found["engine"]["pinned"], found["engine"]["most_mtu"]) == (formats, formats, most)
    assert found["engine"]["config_current"] is True


def test_state_sync_that_an_empty_element_switches_on_is_told(make):
    found = evidence(make("24.1", changes={"<pfsyncversion>1400</pfsyncversion>": "<pfsyncenabled/>"})[1])["engine"]
    assert (found["enabled"], found["empty"]) == (True, True)


@pytest.mark.parametrize("by_hand", [["ifconfig", "pfsync0", "version", "1301"], ["ifconfig", "pfsync0", "-syncdev"], ["ifconfig", "pfsync0", "defer"],
                                     ["ifconfig", "pfsync0", "syncpeer", "198.51.100.130"]])
def test_what_runs_is_compared_with_what_is_stored(make, by_hand):
    node = make()[1]
    node.machine.run(by_hand)
    assert evidence(node)["engine"]["config_current"] is False


@pytest.mark.parametrize(("old", "new", "area"), [
    ("<pfsyncinterface>opt1<", "<pfsyncinterface>opt2<", "engine"), ("<pfsyncversion>1400<", "<pfsyncversion>1301<", "engine"),
    ("<pfsyncinterface>opt1<", "<pfsyncinterface><", "engine"), ("<advskew>100<", "<advskew>50<", "vrrp"), ("<subnet>192.0.2.1<", "<subnet>192.0.2.7<", "vrrp"),
    ("<vhid>20<", "<vhid>21<", "vrrp"),
])
def test_what_is_saved_and_not_applied_is_no_longer_current(make, old, new, area):
    node = make()[1]
    node.edit(old, new)
    found = evidence(node)
    assert {name: found[name]["config_current"] for name in ("engine", "vrrp")} == {"engine": area != "engine", "vrrp": area != "vrrp"}


def test_state_sync_that_is_off_runs_nowhere_and_is_current(make):
    node = make(changes={"<pfsyncinterface>opt1<": "<pfsyncinterface><"})[1]
    found = evidence(node)["engine"]
    assert (found["enabled"], found["running"], found["config"], found["config_current"], found["pinned"]) == (False, False, None, True, None)


def test_maintenance_is_read_and_why_carp_is_demoted(make):
    node = make()[1]
    node.edit("<hostname>fw2</hostname>\n", "<hostname>fw2</hostname>\n")
    node.edit("</interfaces>", "</interfaces><virtualip_carp_maintenancemode>1</virtualip_carp_maintenancemode>")
    node.machine.run(["sysctl", "net.inet.carp.demotion=240"])
    found = evidence(node)
    assert (found["maintenance"], found["vrrp"]["demotion"], found["vrrp"]["config_current"]) == (True, 240, True)


def test_a_rule_of_the_configuration_that_is_not_in_force_and_one_that_a_reload_removes(make):
    node = make()[1]
    node.edit("<protocol>PFSYNC</protocol>", "<protocol>ICMP</protocol>")
    found = evidence(node)["pass_rule"]
    assert (found["present"], found["persistent"]) == (True, False) and "the next reload removes it" in found["reasons"][0]
    configure(node.machine)
    found = evidence(node)["pass_rule"]
    assert (found["present"], found["persistent"], found["effective"]) == (False, False, False) and "no such rule" in found["reasons"][0]
    node.edit("<protocol>ICMP</protocol>", "<protocol>PFSYNC</protocol>")
    assert "none for the Sync network alone is in force" in evidence(node)["pass_rule"]["reasons"][0]


def test_a_rule_of_a_group_that_the_sync_interface_is_in_is_kept(make):
    node = make()[1]
    node.edit("<interface>opt1</interface>", "<interface>cluster</interface>")
    assert evidence(node)["pass_rule"]["persistent"] is False
    node.edit("</interfaces>", "</interfaces><ifgroups><ifgroupentry><ifname>cluster</ifname><members>opt1</members></ifgroupentry></ifgroups>")
    assert evidence(node)["pass_rule"]["persistent"] is True


def test_a_configuration_that_cannot_be_read_takes_no_other_area_along(make):
    node = make()[1]
    node.machine.put(CONFIG, "<opnsense><sys")
    found = evidence(node)
    assert {"config", "pass_rule", "readiness.certificates", "snapshot.files", "snapshot.gateways"} <= set(areas(found))
    assert [found[name] for name in ("config", "config_sync", "maintenance", "state_policy", "pass_rule", "references")] == [None] * 6
    assert (found["engine"]["running"], found["engine"]["enabled"], found["engine"]["config_current"], found["vrrp"]["demotion"]) == (True, None, None, 0)
    # The product's own programs would put an older configuration in its place.
    assert not any("configctl" in command for command in node.machine.commands)


def test_a_receiver_that_is_no_address_is_an_error_of_its_own_area(make):
    node = make()[0]
    node.edit("<synchronizetoip>198.51.100.131<", "<synchronizetoip>https://[fw2]<")
    found = evidence(node)
    assert (found["config_sync"], areas(found)) == (None, ["config_sync"]) and found["engine"]["running"] is True


@pytest.mark.parametrize(("words", "area"), [
    (["pfctl", "-si"], "engine"), (["netstat", "-s"], None), (["sysctl", "kern.osrelease"], "vrrp"), (["pfctl", "-vvsr"], "pass_rule"), (["dmesg"], "engine"),
    (["configctl"], "snapshot.gateways"), (["df"], "readiness.disk"), (["ps"], "readiness.busy"), (["pkg-static", "rquery"], "readiness.candidate"),
])
def test_each_area_fails_alone(make, words, area):
    node = make()[1]
    node.machine.refuse(words, "broken")
    found = evidence(node)
    assert area is None or area in areas(found)
    assert found["interfaces"] and found["config"] and found["os"]["version"] == "26.1.4"


# Readiness

def test_nothing_is_amiss_on_a_node_that_is_well(make):
    found = evidence(make()[1])["readiness"]
    assert (found["busy"], found["pending"], found["unapplied"], found["jobs"]) == ([], {"reboot": False, "stage": None}, [], [])
    assert found["clock"]["synchronised"] is True and found["candidate"] == {"release": "26.1.4", "packages": {}}
    assert found["certificates"] == [{"name": "Web GUI TLS certificate (web interface)", "expires": 1830386794.0}]
    assert found["packages"]["opnsense"] == "26.1.4" and found["way_back"]["names"] == ["before"]


@pytest.mark.parametrize(("files", "stage"), [([".kernel.pending", ".base.pending", ".pkgs.pending"], "base, kernel, pkgs of opnsense-update"),
                                              ([".pkgs.pending"], "pkgs of opnsense-update"), ([".upgrade.log"], None)])
def test_stages_that_the_next_boot_installs(make, files, stage):
    node = make()[1]
    for name in files:
        node.machine.put("/var/cache/opnsense-update/" + name, "26.7")
    assert evidence(node)["readiness"]["pending"]["stage"] == stage


def test_another_kernel_that_is_installed_waits_for_a_reboot(make):
    node = make()[1]
    node.machine.installed = "14.3-RELEASE-p9"
    assert evidence(node)["readiness"]["pending"]["reboot"] is True


def test_a_set_of_the_same_patch_level_waits_for_a_reboot(make):
    node = make()[1]
    node.machine.kernels["/boot/kernel/kernel"] = int(node.machine.clock.now) + 60
    node.machine.sccs["/boot/kernel/kernel"] = "FreeBSD 14.3-RELEASE stable/26.1-n271884-c8918d6c7412 SMP"
    assert evidence(node)["readiness"]["pending"]["reboot"] is True


@pytest.mark.parametrize(("path", "name"), [("/tmp/filter.dirty", "filter"), ("/var/lib/php/tmp/ipsec.dirty", "ipsec"), ("/tmp/.lagg.todo", "lagg"),
                                            ("/tmp/delete_vip_5e0e.todo", "delete_vip_5e0e"),
                                            ("/tmp/.interfaces.apply", "interfaces")])
def test_marks_of_what_was_not_applied(make, path, name):
    node = make()[1]
    node.machine.put(path, "")
    assert evidence(node)["readiness"]["unapplied"] == [name]


@pytest.mark.parametrize(("command", "what"), [
    ("/bin/sh /usr/local/opnsense/scripts/firmware/launcher.sh", "launcher.sh"), ("/usr/local/sbin/opnsense-update -u", "opnsense-update"),
    ("/usr/local/sbin/pkg-static upgrade -y", "pkg-static"), ("/usr/local/bin/python3 /usr/local/opnsense/service/configd.py", None),
])
def test_upgrades_that_run(make, command, what):
    node = make()[1]
    node.machine.upkeep.processes[4711] = command
    assert evidence(node)["readiness"]["busy"] == ([] if what is None else [{"what": what, "pid": 4711}])


@pytest.mark.parametrize(("path", "line"), [("/etc/crontab", "* * * * * root /sbin/reboot"), ("/var/cron/tabs/root", "* * * * * /sbin/reboot"),
                                            ("/var/cron/tabs/nobody", "* * * * * /sbin/reboot"), ("/etc/cron.d/own", "* * * * * root /sbin/reboot"),
                                            ("/usr/local/etc/cron.d/own", "* * * * * root /sbin/reboot")])
def test_every_crontab_is_read(make, path, line):
    node = make()[1]
    node.machine.put(path, line + "\n")
    [job] = evidence(node)["readiness"]["jobs"]
    assert job["name"].startswith(path) and job["what"] == "/sbin/reboot"


def test_a_certificate_that_is_none_and_an_interface_without_one(make):
    node = make(changes={"<crt>": "<crt>%"})[1]
    node.machine.answer(["openssl"], status=1, stderr="unable to load certificate\n")
    assert [row["expires"] for row in evidence(node)["readiness"]["certificates"]] == [None]
    node.edit("<ssl-certref>6718a2c3d4e5f</ssl-certref>", "")
    assert evidence(node)["readiness"]["certificates"] == []


# Snapshots, and what leaves the node on purpose

_TOLD = [dict(GATEWAYS["WAN_GW"], name="A"), {"name": "B", "status": "down", "loss": "~"}, {"name": "C", "status": "delay+loss"},
         {"name": "D", "status": "odd"}, {"name": "E", "status": "none", "loss": "~"}]


@pytest.mark.parametrize("answer", [json.dumps(_TOLD), json.dumps({row["name"]: row for row in _TOLD})])
def test_gateways_are_told_by_the_products_words(make, answer):
    node = make()[1]
    node.machine.answer(["configctl"], stdout=answer + "\n")
    told = evidence(node)["snapshot"]["gateways"]
    assert [(row["name"], row["state"], row["told"]) for row in told] == [
        ("A", "up", "none"), ("B", "down", "down"), ("C", "up", "delay+loss"), ("D", None, "odd"), ("E", "quiet", "none")]


@pytest.mark.parametrize(("release", "answer"), [("26.1.4", "[{"), ("26.7.2", "{\"WAN_GW\"")])
def test_each_release_answers_in_its_own_way(make, release, answer):
    node = make(release)[1]
    assert node.machine.run(["configctl", "interface", "gateways", "status"]).stdout.startswith(answer)
    assert [row["name"] for row in evidence(node)["snapshot"]["gateways"]] == ["WAN_GW"]


def test_no_gateways_are_none(make):
    node = make()[1]
    node.machine.answer(["configctl"], stdout="[]\n")
    assert evidence(node)["snapshot"]["gateways"] == []


@pytest.mark.parametrize("answer", ["", "Execute error", '{"A": 5}', "[1]", "null", "5", '{"A": {"name": "A", "status": null}}', '[{"status": "none"}]'])
def test_an_answer_about_gateways_that_is_none_is_an_error(make, answer):
    node = make()[1]
    node.machine.answer(["configctl"], stdout=answer)
    found = evidence(node)
    assert found["snapshot"]["gateways"] is None and areas(found) == ["snapshot.gateways"]


def test_the_backup_has_the_configuration_as_it_is_and_what_a_person_added(make):
    node = make()[1]
    node.machine.put("/usr/local/etc/rc.syshook.d/start/99-own", "#!/bin/sh\n")
    found = OpnsenseProvider(node.again()).config_backup({})
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(found["archive"]))) as tar:
        kept = {member.name: tar.extractfile(member).read().decode() for member in tar}
    assert sorted(kept) == ["conf/config.xml", "usr/local/etc/rc.syshook.d/start/99-own"] and kept["conf/config.xml"] == node.machine.text(CONFIG)
