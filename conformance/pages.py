"""A run as a folder of web pages: the matrix of cases and targets, and everything known about each case.

Part played:     ``--html DIR``. The pages need no server and no scripts, follow the reader's dark or light setting
                 and fit a telephone.
Lives here:      the pages: index (what wants attention, and the matrix), one page per chapter with all that is known
                 of its cases, agreement (every difference from a referee, by reason), requirements (coverage per id),
                 and one per module of cases with its source text.
Lives elsewhere: numbers and lists (report), the texts for pull requests (summary), the look (pages.css).

A case is an anchor on its chapter's page and no page of its own: four thousand files are slower to write, to publish
and to search than forty, and a browser lays out only what is in view (``content-visibility``).
"""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

import attrs

from .agreement import EXPLAINED, HOLDS, Agreement
from .compare import described
from .model import Outcome, Result
from .report import ORDER, Comparison, Line, Referee, Report, described_together

LEARN = "https://learn.microsoft.com/windows/win32"
#: Steps, and characters of one, shown of a result that nobody has to explain; a failure shows all it has. It keeps a
#: full run on four targets under 20 MB.
LOG, WIDTH = 12, 140
_BAD = (Outcome.FAIL, Outcome.ERROR)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_WEB = r"\b((?:github|devblogs\.microsoft)\.com/[\w./-]*\w)"
_PAGE = re.compile(_WEB + r"|\b(\w+)/([\w-]*\w)")
_GUIDES = ("winsock", "fileio")  # folders of LEARN that no header is called
#: Rows of the matrix that can be shown alone: CSS class and label.
_FILTERS = (
    *(("all", "all cases"), ("bad", "failures"), ("gap", "declared gaps")),
    *(("known", "explained differences"), ("odd", "unexplained differences")),
)
#: What the outcomes mean to somebody who sees them for the first time.
_LEGEND = {
    Outcome.PASS: "the claim holds",
    Outcome.VARIANT: "another answer that is allowed",
    Outcome.GAP: "a declared gap of ours",
    Outcome.DIFFERS: "a referee answers otherwise, and the reason is known",
    Outcome.FAIL: "the claim does not hold",
    Outcome.ERROR: "the case or the target broke",
    Outcome.NOT_APPLICABLE: "says nothing here",
}


def text(value: str) -> str:
    """Return ``value`` as text of a page; what a page cannot hold is shown as its escape."""
    return escape(_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value), quote=False)


def name_of(outcome: Outcome) -> str:
    """Return the CSS class of an outcome."""
    return outcome.value.replace("/", "")


def source_links(source: str) -> str:
    """Return the source of a case with the pages it names as links: ``winsock2/nf-winsock2-recv``, ``winsock/...``."""

    def link(found: re.Match[str]) -> str:
        address, folder, page = found.groups()
        if address:
            return f'<a href="https://{address}">{found[0]}</a>'
        if re.match(r"(nf|nc|ns|ne|ni)-", page):
            return f'<a href="{LEARN}/api/{folder}/{page}">{found[0]}</a>'
        if folder.lower() in _GUIDES:
            return f'<a href="{LEARN}/{folder.lower()}/{page}">{found[0]}</a>'
        return found[0]  # a file of a public test suite

    return _PAGE.sub(link, text(source))


@attrs.frozen
class _Column:
    """One column of the matrix: a target of this run, or what another one answered before."""

    name: str
    description: str
    result: Callable[[Line], Result | None]
    referee: Referee | None = None

    @property
    def is_live(self) -> bool:
        return self.referee is None or self.referee.recorded is None


def _columns(report: Report) -> list[_Column]:
    def from_run(name: str) -> Callable[[Line], Result | None]:
        return lambda line: line.results.get(name)

    live = {referee.target: referee for referee in report.referees if referee.recorded is None}
    columns = [_Column(one.name, one.description, from_run(one.name), live.get(one.name)) for one in report.targets]
    recorded = (referee for referee in report.referees if referee.recorded is not None)
    return columns + [_Column(one.name, one.description, one.answer, one) for one in recorded]


