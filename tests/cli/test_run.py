"""``winsock2emu run`` is the interpreter: what it prints, how it ends.

Most tests run one program twice, by the interpreter alone and under the emulator, and compare everything.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import py_compile
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TIMEOUT_S, Outcome, Runner, environment

Write = Callable[[str, str], Path]


@pytest.fixture
def same(python: Runner, emulated: Runner) -> Runner:
    """Runs both ways, requires one outcome, and returns it."""

    def run(*arguments: str, stdin: str = "") -> Outcome:
        alone, under = python(*arguments, stdin=stdin), emulated(*arguments, stdin=stdin)
        assert under == alone
        return alone

    return run


def test_a_program_sees_its_arguments_and_itself(same: Runner, write: Write) -> None:
    write(
        "folder/program.py",
        """
        import os, sys
        print(__name__, __file__, __spec__, __package__, type(__loader__).__name__, __doc__, __builtins__)
        print(sorted(vars()))
        print(sys.argv, sys.path[0])
        import neighbour
        """,
    )
    write("folder/neighbour.py", "import __main__; print(__main__.__file__)")

    outcome = same("folder/program.py", "--trace", "-x", "", "a b")

    assert outcome.status == 0
    assert "['folder/program.py', '--trace', '-x', '', 'a b']" in outcome.stdout


def test_main_is_the_program_for_pickle_too(same: Runner, write: Write) -> None:
    write(
        "program.py",
        """
        import pickle

        class Thing:
            value = 5

        if __name__ == "__main__":
            print(type(pickle.loads(pickle.dumps(Thing()))) is Thing, Thing.__module__)
        """,
    )

    assert same("program.py").stdout == "True __main__\n"


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("pass", 0),
        ("raise SystemExit", 0),
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit('to the standard error')", 1),
        ("import sys; sys.exit(-1)", 255),
        ("import os; os._exit(9)", 9),
        ("import atexit, sys; atexit.register(print, 'at exit'); sys.exit(3)", 3),
        ("import threading; threading.Timer(0.05, print, ['a thread is waited for']).start()", 0),
    ],
)
def test_exit_statuses_are_the_programs(same: Runner, write: Write, ending: str, status: int) -> None:
    write("program.py", f"print('begun')\n{ending}\n")

    assert same("program.py").status == status


UNCAUGHT = {
    "plain": "def f():\n    1 / 0\nf()",
    "chained": "try:\n    1 / 0\nexcept Exception as e:\n    raise ValueError('second') from e",
    "in another": "try:\n    1 / 0\nexcept Exception:\n    undefined",
    "a group": "raise ExceptionGroup('group', [ValueError(1), TypeError(2)])",
    "in a module": "import module_that_fails",
    "in a module by name": "import importlib\nimportlib.import_module('module_that_fails')",
    "a missing module": "import no_such_module",
    "a missing submodule": "import email.no_such_module",
    "a missing name": "from email import no_such_name",
    "a syntax error": "x = = 1",
    "a syntax error in a module": "import module_with_syntax_error",
    "an indentation error": "def f():\npass",
    "in a hook": "import sys\nsys.excepthook = lambda *args: print('hook', args[0])\n1 / 0",
    "with a broken hook": "import sys\nsys.excepthook = lambda *args: 2 / 0\n1 / 0",
    "in the library": "import json\njson.loads('{')",
    "in a thread": "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()",
    "printed by the program": "import traceback\ntry:\n    import module_that_fails\nexcept Exception:\n"
    "    traceback.print_exc()",
    "no text": "class E(Exception): pass\nraise E",
    "an interrupt": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time\ntime.sleep(30)",
    "an interrupt of ours": "raise KeyboardInterrupt",
}


@pytest.mark.parametrize("source", UNCAUGHT.values(), ids=UNCAUGHT.keys())
def test_tracebacks_are_the_interpreters(same: Runner, write: Write, source: str) -> None:
    write("program.py", source)
    write("module_that_fails.py", "import second_module\n")
    write("second_module.py", "raise RuntimeError('in a module')\n")
    write("module_with_syntax_error.py", "\nx = (\n")

    outcome = same("program.py")

    assert outcome.stdout + outcome.stderr != ""


def test_an_uncaught_exception_has_status_1(same: Runner, write: Write) -> None:
    write("program.py", "1 / 0")

    assert same("program.py").status == 1


def test_a_warning_of_a_module_points_at_its_importer(same: Runner, write: Write) -> None:
    """The import statement is ours, but ``stacklevel`` must not count it."""
    write("program.py", "import warnings\nwarnings.simplefilter('always')\n\nimport old\n")
    write("old.py", "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n")

    assert re.search(r"program\.py:4: DeprecationWarning: old", same("program.py").stderr)


def test_a_file_that_is_not_there(same: Runner) -> None:
    outcome = same("nothing.py", "argument")

    assert outcome.status == 2
    assert "can't open file" in outcome.stderr


def test_a_folder_without_main(same: Runner, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert same("empty").status == 1


@pytest.mark.parametrize(
    "content",
    [
        b"print('\xe9')\n",
        b"x = 1\ny = '\xff'\n",
        b"# -*- coding: latin-1 -*-\nprint(len('\xe9'))\n",
        b"\xef\xbb\xbfprint('byte order mark')\n",
        b"# coding: no-such-encoding\nprint()\n",
        b"print('cr')\r\nprint('lf')\r\n",
    ],
)
def test_source_encodings(same: Runner, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "program.py").write_bytes(content)

    outcome = same("program.py")

    assert outcome.stdout + outcome.stderr != ""


def test_a_compiled_program(same: Runner, write: Write, tmp_path: Path) -> None:
    py_compile.compile(str(write("program.py", "import sys; print(sys.argv)")), str(tmp_path / "program.pyc"))

    assert same("program.pyc", "x").stdout == "['program.pyc', 'x']\n"


def test_a_program_compiled_for_another_version(same: Runner, tmp_path: Path) -> None:
    (tmp_path / "program.pyc").write_bytes(b"\0\0\r\n" + bytes(12) + marshal.dumps(compile("1", "x", "exec")))

    assert "Bad magic number" in same("program.pyc").stderr


def test_a_folder_and_an_archive(same: Runner, write: Write, tmp_path: Path) -> None:
    main = write("program/__main__.py", "import sys, helper; print(sys.argv, sys.path[0], __name__, __spec__.name)")
    write("program/helper.py", "")
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.write(main, "__main__.py")
        archive.writestr("helper.py", "")

    assert same("program", "a").status == 0
    assert same("program.zip", "a").status == 0


def test_a_module(same: Runner, write: Write) -> None:
    write("package/__init__.py", "")
    write("package/__main__.py", "import sys\nfrom . import other\nprint(sys.argv, sys.path[0], __package__)\n1 / 0")
    write("package/other.py", "print(__name__)")

    outcome = same("-m", "package", "--option", "-m")

    assert outcome.status == 1
    assert "'--option', '-m']" in outcome.stdout
    assert same("-m", "package.other").stdout == "__main__\n"
    assert same("-m", "no_such_module").status == 1


def test_code_on_the_command_line(same: Runner) -> None:
    assert same("-c", "import sys; print(sys.argv, repr(sys.path[0]), __name__)", "-x").status == 0
    assert same("-c", "def f(): raise KeyError('x')\nf()").status == 1
    assert same("-c", "x = =").status == 1


def test_code_from_the_standard_input(same: Runner) -> None:
    assert same("-", "a", stdin="import sys; print(sys.argv)").stdout == "['-', 'a']\n"
    assert same("-", stdin="1 / 0").status == 1


def test_without_a_program_it_is_the_standard_input(same: Runner) -> None:
    assert same(stdin="import sys; print(sys.argv, __name__); sys.exit(3)") == Outcome(3, "[''] __main__\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-i", "-c", "x = 5"),
        ("-i", "-c", "x = 5; raise SystemExit(4)"),
        ("-i", "-c", "x = 5; 1 / 0"),
        ("-i", "program.py", "argument"),
    ],
)
def test_statements_after_a_program(python: Runner, emulated: Runner, write: Write, arguments: tuple[str, ...]) -> None:
    """Prompts, results, tracebacks and the exit status are the interpreter's."""
    write("program.py", "import sys\nx = sys.argv\n")
    statements = "x\n1/0\ndef f():\n  return 1/0\n\nf()\nfor i in range(2):\n  print(i)\n\ndef f(:\n"
    statements += "import sys\nsys.argv\nexit(3)\n"

    alone, under = python(*arguments, stdin=statements), emulated(*arguments, stdin=statements)

    assert alone.status == 3
    assert under == alone
    assert emulated(*arguments, stdin="x").status == python(*arguments, stdin="x").status == 0


