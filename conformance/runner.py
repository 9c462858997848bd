"""The runner: which cases, on which targets, each one alone and bounded in time.

Part played:     ``winsock2emu conformance``; `main` returns the exit status.
Lives here:      finding cases, running one (isolation, time limit, sockets left open), repeating, and the command's
                 arguments.
Lives elsewhere: what a case and an outcome are (model), declared gaps and reasons (differences), which cases are meant
                 (selection), worker processes (parallel), what a run says (report, pages, summary, compare, recorded),
                 targets (targets/).

A case runs in a thread of its own, between a WSAStartup and the WSACleanup that ends everything. When its
time is up, the runner notes where its threads stand and cleans up from outside, which is what makes waiting
calls come back.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import itertools
import json
import pkgutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import attrs

from . import compare, differences, pages, parallel, recorded, report, summary, targets
from .constants import code_name
from .differences import judged
from .model import Case, Outcome, Result, is_ours
from .selection import Exclusion, exclusion_of, matching, read_exclusions, selects
from .target import Target
from .verify import Failed, Mismatch, NotApplicable, Record, recording

SECONDS = 20.0
#: Seconds that cleaning up may take after a case that did not end.
GRACE = 3.0
VERSION_2_2 = 0x0202
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOTHING_RAN = 3


# ---- finding cases
# ---------------------------------------------------------------------------------------------


@attrs.define
class Collection:
    """The cases that were found, and what is wrong with the modules and declarations they come from."""

    cases: list[Case] = attrs.field(factory=list)
    problems: list[str] = attrs.field(factory=list)
    package: str = ""  # where a worker process finds them; empty for cases made by hand


def collect(package: ModuleType | None = None) -> Collection:
    """Import every module of ``cases/`` (or of another package) and return its cases, file by file.

    A module that cannot be imported is a problem to report, and does not keep the others from running.
    """
    everything = package is None
    if package is None:
        package = importlib.import_module(".cases", __package__)
    found = Collection(package=package.__name__)
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        try:
            module = importlib.import_module(f"{package.__name__}.{name}")
        except Exception:  # anything can go wrong in a module that somebody is writing
            found.problems.append(f"cases/{name}.py cannot be imported: {traceback.format_exc(limit=-2)}")
        else:
            found.cases += module.__dict__.get("__cases__", ())
    found.problems += check_declarations(found.cases)
    if everything and not found.problems:
        found.problems += differences.patterns_without_a_case(found.cases)
    return found


def check_declarations(cases: Iterable[Case]) -> list[str]:
    """Return what is wrong: an id used twice; requirements, behaviours and targets that do not exist."""
    cases = list(cases)
    requirements, behaviours = report.known_requirements(), report.known_behaviours()
    problems, seen = differences.problems(cases, behaviours, targets.MODULES), set()
    for case in cases:
        if case.id in seen:
            problems.append(f"case id {case.id} is used twice")
        seen.add(case.id)
        problems += [f"case {case.id}: no requirement {r}" for r in case.requirements if r not in requirements]
        problems += [f"case {case.id}: no behaviour {b}" for b in case.behaviours if b not in behaviours]
    return problems


# ---- running one case
# ------------------------------------------------------------------------------------------


def run_case(case: Case, target: Target, *, seconds: float = SECONDS, strict: bool = False) -> Result:
    """Run one case on one target and return what became of it; never raises for what a case does."""
    if case.needs_c and not target.has_c:
        return Result(outcome=Outcome.NOT_APPLICABLE, reason=f"needs the C ABI; {target.name} has none")
    if case.needs_provider and not target.has_providers:
        return Result(outcome=Outcome.NOT_APPLICABLE, reason="needs an installed provider")
    began = time.monotonic()
    forms = ("A", "W") if case.both_forms and target.has_c else ("W",)
    result = Result(outcome=Outcome.PASS)
    for form in forms:
        result = _bounded(case, target, form, case.seconds or seconds)
        if len(forms) > 1 and result.outcome is not Outcome.PASS:
            result = attrs.evolve(result, reason=f"with the {form} functions: {result.reason}")
        if result.outcome not in (Outcome.PASS, Outcome.VARIANT):
            break
    return attrs.evolve(judged(case, target.name, result, strict=strict), seconds=time.monotonic() - began)


def _bounded(case: Case, target: Target, form: str, seconds: float) -> Result:
    """Run the case in a thread; when its time is up, tell where it stands and clean up from here."""
    record = Record()
    results: list[Result] = []

    def body() -> None:
        with recording(record):
            results.append(_attempt(case, target, form, record))

    before = set(threading.enumerate())
    thread = threading.Thread(target=body, name="case", daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    stacks = _stacks(set(threading.enumerate()) - before)
    cleaner = threading.Thread(target=target.end, name="cleaner", daemon=True)
    cleaner.start()
    cleaner.join(GRACE)
    thread.join(GRACE)
    leftover = "; its thread still runs" if thread.is_alive() else ""
    return Result(
        outcome=Outcome.FAIL,
        reason=f"hung: no end within {seconds:g} s{leftover}",
        expected=f"an end within {seconds:g} s",
        actual=stacks[0] if stacks else "still running",
        steps=(*record.steps, *stacks),
    )


def _stacks(threads: Iterable[threading.Thread]) -> list[str]:
    """Return where threads stand, innermost calls last; the case's own thread first.

    Without line numbers: it is an answer, and a record of it should not change with every line that moves.
    """
    frames = sys._current_frames()
    stacks = []
    for thread in sorted(threads, key=lambda one: (one.name != "case", one.name)):
        frame = frames.get(thread.ident or 0)
        if frame is not None:
            lines = [f"{Path(f.filename).stem}.{f.name}" for f in traceback.extract_stack(frame)]
            stacks.append(f"thread {thread.name} in " + " > ".join(lines[-8:]))
    return stacks


def _attempt(case: Case, target: Target, form: str, record: Record) -> Result:
    """Run the case and clean up; the caller sees to the time."""
    target.begin()
    target.form = form
    try:
        try:
            if not case.manages_startup:
                target.WSAStartup(VERSION_2_2)
        except Failed as failure:
            return Result(outcome=Outcome.ERROR, reason=f"before the case: {failure}", steps=tuple(record.steps))
        result = _result_of(case, target, record)
    finally:
        left, complaint = _clean_up(target)
    if result.outcome not in (Outcome.PASS, Outcome.VARIANT):
        return result
    if complaint is not None:
        return complaint
    if left:
        text = f"left {left} socket{'s' if left > 1 else ''} open"
        return Result(outcome=Outcome.FAIL, reason=text, expected="no open sockets", actual=text, steps=result.steps)
    return result


def _clean_up(target: Target) -> tuple[int, Result | None]:
    """End the case on the target; return the number of sockets it left, and what went wrong in ending."""
    try:
        return target.end(), None
    except Mismatch as mismatch:
        reason, expected, actual = str(mismatch), mismatch.expected, mismatch.actual
        return 0, Result(outcome=Outcome.FAIL, reason=reason, expected=expected, actual=actual)
    except Exception:  # the target is what is judged: whatever it raises is a result
        return 0, Result(outcome=Outcome.ERROR, reason=f"cleaning up: {traceback.format_exc(limit=-3)}")


def _result_of(case: Case, target: Target, record: Record) -> Result:
    try:
        case.run(target)
    except NotApplicable as why:
        return Result(outcome=Outcome.NOT_APPLICABLE, reason=str(why))
    except Mismatch as mismatch:
        outcome, reason = Outcome.FAIL, str(mismatch)
        expected: str | None = mismatch.expected
        actual: str | None = mismatch.actual
    except Failed as failure:
        outcome, reason = Outcome.FAIL, f"unexpected: {failure}"
        expected, actual = f"{failure.call} succeeds", f"failure {code_name(failure.code)}"
    except BaseException:  # the case or the target broke, in whatever way
        outcome, reason = Outcome.ERROR, traceback.format_exc(limit=-4).rstrip()
        expected = actual = None
    else:
        outcome = Outcome.VARIANT if record.variants else Outcome.PASS
        reason, expected, actual = "; ".join(record.variants), None, None
    steps = tuple(record.steps)
    return Result(outcome=outcome, reason=reason, expected=expected, actual=actual, steps=steps)


# ---- running a selection
# ---------------------------------------------------------------------------------------


#: From best to worst: a case that was repeated is as good as its worst outcome.
_WORSE = (
    *(Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.VARIANT, Outcome.GAP, Outcome.DIFFERS),
    *(Outcome.FAIL, Outcome.ERROR),
)


def combine(results: Sequence[Result]) -> Result:
    """Return the worst of a case's results, with the outcomes of all when there is more than one."""
    if len(results) == 1:
        return results[0]
    worst = max(results, key=lambda one: _WORSE.index(one.outcome))
    return attrs.evolve(worst, runs=tuple(one.outcome for one in results))


