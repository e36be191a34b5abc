# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node's I/O: all or nothing, check mode that touches nothing, and errors that say what to do."""

from __future__ import annotations

import errno
import os
import signal
import sys

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import node as node_module
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError, Secret


def test_write_reports_change_once_and_keeps_mode(tmp_path):
    path, node = str(tmp_path / "new" / "file"), Node()
    assert node.write_text(path, "text\n", 0o600) is True
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert node.diffs == [{"before_header": path, "after_header": path, "before": "", "after": "text\n"}]
    again = Node()
    assert again.write_text(path, "text\n", 0o600) is False
    assert again.changed is False


def test_a_file_is_replaced_whole_whoever_has_it_open_reads_the_old_one_to_its_end(tmp_path):
    path = tmp_path / "file"
    path.write_text("old\n")
    with path.open() as reader:
        Node().write_text(str(path), "new\n")
        assert (reader.read(), path.read_text()) == ("old\n", "new\n")


def test_a_link_stays_one_and_what_it_names_is_written(tmp_path):
    file, link, node = tmp_path / "else" / "where", tmp_path / "link", Node()
    file.parent.mkdir()
    file.write_text("old\n")
    link.symlink_to(file)
    with pytest.raises(NodeError), node.transaction():
        node.write_text(str(link), "new\n")
        assert (link.is_symlink(), file.read_text()) == (True, "new\n")
        raise NodeError("later")
    assert (link.is_symlink(), file.read_text()) == (True, "old\n")


