"""What `harness init` recognises, and that whatever it recognises makes files that are taken."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import config
from harness.contract import Contract
from harness.exchange import Response
from harness.recognition import configuration, identities, overlay, seen, survey
from harness.recognition.seen import Read
from harness.session import read_contract

if TYPE_CHECKING:
    from pathlib import Path

    from harness.recognition.sign import Sign

TEXT = {"type": "string"}
ERROR = {"type": "object", "properties": {"error": TEXT}, "required": ["error"]}
# What stands in documents, and what breaks a writer of YAML, TOML or JSONPath.
WORDS = st.text(
    st.sampled_from("ab 'z\"#:{}[]&*!|>%@`,-\\\n\té\U0001f600.~$"), min_size=1, max_size=12
) | st.sampled_from(["pets", "null", "yes", "1", "id", "auth/login", "register", "petId", "version"])


def answers(*statuses: int, schema: Any = None) -> dict[str, Any]:
    """Answers of these statuses with one body."""
    body = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {str(status): {"description": "so", **body} for status in statuses}


def taking(**members: Any) -> dict[str, Any]:
    """A JSON body in which every member is required."""
    schema = {"type": "object", "properties": members, "required": list(members)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def read(paths: dict[str, Any], **more: Any) -> Contract:
    """A contract of these paths."""
    return Contract.read({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, **more}, "t")


def found(contract: Contract, key: str, reads: tuple[Read, ...] = ()) -> list[Sign]:
    """The signs of one key."""
    return [sign for sign in survey.recognised(contract, reads).signs if sign.key == key]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A document with strange names: collections with items, a login, an account, errors, paged lists, versions."""
    paths: dict[str, Any] = {}
    for number, word in enumerate(draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))):
        path = f"/{word.replace('{', '(').replace('}', ')')}"
        parameter = draw(st.sampled_from(["id", "petId", "the key", "x'y"]))
        member = draw(WORDS)
        made = {
            "type": "object",
            "properties": {draw(st.sampled_from(["id", member])): TEXT, "version": {"type": "integer"}},
        }
        body = taking(**{member: TEXT, "version": {"type": "integer"}, "password": TEXT})
        query = [
            {"name": name, "in": "query", "schema": {"type": "integer", "maximum": 9}} for name in ("page", "limit")
        ]
        failed = answers(400, 409, 412, schema=ERROR)
        paths[path] = {
            "get": {"parameters": query, "responses": answers(200, schema={"type": "array", "items": made}) | failed},
            "post": {"operationId": f"{draw(WORDS)}{number}", "responses": answers(201, schema=made) | failed, **body},
        }
        key = {"name": "Idempotency-Key", "in": "header", "schema": TEXT}
        match = {"name": "If-Match", "in": "header", "schema": TEXT}
        tagged = answers(200, schema=made)
        tagged["200"]["headers"] = {"ETag": {"schema": TEXT}}
        paths[f"{path}/{{{parameter}}}"] = {
            "parameters": [{"name": parameter, "in": "path", "required": True, "schema": TEXT}],
            "get": {"responses": tagged},
            "put": {"parameters": [match, key], "responses": answers(200, schema=made) | failed, **body},
        }
    security = {"security": [{"key": []}]} if draw(st.booleans()) else {}
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": draw(WORDS)}}}
    info = {"title": draw(WORDS), "version": "1", "description": draw(WORDS)}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": schemes, **security}


@settings(max_examples=20)
@given(documents())
def test_whatever_is_recognised_is_taken(tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]) -> None:
    """The overlay fits its document and promises what can be promised; harness.toml is one that is read."""
    folder = tmp_path_factory.getbasetemp()
    contract = read_contract(json.loads(json.dumps(document)), "t", [])
    reads = [Read("/", Response(404, (("RateLimit-Limit", "9"), ("X-Frame-Options", "DENY")), b'{"error": "no"}'))]
    told = survey.recognised(contract, reads)
    file = folder / "overlay.yaml"
    file.write_text(overlay.written(contract, "t", told.signs, told.unknown))
    laid = read_contract(json.loads(json.dumps(document)), "t", [file])
    for sign in told.signs:
        if sign.sure and sign.operation:
            assert laid.promise(sign.key, laid.by_id[sign.operation]) == sign.value
        elif sign.sure:
            assert laid.defaults[sign.key] == sign.value or laid.defaults[sign.key][sign.name] == sign.value
    text = configuration.written(
        url="http://127.0.0.1:1", document=document["info"]["title"], overlay="overlay.yaml",
        login=told.login, register=told.register, key=told.key, tenant=told.tenant,
    )  # fmt: skip
    assert config.checked(tomllib.loads(text), folder, "t").target == {"url": "http://127.0.0.1:1"}


