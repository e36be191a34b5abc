# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync as OpenBSD has it since 7.4 (sys/net/if_pfsync.c, revision 1.330): one format, version 6 on the wire; a bulk update as a machine of five states;
and nothing that travels about the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Optional

from ansible_collections.hafirewall.cluster.tests.simulators.bsd import pfsync
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import Timer, VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.pfsync import Frame, Message
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.states import State
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import failed

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

GROUP = pfsync.GROUP
NAME = "pfsync0"
WIRE_VERSION = 6
FORMAT = 1264  # not on the wire: the base's name for messages of whole states, whose size is 264
DEMOTION_BULK, DEMOTION_LINK = 32, 1
LINK_SECONDS, RETRY_SECONDS, MAX_TRIES = 30.0, 2.0, 12
_MINIMUM, _STATE = 40, 264


class Pfsync(pfsync.Pfsync):
    """pfsync0 of a machine.

    Attributes:
        up: it runs (IFF_RUNNING), which is more than that it is up.
        stage: of the bulk update: none, start (waits for the link), sent, bulk, done.
        link_down: that the link of the Sync device was down when it was looked at last.
    """

    wire_version = WIRE_VERSION
    known = ("CLR", "INS_1264", "IACK", "UPD_1264", "UPD_C", "UREQ", "DEL_C", "BUS")
    hooked = True

    def __init__(self, machine: "Machine", clock: VirtualClock) -> None:
        self._own = machine
        super().__init__(machine, clock, (FORMAT,))  # type: ignore[arg-type]

    def reset(self) -> None:
        super().reset()
        self.stage = "none"
        self.link_down = False
        self._demoted = False

    # The interface: each method is one ioctl

    def set(self, device: Optional[str], peer: Optional[str]) -> Optional[str]:
        """SIOCSETPFSYNC with another device or peer (pfsync_set_ioc); the error's name, or None."""
        if device is not None and device not in self.machine.interfaces:
            return "ENXIO"
        if self.up and (device is None or device != self.syncdev or (peer or GROUP) != self.peer):
            return "EBUSY"
        self.syncdev, self.peer = device, peer or GROUP
        return None

    def set_up(self, up: bool) -> None:
        """SIOCSIFFLAGS. It comes up only with a device."""
        interface = self._own.interfaces.device(NAME)
        if up and not self.up:
            if self.syncdev is None:
                raise failed("%s: SIOCSIFFLAGS" % NAME, "ENXIO")
            if self.peer == GROUP and self.machine.interfaces[self.syncdev].driver in ("pflog", "enc", "pfsync"):
                raise failed("%s: SIOCSIFFLAGS" % NAME, "ENODEV")
            interface.up = interface.running = self.up = True
            self.link_down = True
            self._demote_groups(DEMOTION_LINK, "pfsync up")
            self._demoted = True
            self._demote_groups(DEMOTION_BULK, "pfsync start")
            self._stage("start", LINK_SECONDS)
            self._look_at_link()
        elif not up:
            interface.up = False
            self._down()

    def destroyed(self) -> None:
        """The interface goes; what was counted stays, for it is the kernel's."""
        self._down()
        counters = self.counters
        self.reset()
        self.counters = counters

    def link_changed(self, device: str) -> None:
        """The link of an interface came up or went down (pfsync_syncif_link)."""
        if self.up and device == self.syncdev:
            self._look_at_link()

    def device_gone(self, device: str) -> None:
        """An interface is destroyed (pfsync_syncif_detach)."""
        if device == self.syncdev:
            if self.up:
                self._down()
                self._own.interfaces.device(NAME).up = False
            self.syncdev = None

    def _look_at_link(self) -> None:
        down = self.syncdev is None or not self.machine.interfaces.carrier(self.syncdev)
        if not down and self.stage == "start":
            self._request()
        if down != self.link_down:
            self._demote_groups(DEMOTION_LINK if down else -DEMOTION_LINK, "pfsync link")
        self.link_down = down

    def _down(self) -> None:
        if not self.up:
            return
        self._own.interfaces.device(NAME).running = self.up = False
        if self.link_down:
            self._demote_groups(-DEMOTION_LINK, "pfsync down")
            self.link_down = False
        self._tries = 0
        self._stage("none", 0)
        if self._demoted:
            self._demoted = False
            self._demote_groups(-DEMOTION_BULK, "pfsync down")
        self.flush()

    def flush(self) -> None:
        """Send what waits; what waits while it does not run is dropped (pfsync_slice_drop)."""
        if not self.up:
            self._queue = []
            self._waiting.clear()
        super().flush()

    def _demote_groups(self, by: int, reason: str) -> None:
        self._own.carp.demote(NAME, by, reason)

    # The bulk update (pfsync_bulk_req_evt)

    def _stage(self, stage: str, seconds: float) -> None:
        self.stage = stage
        self._bulk_timer.stop()
        self._bulk_timer = self.clock.after(seconds, self._timeout) if seconds else Timer(lambda: None)

    def _request(self) -> None:
        self._stage("sent", RETRY_SECONDS)
        self._put(Message("UREQ"))
        self.flush()

    def _timeout(self) -> None:
        before = self.stage
        if before in ("sent", "bulk"):
            self._tries += 1
            if self._tries < MAX_TRIES:
                self._request()
                if before == "sent":
                    return
            # After a transfer that has begun the kernel asks once more, and all the same takes it for done at once: a break is missing there.
        self._done()

    def _done(self) -> None:
        self._stage("done", 0)
        if self._demoted:
            self._demoted = False
            self._demote_groups(-DEMOTION_BULK, "pfsync done")

    def _bulk_mark(self, word: str) -> None:
        if word == "START" and self.stage in ("start", "sent"):
            packets = self.machine.pf.states.limit // ((self.mtu - _MINIMUM) // _STATE)
            self._stage("bulk", 4.0 * max(1, packets // 50))
        elif word == "END" and self.stage == "bulk":
            self._done()

    # States

    def inserted(self, state: State, unsynced: bool) -> None:
        """no-sync is a mark of the state itself (pfsync_init_state), whether pfsync runs or not."""
        state.nosync = unsynced or state.protocol == "pfsync"
        if not state.nosync and self.up:
            super().inserted(state, False)

    def updated(self, state: State) -> None:
        if self.up:
            super().updated(state)

    def deleted(self, state: State) -> None:
        if self.up:
            super().deleted(state)

    def cleared(self, creator: int, interface: str) -> None:
        if self.up:
            super().cleared(creator, interface)

    def hears(self, device: str, target: str) -> bool:
        return self.up and super().hears(device, target) if target == GROUP else True

    def _take(self, message: Message, frame: Frame) -> None:
        if message.kind == "CLR":
            # Only the states of the interface that the message names, if it names one.
            for state in self.machine.pf.states:
                if state.creator == message.key[0] and message.word in ("", state.interface):
                    self.machine.pf.states.remove(state)
            return
        super()._take(message, frame)

    def _import(self, message: Message, frame: Frame) -> None:
        """The checksum of the rules does not travel (pfsync_encap), so that no state has a rule but the default one."""
        assert message.state is not None
        super()._import(message._replace(state=replace(message.state, rule=None)), frame)

    def refuses(self, told: State, kind: str, same_rules: bool) -> Optional[str]:
        """None is refused: an interface that nobody knows becomes known to pf (pfi_kif_get in pf_state_import)."""
        self._own.pf.know(told.interface)
        return None
