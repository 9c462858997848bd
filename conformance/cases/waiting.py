"""Waiting: select with its three sets, WSAPoll, and the poll request under both."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from ..addresses import loopback
from ..constants import (
    FD_READ,
    INVALID_SOCKET,
    MSG_OOB,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
    SD_RECEIVE,
    SD_SEND,
    SO_OOBINLINE,
    SOL_SOCKET,
    WSA_IO_PENDING,
    WSAECONNREFUSED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
)
from ..model import Case, Row, case
from ..target import Target
from ..verify import expect, expect_true, fails_with, variant

CHAPTER = "Waiting"
SELECT = "winsock2/nf-winsock2-select"
POLL = "winsock2/nf-winsock2-wsapoll"
SERVER_TEST = "Wine's public test sock.c:select_server, which passes on Windows"
POLL_TEST = "Wine's public test sock.c:test_WSAPoll, which passes on Windows"
AFD_TEST = "Wine's public test afd.c:{}, which passes on Windows"
A_MOMENT = 0.05
LONG = (5, 0)
LOOK = (0, 0)
LONG_MS = 5000
BOGUS = 0xABACAB  # a number that no socket has
MINUS_ONE = INVALID_SOCKET
ALL = POLLRDNORM | POLLRDBAND | POLLWRNORM


def start_refused_connect(ws: Target, s: int) -> None:
    """Make ``s`` non-blocking and connect it to a port that nobody has."""
    ws.nonblocking(s)
    with fails_with(WSAEWOULDBLOCK):
        ws.connect(s, ws.dead_address())


def send_urgent(ws: Target, s: int, peer: int) -> None:
    """Send one urgent byte, and wait until it has arrived outside of the stream."""
    ws.send(s, b"!", MSG_OOB)
    expect("sockets with urgent data", expected=[peer], actual=ws.select(None, None, [peer], LONG)[2])


# ---- select: what makes a socket ready -------------------------------------------------------------------------------


@case(
    "waiting.select.listener",
    chapter=CHAPTER,
    source=f"{SELECT}; {SERVER_TEST}",
    basis="documented",
    requirements=["R3.43"],
    behaviours=["select-listen-readable"],
)
def listener_is_readable_when_accept_would_not_wait(ws: Target) -> None:
    """A connection that waits keeps a non-blocking listener in readfds, and accept takes it; then it leaves the set."""
    with ws.listener() as listener, ws.closing(ws.tcp()) as client:
        ws.nonblocking(listener)
        expect("before", expected=([], [], []), actual=ws.select([listener], None, None, LOOK))
        ws.connect(client, ws.getsockname(listener))
        expect("readable", expected=([listener], [], []), actual=ws.select([listener], None, None, LONG))
        accepted, _ = ws.accept(listener)
        with ws.closing(accepted):
            expect("after", expected=([], [], []), actual=ws.select([listener], None, None, LOOK))


@case(
    "waiting.select.readable-{row}",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.43"],
    rows={"data": Row("data"), "end": Row("end"), "reset": Row("reset"), "urgent-inline": Row("urgent")},
)
def stream_is_readable(ws: Target, by: str) -> None:
    """Data, the end of the stream, a reset, and urgent data that is kept in line make a connection readable."""
    with ws.connected_pair() as (client, server):
        ws.setsockopt(server, SOL_SOCKET, SO_OOBINLINE, 1)
        expect("before", expected=[], actual=ws.select([server], None, None, LOOK)[0])
        if by == "data":
            ws.send(client, b"x")
        elif by == "urgent":
            ws.send(client, b"!", MSG_OOB)
        elif by == "end":
            ws.shutdown(client, SD_SEND)
        else:
            ws.reset(client)
        expect("readable", expected=[server], actual=ws.select([server], None, None, LONG)[0])


@case(
    "waiting.select.datagram",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.43", "R3.44"],
)
def datagram_sockets_are_ready(ws: Target) -> None:
    """A UDP socket is always writable, and readable when a datagram waits."""
    with ws.udp_pair() as (a, b):
        expect("before", expected=([], [b], []), actual=ws.select([b], [b], [b], LOOK))
        ws.send(a, b"x")
        ws.wait_readable(b)
        expect("after", expected=([b], [b], []), actual=ws.select([b], [b], [b], LOOK))


@case(
    "waiting.select.writable",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.44"],
)
def connection_is_writable_while_there_is_room(ws: Target) -> None:
    """A connection leaves writefds when no more can be sent, and comes back when the peer has read."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(client)
        ws.nonblocking(server)
        expect("at first", expected=[client], actual=ws.select(None, [client], None, LOOK)[1])
        chunk = bytes(65536)
        with fails_with(WSAEWOULDBLOCK):
            for _ in range(10_000):
                ws.send(client, chunk)
        expect("full", expected=[], actual=ws.select(None, [client], None, LOOK)[1])
        room = bytearray(1 << 20)

        def drain() -> bool:
            while ws.readable(server):
                ws.recv(server, room)
            return ws.writable(client)

        ws.until("the connection is writable again", drain)


@case(
    "waiting.select.connect-succeeds",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.44"],
)
def connect_that_succeeds_is_writable(ws: Target) -> None:
    """A non-blocking connect that succeeds makes the socket writable, and neither readable nor exceptional."""
    with ws.listener() as listener, ws.closing(ws.tcp()) as client:
        ws.nonblocking(client)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(client, ws.getsockname(listener))
        expect("ready sets", expected=([], [client], []), actual=ws.select([client], [client], [client], LONG))


@case(
    "waiting.select.connect-fails",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.44", "R3.45", "A58"],
)
def connect_that_fails_is_exceptional(ws: Target) -> None:
    """A non-blocking connect that fails makes the socket exceptional and nothing else; SO_ERROR tells the reason."""
    with ws.closing(ws.tcp()) as s:
        start_refused_connect(ws, s)
        expect("ready sets", expected=([], [], [s]), actual=ws.select([s], [s], [s], LONG))
        expect("reason", expected=WSAECONNREFUSED, actual=ws.pending_error(s))


