"""AF_UNIX streams: addresses, binding, connecting, and what differs from TCP afterwards."""

from __future__ import annotations

import os
import socket as host_sockets
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import PATIENCE, code_of, elsewhere, fails, linger, nonblocking, readable, received, tcp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEADDRINUSE,
    WSAEAFNOSUPPORT,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETDOWN,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_UNIX,
    MSG_OOB,
    SD_RECEIVE,
    SD_SEND,
    SIO_AF_UNIX_GETPEERPID,
    SO_ERROR,
    SO_LINGER,
    SO_RCVTIMEO,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.process import Process

pytestmark = pytest.mark.usefixtures("winsock")

FAMILY = b"\x01\0"
UNNAMED = FAMILY


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a path has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ws") as name:
        yield Path(name)


@pytest.fixture
def path(folder: Path) -> str:
    return str(folder / "s")


def unix() -> int:
    return api.socket(AF_UNIX, SOCK_STREAM, 0)


def listener(path: str, backlog: int = 5) -> int:
    s = unix()
    api.bind(s, api.sockaddr_un(path))
    api.listen(s, backlog)
    return s


def pair(path: str) -> tuple[int, int]:
    """Both ends of a connection; the listening socket and its file are gone."""
    listening, client = listener(path), unix()
    api.connect(client, api.sockaddr_un(path))
    server = api.accept(listening)[0]
    api.closesocket(listening)
    os.unlink(path)
    return client, server


def named(path: str | bytes) -> bytes:
    """An address as it is given back: the family, the path, a NUL."""
    return FAMILY + os.fsencode(path) + b"\0"


# ------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"", id="as long as the path"),
        pytest.param(b"\0", id="with its NUL"),
        pytest.param(b"\0/junk", id="with something behind the NUL"),
        pytest.param(None, id="whole"),
        pytest.param(b"\0" * 126, id="in a SOCKADDR_STORAGE"),
    ],
)
def test_an_address_may_have_any_length_that_holds_the_path(path: str, rest: bytes | None) -> None:
    raw = FAMILY + path.encode()
    name = raw.ljust(110, b"\0") if rest is None else raw + rest
    s, client = unix(), unix()

    api.bind(s, name)
    api.listen(s, 1)
    api.connect(client, name)

    assert os.path.exists(path)
    assert api.getsockname(s) == api.getpeername(client) == named(path)
    assert api.getsockname(s).path == path


def test_names_of_a_connection(path: str) -> None:
    """The client has none: its address is the family alone, and says so to the server, too."""
    listening, client = listener(path), unix()
    api.connect(client, api.sockaddr_un(path))
    server, told = api.accept(listening)

    assert api.getsockname(client) == api.getpeername(server) == told == UNNAMED
    assert api.getsockname(server) == api.getpeername(client) == named(path)


def test_a_client_that_is_bound_has_a_name(path: str) -> None:
    listening, client = listener(path), unix()
    api.bind(client, api.sockaddr_un(path + ".client"))
    api.connect(client, api.sockaddr_un(path))

    assert api.accept(listening)[1] == api.getsockname(client) == named(path + ".client")


def test_without_an_address_there_is_no_name(path: str) -> None:
    s = unix()
    assert code_of(api.getsockname, s) == WSAEINVAL
    assert code_of(api.getpeername, s) == WSAENOTCONN
    api.bind(s, api.sockaddr_un(path))
    assert code_of(api.getsockname, s, 109) == WSAEFAULT
    assert code_of(api.getpeername, s) == WSAENOTCONN


def test_too_little_room_takes_no_connection(path: str) -> None:
    listening, client = listener(path), unix()
    api.connect(client, api.sockaddr_un(path))

    assert code_of(api.accept, listening, 16) == WSAEFAULT
    assert api.accept(listening, 110)[1] == UNNAMED


def test_a_path_is_what_it_is_to_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other meaning than the host's: relative, a backslash, a drive letter, any bytes."""
    monkeypatch.chdir(folder)
    for name in (b"relative", b"C:\\temp\\s", "größe-☃".encode(), b"\xff\xfe"):
        s = unix()
        api.bind(s, FAMILY + name)
        assert name in os.listdir(os.fsencode(folder))
        assert api.getsockname(s) == named(name)


def test_the_longest_path(folder: Path) -> None:
    """107 bytes, and no room for a NUL is no path."""
    longest = str(folder / ("x" * 107))[:107]
    assert code_of(api.bind, unix(), FAMILY + longest.encode() + b"x") == WSAEINVAL
    s = unix()
    api.bind(s, FAMILY + longest.encode())
    assert api.getsockname(s) == named(longest)
    assert len(api.getsockname(s)) == 110


