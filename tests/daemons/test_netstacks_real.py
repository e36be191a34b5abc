# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is rendered for LAGGs, as the network stacks themselves read it. A kernel without a bonding driver does for that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack_ifupdown import Ifupdown
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack_networkmanager import FOLDER, NetworkManager, _Wanted
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.networkmanager_files import parsed
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.linux.stack_cases import call, lagg, machine, move
from netstack_box import Box, tree, until

CASES: dict[str, dict[str, Any]] = {
    "failover": {},
    "lacp": {"protocol": "lacp", "primary": None, "hash": "l3+l4", "lacp_rate": "fast", "min_links": 2, "mtu": 1400},
    "loadbalance": {"protocol": "loadbalance", "primary": None, "hash": "l2+l3"},
    "roundrobin": {"protocol": "roundrobin", "primary": None},
    "broadcast": {"protocol": "broadcast", "primary": None},
    "one member": {"members": ["eth1"]},
    "own name": {"vlans": [{"name": "dmz", "id": 10}], "moves": [move("eth1", "bond1"), move("dmz", "dmz", 10)]},
    "nothing on it": {"members": ["eth2", "eth3"], "primary": "eth3", "vlans": [], "moves": []},
}
cases = pytest.mark.parametrize("case", list(CASES))


@pytest.fixture(scope="module")
def lower() -> Path:
    return tree()


@pytest.fixture
def box(lower: Path, tmp_path: Path) -> Iterator[Box]:
    with Box(lower, tmp_path / "box") as made:
        yield made


def rendered(stack: str, case: str, box: Box, under: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The LAGG, and the files below a folder after it was made on a simulated node; the box has them too."""
    wanted = lagg(**CASES[case])
    node, network = machine(stack, vlan="dmz" if case == "own name" else "eth1.10")
    for free in wanted["members"][1:]:
        network.configure(free)
    assert call(node, wanted)["next"] == "wait"
    files = {path: file.text for path, file in node.files.items() if path.startswith(under)}
    for path, text in files.items():
        box.write(path, text, node.files[path].mode)
    return wanted, files


@cases
def test_networkd_reads_each_file_without_a_word_and_finds_the_one_that_counts(case: str, box: Box, tmp_path: Path) -> None:
    wanted, files = rendered("networkd", case, box, "/etc/systemd/network/")
    box.run("install", "--directory", "--owner=systemd-network", "/run/systemd/netif", "/run/systemd/netif/links", "/run/systemd/netif/leases")
    log = tmp_path / "log"
    box.spawn(log, "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console", "/usr/lib/systemd/systemd-networkd")

    def counts(port: str) -> str:
        number = box.run("cat", "/sys/class/net/%s/ifindex" % port).strip()
        found = re.search(r"NETWORK_FILE=(.*)", box.ask("cat", "/run/systemd/netif/links/" + number).stdout)
        return found.group(1) if found else ""

    for member in wanted["members"]:
        path = "/etc/systemd/network/05-hafirewall-%s.network" % member
        assert path in files
        until(lambda member=member, path=path: counts(member) == path, log.read_text)
    said = [line for line in log.read_text().splitlines() if re.search(r"/etc/systemd/network/\S+:", line)]
    assert said == []
    for device, kind in {wanted["name"]: "bond", **{vlan["name"]: "vlan" for vlan in wanted["vlans"]}}.items():
        assert '%s: loaded "%s"' % (device, kind) in log.read_text()


@cases
def test_ifupdown_brings_up_what_is_rendered_in_that_order(case: str, box: Box) -> None:
    wanted, _files = rendered("ifupdown", case, box, "/etc/network/")
    made = [wanted["name"], *(vlan["name"] for vlan in wanted["vlans"])]
    assert set(made) <= set(box.run("ifquery", "--list").split()) and not set(wanted["members"]) & set(box.run("ifquery", "--list").split())
    said = box.ask("ifup", "--no-act", "--verbose", "--all")
    assert said.returncode == 0, said.stderr
    lines = [line.strip() for line in (said.stdout + said.stderr).splitlines()]
    joined = [lines.index("ip link set dev %s master %s" % (member, wanted["name"])) for member in wanted["members"]]
    assert joined == sorted(joined) and min(joined) > next(at for at, line in enumerate(lines) if line.startswith("ip link add name bond1 address 02:"))
    if case != "nothing on it":
        for start in ("ip addr add 192.0.2.2/", "ip -6 addr add 2001:db8:1::2/64"):
            at, line = next((at, line) for at, line in enumerate(lines) if line.startswith(start))
            assert " dev bond1" in line and at > max(joined)
        assert any(re.match("ip route add default via 192.0.2.1 +dev bond1", line) for line in lines)
        assert any(re.match("ip addr add 198.51.100.2/.*dev %s " % made[1], line) for line in lines)


@pytest.mark.parametrize("spoil", [("address 192.0.2.2/25", "adress 192.0.2.2/25"), ("inet static", "inet sttic")])
def test_what_ifupdown_refuses_is_told(spoil: tuple[str, str], box: Box) -> None:
    _wanted, files = rendered("ifupdown", "failover", box, "/etc/network/")
    text = files["/etc/network/interfaces.d/eth1"]
    judge = Ifupdown(box.node)._judge
    assert spoil[0] in text and judge(text.split("\n"), ["bond1"]) == "passed"
    with pytest.raises(NodeError, match="ifupdown refuses the configuration"):
        judge(text.replace(*spoil).split("\n"), ["bond1"])


@cases
def test_networkmanager_takes_each_profile_and_keeps_all_that_it_says(case: str, box: Box) -> None:
    wanted, files = rendered("networkmanager", case, box, FOLDER + "/hafirewall-")
    assert len(files) == 1 + len(wanted["members"]) + len(wanted["vlans"])
    for path, text in files.items():
        done = box.ask("nmcli", "--offline", "connection", "modify", "connection.id", parsed(text)["connection"]["id"], stdin=text)
        assert done.returncode == 0, (path, done.stderr)
        kept = parsed(done.stdout)
        lost = {(section, key): value for section, keys in parsed(text).items() for key, value in keys.items() if kept.get(section, {}).get(key) != value}
        assert lost == {}, path


@pytest.mark.parametrize("spoil", [("mode", "active-backup"), ("lacp_rate", "sometimes"), ("primary", "eth1"), ("min_links", "many")])
def test_what_networkmanager_refuses_is_told(spoil: tuple[str, str], box: Box) -> None:
    _wanted, files = rendered("networkmanager", "lacp", box, FOLDER + "/hafirewall-bond1.nmconnection")
    [sections] = [parsed(text) for text in files.values()]
    judge = NetworkManager(box.node)._judge
    assert judge([_Wanted("bond1", sections)]) == "passed"
    sections["bond"].update([spoil])
    with pytest.raises(NodeError, match="NetworkManager (refuses|does not take all of) the profile for bond1"):
        judge([_Wanted("bond1", sections)])
