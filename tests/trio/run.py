"""Run trio's own tests on the emulator.

    python -m tests.trio.run [--python PATH]... [MODULE]...

Each module runs in an interpreter of its own (`suite`), which needs trio, cffi, pytest, trustme and pyOpenSSL. A test
that does not pass has to stand in `exceptions` with its reason, and one that stands there has to fail: otherwise the
run fails. So does a run in which nothing ran.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.cpython.run import surprises

from .exceptions import EXCEPTIONS
from .suite import LIMIT_S

CHECKOUT: Final = Path(__file__).resolve().parents[2]

QUICK: Final = (
    "_core._tests.test_io",
    "_core._tests.test_ki",
    "_core._tests.test_windows",
    "_tests.test_highlevel_open_tcp_listeners",
    "_tests.test_highlevel_open_tcp_stream",
    "_tests.test_highlevel_serve_listeners",
    "_tests.test_highlevel_socket",
    "_tests.test_signals",
    "_tests.test_socket",
    "_tests.test_threads",
    "_tests.test_wait_for_object",
    "_tests.test_windows_pipes",
)
"""Those that the test suite runs as well."""

ALL: Final = (
    *QUICK,
    "_core._tests.test_asyncgen",
    "_core._tests.test_cancelled",
    "_core._tests.test_exceptiongroup_gc",
    "_core._tests.test_guest_mode",
    "_core._tests.test_instrumentation",
    "_core._tests.test_local",
    "_core._tests.test_mock_clock",
    "_core._tests.test_parking_lot",
    "_core._tests.test_run",
    "_core._tests.test_thread_cache",
    "_core._tests.test_unbounded_queue",
    "_tests.test_abc",
    "_tests.test_channel",
    "_tests.test_contextvars",
    "_tests.test_deprecate",
    "_tests.test_fakenet",
    "_tests.test_file_io",
    "_tests.test_highlevel_generic",
    "_tests.test_highlevel_open_unix_stream",
    "_tests.test_path",
    "_tests.test_repl",
    "_tests.test_scheduler_determinism",
    "_tests.test_subprocess",
    "_tests.test_sync",
    "_tests.test_testing",
    "_tests.test_timeouts",
    "_tests.test_tracing",
    "_tests.test_trio",
    "_tests.test_unix_pipes",
    "_tests.test_util",
)
"""Modules of trio's tests, without ``trio.``."""

WITH_TLS: Final = ("_tests.test_dtls", "_tests.test_highlevel_ssl_helpers", "_tests.test_ssl")
"""Those that need trustme and pyOpenSSL."""


def outcomes(python: str, *modules: str) -> dict[str, str]:
    """The outcome of each test of some modules in an interpreter."""
    command = [python, "-m", "tests.trio.suite", *modules]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    try:
        ended = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as failure:
        said = failure.stderr or b""
        return {modules[0]: f"error: not over after {LIMIT_S} s: {said.decode(errors='replace')[-2000:]}"}
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        return {modules[0]: f"error: exit status {ended.returncode}: {ended.stderr.strip()[-2000:]}"}
    found: dict[str, str] = json.loads(lines[-1])
    return found


def main() -> int:
    """Run the modules that are named, or all."""
    parser = argparse.ArgumentParser(description="Run trio's tests on the emulator.")
    parser.add_argument("--python", action="append", help="an interpreter; this one by default")
    parser.add_argument("modules", metavar="MODULE", nargs="*")
    options = parser.parse_args()
    unexplained = passed_of_all = failed_of_all = skipped_of_all = 0
    for python in options.python or [sys.executable]:
        for module in options.modules or ALL + WITH_TLS:
            results = outcomes(python, module)
            passed = sum(outcome == "pass" for outcome in results.values())
            skipped = sum(outcome.startswith("skip") for outcome in results.values())
            failed = len(results) - passed - skipped
            wrong = surprises(results, EXCEPTIONS)
            unexplained += len(wrong)
            passed_of_all += passed
            failed_of_all += failed
            skipped_of_all += skipped
            print(f"{python} {module}: {passed} passed, {failed} failed, {skipped} skipped")
            for line in wrong:
                print(f"  {line}")
            sys.stdout.flush()
    print(f"{passed_of_all} passed, {failed_of_all} failed, {skipped_of_all} skipped; {unexplained} not as expected")
    return 1 if unexplained or not passed_of_all else 0


if __name__ == "__main__":
    sys.exit(main())
