"""Urgent data of a TCP connection, kept as Windows keeps it: beside the stream, as many bytes as come.

Part played:     the expedited data queue of afd.sys.
Lives here:      the bytes that wait, what of the stream had to be taken in to get at them, and the sending of one.
Lives elsewhere: what a receive, an option or a wait makes of it (stream).

A host keeps one urgent byte. When the next one comes, it forgets where the first one was, which then turns up in the
stream; and a receive that goes beyond the byte loses it. Windows does neither. So a connection gets an `UrgentChannel`
when the first urgent byte is noticed, and from then on

- the host keeps urgent data in the stream, where none of it is lost, and stops every receive before the mark;
- whenever the host reports urgent data, the stream is taken in up to the mark and the byte behind it put aside;
- receives get what was taken in first. None of them crosses a place where a mark was.

    host's queue   a b c X d e            X is urgent
    taken in       [a b c] (X)            a receive gets "abc", the next one "de"; MSG_OOB gets "X" at any time

Until then a connection costs nothing and the host keeps the urgent byte out of the stream, as it does by itself.

Noticed:         by a wait for data (select, WSAPoll, a receive that has to wait), by MSG_OOB, SIOCATMARK and FIONREAD,
                 and before it is sent if the sender is in the same interpreter. The pump watches from then on.
In the stream:   with SO_OOBINLINE nothing is taken in. A receive stops before the mark; the next one gets the byte at
                 the mark alone. Bytes that were put aside before the option was set take their places again.
Mark:            SIOCATMARK is TRUE when no urgent byte is put aside; in the stream, when the next receive begins with
                 urgent data or none is ahead. Observed: a byte put aside before SO_OOBINLINE was set counts all the
                 same.
Which byte:      the last one of a send. The urgent pointer is the host's, which is BSD's: one past the byte.
Differences:     a program of another process can still outrun the host's single mark: of urgent bytes that come before
                 the first is noticed, all but the last stay in the stream. One that arrives while a program receives
                 without ever having to wait, and is not noticed in any other way, is lost when the stream goes on.
Locking:         ``_lock`` guards the parts and every receive from the host, so that parts and host stay in order.
Sources:         protocol-independent-out-of-band-data-2, winsock-ioctls (SIOCATMARK), nf-winsock-recv; R13.1-R13.21,
                 T13.1, A62-A64 and the behaviours fionread-* and oob-* of the project's reference; tcp(7).
"""

from __future__ import annotations

import _socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...defs.codes import WSAEINVAL
from ...engine.pump import READABLE, URGENT, ready_now
from ...errors import WinsockError
from .rawcalls import at_mark, readable
from .sending import Sending
from .translate import HOST_OOB, HOST_PEEK

if TYPE_CHECKING:
    from .stream import StreamSocket

_SOL_SOCKET: Final = int(_socket.SOL_SOCKET)
_SO_OOBINLINE: Final = int(_socket.SO_OOBINLINE)

_PIECE: Final = 65536  # bytes taken in by one call

# A peer that goes on sending urgent data must not fill the memory of a program that does not receive.
MOST_TAKEN_IN: Final = 1 << 20  # bytes of the stream; then urgent data waits with the host until some are received
MOST_PUT_ASIDE: Final = 4096  # urgent bytes; then the oldest is lost, as with a stack that keeps only one

# The urgent byte before must have come before the next one goes out. On one machine that takes microseconds.
_ON_ITS_WAY_S: Final = 0.5
_LOOK_MS: Final = 5


class _Part:
    """A piece of the stream that was taken in, or one urgent byte."""

    __slots__ = ("data", "urgent")

    def __init__(self, data: bytes | bytearray, urgent: bool) -> None:
        self.data = memoryview(data)
        self.urgent = urgent


