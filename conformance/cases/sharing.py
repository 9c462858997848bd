"""Shared sockets: WSADuplicateSocket, and what several descriptors of one socket have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import attrs

from ..addresses import loopback
from ..constants import (
    AF_INET,
    FD_READ,
    FIONBIO,
    FROM_PROTOCOL_INFO,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SD_SEND,
    SO_BROADCAST,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
    WSA_WAIT_TIMEOUT,
    WSAEADDRINUSE,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAESHUTDOWN,
    WSAEWOULDBLOCK,
    WSANOTINITIALISED,
)
from ..model import Row, case
from ..providers import Provider
from ..records import ProtocolInfo
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Shared sockets"
DUPLICATE = "winsock2/nf-winsock2-wsaduplicatesocketw"
SHARED = "WinSock/shared-sockets-2"
HANDLES = "WinSock/multiple-handles-to-a-single-socket-2"
COUNTING = "WinSock/reference-counting-2"
GUIDELINES = "WinSock/precedence-guidelines-2"
IN_THE_SPI = "WinSock/shared-sockets-in-the-spi-2"
PUBLIC_TEST = "Wine's public test sock.c:test_WSADuplicateSocket, which passes on Windows"

NO_SUCH_PROCESS = 0xFFFFFFFF
A_MOMENT = 0.05
HARD_CLOSE = b"\x01\x00\x00\x00"


def record_of(ws: Target, s: int) -> ProtocolInfo:
    return ws.WSADuplicateSocket(s, ws.GetCurrentProcessId())


def opened(ws: Target, info: ProtocolInfo) -> int:
    anything = FROM_PROTOCOL_INFO
    return ws.WSASocket(anything, anything, anything, info, flags=WSA_FLAG_OVERLAPPED)


@contextlib.contextmanager
def duplicate(ws: Target, s: int) -> Iterator[int]:
    """One more descriptor of ``s``."""
    with ws.closing(opened(ws, record_of(ws, s))) as d:
        yield d


@contextlib.contextmanager
def shared_connection(ws: Target) -> Iterator[tuple[int, int, int]]:
    """A client, and two descriptors of the socket that it is connected to."""
    with ws.connected_pair() as (client, server), duplicate(ws, server) as d:
        yield client, server, d


# ---- the record ------------------------------------------------------------------------------------------------------


@case(
    "sharing.record.{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R10.1", "R10.4"],
    behaviours=["dup-info-fields"],
    both_forms=True,
    rows={"tcp": Row(SOCK_STREAM, IPPROTO_TCP), "udp": Row(SOCK_DGRAM, IPPROTO_UDP)},
)
def record_is_the_sockets_own(ws: Target, kind: int, protocol: int) -> None:
    """The record has the socket's family, type and protocol, and equals SO_PROTOCOL_INFO but for dwProviderReserved."""
    with ws.closing(ws.socket(AF_INET, kind, protocol)) as s:
        info = record_of(ws, s)
        expect("family", expected=AF_INET, actual=info.address_family)
        expect("type and protocol", expected=(kind, protocol), actual=(info.socket_type, info.protocol))
        expect_true("dwProviderReserved is not 0", info.provider_reserved, actual=info.provider_reserved)
        option = SO_PROTOCOL_INFOA if ws.form == "A" else SO_PROTOCOL_INFOW
        size = 372 if ws.form == "A" else 628
        own = ws.getsockopt(s, SOL_SOCKET, option, size)
        # szProtocol comes last; before it dwProviderReserved, which stands after seven ints and dwMessageSize.
        expect("catalog id", expected=int.from_bytes(own[36:40], "little"), actual=info.catalog_entry_id)
        expect("service flags", expected=int.from_bytes(own[0:4], "little"), actual=info.service_flags1)
        expect("message size", expected=int.from_bytes(own[108:112], "little"), actual=info.message_size)
        ws.closesocket(opened(ws, info))  # what was prepared is not left behind


