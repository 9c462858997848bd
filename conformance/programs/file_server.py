"""A file server that leaves the work to the system: AcceptEx brings a request, TransmitFile sends the answer.

It also gives the socket back for the next AcceptEx. Clients end first, with their request: so the connections are in
TIME_WAIT on their side, and the server's sockets are free at once.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_char,
    c_int,
    c_short,
    c_size_t,
    c_ushort,
    c_void_p,
    cast,
    sizeof,
    wintypes,
)
from pathlib import Path

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
INVALID_HANDLE_VALUE = c_void_p(-1).value
SD_SEND = 1
TF_DISCONNECT, TF_REUSE_SOCKET = 1, 2
ERROR_IO_PENDING, ERROR_OPERATION_ABORTED = 997, 995
WSAENOTCONN = 10057
INFINITE = 0xFFFFFFFF
GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING = 0x80000000, 1, 3
FILE_FLAG_SEQUENTIAL_SCAN = 0x08000000
FILE_BEGIN = 0

FILE_SIZE = 4_000_000
SOCKETS, CLIENTS, PARTS = 6, 10, 15
ADDRESS_ROOM = 16 + 16
STOP = 1


class sockaddr_in(Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", wintypes.ULONG), ("sin_zero", c_char * 8)]


class TRANSMIT_FILE_BUFFERS(Structure):
    """What is sent before and after the file."""

    _fields_ = [
        ("Head", c_void_p),
        ("HeadLength", wintypes.DWORD),
        ("Tail", c_void_p),
        ("TailLength", wintypes.DWORD),
    ]


class LINE(Structure):
    """A socket of the server: an OVERLAPPED, and behind it what belongs to the request."""

    _fields_ = [
        ("Internal", c_size_t),
        ("InternalHigh", c_size_t),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),
        ("s", SOCKET),
        ("accepts", c_int),
        ("room", c_char * (64 + 2 * ADDRESS_ROOM)),
        ("head", c_char * 32),
        ("tail", c_char * 8),
        ("around", TRANSMIT_FILE_BUFFERS),
    ]

    def at(self, field: str) -> int:
        """Where a field is."""
        return ctypes.addressof(self) + int(getattr(LINE, field).offset)


ws2_32 = ctypes.WinDLL("ws2_32")
mswsock = ctypes.WinDLL("mswsock")
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
ws2_32.socket.restype = ws2_32.accept.restype = SOCKET
ws2_32.inet_addr.restype = wintypes.ULONG
mswsock.AcceptEx.argtypes = [
    SOCKET,
    SOCKET,
    c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    wintypes.DWORD,
    POINTER(wintypes.DWORD),
    c_void_p,
]
mswsock.TransmitFile.argtypes = [
    SOCKET,
    wintypes.HANDLE,
    wintypes.DWORD,
    wintypes.DWORD,
    c_void_p,
    POINTER(TRANSMIT_FILE_BUFFERS),
    wintypes.DWORD,
]
kernel32.CreateFileW.restype = wintypes.HANDLE
kernel32.CreateFileW.argtypes = [
    wintypes.LPCWSTR,
    wintypes.DWORD,
    wintypes.DWORD,
    c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    wintypes.HANDLE,
]
kernel32.SetFilePointer.argtypes = [wintypes.HANDLE, wintypes.LONG, c_void_p, wintypes.DWORD]
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
        sys.exit(f"file_server: not as on Windows: {what}")


def tcp_socket() -> int:
    """A new TCP socket."""
    return check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))


def open_file(path: Path) -> int:
    """A handle of a file that exists."""
    how = (GENERIC_READ, FILE_SHARE_READ, None, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, None)
    handle: int = kernel32.CreateFileW(str(path), *how)
    if handle == INVALID_HANDLE_VALUE:
        raise ctypes.WinError(ctypes.get_last_error())
    return handle


class Server:
    """Two workers at a completion port, and a few sockets that are used again and again."""

    def __init__(self, path: Path) -> None:
        self.file = open_file(path)
        self.port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 2)
        self.listener = tcp_socket()
        self.address = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
        check(ws2_32.bind(SOCKET(self.listener), byref(self.address), sizeof(self.address)))
        length = c_int(sizeof(self.address))
        check(ws2_32.getsockname(SOCKET(self.listener), byref(self.address), byref(length)))
        check(ws2_32.listen(SOCKET(self.listener), 100))
        self.lines = [LINE(s=tcp_socket()) for _ in range(SOCKETS)]
        for s in (self.listener, *(line.s for line in self.lines)):
            if kernel32.CreateIoCompletionPort(s, self.port, 0, 0) != self.port:
                raise ctypes.WinError(ctypes.get_last_error())
        self.lock = threading.Lock()
        self.accepts = 0
        self.answers = 0
        self.aborted = 0
        self.bytes = 0
        self.complaints: list[str] = []
        self.workers = [threading.Thread(target=self.work, daemon=True) for _ in range(2)]

    def note(self, condition: bool, what: str) -> None:
        """As `expect`, in a worker."""
        if not condition:
            self.complaints.append(what)

    def pends(self, call: str, result: int) -> None:
        """A packet will tell how a call has ended, unless it has failed."""
        error = 0 if result else ws2_32.WSAGetLastError()
        self.note(error in (0, ERROR_IO_PENDING), f"{call} fails with {error}")

    def accept(self, line: LINE) -> None:
        """A socket is free: a connection may come, and its request with it."""
        line.accepts, line.Offset = 1, 0
        rooms = (64, ADDRESS_ROOM, ADDRESS_ROOM, byref(wintypes.DWORD()))
        self.pends("AcceptEx", mswsock.AcceptEx(self.listener, line.s, line.at("room"), *rooms, byref(line)))
        with self.lock:
            self.accepts += 1

    def answer(self, line: LINE, request: bytes) -> None:
        """Send the part of the file that was asked for, with its size before and a mark behind it."""
        first, size = map(int, request.split())
        line.accepts, line.Offset = 0, first
        line.head, line.tail = b"%d bytes\n" % size, b"\nEND\n"
        line.around = TRANSMIT_FILE_BUFFERS(line.at("head"), len(line.head), line.at("tail"), len(line.tail))
        how = (byref(line), byref(line.around), TF_DISCONNECT | TF_REUSE_SOCKET)
        self.pends("TransmitFile", mswsock.TransmitFile(line.s, self.file, size, 0, *how))

    def work(self) -> None:
        """What each worker does."""
        moved, key, overlapped = wintypes.DWORD(), c_size_t(), c_void_p()
        while True:
            fine = kernel32.GetQueuedCompletionStatus(self.port, byref(moved), byref(key), byref(overlapped), INFINITE)
            error = 0 if fine else ctypes.get_last_error()
            if not overlapped.value:
                self.note(key.value == STOP, f"a packet without a request: {error}")
                return
            line = cast(overlapped.value, POINTER(LINE)).contents
            if error:
                self.note(line.accepts == 1 and error == ERROR_OPERATION_ABORTED, f"a request has failed with {error}")
                with self.lock:
                    self.aborted += 1
            elif line.accepts:
                self.answer(line, ctypes.string_at(line.at("room"), moved.value))
            else:
                with self.lock:
                    self.answers += 1
                    self.bytes += moved.value
                self.accept(line)


def received(s: SOCKET) -> bytes:
    """Everything to the end of the stream."""
    room, data = ctypes.create_string_buffer(65536), bytearray()
    while moved := check(ws2_32.recv(s, room, sizeof(room), 0)):
        data += memoryview(room)[:moved]
    return bytes(data)


def fetch(server: Server, first: int, size: int) -> bytes:
    """A client: one request, one answer."""
    s = SOCKET(tcp_socket())
    check(ws2_32.connect(s, byref(server.address), sizeof(server.address)))
    request = b"%d %d" % (first, size)
    check(ws2_32.send(s, request, len(request), 0))
    check(ws2_32.shutdown(s, SD_SEND))
    answer = received(s)
    check(ws2_32.closesocket(s))
    return answer


def fetch_parts(server: Server, content: bytes, number: int) -> None:
    """A client that asks for several parts, of all sizes."""
    chance = random.Random(number)
    for _ in range(PARTS):
        first = chance.randrange(FILE_SIZE - 1)
        size = chance.randrange(1, min(FILE_SIZE - first, 600_000) + 1)
        answer = fetch(server, first, size)
        expected = b"%d bytes\n" % size + content[first : first + size] + b"\nEND\n"
        server.note(answer == expected, f"{size} bytes from {first}: {len(answer)} bytes, or other ones")


def send_without_a_record(server: Server, content: bytes) -> None:
    """The synchronous form: from the file's own position to its end."""
    listener, client = SOCKET(tcp_socket()), SOCKET(tcp_socket())
    name = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=server.address.sin_addr)
    check(ws2_32.bind(listener, byref(name), sizeof(name)))
    check(ws2_32.getsockname(listener, byref(name), byref(c_int(sizeof(name)))))
    check(ws2_32.listen(listener, 1))
    failure = mswsock.TransmitFile(client, server.file, 0, 0, None, None, 0), ws2_32.WSAGetLastError()
    expect(failure == (0, WSAENOTCONN), f"TransmitFile without a connection: {failure}")
    check(ws2_32.connect(client, byref(name), sizeof(name)))
    accepted = SOCKET(ws2_32.accept(listener, None, None))
    start = FILE_SIZE - 1000
    expect(kernel32.SetFilePointer(server.file, start, None, FILE_BEGIN) == start, "SetFilePointer fails")
    sent = mswsock.TransmitFile(accepted, server.file, 0, 0, None, None, TF_DISCONNECT)
    expect(sent != 0, f"TransmitFile fails with {ws2_32.WSAGetLastError()}")
    end = received(client)
    expect(end == content[start:], f"{len(end)} bytes have come instead of the last 1000")
    print(f"without a record: {len(end)} bytes, the last of the file")
    for s in (listener, client, accepted):
        check(ws2_32.closesocket(s))