@case(
    "waiting.select.urgent",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.45"],
)
def urgent_data_is_exceptional(ws: Target) -> None:
    """Urgent data outside of the stream makes the socket exceptional until it has been received, and not readable."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, client, server)
        expect("ready sets", expected=([], [], [server]), actual=ws.select([server], None, [server], LOOK))
        ws.recv(server, bytearray(1), MSG_OOB)
        expect("afterwards", expected=([], [], []), actual=ws.select([server], None, [server], LOOK))


@case(
    "waiting.select.urgent-inline",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.43", "R3.45"],
)
def urgent_data_in_line_is_not_exceptional(ws: Target) -> None:
    """With SO_OOBINLINE urgent data makes the socket readable and not exceptional."""
    with ws.connected_pair() as (client, server):
        ws.setsockopt(server, SOL_SOCKET, SO_OOBINLINE, 1)
        ws.send(client, b"!", MSG_OOB)
        expect("ready sets", expected=([server], [], []), actual=ws.select([server], None, [server], LONG))


# ---- select: the sets ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def connections(ws: Target, count: int) -> Iterator[tuple[int, list[int], list[int]]]:
    """A non-blocking listener, and so many connections: clients and servers."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(ws.listener())
        clients, servers = [], []
        for _ in range(count):
            clients.append(stack.enter_context(ws.closing(ws.tcp())))
            ws.connect(clients[-1], ws.getsockname(listener))
            servers.append(stack.enter_context(ws.closing(ws.accept(listener)[0])))
        ws.nonblocking(listener)
        yield listener, clients, servers


@case(
    "waiting.select.counts",
    chapter=CHAPTER,
    source=f"{SELECT}; {SERVER_TEST}",
    basis="documented",
    requirements=["R3.42", "A59"],
    behaviours=["select-readyset-count"],
)
def result_counts_the_members_of_all_sets(ws: Target) -> None:
    """A listener and four connections in readfds and writefds: what is ready is counted once in each set.

    On targets with a C ABI the driver compares the number returned with the members of the sets.
    """
    with connections(ws, 4) as (listener, clients, servers):
        for ready in range(5):
            readable, writable, _ = ws.select([listener, *servers], servers, None, LOOK)
            expect("readable", expected=servers[:ready], actual=readable)
            expect("writable", expected=servers, actual=writable)
            if ready < 4:
                ws.send_and_settle(clients[ready], b"x", servers[ready])


@case(
    "waiting.select.in-two-sets",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.42", "A59"],
    needs_c=True,
)
def socket_in_two_sets_counts_twice(ws: Target) -> None:
    """A socket that is readable and writable is counted in both sets."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"x")
        sets = [ws.c.new(fd_set(server)) for _ in range(2)]
        when = ws.c.new(ws.c.pack("timeval"))
        got = ws.c.check("select", 0, sets[0].address, sets[1].address, 0, when.address)
    expect("result", expected=2, actual=got)


@case(
    "waiting.select.twice-in-a-set",
    chapter=CHAPTER,
    source=f"{SELECT}, which fills sets by FD_SET",
    basis="choice",
    requirements=["A59"],
    needs_c=True,
)
def socket_twice_in_a_set_comes_back_once(ws: Target) -> None:
    """A set that names a ready socket twice comes back with it once, as FD_SET would have left it."""
    with ws.udp_pair() as (a, _):
        one = ws.c.new(fd_set(a, a))
        when = ws.c.new(ws.c.pack("timeval"))
        got = ws.c.check("select", 0, 0, one.address, 0, when.address)
        expect("result and set", expected=(1, 1, a), actual=(got, one.number(4), one.number(8, 8)))


@case(
    "waiting.select.compacts-the-set",
    chapter=CHAPTER,
    source=f"winsock/ns-winsock-fd_set; {SERVER_TEST}",
    basis="documented",
    requirements=["A59"],
    behaviours=["select-fdset-count-semantics"],
    needs_c=True,
)
def set_is_a_count_and_an_array(ws: Target) -> None:
    """An fd_set is a count and an array: of three members the two that are ready move to its front, in their order."""
    with connections(ws, 3) as (_, clients, servers):
        for index in (0, 2):
            ws.send_and_settle(clients[index], b"x", servers[index])
        members = ws.c.new(fd_set(*servers))
        when = ws.c.new(ws.c.pack("timeval"))
        got = ws.c.check("select", 0, members.address, 0, 0, when.address)
        array = [members.number(8, 8 + 8 * place) for place in range(2)]
        expect("result, count", expected=(2, 2), actual=(got, members.number(4)))
        expect("array", expected=[servers[0], servers[2]], actual=array)


@case(
    "waiting.select.time-out-empties",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.42"],
    needs_c=True,
)
def sets_are_empty_when_the_time_has_run_out(ws: Target) -> None:
    """After a time-out the result is 0 and every set is empty."""
    with ws.udp_pair() as (a, b):
        sets = [ws.c.new(fd_set(a, b)), ws.c.new(fd_set(b))]
        when = ws.c.new(ws.c.pack("timeval", tv_usec=1000))
        got = ws.c.check("select", 0, sets[0].address, 0, sets[1].address, when.address)
        expect("result", expected=0, actual=got)
        expect("counts", expected=[0, 0], actual=[block.number(4) for block in sets])


@case(
    "waiting.select.nfds-{row}",
    chapter=CHAPTER,
    source=f"{SELECT}, parameter nfds",
    basis="documented",
    requirements=["R3.39"],
    needs_c=True,
    rows={"zero": Row(0), "negative": Row(-1), "huge": Row(0x7FFFFFFF)},
)
def nfds_is_ignored(ws: Target, nfds: int) -> None:
    """nfds may have any value."""
    with ws.udp_pair() as (a, _):
        writable = ws.c.new(fd_set(a))
        when = ws.c.new(ws.c.pack("timeval"))
        expect("result", expected=1, actual=ws.c.check("select", nfds, 0, writable.address, 0, when.address))


@case(
    "waiting.select.one-empty-set",
    chapter=CHAPTER,
    source=SELECT,
    basis="observed",
    requirements=["R3.39"],
)
def empty_set_beside_another_is_legal(ws: Target) -> None:
    """A set without members does no harm beside one that has some."""
    with ws.udp_pair() as (a, _):
        expect("ready sets", expected=([], [a], []), actual=ws.select([], [a], [], LOOK))


@case(
    "waiting.select.more-than-fd-setsize",
    chapter=CHAPTER,
    source="winsock/maximum-number-of-sockets-supported-2",
    basis="documented",
    requirements=["A59"],
)
def set_may_have_more_members_than_fd_setsize(ws: Target) -> None:
    """A program may define FD_SETSIZE larger than 64: a set of 100 sockets works."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(ws.closing(ws.udp())) for _ in range(100)]
        expect("writable", expected=sockets, actual=ws.select(None, sockets, None, LOOK)[1])


