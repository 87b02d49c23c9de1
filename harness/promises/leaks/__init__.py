"""The standing promise that no body tells what is inside: no stack, SQL, path or secret.

An error is searched for all of them. A success holds data, which may be any text that someone stored: there only a
whole stack trace, a member made for debugging, a password's hash and an undocumented secret member are leaks.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.mask import is_secret_name
from harness.promises.leaks.forms import (
    DEBUG_HINTS,
    DEBUG_NAMES,
    ERRORS,
    FRAMES,
    HIDDEN_HINTS,
    HIDDEN_NAMES,
    SECRETS,
    Form,
    plain,
)
from harness.promises.leaks.members import undocumented
from harness.promises.leaks.sent import Sent, texts, without
from harness.promises.misfit import members
from harness.promises.promise import Promise
from harness.promises.schema import is_on
from harness.promises.sightings import Sight, Sightings, asked, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request, Response
    from harness.verdict import Verdict

KEY = "leaks"
PROMISED = {
    "leaks.stack": "no body shows a stack trace or the class of an exception",
    "leaks.sql": "no body shows a statement or an error of the database",
    "leaks.path": "no body shows a path of the server's file system",
    "leaks.secret": "no body shows a password, its hash or another secret of the server",
}
ERROR = 400
WHOLE_TRACE = 2
MIN_PASSWORD = 8
KNOWN_PASSWORD = "[masked password]"  # noqa: S105 - what mask.py writes in the place of one
KNOWN_SECRET = "[masked secret]"  # noqa: S105 - the same of what the run was told by its environment
ERROR_HINTS = tuple(dict.fromkeys(hint for form in (*FRAMES, *ERRORS) for hint in form.hints))
DATA_HINTS = tuple(dict.fromkeys([*(hint for form in FRAMES for hint in form.hints), *DEBUG_HINTS]))
SECRET_HINTS = tuple(hint for form in SECRETS for hint in form.hints)


def applies(contract: Contract, operation: Operation) -> bool:
    """Every operation, unless it is switched off with false."""
    return is_on(contract, operation, KEY)


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Whether a body of the operation shows what is inside the server."""
    sightings = Sightings(KEY, operation.id)
    sent = Sent(exchanges)
    examined = 0
    for exchange in exchanges:
        if exchange.response is None or exchange.operation != operation.id:
            continue
        examined += 1
        for sight in _sights(contract, operation, exchange, exchange.response, sent):
            sightings.add(sight, exchange)
    return sightings.verdict(examined, "no call of the operation was answered")


def _sights(
    contract: Contract, operation: Operation, exchange: Exchange, response: Response, sent: Sent
) -> Iterator[Sight]:
    body = response.body.decode("utf-8", "replace")
    lower = body.lower()
    if any(hint in lower for hint in (ERROR_HINTS if response.status >= ERROR else DATA_HINTS)):
        yield from _inside(exchange, response, _strings(body), sent)
    if any(hint in lower for hint in SECRET_HINTS):
        yield from _searched(SECRETS, _strings(body), exchange, sent)
    if response.status < ERROR and any(hint in lower for hint in HIDDEN_HINTS):
        yield from _hidden(contract, operation, exchange, response)
    if response.status < ERROR:
        yield from _password(exchange, body, sent)
    if KNOWN_SECRET in body and not _carried(exchange.request):
        yield from _credential(contract, operation, exchange, response)


def _strings(body: str) -> list[tuple[str, str]]:
    """The texts of a body, each with the name of the member that holds it: of JSON its strings, else the body."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return [("", body)]
    found = [(name, text) for name, member in members(value) for text in _texts(member)]
    return found + [("", text) for text in _texts(value)]


def _texts(value: Any) -> Iterator[str]:
    """The strings of a value that stand in no object below it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _inside(exchange: Exchange, response: Response, strings: Sequence[tuple[str, str]], sent: Sent) -> Iterator[Sight]:
    if response.status >= ERROR:
        yield from _searched((*FRAMES, *ERRORS), strings, exchange, sent)
        return
    debugging = [(name, text) for name, text in strings if plain(name) in DEBUG_NAMES]
    yield from _searched((*FRAMES, *ERRORS), debugging, exchange, sent)
    yield from _searched(FRAMES, strings, exchange, sent, at_least=WHOLE_TRACE)


