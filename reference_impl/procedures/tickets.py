"""Tickets for WebSockets, which a browser cannot open with headers of its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from reference_impl.contract.procedure import IN_SESSION, Call, Procedure, Reply
from reference_impl.realtime.tickets import LIFE_S, issue


class Ticket(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What `/ws?ticket=` takes, once and for `expiresIn` seconds."""

    ticket: Annotated[str, Meta(min_length=1, examples=["eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiI0ZjJhIn0.c2lnbmF0dXJl"])]
    expires_in: Annotated[int, Meta(ge=1, examples=[LIFE_S])]


async def make_ticket(call: Call[None, None]) -> Reply:
    """Return a ticket for the caller's session."""
    key = call.services.settings.identity.token_key
    return Reply(Ticket(issue(key, call.tenant, call.identity), LIFE_S), ((b"cache-control", b"no-store"),))


PROCEDURES = (
    Procedure(
        id="sockets.ticket",
        method="POST",
        path="/ws/tickets",
        summary="A ticket that opens one WebSocket",
        description="A browser sends no header with a WebSocket: it sends the ticket as a parameter, once and soon.",
        handler=make_ticket,
        access=IN_SESSION,
        limit="stream",
        output=Ticket,
        response_headers=("Cache-Control",),
    ),
)
