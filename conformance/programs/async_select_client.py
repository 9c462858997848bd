"""A client that is told everything by window messages: WSAAsyncSelect, a message-only window, a GetMessage loop."""

from __future__ import annotations

import ctypes
import sys
import threading
from ctypes import (
    byref,
    c_char,
    c_char_p,
    c_int,
    c_short,
    c_size_t,
    c_ssize_t,
    c_uint,
    c_ushort,
    c_void_p,
    sizeof,
    wintypes,
)

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
FD_READ, FD_WRITE, FD_CONNECT, FD_CLOSE = 1, 2, 16, 32
WSAEWOULDBLOCK = 10035
WSAECONNREFUSED = 10061
SD_SEND = 1

WM_DESTROY, WM_USER = 0x0002, 0x0400
WM_SOCKET, WM_HOST = WM_USER + 1, WM_USER + 2
HWND_MESSAGE = -3
MAXGETHOSTSTRUCT = 1024
EXIT_CODE = 42

SENT = bytes(range(256)) * 1024  # more than the buffers of a connection take at once

WNDPROC = ctypes.WINFUNCTYPE(c_ssize_t, wintypes.HWND, c_uint, wintypes.WPARAM, wintypes.LPARAM)


class WSADATA(ctypes.Structure):
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


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", wintypes.ULONG), ("sin_zero", c_char * 8)]


class hostent(ctypes.Structure):
    """What WSAAsyncGetHostByName puts into the buffer."""

    _fields_ = [
        ("h_name", c_char_p),
        ("h_aliases", ctypes.POINTER(c_char_p)),
        ("h_addrtype", c_short),
        ("h_length", c_short),
        ("h_addr_list", ctypes.POINTER(ctypes.POINTER(wintypes.ULONG))),
    ]


class WNDCLASSEXW(ctypes.Structure):
    """What RegisterClassExW takes."""

    _fields_ = [
        ("cbSize", c_uint),
        ("style", c_uint),
        ("lpfnWndProc", WNDPROC),
        ("cbClsExtra", c_int),
        ("cbWndExtra", c_int),
        ("hInstance", wintypes.HINSTANCE),
        ("hIcon", c_void_p),
        ("hCursor", c_void_p),
        ("hbrBackground", c_void_p),
        ("lpszMenuName", wintypes.LPCWSTR),
        ("lpszClassName", wintypes.LPCWSTR),
        ("hIconSm", c_void_p),
    ]


user32 = ctypes.windll.user32
ws2_32 = ctypes.windll.ws2_32
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.inet_addr.restype = wintypes.ULONG
ws2_32.ntohs.restype = c_ushort
ws2_32.WSAAsyncGetHostByName.restype = wintypes.HANDLE
user32.CreateWindowExW.restype = wintypes.HWND
user32.CreateWindowExW.argtypes = [
    wintypes.DWORD,
    wintypes.LPCWSTR,
    wintypes.LPCWSTR,
    wintypes.DWORD,
    c_int,
    c_int,
    c_int,
    c_int,
    wintypes.HWND,
    wintypes.HMENU,
    wintypes.HINSTANCE,
    wintypes.LPVOID,
]
user32.DefWindowProcW.argtypes = [wintypes.HWND, c_uint, wintypes.WPARAM, wintypes.LPARAM]
user32.DefWindowProcW.restype = c_ssize_t
user32.DestroyWindow.argtypes = [wintypes.HWND]
user32.DispatchMessageW.restype = c_ssize_t
WSAGetLastError = ws2_32.WSAGetLastError


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"async_select_client: not as on Windows: {what}")


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(WSAGetLastError())
    return result


def bound_socket() -> tuple[int, sockaddr_in]:
    """A TCP socket on a free port of the loopback interface, and its address."""
    s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
    address = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
    check(ws2_32.bind(s, byref(address), sizeof(address)))
    check(ws2_32.getsockname(s, byref(address), byref(c_int(sizeof(address)))))
    return s, address


def serve(listener: int) -> None:
    """Send back what one client sends, until it shuts down."""
    buffer = ctypes.create_string_buffer(65536)
    connection = check(ws2_32.accept(listener, None, None))
    while count := check(ws2_32.recv(connection, buffer, len(buffer), 0)):
        sent = 0
        while sent < count:
            sent += check(ws2_32.send(connection, buffer.raw[sent:count], count - sent, 0))
    check(ws2_32.closesocket(connection))


