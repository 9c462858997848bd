"""Socket handles: what kind of number a SOCKET is, how many there can be, and who inherits them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from ..addresses import loopback
from ..constants import (
    AF_INET,
    AF_IPX,
    AF_UNSPEC,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NETNAME_DELETED,
    ERROR_NOT_SUPPORTED,
    ERROR_OPERATION_ABORTED,
    FD_SETSIZE,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPX_PTYPE,
    NSPROTO_IPX,
    SO_OPENTYPE,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WAIT_IO_COMPLETION,
    WAIT_TIMEOUT,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEMFILE,
    WSAENOBUFS,
    WSAENOTSOCK,
    WSAEPROTONOSUPPORT,
    WSAESOCKTNOSUPPORT,
    XP1_IFS_HANDLES,
)
from ..model import Row, case
from ..providers import Provider, Recorder, protocol
from ..target import PENDING, Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Socket handles"
HANDLES = "WinSock/socket-handles-2"
DATA_TYPE = "WinSock/socket-data-type-2"
ERRORS = "WinSock/handling-winsock-errors"
NUMBER = "WinSock/maximum-number-of-sockets-supported-2"
WSASOCKET = "winsock2/nf-winsock2-wsasocketw, flag WSA_FLAG_NO_HANDLE_INHERIT"
CREATION_TEST = "Wine's public test sock.c:test_WSASocket, which passes on Windows"

MSAFD_TCPIP = UUID("e70f1aa0-ab8b-11cf-8ca3-00805f48a192")
MANY = 2000
HANDLE_FLAG_INHERIT = 1


# ---- numbers ---------------------------------------------------------------------------------------------------------


@case(
    "handles.number.failure-is-all-ones",
    chapter=CHAPTER,
    source=DATA_TYPE,
    basis="documented",
    requirements=["R2.1"],
    needs_c=True,
)
def no_socket_is_a_number_of_all_ones(ws: Target) -> None:
    """A call that makes no socket returns INVALID_SOCKET, all 64 bits set; one that makes a socket never does."""
    made = ws.c.call("socket", AF_INET, SOCK_STREAM, 0)
    expect_true("a socket is another number", 0 <= made < INVALID_SOCKET, actual=made)
    ws.c.check("closesocket", made)
    expect("socket", expected=INVALID_SOCKET, actual=ws.c.call("socket", AF_INET, 0xDEAD, 0))
    expect("accept", expected=INVALID_SOCKET, actual=ws.c.call("accept", INVALID_SOCKET, 0, 0))


@case(
    "handles.creation.{row}",
    chapter=CHAPTER,
    source=CREATION_TEST,
    basis="observed",
    rows={
        "unknown-type": Row(AF_INET, 0xDEAD, WSAESOCKTNOSUPPORT, behaviours=["wsasocket-inet-0xdead-0"]),
        "no-family-datagram": Row(AF_UNSPEC, SOCK_DGRAM, WSAEINVAL, behaviours=["wsasocket-unspec-dgram-0"]),
    },
)
def no_socket_without_a_protocol(ws: Target, family: int, kind: int, code: int) -> None:
    """Protocol 0 leaves the choice to the family and the type, so both have to be good."""
    with fails_with(code):
        ws.WSASocket(family, kind, 0)


@case(
    "handles.creation.no-family-unknown-protocol",
    chapter=CHAPTER,
    source=CREATION_TEST,
    basis="observed",
    behaviours=["wsasocket-unspec-stream-0xdead"],
)
def unknown_protocol_of_any_family(ws: Target) -> None:
    """Without a family any protocol of the type would do; 0xDEAD is none: WSAEPROTONOSUPPORT."""
    with fails_with(WSAEPROTONOSUPPORT):
        ws.WSASocket(AF_UNSPEC, SOCK_STREAM, 0xDEAD)


@case(
    "handles.creation.ipx-packet-types",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_WSASocket, on a Windows with IPX",
    basis="observed",
    behaviours=["wsasocket-ipx-ptype"],
)
def each_ipx_packet_type_is_a_protocol(ws: Target) -> None:
    """Where IPX is installed, protocol NSPROTO_IPX + n makes a socket for packets of type n."""
    try:
        ws.closesocket(ws.socket(AF_IPX, SOCK_DGRAM, NSPROTO_IPX))
    except Failed as failure:
        expect("error without IPX", expected=WSAEAFNOSUPPORT, actual=failure.code)
        not_applicable("IPX is not installed; no Windows since Vista has it")
    for number in range(256):
        with ws.closing(ws.WSASocket(AF_IPX, SOCK_DGRAM, NSPROTO_IPX + number)) as s:
            expect("IPX_PTYPE", expected=number, actual=ws.get_int(s, NSPROTO_IPX, IPX_PTYPE))


@case(
    "handles.creation.calls-that-make-one",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R2.3"],
)
def each_new_socket_has_a_number_of_its_own(ws: Target) -> None:
    """socket, WSASocket, accept and WSAAccept make a socket each, all with different numbers; connect makes none."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(ws.listener())
        clients = [ws.tcp(), ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)]
        stack.enter_context(ws.closing(*clients))
        for client in clients:
            ws.connect(client, ws.getsockname(listening))
        accepted = [ws.accept(listening)[0], ws.WSAAccept(listening)[0]]
        stack.enter_context(ws.closing(*accepted))
        expect("different numbers", expected=5, actual=len({listening, *clients, *accepted}))
        for s in (*clients, *accepted):
            expect("type", expected=SOCK_STREAM, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


@case(
    "handles.files.flag",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R2.4"],
)
def catalog_says_that_sockets_are_files(ws: Target) -> None:
    """Windows' own TCP and UDP have XP1_IFS_HANDLES: their sockets are handles of the system."""
    rows = [info for info in ws.WSAEnumProtocols([IPPROTO_TCP, IPPROTO_UDP]) if info.address_family == AF_INET]
    expect_true("there are such rows", rows)
    for info in rows:
        expect(f"flag of {info.name}", expected=XP1_IFS_HANDLES, actual=info.service_flags1 & XP1_IFS_HANDLES)


@case(
    "handles.closed.is-no-socket",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-closesocket",
    basis="documented",
    requirements=["R2.16"],
)
def closed_handle_is_no_socket(ws: Target) -> None:
    """Once closed, and as long as nothing new has its number, a handle is WSAENOTSOCK to every call."""
    for s in (ws.tcp(), ws.udp()):
        ws.closesocket(s)
        for call in (
            lambda s=s: ws.getsockopt(s, SOL_SOCKET, SO_TYPE, 4),
            lambda s=s: ws.send(s, b"x"),
            lambda s=s: ws.closesocket(s),
        ):
            with fails_with(WSAENOTSOCK):
                call()


# ---- how many --------------------------------------------------------------------------------------------------------


@case(
    "handles.many.two-thousand",
    chapter=CHAPTER,
    source=NUMBER,
    basis="documented",
    requirements=["R2.18"],
    seconds=60,
)
def two_thousand_sockets_at_once(ws: Target) -> None:
    """Memory is the limit, and FD_SETSIZE is none: 2 000 sockets are open at once, and the last one works."""
    with contextlib.ExitStack() as stack:
        sockets = []
        for _ in range(MANY):
            try:
                sockets.append(ws.udp())
            except Failed as failure:
                expect_true("error", failure.code in (WSAEMFILE, WSAENOBUFS), actual=failure.code)
                stack.enter_context(ws.closing(*sockets))
                not_applicable(f"this machine allows only {len(sockets)} sockets")
        stack.enter_context(ws.closing(*sockets))
        expect("different numbers", expected=MANY, actual=len(set(sockets)))
        expect_true("more than FD_SETSIZE", len(sockets) > FD_SETSIZE, actual=len(sockets))
        ws.bind(sockets[0], loopback())
        ws.sendto(sockets[-1], b"from the last", 0, ws.getsockname(sockets[0]))
        ws.wait_readable(sockets[0])
        expect("received by the first", expected=13, actual=ws.recv(sockets[0], bytearray(64)))


# ---- sets ------------------------------------------------------------------------------------------------------------


@case(
    "handles.sets.counted-array",
    chapter=CHAPTER,
    source="WinSock/select-and-fd---2",
    basis="documented",
    requirements=["R2.19"],
    needs_c=True,
)
def set_is_a_counted_array(ws: Target) -> None:
    """An fd_set is a count and an array of handles: the counted ones are members, by value, wherever they stand."""
    numbers = (0x123, 0x100000004, 8)
    head = (2).to_bytes(8, "little")  # fd_count and what aligns the array
    members = ws.c.new((head + b"".join(s.to_bytes(8, "little") for s in numbers)).ljust(520, b"\0"))
    found = [ws.c.call("__WSAFDIsSet", s, members.address) != 0 for s in (*numbers, 0x123 + (1 << 32))]
    expect("members", expected=[True, True, False, False], actual=found)


@case(
    "handles.sets.more-than-the-default-size",
    chapter=CHAPTER,
    source="WinSock/maximum-number-of-sockets-supported-2",
    basis="documented",
    requirements=["R2.18", "R2.19"],
)
def select_takes_larger_sets(ws: Target) -> None:
    """A program that raises FD_SETSIZE passes longer arrays: select looks at all of 100 sockets."""
    with contextlib.ExitStack() as stack:
        sockets = [ws.udp() for _ in range(100)]
        stack.enter_context(ws.closing(*sockets))
        expect("writable", expected=sockets, actual=ws.select(None, sockets, None, (5, 0))[1])


# ---- inheritance -----------------------------------------------------------------------------------------------------


@case(
    "handles.inherit.{row}",
    chapter=CHAPTER,
    source=WSASOCKET,
    basis="documented",
    requirements=["R2.14", "A86"],
    rows={
        "socket": Row(None, True),
        "wsasocket": Row(0, True),
        "overlapped": Row(WSA_FLAG_OVERLAPPED, True),
        "not": Row(WSA_FLAG_NO_HANDLE_INHERIT, False),
        "overlapped-not": Row(WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT, False),
    },
    seconds=60,
)
def child_inherits_a_socket_or_not(ws: Target, flags: int | None, inherited: bool) -> None:
    """A child process that inherits handles has the socket under the same number, except with the flag against it."""
    s = ws.udp() if flags is None else ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, flags=flags)
    with ws.closing(s):
        expect("SO_TYPE in the child", expected=SOCK_DGRAM if inherited else None, actual=ws.socket_in_child(s))


