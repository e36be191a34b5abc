# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between Linux families."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import facts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

CONFIG = "/etc/conntrackd/conntrackd.conf"
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'


def node_of(release: str, packages: dict | None = None) -> SystemdNode:
    return SystemdNode(files={"/etc/os-release": release}, packages=packages)


@pytest.mark.parametrize(("release", "family"), [(DEBIAN, "debian"), (ROCKY, "redhat"), ("ID=ubuntu\nID_LIKE=debian\n", "debian"),
                                                 ("ID=oracular\nID_LIKE='fedora'\n", "redhat"), ("# comment\nID=raspbian\nID_LIKE=debian\n", "debian")])
def test_the_family_is_found(release: str, family: str) -> None:
    assert facts.family_of(node_of(release)).name == family


def test_an_unknown_family_is_an_error_that_names_it() -> None:
    with pytest.raises(NodeError, match="names alpine"):
        facts.family_of(node_of("ID=alpine\n"))


def test_os_release_is_unquoted_and_may_be_absent() -> None:
    assert facts.os_release(node_of(DEBIAN)) == {"PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)", "ID": "debian", "VERSION_ID": "12"}
    node = SystemdNode()
    del node.files["/etc/os-release"]
    assert facts.os_release(node) == {}
    assert facts.os_release(node_of('ID=x\nNAME="half\n'))["NAME"] == '"half'


def test_debian_versions_and_absent_packages() -> None:
    assert facts.installed_versions(node_of(DEBIAN, {"conntrackd": "1:1.4.7-1+b2", "nftables": "1.0.6-2"})) == {
        "conntrackd": "1:1.4.7-1+b2", "conntrack": None, "keepalived": None, "nftables": "1.0.6-2"}


def test_a_removed_package_whose_configuration_stayed_is_not_installed() -> None:
    node = node_of(DEBIAN)
    node.says(["dpkg-query"], "conntrackd\tconfig-files\t1:1.4.7-1+b2\n", 1)
    assert facts.installed_versions(node)["conntrackd"] is None


def test_red_hat_has_both_programs_in_one_package() -> None:
    node = node_of(ROCKY)
    node.says(["rpm"], "conntrack-tools\t1.4.7-2.el9\npackage keepalived is not installed\nnftables\t1.0.9-1.el9\n", 1)
    assert facts.installed_versions(node) == {"conntrackd": "1.4.7-2.el9", "conntrack": "1.4.7-2.el9", "keepalived": None, "nftables": "1.0.9-1.el9"}
    assert node.queries[0][4:] == ["conntrack-tools", "keepalived", "nftables"]


@pytest.mark.parametrize(("release", "command"), [(DEBIAN, "apt-get install conntrackd"), (ROCKY, "dnf install conntrack-tools")])
def test_a_missing_package_is_named_with_the_remedy(release: str, command: str) -> None:
    assert command in str(facts.missing_package_error(node_of(release), "conntrackd"))


@pytest.mark.parametrize(("release", "program", "digest"), [(DEBIAN, "dpkg-query", "md5"), (ROCKY, "rpm", "sha256")])
@pytest.mark.parametrize("text", ["as delivered\n", "changed\n"])
def test_a_file_as_its_package_delivered_it(release: str, program: str, digest: str, text: str) -> None:
    node = node_of(release)
    node.write_text(CONFIG, text)
    node.says([program], " /etc/init.d/conntrackd %s\n %s %s\n" % ("0" * 32, CONFIG, hashlib.new(digest, b"as delivered\n").hexdigest()))
    assert facts.is_package_default(node, "conntrackd", CONFIG) == (text == "as delivered\n")


def test_without_a_record_a_file_is_taken_for_somebodys_work() -> None:
    node = node_of(DEBIAN)
    node.write_text(CONFIG, "x")
    node.says(["dpkg-query"], "", 1)
    assert facts.is_package_default(node, "conntrackd", CONFIG) is False
