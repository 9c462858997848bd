"""``win32file`` and ``win32pipe`` by pywin32's conventions (its reference, test_win32file.py, test_win32pipe.py)."""

from __future__ import annotations

import contextvars
import gc
import os
import socket as host_socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.concurrency import Call, until
from winsock2emu import user32
from winsock2emu.compat import pywintypes, socket, win32api, win32con, win32event, win32file, win32pipe
from winsock2emu.defs.windows import HWND_MESSAGE, WM_USER
from winsock2emu.process import Process

WAIT_MS = 5000
NAME = r"\\.\pipe\test"
PENDING = 997
BOTH = win32file.GENERIC_READ | win32file.GENERIC_WRITE


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        process.startup(0x0202)  # its end is the end of everything, pipes included
        yield process
        gc.collect()
        while process.startup_count:
            process.cleanup()


@pytest.fixture(params=[socket, host_socket], ids=["emulated", "host"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """A TCP connection, of the emulator's socket objects and of the host's."""
    module = request.param
    with module.create_server(("127.0.0.1", 0)) as listening:
        there = module.create_connection(listening.getsockname())
        here, _ = listening.accept()
    with here, there:
        yield here, there


def code_of(call: Callable[..., object], *arguments: object) -> tuple[int, str]:
    with pytest.raises(pywintypes.error) as caught:
        call(*arguments)
    assert caught.value.strerror
    return caught.value.winerror, caught.value.funcname


def with_event() -> pywintypes.PyOVERLAPPED:
    record = win32file.OVERLAPPED()
    record.hEvent = win32event.CreateEvent(None, 1, 0, None)
    return record


def in_thread(call: Callable[[], object]) -> Call:
    return Call(contextvars.copy_context().run, call)


# Buffers and constants


def test_a_read_buffer_is_a_writable_view_of_bytes() -> None:
    buffer: Any = win32file.AllocateReadBuffer(3)
    assert (len(buffer), bytes(buffer), buffer.readonly) == (3, b"\0\0\0", False)
    buffer[:2] = b"ab"
    assert buffer[:2] == b"ab"
    assert buffer[0] == 0x61
    assert buffer[:2].tobytes() == b"ab"


def test_constants_are_signed_numbers_of_32_bits() -> None:
    assert (win32file.GENERIC_READ, win32con.GENERIC_READ) == (-0x80000000, -0x80000000)
    assert (win32file.INVALID_HANDLE_VALUE, win32pipe.NMPWAIT_WAIT_FOREVER) == (-1, -1)
    assert (win32file.FD_READ, win32file.FD_CLOSE, win32file.SO_UPDATE_ACCEPT_CONTEXT) == (1, 32, 0x700B)
    assert win32file.error is win32pipe.error is win32api.error is pywintypes.error


# Receiving and sending


def test_a_receive_completes_at_once_or_pends(pair: tuple[Any, Any]) -> None:
    here, there = pair
    record, buffer = with_event(), win32file.AllocateReadBuffer(10)
    assert win32file.WSARecv(here, buffer, record) == (PENDING, 0)
    assert code_of(win32file.GetOverlappedResult, here.fileno(), record, False) == (996, "GetOverlappedResult")
    assert win32file.WSASend(there, b"hello", None) == (0, 5)
    assert win32event.WaitForSingleObject(record.hEvent, WAIT_MS) == win32event.WAIT_OBJECT_0
    assert win32file.GetOverlappedResult(here.fileno(), record, True) == 5
    assert bytes(buffer[:5]) == b"hello"
    assert (record.Internal, record.InternalHigh) == (0, 5)


def test_a_call_without_a_record_waits_for_its_result(pair: tuple[Any, Any]) -> None:
    here, there = pair
    there.send(b"hello")
    buffer = bytearray(10)
    assert win32file.WSARecv(here.fileno(), buffer, None, 0) == (0, 5)
    assert bytes(buffer[:5]) == b"hello"
    assert win32file.WSASend(here, memoryview(b"back"), win32file.OVERLAPPED()) == (0, 4)
    assert there.recv(10) == b"back"


def test_text_and_read_only_buffers_are_type_errors(pair: tuple[Any, Any]) -> None:
    here, _ = pair
    record = win32file.OVERLAPPED()
    for buffer in (" " * 10, b" " * 10):
        with pytest.raises(TypeError):
            win32file.WSARecv(here, buffer, record)
    with pytest.raises(TypeError):
        win32file.WSASend(here, "text", record)
    with pytest.raises(TypeError, match="PyOVERLAPPED"):
        win32file.WSASend(here, b"data", "record")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="socket"):
        win32file.WSASend("socket", b"data", None)


def test_a_socket_handle_is_a_file(pair: tuple[Any, Any]) -> None:
    here, there = pair
    assert win32file.GetFileType(here.fileno()) == win32file.FILE_TYPE_PIPE
    assert win32file.WriteFile(here.fileno(), b"hello") == (0, 5)
    record = with_event()
    code, buffer = win32file.ReadFile(there.fileno(), 10, record)
    assert code in (0, PENDING)
    assert win32file.GetOverlappedResult(there.fileno(), record, True) == 5
    assert bytes(buffer[:5]) == b"hello"


def test_what_pends_is_cancelled_by_the_thread_that_has_begun_it(pair: tuple[Any, Any]) -> None:
    here, _ = pair
    record = with_event()
    win32file.WSARecv(here, bytearray(1), record)
    win32file.CancelIo(here.fileno())
    assert code_of(win32file.GetOverlappedResult, here.fileno(), record, True) == (995, "GetOverlappedResult")
    assert win32file.WSA_OPERATION_ABORTED == 995


def test_a_number_that_is_no_socket_is_told_so() -> None:
    with open(os.devnull) as file:
        number = win32file._get_osfhandle(file.fileno())
        assert code_of(win32file.WSASend, number, b"data", None) == (10038, "WSASend")
        assert code_of(win32file.CalculateSocketEndPointSize, number) == (10038, "getsockopt")
        assert code_of(win32file.ConnectEx, number, ("127.0.0.1", 1), win32file.OVERLAPPED()) == (10038, "WSAIoctl")
        assert code_of(win32file.WSAEnumNetworkEvents, number) == (10038, "WSAEnumNetworkEvents")


# Connecting


@pytest.mark.parametrize("module", [socket, host_socket], ids=["emulated", "host"])
def test_a_connection_is_made_by_requests_with_first_data(module: Any) -> None:
    with module.socket() as listening, module.socket() as accepting, module.socket() as client:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        room = win32file.CalculateSocketEndPointSize(listening)
        assert room == 64
        accepted, buffer = with_event(), win32file.AllocateReadBuffer(room + 100)
        assert win32file.AcceptEx(listening, accepting, buffer, accepted) == PENDING
        client.bind(("0.0.0.0", 0))
        connected = with_event()
        port = listening.getsockname()[1]
        code, sent = win32file.ConnectEx(s=client, name=("localhost", port), Overlapped=connected, SendBuffer=b"first")
        assert (code, sent) == (PENDING, 0)
        assert win32file.GetOverlappedResult(client.fileno(), connected, True) == 5
        assert win32file.GetOverlappedResult(listening.fileno(), accepted, True) == 5
        assert bytes(buffer[:5]) == b"first"
        accepting.setsockopt(
            module.SOL_SOCKET, win32file.SO_UPDATE_ACCEPT_CONTEXT, struct.pack("P", listening.fileno())
        )
        client.setsockopt(module.SOL_SOCKET, win32file.SO_UPDATE_CONNECT_CONTEXT, b"")
        family, local, remote = win32file.GetAcceptExSockaddrs(accepting, buffer)
        assert (family, local, remote) == (2, (b"127.0.0.1", port), (b"127.0.0.1", client.getsockname()[1]))
        assert accepting.getpeername() == client.getsockname()


def test_a_buffer_of_just_the_addresses_completes_without_data() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as accepting:
        accepted = with_event()
        buffer = win32file.AllocateReadBuffer(win32file.CalculateSocketEndPointSize(listening))
        win32file.AcceptEx(listening, accepting, buffer, accepted)
        with socket.create_connection(listening.getsockname()):
            assert win32event.WaitForSingleObject(accepted.hEvent, WAIT_MS) == win32event.WAIT_OBJECT_0
            assert win32file.GetOverlappedResult(listening.fileno(), accepted, False) == 0


def test_a_buffer_without_room_for_the_addresses_is_a_value_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as accepting:
        with pytest.raises(ValueError, match="Second param must be at least 64 bytes long"):
            win32file.AcceptEx(listening, accepting, bytearray(63), win32file.OVERLAPPED())
        with pytest.raises(ValueError, match="64 bytes"):
            win32file.GetAcceptExSockaddrs(accepting, bytearray(63))
        with pytest.raises(TypeError):
            win32file.AcceptEx(listening, accepting, " " * 100, win32file.OVERLAPPED())


def test_addresses_of_another_family_are_shown_raw() -> None:
    family = socket.AF_INET6
    with socket.create_server(("::1", 0), family=family) as listening, socket.socket(family) as accepting:
        port = listening.getsockname()[1]
        accepted, buffer = with_event(), bytearray(win32file.CalculateSocketEndPointSize(listening))
        assert len(buffer) == 88
        win32file.AcceptEx(listening, accepting, buffer, accepted)
        with socket.create_connection(("::1", port)):
            win32file.GetOverlappedResult(listening.fileno(), accepted, True)
            found, local, remote = win32file.GetAcceptExSockaddrs(accepting, buffer)
    assert (found, local[0], remote[0], len(remote[1])) == (23, 23, 23, 14)
    assert local[1] == struct.pack("!HL8x", port, 0)  # port, flow information, the first half of the address


def test_a_socket_has_to_be_bound_to_be_connected_by_a_request() -> None:
    with socket.socket() as s:
        assert code_of(win32file.ConnectEx, s, ("127.0.0.1", 1), win32file.OVERLAPPED()) == (10022, "ConnectEx")
        s.bind(("127.0.0.1", 0))
        assert code_of(win32file.ConnectEx, s, (None, "no such service"), win32file.OVERLAPPED())[1] == "getaddrinfo"
        with pytest.raises(TypeError, match="Port must be"):
            win32file.ConnectEx(s, ("127.0.0.1", 1.5), win32file.OVERLAPPED())


def test_a_connect_that_is_refused_fails_as_a_request() -> None:
    with socket.socket() as unused, socket.socket() as s:
        unused.bind(("127.0.0.1", 0))
        s.bind(("127.0.0.1", 0))
        record = with_event()
        assert win32file.ConnectEx(s, unused.getsockname(), record) == (PENDING, 0)
        assert code_of(win32file.GetOverlappedResult, s.fileno(), record, 1) == (1225, "GetOverlappedResult")


# Sending files


def test_a_file_is_sent_with_data_before_and_behind_it(pair: tuple[Any, Any], tmp_path: Path) -> None:
    here, there = pair
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    handle = win32file.CreateFile(str(path), win32file.GENERIC_READ, 1, None, win32file.OPEN_EXISTING, 0, None)
    record = with_event()
    record.Offset = 2
    code = win32file.TransmitFile(here, handle, 4, 0, record, 0, b"[", b"]")
    assert code in (0, PENDING)
    assert win32file.GetOverlappedResult(here.fileno(), record, True) == 6
    assert there.recv(100) == b"[2345]"
    assert win32file.TransmitFile(here, handle, 0, 0, None, 0, b"", b"") == 0
    assert there.recv(100) == b"0123456789"


def test_a_descriptor_of_the_host_is_sent_as_a_file(pair: tuple[Any, Any], tmp_path: Path) -> None:
    """From the record's offset on, and without a record from where the descriptor is."""
    here, there = pair
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    before = len(os.listdir("/proc/self/fd"))
    with open(path, "rb", buffering=0) as file:
        file.seek(7)
        number = win32file._get_osfhandle(file.fileno())
        record = with_event()
        win32file.TransmitFile(here, number, 3, 0, record, 0)
        assert win32file.GetOverlappedResult(here.fileno(), record, 1) == 3
        assert there.recv(100) == b"012"
        assert win32file.TransmitFile(here, number, 0, 0, None, 0) == 0
        assert there.recv(100) == b"789"
    del record
    assert len(os.listdir("/proc/self/fd")) == before


# Completion ports


def test_a_port_is_a_new_handle_and_then_the_same_object(pair: tuple[Any, Any]) -> None:
    here, _ = pair
    port = win32file.CreateIoCompletionPort(win32file.INVALID_HANDLE_VALUE, None, 0, 0)
    assert isinstance(port, pywintypes.HANDLEType)
    assert isinstance(win32file.CreateIoCompletionPort(-1, 0, 0, 0), pywintypes.HANDLEType)
    assert win32file.CreateIoCompletionPort(here.fileno(), port, 5, 0) is port
    assert code_of(win32file.CreateIoCompletionPort, here.fileno(), port, 5, 0) == (87, "CreateIoCompletionPort")


def test_a_packet_has_the_very_object(pair: tuple[Any, Any]) -> None:
    here, there = pair
    port = win32file.CreateIoCompletionPort(-1, None, 0, 0)
    win32file.CreateIoCompletionPort(here.fileno(), port, 5, 0)
    record = win32file.OVERLAPPED()
    record.object = ["anything"]
    win32file.WSARecv(here, win32file.AllocateReadBuffer(10), record)
    there.send(b"hello")
    code, moved, key, found = win32file.GetQueuedCompletionStatus(port, WAIT_MS)
    assert (code, moved, key) == (0, 5, 5)
    assert found is record
    assert found.object == ["anything"]


def test_a_request_that_fails_is_a_code_in_its_packet(pair: tuple[Any, Any]) -> None:
    here, _ = pair
    port = win32file.CreateIoCompletionPort(here.fileno(), None, 9, 0)
    record = win32file.OVERLAPPED()
    win32file.WSARecv(here, bytearray(1), record)
    win32file.CancelIo(here.fileno())
    assert win32file.GetQueuedCompletionStatus(port, WAIT_MS) == (995, 0, 9, record)


def test_nothing_on_a_port_is_a_code_and_no_exception(process: Process) -> None:
    port = win32file.CreateIoCompletionPort(-1, None, 0, 0)
    assert win32file.GetQueuedCompletionStatus(port, 0) == (258, 0, 0, None)
    assert win32file.GetQueuedCompletionStatus(3, 0) == (6, 0, 0, None)
    number, thing = int(port), process.objects[int(port)]
    waits = in_thread(lambda: win32file.GetQueuedCompletionStatus(number, win32event.INFINITE))
    until(lambda: thing.waiting, "a thread waits")
    win32file.CloseHandle(port)
    assert waits.result() == (735, 0, 0, None)


def test_what_is_posted_is_kept_until_it_is_taken() -> None:
    port = win32file.CreateIoCompletionPort(-1, 0, 0, 0)
    record = pywintypes.OVERLAPPED()
    record.object = "kept"
    win32file.PostQueuedCompletionStatus(port, 3, 99, record)
    win32file.PostQueuedCompletionStatus(port)
    del record
    gc.collect()
    code, moved, key, found = win32file.GetQueuedCompletionStatus(port, WAIT_MS)
    assert (code, moved, key, found.object if found else None) == (0, 3, 99, "kept")
    assert win32file.GetQueuedCompletionStatus(port, WAIT_MS) == (0, 0, 0, None)
    with pytest.raises(TypeError):
        win32file.PostQueuedCompletionStatus(port, 0, 0, "record")  # type: ignore[arg-type]


def test_a_record_that_was_dropped_is_a_runtime_error_and_its_buffer_lives(pair: tuple[Any, Any]) -> None:
    here, there = pair
    port = win32file.CreateIoCompletionPort(here.fileno(), None, 0, 0)
    buffer = bytearray(5)
    win32file.WSARecv(here, buffer, win32file.OVERLAPPED())
    there.send(b"hello")
    with pytest.raises(RuntimeError, match="lost all its references"):
        win32file.GetQueuedCompletionStatus(port, WAIT_MS)
    assert buffer == b"hello"
    assert win32file.GetQueuedCompletionStatus(port, 0) == (258, 0, 0, None)


def test_a_number_that_another_socket_has_got_is_another_socket() -> None:
    """The host closes a socket of its own without telling, and gives the number out again."""
    port = win32file.CreateIoCompletionPort(-1, None, 0, 0)
    numbers = set()
    for key in range(3):
        with host_socket.socket() as s:
            numbers.add(s.fileno())
            assert win32file.CreateIoCompletionPort(s.fileno(), port, key, 0) is port
    assert len(numbers) == 1


# Network events


def test_network_events_are_a_table_of_codes(pair: tuple[Any, Any]) -> None:
    here, there = pair
    event = win32event.CreateEvent(None, 1, 0, None)
    assert win32file.WSAEventSelect(here, event, win32file.FD_READ | win32file.FD_CLOSE) is None
    assert win32file.WSAEnumNetworkEvents(here) == {}
    there.send(b"hello")
    assert win32event.WaitForSingleObject(event, WAIT_MS) == win32event.WAIT_OBJECT_0
    assert win32file.WSAEnumNetworkEvents(here, event) == {win32file.FD_READ: 0}
    assert win32event.WaitForSingleObject(event, 0) == win32event.WAIT_TIMEOUT
    assert here.recv(10) == b"hello"
    there.close()
    assert win32event.WaitForSingleObject(event, WAIT_MS) == win32event.WAIT_OBJECT_0
    assert win32file.WSAEnumNetworkEvents(here.fileno(), int(event)) == {win32file.FD_CLOSE: 0}
    win32file.WSAEventSelect(here, None, 0)


def test_network_events_want_a_socket_and_an_event(pair: tuple[Any, Any]) -> None:
    here, _ = pair
    event = win32event.CreateEvent(None, 1, 0, None)
    mutex = win32event.CreateMutex(None, 0, None)
    for arguments in ((here, event, 3), (here, "spam"), ("spam", event), ("spam",)):
        with pytest.raises(TypeError):
            win32file.WSAEnumNetworkEvents(*arguments)
    assert code_of(win32file.WSAEnumNetworkEvents, here, mutex) == (10038, "WSAEnumNetworkEvents")


def test_a_window_gets_messages_for_network_events(pair: tuple[Any, Any]) -> None:
    here, there = pair
    told: list[tuple[int, int]] = []

    def procedure(window: int, message: int, wparam: int, lparam: int) -> int:
        if message == WM_USER:
            told.append((wparam, lparam))
        return user32.DefWindowProc(window, message, wparam, lparam)

    user32.RegisterClassEx(user32.WNDCLASSEX(procedure, "told"))
    window = user32.CreateWindowEx(0, "told", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None)
    win32file.WSAAsyncSelect(here, window, WM_USER, win32file.FD_READ)
    there.send(b"hello")
    found = win32event.MsgWaitForMultipleObjects([], 0, WAIT_MS, win32event.QS_ALLINPUT)
    assert found == win32event.WAIT_OBJECT_0
    message = user32.GetMessage()
    assert message is not None
    user32.DispatchMessage(message)
    assert told == [(here.fileno(), win32file.FD_READ)]
    user32.DestroyWindow(window)


# Files


def test_a_file_is_written_and_read_at_its_position(tmp_path: Path) -> None:
    name = str(tmp_path / "file")
    handle = win32file.CreateFile(name, BOTH, 0, None, win32con.CREATE_NEW, win32file.FILE_ATTRIBUTE_NORMAL, None)
    assert win32file.WriteFile(handle, b"Hello\0there") == (0, 11)
    assert win32file.GetFileSize(handle) == 11
    assert win32file.SetFilePointer(handle, -5, win32file.FILE_END) == 6
    assert win32file.ReadFile(handle, 1024) == (0, b"there")
    assert win32file.ReadFile(handle, 1024) == (0, b"")
    win32file.SetFilePointer(handle, 5, win32file.FILE_BEGIN)
    assert win32file.ReadFile(handle, bytearray(3)) == (0, b"\0th")
    win32file.SetFilePointer(handle, 5, win32file.FILE_BEGIN)
    win32file.SetEndOfFile(handle)
    win32file.FlushFileBuffers(handle)
    assert win32file.GetFileType(handle) == win32file.FILE_TYPE_DISK
    handle.Close()
    assert (tmp_path / "file").read_bytes() == b"Hello"
    assert code_of(win32file.CreateFile, name, BOTH, 0, None, win32con.CREATE_NEW, 0, None) == (80, "CreateFile")
    assert win32file.DeleteFile(name) is None
    assert code_of(win32file.DeleteFile, name) == (2, "DeleteFile")
    assert code_of(win32file.ReadFile, handle, 1) == (6, "ReadFile")


def test_a_record_on_a_file_without_overlapped_requests_sets_its_event(tmp_path: Path) -> None:
    """Each one is over when the call returns; nothing left to read is an exception (test_win32file.py)."""
    name = str(tmp_path / "file")
    handle = win32file.CreateFile(name, BOTH, 0, None, win32con.CREATE_ALWAYS, 0, None)
    record = pywintypes.OVERLAPPED()
    record.hEvent = win32event.CreateEvent(None, 0, 0, None)
    for data in (b"01234", b"56789"):
        assert win32file.WriteFile(handle, data, record) == (0, 5)
        assert win32event.WaitForSingleObject(record.hEvent, 0) == win32event.WAIT_OBJECT_0
        assert (record.Internal, record.InternalHigh) == (0, 5)
        record.Offset += 5
    buffer = win32file.AllocateReadBuffer(4)
    record.Offset = 3
    code, found = win32file.ReadFile(handle, buffer, record)
    assert code == 0
    assert found is buffer
    assert bytes(buffer) == b"3456"
    record.Offset = 10
    assert code_of(win32file.ReadFile, handle, buffer, record) == (38, "ReadFile")


def test_attributes_are_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    attributes, created, read, written, size = win32file.GetFileAttributesEx(str(path))
    assert (attributes, size) == (win32file.GetFileAttributes(str(path)), 5)
    assert attributes == win32file.FILE_ATTRIBUTE_ARCHIVE
    assert abs(written.timestamp() - path.stat().st_mtime) < 0.01
    assert created <= written
    assert read.tzinfo is not None
    path.chmod(0o444)
    assert win32file.GetFileAttributesW(str(path)) & win32file.FILE_ATTRIBUTE_READONLY
    assert win32file.GetFileAttributes(str(tmp_path)) == win32file.FILE_ATTRIBUTE_DIRECTORY
    assert code_of(win32file.GetFileAttributes, str(tmp_path / "nothing")) == (2, "GetFileAttributes")
    assert code_of(win32file.GetFileAttributes, str(tmp_path / "no" / "thing")) == (3, "GetFileAttributes")
    assert win32api.GetTempPath().endswith(os.sep)


def test_closing_takes_an_object_or_a_number() -> None:
    event = win32event.CreateEvent(None, 0, 0, None)
    win32file.CloseHandle(event)
    assert not event
    win32file.CloseHandle(0)
    assert code_of(win32file.CloseHandle, 4) == (6, "CloseHandle")
    number = win32event.CreateEvent(None, 0, 0, None).Detach()
    assert win32api.CloseHandle(number) is None


# Pipes


def server_of(mode: int = 0, instances: int = 1) -> pywintypes.PyHANDLE:
    messages = win32pipe.PIPE_TYPE_MESSAGE | win32pipe.PIPE_READMODE_MESSAGE
    return win32pipe.CreateNamedPipe(
        NAME, win32pipe.PIPE_ACCESS_DUPLEX | mode, messages | win32pipe.PIPE_WAIT, instances, 512, 256, 0, None
    )


def client_of(mode: int = 0) -> pywintypes.PyHANDLE:
    client = win32file.CreateFile(NAME, BOTH, 0, None, win32con.OPEN_EXISTING, mode, None)
    win32pipe.SetNamedPipeHandleState(client, win32pipe.PIPE_READMODE_MESSAGE, None, None)
    return client


def test_a_message_is_read_in_parts() -> None:
    server, client = server_of(), client_of()
    assert win32pipe.ConnectNamedPipe(server) == 535
    assert win32file.WriteFile(client, b"message") == (0, 7)
    assert win32pipe.PeekNamedPipe(server, 3) == (b"mes", 7, 4)
    assert win32file.ReadFile(server, 4) == (234, b"mess")
    assert win32file.ReadFile(server, bytearray(10)) == (0, b"age")
    client.Close()
    assert code_of(win32file.ReadFile, server, 1) == (109, "ReadFile")


def test_a_client_is_waited_for_by_a_request() -> None:
    server = server_of(win32file.FILE_FLAG_OVERLAPPED)
    record = with_event()
    assert win32pipe.ConnectNamedPipe(server, record) == PENDING
    client = client_of()
    assert win32event.WaitForSingleObject(record.hEvent, WAIT_MS) == win32event.WAIT_OBJECT_0
    assert win32pipe.GetOverlappedResult(server, record, True) == 0
    code, buffer = win32file.ReadFile(server, win32file.AllocateReadBuffer(10), record)
    assert code == PENDING
    win32file.WriteFile(client, b"hello")
    assert win32file.GetOverlappedResult(server, record, True) == 5
    assert bytes(buffer[:5]) == b"hello"
    win32file.WriteFile(client, b"more")
    assert win32file.ReadFile(server, 10) == (0, b"more")  # without a record it waits


def test_a_transaction_is_an_answer_or_pends() -> None:
    server, client = server_of(), client_of(win32file.FILE_FLAG_OVERLAPPED)
    record = with_event()
    code, buffer = win32pipe.TransactNamedPipe(client, b"ask", win32file.AllocateReadBuffer(10), record)
    assert code == PENDING
    assert win32file.ReadFile(server, 10) == (0, b"ask")
    win32file.WriteFile(server, b"answer")
    assert win32file.GetOverlappedResult(client, record, True) == 6
    assert bytes(buffer[:6]) == b"answer"


@pytest.mark.parametrize("place", [100, bytearray(100)], ids=["size", "buffer"])
def test_a_call_opens_asks_and_closes(place: Any) -> None:
    server = server_of()

    def serve() -> None:
        for _ in range(2):
            win32pipe.ConnectNamedPipe(server)
            win32file.WriteFile(server, win32file.ReadFile(server, 100)[1].upper())
            while True:
                try:
                    win32file.ReadFile(server, 1)
                except pywintypes.error:
                    break
            win32pipe.DisconnectNamedPipe(server)

    served = in_thread(serve)
    assert win32pipe.CallNamedPipe(NAME, b"ask", 100, win32pipe.NMPWAIT_WAIT_FOREVER) == b"ASK"
    win32pipe.WaitNamedPipe(NAME, WAIT_MS)
    client = client_of()
    assert win32pipe.TransactNamedPipe(client, b"again", place) == (0, b"AGAIN")
    client.Close()
    served.result()


def test_a_pipe_tells_of_itself() -> None:
    server = server_of(instances=win32pipe.PIPE_UNLIMITED_INSTANCES)
    client = client_of()
    assert win32pipe.GetNamedPipeInfo(server) == (5, 512, 256, 255)
    assert win32pipe.GetNamedPipeInfo(client) == (4, 512, 256, 255)
    assert win32pipe.GetNamedPipeHandleState(client) == (2, 1, None, None, "")
    win32pipe.SetNamedPipeHandleState(client, 0, None, None)
    assert win32pipe.GetNamedPipeHandleState(client)[0] == 0
    with pytest.raises(TypeError):
        win32pipe.SetNamedPipeHandleState(client, "mode", None, None)  # type: ignore[arg-type]
    assert code_of(win32pipe.WaitNamedPipe, NAME, 1) == (121, "WaitNamedPipe")


def test_an_anonymous_pipe_has_two_ends() -> None:
    source, sink = win32pipe.CreatePipe(None, 0)
    assert win32file.WriteFile(sink, b"data") == (0, 4)
    assert win32file.ReadFile(source, 10) == (0, b"data")
    reading, writing = win32pipe.FdCreatePipe(None, 0, 0)
    assert os.write(writing, b"data") == 4
    os.close(writing)
    assert os.read(reading, 10) == b"data"
    os.close(reading)


def test_what_python_3_has_no_use_for_says_so() -> None:
    with pytest.raises(NotImplementedError):
        win32pipe.popen("command", "r")


# win32api


def test_texts_of_codes() -> None:
    assert win32api.FormatMessage(6) == "The handle is invalid.\r\n"
    win32api.SetLastError(5)
    assert win32api.FormatMessage() == "Access is denied.\r\n"
    assert win32api.GetLastError() == 5
    assert win32api.FormatMessage(0x400, "%1!s!.", 0, 0, ["text"]) == "text."
    assert code_of(win32api.FormatMessage, 0x7FFF) == (317, "FormatMessage")


def test_pseudo_handles_are_negative_and_are_duplicated() -> None:
    assert (win32api.GetCurrentProcess(), win32api.GetCurrentThread()) == (-1, -2)
    event = win32event.CreateEvent(None, 1, 1, None)
    here = win32api.GetCurrentProcess()
    other = win32api.DuplicateHandle(here, event, here, 0, 0, win32con.DUPLICATE_SAME_ACCESS)
    event.Close()
    assert win32event.WaitForSingleObject(other, 0) == win32event.WAIT_OBJECT_0
    win32api.SetHandleInformation(other, 1, 1)
    assert win32api.GetHandleInformation(other) == 1
    assert win32api.Sleep(0) == 0
