"""The case of `key`: parts of one, one revoked, one that ends, and one a scope at what that scope does not grant."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Pause, one, unlimited
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import presented
from harness.promises import subject as subjects
from harness.promises.attempt import MAY_NOT, attempt, each
from harness.promises.key import life
from harness.promises.key.steps import (
    ENDED,
    ENDED_LATER,
    KEY,
    LIVE,
    NARROW,
    NOBODY,
    NOW,
    PART,
    READ,
    REVOKE,
    REVOKED,
    SHORT,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.identities import Identity
    from harness.stage import Stage

MAX_TRIED = 12
MOST_MARKS = 3
MARGIN_S = 0.5
LATER_S = 1.5


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says that it issues a credential."""
    return isinstance(contract.promise(KEY, operation), dict)


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case, in which a key's end is waited for while others are tried."""
    return (Case(KEY, operation.id, "life", partial(_life, operation)),) if applies(contract, operation) else ()


@dataclass(slots=True)
class _Desk:
    """Where keys are issued, to whom, and the read at which they are tried; `short` is the key that is to end."""

    stage: Stage
    operation: Operation
    told: Mapping[str, Any]
    holder: Identity
    read: Operation
    now: Exchange
    short: list[tuple[Exchange, Identity, float]] = field(default_factory=list)

    def credential(self, issued: Exchange) -> Any:
        """What an answer that issues a key has where its key is."""
        return pointer.get(issued.response.json() if issued.response else None, self.told["credential"])

    def presenting(self, credential: str, word: str) -> Identity:
        """The holder by a credential, presented as the document says that keys are."""
        own = presented.headers(self.stage.contract, self.told, credential)
        return replace(
            self.holder,
            name=f"key: {word}",
            headers=(*own, *self.stage.actors.tenant_headers(self.holder.tenant)),
        )

    def issued(self, word: str, scopes: Sequence[str], end: Any) -> Steps[tuple[Exchange, Identity]]:
        """A fresh key and who has it; raises CannotTell where none is issued."""
        members = {}
        if "scopes" in self.told:
            listed = life.member(self.stage.contract, self.operation, self.told["scopes"]).get("type") != "string"
            members[self.told["scopes"]] = list(scopes) if listed else " ".join(scopes)
        if end is not None:
            members[self.told["end"]] = end
        request = yield from things.valid(self.stage, self.operation, identity=self.holder, members=members, step=word)
        exchange = unlimited((yield from one(request)))
        if exchange.outcome is not Outcome.OK or exchange.response is None:
            raise CannotTell(f"{exchange.operation} answered {exchange.status or exchange.error}: no key was issued")
        credential = self.credential(exchange)
        if not isinstance(credential, str) or not credential:
            raise CannotTell(f"{exchange.operation} answered no text at {self.told['credential']!r}, where its key is")
        return exchange, self.presenting(credential, word)

    def tried(self, identity: Identity, word: str) -> Steps[Exchange]:
        """The read, by somebody."""
        return (yield from one(self.stage.request(self.read.id, identity=identity, step=word)))

    @property
    def scopes(self) -> Sequence[str]:
        """Every scope that a key can have."""
        return list(self.told.get("grants", {}))


def _life(operation: Operation, stage: Stage) -> Steps[None]:
    told = stage.contract.promise(KEY, operation)
    presented.headers(stage.contract, told, "")
    holder = yield from things.identity_for(stage, operation)
    stage.familiar = stage.actors.company()
    read = presented.read(stage.contract, told, holder)
    now = yield from one(stage.request(read.id, identity=stage.anonymous(), step=NOBODY))
    desk = _Desk(stage, operation, told, holder, read, now)
    live, key = yield from desk.issued(LIVE, desk.scopes, life.long(stage.contract, operation, told, now))
    if (yield from desk.tried(key, READ)).outcome is not Outcome.OK:
        return
    parts = [_parts(desk, live), _revoked(desk, live, key), *(_narrow(desk, scope) for scope in desk.scopes)]
    if "end" in told:
        parts = [_begun(desk), *parts, _ended(desk)]
    yield from each(parts)


def _parts(desk: _Desk, live: Exchange) -> Steps[None]:
    """Parts of the key that was let in, which is still valid itself, at the read."""
    whole = desk.credential(live)
    beside = (live.response.body if live.response else b"").decode("utf-8", "replace").replace(whole, "")
    for number, part in enumerate(parts_of(whole)):
        if 2 * len(part) >= len(whole) and part not in beside:  # what is told beside the key is its id
            desk.stage.secret(part, "key")
        yield from desk.tried(desk.presenting(part, PART), f"{PART} {number}")


