"""Sending and receiving through the API: which error wins, what buffers may be, what comes back."""

from __future__ import annotations

import array
import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from tests.concurrency import until
from tests.loopback import (
    FAMILIES,
    arrived,
    code_of,
    elsewhere,
    fails,
    fill,
    listener,
    loopback,
    nonblocking,
    pair,
    readable,
    received,
    reset,
    small_send_buffer,
    tcp,
    udp,
    waiting,
    wildcard,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    STATUS_PENDING,
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    MSG_DONTROUTE,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_WAITALL,
    SD_RECEIVE,
    SD_SEND,
    SO_BROADCAST,
    SO_OOBINLINE,
    SO_RCVTIMEO,
    SO_SNDTIMEO,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
)
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process

pytestmark = pytest.mark.usefixtures("winsock")

UNKNOWN_FLAG = 0x400000
PEER = api.sockaddr_in("127.0.0.1", 9)


# ----------------------------------------------------------------------------------------- which error comes first


@attrs.frozen
class Failure:
    """What is wrong with a call. A call that combines two of a list gets the code of the first."""

    name: str
    arguments: dict[str, Any]
    code: int


def combined(failures: list[Failure]) -> list[Any]:
    """Every failure alone and with each one that it wins over."""
    cases = []
    for index, first in enumerate(failures):
        for second in (None, *failures[index + 1 :]):
            if second is None:
                cases.append(pytest.param(first.arguments, first.code, id=first.name))
            elif not set(first.arguments) & set(second.arguments):
                both = {**second.arguments, **first.arguments}
                cases.append(pytest.param(both, first.code, id=f"{first.name} and {second.name}"))
    return cases


# What a socket can be made to be: B15 to B23 call these by their state.


def unconnected_stream() -> int:
    return tcp()


def stream_shut_for_sending() -> int:
    s = pair()[0]
    api.shutdown(s, SD_SEND)
    return s


def stream_shut_for_receiving() -> int:
    s = pair()[0]
    api.shutdown(s, SD_RECEIVE)
    return s


def stream_with_inline_urgent_data() -> int:
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_OOBINLINE, 1)
    return s


def unbound_datagram() -> int:
    return api.socket(AF_INET, SOCK_DGRAM, 0)


def datagram_shut_for_sending() -> int:
    s = udp()
    api.shutdown(s, SD_SEND)
    return s


def datagram_shut_for_receiving() -> int:
    s = unbound_datagram()
    api.bind(s, loopback(AF_INET))
    api.shutdown(s, SD_RECEIVE)
    return s


