"""Observed behaviours of functions that are still to come: each is declared, and reports itself the day it passes."""

from __future__ import annotations

from uuid import UUID

from ..addresses import loopback
from ..constants import (
    ERROR_INVALID_HANDLE,
    LUP_DEEP,
    LUP_RETURN_ALL,
    SOCK_STREAM,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_INVALID_PARAMETER,
    WSA_E_NO_MORE,
    WSAEFAULT,
    WSAEINVAL,
    WSANO_RECOVERY,
)
from ..model import Row, case
from ..target import Target
from ..verify import expect, fails_with

CHAPTER = "Functions still to come"

LOOKUPS = "Wine's public test ws2_32/protocol.c: test_WSALookupService, which passes on Windows"
PROVIDERS = "Wine's public test ws2_32/protocol.c: test_WSAEnumNameSpaceProvidersA, which passes on Windows"
PROVIDER_INFO = "Wine's public test ws2_32/protocol.c: test_WSCGetProviderInfo, which passes on Windows"
NAME = "Wine's public test ws2_32/afd.c: test_getsockname, which passes on Windows"
BIND = "Wine's public test ws2_32/afd.c: test_bind, which passes on Windows"
SIGNAL = "Wine's public test kernel32/pipe.c: test_CancelSynchronousIo, which passes on Windows"

BEGIN = "WSALookupServiceBeginW"
QUERY_SIZE, QUERY_CLASS = 120, 16  # WSAQUERYSETW, and where lpServiceClassId is in it
IOCTL_AFD_BIND, IOCTL_AFD_GETSOCKNAME = 0x12003, 0x1202F
NLA_SERVICE_CLASS = UUID("0037e515-b5c9-4a43-bada-8b48a87ad239")


@case(
    "unwritten.lookup.{row}",
    chapter=CHAPTER,
    source=LOOKUPS,
    basis="observed",
    needs_c=True,
    gap="namespace providers and their look-ups are not written yet",
    rows={
        "no-query": Row(BEGIN, (0, 0, 1), WSAEFAULT, behaviours=["lookup-begin-null-query"]),
        "no-handle": Row(BEGIN, (1, 0, 0), WSAEFAULT, behaviours=["lookup-begin-null-handle"]),
        "empty-query": Row(BEGIN, (1, 0, 1), WSAEINVAL, behaviours=["lookup-begin-zero-size"]),
        "end-of-none": Row("WSALookupServiceEnd", (0,), ERROR_INVALID_HANDLE, behaviours=["lookup-end-null"]),
    },
)
def lookups_check_their_arguments(ws: Target, function: str, arguments: tuple[int, ...], code: int) -> None:
    """NULL pointers are WSAEFAULT, a query without a size WSAEINVAL, a handle that is none ERROR_INVALID_HANDLE."""
    room = ws.c.new(QUERY_SIZE)
    with fails_with(code):
        ws.c.check(function, *(room.address if argument else 0 for argument in arguments))


@case(
    "unwritten.namespaces.{row}",
    chapter=CHAPTER,
    source=PROVIDERS,
    basis="observed",
    needs_c=True,
    gap="namespace providers are not written yet",
    rows={"small": Row(True, behaviours=["nsp-a-small"]), "no-length": Row(False, behaviours=["nsp-a-null-len"])},
)
def name_space_providers_need_room(ws: Target, length: bool) -> None:
    """WSAEnumNameSpaceProvidersA without room or without a length is WSAEFAULT; the length tells what is needed."""
    size = ws.c.new(4)
    with fails_with(WSAEFAULT):
        ws.c.check("WSAEnumNameSpaceProvidersA", size.address if length else 0, 0)
    expect("a size is told", expected=length, actual=size.number() > 0)


@case(
    "unwritten.namespaces.enumerated",
    chapter=CHAPTER,
    source=PROVIDERS,
    basis="observed",
    needs_c=True,
    gap="namespace providers are not written yet",
    behaviours=["nsp-a-ok"],
)
def name_space_providers_are_counted(ws: Target) -> None:
    """With the room it asked for, WSAEnumNameSpaceProvidersA tells how many there are: some."""
    size = ws.c.new(4)
    ws.c.call("WSAEnumNameSpaceProvidersA", size.address, 0)
    room = ws.c.new(size.number())
    count = ws.c.check("WSAEnumNameSpaceProvidersA", size.address, room.address)
    expect("there are some", expected=True, actual=count > 0)


