"""Events and waits: event objects, waiting for them alone and together, APCs, completion ports without files."""

from __future__ import annotations

from ..constants import (
    ERROR_ABANDONED_WAIT_0,
    ERROR_ALREADY_EXISTS,
    ERROR_FILE_NOT_FOUND,
    INFINITE,
    WAIT_IO_COMPLETION,
    WAIT_OBJECT_0,
    WAIT_TIMEOUT,
    WSA_INVALID_HANDLE,
    WSA_INVALID_PARAMETER,
    WSA_WAIT_IO_COMPLETION,
    WSA_WAIT_TIMEOUT,
    WSAEFAULT,
    WSANOTINITIALISED,
)
from ..model import Row, case
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Events and waits"
EVENTS = "WinSock/event-objects-2"
WAIT = "winsock2/nf-winsock2-wsawaitformultipleevents"
SYNC_TEST = "Wine's public test kernel32/sync.c, which passes on Windows"
PORT_TEST = "Wine's public test kernel32/file.c:test_post_completion, which passes on Windows"
NO_FILE = 0xFFFFFFFFFFFFFFFF
LONG_MS = 20_000
UNTOUCHED = 12345
CLOSED = 0x7FFFFFF0


def auto(ws: Target, signalled: bool = False) -> int:
    return ws.CreateEvent(False, False, signalled)


def manual(ws: Target, signalled: bool = False) -> int:
    return ws.CreateEvent(False, True, signalled)


def new_port(ws: Target, key: int = 0) -> int:
    return ws.CreateIoCompletionPort(NO_FILE, 0, key, 0)


# ---- Winsock's events ------------------------------------------------------------------------------------------------


@case(
    "kernel.event.manual-reset-and-clear",
    chapter=CHAPTER,
    source=EVENTS,
    basis="documented",
    requirements=["R6.57", "R6.58", "R6.59", "R6.65", "B30"],
)
def a_new_event_is_clear_and_stays_set_until_reset(ws: Target) -> None:
    """WSACreateEvent's event is not signalled; once set it satisfies any number of waits until it is reset."""
    event = ws.WSACreateEvent()
    before = ws.WSAWaitForMultipleEvents([event], False, 0)
    ws.WSASetEvent(event)
    ws.WSASetEvent(event)
    during = [ws.WaitForSingleObject(event, 0), ws.WSAWaitForMultipleEvents([event], False, 0)]
    ws.WSAResetEvent(event)
    after = ws.WSAWaitForMultipleEvents([event], False, 0)
    ws.WSACloseEvent(event)

    expect("waits", expected=(WSA_WAIT_TIMEOUT, [0, 0], WSA_WAIT_TIMEOUT), actual=(before, during, after))


@case(
    "kernel.event.invalid-handle-{row}",
    chapter=CHAPTER,
    source=EVENTS,
    basis="documented",
    requirements=["R6.58", "B30"],
    rows={"set": Row("WSASetEvent"), "reset": Row("WSAResetEvent"), "close": Row("WSACloseEvent")},
)
def a_closed_handle_is_no_event(ws: Target, function: str) -> None:
    """A handle that has been closed gives WSA_INVALID_HANDLE."""
    event = ws.WSACreateEvent()
    ws.WSACloseEvent(event)
    with fails_with(WSA_INVALID_HANDLE):
        getattr(ws, function)(event)


@case(
    "kernel.event.needs-startup",
    chapter=CHAPTER,
    source=EVENTS,
    basis="documented",
    requirements=["R6.57", "B30", "B31"],
    manages_startup=True,
)
def events_need_a_startup(ws: Target) -> None:
    """Before WSAStartup neither WSACreateEvent nor a wait works."""
    with fails_with(WSANOTINITIALISED):
        ws.WSACreateEvent()
    with fails_with(WSANOTINITIALISED):
        ws.WSAWaitForMultipleEvents([CLOSED], False, 0)


