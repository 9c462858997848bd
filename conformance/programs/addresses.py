"""Addresses as numbers, as text, and the errors in between: inet_addr, InetPton, WSAStringToAddress and their kin."""

from __future__ import annotations

import ctypes
import sys
from ctypes import (
    POINTER,
    byref,
    c_char,
    c_char_p,
    c_int,
    c_short,
    c_size_t,
    c_ubyte,
    c_ulong,
    c_ushort,
    create_string_buffer,
    create_unicode_buffer,
    sizeof,
)
from ctypes.wintypes import DWORD, INT, WORD

AF_UNSPEC, AF_INET, AF_IPX, AF_INET6 = 0, 2, 6, 23
SOCK_DGRAM = 2
SOCKET_ERROR = -1
INADDR_NONE = 0xFFFFFFFF
WSAEFAULT, WSAEINVAL, WSAEAFNOSUPPORT = 10014, 10022, 10047
ERROR_INVALID_PARAMETER = 87
STATUS_INVALID_PARAMETER = 0xC000000D
INET_ADDRSTRLEN, INET6_ADDRSTRLEN = 22, 65


class in_addr(ctypes.Structure):
    """An IPv4 address in network byte order."""

    _fields_ = [("S_addr", c_ulong)]


class in6_addr(ctypes.Structure):
    """An IPv6 address."""

    _fields_ = [("Byte", c_ubyte * 16)]