@case(
    "unwritten.lookup.networks",
    chapter=CHAPTER,
    source=LOOKUPS,
    basis="observed",
    needs_c=True,
    gap="namespace providers and their look-ups are not written yet",
    behaviours=["lookup-begin-networks", "lookup-next-ends", "lookup-end-ok"],
)
def a_lookup_of_networks_begins_goes_on_and_ends(ws: Target) -> None:
    """The networks of the machine: a handle, answers until WSA_E_NO_MORE, and an end."""
    kind = ws.c.new(NLA_SERVICE_CLASS.bytes_le)
    query = ws.c.new(QUERY_SIZE)
    query.write(QUERY_SIZE.to_bytes(4, "little"))
    query.write(kind.address.to_bytes(8, "little"), at=QUERY_CLASS)
    handle, size, answer = ws.c.new(8), ws.c.new(4), ws.c.new(16 * 1024)
    ws.c.check(BEGIN, query.address, LUP_RETURN_ALL | LUP_DEEP, handle.address)
    expect("a handle", expected=True, actual=handle.number(8) != 0)
    with fails_with(WSA_E_NO_MORE):
        for _ in range(1000):  # more networks than a machine has
            size.write(answer.size.to_bytes(4, "little"))
            ws.c.check("WSALookupServiceNextW", handle.number(8), 0, size.address, answer.address)
    ws.c.check("WSALookupServiceEnd", handle.number(8))


@case(
    "unwritten.providers.{row}",
    chapter=CHAPTER,
    source=PROVIDER_INFO,
    basis="observed",
    needs_c=True,
    gap="WSCGetProviderInfo comes with the catalog's own functions",
    rows={
        "no-guid": Row(False, WSAEFAULT, behaviours=["wscinfo-null-guid", "wscinfo-all-null"]),
        "unknown-guid": Row(True, WSANO_RECOVERY, behaviours=["wscinfo-bad-guid"]),
    },
)
def provider_info_needs_a_known_provider(ws: Target, guid: bool, code: int) -> None:
    """The error variable is WSAEFAULT without a provider id, WSANO_RECOVERY for one that nobody has."""
    room, error = ws.c.new(16), ws.c.new(4)
    result = ws.c.call("WSCGetProviderInfo", room.address if guid else 0, 0, 0, 0, 0, error.address)
    expect("result", expected=-1, actual=result)
    expect("error", expected=code, actual=error.number())


@case(
    "unwritten.afd.bind",
    chapter=CHAPTER,
    source=BIND,
    basis="observed",
    needs_c=True,
    gap="of AFD's control codes those for receiving, sending, polling and events are written",
    behaviours=["afd-bind-result"],
)
def afd_binds_a_socket(ws: Target) -> None:
    """AFD's own bind request is accepted."""
    with ws.closing(ws.socket(2, SOCK_STREAM, 6)) as s:
        status, given, bound = ws.c.new(16), ws.c.new(b"\0\0\0\0" + b"\2\0\0\0\x7f\0\0\1" + bytes(8)), ws.c.new(16)
        sizes = (given.address, 20, bound.address, 16)
        result = ws.c.call("ntdll.NtDeviceIoControlFile", s, 0, 0, 0, status.address, IOCTL_AFD_BIND, *sizes)
        expect("status", expected=0, actual=result)


@case(
    "unwritten.afd.getsockname",
    chapter=CHAPTER,
    source=NAME,
    basis="observed",
    needs_c=True,
    gap="of AFD's control codes those for receiving, sending, polling and events are written",
    behaviours=["afd-getsockname-low"],
)
def afd_looks_at_the_state_before_the_room(ws: Target) -> None:
    """AFD's own name request: an unbound socket is an invalid parameter, then too little room is told."""
    status, room = ws.c.new(16), ws.c.new(64)

    def asked(s: int, size: int) -> int:
        given = (s, 0, 0, 0, status.address, IOCTL_AFD_GETSOCKNAME, 0, 0, room.address, size)
        return ws.c.call("ntdll.NtDeviceIoControlFile", *given, returns="u32")

    with ws.closing(ws.socket(2, SOCK_STREAM, 6)) as s:
        expect("unbound", expected=[STATUS_INVALID_PARAMETER] * 2, actual=[asked(s, 1), asked(s, 64)])
        ws.bind(s, loopback())
        expect("bound, too little room", expected=STATUS_BUFFER_TOO_SMALL, actual=asked(s, 1))


@case(
    "unwritten.signal.synchronous",
    chapter=CHAPTER,
    source=SIGNAL,
    basis="observed",
    gap="a socket's own signal follows overlapped requests only",
    behaviours=["csio-handle-signal"],
)
def a_blocking_call_takes_the_signal_away(ws: Target) -> None:
    """A socket that a thread is blocked in a receive of is not signalled."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        blocked = other.start(ws.recv, server, bytearray(1))
        ws.until("the call blocks", lambda: not blocked.finished_within(0.01))
        state = ws.WaitForSingleObject(server, 0)
        ws.send(client, b"x")
        blocked.result()
        expect("wait", expected=258, actual=state)
