# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the programs of the simulated machine share: how they fail (lib/libc/gen/err.c, stdlib/strtonum.c)."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, Refused

__all__ = ["NotModelled", "Refused", "bounded", "failed"]

# What strerror(3) says.
ERRORS = {
    "EPERM": "Operation not permitted", "ENOENT": "No such file or directory", "ENXIO": "Device not configured", "EBUSY": "Device busy",
    "EEXIST": "File exists", "ENODEV": "Operation not supported by device", "EINVAL": "Invalid argument", "ENOTTY": "Inappropriate ioctl for device",
    "EADDRINUSE": "Address already in use", "EADDRNOTAVAIL": "Can't assign requested address", "EOPNOTSUPP": "Operation not supported",
    "EPROTONOSUPPORT": "Protocol not supported", "EDESTADDRREQ": "Destination address required", "ENOBUFS": "No buffer space available",
}


def failed(what: str, error: str, program: str = "ifconfig") -> Refused:
    """What err(3) says."""
    return Refused("%s: %s: %s" % (program, what, ERRORS[error]))


def bounded(text: str, low: int, high: int, before: str, program: str = "ifconfig") -> int:
    """A number as strtonum(3) reads it; ``before`` is what the program says before its verdict."""
    try:
        number = int(text)
    except ValueError:
        raise Refused("%s: %sinvalid" % (program, before)) from None
    if not low <= number <= high:
        raise Refused("%s: %stoo %s" % (program, before, "small" if number < low else "large"))
    return number
