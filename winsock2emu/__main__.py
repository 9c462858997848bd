"""``python -m winsock2emu``, the same as the command ``winsock2emu``."""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
