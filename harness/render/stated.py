"""What a test that stands alone asserts, and what it sends otherwise than it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Stated:
    """The lines of the assertion, and expressions of Python for what the requests before it have to send anew.

    `texts` are new wherever they stand in a request (a key, a mark); `paths` and `queries` are by step, `headers` by
    step and name in lower case.
    """

    lines: Sequence[str]
    texts: Sequence[str] = ()
    paths: Mapping[int, str] = field(default_factory=dict)
    queries: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[tuple[int, str], str] = field(default_factory=dict)

    def anew(self, value: str) -> str:
        """The expression of a value in which one of the texts stands; empty where none does."""
        text = next((text for text in sorted(self.texts, key=len, reverse=True) if text and text in value), "")
        before, _, after = value.partition(text) if text else ("", "", "")
        parts = (before and repr(before), text and f"fresh({text!r})", after and repr(after))
        return " + ".join(part for part in parts if part)
