"""A process of the emulator with providers that a case has asked for.

Part played:     the setup program of a transport: the module goes where the path leads, the rows into the catalog.
Lives here:      `install`, and the translation between the emulator's values and the suite's.
Lives elsewhere: the transports (recording), what a case says and sees (providers), entering the process (target).

Each call of `install` makes a process of its own, current in the calling thread and in the threads the case starts. The
default process, and with it what the runner has started, is not touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest import mock
from uuid import UUID

import attrs

from winsock2emu.catalog.protocols import Catalog, CatalogEntry, built_in_catalog
from winsock2emu.defs.records import ProtocolInfo
from winsock2emu.errors import WinsockError
from winsock2emu.kernel import operations
from winsock2emu.process import Process
from winsock2emu.spi import PROC_TABLE, UPCALL_TABLE

from .. import records
from ..constants import code_name
from ..providers import Call, Provider, Recorder
from ..records import NO_PROVIDER
from ..target import PENDING
from ..verify import Failed, shown, step
from .recording import LayeredProvider, MessageProvider, RecordingProvider, installed

#: Ids of the rows that a case installs; those of the built-in ones are lower.
FIRST_ID = 2001
#: The provider ids that are given out, with a number in the last place.
PROVIDER_ID = "5f8a44e2-6e36-4ccb-9d44-2f1f3a9f1b{:02x}"


def to_theirs(info: records.ProtocolInfo) -> ProtocolInfo:
    """Return a record of the suite as the emulator's."""
    return ProtocolInfo(**{field.name: getattr(info, field.name) for field in attrs.fields(records.ProtocolInfo)})


def to_ours(value: Any) -> Any:
    """Return a value of the emulator as the suite shows it: buffers are copied, as their memory is the caller's."""
    if isinstance(value, ProtocolInfo):
        fields = attrs.fields(records.ProtocolInfo)
        return records.ProtocolInfo(**{field.name: getattr(value, field.name) for field in fields})
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, list | tuple):
        return tuple(map(to_ours, value))
    return value


class _Seen:
    """Keeps calls as the case may look at them after the call has ended."""

    calls: list[Call]

    def seen(self, call: Call) -> None:
        kept = Call(call.name, to_ours(call.args))
        step(f"the DLL calls {call.name}{shown(kept.args)}")
        self.calls.append(kept)


class _Recording(_Seen, RecordingProvider):
    """The transport."""


class _Messages(_Seen, MessageProvider):
    """The transport with partial messages."""


class _Layer(_Seen, LayeredProvider):
    """The layer."""


