# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of ifconfig, sysctl and pfctl as FreeBSD has them: one program under several names, its kernel a JSON file, each change in the journal.
Other programs that only read answer what the kernel's ``told`` says, word for word.

What it answers was seen on FreeBSD 14.2. What was not seen there ends with status 70 rather than with a guess.
"""

from __future__ import annotations

# It is started very often, so what few of its answers need is imported there only.
import fcntl
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional

    Kernel = Dict[str, Any]

ROOT = os.environ.get("PFSENSE_STANDIN_ROOT", "")
FOLDER = ROOT + "/var/standin/"
MULTICAST = "224.0.0.240"


class Refused(Exception):
    """A command's failure: text and exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def ifconfig(kernel: Kernel, words: List[str]) -> str:
    """List, show or change interfaces. Each word of pfsync0 takes effect by itself: what came before a refused one stays."""
    if words == ["-l"]:
        return " ".join([*kernel["interfaces"], "pfsync0"]) + "\n"
    names = words[:1] or [*kernel["interfaces"], "pfsync0"]
    if names[0] != "pfsync0" and names[0] not in kernel["interfaces"]:
        raise Refused("ifconfig: interface %s does not exist" % names[0])
    if len(words) > 1:
        change = _change_pfsync if names[0] == "pfsync0" else _change_interface
        change(kernel, names[0], iter(words[1:]))
        return ""
    return "".join(_shown_pfsync(kernel["pfsync"]) if name == "pfsync0" else _shown(kernel, name) for name in names)


def _shown_pfsync(pfsync: Kernel) -> str:
    peer = "" if pfsync["syncpeer"] in (None, MULTICAST) else "syncpeer: %s " % pfsync["syncpeer"]
    device = "syncdev: %s " % pfsync["syncdev"] if pfsync["syncdev"] else ""
    version = "" if pfsync["version"] is None else " version: %d" % pfsync["version"]
    flags = "1000041<UP,RUNNING,LOWER_UP>" if pfsync["up"] else "0"
    return "pfsync0: flags=%s metric 0 mtu 1500\n\t%s%smaxupd: 128 defer: %s%s\n\tsyncok: %d\n\tgroups: pfsync\n" % (
        flags, device, peer, "on" if pfsync["defer"] else "off", version, pfsync["syncok"])


def _change_pfsync(kernel: Kernel, _name: str, words: Iterator[str]) -> None:
    pfsync = kernel["pfsync"]
    for word in words:
        if word == kernel["pfsync_refuses"]:
            raise Refused("ifconfig: SIOCSETPFSYNCNV: Invalid argument")
        if word == "syncdev":
            device = next(words)
            if device not in kernel["interfaces"]:
                raise Refused("ifconfig: SIOCSETPFSYNCNV: Invalid argument")
            pfsync["syncdev"] = device
        elif word == "-syncdev":
            pfsync["syncdev"] = None
        elif word == "syncpeer":
            pfsync["syncpeer"] = next(words)
        elif word == "-syncpeer":
            # Without a device the kernel comes back before it looks at the peer, which therefore stays.
            pfsync["syncpeer"] = pfsync["syncpeer"] if pfsync["syncdev"] is None else None
        elif word in ("up", "down"):
            pfsync["up"] = word == "up"
        elif word in ("defer", "-defer"):
            pfsync["defer"] = word == "defer"
        else:
            raise Refused("stand-in: ifconfig pfsync0 %s was not modelled" % word, 70)


def _shown(kernel: Kernel, name: str) -> str:
    import ipaddress
    interface = kernel["interfaces"][name]
    if name == "lo0":
        return "lo0: flags=1008049<UP,LOOPBACK,RUNNING,MULTICAST,LOWER_UP> metric 0 mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\n\tgroups: lo\n"
    flags = "8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>" if interface["up"] else "8802<BROADCAST,SIMPLEX,MULTICAST>"
    lines = ["%s: flags=%s metric 0 mtu 1500" % (name, flags)] + (["\tether %s" % interface["mac"]] if "mac" in interface else [])
    for entry in interface["addresses"]:
        address = ipaddress.ip_interface(entry["address"])
        vhid = " vhid %s" % entry["vhid"] if entry.get("vhid") else ""
        if address.version == 4:
            lines.append("\tinet %s netmask 0x%08x broadcast %s%s" % (address.ip, int(address.netmask), address.network.broadcast_address, vhid))
        else:
            lines.append("\tinet6 %s prefixlen %d%s" % (address.ip, address.network.prefixlen, vhid))
    for vhid, carp in interface["carp"].items():
        lines.append("\tcarp: %s vhid %s advbase %s advskew %s" % (_carp_state(kernel, interface, carp), vhid, carp["advbase"], carp["advskew"]))
    lines.append("\tmedia: Ethernet autoselect%s" % (" (1000baseT <full-duplex>)" if interface["up"] else ""))
    lines.append("\tstatus: %s" % ("active" if interface["up"] else "no carrier"))
    return "\n".join(lines) + "\n"


