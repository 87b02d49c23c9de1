"""The explicit list of planted defects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.defects import (
    access,
    addresses,
    browsers,
    bulk,
    caches,
    categories,
    checkout,
    deletes,
    envelope,
    events,
    faults,
    headers,
    idempotency,
    keys,
    limits,
    lists,
    orders,
    origins,
    owners,
    people,
    pictures,
    products,
    protocol,
    records,
    roles,
    stock,
    suspensions,
    tenants,
    tokens,
    told_tenants,
    users,
    values,
    versions,
    windows,
    workers,
    zones,
)

if TYPE_CHECKING:
    from reference_impl.defects.defect import Defect

DEFECTS: tuple[Defect, ...] = (
    *products.DEFECTS,
    *lists.DEFECTS,
    *deletes.DEFECTS,
    *envelope.DEFECTS,
    *orders.DEFECTS,
    *limits.DEFECTS,
    *users.DEFECTS,
    *people.DEFECTS,
    *workers.DEFECTS,
    *zones.DEFECTS,
    *idempotency.DEFECTS,
    *access.DEFECTS,
    *tenants.DEFECTS,
    *addresses.DEFECTS,
    *bulk.DEFECTS,
    *events.DEFECTS,
    *faults.DEFECTS,
    *origins.DEFECTS,
    *pictures.DEFECTS,
    *stock.DEFECTS,
    *tokens.DEFECTS,
    *suspensions.DEFECTS,
    *windows.DEFECTS,
    *headers.DEFECTS,
    *keys.DEFECTS,
    *browsers.DEFECTS,
    *owners.DEFECTS,
    *roles.DEFECTS,
    *categories.DEFECTS,
    *checkout.DEFECTS,
    *records.DEFECTS,
    *values.DEFECTS,
    *versions.DEFECTS,
    *told_tenants.DEFECTS,
    *protocol.DEFECTS,
    *caches.DEFECTS,
)


def named(defect_id: str) -> Defect:
    """Return a defect; ValueError naming the known ones when there is none of this id."""
    for defect in DEFECTS:
        if defect.id == defect_id:
            return defect
    raise ValueError(f"{defect_id!r} is no defect: choose one of {', '.join(defect.id for defect in DEFECTS)}.")
