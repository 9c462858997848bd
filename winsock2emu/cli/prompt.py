"""The prompt: statements from a terminal or a pipe, one at a time.

Part played:     ``python`` without a program on Windows, and ``python -i``.
Lives here:      the banner, where a line comes from, and what a failure shows.
Lives elsewhere: reading and running statements (the library's ``code``); what they see of Windows (cli.masks).
Terminal:        lines are edited, completed and remembered with the host's ``readline``.
Pipe:            as the interpreter does it: prompts go to the standard error, results to the standard output.
"""

from __future__ import annotations

import code
import linecache
import sys
from typing import Any, Final

from . import tracebacks
from .masks import interpreter

_FILE: Final = "<stdin>"


def _banner() -> str:
    version = vars(interpreter.sys_module())["version"]
    more = 'Type "help", "copyright", "credits" or "license" for more information.'
    return f"Python {version} on {vars(interpreter.sys_module())['platform']}\n{more}"


class _Console(code.InteractiveConsole):
    _statements = 0

    def runsource(self, source: str, filename: str = _FILE, symbol: str = "single") -> bool:
        """Compile and run a statement; True when it is not complete."""
        if sys.version_info >= (3, 13):  # whose tracebacks show such lines, and leave the number out
            self._statements += 1
            filename = f"{_FILE}-{self._statements}"
            linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        return super().runsource(source, filename, symbol)

    def showsyntaxerror(self, filename: str | None = None, **kwargs: Any) -> None:
        """Show the SyntaxError that is being handled."""
        super().showsyntaxerror(_FILE, **kwargs)

    def showtraceback(self) -> None:
        """Show the exception that is being handled."""
        failure = sys.exception()
        assert failure is not None
        tracebacks.end_in_the_program(failure, failure.__traceback__ and failure.__traceback__.tb_next)
        super().showtraceback()

    def raw_input(self, prompt: str = "") -> str:
        if sys.stdin.isatty():
            return input(prompt)
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")


def converse(names: dict[str, Any], *, banner: bool = True) -> int:
    """Read statements and run them until the input ends; SystemExit comes out of here.

    Args:
        names: the namespace.
        banner: tell the version first.

    Returns:
        The exit status.
    """
    if sys.stdin.isatty():
        _edit_lines(names)
    _Console(names, _FILE).interact(_banner() if banner else "", "")
    return 0


def _edit_lines(names: dict[str, Any]) -> None:
    try:
        import readline
        import rlcompleter
    except ImportError:  # an interpreter without it
        return
    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