@case(
    "handles.inherit.accepted-{row}",
    chapter=CHAPTER,
    source=WSASOCKET,
    basis="choice",
    requirements=["R2.14"],
    rows={"inherited": Row(WSA_FLAG_OVERLAPPED, True), "not": Row(WSA_FLAG_NO_HANDLE_INHERIT, False)},
    seconds=60,
)
def accepted_socket_follows_the_listening_one(ws: Target, flags: int, inherited: bool) -> None:
    """What is accepted is inherited if the listening socket is."""
    with ws.closing(ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, flags=flags), ws.tcp()) as (listening, client):
        ws.bind(listening, loopback())
        ws.listen(listening, 1)
        ws.connect(client, ws.getsockname(listening))
        with ws.closing(ws.accept(listening)[0]) as server:
            expected = SOCK_STREAM if inherited else None
            expect("SO_TYPE in the child", expected=expected, actual=ws.socket_in_child(server))


@case(
    "handles.inherit.query-{row}",
    chapter=CHAPTER,
    source=WSASOCKET,
    basis="choice",
    requirements=["R2.15", "R2.22"],
    needs_c=True,
    rows={"default": Row(WSA_FLAG_OVERLAPPED, HANDLE_FLAG_INHERIT), "not": Row(WSA_FLAG_NO_HANDLE_INHERIT, 0)},
)
def handle_information_tells_inheritance(ws: Target, flags: int, expected: int) -> None:
    """GetHandleInformation has HANDLE_FLAG_INHERIT set for a socket made without WSA_FLAG_NO_HANDLE_INHERIT only."""
    with ws.closing(ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, flags=flags)) as s:
        found = ws.c.new(4)
        ws.c.check("kernel32.GetHandleInformation", s, found.address, returns="bool")
        expect("flags", expected=expected, actual=found.number())