@case(
    "sharing.record.opens-the-socket",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R10.2", "R10.5", "R10.24"],
    behaviours=["dup-sotype"],
    both_forms=True,
)
def record_opens_one_more_descriptor(ws: Target) -> None:
    """For the own process the record makes a second descriptor of the same socket, with another number."""
    with ws.closing(ws.udp()) as s:
        ws.bind(s, loopback())
        with duplicate(ws, s) as d:
            expect_true("another number", d != s, actual=(s, d))
            expect("SO_TYPE", expected=SOCK_DGRAM, actual=ws.get_int(d, SOL_SOCKET, SO_TYPE))
            expect("name", expected=ws.getsockname(s), actual=ws.getsockname(d))


@case(
    "sharing.record.left-open-{row}",
    chapter=CHAPTER,
    source=DUPLICATE,
    basis="documented",
    requirements=["R10.15"],
    rows={
        "by-from-protocol-info": Row((FROM_PROTOCOL_INFO,) * 3),
        "by-zeros": Row((0, 0, 0), behaviours=["dup-socket-zero-args"], basis="observed", source=PUBLIC_TEST),
        "nothing": Row((AF_INET, SOCK_DGRAM, IPPROTO_UDP)),
    },
)
def family_type_and_protocol_are_the_records(ws: Target, numbers: tuple[int, int, int]) -> None:
    """af, type and protocol are FROM_PROTOCOL_INFO, 0, or the record's own; the socket is the same."""
    with ws.closing(ws.udp()) as s:
        ws.bind(s, loopback())
        with ws.closing(ws.WSASocket(*numbers, record_of(ws, s))) as d:
            expect("name", expected=ws.getsockname(s), actual=ws.getsockname(d))


@case(
    "sharing.record.once",
    chapter=CHAPTER,
    source=DUPLICATE,
    basis="documented",
    requirements=["R10.3"],
    both_forms=True,
)
def record_works_once(ws: Target) -> None:
    """A second WSASocket with the same record is WSAEINVAL, while the first descriptor goes on."""
    with ws.closing(ws.udp()) as s:
        info = record_of(ws, s)
        with ws.closing(opened(ws, info)) as d:
            with fails_with(WSAEINVAL):
                opened(ws, info)
            expect("SO_TYPE", expected=SOCK_DGRAM, actual=ws.get_int(d, SOL_SOCKET, SO_TYPE))
        with fails_with(WSAEINVAL):
            opened(ws, info)


@case(
    "sharing.record.made-up",
    chapter=CHAPTER,
    source=DUPLICATE,
    basis="choice",
    requirements=["R10.3"],
)
def made_up_record_is_refused(ws: Target) -> None:
    """A number in dwProviderReserved that no WSADuplicateSocket gave is WSAEINVAL."""
    with ws.closing(ws.udp()) as s:
        info = record_of(ws, s)
        with fails_with(WSAEINVAL):
            opened(ws, attrs.evolve(info, provider_reserved=info.provider_reserved ^ 0x40000000))
        ws.closesocket(opened(ws, info))


@case(
    "sharing.refused.{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R10.17", "B43"],
    both_forms=True,
    rows={
        "unknown-process": Row(True, NO_SUCH_PROCESS, WSAEINVAL, behaviours=["dup-invalid-pid"]),
        "process-0": Row(True, 0, WSAEINVAL),
        "no-socket": Row(False, None, WSAENOTSOCK, behaviours=["dup-invalid-socket-valid-rest"]),
        "no-socket-no-process": Row(False, 0, WSAENOTSOCK),
    },
)
def duplicate_checks_the_socket_and_the_process(ws: Target, good: bool, process: int | None, code: int) -> None:
    """What is no socket is WSAENOTSOCK whatever the process is; a process that does not exist is WSAEINVAL."""
    with ws.closing(ws.udp()) as s, fails_with(code):
        ws.WSADuplicateSocket(s if good else 0, ws.GetCurrentProcessId() if process is None else process)


