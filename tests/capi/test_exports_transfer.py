"""Sending and receiving through C: caller's buffers, byte counts, flags and senders."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from tests.capi.cabi import (
    AF_INET,
    INVALID_SOCKET,
    SOCK_STREAM,
    SOCKET_ERROR,
    UNTOUCHED,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
    Replace,
    Wsabufs,
    call,
    dword,
    error,
    fails,
    inet,
    noted,
    ref,
)
from winsock2emu.capi import structs, table
from winsock2emu.defs.codes import WSA_IO_PENDING
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import PENDING
from winsock2emu.process import Process
from winsock2emu.spi.transport import Received

FIONBIO = ctypes.c_int32(0x8004667E).value
SENDER = SockAddr(inet(4660))
MSG_PEEK = 2
MSG_PARTIAL = 0x8000


def name_of(s: int) -> bytes:
    address, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)
    assert call("getsockname", s, address, ref(length)) == 0
    return address.raw


def nonblocking(s: int) -> int:
    assert call("ioctlsocket", s, FIONBIO, ref(ctypes.c_uint32(1))) == 0
    return s


def recording(seen: list[Any], result: Any) -> Callable[..., Any]:
    def stand_in(*args: Any) -> Any:
        seen.append(args)
        if isinstance(result, BaseException):
            raise result
        return result

    return stand_in


# ------------------------------------------------------------------------------------------------- send, recv


def test_send_shows_the_callers_memory(replace: Replace) -> None:
    seen: list[Any] = []
    replace("send", lambda s, data, flags: noted(seen, (s, bytes(data), flags), 3))

    assert call("send", 5, b"abcdef", 4, 7) == 3
    assert seen == [(5, b"abcd", 7)]


def test_recv_fills_the_callers_memory(replace: Replace) -> None:
    def stand_in(s: int, buffer: memoryview, flags: int) -> int:
        buffer[:3] = b"abc"
        return 3 * (len(buffer) == 5)

    replace("recv", stand_in)
    buffer = ctypes.create_string_buffer(b"........", 8)

    assert call("recv", 5, buffer, 5, 0) == 3
    assert buffer.raw == b"abc....."


@pytest.mark.parametrize("name", ["send", "recv", "sendto", "recvfrom"])
def test_bad_buffers_go_down_as_none(replace: Replace, name: str) -> None:
    """NULL and negative lengths; a length of 0 needs no buffer."""
    seen: list[Any] = []
    replace(name, lambda s, buffer, *rest: noted(seen, buffer, ((0, None) if name == "recvfrom" else 0)))
    more = (None, 0) if name == "sendto" else (None, None) if name == "recvfrom" else ()

    for buffer, length in ((None, 1), (16, 1), (b"abc", -1), (None, -1)):
        assert call(name, 5, buffer, length, 0, *more) == 0
    assert seen == [None] * 4

    for buffer in (None, b"abc", 16):
        assert call(name, 5, buffer, 0, 0, *more) == 0
    assert [len(view) for view in seen[4:]] == [0, 0, 0]


def test_a_stream_through_c(pair: tuple[int, int]) -> None:
    client, server = pair
    buffer = ctypes.create_string_buffer(b".........", 9)

    assert call("send", client, b"hello world", 5, 0) == 5
    assert call("recv", server, buffer, 9, 0) == 5
    assert buffer.raw == b"hello...."

    assert call("shutdown", client, 1) == 0
    assert call("recv", server, buffer, 9, 0) == 0


def test_recv_that_would_block(pair: tuple[int, int]) -> None:
    buffer = ctypes.create_string_buffer(b"....", 4)

    fails(WSAEWOULDBLOCK, "recv", nonblocking(pair[1]), buffer, 4, 0)
    assert buffer.raw == b"...."


@pytest.mark.parametrize("name", ["send", "recv"])
def test_the_socket_is_checked_before_the_buffer(pair: tuple[int, int], name: str) -> None:
    """B15, B20."""
    fails(WSAENOTSOCK, name, INVALID_SOCKET, None, 5, 0)
    fails(WSAEFAULT, name, pair[0], None, 5, 0)
    fails(WSAEFAULT, name, pair[0], b"abc", -1, 0)


# ------------------------------------------------------------------------------------------------- recvfrom, sendto


def test_a_datagram_through_c(udp: int) -> None:
    me = name_of(udp)
    buffer = ctypes.create_string_buffer(8)
    sender, length = ctypes.create_string_buffer(b"\xee" * 28, 28), ctypes.c_int32(28)

    assert call("sendto", udp, b"abc", 3, 0, me, 16) == 3
    assert call("recvfrom", udp, buffer, 8, 0, sender, ref(length)) == 3

    assert buffer.raw == b"abc" + bytes(5)
    assert (sender.raw, length.value) == (me + b"\xee" * 12, 16)


def test_recvfrom_need_not_name_the_sender(udp: int) -> None:
    """Without ``from`` the length is not read, nor written."""
    length = ctypes.c_int32(3)
    call("sendto", udp, b"a", 1, 0, name_of(udp), 16)
    call("sendto", udp, b"b", 1, 0, name_of(udp), 16)
    buffer = ctypes.create_string_buffer(1)

    assert call("recvfrom", udp, buffer, 1, 0, None, ref(length)) == 1
    assert length.value == 3
    assert call("recvfrom", udp, buffer, 1, 0, None, None) == 1
    assert buffer.raw == b"b"


def test_recvfrom_without_room_consumes_nothing(udp: int) -> None:
    """B21."""
    call("sendto", udp, b"abc", 3, 0, name_of(udp), 16)
    buffer = ctypes.create_string_buffer(b"....", 4)
    sender, length = ctypes.create_string_buffer(b"\xee" * 16, 16), ctypes.c_int32(15)

    fails(WSAEFAULT, "recvfrom", udp, buffer, 4, 0, sender, None)
    fails(WSAEFAULT, "recvfrom", udp, buffer, 4, 0, sender, ref(length))
    fails(WSAEFAULT, "recvfrom", udp, buffer, 4, 0, 8, ref(length))

    assert (buffer.raw, sender.raw, length.value) == (b"....", b"\xee" * 16, 15)
    assert call("recvfrom", udp, buffer, 4, 0, None, None) == 3


def test_a_datagram_too_long_fills_the_buffer_and_names_the_sender(udp: int) -> None:
    """A30; the call fails, the data and the sender are there all the same."""
    me = name_of(udp)
    call("sendto", udp, b"abcdef", 6, 0, me, 16)
    buffer = ctypes.create_string_buffer(b"....", 4)
    sender, length = ctypes.create_string_buffer(b"\xee" * 16, 16), ctypes.c_int32(16)

    fails(WSAEMSGSIZE, "recvfrom", udp, buffer, 4, 0, sender, ref(length))

    assert (buffer.raw, sender.raw, length.value) == (b"abcd", me, 16)


def test_recvfrom_on_a_stream_leaves_the_sender_untouched(pair: tuple[int, int]) -> None:
    client, server = pair
    call("send", client, b"abc", 3, 0)
    buffer = ctypes.create_string_buffer(8)
    sender, length = ctypes.create_string_buffer(b"\xee" * 16, 16), ctypes.c_int32(16)

    assert call("recvfrom", server, buffer, 8, 0, sender, ref(length)) == 3

    assert (sender.raw, length.value) == (b"\xee" * 16, 16)


def test_sendto_passes_the_address(replace: Replace) -> None:
    seen: list[Any] = []
    replace("sendto", lambda s, data, flags, to: noted(seen, (bytes(data), flags, to), 1))

    assert call("sendto", 5, b"a", 1, 9, inet(7), 16) == 1
    assert call("sendto", 5, b"a", 1, 9, inet(7), 3) == 1
    assert call("sendto", 5, b"a", 1, 9, None, 16) == 1

    assert seen == [(b"a", 9, inet(7)), (b"a", 9, inet(7)[:3]), (b"a", 9, None)]


# ------------------------------------------------------------------------------------------------- WSABUF arrays


def test_arrays_reach_the_api_in_order(replace: Replace) -> None:
    """NULL with a length is None for the API to refuse; NULL without is an empty buffer."""
    seen: list[Any] = []
    replace(
        "WSASend",
        lambda s, buffers, flags, op, routine: noted(seen, [b if b is None else bytes(b) for b in buffers], 6),
    )
    buffers = Wsabufs(b"abc", (0, 0), (5, 0), b"de", (1, 16), (0, 16))
    sent = dword()

    assert call("WSASend", 5, buffers.array, buffers.count, ref(sent), 0, None, None) == 0
    assert call("WSASend", 5, buffers.array, 1, ref(sent), 0, None, None) == 0

    assert seen == [[b"abc", b"", None, b"de", None, b""], [b"abc"]]
    assert sent.value == 6


def test_scatter_and_gather_through_c(pair: tuple[int, int]) -> None:
    client, server = pair
    out = Wsabufs(b"he", b"", b"llo")
    first, second = ctypes.create_string_buffer(2), ctypes.create_string_buffer(8)
    into = Wsabufs(first, second)
    sent, received, flags = dword(), dword(), dword(0)

    assert call("WSASend", client, out.array, 3, ref(sent), 0, None, None) == 0
    assert call("WSARecv", server, into.array, 2, ref(received), ref(flags), None, None) == 0

    assert (sent.value, received.value, flags.value) == (5, 5, 0)
    assert (first.raw, second.raw) == (b"he", b"llo" + bytes(5))


def test_a_datagram_in_pieces_through_c(udp: int) -> None:
    me = name_of(udp)
    out = Wsabufs(b"ab", b"cd")
    buffer = ctypes.create_string_buffer(8)
    into = Wsabufs(buffer)
    sent, received, flags = dword(), dword(), dword(0)
    sender, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)

    assert call("WSASendTo", udp, out.array, 2, ref(sent), 0, me, 16, None, None) == 0
    assert call("WSARecvFrom", udp, into.array, 1, ref(received), ref(flags), sender, ref(length), None, None) == 0

    assert (sent.value, received.value, flags.value) == (4, 4, 0)
    assert (buffer.raw, sender.raw, length.value) == (b"abcd" + bytes(4), me, 16)


@pytest.mark.parametrize("named", [False, True])
def test_wsarecvfrom_of_a_datagram_too_long(udp: int, named: bool) -> None:
    """R7.7: the count holds what was copied."""
    me = name_of(udp)
    call("sendto", udp, b"abcdef", 6, 0, me, 16)
    buffer = ctypes.create_string_buffer(4)
    into = Wsabufs(buffer)
    received, flags = dword(), dword(0)
    sender, length = ctypes.create_string_buffer(b"\xee" * 16, 16), ctypes.c_int32(16)
    place = (sender, ref(length)) if named else (None, None)

    fails(WSAEMSGSIZE, "WSARecvFrom", udp, into.array, 1, ref(received), ref(flags), *place, None, None)

    assert (buffer.raw, received.value) == (b"abcd", 4)
    assert sender.raw == (me if named else b"\xee" * 16)


def test_wsarecv_of_a_datagram_too_long(udp: int) -> None:
    call("sendto", udp, b"abcdef", 6, 0, name_of(udp), 16)
    buffer = ctypes.create_string_buffer(4)
    into = Wsabufs(buffer)
    received, flags = dword(), dword(0)

    fails(WSAEMSGSIZE, "WSARecv", udp, into.array, 1, ref(received), ref(flags), None, None)

    assert (buffer.raw, received.value) == (b"abcd", 4)


def test_flags_go_in_and_come_out(replace: Replace) -> None:
    """lpFlags is in and out: the API's result carries flags only when there are any."""
    seen: list[Any] = []
    received, flags = dword(), dword(MSG_PEEK)
    into = Wsabufs(b"....")
    args = (5, into.array, 1, ref(received), ref(flags))

    replace("WSARecv", lambda s, b, flags, op, routine: noted(seen, flags, 3))
    assert call("WSARecv", *args, None, None) == 0
    assert (seen, received.value, flags.value) == ([MSG_PEEK], 3, 0)

    replace("WSARecv", recording([], Received(2, MSG_PARTIAL)))
    assert call("WSARecv", *args, None, None) == 0
    assert (received.value, flags.value) == (2, MSG_PARTIAL)

    replace("WSARecvFrom", recording([], (Received(1, MSG_PARTIAL), SENDER)))
    flags.value = 0
    assert call("WSARecvFrom", *args, None, None, None, None) == 0
    assert (received.value, flags.value) == (1, MSG_PARTIAL)


