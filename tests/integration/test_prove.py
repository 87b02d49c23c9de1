"""`harness prove`: a planted defect is caught and the clean build is quiet; what is asked wrongly is told."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import CONFIGURATION as NOTES_CONFIGURATION
from tests.integration.conftest import NOTES, planting
from tests.integration.started import GONE_S, ROOT, processes, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done, Started

CONFIGURATION = ("--config", str(ROOT / "harness.toml"))
TIMEOUT_S = 400
# The notes API with a fault that it has in the west alone, and a list of what is planted.
ROWS = [
    {
        "id": name,
        "title": name,
        "codes": ["resource.create-not-readable"],
        "operations": ["notes.create"],
        "profile": at,
    }
    for name, at in {"forgets": "west", "nowhere": "east"}.items()
]
PLANTING = planting('os.environ.get("PLACE") == "west"')
PLANTED = f"""
[prove]
list = ["{{python}}", "-c", 'print({json.dumps(json.dumps(ROWS))})']
command = ["{{python}}", "planting.py", "{NOTES}", "{{port}}", "{{defect}}"]
[prove.profiles.west]
config = "west.toml"
environment = {{ PLACE = "west" }}
"""


@pytest.mark.slow
def test_a_planted_defect_is_caught(begin: Callable[..., Started], tmp_path: Path) -> None:
    """`prove --only S14` catches the lost update: its replay still fails there and is fixed on the clean build."""
    words = ("--only", "S14", "--seeds", "0", "--budget", "180s", "--json", "proof.json")
    done = begin("prove", *CONFIGURATION, *words).done(TIMEOUT_S)
    proof = json.loads((tmp_path / "proof.json").read_text())
    assert [(item["id"], item["caught"]) for item in proof["defects"]] == [("S14", True)], done.text
    assert "version.lost-update at products.update" in proof["defects"][0]["by"]
    assert done.code == 0, done.text


@pytest.fixture
def planted(project: Path) -> Path:
    """A folder whose harness.toml plants a defect in the notes API, on a profile in a file of its own."""
    (project / "planting.py").write_text(PLANTING)
    (project / "west.toml").write_text(NOTES_CONFIGURATION)
    (project / "harness.toml").write_text(NOTES_CONFIGURATION + PLANTED)
    return project


def test_a_defect_is_planted_where_its_profile_says(begin: Callable[..., Started], planted: Path) -> None:
    """What is there in the west alone is caught on the target of its profile, and not on its clean build."""
    words = ("--only", "forgets", "--seeds", "0", "--budget", "60s", "--json", "proof.json")
    done = begin("prove", *words).done(TIMEOUT_S)
    proof = json.loads((planted / "proof.json").read_text())
    told = [(item["id"], item["profile"], item["caught"]) for item in proof["defects"]]
    assert told == [("forgets", "west", True)], done.text
    assert done.code == 0


def test_an_interrupted_proof_keeps_what_it_knew(begin: Callable[..., Started], planted: Path) -> None:
    """After Ctrl-C between the defect and the clean runs, the file tells the defect and that the proof is not whole."""
    proof = planted / "proof.json"
    started = begin("prove", "--only", "forgets", "--seeds", "3", "--budget", "60s", "--json", "proof.json")
    assert until(proof.exists, TIMEOUT_S)
    started.process.send_signal(signal.SIGINT)
    done = started.done(TIMEOUT_S)
    record = json.loads(proof.read_text())
    assert [item["id"] for item in record["defects"]] == ["forgets"], done.text
    assert not record["whole"]


def test_a_profile_that_is_not_written(harness: Callable[..., Done], planted: Path) -> None:
    """A defect whose profile is not told is no escape and no catch: the message says what to write, with 2."""
    assert planted.is_dir()
    done = harness("prove", "--only", "nowhere")
    assert done.code == 2
    assert "there are defects of profile 'east'; write [prove.profiles.east]" in done.err


def test_an_unknown_defect(harness: Callable[..., Done]) -> None:
    """A defect that is not in the list is told with those that are, before anything is started."""
    done = harness("prove", *CONFIGURATION, "--only", "S14", "S999")
    assert done.code == 2
    assert "no defect is called S999" in done.err
    assert "known are" in done.err


def test_a_proof_that_cannot_be_written(harness: Callable[..., Done]) -> None:
    """A place for the JSON file that is not there is told before the proof, not after it."""
    done = harness("prove", *CONFIGURATION, "--only", "S14", "--json", "no/such/folder/proof.json")
    assert done.code == 2
    assert "no/such/folder" in done.err


def test_a_project_without_defects(harness: Callable[..., Done], project: Path) -> None:
    """Where harness.toml has no table prove, the message says what to write."""
    assert project.is_dir()
    done = harness("prove")
    assert done.code == 2
    assert "write [prove] list and command, and [target.process]" in done.err


def test_an_interrupted_proof_leaves_nothing(begin: Callable[..., Started], tmp_path: Path) -> None:
    """Killed while a defect is verified, the verification and both targets are gone soon after."""
    started = begin("prove", *CONFIGURATION, "--only", "S14", "--seeds", "1", "--budget", "30s")
    assert until(lambda: any(path.stat().st_size for path in tmp_path.glob("reports/2*/history/*.jsonl")))
    started.process.send_signal(signal.SIGKILL)
    started.process.wait()
    assert until(lambda: not processes(started.mark), GONE_S), processes(started.mark)
