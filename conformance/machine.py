"""Memory and calls: everything the C-ABI driver needs of a machine that has Winsock's DLLs.

Part played:     the lowest interface of the suite. Seven operations in integers, so that a machine may as
                 well be another process (a bridge program under Wine) or another computer.
Lives here:      the Machine protocol, and InProcess, which is memory and calls of our own process through
                 ctypes.
Lives elsewhere: which functions lie where (targets/), structures and conventions (driver).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

MASK = (1 << 64) - 1


class Called(NamedTuple):
    """What a call left behind: the result register, and the thread's last error right afterwards."""

    result: int  # unsigned, 64 bits; the upper half is undefined for narrower results
    last_error: int


class Machine(Protocol):
    """64-bit Windows as seen through a keyhole. Addresses are ints; 0 is NULL."""

    def alloc(self, size: int) -> int:
        """Return the address of ``size`` zeroed bytes, aligned to 16."""
        ...

    def free(self, address: int) -> None: ...

    def read(self, address: int, size: int) -> bytes: ...

    def write(self, address: int, data: bytes) -> None: ...

    def lookup(self, dll: str, name: str) -> int:
        """Return the address of an export (``"ws2_32"``, ``"WSARecv"``); 0: the DLL has none of that name."""
        ...

    def call(self, thread: str, address: int, arguments: Sequence[int]) -> Called:
        """Call a function with up to twelve register-sized arguments.

        ``thread`` is the name of the calling Python thread. A machine in this process runs the call right
        there; a remote one runs it on a thread of its own that belongs to this name (made at first use). The
        call may block.
        """
        ...

    def callback(self, function: Callable[..., int], widths: Sequence[int]) -> int:
        """Return the address of a C function that calls ``function`` with unsigned ints.

        ``widths`` gives the size of each, 4 or 8 bytes. It stays alive as long as the machine, and its int
        result goes back in the result register.
        """
        ...


class InProcess:
    """Memory and calls of this process. The subclass says where the functions are."""

    def __init__(self) -> None:
        self._blocks: dict[int, object] = {}
        self._prototypes: dict[int, Any] = {}
        self._callbacks: list[object] = []

    def alloc(self, size: int) -> int:
        block = ctypes.create_string_buffer(size + 16)
        address = (ctypes.addressof(block) + 15) & ~15
        self._blocks[address] = block
        return address

    def free(self, address: int) -> None:
        del self._blocks[address]

    def read(self, address: int, size: int) -> bytes:
        return ctypes.string_at(address, size)

    def write(self, address: int, data: bytes) -> None:
        ctypes.memmove(address, bytes(data), len(data))

    def function(self, address: int, count: int) -> Any:
        """Return a callable for ``address`` taking ``count`` register-sized arguments."""
        prototype = self._prototypes.get(count)
        if prototype is None:
            prototype = self._prototypes[count] = self.prototype(count)
        return prototype(address)

    def prototype(self, count: int) -> Any:
        return ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * count)

    def callback(self, function: Callable[..., int], widths: Sequence[int]) -> int:
        masks = [(1 << 8 * width) - 1 for width in widths]

        def masked(*arguments: int) -> int:
            return int(function(*(value & mask for value, mask in zip(arguments, masks, strict=True)))) & MASK

        pointer = ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * len(masks))(masked)
        self._callbacks.append(pointer)
        return ctypes.cast(pointer, ctypes.c_void_p).value or 0
