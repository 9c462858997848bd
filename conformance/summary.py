"""A run in a few lines: Markdown for a pull request, and the data of a badge.

Part played:     ``--summary FILE`` and ``--badge FILE``.
Lives elsewhere: numbers and lists (report), the whole of it as web pages (pages).
Sources:         the badge has the fields that shields.io documents for its "endpoint" badge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .agreement import Agreement
from .compare import described
from .model import Outcome
from .report import HEADINGS, ORDER, Referee, Report, described_together

#: Lines of a list before it is cut: a pull request shows what to look at, the report has the rest.
MOST = 40


def markdown(report: Report) -> str:
    """Return the run as Markdown: totals, then only what somebody should look at."""
    return "\n".join(_sections(report)).rstrip() + "\n"


def _sections(report: Report) -> Iterable[str]:
    bad, problems = report.other_failures(), report.problems
    unexplained = sum(len(described_together(report.against(one, Agreement.UNEXPLAINED))) for one in report.referees)
    told = [f"{len(bad)} failed"] * bool(bad or problems) + [f"{unexplained} unexplained"] * bool(unexplained)
    yield f"## Conformance: {len(report.lines)} cases, {', '.join(told) or 'all well'}\n"
    yield f"| target | {' | '.join(HEADINGS)} |\n|---|{'---:|' * len(HEADINGS)}"
    for target in report.targets:
        counts = report.counts(target.name)
        yield f"| {_line(target.name)} | {' | '.join(str(counts[outcome]) for outcome in ORDER)} |"
    ids = sum(len(one.section.ids) for one in report.coverage)
    tried = sum(len(one.states) for one in report.coverage)
    if report.whole:
        yield f"\nRequirements with a case: {tried} of {ids}."
    yield from _list("Problems of the suite", [_line(problem) for problem in problems])
    yield from _list(
        "Failures",
        [f"`{case.id}` on {_line(target)}: {_line(result.reason)}" for case, target, result in bad],
    )
    changes = [f"**{one.kind}** {_line(described(one))}" for one in report.changes]
    yield from _list("Changes since the earlier run", changes)
    for referee in report.referees:
        yield from _agreement(report, referee)
    flaky = [
        f"`{case.id}` on {_line(target)}: {', '.join(one.value for one in result.runs)}"
        for case, target, result in report.flaky()
    ]
    yield from _list("Different from one time to the next", flaky)
    closed = [f"`{case.id}` on {_line(target)}" for case, target, _ in report.gaps_closed()]
    yield from _list("Gaps that closed", closed)


def _agreement(report: Report, referee: Referee) -> Iterable[str]:
    """The table of agreement with a referee, and what has no reason or one too many."""
    when = f" ({referee.recorded.date})" if referee.recorded is not None else ""
    columns = dict(report.agreement_columns(referee))
    if columns:
        yield f"\n### Agreement with {_line(referee.name)}{when}\n"
        yield f"| | {' | '.join(map(_line, columns))} |\n|---|{'---:|' * len(columns)}"
        for kind in Agreement:
            numbers = [counts[kind] for counts in columns.values()]
            if any(numbers):
                yield f"| {kind.value} | {' | '.join(map(str, numbers))} |"
        yield f"\n{_line(report.speaks(referee))}."
    for kind in (Agreement.UNEXPLAINED, Agreement.STALE):
        cases = described_together(report.against(referee, kind))
        found = [f"`{case.id}`: {_line(told)}" for case, told in cases]
        if kind is Agreement.STALE:
            idle = report.idle_groups(referee)
            found += [f"differences.py, `{', '.join(one.patterns)}`: {_line(str(one.difference))}" for one in idle]
        yield from _list(f"Against {referee.name}{when}: {kind.value}", found)


def _list(title: str, items: Sequence[str]) -> Iterable[str]:
    if items:
        yield f"\n### {title} ({len(items)})\n"
        yield from (f"- {item}" for item in items[:MOST])
        if len(items) > MOST:
            yield f"- and {len(items) - MOST} more"


def _line(text: str) -> str:
    """Return the first line of ``text`` (of a traceback the last), with nothing that Markdown would take as its own."""
    lines = text.splitlines() or [""]
    told = lines[-1] if text.startswith("Traceback") else lines[0]
    told = told if len(told) <= 200 else f"{told[:197]}..."
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#" else one for one in told)


def badge(report: Report) -> dict[str, Any]:
    """Return the badge of the run's first target: how many of the cases that apply hold."""
    name = report.targets[0].name if report.targets else "nothing"
    counts = report.counts(name)
    holds = counts[Outcome.PASS] + counts[Outcome.VARIANT]
    applies = sum(counts.values()) - counts[Outcome.NOT_APPLICABLE]
    if not applies:
        message, colour = "nothing ran", "lightgrey"
    else:
        bad = counts[Outcome.FAIL] + counts[Outcome.ERROR]
        message = f"{holds} of {applies}"
        colour = "red" if bad or report.problems else "brightgreen" if holds == applies else "green"
    return {"schemaVersion": 1, "label": f"conformance ({name})", "message": message, "color": colour}
