# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of ``hafirewall_cluster`` and ``hafirewall_node``: every key with its kind, limits and default."""

from __future__ import annotations

import re

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import addresses
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import HASHES, LACP_RATES, PROTOCOLS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import type_name
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import FORMATS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.schema import Choice, Flag, Items, Key, Named, Number, Parsed, Record, ShortOr, Text

MODES = ("ftfw", "notrack", "alarm")
TRANSPORTS = ("multicast", "unicast")
LAGG_REQUIRED = ("auto", "always", "never")
STATE_POLICIES = ("if-bound", "floating")

# conntrackd.conf(5), SYNC EXAMPLE 1.
DEFAULT_GROUP_V4 = "225.0.0.50"
# conntrackd documents no IPv6 group. This is the IPv4 one as a group id for groups that no one assigned (RFC 3307 4.3: 0x80000000 and up), transient,
# in site scope: seen with conntrackd 1.4.7, updates to a group in link scope (ff12::) leave from the node's link-local address, which is outside the
# Sync network, those to ff15:: from its address in the Sync network (RFC 6724 section 5, rule 2).
DEFAULT_GROUP_V6 = "ff15::e100:32"
# conntrackd.conf(5), same example.
DEFAULT_PORT = 3780

# Names appear in the daemons' configurations and in file names.
_NAME = Text(re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"), "up to 63 letters, digits, '_', '.' and '-' that begin with a letter or digit")
_ROLE_NAME = Text(re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}"), "up to 32 letters, digits, '_' and '-' that begin with a letter")
_DEVICE = Text(re.compile(r"(?s:.+)"), "the name of a network device")
_INTERFACE = Parsed(addresses.read_interface, "an address with its prefix length, as 192.0.2.2/24 or 2001:db8::2/64")
_NETWORK = Parsed(addresses.read_network, "a network, as 198.51.100.128/28 or 2001:db8:5::/64")
_GROUP = Parsed(addresses.read_address, f"a multicast address, as {DEFAULT_GROUP_V4} or {DEFAULT_GROUP_V6}")


def _read_host_id(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}", text) or not int(text, 16):
        raise ValueError("is no host id")
    return f"{int(text, 16):x}"


_HOST_ID = Parsed(_read_host_id, "one to eight hexadecimal digits in quotes, not all of them 0")


class Secret:
    """Text that neither a message nor the model ever holds: reads as True, and as False after refusing it."""

    def read(self, value: object, path: str, scope: Scope) -> bool:
        if not isinstance(value, str):
            scope.refuse(path, f"is {type_name(value)}, not text", "write it as text, in quotes if need be")
            return False
        if not value or value != value.strip() or not value.isprintable():
            scope.refuse(path, "is empty, begins or ends with white space, or has characters that cannot be printed", "choose another")
            return False
        return True


VRRP = Record({
    "advert_interval": Key(Number(0.01, 254, "seconds; VRRP goes to 40.95, CARP has whole ones", fraction=True), default=1.0),
    "preempt": Key(Flag()),
    "preempt_delay": Key(Number(0, 1000, "seconds, as keepalived allows", fraction=True)),
    "transport": Key(Choice(TRANSPORTS), default="multicast"),
    "track_interfaces": Key(Flag(), default=True),
    "password": Key(Secret()),
})

LAGG = Record({
    "required": Key(Choice(LAGG_REQUIRED)),
    "name": Key(_DEVICE),
    "protocol": Key(Choice(PROTOCOLS)),
    "hash": Key(Choice(HASHES)),
    "lacp_rate": Key(Choice(LACP_RATES)),
    "mtu": Key(Number(576, 65535, "bytes")),
    "min_links": Key(Number(1, 32, "links that must be up")),
    "crossover": Key(Flag(), default=False),
    "move_management": Key(Flag(), default=False),
})

CLUSTER = Record({
    "name": Key(_NAME, required=True),
    "state_sync": Key(Flag(), default=True),
    "sync": Key(Record({
        "interface": Key(_ROLE_NAME, required=True),
        "network": Key(_NETWORK, required=True),
        "transport": Key(Choice(TRANSPORTS), default="multicast"),
        "format": Key(Choice(FORMATS)),
        "group": Key(_GROUP),
        "port": Key(Number(1, 65535, "a UDP port")),
        "mode": Key(Choice(MODES)),
        "external_cache": Key(Flag()),
        "refresh_interval": Key(Number(0, 86400, "seconds; 0 turns it off")),
        "allow_shared": Key(Flag(), default=False),
    })),
    "virtual_ips": Key(Items(Record({
        "interface": Key(_ROLE_NAME, required=True),
        "address": Key(_INTERFACE, required=True),
        "id": Key(Number(1, 255, "a virtual router id of VRRP"), required=True),
        "addresses": Key(Items(_INTERFACE), default=()),
    })), default=()),
    "vrrp": Key(VRRP),
    "state_policy": Key(Choice(STATE_POLICIES)),
    "lagg_required": Key(Choice(LAGG_REQUIRED), default="auto"),
    "laggs": Key(Named(_ROLE_NAME, LAGG), default={}),
})

NODE = Record({
    "role": Key(Choice(("primary", "secondary")), required=True),
    "priority": Key(Number(1, 254, "a priority of VRRP; 255 belongs to an address's owner")),
    "platform": Key(Choice(tuple(ENGINES))),
    "host_id": Key(_HOST_ID),
    "interfaces": Key(Named(_ROLE_NAME, ShortOr("device", Record({
        "device": Key(_DEVICE, required=True),
        "address": Key(_INTERFACE),
        "addresses": Key(Items(_INTERFACE), default=()),
        "members": Key(Items(_DEVICE), default=()),
        "primary": Key(_DEVICE),
    }))), required=True),
})
