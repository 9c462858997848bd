"""WSAEnumProtocols through C: all or nothing, and the bytes needed. WSADuplicateSocket and the record it fills."""

from __future__ import annotations

import ctypes
import os
from typing import Any

import pytest

from tests.capi.cabi import (
    AF_INET,
    INVALID_SOCKET,
    SOCK_DGRAM,
    SOCK_STREAM,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOBUFS,
    WSAENOTSOCK,
    call,
    dword,
    fails,
    ref,
)
from winsock2emu import ws2_32
from winsock2emu.capi import structs
from winsock2emu.process import Process

FORMS = [("A", 372), ("W", 628)]


def query(form: str, wanted: Any = None) -> list[Any]:
    length = dword(0)
    call(f"WSAEnumProtocols{form}", wanted, None, ref(length))
    record = structs.record(f"WSAPROTOCOL_INFO{form}")
    infos = (record * (length.value // ctypes.sizeof(record)))()
    assert call(f"WSAEnumProtocols{form}", wanted, infos, ref(length)) == len(infos)
    return list(infos)


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_the_size_query(winsock: Process, form: str, size: int) -> None:
    """R3.4; observed on Windows: enumproto-a-null, enumproto-a-zero-len, enumproto-w-null."""
    room = ctypes.create_string_buffer(b"\xee" * size, size)

    for buffer, offered in ((None, 0), (room, 0), (room, size), (None, 1 << 20)):
        length = dword(offered)
        fails(WSAENOBUFS, f"WSAEnumProtocols{form}", None, buffer, ref(length))
        assert length.value % size == 0
        assert length.value // size == len(ws2_32.WSAEnumProtocols()) > 1
    assert room.raw == b"\xee" * size


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_the_records_are_those_of_the_api(winsock: Process, form: str, size: int) -> None:
    infos = query(form)
    expected = ws2_32.WSAEnumProtocols()

    assert len(infos) == len(expected)
    for info, record in zip(infos, expected, strict=True):
        name = (
            info.szProtocol.decode() if form == "A" else bytes(info.szProtocol).decode("utf-16-le").partition("\0")[0]
        )
        assert name == record.name != ""
        assert (info.iAddressFamily, info.iSocketType) == (record.address_family, record.socket_type)
        assert (info.iProtocol, info.dwCatalogEntryId) == (record.protocol, record.catalog_entry_id)
        assert (info.dwServiceFlags1, info.dwProviderFlags) == (record.service_flags1, record.provider_flags)
        assert bytes(info.ProviderId) == record.provider_id.bytes_le
        assert (info.iMinSockAddr, info.iMaxSockAddr) == (record.min_sock_addr, record.max_sock_addr)
        assert (info.dwMessageSize, info.ProtocolChain.ChainLen) == (record.message_size, record.chain_len)


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_a_list_of_protocols_filters(winsock: Process, form: str, size: int) -> None:
    """Observed on Windows: enumproto-w-filter; the list ends with 0."""
    wanted = (ctypes.c_int32 * 6)(1337, 6, 17, -1, 0, 1)

    infos = query(form, wanted)

    assert {info.iProtocol for info in infos} == {6, 17}
    assert {(i.iAddressFamily, i.iSocketType) for i in infos} >= {(AF_INET, SOCK_STREAM), (AF_INET, SOCK_DGRAM)}


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_nothing_found_is_a_success(winsock: Process, form: str, size: int) -> None:
    """R3.2, R3.5: an empty list finds nothing, and needs no buffer."""
    length = dword(0)
    empty, unknown = (ctypes.c_int32 * 1)(0), (ctypes.c_int32 * 2)(1337, 0)

    assert call(f"WSAEnumProtocols{form}", empty, None, ref(length)) == 0
    assert call(f"WSAEnumProtocols{form}", unknown, None, ref(length)) == 0


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_the_length_must_have_a_place(winsock: Process, form: str, size: int) -> None:
    """B45."""
    fails(WSAEFAULT, f"WSAEnumProtocols{form}", None, None, None)
    fails(WSAEFAULT, f"WSAEnumProtocols{form}", None, ctypes.create_string_buffer(size), 8)


# ------------------------------------------------------------------------------------------- WSADuplicateSocket


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_a_duplicated_socket_is_opened_with_the_record(udp: int, form: str, size: int) -> None:
    """The record is the socket's own, except for the number that makes it a duplicate."""
    record, own = (structs.record(f"WSAPROTOCOL_INFO{form}")() for _ in range(2))
    length = ctypes.c_int32(size)
    assert call("getsockopt", udp, 0xFFFF, 0x2004 if form == "A" else 0x2005, ref(own), ref(length)) == 0
    assert call(f"WSADuplicateSocket{form}", udp, os.getpid(), ref(record)) == 0

    second = call(f"WSASocket{form}", -1, -1, -1, ref(record), 0, 1)
    fails(WSAEINVAL, f"WSASocket{form}", -1, -1, -1, ref(record), 0, 1, failure=INVALID_SOCKET)
    assert record.dwProviderReserved != 0
    record.dwProviderReserved = 0
    assert bytes(record) == bytes(own)
    assert second not in (udp, INVALID_SOCKET)
    assert ws2_32.getsockname(second) == ws2_32.getsockname(udp)


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_what_is_wrong_with_duplicating_in_order(udp: int, form: str, size: int) -> None:
    """B43, observed: dup-invalid-order-1 and -2: the socket, the process, the pointer."""
    name = f"WSADuplicateSocket{form}"
    record = ctypes.create_string_buffer(b"\xee" * size, size)

    fails(WSAENOTSOCK, name, 0x100000, 0, None)
    for pointer in (None, 8):
        fails(WSAEINVAL, name, udp, 0, pointer)
        fails(WSAEFAULT, name, udp, os.getpid(), pointer)
    fails(WSAEINVAL, name, udp, 0xFFFFFFFF, record)
    assert record.raw == b"\xee" * size
