# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a node's end and the decisions of one lab, with everything that touches the machine replaced by a record of the call."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hafw_lab import cgroup, container, image, machine, network, overlay, qemu
from hafw_lab.lab import REBOOTED, Lab
from hafw_lab.progress import Progress
from hafw_lab.system import LabError, write

AT = 1795000000.5


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the calls that would touch the machine, in order."""
    made: list[str] = []

    def record(module: Any, name: str, result: Any = None) -> None:
        def call(*_words: Any, **_named: Any) -> Any:
            made.append(name)
            return result

        monkeypatch.setattr(module, name, call)

    for name, result in (("unplug", AT), ("end_relays", None), ("delete", None), ("create_switch", None), ("create_node", None), ("existing", [])):
        record(network, name, result)
    for name in ("kill", "remove", "leave"):
        record(cgroup, name)
    monkeypatch.setattr(cgroup, "existing", list)
    record(container, "forget")
    record(overlay, "unmount")
    for body in (container.Container, qemu.VirtualMachine):
        for name in ("boot", "pid", "make_disk"):
            record(body, name)
    record(image, "ensure", Path("/image/new"))
    record(machine, "check_room")
    record(machine, "load_modules")
    return made


def _lab(build: Path, firewalls: int = 2) -> Lab:
    write(build / "x" / "lab.json", json.dumps({"firewalls": firewalls, "suite": "bookworm", "image": "/image/old"}))
    return Lab("x", build, Path("/lab.py"), Progress(io.StringIO()))


def test_power_loss_takes_the_cables_before_anything_else(tmp_path: Path, calls: list[str]) -> None:
    told = _lab(tmp_path).power_off("fw1")
    assert [call for call in calls if call != "pid"] == ["unplug", "kill", "end_relays", "delete", "forget", "unmount", "remove"]
    assert (told["at"], told["was_on"]) == (AT, False)


def test_an_end_from_within_takes_the_namespace_and_starts_again_only_when_asked(tmp_path: Path, calls: list[str]) -> None:
    lab = _lab(tmp_path)
    (tmp_path / "x/nodes/fw1/upper").mkdir(parents=True)  # its disk
    for status, booted in ((0, 0), (REBOOTED, 1)):
        calls.clear()
        write(tmp_path / "x/nodes/fw1/boot", "this-boot\n")
        lab.ended("fw1", "this-boot", status)
        assert calls.index("leave") < calls.index("kill")  # else it would kill itself
        assert calls.count("boot") == booted


def test_an_end_that_another_command_has_dealt_with_changes_nothing(tmp_path: Path, calls: list[str]) -> None:
    lab = _lab(tmp_path)
    lab.ended("fw1", "this-boot", REBOOTED)
    write(tmp_path / "x/nodes/fw1/boot", "a-later-boot\n")
    lab.ended("fw1", "this-boot", REBOOTED)
    assert calls == []


def test_a_running_lab_is_not_turned_into_another(tmp_path: Path, calls: list[str]) -> None:
    for firewalls, suite in ((1, None), (2, "trixie")):
        with pytest.raises(LabError, match="runs with 2 firewalls on bookworm: remove it first"):
            _lab(tmp_path).up(firewalls, suite)
    with pytest.raises(LabError, match="remove it first"):
        _lab(tmp_path).up(2, None, virtual=True)
    assert calls == []


def test_a_lab_of_virtual_machines_stays_one_and_takes_each_node_s_image(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lab, booted = _lab(tmp_path), {}
    write(tmp_path / "x/lab.json", json.dumps({"firewalls": 2, "suite": "bookworm", "image": "/image/old", "virtual_image": "/image/vm"}))
    for body in (container.Container, qemu.VirtualMachine):
        monkeypatch.setattr(body, "boot", lambda self, tree, _ended: booted.update({self.node.name: (type(self).__name__, str(tree))}))
    for name, disk in (("fw1", "disk.img"), ("client", "upper")):
        write(tmp_path / "x/nodes" / name / disk, "")
        lab.power_on(name, wait=False)
    assert booted == {"fw1": ("VirtualMachine", "/image/vm"), "client": ("Container", "/image/old")}


def test_a_machine_without_qemu_is_told_before_anything_is_built(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda tool: None if tool.startswith("qemu") else f"/bin/{tool}")
    with pytest.raises(LabError, match="apt-get install qemu-system-x86 .*qemu-packages.txt"):
        Lab("y", tmp_path, Path("/lab.py"), Progress(io.StringIO())).up(2, None, virtual=True)
    assert "ensure" not in calls


def test_a_lab_keeps_its_image_and_a_failed_extension_leaves_it_as_it_was(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lab = _lab(tmp_path)

    def fail(*_words: Any) -> None:
        assert json.loads((tmp_path / "x/lab.json").read_text()) == {"firewalls": 3, "suite": "bookworm", "image": "/image/old"}
        raise LabError("no room")

    monkeypatch.setattr(machine, "check_room", fail)
    with pytest.raises(LabError, match="no room"):
        lab.up(3, None)
    assert "ensure" not in calls
    assert json.loads((tmp_path / "x/lab.json").read_text())["firewalls"] == 2


def test_a_failed_start_of_a_new_lab_leaves_no_folder(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "create_switch", lambda _lab: (none for none in ()).throw(LabError("no veth")))
    with pytest.raises(LabError, match="no veth"):
        Lab("y", tmp_path, Path("/lab.py"), Progress(io.StringIO())).up(2, None)
    assert list(tmp_path.glob("y*")) == []
    assert "ensure" in calls


def test_down_leaves_reports_alone(tmp_path: Path, calls: list[str]) -> None:
    write(tmp_path / "x/report.json", "{}")
    _lab(tmp_path).down()
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["report.json"]
    assert "unmount" in calls


def test_unknown_names_are_answered_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no node 'fw3'; it has fw1, fw2, client, server"):
        _lab(tmp_path).power_off("fw3")
    with pytest.raises(LabError, match="no lab 'z': start it with up --name z"):
        Lab("z", tmp_path, Path("/lab.py"), Progress(io.StringIO())).status()
