"""A chat server on select() with 60 clients, some of whom hang up the hard way.

The server is one thread with three non-blocking kinds of work: a new client, a line from a client, room to send to a
client. Everybody hears what the others say. A third of the clients closes with SO_LINGER {1, 0}, which resets the
connection; a third leaves in good order; who stays hears of both, and no line may be lost or come twice.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections import Counter
from ctypes import POINTER, byref, c_char, c_int, c_long, c_short, c_size_t, c_uint, c_ulong, c_ushort, sizeof

AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
SOL_SOCKET, SO_LINGER, SO_RCVTIMEO = 0xFFFF, 0x0080, 0x1006
FIONBIO = 0x8004667E
SD_SEND = 1
SOMAXCONN = 0x7FFFFFFF
SOCKET_ERROR = -1
WSAEWOULDBLOCK, WSAECONNABORTED, WSAECONNRESET = 10035, 10053, 10054

SOCKET = c_size_t
INVALID_SOCKET = SOCKET(-1).value
FD_SETSIZE = 64

CLIENTS = 60  # and the listening socket: 61 sockets of the 64 that an fd_set has room for


class sockaddr_in(ctypes.Structure):
    """An IPv4 address; port and address are in network byte order."""

    _fields_ = [("sin_family", c_short), ("sin_port", c_ushort), ("sin_addr", c_ulong), ("sin_zero", c_char * 8)]


class fd_set(ctypes.Structure):
    """A set of sockets: on Windows a counted array, not a bit mask."""

    _fields_ = [("fd_count", c_uint), ("fd_array", SOCKET * FD_SETSIZE)]


class timeval(ctypes.Structure):
    """How long select waits."""

    _fields_ = [("tv_sec", c_long), ("tv_usec", c_long)]


class linger(ctypes.Structure):
    """The value of SO_LINGER."""

    _fields_ = [("l_onoff", c_ushort), ("l_linger", c_ushort)]


ws2_32 = ctypes.windll.ws2_32
ws2_32.socket.restype = SOCKET
ws2_32.accept.restype = SOCKET
ws2_32.accept.argtypes = [SOCKET, POINTER(sockaddr_in), POINTER(c_int)]
ws2_32.ioctlsocket.argtypes = [SOCKET, c_long, POINTER(c_ulong)]
ws2_32.select.argtypes = [c_int, POINTER(fd_set), POINTER(fd_set), POINTER(fd_set), POINTER(timeval)]
WSAFDIsSet = ws2_32.__WSAFDIsSet  # what the macro FD_ISSET calls
WSAFDIsSet.argtypes = [SOCKET, POINTER(fd_set)]
WSAGetLastError = ws2_32.WSAGetLastError


def FD_ZERO(fds: fd_set) -> None:
    """Empty a set."""
    fds.fd_count = 0


def FD_SET(s: int, fds: fd_set) -> None:
    """Add a socket, once and if there is room, as the macro does."""
    if s not in fds.fd_array[: fds.fd_count] and fds.fd_count < FD_SETSIZE:
        fds.fd_array[fds.fd_count] = s
        fds.fd_count += 1


def FD_ISSET(s: int, fds: fd_set) -> bool:
    """Whether a socket is in a set."""
    return bool(WSAFDIsSet(s, byref(fds)))


def check(result: int) -> int:
    """Raise the error of a Winsock call that failed, return the result of one that did not."""
    if result in (SOCKET_ERROR, INVALID_SOCKET):
        raise ctypes.WinError(WSAGetLastError())
    return result


def expect(condition: bool, what: str) -> None:
    """End the program when something is not as it is on Windows."""
    if not condition:
        sys.exit(f"chat_select: not as on Windows: {what}")


class Guest:
    """A client as the server sees it."""

    def __init__(self, s: int) -> None:
        self.socket = s
        self.name = ""
        self.heard = b""
        self.unsent = b""


class Server(threading.Thread):
    """The chat server; it ends when everybody has come and gone."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        self.address = sockaddr_in(AF_INET, 0, ws2_32.inet_addr(b"127.0.0.1"))
        check(ws2_32.bind(self.listener, byref(self.address), sizeof(self.address)))
        length = c_int(sizeof(self.address))
        check(ws2_32.getsockname(self.listener, byref(self.address), byref(length)))
        check(ws2_32.listen(self.listener, SOMAXCONN))
        check(ws2_32.ioctlsocket(self.listener, FIONBIO, byref(c_ulong(1))))
        self.guests: dict[int, Guest] = {}
        self.arrivals = 0
        self.lines_said = 0  # counted once for each listener
        self.endings: Counter[int] = Counter()  # how connections ended: an error code, 0 for a shutdown
        self.most_ready = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        """The select loop."""
        try:
            while self.arrivals < CLIENTS or self.guests:
                self.turn()
            check(ws2_32.closesocket(self.listener))
        except BaseException as failure:
            self.failure = failure

    def turn(self) -> None:
        """Wait until something can be done, and do it."""
        readable, writable = fd_set(), fd_set()
        FD_ZERO(readable)
        FD_ZERO(writable)
        FD_SET(self.listener, readable)
        for guest in self.guests.values():
            FD_SET(guest.socket, readable)
            if guest.unsent:
                FD_SET(guest.socket, writable)
        ready = check(ws2_32.select(0, byref(readable), byref(writable), None, byref(timeval(10, 0))))
        if ready == 0:
            raise TimeoutError("nothing happened for ten seconds")
        if ready != readable.fd_count + writable.fd_count:
            raise ValueError(f"select returned {ready}, the sets hold {readable.fd_count} and {writable.fd_count}")
        self.most_ready = max(self.most_ready, ready)

        for guest in list(self.guests.values()):
            if FD_ISSET(guest.socket, readable):
                self.read(guest)
        for guest in list(self.guests.values()):
            if guest.unsent and FD_ISSET(guest.socket, writable):
                self.write(guest)
        if FD_ISSET(self.listener, readable):
            self.welcome()

    def welcome(self) -> None:
        """Let a client in."""
        s = check(ws2_32.accept(self.listener, None, None))
        check(ws2_32.ioctlsocket(s, FIONBIO, byref(c_ulong(1))))
        self.guests[s] = Guest(s)
        self.arrivals += 1

    def read(self, guest: Guest) -> None:
        """Take what a client has sent, or see that it is gone."""
        buffer = ctypes.create_string_buffer(1024)
        received = ws2_32.recv(guest.socket, buffer, sizeof(buffer), 0)
        if received == SOCKET_ERROR:
            code = WSAGetLastError()
            if code != WSAEWOULDBLOCK:
                self.drop(guest, code)
        elif received == 0:
            self.drop(guest, 0)
        else:
            *lines, guest.heard = (guest.heard + buffer.raw[:received]).split(b"\n")
            for line in lines:
                self.hear(guest, line.decode())

    def hear(self, guest: Guest, line: str) -> None:
        """The first line of a client is its name, all others are for everybody."""
        if guest.name:
            self.broadcast(guest, f"{guest.name} says {line}")
            self.lines_said += len(self.guests) - 1
        else:
            guest.name = line
            self.tell(guest, f"welcome {line}")

    def broadcast(self, source: Guest, line: str) -> None:
        """Tell everybody but the source."""
        for guest in self.guests.values():
            if guest is not source:
                self.tell(guest, line)

    def tell(self, guest: Guest, line: str) -> None:
        """Put a line into a client's queue."""
        guest.unsent += line.encode() + b"\n"

    def write(self, guest: Guest) -> None:
        """Send as much as goes at once."""
        sent = ws2_32.send(guest.socket, guest.unsent, len(guest.unsent), 0)
        if sent == SOCKET_ERROR:
            code = WSAGetLastError()
            if code != WSAEWOULDBLOCK:
                self.drop(guest, code)
        else:
            guest.unsent = guest.unsent[sent:]

    def drop(self, guest: Guest, code: int) -> None:
        """Forget a client and tell the others how it went."""
        del self.guests[guest.socket]
        check(ws2_32.closesocket(guest.socket))
        self.endings[code] += 1
        self.broadcast(guest, f"{guest.name} {'resets' if code else 'leaves'}")


