"""Login by an OpenID provider; served where the settings name one."""

from __future__ import annotations

import hmac
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.clock import rfc3339
from reference_impl.contract.fields import NO_NUL, Count
from reference_impl.contract.procedure import ANYONE, Call, Procedure, Reply
from reference_impl.errors import invalid, unauthorized
from reference_impl.identity import cookies, opaque
from reference_impl.procedures.oauth_writes import STATE_LIFE_S, Login, begin, person_row, take
from reference_impl.procedures.session_types import SignedIn
from reference_impl.procedures.sessions import SECRET, open_session

if TYPE_CHECKING:
    from reference_impl.identity.provider import Provider

Told = Annotated[
    str,
    Meta(
        max_length=4000,
        pattern=NO_NUL,
        description="As the provider sends it back.",
        examples=["SplxlOBeZQQYbYS6WxSbIA"],
    ),
]


class Started(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Where the person goes to sign in, and for how many seconds that may take."""

    authorization_url: Annotated[str, Meta(examples=["https://login.example.org/authorize?state=x"])]
    expires_in: Count


class Returned(msgspec.Struct, forbid_unknown_fields=True):
    """What the provider sends back: the state, and a code or an error; the rest is its own."""

    state: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=NO_NUL,
            description="What the login began with.",
            examples=["oZ8kQ1vYyC4mT0w7rB2nL5xJ9dF3hG6sKpWqEiUaVtM"],
        ),
    ]
    code: Told | UnsetType = UNSET
    error: Told | UnsetType = UNSET
    error_description: Told | UnsetType = UNSET
    error_uri: Told | UnsetType = UNSET
    iss: Told | UnsetType = UNSET
    session_state: Told | UnsetType = UNSET
    scope: Told | UnsetType = UNSET
    authuser: Told | UnsetType = UNSET
    prompt: Told | UnsetType = UNSET
    hd: Told | UnsetType = UNSET


def _provider(call: Call[Any, Any]) -> Provider:
    assert call.services.provider is not None, "these procedures are served where there is one"
    return call.services.provider


async def start(call: Call[None, None]) -> Reply:
    """Begin a login: state, nonce and PKCE verifier are kept, the browser keeps the state as a cookie."""
    now_s = time.time()
    state, nonce, verifier = opaque.make(), opaque.make(), opaque.make()
    url = await _provider(call).authorization_url(state, nonce, verifier)
    key = call.services.settings.identity.token_key
    login = Login(verifier, nonce, rfc3339(now_s), rfc3339(now_s + STATE_LIFE_S))
    await call.database.transaction(partial(begin, opaque.digest(key, "state", state), login))
    issued = cookies.issue_state(state, STATE_LIFE_S, secure=call.secure)
    return Reply(Started(url, STATE_LIFE_S), (*SECRET, *issued))


async def callback(call: Call[None, Returned]) -> Reply:
    """End a login: the state is this browser's and good once, the provider stands by the code, a session opens."""
    query = call.query
    # Without the cookie somebody else's login could be finished in this browser.
    held = cookies.read(call.headers.get("cookie", ""), cookies.STATE) or ""
    if not hmac.compare_digest(held.encode(), query.state.encode()):
        raise unauthorized("This login was not begun here.")
    key = call.services.settings.identity.token_key
    login = await call.database.transaction(
        partial(take, opaque.digest(key, "state", query.state), rfc3339(time.time()))
    )
    if login is None:
        raise unauthorized("This login is over: begin anew.")
    provider = _provider(call)
    if query.error is not UNSET or (query.iss is not UNSET and query.iss != provider.issuer):
        raise unauthorized("The provider did not sign you in.")
    if query.code is UNSET:
        raise invalid("code", "it is required")
    person = await provider.person(query.code, login.verifier, login.nonce)
    row = await call.database.transaction(partial(person_row, provider.issuer, person))
    reply = await open_session(call, row, cookie=True)
    if reply is None:
        raise unauthorized("The account is suspended.")
    return Reply(reply.value, (*reply.headers, *cookies.clear_state(secure=call.secure)))


PROCEDURES = (
    Procedure(
        id="oauth.start",
        method="GET",
        path="/auth/oauth/start",
        summary="Begin a login by the provider",
        handler=start,
        access=ANYONE,
        limit="login",
        output=Started,
        errors=("BAD_GATEWAY",),
        response_headers=("Cache-Control", "Set-Cookie"),
    ),
    Procedure(
        id="oauth.callback",
        method="GET",
        path="/auth/oauth/callback",
        summary="End a login by the provider",
        handler=callback,
        access=ANYONE,
        limit="login",
        query=Returned,
        output=SignedIn,
        errors=("FORBIDDEN", "CONFLICT", "BAD_GATEWAY"),
        response_headers=("Cache-Control", "Set-Cookie"),
    ),
)
