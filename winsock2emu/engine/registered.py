"""Registered I/O: request queues and completion queues that a program works off without a call for each result.

Part played:     the rings that mswsock.dll shares with afd.sys.
Lives here:      places in the queues, deferring, results, notification.
Lives elsewhere: what a request does (the provider, through its lanes), identifiers and registered memory
                 (mswsock.rio), the table of functions in C (capi/extensions).
Places:          a request queue keeps its limits free in its completion queues from its making to its socket's end, so
                 a completion queue never overflows. A request takes one place from its issue until its result is taken.
Order:           requests of one direction are begun in the order of their issue, also when several threads commit.
Notification:    one for each RIONotify: at once when there are results, else by the next that is not issued with
                 RIO_MSG_DONT_NOTIFY.
Closing:         what pends when the socket ends, deferred requests included, ends with WSA_OPERATION_ABORTED.
Locking:         a completion queue's lock guards the places of its request queues; a direction's lock is held while
                 requests are begun. Neither is held while user code runs.
Sources:         "Winsock Registered I/O extensions" on Microsoft Learn: nc-mswsock-lpfn_riocreatecompletionqueue,
                 -lpfn_riocreaterequestqueue, -lpfn_rioreceiveex, -lpfn_riosendex, -lpfn_riodequeuecompletion,
                 -lpfn_rionotify, -lpfn_rioresizerequestqueue.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ..defs.codes import WSA_OPERATION_ABORTED, WSAEALREADY, WSAEINVAL, WSAENOBUFS
from ..defs.constants import RIO_MSG_DEFER, RIO_MSG_DONT_NOTIFY
from ..defs.registered import RIORESULT
from ..errors import WinsockError
from ..kernel.operations import Operation, moved_of

Begin = Callable[["Request"], Any]
"""Hands a request to the provider; its failure is the request's result."""

Piece = memoryview | None
"""A piece of registered memory, None where the program gives none."""

Store = Callable[[Any], None]
"""Gets what a receive has brought beside its data: its result, or the failure that has part of the data."""

# RIO_INVALID_BUFFERID is 0xFFFFFFFF, the other invalid ones are 0.
_FIRST_NUMBER: Final = 0x10000
_STEP: Final = 16


class CompletionQueue:
    """Results that wait to be taken.

    Args:
        size: places.
        notify: tells the program that there are results; None for a queue that is only asked.
        before: what RIONotify does first; None for nothing.
    """

    def __init__(
        self, size: int, notify: Callable[[], None] | None = None, before: Callable[[], None] | None = None
    ) -> None:
        self.size = size
        self.reserved = 0
        self.closed = False
        self.lock = threading.Lock()
        self._notify = notify
        self._before = before
        self._armed = False
        self._results: deque[tuple[Direction, RIORESULT]] = deque()

    def reserve(self, count: int) -> None:
        """Keep places free, or give them back; the caller holds the lock.

        Raises:
            WinsockError: WSAENOBUFS, there are not so many left.
        """
        if count > 0 and self.reserved + count > self.size:
            raise WinsockError(WSAENOBUFS)
        self.reserved += count

    def resize(self, size: int) -> None:
        """RIOResizeCompletionQueue.

        Raises:
            WinsockError: WSAEINVAL, fewer places than are kept free or hold results.
        """
        with self.lock:
            if size < max(self.reserved, len(self._results)):
                raise WinsockError(WSAEINVAL)
            self.size = size

    def put(self, direction: Direction, result: RIORESULT, *, silent: bool) -> None:
        """A request is complete. ``silent``: it notifies nobody."""
        with self.lock:
            if self.closed:
                return
            self._results.append((direction, result))
            notify = self._notify if self._armed and not silent else None
            if notify is not None:
                self._armed = False
        if notify is not None:
            notify()

    def take(self, most: int) -> list[RIORESULT]:
        """RIODequeueCompletion: up to so many results, oldest first, whose places are free then."""
        found: list[RIORESULT] = []
        with self.lock:
            results = self._results
            while results and len(found) < most:
                direction, result = results.popleft()
                direction.outstanding -= 1
                if direction.ended:
                    self.reserved -= 1
                found.append(result)
        return found

    def notify(self) -> None:
        """RIONotify.

        Raises:
            WinsockError: WSAEINVAL, the queue is only to be asked; WSAEALREADY, a notification is still to come.
        """
        notify = self._notify
        if notify is None:
            raise WinsockError(WSAEINVAL)
        with self.lock:
            if self._armed:
                raise WinsockError(WSAEALREADY)
            if self._before is not None:
                self._before()
            if not self._results:
                self._armed = True
                return
        notify()

    def close(self) -> None:
        """RIOCloseCompletionQueue: results that nobody has taken are lost, and so are those to come."""
        with self.lock:
            self.closed = True
            self._armed = False
            self._results.clear()


class Direction:
    """The receives or the sends of a request queue.

    Attributes:
        limit: how many may be outstanding.
        outstanding: issued, and the result not taken.
        ended: the socket is gone; places are given back as results are taken.
    """

    __slots__ = ("_deferred", "_lock", "ended", "limit", "outstanding", "queue")

    def __init__(self, queue: CompletionQueue, limit: int) -> None:
        self.queue = queue
        self.limit = limit
        self.outstanding = 0
        self.ended = False
        self._deferred: deque[tuple[Request, Begin]] = deque()
        self._lock = threading.RLock()  # beginning one may complete it, and others with it

    def issue(self, request: Request, begin: Begin) -> None:
        """Take a place.

        Raises:
            WinsockError: WSAEINVAL, the completion queue or the socket is gone; WSAENOBUFS, no place is left.
        """
        queue = self.queue
        with queue.lock:
            if queue.closed or self.ended:
                raise WinsockError(WSAEINVAL)
            if self.outstanding >= self.limit:
                raise WinsockError(WSAENOBUFS)
            self.outstanding += 1
            self._deferred.append((request, begin))

    def commit(self) -> None:
        """Begin what has been issued, in that order."""
        with self._lock:
            while self._deferred:
                request, begin = self._deferred.popleft()
                try:
                    begin(request)
                except WinsockError as failure:
                    request.finish(None, failure)

    def mark_ended(self) -> None:
        """The socket is about to end: no more requests, and what pends will be aborted."""
        with self.queue.lock:
            if not self.ended:
                self.ended = True
                self.queue.reserved -= self.limit - self.outstanding

    def abort_deferred(self) -> None:
        """The socket has ended: so do requests that have not been begun."""
        with self._lock:
            while self._deferred:
                self._deferred.popleft()[0].finish(None, WinsockError(WSA_OPERATION_ABORTED))


