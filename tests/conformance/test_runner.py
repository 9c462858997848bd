"""The runner and its reports, tried on small made-up cases and a made-up target."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from conformance import differences, recorded, report, runner, targets
from conformance.agreement import Agreement
from conformance.differences import Group
from conformance.model import Case, Outcome, Result, lacks
from conformance.runner import Collection, run_case
from conformance.target import Target
from conformance.threads import PATIENCE
from conformance.verify import expect, fails_with, not_applicable, variant
from tests.conformance.madeup import MadeUp, declare


def passes(ws: Target) -> None:
    s = ws.socket(2, 1, 6)
    ws.closesocket(s)


def fails(ws: Target) -> None:
    expect("bytes", expected=5, actual=4)


def varies(ws: Target) -> None:
    variant("code", expected=1, allowed={2: "Windows 7"}, actual=2)


def breaks(ws: Target) -> None:
    raise ZeroDivisionError("a bug in the case")


def does_not_apply(ws: Target) -> None:
    not_applicable("no IPv6 here")


def outcome(made: Case, **how: Any) -> Outcome:
    return run_case(made, MadeUp(), **how).outcome


def test_pass_fail_variant_error_and_not_applicable() -> None:
    assert outcome(declare(passes)) is Outcome.PASS
    assert outcome(declare(fails)) is Outcome.FAIL
    assert outcome(declare(varies)) is Outcome.VARIANT
    assert outcome(declare(breaks)) is Outcome.ERROR
    assert outcome(declare(does_not_apply)) is Outcome.NOT_APPLICABLE


def test_a_failure_tells_expected_actual_and_steps() -> None:
    def two_steps(ws: Target) -> None:
        expect("first", expected=1, actual=1)
        expect("second", expected=1, actual=2)

    result = run_case(declare(two_steps), MadeUp())
    assert (result.expected, result.actual) == ("1", "2")
    assert result.steps == ("first is 1, as expected",)


def test_a_call_that_fails_unexpectedly_fails_the_case() -> None:
    def closes_nothing(ws: Target) -> None:
        ws.closesocket(0)

    result = run_case(declare(closes_nothing), MadeUp())
    assert result.outcome is Outcome.FAIL
    assert "WSAENOTSOCK" in result.reason


def test_a_call_that_the_target_lacks_does_not_apply() -> None:
    def listens(ws: Target) -> None:
        ws.listen(4, 1)

    result = run_case(declare(listens), MadeUp())
    assert (result.outcome, result.reason) == (Outcome.NOT_APPLICABLE, "target emulator does not have listen")


def test_a_case_that_needs_c_does_not_apply_without_it() -> None:
    assert outcome(declare(passes, needs_c=True)) is Outcome.NOT_APPLICABLE


def test_a_declared_gap_covers_a_failure_and_nothing_else() -> None:
    result = run_case(declare(fails, gap="not written"), MadeUp())
    assert (result.outcome, result.reason) == (Outcome.GAP, "not written")
    assert outcome(declare(breaks, gap="not written")) is Outcome.ERROR
    assert outcome(declare(fails, gap={"api": "not written"})) is Outcome.FAIL


def test_a_gap_that_passes_reports_itself_and_fails_when_strict() -> None:
    result = run_case(declare(passes, gap="not written"), MadeUp())
    assert result.outcome is Outcome.PASS
    assert result.gap_closed
    assert "not written" in result.reason
    assert outcome(declare(passes, gap="not written"), strict=True) is Outcome.FAIL
    assert outcome(declare(fails, gap="not written"), strict=True) is Outcome.GAP


def test_sockets_left_open_fail_the_case_and_are_closed() -> None:
    def forgets(ws: Target) -> None:
        ws.socket(2, 1, 6)
        ws.socket(2, 1, 6)

    target = MadeUp()
    result = run_case(declare(forgets), target)
    assert (result.outcome, result.reason) == (Outcome.FAIL, "left 2 sockets open")
    assert target.sockets == set()
    assert target.started == 0


def test_each_case_has_its_own_startup_unless_it_manages_it() -> None:
    def sees(ws: Target) -> None:
        assert isinstance(ws, MadeUp)
        expect("startups", expected=wanted, actual=ws.started)

    target = MadeUp()
    wanted = 1
    assert run_case(declare(sees), target).outcome is Outcome.PASS
    wanted = 0
    assert run_case(declare(sees, manages_startup=True), target).outcome is Outcome.PASS


def test_startups_left_over_are_cleaned_up() -> None:
    def starts_three_times(ws: Target) -> None:
        for _ in range(3):
            ws.WSAStartup(0x0202)

    target = MadeUp()
    assert run_case(declare(starts_three_times), target).outcome is Outcome.PASS
    assert target.started == 0


def test_both_forms_run_one_after_the_other_where_there_is_a_c_abi() -> None:
    class WithC(MadeUp):
        has_c = True

    target = WithC()
    assert run_case(declare(passes, both_forms=True), target).outcome is Outcome.PASS
    assert target.forms == ["A", "W"]

    def only_w(ws: Target) -> None:
        expect("form", expected="W", actual=ws.form)

    result = run_case(declare(only_w, both_forms=True), WithC())
    assert result.outcome is Outcome.FAIL
    assert "with the A functions" in result.reason


def test_a_case_that_hangs_is_ended_and_told_where_it_stood() -> None:
    def waits_for_ever(ws: Target) -> None:
        ws.recv(ws.socket(2, 1, 6), bytearray(1))

    target = MadeUp()
    result = run_case(declare(waits_for_ever), target, seconds=0.05)
    assert result.outcome is Outcome.FAIL
    assert "hung: no end within 0.05 s" in result.reason
    assert "still runs" not in result.reason  # the cleanup from outside ended the wait
    assert any("waits_for_ever" in line and "recv" in line for line in result.steps)
    assert run_case(declare(passes), target).outcome is Outcome.PASS


def test_a_case_may_ask_for_more_time() -> None:
    gate = threading.Event()

    def takes_a_moment(ws: Target) -> None:
        gate.wait(0.05)

    assert outcome(declare(takes_a_moment, seconds=5), seconds=0.001) is Outcome.PASS


def test_a_thread_that_does_not_end_fails_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.threads.PATIENCE", PATIENCE / 100)
    gate = threading.Event()

    def forgets_the_thread(ws: Target) -> None:
        with ws.thread() as other:
            other.start(gate.wait, 10)

    result = run_case(declare(forgets_the_thread), MadeUp())
    gate.set()
    assert result.outcome is Outcome.FAIL
    assert "still running" in result.reason


def test_a_repeated_case_is_as_good_as_its_worst_outcome() -> None:
    outcomes = [Outcome.PASS, Outcome.FAIL, Outcome.PASS]
    results = [Result(outcome=one, reason=one.value) for one in outcomes]
    combined = runner.combine(results)
    assert (combined.outcome, combined.reason, combined.runs) == (Outcome.FAIL, "fail", tuple(outcomes))
    assert combined.flaky
    assert not runner.combine(results[:1] * 3).flaky
    assert runner.combine(results[:1]) is results[0]


# ---- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every target is made up; ``windows`` is unavailable."""

    def make(name: str) -> Target:
        if name == "windows":
            raise targets.Unavailable("needs Windows")
        target = MadeUp()
        target.name = {"emulator": "emulator", "api": "api", "wine": "wine"}[name]
        return target

    monkeypatch.setattr(targets, "make", make)


