"""A caller with a quota of its own: its identity, a valid request of the operation, and more like it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Pause, Result, Steps, one, wait_of
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Request
from harness.identities import ANONYMOUS, Identity
from harness.promises.rate_limit.account import SETUP, SHARED, TOO_MANY_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract import Operation
    from harness.promises.rate_limit.annotation import Limit
    from harness.stage import Stage

MAX_WAITS = 4
MAX_WAIT_S = 5.0
NOBODY = {"anyone", "signed-in"}


@dataclass(slots=True)
class Caller:
    """Makes requests of one operation by one identity. `login` is how its session began, where the case saw it.

    `sessions` are identities with sessions of their own, for calls that each use one up.
    """

    stage: Stage
    operation: Operation
    identity: Identity
    template: Request
    references: dict[str, Any]
    shared: bool
    login: Request | None = None
    sessions: list[Identity] = field(default_factory=list)

    def request(self, step: str) -> Request:
        """A further valid request: the same path, a body of its own."""
        identity = self.sessions.pop() if self.sessions else self.identity
        label = f"{step}{SHARED}" if self.shared else step
        return replace(self.template, identity=identity, step=label, body=self._body())

    def _body(self) -> bytes | None:
        declared = self.operation.json_body()
        if declared is None or self.template.body is None or self.login is self.template:
            return self.template.body
        body = self.stage.examples.value(declared.schema)
        for place, value in self.references.items():
            if pointer.get(body, place) is not pointer.MISSING:
                body = pointer.put(body, place, value)
        return json.dumps(body, ensure_ascii=False).encode()

    def another(self, identity: Identity, source: str) -> Caller:
        """The same requests by someone else."""
        template = replace(self.template, identity=identity, source=source)
        login = template if self.login is self.template else None
        return replace(self, identity=identity, template=template, login=login, sessions=[])

    def renew(self, count: int) -> Steps[None]:
        """So many sessions of the same identity, each for one call that ends its session."""
        if self.login is None:
            raise CannotTell(f"{self.operation.id} ends its caller's session, and how to begin another is not told")
        while len(self.sessions) < count:
            exchange = yield from patient(one(self.login))
            self.sessions.append(self.stage.actors.entered(self.identity, exchange))


def patient(steps: Steps[Result], kept: list[Request] | None = None) -> Steps[Result]:
    """Set-up that waits out a 429 instead of failing; what it sends is kept."""
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if kept is not None and isinstance(step, Request):
            kept.append(step)
        for waited in range(MAX_WAITS):
            answer = yield step
            if not isinstance(step, Request) or answer.status != TOO_MANY_REQUESTS:
                break
            yield Pause(min(wait_of(answer, waited), MAX_WAIT_S))


def caller(stage: Stage, operation: Operation, limit: Limit) -> Steps[Caller]:
    """A caller that the limit counts, fresh where identities can be made; raises CannotTell where there is none."""
    sent: list[Request] = []
    told = stage.actors.told
    entry = {table for table in ("register", "login") if told.get(table, {}).get("operation") == operation.id}
    identity = yield from patient(_identity(stage, operation, limit, anonymous="register" in entry), sent)
    login = next((item for item in reversed(sent) if item.operation == told.get("login", {}).get("operation")), None)
    if "login" in entry:
        if login is None:
            raise CannotTell(f"{operation.id}: how to log in is not told")
        identity = stage.anonymous()
        return Caller(stage, operation, identity, login, {}, shared=not stage.source, login=login)
    template: Request = yield from patient(things.valid(stage, operation, identity=identity, step=SETUP))
    places = pointer.leaves(template.json()) if template.body else ()
    references = {place: value for place, value in places if _refers(stage, place)}
    if limit.key(template) is None:
        raise CannotTell(f"{limit.name} counts no caller that {operation.id} allows")
    return Caller(stage, operation, identity, template, references, shared=_shared(stage, identity), login=login)


def other(stage: Stage, first: Caller, limit: Limit) -> Steps[Caller | None]:
    """A second caller of the same role, whom the first one's exhaustion must not touch; None where there is none."""
    if first.identity.name == ANONYMOUS.name:
        if not stage.source:
            return None
        return first.another(first.identity, loopback(stage, stage.source))
    try:
        identity = yield from patient(_identity(stage, first.operation, limit, other_than=(first.identity,)))
    except CannotTell:
        return None
    return first.another(identity, stage.source) if identity.name != first.identity.name else None


def abroad(stage: Stage, first: Caller, limit: Limit) -> Caller | None:
    """Nobody at the same address in another tenant, whom the limit counts apart; None where there is no such caller.

    What is written there shows that tenant's mark.
    """
    tenants = [name for name in stage.actors.tenants if name != stage.tenant]
    nobody = first.identity.name == ANONYMOUS.name and first.identity.tenant == stage.tenant
    if not (limit.per_tenant and stage.source and tenants and nobody):
        return None
    tenant = stage.random.choice(tenants)
    here, there = (stage.actors.tenant_prefix(name) for name in (stage.tenant, tenant))
    path = f"{there}{first.template.path.removeprefix(here)}"
    template = replace(first.template, path=path)
    login = template if first.login is first.template else None
    there_stage = stage.elsewhere(tenant)
    moved = replace(first, stage=there_stage, template=template, login=login)
    return moved.another(there_stage.anonymous(), template.source)


def loopback(stage: Stage, but: str = "") -> str:
    """An address of this machine that hardly anybody else sends from, 127.0.0.0/8."""
    while True:
        drawn = ".".join(["127", *(str(stage.random.randint(2, 250)) for _ in range(3))])
        if drawn != but:
            return drawn


def _identity(
    stage: Stage,
    operation: Operation,
    limit: Limit,
    *,
    anonymous: bool = False,
    other_than: Sequence[Identity] = (),
) -> Steps[Identity]:
    """Someone who may call and whom the limit counts: signed in where that can be, as a key of one's own is certain."""
    if anonymous:
        return stage.anonymous()
    roles = stage.contract.promise("roles", operation)
    allowed = [role for role in (roles["allow"] if roles else ["signed-in"]) if role not in limit.exempt]
    if not allowed:
        raise CannotTell(f"{limit.name} counts no role that {operation.id} allows")
    role = "signed-in" if allowed[0] in NOBODY else allowed[0]
    try:
        if other_than and not stage.actors.can_register:
            return (yield from stage.actors.known(stage, role if role not in NOBODY else "", other_than=other_than))
        return (yield from stage.actors.with_role(stage, role))
    except CannotTell:
        if operation.secured or other_than:
            raise
        return stage.anonymous()


def _refers(stage: Stage, place: str) -> bool:
    names = [token for token in pointer.tokens(place) if not token.isdigit()]
    return bool(names) and things.referred(stage.contract, names[-1]) is not None


def _shared(stage: Stage, identity: Identity) -> bool:
    """Whether others may speak for the same key: a known identity, or nobody from the machine's usual address."""
    if identity.name == ANONYMOUS.name:
        return not stage.source
    return identity.name in {entry["name"] for entry in stage.actors.told.get("known", ())}
