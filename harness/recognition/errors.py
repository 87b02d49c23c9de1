"""What all answers share, as the document tells it: the error body, headers, limits, and the tenant's header."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.contract.operation import is_json
from harness.contract.parse import followed
from harness.recognition.sign import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Contract

TENANT = re.compile(r"x-(?:tenant|org|organi[sz]ation|workspace|account)(?:-?id)?|tenant(?:-?id)?", re.IGNORECASE)
LIMIT = re.compile(r"(x-)?rate-?limit(?:-limit)?", re.IGNORECASE)
LEAST_STATUSES = 2
EVERY = frozenset({"content-type", "content-length", "date", "vary", "connection"})


def signs(contract: Contract) -> Iterator[Sign]:
    """The envelope, the headers of every answer, limits and the tenant's header, those that are not told already."""
    if "envelope" not in contract.defaults:
        yield from _envelope(contract)
    if "headers" not in contract.defaults:
        yield from _headers(contract)
    if "tenant" not in contract.defaults:
        yield from _tenant(contract)


def _envelope(contract: Contract) -> Iterator[Sign]:
    """The one schema of all documented errors, where several statuses have it; else those that there are, to choose."""
    seen: Counter[str] = Counter()
    statuses: dict[str, set[str]] = {}
    bare = 0
    for operation in contract.operations:
        for answer in operation.answers:
            if answer.status[:1] not in {"4", "5"} and answer.status != "default":
                continue
            bodies = [body for body in answer.bodies if is_json(body.media_type) and body.schema]
            bare += not bodies
            for body in bodies:
                seen[body.pointer if body.pointer.startswith("/components/") else json.dumps(body.schema)] += 1
                key = body.pointer if body.pointer.startswith("/components/") else json.dumps(body.schema)
                statuses.setdefault(key, set()).add(answer.status)
    if not seen:
        return
    key, count = seen.most_common(1)[0]
    told = sorted(statuses[key])
    schema: Any = {"$ref": f"#{key}"} if key.startswith("/components/") else json.loads(key)
    wide = len(told) >= LEAST_STATUSES or "default" in told
    evidence = f"{count} of {sum(seen.values())} documented errors ({', '.join(told)}) have this schema"
    evidence += f", {bare} tell none" if bare else ""
    evidence += "" if wide and len(seen) == 1 else "; what others look like the document leaves open"
    yield Sign("envelope", {"schema": schema}, evidence, sure=wide and len(seen) == 1)


def _headers(contract: Contract) -> Iterator[Sign]:
    """Headers that every documented answer requires."""
    every = [answer for operation in contract.operations for answer in operation.answers]
    common = set.intersection(*(set(answer.required_headers) for answer in every)) if every else set()
    rules: dict[str, Any] = {}
    for name in every[0].required_headers if every else ():
        if name in common and name.lower() not in EVERY:
            at = dict(every[0].header_pointers).get(name, "")
            schema = followed(contract.document, at, pointer.get(contract.document, at))[1] if at else {}
            known = schema if isinstance(schema, dict) else {}
            rules[name] = {key: known[key] for key in ("const", "pattern") if key in known}
    if rules:
        yield Sign("headers", rules, f"each of {len(every)} documented answers requires them")


def _tenant(contract: Contract) -> Iterator[Sign]:
    found = Counter(
        parameter.name
        for operation in contract.operations
        for parameter in operation.parameters
        if parameter.place == "header" and TENANT.fullmatch(parameter.name)
    )
    for name, count in found.most_common(1):
        evidence = f"{count} operations take the header {name}; it needs [identities.tenants] in harness.toml"
        yield Sign("tenant", {"told": [{"in": "header", "name": name}]}, evidence, sure=False)
    info = contract.document.get("info")
    text = str(info.get("description", "")) if isinstance(info, dict) else ""
    named = next((word for word in re.findall(r"[\w-]+", text) if "-" in word and TENANT.fullmatch(word)), "")
    if named and not found:
        evidence = f"the document's description speaks of {named}; it needs [identities.tenants] in harness.toml"
        yield Sign("tenant", {"told": [{"in": "header", "name": named}]}, evidence, sure=False)


def limit_headers(contract: Contract) -> dict[str, int]:
    """The headers of limits that the document tells, with the number of operations whose answers have them."""
    found: Counter[str] = Counter()
    for operation in contract.operations:
        told = {name for answer in operation.answers for name, _ in answer.header_pointers}
        found.update(name for name in told if LIMIT.fullmatch(name))
    return dict(found)
