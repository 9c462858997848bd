"""Installing providers for a case: another process, its end, and what the case sees of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs
import pytest

from conformance import runner, targets
from conformance.constants import (
    AF_INET,
    MSG_PARTIAL,
    SOCK_STREAM,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
    WSANOTINITIALISED,
)
from conformance.model import Case, Outcome
from conformance.providers import ENTRIES, LOCAL, UPCALLS, Call, Provider, protocol
from conformance.records import ProtocolInfo
from conformance.target import Target, flags_of
from conformance.targets.recording import PATH, RecordingProvider
from conformance.verify import Failed, Mismatch, NotApplicable
from winsock2emu.catalog.loader import resolve
from winsock2emu.process import current_process
from winsock2emu.spi import PROC_TABLE, UPCALL_TABLE


@pytest.fixture(params=["emulator", "api"])
def ws(request: pytest.FixtureRequest) -> Any:
    target = targets.make(request.param)
    target.begin()
    target.WSAStartup(0x0202)
    yield target
    assert target.end() == 0


def case_of(run: Any, **fields: Any) -> Case:
    given: dict[str, Any] = {"chapter": "Made up", "claim": "A claim.", "source": "a page", "basis": "documented"}
    return Case(id="made.up", run=run, **{**given, **fields})


def test_the_tables_of_the_suite_are_those_of_the_package() -> None:
    """Two independent copies of the pages: a slip in one shows."""
    assert ENTRIES == PROC_TABLE
    assert UPCALLS == UPCALL_TABLE


def test_the_path_of_the_recording_provider_leads_to_it() -> None:
    assert resolve(PATH) is RecordingProvider


def test_the_block_is_another_process(ws: Target) -> None:
    outside, s = current_process(), ws.tcp()

    with ws.provider() as recorder:
        assert current_process() is not outside
        assert [info.name for info in ws.WSAEnumProtocols()] == ["Recording"]
        with pytest.raises(Failed) as caught:
            ws.listen(s, 1)
        assert caught.value.code == WSAENOTSOCK
        with ws.thread() as other:
            assert other.call(current_process) is current_process()
        assert recorder.loaded == 0

    assert current_process() is outside
    ws.closesocket(s)


def test_the_block_cleans_up_its_own_process_and_no_other(ws: Target) -> None:
    with ws.provider() as recorder:
        inside = current_process()
        ws.WSAStartup(0x0202)
        ws.closesocket(ws.tcp())

    assert inside.startup_count == 0
    assert recorder.names()[-1] == "WSPCleanup"
    assert current_process().startup_count == 1


def test_the_block_may_start_by_itself(ws: Target) -> None:
    with ws.provider(start=False), pytest.raises(Failed) as caught:
        ws.tcp()
    assert caught.value.code == WSANOTINITIALISED


def test_a_socket_left_open_is_told(ws: Target) -> None:
    with pytest.raises(Mismatch, match="1 left open"), ws.provider():
        ws.tcp()


def test_a_failure_in_the_block_wins_over_sockets_left_open(ws: Target) -> None:
    def fail_with_an_open_socket() -> None:
        with ws.provider():
            ws.listen(ws.tcp() + 1, 1)

    with pytest.raises(Failed):
        fail_with_an_open_socket()
    assert current_process().startup_count == 1


def test_sockets_of_the_case_are_still_known_behind_the_block(ws: Target) -> None:
    s = ws.tcp()
    with ws.provider():
        pass
    assert ws._open == [s]
    ws.closesocket(s)


def test_values_come_in_the_shape_of_the_suite(ws: Target) -> None:
    """Buffers as they were during the call, whose memory may be gone by now."""
    with ws.provider() as recorder, ws.closing(ws.tcp()) as s:
        start, made = recorder.calls
        assert type(start.args[1]) is ProtocolInfo
        assert made == Call("WSPSocket", (AF_INET, SOCK_STREAM, 6, recorder.protocols[0], 0, 1))
        recorder.forget()
        recorder.receives(b"data")
        buffer = bytearray(b"before")
        ws.WSARecv(s, [buffer])
        ws.bind(s, LOCAL)
        assert buffer == b"datare"
        assert recorder.calls == [Call("WSPRecv", (s, (b"before",), 0, None)), Call("WSPBind", (s, LOCAL))]
        assert all(type(item) is bytes for item in (recorder.calls[0].args[1][0], recorder.calls[1].args[1]))


def test_rows_get_their_ids(ws: Target) -> None:
    chosen = attrs.evolve(protocol(98), catalog_entry_id=7, provider_id=UUID(int=8))
    with ws.providers(Provider(protocols=(protocol(), chosen)), Provider(), built_in=True) as (one, two):
        rows = [*one.protocols, *two.protocols]
        assert [row.catalog_entry_id for row in ws.WSAEnumProtocols()][:4] == [2001, 7, 2003, 1001]
    assert [row.catalog_entry_id for row in rows] == [2001, 7, 2003]
    assert rows[1].provider_id == UUID(int=8)
    assert rows[0].provider_id != rows[2].provider_id


def test_an_upcall_that_fails_is_a_failed_call(ws: Target) -> None:
    with ws.provider() as recorder, ws.closing(ws.tcp()):
        with pytest.raises(Failed) as caught:
            recorder.upcall("WPUCreateSocketHandle", 1, None)
        assert (caught.value.code, caught.value.call) == (WSAEINVAL, "WPUCreateSocketHandle")


def test_an_entry_can_be_made_to_work_again(ws: Target) -> None:
    with ws.provider() as recorder, ws.closing(ws.tcp()) as s:
        recorder.fails("WSPListen", WSAEINVAL)
        with pytest.raises(Failed):
            ws.listen(s, 1)
        recorder.fails("WSPListen", None)
        ws.listen(s, 1)


def test_a_layer_needs_something_below_it(ws: Target) -> None:
    with pytest.raises(ValueError, match="no provider"), ws.provider(Provider(over=UUID(int=5))):
        pass


def test_a_case_that_needs_a_provider_does_not_run_where_there_is_none() -> None:
    ran: list[Target] = []

    class Without(Target):
        name = "without"

    result = runner.run_case(case_of(ran.append, needs_provider=True), Without())

    assert (result.outcome, result.reason) == (Outcome.NOT_APPLICABLE, "needs an installed provider")
    assert ran == []
    with pytest.raises(NotApplicable, match="cannot install any"), Without().provider():
        pass


@pytest.mark.parametrize("name", ["emulator", "api"])
def test_a_hung_case_is_ended_in_its_process_too(name: str) -> None:
    """What waits there comes back, and the next case finds nothing of it."""
    target = targets.make(name)
    inside: list[Any] = []

    def hang(ws: Target) -> None:
        with ws.providers(built_in=True):
            inside.append(current_process())
            s = ws.udp()
            ws.bind(s, LOCAL[:2] + bytes(2) + LOCAL[4:])
            ws.recv(s, bytearray(1))

    result = runner.run_case(case_of(hang, needs_provider=True), target, seconds=0.3)

    assert result.outcome is Outcome.FAIL
    assert result.reason == "hung: no end within 0.3 s"
    assert inside[0].startup_count == 0
    assert target._ends == []
    assert runner.run_case(case_of(lambda ws: ws.closesocket(ws.tcp())), target).outcome is Outcome.PASS


def test_a_transport_with_partial_messages(ws: Target) -> None:
    """Its sockets get back what they send: messages whole, parts on request; nothing when nothing is there."""
    with ws.provider(Provider(messages=True)) as recorder:
        s = ws.socket(AF_INET, SOCK_STREAM, 0)
        ws.send(s, b"ab", MSG_PARTIAL)
        with pytest.raises(Failed) as caught:
            ws.recv(s, bytearray(9))
        assert caught.value.code == WSAEWOULDBLOCK
        part = ws.WSARecv(s, [bytearray(1), bytearray(9)], MSG_PARTIAL)
        assert (part, flags_of(part)) == (2, MSG_PARTIAL)
        with pytest.raises(Failed):
            ws.WSARecv(s, [bytearray(9)], MSG_PARTIAL)
        ws.send(s, b"c")
        end = ws.WSARecv(s, [bytearray(9)])
        assert (end, flags_of(end)) == (1, 0)
        assert recorder.names().count("WSPRecv") == 4
        ws.closesocket(s)