def parts_of(credential: str) -> list[str]:
    """A key up to its first marks that are no letter or digit, up to the last of each, and all of it but its last sign.

    What fills base64 up to its length is no part of it.
    """
    key = credential.rstrip("=")
    ends = [match.start() for match in re.finditer(r"[^A-Za-z0-9]", key)]
    last = {mark: key.rindex(mark) for mark in re.findall(r"[^A-Za-z0-9]", key)}
    found = [*(key[:end] for end in (*ends[:MOST_MARKS], *sorted(last.values())[-MOST_MARKS:])), key[:-1]]
    return [part for part in dict.fromkeys(found) if part]


def _begun(desk: _Desk) -> Steps[None]:
    """The key that is to end, with as short a life as it may have."""
    end, life_s = life.short(desk.stage.contract, desk.operation, desk.told, desk.now)
    exchange, key = yield from desk.issued(SHORT, desk.scopes, end)
    desk.short.append((exchange, key, life_s))


def _ended(desk: _Desk) -> Steps[None]:
    """Tried after its end, which is waited for; where it is let in, once more a while later."""
    for issued, key, life_s in desk.short:
        now = yield from desk.tried(desk.stage.anonymous(), NOW)
        passed_s = (now.done_ns - issued.done_ns) / 1e9
        late_s = desk.told.get("within_s", 0)
        yield Pause(max(0.0, life_s + late_s + MARGIN_S - passed_s))
        if (yield from desk.tried(key, ENDED)).outcome is Outcome.OK:
            yield Pause(LATER_S)
            yield from desk.tried(key, ENDED_LATER)


def _revoked(desk: _Desk, live: Exchange, key: Identity) -> Steps[None]:
    """The key that was let in, revoked by its holder and tried again."""
    contract = desk.stage.contract
    resource = contract.resource_of(desk.operation.id)
    name = desk.told.get("revoke") or (resource.delete if resource else "")
    if resource is None or name not in contract.by_id:
        raise CannotTell(
            f"nothing says how a key of {desk.operation.id} is revoked: tell x-promises.key.revoke, and the key as a "
            "thing under x-promises.resource"
        )
    thing = things.Thing(resource, things.id_of(resource, live), desk.holder, live, live.request.json())
    path = subjects.path_of(contract, contract.by_id[name], subjects.of_thing(contract, thing))
    request = yield from things.valid(desk.stage, contract.by_id[name], identity=desk.holder, path=path, step=REVOKE)
    if (yield from one(request)).outcome is Outcome.OK:
        yield Pause(desk.told.get("within_s", 0))
        yield from desk.tried(key, REVOKED)


def _narrow(desk: _Desk, scope: str) -> Steps[None]:
    """A key of one scope: at the read where that is granted, and at every operation that is not, on things made for it.

    What no request can be made for is passed over, as long as there is another.
    """
    names = desk.told["grants"][scope]
    targets = list(_refused(desk, names))
    if not targets:
        return
    end = life.long(desk.stage.contract, desk.operation, desk.told, desk.now)
    _, key = yield from desk.issued(f"{NARROW} issued {scope}", [scope], end)
    if presented.granted(desk.read, names):
        held = yield from desk.tried(key, f"{NARROW} {scope}")
        if held.outcome is not Outcome.OK:
            return
    reasons: list[str] = []
    tried = 0
    for target in targets:
        if tried == MAX_TRIED:
            break
        try:
            yield from _attempted(desk, target, key, f"{scope} {target.id}")
            tried += 1
        except CannotTell as reason:
            reasons.append(str(reason))
    if not tried:
        raise CannotTell("; ".join(dict.fromkeys(reasons)))


def _refused(desk: _Desk, names: Sequence[str]) -> Iterator[Operation]:
    """What a scope does not grant; what may change its holder comes last, and only where fresh ones can be had."""
    found = [
        operation
        for operation in presented.opened(desk.stage.contract, desk.told, desk.holder)
        if not presented.granted(operation, names)
    ]
    yield from (operation for operation in found if not presented.changes_holder(desk.stage, operation))
    if desk.stage.actors.can_register:
        yield from (operation for operation in found if presented.changes_holder(desk.stage, operation))


def _attempted(desk: _Desk, operation: Operation, key: Identity, label: str) -> Steps[None]:
    """A call, valid in all but that its key is not for it; its thing is read before, and after a refusal."""
    subject = yield from presented.thing(desk.stage, operation, desk.holder)
    step = f"{MAY_NOT}:{label}"
    yield from attempt(desk.stage, operation, subject=subject, identity=desk.holder, step=step, caller=key)
