"""Named pipes.

Part played:     npfs.sys.
Lives here:      names and their instances, the two ends of an instance, reading and writing by bytes or by messages.
Lives elsewhere: the functions (kernel32.pipes, kernel32.files), waiting and order (engine/lanes), completion
                 (kernel/operations).
Data:            goes through a pair of host sockets, so that one end can be given to a process of the host. A message
                 has its length in front of it there; who is given an end of a message pipe would see that.
Reach:           the names are the emulated process's own. Other processes neither see them nor can open them.
Buffers:         the sizes that a program asks for are the host's business.
Missing:         PIPE_NOWAIT, time-outs of a name, SetNamedPipeHandleState, PeekNamedPipe, DisconnectNamedPipe,
                 impersonation, remote clients.
Sources:         "Named Pipes" on Microsoft Learn and the pages of its functions.
"""

from __future__ import annotations

import _socket
import os
import struct
import threading
from collections.abc import Callable
from typing import Any, Final

from ...defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_BROKEN_PIPE,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE,
    ERROR_MORE_DATA,
    ERROR_NO_DATA,
    ERROR_PIPE_BUSY,
    ERROR_PIPE_CONNECTED,
    ERROR_PIPE_NOT_CONNECTED,
    ERROR_TOO_MANY_OPEN_FILES,
    STATUS_BUFFER_OVERFLOW,
    WSA_OPERATION_ABORTED,
)
from ...defs.winbase import GENERIC_ALL, GENERIC_READ, GENERIC_WRITE
from ...engine.endpoint import Endpoint
from ...engine.pump import Pump
from ...errors import WinsockError
from ...kernel.events import Event
from ...kernel.files import FileObject
from ...kernel.objects import Home, wait
from ...kernel.operations import PENDING, Operation

PREFIX: Final = "\\\\.\\pipe\\"

PIPE_ACCESS_INBOUND: Final = 1
PIPE_ACCESS_OUTBOUND: Final = 2
PIPE_TYPE_MESSAGE: Final = 4
PIPE_READMODE_MESSAGE: Final = 2

_LENGTH: Final = struct.Struct("<I")
_PIECE: Final = 65536