@settings(max_examples=10)
@given(documents())
def test_a_comment_can_be_taken_in(tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]) -> None:
    """What stands as a comment is valid too, once its `#` is taken away."""
    contract = read_contract(json.loads(json.dumps(document)), "t", [])
    reads = [Read("/", Response(200, (("RateLimit-Limit", "9"), ("X-Frame-Options", "DENY"))))]
    told = survey.recognised(contract, reads)
    text = overlay.written(contract, "t", told.signs, ())
    bare = [line.replace("# ", "", 1) if _is_entry(line) else line for line in text.splitlines()]
    file = tmp_path_factory.getbasetemp() / "taken.yaml"
    file.write_text("\n".join(bare) + "\n")
    laid = read_contract(json.loads(json.dumps(document)), "t", [file])
    assert {sign.key for sign in told.signs if not sign.operation} <= set(laid.defaults)


def _is_entry(line: str) -> bool:
    """Whether a commented line is an entry of its own and no evidence: a key with a flow value, or an action."""
    plain = line.strip().removeprefix("#").strip()
    keys = (
        "rate-limit: [",
        "headers: {",
        "envelope: {",
        "page: {",
        "version: {",
        "tenant: {",
        "- target: $",
        "update:",
    )
    return line.strip().startswith("#") and (plain.startswith(keys) or plain == "x-promises:")


def test_one_schema_for_all_errors_is_the_envelope() -> None:
    """It is sure where all errors of several statuses have it, and a proposal where only one status or some have it."""
    several = read({"/a": {"get": {"responses": answers(400, 404, schema=ERROR)}}})
    (sign,) = found(several, "envelope")
    assert (sign.value, sign.sure) == ({"schema": ERROR}, True)
    one = read({"/a": {"get": {"responses": answers(422, schema=ERROR)}}})
    assert [sign.sure for sign in found(one, "envelope")] == [False]
    mixed = answers(400, 404, schema=ERROR) | answers(500, schema=TEXT)
    assert [sign.sure for sign in found(read({"/a": {"get": {"responses": mixed}}}), "envelope")] == [False]


def test_an_error_that_was_read_and_does_not_fit_makes_the_envelope_unsure() -> None:
    """The document says one body and the API another: the entry becomes a comment that says so."""
    shared = {"components": {"schemas": {"Error": ERROR}}}
    paths = {"/a": {"get": {"responses": answers(400, 404, schema={"$ref": "#/components/schemas/Error"})}}}
    contract = read(paths, **shared)
    fits, other = (Read("/x", Response(404, (), body)) for body in (b'{"error": "no"}', b'{"detail": "no"}'))
    assert [sign.sure for sign in found(contract, "envelope", (fits,))] == [True]
    (sign,) = found(contract, "envelope", (fits, other))
    assert not sign.sure
    assert "GET /x answered 404 with a body that does not fit it" in sign.evidence


@pytest.mark.parametrize(
    ("headers", "style", "quota", "window_s", "reset"),
    [
        ({"RateLimit-Limit": "100", "RateLimit-Reset": "30"}, "draft-6", 100, 60, "delta"),
        ({"RateLimit-Limit": "5", "RateLimit-Reset": "3", "RateLimit-Policy": "5;w=10"}, "draft-6", 5, 10, "delta"),
        ({"RateLimit": "limit=20, remaining=19, reset=5"}, "draft-7", 20, 60, "delta"),
        ({"RateLimit": '"a";r=4;t=9', "RateLimit-Policy": '"a";q=5;w=9'}, "draft-10", 5, 9, "delta"),
        ({"X-RateLimit-Limit": "7", "X-RateLimit-Reset": "1790000000"}, "x-ratelimit", 7, 60, "epoch"),
    ],
)
def test_limits_that_were_seen(headers: dict[str, str], style: str, quota: int, window_s: int, reset: str) -> None:
    """Each style of header gives a proposal with what it tells; never a sure one, as no answer tells the scope."""
    contract = read({"/a": {"get": {"responses": {}}}})
    (sign,) = found(contract, "rate-limit", (Read("/a", Response(200, tuple(headers.items()))),))
    (limit,) = sign.value
    assert (limit["headers"], limit["quota"], limit["window_s"], limit["reset"]) == (style, quota, window_s, reset)
    assert not sign.sure


