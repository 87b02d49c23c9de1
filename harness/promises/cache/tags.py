"""The part of `cache` about entity tags: 304 where nothing changed, a new tag where something did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.case import one
from harness.errors import CannotTell
from harness.promises import subject as subjects
from harness.promises.cache import ground
from harness.promises.cache import steps as words
from harness.promises.cache.steps import each, first, step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Steps
    from harness.contract import Operation
    from harness.exchange import Exchange
    from harness.promises.cache.annotation import Cause, Told
    from harness.promises.cache.ground import Ground
    from harness.promises.look import Look
    from harness.stage import Stage

NOT_MODIFIED = 304
UNLIKE = '"no-tag-of-yours"'
HEADER = "If-None-Match"
PROMISED = "An entity tag stands for one content (RFC 9110, 8.8.3)."
ASKED = "If-None-Match with the present tag is answered 304 without a body, and with any other 200 (RFC 9110, 13.1.2)."


def tag_of(exchange: Exchange | None) -> str:
    """The entity tag of an answer; empty where it has none."""
    return (exchange.response.header("ETag") or "") if exchange is not None and exchange.response is not None else ""


def _weak(tag: str) -> str:
    return tag if tag.startswith("W/") else f"W/{tag}"


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def _tagged(ready: Ground) -> Steps[Exchange]:
    """Two reads of what does not change; raises CannotTell where they show no tag to go on with."""
    form = ready.forms[-1] if ready.is_list else ready.forms[0]
    seen = yield from one((yield from ready.request(form, step(words.TAG, words.BEFORE))))
    yield from one((yield from ready.request(form, step(words.TAG, words.SAME))))
    return seen


def _asked(ready: Ground, tag: str, word: str) -> Steps[Exchange]:
    form = ready.forms[-1] if ready.is_list else ready.forms[0]
    request = yield from ready.request(form, step(words.CONDITIONAL, word))
    return (yield from one(replace(request, headers=(*request.headers, (HEADER, tag)))))


def conditional(operation: Operation, declared: Told, stage: Stage) -> Steps[None]:
    """The tag that was seen, `*`, a list of tags, the tag as a weak one, and one that was never told."""
    ready = yield from ground.prepared(stage, operation, declared)
    seen = yield from _tagged(ready)
    tag = tag_of(seen)
    if not tag:
        return
    asked = ((tag, words.SEEN), ("*", words.ANY), (f"{UNLIKE}, {tag}", words.LISTED), (_weak(tag), words.WEAK))
    for text, word in (*asked, (UNLIKE, words.OTHER)):
        yield from _asked(ready, text, word)


def after(operation: Operation, declared: Told, stage: Stage, *, cause: Cause) -> Steps[None]:
    """A change by a cause: the tag is another where the content is, and the old one is not answered 304."""
    ready = yield from ground.prepared(stage, operation, declared)
    seen = yield from _tagged(ready)
    if not tag_of(seen):
        raise CannotTell(f"{operation.id} shows no entity tag")
    current = seen if not ready.is_list else (yield from ready.thing(words.BEFORE))
    request = yield from ground.aimed(ready, cause, current)
    yield from ground.acknowledged(request, step(words.WRITTEN, cause.operation))
    form = ready.forms[-1] if ready.is_list else ready.forms[0]
    yield from one((yield from ready.request(form, step(words.TAG, words.AFTER))))
    yield from _asked(ready, tag_of(seen), words.STALE)


def judged(look: Look, exchanges: Sequence[Exchange]) -> None:
    """Judges the tags that a case's reads showed."""
    before, same = first(exchanges, words.TAG, words.BEFORE), first(exchanges, words.TAG, words.SAME)
    if before is None or same is None or not (look.answered(before) and look.answered(same)):
        return
    if subjects.shown(before) is None or subjects.shown(same) is None:
        return
    look.examined += 1
    tag = tag_of(before)
    still = subjects.shown(before) == subjects.shown(same)
    if not tag:
        look.found("cache.tag", "absent", PROMISED, "An answer has no ETag.", before)
        return
    if still and tag_of(same) != tag:
        seen = f"Two reads of the same content were tagged {tag} and {tag_of(same)}."
        look.found("cache.tag", "same content", PROMISED, seen, before, same)
    elif still:
        for exchange in each(exchanges, words.CONDITIONAL):
            _conditional(look, tag, before, exchange)
    _changed(look, before, same, exchanges)


def _conditional(look: Look, tag: str, before: Exchange, exchange: Exchange) -> None:
    word = exchange.request.step.split("|")[1]
    if word == words.STALE or not look.answered(exchange):
        return
    look.examined += 1
    asked = exchange.request.headers[-1][1]
    if word == words.OTHER:
        if exchange.status == NOT_MODIFIED:
            look.found("cache.not-modified", word, ASKED, f"{asked} was answered 304.", before, exchange)
        return
    if exchange.status != NOT_MODIFIED:
        seen = f"{HEADER}: {asked} was answered {exchange.status}, where the tag was {tag}."
        look.found("cache.not-modified", word, ASKED, seen, before, exchange)
    elif exchange.response is not None and exchange.response.body:
        look.found("cache.not-modified", "body", ASKED, "A 304 has a body.", before, exchange)
    elif _opaque(tag_of(exchange)) != _opaque(tag):
        seen = f"A 304 is tagged {tag_of(exchange) or 'with nothing'}, where the tag was {tag}."
        look.found("cache.not-modified", "tag", ASKED, seen, before, exchange)


def _changed(look: Look, before: Exchange, same: Exchange, exchanges: Sequence[Exchange]) -> None:
    """What a change did to content and tag; members that change with every read count for nothing."""
    written, later = first(exchanges, words.WRITTEN), first(exchanges, words.TAG, words.AFTER)
    if written is None or later is None or not look.answered(later) or subjects.shown(later) is None:
        return
    restless = subjects.changes(subjects.shown(before), subjects.shown(same))
    places = [place for place in subjects.changes(subjects.shown(same), subjects.shown(later)) if place not in restless]
    if not places:
        return
    look.examined += 1
    old, new = tag_of(before), tag_of(later)
    changed = ", ".join(places[:3])
    if old == new:
        seen = f"After {written.operation} {changed} had changed, and the tag was {old} as before."
        look.found("cache.tag", f"after {written.operation}", PROMISED, seen, before, written, later)
    stale = first(exchanges, words.CONDITIONAL, words.STALE)
    if old != new and stale is not None and stale.status == NOT_MODIFIED:
        seen = f"After {written.operation} {changed} had changed, and {HEADER}: {old} was answered 304."
        look.found("cache.not-modified", f"after {written.operation}", ASKED, seen, before, written, later, stale)
