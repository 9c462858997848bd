"""The tests of CPython's socket modules that do not pass on the emulator, each with its reason."""

from __future__ import annotations

from typing import Final

EXCEPTIONS: Final[dict[str, str]] = {}
"""Pattern of test names to the reason; each of them is run, and has to fail."""

SKIPPED: Final[dict[str, str]] = {}
"""Pattern of test names to the reason why they are not even run."""
