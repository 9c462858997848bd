"""SOL_SOCKET: the options that are more than a number kept."""

from __future__ import annotations

import os
import socket as host
import struct
import time

import pytest

from tests.loopback import code_of, connected_to, fails, listener, loopback, pair, reset, tcp, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEADDRINUSE, WSAEFAULT, WSAEINVAL, WSAENOPROTOOPT, WSAENOTCONN, WSAENOTSOCK
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    INVALID_SOCKET,
    PVD_CONFIG,
    SO_BSP_STATE,
    SO_COMPARTMENT_ID,
    SO_CONDITIONAL_ACCEPT,
    SO_CONNECT_TIME,
    SO_EXCLUSIVEADDRUSE,
    SO_GROUP_PRIORITY,
    SO_KEEPALIVE,
    SO_MAX_MSG_SIZE,
    SO_MAXDG,
    SO_MAXPATHDG,
    SO_PAUSE_ACCEPT,
    SO_RANDOMIZE_PORT,
    SO_REUSE_MULTICASTPORT,
    SO_REUSE_UNICASTPORT,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.defs.relocatable import Relocatable
from winsock2emu.errors import WinsockError

pytestmark = pytest.mark.usefixtures("winsock")

NOT_CONNECTED = 0xFFFFFFFF


def number(s: int, option: int) -> int:
    return int.from_bytes(api.getsockopt(s, SOL_SOCKET, option, 4), "little")


def handle(s: int) -> bytes:
    return struct.pack("<Q", s)


# SO_BSP_STATE


def names(s: int) -> tuple[bytes, bytes]:
    """The two addresses of SO_BSP_STATE, by its pointers."""
    state = api.getsockopt(s, SOL_SOCKET, SO_BSP_STATE)
    assert isinstance(state, Relocatable)
    assert state.pointers == (0, 16)
    found = []
    for field in state.pointers:
        offset, length = struct.unpack_from("<Qi", state, field)
        assert bool(offset) == bool(length)
        found.append(bytes(state[offset : offset + length]))
    assert len(state) == 40 + sum(map(len, found))
    return found[0], found[1]


def test_bsp_state_has_names_as_they_come() -> None:
    s = tcp()
    assert names(s) == (b"", b"")
    api.bind(s, loopback(AF_INET))
    assert names(s) == (api.getsockname(s), b"")


@pytest.mark.parametrize("family", [AF_INET, pytest.param(AF_INET6, marks=pytest.mark.ipv6)])
def test_bsp_state_of_a_connection_is_its_two_names(family: int) -> None:
    """Observed on Windows: opt-bspstate-connected."""
    client, server = pair(family)
    assert names(client) == (api.getsockname(client), api.getpeername(client))
    assert names(server) == names(client)[::-1]
    assert struct.unpack_from("<ii", api.getsockopt(client, SOL_SOCKET, SO_BSP_STATE), 32) == (SOCK_STREAM, 6)


def test_bsp_state_wants_room_for_what_there_is_and_no_more() -> None:
    """Observed on Windows: opt-bspstate-size; without addresses the structure alone is enough."""
    client, _ = pair()
    assert code_of(api.getsockopt, client, SOL_SOCKET, SO_BSP_STATE, 71) == WSAEFAULT
    assert len(api.getsockopt(client, SOL_SOCKET, SO_BSP_STATE, 72)) == 72
    assert len(api.getsockopt(tcp(), SOL_SOCKET, SO_BSP_STATE, 40)) == 40
    assert code_of(api.getsockopt, tcp(), SOL_SOCKET, SO_BSP_STATE, 39) == WSAEFAULT
    assert code_of(api.setsockopt, client, SOL_SOCKET, SO_BSP_STATE, bytes(72)) == WSAENOPROTOOPT


# SO_CONNECT_TIME


def test_connect_time_begins_with_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """R11.60: whole seconds, at both ends, and -1 without a connection."""
    s = tcp()
    assert number(s, SO_CONNECT_TIME) == NOT_CONNECTED
    client, server = pair()
    began = time.monotonic()
    assert number(client, SO_CONNECT_TIME) == number(server, SO_CONNECT_TIME) == 0
    monkeypatch.setattr(time, "monotonic", lambda: began + 90.5)
    assert 90 <= number(client, SO_CONNECT_TIME) <= 91
    monkeypatch.undo()
    assert number(listener(), SO_CONNECT_TIME) == NOT_CONNECTED


def test_connect_time_ends_with_the_connection() -> None:
    client, server = pair()
    reset(server)
    assert code_of(api.recv, client, bytearray(1)) != 0
    assert number(client, SO_CONNECT_TIME) == NOT_CONNECTED


# Keep-alive


def host_numbers(s: int) -> list[int]:
    """What the host has: on or off, idle time, interval, count."""
    with host.socket(fileno=os.dup(s)) as twin:
        options = (host.TCP_KEEPIDLE, host.TCP_KEEPINTVL, host.TCP_KEEPCNT)
        on = twin.getsockopt(host.SOL_SOCKET, host.SO_KEEPALIVE)
        return [int(on != 0), *(twin.getsockopt(host.IPPROTO_TCP, option) for option in options)]


@pytest.mark.skipif(not hasattr(host, "TCP_KEEPIDLE"), reason="the host has other options")
def test_a_connection_is_kept_alive_as_windows_would() -> None:
    """R11.62: 7200 s of silence, then 10 probes a second apart, where hosts have other numbers."""
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, 1)
    assert host_numbers(s) == [1, 7200, 1, 10]
    api.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, 0)
    assert host_numbers(s)[0] == 0


