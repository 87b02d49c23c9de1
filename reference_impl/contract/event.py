"""One event of a stream: what SSE frames and event iterators carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is where a reader goes on from; `data` is a value of the procedure's output type.

    One without a kind tells only where a reader goes on from.
    """

    id: str
    kind: str = ""
    data: Any = None
