# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The measuring processes of flow_probe: what they send, what they remember, and how the module starts, asks and stops them.

One probe is one name on one host. Its processes: ``tcp-N`` (flows that tell survival), ``udp`` (flows that tell the outage),
``via`` (which link-layer address delivered each datagram) and, on the client, ``reconnect`` (new connections).
All clocks are the host's wall clock in nanoseconds since 1970. Linux only (epoll, AF_PACKET); standard library only.
"""

from __future__ import annotations
