"""``win32file``: files, completion ports and sockets, as pywin32 has them.

Part played:     win32file of pywin32, as far as programs with sockets, files and pipes use it.
Lives here:      the functions' names and forms: codes that are results, buffers, addresses as tuples; the constants.
Lives elsewhere: what they do (kernel32, ws2_32, mswsock), arguments and failures (_pywin32), OVERLAPPED (pywintypes).
Codes:           0 and ERROR_IO_PENDING (997) are results of whatever takes an OVERLAPPED, all others are exceptions.
                 GetQueuedCompletionStatus never raises them.
Numbers:         constants with the highest bit of 32 set are negative, as in pywin32.
Descriptors:     `_get_osfhandle` gives a descriptor of the host, which `TransmitFile` takes for a file.
Missing:         folders, times of files, locks on parts of them, devices; reading and writing descriptors of the host
                 other than sockets by their numbers.
Sources:         pywin32's reference and test_win32file.py; types-pywin32.
"""

from __future__ import annotations

import os
from typing import Any, Final

from .. import kernel32, mswsock, ws2_32
from ..defs.codes import (
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEDISCON,
    WSAEFAULT,
    WSAEINPROGRESS,
    WSAEINTR,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENETDOWN,
    WSAENETRESET,
    WSAENOBUFS,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAEWOULDBLOCK,
)
from ..defs.constants import (
    AF_INET,
    FD_ACCEPT,
    FD_ADDRESS_LIST_CHANGE,
    FD_CLOSE,
    FD_CONNECT,
    FD_GROUP_QOS,
    FD_MAX_EVENTS,
    FD_OOB,
    FD_QOS,
    FD_READ,
    FD_ROUTING_INTERFACE_CHANGE,
    FD_WRITE,
    FILE_FLAG_OVERLAPPED,
    FILE_TYPE_CHAR,
    FILE_TYPE_DISK,
    FILE_TYPE_PIPE,
    FILE_TYPE_UNKNOWN,
    SO_CONNECT_TIME,
    SO_PROTOCOL_INFOW,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    SOL_SOCKET,
    TF_DISCONNECT,
    TF_REUSE_SOCKET,
    TF_USE_DEFAULT_WORKER,
    TF_USE_KERNEL_APC,
    TF_USE_SYSTEM_THREAD,
    TF_WRITE_BEHIND,
)
from ..defs.records import PROTOCOL_INFOW_SIZE, AddrInfo, ProtocolInfo
from ..defs.sockaddr import SockAddr
from ..defs.winbase import (
    CREATE_ALWAYS,
    CREATE_NEW,
    FILE_ATTRIBUTE_ARCHIVE,
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_READONLY,
    FILE_ATTRIBUTE_TEMPORARY,
    FILE_BEGIN,
    FILE_CURRENT,
    FILE_END,
    FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_DELETE_ON_CLOSE,
    FILE_FLAG_SEQUENTIAL_SCAN,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
    GENERIC_EXECUTE,
    GENERIC_WRITE,
    OPEN_ALWAYS,
    OPEN_EXISTING,
    TRUNCATE_EXISTING,
)
from ..errors import WinsockError
from ..kernel.handles import FIRST_NUMBER
from ..process import current_process
from . import msvcrt
from ._pywin32 import (
    dword,
    inherits,
    milliseconds,
    object_of,
    progress,
    read,
    readable,
    record_of,
    socket_of,
    told,
    writable,
)
from .overlapped import file_handle_of
from .pywintypes import OVERLAPPED, PyHANDLE, PyOVERLAPPED, Record, TimeStamp, error, handle_of

