# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sysrc: reads and writes rc.conf. Source: usr.sbin/sysrc/sysrc and usr.sbin/bsdconfig/share/sysrc.subr."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import rc_conf
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Do what the options say to each name."""
    flags = ""
    files: List[str] = []
    names: List[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word.startswith("-") and not names:
            for place, letter in enumerate(word[1:]):
                if letter == "f":
                    files.append(word[2 + place:] or left.pop(0))
                    break
                flags += letter
        else:
            names.append(word)
    if set(flags) - set("acenNqix"):
        raise NotModelled("sysrc -%s" % flags)
    call = _Call(machine, flags, files or list(rc_conf.FILES), bool(files))
    if "a" in flags:
        for name in sorted(rc_conf.stated(machine, call.files)):
            call.show(name)
    for name in names:
        call.one(name)
    return Completed(call.status, call.stdout, call.stderr)


class _Call:
    """One call."""

    def __init__(self, machine: "Machine", flags: str, files: List[str], own_files: bool) -> None:
        self.machine, self.flags, self.files, self.own_files = machine, flags, files, own_files
        self.stdout = self.stderr = ""
        self.status = 0

    def values(self) -> Dict[str, str]:
        return dict(rc_conf.DEFAULTS, **rc_conf.stated(self.machine, self.files))

    def one(self, word: str) -> None:
        """A name, or a name with a value."""
        name, equals, given = word.partition("=")
        mode = name[-1:] if equals and name[-1:] in "+-" else ""
        name = name.rstrip("+-") if mode else name
        if not re.fullmatch(r"\w+", name):
            raise NotModelled("sysrc %s" % word)
        if equals and "x" not in self.flags:
            self._assign(name, mode, given)
        elif name not in self.values():
            self.stderr += "" if {"q", "i"} & set(self.flags) else "sysrc: unknown variable '%s'\n" % name
            self.status = 1
        elif "x" in self.flags:
            self._delete(name)
        elif "c" not in self.flags:
            self.show(name)

    def show(self, name: str) -> None:
        value = self.values().get(name, "")
        if "N" in self.flags:
            self.stdout += name + "\n"
        elif "n" in self.flags:
            self.stdout += value + "\n"
        else:
            self.stdout += '%s="%s"\n' % (name, value) if "e" in self.flags else "%s: %s\n" % (name, value)

    def _assign(self, name: str, mode: str, given: str) -> None:
        before = self.values().get(name)
        new = _combined(before or "", mode, given)
        if "c" in self.flags:
            self.status = 1 if before is None or before != new else self.status
            return
        self._write(name, new)
        after = self.values().get(name, "")
        head = "" if "n" in self.flags else name + ('="' if "e" in self.flags else ": ")
        self.stdout += head + ('%s" # -> "%s"\n' % (before or "", after) if "e" in self.flags and head else "%s -> %s\n" % (before or "", after))

    def _write(self, name: str, value: str) -> None:
        pattern = re.compile(r'^([ \t]*%s=)("[^"]*"|\'[^\']*\'|[^\s;]*)' % re.escape(name), re.MULTILINE)
        for file in reversed(self.files):
            text = self.machine.text(file)
            found = list(pattern.finditer(text)) if text is not None else []
            if text is not None and found:
                last = found[-1]
                quote = "'" if last[2].startswith("'") else '"'
                self.machine.put(file, text[:last.start()] + last[1] + quote + value + quote + text[last.end():])
                return
        text = self.machine.text(self.files[0]) or ""
        # As echo appends it, whether or not the last line has an end.
        self.machine.put(self.files[0], text + '%s="%s"\n' % (name, value))

    def _delete(self, name: str) -> None:
        pattern = re.compile(r"^[ \t]*%s=.*\n?" % re.escape(name), re.MULTILINE)
        for file in self.files:
            text = self.machine.text(file)
            if text is not None and pattern.search(text):
                self.machine.put(file, pattern.sub("", text))


def _combined(before: str, mode: str, given: str) -> str:
    """``+=`` adds what is not there, ``-=`` takes away; the first character is the separator unless it is a letter, digit, dot or slash."""
    if not mode:
        return given
    separator = None if not given or given[0].isspace() or re.match(r"[A-Za-z0-9./]", given) else given[0]
    held, words = [[word for word in text.split(separator) if word] for text in (before, given)]
    joined = separator or " "
    if mode == "-":
        return joined.join(word for word in held if word not in words)
    return joined.join([before, *(word for word in words if word not in held)] if before else words)
