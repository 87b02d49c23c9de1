"""Every finding code: what it says in one line, and by which numbers other catalogues know such a fault.

The numbers are those of Web Fuzzing Commons, faults 0.9.0 (its numbers move between versions), where one says the same,
and of the OWASP API Security Top 10, 2023, where a code is about a control against that risk.
"""

from __future__ import annotations

from dataclasses import dataclass

RISKS = {
    1: "Broken Object Level Authorization",
    2: "Broken Authentication",
    3: "Broken Object Property Level Authorization",
    4: "Unrestricted Resource Consumption",
    5: "Broken Function Level Authorization",
    8: "Security Misconfiguration",
}
SERVER_ERRORS = {"500": 100, "501": 205}


@dataclass(frozen=True, slots=True)
class Code:
    """One class of faults. `wfc` and `owasp` are numbers in the other catalogues; 0 where none fits."""

    meaning: str
    wfc: int = 0
    owasp: int = 0

    @property
    def references(self) -> tuple[str, ...]:
        """How other catalogues call it: `OWASP API1:2023 Broken Object Level Authorization`, `WFC F303`."""
        risk = (f"OWASP API{self.owasp}:2023 {RISKS[self.owasp]}",) if self.owasp else ()
        return risk + ((f"WFC F{self.wfc}",) if self.wfc else ())


CODES = {
    "schema.undocumented-status": Code("a status that the contract does not document", wfc=200),
    "schema.content-type": Code("a media type that the contract does not document", wfc=200),
    "schema.body": Code("a body that does not fit its schema", wfc=200),
    "schema.missing-header": Code("a promised header is missing or does not fit its schema"),
    "schema.invalid-input-accepted": Code("input that breaks the contract is accepted", wfc=206),
    "schema.server-error": Code("a 5xx that the contract does not allow"),
    "envelope.shape": Code("an error's body has not the promised shape"),
    "headers.missing": Code("a promised header is absent", owasp=8),
    "headers.value": Code("a promised header has another value", owasp=8),
    "headers.forbidden": Code("a header that was promised to be absent is sent", owasp=8),
    "leaks.stack": Code("an answer shows a stack trace", wfc=309, owasp=8),
    "leaks.sql": Code("an answer shows a database's statement or error", owasp=8),
    "leaks.path": Code("an answer shows a path of the server's files", owasp=8),
    "leaks.secret": Code("an answer shows a secret", owasp=8),
    "roles.anonymous-allowed": Code("nobody may do what needs an identity", owasp=2),
    "roles.role-allowed": Code("a role may do what it must not", owasp=5),
    "roles.role-refused": Code("a role is refused what it may do", owasp=5),
    "roles.status": Code("a caller is refused with another status than promised", owasp=5),
    "roles.effect": Code("a refused call has its effect all the same", owasp=5),
    "owner.stranger-allowed": Code("a stranger may act on somebody's thing", owasp=1),
    "owner.owner-refused": Code("the owner is refused what it may do", owasp=1),
    "owner.role-refused": Code("a role that may act beside the owner is refused", owasp=1),
    "owner.status": Code("a stranger is refused with another status than promised", owasp=1),
    "owner.effect": Code("a stranger's refused call has its effect all the same", owasp=1),
    "resource.create-not-readable": Code("what was made cannot be read as it was made"),
    "resource.not-listed": Code("what was made is not in the list"),
    "resource.update-lost": Code("a change that was accepted does not show"),
    "resource.changed-after-delete": Code("what was deleted can be changed or used"),
    "resource.read-after-delete": Code("what was deleted can still be read or is listed", wfc=113),
    "resource.deleted-twice": Code("a second delete is not refused as promised"),
    "resource.mass-assignment": Code("a client sets what is the server's to set", wfc=303, owasp=3),
    "version.lost-update": Code("a stale write overwrites a newer one"),
    "version.two-winners": Code("of concurrent writes of one version more than one succeeds"),
    "version.no-winner": Code("of concurrent writes of one version none succeeds"),
    "version.missing-accepted": Code("a write without the version is accepted"),
    "version.not-raised": Code("a write does not change the version"),
    "version.status": Code("a stale or missing version is refused with another status than promised"),
    "rate-limit.overshoot": Code("more calls are admitted than the limit allows", owasp=4),
    "rate-limit.shared-key": Code("one caller's calls use up another's quota", owasp=4),
    "rate-limit.refused-early": Code("calls are refused before the quota is used up", owasp=4),
    "rate-limit.headers-untrue": Code("the headers of the limit are untrue", owasp=4),
    "rate-limit.no-headers": Code("the headers of the limit are absent", owasp=4),
    "rate-limit.no-retry-after": Code("a refusal does not say when to come again", owasp=4),
    "ledger.not-conserved": Code("a quantity is not what the draws leave of it"),
    "ledger.overdrawn": Code("more is drawn than there was"),
    "ledger.partial": Code("a refused transaction draws a part"),
    "ledger.amount": Code("a total is not the sum of what was drawn"),
    "objective.latency": Code("answers take longer than the objective allows"),
    "objective.errors": Code("more answers fail than the objective allows"),
    "fuzz.unsupported_method": Code("a method that the contract does not have is not refused as HTTP asks"),
    "fuzz.allow_header_conformance": Code("Allow does not list the methods of the contract", wfc=201),
    "fuzz.ignored_auth": Code("an operation that needs an identity answers without a valid one", wfc=311, owasp=2),
    "fuzz.missing_required_header": Code("a request without a required header is accepted", wfc=206),
    "fuzz.positive_data_acceptance": Code("input that the contract calls valid is refused", wfc=207),
    "fuzz.use_after_free": Code("what was deleted can still be read", wfc=113),
    "fuzz.ensure_resource_availability": Code("what was made cannot be read", wfc=122),
    "scenario.failed": Code("a test of the project's own fails"),
}


def references(code: str, kind: str = "") -> tuple[str, ...]:
    """How other catalogues call a finding's class; empty for a code that is not of this catalogue, as an old run has.

    The kind of a server's error is its status, which Web Fuzzing Commons tells apart.
    """
    if code == "schema.server-error":
        return Code(CODES[code].meaning, wfc=SERVER_ERRORS.get(kind, 121)).references
    return CODES[code].references if code in CODES else ()
