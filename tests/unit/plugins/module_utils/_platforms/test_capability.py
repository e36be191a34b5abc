# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from a module to its provider."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import capability
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.provider import LinuxProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.provider import OpnsenseProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import state_sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.provider import PfsenseProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.provider import Provider
from ansible_collections.hafirewall.cluster.plugins.modules.state_sync import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.opnsense.node import pair as opnsense_pair
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode


class FailingProvider:
    """Changes one thing and fails: what a provider of a broken node does."""

    def __init__(self, node):
        self.node = node

    def state_sync(self, params):
        self.node.act(["true"])
        raise NodeError("broken as %s" % params["word"])


def test_the_running_kernel_names_the_provider():
    assert isinstance(capability.detect(None, Node()), LinuxProvider)


def test_a_node_that_says_that_it_is_pfsense_is_one_whatever_its_kernel(tmp_path):
    assert isinstance(capability.detect(None, PfsenseNode(tmp_path / "node")), PfsenseProvider)


def test_a_node_that_says_that_it_is_opnsense_is_one_whatever_its_kernel(tmp_path):
    assert isinstance(capability.detect(None, opnsense_pair(tmp_path)[0]), OpnsenseProvider)


def test_the_stated_platform_wins(tmp_path):
    assert isinstance(capability.detect("linux", PfsenseNode(tmp_path / "node")), LinuxProvider)


def test_a_capability_that_a_platform_has_not_is_a_clear_error():
    with pytest.raises(NodeError, match="has no lagg for this platform yet; leave the task out for this node"):
        Provider(Node()).lagg({})


CHANGING = ["lagg", "state_sync", "sync_rule", "virtual_ip", "maintenance"]


@pytest.mark.parametrize(("platform", "absent"), [(name, CHANGING if name == "opnsense" else []) for name in capability.PROVIDERS])
def test_a_platform_has_every_capability_or_reads_only(platform, absent):
    provider = capability.PROVIDERS[platform]()
    capabilities = [name for name in vars(Provider) if not name.startswith("_") and callable(getattr(Provider, name))]
    assert capabilities and [name for name in capabilities if name not in vars(provider)] == absent
    for name in absent:
        with pytest.raises(NodeError, match=f"reads and judges OPNsense, and changes nothing there, so it has no {name} for it"):
            getattr(provider(Node()), name)({})


@pytest.mark.parametrize("moment", ["at_load", "at_fresh"])
def test_a_change_that_has_begun_is_finished_when_the_connection_is_cut(tmp_path, moment):
    """On a terminal of its own, as sshd gives one; it is taken away while PHP is at work."""
    node = PfsenseNode(tmp_path / "node")
    node.kernel("pfsync", syncok=0)
    mark, go = tmp_path / "begun", tmp_path / "go"
    node.switch(**{moment: f"touch {mark}; while [ ! -e {go} ]; do sleep 0.1; done"})
    module, terminal = pty.fork()
    if module == 0:
        try:
            capability.outlive_the_connection()
            defaults = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
            state_sync.apply(node.again(), dict(defaults, interface="em2", address="198.51.100.129"))
        finally:
            os._exit(0)
    assert node.wait_for(mark.exists, 30)
    os.close(terminal)
    go.touch()
    os.waitpid(module, 0)
    assert "<pfsyncinterface>opt1</pfsyncinterface>" in node.config and pfsync.running(node).device == "em2"


def test_a_node_reads_no_other_platforms_provider():
    """What is imported is compiled in each run of a module."""
    code = ("import sys; from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import capability, node; "
            "capability.detect('linux', node.Node()); print([name for name in sys.modules if '_platforms.' in name])")
    read = subprocess.run([sys.executable, "-c", code], env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)), check=True, stdout=subprocess.PIPE,
                          encoding="utf-8").stdout
    assert "_platforms.linux.provider" in read and "bsd" not in read and "pfsense.provider" not in read


def test_an_unknown_kernel_is_an_error_and_no_guess(monkeypatch):
    monkeypatch.setattr(capability.platform, "system", lambda: "Plan9")
    with pytest.raises(NodeError, match="runs Plan9, which this collection does not know; it knows: freebsd, linux, openbsd, opnsense, pfsense"):
        capability.detect(None, Node())


def test_an_error_of_the_node_fails_the_module_and_shows_what_was_run(monkeypatch, capsys):
    monkeypatch.setitem(capability.PROVIDERS, "linux", lambda: FailingProvider)
    with patch_module_args({"word": "told"}), pytest.raises(SystemExit):
        capability.run_capability("state_sync", {"word": {"type": "str"}})
    result = json.loads(capsys.readouterr().out)
    assert (result["failed"], result["msg"], result["commands"]) == (True, "broken as told", ["true"])
