"""The reactor: readiness of descriptors, collected by whoever leads; and private waits for a single descriptor.

Part played:     what interrupts and DPCs are to afd.sys: the news that a transport has moved.
Lives here:      the only code that touches epoll, kqueue, poll or select.
Lives elsewhere: who leads (kernel/waits), what is attempted when something is ready (engine/lanes).
Level-triggered: a descriptor is armed when a request starts to pend and disarmed lazily, when it fires and nobody
                 pends. Readiness is looked at when it is collected, so data that an immediate try has taken is not
                 reported, and there is no edge to lose.
Reuse:           an endpoint leaves the pump before its descriptor is closed. A report that was collected before that
                 reaches at most an endpoint that reuses the number, whose non-blocking attempt then finds nothing.
Locking:         ``_lock`` guards the table of armed descriptors, never a poll call, an attempt or a delivery.
"""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from ..kernel.waits import Parking, Waiter, WakeDescriptor

if TYPE_CHECKING:
    from .endpoint import Endpoint

# The engine's own readiness bits; they are poll's values, which Linux shares between poll and epoll.
READABLE = 0x001  # POLLIN
URGENT = 0x002  # POLLPRI
WRITABLE = 0x004  # POLLOUT
FAULT = 0x008  # POLLERR, reported unasked
HANGUP = 0x010  # POLLHUP, reported unasked
INVALID = 0x020  # POLLNVAL, reported unasked

_SELECT_BITS = (READABLE, WRITABLE, URGENT)  # the order of select's three lists

GUARDIAN_TICK_S = 0.01
GUARDIAN_PATIENCE = 3  # ticks during which a leader is expected to leave by itself


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

    def collect(self, timeout_s: float | None) -> list[tuple[int, int]]:
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

    def collect(self, timeout_s: float | None) -> list[tuple[int, int]]:
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
        return self._poll.poll(None if timeout_s is None else timeout_s * 1000)

    def close(self) -> None:
        self._known.clear()


class EpollBackend:
    """epoll(7): Linux; flat in the number of descriptors."""

    interruptible = True

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._known: set[int] = set()

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

    def collect(self, timeout_s: float | None) -> list[tuple[int, int]]:
        return self._epoll.poll(timeout_s)

    def close(self) -> None:
        self._epoll.close()


