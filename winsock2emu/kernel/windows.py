"""Windows that nobody sees: their classes, their handles, the threads they belong to.

Part played:     the window manager's tables (win32k): classes, windows, atoms, the queues of the threads.
Lives here:      the tables; who gets a posted or sent message.
Lives elsewhere: queues (kernel/messages), what windows are told when they come and go, and errors (user32).
Handles:         numbers of their own, from 0x40010002 on in steps of 2, never used twice in a process: a message that
                 is late for its window reaches no other one. They are below 2**31, as those of Windows are, and far
                 from the descriptors and handles of kernel/handles.
Atoms:           classes and registered messages share one table, from 0xC000 on, as on Windows.
Thread's end:    its windows go silently, and who waits for an answer from it gets 0.
Locking:         one lock for the tables; procedures run outside it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import attrs

from ..defs.codes import ERROR_NO_SYSTEM_RESOURCES
from ..defs.windows import (
    ERROR_CLASS_ALREADY_EXISTS,
    ERROR_CLASS_DOES_NOT_EXIST,
    ERROR_CLASS_HAS_WINDOWS,
    ERROR_INVALID_THREAD_ID,
    ERROR_INVALID_WINDOW_HANDLE,
)
from ..errors import WinsockError
from .messages import MSG, MessageQueue, Procedure, call_procedure
from .waits import Waiter, this_waiter

_FIRST_ATOM: Final = 0xC000
_LAST_ATOM: Final = 0xFFFF
_FIRST_WINDOW: Final = 0x40010002


@attrs.frozen(eq=False)
class WindowClass:
    """A registered class.

    Attributes:
        atom: its number.
        extra: bytes that each window has for the program.
    """

    name: str
    atom: int
    procedure: Procedure
    extra: int
    instance: int
    style: int


@attrs.define(eq=False)
class Window:
    """A window.

    Attributes:
        queue: of the thread that made it, which alone calls its procedure.
        parent: 0 for none.
        message_only: made with HWND_MESSAGE, or below such a window: found and reached by nobody who does not know it.
        extra: the program's bytes.
        gone: its handle leads nowhere any more.
        destroying: WM_DESTROY is on its way.
    """

    hwnd: int
    kind: WindowClass
    queue: MessageQueue
    procedure: Procedure
    parent: int
    message_only: bool
    text: str
    style: int
    ex_style: int
    instance: int
    identifier: int
    extra: bytearray
    user_data: Any = 0
    gone: bool = False
    destroying: bool = False

    def call(self, message: int, wparam: Any, lparam: Any) -> int:
        """Call its procedure, in its own thread."""
        return call_procedure(self.procedure, self.hwnd, message, wparam, lparam)


class _ThreadWindows:
    """Stands among what a thread owns."""

    __slots__ = ("_desktop",)

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = weakref.ref(desktop)

    def thread_ended(self, waiter: Waiter) -> None:
        desktop = self._desktop()
        if desktop is not None:
            desktop.thread_ended(waiter)


class Desktop:
    """The windows of one process.

    Attributes:
        windows: by handle; read by anyone.
    """

    def __init__(self) -> None:
        self.windows: dict[int, Window] = {}
        self._numbers = count(_FIRST_WINDOW, 2)
        self._classes: dict[str, WindowClass] = {}
        self._atoms: dict[str, int] = {}
        self._queues: dict[int, MessageQueue] = {}  # by `Waiter.serial`
        self._lock = threading.Lock()

    # Atoms and classes

    def atom(self, name: str) -> int:
        """The number of a name, the same for all spellings in upper and lower case.

        Raises:
            WinsockError: ERROR_NO_SYSTEM_RESOURCES, 16 384 names are known.
        """
        with self._lock:
            atom = self._atoms.setdefault(name.lower(), _FIRST_ATOM + len(self._atoms))
            if atom > _LAST_ATOM:
                del self._atoms[name.lower()]
                raise WinsockError(ERROR_NO_SYSTEM_RESOURCES)
        return atom

    def add_class(self, kind: WindowClass) -> None:
        """Register a class; ERROR_CLASS_ALREADY_EXISTS when there is one of that name."""
        with self._lock:
            if self._classes.setdefault(kind.name.lower(), kind) is not kind:
                raise WinsockError(ERROR_CLASS_ALREADY_EXISTS)

    def find_class(self, name: str | int) -> WindowClass | None:
        """A class by its name or atom."""
        if isinstance(name, str):
            return self._classes.get(name.lower())
        return next((kind for kind in tuple(self._classes.values()) if kind.atom == name), None)

    def remove_class(self, name: str | int) -> None:
        """Unregister a class; ERROR_CLASS_DOES_NOT_EXIST, ERROR_CLASS_HAS_WINDOWS."""
        kind = self.find_class(name)
        if kind is None:
            raise WinsockError(ERROR_CLASS_DOES_NOT_EXIST)
        if any(window.kind is kind for window in tuple(self.windows.values())):
            raise WinsockError(ERROR_CLASS_HAS_WINDOWS)
        with self._lock:
            self._classes.pop(kind.name.lower(), None)

    # Threads

    def queue(self) -> MessageQueue:
        """The queue of the calling thread, made when it is first asked for."""
        waiter = this_waiter()
        queue = self._queues.get(waiter.serial)
        if queue is None:
            queue = self._queues[waiter.serial] = MessageQueue(threading.get_native_id() & 0xFFFFFFFF)
            waiter.owned.append(_ThreadWindows(self))
        return queue

    def queue_of_thread(self, thread: int) -> MessageQueue:
        """The queue of a thread by its identifier; ERROR_INVALID_THREAD_ID when it has none."""
        for queue in tuple(self._queues.values()):
            if queue.thread == thread:
                return queue
        raise WinsockError(ERROR_INVALID_THREAD_ID)

    def thread_ended(self, waiter: Waiter) -> None:
        """Take away what a thread leaves."""
        queue = self._queues.pop(waiter.serial, None)
        if queue is not None:
            for window in tuple(self.windows.values()):
                if window.queue is queue:
                    self.remove(window)
            queue.close()

    # Windows

    def number(self) -> int:
        """A handle for a new window."""
        return next(self._numbers)

    def add(self, window: Window) -> None:
        """Have a window's handle lead to it."""
        self.windows[window.hwnd] = window

    def remove(self, window: Window) -> None:
        """Forget a window with its messages and timers."""
        window.gone = True
        self.windows.pop(window.hwnd, None)
        window.queue.forget_window(window.hwnd)

    def window(self, hwnd: int) -> Window:
        """A window by its handle; ERROR_INVALID_WINDOW_HANDLE when there is none."""
        window = self.windows.get(hwnd)
        if window is None:
            raise WinsockError(ERROR_INVALID_WINDOW_HANDLE)
        return window

    def children(self, hwnd: int) -> list[Window]:
        """The windows whose parent is a given one, the oldest first."""
        return [window for window in tuple(self.windows.values()) if window.parent == hwnd]

    def family(self, hwnd: int) -> Iterator[int]:
        """A window and all below it."""
        yield hwnd
        for child in self.children(hwnd):
            yield from self.family(child.hwnd)

    def top_level(self) -> list[Window]:
        """The windows that a broadcast reaches."""
        return [window for window in tuple(self.windows.values()) if not window.parent and not window.message_only]

    def post(self, hwnd: int, message: int, wparam: Any, lparam: Any) -> None:
        """Post a message to a window; from any thread, and while locks are held.

        Raises:
            WinsockError: ERROR_INVALID_WINDOW_HANDLE; ERROR_NOT_ENOUGH_QUOTA.
        """
        self.window(hwnd).queue.post(MSG(hwnd, message, wparam, lparam))

    def after_fork(self) -> None:
        """In the child: windows are the parent's, and so are their threads."""
        self._lock = threading.Lock()
        self.windows.clear()
        self._queues.clear()
