"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): a call sent again has one effect and one answer.

The key's row is written in the transaction of the effect: there is never one without the other. Who comes second with
a key waits for the first and gets its answer. What was refused left nothing, so its key may be sent again.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import DatabaseError, Statement, Transaction
from reference_impl.edge.answers import encode
from reference_impl.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_S = 24 * 3600
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_FORGET = "DELETE FROM idempotency_keys WHERE user_id = ? AND created_at <= ?"
_CLAIM = (
    "INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, body, headers, created_at) "
    "VALUES (?, ?, ?, ?, 0, '', '', ?) ON CONFLICT (user_id, operation, key) DO NOTHING RETURNING key"
)
_KEEP = "UPDATE idempotency_keys SET status = ?, body = ?, headers = ? WHERE user_id = ? AND operation = ? AND key = ?"
_KEPT = "SELECT body_hash, body, headers FROM idempotency_keys WHERE user_id = ? AND operation = ? AND key = ?"
_REPLAYED = (b"idempotency-replayed", b"true")

REQUEST_HEADER: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": (
            "1 to 255 visible ASCII characters of the caller's own choice. The same key and body within 24 hours is "
            "answered as the first time, with Idempotency-Replayed; with another body it is 409. A refusal is not "
            "kept: its key may be sent again."
        ),
        "schema": {
            "type": "string",
            "pattern": "^[!-~]{1,255}$",
            "examples": ["6d1f9a52-4f0e-4c53-9d0c-2f2b7a1f8a01"],
        },
    }
}
RESPONSE_HEADER = "Idempotency-Replayed"
PROMISE: dict[str, Any] = {
    "header": "Idempotency-Key",
    "scope": "caller",
    "other_body": 409,
    "replays": "answer",
    "replayed": RESPONSE_HEADER,
    "refusals": "forgotten",
    "max_length": 255,
    "too_long": 400,
    "kept_s": KEPT_S,
}


@dataclass(frozen=True, slots=True)
class Once:
    """One call that is to have one effect: whose, of which operation, by which key, with which body."""

    user_id: str
    operation: str
    key: str
    body_hash: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """The row's primary key."""
        return (self.user_id, self.operation, self.key)


def once(call: Call[Any, Any], operation: str) -> Once | None:
    """Return what the header says, or None without one; VALIDATION_ERROR when it is no key.

    Bodies are the same when they mean the same: order of members, spaces and spellings of numbers do not count.
    """
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise invalid("Idempotency-Key", "it must be 1 to 255 visible ASCII characters")
    return Once(call.identity.user_id, operation, key, hashlib.sha256(encode(call.body)).hexdigest())


def perform(wanted: Once | None, status: int, work: Callable[[], Transaction[Reply]]) -> Transaction[Reply]:
    """Do the work and keep its reply, or return the reply that is kept; CONFLICT when that was for another body."""
    if wanted is None:
        return (yield from work())
    now_s = time.time()
    yield Statement(_FORGET, (wanted.user_id, rfc3339(now_s - KEPT_S)))
    if (yield Statement(_CLAIM, (*wanted.identity, wanted.body_hash, rfc3339(now_s)))):
        reply = yield from work()
        headers = [(name.decode(), value.decode()) for name, value in reply.headers]
        values = (status, encode(reply.value).decode(), msgspec.json.encode(headers).decode())
        yield Statement(_KEEP, (*values, *wanted.identity))
        return reply
    rows = yield Statement(_KEPT, wanted.identity)
    if not rows:
        raise DatabaseError("conflict", "the key was forgotten between the claim and the look")
    return _replay(wanted, *rows[0])


def _replay(wanted: Once, body_hash: str, body: str, headers: str) -> Reply:
    if body_hash != wanted.body_hash:
        raise ApiError("CONFLICT", "This Idempotency-Key came with another body before: use a new one.")
    kept = msgspec.json.decode(headers, type=list[tuple[str, str]])
    told = tuple((name.encode(), value.encode()) for name, value in kept)
    return Reply(msgspec.Raw(body.encode()), (*told, _REPLAYED))
