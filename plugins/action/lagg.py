# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls the module again until nothing is left, each time over a new connection: that it comes up after a change is what confirms the change."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

POLL_SECONDS = 2.0
# ssh by itself does not notice for hours that nobody answers any more; with this, within half a minute.
_NOTICE = "-o ServerAliveInterval=5 -o ServerAliveCountMax=6"
# What the node needs to go back, and the connection to come up, after the time to go back has come.
GRACE_SECONDS = 120.0


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call that begins, one that waits, one that confirms and begins the next; the last one finds nothing to do."""
        super().run(tmp, task_vars)
        options = dict(self._task.args)
        # A plan says null where a setting is left as it is; of a suboption with choices Ansible takes that for a choice.
        options["laggs"] = [{name: value for name, value in lagg.items() if value is not None} for lagg in options.get("laggs") or []]
        result = self._call(options, task_vars)
        told = [f"the change of {name} by an earlier run was put back by the node itself, because it was not reached again in time or a command failed"
                for name in result.get("put_back") or []]
        answer = result
        if answer.get("next") and self._connection.transport == "ssh":
            self._connection.set_option("ssh_extra_args", f"{self._connection.get_option('ssh_extra_args') or ''} {_NOTICE}".strip())
        while answer.get("next"):
            within = float(answer.get("within") or options.get("rollback_timeout") or 120)
            answer = self._reach(dict(options, stage=answer["next"]), task_vars, within)
            result = _joined(result, answer)
        if told:
            result["warnings"] = [*(result.get("warnings") or []), *told]
        return result

    def _call(self, options: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        return self._execute_module(module_name="hafirewall.cluster.lagg", module_args=options, task_vars=task_vars)

    def _reach(self, options: dict[str, Any], task_vars: dict[str, Any] | None, within: float) -> dict[str, Any]:
        """Call over a new connection, again and again while there is none and the node may still go back."""
        end = time.monotonic() + within + GRACE_SECONDS
        while True:
            try:
                self._connection.reset()
                return self._call(options, task_vars)
            except AnsibleConnectionFailure as error:
                if time.monotonic() >= end:
                    return {"failed": True, "msg": f"the node cannot be reached since the change, although it should have gone back by itself: {error}"}
                time.sleep(POLL_SECONDS)


def _joined(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The result of both calls as one."""
    joined = {**before, **after, "changed": bool(before.get("changed") or after.get("changed"))}
    for name in ("drift", "commands", "diff", "confirmed", "warnings"):
        joined[name] = [*_listed(before.get(name)), *_listed(after.get(name))]
    if after.get("validation") == "not needed":
        joined["validation"] = before.get("validation")
    return joined


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
