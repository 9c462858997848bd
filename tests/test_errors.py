"""Errors: the exception of each code, the last error of a thread, and what `exported` makes of a function."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.concurrency import Call
from winsock2emu import errors
from winsock2emu.defs.codes import (
    WSAECONNRESET,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTSOCK,
    WSASYSCALLFAILURE,
    WSAError,
)
from winsock2emu.errors import WinsockConnectionResetError, WinsockError, exported, get_last_error, set_last_error


@pytest.fixture(autouse=True)
def _nothing_left_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The functions of these tests are no exports of the package, and the last error is as it was."""
    before = get_last_error()
    monkeypatch.setattr(errors, "EXPORTED", {})
    yield
    set_last_error(before)


def closed(s: int, flags: int = 7, *, code: int = WSAENOTSOCK) -> int:
    raise WinsockError(code)


def test_an_export_has_the_parameters_of_the_function_it_is_put_around() -> None:
    @exported
    def move(s: int, data: bytes, flags: int = 3, operation: object = None) -> tuple[object, ...]:
        """Move."""
        return s, data, flags, operation

    assert str(inspect.signature(move, follow_wrapped=False)).startswith("(s: 'int', data: 'bytes', flags: 'int' = 3, ")
    assert (move.__name__, move.__doc__, move.__module__) == ("move", "Move.", __name__)
    assert move(1, b"x") == (1, b"x", 3, None)
    assert move(data=b"x", s=1, operation=5) == (1, b"x", 3, 5)
    assert move(1, b"x", flags=0) == (1, b"x", 0, None)


@pytest.mark.parametrize("arguments", [(), (1,), (1, b"x", 3, None, 0)])
def test_a_wrong_number_of_arguments_is_a_type_error_that_names_the_export(arguments: tuple[object, ...]) -> None:
    @exported
    def move(s: int, data: bytes, flags: int = 3, operation: object = None) -> int:
        return 0

    with pytest.raises(TypeError, match=r"move\(\)"):
        move(*arguments)  # type: ignore[arg-type]


def test_an_export_without_parameters() -> None:
    @exported
    def clean() -> int:
        raise WinsockError(WSAEINVAL)

    with pytest.raises(WinsockError):
        clean()
    assert get_last_error() == WSAEINVAL


def test_parameters_that_no_c_function_has_are_refused() -> None:
    def many(*buffers: bytes) -> int:
        return len(buffers)

    for call in (many, closed):
        with pytest.raises(TypeError, match="plain parameters"):
            exported(call)
    assert many(b"") == 1


def test_exports_of_one_shape_do_not_get_into_each_others_way() -> None:
    @exported
    def first(s: int, how: int = 1) -> tuple[str, int, int]:
        return "first", s, how

    @exported
    def second(level: int, option: int) -> tuple[str, int, int]:
        return "second", level, option

    assert first(how=2, s=1) == ("first", 1, 2)
    assert second(option=2, level=1) == ("second", 1, 2)
    with pytest.raises(TypeError):
        second(1)  # type: ignore[call-arg]  # the default belongs to the other one


def test_a_failure_is_the_last_error_of_its_own_thread_only() -> None:
    @exported
    def fail(code: int) -> None:
        if code:
            raise WinsockError(code)

    seen = []

    def elsewhere() -> None:
        with pytest.raises(WinsockError):
            fail(WSAENOTSOCK)
        fail(0)
        seen.append(get_last_error())

    set_last_error(WSAEINVAL)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(10)
    assert seen == [WSAENOTSOCK]
    assert get_last_error() == WSAEINVAL


def test_errors_of_one_code_are_alike_and_share_nothing() -> None:
    one = WinsockError(WSAEMSGSIZE, moved=5, address=b"who")
    other = WinsockError(WSAEMSGSIZE)

    assert one is not other
    assert type(one) is type(other)
    assert one.args == other.args
    assert (one.moved, one.address, other.moved, other.address) == (5, b"who", None, None)


def test_the_class_goes_with_the_code_each_time() -> None:
    for _ in range(2):
        assert type(WinsockError(WSAECONNRESET)) is WinsockConnectionResetError
        assert type(WinsockConnectionResetError(WSAECONNRESET)) is WinsockConnectionResetError
        assert isinstance(WinsockError(WSAECONNRESET), ConnectionResetError)
        assert WinsockError(WSAECONNRESET).winerror == WSAECONNRESET


