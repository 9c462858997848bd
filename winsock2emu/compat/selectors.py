"""``selectors`` as Python on Windows has it: the default is SelectSelector, and there are no others.

Part played:     the selectors module of CPython for Windows.
Lives here:      CPython's own selectors.py, from the running interpreter and unchanged, on `select`.
Sources:         Lib/selectors.py of CPython 3.11 to 3.13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any as _Any

from . import _stdlib
from . import select as _select

if TYPE_CHECKING:

    def __getattr__(name: str) -> _Any: ...


_stdlib.run("selectors", globals(), {"select": _select, "sys": _stdlib.SYS})
