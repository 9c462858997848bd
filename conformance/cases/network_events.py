"""Network events: selecting them, taking the record, messages; what WSAEventSelect and its like have in common."""

from __future__ import annotations

import contextlib

from ..addresses import loopback
from ..constants import (
    FD_ADDRESS_LIST_CHANGE,
    FD_ALL_EVENTS,
    FD_CLOSE,
    FD_CONNECT,
    FD_CONNECT_BIT,
    FD_GROUP_QOS,
    FD_QOS,
    FD_READ,
    FD_ROUTING_INTERFACE_CHANGE,
    FD_WRITE,
    FIONBIO,
    SD_SEND,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ROUTING_INTERFACE_CHANGE,
    WAIT_TIMEOUT,
    WSA_WAIT_TIMEOUT,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
    WSANOTINITIALISED,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable
from ..watches import (
    PATIENCE_MS,
    QUIET_MS,
    EventWatch,
    drain,
    selected_pair,
    signalled,
    tells,
    tells_nobody,
    watching,
)
from ..windowing import WM_USER

CHAPTER = "Network events"
EVENT_PAGE = "winsock2/nf-winsock2-wsaeventselect"
ENUM_PAGE = "winsock2/nf-winsock2-wsaenumnetworkevents"
ASYNC_PAGE = "winsock/nf-winsock-wsaasyncselect"
PAGES = f"{EVENT_PAGE}; {ASYNC_PAGE}"
WINE_TEST = "Wine's public test ws2_32/sock.c, which passes on Windows"
PYWIN32_TEST = "pywin32's public test test_win32file.py:TestWSAEnumNetworkEvents, which passes on Windows"
CHOICE = "neither page nor observation; the stricter reading"
FOREIGN = 0x7FFFFFF0

FORMS = {"event": Row("event"), "message": Row("message")}


def forms(event: tuple[str, ...] = (), message: tuple[str, ...] = ()) -> dict[str, Row]:
    """Both forms, each with behaviours of its own."""
    return {"event": Row("event", behaviours=event), "message": Row("message", behaviours=message)}


# ---- selecting -------------------------------------------------------------------------------------------------------


@case(
    "netevents.select.non-blocking-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.66", "R6.68", "R6.71", "R6.92", "R6.101", "R6.107", "A55", "R1.98"],
    rows=FORMS,
)
def selection_makes_non_blocking_for_good(ws: Target, form: str) -> None:
    """recv gives WSAEWOULDBLOCK; FIONBIO 0 is WSAEINVAL while events are selected, and needed afterwards."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, _):
        watch.select(client, FD_READ)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))
        with fails_with(WSAEINVAL):
            ws.ioctlsocket(client, FIONBIO, 0)
        ws.ioctlsocket(client, FIONBIO, 1)
        watch.select(client, 0)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))
        ws.ioctlsocket(client, FIONBIO, 0)
        with ws.thread() as other:
            waiting = other.start(ws.recv, client, bytearray(1))
            expect_true("recv waits now", not waiting.finished_within(0.05))
            ws.shutdown(client, 2)
            ws.closesocket(client)
            with contextlib.suppress(Failed):
                waiting.result()


@case(
    "netevents.select.nothing-makes-non-blocking-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.66", "R6.68", "R6.101"],
    rows=FORMS,
)
def selecting_nothing_makes_non_blocking(ws: Target, form: str) -> None:
    """A mask of 0 needs neither event nor window, and makes the socket non-blocking all the same."""
    with ws.connected_pair() as (client, _):
        if form == "event":
            ws.WSAEventSelect(client, None, 0)
        else:
            ws.WSAAsyncSelect(client, 0, 0, 0)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))


@case(
    "netevents.select.arguments-event-{row}",
    chapter=CHAPTER,
    source=EVENT_PAGE,
    basis="documented",
    requirements=["R6.69", "B27"],
    rows={
        "null": Row(0, FD_READ),
        "closed": Row(FOREIGN, FD_READ),
    },
)
def event_select_checks_its_arguments(ws: Target, event: int, mask: int) -> None:
    """No event object with a mask is WSAEINVAL; the mode stays as it was."""
    with ws.udp_pair() as (a, b):
        with fails_with(WSAEINVAL):
            ws.WSAEventSelect(b, event, mask)
        with ws.thread() as other:
            waiting = other.start(ws.recv, b, bytearray(1))
            expect_true("recv waits", not waiting.finished_within(0.02))
            ws.send(a, b"x")
            expect("bytes", expected=1, actual=waiting.result())


@case(
    "netevents.select.arguments-message-{row}",
    chapter=CHAPTER,
    source=ASYNC_PAGE,
    basis="documented",
    requirements=["R6.103", "R6.106", "B28"],
    rows={
        "null": Row("null"),
        "destroyed": Row("destroyed"),
    },
)
def async_select_checks_its_arguments(ws: Target, window: str) -> None:
    """No window, and one that has been destroyed, are WSAEINVAL."""
    with ws.closing(ws.udp()) as s, ws.window() as hwnd:
        if window == "destroyed":
            ws.DestroyWindow(hwnd)
        with fails_with(WSAEINVAL):
            ws.WSAAsyncSelect(s, 0 if window == "null" else hwnd, WM_USER, FD_READ)


@case(
    "netevents.select.arguments-{row}",
    chapter=CHAPTER,
    source="the pages leave it open; what Wine 8.0 does",
    basis="choice",
    rows={
        "event-unknown-bit": Row("event", 0x400, ()),
        "event-unknown-bits": Row("event", ~(FD_WRITE | FD_CONNECT), (FD_READ,)),
        "message-unknown-bit": Row("message", 0x400, ()),
    },
)
def bits_beyond_the_ten_events_mean_nothing(ws: Target, form: str, mask: int, told: tuple[int, ...]) -> None:
    """Bits beyond the ten events are ignored: the others are selected, and the socket is non-blocking from now on."""
    with watching(ws, form) as watch, ws.udp_pair() as (a, b):
        watch.select(b, mask)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(b, bytearray(1))
        ws.send(a, b"x")
        tells(watch, b, *told)


@case(
    "netevents.calls.no-socket-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {ENUM_PAGE}",
    basis="documented",
    requirements=["R6.70", "R6.96", "R6.103", "B27", "B28", "B29"],
    rows={
        "eventselect": Row("WSAEventSelect", (None, 0)),
        "asyncselect": Row("WSAAsyncSelect", (0, 0, 0)),
        "enum": Row("WSAEnumNetworkEvents", (None,)),
    },
)
def a_closed_socket_is_no_socket(ws: Target, function: str, arguments: tuple[int | None, ...]) -> None:
    """WSAENOTSOCK, also where another argument is wrong."""
    with ws.socket_in("closed") as s, fails_with(WSAENOTSOCK):
        getattr(ws, function)(s, *arguments)


@case(
    "netevents.calls.before-startup-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {ENUM_PAGE}",
    basis="documented",
    requirements=["R6.70", "R6.96", "R6.103", "B27", "B28", "B29"],
    manages_startup=True,
    rows={
        "eventselect": Row("WSAEventSelect", (None, 0)),
        "asyncselect": Row("WSAAsyncSelect", (0, 0, 0)),
        "enum": Row("WSAEnumNetworkEvents", (None,)),
    },
)
def startup_comes_first(ws: Target, function: str, arguments: tuple[int | None, ...]) -> None:
    """WSANOTINITIALISED before WSAStartup."""
    with fails_with(WSANOTINITIALISED):
        getattr(ws, function)(FOREIGN, *arguments)


@case(
    "netevents.select.replaces-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.67", "R6.102"],
    rows={
        "event-by-event": Row("event", "event"),
        "event-by-message": Row("event", "message"),
        "message-by-event": Row("message", "event"),
        "message-by-message": Row("message", "message"),
    },
)
def a_selection_takes_the_place_of_the_one_before(ws: Target, first: str, second: str) -> None:
    """Only the last selection is told of data, and only of its own events."""
    with watching(ws, first) as old, watching(ws, second) as new, ws.connected_pair() as (client, server):
        old.select(client, FD_READ | FD_CLOSE)
        new.select(client, FD_READ)
        ws.send(server, b"x")
        tells(new, client, FD_READ)
        tells_nobody(ws, old, client)
        ws.shutdown(server, SD_SEND)
        drain(ws, client)
        tells(new, client)


@case(
    "netevents.select.clears-record",
    chapter=CHAPTER,
    source=EVENT_PAGE,
    basis="documented",
    requirements=["R6.67"],
)
def selecting_again_clears_the_record(ws: Target) -> None:
    """What was recorded and holds no more is not told after another selection."""
    with watching(ws, "event") as watch, ws.connected_pair() as (client, server):
        watch.select(client, FD_READ)
        ws.send_and_settle(server, b"x")
        ws.until("event", lambda: signalled(ws, watch))
        drain(ws, client)
        watch.select(client, FD_READ)
        tells(watch, client)


@case(
    "netevents.select.cancel-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.68", "R6.101"],
    rows=FORMS,
)
def selecting_nothing_ends_it(ws: Target, form: str) -> None:
    """After a mask of 0 nothing is told any more."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        watch.select(client, 0)
        ws.send_and_settle(server, b"x")
        tells(watch, client)


