# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs this collection's real playbooks on simulated nodes, in this one process.

Everything is Ansible's own and the collection's: plays, roles, templates, action plugins, the modules with their argument specifications. Test doubles take
two places. Where Ansible starts a process for each task, the task runs here. Where a module would be sent to a node, it runs here, on the simulated node of
that host, whose kernel it finds in the place of this machine's.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Callable, NamedTuple
from unittest import mock

import yaml
from ansible import context
from ansible.executor.playbook_executor import PlaybookExecutor
from ansible.executor.process.worker import WorkerProcess
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.module_utils.testing import patch_module_args
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars, load_options_vars
from ansible.vars.manager import VariableManager
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import capability

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
COLLECTION = "hafirewall.cluster."
# Tasks of the controller's own that change nothing on a node and need no module.
_ELSEWHERE = "simulated nodes run the modules of this collection only, and this is %s"


class Execution(NamedTuple):
    """One execution of a module on a node."""

    host: str
    module: str
    result: dict[str, Any]


class Run(NamedTuple):
    """A playbook's run.

    Attributes:
        status: 0 when it went well.
        executions: modules on nodes, in their order.
        failures: what failed tasks said, with their hosts.
    """

    status: int
    executions: list[Execution]
    failures: list[tuple[str, str]]

    def count(self, host: str) -> int:
        """How many module executions a node saw."""
        return sum(execution.host == host for execution in self.executions)

    @property
    def changed(self) -> list[tuple[str, str]]:
        """Hosts and modules that changed something, or would have."""
        return [(execution.host, execution.module) for execution in self.executions if execution.result.get("changed")]

    @property
    def commands(self) -> dict[str, list[str]]:
        """By host: the commands that changed it, or would have."""
        return {host: [command for execution in self.executions if execution.host == host for command in execution.result.get("commands") or []]
                for host in dict.fromkeys(execution.host for execution in self.executions)}


class Simulation:
    """Nodes by the name of their host, and the time that they share.

    Args:
        system: what the kernels call themselves, as ``FreeBSD``.
        nodes: by host; each is asked for itself again for every module, with or without check mode.
        sleep: lets seconds pass for all of them.
        monotonic: seconds of the clock that sleep moves.
        folder: where the inventory is written.
    """

    def __init__(self, system: str, nodes: Mapping[str, Any], sleep: Callable[[float], None], monotonic: Callable[[], float], folder: Path) -> None:
        self.system, self.nodes, self.sleep, self.monotonic, self.folder = system, nodes, sleep, monotonic, folder

    def role(self, name: str, hostvars: Mapping[str, Mapping[str, Any]], check: bool = False, **extra: Any) -> Run:
        """Run a role of this collection on all hosts, as a playbook of one play does."""
        path = self.folder / "role.yml"
        path.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "roles": [COLLECTION + name]}]), encoding="utf-8")
        return self.play(path, hostvars, check, **extra)

    def play(self, name: str | Path, hostvars: Mapping[str, Mapping[str, Any]], check: bool = False, **extra: Any) -> Run:
        """Run a playbook of this collection.

        Args:
            name: as ``site``, or the path of any other playbook.
            hostvars: the inventory: variables by host.
            check: in check mode.
            extra: what ``-e`` would give.
        """
        inventory = self.folder / "inventory.yml"
        hosts = {host: {**variables, "ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"} for host, variables in hostvars.items()}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
        executions: list[Execution] = []
        failures: list[tuple[str, str]] = []
        loader = DataLoader()
        context.CLIARGS = ImmutableDict(
            connection="local", module_path=None, forks=1, become=None, become_method=None, become_user=None, become_ask_pass=False, check=check, diff=True,
            extra_vars=[json.dumps(extra)], syntax=None, start_at_task=None, listhosts=None, listtasks=None, listtags=None, verbosity=0, private_key_file=None,
            remote_user=None, ssh_common_args="", ssh_extra_args="", sftp_extra_args="", scp_extra_args="", timeout=10, tags=["all"], skip_tags=[],
            flush_cache=False, inventory=[str(inventory)], subset=None, task_timeout=0, args=[], ignore_certs=False, force_handlers=False, step=False)
        # Ansible, which plays once for each process, reads these two once.
        load_extra_vars.extra_vars = load_options_vars.options_vars = None
        found = InventoryManager(loader=loader, sources=[str(inventory)])
        path = name if isinstance(name, Path) else PLAYBOOKS / (name + ".yml")
        executor = PlaybookExecutor([str(path)], found, VariableManager(loader=loader, inventory=found), loader, {})
        with self._here(executions, failures):
            status = executor.run()
        return Run(int(status), executions, failures)

    @contextlib.contextmanager
    def _here(self, executions: list[Execution], failures: list[tuple[str, str]]) -> Iterator[None]:
        """Ansible with its tasks and its modules in this process."""
        def execute(action: Any, module_name: str | None = None, module_args: dict[str, Any] | None = None, task_vars: dict[str, Any] | None = None,
                    **_more: Any) -> dict[str, Any]:
            name, arguments = module_name or action._task.action, dict(action._task.args if module_args is None else module_args)
            assert name.startswith(COLLECTION), _ELSEWHERE % name
            action._update_module_args(name, arguments, task_vars or {})
            host = (task_vars or {}).get("ansible_delegated_vars") and action._task.delegate_to or (task_vars or {})["inventory_hostname"]
            result = self._module(name[len(COLLECTION):], arguments, host)
            executions.append(Execution(host, name[len(COLLECTION):], result))
            return json.loads(json.dumps(result))

        def tell(_manager: Any, event: str, *arguments: Any, **_more: Any) -> None:
            # What Ansible would show to people.
            if event in ("v2_runner_on_failed", "v2_runner_on_unreachable"):
                failures.append((arguments[0].host.get_name(), str(arguments[0]._return_data.get("msg"))))

        with contextlib.ExitStack() as stack:
            for target, attribute, double in (
                (WorkerProcess, "start", _in_process), (ActionBase, "_execute_module", execute), (capability.platform, "system", lambda: self.system),
                (TaskQueueManager, "send_callback", tell), (Display, "display", lambda *_arguments, **_more: None),
            ):
                stack.enter_context(mock.patch.object(target, attribute, double))
            # The controller waits for nodes whose time is not this machine's.
            for module in ("settle", "lagg"):
                clock = importlib.import_module("ansible_collections.hafirewall.cluster.plugins.action." + module)
                stack.enter_context(mock.patch.object(clock, "time", mock.Mock(sleep=self.sleep, monotonic=self.monotonic)))
            yield

    def _module(self, name: str, arguments: dict[str, Any], host: str) -> dict[str, Any]:
        module = importlib.import_module("ansible_collections.hafirewall.cluster.plugins.modules." + name)
        node, said = self.nodes[host], io.StringIO()
        with mock.patch.object(capability, "Node", node.again), patch_module_args(arguments), \
                mock.patch.object(capability, "outlive_the_connection"), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            module.main()
        return dict(json.loads(said.getvalue()))


def _in_process(worker: Any) -> None:
    """Run a task where Ansible would start a process for it; what the process would forget at its end, as the arguments with this host's values in them, is
    forgotten on a copy."""
    worker._host, worker._task = copy.copy(worker._host), worker._task.copy()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        worker._run()
