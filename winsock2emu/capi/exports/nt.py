"""ntdll: requests on sockets and on \\Device\\Afd, completion ports, and what goes with them.

Part played:     ntdll.dll, as far as programs go beneath Win32 for sockets.
Lives here:      the parameters of native calls; AFD's requests to receive and to send, whose buffers are pointers.
Lives elsewhere: the device and its polls (kernel32.afd), status blocks (capi.native), behaviour (kernel32, the
                 providers).
Results:         an NTSTATUS; the last error stays as it is.
Time-outs:       a pointer to 100 ns units, negative from now on; NULL for ever.
Sources:         nf-winternl-ntdeviceiocontrolfile, nf-ntifs-ntreadfile, nf-winternl-rtlntstatustodoserror on Microsoft
                 Learn; defs/afd; the behaviours nt-*, afd-* and apc-testalert of the project's reference.
"""

from __future__ import annotations

import struct
import time
from typing import Any, Final

from ... import kernel32
from ...defs.afd import (
    AFD_POLL_ABORT,
    AFD_POLL_ACCEPT,
    AFD_POLL_CONNECT,
    AFD_POLL_CONNECT_FAIL,
    AFD_POLL_DISCONNECT,
    AFD_POLL_RECEIVE,
    AFD_POLL_RECEIVE_EXPEDITED,
    AFD_POLL_SEND,
    IOCTL_AFD_BIND,
    IOCTL_AFD_EVENT_SELECT,
    IOCTL_AFD_GET_EVENTS,
    IOCTL_AFD_GETSOCKNAME,
    IOCTL_AFD_POLL,
    IOCTL_AFD_RECV,
    IOCTL_AFD_RECV_DATAGRAM,
    IOCTL_AFD_SEND,
    TDI_RECEIVE_EXPEDITED,
    TDI_RECEIVE_PEEK,
    TDI_RECEIVE_WAIT_ALL,
    TDI_SEND_EXPEDITED,
)
from ...defs.codes import (
    ERROR_MR_MID_NOT_FOUND,
    STATUS_ACCESS_VIOLATION,
    STATUS_ADDRESS_ALREADY_ASSOCIATED,
    STATUS_BUFFER_OVERFLOW,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_END_OF_FILE,
    STATUS_INFO_LENGTH_MISMATCH,
    STATUS_INVALID_CONNECTION,
    STATUS_INVALID_DEVICE_REQUEST,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_FOUND,
    STATUS_NOT_IMPLEMENTED,
    STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_OBJECT_TYPE_MISMATCH,
    STATUS_PENDING,
    STATUS_SHARING_VIOLATION,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    STATUS_TO_WIN32,
    STATUS_USER_APC,
    WSAEADDRINUSE,
    WSAEINVAL,
    WSAENOTCONN,
)
from ...defs.constants import (
    FD_ACCEPT,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    INVALID_HANDLE_VALUE,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
)
from ...errors import WinsockError
from ...kernel.files import FileObject
from ...kernel.hostfiles import HostFile, windows_path
from ...kernel.objects import IO_COMPLETION, TIMED_OUT, run_apcs, wait
from ...kernel.operations import PENDING, SKIP_PORT, SKIP_SIGNAL, status_of
from ...kernel.ports import Port
from ...kernel.waits import this_waiter
from ...kernel32.afd import names_afd, open_afd, outcome_of_timeout, poll, seconds_of
from ...kernel32.handles import file_of, object_of
from ...process import SocketRecord, current_process
from .. import memory
from ..native import StatusBlock, begin, refused
from ..threads import made_by_c
from .transfer import buffers_at

__all__ = [
    "NtCancelIoFile",
    "NtCancelIoFileEx",
    "NtClose",
    "NtCreateFile",
    "NtCreateIoCompletion",
    "NtDeviceIoControlFile",
    "NtOpenFile",
    "NtQueryInformationFile",
    "NtQueryIoCompletion",
    "NtQueryObject",
    "NtQuerySystemTime",
    "NtReadFile",
    "NtRemoveIoCompletion",
    "NtRemoveIoCompletionEx",
    "NtSetInformationFile",
    "NtSetIoCompletion",
    "NtTestAlert",
    "NtWaitForSingleObject",
    "NtWriteFile",
    "RtlInitUnicodeString",
    "RtlNtStatusToDosError",
    "RtlNtStatusToDosErrorNoTeb",
]

