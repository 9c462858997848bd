"""AcceptEx, ConnectEx, DisconnectEx, TransmitFile and TransmitPackets through C: pointers, lengths, structures."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.capi.cabi import (
    INVALID_SOCKET,
    UNTOUCHED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    call,
    dword,
    error,
    fails,
    inet,
)
from winsock2emu import errors, mswsock
from winsock2emu.capi import extensions, table
from winsock2emu.defs.acceptbuffer import store_address
from winsock2emu.defs.guids import WSAID_CONNECTEX, WSAID_DISCONNECTEX, WSAID_TRANSMITPACKETS
from winsock2emu.defs.records import TransmitElement
from winsock2emu.kernel.operations import PENDING
from winsock2emu.process import Process

ERROR_IO_PENDING = 997
ADDRESS = inet(80)
Api = Callable[[str, Any], list[Any]]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, winsock: Process) -> Api:
    """Puts a result in the place of a function of mswsock; returns a list of the arguments it is called with."""

    def put(name: str, result: Any) -> list[Any]:
        seen: list[Any] = []

        def stand_in(*arguments: Any) -> Any:
            seen.append([bytes(one) if isinstance(one, memoryview) else one for one in arguments])
            return result

        monkeypatch.setattr(mswsock, name, stand_in)
        return seen

    return put


def through(guid: UUID, *arguments: Any) -> int:
    """Call the function that a GUID's pointer leads to."""
    address = extensions.address_of(guid)
    assert address is not None
    kinds = [ctypes.c_uint64 if isinstance(one, int) else ctypes.c_void_p for one in arguments]
    errors.set_last_error(UNTOUCHED)
    result: int = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(address)(*arguments)
    pending = table.take_pending_exception()
    assert pending is None, pending
    return result


def test_accept_ex_passes_its_buffer_and_tells_pending(api: Api) -> None:
    """FALSE and ERROR_IO_PENDING while it goes on; TRUE and the count when it is over at once."""
    buffer, record, count = ctypes.create_string_buffer(b"\1" * 70, 70), ctypes.create_string_buffer(32), dword()
    seen = api("AcceptEx", PENDING)
    arguments = (5, 6, buffer, 6, 32, 32, ctypes.byref(count), record)
    fails(ERROR_IO_PENDING, "AcceptEx", *arguments, failure=0, dll="mswsock")
    assert seen[0][:-1] == [5, 6, b"\1" * 70, 6, 32, 32]
    assert seen[0][-1].address == ctypes.addressof(record)
    assert count.value == UNTOUCHED
    api("AcceptEx", 4)
    assert call("AcceptEx", *arguments, dll="mswsock") == 1
    assert count.value == 4


def test_accept_ex_without_a_buffer_or_a_record(api: Api) -> None:
    """NULL pointers arrive as None."""
    seen = api("AcceptEx", 0)
    assert call("AcceptEx", 5, 6, None, 0, 32, 32, None, None, dll="mswsock") == 1
    assert seen == [[5, 6, None, 0, 32, 32, None]]


def sockaddrs(buffer: Any, *lengths: int) -> tuple[Any, ...]:
    """What GetAcceptExSockaddrs stores: two pointers, two lengths."""
    local, remote = ctypes.c_uint64(UNTOUCHED), ctypes.c_uint64(UNTOUCHED)
    sizes = ctypes.c_int32(UNTOUCHED), ctypes.c_int32(UNTOUCHED)
    where = [ctypes.byref(one) for one in (local, sizes[0], remote, sizes[1])]
    call("GetAcceptExSockaddrs", buffer, *lengths, *where, dll="mswsock")
    return local.value, sizes[0].value, remote.value, sizes[1].value


def test_addresses_are_pointed_to_in_the_buffer(winsock: Process) -> None:
    """Each pointer leads to a sockaddr; a local area of no bytes leaves its pointer and length alone."""
    data = bytearray(100)
    store_address(data, 4, ADDRESS)
    store_address(data, 36, inet(81))
    buffer = ctypes.create_string_buffer(bytes(data), 100)
    local, local_size, remote, remote_size = sockaddrs(buffer, 4, 32, 32)
    assert (ctypes.string_at(local, local_size), ctypes.string_at(remote, remote_size)) == (ADDRESS, inet(81))
    assert ctypes.addressof(buffer) < local < remote < ctypes.addressof(buffer) + 100
    local, local_size, remote, remote_size = sockaddrs(buffer, 36, 0, 32)
    assert (local, local_size) == (UNTOUCHED, UNTOUCHED)
    assert ctypes.string_at(remote, remote_size) == inet(81)


