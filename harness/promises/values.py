"""JSON scalars as a list compares them: numbers as numbers, times as instants, texts as texts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
Key = Decimal | datetime | str | bool


def key(value: Any) -> Key | None:
    """What a scalar is compared by; None for null and for what is no scalar."""
    if isinstance(value, bool | str):
        return moment(value) if isinstance(value, str) and moment(value) is not None else value
    if isinstance(value, int | float):
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return None


def moment(text: str) -> datetime | None:
    """The instant that a text of RFC 3339 names, a date its beginning in UTC; None for any other text."""
    if not MOMENT.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def number(text: str) -> Decimal | None:
    """The number that a text is; None for any other."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def like(value: Any, text: str) -> Key | None:
    """A parameter's text as the kind of value that it is compared with; None where it is none of that kind."""
    held = key(value)
    if isinstance(held, bool):
        return {"true": True, "false": False}.get(text.lower())
    if isinstance(held, Decimal):
        return number(text)
    if isinstance(held, datetime):
        return moment(text)
    return text if isinstance(held, str) else None


def shown(value: Any) -> str:
    """A scalar as a parameter's text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
