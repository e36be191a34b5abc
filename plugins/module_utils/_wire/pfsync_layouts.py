# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How pfsync's messages lie, byte by byte.

Sources: FreeBSD ``sys/net/if_pfsync.h`` and ``sys/net/pfvar.h`` (1301 of 9.0 to 13, 1400 of 14, 1500 of 15), OpenBSD ``sys/net/if_pfsync.h`` and
``sys/net/pfvar.h`` (version 6, 2010 to 2026). 1301 and 1400 agree with packets of FreeBSD 14.2 kernels; of 1500 and of OpenBSD no packet has been seen.

Numbers are big-endian. Units: ``creation`` is the state's age and ``expire`` the time left, ``endtime`` the time since a bulk request, in seconds;
``mss`` and ``max_mss`` are bytes; ``max_win`` is unscaled. ``_0`` and ``_1``: of an address or a port the two ends, which change places with the
state's direction; of packets and bytes the two directions. ``rule``, ``anchor``, ``nat_rule`` and ``rtableid`` are -1 for none. ``direction`` is 1 for in
and 2 for out, ``timeout`` an index into the sender's list of timeouts (PFTM), ``log`` and the flags are pf's bits.
"""

from __future__ import annotations

from typing import Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.layouts import Field, Layout

# Families of addresses are numbers of the sender's system. FreeBSD's is seen in captures, OpenBSD's is that of its headers.
_FREEBSD_INET6, _OPENBSD_INET6 = 28, 24

Fields = Tuple[Field, ...]


def _padding(size: int) -> Fields:
    return (Field("", "%dx" % size),)


def _numbers(code: str, *names: str) -> Fields:
    return tuple(Field(name, code) for name in names)


def _peer(prefix: str) -> Fields:
    """One end of a connection, 32 bytes; ``scrub`` is what pf's scrub rules remember, meaningful when ``scrub_valid`` is 1."""
    return (_numbers("H", prefix + "_scrub_flags") + _numbers("B", prefix + "_scrub_ttl", prefix + "_scrub_valid")
            + _numbers("I", prefix + "_scrub_ts_mod", prefix + "_seqlo", prefix + "_seqhi", prefix + "_seqdiff")
            + _numbers("H", prefix + "_max_win", prefix + "_mss") + _numbers("B", prefix + "_state", prefix + "_wscale") + _padding(6))


def _key(prefix: str, family: str) -> Fields:
    """Addresses and ports as one side of pf sees them, 36 bytes: ``wire`` on the network, ``stack`` as the system behind; they differ with NAT."""
    return (Field(prefix + "_address_0", "16s", family), Field(prefix + "_address_1", "16s", family)) + _numbers("H", prefix + "_port_0", prefix + "_port_1")


def _openbsd_key(prefix: str) -> Fields:
    """The same of OpenBSD, 40 bytes, with its own family and routing domain."""
    return _key(prefix, prefix + "_af") + _numbers("H", prefix + "_rdomain") + _numbers("B", prefix + "_af") + _padding(1)


_COUNTS = (_numbers("i", "rule", "anchor", "nat_rule") + _numbers("I", "creation", "expire")
           + _numbers("Q", "packets_0", "packets_1", "bytes_0", "bytes_1") + _numbers("I", "creatorid"))


def _freebsd_head(wire_family: str, stack_family: str, rt_family: str) -> Fields:
    """The 232 bytes that all formats of FreeBSD begin with."""
    return (_numbers("Q", "id") + (Field("ifname", "16s", "text"),) + _key("wire", wire_family) + _key("stack", stack_family) + _peer("src") + _peer("dst")
            + (Field("rt_address", "16s", rt_family),) + _COUNTS)


STATE_1301 = Layout(_freebsd_head("af", "af", "af") + _numbers("B", "af", "protocol", "direction") + _padding(2)
                    + _numbers("B", "log", "state_flags", "timeout", "sync_flags", "updates"), _FREEBSD_INET6)

STATE_1400 = Layout(_freebsd_head("af", "af", "af") + _numbers("B", "af", "protocol", "direction") + _numbers("H", "state_flags") + _numbers("B", "log")
                    + _padding(1) + _numbers("B", "timeout", "sync_flags", "updates") + _numbers("H", "qid", "pqid", "dnpipe", "dnrpipe")
                    + _numbers("i", "rtableid") + _numbers("B", "min_ttl", "set_tos") + _numbers("H", "max_mss")
                    + _numbers("B", "set_prio_0", "set_prio_1", "rt") + (Field("rt_ifname", "16s", "text"),), _FREEBSD_INET6)

STATE_1500 = Layout(_freebsd_head("wire_af", "stack_af", "rt_af") + (Field("tagname", "64s", "text"), Field("rt_ifname", "16s", "text"),
                                                                     Field("orig_ifname", "16s", "text"))
                    + _numbers("i", "rtableid") + _numbers("H", "state_flags", "qid", "pqid", "dnpipe", "dnrpipe", "max_mss")
                    + _numbers("B", "wire_af", "stack_af", "rt_af", "wire_protocol", "stack_protocol", "log", "timeout", "direction", "rt", "min_ttl",
                               "set_tos", "set_prio_0", "set_prio_1") + _padding(3), _FREEBSD_INET6)

STATE_OPENBSD = Layout(_numbers("Q", "id") + (Field("ifname", "16s", "text"),) + _openbsd_key("wire") + _openbsd_key("stack") + _peer("src") + _peer("dst")
                       + (Field("rt_address", "16s", "af"),) + _COUNTS + _numbers("i", "rtableid_0", "rtableid_1") + _numbers("H", "max_mss")
                       + _numbers("B", "af", "protocol", "direction", "log", "rt", "timeout", "sync_flags", "updates", "min_ttl", "set_tos")
                       + _numbers("H", "state_flags") + _numbers("B", "set_prio_0", "set_prio_1"), _OPENBSD_INET6)

# The interface is empty when states of all interfaces are meant.
CLR = Layout((Field("ifname", "16s", "text"),) + _numbers("I", "creatorid"))

# One layout for three: the acknowledgement of an insert, a request for a state, and a delete. A request with both 0 asks for all states.
STATE_ID = Layout(_numbers("Q", "id") + _numbers("I", "creatorid"))

# FreeBSD has padding where OpenBSD has flags, and leaves ``expire`` at 0.
_UPDATE = _numbers("Q", "id") + _peer("src") + _peer("dst") + _numbers("I", "creatorid", "expire") + _numbers("B", "timeout")
UPD_C = Layout(_UPDATE + _padding(3))
UPD_C_OPENBSD = Layout(_UPDATE + _numbers("B", "state_flags") + _padding(2))

# ``status`` 1: the bulk update begins, 2: it ends.
BUS = Layout(_numbers("I", "creatorid", "endtime") + _numbers("B", "status") + _padding(3))

# Of IPsec: the SPI, whose association, its replay counter, bytes, and security protocol (50 ESP, 51 AH). The address is the union of BSD socket
# addresses, of which IPv6's is the largest: 28 bytes.
_TDB = _numbers("I", "spi") + (Field("dst", "28s", "sockaddr"),)
TDB = Layout(_TDB + _numbers("I", "rpl") + _numbers("Q", "cur_bytes") + _numbers("B", "sproto", "updates") + _padding(2), _FREEBSD_INET6)
TDB_OPENBSD = Layout(_TDB + _numbers("Q", "rpl", "cur_bytes") + _numbers("B", "sproto", "updates") + _numbers("H", "rdomain"), _OPENBSD_INET6)
