"""A mutant counts as reached where a line of its own statement was run, and the lines that are run are recorded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scenarios.mutants.kinds import mutants
from scenarios.mutants.reached import Reached, own_lines
from scenarios.mutants.recorded import install
from scenarios.mutants.source import Source

if TYPE_CHECKING:
    from scenarios.mutants.mutant import Mutant

ROOT = Path(__file__).parents[4]
TEXT = """\
def judged(value):
    if value < 0:
        raise Wrong(
            "negative",
            value,
        )
    for each in (
        1,
        2,
    ):
        use(each)
    return value

@decided(3)
class Kept:
    size = 4

print(judged(5))
"""
SOURCE = Source("a.py", TEXT)


def of(before: str) -> Mutant:
    """The first mutant of a segment."""
    return next(mutant for mutant in mutants(SOURCE) if mutant.before == before)


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("value < 0", {2}),
        ('"negative"', {3, 4, 5, 6}),
        ("2", {7, 8, 9, 10}),
        ("use(each)", {11}),
        ("4", {16}),
        ("3", set()),
    ],
)
def test_the_lines_of_a_statement_are_its_own(before: str, lines: set[int]) -> None:
    """All that it spans but what stands within it; none around a decorator."""
    assert own_lines(of(before), SOURCE) == lines


def test_a_mutant_is_reached_by_any_line_of_its_statement() -> None:
    """One line of it is enough, another statement's is not, and another file's neither."""
    mutant = of('"negative"')
    assert Reached(frozenset({"a.py:5"})).holds(mutant, SOURCE)
    assert not Reached(frozenset({"a.py:2", "a.py:7", "b.py:5"})).holds(mutant, SOURCE)


def test_what_is_not_known_is_reached(tmp_path: Path) -> None:
    """Where no lines were recorded, or the mutant is in no statement, it has to be tried."""
    assert Reached.read(tmp_path / "none").holds(of('"negative"'), SOURCE)
    assert Reached(frozenset({"b.py:1"})).holds(of("3"), SOURCE)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="lines are recorded from Python 3.12 on")
def test_a_process_records_the_lines_that_it_runs(tmp_path: Path) -> None:
    """What was run is there, in the main thread or another; what was not is not, and no other file's."""
    folder, file = tmp_path / "copy", tmp_path / "lines"
    folder.mkdir()
    told = TEXT.replace("@decided(3)\n", "").replace("use(each)", "str(each)")
    thread = (
        "import threading\none = threading.Thread(\n    target=lambda:\n    judged(6)\n)\none.start()\none.join()\n"
    )
    (folder / "a.py").write_text(told + thread, encoding="utf-8")
    install(folder, file)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    done = subprocess.run([sys.executable, "-m", "a"], env=environment, cwd=folder, check=True, capture_output=True)
    assert done.stdout == b"5\n"
    lines = set(file.read_text().splitlines())
    in_a_thread = told.count("\n") + 4
    assert {f"a.py:{line}" for line in (1, 2, 11, 12, in_a_thread)} <= lines
    assert {f"a.py:{line}" for line in (3, 4, 5, 6)} & lines == set()
    assert {line.partition(":")[0] for line in lines} == {"a.py"}
