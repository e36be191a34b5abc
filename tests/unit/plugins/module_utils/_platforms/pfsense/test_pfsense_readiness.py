# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of a pfSense node: nothing changed, no secret, each key failing alone."""

from __future__ import annotations

import base64
import calendar
import json
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import info
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.readiness import KEYS
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.upkeep import Upkeep
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CONFIG, told_of, upkeep_of

QUIET = {"sync_interface": None, "sync_network": None, "sample": False, "readiness": True}
REAL = Path(__file__).resolve().parents[5] / "fixtures" / "certificates"
WEB, AUTHORITY = (base64.b64encode((REAL / name).read_bytes()).decode("ascii") for name in ("web.pem", "authority.pem"))
CERTIFICATES = """\t<cert>
\t\t<refid>5f0c</refid>
\t\t<descr><![CDATA[unused]]></descr>
\t\t<crt>%(web)s</crt>
\t\t<prv>not to be seen</prv>
\t</cert>
\t<cert>
\t\t<refid>5f0d</refid>
\t\t<descr><![CDATA[webConfigurator default]]></descr>
\t\t<caref>5f0e</caref>
\t\t<crt>%(web)s</crt>
\t\t<prv>not to be seen</prv>
\t</cert>
\t<ca>
\t\t<refid>5f0e</refid>
\t\t<descr><![CDATA[internal-ca]]></descr>
\t\t<crt>%(authority)s</crt>
\t\t<prv>not to be seen</prv>
\t</ca>
\t<filter>
""" % {"web": WEB, "authority": AUTHORITY}
WEBGUI = "\t\t<webgui>\n\t\t\t<ssl-certref>5f0d</ssl-certref>\n\t\t</webgui>\n\t</system>\n"
WHOLE = CONFIG.replace("\t</system>\n", WEBGUI).replace("\t<filter>\n", CERTIFICATES)


@pytest.fixture
def node(make):
    return make(config=WHOLE)


def evidence(node):
    run = node.again()
    found = info.collect(run, QUIET)["evidence"]
    assert run.changed is False
    return found


def told(node, upkeep: Upkeep):
    node.kernel("told", **told_of(upkeep))


def errors(found):
    return [row["area"] for row in found["errors"] if row["area"].startswith("readiness")]


def test_one_reading_has_all_keys_by_one_php_process_and_changes_nothing(node):
    (node.root / "etc/crontab").write_text("1,31\t0-5\t*\t*\t*\troot\t/usr/bin/nice -n20 adjkerntz -a\n")
    before, run = (node.config, node.kernel(), node.journal("command", "event", "notice")), node.again()
    whole = info.collect(run, QUIET)["evidence"]
    assert (node.config, node.kernel(), node.journal("command", "event", "notice"), run.php_calls) == (*before, 1)
    found = whole["readiness"]
    assert (set(found), errors(whole)) == (set(KEYS), [])
    assert found["disk"] == [{"mount": "/", "free": 12000000 * 1024, "total": 20000000 * 1024}]
    assert (found["clock"]["synchronised"], found["clock"]["source"]) == (True, "ntpd")
    assert (found["busy"], found["unapplied"]) == ([], [])
    assert found["pending"] == {"reboot": False, "stage": None}
    assert found["candidate"] == {"release": "2.7.2", "packages": {}}
    assert found["packages"]["pfSense-kernel-pfSense"] == "2.7.2"
    assert [job["what"] for job in found["jobs"]] == ["/usr/bin/nice"]
    assert (found["way_back"]["kind"], found["way_back"]["names"]) == ("boot environment", ["before"])
    assert "not to be seen" not in json.dumps(whole)


def test_the_certificates_are_those_of_the_web_interface_and_its_authority(node):
    assert evidence(node)["readiness"]["certificates"] == [
        {"name": "webConfigurator default (web interface)", "expires": float(calendar.timegm((2028, 1, 2, 0, 46, 34)))},
        {"name": "internal-ca (its authority)", "expires": float(calendar.timegm((2030, 1, 1, 0, 46, 34)))}]


