# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pfSense configuration of 5 MB costs on a node: CPU seconds of the modules' Python, which plans the change, and of PHP, which reads it.

Run with ``make bench``, or with the folder that holds ``ansible_collections`` in ANSIBLE_COLLECTIONS_PATH: ``python benchmarks/pfsense.py [--json]``.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

from bench import install_collection, parser

RULES, PACKAGES = 6000, 290
ROUNDS = 3
# Seconds of Python for planning, which is what may grow with the configuration.
LIMIT = 1.0


def children() -> float:
    """CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured() -> tuple[int, list[dict[str, Any]]]:
    """Bytes of the configuration, and for each module the figures of a run in check mode that has something to do."""
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import info, state_sync, sync_rule, virtual_ip
    from ansible_collections.hafirewall.cluster.plugins.modules import state_sync as state_sync_module
    from ansible_collections.hafirewall.cluster.plugins.modules import sync_rule as sync_rule_module
    from ansible_collections.hafirewall.cluster.plugins.modules import virtual_ip as virtual_ip_module
    from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.large import large
    from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

    class Counted(PfsenseNode):
        """Adds up what PHP takes."""

        php_cpu = 0.0

        def query(self, argv: Any, *arguments: Any, **more: Any) -> Any:
            before = children()
            try:
                return super().query(argv, *arguments, **more)
            finally:
                self.php_cpu += children() - before if argv[0] == "php" else 0.0

    def options(module: Any, **stated: Any) -> dict[str, Any]:
        return {**{name: argument.get("default") for name, argument in module.ARGUMENTS.items()}, **stated}

    sync = {"interface": "em2", "network": "198.51.100.128/28"}
    address = {"name": "lan_10_ipv4", "interface": "em1", "id": 10, "family": "ipv4", "addresses": ["192.0.2.1/24", "192.0.2.9/24"],
               "advskew": 100, "advbase": 1}
    asked: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "state_sync": (state_sync.apply, options(state_sync_module, address="198.51.100.129", **sync)),
        "sync_rule": (sync_rule.apply, options(sync_rule_module, **sync)),
        "virtual_ip": (virtual_ip.apply, options(virtual_ip_module, name="edge", instances=[address], password="secret")),
        "node_info": (info.collect, {}),
    }
    with tempfile.TemporaryDirectory() as folder:
        made = PfsenseNode(Path(folder) / "node", release="2.7.2-RELEASE", config=large(RULES, PACKAGES))
        written = made.php('write_config("as the product writes it"); filter_configure_sync();')
        if written.status != 0:
            raise SystemExit(f"the stand-in did not take the configuration: {written.stderr}")
        figures = []
        for name, (run, stated) in asked.items():
            python = php = 0.0
            for _round in range(ROUNDS):
                node = Counted(made.root, check_mode=True)
                start = time.process_time()
                if not run(node, stated).get("drift", True):
                    raise SystemExit(f"{name} found nothing to do")
                python += (time.process_time() - start) / ROUNDS
                php += node.php_cpu / ROUNDS
            figures.append({"module": name, "python_cpu_seconds": python, "php_cpu_seconds": php})
        return made.config_path.stat().st_size, figures


def main() -> None:
    """Print a table, or with --json the figures alone."""
    parsed = parser(__doc__).parse_args()
    install_collection()
    size, figures = measured()
    if parsed.json:
        print(json.dumps({"bytes": size, "modules": figures}))
        return
    print(f"a configuration of {size / 1e6:.1f} MB, {RULES} rules")
    print(f"{'module':12}  {'CPU s, Python':>13}  {'CPU s, PHP':>10}")
    for figure in figures:
        print(f"{figure['module']:12}  {figure['python_cpu_seconds']:>13.3f}  {figure['php_cpu_seconds']:>10.3f}")
    most = max(figure["python_cpu_seconds"] for figure in figures)
    print(f"The most that a module's Python takes is {most:.2f} s, {'within' if most < LIMIT else 'NOT within'} {LIMIT:g} s.")


if __name__ == "__main__":
    main()
