"""The functions of kernel32.dll that are written."""

from __future__ import annotations

import os
import threading
import time

from tests.capi.cabi import call


def test_identities() -> None:
    assert call("GetCurrentProcessId", dll="kernel32") == os.getpid()
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.append(call("GetCurrentThreadId", dll="kernel32")))
    thread.start()
    thread.join(10)
    here = call("GetCurrentThreadId", dll="kernel32")
    assert here == call("GetCurrentThreadId", dll="kernel32")
    assert elsewhere != [here]
    assert 0 not in (here, *elsewhere)


def test_the_clock_counts_milliseconds() -> None:
    """Sleep(20) shows in both tick counts; they agree but for the width."""
    before, before64 = call("GetTickCount", dll="kernel32"), call("GetTickCount64", dll="kernel32")
    began = time.monotonic()

    call("Sleep", 20, dll="kernel32")

    slept_ms = (time.monotonic() - began) * 1000
    after, after64 = call("GetTickCount", dll="kernel32"), call("GetTickCount64", dll="kernel32")
    assert slept_ms >= 19
    assert 18 <= after64 - before64 <= slept_ms + 5000
    assert (after - before) % (1 << 32) >= 18
    assert (after64 - after) % (1 << 32) < 1000
