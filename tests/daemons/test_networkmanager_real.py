# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real NetworkManager with a bus of its own, in the box: what it says of its devices and profiles, and what it does when files come and go.

Members are not joined here, for the kernel may have no bonding driver.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import interfaces
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack import Change, keepers
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack_networkmanager import FOLDER, NetworkManager
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.linux.stack_cases import lagg, move
from netstack_box import PORTS, Box, tree, until

WAN = FOLDER + "/office.nmconnection"
PROFILE = """[connection]
id=The WAN
uuid=22222222-2222-4222-8222-222222222222
type=ethernet
interface-name=eth1

[ipv4]
method=manual
address1=192.0.2.2/25,192.0.2.1

[ipv6]
method=manual
address1=2001:db8:1::2/64
"""
PLAIN: dict[str, Any] = {"vlans": [], "moves": [move("eth1", "bond1")]}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """The WAN has a profile, and a profile of eth2 can be read by everybody; the other ports have none."""
    with Box(tree(), tmp_path / "box") as made:
        for port in PORTS:
            made.run("ip", "link", "set", "far" + port, "up")
        made.write("/etc/NetworkManager/conf.d/far.conf", "[keyfile]\nunmanaged-devices=interface-name:far*\n")
        made.write(WAN, PROFILE, 0o600)
        made.write(FOLDER + "/open.nmconnection", PROFILE.replace("2222\n", "2223\n").replace("=eth1", "=eth2"), 0o644)
        made.run("mkdir", "/run/dbus")
        made.spawn(tmp_path / "bus", "dbus-daemon", "--system", "--nofork", "--nopidfile")
        until(lambda: made.ask("test", "-S", "/run/dbus/system_bus_socket").returncode == 0, (tmp_path / "bus").read_text)
        made.spawn(tmp_path / "log", "NetworkManager", "--no-daemon")
        until(lambda: has(made, "eth1") == ["192.0.2.2/25", "2001:db8:1::2/64"] and {"eth0", "eth2"} <= set(keepers(made.node)),
              (tmp_path / "log").read_text)
        yield made


def has(box: Box, device: str) -> list[str]:
    """The device's addresses but the link-local ones."""
    found = next((row for row in interfaces.read(box.node) if row["name"] == device), {"addresses": []})
    return [address for address in found["addresses"] if not address.startswith("fe80:")]


def planned(box: Box, **changes: Any) -> Change:
    return NetworkManager(box.node).plan(lagg(**changes), {row["name"]: row for row in interfaces.read(box.node)})


def known(box: Box) -> set[str]:
    """The files in /etc that NetworkManager has read."""
    said = box.run("nmcli", "--terse", "--escape", "no", "--fields", "FILENAME", "connection", "show")
    return {path for path in said.splitlines() if path.startswith("/etc")}


def test_it_keeps_what_it_has_brought_up_and_not_what_it_leaves_alone(box: Box) -> None:
    assert {device: kept_by for device, kept_by in keepers(box.node).items() if device in PORTS[:3]} == {port: ["networkmanager"] for port in PORTS[:3]}
    assert not {"lo", "fareth1"} & set(keepers(box.node))


def test_a_profile_that_it_has_read_is_carried_over_and_one_that_others_may_read_does_not_count(box: Box) -> None:
    change = planned(box, **PLAIN)
    assert change.validation == "passed"
    assert set(change.files) == {WAN, *(FOLDER + "/hafirewall-%s.nmconnection" % device for device in ("bond1", "eth1", "eth2"))}
    bond = change.files[FOLDER + "/hafirewall-bond1.nmconnection"]
    assert change.files[WAN] is None and bond is not None and "address1=192.0.2.2/25,192.0.2.1\n" in bond.text


def test_a_profile_in_memory_is_refused_until_the_command_in_the_message_was_run(box: Box) -> None:
    changes: dict[str, Any] = {"members": ["eth0"], "primary": "eth0", "vlans": [], "moves": [move("eth0", "bond1")]}
    with pytest.raises(NodeError, match="the profile of eth0 is in memory only") as told:
        planned(box, **changes)
    remedy = re.search(r"nmcli .*", str(told.value))
    assert remedy is not None
    box.run(*shlex.split(remedy.group()))
    assert FOLDER + "/Wired connection 1.nmconnection" in planned(box, **changes).files


def test_one_that_names_no_device_or_is_left_alone_is_refused(box: Box) -> None:
    with pytest.raises(NodeError, match="NetworkManager leaves fareth3 alone"):
        planned(box, members=["eth1", "fareth3"], **PLAIN)
    box.run("nmcli", "connection", "modify", "The WAN", "connection.interface-name", "")
    with pytest.raises(NodeError, match="office.nmconnection is on eth1 and does not name it"):
        planned(box, **PLAIN)


def test_when_files_go_their_devices_follow_and_the_way_back_brings_all_of_it_again(box: Box) -> None:
    change = planned(box, **PLAIN)
    for path, file in change.files.items():
        if file is None:
            (box.root / path.lstrip("/")).unlink()
        else:
            box.write(path, file.text, file.mode)
    box.run(*change.run[0])
    assert known(box) == {path for path, file in change.files.items() if file is not None}
    until(lambda: has(box, "eth1") == [])
    for path, file in change.files.items():
        if file is not None:
            (box.root / path.lstrip("/")).unlink()
    box.write(WAN, PROFILE, 0o600)
    for argv in change.back:
        box.run(*argv)
    assert known(box) == {WAN} and has(box, "eth1") == ["192.0.2.2/25", "2001:db8:1::2/64"]
    assert box.ask("test", "-e", "/sys/class/net/bond1").returncode != 0