def test_the_prompt_sees_windows_and_says_so(emulated: Runner) -> None:
    outcome = emulated(
        "-i", stdin="import sys, os\nsys.platform, os.name\nimport ctypes\nctypes.sizeof(ctypes.c_long)\n"
    )

    assert (outcome.status, outcome.stdout) == (0, "('win32', 'nt')\n4\n")
    assert re.match(r"Python 3\.\d+.*\[MSC v\.1937 64 bit \(AMD64\)\] on win32\nType ", outcome.stderr)


def test_a_terminal_gets_a_prompt(tmp_path: Path) -> None:
    """Without -i. The terminal echoes, so an answer is told from the statement that asks for it."""
    terminal, line = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "winsock2emu", "run"],
        cwd=tmp_path,
        env={**environment(), "TERM": "dumb"},
        stdin=line,
        stdout=line,
        stderr=line,
        close_fds=True,
    )
    os.close(line)
    shown = b""
    try:
        os.write(terminal, b"import sys\n'<' + sys.platform + '>'\nexit(5)\n")
        with contextlib.suppress(OSError):  # EIO: the child has ended
            while data := os.read(terminal, 1000):
                shown += data
        assert child.wait(TIMEOUT_S) == 5
    finally:
        child.kill()
        child.wait()
        os.close(terminal)
    assert b"'<win32>'" in shown
    assert b">>> " in shown


