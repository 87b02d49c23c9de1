"""`--first`: a run ends at its first confirmed finding, and says what it did not do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

pytestmark = pytest.mark.slow


def test_the_first_confirmed_finding_ends_the_run(
    harness: Callable[..., Done], notes: Callable[..., str], project: Path
) -> None:
    """An API that forgets what it was given fails in the promise cases; neither fuzzing nor load is begun."""
    done = harness("verify", "--url", notes(NOTES_FAULT="forgets"), "--contract", "/openapi.json", "--first")
    assert done.code == 1, done.text
    record = json.loads(next((project / "reports").glob("2*/run.json")).read_text(encoding="utf-8"))
    skipped = {phase["name"]: phase["reason"] for phase in record["phases"] if phase["status"] == "skipped"}
    assert skipped == dict.fromkeys(("fuzz", "load"), "a finding was confirmed (--first)")
    assert "--first" in record["again"]