_OBJECT_NAME: Final = 16  # offset of ObjectName in OBJECT_ATTRIBUTES
_STATUS_BLOCK: Final = struct.Struct("<QQ")
_REQUEST: Final = struct.Struct("<QIII")  # AFD_RECV_INFO, AFD_SEND_INFO: array, count, AFD flags, TDI flags
_ADDRESSED: Final = struct.Struct("<QIII4xQQ")  # AFD_RECV_INFO_UDP: the same, then address and its length
_SELECTION: Final = struct.Struct("<QI")  # AFD_EVENT_SELECT_INFO: event, events
_ENTRY: Final = struct.Struct("<QQQQ")  # FILE_IO_COMPLETION_INFORMATION: key, context, status, information
_UNICODE_STRING: Final = struct.Struct("<HH4xQ")  # bytes, room in bytes, text
_LONGEST_TEXT: Final = 0xFFFE
_AFD: Final = "\\Device\\Afd"
_DISK: Final = "\\Device\\HarddiskVolume1"

_OBJECT_NAME_INFORMATION: Final = 1

_FILE_COMPLETION_INFORMATION: Final = 30
_FILE_IO_COMPLETION_NOTIFICATION_INFORMATION: Final = 41

_EPOCH: Final = 116_444_736_000_000_000  # 100 ns units from 1601 to 1970


def _seconds(pointer: int) -> float | None:
    """What a pointer to a time-out says."""
    if not pointer:
        return None
    data = memory.read(pointer, 8)
    if data is None:
        raise refused(STATUS_ACCESS_VIOLATION)
    return seconds_of(int.from_bytes(data, "little", signed=True))


def _out(*pointers: int) -> None:
    if min(pointers) < memory.LOWEST:
        raise refused(STATUS_ACCESS_VIOLATION)


def _store_block(block: int, status: int, information: int) -> None:
    if block >= memory.LOWEST:
        memory.write(block, _STATUS_BLOCK.pack(status, information))


# Statuses and texts


def RtlNtStatusToDosError(Status: int) -> int:
    status = Status & 0xFFFFFFFF
    if not status or status >> 16 == 0x8007 or status >> 16 == 0xC007:  # a Win32 code in disguise
        return status & 0xFFFF
    if status >> 28 == 0xD:
        status = status & 0xCFFFFFFF
    return STATUS_TO_WIN32.get(status, ERROR_MR_MID_NOT_FOUND)


RtlNtStatusToDosErrorNoTeb = RtlNtStatusToDosError


def RtlInitUnicodeString(DestinationString: int, SourceString: int) -> None:
    size = len(memory.to_wide(memory.wide(SourceString) or "")) if SourceString else 0
    size = min(size, _LONGEST_TEXT)
    memory.write(DestinationString, _UNICODE_STRING.pack(max(size - 2, 0), size, SourceString))


