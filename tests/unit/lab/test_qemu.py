# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual machine's command line, disk and cables, and its two channels against a program that speaks as QEMU does."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hafw_lab import cgroup, disk, inventory, network, overlay, qemu, qemu_channel, topology
from hafw_lab.system import LabError

NODES = topology.nodes(2, virtual=True)
FW1, FW2 = NODES[:2]
M = f"m{os.getpid()}"  # its channels are names in the machine's one namespace; two runs of the tests must not meet
Answers = Callable[[dict[str, Any]], list[bytes]]


def _machine(node: topology.Node, home: Path) -> qemu.VirtualMachine:
    return qemu.VirtualMachine("x", node, home)


def _options(node: topology.Node, option: str) -> list[str]:
    argv = _machine(node, Path("/home")).command(Path("/image/boot/vmlinuz-6"))
    return [argv[place + 1] for place, word in enumerate(argv) if word == option]


def test_every_port_is_a_card_with_its_address_a_speed_and_a_cable() -> None:
    devices = [each for each in _options(FW1, "-device") if each.startswith("virtio-net")]
    assert [(f"mac={FW1.mac(port.device)}" in each, f"netdev={port.device}," in each) for port, each in zip(FW1.ports, devices)] == [(True, True)] * 8
    assert all("speed=1000,duplex=full" in each for each in devices)
    cables = _options(FW1, "-netdev")
    assert cables[0] == "tap,id=em0,ifname=fw1-em0,script=no,downscript=no"
    assert [cable.split(",")[0] for cable in cables] == ["tap"] * 6 + ["dgram"] * 2


def test_a_wire_ends_where_the_other_node_s_begins() -> None:
    def ends(node: topology.Node) -> list[dict[str, str]]:
        return [dict(pair.split("=") for pair in cable.split(",")[1:]) for cable in _options(node, "-netdev") if cable.startswith("dgram")]

    found = list(zip(ends(FW1), ends(FW2)))
    assert len(found) == 2
    for one, other in found:
        assert (one["local.port"], one["remote.port"]) == (other["remote.port"], other["local.port"])
    assert len({end["local.port"] for pair in found for end in pair}) == 4


def test_the_disk_is_written_through_to_the_machine_and_needs_no_ramdisk() -> None:
    [drive] = _options(FW1, "-drive")
    assert drive == "file=disk.img,format=raw,if=none,id=disk,cache=unsafe"
    assert "root=/dev/nvme0n1" in _options(FW1, "-append")[0]
    assert "-initrd" not in _machine(FW1, Path("/home")).command(Path("/k"))


def test_a_disk_that_was_begun_is_not_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = _machine(FW1, tmp_path)
    monkeypatch.setattr(overlay, "mount", lambda _image, home: home / "root")
    monkeypatch.setattr(overlay, "unmount", lambda _home: None)

    def layer() -> Path:
        for folder in ("layer/etc", "root", "work"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        return tmp_path / "layer"

    def fail(argv: list[str], **_named: Any) -> None:
        Path(argv[-2]).write_text("half")
        raise LabError("no space")

    monkeypatch.setattr(qemu, "run", fail)
    with pytest.raises(LabError, match="no space"):
        machine.make_disk(Path("/image"), layer())
    assert not machine.disk.exists()
    monkeypatch.setattr(qemu, "run", lambda argv, **_named: Path(argv[-2]).write_text("whole"))
    machine.make_disk(Path("/image"), layer())
    assert [path.name for path in tmp_path.iterdir()] == ["disk.img"]
    assert machine.disk.read_text() == "whole"


def test_a_virtual_machine_is_told_its_names_its_vlan_and_its_modules() -> None:
    files = disk.files("x", FW2, NODES)
    assert files["etc/systemd/network/10-igb3.link"] == "[Match]\nPermanentMACAddress=02:00:c6:33:02:04\n\n[Link]\nName=igb3\n"
    assert "etc/systemd/network/10-igb3.network" not in files
    assert "VLAN=igb1.10\n" in files["etc/systemd/network/10-igb1.network"]
    assert files["etc/systemd/network/10-igb1.10.netdev"] == "[NetDev]\nName=igb1.10\nKind=vlan\n\n[VLAN]\nId=10\n"
    assert "Address=198.51.100.195/27\n" in files["etc/systemd/network/10-igb1.10.network"]
    assert files["etc/modules-load.d/lab.conf"] == "nf_conntrack\n"
    # The rules are ready for the move of LAN and WAN, and not for one of the management port.
    assert 'iifname { "igb1", "bond1" } oifname { "igb2", "bond2" } tcp' in files["etc/nftables.conf"]
    assert 'iifname "igb0" tcp dport 22 accept' in files["etc/nftables.conf"]


def test_the_inventory_says_which_ports_may_be_used_as_one() -> None:
    tree = yaml.safe_load(inventory.inventory("x", NODES, "/c", ["lab"]))["all"]["children"]["edge"]
    assert tree["hosts"]["fw2"]["hafirewall_node"]["interfaces"] == {
        "mgmt": "igb0",
        "lan": "igb1",
        "dmz": "igb1.10",
        "wan": {"device": "igb2", "members": ["igb2", "igb3"]},
        "sync": {"device": "igb4", "address": "198.51.100.131/28", "members": ["igb4", "igb5"]},
        "peer": {"device": "igb6", "members": ["igb6", "igb7"]},
    }
    cluster = tree["vars"]["hafirewall_cluster"]
    assert cluster["vrrp"]["advert_interval"] == 1
    assert cluster["virtual_ips"][-1] == {"interface": "dmz", "address": "198.51.100.193/27", "id": 30}
    assert "ConnectTimeout 60" in inventory.ssh_config("x", NODES, "/k").split("Host fw2")[1].split("Host ")[0]


def test_only_qemu_itself_is_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "pids", lambda _name: [1, 2**22 + 1])  # this machine's init, and none
    assert _machine(FW1, Path("/home")).pid() is None
    with pytest.raises(LabError, match="fw1 is off"):
        _machine(FW1, Path("/home")).run(["true"])


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, bytes, Answers], None]]:
    """Lets a program answer on a channel of machine M: with a greeting, then with what the function makes of each request."""
    servers: list[tuple[socket.socket, threading.Thread]] = []
    monkeypatch.setattr(network, "inside", lambda _switch, work: work())

    def serve(channel: str, greeting: bytes, answers: Answers) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"\0{M}-{channel}")
        server.listen(1)

        def work() -> None:
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:
                    return
                with connection, connection.makefile("rwb") as stream:
                    stream.write(greeting)
                    stream.flush()
                    for line in stream:
                        for answer in answers(json.loads(line.rpartition(b"\xff")[2])):
                            stream.write(answer + b"\n")
                        stream.flush()

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        servers.append((server, worker))

    yield serve
    for server, worker in servers:
        server.shutdown(socket.SHUT_RDWR)
        worker.join(30)  # a thread that still waits in accept() holds the name, and the next test could not have it
        assert not worker.is_alive(), "a caller has not closed its connection"
        server.close()