def run(
    cases: Sequence[Case],
    on: Sequence[Target],
    *,
    seconds: float = SECONDS,
    strict: bool = False,
    repeat: int = 1,
    exclusions: Sequence[Exclusion] = (),
    workers: int = 0,
    package: str = "",
) -> list[report.Line]:
    """Run cases on targets and return a line for each case.

    Args:
        cases: what to run; a case is tried on all targets.
        on: the targets.
        seconds: time allowed for a case that asks for none.
        strict: a declared gap that passes is a failure.
        repeat: how often everything runs, round after round, so that a case has other neighbours in time.
        exclusions: cases to leave out; they become n/a with the reason.
        workers: processes that run cases at the same time; 0 runs them here, one after the other.
        package: the package the cases come from; needed for ``workers``.

    Raises:
        parallel.WorkerFailed: a worker process cannot load the suite.
    """
    lines = {case.id: report.Line(case) for case in cases}
    jobs = []
    for target in on:
        for case in cases:
            reason = exclusion_of(case, target.name, exclusions)
            if reason is None:
                jobs.append(parallel.Job(case, target.name))
            else:
                left_out = Result(outcome=Outcome.NOT_APPLICABLE, reason=f"excluded: {reason}")
                lines[case.id].results[target.name] = left_out
    jobs *= repeat
    results: dict[tuple[str, str], list[Result]] = {}
    with contextlib.closing(report.Progress((job.case, job.target) for job in jobs)) as progress:

        def begins(job: parallel.Job) -> None:
            progress.begins(job.case, job.target)

        if workers:
            terms = parallel.Terms(package=package, seconds=seconds, strict=strict)
            alone = [job for job in jobs if job.case.alone]
            beside = [job for job in jobs if not job.case.alone]
            done: Iterable[tuple[parallel.Job, Result]] = itertools.chain(
                parallel.run_jobs(beside, terms, workers, begins=begins),
                parallel.run_jobs(alone, terms, 1, begins=begins),
            )
        else:
            by_name = {target.name: target for target in on}
            done = _run_here(jobs, by_name, begins, seconds=seconds, strict=strict)
        for job, result in done:
            results.setdefault((job.case.id, job.target), []).append(result)
            progress.ended(job.case, job.target, result)
    for (id, name), found in results.items():
        lines[id].results[name] = combine(found)
    for line in lines.values():  # workers answer in any order
        line.results = {target.name: line.results[target.name] for target in on}
    return list(lines.values())


