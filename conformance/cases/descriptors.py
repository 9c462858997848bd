"""What a SOCKET is: an opaque number of the system, with flags, a mode, and a new life after closesocket."""

from __future__ import annotations

import os
import tempfile

from ..addresses import loopback
from ..constants import (
    AF_INET,
    FIONBIO,
    HANDLE_FLAG_INHERIT,
    INVALID_SOCKET,
    IPPROTO_UDP,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WAIT_OBJECT_0,
    WAIT_TIMEOUT,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
    WSAEINTR,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
    XP1_IFS_HANDLES,
)
from ..model import Row, case
from ..providers import PEER
from ..target import Target
from ..verify import expect, expect_true, fails_with, not_applicable

CHAPTER = "Socket handles"
DATA_TYPE = "winsock/socket-data-type-2"
HANDLES = "winsock/socket-handles-2"
CLOSE = "winsock2/nf-winsock2-closesocket"
IOCTL = "winsock2/nf-winsock2-ioctlsocket"
WSASOCKET = "winsock2/nf-winsock2-wsasocketw"


# ---- numbers ---------------------------------------------------------------------------------------------------------


@case(
    "handles.number.opaque",
    chapter=CHAPTER,
    source=DATA_TYPE,
    basis="documented",
    requirements=["R2.1"],
)
def socket_is_an_opaque_number(ws: Target) -> None:
    """Sockets are numbers from 0 to INVALID_SOCKET - 1; INVALID_SOCKET, all 64 bits set, is none for any call."""
    with ws.connected_pair() as (client, server), ws.closing(ws.udp()) as datagram:
        for s in (client, server, datagram):
            expect_true("socket", 0 <= s < INVALID_SOCKET, actual=s)
        expect("different sockets", expected=3, actual=len({client, server, datagram}))
    expect("INVALID_SOCKET", expected=2**64 - 1, actual=INVALID_SOCKET)
    for call in (
        lambda: ws.getsockopt(INVALID_SOCKET, SOL_SOCKET, SO_TYPE, 4),
        lambda: ws.accept(INVALID_SOCKET),
        lambda: ws.recv(INVALID_SOCKET, bytearray(1)),
        lambda: ws.closesocket(INVALID_SOCKET),
    ):
        with fails_with(WSAENOTSOCK):
            call()


@case(
    "handles.number.no-file-descriptor",
    chapter=CHAPTER,
    source=DATA_TYPE,
    basis="documented",
    requirements=["R2.2"],
)
def descriptor_of_a_file_is_no_socket(ws: Target) -> None:
    """A file descriptor of the C library is no socket: every call says so, and the file stays open."""
    if not ws.in_process:
        not_applicable("needs files of the process that makes the calls")
    with tempfile.TemporaryFile() as file:
        for call in (
            lambda: ws.send(file.fileno(), b"x"),
            lambda: ws.ioctlsocket(file.fileno(), FIONBIO, 1),
            lambda: ws.closesocket(file.fileno()),
        ):
            with fails_with(WSAENOTSOCK):
                call()
        expect("bytes in the file", expected=0, actual=os.fstat(file.fileno()).st_size)


# ---- flags -----------------------------------------------------------------------------------------------------------


