"""Function objects: arguments in, results and errors out."""

from __future__ import annotations

import ctypes
import threading
import traceback
from enum import IntEnum
from typing import Any

import pytest

from tests.capi.faketable import FakeTable
from winsock2emu import errors
from winsock2emu.capi import datatypes, functions, loader, wintypes

WSAECONNRESET = 10054
U64 = ctypes.c_uint64


class Recorder(FakeTable):
    """Functions that keep their arguments: ``three`` and ``eight`` of 64 bits; ``text`` reads UTF-16."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.add("three", self._record, ctypes.c_int, *[U64] * 3)
        self.add("eight", self._record, ctypes.c_int, *[U64] * 8)
        self.add("text", self._read, ctypes.c_int, U64)
        self.add("echo", lambda pointer: pointer, U64, U64)
        self.add("fail", self._fail, ctypes.c_int)

    def _record(self, *args: int) -> int:
        self.seen.append(args)
        return -1

    def _read(self, pointer: int) -> int:
        self.seen.append(datatypes.text_at(pointer))
        return 0

    @staticmethod
    def _fail() -> int:
        errors.set_last_error(WSAECONNRESET)
        return -1


@pytest.fixture
def table() -> Recorder:
    return Recorder()


@pytest.fixture
def library(table: Recorder) -> Any:
    return table.dll_class()("ws2_32")


class Number(IntEnum):
    SEVEN = 7


class Wrapper:
    def __init__(self, value: Any) -> None:
        self._as_parameter_ = value


ALL_ONES = 2**64 - 1


@pytest.mark.parametrize(
    ("argument", "received"),
    [
        (5, 5),
        (-1, ALL_ONES),
        (2**64 - 2, 2**64 - 2),
        (2**40, 2**40),
        (True, 1),
        (Number.SEVEN, 7),
        (None, 0),
        (ctypes.c_int(-1), ALL_ONES),
        (ctypes.c_uint16(65535), 65535),
        (wintypes.DWORD(2**32 - 1), 2**32 - 1),
        (ctypes.c_void_p(2**40), 2**40),
        pytest.param(Wrapper(-1), ALL_ONES, id="wrapped int"),
        pytest.param(Wrapper(wintypes.LONG(-1)), ALL_ONES, id="wrapped LONG"),
    ],
    ids=repr,
)
def test_an_undeclared_integer_fills_its_register_and_its_stack_slot(
    table: Recorder, library: Any, argument: Any, received: int
) -> None:
    """The function may read 64 bits; the seventh parameter and later ones are on the stack."""
    assert library.eight(*[argument] * 8) == -1
    assert table.seen == [(received,) * 8]


def test_an_integer_of_more_than_64_bits_is_refused(library: Any) -> None:
    with pytest.raises(ctypes.ArgumentError, match="argument 2: OverflowError: int too long to convert"):
        library.three(1, 2**64, 3)


def test_arguments_that_are_left_out_are_zero_and_surplus_ones_ignored(table: Recorder, library: Any) -> None:
    library.three(9)
    library.three(1, 2, 3, 4, 5)

    assert table.seen == [(9, 0, 0), (1, 2, 3)]


def test_undeclared_buffers_arrive_as_their_addresses(table: Recorder, library: Any) -> None:
    buffer = ctypes.create_string_buffer(8)
    point = wintypes.POINT()
    number = wintypes.DWORD()

    library.three(buffer, ctypes.byref(point), ctypes.pointer(number))

    assert table.seen == [tuple(map(ctypes.addressof, (buffer, point, number)))]


@pytest.mark.parametrize("text", ["", "127.0.0.1", "h\u00e9llo", "\U0001f600 emoji", "lone \ud800"])
@pytest.mark.parametrize("wrap", [str, datatypes.c_wchar_p, ctypes.c_wchar_p, datatypes.create_unicode_buffer, Wrapper])
def test_undeclared_text_goes_as_utf16(table: Recorder, library: Any, wrap: Any, text: str) -> None:
    library.text(wrap(text))

    assert table.seen == [text]


def test_a_host_buffer_of_4_byte_characters_is_refused(library: Any) -> None:
    """Its content would be misread, and what the function writes would be unreadable."""
    with pytest.raises(ctypes.ArgumentError, match="create_unicode_buffer"):
        library.text(ctypes.create_unicode_buffer("x"))
    library.text.argtypes = [wintypes.LPWSTR]
    with pytest.raises(ctypes.ArgumentError, match="create_unicode_buffer"):
        library.text(ctypes.create_unicode_buffer("x"))


@pytest.mark.parametrize("kind", [wintypes.LPWSTR, ctypes.c_wchar_p, ctypes.c_void_p])
def test_declared_text_goes_as_utf16(table: Recorder, library: Any, kind: Any) -> None:
    """The host's own c_wchar_p counts as ours: programs without our ctypes declare that."""
    library.text.argtypes = [kind]

    library.text("\u00e9t\u00e9")

    assert table.seen == ["\u00e9t\u00e9"]
    assert library.text.argtypes == (kind,)


