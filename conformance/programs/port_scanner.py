"""A port scanner of the loopback address: many connects at once, and one WSAPoll that tells how each has ended.

Every socket is non-blocking and waits for POLLWRNORM. A port where somebody listens makes it writable; where nobody
does, the connect fails, which WSAPoll tells with POLLERR and POLLHUP (since Windows 10 version 2004) and SO_ERROR with
WSAECONNREFUSED. A scan ends with the bits of what is no socket any more.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from ctypes import POINTER, byref, c_char, c_int, c_long, c_short, c_size_t, c_ulong, c_ushort, c_void_p, sizeof

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOL_SOCKET, SO_ERROR = 0xFFFF, 0x1007
FIONBIO = 0x8004667E - (1 << 32)  # as a long
POLLERR, POLLHUP, POLLNVAL, POLLWRNORM, POLLRDNORM = 0x0001, 0x0002, 0x0004, 0x0010, 0x0100
SOCKET_ERROR = -1
WSAEWOULDBLOCK, WSAECONNREFUSED = 10035, 10061
SOCKET = c_size_t
INVALID_SOCKET = SOCKET(-1).value

LOOPBACK = 0x0100007F  # 127.0.0.1 in network byte order
OPEN, SHUT = 12, 52
AT_ONCE = 24
PATIENCE_MS = 20_000


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ulong), ("sin_zero", c_char * 8)]


class WSAPOLLFD(ctypes.Structure):
    """A socket, what is waited for, and what there is."""

    _fields_ = [("fd", SOCKET), ("events", c_short), ("revents", c_short)]


ws2_32 = ctypes.WinDLL("ws2_32", use_last_error=True)
ws2_32.socket.restype = SOCKET
ws2_32.connect.argtypes = [SOCKET, POINTER(sockaddr_in), c_int]
ws2_32.bind.argtypes = [SOCKET, POINTER(sockaddr_in), c_int]
ws2_32.getsockname.argtypes = [SOCKET, POINTER(sockaddr_in), POINTER(c_int)]
ws2_32.getsockopt.argtypes = [SOCKET, c_int, c_int, c_void_p, POINTER(c_int)]
ws2_32.ioctlsocket.argtypes = [SOCKET, c_long, POINTER(c_ulong)]
ws2_32.listen.argtypes = [SOCKET, c_int]
ws2_32.closesocket.argtypes = [SOCKET]
ws2_32.WSAPoll.argtypes = [POINTER(WSAPOLLFD), c_ulong, c_int]


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(ctypes.get_last_error())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"port_scanner: not as on Windows: {what}")


class Scanner:
    """Scans ports of 127.0.0.1, a number of them at once."""

    def __init__(self) -> None:
        self.polls = 0
        self.most = 0

    def scan(self, ports: Iterable[int]) -> dict[int, bool]:
        """Whether somebody listens, for each port (in network byte order)."""
        found: dict[int, bool] = {}
        waiting: dict[int, int] = {}
        todo = iter(ports)
        try:
            while self.start(todo, waiting) or waiting:
                for s, open_ in list(self.ended(waiting)):
                    found[waiting.pop(s)] = open_
                    check(ws2_32.closesocket(s))
        finally:
            for s in waiting:
                ws2_32.closesocket(s)
        return found

    def start(self, todo: Iterator[int], waiting: dict[int, int]) -> bool:
        """Begin connects until there are enough; whether one has been begun."""
        begun = False
        while len(waiting) < AT_ONCE and (port := next(todo, None)) is not None:
            begun = True
            s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
            waiting[s] = port
            check(ws2_32.ioctlsocket(s, FIONBIO, byref(c_ulong(1))))
            result = ws2_32.connect(s, byref(sockaddr_in(AF_INET, port, LOOPBACK)), sizeof(sockaddr_in))
            expect(result == SOCKET_ERROR, "a non-blocking connect is never over when the call returns")
            error = ctypes.get_last_error()
            expect(error == WSAEWOULDBLOCK, f"connect says {error}")
        self.most = max(self.most, len(waiting))
        return begun

    def ended(self, waiting: dict[int, int]) -> Iterator[tuple[int, bool]]:
        """The sockets whose connect has ended, and whether it was successful."""
        fds = (WSAPOLLFD * len(waiting))(*(WSAPOLLFD(s, POLLWRNORM, -1) for s in waiting))
        count = check(ws2_32.WSAPoll(fds, len(fds), PATIENCE_MS))
        self.polls += 1
        expect(count > 0, "no connect ends")
        expect(count == sum(fd.revents != 0 for fd in fds), "WSAPoll returns the number of entries that have bits")
        for fd in fds:
            error = c_int()
            if not fd.revents:
                continue
            check(ws2_32.getsockopt(fd.fd, SOL_SOCKET, SO_ERROR, byref(error), byref(c_int(sizeof(error)))))
            if fd.revents == POLLWRNORM:
                expect(error.value == 0, f"a socket that is connected has error {error.value}")
            else:
                expect(fd.revents & (POLLERR | POLLHUP) == POLLERR | POLLHUP, f"a refused connect has {fd.revents:#x}")
                expect(error.value == WSAECONNREFUSED, f"SO_ERROR says {error.value}")
            yield fd.fd, fd.revents == POLLWRNORM


def bound() -> tuple[int, int]:
    """A socket at a port of its own, and the port."""
    s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
    name = sockaddr_in(AF_INET, 0, LOOPBACK)
    check(ws2_32.bind(s, byref(name), sizeof(name)))
    check(ws2_32.getsockname(s, byref(name), byref(c_int(sizeof(name)))))
    return s, name.sin_port


def main() -> None:
    """Open some ports, leave others shut, and find out which is which."""
    check(-1 if ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512)) else 0)
    with ExitStack() as at_the_end:
        at_the_end.callback(ws2_32.WSACleanup)
        listening: dict[int, int] = {}
        ports = []
        for number in range(OPEN + SHUT):
            s, port = bound()
            at_the_end.callback(ws2_32.closesocket, s)
            ports.append(port)
            if number % 5 == 0 and len(listening) < OPEN:
                check(ws2_32.listen(s, 5))
                listening[port] = s
        # The sockets that only are bound hold their ports: nobody else can come to listen there.
        scanner = Scanner()
        found = scanner.scan(ports)
        expect(found == {port: port in listening for port in ports}, "open ports are not those where somebody listens")
        print(f"{len(found)} ports scanned: {sum(found.values())} open, {len(found) - sum(found.values())} shut")
        print(f"up to {scanner.most} connects at once, {scanner.polls} calls of WSAPoll")

        fds = (WSAPOLLFD * len(listening))(*(WSAPOLLFD(s, POLLRDNORM, 0) for s in listening.values()))
        count = check(ws2_32.WSAPoll(fds, len(fds), PATIENCE_MS))
        expect(count == OPEN, f"{count} of the listeners have somebody to accept")
        print(f"{count} listeners have been called")

        gone, port = bound()
        check(ws2_32.closesocket(gone))
        fds = (WSAPOLLFD * 2)(WSAPOLLFD(gone, POLLRDNORM, 0), WSAPOLLFD(next(iter(listening.values())), POLLRDNORM, 0))
        count = check(ws2_32.WSAPoll(fds, len(fds), 0))
        expect([fd.revents for fd in fds] == [POLLNVAL, POLLRDNORM], "only the closed socket has POLLNVAL")
        print(f"a closed socket among others: POLLNVAL, {count} entries have bits")
        expect(not scanner.scan([port])[port], "the port of a closed socket is shut")
    print("all as on Windows")


main()
