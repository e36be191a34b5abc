# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's door: documentation, arguments, refusals, and that each state does its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.processes import ProbeError
from ansible_collections.hafirewall.cluster.plugins.modules import flow_probe


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        flow_probe.main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []
    monkeypatch.setattr(flow_probe.probe, "listen", lambda params, check: made.append(("listen", params["address"], check)) or {"changed": True})
    monkeypatch.setattr(flow_probe.probe, "talk", lambda params, check: made.append(("talk", params["peer"], check)) or {"changed": True})
    monkeypatch.setattr(flow_probe.probe, "stop", lambda name, check: made.append(("stop", name, check)) or {"changed": False})
    monkeypatch.setattr(flow_probe.reading, "read", lambda params: made.append(("read", params["since"], params["until"])) or {"clock": 5.0})
    return made


def test_documentation_and_arguments_agree():
    documented = yaml.safe_load(flow_probe.DOCUMENTATION)["options"]
    assert set(documented) == set(flow_probe.ARGUMENTS)
    for name, argument in flow_probe.ARGUMENTS.items():
        for key in ("type", "choices", "default", "required"):
            assert documented[name].get(key) == argument.get(key), (name, key)


def test_each_state_does_its_own(capsys: pytest.CaptureFixture[str], calls: list[Any]):
    assert run(capsys, state="listening", address="192.0.2.1")["changed"] is True
    assert run(capsys, state="talking", peer="192.0.2.1", _ansible_check_mode=True)["changed"] is True
    read = run(capsys, state="read", since=5.5, until="survived")
    assert (read["changed"], read["clock"]) == (False, 5.0)
    assert run(capsys, state="stopped", name="x")["clock"] > 1.7e9
    assert calls == [("listen", "192.0.2.1", False), ("talk", "192.0.2.1", True), ("read", 5.5, "survived"), ("stop", "x", False)]


@pytest.mark.parametrize(("options", "message"), [
    ({"state": "listening"}, "address"),
    ({"state": "talking"}, "peer"),
    ({"state": "read", "until": "survived"}, "since"),
    ({"state": "read", "after": 5}, "since"),
    ({"state": "read", "name": "../up"}, "name must be"),
    ({"state": "read", "name": "a\n"}, "name must be"),
    ({"state": "talking", "peer": "x", "port": 0}, "port must be 1 to 65535, not 0"),
    ({"state": "talking", "peer": "x", "flows": 60001}, "flows must be 0 to 60000"),
    ({"state": "talking", "peer": "x", "tcp_interval": 0.01}, "tcp_interval must be 0.1 to 60"),
    ({"state": "talking", "peer": "x", "flows": 0, "udp_flows": 0}, "nothing to measure"),
])
def test_what_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], calls: list[Any], options: dict[str, Any], message: str):
    result = run(capsys, **options)
    assert result["failed"] is True
    assert message in result["msg"]
    assert calls == []


def test_an_error_of_the_probe_is_the_modules(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def fail(params: Any) -> None:
        raise ProbeError("no probe named default runs")

    monkeypatch.setattr(flow_probe.reading, "read", fail)
    assert run(capsys, state="read")["msg"] == "no probe named default runs"
