"""Who agrees with whom, and whether the reason is known."""

from __future__ import annotations

import pytest

from conformance.agreement import Agreement, agreement, agreements, masked, same
from conformance.model import (
    Difference,
    Outcome,
    Result,
    documented_otherwise,
    host_limit,
    lacks,
    observed_otherwise,
)


def failed(actual: str, outcome: Outcome = Outcome.FAIL, difference: Difference | None = None) -> Result:
    return Result(outcome=outcome, expected="5", actual=actual, difference=difference)


PASS, ERROR = Result(outcome=Outcome.PASS), Result(outcome=Outcome.ERROR)
FAIL, GAP = failed("4"), failed("4", Outcome.GAP)
VARIANT = Result(outcome=Outcome.VARIANT, reason="code is 2: Windows 7")
ABSENT = Result(outcome=Outcome.NOT_APPLICABLE)
EXCUSED = failed("4", Outcome.DIFFERS, lacks("why"))
NOW_PASSES = Result(outcome=Outcome.PASS, difference=lacks("why"))


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (PASS, PASS, Agreement.SAME),
        (VARIANT, VARIANT, Agreement.SAME),
        (VARIANT, PASS, Agreement.VARIANT),
        (VARIANT, NOW_PASSES, Agreement.LACKS),
        (PASS, FAIL, Agreement.UNEXPLAINED),
        (FAIL, PASS, Agreement.UNEXPLAINED),
        (FAIL, FAIL, Agreement.SAME),
        (FAIL, failed("3"), Agreement.UNEXPLAINED),
        (GAP, EXCUSED, Agreement.SAME),
        (GAP, failed("3", Outcome.DIFFERS, lacks("why")), Agreement.LACKS),
        (GAP, PASS, Agreement.GAP),
        (GAP, NOW_PASSES, Agreement.GAP),
        (PASS, EXCUSED, Agreement.LACKS),
        (PASS, failed("4", Outcome.DIFFERS, observed_otherwise("id", "why")), Agreement.OBSERVED),
        (PASS, failed("4", Outcome.DIFFERS, documented_otherwise("why")), Agreement.DOCUMENTED),
        (PASS, failed("4", Outcome.DIFFERS, host_limit("why")), Agreement.HOST),
        (PASS, ABSENT, Agreement.UNKNOWN),
        (ABSENT, FAIL, Agreement.UNKNOWN),
        (PASS, ERROR, Agreement.UNKNOWN),
        (PASS, None, Agreement.UNKNOWN),
    ],
)
def test_agreement(ours: Result, theirs: Result | None, kind: Agreement) -> None:
    assert agreement(ours, theirs) is kind


def test_every_kind_of_reason_has_its_column() -> None:
    for difference in (lacks("why"), observed_otherwise("id", "why"), documented_otherwise("why"), host_limit("why")):
        kind = agreement(PASS, failed("4", Outcome.DIFFERS, difference))
        assert kind.name == difference.kind.name


def test_numbers_that_are_others_each_time_do_not_make_a_difference() -> None:
    assert same(failed("port 40001"), failed("port 51234"))
    assert same(failed("at 0x7f001c"), failed("at 0x55ab"))
    assert not same(failed("5 bytes"), failed("6 bytes"))
    assert not same(failed("failure WSAEINVAL (10022)"), failed("failure WSAEFAULT (10014)"))
    assert not same(failed("4"), Result(outcome=Outcome.FAIL, expected="6", actual="4"))
    assert masked(None) == ""


def test_variants_are_the_same_when_the_answer_is() -> None:
    other = Result(outcome=Outcome.VARIANT, reason="code is 3: Windows XP")
    assert same(VARIANT, VARIANT)
    assert not same(VARIANT, other)


def told(ours: dict[str, Result], answer: Result | None, *, own: bool = True) -> list[Agreement]:
    return list(agreements(ours, answer, reason_of_its_own=own).values())


def test_a_reason_holds_no_longer_when_the_referee_answers_as_all_of_ours_do() -> None:
    assert told({"emulator": PASS, "api": PASS}, NOW_PASSES) == [Agreement.STALE] * 2
    assert told({"emulator": PASS, "api": ABSENT}, NOW_PASSES) == [Agreement.STALE, Agreement.UNKNOWN]
    assert told({"emulator": PASS, "api": VARIANT}, NOW_PASSES) == [Agreement.SAME, Agreement.LACKS]
    assert told({"emulator": GAP}, EXCUSED) == [Agreement.SAME]  # both fail alike: the reason says why the referee does
    assert told({"emulator": PASS}, NOW_PASSES, own=False) == [Agreement.SAME]  # a group may be wide
    assert told({"emulator": PASS}, None) == [Agreement.UNKNOWN]
