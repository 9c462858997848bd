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
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs

from .compare import Change, described
from .compare import Outcomes as OutcomesByCase
from .model import Case, Outcome, Result
from .recorded import Agreement, Recorded, agreement
from .target import Target

HERE = Path(__file__).parent
ORDER = (Outcome.PASS, Outcome.VARIANT, Outcome.GAP, Outcome.FAIL, Outcome.ERROR, Outcome.NOT_APPLICABLE)
HEADINGS = ("passed", "variants", "gaps", "failed", "errors", "n/a")
_HOLDS = (Outcome.PASS, Outcome.VARIANT)
_BAD = (Outcome.FAIL, Outcome.ERROR)
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
    """Return the coverage of every section. A requirement is as good as the worst result of its cases."""
    states: dict[str, str] = {}
    for line in lines:
        outcomes = [result.outcome for result in line.results.values()]
        if any(outcome in _BAD for outcome in outcomes):
            state = "fail"
        elif Outcome.GAP in outcomes:
            state = "gap"
        elif any(outcome in _HOLDS for outcome in outcomes):
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
    if changes:
        print(f"\n{title}: {len(changes)}")
        for one in changes[:MOST]:
            print(f"  {one.kind:<9} {described(one)}")
        if len(changes) > MOST:
            print(f"  and {len(changes) - MOST} more")


class Progress:
    """Tells on standard error how far a run has come: a bar, a changing line, or a line per chapter.

    Args:
        jobs: every case that will run, with its target, as often as it will; the order does not matter.
    """

    def __init__(self, jobs: Iterable[tuple[Case, str]]) -> None:
        self._left = Counter((case.chapter, target) for case, target in jobs)
        self._total = sum(self._left.values())
        self._done = 0
        self._bad = 0
        self._outcomes: dict[tuple[str, str], Counter[Outcome]] = {}
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
        elif not self._terminal and not self._left[chapter]:
            counts = [f"{n} {outcome.value}" for outcome in ORDER if (n := outcomes[outcome])]
            line = f"[{self._done}/{self._total}] {target}: {case.chapter}: {', '.join(counts)}"
            print(line, file=sys.stderr, flush=True)

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

    def gaps_closed(self) -> list[tuple[Case, str, Result]]:
        """Return the results that hold although the case declares a gap."""
        return [one for one in self._with(*_HOLDS) if one[2].gap_closed]

    def flaky(self) -> list[tuple[Case, str, Result]]:
        """Return the results that were not the same each time."""
        return [one for one in self._with(*Outcome) if one[2].flaky]

    def against(self, record: Recorded, kind: Agreement) -> list[tuple[Case, str, Result, Result]]:
        """Return the results, each with the recorded one, that stand to each other like ``kind``.

        The record's own target is left out: its results were never meant to differ from what it recorded.
        """
        found = []
        for line in self.lines:
            referee = record.result(line.case)
            for target, result in line.results.items():
                if referee is not None and target != record.target and agreement(result, referee) is kind:
                    found.append((line.case, target, result, referee))
        return found

    def disagreements(self, *, strict: bool = False) -> int:
        """Return how many results differ from a record without a reason; ``strict`` adds reasons that are stale."""
        kinds = (Agreement.UNEXPLAINED, *([Agreement.STALE] if strict else []))
        return sum(len(self.against(record, kind)) for record in self.records for kind in kinds)

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
            self._show_gaps()
            self._show_coverage()
            for record in self.records:
                self._show_agreement(record)
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

    def _show_gaps(self) -> None:
        reasons = Counter((target, result.reason) for _, target, result in self._with(Outcome.GAP))
        if reasons:
            print("\nDeclared gaps")
            for (target, reason), count in sorted(reasons.items()):
                print(f"  {target}: {reason}" + (f" ({count} cases)" if count > 1 else ""))

    def _show_agreement(self, record: Recorded) -> None:
        title = f"Agreement with {record.name}, recorded {record.date}"
        found = {kind: self.against(record, kind) for kind in Agreement}
        others = [target.name for target in self.targets if target.name != record.target]
        rows = [
            [target, *(sum(name == target for _, name, _, _ in found[kind]) for kind in Agreement)] for target in others
        ]
        if rows:
            table(title, ("target", *(kind.value for kind in Agreement)), rows)
        for kind in (Agreement.UNEXPLAINED, Agreement.STALE):
            for case, target, result, referee in found[kind]:
                reason = (referee.reason or result.reason).partition("\n")[0]
                print(f"  {kind.value}: {case.id}: {target} {result.outcome.value}, ", end="")
                print(f"{record.name} {referee.outcome.value}" + (f" ({reason})" if reason else ""))

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

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def write_junit(self, path: Path) -> None:
        """Write JUnit XML: one test suite per target; gaps and n/a are skipped tests with their reason."""
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
                skipped=str(counts[Outcome.GAP] + counts[Outcome.NOT_APPLICABLE]),
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
                if result.outcome in (Outcome.GAP, Outcome.NOT_APPLICABLE):
                    kind = "skipped"
                if kind is not None:
                    child = ElementTree.SubElement(test, kind, message=_xml(result.reason))
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
    if result.outcome in (*_BAD, Outcome.GAP):
        data.update(expected=result.expected, actual=result.actual, steps=list(result.steps))
    return data


def _xml(text: str) -> str:
    """Return ``text`` without the characters that XML cannot hold."""
    return "".join(one if one in "\n\t" or one >= " " else "?" for one in text if not "\ud800" <= one <= "\udfff")
