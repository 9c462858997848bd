"""Making, naming, connecting and closing sockets through C: what happens to pointers and lengths."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from tests.capi.cabi import (
    AF_INET,
    AF_INET6,
    INVALID_SOCKET,
    SOCK_DGRAM,
    SOCK_STREAM,
    UNTOUCHED,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
    Replace,
    Wsabufs,
    call,
    error,
    fails,
    inet,
    noted,
    port_of,
    ref,
)
from winsock2emu.capi import structs
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.process import Process

FROM_PROTOCOL_INFO = -1
SOL_SOCKET, SO_TYPE = 0xFFFF, 0x1008
FIONBIO = ctypes.c_int32(0x8004667E).value
PEER = SockAddr(inet(4660))


class Room:
    """An address out-parameter: 28 bytes of pattern, and a length."""

    def __init__(self, length: int) -> None:
        self.bytes = ctypes.create_string_buffer(b"\xee" * 28, 28)
        self.length = ctypes.c_int32(length)

    @property
    def state(self) -> tuple[bytes, int]:
        return self.bytes.raw, self.length.value


def socket_type(s: int) -> int:
    value, length = ctypes.c_uint32(), ctypes.c_int32(4)
    assert call("getsockopt", s, SOL_SOCKET, SO_TYPE, ref(value), ref(length)) == 0
    return value.value


# ------------------------------------------------------------------------------------------------- making


def test_a_socket_is_made_and_closed(winsock: Process) -> None:
    s = call("socket", AF_INET, SOCK_STREAM, 6)

    assert s in winsock.sockets()
    assert call("closesocket", s) == 0
    fails(WSAENOTSOCK, "closesocket", s)


def test_an_unknown_family_gives_invalid_socket(winsock: Process) -> None:
    fails(WSAEAFNOSUPPORT, "socket", 99, SOCK_STREAM, 0, failure=INVALID_SOCKET)


@pytest.mark.parametrize("form", ["A", "W"])
def test_wsasocket_takes_a_protocol_record(winsock: Process, form: str) -> None:
    """The record of a datagram protocol, as WSAEnumProtocols wrote it, makes a datagram socket."""
    record = structs.record(f"WSAPROTOCOL_INFO{form}")
    length = ctypes.c_uint32(0)
    call(f"WSAEnumProtocols{form}", None, None, ref(length))
    infos = (record * (length.value // ctypes.sizeof(record)))()
    assert call(f"WSAEnumProtocols{form}", None, infos, ref(length)) == len(infos)
    udp = next(i for i in infos if (i.iAddressFamily, i.iSocketType) == (AF_INET, SOCK_DGRAM))

    every = FROM_PROTOCOL_INFO
    s = call(f"WSASocket{form}", every, every, every, ref(udp), 0, 1)

    assert s != INVALID_SOCKET
    assert socket_type(s) == SOCK_DGRAM


@pytest.mark.parametrize("form", ["A", "W"])
def test_wsasocket_refuses_an_unreadable_record(winsock: Process, form: str) -> None:
    """B4."""
    fails(WSAEFAULT, f"WSASocket{form}", AF_INET, SOCK_STREAM, 6, 16, 0, 0, failure=INVALID_SOCKET)


# ------------------------------------------------------------------------------------------------- addresses in


@pytest.mark.parametrize("name", ["bind", "connect"])
def test_addresses_reach_the_api_as_bytes(replace: Replace, name: str) -> None:
    seen: list[Any] = []
    replace(name, lambda *args: seen.append(args))
    address = ctypes.create_string_buffer(inet(80) + b"rest", 20)

    assert call(name, 5, address, 16) == 0
    assert call(name, 5, address, 15) == 0
    assert call(name, 5, address, 0) == 0
    assert call(name, 5, address, -1) == 0
    assert call(name, 5, None, 16) == 0
    assert call(name, 5, 1, 16) == 0

    full = inet(80)
    assert seen == [(5, full), (5, full[:15]), (5, b""), (5, b""), (5, None), (5, None)]


def test_an_oversized_namelen_is_legal_and_not_followed(replace: Replace) -> None:
    """B5 accepts a namelen larger than needed; all of it might not be the caller's memory."""
    seen: list[Any] = []
    replace("bind", lambda *args: seen.append(args))
    address = ctypes.create_string_buffer(inet(80), 256)

    assert call("bind", 5, address, 0x7FFFFFFF) == 0

    assert seen == [(5, inet(80) + bytes(240))]


def test_bind_refuses_bad_addresses(winsock: Process) -> None:
    """Observed on Windows: bind-null, bind-zero-len, bind-short-len."""
    s = call("socket", AF_INET, SOCK_STREAM, 0)

    fails(WSAEFAULT, "bind", s, None, 0)
    fails(WSAEFAULT, "bind", s, None, 16)
    fails(WSAEFAULT, "bind", s, inet(0), 0)
    fails(WSAEFAULT, "bind", s, inet(0), 15)
    assert call("bind", s, inet(0) + bytes(112), 128) == 0


# ------------------------------------------------------------------------------------------------- addresses out