# ---- select: time ----------------------------------------------------------------------------------------------------


@case(
    "waiting.select.timeval-{row}",
    chapter=CHAPTER,
    source=f"{SELECT}, parameter timeout",
    basis="documented",
    requirements=["R3.41", "A60"],
    needs_c=True,
    rows={"ready": Row(True), "time-out": Row(False)},
)
def timeval_is_not_changed(ws: Target, ready: bool) -> None:
    """The timeval is as it was, whether a socket was ready or the time has run out."""
    with ws.udp_pair() as (a, b):
        if ready:
            ws.send(a, b"x")
            ws.wait_readable(b)
        readable = ws.c.new(fd_set(b))
        when = ws.c.new(ws.c.pack("timeval", tv_sec=2 if ready else 0, tv_usec=20_000))
        before = when.read()
        expect("result", expected=int(ready), actual=ws.c.check("select", 0, readable.address, 0, 0, when.address))
        expect("timeval", expected=before, actual=when.read())


@case(
    "waiting.select.timeval-again",
    chapter=CHAPTER,
    source=f"{SELECT}, parameter timeout",
    basis="documented",
    requirements=["R3.41", "A60"],
)
def time_can_be_used_again(ws: Target) -> None:
    """The same time given to three calls is the whole time for each: no call has used any of it up."""
    limit = (0, 60_000)
    with ws.udp_pair() as (_, idle):
        for number in range(3):
            began = time.monotonic()
            expect("ready", expected=([], [], []), actual=ws.select([idle], None, None, limit))
            took = time.monotonic() - began
            expect_true(f"call {number} has taken its time", took >= 0.05, actual=took)


@case(
    "waiting.select.waits-{row}",
    chapter=CHAPTER,
    source=f"{SELECT}, parameter timeout",
    basis="documented",
    requirements=["R3.41"],
    rows={"for-ever": Row(None), "for-its-time": Row((5, 0))},
)
def select_waits_until_a_socket_is_ready(ws: Target, timeout: tuple[int, int] | None) -> None:
    """With no time, or enough of it, select waits until a socket becomes ready."""
    with ws.udp_pair() as (a, b), ws.thread() as other:
        pending = other.start(ws.select, [b], None, [b], timeout)
        expect_true("select waits", not pending.finished_within(A_MOMENT))
        ws.send(a, b"x")
        expect("ready sets", expected=([b], [], []), actual=pending.result())


@case(
    "waiting.select.time-passes",
    chapter=CHAPTER,
    source=f"{SELECT}, parameter timeout",
    basis="documented",
    requirements=["R3.41", "R3.42"],
)
def select_ends_when_its_time_has_passed(ws: Target) -> None:
    """A select for a tenth of a second, with nothing ready, takes about that long."""
    with ws.udp_pair() as (_, b):
        began = time.monotonic()
        expect("ready sets", expected=([], [], []), actual=ws.select([b], None, None, (0, 100_000)))
        took = time.monotonic() - began
    expect_true("it took its time", 0.08 <= took < 4, actual=took)


