"""Message-oriented sockets: UDP, and what raw IP has in common with it.

Part played:     the datagram endpoint of afd.sys.
Lives here:      the default peer, truncation, the errors that come back from the network, one attempt of each call.
Lives elsewhere: waiting, time-outs, order (engine/lanes); errno to code without context (translate).

Unreachable ports: Windows fails a later receive with WSAECONNRESET, on connected and unconnected sockets alike, and
never a send. Linux does so only where the error queue is on (IP_RECVERR), and there it may fail the next send instead;
such a failure is taken from the queue, remembered for the receive, and the send repeated. A queue that is not emptied
would keep the descriptor ready for ever. Other hosts report connected sockets only.
Hot paths:       ``send_now`` and ``receive_now`` are the host's bound methods while nothing about the socket's state
                 has to be checked, else None; ``_known`` has the host's form of addresses that have passed all checks,
                 for all sockets of a kind.
Overflow:        SIO_ENABLE_CIRCULAR_QUEUEING makes the host's buffer larger than the program's, and a receive first
                 drops the oldest datagrams beyond the latter. So the newest are kept, but for a flood that the host's
                 limit (net.core.rmem_max on Linux) is too small for.
Differences:     FIONREAD counts all datagrams only on Linux and only for UDP, elsewhere what the host counts: the next
                 one, or all with their headers.
                 A datagram that was queued before the first connect is delivered, whoever sent it.
Sources:         nf-winsock-sendto, nf-winsock-recvfrom, winsock-ioctls (SIO_UDP_CONNRESET); R7.6, R11.24-R11.27,
                 A30-A37 of the project's reference.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...defs.codes import (
    STATUS_PORT_UNREACHABLE,
    WSAEACCES,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENETRESET,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
)
from ...defs.constants import (
    AF_INET,
    AF_INET6,
    MSG_DONTROUTE,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_BROADCAST,
    SO_RCVBUF,
    SOCK_DGRAM,
    SOCK_RAW,
)
from ...defs.sockaddr import SockAddr
from ...engine.pump import FAULT, HANGUP, READABLE, WRITABLE, Pump
from ...errors import WinsockError, would_block
from .bindtable import is_mapped
from .conditions import CAN_READ, CAN_WRITE
from .hostsocket import DEFAULT_BUFFER, MOST_BUFFERS, NAME_SIZES, HostSocket, check_buffers, scatter
from .rawcalls import disconnect, queued_datagrams
from .translate import HOST_ERRQUEUE, HOST_PEEK, HOST_TRUNC, NOSIGNAL, host_flags, known_address, windows_address

if TYPE_CHECKING:
    from .membership import Membership
    from .screening import Screen

_SEND_FLAGS = MSG_DONTROUTE
_OTHER_TRANSPORTS = MSG_OOB | MSG_PARTIAL  # flags that exist, but not here
_RECEIVE_FLAGS = MSG_PEEK
_NOTHING_THERE = -1
_BROADCAST = b"\xff\xff\xff\xff"

_IS_LINUX = sys.platform == "linux"
# linux/in.h and linux/in6.h; the socket module has no names for them on all our Pythons.
_RECVERR = {AF_INET: (0, 11), AF_INET6: (41, 25)}
_ICMP_ORIGINS = {AF_INET: 2, AF_INET6: 3}  # a report from the network; others are the host's own
_ICMP_TIME_EXCEEDED = {AF_INET: 11, AF_INET6: 3}
_ERRQUEUE_ROOM = 512
# linux/in.h, linux/in6.h: without it a socket gets what is sent to groups that others have joined (A71).
_MULTICAST_ALL = {AF_INET: (0, 49), AF_INET6: (41, 29)}
# The time to live that receivers see; hosts begin with 64.
_HOPS = {AF_INET: (0, int(_socket.IP_TTL)), AF_INET6: (41, int(_socket.IPV6_UNICAST_HOPS))}
_WINDOWS_HOPS = 128
_SCREEN_ROOM = 512  # bytes; what the host tells of a datagram's way
_LARGEST = 65536  # bytes; no datagram of IP is as large

_SOL_SOCKET, _HOST_RCVBUF = int(_socket.SOL_SOCKET), int(_socket.SO_RCVBUF)
# Hosts count more for a datagram than its data: the buffer that is to hold SO_RCVBUF bytes of data and then some.
_CIRCULAR_FACTOR = 4
_CIRCULAR_ROOM = 1 << 20

# Failures of a call that only ever tell the fate of an earlier datagram.
_REPORTS_ONLY = frozenset((errno.ECONNREFUSED, errno.ECONNRESET))

# A receive gets one report per call, and a program may never receive. Linux keeps about as many.
_MOST_REPORTS = 256

# Addresses that have passed all checks, in the host's form: by family and whether the port counts. A program that talks
# to more peers only pays the checks again.
_known_addresses: dict[tuple[int, bool], dict[bytes, Any]] = {}
_MOST_KNOWN = 4096


Ancillary = Sequence[tuple[int, int, bytes]]
"""What the host sends, or tells, beside the data of a datagram: level, type and bytes of each object."""


def _no_ancillary() -> Ancillary:
    return ()


class DatagramSocket(HostSocket):
    """A UDP socket, and the base of a raw one (raw.py).

    Attributes:
        peer: the default destination, None without one.
        peer_removed: there was one and it was taken away, which ends receiving without an address as well.
        reports: codes from the network that receives have yet to report, oldest first.
        connreset, netreset: SIO_UDP_CONNRESET and SIO_UDP_NETRESET.
        circular: SIO_ENABLE_CIRCULAR_QUEUEING.
        unbuffered: SO_RCVBUF is 0: a datagram that no receive waits for is lost.
        groups: memberships in multicast groups (membership.py), None while there has been none.
        screen: what the socket's options keep from it (screening.py), None for nothing.
        receive_shut, send_shut: shutdown has ended the direction.
    """

    __slots__ = (
        "_known",
        "_peeks",
        "circular",
        "connreset",
        "groups",
        "netreset",
        "peer",
        "peer_removed",
        "receive_now",
        "receive_shut",
        "reports",
        "screen",
        "send_now",
        "send_shut",
        "unbuffered",
    )

    def __init__(self, pump: Pump, host: _socket.socket, info: Any, protocol: int, flags: int) -> None:
        super().__init__(pump, host, info, protocol, flags)
        self.peer: SockAddr | None = None
        self.peer_removed = False
        self.reports: list[int] = []
        self.connreset = True
        self.netreset = True
        self.circular = False
        self.unbuffered = False
        self.groups: dict[tuple[bytes, int], Membership] | None = None
        self.screen: Screen | None = None
        self._peeks = threading.Lock()
        self.send_shut = False
        self.receive_shut = False
        self.send_now: Any = None
        self.receive_now: Any = None
        self._known = _known_addresses.setdefault((self.family, self.socket_type == SOCK_RAW), {})
        if _IS_LINUX:
            host.setsockopt(*_RECVERR[self.family], 1)
        self.begin_as_windows(self.family)

    def begin_as_windows(self, family: int) -> None:
        """Give the host socket the defaults that programs see Windows by, for one version of IP."""
        host = self.host
        host.setsockopt(*_HOPS[family], _WINDOWS_HOPS)
        if _IS_LINUX:
            with contextlib.suppress(OSError):  # a kernel that is too old to have it for IPv6
                host.setsockopt(*_MULTICAST_ALL[family], 0)

    # Names and peers

    def now_bound(self) -> None:
        """The socket has a local address, so it can receive."""
        super().now_bound()
        if not self.send_shut:
            self.send_now = self.host.sendto
        # Only Linux tells the size of a datagram that was cut, at no cost.
        plain = not self.circular and self.screen is None and not self.unbuffered
        if _IS_LINUX and not self.receive_shut and plain:
            self.receive_now = self.host.recvfrom_into
        self.changed()

    def before_bind(self, name: bytes) -> None:
        """The broadcast address needs its option here, too."""
        self._check_broadcast(name)

    def connect(self, name: bytes | None, refusal: int = 0) -> None:
        """WSPConnect: set the default peer; an address of zeros, or of no family, takes it away."""
        name = self.check_name_size(name)
        family = int.from_bytes(name[:2], "little")
        leave = family == 0 or (family == self.family and not any(name[2:]))
        destination: Any = None
        if not leave:
            destination = self.destination(name)
            self._check_broadcast(name)
        if refusal:
            raise WinsockError(refusal)
        if not leave:
            self.bind_implicitly()
        try:
            if leave:
                self._disconnect()
            else:
                self.host.connect(destination)
        except OSError as failure:
            raise self.ended(failure) from failure
        if leave:
            return
        self.now_bound()
        before, self.peer = self.peer, windows_address(destination, self.host_family)
        self.peer_removed = False
        if before not in (None, self.peer):
            self._discard_queue(destination)
        if self.observer is not None:
            self.observer.connects()
        self.changed()

    def _disconnect(self) -> None:
        if self.peer is None:
            return
        before = self.host.getsockname()
        disconnect(self.fd)
        self.peer = None
        self.peer_removed = True
        after = self.host.getsockname()
        if self.socket_type == SOCK_DGRAM and after[1] != before[1]:
            # Linux gives a port back that it has chosen itself.
            self.host.bind((after[0], before[1], *after[2:]))

    def _discard_queue(self, peer: Any) -> None:
        """Drop the datagrams of an earlier peer: all that come before the first of this one."""
        room = bytearray(1)
        while True:
            try:
                if self.peek([memoryview(room)], 0, HOST_PEEK)[3] == peer:
                    return
                self.host.recv_into(room)
            except BlockingIOError:
                return
            except OSError as failure:
                if not self._note_reports(failure):
                    return

    def _check_broadcast(self, name: bytes) -> None:
        if self.family == AF_INET and name[4:8] == _BROADCAST and not self.settings.get(SO_BROADCAST):
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
        if how != SD_RECEIVE:
            self.send_shut = True
            self.send_now = None
        if how != SD_SEND:
            self.receive_shut = True
            self.receive_now = None
            self._look_again()

    def _look_again(self) -> None:
        """Something that the host does not report has changed for receives: have those that wait look at it."""
        self.inbound.ready()
        self.inbound.service()
        self.changed()

    # Sending

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPSend: one datagram to the default peer."""
        if (
            self.send_now is not None
            and self.peer is not None
            and operation is None
            and not flags
            and buffers
            and len(buffers) == 1
            and self.outbound.head is None
        ):
            try:
                return self.host.send(buffers[0], NOSIGNAL)
            except TypeError:
                pass  # the checks find out, in their order
            except OSError as failure:
                self._report_sent(failure)
        views = check_buffers(buffers)
        self._check_send_flags(flags, WSAEOPNOTSUPP)
        if self.peer is None:
            raise WinsockError(WSAENOTCONN)
        return self._send_datagram(views, flags, None, operation)

    def WSPSendTo(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any) -> Any:
        """WSPSendTo: one datagram to an address, or to the default peer where none is given."""
        send_now = self.send_now
        if (
            send_now is not None
            and operation is None
            and not flags
            and buffers
            and len(buffers) == 1
            and self.outbound.head is None
        ):
            try:
                return send_now(buffers[0], NOSIGNAL, self._known[to])  # type: ignore[index]  # None is in no dict
            except (KeyError, TypeError, ValueError):
                pass  # an address that is new or no bytes, or something that is wrong
            except OSError as failure:
                self._report_sent(failure)
        return self.send_checked(buffers, flags, to, operation)

    def send_checked(
        self,
        buffers: Any,
        flags: int,
        to: bytes | None,
        operation: Any,
        ancillary: Callable[[], Ancillary] = _no_ancillary,
    ) -> Any:
        """WSPSendTo with all checks. ``ancillary`` gives what the host is to send beside the data, or raises."""
        views = check_buffers(buffers)
        if to is not None:
            to = self.checked_name(to)
        elif self.peer is None:
            raise WinsockError(WSAENOTCONN)
        self._check_send_flags(flags, WSAEINVAL)
        beside = ancillary()
        destination = None
        if to is not None:
            destination = self.destination(to)
            self._check_broadcast(to)
            # Not those that depend on the socket: the broadcast address, and IPv4 addresses in IPv6 form.
            if to[4:8] != _BROADCAST if self.family == AF_INET else not is_mapped(SockAddr(to)):
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[to] = destination
        return self._send_datagram(views, flags, destination, operation, beside)

    def _check_send_flags(self, flags: int, unknown: int) -> None:
        if flags & ~_SEND_FLAGS:
            raise WinsockError(unknown if flags & ~(_SEND_FLAGS | _OTHER_TRANSPORTS) else WSAEOPNOTSUPP)
        if self.send_shut:
            raise WinsockError(WSAESHUTDOWN)

    def _send_datagram(
        self, views: list[memoryview], flags: int, destination: Any, operation: Any, ancillary: Ancillary = ()
    ) -> Any:
        """One datagram of all buffers, through the lane."""
        self.bind_implicitly()
        moved = self.outbound.run(self.datagram_attempt(views, flags, destination, ancillary), operation)
        if not self.bound:
            self.now_bound()
        return moved

    def datagram_attempt(
        self, views: list[memoryview], flags: int = 0, destination: Any = None, ancillary: Ancillary = ()
    ) -> Callable[[], int]:
        """The attempt to send one datagram of all buffers, to the default peer for a destination of None."""
        host = self.host
        theirs = host_flags(flags) | NOSIGNAL
        if len(views) > MOST_BUFFERS:
            # All buffers are one message, and a host call takes a limited number of them.
            views = [memoryview(b"".join(views))]

        def attempt() -> int:
            while True:
                try:
                    return host.sendmsg(views, ancillary, theirs, destination)
                except BlockingIOError:
                    raise
                except OSError as failure:
                    if not self._report_sent(failure):
                        raise self.ended(failure) from failure

        return attempt

    # What the network reports

    def _report_sent(self, failure: OSError) -> bool:
        """A send has failed: True when that was the fate of earlier datagrams, so that the send is to be repeated."""
        if self.closing or not self._note_reports(failure):
            return False
        if self.reports:
            self._look_again()
        return True

    def _note_reports(self, failure: OSError) -> bool:
        """Take what the host has to report; False when the failure is the call's own. Telling it has used it up."""
        if _IS_LINUX:
            # Another thread may have emptied the queue after this call had failed.
            return self._drain() or failure.errno in _REPORTS_ONLY
        if failure.errno not in _REPORTS_ONLY:
            return False
        if self.connreset:
            self._add_report(WSAECONNRESET)
        return True

    def _drain(self) -> bool:
        """Empty Linux's error queue, which also clears the host's pending error; True when the network had reported."""
        noted = False
        while True:
            try:
                control = self.host.recvmsg(0, _ERRQUEUE_ROOM, HOST_ERRQUEUE)[1]
            except OSError:
                return noted
            noted = self._note_report(control) or noted

    def _note_report(self, control: list[tuple[int, int, bytes]]) -> bool:
        """Read one entry of the error queue; False for what the host has to say of itself."""
        for level, kind, data in control:
            if (level, kind) != _RECVERR[self.family] or len(data) < 8 or data[4] != _ICMP_ORIGINS[self.family]:
                continue
            if data[5] == _ICMP_TIME_EXCEEDED[self.family]:
                if self.netreset:
                    self._add_report(WSAENETRESET)
            elif self.connreset and int.from_bytes(data[:4], sys.byteorder) == errno.ECONNREFUSED:
                self._add_report(WSAECONNRESET)
            return True
        return False

    def _add_report(self, code: int) -> None:
        if len(self.reports) < _MOST_REPORTS:
            self.reports.append(code)
            self.changed()

    # Receiving

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPRecv: one datagram."""
        if operation is None and not self.peer_removed:
            return self.WSPRecvFrom(s, buffers, flags, None, None)[0]
        attempt = self.checked_receive(buffers, flags, overlapped=operation is not None)
        if self.peer_removed:
            raise WinsockError(WSAENOTCONN)
        return self.inbound.run(lambda: attempt()[0], operation)

    def WSPRecvFrom(self, s: int, buffers: Any, flags: int, room: int | None, operation: Any) -> Any:
        """WSPRecvFrom: one datagram and its sender."""
        receive_now = self.receive_now
        if (
            receive_now is not None
            and operation is None
            and not flags
            and (room is None or room >= NAME_SIZES[self.family])
            and buffers
            and len(buffers) == 1
            and not self.reports
            and self.inbound.head is None
        ):
            try:
                buffer = buffers[0]
                moved, sender = receive_now(buffer, 0, HOST_TRUNC)
                if moved <= (len(buffer) if type(buffer) is bytearray else memoryview(buffer).nbytes):
                    return moved, known_address(sender) or windows_address(sender, self.host_family)
                raise self._cut(memoryview(buffer).nbytes, sender)
            except BlockingIOError:
                moved = _NOTHING_THERE
            except TypeError:
                moved = 0  # the checks find out, in their order
            except WinsockError:
                raise
            except OSError as failure:
                moved = 0
                if self.closing or not self._note_reports(failure):
                    raise self.ended(failure) from failure
            if moved == _NOTHING_THERE:
                if not self.blocking:
                    raise would_block()
                return self.inbound.wait(self._receive_attempt(check_buffers(buffers), 0))
        self.check_room(room)
        return self.inbound.run(self.checked_receive(buffers, flags, overlapped=operation is not None), operation)

    def checked_receive(
        self,
        buffers: Any,
        flags: int,
        room: int = 0,
        finish: Callable[..., Any] | None = None,
        *,
        overlapped: bool = False,
    ) -> Callable[[], Any]:
        """The attempt of a receive whose arguments and state are in order; ``room`` and ``finish`` as below."""
        views = check_buffers(buffers)
        if flags & ~_RECEIVE_FLAGS or (overlapped and flags & MSG_PEEK):
            raise WinsockError(WSAEOPNOTSUPP)
        if not self.bound:
            raise WinsockError(WSAEINVAL)
        if self.receive_shut:
            raise WinsockError(WSAESHUTDOWN)
        if self.unbuffered:
            self.lose_queue()
        return self._receive_attempt(views, host_flags(flags), room, finish)

    def _receive_attempt(
        self, views: list[memoryview], theirs: int, ancillary_room: int = 0, finish: Callable[..., Any] | None = None
    ) -> Callable[[], Any]:
        """One try to receive a datagram.

        Args:
            views: the buffers.
            theirs: the host's flags.
            ancillary_room: bytes for what the host has to tell of it.
            finish: makes the result, or the error, of what the host's call returns; by default it is the bytes and the
                sender.
        """
        receive_any = self.peek if theirs & HOST_PEEK else self.host.recvmsg_into
        room = sum(map(len, views))
        scattered = None
        if len(views) > MOST_BUFFERS:
            # A datagram is one host call, which takes fewer buffers.
            scattered, views = views, [memoryview(bytearray(min(room, _LARGEST)))]
        waited = False

        def attempt() -> Any:
            nonlocal waited
            while True:
                if self.receive_shut:
                    raise WinsockError(WSAESHUTDOWN)
                if self.reports:
                    raise self._reported(self.reports.pop(0))
                try:
                    if self.circular:
                        self.drop_oldest()
                    receive = receive_any if self.screen is None else self._receive_wanted
                    moved, ancillary, got, sender = receive(views, ancillary_room, theirs)
                except BlockingIOError:
                    if not (waited and _IS_LINUX and self._drain() and self.reports):
                        waited = True
                        raise
                    # Woken without news: something lay in the error queue that no call was told of.
                except OSError as failure:
                    if self.closing or not self._note_reports(failure):
                        raise self.ended(failure) from failure
                else:
                    if scattered is not None:
                        scatter(views[0][:moved], scattered)
                    if finish is not None:
                        return finish(moved, ancillary, got, sender)
                    if got & HOST_TRUNC:
                        raise self._cut(room, sender)
                    return moved, windows_address(sender, self.host_family)

        return attempt

    def peek(self, views: list[memoryview], room: int, theirs: int) -> Any:
        """The host's recvmsg_into with MSG_PEEK, while nobody counts what waits."""
        with self._peeks:
            return self.host.recvmsg_into(views, room, theirs)

    def _reported(self, code: int) -> WinsockError:
        """What a receive fails with for a report from the network: not a reset, whatever the code says."""
        failure = WinsockError(code)
        if code == WSAECONNRESET:
            failure.status = STATUS_PORT_UNREACHABLE
        return failure

    # What the socket does not take (screening.py)

    def restrict(self, screen: Screen | None) -> None:
        """From now on receive only what a screen lets through; None for everything."""
        self.screen = screen
        if screen is not None:
            self.receive_now = None
        elif self.bound:
            self.now_bound()
        self.changed()

    def _drop_unwanted(self, screen: Screen) -> None:
        """Lose what comes before the first datagram that the socket may have; BlockingIOError when there is none."""
        room = [memoryview(bytearray(1))]
        while True:
            _, ancillary, _, sender = self.host.recvmsg_into(room, _SCREEN_ROOM, HOST_PEEK)
            if screen.wants(ancillary, sender):
                return
            self.host.recv_into(room[0])

    def _receive_wanted(self, views: list[memoryview], room: int, theirs: int) -> Any:
        """The host's recvmsg_into for the first datagram that the socket may have."""
        with self._peeks:
            screen = self.screen
            if screen is not None:
                self._drop_unwanted(screen)
            return self.host.recvmsg_into(views, room, theirs)

    def _holds_wanted(self, screen: Screen) -> bool:
        """Whether a receive would find something."""
        try:
            with self._peeks:
                self._drop_unwanted(screen)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a receive will say
        return True

    def _cut(self, moved: int, sender: Any) -> WinsockError:
        """A datagram was longer than the buffers, which have its first part; the rest is lost."""
        return WinsockError(WSAEMSGSIZE, moved=moved, address=windows_address(sender, self.host_family))

    # What waits to be received

    def readable_bytes(self) -> int:
        """FIONREAD: the bytes of all datagrams that wait."""
        self.inbound.clear()  # what comes belongs to the receives that pend
        try:
            if self.circular:
                self.drop_oldest()
            if self.unbuffered:
                self.lose_queue()
            if self.screen is not None:
                self._holds_wanted(self.screen)
            sizes = self._queued() if self.socket_type == SOCK_DGRAM else None
        except OSError as failure:
            raise self.ended(failure) from failure
        return super().readable_bytes() if sizes is None else sum(sizes)

    def resized(self) -> None:
        """Without a buffer every receive has something to do first."""
        unbuffered = self.settings.get(SO_RCVBUF) == 0
        if unbuffered != self.unbuffered:
            self.unbuffered = unbuffered
            self.receive_now = None
            if self.bound:
                self.now_bound()

    def lose_queue(self) -> None:
        """SO_RCVBUF 0: what has come while no receive was waiting for it is lost."""
        if not self.inbound.clear():
            return
        room = bytearray(1)
        with contextlib.suppress(OSError):
            while True:
                self.host.recv_into(room)

    def _queued(self) -> list[int] | None:
        """The sizes of the datagrams that wait, oldest first; None where the host cannot tell."""
        with self._peeks:
            while True:
                try:
                    return queued_datagrams(self.host)
                except OSError as failure:
                    if self.closing or not self._note_reports(failure):
                        raise

    def queue_in_circles(self) -> None:
        """SIO_ENABLE_CIRCULAR_QUEUEING: of too many datagrams the oldest are lost, not the newest."""
        if self._queued() is None:
            raise WinsockError(WSAENOPROTOOPT)
        self.circular = True
        self.receive_now = None  # receives have something to do first
        self.set_on_host(_SOL_SOCKET, _HOST_RCVBUF, self.settings.get(SO_RCVBUF, DEFAULT_BUFFER))

    def set_on_host(self, level: int, option: int, value: int | bytes) -> None:
        """As for every socket; with circular queueing the host's buffer stays larger than the program's."""
        if self.circular and (level, option) == (_SOL_SOCKET, _HOST_RCVBUF) and isinstance(value, int):
            value = max(value * _CIRCULAR_FACTOR, _CIRCULAR_ROOM)
        super().set_on_host(level, option, value)

    def drop_oldest(self) -> None:
        """Circular queueing: lose the oldest datagrams until the rest fits into SO_RCVBUF."""
        sizes = self._queued() or []
        surplus = sum(sizes) - self.settings.get(SO_RCVBUF, DEFAULT_BUFFER)
        room = bytearray(1)
        while surplus > 0 and len(sizes) > 1:
            surplus -= self.host.recv_into(room, 1, HOST_TRUNC)
            sizes.pop()

    def after_fork(self) -> None:
        """In the child: the lock may have been held by a thread that is gone."""
        super().after_fork()
        self._peeks = threading.Lock()

    # Waiting

    def wanted(self, asked: int) -> int:
        """A socket without an address receives nothing, but could send; nothing here is urgent, nothing ends."""
        mask = READABLE if asked & CAN_READ and self.bound else 0
        return mask | WRITABLE if asked & CAN_WRITE else mask

    def conditions(self, ready: int) -> int:
        """A report that waits makes the socket readable, as a receive will return at once."""
        if ready & FAULT and _IS_LINUX:
            self._drain()
            ready &= ~FAULT
        if ready & READABLE:
            if self.inbound.pends:
                ready = self.left_readable(ready)
            if self.unbuffered:
                self.lose_queue()
                ready &= ~READABLE
        if ready & READABLE and self.screen is not None and not self._holds_wanted(self.screen):
            ready &= ~READABLE
        met = CAN_WRITE if ready & WRITABLE else 0
        return met | CAN_READ if self.reports or ready & (READABLE | FAULT | HANGUP) else met

    # Network events

    @property
    def guarded(self) -> bool:
        """A screen counts what waits under the lock of peeks, and may find reports there."""
        return self.screen is not None

    @property
    def piecemeal(self) -> bool:
        """Reports wait here, and what waits with the host need not be for this socket."""
        return bool(self.reports) or self.screen is not None

    def connect_outcome(self) -> int | None:
        """Setting the peer always succeeds."""
        return None if self.peer is None else 0

    # Closing

    def let_go(self, *, linger: bool) -> None:
        """Closed: no shortcut may reach the host socket."""
        self.send_now = self.receive_now = None