__all__ = [
    "CREATE_ALWAYS",
    "CREATE_NEW",
    "FD_ACCEPT",
    "FD_ADDRESS_LIST_CHANGE",
    "FD_CLOSE",
    "FD_CONNECT",
    "FD_GROUP_QOS",
    "FD_OOB",
    "FD_QOS",
    "FD_READ",
    "FD_ROUTING_INTERFACE_CHANGE",
    "FD_WRITE",
    "FILE_ALL_ACCESS",
    "FILE_ATTRIBUTE_ARCHIVE",
    "FILE_ATTRIBUTE_DIRECTORY",
    "FILE_ATTRIBUTE_HIDDEN",
    "FILE_ATTRIBUTE_NORMAL",
    "FILE_ATTRIBUTE_READONLY",
    "FILE_ATTRIBUTE_SYSTEM",
    "FILE_ATTRIBUTE_TEMPORARY",
    "FILE_BEGIN",
    "FILE_CURRENT",
    "FILE_END",
    "FILE_FLAG_BACKUP_SEMANTICS",
    "FILE_FLAG_DELETE_ON_CLOSE",
    "FILE_FLAG_NO_BUFFERING",
    "FILE_FLAG_OPEN_REPARSE_POINT",
    "FILE_FLAG_OVERLAPPED",
    "FILE_FLAG_POSIX_SEMANTICS",
    "FILE_FLAG_RANDOM_ACCESS",
    "FILE_FLAG_SEQUENTIAL_SCAN",
    "FILE_FLAG_WRITE_THROUGH",
    "FILE_GENERIC_READ",
    "FILE_GENERIC_WRITE",
    "FILE_SHARE_DELETE",
    "FILE_SHARE_READ",
    "FILE_SHARE_WRITE",
    "FILE_TYPE_CHAR",
    "FILE_TYPE_DISK",
    "FILE_TYPE_PIPE",
    "FILE_TYPE_UNKNOWN",
    "GENERIC_EXECUTE",
    "GENERIC_READ",
    "GENERIC_WRITE",
    "INVALID_HANDLE_VALUE",
    "OPEN_ALWAYS",
    "OPEN_EXISTING",
    "OVERLAPPED",
    "SECURITY_ANONYMOUS",
    "SECURITY_CONTEXT_TRACKING",
    "SECURITY_DELEGATION",
    "SECURITY_EFFECTIVE_ONLY",
    "SECURITY_IDENTIFICATION",
    "SECURITY_IMPERSONATION",
    "SO_CONNECT_TIME",
    "SO_UPDATE_ACCEPT_CONTEXT",
    "SO_UPDATE_CONNECT_CONTEXT",
    "TF_DISCONNECT",
    "TF_REUSE_SOCKET",
    "TF_USE_DEFAULT_WORKER",
    "TF_USE_KERNEL_APC",
    "TF_USE_SYSTEM_THREAD",
    "TF_WRITE_BEHIND",
    "TRUNCATE_EXISTING",
    "UNICODE",
    "WSAECONNABORTED",
    "WSAECONNRESET",
    "WSAEDISCON",
    "WSAEFAULT",
    "WSAEINPROGRESS",
    "WSAEINTR",
    "WSAEINVAL",
    "WSAEMSGSIZE",
    "WSAENETDOWN",
    "WSAENETRESET",
    "WSAENOBUFS",
    "WSAENOTCONN",
    "WSAENOTSOCK",
    "WSAEOPNOTSUPP",
    "WSAESHUTDOWN",
    "WSAEWOULDBLOCK",
    "WSA_IO_PENDING",
    "WSA_OPERATION_ABORTED",
    "AcceptEx",
    "AllocateReadBuffer",
    "CalculateSocketEndPointSize",
    "CancelIo",
    "CloseHandle",
    "ConnectEx",
    "CreateFile",
    "CreateFileW",
    "CreateIoCompletionPort",
    "DeleteFile",
    "DeleteFileW",
    "FlushFileBuffers",
    "GetAcceptExSockaddrs",
    "GetFileAttributes",
    "GetFileAttributesEx",
    "GetFileAttributesExW",
    "GetFileAttributesW",
    "GetFileSize",
    "GetFileType",
    "GetOverlappedResult",
    "GetQueuedCompletionStatus",
    "PostQueuedCompletionStatus",
    "ReadFile",
    "SetEndOfFile",
    "SetFilePointer",
    "TransmitFile",
    "WSAAsyncSelect",
    "WSAEnumNetworkEvents",
    "WSAEventSelect",
    "WSARecv",
    "WSASend",
    "WriteFile",
    "_get_osfhandle",
    "_open_osfhandle",
    "error",
]

