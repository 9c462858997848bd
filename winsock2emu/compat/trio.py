"""``trio`` as on Windows, on the emulator's completion ports, sockets and AFD device.

    from winsock2emu.compat import trio

    trio.run(main)

Part played:     trio on Windows.
Lives here:      the name: this module is trio itself, which is ``sys.modules["trio"]`` from then on. Whatever imports trio
                 afterwards gets the same one.
Lives elsewhere: how it is loaded (_trio); its sockets are those of `socket`.
Requires:        trio and cffi. It has to be imported before anything imports trio for the host: one process has one
                 trio, and an ImportError says so if it is too late.
Paths:           files and paths are the host's.
Missing:         SetConsoleCtrlHandler, which trio itself does not call.
"""

from __future__ import annotations

import sys as _sys
from typing import TYPE_CHECKING
from typing import Any as _Any

from ._trio import load_trio as _load_trio

if TYPE_CHECKING:

    def __getattr__(name: str) -> _Any: ...


_sys.modules[__name__] = _load_trio()
