"""A rack of notes in memory, read through a cache in each of two workers; with a named defect it serves what is old."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract import Contract
from tests.unit.harness.promises.toy import SECOND_NS, Refused, Toy, caller_of, tenant_of

if TYPE_CHECKING:
    from harness.exchange import Request

TEXT = {"type": "string", "minLength": 1, "maxLength": 80}
AGE_S = 2.0
TAGGED = {"age_s": 0, "etag": True, "invalidated_by": [{"operation": "notes.update"}, {"operation": "notes.star"}]}
LISTED = {
    "age_s": AGE_S,
    "invalidated_by": [
        {"operation": "notes.create"},
        {"operation": "notes.update"},
        {"operation": "notes.delete"},
        {"operation": "notes.star"},
        {"operation": "notes.stamp", "at": "/ids/0"},
    ],
}
NOTE = {"topicId": TEXT, "title": TEXT}
SHOWN = {"id": TEXT, **NOTE, "stars": {"type": "integer"}, "version": {"type": "integer"}}
SIGNED_IN = {"roles": {"allow": ["signed-in"]}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _operation(name: str, body: Any = None, answer: Any = None, **promises: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}} if answer else {}
    taken = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
    said = {"200": {"description": "", **({"content": content} if content else {})}}
    return {"operationId": name, "responses": said, "x-promises": promises, **taken}


def contract(listed: dict[str, Any] | None = None, tagged: dict[str, Any] | None = None) -> Contract:
    """The rack's contract with the promises of its list and of its read."""
    page = _object(items={"type": "array", "items": _object(**SHOWN)}, total={"type": "integer"})
    one = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    queries: list[dict[str, Any]] = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50, "default": 20}},
        {"name": "topic", "in": "query", "schema": TEXT},
    ]
    told = {"told": [{"in": "header", "name": "X-Tenant"}], "unknown": 404, "other": 401, "conflict": "first"}
    paths = {
        "/login": {"post": _operation("login", _object(name=TEXT))},
        "/people": {"post": _operation("people.create", _object(name=TEXT))},
        "/topics": {"post": _operation("topics.create", _object(name=TEXT), _object(id=TEXT), **SIGNED_IN)},
        "/topics/{id}": {"parameters": one, "get": _operation("topics.get", None, _object(id=TEXT))},
        "/notes": {
            "post": _operation("notes.create", _object(**NOTE), _object(**SHOWN), **SIGNED_IN),
            "get": {**_operation("notes.list", None, page, cache=listed or LISTED), "parameters": queries},
        },
        "/notes/{id}": {
            "parameters": one,
            "get": _operation("notes.get", None, _object(**SHOWN), cache=tagged or TAGGED),
            "patch": _operation("notes.update", _object(title=TEXT), _object(**SHOWN), **SIGNED_IN),
            "delete": _operation("notes.delete", **SIGNED_IN),
        },
        "/notes/{id}/star": {"parameters": one, "post": _operation("notes.star", **SIGNED_IN)},
        "/stamps": {
            "post": _operation("notes.stamp", _object(ids={"type": "array", "items": TEXT, "minItems": 1}), **SIGNED_IN)
        },
    }
    document = {"openapi": "3.1.0", "info": {"title": "rack", "version": "1"}, "paths": paths}
    return Contract.read({**document, "x-promises": {"tenant": told}}, "rack")