@case(
    "netevents.select.drop-bit-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.67", "R6.102"],
    rows=forms(event=("evclient-drop-bit",)),
)
def an_event_that_is_not_selected_any_more_is_not_told(ws: Target, form: str) -> None:
    """FD_READ is taken out of the mask: data is not told; FD_CLOSE goes on to be."""
    with selected_pair(ws, form, FD_READ | FD_CLOSE) as (watch, client, server):
        watch.select(client, FD_CLOSE)
        ws.send_and_settle(server, b"x")
        tells(watch, client)
        ws.shutdown(server, SD_SEND)
        drain(ws, client)
        tells(watch, client, FD_CLOSE)


@case(
    "netevents.close.local-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; winsock/nf-winsock-closesocket",
    basis="documented",
    requirements=["R6.81", "R6.90", "R12.22", "R6.101"],
    rows=FORMS,
)
def closesocket_tells_nothing(ws: Target, form: str) -> None:
    """Closing the socket ends the selection and is not told as FD_CLOSE; the event object is still there."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        watch.select(client, FD_CLOSE)
        ws.closesocket(client)
        ws.wait_readable(server)
        tells_nobody(ws, watch, client)
        if isinstance(watch, EventWatch):
            ws.WSASetEvent(watch.event)


@case(
    "netevents.select.event-kinds-{row}",
    chapter=CHAPTER,
    source=f"{EVENT_PAGE}; {ENUM_PAGE}",
    basis="documented",
    requirements=["R6.66", "R6.94"],
    rows={"manual-reset": Row(True), "auto-reset": Row(False)},
)
def any_event_object_will_do(ws: Target, manual: bool) -> None:
    """An event object of CreateEvent is signalled; an auto-reset one resets itself, the record stays."""
    event = ws.CreateEvent(False, manual, False)
    with ws.connected_pair() as (client, server):
        ws.WSAEventSelect(client, event, FD_READ)
        ws.send(server, b"x")
        first = ws.WaitForSingleObject(event, PATIENCE_MS)
        second = ws.WaitForSingleObject(event, 0)
        mask, _ = ws.WSAEnumNetworkEvents(client)
    ws.CloseHandle(event)
    expect("waits", expected=(0, 0 if manual else WAIT_TIMEOUT), actual=(first, second))
    expect("record", expected=FD_READ, actual=mask)


@case(
    "netevents.select.one-event-many-sockets",
    chapter=CHAPTER,
    source=EVENT_PAGE,
    basis="documented",
    requirements=["R6.91", "R3.35"],
)
def one_event_object_serves_several_sockets(ws: Target) -> None:
    """Two sockets share an event object; each has a record of its own."""
    with watching(ws, "event") as watch, ws.udp_pair() as (a, b), ws.udp_pair() as (c, d):
        watch.select(b, FD_READ)
        watch.select(d, FD_READ)
        ws.send(c, b"x")
        ws.until("event", lambda: signalled(ws, watch))
        expect("records", expected=[0, FD_READ], actual=[ws.WSAEnumNetworkEvents(s)[0] for s in (b, d)])
        ws.send(a, b"x")
        tells(watch, b, FD_READ)


# ---- WSAEnumNetworkEvents --------------------------------------------------------------------------------------------


@case(
    "netevents.enum.clears-and-resets",
    chapter=CHAPTER,
    source=f"{ENUM_PAGE}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.94", "R6.97"],
    behaviours=["evsel-enum-clears-event"],
)
def enum_clears_the_record_and_resets_the_event(ws: Target) -> None:
    """With the event's handle the event is reset as well; nothing is told again before recv, then the rest is."""
    with watching(ws, "event") as watch, ws.connected_pair() as (client, server):
        assert isinstance(watch, EventWatch)
        watch.select(client, FD_READ)
        ws.send_and_settle(server, b"xy")
        ws.until("event", lambda: signalled(ws, watch))
        first = ws.WSAEnumNetworkEvents(client, watch.event)[0]
        waited = ws.WSAWaitForMultipleEvents([watch.event], False, QUIET_MS)
        second = ws.WSAEnumNetworkEvents(client, watch.event)[0]
        expect("records and wait", expected=(FD_READ, WSA_WAIT_TIMEOUT, 0), actual=(first, waited, second))
        ws.recv(client, bytearray(1))
        tells(watch, client, FD_READ)


