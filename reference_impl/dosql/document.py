"""The service's OpenAPI 3.1 document, from the types it reads and writes."""

from __future__ import annotations

from typing import Any, NamedTuple

from reference_impl.contract import parts, promises, schemas
from reference_impl.dosql import types
from reference_impl.errors import KINDS, Code, ErrorEnvelope

JsonObject = dict[str, Any]


class Verb(NamedTuple):
    """One path: what it takes and answers."""

    path: str
    summary: str
    input: Any
    output: Any
    asked: JsonObject
    answered: JsonObject


VERBS = (
    Verb(
        "/query",
        "Every row of a read",
        types.StatementInput,
        types.Rows,
        {"sql": "SELECT 1 AS one WHERE 1 = ?", "params": [1]},
        {"rows": [{"one": 1}]},
    ),
    Verb(
        "/queryOne",
        "The first row of a read",
        types.StatementInput,
        types.OneRow,
        {"sql": "SELECT 1 AS one", "params": []},
        {"row": {"one": 1}},
    ),
    Verb(
        "/run",
        "One write",
        types.StatementInput,
        types.Changes,
        {"sql": "CREATE TABLE IF NOT EXISTS shelf (id INTEGER PRIMARY KEY, name TEXT)", "params": []},
        {"changes": 0, "lastInsertRowid": 0, "rows": []},
    ),
    Verb(
        "/transaction",
        "Steps that are kept together or not at all",
        types.TransactionInput,
        types.Results,
        {"operations": [{"kind": "queryOne", "sql": "SELECT 1 AS one", "params": [], "expect": {"rows": 1}}]},
        {"results": [{"row": {"one": 1}}]},
    ),
)
_CODES: tuple[Code, ...] = (
    "VALIDATION_ERROR",
    "UNAUTHORIZED",
    "NOT_FOUND",
    "REQUEST_TIMEOUT",
    "CONFLICT",
    "PAYLOAD_TOO_LARGE",
    "URI_TOO_LONG",
    "UNSUPPORTED_MEDIA_TYPE",
    "HEADERS_TOO_LARGE",
    "INTERNAL_ERROR",
    "UNAVAILABLE",
    "TIMEOUT",
)
_DESCRIPTION = """\
SQL for services that hold the key: one SQLite database a tenant, which the header `X-Tenant-ID` names.

Values come as parameters `?` only. A transaction is all or nothing; `expect` makes a check and a write one atomic
batch. `retryable` in an error says whether the same request may succeed later. A statement is bounded in time, rows
and size, and what it answers in bytes. A refused statement leaves nothing. There are no temporary tables, as
connections are shared. Who waits too long for others of the tenant is told 503 with `Retry-After`,
and nothing was begun.
"""
_TENANT: JsonObject = {
    "name": "X-Tenant-ID",
    "in": "header",
    "required": True,
    "description": "Whose database; an unknown one is 404.",
    "schema": {"type": "string", "minLength": 1, "examples": ["alpha"]},
    "example": "alpha",
}
_SHARED = ("X-Request-ID", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy")
_BY_STATUS = {401: ("WWW-Authenticate",), 503: ("Retry-After",)}


def render() -> JsonObject:
    """Return the document."""
    kinds = list(dict.fromkeys([ErrorEnvelope, *(kind for verb in VERBS for kind in (verb.input, verb.output))]))
    references, components = schemas.components(kinds)
    reference = dict(zip(kinds, references, strict=True))
    statuses = sorted({KINDS[code].status for code in _CODES})
    responses = {parts.name_of(status): _error(status) for status in statuses}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DoSQL",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": "sql", "description": "The four verbs; each is one request, and one transaction."}],
        "paths": {verb.path: {"post": _operation(verb, reference, statuses)} for verb in VERBS},
        "components": {
            "schemas": components,
            "headers": {name: parts.HEADERS[name] for name in (*_SHARED, "WWW-Authenticate", "Retry-After")},
            "responses": responses,
            "securitySchemes": {"service": {"type": "http", "scheme": "bearer", "description": "API_DOSQL_KEY."}},
        },
        "x-promises": {
            "envelope": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}},
            "headers": promises.HEADERS,
            "schema": {},
            "leaks": {},
            "roles": {"allow": ["service"], "anonymous": 401},
            "objective": {"p95_ms": 200, "error_ratio": 0.01},
        },
    }


def _operation(verb: Verb, reference: dict[Any, JsonObject], statuses: list[int]) -> JsonObject:
    success = {
        "description": verb.summary,
        "headers": parts.references(_SHARED),
        "content": {"application/json": {"schema": reference[verb.output], "example": verb.answered}},
    }
    errors = {str(status): {"$ref": f"#/components/responses/{parts.name_of(status)}"} for status in statuses}
    return {
        "operationId": f"sql.{verb.path[1:]}",
        "tags": ["sql"],
        "summary": verb.summary,
        "security": [{"service": []}],
        "parameters": [_TENANT],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": reference[verb.input], "example": verb.asked}},
        },
        "responses": {"200": success, **errors},
    }


def _error(status: int) -> JsonObject:
    made = parts.error_response(status)
    made["headers"] = parts.references((*_SHARED, *_BY_STATUS.get(status, ())))
    return made
