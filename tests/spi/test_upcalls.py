"""What the DLL does for a provider: handles, paths, threads, events; and two providers that live on it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from conformance.targets.recording import PEER, PROVIDER_ID, RecordingProvider, installed, recorder, row, started
from tests.concurrency import until
from tests.spi.headers import fields
from winsock2emu import spi, ws2_32
from winsock2emu.catalog.loader import resolve
from winsock2emu.catalog.protocols import CatalogEntry, built_in_catalog
from winsock2emu.defs.codes import (
    WSA_INVALID_HANDLE,
    WSAECONNREFUSED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEPROVIDERFAILEDINIT,
    WSANOTINITIALISED,
)
from winsock2emu.defs.constants import (
    AF_INET,
    INVALID_SOCKET,
    IPPROTO_TCP,
    PFL_HIDDEN,
    SD_SEND,
    SOCK_DGRAM,
    SOCK_STREAM,
    WSA_FLAG_OVERLAPPED,
)
from winsock2emu.defs.records import ProtocolInfo, WSPData
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in
from winsock2emu.defs.windows import ERROR_INVALID_WINDOW_HANDLE
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
from winsock2emu.spi import Upcalls

FIRST = 0x100000  # handles without a descriptor start here
STEP = 4


def fails(code: int, call: Callable[..., Any], *args: Any) -> None:
    with pytest.raises(WinsockError) as caught:
        call(*args)
    assert caught.value.code == code


@pytest.fixture
def upcalls(provider: RecordingProvider) -> Upcalls:
    """The upcall table that the provider received."""
    return provider.upcalls


def test_the_table_has_fifteen_entries_in_the_order_of_the_structure(upcalls: Upcalls) -> None:
    """R1.46; WPUCompleteOverlappedRequest is none of them."""
    assert list(spi.UPCALL_TABLE) == [
        "WPUCloseEvent",
        "WPUCloseSocketHandle",
        "WPUCreateEvent",
        "WPUCreateSocketHandle",
        "WPUFDIsSet",
        "WPUGetProviderPath",
        "WPUModifyIFSHandle",
        "WPUPostMessage",
        "WPUQueryBlockingCallback",
        "WPUQuerySocketHandleContext",
        "WPUQueueApc",
        "WPUResetEvent",
        "WPUSetEvent",
        "WPUOpenCurrentThread",
        "WPUCloseThread",
    ]
    named = {name for name in dir(upcalls) if name.startswith("WPU")}
    assert named - {"WPUCompleteOverlappedRequest"} == set(spi.UPCALL_TABLE)


def test_the_table_is_that_of_the_header() -> None:
    assert list(spi.UPCALL_TABLE) == fields("WSPUPCALLTABLE")


# Handles without a descriptor


def test_a_made_handle_belongs_to_its_row_and_keeps_its_context(process: Process, upcalls: Upcalls) -> None:
    """R1.48, R1.49, R2.24: the context is the provider's and stays what it is."""
    context = object()

    s = upcalls.WPUCreateSocketHandle(1001, context)

    assert upcalls.WPUQuerySocketHandleContext(s) is context
    assert process.socket(s).entry is process.catalog.entries[0]
    assert process.sockets() == [s]


def test_made_handles_are_numbered_in_steps_and_at_once_again(upcalls: Upcalls) -> None:
    made = [upcalls.WPUCreateSocketHandle(1001, None) for _ in range(3)]
    assert made == [FIRST, FIRST + STEP, FIRST + 2 * STEP]

    upcalls.WPUCloseSocketHandle(made[1])

    assert upcalls.WPUCreateSocketHandle(1001, None) == made[1]
    assert upcalls.WPUCreateSocketHandle(1001, None) == FIRST + 3 * STEP


def test_a_closed_handle_is_no_socket(provider: RecordingProvider, upcalls: Upcalls) -> None:
    """R1.50: to the API and to every upcall."""
    s = upcalls.WPUCreateSocketHandle(1001, None)
    upcalls.WPUCloseSocketHandle(s)
    provider.forget()

    fails(WSAENOTSOCK, ws2_32.send, s, b"data")
    fails(WSAENOTSOCK, upcalls.WPUCloseSocketHandle, s)
    fails(WSAENOTSOCK, upcalls.WPUQuerySocketHandleContext, s)
    assert provider.calls == []