SEND = [
    Failure("no buffer", {"buffers": [None]}, WSAEFAULT),
    Failure("unknown flag", {"flags": UNKNOWN_FLAG}, WSAEOPNOTSUPP),
    Failure("partial message", {"flags": MSG_PARTIAL}, WSAEOPNOTSUPP),
    Failure("shut for sending", {"make": stream_shut_for_sending}, WSAESHUTDOWN),
    Failure("not connected", {"make": unconnected_stream}, WSAENOTCONN),
]
SEND_DATAGRAM = [
    Failure("no buffer", {"buffers": [None]}, WSAEFAULT),
    Failure("unknown flag", {"flags": UNKNOWN_FLAG}, WSAEOPNOTSUPP),
    Failure("urgent", {"flags": MSG_OOB}, WSAEOPNOTSUPP),
    Failure("shut for sending", {"make": datagram_shut_for_sending}, WSAESHUTDOWN),
    Failure("no peer", {"make": udp}, WSAENOTCONN),
]
SENDTO = [
    Failure("no buffer", {"buffers": [None]}, WSAEFAULT),
    Failure("no address and no peer", {"to": None}, WSAENOTCONN),
    Failure("short address", {"to": PEER[:15]}, WSAEFAULT),
    Failure("another family", {"to": b"\x99\0" + bytes(14)}, WSAEAFNOSUPPORT),
    Failure("unknown flag", {"flags": UNKNOWN_FLAG}, WSAEINVAL),
    Failure("urgent", {"flags": MSG_OOB}, WSAEOPNOTSUPP),
    Failure("partial message", {"flags": MSG_PARTIAL}, WSAEOPNOTSUPP),
    Failure("shut for sending", {"make": datagram_shut_for_sending}, WSAESHUTDOWN),
    Failure("port 0", {"to": loopback(AF_INET, 0)}, WSAEADDRNOTAVAIL),
    Failure("address 0", {"to": wildcard(AF_INET, 9)}, WSAEADDRNOTAVAIL),
    Failure("broadcast", {"to": api.sockaddr_in("255.255.255.255", 9)}, WSAEACCES),
    Failure("too long", {"buffers": [bytes(65508)]}, WSAEMSGSIZE),
]
RECV = [
    Failure("no buffer", {"buffers": [None]}, WSAEFAULT),
    Failure("unknown flag", {"flags": UNKNOWN_FLAG}, WSAEOPNOTSUPP),
    Failure("all of it, peeking", {"flags": MSG_WAITALL | MSG_PEEK}, WSAEOPNOTSUPP),
    Failure("all of it, urgent", {"flags": MSG_WAITALL | MSG_OOB}, WSAEOPNOTSUPP),
    Failure("all of a part", {"flags": MSG_WAITALL | MSG_PARTIAL}, WSAEOPNOTSUPP),
    Failure("urgent data in line", {"make": stream_with_inline_urgent_data, "flags": MSG_OOB}, WSAEINVAL),
    Failure("not connected", {"make": unconnected_stream}, WSAENOTCONN),
    Failure("listening", {"make": listener}, WSAENOTCONN),
    Failure("shut for receiving", {"make": stream_shut_for_receiving}, WSAESHUTDOWN),
]
RECV_DATAGRAM = [
    Failure("no buffer", {"buffers": [None]}, WSAEFAULT),
    Failure("unknown flag", {"flags": UNKNOWN_FLAG}, WSAEOPNOTSUPP),
    Failure("all of it", {"flags": MSG_WAITALL}, WSAEOPNOTSUPP),
    Failure("urgent", {"flags": MSG_OOB}, WSAEOPNOTSUPP),
    Failure("unbound", {"make": unbound_datagram}, WSAEINVAL),
    Failure("shut for receiving", {"make": datagram_shut_for_receiving}, WSAESHUTDOWN),
]
ROOM_FOR_ONE = (bytearray(1),)
ROOM = Failure("too little room for the sender", {"room": 15}, WSAEFAULT)


def _send(
    make: Callable[[], int] = lambda: pair()[0], buffers: Any = (b"x",), flags: int = 0
) -> list[Callable[[], Any]]:
    s = make()
    return [lambda: api.send(s, buffers[0], flags), lambda: api.WSASend(s, buffers, flags)]


def _sendto(
    make: Callable[[], int] = udp, buffers: Any = (b"x",), flags: int = 0, to: bytes | None = PEER
) -> list[Callable[[], Any]]:
    s = make()
    return [lambda: api.sendto(s, buffers[0], flags, to), lambda: api.WSASendTo(s, buffers, flags, to)]


def _recv(
    make: Callable[[], int] = lambda: pair()[0], buffers: Any = ROOM_FOR_ONE, flags: int = 0
) -> list[Callable[[], Any]]:
    s = make()
    return [lambda: api.recv(s, buffers[0], flags), lambda: api.WSARecv(s, buffers, flags)]


def _recvfrom(
    make: Callable[[], int] = udp, buffers: Any = ROOM_FOR_ONE, flags: int = 0, room: int | None = None
) -> list[Callable[[], Any]]:
    s = make()
    return [lambda: api.recvfrom(s, buffers[0], flags, room), lambda: api.WSARecvFrom(s, buffers, flags, room)]


def all_fail(calls: list[Callable[[], Any]], code: int) -> None:
    for call in calls:
        with fails(code):
            call()


@pytest.mark.parametrize(("arguments", "code"), combined(SEND))
def test_the_order_of_checks_of_send_on_a_stream(arguments: dict[str, Any], code: int) -> None:
    """B15, B17."""
    all_fail(_send(**arguments), code)


@pytest.mark.parametrize(("arguments", "code"), combined(SEND_DATAGRAM))
def test_the_order_of_checks_of_send_on_a_datagram_socket(arguments: dict[str, Any], code: int) -> None:
    """B15."""
    all_fail(_send(**{"make": udp, **arguments}), code)


@pytest.mark.parametrize(("arguments", "code"), combined(SENDTO))
def test_the_order_of_checks_of_sendto(arguments: dict[str, Any], code: int) -> None:
    """B16, B18; an unconnected socket whose addresses are fine meets the size last."""
    all_fail(_sendto(**arguments), code)