def _run_here(
    jobs: Iterable[parallel.Job],
    on: Mapping[str, Target],
    begins: Callable[[parallel.Job], None],
    *,
    seconds: float,
    strict: bool,
) -> Iterator[tuple[parallel.Job, Result]]:
    for job in jobs:
        begins(job)
        yield job, run_case(job.case, on[job.target], seconds=seconds, strict=strict)


# ---- the command
# ------------------------------------------------------------------------------------------------


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="winsock2emu conformance",
        description="Try every documented rule of Windows Sockets 2 on one or more targets.",
        epilog="exit status: 0 all well, 1 something failed, 2 wrong usage, 3 nothing ran",
    )
    parser.add_argument(
        "selectors",
        nargs="*",
        metavar="SELECTOR",
        help="the beginning of a case id, a chapter, a requirement (R7, R7.3), a behaviour, or a glob",
    )
    parser.add_argument("-k", metavar="EXPRESSION", help="words of id, chapter or claim, with and, or, not, (...)")
    parser.add_argument(
        "--target",
        action="append",
        metavar="TARGET",
        help=f"what to judge: {', '.join(targets.MODULES)}; may be repeated (default: emulator)",
    )
    parser.add_argument("--list", action="store_true", help="print the selected cases and run nothing")
    parser.add_argument("--exclude", type=Path, metavar="FILE", help="cases to leave out: 'selector  # reason' a line")
    running = parser.add_argument_group("running")
    running.add_argument("-j", "--jobs", type=int, default=0, metavar="N", help="run in N processes")
    running.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="run everything N times, find what is flaky"
    )
    running.add_argument("--strict", action="store_true", help="a gap or reason that holds no longer fails")
    running.add_argument("--timeout", type=float, default=SECONDS, metavar="SECONDS", help="for one case")
    reports = parser.add_argument_group("reports")
    reports.add_argument("--requirements", action="store_true", help="print every requirement with its state")
    reports.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    reports.add_argument("--junit", type=Path, metavar="FILE", help="write the report as JUnit XML")
    reports.add_argument("--html", type=Path, metavar="DIR", help="write the report as web pages")
    reports.add_argument("--summary", type=Path, metavar="FILE", help="write a summary in Markdown")
    reports.add_argument("--badge", type=Path, metavar="FILE", help="write the data of a badge (shields.io endpoint)")
    reports.add_argument("--compare", type=Path, metavar="OLD.json", help="tell what changed since that JSON report")
    reports.add_argument(
        "--record", type=Path, metavar="FILE", help="keep the answers of the target (of the one that is not ours)"
    )
    reports.add_argument(
        "--recorded",
        action="append",
        default=[],
        metavar="NAME",
        help="hold the results against a record: a file, or one of conformance/recorded; may be repeated",
    )
    arguments = parser.parse_args(argv)
    arguments.target = list(dict.fromkeys(arguments.target or ["emulator"]))
    if arguments.timeout <= 0:
        parser.error("--timeout must be positive")
    if arguments.repeat < 1 or arguments.jobs < 0:
        parser.error("--repeat and --jobs count something")
    for file in (arguments.json, arguments.junit, arguments.summary, arguments.badge):
        if file is not None and not file.absolute().parent.is_dir():  # told now, and not after a long run
            parser.error(f"cannot write {file}: there is no such folder")
    judges = [name for name in arguments.target if not is_ours(name)]
    arguments.keeps = judges[0] if len(judges) == 1 else arguments.target[0]
    if arguments.record is not None and (len(judges) > 1 or (not judges and len(arguments.target) > 1)):
        parser.error("--record keeps the answers of one target")
    return arguments


