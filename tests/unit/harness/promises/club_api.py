"""An API in memory whose people are listed to all that are signed in, and their e-mails to admins and themselves."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.filter import PROMISE
from harness.stage import Stage
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TEXT = {"type": "string", "minLength": 1, "maxLength": 80}
PERSON = {"id": TEXT, "name": TEXT, "email": TEXT, "phone": TEXT}
MEMBERS = ["/name", "/email"]
IDENTITIES: dict[str, Any] = {
    "roles": ["reader", "admin"],
    "default_role": "reader",
    "register": {"operation": "join", "body": {"name": "{name}", "email": "{name}@a.test"}, "facts": {"id": "/id"}},
    "login": {"operation": "login", "body": {"name": "{name}"}, "token": "/token"},
    "known": [{"name": "root", "roles": ["admin"], "token": "root"}],
}
ROOT_ALONE: dict[str, Any] = {"known": IDENTITIES["known"]}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _operation(name: str, role: str, body: Any = None, answer: Any = None) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    made = {"required": True, "content": {"application/json": {"schema": body}}} if body else None
    return {
        "operationId": name,
        "responses": {"200": {"description": "", "content": content}},
        "x-promises": {"roles": {"allow": [role]}},
        **({"requestBody": made} if made else {}),
    }


def document(most: int = 80, **rule: Any) -> dict[str, Any]:
    """The API's document; `most` letters can be searched for, and `rule` stands in the entry of the search."""
    queries = [("limit", {"type": "integer", "minimum": 1, "maximum": 20}), ("page", {"type": "integer", "minimum": 1})]
    queries.append(("search", {"type": "string", "maxLength": most}))
    listed = _operation("people.list", "signed-in", None, _object({"items": {"type": "array"}, "total": {}}))
    listed["parameters"] = [{"name": name, "in": "query", "schema": schema} for name, schema in queries]
    search = {"operator": "contains", "members": MEMBERS, "sent": "/name", "fold": True, **rule}
    listed["x-promises"] |= {
        "page": {"style": "page", "resource": "person", "members": {"items": "/items", "total": "/total"}},
        "filter": {"parameters": {"search": search}},
    }
    new = _object({name: TEXT for name in PERSON if name != "id"}, "name", "email")
    return {
        "openapi": "3.1.0",
        "info": {"title": "club", "version": "1"},
        "x-promises": {
            "resource": {"person": {"create": "people.create", "list": "people.list", "items": "/items"}},
        },
        "paths": {
            "/join": {"post": _operation("join", "anyone", _object(PERSON), _object(PERSON))},
            "/login": {"post": _operation("login", "anyone", _object({"name": TEXT}), _object({"token": TEXT}))},
            "/people": {"get": listed, "post": _operation("people.create", "admin", new, _object(PERSON))},
        },
    }


@dataclass
class Club:
    """The API, with defects by name; `hidden` are the members that only admins and oneself are shown.

    `fault(request)` is what befalls a request: `lost` (done, the answer is lost), 429 or 503.
    """

    defects: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=lambda: document(shown=True))
    hidden: tuple[str, ...] = ("email", "phone")
    fault: Callable[[Request], str | int] = lambda _request: ""
    people: list[dict[str, str]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "club")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        fault = self.fault(request)
        status, body = (fault, None) if isinstance(fault, int) else self._answer(request)
        answer = None if fault == "lost" else Response(status, (), b"" if body is None else json.dumps(body).encode())
        return Exchange(f"x{next(self.numbers)}", request, answer, 0, 0, 0, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Each in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, Any]:
        token = dict(request.identity.headers).get("Authorization", "").removeprefix("Bearer ")
        body = request.json() or {}
        if request.operation == "login":
            return 200, {"token": next(one["id"] for one in self.people if one["name"] == body["name"])}
        if request.operation == "join" or (request.operation == "people.create" and token == "root"):
            self.people.append({"id": f"p{next(self.numbers)}", "phone": f"+41 {next(self.numbers):09}", **body})
            return 201, self.people[-1]
        if request.operation == "people.list" and token:
            return 200, self._page(dict(request.query), token)
        return 403, None

    def _page(self, query: dict[str, str], token: str) -> dict[str, Any]:
        wanted, size = query.get("search", "").casefold(), int(query.get("limit", 5))
        found = [one for one in reversed(self.people) if self._fits(wanted, one, token)]
        start = (int(query.get("page", 1)) - 1) * size
        total = (
            sum(wanted in str(one).casefold() for one in self.people) if "counts all" in self.defects else len(found)
        )
        return {"items": [self._shown(one, token) for one in found[start : start + size]], "total": total}

    def _shown(self, one: dict[str, str], token: str) -> dict[str, str]:
        whole = token in {"root", one["id"]}
        masked = {"email": f"{one['email'][:1]}***"} if "masks" in self.defects else {}
        return one if whole else {name: value for name, value in one.items() if name not in self.hidden} | masked

    def _fits(self, wanted: str, one: dict[str, str], token: str) -> bool:
        seen = one if "finds by e-mail" in self.defects else self._shown(one, token)
        places = ["name", "email", *(["phone"] if "finds by phone" in self.defects else [])]
        sight = one if "finds by phone" in self.defects else seen
        return not wanted or any(
            wanted in (sight if name == "phone" else seen).get(name, "").casefold() for name in places
        )


def examined(club: Club, *, seed: int = 1, people: dict[str, Any] = IDENTITIES) -> Verdict:
    """The verdict of the cases of `filter` on the list, judged from what a history would keep of them."""
    operation = club.contract.by_id["people.list"]
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    (case,) = PROMISE.cases(club.contract, operation, Random(seed))
    stage = Stage(club.contract, Actors(people), Random(seed), f"n{seed}")
    driven = drive(case, stage, club, sleep=lambda _seconds: None)
    kept = [Exchange.from_record(exchange.to_record()) for exchange in driven.exchanges]
    verdict = PROMISE.judge(club.contract, operation, kept)
    reason = "; ".join(filter(None, (driven.reason, verdict.reason)))
    return Verdict(PROMISE.key, operation.id, verdict.examined, verdict.findings, reason)
