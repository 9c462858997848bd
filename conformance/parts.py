"""What the parts of the C driver have in common: each is a chapter of calls, and all of them are one object.

Part played:     lets ``overlapping``, ``windowing``, ``registering`` and ``kernelcalls`` call what CDriver offers.
Lives elsewhere: the driver that inherits the parts (driver).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .target import Target

if TYPE_CHECKING:
    from .driver import CDriver


class DriverPart(Target):
    """A chapter of calls in C."""

    def _driver(self) -> CDriver:
        """This object, as the driver that it is a part of."""
        raise NotImplementedError
