"""The explicit list of what this API serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.procedures import (
    accounts,
    admin,
    bulk,
    categories,
    keys,
    orders,
    posts,
    product_batch,
    product_images,
    products,
    reviews,
    sessions,
    streams,
    tenant_settings,
    tickets,
    users,
)

if TYPE_CHECKING:
    from reference_impl.contract.procedure import Procedure

PROCEDURES: tuple[Procedure, ...] = (
    *accounts.PROCEDURES,
    *sessions.PROCEDURES,
    *keys.PROCEDURES,
    *bulk.PROCEDURES,
    *users.PROCEDURES,
    *categories.PROCEDURES,
    *product_batch.PROCEDURES,
    *products.PROCEDURES,
    *product_images.PROCEDURES,
    *reviews.PROCEDURES,
    *orders.PROCEDURES,
    *posts.PROCEDURES,
    *admin.PROCEDURES,
    *tenant_settings.PROCEDURES,
    *streams.PROCEDURES,
    *tickets.PROCEDURES,
)