@case(
    "netevents.enum.without-event",
    chapter=CHAPTER,
    source=ENUM_PAGE,
    basis="documented",
    requirements=["R6.94"],
)
def enum_without_an_event_leaves_it_set(ws: Target) -> None:
    """Without the event's handle the record is taken and the event stays signalled."""
    with watching(ws, "event") as watch, ws.connected_pair() as (client, server):
        watch.select(client, FD_READ)
        ws.send_and_settle(server, b"x")
        ws.until("event", lambda: signalled(ws, watch))
        masks = [ws.WSAEnumNetworkEvents(client)[0], ws.WSAEnumNetworkEvents(client)[0]]
        expect("records", expected=[FD_READ, 0], actual=masks)
        expect_true("the event is set", signalled(ws, watch))


@case(
    "netevents.enum.several",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.94", "R6.95"],
    behaviours=["evsel-multiple-bits-one-enum"],
)
def one_enum_tells_all(ws: Target) -> None:
    """Data and room to send: both events in one record."""
    with watching(ws, "event") as watch, ws.connected_pair() as (client, server):
        ws.send_and_settle(server, b"x")
        watch.select(client, FD_READ | FD_WRITE)
        expect("record", expected=FD_READ | FD_WRITE, actual=ws.WSAEnumNetworkEvents(client)[0])