def test_declared_types_are_ctypes_own_business(library: Any) -> None:
    library.three.argtypes = [wintypes.DWORD, ctypes.POINTER(wintypes.DWORD), wintypes.LPVOID]

    assert library.three(1, ctypes.byref(wintypes.DWORD()), None) == -1
    with pytest.raises(ctypes.ArgumentError, match="argument 2"):
        library.three(1, ctypes.byref(ctypes.c_uint16()), None)
    with pytest.raises(TypeError, match=r"this function takes 3 arguments \(2 given\)"):
        library.three(1, None)
    with pytest.raises(TypeError):
        library.three.argtypes = [5]
    library.three.argtypes = None
    assert library.three.argtypes is None
    assert library.three() == -1


def test_results_are_int_until_declared(library: Any) -> None:
    """SOCKET_ERROR comes as -1 and INVALID_SOCKET, cut to 32 bits, too: as on Windows."""
    assert library.echo(2**64 - 1) == -1
    library.echo.restype = ctypes.c_size_t
    assert library.echo(2**64 - 1) == 2**64 - 1
    library.echo.restype = None
    assert library.echo(1) is None


@pytest.mark.parametrize("kind", [wintypes.LPWSTR, ctypes.c_wchar_p])
def test_a_text_result_is_read_as_utf16(library: Any, kind: Any) -> None:
    library.echo.restype = kind

    assert library.echo("gr\u00fc\u00df dich") == "gr\u00fc\u00df dich"
    assert library.echo(None) is None


def test_errcheck_gets_the_programs_own_arguments(library: Any) -> None:
    seen = []

    def check(result: int, function: Any, args: tuple[Any, ...]) -> str:
        seen.append((result, function, args))
        return "checked"

    library.three.errcheck = check

    assert library.three(1, "text", None) == "checked"
    assert seen == [(-1, library.three, (1, "text", None))]


def test_the_private_last_error_belongs_to_libraries_that_use_it(table: Recorder) -> None:
    """Around the call the copy and the thread's cell change places, so each keeps its own value."""
    using, plain = table.dll_class()("ws2_32", use_last_error=True), table.dll_class()("ws2_32")
    errors.set_last_error(1)
    loader.set_last_error(2)

    using.fail()
    assert (loader.get_last_error(), errors.get_last_error()) == (WSAECONNRESET, 1)

    assert loader.set_last_error(3) == WSAECONNRESET
    plain.fail()
    assert (loader.get_last_error(), errors.get_last_error()) == (3, WSAECONNRESET)


def test_the_function_sees_the_private_last_error_during_the_call(table: Recorder) -> None:
    table.add("peek", errors.get_last_error, ctypes.c_int)
    loader.set_last_error(77)
    errors.set_last_error(1)

    assert table.dll_class()("ws2_32", use_last_error=True).peek() == 77
    assert table.dll_class()("ws2_32").peek() == 1


def test_errcheck_finds_the_calls_error_in_the_private_copy(table: Recorder) -> None:
    """The pattern of the ctypes documentation: raise WinError(get_last_error()) from errcheck."""
    library = table.dll_class()("ws2_32", use_last_error=True)

    def check(result: int, _function: Any, args: Any) -> Any:
        if result == -1:
            raise loader.WinError(loader.get_last_error())
        return args

    library.fail.errcheck = check
    loader.set_last_error(0)

    with pytest.raises(ConnectionResetError) as caught:
        library.fail()
    assert caught.value.winerror == WSAECONNRESET  # type: ignore[attr-defined]
    assert library.fail.errcheck is check


def test_a_callable_restype_finds_the_calls_error_too(table: Recorder) -> None:
    library = table.dll_class()("ws2_32", use_last_error=True)
    loader.set_last_error(0)

    def result(number: int) -> tuple[int, int]:
        return number, loader.get_last_error()

    library.fail.restype = result

    assert library.fail() == (-1, WSAECONNRESET)
    assert library.fail.restype is result


def test_calls_inside_a_call_leave_the_outer_exchange_alone(table: Recorder) -> None:
    """A callback calls the library again; the outer call's error is still the one that arrives."""
    library = table.dll_class()("ws2_32", use_last_error=True)
    inside = []

    def outer() -> int:
        errors.set_last_error(20)
        library.fail()
        inside.append(loader.get_last_error())
        errors.set_last_error(10)
        return 0

    table.add("outer", outer, ctypes.c_int)
    loader.set_last_error(0)
    library.outer()

    assert inside == [WSAECONNRESET]
    assert loader.get_last_error() == 10


def test_the_private_last_error_is_the_threads_own() -> None:
    loader.set_last_error(5)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(loader.get_last_error()))
    thread.start()
    thread.join(10)

    assert seen == [0]


