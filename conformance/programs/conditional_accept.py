"""A doorkeeper: WSAAccept with a condition function that lets guests in, turns them away, or has them wait.

Who may come in depends on the port a guest calls from. The function is a C callback. It sees both addresses and what
the program passes through, and answers CF_ACCEPT, CF_REJECT or CF_DEFER. A guest who has to wait stays the first in the
queue whoever else has come, and loses nothing of what it says meanwhile.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import (
    POINTER,
    WINFUNCTYPE,
    byref,
    c_char,
    c_int,
    c_short,
    c_size_t,
    c_uint,
    c_ulong,
    c_ushort,
    c_void_p,
    sizeof,
)

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOL_SOCKET, SO_RCVTIMEO, SO_PAUSE_ACCEPT = 0xFFFF, 0x1006, 0x3003
CF_ACCEPT, CF_REJECT, CF_DEFER = 0, 1, 2
SOCKET_ERROR = -1
WSAECONNRESET, WSAECONNREFUSED, WSATRY_AGAIN = 10054, 10061, 11002
SOCKET = c_size_t
INVALID_SOCKET = SOCKET(-1).value
PASSED_THROUGH = 0x0123456789ABCDEF if sizeof(c_void_p) == 8 else 0x01234567


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ulong), ("sin_zero", c_char * 8)]


class WSABUF(ctypes.Structure):
    """A buffer and its length."""

    _fields_ = [("len", c_ulong), ("buf", c_void_p)]


#: int CALLBACK ConditionFunc(lpCallerId, lpCallerData, lpSQOS, lpGQOS, lpCalleeId, lpCalleeData, g, dwCallbackData)
LPCONDITIONPROC = WINFUNCTYPE(
    c_int,
    POINTER(WSABUF),
    POINTER(WSABUF),
    c_void_p,
    c_void_p,
    POINTER(WSABUF),
    POINTER(WSABUF),
    POINTER(c_uint),
    c_size_t,
)

ws2_32 = ctypes.windll.ws2_32
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.accept.argtypes = [SOCKET, POINTER(sockaddr_in), POINTER(c_int)]
ws2_32.WSAAccept.restype = SOCKET
ws2_32.WSAAccept.argtypes = [SOCKET, POINTER(sockaddr_in), POINTER(c_int), LPCONDITIONPROC, c_size_t]
WSAGetLastError = ws2_32.WSAGetLastError


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"conditional_accept: not as on Windows: {what}")


def name_of(s: int) -> sockaddr_in:
    """The local address of a socket."""
    name = sockaddr_in()
    check(ws2_32.getsockname(s, byref(name), byref(c_int(sizeof(name)))))
    return name


class Door:
    """The listening socket and its keeper."""

    def __init__(self) -> None:
        self.socket = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        anywhere = sockaddr_in(AF_INET, 0, ws2_32.inet_addr(b"127.0.0.1"))
        check(ws2_32.bind(self.socket, byref(anywhere), sizeof(anywhere)))
        check(ws2_32.listen(self.socket, 10))
        self.address = name_of(self.socket)
        self.answers: dict[int, int] = {}
        self.seen: list[int] = []
        self.complaints: list[str] = []
        self.ask = LPCONDITIONPROC(self.decide)  # kept, as long as the DLL may call it

    def decide(
        self,
        caller: ctypes._Pointer[WSABUF],
        caller_data: ctypes._Pointer[WSABUF],
        sqos: int | None,
        gqos: int | None,
        callee: ctypes._Pointer[WSABUF],
        callee_data: ctypes._Pointer[WSABUF],
        group: ctypes._Pointer[c_uint],
        passed: int,
    ) -> int:
        """The condition function."""
        guest = sockaddr_in.from_address(caller.contents.buf or 0)
        door = sockaddr_in.from_address(callee.contents.buf or 0)
        self.note(caller.contents.len == sizeof(sockaddr_in), "the caller's address has another length")
        self.note(door.sin_port == self.address.sin_port, "the callee's address is another one")
        self.note(not caller_data or not caller_data.contents.len, "TCP has no connect data")
        self.note(not callee_data or not callee_data.contents.len, "TCP has no room for an answer")
        self.note(not sqos and not gqos, "there is no quality of service")
        self.note(passed == PASSED_THROUGH, f"dwCallbackData is {passed:#x}")
        self.seen.append(guest.sin_port)
        return self.answers.get(guest.sin_port, CF_REJECT)

    def note(self, condition: bool, complaint: str) -> None:
        """An exception cannot pass through the DLL; the program complains later."""
        if not condition:
            self.complaints.append(complaint)

    def open(self) -> tuple[int, int]:
        """Ask the keeper about the first guest: (socket, port), or (INVALID_SOCKET, error)."""
        guest = sockaddr_in()
        s = ws2_32.WSAAccept(self.socket, byref(guest), byref(c_int(sizeof(guest))), self.ask, PASSED_THROUGH)
        return (s, WSAGetLastError()) if s == INVALID_SOCKET else (s, guest.sin_port)


class Guest:
    """Somebody at the door."""

    def __init__(self, door: Door) -> None:
        self.socket = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        limit = c_ulong(10000)
        check(ws2_32.setsockopt(self.socket, SOL_SOCKET, SO_RCVTIMEO, byref(limit), sizeof(limit)))
        check(ws2_32.connect(self.socket, byref(door.address), sizeof(door.address)))
        self.port: int = name_of(self.socket).sin_port

    def hears(self) -> bytes | int:
        """What is said to the guest, or the error that it gets instead."""
        buffer = ctypes.create_string_buffer(64)
        received = ws2_32.recv(self.socket, buffer, sizeof(buffer), 0)
        return WSAGetLastError() if received == SOCKET_ERROR else buffer.raw[:received]

    def leave(self) -> None:
        """Hang up."""
        check(ws2_32.closesocket(self.socket))


def welcome(s: int) -> None:
    """Greet whoever was let in."""
    check(ws2_32.send(s, b"welcome", 7, 0))
    check(ws2_32.closesocket(s))


def main() -> None:
    """Five guests, and one before a closed door."""
    failed = ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512))
    expect(failed == 0, f"WSAStartup returned {failed}")
    door = Door()
    friend, stranger, early, late = (Guest(door) for _ in range(4))
    door.answers = {friend.port: CF_ACCEPT, early.port: CF_DEFER, late.port: CF_ACCEPT}

    s, port = door.open()
    expect(s != INVALID_SOCKET and port == friend.port, "the friend was not let in")
    welcome(s)
    expect(friend.hears() == b"welcome", "the friend was not greeted")
    print("a friend: let in")

    s, error = door.open()
    expect((s, error) == (INVALID_SOCKET, WSAECONNREFUSED), f"a rejection is error {error}")
    print(f"a stranger: {ctypes.WinError(error)}")
    heard = stranger.hears()
    expect(heard == WSAECONNRESET, f"the stranger hears {heard!r}")
    print(f"            {ctypes.WinError(WSAECONNRESET)}")

    for _ in range(2):
        s, error = door.open()
        expect((s, error) == (INVALID_SOCKET, WSATRY_AGAIN), f"a deferral is error {error}")
    expect(door.seen[-2:] == [early.port] * 2, "the first in the queue has lost its place")
    print("one who is early: has to wait, and is asked about again")
    check(ws2_32.send(early.socket, b"hello?", 6, 0))

    guest = sockaddr_in()
    s = check(ws2_32.accept(door.socket, byref(guest), byref(c_int(sizeof(guest)))))
    expect(guest.sin_port == early.port, "accept took another guest than the one who waits")
    buffer = ctypes.create_string_buffer(6)
    expect(check(ws2_32.recv(s, buffer, 6, 0)) == 6 and buffer.raw == b"hello?", "what it said has got lost")
    welcome(s)
    expect(early.hears() == b"welcome", "the one who waited was not greeted")
    print("a plain accept: lets the one in who waits")

    s, port = door.open()
    expect(s != INVALID_SOCKET and port == late.port, "the last guest was not let in")
    welcome(s)
    print("one who came later: let in behind it")
    expected = [friend.port, stranger.port, *[early.port] * 2, late.port]
    expect(door.seen == expected, "the keeper was asked in another order")

    pause = c_int(1)
    check(ws2_32.setsockopt(door.socket, SOL_SOCKET, SO_PAUSE_ACCEPT, byref(pause), sizeof(pause)))
    try:
        Guest(door)
    except ConnectionRefusedError as refused:
        print(f"a closed door: {refused}")
    else:
        expect(False, "somebody came through a closed door")
    pause.value = 0
    check(ws2_32.setsockopt(door.socket, SOL_SOCKET, SO_PAUSE_ACCEPT, byref(pause), sizeof(pause)))
    latest = Guest(door)
    door.answers[latest.port] = CF_ACCEPT
    s, port = door.open()
    expect(port == latest.port, "the door stayed closed")
    welcome(s)
    print("open again: let in")

    expect(not door.complaints, "; ".join(door.complaints))
    for one in (friend, stranger, early, late, latest):
        one.leave()
    check(ws2_32.closesocket(door.socket))
    check(ws2_32.WSACleanup())
    print("all as on Windows")


if __name__ == "__main__":
    main()
