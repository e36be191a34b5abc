# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs that keepalived and its unit call on the node. POSIX sh, because they run while addresses move."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import MANAGED, ON_TRANSITION, RUN, RUNNING_COPY, VRRP_STATE

TRANSITION_HOOKS = "/usr/local/lib/hafirewall/transition.d"
PID_FILES = " ".join(folder + name + ".pid" for folder in ("/run/", "/run/keepalived/") for name in ("keepalived", "vrrp", "checkers", "bfd"))
ORDER = RUN + "/transition.order"
ORDER_LOCK = RUN + "/transition.lock"

ON_TRANSITION_TEXT = """#!/bin/sh
# """ + MANAGED + """
# keepalived calls this with what the node has become: active, standby, fault or stopped.
# It notes the state, then runs the programs in transition.d with it. keepalived does not wait for it. A state that is older than the noted one is dropped.
state=$1
case $state in
active|standby|fault|stopped) ;;
*) echo "usage: $0 active|standby|fault|stopped" >&2; exit 2 ;;
esac

complain() {
    logger -t hafirewall -p daemon.err -- "$1"
}

mkdir -p """ + RUN + """ 2>/dev/null
if true 2>/dev/null >> """ + ORDER_LOCK + """; then
    exec 9>>""" + ORDER_LOCK + """
    flock -w 10 9 || complain "another transition has not been noted within 10 s; going on"
fi

# keepalived starts these a millisecond apart, and they overtake each other: the kernel's start time of this process, then its number, is the order.
read -r line < /proc/$$/stat
set -- ${line##*) }
started=${20} last_started=0 last_pid=0
[ -r """ + ORDER + """ ] && read -r last_started last_pid < """ + ORDER + """
if [ "$started" -lt "$last_started" ] || { [ "$started" -eq "$last_started" ] && [ $$ -lt "$last_pid" ]; }; then
    exit 0
fi

new=""" + VRRP_STATE + """.new
if ! { printf '%s %s\\n' "$state" "$(date +%s)" > "$new" && mv -f "$new" """ + VRRP_STATE + """ && echo "$started $$" > """ + ORDER + """; } 2>/dev/null; then
    rm -f "$new"
    complain "cannot note in """ + VRRP_STATE + """ that this node is $state"
fi
exec 9>&-  # the hooks may take their time

for hook in """ + TRANSITION_HOOKS + """/*; do
    [ -f "$hook" ] && [ -x "$hook" ] || continue
    timeout 300 "$hook" "$state" < /dev/null > /dev/null 2>&1 || complain "$hook $state ended with status $?"
done
exit 0
"""

# keepalived that is killed leaves its addresses behind, and says nothing to the hooks (seen with 2.2.7: both nodes held the addresses until the
# daemon was back). Started again it removes them itself within 0.03 s; this is for the time until then, and for a start that fails.
AFTER_STOP_TEXT = """#!/bin/sh
# """ + MANAGED + """
# systemd runs this when keepalived has ended, however it ended: no virtual address stays, the hooks know, and it can start again.
inside= device=
if [ -r """ + RUNNING_COPY + """ ]; then
    while read -r word rest; do
        case $word in
        interface) device=${rest#\\"}; device=${device%\\"} ;;
        virtual_ipaddress) inside=yes ;;
        '}') inside= ;;
        *)
            if [ -n "$inside" ] && ip address del "$word" dev "$device" 2>/dev/null; then
                logger -t hafirewall -p daemon.warning -- "keepalived ended without removing $word from $device; removed it"
            fi ;;
        esac
    done < """ + RUNNING_COPY + """
fi
# keepalived that was killed leaves these, and does not start while any process has the number in them.
rm -f """ + PID_FILES + """
state=
[ -r """ + VRRP_STATE + """ ] && read -r state rest < """ + VRRP_STATE + """
[ "$state" = stopped ] || """ + ON_TRANSITION + """ stopped
exit 0
"""
