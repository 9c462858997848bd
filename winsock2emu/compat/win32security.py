"""``win32security``: security attributes, which programs make for the pipes and events that children inherit.

Part played:     win32security of pywin32, a small part.
Lives elsewhere: the objects (pywintypes), as in pywin32.
Missing:         accounts, privileges, and what is in a descriptor: every handle has all rights in the emulator.
Sources:         pywin32's reference; types-pywin32.
"""

from __future__ import annotations

from .pywintypes import SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR, error

__all__ = ["SECURITY_ATTRIBUTES", "SECURITY_DESCRIPTOR", "error"]
