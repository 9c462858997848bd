"""The C-ABI driver, on a made-up machine whose functions are Python functions working on its memory."""

from __future__ import annotations

import ctypes
import json
import socket as host_socket
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from conformance import addresses
from conformance.constants import WSAEFAULT, WSAEMSGSIZE, WSAENOBUFS, WSAENOTSOCK
from conformance.driver import CDriver
from conformance.layouts import LAYOUTS
from conformance.machine import MASK, Called, InProcess
from conformance.model import Outcome
from conformance.records import AddrInfo, ProtocolInfo, ReceivedMessage
from conformance.runner import run_case
from conformance.target import CALLS, Target, flags_of
from conformance.verify import Failed, Mismatch, NotApplicable, Record, recording
from tests.conformance.madeup import declare

Function = Callable[..., int]


class Machine(InProcess):
    """Exports given as Python functions of ints; setting ``error`` is SetLastError."""

    def __init__(self) -> None:
        super().__init__()
        self.exports: dict[str, Function] = {}
        self.threads: list[str] = []
        self.error = 0
        self._by_address: dict[int, Function] = {}

    def lookup(self, dll: str, name: str) -> int:
        function = self.exports.get(name)
        if function is None:
            return 0
        self._by_address[id(function)] = function
        return id(function)

    def call(self, thread: str, address: int, arguments: Sequence[int]) -> Called:
        self.threads.append(thread)
        result = self._by_address[address](*(value & MASK for value in arguments))
        return Called(result & MASK, self.error)

    def fail(self, code: int, value: int = -1) -> int:
        self.error = code
        return value

    def number(self, address: int, size: int = 4) -> int:
        return int.from_bytes(self.read(address, size), "little")

    def put(self, address: int, value: int, size: int = 4) -> None:
        self.write(address, value.to_bytes(size, "little"))


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def ws(machine: Machine) -> CDriver:
    return CDriver(machine)


def test_results_are_narrowed_and_failures_carry_the_last_error(machine: Machine, ws: CDriver) -> None:
    machine.exports["closesocket"] = lambda s: machine.fail(WSAENOTSOCK, 0xDEAD_0000_FFFF_FFFF)
    with pytest.raises(Failed) as caught:
        ws.closesocket(4)
    assert caught.value.code == WSAENOTSOCK

    machine.exports["socket"] = lambda af, type, protocol: 0xFFFF_FFFF  # a legal SOCKET, though -1 in 32 bits
    assert ws.socket(2, 1, 6) == 0xFFFF_FFFF
    machine.exports["socket"] = lambda af, type, protocol: machine.fail(WSAEFAULT)
    ws = CDriver(machine)
    with pytest.raises(Failed):
        ws.socket(2, 1, 6)


def test_a_missing_export_does_not_apply(ws: CDriver) -> None:
    with pytest.raises(NotApplicable):
        ws.listen(4, 1)


def test_calls_name_the_thread_they_come_from(machine: Machine, ws: CDriver) -> None:
    machine.exports["htons"] = lambda value: value
    with ws.thread() as other:
        other.call(ws.htons, 1)
        ws.htons(1)
        assert machine.threads == [other.name, threading.current_thread().name]


def test_startup_reads_the_record_and_takes_the_code_from_the_result(machine: Machine, ws: CDriver) -> None:
    def startup(version: int, data: int) -> int:
        machine.put(data, version, 2)
        machine.put(data + 2, 0x0202, 2)
        machine.put(data + 4, 32767, 2)
        machine.write(data + 16, b"WinSock 2.0\0")
        return 0 if version else 10092

    machine.exports["WSAStartup"] = startup
    got = ws.WSAStartup(0x0101)
    assert (got.version, got.high_version, got.max_sockets, got.description) == (
        0x0101,
        0x0202,
        32767,
        "WinSock 2.0",
    )
    with pytest.raises(Failed) as caught:
        ws.WSAStartup(0)
    assert caught.value.code == 10092


