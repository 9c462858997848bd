"""The command line: ``winsock2emu COMMAND ...``.

Part played:     the tools beside the DLLs.
Lives here:      the table of commands and the step from the first argument to one of them.
Lives elsewhere: each command, in the module that the table names; it is imported when it is called.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple


class Command(NamedTuple):
    """One subcommand."""

    summary: str
    module: str  # has ``main(arguments) -> exit status`` with an argument parser of its own


COMMANDS: Final[dict[str, Command]] = {
    "run": Command("run a Windows program", "winsock2emu.cli.run"),
    "conformance": Command("check the documented rules, case by case", "winsock2emu_conformance.runner"),
}


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="winsock2emu",
        description="Windows Sockets 2 in pure Python.",
        epilog=f"commands:\n{commands}\n\n'winsock2emu COMMAND --help' tells more about one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("command", metavar="COMMAND", nargs="?", choices=COMMANDS)
    parser.add_argument("arguments", metavar="...", nargs=argparse.REMAINDER)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; None stands for the arguments of this process.

    Returns:
        The exit status: the command's own, 2 for a command line that cannot be understood.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    # A command's arguments are its own business, also when they look like ours.
    at = next((index for index, argument in enumerate(given) if not argument.startswith("-")), len(given))
    parser = _parser()
    known = parser.parse_args(given[: at + 1])
    if known.version:
        from .. import __version__

        print(f"winsock2emu {__version__}")
        return 0
    if known.command is None:
        parser.print_usage(sys.stderr)
        print("winsock2emu: error: which command?", file=sys.stderr)
        return 2
    home = COMMANDS[known.command].module
    try:
        module = import_module(home)
    except ModuleNotFoundError as failure:
        if failure.name not in (home, home.partition(".")[0]):
            raise
        print(f"winsock2emu: error: {known.command} needs {failure.name}, not installed here", file=sys.stderr)
        return 2
    status: int = module.main(given[at + 1 :])
    return status
