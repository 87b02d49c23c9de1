"""Whole runs: a clean one, one with findings, two at once, and what is done with a run afterwards."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.started import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done, Started

QUICK = ("verify", "--budget", "90s", "--seed", "1", "--jobs", "1", "--only", "resource,headers")


def latest(project: Path) -> dict[str, Any]:
    """The run.json of the newest run."""
    value: dict[str, Any] = json.loads((project / "reports/latest/run.json").read_text())
    return value


@pytest.fixture
def faulty(project: Path) -> Path:
    """The project with an API in which a note that was made cannot be read."""
    path = project / "harness.toml"
    path.write_text(path.read_text().replace("NOTES_PID =", 'NOTES_FAULT = "forgets"\nNOTES_PID ='))
    return project


def mended(project: Path) -> None:
    """Takes the fault out of the API."""
    path = project / "harness.toml"
    path.write_text(path.read_text().replace('NOTES_FAULT = "forgets"\n', ""))


def test_a_clean_target_holds(harness: Callable[..., Done], project: Path) -> None:
    """Every phase on an API that keeps its contract ends with 0, and every file of the run is there."""
    done = harness("verify", "--budget", "60s", "--seed", "1", "--jobs", "1")
    assert done.code == 0, done.text
    record = latest(project)
    assert (record["status"], record["exit_code"]) == ("complete", 0)
    assert [phase["name"] for phase in record["phases"]] == ["promises", "fuzz", "load", "judge"]
    left = {path.name for path in (project / "reports/latest/").iterdir()}
    expected = {"run.json", "findings.jsonl", "verdicts.jsonl", "report.html", "junit.xml", "summary.md", "history"}
    assert expected <= left
    assert not [name for name in left if name.endswith(".new")]


def test_a_number_of_examples_is_a_program_of_its_own(harness: Callable[..., Done], project: Path) -> None:
    """With `--examples` the same seed fuzzes a new target with the same calls."""
    sent = []
    for _ in range(2):
        done = harness("fuzz", "--examples", "3", "--budget", "90s", "--seed", "5", "--jobs", "1")
        assert done.code in {0, 4}, done.text
        assert "--examples 3" in latest(project)["again"]
        lines = [
            json.loads(line)
            for path in sorted((project / "reports/latest/history").glob("fuzz*.jsonl"))
            for line in path.read_text().splitlines()
        ]
        sent.append([(line["operation"], line["request"]["method"], line["request"]["query"]) for line in lines])
    assert len(sent[0]) > 20
    assert sent[0] == sent[1]


def test_a_fault_is_found_replayed_and_fixed(harness: Callable[..., Done], faulty: Path) -> None:
    """A finding ends with 1; its replay says STILL FAILS, FIXED once it is mended, CANNOT TELL where all fails."""
    found = harness(*QUICK)
    assert found.code == 1, found.text
    findings = [json.loads(line) for line in (faulty / "reports/latest/findings.jsonl").read_text().splitlines()]
    finding = next(item for item in findings if item["code"] == "resource.create-not-readable")
    assert finding["confirmation"] == "confirmed"
    fingerprint = finding["fingerprint"]

    still = harness("replay", fingerprint[:8])
    assert still.code == 1, still.text
    assert still.out.startswith(f"STILL FAILS: resource.create-not-readable at notes.create ({fingerprint})")
    mended(faulty)
    fixed = harness("replay", fingerprint)
    assert fixed.code == 0, fixed.text
    assert fixed.out.startswith("FIXED: ")
    path = faulty / "harness.toml"
    path.write_text(path.read_text().replace("NOTES_PID =", 'NOTES_FAULT = "fails"\nNOTES_PID ='))
    unclear = harness("replay", fingerprint)
    assert unclear.code == 4, unclear.text
    assert unclear.out.startswith("CANNOT TELL: ")
    unknown = harness("replay", "ffffffffffff")
    assert unknown.code == 2
    assert f"has the fingerprint 'ffffffffffff'; it has {findings[0]['fingerprint']}" in unknown.err


def test_a_stored_run_is_rendered_and_judged_again(harness: Callable[..., Done], project: Path) -> None:
    """`report` writes the page anew and `judge` holds the history against the standing promises."""
    assert harness(*QUICK).code == 0
    name = latest(project)["run_id"]
    page = project / "reports" / name / "report.html"
    page.unlink()
    assert harness("report", name).code == 0
    assert page.is_file()
    judged = harness("judge")
    assert judged.code == 0
    assert re.match(r"0 findings in \d+ observations", judged.out)


def test_the_severity_that_counts(harness: Callable[..., Done], faulty: Path) -> None:
    """A finding below the severity of --fail-on is shown and does not count in the exit code."""
    done = harness(*QUICK, "--fail-on", "critical")
    assert done.code == 0, done.text
    assert latest(faulty)["fail_on"] == "critical"
    assert "resource.create-not-readable" in done.out


def test_two_runs_at_once(begin: Callable[..., Started], project: Path) -> None:
    """Two runs at once have a target and a folder each; `latest` always points at one of them, whole."""
    runs = [begin(*QUICK), begin(*QUICK)]
    link = project / "reports" / "latest"
    assert until(link.exists)
    seen = set()
    while any(run.process.poll() is None for run in runs):
        assert link.exists()
        assert json.loads((link / "run.json").read_text())["schema_version"] == 1
        seen.add(link.resolve().name)
    assert [run.done().code for run in runs] == [0, 0]
    folders = {path.parent.name for path in project.glob("reports/2*/run.json")}
    assert len(folders) == 2
    assert seen <= folders
    assert {path.name for path in (project / "reports").iterdir()} == {*folders, "latest"}


def test_standard_output_that_closes_early(begin: Callable[..., Started], project: Path) -> None:
    """`harness verify | head -1` ends with the run's own code and without a word of complaint."""
    line = f"set -o pipefail; {sys.executable} -m harness.cli {' '.join(QUICK)} | head -1"
    done = begin(program=("bash", "-c", line)).done()
    assert done.code == 0, done.text
    assert "Broken pipe" not in done.err
    assert latest(project)["exit_code"] == 0


@pytest.mark.parametrize("command", ["verify", "judge", "report"])
def test_a_terminal_without_utf8(harness: Callable[..., Done], project: Path, command: str) -> None:
    """Under LC_ALL=C with ASCII output everything is told, and nothing fails for a character."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
    if command != "verify":
        assert harness(*QUICK).code == 0
    done = harness(*(QUICK if command == "verify" else (command,)), environment=ascii_only)
    assert done.code == 0, done.text
    assert done.text.isascii()
    assert "\N{LATIN SMALL LETTER E WITH ACUTE}" not in done.text
    assert (project / "reports/latest/report.html").is_file()


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
sys.argv = ["harness", *sys.argv[1:]]
runpy.run_module("harness.cli", run_name="__main__")
"""


def test_a_full_disk(begin: Callable[..., Started], notes: Callable[..., str], tmp_path: Path) -> None:
    """Where files can grow no further, one message says which and why, with 2; what was written stays."""
    address = notes()
    words = ("--url", address, "--budget", "60s", "--jobs", "1", "--only", "resource,headers")
    done = begin("verify", *words, program=(sys.executable, "-c", LIMITED)).done()
    assert done.code == 2, done.text
    assert "cannot be written: File too large; make room, or choose --reports" in done.err
    assert any(path.stat().st_size for path in tmp_path.glob("reports/2*/history/*.jsonl"))