@pytest.mark.parametrize("name", ["getsockname", "getpeername"])
def test_a_name_and_its_length_are_stored(replace: Replace, name: str) -> None:
    seen: list[Any] = []
    replace(name, lambda *args: noted(seen, args, PEER))
    out = Room(28)

    assert call(name, 5, out.bytes, ref(out.length)) == 0

    assert out.state == (PEER + b"\xee" * 12, 16)
    assert seen == [(5, 28)]


@pytest.mark.parametrize("name", ["getsockname", "getpeername"])
def test_missing_pointers_become_too_little_room(replace: Replace, name: str) -> None:
    """So that the API decides when the pointers are looked at; what it returns all the same has no place."""
    seen: list[Any] = []
    replace(name, lambda s, room: noted(seen, room, PEER))
    out = Room(16)

    fails(WSAEFAULT, name, 5, None, ref(out.length))
    fails(WSAEFAULT, name, 5, 8, ref(out.length))
    fails(WSAEFAULT, name, 5, out.bytes, None)
    fails(WSAEFAULT, name, 5, out.bytes, ref(ctypes.c_int32(15)))

    assert seen == [0, 0, 0, 15]
    assert out.state == (b"\xee" * 28, 16)


def test_getsockname_checks_pointers_before_the_bound_state(winsock: Process) -> None:
    """B37; observed on Windows: getsockname-unbound, getsockname-short."""
    s = call("socket", AF_INET, SOCK_DGRAM, 0)
    out, short = Room(16), Room(15)

    fails(WSAEINVAL, "getsockname", s, out.bytes, ref(out.length))
    assert out.state == (b"\xee" * 28, 16)
    fails(WSAEFAULT, "getsockname", s, None, ref(out.length))
    fails(WSAEFAULT, "getsockname", s, out.bytes, None)
    assert call("bind", s, inet(0), 16) == 0
    fails(WSAEFAULT, "getsockname", s, short.bytes, ref(short.length))
    assert short.state == (b"\xee" * 28, 15)
    assert call("getsockname", s, out.bytes, ref(out.length)) == 0
    assert out.bytes.raw[:2] == b"\2\0"
    assert out.bytes.raw[4:16] == b"\x7f\0\0\1" + bytes(8)
    assert port_of(out.bytes.raw) != 0


def test_getpeername_checks_the_connection_before_pointers(winsock: Process, pair: tuple[int, int]) -> None:
    """B38."""
    s = call("socket", AF_INET, SOCK_STREAM, 0)

    fails(WSAENOTCONN, "getpeername", s, None, None)
    fails(WSAEFAULT, "getpeername", pair[0], None, None)
    out = Room(16)
    assert call("getpeername", pair[0], out.bytes, ref(out.length)) == 0
    mine = Room(16)
    assert call("getsockname", pair[1], mine.bytes, ref(mine.length)) == 0
    assert out.state == mine.state


# ------------------------------------------------------------------------------------------------- accept


ACCEPTS = [("accept", ()), ("WSAAccept", (None, 0))]


@pytest.mark.parametrize(("name", "more"), ACCEPTS)
def test_accept_stores_the_caller(replace: Replace, name: str, more: tuple[Any, ...]) -> None:
    seen: list[Any] = []
    replace(name, lambda s, room, *rest: noted(seen, room, (77, PEER)))
    out = Room(28)

    assert call(name, 5, out.bytes, ref(out.length), *more) == 77
    assert out.state == (PEER + b"\xee" * 12, 16)

    out = Room(3)
    assert call(name, 5, None, ref(out.length), *more) == 77
    assert out.state == (b"\xee" * 28, 3), "without addr, addrlen is not touched"

    assert call(name, 5, out.bytes, None, *more) == 77
    assert out.state == (b"\xee" * 28, 3), "observed on Windows: accept-addr-no-len"

    assert call(name, 5, None, None, *more) == 77
    assert seen == [28, None, None, None]


@pytest.mark.parametrize(("name", "more"), ACCEPTS)
def test_accept_without_room_fails_and_keeps_the_request(winsock: Process, name: str, more: tuple[Any, ...]) -> None:
    """B7; observed on Windows: accept-short-addrlen, accept-wsa-short-addrlen."""
    listener = call("socket", AF_INET, SOCK_STREAM, 0)
    bound = Room(16)
    call("bind", listener, inet(0), 16)
    call("listen", listener, 5)
    call("getsockname", listener, bound.bytes, ref(bound.length))
    client = call("socket", AF_INET, SOCK_STREAM, 0)
    assert call("connect", client, bound.bytes, 16) == 0
    empty, full = Room(0), Room(16)

    fails(WSAEFAULT, name, listener, empty.bytes, ref(empty.length), *more, failure=INVALID_SOCKET)
    assert empty.state == (b"\xee" * 28, 0)

    server = call(name, listener, full.bytes, ref(full.length), *more)
    mine = Room(16)
    assert server != INVALID_SOCKET
    assert call("getsockname", client, mine.bytes, ref(mine.length)) == 0
    assert full.state == mine.state


