"""Message queues: what a thread finds when it asks for messages, and how it waits for them.

Part played:     the thread's half of the window manager (win32k): posted and sent messages, timers, the quit flag.
Lives here:      `MSG`, `Timer` and `MessageQueue`; the order in which messages come out; waiting for one.
Lives elsewhere: windows and who owns them (kernel/windows), the functions (user32), sleeping (kernel/objects).
Order:           messages sent by other threads first, then posted ones, then the quit flag, then a timer that is due:
                 WM_QUIT and WM_TIMER are made when nothing else is there, as on Windows. WM_QUIT passes every filter.
Waiting:         a queue is an object to wait for that only its own thread waits for. What would end the wait is noted
                 first (`expect`), then the thread looks, then it waits; whoever puts a message in does it before he
                 reads the note, so nothing is lost. A wait that ends in vain begins again.
Timers:          need no thread: a wait ends when the next one is due, and WM_TIMER is made when it is asked for.
Locking:         the dispatcher's lock guards `changed` and the signalled state; no user code runs under it. Other
                 threads only append to the containers.
Sources:         "About Messages and Message Queues" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..defs.codes import ERROR_NOT_ENOUGH_QUOTA
from ..defs.windows import (
    QS_ALLINPUT,
    QS_ALLPOSTMESSAGE,
    QS_POSTMESSAGE,
    QS_SENDMESSAGE,
    QS_TIMER,
    WM_QUIT,
    WM_TIMER,
)
from ..errors import WinsockError, of_program
from .events import Event
from .objects import TIMED_OUT, Home, Waitable, dispatcher, grant, wait

if TYPE_CHECKING:
    from .waits import Waiter
    from .windows import Window

POST_LIMIT: Final = 10_000
"""Posted messages that a queue takes (USERPostMessageLimit)."""

_EVERYTHING: Final = QS_ALLINPUT | QS_ALLPOSTMESSAGE
_POSTED: Final = QS_POSTMESSAGE | QS_ALLPOSTMESSAGE

Procedure = Callable[[int, int, Any, Any], Any]
"""A window procedure: window, message, wparam, lparam. What it returns is the result, None stands for 0."""


def ticks() -> int:
    """Milliseconds as GetTickCount tells them."""
    return int(time.monotonic() * 1000) & 0xFFFFFFFF


@attrs.define
class MSG:
    """A message as GetMessage gives it.

    Attributes:
        hwnd: the window, 0 for a message to the thread.
        time: GetTickCount when it was posted.
        point: where the pointer was; there is none.
    """

    hwnd: int
    message: int
    wparam: Any = 0
    lparam: Any = 0
    time: int = attrs.field(factory=ticks)
    point: tuple[int, int] = (0, 0)


@attrs.frozen
class Filter:
    """Which messages a thread asks for.

    Attributes:
        windows: handles of windows, 0 standing for messages to the thread; None: all.
        first, last: the range of messages; 0 and 0: all.
        kinds: of QS_POSTMESSAGE and QS_TIMER.
    """

    windows: Collection[int] | None = None
    first: int = 0
    last: int = 0
    kinds: int = _EVERYTHING

    @property
    def open(self) -> bool:
        """It lets every posted message pass."""
        return self.windows is None and not self.first and not self.last

    def passes(self, hwnd: int, message: int) -> bool:
        """True for a message that is asked for."""
        if self.windows is not None and hwnd not in self.windows:
            return False
        return not (self.first or self.last) or self.first <= message <= self.last


EVERY_MESSAGE: Final = Filter()


@attrs.define(eq=False)
class Timer:
    """A timer of SetTimer.

    Attributes:
        due: on the monotonic clock, in seconds.
        routine: what DispatchMessage calls, also the message's lparam; 0: the window procedure.
        seen: the thread has looked for messages since it is due; its message is not a new one.
    """

    hwnd: int
    identifier: int
    period_s: float
    due: float
    routine: Any
    seen: bool = False


class SentMessage:
    """A message on its way to another thread's window, and its answer.

    Attributes:
        answered: an event for the sender; None when nobody waits for the answer.
        result: 0 until the procedure has returned, and for a window that is gone by then.
        lost: nobody has called the procedure.
    """

    __slots__ = ("answered", "lost", "lparam", "message", "result", "window", "wparam")

    def __init__(self, window: Window, message: int, wparam: Any, lparam: Any, *, notify: bool) -> None:
        self.window = window
        self.message = message
        self.wparam = wparam
        self.lparam = lparam
        self.answered = None if notify else Event()
        self.result = 0
        self.lost = False

    def receive(self) -> None:
        """Call the window's procedure, in its thread, and answer."""
        try:
            if self.window.gone:
                self.lost = True
            else:
                self.result = self.window.call(self.message, self.wparam, self.lparam)
        finally:
            self.answer()

    def lose(self) -> None:
        """The thread is gone."""
        self.lost = True
        self.answer()

    def answer(self) -> None:
        """Let the sender go on."""
        if self.answered is not None:
            self.answered.set()


