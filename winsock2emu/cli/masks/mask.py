"""A module that shows Windows' side of one of the host's.

Part played:     ``sys``, ``os``, ``platform`` and ``signal`` in a program's hands.
Lives here:      reading and writing through: a mask has some names of its own, hides some, and is the host's module
                 for all others. Setting ``sys.stdout`` or patching ``os.getcwd`` acts on the one real module.
Lives elsewhere: which names those are (masks.interpreter, masks.machine, masks.signals).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any


class Mask(ModuleType):
    """A module object in front of the host's module of the same name."""

    def __init__(
        self, host: ModuleType, own: Mapping[str, Any], hidden: Collection[str] = frozenset()
    ) -> None:
        """Stand before ``host``: ``own`` are this module's values, ``hidden`` what it seems not to have."""
        super().__init__(host.__name__, host.__doc__)
        mine = self.__dict__
        for name in ("__doc__", "__file__", "__loader__", "__name__", "__package__", "__spec__"):
            if hasattr(host, name):
                mine[name] = getattr(host, name)
        mine.update(own)
        type(self).__host.__set__(self, host)  # type: ignore[attr-defined]  # a slot
        type(self).__hidden.__set__(self, frozenset(hidden))  # type: ignore[attr-defined]

    __slots__ = ("__hidden", "__host")
    __host: ModuleType
    __hidden: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        host = self.__host
        if name in self.__hidden:
            raise AttributeError(f"module {host.__name__!r} has no attribute {name!r}", name=name, obj=self)
        if name == "__all__" and not hasattr(host, name):
            return [public for public in dir(self) if not public.startswith("_")]
        value = getattr(host, name)
        return [public for public in value if public not in self.__hidden] if name == "__all__" else value

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__ or name in self.__hidden:
            super().__setattr__(name, value)
        else:
            setattr(self.__host, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            super().__delattr__(name)
        else:
            delattr(self.__host, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(self.__host), *self.__dict__} - (self.__hidden - self.__dict__.keys()))
