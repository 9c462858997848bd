"""A module that shows Windows' side of one of the host's.

Part played:     ``sys``, ``os``, ``platform`` and ``signal`` in a program's hands.
Lives here:      reading and writing through: a mask has some names of its own, hides some, and is the host's module
                 for all others. Setting ``sys.stdout`` or patching ``os.getcwd`` acts on the one real module.
Lives elsewhere: which names those are (masks.interpreter, masks.machine, masks.signals).
Limits:          ``vars(os)`` is a copy.
Speed:           a name that is passed through costs 0.5 us, one of the mask's own what it costs in any module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import Any

# What is really in a mask: its class answers for __dict__ with all that can be read from it.
_own: Callable[[ModuleType], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__


def _passing_on(mask: ModuleType, host: ModuleType, hidden: Collection[str]) -> Callable[[str], Any]:
    """The function that a module asks for names it does not have."""

    def __getattr__(name: str) -> Any:
        try:
            if name not in hidden:
                return getattr(host, name)
            raise AttributeError(f"module {host.__name__!r} has no attribute {name!r}", name=name, obj=mask)
        except AttributeError as failure:
            # The traceback ends in the program's line, as it does for a module without a mask.
            failure.__traceback__ = None
            raise

    return __getattr__


class Mask(ModuleType):
    """A module object in front of the host's module of the same name."""

    __slots__ = ("__hidden", "__host")
    __host: ModuleType
    __hidden: frozenset[str]

    def __init__(self, host: ModuleType, own: Mapping[str, Any], hidden: Collection[str] = frozenset()) -> None:
        """Stand before ``host``: ``own`` are this module's values, ``hidden`` what it seems not to have."""
        super().__init__(host.__name__, host.__doc__)
        super().__setattr__("_Mask__host", host)  # into the slots, past the passing on
        super().__setattr__("_Mask__hidden", frozenset(hidden))
        mine = _own(self)
        for name in ("__doc__", "__file__", "__loader__", "__name__", "__package__", "__spec__"):
            if hasattr(host, name):
                mine[name] = getattr(host, name)
        mine.update(own)
        if hasattr(host, "__all__"):
            mine["__all__"] = [name for name in host.__all__ if name not in hidden]
        mine["__getattr__"] = _passing_on(self, host, self.__hidden)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]  # what vars() and ``import *`` read
        seen = {name: value for name, value in vars(self.__host).items() if name not in self.__hidden}
        seen.update((name, value) for name, value in _own(self).items() if name != "__getattr__")
        return seen

    def __dir__(self) -> list[str]:
        return sorted(self.__dict__)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _own(self) or name in self.__hidden:
            super().__setattr__(name, value)
        else:
            setattr(self.__host, name, value)

    def __delattr__(self, name: str) -> None:
        if name in _own(self):
            super().__delattr__(name)
        else:
            delattr(self.__host, name)
