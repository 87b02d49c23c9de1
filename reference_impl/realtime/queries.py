"""The named questions of the WebSocket: read only, their parameters bound, nothing of them built from what is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from reference_impl.contract.fields import Id, Limit  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.reading import refused
from reference_impl.realtime.frames import QuestionName, RoomName  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.data.database import Database


class ProductCountParameters(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Of one category, or all."""

    category_id: Id | UnsetType = UNSET


class NewestProductsParameters(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How many."""

    limit: Limit = 20


class RoomHistoryParameters(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The newest messages of a room that one is in, newest first."""

    room: RoomName
    limit: Limit = 20


@dataclass(frozen=True, slots=True)
class Question:
    """One question: `values` gives what is bound, in the statement's order."""

    parameters: Any
    sql: str
    values: Callable[[Any], tuple[object, ...]]
    columns: tuple[str, ...]


QUESTIONS: dict[QuestionName, Question] = {
    "productCount": Question(
        ProductCountParameters,
        "SELECT count(*) FROM products WHERE deleted_at IS NULL AND (CAST(? AS TEXT) IS NULL OR category_id = ?)",
        lambda asked: (None if asked.category_id is UNSET else asked.category_id,) * 2,
        ("count",),
    ),
    "newestProducts": Question(
        NewestProductsParameters,
        "SELECT id, name FROM products WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT ?",
        lambda asked: (asked.limit,),
        ("id", "name"),
    ),
    "roomHistory": Question(
        RoomHistoryParameters,
        "SELECT id, room, user_id, text, created_at FROM room_messages WHERE room = ? "
        "ORDER BY created_at DESC, id DESC LIMIT ?",
        lambda asked: (asked.room, asked.limit),
        ("id", "room", "userId", "content", "createdAt"),
    ),
}


def read(name: QuestionName, parameters: dict[str, Any]) -> Any:
    """Return a question's parameters; VALIDATION_ERROR when they do not fit."""
    try:
        return msgspec.convert(parameters, QUESTIONS[name].parameters)
    except msgspec.ValidationError as error:
        raise refused(error) from error


async def answer(database: Database, name: QuestionName, parameters: Any) -> list[dict[str, Any]]:
    """Return the rows of a question as objects."""
    question = QUESTIONS[name]
    rows = await database.query(question.sql, *question.values(parameters))
    return [dict(zip(question.columns, row, strict=True)) for row in rows]
