"""TCP echo with ws2_32.dll: a server thread, two clients, and a port where nobody listens."""

from __future__ import annotations

import ctypes
import sys
import threading
from ctypes import byref, c_char, c_char_p, c_int, c_short, c_size_t, c_ulong, c_ushort, create_string_buffer, sizeof

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOL_SOCKET, SO_RCVTIMEO = 0xFFFF, 0x1006
SD_SEND = 1
SOCKET_ERROR = -1
SOCKET = c_size_t  # UINT_PTR
INVALID_SOCKET = SOCKET(-1).value
WSAECONNREFUSED = 10061


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


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ulong), ("sin_zero", c_char * 8)]

    def __str__(self) -> str:
        return f"{ws2_32.inet_ntoa(self.sin_addr).decode()}:{ws2_32.ntohs(self.sin_port)}"


ws2_32 = ctypes.windll.ws2_32
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.inet_addr.restype = c_ulong
ws2_32.inet_ntoa.restype = c_char_p
ws2_32.ntohs.restype = c_ushort
WSAGetLastError = ws2_32.WSAGetLastError


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"echo: not as on Windows: {what}")


def bound_socket() -> tuple[int, sockaddr_in]:
    """A TCP socket on a free port of the loopback interface, and its address."""
    s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
    address = sockaddr_in(sin_family=AF_INET, sin_port=0, sin_addr=ws2_32.inet_addr(b"127.0.0.1"))
    check(ws2_32.bind(s, byref(address), sizeof(address)))
    length = c_int(sizeof(address))
    check(ws2_32.getsockname(s, byref(address), byref(length)))
    return s, address


def serve(listener: int, clients: int) -> None:
    """Send back whatever the clients send, one client after the other."""
    buffer = create_string_buffer(512)
    for _ in range(clients):
        peer = sockaddr_in()
        length = c_int(sizeof(peer))
        connection = check(ws2_32.accept(listener, byref(peer), byref(length)))
        while received := check(ws2_32.recv(connection, buffer, sizeof(buffer), 0)):
            print(f"server: {received} bytes from {peer}, sending them back")
            check(ws2_32.send(connection, buffer, received, 0))
        check(ws2_32.closesocket(connection))
    check(ws2_32.closesocket(listener))


def talk(server: sockaddr_in, message: bytes) -> bytes:
    """Connect, send ``message``, say that there is no more, and return all that comes back."""
    s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
    try:
        check(ws2_32.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, byref(c_ulong(5000)), sizeof(c_ulong)))
        check(ws2_32.connect(s, byref(server), sizeof(server)))
        check(ws2_32.send(s, message, len(message), 0))
        check(ws2_32.shutdown(s, SD_SEND))
        answer, buffer = b"", create_string_buffer(512)
        while received := check(ws2_32.recv(s, buffer, sizeof(buffer), 0)):
            answer += buffer.raw[:received]
        return answer
    finally:
        ws2_32.closesocket(s)


def main() -> None:
    """Echo two messages, then meet an error."""
    data = WSADATA()
    failed = ws2_32.WSAStartup(0x0202, byref(data))
    expect(failed == 0, f"WSAStartup returned {failed}")
    version = f"{data.wVersion & 0xFF}.{data.wVersion >> 8}"
    print(f"WSAStartup: version {version}, {data.szDescription.decode()}, {data.szSystemStatus.decode()}")
    expect(version == "2.2", f"version {version}")

    messages = [b"Hello, Winsock!", b"The same again, please."]
    listener, address = bound_socket()
    check(ws2_32.listen(listener, 5))
    print(f"server: listening at {address}")
    server = threading.Thread(target=serve, args=(listener, len(messages)), daemon=True)
    server.start()
    for message in messages:
        print(f"client: sending {message!r}")
        answer = talk(address, message)
        print(f"client: received {answer!r}")
        expect(answer == message, "the echo differs")
    server.join(5)
    expect(not server.is_alive(), "the server is still waiting")

    taken, deaf = bound_socket()  # the port is taken, but without listen() nobody answers
    print(f"client: connecting to {deaf}, where nobody listens")
    try:
        talk(deaf, b"Anybody there?")
    except ConnectionRefusedError as refused:
        print(f"client: {refused}")
        expect(refused.winerror == WSAECONNREFUSED, "another error than WSAECONNREFUSED")
    else:
        expect(False, "connected to a port without a server")
    check(ws2_32.closesocket(taken))

    check(ws2_32.WSACleanup())
    print("WSACleanup: done")


if __name__ == "__main__":
    main()
