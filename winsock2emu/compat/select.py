"""``select`` as Python on Windows has it: sockets only, one function.

Part played:     Modules/selectmodule.c of CPython, built for Windows.
Lives elsewhere: the wait (ws2_32.waiting).
Sources:         Modules/selectmodule.c; the "select" part of CPython's library reference.
"""

from __future__ import annotations

from math import ceil, isnan
from operator import index
from typing import Any, Final

from .. import ws2_32
from ._adopt import started

__all__ = ["error", "select"]

error = OSError

_FD_SETSIZE: Final = 512  # what CPython is built with
_MOST_SECONDS: Final = 2**31 - 1


def select(rlist: Any, wlist: Any, xlist: Any, timeout: Any = None, /) -> tuple[list[Any], list[Any], list[Any]]:
    """Wait until a socket is ready: to be read, to be written to, or with urgent data or a connect that has failed.

    Args:
        rlist, wlist, xlist: sockets, by number or as objects with a ``fileno()``; at most 512 in each list.
        timeout: seconds; None for no limit.

    Raises:
        OSError: WSAEINVAL (10022), three empty lists; WSAENOTSOCK (10038), something that is no socket.
        ValueError: more than 512 sockets, a negative number or a negative time-out.
    """
    limit = _limit(timeout)
    started()
    reading, writing, excepting = _members(rlist), _members(wlist), _members(xlist)
    ready = ws2_32.select(_numbers(reading), _numbers(writing), _numbers(excepting), limit)
    return _objects(reading, ready[0]), _objects(writing, ready[1]), _objects(excepting, ready[2])


def _limit(timeout: Any) -> tuple[int, int] | None:
    if timeout is None:
        return None
    if not isinstance(timeout, int | float):
        try:
            timeout = index(timeout)
        except TypeError:
            raise TypeError("timeout must be a number or None") from None
    if isnan(timeout):
        raise ValueError("Invalid value NaN (not a number)")
    if timeout < 0:
        raise ValueError("timeout must be non-negative")
    if timeout > _MOST_SECONDS:
        raise OverflowError("timestamp out of range for platform time_t")
    microseconds: int = ceil(timeout * 1_000_000)
    return divmod(microseconds, 1_000_000)


def _members(objects: Any) -> list[tuple[int, Any]]:
    """Numbers and objects of a list, which may change while their ``fileno()`` is asked for."""
    try:
        iter(objects)
        objects[0:0]
    except (TypeError, KeyError):
        try:
            objects = list(objects)
        except TypeError:
            raise TypeError("arguments 1-3 must be sequences") from None
    members: list[tuple[int, Any]] = []
    position = 0
    while position < len(objects):
        thing = objects[position]
        number = _number(thing)
        if len(members) >= _FD_SETSIZE:
            raise ValueError("too many file descriptors in select()")
        members.append((number, thing))
        position += 1
    return members


def _numbers(members: list[tuple[int, Any]]) -> list[int]:
    return [number for number, _ in members]


def _number(thing: Any) -> int:
    """The descriptor of an object, as PyObject_AsFileDescriptor finds it."""
    if isinstance(thing, int):
        number = thing
    else:
        method = getattr(thing, "fileno", None)
        if method is None:
            raise TypeError("argument must be an int, or have a fileno() method.")
        number = method()
        if not isinstance(number, int):
            raise TypeError("fileno() returned a non-integer")
    if number < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({number})")
    return number


def _objects(members: list[tuple[int, Any]], found: list[int]) -> list[Any]:
    if not found:
        return []
    ready = set(found)
    return [thing for number, thing in members if number in ready]
