"""FormatMessage; expectations are those of its page and of Wine's public test kernel32/format_msg.c."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loopback import code_of
from winsock2emu.defs.codes import ERROR_INVALID_PARAMETER, ERROR_MR_MID_NOT_FOUND
from winsock2emu.defs.winbase import ERROR_RESOURCE_LANG_NOT_FOUND, ERROR_RESOURCE_TYPE_NOT_FOUND
from winsock2emu.kernel32 import FormatMessage

SYSTEM, STRING, HMODULE, IGNORE = 0x1000, 0x400, 0x800, 0x200
NO_LINE_ENDS = 0xFF


def test_texts_of_the_system_end_with_a_line_end_or_a_blank() -> None:
    assert FormatMessage(SYSTEM, None, 10054).endswith("by the remote host.\r\n")
    assert FormatMessage(SYSTEM | NO_LINE_ENDS, None, 5) == "Access is denied. "
    assert FormatMessage(SYSTEM, None, 0x80070005) == FormatMessage(SYSTEM, None, 5) == "Access is denied.\r\n"
    assert FormatMessage(SYSTEM, None, 80) == "The file exists.\r\n"


def test_what_the_system_does_not_have() -> None:
    assert code_of(FormatMessage, SYSTEM, None, 0x12345678) == ERROR_MR_MID_NOT_FOUND
    assert code_of(FormatMessage, SYSTEM, None, 5, 0x407) == ERROR_RESOURCE_LANG_NOT_FOUND
    assert FormatMessage(SYSTEM, None, 5, 0x409) == "Access is denied.\r\n"
    assert code_of(FormatMessage, HMODULE, None, 5) == ERROR_RESOURCE_TYPE_NOT_FOUND


@pytest.mark.parametrize("flags", [0, IGNORE, STRING, STRING | SYSTEM, STRING | HMODULE])
def test_sources_that_do_not_fit(flags: int) -> None:
    assert code_of(FormatMessage, flags, "text" if flags & (SYSTEM | HMODULE) else None, 5) == ERROR_INVALID_PARAMETER


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("test", (), "test"),
        ("%1", ("test",), "test"),
        ("%1%2", ("te", "st"), "test"),
        ("%2 %1", ("st", "te"), "te st"),
        ("%1!s!", ("test",), "test"),
        ("%1!4.3s!.", ("abcdef",), " abc."),
        ("%1!*s!", (6, "test"), "  test"),
        ("%1!d! %2!d!", (11, -12), "11 -12"),
        ("%1!02x! %1!X! %1!o!", (10,), "0a A 12"),
        ("%1!u!", (-1,), "4294967295"),
        ("%1!I64d!", (1 << 40,), str(1 << 40)),
        ("%1!c!", (65,), "A"),
        ("hi%0 test", (), "hi"),
        ("100%%", (), "100%"),
        ("hi%n", (), "hi\r\n"),
        ("%!%.% ", (), "!. "),
        ("hi\n", (), "hi\r\n"),
        ("hi\r\n", (), "hi\r\n"),
        ("%11!s!", tuple("abcdefghijk"), "k"),
    ],
)
def test_inserts(text: str, arguments: tuple[Any, ...], expected: str) -> None:
    assert FormatMessage(STRING, text, 0, 0, arguments) == expected


@pytest.mark.parametrize("text", ["%", "%1", "%1!z!", "%1!"])
def test_inserts_that_cannot_be_made(text: str) -> None:
    if text == "%1!":
        assert FormatMessage(STRING, text, 0, 0, ["x"]) == "x!"
    else:
        arguments = ["x"] if text == "%1!z!" else []
        assert code_of(FormatMessage, STRING, text, 0, 0, arguments) == ERROR_INVALID_PARAMETER


def test_inserts_may_stay_as_they_are() -> None:
    assert FormatMessage(STRING | IGNORE, "%1!d! and %2", 0) == "%1!d! and %2"
    assert FormatMessage(STRING | IGNORE, "hi%0 test", 0) == "hi"


def test_line_ends_of_the_text_become_blanks_and_hard_ones_stay() -> None:
    assert FormatMessage(STRING | NO_LINE_ENDS, "a\r\nb%nc", 0) == "a b\r\nc"
    assert FormatMessage(STRING | 7, "one two three", 0) == "one two\r\nthree"
