"""Addresses as text, both ways.

Part played:     inet_addr, inet_ntoa, inet_pton, inet_ntop and their wide twins, WSAAddressToString and
                 WSAStringToAddress.
Lives here:      argument checks in Windows' order, and the room checks of callers with a buffer.
Lives elsewhere: the grammars (defs.addresstext); which text an address family has (its provider).
Sources:         the pages named below; what Windows 8 and later do where the pages are silent, as recorded by
                 the public test suite of the Wine project on real Windows.
Differences:     inet_ntop with too little room: the page promises ERROR_INVALID_PARAMETER (87), Windows
                 stores the NT status STATUS_INVALID_PARAMETER (0xC000000D), and so does this module. Of InetNtopW
                 nobody has seen that: it does what the page says.
                 WSAStringToAddress: Windows looks at the room for an IPv4 or IPv6 address before it looks at
                 the text.
"""

from __future__ import annotations

from typing import Final

from typing_extensions import Buffer

from ..defs import addresstext
from ..defs.codes import ERROR_INVALID_PARAMETER, STATUS_INVALID_PARAMETER, WSAEAFNOSUPPORT, WSAEFAULT, WSAEINVAL
from ..defs.constants import AF_INET, AF_INET6, AF_UNSPEC, INADDR_NONE
from ..defs.records import ProtocolInfo
from ..defs.sockaddr import SockAddr
from ..errors import WinsockError, exported, set_last_error
from ..process import current_process

_PACKED_SIZE: Final = {AF_INET: 4, AF_INET6: 16}
_SOCKADDR_SIZE: Final = {AF_INET: addresstext.IPV4_SIZE, AF_INET6: addresstext.IPV6_SIZE}


def _characters(text: str | bytes) -> str:
    """Text of an A function as one character a byte: only ASCII means anything in an address."""
    if isinstance(text, bytes):
        return text.decode("latin-1")
    if isinstance(text, str):
        return text
    raise TypeError(f"address text must be str or bytes, not {type(text).__name__}")


@exported
def inet_addr(text: str | bytes | None) -> int:
    """Read IPv4 text in its lenient old grammar. Works before WSAStartup.

    Args:
        text: "a.b.c.d", "a.b.c" (c has 16 bits), "a.b" (b has 24) or "a" (32), each part decimal, 0octal or
            0xhex. White space ends the text and hides what follows it; none may stand in front.

    Returns:
        in_addr.s_addr as C on Windows sees it: the network-order bytes read as a little-endian number, so
        that "1.2.3.4" is 0x04030201. INADDR_NONE (0xFFFFFFFF) for bad text, "" included, and for
        "255.255.255.255"; 0 for a single space.

    It raises nothing and bad text leaves the last error alone. Only None (NULL) stores one: WSAEFAULT.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-inet_addr
    """
    if text is None:
        set_last_error(WSAEFAULT)
        return INADDR_NONE
    return addresstext.inet_addr(_characters(text))


@exported
def inet_ntoa(addr: int) -> str:
    """Write an IPv4 address as "a.b.c.d". Cannot fail; works before WSAStartup.

    The C function answers with a buffer of the calling thread that the thread's next call reuses; here every
    call makes a new string.

    Args:
        addr: in_addr.s_addr as inet_addr returns it; only its low 32 bits count.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-inet_ntoa
    """
    return addresstext.ipv4_text((addr & 0xFFFFFFFF).to_bytes(4, "little"))


def _read_into(family: int, text: str | bytes | None, buffer: Buffer | None) -> bool:
    if text is None or buffer is None:
        raise WinsockError(WSAEFAULT)
    size = _PACKED_SIZE.get(family)
    if size is None:
        raise WinsockError(WSAEAFNOSUPPORT)
    with memoryview(buffer) as view, view.cast("B") as octets:
        if octets.readonly:
            raise TypeError("the address buffer must be writable")
        if octets.nbytes < size:
            raise WinsockError(WSAEFAULT)
        accepted, written = addresstext.inet_pton(family, _characters(text))
        octets[: len(written)] = written
    return accepted


@exported
def inet_pton(family: int, text: str | bytes | None, buffer: Buffer | None) -> int:
    """Read IPv4 or IPv6 text into a buffer. Works before WSAStartup.

    Args:
        family: AF_INET or AF_INET6.
        text: a full quad of decimal parts without leading zeros, or IPv6 text whose last 32 bits may be
            dotted. No port, scope or prefix length.
        buffer: writable, at least 4 or 16 bytes; gets the address in network order.

    Returns:
        1, or 0 for bad text. After 0 the last error is what it was, and the buffer has what Windows leaves
        there: the address when the text goes wrong behind it, else the IPv6 groups before the fault, else
        what was in it before.

    Raises:
        WinsockError: WSAEFAULT, text or buffer missing (looked at first) or buffer too short;
            WSAEAFNOSUPPORT, other family. To C this is the result -1.

    Source: https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inet_pton
    """
    return int(_read_into(family, text, buffer))


@exported
def InetPtonW(family: int, text: str | None, buffer: Buffer | None) -> int:
    """Read IPv4 or IPv6 text into a buffer: inet_pton, but for bad text, where this one stores WSAEINVAL.

    Returns:
        1, or 0 for bad text; then the last error is WSAEINVAL although nothing is raised. The two functions
        share one page; that they differ here is an observation.

    Raises:
        WinsockError: as `inet_pton`.

    Source: https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inet_pton
    """
    if _read_into(family, text, buffer):
        return 1
    set_last_error(WSAEINVAL)
    return 0


