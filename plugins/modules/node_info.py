#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_info
short_description: Read all evidence of a cluster node
version_added: 0.1.0
description:
  - Reads in one call what a node of the cluster is and does, and changes nothing.
  - What cannot be read is V(none) in the evidence and has its reason in RV(evidence.errors). Nothing is guessed.
  - A pfSense that is too old for modules gives evidence by its shell; see O(raw).
  - The evidence is also set as the fact C(hafirewall_evidence), where M(hafirewall.cluster.check) finds it.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
  - hafirewall.cluster.attributes.node
attributes:
  platform:
    support: full
    platforms: freebsd, linux, openbsd, opnsense, pfsense
    description: Platforms that the module drives.
  facts:
    support: full
    description: Returns an C(ansible_facts) dictionary that updates existing host facts.
options:
  sync_interface:
    description:
      - Device on the Sync network.
      - Needed with O(sample=true) when the engine does not run; otherwise the running engine's own interface is used, on platforms with
        pfsync also the configured one.
    type: str
  sync_network:
    description:
      - The Sync network, with its prefix length.
      - The pass rule is judged against it, and with O(sample=true) its addresses are asked for.
    type: str
  sample:
    description:
      - Listen on the Sync network for about a second, count who sends states there, and measure the traffic of all interfaces meanwhile.
      - Sends ARP requests for every address of O(sync_network) when that is IPv4 and has at most 256 addresses,
        and an ICMPv6 echo request to all nodes of the link from each IPv6 address that the node has there.
      - On platforms with pfsync a datagram to port 9 of each address makes the kernel send the ARP requests, and its tables of neighbours are read.
        They remember who was there within the last 20 minutes. To listen, the system's C(tcpdump) is run for about two seconds.
    type: bool
    default: false
  readiness:
    description:
      - Read what matters before an upgrade too, RV(evidence.readiness).
      - Nothing is fetched and no catalogue is renewed. What the node would install is told by the catalogues that it has.
    type: bool
    default: false
  snapshot:
    description:
      - Read also what is of use only when two moments are compared, the routes, neighbours, services, tunnels, gateways, and digests of
        the files of the configuration.
      - M(hafirewall.cluster.snapshot) does so by itself.
    type: bool
    default: false
  raw:
    description:
      - Whether to read pfSense by its shell instead, with a single command that only reads and needs no Python on the node.
      - With V(auto) that is done where the module fails and the node turns out to be an older release than CE 2.6 or Plus 22.01, from 2.0 on.
        Where it is not, the task fails as the module did.
      - With V(always) the module is not run. That works on all releases of pfSense, and on no other platform.
      - With V(never) only the module is run.
      - The pass rule, the connection that came in, what names a device, and who is on the Sync network are then not known, each with its reason in
        RV(evidence.errors). Passwords stay on the node, for of its configuration only what is needed is taken, by name.
    type: str
    choices: [auto, always, never]
    default: auto
seealso:
  - module: hafirewall.cluster.check
  - module: hafirewall.cluster.sync_watch
"""

EXAMPLES = r"""
- name: Read the evidence of a node
  hafirewall.cluster.node_info:
  register: node

- name: Show what the node is doing
  ansible.builtin.debug:
    msg: "{{ node.evidence.vrrp.instances | items2dict(key_name='name', value_name='state') }}"

- name: Read it again while listening on the Sync network
  hafirewall.cluster.node_info:
    sync_interface: sync0
    sync_network: 198.51.100.128/28
    sample: true

- name: Read what matters before an upgrade too
  hafirewall.cluster.node_info:
    readiness: true

- name: Read a pfSense that is older than CE 2.6, or whose Python cannot be used
  hafirewall.cluster.node_info:
    raw: always