class Pipe(FileObject):
    """An end of a pipe.

    Attributes:
        reads, writes: what its handle is open for.
        by_message: a read ends with a message; otherwise it takes bytes, whatever they belong to.
        other: the other end, for as long as it is here.
    """

    __slots__ = ("_arrived", "_endpoint", "_framed", "_inside", "by_message", "other", "reads", "writes")

    def __init__(self, *, reads: bool, writes: bool, framed: bool, overlapped: bool) -> None:
        super().__init__(overlapped=overlapped)
        self.reads = reads
        self.writes = writes
        self.by_message = False
        self.other: Pipe | None = None
        self._framed = framed
        self._endpoint: Endpoint | None = None
        self._arrived = bytearray()  # of a message pipe: what the host has given and nobody has read
        self._inside = 0  # bytes of the first message there are still to come or to be read

    def join(self, pump: Pump, descriptor: int) -> None:
        """Become connected by a descriptor."""
        os.set_blocking(descriptor, False)
        self._endpoint = Endpoint(pump, descriptor)

    @property
    def connected(self) -> bool:
        """It has, or has had, another end."""
        return self._endpoint is not None

    def _connection(self, allowed: bool) -> Endpoint:
        if not allowed:
            raise WinsockError(ERROR_ACCESS_DENIED)
        if self._endpoint is None:
            raise WinsockError(ERROR_PIPE_NOT_CONNECTED)
        return self._endpoint

    # Data

    def read(self, buffer: Any, operation: Operation | None) -> Any:
        """Read into a buffer: bytes, or `PENDING`.

        Raises:
            WinsockError: ERROR_BROKEN_PIPE, the other end is closed and everything read; ERROR_MORE_DATA, with
                ``moved``, a message was longer; ERROR_ACCESS_DENIED; ERROR_PIPE_NOT_CONNECTED.
        """
        endpoint = self._connection(self.reads)
        view = memoryview(buffer).cast("B")
        attempt = self._message_attempt(endpoint.fd, view) if self._framed else self._byte_attempt(endpoint.fd, view)
        return endpoint.inbound.run(attempt, operation)

    @staticmethod
    def _byte_attempt(descriptor: int, view: memoryview) -> Callable[[], int]:
        def attempt() -> int:
            try:
                moved = os.readv(descriptor, [view])
            except ConnectionError as failure:  # closed with something unread there
                raise WinsockError(ERROR_BROKEN_PIPE) from failure
            if not moved and view:
                raise WinsockError(ERROR_BROKEN_PIPE)
            return moved

        return attempt

    def _message_attempt(self, descriptor: int, view: memoryview) -> Callable[[], int]:
        def attempt() -> int:
            arrived = self._arrived
            while not self._inside and len(arrived) < _LENGTH.size:
                arrived += _piece(descriptor)
            if not self._inside:
                (self._inside,) = _LENGTH.unpack_from(arrived)
                del arrived[: _LENGTH.size]
                if not self._inside:
                    return 0
            wanted = min(len(view), self._inside)
            while len(arrived) < wanted:
                arrived += _piece(descriptor)
            view[:wanted] = arrived[:wanted]
            del arrived[:wanted]
            self._inside -= wanted
            if self._inside and self.by_message:
                more = WinsockError(ERROR_MORE_DATA, moved=wanted)
                more.status = STATUS_BUFFER_OVERFLOW
                raise more
            return wanted

        return attempt

    def write(self, buffer: Any, operation: Operation | None) -> Any:
        """Write a buffer, all of it: its bytes, or `PENDING`.

        Raises:
            WinsockError: ERROR_NO_DATA, the other end is closed; ERROR_ACCESS_DENIED; ERROR_PIPE_NOT_CONNECTED.
        """
        endpoint = self._connection(self.writes)
        view = memoryview(buffer).cast("B")
        count = len(view)
        rest = memoryview(_LENGTH.pack(count) + bytes(view)) if self._framed else view
        descriptor = endpoint.fd

        def attempt() -> int:
            nonlocal rest
            try:
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            except ConnectionError as failure:
                raise WinsockError(ERROR_NO_DATA) from failure
            return count

        moved = endpoint.outbound.run(attempt, operation)
        if self.other is not None and moved is not PENDING:
            self.other.data_has_come()
        return moved

    def data_has_come(self) -> None:
        """Complete what waits for it, as it does at once on Windows; otherwise the host would have to tell first."""
        if self._endpoint is not None:
            self._endpoint.inbound.clear()

    # Ends

    def take_descriptor(self) -> int:
        """A descriptor of its own for this end, blocking, which a process of the host can be given.

        Raises:
            WinsockError: ERROR_INVALID_HANDLE, not connected, or an end of a message pipe.
        """
        if self._endpoint is None or self._framed:
            raise WinsockError(ERROR_INVALID_HANDLE)
        os.set_blocking(self._endpoint.fd, True)  # the same file for the host, which nobody reads here any more
        return os.dup(self._endpoint.fd)

    def last_handle_closed(self) -> None:
        endpoint = self._endpoint
        if endpoint is not None:
            endpoint.abort(WSA_OPERATION_ABORTED)
            if self.other is not None:
                self.other.other = None
            os.close(endpoint.fd)


def _piece(descriptor: int) -> bytes:
    """What has arrived, at least a byte."""
    try:
        data = os.read(descriptor, _PIECE)
    except ConnectionError as failure:
        raise WinsockError(ERROR_BROKEN_PIPE) from failure
    if not data:
        raise WinsockError(ERROR_BROKEN_PIPE)
    return data


class Instance(Pipe):
    """The server's end of an instance, which a client can connect to once."""

    __slots__ = ("_connecting", "_name", "_names")

    def __init__(self, names: HostPipes, name: str, mode: int, *, overlapped: bool, framed: bool) -> None:
        reads, writes = bool(mode & PIPE_ACCESS_INBOUND), bool(mode & PIPE_ACCESS_OUTBOUND)
        super().__init__(reads=reads, writes=writes, framed=framed, overlapped=overlapped)
        self._names = names
        self._name = name
        self._connecting: Operation | None = None

    def connect(self, operation: Operation | None, home: Home) -> Any:
        """ConnectNamedPipe: 0 when a client has come, or `PENDING`.

        Raises:
            WinsockError: ERROR_PIPE_CONNECTED, one is there already.
        """
        arrived: Event | None = None
        with self._names.lock:
            if self.connected:
                raise WinsockError(ERROR_PIPE_CONNECTED)
            if operation is None:
                arrived = Event()
                operation = Operation(lambda _: arrived.set())
            operation.pend(_Awaiting(self))
            self._connecting = operation
        if arrived is None:
            return PENDING
        wait((arrived,), False, None, False, home)
        if operation.error:
            raise WinsockError(operation.error)
        return 0

    def client_has_come(self) -> None:
        """Complete what waits for a client; the caller has the lock."""
        operation, self._connecting = self._connecting, None
        if operation is not None:
            operation.finish(0)

    def cancel_connect(self, operation: Operation) -> bool:
        """End one request that waits for a client."""
        with self._names.lock:
            if self._connecting is not operation:
                return False
            self._connecting = None
            operation.finish(None, WinsockError(WSA_OPERATION_ABORTED))
        return True

    def last_handle_closed(self) -> None:
        self._names.forget(self._name, self)
        operation = self._connecting
        if operation is not None:
            self.cancel_connect(operation)
        super().last_handle_closed()


