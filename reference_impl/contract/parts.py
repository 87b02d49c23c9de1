"""The parts of the document that operations share: headers, error responses, security, prose."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from reference_impl.edge.pretty import VALUES
from reference_impl.errors import KINDS, Code

if TYPE_CHECKING:
    from reference_impl.contract.procedure import Access

JsonObject = dict[str, Any]

TITLE = "Reference API"
DESCRIPTION = """\
A shop: accounts, categories, products, orders.

**Tenants.** A request says its tenant by the header `X-Tenant-ID`, else by the label under the base domain, else by the
path prefix `/t/{tenant}`, else the default tenant is meant. An unknown tenant is 404.

**Queries.** An unknown parameter, or one that stands twice, is 400. **Bodies.** An unknown member is 400.

**Answers.** Over a size they are compressed as `Accept-Encoding` asks (zstd, br, gzip); the entity tag of a compressed
answer has the coding as suffix, and `If-Match` takes it with the suffix or without. `Accept` or `Accept-Encoding` that
leave nothing are 406. Origins of the settings may read across origins, with credentials; `OPTIONS` answers preflights.

**Browsers.** The cookie `session` stands for the token where no `Authorization` is sent. A write by it needs the value
of the cookie `csrf` as header `X-CSRF-Token`, and an `Origin`, or else `Referer`, that is this host or an allowed
origin: 403 else. What opens a session does not look at the cookie; the answer to a bad cookie removes it.

**Time.** A body that has not come in time is 408, and the connection ends. What has not begun to answer in time is
cancelled, undone and answered 504. **Heads.** Over 16 KiB of target are 414, over 64 KiB or 100 lines of head 431.

**Texts.** U+0000 and lone surrogates are 400, and so is a JSON object that names a member twice.

**Logins.** Failures of one e-mail from one address, and of one address, count against quotas of their own; spent, they
are 429 too.

**RPC.** `/api/rpc/*` serves the same operations, guards and limits by the RPC protocol of oRPC (RPCLink of
`@orpc/client`), with the error envelope as an error's `data`; this document states REST alone.

**Sessions.** An access token is short; `POST /auth/refresh` gets the next for the session's newest refresh token. A
refresh token is good for one use: sent a second time, whoever sends it, the whole session ends, so a client refreshes
one at a time. Logged in with `cookie`, a browser holds the access token in the cookie `session`; a write by it needs
the value of the cookie `csrf` in `X-CSRF-Token`.

**Files.** `/files/{tenant}/{name}` are uploaded images, each under a name that is given once: the same until they are
deleted with their product, revalidated by ETag, in ranges. **Pages.** `/docs` is this document to read.

**WebSocket.** `/api/v1/ws` carries channels, rooms and questions; `/asyncapi.json` states its messages, and
those of event streams.

