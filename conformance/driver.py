"""The C-ABI driver: Windows' calls on any machine that offers memory and calls.

Part played:     a compiled Windows program. It lays out structures, passes pointers, reads results and the
                 last error, and so judges the emulator's DLL face and Microsoft's DLLs by the same bytes.
Lives here:      calling conventions (which result means failure), memory with guard patterns, one method per
                 function.
Lives elsewhere: the machine (machine, targets/), structure layouts (layouts), the interface and its helpers
                 (target).
Sources:         the function pages of Winsock on Microsoft Learn, for parameters and failure values.

Where a function exists as A and W, ``form`` decides; both are called in the way the page says, text included.
"""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn
from uuid import UUID

from .addresses import SIZE_IN, SIZE_IN6
from .addresslist import Pointered, address_list
from .constants import (
    AF_INET6,
    FD_MAX_EVENTS,
    INVALID_SOCKET,
    SOCKET_ERROR,
    WSAEMSGSIZE,
    WSAENOBUFS,
    WSAID_WSARECVMSG,
    code_name,
)
from .kernelcalls import KernelCalls
from .layouts import LAYOUTS
from .machine import Machine
from .overlapping import Overlapped, OverlappedCalls
from .records import AddrInfo, HostEnt, ProtocolInfo, ProtoEnt, ReceivedMessage, ServEnt, WSAData
from .registering import RegisteredCalls
from .target import PENDING, Condition, Pending, Readable, Routine, Timeout, Writable
from .verify import Failed, Mismatch, shown, step
from .windowing import WindowCalls

GUARD = b"\xd7guard-pattern\xd7\xd7"  # 16 bytes; keeps the alignment of what it precedes
ROOM_FOR_ADDRESS = 128
ROOM_FOR_OPTION = 1024
ROOM_FOR_TEXT = 1100
UNTOUCHED = b"\xab"
UNWRITTEN = 0xABABABAB
FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS = 0x1000, 0x0200

#: How a function tells failure; "int" (SOCKET_ERROR) for all that are not named here.
_RETURNS = {
    "socket": "socket WSASocketA WSASocketW accept WSAAccept WSAJoinLeaf",
    "code": "WSAStartup getaddrinfo GetAddrInfoW getnameinfo GetNameInfoW",
    "u32": "htonl ntohl inet_addr WSAGetLastError GetLastError GetTickCount GetCurrentProcessId GetCurrentThreadId",
    "u16": "htons ntohs",
    "u64": "GetTickCount64",
    "pointer": "inet_ntoa inet_ntop InetNtopW gethostbyname gethostbyaddr getservbyname getservbyport"
    " getprotobyname getprotobynumber WSACreateEvent CreateEventA CreateEventW CreateIoCompletionPort",
    "void": "freeaddrinfo FreeAddrInfoW WSASetLastError SetLastError Sleep",
    "bool": "WSAConnectByNameA WSAConnectByNameW WSAConnectByList"
    " WSASetEvent WSAResetEvent WSACloseEvent SetEvent ResetEvent CloseHandle WSAGetOverlappedResult",
    "wait": "WSAWaitForMultipleEvents WaitForSingleObject WaitForMultipleObjects WaitForSingleObjectEx SleepEx",
}
RETURNS = {name: kind for kind, names in _RETURNS.items() for name in names.split()}
#: kind -> (bits, signed, the value that means failure)
_KINDS: dict[str, tuple[int, bool, int | None]] = {
    "int": (32, True, SOCKET_ERROR),
    "socket": (64, False, INVALID_SOCKET),
    "code": (32, True, None),
    "u32": (32, False, None),
    "u16": (16, False, None),
    "u64": (64, False, None),
    "pointer": (64, False, 0),
    "void": (0, False, None),
    "bool": (32, True, 0),
    "wait": (32, False, 0xFFFFFFFF),
    "atom": (16, False, 0),
    "number": (32, False, 0),
    "count": (32, False, 0xFFFFFFFF),
    "rio-buffer": (64, False, 0xFFFFFFFF),
}


def _handles(handles: Sequence[int]) -> bytes:
    """An array of HANDLEs."""
    return b"".join(handle.to_bytes(8, "little") for handle in handles)


class Block:
    """A piece of the machine's memory with a guard pattern before and after it."""

    def __init__(self, machine: Machine, initial: bytes, size: int) -> None:
        self._machine = machine
        self._base = machine.alloc(size + 2 * len(GUARD))
        self.address = self._base + len(GUARD)
        self.size = size
        machine.write(self._base, GUARD + initial + bytes(size - len(initial)) + GUARD)

    def read(self, size: int | None = None, at: int = 0) -> bytes:
        """Return ``size`` bytes (None: to the end) from offset ``at``."""
        return self._machine.read(self.address + at, self.size - at if size is None else size)

    def write(self, data: bytes, at: int = 0) -> None:
        self._machine.write(self.address + at, data)

    def number(self, size: int = 4, at: int = 0, *, signed: bool = False) -> int:
        """Return the integer of ``size`` bytes at offset ``at``."""
        return int.from_bytes(self.read(size, at), "little", signed=signed)

    def free(self) -> str | None:
        """Give the memory back; return a complaint if somebody wrote around it."""
        before = self._machine.read(self._base, len(GUARD))
        after = self._machine.read(self.address + self.size, len(GUARD))
        self._machine.free(self._base)
        if before == after == GUARD:
            return None
        return f"wrote {'before' if before != GUARD else 'behind'} a block of {self.size} bytes"


