"""Whether who opened a stream or socket may still have it: asked again when the session's channel tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.identity.tokens import Claims, Identity, identify

if TYPE_CHECKING:
    from reference_impl.data.database import Database
    from reference_impl.realtime.feed import Record

SESSIONS = "sessions"
"""The internal channel: `id` names the session that was revoked; without one everybody asks again."""


def concerns(record: Record, identity: Identity) -> bool:
    """Say whether a record of the sessions' channel may be about this identity."""
    return record.data.get("id") in {None, identity.session_id}


async def again(database: Database, tenant: str, identity: Identity) -> Identity:
    """Return the identity as it is now; UNAUTHORIZED when its session is over."""
    return await identify(database, Claims(identity.user_id, identity.session_id, tenant))
