"""How a person sees a finding again by hand: curl lines, and the one command that does it on fresh data."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.exchange import Exchange, Request
from harness.identities import ANONYMOUS, Identity
from harness.render.curl import curl, variables
from harness.render.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.finding import Finding
    from harness.report import Report

BODY_LIMIT = 2_000
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One curl command and what is to be known of it: who sends it and what was answered."""

    comment: str
    command: str


@dataclass(frozen=True, slots=True)
class Script:
    """Commands in order, the shell variables they need with what each holds, and how many lines were left out."""

    lines: tuple[Line, ...]
    variables: tuple[tuple[str, str], ...] = ()
    left_out: int = 0


def replay(finding: Finding) -> str:
    """The command that sends it again on fresh data and says FIXED, STILL FAILS or CANNOT TELL."""
    return f"harness replay {finding.fingerprint}"


def seen(finding: Finding, report: Report) -> tuple[Exchange, ...]:
    """The finding's witnesses that the report holds, in the order in which they were sent."""
    found = [report.exchanges[name] for name in dict.fromkeys(finding.witnesses) if name in report.exchanges]
    return tuple(sorted(found, key=lambda exchange: exchange.sent_ns))


def script(finding: Finding, report: Report, most: int = MOST_LINES) -> Script:
    """The finding's sequence as at most so many curl lines; its witnesses as they were sent, where none was cut."""
    steps = finding.reproduction.steps
    return _of_steps(steps, finding, report, most) if steps else _of_witnesses(seen(finding, report), report, most)


def _of_witnesses(exchanges: Sequence[Exchange], report: Report, most: int) -> Script:
    lines = [
        Line(
            _comment(exchange.request, exchange.status),
            curl(exchange.request, report.target.url, body_limit=BODY_LIMIT, broken=True),
        )
        for exchange in exchanges[:most]
    ]
    return Script(tuple(lines), _variables(lines, {}), max(0, len(exchanges) - most))


def _of_steps(steps: Sequence[Mapping[str, Any]], finding: Finding, report: Report, most: int) -> Script:
    """The steps of harness/sequence.py: a value that an earlier step tells is a variable named after it."""
    proofs = {exchange.request.identity.name: _proof(exchange.request) for exchange in seen(finding, report)}
    lines, told = [], {}
    for step in steps[:most]:
        known = {}
        for value, reference in step.get("references", {}).items():
            name = _variable(reference)
            known[value] = name
            told[name] = f"{_place(reference['place'])} of the answer to line {reference['step'] + 1}"
        request = _request(step, proofs)
        command = curl(request, report.target.url, known=known, body_limit=BODY_LIMIT, broken=True)
        lines.append(Line(_comment(request, step.get("status", 0)), command))
    return Script(tuple(lines), _variables(lines, told), max(0, len(steps) - most))


def _request(step: Mapping[str, Any], proofs: Mapping[str, tuple[tuple[str, str], ...]]) -> Request:
    name, body = step["identity"]["name"], step["body"]
    headers = tuple((key, value) for key, value in step["headers"])
    request = Request(
        method=step["method"],
        path=step["path"],
        operation=step["operation"],
        query=tuple((key, value) for key, value in step["query"]),
        headers=headers,
        body=None if body is None else body.encode("utf-8", "surrogateescape"),
        identity=Identity(name),
        step=step.get("step", ""),
    )
    if name == ANONYMOUS.name:
        return request
    own = {key.lower() for key, _ in headers}
    proof = proofs.get(name, (("Authorization", "Bearer [masked]"),))
    return replace(request, headers=(*(pair for pair in proof if pair[0].lower() not in own), *headers))


def _proof(request: Request) -> tuple[tuple[str, str], ...]:
    """The headers that prove an identity, as the record shows them."""
    return tuple(pair for pair in request.headers if "[masked" in pair[1])


def _comment(request: Request, status: int) -> str:
    who = one_line(request.identity.name)
    what = f"{one_line(request.step)}, as {who}" if request.step else f"as {who}"
    return f"{what}: {status or 'no answer'}"


def _variable(reference: Mapping[str, Any]) -> str:
    word = re.sub(r"[^A-Z0-9]+", "_", str(reference["place"]).removeprefix("header:").upper()).strip("_")
    return f"LINE{reference['step'] + 1}_{word or 'BODY'}"


def _place(place: str) -> str:
    return f"header {place.removeprefix('header:')}" if place.startswith("header:") else f"{place or 'the whole'}"


def _variables(lines: Sequence[Line], told: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    needed = dict.fromkeys(name for line in lines for name in variables(line.command))
    return tuple((name, told.get(name, "a secret, masked in the history")) for name in needed)