class Client:
    """One connection, driven by the messages of its window."""

    def __init__(self) -> None:
        self.procedure = WNDPROC(self.receive)  # kept, as the window only has its address
        self.window = 0
        self.socket = INVALID_SOCKET
        self.port = 0
        self.host = ctypes.create_string_buffer(MAXGETHOSTSTRUCT)
        self.task = 0
        self.events: list[int] = []
        self.received = bytearray()
        self.sent = 0
        self.error = 0
        self.failure: BaseException | None = None

    def receive(self, window: int, message: int, wparam: int, lparam: int) -> int:
        """The window procedure; ctypes would only print what it raises."""
        try:
            return self.handle(window, message, wparam, lparam)
        except BaseException as failure:
            self.failure = failure
            user32.PostQuitMessage(1)
            return 0

    def handle(self, window: int, message: int, wparam: int, lparam: int) -> int:
        """Do what a message asks for."""
        if message == WM_HOST:
            self.resolved(wparam, lparam)
        elif message == WM_SOCKET:
            if wparam == self.socket:
                self.event(lparam & 0xFFFF, lparam >> 16 & 0xFFFF)
        elif message == WM_DESTROY:
            user32.PostQuitMessage(EXIT_CODE)
        else:
            return int(user32.DefWindowProcW(window, message, wparam, lparam))
        return 0

    def resolved(self, task: int, lparam: int) -> None:
        """The name has been looked up: connect."""
        expect(task == self.task, "the message of a look-up tells its task handle")
        expect(lparam >> 16 & 0xFFFF == 0, "looking up 127.0.0.1 works")
        found = hostent.from_buffer(self.host)
        expect((found.h_addrtype, found.h_length) == (AF_INET, 4), "the address is one of IPv4")
        self.connect(found.h_addr_list[0][0])

    def connect(self, address: int) -> None:
        """Begin to connect; WSAAsyncSelect makes the socket non-blocking."""
        self.socket = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        wanted = FD_CONNECT | FD_READ | FD_WRITE | FD_CLOSE
        check(ws2_32.WSAAsyncSelect(self.socket, self.window, WM_SOCKET, wanted))
        name = sockaddr_in(sin_family=AF_INET, sin_port=self.port, sin_addr=address)
        result = ws2_32.connect(self.socket, byref(name), sizeof(name))
        expect(result == SOCKET_ERROR and WSAGetLastError() == WSAEWOULDBLOCK, "connect gives WSAEWOULDBLOCK")

    def event(self, event: int, error: int) -> None:
        """Do what an event allows."""
        if not self.events or self.events[-1] != event:
            self.events.append(event)
        self.error = self.error or error
        if event == FD_CONNECT and error:
            self.finish()
        elif event == FD_WRITE:
            self.send()
        elif event == FD_READ:
            self.read()
        elif event == FD_CLOSE:
            while self.read():
                pass
            self.finish()

    def read(self) -> int:
        """Receive once; FD_READ comes again while data is left."""
        buffer = ctypes.create_string_buffer(65536)
        count = int(ws2_32.recv(self.socket, buffer, len(buffer), 0))
        if count == SOCKET_ERROR:
            expect(WSAGetLastError() == WSAEWOULDBLOCK, "recv on a non-blocking socket gives data or WSAEWOULDBLOCK")
            return 0
        self.received += buffer.raw[:count]
        return count

    def send(self) -> None:
        """Send until WSAEWOULDBLOCK; FD_WRITE tells when to go on."""
        if self.sent == len(SENT):
            return
        while self.sent < len(SENT):
            chunk = SENT[self.sent : self.sent + 65536]
            count = ws2_32.send(self.socket, chunk, len(chunk), 0)
            if count == SOCKET_ERROR:
                expect(WSAGetLastError() == WSAEWOULDBLOCK, "send gives WSAEWOULDBLOCK when nothing can be taken")
                return
            self.sent += count
        check(ws2_32.shutdown(self.socket, SD_SEND))

    def finish(self) -> None:
        """Close the socket and the window, which ends the loop."""
        check(ws2_32.closesocket(self.socket))
        user32.DestroyWindow(self.window)

    def run(self, port: int) -> int:
        """Make the window, begin, and handle messages until WM_QUIT; returns its code."""
        self.port = port
        kind = WNDCLASSEXW(cbSize=sizeof(WNDCLASSEXW), lpfnWndProc=self.procedure, lpszClassName=f"client {id(self)}")
        expect(user32.RegisterClassExW(byref(kind)) != 0, "a class can be registered")
        expect(user32.RegisterClassExW(byref(kind)) == 0, "but not twice")
        self.window = user32.CreateWindowExW(
            0, kind.lpszClassName, "client", 0, 0, 0, 0, 0, HWND_MESSAGE, None, None, None
        )
        expect(bool(self.window), "a message-only window can be made")
        self.task = ws2_32.WSAAsyncGetHostByName(self.window, WM_HOST, b"127.0.0.1", self.host, len(self.host))
        expect(bool(self.task), "a look-up can be begun")
        message = wintypes.MSG()
        while (more := user32.GetMessageW(byref(message), None, 0, 0)) != 0:
            expect(more != -1, "GetMessage works")
            user32.TranslateMessage(byref(message))
            user32.DispatchMessageW(byref(message))
        if self.failure is not None:
            raise self.failure
        return int(message.wParam)


def main() -> None:
    check(-1 if ws2_32.WSAStartup(0x0202, byref(WSADATA())) else 0)
    listener, address = bound_socket()
    check(ws2_32.listen(listener, 5))
    server = threading.Thread(target=serve, args=(listener,), daemon=True)
    server.start()

    client = Client()
    code = client.run(address.sin_port)
    server.join()
    check(ws2_32.closesocket(listener))
    expect(client.events[0] == FD_CONNECT and client.events[-1] == FD_CLOSE, "first FD_CONNECT, last FD_CLOSE")
    expect({FD_READ, FD_WRITE} <= set(client.events), "FD_READ and FD_WRITE come")
    expect(client.received == SENT, "all that was sent comes back")
    expect(code == EXIT_CODE, "WM_QUIT has the code of PostQuitMessage")
    print(f"client: {len(client.received)} bytes sent and received, told by messages only")

    refused = Client()
    refused.run(address.sin_port)
    expect(refused.events == [FD_CONNECT], "a refused connection is told by FD_CONNECT only")
    expect(refused.error == WSAECONNREFUSED, "its error is WSAECONNREFUSED")
    print(f"client: nobody listens any more: {ctypes.WinError(refused.error)}")
    check(ws2_32.WSACleanup())


if __name__ == "__main__":
    main()
