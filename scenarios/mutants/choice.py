"""The order in which mutants are tried: drawn by a seed, the kinds in turns, each from the file that had fewest."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
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
    left: dict[str, dict[str, list[Mutant]]] = {kind: defaultdict(list) for kind in KINDS}
    for source in sources:
        for mutant in mutants(source):
            left[mutant.kind][source.path].append(mutant)
    taken: Counter[str] = Counter()
    while any(left.values()):
        for kind in KINDS:
            drawn = _next(left[kind], by_path, taken, draw)
            if drawn is not None:
                taken[drawn.path] += 1
                yield drawn


def _next(
    left: dict[str, list[Mutant]], by_path: dict[str, Source], taken: Counter[str], draw: random.Random
) -> Mutant | None:
    """Draws one of a kind; those that are not sound are drawn and passed over."""
    while left:
        fewest = min(taken[path] for path in left)
        path = draw.choice(sorted(path for path in left if taken[path] == fewest))
        mutant = left[path].pop(draw.randrange(len(left[path])))
        if not left[path]:
            del left[path]
        if sound(mutant, by_path[path]):
            return mutant
    return None