def _carp_state(kernel: Kernel, interface: Kernel, carp: Kernel) -> str:
    """INIT where CARP is off or the interface is down, else by comparison with the skew of the one other node; null is none."""
    if kernel["sysctl"].get("net.inet.carp.allow") != "1" or not interface["up"]:
        return "INIT"
    other = kernel["carp_peer_advskew"]
    return "MASTER" if other is None or int(carp["advskew"]) < other else "BACKUP"


def _change_interface(kernel: Kernel, name: str, words: Iterator[str]) -> None:
    interface, given = kernel["interfaces"][name], list(words)
    if given[0] == "vhid":
        options = dict(zip(given[::2], given[1::2]))
        carp = interface["carp"].setdefault(options["vhid"], {"advbase": "1", "advskew": "0", "pass": ""})
        carp.update({key: options[key] for key in ("advbase", "advskew", "pass") if key in options})
    elif given[0] in ("inet", "inet6") and given[-1] in ("delete", "-alias"):
        if given[1] == kernel["keeps_address"]:
            raise Refused("ifconfig: ioctl (SIOCDIFADDR): Invalid argument")
        _remove_address(interface, given[1])
    elif "alias" in given:
        vhid, words = given[-1] if "vhid" in given else None, given[1:] if given[0] in ("inet", "inet6") else given
        address = "%s/%s" % (words[0], words[2]) if words[1] == "prefixlen" else words[0]
        # in_control and carp_attach of the kernel's source: the id must be there before.
        if vhid is not None and vhid not in interface["carp"]:
            raise Refused("ifconfig: ioctl (SIOCAIFADDR): No such file or directory")
        if address == kernel["refuses_address"]:
            raise Refused("ifconfig: ioctl (SIOCAIFADDR): Invalid argument")
        interface["addresses"] = [entry for entry in interface["addresses"] if entry["address"] != address]
        interface["addresses"].append({"address": address, "vhid": vhid})
    else:
        raise Refused("stand-in: ifconfig %s %s was not modelled" % (name, " ".join(given)), 70)


def _remove_address(interface: Kernel, address: str) -> None:
    gone = [entry for entry in interface["addresses"] if entry["address"].split("/")[0] == address]
    if not gone:
        raise Refused("ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address")
    interface["addresses"] = [entry for entry in interface["addresses"] if entry not in gone]
    # A virtual host without an address is no more.
    for vhid in list(interface["carp"]):
        if not any(entry.get("vhid") == vhid for entry in interface["addresses"]):
            del interface["carp"][vhid]


def sysctl(kernel: Kernel, words: List[str]) -> str:
    """Show or set variables; the demotion is added to, not set."""
    bare, text = "-n" in words, ""
    for word in words:
        name, equals, value = word.partition("=")
        if word == "-n":
            continue
        if name not in kernel["sysctl"]:
            raise Refused("sysctl: unknown oid '%s'" % name)
        if equals:
            added = int(kernel["sysctl"][name]) + int(value) if name == "net.inet.carp.demotion" else value
            kernel["sysctl"][name] = str(added)
        text += kernel["sysctl"][name] + "\n" if bare else "%s: %s\n" % (name, kernel["sysctl"][name])
    return text


def pfctl(kernel: Kernel, words: List[str]) -> str:
    """Take a ruleset (-f), or only judge it (-nf), or show something; a test says what is wrong with a ruleset in ``pfctl_refuses``."""
    shown = _pf_shown(kernel["pf"], words)
    if shown is not None:
        return shown
    if not words or words[-2] not in ("-f", "-nf"):
        raise Refused("stand-in: pfctl %s was not modelled" % " ".join(words), 70)
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


def main() -> int:
    """Run the program of this name on the kernel of this root, and write down what changed it."""
    name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    with open(FOLDER + "kernel.json", "r+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        kernel = json.load(handle)
        before = json.dumps(kernel)
        status = 0
        try:
            programs = {"ifconfig": ifconfig, "sysctl": sysctl, "pfctl": pfctl}
            sys.stdout.write(programs[name](kernel, words) if name in programs else _told(kernel, name, words))
        except Refused as error:
            print(error, file=sys.stderr)
            status = error.status
        if before != json.dumps(kernel):
            handle.seek(0)
            handle.truncate()
            json.dump(kernel, handle)
        _record(name, words)
    return status


def _told(kernel: Kernel, name: str, words: List[str]) -> str:
    line = " ".join([name, *words])
    if line not in kernel["told"]:
        raise Refused("stand-in: %s was not told an answer" % line, 70)
    return kernel["told"][line]


def _record(name: str, words: List[str]) -> None:
    reads = {"ifconfig": len(words) < 2, "sysctl": not any("=" in word for word in words), "pfctl": words[-2:-1] not in (["-f"], ["-nf"])}.get(name, True)
    if not reads:
        import shlex
        with open(FOLDER + "journal", "a", encoding="utf-8") as journal:
            journal.write("command\t%s\n" % " ".join(shlex.quote(word.replace(ROOT + "/", "/")) for word in [name, *words]))


if __name__ == "__main__":
    sys.exit(main())
