"""Waiting for processes of the host."""

from __future__ import annotations

import subprocess
import sys

from winsock2emu import kernel32
from winsock2emu.engine.children import ChildProcess
from winsock2emu.process import Process


def test_a_process_is_signalled_from_its_end_on() -> None:
    process = Process()
    with process.active():
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            handle = process.open_handle(ChildProcess(process.engine, child.pid))
            assert kernel32.WaitForSingleObject(handle, 0) == 258
            assert child.stdin is not None
            child.stdin.close()
            assert kernel32.WaitForSingleObject(handle, 10_000) == 0
            assert kernel32.WaitForSingleObject(handle, 0) == 0
        kernel32.CloseHandle(handle)
        assert not process.pends()
    process.engine.close()
