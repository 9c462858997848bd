"""Run modules of trio's own test suite as on Windows, in this interpreter.

    python -m tests.trio.suite [--only EXPRESSION] MODULE...

Modules are named without ``trio.``: ``_core._tests.test_io``. trio and its tests are unmodified and see Windows. Prints
one line of JSON: the name of each test with its outcome.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import pytest

LIMIT_S: Final = 300


class Outcomes:
    """Notes the outcome of each test by its name."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what a phase of a test has come to."""
        name = "trio." + report.nodeid.replace(".py::", ".", 1).replace("/", ".").replace("::", ".")
        if report.failed:
            self.found[name] = f"{'fail' if report.when == 'call' else 'error'}: {report.longreprtext[-1500:]}"
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", "")
            self.found[name] = f"skip: {reason}"
        elif report.when == "call":
            self.found[name] = "pass"

    def pytest_collectreport(self, report: Any) -> None:
        """Note modules that cannot be imported, or do not want to be."""
        if report.failed:
            self.found[report.nodeid] = f"error: {report.longreprtext[-1500:]}"


def run_here(modules: list[str], only: str, folder: str) -> dict[str, str]:
    """The outcome of each test of some modules."""
    package = os.path.dirname(str(import_module("winsock2emu.compat.trio").__file__))
    files = [find_spec(f"trio.{module}") for module in modules]
    outcomes = Outcomes()
    options = [
        # Asserts are rewritten by a loader of pytest's own, which would show the host to the tests.
        "--assert=plain",
        *("-p", "no:cacheprovider", "-p", "trio._tests.pytest_plugin", "-k", only),
        *("--rootdir", package, "--basetemp", os.path.join(folder, "tmp"), "-c", os.devnull),
        *("--timeout", "60", "-q", "-W", "error"),
    ]
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main([*options, *(str(spec.origin) for spec in files if spec is not None)], plugins=[outcomes])
    return outcomes.found


def main() -> None:
    """Run the modules that are named."""
    parser = argparse.ArgumentParser(description="Run modules of trio's test suite on the emulator.")
    parser.add_argument("modules", metavar="MODULE", nargs="+")
    parser.add_argument("--only", default="", help="an expression for the names of tests, as for pytest's -k")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(LIMIT_S - 20)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_here(options.modules, options.only, folder)
    print(json.dumps(outcomes))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
