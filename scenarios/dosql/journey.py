"""The DoSQL service under load: a shelf that is read, filled and drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.load.journey import Ground, Route, SetUpError, Step, as_json, headers_of
from harness.load.user import TimetableUser

if TYPE_CHECKING:
    from harness.identities import Identity
    from harness.load.journey import Briefing, Journey, Visit

OK = 200
TABLE = "CREATE TABLE IF NOT EXISTS load_shelf (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL)"
FILL = "INSERT INTO load_shelf (stock) VALUES (?) RETURNING id"
LOOK = "SELECT id, stock FROM load_shelf ORDER BY id DESC LIMIT 20"
DRAW = "UPDATE load_shelf SET stock = stock - 1 WHERE id = ? AND stock > 0"


def ask(verb: str, body: dict[str, Any], identity: Identity) -> Step:
    """One call of a verb."""
    return Step(
        f"sql.{verb}", "POST", f"/{verb}", headers_of(identity, json_body=True), as_json(body), identity=identity
    )


def set_up(briefing: Briefing) -> Journey[Ground]:
    """Makes the table with one row."""
    service = briefing.with_role("service")
    if service is None:
        raise SetUpError("nobody holds the key of the service: name it under [[identities.known]]")
    for sql, params in ((TABLE, []), (FILL, [1_000_000])):
        reply = yield ask("run", {"sql": sql, "params": params}, service)
        if reply.status != OK:
            raise SetUpError(f"the table cannot be made: {reply.status}")
    return Ground((service,))


def read(visit: Visit) -> Journey[None]:
    """Looks at the newest rows."""
    yield ask("query", {"sql": LOOK}, visit.identity)


def draw(visit: Visit) -> Journey[None]:
    """Looks at one row and draws from it, guarded, in one transaction."""
    look = {
        "kind": "queryOne",
        "sql": "SELECT stock FROM load_shelf WHERE id = ?",
        "params": [1],
        "expect": {"rows": 1},
    }
    write = {"kind": "run", "sql": DRAW, "params": [1], "expect": {"changes": 1}}
    yield ask("queryOne", {"sql": "SELECT stock FROM load_shelf WHERE id = ?", "params": [1]}, visit.identity)
    yield ask("transaction", {"operations": [look, write]}, visit.identity)


def fill(visit: Visit) -> Journey[None]:
    """Adds a row."""
    yield ask("run", {"sql": FILL, "params": [visit.random.randint(1, 100)]}, visit.identity)


class Caller(TimetableUser):
    """A service that holds the key."""

    routes = (Route("read", 1, read), Route("draw", 1, draw), Route("fill", 1, fill))
    set_up = staticmethod(set_up)
