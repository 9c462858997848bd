"""Hundreds of receives pend on one completion port; they are cancelled, closed under, fed, and each is told once."""

from __future__ import annotations

import ctypes
import sys
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
    sizeof,
    wintypes,
)

AF_INET, SOCK_DGRAM, IPPROTO_UDP = 2, 2, 17
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
INVALID_HANDLE_VALUE = c_void_p(-1).value
WSA_IO_PENDING = 997
WAIT_TIMEOUT, ERROR_OPERATION_ABORTED, ERROR_NOT_FOUND = 258, 995, 1168

SOCKETS, EACH = 40, 16


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


class RECEIVE(Structure):
    """An OVERLAPPED, and behind it what the program wants to know when it comes back."""

    _fields_ = [
        ("Internal", c_size_t),
        ("InternalHigh", c_size_t),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),
        ("place", c_int),
        ("told", c_int),
        ("buffer", c_char * 64),
    ]


ws2_32 = ctypes.WinDLL("ws2_32")
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
ws2_32.socket.restype = SOCKET
ws2_32.inet_addr.restype = wintypes.ULONG
ws2_32.closesocket.argtypes = [SOCKET]
kernel32.CreateIoCompletionPort.restype = wintypes.HANDLE
kernel32.CreateIoCompletionPort.argtypes = [wintypes.HANDLE, wintypes.HANDLE, c_size_t, wintypes.DWORD]
kernel32.GetQueuedCompletionStatus.argtypes = [
    wintypes.HANDLE,
    POINTER(wintypes.DWORD),
    POINTER(c_size_t),
    POINTER(c_void_p),
    wintypes.DWORD,
]
kernel32.CancelIo.argtypes = [wintypes.HANDLE]
kernel32.CancelIoEx.argtypes = [wintypes.HANDLE, c_void_p]
kernel32.CloseHandle.argtypes = [wintypes.HANDLE]


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(ws2_32.WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"pending_storm: not as on Windows: {what}")


class Storm:
    """The sockets, their requests, and the port that hears of them."""

    def __init__(self) -> None:
        self.port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 0)
        self.sockets: list[int] = []
        self.addresses: list[sockaddr_in] = []
        self.records = [RECEIVE(place=place) for place in range(SOCKETS * EACH)]
        for place in range(SOCKETS):
            s = check(ws2_32.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP))
            address = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
            check(ws2_32.bind(s, byref(address), sizeof(address)))
            length = c_int(sizeof(address))
            check(ws2_32.getsockname(s, byref(address), byref(length)))
            expect(kernel32.CreateIoCompletionPort(s, self.port, place, 0) == self.port, "no association")
            self.sockets.append(s)
            self.addresses.append(address)

    def of(self, place: int) -> list[RECEIVE]:
        """The requests of one socket, in the order in which they were made."""
        return self.records[place * EACH : (place + 1) * EACH]

    def begin(self) -> None:
        """Have every socket wait for datagrams, as often as it may."""
        for place, s in enumerate(self.sockets):
            for record in self.of(place):
                buffer = WSABUF(RECEIVE.buffer.size, ctypes.addressof(record) + RECEIVE.buffer.offset)
                flags = wintypes.DWORD(0)
                failed = ws2_32.WSARecv(SOCKET(s), byref(buffer), 1, None, byref(flags), byref(record), None)
                expect(failed == SOCKET_ERROR and ws2_32.WSAGetLastError() == WSA_IO_PENDING, "a receive does not pend")

    def hear(self) -> Counter[tuple[int, int]]:
        """Take all packets there are: how many there were for each place and error."""
        heard: Counter[tuple[int, int]] = Counter()
        moved, key, overlapped = wintypes.DWORD(), c_size_t(), c_void_p()
        while True:
            fine = kernel32.GetQueuedCompletionStatus(self.port, byref(moved), byref(key), byref(overlapped), 0)
            error = 0 if fine else ctypes.get_last_error()
            if not overlapped.value:
                expect(error == WAIT_TIMEOUT, f"the empty port says {error}")
                return heard
            record = cast(overlapped.value, POINTER(RECEIVE)).contents
            expect(key.value == record.place // EACH, "a packet has the key of another socket")
            record.told += 1
            heard[key.value, error] += 1

    def send(self, place: int, message: bytes) -> None:
        """A datagram from the first socket."""
        address = self.addresses[place]
        check(ws2_32.sendto(SOCKET(self.sockets[0]), message, len(message), 0, byref(address), sizeof(address)))


def main() -> None:
    """The storm."""
    data = WSADATA()
    expect(ws2_32.WSAStartup(0x0202, byref(data)) == 0, "WSAStartup fails")
    storm = Storm()
    storm.begin()
    expect(not storm.hear(), "a packet before anything has happened")
    print(f"{len(storm.records)} receives pend on {SOCKETS} sockets")

    for record in storm.of(1)[::2]:
        expect(kernel32.CancelIoEx(storm.sockets[1], byref(record)), "CancelIoEx fails")
    expect(not kernel32.CancelIoEx(storm.sockets[1], byref(storm.of(1)[0])), "a request is cancelled twice")
    expect(ctypes.get_last_error() == ERROR_NOT_FOUND, "another error for a request that is gone")
    heard = storm.hear()
    expect(heard == {(1, ERROR_OPERATION_ABORTED): EACH // 2}, f"cancelled one by one: {heard}")
    print(f"every second one of a socket cancelled: {EACH // 2} packets, error 995")

    storm.send(1, b"for the first that is left")
    while not (heard := storm.hear()):
        kernel32.Sleep(1)
    first = storm.of(1)[1]
    expect(first.told == 1 and first.buffer == b"for the first that is left", "the data went elsewhere")
    print(f"a datagram goes to the oldest that is left: {first.buffer!r}")

    expect(kernel32.CancelIo(storm.sockets[2]), "CancelIo fails")
    expect(kernel32.CancelIoEx(storm.sockets[3], None), "CancelIoEx for all fails")
    heard = storm.hear()
    expect(heard == dict.fromkeys(((2, 995), (3, 995)), EACH), f"cancelled all at once: {heard}")
    print(f"all of two sockets cancelled: {sum(heard.values())} packets, error 995")

    for s in storm.sockets[1:]:
        check(ws2_32.closesocket(s))
    heard = storm.hear()
    left = (SOCKETS - 4) * EACH + EACH // 2 - 1
    expect(sum(heard.values()) == left, f"{sum(heard.values())} packets instead of {left} after closing")
    expect({error for _, error in heard} == {ERROR_OPERATION_ABORTED}, "a closed socket's requests end otherwise")
    print(f"all sockets but one closed: {left} packets, error 995")

    for number in range(EACH):
        storm.send(0, b"to myself, %d" % number)
    heard = Counter()
    while sum(heard.values()) < EACH:
        heard += storm.hear()
        kernel32.Sleep(1)
    texts = [record.buffer for record in storm.of(0)]
    expect(texts == [b"to myself, %d" % number for number in range(EACH)], "data and requests are out of order")
    print("the last one's are served, in their order")

    told = Counter(record.told for record in storm.records)
    expect(told == {1: len(storm.records)}, f"told so often: {told}")
    print(f"each of the {len(storm.records)} was told once")
    check(ws2_32.closesocket(storm.sockets[0]))
    expect(kernel32.CloseHandle(storm.port), "CloseHandle fails")
    check(ws2_32.WSACleanup())


if __name__ == "__main__":
    main()
