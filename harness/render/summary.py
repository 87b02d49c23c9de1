"""What every rendering says of a run in the same words: its verdict in one sentence, its matrix, what was not told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.checked import Standing
from harness.exits import Exit
from harness.finding import Confirmation, Severity
from harness.render.text import counted
from harness.report import KnownState, RunStatus
from harness.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.checked import Checked
    from harness.finding import Finding
    from harness.report import Known, OperationFacts, OperationLatency, Report
    from harness.verdict import Verdict

NO_OPERATION = "(no operation)"
ENTRIES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: one word (its tone is pass, fail or unclear), one sentence, and what else must be known at once."""

    word: str
    tone: str
    sentence: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Untold:
    """One reason why a promise could not be told, and the operations where it could not."""

    promise: str
    reason: str
    operations: tuple[str, ...]


def headline(report: Report) -> Headline:
    """The run's verdict in one sentence."""
    word, tone, sentence = _verdict(report)
    return Headline(word, tone, sentence, _remarks(report))


def _verdict(report: Report) -> tuple[str, str, str]:
    """Word, tone and sentence, by the exit code alone."""
    code, found = report.exit_code, found_text(report)
    ending = report.reason or report.meaning
    tone = "fail" if found else "unclear"
    endings = {
        Exit.INTERRUPTED: ("INTERRUPTED", tone, f"Interrupted before the end: {found or 'no finding until then'}."),
        Exit.INTERNAL: ("NO VERDICT", tone, f"The harness itself failed: {ending}."),
        Exit.USAGE: ("NO VERDICT", tone, f"Nothing was verified: {ending}."),
        Exit.TARGET: ("NO VERDICT", tone, f"The target could not be verified: {ending}."),
        Exit.FINDINGS: ("FAILS", "fail", f"The API breaks its contract: {found or ending}."),
        Exit.INCONCLUSIVE: ("INCONCLUSIVE", tone, f"Not enough was examined: {report.reason or _untold_text(report)}."),
        Exit.HOLDS: ("HOLDS", "pass", _held(report, found)),
    }
    if code is not None:
        return endings[code]
    so_far = found or "no finding so far"
    if report.status is RunStatus.RUNNING:
        return "RUNNING", tone, f"The run has not ended: {so_far}."
    return "CUT SHORT", tone, f"The run was ended before its verdict: {so_far}."


def _held(report: Report, found: str) -> str:
    if found:
        limit = f", none of them {report.fail_on} or worse" if report.fail_on else ""
        return f"Nothing is severe enough to fail the run: {found}{limit}."
    held = sum(item.status is Status.PASS for item in report.verdicts)
    examined = sum(item.examined for item in report.verdicts)
    if report.known:
        return (
            f"Nothing is broken that is not known: {counted(held, 'promise')} held, {counted(examined, 'observation')}."
        )
    return f"Every promise that was examined was kept: {counted(held, 'promise')}, {counted(examined, 'observation')}."


def _remarks(report: Report) -> tuple[str, ...]:
    remarks = []
    if report.status is RunStatus.PARTIAL:
        remarks.append("This is a partial run: what was not reached was not examined.")
    once = sum(item.confirmation is Confirmation.SEEN_ONCE for item in report.counted)
    if once:
        told = counted(once, "finding was", "findings were")
        remarks.append(f"{told} seen once: not shown again on fresh data, or there was no time to.")
    if report.exit_code in {Exit.FINDINGS, Exit.HOLDS} and any(_is_untold(item) for item in report.verdicts):
        remarks.append(f"Not everything could be told: {_untold_text(report)}.")
    return (*remarks, *_of_baseline(report))


def _of_baseline(report: Report) -> list[str]:
    """What a run says of its file of known findings."""
    by_state: dict[KnownState, list[Known]] = {state: [] for state in KnownState}
    for entry in report.baseline:
        by_state[entry.state].append(entry)
    known, expired, gone = (by_state[state] for state in (KnownState.KNOWN, KnownState.EXPIRED, KnownState.GONE))
    remarks = []
    if known:
        told = counted(len(known), "known finding does", "known findings do")
        remarks.append(f"{told} not count, until {min(entry.expires for entry in known)} at the earliest.")
    if expired:
        told = counted(len(expired), "known finding counts", "known findings count")
        remarks.append(f"{told} again, the last day being past: {_entries(expired)}.")
    if gone:
        told = counted(len(gone), "known finding", "known findings")
        remarks.append(f"{told} did not occur any more; take out of the baseline: {_entries(gone)}.")
    return remarks


def _entries(entries: Sequence[Known]) -> str:
    shown = ", ".join(f"{entry.fingerprint} ({entry.code})" for entry in entries[:ENTRIES_SHOWN])
    return shown + (f" and {len(entries) - ENTRIES_SHOWN:,} more" if len(entries) > ENTRIES_SHOWN else "")


def found_text(report: Report) -> str:
    """`3 findings (1 critical, 2 low) in 2 operations`, without known ones; empty where there is none."""
    findings = report.counted
    if not findings:
        return ""
    counts = Counter(finding.severity for finding in findings)
    parts = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    where = len({finding.operation for finding in findings if finding.operation})
    kinds = len({(finding.code, finding.kind) for finding in findings})
    of_kinds = f" of {counted(kinds, 'kind')}" if 2 * kinds <= len(findings) else ""
    text = f"{counted(len(findings), 'finding')}{of_kinds} ({parts})"
    return f"{text} in {counted(where, 'operation')}" if where else text


