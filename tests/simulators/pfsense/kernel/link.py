# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which device has a link, and which belongs to a LAGG."""

from __future__ import annotations

from .base import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Optional

    from .base import Kernel


def master_of(kernel: Kernel, port: Optional[str]) -> Optional[str]:
    """The LAGG that it is a port of."""
    return next((name for name, interface in kernel["interfaces"].items() if port in interface.get("lagg", {}).get("ports", [])), None)


def is_ready(kernel: Kernel, port: str) -> bool:
    """Whether a port of a LAGG is up and has a link."""
    return kernel["interfaces"][port]["up"] and has_link(kernel, port)


def has_link(kernel: Kernel, name: Optional[str]) -> bool:
    """A port: its carrier; a VLAN: its parent; a LAGG: one of its ports, whatever its protocol makes of that port."""
    interface = kernel["interfaces"].get(name)
    if interface is None:
        return False
    if "lagg" in interface:
        return any(is_ready(kernel, port) for port in interface["lagg"]["ports"])
    if "vlan" in interface:
        return has_link(kernel, interface["vlan"]["parent"])
    return kernel.get("carrier", {}).get(name, True)
