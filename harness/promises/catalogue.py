"""Every promise that the harness knows, in the order in which a report shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.promises import (
    bulk,
    cache,
    cookie,
    cors,
    credentials,
    delete,
    envelope,
    headers,
    http,
    idempotency,
    key,
    leaks,
    ledger,
    objective,
    owner,
    page,
    rate_limit,
    resource,
    roles,
    schema,
    sort,
    tenant,
    trail,
    transports,
    upload,
    version,
    writes,
)
from harness.promises import (
    filter as filters,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.promise import Promise

PROMISES: tuple[Promise, ...] = (
    schema.PROMISE,
    envelope.PROMISE,
    headers.PROMISE,
    http.PROMISE,
    cors.PROMISE,
    leaks.PROMISE,
    roles.PROMISE,
    transports.PROMISE,
    credentials.PROMISE,
    cookie.PROMISE,
    key.PROMISE,
    owner.PROMISE,
    tenant.PROMISE,
    resource.PROMISE,
    version.PROMISE,
    writes.PROMISE,
    bulk.PROMISE,
    upload.PROMISE,
    delete.PROMISE,
    trail.PROMISE,
    page.PROMISE,
    filters.PROMISE,
    sort.PROMISE,
    cache.PROMISE,
    rate_limit.PROMISE,
    ledger.PROMISE,
    idempotency.PROMISE,
    objective.PROMISE,
)
BY_KEY = {promise.key: promise for promise in PROMISES}
OUTSIDE = {promise.key for promise in PROMISES if promise.outside}
STANDING = tuple(promise for promise in PROMISES if promise.standing or promise.watches)


def as_documented(exchange: Exchange) -> bool:
    """Whether an exchange is in the document's wire form: not what a case sent by another transport."""
    return bool(exchange.operation) or exchange.case.partition("/")[0] not in OUTSIDE


def promised(contract: Contract) -> Iterator[tuple[Promise, Operation]]:
    """Every promise × operation that the contract has and that cases or standing judgements examine."""
    for operation in contract.operations:
        for promise in PROMISES:
            if promise.applies(contract, operation):
                yield promise, operation


def declared(contract: Contract, key: str, operation: Operation) -> bool:
    """Whether the contract itself says it, so that not examining it is worth an exit code.

    What stands on the document binds an operation that can show it: an objective one that a journey sends (it is
    declared only where the operation says so itself), an envelope one that documents an error, a resource its own.
    """
    if key == objective.KEY:
        return bool(operation.promises.get(key))
    if contract.promise(key, operation) is None:
        return False
    if key == resource.PROMISE.key:
        return any(told.declared and operation.id in told.operations for told in contract.resources)
    if key == envelope.KEY and operation.promises.get(key) is None:
        return any(not answer.status.startswith(("1", "2", "3")) for answer in operation.answers)
    return True