CASES = [
    declare(passes, "one.passes", requirements=["R7.3"]),
    declare(fails, "one.fails", requirements=["R7.3", "T1.1"], behaviours=["startup-2x"]),
    declare(fails, "two.gap", gap="not written", chapter="Second", requirements=["B22"]),
    declare(passes, "two.closed", gap="was not written", chapter="Second"),
    declare(varies, "two.varies", chapter="Second"),
    declare(does_not_apply, "three.applies-not", chapter="Third"),
    declare(breaks, "three.breaks", chapter="Third"),
]


def command(*argv: str, cases: list[Case] | None = None, problems: list[str] | None = None) -> int:
    return runner.main(argv, Collection(CASES if cases is None else cases, problems or []))


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["one.passes"], 0),
        (["two"], 0),
        (["two", "--strict"], 1),
        (["one"], 1),
        (["three.breaks"], 1),
        (["three.applies-not"], 3),
        (["no.such.case"], 3),
        (["one.passes", "--target", "api", "--target", "emulator"], 0),
        (["one.passes", "--target", "windows"], 3),
        (["one.passes", "--target", "windows", "--target", "emulator"], 3),
        (["one", "--target", "windows", "--target", "emulator"], 1),
        (["one.passes", "--target", "plan9"], 2),
        (["--no-such-option"], 2),
        (["--timeout", "0"], 2),
        (["one.passes", "--list"], 0),
        (["no.such.case", "--list"], 3),
        (["one.passes", "--json", "/no/such/folder/out.json"], 2),
        (["one.passes", "--summary", "/no/such/folder/out.md"], 2),
        (["one.passes", "--html", "/dev/null/folder"], 2),
        (["one.passes", "--exclude", "/no/such/file"], 2),
        (["one.passes", "--compare", "/no/such/file"], 2),
        (["one.passes", "--recorded", "no-such-record"], 2),
        (["one.passes", "--record", "x.json", "--target", "api", "--target", "emulator"], 2),
        (["-k", "one and not fails"], 0),
        (["-k", "one and"], 2),
        (["-k", "no-such-word"], 3),
        (["one.passes", "--repeat", "2"], 0),
        (["one.passes", "--repeat", "0"], 2),
        (["one.passes", "-j", "-1"], 2),
    ],
)
def test_exit_status(argv: list[str], status: int) -> None:
    assert command(*argv) == status


