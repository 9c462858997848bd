"""The tests of CPython's suite that do not pass on the emulator, each with its reason."""

from __future__ import annotations

from typing import Final

_CORRUPTED: Final = (
    "the transport asks for more before it hands on what it has, and meets the end of the stream ahead of the error in "
    "the data; a matter of timing that Windows knows as well"
)

EXCEPTIONS: Final[dict[str, str]] = {
    "*.ProactorTests.test_client_pipe_stat": (
        "expects a pipe to be gone as soon as its clients are, when the server's ends are still open; no page says so"
    ),
    "*.ProactorEventLoopTests.test_subprocess_close_client_stream": (
        "asks for the name of the exception in the child, which is a process of the host and gets the host's"
    ),
    "*.test_sendfile.SelectEventLoopTests.test_sendfile_prevents_bare_write": (
        "the host's loopback takes more at once than the test expects to block on"
    ),
}
"""Pattern of test names to the reason; each of them is run, and has to fail wherever it is there."""

TIMING: Final[dict[str, str]] = {
    "*.TestSSL.test_start_tls_client_corrupted_ssl": _CORRUPTED,
    "*.ProactorStartTLSTests.test_start_tls_client_corrupted_ssl": _CORRUPTED,
}
"""The same for tests that pass or fail as threads happen to run."""

SKIPPED: Final[dict[str, str]] = {
    "*.test_remote_shutdown_receives_trailing_data": (
        "relies on a send of 4 MB completing at once, as on Windows, where the system takes a whole send while its "
        "buffer is not full; ours pends, and the test's server then never ends"
    ),
}
"""Pattern of test names to the reason why they are not even run."""
