"""Who is in a room, as two workers write it at once, on both engines."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from reference_impl.realtime.rooms import Rooms

if TYPE_CHECKING:
    from tests.unit.reference_impl.conftest import Shop


def test_workers_agree_and_a_dead_one_is_cleared(shop: Shop) -> None:
    """Joined and left are told once a user whatever meets; the room vanishes with its last; a dead worker's too."""
    users = [shop.account().id for _ in range(3)]

    async def run() -> None:
        database = await shop.application.tenants.get("alpha")
        assert database is not None
        alive, dead = Rooms(database, "alive", 600.0), Rooms(database, "dead", -1.0)
        for rooms in (alive, dead):
            await rooms.register()
        sockets = [(rooms, f"{name}-{user}", user) for user in users for rooms, name in ((alive, "a"), (dead, "d"))]
        await asyncio.gather(*[rooms.join("lobby", one, user) for rooms, one, user in sockets])
        found = await alive.look("lobby")
        assert (found.members, found.total) == (sorted(users), 3)
        await asyncio.gather(*[alive.leave_all(f"a-{user}") for user in users])
        assert (await alive.look("lobby")).total == 3
        await asyncio.gather(alive.bury(), dead.bury())
        assert (await alive.look("lobby")).members == []
        assert (await alive.renew(), await dead.renew()) == (True, False)
        assert await database.query("SELECT name FROM rooms") == []
        sql = "SELECT type, data FROM events WHERE channel = 'room:lobby' ORDER BY id"
        told = [(kind, json.loads(data)) for kind, data in await database.query(sql)]
        assert [kind for kind, _ in told] == ["user_joined"] * 3 + ["user_left"] * 3
        assert [data["memberCount"] for _, data in told] == [1, 2, 3, 2, 1, 0]
        assert sorted(data["userId"] for _, data in told) == sorted(users * 2)

    shop.runner.run(run())


def test_who_was_taken_for_dead_leaves_no_ghosts(shop: Shop) -> None:
    """What a worker that was cleared writes before it notices is cleared too; registered again, it is well."""
    user, other = (shop.account().id for _ in range(2))

    async def run() -> None:
        database = await shop.application.tenants.get("alpha")
        assert database is not None
        alive, stalled = Rooms(database, "alive", 600.0), Rooms(database, "stalled", -1.0)
        for rooms in (alive, stalled):
            await rooms.register()
        await alive.join("lobby", "a", user)
        await stalled.join("lobby", "s1", other)
        await alive.bury()
        await stalled.join("lobby", "s2", other)
        assert (await alive.look("lobby")).total == 2
        await asyncio.gather(alive.bury(), alive.bury())
        assert (await alive.look("lobby")).members == [user]
        assert await database.query("SELECT id FROM socket_workers") == [("alive",)]
        sql = "SELECT type FROM events WHERE channel = 'room:lobby' ORDER BY id"
        kinds = [kind for (kind,) in await database.query(sql)]
        assert kinds == ["user_joined", "user_joined", "user_left", "user_joined", "user_left"]
        again = Rooms(database, "stalled", 600.0)
        assert not await again.renew()
        await asyncio.gather(again.register(), alive.bury())
        await again.join("lobby", "s3", other)
        await alive.bury()
        assert (await alive.look("lobby")).total == 2

    shop.runner.run(run())
