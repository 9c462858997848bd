"""The command line before a command takes over."""

from __future__ import annotations

import pytest

import winsock2emu
from winsock2emu import cli


def test_a_command_gets_its_arguments_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def main(arguments: list[str]) -> int:
        seen.append(arguments)
        return 5

    monkeypatch.setattr("winsock2emu.cli.run.main", main)

    assert cli.main(["run", "--version", "-h", "program.py", "--"]) == 5
    assert seen == [["--version", "-h", "program.py", "--"]]


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert [name for name, command in cli.COMMANDS.items() if command.summary not in printed] == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"winsock2emu {winsock2emu.__version__}\n"


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "usage: winsock2emu" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["--no-such-option"], ["run", "-m"], ["run", "--bad", "x.py"]]
)
def test_a_command_line_that_makes_no_sense(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_command_of_a_part_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "extra", cli.Command("more", "no_such_package.command"))

    assert cli.main(["extra"]) == 2
    assert "extra needs no_such_package" in capsys.readouterr().err


def test_the_package_shows_the_names_it_has() -> None:
    assert winsock2emu.windll.ws2_32.htons(1) == 256
    assert winsock2emu.WinsockError is vars(winsock2emu.errors)["WinsockError"]
    assert {"windll", "ws2_32", "kernel32", "Process", "WinsockError"} <= set(dir(winsock2emu))
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        winsock2emu.no_such_name  # noqa: B018
