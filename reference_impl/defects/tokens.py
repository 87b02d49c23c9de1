"""Defects of what a token says and when it ends: S42, B2a, B2b, B2c, B3a."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from reference_impl.clock import rfc3339
from reference_impl.contract.procedure import Call, Reply
from reference_impl.defects.defect import EVERY_OPERATION, Defect, changed
from reference_impl.identity import cookies, opaque
from reference_impl.identity.tokens import REQUIRED, Tokens
from reference_impl.procedures import session_writes
from reference_impl.procedures.sessions import refresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt.types import Options

    from reference_impl.application import Parts
    from reference_impl.procedures.session_types import Renewal

WEST = "T"
_LEEWAY_S = 60 * 1000
_UNSPENT = "UPDATE refresh_tokens SET spent_at = NULL WHERE token_hash = ?"


class LocalTokens(Tokens):
    """S42: a token's end is made a naive time in UTC and compared as a local one; west of UTC it holds for longer."""

    options: ClassVar[Options] = {"require": REQUIRED, "verify_exp": False}

    def _end(self, payload: dict[str, Any]) -> int:
        naive = datetime.fromtimestamp(payload["exp"], UTC).replace(tzinfo=None)
        return int(naive.timestamp())


class AnyAudience(Tokens):
    """B2a: nobody asks whom a token is for; one of the same issuer for another API is taken."""

    options: ClassVar[Options] = {"require": REQUIRED, "verify_aud": False}


class LenientTokens(Tokens):
    """B2b: the leeway for clocks that differ is given in milliseconds; a token holds for hours after its end."""

    options: ClassVar[Options] = {"require": REQUIRED, "verify_exp": False}

    def _end(self, payload: dict[str, Any]) -> int:
        return int(payload["exp"]) + _LEEWAY_S


def reading(tokens: type[Tokens]) -> Callable[[Parts], Parts]:
    """Return the planting of other tokens."""
    return lambda parts: replace(parts, tokens=tokens)


async def refresh_again(call: Call[Renewal, None]) -> Reply:
    """B2c: nobody asks whether a refresh token was spent; the same one gets new tokens again and again."""
    key = call.services.settings.identity.token_key
    await call.database.run(_UNSPENT, opaque.digest(key, "refresh", call.body.refresh_token))
    return await refresh(call)


async def logout_of_nothing(call: Call[None, None]) -> Reply:
    """B3a: session and user are swapped, so no row is met; the token is taken after its logout."""
    identity = call.identity
    ending = partial(session_writes.end, identity.session_id, identity.user_id, rfc3339(time.time()))
    await call.database.transaction(ending)
    return Reply(headers=cookies.clear(secure=call.secure) if "cookie" in call.headers else ())


_TAKEN = ("credentials.taken",)

DEFECTS = (
    Defect(
        id="S42",
        title="A token's end is compared as local time: west of UTC it holds for hours longer",
        codes=_TAKEN,
        operations=EVERY_OPERATION,
        plant=reading(LocalTokens),
        profile=WEST,
    ),
    Defect(
        id="B2a",
        title="A token for another audience is taken",
        codes=_TAKEN,
        operations=EVERY_OPERATION,
        plant=reading(AnyAudience),
    ),
    Defect(
        id="B2b",
        title="A token holds for hours after its end, by a leeway in the wrong unit",
        codes=_TAKEN,
        operations=EVERY_OPERATION,
        plant=reading(LenientTokens),
    ),
    Defect(
        id="B2c",
        title="A refresh token that was spent is good once more",
        codes=_TAKEN,
        operations=("auth.refresh",),
        plant=changed("auth.refresh", handler=refresh_again),
    ),
    Defect(
        id="B3a",
        title="A logout ends no session: its token is still taken",
        codes=_TAKEN,
        operations=EVERY_OPERATION,
        plant=changed("auth.logout", handler=logout_of_nothing),
    ),
)
