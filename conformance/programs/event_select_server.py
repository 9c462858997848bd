"""A server on network events: WSAEventSelect, an event object for each socket, one thread that waits for them all."""

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
    create_string_buffer,
    sizeof,
    wintypes,
)

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
SOL_SOCKET, SO_LINGER = 0xFFFF, 0x0080
SD_SEND = 1
FD_READ, FD_WRITE, FD_ACCEPT, FD_CLOSE = 1, 2, 8, 32
FD_READ_BIT, FD_WRITE_BIT, FD_ACCEPT_BIT, FD_CLOSE_BIT = 0, 1, 3, 5
WSAEWOULDBLOCK, WSAECONNRESET = 10035, 10054
WSA_WAIT_EVENT_0, WSA_WAIT_TIMEOUT, WSA_MAXIMUM_WAIT_EVENTS = 0, 258, 64

CLIENTS = 40
BLOB = bytes(range(256)) * 2048  # half a megabyte for each client, more than a connection takes at once


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


class WSANETWORKEVENTS(Structure):
    """What has happened on a socket since the last look, and an error code for each kind of event."""

    _fields_ = [("lNetworkEvents", wintypes.LONG), ("iErrorCode", c_int * 10)]


ws2_32 = ctypes.WinDLL("ws2_32")
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.inet_addr.restype = wintypes.ULONG
ws2_32.WSACreateEvent.restype = wintypes.HANDLE
ws2_32.WSACloseEvent.argtypes = [wintypes.HANDLE]
ws2_32.WSAEventSelect.argtypes = [SOCKET, wintypes.HANDLE, wintypes.LONG]
ws2_32.WSAEnumNetworkEvents.argtypes = [SOCKET, wintypes.HANDLE, POINTER(WSANETWORKEVENTS)]
ws2_32.WSAWaitForMultipleEvents.argtypes = [
    wintypes.DWORD,
    POINTER(wintypes.HANDLE),
    wintypes.BOOL,
    wintypes.DWORD,
    wintypes.BOOL,
]
ws2_32.WSAWaitForMultipleEvents.restype = wintypes.DWORD


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(ws2_32.WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"event_select_server: not as on Windows: {what}")


class Connection:
    """A client: its name comes in, a blob with its name goes out."""

    def __init__(self, s: int) -> None:
        self.s = s
        self.name = b""
        self.left = b""
        self.writable = False


