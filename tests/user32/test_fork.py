"""A fork of the host's process: the child has no windows, and a queue of its own."""

from __future__ import annotations

import os

import pytest

from winsock2emu import user32
from winsock2emu.defs.windows import HWND_MESSAGE, WM_USER

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the host has no fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def look(hwnd: int) -> int:
    """What the child finds, as an exit status."""
    if user32.IsWindow(hwnd) or user32.PeekMessage() is not None:
        return 1
    own = user32.CreateWindowEx(0, "Message", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None)
    user32.PostMessage(own, WM_USER + 1)
    return 0 if user32.GetMessage().message == WM_USER + 1 else 2


def test_a_child_starts_without_windows_and_messages() -> None:
    hwnd = user32.CreateWindowEx(0, "Message", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None)
    user32.PostMessage(hwnd, WM_USER)
    child = os.fork()
    if child == 0:
        status = 3
        try:
            status = look(hwnd)
        finally:
            os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert user32.GetMessage().message == WM_USER
    user32.DestroyWindow(hwnd)