@pytest.mark.parametrize("s", [0, 7, FIRST, INVALID_SOCKET, -1])
def test_a_number_that_was_never_a_handle_is_no_socket(upcalls: Upcalls, s: int) -> None:
    fails(WSAENOTSOCK, upcalls.WPUCloseSocketHandle, s)
    fails(WSAENOTSOCK, upcalls.WPUQuerySocketHandleContext, s)


def test_a_registered_handle_has_no_context(upcalls: Upcalls) -> None:
    """R1.49: it was not made by WPUCreateSocketHandle."""
    upcalls.WPUModifyIFSHandle(1001, 50_000)

    fails(WSAENOTSOCK, upcalls.WPUQuerySocketHandleContext, 50_000)


@pytest.mark.parametrize("catalog_id", [0, 1000, 1002, -1])
def test_an_unknown_catalog_id_makes_no_handle(process: Process, upcalls: Upcalls, catalog_id: int) -> None:
    fails(WSAEINVAL, upcalls.WPUCreateSocketHandle, catalog_id, None)
    fails(WSAEINVAL, upcalls.WPUModifyIFSHandle, catalog_id, 50_000)
    fails(WSAEINVAL, upcalls.WPUQueryBlockingCallback, catalog_id)
    assert process.sockets() == []


# Handles with a descriptor


def test_a_registered_number_is_the_handle(provider: RecordingProvider, upcalls: Upcalls) -> None:
    """R1.51: here the number is never changed, since host functions know it too."""
    for number in (0, 50_000, FIRST - 1):
        assert upcalls.WPUModifyIFSHandle(1001, number) == number
        provider.forget()
        ws2_32.listen(number, 1)
        assert provider.names() == ["WSPListen"]
        upcalls.WPUCloseSocketHandle(number)
        fails(WSAENOTSOCK, ws2_32.listen, number, 1)


@pytest.mark.parametrize("number", [-1, FIRST, FIRST + 1, INVALID_SOCKET])
def test_a_number_that_cannot_be_a_descriptor_is_refused(process: Process, upcalls: Upcalls, number: int) -> None:
    """R1.51; made handles have their own range, so that the two kinds never meet."""
    fails(WSAEINVAL, upcalls.WPUModifyIFSHandle, 1001, number)
    assert process.sockets() == []


def test_registering_again_hands_the_socket_over() -> None:
    """R1.52, R2.26: from then on calls go to the owner that registered last."""
    with installed(lambda: RecordingProvider(ifs=True)) as path, started(row(), row(1002, af=99, path=path)) as process:
        lower, upper = recorder(process, path), recorder(process)
        s = ws2_32.socket(99, SOCK_STREAM, 0)
        lower.forget()
        upper.forget()

        ws2_32.listen(s, 1)
        assert (lower.names(), upper.names()) == (["WSPListen"], [])

        assert upper.upcalls.WPUModifyIFSHandle(1001, s) == s
        ws2_32.listen(s, 1)
        ws2_32.recv(s, bytearray(1))
        assert (lower.names(), upper.names()) == (["WSPListen"], ["WSPListen", "WSPRecv"])


# Before, between and after startups


def test_there_are_no_handles_without_a_startup(process: Process, upcalls: Upcalls) -> None:
    event = upcalls.WPUCreateEvent()
    process.cleanup()

    fails(WSANOTINITIALISED, upcalls.WPUCreateSocketHandle, 1001, None)
    fails(WSANOTINITIALISED, upcalls.WPUModifyIFSHandle, 1001, 50_000)
    fails(WSANOTINITIALISED, upcalls.WPUGetProviderPath, PROVIDER_ID)
    upcalls.WPUCloseEvent(event)  # who makes one frees it, whenever that is


@pytest.mark.parametrize("make", ["WPUCreateSocketHandle", "WPUModifyIFSHandle"])
def test_a_cleanup_in_the_middle_leaves_no_handle_behind(
    process: Process, upcalls: Upcalls, monkeypatch: pytest.MonkeyPatch, make: str
) -> None:
    """R1.23: another thread calls the last WSACleanup after the row was found and before the handle is entered."""
    find = process.provider

    def then_clean_up(entry: CatalogEntry) -> Any:
        found = find(entry)
        process.cleanup()
        return found

    monkeypatch.setattr(process, "provider", then_clean_up)

    fails(WSANOTINITIALISED, getattr(upcalls, make), 1001, 50_000)
    assert process.sockets() == []


