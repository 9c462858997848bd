"""The contract of a transport: its table, the two flavours of results, and what its failures become."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import pytest

from conformance.targets.recording import PEER, RecordingProvider, installed, recorder, row, started
from tests.capi import cabi
from tests.spi.headers import fields
from winsock2emu import spi, ws2_32
from winsock2emu.defs.codes import WSAECONNRESET, WSASYSCALLFAILURE
from winsock2emu.defs.constants import AF_INET, MSG_PARTIAL, SOCK_STREAM
from winsock2emu.errors import WinsockError, get_last_error, set_last_error
from winsock2emu.process import Process
from winsock2emu.providers.host import HostProvider

# R1.41, in the order of the page.
ENTRIES = [
    "Accept",
    "AddressToString",
    "AsyncSelect",
    "Bind",
    "CancelBlockingCall",
    "Cleanup",
    "CloseSocket",
    "Connect",
    "DuplicateSocket",
    "EnumNetworkEvents",
    "EventSelect",
    "GetOverlappedResult",
    "GetPeerName",
    "GetSockName",
    "GetSockOpt",
    "GetQOSByName",
    "Ioctl",
    "JoinLeaf",
    "Listen",
    "Recv",
    "RecvDisconnect",
    "RecvFrom",
    "Select",
    "Send",
    "SendDisconnect",
    "SendTo",
    "SetSockOpt",
    "Shutdown",
    "Socket",
    "StringToAddress",
]

UNTOUCHED = 0x5A5A5A5A


def test_the_table_has_thirty_entries_in_the_order_of_the_structure() -> None:
    """R1.41."""
    assert list(spi.PROC_TABLE) == [f"WSP{name}" for name in ENTRIES]
    assert len(spi.PROC_TABLE) == 30
    assert [field.name for field in attrs.fields(spi.WSPProcTable)] == list(spi.PROC_TABLE)


def test_the_table_is_that_of_the_header() -> None:
    assert list(spi.PROC_TABLE) == fields("WSPPROC_TABLE")


@pytest.mark.parametrize("provider", [RecordingProvider, HostProvider])
def test_the_table_holds_what_the_provider_had_when_it_was_asked(provider: Callable[[], Any]) -> None:
    one = provider()

    table = spi.WSPProcTable.of(one)

    assert table is not None
    assert all(getattr(table, name) == getattr(one, name) for name in spi.PROC_TABLE)


@pytest.mark.parametrize("name", spi.PROC_TABLE)
def test_a_table_with_a_gap_is_no_table(name: str) -> None:
    """R1.40: what cannot be called does not count."""
    for gap in (None, 0, "WSPSend"):
        provider = RecordingProvider()
        setattr(provider, name, gap)
        assert spi.WSPProcTable.of(provider) is None


def test_received_bytes_are_a_number_with_flags() -> None:
    received = spi.Received(5, MSG_PARTIAL)

    assert received == 5
    assert received.flags == MSG_PARTIAL


def test_the_program_gets_what_the_provider_returned(provider: RecordingProvider, s: int) -> None:
    provider.answers["WSPRecv"] = spi.Received(3, MSG_PARTIAL)

    assert ws2_32.recv(s, bytearray(8)) is provider.answers["WSPRecv"]


# A provider that fails without a code (R1.28)


@pytest.mark.parametrize(
    "failure",
    [
        WinsockError(0),
        OSError(104, "not translated"),
        ConnectionResetError(),
        ValueError("a mistake"),
        KeyError(3),
        AssertionError(),
        RecursionError(),
    ],
    ids=repr,
)
def test_a_failure_without_code_is_a_failed_system_call(
    provider: RecordingProvider, s: int, failure: Exception
) -> None:
    """What the provider raised stands behind the new error, for whoever has to repair the provider."""
    provider.failures["WSPRecv"] = failure

    with pytest.raises(WinsockError) as caught:
        ws2_32.recv(s, bytearray(8))

    assert caught.value.code == WSASYSCALLFAILURE == get_last_error()
    assert caught.value.__cause__ is failure


def test_the_same_through_c(provider: RecordingProvider, s: int) -> None:
    provider.failures["WSPListen"] = OSError(104, "not translated")

    cabi.fails(WSASYSCALLFAILURE, "listen", s, 5)


@pytest.mark.parametrize("failure", [TypeError("a bytes-like object is required"), MemoryError()], ids=repr)
def test_what_is_about_python_passes(provider: RecordingProvider, s: int, failure: Exception) -> None:
    """A value of the wrong type is the program's mistake, and out of memory nobody's."""
    provider.failures["WSPSend"] = failure
    set_last_error(UNTOUCHED)

    with pytest.raises(type(failure)) as caught:
        ws2_32.send(s, b"data")

    assert caught.value is failure
    assert get_last_error() == UNTOUCHED


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()], ids=repr)
def test_what_ends_the_program_passes(provider: RecordingProvider, s: int, failure: BaseException) -> None:
    provider.failures["WSPSend"] = failure
    set_last_error(UNTOUCHED)

    with pytest.raises(type(failure)) as caught:
        ws2_32.send(s, b"data")

    assert caught.value is failure
    assert get_last_error() == UNTOUCHED


class Waiting(RecordingProvider):
    """A signal arrives while WSPRecv waits; WSPAccept asks the condition function."""

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any, /) -> Any:
        signal.raise_signal(signal.SIGUSR1)
        raise WinsockError(WSAECONNRESET)

    def WSPAccept(self, s: int, namelen: Any, condition: Any, callback_data: int, /) -> Any:
        return condition(), PEER


class Alarm(Exception):
    """The program's own."""