def test_scattered_data_come_back_into_the_buffers(machine: Machine, ws: CDriver) -> None:
    def wsarecv(s: int, array: int, count: int, moved: int, flags: int, op: int, routine: int) -> int:
        data = b"hello"
        for at in range(array, array + 16 * count, 16):
            size, where = machine.number(at), machine.number(at + 8, 8)
            machine.write(where, data[:size])
            data = data[size:]
        machine.put(moved, 5)
        machine.put(flags, machine.number(flags) | 0x8000)
        return 0

    machine.exports["WSARecv"] = wsarecv
    first, second = bytearray(2), bytearray(8)
    received = ws.WSARecv(4, [first, second], 2)
    assert (received, flags_of(received)) == (5, 0x8002)
    assert (bytes(first), bytes(second)) == (b"he", b"llo" + bytes(5))


def test_a_failed_receive_tells_what_it_moved_and_who_sent(machine: Machine, ws: CDriver) -> None:
    sender = addresses.sockaddr_in(port=7)

    def wsarecvfrom(s: int, array: int, count: int, moved: int, flags: int, name: int, length: int, *_: int) -> int:
        machine.write(machine.number(array + 8, 8), b"ab")
        machine.put(moved, 2)
        machine.write(name, sender)
        machine.put(length, 16)
        return machine.fail(WSAEMSGSIZE)

    machine.exports["WSARecvFrom"] = wsarecvfrom
    buffer = bytearray(2)
    with pytest.raises(Failed) as caught:
        ws.WSARecvFrom(4, [buffer])
    assert (caught.value.moved, caught.value.address, bytes(buffer)) == (2, sender, b"ab")


def test_null_and_empty_arguments_reach_the_function_as_such(machine: Machine, ws: CDriver) -> None:
    seen: list[tuple[int, ...]] = []

    def record(*arguments: int) -> int:
        seen.append(arguments)
        return 0

    for name in ("WSASend", "send", "bind", "sendto", "setsockopt", "ioctlsocket", "recv"):
        machine.exports[name] = record
    ws.WSASend(4, None)
    assert (seen[-1][1], seen[-1][2]) == (0, 1)
    ws.WSASend(4, [])
    assert seen[-1][1] != 0
    assert seen[-1][2] == 0
    ws.send(4, None)
    assert seen[-1][1:3] == (0, 1)
    ws.recv(4, None)
    assert seen[-1][1:3] == (0, 1)
    ws.bind(4, None)
    assert seen[-1][1:3] == (0, 0)
    ws.sendto(4, b"x", 0, None)
    assert seen[-1][4:6] == (0, 0)
    ws.setsockopt(4, 0xFFFF, 8, None)
    assert seen[-1][3:5] == (0, 4)
    ws.ioctlsocket(4, 0x8004667E, None)
    assert seen[-1][2] == 0


def test_an_element_none_is_a_wsabuf_without_memory(machine: Machine, ws: CDriver) -> None:
    seen: list[tuple[int, int]] = []

    def wsasend(s: int, array: int, count: int, *_: int) -> int:
        seen.extend((machine.number(array + 16 * i), machine.number(array + 16 * i + 8, 8)) for i in range(count))
        return 0

    machine.exports["WSASend"] = wsasend
    ws.WSASend(4, [b"abc", None])
    assert seen[0][0] == 3
    assert seen[0][1] != 0
    assert seen[1] == (1, 0)


@pytest.mark.parametrize("offset", [-1, 4])
def test_writing_outside_of_a_buffer_is_caught(machine: Machine, ws: CDriver, offset: int) -> None:
    def recv(s: int, buffer: int, size: int, flags: int) -> int:
        machine.write(buffer + offset, b"!")
        return 1

    machine.exports["recv"] = recv
    with pytest.raises(Mismatch, match="block of 4 bytes"):
        ws.recv(4, bytearray(4))


