"""Named pipes.

Part played:     npfs.sys.
Lives here:      names and their instances, the two ends of an instance, reading and writing by bytes or by messages.
Lives elsewhere: the functions (kernel32.pipes, kernel32.files), waiting and order (engine/lanes), completion
                 (kernel/operations).
Data:            goes through a pair of host sockets, so that one end can be given to a process of the host. A message
                 has its length in front of it there; who is given an end of a message pipe would see that.
Anonymous pipes: the two ends of a pipe of bytes whose name nobody can use, as on Windows.
Reach:           the names are the emulated process's own. Other processes neither see them nor can open them.
Buffers:         the sizes that a program asks for are the host's business.
Missing:         PIPE_NOWAIT, impersonation, remote clients.
Sources:         "Named Pipes" on Microsoft Learn and the pages of its functions.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import struct
import termios
import threading
from collections.abc import Callable
from typing import Any, Final

from ...defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_BAD_PIPE,
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
from ...engine.lanes import Lane
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
_DEFAULT_TIMEOUT_MS: Final = 50


class _Connection(Endpoint):
    """An end's way to the other one."""

    __slots__ = ()

    def aborted(self, lane: Lane, operation: Operation) -> WinsockError:
        return WinsockError(self.closing)


class Pipe(FileObject):
    """An end of a pipe.

    Attributes:
        reads, writes: what its handle is open for.
        framed: what is written stays together: it is a pipe of messages.
        by_message: a read ends with a message; otherwise it takes bytes, whatever they belong to.
        common: what the instances of its name have in common.
        other: the other end, for as long as it is here.
    """

    __slots__ = (
        "_arrived",
        "_endpoint",
        "_inside",
        "_taking",
        "by_message",
        "common",
        "framed",
        "other",
        "reads",
        "writes",
    )

    def __init__(self, name: Name, *, reads: bool, writes: bool, overlapped: bool) -> None:
        super().__init__(overlapped=overlapped)
        self.common = name
        self.reads = reads
        self.writes = writes
        self.by_message = False
        self.other: Pipe | None = None
        self.framed = bool(name.type)
        self._endpoint: _Connection | None = None
        self._taking = threading.Lock()  # to put a message together takes several steps
        self._arrived = bytearray()  # of a message pipe: what the host has given and nobody has read
        self._inside = 0  # bytes of the first message there are still to come or to be read

    def join(self, pump: Pump, descriptor: int) -> None:
        """Become connected by a descriptor."""
        os.set_blocking(descriptor, False)
        self._endpoint = _Connection(pump, descriptor)

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
        attempt = self._message_attempt(endpoint.fd, view) if self.framed else self._byte_attempt(endpoint.fd, view)
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
            with self._taking:
                self._take_length(descriptor)
                arrived = self._arrived
                wanted = min(len(view), self._inside)
                while len(arrived) < wanted:
                    arrived += _piece(descriptor)
                view[:wanted] = arrived[:wanted]
                del arrived[:wanted]
                self._inside -= wanted
                left = self._inside
            if left and self.by_message:
                more = WinsockError(ERROR_MORE_DATA, moved=wanted)
                more.status = STATUS_BUFFER_OVERFLOW
                raise more
            return wanted

        return attempt

    def _take_length(self, descriptor: int) -> None:
        """Begin with the next message, unless one has been begun with."""
        arrived = self._arrived
        while not self._inside and len(arrived) < _LENGTH.size:
            arrived += _piece(descriptor)
        if not self._inside:
            (self._inside,) = _LENGTH.unpack_from(arrived)
            del arrived[: _LENGTH.size]

    def peek(self, buffer: Any) -> tuple[int, int, int]:
        """Copy what can be read without taking it: bytes copied, bytes in all, bytes left of the first message.

        Raises:
            WinsockError: ERROR_BROKEN_PIPE; ERROR_ACCESS_DENIED; ERROR_PIPE_NOT_CONNECTED.
        """
        endpoint = self._connection(self.reads)
        view = memoryview(buffer).cast("B")
        if endpoint.inbound.head is not None and not endpoint.inbound.clear():
            return 0, 0, 0  # whoever waits to read would have it
        return self._peek_messages(endpoint.fd, view) if self.framed else _peek_bytes(endpoint.fd, view)

    def _peek_messages(self, descriptor: int, view: memoryview) -> tuple[int, int, int]:
        with self._taking:
            arrived = self._arrived
            try:
                while True:
                    arrived += _piece(descriptor)
            except BlockingIOError:
                pass
            except WinsockError:
                if not arrived and not self._inside:
                    raise
            messages = self._messages()
            if not messages:
                return 0, 0, 0
            start, first = messages[0]
            copied = min(len(view), first, len(arrived) - start)
            if copied:
                view[:copied] = arrived[start : start + copied]
            total = sum(min(length, len(arrived) - at) for at, length in messages)
            return copied, total, first - copied

    def _messages(self) -> list[tuple[int, int]]:
        """Where messages begin in what has arrived, and how long they are; the last one may still be on its way."""
        found = [(0, self._inside)] if self._inside else []
        at = self._inside
        while len(self._arrived) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._arrived, at)
            at += _LENGTH.size
            found.append((at, length))
            at += length
        return found

    def transact(self, data: Any, buffer: Any, operation: Operation | None) -> Any:
        """Write a message and read the answer into a buffer: bytes, or `PENDING`.

        Raises:
            WinsockError: ERROR_BAD_PIPE, no messages are read here; ERROR_PIPE_BUSY, there is something to be read;
                what `read` and `write` raise.
        """
        if not self.by_message:
            raise WinsockError(ERROR_BAD_PIPE)
        if self.peek(b"")[1]:
            raise WinsockError(ERROR_PIPE_BUSY)
        # What the write would fail with, the read fails with as well.
        self.write(data, None if operation is None else Operation(lambda _: None))
        return self.read(buffer, operation)

    def write(self, buffer: Any, operation: Operation | None) -> Any:
        """Write a buffer, all of it: its bytes, or `PENDING`.

        Raises:
            WinsockError: ERROR_NO_DATA, the other end is closed; ERROR_ACCESS_DENIED; ERROR_PIPE_NOT_CONNECTED.
        """
        endpoint = self._connection(self.writes)
        view = memoryview(buffer).cast("B")
        count = len(view)
        rest = memoryview(_LENGTH.pack(count) + bytes(view)) if self.framed else view
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
        if self._endpoint is None or self.framed:
            raise WinsockError(ERROR_INVALID_HANDLE)
        os.set_blocking(self._endpoint.fd, True)  # the same file for the host, which nobody reads here any more
        return os.dup(self._endpoint.fd)

    def cut(self, code: int) -> None:
        """End the connection here: what waits fails with a code, what has not been read is lost."""
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            endpoint.abort(code)
            os.close(endpoint.fd)
        self._arrived, self._inside = bytearray(), 0

    def last_handle_closed(self) -> None:
        if self.other is not None:
            self.other.other = None
        self.cut(WSA_OPERATION_ABORTED)


