"""``python -m conformance.hunting``: the hunt without the package's command."""

from __future__ import annotations

import sys

from .hunter import main

if __name__ == "__main__":
    sys.exit(main())
