"""The requests of these journeys, and what is read from their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.load.journey import NOTHING, SetUpError, Step, as_json, headers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.identities import Identity
    from harness.load.reply import Reply

BASE = "/api/v1"
OK, CREATED = 200, 201
CONFLICT, TOO_MANY = 409, 429
CREDENTIALS = {"authorization", "cookie"}


def request(  # noqa: PLR0913 - a request has so many parts
    operation: str,
    method: str,
    path: str,
    identity: Identity,
    body: object = None,
    *,
    headers: Mapping[str, str] = NOTHING,
    expected: frozenset[int] = frozenset(),
) -> Step:
    """One step; `path` is what follows the base path, `headers` come beside the identity's; bytes go as they are."""
    whole = {**headers_of(identity, json_body=body is not None), **headers}
    data = body if body is None or isinstance(body, bytes) else as_json(body)
    return Step(operation, method, BASE + path, whole, data, expected, identity=identity)


def surroundings(identity: Identity | None) -> dict[str, str]:
    """The headers of an identity that say where, not who: the tenant's."""
    headers = identity.headers if identity else ()
    return {name: value for name, value in headers if name.lower() not in CREDENTIALS}


def object_of(reply: Reply) -> dict[str, Any]:
    """The object that was answered; an empty one where none was."""
    content = reply.json() if reply.status in {OK, CREATED} else None
    return content if isinstance(content, dict) else {}


def id_of(reply: Reply) -> str | None:
    """The id of what was made or read; None where the answer has none."""
    found = object_of(reply).get("id")
    return found if isinstance(found, str) else None


def items_of(reply: Reply) -> list[dict[str, Any]]:
    """The things of a page; none where the answer is no page."""
    content = reply.json() if reply.status == OK else None
    items = content.get("items") if isinstance(content, dict) else None
    return items if isinstance(items, list) else []


def needed(reply: Reply, purpose: str) -> dict[str, Any]:
    """The object of an answer that a set-up cannot do without; SetUpError shows the answer that is none."""
    content = reply.json()
    if reply.status in {OK, CREATED} and isinstance(content, dict):
        return content
    raise SetUpError(f"cannot {purpose}: {reply.error or reply.status} {reply.body[:200].decode(errors='replace')}")
