"""What a case sees: Windows' calls under their own names, whatever stands behind them.

Part played:     ``ws``. Names and shapes are those of winsock2emu's Python API: out-parameters are returned,
                 failure raises `Failed`, addresses are bytes in Windows' layout, None where C has a pointer
                 means NULL.
Lives here:      the calls as one interface, and helpers built from them: pairs of sockets, waiting, other
                 threads.
Lives elsewhere: how a call is made (driver for everything with a C ABI, targets/api for the Python API).

A call that a target does not have makes the case n/a there. Helpers use only calls, so they work on every
target. Every wait is for a condition and bounded; there is no fixed sleep.
"""

from __future__ import annotations

import contextlib
import enum
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import attrs

from .addresses import loopback
from .children import run_program, socket_in_child
from .constants import (
    AF_INET,
    FIONBIO,
    FIONREAD,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SO_ERROR,
    SO_LINGER,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
    WSANOTINITIALISED,
)
from .providers import VERSION_2_2, Provider, Recorder
from .threads import PATIENCE, Worker
from .verify import Failed, Mismatch, NotApplicable

if TYPE_CHECKING:
    from .driver import C
    from .records import AddrInfo, HostEnt, ProtocolInfo, ProtoEnt, ServEnt, WSAData
    from .registering import Notification, Piece, Registered, Registration, Result
    from .windowing import Creation, Message, Procedure, TimerRoutine

#: A buffer to read from or write into; None is a NULL pointer (with a length, where C has one).
Readable = bytes | bytearray | memoryview
Writable = bytearray | memoryview
Timeout = tuple[int, int]  # seconds, microseconds
_numbers = itertools.count(1)


class Pending(enum.Enum):
    """The type of PENDING."""

    PENDING = enum.auto()

    def __repr__(self) -> str:
        return "PENDING"


#: What an overlapped call returns that goes on: SOCKET_ERROR or FALSE with WSA_IO_PENDING in C.
PENDING = Pending.PENDING

#: A completion routine: (error, bytes, record, flags). It must not raise: what it has seen is compared outside.
Routine = Callable[[int, int, Any, int], object]
#: One of ReadFileEx and WriteFileEx: (error, bytes, record).
FileRoutine = Callable[[int, int, Any], object]


@attrs.frozen
class Element:
    """TRANSMIT_PACKETS_ELEMENT: data, or a part of a file; an offset of -1 is the file's own position."""

    data: bytes | None = None
    file: int = 0
    offset: int = 0
    length: int = 0
    end_of_packet: bool = False


#: WSAAccept's condition function: (caller_id, caller_data, callee_id, callback_data) -> CF_ACCEPT, CF_REJECT,
#: CF_DEFER.
Condition = Callable[[bytes, bytes | None, bytes, int], int]