**Paths outside this document.** What no operation stands for here: `/health` (200, or 503 while the database is away),
`/ready` (503 also while the store that workers share is), `/metrics` (from networks of the settings only), `/docs`,
`/openapi.json` and `/asyncapi.json` have no tenant and no limit. On every path `OPTIONS` answers `Allow`, `HEAD` is
served where `GET` is, other methods are 405.
"""

_SECURITY_HEADERS = (
    "X-Request-ID",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "Vary",
)
_GLOBAL_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_PROCEDURE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

HEADERS: dict[str, JsonObject] = {
    "X-Request-ID": {
        "description": "The request's id; a client's own is kept when it fits.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    },
    "X-Content-Type-Options": {"required": True, "schema": {"type": "string", "const": "nosniff"}},
    "X-Frame-Options": {"required": True, "schema": {"type": "string", "const": "DENY"}},
    "Referrer-Policy": {"required": True, "schema": {"type": "string", "const": "no-referrer"}},
    "Content-Security-Policy": {"required": True, "schema": {"type": "string"}},
    "Strict-Transport-Security": {"description": "On answers over https.", "schema": {"type": "string"}},
    "Vary": {
        "description": "Origin and Accept-Encoding.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Content-Encoding": {"schema": {"type": "string", "enum": ["zstd", "br", "gzip"]}},
    "RateLimit-Limit": {
        "description": "Quota of the global window. Not sent to admins, who are exempt.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Remaining": {
        "description": "What is left of the global window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Reset": {
        "description": "Seconds until the oldest counted request leaves the global window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Limit": {"description": "Quota of this operation.", "schema": {"type": "integer", "minimum": 1}},
    "X-RateLimit-Remaining": {
        "description": "What is left of this operation's window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Reset": {
        "description": "Epoch second at which the oldest counted request has left this operation's window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Location": {
        "description": "Where the new thing is.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotency-Replayed": {
        "description": "Present when this is the answer that the same Idempotency-Key was given before.",
        "schema": {"type": "string", "const": "true"},
    },
    "ETag": {
        "description": "The version as an entity tag.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]+(-(zstd|br|gzip))?"$'},
    },
    "Set-Cookie": {
        "description": "The cookies `session` and `csrf` of a browser's login, or their removal.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "For nobody else and not again.",
        "schema": {"type": "string", "const": "no-store"},
    },
    "X-Accel-Buffering": {
        "description": "Tells a proxy to pass events on.",
        "schema": {"type": "string", "const": "no"},
    },
    "Connection": {"description": "The connection ends.", "schema": {"type": "string", "const": "close"}},
    "WWW-Authenticate": {"description": "RFC 6750.", "required": True, "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds after which one request is admitted.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
}
UNCHANGED = "If-None-Match names the present version: what the client has is still so."
IF_NONE_MATCH: dict[str, JsonObject] = {
    "If-None-Match": {
        "description": "The ETag of what the client has. When that is still so, the answer is 304 without a body.",
        "schema": {"type": "string", "maxLength": 1000, "examples": ['"1"']},
    }
}
# What stands on a response of one status beside what stands on all.
_BY_STATUS: dict[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate", "Set-Cookie"),
    408: ("Connection",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

SECURITY_SCHEMES: JsonObject = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The accessToken of auth.login. A token that is sent and does not hold is 401 everywhere.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of keys.create, in the place of a token. Without the scope `write` it is 403 for writes.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "What a login with `cookie` sets for a browser.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "The value of the cookie `csrf`; a write by the cookie `session` is 403 without it.",
    },
}


PARAMETERS: JsonObject = {
    "Pretty": {
        "name": "pretty",
        "in": "query",
        "required": False,
        "allowEmptyValue": True,
        "description": "Indents the JSON.",
        "schema": {"type": "string", "enum": list(VALUES)},
    }
}


def security(access: Access, method: str) -> list[dict[str, list[str]]]:
    """Return the ways to say who one is, of which one is enough; none for an operation that does not ask."""
    if access.open:
        return []
    ways = [("bearer",), ("key",), ("cookie",) if method == "GET" else ("cookie", "csrf")]
    return [{name: [] for name in way} for way in ways if access.by_key or way != ("key",)]


def noun(path: str) -> str:
    """Return what the parameter of a path names, such as category of /categories/{id}."""
    plural = path.partition("/{")[0].rsplit("/", 1)[1]
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")


def references(names: tuple[str, ...]) -> JsonObject:
    """Return header objects by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def success_headers(own: tuple[str, ...]) -> JsonObject:
    """Return the headers of a successful response."""
    return references((*_SECURITY_HEADERS, "Content-Encoding", *_GLOBAL_HEADERS, *_PROCEDURE_HEADERS, *own))


def error_headers(status: int) -> JsonObject:
    """Return the headers of an error response."""
    limited = (*_GLOBAL_HEADERS, *_PROCEDURE_HEADERS)
    return references((*_SECURITY_HEADERS, *limited, *_BY_STATUS.get(status, ())))


def name_of(status: int) -> str:
    """Return the name of a status's shared response, such as NotFound."""
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))


def error_response(status: int) -> JsonObject:
    """Return the response object of one error status, with an example for each code it carries."""
    codes: list[Code] = [code for code, kind in KINDS.items() if kind.status == status]
    return {
        "description": " ".join(KINDS[code].says for code in codes),
        "headers": error_headers(status),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ErrorEnvelope"},
                "examples": {code: {"value": _example(code)} for code in codes},
            }
        },
    }


def _example(code: Code) -> JsonObject:
    error: JsonObject = {
        "code": code,
        "message": KINDS[code].says,
        "retryable": KINDS[code].retryable,
        "requestId": "01980000-0000-7000-8000-000000000000",
    }
    if code == "VALIDATION_ERROR":
        error["details"] = [{"field": "name", "message": "Expected `str`, got `int`"}]
    return {"error": error}
