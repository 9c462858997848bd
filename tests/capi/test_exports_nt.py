"""ntdll from C: parameters, results, and what the conformance cases on native calls leave out."""

from __future__ import annotations

import ctypes
import struct
import time
from typing import Any

import pytest

from tests.capi import cabi
from winsock2emu import errors, kernel32, ws2_32
from winsock2emu.capi import table
from winsock2emu.defs.codes import (
    STATUS_ACCESS_VIOLATION,
    STATUS_BUFFER_OVERFLOW,
    STATUS_INFO_LENGTH_MISMATCH,
    STATUS_INVALID_DEVICE_REQUEST,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED,
    STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
)
from winsock2emu.defs.native import NATIVE

IOCTL_AFD_RECV_DATAGRAM, IOCTL_AFD_SEND, IOCTL_AFD_POLL = 0x1201B, 0x1201F, 0x12024

pytestmark = pytest.mark.usefixtures("winsock")


def nt(name: str, *args: Any) -> int:
    return int(cabi.call(name, *args, dll="ntdll")) & 0xFFFFFFFF


def block() -> Any:
    return ctypes.create_string_buffer(16)


def outcome(status_block: Any) -> tuple[int, int]:
    status, information = struct.unpack("<QQ", status_block.raw)
    return status & 0xFFFFFFFF, information


def ticks(count: int) -> Any:
    return ctypes.byref(ctypes.c_int64(count))


@pytest.mark.parametrize("name", NATIVE)
def test_functions_beside_the_documented_ones_are_written(name: str) -> None:
    function = table.export("ntdll", name)
    assert function is not None
    assert function.written


def test_failures_are_statuses_and_leave_the_last_error_alone() -> None:
    errors.set_last_error(77)
    assert nt("NtClose", 0xABCDEF0) == STATUS_INVALID_HANDLE
    assert nt("NtWaitForSingleObject", 0xABCDEF0, 0, None) == STATUS_INVALID_HANDLE
    assert nt("NtQuerySystemTime", None) == STATUS_ACCESS_VIOLATION
    assert errors.get_last_error() == 77


def test_the_time_counts_from_1601() -> None:
    now = ctypes.c_int64()
    assert nt("NtQuerySystemTime", ctypes.byref(now)) == STATUS_SUCCESS
    assert abs(now.value / 10_000_000 - 11_644_473_600 - time.time()) < 60


def test_waiting_for_an_event() -> None:
    event = ws2_32.WSACreateEvent()
    assert nt("NtWaitForSingleObject", event, 0, ticks(0)) == STATUS_TIMEOUT
    assert nt("NtWaitForSingleObject", event, 0, ticks(-1000)) == STATUS_TIMEOUT
    ws2_32.WSASetEvent(event)
    assert nt("NtWaitForSingleObject", event, 0, None) == STATUS_SUCCESS
    assert nt("NtClose", event) == STATUS_SUCCESS
    assert nt("NtClose", event) == STATUS_INVALID_HANDLE


def test_unicode_strings() -> None:
    text = ctypes.create_string_buffer("Ærø\0".encode("utf-16-le"))
    string = ctypes.create_string_buffer(16)
    cabi.call("RtlInitUnicodeString", string, text, dll="ntdll")
    assert struct.unpack("<HH4xQ", string.raw) == (6, 8, ctypes.addressof(text))
    cabi.call("RtlInitUnicodeString", string, None, dll="ntdll")
    assert struct.unpack("<HH4xQ", string.raw) == (0, 0, 0)


def opened(name: str, function: str = "NtOpenFile") -> tuple[int, int]:
    text = ctypes.create_string_buffer((name + "\0").encode("utf-16-le"))
    string = ctypes.create_string_buffer(struct.pack("<HH4xQ", 2 * len(name), len(text), ctypes.addressof(text)))
    attributes = ctypes.create_string_buffer(struct.pack("<IIQQIIQQ", 48, 0, 0, ctypes.addressof(string), 0, 0, 0, 0))
    handle = ctypes.c_uint64()
    rest = (3, 0) if function == "NtOpenFile" else (None, 0, 3, 1, 0, None, 0)
    status = nt(function, ctypes.byref(handle), 0x100000, attributes, block(), *rest)
    return status, handle.value


@pytest.mark.parametrize("function", ["NtOpenFile", "NtCreateFile"])
def test_only_the_device_is_opened(function: str) -> None:
    status, handle = opened("\\Device\\Afd\\Here", function)
    assert status == STATUS_SUCCESS
    assert nt("NtClose", handle) == STATUS_SUCCESS
    assert opened("\\Device\\Other", function) == (STATUS_OBJECT_NAME_NOT_FOUND, 0)


