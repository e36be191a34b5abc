# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check's name, what it means and what to do about it. The guide docs/reading_the_report.md has a heading for each id.

A check that several platforms share is told as on Linux; what differs by pfsync and CARP is in ``ON_PF``.
"""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.catalogue_upgrade import BEFORE_UPGRADES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.entry import Entry

CATALOGUE = {
    "roles_disjoint": Entry(
        "Exactly one node is active",
        "Not exactly one node is active",
        "Each virtual IP id is active on exactly one node, that node alone has the addresses, and it is the same node for all ids.",
        "Two active nodes do not hear each other's VRRP: look at the links, the switch and the pass rule between them before anything else. "
        "No active node: look at keepalived and at maintenance on every node. "
        "An address on a node that is not active is a leftover: take it off there, or restart keepalived on it."),
    "states_travel": Entry(
        "States really travel",
        "States do not travel",
        "A marked state made on each node was found on every other node.",
        "Look at engine_running, settings_agree and pass_rule of both nodes, then at the Sync link itself; run site to repair the settings."),
    "formats_agree": Entry(
        "Messages are understood",
        "Messages are not understood",
        "Every node understands the format of messages that every other node sends.",
        "State hafirewall_cluster.sync.format with what the oldest node sends (engine.config.version; none is 1301) and run site; take it out when all nodes "
        "are upgraded."),
    "peer_understood": Entry(
        "Nothing was dropped as not understood",
        "Messages were dropped as not understood",
        "No node has dropped messages of a version or a kind that it does not know. Where it did, and has never taken a state, a peer speaks what it does not.",
        "Look at formats_agree. Counters begin with the boot: after an upgrade set them to zero on the node (netstat -z -s -p pfsync) and verify again. "
        "Only a stranger or another system sends another version: look who is on the Sync network."),
    "bulk_done": Entry(
        "The first states have come",
        "The first states have not come",
        "When the node joined, it got the states that the others had. The kernel shows syncok 1 also when nobody answered; its messages tell the difference.",
        "Put right what pass_rule, sync_speed and formats_agree say first. Then, on the standby, ask again: ifconfig pfsync0 syncdev DEVICE, with its Sync "
        "device. Not on the active node: each such command demotes it for a moment."),
    "engine_running": Entry(
        "The engine runs",
        "The engine does not run",
        "The state-sync engine runs and, with multicast, its interface is in the group.",
        "Read the unit's journal on the node, then run site, which starts the engine, or lets it join again."),
    "state_sync_enabled": Entry(
        "State sync is enabled",
        "State sync is not enabled everywhere",
        "The engine is installed, not masked, enabled at boot and running, on every node.",
        "Run site, which enforces it on every node, the secondaries too. Where hafirewall_cluster.state_sync is false on purpose, this warning is the price: "
        "a failover then loses every connection."),
    "settings_agree": Entry(
        "Settings agree",
        "Settings differ",
        "All nodes run the engine with the settings of the plan: mode, transport, group, port, Sync interface.",
        "Run site in check mode to see the drift per node and setting, then run it to put the plan's settings in place."),
    "config_current": Entry(
        "What runs is what the files say",
        "What runs is not what the files say",
        "The engine and VRRP run with the configuration that is on disk.",
        "Run site: it restarts what is behind its file, the standby first. A restart by hand on the active node can cost connections."),
    "pass_rule": Entry(
        "The pass rule lets sync in",
        "The pass rule is missing, blocked or too broad",
        "The engine's traffic from the Sync network is accepted on the Sync interface, the rule survives a reboot, and it is no broader than needed.",
        "Run site to put the rule in place. Where the reason names a rule of yours that drops first, or is broader than needed, change that one."),
    "sync_isolated": Entry(
        "The Sync network is isolated",
        "The Sync network is not isolated",
        "Only members of the cluster were seen on the Sync segment, and only they sent states. There is no authentication: whoever is there inserts states.",
        "Find the address named in the reason and take it off the segment: a VLAN or a cable of its own for Sync. Until then it may insert states."),
    "sync_dedicated": Entry(
        "The Sync interface is dedicated",
        "The Sync interface is shared",
        "The Sync interface carries nothing but sync.",
        "Give Sync an interface of its own. Sharing that hafirewall_cluster.sync.allow_shared permits works, and stays a warning."),
    "sync_speed": Entry(
        "The Sync link is fast enough",
        "The Sync link is down or too slow",
        "The Sync link is up and at least a tenth as fast as the fastest other link.",
        "Use a faster port for Sync: states of a busy firewall take up to a tenth of the traffic that it carries."),
    "sync_bandwidth": Entry(
        "Sync traffic is in proportion",
        "Sync traffic is out of proportion",
        "Sync traffic as it was seen on the Sync network, against the traffic that the cluster carried meanwhile, and against its own link.",
        "Much sync for little traffic means many short connections: look for a flood of them, or use a faster Sync link."),
    "mtu_equal": Entry(
        "MTU is equal",
        "The MTU differs",
        "The Sync interfaces of all nodes have one MTU.",
        "Set the same MTU on every node's Sync interface and on the switch between them."),
    "pfsync_mtu": Entry(
        "Full packets leave",
        "Full packets do not leave",
        "pfsync0 makes no packets larger than its Sync device or the kernel can send.",
        "Set the MTU of pfsync0 to that of its Sync device, and to at most 4080 before FreeBSD 15, where site does not: ifconfig pfsync0 mtu 1500, and mtu in "
        "pfsync_ifconfig, or on OpenBSD in hostname.pfsync0."),
    "laggs_equal": Entry(
        "LAGGs are the same on all nodes",
        "LAGGs differ between nodes",
        "Every node has the planned LAGGs, with the same names and protocols.",
        "Run site: it makes what is missing, one interface at a time, the standby first."),
    "lagg_members": Entry(
        "All LAGG members are up",
        "A LAGG member is missing or down",
        "Every planned member is in its LAGG and has a link.",
        "Look at the cable, the port and the switch of the member that is named. One that is no member at all is put back by site."),
    "lagg_lacp": Entry(
        "LACP really aggregates",
        "LACP does not aggregate",
        "LACP found a partner, and all members of the LAGG are in one aggregator, collecting and distributing.",
        "The ports at the other end must be in one LACP group, of the same speed, on one switch or on switches that act as one."),
    "lagg_spare": Entry(
        "No LAGG hangs on a single member",
        "A LAGG hangs on a single member",
        "Where two members or more are planned, two can carry the traffic.",
        "The LAGG works now and fails with the next cable: bring the other members back."),
    "host_ids": Entry(
        "Host ids are distinct",
        "Host ids are not distinct, or not as planned",
        "Every node marks the states that it makes with an id of its own, and no node holds states of anybody else.",
        "Give each node a hafirewall_node.host_id of its own and run site: cloned machines may share the id that is made for them. "
        "States of a foreign id that stay: look who else is on the Sync network."),
    "devices_equal": Entry(
        "Devices have the same names where it matters",
        "Device names differ, and states are bound to them",
        "Every logical interface has the same device, or a LAGG of the same name, on all nodes; or states are not bound to names.",
        "Plan a LAGG of one name for the interface (the guide LAGG), or let states float with hafirewall_cluster.state_policy: floating."),
    "state_interfaces": Entry(
        "The interfaces of states are everywhere",
        "States name interfaces that other nodes do not have",
        "Every interface that a state is bound to is there, under that name, on every other node.",
        "Give the interface one name on all nodes, by a LAGG (the guide LAGG) or by renaming it, or let states float with hafirewall_cluster.state_policy: "
        "floating. Do not name the other node's interface in a rule: the state is then taken, for an interface that does not exist."),
    "rules_equal": Entry(
        "Rules are the same on all nodes",
        "Rules differ",
        "The checksum of pf's rules is the same on all nodes, so that a state finds its own rule on each.",
        "Load the same pf.conf on all nodes, with the same names of interfaces and no address of a single node in a rule. Until then connections live on, "
        "without what their rule gives them."),
    "state_policy_equal": Entry(
        "The state policy is equal",
        "The state policy differs",
        "All nodes have one state policy, the planned one where one is planned.",
        "State hafirewall_cluster.state_policy and run site: nothing carries that setting from node to node."),
    "demotion": Entry(
        "CARP is not demoted",
        "CARP is demoted",
        "No node holds itself back: CARP's demotion is 0.",
        "Something on the node says that it is unfit: a link with virtual addresses that is down, states that have not come yet, or a setting by hand. Put "
        "that right. What then stays is taken off by adding its negative (sysctl net.inet.carp.demotion=-240), on pfSense by the button under Status, CARP."),
    "carp_agrees": Entry(
        "CARP is set as planned",
        "CARP is not set as planned",
        "Every planned vhid is on every node, with the planned advskew and advbase.",
        "Run site. Where it comes back, the primary's configuration sync sets it: see config_sync."),
    "config_sync": Entry(
        "The configuration goes one way",
        "The configuration goes the wrong way, or undoes something",
        "The primary alone sends its configuration, to a member, and its next save deletes nothing there that the plan wants.",
        "On a secondary, empty the address under System, High Availability, Configuration Synchronization. What the next save would delete: run site, "
        "which makes it on the primary too."),
    "interface_keys": Entry(
        "Interfaces are assigned alike",
        "Interfaces are not assigned alike",
        "Every logical interface is the same one (wan, lan, opt1, ...) in the product's configuration on all nodes.",
        "Assign the interfaces in the same order on all nodes. Until then a rule that the primary sends may be for another interface there."),
    "config_versions": Entry(
        "Configuration versions are equal",
        "Configuration versions differ",
        "The configurations of all nodes have one version; between two versions the product sends nothing.",
        "Upgrade the node that is behind, the standby first."),
    "versions_equal": Entry(
        "Versions are equal",
        "Versions differ",
        "All nodes run the same versions of the engine, VRRP and kernel.",
        "Upgrade the node that is behind, the standby first. A difference during an upgrade is expected and should not stay."),
    "quiet_states": Entry(
        "Quiet states are kept alive",
        "Quiet states may age out on the standby",
        "Long-lived, quiet connections are refreshed on the standby before they age out there.",
        "Run site to enable the refresh, and read its journal on the active node where it is enabled but late. "
        "Where hafirewall_cluster.sync.refresh_interval is 0, it was turned off on purpose."),
    "maintenance": Entry(
        "No node is in maintenance",
        "A node is in maintenance",
        "Every node may take over.",
        "When the work is done, let the node come back with the maintenance playbook. Until then the cluster has one node less to fail over to."),
    **BEFORE_UPGRADES,
}
# What is otherwise with pfsync and CARP.
ON_PF = {
    "roles_disjoint": CATALOGUE["roles_disjoint"]._replace(
        meaning="Each virtual IP id is active on exactly one node, and on the same one for all. CARP has the addresses on every node; the active one answers.",
        remedy="Two active nodes do not hear each other's CARP: look at the links, the switch and the password before anything else. "
               "No active node: look at CARP's status and at maintenance on every node. A standby without an address could not take it over: run site."),
    "states_travel": CATALOGUE["states_travel"]._replace(
        meaning="Every node holds states that each other node made. pf has no way to insert a state that could be looked for, but each says who made it.",
        remedy="Look at engine_running, settings_agree, pass_rule and devices_equal of both nodes, then at the Sync link itself, and whether both releases "
               "understand each other's messages (formats_agree); run site to repair the settings."),
    "engine_running": CATALOGUE["engine_running"]._replace(
        meaning="pfsync0 is up on its Sync device, and has got the states of the others since it began.",
        remedy="Run site, which applies the setting again. All states of the others not here yet: they do not come, look at states_travel."),
    "state_sync_enabled": CATALOGUE["state_sync_enabled"]._replace(
        meaning="State sync is in the configuration of every node, and pfsync0 runs."),
    "settings_agree": CATALOGUE["settings_agree"]._replace(
        meaning="All nodes run pfsync with the settings of the plan: transport, peer, Sync interface and address; and with one format of messages."),
    "config_current": CATALOGUE["config_current"]._replace(
        name="What runs is what is configured",
        trouble="What runs is not what is configured",
        meaning="pfsync0 runs as the node's configuration says.",
        remedy="Run site, which applies the configuration again; a device that was assigned anew needs that."),
    "versions_equal": CATALOGUE["versions_equal"]._replace(
        meaning="All nodes run the same release on the same base system, and what is installed on them.",
        remedy="Upgrade the node that is behind, the standby first. Nodes with different base systems may not share states; a difference should not stay. "
               "A kernel that is installed and does not run waits for a reboot."),
    "quiet_states": CATALOGUE["quiet_states"]._replace(
        meaning="Not needed: pfsync sends an update of each state that traffic passes by.",
        remedy="There is nothing to do."),
}


def entry(check_id: str, engine: str | None) -> Entry:
    """What a person must know about a check, on nodes of this engine."""
    own = ON_PF.get(check_id) if engine == "pfsync" else None
    return own or CATALOGUE.get(check_id, UNKNOWN_ENTRY)


def meanings(engines: Collection[str | None], made: Collection[str]) -> dict[str, Entry]:
    """The checks that were made, as they are on nodes of these engines."""
    told = {check_id: one for check_id, one in CATALOGUE.items() if check_id in made}
    if set(engines) == {"pfsync"}:
        return {check_id: ON_PF.get(check_id, one) for check_id, one in told.items()}
    if "pfsync" not in engines:
        return told
    return {check_id: one._replace(meaning=f"{one.meaning} With pfsync: {ON_PF[check_id].meaning}") if check_id in ON_PF else one
            for check_id, one in told.items()}


# What to do when a check could not be judged, whichever it is.
UNJUDGED = "The evidence for it is missing. Make the node readable (reachable, its packages installed, the reason gone) and verify again."
UNKNOWN_ENTRY = Entry("A check that this page does not know", "A check that this page does not know", "", "Read its reason.")
