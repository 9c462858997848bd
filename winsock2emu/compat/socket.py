"""``socket`` as Python on Windows has it.

    from winsock2emu.compat import socket

Part played:     the socket module of CPython for Windows.
Lives here:      CPython's own socket.py, from the running interpreter and unchanged: this module is its namespace.
Lives elsewhere: what it is built on (_socket), which names there are (_profiles), how it is run (_stdlib).
Class:           `socket` is a subclass of the host's class of that name; its instances are SOCKETs under the same
                 number, for ws2_32, for select and for overlapped requests.
TLS:             `ssl` is CPython's on these sockets. The host's ssl module takes one over, too: it detaches it, and
                 continues on the descriptor, which is the host's alone from then on.
Missing:         see _socket.
Sources:         Lib/socket.py of CPython 3.11 to 3.13.
"""

from __future__ import annotations

import builtins as _builtins
import sys as _sys
from typing import TYPE_CHECKING
from typing import Any as _Any

from . import _socket as _emulated
from . import _stdlib

if TYPE_CHECKING:

    def __getattr__(name: str) -> _Any: ...


_socket_module = _emulated.module(_sys.version_info[:2])


def _without_slots(name: str, bases: tuple[type, ...], names: dict[str, _Any]) -> type:
    """Make a class whose slots its bases have: the host's socket.py has been here before."""
    return type(name, bases, {**names, "__slots__": ()})


def _build_class(body: _Any, name: str, *bases: _Any, **keywords: _Any) -> type:
    if _emulated.Socket in bases:
        keywords["metaclass"] = _without_slots
    made: type = _builtins.__build_class__(body, name, *bases, **keywords)
    return made


_stdlib.run(
    "socket",
    globals(),
    {"_socket": _socket_module, "errno": _stdlib.ERRNO, "os": _stdlib.OS, "sys": _stdlib.SYS},
    _build_class,
)
