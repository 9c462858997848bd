"""The tests of CPython's socket modules that do not pass on the emulator, each with its reason."""

from __future__ import annotations

from typing import Final

EXCEPTIONS: Final[dict[str, str]] = {
    "*.GeneralModuleTests.testRefCountGetNameInfo": "the traceback of a function in Python keeps its arguments alive",
    "*.GeneralModuleTests.test_socket_type": "_socket.socket is a class in Python, and those are not immutable",
    "test.test_ssl.*.test_enum_c*": "there is no certificate store of Windows",
    "test.test_ssl.*.test_load_default_certs_env_windows": "there is no certificate store of Windows",
}
"""Pattern of test names to the reason; each of them is run, and has to fail."""

SKIPPED: Final[dict[str, str]] = {
    "*.TestSocketSharing.testShare": "sockets are not shared between processes yet, and its child would wait for ever",
}
"""Pattern of test names to the reason why they are not even run."""
