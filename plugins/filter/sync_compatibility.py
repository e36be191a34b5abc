# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether two nodes can share states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.compatibility import compatibility

DOCUMENTATION = r"""
name: sync_compatibility
short_description: Whether two nodes can share states
version_added: 0.1.0
author:
  - hafirewall.cluster contributors (@hafirewall)
description:
  - Judges, for each direction, whether the states that one node sends are understood by the other, from their releases and from what they say themselves.
    Nodes need not be reachable, so an upgrade can be judged before it is begun.
  - What a node says itself (the keys V(emits) and V(understands)) beats what is known about its release. What is not known stays V(unknown), and is no V(yes).
  - States also have to match on the other node, which depends on names of interfaces and on rules. That is not judged here.
positional: _input, node_b
options:
  _input:
    description:
      - The first node, a dictionary.
      - V(platform) is one of V(pfsense-ce), V(pfsense-plus), V(opnsense), V(freebsd), V(openbsd) and V(linux).
      - V(release) is its release as a text, written as the system writes it. Of V(linux) it is the version of conntrack-tools.
      - V(emits) is optional, the format that the node was seen to send or is set to, and V(understands) the list of those that it understands. Of FreeBSD's
        pfsync since FreeBSD 9 these are V(1301), V(1400) and V(1500), of V(openbsd) and V(linux) versions of the protocol.
      - Of V(linux) the optional V(mode) is conntrackd's (V(ftfw), V(notrack), V(alarm)), and V(kernel) the release of the kernel.
    type: dict
    required: true
  node_b:
    description: The second node, in the same form.
    type: dict
    required: true
seealso:
  - module: hafirewall.cluster.node_info
  - name: Which releases can share states
    description: The same for all releases, as a table.
    link: https://github.com/hafirewall/cluster/blob/main/docs/compatibility.md
"""

EXAMPLES = r"""
- name: Ask before an upgrade of one node
  ansible.builtin.debug:
    msg: "{{ {'platform': 'freebsd', 'release': '14.2-RELEASE'} | hafirewall.cluster.sync_compatibility({'platform': 'freebsd', 'release': '15.0-RELEASE'}) }}"

- name: Stop where connections would be lost on the way back
  vars:
    old: {platform: opnsense, release: "26.1.4", emits: 1400}
    new: {platform: opnsense, release: "26.7.5", emits: 1400}
    answer: "{{ old | hafirewall.cluster.sync_compatibility(new) }}"
  ansible.builtin.assert:
    that:
      - answer.a_to_b == 'yes'
      - answer.b_to_a == 'yes'
    fail_msg: "{{ answer.reason }}{{ '. First: ' ~ answer.pin.how if answer.pin else '' }}"
"""

RETURN = r"""
_value:
  description:
    - V(a_to_b) and V(b_to_a) are V(yes), V(no) or V(unknown).
    - V(pin) has V(node) (V(a) or V(b)), V(format) and V(how). With this format chosen on this node both directions are V(yes). It is null where nothing has to
      be chosen, or where no choice helps.
    - V(lost) is a list of what does not travel although its sender has it, in the format that is used, or that is to be chosen.
    - V(confidence) is V(evidence), V(source read), V(documented), V(derived) or V(unverified), the weakest of what the answer rests on.
    - V(reason) is a text.
  type: dict
"""


def sync_compatibility(node_a: Mapping[str, Any], node_b: Mapping[str, Any]) -> dict[str, Any]:
    """The answer for two nodes."""
    try:
        return compatibility(node_a, node_b)
    except ValueError as error:
        raise AnsibleFilterError("sync_compatibility: %s" % error) from error


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Names and functions."""
        return {"sync_compatibility": sync_compatibility}
