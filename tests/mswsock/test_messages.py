"""WSARecvMsg and WSASendMsg as they reach a provider; the data on the host is in tests/providers/host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.targets.recording import LOCAL, PEER, RecordingProvider, recorder, row, started
from tests.loopback import code_of
from winsock2emu import mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import STATUS_PENDING, WSAEMSGSIZE, WSAENOTSOCK, WSAEOPNOTSUPP, WSANOTINITIALISED
from winsock2emu.defs.constants import (
    AF_INET,
    IPPROTO_TCP,
    MSG_CTRUNC,
    MSG_PEEK,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SOCK_STREAM,
)
from winsock2emu.defs.guids import WSAID_WSARECVMSG, WSAID_WSASENDMSG
from winsock2emu.defs.records import ReceivedMessage
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process

RECEIVED = ReceivedMessage(moved=3, address=PEER, control=b"", flags=0)


@pytest.fixture
def provider() -> Iterator[RecordingProvider]:
    with started(row()) as process:
        assert isinstance(process, Process)
        yield recorder(process)


@pytest.fixture
def s(provider: RecordingProvider) -> int:
    made = api.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    provider.forget()
    return made


def answering(provider: RecordingProvider, result: Any) -> list[Any]:
    """Give the provider an extension function with this result; what it is called with."""
    seen: list[Any] = []

    def function(*args: Any) -> Any:
        seen.append(args)
        return result

    provider.answers["WSPIoctl"] = function
    return seen


def test_a_receive_is_one_call_of_the_providers_function(provider: RecordingProvider, s: int) -> None:
    seen = answering(provider, RECEIVED)
    buffers = [bytearray(9)]

    assert mswsock.WSARecvMsg(s, buffers, 64, 16, MSG_PEEK) is RECEIVED
    assert mswsock.WSARecvMsg(s, None) is RECEIVED

    assert seen == [(s, buffers, 64, 16, MSG_PEEK, None), (s, None, 0, None, 0, None)]
    assert seen[0][1] is buffers
    asked = (s, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_WSARECVMSG.bytes_le, 8, None)
    assert [(call.name, call.args) for call in provider.calls] == [("WSPIoctl", asked)] * 2


def test_a_send_is_one_call_of_the_providers_function(provider: RecordingProvider, s: int) -> None:
    """mswsock's and ws2_32's are the same function."""
    seen = answering(provider, 4)
    buffers = [b"data"]

    assert mswsock.WSASendMsg(s, buffers, 4, LOCAL, b"control") == 4
    assert api.WSASendMsg(s, None) == 4

    assert seen == [(s, buffers, 4, LOCAL, b"control", None), (s, None, 0, None, b"", None)]
    asked = (s, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_WSASENDMSG.bytes_le, 8, None)
    assert [(call.name, call.args) for call in provider.calls] == [("WSPIoctl", asked)] * 2


def test_a_provider_without_messages(provider: RecordingProvider, s: int) -> None:
    """Its answer to the control code is no function."""
    assert code_of(mswsock.WSARecvMsg, s, [bytearray(1)]) == WSAEOPNOTSUPP
    assert code_of(api.WSASendMsg, s, [b"x"]) == WSAEOPNOTSUPP


def test_the_record_of_an_overlapped_call_comes_last(provider: RecordingProvider, s: int) -> None:
    seen = answering(provider, PENDING)
    received, sent = OVERLAPPED(), OVERLAPPED()

    assert mswsock.WSARecvMsg(s, [bytearray(1)], 0, None, 0, received) is PENDING
    assert api.WSASendMsg(s, [b"x"], 0, None, b"", sent) is PENDING

    assert [args[-1] for args in seen] == [received, sent]
    assert (received.Internal, sent.Internal) == (STATUS_PENDING, STATUS_PENDING)


def test_the_handle_comes_first(provider: RecordingProvider) -> None:
    assert code_of(mswsock.WSARecvMsg, 0xABACAB, None) == WSAENOTSOCK
    assert code_of(api.WSASendMsg, 0xABACAB, None) == WSAENOTSOCK
    with Process().active():
        assert code_of(mswsock.WSARecvMsg, 1, None) == WSANOTINITIALISED
        assert code_of(api.WSASendMsg, 1, None) == WSANOTINITIALISED


def test_what_was_received_of_a_cut_message_comes_with_the_error(provider: RecordingProvider, s: int) -> None:
    part = ReceivedMessage(moved=3, address=PEER, control=b"", flags=MSG_CTRUNC)

    def function(*_: Any) -> Any:
        failure = WinsockError(WSAEMSGSIZE, moved=3)
        failure.received = part
        raise failure

    provider.answers["WSPIoctl"] = function

    with pytest.raises(WinsockError) as caught:
        mswsock.WSARecvMsg(s, [bytearray(1)])

    assert (caught.value.winerror, caught.value.received) == (WSAEMSGSIZE, part)
    assert WinsockError(WSAEMSGSIZE).received is None


def test_the_extension_function_itself_may_be_kept(provider: RecordingProvider, s: int) -> None:
    """R9.20: WSAIoctl hands the provider's callable out unchanged."""
    seen = answering(provider, RECEIVED)
    guid = WSAID_WSARECVMSG.bytes_le

    function: Any = api.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, 8)

    assert function(s, [b""]) is RECEIVED
    assert seen == [(s, [b""])]