class SelectBackend:
    """select(2): the last resort; descriptors below FD_SETSIZE only."""

    interruptible = False

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}
        self._lock = threading.Lock()

    def arm(self, fd: int, mask: int) -> None:
        with self._lock:
            self._masks[fd] = mask

    def disarm(self, fd: int) -> None:
        with self._lock:
            self._masks.pop(fd, None)

    def collect(self, timeout_s: float | None) -> list[tuple[int, int]]:
        with self._lock:
            masks = dict(self._masks)
        readers, writers, urgent = ([fd for fd, mask in masks.items() if mask & bit] for bit in _SELECT_BITS)
        ready: dict[int, int] = {}
        for fds, bit in zip(select.select(readers, writers, urgent, timeout_s), _SELECT_BITS, strict=True):
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

        def collect(self, timeout_s: float | None) -> list[tuple[int, int]]:
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

    The poll object is built once and reused for as long as the same thread waits for the same descriptor.
    """

    __slots__ = ("_poll", "_wake", "waiter")

    def __init__(self, fd: int, mask: int, waiter: Waiter) -> None:
        self.waiter = waiter
        self._wake = waiter.descriptor
        poll = select.poll()
        poll.register(self._wake.fileno, READABLE)
        poll.register(fd, mask)
        self._poll = poll.poll

    def wait(self, timeout_ms: float | None) -> bool:
        """Sleep until the descriptor may be ready or the thread is woken; False when the time ran out."""
        ready = self._poll(timeout_ms)
        if not ready:
            return False
        wake = self._wake
        if ready[0][0] == wake.fileno or ready[-1][0] == wake.fileno:
            wake.clear()
        return True


def wait_any(masks: Mapping[int, int], waiter: Waiter, timeout_ms: float | None) -> dict[int, int]:
    """Wait until one of several descriptors is ready or the thread is woken.

    Returns:
        Descriptor to readiness bits; empty when the time ran out or only a wake-up came.
    """
    poll = select.poll()
    wake = waiter.fileno()
    poll.register(wake, READABLE)
    for fd, mask in masks.items():
        poll.register(fd, mask)
    ready = dict(poll.poll(timeout_ms))
    if ready.pop(wake, 0):
        waiter.descriptor.clear()
    return ready


def ready_now(fd: int, mask: int) -> int:
    """The readiness bits of one descriptor, without waiting."""
    poll = select.poll()
    poll.register(fd, mask)
    found = poll.poll(0)
    return found[0][1] if found else 0


class Pump:
    """The reactor of one process: which endpoints pend, and who looks after them.

    A thread inside an emulator wait leads (kernel/waits). While requests pend and nobody leads, the guardian, a daemon
    thread, collects instead: on Windows pending requests make progress although nobody waits for them.
    """

    def __init__(self, backend: str | None = None) -> None:
        self.backend_name = backend or best_backend()
        self.parking = Parking(self)
        self._lock = threading.Lock()
        self._backend: Backend | None = None
        self._wake: WakeDescriptor | None = None
        self._armed: dict[int, tuple[Endpoint, int]] = {}
        self._guardian: threading.Thread | None = None
        self._guardian_bell = threading.Event()
        self._closed = False

    def _open(self) -> Backend:
        """The backend, made on first use; the caller holds ``_lock``."""
        if self._backend is None:
            self._backend = BACKENDS[self.backend_name]()
            self._wake = WakeDescriptor()
            self._backend.arm(self._wake.fileno, READABLE)
        return self._backend

    def watch(self, endpoint: Endpoint) -> None:
        """Collect readiness for the directions in which ``endpoint`` has requests pending."""
        with self._lock:
            mask = endpoint.interest()
            fd = endpoint.fd
            known = self._armed.get(fd)
            if mask and fd >= 0 and (known is None or known[0] is not endpoint or known[1] != mask):
                self._armed[fd] = endpoint, mask
                backend = self._open()
                backend.arm(fd, mask)
                stale = not backend.interruptible
            else:
                stale = False
            start_guardian = bool(self._armed) and self._guardian is None and not self._closed
            if start_guardian:
                self._guardian = threading.Thread(target=self._guard, name="winsock2emu-guardian", daemon=True)
        if stale:
            self.wake()
        if start_guardian:
            assert self._guardian is not None
            self._guardian.start()
        elif not self.parking.led:
            self._guardian_bell.set()

    def unwatch(self, endpoint: Endpoint) -> None:
        """Forget an endpoint; called before its descriptor is closed."""
        with self._lock:
            known = self._armed.get(endpoint.fd)
            if known is None or known[0] is not endpoint:
                return
            del self._armed[endpoint.fd]
            assert self._backend is not None
            self._backend.disarm(endpoint.fd)
            stale = not self._backend.interruptible
        if stale:
            self.wake()

    def _settle(self, endpoint: Endpoint) -> None:
        """Lazy disarm: after a report, keep only what still pends."""
        with self._lock:
            known = self._armed.get(endpoint.fd)
            if known is None or known[0] is not endpoint:
                return
            mask = endpoint.interest()
            if mask == known[1]:
                return
            assert self._backend is not None
            if mask:
                self._armed[endpoint.fd] = endpoint, mask
                self._backend.arm(endpoint.fd, mask)
            else:
                del self._armed[endpoint.fd]
                self._backend.disarm(endpoint.fd)

    # The Reactor protocol of kernel/waits

    def collect(self, timeout_s: float | None) -> None:
        """Wait for readiness and service it; only the leader calls this."""
        with self._lock:
            if self._closed:
                return
            backend = self._open()
        wake = self._wake
        assert wake is not None
        for fd, ready in backend.collect(timeout_s):
            if fd == wake.fileno:
                wake.clear()
                continue
            known = self._armed.get(fd)
            if known is not None:
                known[0].service(ready)
                self._settle(known[0])

    def wake(self) -> None:
        """End the leader's wait."""
        if self._wake is not None:
            self._wake.signal()

    def sleep(self, waiter: Waiter, timeout_s: float | None) -> bool:
        """Put a follower to sleep on its own wake descriptor."""
        if waiter.poll is None:
            waiter.poll = select.poll()
            waiter.poll.register(waiter.fileno(), READABLE)
        if not waiter.poll.poll(None if timeout_s is None else timeout_s * 1000):
            return False
        waiter.descriptor.clear()
        return True

    # The guardian

    def _guard(self) -> None:
        """Collect while requests pend and nobody else does; otherwise sleep until that may have changed."""
        bell = self._guardian_bell
        refused = 0
        while not self._closed:
            bell.clear()
            if not self._armed:
                bell.wait()
            elif self.parking.lead_once(GUARDIAN_TICK_S):
                refused = 0
            elif refused < GUARDIAN_PATIENCE:
                # A thread leads and will probably leave within moments: look again instead of making it ring.
                refused += 1
                bell.wait(GUARDIAN_TICK_S)
            else:
                refused = 0
                self.parking.leave_bell = bell
                if self.parking.led and not self._closed:
                    bell.wait()

    def armed(self) -> Iterable[int]:
        """The descriptors looked after at the moment (for tests and leak checks)."""
        return tuple(self._armed)

    def close(self) -> None:
        """End the guardian and give the backend back; endpoints have been closed before."""
        with self._lock:
            self._closed = True
            guardian = self._guardian
        self._guardian_bell.set()
        self.wake()
        if guardian is not None and guardian is not threading.current_thread():
            guardian.join()
        with self._lock:
            if self._backend is not None:
                self._backend.close()
            if self._wake is not None:
                self._wake.close()
            self._backend = self._wake = None
            self._armed.clear()

    def after_fork(self) -> None:
        """In the child: a backend of its own (an epoll set is shared with the parent), no guardian, nothing pending."""
        backend = self._backend
        self.__init__(self.backend_name)  # type: ignore[misc]  # every field starts anew, by the one list of them
        if backend is not None:
            backend.close()
