# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive of a node's configuration: every file, as it is, on every platform, and digests that tell a change and no secret."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import kept_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import own_files as freebsd_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import Sources
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import own_files as linux_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.provider import LinuxProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import own_files as openbsd_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense import config as opnsense_config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.provider import OpnsenseProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.release import release_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import own_files as pfsense_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.provider import PfsenseProvider
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.files import RootedNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair as freebsd_pair
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import pair as openbsd_pair
from ansible_collections.hafirewall.cluster.tests.simulators.opnsense.node import pair as opnsense_pair
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

ALL = Sources(("/etc/**",), (), re.compile(r"^take (\S+)", re.MULTILINE), lambda path, text: text)


def opened(result: Dict[str, Any]) -> Dict[str, bytes]:
    """What is in the archive, by path."""
    data = base64.b64decode(result["archive"], validate=True)
    assert hashlib.sha256(data).hexdigest() == result["sha256"]
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        found = {"/" + member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]
    assert [(row["path"], row["bytes"]) for row in result["files"]] == sorted((path, len(content)) for path, content in found.items())
    return found


@pytest.fixture
def node(tmp_path: Path) -> RootedNode:
    (tmp_path / "etc" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "etc" / "a.conf").write_bytes(b"a\r\n\xff\0\ntake more/*.conf\ntake /opt/x\ntake a.conf\n")
    (tmp_path / "etc" / "deep" / "er" / "b").write_text("", encoding="utf-8")
    (tmp_path / "etc" / "link").symlink_to(tmp_path / "etc" / "a.conf")
    (tmp_path / "etc" / "dead").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "etc" / "pipe")
    return RootedNode(tmp_path)


def test_it_holds_every_ordinary_file_byte_for_byte_with_its_mode_and_time(node):
    path = node.root / "etc" / "a.conf"
    path.chmod(0o640)
    os.utime(path, (1700000000, 1700000000))
    result = kept_files.archive(node, ALL)
    assert opened(result) == {"/etc/a.conf": path.read_bytes(), "/etc/link": path.read_bytes(), "/etc/deep/er/b": b""}
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(result["archive"]))) as tar:
        member = tar.getmember("etc/a.conf")
    assert (member.mode, member.mtime) == (0o640, 1700000000)


def test_files_that_are_included_are_in_it_and_a_circle_ends(node):
    for path, text in {"opt/x": "take y\n", "opt/y": "take x\ntake /opt/none\n", "etc/more/m.conf": "", "etc/more/other": ""}.items():
        (node.root / path).parent.mkdir(exist_ok=True)
        (node.root / path).write_text(text, encoding="utf-8")
    sources = ALL._replace(patterns=("/etc/a.conf",))
    assert set(opened(kept_files.archive(node, sources))) == {"/etc/a.conf", "/etc/more/m.conf", "/opt/x", "/opt/y"}


def test_too_much_and_too_many_are_refused_and_nothing_is_cut_off(node, monkeypatch):
    total = (node.root / "etc" / "a.conf").stat().st_size * 2
    monkeypatch.setattr(kept_files, "MOST_BYTES", total)
    assert kept_files.archive(node, ALL)["files"]
    monkeypatch.setattr(kept_files, "MOST_BYTES", total - 1)
    with pytest.raises(NodeError, match="/etc/link is too large: it has more than the [0-9]+ bytes"):
        kept_files.archive(node, ALL)
    monkeypatch.setattr(kept_files, "MOST_BYTES", total)
    monkeypatch.setattr(kept_files, "MOST_FILES", 2)
    with pytest.raises(NodeError, match="more than 2 files, as /etc/link"):
        kept_files.archive(node, ALL)


def test_a_node_without_what_is_needed_or_without_anything_is_an_error(tmp_path):
    node = RootedNode(tmp_path)
    with pytest.raises(NodeError, match="none of the files"):
        kept_files.archive(node, ALL)
    with pytest.raises(NodeError, match=r"/etc/rc.conf is not on this node, without which"):
        kept_files.archive(node, ALL._replace(needed=("/etc/rc.conf",)))


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path):
    (tmp_path / "etc").mkdir()
    with pytest.raises(NodeError, match=r"cannot read .*/etc: Is a directory; see to it that root runs this"):
        Node().read_file(str(tmp_path / "etc"), 10)


def _linux(tmp_path: Path) -> LinuxProvider:
    files = {"/etc/hostname": "fw1\n", "/etc/nftables.conf": 'include "/etc/nftables.d/hafirewall.nf[t]"\ninclude "own.nft"\n',
             "/etc/own.nft": "table ip x {}\n", "/etc/keepalived/keepalived.conf": "auth_pass topsecret\n",
             "/etc/conntrackd/conntrackd.conf": "Sync {}\n", "/etc/passwd": "root\n",
             "/etc/network/interfaces": "source /srv/network/*\n", "/srv/network/lan": "auto lan0\n",
             "/etc/systemd/network/10-hafirewall-lan.network": "[Match]\n"}
    return LinuxProvider(SystemdNode(files=files))


def _freebsd(tmp_path: Path) -> FreebsdProvider:
    node, _other = freebsd_pair(tmp_path)
    node.machine.put("/etc/rc.conf", 'pf_rules="/usr/local/etc/fw.conf"\nifconfig_em0_alias0="vhid 1 advskew 0 pass topsecret alias 192.0.2.1/24"\n')
    node.machine.put("/usr/local/etc/fw.conf", 'include "/etc/fw.more"\ntable <bad> file "/var/db/bad"\npass all\n')
    for path in ("/etc/fw.more", "/var/db/bad", "/boot/loader.conf", "/etc/sysctl.conf"):
        node.machine.put(path, "#\n")
    return FreebsdProvider(node)