@case(
    "sharing.refused.null-{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R10.17", "B43"],
    needs_c=True,
    rows={
        "no-socket": Row(False, 0, WSAENOTSOCK, behaviours=["dup-invalid-order-1"]),
        "no-process": Row(True, 0, WSAEINVAL, behaviours=["dup-invalid-order-2"]),
        "only": Row(True, None, WSAEFAULT, behaviours=["dup-null-info"]),
    },
)
def null_comes_last(ws: Target, good: bool, process: int | None, code: int) -> None:
    """The socket is checked first, then the process, then that lpProtocolInfo is not NULL."""
    own = ws.c.call("kernel32.GetCurrentProcessId", returns="u32")
    with ws.closing(ws.udp()) as s:
        for form in "AW":
            got = ws.c.call(f"WSADuplicateSocket{form}", s if good else 0, own if process is None else process, 0)
            expect(f"result and error of {form}", expected=(SOCKET_ERROR, code), actual=(got, ws.c.last_error))


@case(
    "sharing.refused.not-started",
    chapter=CHAPTER,
    source=DUPLICATE,
    basis="documented",
    requirements=["R10.17"],
    manages_startup=True,
)
def duplicate_needs_a_startup(ws: Target) -> None:
    """Before WSAStartup it is WSANOTINITIALISED."""
    process = ws.GetCurrentProcessId()
    with fails_with(WSANOTINITIALISED):
        ws.WSADuplicateSocket(0, process)


@case(
    "sharing.provider.sees-the-record",
    chapter=CHAPTER,
    source=IN_THE_SPI,
    basis="documented",
    requirements=["R10.4", "R10.16"],
    needs_provider=True,
)
def provider_gets_what_it_has_put_into_the_record(ws: Target) -> None:
    """The DLL passes WSADuplicateSocket and WSASocket on; dwProviderReserved is the provider's alone."""
    with ws.provider(Provider()) as recorder:
        s = ws.tcp()
        info = record_of(ws, s)
        d = ws.WSASocket(-1, -1, -1, attrs.evolve(info, provider_reserved=0xABCD))
        asked = [call for call in recorder.calls if call.name == "WSPDuplicateSocket"]
        expect("WSPDuplicateSocket", expected=[(s, ws.GetCurrentProcessId())], actual=[c.args for c in asked])
        made = [call for call in recorder.calls if call.name == "WSPSocket"]
        expect("records", expected=[0, 0xABCD], actual=[call.args[3].provider_reserved for call in made])
        expect_true("a new socket", d != s, actual=(s, d))
        ws.closesocket(d)
        ws.closesocket(s)


# ---- what is the socket's --------------------------------------------------------------------------------------------


@case(
    "sharing.state.options-{row}",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R10.7"],
    rows={
        "receive-buffer": Row(SOCK_STREAM, SO_RCVBUF, 12345),
        "time-limit": Row(SOCK_STREAM, SO_RCVTIMEO, 5678),
        "keepalive": Row(SOCK_STREAM, SO_KEEPALIVE, 1),
        "broadcast": Row(SOCK_DGRAM, SO_BROADCAST, 1),
    },
)
def options_are_set_for_all(ws: Target, kind: int, option: int, value: int) -> None:
    """An option that was set through one descriptor is read through the other, both ways."""
    with ws.closing(ws.socket(AF_INET, kind, 0)) as s, duplicate(ws, s) as d:
        ws.setsockopt(d, SOL_SOCKET, option, value)
        size = len(ws.getsockopt(d, SOL_SOCKET, option))
        expect(
            "read by the first", expected=value, actual=int.from_bytes(ws.getsockopt(s, SOL_SOCKET, option), "little")
        )
        ws.setsockopt(s, SOL_SOCKET, option, 0 if value == 1 else value + 1)
        wanted = (0 if value == 1 else value + 1).to_bytes(size, "little")
        expect("read by the second", expected=wanted, actual=ws.getsockopt(d, SOL_SOCKET, option))


