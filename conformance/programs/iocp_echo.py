"""An echo server as Windows wants it: AcceptEx, one completion port, four workers; and five hundred clients."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import Counter
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_char,
    c_char_p,
    c_int,
    c_short,
    c_size_t,
    c_ushort,
    c_void_p,
    cast,
    create_string_buffer,
    sizeof,
    wintypes,
)
from typing import Any

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
INVALID_HANDLE_VALUE = c_void_p(-1).value
SD_SEND = 1
SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT = 0xFFFF, 0x700B
SIO_GET_EXTENSION_FUNCTION_POINTER = 0xC8000006
INFINITE = 0xFFFFFFFF
ERROR_IO_PENDING, ERROR_NETNAME_DELETED, ERROR_OPERATION_ABORTED = 997, 64, 995

WORKERS, CLIENTS, AT_ONCE, ROUNDS = 4, 500, 50, 4
ROOM = 64  # for the first data, and 16 more than an address for each of the two
ADDRESS_ROOM = 16 + 16
ACCEPT, RECEIVE, SEND, STOP = 1, 2, 3, 4


class WSADATA(Structure):
    """What WSAStartup fills in, on 64-bit Windows."""

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

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", wintypes.ULONG), ("sin_zero", c_char * 8)]


class GUID(Structure):
    """The name of an extension function."""

    _fields_ = [
        ("Data1", wintypes.DWORD),
        ("Data2", wintypes.WORD),
        ("Data3", wintypes.WORD),
        ("Data4", wintypes.BYTE * 8),
    ]


WSAID_ACCEPTEX = GUID(0xB5367DF1, 0xCBAC, 0x11CF, (wintypes.BYTE * 8)(0x95, 0xCA, 0x00, 0x80, 0x5F, 0x48, 0xA1, 0x92))
WSAID_GETACCEPTEXSOCKADDRS = GUID(
    0xB5367DF2, 0xCBAC, 0x11CF, (wintypes.BYTE * 8)(0x95, 0xCA, 0x00, 0x80, 0x5F, 0x48, 0xA1, 0x92)
)


class WSABUF(Structure):
    """A buffer."""

    _fields_ = [("len", wintypes.ULONG), ("buf", c_void_p)]


class REQUEST(Structure):
    """An OVERLAPPED, and behind it what kind of request it is, whose, and its buffer."""

    _fields_ = [
        ("Internal", c_size_t),
        ("InternalHigh", c_size_t),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),
        ("kind", c_int),
        ("number", c_int),
        ("s", SOCKET),
        ("buffer", c_char * (ROOM + 2 * ADDRESS_ROOM)),
    ]


ACCEPTEX = ctypes.WINFUNCTYPE(
    wintypes.BOOL,
    SOCKET,
    SOCKET,
    c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    wintypes.DWORD,
    POINTER(wintypes.DWORD),
    c_void_p,
)
GETACCEPTEXSOCKADDRS = ctypes.WINFUNCTYPE(
    None,
    c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    wintypes.DWORD,
    POINTER(c_void_p),
    POINTER(c_int),
    POINTER(c_void_p),
    POINTER(c_int),
)

ws2_32 = ctypes.WinDLL("ws2_32")
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
ws2_32.socket.restype = SOCKET
ws2_32.inet_addr.restype = wintypes.ULONG
ws2_32.ntohs.restype = c_ushort
kernel32.CreateIoCompletionPort.restype = wintypes.HANDLE
kernel32.CreateIoCompletionPort.argtypes = [wintypes.HANDLE, wintypes.HANDLE, c_size_t, wintypes.DWORD]
kernel32.PostQueuedCompletionStatus.argtypes = [wintypes.HANDLE, wintypes.DWORD, c_size_t, c_void_p]
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
        sys.exit(f"iocp_echo: not as on Windows: {what}")


def tcp_socket() -> int:
    """A new TCP socket."""
    return check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))


def extension(s: int, name: GUID, prototype: Any) -> Any:
    """The function that the socket's provider has under a GUID."""
    function, returned = prototype(0), wintypes.DWORD()
    where = (byref(name), sizeof(name), byref(function), sizeof(function), byref(returned), None, None)
    check(ws2_32.WSAIoctl(SOCKET(s), SIO_GET_EXTENSION_FUNCTION_POINTER, *where))
    return function


