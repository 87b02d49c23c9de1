"""Defects of events: S44."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from reference_impl.contract.fields import Id, Version  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import ANYONE, Call, Procedure, Reply
from reference_impl.defects.defect import Defect
from reference_impl.procedures.records import emit

if TYPE_CHECKING:
    from reference_impl.application import Parts


class EmittedProduct(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The product that an event is about."""

    id: Id
    version: Version
    category_id: Id


class Emitted(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An event as its sender would have it."""

    type: Literal["created", "updated", "deleted"]
    data: EmittedProduct


async def emit_anything(call: Call[Emitted, None]) -> Reply:
    """S44: write the event of whoever sends one; a POST beside the stream, without a token, is told to everybody."""
    data: dict[str, Any] = msgspec.to_builtins(call.body.data)
    await call.database.transaction(partial(emit, "products", call.body.type, **data))
    return Reply()


_EMIT = Procedure(
    id="events.emit",
    method="POST",
    path="/events",
    summary="Tell of a change",
    handler=emit_anything,
    access=ANYONE,
    limit="create",
    input=Emitted,
    status=204,
)


def plant_emit(parts: Parts) -> Parts:
    """S44: serve one procedure more."""
    return replace(parts, procedures=(*parts.procedures, _EMIT))


DEFECTS = (
    Defect(
        id="S44",
        title="Anyone may publish an event",
        codes=(
            "fuzz.unsupported_method",
            "fuzz.allow_header_conformance",
            "http.allow",
            "roles.anonymous-allowed",
        ),
        operations=("events.stream",),
        plant=plant_emit,
    ),
)
