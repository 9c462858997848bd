"""What the functions of pywin32 have in common: their arguments and their failures.

Part played:     the argument conversions of pywin32's PyWinTypes.h.
Lives here:      sockets, handles, buffers, times and records out of what a program passes; failures as
                 `pywintypes.error`.
Lives elsewhere: the objects (pywintypes), taking over sockets of the host (_adopt).
Sockets:         an object with a ``fileno``, or a number. A function that meets one of the host adopts it.
Sources:         pywin32's reference; its tests.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from ..defs.codes import ERROR_IO_PENDING, ERROR_MORE_DATA
from ..errors import WinsockError
from ..kernel.handles import FIRST_NUMBER
from ..kernel.operations import PENDING, moved_of
from ._adopt import adopt, adopt_number
from .pywintypes import PyOVERLAPPED, PySECURITY_ATTRIBUTES, Record, failure_of, handle_of

P = ParamSpec("P")
R = TypeVar("R")

_32_BITS: Final = 0xFFFFFFFF


def told(name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function one of pywin32's: it fails with `pywintypes.error`, which has its name, or ``name``."""

    def decorate(call: Callable[P, R]) -> Callable[P, R]:
        known_as = name or call.__name__

        @wraps(call)
        def function(*arguments: P.args, **named: P.kwargs) -> R:
            try:
                return call(*arguments, **named)
            except WinsockError as failure:
                raise failure_of(failure.winerror, known_as) from None

        return function

    return decorate


def inherits(attributes: Any) -> bool | None:
    """What security attributes say of inheritance; None without any.

    Raises:
        TypeError: they are something else.
    """
    if attributes is None:
        return None
    if not isinstance(attributes, PySECURITY_ATTRIBUTES):
        raise TypeError("The object is not a PySECURITY_ATTRIBUTES object")
    return bool(attributes.bInheritHandle)


def milliseconds(time: int) -> int:
    """A time as kernel32 has it, where INFINITE is not -1."""
    return time & _32_BITS


def dword(value: int) -> int:
    """A number of 32 bits, which may have been written as a negative one."""
    return value & _32_BITS


def socket_of(thing: Any) -> int:
    """The SOCKET of a socket object, or of its number.

    Raises:
        TypeError: anything else.
        WinsockError: WSAENOTSOCK, a socket object that is closed.
    """
    if isinstance(thing, socket.socket):
        return adopt(thing)
    fileno = getattr(thing, "fileno", None)
    if fileno is not None:
        thing = fileno()
    try:
        number = handle_of(thing)
    except TypeError:
        raise TypeError("Expected a socket object or numeric socket handle") from None
    adopt_number(number)
    return number


def object_of(thing: Any) -> int:
    """The handle of anything, a socket included."""
    number = handle_of(thing)
    if 0 < number < FIRST_NUMBER:
        adopt_number(number)
    return number


def record_of(overlapped: Any) -> Record | None:
    """The request behind an OVERLAPPED; None without one.

    Raises:
        TypeError: something else.
    """
    if overlapped is None:
        return None
    if not isinstance(overlapped, PyOVERLAPPED):
        raise TypeError("The object is not a PyOVERLAPPED object")
    record = overlapped.record
    if record.kept is not None and record.keeper is None:
        record.kept = None
    return record


def readable(buffer: Any) -> memoryview:
    """The bytes of a buffer; TypeError for text."""
    return memoryview(buffer).cast("B")


def writable(buffer: Any) -> memoryview:
    """The bytes of a buffer that can be written to; TypeError for text and for bytes."""
    view = readable(buffer)
    if view.readonly:
        raise TypeError(f"a writable buffer is needed, not {type(buffer).__name__}")
    return view


def size_or_buffer(place: Any) -> tuple[Any, memoryview]:
    """Where to read to, by a size or a buffer: the buffer for the program, and its bytes.

    Raises:
        TypeError: it is neither, or cannot be written to.
    """
    if isinstance(place, int):
        place = memoryview(bytearray(place))
        return place, place
    try:
        return place, writable(place)
    except TypeError:
        raise TypeError("Second param must be an integer or writeable buffer object") from None


def read(call: Callable[[memoryview, Record | None], Any], place: Any, record: Record | None) -> tuple[int, Any]:
    """Have a call read: 0, ERROR_MORE_DATA or ERROR_IO_PENDING, and the buffer, or without a record what is in it."""
    buffer, view = size_or_buffer(place)
    try:
        code, moved = progress(call(view, record))
    except WinsockError as failure:
        if failure.winerror != ERROR_MORE_DATA:
            raise
        code, moved = ERROR_MORE_DATA, failure.moved or 0
    return code, bytes(view[:moved]) if record is None else buffer


def progress(result: Any) -> tuple[int, int]:
    """What a function tells of a request that it has begun: 0 or ERROR_IO_PENDING, and the bytes so far."""
    return (ERROR_IO_PENDING, 0) if result is PENDING else (0, moved_of(result))
