"""Packages that are loaded as on Windows, in interpreters of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec

import pytest

Prints = Callable[[str], list[str]]

pytestmark = [
    pytest.mark.skipif(not find_spec("trio"), reason="needs trio"),
    pytest.mark.skipif(not find_spec("cffi"), reason="trio needs cffi on Windows"),
    pytest.mark.skipif(os.name != "posix", reason="Windows has the original"),
]

BACKEND = """\
import sys, winsock2emu

def backend():
    import trio

    async def main():
        return trio.lowlevel.current_statistics().io_statistics.backend

    return trio.run(main)

"""


def test_trio_is_windows_meanwhile_and_the_hosts_afterwards(prints: Prints) -> None:
    told = prints(
        BACKEND
        + """
finders = list(sys.meta_path)
winsock2emu.install()
print("trio" in sys.modules, backend())
winsock2emu.uninstall()
print("trio" in sys.modules, sys.meta_path == finders, backend() != "windows")
"""
    )
    assert told == ["False windows", "False True True"]


def test_a_trio_that_is_there_already_stays_the_hosts(prints: Prints) -> None:
    told = prints(
        BACKEND
        + """
import trio as before
with winsock2emu.install():
    import trio
    print(trio is before, backend() != "windows")
print(sys.modules["trio"] is before)
"""
    )
    assert told == ["True True", "True"]


def test_a_trio_that_is_wanted_by_its_own_name_stays_windows(prints: Prints) -> None:
    told = prints(
        BACKEND
        + """
with winsock2emu.install():
    from winsock2emu.compat import trio
print(sys.modules["trio"] is trio, backend())
"""
    )
    assert told == ["True windows"]


def test_it_is_taken_back_although_the_finders_are_others_by_then(prints: Prints) -> None:
    told = prints(
        BACKEND
        + """
finders = list(sys.meta_path)
winsock2emu.install()
sys.meta_path[:] = finders
winsock2emu.uninstall()
print(sys.meta_path == finders, backend() != "windows")
"""
    )
    assert told == ["True True"]


def test_without_cffi_the_error_says_what_is_missing(prints: Prints) -> None:
    told = prints(
        BACKEND
        + """
sys.modules["_cffi_backend"] = None
with winsock2emu.install():
    try:
        import trio
    except ModuleNotFoundError as failure:
        print(failure.name, failure)
"""
    )
    assert told == ["cffi No module named 'cffi', which trio needs on Windows"]
