"""The C face of kernel32, module by module as in winsock2emu.kernel32.

Part played:     what programs call in kernel32.dll beside Winsock.
Lives elsewhere: the behaviour (winsock2emu.kernel32). A function that is exported and not written fails (capi.table).
Functions:       an APC, a routine of a thread, a timer or a file, a wait's callback are C functions. ExitThread and
                 TerminateThread unwind Python frames and cannot leave C frames: the exit code counts as soon as the
                 thread's routine returns.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

from . import (
    criticalsections,
    devices,
    events,
    files,
    handles,
    heap,
    lasterror,
    messages,
    modules,
    pipes,
    ports,
    process,
    system,
    text,
    threadpool,
    threads,
    time,
    waiting,
)

MODULES: Final[tuple[ModuleType, ...]] = (
    *(lasterror, messages, time, system, process, modules),
    *(handles, events, waiting, threads, threadpool, ports, criticalsections),
    *(files, pipes, devices, heap, text),
)
