"""Socket addresses in Windows' memory layout, built and read without anybody's address code.

Part played:     what sockaddr_in, sockaddr_in6 and sockaddr_un look like in memory, for cases.
Lives elsewhere: text forms under test (inet_pton and friends: the target).
Sources:         SOCKADDR_IN, SOCKADDR_IN6 (ws2def.h, ws2ipdef.h), SOCKADDR_UN (afunix.h).
"""

from __future__ import annotations

import ipaddress
import os
import struct

from .constants import AF_INET, AF_INET6, AF_UNIX

SIZE_IN = 16
SIZE_IN6 = 28
SIZE_UN = 110
LOOPBACK = "127.0.0.1"
LOOPBACK6 = "::1"


def sockaddr_in(host: str = LOOPBACK, port: int = 0) -> bytes:
    """Return a SOCKADDR_IN; ``host`` is a dotted address, not a name."""
    return struct.pack("<H", AF_INET) + struct.pack(">H", port) + ipaddress.IPv4Address(host).packed + bytes(8)


def sockaddr_in6(host: str = LOOPBACK6, port: int = 0, flowinfo: int = 0, scope_id: int = 0) -> bytes:
    """Return a SOCKADDR_IN6; flowinfo is stored as given, in host order like the scope id."""
    head = struct.pack("<H", AF_INET6) + struct.pack(">H", port) + struct.pack("<I", flowinfo)
    return head + ipaddress.IPv6Address(host).packed + struct.pack("<I", scope_id)


def sockaddr_un(path: str) -> bytes:
    """Return a SOCKADDR_UN with the path in UTF-8, padded with zeros to its full 110 bytes."""
    return struct.pack("<H", AF_UNIX) + path.encode().ljust(108, b"\0")


def loopback(family: int = AF_INET, port: int = 0) -> bytes:
    """Return the loopback address of AF_INET or AF_INET6."""
    return sockaddr_in(port=port) if family == AF_INET else sockaddr_in6(port=port)


def own_host() -> str:
    """Return an address of the loopback network that is this process's alone: raw sockets hear everybody's packets.

    Sockets bound to it receive what is sent to it, and no report about anybody else's datagrams.
    """
    return str(ipaddress.IPv4Address((127 << 24) | (1 << 23) | (os.getpid() & 0x7FFFFF)))


def own_protocol() -> int:
    """Return an IP protocol number that has no owner and no other process of this machine uses: for raw sockets."""
    return 146 + os.getpid() % 107


def wildcard(family: int = AF_INET, port: int = 0) -> bytes:
    """Return 0.0.0.0 or ::, with ``port``."""
    return sockaddr_in("0.0.0.0", port) if family == AF_INET else sockaddr_in6("::", port)


def family_of(address: bytes) -> int:
    return int.from_bytes(address[:2], "little")


def port_of(address: bytes) -> int:
    """Return the port in host order."""
    return int.from_bytes(address[2:4], "big")


def host_of(address: bytes) -> str:
    """Return the IP address as text in Python's canonical form."""
    if family_of(address) == AF_INET:
        return str(ipaddress.IPv4Address(bytes(address[4:8])))
    return str(ipaddress.IPv6Address(bytes(address[8:24])))


def scope_of(address: bytes) -> int:
    return int.from_bytes(address[24:28], "little")


def with_port(address: bytes, port: int) -> bytes:
    """Return ``address`` with another port."""
    return bytes(address[:2]) + port.to_bytes(2, "big") + bytes(address[4:])
