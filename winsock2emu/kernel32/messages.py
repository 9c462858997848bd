"""FormatMessage: texts of the system for codes, and texts of the program with values put in.

Part played:     winbase.h's FormatMessage.
Lives here:      escape sequences, widths, which source a text comes from.
Lives elsewhere: the texts (defs/codes and its neighbours), allocating the result (the C face).
Language:        the texts are English; any other language has none.
Sources:         nf-winbase-formatmessagew on Microsoft Learn; Wine's public tests kernel32/format_msg.c for line ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..defs.codes import ERROR_INVALID_PARAMETER, ERROR_MR_MID_NOT_FOUND
from ..defs.constants import (
    FORMAT_MESSAGE_FROM_HMODULE,
    FORMAT_MESSAGE_FROM_STRING,
    FORMAT_MESSAGE_FROM_SYSTEM,
    FORMAT_MESSAGE_IGNORE_INSERTS,
    FORMAT_MESSAGE_MAX_WIDTH_MASK,
)
from ..defs.winbase import ERROR_RESOURCE_LANG_NOT_FOUND, ERROR_RESOURCE_TYPE_NOT_FOUND
from ..errors import WinsockError, exported, system_text

_PRIMARY: Final = 0x3FF  # of a language identifier
_ENGLISH: Final = (0, 9)  # neutral is whatever there is

_ESCAPE: Final = re.compile(r"%(?:(?P<number>[1-9][0-9]?)(?:!(?P<format>[^!]*)!)?|(?P<other>.?))", re.DOTALL)
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_HARD_END: Final = "\0"  # stands for %n until the text's own line ends have been dealt with
_SPECIFIER: Final = re.compile(r"([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(I64|I32|ll|l|h|w)?([a-zA-Z])")

Value = Callable[[int, str], Any]
"""The value of an insert (from 0 on), for a conversion: ``s`` text, ``d`` a signed number of 32 bits, ``q`` of 64."""


@exported
def FormatMessage(
    flags: int, source: str | None, message_id: int, language: int = 0, arguments: Sequence[Any] | None = None
) -> str:
    """A message's text.

    Args:
        flags: FORMAT_MESSAGE_FROM_SYSTEM or FORMAT_MESSAGE_FROM_STRING; FORMAT_MESSAGE_IGNORE_INSERTS; the low byte
            is the width of a line, 0 for line ends as the text has them, FORMAT_MESSAGE_MAX_WIDTH_MASK for none.
        source: the text for FORMAT_MESSAGE_FROM_STRING.
        message_id: a code, or an HRESULT that wraps one.
        language: 0, or the identifier of English.
        arguments: what %1 and so on stand for: text and numbers.

    Returns:
        The text; a system's one ends with a line end, or with a blank when line ends are to be ignored.

    Raises:
        WinsockError: ERROR_MR_MID_NOT_FOUND, the system has no such text; ERROR_INVALID_PARAMETER, no source, too few
            arguments, a text that ends with %; ERROR_RESOURCE_LANG_NOT_FOUND; ERROR_RESOURCE_TYPE_NOT_FOUND, a
            module, none of which has messages here.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-formatmessagew
    """

    def value(index: int, conversion: str) -> Any:
        if arguments is None or index >= len(arguments):
            raise WinsockError(ERROR_INVALID_PARAMETER)
        return arguments[index]

    return expand(message_text(flags, source, message_id, language), flags, value)


def message_text(flags: int, source: str | None, message_id: int, language: int) -> str:
    """The text before anything is put in; errors as from `FormatMessage`."""
    if flags & FORMAT_MESSAGE_FROM_STRING:
        if source is None or flags & (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_FROM_HMODULE):
            raise WinsockError(ERROR_INVALID_PARAMETER)
        return source
    if flags & FORMAT_MESSAGE_FROM_SYSTEM:
        if language & _PRIMARY not in _ENGLISH:
            raise WinsockError(ERROR_RESOURCE_LANG_NOT_FOUND)
        text = system_text(message_id)
        if text is None:
            raise WinsockError(ERROR_MR_MID_NOT_FOUND)
        return text + "\r\n"
    raise WinsockError(
        ERROR_RESOURCE_TYPE_NOT_FOUND if flags & FORMAT_MESSAGE_FROM_HMODULE else ERROR_INVALID_PARAMETER
    )


def expand(text: str, flags: int, value: Value) -> str:
    """Put values in and break lines."""
    width = flags & FORMAT_MESSAGE_MAX_WIDTH_MASK
    if width:
        text = _LINE_END.sub(" ", text)
    text = _put_in(text, bool(flags & FORMAT_MESSAGE_IGNORE_INSERTS), value)
    if 0 < width < FORMAT_MESSAGE_MAX_WIDTH_MASK:
        text = _HARD_END.join(_wrap(line, width) for line in text.split(_HARD_END))
    return _LINE_END.sub("\r\n", text.replace(_HARD_END, "\r\n"))


def _wrap(line: str, width: int) -> str:
    """Break a line at blanks; a longer word stays whole."""
    lines: list[str] = []
    while len(line) > width:
        at = line.rfind(" ", 0, width + 1)
        if at <= 0:
            at = line.find(" ", width)
            if at < 0:
                break
        lines.append(line[:at])
        line = line[at + 1 :]
    return "\n".join([*lines, line])


def _put_in(text: str, ignore: bool, value: Value) -> str:
    done: list[str] = []
    at = 0
    stars = 0  # widths that were values themselves: they take arguments of their own
    for found in _ESCAPE.finditer(text):
        done.append(text[at : found.start()])
        at = found.end()
        number, form, other = found["number"], found["format"], found["other"]
        if number is not None:
            if ignore:
                done.append(found[0])
            else:
                piece, used = _formatted(int(number) - 1 + stars, "s" if form is None else form, value)
                stars += used
                done.append(piece)
        elif other == "0":
            return "".join(done)
        elif other == "n":
            done.append(_HARD_END)
        elif other == "r":
            done.append("\r")
        elif other == "t":
            done.append("\t")
        elif other:
            done.append(other if not ignore else f"%{other}")
        elif ignore:
            done.append("%")
        else:
            raise WinsockError(ERROR_INVALID_PARAMETER)
    done.append(text[at:])
    return "".join(done)


def _formatted(index: int, form: str, value: Value) -> tuple[str, int]:
    """One insert, formatted as printf does, and how many values its widths took before it."""
    found = _SPECIFIER.fullmatch(form)
    if found is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    flags, width, precision, size, conversion = found.groups()
    used = 0
    if width == "*":
        width = str(value(index + used, "d"))
        used += 1
    if precision == "*":
        precision = str(value(index + used, "d"))
        used += 1
    layout = "%" + flags + (width or "") + ("." + precision if precision is not None else "")
    wide = size in ("I64", "ll")
    if conversion in "sS":
        kind = "S" if conversion == "S" or size == "h" else "ls" if size in ("l", "w") else "s"
        found_text = value(index + used, kind)
        return (layout + "s") % ("(null)" if found_text is None else found_text), used
    number = value(index + used, "q" if wide or conversion == "p" else "d")
    if isinstance(number, str):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    bits = 64 if wide else 32
    if conversion in "cC":
        return (layout + "s") % chr(number & 0xFFFF), used
    if conversion == "p":
        return f"{number & (1 << 64) - 1:016X}", used
    if conversion in "uoxX":
        number &= (1 << bits) - 1
        return (layout + ("d" if conversion == "u" else conversion)) % number, used
    if conversion in "di":
        return (layout + "d") % number, used
    raise WinsockError(ERROR_INVALID_PARAMETER)
