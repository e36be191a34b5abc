# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a pass rule that is in force is there again after a reload and after a reboot."""

from __future__ import annotations

from typing import Callable, List, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_pass, pf_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

IDLE = "pf_enable is not on in rc.conf, so pf does not start at boot"  # FreeBSD's


def kept(node: Node, conf: PfConf, starts: bool, idle: str = IDLE) -> Callable[[Sequence[Rule], Sync], Tuple[bool, List[str]]]:
    """What :func:`..bsd.pass_rule.observe` asks: pfctl prints the rules of the file as it prints those in force.

    Args:
        starts: pf starts at boot.
        idle: for people: why it does not.
    """
    def judge(own: Sequence[Rule], _sync: Sync) -> Tuple[bool, List[str]]:
        reasons = [] if starts else [idle]
        if conf.text is None:
            return False, ["there is no %s" % conf.path, *reasons]
        done = node.query(["pfctl", *conf.flags, "-nvf", conf.path], ok=None)
        if done.status != 0:
            return False, ["pfctl does not take %s: %s" % (conf.path, done.stderr.strip()[-1000:] or "it says nothing"), *reasons]
        written = pf_ruleset.parse(done.stdout)
        if not own:
            return False, ["%s has %s" % (conf.path, "the rule, and it is not in force" if pf_pass.alike(written) else "no such rule"), *reasons]
        if not any(pf_pass.same(one, rule) for one in written for rule in own):
            return False, ["the rule is in force, and not in %s: the next reload removes it" % conf.path, *reasons]
        return starts, reasons
    return judge
