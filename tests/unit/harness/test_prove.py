"""The proof's own arithmetic: what the whole amounts to."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from harness import prove
from harness.errors import HarnessError
from harness.exits import Exit
from harness.proof import CleanRun, Proof, Proven

CAUGHT, ESCAPED = Proof("S14", caught=True, by="x", seconds=1.0), Proof("S15", caught=False, by="", seconds=1.0)
QUIET = CleanRun(held=True, alarms=0, broken="")


@pytest.mark.parametrize(
    ("proofs", "clean", "code"),
    [
        ((CAUGHT,), QUIET, Exit.HOLDS),
        ((CAUGHT, ESCAPED), QUIET, Exit.FINDINGS),
        ((CAUGHT,), CleanRun(held=True, alarms=1, broken=""), Exit.FINDINGS),
        ((CAUGHT,), CleanRun(held=False, alarms=0, broken="seed 1: exit 4"), Exit.FINDINGS),
    ],
)
def test_the_proof_fails_for_an_escape_an_alarm_or_a_clean_run_that_did_not_hold(
    proofs: tuple[Proof, ...], clean: CleanRun, code: Exit
) -> None:
    """Only where none of the three is, the proof stands."""
    proven = Proven(proofs, (clean,), (len(proofs), 1), "hash", 2.0, 150.0)
    assert proven.exit_code is code
    record = json.loads(json.dumps(proven.to_record()))
    assert record["whole"]
    assert record["clean"]["false_alarms"] == clean.alarms
    assert [item["id"] for item in record["defects"]] == [proof.id for proof in proofs]


@pytest.mark.parametrize(("defects", "clean"), [((CAUGHT,), ()), ((), (QUIET,))])
def test_a_proof_that_was_cut_says_so(defects: tuple[Proof, ...], clean: tuple[CleanRun, ...]) -> None:
    """Where a defect or a clean run is wanting, the record says that it is not whole, and of how many it is."""
    record = Proven(defects, clean, (1, 1), "hash", 2.0, 150.0).to_record()
    assert not record["whole"]
    assert record["asked"] == {"defects": 1, "seeds": 1}


@pytest.mark.parametrize(("stopped", "word"), [(True, "stopped"), (False, "ESCAPED")])
def test_what_was_stopped_did_not_escape(*, stopped: bool, word: str) -> None:
    """A defect whose verification an interruption ended is told as stopped: nobody knows whether it escapes."""

    def verified(*_: object) -> None:
        raise HarnessError("the verification was ended")

    stopping, told = threading.Event(), list[str]()
    ground: Any = SimpleNamespace(
        options=SimpleNamespace(longest_s=1.0, processes=2, stopping=stopping),
        profile=SimpleNamespace(planted=nullcontext),
        ordinary=lambda *_: SimpleNamespace(verified=verified),
        wanted=SimpleNamespace(seed=1),
    )
    if stopped:
        stopping.set()
    defect: Any = SimpleNamespace(id="S14", profile="first", is_shown_by=lambda _finding: False)
    assert not prove._proof(ground, told.append, defect).caught
    assert [line.split()[1] for line in told] == [word]