@case(
    "kernel.wait.group-limits-{row}",
    chapter=CHAPTER,
    source=WAIT,
    basis="documented",
    requirements=["R6.60", "B31"],
    rows={"none": Row(0, False), "65": Row(65, False), "twice-in-all": Row(2, True, requirements=["R6.62"])},
)
def a_group_has_1_to_64_events(ws: Target, count: int, wait_all: bool) -> None:
    """No event, 65, or the same event twice in a wait for all: WSA_INVALID_PARAMETER."""
    event = ws.WSACreateEvent()
    with fails_with(WSA_INVALID_PARAMETER):
        ws.WSAWaitForMultipleEvents([event] * count, wait_all, 0)
    ws.WSACloseEvent(event)


@case(
    "kernel.wait.bad-handle",
    chapter=CHAPTER,
    source=WAIT,
    basis="documented",
    requirements=["R6.60", "B31"],
)
def a_bad_handle_in_a_group_is_refused(ws: Target) -> None:
    """One handle of the array leads nowhere: WSA_INVALID_HANDLE; no array at all is an error, too."""
    event = ws.WSACreateEvent()
    with fails_with(WSA_INVALID_HANDLE):
        ws.WSAWaitForMultipleEvents([event, CLOSED], False, 0)
    with fails_with(WSAEFAULT, variants={WSA_INVALID_PARAMETER: "table B31"}):
        ws.WSAWaitForMultipleEvents(None, False, 0)
    ws.WSACloseEvent(event)


@case(
    "kernel.wait.any-and-all",
    chapter=CHAPTER,
    source=WAIT,
    basis="documented",
    requirements=["R6.59", "R6.61"],
)
def any_gives_the_lowest_index_and_all_waits_for_all(ws: Target) -> None:
    """Two of three auto-reset events are set: any takes the lower one; all takes none before all are set."""
    events = [auto(ws) for _ in range(3)]
    ws.WSASetEvent(events[2])
    ws.WSASetEvent(events[1])
    every = ws.WSAWaitForMultipleEvents(events, True, 0)
    first = ws.WSAWaitForMultipleEvents(events, False, 0)
    ws.WSASetEvent(events[0])
    ws.WSASetEvent(events[1])
    complete = ws.WSAWaitForMultipleEvents(events, True, 0)
    rest = ws.WSAWaitForMultipleEvents(events, False, 0)
    for event in events:
        ws.WSACloseEvent(event)

    expect("waits", expected=(WSA_WAIT_TIMEOUT, 1, 0, WSA_WAIT_TIMEOUT), actual=(every, first, complete, rest))


@case(
    "kernel.wait.blocked-until-set",
    chapter=CHAPTER,
    source=WAIT,
    basis="documented",
    requirements=["R6.61"],
)
def a_blocked_wait_ends_when_another_thread_sets_an_event(ws: Target) -> None:
    """A thread waits without limit for any of two events; the second one is set."""
    events = [ws.WSACreateEvent(), ws.WSACreateEvent()]
    with ws.thread() as other:
        pending = other.start(ws.WSAWaitForMultipleEvents, events, False, INFINITE)
        expect_true("the wait blocks", not pending.finished_within(0.05))
        ws.WSASetEvent(events[1])
        expect("result", expected=1, actual=pending.result())
    for event in events:
        ws.WSACloseEvent(event)


# ---- kernel32 --------------------------------------------------------------------------------------------------------


@case(
    "kernel.wait.low-bits",
    chapter=CHAPTER,
    source=f"{SYNC_TEST}: test_WaitForSingleObject",
    basis="observed",
    behaviours=["wfso-low-bits", "wfso-no-error-change", "wfso-pseudo"],
)
def the_low_bits_of_a_handle_are_ignored_and_the_last_error_stays(ws: Target) -> None:
    """Handles with other low bits are the same; pseudo handles can be waited for; no outcome touches the last error."""
    event = manual(ws, True)
    ws.SetLastError(UNTOUCHED)
    results = [ws.WaitForSingleObject(event | bits, 0) for bits in range(4)]
    pseudo = [ws.WaitForSingleObject(handle, 0) for handle in (ws.GetCurrentProcess(), ws.GetCurrentThread())]
    last = ws.GetLastError()
    ws.CloseHandle(event)

    expect("results", expected=([WAIT_OBJECT_0] * 4, [WAIT_TIMEOUT] * 2), actual=(results, pseudo))
    expect("last error", expected=UNTOUCHED, actual=last)


