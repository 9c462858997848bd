"""Lanes: the requests of one direction of a socket, tried at once, queued when they must wait, completed in order.

Part played:     the IRP queues of afd.sys.
Lives here:      blocking, time-outs, ordering, cancelling and closing under a waiter; each exists here and nowhere
                 else.
Lives elsewhere: what one attempt does (the provider), readiness (engine/pump), how a result is told
                 (`Operation.deliver`).

An attempt is a function without arguments that never blocks. It returns the result, raises BlockingIOError (the host's
or WSAEWOULDBLOCK) when it has to be repeated later, and `WinsockError` when it has failed for good. It may keep a
cursor of its own, so a send that was accepted in part raises BlockingIOError and goes on where it stopped.

    run(attempt)      lane empty ──try──▶ done
                           │ would block
                           ▼
                      queued ── head? ── no ──▶ sleep until promoted
                           │ yes
                           ├─ synchronous: its own thread waits for the descriptor and tries again
                           └─ overlapped:  the pump's leader tries again when the descriptor is ready

A transport without a descriptor (fd -1) says by `Lane.ready` that it has moved; the rest is the same.

Ordering:        a request is tried only when it is the head, so requests complete in the order they were queued; with
                 an empty queue the caller tries without any lock, which is where all the speed comes from. Completions
                 of overlapped requests are delivered before the lane is unlocked, so they keep that order too.
Locking:         ``_lock`` guards the queue. Attempts of overlapped requests run under it (they cannot block), attempts
                 of synchronous ones outside it, by the only thread that owns the head. ``deliver`` runs under it and
                 must call no user code.
Interrupts:      a signal handler may raise between any two steps of the main thread. Locks are taken by ``with`` only,
                 and leaving the queue can be repeated.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..defs.codes import WSA_OPERATION_ABORTED, WSAETIMEDOUT, WSAEWOULDBLOCK, WSASYSCALLFAILURE
from ..errors import WinsockError
from ..kernel.objects import IN_CALL, run_apcs
from ..kernel.operations import FIRST_ERROR, PENDING, Operation, Pending, status_of
from ..kernel.waits import Waiter, this_waiter
from .pump import URGENT, ReadyWait

if TYPE_CHECKING:
    from .endpoint import Endpoint

Attempt = Callable[[], Any]
T = TypeVar("T")


class Request:
    """A synchronous request's place in a lane's queue, which it shares with overlapped ones (`Operation`)."""

    __slots__ = ("attempt", "error", "following", "keeper", "preceding", "waiter")

    def __init__(self, attempt: Attempt, waiter: Waiter) -> None:
        self.attempt = attempt
        self.waiter = waiter
        self.error = 0  # set when somebody else ended the request: closed, cancelled, interrupted
        self.keeper: Lane | None = None
        self.preceding: Place | None = None
        self.following: Place | None = None


Place = Request | Operation


_NESTED: Final = (
    "a routine has interrupted a blocking Winsock call and makes another one: what happens then is undefined"
)


_locks_made: Final[dict[Lane, threading.Lock]] = {}


def _is_final(failure: Any) -> bool:
    """Whether a BlockingIOError does not mean "later": WSAEALREADY and WSAEINPROGRESS are such ones, too."""
    return type(failure) is not BlockingIOError and failure.winerror != WSAEWOULDBLOCK


class Lane:
    """The queue of one direction of one endpoint.

    Attributes:
        head: the request whose turn it is; None lets a caller try at once.
        mask: the readiness that a request waits for; 0 while the descriptor has nothing to tell. See `wait_for`.
        timeout_ms: SO_RCVTIMEO or SO_SNDTIMEO; 0 waits for ever.
    """

    __slots__ = ("_endpoint", "_lock", "_ready", "_tail", "_told", "head", "mask", "timeout_ms")

    def __init__(self, endpoint: Endpoint, mask: int) -> None:
        self._endpoint = endpoint
        self._lock: threading.Lock | None = None  # most lanes never queue anything, and it takes 88 bytes
        self._ready: ReadyWait | None = None
        self._tail: Place | None = None
        self._told = False  # `ready` has been called: there is news that no descriptor shows
        self.head: Place | None = None
        self.mask = mask
        self.timeout_ms = 0

    def run(self, attempt: Attempt, operation: Operation | None = None, *, timeout_ms: int | None = None) -> Any:
        """Carry out one request.

        Args:
            attempt: one non-blocking try, see above.
            operation: None makes the request synchronous: it waits if the endpoint is in blocking mode.
            timeout_ms: overrides the lane's own limit for this request; 0 waits for ever.

        Returns:
            What the attempt returned, or `PENDING`.

        Raises:
            WinsockError: WSAEWOULDBLOCK in non-blocking mode, WSAETIMEDOUT when the limit passed, the code given to
                `Endpoint.abort` when the endpoint was closed, or whatever the attempt raised.
        """
        if operation is not None:
            return self._start(attempt, operation)
        if self.head is None or self.clear():
            try:
                return attempt()
            except BlockingIOError as failed:
                if _is_final(failed):
                    raise
                if not self._endpoint.blocking:
                    raise WinsockError(WSAEWOULDBLOCK) from None
            return self.wait(attempt, timeout_ms=timeout_ms)
        if not self._endpoint.blocking:
            raise WinsockError(WSAEWOULDBLOCK)
        return self.wait(attempt, tried=False, timeout_ms=timeout_ms)

    def _make_lock(self) -> threading.Lock:
        """The lock, which whoever needs it first makes; of two at once, one."""
        made = _locks_made.setdefault(self, threading.Lock())
        lock = self._lock
        if lock is None:
            lock = self._lock = made
        # Last, so that whoever comes too late to find it here finds it in its place.
        _locks_made.pop(self, None)
        return lock

    # Synchronous requests

    def wait(self, attempt: Attempt, *, tried: bool = True, timeout_ms: int | None = None) -> Any:
        """Queue a synchronous request and see it through in the calling thread.

        ``tried``: the caller has just made the first try itself and found nothing. Otherwise as `run`.
        """
        if timeout_ms is None:
            timeout_ms = self.timeout_ms
        endpoint = self._endpoint
        waiter = this_waiter()
        request = Request(attempt, waiter)
        before = waiter.alertable, waiter.blocked  # of the wait that a signal handler has interrupted
        if waiter.blocked is not None and waiter.alertable is None and waiter.blocked.keeper is not None:
            warnings.warn(_NESTED, RuntimeWarning, stacklevel=3)
        deadline = time.monotonic() + timeout_ms / 1000 if timeout_ms else None
        left_ms: float | None = None
        try:
            try:
                with self._lock or self._make_lock():
                    self._append(request)
                    # A try from before the queue was ours counts only if nobody queued in between. Nor does it count
                    # where news comes by `ready`, which may have come after the try, and then found nobody to tell.
                    tried = tried and self.head is request and endpoint.fd >= 0 and not self._told
                waiter.blocked = request
                while True:
                    waiter.alertable = IN_CALL
                    if waiter.apcs:
                        # A blocking call waits alertably, and goes on waiting afterwards.
                        waiter.alertable = None
                        run_apcs(waiter)
                        continue
                    # An abort that ran before this request was queued has left its code on the endpoint.
                    error = request.error or endpoint.closing
                    if error:
                        raise WinsockError(error)
                    if deadline is not None:
                        left_ms = (deadline - time.monotonic()) * 1000
                        if left_ms <= 0:
                            raise WinsockError(WSAETIMEDOUT)
                    if self.head is not request:
                        self._sleep(waiter, left_ms)
                        continue
                    if tried and (not self._ready_wait(waiter, left_ms) or request.error or endpoint.closing):
                        continue
                    try:
                        return attempt()
                    except BlockingIOError as failed:
                        if _is_final(failed):
                            raise
                        tried = True
            finally:
                waiter.alertable, waiter.blocked = before
                self._leave(request)
        except BaseException:
            self._leave(request)  # once more, since leaving itself may have been interrupted
            raise

    def _ready_wait(self, waiter: Waiter, left_ms: float | None) -> bool:
        """Sleep until the descriptor may be ready or the thread is woken; False when the time ran out."""
        fd = self._endpoint.fd
        if fd < 0 or not self.mask:
            return self._sleep(waiter, left_ms)
        ready = self._ready
        if ready is None or ready.mask != self.mask or not ready.serves(waiter):
            ready = self._ready = ReadyWait(fd, self.mask, waiter)
        bits = ready.wait(waiter, left_ms)
        if bits & URGENT:
            self._endpoint.alarm(bits)
        return bits != 0

    def _sleep(self, waiter: Waiter, left_ms: float | None) -> bool:
        return self._endpoint.pump.sleep(waiter, None if left_ms is None else left_ms / 1000)

    def _leave(self, request: Request) -> None:
        """Take a synchronous request out of the queue and pass the turn on; may be repeated."""
        with self._lock or self._make_lock():
            # Nobody stands before the head, nor before a request that has left already.
            heir_due = request.preceding is None
            self._unlink(request)
            heir = self.head if heir_due else None
        if heir is not None:
            self._promote(heir)

    # Overlapped requests

    def _start(self, attempt: Attempt, operation: Operation) -> Any:
        """Try an overlapped request at once if it is its turn, queue it otherwise."""
        with self._lock or self._make_lock():
            if self._endpoint.closing:
                raise WinsockError(self._endpoint.closing)
            if self.head is None:
                try:
                    result = attempt()
                except BlockingIOError as failed:
                    if _is_final(failed):
                        raise
                    is_head = True
                except WinsockError as failure:
                    if status_of(failure) >= FIRST_ERROR:
                        raise
                    # A warning comes with data, so it is told as a completion.
                    operation.finish_late(failure.moved, failure)
                    return PENDING
                else:
                    operation.finish(result)
                    return result
            else:
                is_head = False
            operation.attempt = attempt
            operation.pend(self)
            self._append(operation)
        if is_head:
            self._promote(operation)
        return PENDING

    def pend(self, attempt: Attempt, operation: Operation) -> Pending:
        """Queue an overlapped request whose first try, with nobody before it, has found nothing.

        For endpoints with a descriptor: what has come since is reported.
        """
        with self._lock or self._make_lock():
            if self._endpoint.closing:
                raise WinsockError(self._endpoint.closing)
            is_head = self.head is None
            operation.attempt = attempt
            operation.pend(self)
            self._append(operation)
        if is_head:
            self._promote(operation)
        return PENDING

    def wait_for(self, mask: int) -> None:
        """From now on requests wait for this readiness of the descriptor; with 0 they wait for `ready`."""
        self.mask = mask
        self._promote(self.head)

    def ready(self) -> None:
        """Something has moved in this direction that no descriptor shows. May be called from inside an attempt."""
        self._told = True  # before the head is looked at, as a request that is being queued does it the other way round
        head = self.head
        if head is None:
            return
        if head.waiter is not None:
            head.waiter.wake()
        else:
            self._endpoint.pump.watch(self._endpoint)

    def service(self) -> None:
        """Complete what the transport can serve now: the leader's call. A synchronous head looks after itself."""
        if (head := self.head) is None or head.waiter is not None:
            return
        mistakes: Sequence[Exception] = ()
        with self._lock or self._make_lock():
            while (head := self.head) is not None and head.waiter is None:
                failure: WinsockError | None = None
                try:
                    result = head.attempt()
                except BlockingIOError as failed:
                    if not _is_final(failed):
                        break
                    result, failure = None, WinsockError(getattr(failed, "winerror", WSASYSCALLFAILURE))
                except WinsockError as failed:
                    result, failure = failed.moved, failed
                except Exception as mistake:
                    result, failure = None, WinsockError(WSASYSCALLFAILURE)
                    mistakes = (*mistakes, mistake)
                self._unlink(head)
                head.finish(result, failure)
        if head is not None and head.waiter is not None:
            head.waiter.wake()
        for blunder in mistakes:
            # A provider's, and not to be paid for by the thread that happens to lead: it waits for something else.
            what = type(blunder), blunder, blunder.__traceback__, threading.current_thread()
            threading.excepthook(threading.ExceptHookArgs(what))

    def clear(self) -> bool:
        """Let overlapped requests have what is there, as they came before the caller; True when nobody waits any more.

        While another thread is doing so, the answer is no.
        """
        lock = self._lock
        if self.pends and lock is not None and not lock.locked():
            self.service()
        return self.head is None

    def cancel(self, operation: Operation) -> bool:
        """Complete one queued overlapped request with WSA_OPERATION_ABORTED; False when it is not in the queue."""
        return self._end(operation, WinsockError(WSA_OPERATION_ABORTED))

    def _end(self, operation: Operation, failure: WinsockError) -> bool:
        """Complete one queued overlapped request with a failure; False when it is not in the queue."""
        with self._lock or self._make_lock():
            if operation.keeper is not self:
                return False
            heir_due = operation.preceding is None
            self._unlink(operation)
            operation.finish(None, failure)
            heir = self.head if heir_due else None
        self._promote(heir)
        return True

    # Both

    def unless_closing(self, action: Callable[[], T]) -> T:
        """Do something that the end of the endpoint must not overtake: `abort` waits for it.

        Raises:
            WinsockError: WSA_OPERATION_ABORTED, the endpoint is being closed.
        """
        with self._lock or self._make_lock():
            if self._endpoint.closing:
                raise WinsockError(WSA_OPERATION_ABORTED)
            return action()

    def interrupt(self, threads: Collection[int], error: int) -> None:
        """End the synchronous requests of some threads, by their identifiers; the others keep their places."""
        sleepers = []
        with self._lock or self._make_lock():
            request = self.head
            while request is not None:
                if request.waiter is not None and request.waiter.thread in threads and not request.error:
                    request.error = error
                    sleepers.append(request.waiter)
                request = request.following
        for waiter in sleepers:
            waiter.wake()

    def abort(self, error: int, *, silent: bool = False) -> None:
        """End every request: synchronous ones fail with ``error``, overlapped ones as `Endpoint.aborted` says.

        ``silent``: nobody is told of the overlapped ones.
        """
        if self._lock is None:
            return  # nothing has ever queued here, and whoever is about to looks at `Endpoint.closing` with a lock
        with self._lock:
            request, self.head, self._tail, self._ready = self.head, None, None, None
            sleepers = []
            while request is not None:
                following = request.following
                request.preceding = request.following = None
                if request.waiter is not None:
                    request.keeper = None
                    request.error = error
                    sleepers.append(request.waiter)
                elif silent:
                    request.abandon()
                else:
                    request.finish(None, self._endpoint.aborted(self, request))
                request = following
        for waiter in sleepers:
            waiter.wake()

    @property
    def pends(self) -> bool:
        """True when the head is an overlapped request, so that the pump has to look after this direction."""
        head = self.head
        return head is not None and head.waiter is None

    def _promote(self, heir: Place | None) -> None:
        """It is the turn of ``heir``: wake its thread, or have the pump look after it."""
        if heir is None:
            return
        if heir.waiter is not None:
            heir.waiter.wake()
            return
        try:
            self._endpoint.pump.watch(self._endpoint)
        except WinsockError as failure:
            # The host has no room for its descriptor in the pump's set: it would pend for ever.
            self._end(heir, failure)

    def _append(self, request: Place) -> None:
        request.keeper = self
        tail = request.preceding = self._tail
        request.following = None
        if tail is None:
            self.head = request
        else:
            tail.following = request
        self._tail = request

    def _unlink(self, request: Place) -> None:
        """Take a request out of the queue; a synchronous one that has left already is left alone."""
        if request.waiter is not None:
            if request.keeper is None:
                return
            request.keeper = None
        preceding, following = request.preceding, request.following
        if preceding is None:
            self.head = following
        else:
            preceding.following = following
        if following is None:
            self._tail = preceding
        else:
            following.preceding = preceding
        request.preceding = request.following = None

    def after_fork(self) -> None:
        """In the child: what pended was the parent's, and the lock may have been held by a thread that is gone.

        The child's copies of overlapped requests end as aborted, and nobody is told.
        """
        self._lock = None
        self._ready = None
        request, self.head, self._tail = self.head, None, None
        while request is not None:
            if request.waiter is None:
                request.abandon()
            request = request.following