# The exception of each code

# CPython on Windows keeps a Winsock code as errno, except for six that C knows under a number of its own.
C_NUMBERS = {
    WSAError.WSAEINTR: 4,
    WSAError.WSAEBADF: 9,
    WSAError.WSAEACCES: 13,
    WSAError.WSAEFAULT: 14,
    WSAError.WSAEINVAL: 22,
    WSAError.WSAEMFILE: 24,
}

# The subclass that CPython makes of an errno; all others are plain.
SUBCLASSES: dict[int, type[OSError]] = {
    WSAError.WSAEINTR: InterruptedError,
    WSAError.WSAEACCES: PermissionError,
    WSAError.WSAEWOULDBLOCK: BlockingIOError,
    WSAError.WSAEINPROGRESS: BlockingIOError,
    WSAError.WSAEALREADY: BlockingIOError,
    WSAError.WSAECONNABORTED: ConnectionAbortedError,
    WSAError.WSAECONNRESET: ConnectionResetError,
    WSAError.WSAESHUTDOWN: BrokenPipeError,
    WSAError.WSAETIMEDOUT: TimeoutError,
    WSAError.WSAECONNREFUSED: ConnectionRefusedError,
}
EVERY_SUBCLASS = (*set(SUBCLASSES.values()), FileExistsError, FileNotFoundError, ChildProcessError)


@pytest.mark.parametrize("code", [code for code in WSAError if code >= 10000], ids=lambda code: code.name)
def test_each_winsock_code_has_the_errno_and_the_class_that_cpython_gives_it_on_windows(code: WSAError) -> None:
    """A program catches `ConnectionResetError`, or compares errno, or winerror."""
    error = WinsockError(code)

    assert error.winerror == code
    assert error.code is code
    assert error.errno == C_NUMBERS.get(code, code)
    assert error.args == (error.errno, error.strerror, None, code, None)
    assert str(error) == f"[WinError {int(code)}] {error.strerror}"
    assert [kind for kind in EVERY_SUBCLASS if isinstance(error, kind)] == (
        [SUBCLASSES[code]] if code in SUBCLASSES else []
    )


@pytest.mark.parametrize(
    ("code", "errno"),
    [(2, 2), (3, 2), (4, 24), (5, 13), (6, 9), (8, 12), (14, 22), (87, 22), (109, 32), (183, 17), (232, 32), (1816, 12)]
    + [(code, 22) for code in (1, 64, 121, 122, 234, 995, 996, 997, 1225, 1229, 1231, 1236)],
)
def test_each_system_code_has_the_errno_that_cpython_gives_it_on_windows(code: int, errno: int) -> None:
    """Its translation table, as far as calls of Winsock can fail with them; what it does not list is EINVAL."""
    assert WinsockError(code).errno == errno
    assert isinstance(WinsockError(code), OSError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2, FileNotFoundError),
        (3, FileNotFoundError),
        (5, PermissionError),
        (109, BrokenPipeError),
        (183, FileExistsError),
        (232, BrokenPipeError),
    ],
)
def test_each_system_code_has_the_class_that_cpython_gives_it_on_windows(code: int, kind: type[OSError]) -> None:
    """The class goes with the errno."""
    assert isinstance(WinsockError(code), kind)
    assert isinstance(WinsockError(code), WinsockError)


@pytest.mark.parametrize(
    "line",
    [
        "[WinError 10054] An existing connection was forcibly closed by the remote host",
        "[WinError 10038] An operation was attempted on something that is not a socket",
        "[WinError 6] The handle is invalid",
        "[WinError 995] The I/O operation has been aborted because of either a thread exit or an application request",
    ],
)
def test_a_message_reads_as_it_does_on_windows(line: str) -> None:
    """CPython takes the full stop and the line end off the system's text."""
    code = int(line[10 : line.index("]")])

    assert str(WinsockError(code)) == line


def test_a_code_that_no_table_has_is_an_error_all_the_same() -> None:
    """A provider of somebody else fails with a code of its own."""
    error = WinsockError(123456)

    assert (error.winerror, error.errno, error.code) == (123456, 22, 123456)
    assert "123456" in str(error)


