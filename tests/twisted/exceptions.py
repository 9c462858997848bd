"""The tests of Twisted's suite that do not pass on the emulator, each with its reason."""

from __future__ import annotations

from typing import Final

_PROCESS: Final = "starts a process, whose pipes Twisted has in the mode PIPE_NOWAIT; the emulator's have no such mode"

EXCEPTIONS: Final[dict[str, str]] = {
    "twisted.test.test_internet.ResolveTests.testChildResolve": _PROCESS,
    "twisted.test.test_threads.StartupBehaviorTests.testCallBeforeStartupUnexecuted": _PROCESS,
}
"""Pattern of test names to the reason; each of them is run, and has to fail wherever it is there."""
