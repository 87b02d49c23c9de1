"""What a login gives a browser: its cookies, and the token that scripts of its own site send beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import date_s
from harness.promises.presented import scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.case import Steps
    from harness.contract import Contract
    from harness.exchange import Exchange, Headers, Request
    from harness.identities import Identity
    from harness.stage import Stage

SESSION, TOKEN = "apiKey in a cookie, by its name", "apiKey in a header, by its name"
YEAR_2000_S = 946_684_800.0
AGE = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class Jar:
    """The cookies of one browser by their names, the session's name among them; the header that its own pages send.

    And who is signed in by them, how.
    """

    session: str
    cookies: Mapping[str, str]
    token: Headers
    holder: Identity
    login: Request

    def caller(self, stage: Stage, name: str, *more: tuple[str, str]) -> Identity:
        """The holder as its browser presents it: all cookies at once, and what its requests have beside a token."""
        cookie = ("Cookie", "; ".join(f"{key}={value}" for key, value in self.cookies.items()))
        token = stage.actors.token_of(self.holder)
        others = tuple(pair for pair in self.holder.headers if token and token not in pair[1])
        return replace(self.holder, name=name, headers=(cookie, *more, *others))


def opened(stage: Stage, told: Mapping[str, Any]) -> Steps[Jar]:
    """A fresh account, signed in as by a browser; raises CannotTell where no cookie or token is given."""
    named = _named(stage.contract, "scheme", told["scheme"], "cookie", SESSION)
    place = told.get("token", {}).get("at")
    account, answer = yield from stage.actors.fresh(stage, (place,) if place else (), told.get("with", {}))
    cookies = left(answer)
    for value in cookies.values():
        stage.secret(value, "cookie")
    if not cookies.get(named):
        raise CannotTell(f"{answer.operation} sets no cookie {named!r}; x-promises.cookie.with tells what asks for it")
    token: Headers = ()
    if "token" in told:
        header = _named(stage.contract, "token.scheme", told["token"]["scheme"], "header", TOKEN)
        token = ((header, _token(answer, told["token"], cookies)),)
        stage.secret(token[0][1], "token")
    return Jar(named, cookies, token, stage.actors.entered(account, answer), answer.request)


def _named(contract: Contract, member: str, scheme: str, place: str, wanted: str) -> str:
    """The cookie or the header of a security scheme; raises CannotTell where it is of another kind."""
    found = scheme_of(contract, scheme)
    if (found.get("type"), found.get("in")) != ("apiKey", place) or not found.get("name"):
        raise CannotTell(f"x-promises.cookie.{member} is {scheme!r}, which is no securityScheme of the kind {wanted}")
    return str(found["name"])


def set_cookies(exchange: Exchange) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name, value and attributes, their names in small letters, of each cookie that an answer sets."""
    for header, text in exchange.response.headers if exchange.response else ():
        if header.lower() != "set-cookie":
            continue
        first, *rest = text.split(";")
        name, _, value = first.strip().partition("=")
        pairs = (part.strip().partition("=") for part in rest)
        yield name, value, {key.strip().lower(): text.strip() for key, _, text in pairs}


def left(exchange: Exchange) -> dict[str, str]:
    """The cookies that an answer leaves in a browser, by their names; what it removes is another's, of an old path."""
    return {name: value for name, value, attributes in set_cookies(exchange) if not removes(exchange, attributes)}


def removes(exchange: Exchange, attributes: Mapping[str, str]) -> bool:
    """Whether a Set-Cookie with these attributes removes the cookie: its age is over, or its end is in the past."""
    age = attributes.get("max-age", "")
    if AGE.fullmatch(age):  # what is no number is passed over (RFC 6265, 5.2.2)
        return age.startswith("-") or not age.strip("0")
    ended_s = date_s(attributes.get("expires", ""))
    now_s = date_s((exchange.response.header("Date") if exchange.response else None) or "")
    return ended_s is not None and ended_s <= (YEAR_2000_S if now_s is None else now_s)


def _token(answer: Exchange, told: Mapping[str, Any], cookies: Mapping[str, str]) -> str:
    found: Any = unquote(cookies.get(told.get("cookie", ""), ""))  # as a page's script reads it
    if "at" in told:
        found = pointer.get(answer.response.json() if answer.response else None, told["at"])
    if not isinstance(found, str) or not found:
        where = f"at {told['at']!r}" if "at" in told else f"as the cookie {told['cookie']!r}"
        raise CannotTell(f"{answer.operation} gives no token {where}, so no write by the cookie can be made")
    return found
