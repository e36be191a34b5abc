# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pictures and tables may rely on: every area has the type that it should have, or is None. A broken node must not break the report."""

from __future__ import annotations

from typing import Any

# A dict names the keys that are kept, a list holds the shape of its items, SCALAR is text, a number, a truth or None, SCALARS a dict of them, ROWS a list,
# TREE whatever it is.
SCALAR, SCALARS, ROWS, TREE = "scalar", "scalars", "rows", "tree"


def _keys(names: str, **deeper: Any) -> dict[str, Any]:
    return {**dict.fromkeys(names.split(), SCALAR), **deeper}


_TIMES = _keys("median p99 max")
_INSTANCE = _keys("name interface id family state priority advskew", addresses=[SCALAR], addresses_present=[SCALAR])
EVIDENCE = _keys(
    "collected_at collected_by kernel maintenance state_policy",
    os=_keys("id version edition base userland"),
    config=_keys("version", revision=_keys("time")),
    config_sync=_keys("target"),
    packages=SCALARS,
    engine=_keys("name installed enabled masked running config_current host_id bulk checksum", config=_keys("mode transport interface port version"),
                 counters=_keys("sent received lost malformed"), tables=_keys("kernel kernel_max internal external")),
    vrrp=_keys("running since demotion", instances=[_INSTANCE]),
    pass_rule=_keys("filtered present effective"),
    interfaces=[_keys("name mac mtu speed up", addresses=[SCALAR])],
    segment=_keys("interface", neighbours=[_keys("address mac")]),
    watch=_keys("interface", senders=[_keys("address", macs=[SCALAR])]),
    errors=[_keys("area reason")],
)
PLAN = _keys(
    "cluster role platform",
    state_sync=_keys("enabled interface address network transport group port mode external_cache"),
    virtual_ip=_keys("", instances=[_INSTANCE]),
)
DRILL = _keys(
    "cluster state_sync failure flows lost detection_limit_ms takeover_ms reconnect_ms standby_states old_active new_active crossed_wrong_node passed",
    gap_ms=_TIMES,
    stall_ms=_TIMES,
    recovery=_keys("active expected_active lost", gap_ms=_TIMES),
    reasons=[SCALAR],
    timeline=_keys("failure_at bucket_ms", deliveries=[_keys("direction", buckets=ROWS)], events=[_keys("t_ms label node")]),
)
_STEP = _keys("number stage node title why required", variables=TREE, commands=[SCALAR], by_hand=[SCALAR])
UPGRADE = _keys(
    "cluster outcome sentence required good_enough",
    reasons=[SCALAR], lost=[SCALAR], order=[SCALAR], targets=SCALARS, unknowns=[_keys("what how")], steps=[_STEP], runbook=[_STEP],
    stages=[_keys("id title", upgraded=[SCALAR], lagg=[SCALAR], pin=_keys("format how lifted", nodes=[SCALAR]), notes=[_keys("node text link")],
                  nodes=[_keys("node platform release sends upgraded")],
                  directions=[_keys("from to purpose answer understood named routed matched without_steps confidence", lost=[SCALAR], reasons=SCALARS)])],
)


def shape(value: Any, wanted: Any) -> Any:
    """The parts of the value that have the wanted shape; a part of another type is None, in a list it is left out."""
    if isinstance(wanted, dict):
        return {key: shape(value.get(key), deeper) for key, deeper in wanted.items()} if isinstance(value, dict) else None
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return None
        return [item for item in (shape(member, wanted[0]) for member in value) if item is not None]
    if wanted == SCALARS:
        return {key: item for key, item in value.items() if not isinstance(item, (dict, list))} if isinstance(value, dict) else None
    if wanted == TREE:
        return value
    if wanted == ROWS:
        return value if isinstance(value, list) else None
    return None if isinstance(value, (dict, list)) else value
