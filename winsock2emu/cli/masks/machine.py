"""The Windows version that a program sees, and the module ``platform``.

Part played:     the machine: 64-bit Windows 10, version 22H2.
Lives here:      the version numbers, and ``platform`` for a program.
Lives elsewhere: the same numbers as ``sys.getwindowsversion()`` shows them (masks.interpreter).
Sources:         Windows 10 release information on Microsoft Learn; CPython's platform module for the forms.
"""

from __future__ import annotations

import platform
from typing import Any, Final

from .mask import Mask

MAJOR: Final = 10
MINOR: Final = 0
BUILD: Final = 19045
VERSION: Final = f"{MAJOR}.{MINOR}.{BUILD}"
RELEASE: Final = "10"
MACHINE: Final = "AMD64"
PROCESSOR: Final = "Intel64 Family 6 Model 158 Stepping 10, GenuineIntel"
COMPILER: Final = "MSC v.1937 64 bit (AMD64)"  # Visual Studio 2022, which builds the interpreters since 3.11


class uname_result(platform.uname_result):
    """What ``platform.uname()`` returns; the processor's text is Windows' too."""

    @property
    def processor(self) -> str:
        """As in the environment variable PROCESSOR_IDENTIFIER of a Windows system."""
        return PROCESSOR


def _uname() -> uname_result:
    return uname_result("Windows", platform.node(), RELEASE, VERSION, MACHINE)


def _platform(aliased: bool = False, terse: bool = False) -> str:
    return f"Windows-{RELEASE}" if terse else f"Windows-{RELEASE}-{VERSION}-SP0"


def _architecture(executable: str = "", bits: str = "", linkage: str = "") -> tuple[str, str]:
    return bits or "64bit", linkage or "WindowsPE"


def _win32_ver(release: str = "", version: str = "", csd: str = "", ptype: str = "") -> tuple[str, str, str, str]:
    return RELEASE, VERSION, "SP0", "Multiprocessor Free"


def _libc_ver(*_args: Any, **_kwargs: Any) -> tuple[str, str]:
    return "", ""


def platform_module() -> Mask:
    """``platform`` for a program."""
    return Mask(
        platform,
        {
            "architecture": _architecture,
            "libc_ver": _libc_ver,
            "machine": lambda: MACHINE,
            "platform": _platform,
            "processor": lambda: PROCESSOR,
            "python_compiler": lambda: COMPILER,
            "release": lambda: RELEASE,
            "system": lambda: "Windows",
            "uname": _uname,
            "uname_result": uname_result,
            "version": lambda: VERSION,
            "win32_edition": lambda: "Professional",
            "win32_is_iot": lambda: False,
            "win32_ver": _win32_ver,
        },
    )
