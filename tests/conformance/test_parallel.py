"""Worker processes: the same answers as in one process, and a case that goes wrong costs only itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import pytest

from conformance import parallel, runner, targets
from conformance.model import Case, Outcome, Result
from tests.conformance import smallsuite

SUITE = runner.collect(smallsuite)


def tried(*beginnings: str, workers: int = 2, repeat: int = 1) -> dict[str, Result]:
    cases = [case for case in SUITE.cases if case.id.startswith(beginnings)]
    lines = runner.run(cases, [targets.make("api")], workers=workers, package=SUITE.package, repeat=repeat)
    assert [line.case for line in lines] == cases
    return {line.case.id: line.results["api"] for line in lines}


def test_results_come_back_in_the_order_of_the_cases() -> None:
    results = tried("trouble.passes", "trouble.fails")
    assert [result.outcome for result in results.values()] == [Outcome.PASS] * 5 + [Outcome.FAIL]
    assert (results["trouble.fails"].expected, results["trouble.fails"].actual) == ("2", "1")
    assert any("closesocket" in step for step in results["trouble.passes.n0"].steps)


def test_a_case_that_ends_its_process_is_an_error_and_the_others_run() -> None:
    results = tried("trouble.dies", "trouble.passes", workers=1)
    died = results.pop("trouble.dies")
    assert died.outcome is Outcome.ERROR
    assert "ended with status 7" in died.reason
    assert {result.outcome for result in results.values()} == {Outcome.PASS}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
def test_a_process_that_answers_no_more_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "MARGIN", 0.5)
    results = tried("trouble.stops", "trouble.passes.n1", workers=1)
    assert results["trouble.stops"].outcome is Outcome.ERROR
    assert "answered no more" in results["trouble.stops"].reason
    assert results["trouble.passes.n1"].outcome is Outcome.PASS


def test_repeating_works_across_processes() -> None:
    results = tried("trouble.passes", repeat=3)
    assert all(result.runs == (Outcome.PASS,) * 3 and not result.flaky for result in results.values())


def test_cases_that_see_the_whole_machine_run_beside_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[list[str], int]] = []

    def run_jobs(
        jobs: Sequence[parallel.Job], terms: parallel.Terms, workers: int, *, begins: object = None
    ) -> Iterator[tuple[parallel.Job, Result]]:
        begun.append((sorted(job.case.id for job in jobs), workers))
        yield from ((job, Result(outcome=Outcome.PASS)) for job in jobs)

    monkeypatch.setattr(parallel, "run_jobs", run_jobs)
    tried("trouble.passes.n1", "solitary", "trouble.passes.n2", workers=4)
    assert begun == [(["trouble.passes.n1", "trouble.passes.n2"], 4), (["solitary.passes"], 1)]


def test_a_suite_that_workers_cannot_import_is_no_result() -> None:
    case: Case = SUITE.cases[0]
    terms = parallel.Terms(package="no_such_package", seconds=1, strict=False)
    with pytest.raises(parallel.WorkerFailed, match="ended with status 1"):
        list(parallel.run_jobs([parallel.Job(case, "api")], terms, 1))


def test_the_command_runs_cases_in_processes(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["trouble.passes", "--target", "api", "-j", "2"], SUITE) == 0
    assert "[5/5] api: Trouble: 5 pass" in capsys.readouterr().err
    assert runner.main(["trouble.passes", "trouble.dies", "--target", "api", "-j", "2"], SUITE) == 1
