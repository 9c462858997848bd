"""The reactor: readiness of descriptors, collected by whoever leads; and private waits for a single descriptor.

Part played:     what interrupts and DPCs are to afd.sys: the news that a transport has moved.
Lives here:      the only code that touches epoll, kqueue, poll or select.
Lives elsewhere: who leads (kernel/waits), what is attempted when something is ready (engine/lanes).
Level-triggered: a descriptor is armed when a request starts to pend and disarmed lazily, when it fires and nobody
                 pends. Readiness is looked at when it is collected, so data that an immediate try has taken is not
                 reported, and there is no edge to lose.
No descriptor:   an endpoint of a transport without descriptors is looked at once when it is watched, and again when it
                 reports by `Lane.ready`. Both go through a list that the leader works off, so that a transport may
                 report from inside an attempt.
Reuse:           an endpoint leaves the pump before its descriptor is closed. A report that was collected before that
                 reaches at most an endpoint that reuses the number, whose non-blocking attempt then finds nothing.
Closing:         a backend is given back when the last reference to it goes: at once, or when the leader that is inside
                 it has been woken and leaves.
Locking:         ``_lock`` guards the table of armed descriptors, never a poll call, an attempt or a delivery.
"""

from __future__ import annotations

import errno
import select
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..defs.codes import WSAENOBUFS
from ..errors import WinsockError
from ..kernel.waits import Parking, Report, Waiter, WakeDescriptor

if TYPE_CHECKING:
    from .endpoint import Endpoint

# The engine's own readiness bits; they are poll's values, which Linux shares between poll and epoll.
READABLE = 0x001  # POLLIN
URGENT = 0x002  # POLLPRI
WRITABLE = 0x004  # POLLOUT
FAULT = 0x008  # POLLERR, reported unasked
HANGUP = 0x010  # POLLHUP, reported unasked
INVALID = 0x020  # POLLNVAL, reported unasked
ENDED = getattr(select, "POLLRDHUP", 0)  # the peer has ended its direction; 0 where it shows as HANGUP with READABLE

_SELECT_BITS = (READABLE, WRITABLE, URGENT)  # the order of select's three lists

_LOOK_UP_MS = 5

GUARDIAN_TICK_S = 0.01
GUARDIAN_PATIENCE = 3  # ticks during which a leader is expected to leave by itself

# Hosts take a time in milliseconds as a C int, 24 days; Windows' own limit is 49 days. Whoever sleeps looks at the
# clock afterwards, so a longer sleep may end early.
_LONGEST_MS = 1_000_000_000
_LONGEST_S = _LONGEST_MS / 1000


def _milliseconds(timeout_s: float | None) -> float | None:
    return None if timeout_s is None else min(timeout_s * 1000, _LONGEST_MS)


class Backend(Protocol):
    """One host mechanism that tells which descriptors are ready."""

    interruptible: bool
    """False when a change of interest is noticed only by the next `collect`, which then has to be woken."""

    def arm(self, fd: int, mask: int) -> None:
        """Report ``fd`` while it is ready for anything in ``mask``; replaces an earlier mask."""
        ...

    def disarm(self, fd: int) -> None:
        """Forget ``fd``; unknown descriptors are no error."""
        ...

    def collect(self, timeout_s: float | None, /) -> Sequence[Report]:
        """(descriptor, readiness) pairs, at most some hundreds; empty when the time ran out."""
        ...

    def close(self) -> None:
        """Give back what the host lent."""
        ...


class PollBackend:
    """poll(2): everywhere but Windows; 59 ns per descriptor and wait."""

    interruptible = False

    def __init__(self) -> None:
        self._poll = select.poll()
        self._lock = threading.Lock()
        self._changes: list[tuple[int, int]] = []
        self._known: set[int] = set()

    def arm(self, fd: int, mask: int) -> None:
        with self._lock:
            self._changes.append((fd, mask))

    def disarm(self, fd: int) -> None:
        self.arm(fd, 0)

    def collect(self, timeout_s: float | None) -> Sequence[Report]:
        # A poll object must not change while a thread polls it, so changes are applied by the collector.
        with self._lock:
            changes, self._changes = self._changes, []
        for fd, mask in changes:
            if mask:
                self._poll.register(fd, mask)
                self._known.add(fd)
            elif fd in self._known:
                self._known.discard(fd)
                self._poll.unregister(fd)
        return self._poll.poll(_milliseconds(timeout_s))

    def close(self) -> None:
        self._known.clear()