def wait_until(condition: Callable[[], bool]) -> None:
    """Give the workers time for something; whether it has come about is looked at afterwards."""
    for _ in range(5000):
        if condition():
            return
        kernel32.Sleep(1)


def serve(path: Path, content: bytes) -> None:
    """Serve all clients, then end."""
    server = Server(path)
    for line in server.lines:
        server.accept(line)
    for worker in server.workers:
        worker.start()
    clients = [
        threading.Thread(target=fetch_parts, args=(server, content, number), daemon=True) for number in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join(40)
    expect(not any(thread.is_alive() for thread in clients), "a client is still waiting")
    send_without_a_record(server, content)

    wait_until(lambda: server.accepts == SOCKETS + CLIENTS * PARTS or bool(server.complaints))
    check(ws2_32.closesocket(SOCKET(server.listener)))
    wait_until(lambda: server.aborted == SOCKETS or bool(server.complaints))
    expect(not server.complaints, " and ".join(server.complaints[:2]))
    expect(server.aborted == SOCKETS, f"{server.aborted} requests have ended with the listening socket")
    expect(server.answers == CLIENTS * PARTS, f"{server.answers} answers were sent")
    print(f"{server.answers} answers over {SOCKETS} sockets, every one as it should be")
    for _ in server.workers:
        kernel32.PostQueuedCompletionStatus(server.port, 0, STOP, None)
    for worker in server.workers:
        worker.join(10)
    for line in server.lines:
        check(ws2_32.closesocket(SOCKET(line.s)))
    expect(kernel32.CloseHandle(server.port), "CloseHandle of the port fails")
    expect(kernel32.CloseHandle(server.file), "CloseHandle of the file fails")


def main() -> None:
    """Make a file, serve it, and compare."""
    expect(ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512)) == 0, "WSAStartup fails")
    content = os.urandom(FILE_SIZE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.bin")
        path.write_bytes(content)
        serve(path, content)
    print(f"CRC-32 of the file: {zlib.crc32(content):08x}")
    check(ws2_32.WSACleanup())


if __name__ == "__main__":
    main()