def test_a_failure_leaves_counts_and_flags_alone(replace: Replace) -> None:
    """R16.18."""
    failure = WinsockError(10054)
    into = Wsabufs(b"....")
    count, flags = dword(), dword()
    for name in ("WSARecv", "WSARecvFrom", "WSASend", "WSASendTo"):
        replace(name, recording([], failure))

    args = (5, into.array, 1, ref(count))
    fails(10054, "WSARecv", *args, ref(flags), None, None)
    fails(10054, "WSARecvFrom", *args, ref(flags), None, None, None, None)
    fails(10054, "WSASend", *args, 0, None, None)
    fails(10054, "WSASendTo", *args, 0, None, 0, None, None)

    assert (count.value, flags.value) == (UNTOUCHED, UNTOUCHED)


ARRAY_CALLS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "WSASend": lambda array, count, moved, overlapped: (array, count, moved, 0, overlapped, None),
    "WSASendTo": lambda array, count, moved, overlapped: (array, count, moved, 0, inet(9), 16, overlapped, None),
    "WSARecv": lambda array, count, moved, overlapped: (array, count, moved, ref(dword(0)), overlapped, None),
    "WSARecvFrom": lambda array, count, moved, overlapped: (
        *(array, count, moved, ref(dword(0)), None, None, overlapped, None),
    ),
}


