# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a node by the module, or, where no module can run, by one command of its shell. Changes nothing."""

from __future__ import annotations

import secrets
import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.conversation import Transcript, command
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.evidence import collect, release_of

CHOICES = ["auto", "always", "never"]


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result, unless it fails on an old pfSense; that is asked for only after a failure, so a node with Python costs nothing more."""
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({
            "raw": {"type": "str", "choices": CHOICES, "default": "auto"}, "sample": {"type": "bool", "default": False},
            "readiness": {"type": "bool", "default": False}, "snapshot": {"type": "bool", "default": False}, "platform": {"type": "str"},
            "sync_interface": {"type": "str"}, "sync_network": {"type": "str"}})
        if options["raw"] == "always":
            return self._read(options, old_only=False)
        error: AnsibleError | None = None
        result: dict[str, Any] = {"failed": True}
        try:
            # A copy: Ansible adds options of its own to what it is given, and a task that is tried again would be refused with them.
            asked = time.time()
            result = self._execute_module(module_name="hafirewall.cluster.node_info", module_args=dict(self._task.args), task_vars=task_vars)
            _note_times(result, asked, time.time())
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as raised:  # the interpreter cannot be found, or the module not be brought there
            error = raised
        if result.get("failed") and options["raw"] == "auto" and options["platform"] in (None, "pfsense"):
            found = self._read(options, old_only=True)
            if not found.get("failed"):
                return found
        if error is not None:
            raise error
        return result

    def _read(self, options: dict[str, Any], old_only: bool) -> dict[str, Any]:
        """The evidence by one command; the answer itself goes nowhere."""
        word = secrets.token_hex(16)
        answer = self._low_level_execute_command(command(word))
        try:
            node = Transcript(word, _readable(answer["stdout"]))
            release = release_of(node)
            if old_only and release.driven:
                raise NodeError(f"{release} is read by the module")
            return dict(collect(node, release, options["sample"], options["readiness"]), changed=False, commands=[])
        except NodeError as error:
            return {"failed": True, "changed": False, "commands": [], "msg": str(error)}


def _note_times(result: dict[str, Any], asked: float, answered: float) -> None:
    """When the node was asked and has answered, by the controller's clock, beside the node's own time: only so clocks of several nodes can be compared."""
    for evidence in (result.get("evidence"), result.get("ansible_facts", {}).get("hafirewall_evidence")):
        clock = ((evidence or {}).get("readiness") or {}).get("clock")
        if clock is not None:
            clock.update(asked=round(asked, 3), answered=round(answered, 3))


def _readable(text: str) -> str:
    """Without carriage returns that a terminal puts in, and with a sign in place of each byte that is no UTF-8."""
    return text.replace("\r\n", "\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
