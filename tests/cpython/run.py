"""Run CPython's own tests of asyncio on the emulator's loops, under every interpreter that has them.

    python -m tests.cpython.run [--python PATH]... [MODULE]...

Each module runs in an interpreter of its own (`suite`). A test that does not pass has to stand in `exceptions` with its
reason, and one that stands there has to fail: otherwise the run fails. So does a run in which nothing ran.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import attr

from .exceptions import EXCEPTIONS, SKIPPED, TIMING

CHECKOUT: Final = Path(__file__).resolve().parents[2]
LIMIT_S: Final = 600

MODULES: Final = (
    "test_buffered_proto",
    "test_events",
    "test_proactor_events",
    "test_sendfile",
    "test_server",
    "test_sock_lowlevel",
    "test_ssl",
    "test_sslproto",
    "test_streams",
    "test_subprocess",
    "test_windows_events",
    "test_windows_utils",
)


def outcomes(python: str, module: str) -> dict[str, str]:
    """The outcome of each test of a module in an interpreter."""
    dependencies = str(Path(attr.__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(CHECKOUT), dependencies))}
    command = [python, "-m", "tests.cpython.suite", f"test.test_asyncio.{module}"]
    for pattern in SKIPPED:
        command += ["--skip", pattern]
    try:
        with tempfile.TemporaryDirectory() as scratch:  # the tests write files where they are
            ended = subprocess.run(
                command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
    except subprocess.TimeoutExpired:
        return {module: f"error: not over after {LIMIT_S} s"}
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        return {module: f"error: exit status {ended.returncode}: {ended.stderr.strip()[-2000:]}"}
    found: dict[str, str] = json.loads(lines[-1])
    return found


def stands_in(reasons: dict[str, str], name: str) -> bool:
    """Whether a table of patterns has a test."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in reasons)


def surprises(results: dict[str, str], exceptions: dict[str, str]) -> list[str]:
    """What is not as expected, a line for each test."""
    failed = [
        f"FAILED {name}: {outcome}"
        for name, outcome in results.items()
        if not outcome.startswith(("pass", "skip")) and not stands_in(exceptions, name)
    ]
    fixed = [
        f"PASSES although excepted: {name}"
        for name, outcome in results.items()
        if outcome == "pass" and stands_in(exceptions, name)
    ]
    return failed + fixed


def main() -> int:
    """Run the modules that are named, or all."""
    parser = argparse.ArgumentParser(description="Run CPython's tests of asyncio on the emulator's loops.")
    parser.add_argument("--python", action="append", help="an interpreter; this one by default")
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    options = parser.parse_args()
    unexplained = ran = 0
    for python in options.python or [sys.executable]:
        for module in options.modules:
            results = outcomes(python, module)
            passed = sum(outcome == "pass" for outcome in results.values())
            skipped = sum(outcome.startswith("skip") for outcome in results.values())
            failed = {name: outcome for name, outcome in results.items() if not outcome.startswith(("pass", "skip"))}
            expected = {name for name in failed if stands_in(EXCEPTIONS | TIMING, name)}
            fixed = [name for name, outcome in results.items() if outcome == "pass" and stands_in(EXCEPTIONS, name)]
            ran += passed + len(failed)
            unexplained += len(failed) - len(expected) + len(fixed)
            print(f"{python} {module}: {passed} passed, {len(expected)} excepted, {skipped} skipped")
            for name, outcome in failed.items():
                if name not in expected:
                    print(f"  FAILED {name}: {outcome}")
            for name in fixed:
                print(f"  PASSES although excepted: {name}")
            sys.stdout.flush()
    return 1 if unexplained or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
