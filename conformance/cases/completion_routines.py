"""Completion routines: in which thread they run and when, what they are told, and what they may do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..addresses import loopback
from ..constants import (
    ERROR_IO_PENDING,
    FIONBIO,
    FIONREAD,
    IP_PKTINFO,
    IPPROTO_IP,
    MSG_CTRUNC,
    SIO_ADDRESS_LIST_QUERY,
    SIO_BASE_HANDLE,
    SIO_FLUSH,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_ROUTING_INTERFACE_QUERY,
    SIOCATMARK,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WAIT_IO_COMPLETION,
    WAIT_OBJECT_0,
    WAIT_TIMEOUT,
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
    WSA_WAIT_IO_COMPLETION,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINPROGRESS,
    WSAEMSGSIZE,
    WSAEOPNOTSUPP,
    WSAID_ACCEPTEX,
)
from ..model import Row, case
from ..target import PENDING, Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Completion routines"
WSARECV = "winsock2/nf-winsock2-wsarecv, completion routines"
OVERVIEW = "WinSock/overlapped-i-o-and-event-objects-2"
INDICATIONS = "WinSock/receiving-completion-indications-2"
RECV_TEST = "Wine's public test sock.c:test_WSARecv, which passes on Windows"
IOCTL_TEST = "Wine's public test sock.c:test_ioctl (its parts), which pass on Windows"
MESSAGE_TEST = "Wine's public test sock.c:test_WSARecvMsg, which passes on Windows"
FIOASYNC = 0x8004667D
LONG_MS = 5000
A_MOMENT_MS = 50


class Told:
    """What a completion routine was called with, and where."""

    def __init__(self, ws: Target, *, then: Callable[[], object] | None = None) -> None:
        self.ws = ws
        self.then = then
        self.calls: list[tuple[int, int, Any, int]] = []
        self.threads: list[int] = []

    def __call__(self, error: int, moved: int, record: Any, flags: int) -> None:
        self.calls.append((error, moved, record, flags))
        self.threads.append(self.ws.GetCurrentThreadId())
        if self.then is not None:
            self.then()


def receive(ws: Target, s: int, told: Callable[..., object], buffer: bytearray | None = None) -> Any:
    """A receive with a routine that pends; its record."""
    record = ws.overlapped()
    got = ws.WSARecv(s, [bytearray(8) if buffer is None else buffer], 0, record, told)
    expect("result", expected=PENDING, actual=got)
    return record


@case(
    "routines.receive.once",
    chapter=CHAPTER,
    source=f"{WSARECV}; {RECV_TEST}",
    basis="documented",
    behaviours=["wsarecv-routine"],
    requirements=["T6.1", "R6.30", "R6.31"],
)
def a_routine_is_called_once_in_an_alertable_wait(ws: Target) -> None:
    """A receive pends; after data SleepEx ends by the routine, which has everything; hEvent is left alone."""
    event = ws.WSACreateEvent()
    with ws.connected_pair() as (client, server):
        told, buffer = Told(ws), bytearray(8)
        record = ws.overlapped(event)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [buffer], 0, record, told))
        ws.send(client, b"data")
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        expect("calls", expected=[(0, 4, record, 0)], actual=told.calls)
        expect("thread", expected=[ws.GetCurrentThreadId()], actual=told.threads)
        expect("buffer", expected=b"data", actual=bytes(buffer[:4]))
        expect("record", expected=(STATUS_SUCCESS, 4), actual=(record.Internal, record.InternalHigh))
        expect("event", expected=WAIT_TIMEOUT, actual=ws.WaitForSingleObject(event, 0))
        expect("another wait", expected=0, actual=ws.SleepEx(0, True))
    ws.WSACloseEvent(event)


@case(
    "routines.receive.at-once",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="documented",
    requirements=["R6.10", "R6.30", "R6.31"],
)
def a_request_that_completes_at_once_calls_its_routine_later(ws: Target) -> None:
    """WSASend returns its count; the routine waits for the thread's next alertable wait, and is told no flags."""
    with ws.connected_pair() as (client, server):
        told = Told(ws)
        record = ws.overlapped()
        expect("result", expected=4, actual=ws.WSASend(client, [b"data"], 0, record, told))
        expect("calls yet", expected=[], actual=told.calls)
        expect("wait, not alertable", expected=0, actual=ws.SleepEx(0, False))
        expect("calls yet", expected=[], actual=told.calls)
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(0, True))
        expect("calls", expected=[(0, 4, record, 0)], actual=told.calls)
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))