@pytest.mark.parametrize(("arguments", "code"), combined(SEND))
def test_sendto_on_a_stream_is_send(arguments: dict[str, Any], code: int) -> None:
    """B16: the address is ignored, even one that is no address."""
    for to in (None, PEER, b"", b"\x99\0"):
        all_fail(_sendto(to=to, **{"make": lambda: pair()[0], **arguments}), code)


@pytest.mark.parametrize(("arguments", "code"), combined(RECV))
def test_the_order_of_checks_of_recv_on_a_stream(arguments: dict[str, Any], code: int) -> None:
    """B20, B22."""
    all_fail(_recv(**arguments), code)
    all_fail(_recvfrom(**{"make": lambda: pair()[0], **arguments}), code)


@pytest.mark.parametrize(("arguments", "code"), combined(RECV_DATAGRAM))
def test_the_order_of_checks_of_recv_on_a_datagram_socket(arguments: dict[str, Any], code: int) -> None:
    """B20."""
    all_fail(_recv(**{"make": udp, **arguments}), code)


@pytest.mark.parametrize(("arguments", "code"), combined([ROOM, *RECV_DATAGRAM]))
def test_the_order_of_checks_of_recvfrom(arguments: dict[str, Any], code: int) -> None:
    """B21, B23."""
    all_fail(_recvfrom(**arguments), code)


@pytest.mark.parametrize("flags", [MSG_WAITALL, MSG_WAITALL | MSG_PEEK, MSG_WAITALL | MSG_OOB])
def test_all_or_nothing_does_not_go_with_not_waiting(flags: int) -> None:
    """B20: WSAEOPNOTSUPP also with data there."""
    client, server = pair()
    api.send(client, b"xy")
    readable(server)
    nonblocking(server)
    with fails(WSAEOPNOTSUPP):
        api.recv(server, bytearray(2), flags)
    assert received(server, 2) == b"xy"


STREAM_OR_DATAGRAM: list[Callable[[], int]] = [lambda: pair()[0], udp]


@pytest.mark.parametrize("make", STREAM_OR_DATAGRAM, ids=["stream", "datagram"])
def test_no_array_and_an_empty_array(make: Callable[[], int]) -> None:
    """R7.13, B17, B22: and both win over the flags."""
    s = make()
    for flags in (0, UNKNOWN_FLAG):
        for buffers, code in ((None, WSAEFAULT), ([], WSAEINVAL), ((), WSAEINVAL), ([b"", None], WSAEFAULT)):
            with fails(code):
                api.WSASend(s, buffers, flags)
            with fails(code):
                api.WSASendTo(s, buffers, flags, PEER)
        for space, code in ((None, WSAEFAULT), ([], WSAEINVAL), ([bytearray(1), None], WSAEFAULT)):
            with fails(code):
                api.WSARecv(s, space, flags)
            with fails(code):
                api.WSARecvFrom(s, space, flags)


@pytest.mark.parametrize("make", STREAM_OR_DATAGRAM, ids=["stream", "datagram"])
def test_what_is_no_buffer_is_a_mistake_of_the_program(make: Callable[[], int]) -> None:
    """R16.19: a wrong Python type is TypeError, never a code."""
    s = make()
    for wrong in ("text", 5, object(), [1]):
        with pytest.raises(TypeError):
            api.send(s, wrong)
        with pytest.raises(TypeError):
            api.WSASend(s, [wrong, b"x"])
        with pytest.raises(TypeError):
            api.sendto(s, wrong, 0, PEER)
        with pytest.raises(TypeError):
            api.recv(s, wrong)
        with pytest.raises(TypeError):
            api.WSARecvFrom(s, [bytearray(1), wrong])


def test_a_buffer_that_cannot_be_written_to_is_refused_before_anything_is_taken() -> None:
    client, server = pair()
    api.send(client, b"xy")
    readable(server)
    for flags in (0, MSG_WAITALL):
        for space in ([b"12"], [memoryview(b"12")], [bytearray(1), b"2"]):
            with pytest.raises(TypeError):
                api.WSARecv(server, space, flags)
    assert received(server, 2) == b"xy"


