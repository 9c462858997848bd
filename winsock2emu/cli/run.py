"""``winsock2emu run``: a Windows program, on this system, unchanged.

Part played:     ``python program.py`` on Windows.
Lives here:      the command line, the module ``__main__``, and how the program ends.
Lives elsewhere: what the program sees of Windows (cli.masks); the prompt (cli.prompt); frames of ours in a traceback
                 (cli.tracebacks); the trace (trace).
Endings:         SystemExit and KeyboardInterrupt go through to the interpreter, which sets the exit status as for
                 any program. So does an uncaught exception, after our frames are out of its traceback.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from types import CodeType, ModuleType, TracebackType
from typing import Any, Final

from . import masks, prompt, tracebacks

_USAGE: Final = "winsock2emu run [--trace] [--host-view PACKAGE] [-i] [PROGRAM | -m MODULE | -c CODE | -] ..."
_DESCRIPTION: Final = """\
Run a program as Python on Windows would: PROGRAM is a file, or a folder or zip archive with a __main__.py,
'-' reads the program from the standard input. What follows are the program's own arguments.
Without a program, statements are read from the terminal, or a program from a standard input that is none."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="winsock2emu run", usage=_USAGE, description=_DESCRIPTION, add_help=True)
    parser.add_argument("-i", dest="inspect", action="store_true", help="read statements when the program has ended")
    parser.add_argument("--trace", action="store_true", help="print every Winsock call to the standard error")
    parser.add_argument(
        "--host-view",
        metavar="PACKAGE",
        action="append",
        default=[],
        help="an installed package that shall see this system instead of Windows; may be repeated",
    )
    return parser


