"""A transport that records what it is asked, answers plausibly, and fails when told to.

Part played:     a provider's module: what a path in the catalog leads to, for cases and for the tests of the SPI.
Lives here:      the transport, a layer that hands everything on, and what puts them into the catalog of a process.
Lives elsewhere: the shape in which a case sees them (providers, targets/installing).
Handles:         numbers from WPUCreateSocketHandle (or, with ``ifs`` set, registered ones); nothing is sent anywhere.
Paths:           in a catalog the transport stands under ``PATH``; `row` makes the entry. For a provider that is to be
                 configured before it starts, `installed` puts a factory under a path of its own.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any, TypeVar, cast

import attrs

from winsock2emu.catalog.loader import resolve
from winsock2emu.catalog.protocols import Catalog, CatalogEntry
from winsock2emu.defs.codes import WSAEWOULDBLOCK
from winsock2emu.defs.constants import AF_INET, IPPROTO_TCP, MSG_PARTIAL, PFL_MATCHES_PROTOCOL_ZERO, SOCK_STREAM
from winsock2emu.defs.records import ProtocolInfo, WSPData
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
from winsock2emu.spi import PROC_TABLE, Received, Upcalls

from .. import providers

PATH = f"{__name__}:RecordingProvider"
PROVIDER_ID = uuid.UUID("5f8a44e2-6e36-4ccb-9d44-2f1f3a9f1b01")
VERSION_2_2 = 0x0202

LOCAL = SockAddr(providers.LOCAL)
PEER = SockAddr(providers.PEER)
EVENT_ERRORS = (0,) * 10

Call = providers.Call

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class Made:
    """What a socket was made with; the context of its handle."""

    af: int
    type: int
    protocol: int
    info: ProtocolInfo
    group: int
    flags: int


def recorded(entry: F) -> F:
    """Record the call first, then fail as told, then answer."""

    @wraps(entry)
    def recorder(self: RecordingProvider, *args: Any) -> Any:
        name = entry.__name__
        self.seen(Call(name, args))
        if name in self.failures:
            raise self.failures[name]
        if name in self.actions:
            self.actions[name](*args)
        answer = entry(self, *args)
        return self.answers.get(name, answer)

    return cast(F, recorder)


def _room(buffers: Sequence[Any] | None) -> int:
    """Bytes in the buffers, one without memory counting nothing."""
    return sum(len(buffer) for buffer in buffers or () if buffer is not None)


class RecordingProvider:
    """A complete `TransportProvider`.

    Attributes:
        calls: the calls since the start, or since `forget`.
        failures: by entry, what it raises instead of answering.
        answers: by entry, what it returns instead of its usual answer.
        actions: by entry, what it calls before it answers, with the arguments.
        incoming: what a receive puts into the buffers; None leaves them alone and reports all their bytes.
        incoming_flags: the flags that a receive of ``incoming`` hands back.
        version: what it negotiates.
        high_version: the highest version it claims.
        ifs: register the numbers in ``numbers`` as handles instead of having them made.
    """

    def __init__(self, *, version: int = VERSION_2_2, ifs: bool = False) -> None:
        self.calls: list[Call] = []
        self.failures: dict[str, BaseException] = {}
        self.answers: dict[str, Any] = {}
        self.actions: dict[str, Callable[..., object]] = {}
        self.incoming: bytes | None = None
        self.incoming_flags = 0
        self.version = self.high_version = version
        self.ifs = ifs
        self.numbers: Iterator[int] = iter(range(50_000, 60_000))
        self.startups = 0
        self.open: list[int] = []
        self._upcalls: Upcalls | None = None

    @property
    def upcalls(self) -> Upcalls:
        """The table of the last WSPStartup."""
        assert self._upcalls is not None, "WSPStartup comes first"
        return self._upcalls

    def seen(self, call: Call) -> None:
        """Keep a call. A subclass may keep it in another form."""
        self.calls.append(call)

    def forget(self) -> None:
        """Start a new record."""
        self.calls.clear()

    def names(self) -> list[str]:
        """The recorded calls without their arguments."""
        return [call.name for call in self.calls]

    def _received(self, buffers: Sequence[Any] | None) -> int:
        """Fill the buffers in their order with what is to come in; the number of bytes."""
        if self.incoming is None:
            return _room(buffers)
        rest = self.incoming
        for buffer in buffers or ():
            if buffer is not None:
                view = memoryview(buffer)[: len(rest)]
                view[:] = rest[: len(view)]
                rest = rest[len(view) :]
        moved = len(self.incoming) - len(rest)
        return Received(moved, self.incoming_flags) if self.incoming_flags else moved

    def _handle(self, made: Made) -> int:
        if self.ifs:
            s = self.upcalls.WPUModifyIFSHandle(made.info.catalog_entry_id, next(self.numbers))
        else:
            s = self.upcalls.WPUCreateSocketHandle(made.info.catalog_entry_id, made)
        self.open.append(s)
        return s

    @recorded
    def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
        self.startups += 1
        self._upcalls = upcalls
        return WSPData(version=self.version, high_version=self.high_version, description="Recording")

    @recorded
    def WSPCleanup(self) -> None:
        self.startups -= 1
        if not self.startups:
            while self.open:
                self.upcalls.WPUCloseSocketHandle(self.open.pop())

    @recorded
    def WSPSocket(self, af: int, type: int, protocol: int, info: ProtocolInfo, group: int, flags: int, /) -> int:
        return self._handle(Made(af, type, protocol, info, group, flags))

    @recorded
    def WSPCloseSocket(self, s: int, /) -> None:
        self.open.remove(s)
        self.upcalls.WPUCloseSocketHandle(s)

    @recorded
    def WSPBind(self, s: int, name: bytes | None, /) -> None:
        return None

    @recorded
    def WSPListen(self, s: int, backlog: int, /) -> None:
        return None

    @recorded
    def WSPAccept(
        self, s: int, namelen: int | None, condition: Callable[..., int] | None, callback_data: int, /
    ) -> tuple[int, SockAddr]:
        made: Made = self.upcalls.WPUQuerySocketHandleContext(s)
        return self._handle(made), PEER

    @recorded
    def WSPConnect(
        self,
        s: int,
        name: bytes | None,
        caller_data: bytes | None,
        callee_room: int | None,
        sqos: Any,
        gqos: Any,
        /,
    ) -> bytes:
        return b"callee"[:callee_room] if callee_room else b""

    @recorded
    def WSPShutdown(self, s: int, how: int, /) -> None:
        return None

    @recorded
    def WSPGetSockName(self, s: int, namelen: int | None, /) -> SockAddr:
        return LOCAL

    @recorded
    def WSPGetPeerName(self, s: int, namelen: int | None, /) -> SockAddr:
        return PEER

    @recorded
    def WSPSend(self, s: int, buffers: Sequence[Any] | None, flags: int, operation: Any, /) -> Any:
        return _room(buffers)

    @recorded
    def WSPSendTo(self, s: int, buffers: Sequence[Any] | None, flags: int, to: bytes | None, operation: Any, /) -> Any:
        return _room(buffers)

    @recorded
    def WSPRecv(self, s: int, buffers: Sequence[Any] | None, flags: int, operation: Any, /) -> Any:
        return self._received(buffers)

    @recorded
    def WSPRecvFrom(
        self, s: int, buffers: Sequence[Any] | None, flags: int, fromlen: int | None, operation: Any, /
    ) -> Any:
        return self._received(buffers), PEER

    @recorded
    def WSPGetSockOpt(self, s: int, level: int, option: int, length: int | None, /) -> bytes:
        return b"\x2a\0\0\0"

    @recorded
    def WSPSetSockOpt(self, s: int, level: int, option: int, value: bytes | None, /) -> None:
        return None

    @recorded
    def WSPIoctl(self, s: int, code: int, data: bytes | None, out_length: int, operation: Any, /) -> bytes:
        return b"\x2b\0\0\0"[:out_length]

    @recorded
    def WSPSelect(
        self,
        readfds: Sequence[int] | None,
        writefds: Sequence[int] | None,
        exceptfds: Sequence[int] | None,
        timeout: tuple[int, int] | None,
        /,
    ) -> tuple[list[int], list[int], list[int]]:
        return list(readfds or ()), list(writefds or ()), []

    @recorded
    def WSPEventSelect(self, s: int, event: int, mask: int, /) -> None:
        return None

    @recorded
    def WSPEnumNetworkEvents(self, s: int, event: int | None, /) -> tuple[int, tuple[int, ...]]:
        return 0, EVENT_ERRORS

    @recorded
    def WSPAsyncSelect(self, s: int, window: int, message: int, mask: int, /) -> None:
        return None

    @recorded
    def WSPGetOverlappedResult(self, s: int, operation: Any, wait: bool, /) -> tuple[int, int]:
        return 0, 0

    @recorded
    def WSPCancelBlockingCall(self) -> None:
        return None

    @recorded
    def WSPDuplicateSocket(self, s: int, process_id: int, /) -> ProtocolInfo:
        made: Made = self.upcalls.WPUQuerySocketHandleContext(s)
        return made.info

    @recorded
    def WSPJoinLeaf(
        self,
        s: int,
        name: bytes | None,
        caller_data: bytes | None,
        callee_room: int | None,
        sqos: Any,
        gqos: Any,
        flags: int,
        /,
    ) -> int:
        return s

    @recorded
    def WSPSendDisconnect(self, s: int, data: bytes | None, /) -> None:
        return None

    @recorded
    def WSPRecvDisconnect(self, s: int, room: int | None, /) -> bytes:
        return b""

    @recorded
    def WSPGetQOSByName(self, s: int, name: str | None, /) -> Any:
        return None

    @recorded
    def WSPAddressToString(self, address: bytes, info: ProtocolInfo | None, /) -> str:
        return "somewhere"

    @recorded
    def WSPStringToAddress(self, text: str, family: int, info: ProtocolInfo | None, /) -> SockAddr:
        return PEER


class MessageProvider(RecordingProvider):
    """A transport with partial messages, whose sockets are their own peers."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: list[tuple[bytearray, bool]] = []  # what is left of each, and whether its end is there

    @recorded
    def WSPSend(self, s: int, buffers: Sequence[Any] | None, flags: int, operation: Any, /) -> Any:
        data = b"".join(bytes(buffer) for buffer in buffers or ())
        if self._messages and not self._messages[-1][1]:
            data = bytes(self._messages.pop()[0]) + data
        self._messages.append((bytearray(data), not flags & MSG_PARTIAL))
        return _room(buffers)

    @recorded
    def WSPRecv(self, s: int, buffers: Sequence[Any] | None, flags: int, operation: Any, /) -> Any:
        if not self._messages or not (self._messages[0][1] or flags & MSG_PARTIAL):
            raise WinsockError(WSAEWOULDBLOCK)
        data, complete = self._messages[0]
        if not data and not complete:
            raise WinsockError(WSAEWOULDBLOCK)
        moved = 0
        for buffer in buffers or ():
            part = data[: len(buffer)]
            memoryview(buffer)[: len(part)] = part
            del data[: len(part)]
            moved += len(part)
        if data or not complete:
            return Received(moved, MSG_PARTIAL)
        del self._messages[0]
        return moved


