# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether this machine can carry a lab; errors name what is missing and what to do about it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .system import LabError, run

TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nc": "netcat-openbsd",
    "apt-get": "apt",
}
# What nodes cannot load themselves. A kernel that has them built in, or none to load, is fine: what is really missing shows by itself.
_MODULES = ("overlay", "veth", "bridge", "nf_tables", "nf_conntrack", "nf_conntrack_netlink", "nf_nat")
# Seen on Debian 12: five in a node's systemd, one each in its dbus and logind.
_INOTIFY_PER_NODE = 7


def check_machine() -> None:
    """LabError unless this is root on a Linux machine that has every tool."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and containers: run it as root")
    check_tools(TOOLS, "molecule/shared/packages.txt")


def check_tools(tools: dict[str, str], listed: str) -> None:
    """LabError when one of these tools is missing, with the packages that have them."""
    missing = sorted({package for tool, package in tools.items() if shutil.which(tool) is None})
    if missing:
        raise LabError(f"the lab needs these Debian packages: apt-get install {' '.join(missing)} (all of them: {listed})")


def load_modules() -> None:
    """Load what the nodes need of the kernel, where it has modules: their sysctls must exist before the nodes set them."""
    if shutil.which("modprobe"):
        for module in _MODULES:
            run(["modprobe", "--quiet", module], check=False)


def check_room(nodes: int, proc: Path = Path("/proc")) -> None:
    """LabError when the kernel's limit of inotify instances, which all labs share, leaves no room for this many more nodes."""
    limit = int((proc / "sys/fs/inotify/max_user_instances").read_text())
    used = sum(_inotify_of(process) for process in proc.iterdir() if process.name.isdigit())
    if used + nodes * _INOTIFY_PER_NODE > limit:
        raise LabError(
            f"{nodes} nodes need {nodes * _INOTIFY_PER_NODE} inotify instances, {used} of this machine's {limit} are in use: "
            f"remove another lab, or allow more (sysctl fs.inotify.max_user_instances={max(1024, limit * 2)})"
        )


def _inotify_of(process: Path) -> int:
    try:
        if process.stat().st_uid != 0:
            return 0  # the limit is counted per user
        return sum(os.readlink(entry.path) == "anon_inode:inotify" for entry in os.scandir(process / "fd"))
    except OSError:
        return 0  # it ended meanwhile