def test_addresses_need_memory(winsock: Process) -> None:
    """A NULL buffer, or a pointer to nothing: nothing happens but the last error."""
    errors.set_last_error(0)
    assert sockaddrs(None, 0, 32, 32) == (UNTOUCHED,) * 4
    assert error() == WSAEFAULT


def test_connect_ex_passes_name_and_data(api: Api) -> None:
    """By the pointer that a program gets."""
    seen = api("ConnectEx", PENDING)
    record = ctypes.create_string_buffer(32)
    assert through(WSAID_CONNECTEX, 5, ADDRESS, 16, b"abc", 2, None, record) == 0
    assert error() == ERROR_IO_PENDING
    assert seen[0][:3] == [5, ADDRESS, b"ab"]
    assert through(WSAID_CONNECTEX, 5, ADDRESS, 16, None, 0, None, record) == 0
    assert seen[1][2] is None


def test_disconnect_ex_has_a_reserved_parameter(api: Api, pair: tuple[int, int]) -> None:
    """It has to be 0; which handle it is is looked at first."""
    seen = api("DisconnectEx", None)
    assert through(WSAID_DISCONNECTEX, pair[0], None, 2, 0) == 1
    assert seen == [[pair[0], None, 2]]
    assert (through(WSAID_DISCONNECTEX, pair[0], None, 0, 1), error()) == (0, WSAEINVAL)
    assert (through(WSAID_DISCONNECTEX, INVALID_SOCKET, None, 0, 1), error()) == (0, WSAENOTSOCK)


def test_transmit_file_reads_its_buffers(api: Api, pair: tuple[int, int]) -> None:
    """TRANSMIT_FILE_BUFFERS, of which a part may be missing; a bad pointer in it is WSAEFAULT."""
    seen = api("TransmitFile", 7)
    head = ctypes.create_string_buffer(b"head")
    buffers = struct.pack("<QI4xQI4x", ctypes.addressof(head), 4, 0, 0)
    assert call("TransmitFile", pair[0], 0x100000, 3, 2, None, buffers, 1, dll="mswsock") == 1
    assert seen == [[pair[0], 0x100000, 3, 2, None, b"head", b"", 1]]
    assert call("TransmitFile", pair[0], None, 0, 0, None, None, 0, dll="mswsock") == 1
    assert seen[1][5:7] == [None, None]
    bad = struct.pack("<QI4xQI4x", 1, 4, 0, 0)
    fails(WSAEFAULT, "TransmitFile", pair[0], None, 0, 0, None, bad, 0, failure=0, dll="mswsock")


def test_transmit_packets_reads_its_elements(api: Api, pair: tuple[int, int]) -> None:
    """Memory and files; an element of another kind is WSAEINVAL, an array that is not there WSAEFAULT."""
    seen = api("TransmitPackets", 7)
    data = ctypes.create_string_buffer(b"data")
    array = struct.pack("<IIQ8x", 1 | 4, 4, ctypes.addressof(data)) + struct.pack("<IIqQ", 2, 10, -1, 0x100000)
    assert through(WSAID_TRANSMITPACKETS, pair[0], array, 2, 0, None, 1) == 1
    s, elements, *others = seen[0]
    assert (s, others) == (pair[0], [0, None, 1])
    assert (bytes(elements[0].data), elements[0].end_of_packet) == (b"data", True)
    assert elements[1] == TransmitElement(file=0x100000, offset=-1, length=10)
    other_kind = struct.pack("<IIQ8x", 3, 4, ctypes.addressof(data))
    assert (through(WSAID_TRANSMITPACKETS, pair[0], other_kind, 1, 0, None, 0), error()) == (0, WSAEINVAL)
    assert (through(WSAID_TRANSMITPACKETS, pair[0], ctypes.c_void_p(8), 1, 0, None, 0), error()) == (0, WSAEFAULT)


def test_version_1_1_dll_exports_them_under_ordinals() -> None:
    """wsock32.dll forwards TransmitFile, AcceptEx and GetAcceptExSockaddrs."""
    for ordinal, name in ((1140, "TransmitFile"), (1141, "AcceptEx"), (1142, "GetAcceptExSockaddrs")):
        forwarded, original = table.export("wsock32", ordinal), table.export("mswsock", name)
        assert forwarded is not None
        assert original is not None
        assert (forwarded.name, forwarded.address) == (name, original.address)
        assert original.written
