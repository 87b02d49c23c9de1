"""What the benchmark of all operations sends: a maker of requests for each, on fresh things where one is used up."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import client
import served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from served import Served

API = "/api/v1"
READS, WRITES, FEW = 3000, 1500, 60
CONNECTIONS = 16
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The status that each answer must have, the n-th request, and how many are sent in each of the two loops."""

    status: int
    make: Callable[[int], bytes]
    count: int
    reads: bool
    objective_ms: float = 200.0


def documented(server: Served) -> list[str]:
    """The ids of the served document's operations."""
    paths = served.call(server.port, "GET", "/openapi.json")["paths"]
    return [entry["operationId"] for path in paths.values() for method, entry in path.items() if method != "parameters"]


def every(count: int) -> int:
    """How many things a plan uses up that takes one a request: those of the warming, busy and timed loops."""
    return count // 10 + 2 * count + 20


def made(server: Served, make: Callable[[int], bytes], count: int, member: str = "id") -> list[Any]:
    """Make so many things and return a member of each answer, or the whole of it where none is named."""
    answers: list[bytes] = []
    client.closed(
        server.port, make, connections=CONNECTIONS, count=count, first=next(_FRESH) * 1_000_000, answers=answers
    )
    bodies = [json.loads(answer) for answer in answers]
    refused = next((body for body in bodies if "error" in body), None)
    if refused is not None:
        raise RuntimeError(f"nothing was made: {refused}")
    return [body[member] for body in bodies] if member else bodies


_FRESH = itertools.count(1)


def read(path: str, headers: Mapping[str, str]) -> Plan:
    """A read that is the same each time."""
    request = client.raw("GET", f"{API}{path}", dict(headers))
    return Plan(200, lambda _: request, READS, reads=True)


def send(method: str, path: str, headers: Mapping[str, str], body: Any = None) -> bytes:
    """One request with a JSON body, or none."""
    if body is None:
        return client.raw(method, f"{API}{path}", dict(headers))
    return client.raw(method, f"{API}{path}", {**headers, **JSON}, json.dumps(body).encode())


def use_up(things: list[Any], status: int, request: Callable[[Any], bytes], count: int = WRITES) -> Plan:
    """A call that each thing can take once."""
    return Plan(status, lambda number: request(things[number]), count, reads=False)