# Accepting


def test_a_paused_listener_resets_callers_and_then_goes_on() -> None:
    """R11.42; who came before is still accepted, and the port stays taken."""
    listening = listener()
    name = api.getsockname(listening)
    early = tcp()
    api.connect(early, name)
    assert api.select([listening], None, None, (10, 0))[0] == [listening]
    api.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, 1)
    assert number(listening, SO_PAUSE_ACCEPT) == 1
    assert code_of(api.connect, tcp(), name) == 10061
    assert code_of(api.bind, tcp(), name) == WSAEADDRINUSE
    assert api.getsockname(listening) == name
    accepted, caller = api.accept(listening)
    assert caller == api.getsockname(early)
    api.closesocket(accepted)
    api.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, 0)
    connected_to(listening)


def test_pausing_is_for_listening_sockets() -> None:
    s = tcp()
    assert number(s, SO_PAUSE_ACCEPT) == 0
    assert code_of(api.setsockopt, s, SOL_SOCKET, SO_PAUSE_ACCEPT, 1) == WSAEINVAL


def test_conditional_accept_comes_before_listen() -> None:
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1)
    assert number(s, SO_CONDITIONAL_ACCEPT) == 1
    assert code_of(api.setsockopt, listener(), SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1) == WSAEINVAL


def test_accept_context_wants_a_listening_socket_and_a_connection() -> None:
    """B40."""
    listening = listener()
    client, _ = connected_to(listening)
    for value, code in (
        (handle(INVALID_SOCKET), WSAENOTSOCK),
        (handle(0x100000), WSAENOTSOCK),
        (handle(client), WSAEINVAL),
        (handle(listening)[:4], WSAEFAULT),
        (handle(listening), 0),
    ):
        assert code_of(api.setsockopt, client, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, value) == code
    assert code_of(api.setsockopt, tcp(), SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, handle(listening)) == WSAENOTCONN
    assert code_of(api.setsockopt, udp(), SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, handle(listening)) == WSAENOPROTOOPT
    assert code_of(api.getsockopt, client, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, 8) == WSAENOPROTOOPT


def test_connect_context_has_no_value() -> None:
    client, _ = pair()
    api.setsockopt(client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, None)
    api.setsockopt(client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, b"")
    assert code_of(api.setsockopt, tcp(), SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, None) == WSAENOTCONN


# Ports


def test_ports_are_shared_or_random() -> None:
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_RANDOMIZE_PORT, 1)
    api.setsockopt(s, SOL_SOCKET, SO_REUSE_UNICASTPORT, 1)
    assert code_of(api.setsockopt, s, SOL_SOCKET, SO_RANDOMIZE_PORT, 0) == WSAEINVAL
    assert (number(s, SO_RANDOMIZE_PORT), number(s, SO_REUSE_UNICASTPORT)) == (1, 1)


def test_a_multicast_port_is_shared_with_its_kind_only() -> None:
    first, second, other = (api.socket(AF_INET, SOCK_DGRAM, 0) for _ in range(3))
    for s in (first, second):
        api.setsockopt(s, SOL_SOCKET, SO_REUSE_MULTICASTPORT, 1)
    api.bind(first, api.sockaddr_in("0.0.0.0", 0))
    name = api.getsockname(first)
    api.bind(second, name)
    assert code_of(api.bind, other, name) == WSAEADDRINUSE
    api.setsockopt(other, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1)
    assert code_of(api.setsockopt, other, SOL_SOCKET, SO_REUSE_MULTICASTPORT, 1) == WSAEINVAL


# Facts


@pytest.mark.parametrize("option", [SO_MAX_MSG_SIZE, SO_MAXDG, SO_MAXPATHDG])
@pytest.mark.parametrize(
    ("family", "largest"), [(AF_INET, 65507), pytest.param(AF_INET6, 65527, marks=pytest.mark.ipv6)]
)
def test_the_largest_datagram_is_the_largest_that_can_be_sent(family: int, largest: int, option: int) -> None:
    s, to = udp(family), udp(family)
    assert number(s, option) == largest
    assert code_of(api.sendto, s, bytes(largest + 1), 0, api.getsockname(to)) == 10040
    if family == AF_INET:
        assert api.sendto(s, bytes(largest), 0, api.getsockname(to)) == largest


@pytest.mark.parametrize("family", [AF_INET, AF_UNIX])
def test_the_provider_has_no_configuration(family: int) -> None:
    s = api.socket(family, SOCK_STREAM, 0)
    assert api.getsockopt(s, SOL_SOCKET, PVD_CONFIG, 0) == b""
    api.setsockopt(s, SOL_SOCKET, PVD_CONFIG, b"")
    with fails(WSAEINVAL):
        api.setsockopt(s, SOL_SOCKET, PVD_CONFIG, b"x")


def test_there_is_one_compartment() -> None:
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_COMPARTMENT_ID, number(s, SO_COMPARTMENT_ID))
    assert code_of(api.setsockopt, s, SOL_SOCKET, SO_COMPARTMENT_ID, 7) == WSAEINVAL
    api.setsockopt(s, SOL_SOCKET, SO_GROUP_PRIORITY, 7)
    assert number(s, SO_GROUP_PRIORITY) == 7


def test_raw_sockets_tell_their_largest_message() -> None:
    try:
        s = api.socket(AF_INET, SOCK_RAW, 1)
    except WinsockError as refusal:
        pytest.skip(f"no raw sockets: {refusal}")
    assert number(s, SO_MAX_MSG_SIZE) == 65515
