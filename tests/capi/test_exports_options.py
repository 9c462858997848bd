"""Options and control codes through C: lengths in and out, and which check comes first."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.capi.cabi import (
    AF_INET,
    INVALID_SOCKET,
    SOCK_STREAM,
    UNTOUCHED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOBUFS,
    WSAENOPROTOOPT,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    Replace,
    call,
    dword,
    fails,
    noted,
    ref,
)
from winsock2emu.capi import structs
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process

SOL_SOCKET, IPPROTO_TCP = 0xFFFF, 6
SO_REUSEADDR, SO_KEEPALIVE, SO_DONTROUTE, SO_LINGER = 4, 8, 0x10, 0x80
SO_RCVBUF, SO_ERROR, SO_TYPE, SO_RCVTIMEO = 0x1002, 0x1007, 0x1008, 0x1006
SO_PROTOCOL_INFOA, SO_PROTOCOL_INFOW, SO_OPENTYPE = 0x2004, 0x2005, 0x7008
TCP_NODELAY = 1
FIONBIO, FIONREAD = 0x8004667E, 0x4004667F
SIO_UDP_CONNRESET = 0x9800000C
SIO_BASE_HANDLE = 0x48000022


def long(code: int) -> int:
    """The code as C's ioctlsocket takes it: a signed long."""
    return ctypes.c_int32(code).value


@pytest.fixture
def tcp(winsock: Process) -> int:
    s: int = call("socket", AF_INET, SOCK_STREAM, 0)
    return s


# ------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize("option", [SO_RCVTIMEO, SO_RCVBUF])
def test_a_value_set_is_read_back(tcp: int, option: int) -> None:
    value, length = ctypes.c_uint32(12345), ctypes.c_int32(8)
    assert call("setsockopt", tcp, SOL_SOCKET, option, ref(value), 4) == 0
    room = ctypes.create_string_buffer(b"\xee" * 8, 8)

    assert call("getsockopt", tcp, SOL_SOCKET, option, room, ref(length)) == 0

    assert (room.raw, length.value) == (struct.pack("<I", 12345) + b"\xee" * 4, 4)


def test_linger_has_two_shorts(tcp: int) -> None:
    linger = structs.LINGER(1, 30)
    assert call("setsockopt", tcp, SOL_SOCKET, SO_LINGER, ref(linger), 4) == 0
    back, length = structs.LINGER(), ctypes.c_int32(4)

    assert call("getsockopt", tcp, SOL_SOCKET, SO_LINGER, ref(back), ref(length)) == 0

    assert (back.l_onoff, back.l_linger, length.value) == (1, 30, 4)


@pytest.mark.parametrize(("option", "form"), [(SO_PROTOCOL_INFOA, "A"), (SO_PROTOCOL_INFOW, "W")])
def test_the_protocol_record_of_a_socket(tcp: int, option: int, form: str) -> None:
    record = structs.record(f"WSAPROTOCOL_INFO{form}")()
    length = ctypes.c_int32(ctypes.sizeof(record))

    assert call("getsockopt", tcp, SOL_SOCKET, option, ref(record), ref(length)) == 0

    assert (record.iAddressFamily, record.iSocketType, record.iProtocol) == (AF_INET, SOCK_STREAM, 6)
    assert length.value == ctypes.sizeof(record)


