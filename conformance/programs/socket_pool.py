"""A pool of client sockets: ConnectEx sends a question, DisconnectEx gives the socket back for the next one.

The server closes first, as whoever reuses sockets wants it: the connection is in TIME_WAIT there, not here.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import Counter
from ctypes import POINTER, Structure, byref, c_char, c_int, c_short, c_size_t, c_ushort, c_void_p, sizeof, wintypes
from typing import Any

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
INVALID_HANDLE_VALUE = c_void_p(-1).value
SD_SEND = 1
SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, SO_CONNECT_TIME = 0xFFFF, 0x7010, 0x700C
NOT_CONNECTED = 0xFFFFFFFF
SIO_GET_EXTENSION_FUNCTION_POINTER = 0xC8000006
TF_REUSE_SOCKET = 2
WSAEINVAL, WSAENOTCONN = 10022, 10057
ERROR_IO_PENDING, ERROR_CONNECTION_REFUSED = 997, 1225
TEN_SECONDS = 10_000

SOCKETS, QUESTIONS = 20, 300
CONNECT, RECEIVE, DISCONNECT = "connect", "receive", "disconnect"


class sockaddr_in(Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", wintypes.ULONG), ("sin_zero", c_char * 8)]


class GUID(Structure):
    """The name of an extension function."""

    _fields_ = [
        ("Data1", wintypes.DWORD),
        ("Data2", wintypes.WORD),
        ("Data3", wintypes.WORD),
        ("Data4", wintypes.BYTE * 8),
    ]


WSAID_CONNECTEX = GUID(0x25A207B9, 0xDDF3, 0x4660, (wintypes.BYTE * 8)(0x8E, 0xE9, 0x76, 0xE5, 0x8C, 0x74, 0x06, 0x3E))
WSAID_DISCONNECTEX = GUID(
    0x7FDA2E11, 0x8630, 0x436F, (wintypes.BYTE * 8)(0xA0, 0x31, 0xF5, 0x36, 0xA6, 0xEE, 0xC1, 0x57)
)


class WSABUF(Structure):
    """A buffer."""

    _fields_ = [("len", wintypes.ULONG), ("buf", c_void_p)]


class OVERLAPPED(Structure):
    """The record of a request."""

    _fields_ = [
        ("Internal", c_size_t),
        ("InternalHigh", c_size_t),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),
    ]


CONNECTEX = ctypes.WINFUNCTYPE(
    wintypes.BOOL, SOCKET, c_void_p, c_int, c_void_p, wintypes.DWORD, POINTER(wintypes.DWORD), c_void_p
)
DISCONNECTEX = ctypes.WINFUNCTYPE(wintypes.BOOL, SOCKET, c_void_p, wintypes.DWORD, wintypes.DWORD)

ws2_32 = ctypes.WinDLL("ws2_32")
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
ws2_32.socket.restype = ws2_32.accept.restype = SOCKET
ws2_32.inet_addr.restype = wintypes.ULONG
kernel32.CreateIoCompletionPort.restype = wintypes.HANDLE
kernel32.CreateIoCompletionPort.argtypes = [wintypes.HANDLE, wintypes.HANDLE, c_size_t, wintypes.DWORD]
kernel32.GetQueuedCompletionStatus.argtypes = [
    wintypes.HANDLE,
    POINTER(wintypes.DWORD),
    POINTER(c_size_t),
    POINTER(c_void_p),
    wintypes.DWORD,
]
kernel32.CloseHandle.argtypes = [wintypes.HANDLE]


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(ws2_32.WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"socket_pool: not as on Windows: {what}")


def tcp_socket() -> int:
    """A new TCP socket."""
    return check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))


def bound_socket() -> tuple[int, sockaddr_in]:
    """One that has a name, and the name; the system chooses the port."""
    s = tcp_socket()
    name = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
    check(ws2_32.bind(SOCKET(s), byref(name), sizeof(name)))
    return s, name_of(s)


def name_of(s: int) -> sockaddr_in:
    """The local address."""
    name, length = sockaddr_in(), c_int(sizeof(sockaddr_in))
    check(ws2_32.getsockname(SOCKET(s), byref(name), byref(length)))
    return name


def extension(s: int, name: GUID, prototype: Any) -> Any:
    """The function that the socket's provider has under a GUID."""
    function, returned = prototype(0), wintypes.DWORD()
    where = (byref(name), sizeof(name), byref(function), sizeof(function), byref(returned), None, None)
    check(ws2_32.WSAIoctl(SOCKET(s), SIO_GET_EXTENSION_FUNCTION_POINTER, *where))
    return function