# ---- other parts of the system ---------------------------------------------------------------------------------------


@case(
    "handles.files.stale",
    chapter=CHAPTER,
    source=HANDLES,
    basis="observed",
    requirements=["R2.9"],
    needs_c=True,
)
def file_functions_have_the_systems_errors(ws: Target) -> None:
    """ReadFile on a closed socket is ERROR_INVALID_HANDLE, no Winsock code."""
    s = ws.udp()
    ws.closesocket(s)
    room, moved = ws.c.new(4), ws.c.new(4)
    got = ws.c.call("kernel32.ReadFile", s, room.address, 4, moved.address, 0, returns="bool")
    expect("result and error", expected=(0, ERROR_INVALID_HANDLE), actual=(got, ws.c.last_error))


@case(
    "handles.files.without-overlapped",
    chapter=CHAPTER,
    source=HANDLES,
    basis="choice",
    requirements=["R2.8", "R2.10"],
    needs_c=True,
)
def file_functions_without_a_structure_block(ws: Target) -> None:
    """WriteFile without an OVERLAPPED sends as send does, ReadFile receives as recv does, 0 bytes at the end."""
    with ws.connected_pair() as (client, server):
        room, moved = ws.c.new(b"data"), ws.c.new(4)
        ws.c.check("kernel32.WriteFile", client, room.address, 4, moved.address, 0, returns="bool")
        expect("written", expected=4, actual=moved.number())
        room.write(bytes(4))
        ws.c.check("kernel32.ReadFile", server, room.address, 4, moved.address, 0, returns="bool")
        expect("read", expected=b"data", actual=room.read())
        ws.closesocket(client)
        ws.c.check("kernel32.ReadFile", server, room.address, 4, moved.address, 0, returns="bool")
        expect("read at the end", expected=0, actual=moved.number())


