"""What a program under ``winsock2emu run`` sees of the system, and what the library underneath sees."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.conftest import Runner
from tests.reference import reference
from winsock2emu.cli.masks import MASKED, errnos, views
from winsock2emu.cli.masks.mask import Mask

Prints = Callable[[str], list[str]]
Write = Callable[[str, str], Path]


def test_the_usual_questions_are_answered_as_on_windows(prints: Prints) -> None:
    assert prints(
        """
        import os, platform, sys
        print(os.name, sys.platform, platform.system())
        print(sys.getwindowsversion()[:2], sys.getwindowsversion().major, sys.getwindowsversion().platform)
        print(sys.winver == "%d.%d" % sys.version_info[:2], "MSC v." in sys.version, "GCC" in sys.version)
        print(platform.release(), platform.version(), platform.machine(), platform.architecture())
        print(platform.win32_ver()[0], platform.uname().system, platform.uname()[0], platform.platform())
        print(platform.libc_ver(), platform.python_compiler()[:3], len(platform.uname()))
        """
    ) == [
        "nt win32 Windows",
        "(10, 0) 10 2",
        "True True False",
        "10 10.0.19045 AMD64 ('64bit', 'WindowsPE')",
        "10 Windows Windows Windows-10-10.0.19045-SP0",
        "('', '') MSC 6",
    ]


def test_windows_version_looks_like_the_interpreters(prints: Prints) -> None:
    assert prints("import sys; print(sys.getwindowsversion())") == [
        "sys.getwindowsversion(major=10, minor=0, build=19045, platform=2, service_pack='')"
    ]


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        *((f"import {name}", name) for name in ("fcntl", "pwd", "grp", "resource", "termios", "posix", "syslog")),
        ("import readline", "readline"),
        ("import pty", "termios"),
        ("import tty", "termios"),
        ("import curses.ascii", "_curses"),
        ("from fcntl import flock", "fcntl"),
        ("__import__('fcntl')", "fcntl"),
        ("import importlib; importlib.import_module('grp')", "grp"),
        ("from importlib import import_module; import_module('pwd')", "pwd"),
        ("exec('import resource')", "resource"),
    ],
)
def test_modules_that_windows_lacks_cannot_be_imported(prints: Prints, statement: str, missing: str) -> None:
    assert prints(
        f"""
        try:
            {statement}
        except ModuleNotFoundError as failure:
            print(failure, failure.name)
        """
    ) == [f"No module named '{missing}' {missing}"]


def test_find_spec_agrees(prints: Prints) -> None:
    assert prints(
        """
        import importlib.util
        print([importlib.util.find_spec(name) for name in ("fcntl", "no_such_module")])
        print(importlib.util.find_spec("json").name)
        """
    ) == ["[None, None]", "json"]


def test_every_way_to_import_leads_to_the_mask(prints: Prints) -> None:
    assert prints(
        """
        import os, os.path, sys, importlib
        import os as second, os.path as path
        from os import name, path as third
        print(second is os, path is third is os.path, name)
        print(importlib.import_module("os") is os, __import__("os") is os, __import__("os.path") is os)
        namespace = {}
        exec("import os; from sys import platform", namespace)
        print(namespace["os"] is os, namespace["platform"])
        from platform import *
        print(system())
        def late():
            import errno
            return errno.ECONNREFUSED
        print(late())
        """
    ) == ["True True nt", "True True True", "True win32", "Windows", "10061"]


def test_modules_and_packages_of_the_program_see_windows_too(write: Write, prints: Prints) -> None:
    write("helper.py", "import os\nview = os.name")
    write("package/__init__.py", "from .inner import view")
    write("package/inner.py", "import sys\nview = sys.platform")
    write("plugin.py", "import os\nprint('plugin', os.name)")

    assert prints(
        """
        import helper, package, runpy
        print(helper.view, package.view)
        runpy.run_path("plugin.py")
        """
    ) == ["nt win32", "plugin nt"]


def test_an_installed_package_sees_windows_and_the_emulators_own_do_not(tmp_path: Path) -> None:
    """Where the emulator's requirements lie does not matter to them, and must not: they work on the host."""
    folder = tmp_path / "lib" / "site-packages"
    for name, sees in (("cheroot/server.py", True), ("attr/_make.py", False), ("typing_extensions.py", False)):
        assert views.sees_windows({"__file__": str(folder / name), "__name__": "any"}) is sees


def test_who_sees_windows() -> None:
    assert views.sees_windows({}) is True  # exec with a fresh namespace
    assert views.sees_windows({"__file__": "/home/me/program.py"}) is True
    for module in (json, sys.modules["os"], sys.modules["importlib._bootstrap"], views):
        assert views.sees_windows(vars(module)) is False


