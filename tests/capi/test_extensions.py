"""Extension functions as C programs get them, and control codes whose buffers hold pointers."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.capi.cabi import (
    AF_INET6,
    INVALID_SOCKET,
    SOCK_DGRAM,
    SOCKET_ERROR,
    UNTOUCHED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    Replace,
    call,
    dword,
    error,
    fails,
    noted,
    ref,
)
from winsock2emu import errors, trace
from winsock2emu.capi import extensions, table
from winsock2emu.defs import guids
from winsock2emu.defs.addresslist import pack_address_list, unpack_address_list
from winsock2emu.defs.exports import EXPORTS, EXTENSIONS
from winsock2emu.defs.relocatable import Relocatable
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process

SIO_GET_EXTENSION_FUNCTION_POINTER = 0xC8000006
SIO_ADDRESS_LIST_QUERY = 0x48000016
SIO_ADDRESS_LIST_SORT = 0xC8000019

OWN = UUID("00112233-4455-6677-8899-aabbccddeeff")

BASE = [
    *("WSAID_ACCEPTEX", "WSAID_CONNECTEX", "WSAID_DISCONNECTEX", "WSAID_GETACCEPTEXSOCKADDRS"),
    *("WSAID_TRANSMITFILE", "WSAID_TRANSMITPACKETS", "WSAID_WSARECVMSG", "WSAID_WSASENDMSG"),
]
FUNCTIONS = {extension.guid_name: extension.function for extension in EXTENSIONS.values()}


def pointer(s: int, guid: UUID) -> int:
    """The pointer that WSAIoctl stores for a GUID."""
    out, returned = ctypes.c_uint64(), dword()
    given = (guid.bytes_le, 16, ref(out), 8, ref(returned), None, None)
    assert call("WSAIoctl", s, SIO_GET_EXTENSION_FUNCTION_POINTER, *given) == 0
    assert returned.value == 8
    return out.value


# ------------------------------------------------------------------------------------------------- known GUIDs


@pytest.mark.parametrize("name", BASE)
def test_every_base_function_has_a_pointer_that_stays(udp: int, name: str) -> None:
    """R9.17, extfunc-sync."""
    found = pointer(udp, getattr(guids, name))

    assert found
    assert found == pointer(udp, getattr(guids, name)) == extensions.address_of(getattr(guids, name))


def test_functions_that_are_exported_are_the_exports(udp: int) -> None:
    """R9.18: WSASendMsg is exported by ws2_32 as well."""
    for name, dll in (("WSASendMsg", "ws2_32"), ("AcceptEx", "mswsock"), ("TransmitFile", "mswsock")):
        export = table.export(dll, name)
        assert export is not None
        assert pointer(udp, getattr(guids, EXTENSIONS[name].guid_name)) == export.address


def test_pointers_are_the_same_in_every_process(winsock: Process, udp: int) -> None:
    first = pointer(udp, guids.WSAID_CONNECTEX)

    with Process().active():
        assert call("WSAStartup", 0x0202, ctypes.create_string_buffer(408)) == 0
        s = call("socket", AF_INET6, SOCK_DGRAM, 0)
        assert pointer(s, guids.WSAID_CONNECTEX) == first
        assert call("WSACleanup") == 0


def test_guids_of_no_function_and_short_buffers(udp: int) -> None:
    """R9.15, extfunc-bogus: neither the buffer nor the count is touched."""
    out, returned = ctypes.c_uint64(UNTOUCHED), dword()
    known = guids.WSAID_ACCEPTEX.bytes_le

    def asked(guid: bytes | None, size: int, room: int) -> tuple[Any, ...]:
        return udp, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, size, ref(out), room, ref(returned), None, None

    fails(WSAEINVAL, "WSAIoctl", *asked(OWN.bytes_le, 16, 8))
    fails(WSAEFAULT, "WSAIoctl", *asked(known, 15, 8))
    fails(WSAEFAULT, "WSAIoctl", *asked(None, 16, 8))
    fails(WSAEFAULT, "WSAIoctl", *asked(known, 16, 7))

    assert (out.value, returned.value) == (UNTOUCHED, UNTOUCHED)
    assert extensions.address_of(OWN) is None
    assert extensions.address_of(guids.WSAID_MULTIPLE_RIO) is None


UNWRITTEN = [name for name in BASE if not table.extension(FUNCTIONS[name]).written]


@pytest.mark.parametrize("name", UNWRITTEN)
def test_what_nobody_has_written_fails_with_its_failure_value(winsock: Process, udp: int, name: str) -> None:
    """Handed out all the same: WSAEOPNOTSUPP and a trace event, as from the DLLs' unwritten exports."""
    function = FUNCTIONS[name]
    found = table.extension(function)
    seen: list[trace.TraceEvent] = []
    trace.start(seen.append)
    try:
        errors.set_last_error(0)
        result = found.prototype(found.address)(*([0] * len(function.params or ())))
    finally:
        trace.stop()

    assert result == {"FALSE": 0, "SOCKET_ERROR": SOCKET_ERROR, None: None}[function.failure]
    assert error() == WSAEOPNOTSUPP
    assert [event.call for event in seen if event.layer == "unwritten"] == [f"mswsock.{function.name}"]


