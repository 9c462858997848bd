"""Named pipes through kernel32: instances, bytes and messages, ends."""

from __future__ import annotations

import contextlib
import contextvars
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.concurrency import Call
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


def in_this_process(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same for another thread."""
    return partial(contextvars.copy_context().run, call)


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


def test_without_a_record_a_call_waits_on_an_overlapped_pipe_as_well() -> None:
    server, client = pair()
    reading = Call(in_this_process(kernel32.ReadFile), server, buffer := bytearray(10))
    assert kernel32.WriteFile(client, b"data") == 4
    assert reading.result() == 4
    assert buffer[:4] == b"data"


def test_a_record_on_a_synchronous_pipe_tells_of_the_call() -> None:
    server = kernel32.CreateNamedPipe(NAME, DUPLEX, MESSAGES | READ_MESSAGES, 1)
    client = kernel32.CreateFile(NAME, BOTH, 0, None, OPEN_EXISTING)
    event = kernel32.CreateEvent(None, True, False)
    record = OVERLAPPED(event)
    assert kernel32.WriteFile(client, b"message", record) == 7
    assert (record.Internal, record.InternalHigh) == (0, 7)
    assert kernel32.WaitForSingleObject(event, 0) == 0
    assert code_of(kernel32.ReadFile, server, bytearray(4), record) == 234
    assert (record.Internal, record.InternalHigh) == (0x80000005, 4)
    kernel32.CloseHandle(event)
    assert code_of(kernel32.WriteFile, client, b"message", record) == 6


def test_peeking_takes_nothing() -> None:
    """Of a pipe of bytes everything, of messages the first; without a buffer it only counts."""
    server, client = pair()
    assert kernel32.PeekNamedPipe(server) == (0, 0, 0)
    kernel32.WriteFile(client, b"bytes", OVERLAPPED())
    room = bytearray(3)
    assert kernel32.PeekNamedPipe(server, room) == (3, 5, 0)
    assert room == b"byt"
    assert kernel32.PeekNamedPipe(server) == (0, 5, 0)
    assert read(server, 10) == b"bytes"
    kernel32.CloseHandle(client)
    assert code_of(kernel32.PeekNamedPipe, server) == 109


def test_peeking_at_messages() -> None:
    server, client = pair(type=MESSAGES | READ_MESSAGES)
    for message in (b"first", b"second"):
        kernel32.WriteFile(client, message, OVERLAPPED())
    room = bytearray(3)
    assert kernel32.PeekNamedPipe(server, room) == (3, 11, 2)
    assert kernel32.PeekNamedPipe(server, bytearray(10)) == (5, 11, 0)
    assert kernel32.PeekNamedPipe(server) == (0, 11, 5)
    kernel32.ReadFile(server, bytearray(2), OVERLAPPED())
    assert kernel32.PeekNamedPipe(server, room) == (3, 9, 0)
    assert room == b"rst"
    assert (read(server, 10), read(server, 10)) == (b"rst", b"second")
    assert kernel32.PeekNamedPipe(server, room) == (0, 0, 0)


def test_whoever_waits_to_read_has_what_comes_and_peeking_finds_nothing() -> None:
    server, client = pair()
    record, buffer = OVERLAPPED(), bytearray(10)
    kernel32.ReadFile(server, buffer, record)
    assert kernel32.PeekNamedPipe(server) == (0, 0, 0)
    kernel32.WriteFile(client, b"data", OVERLAPPED())
    assert kernel32.PeekNamedPipe(server) == (0, 0, 0)
    assert buffer[:4] == b"data"


def test_a_client_chooses_to_read_messages() -> None:
    server, client = pair(type=MESSAGES)
    assert kernel32.GetNamedPipeHandleState(client) == (0, 1)
    kernel32.SetNamedPipeHandleState(client, READ_MESSAGES)
    assert kernel32.GetNamedPipeHandleState(client) == (READ_MESSAGES, 1)
    kernel32.WriteFile(server, b"message", OVERLAPPED())
    record = OVERLAPPED(kernel32.CreateEvent(None, True, False))
    kernel32.ReadFile(client, bytearray(3), record)
    assert code_of(kernel32.GetOverlappedResult, client, record, True) == 234
    kernel32.SetNamedPipeHandleState(client)
    assert code_of(kernel32.SetNamedPipeHandleState, client, None, 1) == 87
    assert code_of(kernel32.SetNamedPipeHandleState, client, 1) == 10045
    assert code_of(kernel32.SetNamedPipeHandleState, client, 8) == 87
    assert code_of(kernel32.SetNamedPipeHandleState, kernel32.CreateEvent(None, True, False), 0) == 6


def test_messages_from_a_pipe_of_bytes_are_refused() -> None:
    _, client = pair()
    assert code_of(kernel32.SetNamedPipeHandleState, client, READ_MESSAGES) == 87
    assert code_of(kernel32.TransactNamedPipe, client, b"ask", bytearray(1), OVERLAPPED()) == 230


def test_a_transaction_writes_and_reads() -> None:
    server, client = pair(type=MESSAGES | READ_MESSAGES)
    kernel32.SetNamedPipeHandleState(client, READ_MESSAGES)
    record, answer = OVERLAPPED(kernel32.CreateEvent(None, True, False)), bytearray(10)
    assert kernel32.TransactNamedPipe(client, b"ask", answer, record) is PENDING
    assert read(server, 10) == b"ask"
    kernel32.WriteFile(server, b"answer", OVERLAPPED())
    assert kernel32.GetOverlappedResult(client, record, True) == 6
    assert answer[:6] == b"answer"
    kernel32.WriteFile(server, b"unasked", OVERLAPPED())
    assert code_of(kernel32.TransactNamedPipe, client, b"ask", answer, record) == 231


def test_a_server_disconnects_its_client_and_awaits_the_next() -> None:
    """What the client has not read is lost, and its calls fail."""
    server, client = pair()
    kernel32.WriteFile(server, b"lost", OVERLAPPED())
    kernel32.DisconnectNamedPipe(server)
    for call in (kernel32.ReadFile, kernel32.WriteFile):
        assert code_of(call, client, bytearray(1), OVERLAPPED()) == 233
        assert code_of(call, server, bytearray(1), OVERLAPPED()) == 233
    assert code_of(kernel32.DisconnectNamedPipe, server) == 233
    assert code_of(kernel32.CreateFile, NAME, BOTH, 0, None, OPEN_EXISTING) == 231
    record = OVERLAPPED()
    assert kernel32.ConnectNamedPipe(server, record) is PENDING
    again = kernel32.CreateFile(NAME, BOTH, 0, None, OPEN_EXISTING, FILE_FLAG_OVERLAPPED)
    assert record.Internal == 0
    kernel32.WriteFile(again, b"next", OVERLAPPED())
    assert read(server, 10) == b"next"
    assert code_of(kernel32.DisconnectNamedPipe, again) == 1


def test_what_waits_ends_when_the_server_disconnects() -> None:
    server, client = pair()
    record = OVERLAPPED(kernel32.CreateEvent(None, True, False))
    kernel32.ReadFile(client, bytearray(1), record)
    kernel32.DisconnectNamedPipe(server)
    assert code_of(kernel32.GetOverlappedResult, client, record, True) == 233
    kernel32.CloseHandle(client)
    kernel32.CloseHandle(server)


def test_an_instance_is_waited_for() -> None:
    """Until a server has one that nobody has opened; there has to be a pipe of that name."""
    assert code_of(kernel32.WaitNamedPipe, NAME, 0) == 2
    assert code_of(kernel32.WaitNamedPipe, "no pipe", 0) == 123
    kernel32.CreateNamedPipe(NAME, DUPLEX, 0, 2, default_timeout_ms=1)
    kernel32.WaitNamedPipe(NAME, 0xFFFFFFFF)
    kernel32.CreateFile(NAME, BOTH, 0, None, OPEN_EXISTING)
    assert code_of(kernel32.WaitNamedPipe, NAME, 0) == 121  # the time that the server has said
    assert code_of(kernel32.WaitNamedPipe, NAME, 1) == 121
    waiting = Call(in_this_process(kernel32.WaitNamedPipe), NAME, 0xFFFFFFFF)
    kernel32.CreateNamedPipe(NAME, DUPLEX, 0, 2)
    assert waiting.result() is None


def test_waiting_ends_with_the_name() -> None:
    server, _ = pair()
    waiting = Call(in_this_process(kernel32.WaitNamedPipe), NAME, 0xFFFFFFFF)
    kernel32.CloseHandle(server)
    failure = waiting.failure()
    assert isinstance(failure, WinsockError)
    assert failure.winerror == 2


def test_a_call_waits_for_an_instance_unless_it_is_not_to() -> None:
    server = kernel32.CreateNamedPipe(NAME, DUPLEX, MESSAGES | READ_MESSAGES, 1)
    client = kernel32.CreateFile(NAME, BOTH, 0, None, OPEN_EXISTING)
    assert code_of(kernel32.CallNamedPipe, NAME, b"ask", bytearray(9), 1) == 231
    assert code_of(kernel32.CallNamedPipe, NAME, b"ask", bytearray(9), 2) == 121
    answer = bytearray(3)
    calling = Call(in_this_process(kernel32.CallNamedPipe), NAME, b"ask", answer, 0xFFFFFFFF)
    kernel32.CloseHandle(client)
    kernel32.DisconnectNamedPipe(server)
    with contextlib.suppress(WinsockError):  # it may be there already
        kernel32.ConnectNamedPipe(server)
    assert kernel32.ReadFile(server, bytearray(10)) == 3
    kernel32.WriteFile(server, b"answer")
    failure = calling.failure()
    assert isinstance(failure, WinsockError)
    assert (failure.winerror, failure.moved, bytes(answer)) == (234, 3, b"ans")


def test_an_anonymous_pipe_goes_one_way() -> None:
    source, sink = kernel32.CreatePipe(True)
    assert [kernel32.GetHandleInformation(end) for end in (source, sink)] == [1, 1]
    assert kernel32.WriteFile(sink, b"data") == 4
    assert kernel32.PeekNamedPipe(source) == (0, 4, 0)
    assert kernel32.ReadFile(source, buffer := bytearray(10)) == 4
    assert buffer[:4] == b"data"
    assert code_of(kernel32.ReadFile, sink, bytearray(1)) == 5
    assert code_of(kernel32.WriteFile, source, b"x") == 5
    kernel32.CloseHandle(sink)
    assert code_of(kernel32.ReadFile, source, bytearray(1)) == 109


def test_a_pipe_is_told_from_other_files() -> None:
    with tempfile.NamedTemporaryFile() as file:
        handle = kernel32.CreateFile(file.name, GENERIC_READ, 7, None, OPEN_EXISTING)
        for call in (kernel32.PeekNamedPipe, kernel32.DisconnectNamedPipe, kernel32.GetNamedPipeInfo):
            assert code_of(call, handle) == 1


def test_a_pipe_tells_what_was_said_of_it() -> None:
    server = kernel32.CreateNamedPipe(NAME, DUPLEX, MESSAGES, 3, 100, 200)
    info = kernel32.GetNamedPipeInfo(server)
    assert (info.flags, info.out_size, info.in_size, info.instances) == (5, 100, 200, 3)