class EpollBackend:
    """epoll(7): Linux; flat in the number of descriptors."""

    interruptible = True

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._known: set[int] = set()
        self.collect: Callable[[float | None], Sequence[Report]] = self._epoll.poll

    def arm(self, fd: int, mask: int) -> None:
        if fd in self._known:
            try:
                self._epoll.modify(fd, mask)
                return
            except FileNotFoundError:
                pass  # the descriptor was closed behind our back and its number given out again
        self._known.add(fd)
        self._epoll.register(fd, mask)

    def disarm(self, fd: int) -> None:
        if fd in self._known:
            self._known.discard(fd)
            try:
                self._epoll.unregister(fd)
            except OSError:
                return  # closed already: the kernel has forgotten it by itself

    def close(self) -> None:
        self._epoll.close()


class SelectBackend:
    """select(2): the last resort; descriptors below FD_SETSIZE only."""

    interruptible = False

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}
        self._lock = threading.Lock()

    def arm(self, fd: int, mask: int) -> None:
        try:
            select.select([fd], (), (), 0)
        except ValueError as failure:
            raise OSError(errno.ENOBUFS, "the descriptor is too large for select") from failure
        with self._lock:
            self._masks[fd] = mask

    def disarm(self, fd: int) -> None:
        with self._lock:
            self._masks.pop(fd, None)

    def collect(self, timeout_s: float | None) -> Sequence[Report]:
        with self._lock:
            masks = dict(self._masks)
        readers, writers, urgent = ([fd for fd, mask in masks.items() if mask & bit] for bit in _SELECT_BITS)
        ready: dict[int, int] = {}
        try:
            sets = select.select(readers, writers, urgent, timeout_s)
        except OSError as failure:
            if failure.errno != errno.EBADF:
                raise
            # A descriptor was disarmed and closed after the copy above. Or it was closed behind our back: then it is
            # reported as poll reports it.
            return [(fd, INVALID) for fd, mask in masks.items() if ready_now(fd, mask) & INVALID]
        for fds, bit in zip(sets, _SELECT_BITS, strict=True):
            for fd in fds:
                ready[fd] = ready.get(fd, 0) | bit
        return list(ready.items())

    def close(self) -> None:
        self._masks.clear()


if sys.platform != "linux" and hasattr(select, "kqueue"):

    class KqueueBackend:
        """kqueue(2): macOS and the BSDs; one filter per direction."""

        interruptible = True

        def __init__(self) -> None:
            self._kqueue = select.kqueue()
            self._masks: dict[int, int] = {}

        def arm(self, fd: int, mask: int) -> None:
            before = self._masks.get(fd, 0)
            self._masks[fd] = mask
            changes = []
            for bit, kind in ((READABLE, select.KQ_FILTER_READ), (WRITABLE, select.KQ_FILTER_WRITE)):
                if mask & bit and not before & bit:
                    changes.append(select.kevent(fd, kind, select.KQ_EV_ADD))
                elif before & bit and not mask & bit:
                    changes.append(select.kevent(fd, kind, select.KQ_EV_DELETE))
            for change in changes:
                try:
                    self._kqueue.control([change], 0, 0)
                except FileNotFoundError:
                    continue  # deleting the filter of a descriptor that has been closed

        def disarm(self, fd: int) -> None:
            if self._masks.get(fd):
                self.arm(fd, 0)
            self._masks.pop(fd, None)

        def collect(self, timeout_s: float | None) -> Sequence[Report]:
            ready: dict[int, int] = {}
            for event in self._kqueue.control(None, 256, timeout_s):
                bit = READABLE if event.filter == select.KQ_FILTER_READ else WRITABLE
                if event.flags & select.KQ_EV_EOF:
                    bit |= HANGUP
                ready[event.ident] = ready.get(event.ident, 0) | bit
            return list(ready.items())

        def close(self) -> None:
            self._kqueue.close()