@pytest.mark.parametrize("text", ["", "%%%", base64.b64encode(b"no certificate").decode("ascii"), base64.b64encode(b"\xff\xfe").decode("ascii")])
def test_a_certificate_that_is_none_has_no_end(node, text):
    node.edit("<caref>5f0e</caref>\n\t\t<crt>%s</crt>" % WEB, "<crt>%s</crt>" % text)
    assert evidence(node)["readiness"]["certificates"] == [{"name": "webConfigurator default (web interface)", "expires": None}]


def test_authorities_that_sign_each_other_have_an_end(node):
    node.edit("<refid>5f0e</refid>\n", "<refid>5f0e</refid>\n\t\t<caref>5f0d</caref>\n")
    assert len(evidence(node)["readiness"]["certificates"]) == 3


def test_what_is_amiss_is_told(node):
    upkeep = upkeep_of("2.7.2")
    upkeep.processes[812] = "/bin/sh /usr/local/libexec/pfSense-upgrade -d -y"
    upkeep.notes[("pfSense-kernel-pfSense", "next_stage")] = "2"
    upkeep.offered["pfSense"] = "2.8.1"
    upkeep.newer = {"sudo": "1.9.16"}
    upkeep.environments = None
    told(node, upkeep)
    node.kernel("told", **{"freebsd-version -kr": "15.0-CURRENT\n14.0-CURRENT\n"})
    (node.root / "var/run/filter.dirty").touch()
    found = evidence(node)["readiness"]
    assert found["busy"] == [{"what": "pfSense-upgrade", "pid": 812}]
    assert found["pending"] == {"reboot": True, "stage": "stage 2 of pfSense-upgrade"}
    assert found["unapplied"] == ["filter"]
    assert found["candidate"] == {"release": "2.8.1", "packages": {"sudo": "1.9.16"}}


def test_a_kernel_of_the_same_base_that_was_written_after_the_boot_waits_for_a_reboot(node):
    node.kernel("told", **{"stat -f %c /boot/kernel/kernel": "1795000001\n"})
    assert evidence(node)["readiness"]["pending"]["reboot"] is False
    node.kernel("told", **{"what -q /boot/kernel/kernel": "\tFreeBSD 14.0-CURRENT #1 another\n"})
    assert evidence(node)["readiness"]["pending"]["reboot"] is True


def test_a_node_that_knows_no_catalogue_says_so(node):
    upkeep = upkeep_of("2.7.2")
    upkeep.offered, upkeep.packages = {}, {"sudo": "1.9.15p5_4"}
    told(node, upkeep)
    node.kernel("told", **{"pkg-static rquery -U %v pfSense-vmware": ""})
    found = evidence(node)
    assert (found["readiness"]["candidate"], found["readiness"]["pending"]) == (None, None)
    reasons = {row["area"]: row["reason"] for row in found["errors"]}
    assert "look for updates in its web interface once, or state the release" in reasons["readiness.candidate"]
    assert "no package of a kernel is installed" in reasons["readiness.pending"]


def test_without_the_configuration_the_certificates_are_unknown_and_the_rest_is_not(node):
    node.switch(fatal_in="parse_config")
    node.config_path.write_text("<pfsense>", encoding="utf-8")
    found = evidence(node)
    assert [key for key in KEYS if found["readiness"][key] is None] == ["certificates"]


def test_it_is_read_when_asked_for_only(node):
    found = info.collect(node.again(), dict(QUIET, readiness=False))["evidence"]
    assert found["readiness"] is None
    assert WEB not in json.dumps(found)


def test_nothing_that_changes_the_node_is_among_its_commands(node):
    run = node.again()
    seen = []
    query = run.query
    run.query = lambda argv, *rest, **options: (seen.append(list(argv)), query(argv, *rest, **options))[1]
    info.collect(run, QUIET)
    programs = {words[0]: words[1] for words in seen if words[0] in ("pkg-static", "pfSense-upgrade", "bectl")}
    assert "pfSense-upgrade" not in programs
    assert {words[1] for words in seen if words[0] == "pkg-static"} == {"query", "annotate", "rquery", "version"}