class sockaddr_in(ctypes.Structure):
    """An IPv4 address with a port."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", in_addr), ("sin_zero", c_char * 8)]


class sockaddr_in6(ctypes.Structure):
    """An IPv6 address with a port and a scope."""

    _fields_ = [
        ("sin6_family", c_short),
        ("sin6_port", c_ushort),
        ("sin6_flowinfo", c_ulong),
        ("sin6_addr", in6_addr),
        ("sin6_scope_id", c_ulong),
    ]


ws2_32 = ctypes.windll.ws2_32
ws2_32.WSAGetLastError.argtypes, ws2_32.WSAGetLastError.restype = [], c_int
ws2_32.WSASetLastError.argtypes, ws2_32.WSASetLastError.restype = [c_int], None
ws2_32.inet_addr.restype = c_ulong
ws2_32.inet_ntoa.argtypes, ws2_32.inet_ntoa.restype = [in_addr], c_char_p
for short in (ws2_32.htons, ws2_32.ntohs):
    short.argtypes, short.restype = [c_ushort], c_ushort
for long in (ws2_32.htonl, ws2_32.ntohl):
    long.argtypes, long.restype = [c_ulong], c_ulong
ws2_32.WSAHtonl.argtypes = [c_size_t, c_ulong, POINTER(c_ulong)]
# InetPtonW, InetNtopW, WSAStringToAddress and WSAAddressToString are used with the prototypes that ctypes assumes.

wrong = 0


def show(call: str, actual: object, *expected: object) -> None:
    """Print a result, and remember when it is none of those that Windows gives."""
    global wrong  # noqa: PLW0603
    if actual in expected:
        print(f"  {call} = {actual}")
    else:
        wrong += 1
        print(f"  {call} = {actual}, NOT AS ON WINDOWS: {' or '.join(map(str, expected))}")


def dotted(address: int) -> str:
    """The four bytes of an in_addr, without asking ws2_32."""
    return ".".join(map(str, address.to_bytes(4, sys.byteorder)))


def error_of(result: int) -> int:
    """The Winsock error of a call that has just failed, 0 for success."""
    return ws2_32.WSAGetLastError() if result == SOCKET_ERROR else 0


def byte_order() -> None:
    """Host to network order and back."""
    print("Byte order")
    show("htons(0x1234)", hex(ws2_32.htons(0x1234)), "0x3412")
    show("ntohs(0x3412)", hex(ws2_32.ntohs(0x3412)), "0x1234")
    show("htonl(0x01020304)", hex(ws2_32.htonl(0x01020304)), "0x4030201")
    show("ntohl(0xfffefdfc)", hex(ws2_32.ntohl(0xFFFEFDFC)), "0xfcfdfeff")
    s, number = ws2_32.socket(AF_INET, SOCK_DGRAM, 0), c_ulong()
    show("WSAHtonl(s, 0x01020304)", ws2_32.WSAHtonl(s, 0x01020304, byref(number)), 0)
    show("  the number", hex(number.value), "0x4030201")
    show("closesocket(s)", ws2_32.closesocket(s), 0)


def numbers_and_dots() -> None:
    """inet_addr takes more than four decimal parts."""
    print("inet_addr")
    for text, address in {
        b"127.0.0.1": "127.0.0.1",
        b"192.168.257": "192.168.1.1",  # the last of three parts has 16 bits
        b"10.65794": "10.1.1.2",  # the last of two has 24
        b"2130706433": "127.0.0.1",
        b"0x7f.0.0.1": "127.0.0.1",
        b"0X7F000001": "127.0.0.1",
        b"0177.0.0.01": "127.0.0.1",
        b"017700000001": "127.0.0.1",
        b"0xC0.0250.1.010": "192.168.1.8",
        b"010.010.010.010": "8.8.8.8",
        b"1.2.3.4 and more": "1.2.3.4",  # white space ends the address
        b" ": "0.0.0.0",
    }.items():
        show(f"inet_addr({text!r})", dotted(ws2_32.inet_addr(text)), address)
    bad = [
        b"",
        b"1.2.3.256",
        b"256.1.1.1",
        b"1.2.3.4.5",
        b"1.2.3.",
        b"1.2..4",
        b"1.2.3.4x",
        b"1.1.1.0x",
        b" 1.2.3.4",
        b"::1",
    ]
    for text in bad:
        show(f"inet_addr({text!r})", hex(ws2_32.inet_addr(text)), hex(INADDR_NONE))
    show("inet_addr(b'255.255.255.255')", hex(ws2_32.inet_addr(b"255.255.255.255")), hex(INADDR_NONE))  # the old trap
    ws2_32.inet_addr.restype = c_int
    show("inet_addr as a signed int", ws2_32.inet_addr(b"1.2.3.256"), -1)
    ws2_32.inet_addr.restype = c_ulong

    print("inet_ntoa")
    show("inet_ntoa(127.0.0.1)", ws2_32.inet_ntoa(in_addr(0x0100007F)), b"127.0.0.1")
    show("inet_ntoa(INADDR_NONE)", ws2_32.inet_ntoa(in_addr(INADDR_NONE)), b"255.255.255.255")


def presentation() -> None:
    """InetPtonW and InetNtopW are strict about IPv4, and know IPv6."""
    print("InetPtonW and InetNtopW")
    four, six = in_addr(), in6_addr()
    show("InetPtonW(AF_INET, '192.0.2.33')", ws2_32.InetPtonW(AF_INET, "192.0.2.33", byref(four)), 1)
    show("  the address", dotted(four.S_addr), "192.0.2.33")
    for text in ("127.1", "0x7f.0.0.1", "010.0.0.1", "2130706433", "1.2.3.256", "1.2.3.4.5", "", " 1.2.3.4", "host"):
        ws2_32.WSASetLastError(0)
        show(f"InetPtonW(AF_INET, {text!r})", ws2_32.InetPtonW(AF_INET, text, byref(four)), 0)
        show("  error", ws2_32.WSAGetLastError(), WSAEINVAL)  # the narrow inet_pton leaves it alone

    text_buffer = create_unicode_buffer(INET6_ADDRSTRLEN)
    for text, written in {
        "::": "::",
        "::1": "::1",
        "2001:DB8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
        "2001:0db8:0000:0000:0000:0000:0002:0001": "2001:db8::2:1",
        "FE80::abcd": "fe80::abcd",
        "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
        "::ffff:192.0.2.1": "::ffff:192.0.2.1",
        "::ffff:c000:201": "::ffff:192.0.2.1",
        "64:ff9b::192.0.2.33": "64:ff9b::c000:221",
    }.items():
        show(f"InetPtonW(AF_INET6, {text!r})", ws2_32.InetPtonW(AF_INET6, text, byref(six)), 1)
        result = ws2_32.InetNtopW(AF_INET6, byref(six), text_buffer, len(text_buffer))
        show("  InetNtopW", (result != 0, text_buffer.value), (True, written))
    for text in ("1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "fe80::1%3", "[::1]", "127.0.0.1"):
        show(f"InetPtonW(AF_INET6, {text!r})", ws2_32.InetPtonW(AF_INET6, text, byref(six)), 0)

    show("InetPtonW(AF_UNSPEC, '::1')", ws2_32.InetPtonW(AF_UNSPEC, "::1", byref(six)), -1)
    show("  error", ws2_32.WSAGetLastError(), WSAEAFNOSUPPORT)
    show("InetPtonW(AF_INET, NULL)", ws2_32.InetPtonW(AF_INET, None, byref(four)), -1)
    show("  error", ws2_32.WSAGetLastError(), WSAEFAULT)

    four = in_addr(0xFFFFFFFF)
    result = ws2_32.InetNtopW(AF_INET, byref(four), text_buffer, 16)
    show("InetNtopW into 16 characters", (result != 0, text_buffer.value), (True, "255.255.255.255"))
    show("InetNtopW into 15 characters", ws2_32.InetNtopW(AF_INET, byref(four), text_buffer, 15), 0)
    known = (ERROR_INVALID_PARAMETER, WSAEINVAL, STATUS_INVALID_PARAMETER)  # the page, Windows 7, Windows 10
    show("  error", ws2_32.WSAGetLastError() & 0xFFFFFFFF, *known)
    show("InetNtopW(AF_IPX)", ws2_32.InetNtopW(AF_IPX, byref(four), text_buffer, len(text_buffer)), 0)
    show("  error", ws2_32.WSAGetLastError(), WSAEAFNOSUPPORT)

    narrow = create_string_buffer(INET_ADDRSTRLEN)
    show("inet_pton(AF_INET, b'10.20.30.40')", ws2_32.inet_pton(AF_INET, b"10.20.30.40", byref(four)), 1)
    result = ws2_32.inet_ntop(AF_INET, byref(four), narrow, sizeof(narrow))
    show("  inet_ntop", (result != 0, narrow.value), (True, b"10.20.30.40"))


def strings_to_addresses() -> None:
    """WSAStringToAddress fills in a whole socket address: family, address, port and scope."""
    print("WSAStringToAddressW and WSAStringToAddressA")
    for text, address, port in (
        ("192.0.2.7", "192.0.2.7", 0),
        ("192.0.2.7:80", "192.0.2.7", 80),
        ("255.255.255.255:65535", "255.255.255.255", 65535),
    ):
        for function, argument in (
            (ws2_32.WSAStringToAddressW, text),
            (ws2_32.WSAStringToAddressA, text.encode("ascii")),
        ):
            four, length = sockaddr_in(), INT(sizeof(sockaddr_in))
            result = function(argument, AF_INET, None, byref(four), byref(length))
            show(f"WSAStringToAddress({argument!r})", (result, length.value), (0, 16))
            found = (four.sin_family, dotted(four.sin_addr.S_addr), ws2_32.ntohs(four.sin_port))
            show("  the address", found, (AF_INET, address, port))

    for text, last_byte, port, scope in (
        ("::1", 1, 0, 0),
        ("[::1]:443", 1, 443, 0),
        ("fe80::2%5", 2, 0, 5),
        ("[fe80::3%7]:8080", 3, 8080, 7),
    ):
        six, length = sockaddr_in6(), INT(sizeof(sockaddr_in6))
        result = ws2_32.WSAStringToAddressW(text, AF_INET6, None, byref(six), byref(length))
        show(f"WSAStringToAddressW({text!r})", (result, length.value), (0, 28))
        found6 = (six.sin6_family, six.sin6_addr.Byte[15], ws2_32.ntohs(six.sin6_port), six.sin6_scope_id)
        show("  family, last byte, port, scope", found6, (AF_INET6, last_byte, port, scope))

    for text, family in (("192.0.2.7:", AF_INET), ("1.2.3.4:65536", AF_INET), ("host", AF_INET), ("::1", AF_INET)):
        four, length = sockaddr_in(), INT(sizeof(sockaddr_in))
        result = ws2_32.WSAStringToAddressW(text, family, None, byref(four), byref(length))
        show(f"WSAStringToAddressW({text!r})", error_of(result), WSAEINVAL)
    six, length = sockaddr_in6(), INT(sizeof(sockaddr_in))
    result = ws2_32.WSAStringToAddressW("::1", AF_INET6, None, byref(six), byref(length))
    show("WSAStringToAddressW('::1') into 16 bytes", (error_of(result), length.value), (WSAEFAULT, 28))


def addresses_to_strings() -> None:
    """WSAAddressToString writes the port when there is one."""
    print("WSAAddressToStringW and WSAAddressToStringA")
    loopback = in6_addr()
    loopback.Byte[15] = 1
    for address, text in (
        (sockaddr_in(AF_INET, 0, in_addr(0x0100007F)), "127.0.0.1"),
        (sockaddr_in(AF_INET, ws2_32.htons(8080), in_addr(0x0100007F)), "127.0.0.1:8080"),
        (sockaddr_in6(AF_INET6, 0, 0, loopback, 0), "::1"),
        (sockaddr_in6(AF_INET6, ws2_32.htons(80), 0, loopback, 0), "[::1]:80"),
    ):
        wide, length = create_unicode_buffer(INET6_ADDRSTRLEN), DWORD(INET6_ADDRSTRLEN)
        result = ws2_32.WSAAddressToStringW(byref(address), sizeof(address), None, wide, byref(length))
        show("WSAAddressToStringW", (result, wide.value, length.value), (0, text, len(text) + 1))
        narrow, length = create_string_buffer(INET6_ADDRSTRLEN), DWORD(INET6_ADDRSTRLEN)
        result = ws2_32.WSAAddressToStringA(byref(address), sizeof(address), None, narrow, byref(length))
        show("WSAAddressToStringA", (result, narrow.value, length.value), (0, text.encode(), len(text) + 1))
        for room in (1, len(text)):
            wide, length = create_unicode_buffer(INET6_ADDRSTRLEN), DWORD(room)
            result = ws2_32.WSAAddressToStringW(byref(address), sizeof(address), None, wide, byref(length))
            show(f"  into {room} characters", (error_of(result), length.value), (WSAEFAULT, len(text) + 1))
    wide, length = create_unicode_buffer(INET6_ADDRSTRLEN), DWORD(INET6_ADDRSTRLEN)
    result = ws2_32.WSAAddressToStringW(None, 16, None, wide, byref(length))
    show("WSAAddressToStringW(NULL)", error_of(result), WSAEINVAL, WSAEFAULT)


def main() -> None:
    """Show everything, then judge."""
    print("Without WSAStartup")
    show("htons(1)", ws2_32.htons(1), 256)
    show("inet_addr(b'1.2.3.4')", dotted(ws2_32.inet_addr(b"1.2.3.4")), "1.2.3.4")
    failed = ws2_32.WSAStartup(WORD(0x0202), create_string_buffer(512))
    if failed:
        sys.exit(f"addresses: WSAStartup returned {failed}")
    byte_order()
    numbers_and_dots()
    presentation()
    strings_to_addresses()
    addresses_to_strings()
    show("WSACleanup()", ws2_32.WSACleanup(), 0)
    if wrong:
        sys.exit(f"addresses: {wrong} results are not as on Windows")
    print("all as on Windows")


if __name__ == "__main__":
    main()