@case(
    "handles.ports.once",
    chapter=CHAPTER,
    source="WinSock/receiving-completion-indications-2",
    basis="observed",
    requirements=["R2.20"],
    needs_c=True,
)
def socket_belongs_to_one_port_for_good(ws: Target) -> None:
    """A second association with a completion port is ERROR_INVALID_PARAMETER."""
    with ws.closing(ws.udp()) as s:
        port = ws.c.check("kernel32.CreateIoCompletionPort", INVALID_SOCKET, 0, 0, 0)
        expect("port", expected=port, actual=ws.c.check("kernel32.CreateIoCompletionPort", s, port, 1, 0))
        again = ws.c.call("kernel32.CreateIoCompletionPort", s, port, 2, 0)
        expect("result and error", expected=(0, ERROR_INVALID_PARAMETER), actual=(again, ws.c.last_error))
        ws.c.check("kernel32.CloseHandle", port)


@case(
    "handles.files.read-and-write",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R2.4", "R2.8"],
)
def sockets_can_be_read_and_written_as_files(ws: Target) -> None:
    """WriteFile sends and ReadFile receives; a read pends until data comes, and ends with 0 bytes with the stream."""
    event = ws.WSACreateEvent()
    with ws.connected_pair() as (client, server):
        buffer = bytearray(8)
        record = ws.overlapped(event)
        expect("read", expected=PENDING, actual=ws.ReadFile(server, buffer, record))
        expect("written", expected=4, actual=ws.WriteFile(client, b"data"))
        expect("bytes", expected=4, actual=ws.GetOverlappedResult(server, record, True))
        expect("buffer", expected=b"data", actual=bytes(buffer[:4]))
        written = ws.WriteFile(client, b"more", ws.overlapped())
        expect("written with a record", expected=4, actual=written)
        expect("read without one", expected=4, actual=ws.ReadFile(server, buffer))
        ws.shutdown(client, 1)
        expect("read at the end", expected=0, actual=ws.ReadFile(server, buffer))
    ws.WSACloseEvent(event)


