"""Beneath Win32: ntdll's requests on sockets, AFD's polls, completion ports by their native calls."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs

from ..addresses import loopback
from ..constants import (
    AF_INET,
    INVALID_HANDLE_VALUE,
    IPPROTO_UDP,
    MSG_OOB,
    SD_SEND,
    SOCK_DGRAM,
    STATUS_ADDRESS_ALREADY_ASSOCIATED,
    STATUS_BUFFER_OVERFLOW,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_CONNECTION_REFUSED,
    STATUS_END_OF_FILE,
    STATUS_INFO_LENGTH_MISMATCH,
    STATUS_INVALID_CONNECTION,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SHARING_VIOLATION,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    STATUS_USER_APC,
    WSA_WAIT_EVENT_0,
    WSA_WAIT_TIMEOUT,
    WSAECONNREFUSED,
    WSAEWOULDBLOCK,
)
from ..driver import Block
from ..model import Row, case
from ..target import PENDING, Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Native calls"
FILE: Final = "public test ntdll/file.c"
AFD: Final = "public test afd.c"
SYNC: Final = "public test kernel32/sync.c"

IOCTL_AFD_BIND, IOCTL_AFD_GETSOCKNAME = 0x12003, 0x1202F
IOCTL_AFD_RECV, IOCTL_AFD_POLL = 0x12017, 0x12024
IOCTL_AFD_EVENT_SELECT, IOCTL_AFD_GET_EVENTS = 0x12087, 0x1208B
RECEIVE, EXPEDITED, SEND, DISCONNECT, ABORT = 0x1, 0x2, 0x4, 0x8, 0x10
LOCAL_CLOSE, CONNECT, ACCEPT, CONNECT_FAIL = 0x20, 0x40, 0x80, 0x100
EVERYTHING: Final = 0x1FF
HEADER: Final = struct.Struct("<qII")
ENTRY: Final = struct.Struct("<QII")
FOREVER: Final = (1 << 63) - 1
UNTOUCHED: Final = 0xDEADBEEF

Entry = tuple[int, int, int]


def native(ws: Target, name: str, *arguments: int) -> int:
    """Call a function of ntdll: its NTSTATUS."""
    return ws.c.call(f"ntdll.{name}", *arguments, returns="u32")


def note(calls: list[Any], call: Any) -> int:
    """What a callback does."""
    calls.append(call)
    return 0


@attrs.frozen
class Request:
    """A request, its status block and the memory it uses."""

    returned: int
    block: Block
    output: Block

    @property
    def status(self) -> int:
        return self.block.number(4, 0)

    @property
    def information(self) -> int:
        return self.block.number(8, 8)

    def entries(self) -> list[Entry]:
        """What a poll has found."""
        count = HEADER.unpack(self.output.read(HEADER.size))[1]
        expect("Information", expected=HEADER.size + ENTRY.size * count, actual=self.information)
        found = self.output.read(ENTRY.size * count, HEADER.size)
        return [ENTRY.unpack_from(found, at) for at in range(0, len(found), ENTRY.size)]


def control(
    ws: Target,
    handle: int,
    code: int,
    data: bytes,
    room: int = 0,
    *,
    event: int = 0,
    routine: int = 0,
    context: int = 0,
) -> Request:
    """NtDeviceIoControlFile."""
    block = ws.c.new(struct.pack("<QQ", UNTOUCHED, UNTOUCHED))
    source, output = ws.c.new(data), ws.c.new(max(room, 1))
    given = (code, source.address, len(data), output.address, room)
    returned = native(ws, "NtDeviceIoControlFile", handle, event, routine, context, block.address, *given)
    return Request(returned, block, output)


def poll_info(sockets: list[tuple[int, int]], timeout: int = FOREVER, exclusive: bool = False) -> bytes:
    """An AFD_POLL_INFO."""
    header = HEADER.pack(timeout, len(sockets), int(exclusive))
    return header + b"".join(ENTRY.pack(s, asked, 0) for s, asked in sockets)


def poll(
    ws: Target,
    handle: int,
    sockets: list[tuple[int, int]],
    timeout: int = FOREVER,
    *,
    exclusive: bool = False,
    event: int = 0,
    context: int = 0,
) -> Request:
    """IOCTL_AFD_POLL."""
    data = poll_info(sockets, timeout, exclusive)
    return control(ws, handle, IOCTL_AFD_POLL, data, len(data), event=event, context=context)


def polled(ws: Target, handle: int, sockets: list[tuple[int, int]]) -> list[Entry]:
    """A poll that does not wait."""
    request = poll(ws, handle, sockets, 0)
    expect("returned", expected=STATUS_SUCCESS, actual=request.returned)
    return request.entries()


@contextmanager
def event_of(ws: Target) -> Iterator[int]:
    event = ws.WSACreateEvent()
    try:
        yield event
    finally:
        ws.WSACloseEvent(event)


def finished(ws: Target, event: int) -> None:
    expect("event", expected=WSA_WAIT_EVENT_0, actual=ws.WaitForSingleObject(event, 5000))


def pends(ws: Target, request: Request, event: int) -> None:
    """The request is under way, and nothing is told of it."""
    expect("returned", expected=STATUS_PENDING, actual=request.returned)
    expect("event", expected=WSA_WAIT_TIMEOUT, actual=ws.WaitForSingleObject(event, 20))


@contextmanager
def device(ws: Target, name: str = "\\Device\\Afd\\Poll") -> Iterator[int]:
    """A handle of the device that no socket is behind."""
    text = ws.c.new((name + "\0").encode("utf-16-le"))
    unicode = ws.c.new(struct.pack("<HHIQ", 2 * len(name), text.size, 0, text.address))
    attributes = ws.c.new(struct.pack("<IIQQIIQQ", 48, 0, 0, unicode.address, 0x40, 0, 0, 0))
    handle, block = ws.c.new(8), ws.c.new(16)
    status = native(ws, "NtOpenFile", handle.address, 0x100000, attributes.address, block.address, 3, 0)
    expect("NtOpenFile", expected=STATUS_SUCCESS, actual=status)
    yield handle.number(8)
    expect("NtClose", expected=STATUS_SUCCESS, actual=native(ws, "NtClose", handle.number(8)))


def buffers(ws: Target, *rooms: Block) -> Block:
    """An array of WSABUFs."""
    return ws.c.new(b"".join(struct.pack("<IIQ", room.size, 0, room.address) for room in rooms))


def receive_info(array: Block, count: int = 1, tdi: int = 0x20) -> bytes:
    """An AFD_RECV_INFO."""
    return struct.pack("<QIIII", array.address, count, 0, tdi, 0)


# Completion ports


@contextmanager
def port_of(ws: Target) -> Iterator[int]:
    port = ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0)
    yield port
    ws.CloseHandle(port)


def timeout_at(ws: Target, ticks: int = 0) -> int:
    return ws.c.new(struct.pack("<q", ticks)).address


def removed(ws: Target, port: int) -> tuple[int, int, int, int, int]:
    """NtRemoveIoCompletion without waiting: status, then key, context, status and information of the packet."""
    key, context, block = ws.c.new(8), ws.c.new(8), ws.c.new(16)
    status = native(ws, "NtRemoveIoCompletion", port, key.address, context.address, block.address, timeout_at(ws))
    return status, key.number(8), context.number(8), block.number(4), block.number(8, 8)


@case("native.port.empty", chapter=CHAPTER, source=FILE, basis="observed", needs_c=True, behaviours=["nt-iocp-empty"])
def an_empty_port_times_out(ws: Target) -> None:
    """Removing from an empty port with a time-out of zero is STATUS_TIMEOUT."""
    with port_of(ws) as port:
        expect("status", expected=STATUS_TIMEOUT, actual=removed(ws, port)[0])


@case(
    "native.port.any-status",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-iocp-post-any-status"],
)
def a_packet_carries_any_status(ws: Target) -> None:
    """A posted packet comes back with key, context, failing status and 64 bits of information; the depth was 1."""
    with port_of(ws) as port:
        given = (0xABCDEF, 0xFEEDFACE12345678, 0xC000000D, 0x1234567890ABCDEF)
        expect("post", expected=STATUS_SUCCESS, actual=native(ws, "NtSetIoCompletion", port, *given))
        depth = ws.c.new(4)
        native(ws, "NtQueryIoCompletion", port, 0, depth.address, 4, 0)
        expect("depth", expected=1, actual=depth.number())
        expect("packet", expected=(STATUS_SUCCESS, *given), actual=removed(ws, port))


def removed_several(ws: Target, port: int, count: int, alertable: bool = False) -> tuple[int, int, list[int]]:
    """NtRemoveIoCompletionEx without waiting: status, count, and the keys."""
    entries, number = ws.c.new(32 * count), ws.c.new(b"\x99\0\0\0")
    given = (entries.address, count, number.address, timeout_at(ws), int(alertable))
    status = native(ws, "NtRemoveIoCompletionEx", port, *given)
    keys = [entries.number(8, 32 * at) for at in range(number.number())] if status == STATUS_SUCCESS else []
    return status, number.number(), keys


@case(
    "native.port.several",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-iocp-ex-timeout-count", "nt-iocp-ex-fifo", "nt-iocp-ex-one-at-a-time"],
)
def packets_are_removed_in_batches(ws: Target) -> None:
    """From an empty port none, with a count of 1 all the same; of two packets both in order, or one at a time."""
    with port_of(ws) as port:
        expect("empty", expected=(STATUS_TIMEOUT, 1, []), actual=removed_several(ws, port, 2))
        for key in (1, 2, 3, 4):
            native(ws, "NtSetIoCompletion", port, key, 0, 0, 0)
        expect("two", expected=(STATUS_SUCCESS, 2, [1, 2]), actual=removed_several(ws, port, 2))
        for key in (3, 4):
            expect("one", expected=(STATUS_SUCCESS, 1, [key]), actual=removed_several(ws, port, 1))


@case(
    "native.port.apcs",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-iocp-ex-apc-nonalertable", "nt-iocp-ex-apc-alertable", "nt-iocp-ex-packet-before-apc"],
)
def packets_come_before_apcs(ws: Target) -> None:
    """An APC ends an alertable removal from an empty port, and that only; a packet comes first."""
    calls: list[int] = []
    routine = ws.c.callback(lambda value: note(calls, value), (8,))
    thread = ws.GetCurrentThread()
    with port_of(ws) as port:
        ws.c.call("kernel32.QueueUserAPC", routine, thread, 5, returns="number")
        expect("not alertable", expected=STATUS_TIMEOUT, actual=removed_several(ws, port, 1)[0])
        expect("calls", expected=[], actual=calls)
        expect("alertable", expected=(STATUS_USER_APC, 1, []), actual=removed_several(ws, port, 1, alertable=True))
        expect("calls", expected=[5], actual=calls)
        ws.c.call("kernel32.QueueUserAPC", routine, thread, 6, returns="number")
        native(ws, "NtSetIoCompletion", port, 7, 0, 0, 0)
        expect("both", expected=(STATUS_SUCCESS, 1, [7]), actual=removed_several(ws, port, 1, alertable=True))
        expect("calls", expected=[5], actual=calls)
        native(ws, "NtTestAlert")
        expect("calls", expected=[5, 6], actual=calls)


@case(
    "native.apc.test-alert", chapter=CHAPTER, source=SYNC, basis="observed", needs_c=True, behaviours=["apc-testalert"]
)
def test_alert_runs_what_is_queued(ws: Target) -> None:
    """NtTestAlert runs a queued APC without waiting; a second one finds nothing."""
    calls: list[int] = []
    routine = ws.c.callback(lambda value: note(calls, value), (8,))
    ws.c.call("kernel32.QueueUserAPC", routine, ws.GetCurrentThread(), 9, returns="number")
    native(ws, "NtTestAlert")
    native(ws, "NtTestAlert")
    expect("calls", expected=[9], actual=calls)


# Files and ports


def associate(ws: Target, handle: int, port: int, key: int) -> int:
    """FileCompletionInformation."""
    block, information = ws.c.new(16), ws.c.new(struct.pack("<QQ", port, key))
    return native(ws, "NtSetInformationFile", handle, block.address, information.address, 16, 30)


def set_modes(ws: Target, handle: int, modes: int, size: int = 4) -> int:
    """FileIoCompletionNotificationInformation."""
    block, information = ws.c.new(16), ws.c.new(struct.pack("<I", modes))
    return native(ws, "NtSetInformationFile", handle, block.address, information.address, size, 41)


def modes_of(ws: Target, handle: int) -> int:
    block, information = ws.c.new(16), ws.c.new(4)
    status = native(ws, "NtQueryInformationFile", handle, block.address, information.address, 4, 41)
    expect("query", expected=STATUS_SUCCESS, actual=status)
    return information.number()


def read_file(
    ws: Target, handle: int, room: Block, *, event: int = 0, routine: int = 0, context: int = 0, offset: int = 0
) -> Request:
    """NtReadFile."""
    block = ws.c.new(struct.pack("<QQ", UNTOUCHED, UNTOUCHED))
    given = (room.address, room.size, timeout_at(ws, offset), 0)
    returned = native(ws, "NtReadFile", handle, event, routine, context, block.address, *given)
    return Request(returned, block, room)


@case(
    "native.file.port-packets",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-assoc-ok", "nt-pending-read-packet", "nt-sync-read-packet", "nt-assoc-after-submit"],
)
def reads_are_told_to_the_port(ws: Target) -> None:
    """A read that pends and one that does not are packets with the context; also of a port tied after the call."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        room = ws.c.new(8)
        early = read_file(ws, server, room, context=0x11)
        expect("returned", expected=STATUS_PENDING, actual=early.returned)
        expect("associated", expected=STATUS_SUCCESS, actual=associate(ws, server, port, 0x77))
        expect("no packet by that", expected=STATUS_TIMEOUT, actual=removed(ws, port)[0])
        ws.send(client, b"abc")
        expect("packet", expected=[0x77], actual=_one_key(ws, port))
        expect("outcome", expected=(STATUS_SUCCESS, 3), actual=(early.status, early.information))
        late = read_file(ws, server, room, context=0x12)
        ws.send(client, b"de")
        expect("returned", expected=STATUS_PENDING, actual=late.returned)
        expect("packet", expected=[0x77], actual=_one_key(ws, port))
        ws.send_and_settle(client, b"xyz")
        now = read_file(ws, server, room, context=0x13)
        expect("returned", expected=STATUS_SUCCESS, actual=now.returned)
        expect("packet", expected=(STATUS_SUCCESS, 0x77, 0x13, STATUS_SUCCESS, 3), actual=removed(ws, port))


