"""Run modules of Twisted's own test suite as on Windows, on one of its reactors, in this interpreter.

    python -m tests.twisted.suite [--reactor NAME] [--only PATTERN] MODULE...

Twisted is unmodified. It and its tests see Windows by the masks of ``winsock2emu run``, and find the emulator's modules
under Windows' names. Tests that are made for each reactor are run for this one; all others run on it, too. Prints one
line of JSON: the name of each test with its outcome.
"""

from __future__ import annotations

import argparse
import faulthandler
import fnmatch
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import PureWindowsPath
from typing import Any, Final

from winsock2emu.cli import masks

LIMIT_S: Final = 300

REACTORS: Final = {
    "iocp": ("twisted.internet.iocpreactor", "IOCPReactor"),
    "select": ("twisted.internet.selectreactor", "SelectReactor"),
    "win32": ("twisted.internet.win32eventreactor", "Win32Reactor"),
}
"""A short name to the module that installs the reactor, and the name of its class."""


def as_on_windows() -> None:
    """Put the masks on."""
    masks.install()
    if sys.version_info[:2] == (3, 12):
        # Twisted 26.10 imports it for versions "<= (3, 12)" only, and needs it on Windows up to the last 3.12.
        vars(import_module("twisted.python.filepath")).setdefault("PureWindowsPath", PureWindowsPath)


def install_reactor(name: str) -> None:
    """Make one of `REACTORS` the reactor of this interpreter."""
    import_module(REACTORS[name][0]).install()


def each(suite: Any) -> Iterator[Any]:
    """The tests of a suite of trial's."""
    for test in suite:
        if hasattr(test, "__iter__"):
            yield from each(test)
        else:
            yield test


def run_here(modules: list[str], reactor: str, only: str, folder: str) -> dict[str, str]:
    """The outcome of each test of some modules."""
    os.environ["CI"] = "true"  # as Twisted has its own runs on Windows: unclosed sockets of other tests do not count
    as_on_windows()
    install_reactor(reactor)

    reporter = import_module("twisted.trial.reporter")
    runner = import_module("twisted.trial.runner")
    builder = import_module("twisted.internet.test.reactormixins").ReactorBuilder
    outcomes: dict[str, str] = {}

    class Outcomes(reporter.VerboseTextReporter):  # type: ignore[misc, name-defined]
        """Notes the outcome of each test by its name."""

        def addSuccess(self, test: Any) -> None:
            super().addSuccess(test)
            outcomes.setdefault(test.id(), "pass")

        def addError(self, test: Any, error: Any) -> None:
            super().addError(test, error)
            outcomes[test.id()] = f"error: {self._text(error)}"

        def addFailure(self, test: Any, fail: Any) -> None:
            super().addFailure(test, fail)
            outcomes[test.id()] = f"fail: {self._text(fail)}"

        def addSkip(self, test: Any, reason: Any) -> None:
            super().addSkip(test, reason)
            outcomes[test.id()] = f"skip: {reason}"

        def addExpectedFailure(self, test: Any, error: Any, todo: Any = None) -> None:
            super().addExpectedFailure(test, error, todo)
            outcomes.setdefault(test.id(), "pass")

        def addUnexpectedSuccess(self, test: Any, todo: Any = None) -> None:
            super().addUnexpectedSuccess(test, todo)
            outcomes[test.id()] = "fail: passes although Twisted expects a failure"

        def _text(self, failure: Any) -> str:
            return str(failure.getTraceback() if hasattr(failure, "getTraceback") else failure)[-1500:]

    ours = f"{REACTORS[reactor][1]}Tests"
    loader = runner.TestLoader()
    chosen = [
        test
        for module in modules
        for test in each(loader.loadByName(module))
        if fnmatch.fnmatch(test.id(), only) and (not isinstance(test, builder) or type(test).__name__.endswith(ours))
    ]
    trial = runner.TrialRunner(Outcomes, stream=sys.stderr, workingDirectory=folder)
    trial.run(runner.TestSuite(chosen))
    return outcomes


def main() -> None:
    """Run the modules that are named."""
    parser = argparse.ArgumentParser(description="Run modules of Twisted's test suite on the emulator.")
    parser.add_argument("modules", metavar="MODULE", nargs="+")
    parser.add_argument("--reactor", choices=REACTORS, default="iocp")
    parser.add_argument("--only", default="*", help="a pattern for the names of tests, such as '*.TCP4*'")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(LIMIT_S - 20)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_here(options.modules, options.reactor, options.only, os.path.join(folder, "trial"))
    print(json.dumps(outcomes))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
