"""What a contract says of its limits: `x-promises.rate-limit`, on the document and on an operation; both apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.identities import ANONYMOUS
from harness.promises.rate_limit.model import MODELS, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation
    from harness.exchange import Request

KEY = "rate-limit"
STYLES = ("draft-6", "draft-7", "draft-10", "x-ratelimit")
NS = 1_000_000_000

ANNOTATION: Mapping[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "quota": {"type": "integer", "minimum": 1},
            "window_s": {"type": "number", "exclusiveMinimum": 0},
            "scope": {
                "type": "array",
                "items": {"enum": ["address", "user", "tenant", "key"]},
                "minItems": 1,
                "uniqueItems": True,
            },
            "algorithm": {"enum": sorted(MODELS)},
            "headers": {"enum": list(STYLES)},
            "reset": {"enum": ["delta", "epoch"]},
            "retry_after": {"type": "boolean"},
            "exempt": {"type": "array", "items": {"type": "string"}},
            "forwarded": {"type": "boolean"},
            "per_tenant": {"type": "boolean"},
        },
        "required": ["name", "quota", "window_s", "scope"],
        "additionalProperties": False,
    },
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One declared limit: at most `quota` admissions a window of `window_ns` to one key.

    `operation` is the operation that declares it, empty for the document. `headers` is a style of STYLES or empty;
    `retry_after` says whether a refusal tells when to come again (RFC 9110, 10.2.3), which it does unless switched off.
    `forwarded` says that the address is what our X-Forwarded-For tells, as that of a proxy that is trusted;
    `per_tenant` that who calls in two tenants has a quota in each.
    """

    name: str
    quota: int
    window_ns: int
    scope: tuple[str, ...]
    algorithm: str = "unknown"
    headers: str = ""
    reset: str = "delta"
    retry_after: bool = True
    exempt: tuple[str, ...] = ()
    forwarded: bool = False
    per_tenant: bool = False
    operation: str = ""

    @property
    def window_s(self) -> float:
        """The window in seconds."""
        return self.window_ns / NS

    @property
    def model(self) -> Model:
        """What the declared algorithm admits."""
        return MODELS[self.algorithm](self.quota, self.window_ns)

    @property
    def kind(self) -> str:
        """How a fingerprint names it."""
        return self.name

    def key(self, request: Request) -> tuple[str, str] | None:
        """Whom it counts a request for: the first scope that is known; None where it does not count the request."""
        identity = request.identity
        if set(self.exempt) & set(identity.roles):
            return None
        for scope in self.scope:
            if scope == "tenant" and identity.tenant:
                return scope, identity.tenant
            if scope in {"user", "key"} and identity.name != ANONYMOUS.name:
                return "user", self._in(identity.tenant, identity.name)
            if scope == "address":
                return scope, self._in(identity.tenant, request.source)
        return None

    def _in(self, tenant: str, who: str) -> str:
        """Whom it counts, by tenant where it does; an address that is not told is told by nothing."""
        return f"{who} in {tenant}" if self.per_tenant and tenant and who else who

    def sentence(self) -> str:
        """What is promised, for a report."""
        manner = {"sliding": "in any", "fixed": "in a fixed", "token-bucket": "refilled over"}.get(
            self.algorithm, "in a"
        )
        whose = " of a tenant" if self.per_tenant else ""
        return f"{self.name}: {self.quota} calls {manner} window of {self.window_s:g} s for one {self.scope[0]}{whose}"


def limits(contract: Contract, operation: Operation) -> tuple[Limit, ...]:
    """The limits that apply to an operation, its own first."""
    own = operation.promises.get(KEY)
    count = len(own) if isinstance(own, list) else 0
    declared = contract.promise(KEY, operation) or []
    return tuple(_limit(entry, operation.id if at < count else "") for at, entry in enumerate(declared))


def _limit(entry: Mapping[str, Any], operation: str) -> Limit:
    style = entry.get("headers", "")
    return Limit(
        name=entry["name"],
        quota=entry["quota"],
        window_ns=round(entry["window_s"] * NS),
        scope=tuple(entry["scope"]),
        algorithm=entry.get("algorithm", "unknown"),
        headers=style,
        reset=entry.get("reset", "epoch" if style == "x-ratelimit" else "delta"),
        retry_after=entry.get("retry_after", True),
        exempt=tuple(entry.get("exempt", ())),
        forwarded=entry.get("forwarded", False),
        per_tenant=entry.get("per_tenant", False),
        operation=operation,
    )
