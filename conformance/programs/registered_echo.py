"""A UDP echo on registered I/O: one buffer, one completion queue, no call for each datagram that waits."""

from __future__ import annotations

import ctypes
import sys
import threading
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
    create_string_buffer,
    sizeof,
    wintypes,
)
from typing import Any

AF_INET, SOCK_DGRAM, IPPROTO_UDP = 2, 2, 17
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
INVALID_HANDLE_VALUE = c_void_p(-1).value
WSA_FLAG_OVERLAPPED, WSA_FLAG_REGISTERED_IO = 0x01, 0x100
SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER = 0xC8000024
RIO_IOCP_COMPLETION = 2
RIO_MSG_DONT_NOTIFY, RIO_MSG_DEFER, RIO_MSG_COMMIT_ONLY = 1, 2, 8
RIO_CORRUPT_CQ = 0xFFFFFFFF
INFINITE = 0xFFFFFFFF
WSA_OPERATION_ABORTED = 995

SLOTS, SLOT, ADDRESS = 32, 512, 28  # a slot is room for a datagram; SOCKADDR_INET takes 28 bytes
CLIENTS, ROUNDS = 8, 50
RECEIVE, SEND = 1, 2
KEY, STOP = 0x52494F, 0x53544F50


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
    """The name of the table."""

    _fields_ = [
        ("Data1", wintypes.DWORD),
        ("Data2", wintypes.WORD),
        ("Data3", wintypes.WORD),
        ("Data4", wintypes.BYTE * 8),
    ]


WSAID_MULTIPLE_RIO = GUID(
    0x8509E081, 0x96DD, 0x4005, (wintypes.BYTE * 8)(0xB1, 0x65, 0x9E, 0x2E, 0xE8, 0xC7, 0x9E, 0x3F)
)


class RIO_BUF(Structure):
    """A piece of a registered buffer."""

    _fields_ = [("BufferId", c_void_p), ("Offset", wintypes.ULONG), ("Length", wintypes.ULONG)]


class RIORESULT(Structure):
    """What has become of a request."""

    _fields_ = [
        ("Status", wintypes.LONG),
        ("BytesTransferred", wintypes.ULONG),
        ("SocketContext", ctypes.c_ulonglong),
        ("RequestContext", ctypes.c_ulonglong),
    ]


class RIO_NOTIFICATION_COMPLETION(Structure):
    """How RIONotify tells; the form for a completion port."""

    _fields_ = [("Type", c_int), ("IocpHandle", wintypes.HANDLE), ("CompletionKey", c_void_p), ("Overlapped", c_void_p)]


class OVERLAPPED(Structure):
    """What a packet carries."""

    _fields_ = [
        ("Internal", c_size_t),
        ("InternalHigh", c_size_t),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),
    ]


class RIO_EXTENSION_FUNCTION_TABLE(Structure):
    """The functions, by pointer."""

    _fields_ = [
        ("cbSize", wintypes.DWORD),
        ("RIOReceive", c_void_p),
        ("RIOReceiveEx", c_void_p),
        ("RIOSend", c_void_p),
        ("RIOSendEx", c_void_p),
        ("RIOCloseCompletionQueue", c_void_p),
        ("RIOCreateCompletionQueue", c_void_p),
        ("RIOCreateRequestQueue", c_void_p),
        ("RIODequeueCompletion", c_void_p),
        ("RIODeregisterBuffer", c_void_p),
        ("RIONotify", c_void_p),
        ("RIORegisterBuffer", c_void_p),
        ("RIOResizeCompletionQueue", c_void_p),
        ("RIOResizeRequestQueue", c_void_p),
    ]


_BUF = POINTER(RIO_BUF)
PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "RIOReceiveEx": (wintypes.BOOL, c_void_p, _BUF, wintypes.ULONG, _BUF, _BUF, _BUF, _BUF, wintypes.DWORD, c_void_p),
    "RIOSendEx": (wintypes.BOOL, c_void_p, _BUF, wintypes.ULONG, _BUF, _BUF, _BUF, _BUF, wintypes.DWORD, c_void_p),
    "RIOCloseCompletionQueue": (None, c_void_p),
    "RIOCreateCompletionQueue": (c_void_p, wintypes.DWORD, POINTER(RIO_NOTIFICATION_COMPLETION)),
    "RIOCreateRequestQueue": (c_void_p, SOCKET, *[wintypes.ULONG] * 4, c_void_p, c_void_p, c_void_p),
    "RIODequeueCompletion": (wintypes.ULONG, c_void_p, POINTER(RIORESULT), wintypes.ULONG),
    "RIODeregisterBuffer": (None, c_void_p),
    "RIONotify": (c_int, c_void_p),
    "RIORegisterBuffer": (c_void_p, c_void_p, wintypes.DWORD),
}

