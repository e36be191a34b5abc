# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes compatibility.md, beside this file, from the data that the collection judges by (make compatibility). A test compares the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.compatibility import compatibility
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.conntrackd_rows import ATTRIBUTES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.losses import CARRIED, lost_in
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.notes import CHANGES, HOW, Change, order_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import TABLES, knowledge, read_release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import CONFIDENCE, FAMILIES, TITLES, Range

PAGE = Path(__file__).with_name("compatibility.md")

# Who sends and who receives in the first table: a name, and the node.
KERNELS: Sequence[tuple[str, dict[str, Any]]] = (
    ("FreeBSD 8", {"platform": "freebsd", "release": "8.4-RELEASE"}),
    ("FreeBSD 9 to 13", {"platform": "freebsd", "release": "13.2-RELEASE"}),
    ("FreeBSD 14", {"platform": "freebsd", "release": "14.2-RELEASE"}),
    ("FreeBSD 14, set to 1301", {"platform": "freebsd", "release": "14.2-RELEASE", "emits": 1301}),
    ("FreeBSD 15", {"platform": "freebsd", "release": "15.0-RELEASE"}),
    ("FreeBSD 15, set to 1400", {"platform": "freebsd", "release": "15.0-RELEASE", "emits": 1400}),
    ("FreeBSD 15, set to 1301", {"platform": "freebsd", "release": "15.0-RELEASE", "emits": 1301}),
    ("OpenBSD 4.8 and later", {"platform": "openbsd", "release": "7.6"}),
    ("conntrackd", {"platform": "linux", "release": "1.4.8"}),
)
# Of the others: releases with which something changes, and the last of a series.
RELEASES = {
    "pfsense-ce": ("1.2.3", "2.0.3", "2.1.5", "2.2.6", "2.3.5", "2.4.5", "2.5.2", "2.6.0", "2.7.2", "2.8.1", "2.9.0"),
    "pfsense-plus": ("21.05", "22.05", "23.09", "24.11", "25.11"),
    "opnsense": ("21.7", "22.1", "23.1", "24.1", "24.7", "25.1", "25.7", "26.1", "26.7", "26.7.4"),
    "openbsd": ("3.3", "3.9", "4.3", "4.4", "4.5", "4.7", "4.8", "5.9", "6.0", "7.6"),
    "linux": ("1.0.1", "1.2.2", "1.4.1", "1.4.2", "1.4.4", "1.4.6", "1.4.7", "1.4.8"),
}

HEAD = """# Which releases can share states

Can two nodes share states while one is upgraded and the other is not yet? State sync goes both ways, so there are two answers: from the old node to the new
one, which matters when the new one takes over, and from the new node to the old one, which matters on the way back.

This page is made from the data that the collection judges by. Ask it for two nodes of yours:

```console
ansible localhost -e '{"old": {"platform": "opnsense", "release": "24.1"}, "new": {"platform": "opnsense", "release": "25.7"}}' \\
  -m debug -a 'msg={{ old | hafirewall.cluster.sync_compatibility(new) }}'
```

The answer has `a_to_b` and `b_to_a` (`yes`, `no` or `unknown`), the format to `pin` and how, what is `lost`, how sure it is (`confidence`) and the `reason`.
Each platform's name and each key are in the reference of the filter `sync_compatibility`.

**What a node says itself beats this page.** `verify` reads the format that a node is set to (`engine.config.version` in the evidence; the number after
`version:` in `ifconfig pfsync0`); give it to the filter as `emits`. A node that shows none has no choice, and sends 1301. Unknown is never a yes.

That messages are understood is not all: states must also match on the other node. Names of interfaces are one reason why they may not ([LAGG](lagg.md)),
rules that differ another.

## Read the tables

Who sends is on the left, who receives is above. An upgrade of one node needs both directions, so look at both cells.

| a cell | means |
|---|---|
| yes | each state arrives |
| yes, less | it arrives, without [what an older format does not carry](#what-an-older-format-does-not-carry) |
| no | nothing arrives: a takeover loses every connection |
| no; pin 1301 | nothing arrives, unless the sender is set to this format first ([how](#how-a-format-is-chosen)) |
| unknown | it cannot be told from the releases: ask the node |
"""
TAIL = """## What is not verified

- Nothing was tried on pfSense, OPNsense, OpenBSD, or FreeBSD other than 14.2. What is said of them was read in their source and manuals, or follows from it.
- Kernels from between two releases (`14.0-CURRENT`), which pfSense is built on since 2.7 and Plus 23.01, may be from before or after a format came. The node
  tells. Two nodes with one release have one kernel, so that is a yes.
- Netgate's manual says that releases of pfSense with different FreeBSD bases may not be able to share states, older editions that they cannot. By the source of
  the kernels many could. So the answer is unknown, until both nodes have told which format they send.
- Two OpenBSD releases since 4.8 have one protocol, but a state that is shorter than the receiver's own is skipped and not counted. The layout was the same in
  all sources that were read, the oldest of about 2015; what is between those is inferred, and for releases before 6.0 the answer is unknown unless they are
  equal.

Whatever a table says: after the first node is upgraded, run `verify`. [`formats_agree`](reading_the_report.md#formats-agree) compares what the nodes say, and
[`states_travel`](reading_the_report.md#states-travel) looks for states that came.
"""