@case(
    "sharing.state.mode",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R10.7"],
)
def blocking_mode_is_for_all(ws: Target) -> None:
    """FIONBIO through one descriptor makes receives through the other fail with WSAEWOULDBLOCK."""
    with shared_connection(ws) as (_, server, d):
        ws.ioctlsocket(server, FIONBIO, 1)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(d, bytearray(4))


@case(
    "sharing.state.names",
    chapter=CHAPTER,
    source=SHARED,
    basis="documented",
    requirements=["R10.7"],
)
def names_are_the_sockets(ws: Target) -> None:
    """Both descriptors have the same local and the same peer address, also when connected after being shared."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s, duplicate(ws, s) as d:
        ws.connect(s, ws.getsockname(listening))
        with ws.closing(ws.accept(listening)[0]):
            expect("peer", expected=ws.getsockname(listening), actual=ws.getpeername(d))
            expect("local", expected=ws.getsockname(s), actual=ws.getsockname(d))


@case(
    "sharing.state.shutdown",
    chapter=CHAPTER,
    source=HANDLES,
    basis="observed",
    requirements=["R10.7", "R10.12"],
)
def shutdown_is_at_once_and_for_all(ws: Target) -> None:
    """shutdown acts on the socket although another descriptor is open: the peer sees the end, sends are refused."""
    with shared_connection(ws) as (client, server, d):
        ws.shutdown(d, SD_SEND)
        expect("the peer receives", expected=0, actual=ws.recv(client, bytearray(4)))
        with fails_with(WSAESHUTDOWN):
            ws.send(server, b"x")


@case(
    "sharing.state.data",
    chapter=CHAPTER,
    source=SHARED,
    basis="documented",
    requirements=["R10.7", "R10.13"],
)
def data_goes_to_whoever_receives(ws: Target) -> None:
    """Nobody owns the data: each descriptor takes what comes next, and sends through both arrive in order."""
    with shared_connection(ws) as (client, server, d):
        ws.send_and_settle(client, b"firstsecond", server)
        expect("through the first", expected=b"first", actual=ws.receive_exactly(server, 5))
        expect("through the second", expected=b"second", actual=ws.receive_exactly(d, 6))
        ws.send(d, b"one")
        ws.send(server, b"two")
        expect("the peer receives", expected=b"onetwo", actual=ws.receive_exactly(client, 6))


@case(
    "sharing.state.threads",
    chapter=CHAPTER,
    source=SHARED,
    basis="documented",
    requirements=["R10.6"],
)
def threads_need_no_duplicate(ws: Target) -> None:
    """Another thread uses the descriptor itself: it sends and receives, and sets what this thread reads."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        other.call(ws.setsockopt, server, SOL_SOCKET, SO_KEEPALIVE, 1)
        expect("option", expected=1, actual=ws.getsockopt(server, SOL_SOCKET, SO_KEEPALIVE)[0])
        other.call(ws.send, server, b"x")
        expect("data", expected=b"x", actual=ws.receive_exactly(client, 1))


@case(
    "sharing.state.datagrams",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    requirements=["R10.7"],
    behaviours=["dup-shared-queue"],
)
def queue_is_one(ws: Target) -> None:
    """A socket duplicated after it was bound: a datagram sent to it is received through the duplicate."""
    with ws.closing(ws.udp(), ws.udp()) as (s, peer):
        ws.bind(s, loopback())
        with duplicate(ws, s) as d:
            ws.sendto(peer, b"hello", 0, ws.getsockname(s))
            ws.wait_readable(d)
            buffer = bytearray(8)
            expect("bytes", expected=5, actual=ws.recvfrom(d, buffer)[0])
            expect("data", expected=b"hello", actual=bytes(buffer[:5]))


