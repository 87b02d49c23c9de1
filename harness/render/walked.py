"""What the pages of a list must hold, as lines of Python over things that the sequence makes (see assertion.py)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.render.asked import status
from harness.render.listing import identity, items
from harness.render.rule import LACKING, Unstated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.render.asked import Asked
    from harness.render.stated import Stated

PAGES = re.compile(r"(\d+) pages?\b")
BOUND = re.compile(r"where (\d+) (?:were|are)")
AFTER = re.compile(r"^The page after (\d+) things")
SIZE = re.compile(r"holds (\d+)\.$")
ASCENDING = "ascending"


def _pages(asked: Asked, name: str = "") -> list[int]:
    """The steps that are pages of a walk: of the first, or of the one of that name."""
    found: dict[str, list[int]] = {}
    for number, step in enumerate(asked.steps):
        parts = str(step["step"]).split("|")
        if parts[0] == "walk":
            found.setdefault(parts[1], []).append(number)
    pages = found.get(name, []) if name else next(iter(found.values()), [])
    if not pages:
        raise Unstated(LACKING)
    first = {tuple(pair) for pair in asked.steps[pages[0]]["query"]}
    told = [pair for number in pages[1:] for pair in asked.steps[number]["query"] if tuple(pair) not in first]
    if any(not str(value).isdigit() for _, value in told):
        raise Unstated("each page is named by the page before, which no recorded request can tell")
    return pages


def _whole(asked: Asked) -> list[int]:
    """The pages of a walk that its sequence holds to the end."""
    pages, told = _pages(asked), PAGES.findall(asked.finding.seen)
    if told and int(told[-1]) != len(pages):
        raise Unstated("its walk has more pages than its sequence holds")
    return pages


def _planted(asked: Asked, before: int) -> list[str]:
    """The ids of what was made before a step, as expressions; Unstated where nothing was."""
    made = [n for n, step in enumerate(asked.steps[:before]) if str(step["step"]).startswith("planted|")]
    if not made:
        raise Unstated("it is told by things that were made for its list, which its sequence does not hold")
    return [f"str({asked.id_of(number)})" for number in made]


def _at(asked: Asked) -> str:
    """Where the list has its items, and an item its id."""
    return f"{items(asked.contract, asked.operation)!r}, {identity(asked.contract, asked.operation)!r}"


def _names(asked: Asked, pages: Sequence[int]) -> str:
    return f"[name for page in {list(pages)!r} for name in names(answers[page], {_at(asked)})]"


def _held(number: int, test: str) -> str:
    return f"check(answers[{number}], lambda answer: {test})"


def _missing(asked: Asked) -> list[str]:
    """What was made before the walk is on one of its pages."""
    pages = _whole(asked)
    there = ", ".join(_planted(asked, pages[0]))
    return [
        f"shown = {_names(asked, pages)}",
        _held(pages[-1], f"{{{there}}} <= set(shown)"),
    ]


def _once(asked: Asked) -> list[str]:
    """What was made is on one page, and on one only."""
    pages = _whole(asked)
    there = ", ".join(_planted(asked, pages[0]))
    least = "== 1" if asked.finding.code == "sort.pages" else "<= 1"
    return [
        f"shown = {_names(asked, pages)}",
        _held(pages[-1], f"all(shown.count(name) {least} for name in [{there}])"),
    ]


def _same_order(asked: Asked) -> list[str]:
    """Two walks show what was made in one order, as far as both came."""
    walks = list(dict.fromkeys(str(step["step"]).split("|")[1] for step in asked.steps if _is_page(step)))
    if not walks[1:]:
        raise Unstated(LACKING)
    one, two = (_pages(asked, name) for name in walks[:2])
    there = ", ".join(_planted(asked, one[0]))
    return [
        f"made = {{{there}}}",
        f"one = [name for name in {_names(asked, one)} if name in made]",
        f"two = [name for name in {_names(asked, two)} if name in made]",
        _held(two[-1], "one[: len(two)] == two[: len(one)]"),
    ]


def _is_page(step: Mapping[str, Any]) -> bool:
    return str(step["step"]).startswith("walk|")


def _total(asked: Asked) -> str:
    told = asked.contract.promise("page", asked.operation)
    place = told.get("members", {}).get("total") if isinstance(told, dict) else None
    return f"total(answer, {place!r})"


def _counts(asked: Asked) -> list[str]:
    """The total is what the pages hold; the number of pages is the total by the size."""
    place, seen = items(asked.contract, asked.operation), asked.finding.seen
    after = AFTER.search(seen)
    if asked.finding.kind == "pages":
        told, page = asked.contract.promise("page", asked.operation), _pages(asked)[0]
        size = re.search(r"a size of (\d+)", seen)
        if size is None or not isinstance(told, dict) or not told.get("members", {}).get("pages"):
            raise Unstated("the contract says no more where its number of pages stands")
        test = f"answer.told({told['members']['pages']!r}) == -(-{_total(asked)} // {size[1]})"
        return [_held(page, f"{test} or {_total(asked)} == 0")]
    if after is not None:
        page = _pages(asked)[-1]
        shown = f"len(listed(answer, {place!r}))"
        return [_held(page, f"not {shown} or {_total(asked)} >= {after[1]} + {shown}")]
    pages = _whole(asked)
    count = f"sum(len(listed(answers[page], {place!r})) for page in {pages!r})"
    return [_held(pages[0], f"{_total(asked)} == {count}")]


def _size(asked: Asked) -> list[str]:
    """A page holds what was asked for at most, and the default where none was."""
    place, page = items(asked.contract, asked.operation), _pages(asked)[-1]
    shown = f"len(listed(answer, {place!r}))"
    bound, least = BOUND.search(asked.finding.seen), SIZE.search(asked.finding.promised)
    if bound is not None:
        return [_held(page, f"{shown} <= {bound[1]}")]
    if least is None:
        raise Unstated("its finding does not say how much a page holds")
    return [_held(page, f"{shown} >= min({least[1]}, {_total(asked)})")]


def _past(asked: Asked) -> list[str]:
    """A page past the end is empty, or has the promised status."""
    told, number = asked.contract.promise("page", asked.operation), asked.word("past")
    past = told.get("past", 0) if isinstance(told, dict) else 0
    if isinstance(past, int) and past:
        return [status(number, f"== {past}")]
    return [
        f"clear(answers[{number}], [])",
        _held(number, f"answer.at({items(asked.contract, asked.operation)!r}) == []"),
    ]


def _ordered(asked: Asked) -> list[str]:
    """Each item stands after the one before it in the order that was asked for."""
    key, _, direction = asked.finding.kind.rpartition(" ")
    told, pages = asked.contract.promise("sort", asked.operation), _pages(asked)
    if not isinstance(told, dict) or key not in told["keys"]:
        raise Unstated("the contract promises this order no more")
    place = items(asked.contract, asked.operation)
    value = f"next(values(item, {told['keys'][key]!r}), None)"
    found = f"[{value} for page in {pages!r} for item in listed(answers[page], {place!r})]"
    return [f"shown = {found}", _held(pages[-1], f"sorted_so(shown, {direction != ASCENDING})")]


def _asked_for(asked: Asked) -> list[str]:
    """What a thing shows can be looked for."""
    page = _pages(asked)[-1]
    return [f"clear(answers[{page}], [401, 403])", status(page, "not in (400, 404, 422)")]


def _unseen(asked: Asked) -> list[str]:
    """What was made is not found by a text of its that the list does not show the caller."""
    page = _pages(asked)[-1]
    there = ", ".join(_planted(asked, page))
    return [f"shown = {_names(asked, [page])}", _held(page, f"not {{{there}}} & set(shown)")]


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "page.missing": _missing,
    **dict.fromkeys(("page.duplicate", "sort.pages"), _once),
    **dict.fromkeys(("page.order", "sort.ties"), _same_order),
    **dict.fromkeys(("page.total", "filter.total"), _counts),
    "page.size": _size,
    "page.past-end": _past,
    "sort.order": _ordered,
    "filter.refused": _asked_for,
    "filter.hidden": _unseen,
}