@attrs.frozen
class _Inputs:
    """The files that a command line names for reading."""

    matches: Callable[[Case], bool]
    exclusions: Sequence[Exclusion]
    records: Sequence[recorded.Recorded]
    before: recorded.Recorded | None  # what --record will replace
    earlier: compare.Outcomes | None


def _inputs(arguments: argparse.Namespace) -> _Inputs:
    """Read them all before anything runs, and make the folder that a record will go to.

    Raises:
        OSError, ValueError: one cannot be read, or is no such file.
    """
    kept: Path | None = arguments.record
    if kept is not None:
        kept.absolute().parent.mkdir(exist_ok=True)
    return _Inputs(
        matching(arguments.k) if arguments.k is not None else lambda case: True,
        read_exclusions(arguments.exclude) if arguments.exclude is not None else (),
        [recorded.read(recorded.find(name)) for name in arguments.recorded],
        recorded.read(kept) if kept is not None and kept.exists() else None,
        compare.read(arguments.compare) if arguments.compare is not None else None,
    )


def _hunt(arguments: Sequence[str]) -> int:
    """Run the hunt, which needs hypothesis as nothing else does."""
    try:
        hunter = importlib.import_module(".hunting.hunter", __package__)
    except ModuleNotFoundError as failure:
        if failure.name != "hypothesis":
            raise
        print("winsock2emu: error: conformance hunt needs hypothesis, not installed here", file=sys.stderr)
        return 2
    return int(hunter.main(arguments))


