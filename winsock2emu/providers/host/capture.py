"""SIO_RCVALL: a raw socket that receives what passes through an interface.

Part played:     the promiscuous receive path of tcpip.sys.
Lives here:      the host socket of a raw socket while it captures.
Lives elsewhere: whether the socket may capture (ioctls), receiving itself (datagram).
On Linux:        a packet socket for the interface's IPv4 packets takes over the descriptor number, so that whoever
                 waits for it waits for packets; everything but receiving goes on with the socket's own host socket.
                 RCVALL_ON makes the interface promiscuous. On the loopback interface each packet passes twice and is
                 shown once. Other hosts, and IPv6, have nothing of the kind here: WSAEOPNOTSUPP.
Sender:          the source address in the packet's header; the wildcard when the buffer ends before it.
Sources:         sio-rcvall, winsock-ioctls (SIO_RCVALL_MCAST, SIO_RCVALL_IGMPMCAST); packet(7); RFC 791.
"""

from __future__ import annotations

import _socket
import os
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from ...defs.codes import WSAEACCES, WSAEINVAL, WSAEOPNOTSUPP
from ...defs.constants import (
    AF_INET,
    IFF_LOOPBACK,
    IPPROTO_IGMP,
    RCVALL_ON,
    SIO_RCVALL_IGMPMCAST,
    SIO_RCVALL_MCAST,
)
from ...defs.sockaddr import SockAddr
from ...errors import WinsockError
from .interfaces import HostNetwork, InterfaceAddress
from .translate import HOST_PEEK, from_host

_IS_LINUX: Final = sys.platform == "linux"

# linux/if_ether.h, linux/if_packet.h
_ETH_P_IP: Final = 0x0800
_SOL_PACKET, _ADD_MEMBERSHIP, _IGNORE_OUTGOING = 263, 1, 23
_PROMISCUOUS: Final = 1

_PROTOCOL_AT, _SOURCE_AT, _DESTINATION_AT, _HEADER_SIZE = 9, 12, 16, 20

Wanted = Callable[[bytes], bool]


def _multicast(header: bytes) -> bool:
    return header[_DESTINATION_AT] & 0xF0 == 0xE0


def _igmp(header: bytes) -> bool:
    return header[_PROTOCOL_AT] == IPPROTO_IGMP and _multicast(header)


_WANTED: Final[dict[int, Wanted]] = {SIO_RCVALL_MCAST: _multicast, SIO_RCVALL_IGMPMCAST: _igmp}


def _row_of(address: SockAddr) -> InterfaceAddress:
    """The interface that has an address, WSAEINVAL for none."""
    for row in HostNetwork().interfaces():
        if row.address.packed == address.packed:
            return row
    raise WinsockError(WSAEINVAL)


class Capture:
    """A host socket that receives packets, and is the raw socket's own one for everything else.

    Attributes:
        own: the raw socket's own host socket, under another number for the time being.
    """

    def __init__(self, own: _socket.socket, local: SockAddr, code: int, mode: int) -> None:
        """``own``: the host socket of a raw socket that is bound to ``local``.

        Raises:
            WinsockError: WSAEINVAL, no interface has the address; WSAEACCES, the host does not allow it;
                WSAEOPNOTSUPP, it cannot.
        """
        if not _IS_LINUX or local.family != AF_INET:
            raise WinsockError(WSAEOPNOTSUPP)
        row = _row_of(local)
        self._wanted = _WANTED.get(code)
        self._number = own.fileno()
        try:
            packets = _socket.socket(int(_socket.AF_PACKET), int(_socket.SOCK_DGRAM), socket.htons(_ETH_P_IP))
        except PermissionError as failure:
            raise WinsockError(WSAEACCES) from failure
        except OSError as failure:
            raise from_host(failure) from failure
        try:
            packets.setblocking(False)
            packets.bind((row.name, _ETH_P_IP))
            if mode == RCVALL_ON:
                packets.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, struct.pack("=iHH8x", row.index, _PROMISCUOUS, 0))
            if row.flags & IFF_LOOPBACK:
                packets.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
            inheritable = os.get_inheritable(self._number)
            self.own = _socket.socket(own.family, own.type, own.proto, os.dup(self._number))
            os.dup2(packets.fileno(), self._number, inheritable=inheritable)
        except OSError as failure:
            raise from_host(failure) from failure
        finally:
            packets.close()
        self._packets = own  # by its number

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def fileno(self) -> int:
        """The number whose readiness counts."""
        return self._number

    def recvmsg_into(self, views: Sequence[Any], room: int = 0, flags: int = 0) -> Any:
        """As the socket's: (bytes, nothing beside them, flags, sender)."""
        while True:
            moved, _, got, _ = self._packets.recvmsg_into(views, room, flags)
            header = b"".join(bytes(memoryview(view)[:_HEADER_SIZE]) for view in views)[: min(moved, _HEADER_SIZE)]
            if self._wanted is None or (len(header) == _HEADER_SIZE and self._wanted(header)):
                break
            if flags & HOST_PEEK:
                self._packets.recv(1)  # which takes it away
        source = header[_SOURCE_AT : _SOURCE_AT + 4]
        return moved, [], got, (".".join(map(str, source)) if len(source) == 4 else "0.0.0.0", 0)

    def recvfrom_into(self, buffer: Any, size: int = 0, flags: int = 0) -> Any:
        """As the socket's: (bytes, sender)."""
        moved, _, _, sender = self.recvmsg_into([buffer], 0, flags)
        return moved, sender

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """As the socket's."""
        moved: int = self.recvmsg_into([buffer], 0, flags)[0]
        return moved

    def end(self) -> _socket.socket:
        """Receive as before from now on; the raw socket's host socket under its number."""
        os.dup2(self.own.fileno(), self._number, inheritable=os.get_inheritable(self._number))
        self.own.close()
        return self._packets

    def close(self) -> None:
        """Close both."""
        self.own.close()
        self._packets.close()
