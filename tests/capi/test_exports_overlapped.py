"""Overlapped calls as C programs make them: structures, out-parameters, routines, and what is left behind."""

from __future__ import annotations

import ctypes
import gc
import struct
from typing import Any

import pytest

from tests.capi.cabi import INVALID_SOCKET, SOCKET_ERROR, UNTOUCHED, WSAEFAULT, call, error, fails
from tests.concurrency import until
from tests.loopback import pair, reset, udp
from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.capi import overlapped as c_overlapped
from winsock2emu.defs.codes import (
    ERROR_INVALID_PARAMETER,
    ERROR_NETNAME_DELETED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WAIT_TIMEOUT,
    WSA_IO_INCOMPLETE,
    WSA_IO_PENDING,
    WSAECONNRESET,
)
from winsock2emu.defs.constants import WAIT_IO_COMPLETION

ROUTINE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32)
PATTERN = b"\xcc"


class Record:
    """An OVERLAPPED with fields of the program behind it, and a receive that belongs to it."""

    def __init__(self, event: int = 0, size: int = 8) -> None:
        self.memory = ctypes.create_string_buffer(struct.pack("<QQIIQ", 0, 0, 1, 2, event) + PATTERN * 16, 48)
        self.address = ctypes.addressof(self.memory)
        self.room = ctypes.create_string_buffer(size)
        self.wsabuf = ctypes.create_string_buffer(struct.pack("<I4xQ", size, ctypes.addressof(self.room)), 16)
        self.count = ctypes.c_uint32(UNTOUCHED)
        self.flags = ctypes.c_uint32(0)

    @property
    def internal(self) -> int:
        return int(struct.unpack_from("<Q", self.memory)[0])

    @property
    def moved(self) -> int:
        return int(struct.unpack_from("<Q", self.memory, 8)[0])

    @property
    def behind(self) -> bytes:
        return self.memory.raw[16:24] + self.memory.raw[32:]

    def receive(self, s: int, routine: Any = None) -> int:
        where = ctypes.cast(routine, ctypes.c_void_p).value if routine else 0
        given = (ctypes.addressof(self.wsabuf), 1, ctypes.addressof(self.count), ctypes.addressof(self.flags))
        return int(call("WSARecv", s, *given, self.address, where))


@pytest.fixture
def ends(winsock: Any) -> tuple[int, int]:
    return pair()


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Any:
    yield
    gc.collect()
    assert not c_overlapped._pending


@pytest.mark.usefixtures("winsock")
class TestReceive:
    def test_pending_touches_nothing_but_the_status(self, ends: tuple[int, int]) -> None:
        record = Record()
        before = record.behind
        assert (record.receive(ends[1]), error()) == (SOCKET_ERROR, WSA_IO_PENDING)
        assert (record.count.value, record.flags.value) == (UNTOUCHED, 0)
        assert record.internal == STATUS_PENDING
        api.send(ends[0], b"data")
        until(lambda: kernel32.SleepEx(0, True) or record.internal != STATUS_PENDING, "complete")
        assert (record.internal, record.moved, record.room.raw[:4]) == (STATUS_SUCCESS, 4, b"data")
        assert record.count.value == UNTOUCHED
        assert record.behind == before, "Offset, OffsetHigh and the program's own fields"

    def test_at_once_stores_the_count_as_well(self, ends: tuple[int, int]) -> None:
        api.send(ends[0], b"data")
        until(lambda: api.select([ends[1]], None, None, (0, 0))[0], "it is there")
        record = Record()
        assert record.receive(ends[1]) == 0
        assert (record.count.value, record.internal, record.moved) == (4, STATUS_SUCCESS, 4)

    def test_a_routine_is_a_c_function_that_gets_the_address(self, ends: tuple[int, int]) -> None:
        told: list[Any] = []
        routine = ROUTINE(lambda *outcome: told.append(outcome))
        record = Record()
        assert (record.receive(ends[1], routine), error()) == (SOCKET_ERROR, WSA_IO_PENDING)
        reset(ends[0])
        assert call("SleepEx", 20_000, 1, dll="kernel32") == WAIT_IO_COMPLETION
        assert told == [(WSAECONNRESET, 0, record.address, 0)]

    def test_routines_of_two_requests_are_both_called(self, ends: tuple[int, int]) -> None:
        told: list[Any] = []
        first, second = Record(), Record()
        good = ROUTINE(lambda *outcome: told.append(outcome[:2]))
        assert first.receive(ends[1], good) == second.receive(ends[1], good) == SOCKET_ERROR
        api.send(ends[0], b"x" * 16)
        while len(told) < 2:
            assert call("SleepEx", 20_000, 1, dll="kernel32") == WAIT_IO_COMPLETION
        assert told == [(0, 8), (0, 8)]

    def test_a_pointer_that_cannot_be_one(self, ends: tuple[int, int]) -> None:
        record = Record()
        record.address = 7
        fails(
            WSAEFAULT, "WSARecv", ends[1], ctypes.addressof(record.wsabuf), 1, 0, ctypes.addressof(record.flags), 7, 0
        )

    def test_hundreds_that_are_closed_at_once(self, ends: tuple[int, int]) -> None:
        records = [Record() for _ in range(300)]
        for record in records:
            record.receive(ends[1])
        assert len(c_overlapped._pending) == 300
        api.closesocket(ends[1])
        assert all(record.internal not in (STATUS_PENDING, STATUS_SUCCESS) for record in records)

    def test_a_sender_is_stored_when_it_is_known(self, winsock: Any) -> None:
        a, b = udp(), udp()
        record = Record()
        sender, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)
        given = (ctypes.addressof(record.wsabuf), 1, 0, ctypes.addressof(record.flags))
        where = (ctypes.addressof(sender), ctypes.addressof(length), record.address, 0)
        assert (call("WSARecvFrom", b, *given, *where), error()) == (SOCKET_ERROR, WSA_IO_PENDING)
        length.value = 16
        api.sendto(a, b"data", 0, api.getsockname(b))
        until(lambda: kernel32.SleepEx(0, True) or record.internal != STATUS_PENDING, "complete")
        assert (sender.raw, length.value) == (bytes(api.getsockname(a)), 16)

    def test_a_place_for_the_sender_that_has_become_too_small_does_not_keep_the_request(self, winsock: Any) -> None:
        a, b = udp(), udp()
        record = Record()
        sender, length = ctypes.create_string_buffer(PATTERN * 16, 16), ctypes.c_int32(16)
        given = (ctypes.addressof(record.wsabuf), 1, 0, ctypes.addressof(record.flags))
        where = (ctypes.addressof(sender), ctypes.addressof(length), record.address, 0)
        call("WSARecvFrom", b, *given, *where)
        length.value = 3
        api.sendto(a, b"data", 0, api.getsockname(b))
        until(lambda: kernel32.SleepEx(0, True) or record.internal != STATUS_PENDING, "complete")
        assert (record.moved, sender.raw) == (4, PATTERN * 16)


