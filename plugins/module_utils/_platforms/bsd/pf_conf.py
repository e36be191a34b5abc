# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection keeps in /etc/pf.conf: marked blocks at the places where they count. All else in the file stays as it is, to the last byte.

Finding, setting and removing are pure. :func:`load` is the one way in which a new text comes to a node.
"""

from __future__ import annotations

import re
from typing import FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_text
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_text import Included, Setting
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

PATH = "/etc/pf.conf"
OPTIONS, FILTER = "options", "filter"  # the blocks: the options of state_sync, and the rules of sync_rule
_PLACES = {OPTIONS: pf_text.OPTION, FILTER: pf_text.FILTER}
_MARK = re.compile(r"^# (BEGIN|END) hafirewall\.cluster (\S+)[ \t\r]*$", re.MULTILINE)
# Says that the line break in front of the block is the block's own, so that taking it away gives the file back as it was.
_JOINED = "# the line above had no line break"
_STDIN = re.compile(r"^stdin:", re.MULTILINE)
_LONGEST = 60.0  # seconds


class Block(NamedTuple):
    """A block: where it is in the text with its marks, the number of its first line, and what is between the marks.

    ``joined``: the line break in front of ``start`` came with it.
    """

    start: int
    end: int
    line: int
    lines: Tuple[str, ...]
    joined: bool


def find(text: str, name: str, path: str = PATH) -> Optional[Block]:
    """The block of that name; None when there is none.

    Raises:
        NodeError: marks that do not belong together, with the number of the line.
    """
    return next((block for one, block in _blocks(text, path) if one == name), None)


def put(text: str, name: str, lines: Sequence[str], included: Included, path: str = PATH) -> str:
    """The text with the block as wanted; without lines it is removed. A block that is right already stays where it is.

    Args:
        name: ``OPTIONS``: in front of all that pf wants behind the options. ``FILTER``: in front of the first rule that decides about packets.
        included: the text of a file that this one includes, as :meth:`Node.read_text` gives it.
    Raises:
        NodeError: marks that do not belong together.
    """
    block = find(text, name, path)
    rest = text if block is None else _without(text, block)
    if not lines:
        return rest
    first, last = _room(rest, name, included, path)
    if block is not None and first <= min(block.start, len(rest)) <= last:
        return text[:block.start] + _written(name, lines, block.joined) + text[block.end:]
    return _with(rest, last, name, lines)


def outside(text: str, included: Included, path: str = PATH) -> List[Setting]:
    """The options that are set outside of the blocks, in included files too, each with file and line. Those in the blocks come before them, so these win.

    Raises:
        NodeError: marks that do not belong together.
    """
    for _name, block in _blocks(text, path):
        # Emptied, not cut out: lines keep their numbers.
        text = text[:block.start] + re.sub(r"[^\n]", " ", text[block.start:block.end]) + text[block.end:]
    return pf_text.settings(text, path, included)


def load(node: Node, text: str, path: str = PATH, flags: Sequence[str] = (), validated: bool = False) -> None:
    """Make pf.conf have this text, and pf run by it; states stay. Belongs into a transaction: when a later step fails, the old text is loaded again.

    pfctl judges the text before anything is replaced, in check mode too.

    Args:
        flags: more words for pfctl, from rc.conf's ``pf_flags``.
        validated: :func:`validate` was asked already, or cannot be yet.
    Raises:
        NodeError: what pfctl says, with the line.
    """
    if not validated:
        validate(node, text, path, flags)
    before = node.read_text(path)
    if before != text:
        node.write_text(path, text, mode=None)
    node.act(["pfctl", *flags, "-f", path], timeout=_LONGEST, undo=lambda: _reload(node, before or "", path, flags))


def validate(node: Node, text: str, path: str = PATH, flags: Sequence[str] = ()) -> str:
    """What pfctl makes of a text, option by option and rule by rule; nothing is changed.

    Raises:
        NodeError: what pfctl has against it, with the line.
    """
    status, said = _said(node, text, path, flags)
    if status == 0:
        return said
    before = node.read_text(path)
    status_of_old, said_of_old = (0, "") if before is None else _said(node, before, path, flags)
    if status_of_old != 0:
        raise NodeError("pfctl does not take %s as it is; correct it and run again. It says: %s" % (path, said_of_old))
    raise NodeError("pfctl does not take %s with the lines of this collection. It says: %s" % (path, said))


def _said(node: Node, text: str, path: str, flags: Sequence[str]) -> Tuple[int, str]:
    """The status, and what pfctl makes of a text, or has against it, with the file's name and the line itself.

    The text goes in by standard input, so that nothing is left on the disk: names of included files are relative to where pfctl runs, in any case.
    """
    done = node.query(["pfctl", *flags, "-nvf", "-"], stdin=text, ok=None, timeout=_LONGEST)
    if done.status == 0:
        return 0, done.stdout
    said = _STDIN.sub(path + ":", done.stderr.strip() or done.stdout.strip() or "nothing")[-2000:]
    written = text.split("\n")
    at = re.search(r"^%s:(\d+): " % re.escape(path), said, re.MULTILINE)
    shown = written[int(at[1]) - 1].strip() if at and 0 < int(at[1]) <= len(written) else ""
    return done.status, said + (" (line %s is: %s)" % (at[1], shown) if at and shown else "")


def _reload(node: Node, text: str, path: str, flags: Sequence[str]) -> None:
    # Files come back after commands, so the old one is not there yet.
    try:
        node.query(["pfctl", *flags, "-f", "-"], stdin=text, timeout=_LONGEST)
    except NodeError as error:
        raise NodeError("the rules of the old %s could not be loaded again: %s" % (path, error)) from error


# Blocks


def _blocks(text: str, path: str) -> List[Tuple[str, Block]]:
    found: List[Tuple[str, Block]] = []
    opened = None
    for mark in _MARK.finditer(text):
        number = text.count("\n", 0, mark.start()) + 1
        what, name = mark[1], mark[2]
        if what == "BEGIN" and opened is not None:
            raise _broken(path, opened, "the block %s that begins there has no end before line %d" % (_name(opened), number))
        if what == "END" and (opened is None or _name(opened) != name):
            raise _broken(path, mark, "the block %s that ends there does not begin before" % name)
        if what == "BEGIN":
            if any(one == name for one, _block in found):
                raise _broken(path, mark, "there is a second block %s" % name)
            opened = mark
        elif opened is not None:
            found.append((name, _block(text, opened, mark)))
            opened = None
    if opened is not None:
        raise _broken(path, opened, "the block %s that begins there has no end" % _name(opened))
    return found


def _block(text: str, opened: "re.Match[str]", closed: "re.Match[str]") -> Block:
    lines = text[opened.end() + 1:closed.start()].split("\n")[:-1]
    joined = lines[:1] == [_JOINED]
    return Block(opened.start(), min(closed.end() + 1, len(text)), text.count("\n", 0, opened.start()) + 1, tuple(lines[1:] if joined else lines), joined)


def _name(mark: "re.Match[str]") -> str:
    return mark[2]


def _broken(path: str, mark: "re.Match[str]", what: str) -> NodeError:
    number = mark.string.count("\n", 0, mark.start()) + 1
    return NodeError("%s:%d: %s; delete what is left of the block, with its lines '# BEGIN ...' and '# END ...', and run again" % (path, number, what))


def _with(text: str, place: int, name: str, lines: Sequence[str]) -> str:
    after = text[place:]
    borrows = place > 0 and text[place - 1] != "\n"
    mark = _MARK.match(after)
    takes_over = mark is not None and after.startswith(_JOINED + "\n", mark.end() + 1)
    if mark is not None and takes_over:
        after = after[:mark.end() + 1] + after[mark.end() + 2 + len(_JOINED):]
    return text[:place] + ("\n" if borrows else "") + _written(name, lines, borrows or takes_over) + after


def _without(text: str, block: Block) -> str:
    before, after = text[:block.start], text[block.end:]
    if not block.joined:
        return before + after
    if not after:
        return before[:-1]
    # Another block that follows takes the borrowed line break over; before anything else it must stay.
    mark = _MARK.match(after)
    return before + (after[:mark.end() + 1] + _JOINED + "\n" + after[mark.end() + 1:] if mark else after)


def _written(name: str, lines: Sequence[str], joined: bool) -> str:
    body = ["# BEGIN hafirewall.cluster %s" % name, *([_JOINED] if joined else []), *lines, "# END hafirewall.cluster %s" % name]
    return "".join(line + "\n" for line in body)


def _room(text: str, name: str, included: Included, path: str) -> Tuple[int, int]:
    """From where to where in a text a block may begin; the last of these places is the one for a new block."""
    wanted = _PLACES[name]
    first, last = 0, len(text)
    units = _units(text, included, path)
    for place, unit in enumerate(units):
        earlier = [kind for kind in unit.kinds if kind < wanted]
        if any(kind >= wanted for kind in unit.kinds) and not earlier:
            # The comment that stands directly above somebody's statement stays with it.
            while place > 0 and units[place - 1].comment and not unit.block:
                place -= 1
            last = units[place].start
            break
        if earlier:
            first = unit.end
    return first, last


class _Unit(NamedTuple):
    """What nothing is put into: a line as pfctl sees it, or a whole block."""

    start: int
    end: int
    kinds: FrozenSet[int]
    comment: bool
    block: bool


def _units(text: str, included: Included, path: str) -> List[_Unit]:
    found = pf_text.lines(text)
    blocks = [block for _which, block in _blocks(text, path)]
    units: List[_Unit] = []
    within = None
    for line, kinds in zip(found, pf_text.kinds(found, included)):
        block = next((one for one in blocks if line.start < one.end and one.start < line.end), None)
        if block is not None and block is within:
            units[-1] = units[-1]._replace(end=line.end, kinds=units[-1].kinds | kinds)
        else:
            units.append(_Unit(line.start, line.end, kinds, line.comment and block is None, block is not None))
        within = block
    return units
