"""One emulated process: it owns all state, and two of them can live in one test.

Part played:     the process-wide part of ws2_32.dll: startup count, socket handles and who owns them, loaded providers.
Lives here:      the state and its life; the upcalls, which are the same state seen by a provider.
Lives elsewhere: every function of the API (ws2_32), every rule of a transport (providers), readiness (engine).
Current process: a context variable. Threads start in the default process, or enter another one with `Process.active`.
Locking:         ``_lock`` guards startup, cleanup and loading. Look-ups take no lock. Provider code runs outside it,
                 except the start of a provider, which nobody may overtake.
Fork:            the child keeps its sockets for synchronous use; what waited or pended in the parent is the parent's.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from .catalog.loader import LoadedProvider, load, resolve
from .catalog.protocols import Catalog, CatalogEntry, built_in_catalog
from .defs.codes import (
    ERROR_NOT_ENOUGH_QUOTA,
    STATUS_PENDING,
    WSA_INVALID_HANDLE,
    WSA_INVALID_PARAMETER,
    WSA_IO_INCOMPLETE,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSANOTINITIALISED,
    WSAVERNOTSUPPORTED,
)
from .defs.constants import HANDLE_FLAG_INHERIT
from .defs.records import ProtocolInfo, WSAData
from .engine.pump import Pump
from .engine.registered import RegisteredObjects
from .errors import WinsockError
from .kernel import objects as kernel_objects
from .kernel.events import Event
from .kernel.files import FileObject
from .kernel.handles import FIRST_NUMBER, HandleTable
from .kernel.hostfiles import OpenFiles
from .kernel.objects import IO_COMPLETION, TIMED_OUT, Waitable, queue_apc, wait
from .kernel.operations import FIRST_ERROR, FIRST_WARNING, NOBODY, OVERLAPPED, CompletionRoutine, winsock_code
from .kernel.pool import ThreadPool
from .kernel.tasks import BackgroundTasks
from .kernel.threadslots import ThreadSlots
from .kernel.timers import TimerQueue
from .kernel.waits import Parking, Waiter, forget_waiter, this_waiter
from .kernel.windows import Desktop
from .spi.names import NameService
from .spi.transport import WSPProcTable

HIGHEST_VERSION = 0x0202

# Versions that are granted as asked; requests between and above get the highest one below them (table T1.1).
_GRANTED = (0x0202, 0x0102, 0x0002, 0x0101, 0x0001)  # 2.2, 2.1, 2.0, 1.1, 1.0 as words

_NAME_SERVICE = "winsock2emu.providers.host.names:HostNames"
_PIPES = "winsock2emu.providers.host.pipes:HostPipes"


def negotiate(requested: int) -> int:
    """The version granted for a request, both as words (low byte major); 0 when there is none.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsastartup
    """
    wanted = (requested & 0xFF, requested >> 8 & 0xFF)
    return next((word for word in _GRANTED if (word & 0xFF, word >> 8) <= wanted), 0)


IFS: Final = object()
"""Stands for the context of a socket whose handle is the host's."""


class SocketRecord:
    """A socket as the DLL knows it: the owner's table, the catalog row, the context of a non-IFS provider.

    A layer that takes the handle over makes a record of its own.

    Attributes:
        mover: has the entries of the four calls that move data, WSPSend, WSPRecv, WSPSendTo and WSPRecvFrom: the
            owner's table, or what the owner has put in its place for this socket (`Upcalls.own_entries`).
        context: the provider's, `IFS` for a handle of the host.
        file: the file object, made when something first asks for it (`Process.file_of`).
        base: what the handle of the host led to before a layer took it over; None for most.
        overlapped: overlapped requests are possible; otherwise every call is a synchronous one.
    """

    __slots__ = (
        "base",
        "context",
        "entry",
        "file",
        "mover",
        "overlapped",
        "owner",
        "wsp",
    )

    def __init__(self, owner: LoadedProvider, entry: CatalogEntry, context: Any) -> None:
        self.owner = owner
        self.entry = entry
        self.context = context
        self.file: FileObject | None = None
        self.base: SocketRecord | None = None
        self.overlapped = True
        wsp = self.wsp = owner.table
        self.mover: Any = wsp

    @property
    def info(self) -> ProtocolInfo:
        """The protocol record of the row the socket was made from."""
        return self.entry.info


