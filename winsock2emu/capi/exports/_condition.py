"""The condition function of WSAAccept: from a C pointer to a Python callable.

Part played:     LPCONDITIONPROC.
Lives elsewhere: when it is asked and what its answer means (the providers).
Sources:         nf-winsock2-wsaaccept, parameter lpfnCondition.
Memory:          what the function gets is valid while it runs. Groups and disconnect data that it stores are not passed
                 on: no provider has them yet.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from .. import memory

_WSABUF: Final = "I4xQ"
_WSABUF_SIZE: Final = 16

_CONDITIONPROC: Final = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p,  # lpCallerId
    ctypes.c_void_p,  # lpCallerData
    ctypes.c_void_p,  # lpSQOS
    ctypes.c_void_p,  # lpGQOS
    ctypes.c_void_p,  # lpCalleeId
    ctypes.c_void_p,  # lpCalleeData
    ctypes.c_void_p,  # g
    ctypes.c_uint64,  # dwCallbackData
)


def condition_function(pointer: int) -> Callable[..., int] | None:
    """The C function at ``pointer`` as the API wants it; None for NULL."""
    if not pointer:
        return None
    proc = _CONDITIONPROC(pointer)

    def condition(
        caller_id: bytes | None,
        caller_data: bytes | None,
        sqos: Any,
        gqos: Any,
        callee_id: bytes | None,
        callee_data: Any,
        group: int,
        callback_data: int,
    ) -> int:
        block = memory.Block()
        buffers = [_add(block, data) for data in (caller_id, caller_data, callee_id, b"")]
        g = block.add(group.to_bytes(4, "little"))
        placed = block.place()
        base = ctypes.addressof(placed)
        caller, data, callee, answer = (None if offset is None else base + offset for offset in buffers)
        verdict: int = proc(caller, data, None, None, callee, answer, base + g, callback_data)
        return verdict

    return condition


def _add(block: memory.Block, data: bytes | None) -> int | None:
    """A WSABUF and its contents; the offset of the WSABUF, None without data."""
    if data is None:
        return None
    offset = block.add(bytes(_WSABUF_SIZE))
    block.put(offset, "I", len(data))
    if data:
        block.point(offset + 8, block.add(data))
    return offset
