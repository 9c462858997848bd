"""Raw sockets: datagrams of one IP protocol, below UDP and TCP.

Part played:     the raw endpoint of tcpip.sys.
Lives here:      what differs from UDP: no ports, who sees which packets, when receiving begins.
Lives elsewhere: sending and receiving (datagram), IP_HDRINCL and IPV6_HDRINCL (options), SIO_RCVALL (ioctls and
                 capture), the right to have one: the provider makes WSAEACCES of the host's EPERM.
Headers:         every IPv4 packet is received with its header, IPv6 never shows one. So it is on Linux; macOS gives the
                 length and the fragment offset of the header in its own byte order, and without the header.
Own requests:    ICMP and ICMPv6 echo requests are answered by the stack and not shown; programs see the replies.
Before binding:  hosts collect packets from the moment a raw socket exists, Windows from bind, connect or the first
                 send. What came earlier is dropped then.
Protocol 255:    IPPROTO_RAW is a protocol like any other to Windows; to Linux it stands for headers of one's own.
Errors:          the network's reports concern UDP only.
Differences:     client editions of Windows send no TCP through raw sockets and bind none to it; this is a server
                 edition, which does.
Sources:         tcp-ip-raw-sockets-2; R3.27, R3.28, A100 and the behaviours icmp-* of the project's reference; raw(7).
"""

from __future__ import annotations

import _socket
import errno
import struct
import sys
from typing import Any, Final

from ...defs.codes import WSAEADDRNOTAVAIL
from ...defs.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_RAW,
    RCVALL_IPLEVEL,
    RCVALL_ON,
)
from ...defs.sockaddr import SockAddr
from ...engine.pump import Pump
from ...errors import WinsockError
from .capture import Capture
from .datagram import DatagramSocket
from .translate import host_address

_IS_LINUX: Final = sys.platform == "linux"

# linux/icmp.h and linux/icmpv6.h: options that hold a bit for each type to keep back.
_FILTERS: Final = {
    (AF_INET, IPPROTO_ICMP): (255, 1, struct.pack("=I", 1 << 8)),
    (AF_INET6, IPPROTO_ICMPV6): (58, 1, struct.pack("=8I", *(int(word == 4) for word in range(8)))),  # type 128
}
_HDRINCL: Final = int(_socket.IPPROTO_IP), int(getattr(_socket, "IP_HDRINCL", 3))

# A receive buffer holds fewer packets than this; a flood must not keep a bind from returning.
_MOST_COLLECTED: Final = 10_000


class RawSocket(DatagramSocket):
    """A raw IPv4 or IPv6 socket."""

    __slots__ = ()

    def __init__(self, pump: Pump, host: _socket.socket, info: Any, protocol: int, flags: int) -> None:
        super().__init__(pump, host, info, protocol, flags)
        self.connreset = self.netreset = False
        if _IS_LINUX:
            own_requests = _FILTERS.get((self.family, protocol))
            if own_requests is not None:
                host.setsockopt(*own_requests)
            if protocol == IPPROTO_RAW and self.family == AF_INET:
                host.setsockopt(*_HDRINCL, 0)

    # Names: no ports

    def destination(self, name: bytes | None) -> Any:
        """The host's form of an address; hosts mind a port."""
        name = self.checked_name(name)
        if not any(SockAddr(name).packed):
            raise WinsockError(WSAEADDRNOTAVAIL)
        return host_address(name[:2] + bytes(2) + name[4:])

    def local_name(self, room: int | None) -> SockAddr:
        """WSPGetSockName: hosts show the protocol in the place of the port."""
        name = super().local_name(room)
        return SockAddr(name[:2] + bytes(2) + name[4:])

    # When receiving begins

    def bind(self, name: bytes | None) -> None:
        """WSPBind: packets for other addresses, which came until the host knew, are not for this socket any more."""
        super().bind(name)
        self._drop_collected()

    def connect(self, name: bytes | None, refusal: int = 0) -> None:
        """WSPConnect: nor are those of other peers, when this is what binds it."""
        first = not self.bound
        super().connect(name, refusal)
        if first:
            self._drop_collected()

    def bind_implicitly(self) -> None:
        """Before a send: what is there is no answer to it."""
        if not self.bound:
            self._drop_collected()

    # Capturing

    def receive_all(self, code: int, mode: int) -> None:
        """SIO_RCVALL and its relatives: receive what passes through the interface, or no more."""
        if isinstance(self.host, Capture):
            self._receive_from(self.host.end())
        if mode in (RCVALL_ON, RCVALL_IPLEVEL):  # the third mode has no effect
            self._receive_from(Capture(self.host, self.local_name(None), code, mode))

    def _receive_from(self, host: Any) -> None:
        """Go on with another host socket under the same number."""
        self.host = host
        self.receive_now = None
        if not self.send_shut:
            self.send_now = host.sendto

    def _drop_collected(self) -> None:
        room = bytearray(1)
        for _ in range(_MOST_COLLECTED):
            try:
                self.host.recv_into(room)
            except BlockingIOError:
                return
            except OSError as failure:
                if failure.errno == errno.EBADF or not self._note_reports(failure):
                    return