def test_what_only_a_pointer_leads_to_is_no_export() -> None:
    for name in ("ConnectEx", "DisconnectEx", "TransmitPackets", "WSARecvMsg"):
        assert name not in EXPORTS["mswsock"]
        assert table.export("mswsock", name) is None


# ------------------------------------------------------------------------------------------------- other GUIDs


def answering(replace: Replace, function: Callable[..., Any]) -> int:
    """The pointer that C gets from a provider whose answer to `OWN` is that callable."""
    replace("WSAIoctl", lambda *args: function)
    return pointer(5, OWN)


def test_a_providers_own_function_gets_the_integers_of_its_caller(replace: Replace) -> None:
    """R9.19, R9.20: one 64-bit parameter for each of the callable's."""
    seen: list[tuple[int, ...]] = []

    def own(s: int, buffer: int, length: int = 0, /) -> int | None:
        seen.append((s, buffer, length))
        return -7 if length else None

    address = answering(replace, own)
    function = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 3)(address)

    assert function(1, 2**63, 3) == -7
    assert function(1, 2**63, 0) == 0
    assert seen == [(1, 2**63, 3), (1, 2**63, 0)]
    assert answering(replace, own) == address, "made once"


def test_a_providers_own_function_fails_as_functions_of_the_dll_do(replace: Replace) -> None:
    def own(s: int) -> int:
        raise WinsockError(WSAENOTSOCK)

    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64)(answering(replace, own))

    assert (function(1), error()) == (SOCKET_ERROR, WSAENOTSOCK)


def test_a_mistake_in_a_providers_own_function_does_not_reach_c(replace: Replace) -> None:
    def own(s: int) -> int:
        raise ZeroDivisionError

    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64)(answering(replace, own))

    assert function(1) == SOCKET_ERROR
    assert isinstance(table.take_pending_exception(), ZeroDivisionError)


def test_a_provider_may_bring_a_c_function(replace: Replace) -> None:
    class Brought:
        address = 0x7F00_1234_5678

        def __call__(self) -> int:
            raise AssertionError("C calls the address")

    assert answering(replace, Brought()) == 0x7F00_1234_5678


def test_a_provider_may_answer_with_the_pointer_itself(replace: Replace) -> None:
    replace("WSAIoctl", lambda *args: struct.pack("<Q", 0x1234_5678_9ABC))

    assert pointer(5, guids.WSAID_ACCEPTEX) == 0x1234_5678_9ABC


# ------------------------------------------------------------------------------------------------- pointers in buffers


def test_pointers_in_the_output_point_into_the_callers_buffer(replace: Replace) -> None:
    addresses = [sockaddr_in("192.0.2.1"), sockaddr_in("192.0.2.2")]
    replace("WSAIoctl", lambda *args: pack_address_list(addresses))
    room, returned = ctypes.create_string_buffer(200), dword()

    given = (None, 0, room, 200, ref(returned), None, None)
    assert call("WSAIoctl", 5, SIO_ADDRESS_LIST_QUERY, *given) == 0

    assert returned.value == 8 + 2 * 16 + 2 * 16
    assert unpack_address_list(room.raw[: returned.value], ctypes.addressof(room)) == addresses


