"""`?pretty` on any path asks for indented JSON; procedures do not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.errors import invalid

if TYPE_CHECKING:
    from starlette.types import Scope

    from reference_impl.edge.exchange import Exchange

NAME = b"pretty"
VALUES = ("", "true", "false")
_ON = {value.encode(): value != "false" for value in VALUES}


def take(scope: Scope, exchange: Exchange) -> Scope:
    """Read `pretty` out of a query that holds the word; VALIDATION_ERROR for another value, or when it stands twice."""
    rest: list[bytes] = []
    found: list[bytes] = []
    for part in scope["query_string"].split(b"&"):
        name, _, value = part.partition(b"=")
        (found if name == NAME else rest).append(value if name == NAME else part)
    if not found:
        return scope
    if len(found) > 1:
        raise invalid("pretty", "it may stand once only")
    if found[0] not in _ON:
        raise invalid("pretty", "it must be true, false or empty")
    exchange.pretty = _ON[found[0]]
    return {**scope, "query_string": b"&".join(rest)}
