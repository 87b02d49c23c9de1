"""What logins and sessions look like on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from reference_impl.contract.fields import Count, Email, Id, Limit, Offset, Password, PersonName, Time  # noqa: TC001 - msgspec reads annotations
from reference_impl.procedures.paging import Pagination  # noqa: TC001 - same
from reference_impl.procedures.user_types import User  # noqa: TC001 - same

Secret = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^[A-Za-z0-9_-]*$",
        examples=["oZ8kQ1vYyC4mT0w7rB2nL5xJ9dF3hG6sKpWqEiUaVtM"],
    ),
]


class Registration(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new account."""

    email: Email
    password: Password
    name: PersonName


class Credentials(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What logs in; `cookie` asks for the cookies of a browser beside the body."""

    email: Email
    password: Password
    cookie: bool = False


class Renewal(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The newest refresh token of a session, good for one use; `cookie` renews the cookies too."""

    refresh_token: Secret
    cookie: bool = False


class SignedIn(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An access token, the refresh token that gets the next one, the life of each in seconds, and whose they are."""

    access_token: Annotated[str, Meta(examples=["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl"])]
    token_type: str
    expires_in: Count
    refresh_token: Secret
    refresh_expires_in: Count
    user: User


class Session(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A session that is open; `current` is the one that asks."""

    id: Id
    created_at: Time
    expires_at: Time
    current: bool


class SessionQuery(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which sessions."""

    limit: Limit = 20
    offset: Offset = 0


class SessionPage(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One page of the caller's open sessions, newest first."""

    data: list[Session]
    pagination: Pagination
