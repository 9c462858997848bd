"""OVERLAPPED structures in a C program's memory, and completion routines that are C functions.

Part played:     the OVERLAPPED that a program allocates, often at the head of a record of its own.
Lives here:      reading and writing the structure, and which request pends on which address.
Lives elsewhere: what completing means (kernel/operations).
Results:         what an overlapped call stores beside its byte count (a sender, a message's flags, an output buffer) is
                 stored by ``store`` when the request completes, before the status.
Flags:           the structure has no room for the flags of a receive; those that are not 0 are kept here until the
                 structure is used again.
Sources:         ns-minwinbase-overlapped, nf-winsock2-wsarecv and nf-winsock2-wsagetoverlappedresult.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from ..defs.codes import WSA_IO_PENDING, WSAEFAULT
from ..errors import WinsockError, set_last_error
from ..kernel.operations import OVERLAPPED, CompletionRoutine, Keeper, flags_of
from . import memory
from .threads import made_by_c

_INTERNAL_HIGH: Final = 8
_OFFSET: Final = 16
_OFFSET_HIGH: Final = 20
_EVENT: Final = 24

_ROUTINE: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32)

_u64: Final = ctypes.c_uint64.from_address

_pending: Final[dict[int, OVERLAPPED]] = {}
_flags: Final[dict[int, int]] = {}

Store = Callable[[Any], None]


class MemoryOverlapped(OVERLAPPED):
    """The structure at an address; ``store`` gets what the call returns, or the `WinsockError` it failed with."""

    __slots__ = ("_result", "address", "store")

    def __init__(self, address: int, store: Store | None = None) -> None:
        self.address = address
        self.store = store
        self._result = None
        self.keeper = None

    @property
    def Internal(self) -> int:
        return _u64(self.address).value

    @Internal.setter
    def Internal(self, status: int) -> None:
        _u64(self.address).value = status

    @property
    def InternalHigh(self) -> int:
        return _u64(self.address + _INTERNAL_HIGH).value

    @InternalHigh.setter
    def InternalHigh(self, moved: int) -> None:
        _u64(self.address + _INTERNAL_HIGH).value = moved

    @property
    def Offset(self) -> int:  # type: ignore[override]
        return memory.load_u32(self.address + _OFFSET)

    @property
    def OffsetHigh(self) -> int:  # type: ignore[override]
        return memory.load_u32(self.address + _OFFSET_HIGH)

    @property
    def hEvent(self) -> int:  # type: ignore[override]
        return _u64(self.address + _EVENT).value

    @property
    def result(self) -> Any:
        """As for every record, but only of the request that this object has been made for."""
        return self._result

    @result.setter
    def result(self, result: Any) -> None:
        self._result = result
        store = self.store
        if store is not None:
            with suppress(WinsockError):  # a place that the program has made too small meanwhile
                store(result)
        flags = 0 if type(result) is int else flags_of(result)
        if flags:
            _flags[self.address] = flags
        elif _flags:
            _flags.pop(self.address, None)

    @property
    def operation(self) -> OVERLAPPED | None:
        return _pending.get(self.address)

    def pend(self, keeper: Keeper) -> None:
        if self.keeper is None:
            _pending[self.address] = self
        super().pend(keeper)

    def leave(self) -> None:
        super().leave()
        if _pending.get(self.address) is self:
            del _pending[self.address]

    @property
    def flags(self) -> int:
        return _flags.get(self.address, 0)

    def __repr__(self) -> str:
        return f"<OVERLAPPED at {self.address:#x}>"


def overlapped_at(address: int, store: Store | None = None) -> MemoryOverlapped | None:
    """The record of an overlapped call; None for a NULL pointer.

    Raises:
        WinsockError: WSAEFAULT, a pointer that cannot be one.
    """
    if address >= memory.LOWEST:
        return MemoryOverlapped(address, store)
    if address:
        raise WinsockError(WSAEFAULT)
    return None


def pends(address: int) -> bool:
    """Whether a request pends on the structure at an address."""
    return address in _pending


def routine_at(pointer: int, address: int) -> CompletionRoutine | None:
    """A C completion routine as the API calls it; None for a NULL pointer."""
    if not pointer:
        return None
    made_by_c()  # the thread has to be known by the time of the call
    call = _ROUTINE(pointer)

    def routine(error: int, moved: int, overlapped: OVERLAPPED, flags: int) -> None:
        call(error, moved, address, flags)

    return routine


def pending(failure: int = -1) -> int:
    """The result of a C call that goes on: ``failure``, with WSA_IO_PENDING as the last error."""
    made_by_c()
    set_last_error(WSA_IO_PENDING)
    return failure