class _Installed:
    """One provider in the catalog of a process; a `Recorder`."""

    def __init__(self, wanted: Provider, protocols: tuple[records.ProtocolInfo, ...], process: _Installation) -> None:
        self.protocols = protocols
        self.path = ""
        self.loaded = 0
        self._wanted = wanted
        self._installation = process
        below = next((e.info for e in process.entries if e.info.provider_id == wanted.over), None)
        if wanted.over is not None and below is None:
            raise ValueError(f"no provider {wanted.over} to put a layer over; name it first")
        self._provider: _Recording | _Messages | _Layer
        if below is not None:
            self._provider = _Layer(below, wanted.through)
        else:
            self._provider = _Messages() if wanted.messages else _Recording()
        self._provider.version, self._provider.high_version = wanted.version, wanted.high_version
        self._provider.ifs = wanted.ifs
        for entry in wanted.missing:
            setattr(self._provider, entry, None)
        if wanted.startup_error is not None:
            self.fails("WSPStartup", wanted.startup_error)

    def make(self) -> RecordingProvider:
        """What the path leads to. A module is one thing in a process: each time it is the same object."""
        self.loaded += 1
        if self._wanted.load == "fails":
            raise RuntimeError("this module does not load")
        return self._provider

    def put_where_the_path_leads(self, stack: ExitStack) -> None:
        """Make the module, and whatever its path needs."""
        module, _, name = stack.enter_context(installed(self.make)).partition(":")
        if self._wanted.load == "no name":
            name = "NotThere"
        elif self._wanted.load == "no module":
            module += "_not_there"
        if self._wanted.variable:
            stack.enter_context(mock.patch.dict(os.environ, {self._wanted.variable: module}))
            module = f"%{self._wanted.variable}%"
        self.path = f"{module}:{name}"

    @property
    def calls(self) -> list[Call]:
        return list(self._provider.calls)

    def names(self) -> list[str]:
        return self._provider.names()

    def forget(self) -> None:
        self._provider.forget()

    def fails(self, entry: str, code: int | None) -> None:
        if code is None:
            self._provider.failures.pop(entry, None)
        else:
            self._provider.failures[entry] = WinsockError(code)

    def answers(self, entry: str, answer: Any) -> None:
        self._provider.answers[entry] = operations.PENDING if answer is PENDING else answer

    def does(self, entry: str, action: Callable[..., object]) -> None:
        self._provider.actions[entry] = action

    def receives(self, data: bytes, flags: int = 0) -> None:
        self._provider.incoming, self._provider.incoming_flags = data, flags

    def upcall(self, name: str, *arguments: Any) -> Any:
        listed = ", ".join(map(shown, arguments))
        try:
            result = getattr(self._provider.upcalls, name)(*arguments)
        except WinsockError as failure:
            step(f"{name}({listed}) fails with {code_name(failure.winerror)}")
            raise Failed(failure.winerror, name) from failure
        step(f"{name}({listed}) -> {shown(result)}")
        return to_ours(result)

    @property
    def entries(self) -> tuple[str, ...]:
        return PROC_TABLE

    @property
    def upcalls(self) -> tuple[str, ...]:
        table = self._provider.upcalls
        return tuple(name for name in UPCALL_TABLE if callable(getattr(table, name, None)))

    def put_first(self) -> None:
        self._installation.put_first(self.protocols)


class _Installation:
    """The stored catalog of one process."""

    def __init__(self, built_in: bool) -> None:
        self.built_in = built_in_catalog().entries if built_in else ()
        self.entries: list[CatalogEntry] = list(self.built_in)

    def snapshot(self) -> Catalog:
        return Catalog(self.entries)

    def put_first(self, protocols: Sequence[records.ProtocolInfo]) -> None:
        ids = {one.catalog_entry_id for one in protocols}
        self.entries.sort(key=lambda entry: entry.catalog_id not in ids)


def _with_ids(wanted: Sequence[Provider]) -> Iterator[tuple[records.ProtocolInfo, ...]]:
    """Give every row an id, and the rows of one provider one provider id, unless the case has chosen them."""
    next_id = FIRST_ID
    for number, provider in enumerate(wanted):
        rows = []
        for row in provider.protocols:
            provider_id = UUID(PROVIDER_ID.format(number)) if row.provider_id == NO_PROVIDER else row.provider_id
            rows.append(attrs.evolve(row, catalog_entry_id=row.catalog_entry_id or next_id, provider_id=provider_id))
            next_id += 1
        yield tuple(rows)


@contextmanager
def install(
    wanted: Sequence[Provider], *, built_in: bool, ends: list[Callable[[], None]]
) -> Iterator[tuple[Recorder, ...]]:
    """Make a process with these providers current in this thread; not started, and cleaned up at the end.

    Args:
        wanted: the providers; their rows stand in the catalog in this order.
        built_in: the built-in rows follow them.
        ends: gets, as long as the process is there, what cleans it up from outside.
    """
    installation = _Installation(built_in)
    process = Process(catalog=installation.snapshot)

    def end() -> None:
        with suppress(WinsockError):
            while process.startup_count:
                process.cleanup()

    recorders = []
    with ExitStack() as stack:
        rows: list[CatalogEntry] = []
        for provider, protocols in zip(wanted, _with_ids(wanted), strict=True):
            recorder = _Installed(provider, protocols, installation)
            recorder.put_where_the_path_leads(stack)
            recorders.append(recorder)
            rows += [CatalogEntry(info=to_theirs(row), provider_path=recorder.path) for row in protocols]
            installation.entries = [*rows, *installation.built_in]
        stack.enter_context(process.active())
        ends.append(end)
        stack.callback(ends.remove, end)
        stack.callback(end)
        yield tuple(recorders)
