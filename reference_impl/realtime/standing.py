"""Whether who opened a stream or socket may still have it: asked again, as a request would ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.identity import keys
from reference_impl.identity.tokens import Claims, Identity, identify

if TYPE_CHECKING:
    from reference_impl.data.database import Database
    from reference_impl.realtime.feed import Record

SESSIONS = "sessions"
"""The internal channel: `id` names the session that was revoked; without one everybody asks again."""


class Standing:
    """One caller in one tenant; `api_key` is what a caller without a session sent."""

    def __init__(self, database: Database, tenant: str, identity: Identity, api_key: tuple[str, str]) -> None:
        self._database = database
        self._tenant = tenant
        self._hash_key, self._api_key = api_key
        self.identity = identity

    def over(self, record: Record) -> bool:
        """Say whether a record of the sessions' channel says that this session is over."""
        return bool(self.identity.session_id) and record.data.get("id") == self.identity.session_id

    async def again(self) -> None:
        """Make the identity what it is now; UNAUTHORIZED when the session or key is over."""
        if self.identity.session_id:
            claims = Claims(self.identity.user_id, self.identity.session_id, self._tenant)
            self.identity = await identify(self._database, claims)
        else:
            self.identity = await keys.identify(self._database, self._hash_key, self._api_key)
