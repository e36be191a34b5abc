# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the product's configuration: one PHP process for each reading and for each change."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import Operation, diff, undone
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.program import PROGRAM

CONFIG = "/cf/conf/config.xml"
READ_TIMEOUT = 60.0  # seconds
# Setting pfsync up waits up to 31 s in the product, and large rulesets are slow to load.
CHANGE_TIMEOUT = 240.0
ATTEMPTS = 3

Path = Tuple[str, ...]
Call = Tuple[str, Any]


class Stale(NodeError):
    """The configuration is another one than planned from; nothing was written."""


class Failed(NodeError):
    """A change that failed in the product.

    Attributes:
        written: the configuration was written before.
        revision: the configuration on the disk after that.
    """

    def __init__(self, text: str, written: bool, revision: Optional[str]) -> None:
        super().__init__(text)
        self.written = written
        self.revision = revision


class Unknown(NodeError):
    """A change that failed, and may be in the configuration all the same."""


class Reading(NamedTuple):
    """What was read.

    Attributes:
        revision: a digest of config.xml.
        values: by path: None where nothing is; the empty text where an empty element is. A ``*`` in a path stands for every key: the value is a mapping.
        functions: those of the product's functions asked for that this release has.
        named: places in the sections asked for that name one of the devices asked for, and the names.
    """

    revision: str
    values: Dict[Path, Any]
    functions: FrozenSet[str]
    named: Sequence[Tuple[Path, Sequence[str]]] = ()

    def rows(self, *prefix: str) -> Dict[str, Dict[str, Any]]:
        """What was read of the elements below a place, by their keys (a list's are numbers), each with its fields that are there."""
        found: Dict[str, Dict[str, Any]] = {}
        for path, values in self.values.items():
            if path[:-2] == prefix and path[-2] == "*":
                for key, value in (values or {}).items():
                    found.setdefault(key, {})[path[-1]] = value
        return found


class Change(NamedTuple):
    """What to do.

    Attributes:
        operations: what to write.
        apply: the product's functions that apply it, in order, each with its argument; or a command of several words, with its last one.
        description: the words for the product's history.
        back: the functions that apply what was before, when the change is taken back; the same ones where it is None.
    """

    operations: Sequence[Operation]
    apply: Sequence[Call]
    description: str
    back: Optional[Sequence[Call]] = None


def read(node: Node, paths: Sequence[Path], functions: Sequence[str] = (), sections: Sequence[str] = (), devices: Sequence[str] = ()) -> Reading:
    """Read these places of the configuration from config.xml itself, and where in these sections one of these devices is named.

    Raises:
        NodeError: PHP is absent, fails, or does not answer in time.
    """
    request = {"paths": [list(path) for path in paths], "functions": list(functions), "sections": list(sections), "devices": list(devices)}
    answer = _call(node, request, READ_TIMEOUT, "reading the configuration")
    named = [(tuple(path), tuple(names)) for path, names in answer["named"]]
    return Reading(answer["revision"], dict(zip(paths, answer["values"])), frozenset(answer["functions"]), named)


def gateways(node: Node) -> Dict[str, str]:
    """The status of each gateway that the product watches, by its name, in the product's words.

    Raises:
        NodeError: PHP is absent, fails, or does not answer in time.
    """
    answer = _call(node, {"paths": [], "functions": [], "gateways": True}, READ_TIMEOUT, "asking for the gateways")
    return dict(answer["gateways"])


def settle(node: Node, paths: Sequence[Path], plan: Callable[[Reading], Change], verify: Callable[[], None], functions: Sequence[str] = (),
           before: Callable[[Reading, Change], None] = lambda _reading, _change: None) -> Reading:
    """Read, plan, change; when somebody saves the configuration in between, all of it again.

    Args:
        node: where.
        paths: what the plan needs to know.
        plan: from what was read to what to do; pure. Nothing to do ends it.
        verify: reads the node after the change, and raises a NodeError when it is not as planned.
        functions: product functions that the plan asks for.
        before: what must be done before the change is written; again when it is planned again. In check mode too, where the node only records it.
    Returns:
        What was read before the change.
    Raises:
        NodeError: the change failed; it was then taken back, or the error says what was not.
    """
    for _attempt in range(ATTEMPTS):
        reading = read(node, paths, functions)
        change = plan(reading)
        if not change.operations and not change.apply:
            return reading
        before(reading, change)
        try:
            _change(node, reading.revision, change, verify)
        except Stale:
            continue
        return reading
    raise NodeError("the configuration was changed by somebody else %d times between reading and writing, so nothing was written; run again when nobody saves"
                    % ATTEMPTS)


