"""A mutant: one segment of one source file replaced by another, and nothing else."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Mutant:
    """`path` is from the project's root, with slashes; `start` and `end` are places in the file's text.

    `line` counts from 1 and is where the segment begins.
    """

    path: str
    line: int
    kind: str
    start: int
    end: int
    before: str
    after: str

    @property
    def place(self) -> str:
        """`file:line`, as editors read it."""
        return f"{self.path}:{self.line}"

    def applied(self, text: str) -> str:
        """The file's text with this one change."""
        return text[: self.start] + self.after + text[self.end :]

    def told(self) -> str:
        """One line: where, of what kind, and what became of what."""
        return f"{self.place} {self.kind}: {_short(self.before)} -> {_short(self.after)}"

    def diff(self, text: str) -> str:
        """The change as a unified diff of the file's text."""
        lines = difflib.unified_diff(
            text.splitlines(), self.applied(text).splitlines(), f"a/{self.path}", f"b/{self.path}", lineterm="", n=2
        )
        return "\n".join(lines)


def _short(segment: str) -> str:
    line = " ".join(segment.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 3]}..."