@case(
    "handles.flags.inherit-{row}",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, WSA_FLAG_NO_HANDLE_INHERIT; handleapi/nf-handleapi-gethandleinformation",
    basis="choice",
    requirements=["R2.15", "R2.22"],
    rows={"default": Row(WSA_FLAG_OVERLAPPED, HANDLE_FLAG_INHERIT), "not": Row(WSA_FLAG_NO_HANDLE_INHERIT, 0)},
)
def inherit_flag_is_told_and_can_be_changed(ws: Target, flags: int, expected: int) -> None:
    """A new socket has the flag unless it was made without; it can be changed both ways, and the socket works on."""
    with ws.closing(ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, flags=flags)) as s:
        expect("flags", expected=expected, actual=ws.GetHandleInformation(s))
        for wanted in (expected ^ HANDLE_FLAG_INHERIT, expected):
            ws.SetHandleInformation(s, HANDLE_FLAG_INHERIT, wanted)
            expect("flags", expected=wanted, actual=ws.GetHandleInformation(s))
            expect("type of the socket", expected=SOCK_DGRAM, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


@case(
    "handles.wait.is-an-object",
    chapter=CHAPTER,
    source="Microsoft's system, requirement R2.21: a socket is a file object",
    basis="observed",
    requirements=["R2.21"],
)
def socket_can_be_waited_for(ws: Target) -> None:
    """A socket is an object to wait for; whether it is signalled is nothing that anybody may rely on."""
    with ws.connected_pair() as (client, server):
        for s in (client, server):
            got = ws.WaitForSingleObject(s, 0)
            expect_true("result", got in (WAIT_OBJECT_0, WAIT_TIMEOUT), actual=got)


# ---- modes -----------------------------------------------------------------------------------------------------------


@case(
    "handles.mode.blocking-until-said-otherwise",
    chapter=CHAPTER,
    source=IOCTL,
    basis="documented",
    requirements=["A56"],
)
def mode_belongs_to_the_socket(ws: Target) -> None:
    """Sockets block from the beginning; FIONBIO changes that of one socket, both ways, and of no other."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        for _ in range(2):
            waiting = other.start(ws.recv, server, bytearray(1))
            expect_true("a blocking receive waits", not waiting.finished_within(0.05))
            ws.nonblocking(client)
            with fails_with(WSAEWOULDBLOCK):
                ws.recv(client, bytearray(1))
            expect_true("the other still waits", not waiting.finished_within(0.02))
            ws.send(client, b"x")
            expect("received", expected=1, actual=waiting.result())
            ws.nonblocking(client, False)
        waiting = other.start(ws.recv, client, bytearray(1))
        expect_true("it blocks again", not waiting.finished_within(0.05))
        ws.send(server, b"y")
        expect("received", expected=1, actual=waiting.result())


# ---- a number's next life --------------------------------------------------------------------------------------------


@case(
    "handles.closed.number-again",
    chapter=CHAPTER,
    source=CLOSE,
    basis="documented",
    requirements=["A45"],
)
def who_waits_never_gets_the_next_socket(ws: Target) -> None:
    """Who waits on a socket that is closed gets WSAEINTR, and nothing of a socket made at once, of the same number."""
    for _ in range(20):
        s = ws.udp()
        ws.bind(s, loopback())
        with ws.thread() as other:
            buffer = bytearray(8)
            waiting = other.start(ws.recv, s, buffer)
            expect_true("recv waits", not waiting.finished_within(0.01))
            ws.closesocket(s)
            with ws.closing(ws.udp()) as next_one, ws.closing(ws.udp()) as sender:
                ws.bind(next_one, loopback())
                ws.sendto(sender, b"not yours", 0, ws.getsockname(next_one))
                with fails_with(WSAEINTR):
                    waiting.result()
                expect("its buffer", expected=bytes(8), actual=bytes(buffer))
                ws.wait_readable(next_one)
                room = bytearray(9)
                expect("received by the next one", expected=9, actual=ws.recv(next_one, room))


@case(
    "handles.closed.type-of-the-next",
    chapter=CHAPTER,
    source=CLOSE,
    basis="documented",
    requirements=["A45"],
)
def number_means_the_new_socket_only(ws: Target) -> None:
    """A number given out again has nothing of the socket before: neither its type nor its mode nor its name."""
    for first, second in ((ws.udp, ws.tcp), (ws.tcp, ws.udp)) * 2:
        s = first()
        ws.bind(s, loopback())
        ws.nonblocking(s)
        ws.closesocket(s)
        with ws.closing(second()) as other:
            kind = SOCK_STREAM if second == ws.tcp else SOCK_DGRAM
            expect("type", expected=kind, actual=ws.get_int(other, SOL_SOCKET, SO_TYPE))
            ws.bind(other, loopback())


# ---- handles that are none of the system's ---------------------------------------------------------------------------


@case(
    "handles.files.redirected-to-the-provider",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucreatesockethandle",
    basis="documented",
    requirements=["R2.5"],
    needs_provider=True,
)
def file_functions_come_to_the_provider(ws: Target) -> None:
    """A socket of WPUCreateSocketHandle looks like a file: ReadFile becomes WSPRecv, WriteFile WSPSend, flags 0."""
    with ws.provider() as recorder, ws.closing(ws.tcp()) as s:
        expect("XP1_IFS_HANDLES", expected=0, actual=recorder.protocols[0].service_flags1 & XP1_IFS_HANDLES)
        ws.connect(s, PEER)
        recorder.receives(b"hello")
        recorder.forget()
        buffer = bytearray(8)
        expect("read", expected=5, actual=ws.ReadFile(s, buffer))
        expect("buffer", expected=b"hello\0\0\0", actual=bytes(buffer))
        expect("written", expected=3, actual=ws.WriteFile(s, b"abc"))
        seen = [(call.name, call.args[2]) for call in recorder.calls]
        expect("calls and flags", expected=[("WSPRecv", 0), ("WSPSend", 0)], actual=seen)
