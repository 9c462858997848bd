"""Run one module of CPython's own test suite as on Windows, in this interpreter.

    python -m tests.cpython.suite test.test_asyncio.test_events [--only PATTERN] [--verbose]

What the test module imports is what it would find on Windows: ``sys.platform`` is "win32" for it and for nobody else,
asyncio has its Windows names, and the default loop is the proactor's. Prints one line of JSON: the name of each test
with its outcome.
"""

from __future__ import annotations

import argparse
import asyncio
import builtins
import fnmatch
import json
import signal
import sys
import unittest
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from test.support import socket_helper  # type: ignore[import-not-found]  # typeshed leaves it out

from winsock2emu import aio
from winsock2emu.aio._loading import windows_modules
from winsock2emu.compat import msvcrt, overlapped, select, selectors, socket, winapi
from winsock2emu.compat._stdlib import ERRNO, SYS
from winsock2emu.compat._subprocess import CTRL_BREAK_EVENT, CTRL_C_EVENT, SUBPROCESS


def as_on_windows() -> dict[str, ModuleType]:
    """Give asyncio its Windows names; the modules that a test imports by other names."""
    package: Any = asyncio
    for name in aio.__all__:
        setattr(package, name, getattr(aio, name))
    package.EventLoop = aio.ProactorEventLoop
    package.BaseEventLoop = windows_modules()["base_events"].BaseEventLoop
    package.Server = windows_modules()["base_events"].Server
    for module in windows_modules().values():
        sys.modules[module.__name__] = module
        setattr(package, module.__name__.rpartition(".")[2], module)
    socket_helper._bind_nix_socket_error = "CPython has no AF_UNIX on Windows"
    return {
        "_overlapped": import_module(overlapped.__name__),
        "_winapi": import_module(winapi.__name__),
        "errno": ERRNO,
        "msvcrt": import_module(msvcrt.__name__),
        "select": import_module(select.__name__),
        "selectors": import_module(selectors.__name__),
        "signal": signals_of_windows(),
        "socket": import_module(socket.__name__),
        "subprocess": SUBPROCESS,
        "sys": SYS,
    }


def signals_of_windows() -> ModuleType:
    """The signal module without the signals that Windows does not have."""
    there = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN"}
    view = ModuleType("signal")
    for name, value in vars(signal).items():
        if not name.startswith(("SIG", "ITIMER")) or name in there:
            setattr(view, name, value)
    vars(view).update(CTRL_C_EVENT=CTRL_C_EVENT, CTRL_BREAK_EVENT=CTRL_BREAK_EVENT)
    return view


def load(name: str, others: Mapping[str, ModuleType]) -> ModuleType:
    """Import a module of tests with an import of its own."""

    def find(wanted: str, *rest: Any) -> Any:
        level = rest[3] if len(rest) > 3 else 0
        if not level and wanted in others:
            return others[wanted]
        return builtins.__import__(wanted, *rest)

    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = spec.origin
    module.__package__ = name.rpartition(".")[0]
    module.__spec__ = spec
    names = vars(module)
    names["__builtins__"] = {**vars(builtins), "__import__": find}
    with open(spec.origin, "rb") as source:
        exec(compile(source.read(), spec.origin, "exec"), names)
    return module


class Outcomes(unittest.TextTestResult):
    """Notes the outcome of each test by its name."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.outcomes: dict[str, str] = {}

    def _note(self, test: unittest.TestCase, outcome: str) -> None:
        self.outcomes[test.id()] = outcome

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.outcomes.setdefault(test.id(), "pass")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._note(test, f"fail: {err[1]}")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._note(test, f"error: {err[0].__name__}: {err[1]}")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, f"skip: {reason}")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._note(test, "pass")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, f"fail: {err[1]}")


def each(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """The tests of a suite."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def main() -> None:
    """Run the module that is named."""
    parser = argparse.ArgumentParser(description="Run a module of CPython's test suite on the emulator.")
    parser.add_argument("module")
    parser.add_argument("--only", help="a pattern for the names of tests, such as '*ProactorEventLoopTests.*'")
    parser.add_argument("--skip", action="append", default=[], help="a pattern for the names of tests not to run")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background does not have
    others = as_on_windows()
    try:
        module = load(options.module, others)
    except unittest.SkipTest as reason:
        print(json.dumps({options.module: f"skip: {reason}"}))
        return
    tests = each(unittest.defaultTestLoader.loadTestsFromModule(module))
    chosen = unittest.TestSuite(
        test
        for test in tests
        if fnmatch.fnmatch(test.id(), options.only or "*")
        and not any(fnmatch.fnmatch(test.id(), pattern) for pattern in options.skip)
    )
    runner = unittest.TextTestRunner(
        stream=sys.stderr, resultclass=Outcomes, verbosity=2 if options.verbose else 1, buffer=not options.verbose
    )
    result = runner.run(chosen)
    assert isinstance(result, Outcomes)
    print(json.dumps(result.outcomes))


if __name__ == "__main__":
    main()
