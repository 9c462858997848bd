"""Urgent data as Windows keeps it: beside the stream, as many bytes as come, whatever the host does with its one."""

from __future__ import annotations

import random
import socket as host_sockets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.concurrency import until
from tests.loopback import (
    FAMILIES,
    NOW,
    PATIENCE,
    Pair,
    arrived,
    code_of,
    elsewhere,
    fails,
    failure_of,
    listener,
    nonblocking,
    pair,
    readable,
    received,
    tcp,
    udp,
    waiting,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAECONNRESET, WSAEINVAL, WSAEOPNOTSUPP, WSAESHUTDOWN, WSAETIMEDOUT, WSAEWOULDBLOCK
from winsock2emu.defs.constants import (
    AF_UNIX,
    FIONREAD,
    IPPROTO_TCP,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRNORM,
    SD_RECEIVE,
    SD_SEND,
    SIOCATMARK,
    SO_OOBINLINE,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
)
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host import urgent
from winsock2emu.providers.host.stream import StreamSocket
from winsock2emu.providers.host.urgent import UrgentChannel

pytestmark = pytest.mark.usefixtures("winsock")

ALL = 100  # room for all the data of a test


def endpoint(s: int) -> StreamSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, StreamSocket)
    return found


def plain(s: int, room: int = ALL, flags: int = 0) -> bytes:
    """What one receive gets."""
    space = bytearray(room)
    return bytes(space[: api.recv(s, space, flags)])


def urgent_byte(s: int, flags: int = 0) -> bytes:
    return plain(s, 10, MSG_OOB | flags)


def counted(s: int) -> int:
    return api.ioctlsocket(s, FIONREAD, 0)


def at_mark(s: int) -> bool:
    return bool(api.ioctlsocket(s, SIOCATMARK, 0))


def inline(s: int, on: int = 1) -> None:
    api.setsockopt(s, SOL_SOCKET, SO_OOBINLINE, on)


def exceptional(s: int) -> bool:
    return bool(api.select(None, None, [s], NOW)[2])


def polled(s: int) -> int:
    return api.WSAPoll([(s, POLLRDNORM | POLLRDBAND | POLLWRNORM)], 0)[1][0]


@contextmanager
def host_peer() -> Iterator[tuple[host_sockets.socket, int]]:
    """A connection whose other end is the host's own, so that nobody can tell this end what is sent."""
    listening = listener()
    with host_sockets.create_connection(("127.0.0.1", api.getsockname(listening).port)) as peer:
        s = api.accept(listening)[0]
        api.closesocket(listening)
        yield peer, s
        api.closesocket(s)


# --------------------------------------------------------------------------------------------- several bytes that wait