class RequestQueue:
    """The registered requests of a socket.

    Args:
        receives, sends: the completion queues.
        most_receives, most_sends: how many of each may be outstanding.
        context: what results carry beside the request's own context.

    Raises:
        WinsockError: WSAEINVAL, nothing may be outstanding; WSAENOBUFS, a completion queue has too few places left.
    """

    def __init__(
        self, receives: CompletionQueue, most_receives: int, sends: CompletionQueue, most_sends: int, context: Any
    ) -> None:
        if not most_receives and not most_sends:
            raise WinsockError(WSAEINVAL)
        self.context = context
        self.receives = Direction(receives, most_receives)
        self.sends = Direction(sends, most_sends)
        self._resize(most_receives, most_sends)

    def _resize(self, more_receives: int, more_sends: int) -> None:
        """Keep more places free, or fewer; all or nothing."""
        receives, sends = self.receives.queue, self.sends.queue
        with receives.lock:
            receives.reserve(more_receives)
        try:
            with sends.lock:
                sends.reserve(more_sends)
        except WinsockError:
            with receives.lock:
                receives.reserve(-more_receives)
            raise

    def resize(self, most_receives: int, most_sends: int) -> None:
        """RIOResizeRequestQueue.

        Raises:
            WinsockError: WSAEINVAL, nothing may be outstanding, or more is; WSAENOBUFS, too few places are left.
        """
        receives, sends = self.receives, self.sends
        if receives.ended or not (most_receives or most_sends):
            raise WinsockError(WSAEINVAL)
        if most_receives < receives.outstanding or most_sends < sends.outstanding:
            raise WinsockError(WSAEINVAL)
        self._resize(most_receives - receives.limit, most_sends - sends.limit)
        receives.limit, sends.limit = most_receives, most_sends

    def issue(self, direction: Direction, begin: Begin, context: Any, flags: int, store: Store | None = None) -> None:
        """Issue a request, and with RIO_MSG_DEFER leave it at that.

        Args:
            direction: `receives` or `sends`.
            begin: see above.
            context: what the result carries.
            flags: RIO_MSG_*.
            store: see above.
        """
        direction.issue(Request(self, direction, context, bool(flags & RIO_MSG_DONT_NOTIFY), store), begin)
        if not flags & RIO_MSG_DEFER:
            direction.commit()

    def receive(
        self, data: Piece, local: Piece, remote: Piece, control: Piece, told: Piece, flags: int, context: Any
    ) -> None:
        """RIOReceiveEx; the transport's part.

        Args:
            data: where the data goes.
            local, remote, control, told: where the addresses, the control data and the flags of a datagram go.
            flags: RIO_MSG_*.
            context: what the result carries.
        """
        raise NotImplementedError

    def send(self, data: Piece, local: Piece, remote: Piece, control: Piece, flags: int, context: Any) -> None:
        """RIOSendEx; the transport's part."""
        raise NotImplementedError

    def ending(self) -> None:
        """To be called before what pends on the socket is aborted."""
        self.receives.mark_ended()
        self.sends.mark_ended()

    def end(self) -> None:
        """To be called afterwards."""
        self.receives.abort_deferred()
        self.sends.abort_deferred()


class Request(Operation):
    """One request; what would be told by an event or a port becomes a result in a completion queue."""

    __slots__ = ("_context", "_direction", "_queue", "_silent", "_store")

    def __init__(
        self, queue: RequestQueue, direction: Direction, context: Any, silent: bool, store: Store | None
    ) -> None:
        super().__init__(_put)
        self._queue = queue
        self._direction = direction
        self._context = context
        self._silent = silent
        self._store = store

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        if failure is not None:
            if self._direction.ended:
                failure = WinsockError(WSA_OPERATION_ABORTED)  # whatever the kind of socket tells otherwise
            if failure.moved is not None:
                result = failure.moved
        if self._store is not None:
            self._store(result if failure is None else failure)
        super().finish(result, failure)

    def result_of(self) -> RIORESULT:
        """What the program gets."""
        return RIORESULT(self.error, moved_of(self.result), self._queue.context, self._context)


def _put(request: Operation) -> None:
    """Tell of a request: how all of them are delivered."""
    assert isinstance(request, Request)
    request._direction.queue.put(request._direction, request.result_of(), silent=request._silent)


class RegisteredObjects:
    """What a process has registered and created, by identifier. A request queue is there as long as its socket."""

    def __init__(self) -> None:
        self._numbers = itertools.count(_FIRST_NUMBER, _STEP)
        self.buffers: dict[int, memoryview] = {}
        self.completion_queues: dict[int, CompletionQueue] = {}
        self.request_queues: weakref.WeakValueDictionary[int, RequestQueue] = weakref.WeakValueDictionary()

    def new_number(self) -> int:
        """An identifier that nothing has had before. In C they are pointers, so they look like some."""
        return next(self._numbers)
