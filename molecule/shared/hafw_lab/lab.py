# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One lab: its folder, its nodes' power, its beginning and its end."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from . import cgroup, container, disk, image, inventory, machine, network, overlay, qemu, topology
from .body import Body
from .progress import Progress
from .system import LabError, key_pair, lock, wait_for, write

REBOOTED = 133  # systemd-nspawn's status when the node asked to be started again
_LAB_LOCK_SECONDS = 180.0
_NODE_LOCK_SECONDS = 60.0


class Lab:
    """The lab of one name. build: folder of all labs and images; script: the file that runs the lab's command line."""

    def __init__(self, name: str, build: Path, script: Path, progress: Progress) -> None:
        self.name = topology.check_lab_name(name)
        self.build = build
        self.folder = build / name
        self._script = script
        self._progress = progress
        self._cancelled = threading.Event()

    # What is there

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.folder / "lab.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LabError(f"there is no lab {self.name!r}: start it with up --name {self.name}") from error
        return state

    def nodes(self) -> tuple[topology.Node, ...]:
        """The lab's nodes; LabError when there is no such lab."""
        state = self._state()
        return topology.nodes(state["firewalls"], "virtual_image" in state)

    def node(self, name: str) -> topology.Node:
        """The node of this name; LabError names those that exist."""
        for node in self.nodes():
            if node.name == name:
                return node
        raise LabError(f"lab {self.name!r} has no node {name!r}; it has {', '.join(node.name for node in self.nodes())}")

    def space(self, node: str) -> str:
        """Name of the node's namespace."""
        return topology.namespace(self.name, node)

    def body(self, node: topology.Node) -> Body:
        """What the node is made of."""
        return (qemu.VirtualMachine if node.virtual else container.Container)(self.name, node, self._home(node.name))

    def _home(self, node: str) -> Path:
        return self.folder / "nodes" / node

    def status(self) -> list[dict[str, Any]]:
        """Per node: name, whether it is on, its state as its systemd tells it, its process, its connected devices."""
        rows = []
        for node in self.nodes():
            body = self.body(node)
            pid = body.pid()
            state = body.run(["systemctl", "is-system-running"]).stdout.strip() if pid else None
            links = network.ports(self.name, node.name)
            rows.append({"node": node.name, "on": pid is not None, "state": state, "pid": pid, "address": node.management, "links": links})
        return rows

    # Beginning and end

    def up(self, firewalls: int | None, suite: str | None, virtual: bool = False, packages: Sequence[str] = ()) -> None:
        """Start the lab, or what is missing of it. Undone when it cannot be completed.

        virtual: a new lab's firewalls are virtual machines. packages: further ones on the nodes of a new lab.
        """
        with lock(self.folder / ".lock", _LAB_LOCK_SECONDS):
            fresh = not (self.folder / "lab.json").exists()
            before: dict[str, Any] = {"firewalls": 0, "suite": suite or "bookworm"} if fresh else self._state()
            wanted = firewalls or before["firewalls"] or 2
            other = (suite or before["suite"]) != before["suite"] or (virtual and not fresh and "virtual_image" not in before)
            if wanted < before["firewalls"] or other:
                raise LabError(f"lab {self.name!r} runs with {before['firewalls']} firewalls on {before['suite']}: remove it first (down --name {self.name})")
            nodes = topology.nodes(wanted, virtual or "virtual_image" in before)
            # A lab keeps the images that its nodes' disks were begun on.
            images = self._images(before["suite"], virtual, packages) if fresh else {}
            machine.load_modules()
            if fresh:
                self._remove()  # what a crash may have left
            started: list[topology.Node] = []
            try:
                write(self.folder / "lab.json", json.dumps({**before, "firewalls": wanted, **images}) + "\n")
                self._prepare(nodes)
                started = [node for node in nodes if self.body(node).pid() is None]
                machine.check_room(sum(not node.virtual for node in started))
                self._start_all(started)
            except BaseException:
                self._cancelled.set()
                self._progress.end()
                if fresh:
                    self._remove()
                    self._remove_folder()
                else:
                    write(self.folder / "lab.json", json.dumps(before) + "\n")
                    for node in started:
                        self._tear_down(node)
                raise

    def _images(self, suite: str, virtual: bool, packages: Sequence[str]) -> dict[str, str]:
        """The images of a new lab's nodes."""
        if virtual:
            machine.check_tools(qemu.TOOLS, "molecule/shared/qemu-packages.txt")
        images = {"image": str(image.ensure(self.build / "image", suite, self._progress.say, more=packages))}
        if virtual:
            images["virtual_image"] = str(image.ensure(self.build / "image", suite, self._progress.say, virtual=True))
        return images

    def _prepare(self, nodes: tuple[topology.Node, ...]) -> None:
        key = self.folder / "ssh" / "id_ed25519"
        key_pair(key, f"lab {self.name}")
        self.write_inventory(nodes)
        network.create_switch(self.name)

    def write_inventory(self, nodes: tuple[topology.Node, ...] | None = None) -> Path:
        """Write inventory.yml and ssh_config of the lab; returns the inventory's path."""
        members = nodes or self.nodes()
        config = self.folder / "ssh_config"
        write(config, inventory.ssh_config(self.name, members, str(self.folder / "ssh" / "id_ed25519")))
        write(self.folder / "inventory.yml", inventory.inventory(self.name, members, str(config), [sys.executable, str(self._script)]))
        return self.folder / "inventory.yml"

    def _start_all(self, nodes: list[topology.Node]) -> None:
        begun = time.monotonic()
        self._progress.show(f"starting {len(nodes)} nodes ...")
        ready: list[str] = []
        with ThreadPoolExecutor(max(1, len(nodes))) as pool:
            jobs = {pool.submit(self.power_on, node.name): node.name for node in nodes}
            try:
                for job in as_completed(jobs):
                    job.result()
                    ready.append(jobs[job])
                    self._progress.show(f"ready: {', '.join(sorted(ready))} ({len(ready)} of {len(nodes)}, {time.monotonic() - begun:.1f} s)")
            except BaseException:
                self._cancelled.set()  # the others stop waiting
                raise
        self._progress.end()

    def down(self) -> None:
        """Remove every trace of the lab, whatever state it is in, and nothing else."""
        with lock(self.folder / ".lock", _LAB_LOCK_SECONDS):
            self._remove()
            self._remove_folder()

    def _remove_folder(self) -> None:
        (self.folder / ".lock").unlink(missing_ok=True)
        if not any(self.folder.iterdir()):  # reports may be in it
            self.folder.rmdir()

    def _remove(self) -> None:
        # Found by walking what exists, because after a crash no record can be believed.
        spaces = [name for name in network.existing() if topology.belongs(self.name, name)]
        groups = [name for name in cgroup.existing() if topology.belongs(self.name, name)]
        for group in groups:
            cgroup.kill(group)
        for space in spaces:
            network.delete(space)
        for name in {*spaces, *groups}:
            container.forget(name, self._home(name.removeprefix(self.space(""))))
        overlay.unmount(self.folder / "nodes")
        for group in groups:
            cgroup.remove(group)
        for folder in ("nodes", "ssh"):
            if (self.folder / folder).exists():
                shutil.rmtree(self.folder / folder)
        for file in ("lab.json", "inventory.yml", "ssh_config"):
            (self.folder / file).unlink(missing_ok=True)

    # Power

    def power_on(self, name: str, *, wait: bool = True) -> dict[str, Any]:
        """Boot the node in a new, empty namespace, unless it is on; wait until ssh answers and its systemd has finished starting."""
        node, begun = self.node(name), time.time()
        with lock(self._home(name) / "lock", _NODE_LOCK_SECONDS):
            was_on = self.body(node).pid() is not None
            if not was_on:
                self._tear_down(node)
                self._boot(node)
            state = self._wait_ready(node) if wait else None
        return {"node": name, "at": begun, "was_on": was_on, "seconds": round(time.time() - begun, 3), "state": state}

    def power_off(self, name: str) -> dict[str, Any]:
        """Power loss: the cables go in one kernel request, then every process dies, then the namespace goes. 'at' is when that request was made."""
        node = self.node(name)
        with lock(self._home(name) / "lock", _NODE_LOCK_SECONDS):
            was_on = self.body(node).pid() is not None
            at = self._tear_down(node)
        return {"node": name, "at": at, "was_on": was_on, "seconds": round(time.time() - at, 3)}

    def reboot(self, name: str) -> dict[str, Any]:
        """Shut the node down from within, then start it in a new namespace."""
        node, begun = self.node(name), time.time()
        body = self.body(node)
        with lock(self._home(name) / "lock", _NODE_LOCK_SECONDS):
            body.shut_down()
            if not wait_for(lambda: body.pid() is None, body.boot_seconds / 2):
                raise LabError(f"{name} does not shut down (waited {body.boot_seconds / 2:.0f} s): use power-off {name}")
            self._tear_down(node)
            self._boot(node)
            state = self._wait_ready(node)
        return {"node": name, "at": begun, "seconds": round(time.time() - begun, 3), "state": state}

    def reinstall(self, name: str, suite: str) -> dict[str, Any]:
        """Power off, a new disk with a fresh machine of that Debian release, the same name, addresses and host key, and power on."""
        node, begun = self.node(name), time.time()
        if node.virtual:
            raise LabError(f"{name} is a virtual machine, which cannot be installed anew: remove the lab and start another")
        tree = image.ensure(self.build / "image", suite, self._progress.say)
        with lock(self.folder / ".lock", _LAB_LOCK_SECONDS), lock(self._home(name) / "lock", _NODE_LOCK_SECONDS):
            self._tear_down(node)
            state = self._state()
            write(self.folder / "lab.json", json.dumps({**state, "reinstalled": {**state.get("reinstalled", {}), name: str(tree)}}) + "\n")
            # What would be left of it would show through the new disk, so a failure is one.
            for layer in (path for path in (self._home(name) / part for part in ("upper", "work")) if path.exists()):
                shutil.rmtree(layer)
            self._boot(node)
            ready = self._wait_ready(node)
        return {"node": name, "suite": suite, "at": begun, "seconds": round(time.time() - begun, 3), "state": ready}

    def ended(self, name: str, boot: str, status: int) -> None:
        """The node ended from within: take its namespace away, and start it anew if it asked for that."""
        with lock(self._home(name) / "lock", _NODE_LOCK_SECONDS):
            record = self._home(name) / "boot"
            if not record.exists() or record.read_text(encoding="utf-8").strip() != boot:
                return  # another command was faster
            node = self.node(name)
            cgroup.leave()  # this process was started in the node's group, which is about to be killed
            self._tear_down(node)
            if status == REBOOTED:
                self._boot(node)

    def _boot(self, node: topology.Node) -> None:
        body, boot = self.body(node), uuid.uuid4().hex
        state = self._state()
        tree = Path(state.get("reinstalled", {}).get(node.name) or state["virtual_image" if node.virtual else "image"])
        if not body.disk.exists():
            self._make_disk(body, tree)
        write(body.home / "boot", boot + "\n")
        ended = [sys.executable, str(self._script), "ended", node.name, "--name", self.name, "--boot", boot, "--status"]
        body.boot(tree, shlex.join(ended))

    def _make_disk(self, body: Body, tree: Path) -> None:
        home, node = body.home, body.node
        host_keys = key_pair(home / "ssh_host_ed25519_key", f"root@{node.name}")
        public = (self.folder / "ssh" / "id_ed25519.pub").read_text(encoding="utf-8")
        shutil.rmtree(home / "layer", ignore_errors=True)
        disk.write_disk(home / "layer", self.name, node, self.nodes(), public, host_keys)
        body.make_disk(tree, home / "layer")

    def _tear_down(self, node: topology.Node) -> float:
        """Whatever is left of the node but its disk goes; harmless when nothing is. Returns when its cables went, epoch seconds."""
        space = self.space(node.name)
        at = network.unplug(self.name, node)
        cgroup.kill(space)
        network.end_relays(self.name, node.management)
        network.delete(space)
        container.forget(space, self._home(node.name))
        overlay.unmount(self._home(node.name))
        cgroup.remove(space)
        (self._home(node.name) / "boot").unlink(missing_ok=True)
        return at

    def _wait_ready(self, node: topology.Node) -> str:
        """The systemd state of the node (running or degraded) once it has started; LabError with the end of its console otherwise."""
        body = self.body(node)
        deadline = time.monotonic() + body.boot_seconds

        def answers() -> bool:
            return self._cancelled.is_set() or network.greets(self.name, node.management, body.answer_seconds)

        if wait_for(answers, body.boot_seconds, body.answer_seconds / 20) and not self._cancelled.is_set():
            done = body.run(["systemctl", "is-system-running", "--wait"], timeout=max(5.0, deadline - time.monotonic()))
            state = done.stdout.strip()
            if state in ("running", "degraded"):
                return state
        last = "\n".join(body.console.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]) if body.console.exists() else ""
        raise LabError(f"{node.name} has not started within {body.boot_seconds:.0f} s; the end of its console:\n{last}")
