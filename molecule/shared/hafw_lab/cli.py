# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's command line. What a command yields is JSON on stdout; progress and errors go to stderr; status 1 is an error, 2 wrong usage."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from . import image, machine, network, topology
from .lab import Lab
from .progress import Progress
from .system import LabError

SCRIPT = Path(__file__).resolve().parent.parent / "lab.py"
BUILD = SCRIPT.parent.parent.parent / "build"
OFF_STATUS = 255  # as ssh: the command was not run


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", default="lab", help="which lab (default: lab); several can run at once")
    parser = argparse.ArgumentParser(prog="lab.py", description="Real Debian nodes on one machine, made to be broken.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help_text, parents=[common])

    build = command("image", "build the nodes' image if it is not there")
    build.add_argument("--suite", default="bookworm", help="Debian release (default: bookworm)")
    build.add_argument("--virtual", action="store_true", help="that of virtual machines")
    up = command("up", "start the lab, or what is missing of it")
    up.add_argument("--nodes", type=int, help=f"firewalls, 1 to {topology.MAX_FIREWALLS} (default: 2, or as many as it has)")
    up.add_argument("--suite", help="Debian release of the nodes (default: bookworm)")
    up.add_argument("--virtual", action="store_true", help="the firewalls of a new lab are virtual machines with a kernel of their own, 2 of them (needs QEMU)")
    up.add_argument("--packages", default="", help="further Debian packages on the nodes of a new lab, comma-separated")
    command("down", "remove every trace of the lab, after a crash too")
    command("inventory", "write the inventory and print its path")
    command("status", "print the state of every node")
    shell = command("shell", "run a command on a node without ssh: shell fw1 -- 'nft list ruleset'")
    shell.add_argument("node")
    shell.add_argument("words", nargs="*", metavar="CMD", help="one word is run by sh, several are run as they are, none starts a shell")
    for name, help_text in (
        ("power-off", "power loss: links, processes and namespace are gone, the disk stays"),
        ("power-on", "start a node in a new, empty namespace"),
        ("reboot", "shut a node down from within and start it in a new namespace"),
    ):
        command(name, help_text).add_argument("node")
    anew = command("reinstall", "power loss, then a fresh machine of the same name and address with another Debian release")
    anew.add_argument("node")
    anew.add_argument("--suite", required=True, help="Debian release")
    link = command("link", "pull or connect the cables of a node")
    link.add_argument("node")
    link.add_argument("devices", help="a device or several, comma-separated: lan0,wan0")
    link.add_argument("state", choices=("up", "down"))
    command("stranger", "a foreign host on the Sync segment").add_argument("state", choices=("up", "down"))
    ended = command("ended", "used by the lab itself when a node ends from within")
    ended.add_argument("node")
    ended.add_argument("--boot", required=True)
    ended.add_argument("--status", type=int, required=True)
    return parser


def _shell(lab: Lab, options: argparse.Namespace) -> None:
    node = lab.node(options.node)
    body = lab.body(node)
    if body.pid() is None:
        print(f"{node.name} is off: start it with power-on {node.name} --name {lab.name}", file=sys.stderr)
        sys.exit(OFF_STATUS)
    sys.exit(body.shell(["sh", "-c", options.words[0]] if len(options.words) == 1 else options.words))


def _link(lab: Lab, options: argparse.Namespace) -> dict[str, Any]:
    node = lab.node(options.node)
    if not network.ports(lab.name, node.name):
        raise LabError(f"{node.name} is off: it has no cables plugged")
    devices, up = options.devices.split(","), options.state == "up"
    at = network.set_cables(lab.name, node, devices, up)
    lab.body(node).set_carrier(devices, up)
    return {"node": node.name, "at": at, "links": network.ports(lab.name, node.name)}


def _stranger(lab: Lab, options: argparse.Namespace) -> dict[str, Any]:
    lab.nodes()
    node, space = topology.STRANGER_NODE, lab.space(topology.STRANGER_NODE.name)
    network.unplug(lab.name, node)
    network.delete(space)
    if options.state == "up":
        network.create_node(lab.name, node, addressed=True)
    return {"stranger": options.state, "address": topology.STRANGER, "mac": node.mac("sync0")}


def _status(lab: Lab, _options: argparse.Namespace) -> dict[str, Any]:
    return {"lab": lab.name, "nodes": lab.status()}


def _run(lab: Lab, options: argparse.Namespace, progress: Progress) -> Any:
    simple: dict[str, Callable[[Lab, argparse.Namespace], Any]] = {"shell": _shell, "link": _link, "stranger": _stranger, "status": _status}
    if options.command in simple:
        return simple[options.command](lab, options)
    if options.command == "image":
        return {"image": str(image.ensure(BUILD / "image", options.suite, progress.say, options.virtual))}
    if options.command == "up":
        lab.up(options.nodes, options.suite, options.virtual, [name for name in options.packages.split(",") if name])
        return {"lab": lab.name, "inventory": str(lab.folder / "inventory.yml"), "ssh_config": str(lab.folder / "ssh_config")}
    if options.command == "inventory":
        return {"lab": lab.name, "inventory": str(lab.write_inventory())}
    if options.command == "ended":
        return lab.ended(options.node, options.boot, options.status)
    if options.command == "down":
        return lab.down()
    if options.command == "reinstall":
        return lab.reinstall(options.node, options.suite)
    work = {"power-off": lab.power_off, "power-on": lab.power_on, "reboot": lab.reboot}[options.command]
    return work(options.node)


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    progress = Progress(sys.stderr)

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        machine.check_machine()
        result = _run(Lab(options.name, BUILD, SCRIPT, progress), options, progress)
    except (LabError, ValueError, KeyError) as error:
        progress.end()
        print(f"lab {options.name}: {error.args[0] if error.args else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.say(f"lab {options.name}: stopped")
        return 130
    if result is not None:
        print(json.dumps(result))
    return 0