def test_accept_that_would_block(winsock: Process) -> None:
    listener = call("socket", AF_INET, SOCK_STREAM, 0)
    call("bind", listener, inet(0), 16)
    call("listen", listener, 5)
    assert call("ioctlsocket", listener, FIONBIO, ref(ctypes.c_uint32(1))) == 0
    out = Room(16)

    fails(WSAEWOULDBLOCK, "accept", listener, out.bytes, ref(out.length), failure=INVALID_SOCKET)
    assert out.state == (b"\xee" * 28, 16)


# ------------------------------------------------------------------------------------------------- WSAConnect


def test_wsaconnect_passes_user_data_and_qos(replace: Replace) -> None:
    seen: list[Any] = []
    replace("WSAConnect", lambda *args: noted(seen, args, b"ok"))
    caller, callee = Wsabufs(b"hello"), Wsabufs(ctypes.create_string_buffer(8))
    qos = structs.QOS()
    qos.SendingFlowspec.TokenRate = 0x01020304

    assert call("WSAConnect", 5, inet(1), 16, caller.array, callee.array, ref(qos), None) == 0

    assert seen == [(5, inet(1), b"hello", 8, bytes(qos), None)]
    assert callee.buffers[0].raw == b"ok" + bytes(6)
    assert ctypes.c_uint32.from_buffer(callee.array).value == 2, "len tells how much there is"


def test_wsaconnect_without_extras_is_connect(winsock: Process) -> None:
    listener = call("socket", AF_INET, SOCK_STREAM, 0)
    out = Room(16)
    call("bind", listener, inet(0), 16)
    call("listen", listener, 5)
    call("getsockname", listener, out.bytes, ref(out.length))
    client = call("socket", AF_INET, SOCK_STREAM, 0)

    fails(WSAEFAULT, "WSAConnect", client, out.bytes, 15, None, None, None, None)
    assert call("WSAConnect", client, out.bytes, 16, None, None, None, None) == 0
    peer = Room(16)
    assert call("getpeername", client, peer.bytes, ref(peer.length)) == 0
    assert peer.state == out.state


def test_wsaconnect_refuses_a_group_qos(winsock: Process) -> None:
    """B10: before any network activity."""
    client = call("socket", AF_INET, SOCK_STREAM, 0)
    qos = structs.QOS()

    fails(WSAEINVAL, "WSAConnect", client, inet(9), 16, None, None, None, ref(qos))


def test_wsaaccept_calls_the_condition_function(replace: Replace) -> None:
    """R11.36: the caller's address, the callee's, no QOS, a place for a group, and the callback's number."""
    told: list[Any] = []

    def wsabuf(pointer: int | None) -> bytes | None:
        if pointer is None:
            return None
        buffer = structs.WSABUF.from_address(pointer)
        return ctypes.string_at(buffer.buf, buffer.len) if buffer.len else b""

    arguments: list[Any] = [ctypes.c_void_p] * 7 + [ctypes.c_size_t]

    def condition(*args: Any) -> int:
        caller, data, sqos, gqos, callee, answer, group, number = args
        group_id = ctypes.c_uint32.from_address(group).value
        told.append((wsabuf(caller), wsabuf(data), sqos, gqos, wsabuf(callee), wsabuf(answer), group_id, number))
        return 2

    def stand_in(s: int, room: int | None, condition: Any, callback_data: int) -> Any:
        return condition(inet(1), None, None, None, inet(2), None, 0, callback_data), PEER

    replace("WSAAccept", stand_in)

    in_c = ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(condition)
    assert call("WSAAccept", 5, None, None, in_c, 0x1122334455667788) == 2

    assert told == [(inet(1), None, None, None, inet(2), b"", 0, 0x1122334455667788)]


# ------------------------------------------------------------------------------------------------- other ends


def test_shutdown_and_listen_report_state(winsock: Process) -> None:
    """B34: the connection is looked at before the other argument."""
    s = call("socket", AF_INET, SOCK_STREAM, 0)

    fails(WSAENOTCONN, "shutdown", s, 99)
    fails(WSAEINVAL, "listen", s, 5)


def test_a_closed_handle_is_no_socket(winsock: Process) -> None:
    s = call("socket", AF_INET6, SOCK_STREAM, 0)
    if s == INVALID_SOCKET:
        assert error() == WSAEAFNOSUPPORT
        s = call("socket", AF_INET, SOCK_STREAM, 0)
    call("closesocket", s)
    out = Room(16)

    fails(WSAENOTSOCK, "bind", s, None, 0)
    fails(WSAENOTSOCK, "connect", s, None, 0)
    fails(WSAENOTSOCK, "listen", s, 1)
    fails(WSAENOTSOCK, "shutdown", s, 9)
    fails(WSAENOTSOCK, "getsockname", s, None, None)
    fails(WSAENOTSOCK, "getpeername", s, out.bytes, ref(out.length))
    fails(WSAENOTSOCK, "accept", s, out.bytes, None, failure=INVALID_SOCKET)
    assert out.state == (b"\xee" * 28, 16)
    assert UNTOUCHED != WSAENOTSOCK