def _openbsd(tmp_path: Path) -> OpenbsdProvider:
    node, _other = openbsd_pair(tmp_path)
    node.machine.put("/etc/hostname.carp1", "inet 192.0.2.1 255.255.255.0 NONE vhid 1 carpdev em0 pass topsecret\n")
    for path in ("/etc/mygate", "/etc/myname", "/etc/sysctl.conf", "/etc/rc.conf.local"):
        node.machine.put(path, "x\n")
    node.machine.put("/etc/pf.conf", "pass all\n")
    return OpenbsdProvider(node)


def _pfsense(tmp_path: Path) -> PfsenseProvider:
    return PfsenseProvider(PfsenseNode(tmp_path / "node"))


PLATFORMS: Dict[str, Any] = {
    "linux": (_linux, {"/etc/hostname", "/etc/nftables.conf", "/etc/own.nft", "/etc/keepalived/keepalived.conf", "/etc/conntrackd/conntrackd.conf",
                       "/etc/network/interfaces", "/srv/network/lan", "/etc/systemd/network/10-hafirewall-lan.network"}),
    "freebsd": (_freebsd, {"/etc/rc.conf", "/usr/local/etc/fw.conf", "/etc/fw.more", "/var/db/bad", "/boot/loader.conf", "/etc/sysctl.conf"}),
    "openbsd": (_openbsd, {"/etc/hostname.carp1", "/etc/pf.conf", "/etc/sysctl.conf", "/etc/rc.conf.local", "/etc/mygate", "/etc/myname"}),
    "opnsense": (lambda root: OpnsenseProvider(opnsense_pair(root)[0].again()), {"/conf/config.xml"}),
    "pfsense": (_pfsense, {"/cf/conf/config.xml"}),
}


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_a_platform_keeps_what_it_is_built_from_and_changes_nothing(platform, tmp_path):
    make, wanted = PLATFORMS[platform]
    provider = make(tmp_path)
    found = opened(provider.config_backup({}))
    assert wanted <= set(found)
    assert "/etc/passwd" not in found
    assert provider.node.changed is False
    for path in wanted:
        assert found[path].decode() == provider.node.read_text(path)


SOURCES: Dict[str, Callable[[Any], Dict[str, str]]] = {
    "linux": lambda node: kept_files.digests(node, linux_files.SOURCES), "freebsd": lambda node: kept_files.digests(node, freebsd_files.SOURCES),
    "openbsd": lambda node: kept_files.digests(node, openbsd_files.SOURCES), "pfsense": pfsense_files.digests,
    "opnsense": lambda node: opnsense_config.read(node, release_of(node)).digests()}
SECRETS = {"linux": "/etc/keepalived/keepalived.conf", "freebsd": "/etc/rc.conf", "openbsd": "/etc/hostname.carp1", "pfsense": "/cf/conf/config.xml",
           "opnsense": "/conf/config.xml"}
OTHERS = {"linux": ("/etc/own.nft", "ip x", "ip y"), "freebsd": ("/usr/local/etc/fw.conf", "pass all", "pass in"),
          "openbsd": ("/etc/pf.conf", "pass all", "pass in"), "pfsense": ("/cf/conf/config.xml", "<hostname>", "<hostname>other"),
          "opnsense": ("/conf/config.xml", "<hostname>", "<hostname>other")}


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_digests_tell_a_change_and_no_password(platform, tmp_path):
    node = PLATFORMS[platform][0](tmp_path).node
    if platform == "pfsense":
        node.edit("\t<revision>", "\t<hasync>\n\t\t<password>topsecret</password>\n\t</hasync>\n\t<revision>")
    if platform == "opnsense":
        node.edit("not-to-be-seen", "topsecret")
    before = SOURCES[platform](node)
    assert before and all(re.fullmatch("[0-9a-f]{64}", value) for value in before.values())
    path = SECRETS[platform]
    assert "topsecret" in node.read_text(path)
    node.write_text(path, node.read_text(path).replace("topsecret", "other"))
    assert SOURCES[platform](node) == before
    path, old, new = OTHERS[platform]
    assert old in node.read_text(path)
    node.write_text(path, node.read_text(path).replace(old, new, 1))
    after = SOURCES[platform](node)
    assert len([name for name in after if after[name] != before.get(name)]) == 1


def test_a_revision_alone_changes_no_section_and_a_broken_configuration_is_an_error(tmp_path):
    node = PfsenseNode(tmp_path / "node")
    before = pfsense_files.digests(node)
    assert "config.xml interfaces" in before and "config.xml revision" not in before
    node.edit("<revision>", "<revision>\n\t\t<time>1</time>")
    assert pfsense_files.digests(node) == before
    node.config_path.write_text("<pfsense>", encoding="utf-8")
    with pytest.raises(NodeError, match=r"config.xml is no XML"):
        pfsense_files.digests(node)
    node.config_path.unlink()
    with pytest.raises(NodeError, match=r"config.xml is not on this node"):
        pfsense_files.digests(node)


def test_the_archive_is_all_that_holds_contents(tmp_path):
    result = _linux(tmp_path).config_backup({})
    assert set(result) == {"archive", "sha256", "files"}
    assert b"topsecret" in gzip.decompress(base64.b64decode(result["archive"]))
    assert "topsecret" not in json.dumps(result)
