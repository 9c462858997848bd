"""Packages of others that are to be loaded as on Windows, although they ask the interpreter which system it is for.

Part played:     ``import trio`` on Windows.
Lives here:      having it found as soon as somebody imports it, and forgetting it in the end.
Lives elsewhere: how it is loaded (compat._trio). Twisted, pywin32's users and all others need no more than the modules
                 of Windows (modules).
Imported before: a package that is there already stays the host's: a process has one trio.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from .changes import Changes


class _TrioFinder(MetaPathFinder):
    """Finds trio, and the modules that load it no sooner than that."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "trio":
            return None
        from ..compat import _trio

        return _trio.finder_of_modules().find_spec(fullname, path, target)


def find_as_on_windows(changes: Changes) -> None:
    """Have packages loaded as on Windows from now on."""
    if "trio" not in sys.modules:
        ours = _TrioFinder()
        sys.meta_path.insert(0, ours)
        changes.back_by(partial(_forget_trio, ours))


def _forget_trio(ours: MetaPathFinder) -> None:
    if ours in sys.meta_path:  # unless somebody has set up finders of his own
        sys.meta_path.remove(ours)
    if "winsock2emu.compat.trio" not in sys.modules:  # by this name it is Windows' for good
        for name in [name for name in sys.modules if name.partition(".")[0] == "trio"]:
            del sys.modules[name]
