"""Run Twisted's own tests of its reactors and of what is built on them on the emulator.

    python -m tests.twisted.run [--python PATH]... [--reactor NAME]... [MODULE]...

Each module runs in an interpreter of its own (`suite`), which needs Twisted; without `--reactor` on the reactor for
completion ports, and what is about reactors itself also on the other two that Windows has. A test that does not pass
has to stand in `exceptions` with its reason, and one that stands there has to fail: otherwise the run fails. So does a
run in which nothing ran.
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
from .suite import LIMIT_S, REACTORS

CHECKOUT: Final = Path(__file__).resolve().parents[2]

QUICK: Final = (
    "twisted.internet.test.test_iocp",
    "twisted.internet.test.test_core",
    "twisted.internet.test.test_fdset",
    "twisted.internet.test.test_socket",
    "twisted.internet.test.test_tcp",
    "twisted.internet.test.test_threads",
    "twisted.internet.test.test_time",
    "twisted.internet.test.test_udp",
    "twisted.internet.test.test_win32events",
    "twisted.test.test_loopback",
    "twisted.test.test_tcp",
    "twisted.test.test_udp",
)
"""Those that the test suite runs as well."""

ABOUT_REACTORS: Final = (
    *QUICK,
    "twisted.internet.test.test_abstract",
    "twisted.internet.test.test_address",
    "twisted.internet.test.test_base",
    "twisted.internet.test.test_default",
    "twisted.internet.test.test_endpoints",
    "twisted.internet.test.test_filedescriptor",
    "twisted.internet.test.test_newtls",
    "twisted.internet.test.test_posixbase",
    "twisted.internet.test.test_resolver",
    "twisted.internet.test.test_stdio",
    "twisted.internet.test.test_tls",
    "twisted.internet.test.test_udp_internals",
    "twisted.internet.test.test_unix",
    "twisted.protocols.test.test_tls",
    "twisted.test.test_internet",
    "twisted.test.test_ssl",
    "twisted.test.test_sslverify",
    "twisted.test.test_tcp_internals",
    "twisted.test.test_threads",
    "twisted.test.test_unix",
)

ON_TOP: Final = (
    "twisted.application.test.test_internet",
    "twisted.mail.test.test_imap",
    "twisted.mail.test.test_pop3",
    "twisted.mail.test.test_smtp",
    "twisted.names.test.test_client",
    "twisted.names.test.test_names",
    "twisted.names.test.test_server",
    "twisted.spread.test.test_pb",
    "twisted.test.test_adbapi",
    "twisted.test.test_amp",
    "twisted.test.test_application",
    "twisted.test.test_factories",
    "twisted.test.test_finger",
    "twisted.test.test_ftp",
    "twisted.test.test_ident",
    "twisted.test.test_memcache",
    "twisted.test.test_policies",
    "twisted.test.test_protocols",
    "twisted.test.test_sni",
    "twisted.test.test_socks",
    "twisted.test.test_strports",
    "twisted.test.test_task",
    "twisted.test.test_threadpool",
    "twisted.web.test.test_agent",
    "twisted.web.test.test_http",
    "twisted.web.test.test_newclient",
    "twisted.web.test.test_proxy",
    "twisted.web.test.test_static",
    "twisted.web.test.test_web",
    "twisted.web.test.test_webclient",
    "twisted.web.test.test_wsgi",
    "twisted.web.test.test_xmlrpc",
)


def outcomes(python: str, reactor: str, *modules: str) -> dict[str, str]:
    """The outcome of each test of some modules in an interpreter."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    command = [python, "-m", "tests.twisted.suite", "--reactor", reactor, *modules]
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
    parser = argparse.ArgumentParser(description="Run Twisted's tests on the emulator.")
    parser.add_argument("--python", action="append", help="an interpreter; this one by default")
    parser.add_argument("--reactor", action="append", choices=REACTORS)
    parser.add_argument("modules", metavar="MODULE", nargs="*")
    options = parser.parse_args()
    unexplained = passed_of_all = failed_of_all = skipped_of_all = 0
    for python in options.python or [sys.executable]:
        for reactor in options.reactor or REACTORS:
            everything = ABOUT_REACTORS + ON_TOP if reactor == "iocp" else ABOUT_REACTORS
            for module in options.modules or everything:
                results = outcomes(python, reactor, module)
                passed = sum(outcome == "pass" for outcome in results.values())
                skipped = sum(outcome.startswith("skip") for outcome in results.values())
                failed = len(results) - passed - skipped
                wrong = surprises(results, EXCEPTIONS)
                unexplained += len(wrong)
                passed_of_all += passed
                failed_of_all += failed
                skipped_of_all += skipped
                print(f"{python} {reactor} {module}: {passed} passed, {failed} failed, {skipped} skipped")
                for line in wrong:
                    print(f"  {line}")
                sys.stdout.flush()
    print(f"{passed_of_all} passed, {failed_of_all} failed, {skipped_of_all} skipped; {unexplained} not as expected")
    return 1 if unexplained or not passed_of_all else 0


if __name__ == "__main__":
    sys.exit(main())
