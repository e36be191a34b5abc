# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks that are made before an upgrade: name, meaning, and what to do. The guide docs/reading_the_report.md has a heading for each id."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.entry import Entry

BEFORE_UPGRADES = {
    "cluster_healthy": Entry(
        "The cluster is healthy",
        "The cluster is not healthy",
        "One node is active for every id, none holds itself back, and none was left in maintenance.",
        "Put right what roles_disjoint, demotion and maintenance say, and upgrade then: an upgrade hands the traffic over more than once."),
    "sync_live": Entry(
        "States travel now",
        "States do not travel now",
        "What each node has made is on every other node, as states_travel found it just now, and is kept alive there.",
        "Put right what states_travel and quiet_states say. Without states on the standby the first handover of the upgrade costs every connection."),
    "bulk_ended": Entry(
        "The first states have all come",
        "The first states have not all come",
        "The transfer that each node asked for when it joined has ended well.",
        "Wait until it has ended. Where it failed, see bulk_done and engine_running, and let the standby ask again."),
    "tables_level": Entry(
        "The standby has as many states",
        "The standby lags behind",
        "The tables of states of standby and active node differ by no more than the threshold.",
        "Wait, and check again. A standby that stays behind gets no states of some rules or interfaces: see states_travel and devices_equal. "
        "A cluster with many short connections may need a larger upgrade_check_thresholds.tables_percent."),
    "rule_present": Entry(
        "The pass rule is in place",
        "The pass rule is not in place",
        "The engine's traffic gets in on every node, also after the reboot that the upgrade brings.",
        "Run site, which puts the rule where a reload and a reboot find it; see pass_rule."),
    "settings_level": Entry(
        "Settings are level",
        "Settings are not level",
        "All nodes have the settings of the plan, so that what differs after the upgrade is what the upgrade changed.",
        "Run site, and check again."),
    "mtu_within": Entry(
        "The MTU fits",
        "The MTU does not fit",
        "The Sync interfaces have one MTU, and no more than the kernel sends.",
        "Set one MTU of at most 4080 on all Sync interfaces and on pfsync0: 1500 always works."),
    "free_disk": Entry(
        "There is room on the disks",
        "A disk is too full",
        "Every file system that an upgrade writes to has the room that the thresholds ask for.",
        "Make room on it: old packages, old kernels, old logs. Or set upgrade_check_thresholds.free_disk_mib to what this upgrade really needs."),
    "nothing_running": Entry(
        "Nothing is at work",
        "A package manager or an upgrade is at work",
        "No upgrade and no package manager runs on any node.",
        "Wait until it has ended. One that hangs is looked at, not killed: it may be in the middle of a package."),
    "nothing_pending": Entry(
        "Nothing waits for a reboot",
        "Something waits for a reboot",
        "No upgrade was begun and not ended, and no new kernel waits to be booted.",
        "End what was begun, and reboot the node by the maintenance playbook. The upgrade then begins from what is known."),
    "nothing_unapplied": Entry(
        "No change waits to be applied",
        "A change waits to be applied",
        "What is stored is in force, so that the boot brings no change that nobody has in mind.",
        "Apply the change, or take it back, and see for yourself that the node does what it should. Then upgrade."),
    "clocks_close": Entry(
        "The clocks agree",
        "The clocks do not agree",
        "No two clocks of the cluster differ by more than the threshold.",
        "Let a time service keep the clock of every node. Two clocks that differ make logs of a failover hard to read, and certificates fail."),
    "certificates_valid": Entry(
        "Certificates are valid",
        "A certificate has ended or ends soon",
        "The certificates of the web interfaces, by which the configuration is sent, last for the days of the threshold.",
        "Renew it under System, Certificates, on the node that is named."),
    "jobs_in_window": Entry(
        "No job is in the way",
        "A job is in the way",
        "No scheduled job changes packages, the filter or the network, or reboots, within the window of the upgrade.",
        "Stop the job for the time of the upgrade (systemctl stop NAME.timer, a sign # before the line, or atrm NUMBER), or choose another time."),
    "packages_equal": Entry(
        "Packages are equal",
        "Packages differ",
        "All nodes have the same packages in the same versions, and would install the same.",
        "Bring the nodes level first, the standby first. A difference that is meant to be: upgrade_check_thresholds.packages_differing."),
    "known_bad": Entry(
        "Nothing is known against this change",
        "This change of releases is known to go wrong",
        "No entry in the list of changes that went wrong elsewhere fits a node, and none of your own.",
        "Do what the reason says before the upgrade, or choose another release."),
    "config_backup": Entry(
        "The configuration is backed up",
        "There is no good backup of the configuration",
        "A backup of every node's configuration is off the node, fresh, and was read again after it was written.",
        "Take one with hafirewall.cluster.config_backup, and check again."),
    "way_back": Entry(
        "There is a way back",
        "There is no way back",
        "Every node has a boot environment or a snapshot to go back to, not older than the threshold.",
        "Make one now (bectl create NAME; a snapshot of the volume or of the machine). Where it is outside of the node, say so with "
        "upgrade_check_thresholds.way_back_outside."),
}
