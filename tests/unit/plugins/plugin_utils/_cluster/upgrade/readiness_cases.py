# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs of nodes that are fit for an upgrade, of each platform; a test changes what it is about and judges."""

from __future__ import annotations

from typing import Any

import test_checks
import test_checks_freebsd
import test_checks_opnsense
import test_checks_pfsense
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import judge
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness import judge_readiness
from check_cases import Case

# Of each platform, who knows a healthy pair; what its probe found; the release that runs, and one to upgrade to.
PLATFORMS: dict[str, tuple[Any, dict[str, Any], str, str]] = {
    "linux": (test_checks, {"fw1": {"2": 60}, "fw2": {"1": 60}}, "12", "12.15"),
    "freebsd": (test_checks_freebsd, {}, "14.2-RELEASE", "14.3-RELEASE"),
    "pfsense": (test_checks_pfsense, {}, "2.8.0", "2.8.1"),
    "opnsense": (test_checks_opnsense, {}, "26.1.4", "26.1.6"),
}
NOW = 1_796_000_000.0
DAY, MIB = 86_400.0, 1024 * 1024


def readiness_of(platform: str, comes: str) -> dict[str, Any]:
    """What a node that is fit says of itself."""
    certificates = [{"name": "webConfigurator default (web interface)", "expires": NOW + 300 * DAY}] if platform in ("pfsense", "opnsense") else []
    return {
        "disk": [{"mount": "/", "free": 5000 * MIB, "total": 20000 * MIB}, {"mount": "/boot", "free": 300 * MIB, "total": 500 * MIB}],
        "clock": {"at": NOW, "synchronised": True, "offset": 0.001, "source": "chrony", "asked": NOW - 0.5, "answered": NOW + 1.0},
        "busy": [], "pending": {"reboot": False, "stage": None}, "unapplied": [], "certificates": certificates,
        "jobs": [{"name": "/etc/crontab:3", "next": NOW + 60, "what": "/usr/libexec/atrun"},
                 {"name": "apt-daily-upgrade.timer", "next": NOW + 6 * 3600, "what": "apt-daily-upgrade.service"}],
        "packages": {"sudo": "1.9.15", "curl": "8.9.1"}, "candidate": {"release": comes, "packages": {"curl": "8.10.0"}},
        "way_back": {"kind": "boot environment", "available": True, "names": ["before"], "newest": NOW - DAY},
    }


class ReadinessCase(Case):
    """A pair, with settings and targets of its own."""

    def __init__(self, platform: str) -> None:
        known, probe, runs, comes = PLATFORMS[platform]
        super().__init__(known.plan_of, known.evidence_of, probe)
        self.settings: dict[str, Any] = {}
        self.targets: dict[str, str | None] = {}
        for evidence in self.evidence.values():
            evidence["readiness"] = readiness_of(platform, comes)
            evidence["backup"] = {"path": "/srv/backup.tar.gz", "bytes": 2048, "files": ["/etc/hosts"], "taken_at": NOW - 60, "readable": True}
            evidence["collected_at"] = NOW
            evidence["engine"].get("refresh", {}).update(last_run=NOW - 5)
            evidence.setdefault("os", {"id": "debian", "version": runs})
            evidence["engine"].setdefault("tables", {"kernel": 1000, "kernel_max": 100000, "internal": 900, "external": None})
            evidence["engine"].setdefault("mtu", 1500)
            evidence["engine"].setdefault("counters", {}).setdefault("sent_messages", {})["state-insert"] = 5

    def results(self) -> list[dict[str, Any]]:
        judged = judge(self.plans, self.evidence, self.probe, 60)
        return judge_readiness(self.plans, self.evidence, judged, self.settings, self.targets)

    def threshold(self, **values: Any) -> ReadinessCase:
        """Set thresholds."""
        self.settings.setdefault("thresholds", {}).update(values)
        return self