class MessageQueue(Waitable):
    """The messages of one thread.

    Attributes:
        thread: its identifier, as GetCurrentThreadId tells it.
        changed: kinds that have come in since the thread last looked for them.
        expected: kinds that make the object signalled now.
        quit: the exit code of PostQuitMessage until WM_QUIT has been taken, else None.
        closed: the thread has ended.
    """

    __slots__ = ("_posted", "_sent", "_timers", "changed", "closed", "expected", "quit", "thread")

    def __init__(self, thread: int) -> None:
        super().__init__(signalled=False, keeps=True)
        self.thread = thread
        self.changed = 0
        self.expected = 0
        self.quit: int | None = None
        self.closed = False
        self._posted: deque[MSG] = deque()
        self._sent: deque[SentMessage] = deque()
        self._timers: list[Timer] = []

    # What others do

    def post(self, message: MSG) -> None:
        """Put a message in; from any thread, at any time.

        Raises:
            WinsockError: ERROR_NOT_ENOUGH_QUOTA, 10 000 are there.
        """
        if len(self._posted) >= POST_LIMIT:
            raise WinsockError(ERROR_NOT_ENOUGH_QUOTA)
        self._posted.append(message)
        self._arrived(_POSTED)

    def post_quit(self, exit_code: int) -> None:
        """Have the thread get WM_QUIT when nothing else is left."""
        self.quit = exit_code
        self._arrived(_POSTED)

    def send(self, message: SentMessage) -> None:
        """Have the thread call a window's procedure the next time it looks for messages."""
        self._sent.append(message)
        if self.closed:
            self.close()
        self._arrived(QS_SENDMESSAGE)

    def _arrived(self, kinds: int) -> None:
        woken: list[Waiter] = []
        try:
            with dispatcher:
                self.changed |= kinds
                if kinds & self.expected:
                    self.signalled = True
                    grant(self, woken)
        finally:
            for waiter in woken:
                waiter.wake()

    # What the thread itself does

    def expect(self, kinds: int) -> None:
        """Say what ends the wait that follows; the thread looks once more before it waits."""
        with dispatcher:
            self.expected = kinds
            self.signalled = False

    def present(self) -> int:
        """The kinds of messages that are in the queue."""
        kinds = _POSTED if self._posted or self.quit is not None else 0
        if self._sent:
            kinds |= QS_SENDMESSAGE
        if self._due(None) is not None:
            kinds |= QS_TIMER
        return kinds

    def seen(self, kinds: int) -> int:
        """Count kinds of messages as seen; returns those of them that were new."""
        new = 0
        if self._timers and kinds & QS_TIMER:
            now = time.monotonic()
            for timer in self._timers:
                if timer.due <= now and not timer.seen:
                    timer.seen = True
                    new = QS_TIMER
        with dispatcher:
            new |= self.changed & kinds
            self.changed &= ~kinds
        return new

    def receive_sent(self) -> None:
        """Call the window procedures that other threads wait for.

        Raises:
            Exception: what a procedure of the program raised; later messages stay.
        """
        while self._sent:
            self._sent.popleft().receive()

    def take(self, wanted: Filter, *, remove: bool = True) -> MSG | None:
        """The next message that passes a filter, if there is one; calls nobody."""
        if self.changed & wanted.kinds or self._timers:
            self.seen(wanted.kinds)
        if wanted.kinds & QS_POSTMESSAGE:
            message = self._take_posted(wanted, remove)
            if message is not None:
                return message
            if self.quit is not None:
                message = MSG(0, WM_QUIT, self.quit)
                if remove:
                    self.quit = None
                return message
        if wanted.kinds & QS_TIMER and self._timers:
            timer = self._due(wanted)
            if timer is not None:
                if remove:
                    # Expiries that nobody asked for in time are lost.
                    timer.due = max(timer.due + timer.period_s, time.monotonic())
                    timer.seen = False
                return MSG(timer.hwnd, WM_TIMER, timer.identifier, timer.routine)
        return None

    def _take_posted(self, wanted: Filter, remove: bool) -> MSG | None:
        posted = self._posted
        if not posted:
            return None
        if wanted.open:
            return posted.popleft() if remove else posted[0]
        for message in tuple(posted):
            if message.message == WM_QUIT or wanted.passes(message.hwnd, message.message):
                if remove:
                    posted.remove(message)  # an equal one that came earlier would have passed as well
                return message
        return None

    def get(self, wanted: Filter, home: Home) -> MSG:
        """Wait for a message and take it."""
        while True:
            self.receive_sent()
            self.expect(_EVERYTHING)
            message = self.take(wanted)
            if message is not None:
                return message
            if not self._sent:
                wait((self,), False, self._time_to_timer(wanted), False, home)

    def peek(self, wanted: Filter, home: Home, *, remove: bool) -> MSG | None:
        """Take a message, or look at it; None when there is none. A thread that only polls makes its requests go on."""
        self.receive_sent()
        message = self.take(wanted, remove=remove)
        if message is None and home.pends():
            self.expect(_EVERYTHING)
            wait((self,), False, 0, False, home)
            self.receive_sent()
            message = self.take(wanted, remove=remove)
        return message

    def wait(
        self,
        objects: tuple[Waitable, ...],
        kinds: int,
        timeout_s: float | None,
        home: Home,
        *,
        wait_all: bool = False,
        alertable: bool = False,
        available: bool = False,
    ) -> int:
        """Wait for one of some objects or a new message (or, ``wait_all``, for all of them and one).

        Args:
            kinds: of messages that count.
            available: those that the thread has seen before count, too.

        Returns:
            What `kernel.objects.wait` returns; ``len(objects)`` for a message.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        group = (*objects, self)
        while True:
            self.expect(kinds)
            if self._has(kinds, available):
                self.signalled = True
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            to_timer = None
            if kinds & QS_TIMER and not self.signalled:
                to_timer = self._time_to_timer(EVERY_MESSAGE, new=True)
            early = to_timer is not None and (left is None or to_timer < left)
            status = wait(group, wait_all, to_timer if early else left, alertable, home)
            if status != TIMED_OUT or not early:
                self.expected = 0
                return status

    def _has(self, kinds: int, available: bool) -> bool:
        """True when a message of some kinds is there that ends a wait."""
        if available:
            return bool(self.present() & kinds)
        if self.changed & kinds:
            return True
        return bool(kinds & QS_TIMER) and self._time_to_timer(EVERY_MESSAGE, new=True) == 0

    def wait_for_answer(self, sent: SentMessage, timeout_s: float | None, home: Home, *, block: bool) -> bool:
        """Wait until another thread has answered; False when the time ran out.

        Meanwhile the thread receives what is sent to its own windows, unless ``block``.

        Raises:
            Exception: what a procedure of the program raised.
        """
        answered = sent.answered
        assert answered is not None
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not answered.signalled:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if block:
                return wait((answered,), False, left, False, home) == 0
            self.receive_sent()
            self.expect(QS_SENDMESSAGE)
            if not self._sent and wait((answered, self), False, left, False, home) == TIMED_OUT:
                return False
        return True

    # Timers

    def set_timer(self, hwnd: int, identifier: int, milliseconds: int, routine: Any) -> None:
        """Have WM_TIMER come again and again; a timer of the same window and identifier ends."""
        period_s = milliseconds / 1000
        self.kill_timer(hwnd, identifier)
        self._timers.append(Timer(hwnd, identifier, period_s, time.monotonic() + period_s, routine))

    def kill_timer(self, hwnd: int, identifier: int) -> bool:
        """End a timer; False when there is none."""
        timer = self.timer(hwnd, identifier)
        if timer is None:
            return False
        self._timers.remove(timer)
        return True

    def timer(self, hwnd: int, identifier: int) -> Timer | None:
        """The timer of a window (0: of the thread) with an identifier."""
        for timer in self._timers:
            if timer.hwnd == hwnd and timer.identifier == identifier:
                return timer
        return None

    def free_timer_identifier(self) -> int:
        """An identifier that no timer of the thread has."""
        taken = {timer.identifier for timer in self._timers}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    def _due(self, wanted: Filter | None) -> Timer | None:
        """The timer whose time came first, of those that pass a filter."""
        now = time.monotonic()
        due = [
            timer
            for timer in self._timers
            if timer.due <= now and (wanted is None or wanted.passes(timer.hwnd, WM_TIMER))
        ]
        return min(due, key=lambda timer: timer.due) if due else None

    def _time_to_timer(self, wanted: Filter, *, new: bool = False) -> float | None:
        """Seconds until the next timer that passes a filter is due; None when there is none.

        ``new``: those that the thread has seen due do not count.
        """
        if not self._timers or not wanted.kinds & QS_TIMER:
            return None
        due = [timer.due for timer in self._timers if wanted.passes(timer.hwnd, WM_TIMER) and not (new and timer.seen)]
        return max(0.0, min(due) - time.monotonic()) if due else None

    # Ends

    def forget_window(self, hwnd: int) -> None:
        """A window is gone: so are its messages and timers."""
        for message in tuple(self._posted):
            if message.hwnd == hwnd:
                self._posted.remove(message)
        self._timers = [timer for timer in self._timers if timer.hwnd != hwnd]

    def close(self) -> None:
        """The thread is gone: nobody will answer."""
        self.closed = True
        with suppress(IndexError):  # a sender may be here as well
            while True:
                self._sent.popleft().lose()


def call_procedure(procedure: Procedure, hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
    """Call a window procedure of the program.

    Raises:
        BaseException: what it raised, marked as the program's.
    """
    try:
        return procedure(hwnd, message, wparam, lparam) or 0
    except Exception as failure:
        of_program(failure)
        raise
