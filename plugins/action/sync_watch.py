# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts who sends on the Sync network: by the module on a node, or from a capture file on the controller. Changes nothing."""

from __future__ import annotations

import ipaddress
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.tally import DEFAULT_PORT, Tally
from ansible_collections.hafirewall.cluster.plugins.modules.sync_watch import ARGUMENTS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.senders import addresses_of, named
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import InventoryReader, NameCache

MOST_SECONDS = 600
_BY_CONTROLLER = ("pcap", "members")


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """What was counted, each sender with the member that it is."""
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({**ARGUMENTS, "platform": {"type": "str"}})
        if not 0 < options["seconds"] <= MOST_SECONDS:
            raise AnsibleActionFail(f"seconds: is {options['seconds']:g}; choose more than 0 and at most {MOST_SECONDS}")
        if options["packets"] < 1:
            raise AnsibleActionFail(f"packets: is {options['packets']}; choose at least 1")
        variables, warnings = task_vars or {}, []
        members = _stated(options["members"])
        if members is None:
            members, why = self._planned(variables)
            warnings += [f"who of the senders is a member is not known: {why}"] if why else []
        if options["pcap"] is None:
            arguments = {name: value for name, value in self._task.args.items() if name not in _BY_CONTROLLER}
            found = self._execute_module(module_name="hafirewall.cluster.sync_watch", module_args=arguments, task_vars=variables)
        else:
            found = _of_file(self._loader.path_dwim(options["pcap"]), options)
        if found.get("failed"):
            return found
        return {**named(found, members), "warnings": [*(found.get("warnings") or []), *warnings]}

    def _planned(self, variables: dict[str, Any]) -> tuple[dict[str, frozenset[str]] | None, str | None]:
        """The members of this host's cluster with their addresses on the Sync network; or None, and why where the intent should tell."""
        host, findings = variables["inventory_hostname"], Findings()
        if "hafirewall_cluster" not in variables:
            return None, None
        gathered = InventoryReader(variables["hostvars"], variables["groups"]["all"], NameCache(C.DEFAULT_LOCAL_TMP, self._task._uuid)).gather(host, findings)
        try:
            plans = plan_cluster(*gathered, findings).plans
        except IntentError as error:
            return None, str(error)
        return {member: addresses_of(plan["state_sync"], gathered.evidence.get(member)) for member, plan in plans.items()}, None


def _of_file(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """What a capture file tells. One that ends too early tells what it has."""
    tally, warnings, begun = Tally(most=options["packets"], port=options["port"] or DEFAULT_PORT), [], False
    try:
        with open(path, "rb") as stream:
            for frame in read_pcap(stream):
                begun = True
                if not tally.add(frame):
                    break
    except OSError as error:
        raise AnsibleActionFail(f"pcap: cannot read {path}: {error.strerror}; name a capture file on the controller") from error
    except ValueError as error:
        if not begun:
            raise AnsibleActionFail(f"pcap: {path}: {error}") from error
        tally.truncated = True
        warnings.append(f"pcap: {path}: {error} What comes before that is counted.")
    return {"changed": False, "commands": [], "interface": None, "warnings": warnings, **tally.result()}


def _stated(members: Any) -> dict[str, frozenset[str]] | None:
    """The option ``members``, its addresses in their canonical form."""
    if members is None:
        return None
    found = {}
    for name, addresses in members.items():
        try:
            found[str(name)] = frozenset(str(ipaddress.ip_interface(address).ip) for address in ([addresses] if isinstance(addresses, str) else addresses))
        except (TypeError, ValueError) as error:
            raise AnsibleActionFail(f"members.{name}: {error}; give a list of the member's addresses on the Sync network") from error
    return found
