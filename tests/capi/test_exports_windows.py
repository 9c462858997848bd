"""The functions of user32.dll that are written, as C calls them: structures, callbacks, failure values."""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.capi.cabi import UNTOUCHED, call, error, fails, ref
from winsock2emu import errors, user32
from winsock2emu.capi import table
from winsock2emu.process import Process

ERROR_INVALID_HANDLE = 6
ERROR_INVALID_PARAMETER = 87
ERROR_NOACCESS = 998
ERROR_INVALID_WINDOW_HANDLE = 1400
HWND_MESSAGE = 0xFFFFFFFFFFFFFFFD
GWLP_WNDPROC = -4
QS_ALLINPUT = 0x1CFF
WAIT_FAILED = 0xFFFFFFFF
WM_CREATE, WM_QUIT, WM_TIMER, WM_USER = 1, 0x12, 0x113, 0x400
U = "user32"

WNDPROC = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64)


class MSG(ctypes.Structure):
    """As winuser.h has it for 64 bits."""

    _fields_ = [
        ("hwnd", ctypes.c_uint64),
        ("message", ctypes.c_uint32),
        ("wParam", ctypes.c_uint64),
        ("lParam", ctypes.c_int64),
        ("time", ctypes.c_uint32),
        ("x", ctypes.c_int32),
        ("y", ctypes.c_int32),
    ]


class CREATESTRUCT(ctypes.Structure):
    """As winuser.h has it for 64 bits."""

    _fields_ = [
        ("lpCreateParams", ctypes.c_uint64),
        ("hInstance", ctypes.c_uint64),
        ("hMenu", ctypes.c_uint64),
        ("hwndParent", ctypes.c_uint64),
        ("cy", ctypes.c_int32),
        ("cx", ctypes.c_int32),
        ("y", ctypes.c_int32),
        ("x", ctypes.c_int32),
        ("style", ctypes.c_int32),
        ("lpszName", ctypes.c_uint64),
        ("lpszClass", ctypes.c_uint64),
        ("dwExStyle", ctypes.c_uint32),
    ]


