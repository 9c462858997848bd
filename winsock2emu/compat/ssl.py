"""``ssl`` on the emulator's sockets.

Part played:     the ssl module of CPython.
Lives here:      CPython's own ssl.py, from the running interpreter and unchanged, on `socket`: an SSLSocket is a socket
                 of that module.
Limits:          OpenSSL reads and writes the descriptor itself, so a connection that breaks under it is told with the
                 host's error number. There is no certificate store of Windows (enum_certificates).
Sources:         Lib/ssl.py of CPython 3.11 to 3.13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any as _Any

from . import _stdlib
from . import socket as _socket

if TYPE_CHECKING:

    def __getattr__(name: str) -> _Any: ...


_stdlib.run("ssl", globals(), {"errno": _stdlib.ERRNO, "socket": _socket})
