"""One fuzzing of a contract: a pass for each kind of caller within one budget, and a verdict for each operation."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.clock import Clock, SystemClock
from harness.contract import pointer
from harness.drivers.fuzz.callers import Callers
from harness.drivers.fuzz.engine import Engine, Plan, Scenario, Trouble, Unreadable
from harness.drivers.fuzz.judgement import judged, plausible
from harness.drivers.fuzz.pool import Pool
from harness.drivers.fuzz.seam import NS_PER_S, Seam
from harness.identities import ANONYMOUS, Identity
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.drivers.fuzz.callers import Renew
    from harness.finding import Finding
    from harness.recorder import Recorder

PROMISE = "fuzz"
DRIVER = "fuzz"
GRACE_S = 1.0
ENDLESS_ANSWER = "its answer begins and does not end; take a stream out of the contract with an overlay"
NOT_REACHED = "the budget was over before it was its turn"


@dataclass(frozen=True, slots=True)
class Pass:
    """One kind of caller. `renew` is told in callers.py; `anonymous` is nobody in the same tenant.

    `pool` holds the ids that are known before it begins.
    """

    name: str
    identity: Identity = ANONYMOUS
    renew: Renew | None = None
    anonymous: Identity = ANONYMOUS
    pool: Pool | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fuzzing is: `examined` counts answers so far, `left_s` the seconds of the whole budget that remain."""

    name: str
    phase: str
    operations: int
    examined: int
    sent: int
    paced: int
    findings: int
    left_s: float


@dataclass(slots=True)
class _Ledger:
    """What all passes showed together."""

    examined: Counter[str] = field(default_factory=Counter)
    spent_ns: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    unauthorised: list[str] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    unsent: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    paced: int = 0


def silent(_progress: Progress) -> None:
    """A progress that shows nothing."""


def fuzz(  # noqa: PLR0913 - what a fuzzing is made of, all by name
    contract: Contract,
    recorder: Recorder,
    passes: Sequence[Pass],
    *,
    seed: int,
    budget_s: float,
    examples: int | None = None,
    spared: Mapping[str, str] = {},
    only: frozenset[str] | None = None,
    progress: Callable[[Progress], None] = silent,
    clock: Clock | None = None,
) -> tuple[Verdict, ...]:
    """Fuzzes the operations of a contract as each kind of caller and says what was found.

    It ends within about a second of `budget_s`, which the passes share; what one leaves goes to the next. With
    `examples` a pass is a fixed program, the same for the same seed and answers; without, it fills its share. Findings
    have their witnesses in the order of sending. Where the document cannot be used the one verdict has no operation and
    says why. `spared` names operations that are not sent, each with the reason;
    `only` those that are sent and told of, where others are another process's.
    """
    clock = clock or SystemClock()
    began_ns = clock.now_ns()
    ledger = _Ledger(unsent=dict(spared))
    for number, item in enumerate(passes):
        left_s = budget_s - (clock.now_ns() - began_ns) / NS_PER_S
        if left_s <= 0:
            break
        share_s = left_s / (len(passes) - number)
        callers = Callers(item.identity, clock, renew=item.renew, anonymous=item.anonymous)
        pool = item.pool or Pool(contract)
        seam = Seam(contract, recorder, callers, name=item.name, pool=pool, budget_s=share_s, clock=clock)
        unsent = ledger.unsent if only is None else {**ledger.unsent, **dict.fromkeys(contract.by_id.keys() - only, "")}
        plan = replace(_plan(contract, seam, unsent, seed=seed, seconds=share_s, examples=examples), pool=pool)
        try:
            engine = Engine(plan, seam, on_case=seam.steps.__setitem__, keeps=plausible)
        except Unreadable as reason:
            return (Verdict(PROMISE, "", reason=f"Schemathesis cannot use the document: {reason}", driver=DRIVER),)
        show = _Show(item.name, ledger, seam, progress, clock, began_ns + int(budget_s * NS_PER_S))
        _pass(contract, engine, seam, ledger, show, share_s)
        _closed(ledger, seam, item.name)
        if seam.stopped:
            break
    return tuple(item for item in _verdicts(contract, ledger) if only is None or item.operation in only)


@dataclass(frozen=True, slots=True)
class _Show:
    """Tells the progress of one pass."""

    name: str
    ledger: _Ledger
    seam: Seam
    progress: Callable[[Progress], None]
    clock: Clock
    ends_ns: int

    def tell(self, phase: str) -> None:
        counts, ledger = self.seam.counts, self.ledger
        self.progress(
            Progress(
                name=self.name,
                phase=phase,
                operations=len(counts.examined.keys() | ledger.examined.keys()),
                examined=counts.examined.total() + ledger.examined.total(),
                sent=counts.sent + ledger.sent,
                paced=counts.paced + ledger.paced,
                findings=len(ledger.findings),
                left_s=max(0.0, (self.ends_ns - self.clock.now_ns()) / NS_PER_S),
            )
        )