def test_memory_of_a_case_is_checked_when_it_ends(machine: Machine, ws: CDriver) -> None:
    machine.exports["WSAStartup"] = lambda version, data: 0
    machine.exports["WSACleanup"] = lambda: machine.fail(10093)

    def writes_outside(target: Target) -> None:
        block = target.c.new(8)
        block.write(b"x", at=8)

    result = run_case(declare(writes_outside, needs_c=True), ws)
    assert result.outcome is Outcome.FAIL
    assert "behind a block of 8 bytes" in result.reason


def test_select_passes_counted_arrays_and_returns_members(machine: Machine, ws: CDriver) -> None:
    def select(nfds: int, reads: int, writes: int, excepts: int, when: int) -> int:
        assert excepts == 0
        assert machine.number(reads) == 2
        assert machine.number(reads + 16, 8) == 8
        assert (machine.number(when), machine.number(when + 4)) == (1, 500_000)
        machine.put(reads, 1)
        machine.put(reads + 8, 8, 8)
        machine.put(writes, 0)
        return 1

    machine.exports["select"] = select
    assert ws.select([4, 8], [4], None, (1, 500_000)) == ([8], [], [])


def test_select_whose_count_and_sets_disagree_is_a_mismatch(machine: Machine, ws: CDriver) -> None:
    machine.exports["select"] = lambda *_: 3
    with pytest.raises(Mismatch, match="3 sockets"):
        ws.select([4], None, None, (0, 0))


@pytest.mark.parametrize("form", ["A", "W"])
def test_text_goes_and_comes_in_the_form_of_the_function(machine: Machine, ws: CDriver, form: str) -> None:
    width, encoding = (1, "latin-1") if form == "A" else (2, "utf-16-le")

    def to_address(text: int, family: int, info: int, room: int, size: int) -> int:
        assert machine.read(text, 4 * width).decode(encoding) == "::1\0"
        assert machine.number(size) == 128
        machine.write(room, addresses.sockaddr_in6())
        machine.put(size, 28)
        return 0

    def to_string(address: int, length: int, info: int, room: int, size: int) -> int:
        machine.write(room, "::1\0".encode(encoding))
        if machine.number(size) < 4:
            machine.put(size, 4)
            return machine.fail(WSAEFAULT)
        machine.put(size, 4)
        return 0

    machine.exports[f"WSAStringToAddress{form}"] = to_address
    machine.exports[f"WSAAddressToString{form}"] = to_string
    ws.form = form
    assert ws.WSAStringToAddress("::1", 23) == addresses.sockaddr_in6()
    assert ws.WSAAddressToString(addresses.sockaddr_in6()) == "::1"


@pytest.mark.parametrize("form", ["A", "W"])
def test_protocol_records_survive_packing(machine: Machine, ws: CDriver, form: str) -> None:
    ws.form = form
    info = ProtocolInfo(
        service_flags1=0x20066,
        address_family=2,
        socket_type=1,
        protocol=6,
        name="TCP",
        chain_len=2,
        protocol_chain=(1001, 1002),
    )
    data = ws._pack_protocol(info)

    def enumerate_protocols(wanted: int, room: int, size: int) -> int:
        if machine.number(size) < 2 * len(data):
            machine.put(size, 2 * len(data))
            return machine.fail(WSAENOBUFS)
        assert [machine.number(wanted + 4 * i) for i in range(2)] == [6, 0]
        machine.write(room, data + data)
        return 2

    machine.exports[f"WSAEnumProtocols{form}"] = enumerate_protocols
    assert ws.WSAEnumProtocols([6]) == [info, info]


