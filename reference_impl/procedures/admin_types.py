"""What admins are shown: counts of the tenant and its audit log."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reference_impl.contract.fields import NO_NUL, Count, Limit, Offset, Time
from reference_impl.price import Price  # noqa: TC001 - msgspec reads annotations
from reference_impl.procedures.paging import Pagination  # noqa: TC001 - msgspec reads annotations

Word = Annotated[str, Meta(max_length=100, pattern=NO_NUL, examples=["products.create"])]

Subject = Annotated[Word, Meta(examples=["01980000-0000-7000-8000-000000000000"])]


class Stats(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Exact counts at one moment; deleted things count for none, `revenue` is the sum of orders not cancelled."""

    users: Count
    suspended_users: Count
    categories: Count
    products: Count
    reviews: Count
    placed_orders: Count
    cancelled_orders: Count
    published_posts: Count
    drafts: Count
    revenue: Annotated[Price, Meta(extra_json_schema={"maximum": 9_007_199_254_740_991})]


class AuditQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which entries; empty filters nothing."""

    limit: Limit = 20
    offset: Offset = 0
    action: Annotated[Word, Meta(description="Those of one operation.")] = ""
    actor_id: Annotated[Subject, Meta(description="What one user did.")] = ""
    subject_id: Annotated[Subject, Meta(description="What was done to one thing.")] = ""


class AuditEntry(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Who did what to which thing; ids increase in the order of writing."""

    id: Count
    at: Time
    actor_id: Subject
    action: Word
    subject_id: Subject
    details: dict[str, Any]


class AuditPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of the audit log, newest first."""

    data: list[AuditEntry]
    pagination: Pagination
