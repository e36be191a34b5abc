# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs that give one name on all nodes to interfaces whose devices differ: are they needed, which, and what moves. Pure, for all platforms.

What the planner reads of a node's evidence, beside the keys that :mod:`..facts` reads (what is absent or null is unknown):

``interfaces``, for each device beside ``name``, ``mtu``, ``speed`` and ``addresses``:
    ``kind``: ``port`` (whatever can be a member: a NIC, a veth, ...), ``vlan``, ``lagg``, ``bridge`` or ``other``.
    ``vlan``: ``{"id", "parent"}`` of a VLAN, else null.
    ``lagg``: ``{"protocol", "members", "hash", "lacp_rate", "primary", "min_links"}`` of a LAGG, in the words of :mod:`.protocols`, else null.
    ``master``: the bridge that the device is a port of.
``management``: ``{"device", "address"}``, where the connection that read this evidence came in; its device is null when it came over no network.
``references``: a list of ``{"device", "kind", "where", "text"}``: what else on the node names a device, as rules and routes.
``state_policy``: ``if-bound`` or ``floating``, as the packet filter has it (pf only).
``state_rules``: ``{"bound", "routed"}``, how many rules bind their states to an interface whatever the policy, and how many choose a route, so that
    their states name an interface (route-to, reply-to, dup-to; pf only).
"""