def test_address_lists_are_followed_and_freed(machine: Machine, ws: CDriver) -> None:
    freed: list[int] = []
    name, address = machine.alloc(32), machine.alloc(16)
    machine.write(name, "host\0".encode("utf-16-le"))
    machine.write(address, addresses.sockaddr_in(port=80))
    second, first = machine.alloc(48), machine.alloc(48)
    machine.write(second, LAYOUTS["addrinfo"].pack(ai_family=23))
    machine.write(
        first,
        LAYOUTS["addrinfo"].pack(
            ai_family=2, ai_socktype=1, ai_addrlen=16, ai_canonname=name, ai_addr=address, ai_next=second
        ),
    )

    def getaddrinfo(node: int, service: int, hints: int, answer: int) -> int:
        assert machine.read(node, 10).decode("utf-16-le") == "host\0"
        assert service == 0
        assert machine.number(hints) == 2
        machine.put(answer, first, 8)
        return 0

    machine.exports["GetAddrInfoW"] = getaddrinfo

    def free(item: int) -> int:
        freed.append(item)
        return 0

    machine.exports["FreeAddrInfoW"] = free
    found = ws.getaddrinfo("host", None, AddrInfo(flags=2))
    assert [entry.family for entry in found] == [2, 23]
    assert (found[0].canonname, found[0].addr) == ("host", addresses.sockaddr_in(port=80))
    assert freed == [first]


def test_condition_function_sees_buffers_and_its_errors_come_back(machine: Machine, ws: CDriver) -> None:
    caller = addresses.sockaddr_in(port=5)
    text = machine.alloc(16)
    machine.write(text, caller)
    caller_id = machine.alloc(16)
    machine.write(caller_id, LAYOUTS["WSABUF"].pack(len=16, buf=text))

    def wsaaccept(s: int, name: int, length: int, condition: int, extra: int) -> int:
        function = ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * 8)(condition)
        answer = int(function(caller_id, 0, 0, 0, 0, 0, 0, extra))
        machine.put(length, 0)
        return 12 if answer == 0 else machine.fail(10061)

    machine.exports["WSAAccept"] = wsaaccept
    seen: list[tuple[bytes, bytes | None, bytes, int]] = []

    def accept_all(*arguments: object) -> int:
        seen.append(arguments)  # type: ignore[arg-type]
        return 0

    assert ws.WSAAccept(4, None, accept_all, 77) == (12, b"")
    assert seen == [(caller, None, b"", 77)]

    def broken(*arguments: object) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ws.WSAAccept(4, None, broken)


def test_raw_calls_give_the_result_and_the_last_error(machine: Machine, ws: CDriver) -> None:
    machine.exports["recv"] = lambda *_: machine.fail(WSAEFAULT, 0xFFFF_FFFF)
    assert ws.c.call("recv", 4, 0, 4, 0) == -1
    assert ws.c.last_error == WSAEFAULT
    with pytest.raises(Failed):
        ws.c.check("recv", 4, 0, 4, 0)


def test_calls_are_noted_as_steps(machine: Machine, ws: CDriver) -> None:
    machine.exports["shutdown"] = lambda s, how: machine.fail(WSAENOTSOCK)
    with recording(Record()) as record, pytest.raises(Failed):
        ws.shutdown(4, 1)
    assert record.steps == ["shutdown(4, 1) -> -1, WSAENOTSOCK (10038)"]


def test_callbacks_get_unsigned_numbers_of_their_width(machine: Machine) -> None:
    seen: list[tuple[int, ...]] = []

    def callback(*arguments: int) -> int:
        seen.append(arguments)
        return 9

    address = machine.callback(callback, (4, 8))
    function = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)(address)
    assert function(0xDEAD_BEEF_0000_0001, 2**40) == 9
    assert seen == [(1, 2**40)]


def test_layouts_agree_with_the_reference(reference: Callable[[str], Path]) -> None:
    structs = json.loads(reference("structs.json").read_text(encoding="utf-8"))
    records, aliases = structs["structs"], structs["aliases"]
    for name, layout in LAYOUTS.items():
        record = records.get(name) or records[next(real for alias, real in aliases.items() if alias == name)]
        assert layout.size == record["win64"]["sizeof"], name
        measured = {field["name"]: field for field in record["fields"]}
        for field, (offset, size, signed) in layout.fields.items():
            if "." in field:
                continue
            assert measured[field]["win64"] == [offset, size], (name, field)
            assert (measured[field]["kind"] == "int") == signed, (name, field)
        for field, (offset, size) in layout.blocks.items():
            if "." not in field:
                assert measured[field]["win64"] == [offset, size], (name, field)
    chain = {field["name"]: field["win64"] for field in records["WSAPROTOCOLCHAIN"]["fields"]}
    assert chain == {"ChainLen": [0, 4], "ChainEntries": [4, 28]}