def _one_key(ws: Target, port: int) -> list[int]:
    """The key of a packet, waited for."""
    return [ws.GetQueuedCompletionStatus(port, 5000)[1]]


@case(
    "native.file.sync-handle",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-assoc-sync-handle", "nt-notify-sync-handle"],
)
def synchronous_files_have_no_port(ws: Target) -> None:
    """A socket without the overlapped attribute cannot be tied to a port, nor skip its packets."""
    s = ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, None, 0, 0)
    with ws.closing(s), port_of(ws) as port:
        expect("associate", expected=STATUS_INVALID_PARAMETER, actual=associate(ws, s, port, 1))
        expect("modes", expected=STATUS_INVALID_PARAMETER, actual=set_modes(ws, s, 1))


@case(
    "native.file.modes",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-notify-short", "nt-notify-or", "nt-notify-unknown-bits"],
)
def notification_modes_accumulate(ws: Target) -> None:
    """Modes are never cleared, unknown bits ignored, and a short structure refused."""
    s = ws.udp()
    with ws.closing(s):
        expect("short", expected=STATUS_INFO_LENGTH_MISMATCH, actual=set_modes(ws, s, 1, size=3))
        for modes, then in ((1, 1), (2, 3), (0, 3), (0xDEADBEE0, 3)):
            expect("set", expected=STATUS_SUCCESS, actual=set_modes(ws, s, modes))
            expect("known ones", expected=then, actual=modes_of(ws, s) & 3)