def NtQuerySystemTime(SystemTime: int) -> int:
    _out(SystemTime)
    memory.store_u64(SystemTime, time.time_ns() // 100 + _EPOCH)
    return STATUS_SUCCESS


# Handles and waits


def NtClose(Handle: int) -> int:
    made_by_c()
    kernel32.CloseHandle(Handle)
    return STATUS_SUCCESS


def NtQueryObject(
    Handle: int,
    ObjectInformationClass: int,
    ObjectInformation: int,
    ObjectInformationLength: int,
    ReturnLength: int,
) -> int:
    thing = object_of(current_process(), Handle)
    if ObjectInformationClass != _OBJECT_NAME_INFORMATION:
        raise refused(STATUS_NOT_IMPLEMENTED)
    if isinstance(thing, HostFile):
        name = f"{_DISK}{windows_path(thing.path)[2:]}"
    else:
        name = _AFD if isinstance(thing, FileObject) else ""
    text = memory.to_wide(name) if name else b""
    size = _UNICODE_STRING.size + len(text)
    if ReturnLength >= memory.LOWEST:
        memory.store_32(ReturnLength, size)
    if ObjectInformationLength < size:
        short = ObjectInformationLength < _UNICODE_STRING.size
        raise refused(STATUS_INFO_LENGTH_MISMATCH if short else STATUS_BUFFER_OVERFLOW)
    _out(ObjectInformation)
    where = ObjectInformation + _UNICODE_STRING.size if text else 0
    memory.write(ObjectInformation, _UNICODE_STRING.pack(max(len(text) - 2, 0), len(text), where) + text)
    return STATUS_SUCCESS


def NtWaitForSingleObject(Handle: int, Alertable: int, Timeout: int) -> int:
    made_by_c()
    process = current_process()
    ended = wait((object_of(process, Handle),), False, _seconds(Timeout), bool(Alertable), process)
    return STATUS_USER_APC if ended == IO_COMPLETION else ended  # the same numbers


def NtTestAlert() -> int:
    made_by_c()
    run_apcs(this_waiter())
    return STATUS_SUCCESS


# Opening


def _named(attributes: int) -> str:
    """The name in OBJECT_ATTRIBUTES."""
    _out(attributes)
    text = memory.load_u64(attributes + _OBJECT_NAME)
    if text < memory.LOWEST:
        return ""
    size, where = struct.unpack("<H6xQ", memory.read(text, 16) or bytes(16))
    return (memory.read(where, size) or b"").decode("utf-16-le", "replace")


def NtOpenFile(
    FileHandle: int, DesiredAccess: int, ObjectAttributes: int, IoStatusBlock: int, ShareAccess: int, OpenOptions: int
) -> int:
    _out(FileHandle)
    if not names_afd(_named(ObjectAttributes)):
        raise refused(STATUS_OBJECT_NAME_NOT_FOUND)
    memory.store_u64(FileHandle, open_afd(current_process()))
    _store_block(IoStatusBlock, STATUS_SUCCESS, 1)  # FILE_OPENED
    return STATUS_SUCCESS


def NtCreateFile(
    FileHandle: int,
    DesiredAccess: int,
    ObjectAttributes: int,
    IoStatusBlock: int,
    AllocationSize: int,
    FileAttributes: int,
    ShareAccess: int,
    CreateDisposition: int,
    CreateOptions: int,
    EaBuffer: int,
    EaLength: int,
) -> int:
    if EaLength:  # a socket made without Winsock
        raise refused(STATUS_NOT_IMPLEMENTED)
    return NtOpenFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, ShareAccess, CreateOptions)


# Requests


def _socket(handle: int) -> SocketRecord:
    record = current_process().objects.get(handle)
    if type(record) is not SocketRecord:
        raise refused(STATUS_INVALID_HANDLE)
    return record


def _perform(call: Any, handle: int, buffers: Any, rest: tuple[Any, ...], request: StatusBlock) -> int:
    """Make a provider's call: the status of a native function."""
    try:
        result = call(handle, buffers, *rest, request)
    except WinsockError as failure:
        if failure.winerror == WSAENOTCONN:
            failure.status = STATUS_INVALID_CONNECTION
        raise
    return STATUS_PENDING if result is PENDING else STATUS_SUCCESS


def _check_offset(handle: int, pointer: int) -> None:
    """An overlapped socket wants an offset that is not negative, and ignores it."""
    if not _socket(handle).overlapped:
        return
    data = memory.read(pointer, 8) if pointer >= memory.LOWEST else None
    if data is None or int.from_bytes(data, "little", signed=True) < 0:
        raise refused(STATUS_INVALID_PARAMETER)


def _transfer(
    sends: bool,
    handle: int,
    event: int,
    routine: int,
    context: int,
    block: int,
    buffer: int,
    length: int,
    offset: int,
) -> int:
    made_by_c()
    process = current_process()
    file = file_of(process, handle)
    view = memory.view(buffer, length)
    if view is None:
        raise refused(STATUS_ACCESS_VIOLATION)
    if isinstance(file, HostFile):
        request = begin(process, handle, event, routine, context, block)
        return _on_disk(sends, file, view, offset, request)
    record = _socket(handle)
    _check_offset(handle, offset)
    request = begin(process, handle, event, routine, context, block)
    status = _perform(record.mover.WSPSend if sends else record.mover.WSPRecv, handle, [view], (0,), request)
    if status == STATUS_PENDING and not record.overlapped:
        return _awaited(request)
    return status


