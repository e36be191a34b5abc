# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a failover drill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.drill import drill_result as judge

DOCUMENTATION = r"""
name: drill_result
short_description: Judge a failover drill
version_added: 0.1.0
author:
  - hafirewall.cluster contributors (@hafirewall)
description:
  - Turns what M(hafirewall.cluster.flow_probe) read on both hosts, and what is known about the nodes, into the result of a failover drill.
  - The drill has passed when the active node changed, no packet crossed the wrong node, new connections work, everything is known that the
    judgement needs, and, where states are synchronised, no TCP flow was lost.
options:
  _input:
    description:
      - The drill, with the keys V(state_sync), V(failure) (one of V(power_loss), V(link_cut), V(engine_then_node), V(keepalived_killed),
        V(maintenance)), V(failure_at) (with V(before) and V(after), the seconds since 1970 around the command that caused it), V(client) and
        V(server) (results of M(hafirewall.cluster.flow_probe) with O(hafirewall.cluster.flow_probe#module:state=read)), V(macs) (a list for each node),
        V(old_active), V(new_active), V(advert_interval), V(standby_priority), V(standby_states), and optionally V(clock_uncertainty) (seconds)
        and V(recovery) (with V(at), V(client), V(server), V(active), V(expected_active)).
      - O(hafirewall.cluster.flow_probe#module:since) and O(hafirewall.cluster.flow_probe#module:after) must be the two moments of V(failure_at),
        moved to the clock of the host with P(hafirewall.cluster.clock_offset#filter).
    type: dict
    required: true
seealso:
  - module: hafirewall.cluster.flow_probe
  - plugin: hafirewall.cluster.clock_offset
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Judge the drill
  ansible.builtin.set_fact:
    result: "{{ drill | hafirewall.cluster.drill_result }}"

- name: Fail when it has not passed
  ansible.builtin.assert:
    that: result.passed
    fail_msg: "{{ result.reasons | join('; ') }}"
"""

RETURN = r"""
_value:
  description:
    - The keys V(state_sync), V(failure), V(flows), V(lost), V(gap_ms) and V(stall_ms) (each with V(median), V(p99), V(max)),
      V(detection_limit_ms), V(takeover_ms), V(reconnect_ms), V(standby_states), V(old_active), V(new_active), V(crossed_wrong_node) (packets),
      V(udp_flows), V(udp_sources_changed) (flows), V(measured_from), V(timeline), V(recovery) (when given), V(passed) and V(reasons).
    - V(flows), V(lost) and V(stall_ms) tell of TCP flows (stalls of those that were kept), V(gap_ms) of UDP flows, each in both directions.
    - What is not known is null, and a reason not to pass.
  type: dict
"""


def drill_result(drill: dict[str, Any]) -> dict[str, Any]:
    """The result of one drill."""
    try:
        return judge(drill)
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError("drill_result: the drill lacks %s or has it in another shape than documented" % error) from error
    except ValueError as error:
        raise AnsibleFilterError("drill_result: %s" % error) from error


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Names and functions."""
        return {"drill_result": drill_result}
