"""Messages and windows: queues, message-only windows, waiting for messages, look-ups told by a message."""

from __future__ import annotations

import attrs

from ..constants import (
    ERROR_ACCESS_DENIED,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_ENOUGH_QUOTA,
    INFINITE,
    WAIT_IO_COMPLETION,
    WAIT_TIMEOUT,
    WSAEALREADY,
    WSAEINVAL,
    WSAENOBUFS,
    WSANOTINITIALISED,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with
from ..windowing import (
    ERROR_CANNOT_FIND_WND_CLASS,
    ERROR_CLASS_ALREADY_EXISTS,
    ERROR_CLASS_DOES_NOT_EXIST,
    ERROR_CLASS_HAS_WINDOWS,
    ERROR_INVALID_INDEX,
    ERROR_INVALID_THREAD_ID,
    ERROR_INVALID_WINDOW_HANDLE,
    ERROR_MESSAGE_SYNC_ONLY,
    ERROR_TLW_WITH_WSCHILD,
    GWLP_USERDATA,
    GWLP_WNDPROC,
    HWND_BROADCAST,
    MWMO_ALERTABLE,
    MWMO_INPUTAVAILABLE,
    MWMO_WAITALL,
    PM_NOREMOVE,
    QS_ALLINPUT,
    QS_POSTMESSAGE,
    QS_SENDMESSAGE,
    QS_TIMER,
    WM_APP,
    WM_CLOSE,
    WM_CREATE,
    WM_DESTROY,
    WM_KEYDOWN,
    WM_NCCREATE,
    WM_NCDESTROY,
    WM_QUIT,
    WM_SETTEXT,
    WM_TIMER,
    WM_USER,
    WS_CHILD,
    Creation,
    Message,
)

CHAPTER = "Messages and windows"
QUEUES = "winuser: About Messages and Message Queues"
PAGE = "winuser/nf-winuser-"
CHOICE = "R6.106: the stand-in for windows behaves as user32 does"
LONG_MS = 20_000
NO_WINDOW = 0x7FFFFFF0


def words(lparam: int) -> tuple[int, int]:
    """Low and high word of an lparam."""
    return lparam & 0xFFFF, lparam >> 16 & 0xFFFF


# ---- classes and windows ---------------------------------------------------------------------------------------------


@case(
    "windows.create.messages",
    chapter=CHAPTER,
    source=f"{PAGE}createwindowexw; winuser: WM_NCCREATE, WM_CREATE, WM_DESTROY, WM_NCDESTROY",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def a_window_is_told_of_its_beginning_and_its_end(ws: Target) -> None:
    """The procedure gets WM_NCCREATE and WM_CREATE with the arguments, later WM_DESTROY and WM_NCDESTROY."""
    told: list[tuple[int, object]] = []

    def procedure(hwnd: int, message: int, wparam: int, lparam: int | Creation) -> int:
        if message in (WM_NCCREATE, WM_CREATE, WM_DESTROY, WM_NCDESTROY):
            # What a message-only window's parent is in there, the pages leave open.
            told.append((message, attrs.evolve(lparam, parent=0) if isinstance(lparam, Creation) else lparam))
        return ws.DefWindowProc(hwnd, message, wparam, lparam)

    ws.RegisterClassEx("w2e-told", procedure)
    hwnd = ws.CreateWindowEx("w2e-told", "title", param=0x12345)
    alive = ws.IsWindow(hwnd)
    ws.DestroyWindow(hwnd)
    gone = ws.IsWindow(hwnd)
    ws.UnregisterClass("w2e-told")

    creation = Creation(0x12345, 0, "title", "w2e-told")
    expected = [(WM_NCCREATE, creation), (WM_CREATE, creation), (WM_DESTROY, 0), (WM_NCDESTROY, 0)]
    expect("messages", expected=expected, actual=told)
    expect("IsWindow", expected=(True, False), actual=(alive, gone))


@case(
    "windows.create.refused-{row}",
    chapter=CHAPTER,
    source="winuser: WM_NCCREATE and WM_CREATE, return values",
    basis="documented",
    requirements=["R6.106"],
    rows={"nccreate": Row(WM_NCCREATE, 0), "create": Row(WM_CREATE, -1)},
)
def a_procedure_can_refuse_its_window(ws: Target, refusing: int, answer: int) -> None:
    """WM_NCCREATE answered with 0, or WM_CREATE with -1: CreateWindowEx gives NULL, and there is no window."""
    seen: list[int] = []

    def procedure(hwnd: int, message: int, wparam: int, lparam: int | Creation) -> int:
        seen.append(hwnd)
        return answer if message == refusing else ws.DefWindowProc(hwnd, message, wparam, lparam)

    ws.RegisterClassEx("w2e-refusing", procedure)
    try:
        hwnd = ws.CreateWindowEx("w2e-refusing")
    except Failed:
        hwnd = 0  # which code the last error has is open
    left = ws.IsWindow(seen[0])
    ws.UnregisterClass("w2e-refusing")

    expect("window", expected=(0, False), actual=(hwnd, left))


@case(
    "windows.class.errors",
    chapter=CHAPTER,
    source=f"{PAGE}registerclassexw, -unregisterclassw; Debug: System Error Codes (1300-1699)",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def classes_have_their_errors(ws: Target) -> None:
    """A name twice, in any spelling; an unknown class; unregistering one that is unknown or has windows."""
    atom = ws.RegisterClassEx("w2e-class", ws.DefWindowProc)
    with fails_with(ERROR_CLASS_ALREADY_EXISTS):
        ws.RegisterClassEx("W2E-Class", ws.DefWindowProc)
    with fails_with(ERROR_CANNOT_FIND_WND_CLASS):
        ws.CreateWindowEx("w2e-no-class")
    with fails_with(ERROR_CLASS_DOES_NOT_EXIST):
        ws.UnregisterClass("w2e-no-class")
    hwnd = ws.CreateWindowEx(atom)
    with fails_with(ERROR_CLASS_HAS_WINDOWS):
        ws.UnregisterClass("w2e-class")
    ws.DestroyWindow(hwnd)
    ws.UnregisterClass("w2e-class")

    expect_true("atoms are from 0xC000 on", 0xC000 <= atom <= 0xFFFF, actual=atom)


@case(
    "windows.create.parent-errors",
    chapter=CHAPTER,
    source=f"{PAGE}createwindowexw, parameter hWndParent",
    basis="documented",
    requirements=["R6.106"],
)
def a_parent_has_to_exist(ws: Target) -> None:
    """No such parent: ERROR_INVALID_WINDOW_HANDLE; a child without a parent: ERROR_TLW_WITH_WSCHILD."""
    ws.RegisterClassEx("w2e-parent", ws.DefWindowProc)
    with fails_with(ERROR_INVALID_WINDOW_HANDLE):
        ws.CreateWindowEx("w2e-parent", parent=NO_WINDOW)
    with fails_with(ERROR_TLW_WITH_WSCHILD):
        ws.CreateWindowEx("w2e-parent", style=WS_CHILD, parent=0)
    ws.UnregisterClass("w2e-parent")


@case(
    "windows.destroy.children-too",
    chapter=CHAPTER,
    source=f"{PAGE}destroywindow",
    basis="documented",
    requirements=["R6.106"],
)
def children_end_with_their_parent(ws: Target) -> None:
    """WM_DESTROY comes to the parent first, while the child exists; WM_NCDESTROY to the child first."""
    told: list[tuple[int, int]] = []

    def procedure(hwnd: int, message: int, wparam: int, lparam: int | Creation) -> int:
        if message in (WM_DESTROY, WM_NCDESTROY):
            told.append((hwnd, message))
        return ws.DefWindowProc(hwnd, message, wparam, lparam)

    ws.RegisterClassEx("w2e-family", procedure)
    parent = ws.CreateWindowEx("w2e-family")
    child = ws.CreateWindowEx("w2e-family", style=WS_CHILD, parent=parent)
    ws.DestroyWindow(parent)
    left = ws.IsWindow(parent), ws.IsWindow(child)
    ws.UnregisterClass("w2e-family")

    expected = [(parent, WM_DESTROY), (child, WM_DESTROY), (child, WM_NCDESTROY), (parent, WM_NCDESTROY)]
    expect("messages", expected=expected, actual=told)
    expect("windows left", expected=(False, False), actual=left)


@case(
    "windows.destroy.only-by-its-thread",
    chapter=CHAPTER,
    source=f"{PAGE}destroywindow, remarks",
    basis="documented",
    requirements=["R6.106"],
)
def another_thread_cannot_destroy_a_window(ws: Target) -> None:
    """ERROR_ACCESS_DENIED, and the window stays; a destroyed one is ERROR_INVALID_WINDOW_HANDLE."""
    with ws.window() as hwnd, ws.thread() as other:
        with fails_with(ERROR_ACCESS_DENIED):
            other.call(ws.DestroyWindow, hwnd)
        expect("window", expected=True, actual=ws.IsWindow(hwnd))
        ws.DestroyWindow(hwnd)
        with fails_with(ERROR_INVALID_WINDOW_HANDLE):
            ws.DestroyWindow(hwnd)


@case(
    "windows.thread-end.destroys",
    chapter=CHAPTER,
    source="winuser: Window Features, destroying a window",
    basis="documented",
    requirements=["R6.106"],
)
def the_windows_of_a_thread_end_with_it(ws: Target) -> None:
    """A thread ends and leaves a window."""
    ws.RegisterClassEx("w2e-left", ws.DefWindowProc)
    with ws.thread() as other:
        hwnd = other.call(ws.CreateWindowEx, "w2e-left")
        before = ws.IsWindow(hwnd)
    ws.until("the window is gone", lambda: not ws.IsWindow(hwnd))
    with fails_with(ERROR_INVALID_WINDOW_HANDLE):
        ws.PostMessage(hwnd, WM_USER)
    ws.UnregisterClass("w2e-left")

    expect("while the thread lived", expected=True, actual=before)


@case(
    "windows.long-ptr.values",
    chapter=CHAPTER,
    source=f"{PAGE}setwindowlongptrw, -getwindowlongptrw",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def a_window_keeps_values_for_the_program(ws: Target) -> None:
    """User data and extra bytes start as 0 and give back what was set; other offsets are ERROR_INVALID_INDEX."""
    ws.RegisterClassEx("w2e-extra", ws.DefWindowProc, extra=8)
    hwnd = ws.CreateWindowEx("w2e-extra")
    before = ws.SetWindowLongPtr(hwnd, GWLP_USERDATA, -5), ws.SetWindowLongPtr(hwnd, 0, 1 << 40)
    after = ws.GetWindowLongPtr(hwnd, GWLP_USERDATA), ws.GetWindowLongPtr(hwnd, 0)
    with fails_with(ERROR_INVALID_INDEX):
        ws.GetWindowLongPtr(hwnd, 8)
    with fails_with(ERROR_INVALID_INDEX):
        ws.SetWindowLongPtr(hwnd, -99, 1)
    ws.DestroyWindow(hwnd)
    with fails_with(ERROR_INVALID_WINDOW_HANDLE):
        ws.GetWindowLongPtr(hwnd, GWLP_USERDATA)
    ws.UnregisterClass("w2e-extra")

    expect("before", expected=(0, 0), actual=before)
    expect("after", expected=(-5, 1 << 40), actual=after)


@case(
    "windows.long-ptr.subclass",
    chapter=CHAPTER,
    source=f"{PAGE}setwindowlongptrw, GWLP_WNDPROC",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def a_procedure_can_be_replaced(ws: Target) -> None:
    """The new procedure gets what is sent from then on."""
    with ws.window() as hwnd:
        before = ws.SendMessage(hwnd, WM_APP, 1, 2)
        ws.SetWindowLongPtr(hwnd, GWLP_WNDPROC, lambda hwnd, message, wparam, lparam: 77 if message == WM_APP else 0)
        after = ws.SendMessage(hwnd, WM_APP, 1, 2)

    expect("results", expected=(0, 77), actual=(before, after))


@case(
    "windows.messages.registered",
    chapter=CHAPTER,
    source=f"{PAGE}registerwindowmessagew",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def a_registered_message_has_one_number(ws: Target) -> None:
    """The same text gives the same number, 0xC000 to 0xFFFF; another text another one."""
    first, again, other = (ws.RegisterWindowMessage(text) for text in ("w2e-one", "w2e-one", "w2e-two"))

    expect("same text", expected=first, actual=again)
    expect_true("range", 0xC000 <= first <= 0xFFFF and first != other, actual=(first, other))


# ---- posting and taking ----------------------------------------------------------------------------------------------


@case(
    "windows.post.in-order",
    chapter=CHAPTER,
    source=f"{PAGE}postmessagew, -getmessage; {QUEUES}",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def posted_messages_come_in_their_order_and_unchanged(ws: Target) -> None:
    """Parameters of either sign; the procedure is called by DispatchMessage only, and its result comes back."""
    told: list[tuple[int, int, int | Creation]] = []

    def procedure(hwnd: int, message: int, wparam: int, lparam: int | Creation) -> int:
        if message >= WM_USER:
            told.append((message, wparam, lparam))
            return -9
        return ws.DefWindowProc(hwnd, message, wparam, lparam)

    with ws.window(procedure) as hwnd:
        ws.PostMessage(hwnd, WM_USER, 1, -2)
        ws.PostMessage(hwnd, WM_APP, (1 << 64) - 1, 1 << 40)
        got = [ws.GetMessage(), ws.GetMessage()]
        before = list(told)
        results = [ws.DispatchMessage(message) for message in got]

    expected = [Message(hwnd, WM_USER, 1, -2), Message(hwnd, WM_APP, (1 << 64) - 1, 1 << 40)]
    expect("messages", expected=expected, actual=got)
    expect("calls before dispatch", expected=[], actual=before)
    expect("calls", expected=[(WM_USER, 1, -2), (WM_APP, (1 << 64) - 1, 1 << 40)], actual=told)
    expect("results", expected=[-9, -9], actual=results)


@case(
    "windows.post.errors",
    chapter=CHAPTER,
    source=f"{PAGE}postmessagew, -postthreadmessagew",
    basis="documented",
    requirements=["R6.106"],
)
def posting_has_its_errors(ws: Target) -> None:
    """No such window; no such thread; a message of the system whose parameters are pointers."""
    with fails_with(ERROR_INVALID_WINDOW_HANDLE):
        ws.PostMessage(NO_WINDOW, WM_USER)
    with fails_with(ERROR_INVALID_THREAD_ID):
        ws.PostThreadMessage(0x7FFFFFF1, WM_USER)
    with ws.window() as hwnd, fails_with(ERROR_MESSAGE_SYNC_ONLY):
        ws.PostMessage(hwnd, WM_SETTEXT)


@case(
    "windows.post.destroyed",
    chapter=CHAPTER,
    source=CHOICE,
    basis="choice",
    requirements=["R6.106"],
)
def a_destroyed_window_takes_no_message(ws: Target) -> None:
    """Posting to it fails, and what had been posted before is gone with it."""
    with ws.window() as hwnd:
        ws.PostMessage(hwnd, WM_USER)
        ws.DestroyWindow(hwnd)
        with fails_with(ERROR_INVALID_WINDOW_HANDLE):
            ws.PostMessage(hwnd, WM_USER)
        left = ws.messages()

    expect("messages", expected=[], actual=left)


@case(
    "windows.post.limit",
    chapter=CHAPTER,
    source=f"{PAGE}postmessagew, remarks: 10 000 messages in a queue",
    basis="documented",
    requirements=["R6.106"],
    seconds=60,
)
def a_queue_takes_10000_messages(ws: Target) -> None:
    """The next one is ERROR_NOT_ENOUGH_QUOTA, until one has been taken."""
    with ws.window() as hwnd:
        for _ in range(10_000):
            ws.PostMessage(hwnd, WM_USER)
        with fails_with(ERROR_NOT_ENOUGH_QUOTA):
            ws.PostMessage(hwnd, WM_USER)
        ws.GetMessage()
        ws.PostMessage(hwnd, WM_USER)


@case(
    "windows.post.thread",
    chapter=CHAPTER,
    source=f"{PAGE}postthreadmessagew, -getmessage",
    basis="documented",
    requirements=["R6.106"],
)
def a_message_to_a_thread_has_no_window(ws: Target) -> None:
    """Another thread posts to this one; hWnd is NULL, a window of -1 finds it, and dispatching it calls nobody."""
    with ws.window() as hwnd, ws.thread() as other:
        thread = ws.GetCurrentThreadId()
        ws.PostMessage(hwnd, WM_APP)
        other.call(ws.PostThreadMessage, thread, WM_USER, 1, 2)
        ws.PostMessage(0, WM_USER, 3, 4)
        first, second = ws.GetMessage(-1), ws.GetMessage(-1)
        result = ws.DispatchMessage(first)
        rest = ws.messages()

    expect("to the thread", expected=[Message(0, WM_USER, 1, 2), Message(0, WM_USER, 3, 4)], actual=[first, second])
    expect("dispatched", expected=0, actual=result)
    expect("to the window", expected=[Message(hwnd, WM_APP)], actual=rest)


@case(
    "windows.peek.filters",
    chapter=CHAPTER,
    source=f"{PAGE}peekmessagew",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def a_filter_finds_the_first_that_passes(ws: Target) -> None:
    """By window and by range; PM_NOREMOVE leaves the message; the others keep their order."""
    with ws.window() as one:
        ws.RegisterClassEx("w2e-other", ws.DefWindowProc)
        two = ws.CreateWindowEx("w2e-other")
        for hwnd, message in ((one, WM_USER), (two, WM_USER + 1), (one, WM_USER + 2), (two, WM_USER + 3)):
            ws.PostMessage(hwnd, message)
        looked = ws.PeekMessage(two, flags=PM_NOREMOVE)
        by_window = ws.PeekMessage(two)
        by_range = ws.PeekMessage(0, WM_USER + 2, WM_USER + 2)
        nothing = ws.PeekMessage(one, WM_APP, WM_APP)
        rest = ws.messages()
        with fails_with(ERROR_INVALID_WINDOW_HANDLE):
            ws.PeekMessage(NO_WINDOW)
        ws.DestroyWindow(two)
        ws.UnregisterClass("w2e-other")

    found = [looked, by_window, by_range, nothing]
    expected = [Message(two, WM_USER + 1), Message(two, WM_USER + 1), Message(one, WM_USER + 2), None]
    expect("found", expected=expected, actual=found)
    expect("rest", expected=[Message(one, WM_USER), Message(two, WM_USER + 3)], actual=rest)


@case(
    "windows.quit.after-posted",
    chapter=CHAPTER,
    source=f"{PAGE}postquitmessage, -getmessage; {QUEUES}",
    basis="documented",
    requirements=["R6.106"],
)
def quit_comes_after_what_is_posted_and_passes_filters(ws: Target) -> None:
    """PostQuitMessage first, a message afterwards: that one comes first; WM_QUIT has the code and ends GetMessage."""
    with ws.window() as hwnd:
        ws.PostQuitMessage(42)
        ws.PostMessage(hwnd, WM_USER)
        first = ws.GetMessage()
        second = ws.GetMessage(hwnd, WM_APP, WM_APP)

    expect("messages", expected=[Message(hwnd, WM_USER), Message(0, WM_QUIT, 42)], actual=[first, second])


@case(
    "windows.get.bad-window",
    chapter=CHAPTER,
    source=f"{PAGE}getmessage, return value",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def getting_from_no_window_fails(ws: Target) -> None:
    """GetMessage with a handle of no window fails: -1 in C."""
    with fails_with(ERROR_INVALID_WINDOW_HANDLE):
        ws.GetMessage(NO_WINDOW)


@case(
    "windows.get.blocks",
    chapter=CHAPTER,
    source=f"{PAGE}getmessage",
    basis="documented",
    requirements=["R6.106"],
)
def getting_waits_for_a_message_that_passes(ws: Target) -> None:
    """A thread waits in GetMessage for one message; another one does not wake it, the wanted one does."""
    with ws.thread() as other:
        ws.RegisterClassEx("w2e-waiting", ws.DefWindowProc)
        hwnd = other.call(ws.CreateWindowEx, "w2e-waiting")
        pending = other.start(ws.GetMessage, hwnd, WM_APP, WM_APP)
        ws.PostMessage(hwnd, WM_USER)
        expect_true("GetMessage waits", not pending.finished_within(0.05))
        ws.PostMessage(hwnd, WM_APP, 5)
        got = pending.result()
        rest = other.call(ws.messages)
        other.call(ws.DestroyWindow, hwnd)
        ws.UnregisterClass("w2e-waiting")

    expect("message", expected=Message(hwnd, WM_APP, 5), actual=got)
    expect("rest", expected=[Message(hwnd, WM_USER)], actual=rest)


@case(
    "windows.get.while-sockets-work",
    chapter=CHAPTER,
    source=CHOICE,
    basis="choice",
    requirements=["R6.106"],
)
def a_thread_in_getmessage_does_not_hold_up_sockets(ws: Target) -> None:
    """One thread waits in GetMessage, another one in recv; data ends the second, a message the first."""
    with ws.connected_pair() as (client, server), ws.thread() as windowed, ws.thread() as reading:
        thread = windowed.call(ws.GetCurrentThreadId)
        windowed.call(ws.messages)
        message = windowed.start(ws.GetMessage)
        buffer = bytearray(8)
        received = reading.start(ws.recv, server, buffer)
        expect_true("both wait", not message.finished_within(0.03) and not received.finished_within(0.03))
        ws.send(client, b"data")
        count = received.result()
        ws.PostThreadMessage(thread, WM_USER, 6)
        got = message.result()

    expect("recv", expected=4, actual=count)
    expect("message", expected=Message(0, WM_USER, 6), actual=got)


@case(
    "windows.procedure.close-destroys",
    chapter=CHAPTER,
    source="winuser: WM_CLOSE; DefWindowProc",
    basis="documented",
    requirements=["R6.106"],
)
def the_default_for_close_is_to_destroy(ws: Target) -> None:
    """A whole program: WM_CLOSE is posted, the window is destroyed, its procedure posts WM_QUIT, the loop ends."""

    def procedure(hwnd: int, message: int, wparam: int, lparam: int | Creation) -> int:
        if message == WM_DESTROY:
            ws.PostQuitMessage(7)
            return 0
        return ws.DefWindowProc(hwnd, message, wparam, lparam)

    with ws.window(procedure) as hwnd:
        ws.PostMessage(hwnd, WM_CLOSE)
        seen = []
        while (message := ws.GetMessage()).message != WM_QUIT:
            ws.TranslateMessage(message)
            ws.DispatchMessage(message)
            seen.append(message.message)
        left = ws.IsWindow(hwnd)

    expect("loop", expected=([WM_CLOSE], 7, False), actual=(seen, message.wparam, left))


@case(
    "windows.procedure.translate",
    chapter=CHAPTER,
    source=f"{PAGE}translatemessage, return value",
    basis="documented",
    requirements=["R6.106"],
)
def translating_tells_key_messages(ws: Target) -> None:
    """Nonzero for WM_KEYDOWN whatever comes of it, zero for another message."""
    with ws.window() as hwnd:
        results = [ws.TranslateMessage(Message(hwnd, message)) for message in (WM_KEYDOWN, WM_USER)]
        ws.messages()

    expect("results", expected=[True, False], actual=results)


@case(
    "windows.post.by-a-provider",
    chapter=CHAPTER,
    source="WinSock/upcalls-exposed-by-windows-sockets-2-dll-2; ws2spi/nf-ws2spi-lpwpupostmessage",
    basis="documented",
    requirements=["R1.63"],
    needs_provider=True,
)
def a_provider_posts_through_the_dll(ws: Target) -> None:
    """WPUPostMessage puts a provider's message into the queue of the window's thread, unchanged."""
    with ws.provider() as recorder, ws.closing(ws.tcp()), ws.window() as hwnd:
        posted = recorder.upcall("WPUPostMessage", hwnd, WM_USER, 5, 10054 << 16 | 32)
        got = ws.messages()

    expect("result", expected=True, actual=bool(posted))
    expect("messages", expected=[Message(hwnd, WM_USER, 5, 10054 << 16 | 32)], actual=got)


# ---- sending ---------------------------------------------------------------------------------------------------------


@case(
    "windows.send.same-thread",
    chapter=CHAPTER,
    source=f"{PAGE}sendmessagew",
    basis="documented",
    requirements=["R6.106"],
    both_forms=True,
)
def sending_in_the_same_thread_is_a_call(ws: Target) -> None:
    """The result is the procedure's, and nothing enters the queue."""
    with ws.window(lambda hwnd, message, wparam, lparam: -3 if message == WM_APP else 1) as hwnd:
        result = ws.SendMessage(hwnd, WM_APP, 1, 2)
        left = ws.messages()
        ws.DestroyWindow(hwnd)
        with fails_with(ERROR_INVALID_WINDOW_HANDLE):
            ws.SendMessage(hwnd, WM_APP)

    expect("result", expected=(-3, []), actual=(result, left))


@case(
    "windows.send.other-thread",
    chapter=CHAPTER,
    source=f"{PAGE}sendmessagew, remarks",
    basis="documented",
    requirements=["R6.106"],
)
def sending_to_another_thread_waits_until_it_looks(ws: Target) -> None:
    """The sender waits; the procedure runs in the window's thread, inside of GetMessage, which does not return it."""
    threads: list[int] = []

    def procedure(hwnd: int, message: int, wparam: int, lparam: int | Creation) -> int:
        if message == WM_APP:
            threads.append(ws.GetCurrentThreadId())
            return 55
        return ws.DefWindowProc(hwnd, message, wparam, lparam)

    with ws.window(procedure) as hwnd, ws.thread() as other:
        sending = other.start(ws.SendMessage, hwnd, WM_APP, 1, 2)
        expect_true("SendMessage waits", not sending.finished_within(0.05))
        posted = other.start(ws.PostMessage, hwnd, WM_USER)  # after it, in the same thread
        got = ws.GetMessage()
        posted.result()
        result = sending.result()

    expect("result", expected=55, actual=result)
    expect("thread", expected=[ws.GetCurrentThreadId()], actual=threads)
    expect("message", expected=Message(hwnd, WM_USER), actual=got)


@case(
    "windows.send.both-ways",
    chapter=CHAPTER,
    source=f"{PAGE}sendmessagew, remarks: the sender receives what is sent to it meanwhile",
    basis="documented",
    requirements=["R6.106"],
)
def a_sender_receives_while_it_waits(ws: Target) -> None:
    """The procedure of the other thread's window sends back; both get their results."""
    with ws.window(lambda hwnd, message, wparam, lparam: 5 if message == WM_APP else 1) as mine, ws.thread() as other:

        def procedure(hwnd: int, message: int, wparam: int, lparam: int | Creation) -> int:
            if message == WM_APP:
                return 10 * ws.SendMessage(mine, WM_APP)
            return ws.DefWindowProc(hwnd, message, wparam, lparam)

        ws.RegisterClassEx("w2e-back", procedure)
        theirs = other.call(ws.CreateWindowEx, "w2e-back")
        loop = other.start(ws.GetMessage)
        result = ws.SendMessage(theirs, WM_APP)
        ws.PostMessage(theirs, WM_USER)
        loop.result()
        other.call(ws.DestroyWindow, theirs)
        ws.UnregisterClass("w2e-back")

    expect("result", expected=50, actual=result)


@case(
    "windows.broadcast.top-level-only",
    chapter=CHAPTER,
    source=f"{PAGE}postmessagew, HWND_BROADCAST; winuser: Message-Only Windows",
    basis="documented",
    requirements=["R6.106"],
)
def a_broadcast_leaves_out_message_only_windows(ws: Target) -> None:
    """A registered message posted to HWND_BROADCAST reaches the top-level window and not the message-only one."""
    number = ws.RegisterWindowMessage("w2e-broadcast")
    with ws.window() as hidden, ws.window(parent=0) as ordinary:
        ws.PostMessage(HWND_BROADCAST, number, 1)
        reached = [ws.PeekMessage(hwnd, number, number) is not None for hwnd in (hidden, ordinary)]

    expect("reached", expected=[False, True], actual=reached)


# ---- timers ----------------------------------------------------------------------------------------------------------


@case(
    "windows.timer.message",
    chapter=CHAPTER,
    source=f"{PAGE}settimer, -killtimer; winuser: WM_TIMER",
    basis="documented",
    requirements=["R6.106"],
)
def a_timer_tells_by_a_message_until_it_is_killed(ws: Target) -> None:
    """WM_TIMER comes again and again, after what is posted; a timer that has been killed cannot be killed again."""
    with ws.window() as hwnd:
        ws.SetTimer(hwnd, 3, 10)
        first, second = ws.GetMessage(), ws.GetMessage()
        ws.MsgWaitForMultipleObjectsEx([], LONG_MS, QS_TIMER, MWMO_INPUTAVAILABLE)
        ws.PostMessage(hwnd, WM_USER)
        third = ws.GetMessage()
        ws.KillTimer(hwnd, 3)
        with fails_with(ERROR_INVALID_PARAMETER):
            ws.KillTimer(hwnd, 3)

    timer = Message(hwnd, WM_TIMER, 3, 0)
    expect("messages", expected=[timer, timer, Message(hwnd, WM_USER)], actual=[first, second, third])


@case(
    "windows.timer.routine",
    chapter=CHAPTER,
    source=f"{PAGE}settimer, lpTimerFunc; nc-winuser-timerproc",
    basis="documented",
    requirements=["R6.106"],
)
def a_timer_without_a_window_calls_its_routine(ws: Target) -> None:
    """SetTimer chooses the identifier; DispatchMessage calls the routine with window, WM_TIMER and identifier."""
    calls: list[tuple[int, int, int]] = []
    ws.messages()
    identifier = ws.SetTimer(0, 0, 10, lambda hwnd, message, number, ticks: calls.append((hwnd, message, number)))
    ws.DispatchMessage(ws.GetMessage(0, WM_TIMER, WM_TIMER))
    ws.KillTimer(0, identifier)

    expect("calls", expected=[(0, WM_TIMER, identifier)], actual=calls)


# ---- waiting ---------------------------------------------------------------------------------------------------------


@case(
    "windows.wait.message-or-object",
    chapter=CHAPTER,
    source=f"{PAGE}msgwaitformultipleobjects",
    basis="documented",
    requirements=["R6.106"],
)
def a_wait_ends_with_an_object_or_a_message(ws: Target) -> None:
    """Two events: the index of the signalled one; their number for a message, which stays in the queue."""
    events = [ws.CreateEvent(False, True, False), ws.CreateEvent(False, True, False)]
    with ws.window() as hwnd:
        nothing = ws.MsgWaitForMultipleObjects(events, False, 0, QS_ALLINPUT)
        ws.PostMessage(hwnd, WM_USER)
        message = ws.MsgWaitForMultipleObjects(events, False, LONG_MS, QS_ALLINPUT)
        ws.WSASetEvent(events[1])
        both = ws.MsgWaitForMultipleObjects(events, False, LONG_MS, QS_ALLINPUT)
        left = ws.messages()
    for event in events:
        ws.CloseHandle(event)

    expect("results", expected=(WAIT_TIMEOUT, 2, 1), actual=(nothing, message, both))
    expect("queue", expected=[Message(hwnd, WM_USER)], actual=left)


@case(
    "windows.wait.new-only",
    chapter=CHAPTER,
    source=f"{PAGE}msgwaitformultipleobjectsex, remarks, MWMO_INPUTAVAILABLE",
    basis="documented",
    requirements=["R6.106"],
)
def a_message_that_was_looked_for_is_not_new(ws: Target) -> None:
    """After PeekMessage with PM_NOREMOVE the message ends no wait, except with MWMO_INPUTAVAILABLE; a new one does."""
    with ws.window() as hwnd:
        ws.PostMessage(hwnd, WM_USER)
        ws.PeekMessage(flags=PM_NOREMOVE)
        old = ws.MsgWaitForMultipleObjectsEx([], 0, QS_ALLINPUT, 0)
        available = ws.MsgWaitForMultipleObjectsEx([], 0, QS_ALLINPUT, MWMO_INPUTAVAILABLE)
        ws.PostMessage(hwnd, WM_USER)
        new = ws.MsgWaitForMultipleObjectsEx([], 0, QS_ALLINPUT, 0)
        ws.messages()

    expect("results", expected=(WAIT_TIMEOUT, 0, 0), actual=(old, available, new))


@case(
    "windows.wait.mask",
    chapter=CHAPTER,
    source=f"{PAGE}msgwaitformultipleobjects, dwWakeMask",
    basis="documented",
    requirements=["R6.106"],
)
def only_the_kinds_of_the_mask_end_a_wait(ws: Target) -> None:
    """A posted message counts as QS_POSTMESSAGE, not as a timer or a sent one."""
    with ws.window() as hwnd:
        ws.PostMessage(hwnd, WM_USER)
        others = ws.MsgWaitForMultipleObjects([], False, 0, QS_TIMER | QS_SENDMESSAGE)
        posted = ws.MsgWaitForMultipleObjects([], False, 0, QS_POSTMESSAGE)
        ws.messages()

    expect("results", expected=(WAIT_TIMEOUT, 0), actual=(others, posted))


@case(
    "windows.wait.all",
    chapter=CHAPTER,
    source=f"{PAGE}msgwaitformultipleobjectsex, MWMO_WAITALL",
    basis="documented",
    requirements=["R6.106"],
)
def a_wait_for_all_needs_a_message_too(ws: Target) -> None:
    """The event alone does not end it, and is not taken; with a message it does."""
    event = ws.CreateEvent(False, False, True)  # auto-reset, set
    with ws.window() as hwnd:
        alone = ws.MsgWaitForMultipleObjectsEx([event], 0, QS_ALLINPUT, MWMO_WAITALL)
        ws.PostMessage(hwnd, WM_USER)
        both = ws.MsgWaitForMultipleObjectsEx([event], 0, QS_ALLINPUT, MWMO_WAITALL)
        taken = ws.WaitForSingleObject(event, 0)
        ws.messages()
    ws.CloseHandle(event)

    expect("results", expected=(WAIT_TIMEOUT, 0, WAIT_TIMEOUT), actual=(alone, both, taken))


@case(
    "windows.wait.alertable",
    chapter=CHAPTER,
    source=f"{PAGE}msgwaitformultipleobjectsex, MWMO_ALERTABLE",
    basis="documented",
    requirements=["R6.106"],
)
def apcs_end_an_alertable_wait_only(ws: Target) -> None:
    """Neither GetMessage nor a plain wait runs an APC; with MWMO_ALERTABLE it runs and ends the wait."""
    ran: list[int] = []
    with ws.window() as hwnd:
        ws.QueueUserAPC(ran.append, ws.GetCurrentThread(), 1)
        plain = ws.MsgWaitForMultipleObjectsEx([], 0, QS_ALLINPUT, 0)
        ws.PostMessage(hwnd, WM_USER)
        ws.GetMessage()
        before = list(ran)
        alertable = ws.MsgWaitForMultipleObjectsEx([], LONG_MS, QS_ALLINPUT, MWMO_ALERTABLE)

    expect("not alertable", expected=(WAIT_TIMEOUT, []), actual=(plain, before))
    expect("alertable", expected=(WAIT_IO_COMPLETION, [1]), actual=(alertable, ran))


@case(
    "windows.wait.blocked",
    chapter=CHAPTER,
    source=f"{PAGE}msgwaitformultipleobjects",
    basis="documented",
    requirements=["R6.106"],
)
def a_blocked_wait_ends_when_a_message_is_posted(ws: Target) -> None:
    """A thread waits for an event and messages without limit; a message from another thread ends it."""
    event = ws.CreateEvent(False, True, False)
    with ws.thread() as other:
        thread = other.call(ws.GetCurrentThreadId)
        other.call(ws.messages)
        pending = other.start(ws.MsgWaitForMultipleObjects, [event], False, INFINITE, QS_ALLINPUT)
        expect_true("the wait blocks", not pending.finished_within(0.05))
        ws.PostThreadMessage(thread, WM_USER)
        result = pending.result()
    ws.CloseHandle(event)

    expect("result", expected=1, actual=result)


@case(
    "windows.wait.limits",
    chapter=CHAPTER,
    source=f"{PAGE}msgwaitformultipleobjects, nCount",
    basis="documented",
    requirements=["R6.106"],
)
def a_wait_takes_63_objects(ws: Target) -> None:
    """63 objects and the queue are 64; with one more it fails."""
    events = [ws.CreateEvent(False, True, number == 62) for number in range(63)]
    most = ws.MsgWaitForMultipleObjects(events, False, 0, QS_ALLINPUT)
    with fails_with(ERROR_INVALID_PARAMETER):
        ws.MsgWaitForMultipleObjects([*events, events[0]], False, 0, QS_ALLINPUT)
    for event in events:
        ws.CloseHandle(event)

    expect("result", expected=62, actual=most)


# ---- look-ups told by a message --------------------------------------------------------------------------------------


@case(
    "windows.lookup.host",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsaasyncgethostbyname",
    basis="documented",
    requirements=["R4.100"],
)
def a_host_is_looked_up_and_told(ws: Target) -> None:
    """One message with the task handle and no error; the buffer has what gethostbyname tells."""
    direct = ws.gethostbyname("127.0.0.1")
    with ws.window() as hwnd:
        task = ws.WSAAsyncGetHostByName(hwnd, WM_USER, "127.0.0.1")
        message = ws.GetMessage(hwnd)
        found = ws.host_looked_up(task)
        left = ws.messages()

    expect_true("task handle", task != 0, actual=task)
    expect("message", expected=(hwnd, WM_USER, task), actual=(message.hwnd, message.message, message.wparam))
    expect("error", expected=0, actual=words(message.lparam)[1])
    expect("record", expected=direct, actual=found)
    expect("further messages", expected=[], actual=left)


@case(
    "windows.lookup.too-small",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsaasyncgethostbyname, remarks",
    basis="observed",
    requirements=["R4.101"],
    needs_c=True,
)
def a_buffer_that_is_too_small_is_told_its_size(ws: Target) -> None:
    """WSAENOBUFS and the size needed; with that size it works, and one byte less is too small again."""
    with ws.window() as hwnd:
        ws.WSAAsyncGetHostByName(hwnd, WM_USER, "127.0.0.1", room=8)
        needed, error = words(ws.GetMessage(hwnd).lparam)
        ws.WSAAsyncGetHostByName(hwnd, WM_USER, "127.0.0.1", room=needed - 1)
        less = words(ws.GetMessage(hwnd).lparam)
        task = ws.WSAAsyncGetHostByName(hwnd, WM_USER, "127.0.0.1", room=needed)
        exact = words(ws.GetMessage(hwnd).lparam)
        found = ws.host_looked_up(task)

    expect("too small", expected=WSAENOBUFS, actual=error)
    expect_true("size", 8 < needed <= 1024, actual=needed)
    expect("one byte less", expected=(needed, WSAENOBUFS), actual=less)
    expect("error with that size", expected=0, actual=exact[1])
    expect("addresses", expected=(bytes((127, 0, 0, 1)),), actual=found.addresses)


@case(
    "windows.lookup.host-unknown",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsaasyncgethostbyname",
    basis="documented",
    requirements=["R4.100", "B57"],
)
def a_failure_is_in_the_message(ws: Target) -> None:
    """A name too long to be one: the call gives a handle, the message the error that gethostbyname has."""
    name = "x" * 300
    direct = 0
    try:
        ws.gethostbyname(name)
    except Failed as failure:
        direct = failure.code
    with ws.window() as hwnd:
        task = ws.WSAAsyncGetHostByName(hwnd, WM_USER, name)
        message = ws.GetMessage(hwnd)

    expect("task", expected=task, actual=message.wparam)
    expect("error", expected=direct, actual=words(message.lparam)[1])
    expect_true("there is an error", direct != 0)


@case(
    "windows.lookup.service-by-port-nothing-given",
    chapter=CHAPTER,
    source="Wine's public test protocol.c:test_WSAAsyncGetServByPort, which passes on Windows",
    basis="observed",
    behaviours=["asyncserv-port-null"],
)
def arguments_are_not_checked_beforehand(ws: Target) -> None:
    """All arguments 0: there is a task handle."""
    expect_true("task handle", ws.WSAAsyncGetServByPort(0, 0, 0, None, None) != 0)


@case(
    "windows.lookup.service-by-port-{row}",
    chapter=CHAPTER,
    source="Wine's public test protocol.c:test_WSAAsyncGetServByPort, which passes on Windows",
    basis="observed",
    requirements=["R4.100"],
    behaviours=["asyncserv-port-message"],
    rows={
        "0-no-buffer": Row(0, None),
        "0": Row(0, 1024),
        "80-no-buffer": Row(80, None),
        "80": Row(80, 1024),
    },
)
def a_service_by_port_is_told_once(ws: Target, port: int, room: int | None) -> None:
    """A task handle, and one message with it, even when there is no such service or no buffer."""
    with ws.window() as hwnd:
        task = ws.WSAAsyncGetServByPort(hwnd, WM_USER, ws.htons(port), None, room)
        message = ws.GetMessage(hwnd)
        left = ws.messages()

    expect("message", expected=(WM_USER, task), actual=(message.message, message.wparam))
    expect("further messages", expected=[], actual=left)
    expect_true("task handle", task != 0)


@case(
    "windows.lookup.service-by-name-{row}",
    chapter=CHAPTER,
    source="Wine's public test protocol.c:test_WSAAsyncGetServByName, which passes on Windows",
    basis="observed",
    requirements=["R4.100"],
    behaviours=["asyncserv-name-message"],
    rows={
        "empty-no-buffer": Row("", "", None),
        "empty": Row("", "", 1024),
        "http-no-buffer": Row("http", "tcp", None),
        "http-tcp": Row("http", "tcp", 1024),
        "http-no-protocol": Row("http", None, 1024),
    },
)
def a_service_by_name_is_told_once(ws: Target, name: str, proto: str | None, room: int | None) -> None:
    """A task handle, and one message with it, even when there is no such service or no buffer."""
    with ws.window() as hwnd:
        task = ws.WSAAsyncGetServByName(hwnd, WM_USER, name, proto, room)
        message = ws.GetMessage(hwnd)
        left = ws.messages()

    expect("message", expected=(WM_USER, task), actual=(message.message, message.wparam))
    expect("further messages", expected=[], actual=left)
    expect_true("task handle", task != 0)


@case(
    "windows.lookup.cancel-errors",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsacancelasyncrequest",
    basis="documented",
    requirements=["R4.102", "B58"],
)
def cancelling_has_its_errors(ws: Target) -> None:
    """0 is no task: WSAEINVAL; a task whose message is in the queue, or taken: WSAEALREADY.

    Which of the two codes a handle that never was gives, the page leaves open.
    """
    with fails_with(WSAEINVAL):
        ws.WSACancelAsyncRequest(0)
    try:
        ws.WSACancelAsyncRequest(NO_WINDOW)
        code = 0
    except Failed as failure:
        code = failure.code
    expect_true("a handle that never was", code in (WSAEINVAL, WSAEALREADY), actual=code)
    with ws.window() as hwnd:
        task = ws.WSAAsyncGetHostByName(hwnd, WM_USER, "127.0.0.1")
        ws.MsgWaitForMultipleObjects([], False, LONG_MS, QS_POSTMESSAGE)
        with fails_with(WSAEALREADY):
            ws.WSACancelAsyncRequest(task)
        ws.GetMessage(hwnd)
        with fails_with(WSAEALREADY):
            ws.WSACancelAsyncRequest(task)


@case(
    "windows.lookup.cancelled",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsacancelasyncrequest",
    basis="documented",
    requirements=["R4.102"],
)
def a_cancelled_look_up_is_not_told(ws: Target) -> None:
    """Of many look-ups some are cancelled: exactly the others are told, and both add up."""
    with ws.window() as hwnd:
        tasks = [ws.WSAAsyncGetHostByName(hwnd, WM_USER, "127.0.0.1") for _ in range(40)]
        cancelled = set()
        for task in reversed(tasks):
            try:
                ws.WSACancelAsyncRequest(task)
            except Failed as failure:
                expect("why not", expected=WSAEALREADY, actual=failure.code)
            else:
                cancelled.add(task)
        told = [ws.GetMessage(hwnd).wparam for _ in range(len(tasks) - len(cancelled))]
        last = ws.WSAAsyncGetHostByName(hwnd, WM_APP, "127.0.0.1")
        final = ws.GetMessage(hwnd)
        left = ws.messages()

    expect("told", expected=sorted(set(tasks) - cancelled), actual=sorted(told))
    expect("the last one", expected=(WM_APP, last, []), actual=(final.message, final.wparam, left))


@case(
    "windows.lookup.needs-startup",
    chapter=CHAPTER,
    source="winsock/nf-winsock-wsaasyncgethostbyname, -wsacancelasyncrequest",
    basis="documented",
    requirements=["B57", "B58"],
    manages_startup=True,
)
def look_ups_need_a_startup(ws: Target) -> None:
    """WSANOTINITIALISED before WSAStartup; windows need none."""
    with ws.window() as hwnd:
        with fails_with(WSANOTINITIALISED):
            ws.WSAAsyncGetHostByName(hwnd, WM_USER, "127.0.0.1")
        with fails_with(WSANOTINITIALISED):
            ws.WSACancelAsyncRequest(1)
