"""What a run says: progress, a table per chapter, coverage per requirement, failures, JSON and JUnit.

Part played:     everything between results and a reader, human or machine.
Lives here:      Line (a case and its results), Report, Progress, and the lists of known requirement and
                 behaviour ids.
Lives elsewhere: running (runner), web pages (pages), Markdown and badge (summary), ids (requirements.json and
                 behaviours.json, written by generate.py).

Tables use `rich` on a terminal where it is installed, and plain text otherwise.
"""

from __future__ import annotations

import datetime
import functools
import importlib
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs

from .agreement import EXPLAINED, HOLDS, Agreement, agreements
from .compare import Change, described
from .compare import Outcomes as OutcomesByCase
from .differences import Group, group_of
from .model import Case, Outcome, Result, is_ours
from .recorded import Recorded
from .target import Target

HERE = Path(__file__).parent
ORDER = (
    *(Outcome.PASS, Outcome.VARIANT, Outcome.GAP, Outcome.DIFFERS),
    *(Outcome.FAIL, Outcome.ERROR, Outcome.NOT_APPLICABLE),
)
HEADINGS = ("passed", "variants", "gaps", "differs", "failed", "errors", "n/a")
#: What a run without a target of ours is held against: every claim holds.
CLAIM = "the claim"
_BAD = (Outcome.FAIL, Outcome.ERROR)
#: What JUnit has no word for.
_SKIPPED = (Outcome.GAP, Outcome.DIFFERS, Outcome.NOT_APPLICABLE)
#: Lines of a list before the terminal's is cut.
MOST = 40


@attrs.frozen
class Section:
    """One section of the requirements: its ids, tables included."""

    id: str
    title: str
    ids: tuple[str, ...]


@functools.cache
def sections() -> tuple[Section, ...]:
    """Return the sections of the requirements in their order."""
    data = json.loads((HERE / "requirements.json").read_text(encoding="utf-8"))
    return tuple(Section(s["id"], s["title"], (*s["requirements"], *s["tables"])) for s in data["sections"])


@functools.cache
def known_requirements() -> frozenset[str]:
    """Return every requirement id there is."""
    return frozenset(one for section in sections() for one in section.ids)


@functools.cache
def known_behaviours() -> frozenset[str]:
    """Return every behaviour id there is."""
    areas = json.loads((HERE / "behaviours.json").read_text(encoding="utf-8"))
    return frozenset(one for ids in areas.values() for one in ids)


@attrs.define
class Line:
    """A case and what became of it, by target."""

    case: Case
    results: dict[str, Result] = attrs.field(factory=dict)


@attrs.frozen
class Coverage:
    """How far one section is covered: ids that a case has tried, and those for which every case passed."""

    section: Section
    states: dict[str, str]  # id -> "pass", "gap" or "fail"

    @property
    def percent(self) -> int:
        return 100 * len(self.states) // len(self.section.ids)

    def count(self, state: str) -> int:
        return sum(one == state for one in self.states.values())


def coverage(lines: Iterable[Line]) -> list[Coverage]:
    """Return the coverage of every section. A requirement is as good as the worst result of its cases.

    Where targets of ours ran, only they count: what Wine lacks says nothing about us.
    """
    states: dict[str, str] = {}
    for line in lines:
        ours = any(map(is_ours, line.results))
        outcomes = [result.outcome for name, result in line.results.items() if not ours or is_ours(name)]
        if any(outcome in _BAD for outcome in outcomes):
            state = "fail"
        elif Outcome.GAP in outcomes or Outcome.DIFFERS in outcomes:
            state = "gap"
        elif any(outcome in HOLDS for outcome in outcomes):
            state = "pass"
        else:
            continue  # nothing said about it
        for requirement in line.case.requirements:
            states[requirement] = min(states.get(requirement, state), state)  # "fail" < "gap" < "pass"
    return [Coverage(s, {one: states[one] for one in s.ids if one in states}) for s in sections()]


# ---- on the terminal
# -------------------------------------------------------------------------------------------


