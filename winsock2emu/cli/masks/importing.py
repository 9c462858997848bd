"""The import statement that looks at who imports.

Part played:     the interpreter's import of modules that differ between Windows and the host.
Lives here:      the replacements for ``builtins.__import__``, ``importlib.import_module`` and
                 ``importlib.util.find_spec``.
Lives elsewhere: who sees what (masks.views); the masked modules (the table of masks).
Sockets:         ``sys.modules`` has the host's ``socket`` until somebody imports it who is to have Windows'; from then
                 on it has Windows', and the few who need the host's get it from here.
Cost:            about a microsecond per import statement, for the library's imports too.
Tracebacks:      the replacements stand under the import machinery's own file name, so ``warnings`` skips them as
                 it skips the machinery, and take their frame out of the traceback of what they let through.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

from ...installing.changes import Changes
from .views import Viewer, sees_windows, viewer


class Importing:
    """One set of replacements, on top of what it finds."""

    def __init__(
        self,
        masked: Mapping[str, Callable[[], ModuleType]],
        missing: Mapping[str, str],
        after: Mapping[str, Callable[[], None]],
        sockets: Mapping[str, Callable[[], ModuleType]],
        for_network: Mapping[str, Callable[[], ModuleType]],
        changes: Changes,
    ) -> None:
        """Replace the import statement.

        Args:
            masked: the modules that programs get, by full name.
            missing: what they do not get, with the name that the error has.
            after: what is called once when a package has been imported.
            sockets: the modules that everybody gets but those who need the host's.
            for_network: what modules of the library that make sockets get.
            changes: where `sockets` is noted in ``sys.modules``.
        """
        self.host_statement = builtins.__import__
        self.host_import_module = importlib.import_module
        self.host_find_spec = importlib.util.find_spec
        self._masked = masked
        self._missing = missing
        self._after = dict(after)
        self._sockets = sockets
        self._for_network = for_network
        self._changes = changes
        self._host_sockets: dict[str, ModuleType] = {}
        self._sharing = False
        self._made: dict[str, ModuleType] = {}
        self._making = threading.RLock()
        self._special = frozenset(name.partition(".")[0] for name in (*masked, *missing, *sockets))
        self.statement = self._make_statement()
        self.import_module = self._make_import_module()
        self.find_spec = self._make_find_spec()

    def _mask(self, name: str) -> ModuleType:
        made = self._made.get(name)
        if made is None:
            with self._making:
                made = self._made.get(name)
                if made is None:
                    made = self._made[name] = self._masked[name]()
        return made

    def _refuse(self, name: str) -> None:
        missing = self._missing.get(name.partition(".")[0])
        if missing is not None:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    def _for_windows(self, name: str, fromlist: Sequence[str] | None) -> ModuleType:
        """The module that an import statement of a program gets."""
        self._refuse(name)
        if name not in self._masked:  # a submodule of a masked package, itself not masked
            module = self.host_statement(name, None, None, fromlist or (), 0)
            return module if fromlist else self._mask(name.partition(".")[0])
        mask = self._mask(name if fromlist else name.partition(".")[0])
        if fromlist and hasattr(mask, "__path__"):
            for inner in fromlist:
                if inner != "*" and not hasattr(mask, inner):
                    host = self.host_statement(name, None, None, (inner,), 0)
                    if hasattr(host, inner):
                        setattr(mask, inner, getattr(host, inner))
        return mask

    def _other(self, name: str, importer: dict[str, Any], fromlist: Sequence[str] | None) -> ModuleType | None:
        """What an importer gets instead of the host's module; None: what the host's import gives it."""
        who = viewer(importer)
        if name in self._sockets:
            return self._host_sockets.get(name) if who is Viewer.HOST else self._shared(name)
        if who is Viewer.PROGRAM:
            return self._for_windows(name, fromlist)
        return self._for_network[name]() if who is Viewer.NETWORK and name in self._for_network else None

    def _shared(self, name: str) -> ModuleType | None:
        """Windows' module of this name, for everybody from now on; None for what is needed to make it."""
        if name not in self._host_sockets:
            with self._making:
                if self._sharing:
                    return None
                if name not in self._host_sockets:
                    self._sharing = True
                    try:
                        host = self.host_import_module(name)
                        self._changes.set(sys.modules, name, self._sockets[name]())
                    finally:
                        self._sharing = False
                    self._host_sockets[name] = host
        return sys.modules[name]

    def finish(self) -> None:
        """See to the packages that have been imported already."""
        for package in self._after.keys() & sys.modules.keys():
            self._after.pop(package)()

    def _finish(self, package: str, importer: dict[str, Any]) -> None:
        if package in self._after and viewer(importer) is not Viewer.HOST:
            module = sys.modules.get(package)
            if module is not None and not getattr(module.__spec__, "_initializing", False):  # by an import inside it
                self._after.pop(package)()

    def _make_statement(self) -> Callable[..., Any]:
        host, special, after = self.host_statement, self._special, self._after

        def __import__(
            name: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> Any:
            try:
                if level == 0:
                    head = name.partition(".")[0]
                    if head in special:
                        importer: Any = sys._getframe(1).f_globals if globals is None else globals
                        other = self._other(name, importer, fromlist)
                        if other is not None:
                            return other
                    elif head in after:
                        host(head, globals, locals, (), level)
                        self._finish(head, sys._getframe(1).f_globals if globals is None else globals)  # type: ignore[arg-type]
                return host(name, globals, locals, fromlist or (), level)
            except BaseException as failure:
                _forget_own_frame(failure)
                raise

        return _disguised(__import__)

    def _make_import_module(self) -> Callable[..., ModuleType]:
        host = self.host_import_module

        def import_module(name: str, package: str | None = None) -> ModuleType:
            try:
                head = name.partition(".")[0]
                importer = sys._getframe(1).f_globals
                if head in self._special:
                    other = self._other(name, importer, ("__name__",))
                    if other is not None:
                        return other
                elif head in self._after:
                    host(head)
                    self._finish(head, importer)
                return host(name, package)
            except BaseException as failure:
                _forget_own_frame(failure)
                raise

        return _disguised(import_module)

    def _make_find_spec(self) -> Callable[..., Any]:
        host = self.host_find_spec

        def find_spec(name: str, package: str | None = None) -> Any:
            try:
                if sees_windows(sys._getframe(1).f_globals):
                    if name.partition(".")[0] in self._missing:
                        return None
                    if name in self._masked:
                        return self._mask(name).__spec__
                return host(name, package)
            except BaseException as failure:
                _forget_own_frame(failure)
                raise

        return _disguised(find_spec)


def _forget_own_frame(failure: BaseException) -> None:
    if failure.__traceback__ is not None:
        failure.__traceback__ = failure.__traceback__.tb_next


def _disguised(call: Callable[..., Any]) -> Callable[..., Any]:
    assert isinstance(call, FunctionType)
    call.__code__ = call.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    return call