class Hasty(RecordingProvider):
    """Makes a handle before its WSPStartup has returned."""

    def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
        upcalls.WPUCreateSocketHandle(info.catalog_entry_id, None)
        return super().WSPStartup(version, info, upcalls)


def test_a_provider_has_no_handles_while_it_starts() -> None:
    """Its table is not known yet; it must not be started once more for it."""
    made: list[Hasty] = []

    def factory() -> Hasty:
        made.append(Hasty())
        return made[-1]

    with installed(factory) as path, started(row(path=path)):
        with pytest.raises(WinsockError) as caught:
            ws2_32.socket(AF_INET, SOCK_STREAM, 0)

        assert caught.value.code == WSAEPROVIDERFAILEDINIT
        assert isinstance(caught.value.__cause__, WinsockError)
        assert caught.value.__cause__.code == WSAEINVAL
        assert len(made) == 1


# Look-ups


def test_membership_in_a_set(upcalls: Upcalls) -> None:
    """R1.64."""
    assert upcalls.WPUFDIsSet(5, [4, 5]) is True
    assert upcalls.WPUFDIsSet(6, [4, 5]) is False
    assert upcalls.WPUFDIsSet(6, []) is False


def test_the_path_of_a_provider_is_the_stored_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """R1.65, R1.84: unexpanded, although it was expanded to load the provider."""
    monkeypatch.setenv("WHERE", "conformance.targets.recording")
    with started(row(path="%WHERE%:RecordingProvider")) as process:
        upcalls = recorder(process, "%WHERE%:RecordingProvider").upcalls

        assert upcalls.WPUGetProviderPath(PROVIDER_ID) == "%WHERE%:RecordingProvider"
        fails(WSAEINVAL, upcalls.WPUGetProviderPath, built_in_catalog().entries[0].info.provider_id)


def test_there_is_no_blocking_hook(upcalls: Upcalls) -> None:
    """R1.54: no callback means that the provider blocks in its own way."""
    assert upcalls.WPUQueryBlockingCallback(1001) == (None, None)


# Threads


def test_an_opened_thread_is_the_calling_one_until_it_is_closed(upcalls: Upcalls) -> None:
    """R1.59: every open needs its close."""
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.append(upcalls.WPUOpenCurrentThread()))
    thread.start()
    thread.join(10)

    here = upcalls.WPUOpenCurrentThread()
    assert here != elsewhere[0]
    assert upcalls.WPUOpenCurrentThread() == here

    upcalls.WPUCloseThread(elsewhere[0])
    fails(WSAEINVAL, upcalls.WPUCloseThread, elsewhere[0])
    upcalls.WPUCloseThread(here)
    upcalls.WPUCloseThread(here)
    fails(WSAEINVAL, upcalls.WPUCloseThread, here)


def test_a_call_for_no_thread_is_refused(upcalls: Upcalls) -> None:
    """R1.57."""
    ran: list[Any] = []

    fails(WSAEFAULT, upcalls.WPUQueueApc, 12345, ran.append, None)

    thread = upcalls.WPUOpenCurrentThread()
    upcalls.WPUCloseThread(thread)
    fails(WSAEFAULT, upcalls.WPUQueueApc, thread, ran.append, None)
    assert ran == []


def test_a_message_needs_a_window(upcalls: Upcalls) -> None:
    """Nothing would ever show the message, so there must be no success."""
    fails(ERROR_INVALID_WINDOW_HANDLE, upcalls.WPUPostMessage, 1, 0x400, 0, 0)


def test_a_queued_call_runs_in_the_next_alertable_wait_of_its_thread(upcalls: Upcalls) -> None:
    """R1.57: queueing returns at once, and so does a wait that is not alertable."""
    thread = upcalls.WPUOpenCurrentThread()
    ran: list[Any] = []

    upcalls.WPUQueueApc(thread, ran.append, "context")
    upcalls.WPUCloseThread(thread)
    event = upcalls.WPUCreateEvent()

    assert ws2_32.WSAWaitForMultipleEvents([event], False, 0, False) == ws2_32.WSA_WAIT_TIMEOUT
    assert ran == []
    assert ws2_32.WSAWaitForMultipleEvents([event], False, 0, True) == ws2_32.WSA_WAIT_IO_COMPLETION
    assert ran == ["context"]
    upcalls.WPUCloseEvent(event)