@case(
    "netevents.enum.untouched-codes",
    chapter=CHAPTER,
    source=ENUM_PAGE,
    basis="documented",
    requirements=["R6.95"],
    needs_c=True,
)
def enum_writes_the_codes_of_what_is_set(ws: Target) -> None:
    """lNetworkEvents is written; of iErrorCode only the elements whose bits are set."""
    filler = 0x55AA55AA
    with watching(ws, "event") as watch, ws.connected_pair() as (client, _):
        assert isinstance(watch, EventWatch)
        watch.select(client, FD_CONNECT)
        records = []
        for _look in range(2):
            room = ws.c.new(filler.to_bytes(4, "little") * 11)
            ws.c.check("WSAEnumNetworkEvents", client, watch.event, room.address)
            records.append([room.number(4, at) for at in range(0, 44, 4)])
    codes = [0 if bit == FD_CONNECT_BIT else filler for bit in range(10)]
    expect("records", expected=[[FD_CONNECT, *codes], [0, *[filler] * 10]], actual=records)


@case(
    "netevents.enum.null",
    chapter=CHAPTER,
    source=ENUM_PAGE,
    basis="documented",
    requirements=["R6.96", "B29"],
    needs_c=True,
)
def enum_needs_a_structure(ws: Target) -> None:
    """A NULL structure is WSAEFAULT; nothing is cleared or reset then."""
    with watching(ws, "event") as watch, ws.connected_pair() as (client, _):
        assert isinstance(watch, EventWatch)
        watch.select(client, FD_WRITE)
        with fails_with(WSAEFAULT):
            ws.c.check("WSAEnumNetworkEvents", client, watch.event, 0)
        expect_true("the event is set", signalled(ws, watch))
        tells(watch, client, FD_WRITE)


