# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a host's clock is from the controller's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.drill import clock_offset

DOCUMENTATION = r"""
name: clock_offset
short_description: How far a host's clock is from the controller's
version_added: 0.1.0
author:
  - hafirewall.cluster contributors (@hafirewall)
description:
  - Compares a host's clock, as RV(hafirewall.cluster.flow_probe#module:clock) tells it, with the controller's clock just before and after the module ran.
  - An offset that is no larger than its own uncertainty cannot be told from none, and is returned as 0.
positional: _input, before, after
options:
  _input:
    description: The host's clock, in seconds since 1970.
    type: float
    required: true
  before:
    description: The controller's clock before the host's was read, in seconds since 1970.
    type: float
    required: true
  after:
    description: The controller's clock after the host's was read, in seconds since 1970.
    type: float
    required: true
seealso:
  - module: hafirewall.cluster.flow_probe
"""

EXAMPLES = r"""
- name: Keep the client's offset
  ansible.builtin.set_fact:
    offset: "{{ talking.clock | hafirewall.cluster.clock_offset(before, after) }}"
"""

RETURN = r"""
_value:
  description: The V(offset) to add to the controller's time to get the host's, and its V(uncertainty), both in seconds.
  type: dict
"""


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Names and functions."""
        return {"clock_offset": clock_offset}
