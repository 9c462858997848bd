"""The benchmarks run: every row, once and briefly. What they measure is not judged here."""

from __future__ import annotations

import json
import math
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bench import iocp, run
from tests.bench.measure import QUICK, Measured, Plan, Unavailable, bounded, compare, pinned, timed
from tests.bench.rows import MEASUREMENTS
from tests.bench.table import ROWS, Row

TINY = Plan(rounds=2, slice_ms=0.05, repeats=1, limit_s=30)
BY_NAME = {row.name: row for row in ROWS}


@pytest.fixture(autouse=True)
def _pinned() -> Iterator[None]:
    """As in a real run; peers inherit it."""
    with pinned():
        yield


# The table


def test_rows_have_names_of_their_own_and_what_is_measured_stands_in_the_table() -> None:
    assert len(BY_NAME) == len(ROWS)
    assert set(MEASUREMENTS) <= set(BY_NAME)


def test_the_table_has_every_number() -> None:
    assert {row.number for row in ROWS} == set(range(1, 40))


@pytest.mark.parametrize(
    ("kind", "value", "limit", "met"),
    [
        ("cost", 1.1, 1.1, True),
        ("cost", 1.2, 1.1, False),
        ("rate", 1.1, 1.1, True),
        ("rate", 1.0, 1.1, False),
        ("bytes", 1025, 1024, False),
        ("cost", 9.9, None, None),
    ],
)
def test_a_cost_is_met_from_below_and_a_rate_from_above(kind: Any, value: float, limit: float, met: bool) -> None:
    assert Row(1, "row", "work", "other work", kind, limit).meets(value, limit) is met


# Measuring


def test_quotients_are_taken_per_unit_of_work_and_the_order_takes_turns() -> None:
    order: list[str] = []

    def ours(count: int) -> int:
        order.append("ours")
        return 3000 * count

    def theirs(count: int) -> int:
        order.append("theirs")
        return 2000 * count

    quotients, ns = compare(ours, theirs, Plan(rounds=4, slice_ms=1, repeats=1, limit_s=1))

    assert quotients == [1.5] * 4
    assert ns == (3000.0, 2000.0)
    turns = [tuple(order[-8:][index : index + 2]) for index in (0, 2, 4, 6)]
    assert turns == [("theirs", "ours"), ("ours", "theirs")] * 2


def test_a_slice_lasts_about_as_long_as_planned() -> None:
    counts: list[int] = []

    def work(count: int) -> int:
        counts.append(count)
        return 1000 * count

    compare(work, work, Plan(rounds=1, slice_ms=0.5, repeats=1, limit_s=1))
    assert counts[-1] == 500


def test_the_median_and_the_quartiles_of_the_rounds() -> None:
    measured = Measured.of([5, 1, 2, 4, 3], (7.0, 2.0), sleeps=1.0)
    assert (measured.value, measured.quartiles, measured.rounds) == (3, (2, 4), 5)
    assert (measured.ns, measured.notes) == ((7.0, 2.0), {"sleeps": 1.0})


def test_a_slice_is_timed_in_nanoseconds() -> None:
    seen: list[int] = []
    assert timed(seen.append)(3) > 0
    assert seen == [3]


def test_what_takes_too_long_is_broken_off_even_asleep() -> None:
    with pytest.raises(TimeoutError, match=r"0\.05 s"), bounded(0.05):
        threading.Event().wait(20)


def test_a_limit_ends_with_its_block() -> None:
    with bounded(0.05):
        pass
    assert not threading.Event().wait(0.1)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the host cannot pin")
def test_pinning_is_undone() -> None:
    before = os.sched_getaffinity(0)
    with pinned() as cpu:
        assert os.sched_getaffinity(0) == {cpu}
    assert os.sched_getaffinity(0) == before


# The rows


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_row_runs(name: str) -> None:
    with bounded(TINY.limit_s):
        try:
            measured = MEASUREMENTS[name](TINY)
        except Unavailable as lack:
            pytest.skip(str(lack))

    low, high = measured.quartiles
    assert 0 < low <= measured.value <= high < math.inf
    assert measured.rounds >= 1
    if BY_NAME[name].kind == "bytes":
        assert measured.ns is None
    else:
        assert measured.ns is not None
        assert all(0 < ns < math.inf for ns in measured.ns)


def test_every_receive_of_the_blocking_echo_waits() -> None:
    """On one CPU, with an echo that does not push us off it; elsewhere the notes say how often it was so."""
    plan = Plan(rounds=3, slice_ms=2, repeats=1, limit_s=30)
    notes = MEASUREMENTS["blocking-echo"](plan).notes
    assert set(notes) == {"our_sleeps", "host_sleeps"}
    if hasattr(os, "SCHED_BATCH"):
        assert min(notes.values()) > 0.5