class Client:
    """One who chats; its calls block."""

    def __init__(self, name: str, server: sockaddr_in) -> None:
        self.name = name
        self.heard = b""
        self.socket = check(ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
        check(ws2_32.setsockopt(self.socket, SOL_SOCKET, SO_RCVTIMEO, byref(c_ulong(10000)), sizeof(c_ulong)))
        check(ws2_32.connect(self.socket, byref(server), sizeof(server)))
        self.say(name)
        expect(self.lines(1) == [f"welcome {name}"], "a client was not welcomed by its name")

    def say(self, line: str) -> None:
        """Send a line."""
        data = line.encode() + b"\n"
        expect(check(ws2_32.send(self.socket, data, len(data), 0)) == len(data), "a line was sent in part")

    def receive(self) -> int:
        """Wait for data; 0 is the end of the stream."""
        buffer = ctypes.create_string_buffer(4096)
        received = check(ws2_32.recv(self.socket, buffer, sizeof(buffer), 0))
        self.heard += buffer.raw[:received]
        return received

    def lines(self, count: int) -> list[str]:
        """Wait for so many lines."""
        while self.heard.count(b"\n") < count:
            expect(self.receive() > 0, f"{self.name} was disconnected")
        *lines, self.heard = self.heard.split(b"\n", count)
        return [line.decode() for line in lines]

    def reset(self) -> None:
        """Close with a linger time of zero: the connection is reset."""
        option = linger(1, 0)
        check(ws2_32.setsockopt(self.socket, SOL_SOCKET, SO_LINGER, byref(option), sizeof(option)))
        check(ws2_32.closesocket(self.socket))

    def leave(self) -> None:
        """Say that no more comes, wait until the server has closed, close."""
        check(ws2_32.shutdown(self.socket, SD_SEND))
        while self.receive():
            pass
        check(ws2_32.closesocket(self.socket))


def everybody_speaks(clients: list[Client], text: str) -> int:
    """Let all say something, and account for every line at every client; return how many there were."""
    for client in clients:
        client.say(text)
    for client in clients:
        heard = client.lines(len(clients) - 1)
        said = [f"{other.name} says {text}" for other in clients if other is not client]
        expect(sorted(heard) == sorted(said), f"{client.name} heard {heard}")
    return len(clients) * (len(clients) - 1)


def main() -> None:
    """Sixty come, all speak, twenty hang up, twenty leave, the rest speaks again."""
    failed = ws2_32.WSAStartup(0x0202, ctypes.create_string_buffer(512))
    expect(failed == 0, f"WSAStartup returned {failed}")
    started = time.monotonic()
    server = Server()
    server.start()
    try:
        clients = [Client(f"guest{number:02}", server.address) for number in range(CLIENTS)]
        print(f"{CLIENTS} clients are connected")

        accounted = everybody_speaks(clients, "hello")
        print(f"{accounted} lines heard: each client heard the {CLIENTS - 1} others once")

        hard, soft, rest = clients[:20], clients[20:40], clients[40:]
        for client in hard:
            client.reset()
        for client in soft:
            client.leave()
        notices = [f"{client.name} resets" for client in hard] + [f"{client.name} leaves" for client in soft]
        for client in rest:
            heard = client.lines(len(notices))
            expect(sorted(heard) == sorted(notices), f"{client.name} heard {heard}")
        print(f"{len(hard)} clients reset their connection, {len(soft)} left in good order, the others know")

        again = everybody_speaks(rest, "still here")
        print(f"{again} lines heard by the {len(rest)} who stayed")
        for client in rest:
            client.leave()
    except OSError:
        if server.failure is not None:
            raise server.failure from None
        raise

    server.join(10)
    if server.failure is not None:
        raise server.failure
    expect(not server.is_alive(), "the server does not end")
    print(f"server: {server.lines_said} lines passed on, at most {server.most_ready} sockets ready at once")
    expect(server.lines_said == accounted + again, "the clients heard another number of lines")
    for code, count in sorted(server.endings.items()):
        print(f"server: {count} connections ended with {ctypes.WinError(code) if code else 'a shutdown'}")
    resets = server.endings[WSAECONNRESET] + server.endings[WSAECONNABORTED]  # the second is a send's
    expect(server.endings[WSAECONNRESET] > 0, "no connection was reset")
    expect(resets == len(hard), f"{resets} connections were reset instead of {len(hard)}")
    expect(server.endings[0] == len(soft) + len(rest), f"{server.endings[0]} connections ended in good order")
    check(ws2_32.WSACleanup())
    print(f"done in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
