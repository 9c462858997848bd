"""Loading a provider: when it happens, how long it lasts, and what a program sees when it goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.targets.recording import (
    LOCAL,
    PATH,
    PROVIDER_ID,
    Call,
    RecordingProvider,
    installed,
    recorder,
    row,
    started,
)
from winsock2emu import ws2_32
from winsock2emu.catalog.loader import resolve
from winsock2emu.catalog.protocols import Catalog
from winsock2emu.defs.codes import (
    WSAEINVALIDPROCTABLE,
    WSAEINVALIDPROVIDER,
    WSAENETDOWN,
    WSAENOTSOCK,
    WSAEPROVIDERFAILEDINIT,
    WSANOTINITIALISED,
    WSASYSCALLFAILURE,
    WSASYSNOTREADY,
)
from winsock2emu.defs.constants import AF_INET, SOCK_STREAM
from winsock2emu.defs.records import ProtocolInfo, WSPData
from winsock2emu.errors import WinsockError, get_last_error
from winsock2emu.process import Process
from winsock2emu.spi import PROC_TABLE, Upcalls

VERSION_1_1, VERSION_2_2, VERSION_2_3 = 0x0101, 0x0202, 0x0302


def stream() -> int:
    return ws2_32.socket(AF_INET, SOCK_STREAM, 0)


def fails(code: int, call: Callable[..., Any], *args: Any) -> WinsockError:
    with pytest.raises(WinsockError) as caught:
        call(*args)
    assert caught.value.code == code == get_last_error()
    return caught.value


class Factory:
    """Makes recording providers and keeps them; ``prepare`` gets each before it starts."""

    def __init__(self, prepare: Callable[[RecordingProvider], Any] = lambda provider: None) -> None:
        self.made: list[RecordingProvider] = []
        self.prepare = prepare

    def __call__(self) -> Any:
        provider = RecordingProvider()
        self.made.append(provider)
        return self.prepare(provider) or provider


@pytest.fixture
def factory() -> Factory:
    return Factory()


@pytest.fixture
def path(factory: Factory) -> Iterator[str]:
    """Where the factory can be loaded from."""
    with installed(factory) as path:
        yield path


# When


def test_a_provider_is_loaded_when_a_socket_is_wanted(factory: Factory, path: str) -> None:
    """R1.32: not by WSAStartup, nor by what the DLL answers itself."""
    with started(row(path=path)):
        ws2_32.WSAEnumProtocols()
        ws2_32.htons(1)
        fails(WSAENOTSOCK, ws2_32.closesocket, 7)
        assert factory.made == []

        stream()
        assert factory.made[0].names() == ["WSPStartup", "WSPSocket"]

        stream()
        assert len(factory.made) == 1
        assert factory.made[0].names() == ["WSPStartup", "WSPSocket", "WSPSocket"]


def test_an_address_as_text_needs_a_provider_too(factory: Factory, path: str) -> None:
    with started(row(path=path)):
        ws2_32.WSAAddressToString(LOCAL)
        assert factory.made[0].names() == ["WSPStartup", "WSPAddressToString"]


def test_what_the_first_call_says(factory: Factory, path: str) -> None:
    """R1.35, R1.36, R1.45: the highest version, the row that is wanted, the upcall table."""
    rows = [row(1, path=path), row(2, path=path, af=99)]
    with started(*rows) as process:
        ws2_32.socket(99, SOCK_STREAM, 0)
        assert factory.made[0].calls[0] == Call("WSPStartup", (VERSION_2_2, rows[1].info, process.upcalls))


def test_rows_with_one_path_share_a_provider(factory: Factory, path: str) -> None:
    with (
        installed(factory) as elsewhere,
        started(row(1, path=path), row(2, path=path, af=99), row(3, path=elsewhere, af=98)) as process,
    ):
        sockets = [ws2_32.socket(af, SOCK_STREAM, 0) for af in (AF_INET, 99, 98)]

        owners = [process.socket(s).owner for s in sockets]
        assert owners[0] is owners[1] is not owners[2]
        assert [owner.provider for owner in owners[1:]] == factory.made
        assert factory.made[0].startups == 1


def test_two_processes_share_nothing(factory: Factory, path: str) -> None:
    with started(row(path=path)) as one, started(row(path=path)) as other:
        stream()
        with one.active():
            stream()
            assert one.sockets() == other.sockets()
        assert len(factory.made) == 2
        assert [provider.upcalls for provider in factory.made] == [other.upcalls, one.upcalls]


# How long


def test_the_last_cleanup_ends_it_and_the_next_startup_begins_anew(factory: Factory, path: str) -> None:
    """R1.15, R1.23, R1.32: one WSPStartup, one WSPCleanup; sockets of the time before are gone."""
    process = Process(catalog=lambda: Catalog([row(path=path)]))
    with process.active():
        ws2_32.WSAStartup(VERSION_2_2)
        ws2_32.WSAStartup(VERSION_2_2)
        s = stream()

        ws2_32.WSACleanup()
        assert "WSPCleanup" not in factory.made[0].names()
        ws2_32.listen(s, 1)

        ws2_32.WSACleanup()
        assert factory.made[0].names().count("WSPCleanup") == 1
        assert factory.made[0].startups == 0
        assert process.sockets() == []
        fails(WSANOTINITIALISED, ws2_32.listen, s, 1)
        fails(WSANOTINITIALISED, stream)

        ws2_32.WSAStartup(VERSION_2_2)
        fails(WSAENOTSOCK, ws2_32.listen, s, 1)
        stream()
        assert len(factory.made) == 2
        assert factory.made[1].names() == ["WSPStartup", "WSPSocket"]
        ws2_32.WSACleanup()
        assert [provider.startups for provider in factory.made] == [0, 0]


def test_what_was_never_loaded_is_not_cleaned_up(factory: Factory, path: str) -> None:
    with started(row(path=path)):
        ws2_32.WSACleanup()
    assert factory.made == []


@pytest.mark.parametrize(
    ("failure", "code"), [(WinsockError(WSAENETDOWN), WSAENETDOWN), (ValueError("a mistake"), WSASYSCALLFAILURE)]
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_cleanup_that_fails_ends_everything_all_the_same(failure: Exception, code: int, which: int) -> None:
    """The other provider, every handle, the startup itself."""
    with installed(RecordingProvider) as path, started(row(), row(1002, af=99, path=path)) as process:
        first, second = recorder(process), recorder(process, path)
        for af in (AF_INET, 99):
            ws2_32.socket(af, SOCK_STREAM, 0)
        (first, second)[which].failures["WSPCleanup"] = failure

        fails(code, ws2_32.WSACleanup)

        assert first.names().count("WSPCleanup") == second.names().count("WSPCleanup") == 1
        assert process.startup_count == 0
        assert process.sockets() == []
        fails(WSANOTINITIALISED, ws2_32.WSACleanup)
        ws2_32.WSAStartup(VERSION_2_2)
        stream()
        assert recorder(process) is not first


class Lingering(RecordingProvider):
    """Lets another thread start anew while its WSPCleanup runs, and leaves its own handles open."""

    meanwhile: Callable[[], None]

    def WSPCleanup(self) -> None:
        self.meanwhile()


def test_a_startup_during_the_cleanup_keeps_its_sockets() -> None:
    """R1.20, R1.23: what the old startup left is freed, what the new one made is not."""
    with installed(Lingering) as path, started(row(path=path)) as process:
        left, also_left = stream(), stream()
        provider = process.socket(left).owner.provider
        assert isinstance(provider, Lingering)
        new: list[int] = []

        def meanwhile() -> None:
            process.upcalls.WPUCloseSocketHandle(left)
            ws2_32.WSAStartup(VERSION_2_2)
            new.append(stream())

        provider.meanwhile = meanwhile
        ws2_32.WSACleanup()

        assert new == [left]  # the number at least is the old one
        assert process.sockets() == new
        fails(WSAENOTSOCK, ws2_32.listen, also_left, 1)
        ws2_32.listen(left, 1)
        successor = process.socket(left).owner.provider
        assert isinstance(successor, Lingering)
        assert successor is not provider
        successor.meanwhile = lambda: None


def test_nothing_is_loaded_after_the_last_cleanup(factory: Factory, path: str) -> None:
    """The cleanup comes between the choice of the row and the loading, in another thread."""
    with started(row(path=path)) as process:
        entry = process.catalog.entries[0]
        process.cleanup()

        with pytest.raises(WinsockError) as caught:
            process.provider(entry)

        assert caught.value.code == WSANOTINITIALISED
        assert factory.made == []


# Several threads


def run(*calls: Callable[[], None]) -> None:
    """Each call in a thread of its own, all let go at once."""
    barrier = threading.Barrier(len(calls))
    failures: list[BaseException] = []

    def body(call: Callable[[], None]) -> None:
        try:
            barrier.wait(10)
            call()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=body, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


def test_threads_that_race_for_the_first_use_start_it_once() -> None:
    """WSPStartup stays inside for a while, to see whether a second one comes in."""
    inside: list[int] = []
    second = threading.Event()

    class Slow(RecordingProvider):
        def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
            inside.append(threading.get_ident())
            if len(inside) > 1:
                second.set()
            second.wait(0.05)
            return super().WSPStartup(version, info, upcalls)

    with installed(Slow) as path, started(row(path=path)) as process:

        def body() -> None:
            with process.active():
                stream()

        run(*[body] * 4)

        assert len(inside) == 1
        assert len(process.sockets()) == 4
        assert recorder(process, path).names() == ["WSPStartup"] + ["WSPSocket"] * 4


def test_threads_that_race_for_a_provider_that_fails_each_try_it(factory: Factory, path: str) -> None:
    """A failure is not remembered, so nobody takes a broken provider for a loaded one."""

    def broken(provider: RecordingProvider) -> None:
        provider.failures["WSPStartup"] = WinsockError(WSASYSNOTREADY)

    factory.prepare = broken
    with started(row(path=path)) as process:

        def body() -> None:
            with process.active():
                fails(WSAEPROVIDERFAILEDINIT, stream)

        run(*[body] * 4)

        assert len(factory.made) == 4
        assert process.sockets() == []


def test_startups_and_cleanups_of_many_threads_keep_the_count(factory: Factory, path: str) -> None:
    process = Process(catalog=lambda: Catalog([row(path=path)]))

    def body() -> None:
        with process.active():
            for _ in range(20):
                ws2_32.WSAStartup(VERSION_2_2)
                ws2_32.closesocket(stream())
                ws2_32.WSACleanup()

    run(*[body] * 4)

    assert process.startup_count == 0
    assert process.sockets() == []
    assert [provider.startups for provider in factory.made] == [0] * len(factory.made)


# What can go wrong: the module


@pytest.mark.parametrize(
    "bad",
    [
        "tests.spi.nowhere:Provider",
        "nowhere_at_all:Provider",
        "conformance.targets.recording:Nothing",
        "conformance.targets.recording",
        "conformance.targets.recording:",
        ":RecordingProvider",
        "",
        ":",
        "tests..spi:Provider",
        "conformance/targets/recording.py:RecordingProvider",
        "conformance.targets.recording:PATH",  # a string: nothing to call
        "winsock2emu.spi:TransportProvider",  # a contract, no provider
        "builtins:object",  # no WSPStartup
    ],
)
def test_a_path_that_leads_to_no_provider(bad: str) -> None:
    """R1.39."""
    with started(row(path=bad)) as process:
        failure = fails(WSAEPROVIDERFAILEDINIT, stream)
        assert failure.__cause__ is not None
        assert process.sockets() == []


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("raise RuntimeError('broken')", RuntimeError),
        ("this is no python", SyntaxError),
        ("import nowhere", ImportError),
    ],
)
def test_a_module_that_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, kind: type[Exception]
) -> None:
    """R1.39; repaired, it is loaded at the next attempt."""
    name = f"module_{tmp_path.name.replace('-', '_')}"
    file = tmp_path / f"{name}.py"
    file.write_text(f"{source}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with started(row(path=f"{name}:Provider")) as process:
        failure = fails(WSAEPROVIDERFAILEDINIT, stream)
        assert isinstance(failure.__cause__, kind)

        file.unlink()
        repaired = tmp_path / name
        repaired.mkdir()
        (repaired / "__init__.py").write_text(
            "from conformance.targets.recording import RecordingProvider as Provider\n"
        )
        monkeypatch.syspath_prepend(tmp_path)  # and forget what the import system remembers of the folder
        assert [stream()] == process.sockets()


@pytest.mark.parametrize("failure", [RuntimeError("broken"), TypeError("broken"), WinsockError(WSASYSNOTREADY)])
def test_a_provider_that_cannot_be_made(factory: Factory, path: str, failure: Exception) -> None:
    """R1.39."""

    def refuse(provider: RecordingProvider) -> None:
        raise failure

    factory.prepare = refuse
    with started(row(path=path)):
        assert fails(WSAEPROVIDERFAILEDINIT, stream).__cause__ is failure


@pytest.mark.parametrize("failure", [WinsockError(WSASYSNOTREADY), OSError(5, "broken"), ValueError("broken")])
def test_a_provider_that_does_not_start(factory: Factory, path: str, failure: Exception) -> None:
    """R1.39: its own code is not the program's; nothing is cleaned up, and the next call tries again."""

    def refuse(provider: RecordingProvider) -> None:
        provider.failures["WSPStartup"] = failure

    factory.prepare = refuse
    with started(row(path=path)) as process:
        assert fails(WSAEPROVIDERFAILEDINIT, stream).__cause__ is failure
        assert factory.made[0].names() == ["WSPStartup"]

        factory.prepare = lambda provider: None
        assert [stream()] == process.sockets()
        assert factory.made[1].names() == ["WSPStartup", "WSPSocket"]


