"""Defects of what admins read and write, and of empty changes: D1b, D6a, D6b, D6c, D6d, D7a, D7b."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

import msgspec
import uuid_utils

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import ADMIN, Call, Reply
from reference_impl.data.database import DatabaseError, Statement
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import ApiError
from reference_impl.procedures.admin import list_audit
from reference_impl.procedures.categories import Category, CategoryInput
from reference_impl.procedures.post_writes import publish
from reference_impl.procedures.records import audit
from reference_impl.procedures.tenant_settings import TenantSettings, TenantSettingsPatch, get_settings, update_settings
from reference_impl.procedures.users import set_roles

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.data.database import Body, Transaction
    from reference_impl.procedures.admin_types import AuditQuery
    from reference_impl.procedures.post_types import Post
    from reference_impl.procedures.records import Steps
    from reference_impl.procedures.user_types import UserRoles

_INSERT = "INSERT INTO categories (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)"


async def create_audited_wrongly(call: Call[CategoryInput, None]) -> Reply:
    """D6a: actor and subject are swapped; the audit log of a new category is found under its maker's id."""
    now = rfc3339(time.time())
    category = Category(str(uuid_utils.uuid7()), call.body.name, now, now)
    try:
        await call.database.transaction(partial(_insert, call.identity.user_id, category))
    except DatabaseError as error:
        raise (ApiError("CONFLICT", "A category has this name.") if error.category == "unique" else error) from error
    return Reply(category, (call.location(f"/categories/{category.id}"),))


def _insert(actor_id: str, category: Category) -> Steps:
    yield Statement(_INSERT, (category.id, category.name, category.created_at, category.updated_at))
    yield from audit(category.id, "categories.create", actor_id, name=category.name)


async def publish_untold(call: Call[None, None]) -> Reply:
    """D6c: the entry was written by another route once; what publishes a post now leaves none."""
    return Reply(await call.database.transaction(partial(_untold, partial(publish, call.identity, call.path["id"]))))


def _untold(body: Body[Post]) -> Transaction[Post]:
    """The transaction without what it writes to the audit log."""
    steps, rows = body(), None
    while True:
        try:
            statement = next(steps) if rows is None else steps.send(rows)
        except StopIteration as done:
            return cast("Post", done.value)
        rows = [] if "audit_log" in statement.sql else (yield statement)


async def set_roles_as_the_user(call: Call[UserRoles, None]) -> Reply:
    """D6d: the id of the path is taken for the caller's; whoever got a role is told as who gave it."""
    return await set_roles(replace(call, caller=replace(call.identity, user_id=call.path["id"])))


async def list_by_one_filter(call: Call[None, AuditQuery]) -> Reply:
    """D6b: the second filter stands behind an `elif`; with an action told, actor and subject filter nothing."""
    query = call.query
    if query.action:
        query = msgspec.structs.replace(query, actor_id="", subject_id="")
    return await list_audit(replace(call, query=query))


class HeldSettings:
    """D7b: settings are read once a process and kept by no tenant's name; one tenant's shop is told another's name."""

    def __init__(self) -> None:
        self._held: TenantSettings | None = None

    async def get(self, call: Call[None, None]) -> Reply:
        """Return the settings that were read first."""
        if self._held is None:
            self._held = (await get_settings(call)).value
        return Reply(self._held)

    async def update(self, call: Call[TenantSettingsPatch, None]) -> Reply:
        """Change some settings and hold them."""
        reply = await update_settings(call)
        self._held = reply.value
        return reply


def plant_held(parts: Parts) -> Parts:
    """D7b: use the settings that are held."""
    held = HeldSettings()
    return changed("settings.update", handler=held.update)(changed("settings.get", handler=held.get)(parts))


DEFECTS = (
    Defect(
        id="D1b",
        title="A change of a user that changes nothing is taken",
        codes=("schema.invalid-input-accepted",),
        operations=("users.update",),
        plant=changed("users.update", partial=False),
    ),
    Defect(
        id="D6a",
        title="The audit log swaps who made a category and which it is",
        codes=("page.missing", "filter.missing", "filter.unfit", "trail.missing", "trail.actor"),
        operations=("admin.audit",),
        plant=changed("categories.create", handler=create_audited_wrongly),
    ),
    Defect(
        id="D6b",
        title="The audit log heeds one filter alone",
        codes=("filter.unfit", "filter.total"),
        operations=("admin.audit",),
        plant=changed("admin.audit", handler=list_by_one_filter),
    ),
    Defect(
        id="D6c",
        title="The audit log has no entry of a publish",
        codes=("trail.missing",),
        operations=("admin.audit",),
        plant=changed("posts.publish", handler=publish_untold),
    ),
    Defect(
        id="D6d",
        title="The audit log tells who got a role as who gave it",
        codes=("trail.actor",),
        operations=("admin.audit",),
        plant=changed("users.roles", handler=set_roles_as_the_user),
    ),
    Defect(
        id="D7a",
        title="Who may not see the settings is told 403, not 404",
        codes=("roles.status",),
        operations=("settings.get",),
        plant=changed("settings.get", access=ADMIN),
    ),
    Defect(
        id="D7b",
        title="Settings are held for all tenants together",
        codes=("tenant.canary", "cache.crossed", "resource.update-lost"),
        operations=("settings.get",),
        plant=plant_held,
    ),
)