def _plan(
    contract: Contract, seam: Seam, unsent: Mapping[str, str], *, seed: int, seconds: float, examples: int | None
) -> Plan:
    return Plan(
        document=contract.document,
        base_path=contract.base_path,
        seed=seed,
        seconds=seconds,
        headers=_named(contract, seam.marks),
        excluded=frozenset(
            (operation.method, operation.path.removeprefix(contract.base_path))
            for operation in contract.operations
            if operation.id in unsent
        ),
        examples=examples,
    )


def _named(contract: Contract, marks: dict[str, str]) -> dict[str, str]:
    """The headers as the document spells them, since Schemathesis takes a credential off by its exact name."""
    schemes = pointer.get(contract.document, "/components/securitySchemes")
    spelt = {
        str(scheme.get("name", "")).lower(): str(scheme["name"])
        for scheme in map(contract.schema, schemes.values() if isinstance(schemes, dict) else ())
        if scheme.get("in") == "header" and scheme.get("name")
    }
    spelt |= {"authorization": "Authorization", "cookie": "Cookie"}
    return {spelt.get(name.lower(), name): value for name, value in marks.items()}


def _pass(contract: Contract, engine: Engine, seam: Seam, ledger: _Ledger, show: _Show, share_s: float) -> None:
    """Runs the engine in a thread of its own, so that a case that takes for ever to be made ends the pass in time."""

    def consume() -> None:
        try:
            for event in engine.events():
                if isinstance(event, Trouble):
                    ledger.troubles.setdefault(event.where, event.message)
                else:
                    _scenario(contract, event, seam, ledger)
                    show.tell(event.phase)
                if seam.stopped:
                    engine.stop()
        except Exception as error:  # noqa: BLE001 - what Schemathesis trips over in a document is told in every verdict
            ledger.reasons.append(f"Schemathesis ended early: {type(error).__name__}: {error}")

    thread = threading.Thread(target=consume, name="fuzz", daemon=True)
    thread.start()
    thread.join(share_s + GRACE_S)
    if thread.is_alive():
        engine.stop()
        thread.join(GRACE_S)


def _scenario(contract: Contract, event: Scenario, seam: Seam, ledger: _Ledger) -> None:
    for failed in event.failed:
        exchanges = [seam.by_case[case] for case in failed.cases if case in seam.by_case]
        accepted = seam.accepted.get(exchanges[-1].operation, ()) if exchanges else ()
        finding = judged(contract, failed, exchanges, accepted)
        if finding is not None:
            ledger.findings.setdefault(finding.fingerprint, finding)
    seam.forget(event.cases)


def _closed(ledger: _Ledger, seam: Seam, name: str) -> None:
    ledger.examined += seam.counts.examined
    ledger.spent_ns += seam.counts.spent_ns
    ledger.sent += seam.counts.sent
    ledger.paced += seam.counts.paced
    ledger.unsent |= dict.fromkeys(seam.endless, ENDLESS_ANSWER)
    if seam.stopped:
        ledger.reasons.append(seam.stopped)
    elif seam.unauthorised and not seam.worked:
        ledger.unauthorised.append(f"as {name} every call was answered 401")


def _verdicts(contract: Contract, ledger: _Ledger) -> tuple[Verdict, ...]:
    by_operation: dict[str, list[Finding]] = {}
    for finding in ledger.findings.values():
        by_operation.setdefault(finding.operation, []).append(finding)
    return tuple(
        Verdict(
            PROMISE,
            operation.id,
            examined=ledger.examined[operation.id],
            findings=tuple(by_operation.get(operation.id, ())),
            reason=_reason(contract, operation, ledger),
            seconds=ledger.spent_ns[operation.id] / NS_PER_S,
            driver=DRIVER,
        )
        for operation in contract.operations
    )


def _reason(contract: Contract, operation: Operation, ledger: _Ledger) -> str:
    if operation.id in ledger.unsent:
        return ledger.unsent[operation.id]
    reasons = [*ledger.reasons, *(ledger.unauthorised if operation.secured else ())]
    if not ledger.examined[operation.id] and not reasons:
        label = f"{operation.method} {operation.path.removeprefix(contract.base_path)}"
        reasons.append(ledger.troubles.get(label, NOT_REACHED))
    return "; ".join(dict.fromkeys(reasons))