@case(
    "kernel.wait.64-objects",
    chapter=CHAPTER,
    source=f"{SYNC_TEST}: test_WaitForMultipleObjects",
    basis="observed",
    behaviours=["wfmo-64", "wfmo-manual-vs-auto", "wfmo-lowest-index"],
)
def sixty_four_events_are_taken_from_the_lowest_index_on(ws: Target) -> None:
    """The first one stays signalled until it is reset, the others are taken one by one."""
    events = [manual(ws, True)] + [auto(ws, True) for _ in range(63)]
    first = [ws.WaitForMultipleObjects(events, False, 0) for _ in range(3)]
    ws.WSAResetEvent(events[0])
    others = [ws.WaitForMultipleObjects(events, False, 0) for _ in range(64)]
    for event in events:
        ws.CloseHandle(event)

    expect("while the first one is signalled", expected=[0, 0, 0], actual=first)
    expect("afterwards", expected=[*range(1, 64), WAIT_TIMEOUT], actual=others)


@case(
    "kernel.wait.signal-and-wait",
    chapter=CHAPTER,
    source=f"{SYNC_TEST}: test_signalandwait",
    basis="observed",
    behaviours=["saw-same-event", "saw-timeout"],
)
def signal_and_wait_does_both(ws: Target) -> None:
    """With one auto-reset event it ends at once and clear; with another, clear one it times out after signalling."""
    same, other = auto(ws), manual(ws)
    both = ws.SignalObjectAndWait(same, same, 0, False)
    left = ws.WaitForSingleObject(same, 0)
    late = ws.SignalObjectAndWait(same, other, 0, False)
    signalled = ws.WaitForSingleObject(same, 0)
    ws.CloseHandle(same)
    ws.CloseHandle(other)

    expected = (WAIT_OBJECT_0, WAIT_TIMEOUT, WAIT_TIMEOUT, WAIT_OBJECT_0)
    expect("results", expected=expected, actual=(both, left, late, signalled))


@case(
    "kernel.event.name",
    chapter=CHAPTER,
    source=f"{SYNC_TEST}: test_event",
    basis="observed",
    behaviours=["event-named-exists", "event-name-case"],
    both_forms=True,
)
def the_second_creator_of_a_name_is_told(ws: Target) -> None:
    """The first one finds 0 as last error, the second one ERROR_ALREADY_EXISTS; the case of letters counts."""
    ws.SetLastError(UNTOUCHED)
    first = ws.CreateEvent(False, True, False, "w2e-name")
    new = ws.GetLastError()
    second = ws.CreateEvent(False, True, False, "w2e-name")
    known = ws.GetLastError()
    with fails_with(ERROR_FILE_NOT_FOUND):
        ws.OpenEvent(0x1F0003, False, "W2E-NAME")
    ws.WSASetEvent(second)
    seen = ws.WaitForSingleObject(first, 0)
    for handle in (first, second):
        ws.CloseHandle(handle)

    expect("last errors", expected=(0, ERROR_ALREADY_EXISTS), actual=(new, known))
    expect("one object", expected=WAIT_OBJECT_0, actual=seen)


# ---- APCs ------------------------------------------------------------------------------------------------------------


@case(
    "kernel.apc.only-in-alertable-waits",
    chapter=CHAPTER,
    source=f"{SYNC_TEST}: test_QueueUserAPC; {WAIT}",
    basis="observed",
    requirements=["R6.32", "R6.33", "R6.63"],
    behaviours=["apc-sleepex"],
)
def apcs_run_in_alertable_waits_only(ws: Target) -> None:
    """Two are queued: a wait that is not alertable runs none, one that is runs both, even with a time-out of 0."""
    ran: list[int] = []
    event = manual(ws)
    for number in (1, 2):
        ws.QueueUserAPC(ran.append, ws.GetCurrentThread(), number)
    plain = ws.WSAWaitForMultipleEvents([event], False, 0, False)
    before = list(ran)
    alertable = ws.WSAWaitForMultipleEvents([event], False, 0, True)
    after = list(ran)
    ws.QueueUserAPC(ran.append, ws.GetCurrentThread(), 3)
    slept = ws.SleepEx(LONG_MS, True)
    ws.CloseHandle(event)

    expect("not alertable", expected=(WSA_WAIT_TIMEOUT, []), actual=(plain, before))
    expect("alertable", expected=(WSA_WAIT_IO_COMPLETION, [1, 2]), actual=(alertable, after))
    expect("SleepEx", expected=(WAIT_IO_COMPLETION, [1, 2, 3]), actual=(slept, ran))