def write(report: Report, folder: Path, *, title: str = "Winsock conformance") -> None:
    """Write the pages into ``folder``, which is made when it does not exist.

    Raises:
        OSError: a page cannot be written.
    """
    _Site(report, folder, title).write()


class _Site:
    """The pages of one report."""

    def __init__(self, report: Report, folder: Path, title: str) -> None:
        self._report = report
        self._folder = folder
        self._nav = [("index", "Cases"), *([("agreement", "Agreement")] if report.referees else [])]
        self._nav.append(("requirements", "Requirements"))
        self._title = title
        self._columns = _columns(report)
        self._compared: dict[tuple[str, str], list[Comparison]] = {}
        for referee, comparisons in report.comparisons.items():
            for one in comparisons:
                self._compared.setdefault((one.case.id, referee.name), []).append(one)
        self._chapters: dict[str, list[Line]] = {}
        for line in report.lines:
            self._chapters.setdefault(line.case.chapter, []).append(line)
        self._files: dict[str, str] = {}
        for chapter in self._chapters:
            slug = re.sub(r"[^a-z0-9]+", "-", chapter.lower()).strip("-") or "chapter"
            taken = slug in self._files.values()
            self._files[chapter] = f"{slug}-{len(self._files)}" if taken else slug
        self._case_files = {line.case.id: self._files[line.case.chapter] for line in report.lines}

    def write(self) -> None:
        for folder in ("chapters", "sources"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(__file__).with_name("pages.css"), self._folder / "pages.css")
        self._page("index.html", self._title, self._index())
        self._page("requirements.html", "Requirements", self._requirements())
        if self._report.referees:
            self._page("agreement.html", "Agreement", self._agreement())
        for chapter, lines in self._chapters.items():
            self._page(f"chapters/{self._files[chapter]}.html", chapter, self._chapter(chapter, lines))
        for module in sorted({line.case.module for line in self._report.lines}):
            self._source(module)

    def _page(self, name: str, title: str, body: Iterable[str]) -> None:
        up = "../" * name.count("/")
        links = " ".join(f'<a href="{up}{page}.html">{label}</a>' for page, label in self._nav)
        head = (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f'<title>{text(title)}</title>\n<link rel="stylesheet" href="{up}pages.css">\n</head>\n<body>\n'
            f"<nav>{links}</nav>\n<main>\n<h1>{text(title)}</h1>\n"
        )
        content = head + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
        (self._folder / name).write_text(content, encoding="utf-8")

    def _link(self, case: str, up: str = "") -> str:
        file = self._case_files.get(case)
        return text(case) if file is None else f'<a href="{up}chapters/{file}.html#{case}">{text(case)}</a>'

    # ---- index

    def _index(self) -> Iterable[str]:
        yield f'<p class="about">{len(self._report.lines)} cases, {text(self._report.when)}</p>'
        yield from self._totals()
        if self._report.referees:
            yield '<h2><a href="agreement.html">Agreement</a></h2>'
        yield from self._agreement_table()
        yield from self._attention()
        yield from self._overview()
        yield '<h2 id="matrix">All cases</h2>'
        rows = {line.case.id: self._row(line) for line in self._report.lines}
        counts = {key: sum(key in kinds for kinds, _ in rows.values()) for key, _ in _FILTERS}
        counts["all"] = len(rows)
        yield '<form class="filters">'
        for key, label in _FILTERS:
            checked = " checked" if key == "all" else ""
            radio = f'<input type="radio" name="show" id="show-{key}"{checked}>'
            yield f"<label>{radio} {label} <small>{counts[key]}</small></label>"
        yield "</form>"
        heads = "".join(f"<th>{text(column.name)}</th>" for column in self._columns)
        for chapter, lines in self._chapters.items():
            yield f'<section class="chapter" id="{self._files[chapter]}">'
            yield f'<h3><a href="chapters/{self._files[chapter]}.html">{text(chapter)}</a></h3>'
            yield f'<table class="matrix" style="--columns:{len(self._columns)}">'
            yield f"<thead><tr><th>case</th>{heads}</tr></thead><tbody>"
            for line in lines:
                kinds, cells = rows[line.case.id]
                yield f'<tr class="{" ".join(kinds)}"><th>{self._link(line.case.id)}</th>{cells}</tr>'
            yield "</tbody></table></section>"

    def _row(self, line: Line) -> tuple[list[str], str]:
        """Return the filters that take a case, and its cells."""
        results = {column.name: column.result(line) for column in self._columns}
        outcomes = {result.outcome for result in results.values() if result is not None}
        odd = {name for name in results if self._stand(line, name, Agreement.UNEXPLAINED)}
        kinds = ["bad"] * bool(outcomes & {*_BAD}) + ["gap"] * (Outcome.GAP in outcomes)
        kinds += ["known"] * any(self._stand(line, name, *EXPLAINED) for name in results) + ["odd"] * bool(odd)
        return kinds, "".join(self._cell(result, odd=name in odd) for name, result in results.items())

    def _stand(self, line: Line, name: str, *kinds: Agreement) -> bool:
        """Whether a referee and one of ours stand to each other like one of ``kinds`` in this case."""
        return any(one.kind in kinds for one in self._compared.get((line.case.id, name), ()))

    @staticmethod
    def _cell(result: Result | None, *, odd: bool) -> str:
        if result is None:
            return "<td></td>"
        mark = " ↯" * result.flaky + " ≠" * odd
        return f'<td class="{name_of(result.outcome)}">{result.outcome.value}{mark}</td>'

    def _totals(self) -> Iterable[str]:
        heads = "".join(f"<th>{outcome.value}</th>" for outcome in ORDER)
        yield f'<div class="wide"><table class="totals"><thead><tr><th>target</th>{heads}</tr></thead><tbody>'
        for column in self._columns:
            outcomes = [result.outcome for line in self._report.lines if (result := column.result(line)) is not None]
            cells = "".join(
                f'<td class="{name_of(one) if count else "none"}">{count}</td>'
                for one in ORDER
                for count in (outcomes.count(one),)
            )
            name = f"<b>{text(column.name)}</b> <small>{text(column.description)}</small>"
            yield f"<tr><th>{name}</th>{cells}</tr>"
        yield "</tbody></table></div>"
        told = (f'<span class="outcome {name_of(one)}">{one.value}</span> {words}' for one, words in _LEGEND.items())
        yield f'<p class="legend">{" ".join(f"<span>{one}</span>" for one in told)}</p>'

    def _agreement_table(self) -> Iterable[str]:
        """Who agrees with whom, in numbers; a kind that does not occur has no row."""
        report = self._report
        columns = [(one, name, counts) for one in report.referees for name, counts in report.agreement_columns(one)]
        if not columns:
            return
        heads = "".join(f"<th>{text(referee.name)} <small>{text(name)}</small></th>" for referee, name, _ in columns)
        yield f'<div class="wide"><table class="totals"><thead><tr><th>agreement</th>{heads}</tr></thead><tbody>'
        for kind in Agreement:
            numbers = [counts[kind] for _, _, counts in columns]
            if any(numbers):
                cells = "".join(f'<td class="{_tint(kind) if number else "none"}">{number}</td>' for number in numbers)
                yield f"<tr><th>{kind.value}</th>{cells}</tr>"
        yield "</tbody></table></div>"
        yield f'<p class="about">{"; ".join(text(report.speaks(referee)) for referee in report.referees)}.</p>'

    def _overview(self) -> Iterable[str]:
        """One row per chapter: how many of the cases that apply hold, in the colour of the worst."""
        heads = "".join(f"<th>{text(column.name)}</th>" for column in self._columns)
        yield '<h2>Chapters</h2><div class="wide"><table class="totals chapters"><thead><tr><th>chapter</th>'
        yield f"{heads}</tr></thead><tbody>"
        for chapter, lines in self._chapters.items():
            yield f'<tr><th><a href="#{self._files[chapter]}">{text(chapter)}</a></th>'
            for column in self._columns:
                outcomes = [result.outcome for line in lines if (result := column.result(line)) is not None]
                applies = [one for one in outcomes if one is not Outcome.NOT_APPLICABLE]
                worst = max(applies, key=ORDER.index, default=Outcome.NOT_APPLICABLE)
                holds = sum(one in HOLDS for one in applies)
                shown = Outcome.PASS if worst in HOLDS else worst
                yield f'<td class="{name_of(shown)}">{f"{holds}/{len(applies)}" if applies else "n/a"}</td>'
            yield "</tr>"
        yield "</tbody></table></div>"

    def _attention(self) -> Iterable[str]:
        """What a reader comes for: failures, changes, disagreements, what is flaky, gaps that closed."""
        report = self._report
        yield from self._list("Problems of the suite", [text(problem) for problem in report.problems])
        failures = [
            f"{self._outcome(result)} {self._link(case.id)} on {text(target)}: "
            f"{text(_cut(_first_line(result.reason), WIDTH + 60))}"
            for case, target, result in report.other_failures()
        ]
        yield from self._list("Failures", failures)
        yield from self._list(
            "Changes since the earlier run",
            [f"<b>{one.kind}</b> {text(described(one))}" for one in report.changes],
        )
        for referee in report.referees:
            for kind in (Agreement.UNEXPLAINED, Agreement.STALE):
                cases = described_together(report.against(referee, kind))
                found = [f"{self._link(case.id)}: {text(_cut(told, WIDTH + 60))}" for case, told in cases]
                if kind is Agreement.STALE:
                    idle = report.idle_groups(referee)
                    found += [f"{text(', '.join(one.patterns))}: {text(str(one.difference))}" for one in idle]
                yield from self._list(f"Against {referee.name}: {kind.value}", found)
        flaky = [
            f"{self._link(case.id)} on {text(target)}: {text(', '.join(one.value for one in result.runs))}"
            for case, target, result in report.flaky()
        ]
        yield from self._list("Different from one time to the next", flaky)
        closed = [
            f"{self._link(case.id)} on {text(target)}: {text(result.reason)}"
            for case, target, result in report.gaps_closed()
        ]
        yield from self._list("Gaps that closed", closed)

    @staticmethod
    def _list(title: str, items: Sequence[str]) -> Iterable[str]:
        if items:
            yield f'<details class="attention"{" open" if len(items) <= 30 else ""}>'
            yield f"<summary>{text(title)} ({len(items)})</summary><ul>"
            yield from (f"<li>{item}</li>" for item in items)
            yield "</ul></details>"

    @staticmethod
    def _outcome(result: Result) -> str:
        return f'<span class="outcome {name_of(result.outcome)}">{result.outcome.value}</span>'

    # ---- agreement

    def _agreement(self) -> Iterable[str]:
        """Every difference from a referee, by kind and reason: a reason stands once, with the cases it is told of."""
        yield "<p>Where a referee answers otherwise than ours, somebody has to know why. A reason stands beside the"
        yield "cases it is told of.</p>"
        yield from self._agreement_table()
        for referee in self._report.referees:
            yield f"<h2>{text(referee.name)} <small>{text(referee.description)}</small></h2>"
            for kind in (Agreement.UNEXPLAINED, Agreement.STALE, *EXPLAINED, Agreement.OUTDATED):
                reasons: dict[str, dict[str, None]] = {}
                for one in self._report.against(referee, kind):
                    difference = one.answer.difference if one.answer is not None else None
                    ours = one.result.reason if kind is Agreement.GAP else ""
                    behaviour = f" ({difference.behaviour})" if difference and difference.behaviour else ""
                    why = difference.why + behaviour if difference is not None else ours
                    reasons.setdefault(why, {})[one.case.id] = None
                count = sum(map(len, reasons.values()))
                if not count:
                    continue
                yield f'<h3><span class="outcome {_tint(kind)}">{kind.value}</span> {count} cases</h3>'
                for why, ids in sorted(reasons.items(), key=lambda item: -len(item[1])):
                    yield f'<div class="reason"><p>{text(why or "no reason is told")}</p><p class="cases">'
                    yield f"{', '.join(map(self._link, ids))}</p></div>"

    # ---- a chapter

    def _chapter(self, chapter: str, lines: Sequence[Line]) -> Iterable[str]:
        matrix = f"../index.html#{self._files[chapter]}"
        yield f'<p class="about"><a href="{matrix}">{len(lines)} cases in the matrix</a></p>'
        for line in lines:
            yield from self._case(line)

    def _case(self, line: Line) -> Iterable[str]:
        case = line.case
        yield f'<article id="{case.id}">\n<h2><a href="#{case.id}">{text(case.id)}</a></h2>'
        yield f'<p class="claim">{text(case.claim)}</p>\n<dl>'
        yield f"<dt>Source</dt><dd>{source_links(case.source)} ({case.basis})</dd>"
        if case.requirements:
            ids = ", ".join(
                f'<a href="../requirements.html#{one}">{one}</a>' for one in dict.fromkeys(case.requirements)
            )
            yield f"<dt>Requirements</dt><dd>{ids}</dd>"
        if case.behaviours:
            yield f"<dt>Observed</dt><dd>{text(', '.join(dict.fromkeys(case.behaviours)))}</dd>"
        file = case.module.rpartition(".")[2]
        where = f"{text(file)}.py, line {case.line}"
        yield f'<dt>Case</dt><dd><a href="../sources/{file}.html#L{case.line}">{where}</a></dd>'
        options = " ".join(f"--target {column.name}" for column in self._columns if column.is_live)
        yield f"<dt>Repeat</dt><dd><code>winsock2emu conformance {case.id} {text(options)}</code></dd>\n</dl>"
        for column in self._columns:
            result = column.result(line)
            if result is not None:
                yield from self._result(line, column, result)
        yield "</article>"

    def _result(self, line: Line, column: _Column, result: Result) -> Iterable[str]:
        """One target's answer: a line that opens; what did not come out as the case says is open."""
        told = result.outcome in (*_BAD, Outcome.GAP, Outcome.DIFFERS)
        opened = " open" if told else ""
        time = f" <small>{1000 * result.seconds:.0f} ms</small>" if column.is_live else ""
        yield f'<details class="result"{opened}><summary>{self._outcome(result)} <b>{text(column.name)}</b>{time}'
        yield f"{self._standing(line, column)}</summary>"
        if result.runs:
            yield f"<p>{len(result.runs)} times: {', '.join(one.value for one in result.runs)}</p>"
        if result.difference is not None:
            yield f'<p class="why">{text(str(result.difference))}</p>'
        if result.what is not None:  # the rest of the reason follows side by side
            yield f'<p class="what">{text(result.what)}</p>'
        elif result.reason:
            yield f"<pre>{text(result.reason)}</pre>"
        if result.expected is not None and result.actual is not None:
            sides = (("expected", result.expected), ("actual", result.actual))
            shown = "".join(f"<div><h4>{side}</h4><pre>{text(value)}</pre></div>" for side, value in sides)
            yield f'<div class="sides">{shown}</div>'
        if result.steps:
            first, width = (0, 1000) if told else (max(0, len(result.steps) - LOG), WIDTH)
            before = f", {first} before these" if first else ""
            count = len(result.steps) - first
            yield f"<h4>{count} step{'s' * (count > 1)}{before}</h4>"
            yield f"<ol>{''.join(f'<li>{text(_cut(step, width))}</li>' for step in result.steps[first:])}</ol>"
        yield "</details>"

    def _standing(self, line: Line, column: _Column) -> str:
        """How a referee's answer stands to each of ours; what is the same for all is said once."""
        found = {one.target: one.kind for one in self._compared.get((line.case.id, column.name), ())}
        if not found:
            return ""
        if len(set(found.values())) == 1:
            shown = next(iter(found.values())).value
        else:
            shown = ", ".join(f"{text(target)}: {kind.value}" for target, kind in found.items())
        return f' <span class="standing">{shown}</span>'

    # ---- requirements and sources

    def _requirements(self) -> Iterable[str]:
        cases: dict[str, list[str]] = {}
        for line in self._report.lines:
            for id in dict.fromkeys(line.case.requirements):
                cases.setdefault(id, []).append(line.case.id)
        yield '<div class="wide"><table class="totals"><thead><tr><th>section</th><th>ids</th><th>tried</th>'
        yield "<th>share</th><th>hold</th><th>gap</th><th>fail</th></tr></thead><tbody>"
        for one in self._report.coverage:
            name = f'<a href="#{one.section.id}">{one.section.id}</a> {text(one.section.title)}'
            numbers = [str(len(one.section.ids)), str(len(one.states)), f"{one.percent} %"]
            numbers += [str(one.count(state)) for state in ("pass", "gap", "fail")]
            yield f"<tr><th>{name}</th>{''.join(f'<td>{number}</td>' for number in numbers)}</tr>"
        yield "</tbody></table></div>"
        for one in self._report.coverage:
            yield f'<section class="chapter" id="{one.section.id}"><h2>{one.section.id} {text(one.section.title)}</h2>'
            yield '<table class="matrix requirements"><tbody>'
            for id in one.section.ids:
                state = one.states.get(id)
                links = ", ".join(self._link(case) for case in cases.get(id, ()))
                cell = f'<td class="{state or "none"}">{state or "no case"}</td>'
                yield f'<tr id="{id}"><th>{id}</th>{cell}<td class="cases">{links}</td></tr>'
            yield "</tbody></table></section>"

    def _source(self, module: str) -> None:
        """Write the source text of a module of cases, with an anchor on each line where a case begins."""
        file = getattr(importlib.import_module(module), "__file__", None)
        if file is None:
            return
        anchors = {line.case.line for line in self._report.lines if line.case.module == module}
        shown = []
        for number, content in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1):
            anchor = f'<a id="L{number}">{number:5}</a> ' if number in anchors else f"{number:5} "
            shown.append(anchor + text(content))
        name = module.rpartition(".")[2]
        self._page(f"sources/{name}.html", f"{name}.py", ['<pre class="source">' + "\n".join(shown) + "</pre>"])


def _tint(kind: Agreement) -> str:
    """Return the CSS class, of those the outcomes have, that an agreement is shown in."""
    outcome = {
        Agreement.SAME: Outcome.PASS,
        Agreement.GAP: Outcome.GAP,
        Agreement.UNEXPLAINED: Outcome.FAIL,
        Agreement.STALE: Outcome.ERROR,
        Agreement.OUTDATED: Outcome.NOT_APPLICABLE,
        Agreement.UNKNOWN: Outcome.NOT_APPLICABLE,
    }
    return name_of(outcome.get(kind, Outcome.DIFFERS))


def _cut(step: str, width: int) -> str:
    """Return a step shortened in its middle: its end tells what came back."""
    return step if len(step) <= width else f"{step[: width - 43]} ... {step[-38:]}"


def _first_line(reason: str) -> str:
    lines = reason.splitlines() or [""]
    return lines[-1] if reason.startswith("Traceback") else lines[0]
