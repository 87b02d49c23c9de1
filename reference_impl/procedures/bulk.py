"""Many users at once: rows made one by one, each with its own result, and a status for a list of ids."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from reference_impl.contract.procedure import ADMIN, Call, Procedure, Reply
from reference_impl.contract.reading import refused
from reference_impl.errors import invalid
from reference_impl.procedures.bulk_types import (
    RowError,
    RowResult,
    StatusChange,
    StatusChanged,
    UserRow,
    UserRows,
    UsersMade,
)
from reference_impl.procedures.session_writes import changed, told
from reference_impl.procedures.user_types import NewUser, Status, user_of
from reference_impl.procedures.user_writes import Account, insert, taken, write_status

if TYPE_CHECKING:
    from reference_impl.data.database import Row, Transaction


async def create_users(call: Call[UserRows, None]) -> Reply:
    """Make every row that can be made; the others are told by their index."""
    results: dict[int, RowResult] = {}
    accounts: dict[int, Account] = {}
    for index, row in enumerate(call.body.users):
        account = judged(row)
        if isinstance(account, RowError):
            results[index] = RowResult(index, error=account)
            continue
        # One after the other, so that at most one thread is kept from logins.
        password_hash = await call.services.passwords.hash(account.password)
        accounts[index] = Account(account.name, account.email, password_hash)
    actor_id = call.caller.user_id if call.caller else ""
    made = await call.database.transaction(partial(_insert, actor_id, accounts))
    for index, found in made.items():
        if found is None:
            results[index] = RowResult(index, error=RowError("CONFLICT", taken().message))
        else:
            results[index] = RowResult(index, user=user_of(found, whole=True))
    failed = sum(result.error is not msgspec.UNSET for result in results.values())
    return Reply(UsersMade(len(results) - failed, failed, [results[index] for index in sorted(results)]))


def judged(row: UserRow) -> NewUser | RowError:
    """Return the row as an account, or what is wrong with it."""
    try:
        return msgspec.convert(msgspec.to_builtins(row), NewUser)
    except msgspec.ValidationError as error:
        return RowError("VALIDATION_ERROR", refused(error).message)


def _insert(actor_id: str, accounts: dict[int, Account]) -> Transaction[dict[int, Row | None]]:
    made = {}
    for index, account in accounts.items():
        made[index] = yield from insert(account, actor_id)
    return made


async def change_status(call: Call[StatusChange, None]) -> Reply:
    """Suspend users, whose sessions end, or let them in again."""
    ids = call.body.ids
    if len(set(ids)) != len(ids):
        raise invalid("ids", "each may stand once")
    failed = await call.database.transaction(partial(_write, call.identity.user_id, ids, call.body.status))
    return Reply(StatusChanged(len(ids) - len(failed), failed))


def _write(actor_id: str, ids: list[str], status: Status) -> Transaction[list[str]]:
    done = {}
    for user_id in sorted(ids):
        done[user_id] = yield from write_status(actor_id, user_id, status)
    yield from told([session for ended in done.values() for session in ended or ()])
    if status == "suspended":
        for user_id in (user_id for user_id, ended in done.items() if ended is not None):
            yield from changed(user_id)
    return [user_id for user_id in ids if done[user_id] is None]


_MADE = {
    "items": "/users",
    "resource": "user",
    "done": "/created",
    "failed": "/failed",
    "results": "/results",
    "index": "/index",
    "thing": "/user",
    "error": "/error",
}
_CHANGED = {"items": "/ids", "resource": "user", "done": "/updated", "failed": "/failed", "unknown": "failed"}

PROCEDURES = (
    Procedure(
        id="users.bulkCreate",
        method="POST",
        path="/bulk/users",
        summary="Make up to 100 accounts, each by itself",
        description="A row that does not fit, or whose e-mail is taken, fails alone; `results` are in the order sent.",
        handler=create_users,
        access=ADMIN,
        limit="create",
        input=UserRows,
        output=UsersMade,
        # Hashing a hundred passwords is slow by intent.
        promises={"bulk": _MADE, "objective": {"p95_ms": 15_000, "error_ratio": 0.01}},
    ),
    Procedure(
        id="users.bulkStatus",
        method="PATCH",
        path="/bulk/users/status",
        summary="Suspend up to 100 users, or let them in again",
        handler=change_status,
        access=ADMIN,
        limit="update",
        input=StatusChange,
        output=StatusChanged,
        promises={"bulk": _CHANGED},
    ),
)