UNICODE: Final = 1
INVALID_HANDLE_VALUE: Final = -1

GENERIC_READ: Final = -0x80000000
FILE_GENERIC_READ: Final = 0x120089
FILE_GENERIC_WRITE: Final = 0x120116
FILE_ALL_ACCESS: Final = 0x1F01FF
FILE_ATTRIBUTE_HIDDEN: Final = 2
FILE_ATTRIBUTE_SYSTEM: Final = 4
FILE_FLAG_OPEN_REPARSE_POINT: Final = 0x200000
FILE_FLAG_POSIX_SEMANTICS: Final = 0x1000000
FILE_FLAG_RANDOM_ACCESS: Final = 0x10000000
FILE_FLAG_NO_BUFFERING: Final = 0x20000000
FILE_FLAG_WRITE_THROUGH: Final = -0x80000000
SECURITY_ANONYMOUS: Final = 0
SECURITY_IDENTIFICATION: Final = 0x10000
SECURITY_IMPERSONATION: Final = 0x20000
SECURITY_DELEGATION: Final = 0x30000
SECURITY_CONTEXT_TRACKING: Final = 0x40000
SECURITY_EFFECTIVE_ONLY: Final = 0x80000

_BESIDE_ADDRESS: Final = 16  # what AcceptEx wants beside each address
_SHOWN_OF_ADDRESS: Final = 14  # the bytes of sa_data, all that programs get of other families


# Files


@told()
def CreateFile(
    name: str,
    access: int,
    share: int,
    attributes: Any,
    disposition: int,
    flags: int,
    template: Any = None,
    /,
) -> PyHANDLE:
    """Open or make a file, or open the client's end of a pipe."""
    return PyHANDLE(
        kernel32.CreateFile(
            os.fspath(name), dword(access), share, inherits(attributes), disposition, dword(flags), handle_of(template)
        )
    )


@told()
def CreateFileW(
    FileName: str,
    DesiredAccess: int,
    ShareMode: int,
    SecurityAttributes: Any,
    CreationDisposition: int,
    FlagsAndAttributes: int,
    TemplateFile: Any = None,
) -> PyHANDLE:
    """As `CreateFile`, by the names of the parameters."""
    return PyHANDLE(
        kernel32.CreateFile(
            os.fspath(FileName),
            dword(DesiredAccess),
            ShareMode,
            inherits(SecurityAttributes),
            CreationDisposition,
            dword(FlagsAndAttributes),
            handle_of(TemplateFile),
        )
    )


@told()
def CloseHandle(handle: Any, /) -> None:
    """Close a handle."""
    if isinstance(handle, PyHANDLE):
        handle.Close()
    elif number := handle_of(handle):
        kernel32.CloseHandle(number)


@told()
def DeleteFile(name: str, /) -> None:
    """Delete a file."""
    kernel32.DeleteFile(os.fspath(name))


@told()
def DeleteFileW(FileName: str) -> None:
    """Delete a file."""
    kernel32.DeleteFile(os.fspath(FileName))


def AllocateReadBuffer(size: int, /) -> memoryview:
    """A buffer to read into."""
    return memoryview(bytearray(size))


@told()
def ReadFile(file: Any, place: Any, overlapped: PyOVERLAPPED | None = None, /) -> tuple[int, Any]:
    """Read from a file, pipe or socket.

    Args:
        place: a writable buffer, or a size.

    Returns:
        0, ERROR_MORE_DATA or ERROR_IO_PENDING; and the buffer (``place``, or a new one) with an OVERLAPPED, the bytes
        without.
    """
    record, handle = record_of(overlapped), object_of(file)
    return read(lambda view, request: kernel32.ReadFile(handle, view, request), place, record)