@case(
    "waiting.select.closed-meanwhile",
    chapter=CHAPTER,
    source=f"{SELECT}; requirement R3.47",
    basis="choice",
    requirements=["R3.47"],
)
def select_ends_when_a_member_is_closed(ws: Target) -> None:
    """A select that waits fails with WSAENOTSOCK when another thread closes one of its sockets."""
    with ws.udp_pair() as (a, b), ws.thread() as other:
        pending = other.start(ws.select, [a, b], None, None, LONG)
        expect_true("select waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(b)
        with fails_with(WSAENOTSOCK):
            pending.result()


@case(
    "waiting.select.changes-meanwhile-{row}",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.43", "R3.44", "R3.45"],
    rows={"listens": Row("listens"), "connects": Row("connects"), "fails": Row("fails"), "is-bound": Row("bound")},
)
def select_sees_what_a_socket_becomes(ws: Target, what: str) -> None:
    """A select that waits sees a socket that starts to listen, connects, fails to connect, or gets a datagram."""
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(ws.closing(ws.udp() if what == "bound" else ws.tcp()))
        other = stack.enter_context(ws.thread())
        pending = other.start(ws.select, [s], None if what == "bound" else [s], [s], LONG)
        expect_true("select waits", not pending.finished_within(A_MOMENT))
        expected: tuple[list[int], list[int], list[int]] = ([s], [], [])
        if what == "fails":
            start_refused_connect(ws, s)
            expected = ([], [], [s])
        elif what == "connects":
            listener = stack.enter_context(ws.listener())
            ws.connect(s, ws.getsockname(listener))
            expected = ([], [s], [])
        elif what == "listens":
            ws.bind(s, loopback())
            ws.listen(s, 1)
            ws.connect(stack.enter_context(ws.closing(ws.tcp())), ws.getsockname(s))
        else:
            ws.bind(s, loopback())
            ws.sendto(stack.enter_context(ws.closing(ws.udp())), b"x", 0, ws.getsockname(s))
        expect("ready sets", expected=expected, actual=pending.result())


@case(
    "waiting.select.reused-number",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.40"],
)
def repeated_select_looks_up_its_members(ws: Target) -> None:
    """The same list again: it fails while a member is closed, and is about the new socket that has got its number."""
    with ws.closing(ws.udp()) as other:
        s = ws.udp()
        expect("writable", expected=[other, s], actual=ws.select(None, [other, s], None, LOOK)[1])
        ws.closesocket(s)
        with fails_with(WSAENOTSOCK):
            ws.select(None, [other, s], None, LOOK)
        with ws.closing(ws.tcp()) as new:
            if new == s:
                expect("writable", expected=[other], actual=ws.select(None, [other, s], None, LOOK)[1])


@case(
    "waiting.select.completion-routines",
    chapter=CHAPTER,
    source=f"{SELECT}, remarks",
    basis="documented",
    requirements=["R3.48"],
)
def select_waits_alertably(ws: Target) -> None:
    """A routine that was queued to the thread runs inside of a select that waits, and does not end it."""
    calls: list[int] = []
    with ws.udp_pair() as (_, b):
        ws.QueueUserAPC(calls.append, ws.GetCurrentThread(), 7)
        expect("ready sets", expected=([], [], []), actual=ws.select([b], None, None, (0, 50_000)))
    expect("calls", expected=[7], actual=calls)


@case(
    "waiting.select.network-events",
    chapter=CHAPTER,
    source=f"{SELECT}, remarks",
    basis="documented",
    requirements=["R3.46"],
)
def select_leaves_network_events_alone(ws: Target) -> None:
    """A network event that was recorded is still there after a select that reports the same data."""
    with ws.udp_pair() as (a, b):
        event = ws.WSACreateEvent()
        ws.WSAEventSelect(b, event, FD_READ)
        ws.send(a, b"x")
        ws.wait_readable(b)
        expect("readable", expected=[b], actual=ws.select([b], None, None, LOOK)[0])
        expect("recorded", expected=FD_READ, actual=ws.WSAEnumNetworkEvents(b, event)[0])
        ws.WSACloseEvent(event)


def fd_set(*sockets: int) -> bytes:
    """Return an fd_set in memory."""
    return len(sockets).to_bytes(8, "little") + b"".join(s.to_bytes(8, "little") for s in sockets)


# ---- WSAPoll: arguments ----------------------------------------------------------------------------------------------


@case(
    "waiting.poll.no-array-{row}",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.50", "B26"],
    needs_c=True,
    rows={
        "no-entries": Row(0, WSAEINVAL, behaviours=["wsapoll-null-0"]),
        "one-entry": Row(1, WSAEFAULT, behaviours=["wsapoll-null-1"]),
    },
)
def poll_without_an_array(ws: Target, count: int, code: int) -> None:
    """Without an array WSAPoll fails with WSAEINVAL for no entries and with WSAEFAULT for one."""
    for timeout in (0, 1):
        with fails_with(code):
            ws.c.check("WSAPoll", 0, count, timeout)


@case(
    "waiting.poll.no-entries",
    chapter=CHAPTER,
    source=POLL,
    basis="documented",
    requirements=["R3.50", "B26"],
)
def poll_of_nothing(ws: Target) -> None:
    """A list without entries is WSAEINVAL."""
    with fails_with(WSAEINVAL):
        ws.WSAPoll([], 0)


@case(
    "waiting.poll.bad-events-{row}",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.49", "B26", "A61"],
    behaviours=["wsapoll-invalid-flags-listener", "wsapoll-invalid-flags-connected"],
    rows={
        "err": Row(POLLERR),
        "hup": Row(POLLHUP),
        "nval": Row(POLLNVAL),
        "pri": Row(POLLPRI),
        "wrband": Row(POLLWRBAND),
        **{f"0x{1 << bit:x}": Row(1 << bit) for bit in (3, 6, 7, 11, 12, 13, 14)},
        "with-good-ones": Row(POLLIN | POLLPRI),
    },
)
def poll_refuses_other_events(ws: Target, events: int) -> None:
    """An entry may ask for POLLRDNORM, POLLRDBAND and POLLWRNORM; any other bit is WSAEINVAL, on every socket."""
    with ws.listener() as listener, ws.connected_pair() as (client, _):
        for s in (listener, client):
            with fails_with(WSAEINVAL):
                ws.WSAPoll([(s, events)], 0)


@case(
    "waiting.poll.minus-one",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.50"],
    behaviours=["wsapoll-minus1-entry"],
)
def poll_marks_a_negative_entry(ws: Target) -> None:
    """An entry of -1 gets POLLNVAL whatever it asks for, and does not count; the call succeeds.

    The page says that negative entries are left without a bit.
    """
    with ws.listener() as listener:
        ws.WSASetLastError(0)
        result = ws.WSAPoll([(MINUS_ONE, POLLERR), (listener, POLLIN)], 0)
        expect("last error", expected=0, actual=ws.WSAGetLastError())
    expect("result", expected=(0, [POLLNVAL, 0]), actual=result)


@case(
    "waiting.poll.no-socket",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.50"],
    behaviours=["wsapoll-bogus-handle-entry"],
)
def poll_marks_what_is_no_socket(ws: Target) -> None:
    """An entry that is no socket gets POLLNVAL and does not count, beside one that is."""
    with ws.listener() as listener:
        result = ws.WSAPoll([(listener, POLLIN), (BOGUS, POLLIN)], 0)
    expect("result", expected=(0, [0, POLLNVAL]), actual=result)


@case(
    "waiting.poll.no-socket-bad-events",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.49", "R3.50"],
    behaviours=["wsapoll-bogus-with-bad-flags"],
    needs_c=True,
)
def events_are_checked_before_the_handle(ws: Target) -> None:
    """An entry that is no socket and asks for POLLERR is WSAEINVAL, and no entry gets a bit."""
    with ws.listener() as listener:
        entries = ws.c.new(pollfds((listener, POLLIN), (BOGUS, POLLERR)))
        with fails_with(WSAEINVAL):
            ws.c.check("WSAPoll", entries.address, 2, 0)
        expect("revents", expected=[0, 0], actual=[entries.number(2, at) for at in (10, 26)])


@case(
    "waiting.poll.nothing-valid",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.50", "B26"],
    behaviours=["wsapoll-all-invalid"],
    needs_c=True,
)
def poll_fails_without_any_socket(ws: Target) -> None:
    """A list in which nothing is a socket fails with WSAENOTSOCK, whatever it asks for; all entries get POLLNVAL."""
    entries = ws.c.new(pollfds((MINUS_ONE, POLLERR), (BOGUS, POLLERR)))
    with fails_with(WSAENOTSOCK, variants={WSAEINVAL: "the page"}):
        ws.c.check("WSAPoll", entries.address, 2, 0)
    expect("revents", expected=[POLLNVAL, POLLNVAL], actual=[entries.number(2, at) for at in (10, 26)])


@case(
    "waiting.poll.nothing-valid-code",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["B26"],
    behaviours=["wsapoll-all-invalid"],
)
def poll_of_a_closed_socket_alone(ws: Target) -> None:
    """A list whose only entry was a socket fails with WSAENOTSOCK."""
    with ws.socket_in("closed") as s, fails_with(WSAENOTSOCK, variants={WSAEINVAL: "the page"}):
        ws.WSAPoll([(s, POLLIN)], 0)


def pollfds(*entries: tuple[int, int]) -> bytes:
    """Return an array of WSAPOLLFD in memory, revents 0x5A5A."""
    return b"".join(
        s.to_bytes(8, "little") + events.to_bytes(2, "little") + b"\x5a\x5a" + bytes(4) for s, events in entries
    )


# ---- WSAPoll: what a socket is ready for -----------------------------------------------------------------------------


@case(
    "waiting.poll.idle-listener",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.51"],
    behaviours=["wsapoll-idle-listener"],
)
def idle_listener_is_ready_for_nothing(ws: Target) -> None:
    """A listener without a connection request meets no condition."""
    with ws.listener() as listener:
        expect("result", expected=(0, [0]), actual=ws.WSAPoll([(listener, ALL)], 0))


@case(
    "waiting.poll.listener",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.51"],
    behaviours=["wsapoll-accept-ready"],
)
def listener_with_a_request_is_readable(ws: Target) -> None:
    """A connection request is POLLRDNORM for as long as it waits, and nothing else."""
    with ws.listener() as listener, ws.closing(ws.tcp()) as client:
        ws.connect(client, ws.getsockname(listener))
        for _ in range(2):
            expect("result", expected=(1, [POLLRDNORM]), actual=ws.WSAPoll([(listener, ALL)], LONG_MS))
        others = POLLRDBAND | POLLWRNORM
        expect("other conditions", expected=(0, [0]), actual=ws.WSAPoll([(listener, others)], 0))


@case(
    "waiting.poll.connected",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.51"],
    behaviours=["wsapoll-connected-idle"],
)
def connections_are_writable(ws: Target) -> None:
    """Of a listener and the two ends of a connection the ends are POLLWRNORM, and the result is 2."""
    with connections(ws, 1) as (listener, (client,), (server,)):
        result = ws.WSAPoll([(listener, ALL), (server, ALL), (client, ALL)], 0)
    expect("result", expected=(2, [0, POLLWRNORM, POLLWRNORM]), actual=result)


@case(
    "waiting.poll.data",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.51"],
    behaviours=["wsapoll-data"],
)
def data_is_readable(ws: Target) -> None:
    """Data is POLLRDNORM until it has been received; only what was asked for is told."""
    with ws.connected_pair() as (client, server):
        ws.send(server, b"1234")
        expect("readable", expected=(1, [POLLRDNORM]), actual=ws.WSAPoll([(client, POLLIN)], LONG_MS))
        expect("with room", expected=(1, [POLLRDNORM | POLLWRNORM]), actual=ws.WSAPoll([(client, ALL)], 0))
        ws.recv(client, bytearray(4))
        expect("afterwards", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(client, ALL)], 0))


