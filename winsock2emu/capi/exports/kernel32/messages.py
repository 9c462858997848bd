"""FormatMessage.

Part played:     winbase.h's FormatMessage.
Lives here:      where the values are, and where the text goes.
Lives elsewhere: the texts and what becomes of them (kernel32.messages), LocalFree (heap).
Values:          an array of pointer-sized ones, or a va_list, which is the same on 64-bit Windows, behind one pointer
                 more.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from ....defs.codes import ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY
from ....defs.constants import (
    FORMAT_MESSAGE_ALLOCATE_BUFFER,
    FORMAT_MESSAGE_ARGUMENT_ARRAY,
    FORMAT_MESSAGE_FROM_STRING,
)
from ....errors import WinsockError
from ....kernel32.messages import expand, message_text
from ... import memory
from . import heap

__all__ = ["FormatMessageA", "FormatMessageW"]


def FormatMessageA(
    dwFlags: int, lpSource: int, dwMessageId: int, dwLanguageId: int, lpBuffer: int, nSize: int, Arguments: int
) -> int:
    if lpBuffer < memory.LOWEST and dwFlags & FORMAT_MESSAGE_ALLOCATE_BUFFER:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY)  # this form only
    source = memory.ansi(lpSource) if dwFlags & FORMAT_MESSAGE_FROM_STRING else None
    text = _format(dwFlags, source, dwMessageId, dwLanguageId, lpBuffer, Arguments, wide=False)
    return _deliver(memory.to_ansi(text), 1, dwFlags, lpBuffer, nSize)


def FormatMessageW(
    dwFlags: int, lpSource: int, dwMessageId: int, dwLanguageId: int, lpBuffer: int, nSize: int, Arguments: int
) -> int:
    source = memory.wide(lpSource) if dwFlags & FORMAT_MESSAGE_FROM_STRING else None
    text = _format(dwFlags, source, dwMessageId, dwLanguageId, lpBuffer, Arguments, wide=True)
    return _deliver(memory.to_wide(text), 2, dwFlags, lpBuffer, nSize)


def _format(flags: int, source: str | None, code: int, language: int, buffer: int, values: int, *, wide: bool) -> str:
    if buffer < memory.LOWEST:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if flags & FORMAT_MESSAGE_ALLOCATE_BUFFER:
        memory.store_u64(buffer, 0)
    return expand(message_text(flags, source, code, language), flags, _reader(flags, values, wide=wide))


def _reader(flags: int, values: int, *, wide: bool) -> Callable[[int, str], Any]:
    """What reads a value for `expand`."""

    def read(index: int, conversion: str) -> Any:
        if values < memory.LOWEST:
            raise WinsockError(ERROR_INVALID_PARAMETER)
        array = values if flags & FORMAT_MESSAGE_ARGUMENT_ARRAY else memory.load_u64(values)
        at = array + 8 * index
        if conversion == "q":
            return ctypes.c_int64.from_address(at).value
        if conversion == "d":
            return memory.load_i32(at)
        as_wide = conversion == "ls" or (wide if conversion == "s" else False if wide else conversion == "S")
        pointer = memory.load_u64(at)
        return memory.wide(pointer) if as_wide else memory.ansi(pointer)

    return read


def _deliver(data: bytes, width: int, flags: int, buffer: int, room: int) -> int:
    """Store the text with its NUL; its length without."""
    count = len(data) // width
    if count == 1:
        return 0  # there is nothing to tell, which is no failure and stores nothing
    if flags & FORMAT_MESSAGE_ALLOCATE_BUFFER:
        memory.store_u64(buffer, heap.allocate(max(len(data), room * width)))
        buffer = memory.load_u64(buffer)
    elif count > room:
        raise WinsockError(ERROR_INSUFFICIENT_BUFFER)
    memory.write(buffer, data)
    return count - 1
