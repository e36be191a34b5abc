# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test double of the variables of all hosts as Ansible hands them to a plugin."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError


class HostVars(dict[str, dict[str, Any]]):
    """Ansible's hostvars as far as the reader uses them: evaluated by item, unevaluated by raw_get, which is counted."""

    def __init__(self, raw: dict[str, dict[str, Any]], evaluated: dict[str, Any] | None = None) -> None:
        super().__init__({host: Variables(variables, evaluated or {}) for host, variables in raw.items()})
        self.reads: list[str] = []

    def raw_get(self, host: str) -> dict[str, Any]:
        self.reads.append(host)
        return dict(self[host])


class Variables(dict[str, Any]):
    """Variables of a host, some of which are templates: what they evaluate to, or the error."""

    def __init__(self, raw: dict[str, Any], evaluated: dict[str, Any]) -> None:
        super().__init__(raw)
        self.evaluated = evaluated

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        found = self.evaluated.get(str(value), value)
        if isinstance(found, AnsibleError):
            raise found
        return found
