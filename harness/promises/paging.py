"""How a list is paged: as `x-promises.page` says, else as the names of its parameters show it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from harness.contract import pointer
from harness.contract.resource import items_member
from harness.contract.shape import flattened
from harness.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.contract.operation import Parameter
    from harness.exchange import Exchange

KEY = "page"
HEADER = "header:"
# The likelier name first: a list may take `since` for what changed after an instant beside the token of its pages.
PAGES = ("page", "pagenumber")
OFFSETS = ("offset", "skip")
SIZES = ("limit", "perpage", "pagesize", "size", "take")
CURSORS = ("cursor", "pagetoken", "nexttoken", "startingafter", "marker", "token", "after", "before", "since")
# How an answer's schema names the cursor of the next page, where nothing declares it.
NEXTS = ("nextcursor", "nexttoken", "nextpagetoken", "nextmarker", "next")
TOTALS = {"total", "totalcount", "totalitems"}
MAX_SIZE = 100
REFUSED = (400, 422)
LINK = re.compile(r"<([^>]*)>([^<]*)")
RELATION = re.compile(r"""\brel\s*=\s*"?([^";,]+)""", re.IGNORECASE)
Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Paging:
    """The parameters that page a list, empty where it has none, and where an answer shows what.

    `style` is page, offset, cursor, link, or empty where none is known. `items`, `pages` and `next` are JSON pointers
    into an answer, `next` may be `header:Name`; `total` is one too, or None where totals are known by their names.
    `least`, `most` and `default` bound the size. `past` is the status of a page past the end, 0 where that is an empty
    page; `capped` says that a size over the most is served as the most.
    """

    style: str = ""
    page: str = ""
    first: int = 1
    offset: str = ""
    size: str = ""
    cursor: str = ""
    items: str = ""
    total: str | None = None
    pages: str = ""
    next: str = ""
    least: int | None = None
    most: int | None = None
    default: int | None = None
    past: int = 0
    capped: bool = False
    refused: tuple[int, ...] = REFUSED

    @property
    def largest(self) -> int:
        """The size to ask for where a whole list is wanted."""
        return MAX_SIZE if self.most is None else min(MAX_SIZE, self.most)

    @property
    def single(self) -> bool:
        """Whether one request gives the whole list."""
        return not (self.style or self.size)

    @property
    def leads(self) -> bool:
        """Whether it is known where an answer says how the next page is asked for."""
        return self.style == "link" or (self.style == "cursor" and bool(self.next))

    @property
    def counts(self) -> bool:
        """Whether a page is named by a number or by how many go before it."""
        return bool(self.page or self.offset)

    def query(self, number: int, received: int, size: int | None, before: Exchange | None = None) -> Query | None:
        """The parameters of the page of that number, counted from 0, after so many items and the page before it.

        None where there is no further page, or where nothing says how it is asked for.
        """
        sized: Query = ((self.size, str(size)),) if self.size and size is not None else ()
        if number == 0 and not self.counts:
            return sized
        if self.page:
            return ((self.page, str(self.first + number)), *sized)
        if self.offset:
            return ((self.offset, str(received)), *sized)
        return self._following(before, sized)

    def _following(self, before: Exchange | None, sized: Query) -> Query | None:
        told = self.next_of(before)
        if not told:
            return None
        if self.style == "link" or told.startswith(("http://", "https://", "/", "?")):
            return tuple(parse_qsl(urlsplit(told).query, keep_blank_values=True))
        return ((self.cursor, told), *sized) if self.cursor else None

    def next_of(self, exchange: Exchange | None) -> str:
        """The cursor or the address of the next page that an answer tells; empty where it tells none."""
        if not self.leads or exchange is None or exchange.response is None:
            return ""
        if self.style == "link":
            return linked(exchange)
        if self.next.startswith(HEADER):
            return exchange.response.header(self.next.removeprefix(HEADER)) or ""
        return _text(self._at(exchange, self.next))

    def items_of(self, exchange: Exchange | None) -> list[Any] | None:
        """The items of a page; None where the answer shows no list."""
        items = self._at(exchange, self.items)
        return items if isinstance(items, list) else None

    def total_of(self, exchange: Exchange | None) -> int | None:
        """How many items the answer says that there are; None where it does not."""
        if self.total is not None:
            return _count(self._at(exchange, self.total))
        return named_total(_body(exchange))

    def pages_of(self, exchange: Exchange | None) -> int | None:
        """How many pages the answer says that there are; None where it does not."""
        return _count(self._at(exchange, self.pages)) if self.pages else None

    def size_of(self, exchange: Exchange) -> int | None:
        """The size that a request asked for; the default where it asked for none, None where none is known."""
        asked = dict(exchange.request.query).get(self.size, "") if self.size else ""
        return int(asked) if asked.isdigit() else self.default

    def _at(self, exchange: Exchange | None, place: str) -> Any:
        return pointer.get(_body(exchange), place)


def paging(contract: Contract, operation: Operation) -> Paging:
    """How an operation pages its list: what is declared, and what names and schemas show beside it."""
    told: Mapping[str, Any] = contract.promise(KEY, operation) or {}
    names, members, bounds = (told.get(part, {}) for part in ("parameters", "members", "bounds"))
    queries = {item.name: item for item in operation.parameters if item.place == "query"}
    known = (("page", PAGES), ("offset", OFFSETS), ("cursor", CURSORS))
    page, offset, cursor = (_named(queries, names, part, words) for part, words in known)
    style = told.get("style") or ("page" if page else "offset" if offset else "cursor" if cursor else "")
    size = _named(queries, names, "limit", SIZES)
    schema = contract.schema(queries[size].schema) if size in queries else {}
    resource = contract.resource_of(operation.id)
    return Paging(
        style=style,
        page=page if style == "page" else "",
        first=told.get("first", _first(queries.get(page))),
        offset=offset if style == "offset" else "",
        size=size,
        cursor=cursor if style == "cursor" else "",
        items=members.get("items", resource.items if resource else items_member(operation)),
        total=members.get("total"),
        pages=members.get("pages", ""),
        next=members.get("next") or (_next_member(contract, operation) if style == "cursor" else ""),
        least=_count(bounds.get("min", schema.get("minimum"))),
        most=_count(bounds.get("max", schema.get("maximum"))),
        default=_count(bounds.get("default", schema.get("default"))),
        past=told.get("past", 0) if told.get("past") != "empty" else 0,
        capped=told.get("over") == "capped",
        refused=tuple(told.get("refused", REFUSED)),
    )


def plain(name: str) -> str:
    """A name without case and signs: `pageSize`, `page_size` and `page-size` are one."""
    return "".join(character for character in name.lower() if character.isalnum())


def linked(exchange: Exchange | None) -> str:
    """Where the answer's Link header leads on (RFC 8288, rel="next"); empty where it does not."""
    if exchange is None or exchange.response is None:
        return ""
    lines = ",".join(value for name, value in exchange.response.headers if name.lower() == "link")
    for target, parameters in LINK.findall(lines):
        relations = RELATION.search(parameters)
        if relations and "next" in relations[1].lower().split():
            return str(target)
    return ""


