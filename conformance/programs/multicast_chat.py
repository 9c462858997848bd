"""A chat without a server: everybody sends to a multicast group on the loopback interface, and its members hear it.

All guests share one port. What is special about Windows: IP_MULTICAST_LOOP belongs to the one who listens (elsewhere to
the one who speaks), and a membership that cannot be gets WSAEADDRNOTAVAIL or WSAEINVAL by a table of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char, c_int, c_long, c_short, c_size_t, c_ulong, c_ushort, c_void_p, sizeof

AF_INET, SOCK_DGRAM, IPPROTO_UDP = 2, 2, 17
SOL_SOCKET, SO_REUSEADDR, SO_RCVTIMEO = 0xFFFF, 0x0004, 0x1006
IPPROTO_IP = 0
IP_MULTICAST_IF, IP_MULTICAST_TTL, IP_MULTICAST_LOOP = 9, 10, 11
IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP = 12, 13
IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE = 17, 18
FIONREAD = 0x4004667F
SOCKET_ERROR = -1
WSAEINVAL, WSAEADDRNOTAVAIL = 10022, 10049

SOCKET = c_size_t

GROUP = b"239.255.42.99"
LOOPBACK = b"127.0.0.1"
NAMES = ("Ada", "Ben", "Cleo", "Dan")


class in_addr(ctypes.Structure):
    """An IPv4 address in network byte order."""

    _fields_ = [("s_addr", c_ulong)]


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", in_addr), ("sin_zero", c_char * 8)]


class ip_mreq(ctypes.Structure):
    """A group and the interface it is joined on."""

    _fields_ = [("imr_multiaddr", in_addr), ("imr_interface", in_addr)]


class ip_mreq_source(ctypes.Structure):
    """A group, one who speaks there, and the interface."""

    _fields_ = [("imr_multiaddr", in_addr), ("imr_sourceaddr", in_addr), ("imr_interface", in_addr)]


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
declare("getsockopt", c_int, SOCKET, c_int, c_int, c_void_p, POINTER(c_int))
declare("setsockopt", c_int, SOCKET, c_int, c_int, c_void_p, c_int)
declare("ioctlsocket", c_int, SOCKET, c_long, POINTER(c_ulong))
declare("sendto", c_int, SOCKET, c_void_p, c_int, c_int, POINTER(sockaddr_in), c_int)
declare("recvfrom", c_int, SOCKET, c_void_p, c_int, c_int, POINTER(sockaddr_in), POINTER(c_int))
declare("closesocket", c_int, SOCKET)
ws2_32.inet_addr.restype = c_ulong


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"multicast_chat: not as on Windows: {what}")


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


def address(text: bytes) -> in_addr:
    """An address from its text."""
    return in_addr(ws2_32.inet_addr(text))


class Guest:
    """A socket of the group's port, and who it belongs to."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.name = name
        self.socket = ws2_32.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
        self.set(SOL_SOCKET, SO_REUSEADDR, c_int(1))
        self.set(SOL_SOCKET, SO_RCVTIMEO, c_ulong(10_000))  # nobody waits as long as this
        self.set(IPPROTO_IP, IP_MULTICAST_IF, address(LOOPBACK))
        here = sockaddr_in(AF_INET, port)
        ws2_32.bind(self.socket, byref(here), sizeof(here))
        ws2_32.getsockname(self.socket, byref(here), byref(c_int(sizeof(here))))
        self.port = here.sin_port  # in network byte order, like the one given
        self.group = sockaddr_in(AF_INET, self.port, address(GROUP))

    def set(self, level: int, option: int, value: ctypes.Structure | c_int | c_ulong) -> None:
        """Set an option."""
        ws2_32.setsockopt(self.socket, level, option, byref(value), sizeof(value))

    def get(self, option: int) -> int:
        """Read a number of the IP level."""
        value, length = c_ulong(), c_int(sizeof(c_ulong))
        ws2_32.getsockopt(self.socket, IPPROTO_IP, option, byref(value), byref(length))
        return value.value

    def member(self, option: int) -> None:
        """Join or leave the group on the loopback interface."""
        self.set(IPPROTO_IP, option, ip_mreq(address(GROUP), address(LOOPBACK)))

    def source(self, option: int) -> None:
        """Take no more data from the loopback address, or take it again."""
        self.set(IPPROTO_IP, option, ip_mreq_source(address(GROUP), address(LOOPBACK), address(LOOPBACK)))

    def listen_to_this_machine(self, on: bool) -> None:
        """On Windows this is what a listener decides; elsewhere the speaker does."""
        self.set(IPPROTO_IP, IP_MULTICAST_LOOP, c_int(on))

    def say(self, text: str) -> None:
        """Send a line to the group."""
        line = f"{self.name}: {text}".encode()
        sent = ws2_32.sendto(self.socket, line, len(line), 0, byref(self.group), sizeof(self.group))
        expect(sent == len(line), "a line was sent in part")

    def hear(self) -> str:
        """Wait for a line."""
        buffer, sender = ctypes.create_string_buffer(128), sockaddr_in()
        room = c_int(sizeof(sender))
        moved = ws2_32.recvfrom(self.socket, buffer, sizeof(buffer), 0, byref(sender), byref(room))
        expect(sender.sin_addr.s_addr == address(LOOPBACK).s_addr, "a line comes from somewhere else")
        return buffer.raw[:moved].decode()

    def waiting(self) -> int:
        """The bytes that wait to be received."""
        count = c_ulong()
        ws2_32.ioctlsocket(self.socket, c_long(FIONREAD), byref(count))
        return count.value