BACKENDS: dict[str, Callable[[], Backend]] = {"poll": PollBackend, "select": SelectBackend}
if hasattr(select, "epoll"):
    BACKENDS["epoll"] = EpollBackend
if "KqueueBackend" in globals():
    BACKENDS["kqueue"] = globals()["KqueueBackend"]


def best_backend() -> str:
    """The name of the host's fastest mechanism."""
    return next(name for name in ("epoll", "kqueue", "poll", "select") if name in BACKENDS)


class ReadyWait:
    """A private wait of one thread for one descriptor: used by a blocking call, which needs no reactor.

    The poll object is built once and reused for as long as the same thread waits for the same descriptor. It does not
    keep the waiter, whose own descriptor goes when its thread ends.

    Attributes:
        mask: the readiness waited for.
    """

    __slots__ = ("_poll", "_waiter", "mask")

    def __init__(self, fd: int, mask: int, waiter: Waiter) -> None:
        self.mask = mask
        self._waiter = weakref.ref(waiter)
        poll = select.poll()
        poll.register(waiter.fileno(), READABLE)
        poll.register(fd, mask)
        self._poll = poll.poll

    def serves(self, waiter: Waiter) -> bool:
        """True when this was made for that thread."""
        return self._waiter() is waiter

    def wait(self, waiter: Waiter, timeout_ms: float | None) -> int:
        """Sleep until the descriptor may be ready or the thread is woken; 0 when the time ran out.

        A very long time may end early. Otherwise the readiness bits, a wake-up's READABLE among them.
        """
        ready = self._poll(None if timeout_ms is None else min(timeout_ms, _LONGEST_MS))
        if not ready:
            return 0
        wake = waiter.descriptor
        if ready[0][0] == wake.fileno or ready[-1][0] == wake.fileno:
            wake.clear()
        return ready[0][1] | ready[-1][1]


class ChangeWait:
    """A private wait of one thread until the host has news of a descriptor, also news that make it ready for nothing.

    On hosts without edge-triggered epoll it looks up every few milliseconds instead.
    """

    __slots__ = ("_epoll", "_fd", "_waiter")

    def __init__(self, fd: int, waiter: Waiter) -> None:
        self._fd = fd
        self._waiter = waiter
        self._epoll: Any = None
        if hasattr(select, "epoll"):
            try:
                self._epoll = select.epoll()
            except OSError:
                return  # the limit of open files
            # Which bits are asked for matters little: any wake-up of the descriptor that finds one of them set counts.
            self._epoll.register(fd, READABLE | WRITABLE | select.EPOLLET)
            self._epoll.register(waiter.fileno(), READABLE)

    def wait(self, timeout_ms: float) -> int:
        """Sleep until there are news or the time is over; the readiness bits there are then."""
        if self._epoll is None:
            return ready_now(self._fd, WRITABLE, int(min(timeout_ms, _LOOK_UP_MS)))
        bits = 0
        for fd, ready in self._epoll.poll(timeout_ms / 1000):
            if fd == self._fd:
                bits = ready
            else:
                self._waiter.descriptor.clear()
        return bits

    def close(self) -> None:
        """Give back what the host lent."""
        if self._epoll is not None:
            self._epoll.close()


