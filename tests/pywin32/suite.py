"""Run one module of pywin32's tests on the emulator's faces, in this interpreter.

    python -m tests.pywin32.suite test_win32file [--only PATTERN] [--verbose]

What the module imports is what it would find on Windows: pywin32's modules, socket and errno. It runs in a folder of
its own, in which NUL is the null device. Prints one line of JSON: the name of each test with its outcome.
"""

from __future__ import annotations

import argparse
import faulthandler
import fnmatch
import json
import os
import sys
import tempfile
import unittest
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.cpython.suite import Outcomes, each
from winsock2emu.compat import (
    _stdlib,
    pywintypes,
    select,
    socket,
    win32api,
    win32con,
    win32event,
    win32file,
    win32pipe,
    winerror,
)

from .wheel import download, extract

FACES: Final = (
    pywintypes,
    select,
    socket,
    win32api,
    win32con,
    win32event,
    win32file,
    win32pipe,
    winerror,
)


def found_by_name() -> dict[str, ModuleType | None]:
    """What the tests find under the names of modules that only Windows has."""
    others: dict[str, ModuleType | None] = {"errno": _stdlib.ERRNO}
    for face in FACES:
        others[face.__name__.rpartition(".")[2]] = import_module(face.__name__)
    # There is no COM, nor are there Windows' time zones; the modules of tests import what they have of them.
    for name, contents in (
        ("pythoncom", {"com_error": pywintypes.com_error}),
        ("pywin32_testutil", {"testmain": unittest.main}),
        ("win32timezone", {}),
    ):
        others[name] = ModuleType(name)
        vars(others[name]).update(contents)
    return others


def main() -> None:
    """Run the module that is named."""
    parser = argparse.ArgumentParser(description="Run a module of pywin32's tests on the emulator.")
    parser.add_argument("module")
    parser.add_argument("--only", default="*", help="a pattern for the names of tests, such as '*TestOverlapped.*'")
    parser.add_argument("--skip", action="append", default=[], help="a pattern for the names of tests not to run")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    wheel = download()
    with tempfile.TemporaryDirectory() as folder:
        extract(wheel, Path(folder))
        os.chdir(folder)
        Path("NUL").symlink_to(os.devnull)
        sys.path.insert(0, folder)
        spec = find_spec(options.module)
        if spec is None:
            raise ModuleNotFoundError(options.module)
        module = sys.modules[options.module] = module_from_spec(spec)
        _stdlib.run(options.module, vars(module), found_by_name())
        chosen = unittest.TestSuite(
            test
            for test in each(unittest.defaultTestLoader.loadTestsFromModule(module))
            if fnmatch.fnmatch(test.id(), options.only)
            and not any(fnmatch.fnmatch(test.id(), pattern) for pattern in options.skip)
        )
        faulthandler.dump_traceback_later(120, exit=True)
        verbosity = 2 if options.verbose else 1
        runner = unittest.TextTestRunner(stream=sys.stderr, resultclass=Outcomes, verbosity=verbosity)
        result = runner.run(chosen)
        os.chdir("/")
    assert isinstance(result, Outcomes)
    print(json.dumps(result.outcomes))


if __name__ == "__main__":
    main()