class Server(threading.Thread):
    """A server as it always was: it answers one question after the other, and closes each connection."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener, self.address = bound_socket()
        check(ws2_32.listen(SOCKET(self.listener), SOCKETS))

    def run(self) -> None:
        """Answer until the listening socket is closed."""
        room = ctypes.create_string_buffer(64)
        while True:
            s = SOCKET(ws2_32.accept(SOCKET(self.listener), None, None))
            if s.value == INVALID_SOCKET:
                return
            received = check(ws2_32.recv(s, room, sizeof(room), 0))
            answer = b"answer to " + room.raw[:received]
            check(ws2_32.send(s, answer, len(answer), 0))
            check(ws2_32.shutdown(s, SD_SEND))
            while check(ws2_32.recv(s, room, sizeof(room), 0)):
                pass  # until the client has ended as well
            check(ws2_32.closesocket(s))


class Line(Structure):
    """One socket of the pool, its record first, so that a packet leads to it."""

    _fields_ = [("overlapped", OVERLAPPED), ("s", SOCKET), ("port", c_ushort), ("room", c_char * 64)]

    stage: str
    question: bytes
    answer: bytes

    def received(self, count: int) -> bytes:
        """The first bytes of the room."""
        return ctypes.string_at(ctypes.addressof(self) + Line.room.offset, count)


class Pool:
    """The sockets, and the port that hears of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 1)
        self.lines: dict[int, Line] = {}
        self.stages: Counter[str] = Counter()
        self.asked = 0
        for _ in range(SOCKETS):
            s, name = bound_socket()
            line = Line(s=s, port=name.sin_port)
            self.lines[ctypes.addressof(line)] = line
            if kernel32.CreateIoCompletionPort(s, self.port, 0, 0) != self.port:
                raise ctypes.WinError(ctypes.get_last_error())
        self.ConnectEx = extension(server.listener, WSAID_CONNECTEX, CONNECTEX)
        self.DisconnectEx = extension(server.listener, WSAID_DISCONNECTEX, DISCONNECTEX)

    def packet(self) -> tuple[Line, int, int]:
        """The next request that is complete: whose, its bytes, its error."""
        moved, key, overlapped = wintypes.DWORD(), c_size_t(), c_void_p()
        heard = (byref(moved), byref(key), byref(overlapped), TEN_SECONDS)
        fine = kernel32.GetQueuedCompletionStatus(self.port, *heard)
        error = 0 if fine else ctypes.get_last_error()
        expect(bool(overlapped.value), f"no packet comes: error {error}")
        return self.lines[overlapped.value or 0], moved.value, error

    def started(self, line: Line, stage: str, result: int) -> None:
        """A call was made whose outcome a packet is to tell."""
        error = 0 if result else ws2_32.WSAGetLastError()
        expect(result != 0 or error == ERROR_IO_PENDING, f"{stage} fails with {error}")
        line.stage = stage

    def connect(self, line: Line, address: sockaddr_in, question: bytes) -> None:
        """Connect, and send a question with it."""
        line.question, line.answer = question, b""
        line.overlapped = OVERLAPPED()
        data = (question, len(question), None)
        result = self.ConnectEx(line.s, byref(address), sizeof(address), *data, byref(line))
        expect(not result, "ConnectEx does not pend")
        self.started(line, CONNECT, result)

    def ask(self, line: Line) -> None:
        """The next question, as long as there are any."""
        if self.asked < QUESTIONS:
            self.asked += 1
            self.connect(line, self.server.address, b"question %d" % self.asked)

    def receive(self, line: Line) -> None:
        """More of the answer."""
        buffer = WSABUF(Line.room.size, ctypes.addressof(line) + Line.room.offset)
        flags = wintypes.DWORD()
        line.overlapped = OVERLAPPED()
        failed = ws2_32.WSARecv(SOCKET(line.s), byref(buffer), 1, None, byref(flags), byref(line), None)
        self.started(line, RECEIVE, not failed)

    def disconnect(self, line: Line) -> None:
        """End the connection, and get the socket back."""
        line.overlapped = OVERLAPPED()
        self.started(line, DISCONNECT, self.DisconnectEx(line.s, byref(line), TF_REUSE_SOCKET, 0))

    def connected(self, line: Line, moved: int) -> None:
        """A connection is there, and the question on its way."""
        expect(moved == len(line.question), f"ConnectEx has sent {moved} bytes")
        peer, length = sockaddr_in(), c_int(sizeof(sockaddr_in))
        where = (byref(peer), byref(length))
        nobody = ws2_32.getpeername(SOCKET(line.s), *where), ws2_32.WSAGetLastError()
        expect(nobody == (SOCKET_ERROR, WSAENOTCONN), f"getpeername without the context: {nobody}")
        check(ws2_32.setsockopt(SOCKET(line.s), SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, None, 0))
        check(ws2_32.getpeername(SOCKET(line.s), *where))
        expect(peer.sin_port == self.server.address.sin_port, "another peer")
        expect(name_of(line.s).sin_port == line.port, "another local port")
        expect(connect_time(line.s) < NOT_CONNECTED, "a connected socket has no connect time")

    def answered(self, line: Line) -> None:
        """The server has ended."""
        expect(line.answer == b"answer to " + line.question, f"the answer is {line.answer!r}")
        self.disconnect(line)

    def next(self) -> bool:
        """Handle a packet; whether its socket goes on."""
        line, moved, error = self.packet()
        expect(not error, f"{line.stage} has failed with {error}")
        self.stages[line.stage] += 1
        if line.stage == CONNECT:
            self.connected(line, moved)
            self.receive(line)
        elif line.stage == RECEIVE and moved:
            line.answer += line.received(moved)
            self.receive(line)
        elif line.stage == RECEIVE:
            self.answered(line)
        else:
            expect(connect_time(line.s) == NOT_CONNECTED, "a socket that was disconnected has a connect time")
            self.ask(line)
            return line.stage == CONNECT
        return True