@case(
    "waiting.poll.urgent",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.51"],
    behaviours=["wsapoll-oob"],
)
def urgent_data_is_a_band_of_its_own(ws: Target) -> None:
    """Urgent data is POLLRDBAND and not POLLRDNORM, until it has been received."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, server, client)
        expect("urgent", expected=(1, [POLLRDBAND]), actual=ws.WSAPoll([(client, POLLIN)], LONG_MS))
        expect("with room", expected=(1, [POLLRDBAND | POLLWRNORM]), actual=ws.WSAPoll([(client, ALL)], 0))
        ws.recv(client, bytearray(1), MSG_OOB)
        expect("afterwards", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(client, ALL)], 0))


@case(
    "waiting.poll.urgent-inline",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.51"],
    behaviours=["wsapoll-oobinline", "wsapoll-oobinline-after"],
)
def urgent_data_in_line_is_normal(ws: Target) -> None:
    """With SO_OOBINLINE urgent data is POLLRDNORM and not POLLRDBAND; received, it is neither."""
    with ws.connected_pair() as (client, server):
        ws.setsockopt(client, SOL_SOCKET, SO_OOBINLINE, 1)
        ws.send(server, b"!", MSG_OOB)
        expect("readable", expected=(1, [POLLRDNORM]), actual=ws.WSAPoll([(client, POLLIN)], LONG_MS))
        expect("with room", expected=(1, [POLLRDNORM | POLLWRNORM]), actual=ws.WSAPoll([(client, ALL)], 0))
        ws.recv(client, bytearray(1))
        expect("afterwards", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(client, ALL)], 0))


@case(
    "waiting.poll.shutdown-receive",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.51"],
    behaviours=["wsapoll-peer-shutdown-receive"],
)
def shutdown_for_receiving_changes_nothing(ws: Target) -> None:
    """shutdown(SD_RECEIVE) changes nothing at either end."""
    with ws.connected_pair() as (client, server):
        ws.shutdown(server, SD_RECEIVE)
        for s in (client, server):
            expect("result", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(s, ALL)], 0))


@case(
    "waiting.poll.shutdown-send",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.51"],
    behaviours=["wsapoll-peer-shutdown-send"],
)
def end_of_a_stream_hangs_up(ws: Target) -> None:
    """The peer's shutdown(SD_SEND) is POLLHUP, asked or not, and no POLLRDNORM; the peer itself sees no change."""
    with ws.connected_pair() as (client, server):
        ws.shutdown(server, SD_SEND)
        expect("unasked", expected=(1, [POLLHUP]), actual=ws.WSAPoll([(client, 0)], LONG_MS))
        expect("all", expected=(1, [POLLWRNORM | POLLHUP]), actual=ws.WSAPoll([(client, ALL)], 0))
        expect("the other end", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(server, ALL)], 0))


@case(
    "waiting.poll.peer-closes",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.51"],
    behaviours=["wsapoll-peer-close"],
)
def closing_hangs_up(ws: Target) -> None:
    """The peer's closesocket is POLLHUP, asked or not, beside POLLWRNORM."""
    with ws.connected_pair() as (client, server):
        ws.closesocket(server)
        expect("unasked", expected=(1, [POLLHUP]), actual=ws.WSAPoll([(client, 0)], LONG_MS))
        expect("all", expected=(1, [POLLWRNORM | POLLHUP]), actual=ws.WSAPoll([(client, ALL)], 0))


@case(
    "waiting.poll.data-before-the-end",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.51"],
    behaviours=["wsapoll-shutdown-with-data"],
)
def data_and_the_end_are_told_together(ws: Target) -> None:
    """Five bytes and the end of the stream: POLLRDNORM and POLLHUP together until the bytes have been received."""
    with ws.connected_pair() as (client, server):
        ws.send(server, b"12345")
        ws.shutdown(server, SD_SEND)
        ws.until("the end arrives", lambda: ws.WSAPoll([(client, 0)], 0)[0])
        both = POLLRDNORM | POLLWRNORM | POLLHUP
        expect("before", expected=(1, [both]), actual=ws.WSAPoll([(client, ALL)], 0))
        expect("bytes", expected=b"12345", actual=ws.receive_exactly(client, 5))
        expect("afterwards", expected=(1, [POLLWRNORM | POLLHUP]), actual=ws.WSAPoll([(client, ALL)], 0))