@case(
    "handles.files.errors-{row}",
    chapter=CHAPTER,
    source=HANDLES,
    basis="observed",
    requirements=["R2.9"],
    rows={
        "reset": Row("reset", ERROR_NETNAME_DELETED),
        "cancelled": Row("cancel", ERROR_OPERATION_ABORTED),
        "closed": Row("closed", ERROR_INVALID_HANDLE),
    },
)
def file_functions_tell_system_errors(ws: Target, what: str, code: int) -> None:
    """A reset is ERROR_NETNAME_DELETED (64), a cancelled read 995, a handle that leads nowhere 6."""
    event = ws.WSACreateEvent()
    with ws.connected_pair() as (client, server):
        record = ws.overlapped(event)
        if what == "closed":
            ws.closesocket(server)
            with fails_with(code):
                ws.ReadFile(server, bytearray(4), record)
        else:
            expect("read", expected=PENDING, actual=ws.ReadFile(server, bytearray(4), record))
            if what == "reset":
                ws.reset(client)
            else:
                ws.CancelIoEx(server, record)
            with fails_with(code):
                ws.GetOverlappedResult(server, record, True)
    ws.WSACloseEvent(event)


@case(
    "handles.files.reset-met-by-the-call",
    chapter=CHAPTER,
    source=HANDLES,
    basis="observed",
    requirements=["R2.9"],
)
def a_read_of_a_reset_connection_fails_with_a_system_error(ws: Target) -> None:
    """The connection is reset before ReadFile is called: ERROR_NETNAME_DELETED."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        ws.wait_readable(server)
        with fails_with(ERROR_NETNAME_DELETED):
            ws.ReadFile(server, bytearray(4))


@case(
    "handles.files.waits-without-a-record-{row}",
    chapter=CHAPTER,
    source=HANDLES,
    basis="choice",
    requirements=["R2.10"],
    rows={"blocking": Row(False), "non-blocking": Row(True)},
)
def a_read_without_a_record_waits(ws: Target, nonblocking: bool) -> None:
    """On an overlapped socket ReadFile without a record blocks until data comes, whatever the socket's mode."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        ws.nonblocking(server, nonblocking)
        buffer = bytearray(8)
        reading = other.start(ws.ReadFile, server, buffer)
        expect_true("it waits", not reading.finished_within(0.03))
        ws.send(client, b"data")
        expect("read", expected=4, actual=reading.result())
        expect("buffer", expected=b"data", actual=bytes(buffer[:4]))


@case(
    "handles.files.routines",
    chapter=CHAPTER,
    source=f"{HANDLES}; fileapi/nf-fileapi-readfileex",
    basis="documented",
    requirements=["R2.4", "R2.9"],
)
def the_ex_functions_work_on_sockets(ws: Target) -> None:
    """WriteFileEx and ReadFileEx call their routines in an alertable wait; a reset is told as a system error."""
    told: list[tuple[str, int, int]] = []
    with ws.connected_pair() as (client, server):
        buffer = bytearray(8)
        read, written, again = ws.overlapped(), ws.overlapped(), ws.overlapped()
        ws.ReadFileEx(server, buffer, read, lambda error, moved, _: told.append(("read", error, moved)))
        ws.WriteFileEx(client, b"data", written, lambda error, moved, _: told.append(("written", error, moved)))
        while len(told) < 2:
            expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(5000, True))
        expect("told", expected=[("read", 0, 4), ("written", 0, 4)], actual=sorted(told))
        expect("buffer", expected=b"data", actual=bytes(buffer[:4]))
        ws.ReadFileEx(server, buffer, again, lambda error, moved, _: told.append(("reset", error, moved)))
        ws.reset(client)
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(5000, True))
        expect("told", expected=("reset", ERROR_NETNAME_DELETED, 0), actual=told[2])