@case(
    "native.file.skip-packets",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-notify-skip-sync", "nt-notify-skip-pending"],
)
def skipping_concerns_immediate_success(ws: Target) -> None:
    """With the skip mode a read that succeeds at once posts nothing, one that has pended does."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        associate(ws, server, port, 5)
        set_modes(ws, server, 1)
        room = ws.c.new(8)
        ws.send_and_settle(client, b"now")
        expect("at once", expected=STATUS_SUCCESS, actual=read_file(ws, server, room, context=1).returned)
        expect("port", expected=STATUS_TIMEOUT, actual=removed(ws, port)[0])
        expect("later", expected=STATUS_PENDING, actual=read_file(ws, server, room, context=2).returned)
        ws.send(client, b"later")
        expect("port", expected=[5], actual=_one_key(ws, port))


@case(
    "native.file.close-with-pending",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-close-with-pending"],
)
def closing_fails_what_pends(ws: Target) -> None:
    """The packet of a read that pends when its handle is closed has 0 bytes and a failing status."""
    with ws.connected_pair() as (_, server), port_of(ws) as port:
        associate(ws, server, port, 5)
        read_file(ws, server, ws.c.new(8), context=0x31)
        ws.closesocket(server)
        status, _, context, failed, moved = removed(ws, port)
        expect("packet", expected=(STATUS_SUCCESS, 0x31, 0), actual=(status, context, moved))
        expect_true("failing status", failed >= 0xC0000000, actual=hex(failed))


@case(
    "native.file.apcs",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-apc-and-event", "nt-apc-then-associate", "nt-apc-on-associated"],
)
def apc_routines_run_in_alertable_waits(ws: Target) -> None:
    """Event and routine: the event first, the routine once and later; a port tied meanwhile gets nothing."""
    calls: list[tuple[int, int]] = []
    routine = ws.c.callback(lambda context, block, _: note(calls, (context, block)), (8, 8, 4))
    with ws.connected_pair() as (client, server), port_of(ws) as port, event_of(ws) as event:
        room = ws.c.new(8)
        request = read_file(ws, server, room, event=event, routine=routine, context=0x41)
        associate(ws, server, port, 5)
        ws.send(client, b"apc")
        finished(ws, event)
        expect("before", expected=[], actual=calls)
        ws.SleepEx(0, True)
        ws.SleepEx(0, True)
        expect("calls", expected=[(0x41, request.block.address)], actual=calls)
        expect("packet", expected=STATUS_TIMEOUT, actual=removed(ws, port)[0])
        refused = read_file(ws, server, room, routine=routine)
        expect("with a port", expected=STATUS_INVALID_PARAMETER, actual=refused.returned)


@case(
    "native.file.offset",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-readfile-offset"],
)
def a_read_needs_an_offset(ws: Target) -> None:
    """A read of an overlapped socket wants an offset that is not negative, and ignores it."""
    with ws.connected_pair() as (client, server):
        room, block = ws.c.new(8), ws.c.new(16)
        given = (server, 0, 0, 0, block.address, room.address, 8)
        expect("none", expected=STATUS_INVALID_PARAMETER, actual=native(ws, "NtReadFile", *given, 0, 0))
        expect("negative", expected=STATUS_INVALID_PARAMETER, actual=read_file(ws, server, room, offset=-3).returned)
        ws.send_and_settle(client, b"data")
        expect("any other", expected=STATUS_SUCCESS, actual=read_file(ws, server, room, offset=1234).returned)


@case(
    "native.file.blocks",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-readfile-blocks"],
)
def non_blocking_mode_is_winsocks(ws: Target) -> None:
    """A read of a socket for synchronous calls waits for data also in non-blocking mode."""
    s = ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, None, 0, 0)
    other = ws.udp()
    with ws.closing(s, other), ws.thread() as reader:
        ws.bind(s, loopback(AF_INET))
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(s, bytearray(4))
        room = ws.c.new(8)
        waiting = reader.start(read_file, ws, s, room)
        expect_true("it waits", not waiting.finished_within(0.05))
        ws.sendto(other, b"wake", 0, ws.getsockname(s))
        request = waiting.result()
        expect("returned", expected=STATUS_SUCCESS, actual=request.returned)
        expect("data", expected=b"wake", actual=room.read(4))


# Names


@case(
    "native.names.bind",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-bind-result"],
)
def binding_tells_the_address(ws: Target) -> None:
    """AFD's bind gives the bound address; a bound socket is associated already, a busy address a sharing violation."""

    def bound(s: int, address: bytes) -> Request:
        return control(ws, s, IOCTL_AFD_BIND, bytes(4) + address, len(address))

    with ws.closing(ws.tcp()) as s, ws.closing(ws.tcp()) as other:
        request = bound(s, loopback())
        name = ws.getsockname(s)
        expect("returned", expected=STATUS_SUCCESS, actual=request.returned)
        expect("output", expected=(name, len(name)), actual=(request.output.read(), request.information))
        again, busy = bound(s, loopback()), bound(other, name)
        expect("again", expected=STATUS_ADDRESS_ALREADY_ASSOCIATED, actual=again.returned)
        expect("busy", expected=STATUS_SHARING_VIOLATION, actual=busy.returned)


