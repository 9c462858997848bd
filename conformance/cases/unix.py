"""AF_UNIX: stream sockets whose addresses are paths in the file system."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..addresses import SIZE_UN, sockaddr_in, sockaddr_un
from ..constants import (
    AF_UNIX,
    MSG_OOB,
    SD_RECEIVE,
    SD_SEND,
    SIO_AF_UNIX_GETPEERPID,
    SO_ACCEPTCONN,
    SO_ERROR,
    SO_RCVTIMEO,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
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
    WSAEPROTONOSUPPORT,
    WSAESHUTDOWN,
    WSAESOCKTNOSUPPORT,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "AF_UNIX"
BLOG = "devblogs.microsoft.com/commandline/af_unix-comes-to-windows"
HEADER = "Windows SDK, afunix.h"
GO_TEST = "Go's test TestUnixConnLocalWindows, which passes on Windows"
ABSTRACT = "github.com/microsoft/WSL/issues/4240, observed on Windows 10"
MISSING = "github.com/jart/cosmopolitan/issues/1000, observed on Windows 10"
WINSOCK = "the rules of every connection-oriented protocol: winsock2/nf-winsock2-{}"

FAMILY = b"\x01\x00"


@contextlib.contextmanager
def folder() -> Iterator[str]:
    """A folder with a short name, for paths of at most 107 bytes; removed with all that is in it."""
    with tempfile.TemporaryDirectory(prefix="ws") as name:
        yield name


def unix(ws: Target) -> int:
    """A new AF_UNIX socket; n/a on a Windows from before 2018."""
    try:
        return ws.socket(AF_UNIX, SOCK_STREAM, 0)
    except Failed as failure:
        if failure.code != WSAEAFNOSUPPORT:
            raise
        not_applicable("this Windows has no AF_UNIX")


@contextlib.contextmanager
def listener(ws: Target, path: str, backlog: int = 5) -> Iterator[int]:
    with ws.closing(unix(ws)) as s:
        ws.bind(s, sockaddr_un(path))
        ws.listen(s, backlog)
        yield s


@contextlib.contextmanager
def connection(ws: Target) -> Iterator[tuple[int, int]]:
    """Both ends of a connection, (client, server)."""
    with folder() as name, listener(ws, f"{name}/s") as listening, ws.closing(unix(ws)) as client:
        ws.connect(client, sockaddr_un(f"{name}/s"))
        with ws.closing(ws.accept(listening)[0]) as server:
            ws.closesocket(listening)
            yield client, server


def path_of(address: bytes) -> str:
    """The path in an address: up to its NUL."""
    expect("family", expected=FAMILY, actual=address[:2])
    return address[2:].partition(b"\0")[0].decode()


# ---- kinds of sockets ------------------------------------------------------------------------------------------------


@case(
    "unix.creation.stream",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def stream_sockets_exist(ws: Target) -> None:
    """AF_UNIX has stream sockets, protocol 0; the socket's own record says so."""
    with ws.closing(unix(ws)) as s:
        expect("SO_TYPE", expected=SOCK_STREAM, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))
        expect("listening", expected=0, actual=ws.get_int(s, SOL_SOCKET, SO_ACCEPTCONN))
        expect("error", expected=0, actual=ws.get_int(s, SOL_SOCKET, SO_ERROR))