@case(
    "handles.files.port",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R2.4", "R2.6", "R2.20"],
)
def reads_of_a_socket_are_told_to_its_port(ws: Target) -> None:
    """A socket on a completion port: ReadFile and WriteFile post packets as WSARecv and WSASend do."""
    with ws.connected_pair() as (client, server):
        port = ws.CreateIoCompletionPort(server, 0, 5, 0)
        read, written = ws.overlapped(), ws.overlapped()
        expect("written", expected=4, actual=ws.WriteFile(server, b"data", written))
        expect("packet", expected=(4, 5, ws.token(written)), actual=ws.GetQueuedCompletionStatus(port, 5000))
        expect("read", expected=PENDING, actual=ws.ReadFile(server, bytearray(8), read))
        ws.send(client, b"back!")
        expect("packet", expected=(5, 5, ws.token(read)), actual=ws.GetQueuedCompletionStatus(port, 5000))
        ws.CloseHandle(port)


@case(
    "handles.duplicate.is-no-socket",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_WSAGetOverlappedResult, which passes on Windows",
    basis="observed",
    behaviours=["wgor-dup-handle"],
    requirements=["R2.12"],
)
def a_duplicated_handle_is_none_of_winsocks(ws: Target) -> None:
    """A handle that DuplicateHandle made of a socket: WSAENOTSOCK from WSAGetOverlappedResult."""
    with ws.closing(ws.udp()) as s:
        other = ws.DuplicateHandle(ws.GetCurrentProcess(), s, ws.GetCurrentProcess())
        record = ws.overlapped()
        with fails_with(WSAENOTSOCK):
            ws.WSAGetOverlappedResult(other, record, False)
        ws.CloseHandle(other)


@case(
    "handles.duplicate.keeps-the-connection",
    chapter=CHAPTER,
    source="handleapi/nf-handleapi-duplicatehandle",
    basis="choice",
    requirements=["R2.12"],
)
def a_duplicated_handle_keeps_the_connection_open(ws: Target) -> None:
    """The socket is closed, the copy of its handle reads and writes on; the connection ends with the copy."""
    with ws.connected_pair() as (client, server):
        other = ws.DuplicateHandle(ws.GetCurrentProcess(), server, ws.GetCurrentProcess())
        ws.closesocket(server)
        ws.send(client, b"data")
        buffer = bytearray(8)
        expect("read", expected=4, actual=ws.ReadFile(other, buffer))
        expect("written", expected=4, actual=ws.WriteFile(other, b"back"))
        expect("data", expected=b"back", actual=ws.receive_exactly(client, 4))
        expect_true("connection", not ws.readable(client, 0.02))
        ws.CloseHandle(other)
        expect("end of the stream", expected=0, actual=ws.recv(client, buffer))


@case(
    "handles.waitable",
    chapter=CHAPTER,
    source="FileIO, synchronous and asynchronous I/O",
    basis="observed",
    requirements=["R2.21"],
)
def a_socket_can_be_waited_for(ws: Target) -> None:
    """With one request and no event the handle itself is signalled by the request's end, and not before."""
    with ws.connected_pair() as (client, server):
        expect("read", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, ws.overlapped()))
        expect("wait", expected=WAIT_TIMEOUT, actual=ws.WaitForSingleObject(server, 30))
        ws.send(client, b"data")
        expect("wait", expected=0, actual=ws.WaitForSingleObject(server, 5000))


@contextlib.contextmanager
def made_by_the_dll(ws: Target, *, built_in: bool = False) -> Iterator[tuple[Recorder, int, list[Any]]]:
    """A socket whose handle the DLL has made for its provider; its receives pend, and show their requests."""
    with ws.provider(Provider(protocols=(protocol(99),)), built_in=built_in) as recorder:
        s = ws.WSASocket(99, SOCK_STREAM, IPPROTO_TCP, None, 0, WSA_FLAG_OVERLAPPED)
        with ws.closing(s):
            held: list[Any] = []
            recorder.does("WSPRecv", lambda s, buffers, flags, request: held.append(request))
            recorder.answers("WSPRecv", PENDING)
            yield recorder, s, held