@told()
def WriteFile(file: Any, data: Any, overlapped: PyOVERLAPPED | None = None, /) -> tuple[int, int]:
    """Write to a file, pipe or socket: 0 or ERROR_IO_PENDING, and the bytes written so far."""
    view, record = readable(data), record_of(overlapped)
    return progress(kernel32.WriteFile(object_of(file), view, record))


@told()
def FlushFileBuffers(file: Any, /) -> None:
    """Have what was written kept."""
    kernel32.FlushFileBuffers(handle_of(file))


@told()
def SetFilePointer(file: Any, offset: int, method: int, /) -> int:
    """Move the position of a file; the new one."""
    return kernel32.SetFilePointerEx(handle_of(file), offset, method)


@told()
def SetEndOfFile(file: Any, /) -> None:
    """Cut or extend a file to its position."""
    kernel32.SetEndOfFile(handle_of(file))


@told()
def GetFileSize(file: Any, /) -> int:
    """The size of a file in bytes."""
    return kernel32.GetFileSizeEx(handle_of(file))


@told()
def GetFileType(file: Any, /) -> int:
    """FILE_TYPE_DISK, FILE_TYPE_CHAR or FILE_TYPE_PIPE, which sockets are."""
    return kernel32.GetFileType(object_of(file))


@told()
def GetFileAttributes(name: str, /) -> int:
    """The FILE_ATTRIBUTE bits of a file."""
    return kernel32.GetFileAttributes(os.fspath(name))


GetFileAttributesW = GetFileAttributes


@told()
def GetFileAttributesEx(FileName: str, InfoLevelId: int = 0) -> tuple[int, Any, Any, Any, int]:
    """Attributes, the times of a file's making, latest reading and latest writing, and its size."""
    known = kernel32.GetFileAttributesEx(os.fspath(FileName))
    times = TimeStamp(known.created), TimeStamp(known.accessed), TimeStamp(known.written)
    return known.attributes, *times, known.size


GetFileAttributesExW = GetFileAttributesEx


def _get_osfhandle(descriptor: int, /) -> int:
    """The handle of a descriptor; OSError when it is not open."""
    return msvcrt.get_osfhandle(descriptor)


def _open_osfhandle(handle: Any, flags: int, /) -> int:
    """The descriptor of a handle, which belongs to the descriptor from then on; OSError when there is none."""
    return msvcrt.open_osfhandle(handle_of(handle), flags)


# Overlapped requests and completion ports


@told()
def GetOverlappedResult(file: Any, overlapped: PyOVERLAPPED, wait: int, /) -> int:
    """The bytes that a request has moved; ERROR_IO_INCOMPLETE while it pends and is not to be waited for."""
    record = overlapped.record if isinstance(overlapped, PyOVERLAPPED) else record_of(overlapped)
    if record is None:
        raise TypeError("None is not a valid OVERLAPPED object in this context")
    return kernel32.GetOverlappedResult(handle_of(file), record, bool(wait))


@told()
def CancelIo(file: Any, /) -> None:
    """Cancel what the calling thread has begun on a file, pipe or socket."""
    kernel32.CancelIo(object_of(file))


@told()
def CreateIoCompletionPort(file: Any, existing: Any, key: int, threads: int, /) -> Any:
    """Make a port, or tie a file, pipe or socket to one: a new PyHANDLE, or ``existing`` itself.

    Args:
        file: INVALID_HANDLE_VALUE for none.
        existing: None or 0 to make one.
    """
    port = handle_of(existing)
    found = kernel32.CreateIoCompletionPort(object_of(file), port or None, handle_of(key), threads)
    return existing if port else PyHANDLE(found)


