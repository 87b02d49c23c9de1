"""Whether the run without a mutant gets to where a mutant is: where it does not, no run can tell the two apart."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.mutants.mutant import Mutant
    from scenarios.mutants.source import Source


@dataclass(frozen=True, slots=True)
class Reached:
    """The lines that were run, each `path:line`; empty where that could not be recorded."""

    lines: frozenset[str]

    @classmethod
    def read(cls, file: Path) -> Reached:
        """What scenarios/mutants/recorded.py has written."""
        return cls(frozenset(file.read_text("utf-8").splitlines()) if file.is_file() else frozenset())

    def holds(self, mutant: Mutant, source: Source) -> bool:
        """Whether some line of the mutant's own statement was run; so too where nothing is known."""
        lines = own_lines(mutant, source)
        return not self.lines or not lines or any(f"{mutant.path}:{line}" in self.lines for line in lines)


def own_lines(mutant: Mutant, source: Source) -> set[int]:
    """The lines of the innermost statement around a mutant, without those of statements within it.

    Empty where none is around it, as around a decorator.
    """
    around: ast.stmt | None = None
    for node in ast.walk(source.tree):
        if isinstance(node, ast.stmt):
            start, end = source.segment(node)
            # What is within another comes after it in the walk.
            around = node if start <= mutant.start and mutant.end <= end else around
    if around is None:
        return set()
    within = {
        line for node in ast.walk(around) if isinstance(node, ast.stmt) and node is not around for line in _span(node)
    }
    return {around.lineno} | (_span(around) - within)


def _span(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
