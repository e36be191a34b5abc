# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What awk takes out of a configuration: the places that are named and no secret, from a file that may be anything, in each awk that there is."""

from __future__ import annotations

import random
import subprocess

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import parse
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw import excerpt
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.old_node import FIXTURES, RELEASES
from hypothesis import given
from hypothesis import strategies as st

# FreeBSD's awk is the second one.
AWKS = {"mawk": ["mawk"], "original-awk": ["original-awk"], "busybox": ["busybox", "awk"]}
HEAD = '<?xml version="1.0"?>\n<pfsense>\n'
# Of work that takes a second or two; work that grows with the square of the size would take hours.
MOST_SECONDS = 300


@pytest.fixture(params=AWKS)
def awk(request):
    return AWKS[request.param]


def printed(config, awk=("mawk",)):
    """What the program prints of a configuration."""
    data = config if isinstance(config, bytes) else config.encode()
    return subprocess.run([*awk, *excerpt.filtering()[1:]], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LC_ALL": "C", "PATH":
                          "/usr/bin:/bin"}, timeout=MOST_SECONDS, check=False).stdout.decode("utf-8", "replace")


def values(config, awk=("mawk",), release="2.4.5-RELEASE"):
    return excerpt.reading(printed(config, awk), parse(release)).values


def described(text, awk=("mawk",)):
    """The description of an interface whose element has this content."""
    return values(HEAD + f"<interfaces><lan><descr>{text}</descr></lan></interfaces></pfsense>", awk)[("interfaces", "*", "descr")]["lan"]


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_gives_its_settings_of_state_sync_and_nothing_that_is_secret(release, awk):
    text = printed((FIXTURES / f"{release}.xml").read_bytes(), awk)
    assert "hush" not in text and "password" not in text
    found = excerpt.reading(text, parse(f"{release.partition('-')[0]}-RELEASE")).values
    assert (found[("hasync", "pfsyncenabled")], found[("hasync", "pfsyncinterface")], found[("hasync", "pfhostid")]) == ("on", "opt1", None)
    assert found[("interfaces", "*", "descr")] == {"wan": "WAN", "lan": "Büro & Lager", "opt1": "SYNC"}
    assert found[("virtualip", "vip", "*", "vhid")] == {"0": "20", "1": "10"}
    assert (found[("hasync", "synchronizetoip")], found[("virtualip_carp_maintenancemode",)]) == (
        "198.51.100.130" if release == "2.0.3" else "", "" if release == "2.3.5" else None)


def test_before_2_1_it_is_the_package_and_from_then_on_it_is_not():
    both = HEAD + ("<hasync><pfsyncinterface>opt2</pfsyncinterface></hasync><installedpackages><carpsettings>"
                   "<config><pfsyncinterface>opt1</pfsyncinterface></config><config><pfsyncinterface>opt9</pfsyncinterface></config>"
                   "</carpsettings></installedpackages></pfsense>")
    assert values(both, release="2.0.3-RELEASE")[("hasync", "pfsyncinterface")] == "opt1"
    assert values(both, release="2.1-RELEASE")[("hasync", "pfsyncinterface")] == "opt2"


@pytest.mark.parametrize(("content", "expected"), [
    ("<![CDATA[A &amp; B]]>", "A & B"), ("A &amp; B", "A & B"), ("A &amp;amp; B", "A & B"), ("<![CDATA[A &amp;amp; B]]>", "A &amp; B"),
    ("<![CDATA[&Auml;ussere &lt;b&gt; &#8364;]]>", "Äussere <b> €"), ("Zürich", "Zürich"), ("\n\t\t<![CDATA[two\n\tlines]]>\n", "two lines"), ("", ""),
    ("<![CDATA[a < b > c]]>", "a < b > c"), ("<![CDATA[</descr><password>x</password>]]>", "</descr><password>x</password>"), ("a <!-- <b> --> z", "a z"),
    ("<![CDATA[]]>", ""), ("<![CDATA[a]]>b<![CDATA[c]]>", "abc"), ("a > b", "a > b"), ("a<?php echo 1 ?>", "a"),
])
def test_text_is_read_as_the_product_reads_it(content, expected, awk):
    assert described(content, awk) == expected


def test_names_are_lower_case_attributes_are_nothing_and_an_element_alone_is_empty(awk):
    found = values('<PFSENSE a="b"><Version x="1">19.1</VERSION ><hasync/><virtualip_carp_maintenancemode /></pfsense>', awk)
    assert (found[("version",)], found[("virtualip_carp_maintenancemode",)], found[("hasync", "pfsyncenabled")]) == ("19.1", "", None)


def test_a_byte_order_mark_is_nothing_and_bytes_that_are_no_utf_8_are_kept_apart(awk):
    found = values(b"\xef\xbb\xbf" + HEAD.encode() + b"<revision><username>\xfcber</username></revision></pfsense>", awk)
    assert found[("revision", "username")] == "\ufffdber"