@case(
    "native.names.getsockname",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-getsockname-low"],
)
def the_state_is_looked_at_before_the_room(ws: Target) -> None:
    """AFD's own name request: an unbound socket is an invalid parameter; of a bound one too little room is told."""

    def asked(s: int, size: int) -> Request:
        return control(ws, s, IOCTL_AFD_GETSOCKNAME, b"", size)

    with ws.closing(ws.tcp()) as s:
        expect("unbound", expected=[STATUS_INVALID_PARAMETER] * 2, actual=[asked(s, n).returned for n in (1, 64)])
        ws.bind(s, loopback())
        expect("too little room", expected=STATUS_BUFFER_TOO_SMALL, actual=asked(s, 1).returned)
        request, name = asked(s, 16), ws.getsockname(s)
        expect("returned", expected=STATUS_SUCCESS, actual=request.returned)
        expect("name", expected=name, actual=request.output.read())


# Receiving


@case(
    "native.recv.listener",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-recv-listener"],
)
def a_listener_has_no_connection(ws: Target) -> None:
    """AFD's receive on a listening socket is STATUS_INVALID_CONNECTION."""
    with ws.listener() as s:
        request = control(ws, s, IOCTL_AFD_RECV, receive_info(buffers(ws, ws.c.new(8))))
        expect("returned", expected=STATUS_INVALID_CONNECTION, actual=request.returned)


