"""The proof's own arithmetic: what the whole amounts to."""

from __future__ import annotations

import json

import pytest

from harness.exits import Exit
from harness.prove import Proof, Proven

CAUGHT, ESCAPED = Proof("S14", caught=True, by="x", seconds=1.0), Proof("S15", caught=False, by="", seconds=1.0)


@pytest.mark.parametrize(
    ("proofs", "alarms", "clean", "code"),
    [
        ((CAUGHT,), 0, (), Exit.HOLDS),
        ((CAUGHT, ESCAPED), 0, (), Exit.FINDINGS),
        ((CAUGHT,), 1, (), Exit.FINDINGS),
        ((CAUGHT,), 0, ("seed 1: exit 4",), Exit.FINDINGS),
    ],
)
def test_the_proof_fails_for_an_escape_an_alarm_or_a_clean_run_that_did_not_hold(
    proofs: tuple[Proof, ...], alarms: int, clean: tuple[str, ...], code: Exit
) -> None:
    """Only where none of the three is, the proof stands."""
    proven = Proven(proofs, 1, alarms, clean, "hash", 2.0)
    assert proven.exit_code is code
    record = json.loads(json.dumps(proven.to_record()))
    assert record["clean"]["false_alarms"] == alarms
    assert [item["id"] for item in record["defects"]] == [proof.id for proof in proofs]
