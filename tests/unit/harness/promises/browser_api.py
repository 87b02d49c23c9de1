"""An API in memory that signs browsers in by a cookie; with a named defect other sites write in their name."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.cookie import PROMISE
from harness.promises.cors import FOREIGN
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.drive import Driven
    from harness.verdict import Verdict

TOLD: dict[str, Any] = {
    "scheme": "session",
    "with": {"remember": True},
    "token": {"scheme": "forgery", "cookie": "xsrf"},
    "origin": True,
    "out": "leave",
    "refused": 403,
}
PEOPLE = {
    "register": {"operation": "join", "body": {"name": "{name}", "password": "{password}"}},
    "login": {"operation": "enter", "body": {"name": "{name}", "password": "{password}"}, "token": "/access"},
}
TEXT = {"type": "string", "minLength": 1}


def document(told: Any = TOLD, *, methods: tuple[str, ...] = ("post", "patch", "delete")) -> dict[str, Any]:
    """People who join and enter, and their notes: a bearer token or a browser's cookie reads and writes them."""
    token = [{"bearer": []}]
    read, write = [*token, {"session": []}], [*token, {"session": [], "forgery": []}]
    person = {"type": "object", "properties": {"name": TEXT, "password": TEXT, "remember": {"type": "boolean"}}}
    note = {"type": "object", "properties": {"text": TEXT}, "required": ["text"]}
    at = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]

    def operation(name: str, security: Any, body: Any = None, **more: Any) -> dict[str, Any]:
        sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
        return {"operationId": name, "security": security, "responses": {"200": {"description": ""}}, **sent, **more}

    writes = {"patch": operation("editNote", write, note), "delete": operation("dropNote", write)}
    own = {method: one for method, one in writes.items() if method in methods}
    bearing = {"create": "addNote", "read": "getNote", "id": "/id"}
    made = {
        **bearing,
        **({"update": "editNote"} if "patch" in own else {}),
        **({"delete": "dropNote"} if "delete" in own else {}),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "notes", "version": "1"},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sid"},
                "forgery": {"type": "apiKey", "in": "header", "name": "X-Xsrf"},
            }
        },
        "paths": {
            "/join": {"post": operation("join", [], person)},
            "/enter": {"post": operation("enter", [], person, **{"x-promises": {"cookie": told}})},
            "/leave": {"post": operation("leave", write)},
            "/notes": {"get": operation("listNotes", read), "post": operation("addNote", write, note)},
            "/notes/{id}": {"parameters": at, "get": operation("getNote", read), **own},
        },
        "x-promises": {"resource": {"note": made}},
    }


