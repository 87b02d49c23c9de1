"""Known findings and coverage by the commands: what is accepted does not fail a run, too little coverage does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

pytestmark = pytest.mark.slow
FILE = "harness.baseline.toml"


@pytest.fixture
def verify(harness: Callable[..., Done], notes: Callable[..., str]) -> Callable[..., Done]:
    """Verifies the notes API by its promise cases, with a fault or without."""
    addresses: dict[str, str] = {}

    def verified(*words: str, fault: str = "forgets") -> Done:
        if fault not in addresses:
            addresses[fault] = notes(NOTES_FAULT=fault)
        words = ("--contract", "/openapi.json", "--only", "promises", "--budget", "100s", *words)
        return harness("verify", "--url", addresses[fault], *words)

    return verified


def test_a_finding_is_known_until_its_day(
    verify: Callable[..., Done], harness: Callable[..., Done], tmp_path: Path
) -> None:
    """Begun by a command, refused without a reason, held until its last day, expired after it, gone when mended."""
    assert verify().code == 1
    begun = harness("baseline", "write")
    assert begun.code == 0, begun.text
    again = harness("baseline", "write")
    assert (again.code, "is there already" in again.text) == (2, True)
    file = tmp_path / FILE
    refused = verify()
    assert (refused.code, "reason is empty; write why" in refused.text) == (2, True)

    file.write_text(file.read_text().replace('reason = ""', 'reason = "ticket 12"'))
    known = verify()
    assert known.code == 0, known.text
    assert "1 known finding does not count" in known.text
    folder = tmp_path / "reports" / "latest"
    (finding,) = [json.loads(line) for line in (folder / "findings.jsonl").read_text().splitlines()]
    assert finding["known"]["reason"] == "ticket 12"
    (run,) = json.loads((folder / "findings.sarif").read_text())["runs"]
    assert run["results"][0]["suppressions"][0]["justification"].startswith("ticket 12")

    last = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    file.write_text(file.read_text().replace(last, "2020-01-31"))
    expired = verify()
    assert (expired.code, "counts again" in expired.text) == (1, True)
    mended = verify(fault="")
    assert (mended.code, "did not occur any more" in mended.text) == (0, True), mended.text


def test_less_coverage_than_asked_for_is_inconclusive(verify: Callable[..., Done], tmp_path: Path) -> None:
    """The figure stands in run.json, and the gate is exit code 4; a percentage that is none is wrong use."""
    enough = verify("--min-coverage", "50", fault="")
    assert enough.code == 0, enough.text
    told = json.loads((tmp_path / "reports" / "latest" / "run.json").read_text())
    assert (told["min_coverage"], told["coverage"]["pairs"]) == (50, 10)
    assert told["coverage"]["reached"] == sum(
        bool(status["count"]) for row in told["coverage"]["operations"] for status in row["statuses"]
    )
    wrong = verify("--min-coverage", "101", fault="")
    assert (wrong.code, "is no percentage" in wrong.text) == (2, True)
    short = verify("--min-coverage", "100", "--only", "notes.list", fault="")
    assert (short.code, "--min-coverage asks for 100 %" in short.text) == (4, True), short.text
    forgetful = verify("--min-coverage", "100%")
    assert forgetful.code == 1, f"findings go before what is inconclusive: {forgetful.text}"
    assert "--min-coverage 100" in json.loads((tmp_path / "reports" / "latest" / "run.json").read_text())["again"]