def _rich() -> Any:
    """Return the rich package when standard output is a terminal and it is installed, else None."""
    if not sys.stdout.isatty():
        return None
    try:
        return importlib.import_module("rich.table") and importlib.import_module("rich.console")
    except ImportError:
        return None


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], *, totals: int = 0) -> None:
    """Print a table: text to the left, numbers to the right, ``totals`` rows of sums at the end."""
    texts = [[str(cell) for cell in row] for row in rows]
    right = [all(row[i][:1].isdigit() for row in texts) for i in range(len(headings))]
    console = _rich()
    if console is not None:
        drawn = importlib.import_module("rich.table").Table(title=title, title_justify="left")
        for heading, to_right in zip(headings, right, strict=True):
            drawn.add_column(heading, justify="right" if to_right else "left")
        for number, row in enumerate(texts):
            drawn.add_row(*row, end_section=number == len(texts) - totals - 1)
        console.Console().print(drawn, markup=False)
        return
    widths = [max(map(len, column)) for column in zip(headings, *texts, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    print(f"\n{title}\n{line(headings)}\n{rule}")
    for number, row in enumerate(texts):
        if totals and number == len(texts) - totals:
            print(rule)
        print(line(row))


def list_cases(cases: Sequence[Case]) -> None:
    """Print the cases, by chapter."""
    chapter = None
    for case in cases:
        if case.chapter != chapter:
            chapter = case.chapter
            print(f"\n{chapter}")
        notes = [*case.requirements, *(["gap"] if case.gap else []), *(["C only"] if case.needs_c else [])]
        print(f"  {case.id}  [{', '.join(notes) or case.basis}]\n      {case.claim}")
    print(f"\n{len(cases)} cases")


def show_changes(title: str, changes: Sequence[Change]) -> None:
    """Print what changed, if anything did."""
    show_list(title, [f"{one.kind:<9} {described(one)}" for one in changes])


def show_list(title: str, lines: Sequence[str]) -> None:
    """Print the lines, if there are any, up to `MOST`."""
    if lines:
        print(f"\n{title}: {len(lines)}")
        for line in lines[:MOST]:
            print(f"  {line}")
        if len(lines) > MOST:
            print(f"  and {len(lines) - MOST} more")


#: Seconds after which somebody who reads a log wants to know that the run goes on.
QUIET = 15.0


class Progress:
    """Tells on standard error how far a run has come: a bar, a changing line, or a line per chapter.

    Without a terminal a line comes at least every `QUIET` seconds, as long as cases end at all.

    Args:
        jobs: every case that will run, with its target, as often as it will; the order does not matter.
    """

    def __init__(self, jobs: Iterable[tuple[Case, str]]) -> None:
        self._left = Counter((case.chapter, target) for case, target in jobs)
        self._total = sum(self._left.values())
        self._done = 0
        self._bad = 0
        self._outcomes: dict[tuple[str, str], Counter[Outcome]] = {}
        self._spoke = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._bar: Any = None
        if self._terminal:
            try:
                rich = importlib.import_module("rich.progress")
                console = importlib.import_module("rich.console").Console(stderr=True)
            except ImportError:
                return
            columns = (
                rich.TextColumn("{task.description}"),
                rich.BarColumn(),
                rich.MofNCompleteColumn(),
                rich.TimeRemainingColumn(),
            )
            self._bar = rich.Progress(*columns, console=console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("conformance", total=self._total)

    def begins(self, case: Case, target: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=f"{target}: {case.chapter}, {self._bad} failed")
        elif self._terminal:
            text = f"[{self._done}/{self._total}] {self._bad} failed; {target}: {case.id}"
            print(f"\r{text[:78]:<78}", end="", file=sys.stderr, flush=True)

    def ended(self, case: Case, target: str, result: Result) -> None:
        self._done += 1
        self._bad += result.outcome in _BAD
        chapter = (case.chapter, target)
        self._left[chapter] -= 1
        outcomes = self._outcomes.setdefault(chapter, Counter())
        outcomes[result.outcome] += 1
        if self._bar is not None:
            self._bar.advance(self._task)
        elif not self._terminal:
            self._say(case, target, outcomes, ended=not self._left[chapter])

    def _say(self, case: Case, target: str, outcomes: Counter[Outcome], *, ended: bool) -> None:
        now = time.monotonic()
        if ended:
            told = ", ".join(f"{n} {outcome.value}" for outcome in ORDER if (n := outcomes[outcome]))
        elif now - self._spoke >= QUIET:
            told = f"{case.id}; {self._bad} failed so far"
        else:
            return
        self._spoke = now
        print(f"[{self._done}/{self._total}] {target}: {case.chapter}: {told}", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._terminal:
            print(f"\r{'':<78}\r", end="", file=sys.stderr, flush=True)


# ---- the whole run
# ---------------------------------------------------------------------------------------------


def outcomes_of(lines: Iterable[Line]) -> OutcomesByCase:
    """Return what compare.py compares."""
    return {line.case.id: {target: one.outcome for target, one in line.results.items()} for line in lines}


@attrs.frozen(eq=False)
class Referee:
    """Somebody else's answers: of this run, or kept in a record."""

    name: str  # of the target, or of the record
    target: str
    description: str
    recorded: Recorded | None = None

    def answer(self, line: Line) -> Result | None:
        return line.results.get(self.target) if self.recorded is None else self.recorded.result(line.case)

    def is_outdated(self, case: Case) -> bool:
        return self.recorded is not None and self.recorded.is_outdated(case)


@attrs.frozen
class Comparison:
    """What one target of ours and a referee made of one case."""

    referee: Referee
    case: Case
    target: str
    result: Result
    answer: Result | None
    kind: Agreement


def described_together(comparisons: Iterable[Comparison]) -> list[tuple[Case, str]]:
    """Return each case with what ours and the referee answered, and why they differ where that is known."""
    by_case: dict[str, list[Comparison]] = {}
    for one in comparisons:
        by_case.setdefault(one.case.id, []).append(one)
    return [(found[0].case, _together(found)) for found in by_case.values()]


def _together(found: Sequence[Comparison]) -> str:
    answer, referee = found[0].answer, found[0].referee
    told = [f"{one.target} {one.result.outcome.value}" for one in found]
    told.append(f"{referee.name} {'nothing' if answer is None else answer.outcome.value}")
    if answer is not None and answer.difference is not None:
        return f"{', '.join(told)} ({answer.difference})"
    reasons = (answer.reason if answer is not None else "", *(one.result.reason for one in found))
    reason = next((one.splitlines()[0] for one in reasons if one), "")
    return ", ".join(told) + (f" ({reason})" if reason else "")


def compared(lines: Iterable[Line], referee: Referee) -> Iterator[Comparison]:
    """Hold the results of ours against a referee's, case by case."""
    for line in lines:
        answer = referee.answer(line)
        ours = {name: one for name, one in line.results.items() if is_ours(name) and name != referee.target}
        if not ours and referee.recorded is None:
            ours = {CLAIM: Result(outcome=Outcome.PASS)}
        kinds = agreements(ours, answer, reason_of_its_own=referee.target in line.case.differs)
        for name, result in ours.items():
            kind = Agreement.OUTDATED if referee.is_outdated(line.case) else kinds[name]
            yield Comparison(referee, line.case, name, result, answer, kind)


class Report:
    """A finished run.

    Args:
        targets: what was judged; `lines` has a result of each for every case.
        problems: what is wrong with the suite itself.
        whole: every case there is was meant to run.
        requirements: print the state of every requirement, too.
        records: what other implementations answered, to hold the results against.
        changes: what is different from an earlier run.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        lines: Sequence[Line],
        problems: Sequence[str] = (),
        *,
        whole: bool = True,
        requirements: bool = False,
        records: Sequence[Recorded] = (),
        changes: Sequence[Change] = (),
    ) -> None:
        self.targets = targets
        self.lines = lines
        self.problems = problems
        self.records = records
        self.changes = changes
        self.referees = [Referee(one.name, one.name, one.description) for one in targets if not is_ours(one.name)]
        for one in records:
            described_as = f"{one.description}, recorded {one.date}"
            self.referees.append(Referee(one.name, one.target, described_as, one))
        self.comparisons = {one: list(compared(lines, one)) for one in self.referees}
        now = datetime.datetime.now(tz=datetime.UTC)
        self.date = now.date().isoformat()
        self.when = f"{now:%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {platform.system()}"
        self.whole = whole
        self._requirements = requirements
        self.coverage = coverage(lines)

    def _with(self, *outcomes: Outcome) -> Iterator[tuple[Case, str, Result]]:
        for line in self.lines:
            for target, result in line.results.items():
                if result.outcome in outcomes:
                    yield line.case, target, result

    def failures(self) -> list[tuple[Case, str, Result]]:
        return list(self._with(*_BAD))

    def other_failures(self) -> list[tuple[Case, str, Result]]:
        """Return the failures without those of a referee that are listed as unexplained differences."""
        told = {
            (one.case.id, referee.target)
            for referee in self.referees
            if referee.recorded is None
            for one in self.against(referee, Agreement.UNEXPLAINED)
        }
        return [one for one in self.failures() if (one[0].id, one[1]) not in told]

    def gaps_closed(self) -> list[tuple[Case, str, Result]]:
        """Return the results that hold although the case declares a gap."""
        return [one for one in self._with(*HOLDS) if one[2].gap_closed]

    def flaky(self) -> list[tuple[Case, str, Result]]:
        """Return the results that were not the same each time."""
        return [one for one in self._with(*Outcome) if one[2].flaky]

    def against(self, referee: Referee, *kinds: Agreement) -> list[Comparison]:
        """Return the comparisons with a referee that came out as one of ``kinds``."""
        return [one for one in self.comparisons[referee] if one.kind in kinds]

    def idle_groups(self, referee: Referee) -> list[Group]:
        """Return the groups of differences.py that explain nothing any more: all their cases were compared, and none
        differs. A run of some cases cannot tell."""
        states: dict[Group, set[bool | None]] = {}
        for one in self.comparisons[referee] if self.whole else ():
            group = group_of(one.case, referee.target)
            if group is not None:
                silent = one.answer is None or one.result.outcome in (Outcome.NOT_APPLICABLE, Outcome.ERROR)
                states.setdefault(group, set()).add(None if silent else one.kind in EXPLAINED)
        return [group for group, state in states.items() if state == {False}]

    def disagree(self, *, strict: bool = False) -> bool:
        """Whether a result differs from a referee's without a reason, or (``strict``) a reason holds no longer."""
        kinds = (Agreement.UNEXPLAINED, *([Agreement.STALE] if strict else []))
        return any(self.against(one, *kinds) or (strict and self.idle_groups(one)) for one in self.referees)

    def ran_on(self, target: str) -> bool:
        """Whether at least one case said something about ``target``."""
        results = [line.results[target] for line in self.lines if target in line.results]
        return any(result.outcome is not Outcome.NOT_APPLICABLE for result in results)

    def counts(self, target: str, chapter: str | None = None) -> Counter[Outcome]:
        return Counter(
            line.results[target].outcome
            for line in self.lines
            if target in line.results and chapter in (None, line.case.chapter)
        )

    # -- for people --

    def show(self) -> None:
        """Print failures, gaps that closed, what is flaky or changed, agreement, the tables and the coverage."""
        for case, target, result in self.failures():
            self._show_failure(case, target, result)
        for case, target, result in self.gaps_closed():
            print(f"\nGAP CLOSED  {case.id} on {target}: {result.reason}")
        for case, target, result in self.flaky():
            print(f"\nFLAKY  {case.id} on {target}: {', '.join(one.value for one in result.runs)}")
        if self.lines:
            self._show_chapters()
            self._show_reasons()
            self._show_coverage()
            for referee in self.referees:
                self._show_agreement(referee)
        show_changes("Changes since the earlier run", self.changes)

    def _show_failure(self, case: Case, target: str, result: Result) -> None:
        print(f"\n{result.outcome.value.upper()}  {case.id} on {target}")
        print(f"  claim     {case.claim}")
        print(f"  source    {case.source} ({case.basis}; {', '.join((*case.requirements, *case.behaviours))})")
        print("  reason    " + result.reason.replace("\n", "\n            "))
        if result.expected is not None:
            print(f"  expected  {result.expected}\n  actual    {result.actual}")
        for number, step in enumerate(result.steps):
            print(f"  {'steps   ' if number == 0 else '        '}  {step}")

    def _show_chapters(self) -> None:
        rows: list[list[object]] = []
        for chapter in dict.fromkeys(line.case.chapter for line in self.lines):
            for target in self.targets:
                counts = self.counts(target.name, chapter)
                rows.append([chapter, target.name, *(counts[outcome] for outcome in ORDER)])
        for target in self.targets:
            counts = self.counts(target.name)
            rows.append(["total", target.name, *(counts[outcome] for outcome in ORDER)])
        table("Cases", ("chapter", "target", *HEADINGS), rows, totals=len(self.targets))

    def _show_reasons(self) -> None:
        """Print why what did not pass did not, or was not tried."""
        for title, outcome in (
            ("Declared gaps", Outcome.GAP),
            ("Explained differences", Outcome.DIFFERS),
            ("Not applicable", Outcome.NOT_APPLICABLE),
        ):
            reasons = Counter((name, str(one.difference or one.reason)) for _, name, one in self._with(outcome))
            if reasons:
                print(f"\n{title}")
                for (target, reason), count in sorted(reasons.items()):
                    print(f"  {target}: {reason}" + (f" ({count} cases)" if count > 1 else ""))

    def agreement_columns(self, referee: Referee) -> list[tuple[str, Counter[Agreement]]]:
        """Return how often each target of ours stands to the referee in which way."""
        columns: dict[str, Counter[Agreement]] = {}
        for one in self.comparisons[referee]:
            columns.setdefault(one.target, Counter())[one.kind] += 1
        return list(columns.items())

    def speaks(self, referee: Referee) -> str:
        """Return how many of the cases the referee said something about, in words."""
        said = (*HOLDS, Outcome.DIFFERS, Outcome.GAP, Outcome.FAIL)
        answers = [referee.answer(line) for line in self.lines]
        count = sum(one is not None and one.outcome in said for one in answers)
        share = f"{100 * count / len(answers):.1f} %" if answers else "none"
        return f"{referee.name} answers {count} of {len(answers)} cases ({share})"

    def _show_agreement(self, referee: Referee) -> None:
        columns = dict(self.agreement_columns(referee))
        if not columns:
            return
        when = f", recorded {referee.recorded.date}" if referee.recorded is not None else ""
        rows = [[kind.value, *(counts[kind] for counts in columns.values())] for kind in Agreement]
        table(f"Agreement with {referee.name}{when}", ("", *columns), rows)
        print(self.speaks(referee))
        for kind in (Agreement.UNEXPLAINED, Agreement.STALE):
            for case, told in described_together(self.against(referee, kind)):
                print(f"  {kind.value}: {case.id}: {told}")
        for group in self.idle_groups(referee):
            print(f"  {Agreement.STALE.value}: differences.py, {', '.join(group.patterns)}: {group.difference}")
        outdated = {one.case.id: None for one in self.against(referee, Agreement.OUTDATED)}
        if outdated:
            shown = ", ".join(list(outdated)[:5]) + (" ..." if len(outdated) > 5 else "")
            print(f"  {Agreement.OUTDATED.value}: {len(outdated)} cases changed since; record anew: {shown}")

    def _show_coverage(self) -> None:
        shown = [one for one in self.coverage if self.whole or one.states]
        rows: list[list[object]] = [
            [one.section.id, one.section.title, len(one.section.ids), len(one.states), f"{one.percent} %"]
            + [one.count(state) for state in ("pass", "gap", "fail")]
            for one in shown
        ]
        ids = sum(len(one.section.ids) for one in shown)
        tried = sum(len(one.states) for one in shown)
        if ids:
            sums = [sum(one.count(state) for one in shown) for state in ("pass", "gap", "fail")]
            rows.append(["", "total", ids, tried, f"{100 * tried // ids} %", *sums])
            headings = ("section", "title", "ids", "tried", "share", "hold", "gap", "fail")
            table("Requirements", headings, rows, totals=1)
        behaviours = {one for line in self.lines for one in line.case.behaviours}
        print(f"\nObserved behaviours with a case: {len(behaviours)} of {len(known_behaviours())}")
        if self._requirements:
            for one in shown:
                print(f"\n{one.section.id} {one.section.title}")
                for requirement in one.section.ids:
                    print(f"  {requirement:<8}{one.states.get(requirement, 'no case')}")

    # -- for programs --

    def as_json(self) -> dict[str, Any]:
        """Return the report in the form that design.md promises, and more keys."""
        return {
            "version": 1,
            "date": self.date,
            "targets": {
                target.name: {
                    "description": target.description,
                    "totals": {one.value: self.counts(target.name)[one] for one in ORDER},
                }
                for target in self.targets
            },
            "problems": list(self.problems),
            "agreement": [self._agreement_as_json(referee) for referee in self.referees],
            "cases": [
                {
                    "id": line.case.id,
                    "chapter": line.case.chapter,
                    "claim": line.case.claim,
                    "basis": line.case.basis,
                    "source": line.case.source,
                    "requirements": list(line.case.requirements),
                    "behaviours": list(line.case.behaviours),
                    "results": {target: _result_as_json(result) for target, result in line.results.items()},
                }
                for line in self.lines
            ],
            "coverage": [
                {
                    "section": one.section.id,
                    "title": one.section.title,
                    "total": len(one.section.ids),
                    "tried": len(one.states),
                    "percent": one.percent,
                    "requirements": {name: one.states.get(name) for name in one.section.ids},
                }
                for one in self.coverage
            ],
        }

    def _agreement_as_json(self, referee: Referee) -> dict[str, Any]:
        listed = (*EXPLAINED, Agreement.UNEXPLAINED, Agreement.STALE, Agreement.OUTDATED)
        return {
            "referee": referee.name,
            "target": referee.target,
            "recorded": None if referee.recorded is None else referee.recorded.date,
            "totals": {
                name: {kind.value: counts[kind] for kind in Agreement}
                for name, counts in self.agreement_columns(referee)
            },
            "differences": [
                {"case": one.case.id, "target": one.target, "kind": one.kind.value, "told": _together([one])}
                for one in self.against(referee, *listed)
            ],
            "idle_groups": [list(group.patterns) for group in self.idle_groups(referee)],
        }

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def write_junit(self, path: Path) -> None:
        """Write JUnit XML: one test suite per target; gaps, differences that are explained and n/a are skipped."""
        root = ElementTree.Element("testsuites")
        for target in self.targets:
            counts = self.counts(target.name)
            suite = ElementTree.SubElement(
                root,
                "testsuite",
                name=f"conformance.{target.name}",
                tests=str(sum(counts.values())),
                failures=str(counts[Outcome.FAIL]),
                errors=str(counts[Outcome.ERROR]),
                skipped=str(sum(counts[one] for one in _SKIPPED)),
            )
            for line in self.lines:
                result = line.results[target.name]
                test = ElementTree.SubElement(
                    suite,
                    "testcase",
                    classname=f"{target.name}.{line.case.id.rpartition('.')[0]}",
                    name=line.case.id,
                    time=f"{result.seconds:.3f}",
                )
                kind = {Outcome.FAIL: "failure", Outcome.ERROR: "error"}.get(result.outcome)
                if result.outcome in _SKIPPED:
                    kind = "skipped"
                if kind is not None:
                    child = ElementTree.SubElement(test, kind, message=_xml(str(result.difference or result.reason)))
                    child.text = _xml("\n".join(result.steps)) if kind != "skipped" else None
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _result_as_json(result: Result) -> dict[str, Any]:
    """Return the promised keys, and what a failure has to say."""
    data: dict[str, Any] = {"outcome": result.outcome.value, "reason": result.reason}
    data["seconds"] = round(result.seconds, 4)
    if result.gap_closed:
        data["gap_closed"] = True
    if result.runs:
        data["runs"] = [one.value for one in result.runs]
    if result.outcome is Outcome.DIFFERS and result.difference is not None:
        data["difference"] = {"kind": result.difference.kind.value, "why": result.difference.why}
        if result.difference.behaviour is not None:
            data["difference"]["behaviour"] = result.difference.behaviour
    if result.outcome in (*_BAD, Outcome.GAP, Outcome.DIFFERS):
        data.update(expected=result.expected, actual=result.actual, steps=list(result.steps))
    return data


def _xml(text: str) -> str:
    """Return ``text`` without the characters that XML cannot hold."""
    return "".join(one if one in "\n\t" or one >= " " else "?" for one in text if not "\ud800" <= one <= "\udfff")
