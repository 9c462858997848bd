"""Where the reference data lies that tests and generators compare with.

The package never reads it. It is looked for in the folder that the environment variable
WINSOCK2EMU_REFERENCE names, otherwise in ../shared/reference beside the checkout; a test that needs it is
skipped where it is absent.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def reference_folder() -> Path:
    """The reference folder, whether it exists or not."""
    named = os.environ.get("WINSOCK2EMU_REFERENCE")
    return Path(named) if named else CHECKOUT.parent / "shared" / "reference"


def reference(name: str) -> Path:
    """The path of one reference file, such as ``structs.json``; skips the test, or module, that lacks it."""
    path = reference_folder() / name
    if not path.is_file():
        pytest.skip(
            f"reference file {path} is absent (set WINSOCK2EMU_REFERENCE to the folder that has {name})",
            allow_module_level=True,
        )
    return path