def _on_disk(sends: bool, file: HostFile, view: memoryview, offset: int, request: StatusBlock) -> int:
    """A request on a file of the host, which never waits; on an overlapped file a failure is told like any outcome."""
    data = memory.read(offset, 8) if offset >= memory.LOWEST else None
    if data is None and file.overlapped:
        raise refused(STATUS_INVALID_PARAMETER)
    try:
        if data is not None:
            at = int.from_bytes(data, "little")
            moved = file.write_at(at, view) if sends else file.read_at(at, view)
        else:
            moved = file.write(view) if sends else file.read(view)
        if not sends and not moved and view:
            raise refused(STATUS_END_OF_FILE)
    except WinsockError as failure:
        if file.overlapped:
            request.finish_late(None, failure)
            return STATUS_PENDING
        if request.event is not None:
            request.event.set()
        raise
    request.finish(moved)
    return STATUS_SUCCESS


def _awaited(request: StatusBlock) -> int:
    """A file for synchronous requests: wait for this one, in blocking mode or not."""
    process = current_process()
    while not request.final:
        wait((request.file,), False, None, False, process)
    return request.Internal & 0xFFFFFFFF


def NtReadFile(
    FileHandle: int,
    Event: int,
    ApcRoutine: int,
    ApcContext: int,
    IoStatusBlock: int,
    Buffer: int,
    Length: int,
    ByteOffset: int,
    Key: int,
) -> int:
    return _transfer(False, FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ByteOffset)


def NtWriteFile(
    FileHandle: int,
    Event: int,
    ApcRoutine: int,
    ApcContext: int,
    IoStatusBlock: int,
    Buffer: int,
    Length: int,
    ByteOffset: int,
    Key: int,
) -> int:
    return _transfer(True, FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ByteOffset)


def NtDeviceIoControlFile(
    FileHandle: int,
    Event: int,
    ApcRoutine: int,
    ApcContext: int,
    IoStatusBlock: int,
    IoControlCode: int,
    InputBuffer: int,
    InputBufferLength: int,
    OutputBuffer: int,
    OutputBufferLength: int,
) -> int:
    made_by_c()
    carry_out = _CODES.get(IoControlCode)
    file_of(current_process(), FileHandle)
    if carry_out is None:
        raise refused(STATUS_INVALID_DEVICE_REQUEST)
    data = memory.read(InputBuffer, InputBufferLength)
    if data is None:
        raise refused(STATUS_ACCESS_VIOLATION)
    told = Event, ApcRoutine, ApcContext, IoStatusBlock
    return carry_out(FileHandle, told, data, OutputBuffer, OutputBufferLength)


Told = tuple[int, int, int, int]
"""Event, routine, context and status block."""