class Server:
    """The server: requests go out, packets come back, and nothing waits in between."""

    def __init__(self) -> None:
        self.port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, WORKERS)
        self.listener = tcp_socket()
        self.address = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
        check(ws2_32.bind(SOCKET(self.listener), byref(self.address), sizeof(self.address)))
        length = c_int(sizeof(self.address))
        check(ws2_32.getsockname(SOCKET(self.listener), byref(self.address), byref(length)))
        check(ws2_32.listen(SOCKET(self.listener), 200))
        self.associate(self.listener)
        self.AcceptEx = extension(self.listener, WSAID_ACCEPTEX, ACCEPTEX)
        self.GetAcceptExSockaddrs = extension(self.listener, WSAID_GETACCEPTEXSOCKADDRS, GETACCEPTEXSOCKADDRS)
        self.lock = threading.Lock()
        self.requests: dict[int, REQUEST] = {}  # keeps the memory while requests pend
        self.counts: Counter[str] = Counter()
        self.complaints: list[str] = []
        self.workers = [threading.Thread(target=self.work, daemon=True) for _ in range(WORKERS)]

    def associate(self, s: int) -> None:
        """Have the port hear of a socket."""
        if kernel32.CreateIoCompletionPort(s, self.port, s, 0) != self.port:
            raise ctypes.WinError(ctypes.get_last_error())

    def note(self, condition: bool, what: str) -> None:
        """As `expect`, in a worker."""
        if not condition:
            self.complaints.append(what)

    def begin_accept(self) -> None:
        """One more connection may come; it is told with its first data."""
        request = REQUEST(kind=ACCEPT, s=tcp_socket())
        self.requests[ctypes.addressof(request)] = request
        where = ctypes.addressof(request) + REQUEST.buffer.offset
        received = wintypes.DWORD()
        sizes = (ROOM, ADDRESS_ROOM, ADDRESS_ROOM, byref(received), byref(request))
        if not self.AcceptEx(self.listener, request.s, where, *sizes):
            error = ws2_32.WSAGetLastError()
            self.note(error == ERROR_IO_PENDING, f"AcceptEx fails with {error}")

    def work(self) -> None:
        """What each worker does."""
        moved, key, overlapped = wintypes.DWORD(), c_size_t(), c_void_p()
        while True:
            fine = kernel32.GetQueuedCompletionStatus(self.port, byref(moved), byref(key), byref(overlapped), INFINITE)
            error = 0 if fine else ctypes.get_last_error()
            if not overlapped.value:
                self.note(key.value == STOP, f"a packet without a request: {error}")
                return
            request = cast(overlapped.value, POINTER(REQUEST)).contents
            with self.lock:
                self.counts["packets"] += 1
            if error:
                self.note(error in (ERROR_NETNAME_DELETED, ERROR_OPERATION_ABORTED), f"a request fails with {error}")
                self.end(request)
            elif request.kind == ACCEPT:
                self.begin_accept()
                self.accepted(request, moved.value)
            elif request.kind == SEND:
                self.receive(request)
            elif moved.value:
                self.send(request, moved.value)
            else:
                self.end(request)

    def accepted(self, request: REQUEST, moved: int) -> None:
        """A connection has come, with its first data."""
        listener = SOCKET(self.listener)
        update = (SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, byref(listener), sizeof(listener))
        check(ws2_32.setsockopt(SOCKET(request.s), *update))
        local, remote, sizes = c_void_p(), c_void_p(), (c_int(), c_int())
        where = ctypes.addressof(request) + REQUEST.buffer.offset
        rooms = (ROOM, ADDRESS_ROOM, ADDRESS_ROOM)
        self.GetAcceptExSockaddrs(where, *rooms, byref(local), byref(sizes[0]), byref(remote), byref(sizes[1]))
        peer, length = sockaddr_in(), c_int(sizeof(sockaddr_in))
        check(ws2_32.getpeername(SOCKET(request.s), byref(peer), byref(length)))
        told = cast(remote, POINTER(sockaddr_in)).contents
        self.note(told.sin_port == peer.sin_port, "GetAcceptExSockaddrs and getpeername differ")
        self.note(cast(local, POINTER(sockaddr_in)).contents.sin_port == self.address.sin_port, "another local port")
        with self.lock:
            self.counts["connections"] += 1
        self.associate(request.s)
        self.send(request, moved)

    def transfer(self, request: REQUEST, kind: int, size: int) -> None:
        """Begin a send or a receive; what fails at once is never told by a packet."""
        request.kind = kind
        buffer = WSABUF(size, ctypes.addressof(request) + REQUEST.buffer.offset)
        flags = wintypes.DWORD(0)
        if kind == SEND:
            failed = ws2_32.WSASend(SOCKET(request.s), byref(buffer), 1, None, 0, byref(request), None)
        else:
            failed = ws2_32.WSARecv(SOCKET(request.s), byref(buffer), 1, None, byref(flags), byref(request), None)
        if failed and ws2_32.WSAGetLastError() != ERROR_IO_PENDING:
            self.end(request)

    def send(self, request: REQUEST, moved: int) -> None:
        """Send back what has come."""
        self.transfer(request, SEND, moved)

    def receive(self, request: REQUEST) -> None:
        """Receive more."""
        self.transfer(request, RECEIVE, ROOM)

    def end(self, request: REQUEST) -> None:
        """A request, and with it its connection, is over."""
        check(ws2_32.closesocket(SOCKET(request.s)))
        with self.lock:
            self.counts["ended"] += 1
            del self.requests[ctypes.addressof(request)]


