# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab of two firewalls for the benchmarks, and what a playbook run on it costs."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import ROOT

SHARED = ROOT / "molecule" / "shared"
sys.path.insert(0, str(SHARED))
from hafw_lab import cgroup  # noqa: E402

NAME = "bench"
NODES = ("fw1", "fw2")


@dataclass(frozen=True)
class Cost:
    """Of one run: module executions and CPU seconds on a node (the mean of the nodes), CPU seconds of the controller for each node, seconds by the clock."""

    modules: float
    node_cpu: float
    controller_cpu: float
    seconds: float


@contextmanager
def lab() -> Iterator[None]:
    """Two fresh firewalls, a client and a server; removed afterwards."""
    command = [sys.executable, str(SHARED / "lab.py")]
    try:
        subprocess.run([*command, "up", "--name", NAME], check=True)
        yield
    finally:
        subprocess.run([*command, "down", "--name", NAME], check=True)


def play(playbook: str, *arguments: str) -> Cost:
    """Run a playbook on the lab as a person would; its own output goes to build/bench/output.txt."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as record:
        environment = {**os.environ, "HAFW_RECORD": record.name, "ANSIBLE_CALLBACKS_ENABLED": "recorder"}
        command = ["ansible-playbook", "-i", str(ROOT / "build" / NAME / "inventory.yml"), playbook, *arguments]
        before, start = _used(), time.monotonic()
        with (ROOT / "build" / NAME / "output.txt").open("a", encoding="utf-8") as output:
            subprocess.run(command, env=environment, stdout=output, stderr=output, check=True)
        seconds, after = time.monotonic() - start, _used()
        executed = Counter(event["host"] for event in map(json.loads, record) if event["event"] == "module")
    count = len(NODES)
    return Cost(sum(executed[node] for node in NODES) / count, sum(after[node] - before[node] for node in NODES) / count,
                (after["controller"] - before["controller"]) / count, seconds)


def _used() -> dict[str, float]:
    """CPU seconds so far: of each node, and of the programs that ran here and have ended."""
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"controller": ours.ru_utime + ours.ru_stime, **{node: _node_cpu(f"hafw-{NAME}-{node}") for node in NODES}}


def _node_cpu(group: str) -> float:
    for root in cgroup.roots():
        account, statistics = root / group / "cpuacct.usage", root / group / "cpu.stat"  # version 1, version 2
        if account.exists():
            return int(account.read_text()) / 1e9
        if statistics.exists() and "usage_usec" in (text := statistics.read_text()):
            return int(text.split("usage_usec ", 1)[1].split()[0]) / 1e6
    raise SystemExit("no control group tells how much CPU time a node has used: mount cgroup2 or cpuacct")
