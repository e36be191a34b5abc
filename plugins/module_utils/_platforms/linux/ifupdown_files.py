# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The language of interfaces(5): stanzas in files that include each other. Pure; what is not about the devices in question stays as it is."""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

BEGIN, END = "    # hafirewall.cluster: begin", "    # hafirewall.cluster: end"
_STARTS = ("iface", "auto", "mapping", "source", "source-directory", "source-dir", "no-auto-down", "no-scripts", "rename", "template")


class Stanza(NamedTuple):
    """A line that begins something, with its words, and the lines that belong to it. The words are empty for what stands before the first one."""

    words: List[str]
    lines: List[str]

    @property
    def device(self) -> Optional[str]:
        """The device of an ``iface`` stanza."""
        return self.words[1] if len(self.words) > 1 and self.words[0] == "iface" else None


class Edit(NamedTuple):
    """What becomes of the devices.

    Attributes:
        renamed: device -> its new name.
        dropped: devices that are configured no more.
        body: lines that the first stanza of a device gets, by its new name; what an earlier edit gave it goes.
        without: options that the stanzas of a device lose, by its new name.
    """

    renamed: Mapping[str, str]
    dropped: Sequence[str]
    body: Mapping[str, Sequence[str]]
    without: Mapping[str, Sequence[str]]


def stanzas(text: str) -> List[Stanza]:
    """All of a text, in order; comments and empty lines belong to what stands before them."""
    found = [Stanza([], [])]
    for line in re.sub(r"\\\n", " ", text).splitlines():
        words = line.split()
        if words and (words[0] in _STARTS or words[0].startswith("allow-")):
            found.append(Stanza(words, [line]))
        else:
            found[-1].lines.append(line)
    return found


def flattened(path: str, read: Callable[[str], str], included: Callable[[str, str], List[str]]) -> Iterator[str]:
    """The lines of a file with those of the files that it includes in their place.

    Args:
        read: the text of a file.
        included: the files that ``source`` or ``source-directory`` (the first argument) finds by its pattern.
    """
    for stanza in stanzas(read(path)):
        if stanza.words and stanza.words[0].startswith("source"):
            for pattern in stanza.words[1:]:
                for inner in included(stanza.words[0], pattern):
                    yield from flattened(inner, read, included)
            yield from stanza.lines[1:]
        else:
            yield from stanza.lines


def of_device(lines: Sequence[str], device: str) -> str:
    """Everything that configures a device itself; empty when nothing does."""
    return "\n".join(line for stanza in stanzas("\n".join(lines)) if stanza.device == device for line in stanza.lines)


def managed(lines: Sequence[str], device: str) -> Optional[List[str]]:
    """The lines that an earlier edit gave a device; None when there are none."""
    body = of_device(lines, device).splitlines()
    return body[body.index(BEGIN) + 1:body.index(END)] if BEGIN in body and END in body else None


def edited(texts: Mapping[str, str], edit: Edit) -> Dict[str, str]:
    """The texts by path, with the devices as the edit says."""
    pending = {device: list(lines) for device, lines in edit.body.items()}
    automatic = {device for text in texts.values() for stanza in stanzas(text) if stanza.words[:1] == ["auto"]
                 for device in (edit.renamed.get(word, word) for word in stanza.words[1:])}
    return {path: "\n".join(line for stanza in stanzas(text) for line in _edited(stanza, edit, pending, automatic)) + "\n" for path, text in texts.items()}


def _edited(stanza: Stanza, edit: Edit, pending: Dict[str, List[str]], automatic: "set[str]") -> List[str]:
    kind = stanza.words[0] if stanza.words else ""
    if kind == "auto" or kind.startswith("allow-"):
        return _listed(stanza, edit, kind) + stanza.lines[1:]
    if kind != "iface":
        return stanza.lines
    device = stanza.words[1]
    if device in edit.dropped:
        return _tail(stanza.lines)
    name = edit.renamed.get(device, device)
    # Options of one's own are lines that begin with a word; ethtool speaks of a port, which stays one.
    body = [line if "ethtool" in line else _renamed(line, edit.renamed) for line in (_unmanaged(stanza.lines[1:]) if name in edit.body else stanza.lines[1:])]
    body = [line for line in body if not line.split() or line.split()[0] not in edit.without.get(name, ())]
    head = " ".join(edit.renamed.get(word, word) for word in stanza.words)
    before: List[str] = []
    if name in pending:
        body = [BEGIN, *pending.pop(name), END, *body]
        before = [] if name in automatic else ["auto " + name]
    elif name != device and name not in automatic:
        before = ["auto " + name]
    automatic.update({name} if before else set())
    return [*before, head, *body]


def _listed(stanza: Stanza, edit: Edit, kind: str) -> List[str]:
    """A line of devices. What is made by software appears by itself on no hardware, so it cannot wait for that: it is ``auto`` elsewhere."""
    if kind == "auto":
        words = [edit.renamed.get(word, word) for word in stanza.words[1:] if word not in edit.dropped]
    else:
        words = [word for word in stanza.words[1:] if word not in edit.dropped and word not in edit.renamed]
    return [" ".join([kind, *dict.fromkeys(words)])] if words else []


def _tail(lines: List[str]) -> List[str]:
    """The comments and empty lines at the end, which mostly are about what comes next."""
    said = [place for place, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    return lines[said[-1] + 1:]


def _unmanaged(lines: List[str]) -> List[str]:
    if BEGIN not in lines or END not in lines:
        return lines
    return lines[:lines.index(BEGIN)] + lines[lines.index(END) + 1:]


def _renamed(line: str, renamed: Mapping[str, str]) -> str:
    for old, new in renamed.items():
        line = re.sub(r"(?<![\w.-])%s(?![\w.-])" % re.escape(old), new, line)
    return line
