"""Windows Sockets 2 in pure Python, on any operating system.

Part played:     what a program imports first; each face is loaded when it is first asked for.
Lives elsewhere: everything; this module only knows where.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .capi.loader import windll as windll
    from .errors import WinsockError as WinsockError
    from .installing.processwide import install as install
    from .installing.processwide import uninstall as uninstall
    from .process import Process as Process

__version__: Final = "0.1.0"

# Public name to the module that has it, and its name there; None: the module itself. Where the module is
# missing, so is the name.
_HOMES: Final[dict[str, tuple[str, str | None]]] = {
    "Process": (".process", "Process"),
    "WinsockError": (".errors", "WinsockError"),
    "aio": (".aio", None),
    "compat": (".compat", None),
    "install": (".installing.processwide", "install"),
    "kernel32": (".kernel32", None),
    "mswsock": (".mswsock", None),
    "spi": (".spi", None),
    "testing": (".testing", None),
    "trace": (".trace", None),
    "uninstall": (".installing.processwide", "uninstall"),
    "user32": (".user32", None),
    "windll": (".capi.loader", "windll"),
    "ws2_32": (".ws2_32", None),
}


def _exists(module: str) -> bool:
    """Whether a module below this package can be imported; only its parents are imported for the answer."""
    from importlib.util import find_spec  # a tenth of this package's import time, and often not needed

    try:
        spec = find_spec(module, __name__)
    except ModuleNotFoundError:  # its parent is missing
        return False
    return spec is not None and spec.origin is not None  # no origin: a folder without modules


def __getattr__(name: str) -> Any:
    home, inner = _HOMES.get(name, (None, None))
    if home is None or not _exists(home):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(home, __name__)
    value = module if inner is None else getattr(module, inner)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *(name for name, (home, _) in _HOMES.items() if _exists(home))})
