"""pywin32's own tests, where its wheel is at hand (``make pywin32`` downloads it)."""

from __future__ import annotations

import pytest

from .run import LIMIT_S, MODULES, outcomes, unexplained
from .wheel import FOLDER, VERSION, at_hand


@pytest.mark.skipif(at_hand() is None, reason=f"no wheel of pywin32 {VERSION} for Windows in {FOLDER}")
@pytest.mark.timeout(LIMIT_S + 20)
@pytest.mark.parametrize("module", MODULES)
def test_what_does_not_pass_has_a_reason(module: str) -> None:
    found = outcomes(module)
    assert "pass" in found.values()
    assert unexplained(found) == []
