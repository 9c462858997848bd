"""Socket addresses in Windows' memory layout.

Part played:     SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6 and SOCKADDR_UN.
Lives here:      the bytes themselves, their fields, and the constructors.
Lives elsewhere: text forms (defs.addresstext); the translation to and from host addresses (providers).
Sources:         sockaddr and "Address families" on Microsoft Learn; ws2def.h, ws2ipdef.h, afunix.h.

The family is a 16-bit little-endian number, port and flow information are in network order, the scope id is
little-endian again. A length byte, as BSD has, does not exist.
"""

from __future__ import annotations

import struct
from typing import Final

from .addresstext import IPV4_SIZE, IPV6_SIZE, address_to_string, inet_pton, ipv4_text, ipv6_text, packed_ipv4
from .constants import AF_INET, AF_INET6, AF_UNIX, UNIX_PATH_MAX

UNIX_SIZE: Final = 2 + UNIX_PATH_MAX
"""Bytes of a sockaddr_un."""

_pack_in: Final = struct.Struct(">2sH4s8x").pack
_pack_in6: Final = struct.Struct(">2sHI16s4s").pack


class SockAddr(bytes):
    """A socket address: bytes as Windows lays them out, plus names for the fields.

    Any bytes can be wrapped, also short or unknown ones: a field that the family does not have, or that is
    cut off, reads as 0, "" or b"". Being bytes, an address compares and hashes by content, padding included.
    """

    __slots__ = ()

    @property
    def family(self) -> int:
        """The address family, AF_UNSPEC (0) when even that is cut off."""
        return self[0] | self[1] << 8 if len(self) >= 2 else 0

    @property
    def port(self) -> int:
        """The port of an IPv4 or IPv6 address in host order."""
        if self.family in (AF_INET, AF_INET6) and len(self) >= 4:
            return self[2] << 8 | self[3]
        return 0

    @property
    def packed(self) -> bytes:
        """The IP address in network order: 4 or 16 bytes."""
        family = self.family
        if family == AF_INET and len(self) >= 8:
            return self[4:8]
        if family == AF_INET6 and len(self) >= 24:
            return self[8:24]
        return b""

    @property
    def host(self) -> str:
        """The IP address as text, without scope and port."""
        packed = self.packed
        if len(packed) == 4:
            return ipv4_text(packed)
        return ipv6_text(packed) if packed else ""

    @property
    def flowinfo(self) -> int:
        """The flow information of an IPv6 address, a network-order field, in host order."""
        return int.from_bytes(self[4:8], "big") if self.family == AF_INET6 else 0

    @property
    def scope_id(self) -> int:
        """The scope id of an IPv6 address; 0 also in the old structure of 24 bytes, which has none."""
        return int.from_bytes(self[24:28], "little") if self.family == AF_INET6 else 0

    @property
    def path(self) -> str:
        """The path of an AF_UNIX address up to its NUL or, since some programs give no NUL, up to the end.

        "" for an unnamed socket. Windows keeps paths as UTF-8; other bytes survive as surrogate escapes.
        """
        if self.family != AF_UNIX:
            return ""
        return self[2:UNIX_SIZE].partition(b"\0")[0].decode("utf-8", "surrogateescape")

    def __repr__(self) -> str:
        name = type(self).__name__
        family, size = self.family, len(self)
        if family == AF_INET and size == IPV4_SIZE and not any(self[8:]):
            return f"{name}({self.host!r}, {self.port})"
        if family == AF_INET6 and size == IPV6_SIZE:
            extra = f", flowinfo={self.flowinfo}" if self.flowinfo else ""
            extra += f", scope_id={self.scope_id}" if self.scope_id else ""
            return f"{name}({self.host!r}, {self.port}{extra})"
        if family == AF_UNIX and size >= 2:
            return f"{name}({self.path!r})"
        return f"{name}({bytes(self)!r})"

    def __str__(self) -> str:
        """The text WSAAddressToString has for the address, or the repr where it has none."""
        return address_to_string(self) or repr(self)


def sockaddr_in(host: str | bytes, port: int = 0) -> SockAddr:
    """Build an IPv4 address.

    Args:
        host: a full decimal quad, or the four bytes in network order (the quicker way).
        port: in host order.

    Raises:
        ValueError: the text is no quad, the bytes are not four, or the port has more than 16 bits.
    """
    packed = packed_ipv4(host) if isinstance(host, str) else host
    if packed is None or len(packed) != 4:
        raise ValueError(f"not an IPv4 address: {host!r}")
    try:
        return SockAddr(_pack_in(b"\x02\0", port, packed))
    except struct.error as failure:
        raise ValueError(f"not a port: {port!r}") from failure


def sockaddr_in6(host: str | bytes, port: int = 0, flowinfo: int = 0, scope_id: int = 0) -> SockAddr:
    """Build an IPv6 address.

    Args:
        host: IPv6 text without scope, or the 16 bytes in network order (the quicker way).
        port: in host order.
        flowinfo: in host order; stored in network order.
        scope_id: the interface index of a link-local address, 0 for none.

    Raises:
        ValueError: the text is no IPv6 address, the bytes are not 16, or a number does not fit its field.
    """
    if isinstance(host, str):
        accepted, packed = inet_pton(AF_INET6, host)
    else:
        accepted, packed = len(host) == 16, host
    if not accepted:
        raise ValueError(f"not an IPv6 address: {host!r}")
    try:
        return SockAddr(_pack_in6(b"\x17\0", port, flowinfo, packed, scope_id.to_bytes(4, "little")))
    except (struct.error, OverflowError) as failure:
        raise ValueError(f"port, flowinfo or scope_id out of range: {(port, flowinfo, scope_id)}") from failure


def sockaddr_un(path: str | bytes) -> SockAddr:
    """Build an AF_UNIX address; "" is the unnamed one.

    Args:
        path: text, stored as UTF-8 with surrogate escapes turned back into their bytes, or the bytes
            themselves.

    Raises:
        ValueError: the path has a NUL, or leaves no room for one (more than 107 bytes).
    """
    raw = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
    if len(raw) >= UNIX_PATH_MAX or 0 in raw:
        raise ValueError(f"not an AF_UNIX path: {path!r}")
    return SockAddr(b"\x01\0" + raw.ljust(UNIX_PATH_MAX, b"\0"))