@pytest.mark.usefixtures("made_up")
def test_nothing_to_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(cases=[]) == 3
    assert "nothing ran" in capsys.readouterr().err


@pytest.mark.usefixtures("made_up")
def test_a_broken_module_is_a_failure_that_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("one.passes", problems=["cases/x.py cannot be imported"]) == 1
    assert "cases/x.py" in capsys.readouterr().err


@pytest.mark.usefixtures("made_up")
def test_the_tables_tell_chapters_failures_gaps_and_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    assert command() == 1
    out, err = capsys.readouterr()
    row = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith(("Second", "Third", "total"))}
    #                                     passed variants gaps differs failed errors n/a
    assert row["Second"] == ["Second", "emulator", "1", "1", "1", "0", "0", "0", "0"]
    assert row["Third"] == ["Third", "emulator", "0", "0", "0", "0", "0", "1", "1"]
    assert row["total"] == ["total", "emulator", "2", "1", "1", "0", "1", "1", "1"]
    assert "FAIL  one.fails on emulator" in out
    assert "expected  5" in out
    assert "GAP CLOSED  two.closed on emulator: gap closed, take it off: was not written" in out
    assert "emulator: not written" in out
    scatter = next(line for line in out.splitlines() if line.startswith("R7 "))
    assert scatter.split()[-7:] == ["21", "1", "4", "%", "0", "0", "1"]
    assert "[7/7] emulator: Third: 1 error, 1 n/a" in err