@case(
    "routines.receive.event-is-the-programs",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsarecv: hEvent",
    basis="documented",
    requirements=["T6.1"],
)
def h_event_is_free_for_the_program(ws: Target) -> None:
    """With a routine hEvent may be any number; the request begins, and it is left alone."""
    with ws.connected_pair() as (client, server):
        told = Told(ws)
        record = ws.overlapped(0x12345678)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record, told))
        ws.send(client, b"data")
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        expect("calls", expected=[(0, 4, record, 0)], actual=told.calls)
        expect("hEvent", expected=0x12345678, actual=record.hEvent)


@case(
    "routines.failure.{row}",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.30", "R6.55"],
    rows={
        "reset": Row("reset", WSAECONNRESET, 0),
        "end": Row("end", 0, 0),
        "closed": Row("close", WSA_OPERATION_ABORTED, 0, requirements=["R6.48", "R6.49"]),
        "cancelled": Row("cancel", WSA_OPERATION_ABORTED, 0, requirements=["R6.51"]),
    },
)
def a_routine_is_told_the_winsock_code(ws: Target, what: str, code: int, moved: int) -> None:
    """A reset, the end of the stream, closesocket and CancelIoEx, as the routine is told of them."""
    with ws.connected_pair() as (client, server):
        told = Told(ws)
        record = receive(ws, server, told)
        if what == "reset":
            ws.reset(client)
        elif what == "end":
            ws.closesocket(client)
        elif what == "close":
            ws.closesocket(server)
        else:
            ws.CancelIoEx(server, record)
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        expect("calls", expected=[(code, moved, record, 0)], actual=told.calls)


