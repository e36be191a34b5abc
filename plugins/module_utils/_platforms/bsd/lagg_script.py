# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on the node while LAGGs are changed: one script for /bin/sh of BSD, and the ones that start it again at boot. Pure text.

Their memory are files beside the script:

====================  =============================================================================================
armed                 the change may still be confirmed
under-way             it is watched, so the configuration may be another one from here on
go                    the configuration was written: apply it now
change.done           applying has ended, with this status; ``boot``: the machine was started since
fire                  go back now
confirmed             the change stays, and whoever confirmed it sees to the rest
going-back, put-back  what was before is being brought back, or has been
====================  =============================================================================================

Of this start of the machine only are three marks in /var/run, which is emptied at boot (pfSense-rc; FreeBSD's rc.d/cleanvar, which leaves folders there, so
they are files): that the change was begun, or its way back resumed; that the node was demoted for it; and the process of the script while it runs, before
that the one that begins it. Nobody begins the next change before that one has ended, for all of them go by the same files.
"""

from __future__ import annotations

MARK = "/var/run/hafirewall_lagg"
DEMOTED = MARK + "_demoted"
RUNNING = MARK + "_running"
FOLDER = "/usr/local/etc/hafirewall/lagg"
AT_BOOT = "/usr/local/etc/rc.d/hafirewall_lagg.sh"
# Added to the demotion while the node hands its addresses over (carp(4): 240 is what a failed interface adds).
DEMOTION = 240
# Seconds for writing, and again for applying. The product waits up to 31 s each time that it sets up pfsync, which it does for every interface with a
# virtual address.
LONGEST = 600

MANAGED = "# Managed by hafirewall.cluster; changes made here are overwritten."

_RUN = """#!/bin/sh
%(managed)s
# By hand, in this folder: touch fire goes back at once, rm armed lets the change stay.
cd "$(dirname "$0")" || exit 1
umask 077
PATH=$PATH:/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
export PATH
demoted=../../../../..%(demoted)s
running=../../../../..%(running)s
%(boot)s

# await FILE SECONDS: until the file is there; fails when it is not, in this time and as long as the change is armed.
await() {
    left=$2
    while [ ! -e "$1" ]; do
        if [ ! -e armed ] || [ -e fire ] || [ "$left" -le 0 ]; then return 1; fi
        sleep 1
        left=$((left - 1))
    done
}

# The change is ended when it is to go back meanwhile, or takes too long: both at once would be worse than either.
watch() {
    left=%(longest)d
    while [ ! -e change.done ]; do
        if [ -e fire ] || [ "$left" -le 0 ]; then
            # What it waits for first: it would go on by itself.
            pkill -P "$1"
            kill "$1"
            return
        fi
        sleep 1
        left=$((left - 1))
    done
}

lift() {
    if [ -e "$demoted" ]; then
        rm "$demoted"
        %(lift)s
    fi
}

case "$1" in
begin)
    nohup sh ./run "$2" > /dev/null 2>&1 < /dev/null &
    echo "$!" > "$running"
    exit 0
    ;;
change)
    if await go %(longest)d; then
        # The answer of the call that ordered it gets out before the path may drop.
        sleep 2
        %(change)s > change.out 2>&1 &
        job=$!
        watch "$job" 2> /dev/null &
        watcher=$!
        wait "$job"
        # At once with what it says: an empty file would be taken for a failure.
        echo "$?" > change.status
        mv change.status change.done
        wait "$watcher"
    elif [ -e armed ]; then
        : > fire
    fi
    ;;
boot)
    echo "$$" > "$running"
    ;;
esac
# Who ordered it was gone, or the power was, before anything was changed.
[ -e under-way ] || rm -f armed
await never "$(cat timeout)"
# Going back may have been under way when the machine lost its power.
if mv armed going-back 2> /dev/null || [ "$1-$(ls going-back 2> /dev/null)" = boot-going-back ]; then
    while [ -e going-back ]; do
        if %(back)s > back.out 2>&1; then
            lift
            unhook
            mv going-back put-back
        else
            sleep 10
        fi
    done
elif [ ! -e confirmed ]; then
    lift
    unhook
fi
rm -f "$running"
"""

# rc.start_packages also runs when an address changes: only the start of the machine counts, and that once.
BOOT = """#!/bin/sh
%s
[ "$1" = start ] || exit 0
cd "$(dirname "$0")/../hafirewall/lagg" || exit 0
(set -C && : > ../../../../..%s) 2> /dev/null || exit 0
[ -e change.done ] || echo boot > change.done
exec sh ./run boot
""" % (MANAGED, MARK)

# FreeBSD's rc reads a script with PROVIDE into a shell of its own (run_rc_script of rc.subr): $0 is that of rc, there may be no exit, and it must not wait.
# It says faststart at boot. Behind NETWORKING the interfaces are configured and pf is loaded, so nothing else changes them at the same time.
BOOT_BY_RC = """#!/bin/sh
%s
# PROVIDE: hafirewall_lagg
# REQUIRE: NETWORKING
case "$1" in
*start)
    (
        cd "$(dirname "${_file:-$0}")/../hafirewall/lagg" || exit 0
        (set -C && : > ../../../../..%s) 2> /dev/null || exit 0
        [ -e change.done ] || echo boot > change.done
        nohup sh ./run boot > /dev/null 2>&1 < /dev/null &
    )
    ;;
esac
""" % (MANAGED, MARK)


# What removes the script that is run at boot, for programs of packages.
_UNHOOK = """at_boot=../../rc.d/%s
unhook() {
    rm -f "$at_boot"
}""" % AT_BOOT.rsplit("/", 1)[1]
_LIFT = "sysctl net.inet.carp.demotion=-%d" % DEMOTION


def run(change: str, back: str, unhook: str = _UNHOOK, lift: str = _LIFT) -> str:
    """The script.

    Args:
        change, back: commands of the shell, in the folder of the script, that make the change and bring back what was before. The second one is tried again
            until it succeeds.
        unhook: makes a function of that name, by which the script is started at boot no more.
        lift: the command that takes back what the node was demoted by.
    """
    return _RUN % {"managed": MANAGED, "demoted": DEMOTED, "running": RUNNING, "boot": unhook, "longest": LONGEST, "lift": lift, "change": change, "back": back}
