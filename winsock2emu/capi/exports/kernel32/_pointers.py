"""What the functions of kernel32 want of their pointers."""

from __future__ import annotations

from typing import Final

from ....defs.codes import ERROR_NOACCESS
from ....errors import WinsockError
from ... import memory

_INHERIT: Final = 16  # offset of bInheritHandle in SECURITY_ATTRIBUTES


def inherits(attributes: int) -> bool:
    """What SECURITY_ATTRIBUTES say of inheritance."""
    return attributes >= memory.LOWEST and memory.load_i32(attributes + _INHERIT) != 0


def out(pointer: int) -> int:
    """A pointer that has to lead somewhere: ERROR_NOACCESS, where Windows would raise an exception in the program."""
    if pointer < memory.LOWEST:
        raise WinsockError(ERROR_NOACCESS)
    return pointer


def store_text(text: str, buffer: int, size: int, *, wide: bool) -> int:
    """Store a text with its NUL if there is room for so many characters.

    Returns:
        The characters without the NUL, or when there is no room, how many there should be, with it.
    """
    data = memory.to_wide(text) if wide else memory.to_ansi(text)
    count = len(data) // 2 if wide else len(data)
    if size < count or buffer < memory.LOWEST:
        return count
    memory.write(buffer, data)
    return count - 1