# ---- completion ports ------------------------------------------------------------------------------------------------


@case(
    "kernel.port.empty",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    behaviours=["post-empty", "post-ex-empty"],
)
def an_empty_port_times_out(ws: Target) -> None:
    """Both forms: WAIT_TIMEOUT; the pointer is NULL, and the count of the second form is 1."""
    port = new_port(ws)
    with fails_with(WAIT_TIMEOUT):
        ws.GetQueuedCompletionStatus(port, 0)
    with fails_with(WAIT_TIMEOUT):
        ws.GetQueuedCompletionStatusEx(port, 2, 0, False)
    ws.CloseHandle(port)


@case(
    "kernel.port.post-and-get",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    behaviours=["post-basic", "post-create-key-ignored"],
)
def a_posted_packet_comes_out_unchanged(ws: Target) -> None:
    """Size, key and pointer are those posted, not the key given when the port was made; afterwards it is empty."""
    port = new_port(ws, 999)
    ws.PostQueuedCompletionStatus(port, 123, 456, 0xDEADBEEF000)
    packet = ws.GetQueuedCompletionStatus(port, 0)
    with fails_with(WAIT_TIMEOUT):
        ws.GetQueuedCompletionStatus(port, 0)
    ws.CloseHandle(port)

    expect("packet", expected=(123, 456, 0xDEADBEEF000), actual=packet)


@case(
    "kernel.port.several-in-order",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    behaviours=["post-ex-one", "post-ex-two"],
)
def several_packets_come_in_their_order(ws: Target) -> None:
    """One packet with room for two, then two."""
    port = new_port(ws)
    ws.PostQueuedCompletionStatus(port, 1, 11, 0x10000)
    one = ws.GetQueuedCompletionStatusEx(port, 2, 0, False)
    ws.PostQueuedCompletionStatus(port, 2, 12, 0x20000)
    ws.PostQueuedCompletionStatus(port, 3, 13, 0x30000)
    two = ws.GetQueuedCompletionStatusEx(port, 2, 0, False)
    ws.CloseHandle(port)

    expect("one", expected=[(11, 0x10000, 0, 1)], actual=one)
    expect("two", expected=[(12, 0x20000, 0, 2), (13, 0x30000, 0, 3)], actual=two)


@case(
    "kernel.port.apc",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    behaviours=["post-ex-apc-nonalertable", "post-ex-packet-before-apc", "post-ex-apc-alertable"],
)
def packets_come_before_apcs(ws: Target) -> None:
    """An APC is queued: not alertable it does not run; alertable a packet comes first, and then it runs."""
    ran: list[int] = []
    port = new_port(ws)
    ws.QueueUserAPC(ran.append, ws.GetCurrentThread(), 1)
    with fails_with(WAIT_TIMEOUT):
        ws.GetQueuedCompletionStatusEx(port, 2, 0, False)
    ws.PostQueuedCompletionStatus(port, 1, 2, 0x10000)
    packets = ws.GetQueuedCompletionStatusEx(port, 2, 0, True)
    before = list(ran)
    with fails_with(WAIT_IO_COMPLETION):
        ws.GetQueuedCompletionStatusEx(port, 2, 0, True)
    ws.CloseHandle(port)

    expect("packet first", expected=([(2, 0x10000, 0, 1)], []), actual=(packets, before))
    expect("then the APC", expected=[1], actual=ran)


@case(
    "kernel.port.closed-while-waiting",
    chapter=CHAPTER,
    source="ioapiset/nf-ioapiset-getqueuedcompletionstatus, remarks",
    basis="documented",
)
def closing_a_port_ends_the_waits(ws: Target) -> None:
    """A thread waits when the last handle is closed: ERROR_ABANDONED_WAIT_0."""
    port = new_port(ws)
    with ws.thread() as other:
        pending = other.start(ws.GetQueuedCompletionStatus, port, LONG_MS)
        expect_true("the wait blocks", not pending.finished_within(0.05))
        ws.CloseHandle(port)
        with fails_with(ERROR_ABANDONED_WAIT_0):
            pending.result()
