# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What FreeBSD's programs really wrote, for parsers to be tested on; tests/fixtures/freebsd-14.2/README.md tells where it is from."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "freebsd-14.2"


def transcript(name: str) -> str:
    """The output of a command, without the line that names it."""
    return (FOLDER / (name + ".txt")).read_text(encoding="utf-8").split("\n", 1)[1]


def printed(name: str) -> str:
    """How pfctl printed a ruleset that it was given (``a0-pfctl-nf-NAME``)."""
    return transcript("a0-pfctl-nf-%s.A" % name).split("-- pfctl -nvf\n")[1]
