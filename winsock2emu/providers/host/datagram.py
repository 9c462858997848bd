"""Message-oriented sockets: UDP, and raw IP.

Part played:     the datagram endpoint of afd.sys.
Lives here:      the default peer, truncation, the errors that come back from the network, one attempt of each call.
Lives elsewhere: waiting, time-outs, order (engine/lanes); errno to code without context (translate).

Unreachable ports: Windows fails a later receive with WSAECONNRESET, on connected and unconnected sockets alike, and
never a send. Linux does so only where the error queue is on (IP_RECVERR), and there it may fail the next send instead;
such a failure is taken from the queue, remembered for the receive, and the send repeated. A queue that is not emptied
would keep the descriptor ready for ever. Other hosts report connected sockets only.
Sources:         nf-winsock-sendto, nf-winsock-recvfrom, winsock-ioctls (SIO_UDP_CONNRESET); R7.6, R11.24-R11.27,
                 A30-A37 of the project's reference.
"""

from __future__ import annotations

import _socket
import errno
import sys
from typing import Any

from ...defs.codes import (
    WSAEACCES,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENETRESET,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
)
from ...defs.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    MSG_DONTROUTE,
    MSG_PEEK,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_BROADCAST,
    SOCK_RAW,
)
from ...defs.sockaddr import SockAddr
from ...engine.pump import FAULT, HANGUP, READABLE, WRITABLE, Pump
from ...errors import WinsockError
from .hostsocket import MOST_BUFFERS, HostSocket, check_buffers
from .rawcalls import disconnect
from .translate import HOST_ERRQUEUE, HOST_TRUNC, NOSIGNAL, host_flags, windows_address

_SEND_FLAGS = MSG_DONTROUTE
_RECEIVE_FLAGS = MSG_PEEK

_IS_LINUX = sys.platform == "linux"
_HOST_PEEK = int(_socket.MSG_PEEK)
# linux/in.h and linux/in6.h; the socket module has no names for them on all our Pythons.
_RECVERR = {AF_INET: (0, 11), AF_INET6: (41, 25)}
_ICMP_FILTER = (255, 1)  # linux/icmp.h: level SOL_RAW, a mask of types to hold back
_ICMP_ECHO_REQUEST = 8
_ICMP_TIME_EXCEEDED = {AF_INET: (2, 11), AF_INET6: (3, 3)}  # origin of the report and its type
_ERRQUEUE_ROOM = 512
_NETWORK_ERRNOS = frozenset(
    (
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.ENOPROTOOPT,
    )
)