class Arrivals:
    """A descriptor that tells of news of another one: each connection that comes to a listening one, however many wait
    there already; new data; new room to send.

    Args:
        fd: the other descriptor.
        mask: READABLE or WRITABLE.

    Attributes:
        fileno: ready while there has been news since the last `take`.

    Raises:
        OSError: the host has no such mechanism, or no descriptor left.
    """

    def __init__(self, fd: int, mask: int = READABLE) -> None:
        self._take: Callable[[], Sequence[Any]]
        self._host: Any
        if hasattr(select, "epoll"):
            self._host = select.epoll()
            self._host.register(fd, mask | select.EPOLLET)
            self._take = partial(self._host.poll, 0)
        elif sys.platform != "linux" and hasattr(select, "kqueue"):
            self._host = select.kqueue()
            flags = select.KQ_EV_ADD | select.KQ_EV_CLEAR
            kind = select.KQ_FILTER_READ if mask & READABLE else select.KQ_FILTER_WRITE
            self._host.control([select.kevent(fd, kind, flags)], 0, 0)
            self._take = partial(self._host.control, None, 1, 0)
        else:
            raise OSError(errno.EOPNOTSUPP, "the host only tells what is so, not what is new")
        self.fileno: int = self._host.fileno()
        self._take()  # what is there already

    def take(self) -> bool:
        """Whether there has been news since the last time."""
        return bool(self._take())

    def close(self) -> None:
        """Give back what the host lent."""
        self._host.close()


class WaitSet:
    """A private wait of one thread for any of several descriptors, prepared once and repeated at will.

    To fill a poll object costs more than to poll it, and a program that waits for many sockets does so again and again
    with the same ones. It belongs to one thread, whose wake-ups it sees, and is not to be used inside a wait of its own
    (in a signal handler): the host refuses that.
    """

    __slots__ = ("_known", "_poll", "_waiter", "_wake", "look")

    def __init__(self, waiter: Waiter) -> None:
        self._waiter = waiter
        self._wake = waiter.fileno()
        self._poll = select.poll()
        self._poll.register(self._wake, READABLE)
        self._known: dict[int, int] = {}
        self.look: Callable[[int], list[Report]] = self._poll.poll
        """``look(0)`` is as ``wait(0)``, for less, but what it returns has to go through `ready` unless it is empty."""

    def watch(self, fd: int, mask: int) -> None:
        """Report ``fd`` while it is ready for anything in ``mask``; 0 forgets it, hang-ups included."""
        if self._known.get(fd, 0) == mask:
            return
        if mask:
            self._poll.register(fd, mask)
            self._known[fd] = mask
        else:
            del self._known[fd]
            self._poll.unregister(fd)

    def wait(self, timeout_ms: float | None) -> list[Report]:
        """Sleep until a descriptor is ready or the thread is woken.

        Returns:
            What is ready; nothing when the time ran out (a very long one may end early) or only a wake-up came.
        """
        if timeout_ms is not None and timeout_ms > _LONGEST_MS:
            timeout_ms = _LONGEST_MS
        return self.ready(self._poll.poll(timeout_ms))

    def ready(self, ready: list[Report]) -> list[Report]:
        """Reports without a wake-up, which is forgotten."""
        if ready and ready[0][0] == self._wake:  # the host reports in the order of registration
            self._waiter.descriptor.clear()
            del ready[0]
        return ready


def ready_now(fd: int, mask: int, timeout_ms: int = 0) -> int:
    """The readiness bits of one descriptor, without waiting, or after a short wait that nothing else ends."""
    poll = select.poll()
    poll.register(fd, mask)
    found = poll.poll(timeout_ms)
    return found[0][1] if found else 0


def looker(fd: int, mask: int) -> Callable[[], list[tuple[int, int]]]:
    """A function that tells again and again, at little cost, whether one descriptor is ready: something true if so.

    Two threads must not call it at once; the second one gets RuntimeError.
    """
    poll = select.poll()
    poll.register(fd, mask)
    return partial(poll.poll, 0)


