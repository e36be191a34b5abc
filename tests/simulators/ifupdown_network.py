# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of ifupdown upon :class:`LinuxNetwork`, with the manners of version 0.8.

It remembers what it has brought up and does not do so twice; what it takes down is told by the file that it is given, and what it does not know is an error.
What a VLAN lies on is brought up before only where the VLAN's name says so; one with a name of its own (package vlan) must find it there.
"""

from __future__ import annotations

import fnmatch
import shlex
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.linux_network import LinuxNetwork
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode

MAIN = "/etc/network/interfaces"
FOLDER = "/etc/network/interfaces.d/"


class Stanza(NamedTuple):
    """One ``iface``: method and options, in order."""

    method: str
    options: List[Tuple[str, str]]

    def all(self, name: str) -> List[str]:
        return [value for key, value in self.options if key == name]


class IfupdownNetwork(LinuxNetwork):
    """See the module.

    Attributes:
        brought_up: devices that it has brought up.
    """

    def __init__(self, node: SystemdNode, ports: List[str]) -> None:
        super().__init__(node, ports)
        self.brought_up: List[str] = []
        node.files[MAIN] = SimulatedFile("source interfaces.d/*\n")
        node.on(["ifquery", "--state"], lambda argv, stdin: Completed(0, "".join("%s=%s\n" % (name, name) for name in self.brought_up), ""))
        node.on(["sh", "-c"], self._find)
        node.on(["ifup"], self._ifup)
        node.on(["ifup", "--no-act"], self._judge)
        node.on(["ifdown"], self._ifdown)

    def configure(self, name: str, addresses: Sequence[str] = (), gateway: Optional[str] = None, vlan: Optional[Tuple[str, int]] = None) -> None:
        lines = ["auto " + name]
        for at, address in enumerate(addresses):
            lines += ["iface %s %s static" % (name, "inet6" if ":" in address else "inet"), "    address " + address]
            lines += ["    gateway " + gateway] if gateway and at == 0 else []
            lines += ["    vlan-raw-device " + vlan[0], "    vlan-id %d" % vlan[1]] if vlan else []
        self.node.files[FOLDER + name.replace(".", "-")] = SimulatedFile("\n".join(lines) + "\n")

    def boot(self) -> None:
        self.brought_up = []
        text = self._text(MAIN)
        assert self._ifup(["ifup", *(word for line in text.splitlines() if line.startswith("auto ") for word in line.split()[1:])], None).status == 0

    def own_files(self) -> List[str]:
        return [path for path, file in self.node.files.items() if path.startswith("/etc/network/") and "hafirewall" in file.text]

    # Files

    def _find(self, argv: List[str], stdin: Optional[str]) -> Completed:
        return Completed(0, "".join("%s\n" % path for path in self._matching(argv[5])), "")

    def _matching(self, pattern: str) -> List[str]:
        return sorted(path for path in self.node.files if fnmatch.fnmatch(path, pattern if pattern.startswith("/") else "/etc/network/" + pattern))

    def _text(self, path: str) -> str:
        lines = []
        for line in self.node.text(path).splitlines():
            lines += [self._text(one) for one in self._matching(line.split()[1])] if line.startswith("source ") else [line]
        return "\n".join(lines) + "\n"

    def _stanzas(self, text: str) -> Dict[str, List[Stanza]]:
        found: Dict[str, List[Stanza]] = {}
        current: Optional[Stanza] = None
        for line in text.splitlines():
            words = line.split()
            if words[:1] == ["iface"]:
                current = Stanza(words[3], [])
                found.setdefault(words[1], []).append(current)
            elif words and line[0] in " \t" and not words[0].startswith("#"):
                assert current is not None, line
                current.options.append((words[0], " ".join(words[1:])))
        return found

    # Devices

    def _judge(self, argv: List[str], stdin: Optional[str]) -> Completed:
        known = self._stanzas(stdin or "")
        for name in argv[4:]:
            if name not in known:
                return Completed(1, "", "Unknown interface " + name)
            if any(stanza.method == "static" and not stanza.all("address") for stanza in known[name]):
                return Completed(1, "", "Missing required variable: address")
        return Completed(0, "", "")

    def _ifup(self, argv: List[str], stdin: Optional[str]) -> Completed:
        known = self._stanzas(self._text(MAIN))
        for name in argv[1:]:
            if name not in known:
                return Completed(1, "", "Unknown interface " + name)
            if name not in self.brought_up and not self._bring_up(name, known[name]):
                return Completed(1, "", "ifup: failed to bring up " + name)
        return Completed(0, "", "")

    def _bring_up(self, name: str, stanzas: List[Stanza]) -> bool:
        for stanza in stanzas:
            for command in stanza.all("pre-up"):
                if self.run(shlex.split(command)).status != 0:
                    return False
            parent, _dot, tag = name.rpartition(".")
            if name not in self.links and parent and parent not in self.links:
                self._ifup(["ifup", parent], None)
            parent, tag = (stanza.all("vlan-raw-device") or [parent])[0], (stanza.all("vlan-id") or [tag])[0]
            if name not in self.links and tag and parent in self.links:
                self._make(name, self.links[parent]["address"], "vlan", link=parent, data={"id": int(tag)})
            if name not in self.links:
                return False
        self._networks(name, [value for stanza in stanzas for value in stanza.all("address")], [value for stanza in stanzas for value in stanza.all("gateway")])
        self.brought_up.append(name)
        return True

    def _ifdown(self, argv: List[str], stdin: Optional[str]) -> Completed:
        files = [word.partition("=")[2] for word in argv if word.startswith("--interfaces=")]
        known = self._stanzas(self._text(files[0] if files else MAIN))
        for name in [word for word in argv[1:] if not word.startswith("--")]:
            if name not in known:
                return Completed(1, "", "Unknown interface " + name)
            self.brought_up = [one for one in self.brought_up if one != name]
            if name in self.links:
                self._networks(name, [], [])
                for command in [value for stanza in known[name] for value in stanza.all("post-down")]:
                    self.run(shlex.split(command))
            if name in self.links and self.links[name]["linkinfo"].get("info_kind") == "vlan":
                self._delete(name)
        return Completed(0, "", "")
