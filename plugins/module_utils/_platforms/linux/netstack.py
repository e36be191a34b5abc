# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network stack that keeps a node's devices: what each must be able to do for a LAGG, and which one keeps which device now."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

MANAGED = "Managed by hafirewall.cluster"
Commands = List[List[str]]
Links = Mapping[str, Dict[str, Any]]
Drift = List[Dict[str, Any]]


class File(NamedTuple):
    """Text and mode of a file as it shall be."""

    text: str
    mode: int = 0o644


class Change(NamedTuple):
    """Everything that makes one LAGG, and everything that brings back what was before.

    Attributes:
        files: path -> what it shall be, None for absent. The old ones are kept by the caller.
        run: commands that make the kernel follow, once the files are there.
        undo: commands that take away what :attr:`run` made, before the old files are back.
        back: commands that make the kernel follow the old files again.
        validation: what became of the judgement of the files: passed, or why there was none.
    """

    files: Dict[str, Optional[File]]
    run: Commands
    undo: Commands
    back: Commands
    validation: str


class Stack(ABC):
    """One network stack. It reads the node and renders; what it returns is carried out by the caller, under the guard."""

    def __init__(self, node: Node) -> None:
        self.node = node

    @abstractmethod
    def drift(self, lagg: Mapping[str, Any], links: Links) -> Drift:
        """How the files differ from a LAGG that the kernel has as wanted already."""

    @abstractmethod
    def plan(self, lagg: Mapping[str, Any], links: Links) -> Change:
        """What makes the LAGG, anew where it exists, with everything that its moves bring onto it.

        Raises:
            NodeError: something is configured in a way that cannot be carried over, or the stack itself refuses what was rendered.
        """

    @abstractmethod
    def states(self, device: str) -> str:
        """The text that configures a device at boot; empty when there is none."""


def keepers(node: Node) -> Dict[str, List[str]]:
    """Device -> the stacks that keep it now; a device that none keeps is not in it."""
    found: Dict[str, List[str]] = {}
    for name, ask in _ASK.items():
        for device in ask(node):
            found.setdefault(device, []).append(name)
    return found


def _networkd(node: Node) -> List[str]:
    return [row["Name"] for row in networkd_links(node) if row.get("NetworkFile") and row.get("AdministrativeState") != "unmanaged"]


def networkd_links(node: Node) -> List[Dict[str, Any]]:
    """What systemd-networkd says of each device; nothing where it is not installed or does not run."""
    if not node.has("networkctl"):
        return []
    answer = node.query(["networkctl", "--json=short", "list"], ok=None)
    try:
        rows = json.loads(answer.stdout or "{}")["Interfaces"] if answer.status == 0 else []
    except (ValueError, LookupError, TypeError):
        return []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("Name"), str)]


def _networkmanager(node: Node) -> List[str]:
    return [device for device, state, _connection in networkmanager_devices(node) if state in ("connected", "connecting", "activated", "activating")]


def networkmanager_devices(node: Node) -> List[Tuple[str, str, str]]:
    """Device, state and UUID of the connection, as NetworkManager says; nothing where it is not installed or does not run."""
    if not node.has("nmcli"):
        return []
    answer = node.query(["nmcli", "--terse", "--escape", "no", "--fields", "DEVICE,STATE,CON-UUID", "device", "status"], ok=None)
    rows = [line.split(":") for line in answer.stdout.splitlines()] if answer.status == 0 else []
    return [(row[0], row[1].split(" (")[0] if "externally" not in row[1] else "external", row[2]) for row in rows if len(row) == 3]


def ifupdown_up(node: Node) -> List[str]:
    """The devices that ifupdown has brought up; none where it is not installed."""
    if not node.has("ifquery"):
        return []
    return [line.partition("=")[0].strip() for line in node.query(["ifquery", "--state"], ok=None).stdout.splitlines() if "=" in line]


_ASK: Dict[str, Callable[[Node], List[str]]] = {"networkd": _networkd, "networkmanager": _networkmanager, "ifupdown": ifupdown_up}
NAMES = tuple(_ASK)


def hardware_address(lagg: Mapping[str, Any], links: Links) -> Optional[str]:
    """The address that the LAGG's networks know already: its own, or that of what moves onto it, or of its first member."""
    sources = [lagg["name"]] + [move["from_device"] for move in lagg["moves"][:1]] + [lagg["members"][0]]
    return next((links[device]["mac"] for device in sources if device in links and links[device]["mac"]), None)


def replaced(lagg: Mapping[str, Any], links: Links) -> List[str]:
    """LAGGs that are taken apart: the one of this name, and one that moves."""
    names = [lagg["name"]] + [move["from_device"] for move in lagg["moves"] if move["vlan"] is None]
    return [name for name in dict.fromkeys(names) if name in links and links[name]["lagg"] is not None]
