"""Defects of lists: S04, S05, S36, S52, and L01 to L07, which the seeds do not have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.contract.fields import Id  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import Row, Statement, Transaction
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import not_found
from reference_impl.procedures.paging import Pagination, pages_of
from reference_impl.procedures.product_types import Percent, ProductItem, ProductPage, ProductQuery, item_of
from reference_impl.procedures.products import filtered, page_text
from reference_impl.procedures.user_types import COLUMNS, UserPage, UserQuery, user_of
from reference_impl.procedures.user_writes import may_see

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.application import Parts

Condition = tuple[str, tuple[Any, ...]]
_COLUMNS = {"price": "price_cents", "createdAt": "created_at"}
_PEOPLE = "FROM users WHERE deleted_at IS NULL AND (search_text LIKE ? OR lower(email) LIKE ?)"


def _shift(_query: ProductQuery) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Listing:
    """The list of products with one of its parts wrong: its condition, what is counted, where a page begins, the order.

    `text` is the statement of a page by condition, column and direction.
    """

    condition: Callable[[ProductQuery], Condition] = filtered
    counted: Callable[[ProductQuery], Condition] | None = None
    shift: Callable[[ProductQuery], int] = _shift
    text: Callable[[str, str, str], str] = page_text
    pages: Callable[[int, int], int] = pages_of
    arranged: Callable[[list[ProductItem], ProductQuery], list[ProductItem]] = lambda items, _query: items

    async def __call__(self, call: Call[None, ProductQuery]) -> Reply:
        """Answer one page."""
        query = call.query
        rows, total = await call.database.read(partial(self._page, query))
        items = self.arranged([item_of(row, []) for row in rows], query)
        return Reply(ProductPage(items, total, query.page, self.pages(total, query.limit)))

    def _page(self, query: ProductQuery) -> Transaction[tuple[list[Row], int]]:
        where, values = self.condition(query)
        text = self.text(where, _COLUMNS[query.sort_by], query.sort_order)
        offset = (query.page - 1) * query.limit + self.shift(query)
        rows = yield Statement(text, (*values, query.limit, offset))
        where, values = (self.counted or self.condition)(query)
        count = yield Statement(f"SELECT COUNT(*) FROM products WHERE {where}", values)  # noqa: S608 - constants only
        return rows, count[0][0]


def _null(query: ProductQuery) -> Condition:
    where, values = filtered(query)
    return where.replace("IS NULL", "= NULL"), values


def _all(_query: ProductQuery) -> Condition:
    return filtered(ProductQuery())


def _exclusive(query: ProductQuery) -> Condition:
    where, values = filtered(query)
    return where.replace("price_cents >= ?", "price_cents > ?"), values


def _as_text(query: ProductQuery) -> Condition:
    where, values = filtered(query)
    return where.replace("price_cents >= ?", "CAST(price_cents AS TEXT) >= CAST(? AS TEXT)"), values


def _text_order(where: str, column: str, order: str) -> str:
    return page_text(where, f"CAST({column} AS TEXT)", order).replace("p.CAST(", "CAST(p.")


def _untied(where: str, column: str, order: str) -> str:
    return page_text(where, column, order).replace(f", id {order}", ", random()").replace(f", p.id {order}", "")


def _newest(where: str, _column: str, order: str) -> str:
    del order
    return page_text(where, "created_at", "desc")


def _by_price(items: list[ProductItem], query: ProductQuery) -> list[ProductItem]:
    if query.sort_by != "price":
        return items
    return sorted(items, key=lambda item: item.price.cents, reverse=query.sort_order == "desc")


async def never_found(call: Call[None, None]) -> Reply:
    """S04: look for a product whose `deletedAt = NULL`, which is true of none."""
    await call.database.query("SELECT id FROM products WHERE id = ? AND deleted_at = NULL", call.path["id"])
    raise not_found("product")


async def search_by_pattern(call: Call[None, UserQuery]) -> Reply:
    """S36: take what is looked for as a pattern."""
    query = call.query
    pattern = f"%{query.search.casefold()}%"
    rows, total = await call.database.read(partial(_people, pattern, query))
    users = [user_of(row, whole=may_see(call.identity, row[0])) for row in rows]
    return Reply(UserPage(users, Pagination(total, query.limit, query.offset)))


def _people(pattern: str, query: UserQuery) -> Transaction[tuple[list[Row], int]]:
    order = "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
    rows = yield Statement(f"SELECT {COLUMNS} {_PEOPLE} {order}", (pattern, pattern, query.limit, query.offset))
    count = yield Statement(f"SELECT COUNT(*) {_PEOPLE}", (pattern, pattern))
    return rows, count[0][0]


class UnboundedBatch(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S52: as many ids as a client names."""

    ids: list[Id]
    category_id: Id | msgspec.UnsetType = msgspec.UNSET
    discount: Percent | msgspec.UnsetType = msgspec.UNSET


def _never_listed(parts: Parts) -> Parts:
    listed = changed("products.list", handler=Listing(condition=_null))(parts)
    return changed("products.get", handler=never_found)(listed)


_LIST = ("products.list",)


def _listed(name: str, title: str, codes: tuple[str, ...], **wrong: Any) -> Defect:
    return Defect(name, title, codes, _LIST, changed("products.list", handler=Listing(**wrong)))


DEFECTS = (
    Defect(
        id="S04",
        title="`deletedAt = NULL`: no product is listed and none found",
        codes=("page.missing", "filter.missing", "sort.pages", "resource.create-not-readable", "resource.not-listed"),
        operations=("products.list", "products.create", "products.get"),
        plant=_never_listed,
    ),
    _listed("S05", "The total counts without the filters", ("page.total", "filter.total"), counted=_all),
    Defect(
        id="S36",
        title="`%` and `_` in a search are wildcards",
        codes=("filter.unfit",),
        operations=("users.list",),
        plant=changed("users.list", handler=search_by_pattern),
    ),
    Defect(
        id="S52",
        title="A batch takes more ids than its bound",
        codes=("schema.invalid-input-accepted",),
        operations=("products.batchUpdate",),
        plant=changed("products.batchUpdate", input=UnboundedBatch),
    ),
    _listed(
        "L01",
        "Each page but the first begins one too late",
        ("page.missing", "page.order", "sort.pages", "resource.not-listed"),
        shift=lambda query: 1 if query.page > 1 else 0,
    ),
    _listed("L02", "The number of pages is rounded down", ("page.total",), pages=lambda total, limit: total // limit),
    _listed("L03", "A least price leaves out what costs just that", ("filter.missing",), condition=_exclusive),
    _listed("L04", "A least price is compared as text", ("filter.missing", "filter.unfit"), condition=_as_text),
    _listed("L05", "Prices are sorted as texts", ("sort.order",), text=_text_order),
    _listed("L06", "Equal prices come in any order", ("page.missing", "page.duplicate", "page.order", "sort.pages",
            "sort.ties"), text=_untied),
    _listed("L07", "Each page is sorted by itself", ("sort.order",), text=_newest, arranged=_by_price),
)  # fmt: skip