@case(
    "native.recv.buffers-copied",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-recv-buffers-copied"],
)
def the_array_of_buffers_is_copied(ws: Target) -> None:
    """A receive completes into the buffers that it was given, although their array was overwritten meanwhile."""
    with ws.connected_pair() as (client, server), event_of(ws) as event:
        first, second = ws.c.new(3), ws.c.new(5)
        array = buffers(ws, first, second)
        request = control(ws, server, IOCTL_AFD_RECV, receive_info(array, 2), event=event)
        pends(ws, request, event)
        array.write(b"\xcc" * array.size)
        ws.send(client, b"abcdefgh")
        finished(ws, event)
        expect("outcome", expected=(STATUS_SUCCESS, 8), actual=(request.status, request.information))
        expect("buffers", expected=(b"abc", b"defgh"), actual=(first.read(), second.read()))


@case(
    "native.recv.cut-datagram",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-recv-udp-truncated"],
)
def a_datagram_is_cut(ws: Target) -> None:
    """A datagram that is larger than the buffers ends in STATUS_BUFFER_OVERFLOW, now or later; the rest is lost."""
    with ws.udp_pair() as (one, other), event_of(ws) as event:
        room = ws.c.new(4)
        request = control(ws, other, IOCTL_AFD_RECV, receive_info(buffers(ws, room)), event=event)
        pends(ws, request, event)
        ws.send(one, b"longer")
        finished(ws, event)
        expect("pended", expected=(STATUS_BUFFER_OVERFLOW, 4), actual=(request.status, request.information))
        ws.send_and_settle(one, b"longer")
        ws.send(one, b"next")
        request = control(ws, other, IOCTL_AFD_RECV, receive_info(buffers(ws, room)), event=event)
        finished(ws, event)
        expect("at once", expected=(STATUS_BUFFER_OVERFLOW, 4), actual=(request.status, request.information))
        control(ws, other, IOCTL_AFD_RECV, receive_info(buffers(ws, room)), event=event)
        finished(ws, event)
        expect("data", expected=b"next", actual=room.read())


@case(
    "native.recv.close-{row}",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-recv-close-pending"],
    rows={"udp": Row("udp", STATUS_CANCELLED), "tcp": Row("tcp", STATUS_CONNECTION_ABORTED)},
)
def closing_ends_a_receive(ws: Target, kind: str, status: int) -> None:
    """A receive that pends when its socket is closed: cancelled for UDP, connection aborted for TCP."""
    pair: Any = ws.udp_pair() if kind == "udp" else ws.connected_pair()
    with pair as (_, s), event_of(ws) as event:
        request = control(ws, s, IOCTL_AFD_RECV, receive_info(buffers(ws, ws.c.new(4))), event=event)
        pends(ws, request, event)
        ws.closesocket(s)
        finished(ws, event)
        expect("outcome", expected=(status, 0), actual=(request.status, request.information))


# Polls


@case(
    "native.poll.bad-{row}",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-bad-sizes"],
    rows={
        "count": Row(0, 0, STATUS_INVALID_PARAMETER),
        "input": Row(8, 0, STATUS_INVALID_PARAMETER),
        "output": Row(0, 8, STATUS_INVALID_PARAMETER),
    },
)
def bad_sizes_are_refused(ws: Target, less_in: int, less_out: int, status: int) -> None:
    """A poll of no sockets, with too little input, or with less output than input, is an invalid parameter."""
    s = ws.udp()
    with ws.closing(s):
        sockets = [(s, EVERYTHING)] if less_in or less_out else []
        data = poll_info(sockets, 0)
        request = control(ws, s, IOCTL_AFD_POLL, data[: len(data) - less_in], len(data) - less_out)
        expect("returned", expected=status, actual=request.returned)


@case(
    "native.poll.no-socket",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-bad-sizes"],
)
def an_unknown_socket_fails_the_request(ws: Target) -> None:
    """One handle that is no socket makes the whole poll an invalid handle."""
    s = ws.udp()
    with ws.closing(s):
        request = poll(ws, s, [(s, SEND), (0xABCDEF0, SEND)], 0)
        expect("returned", expected=STATUS_INVALID_HANDLE, actual=request.returned)


@case(
    "native.poll.timeouts",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-zero-timeout"],
)
def a_poll_ends_with_its_time(ws: Target) -> None:
    """With nothing ready, a poll without time completes at once and one with some later, both with no entries."""
    with ws.connected_pair() as (_, server), event_of(ws) as event:
        expect("at once", expected=[], actual=polled(ws, server, [(server, RECEIVE)]))
        request = poll(ws, server, [(server, RECEIVE)], -500_000, event=event)
        expect("returned", expected=STATUS_PENDING, actual=request.returned)
        finished(ws, event)
        expect("entries", expected=[], actual=request.entries())


@case(
    "native.poll.any-handle",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-any-handle"],
)
def a_poll_is_made_on_any_handle(ws: Target) -> None:
    """Polls about some sockets are made on another one, or on the device; reports are in the order of the request."""
    with ws.connected_pair() as (client, server), device(ws) as afd:
        other = ws.udp()
        with ws.closing(other):
            ws.send_and_settle(client, b"x")
            asked = [(client, RECEIVE), (server, RECEIVE), (client, SEND)]
            expected = [(server, RECEIVE, 0), (client, SEND, 0)]
            for handle in (other, afd):
                expect("entries", expected=expected, actual=polled(ws, handle, asked))