@pytest.mark.parametrize(("option", "size"), [(SO_PROTOCOL_INFOA, 372), (SO_PROTOCOL_INFOW, 628)])
def test_the_protocol_record_in_other_rooms(tcp: int, option: int, size: int) -> None:
    """Observed on Windows: opt-protoinfo-short stores the length of the record, opt-protoinfo-long stores nothing."""
    room = ctypes.create_string_buffer(2 * size)
    short, long = ctypes.c_int32(size // 2), ctypes.c_int32(2 * size)

    fails(WSAEFAULT, "getsockopt", tcp, SOL_SOCKET, option, room, ref(short))
    assert (short.value, room.raw) == (size, bytes(2 * size))
    assert call("getsockopt", tcp, SOL_SOCKET, option, room, ref(long)) == 0
    assert long.value == 2 * size


def test_values_reach_the_api_with_their_length(replace: Replace) -> None:
    seen: list[Any] = []
    replace("setsockopt", lambda *args: seen.append(args))
    value = ctypes.create_string_buffer(b"abcdefgh", 8)

    for length in (8, 4, 1, 0):
        assert call("setsockopt", 5, 1, 2, value, length) == 0
    assert call("setsockopt", 5, 1, 2, None, 4) == 0
    assert call("setsockopt", 5, 1, 2, None, 0) == 0
    assert call("setsockopt", 5, 1, 2, 1, 4) == 0

    assert [args[3] for args in seen] == [b"abcdefgh", b"abcd", b"a", b"", None, None, None]


def test_setsockopt_wants_a_value(tcp: int) -> None:
    """Observed on Windows: opt-linger-null-value, opt-bad-pointer-dontroute, optlen-so-rcvbuf."""
    fails(WSAENOTSOCK, "setsockopt", INVALID_SOCKET, SOL_SOCKET, SO_LINGER, None, 4)
    fails(WSAEFAULT, "setsockopt", tcp, SOL_SOCKET, SO_LINGER, None, 4)
    fails(WSAEFAULT, "setsockopt", tcp, SOL_SOCKET, SO_LINGER, None, 0)
    fails(WSAEFAULT, "setsockopt", tcp, SOL_SOCKET, SO_DONTROUTE, 1, 4)
    fails(WSAEFAULT, "setsockopt", tcp, SOL_SOCKET, SO_RCVBUF, ref(dword()), 2)


def test_a_negative_length_is_a_huge_one(tcp: int) -> None:
    """Observed on Windows: optlen-so-rcvbuf and optlen-so-reuseaddr take the value, the options of the IP stack
    (optlen-tcp-nodelay, optlen-so-keepalive, optlen-so-dontroute) fail with WSAENOBUFS."""
    value, length = ctypes.c_uint32(54321), ctypes.c_int32(4)

    assert call("setsockopt", tcp, SOL_SOCKET, SO_RCVTIMEO, ref(value), -1) == 0
    assert call("getsockopt", tcp, SOL_SOCKET, SO_RCVTIMEO, ref(value), ref(length)) == 0
    assert value.value == 54321
    for level, option in ((IPPROTO_TCP, TCP_NODELAY), (SOL_SOCKET, SO_KEEPALIVE), (SOL_SOCKET, SO_DONTROUTE)):
        fails(WSAENOBUFS, "setsockopt", tcp, level, option, ref(value), -1)
        fails(WSAENOTSOCK, "setsockopt", INVALID_SOCKET, level, option, ref(value), -1)


def test_getsockopt_pointers_come_before_level_and_option(tcp: int) -> None:
    """B39; observed on Windows: opt-protoinfo-invalid-socket, opt-protoinfo-null-args."""
    value, length = dword(), ctypes.c_int32(4)
    bad_level, bad_option = 0x7777, 0x7777

    fails(WSAENOTSOCK, "getsockopt", INVALID_SOCKET, bad_level, bad_option, None, None)
    fails(WSAENOTSOCK, "getsockopt", INVALID_SOCKET, SOL_SOCKET, SO_TYPE, ref(value), ref(length))
    fails(WSAEFAULT, "getsockopt", tcp, bad_level, bad_option, None, ref(length))
    fails(WSAEFAULT, "getsockopt", tcp, bad_level, bad_option, ref(value), None)
    fails(WSAEFAULT, "getsockopt", tcp, bad_level, bad_option, 1, ref(length))
    fails(WSAEINVAL, "getsockopt", tcp, bad_level, bad_option, ref(value), ref(length))
    fails(WSAENOPROTOOPT, "getsockopt", tcp, SOL_SOCKET, bad_option, ref(value), ref(length))

    assert (value.value, length.value) == (UNTOUCHED, 4)


@pytest.mark.parametrize("length", [1, 0, -1])
def test_too_little_room_for_an_option(tcp: int, length: int) -> None:
    """Observed on Windows: opt-so-error-short-buffer, and "length stays -1" in the optlen rows."""
    value, room = dword(), ctypes.c_int32(length)

    fails(WSAEFAULT, "getsockopt", tcp, SOL_SOCKET, SO_ERROR, ref(value), ref(room))

    assert (value.value, room.value) == (UNTOUCHED, length)


def test_a_needed_length_is_stored(replace: Replace) -> None:
    """opt-protoinfo-short: the API knows the length; optlen gets it, optval stays."""

    def too_short(*args: Any) -> bytes:
        raise WinsockError(WSAEFAULT, needed=372)

    replace("getsockopt", too_short)
    value, length = dword(), ctypes.c_int32(186)

    fails(WSAEFAULT, "getsockopt", 5, SOL_SOCKET, SO_PROTOCOL_INFOA, ref(value), ref(length))

    assert (value.value, length.value) == (UNTOUCHED, 372)


# ------------------------------------------------------------------------------------------------- ioctlsocket


def test_an_argument_goes_in_and_its_value_comes_out(replace: Replace) -> None:
    seen: list[Any] = []
    replace("ioctlsocket", lambda *args: noted(seen, args, 0xFFFFFFFE))
    argument = dword(77)

    assert call("ioctlsocket", 5, long(FIONBIO), ref(argument)) == 0
    assert call("ioctlsocket", 5, long(FIONREAD), None) == 0
    assert call("ioctlsocket", 5, long(FIONREAD), 1) == 0

    assert seen == [(5, FIONBIO, 77), (5, FIONREAD, None), (5, FIONREAD, None)]
    assert argument.value == 0xFFFFFFFE


def test_ioctlsocket_counts_readable_bytes(pair: tuple[int, int]) -> None:
    client, server = pair
    count = dword()
    peeked = ctypes.create_string_buffer(1)
    call("send", client, b"hello", 5, 0)
    assert call("recv", server, peeked, 1, 2) == 1, "MSG_PEEK waits until the data is there"

    assert call("ioctlsocket", server, long(FIONREAD), ref(count)) == 0
    assert count.value == 5


def test_ioctlsocket_checks_the_handle_first(tcp: int) -> None:
    """B41; observed on Windows: fionread-bad-pointer, fionbio-bad-pointer."""
    for code in (FIONREAD, FIONBIO):
        fails(WSAENOTSOCK, "ioctlsocket", INVALID_SOCKET, long(code), None)
        fails(WSAEFAULT, "ioctlsocket", tcp, long(code), None)
        fails(WSAEFAULT, "ioctlsocket", tcp, long(code), 1)
    argument = dword()
    fails(WSAEOPNOTSUPP, "ioctlsocket", tcp, 0x667E, ref(argument))
    assert argument.value == UNTOUCHED


# ------------------------------------------------------------------------------------------------- WSAIoctl


def test_buffers_reach_the_api(replace: Replace) -> None:
    seen: list[Any] = []
    replace("WSAIoctl", lambda *args: noted(seen, args, b"xyz"))
    out = ctypes.create_string_buffer(b"\xee" * 8, 8)
    returned = dword()

    assert call("WSAIoctl", 5, SIO_BASE_HANDLE, b"abcd", 3, out, 8, ref(returned), None, None) == 0
    assert (out.raw, returned.value) == (b"xyz" + b"\xee" * 5, 3)

    replace("WSAIoctl", lambda *args: noted(seen, args, b""))
    assert call("WSAIoctl", 5, SIO_BASE_HANDLE, None, 3, None, 8, ref(returned), None, None) == 0
    assert call("WSAIoctl", 5, SIO_BASE_HANDLE, b"", 0, out, 0, ref(returned), None, None) == 0
    assert returned.value == 0

    code = SIO_BASE_HANDLE
    synchronous = (None, None)
    assert seen == [
        (5, code, b"abc", 8, *synchronous),
        (5, code, None, 0, *synchronous),
        (5, code, b"", 0, *synchronous),
    ]


def test_wsaioctl_through_c(tcp: int) -> None:
    out, returned = ctypes.c_uint64(), dword()

    assert call("WSAIoctl", tcp, SIO_BASE_HANDLE, None, 0, ref(out), 8, ref(returned), None, None) == 0

    assert (out.value, returned.value) == (tcp, 8)


def test_the_order_in_which_wsaioctl_judges(tcp: int) -> None:
    """B42; observed on Windows: fionread-null-bytes, fionread-null-bytes-overlapped, badioctl-null-bytes,
    fionread-short-out, fionbio-short-in."""
    overlapped = structs.OVERLAPPED()
    out, returned = ctypes.c_uint64(UNTOUCHED), dword()
    unknown = 0xDEADBEEF

    def ioctl(s: int, code: int, data: Any, size: int, room: int, count: Any, op: Any = None) -> tuple[Any, ...]:
        return s, code, data, size, ref(out), room, count, op, None

    fails(WSAENOTSOCK, "WSAIoctl", *ioctl(INVALID_SOCKET, unknown, None, 0, 8, None))
    fails(WSAEFAULT, "WSAIoctl", *ioctl(tcp, unknown, None, 0, 8, None))
    fails(WSAEFAULT, "WSAIoctl", *ioctl(tcp, unknown, None, 0, 8, None, ref(overlapped)))
    fails(WSAEOPNOTSUPP, "WSAIoctl", *ioctl(tcp, unknown, None, 0, 3, ref(dword())))
    fails(WSAEFAULT, "WSAIoctl", *ioctl(tcp, FIONREAD, None, 0, 3, ref(returned)))
    fails(WSAEFAULT, "WSAIoctl", *ioctl(tcp, FIONBIO, b"\1\0\0", 3, 0, ref(returned)))
    fails(WSAEFAULT, "WSAIoctl", *ioctl(tcp, FIONBIO, None, 4, 0, ref(returned)))

    assert (out.value, returned.value) == (UNTOUCHED, UNTOUCHED)
    assert bytes(overlapped) == bytes(32)


def test_an_unknown_code_has_no_output(tcp: int) -> None:
    """Observed on Windows: badioctl-sync."""
    out, returned = ctypes.c_uint64(UNTOUCHED), dword()

    fails(WSAEOPNOTSUPP, "WSAIoctl", tcp, 0xDEADBEEF, None, 0, ref(out), 8, ref(returned), None, None)

    assert (out.value, returned.value) == (UNTOUCHED, 0)


def test_a_needed_room_is_stored(replace: Replace) -> None:
    """addrlist-null-out, addrlist-zero-len: bytes returned holds the length that would do."""

    def too_short(*args: Any) -> bytes:
        raise WinsockError(WSAEFAULT, needed=100)

    replace("WSAIoctl", too_short)
    returned = dword()

    fails(WSAEFAULT, "WSAIoctl", 5, 1, None, 0, None, 0, ref(returned), None, None)

    assert returned.value == 100


def test_an_overlapped_control_code_writes_its_record(udp: int) -> None:
    """It is complete at once, with no bytes; a synchronous one leaves the record alone."""
    overlapped, flag, returned = structs.OVERLAPPED(), dword(1), dword()
    args: Callable[..., tuple[Any, ...]] = lambda *op: (  # noqa: E731
        *(udp, SIO_UDP_CONNRESET, ref(flag), 4, None, 0, ref(returned), *op),
    )

    overlapped.Internal = overlapped.InternalHigh = 0xABCD
    assert call("WSAIoctl", *args(None, None)) == 0
    assert (overlapped.Internal, overlapped.InternalHigh) == (0xABCD, 0xABCD)
    assert call("WSAIoctl", *args(ref(overlapped), None)) == 0
    assert bytes(overlapped) == bytes(32)


# --------------------------------------------------------------------------------- records, and odd lengths

SO_BSP_STATE, SO_OOBINLINE, SO_SNDBUF = 0x1009, 0x0100, 0x1001
IP_PKTINFO = 19


def test_pointers_of_bsp_state_lead_into_the_buffer(tcp: int) -> None:
    """The addresses follow the record; observed on Windows: opt-bspstate-bound."""
    name = ctypes.create_string_buffer(struct.pack("<HH4s8x", AF_INET, 0, b"\x7f\0\0\1"), 16)
    assert call("bind", tcp, name, 16) == 0
    room, length = ctypes.create_string_buffer(128), ctypes.c_int32(128)

    assert call("getsockopt", tcp, SOL_SOCKET, SO_BSP_STATE, room, ref(length)) == 0

    pointer, size, remote, no_size, kind, protocol = struct.unpack_from("<Qi4xQi4xii", room.raw)
    assert (pointer, size, remote, no_size) == (ctypes.addressof(room) + 40, 16, 0, 0)
    assert (kind, protocol, length.value) == (SOCK_STREAM, 6, 56)
    assert ctypes.string_at(pointer, 8) == struct.pack("<H", AF_INET) + room.raw[42:44] + b"\x7f\0\0\1"


@pytest.mark.parametrize(
    ("level", "option", "code", "written", "length"),
    [
        (SOL_SOCKET, SO_OOBINLINE, 0, b"\0\0\xee", 1),
        (SOL_SOCKET, SO_KEEPALIVE, 0, b"\0\xee\xee", 1),
        (IPPROTO_TCP, TCP_NODELAY, 0, b"\0\xee\xee", 1),
        (SOL_SOCKET, SO_LINGER, WSAEFAULT, b"\0\0\xee", 2),
        (SOL_SOCKET, SO_SNDBUF, WSAEFAULT, b"\0\0\xee", 2),
        (SOL_SOCKET, SO_RCVTIMEO, WSAEFAULT, b"\xee\xee\xee", 2),
    ],
)
def test_a_get_into_two_bytes(tcp: int, level: int, option: int, code: int, written: bytes, length: int) -> None:
    """Observed on Windows: optlen-so-oobinline, optlen-so-keepalive, optlen-so-linger and others."""
    room, size = ctypes.create_string_buffer(b"\xee" * 3, 3), ctypes.c_int32(2)
    if code:
        fails(code, "getsockopt", tcp, level, option, room, ref(size))
    else:
        assert call("getsockopt", tcp, level, option, room, ref(size)) == 0
    assert (room.raw, size.value) == (written, length)


def test_a_get_of_a_control_data_switch_that_fails_empties_the_length(udp: int) -> None:
    """Observed on Windows: optlen-ip-pktinfo."""
    for room, after in ((2, 0), (-1, -1)):
        length = ctypes.c_int32(room)
        fails(WSAEFAULT, "getsockopt", udp, 0, IP_PKTINFO, ref(dword()), ref(length))
        assert length.value == after


def test_the_thread_s_option_takes_any_handle_and_a_huge_length(winsock: Process) -> None:
    """Observed on Windows: echo-opentype-set-get, optlen-so-opentype."""
    value, length = ctypes.c_uint32(0x20), ctypes.c_int32(-1)
    assert call("setsockopt", INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, ref(value), -1) == 0
    value.value = 0
    assert call("getsockopt", INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, ref(value), ref(length)) == 0
    assert (value.value, length.value) == (0x20, 4)
