"""The order in which mutants are tried: drawn by a seed, the kinds in turns, of each kind every one as likely."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from scenarios.mutants.kinds import KINDS, mutants, sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.mutants.mutant import Mutant
    from scenarios.mutants.source import Source


def ordered(sources: Sequence[Source], seed: int) -> Iterator[Mutant]:
    """Every sound mutant of the files, once; the same for the same texts and seed."""
    draw = random.Random(seed)  # noqa: S311 - a repeatable draw
    by_path = {source.path: source for source in sources}
    left: dict[str, list[Mutant]] = {kind: [] for kind in KINDS}
    for source in sources:
        for mutant in mutants(source):
            left[mutant.kind].append(mutant)
    for of_kind in left.values():
        draw.shuffle(of_kind)
    while any(left.values()):
        for of_kind in left.values():
            drawn = _next(of_kind, by_path)
            if drawn is not None:
                yield drawn


def _next(left: list[Mutant], by_path: dict[str, Source]) -> Mutant | None:
    """Takes one of a kind; those that are not sound are passed over."""
    while left:
        mutant = left.pop()
        if sound(mutant, by_path[mutant.path]):
            return mutant
    return None
