"""A request as Schemathesis made it, read from ASGI: marks stand in it where an identity's credentials will be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation
    from harness.exchange import Headers

CASE_HEADER = "x-schemathesis-testcaseid"
OWN_HEADERS = {CASE_HEADER, "host", "content-length", "transfer-encoding", "connection"}
MARK = "harness-identity"
CODINGS = "gzip, deflate"


@dataclass(frozen=True, slots=True)
class Call:
    """`marked` are the names of the identity's headers that it carries; `case` is the id of the case that made it."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Headers
    body: bytes | None
    marked: frozenset[str]
    operation: Operation | None
    case: str

    @property
    def operation_id(self) -> str:
        """The operation that the contract has for it; empty where it has none."""
        return self.operation.id if self.operation else ""


def read(scope: Mapping[str, Any], body: bytes, marks: Mapping[str, str], contract: Contract) -> Call:
    """The call of an ASGI request; `marks` are the marks by header name in lower case.

    A query that is no UTF-8 is sent with replacement characters, since a history keeps text.
    """
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    path = scope["raw_path"].decode("latin-1")
    marked = frozenset(name for name, value in pairs if marks.get(name) == value)
    told = bool(body) or any(name == "content-length" for name, _ in pairs)
    return Call(
        method=scope["method"],
        path=path,
        query=tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace")),
        headers=tuple(_readable(pair) for pair in pairs if pair[0] not in OWN_HEADERS and pair[0] not in marked),
        body=body if told else None,
        marked=marked,
        operation=contract.match(scope["method"], path),
        case=next((value for name, value in pairs if name == CASE_HEADER), ""),
    )


def _readable(pair: tuple[str, str]) -> tuple[str, str]:
    """The header; of content codings those that the recorder undoes, since the fuzzer's client asks for more."""
    return (pair[0], CODINGS) if pair[0] == "accept-encoding" else pair


def mark(header: str, value: str) -> str:
    """What stands for a credential of the same form: the scheme and the cookies' names are kept, the secret is not."""
    if header.lower() == "cookie":
        return "; ".join(f"{part.partition('=')[0].strip()}={MARK}" for part in value.split(";"))
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MARK}" if space else MARK
