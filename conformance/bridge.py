"""A machine on the other side of a bridge: a program that makes calls for us, in an operating system of its own.

Part played:     the Machine of the driver when Windows' DLLs cannot be loaded into this process.
Lives here:      the near end: the memory that both ends see, the channels, and callbacks.
Lives elsewhere: the far end (bridge.c), which program runs it (targets/wine).
Shape:           a channel is a pair of FIFOs in a private folder, and belongs to one thread here and to one thread
                 there. What a call needs is in memory that both have mapped, so a call is one message there and one
                 back; during a callback the far thread waits on its channel and does what is asked in between.
Ends:            a call that crashes ends the far end: it raises Mismatch, as what a case must not see, and all later
                 ones raise BridgeLost. So do those that go on when somebody closes the bridge because a call hung.
                 Whoever has the bridge makes another one then.
"""

from __future__ import annotations

import contextlib
import contextvars
import mmap
import os
import select
import shutil
import struct
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from .machine import MASK, Called
from .verify import Mismatch

VALUES: Final = 14
_MESSAGE: Final = struct.Struct(f"<II{VALUES}Q")
CALL, LOOKUP, COPY, MAKE_CALLBACK, MAKE_THREAD, RETURN = range(1, 7)
DONE, CALLED_BACK, CRASHED, FOREIGN = range(1, 5)
#: Bytes of the memory that both ends see. A sparse file: what nobody uses costs nothing.
ROOM: Final = 256 << 20
#: Of the folders' names; the number of the process that made it follows.
_PREFIX: Final = "winsock2emu-bridge-"
#: Memory without a disk behind it, where there is such a folder.
_SHARED: Final = "/dev/shm"
#: Seconds that the far end may take to start; the first start in a new folder of settings takes the longest.
STARTING: Final = 120


class BridgeLost(Exception):
    """The far end is gone; str() says what is known of it."""