@pytest.mark.parametrize("name", ARRAY_CALLS)
def test_the_order_in_which_arrays_are_judged(udp: int, name: str) -> None:
    """B17, B22, R7.13: handle, array pointer, count of buffers, place for the byte count, buffers."""
    make = ARRAY_CALLS[name]
    array, moved = Wsabufs(b"abcd").array, ref(dword())
    null = Wsabufs((4, 0)).array

    fails(WSAENOTSOCK, name, INVALID_SOCKET, *make(None, 0, None, None))
    fails(WSAEFAULT, name, udp, *make(None, 0, None, None))
    fails(WSAEFAULT, name, udp, *make(None, 1, moved, None))
    fails(WSAEINVAL, name, udp, *make(array, 0, None, None))
    fails(WSAEFAULT, name, udp, *make(array, 1, None, None))
    fails(WSAEFAULT, name, udp, *make(null, 1, moved, None))


@pytest.mark.parametrize("name", ["WSARecv", "WSARecvFrom"])
def test_flags_must_have_a_place(udp: int, name: str) -> None:
    """B22: looked at after the handle, before the array."""
    more = (None, None) if name == "WSARecvFrom" else ()
    array, moved = Wsabufs(b"abcd").array, ref(dword())

    fails(WSAENOTSOCK, name, INVALID_SOCKET, array, 1, moved, None, *more, None, None)
    fails(WSAEFAULT, name, udp, array, 1, moved, None, *more, None, None)
    fails(WSAEFAULT, name, udp, array, 0, moved, None, *more, None, None)