def _written(family: int, address: Buffer | None, size: int, no_room: int) -> str:
    packed_size = _PACKED_SIZE.get(family)
    if packed_size is None:
        raise WinsockError(WSAEAFNOSUPPORT)
    packed = b"" if address is None else bytes(memoryview(address))
    if len(packed) < packed_size:
        raise WinsockError(WSAEFAULT)
    text = addresstext.inet_ntop(family, packed)
    if size < len(text) + 1:
        raise WinsockError(no_room)
    return text


@exported
def inet_ntop(family: int, address: Buffer | None, size: int) -> str:
    """Write an IPv4 or IPv6 address as text. Works before WSAStartup.

    Args:
        family: AF_INET or AF_INET6.
        address: 4 or 16 bytes in network order; more are ignored.
        size: the caller's room in characters, terminating NUL included; 0 for a C caller without buffer. 16
            are enough for IPv4, 46 for IPv6.

    Returns:
        "a.b.c.d", or IPv6 text in lower case with the longest run of zero groups as "::". The last 32 bits of
        IPv4-compatible, -mapped, -translated and ISATAP addresses are dotted.

    Raises:
        WinsockError: WSAEAFNOSUPPORT, other family; WSAEFAULT, no address or too few bytes;
            STATUS_INVALID_PARAMETER (0xC000000D), too little room. The page gives ERROR_INVALID_PARAMETER for
            the last; Windows 8 and later store the status itself, Windows 7 stored WSAEINVAL.

    Source: https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inet_ntop
    """
    return _written(family, address, size, STATUS_INVALID_PARAMETER)


@exported
def InetNtopW(family: int, address: Buffer | None, size: int) -> str:
    """Write an IPv4 or IPv6 address as text: inet_ntop for C with wide characters.

    Raises:
        WinsockError: as `inet_ntop`, but ERROR_INVALID_PARAMETER for too little room, as the page has it: what
            `inet_ntop` was seen to do is known of that function alone.

    Source: https://learn.microsoft.com/windows/win32/api/ws2tcpip/nf-ws2tcpip-inetntopw
    """
    return _written(family, address, size, ERROR_INVALID_PARAMETER)


@exported
def WSAAddressToString(address: Buffer | None, info: ProtocolInfo | None = None, length: int | None = None) -> str:
    """Write a socket address as text, port and scope included.

    Args:
        address: the address in Windows' layout.
        info: the protocol whose provider does it; None for the first one in the catalog that has the family.
        length: the caller's room in characters, terminating NUL included; None for enough.

    Returns:
        IPv4 "a.b.c.d" or "a.b.c.d:port"; IPv6 "text", "text%scope", "[text]:port" or "[text%scope]:port".
        Port and scope are left out when they are 0.

    Raises:
        WinsockError: WSANOTINITIALISED before WSAStartup; WSAEINVAL, no address or an empty one, too few
            bytes for its family, or no provider for the family; WSAEFAULT, too little room: ``needed`` has
            the characters that would do, NUL included.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaaddresstostringw
    """
    raw = SockAddr() if address is None else SockAddr(memoryview(address))
    provider = current_process().provider_for_family(raw.family, info)
    if raw.family == AF_UNSPEC:  # a given protocol has a provider all the same
        raise WinsockError(WSAEINVAL)
    text: str = provider.WSPAddressToString(raw, info)
    needed = len(text) + 1
    if length is not None and length < needed:
        raise WinsockError(WSAEFAULT, needed=needed)
    return text


@exported
def WSAStringToAddress(
    text: str | None, family: int, info: ProtocolInfo | None = None, length: int | None = None
) -> SockAddr:
    """Read text into a socket address.

    Args:
        text: IPv4 in inet_addr's forms without blanks, then ":port" or nothing. IPv6 as "text" or
            "text%scope", and either of them in brackets, where ":port" may follow. A port is decimal, 0octal
            or 0xhex and not 0; a scope is a decimal number.
        family: AF_INET, AF_INET6, or another one that a provider has.
        info: the protocol whose provider does it; None for the first one in the catalog that has the family.
        length: the caller's room in bytes; None for enough.

    Returns:
        The address, with port 0 when the text has none.

    Raises:
        WinsockError: WSANOTINITIALISED before WSAStartup; WSAEINVAL, no provider for the family; WSAEFAULT,
            no text, or too little room for an address of the family: ``needed`` has the bytes that would do;
            WSAEINVAL, bad text: ``address`` has what Windows leaves in the caller's structure, family 0 and as much of
            the IP address as was read.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsastringtoaddressw
    """
    provider = current_process().provider_for_family(family, info)
    if text is None:
        raise WinsockError(WSAEFAULT)
    if not isinstance(text, str):
        raise TypeError(f"address text must be str, not {type(text).__name__}")
    size = _SOCKADDR_SIZE.get(family, 0)
    if length is not None and length < size:
        raise WinsockError(WSAEFAULT, needed=size)
    address = SockAddr(provider.WSPStringToAddress(text, family, info))
    if length is not None and length < len(address):  # a family whose size only its provider knows
        raise WinsockError(WSAEFAULT, needed=len(address))
    return address
