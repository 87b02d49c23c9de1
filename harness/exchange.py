"""What was sent and what came back: the record that every driver makes and every promise judges."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.identities import ANONYMOUS, Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSED = ("connection closed", "closed connection", "reset by peer")
ENDLESS = "the answer began and did not end"
LONGEST_S = 1e9
# A body that is no text and longer than this is packed in a record: a bound in bytes is tried with files of megabytes.
LONG_BYTES = 1 << 18
SCHEMA_VERSION = 1

Headers = tuple[tuple[str, str], ...]


class Outcome(StrEnum):
    """What the server says of its effect (Jepsen's ok, fail and info, and a batch's part)."""

    OK = "ok"
    REFUSED = "refused"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


def header(headers: Headers, name: str) -> str | None:
    """The first value of a header, its name compared without case; None where it is absent."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def date_s(text: str) -> float | None:
    """The epoch seconds of an HTTP-date in any of its three forms (RFC 9110, 5.6.7); None where it is none."""
    try:
        instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is concrete and unescaped templates never occur in it; `query` is kept as pairs.

    `step` is the case's own word for it (`stale-write`); `source` is a loopback address to send from, or empty.
    """

    method: str
    path: str
    operation: str = ""
    query: tuple[tuple[str, str], ...] = ()
    headers: Headers = ()
    body: bytes | None = None
    identity: Identity = ANONYMOUS
    step: str = ""
    source: str = ""
    timeout_s: float = 10.0
    secret_pointers: tuple[str, ...] = ()

    def json(self) -> Any:
        """The body as JSON; None where there is none or it is not JSON."""
        return _json(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response: the status, headers in their order and the whole decoded body."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header, its name compared without case."""
        return header(self.headers, name)

    def names(self, name: str) -> set[str]:
        """The names, in small letters, of a header that lists some, on one line or several (RFC 9110, 5.2)."""
        listed = ",".join(value for key, value in self.headers if key.lower() == name.lower())
        return {found.strip().lower() for found in listed.split(",")} - {""}

    def json(self) -> Any:
        """The body as JSON; None where it is not JSON."""
        return _json(self.body)


def outcome_of(status: int | None) -> Outcome:
    """The outcome that a status alone tells: none and 5xx are UNKNOWN, 4xx is REFUSED, the rest OK."""
    if status is None or status >= 500:  # noqa: PLR2004 - the class of status is the number
        return Outcome.UNKNOWN
    return Outcome.REFUSED if status >= 400 else Outcome.OK  # noqa: PLR2004 - same


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer, or with the reason why there is none.

    `due_ns` (the driver asked for it; bytes of the request may leave from here on), `sent_ns` (just before the last
    byte left) and `done_ns` (the last byte came, or the wait ended) are on one monotonic clock; `wall_s` is the time of
    day at `done_ns`, in epoch seconds. `group` numbers requests that were released together; 0 is alone. `case` is the
    key of the case that asked.
    """

    id: str
    request: Request
    response: Response | None
    due_ns: int
    sent_ns: int
    done_ns: int
    driver: str = ""
    case: str = ""
    group: int = 0
    error: str = ""
    wall_s: float = 0.0

    @property
    def operation(self) -> str:
        """The operation id; empty where the contract names none."""
        return self.request.operation

    @property
    def status(self) -> int:
        """The response's status; 0 where there was no answer."""
        return self.response.status if self.response else 0

    @property
    def retry_after_s(self) -> float | None:
        """The seconds of Retry-After, or until the date that it tells (RFC 9110, 10.2.3); None where it tells neither.

        A date is told by the clock of the server, which Date shows.
        """
        told = ((self.response.header("Retry-After") if self.response else None) or "").strip()
        if told.isascii() and told.isdecimal():
            return min(float(told), LONGEST_S)
        until_s = date_s(told)
        if until_s is None:
            return None
        server_s = date_s((self.response.header("Date") if self.response else None) or "")
        return min(max(0.0, until_s - (self.wall_s if server_s is None else server_s)), LONGEST_S)

    @property
    def endless(self) -> bool:
        """Whether an answer began and did not come to its end in time, as a stream of events does."""
        return self.error.startswith(ENDLESS)

    @property
    def cut_off(self) -> bool:
        """Whether the server closed the connection before the end of its answer, or without one."""
        return any(words in self.error for words in CLOSED)

    @property
    def outcome(self) -> Outcome:
        """What the server says happened."""
        return outcome_of(self.response.status if self.response else None)

    def to_record(self) -> dict[str, Any]:
        """The JSON object that stands on one line of a history."""
        request = self.request
        identity = request.identity
        record: dict[str, Any] = {
            "v": SCHEMA_VERSION,
            "type": "exchange",
            "id": self.id,
            "driver": self.driver,
            "case": self.case,
            "group": self.group,
            "operation": request.operation,
            "step": request.step,
            "identity": {
                "name": identity.name,
                "roles": list(identity.roles),
                "tenant": identity.tenant,
                "facts": dict(identity.facts),
            },
            "due_ns": self.due_ns,
            "sent_ns": self.sent_ns,
            "done_ns": self.done_ns,
            "wall_s": self.wall_s,
            "outcome": self.outcome.value,
            "error": self.error,
            "request": {
                "method": request.method,
                "path": request.path,
                "query": [list(pair) for pair in request.query],
                "headers": [list(pair) for pair in request.headers],
                "source": request.source,
                **_body_to_record(request.body),
            },
        }
        if self.response is not None:
            record["response"] = {
                "status": self.response.status,
                "headers": [list(pair) for pair in self.response.headers],
                **_body_to_record(self.response.body),
            }
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Exchange:
        """The exchange that `to_record` wrote; credentials are gone and `due_ns` to `error` are as they were."""
        sent, answer, who = record["request"], record.get("response"), record["identity"]
        request = Request(
            method=sent["method"],
            path=sent["path"],
            operation=record["operation"],
            query=_pairs(sent["query"]),
            headers=_pairs(sent["headers"]),
            body=_body_from_record(sent),
            identity=Identity(who["name"], tuple(who["roles"]), who["tenant"], facts=who["facts"]),
            step=record["step"],
            source=sent["source"],
        )
        response = None
        if answer is not None:
            response = Response(answer["status"], _pairs(answer["headers"]), _body_from_record(answer) or b"")
        return cls(
            id=record["id"],
            request=request,
            response=response,
            due_ns=record["due_ns"],
            sent_ns=record["sent_ns"],
            done_ns=record["done_ns"],
            driver=record["driver"],
            case=record["case"],
            group=record["group"],
            error=record["error"],
            wall_s=record["wall_s"],
        )


def _pairs(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)


def _json(body: bytes | None) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _body_to_record(body: bytes | None) -> dict[str, str]:
    if not body:
        return {}
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        if len(body) > LONG_BYTES:
            return {"body_zlib": base64.b64encode(zlib.compress(body, 1)).decode("ascii")}
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def _body_from_record(record: Mapping[str, Any]) -> bytes | None:
    if "body_zlib" in record:
        return zlib.decompress(base64.b64decode(record["body_zlib"]))
    if "body_base64" in record:
        return base64.b64decode(record["body_base64"])
    return record["body"].encode() if "body" in record else None
