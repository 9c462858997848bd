"""Selectors, -k expressions and exclusion files."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.selection import exclusion_of, matching, read_exclusions, selects
from conformance.target import Target
from tests.conformance.madeup import declare


def stays(ws: Target) -> None:
    """The second buffer keeps what it had."""


MADE = declare(stays, "transfer.scatter.order", requirements=["R7.3", "A104"], behaviours=["wsarecv-scatter"])


@pytest.mark.parametrize(
    "selector",
    ["transfer", "transfer.sc", "made up", "R7", "R7.3", "A104", "wsarecv-scatter", "*.order", "R7.*"],
)
def test_selectors_are_prefixes_chapters_requirements_behaviours_and_globs(selector: str) -> None:
    assert selects(selector, MADE)


@pytest.mark.parametrize("selector", ["scatter", "R7.31", "R70", "R1", "A10", "Made", "*.orde"])
def test_what_a_selector_does_not_take(selector: str) -> None:
    assert not selects(selector, MADE)


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        ("scatter", True),
        ("SCATTER and buffer", True),
        ("gather", False),
        ("gather or scatter", True),
        ("not gather", True),
        ("not scatter or order", True),
        ("not (scatter or order)", False),
        ("scatter and not (gather or made)", False),
        ("gather and scatter or order", True),  # 'and' binds first
        ("order or gather and gather", True),
    ],
)
def test_expressions(expression: str, taken: bool) -> None:
    assert matching(expression)(MADE) is taken


@pytest.mark.parametrize("expression", ["", "and", "a and", "a or or b", "(a", "a)", "not", "a b", "()"])
def test_an_expression_that_cannot_be_read(expression: str) -> None:
    with pytest.raises(ValueError, match=r"missing|unexpected"):
        matching(expression)


def test_an_exclusion_file_gives_selectors_targets_and_reasons(tmp_path: Path) -> None:
    file = tmp_path / "exclude.txt"
    file.write_text(
        "# about\n\ntransfer.sc   # slow here\nmade up @wine # Wine 8.0 has none # really\n", encoding="utf-8"
    )
    exclusions = read_exclusions(file)
    assert [(one.selector, one.target, one.reason) for one in exclusions] == [
        ("transfer.sc", None, "slow here"),
        ("made up", "wine", "Wine 8.0 has none # really"),
    ]
    assert exclusion_of(MADE, "api", exclusions) == "slow here"
    assert exclusion_of(MADE, "api", exclusions[1:]) is None
    assert exclusion_of(MADE, "wine", exclusions[1:]) == "Wine 8.0 has none # really"


@pytest.mark.parametrize("line", ["transfer", "transfer #", "transfer  #  "])
def test_an_exclusion_without_a_reason_is_refused(line: str, tmp_path: Path) -> None:
    file = tmp_path / "exclude.txt"
    file.write_text(f"one # fine\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read_exclusions(file)