@case(
    "waiting.poll.reset",
    chapter=CHAPTER,
    source=POLL,
    basis="documented",
    requirements=["R3.51"],
)
def reset_is_an_error_and_a_hang_up(ws: Target) -> None:
    """A connection that the peer resets is POLLERR and POLLHUP, asked or not."""
    with ws.connected_pair() as (client, server):
        ws.reset(server)
        for _ in range(2):
            expect("unasked", expected=(1, [POLLERR | POLLHUP]), actual=ws.WSAPoll([(client, 0)], LONG_MS))


@case(
    "waiting.poll.connects",
    chapter=CHAPTER,
    source=POLL,
    basis="documented",
    requirements=["R3.51"],
)
def connect_that_succeeds_is_writable_for_poll(ws: Target) -> None:
    """A non-blocking connect that succeeds is POLLWRNORM."""
    with ws.listener() as listener, ws.closing(ws.tcp()) as client:
        ws.nonblocking(client)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(client, ws.getsockname(listener))
        expect("result", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(client, ALL)], LONG_MS))


@case(
    "waiting.poll.refused",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.52", "A61"],
    behaviours=["wsapoll-refused", "wsapoll-refused-so-error"],
)
def failed_connect_shows_all_signs(ws: Target) -> None:
    """A non-blocking connect that is refused is POLLWRNORM, POLLHUP and POLLERR, also after SO_ERROR was read twice."""
    signs = POLLWRNORM | POLLHUP | POLLERR
    with ws.closing(ws.tcp()) as s:
        start_refused_connect(ws, s)
        count, revents = ws.WSAPoll([(s, ALL)], 10_000)
        old = {(0, 0): "versions before Windows 10 wait until the time is over"}
        variant("result", expected=(1, signs), allowed=old, actual=(count, revents[0]))
        for _ in range(2):
            expect("SO_ERROR", expected=WSAECONNREFUSED, actual=ws.pending_error(s))
        count, revents = ws.WSAPoll([(s, ALL)], 0)
        variant("afterwards", expected=(1, signs), allowed=old, actual=(count, revents[0]))


@case(
    "waiting.poll.refused-before",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.52"],
    behaviours=["wsapoll-sync-refused"],
)
def failed_blocking_connect_shows_them_too(ws: Target) -> None:
    """After a blocking connect that was refused the same signs are there, while SO_ERROR is 0."""
    with ws.closing(ws.tcp()) as s:
        with fails_with(WSAECONNREFUSED):
            ws.connect(s, ws.dead_address())
        count, revents = ws.WSAPoll([(s, ALL)], 0)
        old = {(0, 0): "versions before Windows 10"}
        variant("result", expected=(1, POLLWRNORM | POLLHUP | POLLERR), allowed=old, actual=(count, revents[0]))
        expect("SO_ERROR", expected=0, actual=ws.pending_error(s))


@case(
    "waiting.poll.datagrams",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    requirements=["R3.51"],
    behaviours=["wsapoll-udp"],
)
def datagram_sockets_poll(ws: Target) -> None:
    """A UDP socket is POLLWRNORM, bound or not, and POLLRDNORM as well when a datagram waits."""
    with ws.closing(ws.udp(), ws.udp()) as (unbound, bound):
        expect("unbound", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(unbound, ALL)], 0))
        ws.bind(bound, loopback())
        expect("bound", expected=(1, [POLLWRNORM]), actual=ws.WSAPoll([(bound, ALL)], 0))
        ws.sendto(unbound, b"x", 0, ws.getsockname(bound))
        ws.wait_readable(bound)
        expect("datagram", expected=(1, [POLLRDNORM | POLLWRNORM]), actual=ws.WSAPoll([(bound, ALL)], 0))


# ---- WSAPoll: the list, and time -------------------------------------------------------------------------------------


@case(
    "waiting.poll.listed-twice",
    chapter=CHAPTER,
    source=f"{POLL}, return value",
    basis="documented",
    requirements=["R3.51"],
)
def each_entry_is_told_what_it_asks_for(ws: Target) -> None:
    """A socket that is listed three times: each entry gets its own bits, and those with bits count."""
    with ws.udp_pair() as (a, b):
        ws.send(a, b"x")
        ws.wait_readable(b)
        entries = [(b, POLLRDNORM), (b, POLLWRNORM), (b, POLLRDBAND)]
        expect("result", expected=(2, [POLLRDNORM, POLLWRNORM, 0]), actual=ws.WSAPoll(entries, 0))