def test_os_has_no_posix_functions_and_keeps_posix_paths(prints: Prints) -> None:
    assert prints(
        """
        import os
        for name in "fork getuid setsid kill mkfifo chown uname getpgid O_NONBLOCK WNOHANG environb".split():
            print(name, hasattr(os, name), name in dir(os), name in os.__all__, name in vars(os))
        print(os.O_BINARY | os.O_NOINHERIT, os.sep, os.path.join("a", "b"))
        os.close(os.open("file", os.O_CREAT | os.O_BINARY))
        print(os.path.exists("file"))
        """
    ) == [
        *(f"{name} False False False False" for name in ("fork", "getuid", "setsid")),
        "kill True True True True",
        *(
            f"{name} False False False False"
            for name in ("mkfifo", "chown", "uname", "getpgid", "O_NONBLOCK", "WNOHANG", "environb")
        ),
        "0 / a/b",
        "True",
    ]


def test_a_hidden_name_is_refused_in_the_interpreters_words(emulated: Runner, write: Write) -> None:
    write("attribute.py", "import os\nos.fork()")
    write("name.py", "from os import fork")

    attribute, name = emulated("attribute.py"), emulated("name.py")

    assert attribute.status == name.status == 1
    assert "AttributeError: module 'os' has no attribute 'fork'" in attribute.stderr
    assert "ImportError: cannot import name 'fork' from 'os'" in name.stderr
    assert "winsock2emu" not in attribute.stderr + name.stderr


def test_the_library_keeps_the_hosts_view(prints: Prints) -> None:
    """They all decide by os.name, sys.platform or what they can import, now or when they are first used."""
    assert prints(
        """
        import contextlib, getpass, io, logging.handlers, mimetypes, os, pathlib, shutil, subprocess, sys
        import tempfile, webbrowser
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
            print(pathlib.Path(file.name).exists(), isinstance(pathlib.Path(folder), pathlib.PosixPath))
            shutil.copy(file.name, folder + "/copy")
        print(subprocess.run([sys.executable, "-c", "import os; print(os.name)"], capture_output=True).stdout)
        print(subprocess.getoutput("echo shell"))
        with contextlib.redirect_stdout(io.StringIO()) as text:
            print("redirected")
        print(text.getvalue().strip())
        """
    ) == ["True True", "b'posix\\n'", "shell", "redirected"]


def test_types_of_the_masked_ctypes_work_in_shared_memory(prints: Prints) -> None:
    assert prints(
        """
        import ctypes
        from multiprocessing import sharedctypes
        number = sharedctypes.Value(ctypes.c_long, -5)
        letters = sharedctypes.Array("i", [1, 2, 3])
        print(number.value, ctypes.sizeof(number.get_obj()), letters[:])
        """
    ) == ["-5 4 [1, 2, 3]"]


def test_ctypes_has_windows_sizes_in_every_form_of_import(prints: Prints) -> None:
    assert prints(
        """
        import ctypes, ctypes.wintypes, ctypes.util
        from ctypes import c_ulong, windll, wintypes
        from ctypes.wintypes import DWORD
        import ctypes.wintypes as types
        print(ctypes.sizeof(c_ulong), ctypes.sizeof(DWORD), types is wintypes is ctypes.wintypes)
        print(ctypes.sizeof(ctypes.c_wchar * 3), ctypes.util.find_library("ws2_32"))
        print(windll is ctypes.windll, ctypes.windll.ws2_32.htons(1))
        namespace = {}
        exec("from ctypes import *; from ctypes.wintypes import *", namespace)
        print(namespace["DWORD"] is DWORD, "WinDLL" in namespace, ctypes.sizeof(namespace["c_long"]))
        """
    ) == ["4 4 True", "6 C:\\Windows\\System32\\ws2_32.dll", "True 256", "True True 4"]


def test_the_records_of_a_ctypes_client_have_windows_layout(prints: Prints) -> None:
    """As programs declare them: GUID with c_ulong first, WSABUF with a ULONG length, OVERLAPPED."""
    assert prints(
        """
        from ctypes import *
        from ctypes.wintypes import *

        class GUID(Structure):
            _fields_ = [("Data1", c_ulong), ("Data2", c_ushort), ("Data3", c_ushort), ("Data4", c_ubyte * 8)]

        class WSABUF(Structure):
            _fields_ = [("len", ULONG), ("buf", c_char_p)]

        class OVERLAPPED(Structure):
            _fields_ = [("Internal", c_size_t), ("InternalHigh", c_size_t), ("Offset", DWORD),
                        ("OffsetHigh", DWORD), ("hEvent", HANDLE)]

        class PROTOCOL(Structure):
            _fields_ = [("chain", DWORD * 8), ("szProtocol", WCHAR * 256)]

        print(sizeof(GUID), sizeof(WSABUF), WSABUF.buf.offset, sizeof(OVERLAPPED), sizeof(PROTOCOL))
        entry = PROTOCOL()
        entry.szProtocol = "MSAFD Tcpip"
        print(entry.szProtocol)
        """
    ) == ["16 16 8 32 544", "MSAFD Tcpip"]


