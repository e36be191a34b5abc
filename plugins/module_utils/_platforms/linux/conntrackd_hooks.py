# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything around the daemon that state_sync puts on a node: systemd drop-in, helper script, transition hook, refresh service. Pure text.

Two facts about direct injection, both measured with conntrackd 1.4.7, shape these files:

* A daemon that starts takes all states of the kernel for its own, the injected ones too. When one of them runs out on the standby, its daemon
  tells the peers to destroy it, and they do, although the connection lives. So a node that is not active forgets the states of others
  (``-f internal``) after each start and on each way out of being active.
* ``-t`` empties the kernel's table after PurgeTimeout (60 s). With an external cache that clears out what the node had while it was active; with
  direct injection it takes away the very states that the standby is there to keep. So ``-t`` is left out there.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, Dict, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_refresh
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.conntrackd_config import LOCK, MANAGED

CONFIG = "/etc/conntrackd/conntrackd.conf"
RUN = "/run/hafirewall"
RUNNING_COPY = RUN + "/conntrackd.conf"
LIBRARY = "/usr/local/lib/hafirewall"
HELPER = LIBRARY + "/engine"
HOOK = LIBRARY + "/transition.d/state-sync"
REFRESH_PROGRAM = LIBRARY + "/refresh"
REFRESH_UNIT = "hafirewall-refresh.service"
REFRESH_UNIT_FILE = "/etc/systemd/system/" + REFRESH_UNIT
DROP_IN = "/etc/systemd/system/conntrackd.service.d/hafirewall.conf"


class File(NamedTuple):
    """A file to have: its text and mode."""

    text: str
    mode: int


def files(params: Mapping[str, Any], python: str) -> Dict[str, Optional[File]]:
    """Path -> file beside conntrackd.conf for these options of state_sync; None: there must be none.

    Args:
        params: enabled, mode, external_cache, refresh_interval.
        python: the interpreter on the node.
    """
    enabled = params["enabled"]
    external = enabled and (params["external_cache"] or params["mode"] == "alarm")
    refresh = enabled and refresh_wanted(params)
    return {
        DROP_IN: File(_DROP_IN, 0o644) if enabled else None,
        HELPER: File(_HELPER % ("" if external else _HELPER_FORGET), 0o755) if enabled else None,
        HOOK: File(_HOOK % (_EXTERNAL if external else _DIRECT), 0o755) if enabled else None,
        REFRESH_PROGRAM: File("# %s\n%s" % (MANAGED, inspect.getsource(conntrackd_refresh)), 0o644) if refresh else None,
        REFRESH_UNIT_FILE: File(_REFRESH_UNIT % (python, params.get("refresh_interval") or 0), 0o644) if refresh else None,
    }


def refresh_wanted(params: Mapping[str, Any]) -> bool:
    """Only injected states run out: those in an external cache stay until their end is reported."""
    return params["mode"] != "alarm" and not params["external_cache"] and params.get("refresh_interval") != 0


def stated_interval(unit_text: str) -> Optional[float]:
    """Seconds in the command line of the refresh service; 0: derived from the node's timeouts; None: not a unit of ours."""
    found = re.search(r"^ExecStart=.* %s (\d+)$" % re.escape(REFRESH_PROGRAM), unit_text, re.MULTILINE)
    return float(found.group(1)) if found else None


_DROP_IN = """# %(managed)s
[Unit]
After=network.target
StartLimitIntervalSec=0

[Service]
ExecStartPre=%(helper)s before
ExecStartPost=-%(helper)s after
Restart=on-failure
RestartSec=2
""" % {"managed": MANAGED, "helper": HELPER}

_HELPER = """#!/bin/sh
# """ + MANAGED + """
# What conntrackd's unit does around the daemon's start. Usage: engine before|after
case "$1" in
before)
    mkdir -p """ + RUN + """ || exit 1
    # A daemon that was killed leaves its lock file and cannot start again. Nobody answers: nobody holds the lock.
    conntrackd -s >/dev/null 2>&1 || rm -f """ + LOCK + """
    # The configuration as running: whoever changes the file later can see that the daemon has not read it yet.
    cp """ + CONFIG + " " + RUNNING_COPY + ".new && mv " + RUNNING_COPY + ".new " + RUNNING_COPY + """
    ;;
after)
    state=
    [ ! -r """ + RUN + """/vrrp-state ] || read -r state _ < """ + RUN + """/vrrp-state
    case "$state" in
    # While the daemon was down, or the others had another port or mode, they did not hear of this node's states.
    active) conntrackd -B ;;
%s    esac
    ;;
*)
    echo "usage: $0 before|after" >&2
    exit 2
    ;;
esac
"""

_HELPER_FORGET = """    # Not active: the states in the kernel belong to the active node, which alone may report their end.
    ?*) conntrackd -f internal ;;
"""

_HOOK = """#!/bin/sh
# """ + MANAGED + """
# Tells conntrackd what this node has become. Usage: state-sync active|standby|fault|stopped
state=$1

say() {
    logger -t hafirewall-state-sync -p "daemon.$1" -- "$2"
}

tell() {
    said=$(timeout 60 conntrackd "$@" 2>&1) || say err "conntrackd $* failed: $said"
}

# One transition at a time, and only the newest: an older one that waited here has nothing to say any more.
mkdir -p """ + RUN + """
exec 9>""" + RUN + """/state-sync.lock
flock -w 60 9 || say warning "another transition has not ended within 60 s; going on"
newest=$state
[ ! -r """ + RUN + """/vrrp-state ] || read -r newest _ < """ + RUN + """/vrrp-state
[ "$newest" = "$state" ] || exit 0

if [ "$state" = active ] && ! timeout 10 conntrackd -s >/dev/null 2>&1; then
    say warning "conntrackd does not answer on becoming active; restarting it"
    timeout 30 systemctl restart conntrackd.service || say err "conntrackd cannot be started"
fi

case "$state" in
%s
*)
    say err "unknown state: $state"
    exit 2
    ;;
esac
say info "told conntrackd: $state"
"""

_DIRECT = """active)
    tell -R
    tell -B
    ;;
standby)
    tell -f internal
    tell -n
    ;;
fault|stopped)
    tell -f internal
    ;;"""

_EXTERNAL = """active)
    tell -c
    tell -f
    tell -R
    tell -B
    ;;
standby)
    tell -t
    tell -n
    ;;
fault|stopped)
    tell -t
    ;;"""

_REFRESH_UNIT = """# """ + MANAGED + """
[Unit]
Description=Keep quiet states alive on the standby nodes
After=conntrackd.service
StartLimitIntervalSec=0

[Service]
ExecStart=%s """ + REFRESH_PROGRAM + """ %d
Restart=always
RestartSec=2
Nice=10
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_ADMIN
ProtectSystem=full
ProtectHome=yes

[Install]
WantedBy=multi-user.target
"""
