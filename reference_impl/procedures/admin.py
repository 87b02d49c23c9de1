"""For admins: exact counts of the tenant, and the audit log, which only grows."""

from __future__ import annotations

from functools import partial

import msgspec

from reference_impl.contract.procedure import ADMIN, Call, Procedure, Reply
from reference_impl.price import Price
from reference_impl.procedures.admin_types import AuditEntry, AuditPage, AuditQuery, Stats
from reference_impl.procedures.paging import BY_OFFSET, Pagination, Slice, page

# Whole tables less what is few of them: both are counted without reading rows, and revenue from its index alone.
STATS = (
    "SELECT (SELECT COUNT(*) FROM users) - (SELECT COUNT(*) FROM users WHERE deleted_at IS NOT NULL), "
    "(SELECT COUNT(*) FROM users WHERE deleted_at IS NULL AND status = 'suspended'), "
    "(SELECT COUNT(*) FROM categories), "
    "(SELECT COUNT(*) FROM products) - (SELECT COUNT(*) FROM products WHERE deleted_at IS NOT NULL), "
    "(SELECT COUNT(*) FROM reviews) - (SELECT COUNT(*) FROM reviews WHERE product_id IN "
    "(SELECT id FROM products WHERE deleted_at IS NOT NULL)), "
    "placed.orders, "
    "(SELECT COUNT(*) FROM orders WHERE status = 'cancelled'), "
    "(SELECT COUNT(*) FROM posts WHERE deleted_at IS NULL AND published_at IS NOT NULL), "
    "(SELECT COUNT(*) FROM posts WHERE deleted_at IS NULL AND published_at IS NULL) - "
    # CROSS JOIN keeps SQLite to this order: from deleted users to their drafts.
    "(SELECT COUNT(*) FROM users u CROSS JOIN posts p "
    "WHERE u.deleted_at IS NOT NULL AND p.author_id = u.id AND p.deleted_at IS NULL AND p.published_at IS NULL), "
    "placed.cents "
    "FROM (SELECT COUNT(*) AS orders, coalesce(SUM(total_cents), 0) AS cents FROM orders "
    "WHERE status = 'placed') placed"
)
_ENTRY = "id, at, actor_id, action, subject_id, details"
_NAMES = Stats.__struct_fields__[:-1]
_FILTERS = ("action", "actor_id", "subject_id")


async def stats(call: Call[None, None]) -> Reply:
    """Count everything at one moment."""
    (row,) = await call.database.query(STATS)
    return Reply(Stats(**dict(zip(_NAMES, row[:-1], strict=True)), revenue=Price(int(row[-1]))))


async def list_audit(call: Call[None, AuditQuery]) -> Reply:
    """Return one page of the audit log."""
    query = call.query
    told = {name: getattr(query, name) for name in _FILTERS if getattr(query, name)}
    where = " AND ".join(f"{name} = ?" for name in told)
    source = "FROM audit_log" + (f" WHERE {where}" if where else "")
    part = Slice(query.limit, query.offset)
    rows, total = await call.database.read(partial(page, _ENTRY, source, "id DESC", tuple(told.values()), part))
    entries = [AuditEntry(row[0], row[1], row[2], row[3], row[4], msgspec.json.decode(row[5])) for row in rows]
    return Reply(AuditPage(entries, Pagination(total, query.limit, query.offset)))


# Each under its own name. A batch has an entry a product that it changes, and the settings are no thing with an id.
_TOLD_OF = (
    *("categories.create", "categories.update", "categories.delete"),
    *("products.create", "products.update", "products.delete", "products.uploadImage"),
    *("orders.create", "orders.cancel", "reviews.create", "keys.create", "keys.delete"),
    *("posts.create", "posts.update", "posts.publish", "posts.delete"),
    *("users.create", "users.update", "users.roles", "users.delete", "settings.update"),
)

PROCEDURES = (
    Procedure(
        id="admin.stats",
        method="GET",
        path="/admin/stats",
        summary="Exact counts of the tenant",
        handler=stats,
        access=ADMIN,
        limit="get",
        output=Stats,
    ),
    Procedure(
        id="admin.audit",
        method="GET",
        path="/admin/audit",
        summary="A page of the audit log",
        handler=list_audit,
        access=ADMIN,
        limit="list",
        query=AuditQuery,
        output=AuditPage,
        promises={
            "page": {**BY_OFFSET, "resource": "category", "id": "/subjectId"},
            "filter": {
                "parameters": {
                    "action": {"operator": "equals", "members": ["/action"]},
                    "actorId": {"operator": "equals", "members": ["/actorId"], "maker": True},
                    "subjectId": {"operator": "equals", "members": ["/subjectId"]},
                }
            },
            "sort": {"keys": {"id": "/id"}, "default": {"key": "id", "direction": "descending"}},
            "trail": {
                "actor": "/actorId",
                "action": "/action",
                "subject": "/subjectId",
                "of": [{"operation": name, "action": name} for name in _TOLD_OF],
            },
        },
    ),
)
