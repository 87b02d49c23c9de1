"""Times as the API writes them: RFC 3339, UTC, milliseconds, fixed width, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def rfc3339(epoch_s: float) -> str:
    """Return seconds since 1970 as text such as 2026-01-31T12:00:00.000Z."""
    second, microseconds = divmod(round(epoch_s * 1_000_000), 1_000_000)
    return f"{_until_second(second)}.{microseconds // 1000:03}Z"


@lru_cache(maxsize=64)
def _until_second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat().removesuffix("+00:00")
