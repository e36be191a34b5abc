# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way from a module to its platform's provider."""

from __future__ import annotations

import platform
import signal
from typing import Any, Callable, Dict, Optional, Type

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError, with_diff
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.release import is_opnsense
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import is_pfsense
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.provider import Provider

# A node gets the files of all providers, and reads those of its own only: to compile the others would take longer than most modules run.


def _freebsd() -> Type[Provider]:
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
    return FreebsdProvider


def _linux() -> Type[Provider]:
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.provider import LinuxProvider
    return LinuxProvider


def _openbsd() -> Type[Provider]:
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
    return OpenbsdProvider


def _opnsense() -> Type[Provider]:
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.provider import OpnsenseProvider
    return OpnsenseProvider


def _pfsense() -> Type[Provider]:
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.provider import PfsenseProvider
    return PfsenseProvider


PROVIDERS: Dict[str, Callable[[], Type[Provider]]] = {
    "freebsd": _freebsd, "linux": _linux, "openbsd": _openbsd, "opnsense": _opnsense, "pfsense": _pfsense}
PLATFORM_OPTION: Dict[str, Any] = {"type": "str", "choices": sorted(PROVIDERS)}


def detect(stated: Optional[str], node: Node) -> Provider:
    """The provider of the stated platform, or of the one that the node's files tell of, or else its kernel.

    Raises:
        NodeError: no provider of this collection drives this node.
    """
    name = stated or ("pfsense" if is_pfsense(node) else "opnsense" if is_opnsense(node) else platform.system().lower())
    if name not in PROVIDERS:
        raise NodeError("this node runs %s, which this collection does not know; it knows: %s" % (platform.system(), ", ".join(sorted(PROVIDERS))))
    return PROVIDERS[name]()(node)


def outlive_the_connection() -> None:
    """Finish what has begun, or put it back, when the connection is cut: sshd then hangs up, which would end the module and its commands halfway."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def run_capability(capability: str, argument_spec: Dict[str, Any], **rules: Any) -> None:
    """The whole of a module: take the options, call the provider's method of that name, end with its result.

    Args:
        capability: name of a method of :class:`Provider`.
        argument_spec: the module's own options; ``platform`` is added here.
        rules: further arguments of AnsibleModule (required_if and the like).
    """
    module = AnsibleModule(argument_spec=dict(argument_spec, platform=PLATFORM_OPTION), supports_check_mode=True, **rules)
    outlive_the_connection()
    node = Node(check_mode=module.check_mode)
    try:
        provider = detect(module.params["platform"], node)
        result = getattr(provider, capability)(module.params)
    except NodeError as error:
        module.fail_json(msg=str(error), **with_diff(node, {}))
    module.exit_json(**with_diff(node, result))