@pytest.mark.parametrize("name", ARRAY_CALLS)
def test_the_record_of_an_overlapped_call_is_at_its_address(udp: int, replace: Replace, name: str) -> None:
    """What pends is SOCKET_ERROR with WSA_IO_PENDING, and the count stays as it was; no handle comes first."""
    make = ARRAY_CALLS[name]
    overlapped = structs.OVERLAPPED()
    array, moved = Wsabufs(b"abcd").array, dword()
    fails(WSAENOTSOCK, name, INVALID_SOCKET, *make(array, 1, None, ref(overlapped)))
    assert bytes(overlapped) == bytes(32)

    seen: list[Any] = []
    replace(name, lambda *args: noted(seen, args[-2:], PENDING))
    for count in (ref(moved), None):
        fails(WSA_IO_PENDING, name, udp, *make(array, 1, count, ref(overlapped)))

    assert [(record.address, routine) for record, routine in seen] == [(ctypes.addressof(overlapped), None)] * 2
    assert moved.value == UNTOUCHED


def test_a_wait_in_c_can_be_interrupted(winsock: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KeyboardInterrupt out of a blocking call is parked and not lost."""
    from winsock2emu import ws2_32  # the module that a tracer patches, too

    def interrupted(*args: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(ws2_32, "recv", interrupted)
    recv = table.export("ws2_32", "recv")
    assert recv is not None
    s = call("socket", AF_INET, SOCK_STREAM, 0)

    assert recv.prototype(recv.address)(s, b"....", 4, 0) == SOCKET_ERROR

    assert isinstance(table.take_pending_exception(), KeyboardInterrupt)
    assert error() != WSAEFAULT