def test_names_of_objects(udp: int) -> None:
    room, size = ctypes.create_string_buffer(64), ctypes.c_uint32()
    assert nt("NtQueryObject", udp, 1, room, 64, ctypes.byref(size)) == STATUS_SUCCESS
    length, most, where = struct.unpack_from("<HH4xQ", room.raw)
    assert (length, most, where, size.value) == (22, 24, ctypes.addressof(room) + 16, 40)
    assert room.raw[16:38].decode("utf-16-le") == "\\Device\\Afd"
    assert nt("NtQueryObject", udp, 1, room, 39, None) == STATUS_BUFFER_OVERFLOW
    assert nt("NtQueryObject", udp, 1, room, 15, None) == STATUS_INFO_LENGTH_MISMATCH
    assert nt("NtQueryObject", udp, 0, room, 64, None) == STATUS_NOT_IMPLEMENTED


def test_a_datagram_is_received_with_its_sender(udp: int) -> None:
    name = ws2_32.getsockname(udp)
    data, room = ctypes.create_string_buffer(b"to me", 5), ctypes.create_string_buffer(16)
    array = ctypes.create_string_buffer(struct.pack("<I4xQ", 16, ctypes.addressof(room)))
    address, length = ctypes.create_string_buffer(32), ctypes.c_uint32(32)
    asked = ctypes.create_string_buffer(
        struct.pack(
            "<QIII4xQQ", ctypes.addressof(array), 1, 0, 0x20, ctypes.addressof(address), ctypes.addressof(length)
        )
    )
    told, event = block(), ws2_32.WSACreateEvent()
    given = (IOCTL_AFD_RECV_DATAGRAM, asked, 40, None, 0)
    assert nt("NtDeviceIoControlFile", udp, event, None, None, told, *given) == STATUS_PENDING
    ws2_32.sendto(udp, data, 0, name)
    assert kernel32.WaitForSingleObject(event, 20_000) == 0
    assert (outcome(told), room.raw[:5]) == ((STATUS_SUCCESS, 5), b"to me")
    assert address.raw[: length.value] == name
    ws2_32.WSACloseEvent(event)


def test_sending_two_buffers(pair: tuple[int, int]) -> None:
    client, server = pair
    words = [ctypes.create_string_buffer(word, len(word)) for word in (b"two ", b"words")]
    array = b"".join(struct.pack("<I4xQ", len(word), ctypes.addressof(word)) for word in words)
    buffers = ctypes.create_string_buffer(array, len(array))
    asked, told = ctypes.create_string_buffer(struct.pack("<QIII", ctypes.addressof(buffers), 2, 0, 0)), block()
    given = (IOCTL_AFD_SEND, asked, 20, None, 0)
    assert nt("NtDeviceIoControlFile", client, None, None, None, told, *given) == STATUS_SUCCESS
    assert outcome(told) == (STATUS_SUCCESS, 9)
    room = bytearray(16)
    assert ws2_32.recv(server, room) == 9
    assert room[:9] == b"two words"


def test_writing_a_socket(pair: tuple[int, int]) -> None:
    client, server = pair
    data, told = ctypes.create_string_buffer(b"file", 4), block()
    given = (client, None, None, None, told, data, 4)
    assert nt("NtWriteFile", *given, ticks(0), None) == STATUS_SUCCESS
    assert outcome(told) == (STATUS_SUCCESS, 4)
    assert nt("NtWriteFile", *given, None, None) == STATUS_INVALID_PARAMETER
    room = bytearray(8)
    assert ws2_32.recv(server, room) == 4


def test_requests_that_are_refused(udp: int) -> None:
    asked = ctypes.create_string_buffer(struct.pack("<qIIQII", 0, 1, 0, udp, 4, 0))

    def control(handle: int, event: int, told: Any, code: int) -> int:
        return nt("NtDeviceIoControlFile", handle, event, None, None, told, code, asked, 32, asked, 32)

    assert control(udp, 0, block(), 0x99999) == STATUS_INVALID_DEVICE_REQUEST
    assert control(udp, 0, None, IOCTL_AFD_POLL) == STATUS_ACCESS_VIOLATION
    assert control(udp, 0xABCDEF0, block(), IOCTL_AFD_POLL) == STATUS_INVALID_HANDLE
    assert control(0xABCDEF0, 0, block(), IOCTL_AFD_POLL) == STATUS_INVALID_HANDLE
    assert control(udp, 0, block(), IOCTL_AFD_POLL) == STATUS_SUCCESS


def test_ports_are_made_and_nothing_else_is_one(udp: int) -> None:
    port = ctypes.c_uint64()
    assert nt("NtCreateIoCompletion", ctypes.byref(port), 0x1F0003, None, 0) == STATUS_SUCCESS
    assert nt("NtSetIoCompletion", port.value, 1, 2, 3, 4) == STATUS_SUCCESS
    assert kernel32.GetQueuedCompletionStatus(port.value, 0) == (4, 1, 2)
    assert nt("NtSetIoCompletion", udp, 1, 2, 3, 4) >= 0xC0000000
    assert nt("NtClose", port.value) == STATUS_SUCCESS
