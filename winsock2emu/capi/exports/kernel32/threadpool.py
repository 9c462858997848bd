"""The thread pool: work items, registered waits, files whose completions call a function.

Part played:     threadpoollegacyapiset.h.
Lives elsewhere: the behaviour (kernel32.threadpool).
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from .... import kernel32
from ... import memory
from ._pointers import out

__all__ = [
    "BindIoCompletionCallback",
    "QueueUserWorkItem",
    "RegisterWaitForSingleObject",
    "UnregisterWait",
    "UnregisterWaitEx",
]

_WORK: Final = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint64)
_WAIT: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint8)
_COMPLETION: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64)


def QueueUserWorkItem(Function: int, Context: int, Flags: int) -> int:
    kernel32.QueueUserWorkItem(_WORK(out(Function)), Context, Flags)
    return 1


def RegisterWaitForSingleObject(
    phNewWaitObject: int, hObject: int, Callback: int, Context: int, dwMilliseconds: int, dwFlags: int
) -> int:
    out(phNewWaitObject)
    call: Any = _WAIT(out(Callback))
    handle = kernel32.RegisterWaitForSingleObject(hObject, call, Context, dwMilliseconds, dwFlags)
    memory.store_u64(phNewWaitObject, handle)
    return 1


def UnregisterWait(WaitHandle: int) -> int:
    kernel32.UnregisterWait(WaitHandle)
    return 1


def UnregisterWaitEx(WaitHandle: int, CompletionEvent: int) -> int:
    kernel32.UnregisterWaitEx(WaitHandle, CompletionEvent)
    return 1


def BindIoCompletionCallback(FileHandle: int, Function: int, Flags: int) -> int:
    kernel32.BindIoCompletionCallback(FileHandle, _COMPLETION(Function) if Function else None, Flags)
    return 1