def _peek_bytes(descriptor: int, view: memoryview) -> tuple[int, int, int]:
    host = _socket.socket(fileno=descriptor)
    try:
        if not host.recv(1, _socket.MSG_PEEK):
            raise WinsockError(ERROR_BROKEN_PIPE)
        copied = host.recv_into(view, 0, _socket.MSG_PEEK) if len(view) else 0
        (count,) = _LENGTH.unpack(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(_LENGTH.size)))
    except BlockingIOError:
        return 0, 0, 0
    except ConnectionError as failure:
        raise WinsockError(ERROR_BROKEN_PIPE) from failure
    finally:
        host.detach()
    return copied, max(copied, count), 0


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
    """The server's end of an instance, which has one client at a time.

    Attributes:
        listening: a client may connect. It is at first, and after `disconnect` once it is waited for.
    """

    __slots__ = ("_connecting", "_names", "listening")

    def __init__(self, names: HostPipes, name: Name, *, overlapped: bool) -> None:
        reads, writes = bool(name.mode & PIPE_ACCESS_INBOUND), bool(name.mode & PIPE_ACCESS_OUTBOUND)
        super().__init__(name, reads=reads, writes=writes, overlapped=overlapped)
        self._names = names
        self._connecting: Operation | None = None
        self.listening = True

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
            if not self.listening:
                self.listening = True
                self.common.tell()
        if arrived is None:
            return PENDING
        wait((arrived,), False, None, False, home)
        if operation.error:
            raise WinsockError(operation.error)
        return 0

    def disconnect(self) -> None:
        """DisconnectNamedPipe: the client is cut off.

        Raises:
            WinsockError: ERROR_PIPE_NOT_CONNECTED, there is none, nor can one come.
        """
        with self._names.lock:
            if not self.connected and not self.listening:
                raise WinsockError(ERROR_PIPE_NOT_CONNECTED)
            client, self.other = self.other, None
            self.listening = False
            self._end_connecting(ERROR_PIPE_NOT_CONNECTED)
        self.cut(ERROR_PIPE_NOT_CONNECTED)
        if client is not None:
            client.other = None
            client.cut(ERROR_PIPE_NOT_CONNECTED)

    def client_has_come(self) -> None:
        """Complete what waits for a client; the caller has the lock."""
        self.listening = False
        operation, self._connecting = self._connecting, None
        if operation is not None:
            operation.finish(0)

    def cancel_connect(self, operation: Operation) -> bool:
        """End one request that waits for a client."""
        with self._names.lock:
            if self._connecting is not operation:
                return False
            self._end_connecting(WSA_OPERATION_ABORTED)
        return True

    def _end_connecting(self, code: int) -> None:
        operation, self._connecting = self._connecting, None
        if operation is not None:
            operation.finish(None, WinsockError(code))

    def last_handle_closed(self) -> None:
        self._names.forget(self)
        with self._names.lock:
            self._end_connecting(WSA_OPERATION_ABORTED)
        super().last_handle_closed()