@pytest.mark.parametrize(
    ("entry", "call"),
    [
        ("WSPSend", lambda s, record: api.WSASend(s, [b"x"], 2, record)),
        ("WSPSendTo", lambda s, record: api.WSASendTo(s, [b"x"], 2, PEER, record)),
        ("WSPRecv", lambda s, record: api.WSARecv(s, [bytearray(1)], 2, record)),
        ("WSPRecvFrom", lambda s, record: api.WSARecvFrom(s, [bytearray(1)], 2, None, record)),
    ],
)
def test_the_record_of_an_overlapped_call_is_the_request_that_the_provider_gets(
    winsock: Process, entry: str, call: Callable[[int, Any], Any]
) -> None:
    """R6.3, R6.4: and none where there is no record, or the socket has not the overlapped attribute."""
    s = tcp()
    given: list[Any] = []

    def pend(*arguments: Any) -> Any:
        given.append(arguments)
        return PENDING

    for handle, request in ((s, OVERLAPPED()), (s, None), (api.WSASocket(AF_INET, SOCK_STREAM, 0), OVERLAPPED())):
        winsock.socket(handle).mover = SimpleNamespace(**{entry: pend})
        assert call(handle, request) is PENDING
    first, second, third = given
    assert (first[0], first[2], second[2]) == (s, 2, 2)
    assert isinstance(first[-1], OVERLAPPED)
    assert first[-1].Internal == STATUS_PENDING
    assert (second[-1], third[-1]) == (None, None)


def test_the_route_flag_is_taken() -> None:
    client, server = pair()
    assert api.send(client, b"x", MSG_DONTROUTE) == 1
    assert received(server, 1) == b"x"
    sender, receiver = udp(), udp()
    assert api.sendto(sender, b"y", MSG_DONTROUTE, api.getsockname(receiver)) == 1
    readable(receiver)


# --------------------------------------------------------------------------------------------------------- buffers


