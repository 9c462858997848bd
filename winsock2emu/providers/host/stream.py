"""Connection-oriented sockets: TCP, and what AF_UNIX has in common with it.

Part played:     the connection endpoint of afd.sys over a TDI stream, as far as it is about data.
Lives here:      one attempt of each call that moves data or ends a direction, what shows of it, and closing.
Lives elsewhere: how a connection comes about (connection); waiting, time-outs, order (engine/lanes); sends that go on
                 by themselves (sending), lingering (closing), urgent data (urgent); errno to code without context
                 (translate).

Each direction of a connection is open until shutdown closes it. ``receive_now`` and ``send_now`` are the host's
methods while nothing but "connected and open" has to be checked, else None: one test on the hot path stands for all
states.

Whole sends:     the bytes of one send stay together, whatever other threads send meanwhile. A send that the host takes
                 only in part goes on in the lane, and until it has queued there ``sending`` keeps first tries of other
                 threads away. Testing and setting it is one step: the interpreter switches threads only at calls.
End of sending:  shutdown waits for its turn in the lane like a send, so that sends which wait are sent before the FIN.
All or nothing:  a non-blocking send is never taken in part: the pump sends what the host has not taken (sending).
End of receiving: data that comes after shutdown(SD_RECEIVE) resets the connection. The pump looks out for it.
Differences:     only Linux can reset a connection without closing it.
Sources:         nf-winsock2-send, -recv, -shutdown, -closesocket; T12.1, A40-A49, A91-A94, A106 of the project's
                 reference.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ...defs.codes import (
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEINVAL,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
)
from ...defs.constants import (
    MSG_DONTROUTE,
    MSG_OOB,
    MSG_PEEK,
    MSG_PUSH_IMMEDIATE,
    MSG_WAITALL,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_LINGER,
    SO_OOBINLINE,
)
from ...engine.lanes import Lane
from ...engine.pump import ENDED, FAULT, HANGUP, READABLE, URGENT, WRITABLE, Pump, ready_now
from ...errors import WinsockError, would_block
from ...kernel.operations import OVERLAPPED, PENDING, Operation
from .closing import all_acknowledged
from .conditions import (
    CAN_ACCEPT,
    CAN_READ,
    CAN_READ_URGENT,
    CAN_WRITE,
    CONNECT_FAILED,
    PEER_ENDED,
    TELL_END,
    WAS_RESET,
)
from .connection import CONNECTED, CONNECTING, LISTENING, TO_RECEIVES, TO_SENDS, ConnectionSocket
from .exchange import SO_NOSIGPIPE
from .hostsocket import MOST_BUFFERS, check_buffers, scatter
from .icmperrors import WATCHED
from .rawcalls import readable, reset, unsent
from .sending import Sending, drop, leftovers
from .translate import HOST_OOB, HOST_PEEK, NOSIGNAL, host_flags
from .urgent import UrgentChannel, UrgentSending, other_end

_SEND_FLAGS = MSG_OOB | MSG_DONTROUTE
_RECEIVE_FLAGS = MSG_OOB | MSG_PEEK | MSG_WAITALL | MSG_PUSH_IMMEDIATE

_PLAIN = frozenset((bytes, bytearray))  # buffers whose length is their size
_NOTHING_THERE = -1

# A try that finds nothing costs a tenth of the round trip of a client that waits for each answer; waiting for data that
# is there already costs half a receive. So when this many blocking receives in a row had to wait, the next ones do
# without the try. For a program that polls a non-blocking socket a look costs a third of a try in vain.
_SURE = 4
_WITHOUT_TRY = 32
_LIKELY = 2  # overlapped receives in a row after which a look comes before the next try

_SOL_SOCKET = int(_socket.SOL_SOCKET)
_SO_ERROR = int(_socket.SO_ERROR)
_SO_LINGER = int(_socket.SO_LINGER)
_SHUT_WR = int(_socket.SHUT_WR)
_ABORTIVE = struct.pack("ii", 1, 0)

# How a connection that is gone is told to sends and to receives. Contested: EPIPE and ENOTCONN follow an error that the
# host has told before, most often a reset; a transport that gave up is WSAECONNABORTED to a send and WSAETIMEDOUT to a
# receive (A106), and the host may call that by the last ICMP report instead of ETIMEDOUT.
_BREAKS = {
    errno.EPIPE: (WSAECONNRESET, WSAECONNRESET),
    errno.ECONNRESET: (WSAECONNRESET, WSAECONNRESET),
    errno.ENOTCONN: (WSAECONNRESET, WSAECONNRESET),
    errno.ECONNABORTED: (WSAECONNABORTED, WSAECONNABORTED),
    errno.ETIMEDOUT: (WSAECONNABORTED, WSAETIMEDOUT),
    errno.EHOSTUNREACH: (WSAECONNABORTED, WSAETIMEDOUT),
    errno.ENETUNREACH: (WSAECONNABORTED, WSAETIMEDOUT),
}

_MOST_AT_ONCE = 1 << 20  # bytes that one receive into very many buffers asks the host for
_YIELDS = 100_000  # a first try takes microseconds; a thread that was interrupted inside one must not block all others


class _Receive:
    """The attempt of an overlapped receive into one buffer; a closure takes three times the memory."""

    __slots__ = ("_buffer", "_socket")

    def __init__(self, socket: StreamSocket, buffer: Any) -> None:
        self._socket = socket
        self._buffer = buffer

    def __call__(self) -> int:
        return self._socket.receive_into(self._buffer)


class StreamSocket(ConnectionSocket):
    """A TCP socket, and the base of an AF_UNIX one (unix.py).

    Attributes:
        sending: a thread tries to send without queueing first.
    """

    #: A peer that closes ends its own direction only.
    halves: ClassVar[bool] = True

    __slots__ = ("_rest", "_waits", "sending")

    def __init__(self, pump: Pump, host: _socket.socket, info: Any, protocol: int, flags: int) -> None:
        super().__init__(pump, host, info, protocol, flags)
        self._waits = 0  # receives in a row that found nothing; below 0, receives that go without a try
        self.sending = False
        if self.expedited:
            self.inbound.mask = READABLE | URGENT  # a receive that waits notices urgent data
        self._rest: Sending | None = None  # of a non-blocking send, with the pump now
        if not NOSIGNAL:
            host.setsockopt(_SOL_SOCKET, SO_NOSIGPIPE, 1)

    def readable_bytes(self) -> int:
        """FIONREAD: a socket that listens has none, whatever the host says to the question."""
        if self.state == LISTENING:
            return 0
        self.inbound.clear()  # what comes belongs to the receives that pend
        channel = self.look_for_urgent()
        if channel is None:
            return super().readable_bytes()
        try:
            return channel.readable_bytes()
        except OSError as failure:
            raise self.ended(failure) from failure

    # Urgent data (urgent.py)

    def at_mark(self) -> bool:
        """SIOCATMARK: no urgent data waits, or it is what the next receive begins with where it stays in the stream."""
        channel = self.look_for_urgent()
        try:
            return channel is None or channel.at_mark()
        except OSError as failure:
            raise self.ended(failure) from failure

    def keep_urgent_inline(self, inline: bool) -> None:
        """SO_OOBINLINE: from now on urgent data stays in the stream, or is kept beside it."""
        self.settings[SO_OOBINLINE] = int(inline)
        if self.urgent is not None:
            self.urgent.set_inline(inline)
        elif inline and self.state == CONNECTED:
            self.meet_urgent()
        self._watch_for_urgent()
        self.changed()

    def expect_urgent(self) -> UrgentChannel | None:
        """The other end, in the same interpreter, is about to send urgent data; the channel for it."""
        self.settle()
        channel = self.meet_urgent()
        if channel is not None:
            with contextlib.suppress(OSError):  # closed meanwhile
                channel.expect()
            self.inbound.ready()
            self.inbound.service()
        return channel

    def look_for_urgent(self) -> UrgentChannel | None:
        """The channel of this connection, if there is or has been urgent data."""
        if self.urgent is None and self.state == CONNECTED and ready_now(self.fd, URGENT) & URGENT:
            return self.meet_urgent()
        return self.urgent

    def meet_urgent(self) -> UrgentChannel | None:
        """Urgent data has come, or is about to: from now on receives have to go round it."""
        if self.urgent is None and self.expedited and self.state == CONNECTED and not self.closing:
            self.receive_now = None
            try:
                channel = UrgentChannel(self.host, self.changed, inline=bool(self.settings.get(SO_OOBINLINE)))
            except OSError:
                return None  # the connection is gone
            # Two threads may notice it at once, and must not put bytes aside in two places.
            self.urgent = self.settings.setdefault(UrgentChannel, channel)
            self._watch_for_urgent()
            self.changed()
        return self.urgent

    def _watch_for_urgent(self) -> None:
        """Have the pump notice urgent data from now on, unless that is done by whoever sends it, or need not be."""
        if self.urgent is None or self.settings.get(SO_OOBINLINE):
            self.alarms &= ~URGENT
        elif not self.alarms & URGENT and other_end(self) is None:
            self.alarms |= URGENT
            with contextlib.suppress(WinsockError):  # no room for it in the pump's set: calls notice it all the same
                self.pump.watch(self)

    def alarm(self, ready: int) -> None:
        """Urgent data has come; or data, after shutdown(SD_RECEIVE)."""
        if ready & (HANGUP | FAULT):
            self.alarms = 0
        if ready & URGENT:
            channel = self.meet_urgent()
            if channel is not None:
                with contextlib.suppress(OSError):  # told to the next receive
                    channel.notice()
                if channel.full:
                    self.alarms &= ~URGENT
        if self.receive_shut:
            self._reset_for_unwanted_data()

    # Ending a direction

    def shutdown(self, how: int) -> None:
        """WSPShutdown: connection state is checked before ``how``; repeating it succeeds."""
        self.settle()
        if self.state != CONNECTED or self.contextless:
            raise WinsockError(WSAENOTCONN)
        if how not in (SD_RECEIVE, SD_SEND, SD_BOTH):
            raise WinsockError(WSAEINVAL)
        if self.broken:
            raise WinsockError(self.broken)
        if how != SD_RECEIVE and not self.send_shut:
            self._end_sending()
        if how != SD_SEND and not self.receive_shut:
            self._end_receiving()

    def _end_sending(self) -> None:
        self.send_now = None
        self.send_shut = True
        claimed = self.claim_sending()
        try:
            if claimed:
                self.finish_sending()
            else:
                self.outbound.run(self.finish_sending, Operation(_tell_nobody))
        except WinsockError:
            self.send_shut = False
            raise
        finally:
            if claimed:
                self.sending = False
        self.changed()

    def finish_sending(self) -> None:
        """One attempt to tell the peer that nothing follows, in its turn after what is to be sent."""
        try:
            self.host.shutdown(_SHUT_WR)
        except OSError as failure:
            # ENOTCONN: the peer has reset the connection, and the host has noticed first.
            raise self._call_failed(failure, TO_SENDS) from failure

    def _end_receiving(self) -> None:
        # The host's own SHUT_RD would go on acknowledging data; Winsock refuses later receives, and resets the
        # connection when data is there or comes.
        self.receive_shut = True
        self.receive_now = None
        self.send_now = None  # each send looks for unwanted data first
        self.inbound.ready()
        self.inbound.service()
        self._reset_for_unwanted_data()
        self.changed()

    def _reset_for_unwanted_data(self) -> None:
        """After shutdown(SD_RECEIVE): data that comes cannot be delivered, so it resets the connection.

        Without data the pump looks out for it, unless the stream has ended.
        """
        if self.broken or self.closing:
            return
        try:
            waits = (self.urgent is not None and self.urgent.unread) or bool(self.host.recv(1, HOST_PEEK))
        except BlockingIOError:
            if not self.alarms & READABLE:
                self.alarms |= READABLE
                with contextlib.suppress(WinsockError):  # no room for it in the pump's set: the next send looks
                    self.pump.watch(self)
            return
        except OSError:
            waits = False  # the connection is gone already, as the next call will say
        self.alarms &= ~READABLE
        if waits and reset(self.fd):
            self.broke(errno.ECONNABORTED, TO_SENDS)

    # Sending

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPSend: all of it, or WSAEWOULDBLOCK and nothing."""
        send_now = self.send_now
        if (
            send_now is not None
            and operation is None
            and not flags
            and buffers
            and self.outbound.head is None
            and not self.sending
        ):
            # Whatever is wrong with the buffers, the host finds it out before it sends anything: the checks in their
            # order are for the slow path.
            self.sending = True
            try:
                if len(buffers) == 1:
                    buffer = buffers[0]
                    moved = send_now(self.host, buffer, NOSIGNAL)
                    size = len(buffer) if type(buffer) in _PLAIN else memoryview(buffer).nbytes
                    if moved == size:
                        return moved
                elif len(buffers) <= MOST_BUFFERS:
                    moved = self.host.sendmsg(buffers, (), NOSIGNAL)
                    if moved == _size(buffers):
                        return moved
                else:
                    moved = 0
                if moved:
                    return self._carry_on(self.new_send(check_buffers(buffers), NOSIGNAL, moved), tried=True)
            except BlockingIOError:
                if self.blocking:
                    return self._carry_on(self.new_send(check_buffers(buffers), NOSIGNAL), tried=True)
                moved = _NOTHING_THERE
            except TypeError:
                moved = 0
            except WinsockError:
                raise
            except OSError as failure:
                raise self._call_failed(failure, TO_SENDS) from failure
            finally:
                self.sending = False
            if moved == _NOTHING_THERE:
                raise would_block()
        elif operation is not None and send_now is not None and not flags and buffers and len(buffers) == 1:
            return self._send_overlapped(send_now, buffers[0], operation)
        return self._send_checked(buffers, flags, operation)

    def _send_overlapped(self, send_now: Callable[..., int], buffer: Any, operation: Operation) -> Any:
        """An overlapped send in the ordinary state: as `send` does it, a third of the time of all checks."""
        if self.outbound.head is not None or self.sending or buffer is None:
            return self._send_checked([buffer], 0, operation)
        self.sending = True
        try:
            moved = send_now(self.host, buffer, NOSIGNAL)
            if moved == (len(buffer) if type(buffer) in _PLAIN else memoryview(buffer).nbytes):
                operation.finish_now(moved)
                return moved
            return self.outbound.pend(self.new_send(check_buffers([buffer]), NOSIGNAL, moved), operation)
        except BlockingIOError:
            return self.outbound.pend(self.new_send(check_buffers([buffer]), NOSIGNAL), operation)
        except WinsockError:
            raise
        except OSError as failure:
            raise self._call_failed(failure, TO_SENDS) from failure
        finally:
            self.sending = False

    def _send_checked(self, buffers: Any, flags: int, operation: Any) -> Any:
        """A send with all checks: more buffers, flags, a state that is not simply open, other threads around."""
        views = check_buffers(buffers)
        self._check_send(flags)
        sending: Sending
        if flags & MSG_OOB:
            sending = UrgentSending(self, views, host_flags(flags) | NOSIGNAL, self.send_failed)
        else:
            sending = self.new_send(views, host_flags(flags) | NOSIGNAL)
        if not sending.left:
            self._send_nothing()
        claimed = self.claim_sending()
        try:
            if operation is not None:
                return self.outbound.run(sending, operation)
            if claimed:
                try:
                    return sending()
                except BlockingIOError:
                    return self._carry_on(sending, tried=True)
                except WinsockError:
                    if sending.moved:  # the rest is lost, as it is with the host; every later call is told
                        return sending.moved + sending.left
                    raise
        finally:
            if claimed:
                self.sending = False
        return self._carry_on(sending, tried=False)

    def _send_nothing(self) -> None:
        """No bytes at all: the host is still asked whether the connection is there."""
        try:
            self.host.send(b"", NOSIGNAL)
        except BlockingIOError:
            pass
        except OSError as failure:
            raise self._call_failed(failure, TO_SENDS) from failure

    def new_send(self, views: list[memoryview], flags: int = NOSIGNAL, moved: int = 0) -> Sending:
        """A send of these views, which has moved some of it already."""
        return Sending(self.host, views, flags, self.send_failed, moved)

    def send_failed(self, failure: OSError) -> WinsockError:
        """The error for a failure of the host to send."""
        return self._call_failed(failure, TO_SENDS)

    def claim_sending(self) -> bool:
        """Keep other threads out of first tries, once no thread is inside one; False when the lane has a queue."""
        patience = _YIELDS
        while self.sending and self.outbound.head is None and patience:
            time.sleep(0)
            patience -= 1
        if self.outbound.head is not None:
            return False
        self.sending = True
        return True

    def _carry_on(self, sending: Sending, *, tried: bool) -> int:
        """Wait with a send that the host has taken in part or not at all; ``tried`` as in `Lane.wait`."""
        if not self.blocking:
            if sending.moved:
                return self._go_on_without(sending)
            raise would_block()
        try:
            moved: int = self.outbound.wait(sending, tried=tried)
        except WinsockError:
            # What the transport has accepted is sent: a caller that is told of an error would send it again.
            if sending.moved:
                return sending.moved
            raise
        return moved

    def _go_on_without(self, sending: Sending) -> int:
        """A non-blocking send that the host has taken in part: the pump sends the rest. Bytes of the whole send."""
        sending.keep()
        size = sending.moved + sending.left
        self._rest = sending
        leftovers.add(sending)
        operation = Operation(self._rest_ended)
        try:
            self.outbound.run(sending, operation)
        except WinsockError as failure:
            operation.finish(None, failure)
        self.changed()
        return size

    def _rest_ended(self, operation: Operation) -> None:
        """The rest of a non-blocking send is with the host, or lost; what closing does with it is up to `let_go`."""
        if self.closing:
            return
        rest, self._rest = self._rest, None
        if rest is not None:
            leftovers.remove(rest)
        if operation.error and not self.broken:
            self.receive_now = self.send_now = None
            self.broken = operation.error
        self.changed()

    def _check_send(self, flags: int) -> None:
        if flags & ~_SEND_FLAGS:
            raise WinsockError(WSAEOPNOTSUPP)
        if flags & MSG_OOB and not self.expedited:
            raise WinsockError(WSAEOPNOTSUPP)
        if self.send_shut:
            raise WinsockError(WSAESHUTDOWN)
        self.settle()
        if self.state != CONNECTED:
            raise WinsockError(WSAENOTCONN)
        if self.receive_shut:
            self._reset_for_unwanted_data()
        if self.broken:
            raise WinsockError(self.broken)

    def _call_failed(self, failure: OSError, direction: int) -> WinsockError:
        """A host failure of a send or receive, in the light of what happened to the connection."""
        number = failure.errno or 0
        if number == errno.EPIPE and direction == TO_SENDS and self.send_shut:
            # The host says EPIPE for both: shut down here, or gone there.
            return WinsockError(WSAESHUTDOWN)
        if number in _BREAKS and not self.closing:
            return self.broke(number, direction)
        return self.ended(failure)

    def broke(self, number: int, direction: int) -> WinsockError:
        """The connection is gone: remember why, since the host tells only once."""
        self.receive_now = self.send_now = None
        if not self.broken:
            self.broken = _BREAKS[number][direction]
            self.changed()
        return WinsockError(self.broken)

    def notice_end(self) -> None:
        """Learn of a reset or a time-out that no call has met yet; it becomes SO_ERROR as well."""
        self.settle()
        if self.state == CONNECTED and not self.broken:
            self._look_for_fault()

    def _look_for_fault(self) -> None:
        try:
            number = self.host.getsockopt(_SOL_SOCKET, _SO_ERROR)
        except OSError:
            return  # closed meanwhile
        if number in _BREAKS:
            self.pending_error = self.broke(number, TO_RECEIVES).winerror

    def WSPSendTo(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any) -> Any:
        """WSPSendTo: a stream ignores the address."""
        return self.WSPSend(s, buffers, flags, operation)

    # Receiving

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPRecv: 0 is the peer's end of stream."""
        receive_now = self.receive_now
        if receive_now is not None and operation is None and not flags and buffers and self.inbound.head is None:
            waits = self._waits
            if waits and len(buffers) == 1 and (type(buffers[0]) is bytearray or _is_room(buffers[0])):
                if waits < 0 and self.blocking:
                    return self._receive_without_try(receive_now, buffers[0])
                if waits >= _SURE and not self.blocking and self.is_empty():
                    raise would_block()
            moved = 0  # needs a closer look: the end of the stream, or something wrong with the buffers
            try:
                if len(buffers) == 1:
                    moved = receive_now(self.host, buffers[0])
                elif len(buffers) <= MOST_BUFFERS:
                    moved = self.host.recvmsg_into(buffers)[0]
                if moved:
                    if waits:
                        self._waits = 0
                    return moved
            except BlockingIOError:
                moved = _NOTHING_THERE
            except TypeError:
                moved = 0
            except OSError as failure:
                raise self._call_failed(failure, TO_RECEIVES) from failure
            if moved == _NOTHING_THERE:
                if not self.blocking:
                    if waits < _SURE:
                        self._waits = waits + 1
                    raise would_block()
                # The try has found nothing, so the next thing is to wait.
                self._waits = waits + 1 if waits + 1 < _SURE else -_WITHOUT_TRY
                return self.inbound.wait(self._receive_attempt(list(buffers), 0))
        elif (
            operation is not None
            and receive_now is not None
            and not flags
            and buffers
            and len(buffers) == 1
            and (type(buffers[0]) is bytearray or _is_room(buffers[0]))
        ):
            if self.inbound.head is not None:
                if not memoryview(buffers[0]).nbytes:
                    return self._receive_checked(buffers, flags, operation)
                return self.inbound.pend(_Receive(self, buffers[0]), operation)
            waits = self._waits
            if (waits >= _LIKELY or waits < 0) and self.is_empty():
                return self.inbound.pend(_Receive(self, buffers[0]), operation)
            try:
                moved = receive_now(self.host, buffers[0])
            except BlockingIOError:
                if 0 <= waits < _LIKELY:
                    self._waits = waits + 1
                return self.inbound.pend(_Receive(self, buffers[0]), operation)
            except OSError as failure:
                raise self._call_failed(failure, TO_RECEIVES) from failure
            if moved:
                self._waits = 0
                operation.finish_now(moved)
                return moved
        return self._receive_checked(buffers, flags, operation)

    def receive_into(self, buffer: Any) -> int:
        """One try to receive into a buffer, whatever has become of the socket since the call."""
        receive_now = self.receive_now
        if receive_now is None:  # shut down meanwhile, or urgent data has come
            return int(self._receive_attempt([buffer], 0)())
        try:
            return receive_now(self.host, buffer) or self._end_of_stream()
        except (BlockingIOError, WinsockError):
            raise
        except OSError as failure:
            raise self._call_failed(failure, TO_RECEIVES) from failure

    def _receive_without_try(self, receive_now: Callable[..., int], buffer: Any) -> int:
        """Wait first, as a try would certainly find nothing; little more than the host's call is the attempt then."""
        self._waits = self._waits + 1 or _SURE - 1  # after the last one comes a try again, and one miss is enough then

        def attempt() -> int:
            if self.receive_now is not receive_now:  # shut down meanwhile, or urgent data has come
                return int(self._receive_attempt([buffer], 0)())
            moved: int = receive_now(self.host, buffer)
            return moved

        try:
            received: int = self.inbound.wait(attempt)
        except WinsockError:
            raise
        except OSError as failure:
            raise self._call_failed(failure, TO_RECEIVES) from failure
        return received or self._end_of_stream()

    def _receive_checked(self, buffers: Any, flags: int, operation: Any) -> Any:
        """A receive with all checks: several buffers or empty ones, flags, or a state that is not simply open."""
        views = check_buffers(buffers)
        if operation is not None and flags & MSG_PEEK:
            raise WinsockError(WSAEOPNOTSUPP)
        self._check_receive(flags)
        drop(views, 0)
        if flags & MSG_OOB:
            return self._receive_urgent(views, flags, operation)
        if not views:
            return self.inbound.run(self._nothing_attempt, operation)
        if flags & MSG_WAITALL:
            return self.inbound.run(self._receive_all_attempt(views), operation)
        return self.inbound.run(self._receive_attempt(views, host_flags(flags)), operation)

    def _receive_urgent(self, views: list[memoryview], flags: int, operation: Any) -> Any:
        """MSG_OOB: ahead of everything else that waits for data, unless the urgent data itself has not come yet."""
        channel = self.meet_urgent() if self._knows_urgent() else None
        if channel is None:
            raise WinsockError(WSAEINVAL)

        def attempt() -> int:
            if self.receive_shut:
                return 0
            try:
                return channel.receive_urgent(views, peek=bool(flags & MSG_PEEK))
            except (BlockingIOError, WinsockError):
                raise
            except OSError as failure:
                raise self._call_failed(failure, TO_RECEIVES) from failure

        if operation is not None:
            return self.inbound.run(attempt, operation)
        try:
            return attempt()
        except BlockingIOError:
            if not self.blocking:
                raise would_block() from None
        return self.inbound.wait(attempt)

    def _knows_urgent(self) -> bool:
        """Urgent data has come or been announced, now or before."""
        if self.urgent is not None:
            return True
        try:
            return bool(self.host.recv(1, HOST_OOB | HOST_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _check_receive(self, flags: int) -> None:
        if flags & ~_RECEIVE_FLAGS:
            raise WinsockError(WSAEOPNOTSUPP)
        if flags & MSG_WAITALL and (flags & (MSG_OOB | MSG_PEEK) or not self.blocking):
            raise WinsockError(WSAEOPNOTSUPP)
        if flags & MSG_OOB:
            if not self.expedited:
                raise WinsockError(WSAEOPNOTSUPP)
            if self.settings.get(SO_OOBINLINE):
                raise WinsockError(WSAEINVAL)
        self.settle()
        if self.state != CONNECTED:
            raise WinsockError(WSAENOTCONN)
        if self.receive_shut:
            raise WinsockError(WSAESHUTDOWN)
        if self.broken:
            raise WinsockError(self.broken)

    def _receive_attempt(self, views: list[Any], theirs: int) -> Any:
        """One try to fill the buffers with what is there."""
        host = self.host
        spread: list[Any] = []
        if len(views) > MOST_BUFFERS:
            # More than the host takes in a call.
            spread, views = views, [memoryview(bytearray(min(sum(map(len, views)), _MOST_AT_ONCE)))]

        def attempt() -> int:
            if self.receive_shut:
                return 0
            try:
                if self.urgent is not None:
                    moved = self.urgent.receive(check_buffers(views), theirs)
                elif len(views) == 1:
                    moved = host.recv_into(views[0], 0, theirs)
                else:
                    moved = host.recvmsg_into(views, 0, theirs)[0]
            except BlockingIOError:
                raise
            except OSError as failure:
                raise self._call_failed(failure, TO_RECEIVES) from failure
            if spread:
                scatter(views[0][:moved], spread)
            return moved or self._end_of_stream()

        return attempt

    def _receive_all_attempt(self, views: list[memoryview]) -> Any:
        """MSG_WAITALL: tries go on where the last one stopped, until the buffers are full or the stream ends."""
        host = self.host
        moved = 0

        def attempt() -> int:
            nonlocal moved
            try:
                while views and not self.receive_shut:
                    some = views[:MOST_BUFFERS]
                    received = host.recvmsg_into(some)[0] if self.urgent is None else self.urgent.receive(some, 0)
                    if not received:
                        return moved or self._end_of_stream()
                    moved += received
                    drop(views, received)
                return moved
            except BlockingIOError:
                raise
            except WinsockError:
                raise
            except OSError as failure:
                raise self._call_failed(failure, TO_RECEIVES) from failure

        return attempt

    def _nothing_attempt(self) -> int:
        """A receive of no bytes completes when something could be received."""
        if self.receive_shut:
            return 0
        ready = ready_now(self.fd, READABLE)
        if self.urgent is not None:
            ready = self.urgent.readiness(ready)
        if not ready & (READABLE | HANGUP | FAULT):
            raise BlockingIOError
        if ready & FAULT:
            self._end_of_stream()
        return 0

    def _end_of_stream(self) -> int:
        """0, unless a reset has come after the end of the stream; a host may go on saying "end" then."""
        self._look_for_fault()
        if self.broken:
            raise WinsockError(self.broken)
        return 0

    def WSPRecvFrom(self, s: int, buffers: Any, flags: int, room: int | None, operation: Any) -> Any:
        """WSPRecvFrom: a stream has one peer and leaves the address alone."""
        moved = self.WSPRecv(s, buffers, flags, operation)
        return moved if moved is PENDING else (moved, None)

    # Waiting

    def wanted(self, asked: int) -> int:
        """An idle stream is ready for nothing; a connect under way ends in writability, whichever way it ends."""
        if self.requests is not None:
            free = asked & CAN_ACCEPT and not self.requests.paused and not self.inbound.pends
            return READABLE if free else 0
        if self.state != CONNECTED:
            return WRITABLE if self.state == CONNECTING else 0
        if self.broken:
            return 0
        mask = READABLE if asked & CAN_READ else 0
        if asked & (CAN_READ | CAN_READ_URGENT) and self._has_urgent_beside():
            mask |= URGENT
        if asked & CAN_WRITE and not self.outbound.pends:
            mask |= WRITABLE
        # A host without a bit for it reports it unasked, as a hang-up, if anything is asked.
        return mask | (ENDED or URGENT) if asked & TELL_END else mask

    def conditions(self, ready: int) -> int:
        """A failed connect is that and nothing else; a connection that is gone lets a send return at once, too."""
        if ready:
            self.settle()
        if self.requests is not None:
            comes = ready & READABLE or self.requests.waiting
            return CAN_ACCEPT if comes and not self.inbound.pends else 0
        if self.state != CONNECTED:
            return CONNECT_FAILED if self.connect_failed else 0
        # Both directions are over, and not by a shutdown of ours: a reset whose error somebody else has just been told.
        # (Where the host has no bit for the end of one, a hang-up says less.)
        over = ENDED and self.halves and ready & HANGUP and not self.send_shut
        if (over or ready & FAULT) and not self.broken:
            self._look_for_fault()
            if not self.broken and WATCHED not in self.settings:
                # The host tells an error once, and another thread has been told just now: it is about to say so.
                self.broke(errno.ECONNRESET, TO_RECEIVES)
        if self.broken:
            return WAS_RESET | CAN_WRITE
        if ready & URGENT and self._has_urgent_beside():
            self.meet_urgent()
        if self.urgent is not None:
            with contextlib.suppress(OSError):  # told to the next call
                ready = self.urgent.readiness(ready)
        if ready & READABLE and self.inbound.pends:
            ready = self.left_readable(ready)
        met = CAN_READ if ready & READABLE else 0
        if ready & (ENDED | HANGUP | FAULT):
            met = PEER_ENDED | CAN_READ if self._has_data() else PEER_ENDED
        if ready & (HANGUP | FAULT) or (ready & WRITABLE and not self.outbound.pends):
            met |= CAN_WRITE
        if ready & URGENT and self._has_urgent_beside():
            met |= CAN_READ_URGENT
        return met

    def _has_urgent_beside(self) -> bool:
        """Urgent data is kept out of the stream, or would be."""
        return self.expedited and not self.settings.get(SO_OOBINLINE)

    def _has_data(self) -> bool:
        """Data is left to be received before the end of the stream."""
        try:
            if self.urgent is not None:
                return bool(self.urgent.readiness(0) & READABLE or readable(self.host))
            return bool(self.host.recv(1, HOST_PEEK))
        except OSError:
            return False

    # Network events

    @property
    def listens(self) -> bool:
        """It has been told to listen."""
        return self.requests is not None

    @property
    def guarded(self) -> bool:
        """What is kept of urgent data has a lock."""
        return self.urgent is not None

    @property
    def piecemeal(self) -> bool:
        """No receive crosses a mark."""
        return self.urgent is not None

    def connect_outcome(self) -> int | None:
        """How the last connect has ended; a connection that was accepted is none of its own."""
        if self.state == CONNECTED:
            return None if self.accepted else 0
        return self._connect_code if self.connect_failed else None

    def end_code(self) -> int:
        """A reset by the peer, or what has ended the connection here."""
        return WSAECONNRESET if self.broken == WSAECONNRESET else WSAECONNABORTED

    # Closing

    def abort(self, error: int, *, silent: bool = False) -> None:
        """End everything that waits; for AcceptEx it waits at the listening socket."""
        super().abort(error, silent=silent)
        accepting = self.accepting
        if accepting is not None and not silent:
            accepting.cancel()

    def aborted(self, lane: Lane, operation: Operation) -> WinsockError:
        """Observed: a port learns of the connection's end, not of a cancelled receive."""
        told_by_port = isinstance(operation, OVERLAPPED) and operation.on_port
        if self.state == CONNECTED and lane is self.inbound and told_by_port:
            return WinsockError(WSAECONNABORTED)
        return super().aborted(lane, operation)

    def before_close(self) -> None:
        """A non-blocking socket with a linger time is not closed while there is something to send (T12.1)."""
        if self.blocking or not self._linger_time() or (self._rest is None and not unsent(self.host)):
            return
        self.notice_end()  # nothing can be sent any more when the connection is gone
        if not self.broken:
            raise would_block()

    def _linger_time(self) -> int:
        """The seconds that closing has to wait for data to be sent, 0 for none."""
        on, seconds = self.settings.get(SO_LINGER, (0, 0))
        return seconds if on and self.state == CONNECTED and not self.broken else 0

    def let_go(self, *, linger: bool) -> None:
        """Closed: no shortcut may reach a descriptor number that has a new owner. How a connection ends: closing.py."""
        self.receive_now = self.send_now = None
        rest, self._rest = self._rest, None
        if self.requests is not None:
            self.requests.reset_all()
        try:
            if self.state == CONNECTED and not self.broken:
                self._end_connection(rest, self._linger_time() if linger and self.blocking else 0)
        finally:
            if rest is not None:
                leftovers.give_up(rest)

    def _end_connection(self, rest: Sending | None, seconds: int) -> None:
        """What is to be done before the descriptor is closed."""
        if (self.urgent is not None and self.urgent.unread) or (
            rest is not None and (self._ends_hard() or self._has_unread())
        ):
            self.end_hard()
        elif seconds and not self._has_unread():
            try:
                if not all_acknowledged(self.pump, self.host, rest, seconds):
                    self.end_hard()
            except BaseException:
                if rest is not None and rest.left:
                    leftovers.close_after(self.host, rest)
                raise
        elif rest is not None and rest.left:
            try:
                leftovers.close_after(self.host, rest)
            except OSError:
                self.end_hard()  # no descriptor is left for it: the peer must not take what it has for everything

    def _ends_hard(self) -> bool:
        """The linger time is 0 seconds."""
        on, seconds = self.settings.get(SO_LINGER, (0, 0))
        return bool(on and not seconds)

    def _has_unread(self) -> bool:
        """Data was received that nobody will read."""
        try:
            return bool(readable(self.host))
        except OSError:
            return False

    def after_fork(self) -> None:
        """In the child: what is left to be sent is the parent's business, and no thread is inside a call."""
        super().after_fork()
        self._rest = None
        self.sending = False
        if self.urgent is not None:
            self.urgent.after_fork()

    def end_hard(self) -> None:
        """Closing will reset the connection."""
        with contextlib.suppress(OSError):
            self.host.setsockopt(_SOL_SOCKET, _SO_LINGER, _ABORTIVE)


def _is_room(buffer: Any) -> bool:
    """A buffer that can certainly be written to."""
    return type(buffer) is bytearray or (type(buffer) is memoryview and not buffer.readonly)


def _size(buffers: Sequence[Any]) -> int:
    """Bytes in all the buffers; what ``len`` tells only of plain ones."""
    if _PLAIN.issuperset(map(type, buffers)):
        return sum(map(len, buffers))
    return sum(memoryview(buffer).nbytes for buffer in buffers)


def _tell_nobody(operation: Operation) -> None:
    """Nobody waits for the end of sending."""
