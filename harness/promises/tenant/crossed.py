"""Which marks of one tenant stand in answers of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import canary
from harness.contract import pointer
from harness.exchange import Outcome
from harness.promises.tenant.planting import PLANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract
    from harness.exchange import Exchange

LEAST = 8
READS = frozenset({"GET", "HEAD", "OPTIONS"})


def crossed(contract: Contract, exchanges: Sequence[Exchange]) -> Iterator[tuple[Exchange, str, Exchange | None]]:
    """Each answer that shows another tenant's mark: the first such mark, and where it was planted if known.

    What the request itself sent is an echo, but for a mark in an item of a list: items must be of the tenant's own.
    A mark that a case has written into a tenant itself, as with a key that is tried in two, is no other's there.
    """
    carried = {
        (exchange.request.identity.tenant, mark)
        for exchange in exchanges
        if exchange.request.method not in READS
        for mark in canary.foreign(_sent(exchange), exchange.request.identity.tenant)
    }
    plants = [exchange for exchange in exchanges if exchange.request.step.startswith(f"{PLANT}:")]
    told = {value: plant for plant in reversed(plants) for value in _values(contract, plant)}
    for exchange in exchanges:
        tenant = exchange.request.identity.tenant
        if not tenant or exchange.response is None:
            continue
        shown, sent = _shown(exchange), _sent(exchange)
        for mark in canary.foreign(shown, tenant):
            if mark not in sent and (tenant, mark) not in carried:
                yield exchange, mark, None
                break
        else:
            for value, plant in told.items():
                if plant.request.identity.tenant == tenant or value not in shown:
                    continue
                if value not in sent or (value in plant.request.step and _listed(exchange, value)):
                    yield exchange, value, plant
                    break


def _values(contract: Contract, plant: Exchange) -> list[str]:
    """What tells a plant: the mark in its texts, and its id where nobody could guess it."""
    found = [plant.request.step.partition(":")[2]]
    body = plant.response.json() if plant.response and plant.outcome is Outcome.OK else None
    for resource in contract.resources:
        name = pointer.get(body, resource.id) if plant.operation in {resource.create, resource.read} else None
        if isinstance(name, str) and len(name) >= LEAST and not name.isdigit():
            found.append(name.lower())
    return found


def _shown(exchange: Exchange) -> str:
    assert exchange.response is not None, "only what was answered shows anything"
    headers = " ".join(value for _, value in exchange.response.headers)
    return f"{exchange.response.body.decode('utf-8', 'replace')} {headers}".lower()


def _sent(exchange: Exchange) -> str:
    request = exchange.request
    parts = [request.path, *(value for _, value in request.query), *(value for _, value in request.headers)]
    parts += [value for _, value in request.identity.headers]
    return f"{' '.join(parts)} {(request.body or b'').decode('utf-8', 'replace')}".lower()


def _listed(exchange: Exchange, value: str) -> bool:
    """Whether the value stands in an item of a successful answer's list."""
    if exchange.response is None or exchange.outcome is not Outcome.OK:
        return False
    return any(
        isinstance(leaf, str) and value in leaf.lower() and any(token.isdigit() for token in pointer.tokens(at))
        for at, leaf in pointer.leaves(exchange.response.json())
    )