def test_errno_has_the_numbers_of_windows(prints: Prints) -> None:
    assert prints(
        """
        import errno
        print(errno.ECONNREFUSED, errno.WSAECONNREFUSED, errno.EWOULDBLOCK, errno.EAGAIN, errno.ENOENT)
        print(errno.errorcode[10061], errno.errorcode[2], errno.ENOTEMPTY, hasattr(errno, "EHWPOISON"))
        """
    ) == ["10061 10061 10035 11 2", "WSAECONNREFUSED ENOENT 41 False"]


def test_errno_agrees_with_the_reference() -> None:
    """The Winsock numbers are compared with the measured ones, and every name has its twin."""
    measured = json.loads(reference("errors.json").read_text(encoding="utf-8"))
    codes = {name: entry["value"] for name, entry in measured["wsa"].items()}
    module = vars(errnos.errno_module())
    winsock = {name: number for name, number in module.items() if name.startswith("WSAE")}

    assert len(winsock) > 40
    assert {name: codes[name] for name in winsock} == winsock
    assert [name for name in module["errorcode"].values() if name not in module] == []


def test_signals_are_those_of_windows(prints: Prints) -> None:
    assert prints(
        """
        import os, signal
        print([name for name in ("SIGALRM", "SIGKILL", "SIGHUP", "alarm", "pthread_kill") if hasattr(signal, name)])
        caught = []
        for number in signal.SIGBREAK, signal.SIGINT:
            signal.signal(number, lambda got, frame: caught.append(got))
        os.kill(os.getpid(), signal.CTRL_BREAK_EVENT)
        os.kill(os.getpid(), signal.CTRL_C_EVENT)
        print(caught == [signal.SIGBREAK, signal.SIGINT])
        """
    ) == ["[]", "True"]


def test_windows_error_is_a_builtin(prints: Prints) -> None:
    assert prints("print(WindowsError is OSError)") == ["True"]


def test_setting_a_name_of_a_masked_module_acts_on_the_real_one(prints: Prints) -> None:
    """What a program sets in sys the interpreter has to see; what it patches in os the library has to see."""
    assert prints(
        """
        import io, os, pathlib, sys
        from unittest import mock
        console, sys.stdout = sys.stdout, io.StringIO()
        print("kept")
        text, sys.stdout = sys.stdout, console
        print(text.getvalue().strip())
        with mock.patch.object(os, "getcwd", lambda: "/patched"):
            print(os.getcwd(), pathlib.Path.cwd())
        with mock.patch("os.getpid", return_value=5):
            print(os.getpid())
        with mock.patch.object(os, "name", "java"), mock.patch.object(sys, "platform", "java"):
            print(os.name, sys.platform, pathlib.Path("x"))
        print(os.name, sys.platform, os.getcwd() != "/patched", os.getpid() != 5)
        os.fork = lambda: "own"
        print(os.fork())
        del os.fork
        print(hasattr(os, "fork"))
        """
    ) == ["kept", "/patched /patched", "5", "java java x", "nt win32 True True", "own", "False"]


def test_processes_are_spawned_and_see_windows(prints: Prints) -> None:
    assert prints(
        """
        import concurrent.futures
        import multiprocessing
        import os
        import sys

        def view(number):
            import ctypes
            return number, os.name, sys.platform, ctypes.windll.ws2_32.htons(number), __name__

        if __name__ == "__main__":
            print(multiprocessing.get_start_method())
            with multiprocessing.Pool(1) as pool:
                print(pool.map(view, [1]))
            with concurrent.futures.ProcessPoolExecutor(1) as executor:
                print(executor.submit(view, 2).result())
            process = multiprocessing.Process(target=sys.exit, args=(3,))
            process.start()
            process.join()
            print(process.exitcode)
        """
    ) == [
        "spawn",
        "[(1, 'nt', 'win32', 256, '__mp_main__')]",
        "(2, 'nt', 'win32', 512, '__mp_main__')",
        "3",
    ]


