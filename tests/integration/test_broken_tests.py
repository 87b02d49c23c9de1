"""A test of the user's own that breaks in a run is told and counts; what others told stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

WORDS = ("verify", "--budget", "90s", "--seed", "1", "--jobs", "1", "--only", "resource,headers")
TESTS = """
from harness.suite.test_promises import test_promise

def test_of_ones_own(run):
    raise RuntimeError("no such page")
"""


def test_a_broken_test_is_inconclusive(harness: Callable[..., Done], project: Path) -> None:
    """A test that fails of itself makes the run inconclusive with its words; the promises' verdicts stand."""
    (project / "scenarios").mkdir()
    (project / "scenarios" / "test_own.py").write_text(TESTS)
    path = project / "harness.toml"
    path.write_text(path.read_text() + "[scenarios]\ntests = ['scenarios']\n")
    done = harness(*WORDS)
    assert done.code == 4, done.text
    record = json.loads((project / "reports/latest/run.json").read_text())
    assert "1 of the tests broke: test_of_ones_own: RuntimeError: no such page" in record["reason"]
    assert record["phases"][0]["examined"] > 0


def test_tests_that_cannot_be_collected(harness: Callable[..., Done], project: Path) -> None:
    """A test file that cannot be read makes the run inconclusive, and the last lines of pytest say why."""
    (project / "scenarios").mkdir()
    (project / "scenarios" / "test_own.py").write_text("import no_such_module\n")
    path = project / "harness.toml"
    path.write_text(path.read_text() + "[scenarios]\ntests = ['scenarios']\n")
    done = harness(*WORDS)
    assert done.code == 4, done.out
    record = json.loads((project / "reports/latest/run.json").read_text())
    assert "no_such_module" in record["reason"]
