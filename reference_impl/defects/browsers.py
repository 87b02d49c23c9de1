"""Defects of browsers that are signed in by a cookie: A15a, A15b, A15c, A15d, A15e, A15f."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import Defect, changed, identifying
from reference_impl.edge import forgery
from reference_impl.edge.authentication import Authentication
from reference_impl.errors import ApiError
from reference_impl.identity import cookies, csrf
from reference_impl.procedures.accounts import login

if TYPE_CHECKING:
    from reference_impl.contract.procedure import Call, Reply
    from reference_impl.edge.exchange import Exchange
    from reference_impl.procedures.session_types import Credentials

_HIDDEN = b"; HttpOnly"


class Trusting(Authentication):
    """A15a: a cookie is an identity like a token; nobody asks whose page sends the write."""

    def _by_own_page(self, exchange: Exchange, session_id: str) -> None:
        pass


class AnyToken(Authentication):
    """A15b: the token of the header must look like one; whose session it is of, nobody asks."""

    def _by_own_page(self, exchange: Exchange, session_id: str) -> None:
        if exchange.method in forgery.SAFE:
            return
        if not forgery.from_own_site(exchange, self._settings.edge.cors_origins):
            raise ApiError("FORBIDDEN", "A write by the session cookie may come from an allowed origin only.")
        if len(exchange.headers.get(csrf.HEADER, "")) != len(csrf.make("", session_id)):
            raise ApiError("FORBIDDEN", "A write by the session cookie needs the cookie `csrf` as header X-CSRF-Token.")


class DeletesToo(Authentication):
    """A15c: the check is a list of methods that write, in which DELETE was forgotten."""

    def _by_own_page(self, exchange: Exchange, session_id: str) -> None:
        if exchange.method != "DELETE":
            super()._by_own_page(exchange, session_id)


class OtherName(Authentication):
    """A15f: the session's cookie was given another name where it is set, and not where it is read."""

    async def _by_cookie(self, exchange: Exchange, token: str | None) -> None:
        await super()._by_cookie(exchange, None if token is None else cookies.read(f"session={token}", "sid"))


class AnyOrigin(Authentication):
    """A15e: the token is asked for, and nobody looks where the write comes from."""

    def _by_own_page(self, exchange: Exchange, session_id: str) -> None:
        token = exchange.headers.get(csrf.HEADER, "")
        if exchange.method not in forgery.SAFE and not csrf.holds(self._settings.identity.token_key, session_id, token):
            raise ApiError("FORBIDDEN", "A write by the session cookie needs the cookie `csrf` as header X-CSRF-Token.")


async def login_shown(call: Call[Credentials, None]) -> Reply:
    """A15d: the session's cookie is set without HttpOnly, so scripts of the page can read it."""
    reply = await login(call)
    session = f"{cookies.SESSION}=".encode()
    return replace(
        reply,
        headers=tuple(
            (name, value.replace(_HIDDEN, b"") if value.startswith(session) else value) for name, value in reply.headers
        ),
    )


DEFECTS = (
    Defect(
        id="A15a",
        title="A write by the session cookie needs no token and may come from any site",
        codes=("cookie.forged",),
        operations=("auth.login",),
        plant=identifying(Trusting),
    ),
    Defect(
        id="A15b",
        title="The token against forgery of any session is taken for this one",
        codes=("cookie.forged",),
        operations=("auth.login",),
        plant=identifying(AnyToken),
    ),
    Defect(
        id="A15c",
        title="A DELETE by the session cookie needs no token",
        codes=("cookie.forged",),
        operations=("auth.login",),
        plant=identifying(DeletesToo),
    ),
    Defect(
        id="A15d",
        title="The session cookie is set without HttpOnly",
        codes=("cookie.attributes",),
        operations=("auth.login",),
        plant=changed("auth.login", handler=login_shown),
    ),
    Defect(
        id="A15e",
        title="A write by the session cookie may come from any origin",
        codes=("cookie.forged",),
        operations=("auth.login",),
        plant=identifying(AnyOrigin),
    ),
    Defect(
        id="A15f",
        title="The session cookie is read under another name than it is set",
        codes=("cookie.refused",),
        operations=("auth.login",),
        plant=identifying(OtherName),
    ),
)
