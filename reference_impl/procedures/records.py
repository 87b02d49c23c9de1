"""Audit rows and event rows, written in the transaction of the change they tell of."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Generator, Sequence
from typing import Any

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.data.database import Row, Statement

Steps = Generator[Statement, list[Row], None]
_AUDIT = "INSERT INTO audit_log (at, actor_id, action, subject_id, details) VALUES (?, ?, ?, ?, ?)"
_AT_ONCE = 100
# Channel, kind, members.
Event = tuple[str, str, dict[str, Any]]
EVENT = "INSERT INTO events (at, channel, type, data) VALUES (?, ?, ?, ?)"


def audit(actor_id: str, action: str, subject_id: str, **details: Any) -> Steps:
    """Record who did what to which row."""
    text = msgspec.json.encode(details).decode()
    yield Statement(_AUDIT, (rfc3339(time.time()), actor_id, action, subject_id, text))


def emit(channel: str, kind: str, **data: Any) -> Steps:
    """Add an event; readers see it when the transaction is committed.

    Write it last: on PostgreSQL the next event of the tenant waits for this one's commit, so that ids appear in order.
    """
    text = msgspec.json.encode(data).decode()
    yield Statement(EVENT, (rfc3339(time.time()), channel, kind, text))


def emit_all(happened: Sequence[Event]) -> Steps:
    """Add events in their order, many by one statement, as each statement costs a round trip; write them last too."""
    at = rfc3339(time.time())
    for start in range(0, len(happened), _AT_ONCE):
        part = happened[start : start + _AT_ONCE]
        rows = [(at, channel, kind, msgspec.json.encode(data).decode()) for channel, kind, data in part]
        yield Statement(_many(len(part)), tuple(itertools.chain.from_iterable(rows)))


def changed(product_id: str, version: int, category_id: str) -> Event:
    """Return the event of a product that others' doing changed: an order, a new name of its category."""
    return "products", "updated", {"id": product_id, "version": version, "categoryId": category_id}


@functools.lru_cache(maxsize=_AT_ONCE)
def _many(count: int) -> str:
    return EVENT + ", (?, ?, ?, ?)" * (count - 1)
