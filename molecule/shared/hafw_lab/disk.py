# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is on a node's disk before its first boot: text of files by path. Pure but for write_disk.

A firewall is somebody's firewall already: it forwards, filters strictly and translates, and knows nothing of a cluster.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from . import topology
from .system import write

# What a virtual machine's devices are called once they are LAGGs: its owner has prepared the rules for the move.
LAGGS = {"lan": "bond1", "wan": "bond2"}


def ruleset(node: topology.Node) -> str:
    """A firewall's own nftables.conf."""
    devices = {segment: _one_of([names[0], *([LAGGS[segment]] if node.virtual else [])]) for segment, names in node.devices().items() if segment in LAGGS}
    lan, wan = devices["lan"], devices["wan"]
    return f"""\
#!/usr/sbin/nft -f
flush ruleset

table inet filter {{
    chain input {{
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        ct state invalid drop
        ct state established,related accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
        iifname "{node.ports[0].device}" tcp dport 22 accept
    }}

    chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state invalid counter drop
        ct state established,related counter accept
        # Only a SYN may create TCP state: a connection whose state did not travel is lost.
        iifname {lan} oifname {wan} tcp flags & (fin | syn | rst | ack) == syn ct state new counter accept
        iifname {lan} oifname {wan} meta l4proto {{ udp, icmp, ipv6-icmp }} ct state new counter accept
    }}

    chain output {{
        type filter hook output priority filter; policy drop;
        oifname "lo" accept
        ct state established,related accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
    }}
}}

table inet nat {{
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {topology.LAN4} oifname {wan} snat ip to {topology.WAN_VIP4}
    }}
}}
"""


