"""A downloader on completion routines: one thread, several connections, everything happens inside SleepEx."""

from __future__ import annotations

import ctypes
import sys
import threading
import zlib
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

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
SD_SEND = 1
WSA_IO_PENDING, WSAECONNRESET = 997, 10054
WAIT_IO_COMPLETION = 192
SOL_SOCKET, SO_LINGER = 0xFFFF, 0x0080

PARTS = [bytes((part * 31 + index) % 251 for index in range(97)) * 4001 for part in range(5)]


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


class WSABUF(Structure):
    """A buffer."""

    _fields_ = [("len", wintypes.ULONG), ("buf", c_void_p)]


class DOWNLOAD(Structure):
    """An OVERLAPPED with what belongs to the download behind it, as C programs do it."""

    _fields_ = [
        ("Internal", c_size_t),
        ("InternalHigh", c_size_t),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),  # free for the program, as there is a routine
        ("number", c_int),
        ("s", SOCKET),
        ("buffer", c_char * 4096),
    ]


ROUTINE = ctypes.WINFUNCTYPE(None, wintypes.DWORD, wintypes.DWORD, c_void_p, wintypes.DWORD)

ws2_32 = ctypes.WinDLL("ws2_32")
kernel32 = ctypes.WinDLL("kernel32")
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.inet_addr.restype = wintypes.ULONG
ws2_32.WSARecv.argtypes = [
    SOCKET,
    POINTER(WSABUF),
    wintypes.DWORD,
    POINTER(wintypes.DWORD),
    POINTER(wintypes.DWORD),
    c_void_p,
    ROUTINE,
]
kernel32.SleepEx.restype = wintypes.DWORD


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(ws2_32.WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"routine_download: not as on Windows: {what}")


def bound_socket() -> tuple[int, sockaddr_in]:
    """A TCP socket on a free port of the loopback interface, and its address."""
    s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
    address = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
    check(ws2_32.bind(s, byref(address), sizeof(address)))
    length = c_int(sizeof(address))
    check(ws2_32.getsockname(s, byref(address), byref(length)))
    return s, address


def serve(listener: int) -> None:
    """Send each caller the part it asks for by one byte; the last one, which does not exist, gets a reset."""
    for _ in range(len(PARTS) + 1):
        s = check(ws2_32.accept(listener, None, None))
        wish = create_string_buffer(1)
        check(ws2_32.recv(s, wish, 1, 0))
        number = wish.raw[0]
        if number < len(PARTS):
            check(ws2_32.send(s, PARTS[number], len(PARTS[number]), 0))
            check(ws2_32.shutdown(s, SD_SEND))
        else:
            check(ws2_32.setsockopt(s, SOL_SOCKET, SO_LINGER, byref((c_ushort * 2)(1, 0)), 4))
        check(ws2_32.closesocket(s))


class Downloads:
    """The downloads under way; all of it happens in one thread."""

    def __init__(self, server: sockaddr_in) -> None:
        self.server = server
        self.here = threading.get_ident()
        self.records: list[DOWNLOAD] = []
        self.data: list[bytearray] = []
        self.ended: dict[int, int] = {}
        self.calls = 0
        self.complaints: list[str] = []
        self.inside = False
        self.completed = ROUTINE(self.on_completed)

    def begin(self, number: int) -> None:
        """Ask for a part and begin to receive it."""
        s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        check(ws2_32.connect(s, byref(self.server), sizeof(self.server)))
        check(ws2_32.send(s, bytes([number]), 1, 0))
        self.records.append(DOWNLOAD(number=number, s=s))
        self.data.append(bytearray())
        self.receive(self.records[number])

    def receive(self, record: DOWNLOAD) -> None:
        """Begin the next receive; however it ends, the routine is told, unless it has failed already."""
        where = c_void_p(ctypes.addressof(record) + DOWNLOAD.buffer.offset)
        buffer = WSABUF(DOWNLOAD.buffer.size, where)
        flags = wintypes.DWORD(0)
        result = ws2_32.WSARecv(record.s, byref(buffer), 1, None, byref(flags), byref(record), self.completed)
        if result == SOCKET_ERROR and (error := ws2_32.WSAGetLastError()) != WSA_IO_PENDING:
            self.end(record, error)

    def note(self, condition: bool, what: str) -> None:
        """As `expect`, in a routine, which no exception leaves."""
        if not condition:
            self.complaints.append(what)

    def on_completed(self, error: int, moved: int, overlapped: int, flags: int) -> None:
        """The completion routine."""
        self.calls += 1
        self.note(threading.get_ident() == self.here, "a routine runs in another thread")
        self.note(not self.inside, "a routine runs inside another one")
        self.inside = True
        record = cast(overlapped, POINTER(DOWNLOAD)).contents
        self.note(record.InternalHigh == moved, "the record and the routine differ in the bytes moved")
        if error or not moved:
            self.end(record, error)
        else:
            self.data[record.number] += ctypes.string_at(ctypes.addressof(record) + DOWNLOAD.buffer.offset, moved)
            self.receive(record)
        self.inside = False

    def end(self, record: DOWNLOAD, error: int) -> None:
        """A download is over."""
        self.ended[record.number] = error
        check(ws2_32.closesocket(record.s))


def main() -> None:
    """Download all parts at once, and one that does not exist."""
    data = WSADATA()
    expect(ws2_32.WSAStartup(0x0202, byref(data)) == 0, "WSAStartup fails")
    listener, address = bound_socket()
    check(ws2_32.listen(listener, 10))
    server = threading.Thread(target=serve, args=(listener,), daemon=True)
    server.start()

    downloads = Downloads(address)
    for number in range(len(PARTS) + 1):
        downloads.begin(number)
    expect(downloads.calls == 0, "a routine has run although the thread has not waited alertably")
    kernel32.Sleep(1)
    expect(downloads.calls == 0, "a routine has run in a wait that is not alertable")
    while len(downloads.ended) <= len(PARTS):
        expect(kernel32.SleepEx(10_000, True) == WAIT_IO_COMPLETION, "nothing completes within ten seconds")
    server.join(10)
    expect(not downloads.complaints, " and ".join(downloads.complaints[:2]))

    for number, part in enumerate(PARTS):
        got = bytes(downloads.data[number])
        print(f"part {number}: {len(got)} bytes, sum {zlib.crc32(got):08x}, ended with {downloads.ended[number]}")
        expect(got == part and downloads.ended[number] == 0, f"part {number} is not what was sent")
    error = downloads.ended[len(PARTS)]
    print(f"a part that does not exist: {ctypes.WinError(error)}")
    expect(error == WSAECONNRESET, "a reset is another error than WSAECONNRESET")
    print(f"{downloads.calls} routines, all in one thread")
    check(ws2_32.closesocket(listener))
    check(ws2_32.WSACleanup())


if __name__ == "__main__":
    main()
