"""Processes that a program starts through multiprocessing.

Part played:     CreateProcess under ``multiprocessing``: a fresh interpreter that sees Windows like its parent.
Lives here:      "spawn" as the start method, and the command line of the child.
Lives elsewhere: running a program (cli.run).
Why no fork:     Windows has none, so a program may count on its absence; and a copy of a process in which the
                 emulator runs shares the original's poller and sockets.
Limits:          a child started with ``subprocess`` and ``sys.executable`` is an ordinary interpreter of the host.
                 To run it as a Windows program too: ``[sys.executable, "-m", "winsock2emu", "run", ...]``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import views

_host: dict[str, Any] = {}


def adjust_multiprocessing() -> None:
    """Make "spawn" the default, with children that run under the masks."""
    from multiprocessing import context, spawn

    if _host:
        return
    default: Any = context._default_context
    _host["method"] = default._default_context
    _host["command line"] = spawn.get_command_line
    default._default_context = default.get_context("spawn")
    spawn.get_command_line = _masked(spawn.get_command_line)


def restore_multiprocessing() -> None:
    """Undo `adjust_multiprocessing`."""
    from multiprocessing import context, spawn

    if _host:
        default: Any = context._default_context
        default._default_context = _host.pop("method")
        spawn.get_command_line = _host.pop("command line")


def _masked(get_command_line: Callable[..., list[str]]) -> Callable[..., list[str]]:
    where = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

    def get_masked_command_line(**kwargs: Any) -> list[str]:
        line = get_command_line(**kwargs)
        if "-c" not in line:
            return line  # a frozen program, which brings its own entry point
        at = line.index("-c")
        chosen = [f"--host-view={package}" for package in views.chosen()]
        inner = ["run", *chosen, *line[at:]]
        code = f"import sys; sys.path.append({where!r}); from winsock2emu.cli import main; sys.exit(main({inner!r}))"
        return [*line[:at], "-c", code, "--multiprocessing-fork"]

    return get_masked_command_line
