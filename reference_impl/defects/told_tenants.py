"""Defects of where a tenant is told and which there are: E1b, E1c."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.data.sqlite_tenants import SqliteTenants
from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.edge.tenancy import Tenancy

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.data.sqlite import SqliteDatabase
    from reference_impl.edge.exchange import Exchange
    from reference_impl.settings import Settings


class PathFirst(Tenancy):
    """E1b: a path's prefix wins over the header, where the first that is told is promised to; both told show it."""

    def _told(self, exchange: Exchange, prefixed: str) -> str:
        return prefixed or super()._told(exchange, prefixed)


def plant_path(parts: Parts) -> Parts:
    """E1b: use the other order."""
    return replace(parts, tenancy=PathFirst)


class FallingBack(SqliteTenants):
    """E1c: a tenant that is not there is the default one; a made-up name lists its products."""

    default = ""

    async def get(self, name: str) -> SqliteDatabase | None:
        """Return a tenant's database, or the default one's."""
        return await super().get(name) or await super().get(self.default)


def plant_default(parts: Parts) -> Parts:
    """E1c: use the tenants that fall back."""

    def falling_back(settings: Settings, pragmas: tuple[str, ...]) -> FallingBack:
        tenants = FallingBack(settings.storage, pragmas)
        tenants.default = settings.edge.default_tenant
        return tenants

    return replace(parts, tenants=falling_back)


DEFECTS = (
    Defect(
        id="E1b",
        title="A path's tenant wins over the header's",
        codes=("tenant.told",),
        operations=EVERY_OPERATION,
        plant=plant_path,
    ),
    Defect(
        id="E1c",
        title="An unknown tenant is the default one",
        codes=("tenant.unknown", "tenant.status", "tenant.told"),
        operations=EVERY_OPERATION,
        plant=plant_default,
    ),
)