def test_the_hosts_addresses_through_c(udp: int) -> None:
    """addrlist-size-probe, then addrlist-ok."""
    returned = dword()
    fails(WSAEFAULT, "WSAIoctl", udp, SIO_ADDRESS_LIST_QUERY, None, 0, None, 0, ref(returned), None, None)
    needed = returned.value
    room = ctypes.create_string_buffer(needed + 100)

    given = (None, 0, room, needed + 100, ref(returned), None, None)
    assert call("WSAIoctl", udp, SIO_ADDRESS_LIST_QUERY, *given) == 0

    assert returned.value == needed
    for address in unpack_address_list(room.raw[:needed], ctypes.addressof(room)):
        assert (address.family, address.port, len(address)) == (2, 0, 16)


class ToSort:
    """A SOCKET_ADDRESS_LIST as C programs build it: in a buffer of its own, with the addresses wherever they are."""

    def __init__(self, addresses: list[bytes], room: int = 400) -> None:
        self.kept = [ctypes.create_string_buffer(address, len(address)) for address in addresses]
        record = struct.pack("<i4x", len(addresses))
        for buffer in self.kept:
            record += struct.pack("<Qi4x", ctypes.addressof(buffer), len(buffer))
        self.size = len(record)
        self.buffer = ctypes.create_string_buffer(record, room)

    def sort(self, s: int, returned: Any) -> tuple[Any, ...]:
        """The arguments for a sort in place."""
        room = len(self.buffer)
        given = (self.buffer, self.size, self.buffer, room, ref(returned), None, None)
        return s, SIO_ADDRESS_LIST_SORT, *given


@pytest.fixture
def udp6(winsock: Process) -> int:
    s: int = call("socket", AF_INET6, SOCK_DGRAM, 0)
    assert s != INVALID_SOCKET
    return s


def test_lists_are_sorted_in_place_wherever_their_addresses_lie(udp6: int) -> None:
    """using-sio-address-list-sort: one buffer for input and output."""
    listed, returned = ToSort([sockaddr_in6("::"), sockaddr_in6("::1", 7)]), dword()

    assert call("WSAIoctl", *listed.sort(udp6, returned)) == 0

    record = listed.buffer.raw[: returned.value]
    assert unpack_address_list(record, ctypes.addressof(listed.buffer)) == [sockaddr_in6("::1", 7)]


def test_lists_that_cannot_be_sorted(udp6: int) -> None:
    returned = dword()
    bad = ToSort([sockaddr_in6("::1")])
    ctypes.c_uint64.from_address(ctypes.addressof(bad.buffer) + 8).value = 1

    fails(WSAEFAULT, "WSAIoctl", *bad.sort(udp6, returned))
    short = ToSort([sockaddr_in6("::1")])
    short.size -= 1
    fails(WSAEFAULT, "WSAIoctl", *short.sort(udp6, returned))
    many = ToSort([sockaddr_in6("::1")])
    ctypes.c_int32.from_address(ctypes.addressof(many.buffer)).value = -5
    fails(WSAEFAULT, "WSAIoctl", *many.sort(udp6, returned))
    fails(WSAEINVAL, "WSAIoctl", *ToSort([sockaddr_in("192.0.2.1")]).sort(udp6, returned))
    assert returned.value == UNTOUCHED
    small = ToSort([sockaddr_in6("::1")], 51)
    fails(WSAEFAULT, "WSAIoctl", *small.sort(udp6, returned))
    assert returned.value == 8 + 16 + 28


def test_a_gathered_list_reaches_the_api_relocatable(replace: Replace) -> None:
    """What the API sees does not depend on where the caller keeps it."""
    seen: list[Any] = []
    replace("WSAIoctl", lambda *args: noted(seen, args[2], b""))
    addresses: list[bytes] = [sockaddr_in6("::1"), SockAddr(b"\x17\0short")]

    assert call("WSAIoctl", *ToSort(addresses).sort(5, dword())) == 0

    assert isinstance(seen[0], Relocatable)
    assert unpack_address_list(seen[0]) == addresses
