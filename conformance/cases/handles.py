"""Socket handles: what kind of number a SOCKET is, how many there can be, and who inherits them."""

from __future__ import annotations

import contextlib

from ..addresses import loopback
from ..constants import (
    AF_INET,
    AF_IPX,
    AF_UNSPEC,
    FD_SETSIZE,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPX_PTYPE,
    NSPROTO_IPX,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
    WSAEAFNOSUPPORT,
    WSAEINVAL,
    WSAEMFILE,
    WSAENOBUFS,
    WSAENOTSOCK,
    WSAEPROTONOSUPPORT,
    WSAESOCKTNOSUPPORT,
    XP1_IFS_HANDLES,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Socket handles"
HANDLES = "WinSock/socket-handles-2"
DATA_TYPE = "WinSock/socket-data-type-2"
ERRORS = "WinSock/handling-winsock-errors"
NUMBER = "WinSock/maximum-number-of-sockets-supported-2"
WSASOCKET = "winsock2/nf-winsock2-wsasocketw, flag WSA_FLAG_NO_HANDLE_INHERIT"
CREATION_TEST = "Wine's public test sock.c:test_WSASocket, which passes on Windows"

MANY = 2000
ERROR_INVALID_HANDLE = 6
ERROR_INVALID_PARAMETER = 87
HANDLE_FLAG_INHERIT = 1
NO_FILES = "ReadFile and WriteFile come with overlapped I/O"
NO_PORTS = "completion ports come with overlapped I/O"


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
    gap=NO_FILES,
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
    gap=NO_PORTS,
)
def socket_belongs_to_one_port_for_good(ws: Target) -> None:
    """A second association with a completion port is ERROR_INVALID_PARAMETER."""
    with ws.closing(ws.udp()) as s:
        port = ws.c.check("kernel32.CreateIoCompletionPort", INVALID_SOCKET, 0, 0, 0)
        expect("port", expected=port, actual=ws.c.check("kernel32.CreateIoCompletionPort", s, port, 1, 0))
        again = ws.c.call("kernel32.CreateIoCompletionPort", s, port, 2, 0)
        expect("result and error", expected=(0, ERROR_INVALID_PARAMETER), actual=(again, ws.c.last_error))
        ws.c.check("kernel32.CloseHandle", port)