@pytest.mark.parametrize("family", FAMILIES)
def test_urgent_bytes_queue_beside_the_stream(family: int) -> None:
    """Observed on Windows, step by step: fionread-with-oob to fionread-oob-read-second."""
    client, server = pair(family)
    api.send(client, b"abcde")
    arrived(server, 5)
    assert (counted(server), at_mark(server)) == (5, True)
    api.send(client, b"X", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert (counted(server), at_mark(server)) == (5, False)
    api.send(client, b"Y", MSG_OOB)
    assert (counted(server), at_mark(server)) == (5, False)
    assert plain(server, 3) == b"abc"
    assert (counted(server), at_mark(server)) == (2, False)
    assert urgent_byte(server) == b"X"
    assert polled(server) & POLLRDBAND
    assert (counted(server), at_mark(server)) == (2, False)
    assert plain(server, 5) == b"de"
    assert (counted(server), at_mark(server)) == (0, False)
    assert urgent_byte(server) == b"Y"
    assert (counted(server), at_mark(server)) == (0, True)
    with fails(WSAEINVAL):
        urgent_byte(server)


def test_urgent_bytes_are_kept_apart_although_nobody_looks_in_between() -> None:
    """The host forgets the place of the first as soon as the second has come."""
    client, server = pair()
    for index in range(16):
        api.send(client, b"....." + bytes((index,)), MSG_OOB)
    arrived(server, 80)
    assert b"".join(plain(server) for _ in range(16)) == b"." * 80
    assert not at_mark(server)
    assert b"".join(urgent_byte(server) for _ in range(16)) == bytes(range(16))
    assert at_mark(server)


def test_a_receive_never_crosses_the_place_of_an_urgent_byte() -> None:
    """T13.1: read or not, it stays the end of what one receive gets."""
    client, server = pair()
    for data, flags in ((b"ab", 0), (b"X", MSG_OOB), (b"cd", 0), (b"Y", MSG_OOB), (b"ef", 0)):
        api.send(client, data, flags)
    arrived(server, 6)
    assert urgent_byte(server) == b"X"
    assert [plain(server), plain(server), plain(server)] == [b"ab", b"cd", b"ef"]
    assert urgent_byte(server) == b"Y"


def test_only_the_last_byte_of_a_send_is_urgent() -> None:
    """R13.10, also when it is spread over several buffers with empty ones among them."""
    client, server = pair()
    assert api.WSASend(client, [b"", b"ab", b"cX", b""], MSG_OOB) == 4
    assert api.send(client, b"", MSG_OOB) == 0
    arrived(server, 3)
    assert plain(server) == b"abc"
    assert urgent_byte(server) == b"X"
    with fails(WSAEINVAL):
        urgent_byte(server)


def test_urgent_data_can_be_peeked_at() -> None:
    """R13.5, and the stream meanwhile as well."""
    client, server = pair()
    api.send(client, b"abX", MSG_OOB)
    api.send(client, b"Y", MSG_OOB)
    arrived(server, 2)
    assert urgent_byte(server, MSG_PEEK) == urgent_byte(server, MSG_PEEK) == b"X"
    assert plain(server, 1, MSG_PEEK) == b"a"
    assert plain(server, ALL, MSG_PEEK) == b"ab"
    assert urgent_byte(server) == b"X"
    assert urgent_byte(server) == b"Y"
    assert plain(server) == b"ab"


def test_no_room_takes_nothing() -> None:
    client, server = pair()
    with fails(WSAEINVAL):
        api.recv(server, bytearray(0), MSG_OOB)
    api.send(client, b"X", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert api.recv(server, bytearray(0), MSG_OOB) == 0
    assert urgent_byte(server) == b"X"


def test_it_comes_through_every_function_that_receives() -> None:
    """R13.20."""
    client, server = pair()
    space = [bytearray(0), bytearray(1), bytearray(1)]
    calls: list[Callable[[], int]] = [
        lambda: api.WSARecv(server, space, MSG_OOB),
        lambda: api.WSARecvFrom(server, space, MSG_OOB)[0],
        lambda: api.recvfrom(server, space[1], MSG_OOB)[0],
    ]
    for receive in calls:
        space[1][:] = b"."
        api.send(client, b"X", MSG_OOB)
        until(lambda: not at_mark(server), "the urgent byte has come")
        assert receive() == 1
        assert space[1:] == [b"X", b"\0"]


def test_the_end_of_the_stream_leaves_it_there() -> None:
    client, server = pair()
    api.send(client, b"abX", MSG_OOB)
    api.shutdown(client, SD_SEND)
    arrived(server, 2)
    assert [plain(server), plain(server)] == [b"ab", b""]
    assert urgent_byte(server) == b"X"
    assert plain(server) == b""


def test_both_directions_have_their_own() -> None:
    client, server = pair()
    api.send(client, b"abX", MSG_OOB)
    api.send(server, b"cdY", MSG_OOB)
    for s, data, byte in ((server, b"ab", b"X"), (client, b"cd", b"Y")):
        arrived(s, 2)
        assert urgent_byte(s) == byte
        assert plain(s) == data


@pytest.mark.parametrize("seed", range(8))
def test_any_sequence_of_calls_gives_what_two_queues_would(seed: int) -> None:
    """The stream and the urgent bytes, against a model of both."""
    script = random.Random(seed)
    client, server = pair()
    api.setsockopt(client, IPPROTO_TCP, TCP_NODELAY, 1)
    nonblocking(server)
    stream: deque[bytearray] = deque([bytearray()])  # pieces between the places of urgent bytes
    beside: deque[int] = deque()
    number = 0
    for _ in range(150):
        action = script.choice(("send", "send", "urgent", "receive", "receive", "take", "count"))
        if action in ("send", "urgent"):
            data = bytes((number + index) % 251 for index in range(script.randint(1, 9)))
            number += len(data)
            api.send(client, data, MSG_OOB if action == "urgent" else 0)
            stream[-1].extend(data[:-1] if action == "urgent" else data)
            if action == "urgent":
                beside.append(data[-1])
                stream.append(bytearray())
            arrived(server, sum(map(len, stream)))
        elif action == "receive":
            while len(stream) > 1 and not stream[0]:
                stream.popleft()
            flags = script.choice((0, MSG_PEEK))
            room = script.randint(1, 12)
            if not any(stream):
                assert code_of(api.recv, server, bytearray(room), flags) == WSAEWOULDBLOCK
                continue
            got = plain(server, room, flags)
            assert got
            assert stream[0].startswith(got)
            if not flags:
                del stream[0][: len(got)]
        elif action == "take":
            if beside:
                assert urgent_byte(server) == bytes((beside.popleft(),))
            else:
                assert code_of(api.recv, server, bytearray(1), MSG_OOB) == WSAEINVAL
        assert counted(server) == sum(map(len, stream))
        assert at_mark(server) == (not beside)
        assert exceptional(server) == bool(beside)
        assert bool(polled(server) & POLLRDBAND) == bool(beside)
        assert bool(polled(server) & POLLRDNORM) == any(stream)


def test_two_threads_send_urgent_and_ordinary_data_while_a_third_receives() -> None:
    client, server = pair()
    api.setsockopt(client, IPPROTO_TCP, TCP_NODELAY, 1)  # or they wait for each other's acknowledgements
    rounds = 200
    taken = bytearray()

    def send_urgent() -> None:
        for index in range(rounds):
            api.send(client, bytes((index % 256,)), MSG_OOB)

    def send_ordinary() -> None:
        for _ in range(rounds):
            api.send(client, b"ordinary..")
        api.send(client, b"!")

    senders = [elsewhere(send_urgent), elsewhere(send_ordinary)]
    ordinary = b""
    while not ordinary.endswith(b"!"):
        ordinary += plain(server, 64)
    for sender in senders:
        sender.result()
    while not at_mark(server):
        taken += urgent_byte(server)
    assert ordinary == b"ordinary.." * rounds + b"!"
    assert taken == bytes(index % 256 for index in range(rounds))


# --------------------------------------------------------------------------------------------------- waiting for it


def test_it_is_exceptional_and_nothing_to_read() -> None:
    """T13.1: select; wsapoll-oob."""
    client, server = pair()
    assert polled(server) == POLLWRNORM
    api.send(client, b"X", MSG_OOB)
    assert api.select([server], None, [server], PATIENCE) == ([], [], [server])
    assert polled(server) == POLLRDBAND | POLLWRNORM
    assert urgent_byte(server) == b"X"
    assert polled(server) == POLLWRNORM
    assert api.select([server], None, [server], NOW) == ([], [], [])


def test_a_select_that_waits_for_either_meets_both() -> None:
    client, server = pair()
    selecting = elsewhere(api.select, [server], None, [server], PATIENCE)
    api.send(client, b"X", MSG_OOB)
    assert selecting.result() == ([], [], [server])
    selecting = elsewhere(api.select, [server], None, None, PATIENCE)
    api.send(client, b"a")
    assert selecting.result() == ([server], [], [])


def test_a_wait_for_data_alone_goes_on() -> None:
    """The host reports the urgent byte to it; Windows does not."""
    client, server = pair()
    selecting = elsewhere(api.select, [server], None, None, PATIENCE)
    receiving_later = elsewhere(api.WSAPoll, [(server, POLLRDNORM)], 20_000)
    api.send(client, b"X", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert selecting.running
    assert receiving_later.running
    api.send(client, b"a")
    assert selecting.result() == ([server], [], [])
    assert receiving_later.result()[0] == 1


@pytest.mark.parametrize("used_to_waiting", [False, True])
def test_a_receive_that_waits_goes_on_waiting(used_to_waiting: bool) -> None:
    client, server = pair()
    if used_to_waiting:  # such receives begin without a first try
        for _ in range(6):
            receiving = elsewhere(plain, server)
            until(waiting(server), "the receive waits")
            api.send(client, b".")
            assert receiving.result() == b"."
    receiving = elsewhere(plain, server)
    until(waiting(server), "the receive waits")
    api.send(client, b"X", MSG_OOB)
    assert urgent_byte(server) == b"X"  # at any time, ahead of a receive that waits for ordinary data
    assert receiving.running
    api.send(client, b"data")
    assert receiving.result() == b"data"


def test_a_receive_that_wants_everything_goes_round_it() -> None:
    client, server = pair()
    receiving = elsewhere(plain, server, 6, MSG_WAITALL)
    until(waiting(server), "the receive waits")
    for data, flags in ((b"ab", 0), (b"X", MSG_OOB), (b"cd", 0), (b"Y", MSG_OOB), (b"ef", 0)):
        api.send(client, data, flags)
    assert receiving.result() == b"abcdef"
    assert urgent_byte(server) == b"X"
    assert urgent_byte(server) == b"Y"


def test_a_receive_of_nothing_waits_for_ordinary_data() -> None:
    client, server = pair()
    nonblocking(server)
    api.send(client, b"X", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    with fails(WSAEWOULDBLOCK):
        api.recv(server, bytearray(0))
    api.send(client, b"a")
    arrived(server, 1)
    assert api.recv(server, bytearray(0)) == 0


# --------------------------------------------------------------------------------------------------- in the stream


def test_in_the_stream_it_is_a_receive_of_its_own() -> None:
    """T13.1, on: before, the urgent byte, after."""
    client, server = pair()
    inline(server)
    for data, flags in ((b"ab", 0), (b"cX", MSG_OOB), (b"de", 0)):
        api.send(client, data, flags)
    arrived(server, 6)
    assert not at_mark(server)
    assert plain(server) == b"abc"
    assert at_mark(server)
    assert plain(server) == b"X"
    assert at_mark(server)
    assert plain(server) == b"de"


def test_in_the_stream_it_is_data_like_any_other_to_a_wait() -> None:
    """T13.1, on; wsapoll-oobinline, wsapoll-oobinline-after, fionread-oobinline-later; A64."""
    client, server = pair()
    inline(server)
    api.send(client, b"X", MSG_OOB)
    readable(server)
    assert api.select([server], None, [server], NOW) == ([server], [], [])
    assert polled(server) == POLLRDNORM | POLLWRNORM
    assert (counted(server), at_mark(server)) == (1, True)
    with fails(WSAEINVAL):
        urgent_byte(server)
    assert plain(server) == b"X"
    assert polled(server) == POLLWRNORM
    assert (counted(server), at_mark(server)) == (0, True)


def test_in_the_stream_nothing_is_lost_and_the_mark_moves() -> None:
    """T13.1, on."""
    client, server = pair()
    inline(server)
    for data, flags in ((b"a", 0), (b"X", MSG_OOB), (b"b", 0), (b"Y", MSG_OOB), (b"c", 0)):
        api.send(client, data, flags)
    arrived(server, 5)
    assert not at_mark(server)
    before = b""
    while not at_mark(server):
        before += plain(server)
    assert before == b"aXb"
    assert [plain(server), plain(server)] == [b"Y", b"c"]


def test_reading_on_until_the_mark_discards_what_is_before_it() -> None:
    """R13.15."""
    client, server = pair()
    inline(server)
    api.send(client, b"stale " * 50 + b"!", MSG_OOB)
    api.send(client, b"fresh")
    arrived(server, 306)
    while not at_mark(server):
        assert plain(server, 7) != b"!"
    assert plain(server, 1) == b"!"
    assert plain(server) == b"fresh"


def test_a_peek_in_the_stream_stops_at_the_mark_as_well() -> None:
    client, server = pair()
    inline(server)
    for data, flags in ((b"ab", 0), (b"X", MSG_OOB), (b"cd", 0)):
        api.send(client, data, flags)
    arrived(server, 5)
    for expected in (b"ab", b"X", b"cd"):
        assert plain(server, ALL, MSG_PEEK) == expected
        assert plain(server) == expected


def test_bytes_that_wait_take_their_places_when_the_option_is_set() -> None:
    """Observed on Windows: fionread-oobinline-switch; a byte put aside before counts against the mark."""
    client, server = pair()
    api.send(client, b"X", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert counted(server) == 0
    inline(server)
    assert (counted(server), at_mark(server)) == (1, False)
    assert api.select([server], None, [server], NOW) == ([server], [], [])
    assert plain(server) == b"X"
    assert (counted(server), at_mark(server)) == (0, True)


def test_the_option_may_change_while_several_bytes_wait() -> None:
    client, server = pair()
    for data, flags in ((b"ab", 0), (b"X", MSG_OOB), (b"cd", 0), (b"Y", MSG_OOB), (b"ef", 0)):
        api.send(client, data, flags)
    arrived(server, 6)
    inline(server)
    assert counted(server) == 8
    assert [plain(server), plain(server)] == [b"ab", b"X"]
    inline(server, 0)
    assert counted(server) == 4
    assert urgent_byte(server) == b"Y"
    assert [plain(server), plain(server)] == [b"cd", b"ef"]


def test_switched_off_the_option_puts_later_bytes_aside() -> None:
    client, server = pair()
    inline(server)
    inline(server, 0)
    api.send(client, b"abX", MSG_OOB)
    arrived(server, 2)
    assert plain(server) == b"ab"
    assert urgent_byte(server) == b"X"


@pytest.mark.parametrize("early", [True, False])
def test_the_option_counts_whenever_it_was_set(early: bool) -> None:
    """On an unconnected socket, and on a listening one for those it accepts."""
    listening = listener()
    client = tcp()
    inline(client)
    inline(listening)
    if early:
        api.connect(client, api.getsockname(listening))
    else:
        nonblocking(client)
        assert code_of(api.connect, client, api.getsockname(listening)) == WSAEWOULDBLOCK
        api.ioctlsocket(client, api.FIONBIO, 0)
    server = api.accept(listening)[0]
    assert not api.select(None, [client], None, PATIENCE)[2]
    for sender, receiver in ((client, server), (server, client)):
        api.send(sender, b"aX", MSG_OOB)
        api.send(sender, b"b")
        arrived(receiver, 3)
        assert [plain(receiver), plain(receiver), plain(receiver)] == [b"a", b"X", b"b"]


# ------------------------------------------------------------------------------ a sender that nobody here knows about


def _by_select(s: int) -> None:
    assert api.select([s], None, [s], PATIENCE)[2] == [s]


def _by_poll(s: int) -> None:
    assert api.WSAPoll([(s, POLLRDBAND)], 20_000)[1] == [POLLRDBAND]


def _by_mark(s: int) -> None:
    until(lambda: not at_mark(s), "the urgent byte has come")


def _by_count(s: int) -> None:
    until(lambda: counted(s) == 4 and endpoint(s).urgent is not None, "the urgent byte has come")


def _by_receiving_it(s: int) -> None:
    until(lambda: code_of(api.recv, s, bytearray(1), MSG_OOB | MSG_PEEK) == 0, "the urgent byte has come")


@pytest.mark.parametrize("notice", [_by_select, _by_poll, _by_mark, _by_count, _by_receiving_it])
def test_it_is_noticed_by(notice: Callable[[int], None]) -> None:
    with host_peer() as (peer, s):
        peer.send(b"ab")
        peer.send(b"X", host_sockets.MSG_OOB)
        peer.send(b"cd")
        notice(s)
        arrived(s, 4)
        assert [plain(s), plain(s)] == [b"ab", b"cd"]
        assert urgent_byte(s) == b"X"


def test_a_receive_that_waits_notices_it() -> None:
    with host_peer() as (peer, s):
        receiving = elsewhere(plain, s)
        until(waiting(s), "the receive waits")
        peer.send(b"X", host_sockets.MSG_OOB)
        until(lambda: endpoint(s).urgent is not None, "the urgent byte was noticed")
        peer.send(b"data")
        assert receiving.result() == b"data"
        assert urgent_byte(s) == b"X"


def put_aside(s: int, count: int) -> bool:
    channel = endpoint(s).urgent
    assert channel is not None
    return sum(part.urgent for part in channel._parts) == count


def test_once_noticed_the_pump_puts_aside_what_comes_while_nobody_looks() -> None:
    with host_peer() as (peer, s):
        expected = b""
        for byte in (b"A", b"B", b"C", b"D"):
            peer.send(b"....")
            peer.send(byte, host_sockets.MSG_OOB)
            if not expected:
                _by_select(s)
            expected += byte
            until(partial(put_aside, s, len(expected)), "it was put aside")
        assert b"".join(plain(s) for _ in range(4)) == b"." * 16
        assert b"".join(urgent_byte(s) for _ in range(4)) == expected


def test_a_hang_up_ends_the_watch() -> None:
    """It would be reported for ever."""
    with host_peer() as (peer, s):
        peer.send(b"X", host_sockets.MSG_OOB)
        _by_select(s)
        assert urgent_byte(s) == b"X"
        assert endpoint(s).pump.armed()
        peer.setsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        until(lambda: not endpoint(s).pump.armed(), "the watch has ended")
        assert failure_of(api.recv, s, bytearray(1)) == WSAECONNRESET


def test_announced_data_comes_although_the_stream_is_full() -> None:
    """R13.18: the mark is known, the byte is behind data that there is no room for."""
    listening = listener()
    api.setsockopt(listening, SOL_SOCKET, SO_RCVBUF, 4096)
    with host_sockets.create_connection(("127.0.0.1", api.getsockname(listening).port)) as peer:
        s = api.accept(listening)[0]
        peer.setblocking(False)
        data = bytes(index % 251 for index in range(40_000))
        assert peer.send(data) == len(data)
        assert peer.send(b"X", host_sockets.MSG_OOB) == 1
        until(lambda: _announced(s), "the host knows of it")
        assert urgent_byte(s) == b"X"
        assert received(s, len(data)) == data


def _announced(s: int) -> bool:
    try:
        endpoint(s).host.recv(1, host_sockets.MSG_OOB | host_sockets.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    raise AssertionError("it has come already")


def test_announced_data_that_has_not_come_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """R13.8, R13.18: WSAEWOULDBLOCK in non-blocking mode."""
    monkeypatch.setattr(UrgentChannel, "_make_room", lambda channel: None)
    listening = listener()
    api.setsockopt(listening, SOL_SOCKET, SO_RCVBUF, 4096)
    with host_sockets.create_connection(("127.0.0.1", api.getsockname(listening).port)) as peer:
        s = api.accept(listening)[0]
        peer.setblocking(False)
        assert peer.send(bytes(40_000)) == 40_000
        assert peer.send(b"X", host_sockets.MSG_OOB) == 1
        until(lambda: _announced(s), "the host knows of it")
        nonblocking(s)
        with fails(WSAEWOULDBLOCK):
            urgent_byte(s)
        api.ioctlsocket(s, api.FIONBIO, 0)
        waits = elsewhere(urgent_byte, s)
        until(waiting(s), "the receive waits")
        monkeypatch.undo()
        assert len(endpoint(s).host.recv(40_000)) > 0  # room for more, and a wake-up
        assert waits.result() == b"X"


# --------------------------------------------------------------------------------------------------------- bounds


def test_a_program_that_never_takes_it_loses_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urgent, "MOST_PUT_ASIDE", 3)
    client, server = pair()
    for byte in b"ABCDE":
        api.send(client, bytes((byte,)), MSG_OOB)
    until(lambda: not at_mark(server) and urgent_byte(server, MSG_PEEK) == b"C", "the last one has come")
    assert [urgent_byte(server) for _ in range(3)] == [b"C", b"D", b"E"]
    with fails(WSAEINVAL):
        urgent_byte(server)


def test_a_program_that_never_receives_is_not_filled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """More is taken in only when it asks for the urgent data itself."""
    monkeypatch.setattr(urgent, "MOST_TAKEN_IN", 10)
    with host_peer() as (peer, s):
        for byte in (b"A", b"B"):
            peer.send(b"." * 10)
            peer.send(byte, host_sockets.MSG_OOB)
            until(lambda: exceptional(s), "urgent data has come")
        arrived(s, 10)
        channel = endpoint(s).urgent
        assert channel is not None
        assert [part.urgent for part in channel._parts] == [False, True]
        assert urgent_byte(s) == b"A"
        assert not exceptional(s)
        until(lambda: code_of(api.recv, s, bytearray(1), MSG_OOB | MSG_PEEK) == 0, "the second one has come")
        assert urgent_byte(s) == b"B"
        assert [plain(s), plain(s)] == [b"." * 10, b"." * 10]


# --------------------------------------------------------------------------------------------- sending, closing, states


def test_the_byte_is_urgent_although_the_send_waits() -> None:
    """All of a non-blocking send is taken, and the pump makes the last byte urgent when its turn comes."""
    client, server = pair()
    nonblocking(client)
    much = bytes(20_000_000)
    assert api.send(client, much + b"X", MSG_OOB) == len(much) + 1
    with fails(WSAEWOULDBLOCK):
        api.send(client, b"Y", MSG_OOB)
    assert received(server, len(much)) == much
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert urgent_byte(server) == b"X"
    until(lambda: code_of(api.send, client, b"after") == 0, "there is room again")
    assert plain(server) == b"after"


def test_a_blocking_send_makes_only_its_last_byte_urgent() -> None:
    client, server = pair()
    much = bytes(20_000_000)
    sending = elsewhere(api.send, client, much + b"X", MSG_OOB)
    assert received(server, len(much)) == much
    assert sending.result() == len(much) + 1
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert urgent_byte(server) == b"X"
    assert at_mark(server)


def test_the_next_byte_waits_for_the_one_before() -> None:
    """The one before is still behind data that there is no room for; it is let in first."""
    listening = listener()
    api.setsockopt(listening, SOL_SOCKET, SO_RCVBUF, 4096)
    client = tcp()
    api.connect(client, api.getsockname(listening))
    server = api.accept(listening)[0]
    nonblocking(client)
    data = bytes(index % 251 for index in range(60_000))
    api.send(client, data)
    api.send(client, b"X", MSG_OOB)
    api.send(client, b"Y", MSG_OOB)
    assert received(server, len(data)) == data
    assert [urgent_byte(server), urgent_byte(server)] == [b"X", b"Y"]


def test_a_byte_that_nobody_has_read_makes_the_close_hard() -> None:
    """R13.21."""
    client, server = pair()
    api.send(client, b"X", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    api.closesocket(server)
    assert failure_of(api.recv, client, bytearray(1)) == WSAECONNRESET


def test_data_that_was_taken_in_and_not_read_makes_the_close_hard() -> None:
    client, server = pair()
    api.send(client, b"abX", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert urgent_byte(server) == b"X"
    api.closesocket(server)
    assert failure_of(api.recv, client, bytearray(1)) == WSAECONNRESET


def test_when_all_is_read_the_close_is_graceful() -> None:
    client, server = pair()
    api.send(client, b"abX", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    assert urgent_byte(server) == b"X"
    assert plain(server) == b"ab"
    api.closesocket(server)
    assert plain(client) == b""


def test_urgent_data_is_unwanted_when_receiving_has_ended() -> None:
    """R12.3: what was put aside resets the connection as other data does."""
    client, server = pair()
    api.send(client, b"X", MSG_OOB)
    until(lambda: not at_mark(server), "the urgent byte has come")
    api.shutdown(server, SD_RECEIVE)
    assert failure_of(api.recv, client, bytearray(1)) == WSAECONNRESET


def test_after_receiving_has_ended_there_is_none() -> None:
    client, server = pair()
    api.shutdown(server, SD_RECEIVE)
    with fails(WSAESHUTDOWN):
        urgent_byte(server)
    api.closesocket(client)


def test_only_tcp_has_it() -> None:
    """R13.3, and AF_UNIX, whatever the host thinks of it."""
    a = udp()
    b = api.socket(AF_UNIX, SOCK_STREAM, 0)
    for s in (a, b):
        with fails(WSAEOPNOTSUPP):
            api.send(s, b"X", MSG_OOB)
        with fails(WSAEOPNOTSUPP):
            api.recv(s, bytearray(1), MSG_OOB)


def test_a_time_limit_counts() -> None:
    """An urgent byte is no data for a receive that waits."""
    client, server = pair()
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 50)
    api.send(client, b"X", MSG_OOB)
    assert code_of(api.recv, server, bytearray(1)) == WSAETIMEDOUT
    assert urgent_byte(server) == b"X"


def test_a_connection_costs_nothing_before_the_first_byte() -> None:
    client, server = pair()
    api.send(client, b"data")
    readable(server)
    assert plain(server) == b"data"
    assert polled(server) == POLLWRNORM
    assert at_mark(server)
    for s in (client, server):
        assert endpoint(s).urgent is None
        assert endpoint(s).receive_now is not None
    assert endpoint(server).pump.armed() == ()


def test_the_other_end_is_found_in_another_process(winsock: Process) -> None:
    """Two emulated machines of one test: the sender still knows whom it sends to."""
    listening = listener()
    name = api.getsockname(listening)
    with Process().active():
        api.WSAStartup(0x0202)
        other = tcp()
        api.connect(other, name)
        with winsock.active():
            server = api.accept(listening)[0]
        for byte in (b"X", b"Y", b"Z"):
            api.send(other, byte, MSG_OOB)
        with winsock.active():
            assert [urgent_byte(server) for _ in range(3)] == [b"X", b"Y", b"Z"]
        api.WSACleanup()


def test_pairs_are_not_mixed_up() -> None:
    pairs: list[Pair] = [pair() for _ in range(4)]
    for index, (client, _) in enumerate(pairs):
        api.send(client, bytes((index,)), MSG_OOB)
    for index, (client, server) in enumerate(pairs):
        assert urgent_byte(server) == bytes((index,))
        assert endpoint(client).urgent is None
