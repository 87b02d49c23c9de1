"""What HTTP itself asks of an answer, as lines of Python (see assertion.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render.asked import status
from harness.render.rule import Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.render.asked import Asked

# More is no test that anybody reads.
MOST_BODY = 262_144


def _challenge(asked: Asked) -> list[str]:
    """A 401 says how to sign in."""
    return [
        f"same(answers[{asked.last}], 401)",
        f"check(answers[{asked.last}], lambda answer: answer.header('WWW-Authenticate'))",
    ]


def _allow(asked: Asked) -> list[str]:
    """A 405 names the methods of the path, and none of those that nobody documents."""
    number = len(asked.steps) - 1
    step = asked.steps[number]
    known = sorted(item.method.lower() for item in asked.contract.at(step["path"]) if item.method != step["method"])
    lines = [
        f"same(answers[{number}], 405)",
        f"check(answers[{number}], lambda answer: answer.header('Allow') is not None)",
        f"check(answers[{number}], lambda answer: words(answer.header('Allow')) >= set({known!r}))",
    ]
    more = [part[1:].lower() for part in asked.finding.kind.split() if part.startswith("+")]
    if more:
        lines.append(f"check(answers[{number}], lambda answer: not words(answer.header('Allow')) & set({more!r}))")
    return lines


def _content(asked: Asked) -> list[str]:
    """A 204 announces no content; another status may have some."""
    if asked.finding.kind != "204":
        raise Unstated("a client of the standard library reads no content after a 304, so that it cannot see any")
    length = "(answer.header('Content-Length') or '0').strip() == '0'"
    test = f"answer.status != 204 or ({length} and answer.header('Transfer-Encoding') is None)"
    return [f"clear(answers[{asked.last}], [])", f"check(answers[{asked.last}], lambda answer: {test})"]


def _location(asked: Asked) -> Stated:
    """The address that a 201 names, as it is answered now, is followed to the thing."""
    if asked.finding.kind == "cut off":
        raise Unstated("it is told by others that are served meanwhile")
    made, followed = asked.word("made"), asked.word("followed-later", "followed")
    lines = [f"same(answers[{made}], 201)", status(followed, "not in (404, 410)")]
    return Stated(
        lines, paths={followed: f"leads(answers[{made}])[0]"}, queries={followed: f"leads(answers[{made}])[1]"}
    )


def _head(asked: Asked) -> list[str]:
    """HEAD has the status and the headers of GET."""
    got, head = asked.word("got"), asked.word("head")
    lines = [
        f"clear(answers[{got}], [])",
        f"check(answers[{head}], lambda answer: answer.status == answers[{got}].status)",
    ]
    for name in asked.finding.kind.split():
        if name != "status":
            test = f"answer.header({name!r}) == answers[{got}].header({name!r})"
            lines.append(f"check(answers[{head}], lambda answer: {test})")
    return lines


def _bounded(asked: Asked) -> list[str]:
    """A body of one byte too many is refused, and one of as many as there may be is not too large."""
    if asked.finding.kind == "untold":
        raise Unstated("its body is sent in chunks, which the client of a test does not do")
    number = asked.word("length-over", "length-within")
    if len(asked.steps[number]["body"] or "") > MOST_BODY:
        raise Unstated(f"its body is longer than the {MOST_BODY} bytes that a test holds")
    test = "!= 413" if asked.finding.kind == "within" else "in range(400, 500)"
    return [f"done(answers[{asked.word('length-valid')}])", status(number, test)]


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    "http.challenge": _challenge,
    "http.allow": _allow,
    "http.content": _content,
    "http.location": _location,
    "http.head": _head,
    "http.body-bound": _bounded,
}
