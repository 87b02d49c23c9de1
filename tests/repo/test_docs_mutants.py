"""docs/mutants.md: its commands are taken, and its tables are the kinds and rules of the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from scenarios.mutants.__main__ import parser
from scenarios.mutants.kinds import KINDS
from scenarios.mutants.spared import RULES
from tests.repo.sources import blocks, text

PAGE = Path("docs/mutants.md")
PROGRAM = ["$", "python", "-m", "scenarios.mutants"]


def rows(heading: str) -> list[tuple[str, str]]:
    """The rows of the table whose first column has this heading, without marks of code."""
    table = text(PAGE).partition(f"| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| (.+?) \| (.+) \|$", table.replace("`", ""), re.MULTILINE)


def test_the_commands_are_taken() -> None:
    """Each command that the page shows is one that the parser takes."""
    shown = [shlex.split(line) for block in blocks(PAGE, "console") for line in block.body.splitlines()]
    assert len(shown) > 1
    for words in shown:
        assert words[: len(PROGRAM)] == PROGRAM
        parser().parse_args(words[len(PROGRAM) :])


def test_every_kind_stands_in_its_table() -> None:
    """The table has each kind, in the order in which they take turns."""
    assert [name for name, _ in rows("kind")] == list(KINDS)


def test_every_rule_stands_in_its_table_with_its_reason() -> None:
    """The table of what is spared is the list of rules."""
    assert rows("what is spared") == [(rule.name, rule.reason) for rule in RULES]