def GetQueuedCompletionStatus(port: Any, time_ms: int, /) -> tuple[int, int, int, PyOVERLAPPED | None]:
    """Take a packet off a port: the code, the bytes, the key and the OVERLAPPED.

    The code is that of the request, or, without an OVERLAPPED, of the call (WAIT_TIMEOUT).

    Raises:
        RuntimeError: the program has dropped the OVERLAPPED.
    """
    code = 0
    try:
        moved, key, overlapped = kernel32.GetQueuedCompletionStatus(handle_of(port), milliseconds(time_ms))
    except WinsockError as failure:
        if failure.packet is None:
            return failure.winerror, 0, 0, None
        moved, key, overlapped = failure.packet
        code = failure.winerror
    if isinstance(overlapped, Record):
        owner = overlapped.owner()
        if owner is None:
            raise RuntimeError("This overlapped object has lost all its references so was destroyed")
        return code, moved, key, owner
    return code, moved, key, overlapped


@told()
def PostQueuedCompletionStatus(
    port: Any, transferred: int = 0, key: int | None = None, overlapped: PyOVERLAPPED | None = None, /
) -> None:
    """Queue a packet, which keeps the OVERLAPPED until somebody takes it."""
    record_of(overlapped)
    kernel32.PostQueuedCompletionStatus(handle_of(port), transferred, handle_of(key), overlapped)


# Sockets


@told("getsockopt")
def _protocol(s: int) -> ProtocolInfo:
    """What there is to know of a socket's protocol."""
    return ProtocolInfo.unpack(ws2_32.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, PROTOCOL_INFOW_SIZE))


@told("WSAIoctl")
def _check(s: int) -> None:
    """What asking for an extension function would fail with."""
    current_process().socket(s)


def _areas(s: int, buffer: memoryview) -> tuple[int, int]:
    """The bytes for data and for an address in a buffer of AcceptEx."""
    area = _protocol(s).max_sock_addr + _BESIDE_ADDRESS
    if len(buffer) < 2 * area:
        raise ValueError(f"Second param must be at least {2 * area} bytes long")
    return len(buffer) - 2 * area, area


def CalculateSocketEndPointSize(s: Any, /) -> int:
    """The bytes that AcceptEx needs for addresses; with a buffer of just this size it takes no data."""
    return 2 * (_protocol(socket_of(s)).max_sock_addr + _BESIDE_ADDRESS)


@told()
def AcceptEx(listening: Any, accepting: Any, buffer: Any, overlapped: PyOVERLAPPED, /) -> int:
    """Begin to accept a connection into a socket: 0 or ERROR_IO_PENDING.

    Raises:
        ValueError: the buffer has no room for the addresses.
    """
    s, acceptor, record, view = socket_of(listening), socket_of(accepting), record_of(overlapped), writable(buffer)
    data, area = _areas(s, view)
    return progress(mswsock.AcceptEx(s, acceptor, view, data, area, area, record))[0]


def GetAcceptExSockaddrs(accepting: Any, buffer: Any, /) -> tuple[int, Any, Any]:
    """The family, the local and the remote address of a connection, out of the buffer of AcceptEx.

    An address is (host as bytes, port); in other families than AF_INET (family, 14 bytes).
    """
    view = readable(buffer)
    data, area = _areas(socket_of(accepting), view)
    local, remote = mswsock.GetAcceptExSockaddrs(view, data, area, area)
    assert local is not None  # there is room for it
    return local.family, _shown(local), _shown(remote)


def _shown(address: SockAddr) -> tuple[Any, Any]:
    if address.family == AF_INET:
        return address.host.encode(), address.port
    return address.family, bytes(address[2 : 2 + _SHOWN_OF_ADDRESS])


@told()
def ConnectEx(s: Any, name: tuple[Any, Any], Overlapped: PyOVERLAPPED, SendBuffer: Any = None) -> tuple[int, int]:
    """Begin to connect a bound socket: 0 or ERROR_IO_PENDING, and the bytes sent so far.

    Args:
        name: host and port; a name is resolved.
        SendBuffer: what is sent first.
    """
    number = socket_of(s)
    data = None if SendBuffer is None else readable(SendBuffer)
    _check(number)
    address = _resolved(name, _protocol(number))
    return progress(mswsock.ConnectEx(number, address, data, record_of(Overlapped)))