@case("native.poll.device-waits", chapter=CHAPTER, source=AFD, basis="observed", needs_c=True)
def a_poll_on_the_device_waits(ws: Target) -> None:
    """A poll on the device completes with the socket that becomes ready, as a packet of the device's port."""
    with ws.connected_pair() as (client, server), device(ws) as afd, port_of(ws) as port:
        expect("associated", expected=STATUS_SUCCESS, actual=associate(ws, afd, port, 0x99))
        request = poll(ws, afd, [(server, RECEIVE | DISCONNECT | ABORT)], context=0x1111)
        expect("returned", expected=STATUS_PENDING, actual=request.returned)
        ws.send(client, b"x")
        expect("packet", expected=[0x99], actual=_one_key(ws, port))
        expect("entries", expected=[(server, RECEIVE, 0)], actual=request.entries())


@case(
    "native.poll.connect-and-write",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-connect-and-write"],
)
def connecting_is_connect_and_send(ws: Target) -> None:
    """A poll begun before a connect ends with CONNECT and SEND together."""
    s = ws.tcp()
    with ws.closing(s), ws.listener() as listener, event_of(ws) as event:
        request = poll(ws, s, [(s, EVERYTHING & ~DISCONNECT)], event=event)
        pends(ws, request, event)
        ws.connect(s, ws.getsockname(listener))
        finished(ws, event)
        expect("entries", expected=[(s, CONNECT | SEND, 0)], actual=request.entries())