def test_only_what_needs_nothing_and_does_nothing_is_read() -> None:
    """GETs with required parameters, streams, and those whose names say that they act are left out; open ones first."""
    needing = {"parameters": [{"name": "q", "in": "query", "required": True, "schema": TEXT}], "responses": {}}
    stream = {"200": {"description": "s", "content": {"text/event-stream": {"schema": TEXT}}}}
    paths = {
        "/mine": {"get": {"security": [{"key": []}], "responses": {}}},
        "/all": {"get": {"responses": {}}, "post": {"responses": {}}},
        "/logout": {"get": {"responses": {}}},
        "/feed": {"get": {"responses": stream}},
        "/search": {"get": needing},
    }
    assert [operation.path for operation in seen.harmless(read(paths))] == ["/all", "/mine"]


TOKEN = {"type": "object", "properties": {"data": {"type": "object", "properties": {"access_token": TEXT, "id": TEXT}}}}
ENTRANCES = {
    "/sign-in": {"post": {"operationId": "enter", **taking(username=TEXT, password=TEXT), "security": [],
                          "responses": answers(200, schema=TOKEN)}},
    "/sign-up": {"post": {"operationId": "join", **taking(username=TEXT, email=TEXT, password=TEXT,
                                                        plan={"enum": ["free", "paid"]}), "security": [],
                          "responses": answers(201, schema={"type": "object", "properties": {"id": TEXT}})}},
    "/me": {"get": {"responses": {}}},
}  # fmt: skip


def test_how_callers_are_had() -> None:
    """Login and registration with their bodies, the token's place, and the id of whom was registered."""
    contract = read(ENTRANCES, security=[{"key": []}])
    login = identities.login(contract)
    register = identities.register(contract, login)
    assert login is not None
    assert (login.operation, login.token, login.sure) == ("enter", "/data/access_token", True)
    assert login.body == {"username": "{name}", "password": "{password}"}
    assert register is not None
    assert (register.operation, register.facts, register.sure) == ("join", {"id": "/id"}, True)
    assert register.body == {
        "username": "{name}", "email": "{name}@example.test", "password": "{password}", "plan": "free",
    }  # fmt: skip


def test_an_account_that_asks_for_more_is_only_proposed() -> None:
    """Where something else is required of which the document gives no value, the table is a comment."""
    paths = {**ENTRANCES, "/sign-up": {"post": {**taking(password=TEXT, code=TEXT), "security": [], "responses": {}}}}
    contract = read(paths, security=[{"key": []}])
    register = identities.register(contract, None)
    assert register is not None
    assert not register.sure


def test_an_id_that_the_document_leaves_open_is_told() -> None:
    """Where no answer names the id, the overlay says that and how to tell it; else nothing is said."""
    item = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]

    def unknown(made: Any) -> list[str]:
        answer = {"type": "object", "properties": {"data": {"type": "object", **made}}}
        told = {"responses": answers(200, 201, schema=answer)}
        contract = read({"/pets": {"post": told}, "/pets/{id}": {"parameters": item, "get": told}})
        return [item.what for item in survey.recognised(contract).unknown if "id of" in item.what]

    assert unknown({}) == ["where the id of pet stands in what is answered to the create"]
    assert unknown({"properties": {"id": TEXT}}) == []


