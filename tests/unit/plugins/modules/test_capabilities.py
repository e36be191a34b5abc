# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doors to the providers: each calls the capability of its name, and its documentation and examples tell of the options that it takes."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.provider import Provider

CAPABILITIES = sorted(name for name, _method in inspect.getmembers(Provider, inspect.isfunction) if not name.startswith("_"))


def door(name: str) -> ModuleType:
    return importlib.import_module(f"ansible_collections.hafirewall.cluster.plugins.modules.{name}")


def agree(documented: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert sorted(documented) == sorted(arguments)
    for name, argument in arguments.items():
        for key in ("type", "elements", "choices", "default", "required"):
            assert documented[name].get(key) == argument.get(key), (name, key)
        assert ("options" in argument) == ("suboptions" in documented[name]), name
        agree(documented[name].get("suboptions", {}), argument.get("options", {}))


@pytest.mark.parametrize("name", CAPABILITIES)
def test_documentation_and_arguments_agree(name: str) -> None:
    agree(yaml.safe_load(door(name).DOCUMENTATION)["options"], door(name).ARGUMENTS)


@pytest.mark.parametrize("name", CAPABILITIES)
def test_main_calls_the_capability_of_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(door(name), "run_capability", lambda *given, **_rules: calls.append(given))
    door(name).main()
    assert calls == [(name, door(name).ARGUMENTS)]


@pytest.mark.parametrize("name", CAPABILITIES)
def test_examples_use_known_options(name: str) -> None:
    tasks = [task for task in yaml.safe_load(door(name).EXAMPLES) if f"hafirewall.cluster.{name}" in task]
    assert tasks
    for task in tasks:
        assert set(task[f"hafirewall.cluster.{name}"] or {}) <= {"platform", *door(name).ARGUMENTS}


@pytest.mark.parametrize(("name", "needed"), [("state_sync", ["interface", "address"]), ("sync_rule", ["interface", "network"])])
def test_what_is_enabled_needs_its_place(name: str, needed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rules: list[Any] = []
    monkeypatch.setattr(door(name), "run_capability", lambda *_given, **more: rules.append(more))
    door(name).main()
    assert rules == [{"required_if": [("enabled", True, needed)]}]