def test_a_call_for_a_thread_that_has_ended_is_refused(upcalls: Upcalls) -> None:
    """R1.57: its identifier is still open."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(upcalls.WPUOpenCurrentThread()))
    thread.start()
    thread.join(10)

    until(lambda: refused(upcalls, found[0]), "the thread is gone")
    upcalls.WPUCloseThread(found[0])


def refused(upcalls: Upcalls, thread: int) -> bool:
    try:
        upcalls.WPUQueueApc(thread, print, None)
    except WinsockError as failure:
        return failure.winerror == WSAEFAULT
    return False


# Events


def test_events_are_set_and_reset_by_hand(process: Process, upcalls: Upcalls) -> None:
    """R1.66: ordinary event objects, manual-reset and not signalled at first."""
    event = upcalls.WPUCreateEvent()
    thing = process.objects[event]
    assert event >= FIRST
    assert (thing.manual_reset, thing.signalled) == (True, False)

    upcalls.WPUSetEvent(event)
    assert thing.signalled
    upcalls.WPUResetEvent(event)
    assert not thing.signalled

    upcalls.WPUCloseEvent(event)
    assert event not in process.objects


def test_what_is_no_event_cannot_be_used_as_one(process: Process, upcalls: Upcalls, s: int) -> None:
    event = upcalls.WPUCreateEvent()
    upcalls.WPUCloseEvent(event)

    for handle in (event, s, 7, 0):
        fails(WSA_INVALID_HANDLE, upcalls.WPUSetEvent, handle)
        fails(WSA_INVALID_HANDLE, upcalls.WPUResetEvent, handle)
        fails(WSA_INVALID_HANDLE, upcalls.WPUCloseEvent, handle)
    assert process.sockets() == [s]


def test_an_event_is_no_socket(process: Process, upcalls: Upcalls) -> None:
    """R2.17: sockets and events have numbers of one table."""
    event = upcalls.WPUCreateEvent()

    fails(WSAENOTSOCK, ws2_32.closesocket, event)
    fails(WSAENOTSOCK, ws2_32.send, event, b"data")
    fails(WSAENOTSOCK, upcalls.WPUCloseSocketHandle, event)
    fails(WSAENOTSOCK, upcalls.WPUQuerySocketHandleContext, event)
    assert event in process.objects
    assert upcalls.WPUCreateSocketHandle(1001, None) == event + STEP


# A transport without descriptors


@attrs.define(eq=False)
class End:
    """One end of a stream: what has arrived, and the other end."""

    info: ProtocolInfo
    arrived: bytearray = attrs.field(factory=bytearray)
    other: End | None = None
    requests: deque[End] = attrs.field(factory=deque)


class Wire(RecordingProvider):
    """Streams inside the process: a name leads to a listening end. Every entry goes by the handle's context."""

    def __init__(self) -> None:
        super().__init__()
        self.listening: dict[bytes, End] = {}

    def _end(self, s: int) -> End:
        end = self.upcalls.WPUQuerySocketHandleContext(s)
        assert isinstance(end, End)
        return end

    def _number(self, end: End) -> int:
        s = self.upcalls.WPUCreateSocketHandle(end.info.catalog_entry_id, end)
        self.open.append(s)
        return s

    def WSPSocket(self, af: int, type: int, protocol: int, info: ProtocolInfo, group: int, flags: int, /) -> int:
        return self._number(End(info))

    def WSPBind(self, s: int, name: bytes | None, /) -> None:
        assert name is not None
        self.listening[name] = self._end(s)

    def WSPConnect(self, s: int, name: bytes | None, *arguments: Any) -> bytes:
        assert name is not None
        if name not in self.listening:
            raise WinsockError(WSAECONNREFUSED)
        near = self._end(s)
        near.other = End(near.info, other=near)
        self.listening[name].requests.append(near.other)
        return b""

    def WSPAccept(self, s: int, namelen: Any, condition: Any, callback_data: int, /) -> tuple[int, SockAddr]:
        return self._number(self._end(s).requests.popleft()), PEER

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any, /) -> Any:
        other = self._end(s).other
        if other is None:
            raise WinsockError(WSAENOTCONN)
        data = b"".join(buffers)
        other.arrived += data
        return len(data)

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any, /) -> Any:
        arrived = self._end(s).arrived
        moved = 0
        for buffer in buffers:
            count = min(len(buffer), len(arrived))
            buffer[:count] = arrived[:count]
            del arrived[:count]
            moved += count
        return moved