def test_the_load_measures_what_it_is_told_to() -> None:
    with iocp.serving("epoll", 3) as server:
        elapsed = server.run(30)
        server.run(30)

    assert elapsed > 0
    assert len(server.p50_us) == len(server.p99_us) == len(server.cpu_us) == 2
    assert all(0 < p50 <= p99 <= elapsed for p50, p99 in zip(server.p50_us, server.p99_us, strict=True))


def test_a_rate_is_the_other_way_round_than_a_time_and_the_percentile_is_of_the_same_round() -> None:
    """The first slice of each server has found out how many round trips a slice has."""
    nobody: Any = None
    ours, theirs = (iocp.Server(nobody, nobody, 1, p99_us=p99) for p99 in ([9.0, 4.0, 9.0], [9.0, 9.0, 2.0, 3.0]))
    assert iocp.rates(ours, theirs, [2.0, 0.5]) == [0.5, 2.0]
    assert iocp.p99s(ours, theirs, [2.0, 0.5]) == [2.0, 3.0]


# The command


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "FULL", TINY)


@pytest.mark.usefixtures("brief")
def test_the_result_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deep" / "bench.json"
    assert run.main(["--rows", "1,34", "--json", str(file)]) == 0

    result = json.loads(file.read_text(encoding="utf-8"))
    assert set(result) == {"machine", "python", "commit", "rounds", "rows", "failed"}
    assert set(result["machine"]) == {"system", "processor", "cpus", "pinned_to"}
    assert set(result["python"]) == {"implementation", "version", "compiler"}
    assert result["commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", result["commit"])
    assert (result["rounds"], result["failed"]) == (TINY.rounds, [])
    assert [(row["number"], row["name"]) for row in result["rows"]] == [(1, "sync-64"), (34, "memory-socket")]
    first, memory = result["rows"]
    assert set(first) == {
        "number", "name", "work", "divided_by", "kind", "goal", "stretch", "value", "quartiles", "rounds", "met",
        "stretch_met", "ns", "notes",
    }  # fmt: skip
    assert (first["kind"], first["goal"], first["stretch"]) == ("cost", 1.3, 1.18)
    assert first["met"] is (first["value"] <= 1.3)
    assert len(first["quartiles"]) == len(first["ns"]) == 2
    assert (memory["kind"], memory["goal"], memory["stretch"], memory["stretch_met"]) == ("bytes", 1024, None, None)

    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["row", "name", "value"]
    assert [line.split()[:2] for line in lines] == [["1", "sync-64"], ["34", "memory-socket"]]


@pytest.mark.usefixtures("brief")
def test_a_row_that_fails_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(plan: Plan) -> Measured:
        raise ConnectionResetError("gone")

    monkeypatch.setitem(MEASUREMENTS, "sync-64", broken)
    file = tmp_path / "bench.json"

    assert run.main(["--rows", "1,2", "--json", str(file)]) == 1

    result = json.loads(file.read_text(encoding="utf-8"))
    assert result["failed"] == ["sync-64"]
    assert [row["name"] for row in result["rows"]] == ["send-recv-64"]
    assert "could not be measured: ConnectionResetError: gone" in capsys.readouterr().out


@pytest.mark.usefixtures("brief")
def test_a_row_that_cannot_be_measured_here_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(plan: Plan) -> Measured:
        raise Unavailable("no such thing here")

    monkeypatch.setitem(MEASUREMENTS, "sync-64", lacking)
    file = tmp_path / "bench.json"

    assert run.main(["--rows", "1,2", "--json", str(file)]) == 0

    result = json.loads(file.read_text(encoding="utf-8"))
    assert (result["failed"], [row["name"] for row in result["rows"]]) == ([], ["send-recv-64"])
    assert "not measured here: no such thing here" in capsys.readouterr().out


def test_quick_means_fewer_rounds(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    assert run.main(["--rows", "2", "--quick", "--json", str(file)]) == 0
    assert json.loads(file.read_text(encoding="utf-8"))["rounds"] == QUICK.rounds


@pytest.mark.parametrize("rows", ["0", "1,99", "x"])
def test_a_number_without_a_row_is_a_usage_error(rows: str, tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    with pytest.raises(SystemExit) as caught:
        run.main(["--rows", rows, "--json", str(file)])
    assert caught.value.code == 2
    assert not file.exists()


def test_without_numbers_every_measured_row_is_meant() -> None:
    assert [row.name for row in run.measured_rows(None)] == [row.name for row in ROWS if row.name in MEASUREMENTS]
