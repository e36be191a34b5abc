#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what a failover does to the flows between two hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flow_probe
short_description: Measure what a failover does to the flows between two hosts
version_added: 0.1.0
author:
  - hafirewall.cluster contributors (@hafirewall)
description:
  - Keeps TCP and UDP flows talking between two hosts on either side of a firewall cluster, and remembers at the receivers what arrived when.
  - The server's side listens, the client's side talks, both are read after the failure. The measuring processes run on in the background
    and end by themselves.
  - Each end of a TCP flow sends a numbered message of 16 bytes at its own cadence, without waiting for answers. A flow has survived when both
    ends received bytes that were sent after the failure, on the same connection.
  - Each end of a UDP flow does the same at a much faster cadence, and so tells how long nothing got through.
  - As root it also records which link-layer address delivered each datagram, and so which node of the cluster forwarded it.
  - The client also tries a new connection every 100 ms, and so tells how soon new connections work again.
  - It needs nothing but Python on both hosts. All traffic goes to one port of the server, TCP and UDP.
extends_documentation_fragment:
  - hafirewall.cluster.attributes
attributes:
  diff_mode:
    support: none
    description: Starts and stops processes, for which there is no difference to show.
options:
  state:
    description:
      - V(listening) starts the server's side.
      - V(talking) starts the client's side, and returns when every flow has been answered.
      - V(read) returns the measurements so far and stops nothing.
      - V(stopped) ends the processes and removes all traces. The connections are reset.
      - With V(listening) and V(talking), a probe of the same O(name) with other options is stopped first.
    type: str
    required: true
    choices:
      - listening
      - talking
      - read
      - stopped
  name:
    description: Name of the probe on this host, so that several can run at once. Lower-case letters, digits and hyphens.
    type: str
    default: default
  address:
    description: Address of this host that the server's side listens on. Required with O(state=listening).
    type: str
  peer:
    description: Address or name of the host whose server's side is to be talked to. Required with O(state=talking).
    type: str
  port:
    description: Port of the server's side, for TCP and for UDP.
    type: int
    default: 7700
  flows:
    description:
      - Number of TCP flows. Must be the same on both sides.
      - One process carries up to 5000 of them, fewer where the host allows fewer open files.
    type: int
    default: 100
  udp_flows:
    description: Number of UDP flows, each going both ways. Must be the same on both sides.
    type: int
    default: 20
  tcp_interval:
    description: Seconds between two messages of a TCP flow, each way.
    type: float
    default: 1.0
  udp_interval:
    description: Seconds between two messages of a UDP flow, each way.
    type: float
    default: 0.01
  lifetime:
    description: Seconds after which the processes end by themselves, whatever happens.
    type: float
    default: 600
  timeout:
    description: Seconds to wait at most, for all flows to be answered (O(state=talking)) or for O(until).
    type: float
    default: 60
  since:
    description:
      - With O(state=read), the moment just before the failure was caused, in seconds since 1970 by this host's clock.
      - All times in the result are relative to it. Without it only counts are returned.
    type: float
  after:
    description:
      - With O(state=read), the moment at which the failure was complete, in seconds since 1970 by this host's clock.
      - Only bytes sent after it count as a sign that a flow has survived. Defaults to O(since).
    type: float
  window:
    description: With O(state=read), the seconds after O(since) that silences and deliveries are reported for. They begin 1 s before O(since).
    type: float
    default: 60
  until:
    description:
      - With O(state=read), wait before reading.
      - V(survived) waits until every flow has received bytes sent after O(after), or cannot any more because its connection is gone.
    type: str
    choices:
      - survived
notes:
  - Both ends learn from the UDP flows how far apart their clocks are, and judge the times in messages by it.
  - The processes for UDP, deliveries and new connections raise their priority where they may, so that load is not measured as an outage.
"""

EXAMPLES = r"""
- name: Listen on the server
  hafirewall.cluster.flow_probe:
    state: listening
    address: 203.0.113.100
    flows: 2000

- name: Talk from the client
  hafirewall.cluster.flow_probe:
    state: talking
    peer: 203.0.113.100
    flows: 2000

- name: Read both sides after a failure, once every flow is back
  hafirewall.cluster.flow_probe:
    state: read
    since: "{{ failure.before }}"
    after: "{{ failure.after }}"
    until: survived

- name: Stop
  hafirewall.cluster.flow_probe:
    state: stopped
"""

RETURN = r"""
processes:
  description: Number of measuring processes on this host.
  returned: with O(state=listening), O(state=talking) and O(state=read)
  type: int
  sample: 4
opened:
  description: TCP flows that were opened and answered.
  returned: with O(state=talking), not in check mode
  type: int
  sample: 2000
udp_heard:
  description: UDP flows that were answered.
  returned: with O(state=talking), not in check mode
  type: int
  sample: 20
clock:
  description: This host's clock when the module ended, in seconds since 1970.
  returned: always
  type: float
  sample: 1795000000.25
role:
  description: Which side this host is, V(client) or V(server).
  returned: with O(state=read)
  type: str
  sample: client
satisfied:
  description: Whether every flow has survived; null when O(until) was not asked for.
  returned: with O(state=read)
  type: bool
  sample: true
peer_clock:
  description: The other host's clock minus this one's, as RV(ignore:offset_ms), and how wrong that can be, as RV(ignore:uncertainty_ms). Null
    when nothing has been heard by UDP.
  returned: with O(state=read)
  type: dict
  sample: {"offset_ms": 0.01, "uncertainty_ms": 0.2}
counts:
  description: Raw counts of each process.
  returned: with O(state=read), without O(since)
  type: dict
  sample: {"udp": {"flows": 20, "heard": 20, "clock": [0, 200000]}}
