"""Threads that C made: what belongs to a thread has to outlive the single call.

Part played:     the thread block in which Windows keeps the last error, and ws2_32 its buffers.
Lives here:      telling such threads from Python's own, and keeping their state.
Lives elsewhere: the state (errors, the per-thread buffers of capi.exports).
Reason:          CPython gives a thread it did not start a new state, thread-local data included, for each call into
                 Python, and throws it away when the call returns: WSAGetLastError would always find 0, and the text
                 of inet_ntoa would be freed before its caller reads it.
Cost:            the state of such a thread is kept until the process ends, not only until the thread does: some
                 hundred bytes each.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Final

# Takes the interpreter's lock once more and never gives it back, which is what keeps the state. Other
# interpreters than CPython lack it, and have other rules for their thread-local data.
_keep: Final[Any] = getattr(getattr(ctypes, "pythonapi", None), "PyGILState_Ensure", None)


class _PerThread(threading.local):
    made_by_c: bool | None = None


_this_thread = _PerThread()


def made_by_c() -> bool:
    """Whether C made the calling thread. If so, its thread-local data stays from now on."""
    known = _this_thread.made_by_c
    if known is None:
        me = threading.get_ident()
        # Whoever asks for the current thread of such a thread gets a dummy, which is then listed, too.
        ours = (t.ident for t in threading.enumerate() if not isinstance(t, threading._DummyThread))
        known = _this_thread.made_by_c = me not in ours
        if known and _keep is not None:
            _keep()
    return known
