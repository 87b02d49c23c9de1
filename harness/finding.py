"""What is wrong, where, and how to see it again."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DERIVED = {"fingerprint", "known"}
"""What a line of findings.jsonl says of a finding beyond its own values."""


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)

    def at_least(self, other: Severity) -> bool:
        """Whether this is as bad as the other or worse."""
        return self.rank <= other.rank


class Confirmation(StrEnum):
    """Whether a second run on fresh data showed it again."""

    CONFIRMED = "confirmed"
    SEEN_ONCE = "seen once"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How to see it again.

    `case` and `parameters` name a promise's case to drive again, where one showed it; `steps` are the witnesses with
    what they need, in order, each request's values that came from an earlier answer named by reference
    (see harness/sequence.py).
    """

    case: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contract says something: the file or URL, the JSON pointer in it, line and column (0 where not known)."""

    source: str
    pointer: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        where = "".join(f":{number}" for number in (self.line, self.column) if number)
        return f"{self.source}{where} #{self.pointer}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `code` is its class in the catalogue; `kind` tells faults of one class and operation apart.

    `promised` and `seen` are sentences; `witnesses` are exchange ids of the history. `place` is where the contract
    makes the promise, as far as that is known.
    """

    code: str
    title: str
    severity: Severity
    operation: str
    kind: str = ""
    promised: str = ""
    seen: str = ""
    witnesses: tuple[str, ...] = ()
    reproduction: Reproduction = Reproduction()
    confirmation: Confirmation = Confirmation.SEEN_ONCE
    place: Place | None = None

    @property
    def fingerprint(self) -> str:
        """The same fault has the same fingerprint in every run: code, operation and kind, hashed."""
        text = f"{self.code}\n{self.operation}\n{self.kind}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    def to_record(self) -> dict[str, Any]:
        """The JSON object that stands on one line of findings.jsonl."""
        return {"fingerprint": self.fingerprint, **asdict(self)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Finding:
        """The finding that `to_record` wrote."""
        values = {key: value for key, value in record.items() if key not in DERIVED}
        reproduction = values["reproduction"]
        place = values.get("place")
        return cls(
            **{
                **values,
                "severity": Severity(values["severity"]),
                "confirmation": Confirmation(values["confirmation"]),
                "witnesses": tuple(values["witnesses"]),
                "place": None if place is None else Place(**place),
                "reproduction": Reproduction(
                    reproduction["case"], reproduction["parameters"], tuple(reproduction["steps"])
                ),
            }
        )


def one_of_each_first(findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the first of each code and kind before every second, so that no kind takes up all the time."""
    met: Counter[tuple[str, str]] = Counter()
    ranks = []
    for finding in findings:
        ranks.append(met[finding.code, finding.kind])
        met[finding.code, finding.kind] += 1
    return [finding for _, finding in sorted(zip(ranks, findings, strict=True), key=itemgetter(0))]
