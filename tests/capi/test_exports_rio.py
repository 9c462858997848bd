"""Registered I/O from C: the table, pointers and counts; the behaviour is in mswsock/test_rio."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import pytest

from tests.capi import cabi
from winsock2emu import errors, ws2_32
from winsock2emu.capi import table
from winsock2emu.defs import guids
from winsock2emu.defs.codes import WSAEFAULT, WSAEINVAL
from winsock2emu.defs.constants import (
    AF_INET,
    SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
    SOCK_DGRAM,
    WSA_FLAG_OVERLAPPED,
    WSA_FLAG_REGISTERED_IO,
)
from winsock2emu.defs.exports import EXTENSIONS
from winsock2emu.defs.sockaddr import sockaddr_in

RIO = sorted((one.table_index, name) for name, one in EXTENSIONS.items() if one.table_index is not None)

pytestmark = pytest.mark.usefixtures("winsock")


def rio(name: str, *args: Any) -> Any:
    function = table.extension(EXTENSIONS[name].function)
    assert function.written
    return function.prototype(function.address)(*args)


@pytest.fixture
def queues(winsock: object) -> tuple[int, int]:
    """A completion queue and a request queue."""
    s = ws2_32.WSASocket(AF_INET, SOCK_DGRAM, 17, None, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO)
    ws2_32.bind(s, sockaddr_in("127.0.0.1", 0))
    cq = rio("RIOCreateCompletionQueue", 4, None)
    return cq, rio("RIOCreateRequestQueue", s, 1, 1, 1, 1, cq, cq, None)


def failure(name: str, *args: Any) -> tuple[Any, int]:
    errors.set_last_error(0)
    return rio(name, *args), errors.get_last_error()


def test_the_table_has_every_function_in_its_place(udp: int) -> None:
    guid = ctypes.create_string_buffer(guids.WSAID_MULTIPLE_RIO.bytes_le, 16)
    room, count = ctypes.create_string_buffer(b"\x55" * 112, 112), ctypes.c_uint32()
    code = SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER
    given = (udp, code, guid, 16, room, 112, ctypes.byref(count), None, None)
    assert cabi.call("WSAIoctl", *given) == 0
    size, *pointers = struct.unpack("<14Q", room.raw)
    assert (size & 0xFFFFFFFF, count.value) == (112, 112)
    assert pointers == [table.extension(EXTENSIONS[name].function).address for _, name in RIO]
    cabi.fails(WSAEFAULT, "WSAIoctl", udp, code, guid, 16, room, 111, ctypes.byref(count), None, None)


def test_counts_have_to_agree_with_pointers(queues: tuple[int, int]) -> None:
    _, rq = queues
    piece = ctypes.create_string_buffer(16)
    for pointer, count in ((piece, 0), (piece, 2), (None, 1)):
        assert failure("RIOReceive", rq, pointer, count, 0, None) == (0, WSAEINVAL)
    assert failure("RIOReceive", rq, 16, 1, 0, None) == (0, WSAEFAULT)  # not a pointer


def test_invalid_values_are_the_failure_values(queues: tuple[int, int]) -> None:
    cq, _ = queues
    assert failure("RIORegisterBuffer", None, 16) == (0xFFFFFFFF, WSAEFAULT)
    assert failure("RIOCreateCompletionQueue", 0, None) == (0, WSAEINVAL)
    assert failure("RIOCreateCompletionQueue", 4, 16) == (0, WSAEFAULT)
    assert failure("RIODequeueCompletion", cq, None, 4) == (0xFFFFFFFF, WSAEFAULT)
    assert rio("RIODequeueCompletion", cq, None, 0) == 0
    assert rio("RIONotify", cq) == WSAEINVAL
    rio("RIOCloseCompletionQueue", cq)
    assert failure("RIODequeueCompletion", cq, ctypes.create_string_buffer(24), 1)[0] == 0xFFFFFFFF


def test_contexts_are_pointers(queues: tuple[int, int]) -> None:
    cq, rq = queues
    memory = ctypes.create_string_buffer(32)
    buffer = rio("RIORegisterBuffer", memory, 32)
    piece = ctypes.create_string_buffer(struct.pack("<QII", buffer, 0, 8))
    assert rio("RIOSend", rq, piece, 1, 0, 0xFEDCBA9876543210) == 1  # without a peer: the result says so
    result = ctypes.create_string_buffer(24)
    assert rio("RIODequeueCompletion", cq, result, 1) == 1
    assert struct.unpack("<iIQQ", result.raw) == (10057, 0, 0, 0xFEDCBA9876543210)
