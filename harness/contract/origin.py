"""Where each part of a contract was written: the document as it was read, and the overlays laid over it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from harness.contract import pointer
from harness.contract.document import as_three, parsed
from harness.contract.overlay import Touch, applied
from harness.contract.positions import Position, positions
from harness.finding import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER, INDEX = "sources", "index.json"


def from_here(path: Path) -> str:
    """A path as a reader in the current folder would type it: relative where it lies below, with forward slashes."""
    whole, here = path.absolute(), Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


@dataclass(frozen=True, slots=True)
class Source:
    """One text of a contract as it was read; `name` is its file or its URL."""

    name: str
    text: bytes


class Origin:
    """The document's text first, then the overlays' in their order; nothing is parsed before a place is asked for."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)

    @classmethod
    def of(cls, document: Source, overlays: Sequence[Path]) -> Self:
        """The origin of a document and of overlays that are files."""
        return cls((document, *(Source(from_here(path), path.read_bytes()) for path in overlays)))

    def keep(self, folder: Path) -> None:
        """Writes the texts to `sources/` of a run's folder."""
        place = folder / FOLDER
        place.mkdir()
        index = []
        for number, source in enumerate(self.sources):
            file = f"{number}-{PurePosixPath(urlsplit(source.name).path).name or 'document'}"
            (place / file).write_bytes(source.text)
            index.append({"name": source.name, "file": file})
        (place / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def kept(cls, folder: Path) -> Self | None:
        """The origin that a run's folder keeps; None where it keeps none that can be read, as an old run does."""
        place = folder / FOLDER
        try:
            index = json.loads((place / INDEX).read_text(encoding="utf-8"))
            return cls([Source(item["name"], (place / Path(item["file"]).name).read_bytes()) for item in index])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def place(self, at: str) -> Place:
        """Where the value at a pointer of the whole contract was written: the deepest part of it that some text holds.

        An overlay's text wins over one laid under it, as its value does; what it only adds to stands where it stood.
        """
        tokens = pointer.tokens(at)
        found = [candidate for number in range(len(self.sources)) for candidate in self._candidates(number, tokens)]
        _, _, number, place = max(found)
        line, column = self._positions[number].get(place, (0, 0))
        return Place(self.sources[number].name, place, line, column)

    def _candidates(self, number: int, tokens: list[str]) -> list[tuple[int, bool, int, str]]:
        """The parts of one text that stand for the pointer: tokens held, whether it wrote them, number, place."""
        if number == 0:
            held, at = self._held(number, [], tokens)
            return [(held, True, number, at)]
        found = []
        for touch in self._touches[number - 1]:
            met = pointer.tokens(touch.at)
            if tokens[: len(met)] == met:
                held, at = self._held(number, ["actions", str(touch.action), "update"], tokens[len(met) :])
                if held or len(met) == len(tokens):
                    found.append((len(met) + held, held > 0, number, at))
        return found

    def _held(self, number: int, base: list[str], tokens: list[str]) -> tuple[int, str]:
        """How many of the tokens lead somewhere below a place of a text, and the pointer that they make."""
        held = 0
        while held < len(tokens) and _pointer([*base, *tokens[: held + 1]]) in self._positions[number]:
            held += 1
        return held, _pointer([*base, *tokens[:held]])

    @cached_property
    def _positions(self) -> tuple[dict[str, Position], ...]:
        return tuple(positions(source.text) for source in self.sources)

    @cached_property
    def _touches(self) -> tuple[tuple[Touch, ...], ...]:
        """What each overlay's updates met, in the order of its actions."""
        first, *overlays = (parsed(source.text, source.name) for source in self.sources)
        document = as_three(first)
        found = []
        for overlay, source in zip(overlays, self.sources[1:], strict=True):
            touches: list[Touch] = []
            document = applied(document, overlay, source.name, touches)
            found.append(tuple(touches))
        return tuple(found)


def _pointer(tokens: Sequence[str]) -> str:
    return "".join(f"/{pointer.escape(token)}" for token in tokens)