@case(
    "handles.non-ifs.file-functions",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucreatesockethandle",
    basis="documented",
    requirements=["R2.5"],
    needs_provider=True,
)
def file_functions_reach_the_provider(ws: Target) -> None:
    """ReadFile and WriteFile on a handle that the DLL has made call WSPRecv and WSPSend of its provider."""
    with ws.provider() as recorder:
        s = ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, WSA_FLAG_OVERLAPPED)
        with ws.closing(s):
            recorder.receives(b"data")
            recorder.forget()
            buffer = bytearray(8)
            expect("read", expected=4, actual=ws.ReadFile(s, buffer))
            expect("buffer", expected=b"data", actual=bytes(buffer[:4]))
            expect("written", expected=5, actual=ws.WriteFile(s, b"hello"))
            expect("calls", expected=["WSPRecv", "WSPSend"], actual=recorder.names())


@case(
    "handles.non-ifs.event",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucompleteoverlappedrequest",
    basis="documented",
    requirements=["R2.6", "R1.60"],
    needs_provider=True,
)
def a_provider_completes_requests_of_its_handles(ws: Target) -> None:
    """WPUCompleteOverlappedRequest sets the event of the record, and the outcome can be asked of the system."""
    with made_by_the_dll(ws) as (recorder, s, held):
        event = ws.WSACreateEvent()
        record = ws.overlapped(event)
        expect("result", expected=PENDING, actual=ws.WSARecv(s, [bytearray(8)], 0, record))
        expect("event", expected=WAIT_TIMEOUT, actual=ws.WaitForSingleObject(event, 0))
        recorder.upcall("WPUCompleteOverlappedRequest", s, held[0], 0, 5)
        expect("event", expected=0, actual=ws.WaitForSingleObject(event, 0))
        expect("bytes", expected=5, actual=ws.GetOverlappedResult(s, record, False))
        failing = ws.overlapped(event)
        expect("result", expected=PENDING, actual=ws.WSARecv(s, [bytearray(8)], 0, failing))
        recorder.upcall("WPUCompleteOverlappedRequest", s, held[1], WSAECONNRESET, 0)
        with fails_with(ERROR_NETNAME_DELETED):
            ws.GetOverlappedResult(s, failing, True)
        ws.WSACloseEvent(event)


@case(
    "handles.non-ifs.port",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucompleteoverlappedrequest",
    basis="documented",
    requirements=["R2.6", "R1.60"],
    needs_provider=True,
)
def a_port_is_told_of_requests_of_either_kind_of_handle(ws: Target) -> None:
    """A handle that the DLL has made is on a port: WPUCompleteOverlappedRequest posts the packet."""
    with made_by_the_dll(ws) as (recorder, s, held):
        port = ws.CreateIoCompletionPort(s, 0, 9, 0)
        record = ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSARecv(s, [bytearray(8)], 0, record))
        recorder.upcall("WPUCompleteOverlappedRequest", s, held[0], 0, 5)
        expect("packet", expected=(5, 9, ws.token(record)), actual=ws.GetQueuedCompletionStatus(port, 0))
        ws.CloseHandle(port)


