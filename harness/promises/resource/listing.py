"""Walks a listing page by page, to find one thing in it or to have seen the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Steps, one
from harness.contract import pointer
from harness.promises.resource.steps import ids, step
from harness.promises.subject import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Operation
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage

PAGES = {"page", "pagenumber"}
OFFSETS = {"offset", "skip"}
SIZES = {"limit", "perpage", "pagesize", "size", "take"}
CURSORS = {"cursor", "after", "before", "pagetoken", "startingafter", "marker", "since"}
TOTALS = {"total", "totalcount", "totalitems"}
MAX_PAGES = 12
MAX_SIZE = 100


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk came: the page on which the thing was, 0 where it was on none; `whole` says that all was seen."""

    page: int
    whole: bool


@dataclass(frozen=True, slots=True)
class _Style:
    """The names of the parameters that page a listing, empty where it has none, and the size that is asked for."""

    page: str = ""
    first: int = 1
    offset: str = ""
    size: str = ""
    asked: int = MAX_SIZE
    cursor: bool = False

    def query(self, number: int, received: int) -> dict[str, str]:
        """The paging parameters of the page of that number, counted from 0, after so many items."""
        found = {self.page: self.first + number, self.offset: received, self.size: self.asked}
        return {name: str(value) for name, value in found.items() if name}

    @property
    def single(self) -> bool:
        """Whether one request gives the whole list."""
        return not (self.page or self.offset or self.size or self.cursor)


def walk(stage: Stage, subject: Subject, identity: Identity, word: str, *, pages: int = MAX_PAGES) -> Steps[Walk]:
    """Reads pages until the subject is on one, the list ends or the bound is met; a request's step is word|id|page."""
    operation = stage.contract.by_id[subject.resource.list]
    style = _style(operation)
    seen: set[str] = set()
    received = 0
    for number in range(pages):
        request = yield from things.valid(stage, operation, identity=identity, path=_shared_path(operation, subject))
        paging = style.query(number, received)
        query = (*(pair for pair in request.query if pair[0] not in paging), *paging.items())
        exchange = yield from one(replace(request, query=query, step=step(word, subject.id, number + 1)))
        items = pointer.get(shown(exchange), subject.resource.items)
        found = ids(items, subject.resource.id)
        if subject.id in found:
            return Walk(number + 1, whole=False)
        if not isinstance(items, list) or len(found) < len(items):
            return Walk(0, whole=False)  # no list, or items that tell no id, so that none can be missed
        received += len(items)
        fresh, seen = found - seen, seen | found
        whole = _ended(style, _total(exchange.response.json() if exchange.response else None), len(seen), items)
        if whole is not None:
            return Walk(0, whole=whole)
        if not fresh:
            break  # the paging parameters are not what they are taken for
    return Walk(0, whole=False)


def _ended(style: _Style, total: int | None, seen: int, items: list[Any]) -> bool | None:
    """Whether the walk is at its end having seen all (True) or not knowing (False); None where it goes on."""
    if total is not None and seen >= total:
        return True
    if not (style.page or style.offset):
        return style.single and total is None
    return total is None if not items else None


def _shared_path(operation: Operation, subject: Subject) -> Mapping[str, str]:
    return {item.name: subject.path[item.name] for item in operation.path_parameters if item.name in subject.path}


def _style(operation: Operation) -> _Style:
    queries = {_plain(item.name): item for item in operation.parameters if item.place == "query"}
    page = next((queries[name] for name in PAGES if name in queries), None)
    offset = next((queries[name] for name in OFFSETS if name in queries), None)
    size = next((queries[name] for name in SIZES if name in queries), None)
    first = next((page.schema[key] for key in ("default", "minimum") if page and key in page.schema), 1)
    most = size.schema.get("maximum") if size else None
    return _Style(
        page=page.name if page else "",
        first=first if isinstance(first, int) else 1,
        offset=offset.name if offset and not page else "",
        size=size.name if size else "",
        asked=min(MAX_SIZE, int(most)) if isinstance(most, int | float) else MAX_SIZE,
        cursor=bool(CURSORS & set(queries)),
    )


def _total(body: Any) -> int | None:
    if not isinstance(body, dict):
        return None
    for place, value in pointer.leaves({key: member for key, member in body.items() if not isinstance(member, list)}):
        if _plain(pointer.tokens(place)[-1]) in TOTALS and isinstance(value, int):
            return value
    return None


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