def test_what_goes_with_a_failure_is_on_the_exception() -> None:
    """A truncated datagram with its sender, nothing received, and the room that a query needs."""
    truncated = WinsockError(WSAEMSGSIZE, moved=5, address=b"who")
    assert (truncated.moved, truncated.address, truncated.needed) == (5, b"who", None)

    nothing = WinsockError(WSAEMSGSIZE, moved=0, address=b"", needed=0)
    assert (nothing.moved, nothing.address, nothing.needed) == (0, b"", 0)


@pytest.mark.parametrize("code", [WSAECONNRESET, WSAEINVAL, WSAEMSGSIZE, 995, 123456])
def test_an_error_survives_pickling_and_copying(code: int) -> None:
    """It crosses to another interpreter, as with multiprocessing."""
    error = WinsockError(code, moved=5, address=b"who", needed=7)
    error.add_note("seen")

    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert again.args == error.args
        assert str(again) == str(error)
        assert (again.winerror, again.moved, again.address, again.needed) == (code, 5, b"who", 7)
        assert again.__notes__ == ["seen"]


def test_errors_are_made_by_code_whatever_type_the_code_has() -> None:
    """An int and a member of the table."""
    for code in (10054, WSAError.WSAECONNRESET):
        error = WinsockError(code)
        assert type(error) is WinsockConnectionResetError
        assert error.winerror == 10054


# The last error


def test_the_last_error_is_32_unsigned_bits() -> None:
    """SetLastError takes a DWORD; Python programs pass negative numbers as well."""
    for given, kept in ((10054, 10054), (-1, 0xFFFFFFFF), (1 << 32, 0), (0x1_0000_0005, 5), (0, 0)):
        set_last_error(given)
        assert get_last_error() == kept


def test_a_new_thread_has_no_last_error() -> None:
    """The main thread has one."""
    set_last_error(WSAEINVAL)

    assert Call(get_last_error).result() == 0
    assert get_last_error() == WSAEINVAL


def test_a_success_leaves_the_last_error_alone() -> None:
    """Programs may look for it later than at once."""

    @exported
    def succeed() -> int:
        return 5

    set_last_error(WSAENOTSOCK)
    assert succeed() == 5
    assert get_last_error() == WSAENOTSOCK


def test_the_last_error_of_a_failure_is_its_code_and_not_its_errno() -> None:
    """WSAEINVAL's errno is 22."""

    @exported
    def fail() -> None:
        raise WinsockError(WSAEINVAL)

    with pytest.raises(WinsockError):
        fail()
    assert get_last_error() == WSAEINVAL


@pytest.mark.parametrize("failure", [OSError(5, "untranslated"), ZeroDivisionError(), WinsockError(0)], ids=repr)
def test_a_failure_without_a_code_is_a_failed_system_call(failure: Exception) -> None:
    """A provider fails without saying why; what it raised stays behind the error that is told."""

    @exported
    def fail() -> None:
        raise failure

    with pytest.raises(WinsockError) as caught:
        fail()

    assert caught.value.winerror == get_last_error() == WSASYSCALLFAILURE
    assert caught.value.__cause__ is failure


@pytest.mark.parametrize("failure", [TypeError(), MemoryError(), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_what_no_provider_means_as_a_failure_passes_unchanged(failure: BaseException) -> None:
    """A wrong type, no memory, and the ways in which a program ends."""

    @exported
    def fail() -> None:
        raise failure

    set_last_error(0)
    with pytest.raises(type(failure)) as caught:
        fail()

    assert caught.value is failure
    assert get_last_error() == 0


def test_what_the_programs_own_function_raises_passes_unchanged() -> None:
    """An export calls a function that the program gave it."""

    @exported
    def call_back(condition: Callable[[], None]) -> None:
        condition()

    def condition() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call_back(condition)


def test_files_that_an_error_is_about_stand_in_its_text() -> None:
    """As in every OSError; trio's test_winerror expects it of Windows."""
    error = WinsockError(18)
    error.filename, error.filename2 = "a", "b"
    assert str(error) == f"[WinError 18] {error.strerror}: 'a' -> 'b'"
