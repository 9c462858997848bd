"""The import statement that looks at who imports.

Part played:     the interpreter's import of modules that differ between Windows and the host.
Lives here:      the replacements of ``builtins.__import__``, ``importlib.import_module`` and
                 ``importlib.util.find_spec``.
Lives elsewhere: who sees what (masks.views); the masked modules (the table of masks).
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

from .views import sees_windows


class Importing:
    """One set of replacements, with the originals to put back."""

    def __init__(
        self,
        masked: Mapping[str, Callable[[], ModuleType]],
        missing: Mapping[str, str],
        after: Mapping[str, Callable[[], None]],
    ) -> None:
        """Serve modules by full name from ``masked``; refuse ``missing``; call ``after`` once for each package."""
        self.host_statement = builtins.__import__
        self.host_import_module = importlib.import_module
        self.host_find_spec = importlib.util.find_spec
        self._masked = masked
        self._missing = missing
        self._after = dict(after)
        self._made: dict[str, ModuleType] = {}
        self._making = threading.RLock()
        self._special = frozenset(name.partition(".")[0] for name in (*masked, *missing))
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

    def _finish(self, package: str) -> None:
        if package in self._after and package in sys.modules:
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
                        if sees_windows(importer):
                            return self._for_windows(name, fromlist)
                    elif head in after:
                        module = host(name, globals, locals, fromlist or (), level)
                        self._finish(head)
                        return module
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
                if head in self._special and sees_windows(sys._getframe(1).f_globals):
                    self._refuse(name)
                    return self._mask(name) if name in self._masked else host(name)
                module = host(name, package)
                self._finish(head)
                return module
            except BaseException as failure:
                _forget_own_frame(failure)
                raise

        return _disguised(import_module)

    def _make_find_spec(self) -> Callable[..., Any]:
        host = self.host_find_spec

        def find_spec(name: str, package: str | None = None) -> Any:
            try:
                if name.partition(".")[0] in self._missing and sees_windows(sys._getframe(1).f_globals):
                    return None
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