# What can go wrong: the version


@pytest.mark.parametrize("version", [VERSION_1_1, 0x0102, 0, VERSION_2_3])
def test_a_provider_of_another_version(factory: Factory, path: str, version: int) -> None:
    """R1.38: cleaned up first, never asked for a socket."""

    def old(provider: RecordingProvider) -> None:
        provider.version = version

    factory.prepare = old
    with started(row(path=path)) as process:
        fails(WSAEINVALIDPROVIDER, stream)
        assert factory.made[0].names() == ["WSPStartup", "WSPCleanup"]
        assert factory.made[0].startups == 0

        fails(WSAEINVALIDPROVIDER, stream)
        assert len(factory.made) == 2
        assert process.sockets() == []


@pytest.mark.parametrize("answer", [None, VERSION_2_2, (VERSION_2_2, VERSION_2_2)])
def test_an_answer_that_is_no_answer(factory: Factory, path: str, answer: Any) -> None:
    """A version that is not said is none that can be used."""

    class Mute(RecordingProvider):
        def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
            super().WSPStartup(version, info, upcalls)
            return answer  # type: ignore[no-any-return]

    made = Mute()
    factory.prepare = lambda provider: made
    with started(row(path=path)):
        fails(WSAEINVALIDPROVIDER, stream)
        assert made.names() == ["WSPStartup", "WSPCleanup"]