@case(
    "routines.thread.its-own",
    chapter=CHAPTER,
    source=INDICATIONS,
    basis="documented",
    requirements=["R6.31"],
)
def a_routine_runs_in_the_thread_that_began_the_request(ws: Target) -> None:
    """Another thread waits alertably while the data comes: nothing runs there; the routine waits for its own thread."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        told = Told(ws)
        record = receive(ws, server, told)
        ws.send(client, b"data")
        expect("wait of the other", expected=0, actual=other.call(ws.SleepEx, A_MOMENT_MS, True))
        expect("calls yet", expected=[], actual=told.calls)
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        expect("calls", expected=[(0, 4, record, 0)], actual=told.calls)
        expect("thread", expected=[ws.GetCurrentThreadId()], actual=told.threads)


@case(
    "routines.wait.{row}",
    chapter=CHAPTER,
    source=f"{WSARECV}; {INDICATIONS}",
    basis="documented",
    requirements=["R6.32", "R6.33"],
    rows={
        "sleep": Row("sleep"),
        "events": Row("events"),
        "one-object": Row("one"),
        "packets": Row("port"),
        "signal-and-wait": Row("signal"),
    },
)
def every_alertable_wait_runs_routines(ws: Target, kind: str) -> None:
    """The wait ends with WAIT_IO_COMPLETION when the routine has run; what it waited for is not consumed."""
    event, set_by_routine = ws.CreateEvent(False, False, False), ws.CreateEvent(False, False, False)
    port = ws.CreateIoCompletionPort((1 << 64) - 1, 0, 0, 0)
    with ws.connected_pair() as (client, server):
        told = Told(ws, then=lambda: ws.WSASetEvent(set_by_routine))
        receive(ws, server, told)
        ws.send(client, b"data")
        if kind == "sleep":
            got = ws.SleepEx(LONG_MS, True)
        elif kind == "events":
            got = ws.WSAWaitForMultipleEvents([event, set_by_routine], False, LONG_MS, True)
        elif kind == "one":
            got = ws.WaitForSingleObjectEx(set_by_routine, LONG_MS, True)
        elif kind == "signal":
            got = ws.SignalObjectAndWait(event, set_by_routine, LONG_MS, True)
        else:
            with fails_with(WAIT_IO_COMPLETION):
                ws.GetQueuedCompletionStatusEx(port, 1, LONG_MS, True)
            got = WAIT_IO_COMPLETION
        expect("wait", expected=WSA_WAIT_IO_COMPLETION, actual=got)
        expect("bytes", expected=[4], actual=[moved for _, moved, _, _ in told.calls])
        expect("event set meanwhile", expected=WAIT_OBJECT_0, actual=ws.WaitForSingleObject(set_by_routine, 0))
    for handle in (event, set_by_routine, port):
        ws.CloseHandle(handle)


@case(
    "routines.wait.all-that-are-queued",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.33", "R6.35", "R6.63"],
)
def one_wait_runs_all_routines(ws: Target) -> None:
    """Three sends have completed: one alertable wait, of no time, runs the three routines, first in first out."""
    order: list[int] = []
    with ws.connected_pair() as (client, _):
        for number in range(3):
            ws.WSASend(client, [b"x"], 0, ws.overlapped(), lambda *told, number=number: order.append(number))
        got = ws.WSAWaitForMultipleEvents([event := ws.WSACreateEvent()], False, 0, True)
        expect("wait", expected=WSA_WAIT_IO_COMPLETION, actual=got)
        ws.WSACloseEvent(event)
    expect("order", expected=[0, 1, 2], actual=order)


@case(
    "routines.blocking.data-there",
    chapter=CHAPTER,
    source=RECV_TEST,
    basis="observed",
    behaviours=["wsarecv-sync-not-alertable"],
    requirements=["R6.32"],
)
def a_receive_that_need_not_wait_runs_no_apc(ws: Target) -> None:
    """An APC is queued and data is there: a synchronous WSARecv returns it; the APC runs at SleepEx."""
    ran: list[int] = []
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        ws.QueueUserAPC(ran.append, ws.GetCurrentThread(), 7)
        expect("bytes", expected=4, actual=ws.WSARecv(server, [bytearray(8)]))
        expect("APCs yet", expected=[], actual=ran)
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(0, True))
        expect("APCs", expected=[7], actual=ran)


@case(
    "routines.blocking.{row}",
    chapter=CHAPTER,
    source=f"{RECV_TEST}; {WSARECV}",
    basis="observed",
    requirements=["R6.32"],
    rows={
        "array": Row("WSARecv", behaviours=["wsarecv-sync-runs-apc-while-blocked"]),
        "recv": Row("recv"),
        "recvfrom": Row("recvfrom"),
        "select": Row("select"),
        "poll": Row("poll"),
        "accept": Row("accept"),
    },
)
def a_blocking_call_runs_apcs_and_goes_on(ws: Target, call: str) -> None:
    """A thread blocks in a call; an APC queued by another thread runs there and sends the data that ends the call."""
    ran: list[int] = []
    with ws.connected_pair() as (client, server), ws.listener() as listening, ws.closing(ws.tcp()) as third:
        address = ws.getsockname(listening)
        handle = ws.DuplicateHandle(ws.GetCurrentProcess(), ws.GetCurrentThread(), ws.GetCurrentProcess())

        def wake(number: int) -> None:
            ran.append(ws.GetCurrentThreadId())
            if call == "accept":
                ws.connect(third, address)
            else:
                ws.send(client, b"data")

        with ws.thread() as other:
            pending = other.start(queue_when_blocked, ws, wake, handle)
            buffer = bytearray(8)
            if call == "select":
                result: Any = ws.select([server], None, None, (5, 0))[0] == [server]
            elif call == "poll":
                result = ws.WSAPoll([(server, 0x100)], LONG_MS) == (1, [0x100])
            elif call == "accept":
                accepted, _ = ws.accept(listening)
                ws.closesocket(accepted)
                result = True
            else:
                result = getattr(ws, call)(server, [buffer] if call == "WSARecv" else buffer)
                result = (result[0] if isinstance(result, tuple) else result) == 4
            pending.result()
        expect_true("result of the call", result)
        expect("threads of the APC", expected=[ws.GetCurrentThreadId()], actual=ran)
        ws.CloseHandle(handle)


def queue_when_blocked(ws: Target, routine: Callable[[int], object], thread: int) -> None:
    """Queue an APC a moment from now."""
    ws.SleepEx(A_MOMENT_MS, False)
    ws.QueueUserAPC(routine, thread, 7)


@case(
    "routines.blocking.its-own-routine",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.32", "R6.36"],
)
def a_blocking_receive_runs_the_routine_of_an_overlapped_one(ws: Target) -> None:
    """A receive with a routine pends on one socket, recv blocks on another: the routine runs, and recv goes on."""
    with ws.connected_pair() as (client, server), ws.connected_pair() as (third, fourth), ws.thread() as other:
        told = Told(ws, then=lambda: ws.send(third, b"more"))
        record = receive(ws, server, told)
        other.start(ws.send, client, b"data")
        buffer = bytearray(8)
        expect("recv", expected=4, actual=ws.recv(fourth, buffer))
        expect("calls", expected=[(0, 4, record, 0)], actual=told.calls)


@case(
    "routines.nesting.never",
    chapter=CHAPTER,
    source=f"{OVERVIEW}; {WSARECV}",
    basis="documented",
    requirements=["R6.34"],
)
def routines_of_one_socket_do_not_nest(ws: Target) -> None:
    """A routine waits alertably while another request of its socket completes: that one's routine runs afterwards."""
    order: list[str] = []
    with ws.connected_pair() as (client, server):

        def first(*told: Any) -> None:
            order.append("first begins")
            ws.WSASend(server, [b"x"], 0, ws.overlapped(), second)
            ws.SleepEx(0, True)
            order.append("first ends")

        def second(*told: Any) -> None:
            order.append("second")

        receive(ws, server, first)
        ws.send(client, b"data")
        ws.SleepEx(LONG_MS, True)
        while len(order) < 3 and ws.SleepEx(LONG_MS, True) == WAIT_IO_COMPLETION:
            pass
    expect("order", expected=["first begins", "first ends", "second"], actual=order)