@pytest.mark.parametrize(
    ("taken", "statuses", "told"),
    [
        ({"title": TEXT}, (200,), {"owner": "/user_id"}),
        ({"user_id": TEXT}, (200,), {}),
        ({"version": TEXT}, (200,), {"owner": "/user_id"}),
        ({"version": TEXT}, (200, 409), {"owner": "/user_id", "version": "/version"}),
    ],
)
def test_what_a_client_writes_is_no_owner_and_what_nothing_clashes_with_no_version(
    taken: dict[str, Any], statuses: tuple[int, ...], told: dict[str, str]
) -> None:
    """An owner is set by the server; a member called version is one where a write that saw an old one is refused."""
    shown = {"type": "object", "properties": dict.fromkeys(("id", "user_id", "version"), TEXT)}
    paths = {
        "/grants": {"post": {"operationId": "grant", "responses": answers(201, schema=shown), **taking(**taken)}},
        "/grants/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "get": {"operationId": "read", "responses": answers(200, schema=shown)},
            "put": {"operationId": "change", "responses": answers(*statuses, schema=shown), **taking(**taken)},
        },
    }
    (sign,) = found(read(paths), "resource")
    assert {name: sign.value[name] for name in ("owner", "version") if name in sign.value} == told


def test_the_id_of_a_user_is_not_its_owner() -> None:
    """A thing's own id may be called as owners are."""
    shown = {"type": "object", "properties": {"user_id": TEXT}}
    paths = {
        "/users": {"post": {"operationId": "add", "responses": answers(201, schema=shown), **taking(name=TEXT)}},
        "/users/{user_id}": {
            "parameters": [{"name": "user_id", "in": "path", "required": True, "schema": TEXT}],
            "get": {"operationId": "read", "responses": answers(200, schema=shown)},
        },
    }
    (sign,) = found(read(paths), "resource")
    assert sign.value == {"create": "add", "read": "read", "id": "/user_id"}


def test_a_page_token_goes_before_a_time() -> None:
    """Beside a token of pages, `since` and `before` are what changed after or before an instant."""
    query = [{"name": name, "in": "query", "schema": TEXT} for name in ("_since", "_before", "_limit", "_token")]
    contract = read({"/pets": {"get": {"operationId": "list", "parameters": query, "responses": answers(200)}}})
    (sign,) = found(contract, "page")
    assert (sign.value["style"], sign.value["parameters"]["cursor"], sign.sure) == ("cursor", "_token", False)


def test_a_next_cursor_that_the_schema_names_is_proposed() -> None:
    """Where an answer's schema names the next cursor its place is in the proposal, else that it is to be told."""
    query = [{"name": name, "in": "query", "schema": TEXT} for name in ("limit", "cursor")]
    proposed = {}
    for shown in ({"next_cursor": TEXT}, {}):
        schema = {"type": "object", "properties": {"items": {"type": "array"}, **shown}}
        told = {"operationId": "list", "parameters": query, "responses": answers(200, schema=schema)}
        (sign,) = found(read({"/pets": {"get": told}}), "page")
        proposed["next_cursor" in shown] = (sign.value.get("members"), "write members.next" in sign.evidence, sign.sure)
    assert proposed == {True: ({"next": "/next_cursor"}, False, False), False: (None, True, False)}


def test_a_list_that_something_else_fills_is_left_out(tmp_path: Path) -> None:
    """Where a write such as `publish` stands below the item, what was made need not be in the list."""
    made = {"type": "object", "properties": {"id": TEXT}}
    item = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    paths: dict[str, Any] = {
        "/posts": {
            "get": {"operationId": "list", "responses": answers(200, schema={"type": "array", "items": made})},
            "post": {"operationId": "write", "responses": answers(201, schema=made)},
        },
        "/posts/{id}": {"parameters": item, "get": {"operationId": "get", "responses": answers(200, schema=made)}},
    }
    (sign,) = found(read(paths), "resource")
    assert sign.value == {"create": "write", "read": "get", "list": "list", "items": "", "id": "/id"}
    published = {"/posts/{id}/publish": {"parameters": item, "put": {"operationId": "publish", "responses": {}}}}
    (sign,) = found(read({**paths, **published}), "resource")
    assert sign.value == {"create": "write", "read": "get", "id": "/id"}
    assert "since publish may be what brings one into list" in sign.evidence
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("null", [[], ["null"]])
def test_many_items_at_once_are_accounted_for(null: list[str]) -> None:
    """A list of what a create takes, with counts in the answer, is sure; one of unknown items is proposed.

    Both may have types of which one is null.
    """
    pet = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    number, text = {"type": ["integer", *null]}, {"type": ["string", *null]}
    entry = {"type": "object", "properties": {"row": number, "error": text}}
    counts = {"type": "object", "properties": {"created": number, "failed": number}}
    one = {"schema": {"type": "object", "properties": {"id": TEXT, "name": TEXT}}}
    pets = {"post": {**taking(name=TEXT), "responses": answers(201, **one)}}
    item = {"get": {"parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
                    "responses": answers(200, **one)}}  # fmt: skip
    many = {"post": {**taking(pets={"type": "array", "items": pet}), "responses": answers(200, schema=counts)}}
    shown = {"type": "object", "properties": {"results": {"type": "array", "items": entry}}}
    rows = {"post": {**taking(rows={"type": "array", "items": text}), "responses": answers(200, schema=shown)}}
    silent = {"post": {**taking(pets={"type": "array", "items": pet}), "responses": answers(200, **one)}}
    paths = {"/pets": pets, "/pets/{id}": item, "/pets/bulk": many, "/rows": rows, "/silent": silent}
    sure, proposed = found(read(paths), "bulk")
    assert sure.value == {"items": "/pets", "resource": "pet", "done": "/created", "failed": "/failed"}
    assert sure.sure
    assert proposed.value == {"items": "/rows", "results": "/results", "index": "/row", "error": "/error"}
    assert not proposed.sure