def talk(server: Server, number: int) -> None:
    """A client: a few messages, each comes back, then the end."""
    s = SOCKET(tcp_socket())
    check(ws2_32.connect(s, byref(server.address), sizeof(server.address)))
    buffer = create_string_buffer(ROOM)
    for round in range(ROUNDS):
        message = b"client %d, message %d" % (number, round)
        check(ws2_32.send(s, message, len(message), 0))
        answer = b""
        while len(answer) < len(message):
            received = check(ws2_32.recv(s, buffer, ROOM, 0))
            server.note(received > 0, "the server has closed early")
            answer += buffer.raw[:received]
        server.note(answer == message, f"{message!r} came back as {answer!r}")
    check(ws2_32.shutdown(s, SD_SEND))
    server.note(check(ws2_32.recv(s, buffer, ROOM, 0)) == 0, "more comes back than was sent")
    check(ws2_32.closesocket(s))


def main() -> None:
    """Serve all clients, a number of them at a time."""
    data = WSADATA()
    expect(ws2_32.WSAStartup(0x0202, byref(data)) == 0, "WSAStartup fails")
    server = Server()
    for _ in range(20):
        server.begin_accept()
    for worker in server.workers:
        worker.start()

    def clients(first: int) -> None:
        for number in range(first, CLIENTS, AT_ONCE):
            talk(server, number)

    threads = [threading.Thread(target=clients, args=(first,), daemon=True) for first in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expect(not any(thread.is_alive() for thread in threads), "a client is still waiting")
    print(f"{server.counts['connections']} connections, {CLIENTS * ROUNDS} messages, all came back")

    check(ws2_32.closesocket(SOCKET(server.listener)))  # ends the AcceptEx requests that wait
    for _ in range(5000):
        if not server.requests or server.complaints:
            break
        kernel32.Sleep(1)
    expect(not server.complaints, " and ".join(server.complaints[:2]))
    expect(not server.requests, f"{len(server.requests)} requests have never completed")
    for _ in server.workers:
        kernel32.PostQueuedCompletionStatus(server.port, 0, STOP, None)
    for worker in server.workers:
        worker.join(10)
    expect(server.counts["connections"] == CLIENTS, "there were other clients")
    print(f"{server.counts['ended']} requests ended with their sockets, the AcceptEx that waited among them")
    expect(kernel32.CloseHandle(server.port), "CloseHandle fails")
    check(ws2_32.WSACleanup())


if __name__ == "__main__":
    main()