class _Awaiting:
    """Keeps a request that waits for a client."""

    __slots__ = ("_instance",)

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def cancel(self, operation: Operation) -> bool:
        return self._instance.cancel_connect(operation)


class Name:
    """What has been said of a name when its first instance was made, and its instances.

    Attributes:
        mode, type, most, sizes, default_timeout_ms: as CreateNamedPipe was told.
    """

    __slots__ = ("_waiting", "default_timeout_ms", "instances", "key", "mode", "most", "sizes", "type")

    def __init__(
        self, key: str, mode: int, type: int, most: int, sizes: tuple[int, int], default_timeout_ms: int
    ) -> None:
        self.key = key
        self.mode = mode
        self.type = type
        self.most = most
        self.sizes = sizes
        self.default_timeout_ms = default_timeout_ms or _DEFAULT_TIMEOUT_MS
        self.instances: list[Instance] = []
        self._waiting: list[Event] = []

    def free(self) -> Instance | None:
        """An instance that a client can connect to."""
        return next((one for one in self.instances if one.listening and not one.connected), None)

    def await_change(self) -> Event:
        """What is set when there may be a free instance, or no name any more."""
        event = Event()
        self._waiting.append(event)
        return event

    def tell(self) -> None:
        """Set what `await_change` has given out."""
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            event.set()