@case(
    "sharing.state.bound-after-sharing",
    chapter=CHAPTER,
    source=PUBLIC_TEST,
    basis="observed",
    behaviours=["dup-before-bind-recv"],
)
def duplicate_does_not_see_a_later_bind(ws: Target) -> None:
    """A datagram socket is duplicated first and bound then: a receive through the duplicate is WSAEINVAL."""
    with ws.closing(ws.udp(), ws.udp()) as (s, peer), duplicate(ws, s) as d:
        ws.bind(s, loopback())
        ws.sendto(peer, b"hello", 0, ws.getsockname(s))
        ws.wait_readable(s)
        with fails_with(WSAEINVAL):
            ws.recvfrom(d, bytearray(8))
        expect("through the first", expected=5, actual=ws.recvfrom(s, bytearray(8))[0])


@case(
    "sharing.state.accepting",
    chapter=CHAPTER,
    source=GUIDELINES,
    basis="observed",
    requirements=["R10.22"],
)
def each_connection_is_accepted_once(ws: Target) -> None:
    """Two descriptors of a listening socket: each connection goes to the one that accepts it, and to no other."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(ws.listener())
        d = stack.enter_context(duplicate(ws, listening))
        clients = [ws.tcp() for _ in range(4)]
        stack.enter_context(ws.closing(*clients))
        for client in clients:
            ws.connect(client, ws.getsockname(d))
        accepted = [ws.accept(s) for s in (d, listening, listening, d)]
        stack.enter_context(ws.closing(*(s for s, _ in accepted)))
        expect("callers", expected={*map(ws.getsockname, clients)}, actual={address for _, address in accepted})
        ws.nonblocking(d)
        with fails_with(WSAEWOULDBLOCK):
            ws.accept(listening)


@case(
    "sharing.state.events",
    chapter=CHAPTER,
    source=HANDLES,
    basis="documented",
    requirements=["R10.8", "R10.9"],
)
def latest_event_selection_counts(ws: Target) -> None:
    """WSAEventSelect through one descriptor cancels the selection made through the other."""
    with shared_connection(ws) as (client, server, d):
        first, second = ws.WSACreateEvent(), ws.WSACreateEvent()
        ws.WSAEventSelect(server, first, FD_READ)
        ws.WSAEventSelect(d, second, FD_READ)
        ws.send(client, b"x")
        waits = [ws.WSAWaitForMultipleEvents([event], False, ms) for event, ms in ((second, 5000), (first, 0))]
        records = [ws.WSAEnumNetworkEvents(s)[0] for s in (server, d)]
        for event in (first, second):
            ws.WSACloseEvent(event)
    expect("waits for the second and the first", expected=[0, WSA_WAIT_TIMEOUT], actual=waits)
    expect("the one record, through either", expected=[FD_READ, 0], actual=records)


# ---- closing ---------------------------------------------------------------------------------------------------------


@case(
    "sharing.closing.{row}",
    chapter=CHAPTER,
    source=COUNTING,
    basis="documented",
    requirements=["R10.10"],
    rows={"the-first": Row(0), "the-duplicate": Row(1)},
)
def closing_frees_one_descriptor(ws: Target, which: int) -> None:
    """The other descriptor and the connection stay; the peer sees the end only when the last one is closed."""
    with shared_connection(ws) as (client, *ends):
        gone, left = ends[which], ends[1 - which]
        ws.closesocket(gone)
        with fails_with(WSAENOTSOCK):
            ws.getsockname(gone)
        ws.send(client, b"ping")
        expect("through the other", expected=b"ping", actual=ws.receive_exactly(left, 4))
        expect_true("the peer sees no end", not ws.readable(client, A_MOMENT))
        ws.closesocket(left)
        expect("the peer receives", expected=0, actual=ws.recv(client, bytearray(4)))


@case(
    "sharing.closing.linger-at-the-last",
    chapter=CHAPTER,
    source="WinSock/closing-sockets-2",
    basis="documented",
    requirements=["R10.11"],
)
def linger_counts_for_the_last(ws: Target) -> None:
    """With a hard close set, closing one descriptor resets nothing; closing the last one resets the connection."""
    with shared_connection(ws) as (client, server, d):
        ws.setsockopt(server, SOL_SOCKET, SO_LINGER, HARD_CLOSE)
        ws.closesocket(server)
        expect_true("the peer sees nothing", not ws.readable(client, A_MOMENT))
        ws.closesocket(d)
        with fails_with(WSAECONNRESET):
            ws.recv(client, bytearray(4))


@case(
    "sharing.closing.port",
    chapter=CHAPTER,
    source=COUNTING,
    basis="documented",
    requirements=["R10.10"],
)
def port_is_held_until_the_last_close(ws: Target) -> None:
    """The local address is free when the last descriptor is closed, not before."""
    with ws.closing(ws.udp(), ws.udp()) as (s, other):
        ws.bind(s, loopback())
        name = ws.getsockname(s)
        with duplicate(ws, s):
            ws.closesocket(s)
            with fails_with(WSAEADDRINUSE):
                ws.bind(other, name)
        ws.bind(other, name)


@case(
    "sharing.closing.before-opening",
    chapter=CHAPTER,
    source=IN_THE_SPI,
    basis="observed",
    requirements=["R10.20"],
)
def record_keeps_the_socket(ws: Target) -> None:
    """The first descriptor is closed before the duplicate is opened: the socket is still there, with its data."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"waiting")
        info = record_of(ws, server)
        ws.closesocket(server)
        with ws.closing(opened(ws, info)) as d:
            expect("data", expected=b"waiting", actual=ws.receive_exactly(d, 7))
            ws.send(d, b"!")
            expect("answer", expected=b"!", actual=ws.receive_exactly(client, 1))