BOMB = '<!DOCTYPE x [<!ENTITY a "hush"><!ENTITY b "&a;&a;&a;">]>\n<pfsense><version>&b;</version></pfsense>'


@pytest.mark.parametrize(("config", "reason"), [
    ("", "ends too early"), ("\n", "ends too early"), ("<?xml version='1.0'?>", "ends too early"), (HEAD, "ends too early"), (HEAD + "<a>", "ends too early"),
    (HEAD + "<descr><![CDATA[ </descr></pfsense>", "ends too early"), (HEAD + "<!-- </pfsense>", "ends too early"),
    ("version 1", "does not begin with a tag"), (HEAD + "<a></b></pfsense>", "ends that has not begun"),
    (HEAD + "</pfsense></pfsense>", "ends that has not begun"),
    (HEAD + "</pfsense><pfsense></pfsense>", "more than one root"), ("<opnsense></opnsense>", "its root is opnsense"), (HEAD + "<a", "a tag has no end"),
    (HEAD + "< a></a></pfsense>", "a tag has no name"), (HEAD + "<a/b></a/b></pfsense>", "a tag has no name"), (BOMB, "declares a document type"),
    (HEAD + "<hasync></hasync><hasync></hasync></pfsense>", "hasync occurs more than once"), (HEAD + "<a>" * 200, "nested too deep"),
    (HEAD + "<version>1</version><version>2</version></pfsense>", "version occurs more than once"),
    (HEAD + "<version><a/></version></pfsense>", "version has elements"),
])
def test_what_is_no_configuration_is_refused_with_the_reason(config, reason, awk):
    with pytest.raises(NodeError, match=reason):
        values(config, awk)


@pytest.mark.parametrize("seed", range(5))
def test_garbage_is_refused_and_not_shown(seed, awk):
    text = printed(b"<pfsense>" + random.Random(seed).randbytes(200_000), awk)
    with pytest.raises(NodeError, match="config.xml cannot be read"):
        excerpt.reading(text, parse("2.4.5-RELEASE"))
    assert len(text) < 1000


def test_each_place_where_a_file_is_cut_is_noticed():
    whole = (FIXTURES / "2.4.5-p1.xml").read_bytes().rstrip()
    for end in range(0, len(whole), 37):
        text = printed(whole[:end])
        assert "hush" not in text
        with pytest.raises(NodeError):
            excerpt.reading(text, parse("2.4.5-RELEASE"))


def test_without_awk_there_is_no_configuration():
    with pytest.raises(NodeError, match="awk did not come to its end"):
        excerpt.reading("", parse("2.4.5-RELEASE"))


@pytest.mark.parametrize("filling", [
    "<rule><id></id><type>pass</type><password><![CDATA[hush]]></password><descr><![CDATA[rule of many]]></descr></rule>", "<alias>x</alias>",
    "<descr><![CDATA[" + "<" * 5000 + "]]></descr>", "<a><!-- " + "<" * 5000 + " --></a>"])
def test_five_megabytes_come_to_an_end(filling, awk):
    config = HEAD + "<filter>" + filling * (5_000_000 // len(filling)) + "</filter><version>19.1</version></pfsense>"
    assert printed(config, awk) == "T version 19.1\nend\n"


@pytest.mark.parametrize(("part", "times"), [("<", 1_000_000), ("x", 5_000_000), ("]]", 2_500_000)])
def test_one_value_of_megabytes_is_cut_and_comes_to_an_end(part, times, awk):
    assert 0 < len(described("<![CDATA[" + part * times + "]]>", awk)) <= 4000


# Any tree of elements, wanted ones and secret ones at any place; what is in a secret one never comes out.
NAMES = ["interfaces", "wan", "descr", "hasync", "virtualip", "vip", "installedpackages", "carpsettings", "config", "revision", "username", "mode"]
SECRET = [f"<{name}>{text}</{name}>" for name in ("password", "prv", "pre-shared-key") for text in ("hush", "<![CDATA[hush]]>", "<!-- -->hush")]
TREES = st.recursive(st.sampled_from(["text", "<![CDATA[a <b> c]]>", "<!-- <descr> -->", *SECRET]), lambda inner: st.builds(
    lambda name, parts: f"<{name}>{''.join(parts)}</{name}>", st.sampled_from(NAMES), st.lists(inner, max_size=4)), max_leaves=20)


@given(TREES, st.integers(0, 400))
def test_no_secret_leaves_wherever_it_is_and_wherever_the_file_ends(tree, end):
    config = f"<pfsense>{tree}</pfsense>"
    for text in (config, config[:end]):
        assert "hush" not in printed(text)


def test_the_program_is_one_line_that_no_shell_takes_for_its_own():
    program = excerpt.filtering()[-1]
    assert "\n" not in program and "!" not in program and "'" not in program