@case(
    "waiting.poll.closed-meanwhile",
    chapter=CHAPTER,
    source=f"{POLL}; {POLL_TEST}",
    basis="documented",
    requirements=["R3.51"],
    behaviours=["wsapoll-close-while-polling"],
)
def poll_tells_of_a_socket_closed_meanwhile(ws: Target) -> None:
    """A WSAPoll that waits returns 1 and POLLNVAL when another thread closes the socket."""
    with ws.udp_pair() as (a, _), ws.thread() as other:
        pending = other.start(ws.WSAPoll, [(a, POLLIN)], LONG_MS)
        expect_true("WSAPoll waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(a)
        expect("result", expected=(1, [POLLNVAL]), actual=pending.result())


@case(
    "waiting.poll.waits-{row}",
    chapter=CHAPTER,
    source=f"{POLL}, parameter timeout",
    basis="documented",
    requirements=["R3.51"],
    rows={"for-ever": Row(-1), "for-ever-2": Row(-1000), "for-its-time": Row(LONG_MS)},
)
def poll_waits_until_a_socket_is_ready(ws: Target, timeout: int) -> None:
    """With a negative time, or enough of it, WSAPoll waits until a condition is met."""
    with ws.udp_pair() as (a, b), ws.thread() as other:
        pending = other.start(ws.WSAPoll, [(a, POLLIN), (b, POLLIN)], timeout)
        expect_true("WSAPoll waits", not pending.finished_within(A_MOMENT))
        ws.send(a, b"x")
        expect("result", expected=(1, [0, POLLRDNORM]), actual=pending.result())


@case(
    "waiting.poll.time-passes",
    chapter=CHAPTER,
    source=f"{POLL}, parameter timeout",
    basis="documented",
    requirements=["R3.51"],
)
def poll_ends_when_its_time_has_passed(ws: Target) -> None:
    """A WSAPoll for 100 milliseconds, with nothing ready, takes about that long and returns 0."""
    with ws.udp_pair() as (_, b):
        began = time.monotonic()
        expect("result", expected=(0, [0]), actual=ws.WSAPoll([(b, POLLIN)], 100))
        took = time.monotonic() - began
    expect_true("it took its time", 0.08 <= took < 4, actual=took)


@case(
    "waiting.poll.exported",
    chapter=CHAPTER,
    source="winsock/provider-specific-extension-mechanism-2",
    basis="documented",
    requirements=["R9.18"],
    needs_c=True,
)
def poll_is_an_export_of_the_dll(ws: Target) -> None:
    """WSAPoll is found in the DLL itself, as WSASendMsg is."""
    for name in ("WSAPoll", "WSASendMsg"):
        expect_true(f"{name} is exported", ws.c.address_of(name))


# ---- the request under both ------------------------------------------------------------------------------------------

IOCTL_AFD_POLL = 0x00012024
AFD_READ, AFD_OOB, AFD_WRITE, AFD_HUP, AFD_RESET = 0x1, 0x2, 0x4, 0x8, 0x10
AFD_CLOSE, AFD_CONNECT, AFD_ACCEPT, AFD_CONNECT_ERR = 0x20, 0x40, 0x80, 0x100
EVERYTHING = 0x1FF
STATUS_PENDING, STATUS_CONNECTION_REFUSED = 0x103, 0xC0000236
AT_ONCE, FOR_EVER = 0, -0x8000_0000_0000_0000
WAIT_MS = 1000


class AfdPoll:
    """One poll request that a program sends to afd.sys by itself."""

    def __init__(
        self, ws: Target, carrier: int, sockets: Sequence[tuple[int, int]], timeout: int, *, exclusive: bool = False
    ) -> None:
        self._ws = ws
        entries = b"".join(s.to_bytes(8, "little") + flags.to_bytes(4, "little") + bytes(4) for s, flags in sockets)
        head = timeout.to_bytes(8, "little", signed=True) + len(sockets).to_bytes(4, "little")
        given = ws.c.new(head + bytes([exclusive, 0, 0, 0]) + entries)
        self._out = ws.c.new(16 + 16 * len(sockets))
        self._block = ws.c.new(16)  # IO_STATUS_BLOCK
        self._event = ws.c.check("kernel32.CreateEventW", 0, 1, 0, 0, returns="pointer")
        buffers = (given.address, given.size, self._out.address, self._out.size)
        function, given_handle = "ntdll.NtDeviceIoControlFile", (carrier, self._event, 0, 0, self._block.address)
        status = ws.c.call(function, *given_handle, IOCTL_AFD_POLL, *buffers, returns="u32")
        #: The request has not ended at once.
        self.pended = status == STATUS_PENDING
        expect("status", expected=STATUS_PENDING if self.pended else 0, actual=status)

    def finished(self, within_ms: int = 0) -> bool:
        """Return whether the request ends within this time."""
        return not self._ws.c.call("kernel32.WaitForSingleObject", self._event, within_ms, returns="wait")

    def result(self) -> list[tuple[int, int, int]]:
        """Wait for the end, and return (socket, flags, status) of each entry."""
        expect_true("the request ends", self.finished(WAIT_MS))
        self._ws.c.check("kernel32.CloseHandle", self._event, returns="bool")
        count = self._out.number(4, 8)
        places = range(16, 16 + 16 * count, 16)
        return [(self._out.number(8, at), self._out.number(4, at + 8), self._out.number(4, at + 12)) for at in places]


def about_the_request(name: str, behaviour: str, test: str = "test_poll") -> Callable[[Callable[[Target], None]], Case]:
    """Declare a case about the poll request."""
    return case(
        f"waiting.request.{name}",
        chapter=CHAPTER,
        source=AFD_TEST.format(test),
        basis="observed",
        behaviours=[behaviour],
        needs_c=True,
    )


@about_the_request("zero-time", "afd-poll-zero-timeout")
def request_without_time_ends_at_once(ws: Target) -> None:
    """With a time of 0 and nothing ready the request ends at once, without entries."""
    with ws.listener() as listener:
        request = AfdPoll(ws, listener, [(listener, EVERYTHING)], AT_ONCE)
        expect_true("it has not pended", not request.pended)
        expect("entries", expected=[], actual=request.result())


@about_the_request("any-handle", "afd-poll-any-handle")
def request_may_be_about_other_sockets(ws: Target) -> None:
    """A request through one socket may be about others; only those that are ready are in the output, in their order."""
    with ws.udp_pair() as (a, b), ws.listener() as listener:
        sockets = [(b, AFD_WRITE), (listener, EVERYTHING), (a, AFD_WRITE)]
        request = AfdPoll(ws, listener, sockets, AT_ONCE)
        expect("entries", expected=[(b, AFD_WRITE, 0), (a, AFD_WRITE, 0)], actual=request.result())


@about_the_request("connect-and-write", "afd-poll-connect-and-write")
def connect_and_write_are_told_together(ws: Target) -> None:
    """A request that waits before the connect tells both that it has succeeded and that there is room to write."""
    with ws.listener() as listener, ws.closing(ws.tcp()) as s:
        request = AfdPoll(ws, s, [(s, EVERYTHING)], FOR_EVER)
        expect_true("it pends", request.pended)
        ws.connect(s, ws.getsockname(listener))
        expect("entries", expected=[(s, AFD_CONNECT | AFD_WRITE, 0)], actual=request.result())


@about_the_request("data-and-end", "afd-poll-shutdown-data")
def data_and_end_are_in_one_entry(ws: Target) -> None:
    """Data with the end of the stream behind it: READ, WRITE, CONNECT and HUP at once."""
    with ws.connected_pair() as (client, server):
        ws.send(server, b"12345")
        ws.shutdown(server, SD_SEND)
        ws.until("the end arrives", lambda: ws.WSAPoll([(client, 0)], 0)[0])
        request = AfdPoll(ws, client, [(client, EVERYTHING)], AT_ONCE)
        flags = AFD_READ | AFD_WRITE | AFD_CONNECT | AFD_HUP
        expect("entries", expected=[(client, flags, 0)], actual=request.result())


@about_the_request("closed", "afd-poll-close-reported")
def closing_is_told_unasked(ws: Target) -> None:
    """A socket that is closed meanwhile has CLOSE, although it was not asked for."""
    with ws.udp_pair() as (a, b):
        request = AfdPoll(ws, a, [(b, AFD_READ)], FOR_EVER)
        expect_true("it pends", request.pended)
        ws.closesocket(b)
        expect("entries", expected=[(b, AFD_CLOSE, 0)], actual=request.result())


@about_the_request("carrier-closed", "afd-poll-close-carrier")
def request_outlives_its_handle(ws: Target) -> None:
    """Closing the socket that carries a request about another one does not end it: its time does, without entries."""
    with ws.udp_pair() as (a, b):
        request = AfdPoll(ws, a, [(b, AFD_READ)], -2_000_000)
        expect_true("it pends", request.pended)
        ws.closesocket(a)
        expect_true("it goes on", not request.finished())
        expect("entries", expected=[], actual=request.result())


@about_the_request("refused", "afd-poll-refused")
def failed_connect_is_told_again_and_again(ws: Target) -> None:
    """A connect that is refused is CONNECT_ERR with its reason and nothing else, in every later request as well."""
    with ws.closing(ws.tcp(), ws.tcp()) as (s, blocking):
        start_refused_connect(ws, s)
        ws.select(None, None, [s], LONG)
        with fails_with(WSAECONNREFUSED):
            ws.connect(blocking, ws.dead_address())
        for one in (s, s, blocking):
            request = AfdPoll(ws, one, [(one, EVERYTHING)], AT_ONCE)
            expected = [(one, AFD_CONNECT_ERR, STATUS_CONNECTION_REFUSED)]
            expect("entries", expected=expected, actual=request.result())


@about_the_request("pending-receive", "afd-poll-pending-recv")
def pending_receive_comes_first(ws: Target) -> None:
    """A byte goes to the receive that waits; a request for READ waits on until the next one."""
    with ws.udp_pair() as (a, b):
        room, flags = ws.c.new(4), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=4, buf=room.address))
        overlapped = ws.c.new(32)
        with fails_with(WSA_IO_PENDING):
            ws.c.check("WSARecv", b, array.address, 1, 0, flags.address, overlapped.address, 0)
        request = AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER)
        ws.send(a, b"1")
        ws.until("the receive ends", lambda: overlapped.number(8) != STATUS_PENDING)
        expect_true("the request waits on", not request.finished())
        ws.send(a, b"2")
        expect("entries", expected=[(b, AFD_READ, 0)], actual=request.result())


