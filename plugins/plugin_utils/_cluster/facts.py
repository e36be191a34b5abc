# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to a node's evidence. Evidence comes from a node, so its shape is not trusted: whatever is not as described is unknown."""

from __future__ import annotations

from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import Interface
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.devices import Devices
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import OLDEST_FORMAT


class Evidence:
    """What was read from one node, or nothing (None). Every answer may be None: unknown."""

    def __init__(self, value: Any) -> None:
        self._value = value if isinstance(value, dict) else {}
        self.links = Devices(self._value.get("interfaces"))
        self._devices = {device.name: device.addresses for device in self.links} if self.links.known else None

    @property
    def platform(self) -> str | None:
        """Name of the platform."""
        value = self._value.get("platform")
        return value if isinstance(value, str) else None

    @property
    def os_id(self) -> str | None:
        """``ID`` of os-release(5)."""
        value = self._mapping("os").get("id")
        return value if isinstance(value, str) else None

    @property
    def version(self) -> str | None:
        """The operating system's release, as it writes it."""
        value = self._mapping("os").get("version")
        return value if isinstance(value, str) else None

    @property
    def state_policy(self) -> str | None:
        """``if-bound`` or ``floating``."""
        value = self._value.get("state_policy")
        return value if value in ("if-bound", "floating") else None

    @property
    def policy_unread(self) -> bool:
        """Whether the state policy was looked for, and could not be told."""
        return "state_policy" in self._value and self.state_policy is None

    @property
    def naming_rules(self) -> int | None:
        """How many rules make states that name an interface, whatever the policy is."""
        counts = [value for value in self._mapping("state_rules").values() if isinstance(value, int) and not isinstance(value, bool)]
        return sum(counts) if counts else None

    @property
    def rules_in_messages(self) -> int | None:
        """The same, of those whose interface is in the messages that the node is known to send: format 1301 carries no route."""
        rules = self._mapping("state_rules")
        config = self._mapping("engine").get("config")
        version = config.get("version") if isinstance(config, dict) else None
        carried = ("bound", "routed") if isinstance(version, int) and version > OLDEST_FORMAT else ("bound",)
        counts = [rules[key] for key in carried if isinstance(rules.get(key), int) and not isinstance(rules[key], bool)]
        return sum(counts) if counts else None

    @property
    def management(self) -> str | None:
        """The device that the connection came in by; the empty text when it came over no network."""
        found = self._mapping("management")
        if found.get("device") is None:
            return "" if "device" in found else None
        return found["device"] if isinstance(found["device"], str) else None

    @property
    def references(self) -> list[dict[str, Any]]:
        """What else on the node is known to name a device."""
        value = self._value.get("references")
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    @property
    def devices(self) -> dict[str, tuple[Interface, ...]] | None:
        """Addresses by network device."""
        return self._devices

    def addresses(self, device: str) -> tuple[Interface, ...] | None:
        """Addresses of a device; None also when the node has no such device."""
        return None if self._devices is None else self._devices.get(device)

    @property
    def absent_packages(self) -> frozenset[str]:
        """Logical names of packages that the node is known not to have."""
        return frozenset(name for name, version in self._mapping("packages").items() if isinstance(name, str) and version is None)

    @property
    def active(self) -> bool | None:
        """True when VRRP is active for any virtual address."""
        instances = self._mapping("vrrp").get("instances")
        if not isinstance(instances, list):
            return None
        return any(isinstance(instance, dict) and instance.get("state") == "active" for instance in instances)

    @property
    def vrrp_runs(self) -> bool | None:
        """Whether the VRRP daemon runs; of CARP, which is part of the kernel, whether there is a virtual address at all."""
        vrrp = self._mapping("vrrp")
        if ENGINES.get(self.platform or "") == "pfsync":
            return bool(vrrp["instances"]) if isinstance(vrrp.get("instances"), list) else None
        value = vrrp.get("running")
        return value if isinstance(value, bool) else None

    @property
    def receiver(self) -> str | None:
        """The address that the node sends its virtual addresses to, along with other parts of its configuration; None when it sends them nowhere."""
        found = self._mapping("config_sync")
        sections = found.get("sections")
        sends = isinstance(found.get("target"), str) and isinstance(sections, list) and "virtualip" in sections
        return found["target"] if sends else None

    def _mapping(self, name: str) -> dict[Any, Any]:
        value = self._value.get(name)
        return value if isinstance(value, dict) else {}