class LayeredProvider(RecordingProvider):
    """A layer: records every call and hands it on to the provider below.

    Args:
        below: the record of the protocol below, which is what that protocol's provider gets to see.
        through: entries of the provider below that stand in this table as they are, so that their calls pass by.
    """

    def __init__(self, below: ProtocolInfo, through: Sequence[str] = ()) -> None:
        super().__init__()
        self.below = below
        self.through = through
        self.lower: Any = None
        self.info: ProtocolInfo | None = None

    @recorded
    def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
        self._upcalls = upcalls
        self.info = info
        self.lower = resolve(upcalls.WPUGetProviderPath(self.below.provider_id))()
        answer: WSPData = self.lower.WSPStartup(version, self.below, upcalls)
        for name in self.through:
            setattr(self, name, getattr(self.lower, name))
        return answer

    @recorded
    def WSPCleanup(self) -> None:
        self.lower.WSPCleanup()

    def _taken_over(self, s: int) -> int:
        """The handle that the client gets: the lower one, which leads here from now on."""
        assert self.info is not None
        return self.upcalls.WPUModifyIFSHandle(self.info.catalog_entry_id, s)

    @recorded
    def WSPSocket(self, af: int, type: int, protocol: int, info: ProtocolInfo, group: int, flags: int, /) -> int:
        return self._taken_over(self.lower.WSPSocket(af, type, protocol, self.below, group, flags))

    @recorded
    def WSPAccept(
        self, s: int, namelen: int | None, condition: Callable[..., int] | None, callback_data: int, /
    ) -> tuple[int, SockAddr]:
        accepted, address = self.lower.WSPAccept(s, namelen, condition, callback_data)
        return self._taken_over(accepted), address