ws2_32 = ctypes.WinDLL("ws2_32")
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
ws2_32.WSASocketW.argtypes = [c_int, c_int, c_int, c_void_p, wintypes.DWORD, wintypes.DWORD]
ws2_32.WSASocketW.restype = SOCKET
ws2_32.socket.restype = SOCKET
ws2_32.WSAIoctl.argtypes = [
    *(SOCKET, wintypes.DWORD, c_void_p, wintypes.DWORD, c_void_p, wintypes.DWORD),
    *(POINTER(wintypes.DWORD), c_void_p, c_void_p),
]
for _name in ("bind", "getsockname", "connect", "closesocket", "send", "recv"):
    _call = getattr(ws2_32, _name)
    _call.argtypes = {
        "getsockname": [SOCKET, c_void_p, POINTER(c_int)],
        "closesocket": [SOCKET],
        "send": [SOCKET, c_void_p, c_int, c_int],
        "recv": [SOCKET, c_void_p, c_int, c_int],
    }.get(_name, [SOCKET, c_void_p, c_int])
kernel32.CreateIoCompletionPort.argtypes = [wintypes.HANDLE, wintypes.HANDLE, c_size_t, wintypes.DWORD]
kernel32.CreateIoCompletionPort.restype = wintypes.HANDLE
kernel32.GetQueuedCompletionStatus.argtypes = [
    *(wintypes.HANDLE, POINTER(wintypes.DWORD), POINTER(c_size_t), POINTER(c_void_p), wintypes.DWORD)
]
kernel32.PostQueuedCompletionStatus.argtypes = [wintypes.HANDLE, wintypes.DWORD, c_size_t, c_void_p]
kernel32.CloseHandle.argtypes = [wintypes.HANDLE]


def fail(what: str) -> None:
    """Say what went wrong and give up."""
    sys.exit(f"{what}: {ctypes.WinError(ws2_32.WSAGetLastError())}")


def check(result: int, what: str) -> int:
    """Give up when a call of Winsock has failed."""
    if result == SOCKET_ERROR:
        fail(what)
    return result


class Rio:
    """The functions of the table."""

    RIOReceiveEx: Any
    RIOSendEx: Any
    RIOCloseCompletionQueue: Any
    RIOCreateCompletionQueue: Any
    RIOCreateRequestQueue: Any
    RIODequeueCompletion: Any
    RIODeregisterBuffer: Any
    RIONotify: Any
    RIORegisterBuffer: Any

    def __init__(self, s: int) -> None:
        table, got = RIO_EXTENSION_FUNCTION_TABLE(sizeof(RIO_EXTENSION_FUNCTION_TABLE)), wintypes.DWORD()
        name = WSAID_MULTIPLE_RIO
        code = SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER
        found = ws2_32.WSAIoctl(s, code, byref(name), sizeof(name), byref(table), sizeof(table), byref(got), None, None)
        check(found, "WSAIoctl")
        if table.cbSize != sizeof(table):
            sys.exit(f"a table of {table.cbSize} bytes")
        for function, (result, *arguments) in PROTOTYPES.items():
            prototype: Any = ctypes.WINFUNCTYPE(result, *arguments)
            setattr(self, function, prototype(getattr(table, function)))