def _change(node: Node, revision: str, change: Change, verify: Callable[[], None]) -> None:
    if node.check_mode:
        record(node, change)
        return
    written, now = False, revision
    try:
        now = _send(node, revision, change)
        written = bool(change.operations)
        verify()
    except Stale:
        raise
    except NodeError as error:
        if isinstance(error, Failed):
            written, now = error.written, error.revision or revision
        elif not written and change.operations:
            raise Unknown("%s; whether the configuration was written is not known: see its history on the node" % error) from error
        if not written:
            raise NodeError("%s (the configuration is as it was)" % error) from error
        good, told = _taken_back(node, now, change)
        raise (NodeError if good else Unknown)("%s (%s)" % (error, told)) from error
    record(node, change)


def _taken_back(node: Node, revision: str, change: Change) -> Tuple[bool, str]:
    """Undo a change that was written, unless somebody has saved meanwhile; whether that went well, and what came of it."""
    back = Change(undone(change.operations), change.apply if change.back is None else change.back, change.description + " (taken back)")
    try:
        _send(node, revision, back)
    except Stale:
        return False, "it was not taken back, because somebody has saved the configuration since"
    except NodeError as error:
        return False, "taking it back failed too: %s" % error
    return True, "everything was put back as it was"


def _send(node: Node, revision: str, change: Change) -> str:
    answer = _call(node, dict(_request(change), revision=revision), CHANGE_TIMEOUT, "changing the configuration")
    if answer.get("stale"):
        raise Stale("the configuration was changed by somebody else")
    return answer["revision"]


def _request(change: Change) -> Dict[str, Any]:
    return {"operations": [operation.request() for operation in change.operations], "description": change.description,
            "apply": [list(call) for call in change.apply], "paths": [], "functions": []}


def stored(change: Change, boundary: str, lenient: bool = False) -> str:
    """The text of a PHP program that makes a change without anybody waiting for it, on whatever configuration is there then.

    Args:
        boundary: the line that its answer stands between; :func:`answered` reads it.
        lenient: pass over what is so already, or has nothing to be done to, so that it may run again; what is written is applied in any case.
    """
    return _program(dict(_request(change), revision=None, lenient=lenient), boundary)


def answered(output: str, boundary: str) -> Optional[str]:
    """What a :func:`stored` program came to, from all that it printed: None when all went well, else what went wrong."""
    answer = _answer(output, boundary)
    if answer is None:
        return "PHP gave no answer; it said: %s" % _said(output, "")
    return "%s: %s" % (answer["phase"], answer["error"]) if "error" in answer else None


def record(node: Node, change: Change) -> None:
    """Account for a change as the node does: what was run in the product, and the difference."""
    if change.operations:
        node.commands.append("write_config(%s)" % json.dumps(change.description))
        node.diffs.append(diff(CONFIG, change.operations))
    node.commands.extend("%s %s" % call if " " in call[0] else "%s(%s)" % (call[0], "" if call[1] is None else json.dumps(call[1], sort_keys=True))
                         for call in change.apply)


def _call(node: Node, request: Dict[str, Any], timeout: float, doing: str) -> Dict[str, Any]:
    boundary = "hafirewall-" + secrets.token_hex(16)
    # The program comes by standard input: no secret is in a list of processes, and none in a trace of an error.
    php = ["php", "-q", "-d", "display_errors=stderr", "-d", "zend.exception_ignore_args=1"]
    done = node.query(php, stdin=_program(request, boundary), ok=None, timeout=timeout)
    answer = _answer(done.stdout, boundary)
    if answer is None:
        raise NodeError("%s: PHP gave no answer (status %d); it said: %s" % (doing, done.status, _said(done.stdout, done.stderr)))
    if "error" in answer:
        raise Failed("%s failed while %s: %s" % (doing, answer["phase"], answer["error"]), bool(answer["written"]), answer.get("revision"))
    return answer


def _program(request: Mapping[str, Any], boundary: str) -> str:
    text = json.dumps(dict({"operations": [], "apply": [], "sections": [], "devices": [], "gateways": False}, boundary=boundary, **request))
    return PROGRAM.replace("@REQUEST@", base64.b64encode(text.encode("utf-8")).decode("ascii"))


def _answer(stdout: str, boundary: str) -> Optional[Dict[str, Any]]:
    parts: List[str] = stdout.split("\n%s\n" % boundary)
    if len(parts) != 3:
        return None
    try:
        answer = json.loads(parts[1])
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _said(stdout: str, stderr: str) -> str:
    return (stderr.strip() or stdout.strip() or "nothing")[-1500:]
