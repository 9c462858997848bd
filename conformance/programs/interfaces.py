"""Interfaces and addresses of this machine, as WSAIoctl of ws2_32.dll lists them, in buffers that grow as needed."""

from __future__ import annotations

import ctypes
import sys
from ctypes import (
    POINTER,
    Structure,
    Union,
    addressof,
    byref,
    c_char,
    c_char_p,
    c_int,
    c_short,
    c_size_t,
    c_ubyte,
    c_ulong,
    c_ushort,
    c_void_p,
    create_string_buffer,
    sizeof,
)

AF_INET, AF_INET6, SOCK_DGRAM = 2, 23, 2
SIO_GET_INTERFACE_LIST = 0x4004747F
SIO_ADDRESS_LIST_QUERY = 0x48000016
IFF_UP, IFF_BROADCAST, IFF_LOOPBACK, IFF_POINTTOPOINT, IFF_MULTICAST = 1, 2, 4, 8, 16
FLAGS = {
    IFF_UP: "up",
    IFF_BROADCAST: "broadcast",
    IFF_LOOPBACK: "loopback",
    IFF_POINTTOPOINT: "point to point",
    IFF_MULTICAST: "multicast",
}
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
WSAEFAULT, WSAEPROTONOSUPPORT, WSAEAFNOSUPPORT = 10014, 10043, 10047
MOST = 1 << 20  # bytes; a list that needs more is a mistake


class WSADATA(Structure):
    """What WSAStartup fills in, on 64-bit Windows; 32-bit Windows has the two texts before the numbers."""

    _fields_ = [
        ("wVersion", c_ushort),
        ("wHighVersion", c_ushort),
        ("iMaxSockets", c_ushort),
        ("iMaxUdpDg", c_ushort),
        ("lpVendorInfo", c_char_p),
        ("szDescription", c_char * 257),
        ("szSystemStatus", c_char * 129),
    ]


class sockaddr_in(Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ubyte * 4), ("sin_zero", c_char * 8)]

    def __str__(self) -> str:
        return ".".join(map(str, self.sin_addr))


class sockaddr_gen(Union):
    """An address of an interface: IPv4, or the old form of an IPv6 address."""

    _fields_ = [("AddressIn", sockaddr_in), ("AddressIn6", c_ulong * 6)]


class INTERFACE_INFO(Structure):
    """One IPv4 address of one interface."""

    _fields_ = [
        ("iiFlags", c_ulong),
        ("iiAddress", sockaddr_gen),
        ("iiBroadcastAddress", sockaddr_gen),
        ("iiNetmask", sockaddr_gen),
    ]


class SOCKET_ADDRESS(Structure):
    """Where an address is, and how long it is."""

    _fields_ = [("lpSockaddr", c_void_p), ("iSockaddrLength", c_int)]


ws2_32 = ctypes.windll.ws2_32
ws2_32.socket.restype = SOCKET
ws2_32.bind.argtypes = [SOCKET, c_void_p, c_int]
ws2_32.WSAIoctl.argtypes = [
    *(SOCKET, c_ulong, c_void_p, c_ulong, c_void_p, c_ulong, POINTER(c_ulong), c_void_p, c_void_p),
]
ws2_32.WSAAddressToStringA.argtypes = [c_void_p, c_ulong, c_void_p, c_char_p, POINTER(c_ulong)]
WSAGetLastError = ws2_32.WSAGetLastError


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"interfaces: not as on Windows: {what}")


def query(s: int, code: int, room: int) -> tuple[int, ctypes.Array[c_char], int]:
    """Ask with a buffer of so many bytes: the error, 0 for none, the buffer, and the number of bytes it tells."""
    buffer, told = create_string_buffer(max(room, 1)), c_ulong(0)
    failed = ws2_32.WSAIoctl(s, code, None, 0, buffer if room else None, room, byref(told), None, None)
    return (WSAGetLastError() if failed else 0), buffer, told.value


