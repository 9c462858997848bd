"""``trio`` as on Windows, on the emulator's completion ports, sockets and AFD device.

    from winsock2emu.compat import trio

    trio.run(main)

Part played:     trio on Windows.
Lives here:      the name: this module is trio itself, which is ``sys.modules["trio"]`` from then on. Whatever imports
                 trio afterwards gets the same one.
Lives elsewhere: how it is loaded (_trio); its sockets are those of `socket`.
Requires:        trio and cffi. It has to be imported before anything imports trio for the host: one process has one
                 trio, and an ImportError says so if it is too late. A program that `winsock2emu run` runs, or that has
                 called `winsock2emu.install`, gets the same by ``import trio``.
Subprocesses:    processes of the host, with named pipes in between; paths and files are the host's, too.
Differences:     an OSError that trio makes itself, from a number (`SocketType.connect` does), has that number and is of
                 no subclass: ConnectionRefusedError would need an interpreter that is built for Windows.
Missing:         console control events, and process groups for them.
"""

from __future__ import annotations

import sys as _sys
from typing import TYPE_CHECKING
from typing import Any as _Any

from ._trio import load_trio as _load_trio

if TYPE_CHECKING:

    def __getattr__(name: str) -> _Any: ...


_sys.modules[__name__] = _load_trio()