@pytest.mark.usefixtures("winsock")
class TestOutcome:
    def ask(self, name: str, s: int, record: Record, wait: int = 0) -> tuple[int, int, int, int]:
        moved, flags = ctypes.c_uint32(UNTOUCHED), ctypes.c_uint32(UNTOUCHED)
        given: tuple[int, ...] = (record.address, ctypes.addressof(moved), wait)
        if name == "WSAGetOverlappedResult":
            got = call(name, s, *given, ctypes.addressof(flags))
        else:
            got = call(name, s, *given, dll="kernel32")
        return got, error() if not got else 0, moved.value, flags.value

    def test_both_functions(self, ends: tuple[int, int]) -> None:
        record = Record()
        record.receive(ends[1])
        assert self.ask("WSAGetOverlappedResult", ends[1], record) == (0, WSA_IO_INCOMPLETE, UNTOUCHED, UNTOUCHED)
        assert self.ask("GetOverlappedResult", ends[1], record) == (0, WSA_IO_INCOMPLETE, UNTOUCHED, UNTOUCHED)
        api.send(ends[0], b"data")
        assert self.ask("WSAGetOverlappedResult", ends[1], record, 1) == (1, 0, 4, 0)
        assert self.ask("GetOverlappedResult", ends[1], record) == (1, 0, 4, UNTOUCHED)

    def test_a_failure_has_two_names_and_one_count(self, ends: tuple[int, int]) -> None:
        """R6.42, gor-failed-status."""
        record = Record()
        record.receive(ends[1])
        reset(ends[0])
        assert self.ask("GetOverlappedResult", ends[1], record, 1) == (0, ERROR_NETNAME_DELETED, 0, UNTOUCHED)
        assert self.ask("WSAGetOverlappedResult", ends[1], record) == (0, WSAECONNRESET, UNTOUCHED, UNTOUCHED)

    def test_pointers_that_cannot_be_one(self, ends: tuple[int, int]) -> None:
        record = Record()
        fails(WSAEFAULT, "WSAGetOverlappedResult", ends[1], 0, record.address, 0, record.address, failure=0)
        fails(WSAEFAULT, "WSAGetOverlappedResult", ends[1], record.address, 0, 0, record.address, failure=0)
        fails(ERROR_INVALID_PARAMETER, "GetOverlappedResult", ends[1], 0, 0, 0, failure=0, dll="kernel32")

    def test_cancelling_by_address(self, ends: tuple[int, int]) -> None:
        first, second = Record(), Record()
        first.receive(ends[1])
        second.receive(ends[1])
        assert call("CancelIoEx", ends[1], second.address, dll="kernel32") == 1
        assert (first.internal, second.internal) == (STATUS_PENDING, 0xC0000120)
        assert call("CancelIo", ends[1], dll="kernel32") == 1
        assert first.internal == 0xC0000120

    def test_a_port_gives_the_address_back(self, ends: tuple[int, int]) -> None:
        port = call("CreateIoCompletionPort", INVALID_SOCKET, 0, 0, 0, dll="kernel32")
        assert call("CreateIoCompletionPort", ends[1], port, 77, 0, dll="kernel32") == port
        record = Record()
        record.receive(ends[1])
        moved, key, which = ctypes.c_uint32(), ctypes.c_uint64(), ctypes.c_uint64()
        where = tuple(map(ctypes.addressof, (moved, key, which)))
        assert call("GetQueuedCompletionStatus", port, *where, 0, dll="kernel32") == 0
        assert error() == WAIT_TIMEOUT
        api.send(ends[0], b"data")
        assert call("GetQueuedCompletionStatus", port, *where, 20_000, dll="kernel32") == 1
        assert (moved.value, key.value, which.value) == (4, 77, record.address)
        call("CloseHandle", port, dll="kernel32")
