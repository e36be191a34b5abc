# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module node_info: its documentation tells of all that it returns."""

from __future__ import annotations

import yaml
from ansible_collections.hafirewall.cluster.plugins.modules import node_info


def test_every_area_of_the_evidence_is_documented():
    documented = yaml.safe_load(node_info.RETURN)["evidence"]["contains"]
    assert set(documented) == {"schema", "collected_at", "collected_by", "platform", "os", "kernel", "boot_id", "packages", "engine", "vrrp", "maintenance",
                               "pass_rule", "interfaces", "management", "references", "segment", "traffic", "watch", "readiness", "snapshot", "errors",
                               "config", "config_sync", "state_policy", "state_policy_from", "state_rules"}
