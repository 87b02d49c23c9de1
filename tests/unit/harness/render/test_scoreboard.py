"""The scoreboard: what each tool said of a defect as a table, with the sums, the commands and what does not count."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.options import parser
from harness.render import scoreboard

if TYPE_CHECKING:
    from pathlib import Path


def shown(name: str, verdict: str, **told: Any) -> dict[str, Any]:
    """One defect as the comparison's JSON tells it."""
    usual = {
        "title": f"{name} is wrong",
        "classes": ["schema", "fuzz"],
        "by": [],
        "why": "",
        "load": 1.25,
        "sent": 1200,
    }
    return {"id": name, "verdict": verdict, **usual, **told}


COMPARED: dict[str, Any] = {
    "tool": "schemathesis",
    "version": "4.32.5",
    "command": ["schemathesis", "run", "openapi.json", "--origin", "URL", "--seed", "1"],
    "identities": ["caller-of-every-role (user, admin)", "caller (user)"],
    "budget_s": 120.0,
    "contract_hash": "hash",
    "clean": [
        {
            "profile": "1",
            "runs": 2,
            "failures": ["positive_data_acceptance at POST /a"],
            "errors": ["Late"],
            "unknown": [],
        }
    ],
    "defects": [
        shown("A1", "caught", by=["not_a_server_error at GET /b"]),
        shown("A2", "missed", why="elsewhere only: use_after_free at GET /c"),
        shown("A3", "unknown", why="it ended with 2"),
    ],
}
PROOF: dict[str, Any] = {
    "contract_hash": "hash",
    "budget_s": 150.0,
    "clean": {"held": 0},
    "asked": {"defects": 2, "seeds": 0},
    "jobs": 1,
    "whole": True,
    "defects": [
        {"id": "A1", "caught": False, "by": "", "why": "exit 0: no finding (run-1)", "seconds": 101.4, "load": 2.0},
        {"id": "A2", "caught": True, "by": "a.b at c.d (confirmed, run-2/f)", "why": "", "seconds": 41.2, "load": 8.0},
    ],
}