def _split(arguments: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """Our options; "-m", "-c" or None for a file; the rest, from the module, the code or the file on."""
    own = list(arguments)
    at = 0
    while at < len(own):
        argument = own[at]
        if argument in ("-m", "-c"):
            return own[:at], argument, own[at + 1 :]
        if argument.startswith(("-m", "-c")):
            return own[:at], argument[:2], [argument[2:], *own[at + 1 :]]
        if argument == "--":
            return own[:at], None, own[at + 1 :]
        if argument == "-" or not argument.startswith("-"):
            return own[:at], None, own[at:]
        at += 2 if argument == "--host-view" else 1  # the one option with a value of its own
    return own, None, []


def main(arguments: Sequence[str]) -> int:
    """Run a program; its uncaught exceptions, SystemExit among them, come out of here.

    Returns:
        0 for a program that ran to its end, 2 when it could not be read.
    """
    options, how, rest = _split(arguments)
    parser = _parser()
    known = parser.parse_args(options)
    if how and not rest:
        parser.error(f"argument expected for {how}")
    if known.trace:
        _start_trace()
    masks.show_host_to(known.host_view)
    masks.install()
    from_input = not rest or (not how and rest[0] == "-")
    if from_input and (known.inspect or sys.stdin.isatty()):
        return prompt.converse(_start_conversation(rest))
    if not known.inspect:
        return _run(how, rest)
    try:
        _run(how, rest)
    except BaseException as failure:
        if isinstance(failure, SystemExit):  # shown here like any other
            _show_without_us(failure, failure.__traceback__)
        sys.excepthook(type(failure), failure, failure.__traceback__)
    return prompt.converse(vars(sys.modules["__main__"]), banner=False)


def _run(how: str | None, rest: list[str]) -> int:
    if how == "-m":
        _run_module(rest[0], rest[1:])
    elif how == "-c":
        _run_code(rest[0], rest[1:])
    elif not rest or rest[0] == "-":
        _run_stdin(rest)
    else:
        return _run_path(rest[0], rest[1:])
    return 0


def _start_trace() -> None:
    from .. import trace
    from ..capi import table  # noqa: F401  # what is to be traced has to be loaded: the API, with the C ABI on top

    trace.start(trace.printer(sys.stderr))


# ------------------------------------------------------------------------------------------ what is run


def _run_module(name: str, arguments: list[str]) -> None:
    import runpy

    sys.argv = ["-m", *arguments]
    if not sys.flags.safe_path:
        _set_first_path(os.getcwd())
    _new_main()
    run: Callable[[str], Any] = vars(runpy)["_run_module_as_main"]  # what ``python -m`` calls
    _guarded(lambda: run(name))


def _run_code(source: str, arguments: list[str]) -> None:
    sys.argv = ["-c", *arguments]
    if not sys.flags.safe_path:
        _set_first_path("")
    _run_source(source, "<string>", vars(_new_main()))


def _run_stdin(arguments: list[str]) -> None:
    names = _start_conversation(arguments)
    _run_source(sys.stdin.buffer.read(), "<stdin>", names)


def _start_conversation(arguments: list[str]) -> dict[str, Any]:
    """A module ``__main__`` for what comes from the standard input; its names."""
    sys.argv = arguments or [""]
    if not sys.flags.safe_path:
        _set_first_path("")
    return vars(_new_main())


def _run_path(program: str, arguments: list[str]) -> int:
    sys.argv = [program, *arguments]
    if _is_container(program):
        import runpy

        _set_first_path(os.path.abspath(program))  # also with -P: the program is this place
        _new_main()
        run: Callable[..., Any] = vars(runpy)["_run_module_as_main"]
        _guarded(lambda: run("__main__", False))
        return 0
    file = os.path.abspath(program)
    try:
        with io.open_code(file) as stream:
            content = stream.read()
    except OSError as failure:
        interpreter = sys.orig_argv[0]
        print(
            f"{interpreter}: can't open file {file!r}: [Errno {failure.errno}] {failure.strerror}",
            file=sys.stderr,
        )
        return 2
    if not sys.flags.safe_path:
        _set_first_path(os.path.dirname(os.path.realpath(program)))
    main_module = _new_main()
    _describe_file(main_module, file)
    if file.endswith(".pyc") or _is_compiled(content):
        _guarded(lambda: exec(_compiled(content), vars(main_module)))
    else:
        _run_source(content, file, vars(main_module))
    return 0


def _is_container(program: str) -> bool:
    """Whether the import system finds a __main__ in it: a folder or a zip archive."""
    from pkgutil import get_importer

    importer = get_importer(program)
    return importer is not None and (os.path.isdir(program) or os.path.isfile(program))


def _is_compiled(content: bytes) -> bool:
    import importlib.util

    return content[:4] == importlib.util.MAGIC_NUMBER


def _compiled(content: bytes) -> CodeType:
    """The code in a .pyc file."""
    import marshal

    if not _is_compiled(content):
        raise RuntimeError("Bad magic number in .pyc file")
    code: CodeType = marshal.loads(content[16:])  # after magic, flags and the source's time or hash
    return code


def _set_first_path(path: str) -> None:
    # Without safe_path the interpreter has put the place of its own program first: this command's.
    if sys.flags.safe_path:
        sys.path.insert(0, path)
    else:
        sys.path[0] = path


def _new_main() -> ModuleType:
    """A fresh module ``__main__``; the old one stays alive, its functions are running."""
    import builtins

    main_module = ModuleType("__main__")
    vars(main_module).update(__annotations__={}, __builtins__=builtins)
    _kept.append(sys.modules["__main__"])
    sys.modules["__main__"] = main_module
    return main_module


_kept: list[ModuleType] = []


def _describe_file(main_module: ModuleType, file: str) -> None:
    from importlib.machinery import SourceFileLoader

    vars(main_module).update(__file__=file, __cached__=None, __loader__=SourceFileLoader("__main__", file))


def _run_source(source: str | bytes, file: str, names: dict[str, Any]) -> None:
    def run() -> None:
        if isinstance(source, bytes):
            _check_encoding(source, file)
        code = compile(source, file, "exec", dont_inherit=True)
        if sys.version_info >= (3, 13) and file == "<string>":
            _remember_lines(source, file)
        exec(code, names)

    _guarded(run)


def _check_encoding(source: bytes, file: str) -> None:
    """Refuse what is no UTF-8 in the words of the interpreter; compile() has other words for it than a file."""
    import codecs
    import tokenize

    for line in source[:1000].decode("latin-1").splitlines()[:2]:
        cookie = tokenize.cookie_re.match(line)
        if cookie is not None:
            try:
                codecs.lookup(cookie[1])
            except LookupError:
                raise SyntaxError(f"encoding problem: {cookie[1]}") from None
            return
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as failure:
        number = source.count(b"\n", 0, failure.start) + 1
        raise SyntaxError(
            f"Non-UTF-8 code starting with '\\x{source[failure.start]:02x}' in file {file} on line {number}, "
            "but no encoding declared; see https://peps.python.org/pep-0263/ for details"
        ) from None


def _remember_lines(source: str | bytes, file: str) -> None:
    """Since 3.13 tracebacks show the lines of code from the command line."""
    import linecache

    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)


# ----------------------------------------------------------------------------------------- how it ends


def _guarded(run: Callable[[], Any]) -> None:
    """Run the program; an exception that leaves it is shown, and sets the exit status, as if we were not here."""
    try:
        run()
    except SystemExit:
        raise
    except BaseException as failure:
        _show_without_us(failure, failure.__traceback__)
        raise


def _show_without_us(failure: BaseException, traceback: TracebackType | None) -> None:
    """Have the interpreter's last act, the call of ``sys.excepthook``, see the program's frames only."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    if isinstance(failure, KeyboardInterrupt):  # it may strike anywhere in the emulator
        tracebacks.cut_where_it_enters_us(traceback)
    else:
        tracebacks.end_in_the_program(failure, traceback)

    def last_hook(kind: type[BaseException], value: BaseException, seen: TracebackType | None) -> None:
        if value is failure:
            sys.excepthook, seen = program_hook, traceback
            value.__traceback__ = traceback
        try:
            program_hook(kind, value, seen)
        except BaseException as broken:
            if broken.__traceback__ is not None:
                broken.__traceback__ = broken.__traceback__.tb_next
            raise

    program_hook = getattr(sys, "excepthook", sys.__excepthook__)
    sys.excepthook = last_hook