class Server:
    """Echoes datagrams until its socket is closed. A slot is received into, sent from and received into again."""

    def __init__(self) -> None:
        flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO
        self.s = ws2_32.WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, None, 0, flags)
        if self.s == INVALID_SOCKET:
            fail("WSASocketW")
        self.address = sockaddr_in(AF_INET, 0, 0x0100007F)
        check(ws2_32.bind(self.s, byref(self.address), sizeof(self.address)), "bind")
        size = c_int(sizeof(self.address))
        check(ws2_32.getsockname(self.s, byref(self.address), byref(size)), "getsockname")
        self.rio = rio = Rio(self.s)
        self.port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 0)
        self.overlapped = OVERLAPPED()
        told = RIO_NOTIFICATION_COMPLETION(RIO_IOCP_COMPLETION, self.port, KEY, ctypes.addressof(self.overlapped))
        self.cq = rio.RIOCreateCompletionQueue(2 * SLOTS, byref(told))
        if not self.cq:
            fail("RIOCreateCompletionQueue")
        self.rq = rio.RIOCreateRequestQueue(self.s, SLOTS, 1, SLOTS, 1, self.cq, self.cq, 0x5EC7E7)
        if not self.rq:
            fail("RIOCreateRequestQueue")
        self.memory = create_string_buffer(SLOTS * (SLOT + ADDRESS))
        self.buffer = rio.RIORegisterBuffer(self.memory, len(self.memory))
        self.sizes = [0] * SLOTS
        self.found = (RIORESULT * (2 * SLOTS))()
        self.echoed = self.aborted = 0

    def data(self, slot: int, length: int = SLOT) -> RIO_BUF:
        """Where the datagram of a slot is."""
        return RIO_BUF(self.buffer, slot * SLOT, length)

    def sender(self, slot: int) -> RIO_BUF:
        """Where its address is."""
        return RIO_BUF(self.buffer, SLOTS * SLOT + slot * ADDRESS, ADDRESS)

    def receive(self, slot: int) -> None:
        """Have the next datagram put into a slot, when the receives are committed."""
        data, sender = self.data(slot), self.sender(slot)
        context = RECEIVE << 16 | slot
        done = self.rio.RIOReceiveEx(self.rq, data, 1, None, sender, None, None, RIO_MSG_DEFER, context)
        if not done:
            fail("RIOReceiveEx")

    def send(self, slot: int) -> None:
        """Send the datagram of a slot back; its result wakes nobody."""
        data, sender = self.data(slot, self.sizes[slot]), self.sender(slot)
        context = SEND << 16 | slot
        flags = RIO_MSG_DONT_NOTIFY
        if not self.rio.RIOSendEx(self.rq, data, 1, None, sender, None, None, flags, context):
            fail("RIOSendEx")

    def commit(self) -> None:
        """Begin the receives that were put off."""
        if not self.rio.RIOReceiveEx(self.rq, None, 0, None, None, None, None, RIO_MSG_COMMIT_ONLY, None):
            fail("RIOReceiveEx to commit")

    def notify(self) -> None:
        """Ask for a packet."""
        code = self.rio.RIONotify(self.cq)
        if code:
            sys.exit(f"RIONotify: {ctypes.WinError(code)}")

    def run(self) -> None:
        """Echo until told to stop, and then until all receives have ended with the socket."""
        for slot in range(SLOTS):
            self.receive(slot)
        self.commit()
        self.notify()
        moved, key, overlapped = wintypes.DWORD(), c_size_t(), c_void_p()
        given = byref(moved), byref(key), byref(overlapped)
        while self.aborted < SLOTS:
            if not kernel32.GetQueuedCompletionStatus(self.port, *given, 20000):
                sys.exit(f"no packet: {ctypes.WinError(ctypes.get_last_error())}")
            if key.value == STOP:
                self.stop()
                continue
            if key.value != KEY or overlapped.value != ctypes.addressof(self.overlapped):
                sys.exit("another packet than the queue's")
            self.work_off()
            self.notify()

    def work_off(self) -> None:
        """Handle all results that are there."""
        count = self.rio.RIODequeueCompletion(self.cq, self.found, len(self.found))
        if count == RIO_CORRUPT_CQ:
            sys.exit("the completion queue is corrupt")
        for result in self.found[:count]:
            self.handle(result)
        if not self.aborted:
            self.commit()

    def stop(self) -> None:
        """Everybody has had an answer: when the results of the sends are there as well, close the socket."""
        for _ in range(1000):
            self.work_off()
            if self.echoed == CLIENTS * ROUNDS:
                break
            kernel32.Sleep(1)
        check(ws2_32.closesocket(self.s), "closesocket")

    def handle(self, result: RIORESULT) -> None:
        """Answer a datagram, or receive the next one into a slot that has been sent."""
        kind, slot = result.RequestContext >> 16, result.RequestContext & 0xFFFF
        if result.SocketContext != 0x5EC7E7:
            sys.exit("a result of another socket")
        if result.Status == WSA_OPERATION_ABORTED:
            self.aborted += 1
        elif result.Status:
            sys.exit(f"a request has failed: {ctypes.WinError(result.Status)}")
        elif kind == RECEIVE:
            self.sizes[slot] = result.BytesTransferred
            self.send(slot)
        else:
            if result.BytesTransferred != self.sizes[slot]:
                sys.exit("sent other than received")
            self.echoed += 1
            self.receive(slot)

    def close(self) -> None:
        """Give everything back."""
        self.rio.RIOCloseCompletionQueue(self.cq)
        self.rio.RIODeregisterBuffer(self.buffer)
        kernel32.CloseHandle(self.port)


def client(number: int, address: sockaddr_in, answers: list[int]) -> None:
    """Say something different in each round, and hear it again."""
    s = ws2_32.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
    check(ws2_32.connect(s, byref(address), sizeof(address)), "connect")
    room = create_string_buffer(SLOT)
    for turn in range(ROUNDS):
        said = f"client {number}, round {turn}: {'x' * (number * turn % 300)}".encode()
        check(ws2_32.send(s, said, len(said), 0), "send")
        size = check(ws2_32.recv(s, room, SLOT, 0), "recv")
        if room.raw[:size] == said:
            answers[number] += 1
    ws2_32.closesocket(s)


def main() -> None:
    data = WSADATA()
    if ws2_32.WSAStartup(0x0202, byref(data)):
        sys.exit("no Winsock 2.2")
    server = Server()
    answers = [0] * CLIENTS
    clients = [
        threading.Thread(target=client, args=(number, server.address, answers), daemon=True)
        for number in range(CLIENTS)
    ]

    def stop_after_clients() -> None:
        for one in clients:
            one.join()
        kernel32.PostQueuedCompletionStatus(server.port, 0, STOP, None)

    for thread in (*clients, threading.Thread(target=stop_after_clients, daemon=True)):
        thread.start()
    server.run()
    if answers != [ROUNDS] * CLIENTS:
        sys.exit(f"answers that are wrong or missing: {answers}")
    print(f"{server.echoed} datagrams of {CLIENTS} clients came back")
    print(f"{server.aborted} receives ended with the socket")
    server.close()
    ws2_32.WSACleanup()


if __name__ == "__main__":
    main()
