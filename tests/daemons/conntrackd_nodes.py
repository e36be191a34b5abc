# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real conntrackd daemons, each in a throwaway network namespace with its own socket and lock, on one bridge."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_config, conntrackd_refresh

# A namespace tracks connections as soon as a rule asks for their state.
RULES = """table inet track {
 chain input { type filter hook input priority 0; policy accept; ct state new counter; }
 chain output { type filter hook output priority 0; policy accept; ct state new counter; }
}
"""
TALK = """
import socket, sys, time
near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
near.bind(("192.0.2.100", 5000))
far.bind(("203.0.113.100", 6000))
while True:
    near.sendto(b"x", ("203.0.113.100", 6000))
    far.sendto(b"y", far.recvfrom(9)[1])
    near.recvfrom(9)
    time.sleep(0.3)
"""


def run(*argv: str, stdin: str | None = None, check: bool = True) -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, encoding="utf-8", timeout=30, check=False)
    assert not check or done.returncode == 0, (argv, done.stdout, done.stderr)
    return done.stdout


def wait_for(condition: Callable[[], bool], timeout: float) -> bool:
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


class Machine:
    """One node: a namespace with a Sync interface, a loopback for test traffic, and a daemon."""

    def __init__(self, folder: Path, name: str, number: int, options: dict) -> None:
        self.namespace = name
        self.folder = folder / name
        self.folder.mkdir()
        self.config = self.folder / "conntrackd.conf"
        own = {"interface": "sync0", "address": "198.51.100.%d" % (128 + number), "transport": "multicast", "group": "225.0.0.50", "port": 3780,
               "peer": None, "mode": "ftfw", "external_cache": False, "ignore_addresses": []}
        self.config.write_text(conntrackd_config.render(dict(own, **options), conntrackd_config.Sizes(4096, 65536), socket=str(self.folder / "ctl"),
                                                        lock=str(self.folder / "lock"), systemd=False), encoding="utf-8")
        self.processes: list[subprocess.Popen] = []
        self.daemon: subprocess.Popen | None = None

    def inside(self, *argv: str, stdin: str | None = None, check: bool = True) -> str:
        return run("ip", "netns", "exec", self.namespace, *argv, stdin=stdin, check=check)

    def spawn(self, *argv: str) -> subprocess.Popen:
        with (self.folder / "log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(["ip", "netns", "exec", self.namespace, *argv], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start(self) -> None:
        self.daemon = self.spawn("conntrackd", "-C", str(self.config))
        assert wait_for(lambda: "cache internal" in self.engine("-s", check=False), 10), (self.folder / "log").read_text(encoding="utf-8")

    def stop(self) -> None:
        self.engine("-k")
        assert self.daemon is not None
        self.daemon.wait(10)

    def engine(self, *words: str, check: bool = True) -> str:
        return self.inside("conntrackd", "-C", str(self.config), *words, check=check)

    def states(self, source: str, family: str = "ipv4") -> list[str]:
        return self.inside("conntrack", "-L", "-f", family, "--orig-src", source, check=False).splitlines()

    def seconds_left(self, source: str) -> int | None:
        states = self.states(source)
        return int(states[0].split()[2]) if states else None

    def add_states(self, source: str, destination: str, count: int, timeout: int = 100) -> None:
        rows = "".join("-A -p udp --src %s --dst %s --sport %d --dport 9 --timeout %d\n" % (source, destination, 1000 + at, timeout) for at in range(count))
        path = self.folder / "states"
        path.write_text(rows, encoding="ascii")
        self.inside("conntrack", "-R", str(path))

    def udp_timeouts(self, seconds: int) -> None:
        for name in ("udp_timeout", "udp_timeout_stream"):
            self.inside("sysctl", "-qw", "net.netfilter.nf_conntrack_%s=%d" % (name, seconds))

    def talk(self) -> subprocess.Popen:
        """A UDP flow that speaks every 0.3 s, from 192.0.2.100 to 203.0.113.100."""
        for address in ("192.0.2.100/32", "203.0.113.100/32"):
            self.inside("ip", "address", "add", address, "dev", "lo")
        return self.spawn(sys.executable, "-c", TALK)

    def refresh(self) -> subprocess.Popen:
        """The program that keeps quiet states alive, on this node, told that it is active."""
        text = Path(conntrackd_refresh.__file__).read_text(encoding="utf-8").replace('"/run/hafirewall/', '"%s/' % self.folder)
        (self.folder / "refresh.py").write_text(text, encoding="utf-8")
        (self.folder / "vrrp-state").write_text("active 1\n", encoding="ascii")
        return self.spawn(sys.executable, str(self.folder / "refresh.py"), "0")


class Cluster:
    """Machines on one segment. Use as a context manager: it leaves nothing behind."""

    def __init__(self, folder: Path, options: list[dict]) -> None:
        self.prefix = "hafw-ct%d" % os.getpid()
        self.machines = [Machine(folder, "%s-%d" % (self.prefix, at), at + 1, extra) for at, extra in enumerate(options)]

    def __enter__(self) -> list[Machine]:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self.machines

    def _build(self) -> None:
        segment = self.prefix + "-s"
        run("ip", "netns", "add", segment)
        run("ip", "-n", segment, "link", "add", "bridge0", "up", "type", "bridge", "mcast_snooping", "0")
        for at, machine in enumerate(self.machines):
            run("ip", "netns", "add", machine.namespace)
            run("ip", "-n", machine.namespace, "link", "add", "sync0", "type", "veth", "peer", "name", "port%d" % at, "netns", segment)
            run("ip", "-n", segment, "link", "set", "port%d" % at, "master", "bridge0", "up")
            for device in ("lo", "sync0"):
                run("ip", "-n", machine.namespace, "link", "set", device, "up")
            run("ip", "-n", machine.namespace, "address", "add", "198.51.100.%d/28" % (129 + at), "dev", "sync0")
            run("ip", "-n", machine.namespace, "address", "add", "2001:db8:5::%d/64" % (1 + at), "dev", "sync0", "nodad")
            machine.inside("nft", "-f", "-", stdin=RULES)
        for machine in self.machines:
            machine.start()

    def __exit__(self, *_error: object) -> None:
        for machine in self.machines:
            for process in machine.processes:
                process.terminate()
            for process in machine.processes:
                process.wait(10)
            run("ip", "netns", "delete", machine.namespace, check=False)
        run("ip", "netns", "delete", self.prefix + "-s", check=False)