def _one_of(names: list[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return quoted[0] if len(quoted) == 1 else f"{{ {', '.join(quoted)} }}"


_EVERY_NODE_SYSCTL = """\
net.ipv4.conf.all.rp_filter = 0
net.ipv4.conf.default.rp_filter = 0
net.ipv4.conf.all.arp_ignore = 1
net.ipv4.conf.all.arp_announce = 2
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
net.ipv4.conf.all.accept_redirects = 0
net.ipv6.conf.all.accept_ra = 0
net.ipv6.conf.default.accept_ra = 0
"""

FIREWALL_SYSCTL = (
    _EVERY_NODE_SYSCTL
    + """\
net.ipv4.ip_forward = 1
net.ipv6.conf.all.forwarding = 1
# A packet in the middle of an unknown connection creates no state.
net.netfilter.nf_conntrack_tcp_loose = 0
# Short, so that a test sees within a minute whether quiet states stay alive on the standby.
net.netfilter.nf_conntrack_udp_timeout = 10
net.netfilter.nf_conntrack_udp_timeout_stream = 10
"""
)

PROBE_SYSCTL = (
    _EVERY_NODE_SYSCTL
    + """\
net.ipv4.ip_forward = 0
# Tens of thousands of connections between two addresses.
net.ipv4.ip_local_port_range = 1024 65535
net.core.somaxconn = 65535
net.ipv4.tcp_max_syn_backlog = 65535
net.ipv4.tcp_tw_reuse = 1
"""
)

_NETWORKD = """\
# Addresses and routes that others add (keepalived, a person) are theirs.
[Network]
ManageForeignRoutes=no
ManageForeignRoutingPolicyRules=no
"""

_LIMITS = """\
[Manager]
DefaultLimitNOFILE=20000:20000
DefaultTimeoutStopSec=20s
"""

# As with Debian's classic networking.service: what needs the network finds its addresses there.
_WAIT_ONLINE = """\
[Unit]
Before=network.target conntrackd.service keepalived.service

[Service]
ExecStart=
ExecStart=/lib/systemd/systemd-networkd-wait-online --timeout=%d

[Install]
WantedBy=multi-user.target
"""


def network_file(node: topology.Node, device: str, addresses: tuple[str, ...], vlan: topology.Vlan | None = None) -> str:
    """systemd-networkd's file for one device. A pulled cable changes no address, and a boot does not wait for the cable. vlan: the one upon it."""
    lines = [
        "[Match]",
        f"Name={device}",
        "",
        "[Link]",
        "RequiredForOnline=no-carrier",
        "",
        "[Network]",
        "DHCP=no",
        "IPv6AcceptRA=no",
        "LLDP=no",
        "LinkLocalAddressing=ipv6",
        "IPv6DuplicateAddressDetection=0",
        "ConfigureWithoutCarrier=yes",
        "IgnoreCarrierLoss=yes",
        "KeepConfiguration=yes",
        *([f"VLAN={vlan.device}"] if vlan else []),
    ]
    for address in addresses:
        lines += ["", "[Address]", f"Address={address}", "DuplicateAddressDetection=none"]
    for via, destination, gateway in node.routes:
        if via == device:
            lines += ["", "[Route]", f"Destination={destination}", f"Gateway={gateway}", "GatewayOnLink=yes"]
    return "\n".join(lines) + "\n"


def network_files(node: topology.Node) -> dict[str, str]:
    """All that systemd-networkd and udev are told, by path. A port that has no address is not used yet, and nothing is said of it but its name."""
    found = {}
    for port in node.ports:
        if node.virtual:
            found[f"{port.device}.link"] = f"[Match]\nPermanentMACAddress={node.mac(port.device)}\n\n[Link]\nName={port.device}\n"
        if port.addresses:
            found[f"{port.device}.network"] = network_file(node, port.device, port.addresses, port.vlan)
        if port.vlan is not None:
            found[f"{port.vlan.device}.netdev"] = f"[NetDev]\nName={port.vlan.device}\nKind=vlan\n\n[VLAN]\nId={port.vlan.tag}\n"
            found[f"{port.vlan.device}.network"] = network_file(node, port.vlan.device, port.vlan.addresses)
    return {f"etc/systemd/network/10-{name}": text for name, text in found.items()}


def files(lab: str, node: topology.Node, members: tuple[topology.Node, ...]) -> dict[str, str]:
    """All files of the node's disk that differ from the image: {path relative to the root: text}."""
    hosts = ["127.0.0.1 localhost", "::1 localhost", *(f"{member.management} {member.name}" for member in members)]
    wanted = {
        "etc/hostname": f"{node.name}\n",
        "etc/hosts": "\n".join(hosts) + "\n",
        # Stays the same over reboots, as a machine's does.
        "etc/machine-id": hashlib.md5(topology.namespace(lab, node.name).encode(), usedforsecurity=False).hexdigest() + "\n",
        "etc/sysctl.d/50-lab.conf": FIREWALL_SYSCTL if node.firewall else PROBE_SYSCTL,
        "etc/systemd/networkd.conf.d/lab.conf": _NETWORKD,
        "etc/systemd/system.conf.d/lab.conf": _LIMITS,
        "etc/systemd/system/systemd-networkd-wait-online.service.d/lab.conf": _WAIT_ONLINE % (120 if node.virtual else 20),
        "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitIntervalSec=0\n",
        # What systemd allows a service, for ssh sessions too; pam_limits would set them back.
        "etc/security/limits.d/lab.conf": "root - nofile 20000\n* - nofile 20000\n",
        # Nodes are installed on all the time; their disks need not survive the machine's power loss.
        "etc/dpkg/dpkg.cfg.d/lab": "force-unsafe-io\n",
        "etc/ssh/sshd_config.d/lab.conf": "MaxStartups 200\nMaxSessions 200\nUseDNS no\n",
    }
    wanted |= network_files(node)
    if node.firewall:
        wanted["etc/nftables.conf"] = ruleset(node)
    if node.virtual:
        # Its own kernel knows the sysctls of connection tracking only with the module.
        wanted["etc/modules-load.d/lab.conf"] = "nf_conntrack\n"
        # It tells the journal of every question that it is asked.
        wanted["etc/systemd/system/qemu-guest-agent.service.d/lab.conf"] = "[Service]\nLogLevelMax=notice\n"
    return wanted


LINKS = {"etc/systemd/system/multi-user.target.wants/systemd-networkd-wait-online.service": "/lib/systemd/system/systemd-networkd-wait-online.service"}
FIREWALL_LINKS = {"etc/systemd/system/sysinit.target.wants/nftables.service": "/lib/systemd/system/nftables.service"}


def write_disk(upper: Path, lab: str, node: topology.Node, members: tuple[topology.Node, ...], authorized_key: str, host_keys: list[Path]) -> None:
    """Write the node's layer. authorized_key: public key of the lab; host_keys: its ssh server's key pair."""
    for name, text in files(lab, node, members).items():
        write(upper / name, text, 0o755 if name == "etc/nftables.conf" else 0o644)
    for name, target in (LINKS | (FIREWALL_LINKS if node.firewall else {})).items():
        (upper / name).parent.mkdir(parents=True, exist_ok=True)
        (upper / name).symlink_to(target)
    write(upper / "root/.ssh/authorized_keys", authorized_key, 0o600)
    for folder in ("root", "root/.ssh"):
        (upper / folder).chmod(0o700)
    for key in host_keys:
        write(upper / "etc/ssh" / key.name, key.read_text(encoding="utf-8"), 0o644 if key.suffix == ".pub" else 0o600)