class Server:
    """All sockets and their events, served by one thread."""

    def __init__(self) -> None:
        self.listener = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        self.address = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
        check(ws2_32.bind(SOCKET(self.listener), byref(self.address), sizeof(self.address)))
        length = c_int(sizeof(self.address))
        check(ws2_32.getsockname(SOCKET(self.listener), byref(self.address), byref(length)))
        check(ws2_32.listen(SOCKET(self.listener), CLIENTS))
        self.connections: list[Connection] = [Connection(self.listener)]
        self.events: list[int] = [ws2_32.WSACreateEvent()]
        check(ws2_32.WSAEventSelect(self.listener, self.events[0], FD_ACCEPT | FD_CLOSE))
        self.counts: Counter[str] = Counter()

    def serve(self, clients: int) -> None:
        """Serve until as many clients have gone."""
        while self.counts["gone"] < clients:
            expect(len(self.events) <= WSA_MAXIMUM_WAIT_EVENTS, "more events than one wait takes")
            handles = (wintypes.HANDLE * len(self.events))(*self.events)
            woken = ws2_32.WSAWaitForMultipleEvents(len(handles), handles, False, 20_000, False)
            expect(woken != WSA_WAIT_TIMEOUT, "nothing happens for twenty seconds")
            self.look(woken - WSA_WAIT_EVENT_0)

    def look(self, index: int) -> None:
        """See what has happened on a socket."""
        connection, happened = self.connections[index], WSANETWORKEVENTS()
        check(ws2_32.WSAEnumNetworkEvents(connection.s, self.events[index], byref(happened)))
        self.counts["woken"] += 1
        if happened.lNetworkEvents & FD_ACCEPT:
            expect(happened.iErrorCode[FD_ACCEPT_BIT] == 0, "FD_ACCEPT with an error")
            self.accept()
        if happened.lNetworkEvents & FD_READ:
            self.read(connection)
        if happened.lNetworkEvents & FD_WRITE:
            connection.writable = True
            self.write(connection)
        if happened.lNetworkEvents & FD_CLOSE:
            error = happened.iErrorCode[FD_CLOSE_BIT]
            self.counts["reset" if error else "ended"] += 1
            expect(error in (0, WSAECONNRESET), f"FD_CLOSE with error {error}")
            self.close(index)

    def accept(self) -> None:
        """A client has come; its socket has the listener's event and mask until it gets its own."""
        s = check(ws2_32.accept(SOCKET(self.listener), None, None))
        event = ws2_32.WSACreateEvent()
        check(ws2_32.WSAEventSelect(s, event, FD_READ | FD_WRITE | FD_CLOSE))
        self.connections.append(Connection(s))
        self.events.append(event)

    def read(self, connection: Connection) -> None:
        """Take what is there, a little at a time: FD_READ comes again for the rest."""
        buffer = create_string_buffer(4)
        received = ws2_32.recv(SOCKET(connection.s), buffer, sizeof(buffer), 0)
        if received == SOCKET_ERROR:
            expect(ws2_32.WSAGetLastError() in (WSAEWOULDBLOCK, WSAECONNRESET), "another error of recv")
            return
        if not received:
            return  # the end has overtaken an FD_READ for what was read already; FD_CLOSE tells it
        self.counts["reads"] += 1
        connection.name += buffer.raw[:received]
        if connection.name.endswith(b"\n"):
            connection.left = connection.name + BLOB
            self.write(connection)

    def write(self, connection: Connection) -> None:
        """Send as much as goes; FD_WRITE comes when more does."""
        while connection.left and connection.writable:
            part = connection.left[:16384]
            sent = ws2_32.send(SOCKET(connection.s), part, len(part), 0)
            if sent == SOCKET_ERROR:
                error = ws2_32.WSAGetLastError()
                expect(error in (WSAEWOULDBLOCK, WSAECONNRESET), f"another error of send: {error}")
                connection.writable = False
                self.counts["full"] += 1
                return
            connection.left = connection.left[sent:]
            if not connection.left:
                check(ws2_32.shutdown(SOCKET(connection.s), SD_SEND))

    def close(self, index: int) -> None:
        """A client has gone."""
        connection = self.connections.pop(index)
        check(ws2_32.closesocket(SOCKET(connection.s)))
        expect(ws2_32.WSACloseEvent(self.events.pop(index)), "WSACloseEvent fails")
        self.counts["gone"] += 1


def talk(server: Server, number: int, complaints: list[str]) -> None:
    """A client: says its name and reads what comes; every fourth one breaks off."""
    s = SOCKET(check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)))
    check(ws2_32.connect(s, byref(server.address), sizeof(server.address)))
    name = b"client number %d\n" % number
    check(ws2_32.send(s, name, len(name), 0))
    buffer, got = create_string_buffer(65536), bytearray()
    while received := check(ws2_32.recv(s, buffer, sizeof(buffer), 0)):
        got += buffer.raw[:received]
        if number % 4 == 3:
            check(ws2_32.setsockopt(s, SOL_SOCKET, SO_LINGER, byref((c_ushort * 2)(1, 0)), 4))
            break
    else:
        if bytes(got) != name + BLOB:
            complaints.append(f"client {number} has got {len(got)} other bytes")
    check(ws2_32.closesocket(s))


def main() -> None:
    """Serve all clients at once."""
    data = WSADATA()
    expect(ws2_32.WSAStartup(0x0202, byref(data)) == 0, "WSAStartup fails")
    server = Server()
    complaints: list[str] = []
    threads = [threading.Thread(target=talk, args=(server, n, complaints), daemon=True) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    server.serve(CLIENTS)
    for thread in threads:
        thread.join(10)
    expect(not any(thread.is_alive() for thread in threads), "a client is still waiting")
    expect(not complaints, " and ".join(complaints[:2]))
    counts = server.counts
    print(f"{CLIENTS} clients at once: {counts['ended']} left in good order, {counts['reset']} broke off")
    expect(counts["reset"] == CLIENTS // 4, "resets are not told as such")
    print(f"{counts['reads']} reads of four bytes, FD_READ for each of them")
    expect(counts["full"] > 0, "sends never filled a connection")
    print(f"connections were full {counts['full']} times, and FD_WRITE came afterwards")
    check(ws2_32.WSAEventSelect(server.listener, None, 0))
    server.close(0)
    check(ws2_32.WSACleanup())


if __name__ == "__main__":
    main()
