"""Handles and arguments that are none: what the system's calls and the control codes of sockets say to them."""

from __future__ import annotations

from uuid import UUID

from ..constants import (
    AF_IPX,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    FD_READ,
    FIONBIO,
    NSPROTO_IPX,
    NSPROTO_SPX,
    SIO_ADDRESS_LIST_QUERY,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SOCK_DGRAM,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOCKET_ERROR,
    WSAEFAULT,
    WSAEINVAL,
    WSAEPROTONOSUPPORT,
)
from ..model import Row, case, observed_otherwise
from ..providers import Provider, protocol
from ..target import PENDING, Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Errors"
SYNC = "Wine's public test kernel32/sync.c, which passes on Windows: "
PIPE = "Wine's public test kernel32/pipe.c: test_CancelSynchronousIo, which passes on Windows"
SOCK = "Wine's public test sock.c, which passes on Windows: "
ERROR_GEN_FAILURE = 31
BOGUS = 0xDEADBEE0
UNTOUCHED = 0xDEAD


# ---- handles of the system -------------------------------------------------------------------------------------------


@case(
    "errors.handle.wait-{row}",
    chapter=CHAPTER,
    source=SYNC + "test_WaitForSingleObject",
    basis="observed",
    behaviours=["wfso-invalid"],
    rows={str(bits): Row(BOGUS + bits) for bits in range(4)},
)
def nothing_to_wait_for(ws: Target, handle: int) -> None:
    """A number that no handle has is ERROR_INVALID_HANDLE, whatever its two lowest bits are."""
    with fails_with(ERROR_INVALID_HANDLE):
        ws.WaitForSingleObject(handle, 0)


@case(
    "errors.handle.pseudo-in-an-array",
    chapter=CHAPTER,
    source=SYNC + "test_WaitForMultipleObjects",
    basis="observed",
    behaviours=["wfmo-pseudo"],
    differs={"wine": observed_otherwise("wfmo-pseudo", "takes pseudo handles in an array")},
)
def pseudo_handle_is_none_in_an_array(ws: Target) -> None:
    """The pseudo handle of the own thread or process stands for nothing in an array of handles."""
    event = ws.WSACreateEvent()
    for pseudo in (ws.GetCurrentThread(), ws.GetCurrentProcess()):
        with fails_with(ERROR_INVALID_HANDLE):
            ws.WaitForMultipleObjects([event, pseudo], False, 0)
    ws.WSACloseEvent(event)


@case(
    "errors.handle.signal-and-wait-{row}",
    chapter=CHAPTER,
    source=SYNC + "test_signalandwait",
    basis="observed",
    behaviours=["saw-invalid"],
    rows={"nothing-to-signal": Row(True), "nothing-to-wait-for": Row(False)},
)
def both_handles_are_needed(ws: Target, first: bool) -> None:
    """SignalObjectAndWait needs two handles; 0 is none."""
    event = ws.WSACreateEvent()
    with fails_with(ERROR_INVALID_HANDLE):
        ws.SignalObjectAndWait(0 if first else event, event if first else 0, 0, False)
    ws.WSACloseEvent(event)


@case(
    "errors.handle.c-event-without-a-name",
    chapter=CHAPTER,
    source=SYNC + "test_event",
    basis="observed",
    behaviours=["event-open-null"],
    needs_c=True,
)
def event_to_open_needs_a_name(ws: Target) -> None:
    """OpenEvent with a NULL name is ERROR_INVALID_PARAMETER."""
    for form in "AW":
        with fails_with(ERROR_INVALID_PARAMETER):
            ws.c.check(f"kernel32.OpenEvent{form}", 0x100002, 0, 0, returns="pointer")


@case(
    "errors.handle.cancel-{row}",
    chapter=CHAPTER,
    source=PIPE,
    basis="observed",
    rows={
        "no-thread": Row(False, ERROR_INVALID_HANDLE, behaviours=["csio-bad-handle"]),
        "idle-thread": Row(True, ERROR_NOT_FOUND, behaviours=["csio-nothing"]),
    },
)
def no_call_to_cancel(ws: Target, thread: bool, code: int) -> None:
    """CancelSynchronousIo: ERROR_INVALID_HANDLE for no thread, ERROR_NOT_FOUND for one that is in no such call."""
    with fails_with(code):
        ws.CancelSynchronousIo(ws.GetCurrentThread() if thread else BOGUS)


