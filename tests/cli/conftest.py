"""Programs written to a folder and run, under the emulator or by the interpreter alone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60  # for one child process, on a busy machine


@attrs.frozen
class Outcome:
    """How a process ended."""

    status: int
    stdout: str
    stderr: str


Runner = Callable[..., Outcome]


def environment() -> dict[str, str]:
    """This checkout is importable in the child, whatever its folder; colours and options do not come along."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture
def python(tmp_path: Path) -> Runner:
    """Runs the interpreter with arguments, in the test's folder."""

    def run(*arguments: str, stdin: str = "") -> Outcome:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def emulated(python: Runner) -> Runner:
    """Runs ``winsock2emu run`` with arguments, in the test's folder."""

    def run(*arguments: str, stdin: str = "") -> Outcome:
        return python("-m", "winsock2emu", "run", *arguments, stdin=stdin)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a program to the test's folder."""

    def to_file(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    return to_file


@pytest.fixture
def prints(emulated: Runner, write: Callable[[str, str], Path]) -> Callable[[str], list[str]]:
    """Runs a program's source under the emulator; its output in lines. It has to end well and silently."""

    def run(source: str) -> list[str]:
        write("program.py", source)
        outcome = emulated("program.py")
        assert outcome.stderr == ""
        assert outcome.status == 0
        return outcome.stdout.splitlines()

    return run
