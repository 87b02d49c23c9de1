"""What a read may show: a pure model of one value that is written again and again, and of reads that may be kept.

Values are numbered in the order of writing, 0 is what was there before. A write's effect lies between its sending and
its answer; one whose answer is lost may have its effect or not, and binds no read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STALE, OUTLIVED, WENT_BACK = "stale", "outlived", "went-back"


@dataclass(frozen=True, slots=True)
class Write:
    """An acknowledged write of the value of that number; `forgets` says that no kept answer may outlive it."""

    number: int
    done_ns: int
    forgets: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """A read of a form of the query that showed the value of that number."""

    number: int
    form: str
    sent_ns: int
    done_ns: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A read that shows what it must not: `expected` is the lowest number that it may show, `read` its index."""

    word: str
    form: str
    read: int
    expected: int
    before: int = -1


def faults(writes: Sequence[Write], reads: Sequence[Read], *, age_ns: int, slack_ns: int) -> Iterator[Fault]:
    """What is wrong with reads: the first of each class and form, an outlived age before a stale answer.

    A read is not older than any write that forgets, answered before the read was sent; not older than any write that
    was answered more than the age and the slack before; not older than what an earlier read of its form showed.
    """
    told: set[tuple[str, str]] = set()
    for index, read in enumerate(reads):
        for fault in _of(index, read, writes, reads, age_ns + slack_ns):
            if (fault.word, fault.form) not in told:
                told.add((fault.word, fault.form))
                yield fault


def _of(index: int, read: Read, writes: Sequence[Write], reads: Sequence[Read], kept_ns: int) -> Iterator[Fault]:
    oldest = _newest(write.number for write in writes if write.done_ns + kept_ns < read.sent_ns)
    if read.number < oldest:
        yield Fault(OUTLIVED, read.form, index, oldest)
    least = _newest(write.number for write in writes if write.forgets and write.done_ns < read.sent_ns)
    if read.number < least:
        yield Fault(STALE, read.form, index, least)
        return
    seen = [at for at, other in enumerate(reads) if other.form == read.form and other.done_ns < read.sent_ns]
    newest = max(seen, key=lambda at: reads[at].number, default=-1)
    if newest >= 0 and reads[newest].number > read.number:
        yield Fault(WENT_BACK, read.form, index, reads[newest].number, newest)


def _newest(numbers: Iterable[int]) -> int:
    return max(numbers, default=0)
