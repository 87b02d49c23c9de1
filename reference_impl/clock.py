"""Times as the API writes them: RFC 3339, UTC, milliseconds, fixed width, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(epoch_s: float) -> str:
    """Return seconds since 1970 as text such as 2026-01-31T12:00:00.000Z."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
