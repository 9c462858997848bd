"""WSASendMsg, WSARecvMsg and WSARecvEx through C: WSAMSG in memory."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.capi.cabi import (
    INVALID_SOCKET,
    SOCKET_ERROR,
    UNTOUCHED,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTSOCK,
    Wsabufs,
    call,
    dword,
    error,
    fails,
    inet,
    noted,
    ref,
)
from winsock2emu import errors, mswsock, ws2_32
from winsock2emu.capi import extensions, structs, table
from winsock2emu.defs.guids import WSAID_WSARECVMSG
from winsock2emu.defs.records import ReceivedMessage
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
from winsock2emu.spi import Received

MSG_PEEK, MSG_PARTIAL = 2, 0x8000
MSG_TRUNC, MSG_CTRUNC = 0x100, 0x200
IPPROTO_IP, IP_PKTINFO = 0, 19
SENDER = SockAddr(inet(7))


class Message:
    """A WSAMSG with what it points to; its buffers, name and control data hold a pattern behind what is given."""

    def __init__(self, *buffers: Any, name: int = 0, control: int | bytes = 0, flags: int = 0) -> None:
        self.buffers = Wsabufs(*buffers)
        self.name = ctypes.create_string_buffer(b"\xee" * 64, 64)
        beside = control if isinstance(control, bytes) else b"\xee" * control
        self.control = ctypes.create_string_buffer(beside + b"\xee" * 16, len(beside) + 16)
        self.struct = structs.WSAMSG(
            name=ctypes.addressof(self.name) if name else None,
            namelen=name,
            lpBuffers=ctypes.addressof(self.buffers.array),
            dwBufferCount=self.buffers.count,
            dwFlags=flags,
        )
        self.struct.Control.len = len(beside)
        self.struct.Control.buf = ctypes.addressof(self.control) if beside else None


def receive(s: int, message: Any, count: Any) -> int:
    """Call WSARecvMsg by the pointer that a program gets."""
    address = extensions.address_of(WSAID_WSARECVMSG)
    assert address is not None
    kinds = ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
    errors.set_last_error(UNTOUCHED)
    result: int = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(address)(s, message, count, None, None)
    pending = table.take_pending_exception()
    if pending is not None:
        raise pending
    return result


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, process: Process) -> Callable[[str, Any, list[Any]], None]:
    """Puts a result, or a failure, in the place of a function of the API; notes what it is called with."""

    def put(name: str, result: Any, seen: list[Any]) -> None:
        def stand_in(*args: Any) -> Any:
            noted(seen, args, None)
            if isinstance(result, BaseException):
                raise result
            return result

        monkeypatch.setattr(ws2_32 if name == "WSASendMsg" else mswsock, name, stand_in)

    return put


# WSASendMsg


def test_the_members_of_a_message_reach_the_api(api: Any) -> None:
    seen: list[Any] = []
    api("WSASendMsg", 5, seen)
    message = Message(b"hel", b"lo", control=b"control!", flags=0xFFFF)
    name = ctypes.create_string_buffer(inet(9), 16)
    message.struct.name, message.struct.namelen = ctypes.addressof(name), 16
    before, count = bytes(message.struct), dword()

    assert call("WSASendMsg", 7, ref(message.struct), 4, ref(count), None, None) == 0

    ((s, buffers, flags, to, control, *request),) = seen
    assert (s, [bytes(one) for one in buffers], flags) == (7, [b"hel", b"lo"], 4)
    assert (to, control, request) == (inet(9), b"control!", [None, None])
    assert (count.value, bytes(message.struct)) == (5, before)


def test_a_message_without_name_and_control_data(api: Any) -> None:
    seen: list[Any] = []
    api("WSASendMsg", 1, seen)

    assert call("WSASendMsg", 7, ref(Message(b"x").struct), 0, ref(dword()), None, None) == 0

    assert seen[0][3:] == (None, b"", None, None)


def test_a_count_without_a_place_is_for_overlapped_requests_only(api: Any) -> None:
    """Down there the missing array is WSAEFAULT."""
    seen: list[Any] = []
    api("WSASendMsg", 1, seen)
    message = Message(b"x")
    call("WSASendMsg", 7, ref(message.struct), 0, None, None, None)
    overlapped = structs.OVERLAPPED()
    call("WSASendMsg", 7, ref(message.struct), 0, None, ref(overlapped), None)

    assert (seen[0][1], seen[0][5]) == (None, None)
    assert ([bytes(one) for one in seen[1][1]], seen[1][5].address) == ([b"x"], ctypes.addressof(overlapped))


def test_sending_for_real(winsock: Process, udp: int) -> None:
    name, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)
    assert call("getsockname", udp, name, ref(length)) == 0
    message, count = Message(b"hel", b"lo"), dword()
    message.struct.name, message.struct.namelen = ctypes.addressof(name), 16

    assert call("WSASendMsg", udp, ref(message.struct), 0, ref(count), None, None) == 0

    room = ctypes.create_string_buffer(9)
    assert (count.value, call("recv", udp, room, 9, 0), room.raw[:5]) == (5, 5, b"hello")


@pytest.mark.parametrize("function", ["WSASendMsg", "WSARecvMsg"])
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda message: None, id="no message"),
        pytest.param(lambda message: 0x100, id="a message in the NULL partition"),
        pytest.param(lambda message: setattr(message.struct, "namelen", 16) or message, id="no name, with a length"),
        pytest.param(lambda message: setattr(message.struct, "name", 16) or message, id="a name in the NULL partition"),
        pytest.param(lambda message: setattr(message.struct.Control, "len", 1) or message, id="no control buffer"),
        pytest.param(lambda message: setattr(message.struct, "lpBuffers", None) or message, id="no array"),
    ],
)
def test_bad_pointers(winsock: Process, udp: int, function: str, spoil: Callable[[Message], Any]) -> None:
    """WSAEFAULT; a handle that is none comes first."""
    given = spoil(Message(ctypes.create_string_buffer(4)))
    pointer = ref(given.struct) if isinstance(given, Message) else given

    def attempt(s: int) -> int:
        if function == "WSARecvMsg":
            return receive(s, pointer, ref(dword()))
        errors.set_last_error(UNTOUCHED)
        return int(call(function, s, pointer, 0, ref(dword()), None, None))

    assert (attempt(udp), error()) == (SOCKET_ERROR, WSAEFAULT)
    assert (attempt(INVALID_SOCKET), error()) == (SOCKET_ERROR, WSAENOTSOCK)


def test_no_buffers_at_all(winsock: Process, udp: int) -> None:
    message = Message()

    fails(WSAEINVAL, "WSASendMsg", udp, ref(message.struct), 0, ref(dword()), None, None)
    assert (receive(udp, ref(message.struct), ref(dword())), error()) == (SOCKET_ERROR, WSAEINVAL)


def test_an_overlapped_message_is_told_in_its_record(winsock: Process, udp: int) -> None:
    name, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)
    assert call("getsockname", udp, name, ref(length)) == 0
    message, overlapped = Message(b"hello"), structs.OVERLAPPED()
    message.struct.name, message.struct.namelen = ctypes.addressof(name), 16

    assert call("WSASendMsg", udp, ref(message.struct), 0, None, ref(overlapped), None) == 0

    assert (overlapped.Internal, overlapped.InternalHigh) == (0, 5)


# WSARecvMsg


def test_what_was_received_goes_where_the_message_says(api: Any) -> None:
    seen: list[Any] = []
    api("WSARecvMsg", ReceivedMessage(moved=5, address=SENDER, control=b"beside", flags=0x400), seen)
    message = Message(ctypes.create_string_buffer(3), ctypes.create_string_buffer(8), name=64, control=40, flags=2)
    count = dword()

    assert receive(7, ref(message.struct), ref(count)) == 0

    ((s, buffers, control_room, namelen, flags, *request),) = seen
    assert (s, [len(one) for one in buffers]) == (7, [3, 8])
    assert (control_room, namelen, flags, request) == (40, 64, MSG_PEEK, [None, None])
    assert (count.value, message.struct.namelen, message.struct.Control.len) == (5, 16, 6)
    assert message.struct.dwFlags == 0x400
    assert message.name.raw == bytes(SENDER) + b"\xee" * 48
    assert message.control.raw == b"beside" + b"\xee" * 50


def test_a_program_may_not_want_the_sender(api: Any) -> None:
    seen: list[Any] = []
    api("WSARecvMsg", ReceivedMessage(moved=1, address=SENDER, control=b"", flags=0), seen)
    message = Message(ctypes.create_string_buffer(3), control=40)

    assert receive(7, ref(message.struct), ref(dword())) == 0

    assert seen[0][3] is None
    assert (message.struct.namelen, message.struct.Control.len) == (0, 0)
    assert message.name.raw == b"\xee" * 64


def test_a_cut_message_is_stored_although_the_call_fails(api: Any) -> None:
    failure = WinsockError(WSAEMSGSIZE, moved=3, address=SENDER)
    failure.received = ReceivedMessage(moved=3, address=SENDER, control=b"", flags=MSG_TRUNC | MSG_CTRUNC)
    api("WSARecvMsg", failure, [])
    message, count = Message(ctypes.create_string_buffer(3), name=16, control=1), dword()

    assert receive(7, ref(message.struct), ref(count)) == SOCKET_ERROR

    assert (count.value, message.struct.dwFlags, message.struct.Control.len) == (3, MSG_TRUNC | MSG_CTRUNC, 0)
    assert message.name.raw[:16] == bytes(SENDER)


def test_any_other_failure_leaves_the_message_alone(api: Any) -> None:
    api("WSARecvMsg", WinsockError(WSAEINVAL), [])
    message, count = Message(ctypes.create_string_buffer(3), name=16, control=40, flags=2), dword()
    before = bytes(message.struct), message.name.raw, message.control.raw

    assert receive(7, ref(message.struct), ref(count)) == SOCKET_ERROR

    assert (bytes(message.struct), message.name.raw, message.control.raw) == before
    assert count.value == UNTOUCHED


@pytest.mark.parametrize(("name", "control"), [(8, 40), (16, 3)], ids=["address", "control data"])
def test_a_provider_that_gives_more_than_there_is_room_for(api: Any, name: int, control: int) -> None:
    """WSAEFAULT, and nothing is written beyond the buffers."""
    api("WSARecvMsg", ReceivedMessage(moved=1, address=SENDER, control=b"beside", flags=0), [])
    message = Message(ctypes.create_string_buffer(3), name=name, control=control)

    assert (receive(7, ref(message.struct), ref(dword())), error()) == (SOCKET_ERROR, WSAEFAULT)

    assert message.name.raw[name:] == b"\xee" * (64 - name)
    assert message.control.raw[control:] == b"\xee" * 16


def test_receiving_for_real(winsock: Process, udp: int) -> None:
    """Packet information beside the data, in the layout of 64-bit Windows."""
    on = dword(1)
    assert call("setsockopt", udp, IPPROTO_IP, IP_PKTINFO, ref(on), 4) == 0
    name, length = ctypes.create_string_buffer(16), ctypes.c_int32(16)
    assert call("getsockname", udp, name, ref(length)) == 0
    assert call("sendto", udp, b"hello", 5, 0, name, 16) == 5
    message, count = Message(ctypes.create_string_buffer(8), name=32, control=64), dword()

    assert receive(udp, ref(message.struct), ref(count)) == 0

    assert (count.value, message.struct.Control.len, message.struct.dwFlags) == (5, 24, 0)
    assert message.buffers.buffers[0].raw[:5] == b"hello"
    assert struct.unpack_from("<Qii4s", message.control.raw) == (24, IPPROTO_IP, IP_PKTINFO, b"\x7f\0\0\1")
    assert message.name.raw[:8] == name.raw[:8]


# WSARecvEx


@pytest.mark.parametrize("dll", ["mswsock", "wsock32"])
def test_flags_are_set_and_never_read(api: Any, dll: str) -> None:
    seen: list[Any] = []
    api("WSARecvEx", Received(2, MSG_PARTIAL), seen)
    room, flags = ctypes.create_string_buffer(9), dword(0xFFFFFFFF)

    assert call("WSARecvEx", 7, room, 9, ref(flags), dll=dll) == 2

    ((s, buffer),) = seen
    assert (s, len(buffer), flags.value) == (7, 9, MSG_PARTIAL)
    api("WSARecvEx", 3, seen)
    assert call("WSARecvEx", 7, room, 9, ref(flags), dll=dll) == 3
    assert flags.value == 0


def test_wrong_pointers_of_recvex(winsock: Process, udp: int) -> None:
    room, flags = ctypes.create_string_buffer(9), dword()

    fails(WSAEFAULT, "WSARecvEx", udp, room, 9, None, dll="mswsock")
    fails(WSAEFAULT, "WSARecvEx", udp, None, 9, ref(flags), dll="mswsock")
    fails(WSAEFAULT, "WSARecvEx", udp, room, -1, ref(flags), dll="mswsock")
    fails(WSAENOTSOCK, "WSARecvEx", INVALID_SOCKET, None, 9, None, dll="mswsock")
    assert flags.value == UNTOUCHED


def test_the_functions_of_both_dlls_are_there() -> None:
    """WSASendMsg and WSAPoll are exports since Vista; WSARecvEx stands in both DLLs of mswsock's time."""
    for dll, name in (
        ("ws2_32", "WSASendMsg"),
        ("ws2_32", "WSAPoll"),
        ("mswsock", "WSARecvEx"),
        ("wsock32", "WSARecvEx"),
    ):
        found = table.export(dll, name)
        assert found is not None
        assert found.written
    assert table.export("ws2_32", "WSARecvMsg") is None
    assert table.export("mswsock", "WSARecvMsg") is None