class DatagramSocket(HostSocket):
    """A UDP or raw socket.

    Attributes:
        peer: the default destination, None without one.
        peer_removed: there was one and it was taken away, which ends receiving without an address as well.
        reports: codes from the network that receives have yet to report, oldest first.
        connreset, netreset: SIO_UDP_CONNRESET and SIO_UDP_NETRESET.
    """

    __slots__ = ("connreset", "netreset", "peer", "peer_removed", "receive_shut", "reports", "send_shut")

    def __init__(self, pump: Pump, host: _socket.socket, info: Any, protocol: int, flags: int) -> None:
        super().__init__(pump, host, info, protocol, flags)
        self.peer: SockAddr | None = None
        self.peer_removed = False
        self.reports: list[int] = []
        self.connreset = True
        self.netreset = True
        self.send_shut = False
        self.receive_shut = False
        if _IS_LINUX:
            host.setsockopt(*_RECVERR[self.family], 1)
            if protocol == IPPROTO_ICMP and self.socket_type == SOCK_RAW:
                # Echo requests are the stack's business on Windows: a raw socket sees replies, not what it sent itself.
                host.setsockopt(*_ICMP_FILTER, 1 << _ICMP_ECHO_REQUEST)

    # Names and peers

    def connect(self, name: bytes | None) -> None:
        """WSPConnect: set the default peer; an address of zeros, whatever its family word, takes it away."""
        name = self.check_name_size(name)
        if not any(name[2:]):
            self._disconnect()
            return
        destination = self.destination(name)
        self._check_broadcast(name)
        former, peer = self.peer, SockAddr(name)
        try:
            self.host.connect(destination)
        except OSError as failure:
            raise self.ended(failure) from failure
        self.bound = True
        self.peer = peer
        self.peer_removed = False
        if former is not None and former != peer:
            self._discard_all_before(peer)

    def _discard_all_before(self, peer: SockAddr) -> None:
        """Drop what the former peer sent and nobody has received: the host keeps it, Windows does not."""
        while True:
            try:
                sender = self.host.recvfrom(1, _HOST_PEEK)[1]
                if windows_address(sender, self.host_family) == peer:
                    return
                self.host.recv(1)
            except BlockingIOError:
                return
            except OSError as failure:
                if failure.errno not in _NETWORK_ERRNOS or not self._note_reports(failure):
                    return

    def _disconnect(self) -> None:
        self.peer_removed = self.peer_removed or self.peer is not None
        self.peer = None
        disconnect(self.fd)

    def before_bind(self, name: bytes) -> None:
        """The broadcast address needs its option here, too."""
        self._check_broadcast(name)

    def _check_broadcast(self, name: bytes) -> None:
        if self.family == AF_INET and name[4:8] == b"\xff\xff\xff\xff" and not self.settings.get(SO_BROADCAST):
            raise WinsockError(WSAEACCES)

    def peer_name(self, room: int | None) -> SockAddr:
        """WSPGetPeerName."""
        if self.peer is None:
            raise WinsockError(WSAENOTCONN)
        self.check_room(room)
        return self.peer

    def shutdown(self, how: int) -> None:
        """WSPShutdown: legal without a peer; datagrams go on arriving."""
        if how not in (SD_RECEIVE, SD_SEND, SD_BOTH):
            raise WinsockError(WSAEINVAL)
        self.send_shut = self.send_shut or how != SD_RECEIVE
        self.receive_shut = self.receive_shut or how != SD_SEND

    # Sending

    def send(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPSend: one datagram to the default peer."""
        return self._send_one(buffers, flags, None, operation, to_peer=True)

    def send_to(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any) -> Any:
        """WSPSendTo: one datagram to an address, or to the default peer where none is given."""
        return self._send_one(buffers, flags, to, operation)

    def _send_one(
        self, buffers: Any, flags: int, to: bytes | None, operation: Any, *, to_peer: bool = False
    ) -> Any:
        host = self.host
        views: list[memoryview] = []
        if buffers is not None and len(buffers) == 1 and buffers[0] is not None:
            data = buffers[0]
        else:
            views = check_buffers(buffers)
            # All buffers are one message, and a host call takes a limited number of them.
            data = None if len(views) <= MOST_BUFFERS else b"".join(views)
        # WSPSendTo looks at the address first, WSPSend at the peer last.
        if to is not None:
            self.checked_name(to)
        elif self.peer is None and not to_peer:
            raise WinsockError(WSAENOTCONN)
        if flags & ~_SEND_FLAGS:
            raise WinsockError(WSAEOPNOTSUPP)
        if self.send_shut:
            raise WinsockError(WSAESHUTDOWN)
        destination = None
        if to is not None:
            destination = self.destination(to)
            if self.family == AF_INET:
                self._check_broadcast(to)
        elif self.peer is None:
            raise WinsockError(WSAENOTCONN)
        theirs = host_flags(flags) | NOSIGNAL if flags else NOSIGNAL

        def attempt() -> int:
            while True:
                try:
                    if data is None:
                        return host.sendmsg(views, (), theirs, destination)
                    if destination is None:
                        return host.send(data, theirs)
                    return host.sendto(data, theirs, destination)
                except BlockingIOError:
                    raise
                except OSError as failure:
                    # The fate of an earlier datagram, told at the wrong place; telling it uses it up.
                    if failure.errno not in _NETWORK_ERRNOS or not self._note_reports(failure):
                        raise self.ended(failure) from failure

        moved = self.outbound.run(attempt, operation)
        self.bound = True
        return moved

    # What the network reports

    def _note_reports(self, failure: OSError) -> bool:
        """Move what the host has queued into ``reports``; False when the failure is the call's own."""
        if _IS_LINUX:
            return self._drain()
        if failure.errno == errno.ECONNREFUSED and self.connreset:
            self.reports.append(WSAECONNRESET)
        return failure.errno == errno.ECONNREFUSED

    def _drain(self) -> bool:
        """Empty Linux's error queue, which also clears the host's pending error; False when it was empty."""
        noted = False
        while True:
            try:
                control = self.host.recvmsg(0, _ERRQUEUE_ROOM, HOST_ERRQUEUE)[1]
            except OSError:
                return noted
            noted = True
            self._note_report(control)

    def _note_report(self, control: list[tuple[int, int, bytes]]) -> None:
        for level, kind, data in control:
            if (level, kind) != _RECVERR[self.family] or len(data) < 8:
                continue
            number = int.from_bytes(data[:4], sys.byteorder)
            if (data[4], data[5]) == _ICMP_TIME_EXCEEDED[self.family]:
                if self.netreset:
                    self.reports.append(WSAENETRESET)
            elif number == errno.ECONNREFUSED and self.connreset:
                self.reports.append(WSAECONNRESET)

    # Receiving

    def receive(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPRecv: one datagram."""
        if self.peer_removed:
            check_buffers(buffers)
            raise WinsockError(WSAENOTCONN)
        return self._receive_one(buffers, flags, operation)[0]

    def receive_from(self, s: int, buffers: Any, flags: int, room: int | None, operation: Any) -> Any:
        """WSPRecvFrom: one datagram and its sender."""
        if room is not None:
            self.check_room(room)
        return self._receive_one(buffers, flags, operation)

    def _receive_one(self, buffers: Any, flags: int, operation: Any) -> tuple[int, SockAddr]:
        views: list[Any] | None = None
        buffer: Any = None
        if HOST_TRUNC and buffers is not None and len(buffers) == 1 and buffers[0] is not None and len(buffers[0]):
            buffer = buffers[0]
        else:
            views = check_buffers(buffers)[:MOST_BUFFERS]
        if flags & ~_RECEIVE_FLAGS:
            raise WinsockError(WSAEOPNOTSUPP)
        if not self.bound:
            raise WinsockError(WSAEINVAL)
        if self.receive_shut:
            raise WinsockError(WSAESHUTDOWN)
        host = self.host
        theirs = host_flags(flags) if flags else 0

        def attempt() -> tuple[int, SockAddr]:
            while True:
                if self.reports:
                    raise WinsockError(self.reports.pop(0))
                try:
                    if views is None:
                        # With MSG_TRUNC the host tells the datagram's true size, at no cost.
                        moved, sender = host.recvfrom_into(buffer, 0, theirs | HOST_TRUNC)
                        room = len(buffer)
                        if moved > room:
                            room = memoryview(buffer).nbytes
                    else:
                        moved, _, got, sender = host.recvmsg_into(views, 0, theirs)
                        room = moved - 1 if got & HOST_TRUNC else moved
                except BlockingIOError:
                    raise
                except OSError as failure:
                    if failure.errno not in _NETWORK_ERRNOS or self.closing:
                        raise self.ended(failure) from failure
                    self._note_reports(failure)
                    continue
                address = windows_address(sender, self.host_family)
                if moved > room:
                    size = room if views is None else sum(map(len, views))
                    raise WinsockError(WSAEMSGSIZE, moved=size, address=address)
                return moved, address

        result: tuple[int, SockAddr] = self.inbound.run(attempt, operation)
        return result

    # Waiting

    def wanted(self) -> int:
        """A socket without an address receives nothing, but could send."""
        return READABLE | WRITABLE if self.bound else WRITABLE

    def readiness(self, ready: int) -> tuple[bool, bool, bool]:
        """select: a report that waits makes the socket readable, as a receive will return at once."""
        if ready & FAULT and _IS_LINUX:
            self._drain()
            ready &= ~FAULT
        return bool(self.reports or ready & (READABLE | FAULT | HANGUP)), bool(ready & WRITABLE), False
