"""Registered I/O on the host's sockets.

Part played:     the registered I/O of afd.sys: what the requests of a request queue do.
Lives here:      which call a request is, and where addresses, flags and control data go in registered memory.
Lives elsewhere: queues and results (engine/registered), the calls (stream, datagram, messages).
Memory:          an address is a SOCKADDR_INET, or as much of it as its family needs. Control data is a
                 RIO_CMSG_BUFFER: its length, which counts itself, 8 bytes in all, then the objects.
Failures:        of the transport, that of a call that could not be begun included, are results. The calls themselves
                 only fail for their arguments and for want of a place.
Local address:   of a receive, where the datagram was sent to; of a send, where it is sent from, as by IP_PKTINFO.
Sources:         nc-mswsock-lpfn_rioreceiveex, nc-mswsock-lpfn_riosendex, ns-mswsock-rio_cmsg_buffer.
"""

from __future__ import annotations

from typing import Any, Final

from ...defs.codes import WSAEALREADY, WSAEFAULT, WSAEINVAL, WSAEOPNOTSUPP
from ...defs.constants import (
    AF_INET,
    AF_UNIX,
    IP_PKTINFO,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_PKTINFO,
    MSG_WAITALL,
    RIO_CMSG_BASE_SIZE,
    RIO_MSG_WAITALL,
    SOCK_RAW,
    WSA_FLAG_REGISTERED_IO,
)
from ...defs.controldata import ControlMessage, control_data
from ...defs.records import ReceivedMessage
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ...engine.registered import CompletionQueue, Piece, Request, RequestQueue, Store
from ...errors import WinsockError
from .datagram import DatagramSocket
from .hostsocket import NAME_SIZES, HostSocket
from .messages import Arrival, receive_message, send_message

_FLAGS_SIZE: Final = 4
_IPV6_SIZE: Final = 16
_MAPPED: Final = bytes(10) + b"\xff\xff"


def create_request_queue(
    queues: dict[HostSocket, HostRequestQueue],
    endpoint: HostSocket,
    receives: CompletionQueue,
    most_receives: int,
    sends: CompletionQueue,
    most_sends: int,
    context: Any,
) -> HostRequestQueue:
    """RIOCreateRequestQueue; ``queues`` are those that there are, by socket.

    Raises:
        WinsockError: WSAEOPNOTSUPP, a socket made without WSA_FLAG_REGISTERED_IO, or one that is not TCP or UDP;
            WSAEALREADY, it has one; what `RequestQueue` raises.
    """
    unfit = endpoint.family == AF_UNIX or endpoint.socket_type == SOCK_RAW
    if unfit or not endpoint.flags & WSA_FLAG_REGISTERED_IO:
        raise WinsockError(WSAEOPNOTSUPP)
    if endpoint in queues:
        raise WinsockError(WSAEALREADY)
    queue = HostRequestQueue(endpoint, receives, most_receives, sends, most_sends, context)
    return queues.setdefault(endpoint, queue)


class HostRequestQueue(RequestQueue):
    """The request queue of a TCP or UDP socket."""

    def __init__(self, endpoint: HostSocket, *queues: Any) -> None:
        super().__init__(*queues)
        self._endpoint = endpoint

    def receive(
        self, data: Piece, local: Piece, remote: Piece, control: Piece, told: Piece, flags: int, context: Any
    ) -> None:
        endpoint = self._endpoint
        buffers = [memoryview(b"") if data is None else data]
        beside = any(piece is not None for piece in (local, remote, control, told))
        store: Store | None = None
        if not beside:
            theirs = MSG_WAITALL if flags & RIO_MSG_WAITALL else 0

            def begin(request: Request) -> Any:
                return endpoint.WSPRecv(endpoint.handle, buffers, theirs, request)

        else:
            if not isinstance(endpoint, DatagramSocket) or flags & RIO_MSG_WAITALL:
                raise WinsockError(WSAEINVAL)
            self._check_rooms(local, remote)
            _check_room(told, _FLAGS_SIZE)
            _check_room(control, RIO_CMSG_BASE_SIZE)
            room = 0 if control is None else len(control) - RIO_CMSG_BASE_SIZE

            def arrived(arrival: Arrival) -> None:
                if local is not None and arrival.destination is not None:
                    _put(local, _address(arrival.destination, endpoint))

            def begin(request: Request) -> Any:
                return receive_message(endpoint, buffers, room, None, 0, request, arrived)

            def store(outcome: Any) -> None:
                received = outcome.received if isinstance(outcome, WinsockError) else outcome
                if received is not None:
                    _put_beside(received, remote, control, told)

        self.issue(self.receives, begin, context, flags, store)

    def send(self, data: Piece, local: Piece, remote: Piece, control: Piece, flags: int, context: Any) -> None:
        endpoint = self._endpoint
        buffers = [memoryview(b"") if data is None else data]
        if local is None and remote is None and control is None:

            def begin(request: Request) -> Any:
                return endpoint.WSPSend(endpoint.handle, buffers, 0, request)

        else:
            if not isinstance(endpoint, DatagramSocket):
                raise WinsockError(WSAEINVAL)
            self._check_rooms(local, remote)
            to = None if remote is None else bytes(remote)
            beside = b"" if local is None else _sent_from(SockAddr(bytes(local)))
            if control is not None:
                beside += _control_in(control)

            def begin(request: Request) -> Any:
                return send_message(endpoint, buffers, 0, to, beside, request)

        self.issue(self.sends, begin, context, flags)

    def _check_rooms(self, *addresses: Piece) -> None:
        for address in addresses:
            _check_room(address, NAME_SIZES[self._endpoint.family])


def _check_room(piece: Piece, size: int) -> None:
    if piece is not None and len(piece) < size:
        raise WinsockError(WSAEFAULT)


def _sent_from(local: SockAddr) -> bytes:
    """Control data for the source address."""
    interface = bytes(4)  # whichever
    if local.family == AF_INET:
        return control_data((ControlMessage(IPPROTO_IP, IP_PKTINFO, local.packed + interface),))
    return control_data((ControlMessage(IPPROTO_IPV6, IPV6_PKTINFO, local.packed + interface),))


def _control_in(piece: memoryview) -> bytes:
    """The objects in a RIO_CMSG_BUFFER."""
    _check_room(piece, RIO_CMSG_BASE_SIZE)
    total = int.from_bytes(piece[:4], "little")
    if not RIO_CMSG_BASE_SIZE <= total <= len(piece):
        raise WinsockError(WSAEINVAL)
    return bytes(piece[RIO_CMSG_BASE_SIZE:total])


def _address(packed: bytes, endpoint: HostSocket) -> SockAddr:
    """The socket's own address with the IP address that a datagram was sent to."""
    port = endpoint.local_name(None).port
    if endpoint.family == AF_INET:
        return sockaddr_in(packed, port)
    return sockaddr_in6(packed if len(packed) == _IPV6_SIZE else _MAPPED + packed, port)


def _put(piece: memoryview, data: bytes) -> None:
    piece[: len(data)] = data


def _put_beside(received: ReceivedMessage, remote: Piece, control: Piece, told: Piece) -> None:
    """Put what has come with a datagram where the program wants it."""
    if remote is not None and received.address is not None:
        _put(remote, received.address)
    if control is not None:
        total = RIO_CMSG_BASE_SIZE + len(received.control)
        _put(control, total.to_bytes(4, "little"))
        _put(control[RIO_CMSG_BASE_SIZE:], received.control)
    if told is not None:
        _put(told, received.flags.to_bytes(_FLAGS_SIZE, "little"))
