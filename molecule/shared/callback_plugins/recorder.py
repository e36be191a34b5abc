# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records what a run really did, as JSON lines in the file that HAFW_RECORD names.

Two kinds of lines: ``{"event": "module", "host", "module"}`` for every module execution and every raw command, those inside action plugins
included, and ``{"event": "result", "host", "task", "changed", "files", "commands"}`` for every task's result. HAFW_KILL_AFTER="HOST ACTION" ends the
run's own process group with SIGKILL after that action's result on that host: a run that dies half-way.
"""

from __future__ import annotations

import functools
import json
import os
import signal
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

RECORD = os.environ.get("HAFW_RECORD", "")
KILL_AFTER = os.environ.get("HAFW_KILL_AFTER", "").split()


def write(**event: Any) -> None:
    """Append one line; the workers and the main process share the file."""
    if RECORD:
        with open(RECORD, "a", encoding="utf-8") as handle:
            handle.write(json.dumps(event, sort_keys=True, default=str) + "\n")


def counted(method: Any, name_of: Any) -> Any:
    """A method of ActionBase that also records which host it worked on."""

    @functools.wraps(method)
    def wrapper(self: ActionBase, *args: Any, **kwargs: Any) -> Any:
        name = name_of(self, args, kwargs)
        if name:
            delegated = getattr(self._task, "delegate_to", None)
            write(event="module", host=delegated or (kwargs.get("task_vars") or {}).get("inventory_hostname") or self._play_context.remote_addr, module=name)
        return method(self, *args, **kwargs)

    return wrapper


def module_name(action: ActionBase, args: Any, kwargs: Any) -> str:
    """The module that is executed: the one named, or the task's own."""
    return str(kwargs.get("module_name") or (args[0] if args else None) or action._task.action)


def raw_name(action: ActionBase, _args: Any, _kwargs: Any) -> str | None:
    """A raw command is an execution too; other low-level commands belong to a module that is counted already."""
    return "raw" if action._task.action in ("raw", "ansible.builtin.raw") else None


class CallbackModule(CallbackBase):
    """The recorder; loaded only where it is enabled by name."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        # The workers are forked from this process, so they inherit the counting methods.
        setattr(ActionBase, "_execute_module", counted(ActionBase._execute_module, module_name))  # noqa: B010
        setattr(ActionBase, "_low_level_execute_command", counted(ActionBase._low_level_execute_command, raw_name))  # noqa: B010

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task's result on one host."""
        values = result.result if hasattr(result, "result") else result._result
        host, task = result._host.get_name(), result._task
        diffs = values.get("diff") or []
        diffs = diffs if isinstance(diffs, list) else [diffs]
        write(event="result", host=host, task=task.get_name(), action=str(task.action), changed=bool(values.get("changed")),
              files=[diff.get("after_header") for diff in diffs if isinstance(diff, dict)], commands=values.get("commands") or [])
        if KILL_AFTER and [host, str(task.action)] == KILL_AFTER:
            os.killpg(os.getpgrp(), signal.SIGKILL)