class UrgentChannel:
    """What a connection that urgent data was noticed on keeps beside the host.

    Args:
        host: the connection.
        inline: urgent data stays in the stream (SO_OOBINLINE).
        changed: called when data or urgent data is there that was not, or is not any more.
    """

    __slots__ = ("_changed", "_expected", "_host", "_inline", "_lock", "_parts")

    def __init__(self, host: _socket.socket, changed: Callable[[], None], *, inline: bool) -> None:
        self._host = host
        self._changed = changed
        self._inline = inline
        self._lock = threading.Lock()
        self._parts: deque[_Part] = deque()
        self._expected = False  # a sender of this interpreter has sent an urgent byte that has not come yet
        host.setsockopt(_SOL_SOCKET, _SO_OOBINLINE, 1)

    # What is there

    def _state(self) -> tuple[bool, bool]:
        """Whether parts are there for a receive, and whether urgent bytes are put aside."""
        urgent = any(part.urgent for part in self._parts)
        if self._inline:
            return bool(self._parts), False
        return any(not part.urgent for part in self._parts), urgent

    def _told_since(self, before: tuple[bool, bool]) -> None:
        if self._state() != before:
            self._changed()

    def _taken_in(self) -> int:
        return sum(len(part.data) for part in self._parts if not part.urgent)

    @property
    def full(self) -> bool:
        """So much is taken in that urgent data has to wait with the host."""
        return self._taken_in() >= MOST_TAKEN_IN

    @property
    def unread(self) -> bool:
        """Something is left that was received and not read."""
        return bool(self._parts)

    def _marked(self) -> bool:
        """The host has urgent data."""
        return bool(ready_now(self._host.fileno(), URGENT) & URGENT)

    def readiness(self, ready: int) -> int:
        """The host's readiness bits as they would be if it kept urgent data as Windows does; for 0 what needs no host.

        READABLE is data in the stream, or its end; URGENT is urgent data beside it.
        """
        with self._lock:
            before = self._state()
            if not self._inline and ready & (READABLE | URGENT):
                self._take_in()
                ready &= ~READABLE | ready_now(self._host.fileno(), READABLE)
            has_data, has_urgent = self._state()
            self._told_since(before)
        ready &= ~URGENT
        if has_data:
            ready |= READABLE
        return ready | URGENT if has_urgent else ready

    def readable_bytes(self) -> int:
        """FIONREAD: bytes in the stream, without those put aside."""
        with self._lock:
            before = self._state()
            if not self._inline:
                self._take_in()
            self._told_since(before)
            return sum(len(part.data) for part in self._parts if self._inline or not part.urgent) + readable(self._host)

    def at_mark(self) -> bool:
        """SIOCATMARK."""
        with self._lock:
            before = self._state()
            if not self._inline:
                self._take_in()
            self._told_since(before)
            if any(part.urgent for part in self._parts):
                return False
            if not self._inline or not self._marked():
                return True
            return not self._parts and at_mark(self._host)

    def set_inline(self, inline: bool) -> None:
        """SO_OOBINLINE."""
        with self._lock:
            before = self._state()
            self._inline = inline
            self._expected = False
            self._told_since(before)

    # Taking in

    def notice(self) -> None:
        """The host reports urgent data: put it aside, unless it is to stay in the stream."""
        with self._lock:
            if not self._inline:
                before = self._state()
                self._take_in()
                self._told_since(before)

    def _take_in(self, *, anyway: bool = False) -> None:
        while (anyway or not self.full) and self._marked():
            self._take_to_mark()

    def _take_to_mark(self) -> None:
        """Take in what the host has before the mark, and put the byte behind it aside."""
        data = bytearray()
        byte = b""
        try:
            while not at_mark(self._host):
                piece = self._host.recv(_PIECE)
                if not piece:
                    return
                data += piece
            byte = self._host.recv(1)
        except BlockingIOError:
            return  # a newer mark has taken the place of this one, and is not here yet
        finally:
            if data:
                self._parts.append(_Part(data, urgent=False))
            if byte:
                self._put_aside(byte)

    def _put_aside(self, byte: bytes) -> None:
        self._parts.append(_Part(byte, urgent=True))
        self._expected = False
        if sum(part.urgent for part in self._parts) > MOST_PUT_ASIDE:
            self._parts.remove(next(part for part in self._parts if part.urgent))

    def _announced(self) -> bool:
        """The host knows of urgent data, be it here or not. Only a receive of it tells that, out of the stream."""
        try:
            self._host.setsockopt(_SOL_SOCKET, _SO_OOBINLINE, 0)
            return bool(self._host.recv(1, HOST_OOB | HOST_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._host.setsockopt(_SOL_SOCKET, _SO_OOBINLINE, 1)

    def _make_room(self) -> None:
        """Take in what is here of the stream, so that the host lets more of it come."""
        data = bytearray()
        try:
            while not self._marked():
                piece = self._host.recv(_PIECE)
                if not piece:
                    return
                data += piece
        except BlockingIOError:
            return
        finally:
            if data:
                self._parts.append(_Part(data, urgent=False))

    def after_fork(self) -> None:
        """In the child: no thread is inside."""
        self._lock = threading.Lock()

    # Receiving

    def receive(self, views: Sequence[memoryview], flags: int) -> int:
        """One attempt to receive from the stream, never across a mark; 0 at its end.

        Raises:
            BlockingIOError: nothing is there.
            OSError: what the host says.
        """
        with self._lock:
            before = self._state()
            try:
                return self._receive(views, flags)
            finally:
                self._told_since(before)

    def _receive(self, views: Sequence[memoryview], flags: int) -> int:
        host = self._host
        while True:
            part = next((part for part in self._parts if self._inline or not part.urgent), None)
            if part is not None:
                return self._serve(part, views, peek=bool(flags & HOST_PEEK))
            # Counted first: what comes after the look for a mark is not for this receive.
            count = readable(host)
            if self._marked():
                if not self._inline:
                    self._take_to_mark()
                    continue
                if at_mark(host):
                    count = min(count, 1)
            if count:
                return host.recvmsg_into(_limited(views, count), 0, flags)[0]
            if not host.recv_into(bytearray(1), 1, HOST_PEEK):
                return 0

    def _serve(self, part: _Part, views: Sequence[memoryview], *, peek: bool) -> int:
        moved = 0
        for view in views:
            piece = part.data[moved : moved + len(view)]
            view[: len(piece)] = piece
            moved += len(piece)
        if not peek:
            if moved == len(part.data):
                self._parts.remove(part)
            else:
                part.data = part.data[moved:]
        return moved

    def receive_urgent(self, views: Sequence[memoryview], *, peek: bool) -> int:
        """One attempt to receive with MSG_OOB: a block of urgent data, which is one byte.

        Raises:
            BlockingIOError: urgent data is announced and has not come yet.
            WinsockError: WSAEINVAL, there is none.
            OSError: what the host says.
        """
        with self._lock:
            before = self._state()
            try:
                part = self._first_urgent()
                if part is None:
                    self._take_in(anyway=True)
                    part = self._first_urgent()
                if part is None and self._announced():
                    self._make_room()
                    self._take_in(anyway=True)
                    part = self._first_urgent()
                    if part is None:
                        raise BlockingIOError
                if part is None:
                    raise WinsockError(WSAEINVAL)
                return self._serve(part, views, peek=peek) if views else 0
            finally:
                self._told_since(before)

    def _first_urgent(self) -> _Part | None:
        return next((part for part in self._parts if part.urgent), None)

    # The other end is in this interpreter

    def expect(self) -> None:
        """An urgent byte is about to be sent here: take in the one before first, lest the host forget its mark."""
        deadline = time.monotonic() + _ON_ITS_WAY_S
        while True:
            with self._lock:
                if self._inline:
                    return  # the mark moves on, nothing is lost
                before = self._state()
                self._take_in()
                if self._expected:
                    self._make_room()
                self._told_since(before)
                if not self._expected or time.monotonic() >= deadline:
                    self._expected = True
                    return
            ready_now(self._host.fileno(), READABLE | URGENT, _LOOK_MS)

    def expect_no_more(self) -> None:
        """It was not sent after all."""
        self._expected = False


def _limited(views: Sequence[memoryview], count: int) -> list[memoryview]:
    """The first ``count`` bytes of some views."""
    chosen = []
    for view in views:
        if count <= 0:
            break
        chosen.append(view[:count])
        count -= len(view)
    return chosen


class UrgentSending(Sending):
    """A send with MSG_OOB: its last byte is urgent, what is before it is not.

    The byte goes out by itself. If the host took a send like this in part, it would make the last byte urgent that it
    has taken, and later the last one of the rest as well.
    """

    __slots__ = ("_byte", "_endpoint", "_urgent_flags")

    def __init__(
        self,
        endpoint: StreamSocket,
        views: list[memoryview],
        flags: int,
        failed: Callable[[OSError], WinsockError],
    ) -> None:
        last = next((number for number in reversed(range(len(views))) if views[number]), None)
        self._byte = b""
        if last is not None:
            self._byte = bytes(views[last][-1:])
            views[last] = views[last][:-1]
        self._endpoint = endpoint
        self._urgent_flags = flags
        super().__init__(endpoint.host, views, flags & ~HOST_OOB, failed)

    def __call__(self) -> int:
        super().__call__()
        if self._byte:
            other = other_end(self._endpoint)
            channel = None if other is None else other.expect_urgent()
            try:
                self._host.send(self._byte, self._urgent_flags)
            except OSError as failure:
                if channel is not None:
                    channel.expect_no_more()
                if isinstance(failure, BlockingIOError):
                    raise
                raise self._failed(failure) from failure
            self._byte = b""
            self.moved += 1
        return self.moved

    @property
    def left(self) -> int:
        return super().left + len(self._byte)


class Stack(Protocol):
    """A provider's sockets."""

    def endpoints(self) -> Iterable[Any]:
        """All of them, also of other kinds."""
        ...


_stacks: weakref.WeakSet[Any] = weakref.WeakSet()


def present(stack: Stack) -> None:
    """Make a provider's sockets known, for as long as it lives: connections between them share one interpreter."""
    _stacks.add(stack)


def _plain(name: Any) -> tuple[str, int]:
    """A host address without what differs between IPv4 and IPv6 with an IPv4 address in it."""
    return name[0].removeprefix("::ffff:"), name[1]


def other_end(endpoint: StreamSocket) -> StreamSocket | None:
    """The socket that a TCP connection leads to, if it lives in this interpreter, in whichever process."""
    try:
        here, there = _plain(endpoint.host.getsockname()), _plain(endpoint.host.getpeername())
    except OSError:
        return None
    for stack in tuple(_stacks):
        for other in tuple(stack.endpoints()):
            peer = getattr(other, "peer", None)
            if peer is None or getattr(peer, "port", None) != here[1] or other is endpoint or other.closing:
                continue
            try:
                if (_plain(other.host.getpeername()), _plain(other.host.getsockname())) == (here, there):
                    found: StreamSocket = other
                    return found
            except OSError:
                continue  # not connected, or closed meanwhile
    return None