@case(
    "sharing.closing.never-opened",
    chapter=CHAPTER,
    source=IN_THE_SPI,
    basis="observed",
    requirements=["R10.21"],
    manages_startup=True,
)
def record_that_nobody_opens_keeps_the_socket(ws: Target) -> None:
    """A duplicate that is never opened holds the socket's port until the last WSACleanup."""
    ws.WSAStartup(0x0202)
    s = ws.udp()
    ws.bind(s, loopback())
    name = ws.getsockname(s)
    record_of(ws, s)
    ws.closesocket(s)
    with ws.closing(ws.udp()) as other, fails_with(WSAEADDRINUSE):
        ws.bind(other, name)
    ws.WSACleanup()


@case(
    "sharing.closing.waiting-calls",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-closesocket",
    basis="documented",
    requirements=["R10.23"],
)
def calls_through_another_descriptor_go_on(ws: Target) -> None:
    """A receive waits through one descriptor; closing the other does not end it."""
    with shared_connection(ws) as (client, server, d), ws.thread() as other:
        buffer = bytearray(8)
        pending = other.start(ws.recv, server, buffer)
        expect_true("it waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(d)
        expect_true("it still waits", not pending.finished_within(A_MOMENT))
        ws.send(client, b"now")
        expect("bytes", expected=3, actual=pending.result())
        expect("data", expected=b"now", actual=bytes(buffer[:3]))


@case(
    "sharing.hand-off",
    chapter=CHAPTER,
    source=IN_THE_SPI,
    basis="documented",
    requirements=["R10.19"],
)
def connection_is_handed_over(ws: Target) -> None:
    """One part connects, shares and closes, another opens and goes on in another thread: the peer never notices."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        ws.send(server, b"by the first, ")
        info = record_of(ws, server)

        def go_on() -> None:
            with ws.closing(opened(ws, info)) as d:
                ws.send(d, b"by the second")
                expect("answer", expected=b"heard", actual=ws.receive_exactly(d, 5))

        ws.closesocket(server)
        second = other.start(go_on)
        expect("all", expected=b"by the first, by the second", actual=ws.receive_exactly(client, 27))
        expect_true("no end", not ws.readable(client, A_MOMENT))
        ws.send(client, b"heard")
        second.result()
        expect("then the end", expected=0, actual=ws.recv(client, bytearray(4)))