@case(
    "netevents.enum.no-event-object",
    chapter=CHAPTER,
    source=PYWIN32_TEST,
    basis="observed",
    requirements=["R6.96", "B29"],
)
def enum_with_a_handle_that_is_no_event(ws: Target) -> None:
    """WSAENOTSOCK, where the page suggests WSAEINVAL; nothing is taken."""
    with watching(ws, "event") as watch, ws.connected_pair() as (client, server):
        watch.select(client, FD_WRITE)
        with fails_with(WSAENOTSOCK, variants={WSAEINVAL: "the page"}):
            ws.WSAEnumNetworkEvents(client, server)
        tells(watch, client, FD_WRITE)


@case(
    "netevents.enum.no-selection",
    chapter=CHAPTER,
    source=PYWIN32_TEST,
    basis="observed",
    requirements=["R6.98", "R6.99"],
)
def enum_without_selection_finds_nothing(ws: Target) -> None:
    """An empty record, before any selection, after its end, and with a selection for a window."""
    with ws.connected_pair() as (client, server), ws.window() as hwnd:
        ws.send_and_settle(server, b"x")
        masks = [ws.WSAEnumNetworkEvents(client)[0]]
        ws.WSAEventSelect(client, None, 0)
        masks.append(ws.WSAEnumNetworkEvents(client)[0])
        ws.WSAAsyncSelect(client, hwnd, WM_USER, FD_READ)
        ws.until("message", ws.messages)
        masks.append(ws.WSAEnumNetworkEvents(client)[0])
    expect("records", expected=[0, 0, 0], actual=masks)


# ---- the other events ------------------------------------------------------------------------------------------------