read_ms:
  description: When the measurements were read, in ms after O(since).
  returned: with O(state=read) and O(since)
  type: int
  sample: 2500
cpu_seconds:
  description: Processor time that each process has used so far.
  returned: with O(state=read) and O(since)
  type: dict
  sample: {"tcp-0": 1.5, "udp": 2.25}
tcp:
  description: What the TCP flows tell; null without TCP flows.
  returned: with O(state=read) and O(since)
  type: dict
  contains:
    flows:
      description: Number of flows asked for.
      type: int
    opened:
      description: Number of flows that were connected.
      type: int
    open:
      description: Number of flows whose connection still stands.
      type: int
    survived:
      description: Number of flows that have received bytes sent after O(after).
      type: int
    waiting:
      description: Number of flows whose connection still stands but that have not received such bytes.
      type: int
    errors:
      description: Why connections are gone, with counts.
      type: dict
    back_ms:
      description: Per flow when the first bytes sent after O(after) arrived, in ms after O(since); null when none have.
      type: list
      elements: int
    stall_ms:
      description: Per flow the longest silence in the window, in ms; null when nothing is known to have arrived before O(since).
      type: list
      elements: int
udp:
  description: What the UDP flows tell; null without UDP flows.
  returned: with O(state=read) and O(since)
  type: dict
  contains:
    flows:
      description: Number of flows.
      type: int
    heard:
      description: Number of flows that have received a datagram sent after O(after).
      type: int
    gaps:
      description: Per flow the longest silence in the window as start (ms after O(since)), length (ms), and 0 when nothing came after it. Null when nothing
        is known to have arrived before O(since).
      type: list
      elements: list
    missing:
      description: Per flow the number of datagrams in the window that never arrived.
      type: list
      elements: int
    pause_ms:
      description: By how many ms this host was late, at most, to send its own datagrams in the window.
      type: float
    sources:
      description: Per flow the addresses that it came from, each as ms after O(since) and address with port, oldest first. Only on the server.
      type: list
      elements: list
deliveries:
  description: Who delivered the datagrams; null where this could not be seen (it needs root).
  returned: with O(state=read) and O(since)
  type: dict
  contains:
    bucket_ms:
      description: Length of a bucket.
      type: int
    deliveries:
      description: Per RV(ignore:mac) its RV(ignore:buckets), each as start (ms after O(since)) and number of packets. Empty buckets are left out.
      type: list
      elements: dict
    changes:
      description: Each first packet from another MAC than the packet before, as ms after O(since) and MAC.
      type: list
      elements: list
reconnect:
  description: How new connections fared; null on the server and without TCP flows.
  returned: with O(state=read) and O(since)
  type: dict
  contains:
    attempts:
      description: Number of attempts since the start.
      type: int
    succeeded:
      description: Number of attempts that succeeded.
      type: int
    log:
      description: Attempts that began in the window, as start and success in ms after O(since); success is null when there was none within 3 s.
      type: list
      elements: list
"""

import re
import time
from typing import Any, Dict, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe import probe, reading
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.processes import ProbeError

ARGUMENTS: Dict[str, Any] = {
    "state": {"type": "str", "required": True, "choices": ["listening", "talking", "read", "stopped"]},
    "name": {"type": "str", "default": "default"},
    "address": {"type": "str"},
    "peer": {"type": "str"},
    "port": {"type": "int", "default": 7700},
    "flows": {"type": "int", "default": 100},
    "udp_flows": {"type": "int", "default": 20},
    "tcp_interval": {"type": "float", "default": 1.0},
    "udp_interval": {"type": "float", "default": 0.01},
    "lifetime": {"type": "float", "default": 600},
    "timeout": {"type": "float", "default": 60},
    "since": {"type": "float"},
    "after": {"type": "float"},
    "window": {"type": "float", "default": 60},
    "until": {"type": "str", "choices": ["survived"]},
}
RANGES = {
    "port": (1, 65535), "flows": (0, 60000), "udp_flows": (0, 500), "tcp_interval": (0.1, 60), "udp_interval": (0.001, 1),
    "lifetime": (1, 86400), "timeout": (0, 3600), "window": (0.1, 120),
}


def complaint(params: Dict[str, Any]) -> Optional[str]:
    """What is wrong with the options, or None."""
    if not re.match(r"[a-z0-9][a-z0-9-]{0,31}\Z", params["name"]):
        return "name must be 1 to 32 lower-case letters, digits and hyphens, not %s" % params["name"]
    for option, (least, most) in RANGES.items():
        if not least <= params[option] <= most:
            return "%s must be %s to %s, not %s" % (option, least, most, params[option])
    if not params["flows"] and not params["udp_flows"]:
        return "flows and udp_flows are both 0: there is nothing to measure"
    return None


def act(params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Do what the state asks for."""
    state = params["state"]
    if state == "listening":
        return probe.listen(params, check_mode)
    if state == "talking":
        return probe.talk(params, check_mode)
    if state == "stopped":
        return probe.stop(params["name"], check_mode)
    return dict(reading.read(params), changed=False)


def main() -> None:
    """Take the options, do what they ask for, end with the result."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS, supports_check_mode=True,
        required_if=[("state", "listening", ["address"]), ("state", "talking", ["peer"]), ("until", "survived", ["since"])],
        required_by={"after": "since"})
    wrong = complaint(module.params)
    if wrong:
        module.fail_json(msg=wrong)
    try:
        result = act(module.params, module.check_mode)
    except ProbeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**dict({"clock": time.time()}, **result))


if __name__ == "__main__":
    main()
