# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``snapshot`` of each platform: all parts, each failing alone, and not there unless it is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.provider import LinuxProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.provider import PfsenseProvider
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair as freebsd_pair
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import pair as openbsd_pair
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

QUIET = {"sync_interface": None, "sync_network": None, "sample": False}


def _linux(tmp_path: Path) -> LinuxProvider:
    node = SystemdNode(files={"/etc/hosts": "127.0.0.1 localhost\n"})
    node.says(["sh", "-c"], "default via 203.0.113.254 dev wan0\n1\n")
    node.says(["ip", "-j", "neigh"], "[]")
    node.says(["systemctl", "list-units"], "ssh.service loaded active running SSH\n")
    return LinuxProvider(node)


def _freebsd(tmp_path: Path) -> FreebsdProvider:
    node = freebsd_pair(tmp_path)[0]
    node.machine.put("/etc/rc.conf", (node.machine.text("/etc/rc.conf") or "") + 'hostname="fw1"\n')
    return FreebsdProvider(node)


def _openbsd(tmp_path: Path) -> OpenbsdProvider:
    return OpenbsdProvider(openbsd_pair(tmp_path)[0])


def _pfsense(tmp_path: Path) -> PfsenseProvider:
    return PfsenseProvider(PfsenseNode(tmp_path / "node"))


PLATFORMS = {"linux": (_linux, "ssh.service", "/etc/hosts"), "freebsd": (_freebsd, "sshd tcp4 *:22", "/etc/rc.conf"),
             "openbsd": (_openbsd, "sshd", "/etc/hostname.em1"), "pfsense": (_pfsense, "nginx tcp4 *:443", "config.xml interfaces")}
WAYS = ("wireguard", "ipsec", "bgp", "ospf", "ospf6")


def evidence(provider: Any, **params: Any) -> Any:
    found = provider.node_info(dict(QUIET, **params))["evidence"]
    assert provider.node.changed is False
    return found


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_it_is_read_when_it_is_asked_for_and_not_there_otherwise(platform, tmp_path):
    make, service, path = PLATFORMS[platform]
    provider = make(tmp_path)
    assert "snapshot" not in evidence(provider)
    assert "snapshot" not in evidence(provider, snapshot=False)
    found = evidence(provider, snapshot=True)
    assert [error for error in found["errors"] if error["area"].startswith("snapshot")] == []
    part = found["snapshot"]
    assert set(part) == {"routes", "neighbours", "services", "files", *WAYS, *(("gateways",) if platform == "pfsense" else ())}
    assert all(part[name] == [] for name in part if name in (*WAYS, "gateways"))
    assert set(part["routes"]) == {"inet", "inet6"} and all(set(told) == {"count", "rows"} for told in part["routes"].values())
    assert service in part["services"]
    assert path in part["files"]
    assert isinstance(part["neighbours"], list)
    json.dumps(part)


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_a_part_that_cannot_be_read_is_none_with_its_reason_and_takes_no_other_along(platform, tmp_path, monkeypatch):
    make, _service, path = PLATFORMS[platform]
    provider = make(tmp_path)
    whole = evidence(provider, snapshot=True)["snapshot"]
    query = provider.node.query

    def broken(argv, *rest, **more):
        if argv[0] in ("sockstat", "rcctl") or argv[:2] == ["systemctl", "list-units"]:
            raise OSError("broken")
        return query(argv, *rest, **more)
    monkeypatch.setattr(provider.node, "query", broken)
    found = evidence(provider, snapshot=True)
    assert found["snapshot"] == dict(whole, services=None)
    assert {"area": "snapshot.services", "reason": "OSError: broken"} in found["errors"]
