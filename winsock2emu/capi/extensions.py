"""Extension functions in C: the pointers that SIO_GET_EXTENSION_FUNCTION_POINTER stores.

Part played:     what mswsock.dll hands out beside its exports.
Lives here:      from a GUID, or a provider's own callable, to a C function.
Lives elsewhere: which GUID a provider knows, and the callable it answers with (providers); the marshalling of the known
                 functions (capi.exports, where those of mswsock stand in ``table.export``'s modules), their prototypes
                 (defs.exports).
Known GUIDs:     the C function is the one of that name that ws2_32 or mswsock exports, otherwise one made from the
                 prototype. It asks the provider of the socket it is called with, so a pointer is the same for all
                 providers. What nobody has written is handed out too, and fails when it is called, as unwritten exports
                 do.
Other GUIDs:     a provider may have functions of its own. An ``address`` attribute of its callable, an int, is handed
                 out as it is. Otherwise C gets a function with one 64-bit parameter for each positional parameter of
                 the callable and a 64-bit result; a `WinsockError` becomes SOCKET_ERROR and the last error.
Pointers' life:  as in `table`: made once, valid until the process ends.
Sources:         winsock-ioctls (SIO_GET_EXTENSION_FUNCTION_POINTER); R9.14-R9.20 of the project's reference.
"""

from __future__ import annotations

import ctypes
import inspect
import threading
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from ..defs import guids
from ..defs.constants import SOCKET_ERROR
from ..defs.exports import EXTENSIONS, Extension
from ..defs.guids import WSAID_MULTIPLE_RIO
from ..defs.relocatable import POINTER_SIZE
from . import table


def _by_guid() -> dict[bytes, Extension]:
    """The functions that this control code is for; those of registered I/O come in a table, by another one."""
    return {
        getattr(guids, extension.guid_name).bytes_le: extension
        for extension in EXTENSIONS.values()
        if extension.opcode == "SIO_GET_EXTENSION_FUNCTION_POINTER"
    }


_BY_GUID: Final = _by_guid()

_foreign: dict[Any, Any] = {}  # a provider's callable to the C function made for it
_making: Final = threading.Lock()


def address_of(guid: UUID) -> int | None:
    """The address of the C function that a GUID of mswsock.h stands for; None for any other GUID."""
    extension = _BY_GUID.get(guid.bytes_le)
    return None if extension is None else table.extension(extension.function).address


def pointer(guid: bytes, function: Callable[..., Any]) -> bytes:
    """What the output buffer gets for a GUID (16 bytes) and the callable that the provider has answered with."""
    if bytes(guid[:16]) == WSAID_MULTIPLE_RIO.bytes_le:
        return _registered_table()
    address = address_of(UUID(bytes_le=bytes(guid[:16]))) if len(guid) >= 16 else None
    if address is None:
        own = getattr(function, "address", None)
        address = own if isinstance(own, int) else _face_of(function)
    return address.to_bytes(POINTER_SIZE, "little")


def _registered_table() -> bytes:
    """A RIO_EXTENSION_FUNCTION_TABLE: its size, then the functions. They serve the sockets of every provider."""
    functions = sorted((one.table_index, one.function) for one in EXTENSIONS.values() if one.table_index is not None)
    size = (len(functions) + 1) * POINTER_SIZE
    numbers = [size, *(table.extension(function).address for _, function in functions)]
    return b"".join(number.to_bytes(POINTER_SIZE, "little") for number in numbers)


def _face_of(function: Callable[..., Any]) -> int:
    """A C function that calls a provider's own extension function."""
    with _making:
        callback = _foreign.get(function)
        if callback is None:
            parameters = inspect.signature(function).parameters.values()
            count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
            thunk = table.reporting_thunk(lambda *args: function(*args) or 0, SOCKET_ERROR)
            callback = _foreign[function] = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * count)(thunk)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    assert address is not None
    return address