@dataclass
class Rack(Toy):
    """Notes by tenant; each worker keeps lists for a while, and forgets them when any worker changes a note."""

    contract: Contract = field(default_factory=contract)
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    held: list[dict[Any, tuple[Any, int]]] = field(default_factory=lambda: [{}, {}])
    changes: int = 0
    own: bool = False
    """Whether each caller is shown only what they made."""
    makers: dict[str, str] = field(default_factory=dict)
    turns: Any = field(default_factory=lambda: itertools.cycle((0, 1, 1)))

    def handle(self, request: Request) -> Any:
        """Any operation, in one of the two workers."""
        worker = next(self.turns)
        yield
        name, body = request.operation, request.json() or {}
        if name == "login":
            return 200, (), {"token": f"t-{body['name']}"}
        if name == "people.create":
            return 201, (), {"id": body["name"]}
        if name == "topics.create":
            return 201, (), {"id": f"topic{next(self.numbers)}"}
        notes = self.rows.setdefault(tenant_of(request), {})
        if name == "notes.list":
            return (yield from self.listed(request, notes, worker))
        wanted = request.path.split("/")[2] if "{id}" in self.contract.by_id[name].path else ""
        if name == "notes.get":
            return self.one(request, notes.get(wanted))
        if not caller_of(request):
            raise Refused(401)
        if name == "notes.create":
            wanted = f"note{next(self.numbers)}"
            self.makers[wanted] = caller_of(request)
        return (yield from self.changed(name, body, notes, wanted, worker))

    def listed(self, request: Request, notes: dict[str, dict[str, Any]], worker: int) -> Any:
        """The list, kept or made."""
        query = dict(request.query)
        key = (
            "" if self.has("no tenant in the key") else tenant_of(request),
            "" if self.has("no query in the key") else str(sorted(query.items())),
            caller_of(request) if self.own and not self.has("no caller in the key") else "",
        )
        held = self.held[worker].get(key)
        if held is not None and held[1] > self.now_ns:
            if self.has("reading renews"):
                self.held[worker][key] = (held[0], self.now_ns + round(AGE_S * SECOND_NS))
            return held[0]
        seen = self.changes
        matching = [dict(note) for note in notes.values() if query.get("topic", note["topicId"]) == note["topicId"]]
        matching = [note for note in matching if not self.own or self.makers[note["id"]] == caller_of(request)]
        body = {"items": matching[::-1][: int(query.get("limit", 20))], "total": len(matching)}
        yield
        headers = (("Cache-Control", "max-age=60"),) if self.has("says 60 s") else ()
        headers += (("Cache-Control", "public, max-age=1"),) if self.has("says that it is for all") else ()
        headers += (("Age", "9"),) if self.has("says that it is old") else ()
        answer = 200, headers, body
        age_s = 300 if self.has("five minutes") else AGE_S
        if seen == self.changes or self.has("keeps what it read before"):
            self.held[worker][key] = (answer, self.now_ns + round(age_s * SECOND_NS))
        return answer

    def changed(
        self, name: str, body: dict[str, Any], notes: dict[str, dict[str, Any]], wanted: str, worker: int
    ) -> Any:
        """A change of a note; what is kept is forgotten before the answer."""
        answer: Any = (204, (), None)
        if name == "notes.create":
            notes[wanted] = {"id": wanted, **body, "stars": 0, "version": 1}
            answer = (201, (), dict(notes[wanted]))
        wanted = body["ids"][0] if name == "notes.stamp" else wanted
        if wanted not in notes:
            raise Refused(404)
        if name == "notes.delete":
            del notes[wanted]
        elif name != "notes.create":
            note = notes[wanted]
            note["title"] = body.get("title", note["title"])
            note["stars"] += name in {"notes.star", "notes.stamp"}
            note["version"] += not (self.has("stars raise no version") and name == "notes.star")
            answer = (200, (), dict(note))
        yield
        self.changes += 1
        if not self.has(f"forgets nothing by {name}") and not self.has("forgets nothing"):
            for number, held in enumerate(self.held):
                if number == worker or not self.has("own memory"):
                    held.clear()
        return answer

    def one(self, request: Request, note: dict[str, Any] | None) -> Any:
        """One note with its tag, or 304."""
        if note is None:
            raise Refused(404)
        tag = f'"{note["id"]}-{note["version"]}"'
        tag = f'"{next(self.numbers)}"' if self.has("a tag a read") else tag
        headers = () if self.has("no tag") else (("ETag", tag),)
        asked = [part.strip() for part in dict(request.headers).get("If-None-Match", "").split(",")]
        asked = asked if self.has("strong only") else [part.removeprefix("W/") for part in asked]
        same = tag in asked or ("*" in asked and not self.has("no star")) or (asked != [""] and self.has("304 for all"))
        if same and not self.has("never 304"):
            bare = () if self.has("304 without a tag") else headers
            return 304, bare, dict(note) if self.has("304 with a body") else None
        return 200, headers, dict(note)