@case(
    "routines.nesting.other-sockets",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="documented",
    requirements=["R6.34"],
)
def routines_of_other_sockets_may_nest(ws: Target) -> None:
    """The rule is for one socket: the routine of another one may run in an alertable wait inside of a routine."""
    order: list[str] = []
    with ws.connected_pair() as (client, server):

        def first(*told: Any) -> None:
            order.append("first begins")
            ws.WSASend(client, [b"x"], 0, ws.overlapped(), lambda *told: order.append("second"))
            ws.SleepEx(0, True)
            order.append("first ends")

        receive(ws, server, first)
        ws.send(client, b"data")
        ws.SleepEx(LONG_MS, True)
    expect("order", expected=["first begins", "second", "first ends"], actual=order)


@case(
    "routines.inside.begins-the-next-request",
    chapter=CHAPTER,
    source=INDICATIONS,
    basis="documented",
    requirements=["R6.36"],
)
def a_routine_may_begin_requests(ws: Target) -> None:
    """Each routine begins the next receive with its own record, and a send: a stream is echoed by routines alone."""
    got = bytearray()
    with ws.connected_pair() as (client, server):
        buffer = bytearray(4)
        record = ws.overlapped()

        def arrived(error: int, moved: int, which: Any, flags: int) -> None:
            ws.result(which)
            data = bytes(buffer[:moved])
            got.extend(data)
            ws.WSASend(server, [data], 0, ws.overlapped(), lambda *told: None)
            if len(got) < 12:
                ws.WSARecv(server, [buffer], 0, which, arrived)

        expect("result", expected=PENDING, actual=ws.WSARecv(server, [buffer], 0, record, arrived))
        ws.send(client, b"0123456789ab")
        while len(got) < 12:
            expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        ws.SleepEx(0, True)
        expect("data", expected=b"0123456789ab", actual=bytes(got))
        expect("echo", expected=b"0123456789ab", actual=ws.receive_exactly(client, 12))


