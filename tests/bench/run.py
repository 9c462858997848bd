"""The command behind ``make bench``: measure rows, print a table, write JSON.

    python -m tests.bench.run [--rows 1,2,8] [--quick] [--json build/bench.json]

The exit status is 0 although a goal is missed: whether that fails anything is for the caller to decide, who gets
``met`` in the JSON. It is 1 when a row could not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .measure import FULL, QUICK, Measured, Plan, Unavailable, bounded, pinned
from .rows import MEASUREMENTS
from .table import ROWS, Row
from .worker import CHECKOUT


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit() -> str | None:
    """The commit that is checked out, with "+" when files differ from it; None outside a repository."""
    git = ["git", "--no-optional-locks", "-C", str(CHECKOUT)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def measured_rows(numbers: Sequence[int] | None) -> list[Row]:
    """The rows with a measurement, all or those with the given numbers.

    Raises:
        ValueError: a number without any.
    """
    rows = [row for row in ROWS if row.name in MEASUREMENTS]
    if numbers is None:
        return rows
    missing = sorted(set(numbers) - {row.number for row in rows})
    if missing:
        raise ValueError(f"no measurement for row {', '.join(map(str, missing))}")
    return [row for row in rows if row.number in numbers]


def as_json(row: Row, outcome: Measured) -> dict[str, Any]:
    """A row of the result file."""
    return {
        "number": row.number,
        "name": row.name,
        "work": row.work,
        "divided_by": row.divided_by,
        "kind": row.kind,
        "goal": row.goal,
        "stretch": row.stretch,
        "value": round(outcome.value, 4),
        "quartiles": [round(limit, 4) for limit in outcome.quartiles],
        "rounds": outcome.rounds,
        "met": row.meets(outcome.value, row.goal),
        "stretch_met": row.meets(outcome.value, row.stretch),
        "ns": None if outcome.ns is None else [round(ns, 1) for ns in outcome.ns],
        "notes": {name: round(note, 4) for name, note in outcome.notes.items()},
    }


_LINE = "{:>3}  {:<24} {:>7}  {:>15}  {:>7} {:>7}  {:<8} {:>9} {:>9}  {}"


def heading() -> str:
    return _LINE.format("row", "name", "value", "quartiles", "goal", "stretch", "", "ns", "of ns", "divided by")


def line(row: Row, outcome: Measured) -> str:
    """A row for people."""
    places = 0 if row.kind == "bytes" else 3
    met = row.meets(outcome.value, row.goal)
    verdict = "" if met is None else "met" if met else "missed"
    if row.meets(outcome.value, row.stretch):
        verdict = "stretch"
    ours, theirs = ("", "") if outcome.ns is None else (f"{ns:.0f}" for ns in outcome.ns)
    return _LINE.format(
        row.number,
        row.name,
        f"{outcome.value:.{places}f}",
        " - ".join(f"{limit:.{places}f}" for limit in outcome.quartiles),
        "" if row.goal is None else f"{row.goal:g}",
        "" if row.stretch is None else f"{row.stretch:g}",
        verdict,
        ours,
        theirs,
        row.divided_by,
    ).rstrip()


def measure(rows: Sequence[Row], plan: Plan) -> tuple[dict[str, Any], list[str]]:
    """Measure rows and print each when it is done: the whole result, and the names of rows that failed."""
    results, failed = [], []
    print(heading())
    with pinned() as cpu:
        for row in rows:
            try:
                with bounded(plan.limit_s):
                    outcome = MEASUREMENTS[row.name](plan)
            except Unavailable as lack:
                print(f"{row.number:>3}  {row.name:<24} not measured here: {lack}")
                continue
            except Exception as failure:  # one broken row must not take the others with it
                failed.append(row.name)
                print(f"{row.number:>3}  {row.name:<24} could not be measured: {type(failure).__name__}: {failure}")
                continue
            results.append(as_json(row, outcome))
            print(line(row, outcome), flush=True)
    return {
        "machine": machine() | {"pinned_to": cpu},
        "python": {
            "implementation": platform.python_implementation(),
            "version": platform.python_version(),
            "compiler": platform.python_compiler(),
        },
        "commit": commit(),
        "rounds": plan.rounds,
        "rows": results,
        "failed": failed,
    }, failed


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run", description="Measure the rows of the table.")
    parser.add_argument("--rows", type=numbers, metavar="1,2,8", help="only the rows with these numbers")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, for a first look")
    parser.add_argument("--json", type=Path, default=CHECKOUT / "build" / "bench.json", metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        rows = measured_rows(options.rows)
    except ValueError as failure:
        parser.error(str(failure))
    result, failed = measure(rows, QUICK if options.quick else FULL)
    if options.rows is None:
        waiting = [f"{row.number} {row.name}" for row in ROWS if row.name not in MEASUREMENTS]
        print("without a measurement so far: " + ", ".join(waiting))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