class _Memory:
    """The shared file: who has which part of it. Blocks of one size are used again; large ones have sizes of 2**n."""

    def __init__(self, path: Path) -> None:
        with path.open("w+b") as file:
            file.truncate(ROOM)
            self.bytes = mmap.mmap(file.fileno(), ROOM)
        self._lock = threading.Lock()
        self._next = 0
        self._free: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}

    def alloc(self, size: int) -> int:
        """Return the offset of ``size`` zeroed bytes, aligned to 16."""
        rounded = max(16, -(-size // 16) * 16) if size <= 4096 else 1 << (size - 1).bit_length()
        with self._lock:
            free = self._free.get(rounded)
            if free:
                at = free.pop()
            elif self._next + rounded <= ROOM:
                at = self._next
                self._next += rounded
            else:
                raise MemoryError(f"no room for {size} bytes in the {ROOM >> 20} MiB that both ends see")
            self._sizes[at] = rounded
        self.bytes[at : at + size] = bytes(size)
        return at

    def free(self, at: int) -> None:
        with self._lock:
            self._free.setdefault(self._sizes.pop(at), []).append(at)


class _Channel:
    """The way to one thread of the far end."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self._down = self._up = -1
        for direction in ("down", "up"):
            os.mkfifo(folder / f"{number}.{direction}")
        # Neither waits for the other end; a reader that comes later finds a writer.
        self._up = os.open(folder / f"{number}.up", os.O_RDONLY | os.O_NONBLOCK)
        self._down = os.open(folder / f"{number}.down", os.O_RDWR)

    def attach(self, seconds: float | None) -> None:
        """Wait for the first message; from then on reading waits.

        Raises:
            BridgeLost: none has come in time.
        """
        first = select.poll()
        first.register(self._up, select.POLLIN)
        if not first.poll(None if seconds is None else seconds * 1000):
            raise BridgeLost(f"the program behind the bridge says nothing within {seconds:g} s")
        os.set_blocking(self._up, True)

    def send(self, what: int, values: Sequence[int]) -> None:
        padded = [*values, *[0] * (VALUES - len(values))]
        os.write(self._down, _MESSAGE.pack(what, len(values), *padded))

    def receive(self) -> tuple[int, tuple[int, ...]]:
        """Wait for a message: what it says, and its values.

        Raises:
            BridgeLost: there is no far end any more.
        """
        data = b""
        while len(data) < _MESSAGE.size:
            piece = os.read(self._up, _MESSAGE.size - len(data))
            if not piece:
                raise BridgeLost("the program behind the bridge has ended")
            data += piece
        what, _, *values = _MESSAGE.unpack(data)
        return what, tuple(values)

    def close(self) -> None:
        """The thread at the other end sees this and ends."""
        down, up, self._down, self._up = self._down, self._up, -1, -1
        for descriptor in (down, up):
            if descriptor >= 0:
                os.close(descriptor)

    def __del__(self) -> None:
        self.close()


class Bridge:
    """One run of the far end: a Machine.

    Args:
        command: the program and its arguments; the folder with the FIFOs and the memory is appended.
        environment: of that program.

    Raises:
        BridgeLost: it does not start.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        #: Where the FIFOs and the memory are.
        self.folder = _new_folder()
        far: list[subprocess.Popen[bytes]] = []
        #: Ends the far end and removes the folder, at the latest when nobody has this bridge any more.
        self.close = weakref.finalize(self, _end, far, self.folder)
        self._memory = _Memory(self.folder / "memory")
        self._lock = threading.Lock()
        self._local = threading.local()
        self._callbacks: list[_Callback] = []
        self._running = 0
        self._lost = False
        self._numbers = 1
        self._control = _Channel(self.folder, 0)
        announcements = _Channel(self.folder, 1)
        whole = [*command, str(self.folder)]
        # What it starts may outlive it, and must not hold a pipe that somebody reads our output from.
        nothing = subprocess.DEVNULL
        far.append(
            subprocess.Popen(
                whole, env=environment, stdin=nothing, stdout=nothing, stderr=nothing, cwd="/", start_new_session=True
            )
        )
        self._control.attach(STARTING)
        self._base = self._answer(self._control).result
        if not self._base:
            raise BridgeLost("the program behind the bridge could not map the memory of both")
        threading.Thread(target=_listen, args=(weakref.ref(self), announcements), name="bridge", daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether the far end runs, and no call is left in it. A look at it between two cases."""
        return not self._lost and self.close.alive and not self._running

    # ---- messages ------------------------------------------------------------------------------------------

    def _answer(self, channel: _Channel) -> Called:
        """Wait for the end of what was asked; run the callbacks that are called until then."""
        failure: BaseException | None = None
        while True:
            try:
                what, values = channel.receive()
            except BridgeLost:
                self._lost = True
                raise
            if what == CRASHED:
                self._lost = True
                raise Mismatch("call", expected="a return", actual=f"exception {values[0]:#010x} at {values[1]:#x}")
            if what == CALLED_BACK:
                result = 0
                try:
                    result = self._callbacks[values[0]].run(values[1:])
                except BaseException as error:  # C has no exceptions: whoever called it gets 0, and our caller this
                    failure = failure or error
                channel.send(RETURN, [result])
                continue
            if failure is not None:
                raise failure
            return Called(values[0], values[1])

    def _ask(self, what: int, *values: int) -> int:
        """Have the main thread of the far end do something that does not take long."""
        with self._lock:
            self._control.send(what, values)
            return self._answer(self._control).result

    def _channel(self) -> _Channel:
        """The channel of the calling thread. It ends with the thread, and so does the thread at the other end."""
        channel: _Channel | None = getattr(self._local, "channel", None)
        if channel is None:
            channel = self._new_channel()
            self._ask(MAKE_THREAD, channel.number)
            channel.attach(STARTING)
            self._answer(channel)
            self._local.channel = channel
        return channel

    def _new_channel(self) -> _Channel:
        with self._lock:
            self._numbers += 1
            return _Channel(self.folder, self._numbers)

    # ---- the machine ---------------------------------------------------------------------------------------

    def alloc(self, size: int) -> int:
        return self._base + self._memory.alloc(size)

    def free(self, address: int) -> None:
        self._memory.free(address - self._base)

    def read(self, address: int, size: int) -> bytes:
        at = address - self._base
        if 0 <= at <= ROOM - size:
            return self._memory.bytes[at : at + size]
        room = self.alloc(size)
        try:
            self._ask(COPY, room, address, size)
            return self.read(room, size)
        finally:
            self.free(room)

    def write(self, address: int, data: bytes) -> None:
        at = address - self._base
        if 0 <= at <= ROOM - len(data):
            self._memory.bytes[at : at + len(data)] = data
            return
        room = self.alloc(len(data))
        try:
            self.write(room, data)
            self._ask(COPY, address, room, len(data))
        finally:
            self.free(room)

    def lookup(self, dll: str, name: str) -> int:
        names = [text.encode() + b"\0" for text in (f"{dll}.dll", name)]
        rooms = [self.alloc(len(text)) for text in names]
        for room, text in zip(rooms, names, strict=True):
            self.write(room, text)
        try:
            return self._ask(LOOKUP, *rooms)
        finally:
            for room in rooms:
                self.free(room)

    def call(self, thread: str, address: int, arguments: Sequence[int]) -> Called:
        if self._lost:
            raise BridgeLost("the program behind the bridge has ended before")
        channel = self._channel()
        channel.send(CALL, [address, *(value & MASK for value in arguments)])
        with self._lock:
            self._running += 1
        try:
            return self._answer(channel)
        except BridgeLost:
            if self.close.alive:  # nobody ended it from here: it was a call
                raise Mismatch("call", expected="a return", actual="the end of the process") from None
            raise
        finally:
            with self._lock:
                self._running -= 1

    def callback(self, function: Callable[..., int], widths: Sequence[int]) -> int:
        with self._lock:
            number = len(self._callbacks)
            masks = tuple((1 << 8 * width) - 1 for width in widths)
            self._callbacks.append(_Callback(function, masks, contextvars.copy_context()))
        return self._ask(MAKE_CALLBACK, number)

    # ---- threads that the far end has not from us ----------------------------------------------------------

    def _welcome(self, announcements: _Channel) -> None:
        """A thread of the far end runs into a callback and has no channel: give it one, and a thread here."""
        channel = self._new_channel()
        threading.Thread(target=self._serve, args=(channel,), name=f"foreign-{channel.number}", daemon=True).start()
        announcements.send(RETURN, [channel.number])

    def _serve(self, channel: _Channel) -> None:
        """Run one callback for such a thread; calls that it makes go there."""
        with contextlib.suppress(BridgeLost):
            channel.attach(STARTING)
            self._local.channel = channel
            _, values = channel.receive()
            callback = self._callbacks[values[0]]
            channel.send(RETURN, [callback.context.copy().run(callback.run, values[1:])])


@attrs.frozen
class _Callback:
    function: Callable[..., int]
    masks: tuple[int, ...]
    context: contextvars.Context

    def run(self, values: Sequence[int]) -> int:
        given = (value & mask for value, mask in zip(values, self.masks, strict=False))
        return int(self.function(*given)) & MASK


def _listen(bridge: weakref.ref[Bridge], announcements: _Channel) -> None:
    with contextlib.suppress(BridgeLost):
        announcements.attach(None)
        while True:
            announcements.receive()
            if (there := bridge()) is None:
                return
            there._welcome(announcements)
            del there


def _new_folder() -> Path:
    """A folder for the FIFOs and the memory. Those of processes that were killed are removed meanwhile."""
    where = Path(_SHARED if os.path.isdir(_SHARED) else tempfile.gettempdir())
    for left in where.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not os.path.exists(f"/proc/{owner}"):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=where))


def _end(far: list[subprocess.Popen[bytes]], folder: Path) -> None:
    """End the far end, whatever it does."""
    for process in far:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