@dataclass
class Notes:
    """The API. A defect is a word: what is not looked at, or an attribute that a cookie lacks."""

    defects: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=document)
    refusal: int = 403
    attributes: str = "Path=/; HttpOnly; SameSite=Lax"
    token_in_body: bool = False
    removal: str = "Max-Age=0"
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    sessions: dict[str, str] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "notes")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        moment = next(self.numbers)
        status, headers, body = self._answer(request)
        response = Response(status, headers, json.dumps(body).encode()) if status else None
        return Exchange(f"x{moment}", request, response, moment, moment, moment, case=case)

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, Any, Any]:
        if request.operation == "join":
            return 201, (), {}
        headers = {name.lower(): value for name, value in (*request.headers, *request.identity.headers)}
        if request.operation == "enter":
            gate = self._entrance(headers)
            return (gate, (), None) if gate != 200 else self._entered(request.json())
        if "fails" in self.defects and "cookie" in headers and request.method != "GET":
            return 500, (), None
        gate = self._gate(request, headers)
        if gate != 200 and "acts" not in self.defects:
            return gate, (), None
        if request.operation == "leave":
            return self._left(headers.get("cookie", ""))
        status, body = self._done(request)
        return (status, (), body) if gate == 200 else (gate, (), None)

    def _entrance(self, headers: dict[str, str]) -> int:
        """The status that a login with the cookie of another session gets; 200 where it is let in."""
        if "cookie" not in headers:
            return 200
        told = {"stuck": 401, "limits logins": 429}
        unguarded = "guards logins" in self.defects and headers.get("x-xsrf", "no token") not in headers["cookie"]
        return next((told[name] for name in told if name in self.defects), 403 if unguarded else 200)

    def _entered(self, body: dict[str, Any]) -> tuple[int, Any, Any]:
        session, token = f"session-{next(self.numbers):08}", f"token={next(self.numbers):08}=="
        self.sessions[session] = token
        self.given += [session, token]
        answer = {"access": session, **({"token": token} if self.token_in_body else {})}
        if not body.get("remember") or "no cookie" in self.defects:
            return 200, (), answer
        cookies = [("Set-Cookie", f"sid={session}; {self.attributes}")]
        shown = quote(token, safe="") if "encodes" in self.defects else token
        cookies += [] if self.token_in_body else [("Set-Cookie", f"xsrf={shown}; Path=/")]
        older = [("Set-Cookie", "sid=; Path=/old; Max-Age=0")]
        before, after = "removes before" in self.defects, "removes after" in self.defects
        cookies = [*(older if before else []), *cookies, *(older if after else [])]
        return 200, tuple(cookies), answer

    def _left(self, cookies: str) -> tuple[int, Any, Any]:
        if "cannot leave" in self.defects:
            return 500, (), None
        session = cookies.partition("sid=")[2].partition(";")[0]
        if "taken" not in self.defects:
            self.sessions.pop(session)
        left = (("Set-Cookie", f"sid=; Path=/; {self.removal}"),)
        if "replaces" in self.defects:
            new = f"session-{next(self.numbers):08}"
            self.sessions |= {new: ""} if "stays" in self.defects else {}
            left = (("Set-Cookie", f"sid={new}; {self.attributes}"),)
        if "repeats" in self.defects:
            left = (("Set-Cookie", f"sid={session}; {self.attributes}"),)
        if "clears" in self.defects:
            left = (("Clear-Site-Data", '"cookies", "storage"'),)
        return 204, () if "kept" in self.defects else left, None

    def _gate(self, request: Request, headers: dict[str, str]) -> int:
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if bearer in self.sessions or "open" in self.defects:
            return 200
        cookies = dict(part.strip().partition("=")[::2] for part in headers.get("cookie", "").split(";"))
        session = self.sessions.get(cookies.get("sid", ""))
        if session is None or "knows none" in self.defects:
            return 401
        if request.method == "GET" or request.method in self.defects:
            return 200
        own = headers.get("x-xsrf", "")
        held = own == session or "token" in self.defects or ("whose" in self.defects and own in self.sessions.values())
        foreign = headers.get("origin") == FOREIGN and "origin" not in self.defects
        return self.refusal if foreign or not held or "refuses all" in self.defects else 200

    def _done(self, request: Request) -> tuple[int, Any]:
        name = request.path.rpartition("/")[2]
        if request.operation == "addNote":
            made = {"id": f"note-{next(self.numbers)}", **request.json()}
            self.notes[made["id"]] = made
            return 201, made
        if request.operation != "listNotes" and name not in self.notes:
            return 404, None
        if request.operation == "editNote":
            self.notes[name] = {**self.notes[name], **request.json()}
        if request.operation == "dropNote":
            return 200, self.notes.pop(name)
        return 200, self.notes.get(name, [])


def driven(
    api: Notes, seed: int = 2, secret: Callable[[str, str], None] = lambda *_: None, people: Any = PEOPLE
) -> Driven:
    """What came of the case; `secret` is told what is to be masked."""
    assert PROMISE.cases is not None
    (case,) = PROMISE.cases(api.contract, api.contract.by_id["enter"], Random(1))
    stage = Stage(api.contract, Actors(people, {}), Random(seed), f"n{next(api.numbers)}", secret=secret)
    return drive(case, stage, api, sleep=lambda _seconds: None)


def examined(api: Notes, seed: int = 2, people: Any = PEOPLE) -> Verdict:
    """The verdict, judged from what a history would keep."""
    assert PROMISE.judge is not None
    done = driven(api, seed, people=people)
    kept = [Exchange.from_record(json.loads(json.dumps(exchange.to_record()))) for exchange in done.exchanges]
    verdict = PROMISE.judge(api.contract, api.contract.by_id["enter"], kept)
    return replace(verdict, reason="; ".join(filter(None, (done.reason, verdict.reason))))
