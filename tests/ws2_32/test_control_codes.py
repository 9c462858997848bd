"""Control codes at the API: what it adds to the provider's answer."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.loopback import code_of, tcp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    STATUS_PENDING,
    WSAEFAULT,
    WSAENOTSOCK,
    WSANOTINITIALISED,
)
from winsock2emu.defs.constants import AF_INET, FIONBIO, FIONREAD, SIO_BASE_HANDLE
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process

CODE = 0x9ABCDEF0


@attrs.define
class Asked:
    """What a provider was asked, and what it answers."""

    answer: Any = b""
    calls: list[tuple[Any, ...]] = attrs.field(factory=list)

    def __call__(self, *args: Any) -> Any:
        self.calls.append(args)
        return self.answer


@pytest.fixture
def asked(winsock: Process) -> tuple[int, Asked]:
    """A socket, and the provider behind it, which only writes down."""
    s = tcp()
    asked = Asked()
    record = winsock.socket(s)
    record.wsp = attrs.evolve(record.wsp, WSPIoctl=asked)
    return s, asked


# WSAIoctl


def test_a_control_code_goes_to_the_provider_as_it_is(asked: tuple[int, Asked]) -> None:
    s, provider = asked
    provider.answer = b"answer"

    assert api.WSAIoctl(s, CODE, b"input", 60) == b"answer"
    assert api.WSAIoctl(s, CODE - (1 << 32)) == b"answer", "a signed long, as C programs pass it"

    assert provider.calls == [(s, CODE, b"input", 60, None), (s, CODE, None, 0, None)]


def test_a_function_is_returned_as_it_is(asked: tuple[int, Asked]) -> None:
    s, provider = asked
    provider.answer = len

    assert api.WSAIoctl(s, CODE, bytes(16), 8) is len


def test_an_overlapped_request_goes_to_the_provider_with_its_record(asked: tuple[int, Asked]) -> None:
    s, provider = asked
    provider.answer = PENDING
    record = OVERLAPPED()

    assert api.WSAIoctl(s, CODE, b"input", 60, record) is PENDING

    assert provider.calls == [(s, CODE, b"input", 60, record)]
    assert record.Internal == STATUS_PENDING


# ioctlsocket


def test_the_argument_goes_in_and_its_new_value_comes_out(asked: tuple[int, Asked]) -> None:
    s, provider = asked
    provider.answer = struct.pack("<I", 0xFFFFFFFE)

    assert api.ioctlsocket(s, CODE, 5) == 0xFFFFFFFE
    assert api.ioctlsocket(s, CODE - (1 << 32), -1) == 0xFFFFFFFE

    assert provider.calls == [(s, CODE, b"\5\0\0\0", 4, None), (s, CODE, b"\xff\xff\xff\xff", 4, None)]


def test_an_argument_that_is_only_read_stays(asked: tuple[int, Asked]) -> None:
    s, _ = asked

    assert api.ioctlsocket(s, CODE, 0x12345678) == 0x12345678


@pytest.mark.parametrize("answer", [bytes(5), len], ids=["longer", "a function"])
def test_answers_that_are_no_long(asked: tuple[int, Asked], answer: Any) -> None:
    s, provider = asked
    provider.answer = answer

    assert code_of(api.ioctlsocket, s, CODE, 0) == WSAEFAULT


def test_the_argument_must_be_there(asked: tuple[int, Asked]) -> None:
    """B41: before the code is looked at."""
    s, provider = asked

    assert code_of(api.ioctlsocket, s, CODE, None) == WSAEFAULT
    assert provider.calls == []


# Both


@pytest.mark.parametrize(
    "call",
    [
        lambda s: api.ioctlsocket(s, FIONREAD, None),
        lambda s: api.WSAIoctl(s, SIO_BASE_HANDLE, None, 0, OVERLAPPED()),
    ],
    ids=["ioctlsocket", "WSAIoctl"],
)
def test_the_handle_comes_first(process_without_startup: Process, call: Callable[[int], Any]) -> None:
    """B41, B42."""
    assert code_of(call, 4) == WSANOTINITIALISED
    api.WSAStartup(0x0202)
    assert code_of(call, 0xDEADBEEF) == WSAENOTSOCK
    s = api.socket(AF_INET, 1, 0)
    api.ioctlsocket(s, FIONBIO, 1)
    api.closesocket(s)
    assert code_of(call, s) == WSAENOTSOCK
    with pytest.raises(TypeError):
        call("4")  # type: ignore[arg-type]
    api.WSACleanup()


@pytest.fixture
def process_without_startup() -> Any:
    with Process().active() as process:
        yield process