class _Awaiting:
    """Keeps a request that waits for a client."""

    __slots__ = ("_instance",)

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def cancel(self, operation: Operation) -> bool:
        return self._instance.cancel_connect(operation)


class _Name:
    """What has been said of a name when its first instance was made, and its instances."""

    __slots__ = ("instances", "mode", "most", "type")

    def __init__(self, mode: int, type: int, most: int) -> None:
        self.mode = mode
        self.type = type
        self.most = most
        self.instances: list[Instance] = []


class HostPipes:
    """The named pipes of one process.

    Attributes:
        lock: guards names, and who has connected.
    """

    def __init__(self, pump: Callable[[], Pump]) -> None:
        self.lock = threading.RLock()
        self._pump = pump
        self._names: dict[str, _Name] = {}

    def create(self, name: str, mode: int, type: int, most: int, *, first: bool, overlapped: bool) -> Instance:
        """CreateNamedPipe.

        Raises:
            WinsockError: ERROR_ACCESS_DENIED, there is one and this was to be the first, or another direction or type;
                ERROR_PIPE_BUSY, there are as many as may be.
        """
        key = name.casefold()
        with self.lock:
            known = self._names.get(key)
            if known is None:
                known = self._names[key] = _Name(mode, type & PIPE_TYPE_MESSAGE, most)
            elif first or known.mode != mode or known.type != type & PIPE_TYPE_MESSAGE:
                raise WinsockError(ERROR_ACCESS_DENIED)
            elif len(known.instances) >= known.most:
                raise WinsockError(ERROR_PIPE_BUSY)
            instance = Instance(self, key, mode, overlapped=overlapped, framed=bool(known.type))
            instance.by_message = bool(type & PIPE_READMODE_MESSAGE)
            known.instances.append(instance)
        return instance

    def open(self, name: str, access: int, *, overlapped: bool) -> Pipe:
        """CreateFile: the client's end of an instance that has none.

        Raises:
            WinsockError: ERROR_FILE_NOT_FOUND; ERROR_PIPE_BUSY, every instance has a client; ERROR_ACCESS_DENIED, a
                direction that the pipe does not have.
        """
        reads, writes = bool(access & (GENERIC_READ | GENERIC_ALL)), bool(access & (GENERIC_WRITE | GENERIC_ALL))
        with self.lock:
            known = self._names.get(name.casefold())
            if known is None:
                raise WinsockError(ERROR_FILE_NOT_FOUND)
            if (reads and not known.mode & PIPE_ACCESS_OUTBOUND) or (writes and not known.mode & PIPE_ACCESS_INBOUND):
                raise WinsockError(ERROR_ACCESS_DENIED)
            instance = next((one for one in known.instances if not one.connected), None)
            if instance is None:
                raise WinsockError(ERROR_PIPE_BUSY)
            try:
                here, there = _socket.socketpair()
            except OSError as failure:
                raise WinsockError(ERROR_TOO_MANY_OPEN_FILES) from failure
            pump = self._pump()
            client = Pipe(reads=reads, writes=writes, framed=bool(known.type), overlapped=overlapped)
            client.other, instance.other = instance, client
            client.join(pump, there.detach())
            instance.join(pump, here.detach())
            instance.client_has_come()
        return client

    def forget(self, name: str, instance: Instance) -> None:
        """An instance ends; the last one ends the name."""
        with self.lock:
            known = self._names.get(name)
            if known is not None and instance in known.instances:
                known.instances.remove(instance)
                if not known.instances:
                    del self._names[name]
