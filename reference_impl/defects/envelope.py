"""The defect of the error body: S23."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.edge.answers import envelope

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.edge.exchange import Exchange
    from reference_impl.errors import ApiError

_GROUP = "/api/v1/orders"


def two_shapes(error: ApiError, exchange: Exchange) -> Any:
    """S23: one route group answers errors as a bare text."""
    if exchange.route.startswith(_GROUP):
        return {"error": error.message}
    return envelope(error, exchange)


def plant_shapes(parts: Parts) -> Parts:
    """S23: use the renderer with two shapes."""
    return replace(parts, envelope=two_shapes)


DEFECTS = (
    Defect(
        id="S23",
        title="Orders answer errors in another shape",
        codes=("envelope.shape", "schema.body"),
        operations=tuple(operation for operation in EVERY_OPERATION if operation.startswith("orders.")),
        plant=plant_shapes,
    ),
)