@pytest.mark.parametrize(
    ("counts", "sure"),
    [
        (["created", "failed"], True),
        (["total", "created", "failed"], True),
        (["created", "failed", "skipped"], True),
        (["processed", "failed"], False),
        (["created", "updated", "failed"], False),
        (["created", "duplicates", "failed"], False),
        (["created", "errors"], False),
    ],
)
def test_counts_that_may_leave_out_items_or_tell_one_twice_are_proposed(counts: list[str], *, sure: bool) -> None:
    """Only where each item is surely in one count they are said to be as many as were sent."""
    kinds = {"errors": {"type": "array", "items": TEXT}}
    told = {"type": "object", "properties": {name: kinds.get(name, {"type": "integer"}) for name in counts}}
    one = {"type": "object", "properties": {"id": TEXT, "name": TEXT}}
    pet = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    at = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    paths = {
        "/pets": {"post": {**taking(name=TEXT), "responses": answers(201, schema=one)}},
        "/pets/{id}": {"get": {"parameters": at, "responses": answers(200, schema=one)}},
        "/all": {"post": {**taking(pets={"type": "array", "items": pet}), "responses": answers(200, schema=told)}},
    }
    assert [sign.sure for sign in found(read(paths), "bulk")] == [sure]


@pytest.mark.parametrize("secured", [True, False])
def test_what_issues_keys_is_recognised(*, secured: bool) -> None:
    """A create whose answer has a secret is sure where one scheme is left for it; a login is none."""
    made = {"schema": {"type": "object", "properties": {"id": TEXT, "apiKey": TEXT, "expiresAt": TEXT}}}
    shown = {"schema": {"type": "object", "properties": {"id": TEXT, "name": TEXT}}}
    security: dict[str, Any] = {"security": [{"session": []}] if secured else []}
    asked = taking(name=TEXT, scopes={"type": "array", "items": TEXT}, expires_in={"type": "integer"})
    at = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    paths = {
        "/api-keys": {"post": {"operationId": "issue", **asked, **security, "responses": answers(201, **made)}},
        "/api-keys/{id}": {
            "parameters": at,
            "get": {"operationId": "show", **security, "responses": answers(200, **shown)},
            "delete": {"operationId": "end", **security, "responses": answers(204)},
        },
        "/me": {"get": {"security": [{"session": []}, {"key": []}, {"csrf": [], "session": []}]}},
    }
    header = {"type": "apiKey", "in": "header"}
    bearer = {"type": "http", "scheme": "bearer"}
    schemes = {"session": bearer, "key": {**header, "name": "X-Key"}, "csrf": {**header, "name": "X-Csrf"}}
    signs = found(read(paths, components={"securitySchemes": schemes}), "key")
    assert [(sign.operation, sign.sure, sign.value) for sign in signs] == [
        (
            "issue",
            True,
            {"scheme": "key", "credential": "/apiKey", "revoke": "end", "end": "/expires_in", "until": "/expiresAt"},
        )
    ] * secured
    assert all("/scopes grants is not told" in sign.evidence for sign in signs)
