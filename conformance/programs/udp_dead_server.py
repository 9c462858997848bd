"""A UDP client whose server has died: what Windows tells it, and how it stops Windows from telling.

Without a server the datagram comes back as an ICMP message, and Windows lets the client's *next receive* fail with
WSAECONNRESET, although UDP has no connections. SIO_UDP_CONNRESET switches that off. The other two errors a UDP client
has to live with are here as well: a receive time-out, and a datagram larger than the buffer.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char, c_int, c_short, c_size_t, c_ulong, c_ushort, c_void_p, sizeof
from ctypes.wintypes import BOOL, DWORD, WORD

AF_INET, SOCK_DGRAM, IPPROTO_UDP = 2, 2, 17
SOL_SOCKET, SO_RCVTIMEO = 0xFFFF, 0x1006
IOC_IN, IOC_VENDOR = 0x80000000, 0x18000000
SIO_UDP_CONNRESET = IOC_IN | IOC_VENDOR | 12
INADDR_LOOPBACK = 0x7F000001
SOCKET_ERROR = -1
WSAEMSGSIZE, WSAECONNRESET, WSAETIMEDOUT = 10040, 10054, 10060

SOCKET = c_size_t


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ulong), ("sin_zero", c_char * 8)]


ws2_32 = ctypes.WinDLL("ws2_32", use_last_error=True)


def last_error_as_exception(result: int, function: object, arguments: tuple[object, ...]) -> int:
    """The errcheck of functions that return SOCKET_ERROR, and of socket(), whose INVALID_SOCKET is ~0."""
    if result in (SOCKET_ERROR, SOCKET(-1).value):
        raise ctypes.WinError(ctypes.get_last_error())
    return result


def declare(name: str, restype: type, *argtypes: type) -> None:
    """Give a function its prototype and errors as exceptions."""
    function = getattr(ws2_32, name)
    function.restype, function.argtypes, function.errcheck = restype, argtypes, last_error_as_exception


declare("socket", SOCKET, c_int, c_int, c_int)
declare("bind", c_int, SOCKET, POINTER(sockaddr_in), c_int)
declare("getsockname", c_int, SOCKET, POINTER(sockaddr_in), POINTER(c_int))
declare("setsockopt", c_int, SOCKET, c_int, c_int, c_void_p, c_int)
declare("sendto", c_int, SOCKET, c_void_p, c_int, c_int, POINTER(sockaddr_in), c_int)
declare("recvfrom", c_int, SOCKET, c_void_p, c_int, c_int, POINTER(sockaddr_in), POINTER(c_int))
declare("closesocket", c_int, SOCKET)
declare("WSAIoctl", c_int, SOCKET, DWORD, c_void_p, DWORD, c_void_p, DWORD, POINTER(DWORD), c_void_p, c_void_p)
ws2_32.ntohs.restype = ctypes.c_ushort
ws2_32.htonl.argtypes, ws2_32.htonl.restype = [c_ulong], c_ulong


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"udp_dead_server: not as on Windows: {what}")


@contextlib.contextmanager
def fails_with(code: int) -> Iterator[None]:
    """The call inside has to fail with a Winsock error."""
    try:
        yield
    except OSError as failure:
        print(f"  {failure}")
        expect(failure.winerror == code, f"error {failure.winerror} instead of {code}")
    else:
        expect(False, f"success instead of error {code}")


def udp_socket() -> tuple[int, sockaddr_in]:
    """A UDP socket on a free port of the loopback interface, and its address."""
    s = ws2_32.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
    address = sockaddr_in(AF_INET, 0, ws2_32.htonl(INADDR_LOOPBACK))
    ws2_32.bind(s, address, sizeof(address))
    ws2_32.getsockname(s, address, c_int(sizeof(address)))
    return s, address


def set_timeout(s: int, milliseconds: int) -> None:
    """Let receives fail with WSAETIMEDOUT after this time."""
    ws2_32.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, byref(DWORD(milliseconds)), sizeof(DWORD))


def set_connreset(s: int, wanted: bool) -> None:
    """Choose whether "port unreachable" makes the next receive fail."""
    flag, returned = BOOL(wanted), DWORD()
    ws2_32.WSAIoctl(s, SIO_UDP_CONNRESET, byref(flag), sizeof(flag), None, 0, byref(returned), None, None)


def send(s: int, data: bytes, to: sockaddr_in) -> None:
    """Send one datagram."""
    expect(ws2_32.sendto(s, data, len(data), 0, to, sizeof(to)) == len(data), "a datagram was sent in part")


def receive(s: int, buffer: ctypes.Array[c_char]) -> tuple[bytes, sockaddr_in]:
    """Receive one datagram: its bytes, and who sent it."""
    sender = sockaddr_in()
    length = c_int(sizeof(sender))
    received = ws2_32.recvfrom(s, buffer, sizeof(buffer), 0, byref(sender), byref(length))
    return buffer.raw[:received], sender


def main() -> None:
    """Meet the errors in turn, on one socket."""
    failed = ws2_32.WSAStartup(WORD(0x0202), ctypes.create_string_buffer(512))
    expect(failed == 0, f"WSAStartup returned {failed}")

    client, client_address = udp_socket()
    dead, dead_address = udp_socket()
    ws2_32.closesocket(dead)
    buffer = ctypes.create_string_buffer(16)
    print(f"the server at port {ws2_32.ntohs(dead_address.sin_port)} is dead")

    print("sendto succeeds, the receive after it fails:")
    set_timeout(client, 5000)
    send(client, b"are you there?", dead_address)
    with fails_with(WSAECONNRESET):
        receive(client, buffer)

    print("SIO_UDP_CONNRESET off, the receive waits until SO_RCVTIMEO is over:")
    set_connreset(client, False)
    set_timeout(client, 300)
    send(client, b"are you there?", dead_address)
    started = time.monotonic()
    with fails_with(WSAETIMEDOUT):
        receive(client, buffer)
    waited = time.monotonic() - started
    print(f"  after {waited:.1f} s")
    expect(0.25 <= waited < 5, f"a time-out of 0.3 s took {waited:.2f} s")

    print("SIO_UDP_CONNRESET on again:")
    set_connreset(client, True)
    set_timeout(client, 5000)
    send(client, b"are you there?", dead_address)
    with fails_with(WSAECONNRESET):
        receive(client, buffer)

    server, server_address = udp_socket()
    set_timeout(server, 5000)
    print(f"a new server at port {ws2_32.ntohs(server_address.sin_port)}, same client:")
    send(client, b"are you there?", server_address)
    question, sender = receive(server, buffer)
    print(f"  server received {question!r}")
    expect(question == b"are you there?", "another question arrived")
    expect(sender.sin_port == client_address.sin_port, "it came from another port")

    print(f"its answer has 26 bytes, the client's buffer {sizeof(buffer)}:")
    send(server, b"abcdefghijklmnopqrstuvwxyz", sender)
    send(server, b"short", sender)
    with fails_with(WSAEMSGSIZE):
        receive(client, buffer)
    print(f"  in the buffer: {buffer.raw!r}")
    expect(buffer.raw == b"abcdefghijklmnop", "the buffer does not hold the first part")
    rest, _ = receive(client, buffer)
    print(f"  next: {rest!r}, what did not fit is gone")
    expect(rest == b"short", "the next datagram did not come next")

    ws2_32.closesocket(server)
    ws2_32.closesocket(client)
    ws2_32.WSACleanup()


if __name__ == "__main__":
    main()
