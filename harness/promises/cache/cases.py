"""The cases of `cache`: changes that a read must show, ages, answers of others, entity tags."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.case import Case, Pause, one, together
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import precondition, writing
from harness.promises import subject as subjects
from harness.promises.cache import apart, ground, tags
from harness.promises.cache import steps as words
from harness.promises.cache.annotation import KEY, NS, Cause, Told, told
from harness.promises.cache.judge import SLACK_NS, fresh
from harness.promises.cache.steps import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.promises.cache.ground import Ground
    from harness.stage import Stage

WRITES = 3
POLLS = 6
AGE = "age"
MAX_AGE_S = 3.0


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case for each change and each way in which an answer may be the wrong one.

    How long an answer lives is seen only where nobody else's change ends it: that case runs alone.
    """
    declared = told(contract, operation)
    if declared is None:
        return ()
    return tuple(
        Case(KEY, operation.id, name, partial(steps, operation, declared), alone=name == AGE)
        for name, steps in _parts(contract, operation, declared)
    )


def _parts(
    contract: Contract, operation: Operation, declared: Told
) -> Iterator[tuple[str, Callable[[Operation, Told, Stage], Steps[None]]]]:
    resource = declared.resource
    update = resource.update if resource else ""
    if update in contract.by_id:
        yield "changes", partial(_changes, together_too=declared.forgets(update))
        if declared.age_s:
            yield AGE, _age
    for cause in declared.causes:
        shown = resource is not None and (operation.id == resource.list or cause.operation == resource.delete)
        if shown and cause.operation != update:
            yield f"after-{cause.operation}", partial(_after, cause=cause)
        if declared.etag and resource is not None and cause.operation not in {resource.create, resource.delete}:
            yield f"tag-after-{cause.operation}", partial(tags.after, cause=cause)
    if resource is None or resource.create in contract.by_id:
        yield "tenants", apart.tenants
        if declared.private:
            yield "callers", apart.callers
        if resource is not None and operation.id == resource.list:
            yield "sizes", apart.sizes
    if declared.etag:
        yield "conditional", tags.conditional


class _Writer:
    """Writes a member of the thing again and again, each time with a value of its own."""

    def __init__(self, ready: Ground, operation: Operation, member: writing.Member, values: list[Any]) -> None:
        self.ready, self.operation, self.member, self.values = ready, operation, member, values
        self.count = 0
        self.forms = precondition.forms(ready.stage.contract, operation, ready.resource)

    def knows(self, written: Exchange) -> bool:
        """Whether the answer to a write shows the version that the next one needs, or none is needed."""
        return not self.forms or any(precondition.seen(form, written) is not None for form in self.forms)

    def request(self, seen: Exchange | None) -> Steps[Request]:
        """The next write, against the version that was seen."""
        cause = Cause(self.operation.id)
        request = yield from ground.aimed(self.ready, cause, seen)
        body = {pointer.tokens(self.member.place)[0]: None}
        body = pointer.put(body, self.member.place, self.values[self.count])
        kept = request.json() if writing.needs_all(self.ready.stage.contract, self.operation) else {}
        request = precondition.with_body(request, {**(kept if isinstance(kept, dict) else {}), **body})
        request = precondition.current(request, self.forms, seen)
        self.count += 1
        text = step(words.WRITTEN, self.operation.id, self.count, self.member.place, self.member.shown)
        return replace(request, step=text)


def _writer(stage: Stage, operation: Operation, declared: Told, count: int) -> Steps[tuple[_Writer, Exchange]]:
    """A fresh thing and who writes it, with as many values; and the thing as it is before."""
    ready = yield from ground.prepared(stage, operation, declared)
    update = stage.contract.by_id[ready.resource.update]
    seen = yield from ready.thing(words.BEFORE)
    seen = seen or ready.subject.made
    body = subjects.shown(seen)
    if seen is None or body is None:
        raise CannotTell(f"a {ready.resource.name} just made cannot be read")
    forms = precondition.forms(stage.contract, update, ready.resource)
    without = [pointer.tokens(place)[-1] for place in ready.marked]
    without += [form["name"] for form in forms if form["in"] == "body"]
    member, values = writing.first_changeable(stage, update, ready.resource, body, count=count, without=without)
    return _Writer(ready, update, member, values), seen


def _changes(operation: Operation, declared: Told, stage: Stage, *, together_too: bool) -> Steps[None]:
    """A write, then reads in every form; where nothing may outlive it, writes and reads that find nothing kept.

    A read that finds nothing kept, beside a write, may keep what was before it; so the write before is not read.
    """
    writer, seen = yield from _writer(stage, operation, declared, WRITES)
    ready = writer.ready
    yield from ready.read(words.READ)
    for number in range(WRITES if together_too else 1):
        last, unread = number == WRITES - 1, number == WRITES - 2
        form = ready.forms[-1]
        beside = yield from ready.request(form, step(words.READ, form.name))
        request = yield from writer.request(seen)
        count = ground.readers(stage.contract, operation) if last else 0
        written, *_ = yield from together((request, *(beside,) * count))
        if written.outcome is not Outcome.OK:
            raise CannotTell(f"{written.operation} answered {written.status or written.error}")
        if not unread:
            yield from ready.read(words.READ)
        seen = written if writer.knows(written) else (yield from ready.thing(words.AGAIN)) or written


def _age(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """A change, and reads that go on until every one shows it, or the age is over and it must."""
    if declared.age_s > MAX_AGE_S:
        raise CannotTell(
            f"an age of {declared.age_s:g} s is longer than a case waits ({MAX_AGE_S:g} s); start the target with a "
            "profile of short ages"
        )
    writer, seen = yield from _writer(stage, operation, declared, 1)
    ready = replace(writer.ready, forms=writer.ready.forms[-1:])
    yield from ready.read(words.READ)
    written = yield from one((yield from writer.request(seen)))
    if written.outcome is not Outcome.OK:
        raise CannotTell(f"{written.operation} answered {written.status or written.error}")
    form, count = ready.forms[0], ground.readers(stage.contract, operation)
    total_s = declared.age_s + SLACK_NS / NS
    for number in range(POLLS + 1):
        request = yield from ready.request(form, step(words.READ, form.name))
        answers = yield from together((request,) * count)
        late = number == POLLS
        if late or (number and all(fresh(writer.ready, written, answer) for answer in answers)):
            return
        yield Pause(total_s / (POLLS - 1))


def _after(operation: Operation, declared: Told, stage: Stage, *, cause: Cause) -> Steps[None]:
    """An acknowledged call of a cause, between reads in every form and reads of the thing itself."""
    ready = yield from ground.prepared(stage, operation, declared)
    seen = yield from ready.thing(words.BEFORE)
    yield from ready.read(words.PRIMED)
    text = step(words.WRITTEN, cause.operation)
    if cause.operation == ready.resource.create:
        yield from ground.acknowledged((yield from ground.another(ready)), text)
    else:
        request = yield from ground.aimed(ready, cause, seen or ready.subject.made)
        yield from ground.acknowledged(request, text)
    yield from ready.read(words.READ)
    after = yield from ready.thing(words.AFTER)
    if subjects.changes(subjects.shown(seen), subjects.shown(after)):
        yield from ready.thing(words.AGAIN)
