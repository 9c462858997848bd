"""The runner: which cases, on which targets, each one alone and bounded in time.

Part played:     ``winsock2emu conformance``; `main` returns the exit status.
Lives here:      finding and selecting cases, running one (isolation, time limit, sockets left open), declared
                 gaps.
Lives elsewhere: what a case and an outcome are (model), tables and files (report), targets (targets/).

A case runs in a thread of its own, between a WSAStartup and the WSACleanup that ends everything. When its
time is up, the runner notes where its threads stand and cleans up from outside, which is what makes waiting
calls come back.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import importlib
import pkgutil
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import attrs

from . import report, targets
from .constants import code_name
from .model import Case, Outcome, Result
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


def collect(package: ModuleType | None = None) -> Collection:
    """Import every module of ``cases/`` (or of another package) and return its cases, file by file.

    A module that cannot be imported is a problem to report, and does not keep the others from running.
    """
    if package is None:
        package = importlib.import_module(".cases", __package__)
    found = Collection()
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        try:
            module = importlib.import_module(f"{package.__name__}.{name}")
        except Exception:  # anything can go wrong in a module that somebody is writing
            found.problems.append(f"cases/{name}.py cannot be imported: {traceback.format_exc(limit=-2)}")
        else:
            found.cases += module.__dict__.get("__cases__", ())
    found.problems += check_declarations(found.cases)
    return found


def check_declarations(cases: Iterable[Case]) -> list[str]:
    """Return what is wrong: an id used twice, requirement and behaviour ids that do not exist."""
    requirements, behaviours = report.known_requirements(), report.known_behaviours()
    problems, seen = [], set()
    for case in cases:
        if case.id in seen:
            problems.append(f"case id {case.id} is used twice")
        seen.add(case.id)
        problems += [f"case {case.id}: no requirement {r}" for r in case.requirements if r not in requirements]
        problems += [f"case {case.id}: no behaviour {b}" for b in case.behaviours if b not in behaviours]
    return problems


def selects(selector: str, case: Case) -> bool:
    """Whether a selector takes a case.

    It is the beginning of an id, a chapter, a requirement (``R7`` takes ``R7.3``) or a behaviour, or a glob
    over these.
    """
    words = [case.id, case.chapter, case.chapter.lower(), *case.requirements, *case.behaviours]
    if any(mark in selector for mark in "*?["):
        return any(fnmatch.fnmatchcase(word, selector) for word in words)
    if re.fullmatch(r"[RT]\d+", selector):
        return any(requirement.startswith(f"{selector}.") for requirement in case.requirements)
    return case.id.startswith(selector) or selector in words or selector.lower() == case.chapter.lower()


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
    return attrs.evolve(_judge(result, case.gap_on(target.name), strict), seconds=time.monotonic() - began)


def _judge(result: Result, gap: str | None, strict: bool) -> Result:
    """Apply the declared gap: a failure becomes the gap, a success is worth telling."""
    if gap is None:
        return result
    if result.outcome is Outcome.FAIL:
        return attrs.evolve(result, outcome=Outcome.GAP, reason=gap)
    if result.outcome in (Outcome.PASS, Outcome.VARIANT):
        outcome = Outcome.FAIL if strict else result.outcome
        return attrs.evolve(result, outcome=outcome, reason=f"gap closed, take it off: {gap}", gap_closed=True)
    return result


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
    """Return where threads stand, innermost calls last; the case's own thread first."""
    frames = sys._current_frames()
    stacks = []
    for thread in sorted(threads, key=lambda one: (one.name != "case", one.name)):
        frame = frames.get(thread.ident or 0)
        if frame is not None:
            lines = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_stack(frame)]
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


def run(
    cases: Sequence[Case],
    on: Sequence[Target],
    *,
    seconds: float = SECONDS,
    strict: bool = False,
    progress: report.Progress | None = None,
) -> list[report.Line]:
    """Run cases on targets, one after the other; return a line for each case."""
    lines = [report.Line(case) for case in cases]
    for target in on:
        for line in lines:
            if progress is not None:
                progress.begins(line.case, target.name)
            line.results[target.name] = run_case(line.case, target, seconds=seconds, strict=strict)
            if progress is not None:
                progress.ended(line.case, target.name, line.results[target.name])
    return lines


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
    parser.add_argument(
        "--target",
        action="append",
        metavar="TARGET",
        help=f"what to judge: {', '.join(targets.MODULES)}; may be repeated (default: emulator)",
    )
    parser.add_argument("--list", action="store_true", help="print the selected cases and run nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the report as JUnit XML")
    parser.add_argument("--strict", action="store_true", help="a declared gap that passes is a failure")
    parser.add_argument("--timeout", type=float, default=SECONDS, metavar="SECONDS", help="for one case")
    parser.add_argument("--requirements", action="store_true", help="print every requirement with its state")
    arguments = parser.parse_args(argv)
    if arguments.timeout <= 0:
        parser.error("--timeout must be positive")
    return arguments


def main(argv: Sequence[str] | None = None, collection: Collection | None = None) -> int:
    """Run ``winsock2emu conformance`` with these arguments and return its exit status.

    ``collection`` replaces the suite's own cases, for tests of the runner.
    """
    try:
        arguments = _arguments(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    found = collect() if collection is None else collection
    for selector in arguments.selectors:
        if not any(selects(selector, case) for case in found.cases):
            print(f"conformance: no case matches {selector!r}", file=sys.stderr)
    wanted = [
        case
        for case in found.cases
        if not arguments.selectors or any(selects(selector, case) for selector in arguments.selectors)
    ]
    for problem in found.problems:
        print(f"conformance: {problem}", file=sys.stderr)
    if arguments.list:
        report.list_cases(wanted)
        return EXIT_FAILED if found.problems else 0 if wanted else EXIT_NOTHING_RAN

    usable, missing = [], False
    for name in dict.fromkeys(arguments.target or ["emulator"]):
        try:
            usable.append(targets.make(name))
        except KeyError:
            print(f"conformance: no target {name!r}; there are {', '.join(targets.MODULES)}", file=sys.stderr)
            return EXIT_USAGE
        except targets.Unavailable as why:
            print(f"conformance: target {name} does not run here: {why}", file=sys.stderr)
            missing = True

    whole = not arguments.selectors
    with contextlib.closing(report.Progress(len(wanted) * len(usable))) as progress:
        lines = run(wanted, usable, seconds=arguments.timeout, strict=arguments.strict, progress=progress)
    finished = report.Report(usable, lines, found.problems, whole=whole, requirements=arguments.requirements)
    finished.show()
    try:
        if arguments.json is not None:
            finished.write_json(arguments.json)
        if arguments.junit is not None:
            finished.write_junit(arguments.junit)
    except OSError as error:
        print(f"conformance: cannot write the report: {error}", file=sys.stderr)
        return EXIT_USAGE
    if finished.failures() or found.problems:
        return EXIT_FAILED
    if missing or not usable or not all(finished.ran_on(target.name) for target in usable):
        print(
            "conformance: nothing ran" if not missing else "conformance: a target did not run",
            file=sys.stderr,
        )
        return EXIT_NOTHING_RAN
    return 0


if __name__ == "__main__":
    sys.exit(main())