@case(
    "handles.non-ifs.refused",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucompleteoverlappedrequest",
    basis="documented",
    requirements=["R1.60", "R1.61"],
    needs_provider=True,
)
def completing_is_for_handles_of_the_dll_without_routines(ws: Target) -> None:
    """WPUCompleteOverlappedRequest: WSAEINVAL for a handle of the host and for a request with a completion routine."""
    with made_by_the_dll(ws, built_in=True) as (recorder, s, held):
        with ws.closing(ws.udp()) as host, fails_with(WSAEINVAL):
            recorder.upcall("WPUCompleteOverlappedRequest", host, held, 0, 0)
        got = ws.WSARecv(s, [bytearray(8)], 0, ws.overlapped(), lambda *told: None)
        expect("result", expected=PENDING, actual=got)
        with fails_with(WSAEINVAL):
            recorder.upcall("WPUCompleteOverlappedRequest", s, held[0], 0, 0)
        with fails_with(WSAENOTSOCK):
            recorder.upcall("WPUCompleteOverlappedRequest", INVALID_SOCKET, held[0], 0, 0)


@case(
    "handles.non-ifs.layer",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpucreatesockethandle",
    basis="documented",
    requirements=["R2.7"],
    needs_provider=True,
)
def a_layer_with_its_own_handles_forwards_completions(ws: Target) -> None:
    """A receive on the layer's handle begins one below with its own record, whose end completes the client's."""
    with made_by_the_dll(ws, built_in=True) as (recorder, s, held), ws.udp_pair() as (a, below):
        port = ws.CreateIoCompletionPort(s, 0, 9, 0)
        buffer = bytearray(8)

        def complete(error: int, moved: int, own: Any, flags: int) -> None:
            recorder.upcall("WPUCompleteOverlappedRequest", s, held[0], error, moved)

        record = ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSARecv(s, [bytearray(8)], 0, record))
        own = ws.overlapped()
        expect("result below", expected=PENDING, actual=ws.WSARecv(below, [buffer], 0, own, complete))
        ws.send(a, b"data")
        with fails_with(WAIT_IO_COMPLETION):
            ws.GetQueuedCompletionStatusEx(port, 1, 5000, True)
        expect("packet", expected=(4, 9, ws.token(record)), actual=ws.GetQueuedCompletionStatus(port, 0))
        ws.CloseHandle(port)


@case(
    "handles.layer.file-functions-pass-by",
    chapter=CHAPTER,
    source="ws2spi/nf-ws2spi-wpumodifyifshandle",
    basis="documented",
    requirements=["R2.11", "R2.12"],
    needs_provider=True,
)
def file_functions_pass_a_layer_by(ws: Target) -> None:
    """A layer has taken over handles of the host: WSARecv goes through it, ReadFile does not; no handle is copied."""
    with ws.provider(Provider(over=MSAFD_TCPIP), built_in=True) as layer, ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"datamore")
        layer.forget()
        buffer = bytearray(4)
        expect("ReadFile", expected=4, actual=ws.ReadFile(server, buffer))
        expect("calls of the layer", expected=[], actual=layer.names())
        expect("recv", expected=4, actual=ws.recv(server, buffer))
        expect("calls of the layer", expected=["WSPRecv"], actual=layer.names())
        with fails_with(ERROR_NOT_SUPPORTED):
            ws.DuplicateHandle(ws.GetCurrentProcess(), server, ws.GetCurrentProcess())


@case(
    "handles.files.are-no-sockets-{row}",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_set_getsockopt (its part about handles), which passes on Windows",
    basis="observed",
    requirements=["R2.17"],
    rows={
        "unknown-option": Row(-1, behaviours=["optvalid-file-unknown"]),
        "type": Row(SO_TYPE, behaviours=["optvalid-file-type"]),
        "open-type": Row(SO_OPENTYPE, behaviours=["optvalid-file-opentype"]),
    },
)
def a_file_is_no_socket(ws: Target, option: int) -> None:
    """getsockopt with the handle of an ordinary file is WSAENOTSOCK, but for SO_OPENTYPE, which looks at no handle."""
    file = ws.CreateFile("NUL", 0x80000000, 3, 3)
    if option == SO_OPENTYPE:
        value = ws.getsockopt(file, SOL_SOCKET, option, 4)
        ws.setsockopt(file, SOL_SOCKET, option, value)
    else:
        with fails_with(WSAENOTSOCK):
            ws.getsockopt(file, SOL_SOCKET, option, 4)
    ws.CloseHandle(file)