def own_thread(ws: Target) -> int:
    """Return a handle of the calling thread that others can use."""
    return ws.DuplicateHandle(ws.GetCurrentProcess(), ws.GetCurrentThread(), ws.GetCurrentProcess())


@case(
    "errors.handle.cancel-overlapped",
    chapter=CHAPTER,
    source=PIPE,
    basis="observed",
    behaviours=["csio-async-not-found"],
)
def waiting_for_a_request_is_no_call_to_cancel(ws: Target) -> None:
    """A thread that waits for an overlapped request is in no synchronous call: ERROR_NOT_FOUND, and it waits on."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        thread = other.call(own_thread, ws)
        record, buffer = ws.overlapped(), bytearray(1)
        expect("receive", expected=PENDING, actual=ws.WSARecv(server, [buffer], 0, record))
        waiting = other.start(ws.WSAGetOverlappedResult, server, record, True)
        expect_true("it waits", not waiting.finished_within(0.05))
        with fails_with(ERROR_NOT_FOUND):
            ws.CancelSynchronousIo(thread)
        expect_true("it still waits", not waiting.finished_within(0.05))
        ws.send(client, b"x")
        expect("bytes and flags", expected=(1, 0), actual=waiting.result())
        ws.CloseHandle(thread)


@case(
    "errors.handle.apc-of-an-ended-thread",
    chapter=CHAPTER,
    source=SYNC + "test_QueueUserAPC",
    basis="observed",
    behaviours=["apc-dead-thread"],
)
def ended_thread_takes_no_routine(ws: Target) -> None:
    """QueueUserAPC to a thread that has ended fails with ERROR_GEN_FAILURE."""
    with ws.thread() as other:
        thread = other.call(own_thread, ws)
    expect("wait for its end", expected=0, actual=ws.WaitForSingleObject(thread, 5000))
    with fails_with(ERROR_GEN_FAILURE):
        ws.QueueUserAPC(lambda data: None, thread, 0)
    ws.CloseHandle(thread)


# ---- control codes ---------------------------------------------------------------------------------------------------


def expect_untouched(record: object) -> None:
    """Check that a record is as it was before the call."""
    found = getattr(record, "Internal", None), getattr(record, "InternalHigh", None)
    expect("the record", expected=(UNTOUCHED, UNTOUCHED), actual=found)


@case(
    "errors.control.unknown-extension",
    chapter=CHAPTER,
    source=SOCK + "test_get_extension_func",
    basis="observed",
    behaviours=["extfunc-bogus"],
)
def unknown_extension_fails_at_once(ws: Target) -> None:
    """A GUID that nobody knows is WSAEINVAL at once, also of an overlapped request, whose record is left alone."""
    with ws.closing(ws.tcp()) as s:
        record = ws.overlapped()
        record.Internal = record.InternalHigh = UNTOUCHED
        with fails_with(WSAEINVAL):
            ws.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, UUID(int=5).bytes_le, 8, record)
        expect_untouched(record)


@case(
    "errors.control.address-list-{row}",
    chapter=CHAPTER,
    source=SOCK + "test_address_list_query",
    basis="observed",
    behaviours=["addrlist-overlapped-errors"],
    rows={"no-room": Row(0, WSAEFAULT), "one-byte": Row(1, WSAEINVAL), "header": Row(8, WSAEFAULT)},
)
def too_little_room_fails_at_once(ws: Target, room: int, code: int) -> None:
    """Too little room for the list of addresses fails at once as without a record, and the record is left alone."""
    with ws.closing(ws.tcp()) as s:
        with fails_with(code):
            ws.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, room)
        record = ws.overlapped()
        record.Internal = record.InternalHigh = UNTOUCHED
        with fails_with(code):
            ws.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, room, record)
        expect_untouched(record)


@case(
    "errors.control.blocking-while-selected",
    chapter=CHAPTER,
    source=SOCK + "test_fionbio",
    basis="observed",
    requirements=["A55"],
    behaviours=["fionbio-clear-with-eventselect"],
)
def selected_socket_stays_nonblocking(ws: Target) -> None:
    """While network events are selected FIONBIO 1 is all right and FIONBIO 0 is WSAEINVAL."""
    with ws.closing(ws.tcp()) as s:
        event = ws.WSACreateEvent()
        ws.WSAEventSelect(s, event, FD_READ)
        ws.WSAIoctl(s, FIONBIO, b"\1\0\0\0", 0)
        with fails_with(WSAEINVAL):
            ws.WSAIoctl(s, FIONBIO, bytes(4), 0)
        with fails_with(WSAEINVAL):
            ws.ioctlsocket(s, FIONBIO, 0)
        ws.WSAEventSelect(s, 0, 0)
        ws.WSAIoctl(s, FIONBIO, bytes(4), 0)
        ws.WSACloseEvent(event)


@case(
    "errors.control.selection-without-an-event",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsaeventselect; Wine's public test afd.c:test_event_select, which passes on Windows",
    basis="observed",
    requirements=["B27"],
    behaviours=["afd-eventselect-null-event"],
)
def events_need_an_event_object(ws: Target) -> None:
    """Network events without an event object are WSAEINVAL; neither clears the selection and what was recorded."""
    with ws.udp_pair() as (sender, receiver):
        event = ws.WSACreateEvent()
        with fails_with(WSAEINVAL):
            ws.WSAEventSelect(receiver, None, FD_READ)
        ws.WSAEventSelect(receiver, event, FD_READ)
        ws.send_and_settle(sender, b"x")
        expect("wait", expected=0, actual=ws.WSAWaitForMultipleEvents([event], False, 5000))
        ws.WSAEventSelect(receiver, None, 0)
        expect("what is recorded", expected=0, actual=ws.WSAEnumNetworkEvents(receiver)[0])
        ws.WSACloseEvent(event)


@case(
    "errors.control.c-no-place-for-the-count",
    chapter=CHAPTER,
    source=SOCK + "test_fionbio",
    basis="observed",
    behaviours=["fionbio-apc-null-bytes"],
    needs_c=True,
)
def count_is_needed_with_a_routine_alone(ws: Target) -> None:
    """A completion routine without an OVERLAPPED does not do away with the place for the count: WSAEFAULT."""
    with ws.closing(ws.tcp()) as s:
        on = ws.c.new(b"\1\0\0\0")
        routine = ws.c.callback(lambda *arguments: 0, [4, 4, 8, 4])
        with fails_with(WSAEFAULT):
            ws.c.check("WSAIoctl", s, FIONBIO, on.address, 4, 0, 0, 0, 0, routine)


@case(
    "errors.control.c-count-of-a-failure",
    chapter=CHAPTER,
    source=SOCK + "test_fionbio",
    basis="observed",
    behaviours=["fionbio-clear-fail-size"],
    needs_c=True,
    gap="other codes leave the count of a failure alone, and this one is set apart by nothing that a page says",
    differs={"wine": observed_otherwise("fionbio-clear-fail-size", "leaves the count alone")},
)
def failure_has_a_count_of_none(ws: Target) -> None:
    """FIONBIO 0 that fails because events are selected stores 0 as the bytes returned."""
    with ws.closing(ws.tcp()) as s:
        event = ws.WSACreateEvent()
        ws.WSAEventSelect(s, event, FD_READ)
        off, count = ws.c.new(4), ws.c.new(b"\xab" * 4)
        got = ws.c.call("WSAIoctl", s, FIONBIO, off.address, 4, 0, 0, count.address, 0, 0)
        expect("result and last error", expected=(SOCKET_ERROR, WSAEINVAL), actual=(got, ws.c.last_error))
        expect("bytes returned", expected=0, actual=count.number())
        ws.WSACloseEvent(event)


# ---- protocols -------------------------------------------------------------------------------------------------------


@case(
    "errors.protocol.ipx-stream",
    chapter=CHAPTER,
    source=SOCK + "test_WSASocket, with IPX installed",
    basis="observed",
    behaviours=["wsasocket-ipx-stream"],
    needs_provider=True,
)
def protocol_of_another_type(ws: Target) -> None:
    """Where IPX is installed a stream of NSPROTO_IPX, which is one of datagrams, is WSAEPROTONOSUPPORT."""
    rows = (
        protocol(AF_IPX, SOCK_DGRAM, NSPROTO_IPX, protocol_max_offset=255),
        protocol(AF_IPX, SOCK_STREAM, NSPROTO_SPX),
        protocol(AF_IPX, SOCK_SEQPACKET, NSPROTO_SPX),
    )
    with ws.provider(Provider(protocols=rows)):
        for make in (ws.socket, ws.WSASocket):
            with fails_with(WSAEPROTONOSUPPORT):
                make(AF_IPX, SOCK_STREAM, NSPROTO_IPX)
