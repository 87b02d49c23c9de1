"""A shop in memory: it knows what it made, who may do what, and the version of each product."""

from __future__ import annotations

import json
import re
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from harness.identities import Identity
from harness.load.journey import Briefing, Visit, walk
from harness.load.reply import Reply
from scenarios.load.ground import set_up

if TYPE_CHECKING:
    from harness.load.journey import Ground, Route, Step

TENANT = "beta"
ADMIN = Identity("admin", ("admin",), headers=(("X-Tenant-ID", TENANT), ("Authorization", "Bearer of:admin")))
MAKING = {"auth.register"} | {
    f"{kind}.create" for kind in ("users", "categories", "products", "orders", "keys", "posts", "reviews")
}
OPEN = {"auth.register", "auth.login", "auth.refresh"} | {
    f"{kind}.{act}" for kind in ("products", "categories", "posts", "reviews") for act in ("list", "get")
}
PLAIN = {"admin.stats", "admin.audit", "settings.get", "settings.update", "sockets.ticket", "products.batchUpdate"}
PLAIN |= {"users.bulkStatus", "products.uploadImage"}
ROLE_NEEDED = {
    "products.create": "seller",
    "products.update": "seller",
    "products.delete": "seller",
    "users.create": "admin",
    "users.roles": "admin",
    "users.delete": "admin",
    "categories.create": "admin",
    "categories.update": "admin",
    "categories.delete": "admin",
    "products.uploadImage": "seller",
    **dict.fromkeys(("admin.stats", "admin.audit", "settings.get", "settings.update"), "admin"),
    **dict.fromkeys(("users.bulkCreate", "users.bulkStatus", "products.batchUpdate"), "admin"),
}


class ShopSim:
    """Answers steps; `sent` are all of them.

    `statuses` replace the answers of operations, a dot an underscore, `every` those of all.
    One that is not `tagged` tells no version of what it made.
    """

    def __init__(self, *, tagged: bool = True, tenant: str | None = TENANT, **statuses: int) -> None:
        self.tenant = tenant
        self.tag = ((b"ETag", b'"1"'),) if tagged else ()
        self.sent: list[Step] = []
        self.statuses = statuses
        self.every: int | None = None
        self.roles: dict[str, set[str]] = {"admin": {"user", "admin"}}
        self.emails: dict[str, str] = {"admin@example.test": "admin"}
        self.things: dict[str, int] = {}
        self._numbers = count()

    @property
    def operations(self) -> list[str]:
        """What was sent, in order."""
        return [step.operation for step in self.sent]

    def send(self, step: Step) -> Reply:
        """One answer, at instant 1 to 2."""
        self.sent.append(step)
        status = self.statuses.get(step.operation.replace(".", "_"), self.every)
        if status is not None:
            return reply(status, {"error": {"code": "PLANNED"}})
        return self._refusal(step) or self._answer(step)

    def _refusal(self, step: Step) -> Reply | None:
        """What a real shop would not let pass."""
        caller = step.headers.get("Authorization", "Bearer of:").removeprefix("Bearer of:")
        named = re.findall(
            r"[a-z]+-\d+", step.path + (step.body or b"").decode("latin-1") * (step.operation == "orders.create")
        )
        if step.headers.get("X-Tenant-ID") != self.tenant:
            return reply(404, {"error": {"code": "NO_TENANT"}})
        if step.operation not in OPEN and caller not in self.roles:
            return reply(401, {"error": {"code": "UNAUTHORIZED"}})
        if ROLE_NEEDED.get(step.operation, "") not in {"", *self.roles.get(caller, ())}:
            return reply(403, {"error": {"code": "FORBIDDEN"}})
        if any(name not in self.things for name in named):
            return reply(404, {"error": {"code": "NOT_FOUND"}})
        if step.operation == "products.update" and step.headers["If-Match"] != f'"{self.things[named[0]]}"':
            return reply(412, {"error": {"code": "PRECONDITION_FAILED"}})
        return None

    def _answer(self, step: Step) -> Reply:
        kind, act = step.operation.split(".")
        if step.operation in PLAIN:
            return reply(200, {})
        content = json.loads(step.body or b"{}")
        if step.operation in MAKING:
            return self._made("users" if kind == "auth" else kind, content)
        if kind in {"auth", "sessions"} or act == "bulkCreate":
            return self._entered(step, act, content)
        if act == "delete":
            self.things.pop(step.path.rpartition("/")[2], None)
            return reply(204)
        if act == "list":
            items = [{"id": name, "stock": 5} for name in self.things if name.startswith(kind)]
            return reply(200, {"items": items})
        found = step.path.split("/")[4]
        if act == "roles":
            self.roles[found] = set(content["roles"])
        return reply(200, {"id": found})

    def _entered(self, step: Step, act: str, content: dict[str, Any]) -> Reply:
        """What has to do with who one is."""
        if act in {"login", "refresh"}:
            user = self.emails[content["email"]] if act == "login" else content["refreshToken"]
            return reply(200, {"accessToken": f"of:{user}", "refreshToken": user, "user": {"id": user}})
        if act == "bulkCreate":
            made = [self._made("users", row).json() for row in content["users"]]
            return reply(200, {"results": [{"index": place, "user": user} for place, user in enumerate(made)]})
        if act == "list":
            return reply(200, {"data": [{"id": "this", "current": True}, {"id": "other", "current": False}]})
        if act == "me":
            return reply(200, {"id": step.headers["Authorization"].removeprefix("Bearer of:")})
        return reply(204)

    def _made(self, kind: str, content: dict[str, Any]) -> Reply:
        name = f"{kind}-{next(self._numbers)}"
        self.things[name] = 1
        if kind == "users":
            self.roles[name] = {"user"}
            self.emails[content["email"]] = name
        return reply(201, {"id": name}, *self.tag)


def reply(status: int, content: object = None, *headers: tuple[bytes, bytes]) -> Reply:
    """An answer with a JSON body, or with none."""
    return Reply(status, headers, b"" if content is None else json.dumps(content).encode(), 1, 2)


def opened(sim: ShopSim, **options: int) -> Ground:
    """The ground of a shop that an admin opened; what was sent for it is forgotten."""
    ground = walk(set_up(Briefing((ADMIN,), options)), sim.send)
    sim.sent.clear()
    return ground


def visited(route: Route, ground: Ground, sim: ShopSim, seed: int = 1) -> list[str]:
    """The operations that one walk of a route by the first customer sent."""
    sim.sent.clear()
    walk(route.steps(Visit(ground.identities[0], Random(seed), ground)), sim.send)
    return sim.operations
