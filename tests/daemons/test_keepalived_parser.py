# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived's own parser speaks up about mistakes, so its silence in ``test_rendered_plans_real.py`` says something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import render
from ansible_collections.hafirewall.cluster.tests.daemons.keepalived_pair import Pair
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import options


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("parser"))
    yield made
    made.remove()


def judged(pair: Pair, text: str) -> tuple[int, str]:
    Path(pair.a.folder / "keepalived.conf").write_text(text)
    done = pair.a.test()
    return done.returncode, done.stdout


def test_the_parser_does_judge(pair: Pair) -> None:
    text = render(options())
    assert judged(pair, text) == (0, "")
    for broken in (text.replace("priority 200", "priority 300"), text + "bogus\n", text.replace("interface lan0", "interface nosuch0"),
                   text.replace("advert_int 1", "advert_int 0.123")):
        status, said = judged(pair, broken)
        assert (status, said) != (0, "")