class Program:
    """A window procedure in C, and memory that lives as long as the test."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int, int]] = []
        self.creation: dict[str, Any] = {}
        self.pointer = WNDPROC(self.procedure)
        self.address = ctypes.cast(self.pointer, ctypes.c_void_p).value or 0
        self._texts: list[Any] = []

    def procedure(self, hwnd: int, message: int, wparam: int, lparam: int) -> int:
        if message == WM_CREATE:
            record = CREATESTRUCT.from_address(lparam)
            self.creation = {field[0]: getattr(record, field[0]) for field in CREATESTRUCT._fields_}
            for name in ("lpszName", "lpszClass"):
                if self.creation[name] > 0xFFFF:  # neither NULL nor an atom
                    self.creation[name] = ctypes.string_at(self.creation[name], 4)
        if message >= WM_USER:
            self.told.append((message, wparam, lparam))
            return -5
        result: int = call("DefWindowProcW", hwnd, message, wparam, lparam, dll=U)
        return result

    def text(self, text: str, form: str) -> int:
        buffer = ctypes.create_string_buffer(text.encode("utf-16-le" if form == "W" else "latin-1") + b"\0\0")
        self._texts.append(buffer)
        return ctypes.addressof(buffer)

    def record(self, name: str, form: str = "W") -> bytes:
        """WNDCLASSEX."""
        return struct.pack("<2IQ2i7Q", 80, 0, self.address, 0, 16, 0, 0, 0, 0, 0, self.text(name, form), 0)

    def window(self, name: str = "toy", form: str = "W") -> int:
        assert call(f"RegisterClassEx{form}", self.record(name, form), dll=U) >= 0xC000
        texts = self.text(name, form), self.text("title", form)
        given = (3, *texts, 0x80000000, 1, 2, 30, 40, HWND_MESSAGE, 7, 8, 0x123456789)
        hwnd: int = call(f"CreateWindowEx{form}", *given, dll=U)
        assert hwnd
        return hwnd


@pytest.fixture
def program(process: Process) -> Iterator[Program]:
    program = Program()
    yield program
    for hwnd in list(process.desktop.windows):
        user32.DestroyWindow(hwnd)


def test_structures_have_the_sizes_of_64_bit_windows() -> None:
    assert (ctypes.sizeof(MSG), ctypes.sizeof(CREATESTRUCT)) == (48, 80)


@pytest.mark.parametrize(("form", "name", "title"), [("A", b"toy\0", b"titl"), ("W", b"t\0o\0", b"t\0i\0")])
def test_the_procedure_gets_the_arguments_in_its_form(program: Program, form: str, name: bytes, title: bytes) -> None:
    program.window(form=form)

    assert program.creation == {
        "lpCreateParams": 0x123456789,
        "hInstance": 8,
        "hMenu": 7,
        "hwndParent": HWND_MESSAGE,
        "cy": 40,
        "cx": 30,
        "y": 2,
        "x": 1,
        "style": -0x80000000,
        "lpszName": title,
        "lpszClass": name,
        "dwExStyle": 3,
    }


def test_the_plain_structure_registers_as_well(program: Program) -> None:
    record = struct.pack("<I4xQ2i6Q", 0, program.address, 0, 0, 0, 0, 0, 0, 0, program.text("plain", "A"))

    atom = call("RegisterClassA", record, dll=U)
    hwnd = call("CreateWindowExA", 0, atom, None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None, None, dll=U)

    assert hwnd
    assert call("SendMessageA", hwnd, WM_USER, 1, 2, dll=U) == -5


def test_a_structure_of_another_size_is_refused(program: Program) -> None:
    record = b"\x4f" + program.record("toy")[1:]

    fails(ERROR_INVALID_PARAMETER, "RegisterClassExW", record, failure=0, dll=U)
    fails(ERROR_NOACCESS, "RegisterClassExW", None, failure=0, dll=U)


def test_messages_keep_all_64_bits_through_the_loop(program: Program) -> None:
    hwnd, message = program.window(), MSG()
    assert call("PostMessageW", hwnd, WM_USER, (1 << 64) - 1, -(1 << 63), dll=U) == 1
    call("PostQuitMessage", -2, dll=U)

    assert call("GetMessageW", ref(message), None, 0, 0, dll=U) == 1
    assert (message.hwnd, message.message, message.wParam, message.lParam) == (
        hwnd,
        WM_USER,
        (1 << 64) - 1,
        -(1 << 63),
    )
    assert call("DispatchMessageW", ref(message), dll=U) == -5
    assert program.told == [(WM_USER, (1 << 64) - 1, -(1 << 63))]
    assert call("GetMessageW", ref(message), None, 0, 0, dll=U) == 0
    assert (message.message, ctypes.c_int32(message.wParam & 0xFFFFFFFF).value) == (WM_QUIT, -2)


def test_getmessage_fails_with_minus_one(program: Program) -> None:
    """0 would end the program's loop as if all were well."""
    fails(ERROR_INVALID_WINDOW_HANDLE, "GetMessageW", ref(MSG()), 12345, 0, 0, failure=-1, dll=U)
    fails(ERROR_NOACCESS, "GetMessageA", None, None, 0, 0, failure=-1, dll=U)


def test_an_empty_queue_is_no_error(program: Program) -> None:
    errors.set_last_error(UNTOUCHED)

    assert call("PeekMessageA", ref(MSG()), None, 0, 0, 1, dll=U) == 0
    assert error() == UNTOUCHED


def test_a_wait_fails_with_wait_failed(program: Program) -> None:
    handles = (ctypes.c_uint64 * 1)(0x7FFFFFF0)

    def waits(code: int, *args: Any) -> None:
        fails(code, "MsgWaitForMultipleObjects", *args, 0, 0, QS_ALLINPUT, failure=WAIT_FAILED, dll=U)

    waits(ERROR_INVALID_HANDLE, 1, handles)
    waits(ERROR_NOACCESS, 1, None)
    waits(ERROR_INVALID_PARAMETER, 0xFFFFFFFF, handles)
    assert call("MsgWaitForMultipleObjectsEx", 0, None, 0, QS_ALLINPUT, 0, dll=U) == 0x102


