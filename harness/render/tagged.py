"""What an answer may tell caches, and what a tag and If-None-Match come to, as lines of Python (see assertion.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render.asked import status
from harness.render.rule import LACKING, Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.render.asked import Asked

CONDITION = "if-none-match"
FORMS = {
    "seen": "{0}",
    "listed": "'\"no-tag-of-yours\", ' + {0}",
    "weak": "'W/' + {0}.removeprefix('W/')",
    "stale": "{0}",
}


def _step(asked: Asked, *texts: str) -> int:
    for number, step in enumerate(asked.steps):
        if str(step["step"]) in texts:
            return number
    raise Unstated(LACKING)


def _same(one: str, other: str) -> str:
    return f"{one}.json() == {other}.json()"


def _tag(asked: Asked) -> list[str]:
    """A tag is there, the same for the same content and another for another."""
    before, kind = _step(asked, "tag|before"), asked.finding.kind
    tag, old = "answer.header('ETag')", f"answers[{before}]"
    if kind == "absent":
        return [f"done({old})", f"check({old}, lambda answer: {tag} is not None)"]
    later = _step(asked, "tag|same" if kind == "same content" else "tag|after")
    unlike = f"not ({_same('answer', old)})"
    test = f"{unlike} or {tag} == {old}.header('ETag')"
    if kind != "same content":
        test = f"{_same('answer', old)} or {tag} != {old}.header('ETag')"
    return [f"done({old})", f"done(answers[{later}])", f"check(answers[{later}], lambda answer: {test})"]


def _not_modified(asked: Asked) -> Stated:
    """The present tag is answered 304, and another one is not; the tags are those that are answered now."""
    before, kind = _step(asked, "tag|before"), asked.finding.kind
    number = next((n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("conditional|")), None)
    if number is None or kind == "body":
        raise Unstated("a client of the standard library reads no content after a 304, so that it cannot see any")
    word = str(asked.steps[number]["step"]).partition("|")[2]
    told = f"answers[{before}].told('header:ETag')"
    lines = [f"done(answers[{before}])", f"clear(answers[{number}], [])"]
    if word == "stale":
        later = f"answers[{_step(asked, 'tag|after')}]"
        test = f"{_same(later, f'answers[{before}]')} or answer.status != 304"
        lines.append(f"check(answers[{number}], lambda answer: {test})")
    elif kind == "tag":
        test = f"(answer.header('ETag') or '').removeprefix('W/') == {told}.removeprefix('W/')"
        lines += [f"same(answers[{number}], 304)", f"check(answers[{number}], lambda answer: {test})"]
    else:
        lines.append(status(number, "!= 304" if word == "other" else "== 304"))
    form = FORMS.get(word)
    return Stated(lines, headers={(number, CONDITION): form.format(told)} if form else {})


def _headers(asked: Asked) -> list[str]:
    """Age and Cache-Control say no more than the promised age; what is a caller's own, or a tenant's, is not shared."""
    kind, told = asked.finding.kind, asked.contract.promise("cache", asked.operation)
    if not isinstance(told, dict):
        raise Unstated("the contract promises no age any more")
    number, control = asked.last, "words(answer.header('Cache-Control'))"
    unshared = f"{control} & {{'no-store', 'private', 'no-cache'}}"
    if kind == "Age":
        test = f"int(answer.header('Age') or 0) <= {told['age_s']} + 1"
    elif kind in {"max-age", "s-maxage"}:
        ages = f"[int(word.partition('=')[2].strip('\"')) for word in {control} if word.startswith('{kind}=')]"
        test = f"{control} & {{'no-store', 'no-cache'}} or all(age <= {told['age_s']} for age in {ages})"
    elif kind == "public":
        signed = asked.steps[number]["identity"]["name"] != "anonymous"
        shared = ("public", "s-maxage") if signed else ("public", "s-maxage", "max-age")
        test = f"{unshared} or not any(word.startswith({shared!r}) for word in {control})"
    else:
        ways = (asked.contract.promise("tenant", asked.operation) or {}).get("told", ())
        name = next((way["name"] for way in ways if way["in"] == "header"), "").lower()
        test = f"{unshared} or words(answer.header('Vary')) & {{{name!r}, '*'}}"
    return [f"done(answers[{number}])", f"check(answers[{number}], lambda answer: {test})"]


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "cache.tag": _tag,
    "cache.not-modified": _not_modified,
    "cache.headers": _headers,
}