def main(argv: Sequence[str] | None = None, collection: Collection | None = None) -> int:
    """Run ``winsock2emu conformance`` with these arguments and return its exit status.

    ``collection`` replaces the suite's own cases, for tests of the runner. ``hunt`` as the first argument is a command
    of its own (hunting).
    """
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["hunt"]:
        return _hunt(given[1:])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # Windows writes files in a code page that lacks much
    try:
        arguments = _arguments(argv)
        inputs = _inputs(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except (OSError, ValueError) as why:
        print(f"conformance: {why}", file=sys.stderr)
        return EXIT_USAGE
    found = collect() if collection is None else collection
    if arguments.jobs and not found.package:
        raise ValueError("cases made by hand cannot be found by worker processes")
    for selector in itertools.chain(arguments.selectors, (one.selector for one in inputs.exclusions)):
        if not any(selects(selector, case) for case in found.cases):
            print(f"conformance: no case matches {selector!r}", file=sys.stderr)
    wanted = [
        case
        for case in found.cases
        if not arguments.selectors or any(selects(selector, case) for selector in arguments.selectors)
        if inputs.matches(case)
    ]
    for problem in found.problems:
        print(f"conformance: {problem}", file=sys.stderr)
    if arguments.list:
        left = [
            case for case in wanted if any(exclusion_of(case, t, inputs.exclusions) is None for t in arguments.target)
        ]
        report.list_cases(left)
        return EXIT_FAILED if found.problems else 0 if left else EXIT_NOTHING_RAN

    usable, missing = [], False
    for name in arguments.target:
        try:
            usable.append(targets.make(name))
        except KeyError:
            print(f"conformance: no target {name!r}; there are {', '.join(targets.MODULES)}", file=sys.stderr)
            return EXIT_USAGE
        except targets.Unavailable as why:
            print(f"conformance: target {name} does not run here: {why}", file=sys.stderr)
            if arguments.record is not None and name == arguments.keeps:
                return EXIT_NOTHING_RAN  # a record is what the run is for
            missing = True

    if not usable:
        return EXIT_NOTHING_RAN
    whole = len(wanted) == len(found.cases)
    try:
        lines = run(
            wanted,
            usable,
            seconds=arguments.timeout,
            strict=arguments.strict,
            repeat=arguments.repeat,
            exclusions=inputs.exclusions,
            workers=arguments.jobs,
            package=found.package,
        )
    except parallel.WorkerFailed as why:
        print(f"conformance: a worker process cannot begin: {why}", file=sys.stderr)
        return EXIT_NOTHING_RAN
    finished = report.Report(
        usable,
        lines,
        found.problems,
        whole=whole,
        requirements=arguments.requirements,
        records=inputs.records,
        changes=compare.changes(inputs.earlier, report.outcomes_of(lines), whole=whole) if inputs.earlier else (),
    )
    finished.show()
    try:
        _write(finished, arguments)
        if arguments.record is not None and finished.ran_on(arguments.keeps):
            (kept,) = (target for target in usable if target.name == arguments.keeps)
            _record(finished, kept, arguments.record, inputs.before, whole)
    except OSError as error:
        print(f"conformance: cannot write the report: {error}", file=sys.stderr)
        return EXIT_USAGE
    if finished.failures() or found.problems or finished.disagree(strict=arguments.strict):
        return EXIT_FAILED
    if missing or not all(finished.ran_on(target.name) for target in usable):
        print(
            "conformance: nothing ran" if not missing else "conformance: a target did not run",
            file=sys.stderr,
        )
        return EXIT_NOTHING_RAN
    return 0


def _write(finished: report.Report, arguments: argparse.Namespace) -> None:
    """Write the reports that were asked for; OSError when one cannot be written."""
    if arguments.json is not None:
        finished.write_json(arguments.json)
    if arguments.junit is not None:
        finished.write_junit(arguments.junit)
    if arguments.html is not None:
        pages.write(finished, arguments.html)
    if arguments.summary is not None:
        arguments.summary.write_text(summary.markdown(finished), encoding="utf-8")
    if arguments.badge is not None:
        arguments.badge.write_text(json.dumps(summary.badge(finished)) + "\n", encoding="utf-8")


def _record(finished: report.Report, target: Target, path: Path, before: recorded.Recorded | None, whole: bool) -> None:
    """Keep the answers of a target and tell what changed; a partial run leaves the other answers alone."""
    taken = recorded.take(
        path.stem,
        target.name,
        target.description,
        getattr(target, "versions", {}),
        [(line.case, line.results[target.name]) for line in finished.lines],
        before=before,
        whole=whole,
    )
    recorded.write(path, taken)
    print(f"\n{len(taken.answers)} answers of {target.name} are in {path}")
    if before is not None:
        old, new = ({id: {target.name: one.outcome} for id, one in r.answers.items()} for r in (before, taken))
        report.show_changes(f"Changes since the record of {before.date}", compare.changes(old, new, whole=whole))
        report.show_list("The same outcome with another answer", recorded.otherwise(before, taken))


if __name__ == "__main__":
    sys.exit(main())