@case(
    "routines.cleanup.never-run",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsacleanup",
    basis="documented",
    requirements=["R1.18"],
    manages_startup=True,
)
def the_last_cleanup_runs_no_routine(ws: Target) -> None:
    """A receive with a routine pends at the last WSACleanup: the routine is never called."""
    ws.WSAStartup(0x0202)
    s = ws.udp()
    ws.bind(s, loopback())
    told = Told(ws)
    record = receive(ws, s, told)
    expect("Internal", expected=STATUS_PENDING, actual=record.Internal)
    ws.WSACleanup()
    expect("wait", expected=0, actual=ws.SleepEx(A_MOMENT_MS, True))
    expect("calls", expected=[], actual=told.calls)


@case(
    "routines.message.short-control",
    chapter=CHAPTER,
    source=MESSAGE_TEST,
    basis="observed",
    behaviours=["recvmsg-short-control-apc"],
    requirements=["R6.7", "R6.30"],
)
def a_message_that_is_cut_is_told_to_its_routine(ws: Target) -> None:
    """The datagram is there, with too little room for control data: the call pends, the routine gets WSAEMSGSIZE."""
    with ws.udp_pair(connected=False) as (a, b):
        ws.setsockopt(b, IPPROTO_IP, IP_PKTINFO, 1)
        ws.sendto(a, b"datagram", 0, ws.getsockname(b))
        ws.wait_readable(b)
        told = Told(ws)
        record = ws.overlapped()
        got = ws.WSARecvMsg(b, [bytearray(16)], 1, None, 0, record, told)
        expect("result", expected=PENDING, actual=got)
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        expect("calls", expected=[(WSAEMSGSIZE, 8, record, 0)], actual=told.calls)
        expect("flags in the header", expected=MSG_CTRUNC, actual=ws.result(record).flags)


# ---- control codes ---------------------------------------------------------------------------------------------------


@case(
    "routines.control.{row}",
    chapter=CHAPTER,
    source=IOCTL_TEST,
    basis="observed",
    requirements=["R6.7", "R6.10", "R6.30"],
    rows={
        "unread-bytes": Row(FIONREAD, None, 4, behaviours=["fionread-apc"]),
        "mark": Row(SIOCATMARK, None, 4, behaviours=["fionread-apc"]),
        "mode": Row(FIONBIO, b"\1\0\0\0", 0, behaviours=["fionbio-apc"]),
        "extension-function": Row(
            SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_ACCEPTEX.bytes_le, 8, behaviours=["extfunc-apc"]
        ),
        "route": Row(SIO_ROUTING_INTERFACE_QUERY, loopback(), 16, behaviours=["routeq-apc"]),
        "addresses": Row(SIO_ADDRESS_LIST_QUERY, None, 1024, behaviours=["addrlist-apc"]),
    },
)
def a_control_code_calls_its_routine_with_no_bytes(ws: Target, code: int, data: bytes | None, room: int) -> None:
    """The call succeeds at once; the routine runs once in the next alertable wait: no error, 0 bytes, no flags."""
    with ws.connected_pair() as (_, s):
        told = Told(ws)
        record = ws.overlapped()
        output = ws.WSAIoctl(s, code, data, room, record, told)
        expect_true("not pending", output is not PENDING)
        expect("calls yet", expected=[], actual=told.calls)
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(0, True))
        expect("calls", expected=[(0, 0, record, 0)], actual=told.calls)
        expect("another wait", expected=0, actual=ws.SleepEx(0, True))


@case(
    "routines.control.unknown-{row}",
    chapter=CHAPTER,
    source=IOCTL_TEST,
    basis="observed",
    behaviours=["badioctl-apc"],
    requirements=["R6.11", "R6.30"],
    rows={
        "deadbeef": Row(0xDEADBEEF),
        "async": Row(FIOASYNC),
        "667e": Row(0x667E),
        "flush": Row(SIO_FLUSH, requirements=["R6.53"]),
        "base-handle": Row(SIO_BASE_HANDLE, behaviours=["basehandle-apc"]),
    },
)
def an_unknown_control_code_is_told_to_its_routine(ws: Target, code: int) -> None:
    """WSA_IO_PENDING, and the routine gets WSAEOPNOTSUPP with 0 bytes."""
    with ws.connected_pair() as (_, s):
        told = Told(ws)
        record = ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSAIoctl(s, code, None, 8, record, told))
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(0, True))
        expect("calls", expected=[(WSAEOPNOTSUPP, 0, record, 0)], actual=told.calls)