@case(
    "native.poll.shutdown-with-data",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-shutdown-data"],
)
def data_before_the_end_shows_both(ws: Target) -> None:
    """After data and a shutdown of the peer, RECEIVE, SEND, CONNECT and DISCONNECT hold at once."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        ws.shutdown(client, SD_SEND)
        expected = [(server, RECEIVE | SEND | CONNECT | DISCONNECT, 0)]
        ws.until("both", lambda: polled(ws, server, [(server, EVERYTHING)]) == expected)


@case(
    "native.poll.closed",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-close-reported"],
)
def closing_is_told_unasked(ws: Target) -> None:
    """A socket that is closed while it is polled is reported as that, whatever was asked."""
    with ws.connected_pair() as (_, server), device(ws) as afd, event_of(ws) as event:
        request = poll(ws, afd, [(server, RECEIVE)], event=event)
        pends(ws, request, event)
        ws.closesocket(server)
        finished(ws, event)
        expect("entries", expected=[(server, LOCAL_CLOSE, 0)], actual=request.entries())


@case(
    "native.poll.carrier-closed",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-close-carrier"],
)
def closing_the_carrier_changes_nothing(ws: Target) -> None:
    """A poll of one socket goes on when the handle it was made on is closed, until its time is over."""
    with ws.connected_pair() as (_, server), event_of(ws) as event:
        carrier = ws.udp()
        request = poll(ws, carrier, [(server, RECEIVE)], -2_000_000, event=event)
        ws.closesocket(carrier)
        pends(ws, request, event)
        finished(ws, event)
        expect("entries", expected=[], actual=request.entries())


@case(
    "native.poll.refused",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-refused"],
)
def a_refused_connect_is_told_every_time(ws: Target) -> None:
    """A refused connect is CONNECT_FAIL alone, with its status, in every poll; also after a call that has waited."""
    expected = [(CONNECT_FAIL, STATUS_CONNECTION_REFUSED)]
    s, t = ws.tcp(), ws.tcp()
    with ws.closing(s, t), event_of(ws) as event:
        ws.nonblocking(s)
        request = poll(ws, s, [(s, EVERYTHING & ~DISCONNECT)], event=event)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, ws.dead_address())
        finished(ws, event)
        expect("polled before", expected=expected, actual=[one[1:] for one in request.entries()])
        with fails_with(WSAECONNREFUSED):
            ws.connect(t, ws.dead_address())
        for socket in (s, s, t):
            expect("again", expected=expected, actual=[one[1:] for one in polled(ws, s, [(socket, EVERYTHING)])])


@case(
    "native.poll.pending-receive",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-pending-recv"],
)
def a_receive_takes_the_data_first(ws: Target) -> None:
    """A byte goes to the receive that pends; the poll for data ends with the next one."""
    with ws.connected_pair() as (client, server), event_of(ws) as event, event_of(ws) as received:
        overlapped, buffer = ws.overlapped(received), bytearray(1)
        expect("receive", expected=PENDING, actual=ws.WSARecv(server, [buffer], 0, overlapped))
        request = poll(ws, server, [(server, RECEIVE)], event=event)
        ws.send(client, b"1")
        finished(ws, received)
        pends(ws, request, event)
        ws.send(client, b"2")
        finished(ws, event)
        expect("entries", expected=[(server, RECEIVE, 0)], actual=request.entries())


@case(
    "native.poll.pending-accept",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-pending-acceptex"],
)
def an_accept_takes_the_connection_first(ws: Target) -> None:
    """A connection goes to the AcceptEx that pends; the poll ends with the next one."""
    first, second, acceptor = ws.tcp(), ws.tcp(), ws.tcp()
    with ws.listener() as listener, ws.closing(first, second, acceptor), event_of(ws) as event, event_of(ws) as done:
        overlapped = ws.overlapped(done)
        ws.AcceptEx(listener, acceptor, bytearray(64), 0, 32, 32, overlapped)
        request = poll(ws, listener, [(listener, ACCEPT)], event=event)
        ws.connect(first, ws.getsockname(listener))
        finished(ws, done)
        pends(ws, request, event)
        ws.connect(second, ws.getsockname(listener))
        finished(ws, event)
        expect("entries", expected=[(listener, ACCEPT, 0)], actual=request.entries())


@case(
    "native.poll.listed-twice",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-same-socket-twice"],
)
def a_socket_that_is_listed_twice(ws: Target) -> None:
    """A socket that is ready at once is reported for each place in the list; one that was waited for just once."""
    with ws.connected_pair() as (client, server), event_of(ws) as event:
        twice = [(server, RECEIVE), (server, RECEIVE)]
        request = poll(ws, server, twice, event=event)
        pends(ws, request, event)
        ws.send(client, b"x")
        finished(ws, event)
        expect("waited", expected=[(server, RECEIVE, 0)], actual=request.entries())
        expect("at once", expected=[(server, RECEIVE, 0)] * 2, actual=polled(ws, server, twice))


@case(
    "native.poll.udp-connect",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-udp-connect"],
)
def a_datagram_socket_connects(ws: Target) -> None:
    """A poll for CONNECT of a datagram socket ends when it gets its peer."""
    s, peer = ws.udp(), ws.udp()
    with ws.closing(s, peer), event_of(ws) as event:
        ws.bind(peer, loopback(AF_INET))
        request = poll(ws, s, [(s, CONNECT)], event=event)
        pends(ws, request, event)
        ws.connect(s, ws.getsockname(peer))
        finished(ws, event)
        expect("entries", expected=[(s, CONNECT, 0)], actual=request.entries())


@case(
    "native.poll.exclusive", chapter=CHAPTER, source=AFD, basis="observed", needs_c=True, behaviours=["afd-exclusive"]
)
def exclusive_polls_end_each_other(ws: Target) -> None:
    """A second exclusive poll of a socket ends the first with nothing; others, and ordinary ones, are left alone."""
    with ws.connected_pair() as (client, server), device(ws) as afd, event_of(ws) as one, event_of(ws) as two:
        first = poll(ws, afd, [(server, RECEIVE)], exclusive=True, event=one)
        pends(ws, first, one)
        poll(ws, afd, [(client, RECEIVE)], -10_000_000, exclusive=True)
        expect("another socket", expected=WSA_WAIT_TIMEOUT, actual=ws.WaitForSingleObject(one, 0))
        second = poll(ws, afd, [(server, RECEIVE)], exclusive=True, event=two)
        finished(ws, one)
        expect("the first", expected=(STATUS_SUCCESS, []), actual=(first.status, first.entries()))
        pends(ws, second, two)
        ordinary = poll(ws, afd, [(server, RECEIVE)], event=one)
        pends(ws, ordinary, one)
        ws.send(client, b"x")
        finished(ws, two)
        finished(ws, one)


@case(
    "native.poll.port-needs-context",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-poll-port-needs-context"],
)
def packets_need_a_context(ws: Target) -> None:
    """A poll without a context posts no packet; with one it posts one, also for what is ready at once."""
    with ws.connected_pair() as (_, server), port_of(ws) as port:
        associate(ws, server, port, 3)
        poll(ws, server, [(server, SEND)])
        expect("without", expected=STATUS_TIMEOUT, actual=removed(ws, port)[0])
        poll(ws, server, [(server, SEND)], context=0x51)
        expect("with", expected=(STATUS_SUCCESS, 3, 0x51, STATUS_SUCCESS, 32), actual=removed(ws, port))


@case("native.poll.reset", chapter=CHAPTER, source=AFD, basis="observed", needs_c=True, behaviours=["afd-poll-rst"])
def a_reset_is_abort_alone(ws: Target) -> None:
    """A poll for everything but SEND and CONNECT ends with ABORT alone when the peer resets."""
    with ws.connected_pair() as (client, server), event_of(ws) as event:
        request = poll(ws, server, [(server, EVERYTHING & ~(SEND | CONNECT))], event=event)
        pends(ws, request, event)
        ws.reset(client)
        finished(ws, event)
        expect("entries", expected=[(server, ABORT, 0)], actual=request.entries())


@case("native.poll.cancel", chapter=CHAPTER, source=AFD, basis="documented", needs_c=True)
def a_poll_can_be_cancelled(ws: Target) -> None:
    """NtCancelIoFileEx ends a poll by its status block with STATUS_CANCELLED, once."""
    with ws.connected_pair() as (_, server), device(ws) as afd, event_of(ws) as event:
        request = poll(ws, afd, [(server, RECEIVE)], event=event)
        pends(ws, request, event)
        block = ws.c.new(16)
        given = (afd, request.block.address, block.address)
        expect("cancel", expected=STATUS_SUCCESS, actual=native(ws, "NtCancelIoFileEx", *given))
        finished(ws, event)
        expect("status", expected=STATUS_CANCELLED, actual=request.status)
        expect_true("again", native(ws, "NtCancelIoFileEx", *given) >= 0xC0000000)


@case(
    "native.status.to-win32",
    chapter=CHAPTER,
    source="winternl/nf-winternl-rtlntstatustodoserror",
    basis="documented",
    needs_c=True,
)
def statuses_have_win32_codes(ws: Target) -> None:
    """RtlNtStatusToDosError: success, pending, a cancelled request, a bad handle, and one that nobody knows."""
    for status, code in ((0, 0), (0x103, 997), (0xC0000120, 995), (0xC0000008, 6), (0xC0ABCDEF, 317)):
        expect("code", expected=code, actual=ws.c.call("ntdll.RtlNtStatusToDosError", status, returns="u32"))


@case(
    "native.recv.urgent",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-recv-oob-flag"],
)
def urgent_data_is_received_by_its_flag(ws: Target) -> None:
    """The urgent byte can be received by its flag after the ordinary data has been."""
    with ws.connected_pair() as (client, server), event_of(ws) as event:
        ws.send(client, b"data")
        ws.send(client, b"!", MSG_OOB)
        ws.until("urgent data", lambda: polled(ws, server, [(server, EXPEDITED)]))
        room = ws.c.new(8)
        for tdi, data in ((0x20, b"data"), (0x40, b"!")):
            request = control(ws, server, IOCTL_AFD_RECV, receive_info(buffers(ws, room), tdi=tdi), event=event)
            finished(ws, event)
            expect("outcome", expected=(STATUS_SUCCESS, len(data)), actual=(request.status, request.information))
            expect("data", expected=data, actual=room.read(len(data)))


@case(
    "native.recv.wait-all",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-recv-waitall"],
)
def a_receive_waits_for_all(ws: Target) -> None:
    """A receive of six bytes with the flag for all pends with four that are there."""
    with ws.connected_pair() as (client, server), event_of(ws) as event:
        ws.send_and_settle(client, b"four")
        room = ws.c.new(6)
        request = control(ws, server, IOCTL_AFD_RECV, receive_info(buffers(ws, room), tdi=0x4020), event=event)
        pends(ws, request, event)
        ws.send(client, b"56")
        finished(ws, event)
        expect("outcome", expected=(STATUS_SUCCESS, 6), actual=(request.status, request.information))
        expect("data", expected=b"four56", actual=room.read())


def events_taken(ws: Target, s: int) -> tuple[int, list[int]]:
    """IOCTL_AFD_GET_EVENTS: flags, and the statuses that are not 0."""
    request = control(ws, s, IOCTL_AFD_GET_EVENTS, b"", 56)
    expect("returned", expected=STATUS_SUCCESS, actual=request.returned)
    flags, *statuses = struct.unpack("<14I", request.output.read(56))
    return flags, [status for status in statuses if status]


def select_events(ws: Target, s: int, event: int, events: int) -> int:
    """IOCTL_AFD_EVENT_SELECT."""
    return control(ws, s, IOCTL_AFD_EVENT_SELECT, struct.pack("<QIxxxx", event, events)).returned


@case(
    "native.events.taken-once",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-getevents-once"],
)
def events_are_taken_once(ws: Target) -> None:
    """After selecting everything a client has SEND and CONNECT, an accepted socket SEND; taking them clears them."""
    with ws.connected_pair() as (client, server), event_of(ws) as event:
        for s, flags in ((client, SEND | CONNECT), (server, SEND)):
            expect("select", expected=STATUS_SUCCESS, actual=select_events(ws, s, event, EVERYTHING))
            expect("first", expected=(flags, []), actual=events_taken(ws, s))
            expect("second", expected=(0, []), actual=events_taken(ws, s))


@case("native.events.refused", chapter=CHAPTER, source=AFD, basis="observed", needs_c=True)
def a_refused_connect_has_its_status(ws: Target) -> None:
    """A refused connect is CONNECT_FAIL with its status."""
    s = ws.tcp()
    with ws.closing(s), event_of(ws) as event:
        select_events(ws, s, event, CONNECT | CONNECT_FAIL)
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, ws.dead_address())
        finished(ws, event)
        expect("events", expected=(CONNECT_FAIL, [STATUS_CONNECTION_REFUSED]), actual=events_taken(ws, s))


@case(
    "native.events.no-event",
    chapter=CHAPTER,
    source=AFD,
    basis="observed",
    needs_c=True,
    behaviours=["afd-eventselect-null-event"],
)
def selecting_without_an_event(ws: Target) -> None:
    """Events without an event object are an invalid parameter; neither clears selection and record."""
    with ws.connected_pair() as (client, server), event_of(ws) as event:
        expect("events", expected=STATUS_INVALID_PARAMETER, actual=select_events(ws, server, 0, SEND))
        select_events(ws, server, event, RECEIVE)
        ws.send(client, b"x")
        finished(ws, event)
        expect("nothing", expected=STATUS_SUCCESS, actual=select_events(ws, server, 0, 0))
        expect("taken", expected=(0, []), actual=events_taken(ws, server))


@case(
    "native.file.apc-after-failure",
    chapter=CHAPTER,
    source=FILE,
    basis="observed",
    needs_c=True,
    behaviours=["nt-apc-on-async-failure", "nt-apc-on-sync-failure"],
)
def apcs_of_failed_reads(ws: Target) -> None:
    """Past the end an overlapped file's read pends, fails, sets event and runs the APC; another fails without APC."""
    calls: list[int] = []
    routine = ws.c.callback(lambda context, block, _: note(calls, context), (8, 8, 4))
    overlapped_flag, delete_on_close, generic_read, create_always = 0x40000000, 0x04000000, 0x80000000, 2
    name = ws.c.new(f"winsock2-native-{ws.c.call('kernel32.GetCurrentProcessId', returns='u32')}.tmp\0".encode())
    for flags, expected in ((overlapped_flag, [0x61]), (0, [])):
        given = (name.address, generic_read | 0x00010000, 7, 0, create_always, flags | delete_on_close, 0)
        file = ws.c.check("kernel32.CreateFileA", *given, returns="socket")
        with event_of(ws) as event:
            request = read_file(ws, file, ws.c.new(8), event=event, routine=routine, context=0x61)
            finished(ws, event)
            if flags:
                expect("returned", expected=STATUS_PENDING, actual=request.returned)
                expect("status", expected=STATUS_END_OF_FILE, actual=request.status)
            else:
                expect("returned", expected=STATUS_END_OF_FILE, actual=request.returned)
            ws.SleepEx(0, True)
            expect("calls", expected=expected, actual=calls)
        calls.clear()
        ws.CloseHandle(file)
