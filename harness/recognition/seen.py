"""What a few harmless reads show: the headers of limits, the headers that every answer has, entity tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.recognition.sign import Sign
from harness.targets import reachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Response

MAX_READS = 6
NOWHERE = "/nothing-is-here-4f1c"
ACTS = re.compile(
    r"log-?_?out|sign-?_?out|shut-?_?down|restart|reload|reset|delete|remove|revoke|stop|start|run|send|trigger|export"
    r"|download|stream|events|callback|verify|confirm|unsubscribe",
    re.IGNORECASE,
)
WORTH = ("x-content-type-options", "x-frame-options", "referrer-policy", "strict-transport-security",
         "content-security-policy", "x-request-id", "x-correlation-id")  # fmt: skip
EPOCH_S = 10**9
POLICY = re.compile(r"(?:^|[;,\s])(?:q=)?(\d+)\s*;\s*w=(\d+)")


@dataclass(frozen=True, slots=True)
class Read:
    """One read that was sent: the path, and what was answered."""

    path: str
    response: Response


def harmless(contract: Contract) -> list[Operation]:
    """GETs that need nothing and whose names do not say that they do something; open ones first."""
    found = [
        operation
        for operation in contract.operations
        if operation.method == "GET"
        and not any(parameter.required for parameter in operation.parameters)
        and not operation.streams
        and not ACTS.search(f"{operation.path} {operation.id}")
    ]
    return sorted(found, key=lambda item: item.secured)[:MAX_READS]


def reads(contract: Contract, url: str) -> list[Read]:
    """What the harmless GETs answer, and a path that is not there; raises TargetError where nothing answers."""
    paths = [operation.path for operation in harmless(contract)]
    return [Read(path, reachable(url, path)) for path in (*paths, NOWHERE)]


def signs(contract: Contract, seen: Sequence[Read]) -> Iterator[Sign]:
    """What the answers show beside the document; all of it to be looked at, since a few answers are no promise."""
    if seen and "rate-limit" not in contract.defaults:
        yield from _limits(seen)
    if seen and "headers" not in contract.defaults:
        common = {
            name: values.pop()
            for name in WORTH
            if len(values := {item.response.header(name) for item in seen}) == 1 and None not in values
        }
        varied = [name for name in WORTH if all(item.response.header(name) for item in seen) and name not in common]
        rules: dict[str, Any] = {
            **{name: {"const": value} for name, value in common.items()},
            **{n: {} for n in varied},
        }
        if rules:
            evidence = f"seen on all of {len(seen)} answers, also that of a path that is not there"
            yield Sign("headers", rules, evidence, sure=False)


def fits(contract: Contract, sign: Sign, seen: Sequence[Read]) -> str:
    """Why an error that was answered does not fit a recognised envelope; empty where all do."""
    told = str(sign.value["schema"].get("$ref", ""))
    validator = contract.validator(told.removeprefix("#")) if told else None
    for item in seen:
        if item.response.status >= 400 and validator is not None:  # noqa: PLR2004 - where errors begin (RFC 9110, 15.5)
            value = item.response.json()
            if value is None or not validator.is_valid(value):
                return f"GET {item.path} answered {item.response.status} with a body that does not fit it"
    return ""


def _limits(seen: Sequence[Read]) -> Iterator[Sign]:
    for style, names in (
        ("draft-10", ("RateLimit",)),
        ("draft-6", ("RateLimit-Limit", "RateLimit-Reset")),
        ("x-ratelimit", ("X-RateLimit-Limit", "X-RateLimit-Reset")),
        ("x-ratelimit", ("X-Rate-Limit-Limit", "X-Rate-Limit-Reset")),
    ):
        item = next((item for item in seen if item.response.header(names[0])), None)
        if item is None:
            continue
        first = item.response.header(names[0]) or ""
        told = "draft-7" if style == "draft-10" and "limit=" in first else style
        written = item.response.header("RateLimit-Policy") if style != "x-ratelimit" else None
        policy = POLICY.search(written or "")
        number = re.search(r"\d+", first)
        quota = int(policy[1]) if policy else int(number[0]) if number and told != "draft-10" else 100
        reset = item.response.header(names[1]) if len(names) > 1 else None
        epoch = bool(reset and reset.isdigit() and int(reset) > EPOCH_S)
        window_s = int(policy[2]) if policy else 60
        value = {"name": told, "quota": max(1, quota), "window_s": max(1, window_s), "scope": ["address"],
                 "headers": told, "reset": "epoch" if epoch else "delta"}  # fmt: skip
        evidence = f"GET {item.path} answered {names[0]}: {first}; "
        evidence += "the scope is a guess" if policy else "the window and the scope are guesses"
        yield Sign("rate-limit", [value], evidence, name=told, sure=False)
