"""Child processes: whether one that is started now has a socket of ours, and programs of their own.

Part played:     another program that inherits handles; one that ends, with all that it has open.
Lives elsewhere: the calls of this process (target).
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
from typing import Final

#: What the child does with the handle in its argument; it prints SO_TYPE, or nothing when it has no such socket.
_ON_WINDOWS: Final = """
import ctypes, sys
ws2_32, room = ctypes.WinDLL("ws2_32"), ctypes.create_string_buffer(512)
ws2_32.WSAStartup(0x0202, room)
kind, size = ctypes.c_int(), ctypes.c_int(4)
s = ctypes.c_void_p(int(sys.argv[1]))
if ws2_32.getsockopt(s, 0xFFFF, 0x1008, ctypes.byref(kind), ctypes.byref(size)) == 0:
    print(kind.value)
"""
_ELSEWHERE: Final = """
import socket, sys
try:
    print(int(socket.socket(fileno=int(sys.argv[1])).type))
except OSError:
    pass
"""
_SECONDS: Final = 30


def socket_in_child(s: int) -> int | None:
    """Return SO_TYPE of the socket ``s`` as a child process sees it; None when it has none of that number."""
    platform: str = sys.platform  # a plain str: mypy would fold the comparison
    program = _ON_WINDOWS if platform == "win32" else _ELSEWHERE
    ended = subprocess.run(
        [sys.executable, "-c", program, str(s)],
        capture_output=True,
        check=True,
        close_fds=False,
        encoding="utf-8",
        timeout=_SECONDS,
    )
    return int(ended.stdout) if ended.stdout.strip() else None


def run_program(source: str, *arguments: str) -> None:
    """Run a program for Windows (ctypes and its DLLs) in a process of its own, until its end.

    Elsewhere than on Windows it is ``winsock2emu run`` that runs it.
    """
    platform: str = sys.platform
    run = [] if platform == "win32" else ["-m", "winsock2emu", "run"]
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "program.py")
        program.write_text(source, encoding="utf-8")
        subprocess.run(
            [sys.executable, *run, str(program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
