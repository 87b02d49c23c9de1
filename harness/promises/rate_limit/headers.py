"""What an answer tells of a limit, in the styles that are in use; instants are put on the exchange's monotonic clock.

draft-6 and -7: draft-ietf-httpapi-ratelimit-headers-06 and -07; draft-10: the same draft's structured fields since -08;
x-ratelimit: the older custom, whose reset is a delta or an instant in epoch seconds. Retry-After: RFC 9110, 10.2.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.exchange import date_s
from harness.promises.rate_limit.annotation import NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.exchange import Exchange, Response
    from harness.promises.rate_limit.annotation import Limit

GRANULARITY_NS = NS
LOOPBACK = "127."
LATE_DATE_S = 2.0
OTHER_CLOCK_S = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer tells of a limit; the reset is an instant in [`reset_first_ns`, `reset_ns`], None where untold.

    `missing` names the members that the style has and the answer has not, or not as a number.
    """

    quota: int | None
    remaining: int | None
    reset_first_ns: int | None
    reset_ns: int | None
    missing: tuple[str, ...]


def told(limit: Limit, exchange: Exchange) -> Told:
    """What an answer says of a limit in the limit's declared style."""
    response = exchange.response
    assert response is not None, "only an answer tells"
    values = {
        "draft-6": lambda: _plain(response, "RateLimit"),
        "draft-7": lambda: _joined(response),
        "draft-10": lambda: _structured(response, limit),
        "x-ratelimit": lambda: _plain(response, "X-RateLimit") or _plain(response, "X-Rate-Limit"),
    }[limit.headers]()
    reset = values.get("reset")
    names = ("limit", "remaining", "reset") if limit.headers != "draft-10" else ("remaining", "reset")
    return Told(
        quota=values.get("limit"),
        remaining=values.get("remaining"),
        reset_first_ns=None if reset is None else _instants_ns(exchange, reset, epoch=limit.reset == "epoch")[0],
        reset_ns=None if reset is None else _instants_ns(exchange, reset, epoch=limit.reset == "epoch")[1],
        missing=tuple(name for name in names if name not in values),
    )


def retry_after_ns(exchange: Exchange) -> int | None:
    """The latest instant that Retry-After can mean; None where there is none or it is neither seconds nor a date."""
    value = (exchange.response.header("Retry-After") or "").strip() if exchange.response else ""
    if re.fullmatch(r"[0-9]{1,9}", value):
        return _instants_ns(exchange, int(value), epoch=False)[1]
    until_s = date_s(value)
    return None if until_s is None else _instants_ns(exchange, int(until_s), epoch=True)[1]


def shown(limit: Limit, exchange: Exchange) -> str:
    """The headers of an answer that speak of limits, for a report."""
    headers = exchange.response.headers if exchange.response else ()
    wanted = ("ratelimit", "x-ratelimit" if limit.headers == "x-ratelimit" else "ratelimit", "x-rate-limit", "retry")
    found = [f"{name}: {value}" for name, value in headers if name.lower().startswith(wanted)]
    return ", ".join(found) or "no header of a limit"


def _instants_ns(exchange: Exchange, value: int, *, epoch: bool) -> tuple[int, int]:
    """A delta counts from some time between sending and the answer's end; an instant by the clock that wrote it."""
    if not epoch:
        return exchange.sent_ns + value * NS, exchange.done_ns + value * NS
    earliest_s, latest_s = server_time_s(exchange)
    return exchange.done_ns + round((value - latest_s) * NS), exchange.done_ns + round((value - earliest_s) * NS)


def server_time_s(exchange: Exchange) -> tuple[float, float]:
    """The server's time of day at the end of the answer, at the earliest and the latest.

    On this machine it is ours. Elsewhere Date tells it to the second, or ours does: a busy server writes an old Date.
    """
    if exchange.request.source.startswith(LOOPBACK):
        return exchange.wall_s, exchange.wall_s
    date = exchange.response.header("Date") if exchange.response else None
    server_s = exchange.wall_s if date is None else date_s(date)
    if server_s is None:
        return exchange.wall_s, exchange.wall_s
    if abs(server_s - exchange.wall_s) > OTHER_CLOCK_S:
        return server_s, server_s + LATE_DATE_S
    return min(server_s, exchange.wall_s), max(server_s + 1, exchange.wall_s)


def _plain(response: Response, prefix: str) -> dict[str, int]:
    """Three headers of one number each; what stands after it (a policy) is not read."""
    found = {}
    for name in ("limit", "remaining", "reset"):
        match = re.match(r"\s*(\d{1,15})(?!\d)", response.header(f"{prefix}-{name}") or "")
        if match:
            found[name] = int(match[1])
    return found


def _joined(response: Response) -> dict[str, int]:
    """`RateLimit: limit=100, remaining=50, reset=5`."""
    pairs = re.findall(r"(\w+)\s*=\s*(\d{1,15})(?!\d)", response.header("RateLimit") or "")
    return {name: int(value) for name, value in pairs if name in {"limit", "remaining", "reset"}}


def _structured(response: Response, limit: Limit) -> dict[str, int]:
    """`RateLimit: "name";r=50;t=30`, `RateLimit-Policy: "name";q=100;w=60`; the limit's name or the only."""
    states, policies = (_items(response.header(name) or "") for name in ("RateLimit", "RateLimit-Policy"))
    state = states.get(limit.name) or (next(iter(states.values())) if len(states) == 1 else {})
    policy = policies.get(limit.name) or (next(iter(policies.values())) if len(policies) == 1 else {})
    members = {"remaining": state.get("r"), "reset": state.get("t"), "limit": policy.get("q")}
    return {name: value for name, value in members.items() if value is not None}


def _items(text: str) -> dict[str, Mapping[str, int]]:
    """A list of strings with parameters that are whole numbers (RFC 9651, as far as limits use it)."""
    found: dict[str, Mapping[str, int]] = {}
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"((?:\s*;\s*[a-z][a-z0-9_.*-]*(?:=[^;,]*)?)*)', text):
        parameters = re.findall(r";\s*([a-z][a-z0-9_.*-]*)=(\d{1,15})(?=[;,\s]|$)", match[2])
        found[match[1]] = {name: int(value) for name, value in parameters}
    return found
