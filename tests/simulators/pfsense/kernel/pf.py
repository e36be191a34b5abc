# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfctl: takes rulesets, and shows what the packet filter has."""

from __future__ import annotations

# What few answers need is imported there only.
import os

from .base import FOLDER, TYPE_CHECKING, Refused, not_modelled

if TYPE_CHECKING:
    from typing import Dict, List, Optional

    from .base import Kernel


def pfctl(kernel: Kernel, words: List[str]) -> str:
    """Take a ruleset (-f), or only judge it (-nf), or show something; a test says what is wrong with a ruleset in ``pfctl_refuses``."""
    shown = _pf_shown(kernel["pf"], words)
    if shown is not None:
        return shown
    if not words or words[-2] not in ("-f", "-nf"):
        raise not_modelled("pfctl " + " ".join(words))
    if kernel["pfctl_refuses"]:
        raise Refused("%s:1: %s" % (words[-1], kernel["pfctl_refuses"]))
    if words[-2] == "-f":
        with open(words[-1], encoding="utf-8") as given, open(FOLDER + "loaded_rules", "w", encoding="utf-8") as loaded:
            loaded.write(given.read())
        import re
        # A ruleset that states no id gets another one each time it is loaded.
        stated = re.search(r"^set hostid 0x([0-9a-f]+)", _loaded(), re.MULTILINE)
        kernel["pf"]["hostid"] = int(stated[1], 16) if stated else kernel["pf"]["hostid"] + 1
    return ""


def _loaded() -> str:
    if not os.path.exists(FOLDER + "loaded_rules"):
        return ""
    with open(FOLDER + "loaded_rules", encoding="utf-8") as loaded:
        return loaded.read()


def _pf_shown(pf: Kernel, words: List[str]) -> Optional[str]:
    """What the options that only show something print; None for other options."""
    line = " ".join(words)
    if line in ("-si -v", "-si"):
        more = "\nHostid:   0x%08x\nChecksum: 0x%032x\n" % (pf["hostid"], 0) if "-v" in words else ""
        return "Status: %-43sDebug: Urgent\n%s\nState Table                          Total             Rate\n  current entries     %20d               \n" % (
            "Enabled for 0 days 00:01:49" if pf["running"] else "Disabled", more, len(pf["states"]))
    if line == "-sm":
        return "states        hard limit %8d\nsrc-nodes     hard limit %8d\n" % (pf["limit"], pf["limit"])
    if line == "-sc" and pf["lists_creators"]:
        return "".join("%s\n" % text for text in ["Creator IDs:", *sorted({"%08x" % int(state, 16) for state in pf["states"]})])
    if line == "-vvss":
        return "".join("all tcp 192.0.2.9:80 <- 198.51.100.9:%d       ESTABLISHED:ESTABLISHED\n   age 00:00:16, expires in 23:59:48, 1:1 pkts, 40:40 bytes, "
                       "rule 6\n   id: %016x creatorid: %08x\n" % (1024 + number, number, int(state, 16)) for number, state in enumerate(pf["states"]))
    if line == "-vsA":
        return "".join("  %s\n" % name for name in pf["anchors"])
    if line == "-vvsr":
        return _numbered(_compiled(_loaded()))
    if words[:1] == ["-a"] and words[2:] == ["-vvsr"]:
        return _numbered(pf["anchors"].get(words[1], []))
    if words[:1] == ["-t"] and words[2:] == ["-T", "show"]:
        tables = dict(_tables(_loaded()), **pf["tables"])
        if words[1] not in tables:
            raise Refused("pfctl: Table does not exist.")
        return "".join("   %s\n" % member for member in tables[words[1]])
    return None


def _tables(text: str) -> Dict[str, List[str]]:
    import re
    return {name: members.split() for name, members in re.findall(r"^table <(\w+)> persist \{([^}]*)\}", text, re.MULTILINE)}


def _numbered(rules: List[str]) -> str:
    return "".join("@%d %s\n  [ Evaluations: 4         Packets: %-9d Bytes: %-11d States: 0     ]\n  [ Inserted: uid 0 pid 130 State Creations: 0     ]\n" % (
        number, rule, number, 40 * number) for number, rule in enumerate(rules))


def _compiled(text: str) -> List[str]:
    """The rules of a file as pfctl prints them: macros and lists put in, every part in its place."""
    import re
    macros, rules = {}, []  # type: Dict[str, str], List[str]
    policy = re.search(r"^set state-policy (\S+)", text, re.MULTILINE)
    tables = _tables(text)
    for line in text.splitlines():
        macro = re.fullmatch(r'(\w+) = "(.*)"', line)
        if macro:
            macros[macro[1]] = macro[2]
        elif re.match(r"pass|block|anchor", line):
            line = re.sub(r"\$(\w+)", lambda found: macros[found[1]], line)
            line = re.sub(r"<(\w+)>", lambda found: "<%s:%d>" % (found[1], len(tables.get(found[1], []))), line)
            rules += [_in_order(one, bool(policy and policy[1] == "if-bound")) for one in _without_lists(line)]
    return rules


def _without_lists(line: str) -> List[str]:
    import re
    found = re.search(r"\{([^}]*)\}", line)
    if found is None:
        return [line]
    return [one for member in found[1].split() for one in _without_lists(line[:found.start()] + member + line[found.end():])]


def _in_order(line: str, bound: bool) -> str:
    import re
    labels = "".join(" " + label for label in re.findall(r'label "[^"]*"', line))
    tracker = re.search(r" ridentifier \d+", line)
    state = re.search(r" keep state(?: \( ([^)]*) \))?", line)
    rule = " ".join(re.sub(r'label "[^"]*"| ridentifier \d+| keep state(?: \([^)]*\))?| allow-opts', "", line).split())
    rule = re.sub(r"^block(?! return)", "block drop", rule).replace("from any to any", "all")
    if not rule.startswith("anchor") and " from " not in rule and not rule.endswith(" all"):
        rule += " all"
    if rule.startswith("pass"):
        options = [option for option in ((state[1] if state else None) or "").split(", ") if option and option != "floating"]
        options += ["if-bound"] if bound and "if-bound" not in options and not (state and "floating" in (state[1] or "")) else []
        rule += ("" if " proto " in rule and " proto tcp" not in rule else " flags S/SA") + " keep state" + (" (%s)" % ", ".join(options) if options else "")
    return rule + (" allow-opts" if " allow-opts" in line else "") + labels + (tracker[0] if tracker else "")