def test_a_test_suite_runs_under_the_masks(emulated: Runner, write: Write) -> None:
    write(
        "test_suite.py",
        """
        import os, sys
        import pytest

        def test_view(monkeypatch):
            assert (os.name, sys.platform) == ("nt", "win32")
            monkeypatch.setattr(os, "getcwd", lambda: "/patched")
            assert os.getcwd() == "/patched"

        @pytest.mark.skipif(sys.platform == "win32", reason="not here")
        def test_posix():
            raise AssertionError
        """,
    )

    outcome = emulated("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_suite.py")

    assert "1 passed, 1 skipped" in outcome.stdout
    assert outcome.status == 0


def test_installing_twice_and_uninstalling(python: Runner) -> None:
    """In a process of its own: the import statement is the interpreter's only one."""
    source = """
        import builtins, importlib, importlib.util, multiprocessing
        from winsock2emu.cli import masks
        def state():
            return (builtins.__import__, importlib.import_module, importlib.util.find_spec,
                    hasattr(builtins, "WindowsError"), multiprocessing.get_context().get_start_method())
        before = state()
        masks.install()
        masks.install()
        import os
        print(os.name, state() != before)
        masks.uninstall()
        masks.uninstall()
        import os
        print(os.name, state() == before)
        import fcntl
    """
    outcome = python("-c", re.sub(r"^ {8}", "", source, flags=re.MULTILINE))

    assert (outcome.stderr, outcome.stdout) == ("", "nt True\nposix True\n")


def test_a_mask_in_isolation() -> None:
    host = ModuleType("thing")
    vars(host).update(shared=1, posix=2, changed=3, __all__=["shared", "posix", "changed"])
    mask = Mask(host, {"changed": 30, "added": 40}, {"posix"})

    assert (mask.shared, mask.changed, mask.added) == (1, 30, 40)
    assert mask.__all__ == ["shared", "changed"]
    assert {"shared", "changed", "added"} <= set(dir(mask))
    assert "posix" not in dir(mask)
    assert vars(mask)["changed"] == 30
    host.shared = 100  # type: ignore[attr-defined]
    assert mask.shared == 100
    mask.shared = 101
    mask.changed = 31
    mask.new = 5
    assert (vars(host)["shared"], vars(host)["changed"], vars(host)["new"]) == (101, 3, 5)
    del mask.new
    assert not hasattr(host, "new")
    with pytest.raises(AttributeError, match="module 'thing' has no attribute 'posix'"):
        mask.posix  # noqa: B018


def test_every_masked_module_can_be_made_and_has_its_name() -> None:
    """Its own, or the one it has in the emulator where the host has no such module."""
    own_names = {"os.path": "posixpath", "_overlapped": "overlapped", "_winapi": "winapi"}

    for name, make in MASKED.items():
        own = own_names.get(name, name)
        assert make().__name__ in (own, f"winsock2emu.compat.{own.rpartition('.')[2]}")


def test_a_package_can_be_given_the_hosts_view(emulated: Runner, write: Write, tmp_path: Path) -> None:
    """Also in the processes the program starts, whichever way the option is written."""
    write("site-packages/chosen/__init__.py", "import os\nview = os.name")
    write("site-packages/other.py", "import os\nview = os.name")
    write(
        "program.py",
        """
        import multiprocessing, sys
        sys.path.append("site-packages")

        def show():
            import chosen, other
            print(chosen.view, other.view, flush=True)

        if __name__ == "__main__":
            show()
            process = multiprocessing.Process(target=show)
            process.start()
            process.join()
        """,
    )

    for option in (["--host-view", "chosen"], ["--host-view=none", "--host-view=chosen"]):
        assert emulated(*option, "program.py").stdout == "posix nt\nposix nt\n"
    assert emulated("program.py").stdout == "nt nt\nnt nt\n"


def test_path_functions_that_only_windows_has(prints: Prints) -> None:
    there = sys.version_info >= (3, 13)

    assert prints("import os.path; print(hasattr(os.path, 'isreserved'), os.path.basename('a/b'))") == [f"{there} b"]


def test_a_module_that_serves_asyncios_loop_sees_windows_in_a_package_that_does_not(
    emulated: Runner, write: Write
) -> None:
    """dnspython reads its settings from the host, and binds datagram sockets as the proactor's loop needs it."""
    write("site-packages/dns/__init__.py", "import sys\nview = sys.platform")
    write("site-packages/dns/_asyncio_backend.py", "import sys\nview = sys.platform")
    write(
        "program.py",
        """
        import sys
        sys.path.insert(0, "site-packages")
        import dns._asyncio_backend
        print(dns.view, dns._asyncio_backend.view)
        """,
    )

    assert emulated("program.py").stdout == f"{sys.platform} win32\n"