class Checked(threading.local):
    """What a thread's last calls with lists of sockets have found out, for the next call with the same list.

    Attributes:
        selected, polled: the state of the handle table (`HandleTable.changes`), a copy of the list, who serves it.
        waited: the same with the objects waited for.
    """

    waited: tuple[int, Any, tuple[Waitable, ...]] | None = None
    selected: tuple[int, Any, SocketRecord] | None = None
    polled: tuple[int, Any, Callable[..., Any]] | None = None


class ThreadOptions(threading.local):
    """What belongs to a thread between the first WSAStartup and the last WSACleanup.

    Attributes:
        open_type: SO_OPENTYPE; anything but 0 makes the sockets of `socket` nonoverlapped.
    """

    open_type = 0


class Process:
    """An emulated process.

    Args:
        catalog: gives the catalog snapshot of each first WSAStartup; the rows built into Windows by default.
        backend: the reactor's host mechanism ("epoll", "kqueue", "poll", "select"); the best one by default.
    """

    def __init__(self, catalog: Callable[[], Catalog] = built_in_catalog, backend: str | None = None) -> None:
        self.handles = HandleTable()
        self.objects = self.handles.objects  # for the hot path: handle to SocketRecord and other objects
        self.startup_count = 0
        self.checked = Checked()
        self.thread = ThreadOptions()
        self.upcalls = ProcessUpcalls(self)
        self._catalog_source = catalog
        self._catalog: Catalog | None = None
        self._backend = backend
        self._engine: Pump | None = None
        self._loaded: dict[str, LoadedProvider] = {}
        self._starting: set[str] = set()  # paths of the providers that are inside WSPStartup
        self._names: NameService | None = None
        self._pipes: Any = None
        self.named: dict[str, Waitable] = {}
        """Kernel objects by name. All kinds share the names, which are case-sensitive."""
        self.timers = TimerQueue()
        self.desktop = Desktop()
        self.tasks = BackgroundTasks()
        self.pool = ThreadPool(self)
        self.files = OpenFiles()
        self.slots = ThreadSlots()
        self.registered = RegisteredObjects()
        self._lock = threading.RLock()
        _processes.add(self)

    @contextmanager
    def active(self) -> Iterator[Process]:
        """Make this the current process of the calling thread (and of what runs in its context)."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)

    # Startup

    def startup(self, requested: int) -> WSAData:
        """WSAStartup: negotiate a version (a word, low byte major) and count.

        Raises:
            WinsockError: WSAVERNOTSUPPORTED, a request below 1.0; nothing is counted then.
        """
        granted = negotiate(requested)
        if not granted:
            raise WinsockError(WSAVERNOTSUPPORTED)
        with self._lock:
            if self.startup_count == 0:
                self._catalog = self._catalog_source()
            self.startup_count += 1
        if granted & 0xFF == 1:
            return WSAData(version=granted, high_version=HIGHEST_VERSION, max_sockets=32767, max_udp_dg=65467)
        return WSAData(version=granted, high_version=HIGHEST_VERSION)

    def cleanup(self) -> None:
        """WSACleanup: undo one startup; the last one closes every socket and unloads every provider.

        Raises:
            WinsockError: WSANOTINITIALISED, no startup is left to undo; what a provider's WSPCleanup raises, after
                everything else has ended as well.
        """
        with self._lock:
            if self.startup_count == 0:
                raise WinsockError(WSANOTINITIALISED)
            self.startup_count -= 1
            if self.startup_count:
                return
            loaded, self._loaded = self._loaded, {}
            engine, self._engine = self._engine, None
            self._names = None
            self.tasks.cancel_all()
            self.thread = ThreadOptions()
            self.registered = RegisteredObjects()
            # Below the first number of its own, everything is a descriptor of some socket.
            records = [
                (handle, thing)
                for handle, thing in tuple(self.objects.items())
                if type(thing) is SocketRecord or handle < FIRST_NUMBER
            ]
        with ExitStack() as ends:  # from the last to the first, and all of them even if one fails
            ends.callback(self._forget_catalog)
            if engine is not None:
                ends.callback(engine.close)
            ends.callback(self._forget_sockets, records)
            for provider in reversed(loaded.values()):
                # It ends what waits on all its sockets before it closes the first: a peer in this process must not see
                # the other end close instead of being cancelled itself.
                ends.callback(provider.table.WSPCleanup)

    def _forget_sockets(self, records: list[tuple[int, Any]]) -> None:
        """Free the handles that the providers have left, but not one that a startup since then has made anew."""
        for handle, record in records:
            if self.objects.get(handle) is record:
                self.handles.remove(handle)

    def _forget_catalog(self) -> None:
        with self._lock:
            if self.startup_count == 0:
                self._catalog = None

    @property
    def catalog(self) -> Catalog:
        """The snapshot of this startup; WSANOTINITIALISED without one."""
        catalog = self._catalog
        if catalog is None or self.startup_count == 0:
            raise WinsockError(WSANOTINITIALISED)
        return catalog

    def check_started(self) -> None:
        """Raise WSANOTINITIALISED before WSAStartup and after the last WSACleanup."""
        if self.startup_count == 0:
            raise WinsockError(WSANOTINITIALISED)

    # Sockets

    def socket(self, s: int) -> SocketRecord:
        """The record of a handle.

        Raises:
            WinsockError: WSANOTINITIALISED, then WSAENOTSOCK for anything that is not an open socket.
        """
        record = self.objects.get(s)
        if type(record) is SocketRecord:
            return record
        raise self.no_socket(s)

    def no_socket(self, s: object) -> WinsockError:
        """Why ``s`` is no socket: the error to raise. A value that cannot be a handle raises TypeError instead."""
        if not isinstance(s, int):
            raise TypeError(f"a SOCKET is an int, not {type(s).__name__}")
        return WinsockError(WSANOTINITIALISED if self.startup_count == 0 else WSAENOTSOCK)

    def close_socket(self, s: int) -> None:
        """Close a socket's handle; requests made through it end, also when the socket goes on with another handle."""
        record = self.socket(s)
        record.wsp.WSPCloseSocket(s)
        if record.file is not None and record.file.pending:
            record.file.cancel()

    def sockets(self) -> list[int]:
        """The handles of all open sockets."""
        return [handle for handle, thing in tuple(self.objects.items()) if type(thing) is SocketRecord]

    @property
    def engine(self) -> Pump:
        """The reactor, made on first use in each startup."""
        engine = self._engine
        if engine is None:
            with self._lock:
                engine = self._engine = self._engine or Pump(self._backend)
        return engine

    # Kernel objects

    def open_handle(self, thing: Waitable, *, inherit: bool = False) -> int:
        """A new handle of a kernel object."""
        with self._lock:
            thing.handles += 1
            handle = self.handles.allocate(thing)
            if inherit:
                self.handles.flags[handle] = HANDLE_FLAG_INHERIT
        return handle

    def close_handle(self, handle: int) -> None:
        """Close a handle of a kernel object; the last one ends its name, and what needs handles."""
        with self._lock:
            thing = self.objects.get(handle)
            if not isinstance(thing, Waitable):
                raise WinsockError(WSA_INVALID_HANDLE)
            self.handles.remove(handle)
            thing.handles -= 1
            last = thing.handles == 0
            if last and thing.name is not None:
                del self.named[thing.name]
                thing.name = None
        if last:
            thing.last_handle_closed()

    def open_named(
        self, name: str | None, kind: type[Waitable], make: Callable[[], Waitable], *, inherit: bool = False
    ) -> tuple[int, bool]:
        """A handle of a new object, or of the one that has the name; and whether there was one.

        Raises:
            WinsockError: WSA_INVALID_HANDLE, an object of another kind has the name.
        """
        with self._lock:
            thing = self.named.get(name) if name else None
            known = thing is not None
            if thing is None:
                thing = make()
                if name:
                    thing.name = name
                    self.named[name] = thing
            elif type(thing) is not kind:
                raise WinsockError(WSA_INVALID_HANDLE)
            return self.open_handle(thing, inherit=inherit), known

    # Overlapped requests

    def file_of(self, record: SocketRecord) -> FileObject:
        """The file object of a socket."""
        file = record.file
        if file is None:
            with self._lock:
                file = record.file = record.file or FileObject(overlapped=record.overlapped)
        return file

    def begin(
        self, file: FileObject, overlapped: OVERLAPPED, routine: CompletionRoutine | None = None
    ) -> OVERLAPPED | None:
        """Begin an overlapped request of the calling thread; None when the file knows only synchronous ones.

        From here on the record says STATUS_PENDING, also when the call fails and nothing will ever be told.

        Raises:
            WinsockError: WSA_INVALID_HANDLE, hEvent is no event; WSAEINVAL, a completion routine on a file that a
                completion port gets the packets of.
        """
        if not file.overlapped:
            return None
        event = None
        handle = 0
        if routine is not None:
            if file.port is not None:
                raise WinsockError(WSAEINVAL)
        elif overlapped.hEvent:
            handle = overlapped.hEvent
            event = self.objects.get(handle & ~3)  # the two low bits are the program's
            if type(event) is not Event:
                raise WinsockError(WSA_INVALID_HANDLE)
            event.signalled = False
        file.signalled = False
        return overlapped.begin(file, event, handle & 1, routine)

    def wait_for(self, overlapped: OVERLAPPED, timeout_s: float | None, alertable: bool) -> int:
        """Wait until a request is complete: 0, or `TIMED_OUT` or `IO_COMPLETION`.

        The event decides where the record has one, as on Windows, whatever the record says.
        """
        if overlapped.Internal != STATUS_PENDING:
            return 0
        event: Any = None
        if overlapped.hEvent:
            event = self.objects.get(overlapped.hEvent & ~3)
            if not isinstance(event, Waitable):
                raise WinsockError(WSA_INVALID_HANDLE)
        else:
            with self._lock:
                operation = overlapped.operation
                if operation is not None:
                    event = operation.event = operation.event or Event()
            if operation is None or operation.final:
                return self._wait_for_status(overlapped, timeout_s, alertable)
        return wait((event,), False, timeout_s, alertable, self)

    def _wait_for_status(self, overlapped: OVERLAPPED, timeout_s: float | None, alertable: bool) -> int:
        """Wait for a record that nobody else can tell of: its request is just ending, or there is none."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        pause_s = 0.0
        while overlapped.Internal == STATUS_PENDING:
            if deadline is not None and time.monotonic() >= deadline:
                return TIMED_OUT
            if wait((), False, pause_s, alertable, self) == IO_COMPLETION:
                return IO_COMPLETION
            pause_s = min(pause_s + 0.001, 0.05)
        return 0

    def is_window(self, window: int) -> bool:
        """True for the handle of a window of this process that exists."""
        return window in self.desktop.windows

    def parking(self) -> Parking:
        """Where the threads of the process wait."""
        return (self._engine or self.engine).parking

    def pends(self) -> bool:
        """True when some endpoint waits for readiness."""
        engine = self._engine
        return engine is not None and engine.pends

    # Providers

    def provider(self, entry: CatalogEntry) -> LoadedProvider:
        """The provider of a row, loaded and started on first use; all rows with one path share it.

        Raises:
            WinsockError: what `catalog.loader.load` raises; WSAEINVAL, the provider asks for itself while it starts;
                WSANOTINITIALISED, the last WSACleanup came first.
        """
        path = entry.provider_path
        loaded = self._loaded.get(path)
        if loaded is None:
            with self._lock:
                loaded = self._loaded.get(path)
                if loaded is None:
                    self.check_started()
                    if path in self._starting:
                        raise WinsockError(WSAEINVAL)
                    self._starting.add(path)
                    try:
                        loaded = self._loaded[path] = load(entry, self.upcalls)
                    finally:
                        self._starting.discard(path)
        return loaded

    def owns(self, provider: LoadedProvider) -> bool:
        """True while a provider that was loaded for this startup has not been unloaded."""
        return provider in self._loaded.values()

    def provider_for_family(self, family: int, info: ProtocolInfo | None = None) -> WSPProcTable:
        """The table of the provider that ``info`` names, otherwise of the first that has the address family.

        Raises:
            WinsockError: WSANOTINITIALISED; WSAEINVAL, there is none.
        """
        catalog = self.catalog
        entry = catalog.by_family(family) if info is None else catalog.named(info)
        if entry is None:
            raise WinsockError(WSAEINVAL)
        return self.provider(entry).table

    def pipes(self) -> Any:
        """The named pipes of the process, loaded by their path as a transport is."""
        with self._lock:
            if self._pipes is None:
                self._pipes = resolve(_PIPES)(lambda: self.engine)
            return self._pipes

    def name_service(self) -> NameService:
        """What answers name queries, loaded by its path as a transport is; WSANOTINITIALISED without a startup."""
        self.check_started()
        with self._lock:
            if self._names is None:
                names: NameService = resolve(_NAME_SERVICE)()
                self._names = names
            return self._names

    # Fork

    def after_fork(self) -> None:
        """In the child: new locks and a new reactor; sockets stay usable, nothing waits or pends."""
        self._lock = threading.RLock()
        self._starting.clear()
        self.handles.reset_locks()
        self.timers = TimerQueue()
        self.desktop.after_fork()
        self.tasks.after_fork()
        self.pool.after_fork()
        self.files.after_fork()
        self.slots.after_fork()
        self.registered = RegisteredObjects()
        for thing in self.objects.values():
            if isinstance(thing, Waitable):
                thing.forget_waiters()
        if self._engine is not None:
            self._engine.after_fork()
        for loaded in self._loaded.values():
            notice = getattr(loaded.provider, "after_fork", None)
            if notice is not None:
                notice()


class ProcessUpcalls:
    """The 15 upcalls of one process; see `spi.upcalls` for the contract of each."""

    __slots__ = ("_process", "_threads")

    def __init__(self, process: Process) -> None:
        self._process = process
        self._threads: dict[int, tuple[int, weakref.ref[Waiter]]] = {}

    @property
    def engine(self) -> Pump:
        """The reactor for endpoints of the engine."""
        return self._process._engine or self._process.engine

    def _entry(self, catalog_entry_id: int) -> CatalogEntry:
        entry = self._process.catalog.by_id(catalog_entry_id)
        if entry is None:
            raise WinsockError(WSAEINVAL)
        return entry

    def event_object(self, event: int, /) -> Event:
        return self._event(event & ~3)  # the two low bits are the program's

    def WPUCreateSocketHandle(self, catalog_entry_id: int, context: Any, /) -> int:
        entry = self._entry(catalog_entry_id)
        record = SocketRecord(self._process.provider(entry), entry, context)
        handle = self._process.handles.allocate(record)
        self._keep_if_started(handle)
        return handle

    def WPUModifyIFSHandle(self, catalog_entry_id: int, proposed: int, /) -> int:
        entry = self._entry(catalog_entry_id)
        if not 0 <= proposed < FIRST_NUMBER:
            raise WinsockError(WSAEINVAL)
        record = SocketRecord(self._process.provider(entry), entry, IFS)
        handles = self._process.handles
        if not handles.insert(proposed, record):
            # The number has an owner already: a layer takes over its lower layer's handle.
            lower = self._process.objects.get(proposed)
            if type(lower) is SocketRecord:
                record.base = lower.base or lower
                record.overlapped = lower.overlapped
            handles.replace(proposed, record)
        self._keep_if_started(proposed)
        return proposed

    def _keep_if_started(self, handle: int) -> None:
        """Take a new handle back when the last WSACleanup came in between and may not have seen it."""
        if self._process.startup_count == 0:
            self._process.handles.remove(handle)
            raise WinsockError(WSANOTINITIALISED)

    def own_entries(self, s: int, mover: Any, /, *, instead_of: Any = None, overlapped: bool = True) -> None:
        record = self._process.objects.get(s)
        if type(record) is not SocketRecord:
            raise WinsockError(WSAENOTSOCK)
        record.overlapped = overlapped
        if instead_of is None or record.mover is instead_of:
            record.mover = mover

    def one_more_descriptor(self, s: int, known: int, /) -> None:
        process = self._process
        process.file_of(process.socket(s)).share(process.file_of(process.socket(known)))

    def overlapped_result(self, overlapped: Any, wait: bool, /) -> tuple[int, int]:
        if overlapped is None:
            raise WinsockError(WSAEFAULT)
        status = overlapped.Internal
        if status == STATUS_PENDING:
            if not wait:
                raise WinsockError(WSA_IO_INCOMPLETE)
            operation = overlapped.operation
            if operation is not None and operation.routine is not None:
                raise WinsockError(WSA_INVALID_PARAMETER)
            self._process.wait_for(overlapped, None, False)
            status = overlapped.Internal
        if status >= FIRST_WARNING:
            raise WinsockError(winsock_code(status), moved=overlapped.InternalHigh if status < FIRST_ERROR else None)
        return overlapped.InternalHigh, overlapped.flags

    def WPUCompleteOverlappedRequest(self, s: int, overlapped: OVERLAPPED, error: int, moved: int, /) -> None:
        process = self._process
        record = process.socket(s)
        if record.context is IFS:
            raise WinsockError(WSAEINVAL)
        request = overlapped.operation
        if request is None:
            request = (
                overlapped if getattr(overlapped, "file", None) else process.begin(process.file_of(record), overlapped)
            )
        if request is None or request.routine is not None:
            raise WinsockError(WSAEINVAL)
        failure = WinsockError(error, moved=moved) if error else None
        if request.keeper is None:
            request.pend(NOBODY)
        request.finish(moved, failure)

    def WPUCloseSocketHandle(self, s: int, /) -> None:
        thing = self._process.objects.get(s)
        if type(thing) is not SocketRecord and (thing is None or s >= FIRST_NUMBER):  # a descriptor is some socket's
            raise WinsockError(WSAENOTSOCK)
        self._process.handles.remove(s)

    def WPUQuerySocketHandleContext(self, s: int, /) -> Any:
        record = self._process.objects.get(s)
        if type(record) is not SocketRecord or record.context is IFS:
            raise WinsockError(WSAENOTSOCK)
        return record.context

    def WPUFDIsSet(self, s: int, fds: Sequence[int], /) -> bool:
        return s in fds

    def WPUGetProviderPath(self, provider_id: Any, /) -> str:
        entry = self._process.catalog.by_provider(provider_id)
        if entry is None:
            raise WinsockError(WSAEINVAL)
        return entry.provider_path

    def WPUQueryBlockingCallback(self, catalog_entry_id: int, /) -> tuple[Callable[[Any], bool] | None, Any]:
        self._entry(catalog_entry_id)
        return None, None

    def WPUOpenCurrentThread(self) -> int:
        waiter = this_waiter()
        with self._process._lock:
            count, known = self._threads.get(waiter.thread, (0, None))
            if known is None or known() is not waiter:  # the number belonged to a thread that has ended
                count = 0
            self._threads[waiter.thread] = count + 1, weakref.ref(waiter)
        return waiter.thread

    def WPUCloseThread(self, thread: int, /) -> None:
        with self._process._lock:
            opened = self._threads.pop(thread, None)
            if opened is None:
                raise WinsockError(WSAEINVAL)
            count, waiter = opened
            if count > 1:
                self._threads[thread] = count - 1, waiter

    def WPUQueueApc(self, thread: int, routine: Callable[[Any], None], context: Any, /) -> None:
        opened = self._threads.get(thread)
        waiter = None if opened is None else opened[1]()
        if waiter is None:  # also when the thread has ended
            raise WinsockError(WSAEFAULT)
        queue_apc(waiter, routine, context)

    def WPUCreateEvent(self) -> int:
        return self._process.open_handle(Event())

    def _event(self, event: int) -> Event:
        thing = self._process.objects.get(event)
        if type(thing) is not Event:
            raise WinsockError(WSA_INVALID_HANDLE)
        return thing

    def WPUSetEvent(self, event: int, /) -> None:
        self._event(event).set()

    def WPUResetEvent(self, event: int, /) -> None:
        self._event(event).reset()

    def WPUCloseEvent(self, event: int, /) -> None:
        self._event(event)
        self._process.close_handle(event)

    def WPUPostMessage(self, window: int, message: int, wparam: int, lparam: int, /) -> bool:
        try:
            self._process.desktop.post(window, message, wparam, lparam)
        except WinsockError as failure:
            if failure.winerror == ERROR_NOT_ENOUGH_QUOTA:
                return False
            raise
        return True


_processes: weakref.WeakSet[Process] = weakref.WeakSet()
_current: ContextVar[Process] = ContextVar("winsock2emu.process", default=Process())  # noqa: B039 - one per interpreter

current_process = _current.get
"""The process of the calling thread."""


def _after_fork_in_child() -> None:
    forget_waiter()
    kernel_objects.after_fork()
    for process in tuple(_processes):
        process.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