def raise_alarm(*arguments: Any) -> None:
    raise Alarm


class Handler:
    def method(self, *arguments: Any) -> None:
        raise_alarm()

    def __call__(self, *arguments: Any) -> None:
        raise_alarm()


HANDLERS: dict[str, Callable[..., Any]] = {
    "function": raise_alarm,
    "method": Handler().method,
    "object": Handler(),
    "partial": partial(partial(raise_alarm, 1), 2),
}


@pytest.fixture(params=HANDLERS)
def handler(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return HANDLERS[request.param]


def waiting_socket(process: Process) -> int:
    return ws2_32.socket(AF_INET, SOCK_STREAM, 0)


def test_what_a_signal_handler_raises_passes(handler: Callable[..., Any]) -> None:
    """Python runs it inside the call, but it is no failure of the call: such handlers implement time limits."""
    with installed(Waiting) as path, started(row(path=path)) as process:
        s = waiting_socket(process)
        before = signal.signal(signal.SIGUSR1, handler)
        try:
            with pytest.raises(Alarm):
                ws2_32.recv(s, bytearray(8))
        finally:
            signal.signal(signal.SIGUSR1, before)


def test_a_signal_handler_that_raises_nothing_changes_nothing() -> None:
    with installed(Waiting) as path, started(row(path=path)) as process:
        s = waiting_socket(process)
        before = signal.signal(signal.SIGUSR1, lambda *_: None)
        try:
            with pytest.raises(WinsockError) as caught:
                ws2_32.recv(s, bytearray(8))
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert caught.value.code == WSAECONNRESET


def test_what_a_function_of_the_program_raises_passes(handler: Callable[..., Any]) -> None:
    """The condition function of WSAAccept runs inside the provider."""
    with installed(Waiting) as path, started(row(path=path)) as process:
        with pytest.raises(Alarm):
            ws2_32.WSAAccept(waiting_socket(process), None, handler)
        with pytest.raises(Alarm):
            ws2_32.WSAAccept(waiting_socket(process), condition=handler)


def test_the_same_exception_from_the_provider_itself_does_not_pass() -> None:
    """Where an exception comes from counts, not its class."""
    with installed(Waiting) as path, started(row(path=path)) as process:
        s = waiting_socket(process)
        recorder(process, path).failures["WSPBind"] = Alarm()

        with pytest.raises(WinsockError) as caught:
            ws2_32.bind(s, PEER)

        assert caught.value.code == WSASYSCALLFAILURE