class Stop(BaseException):
    """What a program's signal handler may raise."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Stop, RuntimeError])
def test_what_could_not_cross_the_c_frames_is_raised_after_them(
    table: Recorder, library: Any, kind: type[BaseException]
) -> None:
    def park() -> int:
        table.pending = kind("parked")
        return -1

    table.add("park", park, ctypes.c_int)

    with pytest.raises(kind, match="parked") as caught:
        library.park()
    assert caught.value.__context__ is None
    assert table.pending is None


def test_a_parked_exception_wins_over_errcheck(table: Recorder, library: Any) -> None:
    """errcheck sees the failure value and would report an error that never was."""

    def park() -> int:
        table.pending = KeyboardInterrupt()
        return -1

    def check(*_args: Any) -> None:
        raise OSError("made up")

    table.add("park", park, ctypes.c_int)
    library.park.errcheck = check

    with pytest.raises(KeyboardInterrupt):
        library.park()


@pytest.mark.parametrize("use_last_error", [False, True])
def test_tracebacks_go_from_the_program_to_its_check(table: Recorder, use_last_error: bool) -> None:
    library = table.dll_class()("ws2_32", use_last_error=use_last_error)

    def check(*_args: Any) -> None:
        raise ValueError

    library.fail.errcheck = check
    with pytest.raises(ValueError) as failed_check:
        library.fail()
    with pytest.raises(ctypes.ArgumentError) as bad_argument:
        library.three(object())

    for caught in (failed_check, bad_argument):
        files = {frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)}
        assert [file for file in files if file.endswith("functions.py") and "test_" not in file] == []


def test_a_prototype_is_made_once_for_the_same_types() -> None:
    made = functions.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)

    assert functions.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD) is made
    assert functions.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD, use_last_error=True) is not made
    with pytest.raises(TypeError):
        functions.WINFUNCTYPE(wintypes.BOOL, surprise=True)  # type: ignore[call-arg]


def test_a_prototype_calls_an_address(table: Recorder) -> None:
    prototype = functions.WINFUNCTYPE(ctypes.c_int, wintypes.LPWSTR)

    assert prototype(table.functions["text"].address)("by address") == 0
    assert table.seen == ["by address"]


def test_a_null_prototype_becomes_callable_when_an_address_is_stored_in_it(table: Recorder) -> None:
    """How programs receive an extension function from WSAIoctl."""
    function = functions.WINFUNCTYPE(ctypes.c_int, wintypes.LPWSTR)(0)
    assert not function
    U64.from_address(ctypes.addressof(function)).value = table.functions["text"].address

    assert function("stored") == 0
    assert table.seen == ["stored"]


def test_a_prototype_finds_a_function_in_a_library(table: Recorder, library: Any) -> None:
    prototype = functions.WINFUNCTYPE(ctypes.c_int, wintypes.DWORD, wintypes.DWORD, wintypes.LPCWSTR)

    assert prototype(("three", library))(1, 2, None) == -1
    with pytest.raises(AttributeError, match="function 'none' not found"):
        prototype(("none", library))
    assert table.seen == [(1, 2, 0)]


def test_parameter_flags_name_default_and_return_parameters(table: Recorder, library: Any) -> None:
    def fill(number: int, pointer: int) -> int:
        ctypes.c_uint32.from_address(pointer).value = number + 1
        return 0

    table.add("fill", fill, ctypes.c_int, ctypes.c_uint32, U64)
    prototype = functions.WINFUNCTYPE(ctypes.c_int, wintypes.DWORD, wintypes.LPDWORD)
    function = prototype(("fill", library), ((1, "number", 41), (2, "result")))

    assert function() == 42
    assert function(7) == 8
    assert function(number=9) == 10


def test_a_callback_gets_text_for_wide_parameters() -> None:
    seen = []

    def callback(number: int, text: str | None) -> int:
        seen.append((number, text))
        return len(seen)

    function = functions.WINFUNCTYPE(ctypes.c_int, wintypes.DWORD, wintypes.LPCWSTR)(callback)

    assert function(1, "Stra\u00dfe") == 1
    assert function(2, None) == 2
    assert seen == [(1, "Stra\u00dfe"), (2, None)]


def test_a_callback_with_last_error_leaves_its_error_with_the_caller() -> None:
    def callback() -> int:
        loader.set_last_error(WSAECONNRESET)
        return 0

    function = functions.WINFUNCTYPE(ctypes.c_int, use_last_error=True)(callback)
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    errors.set_last_error(0)
    ctypes.CFUNCTYPE(ctypes.c_int)(address)()

    assert errors.get_last_error() == WSAECONNRESET


def test_a_function_of_the_host_keeps_its_library() -> None:
    """A program's CFUNCTYPE also serves libraries that are not Windows'."""
    prototype = functions.CFUNCTYPE(ctypes.c_int)

    assert prototype(("Py_IsInitialized", ctypes.pythonapi))() == 1