def test_a_refused_provider_may_fail_to_clean_up(factory: Factory, path: str) -> None:
    """The program learns why it was refused."""

    def old(provider: RecordingProvider) -> None:
        provider.version = VERSION_1_1
        provider.failures["WSPCleanup"] = RuntimeError("broken")

    factory.prepare = old
    with started(row(path=path)):
        fails(WSAEINVALIDPROVIDER, stream)
        assert factory.made[0].names() == ["WSPStartup", "WSPCleanup"]


# What can go wrong: the table


class Lacking:
    """A provider as it is, but for one name."""

    def __init__(self, provider: RecordingProvider, name: str) -> None:
        self.provider = provider
        self.name = name

    def __getattr__(self, name: str) -> Any:
        if name == self.name:
            raise AttributeError(name)
        return getattr(self.provider, name)


@pytest.mark.parametrize("gap", ["missing", "None"])
@pytest.mark.parametrize("name", PROC_TABLE)
def test_a_provider_with_a_gap_in_its_table(factory: Factory, path: str, name: str, gap: str) -> None:
    """R1.40: each of the 30; cleaned up first, if it can be."""
    if gap == "missing":
        factory.prepare = lambda provider: Lacking(provider, name)
    else:
        factory.prepare = lambda provider: setattr(provider, name, None)
    with started(row(path=path)) as process:
        fails(WSAEINVALIDPROCTABLE, stream)

        assert factory.made[0].names() == ["WSPStartup"] + ["WSPCleanup"] * (name != "WSPCleanup")
        assert process.sockets() == []


