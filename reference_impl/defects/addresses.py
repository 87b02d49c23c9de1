"""Defects of the client's address: S02."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import EVERY_OPERATION, Defect

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.settings.reader import Network


def address_as_told(peer: str, forwarded_for: str | None, proxies: tuple[Network, ...]) -> str:  # noqa: ARG001 - the defect
    """S02: believe X-Forwarded-For of anyone; a new value with each request never meets the limit."""
    return forwarded_for or peer


def plant_told(parts: Parts) -> Parts:
    """S02: use the address that a client tells."""
    return replace(parts, address=address_as_told)


DEFECTS = (
    Defect(
        id="S02",
        title="Limits count the raw X-Forwarded-For",
        codes=("rate-limit.overshoot",),
        operations=EVERY_OPERATION,
        plant=plant_told,
    ),
)