class Target:
    """Windows Sockets, as a case uses it."""

    name = "target"
    #: One line for the report.
    description = ""
    #: Whether ``ws.c`` exists.
    has_c = False
    #: Whether a case can install a provider.
    has_providers = False
    #: Whether handles are those of this process, which children of it can inherit.
    in_process = False
    #: Which of the A and W functions are used, where both exist. The runner sets it for ``both_forms`` cases.
    form = "W"

    def __init__(self) -> None:
        self._open: list[int] = []
        self._peers: dict[int, int] = {}
        self._startups = 0
        #: What cleans up a process with installed providers from outside, while there is one.
        self._ends: list[Callable[[], None]] = []

    # ---- what the runner uses ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Prepare for a case: nothing started, nothing open."""
        self._open.clear()
        self._peers.clear()
        self._startups = 0
        self.form = "W"

    def end(self) -> int:
        """Clean up after a case, whatever it did; return the number of sockets it left open."""
        for finish in list(self._ends):  # only after a case that did not end
            finish()
        return self._close_and_clean_up()

    def _close_and_clean_up(self) -> int:
        left = [s for s in list(self._open) if self._still_open(s)]
        for _ in range(1000):  # a cleanup that never fails is a fault of the target, and must not hang the runner
            try:
                self.WSACleanup()
            except (Failed, NotApplicable):
                break
        self._open.clear()
        return len(left)

    def _still_open(self, s: int) -> bool:
        try:
            self.closesocket(s)
        except Failed as failure:
            return failure.code not in (WSAENOTSOCK, WSANOTINITIALISED)
        return True

    def _opened(self, s: int) -> int:
        """Note a socket that a call created."""
        self._open.append(s)
        return s

    def _closed(self, s: int) -> None:
        if s in self._open:
            self._open.remove(s)
        self._peers.pop(s, None)

    def _started(self) -> None:
        self._startups += 1

    def _cleaned_up(self) -> None:
        self._startups = max(0, self._startups - 1)
        if self._startups == 0:  # the last WSACleanup closes every socket
            self._open.clear()

    def _absent(self, call: str) -> NoReturn:
        raise NotApplicable(f"target {self.name} does not have {call}")

    @property
    def c(self) -> C:
        """Raw calls and memory, on targets with a C ABI. A case that uses it says ``needs_c=True``."""
        raise NotApplicable(f"target {self.name} has no C ABI")

    # ---- startup and last error ----------------------------------------------------------------------------

    def WSAStartup(self, version: int) -> WSAData:
        self._absent("WSAStartup")

    def WSACleanup(self) -> None:
        self._absent("WSACleanup")

    def WSAGetLastError(self) -> int:
        self._absent("WSAGetLastError")

    def WSASetLastError(self, code: int) -> None:
        self._absent("WSASetLastError")

    def GetLastError(self) -> int:
        self._absent("GetLastError")

    def SetLastError(self, code: int) -> None:
        self._absent("SetLastError")

    def GetCurrentProcessId(self) -> int:
        self._absent("GetCurrentProcessId")

    # ---- life of a socket ----------------------------------------------------------------------------------

    def socket(self, af: int, type: int, protocol: int) -> int:
        self._absent("socket")

    def WSASocket(
        self,
        af: int,
        type: int,
        protocol: int,
        info: ProtocolInfo | None = None,
        group: int = 0,
        flags: int = 0,
    ) -> int:
        self._absent("WSASocket")

    def WSADuplicateSocket(self, s: int, process_id: int) -> ProtocolInfo:
        """The record that WSASocket takes in that process."""
        self._absent("WSADuplicateSocket")

    def closesocket(self, s: int) -> None:
        self._absent("closesocket")

    def bind(self, s: int, name: bytes | None) -> None:
        self._absent("bind")

    def listen(self, s: int, backlog: int) -> None:
        self._absent("listen")

    def accept(self, s: int, namelen: int | None = None) -> tuple[int, bytes]:
        """``namelen`` is the room for the address in bytes; None: enough."""
        self._absent("accept")

    def WSAAccept(
        self, s: int, namelen: int | None = None, condition: Condition | None = None, callback_data: int = 0
    ) -> tuple[int, bytes]:
        self._absent("WSAAccept")

    def connect(self, s: int, name: bytes | None) -> None:
        self._absent("connect")

    def WSAConnect(
        self, s: int, name: bytes | None, caller_data: bytes | None = None, callee_room: int | None = None
    ) -> bytes:
        """Return the callee's data, empty where there is none."""
        self._absent("WSAConnect")

    def WSAConnectByName(
        self,
        s: int,
        node: str | None,
        service: str | None,
        local_room: int | None = None,
        remote_room: int | None = None,
        timeout: Timeout | None = None,
        reserved: Any = None,
    ) -> tuple[bytes, bytes]:
        """Return local and remote address."""
        self._absent("WSAConnectByName")

    def WSAConnectByList(
        self,
        s: int,
        addresses: Sequence[bytes] | None,
        local_room: int | None = None,
        remote_room: int | None = None,
        timeout: Timeout | None = None,
        reserved: Any = None,
    ) -> tuple[bytes, bytes]:
        """As WSAConnectByName."""
        self._absent("WSAConnectByList")

    def shutdown(self, s: int, how: int) -> None:
        self._absent("shutdown")

    def WSASendDisconnect(self, s: int, data: bytes | None = None) -> None:
        self._absent("WSASendDisconnect")

    def WSARecvDisconnect(self, s: int, room: int | None = None) -> bytes:
        """``room`` is the length of the WSABUF; None is a NULL pointer."""
        self._absent("WSARecvDisconnect")

    def getsockname(self, s: int, namelen: int | None = None) -> bytes:
        self._absent("getsockname")

    def getpeername(self, s: int, namelen: int | None = None) -> bytes:
        self._absent("getpeername")

    # ---- data ----------------------------------------------------------------------------------------------

    def send(self, s: int, data: Readable | None, flags: int = 0) -> int:
        self._absent("send")

    def recv(self, s: int, buffer: Writable | None, flags: int = 0) -> int:
        self._absent("recv")

    def sendto(self, s: int, data: Readable | None, flags: int, to: bytes | None) -> int:
        self._absent("sendto")

    def recvfrom(
        self, s: int, buffer: Writable | None, flags: int = 0, fromlen: int | None = None
    ) -> tuple[int, bytes | None]:
        self._absent("recvfrom")

    # With a record (``overlapped``) each of these may return PENDING; then ``result`` tells what it would have returned
    # otherwise. ``flags_of`` tells the flags that came back.

    def WSASend(
        self,
        s: int,
        buffers: Sequence[Readable | None] | None,
        flags: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        """``buffers=None`` is a NULL array, ``[]`` a count of 0, an element None a WSABUF without memory."""
        self._absent("WSASend")

    def WSARecv(
        self,
        s: int,
        buffers: Sequence[Writable | None] | None,
        flags: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        self._absent("WSARecv")

    def WSASendTo(
        self,
        s: int,
        buffers: Sequence[Readable | None] | None,
        flags: int,
        to: bytes | None,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        self._absent("WSASendTo")

    def WSARecvFrom(
        self,
        s: int,
        buffers: Sequence[Writable | None] | None,
        flags: int = 0,
        fromlen: int | None = None,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        """Bytes, and the sender or None."""
        self._absent("WSARecvFrom")

    def WSASendMsg(
        self,
        s: int,
        buffers: Sequence[Readable | None] | None,
        flags: int = 0,
        to: bytes | None = None,
        control: bytes = b"",
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        """See ``controldata`` for control data."""
        self._absent("WSASendMsg")

    def WSARecvMsg(
        self,
        s: int,
        buffers: Sequence[Writable | None] | None,
        control_room: int = 0,
        namelen: int | None = None,
        flags: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        """A ReceivedMessage; on WSAEMSGSIZE the failure has it."""
        self._absent("WSARecvMsg")

    def WSARecvEx(self, s: int, buffer: Writable | None) -> int:
        """See ``flags_of`` for the flags that came back."""
        self._absent("WSARecvEx")

    # ---- options, control, waiting -------------------------------------------------------------------------

    def getsockopt(self, s: int, level: int, option: int, length: int | None = None) -> bytes:
        """``length`` is the room offered in bytes; None: enough."""
        self._absent("getsockopt")

    def setsockopt(self, s: int, level: int, option: int, value: bytes | int | None) -> None:
        """An int is passed as four bytes."""
        self._absent("setsockopt")

    def ioctlsocket(self, s: int, cmd: int, arg: int | None) -> int:
        self._absent("ioctlsocket")

    def WSAIoctl(
        self,
        s: int,
        code: int,
        data: bytes | None = None,
        out_length: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        """The output as bytes, or PENDING."""
        self._absent("WSAIoctl")

    def select(
        self,
        readfds: Sequence[int] | None,
        writefds: Sequence[int] | None,
        exceptfds: Sequence[int] | None,
        timeout: Timeout | None,
    ) -> tuple[list[int], list[int], list[int]]:
        self._absent("select")

    def WSAPoll(self, fds: Sequence[tuple[int, int]] | None, timeout: int) -> tuple[int, list[int]]:
        """``fds``: (socket, events) of each entry; returns the result and the revents of each."""
        self._absent("WSAPoll")

    # ---- events and waits ----------------------------------------------------------------------------------

    def WSACreateEvent(self) -> int:
        self._absent("WSACreateEvent")

    def WSACloseEvent(self, event: int) -> None:
        self._absent("WSACloseEvent")

    def WSASetEvent(self, event: int) -> None:
        self._absent("WSASetEvent")

    def WSAResetEvent(self, event: int) -> None:
        self._absent("WSAResetEvent")

    def WSAWaitForMultipleEvents(
        self, events: Sequence[int] | None, wait_all: bool, timeout: int, alertable: bool = False
    ) -> int:
        """A NULL array has a count of 1."""
        self._absent("WSAWaitForMultipleEvents")

    def WSAEventSelect(self, s: int, event: int | None, mask: int) -> None:
        self._absent("WSAEventSelect")

    def WSAEnumNetworkEvents(self, s: int, event: int | None = None) -> tuple[int, tuple[int, ...]]:
        """The events, and ten error codes; 0 for those that are not set."""
        self._absent("WSAEnumNetworkEvents")

    def WSAAsyncSelect(self, s: int, window: int, message: int, mask: int) -> None:
        self._absent("WSAAsyncSelect")

    def CreateEvent(self, inherit: bool, manual_reset: bool, initial_state: bool, name: str | None = None) -> int:
        self._absent("CreateEvent")

    def OpenEvent(self, access: int, inherit: bool, name: str) -> int:
        self._absent("OpenEvent")

    def CloseHandle(self, handle: int) -> None:
        self._absent("CloseHandle")

    def DuplicateHandle(
        self,
        source_process: int,
        source: int,
        target_process: int,
        access: int = 0,
        inherit: bool = False,
        options: int = 2,
    ) -> int:
        """By default with the same access."""
        self._absent("DuplicateHandle")

    def GetHandleInformation(self, handle: int) -> int:
        """The HANDLE_FLAG bits."""
        self._absent("GetHandleInformation")

    def SetHandleInformation(self, handle: int, mask: int, flags: int) -> None:
        self._absent("SetHandleInformation")

    def WaitForSingleObject(self, handle: int, milliseconds: int) -> int:
        self._absent("WaitForSingleObject")

    def WaitForSingleObjectEx(self, handle: int, milliseconds: int, alertable: bool) -> int:
        self._absent("WaitForSingleObjectEx")

    def WaitForMultipleObjects(self, handles: Sequence[int], wait_all: bool, milliseconds: int) -> int:
        self._absent("WaitForMultipleObjects")

    def SignalObjectAndWait(self, to_signal: int, to_wait_on: int, milliseconds: int, alertable: bool) -> int:
        self._absent("SignalObjectAndWait")

    def SleepEx(self, milliseconds: int, alertable: bool) -> int:
        self._absent("SleepEx")

    def GetCurrentThread(self) -> int:
        self._absent("GetCurrentThread")

    def GetCurrentProcess(self) -> int:
        self._absent("GetCurrentProcess")

    def QueueUserAPC(self, routine: Callable[[int], object], thread: int, data: int) -> None:
        self._absent("QueueUserAPC")

    def CreateIoCompletionPort(self, file: int, existing: int, key: int, concurrency: int) -> int:
        self._absent("CreateIoCompletionPort")

    def PostQueuedCompletionStatus(self, port: int, transferred: int, key: int, overlapped: int) -> None:
        self._absent("PostQueuedCompletionStatus")

    def GetQueuedCompletionStatus(self, port: int, milliseconds: int) -> tuple[int, int, int]:
        """Bytes, key, overlapped."""
        self._absent("GetQueuedCompletionStatus")

    def GetQueuedCompletionStatusEx(
        self, port: int, count: int, milliseconds: int, alertable: bool
    ) -> list[tuple[int, int, int, int]]:
        """(key, overlapped, Internal, bytes) of each."""
        self._absent("GetQueuedCompletionStatusEx")

    # ---- socket state notifications --------------------------------------------------------------------------

    def ProcessSocketNotifications(
        self, port: int, registrations: Sequence[Registration] = (), timeout_ms: int = 0, count: int = 0
    ) -> list[tuple[int, Any, int, int]]:
        """(key, overlapped, Internal, events) of each packet. Each registration gets its result."""
        self._absent("ProcessSocketNotifications")

    # ---- registered I/O (records: registering) ---------------------------------------------------------------

    def rio_memory(self, size: int) -> Registered:
        """Memory that is registered."""
        self._absent("rio_memory")

    def RIORegisterBuffer(self, buffer: Writable | None) -> int:
        """Only for buffers that cannot be registered; see `rio_memory`."""
        self._absent("RIORegisterBuffer")

    def RIODeregisterBuffer(self, buffer_id: int) -> None:
        self._absent("RIODeregisterBuffer")

    def RIOCreateCompletionQueue(self, size: int, notification: Notification | None = None) -> int:
        self._absent("RIOCreateCompletionQueue")

    def RIOResizeCompletionQueue(self, cq: int, size: int) -> None:
        self._absent("RIOResizeCompletionQueue")

    def RIOCloseCompletionQueue(self, cq: int) -> None:
        self._absent("RIOCloseCompletionQueue")

    def RIOCreateRequestQueue(
        self,
        s: int,
        most_receives: int,
        receive_buffers: int,
        most_sends: int,
        send_buffers: int,
        receive_cq: int,
        send_cq: int,
        context: int = 0,
    ) -> int:
        self._absent("RIOCreateRequestQueue")

    def RIOResizeRequestQueue(self, rq: int, most_receives: int, most_sends: int) -> None:
        self._absent("RIOResizeRequestQueue")

    def RIOReceive(self, rq: int, data: Piece | None, flags: int = 0, context: int = 0) -> None:
        self._absent("RIOReceive")

    def RIOReceiveEx(
        self, rq: int, data: Piece | None, *beside: Piece | None, flags: int = 0, context: int = 0
    ) -> None:
        """``beside``: local address, remote address, control data, flags."""
        self._absent("RIOReceiveEx")

    def RIOSend(self, rq: int, data: Piece | None, flags: int = 0, context: int = 0) -> None:
        self._absent("RIOSend")

    def RIOSendEx(self, rq: int, data: Piece | None, *beside: Piece | None, flags: int = 0, context: int = 0) -> None:
        self._absent("RIOSendEx")

    def RIODequeueCompletion(self, cq: int, count: int) -> list[Result]:
        """Fails where C returns RIO_CORRUPT_CQ."""
        self._absent("RIODequeueCompletion")

    def RIONotify(self, cq: int) -> None:
        self._absent("RIONotify")

    # ---- overlapped requests -------------------------------------------------------------------------------

    def overlapped(self, event: int | None = None) -> Any:
        """A record for requests: ``.Internal``, ``.InternalHigh``, ``.Offset``, ``.OffsetHigh``, ``.hEvent``."""
        raise NotApplicable(f"target {self.name} has no overlapped records")

    def WSAGetOverlappedResult(self, s: int, overlapped: Any, wait: bool) -> tuple[int, int]:
        """Bytes, flags."""
        self._absent("WSAGetOverlappedResult")

    def GetOverlappedResult(self, handle: int, overlapped: Any, wait: bool) -> int:
        """Bytes; a failure has them, too, as ``moved``."""
        self._absent("GetOverlappedResult")

    def GetOverlappedResultEx(self, handle: int, overlapped: Any, milliseconds: int, alertable: bool) -> int:
        self._absent("GetOverlappedResultEx")

    def ReadFile(self, handle: int, buffer: Writable | None, overlapped: Any = None) -> int | Pending:
        self._absent("ReadFile")

    def WriteFile(self, handle: int, data: Readable | None, overlapped: Any = None) -> int | Pending:
        self._absent("WriteFile")

    def ReadFileEx(self, handle: int, buffer: Writable | None, overlapped: Any, routine: FileRoutine | None) -> None:
        self._absent("ReadFileEx")

    def WriteFileEx(self, handle: int, data: Readable | None, overlapped: Any, routine: FileRoutine | None) -> None:
        self._absent("WriteFileEx")

    def CreateFile(self, name: str | None, access: int, share: int, disposition: int, flags: int = 0) -> int:
        """Without security attributes and template."""
        self._absent("CreateFile")

    def DeleteFile(self, name: str) -> None:
        self._absent("DeleteFile")

    def GetFileSizeEx(self, handle: int) -> int:
        self._absent("GetFileSizeEx")

    def SetFilePointerEx(self, handle: int, distance: int, method: int) -> int:
        self._absent("SetFilePointerEx")

    def GetFileType(self, handle: int) -> int:
        self._absent("GetFileType")

    def GetTempPath(self) -> str:
        self._absent("GetTempPath")

    def QueueUserWorkItem(self, function: Callable[[int], object], context: int, flags: int = 0) -> None:
        self._absent("QueueUserWorkItem")

    def RegisterWaitForSingleObject(
        self, thing: int, callback: Callable[[int, bool], object], context: int, milliseconds: int, flags: int = 0
    ) -> int:
        """``callback(context, timed_out)``."""
        self._absent("RegisterWaitForSingleObject")

    def UnregisterWait(self, wait: int) -> None:
        self._absent("UnregisterWait")

    def UnregisterWaitEx(self, wait: int, completion_event: int) -> None:
        self._absent("UnregisterWaitEx")

    def BindIoCompletionCallback(self, file: int, function: Callable[[int, int, object], object] | None) -> None:
        """``function(error, bytes, token of the record)``."""
        self._absent("BindIoCompletionCallback")

    def TlsAlloc(self) -> int:
        self._absent("TlsAlloc")

    def TlsFree(self, slot: int) -> None:
        self._absent("TlsFree")

    def TlsGetValue(self, slot: int) -> int:
        """0 where nothing was set."""
        self._absent("TlsGetValue")

    def TlsSetValue(self, slot: int, value: int) -> None:
        self._absent("TlsSetValue")

    def GetExitCodeProcess(self, process: int) -> int:
        self._absent("GetExitCodeProcess")

    def OpenProcess(self, access: int, inherit: bool, process_id: int) -> int:
        self._absent("OpenProcess")

    def CancelSynchronousIo(self, thread: int) -> None:
        self._absent("CancelSynchronousIo")

    def CancelIo(self, handle: int) -> None:
        self._absent("CancelIo")

    def CancelIoEx(self, handle: int, overlapped: Any = None) -> None:
        self._absent("CancelIoEx")

    def SetFileCompletionNotificationModes(self, handle: int, flags: int) -> None:
        self._absent("SetFileCompletionNotificationModes")

    def AcceptEx(
        self,
        listener: int,
        acceptor: int,
        buffer: Writable | None,
        receive_length: int,
        local_length: int,
        remote_length: int,
        overlapped: Any,
    ) -> int | Pending:
        """The buffer is filled when the record shows that the request is complete."""
        self._absent("AcceptEx")

    def GetAcceptExSockaddrs(
        self, buffer: Writable, receive_length: int, local_length: int, remote_length: int
    ) -> tuple[bytes | None, bytes]:
        """Local and remote address; None: not stored."""
        self._absent("GetAcceptExSockaddrs")

    def ConnectEx(
        self, s: int, name: bytes | None, data: Readable | None = None, overlapped: Any = None
    ) -> int | Pending:
        """In C the data is overwritten as soon as the call returns."""
        self._absent("ConnectEx")

    def DisconnectEx(self, s: int, overlapped: Any = None, flags: int = 0) -> Pending | None:
        self._absent("DisconnectEx")

    def TransmitFile(
        self,
        s: int,
        file: int | None,
        count: int = 0,
        per_send: int = 0,
        overlapped: Any = None,
        head: Readable | None = None,
        tail: Readable | None = None,
        flags: int = 0,
    ) -> int | Pending:
        """The result says something only if it is PENDING; C has no byte count."""
        self._absent("TransmitFile")

    def TransmitPackets(
        self,
        s: int,
        elements: Sequence[Element] | None,
        send_size: int = 0,
        overlapped: Any = None,
        flags: int = 0,
    ) -> int | Pending:
        """As TransmitFile."""
        self._absent("TransmitPackets")

    # ---- messages and windows; see ``windowing`` for numbers and records -----------------------------------

    def GetCurrentThreadId(self) -> int:
        self._absent("GetCurrentThreadId")

    def RegisterClassEx(self, name: str, procedure: Procedure, extra: int = 0) -> int:
        self._absent("RegisterClassEx")

    def UnregisterClass(self, name: str) -> None:
        self._absent("UnregisterClass")

    def CreateWindowEx(
        self,
        class_name: str | int,
        window_name: str | None = None,
        style: int = 0,
        parent: int = -3,
        param: int = 0,
    ) -> int:
        """By default a message-only window. 0: its procedure has refused it."""
        self._absent("CreateWindowEx")

    def DestroyWindow(self, hwnd: int) -> None:
        self._absent("DestroyWindow")

    def IsWindow(self, hwnd: int) -> bool:
        self._absent("IsWindow")

    def GetMessage(self, hwnd: int = 0, first: int = 0, last: int = 0) -> Message:
        self._absent("GetMessage")

    def PeekMessage(self, hwnd: int = 0, first: int = 0, last: int = 0, flags: int = 1) -> Message | None:
        self._absent("PeekMessage")

    def PostMessage(self, hwnd: int, message: int, wparam: int = 0, lparam: int = 0) -> None:
        self._absent("PostMessage")

    def PostThreadMessage(self, thread: int, message: int, wparam: int = 0, lparam: int = 0) -> None:
        self._absent("PostThreadMessage")

    def PostQuitMessage(self, exit_code: int) -> None:
        self._absent("PostQuitMessage")

    def SendMessage(self, hwnd: int, message: int, wparam: int = 0, lparam: int = 0) -> int:
        self._absent("SendMessage")

    def DispatchMessage(self, message: Message) -> int:
        self._absent("DispatchMessage")

    def TranslateMessage(self, message: Message) -> bool:
        self._absent("TranslateMessage")

    def DefWindowProc(self, hwnd: int, message: int, wparam: int = 0, lparam: int | Creation = 0) -> int:
        self._absent("DefWindowProc")

    def MsgWaitForMultipleObjects(self, handles: Sequence[int], wait_all: bool, milliseconds: int, mask: int) -> int:
        self._absent("MsgWaitForMultipleObjects")

    def MsgWaitForMultipleObjectsEx(self, handles: Sequence[int], milliseconds: int, mask: int, flags: int) -> int:
        self._absent("MsgWaitForMultipleObjectsEx")

    def SetTimer(self, hwnd: int, identifier: int, elapse: int, routine: TimerRoutine | None = None) -> int:
        self._absent("SetTimer")

    def KillTimer(self, hwnd: int, identifier: int) -> None:
        self._absent("KillTimer")

    def GetWindowLongPtr(self, hwnd: int, index: int) -> int:
        self._absent("GetWindowLongPtr")

    def SetWindowLongPtr(self, hwnd: int, index: int, value: int | Procedure) -> int:
        self._absent("SetWindowLongPtr")

    def RegisterWindowMessage(self, text: str) -> int:
        self._absent("RegisterWindowMessage")

    def WSAAsyncGetHostByName(self, hwnd: int, message: int, name: str | None, room: int | None = 1024) -> int:
        """Return the task. ``room`` is the size of the buffer in bytes, which only C has; None is a NULL pointer."""
        self._absent("WSAAsyncGetHostByName")

    def WSAAsyncGetServByName(
        self, hwnd: int, message: int, name: str | None, proto: str | None, room: int | None = 1024
    ) -> int:
        self._absent("WSAAsyncGetServByName")

    def WSAAsyncGetServByPort(
        self, hwnd: int, message: int, port: int, proto: str | None, room: int | None = 1024
    ) -> int:
        self._absent("WSAAsyncGetServByPort")

    def WSACancelAsyncRequest(self, task: int) -> None:
        self._absent("WSACancelAsyncRequest")

    # ---- numbers, addresses, names -------------------------------------------------------------------------

    def htonl(self, value: int) -> int:
        self._absent("htonl")

    def htons(self, value: int) -> int:
        self._absent("htons")

    def ntohl(self, value: int) -> int:
        self._absent("ntohl")

    def ntohs(self, value: int) -> int:
        self._absent("ntohs")

    def WSAHtonl(self, s: int, value: int) -> int:
        self._absent("WSAHtonl")

    def WSAHtons(self, s: int, value: int) -> int:
        self._absent("WSAHtons")

    def WSANtohl(self, s: int, value: int) -> int:
        self._absent("WSANtohl")

    def WSANtohs(self, s: int, value: int) -> int:
        self._absent("WSANtohs")

    def inet_addr(self, text: str | None) -> int:
        self._absent("inet_addr")

    def inet_ntoa(self, address: int) -> str:
        self._absent("inet_ntoa")

    def inet_pton(self, family: int, text: str | None, buffer: Writable | None) -> int:
        self._absent("inet_pton")

    def inet_ntop(self, family: int, address: bytes | None, size: int) -> str:
        self._absent("inet_ntop")

    def InetPtonW(self, family: int, text: str | None, buffer: Writable | None) -> int:
        self._absent("InetPtonW")

    def InetNtopW(self, family: int, address: bytes | None, size: int) -> str:
        self._absent("InetNtopW")

    def WSAAddressToString(
        self, address: bytes | None, info: ProtocolInfo | None = None, length: int | None = None
    ) -> str:
        """``length`` is the room in characters with the final NUL; None: enough."""
        self._absent("WSAAddressToString")

    def WSAStringToAddress(
        self, text: str | None, family: int, info: ProtocolInfo | None = None, length: int | None = None
    ) -> bytes:
        self._absent("WSAStringToAddress")

    def WSAEnumProtocols(self, protocols: Sequence[int] | None = None) -> list[ProtocolInfo]:
        self._absent("WSAEnumProtocols")

    def getaddrinfo(self, node: str | None, service: str | None, hints: AddrInfo | None = None) -> list[AddrInfo]:
        self._absent("getaddrinfo")

    def getnameinfo(self, address: bytes | None, flags: int = 0) -> tuple[str, str]:
        self._absent("getnameinfo")

    def gethostbyname(self, name: str | None) -> HostEnt:
        self._absent("gethostbyname")

    def gethostname(self) -> str:
        self._absent("gethostname")

    def getservbyname(self, name: str | None, proto: str | None = None) -> ServEnt:
        self._absent("getservbyname")

    def getservbyport(self, port: int, proto: str | None = None) -> ServEnt:
        """``port`` is in network byte order."""
        self._absent("getservbyport")

    def getprotobyname(self, name: str | None) -> ProtoEnt:
        self._absent("getprotobyname")

    def getprotobynumber(self, number: int) -> ProtoEnt:
        self._absent("getprotobynumber")

    # ---- helpers: errors -----------------------------------------------------------------------------------

    def message(self, code: int) -> str:
        """Return the system's text for an error code, without its line end; empty when there is none."""
        raise NotApplicable(f"target {self.name} has no message texts")

    # ---- helpers: sockets ----------------------------------------------------------------------------------

    def tcp(self, family: int = AF_INET) -> int:
        """Return a new stream socket; close it, or open it with ``closing``."""
        return self.socket(family, SOCK_STREAM, IPPROTO_TCP)

    def udp(self, family: int = AF_INET) -> int:
        """Return a new, unbound datagram socket."""
        return self.socket(family, SOCK_DGRAM, IPPROTO_UDP)

    @contextlib.contextmanager
    def closing(self, *sockets: int) -> Iterator[Any]:
        """Close the sockets at the end of the block, unless it did so itself; yields one, or the tuple."""
        ignored: type[Exception] = Failed
        try:
            yield sockets[0] if len(sockets) == 1 else sockets
        except BaseException:
            ignored = Exception  # what the block has raised is what counts, even if the whole target is gone
            raise
        finally:
            for s in sockets:
                if s in self._open:
                    with contextlib.suppress(ignored):
                        self.closesocket(s)

    @contextlib.contextmanager
    def listener(self, backlog: int = 5, family: int = AF_INET) -> Iterator[int]:
        """A TCP socket that listens on a free loopback port (``ws.getsockname`` tells which)."""
        with self.closing(self.tcp(family)) as s:
            self.bind(s, loopback(family))
            self.listen(s, backlog)
            yield s

    @contextlib.contextmanager
    def connected_pair(self, family: int = AF_INET) -> Iterator[tuple[int, int]]:
        """Two connected TCP sockets, (client, server)."""
        with self.listener(family=family) as listening:
            client = self.tcp(family)
            with self.closing(client):
                self.connect(client, self.getsockname(listening))
                server, _ = self.accept(listening)
                with self.closing(server):
                    self.closesocket(listening)
                    self._peers[client], self._peers[server] = server, client
                    yield client, server

    @contextlib.contextmanager
    def udp_pair(self, family: int = AF_INET, *, connected: bool = True) -> Iterator[tuple[int, int]]:
        """Two UDP sockets bound to loopback ports; with ``connected`` each is connected to the other."""
        with self.closing(self.udp(family), self.udp(family)) as (a, b):
            self.bind(a, loopback(family))
            self.bind(b, loopback(family))
            if connected:
                self.connect(a, self.getsockname(b))
                self.connect(b, self.getsockname(a))
            self._peers[a], self._peers[b] = b, a
            yield a, b

    @contextlib.contextmanager
    def socket_in(self, state: str) -> Iterator[int]:
        """One socket in a state, for tables of cases.

        States: closed (a handle that was one), stream (new), bound, listening, connecting, connected, accepted;
        datagram (new), bound-datagram, connected-datagram.
        """
        with contextlib.ExitStack() as stack:
            match state:
                case "closed":
                    s = self.tcp()
                    self.closesocket(s)
                case "listening":
                    s = stack.enter_context(self.listener())
                case "connecting":
                    s = stack.enter_context(self.connecting())
                case "connected":
                    s, _ = stack.enter_context(self.connected_pair())
                case "accepted":
                    _, s = stack.enter_context(self.connected_pair())
                case "connected-datagram":
                    s, _ = stack.enter_context(self.udp_pair())
                case "stream" | "bound" | "datagram" | "bound-datagram":
                    s = stack.enter_context(self.closing(self.udp() if "datagram" in state else self.tcp()))
                    if "bound" in state:
                        self.bind(s, loopback())
                case _:
                    raise ValueError(f"no state {state!r}")
            yield s

    def has_family(self, family: int) -> bool:
        """Return whether this machine has AF_INET or AF_INET6: a socket can be bound to the loopback address."""
        try:
            with self.closing(self.udp(family)) as s:
                self.bind(s, loopback(family))
        except Failed:
            return False
        return True

    def dead_address(self, family: int = AF_INET, type: int = SOCK_STREAM) -> bytes:
        """Return a loopback address whose port nobody has just now."""
        with self.closing(self.socket(family, type, 0)) as s:
            self.bind(s, loopback(family))
            return self.getsockname(s)

    @contextlib.contextmanager
    def connecting(self) -> Iterator[int]:
        """A non-blocking TCP socket whose connect is under way and stays so for a while.

        A full backlog brings it about: hosts drop the request, or refuse it, which Windows takes a second to believe.
        The case is n/a where neither works.
        """
        with contextlib.ExitStack() as stack:
            listening = stack.enter_context(self.listener(backlog=1))
            where = self.getsockname(listening)
            for _ in range(16):
                s: int = stack.enter_context(self.closing(self.tcp()))
                self.nonblocking(s)
                try:
                    self.connect(s, where)
                except Failed as failure:
                    if failure.code != WSAEWOULDBLOCK:
                        raise
                if not any(self.select(None, [s], [s], _timeout(0.05))):
                    yield s
                    return
            raise NotApplicable("no connect stays under way on this machine")

    def nonblocking(self, s: int, on: bool = True) -> None:
        """Set or clear non-blocking mode."""
        self.ioctlsocket(s, FIONBIO, int(on))

    def reset(self, s: int) -> None:
        """Close ``s`` abortively: the peer of a connection gets a reset."""
        self.setsockopt(s, SOL_SOCKET, SO_LINGER, b"\x01\x00\x00\x00")
        self.closesocket(s)

    def get_int(self, s: int, level: int, option: int) -> int:
        """Return an int-sized option."""
        return int.from_bytes(self.getsockopt(s, level, option, 4), "little", signed=True)

    def pending_error(self, s: int) -> int:
        """Return, and so clear, SO_ERROR."""
        return self.get_int(s, SOL_SOCKET, SO_ERROR)

    def socket_in_child(self, s: int) -> int | None:
        """Start a process that inherits handles: SO_TYPE of the socket ``s`` there, None when it has no such socket."""
        if not self.in_process:
            raise NotApplicable(f"target {self.name} starts no child processes")
        return socket_in_child(s)

    def run_program(self, source: str, *arguments: str) -> None:
        """Run a program of ctypes calls in a process of its own, until its end."""
        if not self.in_process:
            raise NotApplicable(f"target {self.name} starts no child processes")
        run_program(source, *arguments)

    # ---- helpers: providers ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def provider(
        self, wanted: Provider | None = None, *, built_in: bool = False, start: bool = True
    ) -> Iterator[Recorder]:
        """One installed provider, by default a well-behaved stream transport; see ``providers``."""
        with self.providers(wanted or Provider(), built_in=built_in, start=start) as (recorder,):
            yield recorder

    @contextlib.contextmanager
    def providers(
        self, *wanted: Provider, built_in: bool = False, start: bool = True
    ) -> Iterator[tuple[Recorder, ...]]:
        """Another process, whose catalog holds the rows of these providers; ``as`` tells what the DLL does with each.

        Inside of the block all calls, also those of other threads, are calls of that process. It ends with the block,
        where no socket may be open any more. A case that uses it says ``needs_provider=True``.

        Args:
            wanted: the providers, in the order of the catalog.
            built_in: the rows that Windows has anyway follow them.
            start: WSAStartup 2.2 comes first; otherwise the case starts.
        """
        outer = self._open, self._peers, self._startups
        left = 0
        with self._installation(wanted, built_in) as recorders:
            self._open, self._peers, self._startups = [], {}, 0
            try:
                if start:
                    self.WSAStartup(VERSION_2_2)
                yield recorders
            finally:
                left = self._close_and_clean_up()
                self._open, self._peers, self._startups = outer
        if left:
            raise Mismatch("sockets of the installed provider", expected="none left open", actual=f"{left} left open")

    def _installation(
        self, wanted: Sequence[Provider], built_in: bool
    ) -> contextlib.AbstractContextManager[tuple[Recorder, ...]]:
        """Make that process current, not started yet."""
        raise NotApplicable(f"needs an installed provider; target {self.name} cannot install any")

    # ---- helpers: overlapped requests ----------------------------------------------------------------------

    def token(self, overlapped: Any) -> Any:
        """What a completion port tells of a record."""
        return overlapped

    def result(self, overlapped: Any) -> Any:
        """What the call of a completed request would have returned if it had not been overlapped.

        Of a request that has failed, what there is all the same: (bytes, sender), or the message received.
        """
        raise NotApplicable(f"target {self.name} has no overlapped requests")

    # ---- helpers: windows ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def window(self, procedure: Procedure | None = None, *, parent: int = -3) -> Iterator[int]:
        """A window of a class of its own, by default message-only; the thread's queue is empty when it begins.

        Without a procedure every message goes to DefWindowProc.
        """
        name = f"conformance-{next(_numbers)}"
        self.messages()
        self.RegisterClassEx(name, procedure or self.DefWindowProc)
        try:
            hwnd = self.CreateWindowEx(name, parent=parent)
            try:
                yield hwnd
            finally:
                if self.IsWindow(hwnd):
                    self.DestroyWindow(hwnd)
        finally:
            self.UnregisterClass(name)

    def host_looked_up(self, task: int) -> HostEnt:
        """Return what WSAAsyncGetHostByName has put into its buffer."""
        raise NotApplicable(f"target {self.name} has no buffers for look-ups")

    def messages(self) -> list[Message]:
        """Take everything out of the calling thread's queue."""
        found = []
        while (message := self.PeekMessage()) is not None:
            found.append(message)
        return found

    # ---- helpers: waiting ----------------------------------------------------------------------------------

    def until(self, what: str, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Ask again and again, every millisecond, until ``condition`` is true.

        Raises:
            Mismatch: it did not become true in time.
        """
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while not condition():
            if time.monotonic() > deadline:
                raise Mismatch(what, expected=f"true within {seconds:g} s", actual="still false")
            pause.wait(0.001)

    def readable(self, s: int, seconds: float = 0) -> bool:
        """Return whether ``s`` becomes readable (data, end of stream, a connection to accept) in time."""
        return bool(self.select([s], None, None, _timeout(seconds))[0])

    def writable(self, s: int, seconds: float = 0) -> bool:
        """Return whether ``s`` becomes writable in time."""
        return bool(self.select(None, [s], None, _timeout(seconds))[1])

    def wait_readable(self, s: int, seconds: float = PATIENCE) -> None:
        """Wait until ``s`` is readable.

        Raises:
            Mismatch: it did not become so in time.
        """
        if not self.readable(s, seconds):
            raise Mismatch("socket", expected=f"readable within {seconds:g} s", actual="not readable")

    def wait_writable(self, s: int, seconds: float = PATIENCE) -> None:
        """Wait until ``s`` is writable."""
        if not self.writable(s, seconds):
            raise Mismatch("socket", expected=f"writable within {seconds:g} s", actual="not writable")

    def queued(self, s: int) -> int:
        """Return the number of bytes that FIONREAD reports."""
        return self.ioctlsocket(s, FIONREAD, 0)

    def send_and_settle(self, s: int, data: Readable, peer: int | None = None) -> None:
        """Send all of ``data`` and wait until it has arrived at the other end.

        Args:
            s: a connected socket.
            data: bytes; on a datagram socket one datagram.
            peer: the socket at the other end; known for the helpers' pairs.
        """
        receiver = self._peers[s] if peer is None else peer
        before = self.queued(receiver)
        sent = 0
        view = memoryview(data)
        while True:
            sent += self.send(s, view[sent:])
            if sent >= len(data):
                break
        if data:
            self.wait_readable(receiver)
            self.until(f"{len(data)} bytes arrived", lambda: self.queued(receiver) >= before + len(data))

    def receive_exactly(self, s: int, count: int) -> bytes:
        """Receive ``count`` bytes of a stream, in as many pieces as they come.

        Raises:
            Mismatch: the stream ended before.
        """
        got = bytearray()
        while len(got) < count:
            room = bytearray(count - len(got))
            moved = self.recv(s, room)
            if moved == 0:
                raise Mismatch("stream", expected=f"{count} bytes", actual=f"end after {len(got)}")
            got += room[:moved]
        return bytes(got)

    # ---- helpers: threads ----------------------------------------------------------------------------------

    def thread(self) -> Worker:
        """Return another thread: ``with ws.thread() as other: other.call(ws.send, s, b"x")``."""
        return Worker()


#: The names of all calls: what a target is asked to implement.
CALLS = tuple(
    name
    for name, member in vars(Target).items()
    if name[0] != "_" and "_absent" in getattr(getattr(member, "__code__", None), "co_names", ())
)


def flags_of(received: int) -> int:
    """Return the flags that a receive gave back (MSG_PARTIAL ...); 0 when there were none."""
    return int(getattr(received, "flags", 0))


def _timeout(seconds: float) -> Timeout:
    return int(seconds), int(seconds % 1 * 1_000_000)
