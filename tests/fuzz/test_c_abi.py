"""Bad input through the C ABI: random handles, lengths, flags, options and pointers, in random order.

Whatever a program passes, a call returns, with a documented code when it fails, and nothing of the emulator's inside
gets out: no exception, no hang, no descriptor. Lengths never exceed the memory they belong to; a C program that lies
about its own buffers is beyond anybody's help, Windows' included.

``WINSOCK2EMU_FUZZ_CALLS`` sets the number of calls (100 000 by default).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from winsock2emu.capi import table
from winsock2emu.defs import codes, constants
from winsock2emu.defs.codes import NTStatus, Win32Error, WSAError
from winsock2emu.defs.exports import EXPORTS, Param
from winsock2emu.defs.sockaddr import sockaddr_in, sockaddr_in6, sockaddr_un
from winsock2emu.process import Process

CALLS = int(os.environ.get("WINSOCK2EMU_FUZZ_CALLS", "100000"))
CALLS_PER_EXAMPLE = 500

ROOM = 8192  # bytes of each block that a random pointer may lead to
LARGEST = 2048  # no length and no count in bytes is larger, and pointers lead to the first quarter of a block

# Not called: what stops the thread by design, asks a name server, or frees memory the program does not own.
LEFT_OUT = {"freeaddrinfo", "FreeAddrInfoW", "FreeAddrInfoEx", "FreeAddrInfoExW", "WEP"}
LOOK_UPS = {"getaddrinfo", "GetAddrInfoW", "gethostbyname", "gethostbyaddr", "getnameinfo", "GetNameInfoW"}

NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 20, 23, 28, 41, 58, 64, 110, 128, 255, 256, 0xFFFF, 0x7FFF, -1, -2]
NUMBERS += [
    value for name, value in vars(constants).items() if name.startswith(("SO_", "IP_", "IPV6_", "TCP_", "MSG_"))
]
CODES = [value for name, value in vars(constants).items() if name.startswith(("SIO_", "FIO"))]
DOCUMENTED = {int(code) for kind in (WSAError, Win32Error, NTStatus) for code in kind}
NAMES = [b"127.0.0.1\0", b"\0", b"::1\0", b"1.2.3\0", b"[::1]:80\0", b"localhost\0", b"x" * 300 + b"\0", b"0x7f.1\0"]

WRITTEN = sorted(
    name
    for name in table.names("ws2_32")
    if name not in LEFT_OUT and (found := table.export("ws2_32", name)) and found.written
)
UNWRITTEN = sorted(
    name
    for name in table.names("ws2_32")
    if name not in LEFT_OUT and (found := table.export("ws2_32", name)) and not found.written
)


# Requests and look-ups that pend write here after their call has returned.
KEPT: list[ctypes.Array[ctypes.c_char]] = []

ROUTINE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32)


@ROUTINE
def routine(error: int, moved: int, overlapped: int, flags: int) -> None:
    """A completion routine; nobody waits alertably, so most are never called."""


class Program:
    """A program that knows no manners: what it has opened, and its memory."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.sockets = [0, 3, 5, 2**64 - 1, 0x100000, 0x7FFF0000]
        self.blocks = [ctypes.create_string_buffer(ROOM) for _ in range(4)]
        KEPT.extend(self.blocks)

    def pointer(self, ctype: str) -> int:
        """NULL, a small number, or a block that holds what the type asks for. No pointer in it leads outside."""
        chance = self.chance
        if chance.randrange(4) == 0:
            return chance.choice((0, 0, 1, 0xFFF))
        if "SOCKET_ADDRESS" in ctype:
            return self.address_list()
        block = chance.choice(self.blocks)
        address = ctypes.addressof(block)
        fill = bytes(64)
        if "sockaddr" in ctype.lower():
            fill = chance.choice(
                (
                    sockaddr_in("127.0.0.1", chance.choice((0, 9, 40000))),
                    sockaddr_in("0.0.0.0", 0),
                    sockaddr_in6("::1", 9),
                    sockaddr_un(""),
                    bytes(128),
                )
            )
        elif ctype in ("LPWSABUF", "LPWSAMSG", "WSABUF *"):
            inner = chance.choice((0, address + ROOM // 2))
            fill = b"".join(chance.randrange(64).to_bytes(8, "little") + inner.to_bytes(8, "little") for _ in range(16))
        elif "fd_set" in ctype or "POLLFD" in ctype:
            fill = chance.randrange(5).to_bytes(8, "little") + b"".join(
                chance.choice(self.sockets).to_bytes(8, "little") for _ in range(8)
            )
        elif "char" in ctype or "STR" in ctype:
            fill = chance.choice(NAMES)
        elif "int" in ctype or "DWORD" in ctype or "LONG" in ctype.upper():
            fill = chance.choice((0, 1, 4, 16, 28, 64, 628, LARGEST)).to_bytes(4, "little")
        ctypes.memset(address, 0, 1024)
        ctypes.memmove(address, fill, len(fill))
        return address

    def address_list(self) -> int:
        """A SOCKET_ADDRESS_LIST in memory of its own, as no other argument may write over its pointers."""
        block = ctypes.create_string_buffer(256)
        KEPT.append(block)
        where = self.chance.choice((0, ctypes.addressof(block) + 128))
        entry = where.to_bytes(8, "little") + self.chance.choice((0, 16, 28)).to_bytes(8, "little")
        count = self.chance.choice((0, 1, 2, 3)).to_bytes(8, "little")
        ctypes.memmove(block, count + entry * 3, 56)
        ctypes.memmove(ctypes.addressof(block) + 128, sockaddr_in("127.0.0.1", 9), 16)
        return ctypes.addressof(block)

    def number(self, name: str) -> int:
        """A number; lengths and counts stay inside of what pointers lead to."""
        lowered = name.lower()
        if "timeout" in lowered or "millis" in lowered:
            return self.chance.choice((0, 1, 5))
        if any(word in lowered for word in ("count", "fds", "cevents", "number")):
            return self.chance.choice((0, 1, 2, 3, 16))
        if "len" in lowered or "size" in lowered or lowered.startswith("cb"):
            return self.chance.choice((0, 1, 3, 4, 8, 16, 28, 64, 110, 128, 372, 628, LARGEST, -1))
        if "code" in lowered or lowered == "cmd":
            return self.chance.choice(CODES)
        return self.chance.choice(NUMBERS)

    def overlapped(self) -> int:
        """None, or a structure of its own, most often without an event."""
        if self.chance.randrange(3):
            return self.chance.choice((0, 0, 1))
        record = ctypes.create_string_buffer(32)
        if self.chance.randrange(3) == 0:
            ctypes.memmove(ctypes.addressof(record) + 24, self.chance.choice(self.sockets).to_bytes(8, "little"), 8)
        KEPT.append(record)
        return ctypes.addressof(record)

    def argument(self, param: Param) -> int:
        if param.ctype == "SOCKET":
            return self.chance.choice(self.sockets)
        ctype = param.ctype.removeprefix("const ")
        if "*" in ctype or ctype.endswith("[]") or ctype.startswith(("LP", "P", "WSAEVENT", "HANDLE", "HWND")):
            if "Overlapped" in param.name:
                return self.overlapped()
            if "CompletionRoutine" in param.name:
                return self.chance.choice((0, 0, 0, ctypes.cast(routine, ctypes.c_void_p).value or 0))
            if "Condition" in param.name:
                return 0
            return self.pointer(param.ctype)
        return self.number(param.name)


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[list[float]]:
    """End calls that wait on sockets, as another thread of the program would: it closes them."""
    beat = [0.0]
    done = threading.Event()
    process = Process()

    def watch() -> None:
        seen = -1.0
        while not done.wait(0.25):
            if beat[0] == seen:
                for s in process.sockets():
                    record = process.objects.get(s)
                    if record is not None:
                        try:
                            record.wsp.WSPCloseSocket(s)
                        except OSError:
                            continue  # closed by the program at the same moment
            seen = beat[0]

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    with process.active():
        yield beat
    done.set()
    thread.join(5)


def call(name: str, arguments: list[int]) -> int:
    """One call through the exported C function."""
    found = table.export("ws2_32", name)
    assert found is not None
    return ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * len(arguments))(found.address)(
        *(argument & 2**64 - 1 for argument in arguments)
    )


def start() -> None:
    room = ctypes.create_string_buffer(512)
    assert call("WSAStartup", [0x0202, ctypes.addressof(room)]) == 0


def open_descriptors() -> dict[str, str]:
    """Descriptor to what it is, on hosts that tell."""
    found = {}
    for number in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        with contextlib.suppress(OSError):  # the one that listdir itself had open
            found[number] = os.readlink(f"/proc/self/fd/{number}")
    return found


def test_every_call_returns_with_a_documented_code_and_leaks_nothing(watchdog: list[float]) -> None:
    """Random calls with random arguments; sockets are made on the way and mostly non-blocking."""
    # What is kept for good is open before counting starts: this thread's place to sleep, what the host's library opens.
    start()
    s = call("socket", [2, 2, 17])
    fds = ctypes.create_string_buffer((1).to_bytes(8, "little") + s.to_bytes(8, "little"))
    call("select", [0, ctypes.addressof(fds), 0, 0, ctypes.addressof(ctypes.create_string_buffer(8))])
    call("WSACleanup", [])

    @settings(
        max_examples=max(1, CALLS // CALLS_PER_EXAMPLE),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64 - 1))
    def rampage(seed: int) -> None:
        program = Program(random.Random(seed))
        before = open_descriptors()
        start()
        for _ in range(CALLS_PER_EXAMPLE):
            watchdog[0] += 1
            dice = program.chance.randrange(100)
            if dice < 8:
                s = call(
                    "socket", [*program.chance.choice(((2, 1, 6), (2, 2, 17), (23, 1, 6), (23, 2, 17), (1, 1, 0)))]
                )
                if s < 2**63:
                    program.sockets.append(s)
                    flag = ctypes.c_uint32(1)
                    call("ioctlsocket", [s, constants.FIONBIO, ctypes.addressof(flag)])
                continue
            name = program.chance.choice(UNWRITTEN if dice < 14 else WRITTEN)
            if name == "WSACleanup" and dice < 90:
                continue
            params = EXPORTS["ws2_32"][name].params or ()
            arguments = [program.argument(param) for param in params]
            if name in LOOK_UPS and arguments and arguments[0]:
                ctypes.memmove(ctypes.addressof(program.blocks[0]), b"127.0.0.1\0", 10)
                arguments[0] = ctypes.addressof(program.blocks[0])
            call("WSASetLastError", [0])
            call(name, arguments)
            pending = table.take_pending_exception()
            assert pending is None, f"{name}{arguments} raised {pending!r}"
            error = call("WSAGetLastError", []) & 0xFFFFFFFF
            assert error == 0 or error in DOCUMENTED or name == "WSASetLastError", f"{name}{arguments}: {error}"
            if name in ("accept", "WSAAccept", "WSASocketA", "WSASocketW"):
                # The handle was in the result; whatever is open now is found through the process.
                continue
        while call("WSACleanup", []) == 0:
            continue
        assert table.take_pending_exception() is None
        # A connection may still be sending its last bytes behind a closed socket.
        deadline = time.monotonic() + 5
        while len(left := open_descriptors()) > len(before) and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert len(left) <= len(before), {number: what for number, what in left.items() if before.get(number) != what}

    rampage()


def test_the_codes_that_count_as_documented_are_those_of_the_tables() -> None:
    assert codes.WSAENOTSOCK in DOCUMENTED
    assert 12345 not in DOCUMENTED