class HostPipes:
    """The named pipes of one process.

    Attributes:
        lock: guards names, and who has connected.
    """

    def __init__(self, pump: Callable[[], Pump]) -> None:
        self.lock = threading.RLock()
        self._pump = pump
        self._names: dict[str, Name] = {}

    def create(
        self,
        name: str,
        mode: int,
        type: int,
        most: int,
        *,
        sizes: tuple[int, int],
        default_timeout_ms: int,
        first: bool,
        overlapped: bool,
    ) -> Instance:
        """CreateNamedPipe.

        Raises:
            WinsockError: ERROR_ACCESS_DENIED, there is one and this was to be the first, or another direction or type;
                ERROR_PIPE_BUSY, there are as many as may be.
        """
        key = name.casefold()
        with self.lock:
            known = self._names.get(key)
            if known is None:
                known = Name(key, mode, type & PIPE_TYPE_MESSAGE, most, sizes, default_timeout_ms)
                self._names[key] = known
            elif first or known.mode != mode or known.type != type & PIPE_TYPE_MESSAGE:
                raise WinsockError(ERROR_ACCESS_DENIED)
            elif len(known.instances) >= known.most:
                raise WinsockError(ERROR_PIPE_BUSY)
            instance = Instance(self, known, overlapped=overlapped)
            instance.by_message = bool(type & PIPE_READMODE_MESSAGE)
            known.instances.append(instance)
            known.tell()
        return instance

    def open(self, name: str, access: int, *, overlapped: bool) -> Pipe:
        """CreateFile: the client's end of an instance that has none.

        Raises:
            WinsockError: ERROR_FILE_NOT_FOUND; ERROR_PIPE_BUSY, every instance has a client; ERROR_ACCESS_DENIED, a
                direction that the pipe does not have.
        """
        reads, writes = bool(access & (GENERIC_READ | GENERIC_ALL)), bool(access & (GENERIC_WRITE | GENERIC_ALL))
        with self.lock:
            known = self._known(name)
            if (reads and not known.mode & PIPE_ACCESS_OUTBOUND) or (writes and not known.mode & PIPE_ACCESS_INBOUND):
                raise WinsockError(ERROR_ACCESS_DENIED)
            instance = known.free()
            if instance is None:
                raise WinsockError(ERROR_PIPE_BUSY)
            client = Pipe(known, reads=reads, writes=writes, overlapped=overlapped)
            self._join(instance, client)
            instance.client_has_come()
        return client

    def anonymous(self) -> tuple[Pipe, Pipe]:
        """CreatePipe: the end to read from and the end to write to.

        Raises:
            WinsockError: ERROR_TOO_MANY_OPEN_FILES.
        """
        name = Name("", PIPE_ACCESS_INBOUND, 0, 1, (0, 0), 0)
        source = Pipe(name, reads=True, writes=False, overlapped=False)
        sink = Pipe(name, reads=False, writes=True, overlapped=False)
        self._join(source, sink)
        return source, sink

    def _join(self, one: Pipe, other: Pipe) -> None:
        """Connect two ends."""
        try:
            here, there = _socket.socketpair()
        except OSError as failure:
            raise WinsockError(ERROR_TOO_MANY_OPEN_FILES) from failure
        pump = self._pump()
        one.other, other.other = other, one
        one.join(pump, here.detach())
        other.join(pump, there.detach())

    def _known(self, name: str) -> Name:
        known = self._names.get(name.casefold())
        if known is None:
            raise WinsockError(ERROR_FILE_NOT_FOUND)
        return known

    def default_timeout_ms(self, name: str) -> int:
        """How long to wait for an instance of a name by default; ERROR_FILE_NOT_FOUND."""
        with self.lock:
            return self._known(name).default_timeout_ms

    def wait(self, name: str, timeout_s: float | None, home: Home) -> bool:
        """Wait until something happens to the instances of a name: True when one is free.

        Raises:
            WinsockError: ERROR_FILE_NOT_FOUND, there is no such name.
        """
        with self.lock:
            known = self._known(name)
            if known.free() is not None:
                return True
            event = known.await_change()
        wait((event,), False, None if timeout_s is None else max(timeout_s, 0), False, home)
        with self.lock:
            return self._known(name).free() is not None

    def forget(self, instance: Instance) -> None:
        """An instance ends; the last one ends the name."""
        name = instance.common
        with self.lock:
            if instance in name.instances:
                name.instances.remove(instance)
                if not name.instances:
                    del self._names[name.key]
                    name.tell()