def test_addresses_have_windows_layout() -> None:
    packed = struct.pack("<H", 2) + struct.pack(">H", 80) + host_socket.inet_aton("10.0.0.1") + bytes(8)
    assert addresses.sockaddr_in("10.0.0.1", 80) == packed
    six = addresses.sockaddr_in6("fe80::1", 443, flowinfo=5, scope_id=3)
    assert len(six) == 28
    assert (addresses.family_of(six), addresses.port_of(six), addresses.host_of(six)) == (23, 443, "fe80::1")
    assert addresses.scope_of(six) == 3
    assert addresses.port_of(addresses.with_port(six, 7)) == 7
    assert len(addresses.sockaddr_un("/tmp/x")) == 110


def test_the_driver_has_every_call_of_the_interface() -> None:
    assert [name for name in CALLS if getattr(CDriver, name) is getattr(Target, name)] == []
    assert {"recv", "WSASocket", "gethostname"} <= set(CALLS)


def test_texts_of_codes_come_from_formatmessage(ws: CDriver, machine: Machine) -> None:
    asked: list[int] = []

    def format_message(flags: int, source: int, code: int, language: int, room: int, size: int, values: int) -> int:
        asked.extend((flags, code))
        text = "Gone.\r\n" if code == 0x80072746 else ""
        machine.write(room, text.encode("utf-16-le"))
        return len(text)

    machine.exports["FormatMessageW"] = format_message
    assert ws.message(-0x7FF8D8BA) == "Gone."
    assert ws.message(1) == ""
    assert asked == [0x1200, 0x80072746, 0x1200, 1]


def test_poll_passes_entries_and_returns_their_bits(machine: Machine, ws: CDriver) -> None:
    def poll(array: int, count: int, timeout: int) -> int:
        entries = [(machine.number(at, 8), machine.number(at + 8, 2)) for at in range(array, array + 16 * count, 16)]
        assert (entries, timeout) == ([(7, 0x300), (0xFFFF_FFFF_FFFF_FFFF, 1)], 0xFFFF_FFFF_FFFF_FFFF)
        machine.put(array + 10, 0x100, 2)
        machine.put(array + 26, 4, 2)
        return 1

    machine.exports["WSAPoll"] = poll
    assert ws.WSAPoll([(7, 0x300), (-1, 1)], -1) == (1, [0x100, 4])


@pytest.mark.parametrize("offset", [0, 8, 16 + 7])
def test_poll_that_changes_what_was_asked_is_a_mismatch(machine: Machine, ws: CDriver, offset: int) -> None:
    def poll(array: int, count: int, timeout: int) -> int:
        machine.put(array + offset, 0xEE, 1)
        return 0

    machine.exports["WSAPoll"] = poll
    with pytest.raises(Mismatch):
        ws.WSAPoll([(7, 0x300), (8, 0x300)], 0)


def message_at(machine: Machine, address: int) -> dict[str, int]:
    """The members of a WSAMSG in memory."""
    places = {"name": (0, 8), "namelen": (8, 4), "array": (16, 8), "count": (24, 4), "flags": (48, 4)}
    places |= {"control_len": (32, 4), "control": (40, 8)}
    return {name: machine.number(address + at, size) for name, (at, size) in places.items()}


def test_sent_messages_have_all_members(machine: Machine, ws: CDriver) -> None:
    def send(s: int, message: int, flags: int, count: int, overlapped: int, routine: int) -> int:
        told = message_at(machine, message)
        assert (s, flags, overlapped, routine) == (7, 4, 0, 0)
        assert machine.read(told["name"], told["namelen"]) == b"address!"
        assert machine.read(told["control"], told["control_len"]) == b"beside"
        assert machine.read(machine.number(told["array"] + 8, 8), machine.number(told["array"])) == b"one"
        assert told["count"] == 2
        machine.put(count, 6)
        return 0

    machine.exports["WSASendMsg"] = send
    assert ws.WSASendMsg(7, [b"one", b"two"], 4, b"address!", b"beside") == 6