"""

RETURN = r"""
evidence:
  description: What was read, the same as the fact C(hafirewall_evidence).
  returned: success
  type: dict
  contains:
    schema:
      description: Version of this structure.
      type: int
      sample: 1
    collected_at:
      description: When it was read, in seconds since 1970 by the node's own clock.
      type: float
    collected_by:
      description: V(raw) where it was read by the shell; otherwise not there.
      type: str
    platform:
      description: Platform of the node.
      type: str
      sample: linux
    os:
      description:
        - C(id) and C(version) of the distribution, or of the product.
        - On pfSense also its C(edition), V(CE) or V(Plus), on OPNsense V(community), V(business) or V(development), and C(base), the release of FreeBSD that it
          is built on.
        - On FreeBSD the C(version) is that of the running kernel. C(userland) and C(installed_kernel) are the releases of these two.
        - On OpenBSD the C(version) is that of the running kernel, and these two are V(none).
      type: dict
      sample: {id: debian, version: "12"}
    kernel:
      description: Release of the running kernel.
      type: str
    boot_id:
      description: Name of this boot, a new one means that the node was rebooted. On FreeBSD and OpenBSD it is the second in which the kernel began.
      type: str
    config:
      description: C(version) and last C(revision) (C(time), C(description), C(username)) of the product's configuration. pfSense, and OPNsense without a
        version.
      type: dict
      sample: {version: "23.3", revision: {time: 1795000000, description: "admin@192.0.2.9: changed", username: admin}}
    config_sync:
      description: Where the node sends its configuration (C(target), V(none) for nowhere), and which C(sections) of it. pfSense and OPNsense only.
      type: dict
      sample: {target: 198.51.100.130, sections: [rules, virtualip]}
    packages:
      description: Versions of the packages that the cluster uses; V(none) for one that is not installed. Linux only.
      type: dict
      sample: {conntrack: "1:1.4.7-1+b2", conntrackd: "1:1.4.7-1+b2", keepalived: "1:2.2.7-1+b2", nftables: "1.0.6-2"}
    engine:
      description:
        - The sync engine - C(installed), C(enabled), C(masked), C(running), its C(config) as running, whether that is the file's (C(config_current)),
          whether its interface has C(joined) the multicast group, its C(counters), the sizes of its C(tables), and the C(refresh) of quiet states.
        - On platforms with pfsync also whether the packet C(filter) runs, whether no transfer of the other nodes' states is under way (C(synced); one
          that has failed counts as ended), the C(host_id) that marks the node's own states, the C(creators) of all states that it holds, the C(checksum) of the
          ruleset, by which states are linked to rules, the C(mtu) of pfsync0, and the format of messages that is C(pinned) across reboots, on pfSense by
          this collection. A C(version) of V(none) in C(config) is a kernel that has one format.
        - On pfSense also whether an C(empty) element switches it on.
        - On FreeBSD and OPNsense also C(most_mtu), with more than which this kernel sends nothing (V(none) for any), what came of the last transfer of the
          other nodes'
          states by the kernel's own messages (C(bulk), V(done), V(failed) or V(pending), V(none) when they do not tell), and how many states there are by
          creator (C(states_by_creator)) and by the interface that they name (C(states_by_interface), V(all) for those that float). With more than 200,000
          states these two are V(none).
        - On OpenBSD C(synced) is V(true) while CARP is demoted by less than 32, and V(none) otherwise, for the kernel does not tell it. The numbers by creator
          and by interface are told as on FreeBSD, without the states of pfsync's and CARP's own packets.
      type: dict
    vrrp:
      description:
        - The virtual addresses' service - C(installed), C(enabled), C(running), C(config_current), and C(instances) with their state.
        - On platforms with pfsync also the C(demotion) of CARP, on OpenBSD that of the group C(carp).
        - On FreeBSD, OpenBSD and OPNsense also what the kernel said of it since CARP was last not demoted (C(demotion_why), C(by) and C(why) each).
      type: dict
    maintenance:
      description: Whether the node is in maintenance.
      type: bool
    state_policy:
      description: V(if-bound) or V(floating), V(none) where it is not known. On FreeBSD and OpenBSD it is what C(pf.conf) says. Not on Linux.
      type: str
    state_policy_from:
      description: Whether the policy is V(configured) or the release's V(default). Not on Linux.
      type: str
    state_rules:
      description: How many rules in force make states that are C(bound) to an interface, and how many name one for a route (C(routed)). Not on
        Linux.
      type: dict
      sample: {bound: 0, routed: 2}
    pass_rule:
      description:
        - Whether the packet filter passes the engine's traffic - C(filtered), C(present), C(persistent), C(effective), rules that are C(broader)
          than needed, C(blockers), and the C(rules) with their position and counters.
      type: dict
    interfaces:
      description:
        - All interfaces but the loopback. C(speed) is in Mbit/s, V(none) when the driver reports none.
        - On pfSense and OPNsense with the product's C(key) (wan, lan, opt1, V(none) when it is assigned to nothing) and C(description).
      type: list
      elements: dict
      sample:
        - {name: sync0, mac: "02:00:00:00:00:01", mtu: 1500, speed: 10000, up: true, addresses: ["198.51.100.129/28"],
           rx_bytes: 4096, tx_bytes: 4096, rx_packets: 32, tx_packets: 32}
    management:
      description: Where the connection came in, C(device), C(address), and C(via), the device that the answers leave by; V(none) when over no network.
      type: dict
      sample: {device: lan0, address: 192.0.2.2, via: lan0}
    references:
      description: What else on the node names a device, C(device), C(kind), C(where) and C(text) each.
      type: list
      elements: dict
    segment:
      description:
        - Who was seen on the Sync network - the C(interface), for how many C(seconds), how many addresses were C(asked) for,
          whether IPv6 nodes were asked too (C(echo)), and the C(neighbours) with C(address), C(mac) and C(how) they were seen.
        - V(none) without O(sample=true).
      type: dict
      sample: {interface: sync0, seconds: 1.0, asked: 13, echo: true, neighbours: [{address: "198.51.100.130", mac: "02:00:00:00:00:02", how: arp}]}
    traffic:
      description:
        - Bytes that each interface received and sent within C(seconds), without this module's own asking around.
        - V(none) without O(sample=true).
      type: dict
      sample: {seconds: 1.0, interfaces: {sync0: {rx_bytes: 1200, tx_bytes: 1200}}}
    watch:
      description:
        - Who sent messages of a sync engine meanwhile - the C(interface), for how many C(seconds), how many C(packets), whether there may have been more
          (C(truncated)), and the C(senders) as RV(hafirewall.cluster.sync_watch#module:senders) has them, without C(member).
        - V(none) without O(sample=true).
      type: dict
      sample: {interface: sync0, seconds: 1.0, packets: 0, truncated: false, senders: []}
    readiness:
      description:
        - What matters before an upgrade. A key that could not be read is V(none), and RV(evidence.errors) has its reason under C(readiness.KEY).
        - V(none) without O(readiness=true), and where the node was read by its shell.
      type: dict
      contains:
        disk:
          description: File systems that an upgrade writes to, with C(mount), and C(free) and C(total) in bytes.
          type: list
          elements: dict
          sample: [{mount: /, free: 3221225472, total: 10737418240}]
        clock:
          description:
            - The node's time when all this was read (C(at), in seconds since 1970), and how many seconds that took (C(took)).
            - Whether a time service keeps the clock (C(synchronised), V(none) where that is not told), by how many seconds it says that the clock is off
              (C(offset), V(none) where it does not say), and which one (C(source)).
            - Also when the controller asked and when it was answered, by the controller's clock (C(asked), C(answered)).
          type: dict
          sample: {at: 1795000000.5, took: 0.8, synchronised: true, offset: -0.0012, source: chrony, asked: 1795000000.1, answered: 1795000001.3}
        busy:
          description: Upgrades and package managers that run, C(what) and C(pid) each.
          type: list
          elements: dict
          sample: [{what: apt-get, pid: 4711}]
        pending:
          description: Whether what was installed waits for a C(reboot), V(none) where that is not told, and which C(stage) an upgrade waits for.
          type: dict
          sample: {reboot: false, stage: null}
        unapplied:
          description:
            - What was changed and is not in force. On pfSense and OPNsense the parts of the configuration, on Linux units, on FreeBSD and OpenBSD files
              to merge.
          type: list
          elements: str
          sample: [filter]
        certificates:
          description:
            - On pfSense and OPNsense the certificate of the web interface and those of its authorities, with C(name) and when each C(expires), in seconds
              since 1970.
            - Empty on other platforms, which send no configuration from node to node.
          type: list
          elements: dict
          sample: [{name: "webConfigurator default (web interface)", expires: 1829000000}]
        jobs:
          description:
            - Scheduled jobs of cron, at(1), anacron(8) and systemd, by the file and line, the file or the timer (C(name)), when each runs C(next), in seconds
              since 1970, V(none) where that is not known, and C(what) it runs, V(none) where that cannot be told.
            - Of a command only programs and well-known words are told, for the rest may be a secret. Jobs of each boot are left out.
            - Where a command starts the scripts of a folder, with run-parts(8) or FreeBSD's periodic(8), the paths of those that it would start follow. Those
              that leave their work to a timer of systemd are left out where systemd runs, and of a line that begins with C(test -x PROGRAM ||) nothing but
              C(test) is told while the program is there.
            - Anacron runs a job at some hour of a day, and batch(1) when the load is low. C(next) is the earliest moment then.
            - Jobs of at(1) are read on Linux (Debian, Fedora and their kin), FreeBSD and OpenBSD, not on pfSense. The scripts that OpenBSD's C(/etc/daily) runs
              besides, as C(/etc/daily.local), are not looked into.
          type: list
          elements: dict
          sample: [{name: apt-daily-upgrade.timer, next: 1795031000, what: apt-daily-upgrade.service}]
        packages:
          description: All installed packages with their versions, on OpenBSD the patches of the system too.
          type: dict
          sample: {keepalived: "1:2.2.7-1+b2"}
        candidate:
          description:
            - What an upgrade would bring by the catalogues on the node, the C(release) and the C(packages) with their new versions.
            - FreeBSD and OpenBSD do not tell a release without asking a mirror, so there it is V(none). The packages of OpenBSD are not told either.
          type: dict
          sample: {release: "12.15", packages: {unzip: "6.0-28+deb12u1"}}
        way_back:
          description:
            - Boot environments beside the one that runs, or snapshots of the system's file system, with their C(kind) (V(none) where the node can have
              neither), whether one is C(available), their C(names), and when the C(newest) was made, in seconds since 1970, V(none) where that is not told.
          type: dict
          sample: {kind: boot environment, available: true, names: [before], newest: 1794990000}
    snapshot:
      description:
        - C(routes) by family, C(count) and C(rows) (C(destination), C(gateway), C(device)); of more than 2000 routes only their number.
        - C(neighbours), C(address), C(mac) and C(device) each.
        - C(services) that run. On FreeBSD, pfSense and OPNsense these are the ports at which a program listens.
        - C(files), the SHA-256 of each file that the node is configured by, or on pfSense and OPNsense of each section of its configuration. Lines and
          elements that
          may hold a secret are left out of it, so that none can be guessed from it.
        - C(wireguard), peers with C(name) (device and public key), C(state) (V(up), V(down) or V(quiet)) and C(told), without any other key.
        - C(ipsec), C(bgp), C(ospf) and C(ospf6), the tunnels and neighbours in the same form; on pfSense and OPNsense C(gateways) too. A state of V(none)
          is not known.
        - Not there without O(snapshot=true), and not where the node was read by its shell.
      type: dict
    errors:
      description: What could not be read (C(area)) and the C(reason).
      type: list
      elements: dict
commands:
  description: Commands that changed something; always empty.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

ARGUMENTS = {
    "sync_interface": {"type": "str"},
    "sync_network": {"type": "str"},
    "sample": {"type": "bool", "default": False},
    "readiness": {"type": "bool", "default": False},
    "snapshot": {"type": "bool", "default": False},
    # Read by the action plugin, which runs this module or does without.
    "raw": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
}


def main() -> None:
    """Read the evidence of this node."""
    run_capability("node_info", ARGUMENTS)


if __name__ == "__main__":
    main()
