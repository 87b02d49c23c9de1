"""Walks a list page by page, and gathers a walk again from the exchanges that a history holds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Steps, one
from harness.exchange import Outcome
from harness.promises.paging import names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.contract import Operation
    from harness.exchange import Exchange
    from harness.identities import Identity
    from harness.promises.paging import Paging, Query
    from harness.stage import Stage

MAX_PAGES = 12
WALK = "walk"


@dataclass(frozen=True, slots=True)
class Walk:
    """The pages of one walk in their order; `place` points to an item's id."""

    paging: Paging
    place: str
    pages: tuple[Exchange, ...] = ()

    @property
    def items(self) -> list[Any]:
        """Every item, in the order in which it was shown."""
        return [item for page in self.pages for item in self.paging.items_of(page) or ()]

    @property
    def names(self) -> list[str]:
        """The id of every item that has one, in the order in which it was shown."""
        return names_of(self.items, self.place)

    @property
    def totals(self) -> list[int]:
        """What each page says of the total, those that say it."""
        return [total for page in self.pages if (total := self.paging.total_of(page)) is not None]

    @property
    def answered(self) -> bool:
        """Whether every page is a list."""
        return bool(self.pages) and all(self.paging.items_of(page) is not None for page in self.pages)

    @property
    def whole(self) -> bool:
        """Whether the walk came to the end of the list."""
        return self.answered and ended(self.paging, self.pages)

    @property
    def told(self) -> Mapping[str, str]:
        """The parameters of its first request that are not its paging's own."""
        own = {self.paging.page, self.paging.offset, self.paging.size, self.paging.cursor}
        query = self.pages[0].request.query if self.pages else ()
        return {name: value for name, value in query if name not in own}


@dataclass(frozen=True, slots=True)
class Way:
    """Who walks which list: `path` names what it lies under, `extra` is asked beside the paging."""

    operation: Operation
    paging: Paging
    identity: Identity
    place: str
    path: Mapping[str, str] = field(default_factory=dict)
    extra: Query = ()

    def narrowed(self, *extra: tuple[str, str]) -> Way:
        """The same with further parameters; one of the same name gives way."""
        names = {name for name, _ in extra}
        return replace(self, extra=(*(pair for pair in self.extra if pair[0] not in names), *extra))


def walk(  # noqa: PLR0913 - the parts of a walk, all by name
    stage: Stage,
    way: Way,
    *,
    label: Callable[[int], str],
    size: int | None,
    most: int = MAX_PAGES,
    until: Callable[[Walk], bool] = lambda _walk: False,
    between: Callable[[int], Steps[None]] | None = None,
) -> Steps[Walk]:
    """Reads pages until the list ends, the bound is met or `until` says so; a page's step is its `label`.

    `between` is done after each page but the last.
    """
    walked = Walk(way.paging, way.place)
    for number in range(most):
        before = walked.pages[-1] if walked.pages else None
        paging = way.paging.query(number, len(walked.items), size, before)
        if paging is None:
            break
        request = yield from things.valid(stage, way.operation, identity=way.identity, path=way.path)
        told = {name for name, _ in (*way.extra, *paging)}
        query = (*(pair for pair in request.query if pair[0] not in told), *way.extra, *paging)
        page = yield from one(replace(request, query=tuple(dict(query).items()), step=label(number + 1)))
        seen = set(walked.names)
        walked = replace(walked, pages=(*walked.pages, page))
        items = way.paging.items_of(page)
        if items is None or ended(way.paging, walked.pages) or until(walked):
            break
        if set(names_of(items, way.place)) <= seen:
            break  # the paging parameters are not what they are taken for
        if between is not None:
            yield from between(number)
    return walked


def ended(paging: Paging, pages: Sequence[Exchange]) -> bool:
    """Whether the list goes on no further after these pages.

    Only an empty page ends a list that tells no total and no next page, as a server may give fewer items than it was
    asked for; a cursor of which nobody knows where it is told may well be told.
    """
    if not pages:
        return False
    last = paging.items_of(pages[-1]) or []
    if paging.single or not last:
        return True
    if paging.leads or not paging.style:
        return paging.leads and not paging.next_of(pages[-1])
    total, size = paging.total_of(pages[-1]), paging.size_of(pages[-1])
    received = sum(len(paging.items_of(page) or ()) for page in pages)
    return total is not None and received >= total and (paging.counts if size is None else len(last) < size)


def unended(walked: Walk) -> str:
    """Why a walk whose pages are lists did not come to the list's end, and what would help."""
    if walked.paging.style == "cursor" and not walked.paging.leads:
        return "where an answer tells the next cursor is not known: write members.next under x-promises.page"
    return f"it did not end within {MAX_PAGES} pages, or its paging is not what its parameters show"


def labelled(name: str) -> Callable[[int], str]:
    """The steps of a walk of that name: walk|name|page."""
    return lambda number: f"{WALK}|{name}|{number}"


def walks(exchanges: Iterable[Exchange], paging: Paging, place: str) -> dict[str, Walk]:
    """The walks that exchanges hold, by name."""
    found: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        parts = exchange.request.step.split("|")
        if parts[0] == WALK:
            found[parts[1]].append(exchange)
    return {name: Walk(paging, place, tuple(pages)) for name, pages in found.items()}


def unanswered(walked: Walk) -> str:
    """Why a walk tells nothing; empty where every page is a list."""
    for page in walked.pages:
        if page.outcome is Outcome.UNKNOWN or walked.paging.items_of(page) is None:
            return f"{page.operation} gave {page.status or page.error or 'no answer'} and no list"
    return "" if walked.pages else "no page was asked for"