def test_a_transport_without_descriptors_from_end_to_end() -> None:
    """R1.25, R2.26: two sockets talk, their numbers come from the DLL, and both rows of the module keep their own."""
    with installed(Wire) as path, started(row(path=path), row(1002, af=99, path=path)) as process:
        name = sockaddr_in("127.0.0.1", 7)
        listener = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
        client = ws2_32.socket(99, SOCK_STREAM, 0)
        assert (listener, client) == (FIRST, FIRST + STEP)
        assert [process.socket(s).entry.catalog_id for s in (listener, client)] == [1001, 1002]
        fails(WSAECONNREFUSED, ws2_32.connect, client, name)
        fails(WSAENOTCONN, ws2_32.send, client, b"early")

        ws2_32.bind(listener, name)
        ws2_32.listen(listener, 1)
        ws2_32.connect(client, name)
        server, address = ws2_32.accept(listener)
        assert (server, address) == (FIRST + 2 * STEP, PEER)

        assert ws2_32.WSASend(client, [b"he", b"llo"]) == 5
        first, second = bytearray(2), bytearray(8)
        assert ws2_32.WSARecv(server, [first, second]) == 5
        assert (bytes(first), bytes(second)) == (b"he", b"llo" + bytes(5))
        assert ws2_32.send(server, b"back") == 4
        assert ws2_32.recv(client, second) == 4
        assert second[:4] == b"back"

        ws2_32.closesocket(server)
        fails(WSAENOTSOCK, ws2_32.recv, server, bytearray(1))
        assert ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) == server


# A layer over the host's TCP

CHAIN_ID, LAYER_ID = 1100, 1101
BASE = built_in_catalog().entries[0]


class Layer:
    """Sees what is sent and leaves everything else to the layer below it, handles included."""

    def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
        self.started_for = info
        self.upcalls = upcalls
        self.sent: list[bytes] = []
        # R1.87, R1.88: the next layer is the base protocol, which gets its own record and the same upcall table.
        assert info.protocol_chain == (LAYER_ID, BASE.catalog_id)
        self.lower: Any = resolve(upcalls.WPUGetProviderPath(BASE.info.provider_id))()
        answer: WSPData = self.lower.WSPStartup(version, BASE.info, upcalls)
        # R1.89: the table has the lower entries themselves wherever the layer has none of its own.
        for name in spi.PROC_TABLE:
            if name not in vars(type(self)):
                setattr(self, name, getattr(self.lower, name))
        return answer

    def WSPSocket(self, af: int, type: int, protocol: int, info: ProtocolInfo, group: int, flags: int, /) -> int:
        below = attrs.evolve(BASE.info, provider_reserved=info.provider_reserved)
        s = self.lower.WSPSocket(af, type, protocol, below, group, flags)
        return self.upcalls.WPUModifyIFSHandle(info.catalog_entry_id, s)

    def WSPDuplicateSocket(self, s: int, process_id: int, /) -> ProtocolInfo:
        below = self.lower.WSPDuplicateSocket(s, process_id)
        return attrs.evolve(self.started_for, provider_reserved=below.provider_reserved)

    def WSPAccept(self, s: int, namelen: Any, condition: Any, callback_data: int, /) -> tuple[int, SockAddr]:
        accepted, address = self.lower.WSPAccept(s, namelen, condition, callback_data)
        return self.upcalls.WPUModifyIFSHandle(CHAIN_ID, accepted), address

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any, /) -> Any:
        self.sent.append(b"".join(buffers))
        return self.lower.WSPSend(s, buffers, flags, operation)


