"""WSARecvEx: what it asks the provider for, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from conformance.targets.recording import RecordingProvider, recorder, row, started
from tests.loopback import code_of, pair, readable, udp
from tests.loopback import started as started_on_the_host
from winsock2emu import mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAECONNRESET, WSAEFAULT, WSAEMSGSIZE, WSAENOTSOCK, WSANOTINITIALISED
from winsock2emu.defs.constants import (
    AF_INET,
    IPPROTO_TCP,
    MSG_PARTIAL,
    SD_SEND,
    SOCK_STREAM,
    XP1_MESSAGE_ORIENTED,
    XP1_PARTIAL_MESSAGE,
)
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
from winsock2emu.spi import Received


@contextmanager
def provided(**fields: Any) -> Iterator[tuple[RecordingProvider, int]]:
    """A provider whose row has these fields, and a socket of its."""
    with started(row(**fields)) as process:
        s = api.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
        provider = recorder(process)
        provider.forget()
        yield provider, s


def flags(received: int) -> int:
    return getattr(received, "flags", 0)


@pytest.mark.parametrize(
    ("service_flags", "asked"),
    [(0, 0), (XP1_MESSAGE_ORIENTED, 0), (XP1_MESSAGE_ORIENTED | XP1_PARTIAL_MESSAGE, MSG_PARTIAL)],
)
def test_parts_are_asked_for_where_there_are_some(service_flags: int, asked: int) -> None:
    buffer = bytearray(8)
    with provided(service_flags1=service_flags) as (provider, s):
        assert mswsock.WSARecvEx(s, buffer) == 8

        assert [(call.name, call.args) for call in provider.calls] == [("WSPRecv", (s, (buffer,), asked, None))]
        assert provider.calls[0].args[1][0] is buffer


def test_flags_of_the_provider_come_back() -> None:
    with provided() as (provider, s):
        provider.answers["WSPRecv"] = Received(3, MSG_PARTIAL)
        received = mswsock.WSARecvEx(s, bytearray(8))

    assert (received, flags(received)) == (3, MSG_PARTIAL)


def test_a_datagram_that_was_cut_is_a_part() -> None:
    with provided() as (provider, s):
        provider.failures["WSPRecv"] = WinsockError(WSAEMSGSIZE, moved=8)
        received = mswsock.WSARecvEx(s, bytearray(8))

    assert (received, flags(received)) == (8, MSG_PARTIAL)


@pytest.mark.parametrize("failure", [WinsockError(WSAEMSGSIZE), WinsockError(WSAECONNRESET, moved=8)], ids=repr)
def test_other_failures_are_failures(failure: WinsockError) -> None:
    """Also a message that was not delivered even in part."""
    with provided() as (provider, s):
        provider.failures["WSPRecv"] = failure

        assert code_of(mswsock.WSARecvEx, s, bytearray(8)) == failure.winerror


def test_the_handle_comes_first() -> None:
    with provided():
        assert code_of(mswsock.WSARecvEx, 0xABACAB, None) == WSAENOTSOCK
    with Process().active():
        assert code_of(mswsock.WSARecvEx, 1, None) == WSANOTINITIALISED


def test_datagrams_and_streams_of_the_host() -> None:
    with started_on_the_host():
        to, s = udp(), udp()
        for data in (b"hello", b"hello", b""):
            api.sendto(s, data, 0, api.getsockname(to))
        readable(to)
        datagrams = [mswsock.WSARecvEx(to, bytearray(room)) for room in (3, 5, 5)]
        assert [(one, flags(one)) for one in datagrams] == [(3, MSG_PARTIAL), (5, 0), (0, 0)]

        client, server = pair()
        api.send(client, b"hello")
        api.shutdown(client, SD_SEND)
        stream = [mswsock.WSARecvEx(server, bytearray(3)) for _ in range(3)]
        assert [(one, flags(one)) for one in stream] == [(3, 0), (2, 0), (0, 0)]
        assert code_of(mswsock.WSARecvEx, server, None) == WSAEFAULT
