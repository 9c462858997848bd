"""Numbers between host order and network order.

Part played:     htonl, htons, ntohl, ntohs, and the WSA functions that go by a socket's protocol.
Lives elsewhere: the byte order of each protocol (catalog); addresses (ws2_32.addresses).
Sources:         the eight pages named below; "Extended Byte Order Conversion Routines" on Microsoft Learn.

The emulated machine is little-endian whatever the host is, so that the numbers a program sees, and stores in
structures, are the ones it would see on Windows.

A number is cut to the width of its C parameter first, as a C compiler does when it passes one that is too
wide: ``htons(0x12345)`` is ``htons(0x2345)`` and ``htonl(-1)`` is 0xFFFFFFFF. Results are unsigned.
"""

from __future__ import annotations

from ..defs.constants import BIGENDIAN
from ..errors import exported
from ..process import current_process


def _swapped16(value: int) -> int:
    return (value & 0xFF) << 8 | value >> 8 & 0xFF


def _swapped32(value: int) -> int:
    return (value & 0xFF) << 24 | (value & 0xFF00) << 8 | value >> 8 & 0xFF00 | value >> 24 & 0xFF


def _is_big_endian(s: int) -> bool:
    return current_process().socket(s).info.network_byte_order == BIGENDIAN


@exported
def htonl(hostlong: int) -> int:
    """Turn a 32-bit number from host to network order (big-endian). Cannot fail; works before WSAStartup.

    Args:
        hostlong: the number; only its low 32 bits count.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-htonl
    """
    return _swapped32(hostlong)


@exported
def htons(hostshort: int) -> int:
    """Turn a 16-bit number from host to network order (big-endian). Cannot fail; works before WSAStartup.

    Args:
        hostshort: the number; only its low 16 bits count.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-htons
    """
    return _swapped16(hostshort)


@exported
def ntohl(netlong: int) -> int:
    """Turn a 32-bit number from network order (big-endian) to host order. Cannot fail; works before
    WSAStartup.

    Args:
        netlong: the number; only its low 32 bits count.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-ntohl
    """
    return _swapped32(netlong)


@exported
def ntohs(netshort: int) -> int:
    """Turn a 16-bit number from network order (big-endian) to host order. Cannot fail; works before
    WSAStartup.

    Args:
        netshort: the number; only its low 16 bits count.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-ntohs
    """
    return _swapped16(netshort)


@exported
def WSAHtonl(s: int, hostlong: int) -> int:
    """Turn a 32-bit number from host order to the network order of the socket's protocol.

    Args:
        s: the socket whose protocol information names the byte order.
        hostlong: the number; only its low 32 bits count.

    Returns:
        The number C gets through ``lpnetlong``; unchanged for a protocol with LITTLEENDIAN order.

    Raises:
        WinsockError: WSANOTINITIALISED before WSAStartup; WSAENOTSOCK, unknown handle.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsahtonl
    """
    return _swapped32(hostlong) if _is_big_endian(s) else hostlong & 0xFFFFFFFF


@exported
def WSAHtons(s: int, hostshort: int) -> int:
    """Turn a 16-bit number from host order to the network order of the socket's protocol.

    Args:
        s: the socket whose protocol information names the byte order.
        hostshort: the number; only its low 16 bits count.

    Returns:
        The number C gets through ``lpnetshort``; unchanged for a protocol with LITTLEENDIAN order.

    Raises:
        WinsockError: WSANOTINITIALISED before WSAStartup; WSAENOTSOCK, unknown handle.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsahtons
    """
    return _swapped16(hostshort) if _is_big_endian(s) else hostshort & 0xFFFF


@exported
def WSANtohl(s: int, netlong: int) -> int:
    """Turn a 32-bit number from the network order of the socket's protocol to host order.

    Args:
        s: the socket whose protocol information names the byte order.
        netlong: the number; only its low 32 bits count.

    Returns:
        The number C gets through ``lphostlong``; unchanged for a protocol with LITTLEENDIAN order.

    Raises:
        WinsockError: WSANOTINITIALISED before WSAStartup; WSAENOTSOCK, unknown handle.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsantohl
    """
    return _swapped32(netlong) if _is_big_endian(s) else netlong & 0xFFFFFFFF


@exported
def WSANtohs(s: int, netshort: int) -> int:
    """Turn a 16-bit number from the network order of the socket's protocol to host order.

    Args:
        s: the socket whose protocol information names the byte order.
        netshort: the number; only its low 16 bits count.

    Returns:
        The number C gets through ``lphostshort``; unchanged for a protocol with LITTLEENDIAN order.

    Raises:
        WinsockError: WSANOTINITIALISED before WSAStartup; WSAENOTSOCK, unknown handle.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsantohs
    """
    return _swapped16(netshort) if _is_big_endian(s) else netshort & 0xFFFF
