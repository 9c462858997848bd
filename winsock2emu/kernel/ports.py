"""Completion ports: a queue of packets and the threads that work them off.

Part played:     KQUEUE and IoCompletion objects.
Lives here:      queueing, dequeueing, closing under waiting threads.
Lives elsewhere: waiting (kernel/objects), who posts packets (kernel32.ports, requests).
Order:           packets first in, first out; waiting threads last in, first out, so that few threads stay warm.
Without waiters: posting appends and then looks for waiting threads, a thread enters itself and then looks for packets;
                 neither takes the lock unless there is somebody to wake.
Fairness:        a port that never runs dry would keep its threads from ever collecting readiness. Every 64th packet
                 the thread that takes it looks at the host first, without waiting.
Few threads:     a thread that makes its own next packet, as a worker does whose request completes at once, is mostly
                 back for it before another thread could be woken, and the interpreter runs one at a time anyway. So
                 `deliver_soon` leaves it to the next leader, of which there is one within moments (kernel/waits). And a
                 leader that waits for the port itself takes the packet that it has made.
Until dry:       an event loop takes packets until it is told that there are none, and a second look at the host, just
                 after the first, would only tell it that: `take` leaves it out.
Differences:     the concurrency value is kept and not enforced. NT counts a port's threads as running until they block
                 anywhere; the host does not tell when a thread blocks, and an interpreter runs one thread at a time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any, Final

from .objects import IO_COMPLETION, PENDING, TIMED_OUT, Home, Wait, Waitable, dispatcher, look, run_apcs
from .waits import Parking, Waiter, idle_waiter, this_waiter

Packet = tuple[int, Any, int, int]
"""Key, overlapped record, NTSTATUS, bytes."""

CLOSED: Final = 735  # ERROR_ABANDONED_WAIT_0
FAIR: Final = 64


class PortWait(Wait):
    """A thread that waits for a packet.

    Attributes:
        packet: what it has got.
        helps_itself: being woken is enough, and it looks for the packet.
    """

    __slots__ = ("helps_itself", "packet", "port")

    def __init__(self, waiter: Waiter, port: Port) -> None:
        super().__init__(waiter, (), False)
        self.port = port
        self.packet: Packet | None = None
        self.helps_itself = False

    def sleep(self, home: Home, timeout_s: float | None, alertable: bool) -> int:
        if alertable:
            return super().sleep(home, timeout_s, alertable)
        # The same without what an alertable wait needs, and for a wait that nobody has to end: it looks for itself.
        waiter, waiting = self.waiter, self.port.waiting
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self.helps_itself = True
        parking = home.parking()
        try:
            waiter.busy = True
            while True:
                waiter.done = False  # before the look at the packets: whoever posts does it the other way round
                with dispatcher:
                    if self.status != PENDING:
                        break
                    if self not in waiting:
                        waiting.append(self)
                    if self.attempt():
                        self.unlink()
                        break
                if deadline is not None:
                    timeout_s = max(0.0, deadline - time.monotonic())
                if not parking.park(waiter, timeout_s):
                    with dispatcher:
                        self.end(TIMED_OUT)
            waiter.busy = False
        except BaseException:
            with dispatcher:
                granted = not self.end(TIMED_OUT)
                self.unlink()  # it may have struck between the two halves of an end
            waiter.busy = False
            if granted:
                self.give_back()
            raise
        return self.status

    def attempt(self) -> bool:
        port = self.port
        if port.packets:
            try:
                self.packet = port.packets.popleft()
            except IndexError:
                return False  # a thread without the lock was faster
            self.status = 0
            return True
        if port.closed:
            self.status = CLOSED
            return True
        return False

    def link(self) -> bool:
        self.port.waiting.append(self)
        if self.attempt():
            self.unlink()
            return True
        return False

    def unlink(self) -> None:
        waiting = self.port.waiting
        if waiting and waiting[-1] is self:
            waiting.pop()
        elif self in waiting:
            waiting.remove(self)

    def give_back(self) -> None:
        if self.packet is not None:
            self.port.packets.appendleft(self.packet)
            self.port.deliver()


class Port(Waitable):
    """A completion port.

    Attributes:
        packets: may be appended to, and taken from the left, by anyone; `deliver` has to follow an append.
        waiting: the waits of its threads, the latest last.
        concurrency: NumberOfConcurrentThreads.
        taken: packets since the host was looked at last.
        looked: `take` has got the packet that it looked for, and has not said since that there is none.
        refills: called once all packets have been taken, and forgotten: sources that have more as long as it is there.
        worker: the thread that has taken the latest packet while others waited.
    """

    __slots__ = (
        "_parking",
        "closed",
        "concurrency",
        "looked",
        "packets",
        "refills",
        "taken",
        "waiting",
        "worker",
    )

    def __init__(self, concurrency: int) -> None:
        super().__init__(signalled=False, keeps=True)
        self.concurrency = concurrency
        self.packets: deque[Packet] = deque()
        self.waiting: list[PortWait] = []
        self.closed = False
        self.taken = 0
        self.looked = False
        self.refills: list[Callable[[], None]] = []
        self.worker = 0
        self._parking: Parking | None = None  # where its threads wait

    def post(self, packet: Packet) -> None:
        """Queue a packet, or hand it to a thread that waits."""
        self.packets.append(packet)
        if self.waiting:
            self.deliver()

    def deliver(self) -> None:
        """Hand packets to waiting threads as long as there are both."""
        packets, waiting = self.packets, self.waiting
        woken: list[Waiter] = []
        me = this_waiter()
        try:
            with dispatcher:
                if me.leading and len(waiting) == 1 and waiting[0].waiter is me and waiting[0].helps_itself:
                    del waiting[0]  # it is awake, and needs not be told of the next packets
                    me.done = True
                while packets and waiting:
                    block = waiting[-1]
                    if me.leading:
                        block = next((one for one in waiting if one.waiter is me), block)
                    if not block.attempt():
                        break
                    waiting.remove(block)
                    block.waiter.done = True
                    woken.append(block.waiter)
        finally:
            for waiter in woken:
                waiter.wake()

    def deliver_soon(self) -> None:
        """As `deliver`, for a packet that the calling thread has made of its own request; see above."""
        parking = self._parking
        if self.worker != get_ident() or parking is None or not parking.postpone(self.deliver):
            self.deliver()

    def look(self, home: Home) -> None:
        """Let the host's readiness become packets; the calling thread has taken `FAIR` of them without waiting."""
        self.taken = 0
        if home.pends():
            look(idle_waiter(), home)

    def get(self, timeout_s: float | None, alertable: bool, home: Home) -> Packet | int:
        """The next packet, waited for; IO_COMPLETION, TIMED_OUT or CLOSED without one. Packets come before APCs."""
        if self.refills:
            refills, self.refills = self.refills, []
            for refill in refills:
                refill()
        block = PortWait(idle_waiter(), self)
        if timeout_s == 0:
            # What has become ready by now counts, although nobody has waited for it.
            self.look(home)
            with dispatcher:
                over = block.attempt()
            if not over and alertable and block.waiter.apcs:
                run_apcs(block.waiter)
                return IO_COMPLETION
            status = block.status if over else TIMED_OUT
        else:
            self._parking = home.parking()
            status = block.sleep(home, timeout_s, alertable)
            self.worker = block.waiter.thread
        return status if block.packet is None else block.packet

    def take(self, timeout_s: float | None, home: Home) -> Packet | int:
        """As `get`, for a program that takes packets until none is there, see above."""
        try:
            packet = self.packets.popleft()
        except IndexError:
            if timeout_s == 0 and not self.refills and not self.closed:
                # `get` without a wait block.
                if self.looked:
                    self.looked = False
                    return TIMED_OUT
                self.look(home)
                try:
                    packet = self.packets.popleft()
                except IndexError:
                    return TIMED_OUT
                self.looked = True
                return packet
            self.taken = 0
            found = self.get(timeout_s, False, home)
            self.looked = type(found) is tuple
            return found
        self.taken += 1
        if self.taken >= FAIR:
            self.look(home)
        if self.waiting:
            self.worker = get_ident()
        return packet

    def get_several(self, most: int, timeout_s: float | None, alertable: bool, home: Home) -> list[Packet] | int:
        """At least one packet and what else is there, up to a number; or a status as from `get`."""
        packets = self.packets
        self.taken += 1
        if self.taken >= FAIR:
            self.look(home)
        found: list[Packet] = []
        try:
            while len(found) < most:
                found.append(packets.popleft())
            self.worker = get_ident()
        except IndexError:
            self.worker = get_ident()
            if not found:
                first = self.get(timeout_s, alertable, home)
                if isinstance(first, int):
                    return first
                found.append(first)
                if packets and len(found) < most:
                    return found + self._rest(most - len(found))
        return found

    def _rest(self, most: int) -> list[Packet]:
        found: list[Packet] = []
        while len(found) < most:
            try:
                found.append(self.packets.popleft())
            except IndexError:
                break
        return found

    def last_handle_closed(self) -> None:
        """Its threads wait in vain: they are told."""
        woken: list[Waiter] = []
        with dispatcher:
            self.closed = True
            while self.waiting:
                block = self.waiting.pop()
                block.status = CLOSED
                block.waiter.done = True
                woken.append(block.waiter)
        self.packets.clear()
        for waiter in woken:
            waiter.wake()

    def forget_waiters(self) -> None:
        super().forget_waiters()
        self.waiting.clear()