def _handing_on(name: str) -> Callable[..., Any]:
    def entry(self: LayeredProvider, *args: Any) -> Any:
        return getattr(self.lower, name)(*args)

    entry.__name__ = name
    return recorded(entry)


for _name in PROC_TABLE:
    if _name not in vars(LayeredProvider):
        setattr(LayeredProvider, _name, _handing_on(_name))


def row(
    catalog_id: int = 1001,
    *,
    path: str = PATH,
    provider_id: uuid.UUID = PROVIDER_ID,
    af: int = AF_INET,
    type: int = SOCK_STREAM,
    protocol: int = IPPROTO_TCP,
    provider_flags: int = PFL_MATCHES_PROTOCOL_ZERO,
    **fields: Any,
) -> CatalogEntry:
    """A catalog row, for the recording provider unless it names another path."""
    info = ProtocolInfo(
        provider_flags=provider_flags,
        provider_id=provider_id,
        catalog_entry_id=catalog_id,
        address_family=af,
        max_sock_addr=16,
        min_sock_addr=16,
        socket_type=type,
        protocol=protocol,
        name=f"Recording {catalog_id}",
        **fields,
    )
    return CatalogEntry(info=info, provider_path=path)


@contextmanager
def started(*rows: CatalogEntry) -> Iterator[Process]:
    """A started process with these rows, current in this thread; cleaned up at the end."""
    process = Process(catalog=lambda: Catalog(rows))
    with process.active():
        process.startup(VERSION_2_2)
        try:
            yield process
        finally:
            while process.startup_count:
                process.cleanup()


@contextmanager
def installed(factory: Callable[[], Any]) -> Iterator[str]:
    """The path of a module made for this factory."""
    name = f"tests_provider_{uuid.uuid4().hex}"
    module = ModuleType(name)
    module.Provider = factory  # type: ignore[attr-defined]
    sys.modules[name] = module
    try:
        yield f"{name}:Provider"
    finally:
        del sys.modules[name]


def recorder(process: Process, path: str = PATH) -> RecordingProvider:
    """The instance that the process has loaded from a path, loaded now if it was not."""
    found = next(entry for entry in process.catalog.entries if entry.provider_path == path)
    provider = process.provider(found).provider
    assert isinstance(provider, RecordingProvider)
    return provider