# --------------------------------------------------------------------------------------------------------- binding


def test_bind_checks_in_order(path: str, folder: Path) -> None:
    Path(path + ".file").touch()
    s = unix()
    for name, code in (
        (None, WSAEFAULT),
        (b"\x01", WSAEFAULT),
        (api.sockaddr_in("127.0.0.1", 1), WSAEAFNOSUPPORT),
        (UNNAMED, WSAEINVAL),
        (api.sockaddr_un(""), WSAEINVAL),
        (FAMILY + b"\0abstract", WSAEINVAL),
        (api.sockaddr_un(str(folder / "missing" / "s")), WSAENETDOWN),
        (api.sockaddr_un(path + ".file/s"), WSAENETDOWN),
        (api.sockaddr_un(path + ".file"), WSAEADDRINUSE),
        (api.sockaddr_un(str(folder)), WSAEADDRINUSE),
    ):
        assert code_of(api.bind, s, name) == code
    api.bind(s, api.sockaddr_un(path))
    assert code_of(api.bind, s, None) == WSAEFAULT
    assert code_of(api.bind, s, api.sockaddr_un(path)) == WSAEINVAL


def test_the_file_outlives_the_socket(path: str) -> None:
    """Nobody can bind to the path before the file is removed, which is the program's business."""
    api.closesocket(listener(path))

    assert os.path.exists(path)
    assert code_of(api.bind, unix(), api.sockaddr_un(path)) == WSAEADDRINUSE
    os.unlink(path)
    api.bind(unix(), api.sockaddr_un(path))


def test_listening_needs_a_path() -> None:
    assert code_of(api.listen, unix(), 1) == WSAEINVAL


# ------------------------------------------------------------------------------------------------------ connecting


def test_connect_checks_in_order(path: str) -> None:
    listening = listener(path)
    bound = unix()
    api.bind(bound, api.sockaddr_un(path + ".bound"))
    api.closesocket(listener(path + ".stale"))
    Path(path + ".file").touch()
    s = unix()
    for name, code in (
        (None, WSAEFAULT),
        (b"\x01", WSAEFAULT),
        (api.sockaddr_in("127.0.0.1", 1), WSAEAFNOSUPPORT),
        (UNNAMED, WSAEINVAL),
        (FAMILY + b"\0abstract", WSAEINVAL),
        (api.sockaddr_un(path + ".missing"), WSAENETDOWN),
        (api.sockaddr_un(path + "/s"), WSAENETDOWN),
        (api.sockaddr_un(path + ".file"), WSAECONNREFUSED),
        (api.sockaddr_un(path + ".stale"), WSAECONNREFUSED),
        (api.sockaddr_un(path + ".bound"), WSAECONNREFUSED),
    ):
        assert code_of(api.connect, s, name) == code
    api.connect(s, api.sockaddr_un(path))
    assert code_of(api.connect, s, api.sockaddr_un(path)) == WSAEISCONN
    assert code_of(api.connect, listening, api.sockaddr_un(path)) == WSAEINVAL


def test_a_full_backlog_refuses_and_an_emptier_one_does_not(path: str) -> None:
    listening = listener(path, 1)
    clients = []
    for _ in range(10):
        clients.append(unix())
        if code_of(api.connect, clients[-1], api.sockaddr_un(path)):
            break
    assert api.WSAGetLastError() == WSAECONNREFUSED
    api.accept(listening)
    api.connect(clients[-1], api.sockaddr_un(path))


def test_a_non_blocking_connect_is_told_by_select(path: str) -> None:
    listening, s = listener(path), nonblocking(unix())

    assert code_of(api.connect, s, api.sockaddr_un(path)) == WSAEWOULDBLOCK
    assert api.select(None, [s], [s], PATIENCE) == ([], [s], [])
    api.send(s, b"hello")
    assert received(api.accept(listening)[0], 5) == b"hello"


def test_a_non_blocking_connect_that_is_refused(path: str) -> None:
    api.closesocket(listener(path))
    s = nonblocking(unix())

    assert code_of(api.connect, s, api.sockaddr_un(path)) == WSAEWOULDBLOCK
    assert api.select(None, [s], [s], PATIENCE) == ([], [], [s])
    assert struct.unpack("<I", api.getsockopt(s, SOL_SOCKET, SO_ERROR))[0] == WSAECONNREFUSED


def test_a_connection_needs_its_file_no_more(path: str) -> None:
    client, server = pair(path)

    api.send(client, b"still here")
    assert received(server, 10) == b"still here"


# ------------------------------------------------------------------------------------------------------------ data