def names_of(items: Any, place: str) -> list[str]:
    """The ids of a list's members, those that have one; a place deep in an answer stands at its last name in a list."""
    last = f"/{place.rpartition('/')[2]}"
    found = []
    for item in items if isinstance(items, list) else ():
        value = pointer.get(item, place)
        value = pointer.get(item, last) if value is pointer.MISSING else value
        found += [str(value)] if isinstance(value, str | int) else []
    return found


def named_total(body: Any) -> int | None:
    """The total of a body in which a member is named so."""
    if not isinstance(body, dict):
        return None
    for place, value in pointer.leaves({key: member for key, member in body.items() if not isinstance(member, list)}):
        if plain(pointer.tokens(place)[-1]) in TOTALS and isinstance(value, int):
            return value
    return None


def _named(queries: Mapping[str, Parameter], told: Mapping[str, str], part: str, words: Sequence[str]) -> str:
    return told.get(part) or next((name for word in words for name in queries if plain(name) == word), "")


def _next_member(contract: Contract, operation: Operation) -> str:
    """The pointer of the one text by the name of a next cursor in an answer, or in an object of it; else empty."""
    answer = operation.success()
    schema = flattened(contract, answer.bodies[0].schema) if answer and answer.bodies else {}
    found: dict[str, list[str]] = {}
    for name, member in (schema.get("properties") or {}).items():
        below = flattened(contract, member).get("properties") or {}
        places = {f"/{pointer.escape(name)}": (name, member)}
        places |= {f"/{pointer.escape(name)}/{pointer.escape(key)}": (key, each) for key, each in below.items()}
        for place, (last, each) in places.items():
            kinds = flattened(contract, each).get("type")
            if "string" in (kinds if isinstance(kinds, list) else [kinds]):
                found.setdefault(plain(last), []).append(place)
    named = next((found[name] for name in NEXTS if name in found), [])
    return named[0] if len(named) == 1 else ""


def _first(page: Parameter | None) -> int:
    first = next((page.schema[key] for key in ("default", "minimum") if page and key in page.schema), 1)
    return first if isinstance(first, int) else 1


def _body(exchange: Exchange | None) -> Any:
    if exchange is None or exchange.response is None or exchange.outcome is not Outcome.OK:
        return None
    return exchange.response.json()


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole else int(value) if isinstance(value, float) and value.is_integer() else None


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
