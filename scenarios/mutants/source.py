"""A source file as the mutations see it: its text, its tree, and where a node's text begins and ends."""

from __future__ import annotations

import ast
from functools import cached_property
from itertools import accumulate


class Source:
    """The text of one file; `path` is from the project's root, with slashes."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self.tree = ast.parse(text, path)

    def segment(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where the node's own text begins and ends; parentheses around it are not its own."""
        if node.end_lineno is None or node.end_col_offset is None:
            raise ValueError(f"{self.path}: a node without an end was not parsed from a text")
        return self._place(node.lineno, node.col_offset), self._place(node.end_lineno, node.end_col_offset)

    def own_text(self, node: ast.expr | ast.stmt) -> str:
        """The node's own text."""
        start, end = self.segment(node)
        return self.text[start:end]

    def line_at(self, place: int) -> int:
        """The number of the line that a place of the text lies in, from 1."""
        return self.text.count("\n", 0, place) + 1

    @cached_property
    def _lines(self) -> list[str]:
        # Only \n ends a line for the parser; str.splitlines knows others too.
        return [f"{line}\n" for line in self.text.split("\n")]

    @cached_property
    def _begins(self) -> list[int]:
        return [0, *accumulate(map(len, self._lines))]

    def _place(self, line: int, column_bytes: int) -> int:
        told = self._lines[line - 1].encode()[:column_bytes]
        return self._begins[line - 1] + len(told.decode())
