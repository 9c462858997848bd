"""The targets by name: who can be judged, and what it takes.

Part played:     maps ``--target NAME`` to a factory. A target is made only when it is asked for.
Lives elsewhere: each target, in the module of its name.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

from ..target import Target


class Unavailable(Exception):
    """The target cannot run on this machine; str() says why."""


#: name -> module of this folder; each has ``make() -> Target`` and raises Unavailable.
MODULES: Mapping[str, str] = {"emulator": "emulator", "api": "api", "windows": "windows", "wine": "wine"}


def make(name: str) -> Target:
    """Return a fresh target.

    Raises:
        KeyError: there is no target of this name.
        Unavailable: it does not run here.
    """
    module = importlib.import_module(f".{MODULES[name]}", __package__)
    return cast(Target, module.make())