def test_a_table_is_read_when_wspstartup_has_returned(factory: Factory, path: str) -> None:
    """R1.35: it fills the table, so entries may appear no sooner; later changes do not count."""

    class Filling(RecordingProvider):
        WSPListen: Any = None

        def WSPStartup(self, version: int, info: ProtocolInfo, upcalls: Upcalls, /) -> WSPData:
            self.WSPListen = lambda s, backlog: self.calls.append(Call("filled", (s, backlog)))
            return super().WSPStartup(version, info, upcalls)

    made = Filling()
    factory.prepare = lambda provider: made
    with started(row(path=path)):
        s = stream()
        made.WSPListen = None
        ws2_32.listen(s, 3)
        assert made.calls[-1] == Call("filled", (s, 3))


# Paths with environment variables


def test_variables_in_a_path_are_expanded_when_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """R1.84: not before, and the stored path stays as it is."""
    monkeypatch.delenv("PACKAGE", raising=False)
    entry = row(path="%PACKAGE%.recording:%Kind%Provider")
    with started(entry) as process:
        monkeypatch.setenv("PACKAGE", "conformance.targets")
        monkeypatch.setenv("Kind", "Recording")
        s = stream()
        monkeypatch.setenv("PACKAGE", "elsewhere")

        provider = process.socket(s).owner.provider
        assert isinstance(provider, RecordingProvider)
        assert process.socket(s).entry.provider_path == "%PACKAGE%.recording:%Kind%Provider"
        assert provider.upcalls.WPUGetProviderPath(PROVIDER_ID) == "%PACKAGE%.recording:%Kind%Provider"
        stream()  # loaded is loaded


