# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few places of a pfSense configuration that evidence needs, taken out on the node by awk, and read here.

What leaves the node is a list of places that are named one by one, so no password does. The program knows elements, CDATA and comments and no more: it
replaces no entity, refuses a document type, and tells a file that is not well-formed from one that has no such place. It keeps to what the awk of FreeBSD 8
has, and to signs that no shell on the way takes for its own: it has no exclamation mark and no line break.
"""

from __future__ import annotations

import html
import re

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import carp_config, engine, info, interfaces, pinned
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.bridge import Path, Reading
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import Release
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.state_sync import POLICY

# Without the commands that run at boot: there may be secrets in them, and these releases have no format to pin.
PATHS: tuple[Path, ...] = tuple(dict.fromkeys(path for path in (
    info.VERSION, info.TARGET, POLICY, *info.REVISION, *info.SENDING, *engine.PATHS, *carp_config.PATHS, *interfaces.TOLD) if path != pinned.COMMANDS))
# Before 2.1 the settings of state sync were those of a package, the first element of a list.
_BEFORE_HASYNC = ("installedpackages", "carpsettings", "config", "*")
_HASYNC_SINCE = (2, 1, 0)
# Lists, whose elements have one name and are told apart by their number.
_LISTS = (("virtualip", "vip"), _BEFORE_HASYNC[:3])
_ASKED = (*PATHS, *((*_BEFORE_HASYNC, path[1]) for path in PATHS if path[0] == "hasync"))
_LONGEST = 4000  # characters of a value; nothing that is asked for is longer, and what is longer is cut

# Each record of the input is what follows a "<". For each level: its name, where it is as asked for (path) and as found (place), both with a "/" at the end,
# and whether it is wanted. "mode" is 1 in CDATA and 2 in a comment.
_PROGRAM = """
function fail(why) { print "error " why; bad = 1; exit 1 }
function more(part) { if (keep[d] && length(text) < LONGEST) text = text part }
function cdata(part,  e) { kind[d] = "C"; e = index(part, "]]>");
  if (e) { mode = 0; more(substr(part, 1, e - 1)); more(substr(part, e + 3)) } else { mode = 1; more(part) } }
function comment(part,  e) { e = index(part, "-->"); if (e) { mode = 0; more(substr(part, e + 3)) } else mode = 2 }
function push(tag,  p, q) {
  if (d == 0 && rooted++) fail("it has more than one root");
  if (d == 0 && (tag == "pfsense") == 0) fail("its root is " substr(tag, 1, 40) " and not pfsense");
  if (keep[d]) fail(substr(place[d], 1, length(place[d]) - 1) " has elements");
  if (d > 99) fail("its elements are nested too deep");
  p = path[d] tag; q = place[d] tag;
  if (d == 0) p = q = "";
  if (path[d] == "interfaces/") p = "interfaces/*";
  if (p in list) { q = q "/" (number[q] + 0); number[place[d] tag]++; p = p "/*" }
  if (p in wanted || p in inside) { if (q in seen) fail(q " occurs more than once"); seen[q] = 1 }
  d++; name[d] = tag; path[d] = (p == "" ? "" : p "/"); place[d] = (q == "" ? "" : q "/"); keep[d] = (p in wanted); kind[d] = "T"; text = "" }
function pop() {
  if (keep[d]) { gsub(/[[:space:]]+/, " ", text); print kind[d] " " substr(place[d], 1, length(place[d]) - 1) " " substr(text, 1, LONGEST) }
  d-- }
BEGIN { RS = "<"; bang = sprintf("%c", 33); n = split(LISTS, w, " "); for (i = 1; i <= n; i++) list[w[i]] = 1; n = split(WANTED, w, " ");
  for (i = 1; i <= n; i++) { wanted[w[i]] = 1; m = split(w[i], parts, "/"); p = parts[1]; for (j = 2; j <= m; j++) { inside[p] = 1; p = p "/" parts[j] } } }
mode == 1 { cdata("<" $0); next }
mode == 2 { comment($0); next }
NR == 1 { if ($0 ~ /[[:alnum:]]/) fail("it does not begin with a tag"); next }
substr($0, 1, 8) == bang "[CDATA[" { cdata(substr($0, 9)); next }
substr($0, 1, 3) == bang "--" { comment(substr($0, 4)); next }
substr($0, 1, 1) == bang { fail("it declares a document type") }
substr($0, 1, 1) == "?" { next }
{ e = index($0, ">"); if (e == 0) fail("a tag has no end"); tag = tolower(substr($0, 1, e - 1)); rest = substr($0, e + 1);
  if (substr(tag, 1, 1) == "/") { sub(/[[:space:]]+$/, "", tag);
    if (d == 0 || (substr(tag, 2) == name[d]) == 0) fail("an element ends that has not begun"); pop(); more(rest); next }
  alone = (substr(tag, length(tag), 1) == "/"); if (alone) tag = substr(tag, 1, length(tag) - 1);
  sub(/[[:space:]].*$/, "", tag); if ((tag ~ /^[a-z_][a-z0-9_.:-]*$/) == 0) fail("a tag has no name");
  push(tag); if (alone) pop(); more(rest) }
END { if (bad) exit 1; if (d || mode || rooted == 0) { print "error it ends too early"; exit 1 } print "end" }
"""


def filtering() -> tuple[str, ...]:
    """The awk command without the file, its words not quoted."""
    program = " ".join(_PROGRAM.split())
    return ("awk", "-v", f"LONGEST={_LONGEST}", "-v", "LISTS=" + " ".join(map("/".join, _LISTS)), "-v", "WANTED=" + " ".join(map("/".join, _ASKED)), program)


def reading(text: str, release: Release) -> Reading:
    """What the program found, as a reading of the configuration.

    Args:
        text: what it printed.
        release: where the settings of state sync are, depends on it.
    Raises:
        NodeError: the file is not there or is no configuration, or the answer is not whole.
    """
    lines = text.split("\n")
    error = next((line[6:] for line in lines if line.startswith("error ")), None)
    if error is not None:
        raise NodeError(f"config.xml cannot be read: {error}")
    if "end" not in lines:
        raise NodeError("config.xml cannot be read: awk did not come to its end")
    found = dict(pair for pair in map(_pair, lines) if pair is not None)
    if release.numbers < _HASYNC_SINCE:
        # The element of a later release would mean nothing here.
        first = "/".join((*_BEFORE_HASYNC[:3], "0")) + "/"
        found = {place: value for place, value in found.items() if not place.startswith("hasync/")}
        found.update({"hasync/" + place[len(first):]: value for place, value in list(found.items()) if place.startswith(first)})
    return Reading("", {path: _below(found, path) if "*" in path else found.get("/".join(path)) for path in PATHS}, frozenset())


def _pair(line: str) -> tuple[str, str] | None:
    kind, _blank, rest = line.partition(" ")
    place, blank, value = rest.partition(" ")
    if kind not in ("C", "T") or not blank:
        return None
    # The product writes HTML's entities into the text of an element, and XML's on top of them unless the text is CDATA.
    value = value.strip()
    return place, html.unescape(value if kind == "C" else html.unescape(value))


def _below(found: dict[str, str], path: Path) -> dict[str, str]:
    """The values of a path with a ``*``, by what stands in its place."""
    wanted = re.compile("/".join("([^/]+)" if part == "*" else re.escape(part) for part in path))
    return {match[1]: value for match, value in ((wanted.fullmatch(place), value) for place, value in found.items()) if match}