def test_output_is_buffered_as_ever(same: Runner, write: Write) -> None:
    write("program.py", "import os, sys\nprint('lost', end='')\nsys.stderr.write('seen\\n')\nos._exit(0)")

    assert same("program.py") == Outcome(0, "", "seen\n")


BLOCKED = """
import ctypes
import sys
from ctypes import windll, wintypes

class sockaddr_in(ctypes.Structure):
    _fields_ = [("family", wintypes.USHORT), ("port", wintypes.USHORT), ("addr", ctypes.c_ubyte * 4),
                ("zero", ctypes.c_char * 8)]

ws2_32 = windll.ws2_32
assert ws2_32.WSAStartup(0x202, ctypes.create_string_buffer(512)) == 0
s = ws2_32.socket(2, 2, 17)
here = sockaddr_in(2, 0, (ctypes.c_ubyte * 4)(127, 0, 0, 1))
assert ws2_32.bind(s, ctypes.byref(here), ctypes.sizeof(here)) == 0
buffer = ctypes.create_string_buffer(10)
recv = ws2_32.recv
print("blocking", flush=True)
recv(s, buffer, 10, 0)
print("not reached")
"""


def test_ctrl_c_ends_a_blocked_call(write: Write, tmp_path: Path) -> None:
    """The process dies of SIGINT, as the interpreter does, and the traceback ends in the program's line.

    That is the line of the call, or of the print before it when the signal is quicker.
    """
    write("program.py", BLOCKED)
    process = subprocess.Popen(
        [sys.executable, "-m", "winsock2emu", "run", "program.py"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "blocking\n"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == -signal.SIGINT
    assert stdout == ""
    lines = stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "KeyboardInterrupt"
    files = [line for line in lines if line.startswith("  File ")]
    assert len(files) == 1
    assert re.fullmatch(rf'  File "{tmp_path}/program\.py", line 1[78], in <module>', files[0])


def test_ctrl_c_can_be_caught(write: Write, emulated: Runner) -> None:
    """It may come while the call is blocked or just before: either way the call does not return."""
    write(
        "program.py",
        BLOCKED.replace(
            "recv(s, buffer, 10, 0)",
            "import os, signal, threading\n"
            "threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()\n"
            "try:\n    recv(s, buffer, 10, 0)\n"
            "except KeyboardInterrupt:\n    print('caught'); sys.exit(4)",
        ),
    )

    assert emulated("program.py") == Outcome(4, "blocking\ncaught\n", "")


def test_trace_prints_the_calls(emulated: Runner, write: Write) -> None:
    write(
        "program.py",
        """
        import ctypes
        from ctypes import windll
        windll.ws2_32.WSAStartup(0x202, ctypes.create_string_buffer(512))
        windll.ws2_32.closesocket(123456)
        """,
    )

    outcome = emulated("--trace", "program.py")

    assert outcome.stdout == ""
    assert re.search(r"WSAStartup\(514\) = ", outcome.stderr)
    assert re.search(r"closesocket\(123456\) failed: 10038", outcome.stderr)


def test_the_emulators_exceptions_reach_the_program_as_its_own(emulated: Runner, write: Write) -> None:
    write("program.py", "import ctypes\nraise ctypes.WinError(10054)")

    outcome = emulated("program.py")

    assert outcome.status == 1
    lines = outcome.stderr.splitlines()
    assert [line for line in lines if line.startswith("  File ")] == [
        next(line for line in lines if "program.py" in line)
    ]
    assert lines[-1].endswith("[WinError 10054] An existing connection was forcibly closed by the remote host.")


ADDRESSES = """
import socket
del socket.inet_pton, socket.inet_ntop  # absent on the Windows versions that the package is for
import win_inet_pton
assert socket.inet_pton.__module__ == "win_inet_pton"
for family, text in (socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"), (socket.AF_INET6, "::"):
    packed = socket.inet_pton(family, text)
    print(packed.hex(), socket.inet_ntop(family, packed))
for family, text in (socket.AF_INET, "192.0.2"), (socket.AF_INET6, "1::2::3"), (socket.AF_INET, ""):
    try:
        socket.inet_pton(family, text)
    except OSError as failure:
        print(failure)
"""


def test_win_inet_pton_converts_addresses(emulated: Runner, write: Write) -> None:
    """A published package, unmodified: InetPtonW and InetNtopW with default prototypes and unicode buffers."""
    pytest.importorskip("win_inet_pton", reason="needs the dev extra")
    write("program.py", ADDRESSES)

    outcome = emulated("program.py")

    assert outcome.stderr == ""
    assert outcome.stdout.splitlines() == [
        "c0000201 192.0.2.1",
        "20010db8000000000000000000000001 2001:db8::1",
        "00000000000000000000000000000000 ::",
        *["illegal IP address string passed to inet_pton"] * 3,
    ]
