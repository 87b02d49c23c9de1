"""Defects of cross-origin requests: S01, S50."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.edge.cors import Cors, allowing

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.contract.procedure import Headers


class FirstOrigin(Cors):
    """S01: an origin that may not is told of the first that may; a preflight from anywhere shows one."""

    def _allowed(self, origin: str) -> Headers | None:
        if not origin:
            return None
        return super()._allowed(origin) or next(iter(self._told.values()), None)


class AnyOrigin(Cors):
    """S50: every origin may, with credentials; any answer shows `*`."""

    def _allowed(self, origin: str) -> Headers | None:  # noqa: ARG002 - the defect
        return allowing("*")


def plant_first(parts: Parts) -> Parts:
    """S01: use the origins with a first one for all."""
    return replace(parts, cors=FirstOrigin)


def plant_any(parts: Parts) -> Parts:
    """S50: use the origins without a list."""
    return replace(parts, cors=AnyOrigin)


_CODES = ("cors.foreign-origin", "cors.any-origin", "cors.refused")

DEFECTS = (
    Defect(
        id="S01",
        title="A foreign origin is answered with the first allowed one",
        codes=_CODES,
        operations=EVERY_OPERATION,
        plant=plant_first,
    ),
    Defect(
        id="S50",
        title="Any origin may read, with credentials in use",
        codes=_CODES,
        operations=EVERY_OPERATION,
        plant=plant_any,
    ),
)