class Scratch:
    """Memory that lives as long as one call or one case."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._blocks: list[Block] = []

    def new(self, content: int | bytes | bytearray | memoryview) -> Block:
        """Return a block: of so many zero bytes, or with this content."""
        initial, size = (b"", content) if isinstance(content, int) else (bytes(content), len(content))
        block = Block(self._machine, initial, size)
        self._blocks.append(block)
        return block

    def at(self, content: bytes | None) -> int:
        """Return the address of ``content`` in memory; NULL for None."""
        return 0 if content is None else self.new(content).address

    def number(self, value: int = 0, size: int = 4) -> Block:
        """Return a block that holds one integer."""
        return self.new((value & (1 << 8 * size) - 1).to_bytes(size, "little"))

    def text(self, text: str | None, form: str) -> int:
        """Return the address of a string with its NUL, as A or W; NULL for None."""
        if text is None:
            return 0
        return self.at((text + "\0").encode("latin-1" if form == "A" else "utf-16-le", "surrogatepass"))

    def release(self) -> None:
        """Free everything.

        Raises:
            Mismatch: something was written outside of the memory that was handed out.
        """
        complaints = [complaint for block in self._blocks if (complaint := block.free())]
        self._blocks.clear()
        if complaints:
            raise Mismatch("memory", expected="writes inside of the blocks given", actual="; ".join(complaints))


class C:
    """``ws.c``: raw calls and memory for cases that are about the C ABI itself."""

    def __init__(self, driver: CDriver) -> None:
        self._driver = driver
        self.memory = Scratch(driver.machine)
        #: The records of overlapped requests, by address.
        self.records: dict[int, Overlapped] = {}

    def new(self, content: int | bytes) -> Block:
        """Return memory (a size, or its content), freed after the case."""
        return self.memory.new(content)

    def read(self, address: int, size: int) -> bytes:
        """Return memory that a call handed out: what a returned pointer points to."""
        return self._driver.machine.read(address, size)

    def pack(self, structure: str, **values: int | bytes) -> bytes:
        """Return the bytes of a structure of layouts.py."""
        return LAYOUTS[structure].pack(**values)

    def unpack(self, structure: str, field: str, data: bytes) -> int:
        """Return one integer field of a structure of layouts.py."""
        return LAYOUTS[structure].number(data, field)

    def address_of(self, function: str) -> int:
        """Return the address of ``recv`` or ``kernel32.SetEvent``; 0 when the DLL does not export it."""
        dll, _, name = function.rpartition(".")
        return self._driver.machine.lookup(dll or "ws2_32", name)

    def call(self, function: str | int, *arguments: int, returns: str = "") -> int:
        """Call a function by name (``recv``, ``kernel32.SetEvent``) or address; return its result.

        ``returns`` is int, socket, code, u16, u32, u64, pointer, void, bool or wait, where the table does not
        know.
        """
        return self._driver.raw(function, arguments, returns)[0]

    def check(self, function: str | int, *arguments: int, returns: str = "") -> int:
        """Like call, but raises Failed when the result is the function's failure value."""
        return self._driver.check(function, *arguments, returns=returns)

    @property
    def last_error(self) -> int:
        """The last error right after this thread's latest call."""
        return self._driver.last_error

    def callback(self, function: Callable[..., int], widths: Sequence[int]) -> int:
        """Return the address of a C function; see Machine.callback."""
        return self._driver.machine.callback(function, widths)

    def release(self) -> None:
        self.memory.release()