def classes(report: Report) -> tuple[tuple[Finding, int], ...]:
    """The worst finding of each class and severity, worst first, and how many there are of it, without known ones."""
    counts = Counter((finding.severity, finding.code) for finding in report.counted)
    first: dict[tuple[Severity, str], Finding] = {}
    for finding in report.counted:
        first.setdefault((finding.severity, finding.code), finding)
    return tuple((finding, counts[key]) for key, finding in first.items())


def _untold_text(report: Report) -> str:
    open_items = sum(_is_untold(item) for item in report.verdicts)
    if not open_items:
        return "nothing that was promised was examined" if not report.verdicts else report.meaning
    return f"{counted(open_items, 'promise')} of {len(report.verdicts):,} could not be examined enough"


def _is_untold(verdict: Verdict) -> bool:
    return verdict.status is Status.INCONCLUSIVE or bool(verdict.reason)


def reason_of(verdict: Verdict) -> str:
    """Why a verdict is not a whole one; `nothing was examined` where the judge gave no reason."""
    return verdict.reason or ("" if verdict.examined or verdict.findings else "nothing was examined")


def untold(report: Report) -> tuple[Untold, ...]:
    """What could not be told and why, each reason once a promise, the widest first."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for verdict in report.verdicts:
        if _is_untold(verdict):
            grouped.setdefault((verdict.promise, reason_of(verdict)), []).append(verdict.operation or NO_OPERATION)
    found = [Untold(promise, reason, tuple(sorted(where))) for (promise, reason), where in grouped.items()]
    return tuple(sorted(found, key=lambda item: (item.promise, -len(item.operations), item.reason)))


def untouched(report: Report) -> tuple[OperationFacts, ...]:
    """Operations of the contract of which not one observation was examined."""
    touched = {verdict.operation for verdict in report.verdicts if verdict.examined or verdict.findings}
    return tuple(operation for operation in report.operations if operation.id not in touched)


def promises(report: Report) -> tuple[str, ...]:
    """The matrix's columns: every promise of which there is a verdict, in alphabetical order."""
    return tuple(sorted({verdict.promise for verdict in report.verdicts}))


def by_place(report: Report) -> dict[tuple[str, str], Verdict]:
    """The matrix's cells: the verdict at (operation, promise)."""
    return {(verdict.operation, verdict.promise): verdict for verdict in report.verdicts}


def standing(finding: Finding, report: Report) -> str:
    """Whether a finding was shown again, or the last day until which it is known: `confirmed`, `known until ...`."""
    known = report.known.get(finding.fingerprint)
    return finding.confirmation.value if known is None else f"known until {known.expires}"


def rows(report: Report) -> tuple[tuple[str, str], ...]:
    """The matrix's rows: each operation's id and its place (`GET /products`), the contract's first, then any other."""
    known = {operation.id: place_of(operation) for operation in report.operations}
    others = sorted({verdict.operation for verdict in report.verdicts} - known.keys())
    return (*known.items(), *((name, name or NO_OPERATION) for name in others))


def place_of(operation: OperationFacts) -> str:
    """`GET /products/{id}`, or the id where the method is not known."""
    return f"{operation.method.upper()} {operation.path}".strip() or operation.id


def by_list(report: Report) -> tuple[tuple[str, tuple[Checked, ...]], ...]:
    """The items of the review checklist by the lists they stand in, in their order."""
    grouped: dict[str, list[Checked]] = {}
    for item in report.checklist:
        grouped.setdefault(item.list, []).append(item)
    return tuple((name, tuple(items)) for name, items in grouped.items())


def checklist_text(report: Report) -> str:
    """`47 pass, 1 unknown, 2 not applicable of 50`; empty where there is no checklist."""
    counts = Counter(item.standing for item in report.checklist)
    parts = [f"{counts[standing]} {standing}" for standing in Standing if counts[standing]]
    return f"{', '.join(parts)} of {len(report.checklist)}" if parts else ""


def places(report: Report) -> dict[str, str]:
    """The place of every operation by its id."""
    return dict(rows(report))


def loose(report: Report) -> tuple[Finding, ...]:
    """Findings that stand in no verdict; a rendering by verdicts shows them apart, so that none is lost."""
    placed = {finding.fingerprint for verdict in report.verdicts for finding in verdict.findings}
    return tuple(finding for finding in report.findings if finding.fingerprint not in placed)


def worst_latency(report: Report) -> OperationLatency | None:
    """The operation under load that is nearest to its objective or furthest over it; None where none was served."""
    served = [item for item in report.latencies if item.p95_ms is not None]
    return max(served, key=lambda item: (item.p95_ms or 0.0) / (item.objective_p95_ms or 1e9), default=None)


def again(report: Report) -> str:
    """The command that runs this again."""
    return report.again or ("harness verify" if report.seed is None else f"harness verify --seed {report.seed}")


def duration(seconds: float) -> str:
    """`8.4 s`, `1 min 58 s`."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