@about_the_request("listed-twice", "afd-poll-same-socket-twice")
def each_listing_has_an_entry_only_at_once(ws: Target) -> None:
    """A socket that is listed twice has two entries when it is ready at once, and one when the request has waited."""
    with ws.udp_pair() as (a, b):
        twice = [(b, AFD_READ), (b, AFD_READ)]
        request = AfdPoll(ws, b, twice, FOR_EVER)
        expect_true("it pends", request.pended)
        ws.send(a, b"x")
        expect("afterwards", expected=[(b, AFD_READ, 0)], actual=request.result())
        request = AfdPoll(ws, b, twice, AT_ONCE)
        expect("at once", expected=[(b, AFD_READ, 0)] * 2, actual=request.result())


@about_the_request("datagram-connect", "afd-poll-udp-connect")
def connect_of_a_datagram_socket_is_told(ws: Target) -> None:
    """A request for CONNECT on a UDP socket ends with its connect."""
    with ws.udp_pair(connected=False) as (a, b):
        request = AfdPoll(ws, a, [(a, AFD_CONNECT)], FOR_EVER)
        expect_true("it pends", request.pended)
        ws.connect(a, ws.getsockname(b))
        expect("entries", expected=[(a, AFD_CONNECT, 0)], actual=request.result())


@about_the_request("exclusive", "afd-exclusive", "test_poll_exclusive")
def exclusive_request_ends_the_one_before(ws: Target) -> None:
    """Of two exclusive requests about a socket the second ends the first, successfully and without entries."""
    with ws.udp_pair() as (a, b):
        first = AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER, exclusive=True)
        second = AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER, exclusive=True)
        expect("the first", expected=[], actual=first.result())
        expect_true("the second waits on", not second.finished())
        ws.send(a, b"x")
        expect("entries", expected=[(b, AFD_READ, 0)], actual=second.result())


@about_the_request("exclusive-after-shared", "afd-exclusive", "test_poll_exclusive")
def request_that_came_first_protects_the_others(ws: Target) -> None:
    """While a request that is not exclusive, and came first, waits for a socket, exclusive ones end each other not."""
    with ws.udp_pair() as (a, b):
        requests = [AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER, exclusive=exclusive) for exclusive in (False, True, True)]
        expect_true("all wait", not any(request.finished() for request in requests))
        ws.send(a, b"x")
        for request in requests:
            expect("entries", expected=[(b, AFD_READ, 0)], actual=request.result())


@about_the_request("exclusive-after-cancelled", "afd-exclusive", "test_poll_exclusive")
def next_request_takes_the_place_of_the_first(ws: Target) -> None:
    """When the request that came first has been cancelled the next new one has its place; those between are safe."""
    with ws.udp_pair() as (a, b):
        shared = AfdPoll(ws, a, [(b, AFD_READ)], FOR_EVER)
        between = AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER, exclusive=True)
        ws.c.check("kernel32.CancelIo", a, returns="bool")
        expect_true("the first is cancelled", shared.finished(WAIT_MS))
        first = AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER, exclusive=True)
        second = AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER, exclusive=True)
        expect("the next one", expected=[], actual=first.result())
        expect_true("the others wait on", not between.finished() and not second.finished())


@about_the_request("exclusive-other-socket", "afd-exclusive", "test_poll_exclusive")
def exclusive_requests_about_other_sockets_are_left_alone(ws: Target) -> None:
    """An exclusive request ends none that is about another socket, also when both were made on one handle."""
    with ws.udp_pair() as (a, b):
        about_a = AfdPoll(ws, b, [(a, AFD_READ)], FOR_EVER, exclusive=True)
        about_b = AfdPoll(ws, b, [(b, AFD_READ)], FOR_EVER, exclusive=True)
        expect_true("both wait", not about_a.finished() and not about_b.finished())
        for request, s, other in ((about_a, a, b), (about_b, b, a)):
            ws.send(other, b"x")
            expect("entries", expected=[(s, AFD_READ, 0)], actual=request.result())