@case(
    "netevents.qos.never-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "T6.2", "R8.37"],
    rows=FORMS,
)
def quality_of_service_is_never_told(ws: Target, form: str) -> None:
    """FD_QOS and FD_GROUP_QOS can be selected; nothing changes, and the latter is reserved."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        watch.select(client, FD_QOS | FD_GROUP_QOS)
        ws.send_and_settle(server, b"x")
        tells(watch, client)


@case(
    "netevents.change.quiet-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; winsock: Winsock IOCTLs",
    basis="documented",
    requirements=["R6.75", "T6.2", "R9.24", "R6.108"],
    rows={
        f"{name}-{form}": Row(code, event, form)
        for name, code, event in (
            ("addresses", SIO_ADDRESS_LIST_CHANGE, FD_ADDRESS_LIST_CHANGE),
            ("routes", SIO_ROUTING_INTERFACE_CHANGE, FD_ROUTING_INTERFACE_CHANGE),
        )
        for form in ("event", "message")
    },
)
def no_change_is_told_while_nothing_changes(ws: Target, code: int, event: int, form: str) -> None:
    """The control code gives WSAEWOULDBLOCK and waits; nothing is told as long as nothing changes."""
    with watching(ws, form) as watch, ws.closing(ws.udp()) as s:
        watch.select(s, event)
        with fails_with(WSAEWOULDBLOCK):
            ws.WSAIoctl(s, code, loopback() if event == FD_ROUTING_INTERFACE_CHANGE else None)
        tells(watch, s)


@case(
    "netevents.change.told",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.87"],
    behaviours=["addrchange-event"],
)
def a_change_is_told_to_those_who_wait(ws: Target) -> None:
    """An address changes: FD_ADDRESS_LIST_CHANGE on the socket that asked, nothing on others."""
    not_applicable("a case does not change the addresses of the machine")


# ---- messages --------------------------------------------------------------------------------------------------------


@case(
    "netevents.message.each-alone",
    chapter=CHAPTER,
    source=f"{ASYNC_PAGE}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.100"],
    behaviours=["asyncsel-message-params", "asyncsel-no-extra-message"],
)
def every_event_has_a_message_of_its_own(ws: Target) -> None:
    """Two conditions hold: two messages, wparam the socket, lparam an event in the low word and no error above."""
    with ws.window() as hwnd, ws.connected_pair() as (client, server):
        ws.send_and_settle(server, b"x")
        ws.WSAAsyncSelect(client, hwnd, WM_USER + 7, FD_READ | FD_WRITE)
        ws.until("messages", lambda: ws.PeekMessage(flags=0))
        found = [(m.hwnd, m.message, m.wparam, m.lparam) for m in (ws.GetMessage(), ws.GetMessage())]
        rest = ws.messages()
    expected = [(hwnd, WM_USER + 7, client, event) for event in (FD_READ, FD_WRITE)]
    expect("messages", expected=expected, actual=sorted(found))
    expect("rest of the queue", expected=[], actual=rest)


@case(
    "netevents.message.posted-stays",
    chapter=CHAPTER,
    source=ASYNC_PAGE,
    basis="documented",
    requirements=["R6.101"],
)
def a_posted_message_is_not_taken_back(ws: Target) -> None:
    """The selection is taken back and the socket closed: a message that was posted before arrives all the same."""
    with ws.window() as hwnd, ws.connected_pair() as (client, _):
        ws.WSAAsyncSelect(client, hwnd, WM_USER, FD_WRITE)
        ws.until("message", lambda: ws.PeekMessage(flags=0))
        ws.WSAAsyncSelect(client, hwnd, 0, 0)
        ws.closesocket(client)
        messages = ws.messages()
    expect("messages", expected=[(client, FD_WRITE)], actual=[(m.wparam, m.lparam) for m in messages])


@case(
    "netevents.message.repeated-receives",
    chapter=CHAPTER,
    source=ASYNC_PAGE,
    basis="documented",
    requirements=["R6.105"],
)
def several_receives_post_several_messages(ws: Target) -> None:
    """Three receives for one FD_READ, each leaving data, can post a message each: one to three follow."""
    with selected_pair(ws, "message", FD_READ) as (watch, client, server):
        ws.send_and_settle(server, bytes(10))
        tells(watch, client, FD_READ)
        for _ in range(3):
            ws.recv(client, bytearray(1))
        found = watch.take(client, PATIENCE_MS)
        while more := watch.take(client, QUIET_MS):
            found += more
        expect_true("one to three", 1 <= len(found) <= 3, actual=found)
        expect("told", expected={(FD_READ, 0)}, actual=set(found))


@case(
    "netevents.message.window-gone",
    chapter=CHAPTER,
    source=CHOICE,
    basis="choice",
    requirements=["R6.106"],
)
def events_for_a_window_that_is_gone_are_lost(ws: Target) -> None:
    """The window is destroyed: data comes and is received as ever; another selection tells the next window."""
    with ws.connected_pair() as (client, server):
        with ws.window() as hwnd:
            ws.WSAAsyncSelect(client, hwnd, WM_USER, FD_READ)
        ws.send_and_settle(server, b"x")
        expect("bytes", expected=1, actual=ws.recv(client, bytearray(8)))
        with watching(ws, "message") as watch:
            watch.select(client, FD_READ)
            ws.send(server, b"y")
            tells(watch, client, FD_READ)


@case(
    "netevents.select.all-events-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.66", "R6.69"],
    rows=FORMS,
)
def all_ten_events_can_be_selected(ws: Target, form: str) -> None:
    """FD_ALL_EVENTS is a valid mask."""
    with watching(ws, form) as watch, ws.connected_pair() as (_, server):
        watch.select(server, FD_ALL_EVENTS)
        tells(watch, server, FD_WRITE)
