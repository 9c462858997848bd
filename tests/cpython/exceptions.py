"""The tests of CPython's suite that do not pass on the emulator, each with its reason."""

from __future__ import annotations

from typing import Final

_PIPES: Final = "named pipes are not written yet"
_PROCESSES: Final = "subprocesses on the loop need named pipes and waits for processes, which are not written yet"
_HOST_HAS_UNIX: Final = "runs only because the host's socket module has AF_UNIX; Windows' does not, and no loop there"

EXCEPTIONS: Final[dict[str, str]] = {
    "*.ProactorTests.test_client_pipe_stat": _PIPES,
    "*.ProactorTests.test_double_bind": _PIPES,
    "*.ProactorTests.test_pipe": _PIPES,
    "*.PipeTests.*": _PIPES,
    "*.PopenTests.*": _PROCESSES,
    "*.ProactorEventLoopTests.test_subprocess_*": _PROCESSES,
    "*.SubprocessProactorTests.test_[!cp]*": _PROCESSES,
    "*.SubprocessProactorTests.test_c[!r]*": _PROCESSES,
    "*.SubprocessProactorTests.test_cre*[!s]": _PROCESSES,
    "*.SubprocessProactorTests.test_p[!o]*": _PROCESSES,
    "*.test_create_unix_server_path_socket_error": _HOST_HAS_UNIX,
    "*.test_start_tls_client_corrupted_ssl": (
        "the transport asks for more before it hands on what it has, and meets the end of the stream ahead of the "
        "error in the data; a matter of timing that Windows knows as well"
    ),
    "*.test_sendfile.SelectEventLoopTests.test_sendfile_prevents_bare_write": (
        "the host's loopback takes more at once than the test expects to block on; the loop watches host sockets"
    ),
}
"""Pattern of test names to the reason; each of them is run, and has to fail."""

SKIPPED: Final[dict[str, str]] = {
    "*.test_remote_shutdown_receives_trailing_data": (
        "relies on a send of 4 MB completing at once, as on Windows, where the system takes a whole send while its "
        "buffer is not full; ours pends, and the test's server then never ends"
    ),
}
"""Pattern of test names to the reason why they are not even run."""