def interface_list(s: int) -> list[INTERFACE_INFO]:
    """SIO_GET_INTERFACE_LIST: it does not tell how much it needs, so the buffer grows."""
    room = sizeof(INTERFACE_INFO) // 2
    while True:
        error, buffer, told = query(s, SIO_GET_INTERFACE_LIST, room)
        if not error:
            break
        expect(error == WSAEFAULT, f"error {error} instead of 10014 for a small buffer")
        room *= 2
        expect(room <= MOST, "no buffer is large enough")
    expect(told % sizeof(INTERFACE_INFO) == 0, f"{told} bytes are no whole number of records")
    print(f"{told // sizeof(INTERFACE_INFO)} IPv4 interfaces in {told} bytes, with room for {room}")
    return list((INTERFACE_INFO * (told // sizeof(INTERFACE_INFO))).from_buffer(buffer))


def address_list(s: int) -> list[tuple[int, int, object]]:
    """SIO_ADDRESS_LIST_QUERY: it tells how much it needs. (place, length, buffer that they lie in) of each address."""
    error, _, needed = query(s, SIO_ADDRESS_LIST_QUERY, 0)
    expect(error == WSAEFAULT, f"error {error} instead of 10014 without a buffer")
    while True:  # an address may come in between
        error, buffer, told = query(s, SIO_ADDRESS_LIST_QUERY, needed)
        if not error:
            break
        expect(error == WSAEFAULT and told > needed, f"error {error}, {told} bytes needed instead of {needed}")
        needed = told
    count = c_int.from_buffer(buffer).value
    table = (SOCKET_ADDRESS * count).from_buffer(buffer, sizeof(c_void_p))  # behind the count, aligned
    where = range(addressof(buffer), addressof(buffer) + needed)
    for entry in table:
        inside = entry.lpSockaddr in where and entry.lpSockaddr + entry.iSockaddrLength - 1 in where
        expect(inside, "an address lies outside of the buffer")
    return [(entry.lpSockaddr, entry.iSockaddrLength, buffer) for entry in table]


def text(place: int, length: int) -> str:
    """An address as WSAAddressToString writes it."""
    written = create_string_buffer(128)
    check(ws2_32.WSAAddressToStringA(place, length, None, written, byref(c_ulong(sizeof(written)))))
    return written.value.decode()


def list_interfaces(s: int) -> set[str]:
    """Print the IPv4 interfaces; returns their addresses."""
    loopback = 0
    rows = interface_list(s)
    for row in rows:
        address, mask = row.iiAddress.AddressIn, row.iiNetmask.AddressIn
        flags = ", ".join(word for bit, word in FLAGS.items() if row.iiFlags & bit)
        print(f"  {address} / {mask}: {flags}")
        expect(address.sin_family == AF_INET, f"family {address.sin_family}")
        if row.iiFlags & IFF_LOOPBACK:
            loopback += 1
            expect(address.sin_addr[0] == 127, "a loopback interface has another address")
        elif row.iiFlags & IFF_BROADCAST and row.iiFlags & IFF_UP:
            expect(row.iiBroadcastAddress.AddressIn.sin_family == AF_INET, "no broadcast address")
    expect(loopback > 0, "there is no loopback interface")
    return {str(row.iiAddress.AddressIn) for row in rows}


def list_addresses(family: int, known: set[str]) -> None:
    """Print the addresses of a family that others can reach; each must be ours, and good for a bind."""
    s = ws2_32.socket(family, SOCK_DGRAM, 0)
    if s == INVALID_SOCKET and WSAGetLastError() in (WSAEPROTONOSUPPORT, WSAEAFNOSUPPORT):
        print("no IPv6 here")
        return
    found = address_list(check(s))
    print(f"{len(found)} {'IPv4' if family == AF_INET else 'IPv6'} addresses that a socket can be bound to")
    for place, length, _ in found:
        shown = text(place, length)
        print(f"  {shown}")
        expect(c_short.from_address(place).value == family, "an address of another family")
        expect(shown not in ("127.0.0.1", "::1"), "a loopback address is listed")
        expect(family != AF_INET or shown in known, f"{shown} is no interface's")
        one = check(ws2_32.socket(family, SOCK_DGRAM, 0))
        check(ws2_32.bind(one, place, length))
        check(ws2_32.closesocket(one))
    check(ws2_32.closesocket(s))


def main() -> None:
    """Interfaces first, then addresses."""
    failed = ws2_32.WSAStartup(0x0202, byref(WSADATA()))
    expect(failed == 0, f"WSAStartup returned {failed}")
    expect(sizeof(INTERFACE_INFO) == 76, f"INTERFACE_INFO has {sizeof(INTERFACE_INFO)} bytes")
    s = check(ws2_32.socket(AF_INET, SOCK_DGRAM, 0))
    known = list_interfaces(s)
    check(ws2_32.closesocket(s))
    list_addresses(AF_INET, known)
    list_addresses(AF_INET6, known)
    check(ws2_32.WSACleanup())
    print("done")


if __name__ == "__main__":
    main()