def _told(value: Any) -> bytes:
    return json.dumps({"return": value}).encode()


def test_the_monitor_is_asked_past_its_greeting_and_events(speak: Callable[[str, bytes, Answers], None]) -> None:
    asked: list[dict[str, Any]] = []

    def answers(request: dict[str, Any]) -> list[bytes]:
        asked.append(request)
        if request["execute"] == "no_such":
            return [b'{"error": {"class": "CommandNotFound", "desc": "The command no_such has not been found"}}']
        return [b'{"event": "NIC_RX_FILTER_CHANGED"}', _told({"of": request["execute"]})]

    speak("monitor", b'{"QMP": {}}\n', answers)
    channels = qemu_channel.Channels("switch", M)
    assert channels.monitor("set_link", name="em2", up=False) == {"of": "set_link"}
    assert asked == [{"execute": "qmp_capabilities", "arguments": {}}, {"execute": "set_link", "arguments": {"name": "em2", "up": False}}]
    with pytest.raises(LabError, match=f"{M} refuses no_such: The command no_such has not been found"):
        channels.monitor("no_such")


def test_a_command_inside_gives_its_status_and_words_after_late_answers(speak: Callable[[str, bytes, Answers], None]) -> None:
    polls: list[int] = []

    def answers(request: dict[str, Any]) -> list[bytes]:
        arguments = request["arguments"]
        if request["execute"] == "guest-sync-delimited":
            # What a caller who gave up had asked comes before: whole, and cut in two.
            return [_told({"pid": 1}), _told(17), b'rn": {}}', b"\xff" + _told(arguments["id"])]
        if request["execute"] == "guest-exec":
            assert (arguments["path"], arguments["arg"]) == ("/bin/x", ["a b"])
            return [_told({"pid": 7})]
        polls.append(arguments["pid"])
        if len(polls) < 2:
            return [_told({"exited": False})]
        return [_told({"exited": True, "exitcode": 3, "out-data": base64.b64encode("größe\n".encode()).decode()})]

    speak("agent", b"", answers)
    done = qemu_channel.Channels("switch", M).run(["/bin/x", "a b"], 20)
    assert (done.returncode, done.stdout, done.stderr, polls) == (3, "größe\n", "", [7, 7])


def test_a_silent_agent_is_named(speak: Callable[[str, bytes, Answers], None]) -> None:
    speak("agent", b"", lambda _request: [])
    channels = qemu_channel.Channels("switch", M)
    with pytest.raises(LabError, match=f"the agent of {M} says nothing"):
        channels.agent("guest-ping", 0.2)
    with pytest.raises(LabError, match=f"the monitor of {M} says nothing"):
        channels.monitor("query-status")  # nobody listens there