BUFFERS: list[Callable[[bytes], Any]] = [
    bytes,
    bytearray,
    memoryview,
    lambda data: memoryview(bytearray(data)),
    lambda data: array.array("H", data),
    lambda data: memoryview(data).cast("H"),
    lambda data: memoryview(data).cast("B", (2, len(data) // 2)),
    lambda data: (ctypes.c_uint32 * (len(data) // 4)).from_buffer_copy(data),
    ctypes.create_string_buffer,
]


@pytest.mark.parametrize("make", BUFFERS)
@pytest.mark.parametrize("mode", ["one", "several"])
def test_any_buffer_is_sent_to_its_last_byte(make: Callable[[bytes], Any], mode: str) -> None:
    client, server = pair()
    data = b"01234567"
    buffer = make(data)
    size = memoryview(buffer).nbytes
    if mode == "one":
        assert api.send(client, buffer) == size
        assert received(server, size) == bytes(memoryview(buffer).cast("B"))
    else:
        assert api.WSASend(client, [b"<", buffer, b">"]) == size + 2
        assert received(server, size + 2) == b"<" + bytes(memoryview(buffer).cast("B")) + b">"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "datagram"])
@pytest.mark.parametrize("there", [True, False], ids=["data there", "waiting"])
def test_any_writable_buffer_is_filled(stream: bool, there: bool) -> None:
    """Also one of wide items, which counts bytes and not items, and one whose receive has to wait."""
    client, server = pair() if stream else (udp(), udp())

    def send() -> None:
        if stream:
            api.send(client, b"01234567")
        else:
            api.sendto(client, b"01234567", 0, api.getsockname(server))

    for room in (array.array("I", bytes(12)), (ctypes.c_uint16 * 6)(), ctypes.create_string_buffer(12)):
        if there:
            send()
            readable(server)
            assert api.recv(server, room) == 8
        else:
            receiving = elsewhere(api.recv, server, room)
            until(waiting(server), "the receive waits")
            send()
            assert receiving.result() == 8
        assert bytes(room) == b"01234567" + bytes(4)


def test_a_large_enough_part_of_a_buffer_is_a_buffer() -> None:
    client, server = pair()
    space = bytearray(b"........")
    api.send(client, memoryview(b"--ab--")[2:4])
    assert api.recv(server, memoryview(space)[3:5]) == 2
    assert space == b"...ab..."


# ---------------------------------------------------------------------------------------------- scatter and gather

COUNTS = [1, 2, 16, 1024, 1025, 3000]


@pytest.mark.parametrize("count", COUNTS)
def test_buffers_are_sent_in_order_as_one_sequence(count: int) -> None:
    """R7.2, R7.16: the host takes 1024 in one call."""
    client, server = pair()
    data = [bytes((index % 251,)) * (index % 7) for index in range(count)]
    whole = b"".join(data)
    assert api.WSASend(client, data) == len(whole)
    assert received(server, len(whole)) == whole


@pytest.mark.parametrize("count", COUNTS)
def test_buffers_are_filled_in_order_each_before_the_next(count: int) -> None:
    """R7.3, R7.5; empty ones are passed over (R7.14)."""
    client, server = pair()
    space = [bytearray(index % 5) for index in range(1, count + 1)]
    size = sum(map(len, space))
    data = bytes(index % 251 for index in range(size))
    api.send(client, data)
    arrived(server, size)
    assert api.WSARecv(server, space) == size
    assert b"".join(space) == data


@pytest.mark.parametrize("count", COUNTS)
def test_a_receive_completes_when_some_data_is_there(count: int) -> None:
    """R7.4: not when all buffers are full, and what was not needed stays as it was."""
    client, server = pair()
    space = [bytearray(b"??") for _ in range(count)]
    receiving = elsewhere(api.WSARecv, server, space)
    until(waiting(server), "the receive waits")
    api.send(client, b"a" if count == 1 else b"abc")
    assert receiving.result() == (1 if count == 1 else 3)
    assert b"".join(space) == (b"a" if count == 1 else b"abc").ljust(2 * count, b"?")


@pytest.mark.parametrize("count", COUNTS)
def test_all_buffers_together_are_one_datagram(count: int) -> None:
    """R7.2, R7.16, A104."""
    sender, receiver = udp(), udp()
    data = [bytes((index % 251,)) * (index % 3) for index in range(count)]
    whole = b"".join(data)
    assert api.WSASendTo(sender, data, 0, api.getsockname(receiver)) == len(whole)
    api.connect(sender, api.getsockname(receiver))
    assert api.WSASend(sender, data) == len(whole)
    for _ in range(2):
        space = bytearray(len(whole) + 1)
        assert api.recvfrom(receiver, space) == (len(whole), api.getsockname(sender))
        assert space[:-1] == whole


@pytest.mark.parametrize("count", COUNTS)
def test_a_datagram_is_spread_over_the_buffers(count: int) -> None:
    """R7.3, R7.4."""
    sender, receiver = udp(), udp()
    space = [bytearray(b"?" * (index % 4)) for index in range(1, count + 1)]
    size = sum(map(len, space))
    data = bytes(index % 251 for index in range(size))
    for sent in (data, data[: size // 2]):
        api.sendto(sender, sent, 0, api.getsockname(receiver))
        assert api.WSARecvFrom(receiver, space) == (len(sent), api.getsockname(sender))
        assert b"".join(space) == sent + data[len(sent) :]


@pytest.mark.parametrize("count", COUNTS)
def test_a_datagram_that_does_not_fit_fills_the_buffers_and_is_gone(count: int) -> None:
    """R7.6, R7.7."""
    sender, receiver = udp(), udp()
    space = [bytearray(2) for _ in range(count)]
    data = bytes(index % 251 for index in range(2 * count + 1))
    api.sendto(sender, data, 0, api.getsockname(receiver))
    api.sendto(sender, b"next", 0, api.getsockname(receiver))
    with fails(WSAEMSGSIZE) as caught:
        api.WSARecvFrom(receiver, space)
    assert (caught.value.moved, caught.value.address) == (2 * count, api.getsockname(sender))
    assert b"".join(space) == data[:-1]
    assert api.recv(receiver, bytearray(10)) == 4


@pytest.mark.parametrize("buffers", [[b""], [b"", b""], [b""] * 2000])
def test_nothing_but_empty_buffers(buffers: list[bytes]) -> None:
    """R7.14: an empty send on a stream, an empty datagram elsewhere."""
    client, server = pair()
    assert api.WSASend(client, buffers) == 0
    assert code_of(api.recv, nonblocking(server), bytearray(1)) == WSAEWOULDBLOCK
    sender, receiver = udp(), udp()
    assert api.WSASendTo(sender, buffers, 0, api.getsockname(receiver)) == 0
    assert api.recvfrom(receiver, bytearray(1)) == (0, api.getsockname(sender))


@pytest.mark.parametrize("count", [1, 2, 2000])
def test_room_for_nothing_waits_for_something(count: int) -> None:
    """B20: a zero-byte read of a stream returns 0 when a receive would find something, and would block before."""
    client, server = pair()
    space = [bytearray() for _ in range(count)]
    nonblocking(server)
    with fails(WSAEWOULDBLOCK):
        api.WSARecv(server, space)
    api.send(client, b"x")
    readable(server)
    assert api.WSARecv(server, space) == 0
    assert received(server, 1) == b"x"
    api.shutdown(client, SD_SEND)
    readable(server)
    assert api.WSARecv(server, space) == 0


@pytest.mark.parametrize("flags", [0, MSG_PEEK])
@pytest.mark.parametrize("count", [1, 1500])
def test_peeking_takes_nothing(count: int, flags: int) -> None:
    client, server = pair()
    api.send(client, b"x" * count)
    arrived(server, count)
    space = [bytearray(1) for _ in range(count)]
    for _ in range(3):
        assert api.WSARecv(server, space, MSG_PEEK) == count
    assert api.WSARecv(server, space, flags) == count
    assert b"".join(space) == b"x" * count


# ------------------------------------------------------------------------------------------- sending takes its time


def test_a_blocking_send_returns_when_all_is_taken() -> None:
    """A91, R7.15: far more than the buffers on the way hold, in one buffer and in 3000."""
    for data in ([bytes(range(256)) * 16384], [bytes((index % 251,)) * 1400 for index in range(3000)]):
        client, server = pair()
        whole = b"".join(data)
        sending = elsewhere(api.WSASend, client, data)
        until(waiting(client, "WSPSend"), "the send waits")
        assert received(server, len(whole)) == whole
        assert sending.result() == len(whole)


def test_a_non_blocking_send_takes_all_and_then_nothing() -> None:
    """evwrite-send-full-buffers: whole or WSAEWOULDBLOCK, also across the array; R6.109 allows a short count."""
    client, server = pair()
    nonblocking(client)
    data = [bytes((index,)) * 200_000 for index in range(60)]
    moved = api.WSASend(client, data)
    assert moved == 60 * 200_000
    sent = b"".join(data) + bytes(fill(client))
    with fails(WSAEWOULDBLOCK):
        api.WSASend(client, [b"x", b"y"])
    assert received(server, len(sent)) == sent


@pytest.mark.parametrize("family", FAMILIES)
def test_sends_of_several_threads_stay_whole(family: int) -> None:
    """R6.22: each send is one piece of the stream, however often it waits; one thread's sends keep their order."""
    client, server = pair(family)
    rounds = dict.fromkeys(range(4), 6)
    size = 1_000_000

    def send(thread: int) -> None:
        for number in range(rounds[thread]):
            head = bytes((thread, number))
            if number % 2:
                assert api.WSASend(client, [head, bytes((thread,)) * size]) == size + 2
            else:
                assert api.send(client, head + bytes((thread,)) * size) == size + 2

    sending = [elsewhere(send, thread) for thread in rounds]
    expected = dict.fromkeys(rounds, 0)
    for _ in range(sum(rounds.values())):
        thread, number = received(server, 2)
        assert number == expected[thread]
        expected[thread] += 1
        assert received(server, size) == bytes((thread,)) * size
    for call in sending:
        call.result()


def test_small_sends_of_several_threads_stay_whole_while_the_buffers_are_full() -> None:
    """The last part of a message that fits only in part waits for room; nobody else's goes in between."""
    client, server = pair()
    small_send_buffer(client)
    size, count = 701, 2000

    def send(thread: int) -> None:
        for _ in range(count):
            assert api.send(client, bytes((thread,)) * size) == size

    sending = [elsewhere(send, thread) for thread in range(4)]
    for _ in range(4 * count):
        message = received(server, size)
        assert message == message[:1] * size
    for call in sending:
        call.result()


def test_a_send_that_got_somewhere_before_it_failed_says_how_far() -> None:
    """A91: the peer resets while the send waits."""
    client, server = pair()
    sending = elsewhere(api.send, client, bytes(20_000_000))
    until(waiting(client, "WSPSend"), "the send waits")
    reset(server)
    assert 0 < sending.result() < 20_000_000
    with fails(WSAECONNRESET):
        api.send(client, b"x")


# -------------------------------------------------------------------------------------------------------- time limits


def test_a_receive_gives_up_when_its_time_is_over() -> None:
    """R16.42, A51, A52: milliseconds, WSAETIMEDOUT, and the data that comes later is still received."""
    client, server = pair()
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 30)
    for space, flags in ((bytearray(1), 0), (bytearray(1), MSG_WAITALL), (bytearray(1), MSG_PEEK)):
        with fails(WSAETIMEDOUT):
            api.recv(server, space, flags)
    with fails(WSAETIMEDOUT):
        api.WSARecv(server, [bytearray(1), bytearray(1)])
    api.send(client, b"x")
    assert received(server, 1) == b"x"


def test_a_datagram_receive_gives_up_when_its_time_is_over() -> None:
    s = udp()
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 30)
    with fails(WSAETIMEDOUT):
        api.recvfrom(s, bytearray(1))
    with fails(WSAETIMEDOUT):
        api.recv(s, bytearray(1))


def test_a_send_gives_up_when_its_time_is_over() -> None:
    client, server = pair()
    sent = fill(nonblocking(client))
    api.ioctlsocket(client, api.FIONBIO, 0)
    api.setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, 30)
    with fails(WSAETIMEDOUT):
        api.send(client, b"x")
    assert received(server, sent) == bytes(sent)


@pytest.mark.parametrize("limit", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_no_limit_and_a_very_long_one_wait(limit: int) -> None:
    client, server = pair()
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, limit)
    receiving = elsewhere(api.recv, server, bytearray(1))
    until(waiting(server), "the receive waits")
    api.send(client, b"x")
    assert receiving.result() == 1


def test_time_limits_are_for_sockets_with_the_overlapped_attribute() -> None:
    """A53, R6.1: without it the number is kept and means nothing."""
    s = api.WSASocket(AF_INET, SOCK_DGRAM, 0, None, 0, 0)
    api.bind(s, loopback(AF_INET))
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 1)
    assert api.getsockopt(s, SOL_SOCKET, SO_RCVTIMEO) == b"\1\0\0\0"
    receiving = elsewhere(api.recv, s, bytearray(1))
    limited = api.WSASocket(AF_INET, SOCK_DGRAM, 0, None, 0, WSA_FLAG_OVERLAPPED)
    api.bind(limited, loopback(AF_INET))
    api.setsockopt(limited, SOL_SOCKET, SO_RCVTIMEO, 30)
    with fails(WSAETIMEDOUT):
        api.recv(limited, bytearray(1))
    assert receiving.running
    api.sendto(limited, b"x", 0, api.getsockname(s))
    assert receiving.result() == 1


