"""The standing promise that every answer carries the declared headers, and none that is declared absent."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from harness.promises.misfit import MASKED
from harness.promises.promise import Promise
from harness.promises.sightings import Sight, Sightings, asked, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Response
    from harness.verdict import Verdict

KEY = "headers"


def applies(contract: Contract, operation: Operation) -> bool:
    """Where headers are declared for the operation, or for the document and not switched off."""
    return isinstance(contract.promise(KEY, operation), dict)


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Whether each answer of the operation, of any status, has its headers as declared."""
    promised: Mapping[str, Any] = contract.promise(KEY, operation) or {}
    sightings = Sightings(KEY, operation.id)
    examined = 0
    for exchange in exchanges:
        if exchange.response is None or exchange.operation != operation.id:
            continue
        examined += 1
        for sight in _sights(promised, exchange, exchange.response):
            sightings.add(sight, exchange)
    return sightings.verdict(examined, "no call of the operation was answered")


def _sights(promised: Mapping[str, Any], exchange: Exchange, response: Response) -> Iterator[Sight]:
    sent: dict[str, list[str]] = {}
    for name, value in response.headers:
        sent.setdefault(name.lower(), []).append(value)
    for name, rule in promised.items():
        values = sent.get(name.lower())
        place = f"{asked(exchange)} was answered {response.status}"
        if rule.get("absent") is True:
            if values:
                yield Sight(
                    "headers.forbidden",
                    name.lower(),
                    f"no answer carries {name}",
                    f"{place} with {name}: {shown(values[0])}",
                )
        elif not values:
            yield Sight("headers.missing", name.lower(), f"every answer carries {name}", f"{place} without it")
        else:
            wrong = next((value for value in values if not _fits(rule, value)), None)
            if wrong is not None:
                yield Sight(
                    "headers.value",
                    name.lower(),
                    f"{name} {_told(rule)} on every answer",
                    f"{place} with {name}: {shown(wrong)}",
                )


def _fits(rule: Mapping[str, Any], value: str) -> bool:
    if MASKED in value:
        return True
    if "const" in rule:
        return bool(value.strip() == rule["const"])
    return "pattern" not in rule or _matcher(rule["pattern"]).is_valid(value.strip())


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> jsonschema_rs.Draft202012Validator:
    """The pattern as JSON Schema reads it (ECMA-262), since it stands in a JSON document."""
    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


def _told(rule: Mapping[str, Any]) -> str:
    return f"is {rule['const']!r}" if "const" in rule else f"matches {rule['pattern']}"


def _only(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: schema}, "additionalProperties": False}


_RULE = {
    "oneOf": [
        {"type": "object", "maxProperties": 0},
        _only("pattern", {"type": "string", "format": "regex"}),
        _only("const", {"type": "string"}),
        _only("absent", {"const": True}),
    ]
}

PROMISE = Promise(
    key=KEY,
    annotation={"type": "object", "minProperties": 1, "additionalProperties": _RULE},
    applies=applies,
    judge=judge,
)
