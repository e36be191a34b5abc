# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps a node's configuration on the controller. What is in it comes by no result, no diff and no log."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._backups import BackupError, digest, keep
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.saved import file_name

FACT = "hafirewall_config_backup"


class ActionModule(ActionBase):
    """See the documentation of the module of the same name."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False  # Ansible would keep the module's answer in a file on the node

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have the module read, keep what it answers, read that again, and return all but the content."""
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec({"directory": {"type": "path", "required": True}, "platform": {"type": "str"}})
        if constants.config.get_config_value("DEFAULT_DEBUG"):
            raise AnsibleActionFail("ANSIBLE_DEBUG prints all that a module answers, which here are files with their secrets; run this without it")
        variables = task_vars or {}
        node = str(self._task.delegate_to or variables["inventory_hostname"])
        path = Path(options["directory"]).absolute() / file_name(node, time.strftime("-%Y%m%dT%H%M%SZ.tar.gz", time.gmtime()))
        with self._unseen():
            answer = self._execute_module(module_name="hafirewall.cluster.config_backup",
                                          module_args={name: value for name, value in options.items() if value is not None}, task_vars=variables)
        if answer.get("failed") or not isinstance(answer.get("archive"), str):
            # Nothing else of it: where the answer could not be read, Ansible puts it there as it came.
            return {"failed": True, "changed": False, "msg": str(answer.get("msg") or "the module gave no archive; see whether Python works on the node")}
        return self._kept(path, answer)

    def _kept(self, path: Path, answer: dict[str, Any]) -> dict[str, Any]:
        taken_at = round(time.time(), 3)
        files = {str(row["path"]): int(row["bytes"]) for row in answer["files"]}
        try:
            data = base64.b64decode(answer["archive"], validate=True)
        except ValueError:
            data = b""
        if digest(data) != answer["sha256"]:
            raise AnsibleActionFail("the archive did not come as the node sent it; run again")
        if not self._task.check_mode:
            try:
                keep(path, data, files)
            except OSError as error:
                raise AnsibleActionFail(f"directory: the backup cannot be written to {path.parent}: {error.strerror or type(error).__name__}; give a folder "
                                        "in which the user of this run can write, with room in it") from error
            except BackupError as error:
                raise AnsibleActionFail(f"the backup is not good, and was removed: {error}; run again") from error
        found = {"path": str(path), "bytes": len(data), "sha256": answer["sha256"], "files": sorted(files), "taken_at": taken_at}
        if self._task.check_mode:
            return dict(found, changed=False, written=False, msg=f"would write {path}")
        return dict(found, changed=False, written=True, msg=f"wrote {path}", ansible_facts={FACT: dict(found, readable=True)})

    @contextmanager
    def _unseen(self) -> Iterator[None]:
        """The connection prints at -vvv what a module has answered, unless it is told not to."""
        contexts = [context for context in (self._play_context, getattr(self._connection, "_play_context", None)) if context is not None]
        before = [getattr(context, "no_log", None) for context in contexts]
        for context in contexts:
            context.no_log = True
        try:
            yield
        finally:
            for context, value in zip(reversed(contexts), reversed(before)):
                context.no_log = value
