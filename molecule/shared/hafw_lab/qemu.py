# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node as a virtual machine under QEMU: Debian's stock kernel with its own drivers. The processor is emulated, and needs nothing of this machine's.

The kernel has ext4 and NVMe built in: it finds its disk without an initial ramdisk.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path

from . import cgroup, network, overlay, topology
from .body import LOGIN, Body
from .qemu_channel import Channels
from .system import LabError, run

PROGRAM = "qemu-system-x86_64"
TOOLS = {PROGRAM: "qemu-system-x86", "mkfs.ext4": "e2fsprogs"}
_DISK_SIZE = "2G"
_MEMORY = "512M"
# An emulated processor has no secret to leak to a neighbour, and pays dearly for each guard against it; a plain model is the fastest to emulate.
_KERNEL_WORDS = "root=/dev/nvme0n1 rw console=ttyS0 quiet mitigations=off panic=5"
_PROCESSOR = ["-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "qemu64", "-smp", "1", "-m", _MEMORY]
_WIRE_PORTS = 40000
_AGENT_SECONDS = 60.0
_A_DAY = 86400.0


class VirtualMachine(Body):
    """See Body."""

    boot_seconds = 600.0
    # Every question that is given up is one more process for it to start, and none is answered in the end.
    answer_seconds = 30.0

    @property
    def disk(self) -> Path:
        return self.home / "disk.img"

    def make_disk(self, image: Path, layer: Path) -> None:
        partial = self.home / "disk.partial"
        shutil.rmtree(self.home / "upper", ignore_errors=True)
        layer.rename(self.home / "upper")
        root = overlay.mount(image, self.home)
        try:
            partial.unlink(missing_ok=True)
            run(["mkfs.ext4", "-q", "-d", str(root), str(partial), _DISK_SIZE], timeout=300)
        finally:
            overlay.unmount(self.home)
        for folder in ("root", "upper", "work"):
            shutil.rmtree(self.home / folder)
        partial.rename(self.disk)

    def boot(self, image: Path, ended: str) -> None:
        kernel = sorted((image / "boot").glob("vmlinuz-*"))[-1]
        network.plug_taps(self.lab, self.node)
        self._start(["nsenter", f"--net={network.NETNS / self._switch}", *self.command(kernel)], ended)

    def command(self, kernel: Path) -> list[str]:
        """The words that start QEMU; files are named relative to the node's folder."""
        argv = [PROGRAM, "-name", self.node.name, "-nodefaults", "-no-user-config", "-display", "none", *_PROCESSOR]
        argv += ["-kernel", str(kernel), "-append", _KERNEL_WORDS]
        # What it has written outlives its power in this machine's page cache; what it has not written is lost, as it should be.
        argv += ["-drive", f"file={self.disk.name},format=raw,if=none,id=disk,cache=unsafe", "-device", "nvme,drive=disk,serial=disk"]
        argv += ["-chardev", f"file,id=console,path={self.console.name},append=on", "-serial", "chardev:console"]
        for channel in ("monitor", "agent"):
            argv += ["-chardev", f"socket,id={channel},path={self._channels.address(channel)},abstract=on,server=on,wait=off"]
        argv += ["-mon", "chardev=monitor,mode=control"]
        argv += ["-device", "virtio-serial", "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]
        for port in self.node.ports:
            argv += ["-netdev", self._cable(port)]
            # Without a speed no LACP: the bond would not know what it adds up.
            argv += ["-device", f"virtio-net-pci,netdev={port.device},mac={self.node.mac(port.device)},speed=1000,duplex=full,romfile="]
        return argv

    def pid(self) -> int | None:
        """This machine's number of the QEMU process."""
        for pid in cgroup.pids(self.space):
            try:
                argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")  # a zombie's is empty
            except OSError:
                continue
            if argv[0] == PROGRAM.encode():
                return pid
        return None

    def run(self, argv: list[str], timeout: float = _AGENT_SECONDS) -> subprocess.CompletedProcess[str]:
        if self.pid() is None:
            raise LabError(f"{self.node.name} is off")
        return self._channels.run(["/usr/bin/env", *LOGIN[1:], *argv], timeout)

    def shell(self, argv: list[str]) -> int:
        if not argv:
            raise LabError(f"{self.node.name} is a virtual machine, which runs commands one by one: shell {self.node.name} -- 'ip address'")
        done = self.run(argv, _A_DAY)
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        return done.returncode

    def shut_down(self) -> None:
        self._channels.monitor("system_powerdown")

    def set_carrier(self, devices: list[str], up: bool) -> None:
        for device in devices:
            self._channels.monitor("set_link", name=device, up=up)

    @property
    def _switch(self) -> str:
        return topology.namespace(self.lab, topology.SWITCH)

    @cached_property
    def _channels(self) -> Channels:
        return Channels(self._switch, self.space)

    def _cable(self, port: topology.Port) -> str:
        """QEMU's end of a port's cable: a tap device that is plugged into the switch, or a wire to the same port of the other node."""
        if port in network.switched(self.node):
            return f"tap,id={port.device},ifname={topology.cable(self.node.name, port.device)},script=no,downscript=no"
        # A bridge would keep LACP's frames to itself. Two machines: this one's and the other's end.
        wire = _WIRE_PORTS + 10 * self.node.ports.index(port)
        ends = {"local": wire + self.node.number, "remote": wire + 3 - self.node.number}
        return f"dgram,id={port.device}," + ",".join(f"{end}.type=inet,{end}.host=127.0.0.1,{end}.port={number}" for end, number in ends.items())
