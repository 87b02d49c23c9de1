"""Mutants are tried in an order that a seed draws, over all kinds and files."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from scenarios.mutants.choice import ordered
from scenarios.mutants.kinds import KINDS, mutants, sound
from scenarios.mutants.scope import HANDLING, LEFT_OUT, PACKAGE, sources
from scenarios.mutants.source import Source

ROOT = Path(__file__).parents[4]
SMALL = [
    Source("a.py", "if a < b:\n    raise c\nf(a, b)\n"),
    Source("b.py", "async def f():\n    await g(1, 2)\n    return a and b\n"),
    Source("c.py", "a.b = 'word'\n"),
]


@given(st.integers())
def test_each_comes_once(seed: int) -> None:
    """All that is sound comes, and nothing twice, whatever the seed."""
    came = list(ordered(SMALL, seed))
    there = [mutant for source in SMALL for mutant in mutants(source) if sound(mutant, source)]
    assert Counter(came) == Counter(there)
    assert set(Counter(came).values()) == {1}


@given(st.integers())
def test_a_seed_draws_the_same_again(seed: int) -> None:
    """The same texts and the same seed give the same order."""
    assert list(ordered(SMALL, seed)) == list(ordered(SMALL, seed))


def test_seeds_differ() -> None:
    """Another seed is another sample."""
    files = sources(ROOT, ["reference_impl/procedures"])
    assert set(islice(ordered(files, 1), 20)) != set(islice(ordered(files, 2), 20))


def test_a_sample_is_spread() -> None:
    """Sixty mutants are ten of each kind; a file has about as many as its share of all there are."""
    files = sources(ROOT)
    sample = list(islice(ordered(files, 1), 60))
    assert Counter(mutant.kind for mutant in sample) == dict.fromkeys(KINDS, 10)
    there = Counter(mutant.path.split("/")[1] for source in files for mutant in mutants(source))
    drawn = Counter(mutant.path.split("/")[1] for seed in range(20) for mutant in islice(ordered(files, seed), 60))
    for folder, number in there.items():
        assert abs(drawn[folder] / drawn.total() - number / there.total()) < 0.1


def test_the_scope_names_what_is_there() -> None:
    """Each folder and file of the scope, and each that is left out of it, exists."""
    assert [name for name in (*HANDLING, *LEFT_OUT) if not (ROOT / PACKAGE / name).exists()] == []


def test_what_is_left_out_comes_when_it_is_named() -> None:
    """A file that the usual scope leaves out is mutated where it is asked for."""
    wanted = "reference_impl/stores/redis/limits.py"
    assert wanted not in {source.path for source in sources(ROOT)}
    assert [source.path for source in sources(ROOT, [wanted])] == [wanted]


@pytest.mark.parametrize("name", ["harness", "README.md", "reference_impl/none", "reference_impl/migrations"])
def test_what_cannot_be_mutated_is_told(name: str) -> None:
    """A name with no file of the reference API under it is refused, and told."""
    with pytest.raises(UsageError, match=name):
        sources(ROOT, [name])
