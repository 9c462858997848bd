"""Run CPython's own tests of its socket modules on the emulator's, under every interpreter that has them.

    python -m tests.cpython.faces [--python PATH]... [--one [--only PATTERN] [--verbose]] [MODULE]...

Each module runs in an interpreter of its own. What it imports is what it would find on Windows: socket, select,
selectors, errno, and the library modules that are built on them, with ``sys.platform`` "win32" and ``os.name`` "nt".
A test that does not pass has to stand in `faces_exceptions` with its reason, and one that stands there has to fail.
"""

from __future__ import annotations

import argparse
import faulthandler
import fnmatch
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Final

import attr

from winsock2emu.compat import _stdlib, select, selectors, socket, ssl

from .faces_exceptions import EXCEPTIONS, SKIPPED

CHECKOUT: Final = Path(__file__).resolve().parents[2]
LIMIT_S: Final = 600

MODULES: Final = (
    "test_select",
    "test_selectors",
    "test_socket",
    "test_socketserver",
    "test_ftplib",
    "test_httplib",
    "test_httpservers",
    "test_imaplib",
    "test_poplib",
    "test_smtplib",
    "test_ssl",
    "test_urllib2_localnet",
    "test_xmlrpc",
)

# What asks for "the network" and means the loopback.
LOCAL: Final = ("test.test_socketserver",)

_WINDOWS_SIGNALS: Final = ("SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN")
_POSIX_SIGNALS: Final = tuple(
    name
    for name in vars(signal)
    if name.startswith(("SIG", "ITIMER", "alarm", "pthread", "setitimer", "sig"))
    and name not in (*_WINDOWS_SIGNALS, "signal", "siginterrupt")
)

# Modules that are run anew on the faces, each after those that it imports.
REBUILT: Final = (
    "test.support.socket_helper",
    "socketserver",
    "asyncore",
    "asynchat",
    "smtpd",
    "test.support.asyncore",
    "test.support.asynchat",
    "test.support.smtpd",
    "http.client",
    "http.server",
    "urllib.request",
    "ftplib",
    "imaplib",
    "poplib",
    "smtplib",
    "xmlrpc.client",
    "xmlrpc.server",
)


def load(name: str, others: Mapping[str, ModuleType | None]) -> ModuleType:
    """Run a module anew, and have it in the place of the one that there was."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name)
    module = sys.modules[name] = module_from_spec(spec)
    _stdlib.run(name, vars(module), others)
    return module


def rebuild() -> dict[str, ModuleType | None]:
    """Put the faces in place in this interpreter; the modules that are found under other names than they have."""
    others: dict[str, ModuleType | None] = {
        "_socket": socket._socket_module,
        "errno": _stdlib.ERRNO,
        "fcntl": None,
        "os": _stdlib.View(
            os,
            without=("fork", "sendfile"),
            **{name: value for name, value in vars(_stdlib.OS).items() if name.startswith(("name", "get_", "set_"))},
        ),
        "signal": _stdlib.View(signal, without=_POSIX_SIGNALS),
        "sys": _stdlib.SYS,
    }
    for face in (socket, select, selectors, ssl):
        name = face.__name__.rpartition(".")[2]
        others[name] = sys.modules[name] = import_module(face.__name__)
    for name in REBUILT:
        if find_spec(name) is not None:
            module = load(name, others)
            package, _, last = name.rpartition(".")
            if package:
                setattr(import_module(package), last, module)
            else:
                others[name] = module
    return others


def start_guardian() -> None:
    """Have the emulator start its one thread now: tests that count threads would take it for a lost one of theirs."""
    one, other = socket.socketpair()
    with one, other:
        one.send(b"-")
        one.shutdown(socket.SHUT_RDWR)
        other.recv(1)


def run_here(module_name: str, only: str | None, verbose: bool) -> dict[str, str]:
    """The outcome of each test of a module."""
    from test import support  # type: ignore[import-not-found]  # CPython's own

    from .suite import Outcomes, each

    support.use_resources = ["walltime", *(["network"] if module_name in LOCAL else [])]
    support.has_fork_support = False
    others = rebuild()
    start_guardian()
    try:
        module = load(module_name, others)
    except unittest.SkipTest as reason:
        return {module_name: f"skip: {reason}"}
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromModule(module)
    chosen = unittest.TestSuite(
        test
        for test in each(suite)
        if fnmatch.fnmatch(test.id(), only or "*")
        and not any(fnmatch.fnmatch(test.id(), pattern) for pattern in SKIPPED)
    )
    runner = unittest.TextTestRunner(
        stream=sys.stderr, resultclass=Outcomes, verbosity=2 if verbose else 1, buffer=not verbose
    )
    result = runner.run(chosen)
    assert isinstance(result, Outcomes)
    return result.outcomes


def outcomes(python: str, module: str) -> dict[str, str]:
    """The outcome of each test of a module in an interpreter."""
    dependencies = str(Path(attr.__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(CHECKOUT), dependencies))}
    command = [python, "-m", "tests.cpython.faces", "--one", module]
    try:
        with tempfile.TemporaryDirectory() as scratch:  # the tests write files where they are
            ended = subprocess.run(
                command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
    except subprocess.TimeoutExpired as failure:
        said = failure.stderr or b""
        return {module: f"error: not over after {LIMIT_S} s: {said.decode(errors='replace')[-2000:]}"}
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        return {module: f"error: exit status {ended.returncode}: {ended.stderr.strip()[-2000:]}"}
    found: dict[str, str] = json.loads(lines[-1])
    return found


def reason_for(name: str) -> str | None:
    """Why a test is allowed to fail."""
    return next((reason for pattern, reason in EXCEPTIONS.items() if fnmatch.fnmatch(name, pattern)), None)


def compare(pythons: list[str], modules: list[str]) -> int:
    """Run modules under interpreters, and print what is not as expected: 0 when there is nothing."""
    unexplained = ran = 0
    for python in pythons:
        for module in modules:
            results = outcomes(python, f"test.{module}")
            passed = sum(outcome == "pass" for outcome in results.values())
            skipped = sum(outcome.startswith("skip") for outcome in results.values())
            failed = {name: outcome for name, outcome in results.items() if not outcome.startswith(("pass", "skip"))}
            expected = {name for name in failed if reason_for(name)}
            fixed = [name for name, outcome in results.items() if outcome == "pass" and reason_for(name)]
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


def main() -> int:
    """Run the modules that are named, or all."""
    parser = argparse.ArgumentParser(description="Run CPython's tests of its socket modules on the emulator's.")
    parser.add_argument("--python", action="append", help="an interpreter; this one by default")
    parser.add_argument("--one", action="store_true", help="run one module in this interpreter")
    parser.add_argument("--only", help="a pattern for the names of tests, with --one")
    parser.add_argument("--verbose", action="store_true", help="with --one")
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    options = parser.parse_args()
    if options.one:
        faulthandler.dump_traceback_later(LIMIT_S - 20)
        print(json.dumps(run_here(options.modules[0], options.only, options.verbose)))
        return 0
    return compare(options.python or [sys.executable], options.modules)


if __name__ == "__main__":
    sys.exit(main())
