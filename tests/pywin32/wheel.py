"""Where pywin32's tests are: in its wheel for Windows, which is downloaded and never becomes part of this project.

``build/pywin32`` holds it; WINSOCK2EMU_PYWIN32 names another place.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
VERSION: Final = "312"
FOLDER: Final = Path(os.environ.get("WINSOCK2EMU_PYWIN32") or CHECKOUT / "build" / "pywin32")

_TARGET: Final = ("--platform", "win_amd64", "--python-version", "3.11", "--only-binary", ":all:", "--no-deps")
_TESTS: Final = "win32/test/"
_CONSTANTS: Final = "win32/lib/ntsecuritycon.py"


def at_hand() -> Path | None:
    """The wheel, if it is there."""
    return next(iter(sorted(FOLDER.glob(f"pywin32-{VERSION}-*win_amd64.whl"))), None)


def download() -> Path:
    """The wheel, which pip downloads if it is not there; CalledProcessError when it cannot."""
    if at_hand() is None:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(FOLDER), *_TARGET]
        subprocess.run([*command, f"pywin32=={VERSION}"], check=True)
    found = at_hand()
    if found is None:
        raise FileNotFoundError(f"no wheel of pywin32 {VERSION} for Windows in {FOLDER}")
    return found


def extract(wheel: Path, folder: Path) -> None:
    """Put the modules of tests into a folder."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name == _CONSTANTS or (name.startswith(_TESTS) and name.endswith(".py")):
                (folder / name.rpartition("/")[2]).write_bytes(archive.read(name))
