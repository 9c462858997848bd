"""AF_UNIX with ws2_32.dll: a server, a client process that it asks for its process id, and the errors of paths.

Windows has AF_UNIX since version 1803 of Windows 10.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys
import tempfile
from ctypes import byref, c_char, c_char_p, c_int, c_size_t, c_ulong, c_ushort, create_string_buffer, sizeof

AF_UNIX, SOCK_STREAM = 1, 1
SOL_SOCKET, SO_RCVTIMEO = 0xFFFF, 0x1006
SD_SEND = 1
SIO_AF_UNIX_GETPEERPID = 0x58000100
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
WSAEAFNOSUPPORT, WSAEADDRINUSE, WSAENETDOWN, WSAECONNREFUSED = 10047, 10048, 10050, 10061
UNIX_PATH_MAX = 108
MESSAGE = b"Hello over a file name!"


class WSADATA(ctypes.Structure):
    """What WSAStartup fills in, on 64-bit Windows; 32-bit Windows has the two texts before the numbers."""

    _fields_ = [
        ("wVersion", c_ushort),
        ("wHighVersion", c_ushort),
        ("iMaxSockets", c_ushort),
        ("iMaxUdpDg", c_ushort),
        ("lpVendorInfo", c_char_p),
        ("szDescription", c_char * 257),
        ("szSystemStatus", c_char * 129),
    ]


class SOCKADDR_UN(ctypes.Structure):
    """A path in UTF-8, which ends with a NUL."""

    _fields_ = [("sun_family", c_ushort), ("sun_path", c_char * UNIX_PATH_MAX)]


ws2_32 = ctypes.windll.ws2_32
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.accept.argtypes = [SOCKET, ctypes.c_void_p, ctypes.c_void_p]
WSAGetLastError = ws2_32.WSAGetLastError


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"unix_sockets: not as on Windows: {what}")


def start() -> None:
    """Version 2.2."""
    failed = ws2_32.WSAStartup(0x0202, byref(WSADATA()))
    expect(failed == 0, f"WSAStartup returned {failed}")


def unix_socket() -> int:
    """A stream socket; nothing here waits longer than ten seconds."""
    s = ws2_32.socket(AF_UNIX, SOCK_STREAM, 0)
    if s == INVALID_SOCKET and WSAGetLastError() == WSAEAFNOSUPPORT:
        sys.exit("unix_sockets: this Windows is too old for AF_UNIX")
    check(ws2_32.setsockopt(check(s), SOL_SOCKET, SO_RCVTIMEO, byref(c_ulong(10_000)), sizeof(c_ulong)))
    return int(s)


def address(path: str) -> SOCKADDR_UN:
    """The address of a path."""
    return SOCKADDR_UN(AF_UNIX, path.encode())


def name(function: object, s: int) -> str:
    """What getsockname or getpeername tells: a path, or nothing for a socket without a name."""
    told = SOCKADDR_UN()
    length = c_int(sizeof(told))
    check(function(s, byref(told), byref(length)))  # type: ignore[operator]
    expect(told.sun_family == AF_UNIX, f"family {told.sun_family}")
    return bytes(told.sun_path).decode()


def receive(s: int) -> bytes:
    """All that comes until the peer has said that there is no more."""
    data, buffer = b"", create_string_buffer(512)
    while received := check(ws2_32.recv(s, buffer, sizeof(buffer), 0)):
        data += buffer.raw[:received]
    return data


def client(path: str) -> None:
    """A process of its own: connect, send, and expect the same bytes the other way round."""
    start()
    s = unix_socket()
    check(ws2_32.connect(s, byref(address(path)), sizeof(SOCKADDR_UN)))
    expect(name(ws2_32.getpeername, s) == path, "the server has another name")
    check(ws2_32.send(s, MESSAGE, len(MESSAGE), 0))
    check(ws2_32.shutdown(s, SD_SEND))
    answer = receive(s)
    expect(answer == MESSAGE[::-1], f"the answer is {answer!r}")
    check(ws2_32.closesocket(s))
    check(ws2_32.WSACleanup())


def serve(path: str) -> None:
    """One client: who it is, what it says, and an answer."""
    listener = unix_socket()
    check(ws2_32.bind(listener, byref(address(path)), sizeof(SOCKADDR_UN)))
    check(ws2_32.listen(listener, 5))
    print(f"server: listening at {os.path.basename(name(ws2_32.getsockname, listener))}")
    expect(os.path.lexists(path), "bind has made no file")  # exists() would look behind it on Windows

    child = multiprocessing.Process(target=client, args=(path,), daemon=True)
    child.start()
    connection = check(ws2_32.accept(listener, None, None))
    process, moved = c_ulong(), c_ulong()
    check(
        ws2_32.WSAIoctl(
            connection, SIO_AF_UNIX_GETPEERPID, None, 0, byref(process), sizeof(process), byref(moved), None, None
        )
    )
    print(f"server: connected, {'the process is the child' if process.value == child.pid else 'by somebody else'}")
    expect(process.value == child.pid, f"the peer is process {process.value}, the child is {child.pid}")
    expect(name(ws2_32.getpeername, connection) == "", "the client has a name")
    message = receive(connection)
    print(f"server: received {message!r}, sending it back the other way round")
    check(ws2_32.send(connection, message[::-1], len(message), 0))
    check(ws2_32.closesocket(connection))
    child.join(30)
    print(f"server: the client has ended with {child.exitcode}")
    expect(child.exitcode == 0, f"the client has ended with {child.exitcode}")
    check(ws2_32.closesocket(listener))


def fails(code: int, what: str, function: object, path: str) -> None:
    """bind or connect must fail with this code."""
    s = unix_socket()
    result = function(s, byref(address(path)), sizeof(SOCKADDR_UN))  # type: ignore[operator]
    got = WSAGetLastError() if result == SOCKET_ERROR else 0
    print(f"{what}: {ctypes.WinError(got) if got else 'no error'}")
    expect(got == code, f"error {got} instead of {code}")
    check(ws2_32.closesocket(s))


def main() -> None:
    """A conversation, then the errors."""
    start()
    with tempfile.TemporaryDirectory(prefix="ws") as folder:
        path = os.path.join(folder, "server")
        serve(path)
        expect(os.path.lexists(path), "closing has removed the file")
        fails(WSAEADDRINUSE, "bind to the file of a socket that is closed", ws2_32.bind, path)
        fails(WSAECONNREFUSED, "connect to it", ws2_32.connect, path)
        os.remove(path)
        fails(WSAENETDOWN, "connect when it has been removed", ws2_32.connect, path)
    check(ws2_32.WSACleanup())
    print("done")


if __name__ == "__main__":
    main()