def test_a_large_send_waits_for_the_reader(path: str) -> None:
    client, server = pair(path)
    data = os.urandom(1 << 20)

    sending = elsewhere(api.send, client, data)
    assert received(server, len(data)) == data
    assert sending.result() == len(data)


def test_a_receive_time_limit(path: str) -> None:
    client, _ = pair(path)
    api.setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, 20)

    assert code_of(api.recv, client, bytearray(1)) == WSAETIMEDOUT


def test_there_is_no_urgent_data(path: str) -> None:
    client, _ = pair(path)

    assert code_of(api.send, client, b"!", MSG_OOB) == WSAEOPNOTSUPP
    assert code_of(api.recv, client, bytearray(1), MSG_OOB) == WSAEOPNOTSUPP


def test_ending_to_send_is_the_end_for_the_peer_only(path: str) -> None:
    client, server = pair(path)
    api.send(client, b"last")
    api.shutdown(client, SD_SEND)

    assert received(server, 4) == b"last"
    assert api.recv(server, bytearray(1)) == 0
    assert code_of(api.send, client, b"more") == WSAESHUTDOWN
    api.send(server, b"answer")
    assert received(client, 6) == b"answer"


def test_ending_to_receive_does_nothing_to_the_connection(path: str) -> None:
    """Only TCP resets a connection for data that nobody wants."""
    client, server = pair(path)
    api.shutdown(client, SD_RECEIVE)
    api.send(server, b"unwanted")

    assert code_of(api.recv, client, bytearray(8)) == WSAESHUTDOWN
    api.send(client, b"wanted")
    assert received(server, 6) == b"wanted"


def test_a_peer_that_closes_is_the_end_and_then_nobody_to_send_to(path: str) -> None:
    client, server = pair(path)
    api.closesocket(client)

    assert api.recv(server, bytearray(1)) == 0
    assert code_of(api.send, server, b"gone") == WSAECONNRESET


def test_a_peer_that_closes_with_data_unread_resets(path: str) -> None:
    client, server = pair(path)
    api.send(server, b"never read")
    readable(client)
    api.closesocket(client)

    for _ in range(2):
        assert code_of(api.recv, server, bytearray(1)) == WSAECONNRESET


def test_closing_never_lingers(path: str) -> None:
    """What was sent is the peer's already, whether it has read it or not."""
    client, server = pair(path)
    api.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 60))
    api.send(client, bytes(1000))
    api.ioctlsocket(client, api.FIONBIO, 1)
    api.closesocket(client)

    assert received(server, 1000) == bytes(1000)


# ------------------------------------------------------------------------------------------ the process at the end


def peer_process(s: int) -> int:
    found: int = struct.unpack("<I", api.WSAIoctl(s, SIO_AF_UNIX_GETPEERPID, None, 4))[0]
    return found


needs_peer_process = pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the host does not tell")


@needs_peer_process
def test_both_ends_in_one_process(path: str) -> None:
    assert [peer_process(s) for s in pair(path)] == [os.getpid(), os.getpid()]


@needs_peer_process
def test_the_other_end_in_another_process(path: str) -> None:
    listening = listener(path)
    connect = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.connect(sys.argv[1])\n"
        "s.recv(1)\n"  # until the end
    )
    with subprocess.Popen([sys.executable, "-c", connect, path]) as child:
        server = api.accept(listening)[0]
        assert peer_process(server) == child.pid != os.getpid()
        api.closesocket(server)


@needs_peer_process
def test_asking_for_the_process_checks_in_order(path: str) -> None:
    client, _ = pair(path)
    for s, room, code in ((unix(), 4, WSAENOTCONN), (client, 3, WSAEFAULT), (tcp(), 4, WSAEOPNOTSUPP)):
        with fails(code):
            api.WSAIoctl(s, SIO_AF_UNIX_GETPEERPID, None, room)


# ------------------------------------------------------------------------------------------------ beside other ones


def test_a_program_of_the_host_can_be_the_other_end(path: str, winsock: Process) -> None:
    listening = listener(path)
    with host_sockets.socket(host_sockets.AF_UNIX) as client:
        client.connect(path)
        server, told = api.accept(listening)
        client.sendall(b"from outside")
        assert (received(server, 12), told) == (b"from outside", UNNAMED)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such names")
def test_an_abstract_name_of_the_host_shows_as_none(path: str) -> None:
    """Windows has no form for it."""
    listening = listener(path)
    with host_sockets.socket(host_sockets.AF_UNIX) as client:
        client.bind(b"\0winsock2emu-" + os.urandom(8).hex().encode())
        client.connect(path)
        assert api.accept(listening)[1] == UNNAMED
