"""Fixtures for the C ABI: a started process of its own per test, and stand-ins for functions of the API."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.capi import cabi
from tests.capi.cabi import AF_INET, INVALID_SOCKET, SOCK_DGRAM, SOCK_STREAM, call, inet, port_of, ref
from winsock2emu import ws2_32
from winsock2emu.capi import table
from winsock2emu.process import Process


@pytest.fixture
def process() -> Iterator[Process]:
    """A fresh emulated process, not started, current in this thread."""
    with Process().active() as process:
        yield process
        while process.startup_count:
            process.cleanup()
    table.take_pending_exception()


@pytest.fixture
def winsock(process: Process) -> Process:
    """The same, started with version 2.2."""
    assert call("WSAStartup", 0x0202, ctypes.create_string_buffer(408)) == 0
    return process


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch, process: Process) -> cabi.Replace:
    """Puts a function in the place of one of the API's, as a tracer does."""

    def put(name: str, stand_in: Callable[..., Any]) -> None:
        monkeypatch.setattr(ws2_32, name, stand_in)

    return put


@pytest.fixture
def udp(winsock: Process) -> int:
    """A datagram socket bound to the loopback address."""
    s: int = call("socket", AF_INET, SOCK_DGRAM, 0)
    assert s != INVALID_SOCKET
    assert call("bind", s, inet(0), 16) == 0
    return s


@pytest.fixture
def pair(winsock: Process) -> tuple[int, int]:
    """Two connected stream sockets: client and server."""
    listener = call("socket", AF_INET, SOCK_STREAM, 0)
    assert call("bind", listener, inet(0), 16) == 0
    assert call("listen", listener, 1) == 0
    address, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)
    assert call("getsockname", listener, address, ref(length)) == 0
    client = call("socket", AF_INET, SOCK_STREAM, 0)
    assert call("connect", client, inet(port_of(address.raw)), 16) == 0
    server = call("accept", listener, None, None)
    assert server != INVALID_SOCKET
    assert call("closesocket", listener) == 0
    return client, server
