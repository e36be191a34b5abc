# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A throwaway machine for one test: its own network, its own /etc and a systemctl that keeps one unit's state, gone when the test's process ends."""

from __future__ import annotations

import ctypes
import functools
import json
import os
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, Callable

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
ROOM = Path("/tmp/.hafw-nft-room")  # holds nothing outside of a test's own mount namespace

_SYSTEMCTL = """#!/bin/sh
case "$1" in
  show) printf 'LoadState=loaded\\nActiveState=active\\nSubState=exited\\nUnitFileState=%s\\nMainPID=0\\n' "$(cat {room}/unit)";;
  enable) [ ! -e {room}/refuse-enable ] || exit 1; echo enabled > {room}/unit;;
  disable) echo disabled > {room}/unit;;
  reload) nft -f /etc/nftables.conf;;
  daemon-reload|reset-failed) :;;
  *) exit 3;;
esac
"""


def run(*argv: str, stdin: str = "", ok: bool = True) -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not ok, "%s: %s" % (" ".join(argv), done.stderr)
    return done.stdout


def sandboxed(test: Callable[..., None]) -> Callable[..., None]:
    """Run the test's body in a forked process that has new network and mount namespaces; a failure there is a failure here."""

    @functools.wraps(test)
    def outside(*args: Any, **kwargs: Any) -> None:
        ROOM.mkdir(exist_ok=True)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(reader)
                _move_in()
                test(*args, **kwargs)
                code = 0
            except BaseException:
                os.write(writer, traceback.format_exc().encode()[-60000:])
            finally:
                os._exit(code)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8", errors="replace") as pipe:
            said = pipe.read()
        _pid, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, said

    return outside


def _move_in() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(ROOM))
    for name in ("etc", "work"):
        (ROOM / name).mkdir()
    run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=/etc,upperdir=%s/etc,workdir=%s/work" % (ROOM, ROOM), "/etc")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    systemctl = ROOM / "systemctl"
    systemctl.write_text(_SYSTEMCTL.format(room=ROOM))
    systemctl.chmod(0o755)
    unit_state("enabled")
    run("mount", "--bind", str(systemctl), "/usr/bin/systemctl")
    run("ip", "link", "set", "lo", "up")


def unit_state(word: str | None = None) -> str:
    """Set or read what systemd says of nftables.service (``enabled``, ``disabled``, ``masked``)."""
    unit = ROOM / "unit"
    if word is not None:
        unit.write_text(word + "\n")
    return unit.read_text().strip()


def configure(text: str, load: bool = True) -> None:
    """Make this the node's ruleset file and, as a boot would, load it."""
    Path("/etc/nftables.conf").write_text("#!/usr/sbin/nft -f\nflush ruleset\n" + text)
    if load:
        run("nft", "-f", "/etc/nftables.conf")


def fill_disk() -> None:
    """Leave no room for a new file in /etc."""
    with (ROOM / "filler").open("wb") as filler:
        try:
            while True:
                filler.write(b"\0" * 65536)
                filler.flush()
        except OSError:
            pass


def free_disk() -> None:
    (ROOM / "filler").unlink()


_SENDER = """
import json, socket, struct, sys
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def total(data):
    data += b"\\0" * (len(data) % 2)
    value = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    value = (value >> 16) + (value & 0xffff)
    return ~(value + (value >> 16)) & 0xffff
for line in sys.stdin:
    packet = json.loads(line)
    source, target = socket.inet_aton(packet["source"]), socket.inet_aton(packet["target"])
    if packet["protocol"] == 17:
        body = struct.pack("!HHHH", 40000, packet["port"], 8 + 4, 0) + b"test"
    elif packet["protocol"] == 2:
        body = struct.pack("!BBH4s", 0x11, 0, 0, bytes(4))
        body = body[:2] + struct.pack("!H", total(body)) + body[4:]
    else:
        body = bytes(16)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), packet["number"], 0, packet["hops"] or 64, packet["protocol"], 0, source, target)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, (packet["device"] + "\\0").encode())
    raw.sendto(header + body, (packet["target"], 0))
    print("sent", flush=True)
"""


class Neighbour:
    """A second machine, joined by a link of the same name for each device; sends any IPv4 packet, whatever its source."""

    def __init__(self, devices: dict[str, str]) -> None:
        """Args: devices: device name -> own address of the machine under test, with prefix length; the neighbour takes the last host address."""
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        pid = str(self.holder.pid)
        while os.readlink("/proc/%s/ns/net" % pid) == os.readlink("/proc/self/ns/net"):
            assert self.holder.poll() is None
        inside = ("nsenter", "--target", pid, "--net")
        for index, (device, address) in enumerate(devices.items()):
            run("ip", "link", "add", "name", device, "type", "veth", "peer", "name", device, "netns", pid)
            run("ip", "address", "add", address, "dev", device)
            run("ip", "link", "set", device, "up")
            Path("/proc/sys/net/ipv4/conf/%s/rp_filter" % device).write_text("0")
            run(*inside, "ip", "link", "set", device, "up")
            # Whatever is sent by a device goes straight to the machine under test; several devices need a rank each.
            run(*inside, "ip", "route", "add", "default", "dev", device, "metric", str(index + 1))
            run(*inside, "ip", "route", "add", "224.0.0.0/4", "dev", device, "metric", str(index + 1))
            run(*inside, "ip", "address", "add", "203.0.113.%d/32" % (200 + index), "dev", device)
        Path("/proc/sys/net/ipv4/conf/all/rp_filter").write_text("0")
        # The kernel only hands packets of a group to a machine that is a member.
        self.member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for address in devices.values():
            for group in ("225.0.0.50", "224.0.0.18"):
                self.member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address.split("/")[0]))
        self.sender = subprocess.Popen([*inside, sys.executable, "-c", _SENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, packet: Any, number: int = 1) -> None:
        """Send a described packet (IPv4; UDP, IGMP query or anything else with an empty body) to the machine under test; the number is its IP id.

        It may come in after this has returned, for the kernel does that when it finds the time, and asks for a hardware address before.
        """
        assert self.sender.stdin is not None and self.sender.stdout is not None
        self.sender.stdin.write(json.dumps(dict(packet._asdict(), number=number)) + "\n")
        self.sender.stdin.flush()
        assert self.sender.stdout.readline() == "sent\n"

    def close(self) -> None:
        self.member.close()
        for process in (self.sender, self.holder):
            process.terminate()
            process.wait()