def page() -> str:
    """The page, with a line break at its end."""
    parts = [HEAD, "## Kernels", "The platforms that are built on FreeBSD behave as their kernel does; conntrackd and pfsync do not understand each other.",
             _matrix(KERNELS, [(name, node) for name, node in KERNELS if "emits" not in node])]
    for platform, releases in RELEASES.items():
        parts += [f"## {TITLES[platform]}", *_said(platform),
                  _matrix(*2 * [[(release, {"platform": platform, "release": release}) for release in releases]])]
    parts += ["## What an older format does not carry", _carried(), "## How a format is chosen", _chosen(), "## The releases", _legend(), _releases(),
              "## What to know before an upgrade", *_notes(), TAIL]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _said(platform: str) -> Iterator[str]:
    if platform == "opnsense":
        yield ("A node of 24.7 or later is taken to have the default format, 1400. One that was **upgraded** from before keeps 1301, and the table is then\n"
               "too strict: compare the setting on both nodes. From 26.7.4 on a new installation begins with 1500 and an upgraded one keeps what it had, so\n"
               "there the release alone does not tell.")
    if platform == "linux":
        yield ("The releases are those of conntrack-tools: Debian 12 has 1.4.7, Debian 13 has 1.4.8. A receiver refuses a state that has something which its\n"
               "release does not know, and takes the others:")
        yield _table(("a receiver before", "refuses, of a sender that has them"), [(_dotted("linux", since), what) for since, what in ATTRIBUTES])


def _matrix(senders: Sequence[tuple[str, dict[str, Any]]], receivers: Sequence[tuple[str, dict[str, Any]]]) -> str:
    rows = [(f"**{name}**", *(_cell(sender, receiver) for _name, receiver in receivers)) for name, sender in senders]
    return _table(("from \\ to", *(name for name, _node in receivers)), rows)


def _cell(sender: dict[str, Any], receiver: dict[str, Any]) -> str:
    answer = compatibility(sender, receiver)
    pin, said = answer["pin"], answer["a_to_b"]
    if pin is not None and pin["node"] == "a":
        return f"{said}; pin {pin['format']}"
    return f"{said}, less" if said == "yes" and _less(sender, receiver) else str(said)


def _less(sender: dict[str, Any], receiver: dict[str, Any]) -> bool:
    """Whether something of a sender's states does not arrive, or some of them do not."""
    row = knowledge(sender["platform"], sender["release"])
    if row.platform == "linux":
        one, other = (read_release("linux", node["release"]).numbers for node in (sender, receiver))
        return any(other < since <= one for since, _what in ATTRIBUTES)
    return bool(lost_in(FAMILIES[row.platform], row.understands or (), sender.get("emits", row.emits)))


def _carried() -> str:
    return _table(("format", "began to carry"), [(str(number), ", ".join(carried)) for number, carried in CARRIED.items()])


def _chosen() -> str:
    return _table(("platform", "how, for format 1301"), [(TITLES[platform], how.format(format=1301) or "there is no choice") for platform, how in HOW.items()])


def _legend() -> str:
    words = {"evidence": "the node said it", "source read": "read in the source", "documented": "the manual or the release notes say it",
             "derived": "follows from what was read", "unverified": "not verified: it is no ground for a yes"}
    return "How sure it is: " + ", ".join(f"*{word}* ({words[word]})" for word in CONFIDENCE[1:]) + "."


def _releases() -> str:
    head = ("release", "built on", "version byte", "understands", "sends by default", "has a choice", "state policy by default ([LAGG](lagg.md))", "how sure",
            "source")
    rows = []
    for platform, table in TABLES.items():
        for span in sorted(table, key=lambda one: one.since):
            row = knowledge(platform, _dotted(platform, span.since))
            choice = {True: "yes", False: "no", None: "unknown"}[row.pinnable]
            built = "" if span.base is None else row.base or ""
            rows.append((f"{TITLES[platform]} {_span(platform, span)}", built, _or_unknown(row.version_byte), _or_unknown(row.understands),
                         _or_unknown(row.emits), choice, row.state_policy_default or "unknown", row.confidence, row.source))
    return _table(head, rows)


def _notes() -> Iterator[str]:
    for platform in TABLES:
        order = order_of(platform)
        yield f"### Upgrade of {TITLES[platform]}"
        yield "\n".join([f"- {order.text} ([guide]({order.link}))", *(
            f"- {_when(platform, change)}: {change.note.text} ([more]({change.note.link}))" for change in CHANGES if platform in change.platforms)])


def _when(platform: str, change: Change) -> str:
    """The releases that a note is about, in words."""
    said = [] if change.since is None else [f"from {_dotted(platform, change.since)}"]
    return ", ".join(said + ([] if change.before is None else [f"before {_dotted(platform, change.before)}"])) or "all releases"


def _span(platform: str, span: Range) -> str:
    since, before = span.since, span.before
    if len(since) == len(before) and since[:-1] == before[:-1] and since[-1] + 1 == before[-1]:
        return _dotted(platform, since)
    return f"from {_dotted(platform, since)}, before {_dotted(platform, before)}"


def _dotted(platform: str, numbers: tuple[int, ...]) -> str:
    return f"{numbers[0]}.{numbers[1]:02}" if platform == "pfsense-plus" else ".".join(map(str, numbers))


def _or_unknown(value: int | tuple[int, ...] | None) -> str:
    return "unknown" if value is None else ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
