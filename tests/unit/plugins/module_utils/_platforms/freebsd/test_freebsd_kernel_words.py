# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pf's table and the kernel's messages tell, read from what real kernels said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, pf, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import bulk, state_sync
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.transcripts import transcript

SILENT = pfsync.Pfsync(True, "em1", None, 1400, True)


def answered(tmp_path: Path, argv: object, listing: str) -> str:
    """What the pipeline prints on a machine whose pfctl prints this."""
    (tmp_path / "listing").write_text(listing, encoding="utf-8")
    program = tmp_path / "pfctl"
    program.write_text("#!/bin/sh\ncat %s/listing\n" % tmp_path, encoding="utf-8")
    program.chmod(0o755)
    path = "%s:%s" % (tmp_path, os.environ["PATH"])
    return str(subprocess.run(argv, env=dict(os.environ, PATH=path), stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout)


def test_states_are_counted_on_the_node_by_maker_and_interface(tmp_path: Path) -> None:
    found = pf.counted(answered(tmp_path, pf.IN_TABLE, transcript("35-pfctl-ss-vv.A")))
    listing = transcript("35-pfctl-ss-vv.A")
    assert found.creators == {"a": listing.count("creatorid: 0000000a")}
    assert found.interfaces["all"] == listing.count("\nall ")
    other = pf.counted(answered(tmp_path, pf.IN_TABLE, transcript("35-pfctl-ss-vv.B")))
    assert set(other.creators) == {"a", "b"}
    assert sum(other.creators.values()) == transcript("35-pfctl-ss-vv.B").count("creatorid:")


def test_a_table_without_states_is_empty(tmp_path: Path) -> None:
    assert pf.counted(answered(tmp_path, pf.IN_TABLE, "")) == pf.Table({}, {})


def test_states_of_pfsync_and_carp_that_would_travel_are_found_and_no_others(tmp_path: Path) -> None:
    marked = transcript("35-pfctl-ss-vv.A")
    assert answered(tmp_path, state_sync._UNMARKED, marked) == ""
    lost = marked.replace("rule 3, no-sync", "rule 3")
    assert answered(tmp_path, state_sync._UNMARKED, lost) .split() == ["7b13046b00000000/0000000a", "8213046b00000000/0000000a"]


@pytest.mark.parametrize(("name", "told"), [("71-reapply-unchanged-syncdev-on-master.A.console", "done"), ("d0-dead-peer-bulk-fail.A.console", "failed")])
def test_only_the_kernels_message_tells_done_from_failed(name: str, told: str) -> None:
    said = pfsync.messages(transcript(name))
    assert pfsync.bulk(SILENT, said) == told
    assert pfsync.bulk(SILENT._replace(bulk_done=False), said) == "pending"
    assert pfsync.bulk(SILENT, []) is None


def test_the_reasons_of_a_demotion_are_those_since_there_was_none() -> None:
    assert carp.demotions(transcript("71-reapply-unchanged-syncdev-on-master.A.console")) == []
    text = ("carp: demoted by 240 to 240 (pfsync bulk start)\ncarp: demoted by -240 to 0 (pfsync bulk done)\n"
            "carp: demoted by 240 to 240 (interface down)\ncarp: demoted by 240 to 480 (sysctl)\n")
    assert carp.demotions(text) == [{"by": 240, "why": "interface down"}, {"by": 240, "why": "sysctl"}]


@pytest.mark.parametrize(("before", "after", "new"), [
    (["start", "done"], ["start", "done"], []), ([], ["start"], ["start"]), (["start", "fail"], ["start", "fail", "start", "done"], ["start", "done"]),
    # The oldest are gone.
    (["start", "done", "start", "fail"], ["fail", "start", "done"], ["start", "done"]), (["start", "done"], [], []),
])
def test_only_what_the_kernel_said_since_then_counts(before: object, after: object, new: object) -> None:
    assert bulk.since(before, after) == new  # type: ignore[arg-type]