def test_a_socket_made_without_the_overlapped_attribute_works() -> None:
    """R6.3; observed on Windows: wsarecv-nonoverlapped-socket."""
    listening = listener()
    client = api.WSASocket(AF_INET, SOCK_STREAM, 0, None, 0, 0)
    api.connect(client, api.getsockname(listening))
    server = api.accept(listening)[0]
    api.WSASend(server, [b"he", b"llo"])
    assert received(client, 5) == b"hello"


# --------------------------------------------------------------------------------------------------- what returns


def test_a_success_leaves_the_last_error_alone() -> None:
    client, server = pair()
    sender, receiver = udp(), udp()
    api.WSASetLastError(12345)
    api.send(client, b"xy")
    api.WSARecv(server, [bytearray(1), bytearray(1)])
    api.sendto(sender, b"x", 0, api.getsockname(receiver))
    api.recvfrom(receiver, bytearray(1))
    assert api.WSAGetLastError() == 12345


def test_a_stream_tells_no_sender() -> None:
    """Observed on Windows: recvfrom-stream-from-untouched."""
    client, server = pair()
    api.send(client, b"xy")
    assert api.recvfrom(server, bytearray(1)) == (1, None)
    assert api.WSARecvFrom(server, [bytearray(1)]) == (1, None)


def test_sendto_on_a_stream_ignores_the_address() -> None:
    """R11.27."""
    client, server = pair()
    assert api.sendto(client, b"x", 0, api.sockaddr_in("192.0.2.1", 9)) == 1
    assert api.WSASendTo(client, [b"y"], 0, None) == 1
    assert received(server, 2) == b"xy"


def test_a_permitted_broadcast_gets_past_the_checks() -> None:
    """A72: whether there is anywhere to send it is the network's affair."""
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.setsockopt(s, SOL_SOCKET, SO_BROADCAST, 1)
    assert code_of(api.sendto, s, b"x", 0, api.sockaddr_in("255.255.255.255", 9)) != WSAEACCES
