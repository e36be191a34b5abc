# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's promises, kept by real nodes: a death that is real, a disk that survives it, and no trace left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from lab_command import LabCommand

# From the power-off to the last reply: the kernel takes the cables away in one request, measured 0.01 s; the rest is room for a busy machine.
SILENCE_SECONDS = 0.5
MARKS = {
    "rule": ("nft add table inet unpersisted", "nft list table inet unpersisted"),
    "address": ("ip address add 192.0.2.77/24 dev lan0", "ip -o address show | grep -F 192.0.2.77"),
    "state": ("conntrack -I -p udp -s 192.0.2.77 -d 203.0.113.77 --sport 7 --dport 9 -t 600", "conntrack -L -s 192.0.2.77 | grep -F 192.0.2.77"),
    "sysctl": ("sysctl -w net.ipv4.conf.lan0.log_martians=1", "sysctl -n net.ipv4.conf.lan0.log_martians | grep -x 1"),
    "file": ("touch /root/on-disk", "ls /root/on-disk"),
}


def _ssh(lab: LabCommand, node: str, line: str) -> str:
    argv = ["ssh", "-F", str(lab.folder / "ssh_config"), node, line]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True).stdout


def _there(lab: LabCommand) -> dict[str, bool]:
    """Which of the marks fw1 has."""
    return {name: lab.run("shell", "fw1", "--", look, check=False).returncode == 0 for name, (_make, look) in MARKS.items()}


def _until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


@contextmanager
def _begun(lab: LabCommand) -> Iterator[subprocess.Popen[str]]:
    """The command that starts the lab, with the first process of its nodes running; AssertionError with what it said when it ended before that."""
    with subprocess.Popen(lab.argv("up", "--nodes", "1"), stderr=subprocess.PIPE, text=True) as up:
        _until(lambda: up.poll() is not None or _processes(lab) > 0, "nodes are starting")
        assert up.poll() is None, up.communicate()[1]
        yield up


def _state(lab: LabCommand, node: str) -> str | None:
    return next(row["state"] for row in lab.told("status")["nodes"] if row["node"] == node)


def _processes(lab: LabCommand) -> int:
    return sum(trace.startswith("process") for trace in lab.traces())


def _lose_power(lab: LabCommand) -> None:
    assert lab.told("power-off", "fw1")["was_on"] is True
    assert lab.told("power-on", "fw1")["was_on"] is False


def _reboot_by_the_lab(lab: LabCommand) -> None:
    assert lab.told("reboot", "fw1")["state"] == "running"


def _reboot_from_within(lab: LabCommand) -> None:
    before = lab.on("fw1", "cat /proc/sys/kernel/random/boot_id")
    lab.run("shell", "fw1", "--", "systemctl reboot", check=False)

    def back() -> bool:
        now = lab.run("shell", "fw1", "--", "cat /proc/sys/kernel/random/boot_id", check=False)
        return now.returncode == 0 and now.stdout != before and _state(lab, "fw1") == "running"

    _until(back, "fw1 has restarted")


def test_a_fresh_node_is_a_strict_firewall_without_engine(lab: LabCommand) -> None:
    assert _state(lab, "fw1") == "running"
    assert lab.on("fw1", "dpkg-query -W -f '${Package} ' || true").split().count("nftables") == 1
    assert lab.run("shell", "fw1", "--", "command -v conntrackd conntrack keepalived", check=False).returncode != 0
    ruleset = lab.on("fw1", "nft list ruleset")
    assert len(re.findall(r"hook (?:input|forward|output) priority filter; policy drop;", ruleset)) == 3
    keys = ("net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_udp_timeout_stream", "net.netfilter.nf_conntrack_tcp_loose")
    assert lab.on("fw1", f"sysctl -n {' '.join(keys)} net.ipv4.ip_forward net.ipv6.conf.all.forwarding").split() == ["10", "10", "0", "1", "1"]
    assert _ssh(lab, "client", "ulimit -n").strip() == "20000"


def test_packages_install_without_a_network(lab: LabCommand) -> None:
    lab.on("fw1", "DEBIAN_FRONTEND=noninteractive apt-get install --yes conntrackd conntrack keepalived")
    assert lab.on("fw1", "conntrack --version").startswith("conntrack v")


def test_an_address_that_another_program_added_stays_when_networkd_acts(lab: LabCommand) -> None:
    lab.on("fw1", "ip address add 192.0.2.88/24 dev lan0 && systemctl restart systemd-networkd && networkctl reload && networkctl reconfigure lan0")
    assert "192.0.2.88" in lab.on("fw1", "systemctl restart systemd-networkd-wait-online && ip -o -4 address show dev lan0")
    lab.on("fw1", "ip address del 192.0.2.88/24 dev lan0")


