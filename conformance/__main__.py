"""The suite without the package it was written for: ``python -m conformance --target windows`` in a checkout.

Part played:     what somebody with a Windows machine runs. It needs Python and attrs.
Lives elsewhere: everything (runner).
"""

from __future__ import annotations

import importlib.util
import sys


def main() -> int:
    """Run the command; say what to install where it cannot run."""
    if importlib.util.find_spec("attrs") is None:
        print(f"conformance needs attrs: {sys.executable} -m pip install attrs", file=sys.stderr)
        return 2
    return int(importlib.import_module(".runner", __package__).main())


if __name__ == "__main__":
    sys.exit(main())
