"""Which process identifiers belong to somebody."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from winsock2emu.kernel.processes import process_exists


def test_processes_that_run_exist() -> None:
    assert process_exists(os.getpid())
    assert process_exists(os.getppid())
    assert process_exists(1)  # not ours, for most who run this


def test_a_process_that_has_ended_does_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert process_exists(child.pid)
        child.communicate(b"\n")
    assert not process_exists(child.pid)


@pytest.mark.parametrize("number", [0, -1, 1 << 31, 0xFFFFFFFF, 1 << 64])
def test_numbers_that_no_process_has(number: int) -> None:
    """0 and -1 would mean many processes to the host."""
    assert not process_exists(number)