class Pump:
    """The reactor of one process: which endpoints pend, and who looks after them.

    A thread inside an emulator wait leads (kernel/waits). While requests pend and nobody leads, the guardian, a daemon
    thread, collects instead: on Windows pending requests make progress although nobody waits for them. It keeps out
    while threads come and go, and makes room at once for a thread that wants to lead.
    """

    def __init__(self, backend: str | None = None) -> None:
        self.backend_name = backend or best_backend()
        self.parking = Parking(self)
        self._lock = threading.Lock()
        self._host: tuple[Backend, WakeDescriptor] | None = None
        self._armed: dict[int, tuple[Endpoint, int]] = {}
        self._moved: deque[Endpoint] = deque()  # endpoints without a descriptor that have to be looked at
        self._guardian: threading.Thread | None = None
        self._guardian_rests = False  # nothing pends as far as it knows: the next request has to ring
        self._closed = False

    def _open(self) -> tuple[Backend, WakeDescriptor]:
        """The backend and what wakes its collector, made on first use; the caller holds ``_lock``."""
        if self._host is None:
            try:
                backend = BACKENDS[self.backend_name]()
                wake = WakeDescriptor()
                backend.arm(wake.fileno, READABLE)
            except OSError as failure:
                raise WinsockError(WSAENOBUFS) from failure  # the limit of open files, most often
            self._host = backend, wake
        return self._host

    def watch(self, endpoint: Endpoint) -> None:
        """Look after the directions in which ``endpoint`` has requests pending.

        Raises:
            WinsockError: WSAENOBUFS, the host has no room for another descriptor in its set.
        """
        fd = endpoint.fd
        known = self._armed.get(fd)
        if known is not None and known[0] is endpoint and not endpoint.interest() & ~known[1] and self._guardian:
            return  # most often. A leader that disarms it at this moment looks at its interest afterwards
        with self._lock:
            if self._closed:
                return
            if fd < 0:
                self._open()
                self._moved.append(endpoint)
                news = True
            else:
                news = self._arm(endpoint, fd)
            if self._guardian is None:
                self._start_guardian()
            elif self._guardian_rests:
                self.parking.bell.set()
        if news:
            self.wake()

    def _arm(self, endpoint: Endpoint, fd: int) -> bool:
        """Add what pends to what is collected, under ``_lock``; True when a collector must be woken to notice."""
        mask = endpoint.interest()
        if not mask:
            return False
        known = self._armed.get(fd)
        if known is not None and known[0] is endpoint:
            mask |= known[1]
            if mask == known[1]:
                return False
        backend = self._open()[0]
        try:
            backend.arm(fd, mask)
        except OSError as failure:
            raise WinsockError(WSAENOBUFS) from failure
        self._armed[fd] = endpoint, mask
        return not backend.interruptible

    def unwatch(self, endpoint: Endpoint) -> None:
        """Forget an endpoint; called before its descriptor is closed."""
        with self._lock:
            known = self._armed.get(endpoint.fd)
            if known is None or known[0] is not endpoint or self._host is None:
                return
            del self._armed[endpoint.fd]
            backend = self._host[0]
            backend.disarm(endpoint.fd)
        if not backend.interruptible:
            self.wake()

    def _disarm_idle(self, endpoint: Endpoint) -> None:
        """Keep only what still pends, after a report that nobody waited for."""
        with self._lock:
            known = self._armed.get(endpoint.fd)
            if known is None or known[0] is not endpoint or self._host is None:
                return
            backend, mask = self._host[0], endpoint.interest()
            if mask == known[1]:
                return
            if not self._rearm(backend, endpoint, mask):
                return
        if endpoint.interest() & ~mask:
            self.watch(endpoint)  # it began to pend meanwhile and was still armed then

    def _rearm(self, backend: Backend, endpoint: Endpoint, mask: int) -> bool:
        """Change what is collected of an endpoint that is armed, under ``_lock``; False when its descriptor is gone."""
        if mask:
            try:
                backend.arm(endpoint.fd, mask)
            except OSError:
                mask = 0  # closed behind our back
            else:
                self._armed[endpoint.fd] = endpoint, mask
                return True
            del self._armed[endpoint.fd]
            backend.disarm(endpoint.fd)
            return False
        del self._armed[endpoint.fd]
        backend.disarm(endpoint.fd)
        return True

    # The Reactor protocol of kernel/waits

    def collect(self, timeout_s: float | None) -> Sequence[Report]:
        """Wait for readiness; only the leader calls this."""
        host = self._host  # held until the end: the descriptors outlive a `close` in another thread
        if host is None:
            with self._lock:
                if self._closed:
                    return ()
                host = self._open()
        if timeout_s is not None and timeout_s > _LONGEST_S:
            timeout_s = _LONGEST_S
        return host[0].collect(0 if self._moved else timeout_s)

    def service(self, reports: Sequence[Report]) -> None:
        """Let endpoints try again; only the leader calls this."""
        host = self._host
        if host is None:
            return
        wake = host[1]
        for fd, ready in reports:
            if fd == wake.fileno:
                wake.clear()
                continue
            known = self._armed.get(fd)
            if known is None:
                continue
            endpoint, mask = known
            # What nobody waits for would be reported again and again. A request that completes now leaves its
            # descriptor armed, though: the next one usually follows before the next report.
            idle = (ready & mask or mask) & ~endpoint.interest()
            endpoint.service(ready)
            if idle:
                self._disarm_idle(endpoint)
        moved = self._moved
        for _ in range(len(moved)):
            moved[0].service(READABLE | WRITABLE)
            moved.popleft()

    def wake(self) -> None:
        """End the leader's wait, also one that is about to begin."""
        if not self.parking.led:
            return
        host = self._host
        if host is None:
            # The leader has looked at its own state and is on its way to open the backend: it finds the signal there.
            with self._lock:
                if self._closed:
                    return
                host = self._open()
        host[1].signal()

    def sleep(self, waiter: Waiter, timeout_s: float | None) -> bool:
        """Put a thread to sleep on its own wake descriptor."""
        if waiter.poll is None:
            poll = select.poll()
            poll.register(waiter.fileno(), READABLE)
            waiter.poll = poll.poll
        if not waiter.poll(_milliseconds(timeout_s)):
            return False
        waiter.descriptor.clear()
        return True

    # The guardian

    def _start_guardian(self) -> None:
        """Start the thread; the caller holds ``_lock``."""
        self._guardian = threading.Thread(target=self._guard, name="winsock2emu-guardian", daemon=True)
        try:
            self._guardian.start()
        except RuntimeError:
            # The host has no thread left, or the interpreter is ending. Threads that wait lead all the same, and the
            # next request tries again.
            self._guardian = None

    def _guard(self) -> None:
        """Collect while requests pend and nobody else does; otherwise sleep until that may have changed."""
        parking = self.parking
        bell = parking.bell
        turns = -1  # whoever has just issued the first request is likely to wait for it
        refused = 0
        while True:
            bell.clear()
            self._guardian_rests = True
            # Whoever changes one of these rings afterwards if it finds the mark set, so the mark comes first.
            if self._closed:
                return
            if not self._armed and not self._moved:
                bell.wait()
                continue
            self._guardian_rests = False
            if parking.turns != turns:
                # A thread has begun to lead since the last look: the next one is likely within moments.
                turns = parking.turns
                refused = 0
                bell.wait(GUARDIAN_TICK_S)
            elif parking.lead_once(GUARDIAN_TICK_S):
                refused = 0
            elif refused < GUARDIAN_PATIENCE:
                # A thread leads and will probably leave within moments: look again instead of making it ring.
                refused += 1
                bell.wait(GUARDIAN_TICK_S)
            else:
                refused = 0
                parking.ring = True
                if parking.led and not self._closed:
                    bell.wait()

    @property
    def pends(self) -> bool:
        """True when some endpoint waits for readiness."""
        return bool(self._armed or self._moved)

    def armed(self) -> Iterable[int]:
        """The descriptors looked after at the moment (for tests and leak checks)."""
        return tuple(self._armed)

    def close(self) -> None:
        """End the guardian and give the backend back; endpoints have been closed before.

        Threads that are parked here go on waiting, each for its own wake-up.
        """
        with self._lock:
            self._closed = True
            guardian = self._guardian
        self.parking.close()
        self.parking.bell.set()
        if guardian is not None and guardian is not threading.current_thread():
            guardian.join()
        with self._lock:
            self._host = None
            self._armed.clear()

    def after_fork(self) -> None:
        """In the child: a backend of its own (an epoll set is shared with the parent), no guardian, nothing pending."""
        host = self._host
        self.__init__(self.backend_name)  # type: ignore[misc]  # every field starts anew, by the one list of them
        if host is not None:
            # Frames of the parent's threads may hold references for ever. Closing does not touch the parent's set.
            host[0].close()
            host[1].close()