def _poll(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    if output < memory.LOWEST:
        raise refused(STATUS_INVALID_PARAMETER)

    def store(outcome: Any) -> None:
        if isinstance(outcome, WinsockError):
            if outcome.status != STATUS_TIMEOUT:
                return
            outcome = outcome_of_timeout(data)
        if outcome is not None:
            memory.write(output, outcome)

    process = current_process()
    request = begin(process, handle, *told, store)
    return STATUS_PENDING if poll(process, handle, data, room, request) is PENDING else STATUS_SUCCESS


def _buffers(array: int, count: int) -> list[memoryview | None]:
    """The buffers of a request, which is copied here."""
    buffers = buffers_at(array, count, 0, object()) if array >= memory.LOWEST and count else None
    if buffers is None:
        raise refused(STATUS_INVALID_PARAMETER)
    return buffers


_RECEIVE_FLAGS: Final = {
    TDI_RECEIVE_EXPEDITED: MSG_OOB,
    TDI_RECEIVE_PEEK: MSG_PEEK,
    TDI_RECEIVE_WAIT_ALL: MSG_WAITALL,
}


def _receive_flags(tdi: int) -> int:
    return sum(flag for bit, flag in _RECEIVE_FLAGS.items() if tdi & bit)


def _receive(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    if len(data) < _REQUEST.size:
        raise refused(STATUS_INVALID_PARAMETER)
    array, count, _, tdi = _REQUEST.unpack_from(data)
    record = _socket(handle)
    buffers = _buffers(array, count)
    request = begin(current_process(), handle, *told)
    return _perform(record.mover.WSPRecv, handle, buffers, (_receive_flags(tdi),), request)


def _receive_datagram(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    if len(data) < _ADDRESSED.size:
        raise refused(STATUS_INVALID_PARAMETER)
    array, count, _, tdi, address, length = _ADDRESSED.unpack_from(data)
    record = _socket(handle)
    buffers = _buffers(array, count)
    size = memory.load_u32(length) if address and length >= memory.LOWEST else None

    def store(outcome: Any) -> None:
        sender = outcome.address if isinstance(outcome, WinsockError) else outcome[1]
        if size is not None and sender is not None:
            memory.write(address, bytes(sender))
            memory.store_32(length, len(sender))

    request = begin(current_process(), handle, *told, store)
    return _perform(record.mover.WSPRecvFrom, handle, buffers, (_receive_flags(tdi), size), request)


def _send(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    if len(data) < _REQUEST.size:
        raise refused(STATUS_INVALID_PARAMETER)
    array, count, _, tdi = _REQUEST.unpack_from(data)
    record = _socket(handle)
    buffers = _buffers(array, count)
    request = begin(current_process(), handle, *told)
    return _perform(record.mover.WSPSend, handle, buffers, (MSG_OOB if tdi & TDI_SEND_EXPEDITED else 0,), request)


_EVENTS: Final = {
    AFD_POLL_RECEIVE: FD_READ,
    AFD_POLL_RECEIVE_EXPEDITED: FD_OOB,
    AFD_POLL_SEND: FD_WRITE,
    AFD_POLL_ACCEPT: FD_ACCEPT,
    AFD_POLL_CONNECT: FD_CONNECT,
    AFD_POLL_CONNECT_FAIL: FD_CONNECT,
    AFD_POLL_DISCONNECT: FD_CLOSE,
    AFD_POLL_ABORT: FD_CLOSE,
}
# What stands for these two when there is a code.
_FAILED: Final = {AFD_POLL_CONNECT: AFD_POLL_CONNECT_FAIL, AFD_POLL_DISCONNECT: AFD_POLL_ABORT}
_STATUSES: Final = 13  # in AFD_ENUM_NETWORK_EVENTS_INFO


def _event_select(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    """WSAEventSelect beneath Winsock."""
    if len(data) < _SELECTION.size:
        raise refused(STATUS_INVALID_PARAMETER)
    event, events = _SELECTION.unpack_from(data)
    if events and not event:
        raise refused(STATUS_INVALID_PARAMETER)
    mask = 0
    for bit, network_event in _EVENTS.items():
        if events & bit:
            mask |= network_event
    record = _socket(handle)
    request = begin(current_process(), handle, *told)
    record.wsp.WSPEventSelect(handle, event or None, mask)
    request.finish(0)
    return STATUS_SUCCESS


def _get_events(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    """WSAEnumNetworkEvents beneath Winsock. A failed connect has its status, a reset has none (observed)."""
    size = 4 + 4 * _STATUSES
    if room < size or output < memory.LOWEST:
        raise refused(STATUS_INVALID_PARAMETER)
    record = _socket(handle)
    request = begin(current_process(), handle, *told)
    found, codes = record.wsp.WSPEnumNetworkEvents(handle, None)
    flags, statuses = 0, [0] * _STATUSES
    for bit, network_event in _EVENTS.items():
        if not found & network_event or bit in _FAILED.values():
            continue
        code = codes[network_event.bit_length() - 1]
        flag = _FAILED.get(bit, bit) if code else bit
        flags |= flag
        if flag == AFD_POLL_CONNECT_FAIL:
            statuses[flag.bit_length() - 1] = status_of(WinsockError(code))
    memory.write(output, struct.pack(f"<I{_STATUSES}I", flags, *statuses))
    request.finish(0)
    return STATUS_SUCCESS


# What bind's codes are beneath Winsock (observed); the others have their statuses.
_BIND_STATUSES: Final = {WSAEINVAL: STATUS_ADDRESS_ALREADY_ASSOCIATED, WSAEADDRINUSE: STATUS_SHARING_VIOLATION}
_BIND_HEADER: Final = 4  # bytes before the address


def _bind(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    """bind beneath Winsock: the output is the address that the socket has then."""
    record = _socket(handle)
    try:
        record.wsp.WSPBind(handle, data[_BIND_HEADER:])
    except WinsockError as failure:
        raise refused(_BIND_STATUSES.get(failure.winerror, status_of(failure))) from None
    return _tell_name(record, handle, told, output, room)


def _getsockname(handle: int, told: Told, data: bytes, output: int, room: int) -> int:
    """getsockname beneath Winsock: a socket without a name is found before too little room is (observed)."""
    return _tell_name(_socket(handle), handle, told, output, room)


def _tell_name(record: SocketRecord, handle: int, told: Told, output: int, room: int) -> int:
    try:
        name = record.wsp.WSPGetSockName(handle, None)
    except WinsockError as failure:
        raise refused(status_of(failure)) from None
    if room < len(name):
        raise refused(STATUS_BUFFER_TOO_SMALL)
    if output < memory.LOWEST:
        raise refused(STATUS_ACCESS_VIOLATION)
    request = begin(current_process(), handle, *told)
    memory.write(output, name)
    request.finish(len(name))
    return STATUS_SUCCESS


_CODES: Final = {
    IOCTL_AFD_BIND: _bind,
    IOCTL_AFD_GETSOCKNAME: _getsockname,
    IOCTL_AFD_EVENT_SELECT: _event_select,
    IOCTL_AFD_GET_EVENTS: _get_events,
    IOCTL_AFD_POLL: _poll,
    IOCTL_AFD_RECV: _receive,
    IOCTL_AFD_RECV_DATAGRAM: _receive_datagram,
    IOCTL_AFD_SEND: _send,
}


# Cancelling


def NtCancelIoFile(FileHandle: int, IoStatusBlock: int) -> int:
    made_by_c()
    file_of(current_process(), FileHandle).cancel(waiter=this_waiter())
    _store_block(IoStatusBlock, STATUS_SUCCESS, 0)
    return STATUS_SUCCESS


def NtCancelIoFileEx(FileHandle: int, IoRequestToCancel: int, IoStatusBlock: int) -> int:
    file = file_of(current_process(), FileHandle)
    found = sum(
        request.cancel()
        for request in tuple(file.pending)
        if not IoRequestToCancel or request.address == IoRequestToCancel
    )
    status = STATUS_SUCCESS if found else STATUS_NOT_FOUND
    _store_block(IoStatusBlock, status, 0)
    return status


# Files and completion ports


def _port(handle: int) -> Port:
    thing = object_of(current_process(), handle)
    if not isinstance(thing, Port):
        raise refused(STATUS_OBJECT_TYPE_MISMATCH)
    return thing


def NtCreateIoCompletion(IoCompletionHandle: int, DesiredAccess: int, ObjectAttributes: int, Count: int) -> int:
    _out(IoCompletionHandle)
    handle = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, Count)
    memory.store_u64(IoCompletionHandle, handle)
    return STATUS_SUCCESS


def NtQueryIoCompletion(
    IoCompletionHandle: int,
    IoCompletionInformationClass: int,
    IoCompletionInformation: int,
    IoCompletionInformationLength: int,
    ReturnLength: int,
) -> int:
    port = _port(IoCompletionHandle)
    if IoCompletionInformationLength != 4:
        raise refused(STATUS_INFO_LENGTH_MISMATCH)
    _out(IoCompletionInformation)
    memory.store_32(IoCompletionInformation, len(port.packets))
    if ReturnLength >= memory.LOWEST:
        memory.store_32(ReturnLength, 4)
    return STATUS_SUCCESS


def NtSetIoCompletion(
    IoCompletionHandle: int, KeyContext: int, ApcContext: int, IoStatus: int, IoStatusInformation: int
) -> int:
    _port(IoCompletionHandle).post((KeyContext, ApcContext, IoStatus & 0xFFFFFFFF, IoStatusInformation))
    return STATUS_SUCCESS


_ENDS: Final = {TIMED_OUT: STATUS_TIMEOUT, IO_COMPLETION: STATUS_USER_APC}


def NtRemoveIoCompletion(
    IoCompletionHandle: int, KeyContext: int, ApcContext: int, IoStatusBlock: int, Timeout: int
) -> int:
    made_by_c()
    port = _port(IoCompletionHandle)
    _out(KeyContext, ApcContext, IoStatusBlock)
    found = port.get_several(1, _seconds(Timeout), False, current_process())
    if isinstance(found, int):
        return _ENDS.get(found, found)
    key, context, status, moved = found[0]
    memory.store_u64(KeyContext, key)
    memory.store_u64(ApcContext, context)
    _store_block(IoStatusBlock, status, moved)
    return STATUS_SUCCESS


def NtRemoveIoCompletionEx(
    IoCompletionHandle: int,
    IoCompletionInformation: int,
    Count: int,
    NumEntriesRemoved: int,
    Timeout: int,
    Alertable: int,
) -> int:
    made_by_c()
    port = _port(IoCompletionHandle)
    if not Count:
        raise refused(STATUS_INVALID_PARAMETER)
    _out(IoCompletionInformation, NumEntriesRemoved)
    found = port.get_several(Count, _seconds(Timeout), bool(Alertable), current_process())
    if isinstance(found, int):
        memory.store_32(NumEntriesRemoved, 1)  # what Windows leaves there when it has removed none
        return _ENDS.get(found, found)
    memory.write(
        IoCompletionInformation,
        b"".join([_ENTRY.pack(key, context, status, moved) for key, context, status, moved in found]),
    )
    memory.store_32(NumEntriesRemoved, len(found))
    return STATUS_SUCCESS


def NtSetInformationFile(
    FileHandle: int, IoStatusBlock: int, FileInformation: int, Length: int, FileInformationClass: int
) -> int:
    file = file_of(current_process(), FileHandle)
    if FileInformationClass == _FILE_COMPLETION_INFORMATION:
        _set_completion(file, FileInformation, Length)
    elif FileInformationClass == _FILE_IO_COMPLETION_NOTIFICATION_INFORMATION:
        _set_modes(file, FileInformation, Length)
    else:
        raise refused(STATUS_NOT_IMPLEMENTED)
    _store_block(IoStatusBlock, STATUS_SUCCESS, 0)
    return STATUS_SUCCESS


def _information(pointer: int, length: int, size: int) -> bytes:
    if length < size:
        raise refused(STATUS_INFO_LENGTH_MISMATCH)
    data = memory.read(pointer, size)
    if data is None:
        raise refused(STATUS_ACCESS_VIOLATION)
    return data


def _set_completion(file: FileObject, pointer: int, length: int) -> None:
    port, key = struct.unpack("<QQ", _information(pointer, length, 16))
    file.associate(_port(port), key)


def _set_modes(file: FileObject, pointer: int, length: int) -> None:
    modes = int.from_bytes(_information(pointer, length, 4), "little")
    if modes & SKIP_PORT and not file.overlapped:
        raise refused(STATUS_INVALID_PARAMETER)
    file.modes |= modes & (SKIP_PORT | SKIP_SIGNAL)


def NtQueryInformationFile(
    FileHandle: int, IoStatusBlock: int, FileInformation: int, Length: int, FileInformationClass: int
) -> int:
    file = file_of(current_process(), FileHandle)
    if FileInformationClass != _FILE_IO_COMPLETION_NOTIFICATION_INFORMATION:
        raise refused(STATUS_NOT_IMPLEMENTED)
    if Length < 4:
        raise refused(STATUS_INFO_LENGTH_MISMATCH)
    _out(FileInformation)
    memory.store_32(FileInformation, file.modes)
    _store_block(IoStatusBlock, STATUS_SUCCESS, 4)
    return STATUS_SUCCESS
