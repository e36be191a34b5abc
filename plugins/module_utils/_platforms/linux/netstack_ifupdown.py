# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs with ifupdown.

The stanzas of a device become those of the LAGG: they keep everything and get a new name, and the LAGG's first stanza gets the commands that make it
before it is brought up and remove it afterwards. Nothing but ip(8) is needed for that. A member has no stanza of its own.
"""

from __future__ import annotations

import posixpath
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.ifupdown_files import Edit, edited, flattened, managed, of_device, stanzas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_guard import LIBRARY, gone
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_links import HASHES, PROTOCOLS
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_state import settings
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack import (
    Change,
    Drift,
    File,
    Links,
    Stack,
    hardware_address,
    ifupdown_up,
    replaced,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

MAIN = "/etc/network/interfaces"
_MODES = {word: mode for mode, word in PROTOCOLS.items()}
_POLICIES = {word: policy for policy, word in HASHES.items()}

# $1: source or source-directory, $2: its pattern. interfaces(5): names of letters, digits, underscores and dashes count in a directory.
_FIND = """for path in $2; do
    [ "$1" = source ] && [ -f "$path" ] && echo "$path"
    [ "$1" != source ] && [ -d "$path" ] && find "$path" -maxdepth 1 -type f -regextype posix-extended -regex '.*/[A-Za-z0-9_-]+' | sort
done
true"""

Lagg = Mapping[str, Any]


class Ifupdown(Stack):
    """See the module."""

    def drift(self, lagg: Lagg, links: Links) -> Drift:
        lines = self._lines(self._texts())
        now, wanted = managed(lines, lagg["name"]), _commands(lagg, links)
        if now == wanted or (now is None and of_device(lines, lagg["name"])):
            return []  # as rendered, or somebody else's, and as wanted
        return [{"setting": lagg["name"] + " at boot", "is": "absent" if now is None else "different", "wanted": "as rendered"}]

    def plan(self, lagg: Lagg, links: Links) -> Change:
        name, texts = lagg["name"], self._texts()
        old = self._lines(texts)
        new_texts = self._edited(lagg, links, texts)
        up = ifupdown_up(self.node)
        sources = [move["from_device"] for move in reversed(lagg["moves"])] + [vlan["name"] for vlan in reversed(lagg["vlans"])] + [name, *lagg["members"]]
        down = [device for device in dict.fromkeys(sources) if device in up]
        made = [name] + [vlan["name"] for vlan in lagg["vlans"]]
        before = "%s/%s/interfaces" % (LIBRARY, name)
        files: Dict[str, Optional[File]] = {before: File("\n".join(old) + "\n", 0o600)}
        files.update({path: File(text) for path, text in new_texts.items() if text != texts[path]})
        run = ([["ifdown", "--interfaces=" + before, *down]] if down else []) + [["ifup", *made]]
        undo = [["ifdown", "--force", *reversed(made)]] + [gone(device) for device in reversed(made)]
        back = [["ifup", *reversed(down)]] if down else []
        return Change(files, run, undo, back, self._judge(self._lines(new_texts), made))

    def states(self, device: str) -> str:
        return of_device(self._lines(self._texts()), device)

    def _edited(self, lagg: Lagg, links: Links, texts: Dict[str, str]) -> Dict[str, str]:
        renamed = {move["from_device"]: move["to_device"] for move in lagg["moves"] if move["from_device"] != move["to_device"]}
        taken = [device for device in replaced(lagg, links) if device != lagg["name"] and device not in renamed]
        for text in texts.values():
            mapped = next((stanza for stanza in stanzas(text) if stanza.words[:1] == ["mapping"]), None)
            if mapped is not None:
                raise NodeError("%s has '%s', and what a mapping leads to cannot be carried over; write it without" % (MAIN, " ".join(mapped.words)))
        if not any(stanza.device in (lagg["name"], *(old for old, new in renamed.items() if new == lagg["name"]))
                   for text in texts.values() for stanza in stanzas(text)):
            texts = dict(texts, **{MAIN: "%s\nauto %s\niface %s inet manual\n" % (texts[MAIN].rstrip("\n"), lagg["name"], lagg["name"])})
        dropped = [member for member in lagg["members"] if member not in renamed] + taken
        # Of a VLAN with a name of its own only the parent is renamed. Unlike a port the parent is not there before ifupdown has made it, so it must come first.
        own = [vlan["name"] for vlan in lagg["vlans"] if not vlan["name"].startswith(lagg["name"] + ".")]
        body = dict({name: ["    pre-up ifup " + lagg["name"]] for name in own}, **{lagg["name"]: _commands(lagg, links)})
        return edited(texts, Edit(renamed, dropped, body,
                                  {lagg["name"]: ["mtu"]} if lagg["mtu"] is not None else {}))

    def _judge(self, lines: List[str], devices: List[str]) -> str:
        done = self.node.query(["ifup", "--no-act", "--force", "--interfaces=/dev/stdin", *devices], stdin="\n".join(lines) + "\n", ok=None)
        if done.status != 0:
            raise NodeError("ifupdown refuses the configuration (status %d): %s; nothing was changed" % (done.status, (done.stderr or done.stdout).strip()))
        return "passed"

    def _texts(self) -> Dict[str, str]:
        """The configuration by file."""
        found: Dict[str, str] = {}

        def read(path: str) -> str:
            found[path] = self.node.read_text(path) or ""
            return found[path]

        list(flattened(MAIN, read, self._included))
        return found

    def _lines(self, texts: Mapping[str, str]) -> List[str]:
        return list(flattened(MAIN, lambda path: texts[path], self._included))

    def _included(self, kind: str, pattern: str) -> List[str]:
        absolute = pattern if pattern.startswith("/") else posixpath.join(posixpath.dirname(MAIN), pattern)
        return self.node.query(["sh", "-c", _FIND, "sh", kind, absolute]).stdout.split("\n")[:-1]


def _commands(lagg: Lagg, links: Links) -> List[str]:
    """What makes the LAGG before its stanza is brought up, and what removes it."""
    name, values = lagg["name"], settings(lagg, links)
    words = ["mode " + _MODES[lagg["protocol"]], "miimon 100"]
    words += ["xmit_hash_policy " + str(_POLICIES.get(values["hash"], values["hash"]))] if "hash" in values else []
    words += ["lacp_rate %s" % values["lacp_rate"], "min_links %s" % values["min_links"]] if "lacp_rate" in values else []
    mac = hardware_address(lagg, links)
    lines = ["ip link add name %s%s type bond %s" % (name, " address " + mac if mac else "", " ".join(words))]
    for member in lagg["members"]:
        lines += ["ip link set dev %s down" % member, "ip link set dev %s master %s" % (member, name)]
    lines += ["ip link set dev %s mtu %d" % (name, lagg["mtu"])] if lagg["mtu"] is not None else []
    lines += ["ip link set dev %s type bond primary %s" % (name, values["primary"])] if "primary" in values else []
    return ["    pre-up " + line for line in lines] + ["    post-down ip link delete dev " + name]