@pytest.mark.parametrize("again", [_lose_power, _reboot_by_the_lab, _reboot_from_within])
def test_only_the_disk_survives(lab: LabCommand, again: Callable[[LabCommand], None]) -> None:
    lab.on("fw1", "command -v conntrack || DEBIAN_FRONTEND=noninteractive apt-get install --yes conntrack")
    for make, _look in MARKS.values():
        lab.on("fw1", make)
    assert _there(lab) == dict.fromkeys(MARKS, True)
    again(lab)
    assert _there(lab) == {**dict.fromkeys(MARKS, False), "file": True}
    # It is the firewall that it was, with its own addresses, in its new namespace.
    assert "192.0.2.2/24" in lab.on("fw1", "ip -o -4 address show dev lan0")
    assert "policy drop" in lab.on("fw1", "nft list chain inet filter forward")


def test_a_node_that_is_installed_anew_keeps_its_name_and_address_and_nothing_else(lab: LabCommand) -> None:
    lab.on("fw1", "touch /root/mark")
    key = lab.on("fw1", "cat /etc/ssh/ssh_host_ed25519_key.pub")
    assert lab.told("reinstall", "fw1", "--suite", "bookworm")["state"] == "running"
    assert lab.run("shell", "fw1", "--", "ls /root/mark", check=False).returncode != 0
    assert (lab.on("fw1", "cat /etc/ssh/ssh_host_ed25519_key.pub"), "192.0.2.2/24" in lab.on("fw1", "ip -o -4 address show dev lan0")) == (key, True)
    _lose_power(lab)
    assert lab.run("shell", "fw1", "--", "ls /root/mark", check=False).returncode != 0


def test_power_loss_silences_the_node_at_once(lab: LabCommand) -> None:
    argv = ["ssh", "-F", str(lab.folder / "ssh_config"), "client", "ping -D -i 0.01 -c 300 -W 1 192.0.2.2"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as ping:
        assert ping.stdout is not None
        heard = [ping.stdout.readline() for _reply in range(20)]  # replies flow
        off = lab.told("power-off", "fw1")
        heard += ping.stdout.readlines()
    replies = [float(line[1:].split("]")[0]) for line in heard if "bytes from" in line]
    assert len(replies) < 300
    assert replies[-1] - off["at"] < SILENCE_SECONDS
    assert [trace for trace in lab.traces() if f"hafw-{lab.name}-fw1" in trace] == []
    done = lab.run("shell", "fw1", "--", "true", check=False)
    assert (done.returncode, "fw1 is off" in done.stderr) == (255, True)
    lab.told("power-on", "fw1")


def test_a_node_that_was_shut_down_from_within_has_no_namespace(lab: LabCommand) -> None:
    lab.run("shell", "client", "--", "systemctl poweroff", check=False)
    _until(lambda: f"namespace hafw-{lab.name}-client" not in lab.traces(), "the namespace is gone")
    lab.run("up")  # starts what is off
    assert _state(lab, "client") == "running"


def test_a_pulled_cable_takes_the_carrier_and_leaves_the_addresses(lab: LabCommand) -> None:
    assert lab.told("link", "fw1", "lan0,wan0", "down")["links"] == {"mgmt0": True, "lan0": False, "wan0": False, "sync0": True}
    _until(lambda: lab.on("fw1", "cat /sys/class/net/lan0/carrier").strip() == "0", "no carrier")
    assert "192.0.2.2/24" in lab.on("fw1", "ip -o -4 address show dev lan0")
    lab.told("link", "fw1", "lan0,wan0", "up")
    _until(lambda: "bytes from" in lab.run("shell", "client", "--", "ping -c1 -W1 192.0.2.2", check=False).stdout, "fw1 answers again")


def test_a_stranger_answers_on_the_sync_segment(lab: LabCommand) -> None:
    stranger = lab.told("stranger", "up")
    assert stranger["mac"] in lab.on("fw1", "ping -c1 -W2 198.51.100.140 > /dev/null; ip neigh show 198.51.100.140")
    lab.told("stranger", "down")
    assert lab.run("shell", "fw1", "--", "ip neigh flush dev sync0; ping -c1 -W1 198.51.100.140", check=False).returncode == 1


def test_the_shell_passes_on_status_and_words(lab: LabCommand) -> None:
    assert lab.run("shell", "fw1", "--", "exit 7", check=False).returncode == 7
    assert lab.run("shell", "fw1", "--", "printf", "%s|", "two words", "$HOME").stdout == "two words|$HOME|"
    lab.on("fw1", "systemctl stop ssh.service")
    assert lab.on("fw1", "hostname").strip() == "fw1"  # ssh is dead, the shell is not
    lab.on("fw1", "systemctl start ssh.service")


def test_two_labs_do_not_meet_and_down_finds_all_after_a_kill(lab: LabCommand, short_lab: LabCommand) -> None:
    with _begun(short_lab) as up:
        os.kill(up.pid, signal.SIGKILL)
    short_lab.run("down")
    assert short_lab.traces() == []
    assert [row["state"] for row in lab.told("status")["nodes"]] == ["running"] * 3


def test_a_start_that_is_interrupted_cleans_up(short_lab: LabCommand) -> None:
    with _begun(short_lab) as up:
        os.kill(up.pid, signal.SIGTERM)
        assert up.wait(timeout=60) == 130
    assert short_lab.traces() == []
    assert not short_lab.folder.exists()
