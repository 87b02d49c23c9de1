"""The tenant's own settings: read and written by its admins, not there for others."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.clock import rfc3339
from reference_impl.contract.fields import Name, Stock
from reference_impl.contract.procedure import HIDDEN, Call, Procedure, Reply
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.procedures.records import audit

if TYPE_CHECKING:
    from reference_impl.identity.tokens import Identity

_ALL = "SELECT name, value FROM tenant_settings"
_WRITE = (
    "INSERT INTO tenant_settings (name, value, updated_at, updated_by) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, "
    "updated_by = excluded.updated_by"
)
ShopName = Annotated[Name, Meta(examples=["Bowls of Ada"])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["EUR"])]


class TenantSettings(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What the shop is called, the currency beside its prices, and from which stock on a product is nearly gone."""

    shop_name: ShopName = "Shop"
    currency: Currency = "EUR"
    low_stock_threshold: Stock = 5


class TenantSettingsPatch(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What changes; at least one member."""

    shop_name: ShopName | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    low_stock_threshold: Stock | UnsetType = UNSET


def settings_of(rows: list[Row]) -> TenantSettings:
    """Return rows (name, value in JSON); what was never written has its default, what is no more is left out."""
    told = {name: msgspec.json.decode(value) for name, value in rows}
    return TenantSettings(**{name: told[name] for name in TenantSettings.__struct_fields__ if name in told})


async def get_settings(call: Call[None, None]) -> Reply:
    """Return all settings."""
    return Reply(settings_of(await call.database.query(_ALL)))


async def update_settings(call: Call[TenantSettingsPatch, None]) -> Reply:
    """Change some settings."""
    return Reply(await call.database.transaction(partial(_write, call.identity, call.body)))


def _write(identity: Identity, body: TenantSettingsPatch) -> Transaction[TenantSettings]:
    now = rfc3339(time.time())
    told = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    for name, value in sorted(told.items()):
        yield Statement(_WRITE, (name, msgspec.json.encode(value).decode(), now, identity.user_id))
    yield from audit(identity.user_id, "settings.update", "settings", **told)
    return settings_of((yield Statement(_ALL)))


PROCEDURES = (
    Procedure(
        id="settings.get",
        method="GET",
        path="/settings",
        summary="The tenant's settings",
        handler=get_settings,
        access=HIDDEN,
        limit="get",
        output=TenantSettings,
    ),
    Procedure(
        id="settings.update",
        method="PATCH",
        path="/settings",
        summary="Change the tenant's settings",
        handler=update_settings,
        access=HIDDEN,
        limit="update",
        input=TenantSettingsPatch,
        partial=True,
        output=TenantSettings,
    ),
)