class CDriver(WindowCalls, OverlappedCalls, RegisteredCalls, KernelCalls):
    """The target that speaks C to a machine."""

    has_c = True

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine
        self._addresses: dict[str, int] = {}
        self._thread = threading.local()
        self._c = C(self)
        #: Where the answers of look-ups are, by task.
        self.answers: dict[int, int] = {}
        self._table = None

    def _driver(self) -> CDriver:
        return self

    @property
    def c(self) -> C:
        return self._c

    @property
    def last_error(self) -> int:
        return int(getattr(self._thread, "last_error", 0))

    def begin(self) -> None:
        super().begin()
        self._c = C(self)

    def end(self) -> int:
        left = super().end()
        self._c.release()
        return left

    # ---- calls and memory ----------------------------------------------------------------------------------

    def raw(self, function: str | int, arguments: Sequence[int], returns: str = "") -> tuple[int, int | None]:
        """Call; return (result by its kind, the value that means failure)."""
        address, name = self._find(function)
        kind = returns or RETURNS.get(name, "int")
        bits, signed, failure = _KINDS[kind]
        register, last_error = self.machine.call(threading.current_thread().name, address, arguments)
        self._thread.last_error = last_error
        result = register & ((1 << bits) - 1)
        if signed and result >> (bits - 1):
            result -= 1 << bits
        listed = ", ".join(hex(value) if value > 0xFFFF else str(value) for value in arguments)
        if kind == "code":
            outcome = code_name(result) if result else "0"
        elif failure is not None and result == failure:
            outcome = f"{result if signed else hex(result)}, {code_name(last_error)}"
        else:
            outcome = hex(result) if result > 0xFFFF else str(result)
        step(f"{name}({listed}) -> {outcome}")
        return result, failure

    def fail(self, function: str) -> NoReturn:
        """Raise Failed with the last error."""
        raise Failed(self.last_error, function)

    def _find(self, function: str | int) -> tuple[int, str]:
        if isinstance(function, int):
            return function, hex(function)
        address = self._addresses.get(function)
        dll, _, name = function.rpartition(".")
        if address is None:
            address = self.machine.lookup(dll or "ws2_32", name)
            if not address:
                self._absent(function)
            self._addresses[function] = address
        return address, name

    def check(self, function: str | int, *arguments: int, returns: str = "") -> int:
        """Call; raise Failed with the last error when the result means failure, or with a nonzero code."""
        result, failure = self.raw(function, arguments, returns)
        name = str(function)
        if failure is not None and result == failure:
            raise Failed(self.last_error, name)
        if (returns or RETURNS.get(name)) == "code" and result:
            raise Failed(result, name)
        return result

    @contextlib.contextmanager
    def _memory(self) -> Iterator[Scratch]:
        scratch = Scratch(self.machine)
        try:
            yield scratch
        except BaseException:
            with contextlib.suppress(Mismatch):
                scratch.release()
            raise
        scratch.release()

    def _request_memory(self, overlapped: Any) -> contextlib.AbstractContextManager[Scratch]:
        """Memory for a call; for one with a record it lives as long as the case."""
        return self._memory() if overlapped is None else contextlib.nullcontext(self._c.memory)

    def _string(self, address: int, form: str) -> str:
        """Read a NUL-terminated string; in small aligned pieces, which never reach into another page."""
        width, encoding = (1, "latin-1") if form == "A" else (2, "utf-16-le")
        data = b""
        while len(data) < 64 * 1024:
            piece = self.machine.read(address, 16 - address % 16)
            address += len(piece)
            data += piece
            for at in range(0, len(data) - width + 1, width):
                if data[at : at + width] == bytes(width):
                    return data[:at].decode(encoding, "surrogatepass")
        raise Mismatch("string", expected="a terminating NUL", actual="none in 64 KiB")

    def _pointer(self, address: int) -> int:
        return int.from_bytes(self.machine.read(address, 8), "little")

    def _pointers(self, address: int) -> Iterator[int]:
        """Walk a NULL-terminated array of pointers."""
        while item := self._pointer(address):
            yield item
            address += 8

    # ---- startup and last error ----------------------------------------------------------------------------

    def WSAStartup(self, version: int) -> WSAData:
        layout = LAYOUTS["WSADATA"]
        with self._memory() as memory:
            data = memory.new(layout.size)
            self.check("WSAStartup", version, data.address)
            read = data.read()
        self._started()
        return WSAData(
            version=layout.number(read, "wVersion"),
            high_version=layout.number(read, "wHighVersion"),
            description=layout.block(read, "szDescription").split(b"\0")[0].decode("latin-1"),
            system_status=layout.block(read, "szSystemStatus").split(b"\0")[0].decode("latin-1"),
            max_sockets=layout.number(read, "iMaxSockets"),
            max_udp_dg=layout.number(read, "iMaxUdpDg"),
        )

    def WSACleanup(self) -> None:
        self.check("WSACleanup")
        self._cleaned_up()

    def WSAGetLastError(self) -> int:
        return self.check("WSAGetLastError")

    def WSASetLastError(self, code: int) -> None:
        self.check("WSASetLastError", code)

    def GetLastError(self) -> int:
        return self.check("kernel32.GetLastError", returns="u32")

    def SetLastError(self, code: int) -> None:
        self.check("kernel32.SetLastError", code, returns="void")

    def GetCurrentProcessId(self) -> int:
        return self.check("kernel32.GetCurrentProcessId", returns="u32")

    def GetCurrentThreadId(self) -> int:
        return self.check("kernel32.GetCurrentThreadId", returns="u32")

    def message(self, code: int) -> str:
        with self._memory() as memory:
            room = memory.new(2 * ROOM_FOR_TEXT)
            flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS
            given = (flags, 0, code & 0xFFFFFFFF, 0, room.address, ROOM_FOR_TEXT, 0)
            size = self.check("kernel32.FormatMessageW", *given, returns="u32")
            return room.read(2 * size).decode("utf-16-le").rstrip()

    # ---- life of a socket ----------------------------------------------------------------------------------

    def socket(self, af: int, type: int, protocol: int) -> int:
        return self._opened(self.check("socket", af, type, protocol))

    def WSASocket(
        self,
        af: int,
        type: int,
        protocol: int,
        info: ProtocolInfo | None = None,
        group: int = 0,
        flags: int = 0,
    ) -> int:
        with self._memory() as memory:
            record = memory.at(self._pack_protocol(info) if info is not None else None)
            return self._opened(self.check(f"WSASocket{self.form}", af, type, protocol, record, group, flags))

    def WSADuplicateSocket(self, s: int, process_id: int) -> ProtocolInfo:
        with self._memory() as memory:
            record = memory.new(LAYOUTS[f"WSAPROTOCOL_INFO{self.form}"].size)
            self.check(f"WSADuplicateSocket{self.form}", s, process_id, record.address)
            return self._unpack_protocol(record.read(), 0)

    def closesocket(self, s: int) -> None:
        self.check("closesocket", s)
        self._closed(s)

    def bind(self, s: int, name: bytes | None) -> None:
        with self._memory() as memory:
            self.check("bind", s, memory.at(name), _length(name))

    def listen(self, s: int, backlog: int) -> None:
        self.check("listen", s, backlog)

    def accept(self, s: int, namelen: int | None = None) -> tuple[int, bytes]:
        with self._memory() as memory:
            room, length = _room_for_address(memory, namelen)
            accepted = self._opened(self.check("accept", s, room.address, length.address))
            return accepted, room.read()[: length.number()]

    def WSAAccept(
        self, s: int, namelen: int | None = None, condition: Condition | None = None, callback_data: int = 0
    ) -> tuple[int, bytes]:
        raised: list[BaseException] = []

        def decide(caller: int, data: int, sqos: int, gqos: int, callee: int, out: int, group: int, extra: int) -> int:
            assert condition is not None
            try:
                return condition(self._buffer(caller) or b"", self._buffer(data), self._buffer(callee) or b"", extra)
            except BaseException as error:
                raised.append(error)  # it cannot pass through C; raised again below
                return -1

        with self._memory() as memory:
            room, length = _room_for_address(memory, namelen)
            function = self.machine.callback(decide, [8] * 8) if condition is not None else 0
            try:
                accepted = self.check("WSAAccept", s, room.address, length.address, function, callback_data)
            finally:
                if raised:
                    raise raised[0]
            return self._opened(accepted), room.read()[: length.number()]

    def _buffer(self, address: int) -> bytes | None:
        """Read what a WSABUF points to; None where there is none."""
        if not address:
            return None
        layout = LAYOUTS["WSABUF"]
        data = self.machine.read(address, layout.size)
        where, size = layout.number(data, "buf"), layout.number(data, "len")
        return self.machine.read(where, size) if where else None

    def connect(self, s: int, name: bytes | None) -> None:
        with self._memory() as memory:
            self.check("connect", s, memory.at(name), _length(name))

    def WSAConnect(
        self, s: int, name: bytes | None, caller_data: bytes | None = None, callee_room: int | None = None
    ) -> bytes:
        with self._memory() as memory:
            data = room = got = None
            if caller_data is not None:
                data = _wsabufs(memory, [memory.new(caller_data)])
            if callee_room is not None:
                room = memory.new(callee_room)
                got = _wsabufs(memory, [room])
            arguments = [block.address if block else 0 for block in (data, got)]
            self.check("WSAConnect", s, memory.at(name), _length(name), *arguments, 0, 0)
            return room.read(got.number(4)) if room and got else b""

    def WSAConnectByName(
        self,
        s: int,
        node: str | None,
        service: str | None,
        local_room: int | None = None,
        remote_room: int | None = None,
        timeout: Timeout | None = None,
        reserved: Any = None,
    ) -> tuple[bytes, bytes]:
        with self._memory() as memory:
            names = memory.text(node, self.form), memory.text(service, self.form)
            function, rooms = f"WSAConnectByName{self.form}", (local_room, remote_room)
            return self._connect_to_one(function, s, names, memory, rooms, timeout, reserved)

    def WSAConnectByList(
        self,
        s: int,
        addresses: Sequence[bytes] | None,
        local_room: int | None = None,
        remote_room: int | None = None,
        timeout: Timeout | None = None,
        reserved: Any = None,
    ) -> tuple[bytes, bytes]:
        with self._memory() as memory:
            where = 0
            if addresses is not None:
                record = address_list(addresses)
                block = memory.new(len(record))
                block.write(record.at(block.address))
                where = block.address
            rooms = (local_room, remote_room)
            return self._connect_to_one("WSAConnectByList", s, (where,), memory, rooms, timeout, reserved)

    def _connect_to_one(
        self,
        function: str,
        s: int,
        where: tuple[int, ...],
        memory: Scratch,
        rooms: tuple[int | None, int | None],
        timeout: Timeout | None,
        reserved: Any,
    ) -> tuple[bytes, bytes]:
        local, local_length = _room_for_address(memory, rooms[0])
        remote, remote_length = _room_for_address(memory, rooms[1])
        limit = memory.at(None if timeout is None else struct.pack("<2i", *timeout))
        places = (local_length.address, local.address, remote_length.address, remote.address)
        self.check(function, s, *where, *places, limit, memory.new(32).address if reserved is not None else 0)
        return local.read()[: local_length.number()], remote.read()[: remote_length.number()]

    def shutdown(self, s: int, how: int) -> None:
        self.check("shutdown", s, how)

    def WSASendDisconnect(self, s: int, data: bytes | None = None) -> None:
        with self._memory() as memory:
            buffer = None if data is None else _wsabufs(memory, [memory.new(data)])
            self.check("WSASendDisconnect", s, buffer.address if buffer else 0)

    def WSARecvDisconnect(self, s: int, room: int | None = None) -> bytes:
        with self._memory() as memory:
            if room is None:
                self.check("WSARecvDisconnect", s, 0)
                return b""
            place = memory.new(room)
            buffer = _wsabufs(memory, [place])
            self.check("WSARecvDisconnect", s, buffer.address)
            return place.read(buffer.number(4))

    def getsockname(self, s: int, namelen: int | None = None) -> bytes:
        return self._name("getsockname", s, namelen)

    def getpeername(self, s: int, namelen: int | None = None) -> bytes:
        return self._name("getpeername", s, namelen)

    def _name(self, function: str, s: int, namelen: int | None) -> bytes:
        with self._memory() as memory:
            room, length = _room_for_address(memory, namelen)
            self.check(function, s, room.address, length.address)
            return room.read()[: length.number()]

    # ---- data ----------------------------------------------------------------------------------------------

    def send(self, s: int, data: Readable | None, flags: int = 0) -> int:
        with self._memory() as memory:
            block, size = _source(memory, data)
            return self.check("send", s, block, size, flags)

    def sendto(self, s: int, data: Readable | None, flags: int, to: bytes | None) -> int:
        with self._memory() as memory:
            block, size = _source(memory, data)
            return self.check("sendto", s, block, size, flags, memory.at(to), _length(to))

    def recv(self, s: int, buffer: Writable | None, flags: int = 0) -> int:
        with self._memory() as memory, _filled(memory, [buffer]) as (block,):
            return self.check("recv", s, block.address if block else 0, block.size if block else 1, flags)

    def recvfrom(
        self, s: int, buffer: Writable | None, flags: int = 0, fromlen: int | None = None
    ) -> tuple[int, bytes | None]:
        with self._memory() as memory, _filled(memory, [buffer]) as (block,):
            room, length = _room_for_address(memory, fromlen)
            where, size = (block.address, block.size) if block else (0, 1)
            untouched = room.read()
            try:
                moved = self.check("recvfrom", s, where, size, flags, room.address, length.address)
            except Failed as failure:
                failure.address = _sender(room, length, untouched)
                raise
            return moved, _sender(room, length, untouched)

    def WSASend(
        self,
        s: int,
        buffers: Sequence[Readable | None] | None,
        flags: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        return self._send("WSASend", s, buffers, flags, (), overlapped, routine)

    def WSASendTo(
        self,
        s: int,
        buffers: Sequence[Readable | None] | None,
        flags: int,
        to: bytes | None,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        return self._send("WSASendTo", s, buffers, flags, (to,), overlapped, routine)

    def _send(
        self,
        function: str,
        s: int,
        buffers: Sequence[Readable | None] | None,
        flags: int,
        to: Sequence[bytes | None],
        overlapped: Any,
        routine: Routine | None,
    ) -> Any:
        with self._request_memory(overlapped) as memory, self._memory() as brief:
            blocks = [None if data is None else memory.new(data) for data in buffers or ()]
            array = _wsabufs(brief, blocks).address if buffers is not None else 0
            count = len(blocks) if buffers is not None else 1
            moved = brief.number(UNWRITTEN)
            address = [item for name in to for item in (brief.at(name), _length(name))]
            given = (array, count, moved.address, flags, *address, *self.record_and_routine(overlapped, routine))
            return self.begin_request(lambda: self.check(function, s, *given), overlapped, moved)

    def WSARecv(
        self,
        s: int,
        buffers: Sequence[Writable | None] | None,
        flags: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        with self._request_memory(overlapped) as memory:
            return self._receive(memory, "WSARecv", s, buffers, flags, (), overlapped, routine)

    def WSARecvFrom(
        self,
        s: int,
        buffers: Sequence[Writable | None] | None,
        flags: int = 0,
        fromlen: int | None = None,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        with self._request_memory(overlapped) as memory:
            room, length = _room_for_address(memory, fromlen)
            untouched = room.read()
            where = (room.address, length.address)
            if overlapped is not None:
                overlapped.outcome = lambda: (overlapped.InternalHigh, _sender(room, length, untouched))
            try:
                moved = self._receive(memory, "WSARecvFrom", s, buffers, flags, where, overlapped, routine)
            except Failed as failure:
                failure.address = _sender(room, length, untouched)
                raise
            return moved if moved is PENDING else (moved, _sender(room, length, untouched))

    def _receive(
        self,
        memory: Scratch,
        function: str,
        s: int,
        buffers: Sequence[Writable | None] | None,
        flags: int,
        address: Sequence[int],
        overlapped: Any,
        routine: Routine | None,
    ) -> int | Pending:
        with _filled(memory, buffers or (), overlapped) as blocks, self._memory() as brief:
            array = _wsabufs(brief, blocks).address if buffers is not None else 0
            count = len(blocks) if buffers is not None else 1
            moved, inout = brief.number(UNWRITTEN if overlapped is not None else 0), brief.number(flags)
            where = (array, count, moved.address, inout.address, *address)
            given = (*where, *self.record_and_routine(overlapped, routine))
            try:
                result = self.begin_request(lambda: self.check(function, s, *given), overlapped, moved)
            except Failed as failure:
                failure.moved = moved.number()
                raise
            if result is not PENDING:
                return Received(moved.number(), inout.number())
            if inout.number() != flags:
                raise Mismatch("flags of a call that pends", expected="not written", actual=hex(inout.number()))
            return PENDING

    def WSASendMsg(
        self,
        s: int,
        buffers: Sequence[Readable | None] | None,
        flags: int = 0,
        to: bytes | None = None,
        control: bytes = b"",
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        with self._request_memory(overlapped) as memory:
            blocks = [None if data is None else memory.new(data) for data in buffers or ()]
            message = self._message(memory, None if buffers is None else blocks, memory.at(to), _length(to), control)
            moved = memory.number(UNWRITTEN)
            given = (message.address, flags, moved.address, *self.record_and_routine(overlapped, routine))
            return self.begin_request(lambda: self.check("WSASendMsg", s, *given), overlapped, moved)

    def WSARecvMsg(
        self,
        s: int,
        buffers: Sequence[Writable | None] | None,
        control_room: int = 0,
        namelen: int | None = None,
        flags: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        with self._request_memory(overlapped) as memory, _filled(memory, buffers or (), overlapped) as blocks:
            function = self._pointer_to(s, WSAID_WSARECVMSG)
            name, size = _room_for_address(memory, namelen)
            untouched = name.read()
            control = memory.new(UNTOUCHED * control_room)
            message = self._message(
                memory, None if buffers is None else blocks, name.address, size.number(), control, flags
            )
            moved = memory.number(UNWRITTEN if overlapped is not None else 0)

            def received() -> ReceivedMessage:
                data, layout = message.read(), LAYOUTS["WSAMSG"]
                written = LAYOUTS["WSABUF"].number(layout.block(data, "Control"), "len")
                sender = name.read()
                return ReceivedMessage(
                    moved=moved.number() if overlapped is None else overlapped.InternalHigh,
                    address=None if sender == untouched else sender[: layout.number(data, "namelen")],
                    control=control.read(written),
                    flags=layout.number(data, "dwFlags"),
                )

            given = (message.address, moved.address, *self.record_and_routine(overlapped, routine))
            if overlapped is not None:
                overlapped.outcome = received
            try:
                result = self.begin_request(lambda: self.check(function, s, *given, returns="int"), overlapped, moved)
                if result is PENDING:
                    return PENDING
            except Failed as failure:
                if failure.code == WSAEMSGSIZE:
                    failure.received = received()
                    failure.moved, failure.address = failure.received.moved, failure.received.address
                raise
            return received()

    def _message(
        self,
        memory: Scratch,
        blocks: Sequence[Block | None] | None,
        name: int,
        namelen: int,
        control: bytes | Block,
        flags: int = 0,
    ) -> Block:
        """Return a WSAMSG for these pieces; ``blocks=None`` is a NULL array."""
        if isinstance(control, bytes):
            control = memory.new(control)
        beside = LAYOUTS["WSABUF"].pack(len=control.size, buf=control.address if control.size else 0)
        return memory.new(
            LAYOUTS["WSAMSG"].pack(
                name=name,
                namelen=namelen,
                lpBuffers=0 if blocks is None else _wsabufs(memory, blocks).address,
                dwBufferCount=1 if blocks is None else len(blocks),
                Control=beside,
                dwFlags=flags,
            )
        )

    def WSARecvEx(self, s: int, buffer: Writable | None) -> int:
        with self._memory() as memory, _filled(memory, [buffer]) as (block,):
            flags = memory.number(0xFFFFFFFF)  # ignored on input
            where, size = (block.address, block.size) if block else (0, 1)
            moved = self.check("mswsock.WSARecvEx", s, where, size, flags.address)
            return Received(moved, flags.number())

    # ---- options, control, waiting -------------------------------------------------------------------------

    def getsockopt(self, s: int, level: int, option: int, length: int | None = None) -> bytes:
        with self._memory() as memory:
            room = memory.new(ROOM_FOR_OPTION if length is None else length)
            size = memory.number(room.size)
            self.check("getsockopt", s, level, option, room.address, size.address)
            return Pointered(room.read()[: size.number()], room.address)

    def setsockopt(self, s: int, level: int, option: int, value: bytes | int | None) -> None:
        data = (value & 0xFFFFFFFF).to_bytes(4, "little") if isinstance(value, int) else value
        with self._memory() as memory:
            self.check("setsockopt", s, level, option, memory.at(data), 4 if data is None else len(data))

    def ioctlsocket(self, s: int, cmd: int, arg: int | None) -> int:
        with self._memory() as memory:
            value = memory.number(arg or 0)
            self.check("ioctlsocket", s, cmd, 0 if arg is None else value.address)
            return value.number()

    def WSAIoctl(
        self,
        s: int,
        code: int,
        data: bytes | None = None,
        out_length: int = 0,
        overlapped: Any = None,
        routine: Routine | None = None,
    ) -> Any:
        with self._request_memory(overlapped) as memory:
            out = memory.new(out_length)
            returned = memory.number(UNWRITTEN if overlapped is not None else 0)
            into = out.address if out_length else 0
            source = memory.new(data or b"")
            if isinstance(data, Pointered):
                source.write(data.at(source.address))
            where = 0 if data is None else source.address
            given = (where, len(data or b""), into, out_length, returned.address)
            request = self.record_and_routine(overlapped, routine)
            if overlapped is not None:
                overlapped.outcome = lambda: Pointered(out.read()[: overlapped.InternalHigh], out.address)
            try:
                if (
                    self.begin_request(lambda: self.check("WSAIoctl", s, code, *given, *request), overlapped, returned)
                    is PENDING
                ):
                    return PENDING
            except Failed as failure:
                failure.needed = returned.number() or None
                raise
            return Pointered(out.read()[: returned.number()], out.address)

    def select(
        self,
        readfds: Sequence[int] | None,
        writefds: Sequence[int] | None,
        exceptfds: Sequence[int] | None,
        timeout: Timeout | None,
    ) -> tuple[list[int], list[int], list[int]]:
        with self._memory() as memory:
            sets = [None if fds is None else memory.new(_fd_set(fds)) for fds in (readfds, writefds, exceptfds)]
            when = None
            if timeout is not None:
                when = LAYOUTS["timeval"].pack(tv_sec=timeout[0], tv_usec=timeout[1])
            pointers = [block.address if block else 0 for block in sets]
            ready = self.check("select", 0, *pointers, memory.at(when))
            found = [_members(block) if block else [] for block in sets]
        if ready != sum(map(len, found)):
            raise Mismatch("select", expected=f"sets that hold {ready} sockets, as returned", actual=str(found))
        return found[0], found[1], found[2]

    def WSAPoll(self, fds: Sequence[tuple[int, int]] | None, timeout: int) -> tuple[int, list[int]]:
        layout = LAYOUTS["WSAPOLLFD"]
        with self._memory() as memory:
            entries = [layout.pack(fd=s, events=events, revents=-1) for s, events in fds or ()]
            array = memory.new(b"".join(entries))
            met = self.check("WSAPoll", 0 if fds is None else array.address, 1 if fds is None else len(fds), timeout)
            data = array.read()
        for place, (before, asked) in enumerate(zip(entries, fds or (), strict=True)):
            if data[place * layout.size :][:10] != before[:10]:
                raise Mismatch("WSAPoll", expected=f"fd and events of entry {place} as they were", actual=shown(asked))
        return met, [layout.number(data, "revents", place * layout.size) for place in range(len(entries))]

    # ---- events and waits ----------------------------------------------------------------------------------

    def WSACreateEvent(self) -> int:
        return self.check("WSACreateEvent")

    def WSACloseEvent(self, event: int) -> None:
        self.check("WSACloseEvent", event)

    def WSASetEvent(self, event: int) -> None:
        self.check("WSASetEvent", event)

    def WSAResetEvent(self, event: int) -> None:
        self.check("WSAResetEvent", event)

    def WSAWaitForMultipleEvents(
        self, events: Sequence[int] | None, wait_all: bool, timeout: int, alertable: bool = False
    ) -> int:
        with self._memory() as memory:
            array = memory.new(_handles(events or ()))
            count, where = (1, 0) if events is None else (len(events), array.address)
            return self.check("WSAWaitForMultipleEvents", count, where, wait_all, timeout, alertable)

    def WSAEventSelect(self, s: int, event: int | None, mask: int) -> None:
        self.check("WSAEventSelect", s, event or 0, mask)

    def WSAEnumNetworkEvents(self, s: int, event: int | None = None) -> tuple[int, tuple[int, ...]]:
        with self._memory() as memory:
            record = memory.new(4 + 4 * FD_MAX_EVENTS)  # WSANETWORKEVENTS
            self.check("WSAEnumNetworkEvents", s, event or 0, record.address)
            return record.number(), tuple(record.number(4, 4 + 4 * bit) for bit in range(FD_MAX_EVENTS))

    def WSAAsyncSelect(self, s: int, window: int, message: int, mask: int) -> None:
        self.check("WSAAsyncSelect", s, window, message, mask)

    def _kernel(self, function: str, *arguments: int, returns: str) -> int:
        return self.check(f"kernel32.{function}", *arguments, returns=returns)

    def CreateEvent(self, inherit: bool, manual_reset: bool, initial_state: bool, name: str | None = None) -> int:
        with self._memory() as memory:
            text = memory.text(name, self.form)
            return self._kernel(f"CreateEvent{self.form}", 0, manual_reset, initial_state, text, returns="pointer")

    def OpenEvent(self, access: int, inherit: bool, name: str) -> int:
        with self._memory() as memory:
            text = memory.text(name, self.form)
            return self._kernel(f"OpenEvent{self.form}", access, inherit, text, returns="pointer")

    def CloseHandle(self, handle: int) -> None:
        self._kernel("CloseHandle", handle, returns="bool")

    def DuplicateHandle(
        self,
        source_process: int,
        source: int,
        target_process: int,
        access: int = 0,
        inherit: bool = False,
        options: int = 2,
    ) -> int:
        with self._memory() as memory:
            handle = memory.number(size=8)
            given = (source_process, source, target_process, handle.address, access, inherit, options)
            self._kernel("DuplicateHandle", *given, returns="bool")
            return handle.number(8)

    def GetHandleInformation(self, handle: int) -> int:
        with self._memory() as memory:
            flags = memory.number()
            self._kernel("GetHandleInformation", handle, flags.address, returns="bool")
            return flags.number()

    def SetHandleInformation(self, handle: int, mask: int, flags: int) -> None:
        self._kernel("SetHandleInformation", handle, mask, flags, returns="bool")

    def WaitForSingleObject(self, handle: int, milliseconds: int) -> int:
        return self._kernel("WaitForSingleObject", handle, milliseconds, returns="wait")

    def WaitForSingleObjectEx(self, handle: int, milliseconds: int, alertable: bool) -> int:
        return self._kernel("WaitForSingleObjectEx", handle, milliseconds, alertable, returns="wait")

    def WaitForMultipleObjects(self, handles: Sequence[int], wait_all: bool, milliseconds: int) -> int:
        with self._memory() as memory:
            array = memory.new(_handles(handles))
            given = (len(handles), array.address, wait_all, milliseconds)
            return self._kernel("WaitForMultipleObjects", *given, returns="wait")

    def SignalObjectAndWait(self, to_signal: int, to_wait_on: int, milliseconds: int, alertable: bool) -> int:
        return self._kernel("SignalObjectAndWait", to_signal, to_wait_on, milliseconds, alertable, returns="wait")

    def SleepEx(self, milliseconds: int, alertable: bool) -> int:
        return self._kernel("SleepEx", milliseconds, alertable, returns="wait")

    def GetCurrentThread(self) -> int:
        return self._kernel("GetCurrentThread", returns="u64")

    def GetCurrentProcess(self) -> int:
        return self._kernel("GetCurrentProcess", returns="u64")

    def QueueUserAPC(self, routine: Callable[[int], object], thread: int, data: int) -> None:
        def call(data: int) -> int:
            routine(data)
            return 0

        self._kernel("QueueUserAPC", self.machine.callback(call, [8]), thread, data, returns="bool")

    def CreateIoCompletionPort(self, file: int, existing: int, key: int, concurrency: int) -> int:
        return self._kernel("CreateIoCompletionPort", file, existing, key, concurrency, returns="pointer")

    def PostQueuedCompletionStatus(self, port: int, transferred: int, key: int, overlapped: int) -> None:
        self._kernel("PostQueuedCompletionStatus", port, transferred, key, overlapped, returns="bool")

    def GetQueuedCompletionStatus(self, port: int, milliseconds: int) -> tuple[int, int, int]:
        with self._memory() as memory:
            moved, key, overlapped = memory.number(), memory.number(size=8), memory.number(1, 8)
            given = (moved.address, key.address, overlapped.address)
            try:
                self._kernel("GetQueuedCompletionStatus", port, *given, milliseconds, returns="bool")
            except Failed as failure:
                if overlapped.number(8) and failure.code == 258:  # time out
                    what = "overlapped pointer without a packet"
                    raise Mismatch(what, expected="NULL", actual=hex(overlapped.number(8))) from None
                if overlapped.number(8):
                    failure.packet = moved.number(), key.number(8), overlapped.number(8)
                raise
            self.collect(overlapped.number(8))
            return moved.number(), key.number(8), overlapped.number(8)

    def GetQueuedCompletionStatusEx(
        self, port: int, count: int, milliseconds: int, alertable: bool
    ) -> list[tuple[int, int, int, int]]:
        entry = struct.Struct("<QQQI4x")  # OVERLAPPED_ENTRY
        with self._memory() as memory:
            entries, removed = memory.new(entry.size * count), memory.number(77)
            given = (entries.address, count, removed.address, milliseconds, alertable)
            try:
                self._kernel("GetQueuedCompletionStatusEx", port, *given, returns="bool")
            except Failed as failure:
                if failure.code in (258, 192) and removed.number() != 1:  # no packet, or APCs
                    what = "entries removed, after a failure"
                    raise Mismatch(what, expected="1", actual=str(removed.number())) from None
                raise
            found = entries.read()[: removed.number() * entry.size]
            return [(key, overlapped, status, moved) for key, overlapped, status, moved in entry.iter_unpack(found)]

    # ---- numbers, addresses, names -------------------------------------------------------------------------

    def htonl(self, value: int) -> int:
        return self.check("htonl", value)

    def htons(self, value: int) -> int:
        return self.check("htons", value)

    def ntohl(self, value: int) -> int:
        return self.check("ntohl", value)

    def ntohs(self, value: int) -> int:
        return self.check("ntohs", value)

    def WSAHtonl(self, s: int, value: int) -> int:
        return self._convert("WSAHtonl", s, value, 4)

    def WSAHtons(self, s: int, value: int) -> int:
        return self._convert("WSAHtons", s, value, 2)

    def WSANtohl(self, s: int, value: int) -> int:
        return self._convert("WSANtohl", s, value, 4)

    def WSANtohs(self, s: int, value: int) -> int:
        return self._convert("WSANtohs", s, value, 2)

    def _convert(self, function: str, s: int, value: int, size: int) -> int:
        with self._memory() as memory:
            result = memory.number(size=size)
            self.check(function, s, value, result.address)
            return result.number(size)

    def inet_addr(self, text: str | None) -> int:
        with self._memory() as memory:
            return self.check("inet_addr", memory.text(text, "A"))

    def inet_ntoa(self, address: int) -> str:
        return self._string(self.check("inet_ntoa", address), "A")

    def inet_pton(self, family: int, text: str | None, buffer: Writable | None) -> int:
        return self._pton("inet_pton", "A", family, text, buffer)

    def InetPtonW(self, family: int, text: str | None, buffer: Writable | None) -> int:
        return self._pton("InetPtonW", "W", family, text, buffer)

    def _pton(self, function: str, form: str, family: int, text: str | None, buffer: Writable | None) -> int:
        with self._memory() as memory, _filled(memory, [buffer]) as (block,):
            return self.check(function, family, memory.text(text, form), block.address if block else 0)

    def inet_ntop(self, family: int, address: bytes | None, size: int) -> str:
        return self._ntop("inet_ntop", "A", family, address, size)

    def InetNtopW(self, family: int, address: bytes | None, size: int) -> str:
        return self._ntop("InetNtopW", "W", family, address, size)

    def _ntop(self, function: str, form: str, family: int, address: bytes | None, size: int) -> str:
        with self._memory() as memory:
            room = memory.new(min(size, 4096) * (1 if form == "A" else 2))
            result = self.check(function, family, memory.at(address), room.address, size)
            if result != room.address:
                raise Mismatch(function, expected="its buffer as the result", actual=hex(result))
            return self._string(result, form)

    def WSAAddressToString(
        self, address: bytes | None, info: ProtocolInfo | None = None, length: int | None = None
    ) -> str:
        with self._memory() as memory:
            size = ROOM_FOR_TEXT if length is None else length
            room = memory.new(size * (1 if self.form == "A" else 2))
            count = memory.number(size)
            record = memory.at(self._pack_protocol(info) if info is not None else None)
            given = (memory.at(address), _length(address), record, room.address, count.address)
            try:
                self.check(f"WSAAddressToString{self.form}", *given)
            except Failed as failure:
                failure.needed = count.number()
                raise
            text = self._string(room.address, self.form)
            if count.number() != len(text) + 1:
                raise Mismatch("length", expected=f"{len(text) + 1}, with the NUL", actual=str(count.number()))
            return text

    def WSAStringToAddress(
        self, text: str | None, family: int, info: ProtocolInfo | None = None, length: int | None = None
    ) -> bytes:
        with self._memory() as memory:
            room, size = _room_for_address(memory, length)
            record = memory.at(self._pack_protocol(info) if info is not None else None)
            room.write(UNTOUCHED * room.size)
            given = (memory.text(text, self.form), family, record, room.address, size.address)
            try:
                self.check(f"WSAStringToAddress{self.form}", *given)
            except Failed as failure:
                failure.needed = size.number()
                left = room.read()[: SIZE_IN6 if family == AF_INET6 else SIZE_IN]
                failure.address = left if left.strip(UNTOUCHED) else None
                raise
            return room.read()[: size.number()]

    def WSAEnumProtocols(self, protocols: Sequence[int] | None = None) -> list[ProtocolInfo]:
        wanted = None if protocols is None else b"".join(_int(number) for number in (*protocols, 0))
        function = f"WSAEnumProtocols{self.form}"
        with self._memory() as memory:
            asked, size = memory.at(wanted), memory.number(0)
            try:
                self.check(function, asked, 0, size.address)
                return []
            except Failed as failure:
                if failure.code != WSAENOBUFS:
                    raise
            room = memory.new(size.number())
            count = self.check(function, asked, room.address, size.address)
            data = room.read()
        step_size = LAYOUTS[f"WSAPROTOCOL_INFO{self.form}"].size
        return [self._unpack_protocol(data, at) for at in range(0, count * step_size, step_size)]

    def _unpack_protocol(self, data: bytes, at: int) -> ProtocolInfo:
        layout = LAYOUTS[f"WSAPROTOCOL_INFO{self.form}"]
        values = {field: layout.number(data, name, at) for field, name in _PROTOCOL_FIELDS.items()}
        entries = layout.block(data, "ProtocolChain.ChainEntries", at)
        chain = [int.from_bytes(entries[i : i + 4], "little") for i in range(0, 28, 4)]
        encoding = "latin-1" if self.form == "A" else "utf-16-le"
        return ProtocolInfo(
            **values,
            provider_id=UUID(bytes_le=layout.block(data, "ProviderId", at)),
            protocol_chain=tuple(chain[: values["chain_len"]]) if values["chain_len"] > 1 else (),
            name=layout.block(data, "szProtocol", at).decode(encoding, "replace").split("\0")[0],
        )

    def _pack_protocol(self, info: ProtocolInfo) -> bytes:
        encoding = "latin-1" if self.form == "A" else "utf-16-le"
        return LAYOUTS[f"WSAPROTOCOL_INFO{self.form}"].pack(
            **{name: int(getattr(info, field)) for field, name in _PROTOCOL_FIELDS.items()},
            ProviderId=info.provider_id.bytes_le,
            **{"ProtocolChain.ChainEntries": b"".join(map(_int, info.protocol_chain))},
            szProtocol=info.name.encode(encoding),
        )

    def getaddrinfo(self, node: str | None, service: str | None, hints: AddrInfo | None = None) -> list[AddrInfo]:
        function, release = ("getaddrinfo", "freeaddrinfo")
        if self.form == "W":
            function, release = ("GetAddrInfoW", "FreeAddrInfoW")
        layout = LAYOUTS["addrinfo"]
        with self._memory() as memory:
            asked = None
            if hints is not None:
                asked = layout.pack(
                    ai_flags=hints.flags,
                    ai_family=hints.family,
                    ai_socktype=hints.socktype,
                    ai_protocol=hints.protocol,
                    ai_addrlen=_length(hints.addr),
                    ai_canonname=memory.text(hints.canonname, self.form),
                    ai_addr=memory.at(hints.addr),
                )
            answer = memory.number(size=8)
            names = (memory.text(node, self.form), memory.text(service, self.form))
            self.check(function, *names, memory.at(asked), answer.address)
            first = item = answer.number(8)
        found = []
        while item:
            data = self.machine.read(item, layout.size)
            name, address = layout.number(data, "ai_canonname"), layout.number(data, "ai_addr")
            found.append(
                AddrInfo(
                    flags=layout.number(data, "ai_flags"),
                    family=layout.number(data, "ai_family"),
                    socktype=layout.number(data, "ai_socktype"),
                    protocol=layout.number(data, "ai_protocol"),
                    canonname=self._string(name, self.form) if name else None,
                    addr=self.machine.read(address, layout.number(data, "ai_addrlen")) if address else None,
                )
            )
            item = layout.number(data, "ai_next")
        if first:
            self.check(release, first)
        return found

    def getnameinfo(self, address: bytes | None, flags: int = 0) -> tuple[str, str]:
        function = "getnameinfo" if self.form == "A" else "GetNameInfoW"
        width = 1 if self.form == "A" else 2
        with self._memory() as memory:
            node, service = memory.new(ROOM_FOR_TEXT * width), memory.new(64 * width)
            where = (memory.at(address), _length(address))
            self.check(function, *where, node.address, ROOM_FOR_TEXT, service.address, 64, flags)
            return self._string(node.address, self.form), self._string(service.address, self.form)

    def gethostbyname(self, name: str | None) -> HostEnt:
        with self._memory() as memory:
            entry = self.check("gethostbyname", memory.text(name, "A"))
        return self.host_at(entry)

    def host_at(self, entry: int) -> HostEnt:
        """Read a HOSTENT."""
        layout = LAYOUTS["hostent"]
        data = self.machine.read(entry, layout.size)
        length = layout.number(data, "h_length")
        return HostEnt(
            name=self._string(layout.number(data, "h_name"), "A"),
            aliases=tuple(self._string(at, "A") for at in self._pointers(layout.number(data, "h_aliases"))),
            addrtype=layout.number(data, "h_addrtype"),
            addresses=tuple(self.machine.read(at, length) for at in self._pointers(layout.number(data, "h_addr_list"))),
        )

    def getservbyname(self, name: str | None, proto: str | None = None) -> ServEnt:
        with self._memory() as memory:
            return self.service_at(self.check("getservbyname", memory.text(name, "A"), memory.text(proto, "A")))

    def getservbyport(self, port: int, proto: str | None = None) -> ServEnt:
        with self._memory() as memory:
            return self.service_at(self.check("getservbyport", port, memory.text(proto, "A")))

    def service_at(self, entry: int) -> ServEnt:
        """Read a SERVENT."""
        layout = LAYOUTS["servent"]
        data = self.machine.read(entry, layout.size)
        return ServEnt(
            name=self._string(layout.number(data, "s_name"), "A"),
            aliases=tuple(self._string(at, "A") for at in self._pointers(layout.number(data, "s_aliases"))),
            port=layout.number(data, "s_port") & 0xFFFF,
            proto=self._string(layout.number(data, "s_proto"), "A"),
        )

    def getprotobyname(self, name: str | None) -> ProtoEnt:
        with self._memory() as memory:
            return self.protocol_at(self.check("getprotobyname", memory.text(name, "A")))

    def getprotobynumber(self, number: int) -> ProtoEnt:
        return self.protocol_at(self.check("getprotobynumber", number))

    def protocol_at(self, entry: int) -> ProtoEnt:
        """Read a PROTOENT."""
        layout = LAYOUTS["protoent"]
        data = self.machine.read(entry, layout.size)
        return ProtoEnt(
            name=self._string(layout.number(data, "p_name"), "A"),
            aliases=tuple(self._string(at, "A") for at in self._pointers(layout.number(data, "p_aliases"))),
            proto=layout.number(data, "p_proto"),
        )

    def gethostname(self) -> str:
        function = "gethostname" if self.form == "A" else "GetHostNameW"
        with self._memory() as memory:
            room = memory.new(ROOM_FOR_TEXT)
            self.check(function, room.address, 256)
            return self._string(room.address, self.form)


class Received(int):
    """Bytes received, with the flags that came back."""

    flags: int

    def __new__(cls, moved: int, flags: int) -> Received:
        self = super().__new__(cls, moved)
        self.flags = flags
        return self


_PROTOCOL_FIELDS = {
    "service_flags1": "dwServiceFlags1",
    "service_flags2": "dwServiceFlags2",
    "service_flags3": "dwServiceFlags3",
    "service_flags4": "dwServiceFlags4",
    "provider_flags": "dwProviderFlags",
    "catalog_entry_id": "dwCatalogEntryId",
    "chain_len": "ProtocolChain.ChainLen",
    "version": "iVersion",
    "address_family": "iAddressFamily",
    "max_sock_addr": "iMaxSockAddr",
    "min_sock_addr": "iMinSockAddr",
    "socket_type": "iSocketType",
    "protocol": "iProtocol",
    "protocol_max_offset": "iProtocolMaxOffset",
    "network_byte_order": "iNetworkByteOrder",
    "security_scheme": "iSecurityScheme",
    "message_size": "dwMessageSize",
    "provider_reserved": "dwProviderReserved",
}


def _int(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "little")


def _length(data: bytes | None) -> int:
    return 0 if data is None else len(data)


def _source(memory: Scratch, data: Readable | None) -> tuple[int, int]:
    """Return (address, size) of data to send; None: NULL with a size of 1, as NULL with 0 is allowed."""
    return (0, 1) if data is None else (memory.new(data).address, len(data))


@contextlib.contextmanager
def _filled(
    memory: Scratch, buffers: Iterable[Writable | None], overlapped: Any = None
) -> Iterator[list[Block | None]]:
    """Give each buffer a block, and copy the blocks back into the buffers however the call ends.

    With a record they are copied when it shows that the request is complete.
    """
    pairs = [(None if buffer is None else memory.new(buffer), buffer) for buffer in buffers]
    if overlapped is not None:
        for block, buffer in pairs:
            overlapped.fills(block, buffer)
        yield [block for block, _ in pairs]
        return
    try:
        yield [block for block, _ in pairs]
    finally:
        for block, buffer in pairs:
            if block is not None and buffer is not None:
                buffer[:] = block.read()


def _wsabufs(memory: Scratch, blocks: Sequence[Block | None]) -> Block:
    """Return the WSABUF array for these blocks; None becomes a NULL buf with len 1."""
    pack = LAYOUTS["WSABUF"].pack
    entries = (pack(len=block.size, buf=block.address) if block else pack(len=1) for block in blocks)
    return memory.new(b"".join(entries))


def _room_for_address(memory: Scratch, size: int | None) -> tuple[Block, Block]:
    """Return room for an address, and the int that says how much."""
    room = memory.new(ROOM_FOR_ADDRESS if size is None else max(size, 0))
    return room, memory.number(room.size if size is None else size)


def _sender(room: Block, length: Block, untouched: bytes) -> bytes | None:
    """Return the address a receive wrote; None if it wrote none (connected streams)."""
    now = room.read()
    return None if now == untouched else now[: length.number()]


def _fd_set(sockets: Sequence[int]) -> bytes:
    array = b"".join(s.to_bytes(8, "little") for s in sockets)
    return len(sockets).to_bytes(8, "little") + array + bytes(max(0, 512 - len(array)))


def _members(block: Block) -> list[int]:
    count = block.number(4)
    return [block.number(8, 8 + 8 * i) for i in range(count)]