def test_a_layer_takes_over_the_handles_of_the_layer_below() -> None:
    """R1.52, R1.53, R1.89: its calls are seen, those it leaves alone go straight down, other sockets do not meet it."""
    with installed(Layer) as path:
        chain = row(CHAIN_ID, path=path, af=AF_INET, chain_len=2, protocol_chain=(LAYER_ID, BASE.catalog_id))
        layered = row(LAYER_ID, path=path, provider_flags=PFL_HIDDEN, chain_len=0)
        with started(chain, *built_in_catalog().entries, layered) as process:
            listener = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
            layer = process.socket(listener).owner.provider
            assert isinstance(layer, Layer)
            assert layer.started_for is chain.info  # R1.45
            assert layer.upcalls is process.upcalls  # R1.67

            ws2_32.bind(listener, sockaddr_in("127.0.0.1"))
            ws2_32.listen(listener, 1)
            client = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
            ws2_32.connect(client, ws2_32.getsockname(listener))
            server, _ = ws2_32.accept(listener)

            for s in (listener, client, server):
                record = process.socket(s)
                assert record.entry is chain
                assert s < FIRST  # still the host's descriptor
                assert record.mover.WSPRecv == layer.lower.WSPRecv
                assert record.mover.WSPSend == layer.WSPSend

            received = bytearray(8)
            assert ws2_32.send(client, b"down") == 4
            assert ws2_32.select([server, listener], None, None, (10, 0)) == ([server], [], [])
            assert ws2_32.recv(server, received) == 4
            assert received[:4] == b"down"
            assert ws2_32.send(server, b"back") == 4
            assert ws2_32.recv(client, received) == 4
            assert layer.sent == [b"down", b"back"]

            ws2_32.shutdown(client, SD_SEND)
            assert ws2_32.recv(server, received) == 0

            plain = ws2_32.socket(AF_INET, SOCK_DGRAM, 0)
            assert process.socket(plain).owner.provider is not layer
            fails(WSAEINVAL, ws2_32.select, [server, plain], None, None, (0, 0))  # R3.33

            ws2_32.closesocket(client)
            fails(WSAENOTSOCK, ws2_32.send, client, b"late")
            assert layer.sent == [b"down", b"back"]


def test_a_layer_sees_the_calls_of_every_descriptor_of_a_shared_socket() -> None:
    """R10.16: a duplicate is handed over like any new socket, and the first descriptor is not taken back."""
    with installed(Layer) as path:
        chain = row(CHAIN_ID, path=path, af=AF_INET, chain_len=2, protocol_chain=(LAYER_ID, BASE.catalog_id))
        layered = row(LAYER_ID, path=path, provider_flags=PFL_HIDDEN, chain_len=0)
        with started(chain, *built_in_catalog().entries, layered) as process:
            listener = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
            ws2_32.bind(listener, sockaddr_in("127.0.0.1"))
            ws2_32.listen(listener, 1)
            client = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
            ws2_32.connect(client, ws2_32.getsockname(listener))
            server, _ = ws2_32.accept(listener)
            info = ws2_32.WSADuplicateSocket(client, os.getpid())
            duplicate = ws2_32.WSASocket(-1, -1, -1, info, 0, WSA_FLAG_OVERLAPPED)

            layer = process.socket(client).owner.provider
            assert isinstance(layer, Layer)
            for s in (client, duplicate):
                assert process.socket(s).entry is chain
                assert process.socket(s).mover.WSPSend == layer.WSPSend
            ws2_32.send(client, b"one")
            ws2_32.send(duplicate, b"two")
            assert layer.sent == [b"one", b"two"]
            ws2_32.closesocket(client)
            ws2_32.send(duplicate, b"three")
            received, room = b"", bytearray(16)
            while len(received) < len(b"onetwothree"):
                received += room[: ws2_32.recv(server, room)]
            assert received == b"onetwothree"


def test_entries_of_its_own_replace_only_those_that_a_provider_knows() -> None:
    """With ``instead_of`` a handle that somebody has taken over stays as it is."""
    with started(*built_in_catalog().entries) as process:
        s = ws2_32.socket(AF_INET, SOCK_DGRAM, 0)
        before, self_made = process.socket(s).mover, object()

        process.upcalls.own_entries(s, self_made, instead_of=len)
        assert process.socket(s).mover is before
        process.upcalls.own_entries(s, self_made, instead_of=before)
        assert process.socket(s).mover is self_made
        fails(WSAENOTSOCK, process.upcalls.own_entries, FIRST, self_made)