def test_a_message_to_send_may_have_nothing_in_it(machine: Machine, ws: CDriver) -> None:
    def send(s: int, message: int, flags: int, count: int, overlapped: int, routine: int) -> int:
        told = message_at(machine, message)
        assert (told["name"], told["namelen"], told["control"], told["control_len"]) == (0, 0, 0, 0)
        assert (told["array"], told["count"]) == (0, 1)
        return machine.fail(WSAEFAULT)

    machine.exports["WSASendMsg"] = send
    with pytest.raises(Failed):
        ws.WSASendMsg(7, None)


@pytest.mark.parametrize("fails", [False, True])
def test_received_messages_are_read_from_the_members(machine: Machine, ws: CDriver, fails: bool) -> None:
    """By the pointer that WSAIoctl tells; also when the call fails with WSAEMSGSIZE."""

    def receive(s: int, message: int, count: int, overlapped: int, routine: int) -> int:
        told = message_at(machine, message)
        assert (told["flags"], told["control_len"], told["namelen"]) == (2, 32, 64)
        machine.write(machine.number(told["array"] + 8, 8), b"data")
        machine.write(told["name"], b"sender")
        machine.put(message + 8, 6)
        machine.write(told["control"], b"beside")
        machine.put(message + 32, 6)
        machine.put(message + 48, 0x400)
        machine.put(count, 4)
        return machine.fail(WSAEMSGSIZE) if fails else 0

    def ioctl(s: int, code: int, guid: int, size: int, out: int, room: int, *rest: int) -> int:
        asked = machine.read(guid, size).hex()
        assert (code, asked, room) == (0xC8000006, "c8d789f61f6f6b438a53e54fe351c322", 8)
        machine.put(out, machine.lookup("", "by pointer"), 8)
        return 0

    machine.exports["WSAIoctl"], machine.exports["by pointer"] = ioctl, receive
    buffer = bytearray(8)
    if fails:
        with pytest.raises(Failed) as caught:
            ws.WSARecvMsg(7, [buffer], 32, 64, 2)
        received = caught.value.received
        assert (caught.value.moved, caught.value.address) == (4, b"sender")
    else:
        received = ws.WSARecvMsg(7, [buffer], 32, 64, 2)
    assert received == ReceivedMessage(moved=4, address=b"sender", control=b"beside", flags=0x400)
    assert buffer == b"data\0\0\0\0"


def test_a_sender_that_was_not_written_is_none(machine: Machine, ws: CDriver) -> None:
    def ioctl(s: int, code: int, guid: int, size: int, out: int, *rest: int) -> int:
        machine.put(out, machine.lookup("", "by pointer"), 8)
        return 0

    def receive(s: int, message: int, *rest: int) -> int:
        machine.put(message + 32, 0)
        return 0

    machine.exports["WSAIoctl"], machine.exports["by pointer"] = ioctl, receive
    assert ws.WSARecvMsg(7, [bytearray(1)]) == ReceivedMessage(moved=0, address=None, control=b"", flags=0)


def test_the_flags_of_recvex_go_in_as_rubbish_and_come_back(machine: Machine, ws: CDriver) -> None:
    def receive(s: int, buffer: int, size: int, flags: int) -> int:
        assert (s, size, machine.number(flags)) == (7, 4, 0xFFFF_FFFF)
        machine.write(buffer, b"data")
        machine.put(flags, 0x8000)
        return 4

    machine.exports["WSARecvEx"] = receive
    buffer = bytearray(4)
    received = ws.WSARecvEx(7, buffer)
    assert (received, flags_of(received), buffer) == (4, 0x8000, b"data")
