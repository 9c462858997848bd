"""Error codes as texts and exceptions."""

from __future__ import annotations

import pytest

from winsock2emu import errors
from winsock2emu.capi.winerrors import FormatError, WinError

REFUSED = "No connection could be made because the target machine actively refused it."


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "The operation completed successfully."),
        (5, "Access is denied."),
        (10061, REFUSED),
        (-2147024891, "Access is denied."),  # HRESULT_FROM_WIN32(5)
        (0x80070005, "Access is denied."),
        (123456789, "<no description>"),
    ],
)
def test_texts_are_the_systems(code: int, text: str) -> None:
    assert FormatError(code) == text


def test_without_a_code_the_threads_last_error_counts() -> None:
    errors.set_last_error(10061)

    assert FormatError() == REFUSED
    assert WinError().winerror == 10061  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "kind", "errno"),
    [
        (10061, ConnectionRefusedError, 10061),
        (10054, ConnectionResetError, 10054),
        (10035, BlockingIOError, 10035),
        (10013, PermissionError, 13),
        (2, FileNotFoundError, 2),
        (10022, OSError, 22),
        (-2147024894, FileNotFoundError, 2),
    ],
)
def test_exceptions_are_what_the_interpreter_makes_of_a_code(code: int, kind: type[OSError], errno: int) -> None:
    failure = WinError(code)

    assert isinstance(failure, kind)
    assert failure.winerror == code  # type: ignore[attr-defined]
    assert failure.errno == errno
    assert failure.args == (errno, FormatError(code))
    assert str(failure) == f"[WinError {code}] {FormatError(code)}"


def test_a_description_replaces_the_systems_text() -> None:
    failure = WinError(10061, "nobody there")

    assert failure.strerror == "nobody there"
    assert str(failure) == "[WinError 10061] nobody there"
