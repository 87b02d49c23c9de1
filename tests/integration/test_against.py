"""`harness prove --against schemathesis`: the real tool on a planted defect, and what is asked wrongly."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import CONFIGURATION, NOTES, planting
from tests.integration.started import GONE_S, processes, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done, Started

TIMEOUT_S = 240
ROWS = [
    {"id": "fails", "title": "every answer is 500", "codes": ["schema.server-error"], "operations": ["notes.list"]},
    {"id": "slips", "title": "nothing is wrong", "codes": ["schema.body"], "operations": ["notes.list"]},
]
PLANTING = planting('fault == "fails"')
PLANTED = f"""
[prove]
list = ["{{python}}", "-c", 'print({json.dumps(json.dumps(ROWS))})']
command = ["{{python}}", "planting.py", "{NOTES}", "{{port}}", "{{defect}}"]
"""
AGAINST = ("prove", "--against", "schemathesis", "--seeds", "1", "--against-budget", "10s")


@pytest.fixture
def planted(project: Path) -> Path:
    """A folder whose harness.toml plants two defects in the notes API, one of which is none."""
    (project / "planting.py").write_text(PLANTING)
    (project / "harness.toml").write_text(CONFIGURATION + PLANTED)
    return project


@pytest.mark.slow
def test_a_defect_is_caught_and_another_missed(begin: Callable[..., Started], planted: Path) -> None:
    """Answers of 500 are caught by a check at the operation, what is not there is missed; the page has both and 0."""
    done = begin(*AGAINST, "--json", "board.json", "--markdown", "board.md").done(TIMEOUT_S)
    assert done.code == 0, done.text
    record = json.loads((planted / "board.json").read_text())
    told = {entry["id"]: entry for entry in record["defects"]}
    assert {name: entry["verdict"] for name, entry in told.items()} == {"fails": "caught", "slips": "missed"}, done.text
    assert "not_a_server_error at GET /notes" in told["fails"]["by"]
    assert all("GET /notes" in text.partition(" at ")[2] for text in told["fails"]["by"])
    assert all(entry["sent"] > 0 for entry in record["defects"])
    assert (record["clean"][0]["runs"], record["clean"][0]["unknown"]) == (1, [])
    page = (planted / "board.md").read_text()
    assert f"Schemathesis {record['version']}: **1 of 2** caught, 1 missed, 0 unknown; 10 s for each run" in page
    command = "harness prove --against schemathesis --only fails slips --seeds 1 --against-budget 10s"
    assert f"$ {command} --markdown board.md" in page
    again = begin(*AGAINST[:3], "--kept", "board.json", "--markdown", "again.md").done(TIMEOUT_S)
    assert again.code == 0, again.text
    tables = [(planted / name).read_text().partition("\n- harness:")[2] for name in ("board.md", "again.md")]
    assert tables[0] == tables[1]
    assert tables[0]


@pytest.mark.slow
def test_an_interrupted_comparison_leaves_nothing(begin: Callable[..., Started], planted: Path) -> None:
    """Killed while Schemathesis runs, it and the target are gone soon after."""
    assert planted.is_dir()
    started = begin(*AGAINST)
    assert until(lambda: any(path.stat().st_size for path in planted.glob("reports/against/*/1/*/schemathesis.log")))
    started.process.send_signal(signal.SIGKILL)
    started.process.wait()
    assert until(lambda: not processes(started.mark), GONE_S), processes(started.mark)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("prove", "--compare", "proof.json"), "give --against schemathesis as well"),
        (("prove", "--markdown", "board.md"), "give --against schemathesis as well"),
        ((*AGAINST, "--compare", "none.json"), "none.json cannot be read as a proof"),
        ((*AGAINST, "--kept", "none.json"), "none.json cannot be read as a comparison"),
        (("prove", "--kept", "none.json"), "give --against schemathesis as well"),
        ((*AGAINST, "--markdown", "no/such/board.md"), "--markdown is no/such/board.md"),
        ((*AGAINST, "--seeds", "0"), "--seeds is 0; what fails on the clean build is needed, give 1 or more"),
        ((*AGAINST, "--only", "S999"), "no defect is called S999"),
        (("prove", "--against", "another"), "invalid choice: 'another'"),
    ],
)
def test_what_is_asked_wrongly(words: tuple[str, ...], told: str, harness: Callable[..., Done], planted: Path) -> None:
    """Each is told before anything is started, with what to give instead, and ends with 2."""
    done = harness(*words)
    assert done.code == 2
    assert told in done.err
    assert not list(planted.glob("reports/against/*/1"))


@pytest.mark.slow
def test_a_proof_of_another_contract(harness: Callable[..., Done], planted: Path) -> None:
    """A proof that was made of another document is told before Schemathesis is run."""
    asked = {"asked": {"defects": 0, "seeds": 0}, "jobs": 1, "whole": True}
    proof = {"defects": [], "clean": {"held": 0}, "contract_hash": "other", "budget_s": 150, **asked}
    (planted / "proof.json").write_text(json.dumps(proof))
    done = harness(*AGAINST, "--compare", "proof.json")
    assert done.code == 2
    assert "proof.json is the proof of another contract than the clean build's; prove it again" in done.err
