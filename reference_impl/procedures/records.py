"""Audit rows and event rows, written in the transaction of the change they tell of."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.data.database import Row, Statement

Steps = Generator[Statement, list[Row], None]
_AUDIT = "INSERT INTO audit_log (at, actor_id, action, subject_id, details) VALUES (?, ?, ?, ?, ?)"
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
