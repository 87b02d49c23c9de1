"""Whether who opened a stream or socket may still have it: asked again, as a request would ask."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from reference_impl.identity import keys
from reference_impl.identity.tokens import Claims, Identity, identify

if TYPE_CHECKING:
    from reference_impl.data.database import Database
    from reference_impl.realtime.feed import Record

SESSIONS = "sessions"
"""The internal channel: `id` names a session or a key that is over, `userId` a user of whom something changed."""


class Standing:
    """One caller in one tenant, asked about every `every_s` and when something is told of him.

    `api_key` is what a caller without a session sent, after the key of its hash.
    """

    def __init__(
        self, database: Database, tenant: str, identity: Identity, api_key: tuple[str, str], every_s: float
    ) -> None:
        self._database = database
        self._tenant = tenant
        self._hash_key, self._api_key = api_key
        self._every_s = every_s
        self._asked_s = -math.inf  # what changed before anybody listened is told to nobody, so ask once at the start
        self.identity = identity

    @property
    def holds_s(self) -> float:
        """For how long nothing needs to be asked: no record tells of an expiry, so the clock asks, whatever comes."""
        return max(0.0, self._asked_s + self._every_s - time.monotonic())

    def over(self, record: Record) -> bool:
        """Say whether a record of the sessions' channel says that this session or key is over."""
        return record.data.get("id") in {self.identity.session_id, self.identity.key_id} - {""}

    def concerned(self, record: Record) -> bool:
        """Say whether a record of the sessions' channel is about this caller; one that names nobody is about all."""
        told = record.data
        return self.over(record) or told.get("userId") == self.identity.user_id or not {"id", "userId"} & {*told}

    async def again(self) -> None:
        """Make the identity what it is now; UNAUTHORIZED when the session or key is over."""
        self._asked_s = time.monotonic()
        if self.identity.session_id:
            claims = Claims(self.identity.user_id, self.identity.session_id, self._tenant)
            self.identity = await identify(self._database, claims)
        else:
            self.identity = await keys.identify(self._database, self._hash_key, self._api_key)