def test_names_of_variables_have_no_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows; the exact name goes first where the host has both."""
    monkeypatch.setenv("WhereItIs", "conformance.targets.recording")

    assert resolve("%WHEREITIS%:RecordingProvider") is RecordingProvider
    assert resolve("%whereitis%:RecordingProvider") is RecordingProvider

    monkeypatch.setenv("WHEREITIS", "tests.spi.nowhere")
    assert resolve("%WhereItIs%:RecordingProvider") is RecordingProvider


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("%UNKNOWN%", "%UNKNOWN%"),
        ("%KNOWN%%", "value%"),
        ("%KNOWN%:%", "value:%"),
        ("50%", "50%"),
        ("%%", "%%"),
        ("%KNOWN%%KNOWN%", "valuevalue"),
        ("a%KNOWN%b%UNKNOWN%c", "avalueb%UNKNOWN%c"),
    ],
)
def test_what_names_no_variable_stays(monkeypatch: pytest.MonkeyPatch, name: str, read: str) -> None:
    """A module may have any name that the import system takes."""
    monkeypatch.setenv("KNOWN", "value")
    monkeypatch.delenv("UNKNOWN", raising=False)
    asked: list[str] = []

    def import_module(name: str) -> Any:
        asked.append(name)
        raise ImportError(name)

    monkeypatch.setattr("winsock2emu.catalog.loader.importlib.import_module", import_module)
    with pytest.raises(WinsockError):
        resolve(f"{name}:Provider")

    assert asked == [read.partition(":")[0]]


def test_the_recording_provider_can_be_named_in_a_catalog() -> None:
    """What every test here builds on: a path, not an object."""
    with started(row(path=PATH)) as process:
        assert [stream()] == process.sockets()
