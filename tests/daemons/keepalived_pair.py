# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two real keepalived daemons, each in network and process namespaces of its own, joined by a LAN and a WAN cable.

The rendered configuration and the rendered programs are used with their paths moved into a folder, so that nothing of the machine is touched.
"""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import keepalived_config as config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import keepalived_scripts, keepalived_state
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import options

VIPS = {"lan0": ["192.0.2.1", "2001:db8:1::1"], "wan0": ["203.0.113.1"]}

# Prints the id of each advert of priority 0: VRRP follows the IP header, IPv4's has its length in its first byte, IPv6's has 40 bytes.
_LISTENER = """
import socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
print("listening", flush=True)
while True:
    packet, (_device, kind, *_) = wire.recvfrom(2048)
    header = {0x0800: 4 * (packet[0] & 15), 0x86dd: 40}.get(kind)
    if header and packet[9 if header < 40 else 6] == 112 and packet[header + 2] == 0:
        print(packet[header + 1], flush=True)
"""


def command(*argv: str) -> str:
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def wait(condition: Callable[[], bool], timeout: float = 10.0) -> bool:
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class RealNode:
    """One node: ``host`` is the last number of its own addresses."""

    def __init__(self, name: str, host: int, priority: int, folder: Path) -> None:
        self.namespace = "hafw-vip-%s-%d" % (name, os.getpid())
        self.host, self.priority, self.folder = host, priority, folder
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def plug(self) -> None:
        """Addresses on the two interfaces, which are there already."""
        for device, networks in (("lan0", ["192.0.2.%d/24", "2001:db8:1::%d/64"]), ("wan0", ["203.0.113.%d/24"])):
            for network in networks:
                nodad = ["nodad"] if ":" in network else []
                command("ip", "-n", self.namespace, "address", "add", network % self.host, "dev", device, *nodad)
            command("ip", "netns", "exec", self.namespace, "sysctl", "-qw", "net.ipv6.conf.%s.accept_dad=0" % device)
            command("ip", "-n", self.namespace, "link", "set", device, "up")

    def is_plugged(self) -> bool:
        """Both interfaces have their carrier, and the link-local address that IPv6 advertisements come from."""
        links = {link["ifname"]: link for link in json.loads(command("ip", "-n", self.namespace, "-json", "address", "show"))}
        return all(links[device]["operstate"] == "UP" and any(item["local"].startswith("fe80:") for item in links[device]["addr_info"]) for device in VIPS)

    def unplug(self, device: str) -> None:
        command("ip", "-n", self.namespace, "link", "set", device, "down")

    def configure(self, **changes: Any) -> None:
        peer = 5 - self.host
        rows = []
        for name, device, number, family, address, own in (
                ("lan_10", "lan0", 10, "ipv4", "192.0.2.1/24", "192.0.2.%d"), ("wan_20", "wan0", 20, "ipv4", "203.0.113.1/24", "203.0.113.%d"),
                ("lan_11", "lan0", 11, "ipv6", "2001:db8:1::1/64", "2001:db8:1::%d")):
            rows.append({"name": name, "interface": device, "id": number, "family": family, "priority": self.priority, "addresses": [address],
                         "source": own % self.host, "peers": [own % peer]})
        self.write("keepalived.conf", config.render(options(instances=rows, advert_interval=0.05, **changes)))
        self.write("on-transition", keepalived_scripts.ON_TRANSITION_TEXT, 0o755)
        self.write("after-stop", keepalived_scripts.AFTER_STOP_TEXT, 0o755)
        if not (self.folder / "maintenance").exists():
            self.maintenance(False)

    def write(self, name: str, text: str, mode: int = 0o600) -> None:
        for path in (config.MAINTENANCE, config.ON_TRANSITION, config.VRRP_STATE, config.RUNNING_COPY):
            text = text.replace(path, str(self.folder / Path(path).name))
        path = self.folder / name
        path.write_text(text.replace(config.RUN, str(self.folder)).replace(" /run/", " %s/" % self.folder))
        path.chmod(mode)

    def maintenance(self, on: bool) -> None:
        """Replace the file as the module does, by a rename."""
        new = self.folder / "maintenance.new"
        new.write_text("1\n" if on else "0\n")
        new.rename(self.folder / "maintenance")

    def test(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["ip", "netns", "exec", self.namespace, "keepalived", "--config-test", "--use-file=%s" % (self.folder / "keepalived.conf")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def start(self) -> None:
        argv = ["ip", "netns", "exec", self.namespace, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "keepalived", "--dont-fork",
                "--log-console", "--no-syslog", "--use-file=%s" % (self.folder / "keepalived.conf")]
        pid_files = {"pid": "keepalived.pid", "vrrp_pid": "vrrp.pid", "checkers_pid": "checkers.pid"}
        argv += ["--%s=%s" % (option, self.folder / name) for option, name in pid_files.items()]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=dict(os.environ, TMPDIR=str(self.folder)))

    @property
    def daemon(self) -> int:
        """The daemon's process as the machine sees it."""
        assert self.process is not None
        return int(Path("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)).read_text().split()[0])

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.daemon, signal.SIGTERM)
            self.process.wait(timeout=20)

    def kill(self) -> None:
        """``kill -9`` of the daemon and its children at one moment."""
        assert self.process is not None
        os.kill(self.daemon, signal.SIGKILL)
        self.process.wait(timeout=20)

    @contextmanager
    def listening(self) -> Iterator[Callable[[], set[int]]]:
        """Hear the adverts that come in meanwhile; afterwards, the ids whose active node gave them up (priority 0, RFC 5798, 5.2.4)."""
        resigned: set[int] = set()
        with subprocess.Popen(["ip", "netns", "exec", self.namespace, sys.executable, "-c", _LISTENER], stdout=subprocess.PIPE, text=True) as listener:
            assert listener.stdout is not None
            assert listener.stdout.readline() == "listening\n"
            try:
                yield lambda: resigned
            finally:
                listener.terminate()
                resigned.update(int(line) for line in listener.stdout)

    def after_stop(self) -> None:
        command("ip", "netns", "exec", self.namespace, str(self.folder / "after-stop"))

    def held(self) -> list[str]:
        """The virtual addresses that the kernel has."""
        links = json.loads(command("ip", "-n", self.namespace, "-json", "address", "show"))
        wanted = {(device, ipaddress.ip_address(address)) for device, addresses in VIPS.items() for address in addresses}
        return [item["local"] for link in links for item in link.get("addr_info", [])
                if (link["ifname"], ipaddress.ip_address(item["local"])) in wanted]

    def states(self) -> list[str | None]:
        """What the daemon says, asked and understood as on a node."""
        text = command("sh", "-c", keepalived_state._DUMP_SCRIPT, "sh", str(self.daemon), str(self.folder / "keepalived.json"))
        return [item.state for item in keepalived_state._instances(json.loads(text)).values()]

    def noted(self) -> str:
        """What the hook noted last."""
        path = self.folder / "vrrp-state"
        return path.read_text().split()[0] if path.exists() else ""

    def is_active(self) -> bool:
        return len(self.held()) == 3 and self.noted() == "active"

    def is_idle(self, noted: str = "standby") -> bool:
        return self.held() == [] and self.noted() == noted

    def is_settled(self) -> bool:
        return self.is_idle("standby") or self.is_idle("fault")


class Pair:
    """Two nodes and their cables; ``a`` has the higher priority."""

    def __init__(self, folder: Path) -> None:
        self.a, self.b = RealNode("a", 2, 200, folder / "a"), RealNode("b", 3, 150, folder / "b")
        try:
            for node in (self.a, self.b):
                command("ip", "netns", "add", node.namespace)
                command("ip", "-n", node.namespace, "link", "set", "lo", "up")
            for device in VIPS:
                command("ip", "-n", self.a.namespace, "link", "add", device, "type", "veth", "peer", "name", device, "netns", self.b.namespace)
            for node in (self.a, self.b):
                node.plug()
            for node in (self.a, self.b):
                assert wait(node.is_plugged)
        except BaseException:
            self.remove()
            raise

    def start(self, **changes: Any) -> None:
        """Start ``a``, then ``b`` when ``a`` is active."""
        for node, is_settled in ((self.a, self.a.is_active), (self.b, self.b.is_settled)):
            node.configure(**changes)
            node.start()
            assert wait(is_settled), self.log()

    def remove(self) -> None:
        for node in (self.a, self.b):
            if node.process is not None and node.process.poll() is None:
                node.kill()
            subprocess.run(["ip", "netns", "delete", node.namespace], check=False, stderr=subprocess.DEVNULL)

    def log(self) -> str:
        return "\n".join("%s holds %s, noted %r\n%s" % (node.namespace, node.held(), node.noted(), (node.folder / "log").read_text())
                         for node in (self.a, self.b) if node.process is not None)
