"""What an answer about many items tells of them, read at the places that its operation declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COUNTS = ("done", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many items an answer tells as of one kind, and which; `names` is None where it does not tell that."""

    count: int
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list of results tells of one item; MISSING where it tells nothing."""

    index: Any
    thing: Any
    error: Any

    @property
    def made(self) -> bool:
        """Whether it shows a thing."""
        return self.thing is not pointer.MISSING and self.thing is not None

    @property
    def wrong(self) -> bool:
        """Whether it says why not."""
        return self.error is not pointer.MISSING and bool(self.error)


@dataclass(frozen=True, slots=True)
class Account:
    """An answer as it accounts for its items; `lacking` are the places at which it has not what was declared."""

    tallies: Mapping[str, Tally] = field(default_factory=dict)
    entries: tuple[Entry, ...] | None = None
    lacking: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether it says how many were done and how many failed."""
        return {"done", "failed"} <= set(self.tallies)

    @property
    def total(self) -> int:
        """How many items its counts tell of."""
        return sum(tally.count for tally in self.tallies.values())

    def shown(self) -> str:
        """The counts as they are told."""
        return ", ".join(f"{name} {tally.count}" for name, tally in self.tallies.items())


def read(told: Mapping[str, Any], body: Any, sent: Sequence[Any], id_place: str = "") -> Account:
    """The account of an answer to the items that were sent; `id_place` is where a thing of theirs has its id."""
    tallies, lacking = {}, []
    for name in COUNTS:
        if name in told:
            tally = _tally(name, pointer.get(body, told[name]), sent, told.get("index", ""), id_place)
            if tally is not None:
                tallies[name] = tally
            elif name != "skipped":
                lacking.append(told[name])
    entries = None
    if "results" in told:
        found = pointer.get(body, told["results"])
        if isinstance(found, list):
            entries = tuple(
                Entry(*(_at(item, told.get(name)) for name in ("index", "thing", "error"))) for item in found
            )
        else:
            lacking.append(told["results"])
    return Account(tallies, entries, tuple(lacking))


def made_ids(told: Mapping[str, Any], account: Account, id_place: str) -> Iterator[str]:
    """The id of each thing that is told as made, once."""
    things = [entry.thing for entry in account.entries or () if entry.made and not entry.wrong]
    found = [name for name in (_name(thing, id_place) for thing in things) if name]
    if "thing" not in told and "done" in account.tallies:
        found = list(account.tallies["done"].names or ())
    yield from dict.fromkeys(found)


def _tally(name: str, value: Any, sent: Sequence[Any], index_place: str, id_place: str) -> Tally | None:
    """A count, or a list; of one item several errors may be told, which are one where they have its id or index."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Tally(value)
    if not isinstance(value, list):
        return None
    indices = [_index(item, index_place, len(sent)) for item in value]
    names = [
        _name(item, id_place) or ("" if index is None else _name(sent[index], ""))
        for item, index in zip(value, indices, strict=True)
    ]
    keys = [known or index for known, index in zip(names, indices, strict=True)]
    if name == "failed" and all(isinstance(item, dict) for item in value) and not {None, ""} & set(keys):
        return Tally(len(set(keys)), tuple(dict.fromkeys(names)) if all(names) else None)
    return Tally(len(value), tuple(names) if all(names) else None)


def _name(item: Any, id_place: str) -> str:
    """The id that an item is or has; empty where none is told."""
    if isinstance(item, dict) and id_place:
        found = (pointer.get(item, place) for place in (id_place, f"/{id_place.rpartition('/')[2]}"))
        item = next((value for value in found if value is not pointer.MISSING), None)
    return str(item) if isinstance(item, str | int) and not isinstance(item, bool) else ""


def _index(item: Any, place: str, count: int) -> int | None:
    """Which of so many items it is of; None where it does not tell."""
    found = pointer.get(item, place) if place else None
    inside = isinstance(found, int) and not isinstance(found, bool) and 0 <= found < count
    return found if inside else None


def _at(item: Any, place: str | None) -> Any:
    return pointer.MISSING if place is None else pointer.get(item, place)
