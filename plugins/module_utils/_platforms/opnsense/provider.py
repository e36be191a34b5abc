# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OPNsense: its configuration and release are read here, and FreeBSD's own programs for the rest. Nothing is changed on its nodes."""

from __future__ import annotations

import re

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import kept_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import sync_watch
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import Sources
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense import config, info
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.provider import Params, Provider, Result

# The product makes most of its other files from the first; what a person may have added is beside it.
SOURCES = Sources(patterns=(config.PATH, "/boot/loader.conf.local", "/etc/cron.d/*", "/usr/local/etc/cron.d/*", "/usr/local/etc/rc.syshook.d/**",
                            "/usr/local/etc/rc.carp_service_status.d/*"),
                  needed=(config.PATH,), includes=re.compile("(?!)()"), redact=lambda path, text: text)


class OpnsenseProvider(Provider):
    """What reads; see there."""

    platform = "OPNsense"

    def _lacks(self, capability: str) -> NodeError:
        return NodeError("this collection reads and judges %s, and changes nothing there, so it has no %s for it: make that setting in its web interface, "
                         "leave the task out for this node, and let verify or upgrade_check judge the result" % (self.platform, capability))

    def node_info(self, params: Params) -> Result:
        return info.collect(self.node, params)

    def sync_probe(self, params: Params) -> Result:
        raise NodeError("pf has no way to insert a state, so there are no marked ones on %s; leave the task out for this node: the check states_travel judges "
                        "by who made the states that node_info finds (engine.creators)" % self.platform)

    def sync_watch(self, params: Params) -> Result:
        return sync_watch.watch(self.node, params, sync_watch.FREEBSD)

    def config_backup(self, params: Params) -> Result:
        return kept_files.archive(self.node, SOURCES)
