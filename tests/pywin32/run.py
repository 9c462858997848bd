"""Run pywin32's own tests on the emulator's faces of its modules.

    python -m tests.pywin32.run [MODULE]...

The tests come out of pywin32's wheel for Windows, which pip downloads (`wheel`). Each module runs in an interpreter of
its own (`suite`). A test that does not pass has to stand in `exceptions` with its reason, and one that stands there has
to fail: otherwise the run fails. So does a run in which nothing ran.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
from typing import Final

from .exceptions import EXCEPTIONS
from .wheel import CHECKOUT, download

LIMIT_S: Final = 180

MODULES: Final = (
    "handles",
    "test_exceptions",
    "test_pywintypes",
    "test_win32event",
    "test_win32file",
    "test_win32pipe",
)


def outcomes(module: str) -> dict[str, str]:
    """The outcome of each test of a module."""
    command = [sys.executable, "-m", "tests.pywin32.suite", module]
    try:
        ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return {module: f"error: not over after {LIMIT_S} s"}
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        return {module: f"error: exit status {ended.returncode}: {ended.stderr.strip()[-2000:]}"}
    found: dict[str, str] = json.loads(lines[-1])
    return found


def excepted(name: str) -> bool:
    """Whether a test stands in the exceptions."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in EXCEPTIONS)


def unexplained(found: dict[str, str]) -> list[str]:
    """What is not as the exceptions say, a line each."""
    return [
        *(f"FAILED {name}: {told}" for name, told in found.items() if told != "pass" and not excepted(name)),
        *(f"PASSES although excepted: {name}" for name, told in found.items() if told == "pass" and excepted(name)),
    ]


def main() -> int:
    """Run the modules that are named, or all."""
    parser = argparse.ArgumentParser(description="Run pywin32's tests on the emulator's faces.")
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    options = parser.parse_args()
    download()
    wrong = ran = 0
    for module in options.modules:
        found = outcomes(module)
        passed = sum(told == "pass" for told in found.values())
        ran += passed
        lines = unexplained(found)
        wrong += len(lines)
        print(f"{module}: {passed} passed, {sum(excepted(name) for name in found)} excepted")
        for line in lines:
            print(f"  {line}")
        sys.stdout.flush()
    return 1 if wrong or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
