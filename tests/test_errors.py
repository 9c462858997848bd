"""Exports: what `exported` makes of a function, and the errors it tells of."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator

import pytest

from winsock2emu import errors
from winsock2emu.defs.codes import WSAECONNRESET, WSAEINVAL, WSAEMSGSIZE, WSAENOTSOCK
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
