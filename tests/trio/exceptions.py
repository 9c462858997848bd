"""The tests of trio's suite that do not pass on the emulator, each with its reason."""

from __future__ import annotations

from typing import Final

EXCEPTIONS: Final[dict[str, str]] = {
    "trio._core._tests.test_windows.test_lsp_that_completely_hides_base_socket_gives_good_error": (
        "makes an OSError of its own, which has a winerror only where the interpreter is built for Windows"
    ),
    "trio._tests.test_path.test_instantiate_windows": "files and paths are the host's, and so is trio.Path",
    "trio._tests.test_repl.test_ki_in_repl": "starts a process in a group of its own and sends it CTRL_C_EVENT",
    "trio._tests.test_subprocess.test_interactive[[]*]": "expects a child's lines to end as on Windows",
}
"""Pattern of test names to the reason; each of them is run, and has to fail wherever it is there."""
