"""Named pipes through kernel32: instances, bytes and messages, ends."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from winsock2emu import kernel32
from winsock2emu.compat import msvcrt
from winsock2emu.defs.constants import FILE_FLAG_OVERLAPPED
from winsock2emu.defs.winbase import GENERIC_READ, GENERIC_WRITE, OPEN_EXISTING
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process

NAME = r"\\.\pipe\test"
INBOUND, DUPLEX, FIRST, MESSAGES, READ_MESSAGES = 1, 3, 0x80000, 4, 2
BOTH = GENERIC_READ | GENERIC_WRITE


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        process.startup(0x0202)
        yield process
        for handle in tuple(process.objects):
            process.close_handle(handle)
        process.cleanup()


def code_of(call: object, *arguments: object) -> int:
    assert callable(call)
    with pytest.raises(WinsockError) as caught:
        call(*arguments)
    return caught.value.winerror


def pair(mode: int = DUPLEX, type: int = 0, access: int = BOTH) -> tuple[int, int]:
    """The two ends of a pipe, opened for overlapped requests."""
    server = kernel32.CreateNamedPipe(NAME, mode | FILE_FLAG_OVERLAPPED, type, 255)
    client = kernel32.CreateFile(NAME, access, 0, None, OPEN_EXISTING, FILE_FLAG_OVERLAPPED)
    return server, client


def read(handle: int, size: int) -> bytes:
    event = kernel32.CreateEvent(None, True, False)
    record = OVERLAPPED(event)
    buffer = bytearray(size)
    kernel32.ReadFile(handle, buffer, record)
    moved = kernel32.GetOverlappedResult(handle, record, True)
    return bytes(buffer[:moved])


def test_bytes_go_both_ways() -> None:
    server, client = pair()
    assert kernel32.WriteFile(client, b"to the server", OVERLAPPED()) == 13
    assert kernel32.WriteFile(server, b"to the client", OVERLAPPED()) == 13
    assert read(server, 6) + read(server, 100) == b"to the server"
    assert read(client, 100) == b"to the client"


def test_a_read_that_pends_is_completed_by_a_write() -> None:
    server, client = pair()
    record, buffer = OVERLAPPED(), bytearray(10)
    assert kernel32.ReadFile(server, buffer, record) is PENDING
    kernel32.WriteFile(client, b"data", OVERLAPPED())
    assert (record.Internal, record.InternalHigh, bytes(buffer[:4])) == (0, 4, b"data")


def test_messages_keep_their_ends() -> None:
    """A longer message is ERROR_MORE_DATA and goes on; a client reads bytes unless it says otherwise."""
    server, client = pair(type=MESSAGES | READ_MESSAGES)
    for message in (b"one", b"two and more", b"three"):
        kernel32.WriteFile(client, message, OVERLAPPED())
    assert read(server, 100) == b"one"
    record, buffer = OVERLAPPED(), bytearray(3)
    kernel32.ReadFile(server, buffer, record)
    assert code_of(kernel32.GetOverlappedResult, server, record, True) == 234
    assert buffer == b"two"
    assert read(server, 100) == b" and more"
    assert read(server, 100) == b"three"


def test_a_client_is_awaited() -> None:
    server = kernel32.CreateNamedPipe(NAME, DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1)
    waiting = OVERLAPPED()
    assert kernel32.ConnectNamedPipe(server, waiting) is PENDING
    kernel32.CancelIoEx(server, waiting)
    assert code_of(kernel32.GetOverlappedResult, server, waiting, True) == 995
    again = OVERLAPPED()
    kernel32.ConnectNamedPipe(server, again)
    client = kernel32.CreateFile(NAME.upper(), BOTH, 0, None, OPEN_EXISTING)
    assert again.Internal == 0
    assert code_of(kernel32.ConnectNamedPipe, server) == 535
    assert code_of(kernel32.ConnectNamedPipe, client) == 1


def test_names_and_instances() -> None:
    assert code_of(kernel32.CreateFile, NAME, BOTH, 0, None, OPEN_EXISTING) == 2
    first = kernel32.CreateNamedPipe(NAME, INBOUND, 0, 2)
    assert code_of(kernel32.CreateNamedPipe, NAME, INBOUND | FIRST, 0, 2) == 5
    assert code_of(kernel32.CreateNamedPipe, NAME, DUPLEX, 0, 2) == 5
    second = kernel32.CreateNamedPipe(NAME, INBOUND, 0, 2)
    assert code_of(kernel32.CreateNamedPipe, NAME, INBOUND, 0, 2) == 231
    assert code_of(kernel32.CreateFile, NAME, BOTH, 0, None, OPEN_EXISTING) == 5
    for _ in range(2):
        kernel32.CreateFile(NAME, GENERIC_WRITE, 0, None, OPEN_EXISTING)
    assert code_of(kernel32.CreateFile, NAME, GENERIC_WRITE, 0, None, OPEN_EXISTING) == 231
    for handle in (first, second):
        kernel32.CloseHandle(handle)
    assert code_of(kernel32.CreateFile, NAME, GENERIC_WRITE, 0, None, OPEN_EXISTING) == 2
    assert code_of(kernel32.CreateNamedPipe, "no pipe", DUPLEX, 0, 1) == 123
    assert code_of(kernel32.CreateNamedPipe, NAME, 0, 0, 1) == 87


def test_the_other_end_is_gone() -> None:
    """What was written before can be read; then reading is ERROR_BROKEN_PIPE and writing ERROR_NO_DATA."""
    server, client = pair()
    kernel32.WriteFile(client, b"last", OVERLAPPED())
    kernel32.CloseHandle(client)
    assert read(server, 100) == b"last"
    assert code_of(kernel32.ReadFile, server, bytearray(1), OVERLAPPED()) == 109
    assert code_of(kernel32.WriteFile, server, b"x", OVERLAPPED()) == 232


def test_closing_an_end_completes_what_pends_there() -> None:
    server, client = pair()
    here, there = OVERLAPPED(), OVERLAPPED(kernel32.CreateEvent(None, True, False))
    kernel32.ReadFile(server, bytearray(1), here)
    kernel32.ReadFile(client, bytearray(1), there)
    kernel32.CloseHandle(server)
    assert code_of(kernel32.GetOverlappedResult, server, here, True) == 995
    assert code_of(kernel32.GetOverlappedResult, client, there, True) == 109


def test_directions_are_kept() -> None:
    server, client = pair(INBOUND, access=GENERIC_WRITE)
    assert code_of(kernel32.WriteFile, server, b"x", OVERLAPPED()) == 5
    assert code_of(kernel32.ReadFile, client, bytearray(1), OVERLAPPED()) == 5


def test_an_end_becomes_a_descriptor_of_the_host() -> None:
    server, client = pair()
    with open(msvcrt.open_osfhandle(client, os.O_RDWR), "wb", buffering=0) as there:
        assert os.get_blocking(there.fileno())
        assert code_of(kernel32.CloseHandle, client) == 6
        there.write(b"from a descriptor")
        assert read(server, 100) == b"from a descriptor"
    assert code_of(kernel32.ReadFile, server, bytearray(1), OVERLAPPED()) == 109
