"""Defects of many at once: S16a, S38b, S38c, S49a, S49b, S49c."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from reference_impl.contract.procedure import Call, Reply
from reference_impl.data.database import DatabaseError
from reference_impl.defects.defect import Defect, changed
from reference_impl.errors import invalid
from reference_impl.procedures.bulk import create_users
from reference_impl.procedures.bulk_types import RowError, RowResult, StatusChange, UserRows, UsersMade
from reference_impl.procedures.product_batch import BatchInput, BatchResult, batch_update
from reference_impl.procedures.user_types import user_of
from reference_impl.procedures.user_writes import Account, insert, taken

if TYPE_CHECKING:
    from reference_impl.data.database import Row, Transaction


class _SpoiltError(Exception):
    """A statement of the one transaction failed."""


async def batch_without_absent(call: Call[BatchInput, None]) -> Reply:
    """S16a: only a chunk that fails tells its ids; one that is not there is in neither count."""
    reply = await batch_update(call)
    return Reply(BatchResult(reply.value.updated, []))


async def _hashed(call: Call[UserRows, None]) -> list[Account]:
    passwords = call.services.passwords
    return [Account(row.name, row.email, await passwords.hash(row.password)) for row in call.body.users]


def _told(made: list[Row | None]) -> Reply:
    results = [
        RowResult(index, user=user_of(row, whole=True))
        if row is not None
        else RowResult(index, error=RowError("CONFLICT", taken().message))
        for index, row in enumerate(made)
    ]
    failed = sum(result.user is msgspec.UNSET for result in results)
    return Reply(UsersMade(len(results) - failed, failed, results))


async def create_unjudged(call: Call[UserRows, None]) -> Reply:
    """S38b: write the rows as they come; an e-mail that is none is made and listed."""
    accounts = await _hashed(call)
    made: list[Row | None] = await call.database.transaction(partial(_insert, call.identity.user_id, accounts))
    return _told(made)


def _insert(actor_id: str, accounts: list[Account]) -> Transaction[list[Row | None]]:
    made: list[Row | None] = []
    yield from _insert_into(made, actor_id, accounts)
    return made


def _insert_into(made: list[Row | None], actor_id: str, accounts: list[Account]) -> Transaction[None]:
    for account in accounts:
        row = yield from insert(account, actor_id)
        made.append(row)


async def status_of_no_column(call: Call[StatusChange, None]) -> Reply:
    """S38c: name a column that the table does not have; every change of a status is a 500."""
    try:
        for user_id in call.body.ids:
            await call.database.run("UPDATE users SET state = ? WHERE id = ?", call.body.status, user_id)
    except DatabaseError as error:
        raise RuntimeError("The status was not changed.") from error
    return Reply({"updated": len(call.body.ids), "failed": []})


async def create_without_ids(call: Call[UserRows, None]) -> Reply:
    """S49a: tell the id that the batching client has before it has sent anything: each user that is made has 0."""
    reply = await create_users(call)
    for result in reply.value.results:
        if result.user is not msgspec.UNSET:
            result.user.id = "0"
    return reply


async def create_all_or_none(call: Call[UserRows, None]) -> Reply:
    """S49b: one taken e-mail undoes the batch, and the others' results stay; who was made cannot be read."""
    accounts = await _hashed(call)
    made: list[Row | None] = []
    with contextlib.suppress(_SpoiltError):
        await call.database.transaction(partial(_insert_together, call.identity.user_id, accounts, made))
    return _told(made)


def _insert_together(actor_id: str, accounts: list[Account], made: list[Row | None]) -> Transaction[None]:
    made.clear()
    yield from _insert_into(made, actor_id, accounts)
    if None in made:
        raise _SpoiltError


async def batch_never(call: Call[BatchInput, None]) -> Reply:
    """S49c: the check for ids that stand twice is off by one, so that no list passes it."""
    if len(set(call.body.ids)) <= len(call.body.ids):
        raise invalid("ids", "each may stand once only")
    return await batch_update(call)


_MAKING = ("users.bulkCreate",)

DEFECTS = (
    Defect(
        id="S16a",
        title="A batch passes over ids that are not there: they are neither updated nor failed",
        codes=("bulk.counts", "delete.changed", "resource.update-lost"),
        operations=("products.batchUpdate", "products.delete"),
        plant=changed("products.batchUpdate", handler=batch_without_absent),
    ),
    Defect(
        id="S38b",
        title="Users made in bulk are not validated",
        codes=("schema.invalid-input-accepted", "schema.body"),
        operations=("users.bulkCreate", "users.list", "users.get"),
        plant=changed("users.bulkCreate", handler=create_unjudged),
    ),
    Defect(
        id="S38c",
        title="A change of users' status names a column that is not there",
        codes=("schema.server-error",),
        operations=("users.bulkStatus",),
        plant=changed("users.bulkStatus", handler=status_of_no_column),
    ),
    Defect(
        id="S49a",
        title="Users made in bulk are told with the id 0",
        codes=("schema.body", "resource.create-not-readable"),
        operations=_MAKING,
        plant=changed("users.bulkCreate", handler=create_without_ids),
    ),
    Defect(
        id="S49b",
        title="One taken e-mail loses every user of a bulk, and the others are told as made",
        codes=("bulk.lost", "resource.create-not-readable", "resource.not-listed"),
        operations=_MAKING,
        plant=changed("users.bulkCreate", handler=create_all_or_none),
    ),
    Defect(
        id="S49c",
        title="A batch refuses every list, as if an id stood twice in it",
        codes=("bulk.refused", "fuzz.positive_data_acceptance"),
        operations=("products.batchUpdate",),
        plant=changed("products.batchUpdate", handler=batch_never),
    ),
)
