"""Registered I/O: memory that is registered once, requests and results that go through queues.

Part played:     the functions of RIO_EXTENSION_FUNCTION_TABLE.
Lives here:      identifiers, pieces of registered memory, the checks of arguments.
Lives elsewhere: the queues (engine/registered), what a request does (the provider), the table in C (capi).
Forms:           a queue and a registered buffer are numbers, as in C. A piece of memory is a `RIO_BUF`, None for NULL;
                 there is at most one piece of data, so its count is not a parameter. A table is asked for by socket in
                 C; these functions serve the sockets of all providers.
Contexts:        any object; results carry it as it was given.
Sources:         "Winsock Registered I/O extensions": nc-mswsock-lpfn_rio* on Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..defs.codes import WSAEFAULT, WSAEINVAL
from ..defs.constants import (
    RIO_EVENT_COMPLETION,
    RIO_IOCP_COMPLETION,
    RIO_MAX_CQ_SIZE,
    RIO_MSG_COMMIT_ONLY,
    RIO_MSG_DEFER,
    RIO_MSG_DONT_NOTIFY,
    RIO_MSG_WAITALL,
    SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
)
from ..defs.guids import WSAID_MULTIPLE_RIO
from ..defs.registered import RIO_BUF, RIO_NOTIFICATION_COMPLETION, RIO_TABLE_SIZE, RIORESULT
from ..engine.registered import CompletionQueue, Piece, RequestQueue
from ..errors import WinsockError, exported
from ..kernel.events import Event
from ..kernel.ports import Port
from ..kernel32.handles import typed
from ..process import Process, current_process
from ..ws2_32.extensions import extension

_SEND_FLAGS = RIO_MSG_DONT_NOTIFY | RIO_MSG_DEFER | RIO_MSG_COMMIT_ONLY
_RECEIVE_FLAGS = _SEND_FLAGS | RIO_MSG_WAITALL


@exported
def RIORegisterBuffer(buffer: Any) -> int:
    """Register memory for requests; its identifier.

    Args:
        buffer: a writable buffer, which has to stay as long as it is registered and requests use it.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEFAULT, no buffer; WSAEINVAL, an empty one.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioregisterbuffer
    """
    process = current_process()
    process.check_started()
    if buffer is None:
        raise WinsockError(WSAEFAULT)
    view = memoryview(buffer).cast("B")
    if not view:
        raise WinsockError(WSAEINVAL)
    registered = process.registered
    number = registered.new_number()
    registered.buffers[number] = view
    return number


@exported
def RIODeregisterBuffer(buffer_id: int) -> None:
    """Forget registered memory. Requests that have been issued go on with it.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioderegisterbuffer
    """
    current_process().registered.buffers.pop(buffer_id, None)


@exported
def RIOCreateCompletionQueue(size: int, notification: RIO_NOTIFICATION_COMPLETION | None = None) -> int:
    """Make a completion queue.

    Args:
        size: places, 1 to RIO_MAX_CQ_SIZE.
        notification: what `RIONotify` leads to; None for a queue that is only asked.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEINVAL, a size out of range, or a notification of an unknown kind, or with
            no such event or port.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riocreatecompletionqueue
    """
    process = current_process()
    process.check_started()
    _check_size(size)
    queue = CompletionQueue(size, *_notifier(process, notification))
    registered = process.registered
    number = registered.new_number()
    registered.completion_queues[number] = queue
    return number


def _check_size(size: int) -> None:
    if not 1 <= size <= RIO_MAX_CQ_SIZE:
        raise WinsockError(WSAEINVAL)


def _notifier(
    process: Process, notification: RIO_NOTIFICATION_COMPLETION | None
) -> tuple[Callable[[], None] | None, Callable[[], None] | None]:
    """What notifies, and what RIONotify does before."""
    if notification is None:
        return None, None
    try:
        if notification.type == RIO_EVENT_COMPLETION:
            event = typed(process, notification.handle, Event)
            return event.set, event.reset if notification.reset else None
        if notification.type == RIO_IOCP_COMPLETION:
            port = typed(process, notification.handle, Port)
            return lambda: port.post((notification.key, notification.overlapped, 0, 0)), None
    except WinsockError:
        pass  # a bad handle is an argument like the others here
    raise WinsockError(WSAEINVAL)


def _completion_queue(process: Process, number: int, unknown: int = WSAEINVAL) -> CompletionQueue:
    queue = process.registered.completion_queues.get(number)
    if queue is None:
        raise WinsockError(unknown)
    return queue


@exported
def RIOResizeCompletionQueue(cq: int, size: int) -> None:
    """Change the number of places of a completion queue.

    Raises:
        WinsockError: WSAEFAULT, no such queue; WSAEINVAL, a size out of range, or fewer places than request queues have
            been promised.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioresizecompletionqueue
    """
    queue = _completion_queue(current_process(), cq, WSAEFAULT)
    _check_size(size)
    queue.resize(size)


@exported
def RIOCloseCompletionQueue(cq: int) -> None:
    """End a completion queue; results in it are lost, and request queues that use it issue no more requests.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioclosecompletionqueue
    """
    queue = current_process().registered.completion_queues.pop(cq, None)
    if queue is not None:
        queue.close()


@exported
def RIOCreateRequestQueue(
    s: int,
    most_receives: int,
    receive_buffers: int,
    most_sends: int,
    send_buffers: int,
    receive_cq: int,
    send_cq: int,
    context: Any = 0,
) -> int:
    """Make the request queue of a socket, which ends with the socket.

    Args:
        s: a TCP or UDP socket made with WSA_FLAG_REGISTERED_IO.
        most_receives, most_sends: how many requests may be outstanding: issued, and the result not taken. So many
            places are kept free in the completion queues.
        receive_buffers, send_buffers: pieces of data in a request: 1.
        receive_cq, send_cq: where results go; may be one queue.
        context: what results carry.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEOPNOTSUPP, another kind of socket; WSAEINVAL, no such
            completion queue, nothing may be outstanding, or another number of pieces; WSAENOBUFS, a completion queue
            has too few places left; WSAEALREADY, the socket has a request queue.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riocreaterequestqueue
    """
    process = current_process()
    record = process.socket(s)
    receives, sends = _completion_queue(process, receive_cq), _completion_queue(process, send_cq)
    if receive_buffers > 1 or send_buffers > 1 or not (most_receives or most_sends):
        raise WinsockError(WSAEINVAL)
    if (most_receives and not receive_buffers) or (most_sends and not send_buffers):
        raise WinsockError(WSAEINVAL)
    code = SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER
    create = extension(record, s, WSAID_MULTIPLE_RIO, code, RIO_TABLE_SIZE)
    queue: RequestQueue = create(s, receives, most_receives, sends, most_sends, context)
    registered = process.registered
    number = registered.new_number()
    registered.request_queues[number] = queue
    return number


def _request_queue(process: Process, number: int) -> RequestQueue:
    queue = process.registered.request_queues.get(number)
    if queue is None:
        raise WinsockError(WSAEINVAL)
    return queue


@exported
def RIOResizeRequestQueue(rq: int, most_receives: int, most_sends: int) -> None:
    """Change how many requests may be outstanding.

    Raises:
        WinsockError: WSAEINVAL, no such queue, nothing may be outstanding, or more requests are; WSAENOBUFS, a
            completion queue has too few places left.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioresizerequestqueue
    """
    _request_queue(current_process(), rq).resize(most_receives, most_sends)


def _piece(process: Process, piece: RIO_BUF | None) -> Piece:
    """The memory of a piece.

    Raises:
        WinsockError: WSAEFAULT, memory that is not registered; WSAEINVAL, a piece that reaches beyond it.
    """
    if piece is None:
        return None
    buffer = process.registered.buffers.get(piece.buffer_id)
    if buffer is None:
        raise WinsockError(WSAEFAULT)
    end = piece.offset + piece.length
    if end > len(buffer):
        raise WinsockError(WSAEINVAL)
    return buffer[piece.offset : end]


def _commits_only(flags: int, allowed: int, *arguments: Any) -> bool:
    """Whether a call issues nothing.

    Raises:
        WinsockError: WSAEINVAL, flags that do not exist or do not go together, or a commit with other arguments.
    """
    if flags & ~allowed:
        raise WinsockError(WSAEINVAL)
    if not flags & RIO_MSG_COMMIT_ONLY:
        return False
    if flags != RIO_MSG_COMMIT_ONLY or any(argument not in (None, 0) for argument in arguments):
        raise WinsockError(WSAEINVAL)
    return True


@exported
def RIOReceive(rq: int, data: RIO_BUF | None, flags: int = 0, context: Any = 0) -> None:
    """Receive into registered memory; as `RIOReceiveEx` without what comes beside the data.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioreceive
    """
    _receive(rq, data, None, None, None, None, flags, context)


@exported
def RIOReceiveEx(
    rq: int,
    data: RIO_BUF | None,
    local: RIO_BUF | None = None,
    remote: RIO_BUF | None = None,
    control: RIO_BUF | None = None,
    told: RIO_BUF | None = None,
    flags: int = 0,
    context: Any = 0,
) -> None:
    """Receive into registered memory. The outcome is a result in the completion queue, failures of the socket included.

    Args:
        rq: the request queue.
        data: where the data goes.
        local, remote: where the addresses of a datagram go, each a SOCKADDR_INET.
        control: where its control data goes, a RIO_CMSG_BUFFER.
        told: where its flags go: MSG_TRUNC, MSG_CTRUNC, MSG_BCAST, MSG_MCAST.
        flags: RIO_MSG_DEFER, to begin with the next request without it; RIO_MSG_DONT_NOTIFY, the result notifies
            nobody; RIO_MSG_WAITALL, for a stream: complete when the piece is full; RIO_MSG_COMMIT_ONLY, alone and
            without any other argument: begin what has been deferred.
        context: what the result carries.

    Raises:
        WinsockError: WSAEINVAL, no such queue, bad flags, a piece beyond its buffer, a stream with more than data, or
            the completion queue is closed; WSAEFAULT, memory that is not registered, or a piece that is too small for
            what it is for; WSAENOBUFS, too many requests are outstanding.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rioreceiveex
    """
    _receive(rq, data, local, remote, control, told, flags, context)


def _receive(
    rq: int,
    data: RIO_BUF | None,
    local: RIO_BUF | None,
    remote: RIO_BUF | None,
    control: RIO_BUF | None,
    told: RIO_BUF | None,
    flags: int,
    context: Any,
) -> None:
    process = current_process()
    queue = _request_queue(process, rq)
    if _commits_only(flags, _RECEIVE_FLAGS, data, local, remote, control, told, context):
        queue.receives.commit()
        return
    into, at_where, sender, beside, flags_at = (
        _piece(process, piece) for piece in (data, local, remote, control, told)
    )
    queue.receive(into, at_where, sender, beside, flags_at, flags, context)


@exported
def RIOSend(rq: int, data: RIO_BUF | None, flags: int = 0, context: Any = 0) -> None:
    """Send registered memory on a connected socket.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riosend
    """
    _send(rq, data, None, None, None, None, flags, context)


@exported
def RIOSendEx(
    rq: int,
    data: RIO_BUF | None,
    local: RIO_BUF | None = None,
    remote: RIO_BUF | None = None,
    control: RIO_BUF | None = None,
    told: RIO_BUF | None = None,
    flags: int = 0,
    context: Any = 0,
) -> None:
    """Send registered memory. The outcome is a result in the completion queue, failures of the socket included.

    Args:
        rq: the request queue.
        data: what is sent.
        local: the address to send a datagram from; None for the socket's own.
        remote: where to; None for the default peer.
        control: control data for the datagram, a RIO_CMSG_BUFFER.
        told: reserved.
        flags: RIO_MSG_DEFER, RIO_MSG_DONT_NOTIFY, RIO_MSG_COMMIT_ONLY, as for `RIOReceiveEx`.
        context: what the result carries.

    Raises:
        WinsockError: as `RIOReceiveEx`.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riosendex
    """
    _send(rq, data, local, remote, control, told, flags, context)


def _send(
    rq: int,
    data: RIO_BUF | None,
    local: RIO_BUF | None,
    remote: RIO_BUF | None,
    control: RIO_BUF | None,
    told: RIO_BUF | None,
    flags: int,
    context: Any,
) -> None:
    process = current_process()
    queue = _request_queue(process, rq)
    if _commits_only(flags, _SEND_FLAGS, data, local, remote, control, told, context):
        queue.sends.commit()
        return
    source, from_where, to, beside = (_piece(process, piece) for piece in (data, local, remote, control))
    queue.send(source, from_where, to, beside, flags, context)


@exported
def RIODequeueCompletion(cq: int, count: int) -> list[RIORESULT]:
    """Take results, oldest first, without waiting.

    Args:
        cq: the completion queue.
        count: the most to take.

    Raises:
        WinsockError: WSAEINVAL, no such queue; in C the result is RIO_CORRUPT_CQ.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_riodequeuecompletion
    """
    return _completion_queue(current_process(), cq).take(count)


@exported
def RIONotify(cq: int) -> None:
    """Ask to be told once: at once if there are results, otherwise when the next one comes.

    Raises:
        WinsockError: WSAEINVAL, no such queue, or one made without a notification; WSAEALREADY, one is still to come.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_rionotify
    """
    _completion_queue(current_process(), cq).notify()
