"""One fault is one finding: what two judges saw of it is told by the one that the contract's promise names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.contract import Contract
    from harness.finding import Finding
    from harness.verdict import Verdict

OF_RESOURCES = ("resource.", "delete.")


def told_once(contract: Contract, told: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts without what another finding tells: one of a code in `told_by`, at its operation or resource."""
    findings = [finding for verdict in told for finding in verdict.findings]
    return tuple(
        replace(verdict, findings=tuple(item for item in verdict.findings if not _is_told(contract, item, findings)))
        if any(finding.code in CODES and CODES[finding.code].told_by for finding in verdict.findings)
        else verdict
        for verdict in told
    )


def _is_told(contract: Contract, finding: Finding, findings: Iterable[Finding]) -> bool:
    by = CODES[finding.code].told_by if finding.code in CODES else ()
    return any(other.code in by and _is_near(contract, finding, other) for other in findings)


def _is_near(contract: Contract, one: Finding, other: Finding) -> bool:
    if one.operation == other.operation:
        return True
    resource = contract.resource_of(one.operation)
    return resource is not None and other.operation in resource.operations and other.code.startswith(OF_RESOURCES)