def everybody_speaks(guests: list[Guest], text: str, listeners: list[Guest]) -> None:
    """Let all say something; the listeners hear every line once and the others none."""
    for guest in guests:
        guest.say(text)
    said = [f"{guest.name}: {text}" for guest in guests]
    for guest in guests:
        if guest in listeners:
            heard = [guest.hear() for _ in said]
            expect(heard == said, f"{guest.name} heard {heard}")
        expect(guest.waiting() == 0, f"there is more for {guest.name}")
    names = ", ".join(guest.name for guest in listeners)
    print(f"  {len(said)} lines said, each heard by {names}")


def main() -> None:
    """Four come, one stops listening, one blocks the others, one leaves."""
    started = ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512))
    expect(started == 0, f"WSAStartup returned {started}")
    guests = [Guest(NAMES[0])]
    guests += [Guest(name, guests[0].port) for name in NAMES[1:]]
    ada, ben, cleo, dan = guests
    defaults = (ada.get(IP_MULTICAST_LOOP), ada.get(IP_MULTICAST_TTL))
    expect(defaults == (1, 1), f"IP_MULTICAST_LOOP and IP_MULTICAST_TTL are {defaults} at first")

    print("three members, and one who has the port but has not joined")
    for guest in (ada, ben, cleo):
        guest.member(IP_ADD_MEMBERSHIP)
    everybody_speaks(guests, "hello", [ada, ben, cleo])

    print("the fourth joins; nobody can join twice")
    dan.member(IP_ADD_MEMBERSHIP)
    with fails_with(WSAEADDRNOTAVAIL):
        dan.member(IP_ADD_MEMBERSHIP)
    everybody_speaks(guests, "welcome", guests)

    print("one switches the loop off: it does not hear this machine any more, but is heard")
    ben.listen_to_this_machine(False)
    everybody_speaks(guests, "can you hear me?", [ada, cleo, dan])
    ben.listen_to_this_machine(True)

    print("one blocks whoever speaks from the loopback address, and lets them speak again")
    cleo.source(IP_BLOCK_SOURCE)
    with fails_with(WSAEADDRNOTAVAIL):
        cleo.source(IP_BLOCK_SOURCE)
    everybody_speaks(guests, "and now?", [ada, ben, dan])
    cleo.source(IP_UNBLOCK_SOURCE)
    everybody_speaks(guests, "again", guests)

    print("one leaves, which can be done once")
    dan.member(IP_DROP_MEMBERSHIP)
    with fails_with(WSAEINVAL):
        dan.member(IP_DROP_MEMBERSHIP)
    everybody_speaks(guests, "goodbye", [ada, ben, cleo])

    for guest in guests:
        ws2_32.closesocket(guest.socket)
    expect(ws2_32.WSACleanup() == 0, "WSACleanup fails")
    print("all as on Windows")


if __name__ == "__main__":
    main()