@case(
    "routines.control.no-count",
    chapter=CHAPTER,
    source=IOCTL_TEST,
    basis="observed",
    behaviours=["fionread-apc-null-bytes"],
    requirements=["R6.12"],
    needs_c=True,
)
def a_control_code_without_a_byte_count_is_refused(ws: Target) -> None:
    """FIONREAD with a routine and no place for the byte count: WSAEFAULT, and no routine is called."""
    told: list[int] = []
    with ws.connected_pair() as (_, s):
        room = ws.c.new(4)

        def tell(*outcome: int) -> int:
            told.append(1)
            return 0

        routine = ws.c.callback(tell, [4, 4, 8, 4])
        with fails_with(WSAEFAULT):
            ws.c.check("WSAIoctl", s, FIONREAD, 0, 0, room.address, 4, 0, ws.overlapped().address, routine)
        expect("wait", expected=0, actual=ws.SleepEx(0, True))
    expect("calls", expected=[], actual=told)


@case(
    "routines.pending.code",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.11"],
    needs_c=True,
)
def pending_has_one_number_under_two_names(ws: Target) -> None:
    """A receive that pends leaves WSA_IO_PENDING, which is ERROR_IO_PENDING, and no flags."""
    with ws.connected_pair() as (_, server):
        room, flags = ws.c.new(8), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=8, buf=room.address))
        record = ws.overlapped()
        got = ws.c.call("WSARecv", server, array.address, 1, 0, flags.address, record.address, 0)
        expect("result", expected=(-1, WSA_IO_PENDING), actual=(got, ws.c.last_error))
        expect("numbers", expected=ERROR_IO_PENDING, actual=WSA_IO_PENDING)
        expect("flags", expected=0, actual=flags.number())


@case(
    "routines.nesting.blocking-inside-blocking",
    chapter=CHAPTER,
    source=WSARECV,
    basis="choice",
    requirements=["R6.37"],
)
def a_blocking_call_inside_of_an_interrupted_one(ws: Target) -> None:
    """Undefined on Windows: a routine that interrupts recv calls recv itself; it is served, or is WSAEINPROGRESS."""
    outcome: list[object] = []
    with ws.connected_pair() as (client, server), ws.connected_pair() as (third, fourth), ws.thread() as other:

        def inside(*told: Any) -> None:
            other.start(ws.send, third, b"inner")
            buffer = bytearray(8)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)  # where the diagnostic is a warning
                    outcome.append(ws.recv(fourth, buffer))
            except Failed as failure:
                outcome.append(failure.code)
            other.start(ws.send, client, b"outer")

        receive(ws, client, inside)
        other.start(ws.send, server, b"data")
        expect("the outer call", expected=5, actual=ws.recv(server, bytearray(8)))
        expect_true("the inner call", outcome in ([5], [WSAEINPROGRESS]), actual=outcome)


@case(
    "routines.exceptions.lose-no-other-routine",
    chapter=CHAPTER,
    source="the mapping to Python",
    basis="choice",
    requirements=["R6.39"],
)
def an_exception_loses_no_other_routine(ws: Target) -> None:
    """A Python routine raises: the others that are queued run all the same, and the exception ends the wait."""
    if ws.has_c:
        not_applicable("no exception passes through C")
    told = Told(ws)
    with ws.connected_pair() as (client, _):

        def bad(*outcome: Any) -> None:
            raise ZeroDivisionError

        for routine in (told, bad, told):
            ws.WSASend(client, [b"x"], 0, ws.overlapped(), routine)
        raised: list[BaseException] = []
        try:
            ws.SleepEx(0, True)
        except ZeroDivisionError as error:
            raised.append(error)
        expect("exceptions", expected=1, actual=len(raised))
        expect("calls", expected=2, actual=len(told.calls))
        expect("another wait", expected=0, actual=ws.SleepEx(0, True))