def test_a_file_that_cannot_be_removed_is_a_clear_error(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old\n")

    def refuse(_path):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(node_module.os, "unlink", refuse)
    with pytest.raises(NodeError, match="cannot remove .*file: Read-only file system; see to it"):
        Node().remove(str(path))
    assert path.read_text() == "old\n"


def test_a_mode_that_differs_is_a_change_with_a_diff_of_its_own(tmp_path):
    path = tmp_path / "file"
    path.write_text("secret\n")
    path.chmod(0o644)
    node = Node()
    assert node.write_text(str(path), "secret\n", 0o600) is True
    assert (node.diffs[0]["before"], node.diffs[0]["after"]) == ("mode: 0644\n", "mode: 0600\n")


def test_check_mode_records_and_touches_nothing(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("old")
    node = Node(check_mode=True)
    node.write_text(str(kept), "new")
    node.write_text(str(tmp_path / "other"), "new")
    node.remove(str(kept))
    node.act(["touch", str(tmp_path / "touched")])
    assert kept.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["kept"]
    assert node.commands == ["touch %s" % (tmp_path / "touched")]
    assert [diff["after"] for diff in node.diffs] == ["new", "new", ""]


def test_a_failing_transaction_puts_everything_back_newest_first(tmp_path):
    old, new, gone = tmp_path / "old", tmp_path / "new", tmp_path / "gone"
    old.write_text("before")
    old.chmod(0o640)
    gone.write_text("was here")
    undone, node = [], Node()
    with pytest.raises(NodeError, match="false exited with status 1.*everything was put back"), node.transaction():
        node.write_text(str(old), "after")
        node.write_text(str(new), "after")
        node.remove(str(gone))
        node.act(["true"], undo=lambda: undone.append("first"))
        node.act(["true"], undo=lambda: undone.append("second"))
        node.act(["false"])
    assert (old.read_text(), gone.read_text(), new.exists()) == ("before", "was here", False)
    assert old.stat().st_mode & 0o777 == 0o640
    assert undone == ["second", "first"]


def test_an_undo_that_fails_is_told_and_the_others_still_run(tmp_path):
    path, node = tmp_path / "file", Node()
    path.write_text("before")

    def broken():
        raise NodeError("the way back is blocked")

    with pytest.raises(NodeError, match="putting things back failed too: the way back is blocked"), node.transaction():
        node.write_text(str(path), "after")
        node.act(["true"], undo=broken)
        node.act(["false"])
    assert path.read_text() == "before"


@pytest.fixture
def full_disk(monkeypatch):
    """Nothing that is written reaches the disk."""

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(node_module.os, "fsync", full)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_old_file_and_no_rubbish(tmp_path):
    path, node = tmp_path / "file", Node()
    path.write_text("before")
    with pytest.raises(NodeError, match="No space left on device; the old file is untouched, free some space there and run again"):
        node.write_text(str(path), "after")
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.usefixtures("full_disk")
def test_on_a_full_disk_a_transaction_has_nothing_to_write_back(tmp_path):
    path, node = tmp_path / "file", Node()
    path.write_text("before")
    with pytest.raises(NodeError, match=r"run again \(everything was put back as it was\)"), node.transaction():
        node.write_text(str(path), "after")
    assert path.read_text() == "before"


@pytest.mark.parametrize(("argv", "message"), [
    (["no-such-program-here"], "no-such-program-here is not installed on this node"),
    (["sh", "-c", "echo why >&2; exit 3"], "exited with status 3 and said: why"),
])
def test_a_query_that_fails_says_what_failed(argv, message):
    with pytest.raises(NodeError, match=message):
        Node().query(argv)


def test_a_query_that_hangs_is_ended():
    with pytest.raises(NodeError, match="did not end within 0 s"):
        Node().query(["cat", "/dev/zero"], timeout=0.2)


def test_queries_are_no_change_and_run_in_check_mode():
    node = Node(check_mode=True)
    assert node.query(["echo", "seen"]).stdout == "seen\n"
    assert node.changed is False


def test_waiting_ends_with_the_condition_or_the_time():
    answers = iter([False, False, True])
    assert Node().wait_for(lambda: next(answers), timeout=5, interval=0.01) is True
    assert Node().wait_for(lambda: False, timeout=0.05, interval=0.01) is False


def test_a_secret_word_is_run_and_never_shown():
    node = Node()
    assert node.act(["echo", "-n", Secret("hunter2")]).stdout == "hunter2"
    assert node.commands == ["echo -n ********"]
    with pytest.raises(NodeError) as caught:
        node.act(["sh", "-c", 'echo "no: $0" >&2; exit 3', Secret("hunter2")])
    assert "hunter2" not in str(caught.value) and "no: ********" in str(caught.value)


def test_a_diff_has_what_may_be_shown_of_a_file(tmp_path):
    node, path = Node(), tmp_path / "rc.conf"
    path.write_text("pass hunter2\n")
    assert node.write_text(str(path), "pass hunter3\n", redact=lambda text: text.replace("hunter", "*"))
    assert (node.diffs[0]["before"], node.diffs[0]["after"], path.read_text()) == ("pass *2\n", "pass *3\n", "pass hunter3\n")


def test_line_breaks_of_every_kind_come_and_go_as_they_are(tmp_path):
    path, text = tmp_path / "file", "one\r\ntwo\rthree\n"
    path.write_bytes(text.encode())
    assert Node().read_text(str(path)) == text
    with pytest.raises(NodeError), Node().transaction():
        Node().write_text(str(path), text + "four\r\n")
        assert path.read_bytes() == b"one\r\ntwo\rthree\nfour\r\n"
        raise NodeError("something later fails")


@pytest.mark.parametrize("old, new", [(0o640, 0o640), (0o600, 0o600), (None, 0o600)])
def test_without_a_mode_a_file_keeps_its_own_and_a_new_one_is_of_its_owner_alone(tmp_path, old, new):
    path = tmp_path / "file"
    if old is not None:
        path.write_text("old\n")
        path.chmod(old)
    assert Node().write_text(str(path), "new\n", mode=None) is True
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new\n", new)
    assert Node().write_text(str(path), "new\n", mode=None) is False


# What is listened to

SAYS = "import sys, time; print('on stderr', file=sys.stderr, flush=True); print(sys.argv[1], flush=True); time.sleep(600)"


def first_line(stream, begin):
    line = stream.readline()
    begin()
    return line + stream.read()


def test_what_is_listened_to_is_read_as_it_comes_and_ended_in_time():
    found, done = Node().stream([sys.executable, "-c", SAYS, "heard"], 0.1, first_line)
    assert (found, done.status, done.stderr) == (b"heard\n", -signal.SIGTERM, "on stderr\n")


def test_what_is_listened_to_is_ended_when_nobody_wants_more_or_its_reader_fails():
    pids = []

    def fails(stream, begin):
        pids.append(int(stream.readline()))
        raise ValueError("no capture")
    program = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
    with pytest.raises(ValueError, match="no capture"):
        Node().stream(program, 600, fails)
    pids.append(int(Node().stream(program, 600, lambda stream, begin: stream.readline())[0]))
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_what_does_not_end_when_told_to_is_killed(monkeypatch):
    monkeypatch.setattr(node_module, "_PATIENCE", 0.1)
    deaf = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    assert Node().stream([sys.executable, "-c", deaf], 600, lambda stream, begin: stream.readline())[1].status == -signal.SIGKILL


def test_what_never_begins_is_killed(monkeypatch):
    monkeypatch.setattr(node_module, "_START", 0.1)
    found, done = Node().stream([sys.executable, "-c", "import time; time.sleep(600)"], 0.1, lambda stream, begin: stream.read())
    assert (found, done.status) == (b"", -signal.SIGKILL)


def test_what_is_listened_to_does_not_outlive_a_listener_that_is_killed(monkeypatch):
    """The alarm clock that it is given rings also when nobody is left to end it."""
    monkeypatch.setattr(node_module, "_START", 1.0)
    monkeypatch.setattr(node_module, "_PATIENCE", 0.0)
    asked = "import signal; print(signal.alarm(0))"
    assert 3000 < int(Node().stream([sys.executable, "-c", asked], 3600, lambda stream, begin: stream.read())[0]) <= 3601


def test_a_program_that_is_absent_cannot_be_listened_to():
    with pytest.raises(NodeError, match="no-such-program is not installed"):
        Node().stream(["no-such-program"], 1, first_line)