def connect_time(s: int) -> int:
    """The seconds that a socket has been connected for."""
    seconds, size = wintypes.DWORD(), c_int(sizeof(wintypes.DWORD))
    check(ws2_32.getsockopt(SOCKET(s), SOL_SOCKET, SO_CONNECT_TIME, byref(seconds), byref(size)))
    return seconds.value


def refused(pool: Pool) -> None:
    """What cannot be connected, and that the socket can all the same."""
    nowhere, name = bound_socket()  # nobody listens there
    line = next(iter(pool.lines.values()))
    pool.connect(line, name, b"anybody there?")
    told, moved, error = pool.packet()
    expect((told, moved) == (line, 0), "another packet than that of the refused request")
    expect(error == ERROR_CONNECTION_REFUSED, f"a refused ConnectEx has failed with {error}")
    print(f"nobody listens: {ctypes.WinError(error)}")

    record = OVERLAPPED()
    unbound = tcp_socket()
    result = pool.ConnectEx(unbound, byref(name), sizeof(name), None, 0, None, byref(record))
    failure = result, ws2_32.WSAGetLastError()
    expect(failure == (0, WSAEINVAL), f"ConnectEx on a socket without a name: {failure}")
    for s in (unbound, nowhere):
        check(ws2_32.closesocket(SOCKET(s)))


def main() -> None:
    """Ask all questions, a number of them at a time."""
    expect(ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512)) == 0, "WSAStartup fails")
    server = Server()
    server.start()
    pool = Pool(server)
    refused(pool)
    for line in pool.lines.values():
        pool.ask(line)
    going = len(pool.lines)
    while going:
        going -= not pool.next()
    print(f"{pool.stages[CONNECT]} connections from {len(pool.lines)} sockets, every question answered")
    expect(pool.stages[DISCONNECT] == QUESTIONS, f"{pool.stages[DISCONNECT]} connections have ended")
    for line in pool.lines.values():
        expect(name_of(line.s).sin_port == line.port, "a socket has lost its name")
        check(ws2_32.closesocket(SOCKET(line.s)))
    print("each socket has the name that it had at first")
    check(ws2_32.closesocket(SOCKET(server.listener)))
    server.join(10)
    expect(not server.is_alive(), "the server goes on")
    expect(kernel32.CloseHandle(pool.port), "CloseHandle fails")
    check(ws2_32.WSACleanup())


if __name__ == "__main__":
    main()
