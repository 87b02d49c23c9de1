"""Everything that is recognised of an API: signs for the overlay, entrances for harness.toml, and what is unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.recognition import bulk, errors, identities, keys, lists, resources, seen, writes
from harness.recognition.sign import Sign, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract
    from harness.recognition.identities import Entrance
    from harness.recognition.seen import Read

FIXES = (
    ("resource", "what is made, read and deleted", "declare x-promises.resource with create, read and id"),
    ("envelope", "the body of every error", "write x-promises.envelope with its schema"),
    ("page", "how lists are paged", "write x-promises.page on the lists that are, docs/promises/page.md"),
    ("version", "how a write says which version it saw", "write x-promises.version on updates, if there is one"),
    ("idempotency", "the header by which a call sent again is known",
     "write x-promises.idempotency, docs/promises/idempotency.md, if there is one"),
    ("rate-limit", "quotas", "write x-promises.rate-limit with quota, window_s and scope, if there are any"),
    ("tenant", "where the tenant is told", "write x-promises.tenant and [identities.tenants], if there are tenants"),
)  # fmt: skip
NEVER = (
    Unknown("who may call what", "write x-promises.roles on operations, docs/promises/roles.md"),
    Unknown("whose a thing is", "write x-promises.owner on operations of one thing, docs/promises/owner.md"),
    Unknown("quantities that draw from each other", "write x-promises.ledger, if there are any"),
    Unknown("response times", "write x-promises.objective, such as { p95_ms: 200, error_ratio: 0.01 }"),
)
MAX_NEEDS = 25
# What a quoted name of a JSONPath may hold; an operation under another path is written by hand.
POINTABLE = re.compile(r"[^'\"\\\x00-\x1f\x7f]*")
MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a document, and what was read of the API, show."""

    signs: tuple[Sign, ...]
    unknown: tuple[Unknown, ...]
    login: Entrance | None
    register: Entrance | None
    key: str
    tenant: str


def recognised(contract: Contract, reads: Sequence[Read] = ()) -> Recognised:
    """Reads the document, and the answers of the reads that were sent."""
    things = list(resources.signs(contract))
    told = contract.defaults.get("resource")
    named: dict[str, Any] = {**(told if isinstance(told, dict) else {}), **{sign.name: sign.value for sign in things}}
    shared = [_held(contract, sign, reads) for sign in errors.signs(contract)]
    known = {sign.key for sign in shared}
    shared += [sign for sign in seen.signs(contract, reads) if sign.key not in known]
    signs = (
        *shared,
        *things,
        *lists.signs(contract, named),
        *writes.signs(contract, named),
        *bulk.signs(contract, named),
        *keys.signs(contract, named),
    )
    usable = tuple(sign for sign in signs if POINTABLE.fullmatch(_path(contract, sign)))
    login = identities.login(contract)
    tenant = next((sign.value["told"][0]["name"] for sign in signs if sign.key == "tenant"), "")
    return Recognised(
        signs=usable,
        unknown=tuple(_unknown(contract, usable)),
        login=login,
        register=identities.register(contract, login),
        key=identities.key_header(contract),
        tenant=tenant,
    )


def _held(contract: Contract, sign: Sign, reads: Sequence[Read]) -> Sign:
    """The sign; an envelope that an answer does not fit is no longer sure."""
    misfit = seen.fits(contract, sign, reads) if sign.key == "envelope" else ""
    return replace(sign, sure=False, evidence=f"{sign.evidence}; but {misfit}") if misfit else sign


def _path(contract: Contract, sign: Sign) -> str:
    return contract.by_id[sign.operation].path if sign.operation else ""


def _unknown(contract: Contract, signs: Sequence[Sign]) -> Iterator[Unknown]:
    told = {sign.key for sign in signs} | set(contract.defaults)
    told |= {key for operation in contract.operations for key in operation.promises}
    limits = errors.limit_headers(contract)
    for key, what, fix in FIXES:
        if key not in told:
            more = f"; the document has {', '.join(limits)}" if key == "rate-limit" and limits else ""
            yield Unknown(what, fix + more)
    yield from (item for item in NEVER if item.fix.split("x-promises.")[1].split()[0].rstrip(",") not in told)
    ids = [sign.name for sign in signs if sign.key == "resource" and "id" not in sign.value]
    if ids:
        what = f"where the id of {' and '.join(ids)} stands in what is answered to the create"
        yield Unknown(what, "write x-promises.resource.NAME.id, such as /data/id; /id is taken where it is not told")
    yield from _needs(contract)


def _needs(contract: Contract) -> Iterator[Unknown]:
    """Each input of which nothing is known, with the operations that need it; not what only waits for such a one."""
    by_problem: dict[tuple[str, str], list[str]] = {}
    for need in contract.prerequisites.unknown:
        if not (need.others and "which cannot be called" in need.problem):
            by_problem.setdefault((need.shown, need.problem), []).append(need.operation)
    told = list(by_problem.items())
    for (shown, problem), operations in told[:MAX_NEEDS]:
        more = f" and {len(operations) - MAX_NAMED} more operations need" if len(operations) > MAX_NAMED else " need"
        yield Unknown(f"{shown}, which {', '.join(operations[:MAX_NAMED])}{more}", problem)
    if len(told) > MAX_NEEDS:
        yield Unknown(f"{len(told) - MAX_NEEDS} more inputs that name another thing", "see `harness contract plan`")
