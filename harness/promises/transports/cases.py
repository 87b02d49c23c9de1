"""The cases of `transports`: at each further transport, who may not call an operation, and then one that may.

All act on one thing, which is the one's own that may: what is refused leaves it as it is, so it is read once before
them and once after. Where somebody was let in nothing is sure of it any more, and the next get a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Steps, one
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.identities import ANONYMOUS
from harness.promises import precondition, roles
from harness.promises import subject as subjects
from harness.promises.attempt import AFTER, AGAIN, BEFORE, MAY, MAY_NOT
from harness.promises.transports.door import ALIKE, KEY, NESTED, OF_THE_INPUT, Door, doors
from harness.promises.transports.input import nested

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether another transport is declared where somebody is to be refused; a stream has no end to wait for."""
    told = roles.promised(contract, operation)
    closed = bool(told) and roles.ANYONE not in told["allow"]
    return closed and not operation.streams and bool(doors(contract, operation))


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """A case a transport."""
    told = roles.promised(contract, operation)
    return [
        Case(KEY, operation.id, door.word, partial(_steps, operation, told, door), outside=True)
        for door in doors(contract, operation)
    ]


@dataclass(slots=True)
class _Ground:
    """What every call of a case has in common, and what it acts on: a valid request of one that may, as the next."""

    stage: Stage
    operation: Operation
    door: Door
    caller: Identity
    label: str
    subject: Subject | None = None
    before: Exchange | None = None
    request: Request | None = None
    let_in: bool = False

    def tried(self, step: str, identity: Identity | None = None) -> Steps[Exchange]:
        """The call as somebody, or as the one that may; where it may have done something, the next is made anew."""
        request = self.request if self.request is not None else (yield from self._prepared())
        who = identity if identity is not None else self.caller
        sent = self.door.through(self.stage, self.operation, replace(request, identity=who))
        call = yield from one(replace(sent, step=f"{step} {self.door.word}"))
        if call.outcome is not Outcome.REFUSED:
            self.let_in, self.request, self.subject = True, None, None
        return call

    def _prepared(self) -> Steps[Request]:
        """A request that is valid but perhaps for its caller, on a thing of the one's own that may."""
        stage, operation = self.stage, self.operation
        if self.let_in:
            # who was let in may have ended the last one
            self.caller = yield from roles.in_role(stage, operation, self.label)
        target = subjects.acted_on(stage.contract, operation)
        if target is not None and self.subject is None:
            self.subject = yield from subjects.own(stage, operation, target[0], self.caller)
        path = subjects.path_of(stage.contract, operation, self.subject) if self.subject else None
        request: Request = yield from things.valid(stage, operation, identity=self.caller, path=path)
        if self.subject is not None:
            self.before = yield from subjects.read(stage, self.subject, f"{BEFORE}:{self.door.word}")
            forms = precondition.forms(stage.contract, operation, self.subject.resource)
            request = precondition.current(request, forms, self.before or self.subject.made)
        self.request = request
        return request

    def allowed(self) -> Steps[None]:
        """The call as one that may; where it is refused, in the transport's other words, and by the document's own."""
        call = yield from self.tried(f"{MAY}:{self.label}")
        if call.outcome is Outcome.REFUSED and self.request is not None:
            if self.door.form.nests and call.status in OF_THE_INPUT:
                sent = self.door.through(self.stage, self.operation, self.request, written=nested)
                if (yield from one(replace(sent, step=f"{NESTED}:{self.door.word}"))).outcome is not Outcome.REFUSED:
                    return
            yield from one(replace(self.request, step=f"{ALIKE}:{self.door.word}"))

    def looked(self) -> Steps[None]:
        """The thing as it is after all that was refused."""
        before = subjects.shown(self.before)
        if self.let_in or self.subject is None or before is None:
            return
        after = yield from subjects.read(self.stage, self.subject, f"{AFTER}:{self.door.word}")
        if subjects.changes(before, subjects.shown(after)):
            yield from subjects.read(self.stage, self.subject, f"{AGAIN}:{self.door.word}")


def _steps(operation: Operation, told: Mapping[str, Any], door: Door, stage: Stage) -> Steps[None]:
    """Who may not, one after another; the thing after them; one that may."""
    stage.familiar = stage.actors.company()
    labels = list(roles.labels(stage, declared=bool(stage.contract.promise(roles.KEY, operation))))
    ground = yield from _ground(stage, operation, told, door, labels)
    reasons = []
    for label in labels:
        try:
            identity = yield from _refused(stage, operation, told, label)
        except CannotTell as reason:
            reasons.append(str(reason))
            continue
        if identity is not None:
            yield from ground.tried(f"{MAY_NOT}:{label}", identity)
    yield from ground.looked()
    yield from ground.allowed()
    if reasons:
        raise CannotTell("; ".join(dict.fromkeys(reasons)))


def _ground(
    stage: Stage, operation: Operation, told: Mapping[str, Any], door: Door, labels: Sequence[str]
) -> Steps[_Ground]:
    """The first role that may and that can be had, with a thing of its own where the operation acts on one."""
    target = subjects.acted_on(stage.contract, operation)
    reasons = [f"nobody that may call {operation.id} can be had"]
    for label in [name for name in labels if _allowed(told, name)] or [roles.SIGNED_IN]:
        try:
            identity = yield from _may(stage, operation, label)
            own = (yield from subjects.own(stage, operation, target[0], identity)) if target else None
        except CannotTell as reason:
            reasons.append(str(reason))
            continue
        if target is None or own is not None:
            return _Ground(stage, operation, door, identity, label, own)
    raise CannotTell("; ".join(dict.fromkeys(reasons)))


def _may(stage: Stage, operation: Operation, label: str) -> Steps[Identity]:
    """An identity that may call and that a call does not take from other cases."""
    identity = yield from roles.in_role(stage, operation, label)
    if roles.ENDS_SESSION.search(operation.path) and not stage.actors.can_register:
        raise CannotTell(f"{operation.id} would end the session of {identity.name}, which other cases need")
    return identity


def _refused(stage: Stage, operation: Operation, told: Mapping[str, Any], label: str) -> Steps[Identity | None]:
    """The identity of a label that may not call; None where it may, as one whom the default role lets in."""
    if label == ANONYMOUS.name:
        return stage.anonymous()
    if _allowed(told, label) or stage.actors.told.get("default_role", "") in told["allow"]:
        return None
    identity = yield from roles.in_role(stage, operation, label)
    return None if subjects.may(stage.contract, operation, identity) else identity


def _allowed(told: Mapping[str, Any], label: str) -> bool:
    return label != ANONYMOUS.name and bool({label, roles.SIGNED_IN} & set(told["allow"]))