@case(
    "unix.creation.no-datagrams",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def datagram_sockets_do_not(ws: Target) -> None:
    """SOCK_DGRAM is not supported; the code is that of a type which the family lacks."""
    ws.closesocket(unix(ws))
    with fails_with(WSAESOCKTNOSUPPORT, variants={WSAEAFNOSUPPORT: "some builds", WSAEPROTONOSUPPORT: "some builds"}):
        ws.closesocket(ws.socket(AF_UNIX, SOCK_DGRAM, 0))


# ---- addresses -------------------------------------------------------------------------------------------------------


@case(
    "unix.address.length-{row}",
    chapter=CHAPTER,
    source=HEADER + ": programs pass sizeof(sockaddr_un) or as much of it as the path needs",
    basis="choice",
    rows={
        "whole": Row(sockaddr_un),
        "with-nul": Row(lambda path: FAMILY + path.encode() + b"\0"),
        "without-nul": Row(lambda path: FAMILY + path.encode()),
        "storage": Row(lambda path: sockaddr_un(path).ljust(128, b"\0")),
        "junk-behind-nul": Row(lambda path: (FAMILY + path.encode() + b"\0junk").ljust(SIZE_UN, b"\xff")),
    },
)
def address_is_as_long_as_it_is(ws: Target, make: object) -> None:
    """Whatever length is passed, the path up to the NUL or the end is the address, for bind and for connect."""
    assert callable(make)
    with folder() as name, ws.closing(unix(ws), unix(ws)) as (s, client):
        path = f"{name}/s"
        ws.bind(s, make(path))
        expect_true("the file is there", os.path.lexists(path))
        expect("local address", expected=path, actual=path_of(ws.getsockname(s)))
        ws.listen(s, 1)
        ws.connect(client, make(path))
        expect("peer address", expected=path, actual=path_of(ws.getpeername(client)))


@case(
    "unix.address.given-back",
    chapter=CHAPTER,
    source="crate uds_windows, whose tests take the length for the path's and pass on Windows",
    basis="observed",
)
def address_given_back_has_its_own_length(ws: Target) -> None:
    """getsockname of a bound socket: family, path and NUL, and the length says where they end."""
    with folder() as name, ws.closing(unix(ws)) as s:
        path = f"{name}/s"
        ws.bind(s, FAMILY + path.encode() + b"\0")
        expect("address", expected=FAMILY + path.encode() + b"\0", actual=ws.getsockname(s))


@case(
    "unix.address.unnamed",
    chapter=CHAPTER,
    source=GO_TEST,
    basis="observed",
)
def client_has_no_name(ws: Target) -> None:
    """A client that was not bound: connected, its address is the family and no path, to itself and to the server."""
    with folder() as name, listener(ws, f"{name}/s") as listening, ws.closing(unix(ws)) as client:
        ws.connect(client, sockaddr_un(f"{name}/s"))
        server, told = ws.accept(listening)
        with ws.closing(server):
            shown = [ws.getsockname(client), ws.getpeername(server), told]
            expect("paths", expected=["", "", ""], actual=[path_of(address) for address in shown])
            variant("length", expected={2}, allowed={}, actual={len(address) for address in shown})
            expect("the server's name", expected=f"{name}/s", actual=path_of(ws.getsockname(server)))
            expect("the client's peer", expected=f"{name}/s", actual=path_of(ws.getpeername(client)))


@case(
    "unix.address.named-client",
    chapter=CHAPTER,
    source=GO_TEST,
    basis="observed",
)
def client_may_have_a_name(ws: Target) -> None:
    """A client that was bound to a path of its own: the server sees that path."""
    with folder() as name, listener(ws, f"{name}/s") as listening, ws.closing(unix(ws)) as client:
        ws.bind(client, sockaddr_un(f"{name}/c"))
        ws.connect(client, sockaddr_un(f"{name}/s"))
        server, told = ws.accept(listening)
        with ws.closing(server):
            expect("told by accept", expected=f"{name}/c", actual=path_of(told))
            expect("peer", expected=f"{name}/c", actual=path_of(ws.getpeername(server)))


@case(
    "unix.address.unbound",
    chapter=CHAPTER,
    source=WINSOCK.format("getsockname"),
    basis="documented",
)
def unbound_socket_has_no_name(ws: Target) -> None:
    """Before bind and connect getsockname is WSAEINVAL and getpeername WSAENOTCONN."""
    with ws.closing(unix(ws)) as s:
        with fails_with(WSAEINVAL):
            ws.getsockname(s)
        with fails_with(WSAENOTCONN):
            ws.getpeername(s)


@case(
    "unix.address.utf-8",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def path_is_utf8(ws: Target) -> None:
    """sun_path is UTF-8: the file has the name in any script."""
    with folder() as name, ws.closing(unix(ws)) as s:
        path = f"{name}/größe-☃"
        ws.bind(s, sockaddr_un(path))
        expect("files", expected=["größe-☃"], actual=os.listdir(name))
        expect("name", expected=path, actual=path_of(ws.getsockname(s)))


# ---- bind ------------------------------------------------------------------------------------------------------------


@case(
    "unix.bind.makes-the-file",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def bind_makes_a_file_that_stays(ws: Target) -> None:
    """bind makes the file and closing leaves it; until somebody deletes it bind to the path is WSAEADDRINUSE."""
    with folder() as name, ws.closing(unix(ws), unix(ws)) as (first, second):
        path = f"{name}/s"
        ws.bind(first, sockaddr_un(path))
        ws.closesocket(first)
        expect_true("the file stays", os.path.lexists(path))
        with fails_with(WSAEADDRINUSE):
            ws.bind(second, sockaddr_un(path))
        os.unlink(path)
        ws.bind(second, sockaddr_un(path))


@case(
    "unix.bind.refused-{row}",
    chapter=CHAPTER,
    source=WINSOCK.format("bind"),
    basis="documented",
    rows={
        "null": Row(None, WSAEFAULT),
        "short": Row(b"\x01", WSAEFAULT),
        "family": Row(sockaddr_in(port=0), WSAEAFNOSUPPORT),
        "no-path": Row(FAMILY, WSAEINVAL, basis="choice"),
        "empty-path": Row(sockaddr_un(""), WSAEINVAL, basis="choice"),
        "abstract": Row(FAMILY + b"\0abstract", WSAEINVAL, basis="choice"),
        "no-room-for-nul": Row(FAMILY + b"x" * 108, WSAEINVAL, basis="choice"),
    },
)
def bind_refuses(ws: Target, name: bytes | None, code: int) -> None:
    """bind needs a path that is there, fits, and belongs to AF_UNIX; there are no names outside the file system."""
    with ws.closing(unix(ws)) as s, fails_with(code):
        ws.bind(s, name)


@case(
    "unix.bind.existing-file",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def bind_refuses_a_file_of_another_kind(ws: Target) -> None:
    """A path that exists is in use, whatever it is."""
    with folder() as name, ws.closing(unix(ws)) as s:
        Path(name, "file").touch()
        with fails_with(WSAEADDRINUSE):
            ws.bind(s, sockaddr_un(f"{name}/file"))


@case(
    "unix.bind.missing-folder",
    chapter=CHAPTER,
    source="github.com/libevent/libevent/pull/1625, observed on a Windows runner",
    basis="observed",
)
def bind_in_a_folder_that_does_not_exist(ws: Target) -> None:
    """A path in a folder that is not there is WSAENETDOWN."""
    with folder() as name, ws.closing(unix(ws)) as s, fails_with(WSAENETDOWN):
        ws.bind(s, sockaddr_un(f"{name}/missing/s"))


@case(
    "unix.bind.twice",
    chapter=CHAPTER,
    source=WINSOCK.format("bind"),
    basis="documented",
)
def bind_happens_once(ws: Target) -> None:
    """A second bind is WSAEINVAL, to a free path as well."""
    with folder() as name, ws.closing(unix(ws)) as s:
        ws.bind(s, sockaddr_un(f"{name}/s"))
        with fails_with(WSAEINVAL):
            ws.bind(s, sockaddr_un(f"{name}/t"))


@case(
    "unix.listen.unbound",
    chapter=CHAPTER,
    source=WINSOCK.format("listen"),
    basis="documented",
)
def listening_needs_a_path(ws: Target) -> None:
    """listen on a socket that is not bound is WSAEINVAL."""
    with ws.closing(unix(ws)) as s, fails_with(WSAEINVAL):
        ws.listen(s, 5)


# ---- connect ---------------------------------------------------------------------------------------------------------


@case(
    "unix.connect.refused-{row}",
    chapter=CHAPTER,
    source=WINSOCK.format("connect"),
    basis="documented",
    rows={
        "null": Row(None, WSAEFAULT),
        "short": Row(b"\x01", WSAEFAULT),
        "family": Row(sockaddr_in(port=9), WSAEAFNOSUPPORT),
        "no-path": Row(sockaddr_un(""), WSAEINVAL, basis="observed", source=ABSTRACT),
        "abstract": Row(FAMILY + b"\0abstract", WSAEINVAL, basis="observed", source=ABSTRACT),
        "missing": Row(sockaddr_un("no-such-folder/no-such-file"), WSAENETDOWN, basis="observed", source=MISSING),
    },
)
def connect_refuses(ws: Target, name: bytes | None, code: int) -> None:
    """connect needs the path of a file that is there; a missing one is a dead network to Windows."""
    with ws.closing(unix(ws)) as s, fails_with(code):
        ws.connect(s, name)


@case(
    "unix.connect.nobody-{row}",
    chapter=CHAPTER,
    source=WINSOCK.format("connect"),
    basis="documented",
    rows={"closed": Row("closed"), "not-listening": Row("bound"), "backlog-full": Row("full")},
)
def connect_is_refused(ws: Target, why: str) -> None:
    """A socket file whose socket is closed, does not listen, or has a full backlog: WSAECONNREFUSED."""
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(folder()) + "/s"
        s = unix(ws)
        stack.enter_context(ws.closing(s))
        ws.bind(s, sockaddr_un(path))
        if why == "closed":
            ws.listen(s, 1)
            ws.closesocket(s)
        elif why == "full":
            ws.listen(s, 1)
        for _ in range(300 if why == "full" else 1):
            client = unix(ws)
            stack.enter_context(ws.closing(client))
            try:
                ws.connect(client, sockaddr_un(path))
            except Failed as failure:
                expect("error", expected=WSAECONNREFUSED, actual=failure.code)
                return
        if why == "full":
            not_applicable("the backlog takes 300 connections here")
        expect_true("connect fails", False)


@case(
    "unix.connect.again",
    chapter=CHAPTER,
    source=WINSOCK.format("connect"),
    basis="documented",
)
def connect_may_be_tried_again(ws: Target) -> None:
    """After a refusal the same socket connects once somebody listens; connected, it is WSAEISCONN."""
    with folder() as name, ws.closing(unix(ws), unix(ws)) as (s, client):
        ws.bind(s, sockaddr_un(f"{name}/s"))
        with fails_with(WSAECONNREFUSED):
            ws.connect(client, sockaddr_un(f"{name}/s"))
        ws.listen(s, 1)
        ws.connect(client, sockaddr_un(f"{name}/s"))
        with fails_with(WSAEISCONN):
            ws.connect(client, sockaddr_un(f"{name}/s"))


@case(
    "unix.connect.non-blocking",
    chapter=CHAPTER,
    source=WINSOCK.format("connect"),
    basis="documented",
)
def non_blocking_connect_is_told_by_select(ws: Target) -> None:
    """A non-blocking connect is WSAEWOULDBLOCK, and select finds the socket writable when it has succeeded."""
    with folder() as name, listener(ws, f"{name}/s") as listening, ws.closing(unix(ws)) as s:
        ws.nonblocking(s)
        try:
            ws.connect(s, sockaddr_un(f"{name}/s"))
        except Failed as failure:
            expect("error", expected=WSAEWOULDBLOCK, actual=failure.code)
        ws.wait_writable(s)
        ws.send(s, b"hello")
        with ws.closing(ws.accept(listening)[0]) as server:
            expect("data", expected=b"hello", actual=ws.receive_exactly(server, 5))


@case(
    "unix.connect.file-removed-afterwards",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def connection_outlives_its_file(ws: Target) -> None:
    """The file is needed to connect; the connection goes on without it."""
    with folder() as name, listener(ws, f"{name}/s") as listening, ws.closing(unix(ws)) as client:
        ws.connect(client, sockaddr_un(f"{name}/s"))
        with ws.closing(ws.accept(listening)[0]) as server:
            os.unlink(f"{name}/s")
            ws.send(client, b"still here")
            expect("data", expected=b"still here", actual=ws.receive_exactly(server, 10))


# ---- data and the end ------------------------------------------------------------------------------------------------


@case(
    "unix.data.both-ways",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def data_goes_both_ways(ws: Target) -> None:
    """A megabyte through send and recv, one way in a thread while the other end reads."""
    data = bytes(range(256)) * 4096
    with connection(ws) as (client, server), ws.thread() as other:
        sending = other.start(ws.send, client, data)
        expect_true("the data is the same", ws.receive_exactly(server, len(data)) == data)
        expect("sent", expected=len(data), actual=sending.result())
        ws.send(server, b"answer")
        expect("answer", expected=b"answer", actual=ws.receive_exactly(client, 6))


@case(
    "unix.data.time-limit",
    chapter=CHAPTER,
    source="winsock/nf-winsock-setsockopt, SO_RCVTIMEO",
    basis="documented",
)
def receive_has_a_time_limit(ws: Target) -> None:
    """SO_RCVTIMEO works as for every socket: WSAETIMEDOUT."""
    with connection(ws) as (client, _):
        ws.setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, 50)
        with fails_with(WSAETIMEDOUT):
            ws.recv(client, bytearray(4))


@case(
    "unix.data.not-urgent",
    chapter=CHAPTER,
    source="the record of AF_UNIX, which lacks XP1_EXPEDITED_DATA",
    basis="choice",
)
def there_is_no_urgent_data(ws: Target) -> None:
    """MSG_OOB is WSAEOPNOTSUPP in both directions."""
    with connection(ws) as (client, _):
        with fails_with(WSAEOPNOTSUPP):
            ws.send(client, b"!", MSG_OOB)
        with fails_with(WSAEOPNOTSUPP):
            ws.recv(client, bytearray(1), MSG_OOB)


@case(
    "unix.shutdown.send",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def shutdown_ends_one_direction(ws: Target) -> None:
    """After shutdown(SD_SEND) the peer reads to the end and can still answer."""
    with connection(ws) as (client, server):
        ws.send(client, b"last")
        ws.shutdown(client, SD_SEND)
        with fails_with(WSAESHUTDOWN):
            ws.send(client, b"more")
        expect("data", expected=b"last", actual=ws.receive_exactly(server, 4))
        expect("end", expected=0, actual=ws.recv(server, bytearray(4)))
        ws.send(server, b"answer")
        expect("answer", expected=b"answer", actual=ws.receive_exactly(client, 6))


@case(
    "unix.shutdown.receive",
    chapter=CHAPTER,
    source="winsock/nf-winsock-shutdown, SD_RECEIVE: no effect on the lower layers",
    basis="documented",
)
def shutdown_of_receiving_is_local(ws: Target) -> None:
    """After shutdown(SD_RECEIVE) receives are WSAESHUTDOWN, and sending goes on."""
    with connection(ws) as (client, server):
        ws.shutdown(client, SD_RECEIVE)
        with fails_with(WSAESHUTDOWN):
            ws.recv(client, bytearray(4))
        ws.send(client, b"data")
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))


@case(
    "unix.shutdown.unconnected",
    chapter=CHAPTER,
    source=WINSOCK.format("shutdown"),
    basis="documented",
)
def shutdown_needs_a_connection(ws: Target) -> None:
    """shutdown, send and recv without a connection are WSAENOTCONN."""
    with ws.closing(unix(ws)) as s:
        for call in (lambda: ws.shutdown(s, SD_SEND), lambda: ws.send(s, b"x"), lambda: ws.recv(s, bytearray(1))):
            with fails_with(WSAENOTCONN):
                call()


@case(
    "unix.closing.end",
    chapter=CHAPTER,
    source=BLOG,
    basis="documented",
)
def closing_is_the_end_for_the_peer(ws: Target) -> None:
    """closesocket after all data was read: the peer receives 0 bytes."""
    with connection(ws) as (client, server):
        ws.closesocket(client)
        expect("end", expected=0, actual=ws.recv(server, bytearray(4)))


@case(
    "unix.closing.unread-data",
    chapter=CHAPTER,
    source=WINSOCK.format("closesocket") + ": closing with data unread is abortive",
    basis="choice",
)
def closing_with_data_unread_resets(ws: Target) -> None:
    """closesocket while data waits to be read: the peer's receive is WSAECONNRESET."""
    with connection(ws) as (client, server):
        ws.send(server, b"never read")
        ws.wait_readable(client)
        ws.closesocket(client)
        with fails_with(WSAECONNRESET):
            ws.recv(server, bytearray(4))


# ---- the process at the other end ------------------------------------------------------------------------------------


@case(
    "unix.peer-process.own",
    chapter=CHAPTER,
    source=HEADER,
    basis="documented",
)
def peer_process_is_told(ws: Target) -> None:
    """SIO_AF_UNIX_GETPEERPID gives the process id of the other end, here our own, on both ends."""
    with connection(ws) as ends:
        for s in ends:
            told = int.from_bytes(ws.WSAIoctl(s, SIO_AF_UNIX_GETPEERPID, None, 4), "little")
            expect("process", expected=ws.GetCurrentProcessId(), actual=told)


@case(
    "unix.peer-process.{row}",
    chapter=CHAPTER,
    source=HEADER,
    basis="choice",
    rows={"unconnected": Row(False, 4, WSAENOTCONN), "too-little-room": Row(True, 3, WSAEFAULT)},
)
def peer_process_is_refused(ws: Target, connected: bool, room: int, code: int) -> None:
    """It needs a connection and room for a ULONG."""
    with connection(ws) as (client, _), ws.closing(unix(ws)) as alone, fails_with(code):
        ws.WSAIoctl(client if connected else alone, SIO_AF_UNIX_GETPEERPID, None, room)
