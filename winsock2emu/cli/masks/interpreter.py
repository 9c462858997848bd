"""The modules ``sys`` and ``os`` for a program.

Part played:     what a program asks first to learn where it runs.
Lives here:      the names they have on Windows only, in other values, or not at all.
Lives elsewhere: everything else about them: the host's modules, which a mask passes on (masks.mask).
Choices:         ``os.name`` is "nt" while paths stay the host's: a program that joins and opens paths through
                 ``os.path`` or ``pathlib`` works, one that cuts them at backslashes would not on the host's files.
Sources:         the os and sys references of the Python documentation, "Availability".
"""

from __future__ import annotations

import ntpath
import os
import posix
import re
import sys
from functools import cache
from types import ModuleType
from typing import Final

from .machine import BUILD, COMPILER, MAJOR, MINOR
from .mask import Mask

_VER_PLATFORM_WIN32_NT: Final = 2
_VER_NT_WORKSTATION: Final = 1


class WindowsVersion(tuple[int, int, int, int, str]):
    """What ``sys.getwindowsversion()`` returns: five items, and more as attributes only."""

    __slots__ = ()

    major = property(lambda self: self[0], doc="10 for Windows 10 and 11")
    minor = property(lambda self: self[1])
    build = property(lambda self: self[2])
    platform = property(lambda self: self[3], doc="2, VER_PLATFORM_WIN32_NT")
    service_pack = property(lambda self: self[4])
    service_pack_major = property(lambda self: 0)
    service_pack_minor = property(lambda self: 0)
    suite_mask = property(lambda self: 256, doc="VER_SUITE_SINGLEUSERTS")
    product_type = property(lambda self: _VER_NT_WORKSTATION)
    platform_version = property(lambda self: (MAJOR, MINOR, BUILD))

    def __repr__(self) -> str:
        names = ("major", "minor", "build", "platform", "service_pack")
        return f"sys.getwindowsversion({', '.join(f'{name}={item!r}' for name, item in zip(names, self, strict=True))})"


def _getwindowsversion() -> WindowsVersion:
    return WindowsVersion((MAJOR, MINOR, BUILD, _VER_PLATFORM_WIN32_NT, ""))


def sys_module() -> Mask:
    """``sys`` for a program."""
    major, minor = sys.version_info[:2]
    return Mask(
        sys,
        {
            "getwindowsversion": _getwindowsversion,
            "platform": "win32",
            "version": re.sub(r"\[.*\]", f"[{COMPILER}]", sys.version, flags=re.DOTALL),
            "winver": f"{major}.{minor}",
        },
        {"abiflags", "getdlopenflags", "setdlopenflags"},
    )


# What the module that implements ``os`` has on Windows as well; its other names are POSIX's.
_ON_WINDOWS: Final = """
    DirEntry EX_OK F_OK O_APPEND O_CREAT O_EXCL O_RDONLY O_RDWR O_TRUNC O_WRONLY R_OK TMP_MAX W_OK X_OK
    abort access chdir chmod close closerange cpu_count device_encoding dup dup2 environ error execv execve
    fspath fstat fsync ftruncate get_inheritable get_terminal_size getcwd getcwdb getlogin getpid getppid isatty
    kill link listdir lseek lstat mkdir open pipe putenv read readlink remove rename replace rmdir scandir
    set_inheritable stat stat_result statvfs_result strerror symlink system terminal_size times times_result
    truncate umask uname_result unlink unsetenv urandom utime waitpid waitstatus_to_exitcode write
"""
_SINCE: Final = {(3, 12): {"get_blocking", "set_blocking"}, (3, 13): {"fchmod", "lchmod"}}
_POSIX_ONLY: Final = frozenset(("environb", "fwalk", "getenvb", "spawnlp", "spawnlpe", "spawnvp", "spawnvpe"))


def _hidden() -> frozenset[str]:
    there = set(_ON_WINDOWS.split())
    there.update(*(names for since, names in _SINCE.items() if sys.version_info >= since))
    return _POSIX_ONLY | {name for name in dir(posix) if not name.startswith("_") and name not in there}


@cache
def path_module() -> ModuleType:
    """``os.path`` for a program: POSIX paths, and the functions that only Windows' module has."""
    only_there = ("isreserved",)  # new in Python 3.13
    return Mask(os.path, {name: getattr(ntpath, name) for name in only_there if hasattr(ntpath, name)})


def _get_handle_inheritable(handle: int, /) -> bool:
    """Whether a handle goes to child processes."""
    from ...compat import _stdlib

    inheritable: bool = _stdlib.OS.get_handle_inheritable(handle)
    return inheritable


def _set_handle_inheritable(handle: int, inheritable: bool, /) -> None:
    from ...compat import _stdlib

    _stdlib.OS.set_handle_inheritable(handle, inheritable)


def os_module() -> Mask:
    """``os`` for a program."""
    return Mask(
        os,
        {
            "name": "nt",
            "path": path_module(),
            "supports_bytes_environ": False,
            "get_handle_inheritable": _get_handle_inheritable,
            "set_handle_inheritable": _set_handle_inheritable,
            # Files have one mode here, and descriptors are not inherited anyway: nothing is left for them to ask.
            "O_BINARY": 0,
            "O_NOINHERIT": 0,
        },
        _hidden(),
    )
