# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image: one unpacked Debian tree, built once, that is the read-only lower layer of every node's disk.

conntrackd, conntrack and keepalived are not installed: their packages wait in the image's own apt cache, so that a node is a fresh machine,
and what installs them on it needs no network.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from .system import LabError, lock, run, write

INSTALLED = [
    "systemd", "systemd-sysv", "dbus", "udev", "kmod", "openssh-server", "python3", "python3-apt", "sudo", "iproute2", "iputils-ping",
    "procps", "nftables", "tcpdump", "ethtool", "netbase", "ca-certificates",
]
# A virtual machine has a kernel of its own, and the daemons from the beginning: to install them inside would take minutes.
VIRTUAL = ["linux-image-cloud-amd64", "qemu-guest-agent", "conntrackd", "conntrack", "keepalived"]
OFFERED = ("conntrackd", "conntrack", "keepalived")
# Jobs of a long-lived machine; here they would only disturb a measurement.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer", "e2scrub_reap.service")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_APT_SETTINGS = re.compile(r"^Acquire::(http|https|ftp|socks|Check-|Retries|ForceIPv)", re.IGNORECASE)

_HOOKS = (
    # Nothing that was downloaded to make the tree may be on offer: only what is fetched next, with all that an installation would pull in.
    'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get clean',
    f'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get install -y --download-only -o APT::Install-Recommends=true {" ".join(OFFERED)}',
    'chroot "$1" systemctl enable systemd-networkd.service systemd-networkd-wait-online.service ssh.service',
    f'chroot "$1" systemctl mask {" ".join(MASKED)}',
)


def recipe(suite: str, installed: list[str]) -> str:
    """Short hash of all that decides what is in the image; a change of it makes a new image."""
    text = repr((suite, installed, OFFERED, MASKED, _HOOKS))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def sources(indextargets: str, own_suite: str, suite: str, signed_by: str = "") -> list[str]:
    """Lines for sources.list: where this machine gets its own suite (and that suite's updates and security) from, turned to the wanted suite.

    indextargets: lines of 'URI|release|component' as apt-get indextargets prints them.
    """
    option = f"[signed-by={signed_by}] " if signed_by else ""
    lines = []
    for line in indextargets.splitlines():
        uri, release, component = line.split("|")
        if component == "main" and release in (own_suite, f"{own_suite}-updates", f"{own_suite}-security"):
            lines.append(f"deb {option}{uri} {release.replace(own_suite, suite, 1)} main")
    return list(dict.fromkeys(lines))


def without_credentials(line: str) -> str:
    """The source line without a user and password in its URI; apt's list files are named without them too."""
    return re.sub(r"(\w+://)[^/@\s]*@", r"\1", line)


def _own_suite() -> str:
    words = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line)
    suite = words.get("VERSION_CODENAME", "").strip('"')
    if words.get("ID", "").strip('"') != "debian" or not suite:
        raise LabError("the image is made from this machine's own apt sources, which therefore must be Debian's")
    return suite


def _machine_sources(suite: str) -> list[str]:
    targets = run(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages"]).stdout
    trusted = any(Path("/etc/apt/trusted.gpg.d").glob("debian-archive-*"))
    found = sources(targets, _own_suite(), suite, "" if trusted or not _KEYRING.exists() else str(_KEYRING))
    if not found:
        raise LabError(f"this machine's apt sources name no mirror for Debian {_own_suite()} main: see /etc/apt/sources.list and sources.list.d")
    return found


def _machine_settings() -> list[str]:
    """How this machine's apt reaches its mirror: proxies and the like; they serve the build only and are not left in the image."""
    settings = [line for line in run(["apt-config", "dump"]).stdout.splitlines() if _APT_SETTINGS.match(line)]
    return [*settings, 'Dir::Etc::netrcparts "/etc/apt/auth.conf.d/";']


def _build(suite: str, installed: list[str], tree: Path, log: Path, lock_held: int) -> None:
    lines = _machine_sources(suite)
    with tempfile.TemporaryDirectory() as folder:
        # A file, not arguments: a proxy's password must not show in the list of processes.
        settings = Path(folder, "settings")
        write(settings, "\n".join(_machine_settings()) + "\n", 0o600)
        # In a mount namespace of its own: were the build killed, the machine's /dev would stay mounted in a tree that is going to be deleted.
        argv = ["unshare", "--mount", "--propagation", "private"]
        argv += ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", f"--include={','.join(installed)}", f"--aptopt={settings}"]
        argv += ["--skip=cleanup/apt", *(f"--customize-hook={hook}" for hook in _HOOKS), suite, str(tree), "-"]
        with log.open("w", encoding="utf-8") as output:
            # It holds the lock too: when this command is killed it works on, and nobody may touch the tree until it has ended.
            text = "\n".join(lines) + "\n"
            done = subprocess.run(argv, input=text, text=True, stdout=output, stderr=subprocess.STDOUT, check=False, pass_fds=[lock_held])
    if done.returncode != 0:
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise LabError(f"mmdebstrap ended with status {done.returncode}:\n{last}")
    _clean(tree, lines)


def _clean(tree: Path, lines: list[str]) -> None:
    """Take out what belongs to the machine that built the image, or must differ between nodes."""
    for pattern in ("etc/ssh/ssh_host_*", "etc/apt/apt.conf.d/*mmdebstrap", "etc/apt/sources.list.d/*", "etc/resolv.conf"):
        for path in tree.glob(pattern):
            path.unlink()
    write(tree / "etc/apt/sources.list", "\n".join(without_credentials(line) for line in lines) + "\n")
    write(tree / "etc/machine-id", "")
    write(tree / "etc/hostname", "node\n")


def ensure(folder: Path, suite: str, say: Callable[[str], None], virtual: bool = False, more: Sequence[str] = ()) -> Path:
    """The unpacked tree of the suite, built when no earlier build of this recipe is there. virtual: that of virtual machines. more: packages beside.

    Built under another name and renamed when complete, under a lock, so that two labs neither build at once nor see half a tree.
    """
    installed = [*INSTALLED, *(VIRTUAL if virtual else ()), *more]
    final = folder / f"{suite}-{recipe(suite, installed)}"
    if (final / "root").is_dir():
        return final / "root"
    with lock(folder / "lock", 1800) as held:
        if not (final / "root").is_dir():
            for stale in folder.glob("*.partial"):
                shutil.rmtree(stale)
            say(f"building the Debian {suite} image{' of virtual machines' if virtual else ''} (once, about two minutes) ...")
            partial = folder / f"{final.name}.partial"
            partial.mkdir(parents=True)
            _build(suite, installed, partial / "root", partial / "build.log", held)
            os.rename(partial, final)
    return final / "root"