@told("getaddrinfo")
def _resolved(name: tuple[Any, Any], protocol: ProtocolInfo) -> SockAddr:
    host, port = name
    if not isinstance(host, str | bytes | None):
        raise TypeError("getaddrinfo() argument 1 must be string or None")
    if not isinstance(port, str | bytes | int | None):
        raise TypeError("Port must be int, string, or None")
    hints = AddrInfo(family=protocol.address_family, socktype=protocol.socket_type, protocol=protocol.protocol)
    address = ws2_32.getaddrinfo(_text(host), _text(port), hints)[0].addr
    assert address is not None
    return address


def _text(part: str | bytes | int | None) -> str | None:
    if isinstance(part, bytes):
        return part.decode()
    return str(part) if isinstance(part, int) else part


@told()
def WSARecv(s: Any, buffer: Any, overlapped: PyOVERLAPPED | None, flags: int = 0, /) -> tuple[int, int]:
    """Receive into a buffer: 0 or ERROR_IO_PENDING, and the bytes so far."""
    number, record = socket_of(s), record_of(overlapped)
    return progress(ws2_32.WSARecv(number, (writable(buffer),), flags, record))


@told()
def WSASend(s: Any, data: Any, overlapped: PyOVERLAPPED | None, flags: int = 0, /) -> tuple[int, int]:
    """Send a buffer: 0 or ERROR_IO_PENDING, and the bytes so far."""
    number, record = socket_of(s), record_of(overlapped)
    return progress(ws2_32.WSASend(number, (readable(data),), flags, record))


@told()
def TransmitFile(
    Socket: Any,
    File: Any,
    NumberOfBytesToWrite: int,
    NumberOfBytesPerSend: int,
    Overlapped: PyOVERLAPPED | None,
    Flags: int,
    Head: Any = None,
    Tail: Any = None,
) -> int:
    """Send a file, or a part of it, with data before and behind it: 0 or ERROR_IO_PENDING.

    The part begins at the OVERLAPPED's offset, without one at the file's position.
    """
    number, file, record = socket_of(Socket), handle_of(File), record_of(Overlapped)
    _check(number)
    own = None
    if 0 < file < FIRST_NUMBER:  # a descriptor
        own = PyHANDLE(file_handle_of(file))
        if record is None:
            kernel32.SetFilePointerEx(int(own), os.lseek(file, 0, os.SEEK_CUR), FILE_BEGIN)
        else:
            record.kept = own
    head = None if Head is None else readable(Head)
    tail = None if Tail is None else readable(Tail)
    begun = mswsock.TransmitFile(
        number, file if own is None else int(own), NumberOfBytesToWrite, NumberOfBytesPerSend, record, head, tail, Flags
    )
    return progress(begun)[0]


@told()
def WSAEventSelect(s: Any, event: Any, mask: int, /) -> None:
    """Have an event signalled for network events; the socket becomes non-blocking."""
    ws2_32.WSAEventSelect(socket_of(s), handle_of(event) or None, mask)


@told()
def WSAEnumNetworkEvents(s: Any, event: Any = None, /) -> dict[int, int]:
    """The network events since the last time with their codes; ``event`` is reset."""
    found, codes = ws2_32.WSAEnumNetworkEvents(socket_of(s), handle_of(event) or None)
    return {1 << bit: codes[bit] for bit in range(FD_MAX_EVENTS) if found & 1 << bit}


@told()
def WSAAsyncSelect(s: Any, window: Any, message: int, mask: int, /) -> None:
    """Have messages posted to a window for network events; the socket becomes non-blocking."""
    ws2_32.WSAAsyncSelect(socket_of(s), handle_of(window), message, mask)
