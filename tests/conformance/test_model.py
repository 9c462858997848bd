"""Declaring cases and verifying claims."""

from __future__ import annotations

import sys
import threading
from types import ModuleType

import pytest

from conformance.constants import WSAEFAULT, WSAEINVAL, WSAENOTSOCK, code_name
from conformance.model import Row, case
from conformance.target import Target
from conformance.threads import Worker
from conformance.verify import (
    MAX_STEPS,
    Failed,
    Mismatch,
    Record,
    expect,
    fails_with,
    recording,
    shown,
    step,
    variant,
)
from tests.conformance.madeup import declare


def claim(ws: Target) -> None:
    """The first paragraph is
    the claim.

    More is for readers.
    """


def test_case_takes_its_claim_from_the_docstring() -> None:
    assert declare(claim).claim == "The first paragraph is the claim."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Upper.Case"),
        ("id", "oneword"),
        ("id", "under_score.word"),
        ("requirements", ["R7"]),
        ("requirements", ["7.3"]),
        ("basis", "guessed"),
        ("source", ""),
    ],
)
def test_a_declaration_that_cannot_be_right_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError):
        declare(claim, **{field: value})  # type: ignore[arg-type]  # the wrong value is the point


def test_a_case_without_docstring_is_refused() -> None:
    def silent(ws: Target) -> None: ...

    with pytest.raises(ValueError, match="docstring"):
        case("a.b", chapter="C", source="s", basis="choice")(silent)


def test_rows_become_cases_with_their_own_facts() -> None:
    seen: list[tuple[int, str]] = []

    def body(ws: Target, number: int, text: str) -> None:
        """Each row."""
        seen.append((number, text))

    made = case(
        "table.{row}.works",
        chapter="C",
        source="page",
        basis="documented",
        requirements=["R1.1"],
        gap="all",
        rows={
            "one": Row(1, "x", requirements=["R1.2"], behaviours=["b"], source="test", basis="observed"),
            "two": Row(2, "y", gap={"api": "this row"}),
        },
    )(body)

    assert [one.id for one in made] == ["table.one.works", "table.two.works"]
    assert made[0].requirements == ("R1.1", "R1.2")
    assert (made[0].source, made[0].basis, made[0].gap) == ("test", "observed", "all")
    assert (made[1].source, made[1].basis, made[1].gap) == ("page", "documented", {"api": "this row"})
    for one in made:
        one.run(Target())
    assert seen == [(1, "x"), (2, "y")]


def test_a_module_collects_its_cases() -> None:
    module = ModuleType("a_module_with_cases")
    sys.modules[module.__name__] = module
    try:
        source = (
            "from conformance.model import case\n"
            "@case('a.b', chapter='C', source='s', basis='choice')\n"
            "def one(ws):\n    'It holds.'\n"
        )
        exec(source, module.__dict__)
    finally:
        del sys.modules[module.__name__]
    assert [one.id for one in module.__dict__["__cases__"]] == ["a.b"]


def test_gap_may_be_for_one_target() -> None:
    one = declare(claim, gap={"api": "why"})
    assert (one.gap_on("api"), one.gap_on("emulator")) == ("why", None)
    assert declare(claim, gap="everywhere").gap_on("emulator") == "everywhere"


def test_expect_tells_what_was_expected_and_what_came() -> None:
    with pytest.raises(Mismatch) as caught:
        expect("bytes", expected=5, actual=4)
    assert (caught.value.what, caught.value.expected, caught.value.actual) == ("bytes", "5", "4")


def test_fails_with_passes_the_failure_on_to_the_reader() -> None:
    with fails_with(WSAEFAULT) as caught:
        raise Failed(WSAEFAULT, "recv", moved=3, needed=16)
    assert (caught.code, caught.call, caught.moved, caught.needed) == (WSAEFAULT, "recv", 3, 16)


def test_fails_with_rejects_another_code_and_success() -> None:
    with pytest.raises(Mismatch, match="WSAENOTSOCK"), fails_with(WSAENOTSOCK):
        raise Failed(WSAEFAULT, "recv")
    with pytest.raises(Mismatch, match="success"), fails_with(WSAENOTSOCK):
        step("nothing happens")


def test_variants_are_noted_and_others_rejected() -> None:
    with recording(Record()) as record:
        variant("size", expected=1, allowed={2: "Windows 7"}, actual=1)
        assert record.variants == []
        variant("size", expected=1, allowed={2: "Windows 7"}, actual=2)
        with fails_with(WSAEFAULT, variants={WSAEINVAL: "the page"}):
            raise Failed(WSAEINVAL, "recv")
        with pytest.raises(Mismatch):
            variant("size", expected=1, allowed={2: "Windows 7"}, actual=3)
    assert len(record.variants) == 2
    assert "Windows 7" in record.variants[0]
    assert "the page" in record.variants[1]


def test_a_record_keeps_the_first_and_the_latest_steps() -> None:
    with recording(Record()) as record:
        for number in range(3 * MAX_STEPS):
            step(str(number))
    assert len(record.steps) == MAX_STEPS
    assert (record.steps[0], record.steps[-1]) == ("0", str(3 * MAX_STEPS - 1))


def test_steps_of_another_thread_belong_to_the_case() -> None:
    with recording(Record()) as record, Worker() as other:
        other.call(step, "from the other thread")
    assert record.steps == ["from the other thread"]


def test_a_call_in_another_thread_hands_over_its_result_or_error() -> None:
    def broken() -> None:
        raise Failed(WSAEFAULT, "recv")

    with Worker() as other:
        assert other.call(lambda: threading.current_thread().name) == other.name
        with pytest.raises(Failed):
            other.call(broken)
        assert other.call(int, "7") == 7


def test_a_call_that_does_not_end_in_time_is_a_mismatch() -> None:
    gate = threading.Event()
    with Worker() as other:
        pending = other.start(gate.wait, 10)
        assert not pending.finished_within(0.01)
        with pytest.raises(Mismatch, match="still running"):
            pending.result(within=0.01)
        gate.set()
        assert pending.result() is True


def test_codes_have_names_and_long_values_are_shortened() -> None:
    assert code_name(10038) == "WSAENOTSOCK (10038)"
    assert code_name(123456) == "123456"
    assert "1000 bytes" in shown(bytes(1000))
    assert len(shown("x" * 1000)) < 400