def test_a_log_tells_that_the_run_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal there is a line per chapter, and one in between when there was none for long."""
    outcomes = (Outcome.PASS, Outcome.FAIL, Outcome.GAP)
    chapters = ["[2/3] wine: Made up: 1 pass, 1 fail", "[3/3] wine: Second: 1 gap"]
    for quiet, lines in (
        (report.QUIET, chapters),
        (0.0, ["[1/3] wine: Made up: one.passes; 0 failed so far", *chapters]),
    ):
        monkeypatch.setattr(report, "QUIET", quiet)
        progress = report.Progress((case, "wine") for case in CASES[:3])
        for case, outcome in zip(CASES[:3], outcomes, strict=True):
            progress.ended(case, "wine", Result(outcome=outcome))
        assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.usefixtures("made_up")
def test_list_names_the_cases_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--list", "two") == 0
    out = capsys.readouterr().out
    assert "two.gap" in out
    assert "3 cases" in out
    assert "one.passes" not in out


@pytest.mark.usefixtures("made_up")
def test_json_has_the_promised_form(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    assert command("--json", str(file), "--target", "emulator", "--target", "api") == 1
    data = json.loads(file.read_text(encoding="utf-8"))
    assert data["version"] == 1
    assert set(data["targets"]) == {"emulator", "api"}
    assert [one["id"] for one in data["cases"]] == [one.id for one in CASES]
    for one in data["cases"]:
        assert {"id", "chapter", "basis", "source", "requirements", "behaviours", "results"} <= set(one)
        assert one["basis"] in ("documented", "observed", "choice")
        assert set(one["results"]) == {"emulator", "api"}
        for result in one["results"].values():
            assert isinstance(result["reason"], str)
            assert result["outcome"] in ("pass", "variant", "gap", "fail", "error", "n/a")
    results = {one["id"]: one["results"]["api"]["outcome"] for one in data["cases"]}
    assert results == {
        "one.passes": "pass",
        "one.fails": "fail",
        "two.gap": "gap",
        "two.closed": "pass",
        "two.varies": "variant",
        "three.applies-not": "n/a",
        "three.breaks": "error",
    }
    r7 = next(one for one in data["coverage"] if one["section"] == "R7")
    assert (r7["total"], r7["tried"], r7["requirements"]["R7.3"]) == (21, 1, "fail")


@pytest.mark.usefixtures("made_up")
def test_junit_has_a_suite_per_target(tmp_path: Path) -> None:
    file = tmp_path / "out.xml"
    assert command("--junit", str(file), "--target", "emulator", "--target", "api") == 1
    suites = ElementTree.parse(file).getroot().findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["conformance.emulator", "conformance.api"]
    for suite in suites:
        counts = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
        assert counts == ["7", "1", "1", "2"]
        assert len(suite.findall("testcase/failure")) == 1
        assert len(suite.findall("testcase/error")) == 1
        assert len(suite.findall("testcase/skipped")) == 2


@pytest.mark.usefixtures("made_up")
def test_excluded_cases_are_not_run_and_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exclusions, file = tmp_path / "exclude.txt", tmp_path / "out.json"
    exclusions.write_text("one.fails  # known\nthree @emulator  # later\nno.such  # gone\n", encoding="utf-8")
    argv = ["--exclude", str(exclusions), "--json", str(file), "--target", "emulator", "--target", "api"]
    assert command(*argv) == 1
    assert "no case matches 'no.such'" in capsys.readouterr().err
    results = {one["id"]: one["results"] for one in json.loads(file.read_text(encoding="utf-8"))["cases"]}
    assert results["one.fails"]["api"] == {"outcome": "n/a", "reason": "excluded: known", "seconds": 0.0}
    assert results["three.breaks"]["emulator"]["outcome"] == "n/a"
    assert results["three.breaks"]["api"]["outcome"] == "error"
    assert command("one", "two", "--exclude", str(exclusions)) == 0
    assert command("one.fails", "--exclude", str(exclusions)) == 3
    capsys.readouterr()
    assert command("--list", "--exclude", str(exclusions), "--target", "emulator") == 0
    assert "4 cases" in capsys.readouterr().out


@pytest.mark.usefixtures("made_up")
def test_repeating_finds_a_case_that_is_not_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times: list[int] = []

    def fails_the_second_time(ws: Target) -> None:
        times.append(1)
        expect("not the second time", expected=True, actual=len(times) != 2)

    cases = [declare(fails_the_second_time, "one.flaky"), declare(passes, "one.steady")]
    file = tmp_path / "out.json"
    assert command("--repeat", "3", "--json", str(file), cases=cases) == 1
    out, err = capsys.readouterr()
    assert "FLAKY  one.flaky on emulator: pass, fail, pass" in out
    assert "FLAKY  one.steady" not in out
    assert "[6/6] emulator: Made up: 5 pass, 1 fail" in err
    flaky = json.loads(file.read_text(encoding="utf-8"))["cases"][0]["results"]["emulator"]
    assert (flaky["outcome"], flaky["runs"]) == ("fail", ["pass", "fail", "pass"])


@pytest.mark.usefixtures("made_up")
def test_all_reports_are_written(tmp_path: Path) -> None:
    html, text, badge = tmp_path / "html", tmp_path / "summary.md", tmp_path / "badge.json"
    assert command("--html", str(html), "--summary", str(text), "--badge", str(badge)) == 1
    assert "one.fails" in (html / "index.html").read_text(encoding="utf-8")
    assert "`one.fails` on emulator" in text.read_text(encoding="utf-8")
    assert json.loads(badge.read_text(encoding="utf-8"))["message"] == "3 of 6"


@pytest.mark.usefixtures("made_up")
def test_comparing_tells_what_changed_and_nothing_when_nothing_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "old.json"
    command("--json", str(file))
    capsys.readouterr()
    command("--compare", str(file))
    assert "Changes" not in capsys.readouterr().out
    repaired = [declare(passes, "one.fails"), *(one for one in CASES if one.id not in ("one.fails", "two.gap"))]
    command("--compare", str(file), cases=repaired)
    out = capsys.readouterr().out
    assert "repaired  one.fails on emulator: fail -> pass" in out
    assert "gone      two.gap on emulator: gap -> -" in out


@pytest.mark.usefixtures("made_up")
def test_a_record_is_written_and_told_what_changed_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recorded" / "made-up-1.json"
    assert command("--record", str(file), "--target", "api") == 1
    assert "7 answers of api are in" in capsys.readouterr().out
    data = json.loads(file.read_text(encoding="utf-8"))
    assert (data["name"], data["target"], data["description"]) == ("made-up-1", "api", "made up")
    assert {"python", "system"} <= set(data["versions"])
    assert data["cases"]["two.gap"] == {
        "text": recorded.fingerprint(CASES[2]),
        "outcome": "fail",
        "expected": "5",
        "actual": "4",
    }
    others = [declare(fails, "one.passes"), *CASES[1:]]
    assert command("one.passes", "--record", str(file), "--target", "api", cases=others) == 1
    assert "broken    one.passes on api: pass -> fail" in capsys.readouterr().out
    data = json.loads(file.read_text(encoding="utf-8"))
    assert len(data["cases"]) == 7


@pytest.mark.usefixtures("made_up")
def test_nothing_is_recorded_of_a_target_that_did_not_run(tmp_path: Path) -> None:
    file = tmp_path / "windows.json"
    assert command("--record", str(file), "--target", "windows") == 3
    assert not file.exists()


def only_ours(ws: Target) -> None:
    expect("bytes", expected=5, actual=4 if ws.name == "wine" else 5)


def varies_on_wine(ws: Target) -> None:
    variant("code", expected=1, allowed={2: "Windows 7"}, actual=2 if ws.name == "wine" else 1)


BOTH = ("--target", "emulator", "--target", "wine")


def agreement_with(out: str) -> dict[str, int]:
    """The numbers of the table of agreement that are not 0; it has one target."""
    rows = (re.fullmatch(r"(\w[\w ]*?)  +(\d+)", line) for line in out.partition("Agreement with")[2].splitlines())
    numbers = {row[1]: int(row[2]) for row in rows if row}
    assert set(numbers) == {kind.value for kind in Agreement}
    return {name: number for name, number in numbers.items() if number}


@pytest.mark.usefixtures("made_up")
def test_a_difference_from_a_referee_needs_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    same = declare(passes, "one.same")
    assert command(*BOTH, cases=[same, declare(only_ours, "one.differs"), declare(varies_on_wine, "one.varies")]) == 1
    out = capsys.readouterr().out
    assert "FAIL  one.differs on wine" in out
    assert agreement_with(out) == {"same": 1, "allowed variant": 1, "unexplained": 1}
    assert "unexplained: one.differs: emulator pass, wine fail" in out
    assert "wine answers 3 of 3 cases (100.0 %)" in out

    reason = {"wine": lacks("has four")}
    explained = [
        same,
        declare(only_ours, "one.differs", differs=reason),
        declare(varies_on_wine, "v.w", differs=reason),
    ]
    assert command(*BOTH, "--strict", cases=explained) == 0
    out = capsys.readouterr().out
    assert agreement_with(out) == {"same": 1, "referee lacks it": 2}
    assert "Explained differences\n  wine: lacks it: has four\n" in out

    assert command(*BOTH, cases=[declare(only_ours, "one.gap", gap="ours, and nobody else's")]) == 1


@pytest.mark.usefixtures("made_up")
def test_a_variant_that_the_case_allows_needs_no_other_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(*BOTH, "--strict", cases=[declare(varies_on_wine, "one.varies")]) == 0
    assert agreement_with(capsys.readouterr().out) == {"allowed variant": 1}


@pytest.mark.usefixtures("made_up")
def test_a_reason_that_holds_no_longer_reports_itself(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [declare(passes, "one.same", differs={"wine": lacks("has four")})]
    assert command(*BOTH, cases=cases) == 0
    out = capsys.readouterr().out
    assert agreement_with(out) == {"reason holds no longer": 1}
    assert "reason holds no longer: one.same: emulator pass, wine pass (lacks it: has four)" in out
    assert command(*BOTH, "--strict", cases=cases) == 1


@pytest.mark.usefixtures("made_up")
def test_a_group_reports_itself_when_none_of_its_cases_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(differences, "GROUPS", (Group("wine", lacks("has four"), "one.*"),))
    same, differs = declare(passes, "one.same"), declare(only_ours, "one.differs")
    assert command(*BOTH, "--strict", cases=[same, differs]) == 0
    capsys.readouterr()
    other = declare(passes, "two.same")
    assert command(*BOTH, cases=[same, other]) == 0
    assert "reason holds no longer: differences.py, one.*: lacks it: has four" in capsys.readouterr().out
    assert command(*BOTH, "--strict", cases=[same, other]) == 1
    assert command(*BOTH, "--strict", "two", cases=[same, other]) == 0  # a run of some cases cannot tell
    assert command(*BOTH, "--strict", cases=[same, declare(does_not_apply, "one.applies-not")]) == 0  # nor can n/a


@pytest.mark.usefixtures("made_up")
def test_a_record_is_a_referee_too_and_says_when_a_case_has_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wine.json"
    cases = [declare(passes, "one.same"), declare(only_ours, "one.differs")]
    assert command(*BOTH, "--record", str(file), cases=cases) == 1
    assert "2 answers of wine are in" in capsys.readouterr().out

    assert command("--recorded", str(file), cases=cases) == 1
    assert "unexplained: one.differs: emulator pass, wine fail (bytes: expected 5, got 4)" in capsys.readouterr().out
    explained = [cases[0], declare(only_ours, "one.differs", differs={"wine": lacks("has four")})]
    assert command("--recorded", str(file), "--strict", cases=explained) == 0
    capsys.readouterr()
    assert command("--recorded", str(file), "--strict", cases=[cases[0], declare(passes, "one.differs")]) == 0
    out = capsys.readouterr().out
    assert agreement_with(out) == {"same": 1, "record is stale": 1}
    assert "1 cases changed since; record anew: one.differs" in out


@pytest.mark.usefixtures("made_up")
def test_a_run_that_is_there_to_record_does_not_begin_without_its_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "windows.json"
    assert command("--target", "emulator", "--target", "windows", "--record", str(file)) == 3
    assert "target windows does not run here: needs Windows" in capsys.readouterr().err
    assert command("--target", "wine", "--target", "windows", "--record", str(file)) == 2


@pytest.mark.usefixtures("made_up")
def test_agreement_in_the_json_report(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    cases = [declare(passes, "one.same"), declare(only_ours, "one.differs", differs={"wine": lacks("has four")})]
    assert command(*BOTH, "--json", str(file), cases=cases) == 0
    data = json.loads(file.read_text(encoding="utf-8"))
    (told,) = data["agreement"]
    assert (told["referee"], told["recorded"]) == ("wine", None)
    assert told["totals"]["emulator"]["same"] == 1
    (one,) = told["differences"]
    assert (one["case"], one["target"], one["kind"]) == ("one.differs", "emulator", "referee lacks it")
    result = data["cases"][1]["results"]["wine"]
    assert (result["outcome"], result["actual"]) == ("differs", "4")
    assert result["difference"] == {"kind": "lacks it", "why": "has four"}


@pytest.mark.usefixtures("made_up")
def test_a_requirement_is_as_good_as_our_own_results(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    cases = [declare(only_ours, "one.differs", requirements=["R7.3"])]
    assert command(*BOTH, "--json", str(file), cases=cases) == 1
    states = next(one for one in json.loads(file.read_text(encoding="utf-8"))["coverage"] if one["section"] == "R7")[
        "requirements"
    ]
    assert states["R7.3"] == "pass"


def test_the_suite_needs_nothing_but_attrs_and_what_python_has_on_windows() -> None:
    """Somebody with a Windows machine has a checkout and attrs: no module that POSIX alone has, and not the package."""
    program = """if True:
        import sys
        class Missing:
            names = {"fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "winsock2emu", "typing_extensions"}
            def find_spec(self, name, path, target=None):
                if name.partition(".")[0] in self.names:
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, Missing())
        import os, select, signal, socket
        for module, names in {
            os: ("fork", "getuid", "geteuid", "setsid", "killpg", "mkfifo"),
            select: ("poll", "epoll"),
            signal: ("SIGKILL", "SIGSTOP", "SIGALRM", "setitimer"),
            socket: ("AF_UNIX", "socketpair"),
        }.items():
            for name in names:
                vars(module).pop(name, None)
        from conformance.__main__ import main
        sys.argv[1:] = ["--list", "--target", "windows"]
        sys.exit(main())
    """
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1].endswith(" cases")


def test_declarations_are_checked_against_the_known_ids() -> None:
    wrong = declare(passes, "a.b", requirements=["R99.1", "R7.3"], behaviours=["no-such-behaviour"])
    problems = runner.check_declarations([wrong, declare(fails_in_order, "a.b")])
    assert len(problems) == 3
    assert any("R99.1" in problem for problem in problems)
    assert any("no-such-behaviour" in problem for problem in problems)
    assert any("twice" in problem for problem in problems)


def fails_in_order(ws: Target) -> None:
    with fails_with(10038):
        ws.closesocket(0)


def test_requirement_ids_are_complete() -> None:
    """Section sizes as the reference states them; tables and the two appendices come on top."""
    sizes = {one.id: sum(not name.startswith("T") for name in one.ids) for one in report.sections()}
    assert [sizes[f"R{n}"] for n in range(1, 17)] == [
        *(105, 26, 52, 127, 44, 109, 21, 37),
        *(48, 25, 63, 36, 22, 20, 32, 42),
    ]
    assert {"A", "B"} <= set(sizes)
    assert {"T1.1", "T16.2"} <= report.known_requirements()
