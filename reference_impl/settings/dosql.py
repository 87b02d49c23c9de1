"""The SQL service: its key and its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference_impl.settings import reader as parse
from reference_impl.settings.reader import KEY_LENGTH, everywhere

if TYPE_CHECKING:
    from reference_impl.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class DoSql:
    """What one process of the service runs with; without a key it does not start."""

    key: str = field(repr=False)
    timeout_s: float
    """How long one statement, or one transaction, may work."""
    rows: int
    """How many rows one statement may answer."""
    cell_bytes: int
    """How long one text or blob may be."""
    answer_bytes: int
    """How much one statement, or one transaction, may answer."""


def dosql(reader: Reader) -> DoSql:
    """Read the section."""
    return DoSql(
        key=reader.read(
            "API_DOSQL_KEY",
            _key,
            f"it must have at least {KEY_LENGTH} characters",
            everywhere(""),
            secret=True,
        ),
        timeout_s=reader.seconds("API_DOSQL_TIMEOUT_S", everywhere(5.0)),
        rows=reader.whole("API_DOSQL_ROWS", 1, 1_000_000, everywhere(10_000)),
        cell_bytes=reader.whole("API_DOSQL_CELL_BYTES", 1024, 100_000_000, everywhere(1_000_000)),
        answer_bytes=reader.whole("API_DOSQL_ANSWER_BYTES", 1024, 1_000_000_000, everywhere(10_000_000)),
    )


def _key(text: str) -> str:
    return parse.key(text)