def rows(page: str) -> dict[str, list[str]]:
    """The table's cells by the defect's id."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in page.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines[1:]}


def test_each_defect_is_a_row() -> None:
    """What the one said stands beside what the other said; what was not run is not called missed."""
    page = scoreboard.page(COMPARED, {"proof.json": PROOF}, "board.md")
    caught = r"caught: not\_a\_server\_error at GET /b"
    missed = r"missed (elsewhere only: use\_after\_free at GET /c)"
    assert rows(page) == {
        "A1": ["A1 is wrong", "schema, fuzz", "**missed**: exit 0: no finding", caught],
        "A2": ["A2 is wrong", "schema, fuzz", "caught, 41 s: a.b at c.d", missed],
        "A3": ["A3 is wrong", "schema, fuzz", "not run here", "unknown: it ended with 2"],
    }


def test_sums_name_budgets_versions_and_what_the_clean_build_shows() -> None:
    """A reader sees how many, of how many, in what time, on how busy a machine, by which command and as whom."""
    page = scoreboard.page(COMPARED, {"proof.json": PROOF}, "board.md")
    assert "harness: **1 of 2** caught, 150 s at most for each verification" in page
    assert "load of the machine at the start of each 2.0 to 8.0" in page
    assert (
        "Schemathesis 4.32.5: **1 of 3** caught, 1 missed, 1 unknown; 120 s for each run, 1,200 to 1,200 test cases"
        in page
    )
    assert "`positive_data_acceptance at POST /a`. Errors of its own there: Late." in page
    assert "caller-of-every-role (user, admin), caller (user)" in page
    assert scoreboard.counted(COMPARED) == "3 defects under schemathesis: 1 caught, 1 missed, 1 unknown"


def test_its_commands_are_taken() -> None:
    """The commands that it shows are ones that `harness` has, with the files of the page."""
    page = scoreboard.page(COMPARED, {"proof.json": PROOF}, "board.md")
    commands = [shlex.split(line[2:])[1:] for line in page.splitlines() if line.startswith("$ ")]
    proof, compared = map(parser().parse_args, commands)
    assert (proof.only, str(proof.json), proof.budget, proof.seeds) == (["A1", "A2"], "proof.json", 150, 0)
    assert (compared.against, compared.only, compared.seeds) == ("schemathesis", ["A1", "A2", "A3"], 2)
    assert ([str(file) for file in compared.compare], str(compared.markdown)) == (["proof.json"], "board.md")
    assert compared.against_budget == 120


def test_a_page_of_a_comparison_that_was_kept() -> None:
    """It shows what ran, with the file that it wrote, and the command that made the page of it."""
    seeded = {**COMPARED, "command": ["schemathesis", "run", "--seed", "7"]}
    page = scoreboard.page(seeded, {"proof.json": PROOF}, "board.md", "kept.json")
    commands = [shlex.split(line[2:])[1:] for line in page.splitlines() if line.startswith("$ ")]
    _, ran, made = map(parser().parse_args, commands)
    assert (ran.only, str(ran.json), ran.seed, ran.kept) == (["A1", "A2", "A3"], "kept.json", 7, None)
    assert (str(made.kept), str(made.markdown), made.only) == ("kept.json", "board.md", [])


def test_without_a_proof() -> None:
    """Nothing is said of the harness where it was not run."""
    page = scoreboard.page(COMPARED, {}, "board.md")
    assert "harness: not run for this page." in page
    assert [cells[2] for cells in rows(page).values()] == ["not run here"] * 3


@given(st.text(max_size=300))
def test_a_cell_stays_one_cell(text: str) -> None:
    """Whatever a title or a tool says: the table keeps its columns and its lines."""
    compared = {**COMPARED, "defects": [shown("A1", "missed", title=text, why=text)]}
    assert [len(cells) for cells in rows(scoreboard.page(compared, {}, "board.md")).values()] == [4]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"defects": [{}]}', json.dumps({**PROOF, "tool": "schemathesis"})])
def test_what_is_no_proof(text: str, tmp_path: Path) -> None:
    """A file that another command wrote, or none, is wrong use and says what to name."""
    file = tmp_path / "proof.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="name a file that `harness prove --json FILE` wrote"):
        scoreboard.read(file)


def test_a_proof_is_read(tmp_path: Path) -> None:
    """What `harness prove --json` writes is taken as it is; a file that is not there is not."""
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(PROOF))
    assert scoreboard.read(file) == PROOF
    with pytest.raises(UsageError, match="cannot be read as a proof"):
        scoreboard.read(tmp_path / "none.json")


def test_a_kept_comparison_is_read(tmp_path: Path) -> None:
    """What it wrote is taken as it is, beside proofs of the same contract; one of another is told."""
    file = tmp_path / "kept.json"
    file.write_text(json.dumps(COMPARED))
    assert scoreboard.read_kept(file, {"proof.json": "hash"}) == COMPARED
    with pytest.raises(UsageError, match=r"proof\.json is the proof of another contract"):
        scoreboard.read_kept(file, {"proof.json": "other"})


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", json.dumps(PROOF), json.dumps({**COMPARED, "defects": [{"id": "A1"}]})]
)
def test_what_is_no_comparison(text: str, tmp_path: Path) -> None:
    """A proof is no comparison, nor is half of one."""
    file = tmp_path / "kept.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="name a file that `harness prove --against schemathesis --json FILE` wrote"):
        scoreboard.read_kept(file, {})


@pytest.mark.parametrize(
    ("verdicts", "clean", "expected"),
    [(["caught", "missed"], [], False), (["unknown", "caught"], [], True), ([], ["seed 1: killed"], True)],
)
def test_what_could_not_be_told(
    verdicts: list[str],
    clean: list[str],
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A defect that is unknown, or a clean build that is, leaves the table with a gap."""
    defects = [shown("A1", verdict) for verdict in verdicts]
    cleans = [{**COMPARED["clean"][0], "unknown": clean}]
    assert scoreboard.is_unknown({**COMPARED, "defects": defects, "clean": cleans}) is expected


def test_a_proof_that_was_cut_is_told() -> None:
    """A page of a proof that was cut says so; one of a whole proof does not."""
    sentence = "A proof was cut before its end."
    assert sentence not in scoreboard.page(COMPARED, {"proof.json": PROOF}, "board.md")
    assert sentence in scoreboard.page(COMPARED, {"proof.json": {**PROOF, "whole": False}}, "board.md")