def test_the_address_of_a_procedure_comes_back(program: Program) -> None:
    hwnd = program.window()
    other = WNDPROC(lambda hwnd, message, wparam, lparam: 33)
    address = ctypes.cast(other, ctypes.c_void_p).value

    assert call("GetWindowLongPtrW", hwnd, GWLP_WNDPROC, dll=U) == program.address
    assert call("SetWindowLongPtrW", hwnd, GWLP_WNDPROC, address, dll=U) == program.address
    assert call("SendMessageW", hwnd, WM_USER, 0, 0, dll=U) == 33
    fails(ERROR_INVALID_PARAMETER, "SetWindowLongPtrW", hwnd, GWLP_WNDPROC, 0, failure=0, dll=U)


def test_a_system_class_has_a_procedure_that_c_can_call(process: Process, program: Program) -> None:
    given = (program.text("STATIC", "W"), None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None, None)
    hwnd = call("CreateWindowExW", 0, *given, dll=U)
    first, again = (call("GetWindowLongPtrW", hwnd, GWLP_WNDPROC, dll=U) for _ in range(2))

    assert first == again
    assert WNDPROC(first)(hwnd, 0x81, 0, 0) == 1


def test_a_timers_routine_is_called_by_dispatch(program: Program) -> None:
    calls: list[tuple[int, ...]] = []
    kind = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32)
    routine = kind(lambda hwnd, message, identifier, ticks: calls.append((hwnd, message, identifier)))
    hwnd, message = program.window(), MSG()

    assert call("SetTimer", hwnd, 4, 10, ctypes.cast(routine, ctypes.c_void_p), dll=U) == 4
    assert call("GetMessageW", ref(message), hwnd, 0, 0, dll=U) == 1
    assert message.lParam == ctypes.cast(routine, ctypes.c_void_p).value
    call("DispatchMessageW", ref(message), dll=U)
    assert call("KillTimer", hwnd, 4, dll=U) == 1

    assert calls == [(hwnd, WM_TIMER, 4)]
    fails(ERROR_INVALID_PARAMETER, "KillTimer", hwnd, 4, failure=0, dll=U)


def test_a_number_that_is_no_timers_routine_is_not_called(program: Program) -> None:
    """Anybody may post WM_TIMER with anything in it."""
    hwnd = program.window()
    message = MSG(hwnd=hwnd, message=WM_TIMER, wParam=4, lParam=0x1234567)

    assert call("DispatchMessageW", ref(message), dll=U) == 0


def test_an_exception_inside_of_a_call_is_parked_for_the_python_caller(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A procedure of the Python API that fails below a C function."""

    def fail(*arguments: Any) -> int:
        raise ZeroDivisionError

    user32.RegisterClassEx(user32.WNDCLASSEX(fail, "failing"))
    with pytest.raises(ZeroDivisionError):
        call("CreateWindowExA", 0, ctypes.c_char_p(b"failing"), None, 0, 0, 0, 0, 0, None, None, None, None, dll=U)
    assert process.desktop.windows == {}


def test_windows_of_a_thread_that_c_made_last_longer_than_one_call(process: Process, program: Program) -> None:
    """pthreads that enter Python for single calls: the queue of the thread is the same in each."""
    host = ctypes.CDLL(None)
    address = table.export(U, "PeekMessageW")
    assert address is not None
    host.pthread_create.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    results: list[tuple[bool, int]] = []
    start = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)

    def body(argument: int) -> int:
        with process.active():
            message = MSG()
            call("PostMessageW", None, WM_USER, 9, 0, dll=U)
            there = call("PeekMessageW", ref(message), None, 0, 0, 1, dll=U)
            results.append((bool(there), message.wParam))
        return 0

    entry = start(body)
    thread = ctypes.c_uint64()
    assert host.pthread_create(ctypes.byref(thread), None, ctypes.cast(entry, ctypes.c_void_p), None) == 0
    host.pthread_join.argtypes = [ctypes.c_uint64, ctypes.c_void_p]
    joined = threading.Thread(target=host.pthread_join, args=(thread, None))
    joined.start()
    joined.join(20)

    assert results == [(True, 9)]