def _searched(
    forms: Iterable[Form], strings: Sequence[tuple[str, str]], exchange: Exchange, sent: Sent, *, at_least: int = 1
) -> Iterator[Sight]:
    """A sight for each form of which a string has so many pieces that no request sent.

    A path that stands in a stack frame is the frame's.
    """
    for name, text in strings:
        lower = text.lower()
        frames: list[str] = []
        for form in forms:
            if not any(hint in lower for hint in form.hints) or form.pattern.search(text) is None:
                continue
            pieces = list(form.matches(without(text, exchange.request)))
            own = [piece for piece in pieces if not sent.holds(piece)]
            if form.code == "leaks.stack":
                frames += own
            elif form.code == "leaks.path":
                own = [piece for piece in own if not any(piece in frame for frame in frames)]
            if len(own) >= at_least and not sent.holds(text):
                where = f"in the member {name!r}" if name else "in its body"
                yield _sight(form.code, form.kind, f"{_answered(exchange)} with {where}: {shown(own[0])}")


def _hidden(contract: Contract, operation: Operation, exchange: Exchange, response: Response) -> Iterator[Sight]:
    """Members of a success that have a secret's name and that the contract does not show."""
    answer = operation.answer(response.status)
    schemas = [body.schema for body in answer.bodies if body.pointer] if answer else []
    for name, member in undocumented(contract, schemas, response.json()):
        if plain(name) in HIDDEN_NAMES and isinstance(member, str) and member.strip("*•xX. "):
            yield _sight("leaks.secret", f"member {plain(name)}", f"{_answered(exchange)} with a member {name!r}")


def _credential(contract: Contract, operation: Operation, exchange: Exchange, response: Response) -> Iterator[Sight]:
    """A credential of a caller that comes back: anywhere in an error, in a success where the contract shows no member.

    It stands masked in the body: only what the run was told by its environment is known to be one.
    """
    if response.status >= ERROR:
        leaked = any(KNOWN_SECRET in text for _, text in _strings(response.body.decode("utf-8", "replace")))
    else:
        answer = operation.answer(response.status)
        schemas = [body.schema for body in answer.bodies if body.pointer] if answer else []
        members_of = undocumented(contract, schemas, response.json())
        leaked = any(isinstance(member, str) and KNOWN_SECRET in member for _, member in members_of)
    if leaked:
        yield _sight("leaks.secret", "known secret", f"{_answered(exchange)} with a caller's credential in its body")


def _carried(request: Request) -> bool:
    """Whether the request itself has a known secret in its path, query or body, where an answer may quote it."""
    return any(KNOWN_SECRET in text for text in texts(replace(request, headers=())))


def _password(exchange: Exchange, body: str, sent: Sent) -> Iterator[Sight]:
    """A password that comes back: one that the recorder masked, or the one that this very request sent."""
    if KNOWN_PASSWORD in body:
        if not sent.holds(KNOWN_PASSWORD):
            yield _sight("leaks.secret", "known password", f"{_answered(exchange)} with a password in its body")
        return
    for password in _passwords(exchange):
        if password in body and any(password == text for _, text in _strings(body)):
            yield _sight("leaks.secret", "known password", f"{_answered(exchange)} with the password that was sent")
            return


def _passwords(exchange: Exchange) -> list[str]:
    """Passwords that the request carries, in no other member, and that look like no other word."""
    body = exchange.request.body
    if not body or b"assw" not in body.lower():
        return []
    found = [
        member
        for name, member in members(exchange.request.json())
        if isinstance(member, str) and is_secret_name(name) and "passw" in plain(name)
    ]
    sent = list(texts(exchange.request))
    return [
        text
        for text in found
        if len(text) >= MIN_PASSWORD
        and not text.isalpha()
        and any(character.isalpha() for character in text)
        and "[masked" not in text
        and sent.count(text) == 1
    ]


def _answered(exchange: Exchange) -> str:
    return f"{asked(exchange)} was answered {exchange.status}"


def _sight(code: str, kind: str, seen: str) -> Sight:
    return Sight(code, kind, PROMISED[code], seen)


PROMISE = Promise(
    key=KEY,
    annotation={"type": "object", "maxProperties": 0},
    applies=applies,
    judge=judge,
    masked=True,
)
