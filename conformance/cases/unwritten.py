"""Observed behaviours of functions that are still to come: each is declared, and reports itself the day it passes."""

from __future__ import annotations

from uuid import UUID

from ..constants import (
    ERROR_INVALID_HANDLE,
    LUP_DEEP,
    LUP_RETURN_ALL,
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
SIGNAL = "Wine's public test kernel32/pipe.c: test_CancelSynchronousIo, which passes on Windows"

BEGIN = "WSALookupServiceBeginW"
QUERY_SIZE, QUERY_CLASS = 120, 16  # WSAQUERYSETW, and where lpServiceClassId is in it
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
