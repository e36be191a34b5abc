# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action config_backup: the archive is whole, for its owner only, and what is in it shows nowhere."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import tarfile
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import config_backup
from ansible_collections.hafirewall.cluster.plugins.plugin_utils import _backups
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._backups import BackupError, check

SECRET = b"auth_pass topsecret\n"


def tar(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return whole.getvalue()


def answer(data: bytes | None = None, **more: Any) -> dict[str, Any]:
    data = tar({"/etc/a": SECRET, "/etc/b": b""}) if data is None else data
    return {"changed": False, "archive": base64.b64encode(data).decode(), "sha256": hashlib.sha256(data).hexdigest(),
            "files": [{"path": "/etc/a", "bytes": len(SECRET)}, {"path": "/etc/b", "bytes": 0}], **more}


def run(directory: Any, answered: Any = None, check_mode: bool = False, node: str = "fw1") -> tuple[dict[str, Any], Any]:
    task = MagicMock(spec=Task, action="hafirewall.cluster.config_backup", args={"directory": str(directory)}, async_val=0, check_mode=check_mode, diff=False,
                     delegate_to=None)
    context = SimpleNamespace(check_mode=check_mode, no_log=False)
    action = config_backup.ActionModule(task=task, connection=MagicMock(_play_context=context), play_context=context, loader=MagicMock(),
                                        templar=MagicMock(), shared_loader_obj=MagicMock())
    seen = []

    def execute(**_given: Any) -> Any:
        seen.append(context.no_log)
        return answer() if answered is None else answered
    action._execute_module = MagicMock(side_effect=execute)
    result = action.run(task_vars={"inventory_hostname": node})
    # The connection is told not to print what comes, and only for as long as it comes.
    assert seen == [True] and context.no_log is False
    return result, action._execute_module


def test_the_archive_is_kept_whole_for_its_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        result, module = run(tmp_path / "backup")
    finally:
        os.umask(before)
    [path] = (tmp_path / "backup").iterdir()
    assert re.fullmatch(r"fw1-\d{8}T\d{6}Z\.tar\.gz", path.name) and str(path) == result["path"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(path.read_bytes()).hexdigest() == result["sha256"] and len(path.read_bytes()) == result["bytes"]
    with tarfile.open(path) as archive:
        assert archive.extractfile("etc/a").read() == SECRET
    assert (result["files"], result["changed"], result["written"]) == (["/etc/a", "/etc/b"], False, True)
    assert module.call_args.kwargs["module_name"] == "hafirewall.cluster.config_backup"


def test_nothing_of_the_content_is_in_the_result_nor_in_the_facts(tmp_path):
    result, _module = run(tmp_path)
    text = json.dumps(result)
    assert "topsecret" not in text and answer()["archive"] not in text and "archive" not in result
    fact = result["ansible_facts"]["hafirewall_config_backup"]
    assert fact == {**{key: result[key] for key in ("path", "bytes", "sha256", "files", "taken_at")}, "readable": True}


def test_check_mode_reads_and_keeps_nothing(tmp_path):
    result, module = run(tmp_path / "backup", check_mode=True)
    assert not (tmp_path / "backup").exists() and result["written"] is False and module.call_count == 1
    assert "ansible_facts" not in result


@pytest.mark.parametrize("odd", [{"failed": True, "msg": "no rc.conf", "module_stdout": "auth_pass topsecret", "exception": "topsecret"},
                                 {"changed": False, "module_stdout": "auth_pass topsecret"}, {"archive": None, "stdout": "topsecret"}])
def test_a_failure_passes_on_the_message_and_nothing_else(tmp_path, odd):
    result, _module = run(tmp_path, odd)
    assert set(result) == {"failed", "changed", "msg"} and result["failed"] is True and "topsecret" not in json.dumps(result)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_came_differently_than_it_was_sent_is_not_kept(tmp_path):
    for broken in (answer(sha256="0" * 64), dict(answer(), archive="not base64!")):
        with pytest.raises(AnsibleActionFail, match="did not come as the node sent it"):
            run(tmp_path, broken)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("data", "said"), [
    (b"", "cannot be read"), (b"no archive", "cannot be read"), (tar({"/etc/a": SECRET})[:-12], "cannot be read"),
    (tar({"/etc/a": SECRET}), "lacks files.*/etc/b"),
    (tar({"/etc/a": b"", "/etc/b": b""}), "lacks files.*/etc/a"), (tar({"/etc/a": SECRET, "/etc/b": b"", "/etc/c": b""}), "has others: /etc/c")],
    # The archives hold the time at which they were made.
    ids=["empty", "something else", "cut off", "a file too few", "an empty file", "a file too many"])
def test_an_archive_without_every_file_is_no_backup_and_is_removed(tmp_path, data, said):
    with pytest.raises(AnsibleActionFail, match=said):
        run(tmp_path, answer(data))
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_the_disk_gives_back_differently_is_no_backup(tmp_path, monkeypatch):
    def lose_the_end(directory, contents, mode):
        for path, content in contents.items():
            path.write_bytes(content[:-1])
    monkeypatch.setattr(_backups, "write_whole", lose_the_end)
    with pytest.raises(AnsibleActionFail, match="what was read from the disk is not what was written"):
        run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_file_at_all_is_no_backup():
    with pytest.raises(BackupError, match="no file in the archive"):
        check(tar({}), {})


def test_a_folder_that_cannot_be_written_to_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match="directory: the backup cannot be written to .*/file/backup"):
        run(tmp_path / "file" / "backup")


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AnsibleActionFail, match="No space left on device; give a folder"):
        run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_leads_nowhere_else(tmp_path):
    result, _module = run(tmp_path / "in", node="../fw1")
    assert [str(path) for path in tmp_path.rglob("*.tar.gz")] == [result["path"]] and result["path"].startswith(f"{tmp_path}/in/%2E.%2Ffw1-")


def test_it_refuses_to_run_where_ansible_prints_everything(tmp_path, monkeypatch):
    monkeypatch.setattr(constants.config, "get_config_value", lambda name, *rest, **more: name == "DEFAULT_DEBUG")
    with pytest.raises(AnsibleActionFail, match="ANSIBLE_DEBUG prints all"):
        run(tmp_path)
