"""Defects of users: S34, S35."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from reference_impl.contract.fields import LARGEST, Limit, Offset, Search
from reference_impl.contract.procedure import ANYONE, Call, Reply
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import invalid
from reference_impl.procedures.user_types import UserPatch, UserQuery, user_of
from reference_impl.procedures.user_writes import remove_user, write
from reference_impl.procedures.users import list_users

_MOST = 100


async def update_anyones(call: Call[UserPatch, None]) -> Reply:
    """S34b: change any record, whoever asks."""
    row = await call.database.transaction(partial(write, "", call.path["id"], call.body))
    return Reply(user_of(row, whole=True))


async def delete_anyones(call: Call[None, None]) -> Reply:
    """S34c: delete any record, whoever asks."""
    await call.database.transaction(partial(remove_user, "", call.path["id"]))
    return Reply()


class UnboundedLimit(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S35a: a limit that may be negative, which the database takes for none."""

    limit: Annotated[int, Meta(ge=-LARGEST, le=_MOST)] = 20
    offset: Offset = 0
    search: Search = ""


class TextLimit(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S35b: a limit that may be any text."""

    limit: str = "20"
    offset: Offset = 0
    search: Search = ""


class UnboundedOffset(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """S35c: an offset that may be negative, which the database takes for zero."""

    limit: Limit = 20
    offset: Annotated[int, Meta(ge=-LARGEST, le=LARGEST)] = 0
    search: Search = ""


async def list_unparsed(call: Call[None, TextLimit]) -> Reply:
    """S35b: parse the limit where nobody catches that it is no number."""
    query = call.query
    limit = int(query.limit)
    if not 1 <= limit <= _MOST:
        raise invalid("limit", f"expected an integer from 1 to {_MOST}")
    parsed: Call[None, UserQuery] = Call(
        body=None,
        query=UserQuery(limit=limit, offset=query.offset, search=query.search),
        path=call.path,
        headers=call.headers,
        caller=call.caller,
        database=call.database,
        services=call.services,
        tenant=call.tenant,
        address=call.address,
        base=call.base,
    )
    return await list_users(parsed)


_ANONYMOUS = ("roles.anonymous-allowed", "roles.effect", "fuzz.ignored_auth")
_ACCEPTED = ("schema.invalid-input-accepted", "page.bounds")

DEFECTS = (
    Defect(
        id="S34a",
        title="Anyone can make a user",
        codes=(*_ANONYMOUS, "roles.role-allowed"),
        operations=("users.create",),
        plant=changed("users.create", access=ANYONE),
    ),
    Defect(
        id="S34b",
        title="Anyone can change a user",
        codes=(*_ANONYMOUS, "owner.stranger-allowed", "owner.effect"),
        operations=("users.update",),
        plant=changed("users.update", access=ANYONE, handler=update_anyones),
    ),
    Defect(
        id="S34c",
        title="Anyone can delete a user",
        codes=(*_ANONYMOUS, "owner.stranger-allowed", "owner.effect"),
        operations=("users.delete",),
        plant=changed("users.delete", access=ANYONE, handler=delete_anyones),
    ),
    Defect(
        id="S35a",
        title="limit=-1 lists every user",
        codes=_ACCEPTED,
        operations=("users.list",),
        plant=changed("users.list", query=UnboundedLimit),
    ),
    Defect(
        id="S35b",
        title="limit=abc is a 500",
        codes=(*_ACCEPTED, "schema.server-error"),
        operations=("users.list",),
        plant=changed("users.list", query=TextLimit, handler=list_unparsed),
    ),
    Defect(
        id="S35c",
        title="offset=-5 is served",
        codes=_ACCEPTED,
        operations=("users.list",),
        plant=changed("users.list", query=UnboundedOffset),
    ),
)
