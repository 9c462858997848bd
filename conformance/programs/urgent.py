"""A remote shell that can be interrupted: output by the pailful, and Ctrl+C as urgent data that overtakes it.

A server sends numbered lines as fast as the client takes them, and reads nothing meanwhile. When the client has had
enough it sends an urgent byte. The server finds it in exceptfds, stops, answers with an urgent byte of its own, the
data mark, and then shows its prompt:

- the first time the mark comes beside the stream: exceptfds tells of it, MSG_OOB takes it, and of the output nothing is
  missing;
- the second time the client has SO_OOBINLINE on, and throws away what comes before the mark, as telnet and rlogin do;
- the last time two signals are sent at once. The second does not replace the first.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from ctypes import POINTER, byref, c_char, c_int, c_long, c_short, c_size_t, c_uint, c_ulong, c_ushort, sizeof

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOL_SOCKET, SO_OOBINLINE, SO_RCVTIMEO = 0xFFFF, 0x0100, 0x1006
MSG_OOB = 1
FIONBIO, FIONREAD, SIOCATMARK = 0x8004667E, 0x4004667F, 0x40047307
SOCKET_ERROR = -1
WSAEINVAL, WSAEWOULDBLOCK = 10022, 10035
SOCKET = c_size_t
INVALID_SOCKET = SOCKET(-1).value
FD_SETSIZE = 64

INTERRUPT, QUIT, DATA_MARK = b"\x03", b"\x1c", b"\xf2"
PROMPT = b"prompt> "
AGAIN = b"again\n"


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ulong), ("sin_zero", c_char * 8)]


class fd_set(ctypes.Structure):
    """A set of sockets: on Windows a counted array, not a bit mask."""

    _fields_ = [("fd_count", c_uint), ("fd_array", SOCKET * FD_SETSIZE)]

    def __init__(self, *sockets: int) -> None:
        super().__init__(len(sockets), (SOCKET * FD_SETSIZE)(*sockets))


class timeval(ctypes.Structure):
    """How long select waits."""

    _fields_ = [("tv_sec", c_long), ("tv_usec", c_long)]


ws2_32 = ctypes.windll.ws2_32
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.accept.argtypes = [SOCKET, POINTER(sockaddr_in), POINTER(c_int)]
ws2_32.ioctlsocket.argtypes = [SOCKET, c_long, POINTER(c_ulong)]
ws2_32.select.argtypes = [c_int, POINTER(fd_set), POINTER(fd_set), POINTER(fd_set), POINTER(timeval)]
WSAGetLastError = ws2_32.WSAGetLastError


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"urgent: not as on Windows: {what}")


def control(s: int, code: int, value: int = 0) -> int:
    """Give a socket a control code; what it has stored."""
    number = c_ulong(value)
    check(ws2_32.ioctlsocket(s, c_long(code).value, byref(number)))
    return number.value


def receive(s: int, room: int = 4096, flags: int = 0) -> bytes:
    """Receive once."""
    buffer = ctypes.create_string_buffer(room)
    received = check(ws2_32.recv(s, buffer, room, flags))
    return buffer.raw[:received]


def urgent_waits(s: int, seconds: int = 10) -> bool:
    """Wait until urgent data is there."""
    exceptional = fd_set(s)
    return check(ws2_32.select(0, None, None, byref(exceptional), byref(timeval(seconds, 0)))) == 1


class Shell(threading.Thread):
    """The server: one client, whose commands it reads at the prompt only."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        self.address = sockaddr_in(AF_INET, 0, ws2_32.inet_addr(b"127.0.0.1"))
        check(ws2_32.bind(self.listener, byref(self.address), sizeof(self.address)))
        check(ws2_32.getsockname(self.listener, byref(self.address), byref(c_int(sizeof(self.address)))))
        check(ws2_32.listen(self.listener, 1))
        self.lines = 0
        self.signals = b""
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Serve the client, keep what goes wrong."""
        try:
            self.client = check(ws2_32.accept(self.listener, None, None))
            control(self.client, FIONBIO, 1)
            while self.print_until_interrupted() != QUIT:
                self.say(DATA_MARK, MSG_OOB)
                self.say(PROMPT)
                if self.next_command() == QUIT:
                    break
            check(ws2_32.closesocket(self.client))
            check(ws2_32.closesocket(self.listener))
        except BaseException as failure:
            self.failure = failure

    def print_until_interrupted(self) -> bytes:
        """Print lines until a signal comes as urgent data; the signal."""
        unsent = b""
        while True:
            writable, exceptional = fd_set(self.client), fd_set(self.client)
            ready = check(ws2_32.select(0, None, byref(writable), byref(exceptional), byref(timeval(10, 0))))
            expect(ready > 0, "nothing happened for ten seconds")
            if exceptional.fd_count:
                self.say(unsent)
                return self.take_signal()
            if not unsent:
                self.lines += 1
                unsent = f"line {self.lines:6}\n".encode() * 1000
            sent = ws2_32.send(self.client, unsent, len(unsent), 0)
            if sent == SOCKET_ERROR:
                expect(WSAGetLastError() == WSAEWOULDBLOCK, f"send failed with {WSAGetLastError()}")
            else:
                unsent = unsent[sent:]

    def next_command(self) -> bytes:
        """Wait at the prompt for a command, or for another signal."""
        readable, exceptional = fd_set(self.client), fd_set(self.client)
        check(ws2_32.select(0, byref(readable), None, byref(exceptional), byref(timeval(10, 0))))
        if exceptional.fd_count:
            return self.take_signal()
        expect(readable.fd_count == 1, "no command came")
        return receive(self.client)

    def take_signal(self) -> bytes:
        """The urgent byte that waits."""
        signal = receive(self.client, 1, MSG_OOB)
        self.signals += signal
        return signal

    def say(self, data: bytes, flags: int = 0) -> None:
        """Send all of something."""
        while data:
            sent = ws2_32.send(self.client, data, len(data), flags)
            if sent == SOCKET_ERROR:
                expect(WSAGetLastError() == WSAEWOULDBLOCK, f"send failed with {WSAGetLastError()}")
                writable = fd_set(self.client)
                check(ws2_32.select(0, None, byref(writable), None, byref(timeval(10, 0))))
            else:
                data = data[sent:]


def main() -> None:
    """Interrupt the shell twice, send two signals at once, quit."""
    failed = ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512))
    expect(failed == 0, f"WSAStartup returned {failed}")
    shell = Shell()
    shell.start()
    s = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
    check(ws2_32.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, byref(c_ulong(10000)), sizeof(c_ulong)))
    check(ws2_32.connect(s, byref(shell.address), sizeof(shell.address)))

    expect(ws2_32.recv(s, ctypes.create_string_buffer(1), 1, MSG_OOB) == SOCKET_ERROR, "urgent data came unasked")
    expect(WSAGetLastError() == WSAEINVAL, f"without urgent data recv fails with {WSAGetLastError()}")
    print(f"no urgent data: {ctypes.WinError(WSAEINVAL)}")

    # Beside the stream: nothing of the output is lost, and the mark is not part of it.
    output = receive(s)
    expect(control(s, SIOCATMARK) == 1, "SIOCATMARK is FALSE without urgent data")
    expect(check(ws2_32.send(s, INTERRUPT, 1, MSG_OOB)) == 1, "the signal was not sent")
    while not output.endswith(PROMPT):
        output += receive(s, 65536)
    expect(urgent_waits(s), "the data mark has not come")
    expect(control(s, SIOCATMARK) == 0, "SIOCATMARK is TRUE although urgent data waits")
    expect(control(s, FIONREAD) == 0, "FIONREAD counts urgent data")
    expect(receive(s, 10, MSG_OOB) == DATA_MARK, "the data mark is another byte")
    expect(control(s, SIOCATMARK) == 1, "SIOCATMARK is FALSE after the urgent byte was taken")
    expect(not urgent_waits(s, 0), "the socket is exceptional after the urgent byte was taken")
    text = output.removesuffix(PROMPT).decode()
    numbers = [int(line.split()[1]) for line in text.splitlines()]
    expect(numbers == [1 + index // 1000 for index in range(len(numbers))], "lines of the output are missing")
    print("interrupted: the mark came beside the stream, and every line of the output is there")

    # In the stream: the receiver reads, and throws away, until the mark is next.
    check(ws2_32.setsockopt(s, SOL_SOCKET, SO_OOBINLINE, byref(c_int(1)), sizeof(c_int)))
    check(ws2_32.send(s, AGAIN, len(AGAIN), 0))
    discarded = len(receive(s))
    check(ws2_32.send(s, INTERRUPT, 1, MSG_OOB))
    while True:
        piece = receive(s, 65536)
        if piece == DATA_MARK:
            break
        expect(DATA_MARK not in piece, "the mark was not received by itself")
        discarded += len(piece)
    expect(receive(s) == PROMPT, "something else follows the mark")
    expect(discarded > 0, "there was nothing to discard")
    print("interrupted: output thrown away up to the mark in the stream, the prompt is next")

    # Two signals at once: the second does not replace the first.
    check(ws2_32.setsockopt(s, SOL_SOCKET, SO_OOBINLINE, byref(c_int(0)), sizeof(c_int)))
    check(ws2_32.send(s, AGAIN, len(AGAIN), 0))
    expect(receive(s).startswith(b"line"), "the shell prints something else")
    for signal in (INTERRUPT, QUIT):
        check(ws2_32.send(s, signal, 1, MSG_OOB))
    while receive(s, 65536):
        continue
    expect(urgent_waits(s), "the last data mark has not come")
    expect(receive(s, 1, MSG_OOB) == DATA_MARK, "the last data mark is another byte")
    check(ws2_32.closesocket(s))
    shell.join(10)
    if shell.failure is not None:
        raise shell.failure
    expect(not shell.is_alive(), "the shell does not end")
    print(f"signals that the shell has seen: {shell.signals!r}")
    expect(shell.signals == INTERRUPT * 3 + QUIT, "a signal is missing")
    check(ws2_32.WSACleanup())
    print("all as on Windows")


if __name__ == "__main__":
    main()
